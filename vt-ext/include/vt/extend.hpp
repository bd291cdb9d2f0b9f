// Applying a VT extension: a Spec whose policy is declared becomes a Spec in which it is in force.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa/spec.hpp"

namespace pogo::vt {

/// The reason that the exit trap gets when an interrupt leaves the virtual state: this + the interrupt's number.
/// Instructions give the number of their row.
inline constexpr unsigned interrupt_reason = 0x8000;

/// The extended machine (docs/extension.md says what changes). `spec.extension` must be set; in the result it is
/// not, so nothing is applied twice, and each rule of what leaves is one more of its permissions. Modes, contexts, state and instructions of the policy are there already.
[[nodiscard]] isa::Spec extend(const isa::Spec& spec);

}  // namespace pogo::vt
