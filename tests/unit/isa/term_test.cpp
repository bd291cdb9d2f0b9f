// Terms: the concrete domain against the reference, rewriting against unrewritten terms, substitution.
// SPDX-License-Identifier: Apache-2.0
#include "isa/term.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
#include "isa/reference.hpp"

namespace pogo::isa {
namespace {

template <class T>
struct Values {
    std::vector<T> values;
    T variable(Variable v, Sort) { return values.at(v.id); }
    T select(T, T) { return 0; }
};

static_assert(Domain<Concrete<std::uint64_t, Values<std::uint64_t>>>);
static_assert(Domain<Concrete<Word, Values<Word>>>);

// A domain that forgets one operator is none.
struct Lacking : Concrete<std::uint64_t, Values<std::uint64_t>> {
    void bvsrem(std::uint64_t, std::uint64_t, unsigned) = delete;
};
static_assert(!Domain<Lacking>);

constexpr std::array operators = {
#define X(name, smt, shape) Op::name,
#include "isa/operators.def"
};

// One operator over variables of the given widths, without rewriting.
struct Sample {
    Terms terms{false};
    std::vector<Variable> variables;
    Term term;
    Variable declare(Sort sort) {
        variables.push_back(terms.declare("v", sort));
        return variables.back();
    }
    Term bits(unsigned w) { return terms.variable(declare(Sort::bits(w))); }
    Term flag() { return terms.variable(declare(Sort::boolean())); }
};

// All ways to apply an operator to operands of width w (and w2 where a second width is free).
std::vector<Sample> samples(Op op, unsigned w, unsigned w2) {
    std::vector<Sample> list;
    const auto add = [&](auto&& make) {
        Sample s;
        s.term = make(s);
        list.push_back(std::move(s));
    };
    switch (shape(op)) {
        case Shape::leaf:
        case Shape::array_read:
        case Shape::array_write:
            break;
        case Shape::unary_bool:
            add([&](Sample& s) { return s.terms.apply(op, s.flag()); });
            break;
        case Shape::binary_bool:
            add([&](Sample& s) {
                const Term a = s.flag();
                return s.terms.apply(op, a, s.flag());
            });
            break;
        case Shape::equality:
            add([&](Sample& s) {
                const Term a = s.bits(w);
                return s.terms.apply(op, a, s.bits(w));
            });
            add([&](Sample& s) {
                const Term a = s.flag();
                return s.terms.apply(op, a, s.flag());
            });
            break;
        case Shape::choice:
            add([&](Sample& s) {
                const Term c = s.flag();
                const Term a = s.bits(w);
                return s.terms.ite(c, a, s.bits(w));
            });
            break;
        case Shape::unary_bits:
            add([&](Sample& s) { return s.terms.apply(op, s.bits(w)); });
            break;
        case Shape::binary_bits:
        case Shape::compare_bits:
            add([&](Sample& s) {
                const Term a = s.bits(w);
                return s.terms.apply(op, a, s.bits(w));
            });
            break;
        case Shape::join:
            add([&](Sample& s) {
                const Term a = s.bits(w);
                return s.terms.concat(a, s.bits(w2));
            });
            break;
        case Shape::part:
            for (unsigned low = 0; low < w; ++low)
                for (unsigned high = low; high < w; ++high)
                    add([&](Sample& s) { return s.terms.extract(s.bits(w), high, low); });
            break;
        case Shape::widen:
            add([&](Sample& s) {
                const Term a = s.bits(w);
                return op == Op::zero_extend ? s.terms.zero_extend(a, w + w2) : s.terms.sign_extend(a, w + w2);
            });
            break;
    }
    return list;
}

// Calls f with every assignment of the sample's variables.
template <class F>
void every_assignment(const Sample& sample, F&& f) {
    unsigned total = 0;
    for (const Variable v : sample.variables) total += sample.terms.sort(v).width;
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << total); ++bits) {
        std::vector<Word> values;
        unsigned at = 0;
        for (const Variable v : sample.variables) {
            const unsigned width = sample.terms.sort(v).width;
            values.push_back(bits >> at & static_cast<std::uint64_t>(ones(width)));
            at += width;
        }
        f(values);
    }
}

template <class T>
void concrete_equals_reference(Op op, unsigned w, unsigned w2) {
    for (const Sample& sample : samples(op, w, w2)) {
        const Program program = compile(sample.terms, std::span(&sample.term, 1));
        every_assignment(sample, [&](const std::vector<Word>& values) {
            std::vector<Reference::Bits> bits;
            Concrete<T, Values<T>> concrete;
            for (std::size_t i = 0; i < values.size(); ++i) {
                bits.push_back(Reference::of(sample.terms.sort(sample.variables[i]).width, values[i]));
                concrete.values.push_back(static_cast<T>(values[i]));
            }
            Reference reference(bits);
            const Word expected = Reference::number(fold(program, reference)[0]);
            ASSERT_EQ(static_cast<std::uint64_t>(fold(program, concrete)[0]), static_cast<std::uint64_t>(expected))
                << smt_name(op) << " at width " << w;
        });
    }
}

TEST(Concrete, EqualsReferenceForAllSmallWidths) {
    for (const Op op : operators) {
        for (unsigned w = 1; w <= 4; ++w) {
            for (unsigned w2 = 1; w2 <= 2; ++w2) {
                concrete_equals_reference<std::uint64_t>(op, w, w2);
                concrete_equals_reference<Word>(op, w, w2);
            }
        }
    }
}

// The widths at which machine words end are where a concrete operator would go wrong next.
TEST(Concrete, EqualsReferenceAtTheEndsOfMachineWords) {
    std::mt19937_64 random(7);
    const auto check = [&]<class T>(Op op, unsigned w, T) {
        for (const Sample& sample : samples(op, w, 1)) {
            if (sample.terms.sort(sample.term).width > sizeof(T) * 8) continue;
            const Program program = compile(sample.terms, std::span(&sample.term, 1));
            for (unsigned n = 0; n < 60; ++n) {
                std::vector<Reference::Bits> bits;
                Concrete<T, Values<T>> concrete;
                for (const Variable v : sample.variables) {
                    const unsigned width = sample.terms.sort(v).width;
                    Word value = (static_cast<Word>(random()) << 64 | random());
                    if (n % 3 == 1) value = random() % (width + 2);  // shift amounts around the width
                    if (n % 5 == 2) value = Word{1} << (width - 1);
                    value &= ones(width);
                    bits.push_back(Reference::of(width, value));
                    concrete.values.push_back(static_cast<T>(value));
                }
                Reference reference(bits);
                ASSERT_TRUE(fold(program, concrete)[0] ==
                            static_cast<T>(Reference::number(fold(program, reference)[0])))
                    << smt_name(op) << " at width " << w;
            }
        }
    };
    for (const Op op : operators) {
        if (shape(op) == Shape::part) continue;
        for (const unsigned w : {31U, 32U, 33U, 63U, 64U}) check(op, w, std::uint64_t{});
        for (const unsigned w : {64U, 65U, 127U, 128U}) {
            if (shape(op) == Shape::join || shape(op) == Shape::widen) continue;
            check(op, w, Word{});
        }
    }
}

TEST(Reference, DividesByZeroAsSmtLibSays) {
    Reference r;
    // SMT-LIB 2.6, FixedSizeBitVectors: bvudiv by zero is all ones, bvurem by zero is the dividend.
    EXPECT_EQ(Reference::number(r.bvudiv(Reference::of(4, 5), Reference::of(4, 0), 4)), 15U);
    EXPECT_EQ(Reference::number(r.bvurem(Reference::of(4, 5), Reference::of(4, 0), 4)), 5U);
    EXPECT_EQ(Reference::number(r.bvsdiv(Reference::of(4, 8), Reference::of(4, 15), 4)), 8U);  // -8 / -1 wraps
    EXPECT_EQ(Reference::number(r.bvsrem(Reference::of(4, 9), Reference::of(4, 2), 4)), 15U);  // sign of the dividend
}

// Builds the same random term twice, with and without rewriting, and compares all values.
class RandomTerm {
  public:
    RandomTerm(std::uint64_t seed, bool rewrite) : random_(seed), terms_(rewrite) {
        for (unsigned w = 1; w <= 3; ++w)
            for (unsigned i = 0; i < 2; ++i) variables_.push_back(terms_.declare("v", Sort::bits(w)));
        variables_.push_back(terms_.declare("p", Sort::boolean()));
        variables_.push_back(terms_.declare("q", Sort::boolean()));
    }
    Terms& terms() { return terms_; }
    [[nodiscard]] const std::vector<Variable>& variables() const { return variables_; }
    Term make(Sort sort, unsigned depth) {
        const auto pick = static_cast<unsigned>(random_() % 16);
        if (depth == 0 || pick < 2) return leaf(sort);
        if (sort.is_bool()) return make_bool(pick, depth - 1);
        const unsigned w = sort.width;
        const auto sub = [&] { return make(sort, depth - 1); };
        static constexpr std::array binary = {Op::bvand, Op::bvor,   Op::bvxor,  Op::bvadd,  Op::bvsub,
                                              Op::bvmul, Op::bvudiv, Op::bvurem, Op::bvsdiv, Op::bvsrem,
                                              Op::bvshl, Op::bvlshr, Op::bvashr};
        switch (pick) {
            case 2:
                return terms_.apply(Op::bvnot, sub());
            case 3:
                return terms_.apply(Op::bvneg, sub());
            case 4:
            case 5: {
                const Term c = make(Sort::boolean(), depth - 1);
                const Term a = sub();
                return terms_.ite(c, a, sub());
            }
            case 6:
                if (w > 1) {
                    const unsigned low = 1 + static_cast<unsigned>(random_() % (w - 1));
                    const Term a = make(Sort::bits(w - low), depth - 1);
                    return terms_.concat(a, make(Sort::bits(low), depth - 1));
                }
                [[fallthrough]];
            case 7: {
                const unsigned from = w + static_cast<unsigned>(random_() % 3);
                const auto low = static_cast<unsigned>(random_() % (from - w + 1));
                return terms_.extract(make(Sort::bits(from), depth - 1), low + w - 1, low);
            }
            case 8:
            case 9: {
                const unsigned from = 1 + static_cast<unsigned>(random_() % w);
                const Term a = make(Sort::bits(from), depth - 1);
                return pick == 8 ? terms_.zero_extend(a, w) : terms_.sign_extend(a, w);
            }
            default: {
                const Op op = binary[random_() % std::size(binary)];
                const Term a = sub();
                return terms_.apply(op, a, sub());
            }
        }
    }

  private:
    Term leaf(Sort sort) {
        if (random_() % 3 == 0) {
            const Word value = random_() & static_cast<std::uint64_t>(ones(sort.width));
            return sort.is_bool() ? terms_.boolean(value != 0) : terms_.constant(sort.width, value);
        }
        const auto which = static_cast<unsigned>(random_() % 2);
        if (sort.is_bool()) return terms_.variable(variables_[6 + which]);
        if (sort.width <= 3) return terms_.variable(variables_[(sort.width - 1) * 2 + which]);
        return terms_.zero_extend(terms_.variable(variables_[4 + which]), sort.width);
    }
    Term make_bool(unsigned pick, unsigned depth) {
        const auto flag = [&] { return make(Sort::boolean(), depth); };
        if (pick < 4) return terms_.not_(flag());
        if (pick < 9) {
            static constexpr std::array binary = {Op::and_, Op::or_, Op::xor_, Op::eq, Op::and_};
            const Term a = flag();
            return terms_.apply(binary[pick - 4], a, flag());
        }
        if (pick < 11) {
            const Term c = flag();
            const Term a = flag();
            return terms_.ite(c, a, flag());
        }
        static constexpr std::array compare = {Op::eq, Op::bvult, Op::bvule, Op::bvslt, Op::bvsle};
        const Sort sort = Sort::bits(1 + static_cast<unsigned>(random_() % 4));
        const Term a = make(sort, depth);
        return terms_.apply(compare[pick - 11], a, make(sort, depth));
    }
    std::mt19937_64 random_;
    Terms terms_;
    std::vector<Variable> variables_;
};

TEST(Rewriting, KeepsTheValueOfRandomTerms) {
    std::mt19937_64 random(3);
    for (std::uint64_t seed = 0; seed < 6000; ++seed) {
        RandomTerm plain(seed, false);
        RandomTerm rewritten(seed, true);
        const Sort sort = seed % 4 == 0 ? Sort::boolean() : Sort::bits(1 + static_cast<unsigned>(seed % 4));
        const unsigned depth = 2 + static_cast<unsigned>(seed % 4);
        const Term a = plain.make(sort, depth);
        const Term b = rewritten.make(sort, depth);
        const Program left = compile(plain.terms(), std::span(&a, 1));
        const Program right = compile(rewritten.terms(), std::span(&b, 1));
        for (unsigned n = 0; n < 24; ++n) {
            std::vector<Reference::Bits> values;
            for (const Variable v : plain.variables())
                values.push_back(Reference::of(plain.terms().sort(v).width, random()));
            Reference reference(values);
            ASSERT_EQ(Reference::number(fold(left, reference)[0]) == Reference::number(fold(right, reference)[0]), true)
                << "seed " << seed << "\n"
                << plain.terms().print(a) << "\n"
                << rewritten.terms().print(b);
        }
    }
}

TEST(Rewriting, SharesEqualTerms) {
    Terms t;
    const Term x = t.variable(t.declare("x", Sort::bits(8)));
    const Term y = t.variable(t.declare("y", Sort::bits(8)));
    EXPECT_EQ(t.apply(Op::bvadd, x, y), t.apply(Op::bvadd, y, x));
    EXPECT_EQ(t.extract(t.concat(x, y), 7, 0), y);
    EXPECT_EQ(t.extract(t.concat(x, y), 15, 8), x);
    EXPECT_TRUE(t.is_true(t.eq(x, x)));
    EXPECT_EQ(t.to_bits(t.to_bool(t.extract(x, 0, 0))), t.extract(x, 0, 0));
}

TEST(Terms, SubstituteRebuildsAndRewrites) {
    Terms t;
    const Term x = t.variable(t.declare("x", Sort::bits(8)));
    const Term y = t.variable(t.declare("y", Sort::bits(8)));
    const Term sum = t.apply(Op::bvadd, x, t.apply(Op::bvmul, y, x));
    EXPECT_EQ(t.substitute(sum, {{y, t.constant(8, 0)}}), x);
    EXPECT_EQ(t.substitute(sum, {{x, y}, {y, x}}), t.apply(Op::bvadd, y, t.apply(Op::bvmul, x, y)));
}

TEST(Terms, PropagateKnowsWhatConjunctsSay) {
    Terms t;
    const Term x = t.variable(t.declare("x", Sort::bits(8)));
    const Term y = t.variable(t.declare("y", Sort::bits(8)));
    const Term z = t.variable(t.declare("z", Sort::bits(1)));
    const Term p = t.variable(t.declare("p", Sort::boolean()));
    const Term zero = t.eq(x, t.constant(8, 0));
    const Term less = t.apply(Op::bvult, y, t.ite(zero, t.constant(8, 7), x));
    const Term one = t.eq(z, t.constant(1, 1));
    EXPECT_EQ(t.propagate(t.and_(less, zero)), t.and_(zero, t.apply(Op::bvult, y, t.constant(8, 7))));
    // What is known of one leads to another, and none is forgotten.
    EXPECT_EQ(t.propagate(t.and_(t.or_(p, zero), t.not_(t.or_(p, one)))),
              t.all(std::array{t.not_(p), t.not_(one), zero}));
    EXPECT_TRUE(t.is_false(t.propagate(t.and_(zero, t.eq(x, t.constant(8, 1))))));
    EXPECT_EQ(t.propagate(t.or_(less, zero)), t.or_(less, zero));
}

TEST(Terms, TakesAConjunctionApart) {
    Terms t;
    const auto variable = [&](const char* name) { return t.variable(t.declare(name, Sort::boolean())); };
    const Term p = variable("p");
    const Term q = variable("q");
    const Term r = variable("r");
    using ::testing::UnorderedElementsAre;
    EXPECT_THAT(t.conjuncts(t.and_(p, t.not_(t.or_(q, t.not_(t.and_(r, p)))))), UnorderedElementsAre(p, t.not_(q), r));
    EXPECT_THAT(t.conjuncts(t.or_(p, q)), UnorderedElementsAre(t.or_(p, q)));
    EXPECT_THAT(t.conjuncts(t.not_(p)), UnorderedElementsAre(t.not_(p)));
}

TEST(Terms, KnowsThatABitIsOneOfTwo) {
    Terms t;
    const Term x = t.variable(t.declare("x", Sort::bits(1)));
    const Term zero = t.eq(x, t.constant(1, 0));
    const Term one = t.eq(x, t.constant(1, 1));
    EXPECT_EQ(zero, t.not_(one));
    EXPECT_EQ(t.and_(zero, t.not_(one)), zero);
    EXPECT_TRUE(t.is_false(t.and_(zero, one)));
    EXPECT_TRUE(t.is_true(t.or_(zero, one)));
}

TEST(Terms, KnowsHowLargeAnExtendedValueIs) {
    Terms t;
    const Term x = t.apply(Op::concat, t.constant(4, 0), t.variable(t.declare("x", Sort::bits(4))));
    EXPECT_EQ(t.apply(Op::bvule, t.constant(8, 16), x), t.boolean(false));
    EXPECT_EQ(t.apply(Op::bvult, t.constant(8, 15), x), t.boolean(false));
    EXPECT_EQ(t.apply(Op::bvule, x, t.constant(8, 15)), t.boolean(true));
    EXPECT_EQ(t.apply(Op::bvult, x, t.constant(8, 16)), t.boolean(true));
    EXPECT_FALSE(t.is_constant(t.apply(Op::bvult, x, t.constant(8, 15))));
    const Term sum = t.apply(Op::bvadd, x, t.constant(8, 3));
    EXPECT_EQ(t.apply(Op::bvule, t.constant(8, 19), sum), t.boolean(false));
    EXPECT_FALSE(t.is_constant(t.apply(Op::bvule, t.constant(8, 18), sum)));
}

TEST(Terms, PrintsSmtLib) {
    Terms t;
    const Term x = t.variable(t.declare("sr.S", Sort::bits(1)));
    EXPECT_EQ(t.print(t.eq(x, t.constant(1, 1))), "(= |sr.S| #b1)");
    const Term sum = t.apply(Op::bvadd, t.zero_extend(x, 8), t.constant(8, 0x1F));
    EXPECT_EQ(t.print(t.apply(Op::bvmul, sum, sum)),
              "(let ((?1 (bvadd #x1f ((_ zero_extend 7) |sr.S|)))) (bvmul ?1 ?1))");
}

}  // namespace
}  // namespace pogo::isa
