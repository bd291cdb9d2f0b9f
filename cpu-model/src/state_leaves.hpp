// Leaves of terms over a State: for those who evaluate beside the machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "isa/term.hpp"

namespace pogo::model {

/// `values` by variable; that of a register file is its first slot.
struct StateLeaves {
    std::span<const isa::Word> values;
    std::span<const std::uint64_t> slots;
    isa::Word variable(isa::Variable variable, isa::Sort) const { return values[variable.id]; }
    isa::Word select(isa::Word array, isa::Word index) const { return slots[static_cast<std::size_t>(array + index)]; }
};

}  // namespace pogo::model
