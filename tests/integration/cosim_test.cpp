// The model in lockstep with QEMU: programs agree to the end, seeded mistakes are found where they are.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "command.hpp"

namespace pogo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string rv64 = POGO_SPECS "/rv64.isa";

class Cosimulation : public CommandTest {
  protected:
    void SetUp() override {
        CommandTest::SetUp();
        if (!installed("qemu-system-riscv64")) GTEST_SKIP() << "no qemu-system-riscv64 to run beside the model";
    }
    // The shipped spec with one text replaced.
    [[nodiscard]] std::string mutant(const std::string& from, const std::string& to) const {
        return file("rv64.isa", replaced(text_of(rv64), from, to));
    }
    static Result lockstep(const std::string& spec, const std::string& program, const std::string& peer = "qemu") {
        return pogo("run " + spec + " " + program + " --lockstep " + peer);
    }
};

TEST_F(Cosimulation, TrapsAgreeToTheEnd) {
    const std::string program = POGO_BUILT_PROGRAMS "/rv64-traps-qemu.elf";
    if (!std::filesystem::exists(program)) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    const Result r = lockstep(rv64, "--elf " + program);
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_THAT(r.out, HasSubstr(" instructions agree with QEMU"));
    EXPECT_THAT(r.out, HasSubstr("stopped (exit)"));
}

// A short program with an instruction of every kind; it ends the run by the finisher.
constexpr const char* program = R"(
.org 0x80000000
start:
  auipc x5, 0
  addi x5, x5, 1024
  c.li x6, 17
  addi x7, x0, -3
  xor x8, x6, x7
  mulhsu x9, x7, x6
  sb x7, 3(x5)
  sd x6, 8(x5)
  lh x10, 2(x5)
  amoadd.w x11, x6, (x5)
  lr.d x12, (x5)
  sc.d x13, x7, (x5)
  csrrw x0, mscratch, x5
  csrrwi x14, sstatus, 2
  addi x15, x0, -1
  csrrw x0, pmpaddr0, x15
  csrrwi x0, pmpcfg0, 31
  auipc x15, 0
  addi x15, x15, 20
  csrrw x0, mepc, x15
  mret
  ebreak
  lui x16, 256
  lui x17, 5
  addi x17, x17, 1365
  sw x17, 0(x16)
)";

TEST_F(Cosimulation, EveryKindOfInstructionAgrees) {
    const Result r = lockstep(rv64, "--asm " + file("p.s", program));
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_THAT(r.out, HasSubstr("stopped (exit)"));
    EXPECT_THAT(r.out, HasSubstr("24 instructions agree with QEMU; 0 values depend on the platform, 0 states"));
}

struct Mistake {
    const char* name;
    const char* from;
    const char* to;
    const char* where;  // the line of the report that points
    const char* what;   // and of what differs: model, then QEMU
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class Mistakes : public Cosimulation, public ::testing::WithParamInterface<Mistake> {};
INSTANTIATE_TEST_SUITE_P(Seeded, Mistakes,
                         ::testing::Values(Mistake{"xor", "x[rd] = x[rs1] ^ x[rs2];", "x[rd] = x[rs1] | x[rs2];",
                                                   "> 000000008000000e  xor x8, x6, x7",
                                                   "x8          0xfffffffffffffffd  0xffffffffffffffec  0x0"},
                                           Mistake{"mret", "mstatus.MIE = mstatus.MPIE;\n  mstatus.MPIE = 1;",
                                                   "mstatus.MIE = mstatus.MPIE;\n  mstatus.MPIE = 0;", "mret\n",
                                                   "mstatus     0xa00000002         0xa00000082"},
                                           Mistake{"mscratch", "return mscratch; } write(v) { mscratch = v; }",
                                                   "return mscratch; } write(v) { }", "csrrw x0, mscratch, x5\n",
                                                   "mscratch    0x0                 0x80000400"},
                                           Mistake{"sb", "mem[x[rs1] + sext(d, 64), 1] = x[rs2][7..0];",
                                                   "mem[x[rs1] + sext(d, 64), 1] = x[rs2][8..1];", "sb x7, 3(x5)\n",
                                                   "[80000403]  fe                  fd"}),
                         [](const auto& mistake) { return mistake.param.name; });

TEST_P(Mistakes, AreFoundAtTheirInstruction) {
    const Mistake& mistake = GetParam();
    const Result r = lockstep(mutant(mistake.from, mistake.to), "--asm " + file("p.s", program));
    EXPECT_EQ(r.code, 1) << r.out;
    const auto pointer = r.out.find("  > ");
    ASSERT_NE(pointer, std::string::npos) << r.out;
    EXPECT_THAT(r.out.substr(pointer), HasSubstr(mistake.where));
    EXPECT_THAT(r.out.substr(pointer), HasSubstr(mistake.what));
}

// The timer of the model interrupts; QEMU's, by its own time, never does. The time itself, the line in mip and what the
// CLINT answers differ and are the model's.
TEST_F(Cosimulation, TimeAndInterruptsAreTheModels) {
    const Result r = lockstep(rv64, "--asm " + file("p.s", R"(
.org 0x80000000
start:
  auipc x5, 0
  addi x5, x5, 88
  csrrw x0, mtvec, x5
  lui x6, 0x200c
  ld x7, -8(x6)       // mtime
  csrrs x8, time, x0
  addi x7, x8, 20
  lui x9, 0x2004
  sd x7, 0(x9)        // mtimecmp
  addi x10, x0, 128
  csrrw x0, mie, x10
  csrrwi x0, mstatus, 8
wait:
  c.addi x11, 1
  beq x12, x0, wait
  wfi
  csrrs x13, mip, x0
  lui x16, 256
  lui x17, 5
  addi x17, x17, 1365
  sw x17, 0(x16)
.align 4
  .half 1, 1
.org 0x80000058
handler:
  csrrw x0, mie, x0
  addi x12, x0, 1
  mret
)"));
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_THAT(r.out, HasSubstr("2 states are the model's alone")) << "the interrupt's entry, and WFI";
    EXPECT_THAT(r.out, Not(HasSubstr(" 0 values depend")));
}

TEST_F(Cosimulation, ConnectsToAStubThatIsRunning) {
    const std::string socket = (folder_ / "stub").string();
    const Result r = shell(
        "qemu-system-riscv64 -M virt -cpu "
        "rv64,f=off,d=off,h=off,pmu-num=0,mvendorid=0,marchid=0,mimpid=0 "
        "-bios none -nodefaults -display none -no-reboot -S -gdb unix:" +
        socket + ",server=on,wait=off & peer=$!; for i in 1 2 3 4 5 6 7 8 9; do test -S " + socket +
        " && break; sleep 0.3; done; " + POGO_COMMAND + " run " + rv64 + " --asm " + file("p.s", program) +
        " --lockstep unix:" + socket + " 2>&1; code=$?; kill $peer 2>/dev/null; exit $code");
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_THAT(r.out, HasSubstr("24 instructions agree with the stub"));
}

TEST_F(Cosimulation, SaysWhatIsWrongWithThePeer) {
    const std::string text = "--asm " + file("p.s", program);
    for (const char* peer : {"unix:/nonexistent", "unix:", "tcp:1", "elsewhere"}) {
        const Result r = lockstep(rv64, text, peer);
        EXPECT_EQ(r.code, 65) << peer;
        EXPECT_THAT(r.out, HasSubstr("error[E0903]: no lockstep with `" + std::string(peer) + "`: cannot connect to"));
    }
    const Result none = lockstep(lecture_, "--asm " POGO_PROGRAMS "/lecture/hello.s");
    EXPECT_EQ(none.code, 65);
    EXPECT_THAT(none.out, HasSubstr("there is no QEMU for machine lecture"));
    const Result elsewhere = lockstep(mutant("ram dram at 0x8000_0000", "ram dram at 0x9000_0000"), "");
    EXPECT_EQ(elsewhere.code, 65) << elsewhere.out;
    EXPECT_THAT(elsewhere.out, HasSubstr("QEMU's virt has its RAM at 0x80000000"));
    const Result missing = shell("PATH= " POGO_COMMAND " run " + rv64 + " " + text + " --lockstep qemu 2>&1");
    EXPECT_EQ(missing.code, 65);
    EXPECT_THAT(missing.out, HasSubstr("cannot run qemu-system-riscv64"));
}

TEST_F(Cosimulation, CommitLogsGoToAFile) {
    const std::string log = (folder_ / "log").string();
    const std::string text = " --asm " + file("p.s", program) + " --commit-log ";
    EXPECT_EQ(pogo("run " + rv64 + text + log).code, 0);
    const std::string lines = text_of(log);
    EXPECT_THAT(lines, HasSubstr("core   0: 3 0x0000000080000000 (0x00000297) x5  0x0000000080000000\n"));
    EXPECT_THAT(lines, HasSubstr("mem 0x0000000000100000 0x00005555\n")) << "the store that ends the run";
    EXPECT_THAT(pogo("run " + rv64 + text + "/nonexistent/log").out, HasSubstr("E0803"));
    const Result other = pogo("run " + lecture_ + " --asm " POGO_PROGRAMS "/lecture/hello.s --commit-log " + log);
    EXPECT_EQ(other.code, 65);
    EXPECT_THAT(other.out, HasSubstr("error[E0904]: there is no commit log of machine `lecture`"));
}

}  // namespace
}  // namespace pogo::integration
