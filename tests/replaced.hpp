// Texts with parts replaced: how tests make mistakes on purpose.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace pogo::test {

/// The text with `to` in place of `from`, which it has exactly so often: another number is a failure, and leaves it as
/// it is.
inline std::string replaced(std::string text, const std::string& from, const std::string& to, unsigned times = 1) {
    unsigned found = 0;
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + from.size())) ++found;
    EXPECT_EQ(found, times) << from;
    if (found != times) return text;
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

}  // namespace pogo::test
