// Timing refines meaning: whatever the pipeline, the machine goes through the states of single steps; and both views
// of the kernel agree in every cycle.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <random>

#include "reference_machine.hpp"
#include "support.hpp"

namespace pogo::model::test {
namespace {

using Random = std::mt19937_64;

// Pipelines of different shapes.
const std::array timings = {
    plain_timing,
    R"(stages fetch, decode, execute, memory, writeback; fetch 1; forwarding off; load 2; store 1; branch 2; trap 3;
       interrupt 4; class alu { occupies 1; latency 1; } class load { occupies 1; latency 2; }
       class mul { occupies 5; latency 7; } class system { occupies 2; latency 2; serialises; })",
    R"(stages f1, f2, f3, decode, rename, execute, tag, memory, check, writeback; fetch 2; forwarding on; load 3; store 2;
       branch 0; trap 9; interrupt 5; class alu { occupies 1; latency 1; } class load { occupies 1; latency 3; }
       class mul { occupies 1; latency 6; } class system { occupies 1; latency 1; serialises; })",
    R"(stages fetch, decode, execute, memory; fetch 1; forwarding on; load 1; store 1; branch 1; trap 1; interrupt 1;
       class alu { occupies 1; latency 1; } class load { occupies 2; latency 2; }
       class mul { occupies 4; latency 4; } class system { occupies 1; latency 1; })",
    R"(stages fetch, decode, execute, memory, writeback; fetch 1; forwarding on; load 1; store 0; branch 0; trap 2;
       interrupt 2; tlb 2; icache size 64 line 8 ways 2 miss 5; dcache size 32 line 4 ways 4 miss 7;
       class alu { occupies 1; latency 1; } class load { occupies 1; latency 2; }
       class mul { occupies 3; latency 4; } class system { occupies 1; latency 1; serialises; })",
};

constexpr std::size_t shapes = std::size(timings) + 1;

// The last shape has two stages, which the language does not offer.
std::unique_ptr<isa::Spec> toy(std::size_t shape, const std::string& platform, bool paged = false) {
    const std::string timing = timings[shape % std::size(timings)];
    auto spec = spec_of(paged ? paged_text(timing, platform) : toy_text(timing, platform));
    if (shape == std::size(timings)) {
        spec->timing.stages = {"fetch", "execute"};
        spec->timing.decode_stage = 0;
        spec->timing.execute_stage = spec->timing.memory_stage = 1;
    }
    return spec;
}

std::uint64_t below(Random& random, std::uint64_t n) { return random() % n; }

// A parcel that is mostly some instruction.
std::uint64_t random_parcel(Random& random, bool devices) {
    static constexpr std::array<unsigned, 18> common = {0, 0, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const std::uint64_t op = below(random, 8) == 0 ? below(random, 16) : common[below(random, std::size(common))];
    std::uint64_t low = below(random, 0x1000);
    if (op == 6 || op == 12) low &= 0xC00;
    if (op == 5 && below(random, 4) != 0) low = (low & 0xF00) | ((below(random, 24) - 12) & 0xff);  // a near branch
    if (op == 3 || op == 4) low &= 0xF1F;                                                           // stores nearby
    if (op == 14) low = (devices || below(random, 8) != 0 ? 0xC0 : 0x80 | below(random, 4)) & 0xfe;
    if (op == 15) low = 0;
    return op << 12 | low;
}

// All of memory random code; registers that point at it.
template <class Poke>
isa::State random_machine(const isa::Spec& spec, Random& random, std::uint64_t end, bool devices, Poke poke) {
    for (std::uint64_t at = 0; at < end; at += 2) {
        std::uint64_t parcel = random_parcel(random, devices);
        if (at >= 0x10 && at < 0x20) parcel = 0x20 + below(random, 0x20) * 2;  // vectors
        poke(at, parcel & 0xff);
        poke(at + 1, parcel >> 8);
    }
    isa::State state(spec);
    const auto put = [&](const char* name, std::uint64_t value, unsigned entry = 0) {
        state.set(spec[spec.find_element(name)], value, entry);
    };
    for (unsigned i = 0; i < 4; ++i) put("r", 0x20 + below(random, 0x30) * 2 + (below(random, 16) == 0), i);
    for (unsigned i = 0; i < 2; ++i) put("w", random(), i);
    put("pc", 0x20 + below(random, 0x20) * 2);
    put("base", below(random, 0x40));
    put("limit", below(random, 2) == 0 ? 0x200 : below(random, 0x400));
    put("st.S", below(random, 4) != 0);
    put("st.I", below(random, 2));
    put("nest", below(random, 8) == 0 ? below(random, 4) : 0);
    if (!devices) put("line", below(random, 4) == 0 ? below(random, 8) : 0);
    return state;
}

// A table for user mode at `base`, most of whose entries lead to the pages of random code, some to the table itself.
template <class Poke>
void random_table(const isa::Spec& spec, Random& random, isa::State& state, Poke poke) {
    const std::uint64_t base = 0x100 + below(random, 0x180) * 2;
    const auto put = [&](const char* name, std::uint64_t value, unsigned entry = 0) {
        state.set(spec[spec.find_element(name)], value, entry);
    };
    // More of the instructions that only this machine has.
    for (unsigned i = 0; i < 64; ++i) {
        const std::uint64_t at = below(random, 0x400) * 2;
        poke(at, below(random, 0x100));
        poke(at + 1, 0x78 + below(random, 8));
    }
    for (std::uint64_t page = 0; page < 8; ++page) {
        // All rights, or all but one. What runs first is on page 0.
        const bool less = below(random, page == 0 ? 8 : 2) == 0;
        poke(base + 2 * page, less ? 15 & ~(1U << below(random, 4)) : 15);
        poke(base + 2 * page + 1, below(random, 8));
    }
    put("base", base);
    put("limit", below(random, 4) == 0 ? below(random, 0x900) : 0x800);
    put("st.S", below(random, 4) == 0);
    for (unsigned i = 0; i < 4; ++i) put("r", below(random, 8) * 0x100 + below(random, 0x80) * 2, i);
}

// Runs random programs on the model and the reference machine. The number of steps, or where they differ.
struct Agreement {
    std::uint64_t steps = 0;
    std::string difference;
};
Agreement agree(const isa::Spec& spec, const isa::Spec& reference_spec, bool paged, std::uint64_t seeds) {
    Agreement found;
    const auto differ = [&](std::uint64_t seed, bool single, unsigned step, const char* what) {
        found.difference = std::string(what) + " in step " + std::to_string(step) + " of seed " + std::to_string(seed) +
                           (single ? ", single" : "");
        return found;
    };
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        Simulator simulator(Config{.bare = true, .specialise_after = seed % 10 == 0 ? 0U : 3U});
        if (simulator.load(spec)) return differ(seed, false, 0, "no simulator");
        for (const bool single : {false, true}) {
            Random random(seed);
            ReferenceMachine reference(reference_spec);
            simulator.clear_memory();
            const auto poke = [&](std::uint64_t at, std::uint64_t value) {
                simulator.poke(at, value);
                reference.memory[at] = value;
            };
            isa::State state = random_machine(spec, random, 0x800, false, poke);
            if (paged) random_table(spec, random, state, poke);
            simulator.set_state(state);
            reference.state = state;
            using Result = ReferenceMachine::Result;
            for (unsigned i = 0; i < 100; ++i) {
                const Result expected = reference.step();
                if (single) {
                    const auto outcome = simulator.step({.interrupts = true});
                    if ((outcome.kind == StepOutcome::Kind::waiting) != (expected == Result::waiting) ||
                        (outcome.kind == StepOutcome::Kind::halted) != (expected == Result::halted) ||
                        outcome.double_fault != (expected == Result::double_fault))
                        return differ(seed, single, i, "outcome");
                } else {
                    const auto result = simulator.run({.cycles = 1000, .steps = 1});
                    const bool same = expected == Result::waiting  ? result.reason == StopReason::waiting_forever
                                      : expected == Result::halted ? result.reason == StopReason::halted
                                                                   : result.steps == 1;
                    if (!same) return differ(seed, single, i, "outcome");
                }
                if (simulator.state() != reference.state) return differ(seed, single, i, "state");
                if (expected != Result::stepped) break;
                ++found.steps;
            }
            for (const auto& [address, value] : reference.memory)
                if (simulator.peek(address) != value) return differ(seed, single, 100, "memory");
        }
    }
    return found;
}

class Refinement : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Refinement, PipelineEqualsSingleStepsEqualsReference) {
    const auto spec = toy(GetParam(), "");
    const auto found = agree(*spec, *spec, false, 500);
    EXPECT_EQ(found.difference, "");
    EXPECT_GT(found.steps, 15000U);
}
TEST_P(Refinement, WalksEqualReference) {
    const auto spec = toy(GetParam(), "", true);
    ASSERT_EQ(spec->translation.loads.size(), 1U);
    const auto found = agree(*spec, *spec, true, 500);
    EXPECT_EQ(found.difference, "");
    EXPECT_GT(found.steps, 15000U);
}
INSTANTIATE_TEST_SUITE_P(Pipelines, Refinement, ::testing::Range<std::size_t>(0, shapes));

// What the above would see: a model of a translation that is a little different.
TEST(Mutants, OfWalksAreSeen) {
    const auto right = toy(0, "", true);
    const auto seen = [&](const char* what, const isa::Spec& wrong) {
        EXPECT_NE(agree(wrong, *right, true, 500).difference, "") << what;
    };
    isa::Translation& translation = right->translation;
    ASSERT_EQ(translation.faults.size(), 6U);
    for (std::size_t i = 0; i < translation.faults.size(); ++i) {
        isa::Spec wrong = *right;
        auto& faults = wrong.translation.faults;
        faults.erase(faults.begin() + static_cast<std::ptrdiff_t>(i));
        seen(("without fault " + std::to_string(i)).c_str(), wrong);
        wrong = *right;
        wrong.translation.faults[i].arguments = {wrong.terms.constant(16, 0xDEAD)};
        seen(("with another argument of fault " + std::to_string(i)).c_str(), wrong);
    }
    isa::Spec wrong = *right;
    isa::Load& load = wrong.translation.loads[0];
    load.physical = wrong.terms.apply(isa::Op::bvxor, load.physical, wrong.terms.constant(16, 2));
    seen("the next entry", wrong);
    wrong = *right;
    wrong.translation.loads[0].guard = wrong.terms.boolean(false);
    seen("an entry of zeros", wrong);
    wrong = *right;
    wrong.translation.page = 9;
    seen("two pages at once", wrong);
}

TEST(Stale, AStoreCanUndoAFaultOfAFetch) {
    // The li at 0x102 has its second parcel out of bounds; the store before it makes an add of its first.
    const auto spec = spec_of(toy_text());
    Simulator simulator(Config{.bare = true});
    ASSERT_EQ(simulator.load(*spec), std::nullopt);
    Assembler(simulator, 0x100)("stb", {0, 1, 0})("li", {2, 9});
    set(simulator, "limit", 0x104);
    set(simulator, "r", 0x103, 1);
    set(simulator, "pc", 0x100);
    EXPECT_EQ(simulator.run({.steps = 2}).steps, 2U);
    EXPECT_EQ(get(simulator, "pc"), 0x104U);
    EXPECT_EQ(get(simulator, "st.S"), 0U);
}

class Views : public ::testing::TestWithParam<std::size_t> {};

void agree_in_every_cycle(const isa::Spec* spec) {
    Simulator simulator;
    std::uint64_t interrupts = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        SCOPED_TRACE(seed);
        struct Run {
            Hasher hasher;
            RunResult result;
            isa::State state;
            std::string output;
            std::uint64_t cycles = 0;
        };
        const auto run = [&](View view, bool observed) {
            Run done;
            Random random(seed);
            simulator.set_view(view);
            EXPECT_EQ(simulator.load(*spec), std::nullopt);
            random_machine(*spec, random, 0x800, true,
                           [&](std::uint64_t at, std::uint64_t v) { simulator.poke(at, v); });
            // Lines on, the timer soon; then random code. The handler sets the timer anew and prints.
            Assembler start(simulator, 0x900);
            start("li", {0, 4})("li", {1, 0xF208})("st_", {0, 1, 0})("li", {1, 0xF100});
            start("li", {0, 40 + below(random, 100)})("st_", {0, 1, 8})("li", {0, 1})("st_", {0, 1, 16});
            start("li", {0, 0x100})("li", {1, 0x100})("li", {2, 0x200})("sets", {0xC0});
            if (below(random, 2) == 0) start("sets", {0xC2});  // wait for the first interrupt
            start("jr", {0});
            Assembler handler(simulator, 0xA00);
            handler("li", {1, 0xF100})("ld", {0, 1, 0})("add", {0, 0, 30 + below(random, 90)})("st_", {0, 1, 8});
            handler("li", {1, 0xF000})("st_", {0, 1, 0})("li", {1, 0x100})("rt");
            Assembler(simulator, 0x10).word(0xB00).word(0xB00).word(0xB00).word(0xB00).word(0xB00).word(0xA00);
            Assembler(simulator, 0xB00)("li", {0, below(random, 0x100) * 2})("sets", {0xC0})("jr", {0});
            isa::State state(*spec);
            state.set((*spec)[spec->find_element("st.S")], 1);
            state.set((*spec)[spec->find_element("pc")], 0x900);
            state.set((*spec)[spec->find_element("limit")], 0x800);
            simulator.set_state(state);
            if (observed) simulator.attach(done.hasher);
            // In pieces, so that runs begin and end anywhere.
            for (unsigned i = 0; i < 30; ++i) done.result = simulator.run({.cycles = 100 + i});
            if (observed) simulator.detach(done.hasher);
            done.state = simulator.state();
            done.output = simulator.take_uart_output();
            done.cycles = simulator.cycles();
            return done;
        };
        const Run clocked = run(View::clocked, true);
        const Run batched = run(View::batched, true);
        ASSERT_EQ(clocked.hasher.cycles, batched.hasher.cycles);
        ASSERT_EQ(clocked.hasher.hash, batched.hasher.hash);
        interrupts += clocked.hasher.interrupts;
        for (const View view : {View::clocked, View::batched}) {
            const Run plain = run(view, false);
            ASSERT_EQ(plain.state, clocked.state);
            ASSERT_EQ(plain.cycles, clocked.cycles);
            ASSERT_EQ(plain.result.reason, clocked.result.reason);
            ASSERT_EQ(plain.output, clocked.output);
        }
        ASSERT_EQ(batched.output, clocked.output);
        ASSERT_EQ(batched.result.reason, clocked.result.reason);
    }
    EXPECT_GT(interrupts, 100U);
}
TEST_P(Views, AgreeInEveryCycle) { agree_in_every_cycle(toy(GetParam(), toy_platform).get()); }
TEST_P(Views, AgreeInEveryCycleOfWalks) { agree_in_every_cycle(toy(GetParam(), toy_platform, true).get()); }
INSTANTIATE_TEST_SUITE_P(Pipelines, Views, ::testing::Range<std::size_t>(0, shapes));

}  // namespace
}  // namespace pogo::model::test
