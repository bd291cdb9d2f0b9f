// Subjects: what of a machine counts as mode, relocation, control or io in a context; the columns of the matrix.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check/findings.hpp"

namespace pogo::report {

/// One column: the composite mode, an element, or a memory region. Named as check::Subject is.
struct Column {
    check::Subject subject;
    check::Kind kind = check::Kind::mode;
    std::vector<isa::ElementId> elements;
    std::optional<std::uint32_t> region;
    [[nodiscard]] bool strict() const { return kind == check::Kind::mode || kind == check::Kind::location; }
};

/// Whether an element's name is among those joined with "+", as joint dependences are named.
[[nodiscard]] bool names(std::string_view joined, std::string_view name);

/// The mode first, then relocation, then the others in the order of the Spec.
[[nodiscard]] std::vector<Column> columns_of(const isa::Spec& spec, const isa::Context& context);

/// The role that an element plays in a context: the guest's are data, inputs are io.
[[nodiscard]] isa::Role role_in(const isa::Spec& spec, const isa::Context& context, isa::ElementId element);

}  // namespace pogo::report
