// The columns of the matrix.
// SPDX-License-Identifier: Apache-2.0
#include "subjects.hpp"

#include <algorithm>

namespace pogo::report {

using check::Kind;
using isa::Role;

namespace {

/// Nothing for roles that are the guest's own.
std::optional<Kind> kind_of(Role role) {
    switch (role) {
        case Role::mode:
            return Kind::mode;
        case Role::relocation:
            return Kind::location;
        case Role::control:
        case Role::io:
            return Kind::configuration;
        case Role::time:
            return Kind::time;
        case Role::data:
        case Role::memory:
        case Role::pc:
            return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

bool names(std::string_view joined, std::string_view name) {
    while (true) {
        const auto plus = joined.find('+');
        if (joined.substr(0, plus) == name) return true;
        if (plus == std::string_view::npos) return false;
        joined.remove_prefix(plus + 1);
    }
}

Role role_in(const isa::Spec& spec, const isa::Context& context, isa::ElementId element) {
    const isa::Element& info = spec[element];
    if (std::find(context.guest.begin(), context.guest.end(), element) != context.guest.end()) return Role::data;
    return info.input && info.role != Role::time ? Role::io : info.role;
}

std::vector<Column> columns_of(const isa::Spec& spec, const isa::Context& context) {
    std::vector<Column> columns;
    Column mode{{"mode", Role::mode, {}}, Kind::mode, {}, {}};
    for (std::uint32_t i = 0; i < spec.elements.size(); ++i) {
        const Role role = role_in(spec, context, {i});
        const auto kind = kind_of(role);
        if (kind == Kind::mode)
            mode.elements.push_back({i});
        else if (kind)
            columns.push_back({{spec.elements[i].name, role, {i}}, *kind, {{i}}, {}});
    }
    for (std::uint32_t i = 0; i < spec.regions.size(); ++i) {
        const auto kind = kind_of(spec.regions[i].role);
        if (kind && *kind != Kind::mode)
            columns.push_back({{spec.regions[i].name, spec.regions[i].role, {}}, *kind, {}, i});
    }
    std::stable_partition(columns.begin(), columns.end(), [](const Column& column) { return column.strict(); });
    if (!mode.elements.empty()) columns.insert(columns.begin(), mode);
    return columns;
}

}  // namespace pogo::report
