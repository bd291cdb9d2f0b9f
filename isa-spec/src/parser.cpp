// Files, recovery, expressions and statements.
// SPDX-License-Identifier: Apache-2.0
#include "parser.hpp"

#include <array>

namespace pogo::isa {

namespace {

// Operators by level, loosest first; all but comparisons associate to the left.
constexpr std::array<std::array<std::string_view, 8>, 9> levels = {{
    {"||"},
    {"&&"},
    {"|"},
    {"^"},
    {"&"},
    {"==", "!=", "<", "<=", ">", ">=", "<s", "<=s"},
    {"@"},
    {"<<", ">>", ">>s"},
    {"+", "-"},
}};
constexpr std::size_t comparisons = 5;

}  // namespace

Ast Parser::file() {
    if (at("machine")) return machine();
    if (at("extension")) return extension();
    if (at("timing")) return timing_file();
    diagnostics_.report(Code::E0112, now().range, found());
    return {};
}

// Past the next `;` at this level, past a block, or to a closing brace.
void Parser::skip() {
    unsigned open = 0;
    while (!at_end()) {
        if (at("{") || at("(") || at("[")) ++open;
        if (at("}") || at(")") || at("]")) {
            if (open == 0) {
                if (at("}")) return;
                take();
                continue;
            }
            --open;
            if (open == 0 && at("}")) {
                take();
                return;
            }
        }
        if (open == 0 && at(";")) {
            take();
            return;
        }
        take();
    }
}

// ---- expressions ----

Ast Parser::expression() {
    const Depth depth(*this);
    if (at("if")) {
        const Token first = take();
        Ast condition = expression();
        expect("then");
        Ast then = expression();
        expect("else");
        Ast otherwise = expression();
        return node(Syntax::conditional, first, list_of(std::move(condition), std::move(then), std::move(otherwise)));
    }
    return binary(0);
}

bool Parser::at_operator(std::size_t level) const {
    if (now().kind != Token::Kind::sign) return false;
    if (level == comparisons && (now().text == ">s" || now().text == ">=s")) return true;
    return std::any_of(levels[level].begin(), levels[level].end(),
                       [&](std::string_view op) { return !op.empty() && op == now().text; });
}

Ast Parser::binary(std::size_t level) {
    if (level == levels.size()) return product();
    const Token first = now();
    Ast left = binary(level + 1);
    while (at_operator(level)) {
        const Token op = take();
        Ast right = at("if") ? expression() : binary(level + 1);
        left = node(Syntax::binary, first, list_of(std::move(left), std::move(right)), op.text);
        if (level == comparisons && at_operator(level)) fail("an end of the comparison (put parentheses)");
    }
    return left;
}

Ast Parser::product() {
    const Token first = now();
    Ast left = unary();
    while (at("*")) {
        take();
        Ast right = unary();
        left = node(Syntax::binary, first, list_of(std::move(left), std::move(right)), "*");
    }
    return left;
}

Ast Parser::unary() {
    if (at("!") || at("~") || at("-")) {
        const Depth depth(*this);
        const Token op = take();
        Ast operand = unary();
        return node(Syntax::unary, op, list_of(std::move(operand)), op.text);
    }
    return postfix();
}

Ast Parser::postfix() {
    const Token first = now();
    Ast ast = primary();
    for (;;) {
        if (accept("[")) {
            Ast index = expression();
            if (accept("..")) {
                Ast low = expression();
                expect("]");
                ast = node(Syntax::slice, first, list_of(std::move(ast), std::move(index), std::move(low)));
            } else if (accept(",")) {
                std::vector<Ast> parts = list_of(std::move(ast), std::move(index), expression());
                if (accept(",")) parts.push_back(expression());
                expect("]");
                ast = node(Syntax::access, first, std::move(parts));
            } else {
                expect("]");
                ast = node(Syntax::index, first, list_of(std::move(ast), std::move(index)));
            }
        } else if (at(".") && ahead(1).kind == Token::Kind::name) {
            take();
            const Token member = take();
            ast = node(Syntax::member, first, list_of(std::move(ast)), member.text);
        } else if (at("(")) {
            std::vector<Ast> all = list_of(std::move(ast));
            for (Ast& argument : arguments().children) all.push_back(std::move(argument));
            ast = node(Syntax::call, first, std::move(all));
        } else {
            return ast;
        }
    }
}

Ast Parser::arguments() {
    const Token first = now();
    std::vector<Ast> all;
    if (accept("(")) {
        while (!at(")")) {
            all.push_back(expression());
            if (!accept(",")) break;
        }
        expect(")");
    }
    return node(Syntax::list, first, std::move(all));
}

Ast Parser::primary() {
    if (now().kind == Token::Kind::number) return number_node(Syntax::number);
    if (at("(")) {
        take();
        Ast inner = expression();
        expect(")");
        return inner;
    }
    if (at_name()) return name_node("a name");
    fail("an expression");
}

// ---- statements ----

Ast Parser::block() {
    const Depth depth(*this);
    const Token first = expect("{");
    std::vector<Ast> statements;
    sequence(statements, [&] { return statement(); });
    return node(Syntax::block, first, std::move(statements));
}

Ast Parser::statement() {
    const Depth depth(*this);
    const Token first = now();
    if (at("let") && ahead(1).kind == Token::Kind::name) {
        take();
        const Token id = expect_name("a name");
        Ast of = accept(":") ? type() : none();
        expect("=");
        std::vector<Ast> children = list_of(expression());
        if (!of.is(Syntax::none)) children.push_back(std::move(of));
        expect(";");
        return node(Syntax::let, first, std::move(children), id.text);
    }
    if (at("if")) {
        take();
        Ast condition = expression();
        std::vector<Ast> children = list_of(std::move(condition), block());
        if (accept("else")) children.push_back(at("if") ? statement() : block());
        return node(Syntax::branch, first, std::move(children));
    }
    if (at("foreach")) {
        take();
        const Token id = expect_name("a name");
        expect("in");
        Ast from = expression();
        expect("..");
        Ast to = expression();
        Ast body = block();
        return node(Syntax::foreach, first, list_of(std::move(from), std::move(to), std::move(body)), id.text);
    }
    if (at("trap")) return raise();
    if (at("require") && ahead(1).kind == Token::Kind::name) {
        take();
        const Token id = take();
        Ast with = arguments();
        expect(";");
        return node(Syntax::require_, first, list_of(std::move(with)), id.text);
    }
    if (at("fence") && is(ahead(1), "{")) {
        take();
        Ast matches = braced_list([&] {
            const Token tag = expect_name("`page` or a tag of the translation");
            expect("==");
            std::vector<Ast> parts = list_of(expression());
            if (accept("when")) parts.push_back(expression());
            expect(";");
            return node(Syntax::fence_match, tag, std::move(parts), tag.text);
        });
        return node(Syntax::fence, first, std::move(matches.children));
    }
    if (at("return")) {
        take();
        Ast value = expression();
        expect(";");
        return node(Syntax::give, first, list_of(std::move(value)));
    }
    Ast target = expression();
    if (accept("=")) {
        Ast value = expression();
        expect(";");
        return node(Syntax::assign, first, list_of(std::move(target), std::move(value)));
    }
    if (!target.is(Syntax::call)) fail("`=` or a call");
    expect(";");
    return node(Syntax::perform, first, list_of(std::move(target)));
}

Ast Parser::raise() {
    const Token first = expect("trap");
    const Token cause = expect_name("the name of a trap");
    std::vector<Ast> children = list_of(arguments());
    if (accept("when")) children.push_back(expression());
    expect(";");
    return node(Syntax::raise, first, std::move(children), cause.text);
}

Ast parse(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics) {
    return Parser(sources, buffer, diagnostics).file();
}

}  // namespace pogo::isa
