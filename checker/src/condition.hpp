// Conditions: under which control state a conditionally privileged instruction always traps in user mode.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "question.hpp"

namespace pogo::check {

/// An element in a cube that is being made more general: the bits of it that are still said.
struct Said {
    isa::ElementId element;
    isa::Term term;  ///< the element, in the state that the cube is about
    isa::Word value = 0;
    isa::Word bits = 0;
};
[[nodiscard]] isa::Term holds(isa::Terms& terms, const std::vector<Said>& cube);
/// Drops first whole elements, then single bits, as long as the rest is good.
void generalise(std::vector<Said>& cube, const std::function<bool(const std::vector<Said>&)>& good);
[[nodiscard]] Cube literals(const isa::Spec& spec, const std::vector<Said>& cube);

/// Cubes over control elements (those of `elements`, scalars, that are control) such that `completes` (a disjunction:
/// both states complete) has no state in any of them, found from states of `traps` (a disjunction: supervisor
/// completes, user traps) and generalised bit by bit.
[[nodiscard]] Condition find_condition(World& world, Solver& solver, const Before& before,
                                       std::span<const isa::ElementId> elements, std::span<const isa::Term> completes,
                                       std::span<const isa::Term> traps, unsigned max_cubes);

}  // namespace pogo::check
