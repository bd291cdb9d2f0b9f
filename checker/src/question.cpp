// Questions: few solver calls for many forms, and witnesses out of models.
// SPDX-License-Identifier: Apache-2.0
#include "question.hpp"

#include <fmt/format.h>

#include <map>

#include "isa/require.hpp"

namespace pogo::check {

using isa::Term;
using isa::Word;

namespace {

/// After the first form, this many are asked about at once, until the solver gives up.
constexpr std::size_t bundle = 16;

}  // namespace

void Judge::add(Question& question, std::size_t form, Term goal) {
    if (world_->terms.is_false(goal))
        solver_->count_rewritten();
    else
        question.candidates.push_back({form, goal});
}

Judge::Sides Judge::sides(const Question& question, std::size_t number, bool narrow) {
    isa::Terms& terms = world_->terms;
    const Question::Candidate& candidate = question.candidates[number];
    Sides result{{}, candidate.goal, false};
    isa::Substitution with;
    if (narrow) {
        std::map<std::uint32_t, std::size_t> readers;
        for (const Before* side : question.sides)
            for (const auto variable : (*forms_)[candidate.form].translation_reads(*side)) ++readers[variable.id];
        for (const Before* side : question.sides)
            for (std::size_t e = 0; e < side->elements.size(); ++e) {
                const Term element = side->elements[e];
                const isa::Node& node = terms.node(element);
                if (world_->roles.role[e] != isa::Role::relocation || node.op != isa::Op::variable) continue;
                const auto it = readers.find(node.a);
                if (node.sort.is_array() || it == readers.end() || it->second == question.sides.size()) continue;
                with.emplace(element, terms.constant(node.sort.width, 0));
            }
        result.goal = terms.substitute(candidate.goal, with);
    }
    result.narrowed = !with.empty();
    for (const Before* side : question.sides)
        result.befores.push_back(result.narrowed ? world_->narrowed(*side, with) : *side);
    return result;
}

// A state in which translations load nothing is the simplest; where none will do, they are unfolded further.
Verdict Judge::ask(Question& question, std::size_t number) {
    const Question::Candidate& candidate = question.candidates[number];
    const auto most = static_cast<unsigned>(world_->spec.translation.loads.size());
    const std::string name = fmt::format("{}.form{}", question.name, candidate.form);
    question.hit = number;
    if (most > 0 && solver_->satisfiable(name + ".uninterpreted", candidate.goal) == Verdict::no) return Verdict::no;
    const auto answers = [&](const Sides& sides, unsigned loads) {
        question.walk_loads = loads;
        question.narrow = sides.narrowed;
        Term exact = sides.goal;
        for (Before side : sides.befores)
            exact = world_->terms.and_(exact, realizable(*world_, (*forms_)[candidate.form].touched(side, loads)));
        const std::string walk = most > 0 ? fmt::format("{}.walk{}", name, loads) : name;
        return sides.narrowed ? solver_->possible(walk + ".narrow", exact) : solver_->satisfiable(walk, exact);
    };
    const auto narrowed = [&](unsigned first) {
        if (most == 0) return false;
        const Sides narrow = sides(question, number, true);
        for (unsigned loads = first; narrow.narrowed && loads <= 1; ++loads)
            if (answers(narrow, loads) == Verdict::yes) return true;
        return false;
    };
    if (narrow_ && narrowed(0)) return Verdict::yes;
    const Sides all = sides(question, number, false);
    for (unsigned loads = 0;; loads = std::min(most, std::max(1U, 2 * loads))) {
        const Verdict answer = answers(all, loads);
        if (answer == Verdict::yes || loads == most) return answer;
        if (loads == 0 && !narrow_ && narrowed(1)) return Verdict::yes;
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
    std::size_t size = bundle;
    for (std::size_t begin = 1, end = 1; begin < list.size(); begin = end) {
        end = std::min(begin + size, list.size());
        if (end - begin > 1) {
            std::vector<Term> goals;
            for (std::size_t i = begin; i < end; ++i) goals.push_back(list[i].goal);
            const std::string name = fmt::format("{}.form{}-{}", question.name, list[begin].form, list[end - 1].form);
            const Verdict answer = solver_->possible(name, world_->terms.any(goals));
            if (answer == Verdict::no) continue;
            if (answer == Verdict::unknown) size = 1;
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

Touched Judge::touched(Act& act, unsigned walk_loads) {
    isa::Terms& terms = world_->terms;
    Touched all{{}, terms.boolean(true)};
    const auto also = [&](Touched more, Term happens) {
        all.possible = terms.and_(all.possible, terms.implies(happens, more.possible));
        for (Access& access : more.accesses) {
            access.guard = terms.and_(access.guard, happens);
            all.accesses.push_back(access);
        }
    };
    if (act.form != nullptr) also(act.form->touched(*act.before, walk_loads), terms.boolean(true));
    for (auto& entry : act.entries) also(entry.form.touched(*act.before, walk_loads), entry.happens);
    return all;
}

// No interrupt instead of the instruction, data apart from it, no device touched.
void Judge::wish(Act& act, const std::vector<Access>& accesses, std::vector<Term>& wishes) {
    isa::Terms& terms = world_->terms;
    if (act.form != nullptr) {
        Term quiet = terms.boolean(true);
        act.before->instance.forget();
        for (const auto& interrupt : world_->spec.interrupts)
            quiet = terms.and_(quiet, terms.not_(act.before->instance(interrupt.condition)));
        wishes.push_back(quiet);
    }
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
                apart = terms.and_(apart, terms.implies(access.guard, terms.distinct(access.physical, other.physical)));
    }
    wishes.push_back(apart);
    wishes.push_back(memory);
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

std::string example_of(Solver& solver, isa::Terms& terms, Term formula) {
    std::vector<Term> scalars;
    for (const auto variable : terms.support(std::span(&formula, 1)))
        if (!terms.sort(variable).is_array()) scalars.push_back(terms.variable(variable));
    const auto values = solver.smallest_values(formula, scalars);
    std::string result;
    for (std::size_t i = 0; values && i < scalars.size(); ++i)
        if ((*values)[i] != 0)
            result += fmt::format("{}{} = {:#x}", result.empty() ? "" : ", ", terms.name({terms.node(scalars[i]).a}),
                                  static_cast<std::uint64_t>((*values)[i]));
    return result;
}

std::optional<Witness> Judge::witness(const Question& question, std::string property, std::string element) {
    if (question.verdict != Verdict::yes) return std::nullopt;
    const Question::Candidate& candidate = question.candidates[question.hit];
    isa::Terms& terms = world_->terms;
    std::vector<Term> wishes;
    if (question.sides.size() == 2)
        for (const Item* item : question.may_differ) {
            Term equal = terms.boolean(true);
            for (const auto e : item->elements)
                equal = terms.and_(
                    equal, terms.eq(question.sides[0]->elements[e.index], question.sides[1]->elements[e.index]));
            wishes.push_back(equal);
        }
    Sides sides = this->sides(question, question.hit, question.narrow);
    std::vector<Act> acts;
    for (Before& side : sides.befores) acts.push_back({&side, &(*forms_)[candidate.form], {}, {}});
    auto result = witness(sides.goal, acts, question.walk_loads, wishes);
    if (result) {
        result->property = std::move(property);
        result->element = std::move(element);
    }
    return result;
}

Needs Judge::needs(Term goal, std::vector<Act>& acts, unsigned walk_loads, std::span<const Term> wishes) {
    Needs result{goal, {wishes.begin(), wishes.end()}, {}, {}};
    for (Act& act : acts) {
        result.by_instruction.push_back(
            act.form == nullptr ? 0 : act.form->touched(*act.before, walk_loads).accesses.size());
        Touched all = touched(act, walk_loads);
        result.accesses.push_back(all.accesses);
        wish(act, all.accesses, result.wishes);
        result.formula = world_->terms.and_(result.formula, realizable(*world_, std::move(all)));
    }
    return result;
}

std::optional<Witness> Judge::witness(Term goal, std::vector<Act>& acts, unsigned walk_loads,
                                      std::span<const Term> wishes) {
    const Needs all = needs(goal, acts, walk_loads, wishes);
    const FormInWorld* form = acts.front().form;
    const auto model =
        solver_->smallest(all.formula, all.wishes, form == nullptr ? std::vector<Term>{} : form->fields());
    if (!model) return std::nullopt;
    return read_out(*model, all, acts);
}

Witness Judge::read_out(const Assignment& model, const Needs& needs, std::vector<Act>& acts) {
    const isa::Spec& spec = world_->spec;
    isa::Terms& terms = world_->terms;
    const FormInWorld* form = acts.front().form;  // the same on all sides
    const std::vector<Term> fields = form == nullptr ? std::vector<Term>{} : form->fields();
    const std::vector<Term> choices = form == nullptr ? std::vector<Term>{} : form->choices();
    const auto& accesses = needs.accesses;

    struct Runs {
        std::optional<Run> instruction;
        std::vector<Run> entries;
    };
    std::vector<Runs> runs;
    for (Act& act : acts) {
        Runs& all = runs.emplace_back();
        if (act.form != nullptr) all.instruction = act.form->run(*act.before);
        for (auto& entry : act.entries) all.entries.push_back(entry.form.run(*act.before));
    }

    Values values;
    const auto want_results = [&](const Run& run) {
        for (std::size_t e = 0; e < spec.elements.size(); ++e) {
            if (!spec.elements[e].is_file()) values.want(run.scalars[e]);
            for (const Update& update : run.files[e])
                for (const Term term : {update.guard, update.index, update.value}) values.want(term);
        }
        values.want(run.completes);
    };
    values.want(needs.formula);
    for (const Term field : fields) values.want(field);
    for (const Term choice : choices) values.want(choice);
    for (std::size_t s = 0; s < acts.size(); ++s) {
        for (std::size_t e = 0; e < spec.elements.size(); ++e)
            if (!spec.elements[e].is_file()) values.want(acts[s].before->elements[e]);
        for (const Access& access : accesses[s])
            for (const Term term : {access.guard, access.physical, access.value}) values.want(term);
        if (const auto& run = runs[s].instruction) {
            want_results(*run);
            for (const Fired& trap : run->traps) {
                values.want(trap.fires);
                for (const Term argument : trap.arguments) values.want(argument);
            }
        }
        for (std::size_t i = 0; i < acts[s].entries.size(); ++i) {
            values.want(acts[s].entries[i].happens);
            want_results(runs[s].entries[i]);
        }
    }
    values.fetch(*solver_, model);
    POGO_REQUIRE(values.truth());  // what was left out of the model does not matter

    Witness result;
    if (form != nullptr && form->form().instruction.valid())
        result.form = {static_cast<std::uint32_t>(&form->form() - spec.forms.data())};
    for (std::size_t i = 0; i < fields.size(); ++i) result.fields.push_back(values.next());
    for (std::size_t i = 0; i < choices.size(); ++i) result.choices.push_back(values.next());
    for (std::size_t s = 0; s < acts.size(); ++s) {
        Side side{isa::State(spec), {}, {}, acts[s].machine};
        for (std::size_t e = 0; e < spec.elements.size(); ++e) {
            const isa::Element& info = spec.elements[e];
            if (!info.is_file()) {
                side.state.set(info, values.next());
            } else if (const auto it = model.arrays.find(terms.node(acts[s].before->elements[e]).a);
                       it != model.arrays.end()) {
                for (const auto& [index, value] : it->second)
                    side.state.set(info, static_cast<std::uint64_t>(value), static_cast<unsigned>(index));
            }
        }
        std::map<std::uint64_t, std::uint64_t> stored;  // when it completes
        std::map<std::uint64_t, std::uint64_t> stored_by_entry;
        for (std::size_t i = 0; i < accesses[s].size(); ++i) {
            const Access& access = accesses[s][i];
            const bool happens = values.truth();
            const std::uint64_t physical = values.next();
            const std::uint64_t value = values.next();
            if (!happens) continue;
            if (access.kind == Access::Kind::store) {
                (i < needs.by_instruction[s] ? stored : stored_by_entry)[physical] = value;
                continue;
            }
            const auto [place, fresh] = side.memory.emplace(physical, value);
            POGO_REQUIRE(fresh || place->second == value);
        }
        // The state after a run, if it completes.
        const auto results = [&](const Run& run) {
            isa::State post = side.state;
            for (std::size_t e = 0; e < spec.elements.size(); ++e) {
                const isa::Element& info = spec.elements[e];
                if (!info.is_file()) post.set(info, values.next());
                for (std::size_t u = 0; u < run.files[e].size(); ++u) {
                    const bool happens = values.truth();
                    const auto index = static_cast<unsigned>(values.next());
                    const std::uint64_t value = values.next();
                    if (happens) post.set(info, value, index);
                }
            }
            return values.truth() ? std::optional(std::move(post)) : std::nullopt;
        };
        Outcome& outcome = side.outcome;
        const auto leads_to = [&](isa::State post, const std::map<std::uint64_t, std::uint64_t>& memory) {
            outcome.post = std::move(post);
            outcome.memory = memory;
        };
        if (const auto& run = runs[s].instruction) {
            auto post = results(*run);
            outcome.completes = post.has_value();
            if (post) leads_to(std::move(*post), stored);
            for (const Fired& trap : run->traps) {
                const bool fires = values.truth();
                if (fires) outcome.cause = trap.cause;
                for (std::size_t i = 0; i < trap.arguments.size(); ++i) {
                    const std::uint64_t argument = values.next();
                    if (fires) outcome.arguments.push_back(argument);
                }
            }
        }
        for (std::size_t i = 0; i < acts[s].entries.size(); ++i) {
            const bool happens = values.truth();
            auto post = results(runs[s].entries[i]);
            if (!happens) continue;
            outcome.interrupt = acts[s].entries[i].interrupt;
            outcome.entered = post.has_value();
            if (post) leads_to(std::move(*post), stored_by_entry);
        }
        result.sides.push_back(std::move(side));
    }
    return result;
}

}  // namespace pogo::check
