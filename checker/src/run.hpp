// Runs: what one form does from one symbolic state.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "world.hpp"

namespace pogo::check {

/// array[index] := value if guard; later updates win.
struct Update {
    isa::Term guard;
    isa::Term index;
    isa::Term value;
    friend bool operator==(const Update&, const Update&) = default;
};

/// A trap of the form: fires if its guard holds and no earlier one's did.
struct Fired {
    isa::CauseId cause;
    isa::Term fires;
    std::vector<isa::Term> arguments;
};

/// One form from one state. Terms are of the World's arena. Stated once for all states: fields and choices.
struct Run {
    isa::Term
        executes;  ///< the state holds and, as far as a translation without loads tells, the parcels can be fetched
    isa::Term completes;   ///< no trap fires
    isa::Term other_trap;  ///< a trap fires, and it is not of kind memory
    std::vector<Fired> traps;
    std::vector<isa::Term> scalars;          ///< by element: the value after completion; of a file, the array before
    std::vector<std::vector<Update>> files;  ///< by element: updates of a register file
    std::vector<Update> view;                ///< updates of memory through relocation, a unit each
    std::vector<Update> special;             ///< the same of accesses of the machine's own kinds
    std::vector<Update> physical;            ///< updates of memory by physical address, a unit each
    std::vector<Update> loaded;              ///< units that are loaded by physical address, and what is there
};

/// A unit of memory that a run touches.
struct Access {
    enum class Kind : std::uint8_t { fetch, load, store };
    Kind kind = Kind::fetch;
    bool direct = false;
    isa::Term guard;
    isa::Term address;  ///< as the program sees it; invalid if direct
    isa::Term physical;
    isa::Term value;  ///< before the instruction (fetch, load); stored (store)
};

/// All units of memory that a run touches, with those from which translations load.
struct Touched {
    std::vector<Access> accesses;  ///< parcels, loads, stores; before each what its translation loads
    isa::Term possible;            ///< no translation that loads faults, nor loads more than was asked for
};

/// An access as the program makes it.
struct Attempt {
    Access::Kind kind = Access::Kind::load;
    bool direct = false;
    isa::Term guard;     ///< where its translation loads: nothing before it traps, but for faults
    isa::Term address;   ///< invalid if direct
    isa::Term physical;  ///< invalid where the translation is to be run
    isa::Term data;      ///< of a store
    unsigned units = 0;
    unsigned access = 0;
};

/// A form in a World (of an entry: one without parcels, whose fields are the cause's parameters): its fields and
/// choices are variables there. Runs leave a translation that loads uninterpreted: it gives the view. Witnesses need
/// the memory behind the view, so for them it is unfolded, to as many loads as asked.
class FormInWorld {
  public:
    FormInWorld(World& world, const isa::Form& form, std::size_t number);
    /// With fields that are known.
    FormInWorld(World& world, const isa::Form& form, std::vector<isa::Term> fields);
    /// And with choices that are known.
    FormInWorld(World& world, const isa::Form& form, std::vector<isa::Term> fields, std::vector<isa::Term> choices)
        : world_(&world), form_(&form), fields_(std::move(fields)), choices_(std::move(choices)) {}

    [[nodiscard]] Run run(Before& before);
    /// Its loads and stores, in this order.
    [[nodiscard]] std::vector<Attempt> attempts(Before& before);
    [[nodiscard]] Touched touched(Before& before, unsigned walk_loads);

    /// What this state's translation reads, whatever it loads.
    [[nodiscard]] std::vector<isa::Variable> translation_reads(const Before& before);

    [[nodiscard]] const isa::Form& form() const { return *form_; }
    [[nodiscard]] const std::vector<isa::Term>& fields() const { return fields_; }
    /// The address after the instruction, as Spec::next_pc; invalid where no meaning reads that.
    [[nodiscard]] isa::Term next(const Before& before);
    [[nodiscard]] const std::vector<isa::Term>& choices() const { return choices_; }

  private:
    void enter(Before& before);
    [[nodiscard]] isa::Term read(const Before& before, bool direct, isa::Term address, bool special = false);
    [[nodiscard]] isa::Term join(isa::Term data, isa::Term next);
    [[nodiscard]] isa::Term unit(isa::Term data, unsigned units, unsigned number);
    [[nodiscard]] isa::Term parcel(unsigned number);
    [[nodiscard]] isa::Term parcel_address(const Before& before, unsigned number);
    /// An address translated: where it goes, whether that faults, and what it took.
    struct Walk {
        isa::Term physical;
        isa::Term faults;
        isa::Term longer;  ///< than asked for
        std::vector<Access> loads;
    };
    [[nodiscard]] Walk walk(Before& before, isa::Term address, unsigned access, unsigned units, unsigned walk_loads);
    [[nodiscard]] Walk fetch(Before& before, unsigned number, unsigned walk_loads);

    World* world_;
    const isa::Form* form_;
    std::vector<isa::Term> fields_;
    std::vector<isa::Term> choices_;
};

/// An entry of a trap or interrupt as a form without parcels: its fields are the parameters, then the next pc.
[[nodiscard]] isa::Form entry_form(const isa::Spec& spec, const isa::Meaning& entry,
                                   const std::vector<isa::Variable>& parameters);

/// Some physical memory holds all that is touched, as the view says of it.
[[nodiscard]] isa::Term realizable(World& world, Touched touched);

/// The results of two completing runs differ outside the items: an element (active bank members against each other),
/// the view of memory, or physical memory.
[[nodiscard]] isa::Term results_differ(World& world, const Run& one, const Run& two,
                                       std::span<const Item* const> except);

/// A completing run changes the item.
[[nodiscard]] isa::Term changes(World& world, const Before& before, const Run& run, const Item& item);

/// The array after the first updates differs from it after the second.
[[nodiscard]] isa::Term arrays_differ(isa::Terms& terms, isa::Term array, const std::vector<Update>& one,
                                      const std::vector<Update>& two);

/// The value of array[index] after updates.
[[nodiscard]] isa::Term read_after(isa::Terms& terms, isa::Term array, const std::vector<Update>& updates,
                                   isa::Term index);

}  // namespace pogo::check
