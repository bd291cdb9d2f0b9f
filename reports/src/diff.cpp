// The report on a comparison of two machines.
// SPDX-License-Identifier: Apache-2.0
#include "report/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "format.hpp"
#include "isa/assembly.hpp"
#include "isa/require.hpp"
#include "replay.hpp"
#include "sides.hpp"

namespace pogo::report {

using check::Compared;
using check::Verdict;
using Json = nlohmann::ordered_json;

namespace {

std::string_view name(Compared::Kind kind) {
    switch (kind) {
        case Compared::Kind::instruction:
            return "instruction";
        case Compared::Kind::interrupt:
            return "interrupt";
        case Compared::Kind::trap:
            return "trap";
        case Compared::Kind::translation:
            return "translation";
        case Compared::Kind::reset:
            return "reset";
        case Compared::Kind::condition:
            return "condition";
    }
    POGO_REQUIRE(false);
}

std::string_view verdict(const Compared& line) {
    switch (line.equal) {
        case Verdict::yes:
            return "equal";
        case Verdict::no:
            return "different";
        case Verdict::unknown:
            return "unknown";
    }
    POGO_REQUIRE(false);
}

/// The instruction, for people.
std::string title(const Compared& line) {
    const std::string kind = line.kind == Compared::Kind::interrupt || line.kind == Compared::Kind::trap
                                 ? std::string(name(line.kind)) + " "
                                 : std::string();
    const bool one = line.kind == Compared::Kind::instruction && (!line.a.valid() || !line.b.valid());
    return kind + line.name + (!one ? "" : line.a.valid() ? " (only A decodes it)" : " (only B decodes it)");
}

std::string instruction_text(const isa::Spec& spec, const check::Witness& witness) {
    if (!witness.form.valid()) return {};
    return isa::disassemble(spec, {witness.form, witness.fields}, witness.sides.front().state.get(spec[spec.pc]));
}

struct Counts {
    std::size_t equal = 0;
    std::size_t expected = 0;
    std::size_t different = 0;
    std::size_t unknown = 0;
};

Counts count_of(const check::Comparison& comparison) {
    Counts counts;
    for (const auto& line : comparison.compared)
        ++(line.equal == Verdict::yes  ? counts.equal
           : !line.expected.empty()    ? counts.expected
           : line.equal == Verdict::no ? counts.different
                                       : counts.unknown);
    return counts;
}

/// What the model does in a step, from a state.
bool can_run(const Compared& line) {
    return line.kind == Compared::Kind::instruction || line.kind == Compared::Kind::interrupt;
}

/// Whether an instruction is predicted, rather than that an interrupt comes or not.
bool predicted(const Compared& line) { return line.kind == Compared::Kind::instruction; }

}  // namespace

bool DiffReport::confirmed() const { return none_failed(replays); }

DiffReport confirm_diff(const isa::Spec& a, const isa::Spec& b, check::Comparison comparison,
                        model::Simulator& simulator) {
    DiffReport result;
    result.comparison = std::move(comparison);
    for (const auto& line : result.comparison.compared) result.replays.emplace_back(line.witnesses.size());
    for (const std::size_t side : {0, 1}) {
        const isa::Spec& spec = side == 0 ? a : b;
        if (auto problem = simulator.load(spec)) {
            result.problem = std::move(*problem);
            return result;
        }
        Recorder recorder;
        const Attached attached(simulator, recorder);
        for (std::size_t i = 0; i < result.replays.size(); ++i)
            if (side < result.replays[i].size() && can_run(result.comparison.compared[i]))
                result.replays[i][side] =
                    replay(spec, result.comparison.compared[i].witnesses[side], simulator, recorder);
    }
    return result;
}

std::string to_text(const isa::Spec& a, const isa::Spec& b, const check::Correspondence& correspondence,
                    const DiffReport& report, bool all) {
    const auto& comparison = report.comparison;
    const Counts counts = count_of(comparison);
    const auto machine = [](const isa::Spec& spec, const std::string& file) {
        std::string parameters;
        for (const auto& parameter : spec.parameters)
            parameters += fmt::format("{}{} = {}", parameters.empty() ? "" : ", ", parameter.name, parameter.value);
        return fmt::format("{} ({}{}{})", spec.name, file, parameters.empty() ? "" : ", ", parameters);
    };
    std::string out =
        fmt::format("A: {}\nB: {}\n{} compared: {} equal, {} different", machine(a, report.file_a),
                    machine(b, report.file_b), comparison.compared.size(), counts.equal, counts.different);
    if (counts.expected > 0) out += fmt::format(", {} different as expected", counts.expected);
    if (counts.unknown > 0) out += fmt::format(", {} unknown", counts.unknown);
    out += "\n";
    std::vector<std::pair<std::string, std::string>> reasons;  // and what is ignored for each
    for (const auto& ignored : correspondence.ignored) {
        const auto same =
            std::find_if(reasons.begin(), reasons.end(), [&](const auto& x) { return x.first == ignored.reason; });
        if (same == reasons.end())
            reasons.emplace_back(ignored.reason, ignored.name);
        else
            same->second += ", " + ignored.name;
    }
    for (const auto& [reason, names] : reasons) out += fmt::format("ignored: {} ({})\n", names, reason);
    for (std::size_t i = 0; i < comparison.compared.size(); ++i) {
        const Compared& line = comparison.compared[i];
        if (line.equal == Verdict::yes && !all) continue;
        out += fmt::format("\n{}: {}", title(line), verdict(line));
        if (!line.expected.empty()) out += fmt::format(", as expected: {}", line.expected);
        out += "\n";
        if (line.witnesses.size() == 2) {
            std::string text = instruction_text(a, line.witnesses[0]);
            const std::string other = instruction_text(b, line.witnesses[1]);
            if (!other.empty() && other != text) text += (text.empty() ? "" : " / ") + other;
            if (line.kind == Compared::Kind::interrupt) text = "any instruction";
            if (line.kind == Compared::Kind::trap) text = line.example.empty() ? "any arguments" : line.example;
            if (!text.empty()) out += fmt::format("  {}\n", text);
            for (const std::size_t s : {0, 1}) {
                const isa::Spec& spec = s == 0 ? a : b;
                const check::Side& side = line.witnesses[s].sides.front();
                out += fmt::format("    {}: {}\n      gives {}\n", side.machine, state_text(spec, side),
                                   outcome_text(spec, side, predicted(line)));
            }
            for (const std::size_t s : {0, 1})
                if (const Replay& replay = report.replays[i][s]; !replay.mismatch.empty())
                    out += fmt::format("    {} on the model: {} ({})\n", s == 0 ? "A" : "B", name(replay.status),
                                       replay.mismatch);
        }
        if (!line.example.empty() && line.witnesses.empty())
            out += fmt::format("  {} where {}\n", line.equal == Verdict::no ? "differs" : "may differ", line.example);
        for (const auto& unknown : line.unknowns) out += "  unknown: " + unknown + "\n";
    }
    return out;
}

std::string to_json(const isa::Spec& a, const isa::Spec& b, const check::Correspondence& correspondence,
                    const DiffReport& report) {
    const auto machine = [](const isa::Spec& spec, const std::string& file) {
        Json parameters = Json::object();
        for (const auto& parameter : spec.parameters) parameters[parameter.name] = parameter.value;
        return Json{{"name", spec.name}, {"file", file}, {"parameters", parameters}};
    };
    const auto& comparison = report.comparison;
    const Counts counts = count_of(comparison);
    Json document;
    document["schema"] = "pogo-diff-1";
    document["a"] = machine(a, report.file_a);
    document["b"] = machine(b, report.file_b);
    document["verdict"] = comparison.equal == Verdict::yes  ? "equal"
                          : comparison.equal == Verdict::no ? "different"
                                                            : "unknown";
    document["counts"] = {{"equal", counts.equal},
                          {"different", counts.different},
                          {"expected", counts.expected},
                          {"unknown", counts.unknown}};
    document["ignored"] = Json::array();
    for (const auto& ignored : correspondence.ignored)
        document["ignored"].push_back({{"name", ignored.name}, {"reason", ignored.reason}});
    document["compared"] = Json::array();
    for (std::size_t i = 0; i < comparison.compared.size(); ++i) {
        const Compared& line = comparison.compared[i];
        const auto decodes = [&](isa::InstructionId id, const isa::Spec& spec) {
            return id.valid() ? Json(spec[id].identifier) : Json(nullptr);
        };
        Json entry = {
            {"kind", name(line.kind)},  {"name", line.name},
            {"a", decodes(line.a, a)},  {"b", decodes(line.b, b)},
            {"verdict", verdict(line)}, {"expected", line.expected.empty() ? Json(nullptr) : Json(line.expected)},
            {"example", line.example},  {"unknowns", line.unknowns},
            {"states", Json::array()}};
        for (std::size_t s = 0; s < line.witnesses.size(); ++s) {
            const isa::Spec& spec = s == 0 ? a : b;
            const check::Side& side = line.witnesses[s].sides.front();
            Json memory = Json::object();
            for (const auto& [address, value] : side.memory) memory[fmt::format("{:#x}", address)] = value;
            entry["states"].push_back({{"machine", side.machine},
                                       {"instruction", instruction_text(spec, line.witnesses[s])},
                                       {"before", state_text(spec, side)},
                                       {"memory", memory},
                                       {"outcome", outcome_text(spec, side, predicted(line))},
                                       {"replay", name(report.replays[i][s].status)}});
        }
        document["compared"].push_back(std::move(entry));
    }
    const auto& statistics = comparison.statistics;
    document["statistics"] = {{"queries", statistics.queries},
                              {"rewritten", statistics.rewritten},
                              {"solved", statistics.solved},
                              {"refinements", statistics.refinements},
                              {"rlimit", statistics.rlimit}};
    return document.dump(2) + "\n";
}

}  // namespace pogo::report
