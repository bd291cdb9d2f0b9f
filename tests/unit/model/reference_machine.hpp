// A machine without pipeline, caches or compilation, straight from the Spec: what the model is held against.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
#include "isa/spec.hpp"

namespace pogo::model::test {

/// One transition a step(). Memory is a map of units; everything is memory. Choices are zero.
class ReferenceMachine {
  public:
    explicit ReferenceMachine(const isa::Spec& spec) : spec_(spec), state(spec), decoder_(spec) {}

    enum class Result { stepped, waiting, halted, double_fault };
    Result step() {
        bind_state();
        if (spec_.halted.valid() && eval(spec_.halted) != 0) return Result::halted;
        for (const auto& interrupt : spec_.interrupts)
            if (eval(interrupt.condition) != 0) {
                leaves_[spec_.next_pc.id] = pc();
                return run(interrupt.entry, 0);
            }
        if (spec_.waiting.valid() && eval(spec_.waiting) != 0) return Result::waiting;

        std::vector<std::uint64_t> parcels;
        unsigned wanted = 1;
        for (;;) {
            while (parcels.size() < wanted) {
                const auto physical = translate(
                    (pc() + parcels.size() * spec_.parcel_units) & ones(spec_.address_width), 0, spec_.parcel_units);
                if (!physical) {
                    leaves_[spec_.next_pc.id] = pc();
                    return enter(*fault_, 0);
                }
                parcels.push_back(
                    static_cast<std::uint64_t>(load(static_cast<std::uint64_t>(*physical), spec_.parcel_units)));
            }
            const auto decoded = decoder_.decode(parcels, wanted);
            if (!decoded && wanted > parcels.size()) continue;
            const auto length = decoded ? spec_[decoded->form].encoding.parcels.size() : 1;
            leaves_[spec_.next_pc.id] = (pc() + length * spec_.parcel_units) & ones(spec_[spec_.pc].width);
            bind(spec_.opcode, parcels[0]);
            if (!decoded) return enter(spec_.illegal, 0);
            const auto& form = spec_[decoded->form];
            for (std::size_t i = 0; i < form.fields.size(); ++i) bind(form.fields[i].variable, decoded->fields[i]);
            return run(form.meaning, 0);
        }
    }

  private:
    const isa::Spec& spec_;

  public:
    isa::State state;
    std::map<std::uint64_t, std::uint64_t> memory;

  private:
    using Word = isa::Word;
    struct Leaves {
        const std::map<std::uint32_t, Word>* values = nullptr;
        const isa::State* state = nullptr;
        Word variable(isa::Variable v, isa::Sort) const { return values->at(v.id); }
        Word select(Word base, Word index) const { return state->slots.at(static_cast<std::size_t>(base + index)); }
    };
    static std::uint64_t ones(unsigned width) { return static_cast<std::uint64_t>(isa::ones(width)); }
    std::uint64_t pc() const { return state.get(spec_[spec_.pc]); }
    void bind(isa::Variable variable, Word value) { leaves_[variable.id] = value; }
    void bind_state() {
        for (const auto& element : spec_.elements)
            bind(element.variable, element.is_file() ? element.slot : state.get(element));
    }
    Word eval(isa::Term term) {
        isa::Concrete<Word, Leaves> domain;
        domain.values = &leaves_;
        domain.state = &state;
        return isa::fold(isa::compile(spec_.terms, std::span(&term, 1)), domain)[0];
    }
    Word load(std::uint64_t address, unsigned units) {
        Word value = 0;
        for (unsigned i = 0; i < units; ++i) {
            const auto unit = memory[(address + i) & ones(spec_.physical_width)];
            value |= Word{unit} << (spec_.unit_bits * (spec_.big_endian ? units - 1 - i : i));
        }
        return value;
    }
    /// Binds where an access goes; false: it faults, and `fault_` says how.
    template <class Access>
    bool translate(const Access& access) {
        const auto to = translate(eval(access.address), access.access, access.units);
        if (to) bind(access.translated, *to);
        return to.has_value();
    }
    std::optional<Word> translate(Word address, unsigned access, unsigned units) {
        const isa::Translation& translation = spec_.translation;
        bind(translation.address, address);
        bind(translation.access, access);
        bind(translation.units, units);
        std::size_t fault = 0;
        for (std::size_t k = 0; k <= translation.loads.size(); ++k) {
            for (; fault < translation.faults.size() && translation.faults[fault].loads_before <= k; ++fault)
                if (eval(translation.faults[fault].guard) != 0) {
                    fault_ = &translation.faults[fault];
                    return std::nullopt;
                }
            if (k == translation.loads.size()) break;
            const auto& from = translation.loads[k];
            bind(from.result,
                 eval(from.guard) != 0 ? load(static_cast<std::uint64_t>(eval(from.physical)), from.units) : 0);
        }
        return eval(translation.physical);
    }
    Result enter(const isa::Trap& trap, unsigned depth) {
        if (depth == 2) return Result::double_fault;
        const auto& cause = spec_[trap.cause];
        std::vector<Word> arguments;
        for (const auto argument : trap.arguments) arguments.push_back(eval(argument));
        for (std::size_t i = 0; i < arguments.size(); ++i) bind(cause.parameters[i], arguments[i]);
        return run(cause.entry, depth + 1);
    }
    Result run(const isa::Meaning& meaning, unsigned depth) {
        for (const auto choice : meaning.choices) bind(choice, 0);
        std::size_t trap = 0;
        for (std::size_t k = 0; k <= meaning.loads.size(); ++k) {
            for (; trap < meaning.traps.size(); ++trap) {
                if (meaning.traps[trap].loads_before > k) break;
                if (eval(meaning.traps[trap].guard) != 0) return enter(meaning.traps[trap], depth);
            }
            if (k == meaning.loads.size()) break;
            const auto& from = meaning.loads[k];
            const bool happens = eval(from.guard) != 0;
            if (happens && from.translated.valid() && !translate(from)) return enter(*fault_, depth);
            bind(from.result, happens ? load(static_cast<std::uint64_t>(eval(from.physical)), from.units) : 0);
        }
        std::map<std::uint64_t, std::uint64_t> stored;
        for (const auto& store : meaning.stores) {
            if (eval(store.guard) == 0) continue;
            if (store.translated.valid() && !translate(store)) return enter(*fault_, depth);
            const auto address = static_cast<std::uint64_t>(eval(store.physical));
            const Word data = eval(store.data);
            for (unsigned i = 0; i < store.units; ++i) {
                const unsigned shift = spec_.unit_bits * (spec_.big_endian ? store.units - 1 - i : i);
                stored[(address + i) & ones(spec_.physical_width)] =
                    static_cast<std::uint64_t>(data >> shift) & ones(spec_.unit_bits);
            }
        }
        isa::State next = state;
        for (const auto& write : meaning.writes) {
            if (eval(write.guard) == 0) continue;
            const auto entry = write.index.valid() ? static_cast<unsigned>(eval(write.index)) : 0;
            next.set(spec_[write.element], static_cast<std::uint64_t>(eval(write.value)), entry);
        }
        for (const auto& [address, value] : stored) memory[address] = value;
        state = next;
        return Result::stepped;
    }

    isa::Decoder decoder_;
    std::map<std::uint32_t, Word> leaves_;
    const isa::Trap* fault_ = nullptr;
};

}  // namespace pogo::model::test
