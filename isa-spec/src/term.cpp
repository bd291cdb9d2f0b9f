// The arena of hash-consed terms: building, substitution, support, printing.
// SPDX-License-Identifier: Apache-2.0
#include "isa/term.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "isa/require.hpp"

namespace pogo::isa {

namespace {

struct OperatorInfo {
    std::string_view smt;
    Shape shape;
};

constexpr std::array operator_table = {
#define X(name, smt, shape) OperatorInfo{smt, Shape::shape},
#include "isa/operators.def"
};

std::string constant_text(Sort sort, Word value) {
    if (sort.is_bool()) return value != 0 ? "true" : "false";
    std::string digits;
    const bool hex = sort.width % 4 == 0;
    const unsigned step = hex ? 4 : 1;
    for (unsigned bit = sort.width; bit > 0; bit -= step)
        digits += "0123456789abcdef"[static_cast<unsigned>(value >> (bit - step)) & (hex ? 15 : 1)];
    return (hex ? "#x" : "#b") + digits;
}

}  // namespace

std::string_view smt_name(Op op) { return operator_table[static_cast<std::size_t>(op)].smt; }
Shape shape(Op op) { return operator_table[static_cast<std::size_t>(op)].shape; }

unsigned arity(Op op) {
    switch (shape(op)) {
        case Shape::leaf:
            return 0;
        case Shape::unary_bool:
        case Shape::unary_bits:
        case Shape::part:
        case Shape::widen:
            return 1;
        case Shape::binary_bool:
        case Shape::equality:
        case Shape::binary_bits:
        case Shape::compare_bits:
        case Shape::join:
        case Shape::array_read:
            return 2;
        case Shape::choice:
        case Shape::array_write:
            return 3;
    }
    POGO_REQUIRE(false);
}

std::size_t Terms::NodeHash::operator()(const Node& n) const noexcept {
    std::uint64_t h = static_cast<std::uint64_t>(n.op) | (static_cast<std::uint64_t>(n.sort.kind) << 8) |
                      (static_cast<std::uint64_t>(n.sort.width) << 16) |
                      (static_cast<std::uint64_t>(n.sort.index) << 24);
    for (const std::uint64_t part : {n.a, n.b, n.c}) h = (h ^ part) * 0x9e3779b97f4a7c15ULL + (h >> 29);
    return h;
}

std::size_t Terms::WordHash::operator()(const Word& w) const noexcept {
    return static_cast<std::uint64_t>(w) * 0x9e3779b97f4a7c15ULL ^ static_cast<std::uint64_t>(w >> 64);
}

Term Terms::intern(Node node) {
    const auto [place, fresh] = index_.try_emplace(node, static_cast<std::uint32_t>(nodes_.size()));
    if (fresh) nodes_.push_back(node);
    return {place->second};
}

Term Terms::value_term(Sort sort, Word value) {
    const auto [place, fresh] = value_index_.try_emplace(value, static_cast<std::uint32_t>(values_.size()));
    if (fresh) values_.push_back(value);
    return intern({Op::constant, sort, place->second, 0, 0});
}

Term Terms::boolean(bool value) { return value_term(Sort::boolean(), value ? 1 : 0); }

Term Terms::constant(unsigned width, Word value) {
    POGO_REQUIRE(width >= 1 && width <= max_width);
    return value_term(Sort::bits(width), value & ones(width));
}

Variable Terms::declare(std::string name, Sort sort) {
    const Variable variable{static_cast<std::uint32_t>(variables_.size())};
    const Term term = intern({Op::variable, sort, variable.id, 0, 0});
    variables_.push_back({std::move(name), sort, term.id});
    return variable;
}

Term Terms::variable(Variable variable) { return {variables_[variable.id].node}; }

bool Terms::is_true(Term term) const { return is_constant(term) && sort(term).is_bool() && value(term) == 1; }
bool Terms::is_false(Term term) const { return is_constant(term) && sort(term).is_bool() && value(term) == 0; }

Term Terms::apply(Op op, Term a) {
    const Sort s = sort(a);
    switch (shape(op)) {
        case Shape::unary_bool:
            POGO_REQUIRE(s.is_bool());
            break;
        case Shape::unary_bits:
            POGO_REQUIRE(s.is_bits());
            break;
        default:
            POGO_UNREACHABLE("a unary operator");
    }
    const Node node{op, s, a.id, 0, 0};
    const Term simple = simplify(node);
    return simple.valid() ? simple : intern(node);
}

Term Terms::apply(Op op, Term a, Term b) {
    const Sort s = sort(a);
    const Sort t = sort(b);
    Sort result = s;
    switch (shape(op)) {
        case Shape::binary_bool:
            POGO_REQUIRE(s.is_bool() && t.is_bool());
            break;
        case Shape::equality:
            POGO_REQUIRE(s == t);
            result = Sort::boolean();
            break;
        case Shape::binary_bits:
            POGO_REQUIRE(s.is_bits() && s == t);
            break;
        case Shape::compare_bits:
            POGO_REQUIRE(s.is_bits() && s == t);
            result = Sort::boolean();
            break;
        case Shape::join:
            POGO_REQUIRE(s.is_bits() && t.is_bits() && s.width + t.width <= max_width);
            result = Sort::bits(s.width + t.width);
            break;
        case Shape::array_read:
            POGO_REQUIRE(s.is_array() && t == Sort::bits(s.index));
            result = Sort::bits(s.width);
            break;
        default:
            POGO_UNREACHABLE("a binary operator");
    }
    const Node node{op, result, a.id, b.id, 0};
    const Term simple = simplify(node);
    return simple.valid() ? simple : intern(node);
}

Term Terms::apply(Op op, Term a, Term b, Term c) {
    Sort result = sort(a);
    switch (shape(op)) {
        case Shape::choice:
            POGO_REQUIRE(sort(a).is_bool() && sort(b) == sort(c));
            result = sort(b);
            break;
        case Shape::array_write:
            POGO_REQUIRE(result.is_array() && sort(b) == Sort::bits(result.index) &&
                         sort(c) == Sort::bits(result.width));
            break;
        default:
            POGO_UNREACHABLE("a ternary operator");
    }
    const Node node{op, result, a.id, b.id, c.id};
    const Term simple = simplify(node);
    return simple.valid() ? simple : intern(node);
}

Term Terms::extract(Term a, unsigned high, unsigned low) {
    POGO_REQUIRE(sort(a).is_bits() && low <= high && high < sort(a).width);
    const Node node{Op::extract, Sort::bits(high - low + 1), a.id, high, low};
    const Term simple = simplify(node);
    return simple.valid() ? simple : intern(node);
}

Term Terms::zero_extend(Term a, unsigned width) {
    POGO_REQUIRE(sort(a).is_bits() && width >= sort(a).width && width <= max_width);
    const Node node{Op::zero_extend, Sort::bits(width), a.id, 0, 0};
    const Term simple = simplify(node);
    return simple.valid() ? simple : intern(node);
}

Term Terms::sign_extend(Term a, unsigned width) {
    POGO_REQUIRE(sort(a).is_bits() && width >= sort(a).width && width <= max_width);
    const Node node{Op::sign_extend, Sort::bits(width), a.id, 0, 0};
    const Term simple = simplify(node);
    return simple.valid() ? simple : intern(node);
}

Term Terms::all(std::span<const Term> terms) {
    Term result = boolean(true);
    for (const Term term : terms) result = and_(result, term);
    return result;
}

Term Terms::any(std::span<const Term> terms) {
    Term result = boolean(false);
    for (const Term term : terms) result = or_(result, term);
    return result;
}

Term Terms::to_bits(Term a) { return sort(a).is_bool() ? ite(a, constant(1, 1), constant(1, 0)) : a; }
Term Terms::to_bool(Term a) { return sort(a).is_bool() ? a : eq(a, constant(1, 1)); }

std::vector<Term> Terms::operands(Term term) const {
    const Node& n = node(term);
    std::vector<Term> result;
    const unsigned count = arity(n.op);
    if (count > 0) result.push_back({n.a});
    if (count > 1) result.push_back({n.b});
    if (count > 2) result.push_back({n.c});
    return result;
}

Term Terms::substitute(Term root, const Substitution& substitution, Substitution& memo) {
    std::vector<Term> stack{root};
    const auto known = [&](Term term) -> Term {
        if (const auto it = substitution.find(term); it != substitution.end()) return it->second;
        if (arity(node(term).op) == 0) return term;
        if (const auto it = memo.find(term); it != memo.end()) return it->second;
        return {};
    };
    while (!stack.empty()) {
        const Term term = stack.back();
        if (known(term).valid()) {
            stack.pop_back();
            continue;
        }
        const Node n = node(term);
        const unsigned count = arity(n.op);
        const std::array<Term, 3> old{Term{n.a}, Term{n.b}, Term{n.c}};
        std::array<Term, 3> with;
        bool ready = true;
        for (unsigned i = 0; i < count; ++i) {
            with[i] = known(old[i]);
            if (!with[i].valid()) {
                ready = false;
                stack.push_back(old[i]);
            }
        }
        if (!ready) continue;
        Term result = term;
        if (!std::equal(with.begin(), with.begin() + count, old.begin())) {
            switch (n.op) {
                case Op::extract:
                    result = extract(with[0], n.b, n.c);
                    break;
                case Op::zero_extend:
                    result = zero_extend(with[0], n.sort.width);
                    break;
                case Op::sign_extend:
                    result = sign_extend(with[0], n.sort.width);
                    break;
                default:
                    result = count == 1   ? apply(n.op, with[0])
                             : count == 2 ? apply(n.op, with[0], with[1])
                                          : apply(n.op, with[0], with[1], with[2]);
            }
        }
        memo.emplace(term, result);
        stack.pop_back();
    }
    return known(root);
}

Term Terms::substitute(Term root, const Substitution& substitution) {
    Substitution memo;
    return substitute(root, substitution, memo);
}

Term Terms::propagate(Term formula) {
    Term known = boolean(true);
    std::unordered_set<Term> seen;
    for (bool more = true; more;) {
        more = false;
        Substitution values;
        std::vector<std::pair<Term, bool>> conjuncts{{formula, true}};
        while (!conjuncts.empty()) {
            const auto [term, holds] = conjuncts.back();
            conjuncts.pop_back();
            const Node n = node(term);
            if (n.op == Op::not_) conjuncts.emplace_back(Term{n.a}, !holds);
            if (n.op == (holds ? Op::and_ : Op::or_))
                for (const Term operand : {Term{n.b}, Term{n.a}}) conjuncts.emplace_back(operand, holds);
            if (n.op != Op::eq && n.op != Op::variable) continue;
            const Term literal = holds ? term : not_(term);
            if (!seen.insert(literal).second) continue;
            more = true;
            known = and_(known, literal);
            Term subject = term;
            Term value = boolean(holds);
            if (n.op == Op::eq) {
                const bool left = is_constant(Term{n.a});
                const Term one{left ? n.b : n.a};
                const Term two{left ? n.a : n.b};
                if (is_constant(two) && (holds || sort(one) == Sort::bits(1))) {
                    subject = one;
                    value = holds ? two : constant(1, this->value(two) ^ 1);
                }
            }
            values.emplace(subject, value);
        }
        formula = substitute(formula, values);
    }
    return and_(known, formula);
}

std::vector<Term> Terms::conjuncts(Term formula) {
    std::vector<Term> result;
    std::vector<Term> open{formula};
    while (!open.empty()) {
        const Term term = open.back();
        open.pop_back();
        const Node n = node(term);
        const Node negated = n.op == Op::not_ ? node(Term{n.a}) : n;
        if (n.op == Op::and_)
            open.insert(open.end(), {Term{n.a}, Term{n.b}});
        else if (n.op == Op::not_ && negated.op == Op::or_)
            open.insert(open.end(), {not_(Term{negated.a}), not_(Term{negated.b})});
        else
            result.push_back(term);
    }
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

std::vector<Variable> Terms::support(std::span<const Term> roots) const {
    std::vector<Variable> result;
    each_below(*this, roots, [&](Term term) {
        if (node(term).op == Op::variable) result.push_back({node(term).a});
    });
    std::sort(result.begin(), result.end());
    return result;
}

std::string Terms::print(Term root, bool unique) const {
    std::unordered_map<Term, unsigned> uses;
    std::vector<Term> order;  // operands first
    std::vector<std::pair<Term, bool>> stack{{root, false}};
    while (!stack.empty()) {
        const auto [term, done] = stack.back();
        stack.pop_back();
        if (done) {
            order.push_back(term);
            continue;
        }
        if (uses[term]++ > 0) continue;
        stack.emplace_back(term, true);
        for (const Term operand : operands(term)) stack.emplace_back(operand, false);
    }
    std::unordered_map<Term, std::string> text;
    std::string lets;
    unsigned depth = 0;
    for (const Term term : order) {
        const Node& n = node(term);
        std::string s;
        switch (n.op) {
            case Op::constant:
                s = constant_text(n.sort, values_[n.a]);
                break;
            case Op::variable:
                s = "|" + variables_[n.a].name + (unique ? fmt::format("/{}|", n.a) : "|");
                break;
            case Op::extract:
                s = fmt::format("((_ extract {} {}) {})", n.b, n.c, text[{n.a}]);
                break;
            case Op::zero_extend:
            case Op::sign_extend:
                s = fmt::format("((_ {} {}) {})", smt_name(n.op), n.sort.width - nodes_[n.a].sort.width, text[{n.a}]);
                break;
            default:
                s = fmt::format("({}", smt_name(n.op));
                for (const Term operand : operands(term)) s += " " + text[operand];
                s += ")";
        }
        if (uses[term] > 1 && arity(n.op) > 0) {
            lets += fmt::format("(let ((?{} {})) ", ++depth, s);
            s = fmt::format("?{}", depth);
        }
        text[term] = std::move(s);
    }
    return lets + text[root] + std::string(depth, ')');
}

}  // namespace pogo::isa
