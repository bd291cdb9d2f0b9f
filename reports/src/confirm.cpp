// Confirmation of findings on the model.
// SPDX-License-Identifier: Apache-2.0
#include "report/confirm.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "audit.hpp"
#include "isa/require.hpp"
#include "replay.hpp"

namespace pogo::report {

std::string_view name(ReplayStatus status) {
    switch (status) {
        case ReplayStatus::not_run:
            return "not-run";
        case ReplayStatus::confirmed:
            return "confirmed";
        case ReplayStatus::failed:
            return "failed";
    }
    POGO_REQUIRE(false);
}

bool none_failed(const std::vector<std::vector<Replay>>& replays) {
    return std::all_of(replays.begin(), replays.end(), [](const auto& row) {
        return std::none_of(row.begin(), row.end(),
                            [](const auto& replay) { return replay.status == ReplayStatus::failed; });
    });
}

bool Confirmation::holds() const {
    return none_failed(replays) &&
           std::all_of(audits.begin(), audits.end(), [](const auto& audit) { return audit.contradictions.empty(); });
}

std::vector<std::string> Confirmation::failures(const isa::Spec& spec) const {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < replays.size(); ++i)
        for (std::size_t j = 0; j < replays[i].size(); ++j)
            if (replays[i][j].status == ReplayStatus::failed)
                result.push_back(fmt::format("{}: witness {} does not replay: {}", spec.instructions[i].name, j + 1,
                                             replays[i][j].mismatch));
    for (std::size_t i = 0; i < audits.size(); ++i)
        for (const auto& text : audits[i].contradictions)
            result.push_back(fmt::format("{}: {}", spec.instructions[i].name, text));
    return result;
}

Confirmation confirm(const isa::Spec& spec, const check::Findings& findings, model::Simulator& simulator,
                     const ConfirmOptions& options) {
    POGO_REQUIRE(findings.rows.size() == spec.instructions.size());
    const isa::ContextId context = spec.find_context(findings.context);
    POGO_REQUIRE(context.valid());
    Confirmation result;
    for (const auto& row : findings.rows) result.replays.emplace_back(row.witnesses.size());
    result.audits.resize(findings.rows.size());
    if (auto problem = simulator.load(spec)) {
        result.problem = std::move(*problem);
        return result;
    }
    {
        Recorder recorder;
        const Attached attached(simulator, recorder);
        for (std::size_t i = 0; i < findings.rows.size(); ++i)
            for (std::size_t j = 0; j < findings.rows[i].witnesses.size(); ++j)
                result.replays[i][j] = replay(spec, findings.rows[i].witnesses[j], simulator, recorder);
    }
    if (options.states_per_instruction > 0) {
        Auditor auditor(spec, spec[context], simulator, options);
        for (std::size_t i = 0; i < findings.rows.size(); ++i) result.audits[i] = auditor.audit(findings.rows[i]);
    }
    return result;
}

}  // namespace pogo::report
