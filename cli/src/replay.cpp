// Replaying the witnesses of a JSON report.
// SPDX-License-Identifier: Apache-2.0
#include "replay.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "session.hpp"

namespace pogo::cli {

using namespace isa;
using nlohmann::json;

namespace {

// A state as `step` takes it: the report's witness states have the same two members.
std::string line_of(const json& state) {
    json line = json::object();
    for (const char* key : {"registers", "memory"})
        if (state.contains(key)) line[key] = state[key];
    return line.dump();
}

// Names and values before and after, as the report's `changes` give them.
std::map<std::string, std::uint64_t> changed(const Spec& spec, const State& before, const State& after,
                                             const std::vector<model::MemoryChange>& memory) {
    std::map<std::string, std::uint64_t> result;
    for (const auto& reg : spec.registers) {
        const auto value = after.get(reg, spec);
        if (value != before.get(reg, spec)) result[reg.name] = value;
    }
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> units;
    for (const auto& change : memory) {
        const auto [place, fresh] = units.try_emplace(change.address, change.before, change.value);
        if (!fresh) place->second.second = change.value;
    }
    for (const auto& [address, values] : units)
        if (values.first != values.second) result[fmt::format("{:#x}", address)] = values.second;
    return result;
}

// The same from the report: names may be those of elements or addresses in any notation, values hexadecimal.
std::optional<std::map<std::string, std::uint64_t>> predicted(const Spec& spec, const State& before,
                                                              const json& changes) {
    State after = before;
    const StateFormat format(spec);
    std::map<std::string, std::uint64_t> result;
    for (const auto& change : changes) {
        if (!change.is_object() || !change.contains("name") || !change.contains("after") ||
            !change["name"].is_string() || !change["after"].is_string())
            return std::nullopt;
        const auto name = change["name"].get<std::string>();
        const auto text = change["after"].get<std::string>();
        const auto value = parse_number(text.starts_with("0x") ? text : "0x" + text);
        if (!value) return std::nullopt;
        if (const auto address = parse_number(name.starts_with("[") ? name.substr(1, name.size() - 2) : name))
            result[fmt::format("{:#x}", *address)] = *value;
        else if (format.set(after, name, *value))
            return std::nullopt;
    }
    for (const auto& [name, value] : changed(spec, before, after, {})) result[name] = value;
    return result;
}

}  // namespace

ReplayResult replay_report(const Spec& spec, std::string_view text, model::Simulator& simulator) {
    ReplayResult result;
    json report;
    try {
        report = json::parse(text);
    } catch (const json::parse_error& error) {
        result.error = {error.what(), error.byte > 0 ? error.byte - 1 : 0};
        return result;
    } catch (const json::exception& error) {
        result.error = {error.what(), 0};  // a number beyond all types
        return result;
    }
    const auto wrong = [&](const std::string& message) {
        result.error = {message, 0};
        return result;
    };
    if (!report.is_object() || !report.contains("schema") || report["schema"] != "pogo-report-1")
        return wrong("not a report: `schema` is not \"pogo-report-1\"");
    if (!report.contains("instructions") || !report["instructions"].is_array())
        return wrong("`instructions` is not a list");
    const StateFormat format(spec);
    InputState input;
    model::StepOutcome outcome;
    for (const auto& instruction : report["instructions"]) {
        if (!instruction.is_object() || !instruction.contains("witnesses") || !instruction["witnesses"].is_array())
            return wrong("an instruction has no list of witnesses");
        for (const auto& witness : instruction["witnesses"]) {
            if (!witness.is_object() || !witness.contains("states") || !witness["states"].is_array())
                return wrong("a witness has no list of states");
            std::vector<std::uint64_t> choices;
            if (witness.contains("choices") && witness["choices"].is_array())
                for (const auto& choice : witness["choices"])
                    choices.push_back(choice.is_string() ? parse_number(choice.get<std::string>()).value_or(0) : 0);
            for (const auto& state : witness["states"]) {
                if (!state.is_object() || !state.contains("predicted") || !state["predicted"].is_object())
                    return wrong("a state has no prediction");
                if (const auto error = format.read(line_of(state), input)) return wrong(error->message);
                const json& prediction = state["predicted"];
                simulator.set_state(input.state);
                for (const auto& [address, value] : input.memory) simulator.poke(address, value);
                simulator.step({.take_traps = false, .choices = choices}, outcome);
                const bool completes = outcome.kind == model::StepOutcome::Kind::completed;
                const bool expected = prediction.contains("outcome") && prediction["outcome"] == "completed";
                std::string seen = completes ? "completed" : "trapped";
                bool good = completes == expected;
                if (good && completes) {
                    const auto changes = prediction.contains("changes")
                                             ? predicted(spec, input.state, prediction["changes"])
                                             : std::nullopt;
                    if (!changes) return wrong("a prediction's changes cannot be read");
                    good = *changes == changed(spec, input.state, simulator.state(), outcome.memory);
                    if (!good) seen = "completed with other results";
                } else if (good) {
                    const std::string cause = outcome.traps.empty() ? "" : spec[outcome.traps[0].cause].name;
                    const std::string wanted = prediction.contains("trap") && prediction["trap"].is_string()
                                                   ? prediction["trap"].get<std::string>()
                                                   : "";
                    good = wanted == cause || wanted.starts_with(cause + "(");
                    seen += " with " + cause;
                }
                const auto word = [&](const json& from, const char* key) {
                    return from.contains(key) && from[key].is_string() ? from[key].get<std::string>()
                                                                       : std::string("?");
                };
                result.log +=
                    fmt::format("{:<24} {:<24} {:<12} {}{}\n", word(instruction, "name"), word(witness, "instruction"),
                                word(state, "mode"), seen, good ? "" : "  — NOT AS PREDICTED");
                (good ? result.confirmed : result.failed) += 1;
                for (const auto& [address, value] : input.memory) simulator.poke(address, 0);
                for (const auto& change : outcome.memory) simulator.poke(change.address, 0);
            }
        }
    }
    return result;
}

}  // namespace pogo::cli
