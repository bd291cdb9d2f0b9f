// Any text as a TOML file: it is a table whose places lie in the text, or there is a reason why not.
// SPDX-License-Identifier: Apache-2.0
#include "isa/toml.hpp"

#include <cstdlib>

namespace {

void check(const pogo::isa::Toml& value, std::size_t size) {
    if (value.where.begin > value.where.end || value.where.end > size) std::abort();
    for (const auto& item : value.items) check(item, size);
    for (const auto& entry : value.entries) {
        if (entry.where.begin > entry.where.end || entry.where.end > size) std::abort();
        check(entry.value, size);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo;
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto buffer = sources.add("fuzz.toml", {reinterpret_cast<const char*>(data), size});
    const auto file = isa::parse_toml(sources, buffer, diagnostics);
    if (file.has_value() == diagnostics.has_errors()) std::abort();
    (void)isa::render(diagnostics, sources);
    if (file) check(*file, size);
    return 0;
}
