// The report on a VM map: its obligations, replayed, and the configuration that was found.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "check/vm_map.hpp"
#include "report/confirm.hpp"

namespace pogo::report {

struct MapReport {
    check::MapFindings findings;
    std::vector<std::vector<Replay>> replays;  ///< by obligation and witness: the virtual machine, then the real one
    std::string problem;                       ///< why the model could not take the spec; empty when it could
    [[nodiscard]] bool confirmed() const;      ///< no witness failed
};

/// Replays the witnesses on the model: the instruction bare, and where the guest really runs.
[[nodiscard]] MapReport confirm_map(const isa::Spec& spec, check::MapFindings findings, model::Simulator& simulator);

/// For people; `all`: also the obligations that hold.
[[nodiscard]] std::string to_text(const isa::Spec& spec, const MapReport& report, bool all);
/// As JSON, for tools: docs/vm-maps.md lists the keys.
[[nodiscard]] std::string to_json(const isa::Spec& spec, const MapReport& report);

}  // namespace pogo::report
