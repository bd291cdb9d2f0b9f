// Fields out of parcels, and the condition on them, lined up once to be asked often.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "isa/fold.hpp"
#include "isa/spec.hpp"

namespace pogo::isa {

/// The values that parcels of the form, all of them, give its fields.
[[nodiscard]] std::vector<std::uint64_t> fields_of(const Form& form, std::span<const std::uint64_t> parcels);

/// Encoding::where of a form.
class FieldCondition {
  public:
    FieldCondition(const Terms& terms, const Form& form);
    [[nodiscard]] bool operator()(std::span<const std::uint64_t> fields);
    /// By field: what the condition reads.
    [[nodiscard]] const std::vector<bool>& reads() const { return reads_; }

  private:
    Program program_;
    std::vector<bool> reads_;
    std::vector<std::uint64_t> values_;  ///< of the fields, then of the program's steps
};

}  // namespace pogo::isa
