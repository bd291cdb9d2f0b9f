// Instances: terms of the Spec rebuilt in another arena, with terms in the place of variables.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unordered_map>
#include <vector>

#include "isa/term.hpp"

namespace pogo::check {

/// Self-composition works by instances: one meaning, read once for each state of a pair, into one arena where equal
/// results are equal terms. Every variable has to be bound before a term that mentions it is read.
class Instance {
  public:
    Instance(const isa::Terms& from, isa::Terms& to) : from_(&from), to_(&to), leaves_(from.variable_count()) {}

    void bind(isa::Variable variable, isa::Term value) { leaves_[variable.id] = value; }
    [[nodiscard]] bool bound(isa::Variable variable) const { return leaves_[variable.id].valid(); }
    [[nodiscard]] isa::Term operator()(isa::Term root);
    /// To be called before a variable is bound anew.
    void forget() { memo_.clear(); }

  private:
    const isa::Terms* from_;
    isa::Terms* to_;
    std::vector<isa::Term> leaves_;
    std::unordered_map<isa::Term, isa::Term> memo_;
};

}  // namespace pogo::check
