// Declarations but instructions.
// SPDX-License-Identifier: Apache-2.0
#include "parser.hpp"

namespace pogo::isa {

// ---- parts of declarations ----

Ast Parser::type() {
    const Token first = expect_name("a type");
    std::vector<Ast> children;
    if (first.text == "bits" && accept("(")) {
        children.push_back(expression());
        expect(")");
    }
    return node(Syntax::type, first, std::move(children), first.text);
}

Ast Parser::role() {
    if (!at("role")) fail("`role`");
    take();
    const Token id = expect_name("a role");
    return node(Syntax::role, id, {}, id.text);
}

Ast Parser::formals() {
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

Ast Parser::property() {
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

Ast Parser::machine() {
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

Ast Parser::parameter() {
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

const std::map<std::string_view, Parser::Rule>& Parser::rules() {
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

Ast Parser::declaration() {
    const Depth depth(*this);
    if (at_name())
        if (const auto rule = rules().find(now().text); rule != rules().end()) return (this->*rule->second)();
    diagnostics_.report(Code::E0113, now().range, found());
    throw Failure{};
}

/// Elements of the state, as the guest's are listed.
Ast Parser::elements() {
    return braced_list([&] {
        if (at("when")) return when([&] { return elements(); });
        Ast element = expression();
        expect(";");
        return element;
    });
}

Ast Parser::when_declarations() {
    return when([&] { return braced_list([&] { return declaration(); }); });
}

Ast Parser::enumeration() {
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

Ast Parser::register_() {
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

Ast Parser::register_field() {
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

Ast Parser::access_rule() {
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

Ast Parser::view() {
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

Ast Parser::regfile() {
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

Ast Parser::bank() {
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

Ast Parser::bank_member() {
    if (at("when")) return when([&] { return braced_list([&] { return bank_member(); }); });
    const Token start = now();
    Ast value = expression();
    expect("=>");
    const Token reg = expect_name("a register");
    expect(";");
    return node(Syntax::bank_member, start, list_of(std::move(value)), reg.text);
}

Ast Parser::input() {
    const Token first = take();
    const Token id = expect_name("the input's name");
    expect(":");
    Ast of = type();
    Ast with = at("role") ? role() : none();
    expect(";");
    return node(Syntax::input, first, list_of(std::move(of), std::move(with)), id.text);
}

Ast Parser::region() {
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

Ast Parser::mode() {
    const Token first = take();
    const Token id = expect_name("the mode's name");
    Ast parts = braced_list([&] { return statement(); });
    return node(Syntax::mode, first, std::move(parts.children), id.text);
}

Ast Parser::context() {
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
    if (accept("guest")) guest = elements();
    accept(";");
    expect("}");
    return node(Syntax::context, first, list_of(std::move(upper), std::move(lower), std::move(guest)), id.text);
}

Ast Parser::vmm() {
    const Token first = take();
    const Token id = expect_name("the VM map's name");
    std::vector<Ast> children = list_of(formals());
    expect("{");
    sequence(children, [&] { return vmm_item(); });
    return node(Syntax::vmm, first, std::move(children), id.text);
}

Ast Parser::vmm_item() {
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
        return node(first.text == "guest" ? Syntax::vmm_guest : Syntax::synthesize, first,
                    std::move(elements().children));
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

Ast Parser::vmm_tables() {
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

Ast Parser::vmm_entry(const char* what, std::size_t count) {
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

Ast Parser::named_expression(Syntax kind) {
    const Token first = take();
    const Token id = expect_name("a name");
    expect("=");
    Ast value = expression();
    expect(";");
    return node(kind, first, list_of(std::move(value)), id.text);
}

Ast Parser::function() {
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

Ast Parser::translate() {
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
    if (accept("reads")) reads = elements();
    Ast body = block();
    return node(Syntax::translate, first,
                list_of(std::move(address), std::move(access), std::move(units), std::move(reads), std::move(body),
                        std::move(page), std::move(tlb)));
}

Ast Parser::tlb_item() {
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

Ast Parser::trap() {
    const Token first = take();
    const Token id = expect_name("the trap's name");
    Ast parameters = formals();
    expect("kind");
    Ast kind = name_node("a kind of trap");
    Ast body = block();
    return node(Syntax::trap, first, list_of(std::move(parameters), std::move(kind), std::move(body)), id.text);
}

Ast Parser::illegal() {
    const Token first = take();
    const Token cause = expect_name("the name of a trap");
    Ast with = arguments();
    expect(";");
    Ast raise = node(Syntax::raise, cause, list_of(std::move(with)), cause.text);
    return node(Syntax::illegal, first, list_of(std::move(raise)));
}

Ast Parser::interrupt() {
    const Token first = take();
    const Token id = expect_name("the interrupt's name");
    expect("when");
    Ast condition = expression();
    Ast body = block();
    return node(Syntax::interrupt, first, list_of(std::move(condition), std::move(body)), id.text);
}

Ast Parser::condition() {
    const Token first = take();
    expect("when");
    Ast value = expression();
    expect(";");
    return node(first.text == "wait" ? Syntax::wait : Syntax::halt, first, list_of(std::move(value)));
}

Ast Parser::reset() {
    const Token first = take();
    Ast body = block();
    return node(Syntax::reset, first, list_of(std::move(body)));
}

Ast Parser::set() {
    const Token first = take();
    const Token id = expect_name("the set's name");
    expect("of");
    Ast group = name_node("an operand");
    expect("=");
    Ast value = set_expression();
    expect(";");
    return node(Syntax::set_, first, list_of(std::move(group), std::move(value)), id.text);
}

Ast Parser::set_expression() {
    const Token first = now();
    Ast left = set_primary();
    while (at("-") || at("+")) {
        const Token op = take();
        Ast right = set_primary();
        left = node(Syntax::binary, first, list_of(std::move(left), std::move(right)), op.text);
    }
    return left;
}

Ast Parser::set_primary() {
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

Ast Parser::permission() {
    const Token first = take();
    const Token id = expect_name("the permission's name");
    std::vector<Ast> children = list_of(formals());
    expect("{");
    sequence(children, [&] { return permission_line(); });
    return node(Syntax::permission, first, std::move(children), id.text);
}

Ast Parser::permission_line() {
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

}  // namespace pogo::isa
