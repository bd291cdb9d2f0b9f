// Any text as a policy of the lecture CPU: declared and applied.
// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"
#include "vt/extend.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo::isa;
    static const std::string machine = [] {
        Diagnostics diagnostics;
        return *read_file(POGO_SPECS "/lecture.isa", diagnostics);
    }();
    SourceManager sources;
    Diagnostics diagnostics;
    const auto buffer = sources.add("lecture.isa", machine);
    const auto policy = sources.add("fuzz.policy.isa", std::string(reinterpret_cast<const char*>(data), size));
    const auto spec = load_spec(sources, buffer, policy, {}, diagnostics);
    if (spec.has_value() == diagnostics.has_errors()) std::abort();
    if (spec) (void)pogo::vt::extend(*spec);
    (void)render(diagnostics, sources);
    return 0;
}
