// Tests of the report and its renderings as text, JSON and Markdown.
// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "support.hpp"

namespace pogo::report {
namespace {

using nlohmann::json;

const Report& flawed_report() {
    static const Report report = report_on(Machine("lecture.isa", flawed));
    return report;
}

const Instruction& instruction(const Report& report, std::string_view name) {
    for (const auto& i : report.instructions)
        if (i.name == name) return i;
    ADD_FAILURE() << name;
    return report.instructions.front();
}

TEST(Report, SaysTheVerdictInASentence) {
    EXPECT_EQ(flawed_report().verdict(),
              "lecture (popf=true, read_ccr=true, lra=true): the hypothesis of Theorem 1 is refuted by 3 of 32 "
              "instructions: popf, rdccr and lra.");
    EXPECT_EQ(
        report_on(Machine("lecture.isa")).verdict(),
        "lecture (popf=false, read_ccr=false, lra=false): a virtual machine monitor can be built; every sensitive "
        "instruction of 29 is privileged (Theorem 1, strict and extended).");
}

TEST(Report, NeverClaimsMoreThanWasDecided) {
    Report report = flawed_report();
    report.theorem1.decision = {Decision::unknown, Decision::unknown};
    EXPECT_NE(report.verdict().find("undecided"), std::string::npos);
    report.theorem1.decision = {Decision::proved, Decision::refuted};
    report.theorem1.against_extended = {"x"};
    EXPECT_NE(report.verdict().find("in the sense of 1974"), std::string::npos);
    EXPECT_NE(report.verdict().find("by 1 of 32 instructions: x"), std::string::npos);
    report.theorem1.decision = {Decision::proved, Decision::unknown};
    EXPECT_NE(report.verdict().find("in the sense of 1974"), std::string::npos);
    EXPECT_NE(report.verdict().find("undecided"), std::string::npos);
}

TEST(Report, HashesTheTextOfTheSpec) {
    const Machine machine(Machine::Text{"tiny.isa",
                                        "machine tiny { unit 8; address 8; parcel 8; }\n"
                                        "register pc : bits(8) role pc;\nregister s : bits(1) role mode;\n"
                                        "mode k { s = 0; }\nmode u { s = 1; }\n"
                                        "context c { supervisor k; user u; }\n"
                                        "translate (va, access, units) { return va; }\n"
                                        "trap bad kind illegal { }\nillegal bad;\n"
                                        "instruction nop { encoding 0x00; assembly \"nop\"; }\n"});
    const Report report = report_on(machine);
    Folder folder;
    const auto ran = run("sha256sum < " + folder.write("tiny", std::string(machine.sources.text(0))));
    EXPECT_EQ(ran.output.substr(0, 64), report.sha256);
}

TEST(Text, PointsAtTheLineThatLeaks) {
    const std::string text = to_text(flawed_report());
    EXPECT_EQ(text.find(flawed_report().verdict()), 0U);
    EXPECT_NE(text.find("refuted[theorem 1]: \"rdccr\" is mode-sensitive and configuration-sensitive but not "
                        "privileged\n      r[rd] = zext(ccr, 32);\n      ^~~~~~~~~~~~~~~~~~~~~~\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("replayed on the model: confirmed in 5 cycles"), std::string::npos);
    EXPECT_NE(text.find("Theorem 3, strict:    refuted by lra"), std::string::npos);
    EXPECT_NE(text.find("Repeat: pogo check lecture.isa --param popf=true --param read_ccr=true --param lra=true "
                        "--seed 7 --states 16\n"),
              std::string::npos);
}

TEST(Text, ShowsOnlyWhatDiffers) {
    const Witness* const witness = Report::telling(instruction(flawed_report(), "rdccr"));
    ASSERT_NE(witness, nullptr);
    ASSERT_EQ(witness->before.size(), 1U);
    EXPECT_EQ(witness->before[0].name, "ccr");
    ASSERT_EQ(witness->after.size(), 1U);
    EXPECT_EQ(witness->after[0].name, "r1");
    EXPECT_EQ(witness->states[0].mode, "supervisor");
    EXPECT_EQ(witness->states[1].mode, "user");
}

TEST(Text, TellsWhatTheInstructionReadsBesideItself) {
    const Witness* const witness = Report::telling(instruction(flawed_report(), "popf"));
    ASSERT_NE(witness, nullptr);
    std::vector<std::string> names;
    for (const auto& r : witness->common) names.push_back(r.name);
    EXPECT_EQ(names, (std::vector<std::string>{"r15", "limit", "[0x00000007]"}));
}

TEST(Text, SaysThatUnknownIsUnknown) {
    Machine machine("lecture.isa", flawed);
    machine.request.check.rlimit = 1;
    const Report report = report_on(machine);
    if (report.theorem1.decision.strict != Decision::unknown) GTEST_SKIP() << "rewriting alone decides";
    EXPECT_NE(to_text(report).find("unknown"), std::string::npos);
    EXPECT_EQ(json::parse(to_json(report))["theorems"]["1"]["strict"], "unknown");
}

TEST(Text, RendersAFailure) {
    Report report = flawed_report();
    report.instructions[0].contradictions = {"proved: privileged; the model disagrees"};
    for (auto& i : report.instructions)
        for (auto& witness : i.witnesses) {
            witness.replay = ReplayStatus::failed;
            witness.mismatch = "state 1: it was otherwise";
        }
    EXPECT_FALSE(report.confirmed());
    EXPECT_NE(to_text(report).find("internal error: \"add\": proved: privileged; the model disagrees"),
              std::string::npos);
    EXPECT_NE(to_text(report).find("failed: state 1: it was otherwise"), std::string::npos);
    EXPECT_NE(to_markdown(report).find("**Internal error**"), std::string::npos);
    EXPECT_NE(to_html(report).find("The model contradicts the checker"), std::string::npos);
}

TEST(Renderings, AreTheSameBytesWithOneJobAndTwo) {
    std::vector<std::string> first;
    for (const unsigned jobs : {1U, 2U, 1U}) {
        Machine machine("lecture.isa", flawed);
        machine.request.check.jobs = jobs;
        const Report report = report_on(machine);
        const std::vector<std::string> all{to_text(report), to_json(report), to_markdown(report), to_html(report)};
        if (first.empty()) first = all;
        EXPECT_EQ(first, all) << jobs;
    }
}

TEST(Renderings, NameNoAbsolutePath) {
    for (const auto& text :
         {to_text(flawed_report()), to_json(flawed_report()), to_markdown(flawed_report()), to_html(flawed_report())})
        EXPECT_EQ(text.find(POGO_SPECS), std::string::npos);
}

TEST(Json, HasTheKeysOfTheContractInTheirOrder) {
    const auto document = nlohmann::ordered_json::parse(to_json(flawed_report()));
    std::vector<std::string> keys;
    for (const auto& [key, value] : document.items()) keys.push_back(key);
    EXPECT_EQ(keys,
              (std::vector<std::string>{"schema", "tool", "spec", "context", "verdict", "elements", "instructions",
                                        "theorems", "invariants", "vm_map", "statistics", "repeat"}));
    EXPECT_EQ(document["theorems"]["1"]["strict"], "refuted");
    EXPECT_EQ(document["context"]["supervisor"], "supervisor");
    EXPECT_EQ(document["tool"]["version"], "1.2.3");
    for (const auto& i : document["instructions"]) {
        if (i["name"] != "popf") continue;
        EXPECT_EQ(i["privileged"], "never");
        EXPECT_EQ(i["critical"]["strict"], true);
        EXPECT_EQ(i["control_sensitive"]["writes"], (nlohmann::ordered_json{"mode", "ccr.I"}));
        for (const auto& witness : i["witnesses"]) EXPECT_EQ(witness["replay"], "confirmed");
    }
    EXPECT_EQ(document["statistics"]["witnesses"], document["statistics"]["confirmed"]);
}

/// Empty when all is well.
std::string validate(const std::vector<std::string>& documents) {
    Folder folder;
    std::string command = POGO_PYTHON " " POGO_SCHEMA "/validate.py " POGO_SCHEMA "/report-1.schema.json";
    for (std::size_t i = 0; i < documents.size(); ++i)
        command += " " + folder.write(std::to_string(i) + ".json", documents[i]);
    const auto ran = run(command + " 2>&1");
    return ran.status == 0 ? "" : "invalid: " + ran.output;
}

TEST(Json, FitsItsSchema) {
    if (run(POGO_PYTHON " -c 'import jsonschema' 2>&1").status != 0) GTEST_SKIP() << "there is no python3-jsonschema";
    Report other = flawed_report();
    other.theorem2.decision = {Decision::unknown, Decision::unknown};
    other.vm_maps.push_back({"shadow", Decision::refuted, {"popf"}});
    other.problem = "no platform";
    other.instructions[0].critical = {Answer::unknown, Answer::unknown};
    other.instructions[0].privileged_when = "ccr.I = 1";
    other.configuration = {{"vbr", "0x00000000"}};
    model::Simulator simulator(bare());
    const Machine extended("lecture.isa", flawed, "lecture-vt.policy.isa");
    const Machine pg74("pg74.isa", {{"lra", "true"}, {"jrst1", "true"}});
    EXPECT_EQ(validate({to_json(flawed_report()), to_json(other), to_json(report_on(extended, simulator)),
                        to_json(report_on(pg74, simulator))}),
              "");
    // The schema is not empty words.
    auto document = json::parse(to_json(flawed_report()));
    for (const auto& [path, value] : std::vector<std::pair<std::string, json>>{{"/theorems/1/strict", "maybe"},
                                                                               {"/instructions/0/privileged", true},
                                                                               {"/spec/sha256", "0"},
                                                                               {"/context/seed", -1},
                                                                               {"/surprise", 1}}) {
        auto broken = document;
        broken[json::json_pointer(path)] = value;
        EXPECT_NE(validate({broken.dump()}), "") << path;
    }
    document.erase("statistics");
    EXPECT_NE(validate({document.dump()}), "");
}

TEST(Json, ReplacesBytesThatAreNotUtf8) {
    Report report = flawed_report();
    report.instructions[0].name = "\xff";
    EXPECT_NO_THROW(EXPECT_FALSE(json::parse(to_json(report)).is_null()));
}

TEST(Markdown, EscapesWhatWouldBeMarkup) {
    Report report = flawed_report();
    report.instructions.back().name = "a|b*c_d<e>";
    report.instructions.back().critical = {Answer::yes, Answer::yes};
    report.instructions.back().assembly = "`a`|b";
    const std::string text = to_markdown(report);
    EXPECT_NE(text.find("a\\|b\\*c\\_d\\<e\\>"), std::string::npos);
    EXPECT_NE(text.find("`` `a`\\|b ``"), std::string::npos);
}

TEST(Markdown, HasTheEssentialParts) {
    const std::string text = to_markdown(flawed_report());
    for (const char* part :
         {"# Lecture CPU\n", "**lecture (popf=true", "## Critical instructions", "### popf", "### rdccr", "### lra",
          "Replay on the model: confirmed", "pogo step lecture.isa", "## Evidence"})
        EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST(Comparison, ShowsWhatAnExtensionChanges) {
    model::Simulator simulator(bare());
    const isa::Arguments two = {{"popf", "true"}, {"read_ccr", "true"}};
    const Machine plain("lecture.isa", two);
    const Machine with("lecture.isa", two, "lecture-vt.policy.isa");
    const Report before = report_on(plain, simulator);
    const Report after = report_on(with, simulator);
    const std::string text = compare_text(before, after);
    const auto has = [&](const std::string& expression) {
        return run("printf '%s' '" + text + "' | grep -Eq '" + expression + "'").status == 0;
    };
    EXPECT_TRUE(has("^Theorem 1, strict +refuted +proved +\\*$")) << text;
    EXPECT_TRUE(has("^popf +critical +innocuous +\\*$")) << text;
    EXPECT_TRUE(has("^rdccr +critical +innocuous +\\*$")) << text;
    EXPECT_TRUE(has("^vmenter +- +sensitive, privileged +\\*$")) << text;
    EXPECT_NE(compare_markdown(before, after).find("| Theorem 1, strict | **refuted** | **proved** |"),
              std::string::npos);
}

}  // namespace
}  // namespace pogo::report
