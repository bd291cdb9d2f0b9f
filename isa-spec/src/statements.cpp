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

template <class Then, class Else>
void Elaborator::fork(Term condition, SourceRange where, Then&& then, Else&& otherwise) {
    Terms& t = spec_.terms;
    Path before = path_;
    Frame frame = frames_.back();
    path_.condition = t.and_(before.condition, condition);
    then();
    Path taken = std::move(path_);
    Frame taken_frame = std::move(frames_.back());
    const Term outer = before.condition;
    path_ = std::move(before);
    frames_.back() = std::move(frame);
    path_.condition = t.and_(outer, t.not_(condition));
    otherwise();
    join(condition, std::move(taken));
    join(condition, std::move(taken_frame), where);
    path_.condition = outer;
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

// ---------------------------------------------------------------- memory

unsigned Elaborator::access_width() { return type((*find("Access")->ast)[0]).width; }

Elaborator::Place Elaborator::place_of(const Ast& ast, Access access) {
    const std::string& which = ast[0].text;
    if (!ast[0].is(Syntax::name) || (which != "mem" && which != "physical")) fail(Code::E0218, ast[0].range);
    Place place;
    place.direct = which == "physical";
    const unsigned width = place.direct ? spec_.physical_width : spec_.address_width;
    place.address = bits(eval(ast[1], width), width, ast[1].range);
    place.units = positive(ast[2], 64 / spec_.unit_bits);
    place.access = static_cast<unsigned>(access);
    if (ast.size() > 3) {
        const Term kind = bits(eval(ast[3], access_width()), access_width(), ast[3].range);
        if (place.direct || !spec_.terms.is_constant(kind)) fail(Code::E0327, ast[3].range);
        place.access = static_cast<unsigned>(spec_.terms.value(kind));
    }
    return place;
}

Elaborator::Translated Elaborator::translate(Term address, unsigned access, unsigned units, SourceRange where) {
    Terms& t = spec_.terms;
    if (translate_ == nullptr)
        return {spec_.address_width >= spec_.physical_width ? t.extract(address, spec_.physical_width - 1, 0)
                                                            : t.zero_extend(address, spec_.physical_width),
                {}};
    if (std::find(calls_.begin(), calls_.end(), translate_) != calls_.end()) fail(Code::E0210, where, "translate");
    if (!spec_.translation.loads.empty()) {
        const std::string name = fmt::format("translated{}", meaning_.loads.size() + meaning_.stores.size());
        const Variable variable = shared_variable(name, Sort::bits(spec_.physical_width));
        fault_of_access(address, access, units);
        return {t.variable(variable), variable};
    }
    Frame frame;
    frame.done = spec_.terms.boolean(false);
    frame.result_type = {Type::Kind::bits, spec_.physical_width, nullptr};
    frame.locals.push_back({(*translate_)[0].text, Value::of(address), nullptr});
    frame.locals.push_back({(*translate_)[1].text, Value::of(t.constant(access_width(), access)), nullptr});
    frame.locals.push_back({(*translate_)[2].text, Value::of(t.constant(8, units)), nullptr});
    frames_.push_back(std::move(frame));
    calls_.push_back(translate_);
    block((*translate_)[4]);
    const Frame finished = std::move(frames_.back());
    frames_.pop_back();
    calls_.pop_back();
    if (!finished.has_result) fail(Code::E0212, translate_->range, "translate");
    return {finished.result->term, {}};
}

void Elaborator::fault_of_access(Term address, unsigned access, unsigned units) {
    Terms& t = spec_.terms;
    const Translation& translation = spec_.translation;
    const Substitution with{{t.variable(translation.address), address},
                            {t.variable(translation.access), t.constant(access_width(), access)},
                            {t.variable(translation.units), t.constant(8, units)}};
    Substitution memo;
    for (Trap trap : translation.of_access) {
        trap.guard = t.and_(path_.condition, t.substitute(trap.guard, with, memo));
        for (Term& argument : trap.arguments) argument = t.substitute(argument, with, memo);
        trap.loads_before = static_cast<unsigned>(meaning_.loads.size());
        if (!t.is_false(trap.guard)) meaning_.traps.push_back(std::move(trap));
    }
}

Term Elaborator::load(const Place& place, SourceRange where) {
    Terms& t = spec_.terms;
    if (!accesses_allowed_) fail(Code::E0321, where);
    if (path_.stored) fail(Code::E0313, where);
    const Translated to =
        place.direct ? Translated{place.address, {}} : translate(place.address, place.access, place.units, where);
    const Variable result = shared_variable(fmt::format("{}{}", load_name_, meaning_.loads.size()),
                                            Sort::bits(place.units * spec_.unit_bits));
    if (t.is_false(path_.condition)) return t.variable(result);
    meaning_.loads.push_back({path_.condition, place.address, to.physical, place.direct, place.units, result,
                              statement_, place.access, to.variable});
    return t.variable(result);
}

void Elaborator::store(const Place& place, Term data, SourceRange where) {
    if (!accesses_allowed_) fail(Code::E0321, where);
    require_no_function(where);
    const Translated to =
        place.direct ? Translated{place.address, {}} : translate(place.address, place.access, place.units, where);
    path_.stored = true;
    if (spec_.terms.is_false(path_.condition)) return;
    meaning_.stores.push_back({path_.condition, place.address, to.physical, place.direct, place.units, data, statement_,
                               place.access, to.variable});
}

// ---------------------------------------------------------------- state

Term Elaborator::current(ElementId element) {
    const Term value = element.index < path_.elements.size() ? path_.elements[element.index] : Term{};
    return value.valid() ? value : spec_.terms.variable(spec_[element].variable);
}

Term Elaborator::read(const Target& target) {
    Term result;
    for (const auto& part : target.parts) {
        const Term piece = read(part);
        result = result.valid() ? spec_.terms.concat(piece, result) : piece;
    }
    return result;
}

Term Elaborator::read(const Target::Part& part) {
    Terms& t = spec_.terms;
    Term whole;
    switch (part.kind) {
        case Target::Part::Kind::constant:
            return t.constant(part.width, part.value);
        case Target::Part::Kind::element:
            whole = part.element == spec_.pc && pc_value_.valid() ? pc_value_ : current(part.element);
            break;
        case Target::Part::Kind::file:
            whole = read_file(*part.file, part.index);
            break;
        case Target::Part::Kind::bank:
            whole = read_bank(*part.bank);
            break;
    }
    return t.extract(whole, part.low + part.width - 1, part.low);
}

Term Elaborator::read_bank(const BankSymbol& bank) {
    Terms& t = spec_.terms;
    const Term selector = any_bits(eval(*bank.selector), bank.selector->range);
    Term result;
    for (auto it = bank.members.rbegin(); it != bank.members.rend(); ++it) {
        const Term value = read(*it->target);
        result = result.valid() ? t.ite(t.eq(selector, t.constant(t.sort(selector).width, it->value)), value, result)
                                : value;
    }
    return result;
}

Term Elaborator::read_file(const FileSymbol& file, Term index) {
    Terms& t = spec_.terms;
    Term value = t.select(t.variable(spec_[file.element].variable), index);
    for (const auto& write : meaning_.writes)
        if (write.element == file.element)
            value = t.ite(t.and_(write.guard, t.eq(write.index, index)), write.value, value);
    const unsigned width = t.sort(index).width;
    for (const auto& [entry, constant] : file.constants)
        value = t.ite(t.eq(index, t.constant(width, entry)), t.constant(file.width, constant), value);
    for (const auto& [entry, other] : file.others) {
        const Term here = t.eq(index, t.constant(width, entry));
        if (!t.is_false(here)) value = t.ite(here, read(other_entry(file, *other)), value);
    }
    return value;
}

void Elaborator::require_no_function(SourceRange where) {
    for (const Ast* call : calls_)
        if (call->is(Syntax::function)) fail(Code::E0224, where, call->text);
}

void Elaborator::write(const Target& target, Term value, SourceRange where) {
    require_no_function(where);
    unsigned low = 0;
    for (const auto& part : target.parts) {
        const Term piece = spec_.terms.extract(value, low + part.width - 1, low);
        write(part, piece, spec_.terms.boolean(true), where);
        low += part.width;
    }
}

// `guard` is relative to the path: the path's own condition is applied when paths join.
void Elaborator::write(const Target::Part& part, Term value, Term guard, SourceRange where) {
    Terms& t = spec_.terms;
    const auto whole = [&](Term old) {
        const unsigned width = t.sort(old).width;
        Term result = value;
        if (part.low > 0) result = t.concat(result, t.extract(old, part.low - 1, 0));
        if (part.low + part.width < width) result = t.concat(t.extract(old, width - 1, part.low + part.width), result);
        return result;
    };
    switch (part.kind) {
        case Target::Part::Kind::constant:
            break;
        case Target::Part::Kind::element: {
            if (part.element == spec_.pc) {
                path_.next = t.ite(guard, whole(path_.next), path_.next);
                break;
            }
            if (spec_[part.element].input && accesses_allowed_) fail(Code::E0222, where, spec_[part.element].name);
            const Term old = current(part.element);
            path_.elements[part.element.index] = t.ite(guard, whole(old), old);
            written_at_[part.element.index] = statement_;
            break;
        }
        case Target::Part::Kind::file:
            write_file(*part.file, part.index,
                       part.width == part.file->width ? value : whole(read_file(*part.file, part.index)), guard, where);
            break;
        case Target::Part::Kind::bank: {
            const Term selector = any_bits(eval(*part.bank->selector), part.bank->selector->range);
            for (const auto& member : part.bank->members) {
                const Term chosen = t.and_(guard, t.eq(selector, t.constant(t.sort(selector).width, member.value)));
                const Term next = whole(read(*member.target));
                unsigned low = 0;
                for (const auto& piece : member.target->parts) {
                    if (low < part.low + part.width && part.low < low + piece.width)
                        write(piece, t.extract(next, low + piece.width - 1, low), chosen, where);
                    low += piece.width;
                }
            }
            break;
        }
    }
}

void Elaborator::write_file(const FileSymbol& file, Term index, Term value, Term guard, SourceRange where) {
    Terms& t = spec_.terms;
    const unsigned width = t.sort(index).width;
    Term ordinary = t.and_(path_.condition, guard);
    for (const auto& [entry, constant] : file.constants)
        ordinary = t.and_(ordinary, t.distinct(index, t.constant(width, entry)));
    for (const auto& [entry, other] : file.others) {
        const Term here = t.eq(index, t.constant(width, entry));
        if (t.is_false(here)) continue;
        ordinary = t.and_(ordinary, t.not_(here));
        unsigned low = 0;
        for (const auto& part : other_entry(file, *other).parts) {
            write(part, t.extract(value, low + part.width - 1, low), t.and_(guard, here), where);
            low += part.width;
        }
    }
    if (!t.is_false(ordinary)) meaning_.writes.push_back({file.element, index, value, ordinary, statement_});
}

const Target& Elaborator::other_entry(const FileSymbol& file, const Ast& entry) {
    const Symbol* symbol = find(entry.text);
    if (symbol == nullptr) unknown_name(entry);
    if (symbol->kind != Symbol::Kind::state && symbol->kind != Symbol::Kind::bank)
        fail(Code::E0206, entry.range, "a register or a bank", fmt::format("`{}`", entry.text));
    const Target& target = symbol->state.target;
    unsigned width = 0;
    for (const auto& part : target.parts) width += part.width;
    if (width != file.width)
        fail(Code::E0203, entry.range, fmt::format("bits({})", file.width), fmt::format("bits({})", width));
    return target;
}

Target Elaborator::cut(const Target& target, unsigned high, unsigned low) {
    Target result;
    unsigned at = 0;
    for (const auto& part : target.parts) {
        const unsigned from = std::max(at, low);
        const unsigned to = std::min(at + part.width, high + 1);
        if (from < to) {
            auto piece = part;
            piece.low = part.low + (from - at);
            piece.value = part.value >> (from - at) & ones(to - from);
            piece.width = to - from;
            result.parts.push_back(piece);
        }
        at += part.width;
    }
    return result;
}

std::optional<Target> Elaborator::target_of(const Ast& ast) {
    switch (ast.kind) {
        case Syntax::name: {
            if (find_local(ast.text) != nullptr) return std::nullopt;
            const Symbol* symbol = find(ast.text);
            if (symbol == nullptr) return std::nullopt;
            if (symbol->kind != Symbol::Kind::state && symbol->kind != Symbol::Kind::bank) return std::nullopt;
            return symbol->state.target;
        }
        case Syntax::member: {
            if (!ast[0].is(Syntax::name) || find_local(ast[0].text) != nullptr) return std::nullopt;
            const Symbol* symbol = find(ast[0].text);
            if (symbol == nullptr) unknown_name(ast[0]);
            if (symbol->kind != Symbol::Kind::state && symbol->kind != Symbol::Kind::bank) return std::nullopt;
            const auto field = symbol->state.fields.find(ast.text);
            if (field == symbol->state.fields.end()) fail(Code::E0216, ast.range, ast.text, ast[0].text);
            return cut(symbol->state.target, field->second.high, field->second.low);
        }
        case Syntax::slice: {
            const auto whole = target_of(ast[0]);
            if (!whole) return std::nullopt;
            const Number high = number(ast[1]);
            const Number low = number(ast[2]);
            if (low < 0 || high < low || high >= static_cast<Number>(whole->width()))
                fail(Code::E0207, ast.range, describe(Value::of(high)), describe(Value::of(low)),
                     fmt::format("{}", whole->width()));
            return cut(*whole, static_cast<unsigned>(high), static_cast<unsigned>(low));
        }
        case Syntax::index: {
            if (ast[0].is(Syntax::name) && find_local(ast[0].text) == nullptr) {
                const Symbol* symbol = find(ast[0].text);
                if (symbol != nullptr && symbol->kind == Symbol::Kind::file) {
                    const FileSymbol& file = symbol->file;
                    const unsigned width = spec_[file.element].index_width;
                    const Value index = eval(ast[1], width);
                    Term at;
                    if (index.is_number()) {
                        if (index.number < 0 || index.number >= static_cast<Number>(file.size))
                            fail(Code::E0223, ast.range, describe(index), ast[0].text, fmt::format("{}", file.size));
                        at = spec_.terms.constant(width, static_cast<Word>(index.number));
                    } else {
                        at = any_bits(index, ast[1].range);
                        if (spec_.terms.sort(at).width > width)
                            fail(Code::E0203, ast[1].range, fmt::format("at most bits({})", width), describe(index));
                        at = spec_.terms.zero_extend(at, width);
                    }
                    return Target{{{Target::Part::Kind::file, file.width, 0, file.element, &file, nullptr, at}}};
                }
            }
            const auto whole = target_of(ast[0]);
            if (!whole) return std::nullopt;
            const Value index = eval(ast[1]);
            if (index.is_term() && !spec_.terms.is_constant(index.term)) return std::nullopt;
            const Number at = number(index, ast[1].range);
            if (at < 0 || at >= static_cast<Number>(whole->width()))
                fail(Code::E0207, ast.range, describe(index), describe(index), fmt::format("{}", whole->width()));
            return cut(*whole, static_cast<unsigned>(at), static_cast<unsigned>(at));
        }
        default:
            return std::nullopt;
    }
}

}  // namespace pogo::isa
