// Machine states as JSON, one object a line: how other tools hand states to the model and get them back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "isa/spec.hpp"
#include "model/simulator.hpp"

namespace pogo::cli {

/// A state read from text: all registers that are not named are zero, as is all memory.
struct InputState {
    isa::State state;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> memory;  ///< unit address, value
    std::vector<std::uint64_t> choices;                           ///< of the instruction's unpredictable values
};

/// Reads and writes states of one Spec. docs/states.md describes the form.
class StateFormat {
  public:
    explicit StateFormat(const isa::Spec& spec);

    /// What is wrong with a line, and where: `offset` counts bytes of the line.
    struct Error {
        std::string message;
        std::size_t offset = 0;
    };
    /// Reads one line into `into`.
    [[nodiscard]] std::optional<Error> read(std::string_view line, InputState& into) const;

    /// Appends an outcome and a newline.
    void write(const model::StepOutcome& outcome, const isa::State& state, std::string& out) const;

    /// Sets a register or element by name in `state`; what is wrong otherwise.
    [[nodiscard]] std::optional<std::string> set(isa::State& state, std::string_view name, std::uint64_t value) const;

  private:
    const isa::Spec* spec_;
    std::unordered_map<std::string, const isa::Register*> registers_;
};

}  // namespace pogo::cli
