// VM maps: the obligations of instructions, traps and interrupts, and the configuration under which they hold.
// SPDX-License-Identifier: Apache-2.0
#include "check/vm_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "isa/require.hpp"
#include "map_world.hpp"
#include "parallel.hpp"
#include "synthesis.hpp"

namespace pogo::check {

using isa::Term;

namespace {

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
          judge_(in_.world, solver_, forms_, true),
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
        entries_.push_back(entry_form(spec_, cause.entry, cause.parameters));
        forms_.reserve(2);
        for (std::size_t i = 0; i < 2; ++i) forms_.emplace_back(in_.world, entries_.back(), i);
        Verdict broken = Verdict::no;
        for (std::size_t k = 0; k < pairs_.size(); ++k) {
            Pair& pair = pairs_[k];
            // With any arguments; else with those that occur.
            std::vector<Term> bad =
                entry_parts(pair, forms_[0].run(pair.machine), forms_[1].run(pair.real), cause.entry, cause.parameters,
                            terms().boolean(true), terms().boolean(true));
            std::erase_if(bad, [&](Term part) { return solver_.possible("entry", part) == Verdict::no; });
            if (!bad.empty()) broken = either(broken, raised(id, k, bad));
        }
        return finish(broken);
    }

    /// What the real machine takes without leaving the guest, the virtual machine takes; and nothing is lost: what is
    /// due on the virtual machine is taken by the real one, or by the monitor that made it so.
    Obligation interrupt(std::uint32_t number) {
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

    /// An access of the real machine that does not fault reaches what the virtual machine's reaches, from its first
    /// unit to its last.
    Obligation relocation() {
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
            std::vector<std::set<Term>> impossible;  // all conjuncts of each
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
                    std::set<Term> parts = conjuncts(bad);
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

    /// What would interrupt the monitor's guest, because of an input, does so whatever the guest's own registers hold.
    Obligation preemption() {
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

    /// What the guest does directly leaves the virtual machine one that the map is for.
    Obligation where() {
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
                const Term bad =
                    terms().and_(breaks(pairs_[k], spec_.interrupts[i].entry, {}), is_due(pairs_[k].real, i));
                broken = either(broken, refuted("where", bad, k, {}));
            }
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
    /// Whose conjunction the formula is, with De Morgan.
    std::set<Term> conjuncts(Term formula) {
        std::set<Term> result;
        std::vector<Term> open{formula};
        while (!open.empty()) {
            const Term term = open.back();
            open.pop_back();
            const isa::Node node = terms().node(term);
            const isa::Node inner = node.op == isa::Op::not_ ? terms().node(Term{node.a}) : node;
            if (node.op == isa::Op::and_)
                open.insert(open.end(), {Term{node.a}, Term{node.b}});
            else if (node.op == isa::Op::not_ && inner.op == isa::Op::or_)
                open.insert(open.end(), {terms().not_(Term{inner.a}), terms().not_(Term{inner.b})});
            else
                result.insert(term);
        }
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

    /// What the map leaves to the monitor and the real machine changes wherever this goal is met.
    std::vector<isa::ElementId> changed(const Question& question, Pair& pair) {
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

    /// What traps on the virtual machine traps on the real one, whatever addresses are accessed: forms have most of
    /// that in common, so that one answer does for many. Both runs have been made; false says nothing.
    bool traps_as_well(Pair& pair, const FormInWorld& form) {
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
        std::vector<std::set<Term>> machine;  // conjuncts of what each trap asks for
        std::vector<std::set<Term>> real;
        std::vector<std::set<Term>> read;  // addresses
        for (const auto& trap : meaning.traps) {
            const Term here = terms().substitute(pair.real.instance(trap.guard), any);
            machine.push_back(conjuncts(terms().substitute(pair.machine.instance(trap.guard), any)));
            real.push_back(conjuncts(here));
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
            for (const Term part : machine[t])
                if (!real[t].contains(part)) also(part);
            isa::Substitution renamed;
            for (const Term address : read[t]) renamed.emplace(address, any_address(renamed.size()));
            for (std::size_t u = 0; u < real.size(); ++u) {
                const bool concerns = std::any_of(read[u].begin(), read[u].end(),
                                                  [&](Term address) { return read[t].contains(address); });
                if (u != t && !concerns) continue;
                Term traps = terms().boolean(true);
                for (const Term part : real[u])
                    if (!machine[t].contains(part)) traps = terms().and_(traps, part);
                also(terms().not_(traps));
            }
            if (solver_.possible("traps", terms().substitute(bad, renamed)) != Verdict::no) return false;
        }
        return true;
    }
    Term any_address(std::size_t number) {
        while (addresses_.size() <= number)
            addresses_.push_back(terms().variable(terms().declare(fmt::format("any address {}", addresses_.size()),
                                                                  isa::Sort::bits(spec_.address_width))));
        return addresses_[number];
    }
    /// The parts that the term is joined of become those of another one.
    void set_free(Term term, Term to, isa::Substitution& with) {
        const isa::Node node = terms().node(term);
        if (node.op == isa::Op::concat) {
            const unsigned low = terms().sort(Term{node.b}).width;
            set_free(Term{node.a}, terms().extract(to, node.sort.width - 1, low), with);
            set_free(Term{node.b}, terms().extract(to, low - 1, 0), with);
        } else if (!terms().is_constant(term)) {
            with.emplace(term, to);
        }
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

    [[nodiscard]] std::string mode_name(std::size_t k) const { return spec_[map_.modes[k].first].name; }
    Term plus(Term address, unsigned units) {
        return terms().apply(isa::Op::bvadd, address, terms().constant(terms().sort(address).width, units));
    }

    void keep(std::optional<Witness> witness, const std::vector<std::string>& machines) {
        if (!witness) return;
        for (std::size_t s = 0; s < machines.size(); ++s) witness->sides[s].machine = machines[s];
        result_.witnesses.push_back(std::move(*witness));
    }

    /// The interrupt may come, and as the first of those that may.
    Term is_due(Before& before, std::uint32_t number) {
        before.instance.forget();
        return before.instance(spec_.interrupts[number].condition);
    }
    Term takes(Before& before, std::uint32_t number) {
        Term result = is_due(before, number);
        for (std::uint32_t i = 0; i < number; ++i) result = terms().and_(result, terms().not_(is_due(before, i)));
        return result;
    }
    Term takes_none(Before& before) {
        Term result = terms().boolean(true);
        for (std::uint32_t i = 0; i < spec_.interrupts.size(); ++i)
            result = terms().and_(result, terms().not_(is_due(before, i)));
        return result;
    }
    Act::Entry interrupt_entry(Before& before, std::uint32_t number, const isa::Form& form) {
        return {takes(before, number), number,
                FormInWorld(in_.world, form, std::vector<Term>{before.elements[spec_.pc.index]})};
    }
    /// As a replay can tell: one of the interrupts predicted comes, or none at all.
    Term foreseen(Act& act) {
        Term result = takes_none(*act.before);
        for (const auto& entry : act.entries) result = terms().or_(result, entry.happens);
        return result;
    }

    /// What the map says that an interrupt of the real machine is there.
    [[nodiscard]] std::uint32_t on_the_virtual_machine(std::uint32_t number) const {
        for (const auto& [of_real, of_machine] : map_.interrupts)
            if (of_real == number) return of_machine;
        return number;
    }

    /// The state with other values in the guest's registers.
    Before with_other_guest(const Before& before, bool real) {
        std::vector<Term> others = before.elements;
        for (std::uint32_t e = 0; e < others.size(); ++e)
            if (in_.guest(e) && !spec_.elements[e].is_file())
                others[e] = terms().variable(
                    terms().declare("other " + spec_.elements[e].name, terms().sort(before.elements[e])));
        return in_.world.state(std::move(others), real);
    }

    /// An interrupt of the virtual machine that the map names: when it is due, the real machine takes some interrupt,
    /// the one named or one of the monitor's.
    Verdict delivered(std::uint32_t number, std::size_t k) {
        Pair& pair = pairs_[k];
        const Term bad = all({pair.meant, is_due(pair.machine, number), takes_none(pair.real)});
        Act machine{&pair.machine, nullptr, {virtual_entry(pair.machine, number)}, virtual_machine};
        return refuted("delivered", bad, k, {machine, {&pair.real, nullptr, {}, real_machine}});
    }

    /// One that it does not name is the monitor's to bring: it sees all that makes it due, as nothing does that the
    /// guest changes directly.
    Verdict held(std::uint32_t number, std::size_t k) {
        Pair& pair = pairs_[k];
        Before other = with_other_guest(pair.machine, false);
        const Term bad =
            all({pair.meant, other.holds, in_.in_a_mode(other), takes_none(other), is_due(pair.machine, number)});
        Act machine{&pair.machine, nullptr, {virtual_entry(pair.machine, number)}, virtual_machine};
        return refuted("held", bad, k, {machine, {&other, nullptr, {}, virtual_machine}});
    }
    Act::Entry virtual_entry(Before& before, std::uint32_t number) {
        entries_.push_back(entry_form(spec_, spec_.interrupts[number].entry, {}));
        return interrupt_entry(before, number, entries_.back());
    }

    /// The real machine's entry stays with the guest, and the virtual machine's does not do the same: what may be
    /// otherwise, one by one.
    std::vector<Term> entry_parts(Pair& pair, const Run& there, const Run& here, const isa::Meaning& real,
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

    /// Can the trap be raised on both machines with arguments for which one of these, of the entry's fields, holds?
    Verdict raised(isa::CauseId id, std::size_t k, const std::vector<Term>& parts) {
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

    /// Faults of a translation that loads, for any address: the first that fires on either machine is the one raised.
    /// Where the real machine loads the virtual one's entry it is the same entry, else any.
    template <class Consider>
    void walked(isa::CauseId id, Pair& pair, std::size_t kind, const Consider& consider) {
        const isa::Translation& translation = spec_.translation;
        const auto& faults = translation.faults;
        if (std::none_of(faults.begin(), faults.end(), [&](const isa::Trap& fault) { return fault.cause == id; }))
            return;
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

    /// Is there a state in which the obligation, which is not an instruction's, fails? The first is replayed where the
    /// acts say how, else told as it is.
    Verdict refuted(std::string_view name, Term bad, std::size_t k, std::vector<Act> acts,
                    Engine engine = Engine::search) {
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
    static constexpr const char* broken_map = "breaks the VM map";
    static constexpr const char* virtual_machine = "virtual machine";
    static constexpr const char* real_machine = "real machine";

    const isa::Spec& spec_;
    const isa::VmMap& map_;
    const Options& options_;
    MapInWorld in_;
    Solver solver_;
    std::vector<FormInWorld> forms_;
    Judge judge_;
    std::deque<Pair> pairs_;
    std::deque<isa::Form> entries_;  ///< of traps and interrupts
    std::size_t form_number_ = 0;    ///< of the next form that is one of many
    std::vector<Term> goals_;
    std::vector<Term> addresses_;  ///< any ones
    Obligation result_;
};

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
        case Obligation::Kind::where:
            return check.where();
    }
    POGO_REQUIRE(false);
}

}  // namespace

MapFindings check_vm_map(const isa::Spec& spec, const isa::VmMap& map, const Options& options) {
    const Roles roles = roles_of(spec, map);
    MapFindings findings;
    findings.name = map.name;
    findings.context = spec[map.context].name;
    const auto owed = [&](Obligation::Kind kind, const std::string& name, isa::InstructionId id = {}) {
        const auto& only = options.only;
        if (!only.empty() && std::find(only.begin(), only.end(), name) == only.end()) return;
        Obligation obligation;
        obligation.kind = kind;
        obligation.name = name;
        obligation.instruction = id;
        findings.obligations.push_back(std::move(obligation));
    };
    for (std::uint32_t i = 0; i < spec.instructions.size(); ++i)
        owed(Obligation::Kind::instruction, spec.instructions[i].identifier, {i});
    for (const auto& cause : spec.causes) owed(Obligation::Kind::trap, cause.name);
    for (const auto& interrupt : spec.interrupts) owed(Obligation::Kind::interrupt, interrupt.name);
    if (map.composes()) owed(Obligation::Kind::relocation, "relocation");
    if (!spec.interrupts.empty()) owed(Obligation::Kind::preemption, "preemption");
    owed(Obligation::Kind::where, "where");

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
