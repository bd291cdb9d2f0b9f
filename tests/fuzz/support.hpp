// What the fuzz targets share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "isa/elaborate.hpp"

namespace pogo::fuzz {

inline isa::Spec shipped(const std::string& name) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    auto spec = isa::load_spec_file(sources, std::string(POGO_SPECS "/") + name, std::nullopt, {}, diagnostics);
    if (!spec) std::abort();
    return std::move(*spec);
}

}  // namespace pogo::fuzz
