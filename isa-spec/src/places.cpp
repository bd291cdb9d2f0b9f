// Elaboration of what statements read and write: memory and state.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "elaborator.hpp"
#include "isa/require.hpp"

namespace pogo::isa {

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
    const unsigned width = place.units * spec_.unit_bits;
    if (t.is_false(path_.condition)) return t.constant(width, 0);  // whatever it is, nothing is loaded
    const Variable result = shared_variable(fmt::format("{}{}", load_name_, meaning_.loads.size()), Sort::bits(width));
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
