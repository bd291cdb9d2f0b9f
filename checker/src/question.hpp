// Questions: one property of a row as a disjunction over its forms, decided with few solver calls.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <span>
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
    bool narrow = false;      ///< that answer is about narrowed states
};

/// What one side of a witness goes through: an instruction, an interrupt instead of one, or neither.
struct Act {
    /// What a trap's or an interrupt's entry does, its arguments known.
    struct Entry {
        isa::Term happens;
        std::optional<std::uint32_t> interrupt;  ///< none: the entry of the instruction's trap
        FormInWorld form;
    };
    Before* before = nullptr;
    FormInWorld* form = nullptr;  ///< none: no instruction is predicted
    std::vector<Entry> entries;
    std::string machine;  ///< Side::machine
};

/// What a witness of some acts takes beside its goal.
struct Needs {
    isa::Term formula;  ///< the goal, and that some memory has what is touched
    std::vector<isa::Term> wishes;
    std::vector<std::vector<Access>> accesses;  ///< by act
    std::vector<std::size_t> by_instruction;    ///< of those, how many are the instruction's own
};

/// The smallest values of what is not zero in a model of the formula: "a = 0x1, b = 0x2".
[[nodiscard]] std::string example_of(Solver& solver, isa::Terms& terms, isa::Term formula);

/// Decides questions of one row and finds their witnesses.
class Judge {
  public:
    /// `narrow`: narrowed states are tried first.
    Judge(World& world, Solver& solver, std::vector<FormInWorld>& forms, bool narrow = false)
        : world_(&world), solver_(&solver), forms_(&forms), narrow_(narrow) {}

    void add(Question& question, std::size_t form, isa::Term goal);
    Verdict decide(Question& question);
    /// Nothing if the question was not answered yes, or the limit was reached on the way.
    [[nodiscard]] std::optional<Witness> witness(const Question& question, std::string property, std::string element);

    /// The same for a goal of these acts; nothing also where no memory has what they touch. The wishes of a question's
    /// witness and what else is wished.
    [[nodiscard]] std::optional<Witness> witness(isa::Term goal, std::vector<Act>& acts, unsigned walk_loads,
                                                 std::span<const isa::Term> wishes);

    [[nodiscard]] Needs needs(isa::Term goal, std::vector<Act>& acts, unsigned walk_loads,
                              std::span<const isa::Term> wishes);
    /// The acts in a model of what they need.
    [[nodiscard]] Witness read_out(const Assignment& model, const Needs& needs, std::vector<Act>& acts);

    /// The goals, not exact: one by one, or a handful joined in each.
    [[nodiscard]] std::vector<isa::Term> goals(const Question& question, bool bundled);

  private:
    /// Is there a state for one candidate?
    Verdict ask(Question& question, std::size_t number);
    /// A candidate's sides, or those with nothing in the registers of relocation that not all translations read, such
    /// as those of a second stage.
    struct Sides {
        std::deque<Before> befores;
        isa::Term goal;
        bool narrowed = false;
    };
    [[nodiscard]] Sides sides(const Question& question, std::size_t number, bool narrow);
    [[nodiscard]] Touched touched(Act& act, unsigned walk_loads);
    /// That the act can be replayed.
    void wish(Act& act, const std::vector<Access>& accesses, std::vector<isa::Term>& wishes);

    World* world_;
    Solver* solver_;
    std::vector<FormInWorld>* forms_;
    bool narrow_;
};

}  // namespace pogo::check
