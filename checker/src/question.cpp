// Questions: few solver calls for many forms, and witnesses out of models.
// SPDX-License-Identifier: Apache-2.0
#include "question.hpp"

#include <fmt/format.h>

#include "isa/require.hpp"

namespace pogo::check {

using isa::Term;
using isa::Word;

namespace {

/// After the first form, this many are asked about at once.
constexpr std::size_t bundle = 16;

}  // namespace

void Judge::add(Question& question, std::size_t form, Term goal) {
    if (world_->terms.is_false(goal))
        solver_->count_rewritten();
    else
        question.candidates.push_back({form, goal});
}

Term Judge::exact(const Question& question, const Question::Candidate& candidate, unsigned walk_loads) {
    Term result = candidate.goal;
    for (Before* side : question.sides)
        result = world_->terms.and_(result, (*forms_)[candidate.form].realizable(*side, walk_loads));
    return result;
}

// A state in which translations load nothing is the simplest; where none will do, they are unfolded further.
Verdict Judge::ask(Question& question, std::size_t number) {
    const Question::Candidate& candidate = question.candidates[number];
    const auto most = static_cast<unsigned>(world_->spec.translation.loads.size());
    const std::string name = fmt::format("{}.form{}", question.name, candidate.form);
    question.hit = number;
    if (most > 0 && solver_->satisfiable(name + ".uninterpreted", candidate.goal) == Verdict::no) return Verdict::no;
    for (unsigned loads = 0;; loads = std::min(most, std::max(1U, 2 * loads))) {
        question.walk_loads = loads;
        const std::string full = most > 0 ? fmt::format("{}.walk{}", name, loads) : name;
        const Verdict answer = solver_->satisfiable(full, exact(question, candidate, loads));
        if (answer == Verdict::yes || loads == most) return answer;
    }
}

Verdict Judge::decide(Question& question) {
    if (question.decided) return question.verdict;
    question.decided = true;
    auto& list = question.candidates;
    const auto yes = [&](std::size_t i) {
        const Verdict answer = ask(question, i);
        question.verdict = either(question.verdict, answer);
        return answer == Verdict::yes;
    };
    if (list.empty() || yes(0)) return question.verdict;
    for (std::size_t begin = 1; begin < list.size(); begin += bundle) {
        const std::size_t end = std::min(begin + bundle, list.size());
        if (end - begin > 1) {
            std::vector<Term> goals;
            for (std::size_t i = begin; i < end; ++i) goals.push_back(list[i].goal);
            const std::string name = fmt::format("{}.form{}-{}", question.name, list[begin].form, list[end - 1].form);
            if (solver_->satisfiable(name, world_->terms.any(goals)) == Verdict::no) continue;
        }
        for (std::size_t i = begin; i < end; ++i)
            if (yes(i)) return question.verdict;
    }
    return question.verdict;
}

std::vector<Term> Judge::goals(const Question& question, bool bundled) {
    std::vector<Term> result;
    for (std::size_t i = 0; i < question.candidates.size(); ++i)
        if (!bundled || i % bundle == 0)
            result.push_back(question.candidates[i].goal);
        else
            result.back() = world_->terms.or_(result.back(), question.candidates[i].goal);
    return result;
}

std::vector<Term> Judge::wishes(const Question& question, const Question::Candidate& candidate) {
    isa::Terms& terms = world_->terms;
    std::vector<Term> result;
    if (question.sides.size() == 2)
        for (const Item* item : question.may_differ) {
            Term equal = terms.boolean(true);
            for (const auto e : item->elements)
                equal = terms.and_(
                    equal, terms.eq(question.sides[0]->elements[e.index], question.sides[1]->elements[e.index]));
            result.push_back(equal);
        }
    // No interrupt instead of the instruction, data apart from it, no device touched: so that it can be replayed.
    for (Before* side : question.sides) {
        Term quiet = terms.boolean(true);
        for (const auto& interrupt : world_->spec.interrupts)
            quiet = terms.and_(quiet, terms.not_(side->instance(interrupt.condition)));
        result.push_back(quiet);
        const auto accesses = (*forms_)[candidate.form].touched(*side, question.walk_loads).accesses;
        Term apart = terms.boolean(true);
        Term memory = terms.boolean(true);
        for (const Access& access : accesses) {
            for (const auto& device : world_->spec.platform.devices) {
                if (device.kind == isa::Device::Kind::ram) continue;
                const unsigned width = terms.sort(access.physical).width;
                const Term from = terms.apply(isa::Op::bvsub, access.physical, terms.constant(width, device.base));
                const Term hit = terms.apply(isa::Op::bvult, from, terms.constant(width, device.size));
                memory = terms.and_(memory, terms.implies(access.guard, terms.not_(hit)));
            }
            if (access.kind == Access::Kind::fetch) continue;
            for (const Access& other : accesses)
                if (other.kind == Access::Kind::fetch)
                    apart =
                        terms.and_(apart, terms.implies(access.guard, terms.distinct(access.physical, other.physical)));
        }
        result.push_back(apart);
        result.push_back(memory);
    }
    return result;
}

namespace {

/// Terms of which a witness needs the values, asked for all at once and then taken in the same order.
class Values {
  public:
    void want(Term term) { terms_.push_back(term); }
    void fetch(Solver& solver, const Assignment& assignment) { values_ = solver.evaluate(assignment, terms_); }
    std::uint64_t next() {
        const Word value = values_.at(at_++);
        POGO_REQUIRE(value >> 64 == 0);
        return static_cast<std::uint64_t>(value);
    }
    bool truth() { return next() != 0; }

  private:
    std::vector<Term> terms_;
    std::vector<Word> values_;
    std::size_t at_ = 0;
};

}  // namespace

std::optional<Witness> Judge::witness(const Question& question, std::string property, std::string element) {
    if (question.verdict != Verdict::yes) return std::nullopt;
    const Question::Candidate& candidate = question.candidates[question.hit];
    FormInWorld& form = (*forms_)[candidate.form];
    const isa::Spec& spec = world_->spec;
    const Term formula = exact(question, candidate, question.walk_loads);
    const auto model = solver_->smallest(formula, wishes(question, candidate), form.fields());
    if (!model) return std::nullopt;

    std::vector<Run> runs;
    std::vector<std::vector<Access>> accesses;
    for (Before* side : question.sides) {
        runs.push_back(form.run(*side));
        accesses.push_back(form.touched(*side, question.walk_loads).accesses);
    }

    Values values;
    values.want(formula);
    for (const Term field : form.fields()) values.want(field);
    for (const Term choice : form.choices()) values.want(choice);
    for (std::size_t s = 0; s < runs.size(); ++s) {
        const Before& before = *question.sides[s];
        const Run& run = runs[s];
        for (std::size_t e = 0; e < spec.elements.size(); ++e) {
            if (!spec.elements[e].is_file()) {
                values.want(before.elements[e]);
                values.want(run.scalars[e]);
            }
            for (const Update& update : run.files[e])
                for (const Term term : {update.guard, update.index, update.value}) values.want(term);
        }
        for (const Access& access : accesses[s])
            for (const Term term : {access.guard, access.physical, access.value}) values.want(term);
        values.want(run.completes);
        for (const Fired& trap : run.traps) {
            values.want(trap.fires);
            for (const Term argument : trap.arguments) values.want(argument);
        }
    }
    values.fetch(*solver_, *model);
    POGO_REQUIRE(values.truth());  // what was left out of the model does not matter

    Witness result;
    result.property = std::move(property);
    result.element = std::move(element);
    result.form = {static_cast<std::uint32_t>(&form.form() - spec.forms.data())};
    for (std::size_t i = 0; i < form.fields().size(); ++i) result.fields.push_back(values.next());
    for (std::size_t i = 0; i < form.choices().size(); ++i) result.choices.push_back(values.next());
    for (std::size_t s = 0; s < runs.size(); ++s) {
        const Before& before = *question.sides[s];
        const Run& run = runs[s];
        Side side{isa::State(spec), {}, {}};
        isa::State post(spec);
        for (std::size_t e = 0; e < spec.elements.size(); ++e) {
            const isa::Element& info = spec.elements[e];
            if (!info.is_file()) {
                side.state.set(info, values.next());
                post.set(info, values.next());
            } else if (const auto it = model->arrays.find(world_->terms.node(before.elements[e]).a);
                       it != model->arrays.end()) {
                for (const auto& [index, value] : it->second) {
                    side.state.set(info, static_cast<std::uint64_t>(value), static_cast<unsigned>(index));
                    post.set(info, static_cast<std::uint64_t>(value), static_cast<unsigned>(index));
                }
            }
            for (std::size_t u = 0; u < run.files[e].size(); ++u) {
                const bool happens = values.truth();
                const auto index = static_cast<unsigned>(values.next());
                const std::uint64_t value = values.next();
                if (happens) post.set(info, value, index);
            }
        }
        std::map<std::uint64_t, std::uint64_t> stored;
        for (const Access& access : accesses[s]) {
            const bool happens = values.truth();
            const std::uint64_t physical = values.next();
            const std::uint64_t value = values.next();
            if (!happens) continue;
            if (access.kind == Access::Kind::store) {
                stored[physical] = value;
                continue;
            }
            const auto [place, fresh] = side.memory.emplace(physical, value);
            POGO_REQUIRE(fresh || place->second == value);
        }
        side.outcome.completes = values.truth();
        for (const Fired& trap : run.traps) {
            const bool fires = values.truth();
            if (fires) side.outcome.cause = trap.cause;
            for (std::size_t i = 0; i < trap.arguments.size(); ++i) {
                const std::uint64_t argument = values.next();
                if (fires) side.outcome.arguments.push_back(argument);
            }
        }
        if (side.outcome.completes) {
            side.outcome.post = std::move(post);
            side.outcome.memory = std::move(stored);
        }
        result.sides.push_back(std::move(side));
    }
    return result;
}

}  // namespace pogo::check
