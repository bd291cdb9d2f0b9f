// The probe: the Spec's terms evaluated in concrete states, to say which memory an instruction will touch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
#include "isa/spec.hpp"
#include "isa/walk.hpp"

namespace pogo::report {

using isa::Word;

/// Values of elements come from a state, those of other variables from a table.
struct StateLeaves {
    const isa::Spec* spec = nullptr;
    const isa::State* state = nullptr;
    std::vector<std::uint32_t> element_of;  ///< by variable; ~0 for none
    std::vector<Word> values;               ///< by variable

    Word variable(isa::Variable variable, isa::Sort) {
        const std::uint32_t e = element_of[variable.id];
        if (e == ~0U) return values[variable.id];
        return spec->elements[e].is_file() ? e : state->slots[spec->elements[e].slot];
    }
    [[nodiscard]] Word select(Word file, Word index) const {
        return state->slots[spec->elements[static_cast<std::size_t>(file)].slot + static_cast<std::size_t>(index)];
    }
};

/// Memory as a pair of states shares it: through relocation, and by physical address.
struct SharedMemory {
    std::function<std::uint64_t(std::uint64_t address)> view;
    std::function<std::uint64_t(std::uint64_t physical)> direct;
};

/// A unit that an instruction stores.
struct StoreTarget {
    std::uint64_t address = 0;  ///< as the program sees it; physical if direct
    bool direct = false;
};

/// One instruction with its operands.
struct Instance {
    isa::FormId form;
    std::vector<std::uint64_t> fields;
    std::vector<std::uint64_t> choices;
    std::vector<std::uint64_t> units;  ///< its encoding in memory order
};

/// Physical memory that gives a state the shared view wherever the instruction touches it.
struct Footprint {
    std::map<std::uint64_t, std::uint64_t> memory;  ///< by physical address
    std::map<std::uint64_t, StoreTarget> stores;    ///< by physical address
};

class Probe {
  public:
    explicit Probe(const isa::Spec& spec);

    /// What a state must satisfy before an instruction: a conjunct of an invariant, or that the machine runs.
    using Condition = std::uint32_t;
    /// Those that are not satisfied.
    [[nodiscard]] std::vector<Condition> broken(const isa::State& state);
    /// What a condition speaks of.
    struct Subject {
        std::vector<isa::ElementId> elements;  ///< scalars
        std::vector<std::uint64_t> constants;
    };
    [[nodiscard]] const Subject& subject(Condition condition) const { return subjects_[condition]; }
    /// Where the pc's instruction of so many units lies in physical memory; nothing if the fetch faults. `read` gives
    /// the units of physical memory that translations load.
    using Read = std::function<std::uint64_t(std::uint64_t physical)>;
    [[nodiscard]] std::optional<std::vector<std::uint64_t>> fetched(const isa::State& state, std::size_t units,
                                                                    const Read& read);
    /// Nothing if the fetch faults or no physical memory gives this view.
    [[nodiscard]] std::optional<Footprint> footprint(const isa::State& state, const Instance& instance,
                                                     const SharedMemory& memory);
    /// `values` with the active members of banks exchanged, as seen through the selectors of two states: what a pair
    /// agrees on are the active members.
    [[nodiscard]] isa::State swap_banks(isa::State values, const isa::State& first, const isa::State& second);
    /// As check::World does: leaves out of `compared` what changes places with an element left out.
    void leave_out_banked(std::vector<bool>& compared, const isa::State& first, const isa::State& second);
    /// The address of a unit at an offset from the pc.
    [[nodiscard]] std::uint64_t address_at(const isa::State& state, std::uint64_t offset) const;

  private:
    struct Code {
        isa::Program program;
        bool empty = true;
        std::vector<Word> values{};  ///< of the last run
    };
    Code& code_of(isa::FormId form);
    void run(Code& code, std::size_t begin, std::size_t end);
    /// Evaluates what the first `roots` roots need beyond the first `done` steps; returns how many are done then.
    std::size_t run_for(Code& code, std::size_t done, std::size_t roots);
    /// Units at physical addresses as a number.
    [[nodiscard]] Word number_at(std::uint64_t physical, unsigned units, const Read& read) const;
    /// An address translated; nothing if that faults.
    [[nodiscard]] std::optional<std::uint64_t> translate(std::uint64_t address, unsigned access, unsigned units,
                                                         const Read& read);
    [[nodiscard]] std::vector<Word> selected(const isa::State& state);
    [[nodiscard]] Word root(const Code& code, std::size_t number) const {
        return code.values[code.program.roots[number]];
    }

    const isa::Spec& spec_;
    isa::Concrete<Word, StateLeaves> domain_;
    Code conditions_;
    std::vector<Subject> subjects_;  ///< by Condition
    isa::Walk walk_;
    Code selectors_;
    std::unordered_map<std::uint32_t, Code> forms_;
};

}  // namespace pogo::report
