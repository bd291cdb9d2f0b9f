// pogo check and its relatives end to end: exit codes, reproducible reports, replay without the solver.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "command.hpp"

namespace pogo::integration {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

using Verification = CommandTest;

TEST_F(Verification, ExitCodesSayWhatHolds) {
    EXPECT_EQ(pogo("check " + m68k_ + " --param model=68000").code, 1);
    EXPECT_EQ(pogo("check " + m68k_ + " --param model=68000 --theorem 3").code, 0);
    EXPECT_EQ(pogo("check " + m68k_ + " --param model=68010").code, 0);
    EXPECT_EQ(pogo("extend " + m68k_ + " " POGO_SPECS "/m68k-vt.policy.isa").code, 0);
    EXPECT_EQ(pogo("extend " + lecture_ + " --param lra=true " POGO_SPECS "/lecture-vt.policy.isa").code, 1);
    // At a resource limit of one nothing is decided that needs the solver, and nothing passes.
    EXPECT_EQ(pogo("check " + m68k_ + " --param model=68010 --rlimit 1").code, 2);
    EXPECT_EQ(pogo("check " + lecture_ + " --context nowhere").code, 64);
    EXPECT_EQ(pogo("check " + lecture_ + " --assume ccr.I=2").code, 64);
    EXPECT_EQ(pogo("check " + lecture_ + " --assume nothing=0").code, 64);
    EXPECT_EQ(pogo("check " + lecture_ + " -j 0").code, 64);
}

TEST_F(Verification, SaysWhichInstructionAndWhy) {
    const Result r = pogo("check " + m68k_ + " --param model=68000");
    EXPECT_THAT(r.out, HasSubstr("refuted by 1 of 90 instructions: MOVE from SR"));
    EXPECT_THAT(r.out, HasSubstr("replayed on the model: confirmed"));
}

TEST_F(Verification, ReportsAreTheSameByteForByte) {
    for (const char* format : {"json", "html", "markdown", "text"}) {
        const std::string command = "check " + lecture_ + " --param popf=true --format " + format;
        const Result once = pogo(command);
        EXPECT_EQ(once.code, 1);
        EXPECT_GT(once.out.size(), 1000U) << format;
        EXPECT_EQ(once.out, pogo(command).out) << format;
        EXPECT_EQ(once.out, pogo(command + " -j 2").out) << format;
    }
    const std::string command = "check " + m68k_ + " --format json";
    EXPECT_EQ(pogo(command).out, pogo(command + " -j2").out);
}

TEST_F(Verification, ReplaysAReportWithoutTheSolver) {
    const std::string report = (folder_ / "report.json").string();
    EXPECT_EQ(pogo("check " + m68k_ + " --format json -o " + report).code, 1);
    const Result good = pogo("replay " + m68k_ + " " + report);
    EXPECT_EQ(good.code, 0) << good.out;
    EXPECT_THAT(good.out, HasSubstr("states went as predicted"));
    // A prediction that the model does not keep is an internal error.
    std::string text = text_of(report);
    const auto at = text.find("\"after\": \"0x");
    ASSERT_NE(at, std::string::npos);
    char& digit = text[at + 12];
    digit = digit == '1' ? '2' : '1';
    const Result bad = pogo("replay " + m68k_ + " " + file("tampered.json", text));
    EXPECT_EQ(bad.code, 70);
    EXPECT_THAT(bad.out, HasSubstr("NOT AS PREDICTED"));
}

TEST_F(Verification, BadReportsAre65WithAPlace) {
    for (const char* text :
         {"", "{", "[]", "{\"schema\": 1}", "{\"schema\": \"pogo-report-1\"}",
          "{\"schema\": \"pogo-report-1\", \"instructions\": [{\"witnesses\": [{\"states\": [1]}]}]}"}) {
        const Result r = pogo("replay " + lecture_ + " " + file("bad.json", text));
        EXPECT_EQ(r.code, 65) << text << r.out;
        EXPECT_THAT(r.out, HasSubstr("bad.json:1:")) << text;
    }
}

TEST_F(Verification, WritesQueriesThatAnotherSolverCanCheck) {
    const auto queries = folder_ / "queries";
    EXPECT_EQ(pogo("check " + lecture_ + " --smt2 " + queries.string()).code, 0);
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(queries)) {
        const std::string text = text_of(entry.path());
        EXPECT_THAT(text, HasSubstr("(set-info :status "));
        EXPECT_THAT(text, HasSubstr("(check-sat)"));
        ++count;
    }
    EXPECT_GT(count, 10U);
    EXPECT_EQ(pogo("check " + lecture_ + " --smt2 /proc/none").code, 65);
}

TEST_F(Verification, AssumptionsNarrowTheMachine) {
    // In a machine that never enters supervisor mode by itself nothing is refuted that needs two values of I.
    const Result r = pogo("check " + lecture_ + " --param read_ccr=true --assume ccr.I=0 --format json");
    EXPECT_EQ(r.code, 1);
    EXPECT_THAT(r.out, HasSubstr("\"ccr.I\""));
}

TEST_F(Verification, ShowsWhatLeavesBesideWhatIsPrivileged) {
    const Result r = pogo("show permissions " + lecture_ + " --extension " POGO_SPECS "/lecture-vt.policy.isa");
    EXPECT_EQ(r.code, 0);
    EXPECT_THAT(r.out, HasSubstr("privileged: rte halt_ cli sti get put vmenter vmget vmput"));
    EXPECT_THAT(r.out, HasSubstr("exits on privileged: rte halt_ cli sti get put vmenter vmget vmput"));
}

TEST_F(Verification, ReportsSayWhatMapsGive) {
    const Result r = pogo("check " + lecture_ + " --param popf=true --maps");
    EXPECT_EQ(r.code, 1);
    EXPECT_THAT(r.out, ContainsRegex("VM map trap_and_emulate: +refuted by popf"));
    EXPECT_THAT(r.out, ContainsRegex("VM map hybrid: +proved"));
    EXPECT_THAT(r.out, HasSubstr("--param popf=true --maps"));
}

TEST_F(Verification, MapsAreDecidedOneByOne) {
    EXPECT_EQ(pogo("map " + lecture_).code, 0);
    const Result flawed = pogo("map " + lecture_ + " --param popf=true --map trap_and_emulate");
    EXPECT_EQ(flawed.code, 1);
    EXPECT_THAT(flawed.out, HasSubstr("instruction pop_flags: refuted"));
    EXPECT_THAT(flawed.out, HasSubstr("on the model: confirmed"));
    EXPECT_EQ(pogo("map " + lecture_ + " --param popf=true --map hybrid").code, 0);
    EXPECT_EQ(pogo("map " + lecture_ + " --map nothing").code, 64);
    EXPECT_EQ(pogo("map " + m68k_ + " --param model=68010 --rlimit 1").code, 2);
    EXPECT_THAT(pogo("map " + lecture_ + " --map hybrid --format json").out, HasSubstr("\"verdict\": \"proved\""));
}

// A trap by an instruction that raises it, an interrupt that is taken in one state and not in the other: both are run.
TEST_F(Verification, MapsReplayTrapsAndInterrupts) {
    const auto refuted = [&](const std::string& from, const std::string& to, const std::string& obligation) {
        std::string policy = text_of(POGO_SPECS "/lecture-vt.policy.isa");
        const auto at = policy.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        policy.replace(at, from.size(), to);
        const Result r = pogo("map " + lecture_ + " --extension " + file("wrong.policy.isa", policy) +
                              " --map virtual_machine --obligation " + obligation);
        EXPECT_EQ(r.code, 1);
        EXPECT_THAT(r.out, HasSubstr("on the model: confirmed"));
        return r.out;
    };
    EXPECT_THAT(refuted("guest { vbr; epc; eccr; eva; }", "guest { vbr; epc; eva; }", "privilege_violation"),
                HasSubstr("gives trap privilege_violation"));
    EXPECT_THAT(refuted("interrupt window => external;", "", "external"), HasSubstr("gives no interrupt"));
    EXPECT_THAT(refuted("exits on interrupt external;", "", "external"), HasSubstr("gives interrupt external"));
    EXPECT_THAT(refuted("irq != 0 { leave", "irq != 0 && ccr.I == 1 { leave", "preemption"),
                HasSubstr("gives no interrupt"));
}

}  // namespace
}  // namespace pogo::integration
