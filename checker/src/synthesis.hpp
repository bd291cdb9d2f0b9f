// Synthesis: the settings of all obligations as one configuration.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "check/vm_map.hpp"

namespace pogo::check {

[[nodiscard]] Synthesis synthesis_of(const isa::Spec& spec, const std::vector<Obligation>& obligations);

}  // namespace pogo::check
