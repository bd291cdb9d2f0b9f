// One fold gives every operator its meaning in a domain; the only switch over operators that computes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "isa/term.hpp"

namespace pogo::isa {

// What a domain must offer for each shape of operator. `w` is the width of the first operand.
// clang-format off
#define POGO_REQUIRE_leaf(name)
#define POGO_REQUIRE_unary_bool(name)   { d.name(v) } -> std::same_as<typename D::Value>;
#define POGO_REQUIRE_binary_bool(name)  { d.name(v, v) } -> std::same_as<typename D::Value>;
#define POGO_REQUIRE_equality(name)     { d.name(v, v) } -> std::same_as<typename D::Value>;
#define POGO_REQUIRE_choice(name)       { d.name(v, v, v) } -> std::same_as<typename D::Value>;
#define POGO_REQUIRE_unary_bits(name)   { d.name(v, w) } -> std::same_as<typename D::Value>;
#define POGO_REQUIRE_binary_bits(name)  { d.name(v, v, w) } -> std::same_as<typename D::Value>;
#define POGO_REQUIRE_compare_bits(name) { d.name(v, v, w) } -> std::same_as<typename D::Value>;
#define POGO_REQUIRE_join(name)         { d.name(v, v, w, w) } -> std::same_as<typename D::Value>;  // widths of both
#define POGO_REQUIRE_part(name)         { d.name(v, w, w) } -> std::same_as<typename D::Value>;     // high, low
#define POGO_REQUIRE_widen(name)        { d.name(v, w, w) } -> std::same_as<typename D::Value>;     // from, to
#define POGO_REQUIRE_array_read(name)   { d.name(v, v) } -> std::same_as<typename D::Value>;
#define POGO_REQUIRE_array_write(name)  { d.name(v, v, v) } -> std::same_as<typename D::Value>;
// clang-format on

/// A domain gives values to sorts and functions to operators. Instances: Concrete (machine words), Reference (slow
/// and obvious), Symbolic (the checker's), Text (SMT-LIB).
template <class D>
concept Domain = requires(D d, const typename D::Value& v, unsigned w, Sort sort, Word word, Variable variable) {
    { d.constant(sort, word) } -> std::same_as<typename D::Value>;
    { d.variable(variable, sort) } -> std::same_as<typename D::Value>;
#define X(name, smt, shape) POGO_REQUIRE_##shape(name)
#include "isa/operators.def"
};

/// Some terms of an arena as a straight line: nodes in an order in which operands come first, operands renamed to
/// positions in one array of values.
struct Program {
    struct Step {
        Op op{};
        Sort sort;                ///< of the result
        std::uint8_t width = 0;   ///< of the first operand, where it has one
        std::uint8_t width2 = 0;  ///< of the second operand (concat)
        std::uint32_t a = 0;      ///< position of an operand; constant: index into `values`; variable: its number
        std::uint32_t b = 0;      ///< position of an operand; extract: high bit
        std::uint32_t c = 0;      ///< position of an operand; extract: low bit
    };
    std::vector<Step> steps;           ///< step i computes the value at position `first + i`
    std::vector<Word> values;          ///< of the constants
    std::vector<std::uint32_t> roots;  ///< positions of the terms asked for, in their order
    std::uint32_t first = 0;
};

/// Tells where the value of a leaf, or of what is read of an array, already stands in the array of values, below `first`;
/// no answer means that it becomes a step of its own.
using Placement = std::function<std::optional<std::uint32_t>(Term)>;

/// Lines up all that the roots need.
[[nodiscard]] Program compile(const Terms& terms, std::span<const Term> roots);
[[nodiscard]] Program compile(const Terms& terms, std::span<const Term> roots, std::uint32_t first,
                              const Placement& placement);

/// Computes steps [begin, end) of the program into `at`, which holds at least first + steps.size() values.
template <Domain D>
inline void fold(const Program& program, std::size_t begin, std::size_t end, D& d, typename D::Value* at) {
    using enum Op;
    const Program::Step* step = program.steps.data() + begin;
    const Program::Step* const last = program.steps.data() + end;
    typename D::Value* result = at + program.first + begin;
    for (; step != last; ++step, ++result) {
        const auto& s = *step;
        // clang-format off
#define POGO_FOLD_unary_bool(name)   case name: *result = d.name(at[s.a]); break;
#define POGO_FOLD_binary_bool(name)  case name: *result = d.name(at[s.a], at[s.b]); break;
#define POGO_FOLD_equality(name)     case name: *result = d.name(at[s.a], at[s.b]); break;
#define POGO_FOLD_choice(name)       case name: *result = d.name(at[s.a], at[s.b], at[s.c]); break;
#define POGO_FOLD_unary_bits(name)   case name: *result = d.name(at[s.a], s.width); break;
#define POGO_FOLD_binary_bits(name)  case name: *result = d.name(at[s.a], at[s.b], s.width); break;
#define POGO_FOLD_compare_bits(name) case name: *result = d.name(at[s.a], at[s.b], s.width); break;
#define POGO_FOLD_join(name)         case name: *result = d.name(at[s.a], at[s.b], s.width, s.width2); break;
#define POGO_FOLD_part(name)         case name: *result = d.name(at[s.a], s.b, s.c); break;
#define POGO_FOLD_widen(name)        case name: *result = d.name(at[s.a], s.width, s.sort.width); break;
#define POGO_FOLD_array_read(name)   case name: *result = d.name(at[s.a], at[s.b]); break;
#define POGO_FOLD_array_write(name)  case name: *result = d.name(at[s.a], at[s.b], at[s.c]); break;
#define POGO_FOLD_leaf(name)
        switch (s.op) {
            case constant: *result = d.constant(s.sort, program.values[s.a]); break;
            case variable: *result = d.variable(Variable{s.a}, s.sort); break;
#define X(name, smt, shape) POGO_FOLD_##shape(name)
#include "isa/operators.def"
        }
        // clang-format on
    }
}

/// The values of the program's roots.
template <Domain D>
[[nodiscard]] std::vector<typename D::Value> fold(const Program& program, D& domain) {
    std::vector<typename D::Value> values(program.first + program.steps.size());
    fold(program, 0, program.steps.size(), domain, values.data());
    std::vector<typename D::Value> roots;
    roots.reserve(program.roots.size());
    for (auto root : program.roots) roots.push_back(values[root]);
    return roots;
}

}  // namespace pogo::isa
