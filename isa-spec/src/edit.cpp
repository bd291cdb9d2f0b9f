// Insertions at places that the syntax tree names.
// SPDX-License-Identifier: Apache-2.0
#include "isa/edit.hpp"

#include <map>

#include "isa/parser.hpp"

namespace pogo::isa {

namespace {

/// Texts by the place at which they go in.
using Insertions = std::map<std::uint32_t, std::string>;

std::string inserted(std::string_view text, const Insertions& insertions) {
    std::string result;
    std::uint32_t from = 0;
    for (const auto& [at, added] : insertions) {
        result += text.substr(from, at - from);
        result += added;
        from = at;
    }
    return result += text.substr(from);
}

/// The instructions by their identifiers, those inside `when` too. One that is declared twice is an alternative.
void collect(const Ast& ast, std::multimap<std::string, const Ast*>& into) {
    if (ast.is(Syntax::instruction))
        into.emplace(ast.text, &ast);
    else
        for (const Ast& child : ast.children) collect(child, into);
}

bool is_statement(const Ast& item) {
    switch (item.kind) {
        case Syntax::title:
        case Syntax::operand:
        case Syntax::encoding:
        case Syntax::assembly:
        case Syntax::cycles:
        case Syntax::rows:
            return false;
        default:
            return true;
    }
}

/// Puts a line before or after a place in the text, or, where that is inside a line, the line's text.
class Lines {
  public:
    explicit Lines(std::string_view text) : text_(text) {}

    void before(std::uint32_t place, const std::string& line) {
        std::uint32_t start = place;
        while (start > 0 && (text_[start - 1] == ' ' || text_[start - 1] == '\t')) --start;
        if (start > 0 && text_[start - 1] != '\n')
            insertions[place] += line + " ";
        else
            insertions[start] += std::string(text_.substr(start, place - start)) + line + "\n";
    }
    /// `item` ends at the place; its line's indentation is taken. A comment behind it stays with it.
    void after(SourceRange item, const std::string& line) {
        std::uint32_t start = item.begin;
        while (start > 0 && text_[start - 1] != '\n') --start;
        const auto indent = text_.substr(start, item.begin - start);
        const auto end = text_.find('\n', item.end);
        const auto rest = text_.substr(item.end, end == std::string_view::npos ? end : end - item.end);
        const auto code = rest.find_first_not_of(" \t\r");
        const bool own = indent.find_first_not_of(" \t") == std::string_view::npos && end != std::string_view::npos &&
                         (code == std::string_view::npos || rest.substr(code).starts_with("//"));
        if (own)
            insertions[static_cast<std::uint32_t>(end + 1)] += std::string(indent) + line + "\n";
        else
            insertions[item.end] += " " + line;
    }
    Insertions insertions;

  private:
    std::string_view text_;
};

}  // namespace

std::optional<std::string> begin_with(const SourceManager& sources, std::uint32_t buffer,
                                      std::span<const Prefix> prefixes) {
    Diagnostics diagnostics;
    const Ast tree = parse(sources, buffer, diagnostics);
    if (diagnostics.has_errors()) return std::nullopt;
    std::multimap<std::string, const Ast*> known;
    collect(tree, known);
    Lines lines(sources.text(buffer));
    for (const Prefix& prefix : prefixes) {
        const auto [first, last] = known.equal_range(prefix.instruction);
        if (first == last) return std::nullopt;
        for (auto it = first; it != last; ++it) {
            const Ast& ast = *it->second;
            const Ast* header = nullptr;  // the last item before the first statement
            for (const Ast& item : ast.children) {
                if (is_statement(item)) break;
                header = &item;
            }
            if (header != nullptr)
                lines.after(header->range, prefix.statement);
            else
                lines.before(ast[0].range.begin, prefix.statement);
        }
    }
    return inserted(sources.text(buffer), lines.insertions);
}

std::optional<std::string> with_exits(const SourceManager& sources, std::uint32_t buffer,
                                      std::span<const std::string> rules) {
    Diagnostics diagnostics;
    const Ast tree = parse(sources, buffer, diagnostics);
    if (diagnostics.has_errors() || !tree.is(Syntax::extension)) return std::nullopt;
    const Ast* last = nullptr;
    for (const Ast& item : tree.children)
        if (item.is(Syntax::exits) || (item.is(Syntax::exit_) && last == nullptr)) last = &item;
    if (last == nullptr) return std::nullopt;
    Lines lines(sources.text(buffer));
    for (const std::string& rule : rules) lines.after(last->range, rule);
    return inserted(sources.text(buffer), lines.insertions);
}

}  // namespace pogo::isa
