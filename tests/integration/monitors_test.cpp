// Monitors under monitors: a kernel that checks itself behaves the same bare and with up to three monitors below it.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <iomanip>
#include <iostream>
#include <map>

#include "command.hpp"
#include "isa/assembly.hpp"
#include "model/simulator.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using namespace isa;
using Registers = std::map<std::string, std::uint64_t>;

struct Costs : model::Observer {
    std::uint64_t instructions = 0, traps = 0, interrupts = 0;
    void on_retire(const model::RetireEvent&) override { ++instructions; }
    void on_trap(const model::RetireEvent&) override { ++traps; }
    void on_interrupt(const model::RetireEvent&) override { ++interrupts; }
};

struct Finished {
    model::StopReason reason{};
    std::uint64_t exit_code = 0, cycles = 0, bus_errors = 0;
    Costs costs;
    std::string output;
    Registers registers;                // the guest's, wherever they are: in the processor or with its monitor
    std::vector<std::uint64_t> memory;  // the guest's

    [[nodiscard]] std::uint64_t entries() const { return costs.traps + costs.interrupts; }
};

// What the tests share: a machine with programs in its memory, run to the end.
class Bench {
  public:
    explicit Bench(const Spec& spec) : spec_(spec) { EXPECT_EQ(simulator_.load(spec), std::nullopt); }

    void elf(const std::string& file) {
        const std::string bytes = built(file);
        const auto image = model::load_elf(std::as_bytes(std::span(bytes)), spec_);
        ASSERT_TRUE(std::holds_alternative<model::Image>(image)) << file;
        EXPECT_FALSE(simulator_.load(std::get<model::Image>(image)).has_value());
    }
    static std::uint64_t symbol(const std::string& file, const char* name) {
        const std::string bytes = built(file);
        return model::find_symbol(std::as_bytes(std::span(bytes)), name).value();
    }
    std::map<std::string, std::uint64_t> assembly(const std::string& text, std::uint64_t place) {
        SourceManager sources;
        Diagnostics diagnostics;
        const auto image = assemble(spec_, sources, sources.add("program", text), diagnostics);
        EXPECT_TRUE(image.has_value()) << render(diagnostics, sources);
        for (const auto& line : image->lines)
            for (std::size_t i = 0; i < line.units.size(); ++i)
                EXPECT_TRUE(simulator_.poke(place + line.address + i, line.units[i]));
        return image->labels;
    }

    Finished run(std::uint64_t cycles, std::optional<std::uint64_t> start = std::nullopt) {
        Finished run;
        simulator_.reset();
        if (start) {
            State state = simulator_.state();
            state.set(spec_[spec_.pc], *start);
            simulator_.set_state(state);
        }
        simulator_.attach(run.costs);
        const model::RunResult result = simulator_.run({.cycles = cycles});
        simulator_.retire_all();
        simulator_.detach(run.costs);
        run.reason = result.reason;
        run.exit_code = result.exit_code;
        run.cycles = result.cycles;
        run.output = simulator_.take_uart_output();
        state_ = simulator_.state();
        run.bus_errors = simulator_.bus_errors();
        return run;
    }
    [[nodiscard]] std::uint64_t reg(const std::string& name) const {
        return state_.get(*spec_.find_register(name), spec_);
    }
    [[nodiscard]] std::uint64_t word(std::uint64_t address, unsigned bytes, bool big) const {
        std::uint64_t value = 0;
        for (unsigned i = 0; i < bytes; ++i) value = value << 8 | simulator_.peek(address + (big ? i : bytes - 1 - i));
        return value;
    }
    [[nodiscard]] std::vector<std::uint64_t> memory(std::uint64_t from, std::uint64_t count) const {
        std::vector<std::uint64_t> units;
        for (std::uint64_t i = 0; i < count; ++i) units.push_back(simulator_.peek(from + i));
        return units;
    }

  private:
    static std::string built(const std::string& file) { return text_of(std::string(POGO_BUILT_PROGRAMS "/") + file); }

    const Spec& spec_;
    model::Simulator simulator_{};
    State state_;
};

std::string numbered(const char* prefix, unsigned n) { return prefix + std::to_string(n); }

// ---- The machines -------------------------------------------------------------------------------------------------

constexpr unsigned mutants = 5;

// `mutant`: 0 for none; it is the monitor right below the kernel.
Finished run_lecture(const Spec& spec, const std::vector<std::string>& guest, unsigned depth, unsigned mutant,
                     std::uint64_t cycles) {
    constexpr std::uint64_t step = 0x1000;
    static constexpr std::array<const char*, mutants + 1> names{"", "lost", "masked", "user", "vector", "limit"};
    Bench bench(spec);
    std::map<std::string, std::uint64_t> labels;
    for (unsigned i = 0; i < depth; ++i) {
        std::string text = text_of(POGO_PROGRAMS "/lecture/vmm.s");
        if (mutant != 0 && i + 1 == depth) {
            const std::string mark = std::string("; mutant ") + names[mutant] + ": ";
            const auto at = text.find(mark);
            EXPECT_NE(at, std::string::npos) << mark;
            text.erase(text.rfind('\n', at) + 1, at + mark.size() - text.rfind('\n', at) - 1);
        }
        labels = bench.assembly(text, i * step);
    }
    for (const std::string& file : guest)
        bench.assembly(text_of(POGO_PROGRAMS "/lecture/" + file + ".s"), depth * step);
    Finished run = bench.run(cycles, 0);
    for (unsigned i = 1; i < 16; ++i) run.registers[numbered("r", i)] = bench.reg(numbered("r", i));
    for (const char* name : {"ccr", "base", "limit", "vbr", "epc", "eccr", "eva"})
        run.registers[name] = depth == 0
                                  ? bench.reg(name)
                                  : bench.word((depth - 1) * step + labels.at(std::string("v_") + name), 4, true);
    run.memory = bench.memory(depth * step, 0x2000);
    return run;
}

// Monitors are numbered from the guest down; the machine starts in the lowest.
constexpr std::array<std::uint64_t, 4> m68010_places{0, 0x310000, 0x320000, 0x330000};
constexpr std::array<std::uint64_t, 4> rv64_places{0x80000000, 0x81000000, 0x82000000, 0x84000000};

void load(Bench& bench, const std::string& prefix, const std::vector<std::string>& guest, unsigned depth,
          unsigned mutant) {
    for (unsigned i = 1; i <= depth; ++i) bench.elf(numbered((prefix + "vmm-").c_str(), i) + ".elf");
    if (mutant != 0) bench.elf(numbered((prefix + "vmm-mutant-").c_str(), mutant) + ".elf");
    for (const std::string& file : guest) bench.elf(prefix + file + ".elf");
}

// A monitor has to be started behind the two words that a reset would load from 0, where the guest's are.
Finished run_m68010(const Spec& spec, const std::vector<std::string>& guest, unsigned depth, unsigned mutant,
                    std::uint64_t cycles) {
    Bench bench(spec);
    load(bench, "", guest, depth, mutant);
    Finished run =
        bench.run(cycles, depth == 0 ? std::nullopt : std::optional<std::uint64_t>(m68010_places[depth] + 8));
    for (unsigned i = 0; i < 8; ++i) run.registers[numbered("d", i)] = bench.reg(numbered("d", i));
    for (unsigned i = 0; i < 7; ++i) run.registers[numbered("a", i)] = bench.reg(numbered("a", i));
    run.registers["a7"] = bench.reg(depth == 0 ? "ssp" : "usp");
    run.registers["pc"] = bench.reg("pc");
    run.registers["ccr"] = bench.reg("sr") & 0x1F;
    const auto vm = depth == 0 ? 0 : Bench::symbol("vmm-1.elf", "vm");
    const auto control = [&](const char* name, std::uint64_t offset, unsigned bytes) {
        run.registers[name] = depth == 0 ? bench.reg(name) : bench.word(vm + offset, bytes, true);
    };
    control("usp", 64, 4);
    control("vbr", 72, 4);
    control("sr", 76, 2);
    run.registers["sr"] &= 0xFF00;
    control("sfc", 78, 1);
    control("dfc", 79, 1);
    run.memory = bench.memory(0, 0x4000);
    return run;
}

Finished run_rv64(const Spec& spec, const std::vector<std::string>& guest, unsigned depth, unsigned mutant,
                  std::uint64_t cycles) {
    Bench bench(spec);
    load(bench, "rv64-", guest, depth, mutant);
    Finished run = bench.run(cycles, rv64_places[depth]);
    const auto below = depth == 0 ? 0 : Bench::symbol("rv64-vmm-1.elf", "below");
    for (unsigned i = 1; i < 32; ++i) {
        const std::string name = numbered("x", i);
        run.registers[name] = depth == 0 ? bench.reg(name) : bench.word(below + 8 * std::uint64_t{i}, 8, false);
    }
    const auto vm = depth == 0 ? 0 : Bench::symbol("rv64-vmm-1.elf", "vm");
    std::uint64_t offset = 0;
    for (const char* name :
         {"priv", "pc", "mstatus", "mtvec", "mepc", "mcause", "mtval", "mscratch", "mie", "mcounteren"}) {
        run.registers[name] = depth == 0 ? bench.reg(name) : bench.word(vm + offset, 8, false);
        offset += 8;
    }
    run.registers.erase("pc");            // the model's is a few instructions behind the store that ends the run
    run.registers["mstatus"] &= 0x21888;  // there is no supervisor mode under a monitor
    run.memory = bench.memory(rv64_places[0], 0x10000);
    return run;
}

struct Machine {
    const char* name;
    const char* file;
    Arguments arguments;
    Finished (*run)(const Spec&, const std::vector<std::string>& guest, unsigned depth, unsigned mutant,
                    std::uint64_t cycles);
    const char* needs;  // a program that is built, or nothing
};
void PrintTo(const Machine& machine, std::ostream* out) { *out << machine.name; }

class Monitors : public ::testing::TestWithParam<Machine> {
  protected:
    void SetUp() override {
        const char* needs = GetParam().needs;
        if (needs != nullptr && !std::filesystem::exists(std::string(POGO_BUILT_PROGRAMS "/") + needs))
            GTEST_SKIP() << "no cross compiler";
    }
    [[nodiscard]] Finished run(const Spec& spec, unsigned depth, unsigned mutant = 0,
                               std::uint64_t cycles = 200'000'000) const {
        return GetParam().run(spec, {"kernel"}, depth, mutant, cycles);
    }
    const Spec spec_ = machine(GetParam().file, GetParam().arguments);
};

void expect_ended(const Finished& run) {
    EXPECT_THAT(run.reason, ::testing::AnyOf(model::StopReason::halted, model::StopReason::exit));
    EXPECT_EQ(run.exit_code, 0U);
    EXPECT_EQ(run.bus_errors, 0U);
}

// ---- Properties -----------------------------------------------------------------------------------------------------

void expect_the_same(const Finished& guest, const Finished& bare, unsigned depth) {
    expect_ended(guest);
    EXPECT_EQ(guest.output, bare.output) << depth;
    EXPECT_EQ(guest.registers, bare.registers) << depth;
    EXPECT_TRUE(guest.memory == bare.memory) << depth;
}
void print(unsigned depth, const Finished& run) {
    if (depth == 0) std::cout << "monitors      cycles  instructions     traps  interrupts\n";
    std::cout << std::setw(8) << depth << std::setw(12) << run.cycles << std::setw(14) << run.costs.instructions
              << std::setw(10) << run.costs.traps << std::setw(12) << run.costs.interrupts << '\n';
}

// PG74, Theorem 2: a monitor without timing dependencies runs under itself. Every level costs more than the one below.
TEST_P(Monitors, AreNotSeenByTheGuest) {
    const Finished bare = run(spec_, 0);
    expect_ended(bare);
    EXPECT_GT(bare.output.size(), 500U);
    print(0, bare);
    Finished less = bare;
    for (const unsigned depth : {1U, 2U}) {
        const Finished guest = run(spec_, depth);
        expect_the_same(guest, bare, depth);
        EXPECT_GT(guest.cycles, less.cycles);
        EXPECT_GT(guest.entries(), less.entries());
        print(depth, guest);
        less = guest;
    }
}

TEST_P(Monitors, AreNotSeenThreeDeep) {
    const Finished bare = run(spec_, 0);
    const Finished guest = run(spec_, 3);
    expect_the_same(guest, bare, 3);
    print(0, bare);
    print(3, guest);
}

// Other pipelines, other cycles, ticks in other places: the same output.
TEST_P(Monitors, DoNotDependOnTime) {
    const Finished bare = run(spec_, 0);
    Spec slow = spec_;
    slow.timing.trap_cycles = 40;
    slow.timing.interrupt_cycles = 70;
    slow.timing.load_latency = 5;
    slow.timing.branch_penalty = 3;
    for (const unsigned depth : {0U, 1U}) {
        const Finished guest = run(slow, depth);
        EXPECT_NE(guest.cycles, bare.cycles);
        expect_the_same(guest, bare, depth);
    }
}

// An effect that is lost, an interrupt that is delivered although it is masked, a user program that may do what only a
// supervisor may, a wrong vector, and what the machine's allocator does (limit, stack pointers, protected memory) left
// out: the guest's output tells.
TEST_P(Monitors, AreFoundOutWhereTheyAreWrong) {
    const Finished bare = run(spec_, 0);
    for (unsigned mutant = 1; mutant <= mutants; ++mutant) {
        const Finished guest = run(spec_, 1, mutant, 2'000'000);
        EXPECT_NE(guest.output, bare.output) << mutant;
    }
}

// What was written for the bare machine and checks itself there, unchanged: every exception of the 68010 with its
// frame, RV64's traps, and C programs under supervisors, which show what a monitor is for: a program that computes runs
// as fast as without.
struct Guest {
    const char* name;
    const char* file;
    Arguments arguments;
    std::vector<std::string> programs;
    decltype(Machine::run) run;
    std::uint64_t exit_code;
    double slower;  ///< at most, in cycles, per monitor
};
void PrintTo(const Guest& guest, std::ostream* out) { *out << guest.name; }
class MonitorsGuests : public ::testing::TestWithParam<Guest> {};

TEST_P(MonitorsGuests, EndAsOnTheBareMachine) {
    const Guest& guest = GetParam();
    const std::string prefix = guest.run == run_rv64 ? "rv64-" : "";
    if (!std::filesystem::exists(POGO_BUILT_PROGRAMS "/" + prefix + "vmm-1.elf")) GTEST_SKIP() << "no cross compiler";
    const Spec spec = machine(guest.file, guest.arguments);
    Finished before;
    for (const unsigned depth : {0U, 1U, 2U}) {
        Finished run = guest.run(spec, guest.programs, depth, 0, 200'000'000);
        EXPECT_EQ(run.reason, model::StopReason::exit);
        EXPECT_EQ(run.exit_code, guest.exit_code) << depth;
        EXPECT_EQ(run.bus_errors, 0U) << depth;
        print(depth, run);
        if (depth != 0) {
            EXPECT_EQ(run.output, before.output) << depth;
            EXPECT_LT(static_cast<double>(run.cycles), guest.slower * static_cast<double>(before.cycles));
        }
        before = std::move(run);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Programs, MonitorsGuests,
    ::testing::Values(
        Guest{"M68010Exceptions", "m68k.isa", {{"model", "68010"}}, {"exceptions-68010"}, run_m68010, 0, 100},
        Guest{"M68010Program", "m68k.isa", {{"model", "68010"}}, {"supervisor", "program"}, run_m68010, 42, 2},
        Guest{"Rv64Traps", "rv64.isa", {}, {"traps-machine-user"}, run_rv64, 0, 100},
        Guest{"Rv64Program", "rv64.isa", {}, {"supervisor", "program"}, run_rv64, 42, 100}),
    [](const auto& guest) { return guest.param.name; });

// PG74, resource control: a guest that reaches for what is not its own finds no memory there.
TEST(MonitorsOfRv64, KeepTheirMemory) {
    if (!std::filesystem::exists(POGO_BUILT_PROGRAMS "/rv64-vmm-1.elf")) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    const Spec spec = machine("rv64.isa");
    for (const unsigned depth : {1U, 2U}) {
        Bench bench(spec);
        load(bench, "rv64-", {"hostile"}, depth, 0);
        const auto code = [&](unsigned level) { return bench.memory(rv64_places[level] + 0x110, 0xA00); };
        const auto inner = code(1);
        const auto outer = code(depth);
        const Finished run = bench.run(200'000'000, rv64_places[depth]);
        EXPECT_EQ(run.reason, model::StopReason::exit);
        EXPECT_EQ(run.exit_code, 0U) << depth;
        EXPECT_TRUE(inner == code(1) && outer == code(depth));
    }
}

TEST(MonitorsOfLecture, KeepTheirMemory) {
    const Spec spec = machine("lecture.isa");
    const std::string hostile =
        "        bra start\n"
        "        halt                    ; an illegal instruction: nothing is where it wants to go on\n"
        ".org 0x80\n"
        "start:  li r1, 0xE000           ; beyond its memory, as supervisor,\n"
        "        lih r1, 0xF\n"
        "        li r2, 0x2000\n"
        "        lih r2, 0x10\n"
        "beyond: sw r0, 0(r1)\n"
        "        add r1, r1, #4\n"
        "        cmp r1, r2\n"
        "        bne beyond\n"
        "        li r1, -0x3000          ; and below it,\n"
        "below:  sw r0, 0(r1)\n"
        "        add r1, r1, #4\n"
        "        li r2, -0x1000\n"
        "        cmp r1, r2\n"
        "        bne below\n"
        "        li r1, -0x1000          ; and with a base that is nowhere\n"
        "        put base, r1\n"
        "        li r1, -1\n"
        "        put limit, r1\n"
        "        put epc, r0\n"
        "        put eccr, r0\n"
        "        rte\n";
    const std::string monitor = text_of(POGO_PROGRAMS "/lecture/vmm.s");
    for (const unsigned depth : {1U, 2U}) {
        Bench bench(spec);
        std::map<std::string, std::uint64_t> labels;
        for (unsigned i = 0; i < depth; ++i) labels = bench.assembly(monitor, i * std::uint64_t{0x1000});
        bench.assembly(hostile, depth * std::uint64_t{0x1000});
        const auto code = [&](unsigned level) {
            return bench.memory(level * std::uint64_t{0x1000}, labels.at("regs"));
        };
        const auto inner = code(depth - 1);
        const auto outer = code(0);
        const Finished run = bench.run(50'000'000, 0);
        EXPECT_EQ(run.reason, model::StopReason::halted);
        EXPECT_EQ(run.bus_errors, 0U);
        EXPECT_TRUE(inner == code(depth - 1) && outer == code(0));
    }
}

// The same monitors on QEMU's virt: what is the machine's and not Pogo's. Bare, the kernel sees another choice of what
// manuals leave open there.
TEST(MonitorsOfRv64, RunUnderThemselvesOnQemu) {
    if (!std::filesystem::exists(POGO_BUILT_PROGRAMS "/rv64-vmm-1.elf")) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    if (!installed("qemu-system-riscv64")) GTEST_SKIP() << "no qemu-system-riscv64";
    const auto peer = [](const std::vector<std::string>& guest, unsigned depth) {
        std::string line =
            "timeout 60 qemu-system-riscv64 -M virt -bios none -display none -monitor none -serial stdio";
        std::vector<std::string> files = guest;
        for (unsigned i = 1; i <= depth; ++i) files.push_back(numbered("vmm-", i));
        for (const std::string& file : files)
            line += " -device loader,file=" POGO_BUILT_PROGRAMS "/rv64-" + file + ".elf";
        return shell(line + " -device loader,cpu-num=0,addr=" + std::to_string(rv64_places[depth]) +
                     " 2>&1 </dev/null");
    };
    const Finished program = run_rv64(machine("rv64.isa"), {"supervisor", "program"}, 1, 0, 20'000'000);
    for (const unsigned depth : {0U, 1U, 2U}) {
        const Result found = peer({"supervisor", "program"}, depth);
        EXPECT_EQ(found.code, 42) << depth;
        EXPECT_EQ(found.out, program.output) << depth;
    }
    const Result first = peer({"kernel"}, 1);
    EXPECT_EQ(first.code, 0);
    EXPECT_THAT(first.out, ::testing::EndsWith("end 5\n"));
    const Result second = peer({"kernel"}, 2);
    EXPECT_EQ(second.code, 0);
    EXPECT_EQ(second.out, first.out);
}

INSTANTIATE_TEST_SUITE_P(Machines, Monitors,
                         ::testing::Values(Machine{"Lecture", "lecture.isa", {}, run_lecture, nullptr},
                                           Machine{"M68010", "m68k.isa", {{"model", "68010"}}, run_m68010, "vmm-1.elf"},
                                           Machine{"Rv64", "rv64.isa", {}, run_rv64, "rv64-vmm-1.elf"}),
                         [](const auto& machine) { return machine.param.name; });

}  // namespace
}  // namespace pogo::integration
