// A State as the leaves of terms: for those who evaluate beside the machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "isa/spec.hpp"

namespace pogo::model {

/// `values` by variable; that of a register file is its first slot.
struct StateLeaves {
    std::span<const isa::Word> values;
    std::span<const std::uint64_t> slots;
    isa::Word variable(isa::Variable variable, isa::Sort) const { return values[variable.id]; }
    isa::Word select(isa::Word array, isa::Word index) const { return slots[static_cast<std::size_t>(array + index)]; }
};

/// Puts a state into the values of the spec's elements.
inline void lay_out(const isa::Spec& spec, std::span<const std::uint64_t> slots, std::span<isa::Word> values) {
    for (const auto& element : spec.elements)
        values[element.variable.id] = element.is_file() ? element.slot : slots[element.slot];
}

/// Whether a state is in the mode.
inline bool is_in(const isa::Spec& spec, std::span<const std::uint64_t> slots, const isa::Mode& mode) {
    return std::all_of(mode.cube.begin(), mode.cube.end(),
                       [&](const isa::Mode::Part& part) { return slots[spec[part.element].slot] == part.value; });
}

}  // namespace pogo::model
