// The solver façade: satisfiability of terms, smallest models, evaluation, SMT-LIB 2. Nothing of Z3 shows.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "check/findings.hpp"
#include "isa/term.hpp"

namespace pogo::check {

/// Values of variables; those not named are zero. Arrays are zero but at the given indices.
struct Assignment {
    std::unordered_map<std::uint32_t, isa::Word> values;                           ///< by number of the variable
    std::unordered_map<std::uint32_t, std::map<std::uint64_t, isa::Word>> arrays;  ///< by number of the variable
};

/// Z3 has two that matter here.
enum class Engine {
    search,  ///< looks at what a case needs
    bits,    ///< bit-blasts at once: slow where little has to be looked at, good at arithmetic
};

/// Answers about terms of one arena, which may grow meanwhile. One instance has one Z3 context with fixed seeds, so
/// that its answers depend on nothing but the questions it was asked.
class Solver {
  public:
    struct Settings {
        unsigned rlimit = 0;  ///< per query; 0 means none
        unsigned seed = 0;
    };
    /// Sees every query that went to the solver: its name, the formula, and whether it is satisfiable.
    using Observer = std::function<void(std::string_view name, isa::Term formula, Verdict satisfiable)>;

    Solver(isa::Terms& terms, Settings settings, Observer observer = {});
    ~Solver();
    Solver(const Solver&) = delete;
    Solver& operator=(const Solver&) = delete;

    /// Is the formula satisfiable? The same formula is solved once. Where an engine gives up the other one is asked;
    /// where both do, whether the formula is true by the first case of a disjunction in it, by the second, and so on.
    [[nodiscard]] Verdict satisfiable(std::string_view name, isa::Term formula, Engine first = Engine::search);

    /// The same of a question that another one is asked after, unless the answer is yes: giving up is no `unknown`.
    [[nodiscard]] Verdict possible(std::string_view name, isa::Term formula);

    /// The model in which `order` (terms of sort BitVec or Bool), taken in this order, have the smallest values; then
    /// all other variables of the formula, then what it reads of arrays. Wishes are conjuncts granted in order as long
    /// as the rest allows. Nothing when the formula has no model or the limit was reached.
    [[nodiscard]] std::optional<Assignment> smallest(isa::Term formula, std::span<const isa::Term> wishes,
                                                     std::span<const isa::Term> order);
    /// The smallest values of variables, in this order, in models of the formula.
    [[nodiscard]] std::optional<std::vector<isa::Word>> smallest_values(isa::Term formula,
                                                                        std::span<const isa::Term> variables);

    /// The values of terms of sort BitVec or Bool under an assignment, as Z3's rewriter computes them.
    [[nodiscard]] std::vector<isa::Word> evaluate(const Assignment& assignment, std::span<const isa::Term> terms);

    [[nodiscard]] const Statistics& statistics() const { return statistics_; }
    /// Queries answered `unknown`, with Z3's reason: "name: reason".
    [[nodiscard]] const std::vector<std::string>& unknowns() const { return unknowns_; }
    /// Counts a query that never became a formula because rewriting decided it before.
    void count_rewritten() { ++statistics_.queries, ++statistics_.rewritten; }

  private:
    struct Z3;
    Verdict solve(std::string_view name, isa::Term formula, Engine first);
    Verdict by_cases(isa::Term formula, Engine engine);
    std::optional<Assignment> minimise(isa::Term formula, std::span<const isa::Term> wishes,
                                       std::span<const isa::Term> order, bool everything);
    isa::Terms* terms_;
    Settings settings_;
    Observer observer_;
    std::unique_ptr<Z3> z3_;
    Statistics statistics_;
    std::vector<std::string> unknowns_;
    std::string reason_;  ///< of the last answer that was none
    std::unordered_map<isa::Term, Verdict> known_;
    std::unordered_set<isa::Term> split_;  ///< into cases
};

/// The formula as a complete SMT-LIB 2 script, with the answer as :status.
[[nodiscard]] std::string smt2(const isa::Terms& terms, std::string_view name, isa::Term formula, Verdict satisfiable);

}  // namespace pogo::check
