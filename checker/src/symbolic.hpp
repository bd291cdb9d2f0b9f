// The symbolic domain: operators as Z3 expressions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <z3++.h>

#include <array>
#include <functional>
#include <vector>

#include "isa/fold.hpp"
#include "isa/term.hpp"

namespace pogo::check {

/// Values are expressions of one context, kept alive by the domain. Z3 calls each operator by its SMT-LIB name, so the
/// table of operators writes the domain: an operator that Z3 does not know does not compile.
class Symbolic {
  public:
    struct Value {
        Z3_ast ast = nullptr;
    };
    using Leaf = std::function<z3::expr(isa::Variable, isa::Sort)>;

    explicit Symbolic(z3::context& context, Leaf leaf) : context_(&context), leaf_(std::move(leaf)) {}

    Value constant(isa::Sort sort, isa::Word value) { return keep(literal(*context_, sort, value)); }
    Value variable(isa::Variable variable, isa::Sort sort) { return keep(leaf_(variable, sort)); }

    Value not_(Value a) { return keep(Z3_mk_not(*context_, a.ast)); }
    Value and_(Value a, Value b) { return keep(pair(Z3_mk_and, a, b)); }
    Value or_(Value a, Value b) { return keep(pair(Z3_mk_or, a, b)); }
    Value xor_(Value a, Value b) { return keep(Z3_mk_xor(*context_, a.ast, b.ast)); }

// clang-format off
#define POGO_Z3_leaf(name)
#define POGO_Z3_unary_bool(name)
#define POGO_Z3_binary_bool(name)
#define POGO_Z3_equality(name)     Value name(Value a, Value b) { return keep(Z3_mk_##name(*context_, a.ast, b.ast)); }
#define POGO_Z3_choice(name)       Value name(Value c, Value a, Value b) { return keep(Z3_mk_##name(*context_, c.ast, a.ast, b.ast)); }
#define POGO_Z3_unary_bits(name)   Value name(Value a, unsigned) { return keep(Z3_mk_##name(*context_, a.ast)); }
#define POGO_Z3_binary_bits(name)  Value name(Value a, Value b, unsigned) { return keep(Z3_mk_##name(*context_, a.ast, b.ast)); }
#define POGO_Z3_compare_bits(name) POGO_Z3_binary_bits(name)
#define POGO_Z3_join(name)         Value name(Value a, Value b, unsigned, unsigned) { return keep(Z3_mk_##name(*context_, a.ast, b.ast)); }
#define POGO_Z3_part(name)         Value name(Value a, unsigned high, unsigned low) { return keep(Z3_mk_##name(*context_, high, low, a.ast)); }
#define POGO_Z3_widen(name)
#define POGO_Z3_array_read(name)   POGO_Z3_equality(name)
#define POGO_Z3_array_write(name)  POGO_Z3_choice(name)
#define X(name, smt, shape) POGO_Z3_##shape(name)
#include "isa/operators.def"
    // clang-format on

    Value zero_extend(Value a, unsigned from, unsigned to) { return keep(Z3_mk_zero_ext(*context_, to - from, a.ast)); }
    Value sign_extend(Value a, unsigned from, unsigned to) { return keep(Z3_mk_sign_ext(*context_, to - from, a.ast)); }

    [[nodiscard]] z3::expr expression(Value value) const { return {*context_, value.ast}; }
    [[nodiscard]] static z3::sort sort(z3::context& context, isa::Sort sort);
    [[nodiscard]] static z3::expr literal(z3::context& context, isa::Sort sort, isa::Word value);

  private:
    template <class Function>
    Z3_ast pair(Function function, Value a, Value b) {
        const std::array<Z3_ast, 2> operands = {a.ast, b.ast};
        return function(*context_, operands.size(), operands.data());
    }
    Value keep(const z3::expr& expression) {
        kept_.push_back(expression);
        return {expression};
    }
    Value keep(Z3_ast ast) {
        context_->check_error();
        return keep(z3::expr(*context_, ast));
    }

    z3::context* context_;
    Leaf leaf_;
    std::vector<z3::expr> kept_;
};
static_assert(isa::Domain<Symbolic>);

/// The value of a numeral; Bool is 0 or 1.
[[nodiscard]] isa::Word number(const z3::expr& numeral);

}  // namespace pogo::check
