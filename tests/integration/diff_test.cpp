// pogo diff: documented differences of two processors, found and replayed; messages; JSON by its schema.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "command.hpp"

namespace pogo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DiffTest : public CommandTest {
  protected:
    const std::string models_ = m68k_ + " " + m68k_ + " --param-b model=68010";
    const std::string documented_ = POGO_EXAMPLES "/m68k-68000-68010.toml";
};

TEST_F(DiffTest, AMachineEqualsItself) {
    const Result result = pogo("diff " + lecture_ + " " + lecture_ + " --param popf=true");
    EXPECT_EQ(result.code, 0) << result.out;
    EXPECT_THAT(result.out, HasSubstr("40 compared: 40 equal, 0 different"));
}

TEST_F(DiffTest, AnExtraInstructionIsDecodedByOneAlone) {
    const Result result = pogo("diff " + lecture_ + " " + lecture_ + " --param-a popf=true");
    EXPECT_EQ(result.code, 1) << result.out;
    EXPECT_THAT(result.out, HasSubstr("popf (only A decodes it): different"));
    EXPECT_THAT(result.out, HasSubstr("gives trap illegal_instruction"));
}

TEST_F(DiffTest, DifferencesOfThe68010AreTheDocumentedOnes) {
    const Result result = pogo("diff " + models_ + " --states " + documented_);
    EXPECT_EQ(result.code, 0) << result.out;
    EXPECT_THAT(result.out, HasSubstr("0 different, 17 different as expected\n"));
    EXPECT_THAT(result.out, HasSubstr("MOVE from SR: different, as expected: privileged on the 68010"));
    EXPECT_THAT(result.out, HasSubstr("  move.w %sr,%d0\n    A: all zero\n      gives pc := 0x2\n"
                                      "    B: all zero\n      gives trap privilege_violation\n"));
}

TEST_F(DiffTest, WithoutAFileItSaysWhatCorrespondsToNothing) {
    const Result result = pogo("diff " + models_);
    EXPECT_EQ(result.code, 65);
    EXPECT_THAT(result.out, HasSubstr("error[E0815]: nothing corresponds to vbr (B), sfc (B), dfc (B)"));
}

TEST_F(DiffTest, ADifferenceThatDoesNotOccurIsAnError) {
    const std::string stale =
        file("stale.toml", text_of(documented_) + "TRAP = \"it is said\"\nNONE = \"no such row\"\n");
    const Result result = pogo("diff " + models_ + " --states " + stale);
    EXPECT_EQ(result.code, 65);
    EXPECT_THAT(result.out, HasSubstr("error[E0816]: this difference does not occur: `TRAP`"));
    EXPECT_THAT(result.out, HasSubstr("error[E0813]: there is no line `NONE` in the comparison"));
    // A condition that is too narrow leaves the rest.
    const std::string narrow = file(
        "narrow.toml", replaced(text_of(documented_), "when = \"sr.S == 0\"", "when = \"sr.S == 0 && d[0] == 1\""));
    const Result rest = pogo("diff " + models_ + " --states " + narrow);
    EXPECT_EQ(rest.code, 1);
    EXPECT_THAT(rest.out, HasSubstr("1 different, 16 different as expected"));
}

TEST_F(DiffTest, UnlikeMachinesAreRefused) {
    const Result result = pogo("diff " + lecture_ + " " + m68k_);
    EXPECT_EQ(result.code, 65);
    EXPECT_THAT(result.out, HasSubstr("error[E0817]: these machines cannot be compared"));
}

TEST_F(DiffTest, NoStatesNoVerdict) {
    const std::string states = file("none.toml", "[assume]\nA = [\"halted == 1\"]\nB = [\"halted == 0\"]\n");
    const Result result = pogo("diff " + lecture_ + " " + lecture_ + " --states " + states);
    EXPECT_EQ(result.code, 65);
    EXPECT_THAT(result.out, HasSubstr("error[E0818]"));
}

TEST_F(DiffTest, WithoutResourcesItIsUnknown) {
    const std::string edited = file("edited.isa", replaced(text_of(lecture_), "set_logic(rd, r[ra] * b.read);",
                                                           "set_logic(rd, b.read * r[ra] + 0);"));
    EXPECT_EQ(pogo("diff " + lecture_ + " " + edited).code, 0);
    const std::string other =
        file("other.isa", replaced(text_of(lecture_), "set_logic(rd, r[ra] * b.read);",
                                   "set_logic(rd, (zext(r[ra], 64) * zext(b.read, 64))[31..0]);"));
    const Result result = pogo("diff " + lecture_ + " " + other + " --rlimit 1");
    EXPECT_EQ(result.code, 2) << result.out;
    EXPECT_THAT(result.out, HasSubstr("mul: unknown"));
}

TEST_F(DiffTest, JsonIsAsItsSchemaSays) {
    if (std::string(POGO_PYTHON).empty() || shell(POGO_PYTHON " -c 'import jsonschema' 2>&1").code != 0)
        GTEST_SKIP() << "python3-jsonschema is not installed";
    const std::string document = (folder_ / "diff.json").string();
    const Result result = pogo("diff " + models_ + " --states " + documented_ + " --format json -o " + document);
    EXPECT_EQ(result.code, 0) << result.out;
    const Result valid =
        shell(POGO_PYTHON " " POGO_SCHEMA "/validate.py " POGO_SCHEMA "/diff-1.schema.json " + document + " 2>&1");
    EXPECT_EQ(valid.code, 0) << valid.out;
    EXPECT_THAT(text_of(document), HasSubstr("\"replay\": \"confirmed\""));
    EXPECT_THAT(text_of(document), Not(HasSubstr("\"replay\": \"failed\"")));
    // The same whatever the number of threads.
    const std::string again = (folder_ / "again.json").string();
    pogo("diff " + models_ + " --states " + documented_ + " --format json -j3 -o " + again);
    EXPECT_EQ(text_of(document), text_of(again));
}

TEST_F(DiffTest, LinesByName) {
    const Result result =
        pogo("diff " + models_ + " --states " + documented_ + " --line 'MOVE from SR' --line RTE --all");
    EXPECT_EQ(result.code, 0) << result.out;
    EXPECT_THAT(result.out, HasSubstr("2 compared: 0 equal, 0 different, 2 different as expected\n"));
    const Result none = pogo("diff " + lecture_ + " " + lecture_ + " --line nothing");
    EXPECT_EQ(none.code, 65);
    EXPECT_THAT(none.out, HasSubstr("there is no line `nothing` in the comparison"));
}

// rv64.isa was written from the manuals, the official model by others. What its file expects says why they differ; any
// other difference is a mistake of one of the two.
TEST_F(DiffTest, RV64IsTheOfficialModelButForWhatIsDocumented) {
    const std::string model = POGO_SHARED "/data/sail/riscv64.ir";
    if (!std::filesystem::exists(model)) GTEST_SKIP() << "the official model is not there";
    const std::string command = "diff " POGO_SPECS "/rv64.isa --param-a sv48=true --sail-b " + model +
                                " --map-b " POGO_SPECS "/sail/riscv64.toml --states " POGO_SPECS
                                "/sail/rv64.diff.toml -j2";
    const Result result = pogo(command + " --param-a reserved_pte=false");
    EXPECT_EQ(result.code, 0) << result.out;
    EXPECT_THAT(result.out, HasSubstr("544 compared: 430 equal, 0 different, 114 different as expected\n"));
    // The model of 2023 lets reserved bits of page-table entries pass.
    const Result reserved = pogo(command + " --line translation");
    EXPECT_EQ(reserved.code, 1);
    EXPECT_THAT(reserved.out, HasSubstr("translation: different"));
}

}  // namespace
}  // namespace pogo::integration
