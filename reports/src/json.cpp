// The report as JSON: docs/semantics.md, section 6; reports/schema has its schema.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "format.hpp"
#include "report/report.hpp"

namespace pogo::report {

namespace {

using Json = nlohmann::ordered_json;

Json json(Answer answer) {
    if (answer == Answer::unknown) return nullptr;
    return answer == Answer::yes;
}
Json json(const Decisions& decisions) {
    return {{"strict", name(decisions.strict)}, {"extended", name(decisions.extended)}};
}
Json json(const Theorem& theorem) {
    Json result = json(theorem.decision);
    result["against"] = {{"strict", theorem.against_strict}, {"extended", theorem.against_extended}};
    return result;
}
Json json(const Location& where) { return {{"file", where.file}, {"line", where.line}, {"column", where.column}}; }
std::string number(std::uint64_t value) { return fmt::format("{:#x}", value); }

Json json(const std::vector<Change>& changes) {
    Json result = Json::array();
    for (const auto& change : changes)
        result.push_back({{"name", change.name},
                          {"before", hex(change.before, change.width)},
                          {"after", hex(change.after, change.width)}});
    return result;
}

Json json(const State& state) {
    Json result{{"mode", state.mode}, {"registers", Json::object()}, {"memory", Json::object()}};
    for (const auto& r : state.registers) result["registers"][r.name] = number(r.value);
    for (const auto& [address, value] : state.memory) result["memory"][number(address)] = number(value);
    Json predicted{{"outcome", state.completes ? "completed" : "trapped"}};
    if (state.completes)
        predicted["changes"] = json(state.predicted);
    else
        predicted["trap"] = state.cause;
    result["predicted"] = predicted;
    if (!state.traced) return result;
    Json stages = Json::array();
    for (const auto& stage : state.stages)
        stages.push_back({{"stage", stage.name}, {"first", stage.first}, {"last", stage.last}});
    result["observed"] = {
        {"cycles", state.cycles}, {"stages", stages}, {"traps", state.traps}, {"changes", json(state.observed)}};
    return result;
}

Json json(const std::vector<Row>& rows) {
    Json result = Json::array();
    for (const auto& row : rows) {
        Json values = Json::array();
        for (const auto value : row.values) values.push_back(hex(value, row.width));
        result.push_back({{"name", row.name}, {"values", values}});
    }
    return result;
}

Json json(const Witness& witness) {
    Json result{{"property", witness.property},
                {"element", witness.element},
                {"instruction", witness.instruction},
                {"variant", witness.variant},
                {"bits", witness.bits}};
    result["leak"] = witness.leak ? json(*witness.leak) : Json(nullptr);
    result["choices"] = Json::array();
    for (const auto choice : witness.choices) result["choices"].push_back(number(choice));
    result["states"] = Json::array();
    for (const auto& state : witness.states) result["states"].push_back(json(state));
    result["differs"] = {{"before", json(witness.before)}, {"after", json(witness.after)}};
    result["replay"] = name(witness.replay);
    if (!witness.mismatch.empty()) result["mismatch"] = witness.mismatch;
    result["repeat"] = witness.command;
    return result;
}

Json json(const Instruction& instruction) {
    Json result{{"name", instruction.name},         {"identifier", instruction.identifier},
                {"assembly", instruction.assembly}, {"encoding", instruction.encoding},
                {"where", json(instruction.where)}, {"privileged", instruction.privileged},
                {"privileged_when", nullptr}};
    if (instruction.privileged_when) result["privileged_when"] = *instruction.privileged_when;
    const auto answers = [](const Answers& a) {
        return Json{{"strict", json(a.strict)}, {"extended", json(a.extended)}};
    };
    Json control = answers(instruction.control);
    control["writes"] = Json::array();
    for (const auto& written : instruction.writes) control["writes"].push_back(written.element);
    result["control_sensitive"] = control;
    Json behavior = answers(instruction.behavior);
    behavior["depends_on"] = Json::array();
    for (const auto& d : instruction.depends_on)
        behavior["depends_on"].push_back({{"element", d.element}, {"role", d.role}, {"kind", d.kind}});
    result["behavior_sensitive"] = behavior;
    // Location and control sensitivity in the sense of 1974 are the strict ones.
    result["user_sensitive"] = json(instruction.user_sensitive.strict);
    result["supervisor_sensitive"] = json(instruction.supervisor_sensitive.strict);
    result["time_sensitive"] = json(instruction.time_sensitive);
    result["critical"] = answers(instruction.critical);
    result["traps"] = instruction.traps;
    result["witnesses"] = Json::array();
    for (const auto& witness : instruction.witnesses) result["witnesses"].push_back(json(witness));
    result["unknowns"] = instruction.unknowns;
    result["audit"] = {{"states", instruction.audit_states},
                       {"pairs", instruction.audit_pairs},
                       {"contradictions", instruction.contradictions}};
    return result;
}

}  // namespace

std::string to_json(const Report& report) {
    Json document{{"schema", fmt::format("pogo-report-{}", schema_version)},
                  {"tool", {{"name", "pogo"}, {"version", report.tool_version}}}};
    Json parameters = Json::object();
    for (const auto& [parameter, value] : report.parameters) parameters[parameter] = value;
    document["spec"] = {{"name", report.machine},  {"title", report.title},    {"file", report.file},
                        {"sha256", report.sha256}, {"parameters", parameters}, {"extension", nullptr},
                        {"mapping", nullptr}};
    if (!report.mapping_file.empty())
        document["spec"]["mapping"] = {{"file", report.mapping_file}, {"sha256", report.mapping_sha256}};
    if (!report.extension_file.empty())
        document["spec"]["extension"] = {{"file", report.extension_file}, {"sha256", report.extension_sha256}};
    Json configuration = Json::object();
    for (const auto& [element, value] : report.configuration) configuration[element] = value;
    Json vmm = nullptr;
    if (!report.vm_maps.empty()) vmm = report.vm_maps.front().name;
    document["context"] = {
        {"name", report.context},         {"supervisor", report.supervisor}, {"user", report.user}, {"vmm", vmm},
        {"configuration", configuration}, {"rlimit", report.rlimit},         {"seed", report.seed}};
    document["verdict"] = report.verdict();
    document["elements"] = Json::array();
    for (const auto& column : report.columns)
        document["elements"].push_back({{"name", column.name}, {"role", column.role}, {"kind", column.kind}});
    document["instructions"] = Json::array();
    for (const auto& instruction : report.instructions) {
        document["instructions"].push_back(json(instruction));
        for (std::size_t i = 0; i < report.modes.size(); ++i)
            document["instructions"].back()["refused"][report.modes[i]] = instruction.refused[i];
    }
    document["theorems"] = {{"1", json(report.theorem1)}, {"2", json(report.theorem2)}, {"3", json(report.theorem3)}};
    document["invariants"] = Json::array();
    for (const auto& invariant : report.invariants)
        document["invariants"].push_back({{"name", invariant.name},
                                          {"where", json(invariant.where)},
                                          {"verdict", name(invariant.kept)},
                                          {"broken_by", invariant.broken_by},
                                          {"assumed", invariant.assumed}});
    document["vm_map"] = Json::array();
    for (const auto& map : report.vm_maps)
        document["vm_map"].push_back({{"name", map.name}, {"verdict", name(map.verdict)}, {"failing", map.failing}});
    if (report.efficiency) document["efficiency"] = Json::parse(to_json(*report.efficiency));
    std::size_t witnesses = 0;
    std::size_t confirmed = 0;
    std::size_t states = 0;
    std::size_t pairs = 0;
    for (const auto& instruction : report.instructions) {
        witnesses += instruction.witnesses.size();
        for (const auto& witness : instruction.witnesses) confirmed += witness.replay == ReplayStatus::confirmed;
        states += instruction.audit_states;
        pairs += instruction.audit_pairs;
    }
    document["statistics"] = {{"instructions", report.instructions.size()},
                              {"critical", report.critical().size()},
                              {"queries", report.statistics.queries},
                              {"rewritten", report.statistics.rewritten},
                              {"solved", report.statistics.solved},
                              {"refinements", report.statistics.refinements},
                              {"rlimit", report.statistics.rlimit},
                              {"witnesses", witnesses},
                              {"confirmed", confirmed},
                              {"audit_states", states},
                              {"audit_pairs", pairs}};
    document["repeat"] = report.command;
    if (!report.problem.empty()) document["problem"] = report.problem;
    // Bytes of the user's text that are not UTF-8 are replaced.
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pogo::report
