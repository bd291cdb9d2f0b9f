// The audit: random states of each instruction on the model, against the classes the checker proved.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "probe.hpp"
#include "report/confirm.hpp"
#include "subjects.hpp"

namespace pogo::report {

class Auditor {
  public:
    /// The simulator has the spec loaded.
    Auditor(const isa::Spec& spec, const isa::Context& context, model::Simulator& simulator,
            const ConfirmOptions& options);

    /// Depends on the row and the options alone, not on rows audited before. Leaves memory cleared.
    [[nodiscard]] Audit audit(const check::Row& row);

  private:
    const isa::Spec& spec_;
    const isa::Context& context_;
    model::Simulator& simulator_;
    const ConfirmOptions& options_;
    std::vector<Column> columns_;
    Probe probe_;
    isa::State reset_;
};

}  // namespace pogo::report
