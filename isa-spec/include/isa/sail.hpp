// Sail models as Specs: a file of Jib IR, as `sail -ir` prints it, and a mapping file that says what is what.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "isa/elaborate.hpp"

namespace pogo::isa {

/// Reads a model, its mapping file (docs/sail.md) and what that names, relative to itself. Instructions are the
/// model's: decoded and run by its own functions on symbolic state, paths merged. What a path cannot be followed
/// through is a trap of kind `unmodelled`.
[[nodiscard]] std::optional<Spec> load_sail_file(SourceManager& sources, const std::string& model,
                                                 const std::string& mapping, const Arguments& arguments,
                                                 Diagnostics& diagnostics);

}  // namespace pogo::isa
