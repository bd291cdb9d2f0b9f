// Timing files, caches and what --stats says of a run.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "command.hpp"

namespace pogo::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TimingFile : public CommandTest {
  protected:
    [[nodiscard]] Result run(const std::string& timing, const std::string& more = "") const {
        return pogo("run " + lecture_ + " --asm " POGO_PROGRAMS "/lecture/hello.s --timing " +
                    file("test.timing", timing) + more);
    }
    const std::string classes_ =
        "class alu { occupies 1; latency 1; } class mul { occupies 1; latency 3; }"
        "class system { occupies 1; latency 1; serialises; }";
};

// The number behind a word at the beginning of a line.
std::uint64_t figure(const std::string& text, const std::string& word) {
    const auto at = text.find("\n  " + word + " ");
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + 3 + word.size()));
}

TEST_F(TimingFile, ReplacesTheMachines) {
    const std::string own = "stages fetch, decode, execute, memory, writeback; load 1; trap 2; interrupt 2;" + classes_;
    const std::string program = file("loop.s",
                                     "start: li r1, 5\nloop: sub r1, r1, #1\n"
                                     "  cmp r1, #0\n  bne loop\n  halt\n");
    const auto counted = [&](const std::string& text) {
        const std::string option = text.empty() ? "" : " --timing " + file("own.timing", "timing {" + text + "}");
        return pogo("run " + lecture_ + " --asm " + program + option + " --stats");
    };
    const Result plain = counted("");
    EXPECT_EQ(counted(own).out, plain.out);
    const Result slow = counted("branch 10;" + own);
    EXPECT_EQ(slow.code, 0);
    EXPECT_EQ(figure(plain.out, "instructions"), 1U + 5 * 3 + 1);
    EXPECT_EQ(figure(slow.out, "instructions"), figure(plain.out, "instructions"));
    EXPECT_EQ(figure(slow.out, "cycles"), figure(plain.out, "cycles") + 10 * figure(plain.out, "branch"));
    EXPECT_EQ(figure(plain.out, "branch"), 4U);
}

TEST_F(TimingFile, GivesCaches) {
    const std::string text =
        "timing { icache size 64 line 16 ways 2 miss 9; dcache size 64 line 16 ways 2 miss 9;" + classes_ + "}";
    const Result batched = run(text, " --stats");
    EXPECT_EQ(run(text, " --stats --view clocked").out, batched.out);
    EXPECT_THAT(batched.out, HasSubstr("icache\n  accesses"));
    EXPECT_THAT(batched.out, HasSubstr("dcache\n  accesses"));
    EXPECT_THAT(run("timing {" + classes_ + "}", " --stats").out, Not(HasSubstr("cache")));
}

TEST_F(TimingFile, IsHeldToTheLanguage) {
    const auto says = [&](const std::string& text, const std::string& what) {
        const Result r = run(text);
        EXPECT_EQ(r.code, 65) << text;
        EXPECT_THAT(r.out, HasSubstr(what)) << text;
    };
    const auto cache = [&](const std::string& properties) {
        return "timing {\n dcache " + properties + ";" + classes_ + "}";
    };
    says("timing {\n speed 3;" + classes_ + "}", "test.timing:2:2: error[E0501]");
    says("timing {\n tlb 48;" + classes_ + "}", "test.timing:2:2: error[E0302]");
    says(cache("size 100 line 4 ways 1 miss 1"), "test.timing:2:9: error[E0302]");
    says(cache("size 64 line 32 ways 4 miss 1"), "test.timing:2:2: error[E0519]");
    says(cache("size 1073741824 line 32 ways 1 miss 1"), "more than 16777216 lines");
    says(cache("size 64 line 32 ways 2"), "it lacks `miss`");
    says(cache("size 64 size 64 line 32 ways 2 miss 1"), "error[E0202]");
    says(cache("size 64 line 32 ways 2 miss 1 colour 3"), "error[E0501]");
    // Classes that instructions name; the place is the instruction's.
    says("timing { }", "error[E0508]: there is no timing class `mul`");
    says("timing { load 1", "error[E0");
    says("timing { } timing { }", "test.timing:1:12: error[E0");
    says("machine m { }", "test.timing:1:1: error[E0905]");
    says("", "error[E0112]");
    EXPECT_THAT(pogo("run " + lecture_ + " --timing no-such-file").out, HasSubstr("error[E0801]"));
    EXPECT_THAT(pogo("show spec " + file("only.isa", "timing { }")).out, HasSubstr("a timing section"));
}

}  // namespace
}  // namespace pogo::integration
