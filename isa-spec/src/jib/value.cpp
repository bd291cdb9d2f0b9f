// Values of Jib IR: merging, comparing, and Sail's library over terms.
// SPDX-License-Identifier: Apache-2.0
#include "jib/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "isa/require.hpp"

namespace pogo::isa::jib {

Value Value::string(std::string text, bool open) {
    Compound compound;
    compound.text = std::move(text);
    compound.open = open;
    return made(Kind::string, std::move(compound));
}

// ---- integers
// --------------------------------------------------------------------------------------------------------

Value Values::number(Number number) {
    unsigned width = 1;
    while (width < max_width && (number >> (width - 1)) != 0 && (number >> (width - 1)) != -1) ++width;
    return Value::integer(terms.constant(width, static_cast<Word>(number) & ones(width)));
}

std::optional<Number> Values::known(const Value& value) const {
    if (value.kind != Value::Kind::integer || !terms.is_constant(value.term)) return std::nullopt;
    const unsigned width = terms.sort(value.term).width;
    const unsigned up = max_width - width;
    return static_cast<Number>(terms.value(value.term) << up) >> up;
}

Number Values::want_number(const Value& value, std::string_view what) const {
    if (const auto number = known(value)) return *number;
    (void)want_integer(value);
    throw Stuck{fmt::format("{} depends on the state", what)};
}

unsigned Values::want_width(const Value& value, std::string_view what) const {
    const Number number = want_number(value, what);
    if (number < 0 || number > Number{1} << 20) throw Stuck{fmt::format("{} is out of range", what)};
    return static_cast<unsigned>(number);
}

Term Values::want_bits(const Value& value) const {
    if (value.kind == Value::Kind::nothing) throw Stuck{"a variable is read that was never set"};
    if (value.kind != Value::Kind::bits) throw Stuck{"bits are wanted where there are none"};
    if (!value.term.valid()) throw Stuck{"bits of no width are computed with"};
    return value.term;
}
Term Values::want_boolean(const Value& value) const {
    if (value.kind == Value::Kind::nothing) throw Stuck{"a variable is read that was never set"};
    if (value.kind != Value::Kind::boolean) throw Stuck{"a truth value is wanted where there is none"};
    return value.term;
}
Term Values::want_integer(const Value& value) const {
    if (value.kind == Value::Kind::nothing) throw Stuck{"a variable is read that was never set"};
    if (value.kind != Value::Kind::integer) throw Stuck{"an integer is wanted where there is none"};
    return value.term;
}
unsigned Values::width(const Value& value) const {
    if (value.kind == Value::Kind::bits && !value.term.valid()) return 0;
    return terms.sort(want_bits(value)).width;
}

std::pair<Term, Term> Values::even(const Value& a, const Value& b, unsigned more) {
    const Term l = want_integer(a);
    const Term r = want_integer(b);
    const unsigned width = std::max(terms.sort(l).width, terms.sort(r).width) + more;
    if (width > max_width) throw Stuck{"an integer does not fit in 128 bits"};
    return {terms.sign_extend(l, width), terms.sign_extend(r, width)};
}

Value Values::integer(Term term) {
    Value value = Value::integer(term);
    if (const auto constant = known(value)) return number(*constant);
    return value;
}

/// Truncating division (lib/smt.sail). Operands that are extended bits are divided at the width of the bits.
Value Values::divide(const Value& a, const Value& b, bool remainder) {
    const auto l = known(a);
    const auto r = known(b);
    if (r && *r == 0) throw Stuck{"a division by zero"};
    if (l && r && *r == -1) return remainder ? number(0) : *primitive("neg_int", {a});  // the least number does not fit
    if (l && r) return number(remainder ? *l % *r : *l / *r);
    const auto within = [&](const Value& value, Op op) -> std::optional<unsigned> {
        const Node& node = terms.node(want_integer(value));
        if (const auto constant = known(value)) {
            if (op == Op::zero_extend) return *constant < 0 ? std::nullopt : std::optional(node.sort.width - 1);
            return node.sort.width;
        }
        if (op == Op::zero_extend && node.op != Op::zero_extend) return std::nullopt;
        return op == Op::zero_extend ? terms.sort(Term{node.a}).width : node.sort.width;
    };
    const auto lw = within(a, Op::zero_extend);
    const auto rw = within(b, Op::zero_extend);
    if (lw && rw) {
        const unsigned width = std::max({*lw, *rw, 1U});
        const auto [wide_l, wide_r] = even(a, b);
        const auto fit = [&](Term term) {
            return terms.sort(term).width >= width ? terms.extract(term, width - 1, 0) : terms.zero_extend(term, width);
        };
        const Term result = terms.apply(remainder ? Op::bvurem : Op::bvudiv, fit(wide_l), fit(wide_r));
        return integer(terms.zero_extend(result, width + 1));
    }
    const auto [x, y] = even(a, b);
    const unsigned width = terms.sort(x).width;
    if (remainder) return integer(terms.apply(Op::bvsrem, x, y));
    // The least number by -1 does not fit.
    const Term least = terms.constant(width, Word{1} << (width - 1));
    const Term overflow = terms.and_(terms.eq(x, least), terms.eq(y, terms.constant(width, ones(width))));
    if (width == max_width) throw Stuck{"an integer does not fit in 128 bits"};
    const Term quotient = terms.sign_extend(terms.apply(Op::bvsdiv, x, y), width + 1);
    return integer(terms.ite(overflow, terms.constant(width + 1, Word{1} << (width - 1)), quotient));
}

// ---- bits
// ------------------------------------------------------------------------------------------------------------

Value Values::slice(const Value& a, unsigned high, unsigned low) {
    if (high + 1 == low) return Value::empty_bits();
    if (high < low || high >= width(a)) throw Stuck{"bits beyond the value are taken"};
    return Value::bits(terms.extract(want_bits(a), high, low));
}

Value Values::join(const Value& high, const Value& low) {
    if (width(high) == 0) return low;
    if (width(low) == 0) return high;
    if (width(high) + width(low) > max_width) throw Stuck{"a value is wider than 128 bits"};
    return Value::bits(terms.concat(want_bits(high), want_bits(low)));
}

Value Values::replace(const Value& a, unsigned high, unsigned low, const Value& by) {
    if (high >= width(a) || high + 1 < low || width(by) != high + 1 - low) throw Stuck{"bits beyond the value are set"};
    Value result = by;
    if (high + 1 < width(a)) result = join(slice(a, width(a) - 1, high + 1), result);
    if (low > 0) result = join(result, slice(a, low - 1, 0));
    return result;
}

Value Values::extend(const Value& a, unsigned to, bool sign) {
    const unsigned from = width(a);
    if (to > max_width) throw Stuck{"a value is wider than 128 bits"};
    if (to < from) return to == 0 ? Value::empty_bits() : slice(a, to - 1, 0);
    if (to == 0) return a;
    if (from == 0) return Value::bits(terms.constant(to, 0));
    return Value::bits(sign ? terms.sign_extend(a.term, to) : terms.zero_extend(a.term, to));
}

/// `to` bits of an integer, from bit `from` on.
Value Values::cut(const Value& integer, unsigned to, unsigned from) {
    if (to == 0) return Value::empty_bits();
    if (from + to > max_width) throw Stuck{"an integer does not fit in 128 bits"};
    const Term term = want_integer(integer);
    const unsigned has = terms.sort(term).width;
    const Term wide = has < from + to ? terms.sign_extend(term, from + to) : term;
    return Value::bits(terms.extract(wide, from + to - 1, from));
}

Value Values::shift(Op op, const Value& a, const Value& by) {
    const unsigned has = width(a);
    if (has == 0) return a;
    const Term value = want_bits(a);
    if (const auto distance = known(by)) {
        if (*distance < 0) throw Stuck{"a shift by less than nothing"};
        const Number most = has;
        if (*distance >= most && op != Op::bvashr) return Value::bits(terms.constant(has, 0));
        return Value::bits(
            terms.apply(op, value, terms.constant(has, static_cast<Word>(std::min(*distance, most - 1)))));
    }
    Term distance = by.kind == Value::Kind::bits ? want_bits(by) : want_integer(by);
    const unsigned from = terms.sort(distance).width;
    if (from <= has) return Value::bits(terms.apply(op, value, terms.zero_extend(distance, has)));
    const Term far = terms.not_(terms.eq(terms.extract(distance, from - 1, has), terms.constant(from - has, 0)));
    const Term near = terms.apply(op, value, terms.extract(distance, has - 1, 0));
    const Term out = op == Op::bvashr ? terms.apply(op, value, terms.constant(has, has >= 8 ? Word{has} : ones(has)))
                                      : terms.constant(has, 0);
    return Value::bits(terms.ite(far, out, near));
}

Value Values::both(Op op, const Value& a, const Value& b) {
    if (width(a) != width(b)) throw Stuck{"bits of different widths are combined"};
    if (width(a) == 0) return a;
    return Value::bits(terms.apply(op, a.term, b.term));
}

// ---- vectors
// ---------------------------------------------------------------------------------------------------------

Value Values::element(const Value& vector, const Value& index) {
    if (vector.kind != Value::Kind::vector) throw Stuck{"a vector is wanted where there is none"};
    const auto& members = vector.more->members;
    if (const auto at = known(index)) {
        if (*at < 0 || *at >= static_cast<Number>(members.size())) throw Stuck{"an element beyond the vector is read"};
        return members[static_cast<std::size_t>(*at)];
    }
    Value result;
    for (std::size_t i = 0; i < members.size(); ++i)
        result = merge(equal(index, number(static_cast<Number>(i))), members[i], result);
    return result;
}

Value Values::replaced(const Value& vector, const Value& index, const Value& by) {
    if (vector.kind != Value::Kind::vector) throw Stuck{"a vector is wanted where there is none"};
    Compound result = *vector.more;
    for (std::size_t i = 0; i < result.members.size(); ++i)
        result.members[i] = merge(equal(index, number(static_cast<Number>(i))), by, result.members[i]);
    return Value::made(Value::Kind::vector, std::move(result));
}

// ---- any values
// ------------------------------------------------------------------------------------------------------

Term Values::equal(const Value& a, const Value& b) {
    if (!a.set() || !b.set()) throw Stuck{"a variable is read that was never set"};
    if (a.kind != b.kind) throw Stuck{"values of different kinds are compared"};
    switch (a.kind) {
        case Value::Kind::unit:
            return terms.boolean(true);
        case Value::Kind::integer: {
            const auto [l, r] = even(a, b);
            return terms.eq(l, r);
        }
        case Value::Kind::bits:
            if (width(a) != width(b)) return terms.boolean(false);
            return width(a) == 0 ? terms.boolean(true) : terms.eq(a.term, b.term);
        case Value::Kind::boolean:
        case Value::Kind::enumerator:
            if (terms.sort(a.term) != terms.sort(b.term)) break;
            return terms.eq(a.term, b.term);
        case Value::Kind::string:
            if (a.more->open || b.more->open) throw Stuck{"texts that depend on the state are compared"};
            return terms.boolean(a.more->text == b.more->text);
        case Value::Kind::structure:
        case Value::Kind::vector: {
            if (a.more->members.size() != b.more->members.size()) {
                if (a.kind == Value::Kind::structure) throw Stuck{"a variable is read that was never set"};
                return terms.boolean(false);
            }
            Term result = terms.boolean(true);
            for (std::size_t i = 0; i < a.more->members.size(); ++i) {
                std::size_t at = i;
                if (a.kind == Value::Kind::structure) {
                    const auto& names = b.more->names;
                    at = static_cast<std::size_t>(std::find(names.begin(), names.end(), a.more->names[i]) -
                                                  names.begin());
                    if (at == names.size()) throw Stuck{"a variable is read that was never set"};
                }
                result = terms.and_(result, equal(a.more->members[i], b.more->members[at]));
            }
            return result;
        }
        case Value::Kind::union_: {
            Term result = terms.boolean(false);
            for (std::size_t i = 0; i < a.more->names.size(); ++i)
                for (std::size_t j = 0; j < b.more->names.size(); ++j)
                    if (a.more->names[i] == b.more->names[j]) {
                        const Term same = terms.and_(a.more->guards[i], b.more->guards[j]);
                        if (terms.is_false(same)) continue;
                        result = terms.or_(result, terms.and_(same, equal(a.more->members[i], b.more->members[j])));
                    }
            return result;
        }
        case Value::Kind::reference:
            return terms.boolean(a.more->name == b.more->name);
        case Value::Kind::torn:
        case Value::Kind::nothing:
            break;
    }
    throw Stuck{"what is compared has no one form"};
}

Value Values::merge(Term condition, const Value& a, const Value& b) {
    if (terms.is_true(condition) || !b.set()) return a;
    if (terms.is_false(condition) || !a.set()) return b;
    if (a.kind != b.kind) throw Stuck{"values of different kinds are merged"};
    switch (a.kind) {
        case Value::Kind::torn:
        case Value::Kind::unit:
            return a;
        case Value::Kind::boolean:
        case Value::Kind::enumerator:
            if (terms.sort(a.term) != terms.sort(b.term)) throw Stuck{"values of different kinds are merged"};
            return {a.kind, terms.ite(condition, a.term, b.term), {}};
        case Value::Kind::bits:
            if (width(a) != width(b)) throw Stuck{"the width of a value depends on the state"};
            return width(a) == 0 ? a : Value::bits(terms.ite(condition, a.term, b.term));
        case Value::Kind::integer: {
            const auto [l, r] = even(a, b);
            return integer(terms.ite(condition, l, r));
        }
        case Value::Kind::string: {
            const auto& l = a.more->text;
            const auto& r = b.more->text;
            if (l == r && a.more->open == b.more->open) return a;
            const auto split = std::mismatch(l.begin(), l.end(), r.begin(), r.end()).first;
            return Value::string(std::string(l.begin(), split), true);
        }
        case Value::Kind::reference:
            if (a.more->name != b.more->name) throw Stuck{"which register is meant depends on the state"};
            return a;
        case Value::Kind::vector:
            if (a.more == b.more) return a;
            if (a.more->members.size() != b.more->members.size()) throw Stuck{"a list's length depends on the state"};
            [[fallthrough]];
        case Value::Kind::structure: {
            if (a.more == b.more) return a;
            Compound result = *a.more;
            for (std::size_t i = 0; i < b.more->members.size(); ++i) {
                std::size_t at = i;
                if (a.kind == Value::Kind::structure) {
                    const auto& names = result.names;
                    at = static_cast<std::size_t>(std::find(names.begin(), names.end(), b.more->names[i]) -
                                                  names.begin());
                    if (at == names.size()) {  // set on one path only
                        result.names.push_back(b.more->names[i]);
                        result.members.push_back(b.more->members[i]);
                        continue;
                    }
                }
                result.members[at] = merge(condition, result.members[at], b.more->members[i]);
            }
            return Value::made(a.kind, std::move(result));
        }
        case Value::Kind::union_: {
            if (a.more == b.more) return a;
            Compound result;
            const auto find = [](const Compound& in, Name name) -> std::optional<std::size_t> {
                const auto at = std::find(in.names.begin(), in.names.end(), name);
                if (at == in.names.end()) return std::nullopt;
                return static_cast<std::size_t>(at - in.names.begin());
            };
            for (std::size_t i = 0; i < a.more->names.size(); ++i) {
                const auto j = find(*b.more, a.more->names[i]);
                const Term there = j ? b.more->guards[*j] : terms.boolean(false);
                result.names.push_back(a.more->names[i]);
                result.guards.push_back(terms.ite(condition, a.more->guards[i], there));
                // Under the constructor's guard the payload is what it is where the value is of that constructor.
                result.members.push_back(j ? merge(condition, a.more->members[i], b.more->members[*j])
                                           : a.more->members[i]);
            }
            for (std::size_t j = 0; j < b.more->names.size(); ++j)
                if (!find(*a.more, b.more->names[j])) {
                    result.names.push_back(b.more->names[j]);
                    result.guards.push_back(terms.ite(condition, terms.boolean(false), b.more->guards[j]));
                    result.members.push_back(b.more->members[j]);
                }
            // One of the guards holds, so the last is what the others leave: this keeps guards that are complete.
            Term others = terms.boolean(false);
            for (std::size_t i = 0; i + 1 < result.guards.size(); ++i) others = terms.or_(others, result.guards[i]);
            result.guards.back() = terms.not_(others);
            return Value::made(a.kind, std::move(result));
        }
        case Value::Kind::nothing:
            break;
    }
    POGO_UNREACHABLE("values that are not set are not merged");
}

}  // namespace pogo::isa::jib
