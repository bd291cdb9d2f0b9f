// A guest in all ways that its machine has, from the command line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "programs.hpp"
#include "report/efficiency.hpp"

namespace pogo::cli {

/// --constant, of VM maps.
void add_constants_to(CLI::App& command, std::vector<std::string>& constants);
/// Their values for guest number `guest`. Leaves with usage where they are not numbers.
[[nodiscard]] model::Monitor::Constants constants_of(Session& session, const std::vector<std::string>& arguments,
                                                     std::uint64_t guest);

/// --vm-map, --remedies and --cache: a guest that is patched, or whose code is translated.
struct GuestRemedies {
    std::vector<std::string> map;  ///< none: the first
    bool wanted = false;
    std::string cache;  ///< ADDRESS+UNITS
    void add_to(CLI::App& command);
};
/// What the checker finds for the map: hypercalls if something needs them, and how code is translated if there is room.
[[nodiscard]] std::vector<report::Remedied> remedies_of(Session& session, const isa::Spec& spec,
                                                        const GuestRemedies& arguments);

/// Leaves with diagnostics where the programs cannot be read or do not come to an end on the bare machine.
[[nodiscard]] report::Efficiency efficiency_of(Session& session, const ProgramArguments& arguments,
                                               const isa::Spec& spec, const model::Monitor::Constants& constants,
                                               const model::MonitorConfig& config, std::uint64_t cycles,
                                               std::vector<report::Remedied> remedies = {});

}  // namespace pogo::cli
