// Two machines in one arena: how states correspond, and when they no longer do.
// SPDX-License-Identifier: Apache-2.0
#include "pair_world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "isa/require.hpp"

namespace pogo::check {

using isa::Op;
using isa::Term;

namespace {

isa::Form illegal_form(const isa::Spec& spec) {
    isa::Form form;
    const isa::Variable parcel = spec.opcode;
    form.encoding.parcels.emplace_back();
    if (parcel.valid()) {
        form.fields.push_back({"opcode", spec.terms.sort(parcel).width, parcel, {}});
        form.encoding.pieces.push_back({0, 0, spec.terms.sort(parcel).width, 0, 0});
    }
    form.meaning.traps.push_back(spec.illegal);
    return form;
}

void entry_forms(const isa::Spec& spec, std::deque<isa::Form>& entries) {
    for (const auto& cause : spec.causes) entries.push_back(entry_form(spec, cause.entry, cause.parameters));
    for (const auto& interrupt : spec.interrupts) entries.push_back(entry_form(spec, interrupt.entry, {}));
}

}  // namespace

Machines::Machines(const isa::Spec& of_a, const isa::Spec& of_b, const Correspondence& c, const Options& o)
    : a(of_a),
      b(of_b),
      correspondence(c),
      options(o),
      roles_a(a, a.contexts.at(0)),
      roles_b(b, b.contexts.at(0)),
      illegal_a(illegal_form(a)),
      illegal_b(illegal_form(b)) {
    entry_forms(a, entries_a);
    entry_forms(b, entries_b);
    pair_a.resize(a.causes.size());
    pair_b.resize(b.causes.size());
    for (std::size_t i = 0; i < c.traps.size(); ++i) {
        auto& of_one = pair_a[c.traps[i].first.index];
        auto& of_two = pair_b[c.traps[i].second.index];
        of_one = of_two = of_one ? *of_one : of_two.value_or(i);
    }
}

PairWorld::PairWorld(const Machines& m)
    : machines(m),
      world_a(m.a, m.options, m.a.contexts.at(0), m.roles_a),
      world_b(m.b, m.options, m.b.contexts.at(0), m.roles_b, world_a),
      solver(world_a.terms, {m.options.rlimit, m.options.seed}),
      a{&m.a, &world_a, &m.entries_a, &m.pair_a, {{}, {}, {}, Instance(m.a.terms, world_a.terms), {}}},
      b{&m.b, &world_b, &m.entries_b, &m.pair_b, {{}, {}, {}, Instance(m.b.terms, world_a.terms), {}}} {
    relate();
}

Term PairWorld::assemble(std::span<const Bit> bits) {
    Term result;
    for (std::size_t i = 0; i < bits.size();) {
        std::size_t end = i + 1;
        Term part;
        if (bits[i].of.valid()) {
            while (end < bits.size() && bits[end] == Bit{bits[i].of, bits[i].at + static_cast<unsigned>(end - i)})
                ++end;
            const unsigned high = bits[end - 1].at;
            part = terms().extract(bits[i].of, high, bits[i].at);
        } else {
            isa::Word value = bits[i].at;
            for (; end < bits.size() && !bits[end].of.valid(); ++end) value |= isa::Word{bits[end].at} << (end - i);
            part = terms().constant(static_cast<unsigned>(end - i), value);
        }
        result = result.valid() ? terms().concat(part, result) : part;
        i = end;
    }
    return result;
}

Term PairWorld::cube(Side& side, isa::ModeId mode, std::span<const Term> elements) {
    Term result = terms().boolean(true);
    for (const auto& part : (*side.spec)[mode].cube)
        result = terms().and_(result, terms().eq(elements[part.element.index],
                                                 terms().constant((*side.spec)[part.element].width, part.value)));
    return result;
}

void PairWorld::relate() {
    const auto& correspondence = machines.correspondence;
    related = terms().boolean(true);
    std::vector<Term> variables[2];
    std::vector<std::vector<std::optional<Bit>>> bits[2];  // by slot
    for (const int s : {0, 1}) {
        const isa::Spec& spec = s == 0 ? machines.a : machines.b;
        bits[s].resize(spec.slots);
        for (std::uint32_t e = 0; e < spec.elements.size(); ++e) {
            const auto& element = spec.elements[e];
            // Those of A were declared by its world.
            variables[s].push_back(terms().variable(
                s == 0 ? isa::Variable{e} : terms().declare("B." + element.name, spec.terms.sort(element.variable))));
            for (unsigned i = 0; i < element.entries; ++i) bits[s][element.slot + i].resize(element.width);
        }
    }
    for (const auto& [of_a, of_b] : correspondence.files) variables[1][of_b.index] = variables[0][of_a.index];
    const auto place = [&](int s, const Correspondence::Part& part, unsigned bit) -> std::optional<Bit>& {
        const isa::Spec& spec = s == 0 ? machines.a : machines.b;
        return bits[s][spec[part.element].slot + part.entry][part.low + bit];
    };
    // Entries of files are what the files hold, whatever they correspond to.
    const auto own = [&](int s, bool files) {
        const isa::Spec& spec = s == 0 ? machines.a : machines.b;
        for (std::uint32_t e = 0; e < spec.elements.size(); ++e) {
            const auto& element = spec.elements[e];
            if (element.is_file() != files) continue;
            for (unsigned i = 0; i < element.entries; ++i) {
                const Term whole =
                    files ? terms().select(variables[s][e], terms().constant(element.index_width, i)) : variables[s][e];
                for (unsigned bit = 0; bit < element.width; ++bit)
                    if (auto& known = bits[s][element.slot + i][bit]; !known) known = Bit{whole, bit};
            }
        }
    };
    const auto equal = [&](Bit one, Bit two) {
        if (one == two) return;
        related = terms().and_(related, terms().eq(assemble(std::span(&one, 1)), assemble(std::span(&two, 1))));
    };
    const auto tie = [&](std::optional<Bit>& known, Bit value) {
        if (known)
            equal(*known, value);
        else
            known = value;
    };
    own(0, true);
    own(1, true);
    for (const auto& link : correspondence.links)
        for (unsigned bit = 0; bit < link.width; ++bit) {
            if (link.a.element.valid() == link.b.element.valid()) continue;
            const int s = link.a.element.valid() ? 0 : 1;
            tie(place(s, s == 0 ? link.a : link.b, bit), Bit{{}, static_cast<unsigned>(link.constant >> bit & 1)});
        }
    own(0, false);
    for (const auto& link : correspondence.links)
        for (unsigned bit = 0; bit < link.width; ++bit) {
            if (!link.a.element.valid() || !link.b.element.valid()) continue;
            tie(place(1, link.b, bit), place(0, link.a, bit).value());
        }
    own(1, false);
    std::vector<Term> elements[2];
    for (const int s : {0, 1}) {
        const isa::Spec& spec = s == 0 ? machines.a : machines.b;
        for (std::uint32_t e = 0; e < spec.elements.size(); ++e) {
            const auto& element = spec.elements[e];
            std::vector<Bit> all;
            for (const auto& bit : bits[s][element.slot]) all.push_back(bit.value());
            elements[s].push_back(element.is_file() ? variables[s][e] : assemble(all));
        }
    }
    // A mode of A says what B's elements are; where it does not, they are as they are.
    for (const auto& [of_a, of_b] : correspondence.modes)
        for (const auto& part : machines.b[of_b].cube) {
            Term& element = elements[1][part.element.index];
            element = terms().ite(cube(a, of_a, elements[0]),
                                  terms().constant(machines.b[part.element].width, part.value), element);
        }
    Term some = terms().boolean(correspondence.modes.empty());
    for (const auto& [of_a, of_b] : correspondence.modes) {
        const Term here = cube(a, of_a, elements[0]);
        some = terms().or_(some, here);
        related = terms().and_(related, terms().eq(here, cube(b, of_b, elements[1])));
    }
    related = terms().and_(related, some);
    a.before = world_a.state(std::move(elements[0]), false);
    b.before = world_b.state(std::move(elements[1]), false);
    for (Side* side : {&a, &b})
        for (const auto& invariant : side->spec->invariants)
            related = terms().and_(related, side->before.instance(invariant.holds));
    for (Side* side : {&a, &b}) side->before.holds = terms().and_(side->before.holds, related);
}

std::vector<Term> PairWorld::choices(const Side& side, const isa::Meaning& meaning) {
    std::vector<Term> result;
    for (std::size_t i = 0; i < meaning.choices.size(); ++i) {
        const isa::Sort sort = side.spec->terms.sort(meaning.choices[i]);
        Term& shared = choices_[{i, sort.is_bool() ? 0U : sort.width}];
        if (!shared.valid()) shared = terms().variable(terms().declare(fmt::format("choice{}", i), sort));
        result.push_back(shared);
    }
    return result;
}

FormInWorld PairWorld::form(Side& side, const isa::Form& form, std::vector<Term> fields) {
    return {*side.world, form, std::move(fields), choices(side, form.meaning)};
}

Step PairWorld::nothing(const Side& side) {
    const Term never = terms().boolean(false);
    return {{}, side.before.elements, std::vector<std::vector<Update>>(side.spec->elements.size()), {}, never, never,
            {}};
}

namespace {

/// What a run does where this holds.
void merge(isa::Terms& terms, Step& step, const Run& run, const std::vector<Attempt>& attempts, Term happens) {
    const Term completes = terms.and_(happens, run.completes);
    for (std::size_t e = 0; e < step.scalars.size(); ++e) {
        step.scalars[e] = terms.ite(completes, run.scalars[e], step.scalars[e]);
        for (Update update : run.files[e]) {
            update.guard = terms.and_(completes, update.guard);
            if (!terms.is_false(update.guard)) step.files[e].push_back(update);
        }
    }
    for (Attempt attempt : attempts) {
        attempt.guard = terms.and_(attempt.kind == Access::Kind::store ? completes : happens, attempt.guard);
        if (!terms.is_false(attempt.guard)) step.attempts.push_back(attempt);
    }
}

}  // namespace

Step PairWorld::step(Side& side, FormInWorld& form, const Run& run, Term next) {
    Step step = nothing(side);
    merge(terms(), step, run, form.attempts(side.before), terms().boolean(true));
    for (const auto& trap : run.traps) raise(side, step, trap.cause, trap.fires, trap.arguments, next, 1);
    return step;
}

void PairWorld::raise(Side& side, Step& step, isa::CauseId cause, Term happens, const std::vector<Term>& arguments,
                      Term next, unsigned depth) {
    if ((*side.spec)[cause].kind == isa::TrapKind::unmodelled) {
        step.unmodelled = terms().or_(step.unmodelled, happens);
        return;
    }
    const auto pair = (*side.pairs)[cause.index];
    if (!pair) return enter(side, step, cause.index, happens, arguments, next, depth);
    if (terms().is_false(happens)) return;
    const auto [known, fresh] = step.raised.try_emplace(*pair, Step::Raised{happens, arguments, next});
    if (fresh) return;
    for (std::size_t i = 0; i < arguments.size(); ++i)
        known->second.arguments[i] = terms().ite(happens, arguments[i], known->second.arguments[i]);
    known->second.next = terms().ite(happens, next, known->second.next);
    known->second.fires = terms().or_(known->second.fires, happens);
}

// As in a machine: an entry that traps gives way to the entry of that trap, from the same state.
void PairWorld::enter(Side& side, Step& step, std::size_t entry, Term happens, const std::vector<Term>& arguments,
                      Term next, unsigned depth) {
    if (terms().is_false(happens)) return;
    std::vector<Term> fields = arguments;
    fields.push_back(next);
    FormInWorld in = form(side, (*side.entries)[entry], std::move(fields));
    const Run run = in.run(side.before);
    merge(terms(), step, run, in.attempts(side.before), happens);
    const std::size_t causes = side.spec->causes.size();
    step.entries.push_back(
        {happens, entry < causes ? std::nullopt : std::optional(static_cast<std::uint32_t>(entry - causes)), in});
    for (const auto& trap : run.traps) {
        const Term fires = terms().and_(happens, trap.fires);
        if (depth == 2)
            step.stuck = terms().or_(step.stuck, fires);
        else
            raise(side, step, trap.cause, fires, trap.arguments, next, depth + 1);
    }
}

Term PairWorld::after(const Side& side, const Step& step, const Correspondence::Part& part, unsigned width) {
    const isa::Element& element = (*side.spec)[part.element];
    const std::uint32_t e = part.element.index;
    const Term whole = element.is_file() ? read_after(terms(), step.scalars[e], step.files[e],
                                                      terms().constant(element.index_width, part.entry))
                                         : step.scalars[e];
    return terms().extract(whole, part.low + width - 1, part.low);
}

// One by one while they are alike; else by how many came before.
Term PairWorld::attempts_differ(const std::vector<Attempt>& one, const std::vector<Attempt>& two, Access::Kind kind) {
    const unsigned width = std::max(machines.a.address_width, machines.a.physical_width);
    const auto of_kind = [&](const std::vector<Attempt>& all) {
        std::vector<Attempt> result;
        std::copy_if(all.begin(), all.end(), std::back_inserter(result),
                     [&](const Attempt& x) { return x.kind == kind; });
        return result;
    };
    const auto first = of_kind(one);
    const auto second = of_kind(two);
    // What memory sees of it, as numbers: which kind of access, where, what.
    const auto seen = [&](const Attempt& x) {
        const Term what = terms().constant(32, x.units << 16 | x.access << 1 | (x.direct ? 1U : 0U));
        const Term at = terms().zero_extend(x.direct ? x.physical : x.address, width);
        const Term data = x.data.valid() ? terms().zero_extend(x.data, isa::max_width) : terms().constant(1, 0);
        return std::array<Term, 3>{what, at, data};
    };
    const auto distinct = [&](const std::array<Term, 3>& x, const std::array<Term, 3>& y) {
        Term result = terms().boolean(false);
        for (std::size_t i = 0; i < x.size(); ++i) result = terms().or_(result, terms().distinct(x[i], y[i]));
        return result;
    };
    Term result = terms().boolean(false);
    const bool alike = std::equal(first.begin(), first.end(), second.begin(), second.end(),
                                  [](const Attempt& x, const Attempt& y) { return x.guard == y.guard; });
    if (alike) {
        for (std::size_t i = 0; i < first.size(); ++i)
            result = terms().or_(result, terms().and_(first[i].guard, distinct(seen(first[i]), seen(second[i]))));
        return result;
    }
    struct Nth {
        Term exists;
        std::array<Term, 3> seen;
    };
    const auto numbered = [&](const std::vector<Attempt>& all, std::size_t most) {
        std::vector<Nth> nth(most, {terms().boolean(false),
                                    {terms().constant(32, 0), terms().constant(width, 0),
                                     terms().constant(kind == Access::Kind::store ? isa::max_width : 1, 0)}});
        Term count = terms().constant(8, 0);
        for (const auto& x : all) {
            const auto what = seen(x);
            for (std::size_t n = 0; n < most; ++n) {
                const Term here = terms().and_(x.guard, terms().eq(count, terms().constant(8, n)));
                nth[n].exists = terms().or_(nth[n].exists, here);
                for (std::size_t i = 0; i < what.size(); ++i)
                    nth[n].seen[i] = terms().ite(here, what[i], nth[n].seen[i]);
            }
            count = terms().ite(x.guard, terms().apply(Op::bvadd, count, terms().constant(8, 1)), count);
        }
        return nth;
    };
    const std::size_t most = std::max(first.size(), second.size());
    const auto x = numbered(first, most);
    const auto y = numbered(second, most);
    for (std::size_t n = 0; n < most; ++n) {
        result = terms().or_(result, terms().apply(Op::xor_, x[n].exists, y[n].exists));
        result = terms().or_(result, terms().and_(x[n].exists, distinct(x[n].seen, y[n].seen)));
    }
    return result;
}

Term PairWorld::differ_on(const Side& side, const Step& one, const Step& two) {
    Term result = terms().apply(Op::xor_, one.stuck, two.stuck);
    for (std::size_t e = 0; e < one.scalars.size(); ++e)
        result = terms().or_(result, side.spec->elements[e].is_file()
                                         ? arrays_differ(terms(), one.scalars[e], one.files[e], two.files[e])
                                         : terms().distinct(one.scalars[e], two.scalars[e]));
    for (const auto kind : {Access::Kind::load, Access::Kind::store})
        result = terms().or_(result, attempts_differ(one.attempts, two.attempts, kind));
    for (const auto& [pair, x] : one.raised) {
        const Step::Raised& y = two.raised.at(pair);
        result = terms().or_(result, terms().apply(Op::xor_, x.fires, y.fires));
        for (std::size_t k = 0; k < x.arguments.size(); ++k)
            result = terms().or_(result, terms().and_(x.fires, terms().distinct(x.arguments[k], y.arguments[k])));
    }
    return result;
}

// The same trap, with the same arguments or such that its entry does not tell apart: A's, as B's is compared with it.
Term PairWorld::raised_differ(const Step& one, const Step& two) {
    Term result = terms().boolean(false);
    for (std::size_t i = 0; i < machines.correspondence.traps.size(); ++i) {
        const auto x = one.raised.find(i);
        const auto y = two.raised.find(i);
        const Term no = terms().boolean(false);
        result = terms().or_(result, terms().apply(Op::xor_, x == one.raised.end() ? no : x->second.fires,
                                                   y == two.raised.end() ? no : y->second.fires));
        if (x == one.raised.end() || y == two.raised.end() || x->second.arguments == y->second.arguments) continue;
        Step first = nothing(a);
        Step second = nothing(a);
        const auto cause = machines.correspondence.traps[i].first.index;
        enter(a, first, cause, terms().boolean(true), x->second.arguments, x->second.next, 1);
        enter(a, second, cause, terms().boolean(true), y->second.arguments, x->second.next, 1);
        result = terms().or_(result, terms().and_(x->second.fires, differ_on(a, first, second)));
    }
    return result;
}

Term PairWorld::accesses_differ(const Step& one, const Step& two) {
    Term result = attempts_differ(one.attempts, two.attempts, Access::Kind::store);
    // What is loaded is in the results; that it is, matters where the access itself may fault outside the list of
    // traps.
    if (walks()) result = terms().or_(result, attempts_differ(one.attempts, two.attempts, Access::Kind::load));
    return result;
}

Term PairWorld::differ(const Step& one, const Step& two, const Excuses& excuses) {
    Term result = terms().apply(Op::xor_, one.stuck, two.stuck);
    result = terms().or_(result, raised_differ(one, two));
    const auto hold = [&](isa::ElementId of_a, isa::ElementId of_b, Term differs) {
        for (const auto& [id, list] : {std::pair(of_a, &excuses.a), std::pair(of_b, &excuses.b)})
            if (const auto excuse = list->find(id.index); id.valid() && excuse != list->end())
                differs = terms().and_(differs, terms().not_(excuse->second));
        result = terms().or_(result, differs);
    };
    for (const auto& [of_a, of_b] : machines.correspondence.files)
        hold(of_a, of_b, arrays_differ(terms(), one.scalars[of_a.index], one.files[of_a.index], two.files[of_b.index]));
    for (const auto& link : machines.correspondence.links) {
        const Term constant = terms().constant(link.width, link.constant);
        const Term x = link.a.element.valid() ? after(a, one, link.a, link.width) : constant;
        const Term y = link.b.element.valid() ? after(b, two, link.b, link.width) : constant;
        hold(link.a.element, link.b.element, terms().distinct(x, y));
    }
    Term some = terms().boolean(machines.correspondence.modes.empty());
    for (const auto& [of_a, of_b] : machines.correspondence.modes) {
        const Term here = cube(a, of_a, one.scalars);
        some = terms().or_(some, here);
        result = terms().or_(result, terms().apply(Op::xor_, here, cube(b, of_b, two.scalars)));
    }
    return terms().or_(terms().or_(result, terms().not_(some)), accesses_differ(one, two));
}

}  // namespace pogo::check
