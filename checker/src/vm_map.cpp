// VM maps: the obligations of instructions, traps and interrupts, and the configuration under which they hold.
// SPDX-License-Identifier: Apache-2.0
#include "check/vm_map.hpp"

#include <algorithm>
#include <utility>

#include "isa/require.hpp"
#include "obligation.hpp"
#include "parallel.hpp"
#include "synthesis.hpp"

namespace pogo::check {

namespace {

/// What belongs to the guest while the map's guest runs.
Roles roles_of(const isa::Spec& spec, const isa::VmMap& map) {
    isa::Context context = spec[map.context];
    context.guest.insert(context.guest.end(), map.guest.begin(), map.guest.end());
    return {spec, context};
}

Obligation decide(const isa::Spec& spec, const isa::VmMap& map, const Options& options, const Roles& roles,
                  const Obligation& which) {
    ObligationCheck check(spec, map, options, roles, which);
    const auto named = [&](const auto& list) {
        const auto found = std::find_if(list.begin(), list.end(), [&](const auto& e) { return e.name == which.name; });
        POGO_REQUIRE(found != list.end());
        return static_cast<std::uint32_t>(found - list.begin());
    };
    switch (which.kind) {
        case Obligation::Kind::instruction:
            return check.instruction(which.instruction);
        case Obligation::Kind::trap:
            return check.trap({named(spec.causes)});
        case Obligation::Kind::interrupt:
            return check.interrupt(named(spec.interrupts));
        case Obligation::Kind::relocation:
            return check.relocation();
        case Obligation::Kind::preemption:
            return check.preemption();
        case Obligation::Kind::where:
            return check.where();
    }
    POGO_REQUIRE(false);
}

}  // namespace

std::vector<isa::ModeId> empty_modes(const isa::Spec& spec, const isa::VmMap& map, const Options& options) {
    const Roles roles = roles_of(spec, map);
    MapInWorld in(spec, map, options, roles);
    Solver solver(in.terms(), {options.rlimit, options.seed});
    std::vector<isa::ModeId> empty;
    for (std::size_t k = 0; k < map.modes.size(); ++k)
        if (solver.possible("meant", in.pair(k).meant) == Verdict::no) empty.push_back(map.modes[k].first);
    return empty;
}

MapFindings check_vm_map(const isa::Spec& spec, const isa::VmMap& map, const Options& options) {
    const Roles roles = roles_of(spec, map);
    MapFindings findings;
    findings.name = map.name;
    findings.context = spec[map.context].name;
    const auto owed = [&](Obligation::Kind kind, const std::string& name, isa::InstructionId id = {}) {
        const auto& only = options.only;
        if (!only.empty() && std::find(only.begin(), only.end(), name) == only.end()) return;
        Obligation obligation;
        obligation.kind = kind;
        obligation.name = name;
        obligation.instruction = id;
        findings.obligations.push_back(std::move(obligation));
    };
    for (std::uint32_t i = 0; i < spec.instructions.size(); ++i)
        owed(Obligation::Kind::instruction, spec.instructions[i].identifier, {i});
    for (const auto& cause : spec.causes) owed(Obligation::Kind::trap, cause.name);
    for (const auto& interrupt : spec.interrupts) owed(Obligation::Kind::interrupt, interrupt.name);
    if (map.composes()) owed(Obligation::Kind::relocation, "relocation");
    if (!spec.interrupts.empty()) owed(Obligation::Kind::preemption, "preemption");
    owed(Obligation::Kind::where, "where");

    in_parallel(findings.obligations.size(), options.jobs, options.progress, [&](std::size_t i) {
        findings.obligations[i] = decide(spec, map, options, roles, findings.obligations[i]);
    });

    findings.holds = Verdict::yes;
    for (const Obligation& obligation : findings.obligations) {
        findings.holds = both(findings.holds, obligation.holds);
        findings.statistics += obligation.statistics;
    }
    findings.holds_configured = findings.holds;
    if (map.synthesized.empty()) return findings;
    findings.synthesis = synthesis_of(spec, findings.obligations);
    const Synthesis& synthesis = *findings.synthesis;
    findings.holds_configured = !synthesis.never.empty()          ? Verdict::no
                                : synthesis.found != Verdict::yes ? Verdict::no
                                : !synthesis.undecided.empty()    ? Verdict::unknown
                                                                  : Verdict::yes;
    return findings;
}

Obligation check_obligation(const isa::Spec& spec, const isa::VmMap& map, const Obligation& which,
                            const Options& options) {
    Obligation fresh;
    fresh.kind = which.kind;
    fresh.name = which.name;
    fresh.instruction = which.instruction;
    return decide(spec, map, options, roles_of(spec, map), fresh);
}

std::vector<Verdict> check_values(const isa::Spec& spec, const isa::VmMap& map, isa::FormId form, unsigned field,
                                  const Options& options) {
    const Roles roles = roles_of(spec, map);
    return ObligationCheck(spec, map, options, roles, {}).values(spec[form], field);
}

Verdict always_leaves(const isa::Spec& spec, const isa::VmMap& map, isa::FormId form, const Options& options) {
    const Roles roles = roles_of(spec, map);
    return ObligationCheck(spec, map, options, roles, {}).always_leaves(spec[form]);
}

}  // namespace pogo::check
