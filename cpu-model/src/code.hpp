// Meanings as programs over one array of values: what the core executes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "isa/fold.hpp"
#include "isa/spec.hpp"

namespace pogo::model {

/// Where what stands in the array of values. The slots of a State come first, at 0.
struct Layout {
    explicit Layout(const isa::Spec& spec);

    std::uint32_t next_pc = 0;
    std::uint32_t opcode = 0;
    std::uint32_t address = 0;  ///< these three: the variables of the translation
    std::uint32_t access = 0;
    std::uint32_t units = 0;
    std::uint32_t parameters = 0;  ///< of causes, each with a place of its own
    std::uint32_t fields = 0;      ///< from here on: of whatever form or entry is being executed
    std::uint32_t loads = 0;
    std::uint32_t translated = 0;  ///< what a translation that loads gives, for each load and then each store
    std::uint32_t walk = 0;        ///< results of the translation's own loads
    std::uint32_t choices = 0;
    std::uint32_t constants = 0;
    std::uint32_t temporaries = 0;
    static constexpr std::uint32_t constant_capacity = 4096;
};

/// Terms ready to be computed. A program with a term of more than 64 bits runs over an array of 128-bit values, into
/// which its leaves are copied first.
struct Expression {
    isa::Program program;
    bool wide = false;
    bool timed = false;                 ///< reads an input whose value is asked for
    std::vector<std::uint32_t> leaves;  ///< positions read, for wide programs
};

/// A Meaning as one Expression cut into phases. Phase k ends with the decision of the traps that come before load k,
/// then load k is done; the last phase computes the remaining traps, stores and writes. Guards that are false have
/// taken their owners with them; `none` stands for a guard that is true.
struct Code {
    static constexpr std::uint32_t none = 0xffffffff;
    struct Phase {
        std::uint32_t end = 0;        ///< steps of the program
        std::uint32_t traps_end = 0;  ///< into `traps`
    };
    struct Trap {
        std::uint32_t guard = none;
        std::uint32_t number = 0;  ///< in Meaning::traps
    };
    struct Load {
        std::uint32_t guard = none;
        std::uint32_t physical = 0;  ///< filled in by running the translation where there is an `address`
        std::uint32_t result = 0;
        unsigned units = 0;
        std::uint32_t address = none;
        unsigned access = 0;
    };
    struct Store {
        std::uint32_t guard = none;
        std::uint32_t physical = 0;
        std::uint32_t data = 0;
        unsigned units = 0;
        std::uint32_t address = none;
        unsigned access = 0;
    };
    struct Write {
        std::uint32_t guard = none;
        std::uint32_t index = none;
        std::uint32_t value = 0;
        std::uint32_t slot = 0;     ///< of the element, or of its entry where the index is constant
        std::uint32_t file = none;  ///< hazard number of the whole register file
    };
    Expression expression;
    std::vector<Phase> phases;
    std::vector<Trap> traps;
    std::vector<Load> loads;
    std::vector<Store> stores;
    std::vector<Write> writes;
    struct Fence {
        struct Match {
            unsigned tag = 0;
            std::uint32_t value = 0;
            std::uint32_t when = none;
        };
        std::uint32_t guard = none;
        std::vector<Match> matches;
    };
    std::vector<Fence> fences;
    std::vector<std::uint32_t> results;  ///< of a translation: the physical address, then the tags
    bool sequential = false;             ///< the only write to the pc is `pc + length`, and is not among `writes`
    bool gather = false;  ///< a write reads what an earlier one has overwritten: read all before writing any
};

/// The registers an instruction reads, as far as its encoding tells: the pipeline's data hazards. Numbers below
/// Spec::slots are slots; Spec::slots + e stands for any entry of register file e.
struct Reads {
    std::vector<std::uint32_t> known;  ///< hazard numbers
    Expression indices;                ///< of entries that depend on the fields
    std::vector<std::uint32_t> bases;  ///< first slot of the file, for each root of `indices`
};

/// The input that carries the time, if a device drives one.
[[nodiscard]] std::optional<isa::ElementId> time_input(const isa::Spec& spec);

/// The inputs whose value is asked for when something reads them: the time, and what the core counts.
[[nodiscard]] std::vector<isa::ElementId> asked_inputs(const isa::Spec& spec);

/// The times at which conditions can change while everything else stays as it is: at each of `roots` (BitVec 64), or
/// one later where `after`. `always`: they look at the time in another way than by comparing it, so at any time.
struct Thresholds {
    std::vector<isa::Term> roots;
    std::vector<bool> after;
    bool always = false;
};

/// Compiles terms of one Spec. Owns a copy of its arena, in which specialised terms are built.
class Compiler {
  public:
    explicit Compiler(const isa::Spec& spec);

    struct HashVariable {
        std::size_t operator()(isa::Variable variable) const noexcept { return variable.id; }
    };
    /// Positions of variables.
    using Places = std::unordered_map<isa::Variable, std::uint32_t, HashVariable>;

    /// A form's meaning with its fields as leaves, or as constants when given.
    [[nodiscard]] Code compile(const isa::Form& form);
    [[nodiscard]] Code compile(const isa::Form& form, std::span<const std::uint64_t> fields);
    /// The meaning of a trap's or interrupt's entry or of reset.
    [[nodiscard]] Code compile(const isa::Meaning& meaning);
    [[nodiscard]] Code compile(const isa::Translation& translation);
    /// Terms over the state, the variables of the translation, and those of `form` and `meaning` if given.
    [[nodiscard]] Expression compile(std::span<const isa::Term> roots, const isa::Form* form,
                                     const isa::Meaning* meaning);
    [[nodiscard]] Reads reads(const isa::Form& form);
    [[nodiscard]] Thresholds thresholds(std::span<const isa::Term> conditions);
    /// Slots that the terms depend on.
    [[nodiscard]] std::vector<std::uint32_t> slots(std::span<const isa::Term> roots) const;

    [[nodiscard]] const Layout& layout() const { return layout_; }
    /// Constants and their positions, complete after every compilation.
    [[nodiscard]] const std::vector<std::uint64_t>& constants() const { return constants_; }
    /// Positions a program needs, at most so far.
    [[nodiscard]] std::uint32_t size() const { return size_; }
    /// Hazard numbers that one execution writes, at most so far.
    [[nodiscard]] std::size_t most_written() const { return most_written_; }
    /// Specialisation has used up its share of memory: time for a new Compiler.
    [[nodiscard]] bool exhausted() const { return terms_.size() > term_limit_; }

  private:
    Places local_places(const isa::Form* form, const isa::Meaning* meaning) const;
    Code compile(const isa::Meaning& original, const Places& places, std::optional<unsigned> length,
                 std::vector<isa::Term> results = {});
    Expression line_up(std::span<const isa::Term> roots, const Places& places, bool wide = false);
    std::optional<std::uint32_t> place(isa::Term term, const Places& places);
    std::optional<std::uint32_t> constant(isa::Word value);
    isa::Meaning specialise(const isa::Form& form, std::span<const std::uint64_t> fields);

    const isa::Spec& spec_;
    isa::Terms terms_;
    std::size_t term_limit_;
    Layout layout_;
    std::optional<isa::ElementId> time_;
    std::vector<isa::ElementId> asked_;
    Places places_;                                             ///< of the state and other lasting leaves
    std::unordered_map<std::uint32_t, std::uint32_t> files_;    ///< variable of a register file → element
    std::unordered_map<std::uint32_t, isa::Variable> entries_;  ///< slot of a file → variable that stands for it
    std::unordered_map<std::uint64_t, std::uint32_t> constant_index_;
    std::vector<std::uint64_t> constants_;
    std::uint32_t size_ = 0;
    std::size_t most_written_ = 0;
};

}  // namespace pogo::model
