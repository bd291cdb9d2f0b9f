// Trials: whether values satisfy formulas, found without the solver.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
#include "isa/require.hpp"
#include "isa/term.hpp"

namespace pogo::check {

/// Makes values of atoms smaller while conjuncts hold. Atoms are variables that are no arrays, and what is read of
/// arrays; what is read keeps its value when its address moves, and equal addresses are made to hold equal values. It
/// only proposes: the solver has the last word on what is found.
class Trial {
  public:
    /// All variables of the conjuncts that are no arrays, and all that they read of arrays, are among the atoms.
    Trial(const isa::Terms& terms, std::span<const isa::Term> conjuncts, std::span<const isa::Term> atoms);

    /// The values found so far, one for each atom.
    [[nodiscard]] const std::vector<isa::Word>& best() const { return best_; }
    /// Begins again from values that satisfy all.
    void start(std::vector<isa::Word> values);
    /// Makes the atoms [begin, end), in this order, as small as can be found by changing few at once.
    void descend(std::size_t begin, std::size_t end);

  private:
    struct Read {
        std::uint32_t array;  ///< number of the variable
        std::uint32_t atom;
    };
    struct AllAreAtoms {
        isa::Word variable(isa::Variable, isa::Sort) { return 0; }  // an array
        isa::Word select(isa::Word, isa::Word) { POGO_REQUIRE(false); }
    };
    bool holds(std::vector<isa::Word>& values, std::size_t begin, std::size_t end);
    bool accept(std::size_t begin, std::size_t end, isa::Word value);

    bool possible_ = true;  ///< the conjuncts read only arrays that are variables, and do nothing else with any
    std::size_t conjuncts_;
    std::vector<unsigned> widths_;  ///< by atom
    std::vector<Read> reads_;
    isa::Program program_;  ///< roots: the conjuncts, then the addresses of reads
    isa::Concrete<isa::Word, AllAreAtoms> domain_;
    std::vector<isa::Word> at_;
    std::vector<isa::Word> best_;
};

}  // namespace pogo::check
