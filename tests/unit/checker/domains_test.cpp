// The symbolic and the concrete domain against the reference, on every operator and every operand of small widths; and
// that this test would notice any one operator going wrong.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
#include "isa/reference.hpp"
#include "symbolic.hpp"

namespace pogo::check {
namespace {

using isa::Op;
using isa::Reference;
using isa::Shape;
using isa::Sort;
using isa::Term;
using isa::Terms;
using isa::Variable;
using isa::Word;

constexpr unsigned widest = 3;

const std::vector<Op>& operators() {
    static const std::vector<Op> all = {
#define X(name, smt, shape) Op::name,
#include "isa/operators.def"
    };
    return all;
}

/// One operator at one choice of widths: a program over variables 0, 1, 2.
struct Case {
    Op op;
    std::vector<Sort> leaves;
    isa::Program program;
    bool arrays = false;
};

unsigned size(Sort sort) { return sort.is_array() ? sort.width << sort.index : sort.width; }

std::vector<Case> cases() {
    std::vector<Case> result;
    const auto add = [&](Op op, std::vector<Sort> leaves, auto&& build) {
        Terms terms(false);
        std::vector<Term> operands;
        operands.reserve(leaves.size());
        for (const Sort sort : leaves) operands.push_back(terms.variable(terms.declare("x", sort)));
        const Term term = build(terms, operands);
        std::vector<Term> roots{term};
        bool arrays = std::any_of(leaves.begin(), leaves.end(), [](Sort s) { return s.is_array(); });
        if (terms.sort(term).is_array()) {
            roots.clear();
            for (unsigned i = 0; i < 1U << terms.sort(term).index; ++i)
                roots.push_back(terms.select(term, terms.constant(terms.sort(term).index, i)));
        }
        result.push_back({op, std::move(leaves), isa::compile(terms, roots), arrays});
    };
    const Sort boolean = Sort::boolean();
    std::vector<Sort> sorts{boolean};
    for (unsigned w = 1; w <= widest; ++w) sorts.push_back(Sort::bits(w));
    const std::vector<Sort> arrays{Sort::array(1, 1), Sort::array(1, 2), Sort::array(2, 1)};
    for (const Op op : operators()) {
        const auto one = [op](Terms& t, auto& x) { return t.apply(op, x[0]); };
        const auto two = [op](Terms& t, auto& x) { return t.apply(op, x[0], x[1]); };
        const auto three = [op](Terms& t, auto& x) { return t.apply(op, x[0], x[1], x[2]); };
        switch (isa::shape(op)) {
            case Shape::leaf:
                for (const Sort sort : sorts)
                    if (op == Op::variable)
                        add(op, {sort}, [](Terms&, auto& x) { return x[0]; });
                    else
                        for (Word value = 0; value <= isa::ones(sort.width); ++value)
                            add(op, {}, [&](Terms& t, auto&) {
                                return sort.is_bool() ? t.boolean(value != 0) : t.constant(sort.width, value);
                            });
                break;
            case Shape::unary_bool:
                add(op, {boolean}, one);
                break;
            case Shape::binary_bool:
                add(op, {boolean, boolean}, two);
                break;
            case Shape::equality:
                for (const Sort sort : sorts) add(op, {sort, sort}, two);
                for (const Sort sort : arrays) add(op, {sort, sort}, two);
                break;
            case Shape::choice:
                for (const Sort sort : sorts) add(op, {boolean, sort, sort}, three);
                for (const Sort sort : arrays) add(op, {boolean, sort, sort}, three);
                break;
            case Shape::unary_bits:
                for (unsigned w = 1; w <= widest; ++w) add(op, {Sort::bits(w)}, one);
                break;
            case Shape::binary_bits:
            case Shape::compare_bits:
                for (unsigned w = 1; w <= widest; ++w) add(op, {Sort::bits(w), Sort::bits(w)}, two);
                break;
            case Shape::join:
                for (unsigned v = 1; v <= widest; ++v)
                    for (unsigned w = 1; w <= widest; ++w) add(op, {Sort::bits(v), Sort::bits(w)}, two);
                break;
            case Shape::part:
                for (unsigned w = 1; w <= widest; ++w)
                    for (unsigned high = 0; high < w; ++high)
                        for (unsigned low = 0; low <= high; ++low)
                            add(op, {Sort::bits(w)}, [&](Terms& t, auto& x) { return t.extract(x[0], high, low); });
                break;
            case Shape::widen:
                for (unsigned w = 1; w <= widest; ++w)
                    for (unsigned to = w; to <= 2 * widest; ++to)
                        add(op, {Sort::bits(w)}, [&](Terms& t, auto& x) {
                            return op == Op::zero_extend ? t.zero_extend(x[0], to) : t.sign_extend(x[0], to);
                        });
                break;
            case Shape::array_read:
                for (const Sort sort : arrays) add(op, {sort, Sort::bits(sort.index)}, two);
                break;
            case Shape::array_write:
                for (const Sort sort : arrays) add(op, {sort, Sort::bits(sort.index), Sort::bits(sort.width)}, three);
                break;
        }
    }
    return result;
}

/// How a domain evaluates a program when variable i has value leaves[i].
template <class D>
struct SymbolicKit {
    static constexpr bool arrays = true;
    static std::vector<Word> evaluate(const Case& c, const std::vector<Word>& leaves) {
        static z3::context context;
        D domain(context, [&](Variable v, Sort sort) -> z3::expr {
            const Word value = leaves[v.id];
            if (!sort.is_array()) return Symbolic::literal(context, sort, value);
            z3::expr array = z3::const_array(context.bv_sort(sort.index), context.bv_val(0, sort.width));
            for (unsigned i = 0; i < 1U << sort.index; ++i)
                array = z3::store(array, context.bv_val(i, sort.index),
                                  Symbolic::literal(context, Sort::bits(sort.width),
                                                    value >> (i * sort.width) & isa::ones(sort.width)));
            return array;
        });
        std::vector<Word> result;
        for (const auto value : isa::fold(c.program, domain)) {
            const z3::expr simple = domain.expression(value).simplify();
            if (!simple.is_bool() || simple.is_true() || simple.is_false()) {
                result.push_back(number(simple));
                continue;
            }
            // Equality of arrays takes a solver.
            z3::solver solver(context);
            solver.add(simple);
            result.push_back(solver.check() == z3::sat ? 1 : 0);
        }
        return result;
    }
};

struct Leaves {
    const std::vector<Word>* values = nullptr;
    template <class T = std::uint64_t>
    T variable(Variable v, Sort) {
        return static_cast<T>((*values)[v.id]);
    }
    std::uint64_t select(std::uint64_t array, std::uint64_t) { return array; }
};

template <class D>
struct ConcreteKit {
    static constexpr bool arrays = false;  // the machine's memory and files stand outside
    static std::vector<Word> evaluate(const Case& c, const std::vector<Word>& leaves) {
        D domain;
        domain.values = &leaves;
        std::vector<Word> result;
        for (const auto value : isa::fold(c.program, domain)) result.push_back(value);
        return result;
    }
};

/// The operators on which a domain disagrees with the reference; only those asked about, if any are named.
template <class Kit>
std::set<Op> wrong(const std::set<Op>& about = {}) {
    static const std::vector<Case> all = cases();
    std::set<Op> result;
    for (const Case& c : all) {
        if ((!about.empty() && !about.contains(c.op)) || (c.arrays && !Kit::arrays) || result.contains(c.op)) continue;
        unsigned bits = 0;
        for (const Sort sort : c.leaves) bits += size(sort);
        for (Word combination = 0; combination < Word{1} << bits && !result.contains(c.op); ++combination) {
            std::vector<Word> leaves;
            std::vector<Reference::Bits> reference_leaves;
            unsigned at = 0;
            for (const Sort sort : c.leaves) {
                leaves.push_back(combination >> at & isa::ones(size(sort)));
                reference_leaves.push_back(Reference::of(size(sort), leaves.back()));
                at += size(sort);
            }
            Reference reference(reference_leaves);
            std::vector<Word> expected;
            for (const auto& value : isa::fold(c.program, reference)) expected.push_back(Reference::number(value));
            if (Kit::evaluate(c, leaves) != expected) result.insert(c.op);
        }
    }
    return result;
}

TEST(Domains, SymbolicEqualsReference) { EXPECT_EQ(wrong<SymbolicKit<Symbolic>>(), std::set<Op>{}); }

using Concrete = isa::Concrete<std::uint64_t, Leaves>;
TEST(Domains, ConcreteEqualsReference) { EXPECT_EQ(wrong<ConcreteKit<Concrete>>(), std::set<Op>{}); }

TEST(Domains, WideConstants) {
    z3::context context;
    for (const unsigned width : {63U, 64U, 65U, 127U, 128U})
        for (const Word value : {Word{0}, Word{1}, isa::ones(width), isa::ones(width) >> 1,
                                 (Word{0x0123456789abcdef} << 64 | 42) & isa::ones(width)})
            EXPECT_TRUE(number(Symbolic::literal(context, Sort::bits(width), value)) == value) << width;
}

// Mutants: a domain in which one operator has the meaning of a relative, for every operator there is.
// clang-format off
#define PARAMETERS_leaf(T)         (Sort sort, Word value)
#define PARAMETERS_unary_bool(T)   (T a)
#define PARAMETERS_binary_bool(T)  (T a, T b)
#define PARAMETERS_equality(T)     (T a, T b)
#define PARAMETERS_choice(T)       (T a, T b, T c)
#define PARAMETERS_unary_bits(T)   (T a, unsigned w)
#define PARAMETERS_binary_bits(T)  (T a, T b, unsigned w)
#define PARAMETERS_compare_bits(T) (T a, T b, unsigned w)
#define PARAMETERS_join(T)         (T a, T b, unsigned w, unsigned v)
#define PARAMETERS_part(T)         (T a, unsigned high, unsigned low)
#define PARAMETERS_widen(T)        (T a, unsigned from, unsigned to)
#define PARAMETERS_array_read(T)   (T a, T b)
#define PARAMETERS_array_write(T)  (T a, T b, T c)

#define POGO_MUTANTS(M) \
    M(constant, leaf, d.constant(sort, value ^ 1)) \
    M(not_, unary_bool, a) \
    M(and_, binary_bool, d.or_(a, b)) \
    M(or_, binary_bool, d.xor_(a, b)) \
    M(xor_, binary_bool, d.or_(a, b)) \
    M(eq, equality, d.not_(d.eq(a, b))) \
    M(ite, choice, d.ite(a, c, b)) \
    M(bvnot, unary_bits, d.bvneg(a, w)) \
    M(bvneg, unary_bits, d.bvnot(a, w)) \
    M(bvand, binary_bits, d.bvmul(a, b, w)) \
    M(bvor, binary_bits, d.bvxor(a, b, w)) \
    M(bvxor, binary_bits, d.bvadd(a, b, w)) \
    M(bvadd, binary_bits, d.bvor(a, b, w)) \
    M(bvsub, binary_bits, d.bvadd(a, b, w)) \
    M(bvmul, binary_bits, d.bvand(a, b, w)) \
    M(bvudiv, binary_bits, d.bvsdiv(a, b, w)) \
    M(bvurem, binary_bits, d.bvsrem(a, b, w)) \
    M(bvsdiv, binary_bits, d.bvudiv(a, b, w)) \
    M(bvsrem, binary_bits, d.bvurem(a, b, w)) \
    M(bvshl, binary_bits, d.bvlshr(a, b, w)) \
    M(bvlshr, binary_bits, d.bvashr(a, b, w)) \
    M(bvashr, binary_bits, d.bvlshr(a, b, w)) \
    M(bvult, compare_bits, d.bvule(a, b, w)) \
    M(bvule, compare_bits, d.bvsle(a, b, w)) \
    M(bvslt, compare_bits, d.bvult(a, b, w)) \
    M(bvsle, compare_bits, d.bvslt(a, b, w)) \
    M(concat, join, d.concat(b, a, v, w)) \
    M(extract, part, d.extract(a, high - low, 0)) \
    M(zero_extend, widen, d.sign_extend(a, from, to)) \
    M(sign_extend, widen, d.zero_extend(a, from, to))
#define POGO_ARRAY_MUTANTS(M) \
    M(select, array_read, (static_cast<void>(b), d.select(a, d.constant(Sort::bits(d.expression(b).get_sort().bv_size()), 0)))) \
    M(store, array_write, (static_cast<void>(b), static_cast<void>(c), a))
// clang-format on

TEST(Domains, MutantsOfSymbolicAreCaught) {
    std::set<Op> tried;
#define TRY(name, shape, meaning)                                              \
    {                                                                          \
        struct Mutant : Symbolic {                                             \
            using Symbolic::Symbolic;                                          \
            Value name PARAMETERS_##shape(Value) {                             \
                Symbolic& d = *this;                                           \
                static_cast<void>(d);                                          \
                return meaning;                                                \
            }                                                                  \
        };                                                                     \
        tried.insert(Op::name);                                                \
        EXPECT_EQ(wrong<SymbolicKit<Mutant>>({Op::name}), std::set{Op::name}); \
    }
    POGO_MUTANTS(TRY)
    POGO_ARRAY_MUTANTS(TRY)
#undef TRY
    tried.insert(Op::variable);  // not an operator of the domain's: the caller says what variables are
    EXPECT_EQ(tried.size(), operators().size());
}

TEST(Domains, MutantsOfConcreteAreCaught) {
    std::set<Op> tried;
#define TRY(name, shape, meaning)                                              \
    {                                                                          \
        struct Mutant : Concrete {                                             \
            Value name PARAMETERS_##shape(Value) {                             \
                Concrete& d = *this;                                           \
                static_cast<void>(d);                                          \
                return meaning;                                                \
            }                                                                  \
        };                                                                     \
        tried.insert(Op::name);                                                \
        EXPECT_EQ(wrong<ConcreteKit<Mutant>>({Op::name}), std::set{Op::name}); \
    }
    POGO_MUTANTS(TRY)
#undef TRY
    EXPECT_EQ(tried.size() + 3, operators().size());  // variable, select and store stand outside
}

}  // namespace
}  // namespace pogo::check
