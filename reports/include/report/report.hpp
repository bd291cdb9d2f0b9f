// Report: everything that is said about a machine, as one value of plain data, and its renderings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check/check.hpp"
#include "check/vm_map.hpp"
#include "isa/source.hpp"
#include "report/confirm.hpp"
#include "report/efficiency.hpp"

namespace pogo::report {

/// The number in the schema's name: reports/schema/report-1.schema.json.
inline constexpr unsigned schema_version = 1;

/// A place in the user's text, with the line itself.
struct Location {
    std::string file;
    unsigned line = 0;  ///< 0: unknown
    unsigned column = 0;
    std::string text;     ///< the source line
    unsigned length = 1;  ///< bytes under the caret
    friend bool operator==(const Location&, const Location&) = default;
};

/// An answer that may be missing because the solver gave up.
enum class Answer : std::uint8_t { no, yes, unknown };
enum class Decision : std::uint8_t { refuted, proved, unknown };
[[nodiscard]] std::string_view name(Decision decision);
[[nodiscard]] Decision decision(check::Verdict verdict);

struct Answers {
    Answer strict = Answer::no;
    Answer extended = Answer::no;
};
struct Decisions {
    Decision strict = Decision::unknown;
    Decision extended = Decision::unknown;
};

/// A column of the matrix.
struct Subject {
    std::string name;
    std::string role;
    std::string kind;  ///< "mode", "location", "configuration", "time"
    bool strict = false;
};

struct Register {
    std::string name;
    unsigned width = 0;
    std::uint64_t value = 0;
};
struct Change {
    std::string name;  ///< of a register, or an address of memory
    unsigned width = 0;
    std::uint64_t before = 0;
    std::uint64_t after = 0;
};
struct Stage {
    std::string name;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

/// One state of a witness, what was predicted of it, and what the model showed.
struct State {
    std::string mode;                               ///< of the context, as the spec names it
    std::vector<Register> registers;                ///< those that are not zero
    std::map<std::uint64_t, std::uint64_t> memory;  ///< units by physical address; all others are zero
    bool completes = false;
    std::string cause;              ///< when it traps: with arguments
    std::string cause_kind;         ///< "privilege", …
    std::vector<Change> predicted;  ///< when it completes: what changes
    bool traced = false;            ///< the model ran it
    std::uint64_t cycles = 0;
    std::vector<Stage> stages;
    std::vector<Change> observed;    ///< what the model changed, trap entries included
    std::vector<std::string> traps;  ///< taken by the model; more than one where an entry trapped itself
};

/// A value in each of the witness's states.
struct Row {
    std::string name;
    unsigned width = 0;
    std::vector<std::uint64_t> values;
    bool differs = false;
};

struct Witness {
    std::string property;
    std::string element;
    std::string variant;      ///< the operand cases of the form
    std::string instruction;  ///< disassembled
    std::string bits;         ///< its units in memory order, in hexadecimal
    std::vector<std::uint64_t> choices;
    std::vector<State> states;
    std::vector<Register> common;  ///< not zero and the same in both, without the instruction's own bits
    std::vector<Row> before;       ///< registers that differ between the states, or, of one state, are not zero
    std::vector<Row> after;        ///< predicted; registers that differ where both complete, or, of one state, change
    ReplayStatus replay = ReplayStatus::not_run;
    std::string mismatch;
    std::optional<Location> leak;  ///< the statement that shows or changes the element
    std::string command;           ///< repeats it on the model
};

struct Written {
    std::string element;
    Answer supervisor = Answer::no;
    Answer user = Answer::no;
};
struct Dependence {
    std::string element;
    std::string role;
    std::string kind;
    bool strict = false;
    Answer supervisor = Answer::no;
    Answer user = Answer::no;
};

struct Instruction {
    std::string name;
    std::string identifier;
    std::string assembly;
    std::string encoding;
    Location where;
    std::string privileged;
    std::optional<std::string> privileged_when;
    Answers control;
    std::vector<Written> writes;
    Answers behavior;
    std::vector<Dependence> depends_on;
    Answers sensitive;
    Answers user_sensitive;
    Answers supervisor_sensitive;
    Answers critical;
    Answer time_sensitive = Answer::no;
    std::vector<std::string> traps;    ///< causes its text names, with their kinds
    std::vector<std::string> refused;  ///< by mode of the report: where it traps for want of privilege
    std::vector<bool> reads;           ///< by column: its text reads the element, traps included
    std::vector<Witness> witnesses;
    std::vector<std::string> unknowns;
    unsigned audit_states = 0;
    unsigned audit_pairs = 0;
    std::vector<std::string> contradictions;
    [[nodiscard]] const Written* written(std::string_view element) const;
    /// The dependence on this element alone.
    [[nodiscard]] const Dependence* dependence(std::string_view element) const;
    /// A joint dependence in which the element takes part.
    [[nodiscard]] bool joint(std::string_view element) const;
};

struct Theorem {
    Decisions decision;
    std::vector<std::string> against_strict;  ///< names of instructions
    std::vector<std::string> against_extended;
};

/// A declared invariant: proved inductive, or what breaks it, or not asked.
struct Invariant {
    std::string name;
    Location where;
    Decision kept = Decision::unknown;
    std::vector<std::string> broken_by;
    bool assumed = false;
};

/// The result of checking a `vmm` block, under the configuration found if it asks for one.
struct VmMap {
    std::string name;
    Decision verdict = Decision::unknown;
    std::vector<std::string> failing;
};

struct Report {
    std::string tool_version;
    std::string machine;
    std::string title;
    std::string file;
    std::string sha256;
    std::string mapping_file;  ///< of a Sail model; empty: the file is a spec
    std::string mapping_sha256;
    std::vector<std::pair<std::string, std::string>> parameters;
    std::string extension_file;  ///< empty: none
    std::string extension_sha256;
    std::vector<std::string> modes;  ///< of Instruction::refused; none where the machine declares permissions
    std::string context;
    std::string supervisor;
    std::string user;
    std::vector<std::pair<std::string, std::string>> configuration;  ///< assumed: element, value
    unsigned rlimit = 0;
    std::uint64_t seed = 0;
    unsigned audit_states = 0;  ///< wanted for each instruction
    std::vector<Subject> columns;
    std::vector<Instruction> instructions;
    Theorem theorem1;
    Theorem theorem2;  ///< Theorem 1, and no instruction is time-sensitive, so no monitor can be
    Theorem theorem3;
    std::vector<Invariant> invariants;
    std::vector<VmMap> vm_maps;
    std::optional<Efficiency> efficiency;  ///< of a guest, if one was given
    check::Statistics statistics;          ///< wall time is never printed
    std::string problem;                   ///< why the model could not confirm anything
    std::string command;                   ///< repeats the whole

    [[nodiscard]] std::string verdict() const;  ///< in a sentence
    [[nodiscard]] std::vector<const Instruction*> critical() const;
    /// The witness that says most about why an instruction is critical; nothing without witnesses.
    [[nodiscard]] static const Witness* telling(const Instruction& instruction);
    /// Every declared invariant is kept; else no theorem is proved.
    [[nodiscard]] bool invariants_kept() const;
    /// Replays and audits together.
    [[nodiscard]] bool confirmed() const;
};

/// What a run was asked to do.
struct Request {
    std::string tool_version;
    std::string file;  ///< as given on the command line; registered with the sources under this name
    std::optional<std::string> mapping_file;  ///< the file is a Sail model, which this maps
    std::optional<std::string> extension_file;
    std::vector<std::pair<std::string, std::string>> parameters;  ///< as given; the report has all of the Spec's
    check::Options check;
    std::uint64_t audit_seed = 0;
    unsigned audit_states = 64;
    std::vector<check::MapFindings> maps;  ///< of the context
};

[[nodiscard]] Report make_report(const isa::Spec& spec, const isa::SourceManager& sources,
                                 const check::Findings& findings, const Confirmation& confirmation,
                                 const Request& request);

/// For terminals: the verdict, the sensitive rows, a message at the line of each critical instruction, theorems.
[[nodiscard]] std::string to_text(const Report& report);
/// The document of docs/semantics.md, section 6.
[[nodiscard]] std::string to_json(const Report& report);
[[nodiscard]] std::string to_markdown(const Report& report);
/// One page that needs nothing else.
[[nodiscard]] std::string to_html(const Report& report);

/// Verdicts before and after a change of the machine, side by side: rows are matched by identifier.
[[nodiscard]] std::string compare_text(const Report& before, const Report& after);
[[nodiscard]] std::string compare_markdown(const Report& before, const Report& after);

}  // namespace pogo::report
