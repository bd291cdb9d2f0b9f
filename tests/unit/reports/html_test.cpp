// Tests of the HTML page, as text and as a browser understands it.
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "support.hpp"

namespace pogo::report {
namespace {

const Report& flawed_report() {
    static const Report report = report_on(Machine("lecture.isa", flawed));
    return report;
}

/// Everything a reader looks for.
void expect_parts(const std::string& page, const Report& report) {
    EXPECT_NE(page.find("id=\"verdict\""), std::string::npos);
    EXPECT_NE(page.find("the hypothesis of Theorem 1 is refuted by 3 of 32 instructions"), std::string::npos);
    EXPECT_NE(page.find("id=\"picture\""), std::string::npos);
    EXPECT_NE(page.find("id=\"matrix\""), std::string::npos);
    EXPECT_EQ(occurrences(page, "<tr class=\"critical\">"), 3U);
    EXPECT_EQ(occurrences(page, "<tr class=\"sensitive\">"), 6U);
    EXPECT_EQ(occurrences(page, "<tr class=\"innocuous\">"), 23U);
    for (const auto* instruction : report.critical())
        EXPECT_NE(page.find("<section class=\"case\" id=\"i-" + instruction->identifier + "\">"), std::string::npos);
    EXPECT_NE(page.find("r[rd] = zext(ccr, 32);"), std::string::npos);
    EXPECT_NE(page.find("<table class=\"states\">"), std::string::npos);
    EXPECT_NE(page.find("Trace of the replay"), std::string::npos);
    EXPECT_NE(page.find("replay confirmed in 5 cycles"), std::string::npos);
    EXPECT_NE(page.find("pogo check lecture.isa --param popf=true"), std::string::npos);
    EXPECT_NE(page.find("| pogo step lecture.isa"), std::string::npos);
}

TEST(Html, HasTheEssentialParts) { expect_parts(to_html(flawed_report()), flawed_report()); }

TEST(Html, NeedsNothingElse) {
    const std::string page = to_html(flawed_report());
    for (const char* outside : {"http:", "https:", "src=", "@import", "url(", "<script", "<link", "javascript:"})
        EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

TEST(Html, ClosesWhatItOpens) {
    const std::string page = to_html(flawed_report());
    for (const std::string tag :
         {"section", "details", "summary", "table", "tr", "td",   "th",    "div", "span", "p",      "pre",   "code",
          "ul",      "li",      "svg",     "g",     "a",  "text", "title", "h2",  "h3",   "header", "footer"})
        EXPECT_EQ(occurrences(page, "<" + tag + ">") + occurrences(page, "<" + tag + " "),
                  occurrences(page, "</" + tag + ">"))
            << tag;
}

TEST(Html, EscapesEveryText) {
    Report report = flawed_report();
    const std::string evil = "<script>alert('\"&')</script>";
    report.machine = report.title = report.file = report.context = report.command = report.extension_file = evil;
    report.parameters = {{evil, evil}};
    report.problem = report.tool_version = report.supervisor = report.user = evil;
    report.configuration = {{evil, evil}};
    report.vm_maps = {{evil, Decision::refuted, {evil}}};
    for (auto& column : report.columns) column.name = column.role = evil;
    for (auto& i : report.instructions) {
        i.name = i.identifier = i.assembly = i.encoding = i.privileged = evil;
        i.where.file = i.where.text = evil;
        i.contradictions = i.unknowns = {evil};
        for (auto& d : i.depends_on) d.element = evil;
        for (auto& w : i.writes) w.element = evil;
        for (auto& witness : i.witnesses) {
            witness.element = witness.instruction = witness.bits = witness.command = witness.mismatch = evil;
            witness.replay = ReplayStatus::failed;
            if (witness.leak) witness.leak->text = witness.leak->file = evil;
            for (auto& r : witness.common) r.name = evil;
            for (auto* rows : {&witness.before, &witness.after})
                for (auto& row : *rows) row.name = evil;
            for (auto& state : witness.states) {
                state.mode = state.cause = evil;
                state.completes = false;
                state.traps = {evil};
                for (auto& stage : state.stages) stage.name = evil;
                for (auto& change : state.observed) change.name = evil;
            }
        }
    }
    EXPECT_EQ(to_html(report).find("<script"), std::string::npos);
    EXPECT_EQ(to_html(report).find("('\""), std::string::npos);
}

TEST(Html, SaysWhenNothingIsSensitive) {
    Report report = flawed_report();
    std::erase_if(report.instructions, [](const auto& i) { return i.sensitive.extended != Answer::no; });
    report.theorem1.decision = {Decision::proved, Decision::proved};
    const std::string page = to_html(report);
    EXPECT_NE(page.find("class=\"verdict proved\""), std::string::npos);
    EXPECT_EQ(page.find("<h2>Critical instructions</h2>"), std::string::npos);
    EXPECT_NE(page.find("touches mode, relocation, control or I/O"), std::string::npos);
}

TEST(Html, OpensInABrowser) {
    const char* const browser = "/usr/bin/chromium";
    if (!std::filesystem::exists(browser)) GTEST_SKIP() << "there is no " << browser;
    Folder folder;
    const std::string page = folder.write("report.html", to_html(flawed_report()));
    const std::string command = std::string("timeout 100 ") + browser +
                                " --headless --no-sandbox --disable-gpu --disable-background-networking "
                                "--user-data-dir=" +
                                folder.path() + "/profile ";
    const auto dom = run(command + "--dump-dom 'file://" + page + "' 2>/dev/null");
    ASSERT_EQ(dom.status, 0);
    expect_parts(dom.output, flawed_report());
    const std::string shot = folder.path() + "/shot.png";
    const auto drawn =
        run(command + "--screenshot=" + shot + " --window-size=1400,2000 'file://" + page + "' 2>/dev/null");
    EXPECT_EQ(drawn.status, 0);
    ASSERT_TRUE(std::filesystem::exists(shot));
    EXPECT_GT(std::filesystem::file_size(shot), 50'000U);  // an empty page is far smaller
}

}  // namespace
}  // namespace pogo::report
