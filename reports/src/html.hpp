// Pieces of the HTML page.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/report.hpp"

namespace pogo::report::html {

/// Text as it may stand in elements and in quoted attributes.
[[nodiscard]] std::string escaped(std::string_view text);
/// The anchor of an instruction's case.
[[nodiscard]] std::string anchor(const Instruction& instruction);
/// All instructions by all elements, small, as a picture.
[[nodiscard]] std::string picture(const Report& report);
/// The same as a table with words.
[[nodiscard]] std::string matrix(const Report& report);
/// An instruction with its witnesses: the telling one in full.
[[nodiscard]] std::string critical_case(const Instruction& instruction);
/// An instruction that is sensitive and privileged, folded.
[[nodiscard]] std::string folded_case(const Instruction& instruction);

}  // namespace pogo::report::html
