// Which mode is refused which instruction, read off meanings: for machines that declare no permissions, such as
// imported ones. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "isa/spec.hpp"

namespace pogo::isa {

/// Where an instruction raises a trap of kind `privilege`, mode by mode: "mstatus.TSR = 1", "rs1 != 0 | mcounteren.TM =
/// 0", "always", or "" where nothing refuses it. Of several forms each condition once, with commas between.
struct Refusals {
    std::vector<std::string> when;  ///< in the order of Spec::modes
    [[nodiscard]] bool any() const;
    friend auto operator<=>(const Refusals&, const Refusals&) = default;
};

/// Of every instruction, in the order of Spec::instructions.
[[nodiscard]] std::vector<Refusals> refusals(const Spec& spec);

}  // namespace pogo::isa
