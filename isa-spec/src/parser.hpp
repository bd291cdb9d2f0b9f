// From tokens to syntax tree, by recursive descent. After an error it goes on where it can.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "isa/parser.hpp"
#include "lexer.hpp"

namespace pogo::isa {

/// Rules return a node or throw Failure, with the diagnostic reported.
class Parser {
  public:
    Parser(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics)
        : tokens_(tokenize(sources, buffer, diagnostics)), diagnostics_(diagnostics) {}

    Ast file();

  private:
    static constexpr unsigned max_depth = 200;       // of the parser's own recursion
    static constexpr unsigned max_tree_depth = 400;  // of what it builds: long chains of operators nest to the left

    struct Failure {};  // unwinds to the nearest place that knows how to go on

    // ---- tokens ----
    [[nodiscard]] const Token& now() const { return tokens_[at_]; }
    [[nodiscard]] const Token& ahead(std::size_t n) const { return tokens_[std::min(at_ + n, tokens_.size() - 1)]; }
    [[nodiscard]] bool at(std::string_view text) const { return is(now(), text); }
    static bool is(const Token& token, std::string_view text) {
        return (token.kind == Token::Kind::name || token.kind == Token::Kind::sign) && token.text == text;
    }
    [[nodiscard]] bool at_name() const { return now().kind == Token::Kind::name; }
    [[nodiscard]] bool at_end() const { return now().kind == Token::Kind::end; }
    Token take() {
        const Token token = now();
        if (!at_end()) ++at_;
        return token;
    }
    bool accept(std::string_view text) {
        if (!at(text)) return false;
        take();
        return true;
    }
    [[nodiscard]] std::string found() const {
        return at_end() ? "the end of the file" : fmt::format("`{}`", now().text);
    }
    [[noreturn]] void fail(std::string_view expected) {
        // Point at the end of the line before when something is missing there.
        diagnostics_.report(Code::E0110, now().range, std::string(expected), found());
        throw Failure{};
    }
    Token expect(std::string_view text) {
        if (!at(text)) fail(fmt::format("`{}`", text));
        return take();
    }
    Token expect_name(std::string_view what) {
        if (!at_name()) fail(what);
        return take();
    }
    Token expect_string() {
        if (now().kind != Token::Kind::string) fail("a text in quotes");
        return take();
    }

    // ---- nodes ----
    [[nodiscard]] Ast node(Syntax kind, const Token& first, std::vector<Ast> children = {},
                           std::string_view text = {}) {
        Ast ast{kind, {}, std::string(text), 0, 0, std::move(children)};
        ast.range = cover(first.range, at_ > 0 ? tokens_[at_ - 1].range : first.range);
        for (const Ast& child : ast.children) ast.depth = std::max(ast.depth, child.depth + 1);
        if (ast.depth > max_tree_depth) {
            diagnostics_.report(Code::E0111, first.range);
            at_ = tokens_.size() - 1;  // nothing sensible can follow
            throw Failure{};
        }
        return ast;
    }
    static Ast none() { return {}; }
    Ast name_node(std::string_view what) {
        const Token token = expect_name(what);
        return node(Syntax::name, token, {}, token.text);
    }
    Ast text_node() {
        const Token token = expect_string();
        return node(Syntax::text, token, {}, token.text);
    }
    Ast number_node(Syntax kind) {
        const Token token = take();
        Ast ast = node(kind, token, {}, token.text);
        ast.value = token.value;
        ast.width = token.width;
        return ast;
    }

    struct Depth {
        explicit Depth(Parser& p) : parser(p) {
            if (++parser.depth_ > max_depth) {
                parser.diagnostics_.report(Code::E0111, parser.now().range);
                parser.at_ = parser.tokens_.size() - 1;  // nothing sensible can follow
                --parser.depth_;
                throw Failure{};
            }
        }
        Depth(const Depth&) = delete;
        Depth& operator=(const Depth&) = delete;
        ~Depth() { --parser.depth_; }
        Parser& parser;
    };

    // ---- recovery ----
    void skip();
    // A `}`-closed sequence of things; one that fails is left out.
    template <class F>
    void sequence(std::vector<Ast>& into, F&& one) {
        while (!at("}") && !at_end()) {
            const auto before = at_;
            try {
                into.push_back(one());
            } catch (const Failure&) {
                skip();
                if (at_ == before) take();
            }
        }
        if (at_end()) {
            diagnostics_.report(Code::E0110, now().range, "`}`", found());
            return;
        }
        take();
    }
    template <class F>
    Ast braced_list(F&& one) {
        const Token first = expect("{");
        std::vector<Ast> items;
        sequence(items, one);
        return node(Syntax::list, first, std::move(items));
    }

    // ---- expressions ----
    Ast expression();
    template <class... Asts>
    static std::vector<Ast> list_of(Asts&&... asts) {
        std::vector<Ast> result;
        result.reserve(sizeof...(asts));
        (result.push_back(std::forward<Asts>(asts)), ...);
        return result;
    }
    [[nodiscard]] bool at_operator(std::size_t level) const;
    Ast binary(std::size_t level);
    Ast product();
    Ast unary();
    Ast postfix();
    Ast arguments();
    Ast primary();

    // ---- statements ----
    Ast block();
    Ast statement();
    Ast raise();

    // ---- parts of declarations ----
    Ast type();
    Ast role();
    Ast formals();
    Ast property();

    // ---- declarations ----
    Ast machine();
    Ast parameter();
    using Rule = Ast (Parser::*)();
    static const std::map<std::string_view, Rule>& rules();
    Ast declaration();
    template <class F>
    Ast when(F&& items) {
        const Token first = expect("when");
        Ast condition = expression();
        std::vector<Ast> children = list_of(std::move(condition), items());
        // Among the lines of a permission an `else` may be a line of its own.
        if (at("else") && ahead(1).text != "=>") {
            take();
            if (at("when")) {
                const Token inner = now();
                Ast nested = when(items);
                children.push_back(node(Syntax::list, inner, list_of(std::move(nested))));
            } else {
                children.push_back(items());
            }
        }
        return node(Syntax::when, first, std::move(children));
    }
    Ast elements();
    Ast when_declarations();
    Ast enumeration();
    Ast register_();
    Ast register_field();
    Ast access_rule();
    Ast view();
    Ast regfile();
    Ast bank();
    Ast bank_member();
    Ast input();
    Ast region();
    Ast mode();
    Ast context();
    Ast vmm();
    Ast vmm_item();
    Ast vmm_tables();
    Ast vmm_entry(const char* what, std::size_t count);
    Ast named_expression(Syntax kind);
    Ast invariant() { return named_expression(Syntax::invariant); }
    Ast assume() { return named_expression(Syntax::assume); }
    Ast constant() { return named_expression(Syntax::constant); }
    Ast function();
    Ast translate();
    Ast tlb_item();
    Ast trap();
    Ast illegal();
    Ast interrupt();
    Ast condition();
    Ast reset();
    Ast set();
    Ast set_expression();
    Ast set_primary();
    Ast permission();
    Ast permission_line();

    // ---- operands and instructions ----
    Ast operand_group();
    Ast group_item();
    Ast case_item();
    std::vector<Ast> piece_groups();
    Ast encoding_piece();
    Ast assembly();
    Ast instruction();
    Ast instruction_item();

    // ---- timing, platform, extension ----
    Ast timing();
    Ast cache();
    Ast timing_file();
    void drives(std::vector<Ast>& children);
    Ast platform();
    Ast platform_item();
    Ast extension();
    Ast extension_item();

    std::vector<Token> tokens_;
    Diagnostics& diagnostics_;
    std::size_t at_ = 0;
    unsigned depth_ = 0;
};

}  // namespace pogo::isa
