// The concrete domain: operators on machine words, as the CPU model computes them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>

#include "isa/term.hpp"

namespace pogo::isa {

/// Values are unsigned integers `T` (std::uint64_t when no term is wider than 64 bits, else Word) whose bits above
/// the width are zero; Bool is 0 or 1. `Leaves` supplies `T variable(Variable, Sort)` and `T select(T array, T index)`;
/// the value of an array is whatever its `variable` returns. There is no concrete store: meanings contain none.
template <class T, class Leaves>
class Concrete : public Leaves {
    static constexpr unsigned bits = sizeof(T) * 8;
    static constexpr T mask(unsigned w) { return w >= bits ? ~T{0} : (T{1} << w) - 1; }
    static constexpr bool negative(T a, unsigned w) { return ((a >> (w - 1)) & 1) != 0; }
    static constexpr T magnitude(T a, unsigned w) { return negative(a, w) ? (T{0} - a) & mask(w) : a; }
    static constexpr T flip(T a, unsigned w) { return a ^ (T{1} << (w - 1)); }

  public:
    using Value = T;
    using Leaves::Leaves;

    T constant(Sort, Word value) { return static_cast<T>(value); }

    T not_(T a) { return a ^ 1; }
    T and_(T a, T b) { return a & b; }
    T or_(T a, T b) { return a | b; }
    T xor_(T a, T b) { return a ^ b; }
    T eq(T a, T b) { return a == b; }
    T ite(T c, T a, T b) { return c != 0 ? a : b; }

    T bvnot(T a, unsigned w) { return ~a & mask(w); }
    T bvneg(T a, unsigned w) { return (T{0} - a) & mask(w); }
    T bvand(T a, T b, unsigned) { return a & b; }
    T bvor(T a, T b, unsigned) { return a | b; }
    T bvxor(T a, T b, unsigned) { return a ^ b; }
    T bvadd(T a, T b, unsigned w) { return (a + b) & mask(w); }
    T bvsub(T a, T b, unsigned w) { return (a - b) & mask(w); }
    T bvmul(T a, T b, unsigned w) { return (a * b) & mask(w); }
    T bvudiv(T a, T b, unsigned w) { return b == 0 ? mask(w) : a / b; }
    T bvurem(T a, T b, unsigned) { return b == 0 ? a : a % b; }
    T bvsdiv(T a, T b, unsigned w) {
        const T quotient = bvudiv(magnitude(a, w), magnitude(b, w), w);
        return negative(a, w) != negative(b, w) ? bvneg(quotient, w) : quotient;
    }
    T bvsrem(T a, T b, unsigned w) {
        const T remainder = bvurem(magnitude(a, w), magnitude(b, w), w);
        return negative(a, w) ? bvneg(remainder, w) : remainder;
    }
    T bvshl(T a, T b, unsigned w) { return b >= w ? 0 : (a << b) & mask(w); }
    T bvlshr(T a, T b, unsigned w) { return b >= w ? 0 : a >> b; }
    T bvashr(T a, T b, unsigned w) {
        const T fill = negative(a, w) ? mask(w) : T{0};
        return b >= w ? fill : ((a >> b) | (fill & ~(mask(w) >> b)));
    }
    T bvult(T a, T b, unsigned) { return a < b; }
    T bvule(T a, T b, unsigned) { return a <= b; }
    T bvslt(T a, T b, unsigned w) { return flip(a, w) < flip(b, w); }
    T bvsle(T a, T b, unsigned w) { return flip(a, w) <= flip(b, w); }
    T concat(T a, T b, unsigned, unsigned wb) { return (a << wb) | b; }
    T extract(T a, unsigned high, unsigned low) { return (a >> low) & mask(high - low + 1); }
    T zero_extend(T a, unsigned, unsigned) { return a; }
    T sign_extend(T a, unsigned from, unsigned to) { return negative(a, from) ? a | (mask(to) & ~mask(from)) : a; }
    T store(T array, T, T) { return array; }
};

}  // namespace pogo::isa
