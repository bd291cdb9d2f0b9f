// What a trap tells, as a list of terms that is of one length whatever it tells.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "jib/executor.hpp"

namespace pogo::isa::jib {

class Parts {
  public:
    Parts(const Model& model, Executor& executor) : model_(model), executor_(executor) {}

    /// Appends the parts of a value of this type, or zeros without one: 64 bits for what has no width of its own, of a
    /// union a bit for each constructor, and its payload. Throws Stuck where there is more than that in the value.
    void take(const Type& type, const Value* value, std::vector<Term>& into, unsigned depth = 0) const;
    /// The value again, from its parts beginning with number `at`, which is counted on.
    [[nodiscard]] Value put(const Type& type, std::span<const Term> parts, std::size_t& at, unsigned depth = 0) const;

  private:
    /// Whether values of the type are lists of parts; a union may have itself as a part.
    [[nodiscard]] bool bounded(const Type& type, unsigned depth) const;

    const Model& model_;
    Executor& executor_;
};

}  // namespace pogo::isa::jib
