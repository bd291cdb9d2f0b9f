// An instruction on the HTML page: its source line, the states side by side, the replay's trace, how to repeat it.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "format.hpp"
#include "html.hpp"
#include "phrases.hpp"

namespace pogo::report::html {

namespace {

std::string badge(const Witness& witness) {
    const std::string_view css = witness.replay == ReplayStatus::confirmed ? "good"
                                 : witness.replay == ReplayStatus::failed  ? "bad"
                                                                           : "open";
    return fmt::format("<span class=\"badge {}\">replay {}</span>", css, escaped(replay_words(witness)));
}

std::string source(const Location& where) {
    if (where.line == 0) return {};
    std::string padding;
    for (const char c : where.text.substr(0, where.column - 1)) padding += c == '\t' ? '\t' : ' ';
    return fmt::format(
        "<p class=\"soft mono\">{}:{}:{}</p>\n<pre class=\"source\">{}\n{}<span class=\"caret\">^{}</span></pre>\n",
        escaped(where.file), where.line, where.column, escaped(where.text), padding,
        std::string(where.length - 1, '~'));
}

std::string states(const Witness& witness) {
    std::string out = "<table class=\"states\">\n<thead><tr><th></th><th></th>";
    for (std::size_t i = 0; i < witness.states.size(); ++i)
        out += fmt::format("<th scope=\"col\">{}</th>", escaped(heading(witness, i)));
    out += "</tr></thead>\n<tbody>\n";
    const auto add = [&](std::string_view when, const std::vector<Row>& rows) {
        for (const auto& row : rows) {
            out += fmt::format("<tr><th>{}</th><td class=\"name\">{}</td>", when, escaped(row.name));
            for (const auto value : row.values)
                out += fmt::format("<td{}>{}</td>", row.differs ? " class=\"diff\"" : "", hex(value, row.width));
            out += "</tr>\n";
        }
    };
    add("before", witness.before);
    out += "<tr class=\"outcome\"><th>outcome</th><td></td>";
    for (const auto& state : witness.states) out += fmt::format("<td>{}</td>", escaped(outcome(state)));
    out += "</tr>\n";
    add("after", witness.after);
    out += "</tbody>\n</table>\n";
    if (witness.common.empty()) return out;
    out += "<p class=\"soft\">In both:";
    for (const auto& r : witness.common)
        out += fmt::format(" <code>{} = {}</code>", escaped(r.name), hex(r.value, r.width));
    return out + "</p>\n";
}

std::string pipeline(const State& state) {
    if (state.stages.empty()) return {};
    std::uint64_t last = 0;
    for (const auto& stage : state.stages) last = std::max(last, stage.last);
    std::string out = "<table class=\"pipe\"><tr><th scope=\"col\">cycle</th>";
    constexpr std::uint64_t most = 40;
    for (std::uint64_t c = 0; c <= std::min(last, most); ++c) out += fmt::format("<th scope=\"col\">{}</th>", c);
    out += "</tr>";
    for (const auto& stage : state.stages) {
        out += fmt::format("<tr><th scope=\"row\">{}</th>", escaped(stage.name));
        for (std::uint64_t c = 0; c <= std::min(last, most); ++c)
            out += stage.first <= c && c <= stage.last ? "<td class=\"on\">■</td>" : "<td></td>";
        out += "</tr>";
    }
    return out + "</table>\n";
}

std::string trace(const Witness& witness) {
    std::string out;
    for (std::size_t i = 0; i < witness.states.size(); ++i) {
        const State& state = witness.states[i];
        if (!state.traced) continue;
        out += fmt::format("<div><p><b>{}</b>: <code>{}</code>, {}</p>\n{}<ul>\n", escaped(heading(witness, i)),
                           escaped(witness.instruction), count(state.cycles, "cycle"), pipeline(state));
        for (const auto& trap : state.traps) out += fmt::format("<li>takes trap <code>{}</code></li>\n", escaped(trap));
        for (const auto& change : state.observed)
            out += fmt::format("<li><code>{}: {} → {}</code></li>\n", escaped(change.name),
                               hex(change.before, change.width), hex(change.after, change.width));
        out += "</ul></div>\n";
    }
    return out.empty() ? out : "<div class=\"two trace\">\n" + out + "</div>\n";
}

std::string whole(const Witness& witness) {
    std::string out =
        fmt::format("<p><code>{}</code> <span class=\"soft\">({})</span> from {}: {}</p>\n",
                    escaped(witness.instruction), escaped(witness.bits), escaped(origin(witness)), badge(witness));
    out += states(witness);
    out += fmt::format("<details open><summary>Trace of the replay</summary>\n{}</details>\n", trace(witness));
    out += fmt::format("<details><summary>Repeat it on the model</summary>\n<pre class=\"wrap\">{}</pre>\n</details>\n",
                       escaped(witness.command));
    return out;
}

}  // namespace

std::string critical_case(const Instruction& instruction) {
    const Witness* const telling = Report::telling(instruction);
    std::string out = fmt::format(
        "<section class=\"case\" id=\"{}\">\n<header><h3>{}</h3><code class=\"soft\">{}</code><code "
        "class=\"soft\">{}</code>"
        "<span class=\"badge bad\">refutes {}</span></header>\n<p>{}, but {}.</p>\n",
        anchor(instruction), escaped(instruction.name), escaped(instruction.assembly), escaped(instruction.encoding),
        refuted_theorem(instruction), escaped(adjectives(instruction)), escaped(privilege(instruction)));
    out += source(telling != nullptr && telling->leak ? *telling->leak : instruction.where);
    if (telling != nullptr) out += whole(*telling);
    for (const auto& witness : instruction.witnesses) {
        if (&witness == telling) continue;
        out += fmt::format("<details><summary>It also {} {}</summary>\n", escaped(gist(witness)), badge(witness));
        if (witness.leak) out += source(*witness.leak);
        out += whole(witness) + "</details>\n";
    }
    return out + "</section>\n";
}

std::string folded_case(const Instruction& instruction) {
    std::string out = fmt::format(
        "<section class=\"case fine\" id=\"{}\"><details><summary><b>{}</b>: {}; privileged: {}</summary>\n",
        anchor(instruction), escaped(instruction.name), escaped(adjectives(instruction)),
        escaped(instruction.privileged_when.value_or(instruction.privileged)));
    for (const auto& witness : instruction.witnesses)
        out += fmt::format("<details><summary>It {} {}</summary>\n{}</details>\n", escaped(gist(witness)),
                           badge(witness), whole(witness));
    return out + "</details></section>\n";
}

}  // namespace pogo::report::html
