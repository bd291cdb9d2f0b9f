// Registers of a model: what they are to the machine by the mapping, and the parts of them that are state.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "isa/spec.hpp"
#include "jib/executor.hpp"
#include "jib/mapping.hpp"

namespace pogo::isa::jib {

/// What a part of a register's structure is called: as the register where it is all of it.
[[nodiscard]] std::string part_name(const Model& model, const std::string& whole, const Composite& structure,
                                    const Member& part);

/// 12 for x12 of the file x: the entry that a register of the model is.
[[nodiscard]] std::optional<unsigned> entry_number(const std::string& file, const std::string& name);

struct Leaf {
    std::string name;
    unsigned width = 0;
};
/// The parts of a value of this type that are bits, with their names; false if there is another part.
bool leaves(const Model& model, const Executor& executor, const Type& type, const std::string& name,
            std::vector<Leaf>& into);

enum class Held : std::uint8_t { unknown, state, constant, scratch };

/// Who holds a register: the mapping's constants and scratch first, then roles.
struct Holder {
    Held held = Held::unknown;
    std::optional<Role> role;
};
[[nodiscard]] Holder holder(const Mapping& mapping, const std::string& name);

/// Registers of the model that `declared` does not name, as declarations in Pogo's language, by the mapping's roles.
/// A register without a role is reported.
[[nodiscard]] std::string declarations(const Model& model, const Mapping& mapping,
                                       const std::vector<std::string>& declared, Diagnostics& diagnostics);

}  // namespace pogo::isa::jib
