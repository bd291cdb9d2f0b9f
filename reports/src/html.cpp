// The report as one self-contained HTML page.
// SPDX-License-Identifier: Apache-2.0
#include "html.hpp"

#include <fmt/format.h>

#include "format.hpp"
#include "phrases.hpp"
#include "style.hpp"

namespace pogo::report {

namespace {

using html::escaped;

std::string_view css_class(Decision decision) { return name(decision); }

std::string decided(Decision decision) { return fmt::format("<span class=\"{0}-word\">{0}</span>", name(decision)); }

std::string theorem_fact(std::string_view title, std::string_view statement, const Theorem& theorem) {
    return fmt::format(
        "<div class=\"fact\"><b>{}</b><div class=\"pair\"><span class=\"soft\">strict</span>{}<span "
        "class=\"soft\">extended</span>{}</div><small>{}</small></div>\n",
        title, decided(theorem.decision.strict), decided(theorem.decision.extended), statement);
}

std::string facts(const Report& report) {
    std::string out = "<div class=\"facts\">\n";
    out += theorem_fact("Theorem 1 · monitor", "sensitive ⊆ privileged", report.theorem1);
    out += theorem_fact("Theorem 2 · recursion", "Theorem 1, and nothing shows time", report.theorem2);
    out += theorem_fact("Theorem 3 · hybrid monitor", "user-sensitive ⊆ privileged", report.theorem3);
    for (const auto& map : report.vm_maps)
        out += fmt::format("<div class=\"fact\"><b>VM map {}</b>{}<small>{}</small></div>\n", escaped(map.name),
                           decided(map.verdict), escaped(enumeration(map.failing)));
    const bool good = report.confirmed();
    out += fmt::format(
        "<div class=\"fact\"><b>On the model</b><span class=\"{}-word\">{}</span><small>{}</small></div>\n",
        good ? "proved" : "refuted", good ? "confirmed" : "not confirmed", escaped(confirmation_words(report)));
    return out + "</div>\n";
}

std::string invariants(const Report& report) {
    std::string list;
    for (const auto& invariant : report.invariants)
        list += fmt::format("<li>{}</li>\n", escaped(invariant_words(invariant)));
    return list.empty() ? list : "<h2>Invariants</h2>\n<ul>\n" + list + "</ul>\n";
}

std::string undecided(const Report& report) {
    std::string list;
    for (const auto& instruction : report.instructions)
        for (const auto& unknown : instruction.unknowns)
            list += fmt::format("<li>{}: {}</li>\n", escaped(instruction.name), escaped(unknown));
    return list.empty() ? list : "<h2>Undecided</h2>\n<ul>\n" + list + "</ul>\n";
}

std::string errors(const Report& report) {
    std::string list;
    for (const auto& instruction : report.instructions)
        for (const auto& contradiction : instruction.contradictions)
            list += fmt::format("<li>{}: {}</li>\n", escaped(instruction.name), escaped(contradiction));
    return list.empty() ? list
                        : "<h2>The model contradicts the checker</h2>\n<ul class=\"errors\">\n" + list + "</ul>\n";
}

std::string footer(const Report& report) {
    std::string out = fmt::format("<footer>\n<p>Spec <code>{}</code>, SHA-256 <code>{}</code></p>\n",
                                  escaped(report.file), report.sha256);
    if (!report.mapping_file.empty())
        out += fmt::format("<p>Mapping <code>{}</code>, SHA-256 <code>{}</code></p>\n", escaped(report.mapping_file),
                           report.mapping_sha256);
    if (!report.extension_file.empty())
        out += fmt::format("<p>Extension <code>{}</code>, SHA-256 <code>{}</code></p>\n",
                           escaped(report.extension_file), report.extension_sha256);
    out += fmt::format("<p>Context <code>{}</code>: supervisor <code>{}</code>, user <code>{}</code></p>\n",
                       escaped(report.context), escaped(report.supervisor), escaped(report.user));
    for (const auto& [element, value] : report.configuration)
        out += fmt::format("<p>Assumed: <code>{} = {}</code></p>\n", escaped(element), escaped(value));
    out +=
        fmt::format("<p>{}: {} decided by rewriting, {} by the solver; resource limit {}, audit seed {}. Pogo {}</p>\n",
                    count(report.statistics.queries, "question"), report.statistics.rewritten, report.statistics.solved,
                    report.rlimit, report.seed, escaped(report.tool_version));
    return out + "</footer>\n";
}

}  // namespace

std::string to_html(const Report& report) {
    const std::string title = escaped(report.title.empty() ? report.machine : report.title);
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    out += fmt::format("<title>{}: Pogo</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n", title, style_sheet);
    const Decision strict = report.theorem1.decision.strict;
    const Decision shown = strict == Decision::proved && report.theorem1.decision.extended != Decision::proved
                               ? Decision::unknown
                               : strict;
    out += fmt::format("<h1>{}</h1>\n<p id=\"verdict\" class=\"verdict {}\">{}</p>\n", title, css_class(shown),
                       escaped(report.verdict()));
    out += facts(report);
    out += errors(report);
    out += "<h2>At a glance</h2>\n" + html::picture(report);
    const auto critical = report.critical();
    if (!critical.empty()) out += "<h2>Critical instructions</h2>\n";
    for (const auto* instruction : critical) out += html::critical_case(*instruction);
    out += "<h2>What reads and writes what</h2>\n" + html::matrix(report);
    std::string fine;
    for (const auto& instruction : report.instructions)
        if (instruction.critical.extended != Answer::yes && !instruction.witnesses.empty())
            fine += html::folded_case(instruction);
    if (!fine.empty()) out += "<h2>Sensitive, but not critical</h2>\n" + fine;
    if (report.efficiency) out += to_html(*report.efficiency);
    out += invariants(report);
    out += undecided(report);
    out += fmt::format("<h2>Repeat it</h2>\n<pre class=\"wrap\">{}</pre>\n", escaped(report.command));
    return out + footer(report) + "</main>\n</body>\n</html>\n";
}

}  // namespace pogo::report
