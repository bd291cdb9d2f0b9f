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
    isa::Term executes;    ///< the state holds and the instruction's parcels can be fetched
    isa::Term completes;   ///< no trap fires
    isa::Term other_trap;  ///< a trap fires, and it is not of kind memory
    std::vector<Fired> traps;
    std::vector<isa::Term> scalars;          ///< by element: the value after completion; of a file, the array before
    std::vector<std::vector<Update>> files;  ///< by element: updates of a register file
    std::vector<Update> view;                ///< updates of memory through relocation, a unit each
    std::vector<Update> physical;            ///< updates of memory by physical address, a unit each
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

/// A form in a World: its fields and choices are variables there.
class FormInWorld {
  public:
    FormInWorld(World& world, const isa::Form& form, std::size_t number);

    [[nodiscard]] Run run(Before& before);
    /// Everything touched, in the order: parcels, loads, stores.
    [[nodiscard]] std::vector<Access> accesses(Before& before);
    /// Some physical memory gives the run the view it reads, and holds the instruction at pc.
    [[nodiscard]] isa::Term realizable(Before& before);

    [[nodiscard]] const isa::Form& form() const { return *form_; }
    [[nodiscard]] const std::vector<isa::Term>& fields() const { return fields_; }
    [[nodiscard]] const std::vector<isa::Term>& choices() const { return choices_; }

  private:
    void enter(Before& before);
    [[nodiscard]] isa::Term read(const Before& before, bool direct, isa::Term address);
    [[nodiscard]] isa::Term unit(isa::Term data, unsigned units, unsigned number);
    [[nodiscard]] isa::Term parcel(unsigned number);
    [[nodiscard]] isa::Term parcel_address(const Before& before, unsigned number);
    /// The translation of the parcel's address for fetching: where it goes, and whether it faults.
    struct Fetch {
        isa::Term physical;
        isa::Term faults;
    };
    [[nodiscard]] Fetch fetch(Before& before, unsigned number);

    World* world_;
    const isa::Form* form_;
    std::vector<isa::Term> fields_;
    std::vector<isa::Term> choices_;
};

/// The results of two completing runs differ outside the items: an element (active bank members against each other),
/// the view of memory, or physical memory.
[[nodiscard]] isa::Term results_differ(World& world, const Run& one, const Run& two,
                                       std::span<const Item* const> except);

/// A completing run changes the item.
[[nodiscard]] isa::Term changes(World& world, const Before& before, const Run& run, const Item& item);

/// The value of array[index] after updates.
[[nodiscard]] isa::Term read_after(isa::Terms& terms, isa::Term array, const std::vector<Update>& updates,
                                   isa::Term index);

}  // namespace pogo::check
