// Replaying the witnesses of a JSON report: states and predictions come from the file alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "model/simulator.hpp"
#include "states.hpp"

namespace pogo::cli {

struct ReplayResult {
    std::optional<StateFormat::Error> error;  ///< the file is not a report of this machine; offset in bytes
    std::string log;                          ///< a line for each state
    std::size_t confirmed = 0;
    std::size_t failed = 0;
};

/// Runs every state of every witness; the simulator has the spec loaded and is bare.
[[nodiscard]] ReplayResult replay_report(const isa::Spec& spec, std::string_view text, model::Simulator& simulator);

}  // namespace pogo::cli
