// The symbolic domain: sorts, constants, numerals.
// SPDX-License-Identifier: Apache-2.0
#include "symbolic.hpp"

#include <array>
#include <string>

#include "isa/require.hpp"

namespace pogo::check {

using isa::Sort;
using isa::Word;

z3::sort Symbolic::sort(z3::context& context, Sort sort) {
    switch (sort.kind) {
        case Sort::Kind::boolean:
            return context.bool_sort();
        case Sort::Kind::bits:
            return context.bv_sort(sort.width);
        case Sort::Kind::array:
            return context.array_sort(context.bv_sort(sort.index), context.bv_sort(sort.width));
    }
    POGO_REQUIRE(false);
}

z3::expr Symbolic::literal(z3::context& context, Sort sort, Word value) {
    if (sort.is_bool()) return context.bool_val(value != 0);
    if (sort.width <= 64) return context.bv_val(static_cast<std::uint64_t>(value), sort.width);
    std::array<bool, isa::max_width> bits{};
    for (unsigned i = 0; i < sort.width; ++i) bits[i] = (value >> i & 1) != 0;
    return context.bv_val(sort.width, bits.data());
}

Word number(const z3::expr& numeral) {
    if (numeral.is_bool()) {
        POGO_REQUIRE(numeral.is_true() || numeral.is_false());
        return numeral.is_true() ? 1 : 0;
    }
    POGO_REQUIRE(numeral.is_numeral());
    if (std::uint64_t small = 0; numeral.is_numeral_u64(small)) return small;
    Word value = 0;
    for (const char digit : std::string(Z3_get_numeral_string(numeral.ctx(), numeral)))
        value = value * 10 + static_cast<unsigned>(digit - '0');
    return value;
}

}  // namespace pogo::check
