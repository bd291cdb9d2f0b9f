// What has to trap, in the language of specs.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "remedies.hpp"

namespace pogo::check {

using isa::FormId;
using isa::ModeId;

namespace {

std::string joined(const std::vector<std::string>& parts, std::string_view with) {
    std::string result;
    for (const auto& part : parts) result += (result.empty() ? "" : std::string(with)) + part;
    return result;
}

std::string either_of(const std::vector<std::string>& parts) {
    return parts.size() == 1 ? parts.front() : "(" + joined(parts, " || ") + ")";
}

std::vector<std::string> modes_text(const isa::Spec& spec, const MustTrap& element) {
    std::vector<std::string> modes;
    for (const ModeId mode : element.modes) {
        std::vector<std::string> parts;
        for (const auto& part : spec[mode].cube)
            parts.push_back(fmt::format("{} == {}", spec[part.element].name, static_cast<std::uint64_t>(part.value)));
        modes.push_back(joined(parts, " && "));
    }
    return modes;
}

std::vector<std::string> cases_of(const isa::Form& form) {
    std::vector<std::string> result{""};
    for (const char c : form.variant)
        if (c == '.')
            result.emplace_back();
        else
            result.back() += c;
    return result;
}

/// Which operand cases: nothing for all that the instruction has, in all of its rows.
std::string forms_text(const isa::Spec& spec, const MustTrap& element) {
    const isa::Instruction& row = spec[element.instruction];
    std::vector<std::uint32_t> all;
    for (const auto& other : spec.instructions)
        if (other.where == row.where)
            for (std::uint32_t i = 0; i < other.form_count; ++i) all.push_back(other.first_form + i);
    if (all.size() == element.forms.size()) return {};
    const std::size_t operands = row.operands.size();
    std::vector<std::vector<std::string>> chosen(operands);
    const auto seen = [](const std::vector<std::string>& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    for (const FormId form : element.forms)
        for (std::size_t i = 0; i < operands; ++i)
            if (const auto name = cases_of(spec[form])[i]; !seen(chosen[i], name)) chosen[i].push_back(name);
    // What the operands' cases allow one by one, and whether that is what is meant.
    const auto count = [&](std::size_t without) {
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](std::uint32_t f) {
            const auto cases = cases_of(spec.forms[f]);
            for (std::size_t i = 0; i < operands; ++i)
                if (i != without && !seen(chosen[i], cases[i])) return false;
            return true;
        }));
    };
    const auto is = [&](std::size_t i, const std::string& name) {
        return fmt::format("{}.is({})", row.operands[i], name);
    };
    std::vector<std::string> parts;
    if (count(operands) == element.forms.size()) {
        for (std::size_t i = 0; i < operands; ++i) {
            if (count(i) == element.forms.size() && operands > 1) continue;  // the others say it
            std::vector<std::string> cases;
            for (const auto& name : chosen[i]) cases.push_back(is(i, name));
            parts.push_back(either_of(cases));
        }
        if (!parts.empty()) return joined(parts, " && ");
    }
    for (const FormId form : element.forms) {
        std::vector<std::string> cases;
        for (std::size_t i = 0; i < operands; ++i) cases.push_back(is(i, cases_of(spec[form])[i]));
        parts.push_back(joined(cases, " && "));
    }
    return either_of(parts);
}

/// A permission that lets nobody do it in these modes, and everybody elsewhere.
const isa::Permission* permission_like(const isa::Spec& spec, const MustTrap& element) {
    for (const auto& permission : spec.permissions) {
        bool fits = true;
        for (std::uint32_t i = 0; i < spec.modes.size() && fits; ++i) {
            const auto line = std::find_if(permission.lines.begin(), permission.lines.end(),
                                           [&](const auto& one) { return !one.mode.valid() || one.mode == ModeId{i}; });
            const bool wanted = std::find(element.modes.begin(), element.modes.end(), ModeId{i}) != element.modes.end();
            fits = line != permission.lines.end() && line->condition.empty() && line->cause.valid() == wanted;
        }
        if (fits && !permission.instructions.empty()) return &permission;
    }
    return nullptr;
}

}  // namespace

std::string fields_condition(const isa::Spec& spec, const MustTrap& element) {
    std::vector<std::string> parts;
    for (const auto& spared : element.spared) {
        const isa::Form& form = spec[element.forms.front()];
        const std::uint64_t count = std::uint64_t{1} << form.fields[field_number(form, spared.name)].width;
        std::vector<std::string> kept;  // said instead where they are fewer
        for (std::uint64_t value = 0; value < count; ++value)
            if (std::find(spared.values.begin(), spared.values.end(), value) == spared.values.end())
                kept.push_back(fmt::format("{} == {}", spared.name, value));
        if (kept.size() < spared.values.size()) {
            parts.push_back(either_of(kept));
            continue;
        }
        for (const std::uint64_t value : spared.values) parts.push_back(fmt::format("{} != {}", spared.name, value));
    }
    return joined(parts, " && ");
}

std::string condition(const isa::Spec& spec, const MustTrap& element) {
    std::vector<std::string> parts;
    if (auto forms = forms_text(spec, element); !forms.empty()) parts.push_back(std::move(forms));
    if (auto fields = fields_condition(spec, element); !fields.empty()) parts.push_back(std::move(fields));
    const auto modes = modes_text(spec, element);
    if (parts.empty()) return joined(modes, " || ");
    parts.insert(parts.begin(), either_of(modes));
    return joined(parts, " && ");
}

std::string statement(const isa::Spec& spec, isa::CauseId cause, const MustTrap& element) {
    if (element.spared.empty() && forms_text(spec, element).empty())
        if (const auto* permission = permission_like(spec, element); permission != nullptr)
            return fmt::format("require {};", permission->name);
    std::string arguments;
    for (std::size_t i = 0; i < spec[cause].parameters.size(); ++i) arguments += i == 0 ? "0" : ", 0";
    if (!arguments.empty()) arguments = "(" + arguments + ")";
    return fmt::format("trap {}{} when {};", spec[cause].name, arguments, condition(spec, element));
}

}  // namespace pogo::check
