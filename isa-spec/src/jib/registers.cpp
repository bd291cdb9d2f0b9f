// Names, roles and declarations of registers.
// SPDX-License-Identifier: Apache-2.0
#include "jib/registers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pogo::isa::jib {

std::string part_name(const Model& model, const std::string& whole, const Composite& structure, const Member& part) {
    return structure.members.size() == 1 ? whole : whole + "_" + model.names.readable(part.name);
}

std::optional<unsigned> entry_number(const std::string& file, const std::string& name) {
    if (!name.starts_with(file) || name.size() == file.size() || name.size() > file.size() + 4) return std::nullopt;
    unsigned number = 0;
    for (const char c : name.substr(file.size())) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    return number;
}

bool leaves(const Model& model, const Executor& executor, const Type& type, const std::string& name,
            std::vector<Leaf>& into) {
    switch (type.kind) {
        case Type::Kind::bits:
            if (!type.width || *type.width == 0 || *type.width > 64) return false;
            into.push_back({name, *type.width});
            return true;
        case Type::Kind::boolean:
            into.push_back({name, 1});
            return true;
        case Type::Kind::enumeration:
            into.push_back({name, executor.width_of(type.name)});
            return true;
        case Type::Kind::structure: {
            const auto found = model.structures.find(type.name);
            if (found == model.structures.end()) return false;
            for (const auto& member : found->second.members)
                if (!leaves(model, executor, member.type, part_name(model, name, found->second, member), into))
                    return false;
            return true;
        }
        default:
            return false;
    }
}

Holder holder(const Mapping& mapping, const std::string& name) {
    for (const auto& [constant, value] : mapping.constants)
        if (constant == name) return {Held::constant, {}};
    for (const auto& pattern : mapping.scratch)
        if (fits(pattern.text, name)) return {Held::scratch, {}};
    const std::pair<Mention, Role>* best = nullptr;  // the longest pattern says most
    for (const auto& rule : mapping.roles)
        if (fits(rule.first.text, name) && (best == nullptr || rule.first.text.size() > best->first.text.size()))
            best = &rule;
    if (best != nullptr) return {Held::state, best->second};
    return {};
}

std::string declarations(const Model& model, const Mapping& mapping, const std::vector<std::string>& declared,
                         Diagnostics& diagnostics) {
    Terms terms;
    const Executor executor(model, terms);
    std::string text;
    std::string missing;
    const auto known = [&](const std::string& name) {
        return std::find(declared.begin(), declared.end(), name) != declared.end();
    };
    for (const auto& global : model.globals) {
        if (!global.is_register) continue;
        const std::string name = model.names.readable(global.name);
        const Holder by = holder(mapping, name);
        if (by.held == Held::constant || by.held == Held::scratch) continue;
        std::vector<Leaf> parts;
        const bool bits = leaves(model, executor, global.type, name, parts);
        const bool all =
            bits && std::all_of(parts.begin(), parts.end(), [&](const Leaf& leaf) { return known(leaf.name); });
        if (all) continue;
        const bool entry = std::any_of(mapping.files.begin(), mapping.files.end(), [&](const auto& file) {
            return known(file.name) && entry_number(file.name, name).has_value();
        });
        if (entry) continue;
        if (by.held == Held::unknown || !bits) {
            missing += (missing.empty() ? "" : ", ") + name;
            continue;
        }
        for (const auto& leaf : parts)
            if (!known(leaf.name))
                text += fmt::format("register {} : bits({}) role {};\n", leaf.name, leaf.width, isa::name(*by.role));
    }
    if (!missing.empty()) diagnostics.report(Code::E1009, mapping.text.where, missing);
    return text;
}

}  // namespace pogo::isa::jib
