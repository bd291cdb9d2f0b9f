// Single steps: instructions, traps, choices, state in and out, another spec in the same process.
// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

namespace pogo::model::test {
namespace {

using Kind = StepOutcome::Kind;

class Step : public ::testing::Test {
  protected:
    Step() : spec_(spec_of(toy_text())), simulator_(Config{.bare = true}) {
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        set(simulator_, "st.S", 1);
        set(simulator_, "pc", 0x100);
    }
    std::unique_ptr<isa::Spec> spec_;
    Simulator simulator_;
};

TEST_F(Step, CompletesAnInstruction) {
    Assembler(simulator_, 0x100)("add", {1, 2, 0xff});
    set(simulator_, "r", 7, 1);
    set(simulator_, "r", 30, 2);
    const auto outcome = simulator_.step();
    EXPECT_EQ(outcome.kind, Kind::completed);
    EXPECT_EQ(outcome.pc, 0x100U);
    EXPECT_EQ(spec_->instructions[(*spec_)[outcome.form].instruction.index].name, "add");
    EXPECT_EQ(outcome.cycles, 5U);  // one in each stage
    EXPECT_EQ(get(simulator_, "r", 1), 36U);
    EXPECT_EQ(get(simulator_, "pc"), 0x102U);
    EXPECT_TRUE(outcome.memory.empty());
}

TEST_F(Step, ReportsMemoryChanges) {
    Assembler(simulator_, 0x100)("st_", {1, 2, 4});
    set(simulator_, "r", 0xBEEF, 1);
    set(simulator_, "r", 0x8000, 2);
    simulator_.poke(0x8004, 0x11);
    const auto outcome = simulator_.step();
    const std::vector<MemoryChange> expected{{0x8004, 0x11, 0xEF}, {0x8005, 0, 0xBE}};
    EXPECT_EQ(outcome.memory, expected);
    EXPECT_EQ(simulator_.peek(0x8005), 0xBEU);
}

TEST_F(Step, WritesInParallel) {
    Assembler(simulator_, 0x100)("swap", {0, 3})("pick", {1, 2});
    auto state = simulator_.state();
    for (unsigned i = 0; i < 4; ++i) state.set((*spec_)[spec_->find_element("r")], 10 + i, i);
    simulator_.set_state(state);
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    EXPECT_EQ(get(simulator_, "r", 0), 13U);
    EXPECT_EQ(get(simulator_, "r", 3), 10U);
    set(simulator_, "r", 3, 2);
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    EXPECT_EQ(get(simulator_, "r", 1), 10U);
}

TEST_F(Step, ComputesOn128Bits) {
    Assembler(simulator_, 0x100)("wide", {0, 1});
    set(simulator_, "w", 0xFEDCBA9876543210, 0);
    set(simulator_, "w", 0x0123456789ABCDEF, 1);
    set(simulator_, "r", 5, 0);
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    const auto product = isa::Word{0xFEDCBA9876543210} * isa::Word{0x0123456789ABCDEF + 3} + 5;
    EXPECT_EQ(get(simulator_, "w", 0), static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product));
    EXPECT_EQ(get(simulator_, "r", 1), static_cast<std::uint64_t>(product >> 64) & 0xffff);
}

TEST_F(Step, TakesChoices) {
    Assembler(simulator_, 0x100)("toss", {2})("toss", {3});
    const std::vector<std::uint64_t> choices{0x1234};
    EXPECT_EQ(simulator_.step({.choices = choices}).kind, Kind::completed);
    EXPECT_EQ(get(simulator_, "r", 2), 0x1234U);
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    EXPECT_EQ(get(simulator_, "r", 3), 0U);
}

TEST_F(Step, TrapsWithOrWithoutItsEntry) {
    Assembler(simulator_, 0x100)("sc", {0x42});
    Assembler(simulator_, 0x18).word(0x400);
    const auto before = simulator_.state();
    const std::vector<TrapTaken> expected{{spec_->find_cause("call"), {0x42}}};
    auto outcome = simulator_.step({.take_traps = false});
    EXPECT_EQ(outcome.kind, Kind::trapped);
    EXPECT_EQ(outcome.traps, expected);
    EXPECT_EQ(simulator_.state(), before);
    outcome = simulator_.step();
    EXPECT_EQ(outcome.kind, Kind::trapped);
    EXPECT_EQ(outcome.traps, expected);
    EXPECT_EQ(get(simulator_, "pc"), 0x400U);
    EXPECT_EQ(get(simulator_, "epc"), 0x102U);  // of a call, the address of the next instruction
    EXPECT_EQ(get(simulator_, "arg"), 0x42U);
}

TEST_F(Step, TrapsOnPrivilegeBoundsAlignmentAndEncoding) {
    Assembler(simulator_, 0x1100)("sets", {0})("ld", {0, 1, 8}).word(0x9000);  // swap r0, r0 is excluded
    const auto cause_at = [&](std::uint64_t pc) {
        auto state = simulator_.state();
        const auto put = [&](const char* name, std::uint64_t value) {
            state.set((*spec_)[spec_->find_element(name)], value);
        };
        put("st.S", 0);
        put("base", 0x1000);
        put("limit", 0x200);
        put("pc", pc);
        state.set((*spec_)[spec_->find_element("r")], 0x1F8, 1);
        simulator_.set_state(state);
        const auto outcome = simulator_.step();
        EXPECT_EQ(outcome.kind, Kind::trapped);
        EXPECT_EQ(get(simulator_, "st.S"), 1U);
        EXPECT_EQ(get(simulator_, "epc"), pc);
        return (*spec_)[outcome.traps.at(0).cause].name;
    };
    EXPECT_EQ(cause_at(0x100), "privilege");
    EXPECT_EQ(cause_at(0x102), "bounds");  // the load
    EXPECT_EQ(get(simulator_, "arg"), 0x200U);
    EXPECT_EQ(cause_at(0x104), "illegal_op");
    EXPECT_EQ(get(simulator_, "arg"), 0x9000U);
    EXPECT_EQ(cause_at(0x200), "bounds");  // the fetch
    EXPECT_EQ(cause_at(0x101), "odd");
}

TEST_F(Step, FetchFaultsOnTheSecondParcel) {
    Assembler(simulator_, 0x1100)("li", {1, 7});
    auto state = simulator_.state();
    const auto put = [&](const char* name, std::uint64_t value) {
        state.set((*spec_)[spec_->find_element(name)], value);
    };
    put("st.S", 0);
    put("base", 0x1000);
    put("limit", 0x102);
    simulator_.set_state(state);
    const auto outcome = simulator_.step({.take_traps = false});
    const std::vector<TrapTaken> expected{{spec_->find_cause("bounds"), {0x102}}};
    EXPECT_EQ(outcome.traps, expected);
    EXPECT_FALSE(outcome.form.valid());
}

TEST_F(Step, NestedTrapAndDoubleFault) {
    Assembler(simulator_, 0x100)("sc", {9});
    Assembler(simulator_, 0x14).word(0x300);
    set(simulator_, "nest", 1);  // the entry of `call` is out of bounds
    auto outcome = simulator_.step();
    const std::vector<TrapTaken> nested{{spec_->find_cause("call"), {9}}, {spec_->find_cause("bounds"), {0xBAD0}}};
    EXPECT_EQ(outcome.kind, Kind::trapped);
    EXPECT_EQ(outcome.traps, nested);
    EXPECT_FALSE(outcome.double_fault);
    EXPECT_EQ(get(simulator_, "pc"), 0x300U);
    EXPECT_EQ(get(simulator_, "arg"), 0xBAD0U);

    set(simulator_, "pc", 0x100);
    set(simulator_, "nest", 3);  // and that of `bounds` is odd
    const auto before = simulator_.state();
    outcome = simulator_.step();
    EXPECT_TRUE(outcome.double_fault);
    EXPECT_EQ(outcome.traps.size(), 3U);
    EXPECT_EQ(simulator_.state(), before);
    const auto result = simulator_.run();
    EXPECT_EQ(result.reason, StopReason::double_fault);
    EXPECT_EQ(result.steps, 1U);
}

TEST_F(Step, InterruptsOnlyWhenAsked) {
    Assembler(simulator_, 0x100)("li", {0, 1})("li", {0, 2});
    Assembler(simulator_, 0x1A).word(0x500);
    set(simulator_, "st.I", 1);
    set(simulator_, "line", 3);
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    EXPECT_EQ(get(simulator_, "pc"), 0x104U);
    const auto outcome = simulator_.step({.interrupts = true});
    EXPECT_EQ(outcome.kind, Kind::interrupted);
    EXPECT_EQ(outcome.interrupt, 0U);
    EXPECT_EQ(get(simulator_, "pc"), 0x500U);
    EXPECT_EQ(get(simulator_, "epc"), 0x104U);
    EXPECT_EQ(get(simulator_, "r", 0), 1U);
}

TEST_F(Step, WaitsAndHalts) {
    Assembler(simulator_, 0x100)("sets", {0x82})("sets", {0x81});
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    EXPECT_EQ(simulator_.step().kind, Kind::waiting);
    EXPECT_EQ(get(simulator_, "pc"), 0x102U);
    set(simulator_, "st.W", 0);
    const auto outcome = simulator_.step();
    EXPECT_EQ(outcome.kind, Kind::completed);
    EXPECT_TRUE(outcome.halted);
    EXPECT_EQ(simulator_.step().kind, Kind::halted);
}

TEST_F(Step, StateGoesInAndComesOut) {
    isa::State state(*spec_);
    for (std::uint64_t& slot : state.slots) slot = ~std::uint64_t{0};
    simulator_.set_state(state);
    const auto out = simulator_.state();
    for (const auto& element : spec_->elements)
        for (unsigned i = 0; i < element.slots(); ++i)
            EXPECT_EQ(out.get(element, i), static_cast<std::uint64_t>(isa::ones(element.width))) << element.name;
    simulator_.set_state(out);
    EXPECT_EQ(simulator_.state(), out);
}

TEST_F(Step, ForgetsClearedMemory) {
    Assembler(simulator_, 0x100)("li", {1, 7});
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    simulator_.clear_memory();
    EXPECT_EQ(simulator_.peek(0x100), 0U);
    set(simulator_, "pc", 0x100);
    EXPECT_EQ(simulator_.step().kind, Kind::completed);  // add r0, r0, 0
    EXPECT_EQ(get(simulator_, "pc"), 0x102U);
}

TEST_F(Step, ResetReadsItsVector) {
    Assembler(simulator_, 0xE).word(0x1234);
    simulator_.reset();
    EXPECT_EQ(get(simulator_, "pc"), 0x1234U);
    EXPECT_EQ(get(simulator_, "st.S"), 1U);
}

TEST_F(Step, AnotherSpecInTheSameProcess) {
    Assembler(simulator_, 0x100)("add", {1, 2, 1});
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    const auto big = spec_of(toy_text(plain_timing, "", "big"));
    ASSERT_EQ(simulator_.load(*big), std::nullopt);
    EXPECT_EQ(simulator_.peek(0x100), 0U);
    EXPECT_EQ(simulator_.cycles(), 0U);
    set(simulator_, "st.S", 1);
    set(simulator_, "pc", 0x100);
    Assembler(simulator_, 0x100)("li", {1, 0x1234})("st_", {1, 0, 0});
    EXPECT_EQ(simulator_.peek(0x102), 0x12U);
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    EXPECT_EQ(simulator_.step().kind, Kind::completed);
    EXPECT_EQ(simulator_.peek(0), 0x12U);
    ASSERT_EQ(simulator_.load(*spec_), std::nullopt);
    EXPECT_EQ(get(simulator_, "r", 1), 0U);
}

TEST(Simulator, OneAfterTheOther) {
    const auto spec = spec_of(toy_text());
    for (int i = 0; i < 3; ++i) {
        Simulator simulator(Config{.bare = true});
        ASSERT_EQ(simulator.load(*spec), std::nullopt);
        set(simulator, "st.S", 1);
        Assembler(simulator, 0)("li", {1, 7});
        EXPECT_EQ(simulator.step().kind, Kind::completed);
        EXPECT_EQ(get(simulator, "r", 1), 7U);
    }
}

TEST_F(Step, TheSameAfterSpecialisation) {
    // The 17th execution of an encoding runs code of its own.
    for (unsigned i = 0; i < 40; ++i) {
        simulator_.clear_memory();
        Assembler(simulator_, 0x100)("wide", {0, 1})("pick", {1, 2})("swap", {2, 3})("ld", {0, 3, 6})("bne", {0, 1, 4});
        auto state = simulator_.state();
        for (auto& slot : state.slots) slot = 0;
        state.set((*spec_)[spec_->find_element("st.S")], 1);
        state.set((*spec_)[spec_->find_element("pc")], 0x100);
        for (unsigned k = 0; k < 4; ++k) state.set((*spec_)[spec_->find_element("r")], 0x60 + 2 * k, k);
        for (unsigned k = 0; k < 2; ++k) state.set((*spec_)[spec_->find_element("w")], ~std::uint64_t{k}, k);
        simulator_.set_state(state);
        static isa::State first;
        for (int k = 0; k < 5; ++k) EXPECT_EQ(simulator_.step().kind, Kind::completed);
        if (i == 0) first = simulator_.state();
        EXPECT_EQ(simulator_.state(), first) << i;
    }
}

}  // namespace
}  // namespace pogo::model::test
