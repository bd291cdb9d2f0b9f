// The reference domain: operators bit by bit, slow and obvious. It folds constants while terms are built and is what
// tests hold the other domains against.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "isa/term.hpp"

namespace pogo::isa {

/// Values are lists of bits, lowest first; Bool is one bit. Arrays are the concatenation of their elements,
/// element 0 lowest. `leaves` gives the values of variables by number.
class Reference {
  public:
    using Bits = std::vector<bool>;
    using Value = Bits;

    explicit Reference(std::vector<Bits> leaves = {}) : leaves_(std::move(leaves)) {}

    [[nodiscard]] static Bits of(unsigned width, Word value);
    [[nodiscard]] static Word number(const Bits& bits);

    Bits constant(Sort sort, Word value) { return of(sort.width, value); }
    Bits variable(Variable variable, Sort) { return leaves_.at(variable.id); }

    Bits not_(const Bits& a);
    Bits and_(const Bits& a, const Bits& b);
    Bits or_(const Bits& a, const Bits& b);
    Bits xor_(const Bits& a, const Bits& b);
    Bits eq(const Bits& a, const Bits& b);
    Bits ite(const Bits& c, const Bits& a, const Bits& b);
    Bits bvnot(const Bits& a, unsigned w);
    Bits bvneg(const Bits& a, unsigned w);
    Bits bvand(const Bits& a, const Bits& b, unsigned w);
    Bits bvor(const Bits& a, const Bits& b, unsigned w);
    Bits bvxor(const Bits& a, const Bits& b, unsigned w);
    Bits bvadd(const Bits& a, const Bits& b, unsigned w);
    Bits bvsub(const Bits& a, const Bits& b, unsigned w);
    Bits bvmul(const Bits& a, const Bits& b, unsigned w);
    Bits bvudiv(const Bits& a, const Bits& b, unsigned w);
    Bits bvurem(const Bits& a, const Bits& b, unsigned w);
    Bits bvsdiv(const Bits& a, const Bits& b, unsigned w);
    Bits bvsrem(const Bits& a, const Bits& b, unsigned w);
    Bits bvshl(const Bits& a, const Bits& b, unsigned w);
    Bits bvlshr(const Bits& a, const Bits& b, unsigned w);
    Bits bvashr(const Bits& a, const Bits& b, unsigned w);
    Bits bvult(const Bits& a, const Bits& b, unsigned w);
    Bits bvule(const Bits& a, const Bits& b, unsigned w);
    Bits bvslt(const Bits& a, const Bits& b, unsigned w);
    Bits bvsle(const Bits& a, const Bits& b, unsigned w);
    Bits concat(const Bits& a, const Bits& b, unsigned wa, unsigned wb);
    Bits extract(const Bits& a, unsigned high, unsigned low);
    Bits zero_extend(const Bits& a, unsigned from, unsigned to);
    Bits sign_extend(const Bits& a, unsigned from, unsigned to);
    Bits select(const Bits& array, const Bits& index);
    Bits store(const Bits& array, const Bits& index, const Bits& value);

  private:
    std::vector<Bits> leaves_;
};

}  // namespace pogo::isa
