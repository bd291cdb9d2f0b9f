// Shipped machines for whole runs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "check/check.hpp"
#include "isa/elaborate.hpp"
#include "vt/extend.hpp"

namespace pogo::integration {

inline isa::Spec machine(const std::string& name, const isa::Arguments& arguments = {},
                         const std::optional<std::string>& policy = std::nullopt) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    std::optional<std::string> path;
    if (policy) path = POGO_SPECS "/" + *policy;
    auto spec = isa::load_spec_file(sources, POGO_SPECS "/" + name, path, arguments, diagnostics);
    EXPECT_TRUE(spec.has_value()) << isa::render(diagnostics, sources);
    return spec->extension ? vt::extend(*spec) : std::move(*spec);
}

/// The machine with one instruction only, so that one row is decided.
inline isa::Spec only(const isa::Spec& spec, isa::InstructionId id) {
    isa::Spec result = spec;
    const isa::Instruction row = spec[id];
    result.instructions = {row};
    result.forms.assign(spec.forms.begin() + row.first_form, spec.forms.begin() + row.first_form + row.form_count);
    for (isa::Form& form : result.forms) form.instruction = {0};
    result.instructions[0].first_form = 0;
    return result;
}

/// What is assumed of elements, by their names.
using Assumed = std::vector<std::pair<std::string, std::uint64_t>>;
inline std::vector<check::Assumption> assumptions(const isa::Spec& spec, const Assumed& assumed) {
    std::vector<check::Assumption> result;
    for (const auto& [name, value] : assumed) {
        result.push_back({spec.find_element(name), value});
        EXPECT_TRUE(result.back().element.valid()) << "no element " << name;
    }
    return result;
}

/// "always", "conditional when mstatus.TSR = 1".
inline std::string class_of(const isa::Spec& spec, const check::Row& row) {
    std::string text(name(row.privileged));
    const std::string when = row.privileged_when ? check::text(spec, *row.privileged_when) : "";
    return when.empty() ? text : text + " when " + when;
}

/// Names of the rows for which the choice holds.
template <class F>
std::set<std::string> rows(const isa::Spec& spec, const check::Findings& findings, F&& choice) {
    std::set<std::string> names;
    for (const auto& row : findings.rows)
        if (choice(row)) names.insert(spec[row.instruction].name);
    return names;
}

}  // namespace pogo::integration
