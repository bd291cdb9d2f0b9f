// Confirmation: every witness replayed on the cycle-level model, every proof audited there by random states.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check/check.hpp"
#include "isa/spec.hpp"
#include "model/simulator.hpp"

namespace pogo::report {

/// What the model did with a witness.
enum class ReplayStatus : std::uint8_t { not_run, confirmed, failed };
[[nodiscard]] std::string_view name(ReplayStatus status);  ///< "not-run", "confirmed", "failed"

/// One instruction on its way through the pipeline, from one state.
struct Trace {
    struct Stage {
        std::string name;
        std::uint64_t first = 0;  ///< cycles from the start of the fetch, both inclusive
        std::uint64_t last = 0;
    };
    isa::FormId form;  ///< what was decoded; invalid when nothing was
    std::uint64_t cycles = 0;
    std::vector<Stage> stages;
    std::vector<model::TrapTaken> traps;      ///< empty: it completed
    isa::State after;                         ///< entries of traps included
    std::vector<model::MemoryChange> memory;  ///< in order, those of trap entries included
};

struct Replay {
    ReplayStatus status = ReplayStatus::not_run;
    std::string mismatch;       ///< of a failed one: what was predicted and what was observed
    std::vector<Trace> traces;  ///< one for each side
};

/// Random states of one instruction against its classes.
struct Audit {
    unsigned wanted = 0;
    unsigned states = 0;                ///< that could be set up: invariants hold, the instruction can be fetched
    unsigned pairs = 0;                 ///< of these and others that differ as a class allows
    unsigned completes_supervisor = 0;  ///< of `states`
    unsigned completes_user = 0;        ///< of their partners in user mode
    std::vector<std::string> contradictions;
};

struct Confirmation {
    std::vector<std::vector<Replay>> replays;  ///< by row and witness
    std::vector<Audit> audits;                 ///< by row
    std::string problem;                       ///< why the model could not take the spec; empty when it could
    /// The model contradicts nothing: no witness failed, no audit found a contradiction.
    [[nodiscard]] bool holds() const;
    /// One line for each failure, as "POPF: …".
    [[nodiscard]] std::vector<std::string> failures(const isa::Spec& spec) const;
};

struct ConfirmOptions {
    std::vector<check::Assumption> assumptions;  ///< as the findings were made under
    std::uint64_t seed = 0;
    unsigned states_per_instruction = 64;  ///< of the audit, at least one for each form; 0: none
};

/// Loads the spec into the simulator (which should be bare: all physical addresses are memory) and runs everything.
/// The result depends on the spec, the findings and the options alone. Findings must have been made for this spec.
[[nodiscard]] Confirmation confirm(const isa::Spec& spec, const check::Findings& findings, model::Simulator& simulator,
                                   const ConfirmOptions& options);

}  // namespace pogo::report
