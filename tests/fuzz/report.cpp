// Any text as a JSON report whose witnesses are to be replayed.
// SPDX-License-Identifier: Apache-2.0
#include "replay.hpp"
#include "support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo;
    static const isa::Spec spec = fuzz::shipped("lecture.isa");
    static model::Simulator simulator({.bare = true});
    static const bool loaded = !simulator.load(spec).has_value();
    if (!loaded) std::abort();
    (void)cli::replay_report(spec, {reinterpret_cast<const char*>(data), size}, simulator);
    return 0;
}

// The SystemC kernel keeps what it elaborated until the process ends.
extern "C" int __lsan_is_turned_off() { return 1; }
