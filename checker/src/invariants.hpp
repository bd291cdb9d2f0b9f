// Invariants: each declared one is proved inductive, or what breaks it is named.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "check/check.hpp"

namespace pogo::check {

/// For each invariant of the spec: does it hold after reset, and does every transition — completing instructions, trap
/// entries, interrupts — that begins where all invariants hold end where it holds? What is loaded from memory, a
/// trap's arguments and unpredictable values are anything.
[[nodiscard]] std::vector<Kept> decide_invariants(const isa::Spec& spec, const Options& options);

}  // namespace pogo::check
