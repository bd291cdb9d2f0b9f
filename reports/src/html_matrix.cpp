// The matrix of the HTML page: as a picture and as a table.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "html.hpp"
#include "phrases.hpp"

namespace pogo::report::html {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string anchor(const Instruction& instruction) { return "i-" + escaped(instruction.identifier); }

namespace {

/// Critical, then sensitive, then the others in the order of the spec.
std::vector<const Instruction*> ordered(const Report& report) {
    auto rows = sensitive_rows(report);
    const std::size_t first = rows.size();
    for (const auto& instruction : report.instructions)
        if (std::find(rows.begin(), rows.begin() + static_cast<long>(first), &instruction) ==
            rows.begin() + static_cast<long>(first))
            rows.push_back(&instruction);
    return rows;
}

bool is_critical(const Instruction& instruction) { return instruction.critical.extended == Answer::yes; }
bool is_sensitive(const Instruction& instruction) { return instruction.sensitive.extended != Answer::no; }

std::string_view row_class(const Instruction& instruction) {
    return is_critical(instruction) ? "critical" : is_sensitive(instruction) ? "sensitive" : "innocuous";
}

/// "MOVE from SR, sr.I: results depend on it".
std::string words(const Instruction& instruction, const Subject& column, const Mark& mark) {
    std::vector<std::string> what;
    if (mark.read) what.emplace_back("results depend on it");
    if (mark.joint && !mark.read) what.emplace_back("results depend on it together with others");
    if (mark.written) what.emplace_back("writes it");
    if (mark.traps) what.emplace_back("traps outside supervisor mode");
    if (mark.sometimes) what.emplace_back("traps under a condition");
    if (mark.unknown) what.emplace_back("unknown");
    std::string out = fmt::format("{}, {}: ", instruction.name, column.name);
    for (std::size_t i = 0; i < what.size(); ++i) out += (i == 0 ? "" : ", ") + what[i];
    return out;
}

/// "r", "w", "t" or several of them, as the style sheet knows them; "u" where something is unknown.
std::string cell_class(const Mark& mark) {
    if (mark.unknown) return "u";
    std::string result;
    if (mark.read || mark.joint) result += 'r';
    if (mark.written) result += 'w';
    if (mark.traps || mark.sometimes) result += 't';
    return result;
}

}  // namespace

std::string picture(const Report& report) {
    const auto rows = ordered(report);
    const auto columns = marked_columns(report, true);
    if (columns.empty()) return "<p>No instruction touches mode, relocation, control or I/O.</p>\n";
    // Innocuous instructions have no label where there are many of them, so they may be narrow.
    const bool few = rows.size() <= 48;
    const unsigned narrow = few ? 18 : rows.size() <= 120 ? 8 : 5;
    const auto labelled = [&](const Instruction& instruction) { return few || is_sensitive(instruction); };
    const unsigned h = 15;
    std::size_t longest_column = 0;
    for (const auto* column : columns) longest_column = std::max(longest_column, column->name.size());
    std::size_t longest_row = 0;
    for (const auto* instruction : rows)
        if (labelled(*instruction)) longest_row = std::max(longest_row, instruction->name.size());
    const std::size_t left = longest_column * 7 + 12;
    const std::size_t top = longest_row * 7 + 10;
    std::vector<std::size_t> place{left};  // of each row, and the end
    for (std::size_t x = 0; x < rows.size(); ++x) {
        const bool group_ends = x + 1 < rows.size() && row_class(*rows[x]) != row_class(*rows[x + 1]);
        place.push_back(place.back() + (labelled(*rows[x]) ? 18 : narrow) + (group_ends ? 8 : 0));
    }
    const std::size_t width = place.back() + 4;
    const std::size_t height = top + columns.size() * h + 12;
    std::string out = fmt::format(
        "<div class=\"glance\"><svg id=\"picture\" role=\"img\" aria-label=\"Instructions by state elements; the table "
        "below "
        "says the same\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n",
        width, height);
    for (std::size_t y = 0; y < columns.size(); ++y)
        out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", left - 7, top + y * h + h - 4,
                           escaped(columns[y]->name));
    for (std::size_t x = 0; x < rows.size(); ++x) {
        const Instruction& instruction = *rows[x];
        const std::size_t at = place[x];
        const unsigned w = labelled(instruction) ? 18 : narrow;
        const bool link = is_critical(instruction) || !instruction.witnesses.empty();
        if (link) out += fmt::format("<a href=\"#{}\">", anchor(instruction));
        if (labelled(instruction))
            out += fmt::format("<text{} x=\"{}\" y=\"{}\" transform=\"rotate(-90 {} {})\">{}</text>",
                               is_critical(instruction)    ? " class=\"crit\""
                               : is_sensitive(instruction) ? ""
                                                           : " class=\"role\"",
                               at + w / 2 + 4, top - 5, at + w / 2 + 4, top - 5, escaped(instruction.name));
        for (std::size_t y = 0; y < columns.size(); ++y) {
            const Mark mark = mark_of(instruction, *columns[y]);
            const std::size_t line = top + y * h;
            const auto rect = [&](const char* css, std::size_t dx, std::size_t width_of, std::size_t dy,
                                  std::size_t height_of) {
                return fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>", css, at + dx,
                                   line + dy, width_of, height_of);
            };
            const std::size_t cw = w - 1;
            const std::size_t ch = h - 1;
            if (mark.empty()) {
                out += rect("g-none", 0, cw, 0, ch);
                continue;
            }
            // As many stripes as letters.
            std::vector<const char*> stripes;
            if (mark.read || mark.joint) stripes.push_back("g-r");
            if (mark.written) stripes.push_back("g-w");
            if (mark.traps || mark.sometimes) stripes.push_back("g-t");
            if (mark.unknown) stripes.push_back("g-u");
            out += fmt::format("<g><title>{}</title>", escaped(words(instruction, *columns[y], mark)));
            for (std::size_t s = 0; s < stripes.size(); ++s) {
                const std::size_t from = cw * s / stripes.size();
                out += rect(stripes[s], from, cw * (s + 1) / stripes.size() - from, 0, ch);
            }
            out += "</g>";
        }
        if (is_critical(instruction))
            out += fmt::format("<rect class=\"g-crit\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"4\"/>", at,
                               top + columns.size() * h + 2, w - 1);
        out += link ? "</a>\n" : "\n";
    }
    return out +
           "</svg></div>\n<p class=\"legend\"><span><span class=\"key k-r\">R</span>results depend on "
           "it</span><span><span "
           "class=\"key k-w\">W</span>writes it</span><span><span class=\"key k-t\">T</span>traps outside supervisor "
           "mode</span>"
           "<span><span class=\"key k-u\">?</span>unknown</span><span>a red mark underneath: critical</span></p>\n";
}

std::string matrix(const Report& report) {
    const auto rows = ordered(report);
    const auto columns = marked_columns(report, true);
    const auto sensitive = sensitive_rows(report).size();
    std::string out =
        "<div>\n<input class=\"hidden\" type=\"radio\" name=\"show\" id=\"show-all\"><input class=\"hidden\" "
        "type=\"radio\" "
        "name=\"show\" id=\"show-sensitive\" checked><input class=\"hidden\" type=\"radio\" name=\"show\" "
        "id=\"show-critical\">\n";
    out += fmt::format(
        "<div class=\"filter\"><label for=\"show-critical\">critical ({})</label><label "
        "for=\"show-sensitive\">sensitive "
        "({})</label><label for=\"show-all\">all ({})</label></div>\n",
        report.critical().size(), sensitive, rows.size());
    out +=
        "<div class=\"scroller\" tabindex=\"0\"><table class=\"matrix\" id=\"matrix\">\n<thead><tr><th class=\"first\" "
        "scope=\"col\">instruction</th><th scope=\"col\">privileged</th>";
    for (const auto* column : columns)
        out += fmt::format("<th class=\"up\" scope=\"col\" title=\"{}\"><span>{}</span></th>", escaped(column->role),
                           escaped(column->name));
    out += "</tr></thead>\n<tbody>\n";
    for (const auto* instruction : rows) {
        const std::string name = escaped(instruction->name);
        const bool link = is_critical(*instruction) || !instruction->witnesses.empty();
        out += fmt::format("<tr class=\"{}\"><th class=\"first\" scope=\"row\">{}</th><td class=\"word\">{}</td>",
                           row_class(*instruction),
                           link ? fmt::format("<a href=\"#{}\">{}</a>", anchor(*instruction), name) : name,
                           escaped(instruction->privileged));
        for (const auto* column : columns) {
            const Mark mark = mark_of(*instruction, *column);
            const auto index = static_cast<std::size_t>(column - report.columns.data());
            if (!mark.empty())
                out += fmt::format("<td><span class=\"mark {}\" title=\"{}\">{}</span></td>", cell_class(mark),
                                   escaped(words(*instruction, *column, mark)), mark.letters());
            else if (index < instruction->reads.size() && instruction->reads[index])
                out += "<td class=\"dot\" title=\"mentioned, without effect on results\">·</td>";
            else
                out += "<td></td>";
        }
        out += "</tr>\n";
    }
    return out + "</tbody>\n</table></div>\n</div>\n";
}

}  // namespace pogo::report::html
