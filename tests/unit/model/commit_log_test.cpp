// The commit log against lines that riscv-isa-sim wrote for the same program.
// SPDX-License-Identifier: Apache-2.0
#include "model/commit_log.hpp"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "isa/assembly.hpp"
#include "support.hpp"

namespace pogo::model::test {
namespace {

constexpr const char* program = R"(
.org 0x80000000
start:
  auipc x5, 0
  addi x5, x5, 256
  csrrw x0, mscratch, x5
  c.li x6, 17
  addi x7, x0, -1
  sb x7, 3(x5)
  sd x6, 8(x5)
  lh x8, 2(x5)
  amoadd.w x9, x6, (x5)
  lr.d x10, (x5)
  sc.d x11, x7, (x5)
  sc.d x12, x7, (x5)
  csrrs x13, mscratch, x0
  csrrwi x0, sstatus, 2
  csrrci x14, mscratch, 4
  addi x0, x0, 5
  auipc x15, 0
  addi x15, x15, 22
  csrrw x0, mtvec, x15
  ecall
  addi x1, x0, 1
  c.addi x1, 1
  csrrw x0, mepc, x15
  c.addi x15, 22
  csrrw x0, mepc, x15
  mret
  addi x2, x0, 2
  addi x2, x0, 3
  addi x2, x0, 4
  ebreak
)";

// From riscv-isa-sim (commit 55b4658, `spike --isa=rv64imac_zicsr_zifencei_zicntr --pmpregions=0 --log-commits`), whose
// lines commit_log_print_insn() in riscv/execute.cc writes: registers changed or not, none for x0, for rs1 = x0 no
// control and status register, mstatus for sstatus, no line for what traps.
constexpr const char* expected =
    "core   0: 3 0x0000000080000000 (0x00000297) x5  0x0000000080000000\n"
    "core   0: 3 0x0000000080000004 (0x10028293) x5  0x0000000080000100\n"
    "core   0: 3 0x0000000080000008 (0x34029073) c832_mscratch 0x0000000080000100\n"
    "core   0: 3 0x000000008000000c (0x4345) x6  0x0000000000000011\n"
    "core   0: 3 0x000000008000000e (0xfff00393) x7  0xffffffffffffffff\n"
    "core   0: 3 0x0000000080000012 (0x007281a3) mem 0x0000000080000103 0xff\n"
    "core   0: 3 0x0000000080000016 (0x0062b423) mem 0x0000000080000108 0x0000000000000011\n"
    "core   0: 3 0x000000008000001a (0x00229403) x8  0xffffffffffffff00 mem 0x0000000080000102\n"
    "core   0: 3 0x000000008000001e (0x0062a4af) x9  0xffffffffff000000 mem 0x0000000080000100 mem 0x0000000080000100 "
    "0xff000011\n"
    "core   0: 3 0x0000000080000022 (0x1002b52f) x10 0x00000000ff000011 mem 0x0000000080000100\n"
    "core   0: 3 0x0000000080000026 (0x1872b5af) x11 0x0000000000000000 mem 0x0000000080000100 0xffffffffffffffff\n"
    "core   0: 3 0x000000008000002a (0x1872b62f) x12 0x0000000000000001\n"
    "core   0: 3 0x000000008000002e (0x340026f3) x13 0x0000000080000100\n"
    "core   0: 3 0x0000000080000032 (0x10015073) c768_mstatus 0x0000000a00000002\n"
    "core   0: 3 0x0000000080000036 (0x34027773) x14 0x0000000080000100 c832_mscratch 0x0000000080000100\n"
    "core   0: 3 0x000000008000003a (0x00500013)\n"
    "core   0: 3 0x000000008000003e (0x00000797) x15 0x000000008000003e\n"
    "core   0: 3 0x0000000080000042 (0x01678793) x15 0x0000000080000054\n"
    "core   0: 3 0x0000000080000046 (0x30579073) c773_mtvec 0x0000000080000054\n"
    "core   0: 3 0x0000000080000054 (0x34179073) c833_mepc 0x0000000080000054\n"
    "core   0: 3 0x0000000080000058 (0x07d9) x15 0x000000008000006a\n"
    "core   0: 3 0x000000008000005a (0x34179073) c833_mepc 0x000000008000006a\n"
    "core   0: 3 0x000000008000005e (0x30200073) c768_mstatus 0x0000000a00000082\n"
    "core   0: 3 0x000000008000006a (0x00400113) x2  0x0000000000000004\n";

isa::Spec machine(const char* name) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    auto spec = isa::load_spec_file(sources, std::string(POGO_SPECS "/") + name, std::nullopt, {}, diagnostics);
    EXPECT_TRUE(spec.has_value());
    return std::move(*spec);
}

class CommitLogs : public ::testing::TestWithParam<View> {};
INSTANTIATE_TEST_SUITE_P(Both, CommitLogs, ::testing::Values(View::batched, View::clocked),
                         [](const auto& view) { return view.param == View::batched ? "batched" : "clocked"; });

TEST_P(CommitLogs, AreThoseOfSpike) {
    const isa::Spec spec = machine("rv64.isa");
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto image = isa::assemble(spec, sources, sources.add("program", program), diagnostics);
    ASSERT_TRUE(image.has_value()) << isa::render(diagnostics, sources);
    Simulator simulator({.view = GetParam()});
    ASSERT_EQ(simulator.load(spec), std::nullopt);
    for (const auto& line : image->lines)
        for (std::size_t i = 0; i < line.units.size(); ++i) simulator.poke(line.address + i, line.units[i]);
    simulator.reset();
    // Spike ran without PMP: here one entry that matches everywhere leaves all to user mode (PM 3.7.1).
    isa::State state = simulator.state();
    state.set(spec[spec.find_element("pmpcfg")], 0x1f, 0);
    state.set(spec[spec.find_element("pmpaddr")], ~std::uint64_t{0} >> 19, 0);
    simulator.set_state(state);
    std::ostringstream text;
    CommitLog log(text, simulator.state(), [&](std::uint64_t address) { return simulator.peek(address); });
    EXPECT_EQ(CommitLog::unfit(spec), std::nullopt);
    simulator.attach(log);
    const auto instructions = static_cast<std::uint64_t>(std::count(expected, expected + std::strlen(expected), '\n'));
    EXPECT_EQ(simulator.run({.steps = instructions + 1}).reason, StopReason::steps);  // and a trap
    EXPECT_LT(text.str().size(), std::strlen(expected)) << "the last are still in the pipeline";
    simulator.retire_all();
    simulator.detach(log);
    EXPECT_EQ(text.str(), expected);
}

TEST(CommitLog, IsOfRiscVOnly) {
    for (const char* name : {"m68k.isa", "lecture.isa", "pg74.isa"})
        EXPECT_TRUE(CommitLog::unfit(machine(name))) << name;
}

}  // namespace
}  // namespace pogo::model::test
