// Runs: what one form does from one symbolic state, and how two runs compare.
// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "isa/require.hpp"

namespace pogo::check {

using isa::ElementId;
using isa::Op;
using isa::Term;
using isa::Terms;

namespace {

Term offset(Terms& terms, Term address, unsigned by) {
    return terms.apply(Op::bvadd, address, terms.constant(terms.sort(address).width, by));
}

/// first ≤ address ≤ last.
Term inside(Terms& terms, const isa::Region& region, Term address) {
    const unsigned width = terms.sort(address).width;
    const Term above = terms.apply(Op::bvule, terms.constant(width, region.first), address);
    return terms.and_(above, terms.apply(Op::bvule, address, terms.constant(width, region.last)));
}

/// Of a kind that the machine has added.
bool is_special(unsigned access) { return access > static_cast<unsigned>(isa::Access::store); }

}  // namespace

Term read_after(Terms& terms, Term array, const std::vector<Update>& updates, Term index) {
    Term result = terms.select(array, index);
    for (const Update& update : updates)
        result = terms.ite(terms.and_(update.guard, terms.eq(update.index, index)), update.value, result);
    return result;
}

// At an index that one of them wrote, as the arrays are one.
Term arrays_differ(Terms& terms, Term array, const std::vector<Update>& one, const std::vector<Update>& two) {
    Term result = terms.boolean(false);
    if (one == two) return result;
    for (const auto* updates : {&one, &two})
        for (const Update& update : *updates) {
            const Term a = read_after(terms, array, one, update.index);
            const Term b = read_after(terms, array, two, update.index);
            result = terms.or_(result, terms.and_(update.guard, terms.distinct(a, b)));
        }
    return result;
}

FormInWorld::FormInWorld(World& world, const isa::Form& form, std::size_t number) : world_(&world), form_(&form) {
    Terms& terms = world.terms;
    for (const auto& field : form.fields)
        fields_.push_back(terms.variable(
            terms.declare(fmt::format("form{}.{}", number, field.name), world.spec.terms.sort(field.variable))));
    for (std::size_t i = 0; i < form.meaning.choices.size(); ++i)
        choices_.push_back(terms.variable(
            terms.declare(fmt::format("form{}.choice{}", number, i), world.spec.terms.sort(form.meaning.choices[i]))));
}

FormInWorld::FormInWorld(World& world, const isa::Form& form, std::vector<Term> fields)
    : FormInWorld(world, form, std::size_t{0}) {
    fields_ = std::move(fields);
}

Term FormInWorld::parcel(unsigned number) {
    Terms& terms = world_->terms;
    const unsigned width = world_->spec.parcel_bits();
    Term result = terms.constant(width, form_->encoding.parcels[number].value);
    for (const auto& piece : form_->encoding.pieces) {
        if (piece.parcel != number) continue;
        const Term bits = terms.extract(fields_[piece.field], piece.from + piece.width - 1, piece.from);
        const Term wide = terms.zero_extend(bits, width);
        result = terms.apply(Op::bvor, result, terms.apply(Op::bvshl, wide, terms.constant(width, piece.low)));
    }
    return result;
}

Term FormInWorld::next(const Before& before) {
    const isa::Spec& spec = world_->spec;
    if (!spec.next_pc.valid()) return {};
    const Term next = parcel_address(before, static_cast<unsigned>(form_->encoding.parcels.size()));
    const unsigned width = spec.terms.sort(spec.next_pc).width;
    const Term wide = world_->terms.zero_extend(next, std::max(width, spec.address_width));
    return world_->terms.extract(wide, width - 1, 0);
}

void FormInWorld::enter(Before& before) {
    const isa::Spec& spec = world_->spec;
    Instance& instance = before.instance;
    instance.forget();
    for (std::size_t i = 0; i < fields_.size(); ++i) instance.bind(form_->fields[i].variable, fields_[i]);
    for (std::size_t i = 0; i < choices_.size(); ++i) instance.bind(form_->meaning.choices[i], choices_[i]);
    if (spec.next_pc.valid() && !form_->encoding.parcels.empty()) instance.bind(spec.next_pc, next(before));
    if (spec.opcode.valid() && !form_->encoding.parcels.empty()) instance.bind(spec.opcode, parcel(0));
    for (const auto& load : form_->meaning.loads) {
        const Term address = instance(load.direct ? load.physical : load.address);
        Term data;
        for (unsigned i = 0; i < load.units; ++i) {
            const Term next = read(before, load.direct, offset(world_->terms, address, i), is_special(load.access));
            data = join(data, next);
        }
        instance.bind(load.result, data);
    }
}

Term FormInWorld::read(const Before& before, bool direct, Term address, bool special) {
    Terms& terms = world_->terms;
    if (!direct) return terms.select(terms.variable(special ? world_->special : world_->view), address);
    Term result = terms.select(before.physical, address);
    for (std::size_t i = 0; i < before.regions.size(); ++i)
        if (before.regions[i] != before.physical) {
            const Term here = inside(terms, world_->spec.regions[i], address);
            result = terms.ite(here, terms.select(before.regions[i], address), result);
        }
    return result;
}

// Two neighbours in memory as one number; the first may be nothing yet.
Term FormInWorld::join(Term data, Term next) {
    if (!data.valid()) return next;
    return world_->spec.big_endian ? world_->terms.concat(data, next) : world_->terms.concat(next, data);
}

Term FormInWorld::unit(Term data, unsigned units, unsigned number) {
    const unsigned bits = world_->spec.unit_bits;
    const unsigned place = world_->spec.big_endian ? units - 1 - number : number;
    return world_->terms.extract(data, (place + 1) * bits - 1, place * bits);
}

Term FormInWorld::parcel_address(const Before& before, unsigned number) {
    const isa::Spec& spec = world_->spec;
    const Term pc = before.elements[spec.pc.index];
    const unsigned width = std::max(spec.address_width, spec[spec.pc].width);
    const Term wide = offset(world_->terms, world_->terms.zero_extend(pc, width), number * spec.parcel_units);
    return world_->terms.extract(wide, spec.address_width - 1, 0);
}

FormInWorld::Walk FormInWorld::walk(Before& before, Term address, unsigned access, unsigned units,
                                    unsigned walk_loads) {
    const isa::Translation& translation = world_->spec.translation;
    Terms& terms = world_->terms;
    Instance& instance = before.instance;
    instance.forget();
    instance.bind(translation.address, address);
    instance.bind(translation.access, terms.constant(world_->spec.terms.sort(translation.access).width, access));
    instance.bind(translation.units, terms.constant(8, units));
    Walk result{{}, terms.boolean(false), terms.boolean(false), {}};
    unsigned loads = 0;  // that may happen in this state
    for (const auto& load : translation.loads) {
        const Term guard = instance(load.guard);
        if (loads == walk_loads || terms.is_false(guard)) {
            result.longer = terms.or_(result.longer, guard);
            instance.bind(load.result, terms.constant(world_->spec.terms.sort(load.result).width, 0));
            continue;
        }
        ++loads;
        const Term physical = instance(load.physical);
        Term data;
        for (unsigned j = 0; j < load.units; ++j) {
            const Term where = offset(terms, physical, j);
            const Term value = read(before, true, where);
            data = join(data, value);
            result.loads.push_back({Access::Kind::load, true, guard, {}, where, value});
        }
        instance.bind(load.result, data);
    }
    result.physical = instance(translation.physical);
    for (const auto& fault : translation.faults) result.faults = terms.or_(result.faults, instance(fault.guard));
    return result;
}

std::vector<isa::Variable> FormInWorld::translation_reads(const Before& before) {
    const isa::Spec& spec = world_->spec;
    const isa::Translation& translation = spec.translation;
    Terms& terms = world_->terms;
    const auto any = [&](isa::Variable like) { return terms.variable(terms.declare("any", spec.terms.sort(like))); };
    Instance instance = before.instance;
    instance.forget();
    for (const auto variable : {translation.address, translation.access, translation.units})
        instance.bind(variable, any(variable));
    std::vector<Term> all;
    for (const auto& load : translation.loads) {
        all.push_back(instance(load.guard));
        all.push_back(instance(load.physical));
        instance.bind(load.result, any(load.result));
    }
    for (const auto& fault : translation.faults) all.push_back(instance(fault.guard));
    all.push_back(instance(translation.physical));
    return terms.support(all);
}

FormInWorld::Walk FormInWorld::fetch(Before& before, unsigned number, unsigned walk_loads) {
    return walk(before, parcel_address(before, number), static_cast<unsigned>(isa::Access::fetch),
                world_->spec.parcel_units, walk_loads);
}

Run FormInWorld::run(Before& before) {
    const isa::Spec& spec = world_->spec;
    Terms& terms = world_->terms;
    Instance& instance = before.instance;
    Run run;

    run.executes = before.holds;
    for (unsigned i = 0; i < form_->encoding.parcels.size() && spec.translation.loads.empty(); ++i)
        run.executes = terms.and_(run.executes, terms.not_(fetch(before, i, 0).faults));
    enter(before);
    if (form_->encoding.where.valid()) run.executes = terms.and_(run.executes, instance(form_->encoding.where));

    Term none = terms.boolean(true);  // no trap so far
    run.other_trap = terms.boolean(false);
    for (const auto& trap : form_->meaning.traps) {
        const Term guard = instance(trap.guard);
        Fired fired{trap.cause, terms.and_(none, guard), {}};
        for (const Term argument : trap.arguments) fired.arguments.push_back(instance(argument));
        if (spec[trap.cause].kind != isa::TrapKind::memory) run.other_trap = terms.or_(run.other_trap, fired.fires);
        none = terms.and_(none, terms.not_(guard));
        run.traps.push_back(std::move(fired));
    }
    run.completes = none;

    for (const auto& load : form_->meaning.loads)
        for (unsigned i = 0; load.direct && i < load.units; ++i) {
            const Term address = offset(terms, instance(load.physical), i);
            run.loaded.push_back({instance(load.guard), address, read(before, true, address)});
        }

    run.scalars = before.elements;
    run.files.resize(spec.elements.size());
    for (const auto& write : form_->meaning.writes) {
        const std::uint32_t e = write.element.index;
        const Term guard = instance(write.guard);
        const Term value = instance(write.value);
        if (write.index.valid())
            run.files[e].push_back({guard, instance(write.index), value});
        else
            run.scalars[e] = terms.ite(guard, value, run.scalars[e]);
    }
    for (const auto& store : form_->meaning.stores) {
        const Term guard = instance(store.guard);
        const Term address = instance(store.direct ? store.physical : store.address);
        const Term data = instance(store.data);
        for (unsigned i = 0; i < store.units; ++i)
            (store.direct               ? run.physical
             : is_special(store.access) ? run.special
                                        : run.view)
                .push_back({guard, offset(terms, address, i), unit(data, store.units, i)});
    }
    // An update that never happens is none.
    const auto prune = [&](std::vector<Update>& updates) {
        std::erase_if(updates, [&](const Update& update) { return terms.is_false(update.guard); });
    };
    for (auto& updates : run.files) prune(updates);
    prune(run.view);
    prune(run.special);
    prune(run.physical);
    prune(run.loaded);
    return run;
}

std::vector<Attempt> FormInWorld::attempts(Before& before) {
    const isa::Meaning& meaning = form_->meaning;
    Terms& terms = world_->terms;
    Instance& instance = before.instance;
    std::vector<Attempt> result;
    enter(before);
    // Where an earlier trap fires, an access does not happen.
    const auto reached = [&](const auto& access, std::size_t loads) {
        Term guard = instance(access.guard);
        for (const auto& trap : meaning.traps)
            if (access.translated.valid() && trap.loads_before <= loads)
                guard = terms.and_(guard, terms.not_(instance(trap.guard)));
        return guard;
    };
    const auto add = [&](Access::Kind kind, const auto& access, std::size_t loads, Term data) {
        result.push_back(
            {kind, access.direct, reached(access, loads), access.direct ? Term{} : instance(access.address),
             access.translated.valid() ? Term{} : instance(access.physical), data, access.units, access.access});
    };
    for (std::size_t i = 0; i < meaning.loads.size(); ++i) add(Access::Kind::load, meaning.loads[i], i, {});
    for (const auto& store : meaning.stores)
        add(Access::Kind::store, store, meaning.loads.size(), instance(store.data));
    return result;
}

Touched FormInWorld::touched(Before& before, unsigned walk_loads) {
    const isa::Spec& spec = world_->spec;
    Terms& terms = world_->terms;
    Touched result{{}, terms.boolean(true)};
    const bool walks = !spec.translation.loads.empty();
    // An access for which its translation has to be run.
    const auto walked = [&](const Walk& walk, Term guard) {
        result.possible =
            terms.and_(result.possible, terms.implies(guard, terms.not_(terms.or_(walk.faults, walk.longer))));
        for (Access load : walk.loads) {
            load.guard = terms.and_(guard, load.guard);
            if (!terms.is_false(load.guard)) result.accesses.push_back(load);
        }
    };
    for (unsigned i = 0; i < form_->encoding.parcels.size(); ++i) {
        const Walk walk = fetch(before, i, walk_loads);
        if (walks) walked(walk, terms.boolean(true));
        const Term address = parcel_address(before, i);
        const Term bits = parcel(i);
        for (unsigned j = 0; j < spec.parcel_units; ++j)
            result.accesses.push_back({Access::Kind::fetch, false, terms.boolean(true), offset(terms, address, j),
                                       offset(terms, walk.physical, j), unit(bits, spec.parcel_units, j)});
    }

    // What the form says first, as translations need the instance for themselves.
    for (Attempt& access : attempts(before)) {
        if (!access.physical.valid()) {
            const Walk walk = this->walk(before, access.address, access.access, access.units, walk_loads);
            walked(walk, access.guard);
            access.physical = walk.physical;
        }
        for (unsigned j = 0; j < access.units; ++j) {
            const Term at = access.direct ? Term{} : offset(terms, access.address, j);
            const Term where = offset(terms, access.physical, j);
            result.accesses.push_back(
                {access.kind, access.direct, access.guard, at, where,
                 access.kind == Access::Kind::store
                     ? unit(access.data, access.units, j)
                     : read(before, access.direct, access.direct ? where : at, is_special(access.access))});
        }
    }
    return result;
}

isa::Form entry_form(const isa::Spec& spec, const isa::Meaning& entry, const std::vector<isa::Variable>& parameters) {
    isa::Form form;
    form.meaning = entry;
    for (const auto parameter : parameters)
        form.fields.push_back({spec.terms.name(parameter), spec.terms.sort(parameter).width, parameter, {}});
    form.fields.push_back({"next_pc", spec.terms.sort(spec.next_pc).width, spec.next_pc, {}});
    return form;
}

Term realizable(World& world, Touched all) {
    Terms& terms = world.terms;
    auto& [touched, result] = all;
    std::erase_if(touched, [&](const Access& access) {
        return access.kind == Access::Kind::store || terms.is_false(access.guard);
    });
    for (std::size_t i = 0; i < touched.size(); ++i) {
        const Access& one = touched[i];
        // The instruction is in memory where it is fetched from.
        if (one.kind == Access::Kind::fetch)
            result = terms.and_(result, terms.eq(terms.select(terms.variable(world.view), one.address), one.value));
        // Equal physical addresses hold equal values. Identity translations and equal addresses need not be told.
        for (std::size_t j = 0; j < i; ++j) {
            const Access& two = touched[j];
            const bool identity =
                !one.direct && !two.direct && one.physical == one.address && two.physical == two.address;
            if (identity || (one.direct && two.direct)) continue;
            const Term happen = terms.and_(one.guard, two.guard);
            const Term same = terms.and_(happen, terms.eq(one.physical, two.physical));
            result = terms.and_(result, terms.implies(same, terms.eq(one.value, two.value)));
        }
    }
    return result;
}

Term results_differ(World& world, const Run& one, const Run& two, std::span<const Item* const> except) {
    const isa::Spec& spec = world.spec;
    Terms& terms = world.terms;
    std::vector<bool> compared(spec.elements.size(), true);
    std::vector<std::uint32_t> regions;
    for (const Item* item : except) {
        for (const ElementId e : item->elements) compared[e.index] = false;
        if (item->region) regions.push_back(*item->region);
    }
    world.leave_out_banked(compared, one.scalars, two.scalars);
    Term result = terms.boolean(false);
    const auto seen = world.swap_banks(two.scalars, one.scalars, two.scalars);
    for (std::size_t i = 0; i < spec.elements.size(); ++i) {
        if (!compared[i]) continue;
        result = terms.or_(result, spec.elements[i].is_file()
                                       ? arrays_differ(terms, one.scalars[i], one.files[i], two.files[i])
                                       : terms.distinct(one.scalars[i], seen[i]));
    }
    result = terms.or_(result, arrays_differ(terms, terms.variable(world.view), one.view, two.view));
    result = terms.or_(result, arrays_differ(terms, terms.variable(world.special), one.special, two.special));
    const auto outside = [&](std::vector<Update> updates) {
        for (Update& update : updates)
            for (const auto region : regions)
                update.guard = terms.and_(update.guard, terms.not_(inside(terms, spec.regions[region], update.index)));
        std::erase_if(updates, [&](const Update& update) { return terms.is_false(update.guard); });
        return updates;
    };
    const std::vector<Update> first = outside(one.physical);
    const std::vector<Update> second = outside(two.physical);
    return terms.or_(result, arrays_differ(terms, terms.variable(world.physical), first, second));
}

Term changes(World& world, const Before& before, const Run& run, const Item& item) {
    Terms& terms = world.terms;
    Term result = terms.boolean(false);
    for (const ElementId e : item.elements)
        result = terms.or_(result, world.spec[e].is_file()
                                       ? arrays_differ(terms, run.scalars[e.index], run.files[e.index], {})
                                       : terms.distinct(run.scalars[e.index], before.elements[e.index]));
    if (!item.region) return result;
    const isa::Region& region = world.spec.regions[*item.region];
    const Term memory = terms.variable(world.physical);
    for (const Update& update : run.physical) {
        const Term after = read_after(terms, memory, run.physical, update.index);
        const Term changed = terms.distinct(after, terms.select(memory, update.index));
        result = terms.or_(result, terms.and_(terms.and_(update.guard, inside(terms, region, update.index)), changed));
    }
    return result;
}

}  // namespace pogo::check
