// VM maps: the obligations of instructions, traps and interrupts, and the configuration under which they hold.
// SPDX-License-Identifier: Apache-2.0
#include "check/vm_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "condition.hpp"
#include "isa/require.hpp"
#include "parallel.hpp"
#include "question.hpp"

namespace pogo::check {

using isa::ElementId;
using isa::Role;
using isa::Term;

namespace {

/// A virtual state and its real image.
struct Pair {
    Before machine;  ///< the virtual one
    Before real;
    Term meant;  ///< the map's `where`, and what the states must satisfy
};

/// The map in an arena of its own: f as a function of the virtual state, and what it means that two runs commute with
/// it.
class MapInWorld {
  public:
    MapInWorld(const isa::Spec& spec, const isa::VmMap& map, const Options& options, const Roles& roles)
        : world(spec, options, spec[map.context], roles), map_(map), roles_(roles), scratch_(spec.terms, world.terms) {
        for (const auto constant : map.constants)
            constants_.push_back(
                world.terms.variable(world.terms.declare(spec.terms.name(constant), spec.terms.sort(constant))));
        for (const auto& [element, value] : map.map) {
            mapped_.emplace(element.index, value);
            if (!guest(element.index)) continue;
            for (const auto variable : spec.terms.support(std::span(&value, 1)))
                for (std::uint32_t e = 0; e < spec.elements.size(); ++e)
                    if (spec.elements[e].variable == variable) shown_.push_back(e);
        }
    }

    World world;

    /// The virtual machine in the mode number `mode` of the map.
    Pair pair(std::size_t mode) {
        std::vector<Term> elements;
        for (std::uint32_t e = 0; e < spec().elements.size(); ++e) elements.push_back(terms().variable({e}));
        for (const auto& part : spec()[map_.modes[mode].first].cube)
            elements[part.element.index] = terms().constant(spec()[part.element].width, part.value);
        std::vector<Term> real = image(elements);
        bind(elements);
        const Term where = scratch_(map_.where);
        Pair result{world.state(std::move(elements), false), world.state(std::move(real), true), {}};
        result.meant = terms().and_(where, terms().and_(result.machine.holds, result.real.holds));
        return result;
    }

    /// f: the real machine's elements for the virtual machine's.
    std::vector<Term> image(const std::vector<Term>& from) {
        std::vector<Term> result;
        for (std::uint32_t e = 0; e < from.size(); ++e) {
            Term value = guest(e) || roles_.role[e] == Role::mode ? from[e] : monitors(e);
            if (roles_.role[e] == Role::mode)
                for (std::size_t k = map_.modes.size(); k-- > 0;)
                    for (const auto& part : spec()[map_.modes[k].second].cube)
                        if (part.element.index == e)
                            value = terms().ite(is(from, map_.modes[k].first),
                                                terms().constant(spec()[part.element].width, part.value), value);
            result.push_back(value);
        }
        bind(from);
        for (const auto& [element, value] : mapped_) result[element] = scratch_(value);
        // The member of a bank that is active on the real machine stands for the one that is on the virtual machine;
        // the others are the monitor's.
        const std::vector<Term> selected = result;
        for (const auto& bank : spec().banks) {
            const Term there = world.selector(bank, from);
            const Term here = world.selector(bank, selected);
            if (there == here) continue;
            for (const auto& member : bank.members) {
                const std::uint32_t e = member.element.index;
                if (!guest(e) || mapped_.contains(e)) continue;
                result[e] = terms().ite(world.is_active(bank, here, member.element),
                                        world.active_value(bank, there, from), monitors(e));
            }
        }
        return result;
    }

    /// The real machine's results are the image of the virtual machine's, the monitor's state on either side is as
    /// before.
    Term commute(const Pair& before, const Run& machine, const Run& real) {
        const std::vector<Term> then = after(machine);
        const std::vector<Term> expected = image(then);
        Term same = terms().boolean(true);
        const auto also = [&](Term condition) { same = terms().and_(same, condition); };
        for (std::uint32_t e = 0; e < spec().elements.size(); ++e) {
            const Term was = before.machine.elements[e];
            const Term real_was = before.real.elements[e];
            if (spec().elements[e].is_file()) {
                if (guest(e)) {
                    also(terms().not_(arrays_differ(terms(), was, machine.files[e], real.files[e])));
                } else {
                    also(terms().not_(arrays_differ(terms(), was, machine.files[e], {})));
                    also(terms().not_(arrays_differ(terms(), real_was, real.files[e], {})));
                }
                continue;
            }
            also(terms().eq(real.scalars[e], expected[e]));
            if (!guest(e)) also(terms().eq(real.scalars[e], real_was));
            also(terms().or_(shown(before, e), terms().eq(machine.scalars[e], was)));
        }
        const auto equal = [&](isa::Variable array, const std::vector<Update>& one, const std::vector<Update>& two) {
            also(terms().not_(arrays_differ(terms(), terms().variable(array), one, two)));
        };
        equal(world.view, machine.view, real.view);
        equal(world.special, machine.special, real.special);
        equal(world.physical, machine.physical, real.physical);
        return same;
    }

    /// After the entry of this trap the real machine still runs the guest. A mode that the entry loads from memory is
    /// the monitor's, as the memory is.
    Term stays(const Before& real, const isa::Meaning& entry, const std::vector<isa::Variable>& parameters,
               const std::vector<Term>& arguments) {
        Instance instance = real.instance;
        instance.forget();
        for (std::size_t i = 0; i < parameters.size(); ++i) instance.bind(parameters[i], arguments[i]);
        if (!instance.bound(spec().next_pc)) instance.bind(spec().next_pc, real.elements[spec().pc.index]);
        std::vector<isa::Variable> loaded;
        for (const auto& load : entry.loads) {
            loaded.push_back(terms().declare("loaded", spec().terms.sort(load.result)));
            instance.bind(load.result, terms().variable(loaded.back()));
        }
        std::vector<Term> then = real.elements;
        for (const auto& write : entry.writes)
            if (!write.index.valid())
                then[write.element.index] =
                    terms().ite(instance(write.guard), instance(write.value), then[write.element.index]);
        Term result = terms().boolean(false);
        for (const auto& [from, to] : map_.modes) result = terms().or_(result, is(then, to));
        const auto support = terms().support(std::span(&result, 1));
        const bool loads = std::any_of(loaded.begin(), loaded.end(), [&](isa::Variable v) {
            return std::find(support.begin(), support.end(), v) != support.end();
        });
        return loads ? terms().boolean(false) : result;
    }

    /// The synthesized elements that a goal depends on, nothing said of them yet.
    std::vector<Said> synthesized(std::span<const Term> goals) {
        std::vector<Said> result;
        const auto support = terms().support(goals);
        for (const ElementId id : map_.synthesized) {
            const auto known = monitors_.find(id.index);
            if (known == monitors_.end()) continue;
            const isa::Variable variable{terms().node(known->second).a};
            if (std::find(support.begin(), support.end(), variable) != support.end())
                result.push_back({id, known->second, 0, 0});
        }
        return result;
    }

    [[nodiscard]] bool guest(std::uint32_t e) const {
        return roles_.role[e] == Role::data || roles_.role[e] == Role::pc;
    }
    [[nodiscard]] const isa::Spec& spec() const { return world.spec; }
    isa::Terms& terms() { return world.terms; }

    void bind(const std::vector<Term>& elements) {
        scratch_.forget();
        for (std::size_t e = 0; e < elements.size(); ++e) scratch_.bind(spec().elements[e].variable, elements[e]);
        for (std::size_t i = 0; i < constants_.size(); ++i) scratch_.bind(map_.constants[i], constants_[i]);
    }
    /// A term of the map's over the virtual state that was bound last.
    Term evaluate(Term term) { return scratch_(term); }
    void bind(isa::Variable variable, Term value) { scratch_.bind(variable, value); }

  private:
    Term is(const std::vector<Term>& elements, isa::ModeId mode) {
        Term result = terms().boolean(true);
        for (const auto& part : spec()[mode].cube)
            result = terms().and_(result, terms().eq(elements[part.element.index],
                                                     terms().constant(spec()[part.element].width, part.value)));
        return result;
    }

    /// Any value, the same for all virtual states.
    Term monitors(std::uint32_t e) {
        const auto [place, fresh] = monitors_.try_emplace(e);
        if (fresh)
            place->second = terms().variable(
                terms().declare("real " + spec().elements[e].name, spec().terms.sort(spec().elements[e].variable)));
        return place->second;
    }

    /// The virtual machine's element lives on the real one while the guest runs, so that it may change there.
    Term shown(const Pair& before, std::uint32_t e) {
        if (std::find(shown_.begin(), shown_.end(), e) != shown_.end()) return terms().boolean(true);
        for (const auto& bank : spec().banks) {
            const bool member = std::any_of(bank.members.begin(), bank.members.end(),
                                            [&](const auto& m) { return m.element.index == e; });
            if (!member) continue;
            const Term there = world.selector(bank, before.machine.elements);
            if (there == world.selector(bank, before.real.elements)) continue;
            const bool kept = std::any_of(bank.members.begin(), bank.members.end(), [&](const auto& m) {
                return guest(m.element.index) && !mapped_.contains(m.element.index);
            });
            return kept ? world.is_active(bank, there, {e}) : terms().boolean(false);
        }
        return terms().boolean(guest(e) && !mapped_.contains(e));
    }

    std::vector<Term> after(const Run& run) {
        std::vector<Term> result = run.scalars;
        for (std::size_t e = 0; e < result.size(); ++e)
            for (const Update& update : run.files[e])
                result[e] =
                    terms().store(result[e], update.index,
                                  terms().ite(update.guard, update.value, terms().select(result[e], update.index)));
        return result;
    }

    const isa::VmMap& map_;
    const Roles& roles_;
    Instance scratch_;
    std::vector<Term> constants_;
    std::unordered_map<std::uint32_t, Term> mapped_;  ///< over the Spec's variables
    std::vector<std::uint32_t> shown_;                ///< virtual elements that a guest's real element stands for
    std::unordered_map<std::uint32_t, Term> monitors_;
};

/// An entry of a trap or interrupt as a form without parcels.
isa::Form entry_form(const isa::Spec& spec, const isa::Meaning& entry, const std::vector<isa::Variable>& parameters) {
    isa::Form form;
    form.meaning = entry;
    for (const auto parameter : parameters)
        form.fields.push_back({spec.terms.name(parameter), spec.terms.sort(parameter).width, parameter, {}});
    form.fields.push_back({"next_pc", spec.terms.sort(spec.next_pc).width, spec.next_pc, {}});
    return form;
}

/// Whoever decides one obligation: an arena, a solver, the pairs of the map's modes.
class ObligationCheck {
  public:
    ObligationCheck(const isa::Spec& spec, const isa::VmMap& map, const Options& options, const Roles& roles,
                    Obligation obligation)
        : spec_(spec),
          map_(map),
          options_(options),
          in_(spec, map, options, roles),
          solver_(in_.world.terms, {options.rlimit, options.seed}),
          judge_(in_.world, solver_, forms_),
          result_(std::move(obligation)) {
        for (std::size_t k = 0; k < map.modes.size(); ++k) pairs_.push_back(in_.pair(k));
    }

    Obligation instruction(isa::InstructionId id) {
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
            if (options_.witnesses && here == Verdict::yes)
                if (auto witness = judge_.witness(fails[k], "breaks the VM map", spec_[map_.modes[k].first].name))
                    result_.witnesses.push_back(std::move(*witness));
            broken = either(broken, here);
            result_.direct = either(result_.direct, judge_.decide(direct[k]));
            result_.leaves = either(result_.leaves, judge_.decide(leaves[k]));
            for (const auto& candidate : fails[k].candidates) goals_.push_back(candidate.goal);
        }
        return finish(broken);
    }

    /// One form's, for each value of a field.
    std::vector<Verdict> values(const isa::Form& form, unsigned field) {
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

    /// From every state in which the real machine executes the form, a trap fires whose entry ends the guest's run.
    Verdict always_leaves(const isa::Form& form) {
        forms_.emplace_back(in_.world, form, form_number(form));
        Verdict other = Verdict::no;
        for (Pair& pair : pairs_) {
            const Outcomes outcomes = outcomes_of(pair, forms_.front());
            other =
                either(other, solver_.satisfiable("goes on", all({outcomes.executes, terms().not_(outcomes.leaves)})));
        }
        return opposite(other);
    }

    /// The entry with the arguments that instructions and translations raise the trap with, on either machine.
    Obligation trap(isa::CauseId id) {
        const isa::Cause& cause = spec_[id];
        entry({&cause.entry, {}}, {&cause.entry, {}}, cause.parameters);
        const std::vector<Term> bad = std::exchange(goals_, {});
        Verdict broken = Verdict::no;
        for (std::size_t k = 0; k < pairs_.size(); ++k)
            if (solver_.satisfiable("entry", bad[k]) != Verdict::no)  // with any arguments; else with those that occur
                broken = either(broken, raised(id, pairs_[k], bad[k]));
        return finish(broken);
    }

    /// An interrupt that the real machine takes without leaving the guest is one that the virtual machine takes.
    Obligation interrupt(std::uint32_t number) {
        const isa::Interrupt& real = spec_.interrupts[number];
        Entry own;
        for (const auto& [of_real, of_machine] : map_.interrupts)
            if (of_real == number) own = {&spec_.interrupts[of_machine].entry, spec_.interrupts[of_machine].condition};
        entry(own, {&real.entry, real.condition}, {});
        Verdict broken = Verdict::no;
        for (const Term bad : goals_) broken = either(broken, refuted("entry", bad));
        return finish(broken);
    }

    /// An access of the real machine that does not fault reaches what the virtual machine's reaches.
    Obligation relocation() {
        const isa::Translation& translation = spec_.translation;
        Verdict broken = Verdict::no;
        const auto fresh = [&](const char* name, isa::Variable like) {
            return terms().variable(terms().declare(name, spec_.terms.sort(like)));
        };
        const Term address = fresh("accessed", translation.address);
        const Term access = fresh("access", translation.access);
        const Term units = fresh("units", translation.units);
        Term size = terms().boolean(false);  // one that accesses have
        const auto used = [&](unsigned count) {
            size = terms().or_(size, terms().eq(units, terms().constant(8, count)));
        };
        used(spec_.parcel_units);
        for (const auto& form : spec_.forms) {
            for (const auto& load : form.meaning.loads) used(load.units);
            for (const auto& store : form.meaning.stores) used(store.units);
        }
        for (Pair& pair : pairs_) {
            const auto translate = [&](Before& before) {
                Instance instance = before.instance;
                instance.forget();
                instance.bind(translation.address, address);
                instance.bind(translation.access, access);
                instance.bind(translation.units, units);
                Term faults = terms().boolean(false);
                for (const auto& fault : translation.faults) faults = terms().or_(faults, instance(fault.guard));
                return std::pair(instance(translation.physical), faults);
            };
            const auto [at, faults] = translate(pair.machine);
            const auto [real_at, real_faults] = translate(pair.real);
            in_.bind(pair.machine.elements);
            in_.bind(map_.address, at);
            const Term wanted = in_.evaluate(map_.memory);
            // One by one: each is easier than all at once.
            for (const Term right : {terms().not_(faults), in_.evaluate(map_.exists), terms().eq(real_at, wanted)}) {
                goals_.push_back(all({pair.meant, size, terms().not_(real_faults), terms().not_(right)}));
                broken = either(broken, refuted("relocation", goals_.back()));
            }
        }
        return finish(broken);
    }

    /// What would interrupt the monitor's guest, because of an input, does so whatever the guest's own registers hold.
    Obligation preemption() {
        Verdict broken = Verdict::no;
        for (Pair& pair : pairs_) {
            std::vector<Term> others = pair.real.elements;
            for (std::uint32_t e = 0; e < others.size(); ++e)
                if (in_.guest(e) && !spec_.elements[e].is_file())
                    others[e] = terms().variable(
                        terms().declare("other " + spec_.elements[e].name, terms().sort(pair.real.elements[e])));
            Before other = in_.world.state(std::move(others), true);
            Term some = terms().boolean(false);
            Term any = terms().boolean(false);
            for (const auto& interrupt : spec_.interrupts) {
                const auto leaves = [&](Before& before) {
                    before.instance.forget();
                    const Term taken = before.instance(interrupt.condition);
                    return terms().and_(taken, terms().not_(in_.stays(before, interrupt.entry, {}, {})));
                };
                bool driven = false;
                for (const auto variable : spec_.terms.support(std::span(&interrupt.condition, 1)))
                    for (const auto& element : spec_.elements)
                        driven = driven || (element.variable == variable && element.input);
                if (driven) some = terms().or_(some, leaves(pair.real));
                any = terms().or_(any, leaves(other));
            }
            const Term bad = all({pair.meant, other.holds, guest_mode(other), some, terms().not_(any)});
            goals_.push_back(bad);
            broken = either(broken, refuted("preemption", bad));
        }
        return finish(broken);
    }

  private:
    isa::Terms& terms() { return in_.world.terms; }
    Term all(std::initializer_list<Term> conditions) {
        Term result = terms().boolean(true);
        for (const Term condition : conditions) result = terms().and_(result, condition);
        return result;
    }
    Term guest_mode(const Before& before) { return in_.stays(before, {}, {}, {}); }

    /// What becomes of a form in a pair of states.
    struct Outcomes {
        Term executes;   ///< on both machines
        Term completes;  ///< on the real one
        Term leaves;     ///< a trap of the real one goes to the monitor
        Term bad;        ///< the obligation fails
    };
    Outcomes outcomes_of(Pair& pair, FormInWorld& form) {
        const Run machine = form.run(pair.machine);
        const Run real = form.run(pair.real);
        const Term both = all({pair.meant, machine.executes, real.executes});
        const Term completes = terms().and_(both, real.completes);
        const Term commutes = terms().and_(machine.completes, in_.commute(pair, machine, real));
        Term bad = terms().and_(completes, terms().not_(commutes));
        Term monitor = terms().boolean(false);
        for (const Fired& trap : real.traps) {
            if (terms().is_false(trap.fires)) continue;
            const isa::Cause& cause = spec_[trap.cause];
            const Term stays = in_.stays(pair.real, cause.entry, cause.parameters, trap.arguments);
            monitor = terms().or_(monitor, terms().and_(trap.fires, terms().not_(stays)));
            bad = terms().or_(bad, all({both, trap.fires, stays, terms().not_(fires(machine, trap))}));
        }
        return {both, completes, terms().and_(both, monitor), bad};
    }
    [[nodiscard]] std::size_t form_number(const isa::Form& form) const {
        return static_cast<std::size_t>(&form - spec_.forms.data()) - spec_[form.instruction].first_form;
    }

    /// The virtual machine raises the same trap there. With which arguments is the trap's own obligation.
    Term fires(const Run& machine, const Fired& trap) {
        Term result = terms().boolean(false);
        for (const Fired& own : machine.traps)
            if (own.cause == trap.cause) result = terms().or_(result, own.fires);
        return result;
    }

    /// Can the trap be raised on both machines with arguments for which `bad`, of the entry's fields, holds?
    Verdict raised(isa::CauseId id, Pair& pair, Term bad) {
        const std::vector<Term> machine_fields = forms_[0].fields();
        const std::vector<Term> real_fields = forms_[1].fields();
        Verdict result = Verdict::no;
        const auto consider = [&](Term reached, const std::vector<Term>& machine, const std::vector<Term>& real) {
            isa::Substitution with;
            for (std::size_t i = 0; i < real.size(); ++i) {
                with.emplace(machine_fields[i], machine[i]);
                with.emplace(real_fields[i], real[i]);
            }
            with.emplace(machine_fields.back(), real_fields.back());  // the address after the instruction
            const Term goal = all({pair.meant, reached, terms().substitute(bad, with)});
            if (terms().is_false(goal)) return;
            goals_.push_back(goal);
            result = either(result, refuted("raised", goal));
        };
        std::vector<bool> reachable(std::size_t{1} << spec_.terms.sort(spec_.translation.access).width, false);
        reachable[static_cast<std::size_t>(isa::Access::fetch)] = true;
        for (std::size_t i = 0; i < spec_.forms.size(); ++i) {
            const isa::Meaning& meaning = spec_.forms[i].meaning;
            FormInWorld form(in_.world, spec_.forms[i], forms_.size() + i);
            const Run machine = form.run(pair.machine);
            const Run real = form.run(pair.real);
            const Term executes = all({pair.meant, machine.executes, real.executes});
            for (std::size_t t = 0; t < real.traps.size(); ++t)
                if (real.traps[t].cause == id)
                    consider(all({executes, machine.traps[t].fires, real.traps[t].fires}), machine.traps[t].arguments,
                             real.traps[t].arguments);
            // Which kinds of access does the real machine come to?
            const auto access = [&](const auto& one, std::size_t loads) {
                if (!one.translated.valid() || reachable[one.access]) return;
                Term reached = terms().and_(executes, pair.real.instance(one.guard));
                for (const auto& trap : meaning.traps)
                    if (trap.loads_before <= loads)
                        reached = terms().and_(reached, terms().not_(pair.real.instance(trap.guard)));
                reachable[one.access] = solver_.satisfiable("reached", reached) != Verdict::no;
            };
            for (std::size_t l = 0; l < meaning.loads.size(); ++l) access(meaning.loads[l], l);
            for (const auto& store : meaning.stores) access(store, meaning.loads.size());
        }
        for (std::size_t kind = 0; kind < reachable.size() && !spec_.translation.loads.empty(); ++kind)
            if (reachable[kind]) walked(id, pair, kind, consider);
        return result;
    }

    /// Faults of a translation that loads, for any address: both machines' tables make them fault alike.
    template <class Consider>
    void walked(isa::CauseId id, Pair& pair, std::size_t kind, const Consider& consider) {
        const isa::Translation& translation = spec_.translation;
        const auto any = [&](const char* name, isa::Variable like) {
            return terms().variable(terms().declare(name, spec_.terms.sort(like)));
        };
        const Term address = any("address", translation.address);
        const Term units = any("units", translation.units);
        const auto of = [&](const Before& before) {
            Instance instance = before.instance;
            instance.forget();
            instance.bind(translation.address, address);
            instance.bind(translation.access, terms().constant(spec_.terms.sort(translation.access).width, kind));
            instance.bind(translation.units, units);
            for (const auto& load : translation.loads) instance.bind(load.result, any("loaded", load.result));
            return instance;
        };
        Instance machine = of(pair.machine);
        Instance real = of(pair.real);
        const auto arguments = [](Instance& instance, const isa::Trap& fault) {
            std::vector<Term> result;
            for (const Term argument : fault.arguments) result.push_back(instance(argument));
            return result;
        };
        for (const auto& here : translation.faults)
            for (const auto& there : translation.faults)
                if (here.cause == id && there.cause == id)
                    consider(terms().and_(machine(there.guard), real(here.guard)), arguments(machine, there),
                             arguments(real, here));
    }

    /// What a trap or an interrupt does, and of an interrupt when it is taken.
    struct Entry {
        const isa::Meaning* meaning = nullptr;  ///< none: the machine has no such interrupt
        Term condition;                         ///< of the Spec; invalid for traps
    };

    /// For each pair, into `goals_`: the real machine's entry stays with the guest, and the virtual machine's does not
    /// do the same, each with any arguments.
    void entry(const Entry& own, const Entry& real, const std::vector<isa::Variable>& parameters) {
        const isa::Form form = entry_form(spec_, *real.meaning, parameters);
        const isa::Form other = own.meaning == nullptr ? form : entry_form(spec_, *own.meaning, parameters);
        forms_.reserve(2);
        forms_.emplace_back(in_.world, other, 0);
        forms_.emplace_back(in_.world, form, 1);
        const auto taken = [&](Before& before, Term condition) {
            before.instance.forget();
            return condition.valid() ? before.instance(condition) : terms().boolean(true);
        };
        for (Pair& pair : pairs_) {
            const Run there = forms_[0].run(pair.machine);
            const Run here = forms_[1].run(pair.real);
            const auto& fields = forms_[1].fields();
            const Term stays = in_.stays(pair.real, *real.meaning, parameters, {fields.begin(), fields.end() - 1});
            const Term happens = all({pair.meant, here.completes, stays, taken(pair.real, real.condition)});
            const Term commutes =
                own.meaning == nullptr
                    ? terms().boolean(false)
                    : all({there.completes, in_.commute(pair, there, here), taken(pair.machine, own.condition)});
            goals_.push_back(terms().and_(happens, terms().not_(commutes)));
            result_.direct = either(result_.direct, solver_.satisfiable("stays", happens));
        }
    }

    /// Is there a state in which the obligation, which is not an instruction's, fails? The first is told as it is.
    Verdict refuted(std::string_view name, Term bad) {
        const Verdict answer = solver_.satisfiable(name, bad);
        if (answer != Verdict::yes || !options_.witnesses || !result_.example.empty()) return answer;
        std::vector<Term> scalars;
        for (const auto variable : terms().support(std::span(&bad, 1)))
            if (!terms().sort(variable).is_array()) scalars.push_back(terms().variable(variable));
        const auto values = solver_.smallest_values(bad, scalars);
        for (std::size_t i = 0; values && i < scalars.size(); ++i)
            if ((*values)[i] != 0)
                result_.example +=
                    fmt::format("{}{} = {:#x}", result_.example.empty() ? "" : ", ",
                                terms().name({terms().node(scalars[i]).a}), static_cast<std::uint64_t>((*values)[i]));
        return answer;
    }

    Obligation finish(Verdict broken) {
        result_.holds = opposite(broken);
        if (broken != Verdict::no) find_settings();
        result_.unknowns = solver_.unknowns();
        result_.statistics = solver_.statistics();
        return std::move(result_);
    }

    /// Counterexample-guided: a setting is tried; one under which the obligation holds is made more general.
    void find_settings() {
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
                    untried = terms().and_(
                        untried, ::pogo::check::holds(
                                     terms(), {{part.element, part.term, assumed.value, assumed.bits & part.bits}}));
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

    static constexpr unsigned max_rounds = 256;

    const isa::Spec& spec_;
    const isa::VmMap& map_;
    const Options& options_;
    MapInWorld in_;
    Solver solver_;
    std::vector<FormInWorld> forms_;
    Judge judge_;
    std::deque<Pair> pairs_;
    std::vector<Term> goals_;
    Obligation result_;
};

/// One setting for all obligations that have some: settings are joined as long as they do not exclude one another, the
/// fewest bits first.
class Joining {
  public:
    Joining(const isa::Spec& spec, const std::vector<Obligation>& obligations) : spec_(spec) {
        for (const Obligation& obligation : obligations)
            if (!obligation.settings.empty()) choices_.push_back(&obligation.settings);
    }
    std::optional<Cube> run() {
        Bits none;
        search(0, none);
        if (!best_) return std::nullopt;
        std::vector<Said> cube;
        for (const auto& [element, bits] : *best_) cube.push_back({{element}, {}, bits.value, bits.said});
        return literals(spec_, cube);
    }

  private:
    struct Value {
        isa::Word said = 0;
        isa::Word value = 0;
    };
    using Bits = std::map<std::uint32_t, Value>;  ///< by element

    static unsigned weight(const Bits& bits) {
        unsigned result = 0;
        for (const auto& [element, value] : bits)
            for (unsigned bit = 0; bit < isa::max_width; ++bit) result += static_cast<unsigned>(value.said >> bit & 1);
        return result;
    }
    static bool join(Bits& bits, const Cube& cube) {
        for (const Literal& literal : cube) {
            const isa::Word mask = isa::ones(literal.high - literal.low + 1) << literal.low;
            Value& value = bits[literal.element.index];
            const isa::Word wanted = literal.value << literal.low;
            if (((value.value ^ wanted) & value.said & mask) != 0) return false;
            value.said |= mask;
            value.value |= wanted;
        }
        return true;
    }
    void search(std::size_t at, const Bits& bits) {
        if (steps_++ > max_steps || (best_ && weight(bits) >= weight(*best_))) return;
        if (at == choices_.size()) {
            best_ = bits;
            return;
        }
        for (const Cube& cube : *choices_[at]) {
            Bits joined = bits;
            if (join(joined, cube)) search(at + 1, joined);
        }
    }

    static constexpr unsigned max_steps = 100'000;
    const isa::Spec& spec_;
    std::vector<const std::vector<Cube>*> choices_;
    std::optional<Bits> best_;
    unsigned steps_ = 0;
};

Synthesis synthesis_of(const isa::Spec& spec, const std::vector<Obligation>& obligations) {
    Synthesis result;
    for (const Obligation& obligation : obligations)
        if (obligation.holds == Verdict::unknown || obligation.mended == Verdict::unknown)
            result.undecided.push_back(obligation.name);
        else if (obligation.holds == Verdict::no && obligation.settings.empty())
            result.never.push_back(obligation.name);
    if (auto cube = Joining(spec, obligations).run()) {
        result.cube = std::move(*cube);
        result.found = Verdict::yes;
    }
    return result;
}

/// What belongs to the guest while the map's guest runs.
Roles roles_of(const isa::Spec& spec, const isa::VmMap& map) {
    isa::Context context = spec[map.context];
    context.guest.insert(context.guest.end(), map.guest.begin(), map.guest.end());
    return {spec, context};
}

Obligation decide(const isa::Spec& spec, const isa::VmMap& map, const Options& options, const Roles& roles,
                  const Obligation& which) {
    ObligationCheck check(spec, map, options, roles, which);
    const auto named = [&](const auto& list) {
        const auto found = std::find_if(list.begin(), list.end(), [&](const auto& e) { return e.name == which.name; });
        POGO_REQUIRE(found != list.end());
        return static_cast<std::uint32_t>(found - list.begin());
    };
    switch (which.kind) {
        case Obligation::Kind::instruction:
            return check.instruction(which.instruction);
        case Obligation::Kind::trap:
            return check.trap({named(spec.causes)});
        case Obligation::Kind::interrupt:
            return check.interrupt(named(spec.interrupts));
        case Obligation::Kind::relocation:
            return check.relocation();
        case Obligation::Kind::preemption:
            return check.preemption();
    }
    POGO_REQUIRE(false);
}

}  // namespace

MapFindings check_vm_map(const isa::Spec& spec, const isa::VmMap& map, const Options& options) {
    const Roles roles = roles_of(spec, map);
    MapFindings findings;
    findings.name = map.name;
    findings.context = spec[map.context].name;
    const auto owed = [&](Obligation::Kind kind, std::string name, isa::InstructionId id = {}) {
        Obligation obligation;
        obligation.kind = kind;
        obligation.name = std::move(name);
        obligation.instruction = id;
        findings.obligations.push_back(std::move(obligation));
    };
    for (std::uint32_t i = 0; i < spec.instructions.size(); ++i)
        owed(Obligation::Kind::instruction, spec.instructions[i].identifier, {i});
    for (const auto& cause : spec.causes) owed(Obligation::Kind::trap, cause.name);
    for (const auto& interrupt : spec.interrupts) owed(Obligation::Kind::interrupt, interrupt.name);
    if (map.memory.valid() && !map.tables) owed(Obligation::Kind::relocation, "relocation");
    if (!spec.interrupts.empty()) owed(Obligation::Kind::preemption, "preemption");

    in_parallel(findings.obligations.size(), options.jobs, options.progress, [&](std::size_t i) {
        findings.obligations[i] = decide(spec, map, options, roles, findings.obligations[i]);
    });

    findings.holds = Verdict::yes;
    for (const Obligation& obligation : findings.obligations) {
        findings.holds = both(findings.holds, obligation.holds);
        findings.statistics += obligation.statistics;
    }
    findings.holds_configured = findings.holds;
    if (map.synthesized.empty()) return findings;
    findings.synthesis = synthesis_of(spec, findings.obligations);
    const Synthesis& synthesis = *findings.synthesis;
    findings.holds_configured = !synthesis.never.empty()          ? Verdict::no
                                : synthesis.found != Verdict::yes ? Verdict::no
                                : !synthesis.undecided.empty()    ? Verdict::unknown
                                                                  : Verdict::yes;
    return findings;
}

Obligation check_obligation(const isa::Spec& spec, const isa::VmMap& map, const Obligation& which,
                            const Options& options) {
    Obligation fresh;
    fresh.kind = which.kind;
    fresh.name = which.name;
    fresh.instruction = which.instruction;
    return decide(spec, map, options, roles_of(spec, map), fresh);
}

std::vector<Verdict> check_values(const isa::Spec& spec, const isa::VmMap& map, isa::FormId form, unsigned field,
                                  const Options& options) {
    const Roles roles = roles_of(spec, map);
    return ObligationCheck(spec, map, options, roles, {}).values(spec[form], field);
}

Verdict always_leaves(const isa::Spec& spec, const isa::VmMap& map, isa::FormId form, const Options& options) {
    const Roles roles = roles_of(spec, map);
    return ObligationCheck(spec, map, options, roles, {}).always_leaves(spec[form]);
}

}  // namespace pogo::check
