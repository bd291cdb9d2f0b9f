// The devices of QEMU's virt machine, register by register through the bus, and the time.
// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "model/devices.hpp"
#include "support.hpp"
#include "virt_spec.hpp"

namespace pogo::model::test {
namespace {

constexpr std::uint64_t all_ones = ~std::uint64_t{0};

class Virt : public ::testing::TestWithParam<View> {
  protected:
    explicit Virt(unsigned timebase = 10)
        : spec_(spec_of(virt_text(timebase))), simulator_(Config{.view = GetParam()}) {
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        simulator_.reset();
    }
    /// One access by an instruction of its own. The registers keep their values.
    std::uint64_t read(std::uint64_t address, unsigned size) {
        return access(std::string("l") + letter(size), address, 0);
    }
    void write(std::uint64_t address, unsigned size, std::uint64_t value) {
        access(std::string("s") + letter(size), address, value);
    }
    RunResult run(std::uint64_t cycles = 10000) { return simulator_.run({.cycles = cycles}); }

    std::unique_ptr<isa::Spec> spec_;
    Simulator simulator_;

  private:
    static char letter(unsigned size) { return size == 1 ? 'b' : size == 2 ? 'h' : size == 4 ? 'w' : 'd'; }
    std::uint64_t access(const std::string& name, std::uint64_t address, std::uint64_t value) {
        Assembler(simulator_, ram + 0xF00)(name, {14, 15});
        set(simulator_, "pc", ram + 0xF00);
        set(simulator_, "r", value, 14);
        set(simulator_, "r", address, 15);
        EXPECT_EQ(simulator_.step().kind, StepOutcome::Kind::completed);
        return get(simulator_, "r", 14);
    }
};

// ---- ns16550 ----

class Serial : public Virt {
  protected:
    std::uint64_t at(unsigned reg) { return read(serial + reg, 1); }
    void put(unsigned reg, std::uint64_t value) { write(serial + reg, 1, value); }
    /// Whether the line is high: it has passed through the gateway since the last call.
    bool line() {
        write(plic_base + plic::enable, 4, 1 << 10);
        const bool high = (read(plic_base + plic::pending, 4) >> 10 & 1) != 0;
        if (high) {
            write(plic_base + plic::priority + 40, 4, 1);
            EXPECT_EQ(read(plic_base + plic::claim, 4), 10U);
            write(plic_base + plic::claim, 4, 10);
        }
        return (read(plic_base + plic::pending, 4) >> 10 & 1) != 0;
    }
};

TEST_P(Serial, PowersOn) {
    for (const unsigned reg : {ns16550::rbr_thr, ns16550::ier, ns16550::lcr, ns16550::mcr, ns16550::scr})
        EXPECT_EQ(at(reg), 0U) << reg;
    EXPECT_EQ(at(ns16550::iir_fcr), 1U);
    EXPECT_EQ(at(ns16550::lsr), 0x60U);
    EXPECT_EQ(at(ns16550::msr), 0xB0U);
    EXPECT_FALSE(line());
}

TEST_P(Serial, KeepsWhatIsOnlyKept) {
    put(ns16550::scr, 0x5A);
    put(ns16550::lcr, 0x83);
    EXPECT_EQ(at(ns16550::lcr), 0x83U);
    put(ns16550::rbr_thr, 0x12);
    put(ns16550::ier, 0x34);
    EXPECT_EQ(at(ns16550::rbr_thr), 0x12U);  // divisor
    EXPECT_EQ(at(ns16550::ier), 0x34U);
    put(ns16550::lcr, 0x03);
    EXPECT_EQ(at(ns16550::rbr_thr), 0U);
    EXPECT_EQ(at(ns16550::ier), 0U);
    EXPECT_EQ(at(ns16550::scr), 0x5AU);
    put(ns16550::ier, 0xF0);
    EXPECT_EQ(at(ns16550::ier), 0U);
    put(ns16550::mcr, 0xEF);
    EXPECT_EQ(at(ns16550::mcr), 0x0FU);
    put(ns16550::lsr, 0xFF);
    EXPECT_EQ(at(ns16550::lsr), 0x60U);
    EXPECT_EQ(simulator_.take_uart_output(), "");
}

TEST_P(Serial, TakesBytesOnly) {
    write(serial, 4, 'x');
    write(serial + ns16550::scr, 2, 7);
    EXPECT_EQ(read(serial + ns16550::scr, 4), 0U);
    EXPECT_EQ(at(ns16550::scr), 0U);
    EXPECT_EQ(at(0x40), 0U);
    put(ns16550::rbr_thr, 'y');
    EXPECT_EQ(simulator_.take_uart_output(), "y");
    EXPECT_EQ(simulator_.bus_errors(), 0U);
}

TEST_P(Serial, ReceivesAndInterrupts) {
    simulator_.uart_input("ab");
    EXPECT_EQ(at(ns16550::lsr), 0x61U);
    EXPECT_EQ(at(ns16550::iir_fcr), 1U);
    put(ns16550::ier, 1);
    EXPECT_EQ(at(ns16550::iir_fcr), 4U);
    EXPECT_TRUE(line());
    EXPECT_EQ(at(ns16550::rbr_thr), static_cast<unsigned>('a'));
    EXPECT_EQ(at(ns16550::iir_fcr), 4U);
    EXPECT_EQ(at(ns16550::rbr_thr), static_cast<unsigned>('b'));
    EXPECT_EQ(at(ns16550::iir_fcr), 1U);
    EXPECT_EQ(at(ns16550::lsr), 0x60U);
    EXPECT_EQ(at(ns16550::rbr_thr), 0U);
    EXPECT_FALSE(line());
}

TEST_P(Serial, SaysTimeoutBelowTheTriggerLevel) {
    put(ns16550::ier, 1);
    put(ns16550::iir_fcr, 0x41);  // four characters
    EXPECT_EQ(at(ns16550::iir_fcr), 0xC1U);
    simulator_.uart_input("abc");
    EXPECT_EQ(at(ns16550::iir_fcr), 0xCCU);
    simulator_.uart_input("d");
    EXPECT_EQ(at(ns16550::iir_fcr), 0xC4U);
    put(ns16550::iir_fcr, 0x43);  // clearing the FIFO loses nothing that the other end has typed
    EXPECT_EQ(at(ns16550::rbr_thr), static_cast<unsigned>('a'));
    EXPECT_EQ(at(ns16550::iir_fcr), 0xCCU);
    put(ns16550::iir_fcr, 0);
    EXPECT_EQ(at(ns16550::iir_fcr), 0x04U);
}

TEST_P(Serial, TransmitterEmptyIsClearedByReadingOrWriting) {
    put(ns16550::ier, 2);
    EXPECT_TRUE(line());
    EXPECT_EQ(at(ns16550::iir_fcr), 2U);
    EXPECT_EQ(at(ns16550::iir_fcr), 1U);
    EXPECT_FALSE(line());
    put(ns16550::rbr_thr, '!');
    EXPECT_EQ(at(ns16550::lsr), 0x60U);
    simulator_.uart_input("?");
    put(ns16550::ier, 3);
    EXPECT_EQ(at(ns16550::iir_fcr), 4U);  // not the source, so not cleared
    EXPECT_EQ(at(ns16550::rbr_thr), static_cast<unsigned>('?'));
    EXPECT_EQ(at(ns16550::iir_fcr), 2U);
    put(ns16550::ier, 0);
    put(ns16550::ier, 2);  // enabling it anew raises it anew
    EXPECT_EQ(at(ns16550::iir_fcr), 2U);
    EXPECT_EQ(simulator_.take_uart_output(), "!");
}

TEST_P(Serial, LoopsBack) {
    simulator_.uart_input("outside");
    put(ns16550::mcr, 0x10);
    EXPECT_EQ(at(ns16550::msr), 0x0BU);  // DCD, DSR and CTS fell
    EXPECT_EQ(at(ns16550::msr), 0U);
    EXPECT_EQ(at(ns16550::lsr), 0x60U);
    put(ns16550::mcr, 0x1A);  // RTS, OUT2
    EXPECT_EQ(at(ns16550::msr), 0x99U);
    put(ns16550::mcr, 0x14);  // OUT1
    EXPECT_EQ(at(ns16550::msr), 0x49U);
    put(ns16550::ier, 8);
    put(ns16550::mcr, 0x11);  // DTR; RI ends
    EXPECT_EQ(at(ns16550::iir_fcr), 0U);
    EXPECT_EQ(at(ns16550::msr), 0x26U);
    EXPECT_EQ(at(ns16550::iir_fcr), 1U);
    put(ns16550::ier, 4);
    put(ns16550::rbr_thr, 'p');
    put(ns16550::rbr_thr, 'q');  // no room
    EXPECT_EQ(at(ns16550::iir_fcr), 6U);
    EXPECT_EQ(at(ns16550::lsr), 0x63U);
    EXPECT_EQ(at(ns16550::lsr), 0x61U);
    EXPECT_EQ(at(ns16550::iir_fcr), 1U);
    EXPECT_EQ(at(ns16550::rbr_thr), static_cast<unsigned>('p'));
    put(ns16550::iir_fcr, 1);
    for (unsigned i = 0; i < 17; ++i) put(ns16550::rbr_thr, i);
    EXPECT_EQ(at(ns16550::lsr), 0x63U);
    EXPECT_EQ(at(ns16550::rbr_thr), 0U);
    EXPECT_EQ(at(ns16550::rbr_thr), 1U);
    put(ns16550::iir_fcr, 3);
    EXPECT_EQ(at(ns16550::lsr), 0x60U);
    put(ns16550::mcr, 0);
    EXPECT_EQ(at(ns16550::rbr_thr), static_cast<unsigned>('o'));
    EXPECT_EQ(simulator_.take_uart_output(), "");
}

// ---- clint ----

using ClintDevice = Virt;

TEST_P(ClintDevice, SoftwareInterrupt) {
    write(clint_base + clint::msip, 4, 0xFFFFFFFF);
    EXPECT_EQ(read(clint_base + clint::msip, 4), 1U);
    EXPECT_EQ(get(simulator_, "msip"), 1U);
    write(clint_base + clint::msip, 8, 0);  // another size: nothing
    write(clint_base + clint::msip, 1, 0);
    write(clint_base + 4, 4, 0);  // hart 1
    EXPECT_EQ(get(simulator_, "msip"), 1U);
    EXPECT_EQ(read(clint_base + clint::msip, 8), 0U);
    simulator_.reset();  // of the processor, not of the devices
    EXPECT_EQ(get(simulator_, "msip"), 1U);
    write(clint_base + clint::msip, 4, 2);
    EXPECT_EQ(get(simulator_, "msip"), 0U);
}

TEST_P(ClintDevice, CompareInHalves) {
    EXPECT_EQ(read(clint_base + clint::mtimecmp, 8), all_ones);
    write(clint_base + clint::mtimecmp, 4, 0x11223344);
    write(clint_base + clint::mtimecmp + 4, 4, 0x55667788);
    EXPECT_EQ(read(clint_base + clint::mtimecmp, 8), 0x5566778811223344U);
    EXPECT_EQ(read(clint_base + clint::mtimecmp, 4), 0x11223344U);
    EXPECT_EQ(read(clint_base + clint::mtimecmp + 4, 4), 0x55667788U);
    EXPECT_EQ(read(clint_base + clint::mtimecmp, 2), 0U);
    EXPECT_EQ(read(clint_base + clint::mtimecmp + 4, 8), 0U);
    EXPECT_EQ(get(simulator_, "mtip"), 0U);
    write(clint_base + clint::mtimecmp, 8, 0);
    EXPECT_EQ(get(simulator_, "mtip"), 1U);
    write(clint_base + clint::mtimecmp, 8, all_ones);
    EXPECT_EQ(get(simulator_, "mtip"), 0U);
}

TEST_P(ClintDevice, TimeTicksAndCanBeMoved) {
    const auto now = [&] { return simulator_.cycles() / 10; };
    EXPECT_NEAR(static_cast<double>(read(clint_base + clint::mtime, 8)), static_cast<double>(now()), 1);
    EXPECT_EQ(get(simulator_, "mtime"), now());
    write(clint_base + clint::mtime, 8, 0x1'0000'0000 - 2);
    run(100);
    EXPECT_EQ(read(clint_base + clint::mtime + 4, 4), 1U);
    EXPECT_LT(read(clint_base + clint::mtime, 4), 20U);
    write(clint_base + clint::mtime + 4, 4, 7);
    EXPECT_EQ(read(clint_base + clint::mtime, 8) >> 32, 7U);
    EXPECT_EQ(get(simulator_, "mtime") >> 32, 7U);
}

struct Seen final : Observer {
    std::vector<std::uint64_t> interrupts;                       ///< cycles of entries
    std::vector<std::pair<std::uint64_t, std::uint64_t>> times;  ///< cycles and what rdtime gave
    std::uint32_t register_slot = 0;
    void on_spec(const isa::Spec& spec) override { register_slot = spec[spec.find_element("r")].slot + 5; }
    void on_interrupt(const RetireEvent& event) override { interrupts.push_back(event.entered); }
    void on_retire(const RetireEvent& event) override {
        for (const auto& change : event.changes)
            if (change.slot == register_slot) times.emplace_back(event.entered, change.value);
    }
};

TEST_P(ClintDevice, TimeIsExactWhereItIsRead) {
    Assembler program(simulator_, ram);
    for (unsigned i = 0; i < 60; ++i) {
        program("rdtime", {5});
        if (i % 3 == 0) program("mul", {1, 1});
    }
    program("ctl", {0x81});
    Seen seen;
    simulator_.attach(seen);
    EXPECT_EQ(run().reason, StopReason::halted);
    simulator_.detach(seen);
    ASSERT_GT(seen.times.size(), 55U);
    for (const auto& [cycle, time] : seen.times) EXPECT_EQ(time, cycle / 10);
    // The same without anything that watches.
    EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
    simulator_.reset();
    Assembler again(simulator_, ram);
    again("mul", {1, 1})("mul", {1, 1})("mul", {1, 1})("mul", {1, 1})("mul", {1, 1})("rdtime", {5})("ctl", {0x81});
    EXPECT_EQ(run().reason, StopReason::halted);
    EXPECT_EQ(get(simulator_, "r", 5), (2 + 4 * 4 + 3) / 10U);
    EXPECT_EQ(get(simulator_, "mtime"), simulator_.cycles() / 10);
}

// What `rdcycle` and `rdret` gave, the cycle of each, and the instructions that had completed before.
struct Counted final : Observer {
    struct Count {
        std::uint64_t value, cycle, retired;
    };
    std::vector<Count> cycles, retired;
    std::uint64_t completed = 0;
    unsigned entries = 0;
    std::uint32_t register_slot = 0;
    void on_spec(const isa::Spec& spec) override { register_slot = spec[spec.find_element("r")].slot; }
    void on_retire(const RetireEvent& event) override {
        for (const auto& change : event.changes) {
            if (change.slot == register_slot + 5) cycles.push_back({change.value, event.entered, completed});
            if (change.slot == register_slot + 6) retired.push_back({change.value, event.entered, completed});
        }
        ++completed;
    }
    void on_trap(const RetireEvent&) override { ++entries; }
    void on_interrupt(const RetireEvent&) override { ++entries; }
};

// Traps and interrupts take cycles and are no instructions.
TEST_P(ClintDevice, CountsAreExactWhereTheyAreRead) {
    Assembler program(simulator_, ram);
    program("li", {1, clint_base + clint::mtimecmp})("li", {0, 9})("sd", {0, 1})("enable", {2})("ctl", {0xC2});
    for (unsigned i = 0; i < 60; ++i) {
        program("rdcycle", {5})("rdret", {6});
        if (i % 3 == 0) program("mul", {1, 1});
    }
    program("lw", {5, 5})("ctl", {0x81});
    Assembler(simulator_, ram + 0x400)("rdret", {6})("rdcycle", {5})("li", {0, 1000})(
        "li", {1, clint_base + clint::mtimecmp})("sd", {0, 1})("ret");
    Counted counted;
    simulator_.attach(counted);
    EXPECT_EQ(run().reason, StopReason::halted);
    simulator_.detach(counted);
    ASSERT_GT(counted.cycles.size(), 55U);
    ASSERT_GT(counted.retired.size(), 55U);
    EXPECT_GT(counted.entries, 0U);
    for (const auto& count : counted.cycles) EXPECT_EQ(count.value, count.cycle);
    for (const auto& count : counted.retired) EXPECT_EQ(count.value, count.retired);
    EXPECT_EQ(get(simulator_, "cycle_count"), simulator_.cycles());
    EXPECT_GE(get(simulator_, "retired_count"), counted.completed);
}

TEST_P(ClintDevice, TimerInterruptIsExact) {
    Assembler(simulator_, ram)("li", {1, clint_base + clint::mtimecmp})("li", {0, 7})("sd", {0, 1})("enable", {2})(
        "ctl", {0xC2});
    Assembler(simulator_, ram + 0x400)("li", {0, 9})("sd", {0, 1})("ctl", {0xC2});
    Seen seen;
    simulator_.attach(seen);
    EXPECT_EQ(run(95).reason, StopReason::cycles);
    simulator_.detach(seen);
    EXPECT_EQ(seen.interrupts, (std::vector<std::uint64_t>{70, 90}));
    EXPECT_EQ(get(simulator_, "cause"), 1U);
}

// The interrupt's condition compares the time with a register; nothing is declared for that.
TEST_P(ClintDevice, ConditionsThatCompareTheTimeAreExact) {
    for (const bool observed : {true, false}) {
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        simulator_.reset();
        Assembler(simulator_, ram)("li", {0, 7})("cmp", {0})("enable", {16})("ctl", {0xC2});
        Assembler(simulator_, ram + 0x400)("li", {0, 12})("cmp", {0})("ctl", {0xC2});
        Seen seen;
        if (observed) simulator_.attach(seen);
        EXPECT_EQ(run(126).reason, StopReason::cycles);
        EXPECT_EQ(get(simulator_, "epc"), ram + 0x410U);
        if (!observed) continue;
        simulator_.detach(seen);
        EXPECT_EQ(seen.interrupts, (std::vector<std::uint64_t>{70, 120}));
    }
}

// However a condition looks at the time: where it does not only compare, it is looked at in every tick.
TEST_P(ClintDevice, ConditionsMayLookAtTheTimeInAnyWay) {
    const std::vector<std::pair<std::string, std::uint64_t>> conditions = {
        {"mtime > stimecmp", 80},      {"!(mtime < stimecmp)", 70}, {"stimecmp == mtime", 70},
        {"mtime + 3 >= stimecmp", 40}, {"mtime[2..0] == 7", 70},    {"zext(mtime, 65) >= zext(stimecmp, 65)", 70},
        {"mtime >=s stimecmp", 70},    {"stimecmp <= mtime", 70},   {"mtime >= udiv(stimecmp, 1)", 70}};
    for (const auto& [condition, cycle] : conditions) {
        SCOPED_TRACE(condition);
        std::string text = virt_text(10);
        const std::string usual = "mtime >= stimecmp";
        text.replace(text.find(usual), usual.size(), condition);
        const auto spec = spec_of(text);
        EXPECT_EQ(simulator_.load(*spec), std::nullopt);
        simulator_.reset();
        Assembler(simulator_, ram)("li", {0, 7})("cmp", {0})("enable", {16})("ctl", {0xC2});
        Assembler(simulator_, ram + 0x400)("rdtime", {5})("ctl", {0x81});
        Seen seen;
        simulator_.attach(seen);
        EXPECT_EQ(run().reason, StopReason::halted);
        simulator_.detach(seen);
        EXPECT_EQ(seen.interrupts, (std::vector<std::uint64_t>{cycle}));
        EXPECT_EQ(get(simulator_, "r", 5), cycle / 10);
    }
    EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
}

TEST_P(ClintDevice, MovingTheTimeMovesTheConditions) {
    Assembler(simulator_, ram)("li", {0, 1000000})("cmp", {0})("enable", {16})("ctl", {0xC0})(
        "li", {1, clint_base + clint::mtime})("li", {0, 999999})("sd", {0, 1})("ctl", {0xC2});
    Assembler(simulator_, ram + 0x400)("ctl", {0x81});
    const auto result = run();
    EXPECT_EQ(result.reason, StopReason::halted);
    EXPECT_LT(result.cycles, 50U);
    EXPECT_EQ(get(simulator_, "mtime"), 1000000U);
}

TEST_P(ClintDevice, NothingToWaitForIsNoticed) {
    Assembler(simulator_, ram)("li", {0, 20})("cmp", {0})("ctl", {0xC2});
    EXPECT_EQ(run(1'000'000).reason, StopReason::waiting_forever);
    EXPECT_LT(simulator_.cycles(), 300U);  // what could have interrupted has come, and is not enabled
}

// ---- plic ----

class PlicDevice : public Virt {
  protected:
    static constexpr std::uint64_t priority(std::uint64_t source) { return plic::priority + 4 * source; }
    std::uint64_t at(std::uint64_t offset) { return read(plic_base + offset, 4); }
    void put(std::uint64_t offset, std::uint64_t value) { write(plic_base + offset, 4, value); }
    /// The UART's line, 10, and the other one's, 12, through their transmitters.
    void raise(std::uint64_t device, bool high) { write(device + ns16550::ier, 1, high ? 2 : 0); }
};

TEST_P(PlicDevice, RegistersKeepWhatTheyHave) {
    EXPECT_EQ(at(priority(10)), 0U);
    put(priority(10), 0xFF);
    put(plic::priority, 7);
    put(priority(97), 7);
    EXPECT_EQ(at(priority(10)), 7U);
    EXPECT_EQ(at(plic::priority), 0U);
    EXPECT_EQ(at(priority(97)), 0U);
    put(priority(96), 3);
    EXPECT_EQ(at(priority(96)), 3U);
    for (const std::uint64_t context : {0, 1}) {
        const std::uint64_t enable = plic::enable + plic::enable_stride * context;
        for (std::uint64_t word = 0; word < 5; ++word) put(enable + 4 * word, 0xFFFFFFFF);
        EXPECT_EQ(at(enable), 0xFFFFFFFEU);
        EXPECT_EQ(at(enable + 4), 0xFFFFFFFFU);
        EXPECT_EQ(at(enable + 8), 0xFFFFFFFFU);
        EXPECT_EQ(at(enable + 12), 1U);  // source 96
        EXPECT_EQ(at(enable + 16), 0U);
        put(plic::threshold + plic::context_stride * context, 8 + 2 + context);
        EXPECT_EQ(at(plic::threshold + plic::context_stride * context), 2 + context);
    }
    EXPECT_EQ(at(plic::threshold + 2 * plic::context_stride), 0U);
    put(plic::pending, 0xFFFFFFFF);
    EXPECT_EQ(at(plic::pending), 0U);
    EXPECT_EQ(read(plic_base + priority(10), 1), 0U);
    EXPECT_EQ(read(plic_base + priority(10), 8), 0U);
    write(plic_base + priority(10), 8, 1);
    EXPECT_EQ(at(priority(10)), 7U);
    EXPECT_EQ(simulator_.bus_errors(), 0U);
}

TEST_P(PlicDevice, ClaimsAndCompletes) {
    put(priority(10), 1);
    put(plic::enable + plic::enable_stride, 1 << 10);
    raise(serial, true);
    EXPECT_EQ(at(plic::pending), 1U << 10);
    EXPECT_EQ(get(simulator_, "seip"), 1U);
    EXPECT_EQ(get(simulator_, "meip"), 0U);
    EXPECT_EQ(at(plic::claim), 0U);  // not enabled for M
    EXPECT_EQ(at(plic::claim + plic::context_stride), 10U);
    EXPECT_EQ(at(plic::pending), 0U);
    EXPECT_EQ(get(simulator_, "seip"), 0U);
    EXPECT_EQ(at(plic::claim + plic::context_stride), 0U);
    raise(serial, false);
    raise(serial, true);
    EXPECT_EQ(at(plic::pending), 0U);  // still being served
    put(plic::claim, 10);              // M has it not enabled: ignored
    EXPECT_EQ(at(plic::pending), 0U);
    put(plic::claim + plic::context_stride, 10);  // the line is still high
    EXPECT_EQ(at(plic::pending), 1U << 10);
    raise(serial, false);  // a request is not withdrawn
    EXPECT_EQ(get(simulator_, "seip"), 1U);
    EXPECT_EQ(at(plic::claim + plic::context_stride), 10U);
    put(plic::claim + plic::context_stride, 10);
    EXPECT_EQ(at(plic::pending), 0U);
}

TEST_P(PlicDevice, PrioritiesThresholdsAndTies) {
    put(plic::enable, 1 << 10 | 1 << 12);
    raise(serial, true);
    raise(serial2, true);
    EXPECT_EQ(get(simulator_, "meip"), 0U);  // priority 0 never interrupts
    EXPECT_EQ(at(plic::claim), 0U);
    put(priority(10), 3);
    put(priority(12), 3);
    EXPECT_EQ(get(simulator_, "meip"), 1U);
    put(plic::threshold, 3);
    EXPECT_EQ(get(simulator_, "meip"), 0U);
    put(priority(12), 4);
    EXPECT_EQ(get(simulator_, "meip"), 1U);
    put(plic::threshold, 7);
    EXPECT_EQ(get(simulator_, "meip"), 0U);
    EXPECT_EQ(at(plic::claim), 12U);  // whatever the threshold
    put(plic::claim, 12);
    put(priority(12), 3);
    EXPECT_EQ(at(plic::claim), 10U);  // the lower number of equals
    EXPECT_EQ(at(plic::claim), 12U);
    EXPECT_EQ(at(plic::claim), 0U);
}

// ---- finisher, htif ----

class Ends : public Virt {
  protected:
    [[nodiscard]] std::uint64_t memory(std::uint64_t address, unsigned size) const {
        std::uint64_t value = 0;
        for (unsigned i = size; i-- > 0;) value = value << 8 | simulator_.peek(address + i);
        return value;
    }
    RunResult store(const std::string& how, std::uint64_t address, std::uint64_t value) {
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        simulator_.reset();
        Assembler(simulator_, ram)("li", {0, value & 0xFFFFFFFF})("li", {2, value >> 32})("shl", {2, 2, 32})(
            "or", {0, 2})("li", {1, address})(how, {0, 1})("ctl", {0x81});
        return run(100);
    }
};

TEST_P(Ends, Finisher) {
    auto result = store("sw", finisher_base, finisher::pass);
    EXPECT_EQ(result.reason, StopReason::exit);
    EXPECT_EQ(result.exit_code, 0U);
    result = store("sw", finisher_base, finisher::fail | 42 << 16);
    EXPECT_EQ(result.reason, StopReason::exit);
    EXPECT_EQ(result.exit_code, 42U);
    EXPECT_EQ(store("sw", finisher_base, finisher::fail).exit_code, 1U);
    EXPECT_EQ(store("sh", finisher_base, finisher::fail | 42 << 16).exit_code, 1U);
    EXPECT_EQ(store("sh", finisher_base, finisher::pass).reason, StopReason::exit);
    EXPECT_EQ(store("sw", finisher_base, finisher::reset).reason, StopReason::reset);
    EXPECT_EQ(store("sw", finisher_base, 0x1234).reason, StopReason::halted);
    EXPECT_EQ(store("sw", finisher_base + 4, finisher::pass).reason, StopReason::halted);
    EXPECT_EQ(store("sb", finisher_base, finisher::pass).reason, StopReason::halted);
    EXPECT_EQ(store("sd", finisher_base, finisher::pass).reason, StopReason::halted);
}

TEST_P(Ends, HostTargetInterface) {
    auto result = store("sd", tohost, 1);
    EXPECT_EQ(result.reason, StopReason::exit);
    EXPECT_EQ(result.exit_code, 0U);
    EXPECT_EQ(simulator_.peek(tohost), 1U);
    EXPECT_EQ(store("sw", tohost, 5 << 1 | 1).exit_code, 5U);
    EXPECT_EQ(read(tohost, 8), 11U);  // memory all the same
    EXPECT_EQ(read(tohost, 1), 11U);
    EXPECT_EQ(store("sd", tohost, 0x1000).reason, StopReason::halted);  // a system call: unanswered
    EXPECT_EQ(memory(tohost, 8), 0x1000U);
    EXPECT_EQ(store("sd", tohost, std::uint64_t{1} << 56 | std::uint64_t{1} << 48 | 'A').reason, StopReason::halted);
    EXPECT_EQ(simulator_.take_uart_output(), "A");
    EXPECT_EQ(memory(tohost, 8), 0U);  // taken
    EXPECT_EQ(store("sd", tohost + 8, 1).reason, StopReason::halted);
    EXPECT_EQ(memory(tohost + 8, 8), 1U);
    EXPECT_EQ(store("sd", tohost - 4, std::uint64_t{1} << 32).reason, StopReason::exit);  // across its beginning
    EXPECT_EQ(simulator_.bus_errors(), 0U);
}

TEST_P(Ends, HostTargetInterfaceWhereAProgramHasIt) {
    EXPECT_NE(simulator_.attach_htif(ram + 0x2000), std::nullopt);  // the platform has one
    std::erase_if(spec_->platform.devices, [](const auto& d) { return d.kind == isa::Device::Kind::htif; });
    EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
    EXPECT_NE(simulator_.attach_htif(serial), std::nullopt);
    EXPECT_NE(simulator_.attach_htif(0x1234), std::nullopt);
    simulator_.poke(ram + 0x2FFC, 0x77);
    EXPECT_EQ(simulator_.attach_htif(ram + 0x2FFC), std::nullopt);  // across pages
    EXPECT_NE(simulator_.attach_htif(ram + 0x4000), std::nullopt);
    simulator_.reset();
    EXPECT_EQ(read(ram + 0x2FFC, 8), 0x77U);
    Assembler(simulator_, ram)("li", {0, 7})("li", {1, ram + 0x2FFC})("sd", {0, 1});
    set(simulator_, "pc", ram);
    const auto result = run(100);
    EXPECT_EQ(result.reason, StopReason::exit);
    EXPECT_EQ(result.exit_code, 3U);
    // A system call prints and is answered where there is a place for the answer.
    const auto put = [&](std::uint64_t address, std::uint64_t value) {
        for (unsigned i = 0; i < 8; ++i) EXPECT_TRUE(simulator_.poke(address + i, value >> 8 * i & 0xFF));
    };
    const auto call = [&](std::uint64_t which, std::uint64_t file, std::uint64_t bytes) {
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        simulator_.reset();
        EXPECT_EQ(simulator_.attach_htif(ram + 0x3000, ram + 0x3008), std::nullopt);
        put(ram + 0x4000, which);
        put(ram + 0x4008, file);
        put(ram + 0x4010, ram + 0xFFFFC);  // four bytes before the end of RAM
        put(ram + 0x4018, bytes);
        for (unsigned i = 0; i < 4; ++i) EXPECT_TRUE(simulator_.poke(ram + 0xFFFFC + i, "host"[i]));
        Assembler(simulator_, ram)("li", {0, ram + 0x4000})("li", {1, ram + 0x3000})("sd", {0, 1})("ctl", {0x81});
        EXPECT_EQ(run(100).reason, StopReason::halted);
        return memory(ram + 0x4000, 8);
    };
    EXPECT_EQ(call(htif::sys_write, 1, 3), 3U);
    EXPECT_EQ(simulator_.take_uart_output(), "hos");
    EXPECT_EQ(memory(ram + 0x3000, 8), 0U);
    EXPECT_EQ(memory(ram + 0x3008, 8), 1U);
    EXPECT_EQ(call(htif::sys_write, 2, 100), 4U);  // what there is
    EXPECT_EQ(simulator_.take_uart_output(), "host");
    EXPECT_EQ(call(htif::sys_write, 3, 4), htif::bad_file);
    EXPECT_EQ(simulator_.take_uart_output(), "");
    EXPECT_EQ(call(63, 1, 3), 63U);  // another call
    EXPECT_EQ(memory(ram + 0x3000, 8), ram + 0x4000U);
    EXPECT_EQ(memory(ram + 0x3008, 8), 0U);
    EXPECT_EQ(simulator_.load(*spec_), std::nullopt);  // gone with the spec
    simulator_.reset();
    EXPECT_EQ(store("sd", ram + 0x2FFC, 7).reason, StopReason::halted);
}

// ---- platforms ----

TEST_P(Ends, BadPlatformsAreErrors) {
    const auto error = [&](const std::string& what) {
        const auto bad = spec_of(virt_text(10));
        for (auto& device : bad->platform.devices) {
            if (what == "line" && device.kind == isa::Device::Kind::ns16550) device.line = 97;
            if (what == "none" && device.kind == isa::Device::Kind::plic) device.sources = 0;
            if (what == "over" && device.kind == isa::Device::Kind::htif) device.base = serial;
        }
        if (what == "count") bad->translation.reads.push_back(bad->find_element("cycle_count"));
        if (what == "condition") bad->platform.counts.push_back({isa::Platform::retired, bad->find_element("mtip")});
        if (what == "time") bad->translation.reads.push_back(bad->find_element("mtime"));
        const auto result = simulator_.load(*bad);
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        return result.value_or("");
    };
    EXPECT_NE(error("none").find("1 to 0"), std::string::npos);
    EXPECT_NE(error("time").find("depend on the time"), std::string::npos);
    EXPECT_NE(error("count").find("what the core counts"), std::string::npos);
    EXPECT_NE(error("condition").find("cannot depend on what the core counts"), std::string::npos);
    EXPECT_NE(error("line").find("1 to 96"), std::string::npos);
    EXPECT_NE(error("over").find("overlap"), std::string::npos);
}

#define POGO_VIEWS(suite)                                                                   \
    INSTANTIATE_TEST_SUITE_P(Views, suite, ::testing::Values(View::clocked, View::batched), \
                             [](const auto& p) { return p.param == View::clocked ? "clocked" : "batched"; })
POGO_VIEWS(Serial);
POGO_VIEWS(ClintDevice);
POGO_VIEWS(PlicDevice);
POGO_VIEWS(Ends);

// Timers, both kinds, and the UART interrupt a program that reads the time; its handlers set them anew.
class VirtViews : public ::testing::TestWithParam<unsigned> {};

TEST_P(VirtViews, AgreeInEveryCycle) {
    const auto spec = spec_of(virt_text(GetParam()));
    Simulator simulator;
    std::uint64_t interrupts = 0;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        SCOPED_TRACE(seed);
        struct Run {
            Hasher hasher;
            isa::State state;
            std::string output;
            StopReason reason = StopReason::cycles;
        };
        const auto run = [&](View view, bool observed) {
            Run done;
            std::mt19937_64 random(seed);
            const auto below = [&](std::uint64_t n) { return random() % n; };
            simulator.set_view(view);
            EXPECT_EQ(simulator.load(*spec), std::nullopt);
            simulator.reset();
            Assembler start(simulator, ram);
            start("li", {1, plic_base + plic::priority + 40})("li", {0, 1})("sw", {0, 1});
            start("li", {1, plic_base + plic::enable})("li", {0, 1 << 10})("sw", {0, 1});
            start("li", {1, clint_base + clint::mtimecmp})("li", {0, 5 + below(20)})("sd", {0, 1});
            start("li", {0, 5 + below(20)})("cmp", {0})("enable", {2 + 4 + 16})("ctl", {0xC0});
            start("li", {6, serial + ns16550::ier})("li", {7, 1})("sb", {7, 6});
            const std::uint64_t loop = start.here();
            for (unsigned i = 0; i < 40; ++i) {
                if (below(3) == 0) start("ctl", {0xC2});
                start("rdtime", {5})("mul", {5, 5})("add", {4, 5});
                if (below(3) == 0) start("rdcycle", {10})("rdret", {11})("add", {4, 10})("add", {4, 11});
            }
            start("jump", {loop});
            // By cause: the timer, the UART, the comparison.
            Assembler handler(simulator, ram + 0x400);
            handler("rdtime", {8})("li", {9, 300 / GetParam() + below(30)})("add", {8, 9})(
                "li", {1, clint_base + clint::mtimecmp});
            handler("bcause", {1, 12})("bcause", {4, 16});
            handler("li", {2, plic_base + plic::claim})("lw", {3, 2})("li", {6, serial})("lb", {7, 6})("sb", {7, 6})(
                "sw", {3, 2})("ret");
            Assembler(simulator, ram + 0x800)("sd", {8, 1})("ret");
            Assembler(simulator, ram + 0x900)("cmp", {8})("ret");
            if (observed) simulator.attach(done.hasher);
            for (unsigned i = 0; i < 30; ++i) {
                if (i % 4 == 1) simulator.uart_input("ab");
                done.reason = simulator.run({.cycles = 150 + i}).reason;
            }
            if (observed) simulator.detach(done.hasher);
            done.state = simulator.state();
            done.output = simulator.take_uart_output();
            return done;
        };
        const Run clocked = run(View::clocked, true);
        const Run batched = run(View::batched, true);
        ASSERT_EQ(clocked.hasher.cycles, batched.hasher.cycles);
        interrupts += clocked.hasher.interrupts;
        for (const View view : {View::clocked, View::batched}) {
            const Run plain = run(view, false);
            ASSERT_EQ(plain.state, clocked.state);
            ASSERT_EQ(plain.reason, clocked.reason);
            ASSERT_EQ(plain.output, clocked.output);
        }
        EXPECT_EQ(clocked.output, "abababababababab");
    }
    EXPECT_GT(interrupts, 100U);
}
INSTANTIATE_TEST_SUITE_P(Timebases, VirtViews, ::testing::Values(1, 3, 10));

}  // namespace
}  // namespace pogo::model::test
