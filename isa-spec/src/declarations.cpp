// Elaboration of declarations: state, modes, traps, timing, extension.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <sstream>

#include "elaborator.hpp"
#include "isa/parser.hpp"
#include "isa/require.hpp"

namespace pogo::isa {

std::optional<Spec> Elaborator::run() {
    if (!machine_.is(Syntax::machine)) return std::nullopt;
    spec_.name = machine_.text;
    const auto before = diagnostics_.errors();
    const auto number_ast = [](Word value) { return Ast{Syntax::number, {}, {}, value, 0, {}}; };
    access_ = {Syntax::enumeration, {}, "Access", 0, 0, {}};
    access_.children.push_back({Syntax::type, {}, "bits", 0, 0, {number_ast(2)}});
    for (const auto& [word, access] :
         {std::pair{"fetch", Access::fetch}, {"load", Access::load}, {"store", Access::store}})
        access_.children.push_back({Syntax::enumerator, {}, word, 0, 0, {number_ast(static_cast<Word>(access))}});
    add("Access", Symbol::Kind::enumeration, access_);
    attempt([&] { parameters(); });
    attempt([&] { properties(); });
    if (diagnostics_.errors() != before) return std::nullopt;
    std::size_t first = 1;
    while (first < machine_.size() && machine_[first].is(Syntax::property)) ++first;
    attempt([&] { collect(machine_.children, first, declarations_); });
    if (extension_ != nullptr) {
        if (!extension_->is(Syntax::extension) || extension_->size() == 0) return std::nullopt;
        if ((*extension_)[0].text != spec_.name)
            diagnostics_.report(Code::E0601, (*extension_)[0].range, (*extension_)[0].text, spec_.name);
        attempt([&] { collect(extension_->children, 1, extension_declarations_); });
    }
    // Timing classes are named by instructions, and everything is named before it is looked into.
    for (const Ast* ast : declarations_) attempt([&] { declare(*ast); });
    if (!spec_.pc.valid()) {
        diagnostics_.report(Code::E0301, machine_.range, "a register with role pc");
    } else if (const Element& pc = spec_[spec_.pc]; pc.width > spec_.address_width) {
        diagnostics_.report(Code::E0322, pc.where, fmt::format("{}", pc.width), fmt::format("{}", spec_.address_width));
    }
    if (diagnostics_.errors() != before) return std::nullopt;
    pc_value_ = spec_.terms.variable(spec_[spec_.pc].variable);
    spec_.next_pc = spec_.terms.declare("next_pc", Sort::bits(spec_[spec_.pc].width));
    spec_.opcode = spec_.terms.declare("opcode", Sort::bits(spec_.parcel_bits()));
    spec_.waiting = spec_.halted = spec_.terms.boolean(false);
    if (contribution_) {
        add_registers();
        contribution_(spec_);
        spec_.registers.clear();
        if (diagnostics_.errors() != before) return std::nullopt;
    }
    const auto own_causes = static_cast<std::uint32_t>(spec_.causes.size());
    const auto own_interrupts = static_cast<std::uint32_t>(spec_.interrupts.size());
    for (const Ast* ast : extension_declarations_) attempt([&] { declare(*ast); });
    for (const Ast* ast : extension_declarations_)
        if (ast->is(Syntax::active)) attempt([&] { pure({}, [&] { active_ = condition((*ast)[0]); }); });
    if (diagnostics_.errors() != before) return std::nullopt;
    spec_.timing.classes.clear();
    for (const auto* list : {&declarations_, &extension_declarations_})
        for (const Ast* ast : *list)
            if (ast->is(Syntax::timing) || ast->is(Syntax::platform)) attempt([&] { define(*ast); });
    if (spec_.timing.classes.empty()) spec_.timing.classes.push_back({"default", 1, 1, false});
    // The translation is known before any access, and instructions come last: they use all the rest.
    enum class Rank : std::uint8_t { done, translation, others, instructions };
    const auto rank = [](const Ast& ast) {
        if (ast.is(Syntax::timing) || ast.is(Syntax::platform)) return Rank::done;
        if (ast.is(Syntax::translate)) return Rank::translation;
        return ast.is(Syntax::instruction) ? Rank::instructions : Rank::others;
    };
    for (const Rank now : {Rank::translation, Rank::others, Rank::instructions})
        for (const Ast* ast : declarations_)
            if (rank(*ast) == now) attempt([&] { define(*ast); });
    in_extension_ = true;
    if (extension_ != nullptr) attempt([&] { define_extension(*extension_); });
    if (spec_.extension) {
        spec_.extension->first_cause = own_causes;
        spec_.extension->first_interrupt = own_interrupts;
    }
    in_extension_ = false;
    if (diagnostics_.errors() != before) return std::nullopt;
    attempt([&] { finish(); });
    if (diagnostics_.errors() != before) return std::nullopt;
    return std::move(spec_);
}

// `when` around declarations is decided here, so everything after sees one flat list.
void Elaborator::collect(const std::vector<Ast>& list, std::size_t from, std::vector<const Ast*>& into) {
    for (std::size_t i = from; i < list.size(); ++i) {
        if (!list[i].is(Syntax::when)) {
            attempt([&] { into.push_back(decided(list[i])); });
            continue;
        }
        attempt([&] {
            if (constant_condition(list[i][0]))
                collect(list[i][1].children, 0, into);
            else if (list[i].size() > 2)
                collect(list[i][2].children, 0, into);
        });
    }
}

// The same of a permission's lines, an operand's cases, a register's fields, a bank's members and a platform's devices.
const Ast* Elaborator::decided(const Ast& ast) {
    constexpr std::array parts = {Syntax::permission, Syntax::operand_group, Syntax::register_,
                                  Syntax::bank,       Syntax::platform,      Syntax::vmm};
    if (std::find(parts.begin(), parts.end(), ast.kind) == parts.end()) return &ast;
    if (std::none_of(ast.children.begin(), ast.children.end(), [](const Ast& item) { return item.is(Syntax::when); }))
        return &ast;
    std::vector<const Ast*> items;
    flatten(ast.children, items);
    Ast& result = decided_.emplace_back(Ast{ast.kind, ast.range, ast.text, ast.value, ast.width, {}});
    for (const Ast* item : items) result.children.push_back(*item);
    return &result;
}

Symbol& Elaborator::add(std::string_view name, Symbol::Kind kind, const Ast& ast) {
    const auto [place, fresh] = symbols_.try_emplace(std::string(name));
    if (!fresh) {
        auto& diagnostic = diagnostics_.report(Code::E0202, ast.range, std::string(name));
        if (place->second.where.valid()) diagnostic.notes.push_back({place->second.where, "first declared here"});
        throw Abandon{};
    }
    place->second.kind = kind;
    place->second.ast = &ast;
    place->second.where = ast.range;
    return place->second;
}

unsigned Elaborator::positive(const Ast& ast, unsigned limit) {
    const Value value = eval(ast);
    const Number n = number(value, ast.range);
    if (n < 1 || n > static_cast<Number>(limit))
        fail(Code::E0302, ast.range, describe(value), fmt::format("1 to {}", limit));
    return static_cast<unsigned>(n);
}

void Elaborator::parameters() {
    for (const Ast& ast : machine_[0].children) {
        const auto given = std::find_if(arguments_.rbegin(), arguments_.rend(),
                                        [&](const auto& argument) { return argument.first == ast.text; });
        std::string text;
        Value value;
        const Ast& domain = ast[0];
        const auto word = [](const Ast& expression) { return expression.text; };
        const std::string written = given != arguments_.rend() ? given->second : "";
        const bool use = given != arguments_.rend();
        bool good = true;
        std::string wanted;
        const auto read_number = [&](const std::string& digits, Number& into) {
            if (digits.empty() || digits.size() > 18) return false;
            into = 0;
            for (const char c : digits) {
                if (c < '0' || c > '9') return false;
                into = into * 10 + (c - '0');
            }
            return true;
        };
        if (domain.is(Syntax::set_of)) {
            // Values are numbers or names; a name stands for its place in the list.
            text = use ? written : word(ast[1]);
            good = false;
            for (std::size_t i = 0; i < domain.size(); ++i) {
                wanted += (i > 0 ? ", " : "") + word(domain[i]);
                if (domain[i].is(Syntax::name)) {
                    Symbol& symbol = symbols_[domain[i].text];
                    symbol.kind = Symbol::Kind::number;
                    symbol.where = domain[i].range;
                    symbol.value = Value::of(static_cast<Number>(i));
                }
                if (word(domain[i]) != text) continue;
                good = true;
                value = domain[i].is(Syntax::name) ? Value::of(static_cast<Number>(i)) : eval(domain[i]);
            }
        } else if (domain.is(Syntax::type) && domain.text == "bool") {
            text = use ? written : word(ast[1]);
            wanted = "true, false";
            good = text == "true" || text == "false";
            value = Value::of(spec_.terms.boolean(text == "true"));
        } else if (domain.is(Syntax::range)) {
            const Number low = number(domain[0]);
            const Number high = number(domain[1]);
            Number n = 0;
            wanted = fmt::format("{} to {}", word(domain[0]), word(domain[1]));
            good = use ? read_number(written, n) : true;
            if (!use) n = number(ast[1]);
            text = use ? written : word(ast[1]);
            good = good && n >= low && n <= high;
            value = Value::of(n);
        } else {
            fail(Code::E0303, domain.range);
        }
        if (!good) {
            diagnostics_.report(Code::E0306, use ? SourceRange{} : ast.range, text, ast.text, wanted);
            continue;
        }
        add(ast.text, Symbol::Kind::number, ast).value = value;
        spec_.parameters.push_back({ast.text, text});
    }
    for (const auto& [name, value] : arguments_) {
        const bool known = std::any_of(machine_[0].children.begin(), machine_[0].children.end(),
                                       [&, &n = name](const Ast& ast) { return ast.text == n; });
        if (known) continue;
        std::string all;
        for (const Ast& ast : machine_[0].children) all += (all.empty() ? "" : ", ") + ast.text;
        diagnostics_.report(Code::E0307, SourceRange{}, name, spec_.name, all.empty() ? "none" : all);
    }
}

void Elaborator::properties() {
    unsigned parcel = 0;
    bool physical = false;
    for (std::size_t i = 1; i < machine_.size() && machine_[i].is(Syntax::property); ++i) {
        const Ast& ast = machine_[i];
        attempt([&] {
            if (ast.size() != 1) fail(Code::E0302, ast.range, "this property", "one value");
            const Ast& value = ast[0];
            if (ast.text == "title") {
                spec_.title = value.text;
            } else if (ast.text == "endian") {
                if (value.text != "big" && value.text != "little")
                    fail(Code::E0302, value.range, fmt::format("`{}`", value.text), "big or little");
                spec_.big_endian = value.text == "big";
            } else if (ast.text == "unit") {
                spec_.unit_bits = positive(value, 64);
            } else if (ast.text == "address") {
                spec_.address_width = positive(value, 64);
            } else if (ast.text == "physical") {
                spec_.physical_width = positive(value, 64);
                physical = true;
            } else if (ast.text == "parcel") {
                parcel = positive(value, 64);
            } else if (ast.text == "elf") {
                spec_.elf_machine = positive(value, 65535);
            } else {
                fail(Code::E0304, ast.range, ast.text);
            }
        });
    }
    if (!physical) spec_.physical_width = spec_.address_width;
    if (parcel == 0) parcel = spec_.unit_bits;
    if (parcel % spec_.unit_bits != 0)
        fail(Code::E0305, machine_.range, fmt::format("{}", parcel), fmt::format("{}", spec_.unit_bits));
    spec_.parcel_units = parcel / spec_.unit_bits;
}

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

// A machine's own kinds of access come after those that every machine has.
void Elaborator::declare_access(const Ast& ast) {
    const auto value_of = [&](const Ast& enumeration, const std::string& name) {
        for (const Ast& enumerator : enumeration.children)
            if (enumerator.is(Syntax::enumerator) && enumerator.text == name) return number(enumerator[0]);
        return Number{-1};
    };
    for (std::size_t i = 1; i < access_.size(); ++i)
        if (value_of(ast, access_[i].text) != value_of(access_, access_[i].text)) fail(Code::E0326, ast.range);
    if (type(ast[0]).width > 8) fail(Code::E0302, ast[0].range, "the width", "1 to 8");
    Symbol& symbol = *find("Access");
    symbol.ast = &ast;
    symbol.where = ast.range;
}

// First round: names.
void Elaborator::declare(const Ast& ast) {
    switch (ast.kind) {
        case Syntax::enumeration:
            if (ast.text == "Access" && find("Access")->ast == &access_)
                declare_access(ast);
            else
                add(ast.text, Symbol::Kind::enumeration, ast);
            break;
        case Syntax::register_:
            declare_register(ast);
            break;
        case Syntax::regfile:
            declare_file(ast);
            break;
        case Syntax::bank:
            declare_bank(ast);
            break;
        case Syntax::view:
            declare_view(ast);
            break;
        case Syntax::input: {
            const Type of = type(ast[0]);
            Symbol& symbol = add(ast.text, Symbol::Kind::state, ast);
            const Role role = ast[1].is(Syntax::none) ? Role::io : role_of(ast[1]);
            if (role != Role::io && role != Role::time) fail(Code::E0518, ast[1].range);
            const ElementId id = add_element(ast.text, of.width, 1, role, ast.range);
            spec_.elements[id.index].input = true;
            symbol.state.target.parts.push_back({Target::Part::Kind::element, of.width, 0, id, nullptr, nullptr, {}});
            break;
        }
        case Syntax::constant: {
            const Value value = eval(ast[0]);
            add(ast.text, Symbol::Kind::number, ast).value =
                value.is_number() ? value : Value::of(any_bits(value, ast[0].range));
            break;
        }
        case Syntax::function:
            add(ast.text, Symbol::Kind::function, ast);
            break;
        case Syntax::procedure:
            add(ast.text, Symbol::Kind::procedure, ast);
            break;
        case Syntax::virtual_:
            declare_virtual(ast);
            break;
        case Syntax::permission: {
            Symbol& symbol = add(ast.text, Symbol::Kind::permission, ast);
            symbol.index = static_cast<std::uint32_t>(spec_.permissions.size());
            spec_.permissions.push_back({ast.text, {}, {}, ast.range});
            break;
        }
        case Syntax::trap:
            declare_trap(ast);
            break;
        case Syntax::operand_group:
            add(ast.text, Symbol::Kind::group, ast);
            break;
        case Syntax::set_:
            declare_set(ast);
            break;
        case Syntax::interrupt: {
            Symbol& symbol = add(ast.text, Symbol::Kind::interrupt, ast);
            symbol.index = static_cast<std::uint32_t>(spec_.interrupts.size());
            spec_.interrupts.push_back({ast.text, {}, {}, ast.range});
            break;
        }
        case Syntax::translate:
            if (in_extension_ || translate_ != nullptr) break;
            for (const Ast* own : declarations_)
                if (own == &ast) translate_ = &ast;
            break;
        default:
            break;
    }
}

// What the policy puts in its place takes and gives what the machine's function does.
void Elaborator::declare_virtual(const Ast& ast) {
    const Ast& text = ast[0];
    const auto same_type = [](const Ast& a, const Ast& b) { return a[0] == b[0]; };
    Symbol* symbol = find(ast.text);
    const bool machines = symbol != nullptr &&
                          std::find(declarations_.begin(), declarations_.end(), symbol->ast) != declarations_.end() &&
                          symbol->ast->is(text.kind) && (*symbol->ast)[1] == text[1] &&
                          std::equal(text[0].children.begin(), text[0].children.end(),
                                     (*symbol->ast)[0].children.begin(), (*symbol->ast)[0].children.end(), same_type);
    if (!machines) fail(Code::E0608, ast.range, name(text.kind), ast.text);
    if (symbol->in_virtual_state != nullptr) fail(Code::E0202, ast.range, ast.text);
    symbol->in_virtual_state = &text;
}

// Second round: what the names mean.
void Elaborator::define(const Ast& ast) {
    Terms& t = spec_.terms;
    const auto state = [&](const Ast& expression) {
        Term result;
        attempt([&] { pure({}, [&] { result = condition(expression); }); });
        return result.valid() ? result : t.boolean(false);
    };
    switch (ast.kind) {
        case Syntax::mode:
            define_mode(ast);
            break;
        case Syntax::context:
            define_context(ast);
            break;
        case Syntax::permission:
            define_permission(ast);
            break;
        case Syntax::region: {
            const Number first = number(ast[0]);
            const Number last = number(ast[1]);
            if (first < 0 || last < first || static_cast<Word>(last) > ones(spec_.physical_width))
                fail(Code::E0207, ast.range, describe(Value::of(last)), describe(Value::of(first)),
                     "the physical address");
            spec_.regions.push_back(
                {ast.text, static_cast<Word>(first), static_cast<Word>(last), role_of(ast[2]), ast.range});
            break;
        }
        case Syntax::invariant:
        case Syntax::assume:
            spec_.invariants.push_back({ast.text, state(ast[0]), ast.range, ast.is(Syntax::assume)});
            break;
        case Syntax::wait:
            spec_.waiting = t.or_(spec_.waiting, state(ast[0]));
            break;
        case Syntax::halt:
            spec_.halted = t.or_(spec_.halted, state(ast[0]));
            break;
        case Syntax::reset:
            next_value_ = {};
            spec_.reset = meaning(pc_value_, [&] { block(ast[0]); });
            break;
        case Syntax::trap: {
            const CauseId cause = find(ast.text)->cause;
            next_value_ = t.variable(spec_.next_pc);
            Meaning entry = meaning(pc_value_, [&] {
                for (std::size_t i = 0; i < ast[0].size(); ++i)
                    frames_.back().locals.push_back(
                        {ast[0][i].text, Value::of(t.variable(spec_[cause].parameters[i])), nullptr});
                block(ast[2]);
            });
            spec_.causes[cause.index].entry = std::move(entry);
            break;
        }
        case Syntax::interrupt: {
            const std::uint32_t index = find(ast.text)->index;
            spec_.interrupts[index].condition = state(ast[0]);
            next_value_ = pc_value_;
            Meaning entry = meaning(pc_value_, [&] { block(ast[1]); });
            spec_.interrupts[index].entry = std::move(entry);
            break;
        }
        case Syntax::illegal: {
            if (spec_.illegal.cause.valid()) fail(Code::E0202, ast.range, "illegal");
            next_value_ = {};
            Meaning m = meaning(pc_value_, [&] {
                frames_.back().locals.push_back({"opcode", Value::of(t.variable(spec_.opcode)), nullptr});
                raise(ast[0]);
            });
            spec_.illegal = m.traps.at(0);
            break;
        }
        case Syntax::translate:
            define_translation(ast);
            break;
        case Syntax::timing:
            define_timing(ast);
            break;
        case Syntax::platform:
            define_platform(ast);
            break;
        case Syntax::instruction:
            instruction(ast);
            break;
        default:
            break;
    }
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

Translation Elaborator::translation_template(const Ast& ast, unsigned from_width) {
    Terms& t = spec_.terms;
    Translation translation;
    const std::string prefix = in_extension_ ? "second." : "translate.";
    translation.address = t.declare(prefix + ast[0].text, Sort::bits(from_width));
    translation.access = t.declare(prefix + ast[1].text, Sort::bits(access_width()));
    translation.units = t.declare(prefix + ast[2].text, Sort::bits(8));
    next_value_ = {};
    load_name_ = prefix + "load";
    Meaning m = meaning(pc_value_, [&] {
        Frame& frame = frames_.back();
        frame.result_type = {Type::Kind::bits, spec_.physical_width, nullptr};
        frame.locals.push_back({ast[0].text, Value::of(t.variable(translation.address)), nullptr});
        frame.locals.push_back({ast[1].text, Value::of(t.variable(translation.access)), nullptr});
        frame.locals.push_back({ast[2].text, Value::of(t.variable(translation.units)), nullptr});
        block(ast[4]);
        if (!frames_.back().has_result) fail(Code::E0212, ast.range, "translate");
        translation.physical = frames_.back().result->term;
    });
    load_name_ = "load";
    if (!m.writes.empty() || !m.stores.empty()) fail(Code::E0318, ast.range);
    translation.faults = std::move(m.traps);
    translation.loads = std::move(m.loads);
    if (!ast[5].is(Syntax::none)) translation.page = positive(ast[5], std::min(from_width, spec_.physical_width) - 1);
    std::vector<Term> roots{translation.physical};
    for (const auto& load : translation.loads) roots.insert(roots.end(), {load.guard, load.physical});
    for (const auto& fault : translation.faults) {
        roots.push_back(fault.guard);
        roots.insert(roots.end(), fault.arguments.begin(), fault.arguments.end());
    }
    const auto support = t.support(roots);
    for (std::uint32_t i = 0; i < spec_.elements.size(); ++i)
        if (std::binary_search(support.begin(), support.end(), spec_.elements[i].variable))
            translation.reads.push_back({i});
    define_tlb(ast, translation);
    if (ast[3].size() > 0) {
        const std::vector<ElementId> declared = listed_elements(ast[3]);
        for (const ElementId id : translation.reads)
            if (std::find(declared.begin(), declared.end(), id) == declared.end())
                fail(Code::E0319, ast.range, spec_[id].name);
    }
    return translation;
}

void Elaborator::define_tlb(const Ast& ast, Translation& translation) {
    std::vector<const Ast*> items;
    flatten(ast[6].children, items);
    for (const Ast* item : items) {
        if (item->is(Syntax::stale)) {
            for (const ElementId id : whole_elements((*item)[0])) {
                if (std::find(translation.reads.begin(), translation.reads.end(), id) == translation.reads.end())
                    fail(Code::E0329, item->range, spec_[id].name);
                translation.stale.push_back(id);
            }
            continue;
        }
        Term value;
        accesses_allowed_ = false;
        const Meaning none = meaning(pc_value_, [&] {
            frames_.back().locals.push_back(
                {ast[1].text, Value::of(spec_.terms.variable(translation.access)), nullptr});
            value = any_bits(eval((*item)[0]), (*item)[0].range);
        });
        accesses_allowed_ = true;
        const unsigned width = spec_.terms.sort(value).width;
        if (width > 64 || !none.traps.empty()) fail(Code::E0206, item->range, "bits(n), n at most 64", item->text);
        translation.tags.push_back({item->text, value});
    }
}

void Elaborator::define_translation(const Ast& ast) {
    if (&ast != translate_) fail(Code::E0202, ast.range, "translate");
    // The template is elaborated without itself in force.
    calls_.push_back(translate_);
    spec_.translation = translation_template(ast, spec_.address_width);
    calls_.pop_back();
    Terms& t = spec_.terms;
    Translation& translation = spec_.translation;
    const auto of_access = [&](const Trap& fault) {
        const auto support = t.support(std::span(&fault.guard, 1));
        return fault.loads_before == 0 && std::all_of(support.begin(), support.end(), [&](Variable variable) {
                   return variable == translation.address || variable == translation.access ||
                          variable == translation.units;
               });
    };
    if (translation.loads.empty()) return;
    const Term fetch =
        t.eq(t.variable(translation.access), t.constant(access_width(), static_cast<unsigned>(Access::fetch)));
    for (Trap& fault : translation.faults) {
        if (!of_access(fault)) break;
        translation.of_access.push_back(fault);
        fault.guard = t.and_(fetch, fault.guard);
    }
}

void Elaborator::define_timing(const Ast& ast) {
    Timing& timing = spec_.timing;
    const auto cycles = [&](const Ast& property, unsigned limit) {
        const Value value = property.size() == 1 ? eval(property[0]) : Value::of(Number{-1});
        const Number n = number(value, property.range);
        if (n < 0 || n > static_cast<Number>(limit))
            fail(Code::E0302, property.range, describe(value), fmt::format("0 to {}", limit));
        return static_cast<unsigned>(n);
    };
    const auto power = [&](const Ast& property, unsigned least, unsigned limit) {
        const unsigned n = cycles(property, limit);
        if (n < least || !std::has_single_bit(n))
            fail(Code::E0302, property.range, fmt::format("{}", n),
                 fmt::format("a power of two, {} to {}", least, limit));
        return n;
    };
    for (const Ast& item : ast.children) {
        if (item.is(Syntax::timing_cache)) {
            constexpr unsigned most = 1U << 30;
            constexpr unsigned most_lines = 1U << 24;  // the model keeps eight bytes of each
            Timing::Cache cache;
            std::vector<std::string_view> known;
            for (const Ast& property : item.children) {
                if (std::find(known.begin(), known.end(), property.text) != known.end())
                    fail(Code::E0202, property.range, property.text);
                known.push_back(property.text);
                if (property.text == "size")
                    cache.size = power(property, 2, most);
                else if (property.text == "line")
                    cache.line = power(property, 2, 65536);
                else if (property.text == "ways")
                    cache.ways = power(property, 1, 256);
                else if (property.text == "miss")
                    cache.miss = cycles(property, 10000);
                else
                    fail(Code::E0501, property.range, property.text);
            }
            for (const std::string_view needed : {"size", "line", "ways", "miss"})
                if (std::find(known.begin(), known.end(), needed) == known.end())
                    fail(Code::E0519, item.range, item.text, fmt::format("it lacks `{}`", needed));
            if (cache.sets() == 0)
                fail(Code::E0519, item.range, item.text,
                     fmt::format("{} ways of lines of {} are more than {}", cache.ways, cache.line, cache.size));
            if (cache.size / cache.line > most_lines)
                fail(Code::E0519, item.range, item.text, fmt::format("it has more than {} lines", most_lines));
            (item.text == "icache" ? timing.icache : timing.dcache) = cache;
        } else if (item.is(Syntax::timing_class)) {
            Timing::Class c;
            c.name = item.text;
            for (const Ast& property : item.children) {
                if (property.text == "occupies")
                    c.occupies = std::max(1U, cycles(property, 10000));
                else if (property.text == "latency")
                    c.latency = std::max(1U, cycles(property, 10000));
                else if (property.text == "serialises")
                    c.serialises = true;
                else
                    fail(Code::E0501, property.range, property.text);
            }
            for (const auto& known : timing.classes)
                if (known.name == c.name) fail(Code::E0202, item.range, c.name);
            timing.classes.push_back(std::move(c));
        } else if (item.text == "stages") {
            timing.stages.clear();
            for (const Ast& stage : item.children) timing.stages.push_back(stage.text);
            const auto position = [&](std::string_view stage) {
                const auto it = std::find(timing.stages.begin(), timing.stages.end(), stage);
                if (it == timing.stages.end()) fail(Code::E0502, item.range, std::string(stage));
                return static_cast<unsigned>(it - timing.stages.begin());
            };
            timing.decode_stage = position("decode");
            timing.execute_stage = position("execute");
            timing.memory_stage = position("memory");
            if (!(timing.decode_stage < timing.execute_stage && timing.execute_stage < timing.memory_stage) ||
                timing.decode_stage == 0 || timing.stages.size() > 32)
                fail(Code::E0503, item.range);
        } else if (item.text == "forwarding") {
            const bool good = item.size() == 1 && (item[0].text == "on" || item[0].text == "off");
            if (!good) fail(Code::E0302, item.range, "this value", "on or off");
            timing.forwarding = item[0].text == "on";
        } else if (item.text == "fetch") {
            timing.fetch_parcels = std::max(1U, cycles(item, 64));
        } else if (item.text == "load") {
            timing.load_latency = cycles(item, 10000);
        } else if (item.text == "store") {
            timing.store_latency = cycles(item, 10000);
        } else if (item.text == "branch") {
            timing.branch_penalty = cycles(item, 10000);
        } else if (item.text == "trap") {
            timing.trap_cycles = std::max(1U, cycles(item, 10000));
        } else if (item.text == "interrupt") {
            timing.interrupt_cycles = std::max(1U, cycles(item, 10000));
        } else if (item.text == "tlb") {
            timing.tlb_entries = power(item, 2, 65536);
        } else {
            fail(Code::E0501, item.range, item.text);
        }
    }
}

void Elaborator::define_extension(const Ast& ast) {
    Terms& t = spec_.terms;
    Extension extension;
    extension.name = ast.text;
    extension.where = ast.range;
    extension.active = active_.valid() ? active_ : t.boolean(false);
    extension.supervisor = t.boolean(false);
    for (const Ast* item : extension_declarations_) {
        if (item->is(Syntax::translate) || item->is(Syntax::timing) || item->is(Syntax::platform)) continue;
        attempt([&] { define(*item); });
    }
    const auto state = [&](const Ast& expression) {
        Term result;
        pure({}, [&] { result = condition(expression); });
        return result;
    };
    bool supervisor = false;
    for (const Ast* item : extension_declarations_) {
        attempt([&] {
            switch (item->kind) {
                case Syntax::active:
                    extension.active_text = print((*item)[0]);
                    break;
                case Syntax::supervisor:
                    extension.supervisor = state((*item)[0]);
                    extension.supervisor_text = print((*item)[0]);
                    supervisor = true;
                    break;
                case Syntax::exit_: {
                    const Symbol* symbol = find(item->text);
                    if (symbol == nullptr) unknown_name(*item);
                    if (symbol->kind != Symbol::Kind::cause || spec_[symbol->cause].kind != TrapKind::exit)
                        fail(Code::E0602, item->range, item->text);
                    extension.exit = symbol->cause;
                    break;
                }
                case Syntax::translate:
                    extension.second = translation_template(*item, spec_.physical_width);
                    if (!extension.second->loads.empty()) fail(Code::E0607, item->range);
                    break;
                case Syntax::exits: {
                    ExitRule rule;
                    rule.where = item->range;
                    std::size_t next = 0;
                    if (item->text == "instruction") {
                        const Ast& which = (*item)[next++];
                        rule.select = ExitRule::Select::instruction;
                        rule.instruction = spec_.find_instruction(which.text);
                        if (!rule.instruction.valid()) fail(Code::E0603, which.range, which.text);
                    } else if (item->text == "interrupt") {
                        const Ast& which = (*item)[next++];
                        const Symbol* symbol = find(which.text);
                        if (symbol == nullptr) unknown_name(which);
                        if (symbol->kind != Symbol::Kind::interrupt)
                            fail(Code::E0206, which.range, "an interrupt", which.text);
                        extension.interrupts.push_back(symbol->index);
                        break;
                    }
                    rule.when = t.boolean(true);
                    if (next < item->size()) {
                        rule.when = state((*item)[next]);
                        rule.condition = print((*item)[next]);
                    }
                    extension.rules.push_back(rule);
                    break;
                }
                default:
                    break;
            }
        });
    }
    if (!active_.valid()) diagnostics_.report(Code::E0604, ast.range, "active CONDITION;");
    if (!supervisor) diagnostics_.report(Code::E0604, ast.range, "supervisor CONDITION;");
    if (!extension.exit.valid()) diagnostics_.report(Code::E0604, ast.range, "exit TRAP;");
    if (extension.exit.valid()) {
        const auto& parameters = spec_[extension.exit].parameters;
        if (parameters.size() != 1) diagnostics_.report(Code::E0605, spec_[extension.exit].where);
    }
    spec_.extension = std::move(extension);
}

// Registers by the names of the manuals, for reading and writing states.
void Elaborator::add_registers() {
    for (const auto* list : {&declarations_, &extension_declarations_}) {
        for (const Ast* ast : *list) {
            const Symbol* symbol = find(ast->text);
            if (symbol == nullptr || symbol->ast != ast) continue;
            if (symbol->kind == Symbol::Kind::state) {
                Register reg{ast->text, symbol->state.target.width(), {}, 0};
                unsigned low = 0;
                bool plain = reg.width <= 64;
                for (const auto& part : symbol->state.target.parts) {
                    if (part.kind == Target::Part::Kind::element)
                        reg.pieces.push_back({part.element, 0, low + part.width - 1, low, part.low});
                    if (part.kind == Target::Part::Kind::constant && low < 64)
                        reg.constant |= static_cast<std::uint64_t>(part.value << low);
                    plain = plain &&
                            (part.kind == Target::Part::Kind::element || part.kind == Target::Part::Kind::constant);
                    low += part.width;
                }
                if (plain) spec_.registers.push_back(std::move(reg));
            } else if (symbol->kind == Symbol::Kind::file) {
                const FileSymbol& file = symbol->file;
                for (const auto& [entry, other] : file.others) (void)other_entry(file, *other);
                for (unsigned i = 0; i < file.size; ++i) {
                    const auto is_entry = [&](const auto& special) { return special.first == i; };
                    if (std::any_of(file.constants.begin(), file.constants.end(), is_entry) ||
                        std::any_of(file.others.begin(), file.others.end(), is_entry))
                        continue;
                    spec_.registers.push_back(
                        {fmt::format("{}{}", ast->text, i), file.width, {{file.element, i, file.width - 1, 0, 0}}, 0});
                }
            } else if (symbol->kind == Symbol::Kind::bank) {
                for (std::size_t i = 3; i < ast->size(); ++i) {
                    const Symbol* member = find((*ast)[i].text);
                    if (member == nullptr || member->ast != &(*ast)[i]) continue;
                    const ElementId id = member->state.target.parts[0].element;
                    spec_.registers.push_back(
                        {(*ast)[i].text, spec_[id].width, {{id, 0, spec_[id].width - 1, 0, 0}}, 0});
                }
            }
        }
    }
}

void Elaborator::finish() {
    add_registers();
    for (const auto& [name, symbol] : symbols_) {
        if (symbol.kind != Symbol::Kind::bank) continue;
        Term selector;
        const Ast& by = *symbol.bank.selector;
        meaning(pc_value_, [&] { selector = any_bits(eval(by), by.range); });
        const auto& members = symbol.bank.members;
        for (std::size_t part = 0; part < members.front().target->parts.size(); ++part) {
            if (members.front().target->parts[part].kind == Target::Part::Kind::constant) continue;
            Bank bank{name, selector, {}, symbol.where};
            for (const auto& member : members)
                bank.members.push_back({member.value, member.target->parts[part].element});
            if (bank.members.size() > 1) spec_.banks.push_back(std::move(bank));
        }
    }
    if (spec_.modes.size() < 2)
        fail(Code::E0301, machine_.range, "two modes or more (`mode supervisor { … } mode user { … }`)");
    if (spec_.contexts.empty())
        spec_.contexts.push_back(
            {"default", {0}, {static_cast<std::uint32_t>(spec_.modes.size() - 1)}, {}, machine_.range});
    if (!spec_.illegal.cause.valid()) fail(Code::E0301, machine_.range, "`illegal TRAP;`");
    if (spec_.instructions.empty()) fail(Code::E0301, machine_.range, "an instruction");
    if (translate_ == nullptr && !contribution_) {
        Terms& t = spec_.terms;
        Translation& translation = spec_.translation;
        translation.address = t.declare("translate.va", Sort::bits(spec_.address_width));
        translation.access = t.declare("translate.access", Sort::bits(access_width()));
        translation.units = t.declare("translate.units", Sort::bits(8));
        meaning(pc_value_, [&] {
            translation.physical = translate(t.variable(translation.address), 1, 1, machine_.range).physical;
        });
    }
    for (const auto* list : {&extension_declarations_, &declarations_})
        for (const Ast* ast : *list)
            if (ast->is(Syntax::vmm)) attempt([&] { define_vm_map(*ast); });
    if (!contribution_) check_overlaps();  // an importer's forms are what one decoder tells apart
}

std::optional<Spec> elaborate(const Ast& machine, const Ast* extension, const Arguments& arguments,
                              Diagnostics& diagnostics, const Contribution& contribution) {
    return Elaborator(machine, extension, arguments, diagnostics, contribution).run();
}

namespace {

// Timing sections may stand on one side of a `when`, too.
void remove_timing(Ast& ast) {
    std::erase_if(ast.children, [](const Ast& item) { return item.is(Syntax::timing); });
    for (Ast& item : ast.children)
        if (item.is(Syntax::when))
            for (std::size_t side = 1; side < item.size(); ++side) remove_timing(item.children[side]);
}

}  // namespace

std::optional<Spec> load_spec(const SourceManager& sources, std::uint32_t machine,
                              std::optional<std::uint32_t> extension, const Arguments& arguments,
                              Diagnostics& diagnostics, std::optional<std::uint32_t> timing,
                              std::span<const std::uint32_t> conditions) {
    Ast tree = parse(sources, machine, diagnostics);
    std::optional<Ast> policy;
    if (extension) policy = parse(sources, *extension, diagnostics);
    std::optional<Ast> section;
    if (timing) section = parse(sources, *timing, diagnostics);
    if (diagnostics.has_errors()) return std::nullopt;
    if (!tree.is(Syntax::machine)) {
        diagnostics.report(Code::E0112, tree.range, tree.is(Syntax::timing) ? "a timing section" : "an extension");
        return std::nullopt;
    }
    if (section) {
        if (!section->is(Syntax::timing)) {
            diagnostics.report(Code::E0905, section->range);
            return std::nullopt;
        }
        remove_timing(tree);
        if (policy) remove_timing(*policy);
        tree.children.push_back(std::move(*section));
    }
    if (policy && !policy->is(Syntax::extension)) {
        diagnostics.report(Code::E0606, policy->range);
        return std::nullopt;
    }
    for (const auto buffer : conditions) {
        Ast condition = parse(sources, buffer, diagnostics);
        if (diagnostics.has_errors()) return std::nullopt;
        Ast& invariant = condition.children.back();
        if (std::count_if(condition.children.begin(), condition.children.end(),
                          [](const Ast& item) { return item.is(Syntax::invariant); }) != 1 ||
            !invariant.is(Syntax::invariant)) {
            diagnostics.report(Code::E0110, invariant.range, "one condition", "declarations");
            return std::nullopt;
        }
        tree.children.push_back(std::move(invariant));
    }
    return elaborate(tree, policy ? &*policy : nullptr, arguments, diagnostics);
}

std::uint32_t add_condition(SourceManager& sources, std::string_view text, SourceRange where) {
    // On a line of its own, as far to the right as behind the quote.
    const Place place = sources.place(where);
    return sources.add(
        std::string(place.file),
        fmt::format("machine m {{ }} invariant condition =\n{}{};", std::string(place.column, ' '), text),
        place.line > 1 ? place.line - 1 : 1);
}

std::optional<std::string> read_file(const std::string& path, Diagnostics& diagnostics) {
    constexpr std::streamoff limit = 64 << 20;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        diagnostics.report(Code::E0801, SourceRange{}, path);
        return std::nullopt;
    }
    std::string text;
    std::array<char, 65536> buffer{};
    while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
        if (static_cast<std::streamoff>(text.size()) > limit) {
            diagnostics.report(Code::E0802, SourceRange{}, path);
            return std::nullopt;
        }
    }
    if (file.bad()) {
        diagnostics.report(Code::E0801, SourceRange{}, path);
        return std::nullopt;
    }
    return text;
}

std::optional<std::uint32_t> add_file(SourceManager& sources, const std::string& path, Diagnostics& diagnostics) {
    auto text = read_file(path, diagnostics);
    if (!text) return std::nullopt;
    return sources.add(path, std::move(*text));
}

std::optional<Spec> load_spec_file(SourceManager& sources, const std::string& machine,
                                   const std::optional<std::string>& extension, const Arguments& arguments,
                                   Diagnostics& diagnostics, const std::optional<std::string>& timing,
                                   std::span<const std::uint32_t> conditions) {
    const auto buffer = add_file(sources, machine, diagnostics);
    if (!buffer) return std::nullopt;
    const auto policy = extension ? add_file(sources, *extension, diagnostics) : std::nullopt;
    if (extension && !policy) return std::nullopt;
    const auto section = timing ? add_file(sources, *timing, diagnostics) : std::nullopt;
    if (timing && !section) return std::nullopt;
    return load_spec(sources, *buffer, policy, arguments, diagnostics, section, conditions);
}

}  // namespace pogo::isa
