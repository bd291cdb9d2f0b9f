// A slow interpreter of meanings over the concrete domain: what a witness predicts, computed another way.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "check/findings.hpp"
#include "isa/spec.hpp"

namespace pogo::check::toy {

/// Runs the witness's form from one of its states, on its physical memory, without looking at the outcome.
[[nodiscard]] Outcome interpret(const isa::Spec& spec, const Witness& witness, const Side& side);

/// The units at the translated pc spell the instruction, and the fetches do not fault.
[[nodiscard]] bool fetches(const isa::Spec& spec, const Witness& witness, const Side& side);

/// Every witness of the findings is what its property's definition asks for: the encoding decodes to its form, each
/// state fetches it and does what is predicted, two states agree where they must, and their results differ elsewhere.
void expect_sound(const isa::Spec& spec, const Findings& findings);

}  // namespace pogo::check::toy
