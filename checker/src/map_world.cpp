// A VM map in an arena of its own.
// SPDX-License-Identifier: Apache-2.0
#include "map_world.hpp"

#include <algorithm>

namespace pogo::check {

using isa::ElementId;
using isa::Role;
using isa::Term;

MapInWorld::MapInWorld(const isa::Spec& spec, const isa::VmMap& map, const Options& options, const Roles& roles)
    : world(spec, options, spec[map.context], roles), map_(map), roles_(roles), scratch_(spec.terms, world.terms) {
    for (const auto constant : map.constants)
        constants_.push_back(
            world.terms.variable(world.terms.declare(spec.terms.name(constant), spec.terms.sort(constant))));
    for (const isa::Write& write : map.map) {
        // What leads to the monitor's tables is left open: wherever they are, the obligations hold.
        if (map.tables && spec[write.element].role == Role::relocation) continue;
        mapped_.push_back(&write);
        if (!guest(write.element.index)) continue;
        for (const auto variable : spec.terms.support(std::span(&write.value, 1)))
            for (std::uint32_t e = 0; e < spec.elements.size(); ++e)
                if (spec.elements[e].variable == variable) shown_.push_back(e);
    }
    real_memory_ =
        map.composes() ? world.terms.declare("real memory", world.terms.sort(world.physical)) : world.physical;
}

Pair MapInWorld::pair(std::size_t mode) {
    std::vector<Term> elements;
    for (std::uint32_t e = 0; e < spec().elements.size(); ++e) elements.push_back(terms().variable({e}));
    for (const auto& part : spec()[map_.modes[mode].first].cube)
        elements[part.element.index] = terms().constant(spec()[part.element].width, part.value);
    std::vector<Term> real = image(elements);
    bind(elements);
    const Term where = scratch_(map_.where);
    Pair result{world.state(std::move(elements), false), world.state(std::move(real), true, real_memory_), {}};
    result.meant = terms().and_(where, terms().and_(result.machine.holds, result.real.holds));
    return result;
}

/// f: the real machine's elements for the virtual machine's.
std::vector<Term> MapInWorld::image(const std::vector<Term>& from) {
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
    for (const isa::Write* write : mapped_) {
        Term& value = result[write->element.index];
        value = write->index.valid() ? terms().store(value, scratch_(write->index), scratch_(write->value))
                                     : scratch_(write->value);
    }
    // The member of a bank that is active on the real machine stands for the one that is on the virtual machine;
    // the others are the monitor's.
    const std::vector<Term> selected = result;
    for (const auto& bank : spec().banks) {
        const Term there = world.selector(bank, from);
        const Term here = world.selector(bank, selected);
        if (there == here) continue;
        for (const auto& member : bank.members) {
            const std::uint32_t e = member.element.index;
            if (!guest(e) || mapped(e)) continue;
            const Term other = terms().ite(terms().eq(there, here), from[e], monitors(e));
            result[e] =
                terms().ite(world.is_active(bank, here, member.element), world.active_value(bank, there, from), other);
        }
    }
    return result;
}

Term MapInWorld::commute(const Pair& before, const Run& machine, const Run& real) {
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
    return terms().and_(same, physical_commutes(before, machine, real, then));
}

MapInWorld::Place MapInWorld::place(const std::vector<Term>& elements, Term address) {
    if (!map_.composes()) return {address, terms().boolean(true)};
    bind(elements);
    scratch_.bind(map_.address, address);
    return {scratch_(map_.memory), scratch_(map_.exists)};
}

MapInWorld::Level MapInWorld::first_level(const Pair& pair) {
    std::vector<Term> machine = pair.machine.elements;
    std::vector<Term> real = pair.real.elements;
    for (const isa::Write& write : map_.map) {
        const std::uint32_t e = write.element.index;
        if (!two_levels() || spec().elements[e].role != Role::relocation) continue;
        real[e] = terms().variable(terms().declare("first level " + spec().elements[e].name, terms().sort(real[e])));
        machine[e] = real[e];
    }
    bind(machine);
    const Term where = scratch_(map_.where);
    return {world.state(std::move(real), true, real_memory_), where};
}

Term MapInWorld::same_cells(const Pair& pair, Term machine, Term real, unsigned units) {
    if (map_.tables && map_.tables->shadow) return terms().boolean(false);
    if (!map_.composes()) return terms().eq(machine, real);
    Term result = terms().boolean(true);
    for (unsigned i = 0; i < units; ++i) {
        const Term by = terms().constant(terms().sort(machine).width, i);
        const auto [physical, exists] = place(pair.machine.elements, terms().apply(isa::Op::bvadd, machine, by));
        const Term there = terms().eq(physical, terms().apply(isa::Op::bvadd, real, by));
        result = terms().and_(result, terms().and_(exists, there));
    }
    return result;
}

// Elsewhere the two memories have nothing to do with one another as far as these runs can tell.
Term MapInWorld::memories_agree(const Pair& before, const Run& machine) {
    Term result = terms().boolean(true);
    if (!map_.composes()) return result;
    const auto agree = [&](const std::vector<Update>& touched) {
        for (const Update& unit : touched) {
            const auto [physical, exists] = place(before.machine.elements, unit.index);
            const Term same = terms().eq(terms().select(terms().variable(real_memory_), physical),
                                         terms().select(terms().variable(world.physical), unit.index));
            result = terms().and_(result, terms().implies(exists, same));
        }
    };
    agree(machine.loaded);
    agree(machine.physical);
    return result;
}

// What the virtual machine stores is where it lies on the real one, which stores nothing else. As a rule both do the
// same stores in the same order: then one is compared with one.
Term MapInWorld::physical_commutes(const Pair& before, const Run& machine, const Run& real,
                                   const std::vector<Term>& then) {
    const Term own = terms().variable(world.physical);
    if (!map_.composes()) return terms().not_(arrays_differ(terms(), own, machine.physical, real.physical));
    const Term there = terms().variable(real_memory_);
    Term result = terms().boolean(true);
    const auto also = [&](Term condition) { result = terms().and_(result, condition); };
    if (machine.physical.size() == real.physical.size()) {
        for (std::size_t i = 0; i < machine.physical.size(); ++i) {
            const Update& one = machine.physical[i];
            const Update& other = real.physical[i];
            const auto [physical, exists] = place(before.machine.elements, one.index);
            const Term same = terms().and_(terms().eq(physical, other.index), terms().eq(one.value, other.value));
            also(terms().eq(one.guard, other.guard));
            also(terms().implies(one.guard, terms().and_(exists, same)));
        }
    } else {
        for (const Update& update : machine.physical) {
            const auto [physical, exists] = place(before.machine.elements, update.index);
            const Term same = terms().eq(read_after(terms(), there, real.physical, physical),
                                         read_after(terms(), own, machine.physical, update.index));
            also(terms().implies(update.guard, terms().and_(exists, same)));
        }
        for (const Update& update : real.physical) {
            Term known = terms().eq(read_after(terms(), there, real.physical, update.index),
                                    terms().select(there, update.index));
            for (const Update& one : machine.physical) {
                const Term here = terms().eq(place(before.machine.elements, one.index).physical, update.index);
                known = terms().or_(known, terms().and_(one.guard, here));
            }
            also(terms().implies(update.guard, known));
        }
    }
    // Where memory lies does not change with what the guest does.
    const Term any = terms().variable(terms().declare("any address", spec().terms.sort(map_.address)));
    const Place was = place(before.machine.elements, any);
    const Place is = place(then, any);
    also(terms().and_(terms().eq(was.physical, is.physical), terms().eq(was.exists, is.exists)));
    return result;
}

Term MapInWorld::in_a_mode(const Before& machine) {
    Term result = terms().boolean(false);
    for (const auto& [from, to] : map_.modes) result = terms().or_(result, is(machine.elements, from));
    return result;
}

Term MapInWorld::remains(const Run& machine) {
    bind(after(machine));
    return scratch_(map_.where);
}

Term MapInWorld::stays(const Before& real, const isa::Meaning& entry, const std::vector<isa::Variable>& parameters,
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

std::vector<Said> MapInWorld::synthesized(std::span<const Term> goals) {
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

void MapInWorld::bind(const std::vector<Term>& elements) {
    scratch_.forget();
    for (std::size_t e = 0; e < elements.size(); ++e) scratch_.bind(spec().elements[e].variable, elements[e]);
    for (std::size_t i = 0; i < constants_.size(); ++i) scratch_.bind(map_.constants[i], constants_[i]);
}

Term MapInWorld::is(const std::vector<Term>& elements, isa::ModeId mode) {
    Term result = terms().boolean(true);
    for (const auto& part : spec()[mode].cube)
        result = terms().and_(
            result, terms().eq(elements[part.element.index], terms().constant(spec()[part.element].width, part.value)));
    return result;
}

bool MapInWorld::mapped(std::uint32_t e) const {
    return std::any_of(mapped_.begin(), mapped_.end(),
                       [&](const isa::Write* write) { return write->element.index == e; });
}

/// Any value, the same for all virtual states.
Term MapInWorld::monitors(std::uint32_t e) {
    const auto [place, fresh] = monitors_.try_emplace(e);
    if (fresh)
        place->second = terms().variable(
            terms().declare("real " + spec().elements[e].name, spec().terms.sort(spec().elements[e].variable)));
    return place->second;
}

/// The virtual machine's element lives on the real one while the guest runs, so that it may change there.
Term MapInWorld::shown(const Pair& before, std::uint32_t e) {
    if (std::find(shown_.begin(), shown_.end(), e) != shown_.end()) return terms().boolean(true);
    for (const auto& bank : spec().banks) {
        const bool member =
            std::any_of(bank.members.begin(), bank.members.end(), [&](const auto& m) { return m.element.index == e; });
        if (!member) continue;
        const Term there = world.selector(bank, before.machine.elements);
        if (there == world.selector(bank, before.real.elements)) continue;
        const bool kept = std::any_of(bank.members.begin(), bank.members.end(), [&](const auto& m) {
            return guest(m.element.index) && !mapped(m.element.index);
        });
        return kept ? world.is_active(bank, there, {e}) : terms().boolean(false);
    }
    return terms().boolean(guest(e) && !mapped(e));
}

std::vector<Term> MapInWorld::after(const Run& run) {
    std::vector<Term> result = run.scalars;
    for (std::size_t e = 0; e < result.size(); ++e)
        for (const Update& update : run.files[e])
            result[e] = terms().store(result[e], update.index,
                                      terms().ite(update.guard, update.value, terms().select(result[e], update.index)));
    return result;
}

}  // namespace pogo::check
