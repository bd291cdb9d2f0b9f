// From a Jib IR model to the parts of a Spec that a machine in Pogo's language would declare itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa/spec.hpp"
#include "jib/executor.hpp"
#include "jib/mapping.hpp"

namespace pogo::isa::jib {

/// Adds to a Spec whose state is declared: causes, translation, instructions and what is no instruction.
void import(const Model& model, const Mapping& mapping, Spec& spec, Diagnostics& diagnostics);

}  // namespace pogo::isa::jib
