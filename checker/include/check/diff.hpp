// diff: do two machines do the same, instruction by instruction? docs/diff.md has the definitions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "check/check.hpp"
#include "isa/diagnostic.hpp"
#include "isa/toml.hpp"

namespace pogo::check {

/// Which states of machine A and of machine B are meant to be the same.
struct Correspondence {
    /// Bits of an element, or of an entry of a register file, from `low` up.
    struct Part {
        isa::ElementId element;  ///< invalid: there is a constant instead
        unsigned entry = 0;
        unsigned low = 0;
    };
    struct Link {
        Part a;
        Part b;
        unsigned width = 0;
        isa::Word constant = 0;
    };
    struct Ignored {
        std::string name;
        std::string reason;
    };
    /// A difference that is documented.
    struct Expected {
        std::string row;  ///< a line, or lines: see isa::fits
        std::string reason;
        isa::Term when;  ///< Bool over A's state: only there; invalid: anywhere
        isa::SourceRange where;
        bool everything = true;  ///< of whatever kind; else no more than what these hold afterwards
        std::set<std::uint32_t> elements_a;
        std::set<std::uint32_t> elements_b;
    };
    std::vector<std::pair<isa::ElementId, isa::ElementId>> files;  ///< register files as a whole
    std::vector<Link> links;
    std::vector<std::pair<isa::ModeId, isa::ModeId>> modes;  ///< where modes correspond by their names, not their bits
    /// Causes of traps that are the same: instructions raise them alike, and their entries are lines of their own.
    std::vector<std::pair<isa::CauseId, isa::CauseId>> traps;
    std::vector<Ignored> ignored;
    std::vector<Expected> expected;
};

/// Conditions in a correspondence file, which are elaborated with the machines that they are about.
struct Conditions {
    std::vector<const isa::Toml*> a;     ///< assumed of A
    std::vector<const isa::Toml*> b;     ///< assumed of B
    std::vector<const isa::Toml*> when;  ///< of A, under which differences are expected
};
[[nodiscard]] Conditions conditions_of(const isa::Toml& file, isa::Diagnostics& diagnostics);

/// What the file says, and what equal names say. The last invariants of A are the conditions `when`, which are taken
/// from it. `file` may be null. Nothing when there were errors.
[[nodiscard]] std::optional<Correspondence> read_correspondence(isa::Spec& a, const isa::Spec& b, const isa::Toml* file,
                                                                isa::Diagnostics& diagnostics);

/// One line of the comparison.
struct Compared {
    enum class Kind : std::uint8_t { instruction, interrupt, trap, translation, reset, condition };
    Kind kind = Kind::instruction;
    std::string name;
    isa::InstructionId a;  ///< of Kind::instruction: invalid where A decodes nothing
    isa::InstructionId b;
    Verdict equal = Verdict::yes;
    Verdict elsewhere = Verdict::yes;  ///< the same outside the conditions under which a difference is expected
    std::vector<Witness> witnesses;    ///< none, or A's and B's, one state each
    std::string example;               ///< values that the states do not hold: a trap's arguments, an access
    std::string expected;              ///< why it differs; empty: it should not
    std::vector<std::string> unknowns;
};

struct Comparison {
    Verdict equal = Verdict::yes;         ///< but for what is expected
    std::vector<Compared> compared;       ///< instructions in the order of A, then those that only B has, then the rest
    std::vector<std::size_t> stale;       ///< of Correspondence::expected: differences that do not occur
    std::vector<std::size_t> unheard_of;  ///< likewise: names of nothing that is compared
    Statistics statistics;
};

/// Why the machines cannot be compared at all; empty when they can.
[[nodiscard]] std::string incomparable(const isa::Spec& a, const isa::Spec& b);

/// `options.assumptions` and `options.context` mean nothing here.
[[nodiscard]] Comparison diff(const isa::Spec& a, const isa::Spec& b, const Correspondence& correspondence,
                              const Options& options);

}  // namespace pogo::check
