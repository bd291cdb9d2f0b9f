// Obligations of instructions and of relocation, and the settings under which an obligation holds.
// SPDX-License-Identifier: Apache-2.0
#include "obligation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "isa/require.hpp"
#include "synthesis.hpp"

namespace pogo::check {

using isa::Term;

ObligationCheck::ObligationCheck(const isa::Spec& spec, const isa::VmMap& map, const Options& options,
                                 const Roles& roles, Obligation obligation)
    : spec_(spec),
      map_(map),
      options_(options),
      in_(spec, map, options, roles),
      solver_(in_.world.terms, {options.rlimit, options.seed}),
      judge_(in_.world, solver_, forms_, true),
      result_(std::move(obligation)) {
    for (std::size_t k = 0; k < map.modes.size(); ++k) pairs_.push_back(in_.pair(k));
}

Obligation ObligationCheck::instruction(isa::InstructionId id) {
    const isa::Instruction& row = spec_[id];
    forms_.reserve(row.form_count);
    for (std::uint32_t i = 0; i < row.form_count; ++i)
        forms_.emplace_back(in_.world, spec_.forms[row.first_form + i], i);
    std::deque<Question> fails;
    std::deque<Question> direct;
    std::deque<Question> leaves;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
        Pair& pair = pairs_[k];
        const std::string mode = spec_[map_.modes[k].first].name;
        fails.push_back({"obligation." + mode, {&pair.machine, &pair.real}, {}, {}});
        direct.push_back({"direct." + mode, {&pair.machine, &pair.real}, {}, {}});
        leaves.push_back({"leaves." + mode, {&pair.machine, &pair.real}, {}, {}});
        for (std::size_t i = 0; i < forms_.size(); ++i) {
            const Outcomes outcomes = outcomes_of(pair, forms_[i]);
            judge_.add(direct[k], i, outcomes.completes);
            judge_.add(leaves[k], i, outcomes.leaves);
            judge_.add(fails[k], i, outcomes.bad);
        }
    }
    Verdict broken = Verdict::no;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
        const Verdict here = judge_.decide(fails[k]);
        if (here == Verdict::yes) {
            if (options_.witnesses && result_.witnesses.empty())
                keep(judge_.witness(fails[k], broken_map, mode_name(k)), {virtual_machine, real_machine});
            if (result_.modes.empty()) result_.changes = changed(fails[k], pairs_[k]);
            result_.modes.push_back(mode_name(k));
        }
        broken = either(broken, here);
        if (result_.direct != Verdict::yes) result_.direct = either(result_.direct, judge_.decide(direct[k]));
        if (result_.leaves != Verdict::yes) result_.leaves = either(result_.leaves, judge_.decide(leaves[k]));
        for (const auto& candidate : fails[k].candidates) goals_.push_back(candidate.goal);
    }
    return finish(broken);
}

std::vector<Verdict> ObligationCheck::values(const isa::Form& form, unsigned field) {
    forms_.emplace_back(in_.world, form, form_number(form));
    const Term chosen = forms_.front().fields()[field];
    const unsigned width = form.fields[field].width;
    std::vector<Verdict> result(std::size_t{1} << width, Verdict::yes);
    for (Pair& pair : pairs_) {
        const Term bad = outcomes_of(pair, forms_.front()).bad;
        for (std::size_t value = 0; value < result.size(); ++value) {
            Question question{"value", {&pair.machine, &pair.real}, {}, {}};
            judge_.add(question, 0, terms().and_(bad, terms().eq(chosen, terms().constant(width, value))));
            result[value] = both(result[value], opposite(judge_.decide(question)));
        }
    }
    return result;
}

Verdict ObligationCheck::always_leaves(const isa::Form& form) {
    forms_.emplace_back(in_.world, form, form_number(form));
    Verdict other = Verdict::no;
    for (Pair& pair : pairs_) {
        const Outcomes outcomes = outcomes_of(pair, forms_.front());
        other = either(other, solver_.satisfiable("goes on", all({outcomes.executes, terms().not_(outcomes.leaves)})));
    }
    return opposite(other);
}

Obligation ObligationCheck::relocation() {
    const isa::Translation& translation = spec_.translation;
    Verdict broken = Verdict::no;
    const auto fresh = [&](const char* name, isa::Variable like) {
        return terms().variable(terms().declare(name, spec_.terms.sort(like)));
    };
    const Term address = fresh("accessed", translation.address);
    const Term access = fresh("access", translation.access);
    std::set<unsigned> sizes{spec_.parcel_units};
    for (const auto& form : spec_.forms) {
        for (const auto& load : form.meaning.loads) sizes.insert(load.units);
        for (const auto& store : form.meaning.stores) sizes.insert(store.units);
    }
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
        Pair& pair = pairs_[k];
        // No two of the guest's addresses are one place.
        const Term one = fresh("one address", map_.address);
        const Term two = fresh("another address", map_.address);
        const auto first = in_.place(pair.machine.elements, one);
        const auto second = in_.place(pair.machine.elements, two);
        broken = either(broken, refuted("places",
                                        all({pair.meant, first.exists, second.exists, terms().distinct(one, two),
                                             terms().eq(first.physical, second.physical)}),
                                        k, {}));
        std::vector<std::vector<Term>> impossible;  // all conjuncts of each
        for (const unsigned units : sizes) {
            const auto translate = [&](const Before& before) {
                Instance instance = before.instance;
                instance.forget();
                instance.bind(translation.address, address);
                instance.bind(translation.access, access);
                instance.bind(translation.units, terms().constant(8, units));
                Term faults = terms().boolean(false);
                for (const auto& fault : translation.faults) faults = terms().or_(faults, instance(fault.guard));
                return std::pair(instance(translation.physical), faults);
            };
            const auto [at, faults] = translate(pair.machine);
            const auto [real_at, real_faults] = translate(pair.real);
            std::vector<Term> rights{terms().not_(faults)};
            for (const unsigned unit : std::set<unsigned>{0, units - 1}) {
                const auto [physical, exists] = in_.place(pair.machine.elements, plus(at, unit));
                rights.push_back(exists);
                rights.push_back(terms().eq(plus(real_at, unit), physical));
            }
            // One by one, each with those before it: easier than all at once.
            Term so_far = all({pair.meant, terms().not_(real_faults)});
            for (const Term right : rights) {
                const Term bad = terms().and_(so_far, terms().not_(right));
                so_far = terms().and_(so_far, right);
                // What cannot be although less is asked for cannot be.
                std::vector<Term> parts = terms().conjuncts(bad);
                const bool known = std::any_of(impossible.begin(), impossible.end(), [&](const auto& fewer) {
                    return std::includes(parts.begin(), parts.end(), fewer.begin(), fewer.end());
                });
                if (known) {
                    solver_.count_rewritten();
                    continue;
                }
                const Verdict here = refuted(fmt::format("relocation of {}", units), bad, k, {}, Engine::bits);
                if (here == Verdict::no) impossible.push_back(std::move(parts));
                broken = either(broken, here);
            }
        }
    }
    return finish(broken);
}

ObligationCheck::Outcomes ObligationCheck::outcomes_of(Pair& pair, FormInWorld& form) {
    const Run machine = form.run(pair.machine);
    const Run real = form.run(pair.real);
    const Term both = all({pair.meant, machine.executes, real.executes, in_.memories_agree(pair, machine)});
    const Term completes = terms().and_(both, real.completes);
    const Term all_done = traps_as_well(pair, form) ? terms().boolean(true) : machine.completes;
    const Term commutes = terms().and_(all_done, in_.commute(pair, machine, real));
    Term bad = terms().and_(completes, terms().not_(commutes));
    Term monitor = terms().boolean(false);
    for (const Fired& trap : real.traps) {
        if (terms().is_false(trap.fires)) continue;
        const isa::Cause& cause = spec_[trap.cause];
        const Term stays = in_.stays(pair.real, cause.entry, cause.parameters, trap.arguments);
        monitor = terms().or_(monitor, terms().and_(trap.fires, terms().not_(stays)));
        bad = terms().or_(bad, all({both, trap.fires, stays, terms().not_(fires(machine, trap))}));
    }
    // Where an imported meaning says nothing, an obligation is not met.
    for (const Run* run : {&machine, &real})
        for (const Fired& trap : run->traps)
            if (spec_[trap.cause].kind == isa::TrapKind::unmodelled)
                bad = terms().or_(bad, terms().and_(both, trap.fires));
    return {both, completes, terms().and_(both, monitor), bad};
}

std::vector<isa::ElementId> ObligationCheck::changed(const Question& question, Pair& pair) {
    std::vector<isa::ElementId> result;
    const Question::Candidate& met = question.candidates[question.hit];
    const Run real = forms_[met.form].run(pair.real);
    for (std::uint32_t e = 0; e < spec_.elements.size(); ++e) {
        if (in_.guest(e) || spec_.elements[e].is_file() || real.scalars[e] == pair.real.elements[e]) continue;
        const Term same = terms().eq(real.scalars[e], pair.real.elements[e]);
        if (solver_.possible("unchanged", terms().and_(met.goal, same)) == Verdict::no) result.push_back({e});
    }
    return result;
}

bool ObligationCheck::traps_as_well(Pair& pair, const FormInWorld& form) {
    const isa::Meaning& meaning = form.form().meaning;
    std::vector<Term> addresses;
    isa::Substitution any;
    const auto cut = [&](const auto& access) {
        if (access.direct) return;
        const Term address = pair.machine.instance(access.address);
        if (address != pair.real.instance(access.address)) return;
        addresses.push_back(any_address(addresses.size()));
        set_free(address, addresses.back(), any);
    };
    for (const auto& load : meaning.loads) cut(load);
    for (const auto& store : meaning.stores) cut(store);
    using Conjuncts = std::vector<Term>;
    const auto without = [](const Conjuncts& some, const Conjuncts& others) {
        Conjuncts rest;
        std::set_difference(some.begin(), some.end(), others.begin(), others.end(), std::back_inserter(rest));
        return rest;
    };
    std::vector<Conjuncts> machine;  // of what each trap asks for
    std::vector<Conjuncts> real;
    std::vector<std::set<Term>> read;  // addresses
    for (const auto& trap : meaning.traps) {
        const Term here = terms().substitute(pair.real.instance(trap.guard), any);
        machine.push_back(terms().conjuncts(terms().substitute(pair.machine.instance(trap.guard), any)));
        real.push_back(terms().conjuncts(here));
        read.emplace_back();
        const auto support = terms().support(std::span(&here, 1));
        for (const Term address : addresses)
            if (std::binary_search(support.begin(), support.end(), isa::Variable{terms().node(address).a}))
                read.back().insert(address);
    }
    for (std::size_t t = 0; t < machine.size(); ++t) {
        if (std::includes(machine[t].begin(), machine[t].end(), real[t].begin(), real[t].end())) continue;
        Term bad = pair.meant;
        const auto also = [&](Term condition) { bad = terms().and_(bad, condition); };
        for (const Term part : without(machine[t], real[t])) also(part);
        isa::Substitution renamed;
        for (const Term address : read[t]) renamed.emplace(address, any_address(renamed.size()));
        for (std::size_t u = 0; u < real.size(); ++u) {
            const bool concerns =
                std::any_of(read[u].begin(), read[u].end(), [&](Term address) { return read[t].contains(address); });
            if (u != t && !concerns) continue;
            const Conjuncts traps = without(real[u], machine[t]);
            also(terms().not_(terms().all(std::span(traps))));
        }
        if (solver_.possible("traps", terms().substitute(bad, renamed)) != Verdict::no) return false;
    }
    return true;
}

Term ObligationCheck::any_address(std::size_t number) {
    while (addresses_.size() <= number)
        addresses_.push_back(terms().variable(
            terms().declare(fmt::format("any address {}", addresses_.size()), isa::Sort::bits(spec_.address_width))));
    return addresses_[number];
}

void ObligationCheck::set_free(Term term, Term to, isa::Substitution& with) {
    const isa::Node node = terms().node(term);
    if (node.op == isa::Op::concat) {
        const unsigned low = terms().sort(Term{node.b}).width;
        set_free(Term{node.a}, terms().extract(to, node.sort.width - 1, low), with);
        set_free(Term{node.b}, terms().extract(to, low - 1, 0), with);
    } else if (!terms().is_constant(term)) {
        with.emplace(term, to);
    }
}

Term ObligationCheck::fires(const Run& machine, const Fired& trap) {
    Term result = terms().boolean(false);
    for (const Fired& own : machine.traps)
        if (own.cause == trap.cause) result = terms().or_(result, own.fires);
    return result;
}

void ObligationCheck::keep(std::optional<Witness> witness, const std::vector<std::string>& machines) {
    if (!witness) return;
    for (std::size_t s = 0; s < machines.size(); ++s) witness->sides[s].machine = machines[s];
    result_.witnesses.push_back(std::move(*witness));
}

Verdict ObligationCheck::refuted(std::string_view name, Term bad, std::size_t k, std::vector<Act> acts, Engine engine) {
    goals_.push_back(bad);
    const Verdict answer = solver_.satisfiable(name, bad, engine);
    if (answer != Verdict::yes || !options_.witnesses || !result_.example.empty() || !result_.witnesses.empty())
        return answer;
    if (!acts.empty()) {
        Term goal = bad;
        for (Act& act : acts)
            if (act.form == nullptr) goal = terms().and_(goal, foreseen(act));
        if (auto witness = judge_.witness(goal, acts, 0, {})) {
            witness->property = broken_map;
            witness->element = mode_name(k);
            result_.witnesses.push_back(std::move(*witness));
            return answer;
        }
    }
    result_.example = example_of(solver_, terms(), bad);
    return answer;
}

Obligation ObligationCheck::finish(Verdict broken) {
    result_.holds = opposite(broken);
    if (broken != Verdict::no) find_settings();
    result_.unknowns = solver_.unknowns();
    result_.statistics = solver_.statistics();
    return std::move(result_);
}

void ObligationCheck::find_settings() {
    std::vector<Said> all = in_.synthesized(goals_);
    if (all.empty()) return;
    std::vector<Term> order;
    order.reserve(all.size());
    for (Said& part : all) {
        order.push_back(part.term);
        part.bits = isa::ones(spec_[part.element].width);
    }
    Verdict gave_up = Verdict::no;
    const auto good = [&](const std::vector<Said>& cube) {
        const Term here = ::pogo::check::holds(terms(), cube);
        return std::all_of(goals_.begin(), goals_.end(), [&](Term goal) {
            const Verdict bad = solver_.satisfiable("setting", terms().and_(goal, here));
            if (bad == Verdict::unknown) gave_up = Verdict::unknown;
            return bad == Verdict::no;
        });
    };
    Term untried = terms().boolean(true);  // of what is assumed anyway
    for (const Assumption& assumed : options_.assumptions)
        for (const Said& part : all)
            if (part.element == assumed.element)
                untried = terms().and_(untried, ::pogo::check::holds(terms(), {{part.element, part.term, assumed.value,
                                                                                assumed.bits & part.bits}}));
    for (unsigned round = 0; round < max_rounds; ++round) {
        const auto values = solver_.smallest_values(untried, order);
        if (!values) {
            result_.mended = result_.settings.empty() ? gave_up : Verdict::yes;
            return;
        }
        std::vector<Said> cube = all;
        for (std::size_t i = 0; i < cube.size(); ++i) cube[i].value = (*values)[i];
        if (good(cube)) {
            generalise(cube, good);
            result_.settings.push_back(literals(spec_, cube));
        }
        untried = terms().and_(untried, terms().not_(::pogo::check::holds(terms(), cube)));
    }
    result_.mended = result_.settings.empty() ? Verdict::unknown : Verdict::yes;
}

}  // namespace pogo::check
