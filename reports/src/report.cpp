// The verdict in a sentence, and what renderings ask of a report.
// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "format.hpp"
#include "isa/require.hpp"
#include "subjects.hpp"

namespace pogo::report {

std::string_view name(Decision decision) {
    switch (decision) {
        case Decision::refuted:
            return "refuted";
        case Decision::proved:
            return "proved";
        case Decision::unknown:
            return "unknown";
    }
    POGO_REQUIRE(false);
}

const Written* Instruction::written(std::string_view element) const {
    const auto it = std::find_if(writes.begin(), writes.end(), [&](const auto& w) { return w.element == element; });
    return it == writes.end() ? nullptr : &*it;
}

const Dependence* Instruction::dependence(std::string_view element) const {
    const auto it =
        std::find_if(depends_on.begin(), depends_on.end(), [&](const auto& d) { return d.element == element; });
    return it == depends_on.end() ? nullptr : &*it;
}

bool Instruction::joint(std::string_view element) const {
    return std::any_of(depends_on.begin(), depends_on.end(),
                       [&](const auto& d) { return d.kind == "joint" && names(d.element, element); });
}

std::vector<const Instruction*> Report::critical() const {
    std::vector<const Instruction*> result;
    for (const bool strict : {true, false})
        for (const auto& instruction : instructions) {
            const bool in_strict = instruction.critical.strict == Answer::yes;
            if (strict ? in_strict : !in_strict && instruction.critical.extended == Answer::yes)
                result.push_back(&instruction);
        }
    return result;
}

const Witness* Report::telling(const Instruction& instruction) {
    const auto rank = [&](const Witness& witness) {
        const Dependence* const dependence = instruction.dependence(witness.element);
        if (witness.property == "mode-sensitive") return 0;
        if (witness.property == "location-sensitive") return 1;
        if (witness.property == "control-sensitive") return witness.element == "mode" ? 2 : 5;
        if (witness.property == "jointly sensitive") return dependence != nullptr && dependence->strict ? 3 : 6;
        if (witness.property == "configuration-sensitive") return 4;
        return 7;
    };
    const Witness* best = nullptr;
    for (const auto& witness : instruction.witnesses)
        if (best == nullptr || rank(witness) < rank(*best)) best = &witness;
    return best;
}

bool Report::confirmed() const {
    if (!problem.empty()) return false;
    return std::all_of(instructions.begin(), instructions.end(), [](const Instruction& instruction) {
        return instruction.contradictions.empty() &&
               std::all_of(instruction.witnesses.begin(), instruction.witnesses.end(),
                           [](const Witness& witness) { return witness.replay != ReplayStatus::failed; });
    });
}

bool Report::invariants_kept() const {
    return std::all_of(invariants.begin(), invariants.end(),
                       [](const Invariant& invariant) { return invariant.kept == Decision::proved; });
}

std::string Report::verdict() const {
    std::string subject = machine;
    for (std::size_t i = 0; i < parameters.size(); ++i)
        subject += fmt::format("{}{}={}{}", i == 0 ? " (" : ", ", parameters[i].first, parameters[i].second,
                               i + 1 == parameters.size() ? ")" : "");
    if (!extension_file.empty()) subject += " with its VT extension";
    if (!configuration.empty()) subject += " under the given configuration";

    const auto names = [](const std::vector<std::string>& list) {
        const std::size_t most = 6;
        std::vector<std::string> shown(list.begin(), list.begin() + static_cast<long>(std::min(list.size(), most)));
        if (list.size() > most) shown.push_back(fmt::format("{} more", list.size() - most));
        return enumeration(shown);
    };
    const auto refuted = [&](const std::vector<std::string>& list, std::string_view model) {
        return fmt::format("the hypothesis of Theorem 1 is refuted{} by {} of {}: {}", model, list.size(),
                           count(instructions.size(), "instruction"), names(list));
    };
    const Decisions& d = theorem1.decision;
    if (d.strict == Decision::refuted) return fmt::format("{}: {}.", subject, refuted(theorem1.against_strict, ""));
    if (d.strict == Decision::unknown && !invariants_kept())
        return fmt::format("{}: undecided, a declared invariant is not kept.", subject);
    if (d.strict == Decision::unknown) return fmt::format("{}: undecided, the solver reached its limit.", subject);
    const std::string proved = fmt::format("every sensitive instruction of {} is privileged", instructions.size());
    if (d.extended == Decision::proved)
        return fmt::format("{}: a virtual machine monitor can be built; {} (Theorem 1, strict and extended).", subject,
                           proved);
    if (d.extended == Decision::refuted)
        return fmt::format(
            "{}: a virtual machine monitor can be built in the sense of 1974; {}. Counting control and I/O too, {}.",
            subject, proved, refuted(theorem1.against_extended, ""));
    return fmt::format(
        "{}: a virtual machine monitor can be built in the sense of 1974; {}. Counting control and I/O too, "
        "undecided.",
        subject, proved);
}

}  // namespace pogo::report
