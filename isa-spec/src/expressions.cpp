// Elaboration of expressions.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "elaborator.hpp"
#include "isa/require.hpp"

namespace pogo::isa {

namespace {

constexpr Number number_limit = Number{1} << 126;

std::string decimal(Number n) {
    if (n < 0) return "-" + decimal(-n);
    std::string digits;
    do {
        digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(n % 10)));
        n /= 10;
    } while (n != 0);
    return digits;
}

}  // namespace

void Elaborator::spend(SourceRange where) {
    if (++spent_ > 8'000'000) fail(Code::E0211, where);
}

Frame::Local* Elaborator::find_local(std::string_view name) {
    if (frames_.empty()) return nullptr;
    auto& locals = frames_.back().locals;
    const auto found =
        std::find_if(locals.rbegin(), locals.rend(), [&](const auto& local) { return local.name == name; });
    return found == locals.rend() ? nullptr : &*found;
}

Symbol* Elaborator::find(std::string_view name) {
    const auto it = symbols_.find(name);
    return it == symbols_.end() ? nullptr : &it->second;
}

void Elaborator::unknown_name(const Ast& ast) {
    // The nearest known name by edit distance is the most likely way out.
    std::string best;
    std::size_t best_distance = 3;
    const auto consider = [&](const std::string& candidate) {
        std::vector<std::size_t> row(candidate.size() + 1);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= ast.text.size(); ++i) {
            std::size_t corner = row[0];
            row[0] = i;
            for (std::size_t j = 1; j < row.size(); ++j) {
                const std::size_t cost = corner + (ast.text[i - 1] == candidate[j - 1] ? 0 : 1);
                corner = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, cost});
            }
        }
        if (row.back() < best_distance && row.back() < ast.text.size()) {
            best_distance = row.back();
            best = candidate;
        }
    };
    for (const auto& [name, symbol] : symbols_) consider(name);
    if (!frames_.empty())
        for (const auto& local : frames_.back().locals) consider(local.name);
    auto& diagnostic = diagnostics_.report(Code::E0201, ast.range, ast.text);
    if (!best.empty()) diagnostic.notes.push_back({{}, fmt::format("did you mean `{}`?", best)});
    throw Abandon{};
}

Symbol& Elaborator::lookup(const Ast& ast, Symbol::Kind kind, std::string_view what) {
    Symbol* symbol = find(ast.text);
    if (symbol == nullptr) unknown_name(ast);
    if (symbol->kind != kind)
        fail(Code::E0206, ast.range, what, fmt::format("`{}`, which is something else", ast.text));
    return *symbol;
}

Variable Elaborator::shared_variable(const std::string& name, Sort sort) {
    const std::string key = fmt::format("{}/{}", name, sort.width);
    const auto it = variables_.find(key);
    if (it != variables_.end()) return it->second;
    const Variable variable = spec_.terms.declare(name, sort);
    variables_.emplace(key, variable);
    return variable;
}

std::string Elaborator::describe(const Value& value) const {
    if (value.is_number()) return "the number " + decimal(value.number);
    if (value.kind == Value::Kind::operand) return "an operand";
    const Sort sort = spec_.terms.sort(value.term);
    return sort.is_bool() ? "bool" : fmt::format("bits({})", sort.width);
}

Number Elaborator::number(const Value& value, SourceRange where) {
    if (value.is_number()) return value.number;
    if (value.is_term() && spec_.terms.is_constant(value.term))
        return static_cast<Number>(spec_.terms.value(value.term));
    fail(Code::E0204, where);
}

Number Elaborator::number(const Ast& ast) { return number(eval(ast), ast.range); }

Term Elaborator::bits(const Value& value, unsigned width, SourceRange where) {
    if (value.is_number()) {
        const Number n = value.number;
        const bool fits =
            n >= 0 ? static_cast<Word>(n) <= ones(width) : width < 127 && n >= -(Number{1} << (width - 1));
        if (!fits) fail(Code::E0205, where, decimal(n), fmt::format("{}", width));
        return spec_.terms.constant(width, static_cast<Word>(n));
    }
    if (!value.is_term()) fail(Code::E0206, where, fmt::format("bits({})", width), describe(value));
    const Term term = spec_.terms.to_bits(value.term);
    if (spec_.terms.sort(term).width != width)
        fail(Code::E0203, where, fmt::format("bits({})", width), describe(value));
    return term;
}

Term Elaborator::any_bits(const Value& value, SourceRange where, unsigned hint) {
    if (value.is_number()) {
        const unsigned width = value.width != 0 ? value.width : hint;
        if (width == 0) fail(Code::E0213, where, decimal(value.number));
        return bits(value, width, where);
    }
    if (!value.is_term()) fail(Code::E0206, where, "bits", describe(value));
    return spec_.terms.to_bits(value.term);
}

Term Elaborator::boolean(const Value& value, SourceRange where) {
    if (value.is_number() && (value.number == 0 || value.number == 1)) return spec_.terms.boolean(value.number == 1);
    if (value.is_term()) {
        const Sort sort = spec_.terms.sort(value.term);
        if (sort.is_bool() || sort.width == 1) return spec_.terms.to_bool(value.term);
    }
    fail(Code::E0206, where, "a condition (bool or bits(1))", describe(value));
}

Term Elaborator::condition(const Ast& ast) { return boolean(eval(ast), ast.range); }

bool Elaborator::constant_condition(const Ast& ast) {
    const Term term = condition(ast);
    if (!spec_.terms.is_constant(term)) fail(Code::E0204, ast.range);
    return spec_.terms.is_true(term);
}

Type Elaborator::type(const Ast& ast) {
    if (ast.text == "bits" && ast.size() == 1) {
        const Number width = number(ast[0]);
        if (width < 1 || width > max_width) fail(Code::E0214, ast.range, decimal(width));
        return {Type::Kind::bits, static_cast<unsigned>(width), nullptr};
    }
    if (ast.text == "bits") return {Type::Kind::any_bits, 0, nullptr};
    if (ast.text == "bool") return {Type::Kind::boolean, 1, nullptr};
    if (ast.text == "int") return {Type::Kind::number, 0, nullptr};
    Symbol* symbol = find(ast.text);
    if (symbol == nullptr || symbol->kind != Symbol::Kind::enumeration) fail(Code::E0215, ast.range, ast.text);
    Type result = type((*symbol->ast)[0]);
    result.enumeration = symbol->ast;
    return result;
}

Value Elaborator::coerce(const Value& value, const Type& type, SourceRange where) {
    switch (type.kind) {
        case Type::Kind::bits:
            return Value::of(bits(value, type.width, where));
        case Type::Kind::boolean:
            return Value::of(boolean(value, where));
        case Type::Kind::number:
            return Value::of(number(value, where));
        case Type::Kind::any_bits:
            return Value::of(any_bits(value, where));
    }
    POGO_REQUIRE(false);
}

Value Elaborator::choose(Term condition, const Value& a, const Value& b, SourceRange where) {
    if (spec_.terms.is_true(condition)) return a;
    if (spec_.terms.is_false(condition)) return b;
    if (a.is_number() && b.is_number()) {
        if (a.number == b.number) return a;
        fail(Code::E0213, where, decimal(a.number));
    }
    if (!a.is_term() && !a.is_number()) return a;
    if (a.is_term() && b.is_term() && spec_.terms.sort(a.term).is_bool() && spec_.terms.sort(b.term).is_bool())
        return Value::of(spec_.terms.ite(condition, a.term, b.term));
    const unsigned width = spec_.terms.sort(spec_.terms.to_bits(a.is_term() ? a.term : b.term)).width;
    const Term then = bits(a, width, where);
    return Value::of(spec_.terms.ite(condition, then, bits(b, width, where)));
}

Value Elaborator::eval(const Ast& ast, unsigned hint) {
    spend(ast.range);
    switch (ast.kind) {
        case Syntax::number:
            return Value::of(static_cast<Number>(ast.value & ones(126)), ast.width);
        case Syntax::name: {
            if (const auto* local = find_local(ast.text)) return local->value;
            if (ast.text == "true" || ast.text == "false") return Value::of(spec_.terms.boolean(ast.text == "true"));
            if (ast.text == "next_pc" && next_value_.valid()) return Value::of(next_value_);
            Symbol* symbol = find(ast.text);
            if (symbol == nullptr) unknown_name(ast);
            if (symbol->kind == Symbol::Kind::number) return symbol->value;
            if (const auto target = target_of(ast)) return Value::of(read(*target));
            fail(Code::E0206, ast.range, "a value", fmt::format("`{}`, which is none", ast.text));
        }
        case Syntax::member: {
            const Ast& base = ast[0];
            if (base.is(Syntax::name)) {
                if (const auto* local = find_local(base.text);
                    local != nullptr && local->value.kind == Value::Kind::operand)
                    return operand_member(ast, local->value.operand, ast.text, {}, 0, hint);
                if (Symbol* symbol = find(base.text); symbol != nullptr && symbol->kind == Symbol::Kind::enumeration) {
                    for (std::size_t i = 1; i < symbol->ast->size(); ++i)
                        if ((*symbol->ast)[i].text == ast.text)
                            return Value::of(
                                bits(eval((*symbol->ast)[i][0]), type((*symbol->ast)[0]).width, ast.range));
                    fail(Code::E0216, ast.range, ast.text, base.text);
                }
            }
            if (const auto target = target_of(ast)) return Value::of(read(*target));
            fail(Code::E0217, ast.range, ast.text);
        }
        case Syntax::slice: {
            if (const auto target = target_of(ast)) return Value::of(read(*target));
            const Value whole = eval(ast[0]);
            const Number high = number(ast[1]);
            const Number low = number(ast[2]);
            if (whole.is_number() && whole.width == 0) {
                if (low < 0 || high < low || high > 120)
                    fail(Code::E0207, ast.range, decimal(high), decimal(low), "126");
                return Value::of(spec_.terms.constant(static_cast<unsigned>(high - low + 1),
                                                      static_cast<Word>(whole.number >> low)));
            }
            const Term term = any_bits(whole, ast[0].range);
            const unsigned width = spec_.terms.sort(term).width;
            if (low < 0 || high < low || high >= static_cast<Number>(width))
                fail(Code::E0207, ast.range, decimal(high), decimal(low), fmt::format("{}", width));
            return Value::of(spec_.terms.extract(term, static_cast<unsigned>(high), static_cast<unsigned>(low)));
        }
        case Syntax::index: {
            if (const auto target = target_of(ast)) return Value::of(read(*target));
            const Term term = any_bits(eval(ast[0]), ast[0].range);
            const unsigned width = spec_.terms.sort(term).width;
            const Value index = eval(ast[1]);
            if (index.is_term() && !spec_.terms.is_constant(index.term)) {
                // A bit chosen at run time: shift it down. Positions beyond the top read as 0.
                const Term by = spec_.terms.to_bits(index.term);
                const unsigned w = std::max(width, static_cast<unsigned>(spec_.terms.sort(by).width));
                const Term shifted =
                    spec_.terms.apply(Op::bvlshr, spec_.terms.zero_extend(term, w), spec_.terms.zero_extend(by, w));
                return Value::of(spec_.terms.extract(shifted, 0, 0));
            }
            const Number at = number(index, ast[1].range);
            if (at < 0 || at >= static_cast<Number>(width))
                fail(Code::E0207, ast.range, decimal(at), decimal(at), fmt::format("{}", width));
            return Value::of(spec_.terms.extract(term, static_cast<unsigned>(at), static_cast<unsigned>(at)));
        }
        case Syntax::access:
            return Value::of(load(place_of(ast, Access::load), ast.range));
        case Syntax::unary:
            return unary(ast, hint);
        case Syntax::binary:
            return binary(ast, hint);
        case Syntax::conditional:
            return conditional(ast, hint);
        case Syntax::call:
            return call(ast, hint);
        default:
            fail(Code::E0206, ast.range, "a value", std::string(name(ast.kind)));
    }
}

Value Elaborator::unary(const Ast& ast, unsigned hint) {
    const Value operand = eval(ast[0], hint);
    Terms& t = spec_.terms;
    if (ast.text == "!") return Value::of(t.not_(boolean(operand, ast[0].range)));
    if (operand.is_number()) {
        if (ast.text == "-") return Value::of(-operand.number);
        return Value::of(t.apply(Op::bvnot, any_bits(operand, ast[0].range, hint)));
    }
    if (ast.text == "~" && operand.is_term() && t.sort(operand.term).is_bool()) return Value::of(t.not_(operand.term));
    const Term term = any_bits(operand, ast[0].range);
    return Value::of(t.apply(ast.text == "-" ? Op::bvneg : Op::bvnot, term));
}

namespace {

std::optional<Value> number_operation(Terms& terms, const std::string& op, Number a, Number b) {
    const auto flag = [&](bool value) { return Value::of(terms.boolean(value)); };
    if (op == "+") return Value::of(a + b);
    if (op == "-") return Value::of(a - b);
    if (op == "*") {
        if (a != 0 && (b > number_limit / (a < 0 ? -a : a) || b < -number_limit / (a < 0 ? -a : a)))
            return std::nullopt;
        return Value::of(a * b);
    }
    if (op == "<<")
        return b < 0 || b > 100 || a > (number_limit >> b) || a < 0 ? std::nullopt : std::optional(Value::of(a << b));
    if (op == ">>") return b < 0 || b > 126 ? std::nullopt : std::optional(Value::of(a >> b));
    if (op == "&") return Value::of(a & b);
    if (op == "|") return Value::of(a | b);
    if (op == "^") return Value::of(a ^ b);
    if (op == "==") return flag(a == b);
    if (op == "!=") return flag(a != b);
    if (op == "<" || op == "<s") return flag(a < b);
    if (op == "<=" || op == "<=s") return flag(a <= b);
    if (op == ">" || op == ">s") return flag(a > b);
    if (op == ">=" || op == ">=s") return flag(a >= b);
    return std::nullopt;
}

}  // namespace

Value Elaborator::binary(const Ast& ast, unsigned hint) {
    Terms& t = spec_.terms;
    const std::string& op = ast.text;
    if (op == "&&" || op == "||") {
        const Term left = condition(ast[0]);
        // A constant left side decides, so that `size == 4 && n[2]` is not looked at where it makes no sense.
        if (t.is_constant(left) && t.is_true(left) == (op == "||")) return Value::of(left);
        const Term right = condition(ast[1]);
        return Value::of(op == "&&" ? t.and_(left, right) : t.or_(left, right));
    }
    const bool comparison = op == "==" || op == "!=" || op.starts_with('<') || op.starts_with('>');
    const bool shift = op == "<<" || op == ">>" || op == ">>s";
    const unsigned inner = (comparison && !shift) || op == "@" ? 0 : hint;
    const Value left = eval(ast[0], inner);
    const Value right = eval(ast[1], shift ? 0 : inner);
    if (left.is_number() && right.is_number() && op != "@") {
        if (const auto value = number_operation(t, op, left.number, right.number)) return *value;
        fail(Code::E0219, ast.range, decimal(left.number), op, decimal(right.number));
    }
    if (op == "@") {
        const Term high = any_bits(left, ast[0].range);
        const Term low = any_bits(right, ast[1].range);
        if (t.sort(high).width + t.sort(low).width > max_width)
            fail(Code::E0214, ast.range, fmt::format("{}", t.sort(high).width + t.sort(low).width));
        return Value::of(t.concat(high, low));
    }
    if (shift) {
        const Term value = any_bits(left, ast[0].range, hint);
        const unsigned width = t.sort(value).width;
        const Op with = op == "<<" ? Op::bvshl : op == ">>" ? Op::bvlshr : Op::bvashr;
        if (right.is_number()) {
            if (right.number < 0) fail(Code::E0219, ast.range, describe(left), op, decimal(right.number));
            const Number by = std::min<Number>(right.number, width);
            // The amount itself may not fit where it is the width of a narrow value.
            if (static_cast<Word>(by) > ones(width)) {
                if (with == Op::bvashr) return Value::of(t.sign_extend(t.extract(value, width - 1, width - 1), width));
                return Value::of(t.constant(width, 0));
            }
            return Value::of(t.apply(with, value, t.constant(width, static_cast<Word>(by))));
        }
        const Term by = any_bits(right, ast[1].range);
        const unsigned wide = std::max(width, static_cast<unsigned>(t.sort(by).width));
        const Term extended = with == Op::bvashr ? t.sign_extend(value, wide) : t.zero_extend(value, wide);
        return Value::of(t.extract(t.apply(with, extended, t.zero_extend(by, wide)), width - 1, 0));
    }
    if (left.kind == Value::Kind::operand || right.kind == Value::Kind::operand)
        fail(Code::E0206, ast.range, "a value", "an operand (say how: .read or .address)");

    const auto is_bool = [&](const Value& v) { return v.is_term() && t.sort(v.term).is_bool(); };
    if (is_bool(left) && is_bool(right)) {
        if (op == "==") return Value::of(t.eq(left.term, right.term));
        if (op == "!=" || op == "^") return Value::of(t.apply(Op::xor_, left.term, right.term));
        if (op == "&") return Value::of(t.and_(left.term, right.term));
        if (op == "|") return Value::of(t.or_(left.term, right.term));
    }
    const unsigned width = t.sort(t.to_bits(left.is_term() ? left.term : right.term)).width;
    const Term a = bits(left, width, left.is_number() ? ast[0].range : ast.range);
    const Term b = bits(right, width, right.is_number() ? ast[1].range : ast.range);
    if (op == "+") return Value::of(t.apply(Op::bvadd, a, b));
    if (op == "-") return Value::of(t.apply(Op::bvsub, a, b));
    if (op == "*") return Value::of(t.apply(Op::bvmul, a, b));
    if (op == "&") return Value::of(t.apply(Op::bvand, a, b));
    if (op == "|") return Value::of(t.apply(Op::bvor, a, b));
    if (op == "^") return Value::of(t.apply(Op::bvxor, a, b));
    if (op == "==") return Value::of(t.eq(a, b));
    if (op == "!=") return Value::of(t.distinct(a, b));
    if (op == "<") return Value::of(t.apply(Op::bvult, a, b));
    if (op == "<=") return Value::of(t.apply(Op::bvule, a, b));
    if (op == ">") return Value::of(t.apply(Op::bvult, b, a));
    if (op == ">=") return Value::of(t.apply(Op::bvule, b, a));
    if (op == "<s") return Value::of(t.apply(Op::bvslt, a, b));
    if (op == "<=s") return Value::of(t.apply(Op::bvsle, a, b));
    if (op == ">s") return Value::of(t.apply(Op::bvslt, b, a));
    if (op == ">=s") return Value::of(t.apply(Op::bvsle, b, a));
    POGO_UNREACHABLE("an operator");
}

Value Elaborator::conditional(const Ast& ast, unsigned hint) {
    const Term c = condition(ast[0]);
    if (spec_.terms.is_constant(c)) return eval(ast[spec_.terms.is_true(c) ? 1 : 2], hint);
    Path before = path_;
    path_.condition = spec_.terms.and_(path_.condition, c);
    const Value then = eval(ast[1], hint);
    Path taken = std::move(path_);
    path_ = before;
    path_.condition = spec_.terms.and_(before.condition, spec_.terms.not_(c));
    const Value otherwise = eval(ast[2], hint);
    join(c, std::move(taken));
    path_.condition = before.condition;
    if (then.is_number() && otherwise.is_number() && then.number != otherwise.number) {
        const unsigned width = hint != 0 ? hint : std::max(then.width, otherwise.width);
        if (width == 0) fail(Code::E0213, ast.range, decimal(then.number));
        const Term a = bits(then, width, ast[1].range);
        return Value::of(spec_.terms.ite(c, a, bits(otherwise, width, ast[2].range)));
    }
    return choose(c, then, otherwise, ast.range);
}

// What a register holds after software has written a value to it, by the rules of its fields.
Value Elaborator::legal(const Ast& ast) {
    Terms& t = spec_.terms;
    const Symbol* symbol = ast[1].is(Syntax::name) ? find(ast[1].text) : nullptr;
    if (symbol == nullptr || symbol->state.fields.empty())
        fail(Code::E0206, ast[1].range, "a register with fields", fmt::format("`{}`", ast[1].text));
    const RegisterSymbol& reg = symbol->state;
    const unsigned width = reg.target.width();
    const Term written = bits(eval(ast[2], width), width, ast[2].range);
    std::vector<std::pair<unsigned, Term>> pieces;  // by lowest bit
    for (const auto& [name, rule] : reg.fields) {
        const Term old = read(cut(reg.target, rule.high, rule.low));
        const Term fresh = t.extract(written, rule.high, rule.low);
        Term taken = t.boolean(rule.access == FieldRule::Access::rw);
        for (const Word value : rule.legal)
            taken = t.or_(taken, t.eq(fresh, t.constant(rule.high - rule.low + 1, value)));
        pieces.emplace_back(rule.low, t.ite(taken, fresh, old));
    }
    std::sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    Term result;
    unsigned at = 0;
    const auto append = [&](Term piece) {
        result = result.valid() ? t.concat(piece, result) : piece;
        at += t.sort(piece).width;
    };
    for (const auto& [low, piece] : pieces) {
        if (low > at) append(t.constant(low - at, 0));
        append(piece);
    }
    if (at < width) append(t.constant(width - at, 0));
    return Value::of(result);
}

Value Elaborator::builtin(const Ast& ast, const std::string& name, unsigned hint, bool& known) {
    Terms& t = spec_.terms;
    known = true;
    const std::size_t count = ast.size() - 1;
    const auto expect = [&](std::size_t wanted) {
        if (count != wanted) fail(Code::E0208, ast.range, name, fmt::format("{}", wanted), fmt::format("{}", count));
    };
    const auto width_argument = [&](const Ast& argument) {
        const Number width = number(argument);
        if (width < 1 || width > max_width) fail(Code::E0214, argument.range, decimal(width));
        return static_cast<unsigned>(width);
    };
    if (name == "zext" || name == "sext") {
        expect(2);
        const unsigned width = width_argument(ast[2]);
        const Value value = eval(ast[1]);
        if (value.is_number() && value.width == 0) return Value::of(bits(value, width, ast[1].range));
        const Term term = any_bits(value, ast[1].range);
        if (t.sort(term).width > width)
            fail(Code::E0203, ast.range, fmt::format("at most bits({})", width), describe(value));
        return Value::of(name == "zext" ? t.zero_extend(term, width) : t.sign_extend(term, width));
    }
    if (name == "udiv" || name == "urem" || name == "sdiv" || name == "srem") {
        expect(2);
        const Value left = eval(ast[1], hint);
        const Value right = eval(ast[2], hint);
        if (left.is_number() && right.is_number()) {
            if (right.number == 0 || left.number < 0 || right.number < 0 || name[0] == 's')
                fail(Code::E0219, ast.range, decimal(left.number), name, decimal(right.number));
            return Value::of(name == "udiv" ? left.number / right.number : left.number % right.number);
        }
        const unsigned width = t.sort(t.to_bits(left.is_term() ? left.term : right.term)).width;
        const Term a = bits(left, width, ast[1].range);
        const Term b = bits(right, width, ast[2].range);
        const Op op = name == "udiv"   ? Op::bvudiv
                      : name == "urem" ? Op::bvurem
                      : name == "sdiv" ? Op::bvsdiv
                                       : Op::bvsrem;
        return Value::of(t.apply(op, a, b));
    }
    if (name == "bits") {
        expect(2);
        const unsigned width = width_argument(ast[1]);
        return Value::of(bits(eval(ast[2], width), width, ast[2].range));
    }
    if (name == "bool") {
        expect(1);
        return Value::of(boolean(eval(ast[1]), ast[1].range));
    }
    if (name == "width") {
        expect(1);
        return Value::of(static_cast<Number>(t.sort(any_bits(eval(ast[1]), ast[1].range)).width));
    }
    if (name == "legal") {
        expect(2);
        return legal(ast);
    }
    if (name == "any") {
        expect(1);
        const unsigned width = width_argument(ast[1]);
        const Variable variable = shared_variable(fmt::format("any{}", choice_count_++), Sort::bits(width));
        meaning_.choices.push_back(variable);
        return Value::of(t.variable(variable));
    }
    known = false;
    return {};
}

}  // namespace pogo::isa
