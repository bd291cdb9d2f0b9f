// Edits of a spec's text: what is inserted stands where a person would put it, and nothing else moves.
// SPDX-License-Identifier: Apache-2.0
#include "isa/edit.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "isa/parser.hpp"

namespace pogo::isa {
namespace {

std::optional<std::string> begun(const std::string& text, const std::vector<Prefix>& prefixes) {
    SourceManager sources;
    return begin_with(sources, sources.add("m.isa", text), prefixes);
}

const std::string head = "machine m { address 8; }\n// Comments stay.\n";

TEST(Edit, PutsAStatementBeforeTheFirst) {
    const std::string text = head + R"(
instruction one {
  name "the first";   // with a comment
  encoding 0x01;
  assembly "one";     // and another
  // about what follows
  r = 1;  s = 2;
}
)";
    EXPECT_EQ(begun(text, {{"one", "trap t;"}, {"one", "trap u;"}}), head + R"(
instruction one {
  name "the first";   // with a comment
  encoding 0x01;
  assembly "one";     // and another
  trap t;
  trap u;
  // about what follows
  r = 1;  s = 2;
}
)");
    EXPECT_EQ(begun(text, {}), text);
    EXPECT_EQ(begun(text, {{"two", "trap t;"}}), std::nullopt);
    EXPECT_EQ(begun("machine m {", {}), std::nullopt);
}

TEST(Edit, StaysOnTheLineOfAnInstructionThatHasOne) {
    EXPECT_EQ(begun(head + "instruction one { encoding 0x01; assembly \"one\"; r = 1; }", {{"one", "trap t;"}}),
              head + "instruction one { encoding 0x01; assembly \"one\"; trap t; r = 1; }");
    EXPECT_EQ(begun(head + "instruction one { encoding 0x01; assembly \"one\"; }", {{"one", "trap t;"}}),
              head + "instruction one { encoding 0x01; assembly \"one\"; trap t; }");
    EXPECT_EQ(begun(head + "instruction one {\n  r = 1;\n  encoding 0x01; assembly \"one\";\n}", {{"one", "trap t;"}}),
              head + "instruction one {\n  trap t;\n  r = 1;\n  encoding 0x01; assembly \"one\";\n}");
}

TEST(Edit, FindsInstructionsUnderConditions) {
    const std::string text = head + R"(when flaw {
  instruction one {
    encoding 0x01;
    assembly "one";
    when other { require privileged; }
    r = 1;
  }
}
)";
    EXPECT_EQ(begun(text, {{"one", "trap t;"}}), head + R"(when flaw {
  instruction one {
    encoding 0x01;
    assembly "one";
    trap t;
    when other { require privileged; }
    r = 1;
  }
}
)");
}

TEST(Edit, AddsRulesOfWhatLeaves) {
    const std::string text = R"(extension x of m {
  exit vm_exit;
  exits on privileged;  // all of them
  active v == 1;
}
)";
    SourceManager sources;
    const std::vector<std::string> rules{"exits on instruction \"a\";", "exits on instruction \"b\" when k == 1;"};
    EXPECT_EQ(with_exits(sources, sources.add("p.isa", text), rules), R"(extension x of m {
  exit vm_exit;
  exits on privileged;  // all of them
  exits on instruction "a";
  exits on instruction "b" when k == 1;
  active v == 1;
}
)");
    EXPECT_EQ(with_exits(sources, sources.add("m.isa", head), rules), std::nullopt);
}

class ShippedText : public ::testing::TestWithParam<const char*> {};

void instructions(const Ast& ast, std::vector<const Ast*>& into) {
    if (ast.is(Syntax::instruction)) into.push_back(&ast);
    for (const Ast& child : ast.children) instructions(child, into);
}

// A statement in each instruction of a shipped spec: on a line of its own, and nothing else is another.
TEST_P(ShippedText, TakesAStatementInEveryInstruction) {
    std::ifstream file(std::string(POGO_SPECS "/") + GetParam());
    std::stringstream text;
    text << file.rdbuf();
    SourceManager sources;
    Diagnostics diagnostics;
    const auto buffer = sources.add("old", text.str());
    const Ast old = parse(sources, buffer, diagnostics);
    std::vector<const Ast*> before;
    instructions(old, before);
    std::vector<Prefix> prefixes;
    prefixes.reserve(before.size());
    for (const Ast* ast : before) prefixes.push_back({ast->text, "trap inserted;"});
    std::sort(prefixes.begin(), prefixes.end(),
              [](const Prefix& a, const Prefix& b) { return a.instruction < b.instruction; });
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end(),
                               [](const Prefix& a, const Prefix& b) { return a.instruction == b.instruction; }),
                   prefixes.end());
    const auto edited = begin_with(sources, buffer, prefixes);
    ASSERT_TRUE(edited.has_value());

    const Ast fresh = parse(sources, sources.add("new", *edited), diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << render(diagnostics, sources);
    std::vector<const Ast*> after;
    instructions(fresh, after);
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        std::vector<Ast> rest;
        for (const Ast& item : after[i]->children)
            if (!item.is(Syntax::raise) || item.text != "inserted") rest.push_back(item);
        EXPECT_EQ(rest.size() + 1, after[i]->size()) << after[i]->text;
        EXPECT_EQ(rest, before[i]->children) << after[i]->text;
    }
    std::string without;
    std::stringstream lines(*edited);
    for (std::string line; std::getline(lines, line);)
        if (line.find_first_not_of(' ') == std::string::npos ||
            line.substr(line.find_first_not_of(' ')) != "trap inserted;")
            without += line + "\n";
    EXPECT_EQ(without, text.str());
}

INSTANTIATE_TEST_SUITE_P(Specs, ShippedText, ::testing::Values("lecture.isa", "pg74.isa", "m68k.isa", "rv64.isa"),
                         [](const auto& test) {
                             return std::string(test.param).substr(0, std::string(test.param).find('.'));
                         });

}  // namespace
}  // namespace pogo::isa
