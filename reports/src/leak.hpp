// Leaks: the statement of the spec by which a witness shows or changes what it should not.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "check/findings.hpp"
#include "isa/source.hpp"
#include "subjects.hpp"

namespace pogo::report {

/// An invalid range where the text does not say (an instruction that completes in either mode).
[[nodiscard]] isa::SourceRange leak_of(const isa::Spec& spec, const std::vector<Column>& columns,
                                       const check::Witness& witness);

}  // namespace pogo::report
