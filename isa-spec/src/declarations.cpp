// State, modes, contexts, traps, sets and permissions.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "elaborator.hpp"

namespace pogo::isa {

Role Elaborator::role_of(const Ast& ast) {
    static const std::map<std::string_view, Role> roles = {{"data", Role::data},
                                                           {"memory", Role::memory},
                                                           {"pc", Role::pc},
                                                           {"mode", Role::mode},
                                                           {"relocation", Role::relocation},
                                                           {"control", Role::control},
                                                           {"io", Role::io},
                                                           {"time", Role::time}};
    const auto role = roles.find(ast.text);
    if (role == roles.end()) fail(Code::E0308, ast.range, ast.text);
    return role->second;
}

ElementId Elaborator::add_element(std::string name, unsigned width, unsigned entries, Role role, SourceRange where) {
    if (width > 64) fail(Code::E0309, where, name, fmt::format("{}", width));
    Element element;
    element.name = std::move(name);
    element.width = width;
    element.entries = entries;
    element.role = role;
    element.where = where;
    if (entries > 1) element.index_width = static_cast<unsigned>(std::bit_width(entries - 1));
    element.variable =
        spec_.terms.declare(element.name, entries > 1 ? Sort::array(element.index_width, width) : Sort::bits(width));
    element.slot = spec_.slots;
    spec_.slots += element.slots();
    spec_.elements.push_back(std::move(element));
    const ElementId id{static_cast<std::uint32_t>(spec_.elements.size() - 1)};
    if (role == Role::pc) {
        if (spec_.pc.valid()) fail(Code::E0310, where);
        spec_.pc = id;
    }
    return id;
}

void Elaborator::declare_register(const Ast& ast) {
    const Type of = type(ast[0]);
    if (of.kind != Type::Kind::bits) fail(Code::E0206, ast[0].range, "bits(n)", ast[0].text);
    Symbol& symbol = add(ast.text, Symbol::Kind::state, ast);
    RegisterSymbol& reg = symbol.state;
    using Part = Target::Part;
    if (ast.size() == 2) {
        if (!ast[1].is(Syntax::role)) fail(Code::E0311, ast.range, ast.text);
        const ElementId id = add_element(ast.text, of.width, 1, role_of(ast[1]), ast.range);
        reg.target.parts.push_back({Part::Kind::element, of.width, 0, id, nullptr, nullptr, {}});
        return;
    }
    struct Piece {
        unsigned high;
        unsigned low;
        const Ast* ast;
    };
    std::vector<Piece> pieces;
    for (std::size_t i = 2; i < ast.size(); ++i) {
        const Number high = number(ast[i][0]);
        const Number low = number(ast[i][1]);
        if (low < 0 || high < low || high >= static_cast<Number>(of.width))
            fail(Code::E0207, ast[i].range, describe(Value::of(high)), describe(Value::of(low)),
                 fmt::format("{}", of.width));
        pieces.push_back({static_cast<unsigned>(high), static_cast<unsigned>(low), &ast[i]});
    }
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.low < b.low; });
    unsigned at = 0;
    for (const Piece& piece : pieces) {
        if (piece.low < at) fail(Code::E0312, piece.ast->range, piece.ast->text);
        if (piece.low > at)
            reg.target.parts.push_back({Part::Kind::constant, piece.low - at, 0, {}, nullptr, nullptr, {}});
        const unsigned width = piece.high - piece.low + 1;
        const Ast& field = *piece.ast;
        if (field.size() > 3 && field[3].text == "reads") {
            if (!field[2].is(Syntax::none)) fail(Code::E0325, field[2].range, field.text);
            const Word value = spec_.terms.value(bits(eval(field[3][0], width), width, field[3].range));
            reg.target.parts.push_back({Part::Kind::constant, width, 0, {}, nullptr, nullptr, {}, value});
        } else {
            if (!field[2].is(Syntax::role)) fail(Code::E0311, field.range, ast.text + "." + field.text);
            const ElementId id = add_element(ast.text + "." + field.text, width, 1, role_of(field[2]), field.range);
            reg.target.parts.push_back({Part::Kind::element, width, 0, id, nullptr, nullptr, {}});
        }
        if (!reg.fields.emplace(field.text, field_rule(field, piece.high, piece.low)).second)
            fail(Code::E0202, field.range, field.text);
        at = piece.high + 1;
    }
    if (at < of.width) reg.target.parts.push_back({Part::Kind::constant, of.width - at, 0, {}, nullptr, nullptr, {}});
}

FieldRule Elaborator::field_rule(const Ast& ast, unsigned high, unsigned low) {
    FieldRule rule{high, low, FieldRule::Access::rw, {}};
    if (ast.size() <= 3) return rule;
    rule.access = ast[3].text == "warl" ? FieldRule::Access::warl : FieldRule::Access::ro;
    if (rule.access == FieldRule::Access::warl)
        for (const Ast& value : ast[3].children) {
            const unsigned width = high - low + 1;
            rule.legal.push_back(spec_.terms.value(bits(eval(value, width), width, value.range)));
        }
    return rule;
}

// Another name for state; with a list of fields, the rest reads as zero and ignores writes.
void Elaborator::declare_view(const Ast& ast) {
    const auto target = target_of(ast[1]);
    if (!target) fail(Code::E0209, ast[1].range);
    const Type of = type(ast[0]);
    if (of.width != target->width())
        fail(Code::E0203, ast.range, fmt::format("bits({})", of.width), fmt::format("bits({})", target->width()));
    RegisterSymbol view;
    view.target = *target;
    if (ast.size() > 2) {
        const Symbol* base = ast[1].is(Syntax::name) ? find(ast[1].text) : nullptr;
        if (base == nullptr || base->kind != Symbol::Kind::state)
            fail(Code::E0206, ast[1].range, "a register with fields", "this");
        for (const Ast& name : ast[2].children) {
            const auto field = base->state.fields.find(name.text);
            if (field == base->state.fields.end()) fail(Code::E0216, name.range, name.text, ast[1].text);
            if (!view.fields.insert(*field).second) fail(Code::E0202, name.range, name.text);
        }
        const auto shown = [&](unsigned bit) {
            return std::any_of(view.fields.begin(), view.fields.end(),
                               [&](const auto& field) { return field.second.low <= bit && bit <= field.second.high; });
        };
        view.target.parts.clear();
        for (unsigned low = 0; low < of.width;) {
            unsigned high = low;
            while (high + 1 < of.width && shown(high + 1) == shown(low)) ++high;
            if (shown(low))
                for (const auto& part : cut(*target, high, low).parts) view.target.parts.push_back(part);
            else
                view.target.parts.push_back(
                    {Target::Part::Kind::constant, high - low + 1, 0, {}, nullptr, nullptr, {}, 0});
            low = high + 1;
        }
    }
    add(ast.text, Symbol::Kind::state, ast).state = std::move(view);
}

void Elaborator::declare_file(const Ast& ast) {
    const unsigned size = positive(ast[0], 4096);
    if (size < 2) fail(Code::E0302, ast[0].range, "the number 1", "2 to 4096");
    const Type of = type(ast[1]);
    if (of.kind != Type::Kind::bits) fail(Code::E0206, ast[1].range, "bits(n)", ast[1].text);
    Symbol& symbol = add(ast.text, Symbol::Kind::file, ast);
    symbol.file.size = size;
    symbol.file.width = of.width;
    symbol.file.element = add_element(ast.text, of.width, size, role_of(ast[2]), ast.range);
    for (std::size_t i = 3; i < ast.size(); ++i) {
        const Value index = eval(ast[i][0]);
        const Number at = number(index, ast[i].range);
        if (at < 0 || at >= static_cast<Number>(size))
            fail(Code::E0223, ast[i].range, describe(index), ast.text, fmt::format("{}", size));
        const auto entry = static_cast<unsigned>(at);
        if (ast[i].is(Syntax::constant_entry))
            symbol.file.constants.emplace_back(
                entry, spec_.terms.value(bits(eval(ast[i][1], of.width), of.width, ast[i][1].range)));
        else
            symbol.file.others.emplace_back(entry, &ast[i]);
    }
}

void Elaborator::declare_bank(const Ast& ast) {
    const Type of = type(ast[0]);
    if (of.kind != Type::Kind::bits) fail(Code::E0206, ast[0].range, "bits(n)", ast[0].text);
    std::vector<BankSymbol::Member> members;
    const Symbol* first = nullptr;
    bool alike = true;
    for (std::size_t i = 3; i < ast.size(); ++i) {
        const Number value = number(ast[i][0]);
        Symbol* known = find(ast[i].text);
        if (known == nullptr) {
            // The declaration of a member is the bank itself.
            if (ast[2].is(Syntax::none))
                fail(Code::E0301, ast.range, "a role for the registers that the bank declares");
            known = &add(ast[i].text, Symbol::Kind::state, ast[i]);
            const ElementId id = add_element(ast[i].text, of.width, 1, role_of(ast[2]), ast[i].range);
            known->state.target.parts.push_back({Target::Part::Kind::element, of.width, 0, id, nullptr, nullptr, {}});
        }
        if (known->kind != Symbol::Kind::state || known->state.target.width() != of.width)
            fail(Code::E0320, ast[i].range, ast[i].text);
        // Its members are alike, part by part: one takes the place of another.
        const auto& parts = known->state.target.parts;
        if (first == nullptr) first = known;
        alike = std::equal(parts.begin(), parts.end(), first->state.target.parts.begin(),
                           first->state.target.parts.end(), [](const Target::Part& one, const Target::Part& two) {
                               return one.kind == two.kind && one.width == two.width && one.low == two.low &&
                                      one.value == two.value;
                           });
        alike = alike && std::all_of(parts.begin(), parts.end(), [&](const Target::Part& part) {
                    return part.kind == Target::Part::Kind::constant ||
                           (part.kind == Target::Part::Kind::element && part.width == spec_[part.element].width);
                });
        if (!alike) fail(Code::E0320, ast[i].range, ast[i].text);
        members.push_back({static_cast<Word>(value), &known->state.target});
    }
    if (members.empty()) fail(Code::E0320, ast.range, ast.text);
    auto fields = first->state.fields;
    Symbol& symbol = add(ast.text, Symbol::Kind::bank, ast);
    symbol.bank = {of.width, &ast[1], std::move(members)};
    symbol.state.target.parts.push_back({Target::Part::Kind::bank, of.width, 0, {}, nullptr, &symbol.bank, {}});
    symbol.state.fields = std::move(fields);
}

void Elaborator::declare_trap(const Ast& ast) {
    static const std::map<std::string_view, TrapKind> kinds = {
        {"memory", TrapKind::memory},         {"privilege", TrapKind::privilege}, {"call", TrapKind::call},
        {"arithmetic", TrapKind::arithmetic}, {"illegal", TrapKind::illegal},     {"virtual", TrapKind::exit}};
    const auto kind = kinds.find(ast[1].text);
    if (kind == kinds.end()) fail(Code::E0314, ast[1].range, ast[1].text);
    Cause cause;
    cause.name = ast.text;
    cause.kind = kind->second;
    cause.where = ast.range;
    for (const Ast& formal : ast[0].children) {
        const Type of = type(formal[0]);
        if (of.kind != Type::Kind::bits || of.width > 64)
            fail(Code::E0206, formal.range, "bits(n), n at most 64", formal[0].text);
        cause.parameters.push_back(spec_.terms.declare(ast.text + "." + formal.text, Sort::bits(of.width)));
    }
    Symbol& symbol = add(ast.text, Symbol::Kind::cause, ast);
    symbol.cause = {static_cast<std::uint32_t>(spec_.causes.size())};
    spec_.causes.push_back(std::move(cause));
}

std::vector<std::string> Elaborator::set_cases(const Ast& ast, const Ast& group) {
    if (ast.is(Syntax::none)) {
        std::vector<std::string> all;
        for (const Ast& child : group.children)
            if (child.is(Syntax::operand_case)) all.push_back(child.text);
        return all;
    }
    if (ast.is(Syntax::set_of)) {
        std::vector<std::string> names;
        for (const Ast& item : ast.children) {
            const bool known = std::any_of(group.children.begin(), group.children.end(), [&](const Ast& child) {
                return child.is(Syntax::operand_case) && child.text == item.text;
            });
            if (!known) fail(Code::E0216, item.range, item.text, group.text);
            names.push_back(item.text);
        }
        return names;
    }
    if (ast.is(Syntax::binary)) {
        auto left = set_cases(ast[0], group);
        const auto right = set_cases(ast[1], group);
        const auto contains = [](const auto& list, const std::string& s) {
            return std::find(list.begin(), list.end(), s) != list.end();
        };
        if (ast.text == "-")
            std::erase_if(left, [&](const std::string& s) { return contains(right, s); });
        else
            for (const auto& s : right)
                if (!contains(left, s)) left.push_back(s);
        return left;
    }
    const Symbol* symbol = find(ast.text);
    if (symbol == nullptr) unknown_name(ast);
    if (symbol->kind == Symbol::Kind::group && symbol->ast == &group) return set_cases(Ast{}, group);
    if (symbol->kind != Symbol::Kind::set || symbol->set_group != group.text)
        fail(Code::E0206, ast.range, "a set of cases of " + group.text, fmt::format("`{}`", ast.text));
    return symbol->cases;
}

void Elaborator::declare_set(const Ast& ast) {
    const Symbol* group = find(ast[0].text);
    if (group == nullptr || group->kind != Symbol::Kind::group)
        fail(Code::E0206, ast[0].range, "an operand", ast[0].text);
    auto cases = set_cases(ast[1], *group->ast);
    Symbol& symbol = add(ast.text, Symbol::Kind::set, ast);
    symbol.cases = std::move(cases);
    symbol.set_group = ast[0].text;
}

void Elaborator::define_mode(const Ast& ast) {
    Mode mode;
    mode.name = ast.text;
    mode.where = ast.range;
    for (const Ast& item : ast.children) {
        if (!item.is(Syntax::assign)) fail(Code::E0315, item.range);
        const auto target = target_of(item[0]);
        if (!target) fail(Code::E0315, item.range);
        const Word value = spec_.terms.value(bits(Value::of(number(item[1])), target->width(), item[1].range));
        unsigned low = 0;
        for (const auto& part : target->parts) {
            if (part.kind == Target::Part::Kind::element) {
                const Element& element = spec_[part.element];
                if (element.role != Role::mode || part.width != element.width) fail(Code::E0315, item.range);
                mode.cube.push_back({part.element, value >> low & ones(part.width)});
            }
            low += part.width;
        }
    }
    if (spec_.find_mode(ast.text).valid()) fail(Code::E0202, ast.range, ast.text);
    spec_.modes.push_back(std::move(mode));
}

std::vector<ElementId> Elaborator::whole_elements(const Ast& ast) {
    std::vector<ElementId> result;
    if (ast.is(Syntax::name))
        if (const Symbol* symbol = find(ast.text); symbol != nullptr && symbol->kind == Symbol::Kind::file)
            return {symbol->file.element};
    const auto target = target_of(ast);
    if (!target) {
        if (ast.is(Syntax::name) && find(ast.text) == nullptr) unknown_name(ast);
        fail(Code::E0316, ast.range);
    }
    for (const auto& part : target->parts) {
        if (part.kind == Target::Part::Kind::constant) continue;
        if (part.kind != Target::Part::Kind::element || part.width != spec_[part.element].width)
            fail(Code::E0316, ast.range);
        result.push_back(part.element);
    }
    return result;
}

std::vector<ElementId> Elaborator::listed_elements(const Ast& list) {
    std::vector<const Ast*> items;
    flatten(list.children, items);
    std::vector<ElementId> result;
    for (const Ast* item : items)
        for (const ElementId id : whole_elements(*item)) result.push_back(id);
    return result;
}

void Elaborator::define_context(const Ast& ast) {
    Context context;
    context.name = ast.text;
    context.where = ast.range;
    context.supervisor = spec_.find_mode(ast[0].text);
    context.user = spec_.find_mode(ast[1].text);
    if (!context.supervisor.valid()) fail(Code::E0317, ast[0].range, ast[0].text);
    if (!context.user.valid()) fail(Code::E0317, ast[1].range, ast[1].text);
    context.guest = listed_elements(ast[2]);
    const auto at = in_extension_ ? spec_.contexts.begin() : spec_.contexts.end();
    spec_.contexts.insert(at, std::move(context));
}

// The table for people, and that it says something about every mode.
void Elaborator::define_permission(const Ast& ast) {
    Permission& permission = spec_.permissions[find(ast.text)->index];
    std::vector<ElementId> elements;  // that tell modes apart
    for (const Mode& mode : spec_.modes)
        for (const auto& part : mode.cube)
            if (std::find(elements.begin(), elements.end(), part.element) == elements.end())
                elements.push_back(part.element);
    std::vector<const Mode*> decided;
    bool all = false;
    for (std::size_t i = 1; i < ast.size(); ++i) {
        const Ast& line = ast[i];
        Permission::Line out;
        out.mode = spec_.find_mode(line.text);
        if (line.text != "else" && !out.mode.valid()) fail(Code::E0317, line.range, line.text);
        if (line.size() > 1)
            out.condition = print(line[1]);
        else if (line.text == "else")
            all = true;
        else
            decided.push_back(&spec_[out.mode]);
        if (!line[0].is(Syntax::none)) {
            const Symbol* cause = find(line[0].text);
            if (cause == nullptr) unknown_name(line[0]);
            if (cause->kind != Symbol::Kind::cause) fail(Code::E0206, line[0].range, "a trap", line[0].text);
            out.cause = cause->cause;
        }
        permission.lines.push_back(std::move(out));
    }
    unsigned bits = 0;
    for (const ElementId id : elements) bits += spec_[id].width;
    if (!all && bits > 16) fail(Code::E0324, ast.range, ast.text, "every mode");
    for (Word value = 0; !all && value < Word{1} << bits; ++value) {
        const auto holds = [&](const Mode& mode) {
            return std::all_of(mode.cube.begin(), mode.cube.end(), [&](const Mode::Part& part) {
                unsigned low = 0;
                for (const ElementId id : elements) {
                    if (id == part.element) return (value >> low & ones(spec_[id].width)) == part.value;
                    low += spec_[id].width;
                }
                return false;
            });
        };
        if (std::any_of(decided.begin(), decided.end(), [&](const Mode* mode) { return holds(*mode); })) continue;
        const auto mode = std::find_if(spec_.modes.begin(), spec_.modes.end(), holds);
        fail(Code::E0324, ast.range, ast.text,
             mode != spec_.modes.end() ? fmt::format("mode `{}`", mode->name) : "what is none of the modes");
    }
}

}  // namespace pogo::isa
