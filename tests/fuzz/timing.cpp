// Any text as a timing file: a small machine with pages takes it, or is told why not; whatever the timing, its program
// ends in the same state.
// SPDX-License-Identifier: Apache-2.0
#include "../unit/model/toy_spec.hpp"
#include "isa/assembly.hpp"
#include "model/simulator.hpp"
#include "support.hpp"

namespace {

using namespace pogo;

const std::string machine = model::test::paged_text();

// User mode: page 1 is code, pages 2 and 3 are data, the table is page 4. Traps halt.
const char* const program = R"(
stop:   sets 0x81
.org 0x10
        .half stop, stop, stop, stop, stop, stop
.org 0x100
start:  li r0, 5
        li r2, 0x200
        li r3, 0x300
loop:   ld r1, 0(r2)
        mul r1, r2
        add r1, r0, 1
        st r1, 4(r3)
        xchg r1, 6
        stb r1, 9(r2)
        li r1, 0
        add r0, r1, -1
        ldc r1, 6
        two r3, 2
        bne r0, r1, loop
        sc 3
.org 0x402
        .half 0x010F, 0x050F, 0x060F
.org 0x500
        .half 7, 9, 11
)";

struct Outcome {
    bool halted = false;
    std::uint64_t steps = 0;
    isa::State state;
    std::uint64_t memory = 0;
    bool operator==(const Outcome&) const = default;
};

std::optional<isa::Spec> machine_with(std::string_view timing, isa::SourceManager& sources,
                                      isa::Diagnostics& diagnostics) {
    const auto buffer = sources.add("toy.isa", machine);
    const auto section = sources.add("fuzz.timing", std::string(timing));
    return isa::load_spec(sources, buffer, std::nullopt, {}, diagnostics, section);
}

Outcome run(const isa::Spec& spec) {
    static model::Simulator simulator({.bare = true, .specialise_after = 3});
    if (simulator.load(spec)) std::abort();
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto image = isa::assemble(spec, sources, sources.add("fuzz.s", program), diagnostics);
    if (!image) std::abort();
    simulator.clear_memory();
    for (const auto& line : image->lines)
        for (std::size_t i = 0; i < line.units.size(); ++i) simulator.poke(line.address + i, line.units[i]);
    isa::State state(spec);
    const auto put = [&](const char* element, std::uint64_t value) {
        state.set(spec[spec.find_element(element)], value);
    };
    put("pc", image->entry);
    put("base", 0x400);
    put("limit", 0x800);
    simulator.set_state(state);
    const auto result = simulator.run({.cycles = 300'000});
    Outcome outcome{result.reason == model::StopReason::halted, result.steps, simulator.state()};
    for (std::uint64_t at = 0; at < 0x800; ++at) outcome.memory = outcome.memory * 0x100000001B3 ^ simulator.peek(at);
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Outcome plain = [] {
        isa::SourceManager sources;
        isa::Diagnostics diagnostics;
        const auto spec = machine_with(std::string("timing {") + model::test::plain_timing + "}", sources, diagnostics);
        Outcome outcome = run(spec.value());
        if (!outcome.halted) std::abort();
        return outcome;
    }();
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto spec = machine_with({reinterpret_cast<const char*>(data), size}, sources, diagnostics);
    if (spec.has_value() == diagnostics.has_errors()) std::abort();
    (void)isa::render(diagnostics, sources);
    if (!spec) return 0;
    // What takes too long for this target is let go.
    const Outcome outcome = run(*spec);
    if (outcome.halted && !(outcome == plain)) std::abort();
    return 0;
}

// The SystemC kernel keeps what it elaborated until the process ends.
extern "C" int __lsan_is_turned_off() { return 1; }
