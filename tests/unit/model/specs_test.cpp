// The shipped machines on the model: random instructions against the reference machine.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <random>

#include "reference_machine.hpp"
#include "support.hpp"
#include "vt/extend.hpp"

namespace pogo::model::test {
namespace {

struct Machine {
    const char* name;
    const char* file;
    const char* policy = nullptr;
    friend void PrintTo(const Machine& machine, std::ostream* out) { *out << machine.name; }
};
class Shipped : public ::testing::TestWithParam<Machine> {};

TEST_P(Shipped, ModelEqualsReference) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const std::string folder = std::string(POGO_SPECS) + "/";
    std::optional<std::string> policy;
    if (GetParam().policy != nullptr) policy = folder + GetParam().policy;
    auto spec = isa::load_spec_file(sources, folder + GetParam().file, policy, {}, diagnostics);
    ASSERT_TRUE(spec.has_value()) << isa::render(diagnostics, sources);
    if (policy) spec = vt::extend(*spec);
    std::mt19937_64 random(11);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    std::vector<bool> completed(spec->instructions.size(), false);
    Simulator simulator(Config{.bare = true, .specialise_after = 2});
    ASSERT_EQ(simulator.load(*spec), std::nullopt);
    for (unsigned round = 0; round < 400; ++round) {
        SCOPED_TRACE(round);
        ReferenceMachine reference(*spec);
        simulator.clear_memory();
        // A supervisor with something sensible in its registers, and random instructions at its pc.
        isa::State state(*spec);
        const std::uint64_t start = 0x1000;
        for (const auto& element : spec->elements)
            for (unsigned i = 0; i < element.entries; ++i) {
                const auto all = static_cast<std::uint64_t>(isa::ones(element.width));
                const std::array<std::uint64_t, 5> values = {0, all, start + 4 * below(64), random() & all, below(16)};
                state.set(element, values[below(std::size(values))] & all, i);
            }
        state.set((*spec)[spec->pc], start);
        for (const auto& element : spec->elements)
            if (element.input) state.set(element, 0);
        if (!spec->modes.empty() && below(4) != 0)
            for (const auto& part : spec->modes[0].cube)
                state.set((*spec)[part.element], static_cast<std::uint64_t>(part.value));
        std::uint64_t at = start;
        for (unsigned i = 0; i < 40; ++i) {
            const auto& form = spec->forms[below(spec->forms.size())];
            std::vector<std::uint64_t> fields;
            for (const auto& field : form.fields)
                fields.push_back((below(2) == 0 ? random() : below(8)) &
                                 static_cast<std::uint64_t>(isa::ones(field.width)));
            for (const auto parcel : isa::encode(form, fields))
                for (unsigned k = 0; k < spec->parcel_units; ++k, ++at) {
                    const unsigned shift = (spec->big_endian ? spec->parcel_units - 1 - k : k) * spec->unit_bits;
                    const std::uint64_t unit = parcel >> shift & static_cast<std::uint64_t>(isa::ones(spec->unit_bits));
                    simulator.poke(at, unit);
                    reference.memory[at] = unit;
                }
        }
        simulator.set_state(state);
        reference.state = state;
        for (unsigned i = 0; i < 12; ++i) {
            const auto expected = reference.step();
            const bool single = round % 2 == 0;
            const auto outcome = single ? simulator.step({.interrupts = true}) : StepOutcome{};
            if (!single) static_cast<void>(simulator.run({.cycles = 1000, .steps = 1}));
            ASSERT_EQ(simulator.state(), reference.state)
                << "after step " << i << " "
                << (outcome.form.valid() ? spec->instructions[(*spec)[outcome.form].instruction.index].name : "");
            if (outcome.kind == StepOutcome::Kind::completed && outcome.form.valid())
                completed[(*spec)[outcome.form].instruction.index] = true;
            if (expected != ReferenceMachine::Result::stepped) break;
        }
        for (const auto& [address, value] : reference.memory) ASSERT_EQ(simulator.peek(address), value) << address;
    }
    // Where random configuration makes instructions leave the virtual state, fewer complete.
    const std::size_t share = policy ? 3 : 2;
    EXPECT_GT(std::count(completed.begin(), completed.end(), true),
              static_cast<std::ptrdiff_t>(completed.size() / share));
}
INSTANTIATE_TEST_SUITE_P(Machines, Shipped,
                         ::testing::Values(Machine{"lecture", "lecture.isa"}, Machine{"pg74", "pg74.isa"},
                                           Machine{"switch", "switch.isa"}, Machine{"m68k", "m68k.isa"},
                                           Machine{"rv64", "rv64.isa"},
                                           Machine{"lecture_vt", "lecture.isa", "lecture-vt.policy.isa"},
                                           Machine{"pg74_vt", "pg74.isa", "pg74-vt.policy.isa"},
                                           Machine{"m68k_vt", "m68k.isa", "m68k-vt.policy.isa"}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace pogo::model::test
