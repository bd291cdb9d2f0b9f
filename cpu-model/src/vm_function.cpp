// Evaluating a VM map; docs/vm-maps.md has the definitions.
// SPDX-License-Identifier: Apache-2.0
#include "vm_function.hpp"

#include <algorithm>

namespace pogo::model {

using isa::ElementId;

Formulas::Formulas(const isa::Spec& spec, const std::vector<isa::Term>& roots)
    : spec_(spec),
      program_(isa::compile(spec.terms, roots)),
      values_(spec.terms.variable_count(), 0),
      at_(program_.first + program_.steps.size()) {}

void Formulas::evaluate(std::span<const std::uint64_t> slots) {
    if (!slots.empty()) lay_out(spec_, slots, values_);
    isa::Concrete<isa::Word, StateLeaves> domain;
    domain.values = values_;
    domain.slots = slots;
    isa::fold(program_, 0, program_.steps.size(), domain, at_.data());
}

namespace {

std::vector<isa::Term> map_roots(const isa::VmMap& map) {
    std::vector<isa::Term> roots{map.where};
    for (const isa::Write& write : map.map) roots.push_back(write.value);
    return roots;
}
std::vector<isa::Term> selector_roots(const isa::Spec& spec) {
    std::vector<isa::Term> roots;
    for (const auto& bank : spec.banks) roots.push_back(bank.selector);
    return roots;
}
std::vector<isa::Term> memory_roots(const isa::VmMap& map) {
    if (!map.memory.valid()) return {};
    return {map.memory, map.exists};
}
std::vector<isa::Term> table_roots(const isa::VmMap& map) {
    if (!map.tables) return {};
    return {map.tables->table, map.tables->page};
}

}  // namespace

VmFunction::VmFunction(const isa::Spec& spec, const isa::VmMap& map)
    : spec_(spec),
      map_(map),
      map_terms_(spec, map_roots(map)),
      selectors_(spec, selector_roots(spec)),
      memory_(spec, memory_roots(map)),
      tables_(spec, table_roots(map)) {
    const auto listed = [](const std::vector<ElementId>& list, ElementId element) {
        return std::find(list.begin(), list.end(), element) != list.end();
    };
    for (std::uint32_t e = 0; e < spec.elements.size(); ++e) {
        const auto& element = spec.elements[e];
        const bool own = element.role == isa::Role::data || element.role == isa::Role::pc ||
                         listed(spec[map.context].guest, {e}) || listed(map.guest, {e});
        guest_.push_back(own && !element.input);
    }
    kept_ = guest_;
    const auto element_of = [&](isa::Variable variable) {
        for (std::uint32_t e = 0; e < spec.elements.size(); ++e)
            if (spec.elements[e].variable == variable) return ElementId{e};
        return ElementId{};
    };
    std::vector<bool> changes(spec.elements.size(), false);  // between the machines
    for (const isa::Write& write : map.map) {
        changes[write.element.index] = true;
        kept_[write.element.index] = false;
        const auto& node = spec.terms.node(write.value);
        if (node.op != isa::Op::variable || !guest_[write.element.index]) continue;
        if (const ElementId of = element_of(isa::Variable{node.a}); of.valid())
            renamed_.emplace_back(write.element, of);
    }
    for (const auto& [from, to] : map.modes)
        for (const auto mode : {from, to})
            for (const auto& part : spec[mode].cube) changes[part.element.index] = true;
    for (std::size_t b = 0; b < spec.banks.size(); ++b) {
        const auto& bank = spec.banks[b];
        const auto support = spec.terms.support(std::span(&bank.selector, 1));
        const bool moves = std::any_of(support.begin(), support.end(), [&](isa::Variable variable) {
            const ElementId element = element_of(variable);
            return element.valid() && changes[element.index];
        });
        if (!moves) continue;
        swaps_.push_back({&bank, b});
        for (const auto& member : bank.members) kept_[member.element.index] = false;
    }
}

std::optional<std::string> VmFunction::unfit() const {
    if (!map_.memory.valid()) return std::nullopt;
    const std::vector<isa::Term> roots{map_.memory, map_.exists};
    for (const auto variable : spec_.terms.support(roots))
        for (const auto& element : spec_.elements)
            if (element.variable == variable) return "where the guest's memory lies depends on " + element.name;
    return std::nullopt;
}

void VmFunction::set_constants(Formulas& formulas, Slots constants) {
    for (std::size_t i = 0; i < constants.size(); ++i) formulas.set(map_.constants[i], constants[i]);
}

bool VmFunction::in(Slots slots, isa::ModeId mode) const { return is_in(spec_, slots, spec_[mode]); }

std::optional<std::size_t> VmFunction::runs(Slots machine, Slots constants) {
    for (std::size_t mode = 0; mode < map_.modes.size(); ++mode) {
        if (!in(machine, map_.modes[mode].first)) continue;
        set_constants(map_terms_, constants);
        map_terms_.evaluate(machine);
        if (map_terms_[0] != 0) return mode;
        return std::nullopt;
    }
    return std::nullopt;
}

const isa::Element* VmFunction::active(const Swap& swap, Slots slots) {
    selectors_.evaluate(slots);
    const std::uint64_t value = selectors_[swap.selector];
    for (const auto& member : swap.bank->members)
        if (member.value == value) return &spec_[member.element];
    return nullptr;
}

void VmFunction::image(Slots machine, Slots constants, std::size_t mode, std::span<std::uint64_t> real) {
    for (std::uint32_t e = 0; e < kept_.size(); ++e) {
        const auto& element = spec_.elements[e];
        if (kept_[e] || element.role == isa::Role::mode)
            std::copy_n(machine.begin() + element.slot, element.slots(), real.begin() + element.slot);
    }
    for (const auto& part : spec_[map_.modes[mode].second].cube)
        real[spec_[part.element].slot] = static_cast<std::uint64_t>(part.value);
    set_constants(map_terms_, constants);
    map_terms_.evaluate(machine);
    for (std::size_t i = 0; i < map_.map.size(); ++i) {
        const isa::Write& write = map_.map[i];
        const auto entry = write.index.valid() ? static_cast<std::size_t>(spec_.terms.value(write.index)) : 0;
        real[spec_[write.element].slot + entry] = map_terms_[1 + i];
    }
    for (const Swap& swap : swaps_) {
        const auto* const there = active(swap, machine);
        const auto* const here = active(swap, real);
        if (there == nullptr || here == nullptr) continue;
        const ElementId to{static_cast<std::uint32_t>(here - spec_.elements.data())};
        const bool mapped =
            std::any_of(map_.map.begin(), map_.map.end(), [&](const isa::Write& write) { return write.element == to; });
        if (guest_[to.index] && !mapped) real[here->slot] = machine[there->slot];
    }
}

std::uint64_t VmFunction::mapped(std::size_t entry, Slots machine, Slots constants) {
    set_constants(map_terms_, constants);
    map_terms_.evaluate(machine);
    return map_terms_[1 + entry];
}

std::optional<std::size_t> VmFunction::back(Slots real, std::size_t mode, std::span<std::uint64_t> machine) {
    // Which member a bank names is asked before anything changes: what lived on the real machine is what was active.
    std::vector<std::pair<unsigned, std::uint64_t>> moved;
    for (const Swap& swap : swaps_) {
        const auto* const there = active(swap, machine);
        const auto* const here = active(swap, real);
        if (there == nullptr || here == nullptr) continue;
        if (guest_[static_cast<std::size_t>(here - spec_.elements.data())])
            moved.emplace_back(there->slot, real[here->slot]);
    }
    for (const auto& [slot, value] : moved) machine[slot] = value;
    for (std::uint32_t e = 0; e < kept_.size(); ++e)
        if (kept_[e]) {
            const auto& element = spec_.elements[e];
            std::copy_n(real.begin() + element.slot, element.slots(), machine.begin() + element.slot);
        }
    for (const auto& [from, to] : renamed_) machine[spec_[to].slot] = real[spec_[from].slot];
    std::optional<std::size_t> now;
    if (in(real, map_.modes[mode].second)) now = mode;
    for (std::size_t k = 0; k < map_.modes.size() && !now; ++k)
        if (in(real, map_.modes[k].second)) now = k;
    if (now)
        for (const auto& part : spec_[map_.modes[*now].first].cube)
            machine[spec_[part.element].slot] = static_cast<std::uint64_t>(part.value);
    return now;
}

std::optional<ElementId> VmFunction::differs(Slots real, Slots expected) const {
    for (std::uint32_t e = 0; e < spec_.elements.size(); ++e) {
        const auto& element = spec_.elements[e];
        if (element.input) continue;
        if (!std::equal(real.begin() + element.slot, real.begin() + element.slot + element.slots(),
                        expected.begin() + element.slot))
            return ElementId{e};
    }
    return std::nullopt;
}

std::optional<std::uint64_t> VmFunction::memory(std::uint64_t address, Slots constants) {
    if (!map_.memory.valid()) return address;
    set_constants(memory_, constants);
    memory_.set(map_.address, address);
    memory_.evaluate({});
    if (memory_[1] == 0) return std::nullopt;
    return memory_[0];
}

std::uint64_t VmFunction::table(std::uint64_t at) {
    tables_.set(map_.tables->table_at, at);
    tables_.set(map_.tables->page_at, at);
    tables_.evaluate({});
    return tables_[0];
}

std::uint64_t VmFunction::page(std::uint64_t at, bool fetch, bool load, bool store) {
    tables_.set(map_.tables->page_at, at);
    tables_.set(map_.tables->fetch, fetch ? 1 : 0);
    tables_.set(map_.tables->load, load ? 1 : 0);
    tables_.set(map_.tables->store, store ? 1 : 0);
    tables_.evaluate({});
    return tables_[1];
}

}  // namespace pogo::model
