// Elaboration of statements: executing a body once, with all paths joined by ite.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "elaborator.hpp"
#include "isa/require.hpp"

namespace pogo::isa {

// ---------------------------------------------------------------- paths

Path Elaborator::fresh_path(Term pc_default) {
    Path path;
    path.condition = spec_.terms.boolean(true);
    path.elements.resize(spec_.elements.size());
    path.next = pc_default;
    path.addresses.resize(operands_.size());
    path.torn.resize(operands_.size(), false);
    return path;
}

Meaning Elaborator::finish_meaning() {
    Terms& t = spec_.terms;
    for (std::uint32_t i = 0; i < path_.elements.size(); ++i) {
        const Term value = path_.elements[i];
        const Element& element = spec_.elements[i];
        if (value.valid() && !element.is_file() && value != t.variable(element.variable))
            meaning_.writes.push_back({{i}, {}, value, t.boolean(true), written_at_[i]});
    }
    if (spec_.pc.valid() && path_.next.valid() && path_.next != t.variable(spec_[spec_.pc].variable))
        meaning_.writes.push_back({spec_.pc, {}, path_.next, t.boolean(true), spec_[spec_.pc].where});
    return std::move(meaning_);
}

// path_ is the path on which the condition does not hold, `taken` the one on which it does.
void Elaborator::join(Term condition, Path&& taken) {
    Terms& t = spec_.terms;
    for (std::size_t i = 0; i < path_.elements.size(); ++i) {
        const Term a = taken.elements[i];
        const Term b = path_.elements[i];
        if (a == b) continue;
        const Term before = t.variable(spec_.elements[i].variable);
        path_.elements[i] = t.ite(condition, a.valid() ? a : before, b.valid() ? b : before);
    }
    if (path_.next.valid() && taken.next.valid()) path_.next = t.ite(condition, taken.next, path_.next);
    for (std::size_t i = 0; i < path_.addresses.size(); ++i) {
        const Term a = taken.addresses[i];
        const Term b = path_.addresses[i];
        path_.torn[i] = path_.torn[i] || taken.torn[i] || a.valid() != b.valid();
        if (a.valid() && b.valid() && a != b) path_.addresses[i] = t.ite(condition, a, b);
        if (a.valid() && !b.valid()) path_.addresses[i] = a;
    }
    path_.stored = path_.stored || taken.stored;
}

void Elaborator::join(Term condition, Frame&& taken, SourceRange where) {
    Terms& t = spec_.terms;
    Frame& frame = frames_.back();
    for (std::size_t i = 0; i < frame.locals.size(); ++i) {
        const Value& a = taken.locals[i].value;
        Value& b = frame.locals[i].value;
        const bool same = a.kind == b.kind && a.number == b.number && a.term == b.term;
        if (!same) b = choose(condition, a, b, where);
    }
    if (taken.has_result && frame.has_result) {
        frame.result = choose(condition, *taken.result, *frame.result, where);
    } else if (taken.has_result) {
        frame.result = taken.result;
        frame.has_result = true;
    }
    frame.done = t.ite(condition, taken.done, frame.done);
}

// ---------------------------------------------------------------- statements

void Elaborator::block(const Ast& ast, std::size_t from) {
    Terms& t = spec_.terms;
    const std::size_t outer = frames_.back().locals.size();
    for (std::size_t i = from; i < ast.size(); ++i) {
        statement(ast[i]);
        const Term done = frames_.back().done;
        if (t.is_true(done)) break;
        if (t.is_false(done) || i + 1 >= ast.size()) continue;
        // Some paths have returned: the rest is for the others.
        Path taken = path_;
        Frame taken_frame = frames_.back();
        const Term before = path_.condition;
        path_.condition = t.and_(before, t.not_(done));
        frames_.back().done = t.boolean(false);
        frames_.back().has_result = false;
        const std::size_t locals = frames_.back().locals.size();
        if (++splits_ > 400) fail(Code::E0211, ast[i].range);
        block(ast, i + 1);
        --splits_;
        frames_.back().locals.resize(locals);
        join(done, std::move(taken));
        join(done, std::move(taken_frame), ast[i].range);
        path_.condition = before;
        break;
    }
    frames_.back().locals.resize(outer);
}

void Elaborator::statement(const Ast& ast) {
    spend(ast.range);
    if (frames_.size() == 1) statement_ = ast.range;
    switch (ast.kind) {
        case Syntax::let: {
            const Type of = ast.size() > 1 ? type(ast[1]) : Type{};
            Value value = eval(ast[0], of.kind == Type::Kind::bits ? of.width : 0);
            if (ast.size() > 1) value = coerce(value, of, ast[0].range);
            if (value.is_number() && value.width != 0) value = Value::of(any_bits(value, ast[0].range));
            frames_.back().locals.push_back({ast.text, value, of.enumeration});
            break;
        }
        case Syntax::assign:
            assign(ast);
            break;
        case Syntax::branch:
            branch(ast);
            break;
        case Syntax::foreach: {
            const Number first = number(ast[0]);
            const Number last = number(ast[1]);
            if (first < -4096 || first > 4096 || last < -4096 || last > 4096) fail(Code::E0211, ast.range);
            const std::size_t locals = frames_.back().locals.size();
            for (Number i = first;; i += first <= last ? 1 : -1) {
                frames_.back().locals.push_back({ast.text, Value::of(i), nullptr});
                block(ast[2]);
                frames_.back().locals.resize(locals);
                if (i == last) break;
            }
            break;
        }
        case Syntax::raise:
            raise(ast);
            break;
        case Syntax::require_:
            require_permission(ast);
            break;
        case Syntax::fence:
            fence(ast);
            break;
        case Syntax::perform:
            call(ast[0], 0);
            break;
        case Syntax::execute:
            execute(ast);
            break;
        case Syntax::give: {
            Frame& frame = frames_.back();
            const bool typed = frame.result_type.kind == Type::Kind::bits && frame.result_type.width != 0;
            Value value = eval(ast[0], typed ? frame.result_type.width : 0);
            Frame& now = frames_.back();
            if (typed || now.result_type.kind != Type::Kind::bits) value = coerce(value, now.result_type, ast[0].range);
            now.result = value;
            now.has_result = true;
            now.done = spec_.terms.boolean(true);
            break;
        }
        case Syntax::block:
            block(ast);
            break;
        default:
            POGO_UNREACHABLE("a statement");
    }
}

void Elaborator::branch(const Ast& ast) {
    Terms& t = spec_.terms;
    const Term c = condition(ast[0]);
    if (t.is_constant(c)) {
        if (t.is_true(c))
            block(ast[1]);
        else if (ast.size() > 2)
            statement(ast[2]);
        return;
    }
    fork(
        c, ast.range, [&] { block(ast[1]); },
        [&] {
            if (ast.size() > 2) statement(ast[2]);
        });
}

void Elaborator::raise(const Ast& ast) {
    Terms& t = spec_.terms;
    const Symbol* symbol = find(ast.text);
    if (symbol == nullptr) unknown_name(ast);
    if (symbol->kind != Symbol::Kind::cause) fail(Code::E0206, ast.range, "a trap", fmt::format("`{}`", ast.text));
    const CauseId cause = symbol->cause;
    const auto& parameters = spec_[cause].parameters;
    const Term when = ast.size() > 1 ? condition(ast[1]) : t.boolean(true);
    Trap trap{cause, t.and_(path_.condition, when), {}, 0, ast.range};
    if (ast[0].size() == 0 && parameters.size() == 1 && row_.valid() && spec_[cause].kind == TrapKind::exit) {
        trap.arguments.push_back(t.constant(t.sort(parameters[0]).width, row_.index));  // the reason
    } else if (ast[0].size() != parameters.size()) {
        fail(Code::E0208, ast.range, ast.text, fmt::format("{}", parameters.size()), fmt::format("{}", ast[0].size()));
    }
    for (std::size_t i = 0; i < ast[0].size(); ++i) {
        const unsigned width = t.sort(parameters[i]).width;
        trap.arguments.push_back(bits(eval(ast[0][i], width), width, ast[0][i].range));
    }
    trap.loads_before = static_cast<unsigned>(meaning_.loads.size());
    // What follows needs no guard of its own: once a trap fires, nothing after it counts.
    if (!t.is_false(trap.guard)) meaning_.traps.push_back(std::move(trap));
}

void Elaborator::fence(const Ast& ast) {
    const auto& tags = spec_.translation.tags;
    Fence fence{path_.condition, {}};
    for (const Ast& match : ast.children) {
        const auto tag = std::find_if(tags.begin(), tags.end(), [&](const auto& t) { return t.name == match.text; });
        unsigned width = spec_.address_width - spec_.translation.page;
        if (tag != tags.end())
            width = spec_.terms.sort(tag->value).width;
        else if (match.text != "page" || spec_.translation.page == 0)
            fail(Code::E0328, match.range, match.text);
        const Term value = bits(eval(match[0], width), width, match[0].range);
        const Term when = match.size() > 1 ? condition(match[1]) : spec_.terms.boolean(true);
        fence.matches.push_back({static_cast<unsigned>(tag - tags.begin()), value, when});
    }
    require_no_function(ast.range);
    if (!spec_.terms.is_false(fence.guard)) meaning_.fences.push_back(std::move(fence));
}

Term Elaborator::within(const Mode& mode) {
    Terms& t = spec_.terms;
    Term result = t.boolean(true);
    for (const auto& part : mode.cube)
        result = t.and_(result, t.eq(current(part.element), t.constant(spec_[part.element].width, part.value)));
    return result;
}

// The lines become traps, each on the part of the path that no line before it has decided.
void Elaborator::require_permission(const Ast& ast) {
    Terms& t = spec_.terms;
    const Symbol* symbol = find(ast.text);
    if (symbol == nullptr) unknown_name(ast);
    if (symbol->kind != Symbol::Kind::permission)
        fail(Code::E0206, ast.range, "a permission", fmt::format("`{}`", ast.text));
    const Ast& table = *symbol->ast;
    enter(table[0], arguments(table[0], ast[0].children, ast.text, ast.range), ast.range);
    const Term before = path_.condition;
    Term open = t.boolean(true);
    for (std::size_t i = 1; i < table.size(); ++i) {
        const Ast& line = table[i];
        Term here = open;
        if (line.text != "else") {
            const ModeId mode = spec_.find_mode(line.text);
            if (!mode.valid()) fail(Code::E0317, line.range, line.text);
            here = t.and_(here, within(spec_[mode]));
        }
        if (line.size() > 1) here = t.and_(here, condition(line[1]));
        path_.condition = t.and_(before, here);
        if (!line[0].is(Syntax::none)) raise(line[0]);
        open = t.and_(open, t.not_(here));
    }
    path_.condition = before;
    frames_.pop_back();
    auto& users = spec_.permissions[symbol->index].instructions;
    if (row_.valid() && (users.empty() || users.back() != row_)) users.push_back(row_);
}

void Elaborator::assign(const Ast& ast) {
    const Ast& left = ast[0];
    if (left.is(Syntax::name)) {
        if (find_local(left.text) != nullptr) {
            const Value old = find_local(left.text)->value;
            Value value = eval(ast[1], old.is_term() ? spec_.terms.sort(old.term).width : 0);
            if (old.is_term() && spec_.terms.sort(old.term).is_bool())
                value = Value::of(boolean(value, ast[1].range));
            else if (old.is_term())
                value = Value::of(bits(value, spec_.terms.sort(old.term).width, ast[1].range));
            else if (old.kind == Value::Kind::operand)
                fail(Code::E0209, left.range);
            find_local(left.text)->value = value;
            return;
        }
        if (const Symbol* symbol = find(left.text); symbol != nullptr && symbol->kind == Symbol::Kind::state &&
                                                    spec_.pc.valid() && symbol->state.target.parts.size() == 1 &&
                                                    symbol->state.target.parts[0].element == spec_.pc) {
            const unsigned width = spec_[spec_.pc].width;
            require_no_function(left.range);
            path_.next = bits(eval(ast[1], width), width, ast[1].range);
            return;
        }
    }
    if (left.is(Syntax::access)) {
        const Place place = place_of(left, Access::store);
        const unsigned width = place.units * spec_.unit_bits;
        store(place, bits(eval(ast[1], width), width, ast[1].range), ast.range);
        return;
    }
    const auto target = target_of(left);
    if (!target) {
        if (left.is(Syntax::name) && find(left.text) == nullptr) unknown_name(left);
        fail(Code::E0209, left.range);
    }
    const unsigned width = target->width();
    write(*target, bits(eval(ast[1], width), width, ast[1].range), ast.range);
}

// ---------------------------------------------------------------- calls

Value Elaborator::call(const Ast& ast, unsigned hint) {
    const Ast& callee = ast[0];
    if (callee.is(Syntax::member) && callee[0].is(Syntax::name))
        if (const auto* local = find_local(callee[0].text);
            local != nullptr && local->value.kind == Value::Kind::operand)
            return operand_member(ast, local->value.operand, callee.text, ast.children, 1, hint);
    if (!callee.is(Syntax::name)) fail(Code::E0221, callee.range);
    bool known = false;
    const Value value = builtin(ast, callee.text, hint, known);
    if (known) return value;
    const Symbol* symbol = find(callee.text);
    if (symbol == nullptr) unknown_name(callee);
    if (symbol->kind != Symbol::Kind::function && symbol->kind != Symbol::Kind::procedure)
        fail(Code::E0221, callee.range);
    const Ast& function = *symbol->ast;
    const auto given = arguments(function[0], std::span(ast.children).subspan(1), callee.text, ast.range);
    const Ast* const other = symbol->in_virtual_state;
    if (other == nullptr || !active_.valid() || std::find(calls_.begin(), calls_.end(), other) != calls_.end())
        return invoke(function, given, ast.range);
    Value there;
    Value here;
    fork(
        active_, ast.range, [&] { there = invoke(*other, given, ast.range); },
        [&] { here = invoke(function, given, ast.range); });
    return choose(active_, there, here, ast.range);
}

// As many as there are formals, each with the width of its formal as far as that is written down.
std::vector<Value> Elaborator::arguments(const Ast& formals, std::span<const Ast> given, const std::string& name,
                                         SourceRange where) {
    if (given.size() != formals.size())
        fail(Code::E0208, where, name, fmt::format("{}", formals.size()), fmt::format("{}", given.size()));
    std::vector<Value> result;
    for (std::size_t i = 0; i < formals.size(); ++i) {
        unsigned width = 0;
        const Ast& of = formals[i][0];
        if (of.text == "bits" && of.size() == 1 && of[0].is(Syntax::number)) width = static_cast<unsigned>(of[0].value);
        result.push_back(eval(given[i], width));
    }
    return result;
}

// A new frame. Formals may mention earlier ones in their types, so they are bound one by one in it.
void Elaborator::enter(const Ast& formals, const std::vector<Value>& arguments, SourceRange where) {
    frames_.emplace_back();
    frames_.back().done = spec_.terms.boolean(false);
    for (std::size_t i = 0; i < formals.size(); ++i) {
        const Type of = type(formals[i][0]);
        frames_.back().locals.push_back({formals[i].text, coerce(arguments[i], of, where), of.enumeration});
    }
}

Value Elaborator::invoke(const Ast& function, const std::vector<Value>& arguments, SourceRange where) {
    if (std::find(calls_.begin(), calls_.end(), &function) != calls_.end()) fail(Code::E0210, where, function.text);
    if (calls_.size() > 64) fail(Code::E0211, where);
    calls_.push_back(&function);
    enter(function[0], arguments, where);
    const bool gives = !function[1].is(Syntax::none);
    if (gives) frames_.back().result_type = type(function[1]);
    block(function[2]);
    const Frame finished = std::move(frames_.back());
    frames_.pop_back();
    calls_.pop_back();
    if (!gives) return Value::of(Number{0});
    if (!finished.has_result) fail(Code::E0212, function.range, function.text);
    return *finished.result;
}

const Ast* Elaborator::operand_item(std::size_t operand, Syntax kind, std::string_view name) {
    std::vector<const Ast*> items;
    frames_.emplace_back();
    frames_.back().locals = operands_[operand].environment;
    frames_.back().done = spec_.terms.boolean(false);
    flatten(operands_[operand].chosen->children, items);
    frames_.pop_back();
    for (const Ast* item : items)
        if (item->is(kind) && (name.empty() || item->text == name)) return item;
    return nullptr;
}

// The bits of a piece: fixed ones, and those of the case's fields.
std::optional<Term> Elaborator::operand_piece(std::size_t operand, const std::string& name) {
    const Ast* item = operand_item(operand, Syntax::piece_value, name);
    if (item == nullptr) return std::nullopt;
    Terms& t = spec_.terms;
    Term all;
    for (const Ast& part : item->children) {
        Term bits;
        if (part.is(Syntax::bits)) bits = t.constant(part.width, part.value);
        for (const auto& local : operands_[operand].environment)
            if (!part.is(Syntax::bits) && local.name == part.text) bits = local.value.term;
        if (!bits.valid()) return std::nullopt;
        if (part.is(Syntax::field_part))
            bits = t.extract(bits, static_cast<unsigned>(number(part[0])), static_cast<unsigned>(number(part[1])));
        all = all.valid() ? t.concat(all, bits) : bits;
    }
    return all;
}

unsigned Elaborator::operand_units(std::size_t operand, SourceRange where) {
    for (const auto& local : operands_[operand].environment)
        if (local.name == "size" && local.value.is_number()) return static_cast<unsigned>(local.value.number);
    fail(Code::E0422, where, operands_[operand].name);
}

Term Elaborator::operand_address(std::size_t operand, SourceRange where) {
    if (path_.torn[operand]) fail(Code::E0423, where, operands_[operand].name);
    if (path_.addresses[operand].valid()) return path_.addresses[operand];
    const Ast* item = operand_item(operand, Syntax::address_);
    if (item == nullptr) fail(Code::E0424, where, operands_[operand].name, operands_[operand].chosen->text, "address");
    Frame frame;
    frame.done = spec_.terms.boolean(false);
    frame.locals = operands_[operand].environment;
    frame.result_type = {Type::Kind::bits, spec_.address_width, nullptr};
    frames_.push_back(std::move(frame));
    block((*item)[0]);
    const Frame finished = std::move(frames_.back());
    frames_.pop_back();
    if (!finished.has_result) fail(Code::E0212, item->range, "address");
    path_.addresses[operand] = finished.result->term;
    return finished.result->term;
}

Value Elaborator::operand_member(const Ast& ast, std::size_t operand, const std::string& member,
                                 const std::vector<Ast>& arguments, std::size_t from, unsigned hint) {
    const std::size_t count = arguments.empty() ? 0 : arguments.size() - from;
    if (member == "is") {
        if (count != 1 || !arguments[from].is(Syntax::name))
            fail(Code::E0208, ast.range, "is", "1", fmt::format("{}", count));
        return Value::of(spec_.terms.boolean(operands_[operand].chosen->text == arguments[from].text));
    }
    if (member == "address") return Value::of(operand_address(operand, ast.range));
    if (member == "read" || member == "write") {
        const bool reads = member == "read";
        if (count != (reads ? 0U : 1U))
            fail(Code::E0208, ast.range, member, reads ? "0" : "1", fmt::format("{}", count));
        const Ast* item = operand_item(operand, reads ? Syntax::read_ : Syntax::write_);
        if (item == nullptr) {
            if (operand_item(operand, Syntax::address_) == nullptr)
                fail(Code::E0424, ast.range, operands_[operand].name, operands_[operand].chosen->text, member);
            const unsigned units = operand_units(operand, ast.range);
            if (units == 0 || units * spec_.unit_bits > 64) fail(Code::E0422, ast.range, operands_[operand].name);
            if (reads) {
                const Term address = operand_address(operand, ast.range);
                return Value::of(load({address, units, false, static_cast<unsigned>(Access::load)}, ast.range));
            }
            const Term data =
                bits(eval(arguments[from], units * spec_.unit_bits), units * spec_.unit_bits, arguments[from].range);
            const Term address = operand_address(operand, ast.range);
            store({address, units, false, static_cast<unsigned>(Access::store)}, data, ast.range);
            return Value::of(Number{0});
        }
        std::optional<Value> written;
        if (!reads) written = eval(arguments[from], hint);
        Frame frame;
        frame.done = spec_.terms.boolean(false);
        frame.locals = operands_[operand].environment;
        frame.result_type = {Type::Kind::any_bits, 0, nullptr};
        if (written) {
            if (written->is_number()) {
                // A bare number takes the operand's size.
                const unsigned width = operand_units(operand, ast.range) * spec_.unit_bits;
                written = Value::of(bits(*written, width, arguments[from].range));
            }
            frame.locals.push_back({item->text, *written, nullptr});
        }
        frames_.push_back(std::move(frame));
        block((*item)[0]);
        const Frame finished = std::move(frames_.back());
        frames_.pop_back();
        if (!reads) return Value::of(Number{0});
        if (!finished.has_result) fail(Code::E0212, item->range, "read");
        return *finished.result;
    }
    for (const auto& local : operands_[operand].environment)
        if (local.name == member && count == 0) return local.value;
    if (const auto piece = operand_piece(operand, member); piece && count == 0) return Value::of(*piece);
    fail(Code::E0424, ast.range, operands_[operand].name, operands_[operand].chosen->text, member);
}

}  // namespace pogo::isa
