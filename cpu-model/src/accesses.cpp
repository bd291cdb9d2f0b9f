// Guards, addresses and data of loads and stores, folded over a state.
// SPDX-License-Identifier: Apache-2.0
#include "model/accesses.hpp"

#include "isa/concrete.hpp"

namespace pogo::model {

using isa::Word;

namespace {

struct Leaves {
    std::span<const Word> values;
    std::span<const std::uint64_t> slots;
    Word variable(isa::Variable variable, isa::Sort) const { return values[variable.id]; }
    Word select(Word array, Word index) const { return slots[static_cast<std::size_t>(array + index)]; }
};

constexpr std::size_t roots_of_load = 3;   // guard, address, physical address
constexpr std::size_t roots_of_store = 4;  // and data

}  // namespace

Accesses::Accesses(const isa::Spec& spec) : spec_(spec), values_(spec.terms.variable_count(), 0) {}

const isa::Program& Accesses::program_of(isa::FormId form) {
    const auto [at, fresh] = programs_.try_emplace(form.index);
    if (fresh) {
        const isa::Meaning& meaning = spec_[form].meaning;
        std::vector<isa::Term> roots;
        for (const auto& load : meaning.loads) roots.insert(roots.end(), {load.guard, load.address, load.physical});
        for (const auto& store : meaning.stores)
            roots.insert(roots.end(), {store.guard, store.address, store.physical, store.data});
        at->second = isa::compile(spec_.terms, roots);
    }
    return at->second;
}

const std::vector<Access>& Accesses::of(isa::FormId form, std::span<const std::uint64_t> fields,
                                        std::span<const std::uint64_t> slots, const Memory& memory) {
    accesses_.clear();
    const isa::Meaning& meaning = spec_[form].meaning;
    if (meaning.loads.empty() && meaning.stores.empty()) return accesses_;
    const isa::Program& program = program_of(form);
    for (const auto& element : spec_.elements)
        values_[element.variable.id] = element.is_file() ? element.slot : slots[element.slot];
    for (std::size_t i = 0; i < fields.size(); ++i) values_[spec_[form].fields[i].variable.id] = fields[i];
    for (const auto& choice : meaning.choices) values_[choice.id] = 0;
    for (const auto& load : meaning.loads) values_[load.result.id] = 0;
    isa::Concrete<Word, Leaves> domain;
    domain.values = values_;
    domain.slots = slots;
    std::vector<Word> all(program.steps.size());
    const auto root = [&](std::size_t number) { return all[program.roots[number]]; };
    isa::fold(program, 0, program.steps.size(), domain, all.data());
    std::size_t at = 0;
    for (const auto& load : meaning.loads) {
        if (root(at) != 0) {
            Access access{false,
                          load.direct,
                          static_cast<std::uint64_t>(root(at + 1)),
                          static_cast<std::uint64_t>(root(at + 2)),
                          load.units,
                          0};
            for (unsigned i = 0; i < load.units; ++i) {
                const unsigned place = spec_.big_endian ? load.units - 1 - i : i;
                access.data |= Word{memory(access.physical + i)} << (place * spec_.unit_bits);
            }
            values_[load.result.id] = access.data;
            accesses_.push_back(access);
            // What comes later may depend on it.
            isa::fold(program, 0, program.steps.size(), domain, all.data());
        }
        at += roots_of_load;
    }
    for (const auto& store : meaning.stores) {
        if (root(at) != 0)
            accesses_.push_back({true, store.direct, static_cast<std::uint64_t>(root(at + 1)),
                                 static_cast<std::uint64_t>(root(at + 2)), store.units, root(at + 3)});
        at += roots_of_store;
    }
    return accesses_;
}

}  // namespace pogo::model
