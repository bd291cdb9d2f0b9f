// diff: pairs of forms whose encodings meet, and all else that two machines do.
// SPDX-License-Identifier: Apache-2.0
#include "check/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "isa/require.hpp"
#include "pair_world.hpp"
#include "parallel.hpp"

namespace pogo::check {

using isa::Term;

namespace {

/// The bits of an encoding: each fixed, of a field, or of nobody.
using Parcel = std::vector<std::optional<Bit>>;

/// Both machines' instructions on the same bits.
class Encodings {
  public:
    explicit Encodings(PairWorld& world) : world_(world), bits_(world.machines.a.parcel_bits()) {}

    /// Fields of a form that stands alone; bits that its encoding never gives are zero.
    std::vector<Term> fields(const isa::Form& form) {
        std::vector<Term> result;
        for (std::size_t f = 0; f < form.fields.size(); ++f) {
            const auto& field = form.fields[f];
            const Term whole =
                world_.terms().variable(world_.terms().declare(field.name, isa::Sort::bits(field.width)));
            std::vector<Bit> bits(field.width);
            for (const auto& piece : form.encoding.pieces)
                for (unsigned i = 0; piece.field == f && i < piece.width; ++i)
                    bits[piece.from + i] = {whole, piece.from + i};
            result.push_back(world_.assemble(bits));
        }
        return result;
    }

    std::vector<Parcel> parcels(const isa::Form& form, std::span<const Term> fields) {
        std::vector<Parcel> result;
        for (const auto& parcel : form.encoding.parcels) {
            result.emplace_back(bits_);
            for (unsigned i = 0; i < bits_; ++i)
                if ((parcel.mask >> i & 1) != 0) result.back()[i] = {{}, static_cast<unsigned>(parcel.value >> i & 1)};
        }
        for (const auto& piece : form.encoding.pieces)
            for (unsigned i = 0; i < piece.width; ++i)
                result[piece.parcel][piece.low + i] = bit_of(fields[piece.field], piece.from + i);
        return result;
    }

    /// The form on bits that are given; more of them are added where it is longer.
    struct Match {
        std::vector<Term> fields;
        Term holds;  ///< the bits are of this form, as far as the fixed ones say
    };
    Match match(const isa::Form& form, std::vector<Parcel>& parcels) {
        isa::Terms& terms = world_.terms();
        Match result{{}, terms.boolean(true)};
        while (parcels.size() < form.encoding.parcels.size()) parcels.emplace_back(bits_);
        const auto given = [&](std::size_t number, unsigned i) {
            auto& bit = parcels[number][i];
            if (!bit) fill(parcels[number], number);
            return *bit;
        };
        // Side by side, so that neighbours are compared at once.
        std::vector<Bit> ones;
        std::vector<Bit> others;
        const auto equal = [&](Bit one, Bit two) {
            if (one == two) return;
            ones.push_back(one.of.valid() ? one : two);
            others.push_back(one.of.valid() ? two : one);
        };
        for (std::size_t p = 0; p < form.encoding.parcels.size(); ++p)
            for (unsigned i = 0; i < bits_; ++i)
                if ((form.encoding.parcels[p].mask >> i & 1) != 0)
                    equal(given(p, i), {{}, static_cast<unsigned>(form.encoding.parcels[p].value >> i & 1)});
        for (std::size_t f = 0; f < form.fields.size(); ++f) {
            std::vector<std::optional<Bit>> bits(form.fields[f].width);
            for (const auto& piece : form.encoding.pieces)
                for (unsigned i = 0; piece.field == f && i < piece.width; ++i) {
                    auto& bit = bits[piece.from + i];
                    const Bit here = given(piece.parcel, piece.low + i);
                    if (bit)
                        equal(*bit, here);
                    else
                        bit = here;
                }
            std::vector<Bit> whole;
            whole.reserve(bits.size());
            for (const auto& bit : bits) whole.push_back(bit.value_or(Bit{}));
            result.fields.push_back(world_.assemble(whole));
        }
        if (!ones.empty()) result.holds = terms.eq(world_.assemble(ones), world_.assemble(others));
        return result;
    }

    /// A parcel as a term.
    Term term(std::vector<Parcel>& parcels, std::size_t number) {
        fill(parcels[number], number);
        std::vector<Bit> bits;
        for (const auto& bit : parcels[number]) bits.push_back(bit.value());
        return world_.assemble(bits);
    }

  private:
    // The term's own bits where it is put together.
    Bit bit_of(Term field, unsigned i) {
        const Term bit = world_.terms().extract(field, i, i);
        const isa::Node& node = world_.terms().node(bit);
        if (world_.terms().is_constant(bit)) return {{}, static_cast<unsigned>(world_.terms().value(bit))};
        return node.op == isa::Op::extract ? Bit{{node.a}, node.c} : Bit{field, i};
    }

    /// Bits of nobody's so far are any: the same for all forms that look at them.
    void fill(Parcel& parcel, std::size_t number) {
        while (any_.size() <= number)
            any_.push_back(world_.terms().variable(
                world_.terms().declare(fmt::format("parcel{}", any_.size()), isa::Sort::bits(bits_))));
        for (unsigned i = 0; i < bits_; ++i)
            if (!parcel[i]) parcel[i] = Bit{any_[number], i};
    }

    PairWorld& world_;
    unsigned bits_;
    std::vector<Term> any_;
};

/// The line is the one that is expected to differ.
bool names(const Machines& machines, const std::string& row, const Compared& line) {
    return isa::fits(row, line.name) || (line.a.valid() && isa::fits(row, machines.a[line.a].identifier)) ||
           (!line.a.valid() && line.b.valid() && isa::fits(row, machines.b[line.b].identifier));
}

bool may_meet(const isa::Encoding& one, const isa::Encoding& two) {
    for (std::size_t i = 0; i < std::min(one.parcels.size(), two.parcels.size()); ++i) {
        const auto& x = one.parcels[i];
        const auto& y = two.parcels[i];
        if (((x.value ^ y.value) & x.mask & y.mask) != 0) return false;
    }
    return true;
}

/// Whoever decides some lines: an arena, a solver.
class LineCheck {
  public:
    explicit LineCheck(const Machines& machines) : world_(machines) {}

    /// An instruction of A against all of B that its bits may be, or of B against nothing.
    std::vector<Compared> instruction(isa::InstructionId id, bool of_a) {
        const isa::Spec& own = of_a ? machines().a : machines().b;
        const isa::Spec& other = of_a ? machines().b : machines().a;
        const isa::Instruction& row = own[id];
        for (std::uint32_t i = 0; i < row.form_count; ++i) {
            const isa::Form& form = own.forms[row.first_form + i];
            Encodings encodings(world_);
            const std::vector<Term> fields = encodings.fields(form);
            std::vector<Parcel> parcels = encodings.parcels(form, fields);
            Term rest = where(of_a, form, fields);
            for (const isa::Form& counterpart : other.forms) {
                if (!may_meet(form.encoding, counterpart.encoding)) continue;
                const auto match = encodings.match(counterpart, parcels);
                const Term meets = terms().and_(match.holds, where(!of_a, counterpart, match.fields));
                if (world_.solver.possible("meets", terms().and_(rest, meets)) == Verdict::no) continue;
                rest = terms().and_(rest, terms().not_(meets));
                if (of_a) compare(line(id, counterpart.instruction), form, fields, counterpart, match.fields, meets);
            }
            if (world_.solver.possible("rest", rest) == Verdict::no) continue;
            const isa::Form& nothing = of_a ? machines().illegal_b : machines().illegal_a;
            std::vector<Term> opcode;
            for (const auto& field : nothing.fields)
                opcode.push_back(terms().extract(encodings.term(parcels, 0), field.width - 1, 0));
            if (of_a)
                compare(line(id, {}), form, fields, nothing, opcode, rest);
            else
                compare(line({}, id), nothing, opcode, form, fields, rest);
        }
        return std::move(lines_);
    }

    /// Each pair of an interrupt of A and one of B, or none, that come in the same state.
    std::vector<Compared> interrupts() {
        const auto& of_a = machines().a.interrupts;
        const auto& of_b = machines().b.interrupts;
        for (std::uint32_t i = 0; i <= of_a.size(); ++i)
            for (std::uint32_t j = 0; j <= of_b.size(); ++j) {
                if (i == of_a.size() && j == of_b.size()) continue;
                const std::string name = i < of_a.size() ? of_a[i].name : of_b[j].name;
                Compared& result = line(Compared::Kind::interrupt, name);
                const Term comes = come(i, j);
                if (terms().is_false(comes)) continue;
                const bool each = i < of_a.size() && j < of_b.size();
                const auto step = [&](PairWorld::Side& side, std::uint32_t number) {
                    Step entered = world_.nothing(side);
                    if (number < side.spec->interrupts.size())
                        world_.enter(side, entered, side.spec->causes.size() + number, terms().boolean(true), {},
                                     resized(side.before.elements[side.spec->pc.index], side.spec->next_pc, *side.spec),
                                     0);
                    return entered;
                };
                const Step one = step(world_.a, i);
                const Step two = step(world_.b, j);
                const Term modelled = known(result, comes, one, two);
                settle(result, {one, two, terms().and_(comes, modelled), !each},
                       {&world_.a.before, nullptr, one.entries, "A"}, {&world_.b.before, nullptr, two.entries, "B"});
            }
        return std::move(lines_);
    }

    /// Entries of traps that both have, with the same arguments, whether or not these occur.
    std::vector<Compared> traps() {
        for (const auto& [number, other] : machines().correspondence.traps) {
            const isa::Cause& one = machines().a[number];
            std::vector<Term> arguments;
            for (const auto parameter : one.parameters)
                arguments.push_back(fresh(machines().a.terms.name(parameter), machines().a.terms.sort(parameter)));
            const Term next = fresh("next_pc", machines().a.terms.sort(machines().a.next_pc));
            Step first = world_.nothing(world_.a);
            Step second = world_.nothing(world_.b);
            world_.enter(world_.a, first, number.index, terms().boolean(true), arguments, next, 1);
            world_.enter(world_.b, second, other.index, terms().boolean(true), arguments,
                         resized(next, machines().b.next_pc, machines().b), 1);
            Compared& result = line(Compared::Kind::trap, one.name);
            shown_ = arguments;
            const Term modelled = known(result, running(), first, second);
            settle(result, {first, second, terms().and_(running(), modelled), false},
                   {&world_.a.before, nullptr, first.entries, "A"}, {&world_.b.before, nullptr, second.entries, "B"});
            if (result.witnesses.empty()) continue;
            result.witnesses[0].sides[0].outcome.cause = number;
            result.witnesses[1].sides[0].outcome.cause = other;
        }
        return std::move(lines_);
    }

    /// Where accesses go, what is loaded for that, and how they fault.
    std::vector<Compared> translation() {
        constexpr auto fetch = static_cast<unsigned>(isa::Access::fetch);
        std::map<unsigned, std::set<unsigned>> kinds{{fetch, {machines().a.parcel_units}}};  // and their sizes
        for (const isa::Spec* spec : {&machines().a, &machines().b})
            for (const auto& form : spec->forms) {
                for (const auto& load : form.meaning.loads) kinds[load.access].insert(load.units);
                for (const auto& store : form.meaning.stores) kinds[store.access].insert(store.units);
            }
        Compared& result = line(Compared::Kind::translation, "translation");
        const Term anywhere = fresh("address", isa::Sort::bits(machines().a.address_width));
        const Term units = fresh("units", isa::Sort::bits(8));
        const Term next = fresh("next_pc", machines().a.terms.sort(machines().a.next_pc));
        std::vector<Term> loaded;  // by the first, the second, …
        const std::size_t most = std::max(machines().a.translation.loads.size(), machines().b.translation.loads.size());
        while (loaded.size() < most)
            loaded.push_back(fresh("loaded", machines().a.terms.sort(machines().a.translation.loads.front().result)));
        for (const auto& [kind, sizes] : kinds) {
            // Of fetches the invariants speak.
            const Term address = kind == fetch ? resized(world_.a.before.elements[machines().a.pc.index],
                                                         machines().a.translation.address, machines().a)
                                               : anywhere;
            Term sized = terms().boolean(false);
            for (const unsigned size : sizes) sized = terms().or_(sized, terms().eq(units, terms().constant(8, size)));
            Term differs = terms().boolean(false);
            struct Way {
                Step step;
                Term physical;
                Term faults;
                std::vector<Term> happened;  ///< so many loads, and more
                std::vector<Term> places;
                Term occurs;  ///< the instruction does not trap for the access itself
            };
            // A kind of access that one machine does not have.
            const auto has = [&, kind = kind](const isa::Spec& spec) {
                return kind >> spec.terms.sort(spec.translation.access).width == 0;
            };
            if (!has(machines().a) || !has(machines().b)) {
                tell(result, running());
                continue;
            }
            const auto way = [&, kind = kind](PairWorld::Side& side) {
                const isa::Translation& translation = side.spec->translation;
                Instance instance = side.before.instance;
                instance.forget();
                instance.bind(translation.address, address);
                instance.bind(translation.access,
                              terms().constant(side.spec->terms.sort(translation.access).width, kind));
                instance.bind(translation.units, units);
                Way went{world_.nothing(side),
                         {},
                         terms().boolean(false),
                         std::vector<Term>(most, terms().boolean(false)),
                         std::vector<Term>(most, terms().constant(side.spec->physical_width, 0)),
                         terms().boolean(true)};
                for (const auto& trap : translation.of_access)
                    if (kind != fetch) went.occurs = terms().and_(went.occurs, terms().not_(instance(trap.guard)));
                std::size_t f = 0;
                const auto fault = [&](std::size_t loads) {  // what is decided after so many
                    for (; f < translation.faults.size() && translation.faults[f].loads_before <= loads; ++f) {
                        const auto& trap = translation.faults[f];
                        const Term fires = terms().and_(terms().not_(went.faults), instance(trap.guard));
                        went.faults = terms().or_(went.faults, fires);
                        std::vector<Term> arguments;
                        for (const Term argument : trap.arguments) arguments.push_back(instance(argument));
                        world_.raise(side, went.step, trap.cause, fires, arguments,
                                     resized(next, side.spec->next_pc, *side.spec), 1);
                    }
                };
                for (std::size_t l = 0; l < translation.loads.size(); ++l) {
                    fault(l);
                    const auto& load = translation.loads[l];
                    Term here = terms().and_(instance(load.guard), terms().not_(went.faults));
                    const Term physical = instance(load.physical);
                    const isa::Sort sort = side.spec->terms.sort(load.result);
                    Term value = terms().constant(sort.width, 0);
                    for (std::size_t n = 0; n <= l; ++n) {  // the n-th if those before have happened
                        const Term nth = terms().and_(here, terms().not_(went.happened[n]));
                        if (terms().sort(loaded[n]) == sort)
                            value = terms().ite(nth, loaded[n], value);
                        else
                            differs = terms().boolean(true);
                        went.places[n] = terms().ite(nth, physical, went.places[n]);
                        here = terms().and_(here, went.happened[n]);
                        went.happened[n] = terms().or_(went.happened[n], nth);
                    }
                    instance.bind(load.result, value);
                }
                fault(translation.loads.size());
                went.physical = instance(translation.physical);
                return went;
            };
            const Way one = way(world_.a);
            const Way two = way(world_.b);
            const Term occurs = world_.all({running(), sized, one.occurs, two.occurs});
            const Term modelled = terms().and_(occurs, known(result, occurs, one.step, two.step));
            // One by one, as each is hard enough.
            const auto differ = [&](Term part) { tell(result, terms().and_(modelled, part)); };
            differ(differs);
            for (std::size_t n = 0; n < most; ++n) {
                differ(terms().apply(isa::Op::xor_, one.happened[n], two.happened[n]));
                differ(terms().and_(one.happened[n], terms().distinct(one.places[n], two.places[n])));
            }
            differ(terms().apply(isa::Op::xor_, one.faults, two.faults));
            differ(world_.differ(one.step, two.step));
            differ(terms().and_(terms().not_(one.faults), terms().distinct(one.physical, two.physical)));
        }
        return std::move(lines_);
    }

    /// The states in which the machines begin.
    std::vector<Compared> reset() {
        struct Way {
            PairWorld::Side side;
            isa::Form form;
            std::vector<FormInWorld> in;
            Step step;
        };
        const auto begin = [&](Way& way) {
            const isa::Spec& spec = *way.side.spec;
            for (std::size_t e = 0; e < spec.elements.size(); ++e)
                if (!spec.elements[e].is_file())
                    way.side.before.elements[e] = terms().constant(spec.elements[e].width, 0);
            way.side.before = way.side.world->state(way.side.before.elements, false);
            way.form.meaning = spec.reset;
            way.in.push_back(world_.form(way.side, way.form, {}));
            const Run run = way.in.front().run(way.side.before);
            way.step =
                world_.step(way.side, way.in.front(), run, terms().constant(spec.terms.sort(spec.next_pc).width, 0));
        };
        Way one{world_.a, {}, {}, {}};
        Way two{world_.b, {}, {}, {}};
        begin(one);
        begin(two);
        settle(line(Compared::Kind::reset, "reset"), {one.step, two.step, terms().boolean(true), false},
               {&one.side.before, &one.in.front(), one.step.entries, "A"},
               {&two.side.before, &two.in.front(), two.step.entries, "B"});
        return std::move(lines_);
    }

    /// When the machines wait, and when they have halted. Whether any states correspond at all is one of them, too.
    std::vector<Compared> conditions() {
        const auto condition = [&](const char* name, Term isa::Spec::*which) {
            const auto of = [&](const PairWorld::Side& side) {
                Instance instance = side.before.instance;
                instance.forget();
                const Term term = side.spec->*which;
                return term.valid() ? instance(term) : terms().boolean(false);
            };
            tell(line(Compared::Kind::condition, name),
                 terms().and_(world_.related, terms().apply(isa::Op::xor_, of(world_.a), of(world_.b))));
        };
        condition("wait", &isa::Spec::waiting);
        condition("halt", &isa::Spec::halted);
        return std::move(lines_);
    }

    [[nodiscard]] const Statistics& statistics() const { return world_.solver.statistics(); }

    Verdict some_states() { return world_.solver.satisfiable("states", world_.related); }

  private:
    [[nodiscard]] const Machines& machines() const { return world_.machines; }
    isa::Terms& terms() { return world_.terms(); }
    Term fresh(const std::string& name, isa::Sort sort) { return terms().variable(terms().declare(name, sort)); }

    /// As wide as the variable.
    Term resized(Term term, isa::Variable like, const isa::Spec& spec) {
        const unsigned width = spec.terms.sort(like).width;
        return terms().extract(terms().zero_extend(term, std::max<unsigned>(width, terms().sort(term).width)),
                               width - 1, 0);
    }

    /// The states correspond, and no machine has halted: it may wait.
    Term running() {
        Term result = world_.related;
        for (PairWorld::Side* side : {&world_.a, &world_.b}) {
            side->before.instance.forget();
            if (side->spec->halted.valid())
                result = terms().and_(result, terms().not_(side->before.instance(side->spec->halted)));
        }
        return result;
    }

    /// The machines take their interrupts of these numbers; past the last: none. What holds is said before what does
    /// not, so that rewriting sees where they exclude each other.
    Term come(std::uint32_t of_a, std::uint32_t of_b) {
        std::vector<Term> parts{running()};
        std::vector<Term> not_before;
        for (auto [side, number] : {std::pair(&world_.a, of_a), std::pair(&world_.b, of_b)}) {
            side->before.instance.forget();
            const auto& interrupts = side->spec->interrupts;
            for (std::uint32_t i = 0; i <= number && i < interrupts.size(); ++i) {
                const Term due = side->before.instance(interrupts[i].condition);
                if (i == number)
                    parts.push_back(due);
                else
                    not_before.push_back(terms().not_(due));
            }
        }
        Term result = terms().boolean(true);
        for (const auto* list : {&parts, &not_before})
            for (const Term part : *list) result = terms().and_(result, part);
        return result;
    }

    Term where(bool of_a, const isa::Form& form, std::span<const Term> fields) {
        if (!form.encoding.where.valid()) return terms().boolean(true);
        Instance& instance = (of_a ? world_.a : world_.b).before.instance;
        instance.forget();
        for (std::size_t i = 0; i < fields.size(); ++i) instance.bind(form.fields[i].variable, fields[i]);
        return instance(form.encoding.where);
    }

    Compared& line(isa::InstructionId of_a, isa::InstructionId of_b) {
        for (auto& known : lines_)
            if (known.a == of_a && known.b == of_b) return known;
        Compared fresh;
        fresh.a = of_a;
        fresh.b = of_b;
        const std::string one = of_a.valid() ? machines().a[of_a].name : "";
        const std::string two = of_b.valid() ? machines().b[of_b].name : "";
        fresh.name = one.empty() ? two : two.empty() || one == two ? one : one + " / " + two;
        return lines_.emplace_back(std::move(fresh));
    }
    Compared& line(Compared::Kind kind, const std::string& name) {
        for (auto& known : lines_)
            if (known.kind == kind && known.name == name) return known;
        Compared fresh;
        fresh.kind = kind;
        fresh.name = name;
        return lines_.emplace_back(std::move(fresh));
    }

    void compare(Compared& result, const isa::Form& form_a, const std::vector<Term>& fields_a, const isa::Form& form_b,
                 const std::vector<Term>& fields_b, Term meets) {
        if (settled(result)) return;
        FormInWorld in_a = world_.form(world_.a, form_a, fields_a);
        FormInWorld in_b = world_.form(world_.b, form_b, fields_b);
        const auto step = [&](PairWorld::Side& side, FormInWorld& in, Term& executes) {
            const Run run = in.run(side.before);
            executes = terms().and_(executes, run.executes);
            return world_.step(side, in, run, in.next(side.before));
        };
        Term executes = meets;
        Step one = step(world_.a, in_a, executes);
        Step two = step(world_.b, in_b, executes);
        const Term modelled = known(result, executes, one, two);
        settle(result, {one, two, terms().and_(executes, modelled), false}, {&world_.a.before, &in_a, one.entries, "A"},
               {&world_.b.before, &in_b, two.entries, "B"});
    }

    /// Where both meanings say what happens. Elsewhere, if that is anywhere, nothing is concluded.
    Term known(Compared& line, Term where, const Step& one, const Step& two) {
        const Term unmodelled = terms().or_(one.unmodelled, two.unmodelled);
        if (world_.solver.possible("unmodelled", terms().and_(where, unmodelled)) != Verdict::no) {
            line.equal = both(line.equal, Verdict::unknown);
            line.elsewhere = both(line.elsewhere, Verdict::unknown);
            if (line.unknowns.empty()) line.unknowns.emplace_back("not modelled");
        }
        return terms().not_(unmodelled);
    }

    /// The expected differences of the line, each with where it is expected.
    template <class Each>
    void expected(const Compared& line, const Each& each) {
        for (const auto& one : machines().correspondence.expected) {
            if (!names(machines(), one.row, line)) continue;
            world_.a.before.instance.forget();
            each(one, one.when.valid() ? world_.a.before.instance(one.when) : terms().boolean(true));
        }
    }
    /// Where any difference of the line is: nowhere if nothing is said of it.
    Term expected(const Compared& line) {
        Term result = terms().boolean(false);
        expected(line, [&](const Correspondence::Expected& one, Term where) {
            if (one.everything) result = terms().or_(result, where);
        });
        return result;
    }
    PairWorld::Excuses excuses(const Compared& line) {
        PairWorld::Excuses result;
        expected(line, [&](const Correspondence::Expected& one, Term where) {
            for (const auto& [elements, list] : {std::pair(&one.elements_a, &result.a), {&one.elements_b, &result.b}})
                for (const auto element : *elements) {
                    const auto [known, fresh] = list->try_emplace(element, where);
                    if (!fresh) known->second = terms().or_(known->second, where);
                }
        });
        return result;
    }

    /// Nothing more can be learnt of it.
    bool settled(const Compared& line) {
        return line.elsewhere == Verdict::no || (line.equal == Verdict::no && terms().is_true(expected(line)));
    }

    /// Asks for a difference that is not expected, then for any.
    template <class Ask>
    void ask(Compared& line, Term bad, Term unexcused, const Ask& differs) {
        if (settled(line)) return;
        const Term there = expected(line);
        const Verdict here = differs(terms().and_(unexcused, terms().not_(there)));
        line.elsewhere = both(line.elsewhere, opposite(here));
        if (here == Verdict::no && line.equal == Verdict::yes)
            line.equal = opposite(differs(bad));
        else
            line.equal = both(line.equal, opposite(here));
    }

    /// What both machines do where this holds. Anything counts as a difference if one of them has no counterpart.
    struct Pair {
        const Step& one;
        const Step& two;
        Term where;
        bool alone = false;
    };
    void settle(Compared& result, const Pair& pair, const Act& first, const Act& second) {
        const auto bad = [&](const PairWorld::Excuses& excuses) {
            const Term differs = pair.alone ? terms().boolean(true) : world_.differ(pair.one, pair.two, excuses);
            return terms().is_false(differs) ? differs : terms().and_(pair.where, differs);
        };
        const Term all = bad({});
        const auto excused = excuses(result);
        const bool none = excused.a.empty() && excused.b.empty();
        const Term accesses =
            pair.alone ? terms().boolean(false) : terms().and_(pair.where, world_.accesses_differ(pair.one, pair.two));
        ask(result, all, none ? all : bad(excused),
            [&](Term where) { return witnessed(result, where, accesses, first, second); });
    }

    /// Is there such a state? It is the line's witness.
    Verdict witnessed(Compared& result, Term bad, Term accesses, const Act& first, const Act& second) {
        if (terms().is_false(bad)) {
            world_.solver.count_rewritten();
            return Verdict::no;
        }
        const std::size_t said = world_.solver.unknowns().size();
        Verdict differs = world_.solver.satisfiable("differ", bad);
        // As it is in memory, translations that load unfolded as far as needed.
        const auto most = static_cast<unsigned>(machines().a.translation.loads.size());
        for (unsigned loads = 0; differs == Verdict::yes; loads = std::min(most, std::max(1U, 2 * loads))) {
            std::vector<Act> acts_a{first};
            std::vector<Act> acts_b{second};
            Judge judge_a(world_.world_a, world_.solver, none_);
            Judge judge_b(world_.world_b, world_.solver, none_);
            Needs needs = judge_a.needs(bad, acts_a, loads, {});
            Needs needs_b = judge_b.needs(bad, acts_b, loads, {});
            Touched both{needs.accesses.front(), terms().boolean(true)};
            both.accesses.insert(both.accesses.end(), needs_b.accesses.front().begin(), needs_b.accesses.front().end());
            needs.formula = needs_b.formula =
                world_.all({needs.formula, needs_b.formula, realizable(world_.world_a, std::move(both))});
            const Verdict exact = world_.solver.satisfiable("exact", needs.formula);
            if (exact == Verdict::no && loads < most) continue;
            differs = exact;
            // One machine asks memory where the other does not, and wherever it does, it faults: not seen further.
            if (exact == Verdict::no &&
                world_.solver.satisfiable("accesses", terms().and_(bad, accesses)) != Verdict::no) {
                differs = Verdict::unknown;
                result.unknowns.emplace_back("accesses that fault differ");
            }
            if (differs == Verdict::unknown) result.example = example_of(world_.solver, terms(), bad);
            if (exact != Verdict::yes || !machines().options.witnesses) break;
            result.witnesses.clear();
            result.example.clear();
            needs.wishes.insert(needs.wishes.end(), needs_b.wishes.begin(), needs_b.wishes.end());
            const auto fields = first.form == nullptr ? std::vector<Term>{} : first.form->fields();
            if (const auto model = world_.solver.smallest(needs.formula, needs.wishes, bare(fields))) {
                for (const Term term : shown_)
                    if (const auto it = model->values.find(terms().node(term).a); it != model->values.end())
                        result.example +=
                            fmt::format("{}{} = {:#x}", result.example.empty() ? "" : ", ",
                                        terms().name({terms().node(term).a}), static_cast<std::uint64_t>(it->second));
                result.witnesses.push_back(judge_a.read_out(*model, needs, acts_a));
                result.witnesses.push_back(judge_b.read_out(*model, needs_b, acts_b));
                // Both run with what either looks at.
                auto& memory = result.witnesses[0].sides[0].memory;
                memory.merge(std::map(result.witnesses[1].sides[0].memory));
                result.witnesses[1].sides[0].memory = memory;
            }
            break;
        }
        return note(result, differs, said);
    }

    /// Those that are variables: what is made of others follows.
    std::vector<Term> bare(std::vector<Term> all) {
        std::erase_if(all, [&](Term term) { return terms().node(term).op != isa::Op::variable; });
        return all;
    }

    /// The same for what no instruction shows: it is told as it is.
    void tell(Compared& result, Term bad) {
        ask(result, bad, bad, [&](Term where) {
            const std::size_t said = world_.solver.unknowns().size();
            const Verdict differs = world_.solver.satisfiable("differ", where);
            if (differs == Verdict::yes) {
                result.example = example_of(world_.solver, terms(), where);
                if (result.example.empty()) result.example = "all is zero";
            }
            return note(result, differs, said);
        });
    }

    Verdict note(Compared& result, Verdict differs, std::size_t said) const {
        const auto& unknowns = world_.solver.unknowns();
        if (differs == Verdict::unknown)
            result.unknowns.insert(result.unknowns.end(), unknowns.begin() + static_cast<std::ptrdiff_t>(said),
                                   unknowns.end());
        return differs;
    }

    PairWorld world_;
    std::vector<FormInWorld> none_;
    std::vector<Term> shown_;  ///< variables that a witness has beside the state
    std::vector<Compared> lines_;
};

}  // namespace

std::string incomparable(const isa::Spec& a, const isa::Spec& b) {
    const auto differ = [](std::string_view what, unsigned one, unsigned two) {
        return one == two ? std::string() : fmt::format("{} is {} in A and {} in B", what, one, two);
    };
    if (a.contexts.empty() || b.contexts.empty()) return "a machine has no modes";
    if (a.big_endian != b.big_endian) return "one is big endian, the other is not";
    if (a.translation.loads.empty() != b.translation.loads.empty())
        return "one machine's translation loads page tables, the other's does not";
    for (const auto& reason :
         {differ("the unit", a.unit_bits, b.unit_bits), differ("the address", a.address_width, b.address_width),
          differ("the physical address", a.physical_width, b.physical_width),
          differ("the parcel", a.parcel_units, b.parcel_units)})
        if (!reason.empty()) return reason;
    return {};
}

Comparison diff(const isa::Spec& a, const isa::Spec& b, const Correspondence& correspondence, const Options& options) {
    POGO_REQUIRE(incomparable(a, b).empty());
    const Machines machines(a, b, correspondence, options);
    Comparison result;
    if (LineCheck(machines).some_states() == Verdict::no) {
        result.equal = Verdict::no;
        return result;
    }
    using Part = std::function<std::vector<Compared>(LineCheck&)>;
    std::vector<Part> parts;
    const auto& only = options.only;
    const auto owed = [&](std::initializer_list<std::string_view> names, Part part) {
        if (only.empty() || std::find_first_of(only.begin(), only.end(), names.begin(), names.end()) != only.end())
            parts.push_back(std::move(part));
    };
    for (const bool of_a : {true, false}) {
        const isa::Spec& spec = of_a ? a : b;
        for (std::uint32_t i = 0; i < spec.instructions.size(); ++i)
            owed({spec.instructions[i].name, spec.instructions[i].identifier},
                 [=](LineCheck& check) { return check.instruction({i}, of_a); });
    }
    owed({"interrupts"}, &LineCheck::interrupts);
    owed({"traps"}, &LineCheck::traps);
    owed({"translation"}, &LineCheck::translation);
    owed({"reset"}, &LineCheck::reset);
    owed({"wait", "halt"}, &LineCheck::conditions);
    std::vector<std::vector<Compared>> lines(parts.size());
    std::vector<Statistics> statistics(parts.size());
    in_parallel(parts.size(), options.jobs, options.progress, [&](std::size_t i) {
        LineCheck check(machines);
        lines[i] = parts[i](check);
        statistics[i] = check.statistics();
    });
    for (const auto& spent : statistics) result.statistics += spent;
    for (auto& part : lines)
        for (auto& line : part) result.compared.push_back(std::move(line));
    for (std::size_t i = 0; i < correspondence.expected.size(); ++i) {
        const auto& expected = correspondence.expected[i];
        bool known = false;
        bool occurs = false;
        for (auto& line : result.compared) {
            if (!names(machines, expected.row, line)) continue;
            known = true;
            if (line.equal == Verdict::yes) continue;
            occurs = true;
            if (line.elsewhere == Verdict::yes) line.expected = expected.reason;
        }
        if (!known && only.empty())
            result.unheard_of.push_back(i);
        else if (known && !occurs)
            result.stale.push_back(i);
    }
    for (const auto& line : result.compared)
        if (line.expected.empty()) result.equal = both(result.equal, line.equal);
    return result;
}

}  // namespace pogo::check
