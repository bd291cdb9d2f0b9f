// States of witnesses and what becomes of them, in a line.
// SPDX-License-Identifier: Apache-2.0
#include "sides.hpp"

#include <fmt/format.h>

#include "format.hpp"

namespace pogo::report {

namespace {

std::string element_text(const isa::Element& element, unsigned entry) {
    return element.is_file() ? fmt::format("{}[{}]", element.name, entry) : element.name;
}

}  // namespace

std::string state_text(const isa::Spec& spec, const check::Side& side) {
    std::vector<std::string> parts;
    for (const auto& element : spec.elements)
        for (unsigned i = 0; i < (element.is_file() ? element.entries : 1); ++i)
            if (const auto value = side.state.get(element, i); value != 0)
                parts.push_back(fmt::format("{} = {:#x}", element_text(element, i), value));
    return parts.empty() ? "all zero" : fmt::format("{}", fmt::join(parts, " "));
}

std::string outcome_text(const isa::Spec& spec, const check::Side& side, bool predicted) {
    const check::Outcome& outcome = side.outcome;
    std::vector<std::string> parts;
    if (outcome.interrupt)
        parts.push_back("interrupt " + spec.interrupts[*outcome.interrupt].name);
    else if (!outcome.completes && outcome.cause.valid())
        parts.push_back("trap " + trap_text(spec, outcome.cause, outcome.arguments));
    else if (!outcome.completes)
        parts.emplace_back(predicted ? "a trap of its translation" : "no interrupt");
    if (!outcome.completes && !outcome.entered) return parts.front();
    for (const auto& element : spec.elements)
        for (unsigned i = 0; i < (element.is_file() ? element.entries : 1); ++i)
            if (const auto value = outcome.post.get(element, i); value != side.state.get(element, i))
                parts.push_back(fmt::format("{} := {:#x}", element_text(element, i), value));
    for (const auto& [address, value] : outcome.memory)
        parts.push_back(fmt::format("memory[{:#x}] := {:#x}", address, value));
    return parts.empty() ? "nothing changes" : fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace pogo::report
