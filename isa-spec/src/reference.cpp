// The reference domain.
// SPDX-License-Identifier: Apache-2.0
#include "isa/reference.hpp"

#include <functional>

#include "isa/fold.hpp"

namespace pogo::isa {

static_assert(Domain<Reference>);

using Bits = Reference::Bits;

namespace {

Bits bitwise(const Bits& a, const Bits& b, const std::function<bool(bool, bool)>& f) {
    Bits result(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) result[i] = f(a[i], b[i]);
    return result;
}

// The schoolbook adder: one full adder a bit.
Bits add(const Bits& a, const Bits& b, bool carry) {
    Bits result(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        const int sum = a[i] + b[i] + carry;
        result[i] = sum % 2 == 1;
        carry = sum >= 2;
    }
    return result;
}

Bits complement(const Bits& a) {
    Bits result(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) result[i] = !a[i];
    return result;
}

Bits negate(const Bits& a) { return add(complement(a), Bits(a.size(), false), true); }
Bits subtract(const Bits& a, const Bits& b) { return add(a, complement(b), true); }

bool less(const Bits& a, const Bits& b) {
    for (std::size_t i = a.size(); i-- > 0;)
        if (a[i] != b[i]) return b[i];
    return false;
}

Bits shift_left_one(const Bits& a, bool in) {
    Bits result(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) result[i] = i == 0 ? in : a[i - 1];
    return result;
}

Bits magnitude(const Bits& a) { return a.back() ? negate(a) : a; }

// Restoring division; the quotient by zero comes out as all ones and the remainder as the dividend.
struct Division {
    Bits quotient;
    Bits remainder;
};
Division divide(const Bits& a, const Bits& b) {
    // One bit more than the operands, so that the partial remainder never overflows.
    Bits wide = b;
    wide.push_back(false);
    Bits remainder(wide.size(), false);
    Bits quotient(a.size(), false);
    for (std::size_t i = a.size(); i-- > 0;) {
        remainder = shift_left_one(remainder, a[i]);
        if (!less(remainder, wide)) {
            remainder = subtract(remainder, wide);
            quotient[i] = true;
        }
    }
    remainder.resize(a.size());
    return {quotient, remainder};
}

}  // namespace

Bits Reference::of(unsigned width, Word value) {
    Bits bits(width);
    for (unsigned i = 0; i < width; ++i) bits[i] = ((value >> i) & 1) != 0;
    return bits;
}

Word Reference::number(const Bits& bits) {
    Word value = 0;
    for (std::size_t i = bits.size(); i-- > 0;) value = value * 2 + (bits[i] ? 1 : 0);
    return value;
}

Bits Reference::not_(const Bits& a) { return {!a[0]}; }
Bits Reference::and_(const Bits& a, const Bits& b) { return {a[0] && b[0]}; }
Bits Reference::or_(const Bits& a, const Bits& b) { return {a[0] || b[0]}; }
Bits Reference::xor_(const Bits& a, const Bits& b) { return {a[0] != b[0]}; }
Bits Reference::eq(const Bits& a, const Bits& b) { return {a == b}; }
Bits Reference::ite(const Bits& c, const Bits& a, const Bits& b) { return c[0] ? a : b; }
Bits Reference::bvnot(const Bits& a, unsigned) { return complement(a); }
Bits Reference::bvneg(const Bits& a, unsigned) { return negate(a); }
Bits Reference::bvand(const Bits& a, const Bits& b, unsigned) {
    return bitwise(a, b, [](bool x, bool y) { return x && y; });
}
Bits Reference::bvor(const Bits& a, const Bits& b, unsigned) {
    return bitwise(a, b, [](bool x, bool y) { return x || y; });
}
Bits Reference::bvxor(const Bits& a, const Bits& b, unsigned) {
    return bitwise(a, b, [](bool x, bool y) { return x != y; });
}
Bits Reference::bvadd(const Bits& a, const Bits& b, unsigned) { return add(a, b, false); }
Bits Reference::bvsub(const Bits& a, const Bits& b, unsigned) { return subtract(a, b); }
Bits Reference::bvmul(const Bits& a, const Bits& b, unsigned w) {
    Bits result(w, false);
    for (unsigned i = w; i-- > 0;) {
        result = shift_left_one(result, false);
        if (b[i]) result = add(result, a, false);
    }
    return result;
}
Bits Reference::bvudiv(const Bits& a, const Bits& b, unsigned) { return divide(a, b).quotient; }
Bits Reference::bvurem(const Bits& a, const Bits& b, unsigned) { return divide(a, b).remainder; }
Bits Reference::bvsdiv(const Bits& a, const Bits& b, unsigned) {
    const Bits quotient = divide(magnitude(a), magnitude(b)).quotient;
    return a.back() != b.back() ? negate(quotient) : quotient;
}
Bits Reference::bvsrem(const Bits& a, const Bits& b, unsigned) {
    const Bits remainder = divide(magnitude(a), magnitude(b)).remainder;
    return a.back() ? negate(remainder) : remainder;
}
Bits Reference::bvshl(const Bits& a, const Bits& b, unsigned w) {
    const Word by = number(b);
    Bits result(w, false);
    for (unsigned i = 0; i < w; ++i)
        if (i >= by) result[i] = a[i - static_cast<unsigned>(by)];
    return result;
}
Bits Reference::bvlshr(const Bits& a, const Bits& b, unsigned w) {
    const Word by = number(b);
    Bits result(w, false);
    for (unsigned i = 0; i < w; ++i)
        if (by < w - i) result[i] = a[i + static_cast<unsigned>(by)];
    return result;
}
Bits Reference::bvashr(const Bits& a, const Bits& b, unsigned w) {
    const Word by = number(b);
    Bits result(w, a.back());
    for (unsigned i = 0; i < w; ++i)
        if (by < w - i) result[i] = a[i + static_cast<unsigned>(by)];
    return result;
}
Bits Reference::bvult(const Bits& a, const Bits& b, unsigned) { return {less(a, b)}; }
Bits Reference::bvule(const Bits& a, const Bits& b, unsigned) { return {!less(b, a)}; }
Bits Reference::bvslt(const Bits& a, const Bits& b, unsigned) {
    return {a.back() != b.back() ? bool(a.back()) : less(a, b)};
}
Bits Reference::bvsle(const Bits& a, const Bits& b, unsigned) {
    return {a.back() != b.back() ? bool(a.back()) : !less(b, a)};
}
Bits Reference::concat(const Bits& a, const Bits& b, unsigned, unsigned) {
    Bits result = b;
    result.insert(result.end(), a.begin(), a.end());
    return result;
}
Bits Reference::extract(const Bits& a, unsigned high, unsigned low) { return {a.begin() + low, a.begin() + high + 1}; }
Bits Reference::zero_extend(const Bits& a, unsigned, unsigned to) {
    Bits result = a;
    result.resize(to, false);
    return result;
}
Bits Reference::sign_extend(const Bits& a, unsigned, unsigned to) {
    Bits result = a;
    result.resize(to, a.back());
    return result;
}
Bits Reference::select(const Bits& array, const Bits& index) {
    const std::size_t entries = std::size_t{1} << index.size();
    const std::size_t width = array.size() / entries;
    const auto start = array.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(number(index)) * width);
    return {start, start + static_cast<std::ptrdiff_t>(width)};
}
Bits Reference::store(const Bits& array, const Bits& index, const Bits& value) {
    Bits result = array;
    const std::size_t start = static_cast<std::size_t>(number(index)) * value.size();
    for (std::size_t i = 0; i < value.size(); ++i) result[start + i] = value[i];
    return result;
}

}  // namespace pogo::isa
