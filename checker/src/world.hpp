// The states a row's queries speak of: symbolic states before the instruction, and how two of them agree.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "check/check.hpp"
#include "instance.hpp"
#include "isa/spec.hpp"

namespace pogo::check {

/// What may differ between two states, or be written: the composite mode, one element, or one memory region.
struct Item {
    Subject subject;
    Kind kind = Kind::mode;
    std::vector<isa::ElementId> elements;
    std::optional<std::uint32_t> region;
    [[nodiscard]] bool strict() const { return kind == Kind::mode || kind == Kind::location; }
};

/// The roles of a context: what of a Spec is sensitive here.
struct Roles {
    Roles(const isa::Spec& spec, const isa::Context& context);
    std::vector<isa::Role> role;  ///< by element; `data` for the guest's, `io` for inputs
    std::vector<Item> items;      ///< the mode first (if any), then strict before others, in the order of the Spec
    /// By element: the members of banks whose selectors read it, and all that those selectors read.
    std::vector<std::vector<isa::ElementId>> selects;
};

/// A symbolic state before an instruction.
struct Before {
    std::vector<isa::Term> elements;  ///< by ElementId
    std::vector<isa::Term> regions;   ///< physical memory inside each region; `physical` unless it may differ
    isa::Term physical;               ///< memory by physical address
    Instance instance;                ///< binds the elements
    isa::Term holds;                  ///< invariants, assumptions, neither waiting nor halted
};

/// A row's arena with the variables common to its states: elements, the view of memory through relocation, physical
/// memory for direct accesses.
class World {
    std::unique_ptr<isa::Terms> own_;

  public:
    World(const isa::Spec& spec, const Options& options, const isa::Context& context, const Roles& roles);
    /// Of another machine beside one: in its arena, with its memory.
    World(const isa::Spec& spec, const Options& options, const isa::Context& context, const Roles& roles,
          const World& beside);

    const isa::Spec& spec;
    const Roles& roles;
    isa::Terms& terms;
    isa::Variable view;      ///< Array(address_width, unit_bits), as fetches, loads and stores see it
    isa::Variable special;   ///< the same as accesses of the machine's own kinds see it: another address space, perhaps
    isa::Variable physical;  ///< Array(physical_width, unit_bits)

    /// The first state of a pair, in the context's supervisor mode.
    [[nodiscard]] Before supervisor();
    /// A state that agrees with `first` on everything but the items; `user` puts it into the context's user mode.
    /// It agrees on a bank if the active members are equal.
    [[nodiscard]] Before vary(const Before& first, bool user, std::span<const Item* const> items);

    /// The value of each element of `values` (by ElementId) as one whose banks are seen through the first selectors
    /// is compared with one seen through the second: active members change places.
    [[nodiscard]] std::vector<isa::Term> swap_banks(std::vector<isa::Term> values, std::span<const isa::Term> first,
                                                    std::span<const isa::Term> second);

    /// Leaves out of `compared` (by ElementId) also what changes places with an element left out, as members of banks
    /// do whose selectors may differ: then neither place holds the value that the other has.
    void leave_out_banked(std::vector<bool>& compared, std::span<const isa::Term> first,
                          std::span<const isa::Term> second);

    /// A state with these elements; `real`: the assumptions, which are about the real machine, hold in it. Its memory
    /// by physical address is `physical` or one of its own.
    [[nodiscard]] Before state(std::vector<isa::Term> elements, bool real);
    [[nodiscard]] Before state(std::vector<isa::Term> elements, bool real, isa::Variable memory);
    /// The state where these variables have these values.
    [[nodiscard]] Before narrowed(const Before& state, const isa::Substitution& with);
    /// What selects the bank's member in a state with these elements.
    [[nodiscard]] isa::Term selector(const isa::Bank& bank, std::span<const isa::Term> elements);
    /// Bool: the element is the member that the selector's value chooses.
    [[nodiscard]] isa::Term is_active(const isa::Bank& bank, isa::Term selector, isa::ElementId element);
    /// The value of the member chosen.
    [[nodiscard]] isa::Term active_value(const isa::Bank& bank, isa::Term selector,
                                         std::span<const isa::Term> elements);

  private:
    void finish(Before& state, bool assume = true);

    Instance scratch_;
    const Options* options_;
    const isa::Context* context_;
};

}  // namespace pogo::check
