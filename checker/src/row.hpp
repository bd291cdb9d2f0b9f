// Rows: everything that is decided about one instruction.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "check/check.hpp"
#include "solver.hpp"
#include "world.hpp"

namespace pogo::check {

/// Sees the queries of a row with the arena they live in.
using RowObserver =
    std::function<void(const isa::Terms& terms, std::string_view name, isa::Term formula, Verdict satisfiable)>;

/// Depends on the arguments alone: a row has an arena and a solver of its own.
[[nodiscard]] Row check_row(const isa::Spec& spec, const Options& options, const isa::Context& context,
                            const Roles& roles, isa::InstructionId instruction, const RowObserver& observer);

}  // namespace pogo::check
