// Assertions about ourselves.
// SPDX-License-Identifier: Apache-2.0
#include "isa/require.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pogo::isa {

void internal_error(const char* expression, const char* file, int line) {
    std::string_view path = file;
    for (const std::string_view root : {"isa-spec/", "cpu-model/", "checker/", "vt-ext/", "reports/", "cli/", "tests/"})
        if (const auto at = path.rfind(root); at != std::string_view::npos) path.remove_prefix(at);
    std::fflush(stdout);
    fmt::print(stderr,
               "pogo: internal error: {} does not hold ({}:{})\n"
               "This is a bug in Pogo, not in your input. Please report it with the command that led here.\n",
               expression, path, line);
    std::_Exit(70);
}

}  // namespace pogo::isa
