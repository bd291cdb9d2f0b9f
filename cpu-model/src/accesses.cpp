// Guards, addresses and data of loads and stores, folded over a state.
// SPDX-License-Identifier: Apache-2.0
#include "model/accesses.hpp"

#include <algorithm>

#include "isa/concrete.hpp"
#include "state_leaves.hpp"

namespace pogo::model {

using isa::Word;

namespace {

constexpr std::size_t roots_of_load = 3;   // guard, address, physical address (where the translation gives it: address)
constexpr std::size_t roots_of_store = 4;  // and data

}  // namespace

Accesses::Accesses(const isa::Spec& spec) : spec_(spec), walk_(spec), values_(spec.terms.variable_count(), 0) {}

const Accesses::Form& Accesses::prepared(isa::FormId form) {
    const auto [at, fresh] = forms_.try_emplace(form.index);
    if (!fresh) return at->second;
    const isa::Meaning& meaning = spec_[form].meaning;
    std::vector<isa::Term> roots;
    std::vector<isa::Term> all;
    for (const auto& load : meaning.loads)
        roots.insert(roots.end(), {load.guard, load.address, load.translated.valid() ? load.address : load.physical});
    for (const auto& store : meaning.stores)
        roots.insert(roots.end(), {store.guard, store.address,
                                   store.translated.valid() ? store.address : store.physical, store.data});
    at->second.program = isa::compile(spec_.terms, roots);
    all = roots;
    for (const auto& trap : meaning.traps) all.push_back(trap.guard);
    for (const auto& write : meaning.writes) {
        all.insert(all.end(), {write.value, write.guard});
        if (write.index.valid()) all.push_back(write.index);
    }
    const auto support = spec_.terms.support(all);
    for (const auto& load : meaning.loads)
        at->second.used.push_back(std::find(support.begin(), support.end(), load.result) != support.end());
    return at->second;
}

const std::vector<Access>& Accesses::of(isa::FormId form, std::span<const std::uint64_t> fields,
                                        std::span<const std::uint64_t> slots, const Memory& memory) {
    accesses_.clear();
    const isa::Meaning& meaning = spec_[form].meaning;
    if (meaning.loads.empty() && meaning.stores.empty()) return accesses_;
    const Form& prepared = this->prepared(form);
    const isa::Program& program = prepared.program;
    lay_out(spec_, slots, values_);
    for (std::size_t i = 0; i < fields.size(); ++i) values_[spec_[form].fields[i].variable.id] = fields[i];
    for (const auto& choice : meaning.choices) values_[choice.id] = 0;
    for (const auto& load : meaning.loads) values_[load.result.id] = 0;
    isa::Concrete<Word, StateLeaves> domain;
    domain.values = values_;
    domain.slots = slots;
    std::vector<Word> all(program.steps.size());
    const auto root = [&](std::size_t number) { return all[program.roots[number]]; };
    const auto number_at = [&](std::uint64_t physical, unsigned units) {
        Word data = 0;
        for (unsigned i = 0; i < units; ++i) {
            const unsigned place = spec_.big_endian ? units - 1 - i : i;
            data |= Word{memory(physical + i)} << (place * spec_.unit_bits);
        }
        return data;
    };
    // An instruction that completes has met no fault.
    const auto physical = [&](const auto& access, std::uint64_t address) {
        if (!access.translated.valid()) return address;
        return walk_.run(domain, values_, address, access.access, access.units, number_at).value_or(0);
    };
    isa::fold(program, 0, program.steps.size(), domain, all.data());
    std::size_t at = 0;
    for (std::size_t i = 0; i < meaning.loads.size(); ++i) {
        const auto& load = meaning.loads[i];
        if (root(at) != 0) {
            const auto to = physical(load, static_cast<std::uint64_t>(root(at + 2)));
            const Word data = number_at(to, load.units);
            accesses_.push_back(
                {false, load.direct, static_cast<std::uint64_t>(root(at + 1)), to, load.units, data, prepared.used[i]});
            values_[load.result.id] = data;
            // What comes later may depend on it.
            isa::fold(program, 0, program.steps.size(), domain, all.data());
        }
        at += roots_of_load;
    }
    for (const auto& store : meaning.stores) {
        if (root(at) != 0)
            accesses_.push_back({true, store.direct, static_cast<std::uint64_t>(root(at + 1)),
                                 physical(store, static_cast<std::uint64_t>(root(at + 2))), store.units, root(at + 3)});
        at += roots_of_store;
    }
    return accesses_;
}

}  // namespace pogo::model
