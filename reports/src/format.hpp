// How numbers, registers and traps are written in every report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "isa/spec.hpp"

namespace pogo::report {

/// 0x…, with as many digits as the width has.
[[nodiscard]] std::string hex(std::uint64_t value, unsigned width);
/// "bounds(0x00000004)".
[[nodiscard]] std::string trap_text(const isa::Spec& spec, isa::CauseId cause,
                                    std::span<const std::uint64_t> arguments);
/// "3 instructions", "1 instruction".
[[nodiscard]] std::string count(std::size_t number, std::string_view noun);
/// "a, b and c".
[[nodiscard]] std::string enumeration(std::span<const std::string> words);

/// Something with a name that a State holds: a register of the manuals, or what no register covers.
class Value {
  public:
    Value(const isa::Spec& spec, const isa::Register& reg)
        : spec_(&spec), register_(&reg), name_(reg.name), width_(reg.width) {}
    Value(const isa::Spec& spec, std::string name, unsigned width, unsigned slot)
        : spec_(&spec), slot_(slot), name_(std::move(name)), width_(width) {}
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] unsigned width() const { return width_; }
    [[nodiscard]] std::uint64_t of(const isa::State& state) const {
        return register_ != nullptr ? state.get(*register_, *spec_) : state.slots[slot_];
    }

  private:
    const isa::Spec* spec_;
    const isa::Register* register_ = nullptr;
    unsigned slot_ = 0;
    std::string name_;
    unsigned width_;
};

/// All of a State: the registers in the order of the Spec, then every slot that none of them shows.
[[nodiscard]] std::vector<Value> named_values(const isa::Spec& spec);

}  // namespace pogo::report
