// States of witnesses and what becomes of them, in a line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "check/findings.hpp"

namespace pogo::report {

/// The registers that are not zero.
[[nodiscard]] std::string state_text(const isa::Spec& spec, const check::Side& side);
/// The trap or interrupt, if any, and what changes. `predicted`: an instruction, else whether an interrupt comes.
[[nodiscard]] std::string outcome_text(const isa::Spec& spec, const check::Side& side, bool predicted);

}  // namespace pogo::report
