// Any line as a JSON state; what is accepted comes back when it is printed and read again.
// SPDX-License-Identifier: Apache-2.0
#include "states.hpp"

#include "support.hpp"

// Made before the first input is timed.
static const pogo::isa::Spec spec = pogo::fuzz::shipped("m68k.isa");
static const pogo::cli::StateFormat format(spec);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo;
    cli::InputState state;
    if (format.read({reinterpret_cast<const char*>(data), size}, state)) return 0;
    std::string text;
    format.write({}, state.state, text);
    cli::InputState again;
    if (format.read(text, again) || !(again.state == state.state)) std::abort();
    return 0;
}
