// Loading specs in tests, from text or from the shipped files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "isa/elaborate.hpp"

namespace pogo::isa::testing {

/// A machine around the declarations under test: 8-bit units, 16-bit addresses, S as its mode, an illegal trap.
inline std::string machine(const std::string& declarations, const std::string& properties = "endian big; address 16;") {
    return "machine test { " + properties +
           " }\n"
           "register pc : bits(16) role pc;\n"
           "register s : bits(1) role mode;\n"
           "mode upper { s = 1; } mode lower { s = 0; }\n"
           "trap bad kind illegal { pc = 0; }\n"
           "illegal bad;\n" +
           declarations;
}

inline std::optional<Spec> load(const std::string& text, std::string* said = nullptr, const Arguments& arguments = {}) {
    SourceManager sources;
    Diagnostics diagnostics;
    const auto buffer = sources.add("test.isa", text);
    auto spec = load_spec(sources, buffer, std::nullopt, arguments, diagnostics);
    if (said != nullptr) *said = render(diagnostics, sources);
    return spec;
}

inline Spec must_load(const std::string& text, const Arguments& arguments = {}) {
    std::string said;
    auto spec = load(text, &said, arguments);
    EXPECT_TRUE(spec.has_value()) << said;
    return std::move(*spec);
}

inline std::vector<std::filesystem::path> shipped_files() {
    std::vector<std::filesystem::path> list;
    for (const auto& entry : std::filesystem::directory_iterator(POGO_SPECS))
        if (entry.is_regular_file()) list.push_back(entry.path());
    std::sort(list.begin(), list.end());
    return list;
}

inline Spec shipped(const std::string& name, const Arguments& arguments = {}) {
    SourceManager sources;
    Diagnostics diagnostics;
    auto spec = load_spec_file(sources, std::string(POGO_SPECS "/") + name, std::nullopt, arguments, diagnostics);
    EXPECT_TRUE(spec.has_value()) << render(diagnostics, sources);
    return std::move(*spec);
}

}  // namespace pogo::isa::testing
