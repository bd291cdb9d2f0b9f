// A VM map on machine words: f from virtual states to real ones, and back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
#include "isa/spec.hpp"
#include "state_leaves.hpp"

namespace pogo::model {

/// Terms over a state and further variables.
class Formulas {
  public:
    Formulas(const isa::Spec& spec, const std::vector<isa::Term>& roots);
    void set(isa::Variable variable, isa::Word value) { values_[variable.id] = value; }
    /// Computes all roots, of a state; an empty one where no root reads it.
    void evaluate(std::span<const std::uint64_t> slots);
    [[nodiscard]] std::uint64_t operator[](std::size_t root) const {
        return static_cast<std::uint64_t>(at_[program_.roots[root]]);
    }

  private:
    const isa::Spec& spec_;
    isa::Program program_;
    std::vector<isa::Word> values_;
    std::vector<isa::Word> at_;
};

/// Slots are those of a State. `constants` are values in the order of VmMap::constants.
class VmFunction {
  public:
    VmFunction(const isa::Spec& spec, const isa::VmMap& map);

    /// What this cannot do with the map, if anything.
    [[nodiscard]] std::optional<std::string> unfit() const;
    using Slots = std::span<const std::uint64_t>;

    /// The number of the map's mode that the virtual machine is in, if it is meant to run directly.
    std::optional<std::size_t> runs(Slots machine, Slots constants);
    /// f: what the guest does not own on the real machine, and the map does not name, is left as it is in `real`.
    void image(Slots machine, Slots constants, std::size_t mode, std::span<std::uint64_t> real);
    /// What entry number `entry` of VmMap::map says.
    std::uint64_t mapped(std::size_t entry, Slots machine, Slots constants);
    /// Takes over from the real machine what of the virtual one lives there, and returns the mode it is in; nothing
    /// where no mode of the map fits.
    std::optional<std::size_t> back(Slots real, std::size_t mode, std::span<std::uint64_t> machine);
    /// The element of the real machine that is not as f says, if any. Inputs are not looked at.
    [[nodiscard]] std::optional<isa::ElementId> differs(Slots real, Slots expected) const;

    /// Where a guest's physical address is, if it has memory there.
    std::optional<std::uint64_t> memory(std::uint64_t address, Slots constants);
    std::uint64_t table(std::uint64_t at);
    std::uint64_t page(std::uint64_t at, bool fetch, bool load, bool store);

  private:
    [[nodiscard]] bool in(Slots slots, isa::ModeId mode) const;
    struct Swap {
        const isa::Bank* bank;
        std::size_t selector;  ///< root
    };
    [[nodiscard]] const isa::Element* active(const Swap& swap, Slots slots);
    void set_constants(Formulas& formulas, Slots constants);

    const isa::Spec& spec_;
    const isa::VmMap& map_;
    std::vector<bool> guest_;                                         ///< by element
    std::vector<bool> kept_;                                          ///< by element: itself on both machines
    std::vector<std::pair<isa::ElementId, isa::ElementId>> renamed_;  ///< real, virtual: `map` says that they are equal
    std::vector<Swap> swaps_;
    Formulas map_terms_;  ///< where, then the map's
    Formulas selectors_;
    Formulas memory_;
    Formulas tables_;
};

}  // namespace pogo::model
