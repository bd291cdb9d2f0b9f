// A slow interpreter of meanings over the concrete domain.
// SPDX-License-Identifier: Apache-2.0
#include "interpreter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
#include "isa/require.hpp"

namespace pogo::check::toy {

namespace {

using isa::Term;
using isa::Variable;
using isa::Word;

/// Values of variables; a register file is the number of its element.
struct Leaves {
    const isa::Spec* spec = nullptr;
    const isa::State* state = nullptr;
    std::unordered_map<std::uint32_t, Word> values;
    Word variable(Variable variable, isa::Sort) const {
        const auto it = values.find(variable.id);
        POGO_REQUIRE(it != values.end());
        return it->second;
    }
    Word select(Word array, Word index) const {
        return state->get(spec->elements[static_cast<std::size_t>(array)], static_cast<unsigned>(index));
    }
};

class Interpreter {
  public:
    Interpreter(const isa::Spec& spec, const Witness& witness, const Side& side) : spec_(spec), side_(side) {
        domain_.spec = &spec;
        domain_.state = &side.state;
        for (std::uint32_t i = 0; i < spec.elements.size(); ++i) {
            const isa::Element& element = spec.elements[i];
            domain_.values[element.variable.id] = element.is_file() ? i : side.state.get(element);
        }
        const isa::Form& form = spec[witness.form];
        for (std::size_t i = 0; i < form.fields.size(); ++i)
            domain_.values[form.fields[i].variable.id] = witness.fields[i];
        for (std::size_t i = 0; i < form.meaning.choices.size(); ++i)
            domain_.values[form.meaning.choices[i].id] = witness.choices[i];
        const auto next = side.state.get(spec[spec.pc]) + form.encoding.parcels.size() * spec.parcel_units;
        if (spec.next_pc.valid())
            domain_.values[spec.next_pc.id] = next & isa::ones(spec.terms.sort(spec.next_pc).width);
    }

    void set(Variable variable, Word value) { domain_.values[variable.id] = value; }

    Word value(Term term) { return isa::fold(isa::compile(spec_.terms, std::span(&term, 1)), domain_)[0]; }

    Word read(Word physical, unsigned units) {
        Word result = 0;
        for (unsigned i = 0; i < units; ++i) {
            const auto at = static_cast<std::uint64_t>((physical + i) & isa::ones(spec_.physical_width));
            const auto it = side_.memory.find(at);
            const Word unit = it == side_.memory.end() ? 0 : it->second;
            result = spec_.big_endian ? result << spec_.unit_bits | unit : result | unit << (i * spec_.unit_bits);
        }
        return result;
    }

  private:
    const isa::Spec& spec_;
    const Side& side_;
    isa::Concrete<Word, Leaves> domain_;
};

}  // namespace

Outcome interpret(const isa::Spec& spec, const Witness& witness, const Side& side) {
    const isa::Meaning& meaning = spec[witness.form].meaning;
    Interpreter run(spec, witness, side);
    for (const auto& load : meaning.loads)
        run.set(load.result, run.value(load.guard) != 0 ? run.read(run.value(load.physical), load.units) : 0);
    Outcome outcome;
    for (const auto& trap : meaning.traps) {
        if (run.value(trap.guard) == 0) continue;
        outcome.cause = trap.cause;
        for (const Term argument : trap.arguments)
            outcome.arguments.push_back(static_cast<std::uint64_t>(run.value(argument)));
        return outcome;
    }
    outcome.completes = true;
    outcome.post = side.state;
    for (const auto& write : meaning.writes)
        if (run.value(write.guard) != 0)
            outcome.post.set(spec[write.element], static_cast<std::uint64_t>(run.value(write.value)),
                             write.index.valid() ? static_cast<unsigned>(run.value(write.index)) : 0);
    for (const auto& store : meaning.stores) {
        if (run.value(store.guard) == 0) continue;
        const Word data = run.value(store.data);
        for (unsigned i = 0; i < store.units; ++i) {
            const Word at = (run.value(store.physical) + i) & isa::ones(spec.physical_width);
            const unsigned place = spec.big_endian ? store.units - 1 - i : i;
            outcome.memory[static_cast<std::uint64_t>(at)] =
                static_cast<std::uint64_t>(data >> (place * spec.unit_bits) & isa::ones(spec.unit_bits));
        }
    }
    return outcome;
}

bool fetches(const isa::Spec& spec, const Witness& witness, const Side& side) {
    Interpreter run(spec, witness, side);
    const auto parcels = isa::encode(spec[witness.form], witness.fields);
    const isa::Translation& translation = spec.translation;
    for (std::size_t i = 0; i < parcels.size(); ++i) {
        const Word address = side.state.get(spec[spec.pc]) + i * spec.parcel_units;
        run.set(translation.address, address & isa::ones(spec.address_width));
        run.set(translation.access, static_cast<unsigned>(isa::Access::fetch));
        run.set(translation.units, spec.parcel_units);
        for (const auto& fault : translation.faults)
            if (run.value(fault.guard) != 0) return false;
        if (run.read(run.value(translation.physical), spec.parcel_units) != parcels[i]) return false;
    }
    return true;
}

void expect_sound(const isa::Spec& spec, const Findings& findings) {
    const isa::Decoder decoder(spec);
    std::set<std::uint32_t> banked;
    for (const auto& bank : spec.banks)
        for (const auto& member : bank.members) banked.insert(member.element.index);
    for (const Row& row : findings.rows)
        for (const Witness& w : row.witnesses) {
            SCOPED_TRACE(spec[row.instruction].name + ": " + w.property + " " + w.element);
            EXPECT_EQ(spec[w.form].instruction, row.instruction);
            unsigned wanted = 0;
            const auto decoded = decoder.decode(isa::encode(spec[w.form], w.fields), wanted);
            ASSERT_TRUE(decoded.has_value());
            EXPECT_EQ(decoded->form, w.form);
            EXPECT_EQ(decoded->fields, w.fields);
            for (const Side& side : w.sides) {
                EXPECT_TRUE(fetches(spec, w, side));
                EXPECT_TRUE(side.outcome.completes);
                EXPECT_EQ(interpret(spec, w, side), side.outcome);
            }
            // Elements that may differ before: those named, those of the mode, and members of banks.
            const auto may_differ = [&](std::size_t e) {
                const isa::Element& element = spec.elements[e];
                const std::string names = "+" + w.element + "+";
                const bool mode = w.element.empty() || names.find("+mode+") != std::string::npos;
                return names.find("+" + element.name + "+") != std::string::npos ||
                       (mode && element.role == isa::Role::mode) || banked.contains(static_cast<std::uint32_t>(e));
            };
            if (w.sides.size() == 1) {
                EXPECT_EQ(w.property, "control-sensitive");
                continue;
            }
            ASSERT_EQ(w.sides.size(), 2U);
            const auto entries_differ = [&](const isa::State& one, const isa::State& two, const isa::Element& element) {
                for (unsigned i = 0; i < element.slots(); ++i)
                    if (one.get(element, i) != two.get(element, i)) return true;
                return false;
            };
            bool results_differ = w.sides[0].outcome.memory != w.sides[1].outcome.memory;
            for (std::size_t e = 0; e < spec.elements.size(); ++e) {
                const isa::Element& element = spec.elements[e];
                EXPECT_TRUE(may_differ(e) || !entries_differ(w.sides[0].state, w.sides[1].state, element))
                    << element.name;
                const bool after = entries_differ(w.sides[0].outcome.post, w.sides[1].outcome.post, element);
                results_differ =
                    results_differ || (after && (!may_differ(e) || banked.contains(static_cast<std::uint32_t>(e))));
            }
            EXPECT_TRUE(w.element.empty() || results_differ);
        }
}

}  // namespace pogo::check::toy
