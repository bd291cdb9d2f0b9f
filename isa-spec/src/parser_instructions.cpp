// Operands and instructions; timing, platform, extension.
// SPDX-License-Identifier: Apache-2.0
#include "parser.hpp"

namespace pogo::isa {

// ---- operands and instructions ----

Ast Parser::operand_group() {
    const Token first = take();
    const Token id = expect_name("the operand's name");
    std::vector<Ast> children = list_of(formals());
    expect("{");
    sequence(children, [&] { return group_item(); });
    return node(Syntax::operand_group, first, std::move(children), id.text);
}

Ast Parser::group_item() {
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

Ast Parser::case_item() {
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

std::vector<Ast> Parser::piece_groups() {
    std::vector<Ast> groups;
    do {
        const Token first = now();
        std::vector<Ast> pieces;
        while (!at(",") && !at(";") && !at("where") && !at_end()) pieces.push_back(encoding_piece());
        groups.push_back(node(Syntax::group, first, std::move(pieces)));
    } while (accept(","));
    return groups;
}

Ast Parser::encoding_piece() {
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

Ast Parser::assembly() {
    const Token first = take();
    Ast text = text_node();
    expect(";");
    return node(Syntax::assembly, first, list_of(std::move(text)));
}

Ast Parser::instruction() {
    const Token first = take();
    const Token id = expect_name("the instruction's name");
    Ast items = braced_list([&] { return instruction_item(); });
    return node(Syntax::instruction, first, std::move(items.children), id.text);
}

Ast Parser::instruction_item() {
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

Ast Parser::timing() {
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

Ast Parser::cache() {
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
Ast Parser::timing_file() {
    const Token first = now();
    try {
        Ast section = timing();
        if (!at_end()) fail("the end of the file");
        return section;
    } catch (const Failure&) {
        return node(Syntax::timing, first, {});
    }
}

void Parser::drives(std::vector<Ast>& children) {
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

Ast Parser::platform() {
    const Token first = take();
    Ast items = braced_list([&] { return platform_item(); });
    return node(Syntax::platform, first, std::move(items.children));
}

Ast Parser::platform_item() {
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

Ast Parser::extension() {
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

Ast Parser::extension_item() {
    const Token first = now();
    if (at("when")) return when([&] { return braced_list([&] { return extension_item(); }); });
    if (at("active") || at("supervisor")) {
        take();
        Ast condition = expression();
        expect(";");
        return node(first.text == "active" ? Syntax::active : Syntax::supervisor, first, list_of(std::move(condition)));
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

}  // namespace pogo::isa
