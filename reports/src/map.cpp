// The report on a VM map.
// SPDX-License-Identifier: Apache-2.0
#include "report/map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "isa/assembly.hpp"
#include "isa/require.hpp"
#include "replay.hpp"
#include "report/report.hpp"
#include "sides.hpp"

namespace pogo::report {

using check::Obligation;
using check::Verdict;
using Json = nlohmann::ordered_json;

namespace {

std::string_view name(Obligation::Kind kind) {
    switch (kind) {
        case Obligation::Kind::instruction:
            return "instruction";
        case Obligation::Kind::trap:
            return "trap";
        case Obligation::Kind::interrupt:
            return "interrupt";
        case Obligation::Kind::relocation:
            return "relocation";
        case Obligation::Kind::preemption:
            return "preemption";
        case Obligation::Kind::where:
            return "where";
    }
    POGO_REQUIRE(false);
}

/// Where the guest's instruction is carried out.
std::string way(const Obligation& obligation) {
    const bool direct = obligation.direct != Verdict::no;
    const bool leaves = obligation.leaves != Verdict::no;
    return direct && leaves ? "directly or by the monitor" : direct ? "directly" : leaves ? "by the monitor" : "never";
}

/// Which settings mend it, or that none does.
std::string settings(const isa::Spec& spec, const Obligation& obligation) {
    if (obligation.mended == Verdict::unknown) return "; whether some setting mends it is unknown";
    if (obligation.settings.empty()) return "; no setting mends it";
    std::string result;
    for (const auto& cube : obligation.settings)
        result += (result.empty() ? "; holds when " : " | ") + text(spec, cube);
    return result;
}

std::string instruction_text(const isa::Spec& spec, const check::Witness& witness) {
    if (!witness.form.valid()) return "any instruction";
    return isa::disassemble(spec, {witness.form, witness.fields}, witness.sides.front().state.get(spec[spec.pc]));
}

}  // namespace

bool MapReport::confirmed() const { return none_failed(replays); }

MapReport confirm_map(const isa::Spec& spec, check::MapFindings findings, model::Simulator& simulator) {
    MapReport result;
    result.findings = std::move(findings);
    for (const auto& obligation : result.findings.obligations) result.replays.emplace_back(obligation.witnesses.size());
    if (auto problem = simulator.load(spec)) {
        result.problem = std::move(*problem);
        return result;
    }
    Recorder recorder;
    const Attached attached(simulator, recorder);
    for (std::size_t i = 0; i < result.replays.size(); ++i)
        for (std::size_t j = 0; j < result.replays[i].size(); ++j)
            result.replays[i][j] = replay(spec, result.findings.obligations[i].witnesses[j], simulator, recorder);
    return result;
}

std::string to_text(const isa::Spec& spec, const MapReport& report, bool all) {
    const auto& findings = report.findings;
    std::string out = fmt::format("VM map {} of {}, context {}: {}\n", findings.name, spec.name, findings.context,
                                  name(decision(findings.holds)));
    std::array<std::size_t, 3> counts{};
    for (const auto& obligation : findings.obligations) ++counts[static_cast<std::size_t>(obligation.holds)];
    out += fmt::format("{} obligations: {} proved, {} refuted, {} unknown\n", findings.obligations.size(),
                       counts[static_cast<std::size_t>(Verdict::yes)], counts[static_cast<std::size_t>(Verdict::no)],
                       counts[static_cast<std::size_t>(Verdict::unknown)]);
    if (findings.synthesis) {
        const auto& synthesis = *findings.synthesis;
        if (synthesis.found == Verdict::yes)
            out += fmt::format("Configuration: {}\n", synthesis.cube.empty() ? "any" : text(spec, synthesis.cube));
        else
            out += "Configuration: none, the settings exclude one another\n";
        const auto list = [&](const char* what, const std::vector<std::string>& names) {
            if (names.empty()) return;
            out += what;
            for (const auto& one : isa::grouped(names)) out += " " + one;
            out += "\n";
        };
        list("No setting helps:", synthesis.never);
        list("Undecided:", synthesis.undecided);
        out += fmt::format("Under this configuration: {}\n", name(decision(findings.holds_configured)));
    }
    for (std::size_t i = 0; i < findings.obligations.size(); ++i) {
        const auto& obligation = findings.obligations[i];
        if (obligation.holds == Verdict::yes && !all) continue;
        out += fmt::format("\n{} {}: {}", name(obligation.kind), obligation.name, name(decision(obligation.holds)));
        if (obligation.kind == Obligation::Kind::instruction) out += ", carried out " + way(obligation);
        if (findings.synthesis && obligation.holds != Verdict::yes) out += settings(spec, obligation);
        out += "\n";
        for (std::size_t j = 0; j < obligation.witnesses.size(); ++j) {
            const auto& witness = obligation.witnesses[j];
            out += fmt::format("  in mode {}: {}\n", witness.element, instruction_text(spec, witness));
            for (std::size_t s = 0; s < witness.sides.size(); ++s)
                out += fmt::format("    {}: {}\n      gives {}\n", witness.sides[s].machine,
                                   state_text(spec, witness.sides[s]),
                                   outcome_text(spec, witness.sides[s], witness.form.valid()));
            out += fmt::format("    on the model: {}{}\n", name(report.replays[i][j].status),
                               report.replays[i][j].mismatch.empty() ? "" : " (" + report.replays[i][j].mismatch + ")");
        }
        std::string others;
        for (std::size_t k = 1; k < obligation.modes.size(); ++k) others += (k == 1 ? "" : ", ") + obligation.modes[k];
        if (!others.empty()) out += fmt::format("  also in mode {}\n", others);
        for (const auto element : obligation.changes)
            out += fmt::format("  changes {}, which is the monitor's unless `guest` names it\n", spec[element].name);
        if (!obligation.example.empty()) out += "  fails where " + obligation.example + "\n";
        for (const auto& unknown : obligation.unknowns) out += "  unknown: " + unknown + "\n";
    }
    return out;
}

std::string to_json(const isa::Spec& spec, const MapReport& report) {
    const auto& findings = report.findings;
    Json document;
    document["schema"] = "pogo-map-1";
    document["machine"] = spec.name;
    document["name"] = findings.name;
    document["context"] = findings.context;
    document["verdict"] = name(decision(findings.holds));
    document["synthesis"] = nullptr;
    if (findings.synthesis)
        document["synthesis"] = {{"configuration", text(spec, findings.synthesis->cube)},
                                 {"found", findings.synthesis->found == Verdict::yes},
                                 {"never", findings.synthesis->never},
                                 {"undecided", findings.synthesis->undecided},
                                 {"verdict", name(decision(findings.holds_configured))}};
    document["obligations"] = Json::array();
    for (std::size_t i = 0; i < findings.obligations.size(); ++i) {
        const auto& obligation = findings.obligations[i];
        Json entry = {{"kind", name(obligation.kind)},
                      {"name", obligation.name},
                      {"verdict", name(decision(obligation.holds))},
                      {"direct", check::name(obligation.direct)},
                      {"leaves", check::name(obligation.leaves)},
                      {"settings", Json::array()},
                      {"mended", nullptr},
                      {"modes", obligation.modes},
                      {"changes", Json::array()},
                      {"example", obligation.example},
                      {"rlimit", obligation.statistics.rlimit},
                      {"witnesses", Json::array()}};
        if (findings.synthesis && obligation.holds != Verdict::yes) entry["mended"] = check::name(obligation.mended);
        for (const auto& cube : obligation.settings) entry["settings"].push_back(text(spec, cube));
        for (const auto element : obligation.changes) entry["changes"].push_back(spec[element].name);
        for (std::size_t j = 0; j < obligation.witnesses.size(); ++j) {
            const auto& witness = obligation.witnesses[j];
            Json states = Json::array();
            for (const auto& side : witness.sides)
                states.push_back({{"machine", side.machine},
                                  {"before", state_text(spec, side)},
                                  {"outcome", outcome_text(spec, side, witness.form.valid())}});
            entry["witnesses"].push_back({{"mode", witness.element},
                                          {"instruction", instruction_text(spec, witness)},
                                          {"states", states},
                                          {"replay", name(report.replays[i][j].status)}});
        }
        document["obligations"].push_back(std::move(entry));
    }
    return document.dump(2) + "\n";
}

}  // namespace pogo::report
