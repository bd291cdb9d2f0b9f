// The report for terminals.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "format.hpp"
#include "phrases.hpp"

namespace pogo::report {

namespace {

/// Rows of cells, each column as wide as its widest cell.
class Table {
  public:
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] std::string str(std::string_view indent) const {
        std::vector<std::size_t> widths;
        for (const auto& row : rows_)
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (widths.size() <= i) widths.push_back(0);
                widths[i] = std::max(widths[i], row[i].size());
            }
        std::string out;
        for (const auto& row : rows_) {
            std::string line(indent);
            for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
        return out;
    }

  private:
    std::vector<std::vector<std::string>> rows_;
};

std::string place(const Location& where) {
    return where.line == 0 ? where.file : fmt::format("{}:{}:{}", where.file, where.line, where.column);
}

std::string excerpt(const Location& where) {
    if (where.line == 0) return {};
    std::string padding;
    for (const char c : where.text.substr(0, where.column - 1)) padding += c == '\t' ? '\t' : ' ';
    return fmt::format("  {}\n  {}^{}\n", where.text, padding, std::string(where.length - 1, '~'));
}

std::string matrix(const Report& report) {
    const auto rows = sensitive_rows(report);
    if (rows.empty()) return "No instruction is sensitive.\n";
    const auto columns = marked_columns(report, false);
    const bool list = columns.size() > most_columns;
    Table table;
    std::vector<std::string> head{"sensitive", "privileged"};
    if (list)
        head.emplace_back("elements");
    else
        for (const auto* column : columns) head.push_back(column->name);
    table.add(head);
    for (const auto* instruction : rows) {
        std::string privileged = instruction->privileged;
        if (instruction->critical.strict == Answer::yes)
            privileged += " !!";
        else if (instruction->critical.extended == Answer::yes)
            privileged += " !";
        std::vector<std::string> row{instruction->name, privileged};
        if (list) row.push_back(mark_list(*instruction, columns));
        for (const auto* column : columns) {
            const auto letters = mark_of(*instruction, *column).letters();
            if (!list) row.push_back(letters.empty() ? "." : letters);
        }
        table.add(row);
    }
    return table.str("") +
           "R depends on it, r only with others, W writes it, T traps outside supervisor mode (t under a condition), ? "
           "unknown;\n"
           "!! critical, ! critical counting control and I/O\n";
}

std::string states(const Witness& witness) {
    Table table;
    std::vector<std::string> head{""};
    for (std::size_t i = 0; i < witness.states.size(); ++i) head.push_back(heading(witness, i));
    table.add(head);
    const auto add = [&](std::string_view when, const std::vector<Row>& rows) {
        for (const auto& row : rows) {
            std::vector<std::string> cells{fmt::format("{} {}", when, row.name)};
            for (const auto value : row.values) cells.push_back(hex(value, row.width));
            table.add(cells);
        }
    };
    add("before:", witness.before);
    std::vector<std::string> cells{"outcome:"};
    for (const auto& state : witness.states) cells.push_back(outcome(state));
    table.add(cells);
    add("after: ", witness.after);
    std::string out = table.str("      ");
    if (!witness.common.empty()) {
        out += "      in both:";
        for (const auto& r : witness.common) out += fmt::format(" {} {}", r.name, hex(r.value, r.width));
        out += "\n";
    }
    return out;
}

/// It shows by itself that the instruction is not privileged.
bool completes_in_both(const Witness& witness) {
    return witness.states.size() == 2 && witness.states[0].mode != witness.states[1].mode &&
           witness.states[0].completes && witness.states[1].completes;
}

std::string message(const Instruction& instruction) {
    const Witness* const telling = Report::telling(instruction);
    const bool leak = telling != nullptr && telling->leak;
    const Location& where = leak ? *telling->leak : instruction.where;
    std::string out =
        fmt::format("{}: refuted[{}]: \"{}\" is {} but {}\n{}", place(where), refuted_theorem(instruction),
                    instruction.name, adjectives(instruction), privilege(instruction), excerpt(where));
    if (telling == nullptr) return out;
    out += fmt::format("  note: `{}` ({}) from {}:\n{}", telling->instruction, telling->bits, origin(*telling),
                       states(*telling));
    out += fmt::format("  note: replayed on the model: {}\n", replay_words(*telling));
    const bool both = completes_in_both(*telling);
    for (const auto& witness : instruction.witnesses) {
        if (&witness == telling || (both && witness.property == "not privileged")) continue;
        const std::string at = witness.leak && !(leak && *witness.leak == where) ? place(*witness.leak) + ": " : "  ";
        out += fmt::format("{}note: it also {}; replay: {}\n", at, gist(witness), replay_words(witness));
    }
    out += fmt::format("  repeat: {}\n", telling->command);
    return out;
}

}  // namespace

std::string to_text(const Report& report) {
    std::string out = report.verdict() + "\n\n";
    out += matrix(report);
    if (const auto refused = refusal_table(report); !refused.empty()) {
        Table table;  // conditions first, since names are many
        std::vector<std::string> head = report.modes;
        head.emplace_back("traps for want of privilege, all others never");
        table.add(head);
        for (auto cells : refused) {
            std::rotate(cells.begin(), cells.begin() + 1, cells.end());
            table.add(cells);
        }
        out += "\n" + table.str("");
    }
    for (const auto* instruction : report.critical()) out += "\n" + message(*instruction);
    for (const auto& invariant : report.invariants)
        if (invariant.kept != Decision::proved || invariant.assumed)
            out += fmt::format("\n{}: {}\n{}", place(invariant.where), invariant_words(invariant),
                               excerpt(invariant.where));
    bool undecided = false;
    for (const auto& instruction : report.instructions)
        for (const auto& unknown : instruction.unknowns) {
            out += fmt::format("{}{}: unknown: \"{}\": {}\n", undecided ? "" : "\n", place(instruction.where),
                               instruction.name, unknown);
            undecided = true;
        }

    out += "\n";
    Table table;
    const auto theorem = [&](const std::string& what, const Theorem& t) {
        table.add({what + ", strict:", theorem_words(t.decision.strict, t.against_strict)});
        table.add({what + ", extended:", theorem_words(t.decision.extended, t.against_extended)});
    };
    theorem("Theorem 1", report.theorem1);
    theorem("Theorem 2", report.theorem2);
    theorem("Theorem 3", report.theorem3);
    for (const auto& map : report.vm_maps)
        table.add({fmt::format("VM map {}:", map.name), theorem_words(map.verdict, map.failing)});
    out += table.str("");
    const auto rows = sensitive_rows(report);
    out += fmt::format("\n{}: {} sensitive, {} critical; context {} (supervisor {}, user {}).\n",
                       count(report.instructions.size(), "instruction"), rows.size(), report.critical().size(),
                       report.context, report.supervisor, report.user);
    if (report.efficiency)
        out += fmt::format("\nGuest {}:\n{}\n", report.efficiency->guest, to_text(*report.efficiency));
    for (const auto& [element, value] : report.configuration) out += fmt::format("Assumed: {} = {}\n", element, value);
    out += fmt::format("Model: {}.\n", confirmation_words(report));
    for (const auto& instruction : report.instructions)
        for (const auto& contradiction : instruction.contradictions)
            out += fmt::format("internal error: \"{}\": {}\n", instruction.name, contradiction);
    out += fmt::format("Repeat: {}\n", report.command);
    return out;
}

std::string compare_text(const Report& before, const Report& after) {
    std::string out = fmt::format("before: {}\nafter:  {}\n\n", before.verdict(), after.verdict());
    Table table;
    table.add({"", "before", "after"});
    for (const auto& line : compare(before, after))
        table.add({line.name, line.before.empty() ? "-" : line.before, line.after.empty() ? "-" : line.after,
                   line.changed ? "*" : ""});
    return out + table.str("");
}

}  // namespace pogo::report
