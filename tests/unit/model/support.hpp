// What tests of the model share: assembling toy programs, naming registers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

#include "isa/require.hpp"
#include "model/simulator.hpp"
#include "toy_spec.hpp"

namespace pogo::model::test {

inline std::uint64_t get(const Simulator& simulator, std::string_view element, unsigned entry = 0) {
    return simulator.state().get(simulator.spec()[simulator.spec().find_element(element)], entry);
}

inline void set(Simulator& simulator, std::string_view element, std::uint64_t value, unsigned entry = 0) {
    auto state = simulator.state();
    state.set(simulator.spec()[simulator.spec().find_element(element)], value, entry);
    simulator.set_state(state);
}

/// Parcels of an instruction of a one-form spec: fields in the order in which the encoding names them.
inline std::vector<std::uint64_t> encode(const isa::Spec& spec, std::string_view name,
                                         std::initializer_list<std::uint64_t> fields) {
    const auto id = spec.find_instruction(name);
    POGO_REQUIRE(id.valid());
    const auto& form = spec.forms[spec[id].first_form];
    POGO_REQUIRE(form.fields.size() == fields.size());
    return isa::encode(form, std::vector<std::uint64_t>(fields));
}

/// A number for everything that can be seen in a cycle.
struct Hasher final : Observer {
    std::vector<std::uint64_t> cycles;
    std::uint64_t interrupts = 0;
    std::uint64_t flushes = 0;
    std::uint64_t hash = 0;
    void mix(std::uint64_t value) { hash = (hash ^ value) * 0x9E3779B97F4A7C15U + (hash >> 31); }
    void on_cycle(const CycleEvent& event) override {
        mix(event.cycle);
        mix(static_cast<std::uint64_t>(event.stall));
        mix(event.mode);
        mix(event.traffic->fetch.count + event.traffic->data.count);
        mix(event.traffic->icache.misses), mix(event.traffic->dcache.misses);
        for (const auto& stage : event.stages) {
            mix(static_cast<std::uint64_t>(stage.content));
            mix(stage.pc);
            mix(stage.sequence);
            mix(stage.form.index);
        }
        for (const auto slot : event.slots) mix(slot);
        cycles.push_back(hash);
    }
    void on_retire(const RetireEvent& event) override {
        mix(event.pc);
        for (const auto& change : event.changes) mix(change.slot), mix(change.value);
    }
    void on_trap(const RetireEvent& event) override { mix(event.pc + 1); }
    void on_interrupt(const RetireEvent& event) override { mix(event.pc + 2), ++interrupts; }
    void on_flush(const FlushEvent& event) override { mix(event.squashed), ++flushes; }
};

/// Puts instructions into memory one after the other.
class Assembler {
  public:
    Assembler(Simulator& simulator, std::uint64_t address) : simulator_(simulator), address_(address) {}
    Assembler& operator()(std::string_view name, std::initializer_list<std::uint64_t> fields = {}) {
        for (const auto parcel : encode(simulator_.spec(), name, fields)) word(parcel);
        return *this;
    }
    Assembler& word(std::uint64_t value) {
        const auto& spec = simulator_.spec();
        for (unsigned i = 0; i < spec.parcel_units; ++i) {
            const unsigned shift = (spec.big_endian ? spec.parcel_units - 1 - i : i) * spec.unit_bits;
            POGO_REQUIRE(simulator_.poke(address_++, value >> shift));
        }
        return *this;
    }
    [[nodiscard]] std::uint64_t here() const { return address_; }

  private:
    Simulator& simulator_;
    std::uint64_t address_;
};

}  // namespace pogo::model::test
