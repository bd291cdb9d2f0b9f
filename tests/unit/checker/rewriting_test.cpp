// Rewritten terms against terms built as asked: equal by proof, on random terms of every operator.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "instance.hpp"
#include "symbolic.hpp"

namespace pogo::check {
namespace {

using isa::Op;
using isa::Shape;
using isa::Sort;
using isa::Term;
using isa::Terms;

/// Grows random terms without rewriting. Few variables and small constants, so that the rules have occasion.
class Garden {
  public:
    Garden(Terms& terms, unsigned seed) : terms_(&terms), random_(seed) {
        for (unsigned width = 1; width <= 4; ++width)
            for (const char* name : {"x", "y"}) keep(terms.variable(terms.declare(name, Sort::bits(width))));
        for (const char* name : {"p", "q"}) keep(terms.variable(terms.declare(name, Sort::boolean())));
        keep(terms.variable(terms.declare("m", Sort::array(2, 3))));
    }

    Term grow(std::set<Op>& used) {
        for (;;) {
            const Op op = static_cast<Op>(below(static_cast<unsigned>(Op::store) + 1));
            const Term a = any();
            const Sort s = terms_->sort(a);
            Term result;
            switch (isa::shape(op)) {
                case Shape::leaf:
                    if (s.is_bits()) result = terms_->constant(s.width, below(3) == 0 ? ~0U : below(16));
                    break;
                case Shape::unary_bool:
                    if (s.is_bool()) result = terms_->apply(op, a);
                    break;
                case Shape::binary_bool:
                    if (s.is_bool()) result = terms_->apply(op, a, like(s));
                    break;
                case Shape::equality:
                    result = terms_->apply(op, a, like(s));
                    break;
                case Shape::choice: {
                    const Term c = like(Sort::boolean());
                    result = terms_->apply(op, c, a, like(s));
                    break;
                }
                case Shape::unary_bits:
                    if (s.is_bits()) result = terms_->apply(op, a);
                    break;
                case Shape::binary_bits:
                case Shape::compare_bits:
                    if (s.is_bits()) result = terms_->apply(op, a, like(s));
                    break;
                case Shape::join: {
                    const Term b = any();
                    if (s.is_bits() && terms_->sort(b).is_bits() && s.width + terms_->sort(b).width <= 8)
                        result = terms_->concat(a, b);
                    break;
                }
                case Shape::part:
                    if (s.is_bits()) {
                        const unsigned high = below(s.width);
                        result = terms_->extract(a, high, below(high + 1));
                    }
                    break;
                case Shape::widen:
                    if (s.is_bits()) {
                        const unsigned to = s.width + below(4);
                        result = op == Op::zero_extend ? terms_->zero_extend(a, to) : terms_->sign_extend(a, to);
                    }
                    break;
                case Shape::array_read:
                    if (s.is_array()) result = terms_->select(a, like(Sort::bits(s.index)));
                    break;
                case Shape::array_write:
                    if (s.is_array()) {
                        const Term index = like(Sort::bits(s.index));
                        result = terms_->store(a, index, like(Sort::bits(s.width)));
                    }
                    break;
            }
            if (!result.valid()) continue;
            used.insert(op);
            keep(result);
            return result;
        }
    }

  private:
    unsigned below(unsigned limit) { return static_cast<unsigned>(random_()) % limit; }
    Term any() { return all_[below(2) == 0 ? below(static_cast<unsigned>(all_.size())) : recent()]; }
    unsigned recent() {
        const auto size = static_cast<unsigned>(all_.size());
        return size - 1 - below(std::min(size, 12U));
    }
    Term like(Sort sort) {
        for (unsigned tries = 0; tries < 40; ++tries)
            if (const Term term = any(); terms_->sort(term) == sort) return term;
        if (sort.is_bool()) return terms_->boolean(below(2) == 0);
        if (sort.is_bits()) return terms_->constant(sort.width, below(16));
        for (const Term term : all_)
            if (terms_->sort(term) == sort) return term;
        return {};
    }
    void keep(Term term) { all_.push_back(term); }

    Terms* terms_;
    std::mt19937 random_;
    std::vector<Term> all_;
};

TEST(Rewriting, KeepsTheMeaning) {
    constexpr unsigned seeds = 100;
    std::set<Op> used;
    unsigned changed = 0;
    for (unsigned seed = 0; seed < seeds; ++seed) {
        Terms plain(false);
        Garden garden(plain, seed);
        std::vector<Term> grown;
        for (unsigned i = 0; i < 50; ++i) grown.push_back(garden.grow(used));

        Terms rewritten;
        Instance instance(plain, rewritten);
        for (std::uint32_t i = 0; i < plain.variable_count(); ++i)
            instance.bind(
                {i}, rewritten.variable(rewritten.declare(plain.name(isa::Variable{i}), plain.sort(isa::Variable{i}))));
        std::vector<Term> simple;
        simple.reserve(grown.size());
        for (const Term term : grown) simple.push_back(instance(term));
        changed += rewritten.size() < plain.size();

        z3::context context;
        const auto leaf = [&](isa::Variable variable, Sort sort) {
            return context.constant(context.int_symbol(static_cast<int>(variable.id)), Symbolic::sort(context, sort));
        };
        Symbolic one(context, leaf);
        Symbolic two(context, leaf);
        const auto before = isa::fold(isa::compile(plain, grown), one);
        const auto after = isa::fold(isa::compile(rewritten, simple), two);
        z3::solver solver(context);
        z3::expr_vector differences(context);
        for (std::size_t i = 0; i < grown.size(); ++i)
            differences.push_back(one.expression(before[i]) != two.expression(after[i]));
        solver.add(z3::mk_or(differences));
        EXPECT_EQ(solver.check(), z3::unsat) << "seed " << seed;
    }
    EXPECT_EQ(used.size(), static_cast<std::size_t>(Op::store) + 1);
    EXPECT_GT(changed, seeds * 9 / 10);
}

}  // namespace
}  // namespace pogo::check
