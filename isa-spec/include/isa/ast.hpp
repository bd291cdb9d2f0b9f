// The syntax tree: one node type, whose kinds and shapes are the table in ast.def.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "isa/source.hpp"
#include "isa/term.hpp"

namespace pogo::isa {

enum class Syntax : std::uint8_t {
#define X(kind, text, children) kind,
#include "isa/ast.def"
};

[[nodiscard]] std::string_view name(Syntax kind);

/// A node of the tree. Equality ignores ranges, so that print and parse can be compared.
struct Ast {
    Syntax kind = Syntax::none;
    SourceRange range;
    std::string text;
    Word value = 0;      ///< of numbers
    unsigned width = 0;  ///< digits' width of 0x and 0b literals in bits; 0 for decimal ones
    std::vector<Ast> children;
    unsigned depth = 1;  ///< of the tree under this node; the parser keeps it within 400

    [[nodiscard]] const Ast& operator[](std::size_t i) const { return children.at(i); }
    [[nodiscard]] std::size_t size() const { return children.size(); }
    [[nodiscard]] bool is(Syntax k) const { return kind == k; }
    friend bool operator==(const Ast& l, const Ast& r) {
        return l.kind == r.kind && l.text == r.text && l.value == r.value && l.width == r.width &&
               l.children == r.children;
    }
};

/// The tree as indented text, one node a line.
[[nodiscard]] std::string dump(const Ast& ast);

/// The tree as `.isa` text in the standard layout; parsing it gives an equal tree. An expression stays on one line.
[[nodiscard]] std::string print(const Ast& ast);

}  // namespace pogo::isa
