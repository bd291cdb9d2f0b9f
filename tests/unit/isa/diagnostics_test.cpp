// Diagnostics: every code's example shows the code; places, carets and notes are right.
// SPDX-License-Identifier: Apache-2.0
#include "isa/diagnostic.hpp"

#include "support.hpp"

namespace pogo::isa {
namespace {

using testing::load;
using testing::machine;

std::vector<Code> codes_with_examples() {
    auto codes = all_codes();
    std::erase_if(codes, [](Code code) { return info(code).example.empty(); });
    return codes;
}

class EveryExample : public ::testing::TestWithParam<Code> {};

TEST_P(EveryExample, ShowsItsCode) {
    const auto& row = info(GetParam());
    std::string said;
    const auto spec = load(std::string(row.example), &said);
    EXPECT_FALSE(spec.has_value());
    EXPECT_NE(said.find("[" + std::string(row.name) + "]"), std::string::npos) << row.example << "\nsaid:\n" << said;
}

INSTANTIATE_TEST_SUITE_P(Codes, EveryExample, ::testing::ValuesIn(codes_with_examples()),
                         [](const ::testing::TestParamInfo<Code>& code) {
                             return std::string(pogo::isa::info(code.param).name);
                         });

TEST(Codes, AreExplainedAndTakeAnyArguments) {
    SourceManager sources;
    for (const Code code : all_codes()) {
        EXPECT_FALSE(explain(code).empty());
        EXPECT_EQ(find_code(info(code).name), code);
        EXPECT_FALSE(render(Diagnostic{code, {}, {"a", "b", "c"}, {}}, sources).empty());
    }
    // What has no example is about policies, assembly, files and the command line; the integration tests show those.
    for (const Code code : all_codes()) {
        const auto& row = info(code);
        EXPECT_TRUE(!row.example.empty() || row.name == "E0307" || row.name >= "E0600") << row.name;
    }
}

TEST(Rendering, PointsAtTheWordThatIsWrong) {
    std::string said;
    load("machine m {\n  address 16;\n}\nregister pc : bits(16) role pc;\nreset {\n\tpc = strat;\n}\n", &said);
    EXPECT_EQ(said,
              "test.isa:6:7: error[E0201]: `strat` is not declared\n"
              "  \tpc = strat;\n"
              "  \t     ^~~~~\n");
}

TEST(Rendering, SuggestsTheNearestName) {
    std::string said;
    load(machine("register count : bits(8) role data; reset { coutn = 1; }"), &said);
    EXPECT_NE(said.find("did you mean `count`?"), std::string::npos) << said;
}

TEST(Rendering, ShowsBothPlacesOfADoubleDeclaration) {
    std::string said;
    load(machine("register pc : bits(8) role data;"), &said);
    EXPECT_NE(said.find("note: first declared here"), std::string::npos) << said;
    EXPECT_NE(said.find("test.isa:2:1"), std::string::npos) << said;
}

TEST(Diagnostics, CountWhatTheyDoNotKeep) {
    Diagnostics diagnostics;
    SourceManager sources;
    for (int i = 0; i < 60; ++i) diagnostics.report(Code::E0102, SourceRange{});
    EXPECT_EQ(diagnostics.all().size(), Diagnostics::limit);
    EXPECT_NE(render(diagnostics, sources).find("10 more errors"), std::string::npos);
}

}  // namespace
}  // namespace pogo::isa
