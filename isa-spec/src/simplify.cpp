// Local rewriting of terms: every rule is an identity of SMT-LIB's theories (tests prove them by exhaustion).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "isa/fold.hpp"
#include "isa/reference.hpp"
#include "isa/term.hpp"

namespace pogo::isa {

Term Terms::simplify(const Node& n) {
    if (!rewrite_) return {};
    const Term a{n.a};
    const Term b{n.b};
    const Term c{n.c};
    const unsigned count = arity(n.op);
    const unsigned w = n.sort.width;

    // Constants: ask the reference domain. Arrays have no constants.
    const bool constants =
        count > 0 && is_constant(a) && (count < 2 || is_constant(b)) && (count < 3 || is_constant(c));
    if (constants) {
        Program program;
        program.values = {value(a), count > 1 ? value(b) : Word{0}, count > 2 ? value(c) : Word{0}};
        for (unsigned i = 0; i < count; ++i)
            program.steps.push_back({Op::constant, sort(i == 0 ? a : i == 1 ? b : c), 0, 0, i, 0, 0});
        const bool part = n.op == Op::extract;
        program.steps.push_back({n.op, n.sort, sort(a).width, count > 1 ? sort(b).width : std::uint8_t{0}, 0,
                                 part ? n.b : 1, part ? n.c : 2});
        program.roots = {count};
        Reference reference;
        return value_term(n.sort, Reference::number(fold(program, reference)[0]));
    }

    const auto is_not_of = [&](Term x, Term y) { return node(x).op == Op::not_ && node(x).a == y.id; };
    const auto opposite = [&](Term x, Term y) { return is_not_of(x, y) || is_not_of(y, x); };
    const auto is_zero = [&](Term x) { return is_constant(x) && value(x) == 0; };
    const auto smallest = [&](Term x) { return is_constant(x) ? value(x) : Word{0}; };
    const auto extended = [&](Term x) {
        if (is_constant(x)) return value(x);
        return ones(sort(node(x).op == Op::zero_extend ? Term{node(x).a} : x).width);
    };
    const auto largest = [&](Term x) {  // of all values that the term may have; a bound
        const Word all = ones(sort(x).width);
        if (node(x).op != Op::bvadd) return extended(x);
        const Word first = extended({node(x).a});
        const Word second = extended({node(x).b});
        return first > all - second ? all : first + second;
    };
    const auto is_ones = [&](Term x) { return is_constant(x) && value(x) == ones(sort(x).width); };
    const auto has_conjunct = [&](Term x, Term y, Op op) {
        // Looks through a few levels of nested and/or for an operand.
        std::vector<std::pair<Term, unsigned>> stack{{x, 0U}};
        while (!stack.empty()) {
            const auto [t, depth] = stack.back();
            stack.pop_back();
            if (t == y) return true;
            if (node(t).op == op && depth < 8) {
                stack.emplace_back(Term{node(t).a}, depth + 1);
                stack.emplace_back(Term{node(t).b}, depth + 1);
            }
        }
        return false;
    };

    switch (n.op) {
        case Op::not_:
            if (node(a).op == Op::not_) return {node(a).a};
            return {};
        case Op::and_:
        case Op::or_: {
            const bool conjunction = n.op == Op::and_;
            for (const auto& [x, y] : {std::pair{a, b}, std::pair{b, a}}) {
                if (is_constant(x)) return (value(x) == 1) == conjunction ? y : x;
                if (has_conjunct(x, y, n.op)) return x;
                const Term negated = node(y).op == Op::not_ ? Term{node(y).a} : Term{};
                if (negated.valid() && has_conjunct(x, negated, n.op)) return boolean(!conjunction);
                if (node(x).op == Op::not_ && has_conjunct(y, {node(x).a}, n.op)) return boolean(!conjunction);
                // absorption: x ∧ (x ∨ z) = x, x ∧ (¬x ∨ z) = x ∧ z
                const Op dual = conjunction ? Op::or_ : Op::and_;
                if (node(y).op == dual) {
                    const Term l{node(y).a};
                    const Term r{node(y).b};
                    if (l == x || r == x) return x;
                    if (opposite(l, x)) return apply(n.op, x, r);
                    if (opposite(r, x)) return apply(n.op, x, l);
                }
            }
            if (b < a) return apply(n.op, b, a);
            return {};
        }
        case Op::xor_:
            if (a == b) return boolean(false);
            if (is_constant(a)) return value(a) == 0 ? b : not_(b);
            if (is_constant(b)) return value(b) == 0 ? a : not_(a);
            if (b < a) return apply(n.op, b, a);
            return {};
        case Op::eq: {
            if (a == b) return boolean(true);
            if (sort(a).is_bool()) {
                if (is_constant(a)) return value(a) == 1 ? b : not_(b);
                if (is_constant(b)) return value(b) == 1 ? a : not_(a);
                if (opposite(a, b)) return boolean(false);
            }
            for (const auto& [x, k] : {std::pair{a, b}, std::pair{b, a}}) {
                if (!is_constant(k) || !sort(k).is_bits()) continue;
                const Node m = node(x);
                if (m.op == Op::ite) {
                    const Term then{m.b};
                    const Term other{m.c};
                    if (is_constant(then) || is_constant(other)) {
                        const Term condition{m.a};
                        const Term l = eq(then, k);
                        const Term r = eq(other, k);
                        return ite(condition, l, r);
                    }
                }
                if (m.op == Op::concat) {
                    const Term high{m.a};
                    const Term low{m.b};
                    const unsigned split = sort(low).width;
                    const Word v = value(k);
                    const Term l = eq(high, constant(sort(high).width, v >> split));
                    return and_(l, eq(low, constant(split, v)));
                }
                if (m.op == Op::zero_extend) {
                    const Term inner{m.a};
                    const unsigned width = sort(inner).width;
                    if ((value(k) >> width) != 0) return boolean(false);
                    return eq(inner, constant(width, value(k)));
                }
                if (m.op == Op::bvnot) return eq({m.a}, constant(sort(x).width, ~value(k)));
                // One of two values: so that what excludes it is its negation.
                if (sort(x).width == 1 && value(k) == 0) return not_(eq(x, constant(1, 1)));
            }
            if (node(a).op == Op::concat && node(b).op == Op::concat &&
                sort(Term{node(a).b}).width == sort(Term{node(b).b}).width) {
                const Node l = node(a);
                const Node r = node(b);
                const Term high = eq({l.a}, {r.a});
                return and_(high, eq({l.b}, {r.b}));
            }
            if (b < a) return apply(n.op, b, a);
            return {};
        }
        case Op::ite: {
            if (is_constant(a)) return value(a) == 1 ? b : c;
            if (b == c) return b;
            if (node(a).op == Op::not_) return ite({node(a).a}, c, b);
            if (n.sort.is_bool()) {
                if (is_constant(b)) return value(b) == 1 ? or_(a, c) : and_(not_(a), c);
                if (is_constant(c)) return value(c) == 1 ? or_(not_(a), b) : and_(a, b);
                if (a == b) return or_(a, c);
                if (a == c) return and_(a, b);
            }
            if (n.sort.is_bits() && w == 1 && node(a).op == Op::eq && is_constant(b) && is_constant(c)) {
                // ite(x = 1, 1, 0) = x for one bit
                const Term l{node(a).a};
                const Term r{node(a).b};
                for (const auto& [x, k] : {std::pair{l, r}, std::pair{r, l}})
                    if (is_constant(k) && sort(k) == Sort::bits(1) && value(b) == value(k)) return x;
            }
            // the same condition again below: ite(c, ite(c, x, y), z) = ite(c, x, z)
            if (node(b).op == Op::ite && node(b).a == n.a) return ite(a, {node(b).b}, c);
            if (node(c).op == Op::ite && node(c).a == n.a) return ite(a, b, {node(c).c});
            return {};
        }
        case Op::bvnot:
            if (node(a).op == Op::bvnot) return {node(a).a};
            return {};
        case Op::bvneg:
            if (node(a).op == Op::bvneg) return {node(a).a};
            return {};
        case Op::bvand:
            if (a == b) return a;
            for (const auto& [x, y] : {std::pair{a, b}, std::pair{b, a}}) {
                if (is_zero(x)) return x;
                if (is_ones(x)) return y;
            }
            if (b < a) return apply(n.op, b, a);
            return {};
        case Op::bvor:
            if (a == b) return a;
            for (const auto& [x, y] : {std::pair{a, b}, std::pair{b, a}}) {
                if (is_zero(x)) return y;
                if (is_ones(x)) return x;
            }
            if (b < a) return apply(n.op, b, a);
            return {};
        case Op::bvxor:
            if (a == b) return constant(w, 0);
            for (const auto& [x, y] : {std::pair{a, b}, std::pair{b, a}}) {
                if (is_zero(x)) return y;
                if (is_ones(x)) return apply(Op::bvnot, y);
            }
            if (b < a) return apply(n.op, b, a);
            return {};
        case Op::bvadd:
            for (const auto& [x, y] : {std::pair{a, b}, std::pair{b, a}}) {
                if (is_zero(x)) return y;
                // (z + k) + l = z + (k + l): addresses of successive parcels and words meet in one form
                if (is_constant(x) && node(y).op == Op::bvadd) {
                    const Term l{node(y).a};
                    const Term r{node(y).b};
                    if (is_constant(l)) return apply(Op::bvadd, r, constant(w, value(l) + value(x)));
                    if (is_constant(r)) return apply(Op::bvadd, l, constant(w, value(r) + value(x)));
                }
            }
            if (b < a) return apply(n.op, b, a);
            return {};
        case Op::bvsub:
            if (a == b) return constant(w, 0);
            if (is_zero(b)) return a;
            if (is_constant(b)) return apply(Op::bvadd, a, constant(w, Word{0} - value(b)));
            return {};
        case Op::bvmul:
            for (const auto& [x, y] : {std::pair{a, b}, std::pair{b, a}}) {
                if (is_zero(x)) return x;
                if (is_constant(x) && value(x) == 1) return y;
            }
            if (b < a) return apply(n.op, b, a);
            return {};
        case Op::bvudiv:
            if (is_constant(b) && value(b) == 1) return a;
            return {};
        case Op::bvurem:
            if (is_constant(b) && value(b) == 1) return constant(w, 0);
            return {};
        case Op::bvshl:
        case Op::bvlshr:
            if (is_zero(b)) return a;
            if (is_constant(b) && value(b) >= w) return constant(w, 0);
            if (is_constant(b) && n.op == Op::bvlshr)
                return zero_extend(extract(a, w - 1, static_cast<unsigned>(value(b))), w);
            if (is_constant(b) && n.op == Op::bvshl) {
                const auto by = static_cast<unsigned>(value(b));
                return concat(extract(a, w - 1 - by, 0), constant(by, 0));
            }
            return {};
        case Op::bvashr:
            if (is_zero(b)) return a;
            if (is_constant(b)) {
                const unsigned by = value(b) >= w ? w - 1 : static_cast<unsigned>(value(b));
                return sign_extend(extract(a, w - 1, by), w);
            }
            return {};
        case Op::bvult:
            if (a == b || largest(b) <= smallest(a)) return boolean(false);
            if (largest(a) < smallest(b)) return boolean(true);
            return {};
        case Op::bvule:
            if (a == b || largest(a) <= smallest(b)) return boolean(true);
            if (largest(b) < smallest(a)) return boolean(false);
            return {};
        case Op::bvslt:
            if (a == b) return boolean(false);
            return {};
        case Op::bvsle:
            if (a == b) return boolean(true);
            return {};
        case Op::concat:
            if (node(a).op == Op::extract && node(b).op == Op::extract && node(a).a == node(b).a &&
                node(a).c == node(b).b + 1)
                return extract({node(a).a}, node(a).b, node(b).c);
            if (is_zero(a)) return zero_extend(b, w);
            return {};
        case Op::extract: {
            const unsigned high = n.b;
            const unsigned low = n.c;
            if (low == 0 && high + 1 == sort(a).width) return a;
            const Node m = node(a);
            if (m.op == Op::extract) return extract({m.a}, m.c + high, m.c + low);
            if (m.op == Op::concat) {
                const unsigned split = sort(Term{m.b}).width;
                if (high < split) return extract({m.b}, high, low);
                if (low >= split) return extract({m.a}, high - split, low - split);
                const Term top = extract({m.a}, high - split, 0);
                return concat(top, extract({m.b}, split - 1, low));
            }
            if (m.op == Op::zero_extend || m.op == Op::sign_extend) {
                const unsigned inner = sort(Term{m.a}).width;
                if (high < inner) return extract({m.a}, high, low);
                if (m.op == Op::zero_extend && low >= inner) return constant(w, 0);
                if (m.op == Op::zero_extend) return zero_extend(extract({m.a}, inner - 1, low), w);
                if (low < inner) return sign_extend(extract({m.a}, inner - 1, low), w);
                return sign_extend(extract({m.a}, inner - 1, inner - 1), w);
            }
            if (m.op == Op::ite) {
                const Term l = extract({m.b}, high, low);
                return ite({m.a}, l, extract({m.c}, high, low));
            }
            if (m.op == Op::bvnot) return apply(Op::bvnot, extract({m.a}, high, low));
            if (m.op == Op::bvand || m.op == Op::bvor || m.op == Op::bvxor) {
                const Term l = extract({m.a}, high, low);
                return apply(m.op, l, extract({m.b}, high, low));
            }
            return {};
        }
        case Op::zero_extend:
            if (w == sort(a).width) return a;
            if (node(a).op == Op::zero_extend) return zero_extend({node(a).a}, w);
            return {};
        case Op::sign_extend:
            if (w == sort(a).width) return a;
            if (node(a).op == Op::sign_extend) return sign_extend({node(a).a}, w);
            if (node(a).op == Op::zero_extend) return zero_extend({node(a).a}, w);
            return {};
        case Op::select: {
            // Read over write, where the indices are decided.
            const Node m = node(a);
            if (m.op == Op::store) {
                if (m.b == n.b) return {m.c};
                if (is_constant({m.b}) && is_constant(b)) return select({m.a}, b);
            }
            return {};
        }
        case Op::store: {
            const Node m = node(a);
            if (m.op == Op::store && m.b == n.b) return store({m.a}, b, c);
            if (node(c).op == Op::select && node(c).a == n.a && node(c).b == n.b) return a;
            return {};
        }
        case Op::bvsdiv:
        case Op::bvsrem:
        case Op::constant:
        case Op::variable:
            return {};
    }
    return {};
}

}  // namespace pogo::isa
