// check: decides virtualizability of a Spec, instruction by instruction.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "check/findings.hpp"
#include "isa/spec.hpp"

namespace pogo::check {

/// element = value, in every state of every query: the verdict under a configuration.
struct Assumption {
    isa::ElementId element;  ///< a scalar
    isa::Word value = 0;
    isa::Word bits = ~isa::Word{0};  ///< of the element that are meant
};

struct Options {
    std::optional<isa::ContextId> context;  ///< the first of the Spec when absent
    std::vector<Assumption> assumptions;
    unsigned rlimit = 5'000'000;  ///< Z3's resource limit per query; 0 means none
    unsigned seed = 0;
    unsigned jobs = 1;       ///< threads; the findings do not depend on it
    unsigned max_cubes = 8;  ///< of the condition of a conditionally privileged instruction
    bool witnesses = true;
    /// Without rewriting every query goes to the solver: a check of the rewriting itself.
    bool rewrite = true;
    /// When set, every query sent to the solver is written here as SMT-LIB 2 with its answer as :status, one file
    /// each, named "<instruction>.<number>.<property>.smt2". The directory is created. Failing to write throws
    /// std::filesystem::filesystem_error.
    std::optional<std::string> smt2;
    std::vector<std::string> only;  ///< obligations of a VM map, lines of a comparison, of these names; none: all
    /// Called after each instruction or obligation with the number done and the total, one call at a time.
    std::function<void(std::size_t done, std::size_t total)> progress;
};

/// Modes of the context that no state is in, by what is invariant and assumed: whatever is asked there would hold for
/// want of states. Empty where the solver cannot tell.
[[nodiscard]] std::vector<isa::ModeId> empty_modes(const isa::Spec& spec, const Options& options);

/// Decides everything docs/semantics.md defines for one context. Needs at least one context in the Spec, and states in
/// both of its modes.
[[nodiscard]] Findings check(const isa::Spec& spec, const Options& options);

}  // namespace pogo::check
