// Machine states as JSON.
// SPDX-License-Identifier: Apache-2.0
#include "states.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "session.hpp"

namespace pogo::cli {

using namespace isa;

namespace {

std::optional<std::uint64_t> number(const nlohmann::json& value) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    if (value.is_string()) return parse_number(value.get_ref<const std::string&>());
    return std::nullopt;
}

const char* kind_name(model::StepOutcome::Kind kind) {
    using Kind = model::StepOutcome::Kind;
    switch (kind) {
        case Kind::completed:
            return "completed";
        case Kind::trapped:
            return "trapped";
        case Kind::interrupted:
            return "interrupted";
        case Kind::waiting:
            return "waiting";
        case Kind::halted:
            return "halted";
    }
    return "";
}

}  // namespace

StateFormat::StateFormat(const Spec& spec) : spec_(&spec) {
    for (const auto& reg : spec.registers) registers_.emplace(reg.name, &reg);
}

std::optional<std::string> StateFormat::set(State& state, std::string_view name, std::uint64_t value) const {
    const auto it = registers_.find(std::string(name));
    if (it != registers_.end()) {
        if ((value & ~static_cast<std::uint64_t>(ones(it->second->width))) != 0)
            return fmt::format("{:#x} does not fit in register `{}`, which has {} bits", value, name,
                               it->second->width);
        state.set(*it->second, *spec_, value);
        return std::nullopt;
    }
    const ElementId id = spec_->find_element(name);
    if (!id.valid() || (*spec_)[id].is_file()) return fmt::format("there is no register `{}`", name);
    if ((value & ~static_cast<std::uint64_t>(ones((*spec_)[id].width))) != 0)
        return fmt::format("{:#x} does not fit in `{}`, which has {} bits", value, name, (*spec_)[id].width);
    state.set((*spec_)[id], value);
    return std::nullopt;
}

std::optional<StateFormat::Error> StateFormat::read(std::string_view line, InputState& into) const {
    into.state.slots.assign(spec_->slots, 0);
    into.memory.clear();
    into.choices.clear();
    nlohmann::json json;
    try {
        json = nlohmann::json::parse(line);
    } catch (const nlohmann::json::parse_error& error) {
        return Error{error.what(), error.byte > 0 ? error.byte - 1 : 0};
    } catch (const nlohmann::json::exception& error) {
        return Error{error.what(), 0};  // a number beyond all types
    }
    if (!json.is_object()) return Error{"a state is an object", 0};
    const auto offset_of = [&](const std::string& key) {
        const auto at = line.find("\"" + key + "\"");
        return at == std::string_view::npos ? 0 : at;
    };
    for (const auto& [key, value] : json.items()) {
        if (key != "registers" && key != "memory") continue;  // what `pogo step` prints can be fed back
        if (!value.is_object()) return Error{fmt::format("`{}` is an object", key), offset_of(key)};
    }
    if (!json.contains("registers")) return Error{"a state has `registers`", 0};
    for (const auto& [name, value] : json["registers"].items()) {
        const auto v = number(value);
        if (!v)
            return Error{fmt::format("register `{}` takes a number or a text such as \"0x10\"", name), offset_of(name)};
        if (auto problem = set(into.state, name, *v)) return Error{*problem, offset_of(name)};
    }
    if (json.contains("choices")) {
        if (!json["choices"].is_array()) return Error{"`choices` is a list", offset_of("choices")};
        for (const auto& value : json["choices"]) {
            const auto v = number(value);
            if (!v) return Error{"`choices` takes numbers or texts such as \"0x10\"", offset_of("choices")};
            into.choices.push_back(*v);
        }
    }
    if (!json.contains("memory")) return std::nullopt;
    for (const auto& [text, value] : json["memory"].items()) {
        const auto address = parse_number(text);
        if (!address || (*address & ~static_cast<std::uint64_t>(ones(spec_->physical_width))) != 0)
            return Error{fmt::format("`{}` is not a physical address", text), offset_of(text)};
        // One unit, or a list of consecutive ones.
        const auto put = [&](std::uint64_t at, const nlohmann::json& unit) {
            const auto v = number(unit);
            if (!v || (*v & ~static_cast<std::uint64_t>(ones(spec_->unit_bits))) != 0) return false;
            into.memory.emplace_back(at & static_cast<std::uint64_t>(ones(spec_->physical_width)), *v);
            return true;
        };
        bool good = true;
        if (value.is_array()) {
            std::uint64_t at = *address;
            for (const auto& unit : value) good = good && put(at++, unit);
        } else {
            good = put(*address, value);
        }
        if (!good)
            return Error{fmt::format("memory at `{}` takes numbers of {} bits", text, spec_->unit_bits),
                         offset_of(text)};
    }
    return std::nullopt;
}

void StateFormat::write(const model::StepOutcome& outcome, const State& state, std::string& out) const {
    auto end = std::back_inserter(out);
    fmt::format_to(end, "{{\"outcome\":\"{}\"", kind_name(outcome.kind));
    if (outcome.form.valid())
        fmt::format_to(end, ",\"instruction\":\"{}\"", (*spec_)[(*spec_)[outcome.form].instruction].identifier);
    if (!outcome.traps.empty()) {
        out += ",\"traps\":[";
        for (std::size_t i = 0; i < outcome.traps.size(); ++i) {
            fmt::format_to(end, "{}{{\"cause\":\"{}\",\"arguments\":[{}]}}", i > 0 ? "," : "",
                           (*spec_)[outcome.traps[i].cause].name, fmt::join(outcome.traps[i].arguments, ","));
        }
        out += ']';
    }
    if (outcome.kind == model::StepOutcome::Kind::interrupted)
        fmt::format_to(end, ",\"interrupt\":\"{}\"", spec_->interrupts[outcome.interrupt].name);
    fmt::format_to(end, ",\"cycles\":{}", outcome.cycles);
    if (outcome.halted) out += ",\"halted\":true";
    if (outcome.double_fault) out += ",\"double_fault\":true";
    out += ",\"registers\":{";
    bool first = true;
    for (const auto& reg : spec_->registers) {
        fmt::format_to(end, "{}\"{}\":{}", first ? "" : ",", reg.name, state.get(reg, *spec_));
        first = false;
    }
    out += "},\"memory\":{";
    first = true;
    // The last store to a unit counts; in order of address.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> changed;
    for (const auto& change : outcome.memory) {
        const auto known =
            std::find_if(changed.begin(), changed.end(), [&](const auto& c) { return c.first == change.address; });
        if (known == changed.end())
            changed.emplace_back(change.address, change.value);
        else
            known->second = change.value;
    }
    std::sort(changed.begin(), changed.end());
    for (const auto& [address, value] : changed) {
        fmt::format_to(end, "{}\"{:#x}\":{}", first ? "" : ",", address, value);
        first = false;
    }
    out += "}}\n";
}

}  // namespace pogo::cli
