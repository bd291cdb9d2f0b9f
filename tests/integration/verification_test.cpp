// pogo check and its relatives end to end: exit codes, reproducible reports, replay without the solver.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <sstream>

#include "command.hpp"

namespace pogo::integration {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

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

TEST_F(Verification, DecidesTheSameWithoutWitnesses) {
    const std::string command = "check " + lecture_ + " --param popf=true";
    const Result with = pogo(command);
    const Result without = pogo(command + " --no-witnesses");
    EXPECT_EQ(without.code, 1);
    const auto verdicts = [](const std::string& text) {
        return text.substr(text.find("Theorem 1, strict")).substr(0, 300);
    };
    EXPECT_EQ(verdicts(without.out), verdicts(with.out));
    EXPECT_THAT(with.out, HasSubstr("replayed on the model"));
    EXPECT_THAT(without.out, ::testing::Not(HasSubstr("replayed on the model")));
    EXPECT_THAT(without.out, HasSubstr("no witnesses to replay"));
    EXPECT_THAT(without.out, ContainsRegex("Repeat: pogo check .* --no-witnesses"));
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

TEST_F(Verification, NothingIsProvedOfNoStates) {
    // Lecture CPU: S = 1 is the supervisor; the maps mean a real machine in user mode.
    const Result no_user = pogo("check " + lecture_ + " --assume ccr.S=1");
    EXPECT_EQ(no_user.code, 65);
    EXPECT_THAT(no_user.out, HasSubstr("error[E0819]: no state is in mode `user` in context `deprivileged`"));
    for (const char* all :
         {"check ", "check --no-witnesses ", "map ", "remedy --kind paravirt ", "remedy --kind trap "}) {
        const Result none = pogo(all + lecture_ + " --assume ccr.I=1 --assume ccr.I=0");
        EXPECT_EQ(none.code, 65) << all;
        EXPECT_THAT(none.out, HasSubstr("lecture.isa:")) << all;
        EXPECT_THAT(none.out, HasSubstr("error[E0819]: no state is in mode `supervisor`")) << all;
    }
    EXPECT_EQ(pogo("map " + lecture_ + " --assume ccr.S=0").code, 0);  // the real machine's
    EXPECT_EQ(pogo("map " + lecture_ + " --assume ccr.S=1").code, 65);
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
    const Result flawed = pogo("map " + lecture_ + " --param popf=true --vm-map trap_and_emulate");
    EXPECT_EQ(flawed.code, 1);
    EXPECT_THAT(flawed.out, HasSubstr("instruction pop_flags: refuted"));
    EXPECT_THAT(flawed.out, HasSubstr("on the model: confirmed"));
    EXPECT_EQ(pogo("map " + lecture_ + " --param popf=true --vm-map hybrid").code, 0);
    EXPECT_EQ(pogo("map " + lecture_ + " --vm-map nothing").code, 64);
    EXPECT_EQ(pogo("map " POGO_SPECS "/s370.isa --rlimit 1").code, 2);
    EXPECT_THAT(pogo("map " + lecture_ + " --vm-map hybrid --format json").out, HasSubstr("\"verdict\": \"proved\""));
}

// ---- Remedies
// ---------------------------------------------------------------------------------------------------------

struct Mended {
    std::string name;
    std::string spec;
    std::string arguments;  ///< parameters
    std::string what;       ///< a map or a context
    std::string check;      ///< the command that gives the verdict, with its options
    std::string line;       ///< that the new spec has and the old one has not, as often as said
    std::size_t lines = 1;
};

void PrintTo(const Mended& mended, std::ostream* out) { *out << mended.name; }

class Remedies : public CommandTest, public ::testing::WithParamInterface<Mended> {};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> result;
    std::stringstream stream(text);
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
}

// The new spec is the old text and some lines; it reads without a word, and its verdict is the other one.
TEST_P(Remedies, TurnTheVerdict) {
    const Mended& mended = GetParam();
    const std::string old = POGO_SPECS "/" + mended.spec;
    const std::string fresh = (folder_ / "new.isa").string();
    const std::string check = mended.check + " --quiet";
    EXPECT_EQ(pogo(check + " " + old + " " + mended.arguments).code, 1);
    const Result r = pogo("remedy " + old + " " + mended.arguments + " " + mended.what + " --kind trap -o " + fresh);
    EXPECT_EQ(r.code, 0) << r.out;
    EXPECT_THAT(r.out, HasSubstr("Minimal: proved"));
    EXPECT_THAT(r.out, ContainsRegex("of the new spec: proved\n"));
    const Result shown = pogo("show ast " + fresh + " --text");
    EXPECT_EQ(shown.code, 0);
    EXPECT_FALSE(shown.out.find("error[") != std::string::npos || shown.out.find("warning[") != std::string::npos);
    EXPECT_EQ(pogo(check + " " + fresh + " " + mended.arguments).code, 0);

    auto was = lines_of(text_of(old));
    std::size_t added = 0;
    for (const std::string& line : lines_of(text_of(fresh))) {
        if (!was.empty() && line == was.front()) {
            was.erase(was.begin());
        } else {
            EXPECT_EQ(line, mended.line);
            ++added;
        }
    }
    EXPECT_TRUE(was.empty());
    EXPECT_EQ(added, mended.lines);
    // With one of the lines taken out again it is as before.
    const std::string text = text_of(fresh);
    const auto at = text.find(mended.line + "\n");
    ASSERT_NE(at, std::string::npos);
    const std::string mutant = std::string(text).erase(at, mended.line.size() + 1);
    EXPECT_EQ(pogo(check + " " + file("mutant.isa", mutant) + " " + mended.arguments).code, 1);
}

const std::vector<Mended> all_mended = {
    {"Lecture", "lecture.isa", "--param read_ccr=true --param lra=true", "", "map --vm-map trap_and_emulate",
     "    trap privilege_violation when ccr.S == 0 && rd != 0;", 2},
    {"LectureWhole", "lecture.isa", "--param popf=true --param lra=true", "--whole", "map --vm-map trap_and_emulate",
     "    require privileged;", 2},
    {"LectureTheorem", "lecture.isa", "--param popf=true --param read_ccr=true --param lra=true",
     "--context deprivileged", "check", "    require privileged;", 3},
    {"ThirdGeneration", "pg74.isa", "--param jrst1=true --param lra=true", "", "map --vm-map trap_and_emulate",
     "    require privileged;", 2},
    {"ThirdGenerationHybrid", "pg74.isa", "--param jrst1=true --param lra=true", "--vm-map hybrid",
     "map --vm-map hybrid", "    require privileged;", 1},
    {"Mc68000", "m68k.isa", "--param model=68000", "", "map", "  require privileged;", 1},
};
INSTANTIATE_TEST_SUITE_P(Shipped, Remedies, ::testing::ValuesIn(all_mended),
                         [](const auto& test) { return test.param.name; });

TEST_F(Verification, RemediesOfExtensionsAreExits) {
    const std::string policy = POGO_SPECS "/lecture-vt.policy.isa";
    const std::string fresh = (folder_ / "new.policy.isa").string();
    const std::string flawed = lecture_ + " --param lra=true --extension ";
    EXPECT_EQ(pogo("map " + flawed + policy + " --vm-map virtual_machine").code, 1);
    EXPECT_EQ(pogo("remedy " + flawed + policy + " --kind trap -o " + fresh).code, 0);
    EXPECT_THAT(text_of(fresh), HasSubstr("  exits on instruction \"lra\";\n"));
    EXPECT_EQ(pogo("map " + flawed + fresh + " --vm-map virtual_machine").code, 0);
    EXPECT_EQ(pogo("remedy " + flawed + policy + " --kind trap --context vt").code, 0);
    // A map of the machine's own is none of the extension's.
    const Result r = pogo("remedy " + flawed + policy + " --kind trap --vm-map hybrid");
    EXPECT_EQ(r.code, 64);
    EXPECT_THAT(r.out, HasSubstr("leave --extension out"));
}

TEST_F(Verification, RemediesSayWhatIsMissing) {
    EXPECT_EQ(pogo("remedy " + lecture_ + " --kind trap").code, 0);
    EXPECT_THAT(pogo("remedy " + lecture_ + " --kind trap").out, HasSubstr("nothing is needed"));
    EXPECT_EQ(pogo("remedy " + m68k_ + " --param model=68000 --kind trap --rlimit 1").code, 2);
    EXPECT_EQ(pogo("remedy " + lecture_).code, 64);
    EXPECT_EQ(pogo("remedy " + lecture_ + " --kind prayer").code, 64);
    EXPECT_EQ(pogo("remedy " + lecture_ + " --kind trap --vm-map nothing").code, 64);
    EXPECT_EQ(pogo("remedy " + lecture_ + " --kind trap --context nothing").code, 64);
    EXPECT_EQ(pogo("remedy " + lecture_ + " --kind trap --vm-map hybrid --context deprivileged").code, 64);
    EXPECT_EQ(pogo("remedy " + lecture_ + " --kind paravirt --context deprivileged").code, 64);
    EXPECT_EQ(pogo("remedy " + lecture_ + " --kind trap -o /proc/none/spec.isa").code, 65);
    // A map whose relocation forgets the guest's own is mended by no trap.
    const std::string lost =
        file("lost.isa", replaced(text_of(lecture_), "    base  = origin + from;", "    base  = origin;"));
    const Result r = pogo("remedy " + lost + " --kind trap");
    EXPECT_EQ(r.code, 1);
    EXPECT_THAT(r.out, HasSubstr("Not mended by traps of instructions: relocation"));
    EXPECT_EQ(pogo("remedy " + lost + " --kind paravirt").code, 1);
    EXPECT_EQ(pogo("remedy " + lost + " --kind translate").code, 1);
}

TEST_F(Verification, ListsHypercalls) {
    const Result r = pogo("remedy " + m68k_ + " --param model=68000 --kind paravirt");
    EXPECT_EQ(r.code, 0);
    EXPECT_THAT(r.out, HasSubstr("40f9 ???? ????           MOVE from SR (AbsL)  =>  0008 0000 0000"));
    EXPECT_THAT(r.out,
                HasSubstr("0008 (no instruction: illegal_instruction) leaves the guest from every state: proved"));
    const std::string json = (folder_ / "list.json").string();
    EXPECT_EQ(pogo("remedy " + m68k_ + " --param model=68000 --kind paravirt --format json -o " + json).code, 0);
    EXPECT_THAT(text_of(json), HasSubstr("\"schema\": \"pogo-remedy-1\""));
    EXPECT_THAT(text_of(json), HasSubstr("\"complete\": \"yes\""));
    // The guest's virtual state takes all that is illegal or privileged itself.
    EXPECT_EQ(pogo("remedy " + lecture_ +
                   " --param lra=true --kind paravirt --extension " POGO_SPECS "/lecture-vt.policy.isa")
                  .code,
              1);
}

TEST_F(Verification, TellsATranslatorWhatToCopy) {
    const Result r = pogo("remedy " + lecture_ + " --param popf=true --kind translate");
    EXPECT_EQ(r.code, 0);
    EXPECT_THAT(r.out, HasSubstr("Copy: does the same at any address\n  add sub cmp"));
    EXPECT_THAT(r.out, HasSubstr("Call out: breaks the VM map\n  pop_flags\n"));
    EXPECT_THAT(r.out, HasSubstr("Call out: sets the program counter\n  branch call jump ret\n"));
    EXPECT_THAT(r.out, HasSubstr("The way out: 00000000 (no instruction: illegal_instruction)"));
    EXPECT_THAT(pogo("remedy " + lecture_ + " --kind translate --format json").out,
                HasSubstr("\"why\": \"never completes there\""));
}

// A trap by an instruction that raises it, an interrupt that is taken in one state and not in the other: both are
// run.
TEST_F(Verification, MapsReplayTrapsAndInterrupts) {
    const auto refuted = [&](const std::string& from, const std::string& to, const std::string& obligation) {
        const std::string policy = replaced(text_of(POGO_SPECS "/lecture-vt.policy.isa"), from, to);
        const Result r = pogo("map " + lecture_ + " --extension " + file("wrong.policy.isa", policy) +
                              " --vm-map virtual_machine --obligation " + obligation);
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
