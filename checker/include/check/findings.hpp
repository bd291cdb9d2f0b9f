// Findings: what the checker decided about every instruction, with witnesses. Plain data, no solver.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/spec.hpp"

namespace pogo::check {

/// The answer to a question. `unknown`: the solver gave up at its resource limit; never counts as either answer.
enum class Verdict : std::uint8_t { no, yes, unknown };
[[nodiscard]] std::string_view name(Verdict verdict);  ///< "no", "yes", "unknown"

/// Kleene's strong three-valued connectives.
[[nodiscard]] Verdict either(Verdict a, Verdict b);
[[nodiscard]] Verdict both(Verdict a, Verdict b);
[[nodiscard]] Verdict opposite(Verdict a);

/// The two models of docs/semantics.md: strict is that of Popek & Goldberg (CACM 17(7), 1974), where mode and
/// relocation count; extended adds control and io.
struct Models {
    Verdict strict = Verdict::no;
    Verdict extended = Verdict::no;
};

enum class Privileged : std::uint8_t { always, never, conditional, vacuous, unknown };
[[nodiscard]] std::string_view name(Privileged privileged);

/// Bits high..low of a control element have a value.
struct Literal {
    isa::ElementId element;
    unsigned high = 0;
    unsigned low = 0;
    isa::Word value = 0;
};
using Cube = std::vector<Literal>;  ///< a conjunction

/// "mcounteren.TM = 0 & IOPL<1:1> = 0"
[[nodiscard]] std::string text(const isa::Spec& spec, const Cube& cube);

/// Where an instruction is privileged: wherever one of the cubes holds it traps in user mode, without exception.
struct Condition {
    std::vector<Cube> cubes;
    bool complete = false;  ///< the cubes cover every state in which it completes in supervisor and traps in user mode
    bool limited = false;   ///< the search stopped at Options::max_cubes
};
/// "mcounteren.TM = 0 | CR4.UMIP = 1 & IOPL<1:1> = 0"; "..." at the end when not complete; empty without cubes.
[[nodiscard]] std::string text(const isa::Spec& spec, const Condition& condition);

/// What an instruction writes or depends on. The mode is one composite element named "mode"; a memory region goes by
/// its own name; a joint dependence by the names of its elements joined with "+".
struct Subject {
    std::string name;
    isa::Role role = isa::Role::mode;
    isa::ElementId element;  ///< invalid where the subject is not one element
};

struct Written {
    Subject subject;
    Verdict supervisor = Verdict::no;  ///< some completing execution in supervisor mode changes it
    Verdict user = Verdict::no;
};

enum class Kind : std::uint8_t { mode, location, configuration, time, joint };
[[nodiscard]] std::string_view name(Kind kind);

struct Dependence {
    Subject subject;
    Kind kind = Kind::mode;
    /// Both states in supervisor mode, both in user mode. For the mode, and for joint dependences across modes,
    /// which need one state in each, the two are equal.
    Verdict supervisor = Verdict::no;
    Verdict user = Verdict::no;
    bool strict = false;  ///< counts in the strict model
};

/// What the checker's semantics predicts for one state of a witness.
struct Outcome {
    bool completes = false;
    bool entered = false;                           ///< the entry of the trap or interrupt is predicted, too
    isa::State post;                                ///< when it completes, after the entry: every slot
    std::map<std::uint64_t, std::uint64_t> memory;  ///< the same: units stored, by physical address
    isa::CauseId cause;                             ///< when it traps
    std::vector<std::uint64_t> arguments;           ///< of the cause
    std::optional<std::uint32_t> interrupt;         ///< which is taken instead of an instruction
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// One state of a witness, with the instruction's bytes in memory at the translated pc.
struct Side {
    isa::State state;
    std::map<std::uint64_t, std::uint64_t> memory;  ///< units by physical address; all others are zero
    Outcome outcome;
    std::string machine;  ///< which it is, where a witness is about more than one
    friend bool operator==(const Side&, const Side&) = default;
};

/// A reason why a row has a property: one state, or two that differ as the property's definition allows.
/// The values are the smallest ones in a fixed order, so the same for every solver that answers.
struct Witness {
    std::string property;  ///< "not privileged", "control-sensitive", "mode-sensitive", "location-sensitive", …
    std::string element;   ///< Subject::name; empty for "not privileged"
    isa::FormId form;      ///< invalid where it is about interrupts: whatever instruction there is
    std::vector<std::uint64_t> fields;  ///< values, in the order of Form::fields
    std::vector<std::uint64_t>
        choices;  ///< unpredictable values, in the order of Meaning::choices; shared by the sides
    std::vector<Side> sides;
    friend bool operator==(const Witness&, const Witness&) = default;
};

/// What the text of an instruction says it touches, whether or not it makes a difference.
struct Touch {
    isa::ElementId element;
    bool reads = false;
    bool writes = false;
};

struct Statistics {
    std::uint64_t queries = 0;      ///< asked, those decided by rewriting included
    std::uint64_t rewritten = 0;    ///< decided without a solver
    std::uint64_t solved = 0;       ///< sent to the solver
    std::uint64_t refinements = 0;  ///< solver calls spent on making witnesses small
    std::uint64_t rlimit = 0;       ///< Z3's resource count
    /// Wall times, for benchmarks, never for reports: all that is done with Z3 (contexts, formulas, checks, models),
    /// and its checks alone.
    double solver_seconds = 0;
    double check_seconds = 0;
    Statistics& operator+=(const Statistics& other);
};

/// One instruction.
struct Row {
    isa::InstructionId instruction;
    Privileged privileged = Privileged::unknown;
    Verdict always = Verdict::unknown;         ///< privileged in the 1974 sense; known even where `privileged` is not
    std::optional<Condition> privileged_when;  ///< for Privileged::conditional
    Verdict completes_supervisor = Verdict::unknown;  ///< in some state; the audit that proofs are not vacuous
    Verdict completes_user = Verdict::unknown;
    Models control;
    std::vector<Written> writes;
    Models behavior;
    std::vector<Dependence> depends_on;  ///< those not refuted: yes or unknown
    Verdict time_sensitive = Verdict::no;
    Models sensitive;
    Models user_sensitive;
    Models supervisor_sensitive;
    Models critical;
    std::vector<Touch> touches;       ///< by element
    std::vector<isa::CauseId> traps;  ///< causes its forms name, in the order of Spec::causes
    std::vector<Witness> witnesses;
    std::vector<std::string> unknowns;  ///< queries on which the solver gave up: "name: reason"
    Statistics statistics;
};

struct Theorem {
    Verdict holds = Verdict::unknown;
    std::vector<isa::InstructionId> against;    ///< rows that refute the hypothesis
    std::vector<isa::InstructionId> undecided;  ///< rows on which the solver gave up
};

/// A declared invariant. All queries assume it, so a theorem counts as proved only if every invariant is kept.
struct Kept {
    std::string name;
    isa::SourceRange where;
    Verdict holds = Verdict::unknown;
    std::vector<std::string> broken_by;  ///< "reset", names of instructions, "trap …", "interrupt …"
    bool assumed = false;                ///< not asked: conclusions hold where it does
};

struct Findings {
    std::string context;
    std::vector<Kept> invariants;  ///< as in Spec::invariants
    std::vector<Row> rows;         ///< by InstructionId
    Theorem theorem1_strict;       ///< no instruction is critical
    Theorem theorem1_extended;
    Theorem theorem3_strict;  ///< every user-sensitive instruction is privileged
    Theorem theorem3_extended;
    Statistics statistics;
};

}  // namespace pogo::check
