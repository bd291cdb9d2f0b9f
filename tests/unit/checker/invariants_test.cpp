// Invariants: kept ones let proofs stand, others are named with what breaks them and no theorem is proved.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "check/check.hpp"
#include "isa/elaborate.hpp"

namespace pogo::check {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Findings findings(const std::string& declarations) {
    const std::string text =
        "machine m { address 8; }\n"
        "register pc : bits(8) role pc; register s : bits(1) role mode; register n : bits(4) role data;\n"
        "mode upper { s = 1; } mode lower { s = 0; }\n"
        "trap bad kind illegal { pc = 0; } illegal bad;\n" +
        declarations;
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto spec = isa::load_spec(sources, sources.add("m.isa", text), std::nullopt, {}, diagnostics);
    EXPECT_TRUE(spec.has_value()) << isa::render(diagnostics, sources);
    return check(*spec, {});
}

const std::string step = "instruction step { encoding 0x01; assembly \"step\"; n = n + 2; }";
const std::string even = "invariant even = n[0] == 0;";

TEST(Invariants, AreProvedInductive) {
    const Findings found = findings("reset { s = 1; } " + step + even);
    ASSERT_EQ(found.invariants.size(), 1U);
    EXPECT_EQ(found.invariants[0].holds, Verdict::yes);
    EXPECT_EQ(found.theorem1_strict.holds, Verdict::yes);
}

TEST(Invariants, NameTheInstructionThatBreaksThem) {
    const Findings found =
        findings("reset { s = 1; } " + step + "instruction odd { encoding 0x02; assembly \"odd\"; n = n + 1; }" + even);
    EXPECT_EQ(found.invariants[0].holds, Verdict::no);
    EXPECT_THAT(found.invariants[0].broken_by, ElementsAre("odd"));
    // Nothing is critical, but the proof assumed what is not so.
    EXPECT_THAT(found.theorem1_strict.against, IsEmpty());
    EXPECT_EQ(found.theorem1_strict.holds, Verdict::unknown);
}

TEST(Invariants, HoldAfterResetAndTrapEntriesToo) {
    EXPECT_THAT(findings("reset { n = 3; } " + step + even).invariants[0].broken_by, ElementsAre("reset"));
    EXPECT_THAT(findings("trap call kind call { n = 1; } " + step + even).invariants[0].broken_by,
                ElementsAre("trap call"));
    EXPECT_THAT(findings("input line : bits(1); interrupt tick when line == 1 { n = 5; } " + step + even)
                    .invariants[0]
                    .broken_by,
                ElementsAre("interrupt tick"));
}

TEST(Invariants, MayRestOnEachOther) {
    const Findings found = findings("register d : bits(4) role data; " + step +
                                    "instruction copy { encoding 0x02; assembly \"copy\"; n = d; }" + even +
                                    "invariant both = d[0] == 0;");
    EXPECT_EQ(found.invariants[0].holds, Verdict::yes);
    EXPECT_EQ(found.invariants[1].holds, Verdict::yes);
}

}  // namespace
}  // namespace pogo::check
