// Concrete evaluation of the Spec's terms.
// SPDX-License-Identifier: Apache-2.0
#include "probe.hpp"

#include <algorithm>

#include "isa/assembly.hpp"

namespace pogo::report {

using isa::Term;
using isa::Terms;

Probe::Probe(const isa::Spec& spec) : spec_(spec), walk_(spec) {
    domain_.spec = &spec;
    domain_.element_of.assign(spec.terms.variable_count(), ~0U);
    domain_.values.assign(spec.terms.variable_count(), 0);
    for (std::uint32_t i = 0; i < spec.elements.size(); ++i) domain_.element_of[spec.elements[i].variable.id] = i;
    const auto prepare = [&](const std::vector<Term>& roots) {
        return Code{isa::compile(spec.terms, roots), roots.empty()};
    };
    Terms terms = spec.terms;
    Term all = terms.boolean(true);
    for (const auto& invariant : spec.invariants) all = terms.and_(all, invariant.holds);
    for (const Term stops : {spec.waiting, spec.halted})
        if (stops.valid()) all = terms.and_(all, terms.not_(stops));
    std::vector<Term> roots;
    for (const Term conjunct : terms.conjuncts(all)) {
        roots.push_back(conjunct);
        Subject subject;
        isa::each_below(terms, std::span(&conjunct, 1), [&](Term term) {
            const isa::Node node = terms.node(term);
            if (node.op == isa::Op::constant && terms.sort(term).is_bits())
                subject.constants.push_back(static_cast<std::uint64_t>(terms.value(term)));
            if (node.op != isa::Op::variable) return;
            const std::uint32_t e = domain_.element_of[node.a];
            if (!spec.elements[e].is_file()) subject.elements.push_back({e});
        });
        subjects_.push_back(std::move(subject));
    }
    conditions_ = {isa::compile(terms, roots), false};
    roots.clear();
    for (const auto& bank : spec.banks) roots.push_back(bank.selector);
    selectors_ = prepare(roots);
}

void Probe::run(Code& code, std::size_t begin, std::size_t end) {
    if (code.empty) return;
    code.values.resize(code.program.first + code.program.steps.size());
    isa::fold(code.program, begin, end, domain_, code.values.data());
}

std::size_t Probe::run_for(Code& code, std::size_t done, std::size_t roots) {
    std::size_t end = done;
    for (std::size_t r = 0; r < roots; ++r)
        if (const auto position = code.program.roots[r]; position >= code.program.first)
            end = std::max<std::size_t>(end, position - code.program.first + 1);
    run(code, done, end);
    return end;
}

Word Probe::number_at(std::uint64_t physical, unsigned units, const Read& read) const {
    const auto mask = static_cast<std::uint64_t>(isa::ones(spec_.physical_width));
    Word result = 0;
    for (unsigned j = 0; j < units; ++j) {
        const unsigned place = spec_.big_endian ? units - 1 - j : j;
        result |= Word{read((physical + j) & mask)} << (place * spec_.unit_bits);
    }
    return result;
}

std::optional<std::uint64_t> Probe::translate(std::uint64_t address, unsigned access, unsigned units,
                                              const Read& read) {
    return walk_.run(domain_, domain_.values, address, access, units,
                     [&](std::uint64_t physical, unsigned count) { return number_at(physical, count, read); });
}

std::vector<Probe::Condition> Probe::broken(const isa::State& state) {
    domain_.state = &state;
    run(conditions_, 0, conditions_.program.steps.size());
    std::vector<Condition> result;
    for (Condition condition = 0; condition < subjects_.size(); ++condition)
        if (root(conditions_, condition) == 0) result.push_back(condition);
    return result;
}

std::uint64_t Probe::address_at(const isa::State& state, std::uint64_t offset) const {
    return (state.get(spec_[spec_.pc]) + offset) & static_cast<std::uint64_t>(isa::ones(spec_.address_width));
}

Probe::Code& Probe::code_of(isa::FormId form) {
    const auto [place, fresh] = forms_.try_emplace(form.index);
    if (fresh) {
        const isa::Meaning& meaning = spec_[form].meaning;
        std::vector<Term> roots;
        for (const auto& load : meaning.loads)
            for (const Term term : {load.guard, load.translated.valid() ? load.address : load.physical,
                                    load.direct ? load.physical : load.address})
                roots.push_back(term);
        for (const auto& store : meaning.stores)
            for (const Term term : {store.guard, store.translated.valid() ? store.address : store.physical,
                                    store.direct ? store.physical : store.address})
                roots.push_back(term);
        place->second = {isa::compile(spec_.terms, roots), roots.empty()};
    }
    return place->second;
}

std::optional<std::vector<std::uint64_t>> Probe::fetched(const isa::State& state, std::size_t units, const Read& read) {
    const auto mask = static_cast<std::uint64_t>(isa::ones(spec_.physical_width));
    std::vector<std::uint64_t> result;
    domain_.state = &state;
    for (std::size_t i = 0; i < units; i += spec_.parcel_units) {
        const auto physical =
            translate(address_at(state, i), static_cast<unsigned>(isa::Access::fetch), spec_.parcel_units, read);
        if (!physical) return std::nullopt;
        for (std::size_t j = 0; j < spec_.parcel_units; ++j) result.push_back((*physical + j) & mask);
    }
    return result;
}

std::optional<Footprint> Probe::footprint(const isa::State& state, const Instance& instance,
                                          const SharedMemory& memory) {
    const isa::Form& form = spec_[instance.form];
    const auto physical_mask = static_cast<std::uint64_t>(isa::ones(spec_.physical_width));
    const auto address_mask = static_cast<std::uint64_t>(isa::ones(spec_.address_width));
    Footprint result;
    bool consistent = true;
    const auto put = [&](std::uint64_t physical, std::uint64_t value) {
        const auto [place, fresh] = result.memory.emplace(physical & physical_mask, value);
        consistent = consistent && (fresh || place->second == value);
    };
    domain_.state = &state;

    // What translations load is there, too.
    const Read walk = [&](std::uint64_t physical) {
        const std::uint64_t unit = memory.direct(physical);
        put(physical, unit);
        return unit;
    };
    const auto instruction = fetched(state, instance.units.size(), walk);
    if (!instruction) return std::nullopt;
    for (std::size_t i = 0; i < instance.units.size(); ++i) put((*instruction)[i], instance.units[i]);

    for (std::size_t i = 0; i < form.fields.size(); ++i)
        domain_.values[form.fields[i].variable.id] = instance.fields[i];
    for (std::size_t i = 0; i < form.meaning.choices.size(); ++i)
        domain_.values[form.meaning.choices[i].id] = instance.choices[i];
    if (spec_.next_pc.valid()) {
        const auto width = spec_.terms.sort(spec_.next_pc).width;
        domain_.values[spec_.next_pc.id] = address_at(state, instance.units.size()) & isa::ones(width);
    }
    if (spec_.opcode.valid()) domain_.values[spec_.opcode.id] = isa::parcel_of(spec_, instance.units.data());

    // Loads in their order: what one brings may be the address of the next.
    Code& code = code_of(instance.form);
    const auto& loads = form.meaning.loads;
    const auto& stores = form.meaning.stores;
    std::size_t done = 0;
    for (std::size_t i = 0; i < loads.size(); ++i) {
        done = run_for(code, done, 3 * i + 3);
        const bool happens = root(code, 3 * i) != 0;
        auto physical = static_cast<std::uint64_t>(root(code, 3 * i + 1));
        if (loads[i].translated.valid() && happens) {
            const auto to = translate(physical, loads[i].access, loads[i].units, walk);
            if (!to) return std::nullopt;
            physical = *to;
        }
        const auto address = static_cast<std::uint64_t>(root(code, 3 * i + 2));
        Word data = 0;
        for (unsigned j = 0; j < loads[i].units; ++j) {
            const std::uint64_t unit = loads[i].direct ? memory.direct((physical + j) & physical_mask)
                                                       : memory.view((address + j) & address_mask);
            if (happens) put(physical + j, unit);
            const unsigned place = spec_.big_endian ? loads[i].units - 1 - j : j;
            data |= Word{unit} << (place * spec_.unit_bits);
        }
        domain_.values[loads[i].result.id] = data;
    }
    run(code, done, code.program.steps.size());
    for (std::size_t i = 0; i < stores.size(); ++i) {
        const std::size_t at = 3 * (loads.size() + i);
        if (root(code, at) == 0) continue;
        auto physical = static_cast<std::uint64_t>(root(code, at + 1));
        const auto address = static_cast<std::uint64_t>(root(code, at + 2));
        if (stores[i].translated.valid()) {
            const auto to = translate(physical, stores[i].access, stores[i].units, walk);
            if (!to) return std::nullopt;
            physical = *to;
        }
        for (unsigned j = 0; j < stores[i].units; ++j) {
            const std::uint64_t there = (physical + j) & physical_mask;
            const std::uint64_t seen = stores[i].direct ? there : (address + j) & address_mask;
            put(there, stores[i].direct ? memory.direct(there) : memory.view(seen));
            result.stores[there] = {seen, stores[i].direct};
        }
    }
    if (!consistent) return std::nullopt;
    return result;
}

std::vector<Word> Probe::selected(const isa::State& state) {
    domain_.state = &state;
    run(selectors_, 0, selectors_.program.steps.size());
    std::vector<Word> result;
    for (std::size_t i = 0; i < spec_.banks.size(); ++i) result.push_back(root(selectors_, i));
    return result;
}

void Probe::leave_out_banked(std::vector<bool>& compared, const isa::State& first, const isa::State& second) {
    const auto one = selected(first);
    const auto two = selected(second);
    for (std::size_t i = 0; i < spec_.banks.size(); ++i) {
        const auto& members = spec_.banks[i].members;
        const auto left_out = [&](const auto& member) { return !compared[member.element.index]; };
        if (one[i] == two[i] || std::none_of(members.begin(), members.end(), left_out)) continue;
        for (const auto& member : members) compared[member.element.index] = false;
    }
}

isa::State Probe::swap_banks(isa::State values, const isa::State& first, const isa::State& second) {
    if (spec_.banks.empty()) return values;
    const auto one = selected(first);
    const auto two = selected(second);
    for (std::size_t i = 0; i < spec_.banks.size(); ++i) {
        const auto active = [&](Word by) -> std::optional<unsigned> {
            for (const auto& member : spec_.banks[i].members)
                if (member.value == by) return spec_[member.element].slot;
            return std::nullopt;
        };
        const auto a = active(one[i]);
        const auto b = active(two[i]);
        if (a && b && *a != *b) std::swap(values.slots[*a], values.slots[*b]);
    }
    return values;
}

}  // namespace pogo::report
