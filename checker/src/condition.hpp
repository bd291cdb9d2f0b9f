// Conditions: under which control state a conditionally privileged instruction always traps in user mode.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "question.hpp"

namespace pogo::check {

/// Cubes over control elements such that `completes` (both states complete) has no state in any of them, found from
/// states of `traps` (supervisor completes, user traps) and generalised bit by bit.
[[nodiscard]] Condition find_condition(World& world, Solver& solver, const Before& before, isa::Term completes,
                                       isa::Term traps, unsigned max_cubes);

}  // namespace pogo::check
