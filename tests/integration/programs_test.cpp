// Programs on the model: outputs and exit codes, and the same binary on an independent machine.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "command.hpp"
#include "isa/assembly.hpp"
#include "model/simulator.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using namespace isa;

struct Finished {
    model::RunResult result;
    std::string output;
    State state;
};

Finished finish(model::Simulator& simulator, const Spec& spec, std::uint64_t entry) {
    simulator.reset();
    bool sets_pc = false;
    for (const auto& write : spec.reset.writes) sets_pc = sets_pc || write.element == spec.pc;
    if (!sets_pc) {
        State state = simulator.state();
        state.set(spec[spec.pc], entry);
        simulator.set_state(state);
    }
    Finished run;
    run.result = simulator.run({.cycles = 20'000'000});
    run.output = simulator.take_uart_output();
    run.state = simulator.state();
    EXPECT_EQ(simulator.bus_errors(), 0U);
    return run;
}

Finished run_assembly(const Spec& spec, const std::string& path, model::View view) {
    SourceManager sources;
    Diagnostics diagnostics;
    const auto buffer = sources.add(path, text_of(std::string(POGO_PROGRAMS "/") + path));
    const auto image = assemble(spec, sources, buffer, diagnostics);
    EXPECT_TRUE(image.has_value()) << render(diagnostics, sources);
    model::Simulator simulator({.view = view});
    EXPECT_EQ(simulator.load(spec), std::nullopt);
    for (const auto& line : image->lines)
        for (std::size_t i = 0; i < line.units.size(); ++i)
            EXPECT_TRUE(simulator.poke(line.address + i, line.units[i]));
    return finish(simulator, spec, image->entry);
}

std::vector<std::uint64_t> registers(const Spec& spec, const State& state, std::initializer_list<const char*> names) {
    std::vector<std::uint64_t> values;
    for (const char* name : names) values.push_back(state.get(*spec.find_register(name), spec));
    return values;
}

class Views : public ::testing::TestWithParam<model::View> {};
INSTANTIATE_TEST_SUITE_P(Both, Views, ::testing::Values(model::View::batched, model::View::clocked),
                         [](const auto& view) { return view.param == model::View::batched ? "batched" : "clocked"; });

TEST_P(Views, LectureHello) {
    const Finished run = run_assembly(machine("lecture.isa"), "lecture/hello.s", GetParam());
    EXPECT_EQ(run.result.reason, model::StopReason::exit);
    EXPECT_EQ(run.result.exit_code, 0U);
    EXPECT_EQ(run.output, "Hello from supervisor mode.\nHello from user mode: ....... done.\n");
}

TEST_P(Views, Pg74Hello) {
    const Finished run = run_assembly(machine("pg74.isa"), "pg74/hello.s", GetParam());
    EXPECT_EQ(run.result.reason, model::StopReason::exit);
    EXPECT_EQ(run.result.exit_code, 0U);
    EXPECT_EQ(run.output, "Hello from supervisor mode.\nHello from user mode.\n");
}

// The worked example: the CCR that the guest sees after sti and after popf (I is 0x40, S is 0x80).
TEST(Lecture, StiAndPopfOnTheBareMachine) {
    const Spec spec = machine("lecture.isa", {{"popf", "true"}});
    const Finished run = run_assembly(spec, "lecture/sti_popf_bare.s", model::View::batched);
    EXPECT_THAT(registers(spec, run.state, {"r1", "r2", "r3", "r4", "r5", "r6"}),
                ::testing::ElementsAre(0x80, 0xC0, 0x80, 0xC0, 0x80, 0xC0));
}

// Deprivileged, popf leaves I alone without a trap: the monitor does not learn of it and the guest sees a wrong I.
TEST(Lecture, StiAndPopfUnderAMonitorGoWrong) {
    const Spec spec = machine("lecture.isa", {{"popf", "true"}});
    const Finished run = run_assembly(spec, "lecture/sti_popf_monitor.s", model::View::batched);
    EXPECT_THAT(registers(spec, run.state, {"r1", "r2", "r3", "r4", "r5", "r6"}),
                ::testing::ElementsAre(0x80, 0xC0, 0xC0, 0xC0, 0x80, 0x80));
}

TEST(Lecture, StiAndPopfWithTheExtensionAreRightAgain) {
    const Spec spec = machine("lecture.isa", {{"popf", "true"}}, "lecture-vt.policy.isa");
    const Finished run = run_assembly(spec, "lecture/sti_popf_vt.s", model::View::batched);
    EXPECT_THAT(registers(spec, run.state, {"r1", "r2", "r3", "r4", "r5", "r6"}),
                ::testing::ElementsAre(0x80, 0xC0, 0x80, 0xC0, 0x80, 0xC0));
}

TEST(Lecture, InterruptsReachTheGuestThroughTheMonitor) {
    const Spec spec = machine("lecture.isa", {{"popf", "true"}}, "lecture-vt.policy.isa");
    const Finished run = run_assembly(spec, "lecture/vt_interrupt.s", model::View::batched);
    EXPECT_EQ(run.result.reason, model::StopReason::halted);
    EXPECT_THAT(registers(spec, run.state, {"r2", "r3", "r4", "r5"}), ::testing::ElementsAre(0, 1, 2, 5));
}

// ---- The 68000 --------------------------------------------------------------------------------------------------

Finished run_elf(const Spec& spec, std::initializer_list<std::string> files, model::View view) {
    model::Simulator simulator({.view = view});
    EXPECT_EQ(simulator.load(spec), std::nullopt);
    for (const std::string& file : files) {
        const std::string bytes = text_of(std::string(POGO_BUILT_PROGRAMS "/") + file);
        const auto image = model::load_elf(std::as_bytes(std::span(bytes)), spec);
        EXPECT_TRUE(std::holds_alternative<model::Image>(image)) << file;
        EXPECT_FALSE(simulator.load(std::get<model::Image>(image)).has_value());
    }
    return finish(simulator, spec, 0);
}

bool built(const char* file) { return std::filesystem::exists(std::string(POGO_BUILT_PROGRAMS "/") + file); }

// A C program under the supervisor that serves its system calls writes and returns what it does under QEMU's Linux.
void runs_as_under_qemu(const Spec& spec, const std::string& prefix, const std::string& qemu, const char* arguments,
                        model::View view) {
    const std::string program = prefix + "program.elf";
    const Finished run = run_elf(spec, {prefix + "supervisor.elf", program}, view);
    EXPECT_EQ(run.result.reason, model::StopReason::exit);
    EXPECT_EQ(run.result.exit_code, 42U);
    EXPECT_GT(run.output.size(), 400U);
    if (!installed(qemu)) GTEST_SKIP() << "no " << qemu << " to compare with";
    const Result peer = shell(qemu + arguments + " " POGO_BUILT_PROGRAMS "/" + program);
    EXPECT_EQ(peer.code, 42);
    EXPECT_EQ(run.output, peer.out);
}

TEST_P(Views, M68000RunsACProgramUnderASupervisor) {
    if (!built("program.elf")) GTEST_SKIP() << "no m68k-linux-gnu-gcc";
    runs_as_under_qemu(machine("m68k.isa"), "", "qemu-m68k", " -cpu m68000", GetParam());
}

TEST_P(Views, M68020RunsACProgramOfItsOwnInstructions) {
    if (!built("68020-program.elf")) GTEST_SKIP() << "no m68k-linux-gnu-gcc";
    runs_as_under_qemu(machine("m68k.isa", {{"model", "68020"}}), "68020-", "qemu-m68k", " -cpu m68020", GetParam());
}

// The program checks itself against the frames of MC68000UM, section 6; its exit code is the first entry that is wrong.
TEST(M68k, StacksEveryExceptionAsTheManualSays) {
    if (!built("exceptions-68000.elf")) GTEST_SKIP() << "no m68k-linux-gnu-gcc";
    for (const char* model : {"68000", "68010"}) {
        const Spec spec = machine("m68k.isa", {{"model", model}});
        const std::string file = std::string("exceptions-") + model + ".elf";
        const Finished run = run_elf(spec, {file}, model::View::batched);
        EXPECT_EQ(run.result.reason, model::StopReason::exit) << model;
        EXPECT_EQ(run.result.exit_code, 0U) << model;
    }
}

// The same of the M68020 User's Manual, sections 6 and 9.7, where QEMU is no help.
TEST(M68k, StacksAndTakesFramesOfThe68020) {
    if (!built("frames-68020.elf")) GTEST_SKIP() << "no m68k-linux-gnu-gcc";
    const Finished run = run_elf(machine("m68k.isa", {{"model", "68020"}}), {"frames-68020.elf"}, model::View::batched);
    EXPECT_EQ(run.result.reason, model::StopReason::exit);
    EXPECT_EQ(run.result.exit_code, 0U);
}

// Tables, protection, frames, PTEST of the MC68030 and M68040 User's Manuals, sections 9 and 3.
TEST(M68k, Translates) {
    if (!built("paging-68030.elf")) GTEST_SKIP() << "no m68k-linux-gnu-gcc";
    for (const char* model : {"68030", "68040"}) {
        const std::string file = std::string("paging-") + model + ".elf";
        const Finished run = run_elf(machine("m68k.isa", {{"model", model}}), {file}, model::View::batched);
        EXPECT_EQ(run.result.reason, model::StopReason::exit) << model;
        EXPECT_EQ(run.result.exit_code, 0U) << model;
    }
}

// ---- RV64 ---------------------------------------------------------------------------------------------------------

TEST_P(Views, Rv64RunsACProgramUnderASupervisor) {
    if (!built("rv64-program.elf")) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    runs_as_under_qemu(machine("rv64.isa"), "rv64-", "qemu-riscv64", "", GetParam());
}

// It counts its own instructions. QEMU counts the one that sets its counter to 0, too.
TEST_P(Views, Rv64WorkloadFindsAndCountsAsUnderQemu) {
    if (!built("rv64-workload-1.elf")) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    const Finished run = run_elf(machine("rv64.isa"), {"rv64-workload-1.elf"}, GetParam());
    EXPECT_EQ(run.result.reason, model::StopReason::exit);
    EXPECT_EQ(run.result.exit_code, 0U);
    const auto counted = [](const std::string& output) {
        unsigned long long instructions = 0;
        EXPECT_EQ(std::sscanf(output.c_str(), "checksum 3145329872, instructions %llu", &instructions), 1) << output;
        return instructions;
    };
    const auto ours = counted(run.output);
    if (!installed("qemu-system-riscv64")) GTEST_SKIP() << "no qemu-system-riscv64 to compare with";
    const Result peer = shell(
        "timeout 30 qemu-system-riscv64 -M virt -icount 0 -bios none -display none -monitor none -serial stdio "
        "-kernel " POGO_BUILT_PROGRAMS "/rv64-workload-1.elf 2>&1 </dev/null");
    EXPECT_EQ(peer.code, 0);
    EXPECT_EQ(counted(peer.out), ours + 1);
}

// The program checks itself against the manual; its exit code is the number of the first check that fails.
TEST(Rv64, TrapsAsTheManualSays) {
    if (!built("rv64-traps.elf")) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    const Finished run = run_elf(machine("rv64.isa"), {"rv64-traps.elf"}, model::View::batched);
    EXPECT_EQ(run.result.reason, model::StopReason::exit);
    EXPECT_EQ(run.result.exit_code, 0U);
    if (!installed("qemu-system-riscv64")) GTEST_SKIP() << "no qemu-system-riscv64 to hold the program itself against";
    EXPECT_EQ(shell("timeout 30 qemu-system-riscv64 -M virt -bios none -display none -serial none -monitor none "
                    "-kernel " POGO_BUILT_PROGRAMS "/rv64-traps-qemu.elf")
                  .code,
              0);
}

}  // namespace
}  // namespace pogo::integration
