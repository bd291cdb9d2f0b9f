// The report as Markdown, for docs/reports/.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "format.hpp"
#include "phrases.hpp"

namespace pogo::report {

namespace {

/// Text inside a paragraph or a table's cell.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

/// Code inside a paragraph or a table's cell.
std::string code(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
    return text.find('`') == std::string_view::npos ? "`" + out + "`" : "`` " + out + " ``";
}

std::string block(std::string_view text, std::string_view language = "") {
    std::string fence = "```";
    while (text.find(fence) != std::string_view::npos) fence += '`';
    return fmt::format("{}{}\n{}\n{}\n", fence, language, text, fence);
}

std::string line(const std::vector<std::string>& cells) {
    std::string out = "|";
    for (const auto& cell : cells) out += " " + cell + " |";
    return out + "\n";
}

std::string rule(std::size_t first, std::size_t centred) {
    std::string out = "|";
    for (std::size_t i = 0; i < first; ++i) out += "---|";
    for (std::size_t i = 0; i < centred; ++i) out += ":-:|";
    return out + "\n";
}

std::string matrix(const Report& report) {
    const auto rows = sensitive_rows(report);
    if (rows.empty()) return "No instruction is sensitive.\n";
    const auto columns = marked_columns(report, false);
    const bool list = columns.size() > most_columns;
    std::vector<std::string> head{"instruction", "privileged"};
    if (list) head.emplace_back("elements");
    for (const auto* column : columns)
        if (!list) head.push_back(escaped(column->name));
    std::string out = line(head) + (list ? rule(3, 0) : rule(2, columns.size()));
    for (const auto* instruction : rows) {
        const bool critical = instruction->critical.extended == Answer::yes;
        const std::string name = escaped(instruction->name);
        std::vector<std::string> cells{critical ? "**" + name + "**" : name, instruction->privileged};
        if (instruction->critical.strict != Answer::yes && critical) cells[0] += " (extended)";
        if (list) cells.push_back(escaped(mark_list(*instruction, columns)));
        for (const auto* column : columns)
            if (!list) cells.push_back(mark_of(*instruction, *column).letters());
        out += line(cells);
    }
    return out +
           "\n**Bold**: critical. R: results depend on it, r: only together with others, W: writes it, T: traps "
           "outside "
           "supervisor mode (t: under a condition), ?: unknown.\n";
}

std::string trace(const Witness& witness) {
    std::string out;
    for (std::size_t i = 0; i < witness.states.size(); ++i) {
        const State& state = witness.states[i];
        if (!state.traced) continue;
        out += fmt::format("* {}: ", escaped(heading(witness, i)));
        for (std::size_t s = 0; s < state.stages.size(); ++s) {
            const Stage& stage = state.stages[s];
            out += fmt::format("{}{} {}", s == 0 ? "" : ", ", escaped(stage.name), stage.first);
            if (stage.last != stage.first) out += fmt::format("-{}", stage.last);
        }
        for (const auto& trap : state.traps) out += fmt::format("; trap {}", code(trap));
        for (std::size_t c = 0; c < state.observed.size(); ++c) {
            const Change& change = state.observed[c];
            out += fmt::format("{} {} := {}", c == 0 ? ";" : ",", code(change.name), hex(change.after, change.width));
        }
        out += "\n";
    }
    return out.empty() ? out : "\nCycle of each stage, and what changed:\n\n" + out;
}

std::string states(const Witness& witness) {
    std::vector<std::string> head{"", ""};
    for (std::size_t i = 0; i < witness.states.size(); ++i) head.push_back(escaped(heading(witness, i)));
    std::string out = line(head) + rule(head.size(), 0);
    const auto add = [&](std::string_view when, const std::vector<Row>& rows) {
        for (const auto& row : rows) {
            std::vector<std::string> cells{std::string(when), code(row.name)};
            for (const auto value : row.values) cells.push_back(code(hex(value, row.width)));
            out += line(cells);
        }
    };
    add("before", witness.before);
    std::vector<std::string> cells{"outcome", ""};
    for (const auto& state : witness.states) cells.push_back(escaped(outcome(state)));
    out += line(cells);
    add("after", witness.after);
    if (!witness.common.empty()) {
        out += "\nIn both:";
        for (const auto& r : witness.common) out += fmt::format(" {} = {}", code(r.name), code(hex(r.value, r.width)));
        out += "\n";
    }
    return out;
}

std::string critical(const Instruction& instruction) {
    const Witness* const telling = Report::telling(instruction);
    std::string out =
        fmt::format("### {}\n\n{} is {} but {} (refutes {}). Assembly {}, encoding {}.\n\n", escaped(instruction.name),
                    escaped(instruction.name), adjectives(instruction), escaped(privilege(instruction)),
                    refuted_theorem(instruction), code(instruction.assembly), code(instruction.encoding));
    const Location& where = telling != nullptr && telling->leak ? *telling->leak : instruction.where;
    if (where.line != 0) out += fmt::format("{}:{}:\n\n{}", escaped(where.file), where.line, block(where.text));
    if (telling == nullptr) return out + "\n";
    out += fmt::format("\n{} ({}) from {}:\n\n{}", code(telling->instruction), code(telling->bits),
                       escaped(origin(*telling)), states(*telling));
    out += fmt::format("\nReplay on the model: {}.\n{}", escaped(replay_words(*telling)), trace(*telling));
    out += "\nRepeat:\n\n" + block(telling->command, "sh");
    bool first = true;
    for (const auto& witness : instruction.witnesses) {
        if (&witness == telling) continue;
        out += fmt::format("{}* It also {}, shown by {}; replay: {}.\n", first ? "\nOther witnesses:\n\n" : "",
                           escaped(gist(witness)), code(witness.instruction), escaped(replay_words(witness)));
        first = false;
    }
    return out + "\n";
}

}  // namespace

std::string to_markdown(const Report& report) {
    std::string out = fmt::format("# {}\n\n**{}**\n\n", escaped(report.title.empty() ? report.machine : report.title),
                                  escaped(report.verdict()));
    out += line({"", "strict (1974)", "extended"}) + rule(3, 0);
    const auto theorem = [&](std::string_view what, const Theorem& t) {
        out += line({std::string(what), escaped(theorem_words(t.decision.strict, t.against_strict)),
                     escaped(theorem_words(t.decision.extended, t.against_extended))});
    };
    theorem("Theorem 1: sensitive ⊆ privileged", report.theorem1);
    theorem("Theorem 2: recursion", report.theorem2);
    theorem("Theorem 3: user-sensitive ⊆ privileged", report.theorem3);
    for (const auto& map : report.vm_maps)
        out += line({"VM map " + escaped(map.name), escaped(theorem_words(map.verdict, map.failing)), ""});
    out += "\n## What reads and writes what\n\n" + matrix(report);
    if (const auto refused = refusal_table(report); !refused.empty()) {
        out += "\n## Who is refused what\n\nTraps for want of privilege; no mode is refused what is not listed.\n\n";
        std::vector<std::string> head{"instruction"};
        for (const auto& mode : report.modes) head.push_back(escaped(mode));
        out += line(head) + rule(head.size(), 0);
        for (auto cells : refused) {
            std::transform(cells.begin(), cells.end(), cells.begin(), escaped);
            out += line(cells);
        }
    }
    const auto list = report.critical();
    if (!list.empty()) out += "\n## Critical instructions\n\n";
    for (const auto* instruction : list) out += critical(*instruction);
    if (report.efficiency)
        out += fmt::format("\n## Efficiency\n\nOne guest, {}, in {} ways.\n\n{}", code(report.efficiency->guest),
                           report.efficiency->rows.size(), to_markdown(*report.efficiency));
    std::string invariants;
    for (const auto& invariant : report.invariants)
        invariants += fmt::format("* {}\n", escaped(invariant_words(invariant)));
    if (!invariants.empty()) out += "\n## Invariants\n\n" + invariants;
    std::string unknowns;
    for (const auto& instruction : report.instructions)
        for (const auto& unknown : instruction.unknowns)
            unknowns += fmt::format("* {}: {}\n", escaped(instruction.name), escaped(unknown));
    if (!unknowns.empty()) out += "\n## Undecided\n\n" + unknowns;
    if (out.ends_with("\n\n")) out.pop_back();
    out += "\n## Evidence\n\n";
    out += fmt::format("* Model: {}.\n", escaped(confirmation_words(report)));
    for (const auto& instruction : report.instructions)
        for (const auto& contradiction : instruction.contradictions)
            out += fmt::format("* **Internal error**: {}: {}\n", escaped(instruction.name), escaped(contradiction));
    out += fmt::format("* Context {}: supervisor {}, user {}.\n", escaped(report.context), escaped(report.supervisor),
                       escaped(report.user));
    for (const auto& [element, value] : report.configuration)
        out += fmt::format("* Assumed: {} = {}.\n", code(element), code(value));
    const check::Statistics& s = report.statistics;
    out += fmt::format("* {}, {} decided by rewriting, {} by the solver.\n", count(s.queries, "question"), s.rewritten,
                       s.solved);
    out += fmt::format("* Spec {}, SHA-256 {}.\n", code(report.file), code(report.sha256));
    if (!report.mapping_file.empty())
        out += fmt::format("* Mapping {}, SHA-256 {}.\n", code(report.mapping_file), code(report.mapping_sha256));
    if (!report.extension_file.empty())
        out += fmt::format("* Extension {}, SHA-256 {}.\n", code(report.extension_file), code(report.extension_sha256));
    out += fmt::format("* Pogo {}.\n\nRepeat:\n\n{}", escaped(report.tool_version), block(report.command, "sh"));
    return out;
}

std::string compare_markdown(const Report& before, const Report& after) {
    std::string out =
        fmt::format("Before: **{}**\n\nAfter: **{}**\n\n", escaped(before.verdict()), escaped(after.verdict()));
    out += line({"", "before", "after"}) + rule(3, 0);
    for (const auto& row : compare(before, after)) {
        const auto cell = [&](const std::string& text) {
            const std::string plain = text.empty() ? "-" : escaped(text);
            return row.changed ? "**" + plain + "**" : plain;
        };
        out += line({escaped(row.name), cell(row.before), cell(row.after)});
    }
    return out;
}

}  // namespace pogo::report
