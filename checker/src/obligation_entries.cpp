// Obligations of what happens between instructions: entries of traps and of interrupts, and what they leave.
// SPDX-License-Identifier: Apache-2.0
#include "obligation.hpp"

#include <algorithm>
#include <utility>

namespace pogo::check {

using isa::Term;

Obligation ObligationCheck::trap(isa::CauseId id) {
    const isa::Cause& cause = spec_[id];
    entries_.push_back(entry_form(spec_, cause.entry, cause.parameters));
    forms_.reserve(2);
    for (std::size_t i = 0; i < 2; ++i) forms_.emplace_back(in_.world, entries_.back(), i);
    Verdict broken = Verdict::no;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
        Pair& pair = pairs_[k];
        // With any arguments; else with those that occur.
        std::vector<Term> bad = entry_parts(pair, forms_[0].run(pair.machine), forms_[1].run(pair.real), cause.entry,
                                            cause.parameters, terms().boolean(true), terms().boolean(true));
        std::erase_if(bad, [&](Term part) { return solver_.possible("entry", part) == Verdict::no; });
        if (!bad.empty()) broken = either(broken, raised(id, k, bad));
    }
    return finish(broken);
}

Obligation ObligationCheck::interrupt(std::uint32_t number) {
    const isa::Interrupt& real = spec_.interrupts[number];
    const isa::Interrupt* own = nullptr;
    std::uint32_t own_number = 0;
    bool named = false;  // on the virtual machine
    for (const auto& [of_real, of_machine] : map_.interrupts) {
        named = named || of_machine == number;
        if (of_real != number) continue;
        own = &spec_.interrupts[of_machine];
        own_number = of_machine;
    }
    entries_.push_back(entry_form(spec_, real.entry, {}));
    entries_.push_back(entry_form(spec_, own == nullptr ? real.entry : own->entry, {}));
    forms_.reserve(2);
    for (std::size_t i = 0; i < 2; ++i) forms_.emplace_back(in_.world, entries_[1 - i], i);
    Verdict broken = Verdict::no;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
        Pair& pair = pairs_[k];
        const Term taken = takes(pair.real, number);
        const Term due = own == nullptr ? terms().boolean(false) : is_due(pair.machine, own_number);
        const std::vector<Term> bad =
            entry_parts(pair, forms_[0].run(pair.machine), forms_[1].run(pair.real), real.entry, {}, due, taken);
        Act machine{&pair.machine, nullptr, {}, virtual_machine};
        if (own != nullptr) machine.entries.push_back(interrupt_entry(pair.machine, own_number, entries_[1]));
        Act other{&pair.real, nullptr, {interrupt_entry(pair.real, number, entries_[0])}, real_machine};
        for (const Term part : bad) broken = either(broken, refuted("entry", part, k, {machine, other}));
        broken = either(broken, named ? delivered(number, k) : held(number, k));
    }
    return finish(broken);
}

Obligation ObligationCheck::preemption() {
    Verdict broken = Verdict::no;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
        Pair& pair = pairs_[k];
        Before other = with_other_guest(pair.real, true);
        Term some = terms().boolean(false);
        Term any = terms().boolean(false);
        Act first{&pair.real, nullptr, {}, real_machine};
        for (std::uint32_t i = 0; i < spec_.interrupts.size(); ++i) {
            const isa::Interrupt& interrupt = spec_.interrupts[i];
            const auto leaves = [&](Before& before) {
                return terms().and_(is_due(before, i), terms().not_(in_.stays(before, interrupt.entry, {}, {})));
            };
            bool driven = false;
            for (const auto variable : spec_.terms.support(std::span(&interrupt.condition, 1)))
                for (const auto& element : spec_.elements)
                    driven = driven || (element.variable == variable && element.input);
            if (driven) some = terms().or_(some, leaves(pair.real));
            any = terms().or_(any, leaves(other));
            entries_.push_back(entry_form(spec_, interrupt.entry, {}));
            first.entries.push_back(interrupt_entry(pair.real, i, entries_.back()));
        }
        const Term bad = all({pair.meant, other.holds, guest_mode(other), some, terms().not_(any)});
        broken = either(broken, refuted("preemption", bad, k, {first, {&other, nullptr, {}, real_machine}}));
    }
    return finish(broken);
}

Obligation ObligationCheck::where() {
    const std::vector<isa::Variable> read = spec_.terms.support(std::span(&map_.where, 1));
    const auto concerns = [&](const isa::Meaning& meaning) {
        return std::any_of(meaning.writes.begin(), meaning.writes.end(), [&](const isa::Write& write) {
            return std::find(read.begin(), read.end(), spec_[write.element].variable) != read.end();
        });
    };
    Verdict broken = Verdict::no;
    for (const isa::Form& form : spec_.forms) {
        if (!concerns(form.meaning)) continue;
        forms_.clear();
        forms_.emplace_back(in_.world, form, form_number_++);
        for (std::size_t k = 0; k < pairs_.size(); ++k) {
            Pair& pair = pairs_[k];
            const Run machine = forms_[0].run(pair.machine);
            const Run real = forms_[0].run(pair.real);
            Question question{"where." + mode_name(k), {&pair.machine, &pair.real}, {}, {}};
            judge_.add(question, 0,
                       all({pair.meant, machine.executes, real.executes, in_.memories_agree(pair, machine),
                            machine.completes, real.completes, terms().not_(in_.remains(machine))}));
            broken = either(broken, judge_.decide(question));
            if (options_.witnesses && result_.witnesses.empty())
                keep(judge_.witness(question, broken_map, mode_name(k)), {virtual_machine, real_machine});
            for (const auto& candidate : question.candidates) goals_.push_back(candidate.goal);
        }
    }
    const auto breaks = [&](Pair& pair, const isa::Meaning& real, const std::vector<isa::Variable>& parameters) {
        const Run machine = forms_[0].run(pair.machine);
        const auto& fields = forms_[1].fields();
        const Term stays = in_.stays(pair.real, real, parameters, {fields.begin(), fields.end() - 1});
        return all({pair.meant, machine.completes, stays, terms().not_(in_.remains(machine))});
    };
    const auto entry = [&](const isa::Meaning& meaning, const std::vector<isa::Variable>& parameters) {
        entries_.push_back(entry_form(spec_, meaning, parameters));
        forms_.clear();
        forms_.reserve(2);
        for (std::size_t i = 0; i < 2; ++i) forms_.emplace_back(in_.world, entries_.back(), form_number_++);
    };
    for (std::uint32_t c = 0; c < spec_.causes.size(); ++c) {
        const isa::Cause& cause = spec_.causes[c];
        if (!concerns(cause.entry)) continue;
        entry(cause.entry, cause.parameters);
        for (std::size_t k = 0; k < pairs_.size(); ++k) {
            const Term bad = breaks(pairs_[k], cause.entry, cause.parameters);
            if (solver_.possible("where", bad) != Verdict::no) broken = either(broken, raised({c}, k, {bad}));
        }
    }
    for (std::uint32_t i = 0; i < spec_.interrupts.size(); ++i) {
        const isa::Meaning& meaning = spec_.interrupts[on_the_virtual_machine(i)].entry;
        if (!concerns(meaning)) continue;
        entry(meaning, {});
        for (std::size_t k = 0; k < pairs_.size(); ++k) {
            const Term bad = terms().and_(breaks(pairs_[k], spec_.interrupts[i].entry, {}), is_due(pairs_[k].real, i));
            broken = either(broken, refuted("where", bad, k, {}));
        }
    }
    return finish(broken);
}

Term ObligationCheck::is_due(Before& before, std::uint32_t number) {
    before.instance.forget();
    return before.instance(spec_.interrupts[number].condition);
}

Term ObligationCheck::takes(Before& before, std::uint32_t number) {
    Term result = is_due(before, number);
    for (std::uint32_t i = 0; i < number; ++i) result = terms().and_(result, terms().not_(is_due(before, i)));
    return result;
}

Term ObligationCheck::takes_none(Before& before) {
    Term result = terms().boolean(true);
    for (std::uint32_t i = 0; i < spec_.interrupts.size(); ++i)
        result = terms().and_(result, terms().not_(is_due(before, i)));
    return result;
}

Act::Entry ObligationCheck::interrupt_entry(Before& before, std::uint32_t number, const isa::Form& form) {
    return {takes(before, number), number,
            FormInWorld(in_.world, form, std::vector<Term>{before.elements[spec_.pc.index]})};
}

Term ObligationCheck::foreseen(Act& act) {
    Term result = takes_none(*act.before);
    for (const auto& entry : act.entries) result = terms().or_(result, entry.happens);
    return result;
}

std::uint32_t ObligationCheck::on_the_virtual_machine(std::uint32_t number) const {
    for (const auto& [of_real, of_machine] : map_.interrupts)
        if (of_real == number) return of_machine;
    return number;
}

Before ObligationCheck::with_other_guest(const Before& before, bool real) {
    std::vector<Term> others = before.elements;
    for (std::uint32_t e = 0; e < others.size(); ++e)
        if (in_.guest(e) && !spec_.elements[e].is_file())
            others[e] =
                terms().variable(terms().declare("other " + spec_.elements[e].name, terms().sort(before.elements[e])));
    return in_.world.state(std::move(others), real);
}

Verdict ObligationCheck::delivered(std::uint32_t number, std::size_t k) {
    Pair& pair = pairs_[k];
    const Term bad = all({pair.meant, is_due(pair.machine, number), takes_none(pair.real)});
    Act machine{&pair.machine, nullptr, {virtual_entry(pair.machine, number)}, virtual_machine};
    return refuted("delivered", bad, k, {machine, {&pair.real, nullptr, {}, real_machine}});
}

Verdict ObligationCheck::held(std::uint32_t number, std::size_t k) {
    Pair& pair = pairs_[k];
    Before other = with_other_guest(pair.machine, false);
    const Term bad =
        all({pair.meant, other.holds, in_.in_a_mode(other), takes_none(other), is_due(pair.machine, number)});
    Act machine{&pair.machine, nullptr, {virtual_entry(pair.machine, number)}, virtual_machine};
    return refuted("held", bad, k, {machine, {&other, nullptr, {}, virtual_machine}});
}

Act::Entry ObligationCheck::virtual_entry(Before& before, std::uint32_t number) {
    entries_.push_back(entry_form(spec_, spec_.interrupts[number].entry, {}));
    return interrupt_entry(before, number, entries_.back());
}

std::vector<Term> ObligationCheck::entry_parts(Pair& pair, const Run& there, const Run& here, const isa::Meaning& real,
                                               const std::vector<isa::Variable>& parameters, Term due, Term taken) {
    const auto& fields = forms_[1].fields();
    const Term stays = in_.stays(pair.real, real, parameters, {fields.begin(), fields.end() - 1});
    const Term happens = all({pair.meant, here.completes, stays, taken, in_.memories_agree(pair, there)});
    result_.direct = either(result_.direct, solver_.satisfiable("stays", happens));
    std::vector<Term> parts{all({due, there.completes, in_.commute(pair, there, here)})};
    for (std::size_t i = 0; i < parts.size();) {
        const isa::Node node = terms().node(parts[i]);
        if (node.op == isa::Op::and_) {
            parts[i] = Term{node.a};
            parts.push_back(Term{node.b});
        } else {
            parts[i] = terms().and_(happens, terms().not_(parts[i]));
            ++i;
        }
    }
    return parts;
}

Verdict ObligationCheck::raised(isa::CauseId id, std::size_t k, const std::vector<Term>& parts) {
    Pair& pair = pairs_[k];
    const std::vector<Term> machine_fields = forms_[0].fields();
    const std::vector<Term> real_fields = forms_[1].fields();
    Verdict result = Verdict::no;
    isa::Substitution alike;
    for (std::size_t i = 0; i < real_fields.size(); ++i) alike.emplace(machine_fields[i], real_fields[i]);
    const bool may_differ = std::all_of(parts.begin(), parts.end(), [&](Term part) {
        return solver_.possible("entry.alike", terms().substitute(part, alike)) == Verdict::no;
    });
    const Term bad = terms().any(parts);
    // One failure says it, unless settings are to be found for all.
    const auto enough = [&] { return result == Verdict::yes && map_.synthesized.empty(); };
    const auto consider = [&](Term reached, std::vector<Term> machine, std::vector<Term> real, FormInWorld* form,
                              Term next) {
        if (enough()) return;
        machine.push_back(next.valid() ? next : real_fields.back());
        real.push_back(machine.back());
        Term differ = terms().boolean(false);
        for (std::size_t i = 0; i < real.size(); ++i)
            differ = terms().or_(differ, terms().distinct(machine[i], real[i]));
        // Only by its arguments could it fail.
        if (may_differ && solver_.possible("arguments", all({pair.meant, reached, differ})) == Verdict::no) return;
        isa::Substitution with;
        for (std::size_t i = 0; i < real.size(); ++i) {
            with.emplace(machine_fields[i], machine[i]);
            with.emplace(real_fields[i], real[i]);
        }
        const Term goal = all({pair.meant, reached, terms().substitute(bad, with)});
        if (terms().is_false(goal)) return;
        std::vector<Act> acts;
        if (form != nullptr) {
            acts.push_back({&pair.machine, form, {}, virtual_machine});
            acts.back().entries.push_back({terms().boolean(true), {}, {in_.world, entries_.back(), machine}});
            acts.push_back({&pair.real, form, {}, real_machine});
            acts.back().entries.push_back({terms().boolean(true), {}, {in_.world, entries_.back(), real}});
        }
        result = either(result, refuted("raised", goal, k, std::move(acts)));
    };
    std::vector<bool> reachable(std::size_t{1} << spec_.terms.sort(spec_.translation.access).width, false);
    reachable[static_cast<std::size_t>(isa::Access::fetch)] = true;
    for (std::size_t i = 0; i < spec_.forms.size() && !enough(); ++i) {
        const isa::Meaning& meaning = spec_.forms[i].meaning;
        FormInWorld form(in_.world, spec_.forms[i], forms_.size() + i);
        const Run machine = form.run(pair.machine);
        const Run real = form.run(pair.real);
        const Term executes = all({pair.meant, machine.executes, real.executes});
        for (std::size_t t = 0; t < real.traps.size(); ++t)
            if (real.traps[t].cause == id)
                consider(all({executes, machine.traps[t].fires, real.traps[t].fires}), machine.traps[t].arguments,
                         real.traps[t].arguments, &form, form.next(pair.real));
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

void ObligationCheck::walked(isa::CauseId id, Pair& pair, std::size_t kind, const Consider& consider) {
    const isa::Translation& translation = spec_.translation;
    const auto& faults = translation.faults;
    if (std::none_of(faults.begin(), faults.end(), [&](const isa::Trap& fault) { return fault.cause == id; })) return;
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
        return instance;
    };
    const MapInWorld::Level first_level = in_.first_level(pair);
    Instance machine = of(pair.machine);
    Instance first = of(first_level.real);
    Instance real = of(pair.real);
    for (const auto& load : translation.loads) {
        const Term entry = any("loaded", load.result);
        const Term same = all({machine(load.guard), first(load.guard),
                               in_.same_cells(pair, machine(load.physical), first(load.physical), load.units)});
        const Term here = terms().ite(same, entry, any("loaded by the real machine", load.result));
        machine.bind(load.result, entry);
        first.bind(load.result, here);
        real.bind(load.result, here);
    }
    struct Raised {
        Term happens;
        std::vector<Term> arguments;
    };
    const auto raised = [&](Instance& instance) {
        Raised result{terms().boolean(false), {}};
        Term none = terms().boolean(true);
        for (const auto& fault : faults) {
            const Term guard = instance(fault.guard);
            const Term fires = terms().and_(none, guard);
            none = terms().and_(none, terms().not_(guard));
            if (fault.cause != id) continue;
            result.happens = terms().or_(result.happens, fires);
            result.arguments.resize(fault.arguments.size());
            for (std::size_t i = 0; i < fault.arguments.size(); ++i) {
                const Term argument = instance(fault.arguments[i]);
                Term& chosen = result.arguments[i];
                chosen = chosen.valid() ? terms().ite(fires, argument, chosen) : argument;
            }
        }
        return result;
    };
    const Raised of_machine = raised(machine);
    const Raised of_real = raised(real);
    consider(all({first_level.meant, of_machine.happens, of_real.happens}), of_machine.arguments, of_real.arguments,
             nullptr, {});
}

}  // namespace pogo::check
