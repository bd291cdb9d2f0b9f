// The report on a comparison of two machines. docs/diff.md lists the keys of the JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "check/diff.hpp"
#include "isa/source.hpp"
#include "report/confirm.hpp"

namespace pogo::report {

struct DiffReport {
    std::string file_a;
    std::string file_b;
    check::Comparison comparison;
    std::vector<std::vector<Replay>> replays;  ///< by line: A's, then B's, where it has witnesses
    std::string problem;                       ///< why the model could not take a spec; empty when it could
    [[nodiscard]] bool confirmed() const;      ///< no witness failed
};

/// Replays the witnesses on the model, each on its machine.
[[nodiscard]] DiffReport confirm_diff(const isa::Spec& a, const isa::Spec& b, check::Comparison comparison,
                                      model::Simulator& simulator);

/// For people; `all`: also what is equal.
[[nodiscard]] std::string to_text(const isa::Spec& a, const isa::Spec& b, const check::Correspondence& correspondence,
                                  const DiffReport& report, bool all);
[[nodiscard]] std::string to_json(const isa::Spec& a, const isa::Spec& b, const check::Correspondence& correspondence,
                                  const DiffReport& report);

}  // namespace pogo::report
