// Conditions: under which control state a conditionally privileged instruction always traps in user mode.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "question.hpp"

namespace pogo::check {

/// Cubes over control elements (those of `elements`, scalars, that are control) such that `completes` (a disjunction:
/// both states complete) has no state in any of them, found from states of `traps` (a disjunction: supervisor
/// completes, user traps) and generalised bit by bit.
[[nodiscard]] Condition find_condition(World& world, Solver& solver, const Before& before,
                                       std::span<const isa::ElementId> elements, std::span<const isa::Term> completes,
                                       std::span<const isa::Term> traps, unsigned max_cubes);

}  // namespace pogo::check
