// Any text as a machine: parsed, printed, parsed again, elaborated; what fails says so.
// SPDX-License-Identifier: Apache-2.0
#include "isa/parser.hpp"
#include "support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo::isa;
    SourceManager sources;
    Diagnostics diagnostics;
    const auto buffer = sources.add("fuzz.isa", std::string(reinterpret_cast<const char*>(data), size));
    const Ast tree = parse(sources, buffer, diagnostics);
    if (!diagnostics.has_errors()) {
        const auto again = sources.add("printed.isa", print(tree));
        if (!(parse(sources, again, diagnostics) == tree) || diagnostics.has_errors()) std::abort();
        const auto spec = elaborate(tree, nullptr, {}, diagnostics);
        if (!spec.has_value() && !diagnostics.has_errors() && tree.is(Syntax::machine)) std::abort();
    }
    if (diagnostics.has_errors() && render(diagnostics, sources).empty()) std::abort();
    return 0;
}
