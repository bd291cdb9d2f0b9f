// Names and dumps of syntax nodes.
// SPDX-License-Identifier: Apache-2.0
#include "isa/ast.hpp"

#include <fmt/format.h>

#include <array>

namespace pogo::isa {

std::string_view name(Syntax kind) {
    static constexpr std::array names = {
#define X(kind, text, children) std::string_view(#kind),
#include "isa/ast.def"
    };
    std::string_view result = names[static_cast<std::size_t>(kind)];
    if (result.ends_with('_')) result.remove_suffix(1);
    return result;
}

namespace {

void dump(const Ast& ast, unsigned depth, std::string& out) {
    out += fmt::format("{:{}}{}", "", depth * 2, name(ast.kind));
    if (!ast.text.empty()) out += fmt::format(" {}", ast.text);
    out += "\n";
    for (const Ast& child : ast.children) dump(child, depth + 1, out);
}

}  // namespace

std::string dump(const Ast& ast) {
    std::string out;
    dump(ast, 0, out);
    return out;
}

}  // namespace pogo::isa
