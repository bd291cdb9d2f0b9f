// From text to syntax tree.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa/ast.hpp"
#include "isa/diagnostic.hpp"

namespace pogo::isa {

/// Parses one buffer: a machine, an extension, or a timing section. Goes on after errors; what could not be read is
/// left out. Nesting deeper than 200 is an error.
[[nodiscard]] Ast parse(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics);

}  // namespace pogo::isa
