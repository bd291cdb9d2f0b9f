// Assertions about ourselves: on in every build. A failure is our bug, never the user's: exit code 70.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pogo::isa {

/// Prints the expression and its place to standard error and ends the process with exit code 70.
[[noreturn]] void internal_error(const char* expression, const char* file, int line);

}  // namespace pogo::isa

#define POGO_REQUIRE(expression) \
    (static_cast<bool>(expression) ? void(0) : ::pogo::isa::internal_error(#expression, __FILE__, __LINE__))

/// A place that is never reached.
#define POGO_UNREACHABLE(what) ::pogo::isa::internal_error("unreachable: " what, __FILE__, __LINE__)
