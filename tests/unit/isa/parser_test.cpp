// Parsing and printing: round trips, recovery, hostile input.
// SPDX-License-Identifier: Apache-2.0
#include "isa/parser.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "support.hpp"

namespace pogo::isa {
namespace {

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

Ast parse_text(const std::string& text, Diagnostics& diagnostics) {
    SourceManager sources;
    return parse(sources, sources.add("test.isa", text), diagnostics);
}

TEST(Printing, RoundTripsEveryShippedSpec) {
    ASSERT_GE(testing::shipped_files().size(), 3U);
    for (const auto& path : testing::shipped_files()) {
        Diagnostics diagnostics;
        const Ast once = parse_text(text_of(path), diagnostics);
        ASSERT_FALSE(diagnostics.has_errors()) << path;
        const std::string printed = print(once);
        const Ast twice = parse_text(printed, diagnostics);
        EXPECT_FALSE(diagnostics.has_errors()) << path;
        EXPECT_TRUE(once == twice) << path;
        EXPECT_EQ(print(twice), printed) << path;
    }
}

TEST(Printing, KeepsPrecedence) {
    Diagnostics diagnostics;
    const char* const text = "const a = 1 + 2 * 3 << 1 == 4 && !x || ~y[3 .. 0] @ z.w(1, 2) != -1;";
    const Ast tree = parse_text(std::string("machine m { } ") + text, diagnostics);
    EXPECT_FALSE(diagnostics.has_errors());
    EXPECT_NE(print(tree).find(text), std::string::npos) << print(tree);
    // || (&& (== (<< (+ 1 (* 2 3)) 1) 4) (! x)) (!= (@ …) (- 1))
    const Ast& value = tree[1][0];
    EXPECT_EQ(value.text, "||");
    EXPECT_EQ(value[0].text, "&&");
    EXPECT_EQ(value[0][0].text, "==");
    EXPECT_EQ(value[0][0][0].text, "<<");
    EXPECT_EQ(value[0][0][0][0].text, "+");
    EXPECT_EQ(value[1].text, "!=");
    EXPECT_EQ(value[1][0].text, "@");
}

TEST(Printing, KeepsParenthesesThatMatter) {
    Diagnostics diagnostics;
    const char* const text = "const a = (1 + 2) * (3 - (4 - 5)) == (-(x + 1))[0] | (if c then 1 else 2) + 3;";
    const Ast tree = parse_text(std::string("machine m { } ") + text, diagnostics);
    EXPECT_FALSE(diagnostics.has_errors());
    EXPECT_NE(print(tree).find(text), std::string::npos) << print(tree);
}

TEST(Printing, KeepsCaches) {
    Diagnostics diagnostics;
    const char* const text = "timing {\n  tlb 64;\n  icache size 16384 line 64 ways 4 miss 20;\n";
    EXPECT_NE(print(parse_text(std::string("machine m { } ") + text + "}", diagnostics)).find(text), std::string::npos);
    // A file of its own.
    EXPECT_TRUE(parse_text(std::string(text) + "}", diagnostics).is(Syntax::timing));
    EXPECT_FALSE(diagnostics.has_errors());
}

TEST(Printing, KeepsWhatDevicesDrive) {
    Diagnostics diagnostics;
    const char* const text =
        "input line : bits(64) role time;\n\n"
        "platform {\n"
        "  isa \"rv64i\";\n"
        "  interrupt_controller pic at 0 size 16 drives ipl;\n"
        "  clint c at 16 size 8 drives software => msip, timer => mtip timebase 10 drives time => line;\n"
        "  timer t at 32 size 8 line 3;\n"
        "}\n";
    const Ast tree = parse_text(std::string("machine m { } ") + text, diagnostics);
    EXPECT_FALSE(diagnostics.has_errors());
    EXPECT_NE(print(tree).find(text), std::string::npos) << print(tree);
    EXPECT_EQ(parse_text(print(tree), diagnostics), tree);
    parse_text("machine m { } platform { clint c at 0 size 8 drives => x; timer t at 8 size 8 line; }", diagnostics);
    EXPECT_EQ(diagnostics.errors(), 2U);
}

// Neither deep nesting nor long chains may exhaust the stack.
TEST(Parser, BoundsTheDepthOfTrees) {
    const auto errors = [](const std::string& expression) {
        Diagnostics diagnostics;
        parse_text("machine m { } const a = " + expression + ";", diagnostics);
        return diagnostics.errors();
    };
    std::string chain = "1";
    for (int i = 0; i < 100000; ++i) chain += " + 1";
    EXPECT_EQ(errors(chain), 1U);
    EXPECT_EQ(errors(std::string(100000, '(')), 1U);
    EXPECT_EQ(errors(std::string(100000, '-') + "1"), 1U);
    std::string slices = "x";
    for (int i = 0; i < 100000; ++i) slices += "[0]";
    EXPECT_EQ(errors(slices), 1U);
    EXPECT_EQ(errors(std::string(150, '(') + "1" + std::string(150, ')')), 0U);
}

TEST(Parser, ReportsSeveralErrorsInOneRun) {
    Diagnostics diagnostics;
    parse_text(
        "machine m { endian big }\nregister : bits(8);\nregfile r[4 : bits(8) role data;\nfnction f() = 1;\n"
        "register ok : bits(8) role data;",
        diagnostics);
    EXPECT_GE(diagnostics.errors(), 4U);
}

TEST(Parser, GoesOnAfterAnErrorInABody) {
    Diagnostics diagnostics;
    const Ast tree =
        parse_text("machine m { } reset { pc = = 1; pc = 2; } register r : bits(8) role data;", diagnostics);
    EXPECT_EQ(diagnostics.errors(), 1U);
    EXPECT_NE(dump(tree).find("register r"), std::string::npos);
    EXPECT_NE(dump(tree).find("assign"), std::string::npos);
}

// Mangled text never crashes the front end, and what elaborates without complaint is a whole Spec.
TEST(Parser, SurvivesMangledSpecs) {
    std::mt19937_64 random(11);
    for (const auto& path : testing::shipped_files()) {
        // Too many forms for so many rounds; the fuzz target has them.
        if (path.filename() == "m68k.isa" || path.filename() == "pdp11.isa") continue;
        const std::string text = text_of(path);
        for (unsigned n = 0; n < 60; ++n) {
            std::string mangled = text;
            for (unsigned i = 0; i <= n % 4; ++i) {
                const std::size_t at = random() % mangled.size();
                switch (random() % 4) {
                    case 0:
                        mangled.erase(at, 1 + random() % 20);
                        break;
                    case 1:
                        mangled[at] = static_cast<char>(random());
                        break;
                    case 2:
                        mangled.insert(at, mangled.substr(random() % mangled.size(), 30));
                        break;
                    default:
                        mangled.resize(at + 1);
                }
                if (mangled.empty()) mangled = "x";
            }
            std::string said;
            const auto spec = testing::load(mangled, &said);
            EXPECT_TRUE(spec.has_value() || !said.empty());
        }
    }
}

}  // namespace
}  // namespace pogo::isa
