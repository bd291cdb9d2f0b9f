// Sail's library over terms, by the names that .ir files use. What each means: sail/lib/*.sail, sail/src/lib/value.ml.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "jib/value.hpp"

namespace pogo::isa::jib {

std::optional<Value> Values::primitive(std::string_view name, const std::vector<Value>& arguments) {
    using Arguments = const std::vector<Value>&;
    using Meaning = std::function<Value(Values&, Arguments)>;
    struct Primitive {
        std::size_t arity;
        Meaning meaning;
    };
    static const auto same = [](Values&, Arguments a) { return a[0]; };
    static const auto nothing = [](Values&, Arguments) { return Value::unit(); };
    static const auto some_text = [](Values&, Arguments) { return Value::string("", true); };
    static const auto comparison = [](Op op, bool swap) {
        return [op, swap](Values& v, Arguments a) {
            const auto [l, r] = v.even(a[0], a[1]);
            return Value::boolean(swap ? v.terms.apply(op, r, l) : v.terms.apply(op, l, r));
        };
    };
    static const auto arithmetic = [](Op op) {
        return [op](Values& v, Arguments a) {
            const auto [l, r] = v.even(a[0], a[1], 1);
            return v.integer(v.terms.apply(op, l, r));
        };
    };
    static const auto bitwise = [](Op op) { return [op](Values& v, Arguments a) { return v.both(op, a[0], a[1]); }; };
    static const auto with_integer = [](Op op) {
        return [op](Values& v, Arguments a) { return v.both(op, a[0], v.cut(a[1], v.width(a[0]), 0)); };
    };
    static const auto shifted = [](Op op) { return [op](Values& v, Arguments a) { return v.shift(op, a[0], a[1]); }; };
    static const auto equality = [](bool wanted) {
        return [wanted](Values& v, Arguments a) {
            const Term equal = v.equal(a[0], a[1]);
            return Value::boolean(wanted ? equal : v.terms.not_(equal));
        };
    };
    static const auto least = [](bool minimum) {
        return [minimum](Values& v, Arguments a) {
            const auto [l, r] = v.even(a[0], a[1]);
            const Term less = v.terms.apply(Op::bvslt, l, r);
            return v.integer(minimum ? v.terms.ite(less, l, r) : v.terms.ite(less, r, l));
        };
    };
    static const auto logical = [](Op op) {
        return [op](Values& v, Arguments a) {
            return Value::boolean(v.terms.apply(op, v.want_boolean(a[0]), v.want_boolean(a[1])));
        };
    };
    static const auto access = [](Values& v, Arguments a) {
        if (a[0].kind == Value::Kind::vector) return v.element(a[0], a[1]);
        if (const auto at = v.known(a[1])) {
            if (*at < 0 || *at >= static_cast<Number>(v.width(a[0]))) throw Stuck{"a bit beyond the value is read"};
            return v.slice(a[0], static_cast<unsigned>(*at), static_cast<unsigned>(*at));
        }
        return v.slice(v.shift(Op::bvlshr, a[0], a[1]), 0, 0);
    };
    static const auto update = [](Values& v, Arguments a) {
        if (a[0].kind == Value::Kind::vector) return v.replaced(a[0], a[1], a[2]);
        const unsigned at = v.want_width(a[1], "a bit's number");
        return v.replace(a[0], at, at, a[2]);
    };
    static const auto emod = [](Values& v, Arguments a) {
        const Number by = v.want_number(a[1], "a divisor");
        if (by <= 0) throw Stuck{"a remainder of what is not positive"};
        if (const auto number = v.known(a[0])) {
            const Number remainder = *number % by;
            return v.number(remainder < 0 ? remainder + by : remainder);
        }
        if ((by & (by - 1)) != 0) throw Stuck{"a remainder by what is no power of two"};
        unsigned bits = 0;
        while (Number{1} << bits != by) ++bits;
        if (bits == 0) return v.number(0);
        const Value low = v.cut(a[0], bits, 0);
        return v.integer(v.terms.zero_extend(low.term, bits + 1));
    };
    static const auto power = [](Values& v, const Value& base, const Value& exponent) {
        const unsigned times = v.want_width(exponent, "an exponent");
        if (const auto number = v.known(base); number && times < 127) {
            Number result = 1;
            for (unsigned i = 0; i < times; ++i)
                if (__builtin_mul_overflow(result, *number, &result))
                    throw Stuck{"an integer does not fit in 128 bits"};
            return v.number(result);
        }
        throw Stuck{"a power depends on the state"};
    };
    static const auto multiply = [](Values& v, Arguments a) {
        const Term l = v.want_integer(a[0]);
        const Term r = v.want_integer(a[1]);
        const unsigned exact = v.terms.sort(l).width + v.terms.sort(r).width;
        if (const auto x = v.known(a[0]), y = v.known(a[1]); x && y) {
            Number product = 0;
            if (__builtin_mul_overflow(*x, *y, &product)) throw Stuck{"an integer does not fit in 128 bits"};
            return v.number(product);
        }
        // Two 65-bit numbers have products of 130 bits; only the low 128 are ever taken of those (MULHU).
        if (exact > max_width + 2) throw Stuck{"an integer does not fit in 128 bits"};
        const unsigned width = std::min(exact, max_width);
        return v.integer(v.terms.apply(Op::bvmul, v.terms.sign_extend(l, width), v.terms.sign_extend(r, width)));
    };
    static const auto repeat = [](Values& v, Arguments a) {
        Value result = Value::empty_bits();
        for (unsigned i = v.want_width(a[1], "a count"); i > 0; --i) result = v.join(result, a[0]);
        return result;
    };
    static const auto concatenate = [](Values&, Arguments a) {
        if (a[0].kind != Value::Kind::string || a[1].kind != Value::Kind::string) throw Stuck{"a text was never set"};
        if (a[0].more->open) return a[0];
        return Value::string(a[0].more->text + a[1].more->text, a[1].more->open);
    };
    static const auto decimal = [](Values& v, Arguments a) {
        const auto number = v.known(a[0]);
        if (!number || *number > Number{1} << 62 || *number < -(Number{1} << 62)) return Value::string("", true);
        return Value::string(fmt::format("{}", static_cast<long long>(*number)));
    };
    static const auto constant_bits = [](Word value) {
        return [value](Values& v, Arguments a) {
            const unsigned width = v.want_width(a[0], "a width");
            if (width > max_width) throw Stuck{"a value is wider than 128 bits"};
            return width == 0 ? Value::empty_bits() : Value::bits(v.terms.constant(width, value & ones(width)));
        };
    };
    static const auto to_integer = [](bool sign) {
        return [sign](Values& v, Arguments a) {
            if (v.width(a[0]) == 0) return v.number(0);
            const Term bits = v.want_bits(a[0]);
            const unsigned width = v.terms.sort(bits).width;
            if (sign) return v.integer(bits);
            if (width == max_width) throw Stuck{"an integer does not fit in 128 bits"};
            return v.integer(v.terms.zero_extend(bits, width + 1));
        };
    };
    static const auto cons = [](Values&, Arguments a) {
        Compound list;
        list.members.push_back(a[0]);
        if (a[1].set() && a[1].kind != Value::Kind::vector) throw Stuck{"a list is wanted where there is none"};
        if (a[1].set()) list.members.insert(list.members.end(), a[1].more->members.begin(), a[1].more->members.end());
        return Value::made(Value::Kind::vector, std::move(list));
    };
    static const auto length = [](Values& v, Arguments a) {
        if (a[0].kind == Value::Kind::vector) return v.number(static_cast<Number>(a[0].more->members.size()));
        return v.number(static_cast<Number>(v.width(a[0])));
    };
    static const auto sliced = [](Values& v, Arguments a) {  // from, how many
        const unsigned low = v.want_width(a[1], "a bit's number");
        const unsigned count = v.want_width(a[2], "a width");
        return count == 0 ? Value::empty_bits() : v.slice(a[0], low + count - 1, low);
    };
    static const auto subrange = [](Values& v, Arguments a) {
        const Number high = v.want_number(a[1], "a bit's number");
        const unsigned low = v.want_width(a[2], "a bit's number");
        if (high + 1 == static_cast<Number>(low)) return Value::empty_bits();
        if (high < 0 || high > 1'000'000) throw Stuck{"bits beyond the value are taken"};
        return v.slice(a[0], static_cast<unsigned>(high), low);
    };
    static const auto extended = [](bool sign) {
        return [sign](Values& v, Arguments a) { return v.extend(a[0], v.want_width(a[1], "a width"), sign); };
    };
    static const auto invented_vector = [](Values& v, Arguments a) {
        Compound vector;
        vector.members.resize(v.want_width(a[0], "a length"), a.size() > 1 ? a[1] : Value{});
        return Value::made(Value::Kind::vector, std::move(vector));
    };

    static const std::unordered_map<std::string_view, Primitive> table{
        {"%i->%i64", {1, same}},
        {"%i64->%i", {1, same}},
        {"__id", {1, same}},
        // integers
        {"eq_int", {2, equality(true)}},
        {"neq_int", {2, equality(false)}},
        {"lt", {2, comparison(Op::bvslt, false)}},
        {"lteq", {2, comparison(Op::bvsle, false)}},
        {"gt", {2, comparison(Op::bvslt, true)}},
        {"gteq", {2, comparison(Op::bvsle, true)}},
        {"add_int", {2, arithmetic(Op::bvadd)}},
        {"sub_int", {2, arithmetic(Op::bvsub)}},
        {"mult_int", {2, multiply}},
        {"neg_int",
         {1,
          [](Values& v, Arguments a) {
              return *v.primitive("sub_int", {v.number(0), a[0]});
          }}},
        {"negate",
         {1,
          [](Values& v, Arguments a) {
              return *v.primitive("sub_int", {v.number(0), a[0]});
          }}},
        {"tdiv_int", {2, [](Values& v, Arguments a) { return v.divide(a[0], a[1], false); }}},
        {"tmod_int", {2, [](Values& v, Arguments a) { return v.divide(a[0], a[1], true); }}},
        {"emod_int", {2, emod}},
        {"min_int", {2, least(true)}},
        {"max_int", {2, least(false)}},
        {"abs_int",
         {1,
          [](Values& v, Arguments a) {
              return *v.primitive("max_int", {a[0], *v.primitive("sub_int", {v.number(0), a[0]})});
          }}},
        {"pow2", {1, [](Values& v, Arguments a) { return power(v, v.number(2), a[0]); }}},
        {"pow_int", {2, [](Values& v, Arguments a) { return power(v, a[0], a[1]); }}},
        {"shl_int",
         {2,
          [](Values& v, Arguments a) {
              return *v.primitive("mult_int", {a[0], power(v, v.number(2), a[1])});
          }}},
        // truth
        {"not", {1, [](Values& v, Arguments a) { return Value::boolean(v.terms.not_(v.want_boolean(a[0]))); }}},
        {"one_if", {1, [](Values& v, Arguments a) { return Value::bits(v.terms.to_bits(v.want_boolean(a[0]))); }}},
        {"and_bool", {2, logical(Op::and_)}},
        {"or_bool", {2, logical(Op::or_)}},
        {"eq_bool", {2, equality(true)}},
        {"eq_anything", {2, equality(true)}},
        {"eq_string", {2, equality(true)}},
        {"eq_unit", {2, equality(true)}},
        // bits
        {"eq_bit", {2, equality(true)}},
        {"eq_bits", {2, equality(true)}},
        {"neq_bits", {2, equality(false)}},
        {"length", {1, length}},
        {"vector_length", {1, length}},
        {"zeros", {1, constant_bits(0)}},
        {"ones", {1, constant_bits(~Word{0})}},
        {"sail_zeros", {1, constant_bits(0)}},
        {"sail_ones", {1, constant_bits(~Word{0})}},
        {"zero_extend", {2, extended(false)}},
        {"sign_extend", {2, extended(true)}},
        {"sail_truncate", {2, extended(false)}},
        {"truncate", {2, extended(false)}},
        {"truncateLSB",
         {2,
          [](Values& v, Arguments a) {
              const unsigned width = v.want_width(a[1], "a width");
              return width == 0 ? Value::empty_bits() : v.slice(a[0], v.width(a[0]) - 1, v.width(a[0]) - width);
          }}},
        {"append", {2, [](Values& v, Arguments a) { return v.join(a[0], a[1]); }}},
        {"append_64", {2, [](Values& v, Arguments a) { return v.join(a[0], a[1]); }}},
        {"replicate_bits", {2, repeat}},
        {"vector_access", {2, access}},
        {"vector_access_inc", {2, access}},
        {"vector_update", {3, update}},
        {"update_fbits", {3, update}},
        {"vector_subrange", {3, subrange}},
        {"slice", {3, sliced}},
        {"vector_update_subrange",
         {4,
          [](Values& v, Arguments a) {
              return v.replace(a[0], v.want_width(a[1], "a bit's number"), v.want_width(a[2], "a bit's number"), a[3]);
          }}},
        {"get_slice_int",
         {3,
          [](Values& v, Arguments a) {
              return v.cut(a[1], v.want_width(a[0], "a width"), v.want_width(a[2], "a bit's number"));
          }}},
        {"sail_unsigned", {1, to_integer(false)}},
        {"sail_signed", {1, to_integer(true)}},
        {"not_bits",
         {1,
          [](Values& v, Arguments a) {
              return v.width(a[0]) == 0 ? a[0] : Value::bits(v.terms.apply(Op::bvnot, v.want_bits(a[0])));
          }}},
        {"and_bits", {2, bitwise(Op::bvand)}},
        {"or_bits", {2, bitwise(Op::bvor)}},
        {"xor_bits", {2, bitwise(Op::bvxor)}},
        {"add_bits", {2, bitwise(Op::bvadd)}},
        {"sub_bits", {2, bitwise(Op::bvsub)}},
        {"add_bits_int", {2, with_integer(Op::bvadd)}},
        {"sub_bits_int", {2, with_integer(Op::bvsub)}},
        {"shiftl", {2, shifted(Op::bvshl)}},
        {"shiftr", {2, shifted(Op::bvlshr)}},
        {"arith_shiftr", {2, shifted(Op::bvashr)}},
        {"shift_bits_left", {2, shifted(Op::bvshl)}},
        {"shift_bits_right", {2, shifted(Op::bvlshr)}},
        {"shift_bits_right_arith", {2, shifted(Op::bvashr)}},
        // lists and vectors
        {"cons", {2, cons}},
        {"vector_init", {2, invented_vector}},
        {"internal_vector_init", {1, invented_vector}},
        {"internal_vector_update", {3, update}},
        // texts, for people
        {"concat_str", {2, concatenate}},
        {"string_of_int", {1, decimal}},
        {"dec_str", {1, decimal}},
        {"hex_str", {1, some_text}},
        {"string_of_bits", {1, some_text}},
        {"decimal_string_of_bits", {1, some_text}},
        {"print", {1, nothing}},
        {"prerr", {1, nothing}},
        {"print_endline", {1, nothing}},
        {"prerr_endline", {1, nothing}},
        {"print_string", {2, nothing}},
        {"print_bits", {2, nothing}},
        {"prerr_bits", {2, nothing}},
        {"print_int", {2, nothing}},
        {"prerr_int", {2, nothing}},
    };
    const auto found = table.find(name);
    if (found == table.end()) return std::nullopt;
    if (found->second.arity != arguments.size())
        throw Stuck{
            fmt::format("primitive {} takes {} arguments, not {}", name, found->second.arity, arguments.size())};
    return found->second.meaning(*this, arguments);
}

}  // namespace pogo::isa::jib
