// Efficiency: one guest in all the ways that a machine can run it, and where its cycles go.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "check/remedy.hpp"
#include "model/monitor.hpp"

namespace pogo::report {

/// Popek & Goldberg's second property (1974, section 3): innocuous instructions are executed by the hardware directly.
struct EfficiencyRow {
    std::string way;    ///< "bare", a VM map's name, "interpretation"
    std::string about;  ///< what that is
    model::Activity activity;
    bool same = true;     ///< output and end as on the bare machine
    std::string problem;  ///< why it was not run to its end; empty when it was
};

struct Efficiency {
    std::string guest;                 ///< as the user named its programs
    std::uint64_t exit_cycles = 0;     ///< as MonitorConfig says
    std::uint64_t routine_cycles = 0;  ///< likewise
    std::vector<EfficiencyRow> rows;   ///< bare first
    [[nodiscard]] bool all_same() const;
};

/// A guest that is changed, or its code, so that it runs where the machine has critical instructions.
struct Remedied {
    const isa::VmMap* map = nullptr;
    std::optional<check::PatchList> patches;  ///< hypercalls take the place of instructions
    std::optional<model::CodeCache> cache;    ///< its code is translated
};

struct EfficiencyRequest {
    std::string guest;
    std::vector<model::Image> images;
    std::string input;                    ///< what the first UART receives
    model::Monitor::Constants constants;  ///< for maps that have them
    model::MonitorConfig config;
    std::vector<Remedied> remedies;
    std::uint64_t cycles = 0;  ///< at most, and not more than 300 times those of the bare machine
};

/// How a guest's code is translated in all modes of the map. Nothing where the table does not let it be.
[[nodiscard]] std::optional<model::CodeCache> code_cache(const isa::VmMap& map, const check::TranslationTable& table,
                                                         std::uint64_t address, std::uint64_t units);

/// Runs the guest bare, under each VM map of the spec, with each remedy, and interpreted. A text says why the guest
/// cannot be run at all.
[[nodiscard]] std::variant<Efficiency, std::string> measure(const isa::Spec& spec, const EfficiencyRequest& request);

[[nodiscard]] std::string to_text(const Efficiency& efficiency);
[[nodiscard]] std::string to_markdown(const Efficiency& efficiency);
/// A table and a chart, as a part of a page.
[[nodiscard]] std::string to_html(const Efficiency& efficiency);
[[nodiscard]] std::string to_json(const Efficiency& efficiency);

}  // namespace pogo::report
