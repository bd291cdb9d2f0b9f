// Devices, runs and what ends them.
// SPDX-License-Identifier: Apache-2.0
#include "model/devices.hpp"
#include "support.hpp"

namespace pogo::model::test {
namespace {

class Platform : public ::testing::TestWithParam<View> {
  protected:
    Platform() : spec_(spec_of(toy_text(plain_timing, toy_platform))), simulator_(Config{.view = GetParam()}) {
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        Assembler(simulator_, 0xE).word(0x100);
        simulator_.reset();
    }
    std::unique_ptr<isa::Spec> spec_;
    Simulator simulator_;
};

TEST_P(Platform, UartPrintsAndReads) {
    Assembler program(simulator_, 0x100);
    program("li", {1, 0xF000});
    for (const char c : std::string("hello")) program("li", {0, static_cast<unsigned char>(c)})("st_", {0, 1, 0});
    program("ld", {2, 1, 8})("ld", {0, 1, 0})("st_", {0, 1, 0})("ld", {3, 1, 8})("sets", {0x81});
    simulator_.uart_input("!");
    EXPECT_EQ(simulator_.run({.cycles = 1000}).reason, StopReason::halted);
    EXPECT_EQ(simulator_.take_uart_output(), "hello!");
    EXPECT_EQ(simulator_.take_uart_output(), "");
    EXPECT_EQ(get(simulator_, "r", 2), 3U);  // input is there
    EXPECT_EQ(get(simulator_, "r", 3), 2U);
    EXPECT_EQ(simulator_.bus_errors(), 0U);
}

TEST_P(Platform, TimerInterruptsThroughTheController) {
    // Waits for the timer's interrupt, counts one, sets the timer 100 cycles later, three times.
    Assembler program(simulator_, 0x100);
    program("li", {0, 4})("li", {1, 0xF208})("st_", {0, 1, 0})("li", {1, 0xF100})("li", {0, 200})("st_", {0, 1, 8});
    program("li", {0, 1})("st_", {0, 1, 16})("li", {2, 0});
    program("sets", {0xC2})("li", {3, 3})("bne", {2, 3, 0xFD})("sets", {0x81});
    Assembler(simulator_, 0x1A).word(0x600);
    Assembler(simulator_, 0x600)("ld", {0, 1, 0})("add", {0, 3, 100})("st_", {0, 1, 8})("li", {0, 0})("add",
                                                                                                      {2, 0, 1})("rt");
    const auto result = simulator_.run({.cycles = 100000});
    EXPECT_EQ(result.reason, StopReason::halted);
    EXPECT_EQ(get(simulator_, "r", 2), 3U);
    EXPECT_EQ(get(simulator_, "arg"), 2U);  // the number of the line
    EXPECT_GT(result.cycles, 400U);
    EXPECT_LT(result.cycles, 600U);
}

TEST_P(Platform, TheTimerIsExact) {
    // At cycle 60 the line rises; the machine waits, execute is empty, and the entry's cycle is 60.
    struct Seen final : Observer {
        std::uint64_t entered = 0;
        void on_interrupt(const RetireEvent& event) override { entered = event.entered; }
    } seen;
    Assembler program(simulator_, 0x100);
    program("li", {0, 4})("li", {1, 0xF208})("st_", {0, 1, 0})("li", {1, 0xF100})("li", {0, 60})("st_", {0, 1, 8});
    program("li", {0, 1})("st_", {0, 1, 16})("sets", {0xC2});
    simulator_.attach(seen);
    EXPECT_EQ(simulator_.run({.cycles = 100}).reason, StopReason::cycles);
    simulator_.detach(seen);
    EXPECT_EQ(seen.entered, 60U);
}

TEST_P(Platform, ExitEndsTheRunWithACode) {
    Assembler(simulator_, 0x100)("li", {1, 0xF300})("li", {0, 42})("st_", {0, 1, 0})("li", {2, 7});
    auto result = simulator_.run();
    EXPECT_EQ(result.reason, StopReason::exit);
    EXPECT_EQ(result.exit_code, 42U);
    EXPECT_EQ(result.steps, 3U);
    result = simulator_.run({.steps = 1});  // goes on behind it
    EXPECT_EQ(result.reason, StopReason::steps);
    EXPECT_EQ(get(simulator_, "r", 2), 7U);
}

TEST_P(Platform, WaitingForeverIsNoticed) {
    Assembler(simulator_, 0x100)("sets", {0xC2});
    const auto result = simulator_.run();
    EXPECT_EQ(result.reason, StopReason::waiting_forever);
    EXPECT_LT(result.cycles, 20U);
}

TEST_P(Platform, LimitsAreExact) {
    Assembler program(simulator_, 0x100);
    for (unsigned i = 0; i < 100; ++i) program("add", {0, 3, 1});
    EXPECT_EQ(simulator_.run({.steps = 7}).steps, 7U);
    EXPECT_EQ(get(simulator_, "r", 0), 7U);
    const auto result = simulator_.run({.cycles = 11});
    EXPECT_EQ(result.reason, StopReason::cycles);
    EXPECT_EQ(result.cycles, 11U);
    EXPECT_EQ(simulator_.run({.cycles = 0}).cycles, 0U);
}

TEST_P(Platform, AccessesOutsideEverythingAreCounted) {
    Assembler(simulator_, 0x100)("li", {1, 0xFF00})("ld", {0, 1, 0})("st_", {0, 1, 0})("sets", {0x81});
    EXPECT_EQ(simulator_.run({.cycles = 100}).reason, StopReason::halted);
    EXPECT_EQ(get(simulator_, "r", 0), 0U);
    EXPECT_EQ(simulator_.bus_errors(), 2U);
    EXPECT_FALSE(simulator_.poke(0xFF00, 1));
    EXPECT_FALSE(simulator_.poke(0xF000, 1));
}

TEST_P(Platform, BadPlatformsAreErrors) {
    const auto error = [&](const std::string& platform) {
        const auto bad = spec_of(toy_text(plain_timing, ""));
        bad->platform = spec_->platform;
        if (platform == "overlap") bad->platform.devices[1].base = 0xEFFF;
        if (platform == "outside") bad->platform.devices[1].base = 0xFFFF;
        if (platform == "many") bad->platform.devices.resize(30, bad->platform.devices[1]);
        if (platform == "stage") bad->timing.execute_stage = 0;
        const auto result = simulator_.load(*bad);
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        return result.value_or("");
    };
    EXPECT_NE(error("overlap").find("overlap"), std::string::npos);
    EXPECT_NE(error("outside").find("within"), std::string::npos);
    EXPECT_NE(error("many").find("at most 16"), std::string::npos);
    EXPECT_NE(error("stage").find("execute stage"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Views, Platform, ::testing::Values(View::clocked, View::batched),
                         [](const auto& p) { return p.param == View::clocked ? "clocked" : "batched"; });

}  // namespace
}  // namespace pogo::model::test
