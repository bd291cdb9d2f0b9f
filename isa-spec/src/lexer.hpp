// From text to tokens.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "isa/diagnostic.hpp"
#include "isa/source.hpp"
#include "isa/term.hpp"

namespace pogo::isa {

struct Token {
    enum class Kind : std::uint8_t { name, number, string, sign, end };
    Kind kind = Kind::end;
    SourceRange range;
    std::string_view text;  ///< as written; of a string without its quotes
    Word value = 0;
    unsigned width = 0;
};

/// All tokens of a buffer, closed by one of kind end. Reports stray characters, unclosed strings and comments and
/// numbers too large.
[[nodiscard]] std::vector<Token> tokenize(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics);

}  // namespace pogo::isa
