// Shared phrases and marks.
// SPDX-License-Identifier: Apache-2.0
#include "phrases.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "format.hpp"
#include "isa/require.hpp"

namespace pogo::report {

std::string_view word(Answer answer) {
    switch (answer) {
        case Answer::no:
            return "no";
        case Answer::yes:
            return "yes";
        case Answer::unknown:
            return "unknown";
    }
    POGO_REQUIRE(false);
}

bool Mark::empty() const { return !(read || joint || written || traps || sometimes || unknown); }

std::string Mark::letters() const {
    std::string result;
    if (read) result += 'R';
    if (joint && !read) result += 'r';
    if (written) result += 'W';
    if (traps) result += 'T';
    if (sometimes) result += 't';
    if (unknown) result += '?';
    return result;
}

Mark mark_of(const Instruction& instruction, const Subject& column) {
    Mark mark;
    const auto consider = [&](Answer supervisor, Answer user, bool& set) {
        set = set || supervisor == Answer::yes || user == Answer::yes;
        mark.unknown = mark.unknown || (!set && (supervisor == Answer::unknown || user == Answer::unknown));
    };
    if (const auto* d = instruction.dependence(column.name)) consider(d->supervisor, d->user, mark.read);
    if (const auto* w = instruction.written(column.name)) consider(w->supervisor, w->user, mark.written);
    mark.joint = instruction.joint(column.name);
    if (column.kind == "mode") {
        mark.traps = instruction.privileged == "always";
        mark.sometimes = instruction.privileged == "conditional";
        mark.unknown = mark.unknown || instruction.privileged == "unknown";
    }
    return mark;
}

std::string mark_list(const Instruction& instruction, const std::vector<const Subject*>& columns) {
    std::vector<std::pair<std::string, std::vector<std::string>>> groups;  // by marks, in the order of the columns
    for (const auto* column : columns) {
        const auto letters = mark_of(instruction, *column).letters();
        if (letters.empty()) continue;
        auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == letters; });
        if (group == groups.end()) group = groups.insert(groups.end(), {letters, {}});
        group->second.push_back(column->name);
    }
    std::string out;
    for (const auto& [letters, names] : groups)
        out += fmt::format("{}{} {}", out.empty() ? "" : "; ", letters, fmt::join(isa::grouped(names), " "));
    return out;
}

std::vector<const Instruction*> sensitive_rows(const Report& report) {
    auto rows = report.critical();
    for (const auto& instruction : report.instructions)
        if (instruction.sensitive.extended != Answer::no &&
            std::find(rows.begin(), rows.end(), &instruction) == rows.end())
            rows.push_back(&instruction);
    return rows;
}

std::vector<const Subject*> marked_columns(const Report& report, bool all_rows) {
    std::vector<const Subject*> result;
    for (const auto& column : report.columns)
        if (std::any_of(report.instructions.begin(), report.instructions.end(), [&](const Instruction& instruction) {
                return (all_rows || instruction.sensitive.extended != Answer::no) &&
                       !mark_of(instruction, column).empty();
            }))
            result.push_back(&column);
    return result;
}

std::string adjectives(const Instruction& instruction) {
    std::vector<std::string> words;
    const auto depends = [&](std::string_view kind) {
        return std::any_of(instruction.depends_on.begin(), instruction.depends_on.end(), [&](const Dependence& d) {
            return d.kind == kind && (d.supervisor == Answer::yes || d.user == Answer::yes);
        });
    };
    for (const std::string_view kind : {"mode", "location", "configuration"})
        if (depends(kind)) words.emplace_back(fmt::format("{}-sensitive", kind));
    if (depends("joint")) words.emplace_back("jointly sensitive");
    if (instruction.control.extended == Answer::yes) words.emplace_back("control-sensitive");
    return words.empty() ? "sensitive" : enumeration(words);
}

std::string privilege(const Instruction& instruction) {
    if (instruction.privileged != "conditional") return "not privileged";
    const bool known = instruction.privileged_when && !instruction.privileged_when->empty();
    return known ? "privileged only if " + *instruction.privileged_when : "privileged only under a condition";
}

std::string refuted_theorem(const Instruction& instruction) {
    return instruction.critical.strict == Answer::yes ? "theorem 1" : "theorem 1, extended";
}

std::string origin(const Witness& witness) {
    if (witness.states.size() == 1) return fmt::format("a state in {} mode", witness.states[0].mode);
    if (witness.states.size() != 2) return "no state";
    const bool modes = witness.states[0].mode != witness.states[1].mode;
    if (witness.property == "jointly sensitive") return fmt::format("two states that differ in {}", witness.element);
    if (modes) return "two states that differ only in their mode";
    return fmt::format("two states in {} mode that differ only in {}", witness.states[0].mode, witness.element);
}

std::string gist(const Witness& witness) {
    if (witness.property == "not privileged") {
        const bool both = std::all_of(witness.states.begin(), witness.states.end(),
                                      [](const State& state) { return state.completes; });
        return both ? "completes in both modes" : "completes in user mode though not in supervisor mode";
    }
    if (witness.property == "control-sensitive")
        return fmt::format("writes {} in {} mode", witness.element,
                           witness.states.empty() ? "some" : witness.states[0].mode);
    return fmt::format("shows {}", witness.element);
}

std::string heading(const Witness& witness, std::size_t state) {
    if (witness.states.size() == 1) return witness.states[0].mode;
    if (witness.states[0].mode != witness.states[1].mode) return witness.states[state].mode;
    return fmt::format("state {}", state + 1);
}

std::string outcome(const State& state) { return state.completes ? "completes" : fmt::format("trap {}", state.cause); }

std::string replay_words(const Witness& witness) {
    if (witness.replay == ReplayStatus::not_run) return "not run";
    if (witness.replay == ReplayStatus::failed) return "failed: " + witness.mismatch;
    std::vector<std::string> cycles;
    for (const auto& state : witness.states) cycles.push_back(std::to_string(state.cycles));
    const bool same = std::adjacent_find(cycles.begin(), cycles.end(), std::not_equal_to<>()) == cycles.end();
    if (same && !cycles.empty()) cycles.resize(1);
    return fmt::format("confirmed in {} cycle{}", enumeration(cycles),
                       cycles == std::vector<std::string>{"1"} ? "" : "s");
}

std::string confirmation_words(const Report& report) {
    if (!report.problem.empty()) return "nothing was confirmed on the model: " + report.problem;
    std::size_t confirmed = 0;
    std::size_t failed = 0;
    std::size_t witnesses = 0;
    std::size_t states = 0;
    std::size_t pairs = 0;
    std::size_t contradictions = 0;
    for (const auto& instruction : report.instructions) {
        for (const auto& witness : instruction.witnesses) {
            ++witnesses;
            confirmed += witness.replay == ReplayStatus::confirmed;
            failed += witness.replay == ReplayStatus::failed;
        }
        states += instruction.audit_states;
        pairs += instruction.audit_pairs;
        contradictions += instruction.contradictions.size();
    }
    std::string result = witnesses == 0 ? "no witnesses to replay"
                                        : fmt::format("{} of {} witness{} replayed and confirmed", confirmed, witnesses,
                                                      witnesses == 1 ? "" : "es");
    if (failed > 0) result += fmt::format(", {} FAILED", failed);
    if (states > 0)
        result +=
            fmt::format("; {} and {} agree with the classes", count(states, "random state"), count(pairs, "pair"));
    if (contradictions > 0) result += fmt::format(" EXCEPT {}", contradictions);
    return result;
}

std::string theorem_words(Decision decision, const std::vector<std::string>& against) {
    std::string result(name(decision));
    if (decision == Decision::refuted && !against.empty()) result += " by " + enumeration(against);
    return result;
}

namespace {

std::string class_words(const Instruction& instruction) {
    if (instruction.critical.strict == Answer::yes) return "critical";
    if (instruction.critical.extended == Answer::yes) return "critical (extended)";
    if (instruction.critical.extended == Answer::unknown) return "unknown";
    if (instruction.sensitive.extended == Answer::yes) return "sensitive, privileged";
    return "innocuous";
}

}  // namespace

namespace {

/// Names of two words: "csrrw time", "csrrs time", "csrrw cycle", "csrrs cycle" are "csrrw/csrrs time", "cycle".
std::vector<std::string> multiplied(const std::vector<std::string>& names) {
    std::vector<std::pair<std::string, std::string>> by_second;  // the second word, the first ones
    for (const auto& name : names) {
        const auto space = name.find(' ');
        const std::string second = space == std::string::npos ? "" : name.substr(space);
        auto found = std::find_if(by_second.begin(), by_second.end(),
                                  [&](const auto& part) { return !second.empty() && part.first == second; });
        if (found == by_second.end()) found = by_second.insert(by_second.end(), {second, ""});
        found->second += (found->second.empty() ? "" : "/") + name.substr(0, space);
    }
    std::vector<std::string> result;
    std::string last;
    for (const auto& [second, first] : by_second) {
        result.push_back(first == last && !second.empty() ? second.substr(1) : first + second);
        last = first;
    }
    return result;
}

}  // namespace

std::vector<std::vector<std::string>> refusal_table(const Report& report) {
    std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> groups;  // conditions, names
    for (const auto& instruction : report.instructions) {
        const auto& when = instruction.refused;
        if (std::all_of(when.begin(), when.end(), [](const std::string& text) { return text.empty(); })) continue;
        auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == when; });
        if (group == groups.end()) group = groups.insert(groups.end(), {when, {}});
        group->second.push_back(instruction.name);
    }
    std::vector<std::vector<std::string>> table;
    for (const auto& [when, names] : groups) {
        std::vector<std::string>& line = table.emplace_back();
        line.push_back(fmt::format("{}", fmt::join(multiplied(names), ", ")));
        for (const auto& text : when) line.push_back(text.empty() ? "never" : text);
    }
    return table;
}

std::string invariant_words(const Invariant& invariant) {
    if (invariant.assumed) return fmt::format("\"{}\" is assumed: other states are not spoken of", invariant.name);
    switch (invariant.kept) {
        case Decision::proved:
            return fmt::format("invariant \"{}\" is kept", invariant.name);
        case Decision::refuted:
            return fmt::format("invariant \"{}\" is not kept by {}; no proof counts that assumes it", invariant.name,
                               enumeration(invariant.broken_by));
        case Decision::unknown:
            break;
    }
    return fmt::format("invariant \"{}\": undecided, the solver reached its limit", invariant.name);
}

std::vector<Comparison> compare(const Report& before, const Report& after) {
    std::vector<Comparison> result;
    const auto add = [&](const std::string& what, std::string one, std::string two) {
        const bool changed = one != two;
        result.push_back({what, std::move(one), std::move(two), changed});
    };
    const auto theorem = [&](const std::string& what, Decision one, Decision two) {
        add(what, std::string(name(one)), std::string(name(two)));
    };
    add("context", before.context, after.context);
    theorem("Theorem 1, strict", before.theorem1.decision.strict, after.theorem1.decision.strict);
    theorem("Theorem 1, extended", before.theorem1.decision.extended, after.theorem1.decision.extended);
    theorem("Theorem 2, strict", before.theorem2.decision.strict, after.theorem2.decision.strict);
    theorem("Theorem 2, extended", before.theorem2.decision.extended, after.theorem2.decision.extended);
    theorem("Theorem 3, strict", before.theorem3.decision.strict, after.theorem3.decision.strict);
    theorem("Theorem 3, extended", before.theorem3.decision.extended, after.theorem3.decision.extended);
    add("instructions", std::to_string(before.instructions.size()), std::to_string(after.instructions.size()));
    add("critical instructions", std::to_string(before.critical().size()), std::to_string(after.critical().size()));
    const auto find = [](const Report& report, const std::string& identifier) -> const Instruction* {
        for (const auto& instruction : report.instructions)
            if (instruction.identifier == identifier) return &instruction;
        return nullptr;
    };
    for (const auto& instruction : before.instructions) {
        const auto* other = find(after, instruction.identifier);
        const std::string one = class_words(instruction);
        const std::string two = other == nullptr ? "" : class_words(*other);
        if (one != "innocuous" || two != "innocuous") add(instruction.name, one, two);
    }
    for (const auto& instruction : after.instructions)
        if (find(before, instruction.identifier) == nullptr) add(instruction.name, "", class_words(instruction));
    return result;
}

}  // namespace pogo::report
