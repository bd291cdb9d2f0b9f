// The order of elaboration: names, then what they mean.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "elaborator.hpp"

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

}  // namespace pogo::isa
