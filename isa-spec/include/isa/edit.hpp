// Edits of a spec's text that leave the rest of it, comments and layout, as it is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "isa/ast.hpp"

namespace pogo::isa {

/// A statement that an instruction is to begin with.
struct Prefix {
    std::string instruction;  ///< as the spec identifies it; a row of `rows by` goes by its instruction
    std::string statement;    ///< with its semicolon
};

/// The text of a buffer, a machine or an extension, with the statements inserted, each on a line of its own where the
/// body has lines: before the first statement that is there. Those of one instruction keep their order. Nothing if an
/// instruction is not declared there.
[[nodiscard]] std::optional<std::string> begin_with(const SourceManager& sources, std::uint32_t buffer,
                                                    std::span<const Prefix> prefixes);

/// The text of an extension with further rules of what leaves, each on a line of its own after the others.
[[nodiscard]] std::optional<std::string> with_exits(const SourceManager& sources, std::uint32_t buffer,
                                                    std::span<const std::string> rules);

}  // namespace pogo::isa
