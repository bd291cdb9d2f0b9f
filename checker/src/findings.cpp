// Findings: three-valued logic, names, texts.
// SPDX-License-Identifier: Apache-2.0
#include "check/findings.hpp"

#include <fmt/format.h>

#include "isa/require.hpp"

namespace pogo::check {

std::string_view name(Verdict verdict) {
    switch (verdict) {
        case Verdict::no:
            return "no";
        case Verdict::yes:
            return "yes";
        case Verdict::unknown:
            return "unknown";
    }
    POGO_REQUIRE(false);
}

std::string_view name(Privileged privileged) {
    switch (privileged) {
        case Privileged::always:
            return "always";
        case Privileged::never:
            return "never";
        case Privileged::conditional:
            return "conditional";
        case Privileged::vacuous:
            return "vacuous";
        case Privileged::unknown:
            return "unknown";
    }
    POGO_REQUIRE(false);
}

std::string_view name(Kind kind) {
    switch (kind) {
        case Kind::mode:
            return "mode";
        case Kind::location:
            return "location";
        case Kind::configuration:
            return "configuration";
        case Kind::time:
            return "time";
        case Kind::joint:
            return "joint";
    }
    POGO_REQUIRE(false);
}

Verdict either(Verdict a, Verdict b) {
    if (a == Verdict::yes || b == Verdict::yes) return Verdict::yes;
    return a == Verdict::no ? b : Verdict::unknown;
}

Verdict opposite(Verdict a) {
    if (a == Verdict::unknown) return a;
    return a == Verdict::yes ? Verdict::no : Verdict::yes;
}

Verdict both(Verdict a, Verdict b) { return opposite(either(opposite(a), opposite(b))); }

std::string text(const isa::Spec& spec, const Cube& cube) {
    std::string result;
    for (const Literal& literal : cube) {
        const isa::Element& element = spec[literal.element];
        result += (result.empty() ? "" : " & ") + element.name;
        if (literal.high - literal.low + 1 != element.width)
            result += literal.high == literal.low ? fmt::format("<{}>", literal.low)
                                                  : fmt::format("<{}:{}>", literal.high, literal.low);
        const auto value = static_cast<std::uint64_t>(literal.value);
        result += value < 10 ? fmt::format(" = {}", value) : fmt::format(" = {:#x}", value);
    }
    return result;
}

std::string text(const isa::Spec& spec, const Condition& condition) {
    std::string result;
    for (const Cube& cube : condition.cubes) result += (result.empty() ? "" : " | ") + text(spec, cube);
    if (!condition.complete && !result.empty()) result += " | ...";
    return result;
}

Statistics& Statistics::operator+=(const Statistics& other) {
    queries += other.queries;
    rewritten += other.rewritten;
    solved += other.solved;
    refinements += other.refinements;
    rlimit += other.rlimit;
    solver_seconds += other.solver_seconds;
    check_seconds += other.check_seconds;
    return *this;
}

}  // namespace pogo::check
