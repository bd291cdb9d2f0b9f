// The command line as a stranger meets it: exit codes and located diagnostics for bad input of every kind.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <vector>

#include <algorithm>

#include "command.hpp"

namespace pogo::integration {
namespace {

using ::testing::HasSubstr;

using CommandLine = CommandTest;

TEST_F(CommandLine, UsageErrorsAre64) {
    for (const char* arguments : {"", "frobnicate", "show", "show spec", "asm", "run", "explain E9999", "step x.isa"}) {
        const Result r = pogo(arguments);
        EXPECT_EQ(r.code, 64) << arguments << "\n" << r.out;
        EXPECT_FALSE(r.out.empty()) << arguments;
    }
    EXPECT_EQ(pogo("show spec " + lecture_ + " --param popf").code, 64);
    EXPECT_EQ(pogo("run " + lecture_ + " --set r99=1").code, 64);
    EXPECT_EQ(pogo("run " + lecture_ + " --raw nowhere=x").code, 64);
    EXPECT_EQ(pogo("show dag " + lecture_ + " frob").code, 64);
    EXPECT_EQ(pogo("show decode " + lecture_ + " xyz").code, 64);
}

TEST_F(CommandLine, HelpAndVersionAre0) {
    EXPECT_EQ(pogo("--help").code, 0);
    EXPECT_EQ(pogo("run --help").code, 0);
    EXPECT_THAT(pogo("--version").out, HasSubstr("pogo 0."));
    EXPECT_THAT(pogo("explain E0203").out, HasSubstr("The smallest spec that shows it"));
}

TEST_F(CommandLine, BadSpecsAre65WithAPlace) {
    const std::string bad = file("bad.isa", "machine m { address 16; }\nregister pc : bits(16) role counter;\n");
    const Result r = pogo("show spec " + bad);
    EXPECT_EQ(r.code, 65);
    EXPECT_THAT(r.out, HasSubstr("bad.isa:2:"));
    EXPECT_THAT(r.out, HasSubstr("error[E0308]"));
    EXPECT_THAT(r.out, HasSubstr("help:"));
    EXPECT_EQ(pogo("show spec " + file("binary.isa", std::string("\0\xff\x80machine", 10))).code, 65);
    EXPECT_EQ(pogo("show spec " + file("empty.isa", "")).code, 65);
    EXPECT_EQ(pogo("show spec no-such-file.isa").code, 65);
    EXPECT_EQ(pogo("show spec " + lecture_ + " --param popf=maybe").code, 65);
    EXPECT_EQ(pogo("show spec " + lecture_ + " --param nope=1").code, 65);
    EXPECT_EQ(pogo("show spec " + (folder_.string())).code, 65);
}

// A machine on the platform of QEMU's virt: one instruction stores r1 at r0, one adds.
const std::string on_virt = R"isa(machine small { address 32; parcel 32; unit 8; elf 243; }
register pc : bits(32) role pc;
regfile r[2] : bits(64) role data;
register s : bits(1) role mode;
mode upper { s = 1; } mode lower { s = 0; }
trap bad kind illegal { pc = 0x80000000; }
illegal bad;
reset { pc = 0x80000000; }
instruction store { encoding 0x01 0x000000; assembly "store"; mem[r[0][31..0], 8] = r[1]; }
instruction load { encoding 0x02 0x000000; assembly "load"; r[1] = mem[r[0][31..0], 8]; }
platform {
  isa "rv64i";
  finisher end at 0x100000 size 0x1000;
  clint clint at 0x2000000 size 0x10000 timebase 10;
  plic plic at 0xC000000 size 0x600000;
  ns16550 serial at 0x10000000 size 0x100 line 10;
  ram memory at 0x80000000 size 0x400000;
}
)isa";

TEST_F(CommandLine, DeviceTreesAreShownAndPlaced) {
    const std::string spec = file("small.isa", on_virt);
    const Result shown = pogo("show dts " + spec);
    EXPECT_EQ(shown.code, 0);
    EXPECT_THAT(shown.out, HasSubstr("memory@80000000"));
    const Result none = pogo("show dts " + m68k_);
    EXPECT_EQ(none.code, 65);
    EXPECT_THAT(none.out, HasSubstr("error[E0902]"));
    EXPECT_EQ(pogo("run " + lecture_ + " --dtb r1").code, 65);
    // At 0x80200000, the last multiple of 2 MiB that leaves room for it.
    const std::string program = file("load.s", ".org 0x80000000\n  load\n  load\n");
    const Result run = pogo("run " + spec + " --asm " + program + " --dtb r0 --append quiet --cycles 7 --dump");
    EXPECT_EQ(run.code, 2) << run.out;
    EXPECT_THAT(run.out, HasSubstr("\"r0\":2149580800")) << run.out;
    EXPECT_THAT(run.out, ::testing::Not(HasSubstr("\"r1\":0,"))) << run.out;
    EXPECT_EQ(pogo("run " + spec + " --dtb q").code, 64);
}

TEST_F(CommandLine, ProgramsTalkToTheHost) {
    const std::string spec = file("small.isa", on_virt);
    const std::string program = file("store.s", ".org 0x80000000\n  store\n");
    const auto run = [&](const std::string& more) {
        return pogo("run " + spec + " --asm " + program + " --cycles 20 " + more);
    };
    EXPECT_EQ(run("--set r0=0x80001000 --set r1=1").code, 2);  // nobody listens
    EXPECT_EQ(run("--set r0=0x80001000 --set r1=1 --htif 0x80001000").code, 0);
    const Result failed = run("--set r0=0x80001000 --set r1=0x15 --htif 0x80001000");
    EXPECT_EQ(failed.code, 1);
    EXPECT_THAT(failed.out, HasSubstr("exit code 10"));
    EXPECT_EQ(run("--htif 0x100").code, 65);
    EXPECT_EQ(run("--htif here").code, 64);
}

TEST_F(CommandLine, BadPoliciesAre65WithAPlace) {
    const auto with = [&](const std::string& text) {
        return pogo("show spec " + lecture_ + " --extension " + file("bad.policy.isa", text));
    };
    const Result syntax = with("extension vt of lecture {\n  active 1 ==;\n}\n");
    EXPECT_EQ(syntax.code, 65);
    EXPECT_THAT(syntax.out, HasSubstr("bad.policy.isa:2:"));
    EXPECT_THAT(with("extension vt of other { }").out, HasSubstr("E0601"));
    EXPECT_THAT(with("extension vt of lecture { exits on instruction \"nop\"; }").out, HasSubstr("E0603"));
    EXPECT_THAT(with("extension vt of lecture { }").out, HasSubstr("E0604"));
    EXPECT_THAT(with("extension vt of lecture { exit bounds; }").out, HasSubstr("E0602"));
    EXPECT_THAT(with("machine m { }").out, HasSubstr("E0606"));
}

TEST_F(CommandLine, BadAssemblyIs65WithAPlace) {
    const Result r =
        pogo("asm " + lecture_ + " " + file("bad.s", "start:\n  add r1, r2, r3\n  ad r1, r2\n  li r1, 0x100000000\n"));
    EXPECT_EQ(r.code, 65);
    EXPECT_THAT(r.out, HasSubstr("bad.s:3:3: error[E0701]"));
    EXPECT_THAT(r.out, HasSubstr("bad.s:4:"));
    EXPECT_EQ(pogo("run " + lecture_ + " --asm " + file("far.s", ".org 0x40000000\n  halt\n")).code, 65);
}

TEST_F(CommandLine, BadElfFilesAre65) {
    const auto load = [&](const std::string& bytes) {
        return pogo("run " + m68k_ + " --elf " + file("bad.elf", bytes));
    };
    for (const std::string& bytes : {std::string(),
                                     std::string("\x7f"
                                                 "ELF"),
                                     std::string(52, '\0'), std::string(200, 'x'),
                                     std::string("\x7f"
                                                 "ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\2\0\4\0\0\0\1",
                                                 24)}) {
        const Result r = load(bytes);
        EXPECT_EQ(r.code, 65) << r.out;
        EXPECT_THAT(r.out, HasSubstr("bad.elf: byte "));
    }
}

TEST_F(CommandLine, BadStatesAre65WithLineAndColumn) {
    const std::vector<std::pair<const char*, const char*>> cases = {
        {"{\"registers\": {}}\n{\"registers\": {\"r1\": }}\n", "s.jsonl:2:"},
        {"[1]\n", "s.jsonl:1:1"},
        {"{\"registers\": {\"r99\": 1}}\n", "there is no register `r99`"},
        {"{\"registers\": {\"r1\": -1}}\n", "s.jsonl:1:16"},
        {"{\"registers\": {\"r1\": \"0x1_\"}}\n", "r1"},
        {"{\"registers\": {\"ccr\": 256}}\n", "does not fit"},
        {"{\"memory\": {}}\n", "registers"},
        {"{\"registers\": {}, \"choices\": 1}\n", "`choices` is a list"},
        {"{\"registers\": {}, \"memory\": {\"zero\": 1}}\n", "not a physical address"},
        {"{\"registers\": {}, \"memory\": {\"0\": 256}}\n", "8 bits"},
    };
    for (const auto& [text, expected] : cases) {
        const Result r = pogo("step " + lecture_ + " --states " + file("s.jsonl", text));
        EXPECT_EQ(r.code, 65) << text;
        EXPECT_THAT(r.out, HasSubstr("error[E0806]")) << text;
        EXPECT_THAT(r.out, HasSubstr(expected)) << text;
    }
}

TEST_F(CommandLine, StepsFromGivenStates) {
    // li r1, 5 at 0x1000 in supervisor mode, then in user mode beyond the limit.
    const std::string states =
        file("s.jsonl",
             "{\"registers\": {\"pc\": 4096, \"ccr\": \"0x80\"}, \"memory\": {\"0x1000\": [32, 16, 0, 5]}}\n"
             "{\"registers\": {\"pc\": 4096, \"limit\": 4096}}\n");
    const Result r = pogo("step " + lecture_ + " --states " + states);
    EXPECT_EQ(r.code, 0);
    EXPECT_THAT(r.out, HasSubstr("{\"outcome\":\"completed\",\"instruction\":\"li\",\"cycles\":"));
    EXPECT_THAT(r.out, HasSubstr("\"pc\":4100,\"r1\":5,"));
    EXPECT_THAT(r.out, HasSubstr("\"traps\":[{\"cause\":\"bounds\",\"arguments\":[4096]}]"));
}

TEST_F(CommandLine, StepsFromStatesAsTheyCome) {
    // Without memory the word at 0 is 0, which nothing decodes; the last line needs no end.
    const Result r = pogo("step " + lecture_ + " --states - < " +
                          file("s.jsonl", "{\"registers\": {}}\n\n{\"registers\": {\"pc\": 8}}"));
    EXPECT_EQ(r.code, 0);
    EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '\n'), 2) << r.out;
    EXPECT_THAT(r.out, HasSubstr("\"epc\":8"));
    EXPECT_THAT(pogo("step " + lecture_ + " --states " + (folder_ / "none").string()).out, HasSubstr("error[E0801]"));
    const Result longer = pogo("step " + lecture_ + " --states /dev/zero");
    EXPECT_EQ(longer.code, 65);
    EXPECT_THAT(longer.out, HasSubstr("error[E0807]"));
}

TEST_F(CommandLine, TakesTheChoicesOfWhatIsUnpredictable) {
    const std::string spec =
        file("any.isa",
             "machine m { address 8; } register pc : bits(8) role pc; register r : bits(8) role data; "
             "register s : bits(1) role mode; mode a { s = 1; } mode b { s = 0; } trap t kind illegal { pc = 0; } "
             "illegal t; instruction i { encoding 0x00; assembly \"i\"; r = any(8); }");
    const std::string states = file("s.jsonl", "{\"registers\": {}, \"choices\": [\"0x5a\"]}\n{\"registers\": {}}\n");
    const Result r = pogo("step " + spec + " --states " + states);
    EXPECT_THAT(r.out, HasSubstr("\"r\":90"));
    EXPECT_THAT(r.out, HasSubstr("\"r\":0"));
    const auto refused = [&](const char* choices) {
        return pogo("step " + spec + " --states " +
                    file("s.jsonl", std::string("{\"registers\": {}, \"choices\": ") + choices + "}"))
            .out;
    };
    EXPECT_THAT(refused("[256]"), HasSubstr("s.jsonl:1:1: error[E0806]: choice 0 is 0x100, but has 8 bits"));
    EXPECT_THAT(refused("[1, 2]"), HasSubstr("leaves 1 values unpredictable, but 2 choices are given"));
}

TEST_F(CommandLine, ShowsEveryView) {
    EXPECT_THAT(pogo("show ast " + lecture_).out, HasSubstr("machine lecture"));
    EXPECT_THAT(pogo("show spec " + lecture_).out, HasSubstr("context deprivileged: supervisor supervisor, user user"));
    EXPECT_THAT(pogo("show spec " + lecture_).out,
                HasSubstr("vmm trap_and_emulate: context deprivileged, supervisor => user, user => user\n"));
    EXPECT_THAT(pogo("show dag " + lecture_ + " sti").out,
                HasSubstr("trap privilege_violation() when (not (= |ccr.S| #b1))"));
    EXPECT_THAT(pogo("show decode " + m68k_ + " 40c0").out, HasSubstr("move.w %sr,%d0"));
    const std::string rights = pogo("show permissions " POGO_SPECS "/rv64.isa").out;
    EXPECT_THAT(rights, HasSubstr("counter: csrrw.{cycle,time,instret,event_counters} csrrs."));
    EXPECT_THAT(rights, HasSubstr("  supervisor           execute when mstatus.TSR == 0; privileged_instruction\n"));
    EXPECT_THAT(pogo("show permissions " + lecture_).out,
                HasSubstr("privileged: rte halt_ cli sti get put\n  supervisor           execute\n"));
    EXPECT_THAT(pogo("show smt2 " + lecture_ + " sti").out,
                HasSubstr("(define-fun |sti: trap 0 privilege_violation| () Bool"));
}

TEST_F(CommandLine, DisassemblesWhatItAssembles) {
    const std::string source = file("p.s", ".org 0x100\nstart: add r1, r2, #-3\n  beq start\n  halt\n");
    const std::string image = (folder_ / "p.bin").string();
    EXPECT_EQ(pogo("asm " + lecture_ + " " + source + " -o " + image).code, 0);
    const Result r = pogo("disasm " + lecture_ + " " + image + " --base 0x100");
    EXPECT_THAT(r.out, HasSubstr("add r1, r2, #-3"));
    EXPECT_THAT(r.out, HasSubstr("beq 0x100"));
    EXPECT_THAT(r.out, HasSubstr("halt"));
}

}  // namespace
}  // namespace pogo::integration
