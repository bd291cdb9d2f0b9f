// Questions: one property of a row as a disjunction over its forms, decided with few solver calls.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "run.hpp"
#include "solver.hpp"

namespace pogo::check {

/// Is there a form with states that satisfy its goal? Answered by `Judge::decide`.
struct Question {
    struct Candidate {
        std::size_t form = 0;  ///< index into the row's forms
        isa::Term goal;
    };
    std::string name;
    std::vector<Before*> sides;           ///< the one or two states the goals speak of
    std::vector<Candidate> candidates;    ///< those not decided by rewriting, simplest form first
    std::vector<const Item*> may_differ;  ///< for a joint dependence: items that a witness keeps equal if it can

    bool decided = false;
    Verdict verdict = Verdict::no;
    std::size_t hit = 0;      ///< the candidate that answered yes
    unsigned walk_loads = 0;  ///< of each translation, in the states of that answer
};

/// Decides questions of one row and finds their witnesses.
class Judge {
  public:
    Judge(World& world, Solver& solver, std::vector<FormInWorld>& forms)
        : world_(&world), solver_(&solver), forms_(&forms) {}

    void add(Question& question, std::size_t form, isa::Term goal);
    Verdict decide(Question& question);
    /// Nothing if the question was not answered yes, or the limit was reached on the way.
    [[nodiscard]] std::optional<Witness> witness(const Question& question, std::string property, std::string element);

    /// The goals, not exact: one by one, or a handful joined in each.
    [[nodiscard]] std::vector<isa::Term> goals(const Question& question, bool bundled);

    /// The form's goal together with what makes its states possible, with translations of so many loads.
    [[nodiscard]] isa::Term exact(const Question& question, const Question::Candidate& candidate, unsigned walk_loads);

  private:
    /// Is there a state for one candidate?
    Verdict ask(Question& question, std::size_t number);
    [[nodiscard]] std::vector<isa::Term> wishes(const Question& question, const Question::Candidate& candidate);

    World* world_;
    Solver* solver_;
    std::vector<FormInWorld>* forms_;
};

}  // namespace pogo::check
