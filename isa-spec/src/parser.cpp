// From tokens to syntax tree, by recursive descent. After an error it skips to a place where it can go on.
// SPDX-License-Identifier: Apache-2.0
#include "isa/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>

#include "lexer.hpp"

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
constexpr unsigned max_depth = 200;       // of the parser's own recursion
constexpr unsigned max_tree_depth = 400;  // of what it builds: long chains of operators nest to the left

class Parser {
  public:
    Parser(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics)
        : tokens_(tokenize(sources, buffer, diagnostics)), diagnostics_(diagnostics) {}

    Ast file() {
        if (at("machine")) return machine();
        if (at("extension")) return extension();
        if (at("timing")) return timing_file();
        diagnostics_.report(Code::E0112, now().range, found());
        return {};
    }

  private:
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
    // Past the next `;` at this level, past a block, or to a closing brace.
    void skip() {
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
    Ast expression() {
        const Depth depth(*this);
        if (at("if")) {
            const Token first = take();
            Ast condition = expression();
            expect("then");
            Ast then = expression();
            expect("else");
            Ast otherwise = expression();
            return node(Syntax::conditional, first,
                        list_of(std::move(condition), std::move(then), std::move(otherwise)));
        }
        return binary(0);
    }
    template <class... Asts>
    static std::vector<Ast> list_of(Asts&&... asts) {
        std::vector<Ast> result;
        result.reserve(sizeof...(asts));
        (result.push_back(std::forward<Asts>(asts)), ...);
        return result;
    }
    [[nodiscard]] bool at_operator(std::size_t level) const {
        if (now().kind != Token::Kind::sign) return false;
        if (level == comparisons && (now().text == ">s" || now().text == ">=s")) return true;
        return std::any_of(levels[level].begin(), levels[level].end(),
                           [&](std::string_view op) { return !op.empty() && op == now().text; });
    }
    Ast binary(std::size_t level) {
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
    Ast product() {
        const Token first = now();
        Ast left = unary();
        while (at("*")) {
            take();
            Ast right = unary();
            left = node(Syntax::binary, first, list_of(std::move(left), std::move(right)), "*");
        }
        return left;
    }
    Ast unary() {
        if (at("!") || at("~") || at("-")) {
            const Depth depth(*this);
            const Token op = take();
            Ast operand = unary();
            return node(Syntax::unary, op, list_of(std::move(operand)), op.text);
        }
        return postfix();
    }
    Ast postfix() {
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
    Ast arguments() {
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
    Ast primary() {
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
    Ast block() {
        const Depth depth(*this);
        const Token first = expect("{");
        std::vector<Ast> statements;
        sequence(statements, [&] { return statement(); });
        return node(Syntax::block, first, std::move(statements));
    }
    Ast statement() {
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
    Ast raise() {
        const Token first = expect("trap");
        const Token cause = expect_name("the name of a trap");
        std::vector<Ast> children = list_of(arguments());
        if (accept("when")) children.push_back(expression());
        expect(";");
        return node(Syntax::raise, first, std::move(children), cause.text);
    }

    // ---- parts of declarations ----
    Ast type() {
        const Token first = expect_name("a type");
        std::vector<Ast> children;
        if (first.text == "bits" && accept("(")) {
            children.push_back(expression());
            expect(")");
        }
        return node(Syntax::type, first, std::move(children), first.text);
    }
    Ast role() {
        if (!at("role")) fail("`role`");
        take();
        const Token id = expect_name("a role");
        return node(Syntax::role, id, {}, id.text);
    }
    Ast formals() {
        const Token first = now();
        std::vector<Ast> all;
        if (accept("(")) {
            while (!at(")")) {
                const Token id = expect_name("a parameter");
                expect(":");
                all.push_back(type());
                all.back() = node(Syntax::formal, id, list_of(std::move(all.back())), id.text);
                if (!accept(",")) break;
            }
            expect(")");
        }
        return node(Syntax::list, first, std::move(all));
    }
    Ast property() {
        const Token id = expect_name("a property");
        std::vector<Ast> values;
        while (!at(";") && !at_end() && !at("}")) {
            values.push_back(now().kind == Token::Kind::string ? text_node() : expression());
            if (!accept(",")) break;
        }
        expect(";");
        return node(Syntax::property, id, std::move(values), id.text);
    }

    // ---- declarations ----
    Ast machine() {
        const Token first = take();
        std::vector<Ast> children;
        Token id = first;
        try {
            id = expect_name("the machine's name");
            std::vector<Ast> parameters;
            const Token open = now();
            if (accept("(")) {
                while (!at(")")) {
                    parameters.push_back(parameter());
                    if (!accept(",")) break;
                }
                expect(")");
            }
            children.push_back(node(Syntax::list, open, std::move(parameters)));
            Ast properties = braced_list([&] { return property(); });
            for (Ast& p : properties.children) children.push_back(std::move(p));
        } catch (const Failure&) {
            skip();
            if (children.empty()) children.push_back({Syntax::list, {}, {}, 0, 0, {}});
        }
        while (!at_end()) {
            const auto before = at_;
            try {
                children.push_back(declaration());
            } catch (const Failure&) {
                skip();
                if (at("}") || at_ == before) take();
            }
        }
        return node(Syntax::machine, first, std::move(children), id.text);
    }
    Ast parameter() {
        const Token id = expect_name("a parameter");
        expect(":");
        Ast domain;
        const Token first = now();
        if (accept("{")) {
            std::vector<Ast> values;
            while (!at("}")) {
                values.push_back(expression());
                if (!accept(",")) break;
            }
            expect("}");
            domain = node(Syntax::set_of, first, std::move(values));
        } else if (at_name()) {
            domain = type();
        } else {
            Ast low = expression();
            expect("..");
            Ast high = expression();
            domain = node(Syntax::range, first, list_of(std::move(low), std::move(high)));
        }
        expect("=");
        Ast value = expression();
        return node(Syntax::parameter, id, list_of(std::move(domain), std::move(value)), id.text);
    }

    using Rule = Ast (Parser::*)();
    static const std::map<std::string_view, Rule>& rules() {
        static const std::map<std::string_view, Rule> table = {
            {"enum", &Parser::enumeration},
            {"register", &Parser::register_},
            {"view", &Parser::view},
            {"regfile", &Parser::regfile},
            {"bank", &Parser::bank},
            {"input", &Parser::input},
            {"region", &Parser::region},
            {"mode", &Parser::mode},
            {"context", &Parser::context},
            {"invariant", &Parser::invariant},
            {"assume", &Parser::assume},
            {"const", &Parser::constant},
            {"function", &Parser::function},
            {"procedure", &Parser::function},
            {"translate", &Parser::translate},
            {"trap", &Parser::trap},
            {"illegal", &Parser::illegal},
            {"interrupt", &Parser::interrupt},
            {"wait", &Parser::condition},
            {"halt", &Parser::condition},
            {"reset", &Parser::reset},
            {"permission", &Parser::permission},
            {"operand", &Parser::operand_group},
            {"set", &Parser::set},
            {"instruction", &Parser::instruction},
            {"timing", &Parser::timing},
            {"platform", &Parser::platform},
            {"vmm", &Parser::vmm},
            {"when", &Parser::when_declarations},
        };
        return table;
    }
    Ast declaration() {
        const Depth depth(*this);
        if (at_name())
            if (const auto rule = rules().find(now().text); rule != rules().end()) return (this->*rule->second)();
        diagnostics_.report(Code::E0113, now().range, found());
        throw Failure{};
    }
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
    Ast when_declarations() {
        return when([&] { return braced_list([&] { return declaration(); }); });
    }

    Ast enumeration() {
        const Token first = take();
        const Token id = expect_name("the enumeration's name");
        expect(":");
        std::vector<Ast> children = list_of(type());
        expect("{");
        while (!at("}")) {
            const Token member = expect_name("a name");
            expect("=");
            Ast value = expression();
            children.push_back(node(Syntax::enumerator, member, list_of(std::move(value)), member.text));
            if (!accept(",")) break;
        }
        expect("}");
        accept(";");
        return node(Syntax::enumeration, first, std::move(children), id.text);
    }
    Ast register_() {
        const Token first = take();
        const Token id = expect_name("the register's name");
        expect(":");
        std::vector<Ast> children = list_of(type());
        children.push_back(at("role") ? role() : none());
        if (at("{")) {
            take();
            sequence(children, [&] { return register_field(); });
            accept(";");
        } else {
            expect(";");
        }
        return node(Syntax::register_, first, std::move(children), id.text);
    }
    Ast register_field() {
        if (at("when")) return when([&] { return braced_list([&] { return register_field(); }); });
        const Token field = expect_name("a field");
        Ast high = expression();
        Ast low = accept("..") ? expression() : high;
        Ast of = at("role") ? role() : none();
        std::vector<Ast> parts = list_of(std::move(high), std::move(low), std::move(of));
        if (!at(";")) parts.push_back(access_rule());
        expect(";");
        return node(Syntax::field, field, std::move(parts), field.text);
    }
    Ast access_rule() {
        const Token first = now();
        std::vector<Ast> values;
        if (accept("reads")) {
            values.push_back(expression());
        } else if (accept("warl")) {
            expect("{");
            while (!at("}")) {
                values.push_back(expression());
                if (!accept(",")) break;
            }
            expect("}");
        } else if (!accept("ro")) {
            fail("`role`, `reads`, `ro` or `warl`");
        }
        return node(Syntax::access_rule, first, std::move(values), first.text);
    }
    Ast view() {
        const Token first = take();
        const Token id = expect_name("the view's name");
        expect(":");
        Ast of = type();
        expect("=");
        std::vector<Ast> parts = list_of(std::move(of), expression());
        if (at("{")) {
            parts.push_back(braced_list([&] {
                Ast field = name_node("a field");
                expect(";");
                return field;
            }));
            accept(";");
        } else {
            expect(";");
        }
        return node(Syntax::view, first, std::move(parts), id.text);
    }
    Ast regfile() {
        const Token first = take();
        const Token id = expect_name("the register file's name");
        expect("[");
        Ast size = expression();
        expect("]");
        expect(":");
        Ast of = type();
        Ast with = role();
        std::vector<Ast> children = list_of(std::move(size), std::move(of), std::move(with));
        if (accept("{")) {
            sequence(children, [&] {
                const Token entry = now();
                Ast index = expression();
                if (accept("reads")) {
                    Ast value = expression();
                    expect(";");
                    return node(Syntax::constant_entry, entry, list_of(std::move(index), std::move(value)));
                }
                if (!accept("is")) fail("`reads` or `is`");
                const Token of_bank = expect_name("a bank");
                expect(";");
                return node(Syntax::bank_entry, entry, list_of(std::move(index)), of_bank.text);
            });
            accept(";");
        } else {
            expect(";");
        }
        return node(Syntax::regfile, first, std::move(children), id.text);
    }
    Ast bank() {
        const Token first = take();
        const Token id = expect_name("the bank's name");
        expect(":");
        Ast of = type();
        expect("by");
        Ast selector = expression();
        std::vector<Ast> members;
        expect("{");
        sequence(members, [&] { return bank_member(); });
        std::vector<Ast> children = list_of(std::move(of), std::move(selector), at("role") ? role() : none());
        for (Ast& member : members) children.push_back(std::move(member));
        expect(";");
        return node(Syntax::bank, first, std::move(children), id.text);
    }
    Ast bank_member() {
        if (at("when")) return when([&] { return braced_list([&] { return bank_member(); }); });
        const Token start = now();
        Ast value = expression();
        expect("=>");
        const Token reg = expect_name("a register");
        expect(";");
        return node(Syntax::bank_member, start, list_of(std::move(value)), reg.text);
    }
    Ast input() {
        const Token first = take();
        const Token id = expect_name("the input's name");
        expect(":");
        Ast of = type();
        Ast with = at("role") ? role() : none();
        expect(";");
        return node(Syntax::input, first, list_of(std::move(of), std::move(with)), id.text);
    }
    Ast region() {
        const Token first = take();
        const Token id = expect_name("the region's name");
        expect(":");
        Ast low = expression();
        expect("..");
        Ast high = expression();
        Ast with = role();
        expect(";");
        return node(Syntax::region, first, list_of(std::move(low), std::move(high), std::move(with)), id.text);
    }
    Ast mode() {
        const Token first = take();
        const Token id = expect_name("the mode's name");
        Ast parts = braced_list([&] { return statement(); });
        return node(Syntax::mode, first, std::move(parts.children), id.text);
    }
    Ast context() {
        const Token first = take();
        const Token id = expect_name("the context's name");
        expect("{");
        expect("supervisor");
        Ast upper = name_node("a mode");
        expect(";");
        expect("user");
        Ast lower = name_node("a mode");
        expect(";");
        Ast guest{Syntax::list, {}, {}, 0, 0, {}};
        if (accept("guest"))
            guest = braced_list([&] {
                Ast element = expression();
                expect(";");
                return element;
            });
        accept(";");
        expect("}");
        return node(Syntax::context, first, list_of(std::move(upper), std::move(lower), std::move(guest)), id.text);
    }
    Ast vmm() {
        const Token first = take();
        const Token id = expect_name("the VM map's name");
        std::vector<Ast> children = list_of(formals());
        expect("{");
        sequence(children, [&] { return vmm_item(); });
        return node(Syntax::vmm, first, std::move(children), id.text);
    }
    Ast vmm_item() {
        const Token first = now();
        if (at("when")) return when([&] { return braced_list([&] { return vmm_item(); }); });
        if (accept("context")) {
            const Token id = expect_name("a context");
            expect(";");
            return node(Syntax::vmm_context, first, {}, id.text);
        }
        if (accept("where")) {
            Ast condition = expression();
            expect(";");
            return node(Syntax::where, first, list_of(std::move(condition)));
        }
        if (accept("map")) {
            Ast body = block();
            return node(Syntax::vmm_map, first, list_of(std::move(body)));
        }
        if (accept("memory")) {
            expect("(");
            const Token id = expect_name("the address's name");
            expect(")");
            expect("=");
            Ast value = expression();
            expect("when");
            Ast exists = expression();
            expect(";");
            return node(Syntax::vmm_memory, first, list_of(std::move(value), std::move(exists)), id.text);
        }
        if (accept("monitor")) {
            Ast body = block();
            return node(Syntax::vmm_monitor, first, list_of(std::move(body)));
        }
        if (at("shadow") || at("compose")) return vmm_tables();
        if (at("synthesize") || at("guest")) {
            take();
            Ast elements = braced_list([&] {
                Ast element = expression();
                expect(";");
                return element;
            });
            return node(first.text == "guest" ? Syntax::vmm_guest : Syntax::synthesize, first,
                        std::move(elements.children));
        }
        const bool interrupt = accept("interrupt");
        const Token id = expect_name(
            "`context`, `where`, `map`, `memory`, `shadow`, `compose`, `monitor`, `guest`, `synthesize`, `interrupt` "
            "or a mode");
        expect("=>");
        Ast to = name_node(interrupt ? "an interrupt" : "a mode");
        expect(";");
        return node(interrupt ? Syntax::vmm_interrupt : Syntax::vmm_mode, first, list_of(std::move(to)), id.text);
    }
    Ast vmm_tables() {
        const Token first = take();
        std::vector<Ast> parts;
        expect("(");
        parts.push_back(name_node("a constant of the VM map"));
        expect(",");
        parts.push_back(expression());
        expect(",");
        parts.push_back(expression());
        expect(")");
        expect("{");
        parts.push_back(vmm_entry("table", 1));
        parts.push_back(vmm_entry("page", 4));
        expect("}");
        return node(Syntax::vmm_tables, first, std::move(parts), first.text);
    }
    Ast vmm_entry(const char* what, std::size_t count) {
        const Token first = now();
        expect(what);
        expect("(");
        std::vector<Ast> parts = list_of(Ast{Syntax::none, {}, {}, 0, 0, {}});
        while (parts.size() <= count) {
            if (parts.size() > 1) expect(",");
            parts.push_back(name_node("a name"));
        }
        expect(")");
        expect("=");
        parts[0] = expression();
        expect(";");
        return node(Syntax::vmm_entry, first, std::move(parts), first.text);
    }
    Ast named_expression(Syntax kind) {
        const Token first = take();
        const Token id = expect_name("a name");
        expect("=");
        Ast value = expression();
        expect(";");
        return node(kind, first, list_of(std::move(value)), id.text);
    }
    Ast invariant() { return named_expression(Syntax::invariant); }
    Ast assume() { return named_expression(Syntax::assume); }
    Ast constant() { return named_expression(Syntax::constant); }
    Ast function() {
        const Token first = take();
        const bool procedure = first.text == "procedure";
        const Token id = expect_name("a name");
        Ast parameters = formals();
        Ast result = accept("->") ? type() : none();
        Ast body;
        if (accept("=")) {
            const Token start = now();
            Ast value = expression();
            expect(";");
            Ast give = node(Syntax::give, start, list_of(std::move(value)));
            body = node(Syntax::block, start, list_of(std::move(give)));
        } else {
            body = block();
        }
        return node(procedure ? Syntax::procedure : Syntax::function, first,
                    list_of(std::move(parameters), std::move(result), std::move(body)), id.text);
    }
    Ast translate() {
        const Token first = take();
        expect("(");
        Ast address = name_node("the address's name");
        expect(",");
        Ast access = name_node("the access's name");
        expect(",");
        Ast units = name_node("the size's name");
        expect(")");
        Ast page{Syntax::none, {}, {}, 0, 0, {}};
        if (accept("page")) page = expression();
        Ast tlb{Syntax::list, {}, {}, 0, 0, {}};
        if (accept("tlb")) tlb = braced_list([&] { return tlb_item(); });
        Ast reads{Syntax::list, {}, {}, 0, 0, {}};
        if (accept("reads"))
            reads = braced_list([&] {
                Ast element = expression();
                expect(";");
                return element;
            });
        Ast body = block();
        return node(Syntax::translate, first,
                    list_of(std::move(address), std::move(access), std::move(units), std::move(reads), std::move(body),
                            std::move(page), std::move(tlb)));
    }
    Ast tlb_item() {
        const Token first = now();
        if (at("when")) return when([&] { return braced_list([&] { return tlb_item(); }); });
        if (accept("stale")) {
            Ast element = expression();
            expect(";");
            return node(Syntax::stale, first, list_of(std::move(element)));
        }
        const Token tag = expect_name("`stale`, `when` or a tag");
        expect("=");
        Ast value = expression();
        expect(";");
        return node(Syntax::tag, first, list_of(std::move(value)), tag.text);
    }
    Ast trap() {
        const Token first = take();
        const Token id = expect_name("the trap's name");
        Ast parameters = formals();
        expect("kind");
        Ast kind = name_node("a kind of trap");
        Ast body = block();
        return node(Syntax::trap, first, list_of(std::move(parameters), std::move(kind), std::move(body)), id.text);
    }
    Ast illegal() {
        const Token first = take();
        const Token cause = expect_name("the name of a trap");
        Ast with = arguments();
        expect(";");
        Ast raise = node(Syntax::raise, cause, list_of(std::move(with)), cause.text);
        return node(Syntax::illegal, first, list_of(std::move(raise)));
    }
    Ast interrupt() {
        const Token first = take();
        const Token id = expect_name("the interrupt's name");
        expect("when");
        Ast condition = expression();
        Ast body = block();
        return node(Syntax::interrupt, first, list_of(std::move(condition), std::move(body)), id.text);
    }
    Ast condition() {
        const Token first = take();
        expect("when");
        Ast value = expression();
        expect(";");
        return node(first.text == "wait" ? Syntax::wait : Syntax::halt, first, list_of(std::move(value)));
    }
    Ast reset() {
        const Token first = take();
        Ast body = block();
        return node(Syntax::reset, first, list_of(std::move(body)));
    }
    Ast set() {
        const Token first = take();
        const Token id = expect_name("the set's name");
        expect("of");
        Ast group = name_node("an operand");
        expect("=");
        Ast value = set_expression();
        expect(";");
        return node(Syntax::set_, first, list_of(std::move(group), std::move(value)), id.text);
    }
    Ast set_expression() {
        const Token first = now();
        Ast left = set_primary();
        while (at("-") || at("+")) {
            const Token op = take();
            Ast right = set_primary();
            left = node(Syntax::binary, first, list_of(std::move(left), std::move(right)), op.text);
        }
        return left;
    }
    Ast set_primary() {
        const Token first = now();
        if (!accept("{")) return name_node("a set");
        std::vector<Ast> names;
        while (!at("}")) {
            names.push_back(name_node("a case"));
            if (!accept(",")) break;
        }
        expect("}");
        return node(Syntax::set_of, first, std::move(names));
    }

    Ast permission() {
        const Token first = take();
        const Token id = expect_name("the permission's name");
        std::vector<Ast> children = list_of(formals());
        expect("{");
        sequence(children, [&] { return permission_line(); });
        return node(Syntax::permission, first, std::move(children), id.text);
    }
    Ast permission_line() {
        if (at("when")) return when([&] { return braced_list([&] { return permission_line(); }); });
        const Token mode = expect_name("a mode or `else`");
        std::vector<Ast> parts;
        Ast condition = accept("when") ? expression() : none();
        expect("=>");
        const Token verdict = expect_name("`execute` or a trap");
        if (verdict.text == "execute") {
            parts.push_back(none());
        } else {
            Ast with = arguments();
            parts.push_back(node(Syntax::raise, verdict, list_of(std::move(with)), verdict.text));
        }
        if (!condition.is(Syntax::none)) parts.push_back(std::move(condition));
        expect(";");
        return node(Syntax::permission_line, mode, std::move(parts), mode.text);
    }

    // ---- operands and instructions ----
    Ast operand_group() {
        const Token first = take();
        const Token id = expect_name("the operand's name");
        std::vector<Ast> children = list_of(formals());
        expect("{");
        sequence(children, [&] { return group_item(); });
        return node(Syntax::operand_group, first, std::move(children), id.text);
    }
    Ast group_item() {
        const Token start = now();
        if (at("when")) return when([&] { return braced_list([&] { return group_item(); }); });
        if (accept("piece")) {
            const Token piece = expect_name("a piece");
            Ast width = expression();
            expect(";");
            return node(Syntax::piece, start, list_of(std::move(width)), piece.text);
        }
        if (accept("class")) {
            const Token of = expect_name("the class's name");
            expect(";");
            return node(Syntax::case_class, start, {}, of.text);
        }
        if (!accept("case")) fail("`piece`, `class` or `case`");
        const Token of = expect_name("the case's name");
        Ast items = braced_list([&] { return case_item(); });
        return node(Syntax::operand_case, start, std::move(items.children), of.text);
    }
    Ast case_item() {
        const Token first = now();
        const auto with_block = [&](Syntax kind) {
            take();
            std::string_view parameter;
            if (kind == Syntax::write_) {
                expect("(");
                parameter = expect_name("a parameter").text;
                expect(")");
            }
            Ast body = block();
            return node(kind, first, list_of(std::move(body)), parameter);
        };
        if (at("assembly")) return assembly();
        if (at("const")) {
            Ast ast = constant();
            ast.kind = Syntax::const_;
            return ast;
        }
        if (at("ext")) {
            take();
            std::vector<Ast> groups = piece_groups();
            expect(";");
            return node(Syntax::ext, first, std::move(groups));
        }
        if (at("address")) return with_block(Syntax::address_);
        if (at("read")) return with_block(Syntax::read_);
        if (at("write")) return with_block(Syntax::write_);
        if (at("only")) {
            take();
            expect("when");
            Ast condition = expression();
            expect(";");
            return node(Syntax::only, first, list_of(std::move(condition)));
        }
        if (at("where") && !is(ahead(1), "=")) {
            take();
            Ast condition = expression();
            expect(";");
            return node(Syntax::where, first, list_of(std::move(condition)));
        }
        if (at("when")) return when([&] { return braced_list([&] { return case_item(); }); });
        const Token piece = expect_name("a piece, `ext`, `assembly`, `const`, `address`, `read` or `write`");
        expect("=");
        std::vector<Ast> values;
        while (!at(";")) values.push_back(encoding_piece());
        expect(";");
        return node(Syntax::piece_value, first, std::move(values), piece.text);
    }
    std::vector<Ast> piece_groups() {
        std::vector<Ast> groups;
        do {
            const Token first = now();
            std::vector<Ast> pieces;
            while (!at(",") && !at(";") && !at("where") && !at_end()) pieces.push_back(encoding_piece());
            groups.push_back(node(Syntax::group, first, std::move(pieces)));
        } while (accept(","));
        return groups;
    }
    Ast encoding_piece() {
        if (now().kind == Token::Kind::number) return number_node(Syntax::bits);
        const Token id = expect_name("bits, a field or an operand");
        if (accept(":")) {
            Ast width = now().kind == Token::Kind::number ? number_node(Syntax::number) : unary();
            return node(Syntax::field_piece, id, list_of(std::move(width)), id.text);
        }
        if (accept("[")) {
            Ast high = expression();
            Ast low = accept("..") ? expression() : high;
            expect("]");
            return node(Syntax::field_part, id, list_of(std::move(high), std::move(low)), id.text);
        }
        Ast operand = node(Syntax::name, id, {}, id.text);
        std::string_view piece;
        if (accept(".")) piece = expect_name("a piece").text;
        return node(Syntax::operand_piece, id, list_of(std::move(operand)), piece);
    }
    Ast assembly() {
        const Token first = take();
        Ast text = text_node();
        expect(";");
        return node(Syntax::assembly, first, list_of(std::move(text)));
    }
    Ast instruction() {
        const Token first = take();
        const Token id = expect_name("the instruction's name");
        Ast items = braced_list([&] { return instruction_item(); });
        return node(Syntax::instruction, first, std::move(items.children), id.text);
    }
    Ast instruction_item() {
        const Token first = now();
        const bool names_follow = ahead(1).kind == Token::Kind::name;
        if (at("name") && ahead(1).kind == Token::Kind::string) {
            take();
            Ast text = text_node();
            expect(";");
            return node(Syntax::title, first, list_of(std::move(text)));
        }
        if (at("operand") && names_follow) {
            take();
            const Token id = expect_name("a name");
            expect(":");
            Ast group = name_node("an operand group");
            Ast with = arguments();
            Ast in = accept("in") ? set_expression() : none();
            expect(";");
            return node(Syntax::operand, first, list_of(std::move(group), std::move(with), std::move(in)), id.text);
        }
        if (at("encoding") && (names_follow || ahead(1).kind == Token::Kind::number)) {
            take();
            std::vector<Ast> groups = piece_groups();
            if (at("where")) {
                const Token where = take();
                Ast condition = expression();
                groups.push_back(node(Syntax::where, where, list_of(std::move(condition))));
            }
            expect(";");
            return node(Syntax::encoding, first, std::move(groups));
        }
        if (at("assembly") && ahead(1).kind == Token::Kind::string) return assembly();
        if (at("cycles") && names_follow) {
            take();
            const Token id = take();
            expect(";");
            return node(Syntax::cycles, first, {}, id.text);
        }
        if (at("rows") && is(ahead(1), "by")) {
            take();
            take();
            const Token id = expect_name("an operand");
            expect(";");
            return node(Syntax::rows, first, {}, id.text);
        }
        if (at("when")) return when([&] { return braced_list([&] { return instruction_item(); }); });
        return statement();
    }

    // ---- timing, platform, extension ----
    Ast timing() {
        const Token first = take();
        Ast items = braced_list([&] {
            if (at("icache") || at("dcache")) return cache();
            if (!at("class")) return property();
            const Token start = take();
            const Token id = expect_name("the class's name");
            Ast properties = braced_list([&] { return property(); });
            return node(Syntax::timing_class, start, std::move(properties.children), id.text);
        });
        return node(Syntax::timing, first, std::move(items.children));
    }
    Ast cache() {
        const Token first = take();
        std::vector<Ast> properties;
        while (!at(";")) {
            const Token name = expect_name("`size`, `line`, `ways`, `miss` or `;`");
            Ast value = expression();
            properties.push_back(node(Syntax::property, name, list_of(std::move(value)), name.text));
        }
        expect(";");
        return node(Syntax::timing_cache, first, std::move(properties), first.text);
    }
    // A file that holds a timing section and nothing else.
    Ast timing_file() {
        const Token first = now();
        try {
            Ast section = timing();
            if (!at_end()) fail("the end of the file");
            return section;
        } catch (const Failure&) {
            return node(Syntax::timing, first, {});
        }
    }
    void drives(std::vector<Ast>& children) {
        do {
            const Token start = now();
            const bool named = ahead(1).text == "=>";
            if (named) {
                expect_name("an output of the device");
                take();
            }
            Ast input = expression();
            children.push_back(node(Syntax::drive, start, list_of(std::move(input)), named ? start.text : ""));
        } while (accept(","));
    }
    Ast platform() {
        const Token first = take();
        Ast items = braced_list([&] { return platform_item(); });
        return node(Syntax::platform, first, std::move(items.children));
    }
    Ast platform_item() {
        if (at("when")) return when([&] { return braced_list([&] { return platform_item(); }); });
        if (ahead(1).kind == Token::Kind::string) return property();
        const Token kind = expect_name("a kind of device");
        if (kind.text == "core" && accept("drives")) {
            std::vector<Ast> counts;
            drives(counts);
            expect(";");
            return node(Syntax::core_drives, kind, std::move(counts));
        }
        Ast kind_node = node(Syntax::name, kind, {}, kind.text);
        const Token id = expect_name("the device's name");
        expect("at");
        Ast base = expression();
        expect("size");
        Ast size = expression();
        std::vector<Ast> children = list_of(std::move(kind_node), std::move(base), std::move(size));
        while (!at(";")) {
            if (accept("drives")) {
                drives(children);
            } else {
                const Token start = expect_name("`line`, `drives` or `;`");
                Ast value = expression();
                children.push_back(node(Syntax::property, start, list_of(std::move(value)), start.text));
            }
        }
        expect(";");
        return node(Syntax::device, kind, std::move(children), id.text);
    }
    Ast extension() {
        const Token first = take();
        std::vector<Ast> children;
        Token id = first;
        try {
            id = expect_name("the extension's name");
            expect("of");
            children.push_back(name_node("a machine"));
            expect("{");
            sequence(children, [&] { return extension_item(); });
            if (!at_end()) fail("the end of the file");
        } catch (const Failure&) {
            if (children.empty()) children.emplace_back();
        }
        return node(Syntax::extension, first, std::move(children), id.text);
    }
    Ast extension_item() {
        const Token first = now();
        if (at("active") || at("supervisor")) {
            take();
            Ast condition = expression();
            expect(";");
            return node(first.text == "active" ? Syntax::active : Syntax::supervisor, first,
                        list_of(std::move(condition)));
        }
        if (at("exit") && ahead(1).kind == Token::Kind::name) {
            take();
            const Token id = take();
            expect(";");
            return node(Syntax::exit_, first, {}, id.text);
        }
        if (at("virtual")) {
            take();
            if (!at("function") && !at("procedure")) fail("`function` or `procedure`");
            Ast text = function();
            const std::string id = text.text;
            return node(Syntax::virtual_, first, list_of(std::move(text)), id);
        }
        if (at("exits")) {
            take();
            expect("on");
            const Token what = expect_name("`privileged`, `instruction` or `interrupt`");
            std::vector<Ast> children;
            if (what.text == "instruction")
                children.push_back(now().kind == Token::Kind::string ? text_node() : name_node("an instruction"));
            else if (what.text == "interrupt")
                children.push_back(name_node("an interrupt"));
            else if (what.text != "privileged")
                fail("`privileged`, `instruction` or `interrupt`");
            if (accept("when")) children.push_back(expression());
            expect(";");
            return node(Syntax::exits, first, std::move(children), what.text);
        }
        return declaration();
    }

    std::vector<Token> tokens_;
    Diagnostics& diagnostics_;
    std::size_t at_ = 0;
    unsigned depth_ = 0;
};

}  // namespace

Ast parse(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics) {
    return Parser(sources, buffer, diagnostics).file();
}

}  // namespace pogo::isa
