// Edits of a spec's text: what is inserted stands where a person would put it, and nothing else moves.
// SPDX-License-Identifier: Apache-2.0
#include "isa/edit.hpp"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace pogo::isa
