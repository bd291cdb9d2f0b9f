// TOML: values with their places, in the order of the file; what is wrong is said where it is.
// SPDX-License-Identifier: Apache-2.0
#include "isa/toml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pogo::isa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Reading {
    SourceManager sources;
    Diagnostics diagnostics;
    std::optional<Toml> file;

    explicit Reading(std::string text) {
        file = parse_toml(sources, sources.add("file.toml", std::move(text)), diagnostics);
    }
    [[nodiscard]] std::string said() const { return render(diagnostics, sources); }
    [[nodiscard]] std::string_view text(SourceRange range) const { return sources.text(range); }
};

TEST(Toml, KeepsTheOrderAndThePlacesOfTheFile) {
    const Reading reading("title = \"ä\"\n\n[zebra]\nsize = 0x10\nyes = true\n[apple]\nlist = ['a', \"b\"]\n");
    ASSERT_TRUE(reading.file) << reading.said();
    const auto& entries = reading.file->entries;
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].key, "title");
    EXPECT_EQ(entries[0].value.text, "ä");
    EXPECT_EQ(reading.text(entries[0].where), "title");
    EXPECT_EQ(reading.text(entries[0].value.where), "\"ä\"");
    EXPECT_EQ(entries[1].key, "zebra");
    EXPECT_EQ(entries[1].value.entries[0].value.integer, 16);
    EXPECT_EQ(reading.text(entries[1].value.entries[0].value.where), "0x10");
    EXPECT_TRUE(entries[1].value.entries[1].value.boolean);
    EXPECT_EQ(entries[2].key, "apple");
    const auto& list = entries[2].value.entries[0].value;
    ASSERT_EQ(list.items.size(), 2U);
    EXPECT_EQ(reading.text(list.items[1].where), "\"b\"");
    EXPECT_EQ(reading.text(list.where), "['a', \"b\"]");
}

TEST(Toml, CountsBytesInColumns) {
    const Reading reading("a = { 'ä' = 1, key = 2.5 }\n");
    ASSERT_TRUE(reading.file) << reading.said();
    EXPECT_EQ(reading.text(reading.file->entries[0].value.entries[1].where), "key");
    EXPECT_EQ(reading.file->entries[0].value.entries[1].value.kind, Toml::Kind::other);
}

TEST(Toml, SyntaxErrorsAreSaidWhereTheyAre) {
    const Reading reading("a = 1\nb = = 2\n");
    EXPECT_FALSE(reading.file);
    EXPECT_THAT(reading.said(), HasSubstr("file.toml:2:5: error[E0808]"));
}

TEST(Toml, AnUnclosedTextIsAnError) {
    for (const char* text :
         {"a = \"b", "[a", "a = [1, 2", "a = {b = 1", "\xff\xfe", "a", "= 1", "a = 99999999999999999999"})
        EXPECT_THAT(Reading(text).said(), HasSubstr("error[E0808]")) << text;
}

TEST(Toml, AKeyGivenTwiceIsAnError) {
    EXPECT_THAT(Reading("[a]\nb = 1\nb = 2\n").said(),
                HasSubstr("file.toml:3:5: error[E0809]: cannot redefine existing integer"));
    EXPECT_THAT(Reading("[a]\nb = 1\n[a]\n").said(), HasSubstr("error[E0809]"));
    EXPECT_THAT(Reading("a.b = 1\n[a]\nb = 1\n").said(), HasSubstr("error[E0809]"));
}

TEST(Toml, WhatToolsGetWrongIsAnErrorToo) {
    for (const char* text : {"8\u035D]", "[\003[", "\u0100 = 1"})
        EXPECT_THAT(Reading(text).said(), HasSubstr("error[E0808]")) << text;
    EXPECT_EQ(Reading("s = \"\"\"\\\n\u00A7\"\"\"\n").said(), "");
}

TEST(Toml, DeepNestingIsAnError) {
    EXPECT_THAT(Reading("a = " + std::string(100'000, '[')).said(), HasSubstr("error[E0808]"));
}

TEST(TomlTable, GivesWhatIsAskedFor) {
    Reading reading("name = 'x'\nsize = -3\nyes = false\nlist = ['a', 'b']\n[inner]\n");
    TomlTable table(*reading.file, reading.diagnostics);
    EXPECT_EQ(table.string("name"), "x");
    EXPECT_EQ(table.integer("size"), -3);
    EXPECT_EQ(table.boolean("yes"), false);
    EXPECT_THAT(table.strings("list"), ElementsAre("a", "b"));
    EXPECT_NE(table.table("inner"), nullptr);
    EXPECT_EQ(table.string("absent"), std::nullopt);
    table.finish();
    EXPECT_EQ(reading.said(), "");
}

TEST(TomlTable, SaysWhatItDoesNotKnowAndWhatItDoes) {
    Reading reading("name = 'x'\n[colour]\n");
    TomlTable table(*reading.file, reading.diagnostics);
    EXPECT_EQ(table.string("name"), "x");
    EXPECT_EQ(table.table("color"), nullptr);
    table.finish();
    EXPECT_EQ(reading.said(),
              "file.toml:2:2: error[E0811]: unknown key `colour`\n"
              "  [colour]\n"
              "   ^~~~~~\n"
              "  help: known are name, color\n");
}

TEST(TomlTable, SaysWhichTypeItExpected) {
    Reading reading("name = 1\nlist = ['a', 2]\nday = 2026-01-01\n");
    TomlTable table(*reading.file, reading.diagnostics);
    EXPECT_EQ(table.string("name"), std::nullopt);
    EXPECT_THAT(table.strings("list"), ElementsAre("a"));
    EXPECT_EQ(table.integer("day"), std::nullopt);
    EXPECT_THAT(reading.said(), HasSubstr("file.toml:1:8: error[E0810]: expected a string, found an integer"));
    EXPECT_THAT(reading.said(), HasSubstr("file.toml:2:14: error[E0810]: expected a string, found an integer"));
    EXPECT_THAT(reading.said(), HasSubstr("file.toml:3:7: error[E0810]: expected an integer, found a date or time"));
}

TEST(TomlTable, SaysWhatIsMissing) {
    Reading reading("[a]\n");
    TomlTable table(reading.file->entries[0].value, reading.diagnostics);
    EXPECT_EQ(table.required_string("name"), std::nullopt);
    EXPECT_THAT(reading.said(), HasSubstr("file.toml:1:1: error[E0812]: `name` is missing"));
}

}  // namespace
}  // namespace pogo::isa
