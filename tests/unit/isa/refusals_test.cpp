// Who is refused what: conditions read off meanings, against ones worked out by hand.
// SPDX-License-Identifier: Apache-2.0
#include "isa/refusals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "isa/elaborate.hpp"

namespace pogo::isa {
namespace {

using ::testing::ElementsAre;

std::vector<Refusals> refusals_of(const std::string& instructions) {
    SourceManager sources;
    Diagnostics diagnostics;
    const auto spec = load_spec(sources,
                                sources.add("m.isa",
                                            "machine m { endian big; address 16; }\n"
                                            "register pc : bits(16) role pc;\n"
                                            "register m : bits(1) role mode;\n"
                                            "register t : bits(1) role control;\n"
                                            "register n : bits(2) role control;\n"
                                            "mode upper { m = 1; } mode lower { m = 0; }\n"
                                            "trap no kind privilege { pc = 0; }\n"
                                            "trap bad kind illegal { pc = 2; }\n"
                                            "illegal bad;\n" +
                                                instructions),
                                {}, {}, diagnostics);
    EXPECT_TRUE(spec.has_value()) << render(diagnostics, sources);
    return refusals(*spec);
}
std::vector<std::string> of(const std::string& body) {
    const auto all = refusals_of("instruction i { encoding 0x1 k:4; assembly \"i {k}\"; " + body + " }\n");
    return all.at(0).when;
}

TEST(Refusals, AreConditionsByMode) {
    EXPECT_THAT(of("t = 0;"), ElementsAre("", ""));
    EXPECT_THAT(of("trap no;"), ElementsAre("always", "always"));
    EXPECT_THAT(of("trap no when m == 0;"), ElementsAre("", "always"));
    EXPECT_THAT(of("trap no when m == 0 && t == 1;"), ElementsAre("", "t = 1"));
    EXPECT_THAT(of("trap no when !(m == 1 && t == 1 && n == 2);"), ElementsAre("n != 2 | t = 0", "always"));
    EXPECT_THAT(of("trap no when t == 1 && n == 2; trap no when k == 10;"),
                ElementsAre("k = 0xa | t = 1 & n = 2", "k = 0xa | t = 1 & n = 2"));
    EXPECT_THAT(of("trap no when if t == 1 then n == 0 else m == 1;"), ElementsAre("n = 0 | t = 0", "t = 1 & n = 0"));
    EXPECT_THAT(of("trap no when k[3] == 1 || k == 1 && k == 2;"), ElementsAre("k<3> = 1", "k<3> = 1"));
    EXPECT_THAT(of("trap no when k[2..1] == 2;"), ElementsAre("k<2:1> = 2", "k<2:1> = 2"));
    EXPECT_THAT(of("trap no when n < 2;"), ElementsAre("(bvult n #b10)", "(bvult n #b10)"));
}

TEST(Refusals, AreOfTheTrapThatIsRaised) {
    EXPECT_THAT(of("trap bad when t == 1; trap no when n == 1 || t == 1;"),
                ElementsAre("n = 1 & t = 0", "n = 1 & t = 0"));
    EXPECT_THAT(of("trap bad; trap no;"), ElementsAre("", ""));
    EXPECT_THAT(of("trap bad when t == 1;"), ElementsAre("", ""));
    EXPECT_FALSE(refusals_of("instruction i { encoding 0x11; assembly \"i\"; trap bad; }\n").at(0).any());
}

TEST(Refusals, OfManyComparisonsAreNotSpelledOut) {
    std::string condition = "n == 0 && t == 0";
    for (int i = 0; i < 12; ++i) condition += " || pc == " + std::to_string(i);
    EXPECT_THAT(of("trap no when " + condition + ";"), ElementsAre("under a condition", "under a condition"));
}

}  // namespace
}  // namespace pogo::isa
