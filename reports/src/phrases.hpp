// Phrases and marks that text, Markdown and HTML share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"

namespace pogo::report {

/// "yes", "no", "unknown".
[[nodiscard]] std::string_view word(Answer answer);

/// A cell of the matrix: what an instruction does with a column's element.
struct Mark {
    bool read = false;       ///< R: results depend on it
    bool joint = false;      ///< r: only together with others
    bool written = false;    ///< W
    bool traps = false;      ///< T: in the column of the mode: privileged
    bool sometimes = false;  ///< t: privileged under a condition
    bool unknown = false;    ///< ?
    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::string letters() const;
};
[[nodiscard]] Mark mark_of(const Instruction& instruction, const Subject& column);

/// Columns in which any of the rows has a mark.
[[nodiscard]] std::vector<const Subject*> marked_columns(const Report& report, bool all_rows);
/// A matrix with more columns than this is written as a list in text and Markdown.
constexpr std::size_t most_columns = 14;
/// A row of the matrix as a list: "W mode; RW mstatus.{SIE, SPIE}".
[[nodiscard]] std::string mark_list(const Instruction& instruction, const std::vector<const Subject*>& columns);
/// Rows that are sensitive or may be, critical ones first.
[[nodiscard]] std::vector<const Instruction*> sensitive_rows(const Report& report);

/// "mode-sensitive and control-sensitive": everything that makes it sensitive, as adjectives.
[[nodiscard]] std::string adjectives(const Instruction& instruction);
/// "not privileged", "privileged only if …".
[[nodiscard]] std::string privilege(const Instruction& instruction);
/// "theorem 1" or "theorem 1, extended".
[[nodiscard]] std::string refuted_theorem(const Instruction& instruction);
/// "two states that differ only in their mode", "a state in user mode".
[[nodiscard]] std::string origin(const Witness& witness);
/// What the witness shows in a few words: "writes ccr.I in user mode".
[[nodiscard]] std::string gist(const Witness& witness);
/// How a column of the witness is headed: the mode where modes differ, else "state 1".
[[nodiscard]] std::string heading(const Witness& witness, std::size_t state);
/// "completes", "trap bounds(…)".
[[nodiscard]] std::string outcome(const State& state);
/// "confirmed in 6 and 6 cycles".
[[nodiscard]] std::string replay_words(const Witness& witness);
/// Replays and audits of the whole report.
[[nodiscard]] std::string confirmation_words(const Report& report);
/// "proved" etc. with those against it.
[[nodiscard]] std::string theorem_words(Decision decision, const std::vector<std::string>& against);

/// The table of what modes are refused: names of rows with the same conditions ("csrrw/csrrs cycle, time"), then those
/// conditions, mode by mode. Empty where nothing is or the machine has a table of its own.
[[nodiscard]] std::vector<std::vector<std::string>> refusal_table(const Report& report);

/// `invariant "even_pc" is kept` or what breaks it.
[[nodiscard]] std::string invariant_words(const Invariant& invariant);

/// A line of a table in which two reports are compared.
struct Comparison {
    std::string name;
    std::string before;  ///< empty: not there
    std::string after;
    bool changed = false;
};
[[nodiscard]] std::vector<Comparison> compare(const Report& before, const Report& after);

}  // namespace pogo::report
