// Two machines in one arena, in states that correspond, so that what is equal tends to be one term.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "check/diff.hpp"
#include "question.hpp"

namespace pogo::check {

/// What does not depend on the arena.
struct Machines {
    Machines(const isa::Spec& a, const isa::Spec& b, const Correspondence& correspondence, const Options& options);
    const isa::Spec& a;
    const isa::Spec& b;
    const Correspondence& correspondence;
    const Options& options;
    Roles roles_a;
    Roles roles_b;
    std::deque<isa::Form> entries_a;  ///< of causes, then of interrupts
    std::deque<isa::Form> entries_b;
    /// Of a cause, the number of its pair in Correspondence::traps, the first of several; none: it has no counterpart.
    std::vector<std::optional<std::size_t>> pair_a;
    std::vector<std::optional<std::size_t>> pair_b;
    /// What takes the place of an instruction where nothing decodes: its field is the first parcel.
    isa::Form illegal_a;
    isa::Form illegal_b;
};

/// A transition with the entries that follow from it, as one: the state after it and what it asked of memory. Traps
/// that both machines have are not entered: that they are raised is the result.
struct Step {
    struct Raised {
        isa::Term fires;
        std::vector<isa::Term> arguments;
        isa::Term next;
    };
    std::map<std::size_t, Raised> raised;  ///< by number of the pair
    std::vector<isa::Term> scalars;
    std::vector<std::vector<Update>> files;
    std::vector<Attempt> attempts;  ///< guarded by what comes before
    isa::Term stuck;                ///< the third trap in a row: the machine stops
    isa::Term unmodelled;           ///< an imported meaning says nothing of what happens
    std::vector<Act::Entry> entries;
};

/// A bit of a term, or a constant one.
struct Bit {
    isa::Term of;  ///< invalid: the constant `at`
    unsigned at = 0;
    friend bool operator==(const Bit&, const Bit&) = default;
};

class PairWorld {
  public:
    explicit PairWorld(const Machines& machines);

    struct Side {
        const isa::Spec* spec = nullptr;
        World* world = nullptr;
        const std::deque<isa::Form>* entries = nullptr;
        const std::vector<std::optional<std::size_t>>* pairs = nullptr;
        Before before;
    };
    const Machines& machines;
    World world_a;
    World world_b;
    Solver solver;
    Side a;
    Side b;
    isa::Term related;  ///< what makes the states correspond and is not said by their terms, and all invariants

    [[nodiscard]] isa::Terms& terms() { return world_a.terms; }
    [[nodiscard]] isa::Term all(std::initializer_list<isa::Term> list) { return terms().all(std::span(list)); }

    /// The term that these bits, low to high, are.
    [[nodiscard]] isa::Term assemble(std::span<const Bit> bits);

    /// Unpredictable values are shared by number and width.
    [[nodiscard]] std::vector<isa::Term> choices(const Side& side, const isa::Meaning& meaning);
    [[nodiscard]] FormInWorld form(Side& side, const isa::Form& form, std::vector<isa::Term> fields);

    /// The form's transition from the side's state and, where it traps, what its entries do. `next`: the address after
    /// it, for these.
    [[nodiscard]] Step step(Side& side, FormInWorld& form, const Run& run, isa::Term next);
    /// A trap, raised or entered.
    void raise(Side& side, Step& step, isa::CauseId cause, isa::Term happens, const std::vector<isa::Term>& arguments,
               isa::Term next, unsigned depth);
    /// An entry alone: where it happens, else nothing.
    void enter(Side& side, Step& step, std::size_t entry, isa::Term happens, const std::vector<isa::Term>& arguments,
               isa::Term next, unsigned depth);
    [[nodiscard]] Step nothing(const Side& side);

    /// Where what elements hold afterwards may differ: by element of A, by element of B.
    struct Excuses {
        std::map<std::uint32_t, isa::Term> a;
        std::map<std::uint32_t, isa::Term> b;
    };
    /// The states after these do not correspond, or memory was asked for other things.
    [[nodiscard]] isa::Term differ(const Step& one, const Step& two, const Excuses& excuses = {});
    /// Memory was asked for other things.
    [[nodiscard]] isa::Term accesses_differ(const Step& one, const Step& two);

  private:
    void relate();
    [[nodiscard]] isa::Term cube(Side& side, isa::ModeId mode, std::span<const isa::Term> elements);
    [[nodiscard]] isa::Term after(const Side& side, const Step& step, const Correspondence::Part& part, unsigned width);
    /// The same of two steps of one machine, from one state.
    [[nodiscard]] isa::Term differ_on(const Side& side, const Step& one, const Step& two);
    [[nodiscard]] isa::Term raised_differ(const Step& one, const Step& two);
    [[nodiscard]] isa::Term attempts_differ(const std::vector<Attempt>& one, const std::vector<Attempt>& two,
                                            Access::Kind kind);
    [[nodiscard]] bool walks() const { return !machines.a.translation.loads.empty(); }

    std::map<std::pair<std::size_t, unsigned>, isa::Term> choices_;
};

}  // namespace pogo::check
