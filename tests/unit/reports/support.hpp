// What the tests of the reports share: shipped specs, checked and confirmed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "check/check.hpp"
#include "isa/elaborate.hpp"
#include "report/confirm.hpp"
#include "vt/extend.hpp"

namespace pogo::report {

/// A spec of the shipped ones with everything known about it.
struct Subject {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    isa::Spec spec;

    explicit Subject(const std::string& file, const isa::Arguments& arguments = {}, const std::string& policy = {}) {
        const std::string directory = POGO_SPECS "/";
        std::optional<std::string> extension;
        if (!policy.empty()) extension = directory + policy;
        auto loaded = isa::load_spec_file(sources, directory + file, extension, arguments, diagnostics);
        EXPECT_TRUE(loaded) << isa::render(diagnostics, sources);
        if (loaded) spec = loaded->extension ? vt::extend(*loaded) : std::move(*loaded);
    }
};

/// The lecture CPU with its three flaws.
inline const isa::Arguments flawed = {{"popf", "true"}, {"read_ccr", "true"}, {"lra", "true"}};

inline model::Config bare() {
    model::Config config;
    config.bare = true;
    return config;
}

}  // namespace pogo::report
