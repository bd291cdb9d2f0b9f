// The term DAG: typed, loop-free, hash-consed expressions; the one form in which meanings and queries exist.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace pogo::isa {

/// A constant's value. Bits above the width are zero.
// NOLINTNEXTLINE(modernize-use-using): __extension__, which -Wpedantic wants, goes with a typedef only.
__extension__ typedef unsigned __int128 Word;

/// No bit-vector is wider than this.
inline constexpr unsigned max_width = 128;

/// The low `width` bits set (width ≤ 128).
[[nodiscard]] constexpr Word ones(unsigned width) { return width >= 128 ? ~Word{0} : (Word{1} << width) - 1; }

enum class Op : std::uint8_t {
#define X(name, smt, shape) name,
#include "isa/operators.def"
};

/// What operands an operator takes; see operators.def.
enum class Shape : std::uint8_t {
    leaf,
    unary_bool,
    binary_bool,
    equality,
    choice,
    unary_bits,
    binary_bits,
    compare_bits,
    join,
    part,
    widen,
    array_read,
    array_write,
};

[[nodiscard]] std::string_view smt_name(Op op);
[[nodiscard]] Shape shape(Op op);
[[nodiscard]] unsigned arity(Op op);

/// SMT-LIB sorts: Bool, (_ BitVec width), (Array (_ BitVec index) (_ BitVec width)).
struct Sort {
    enum class Kind : std::uint8_t { boolean, bits, array };
    Kind kind = Kind::boolean;
    std::uint8_t width = 1;  ///< bits of a value or of an array element; 1 for Bool
    std::uint8_t index = 0;  ///< bits of an array index

    static constexpr Sort boolean() { return {Kind::boolean, 1, 0}; }
    static constexpr Sort bits(unsigned width) { return {Kind::bits, static_cast<std::uint8_t>(width), 0}; }
    static constexpr Sort array(unsigned index, unsigned width) {
        return {Kind::array, static_cast<std::uint8_t>(width), static_cast<std::uint8_t>(index)};
    }
    [[nodiscard]] constexpr bool is_bool() const { return kind == Kind::boolean; }
    [[nodiscard]] constexpr bool is_bits() const { return kind == Kind::bits; }
    [[nodiscard]] constexpr bool is_array() const { return kind == Kind::array; }
    friend constexpr bool operator==(const Sort&, const Sort&) = default;
};

/// A node of a Terms arena, by number. Two equal terms of one arena have the same number.
struct Term {
    std::uint32_t id = 0xffffffff;
    friend auto operator<=>(const Term&, const Term&) = default;
    [[nodiscard]] bool valid() const { return id != 0xffffffff; }
};

/// A variable of a Terms arena, by number.
struct Variable {
    std::uint32_t id = 0xffffffff;
    friend auto operator<=>(const Variable&, const Variable&) = default;
    [[nodiscard]] bool valid() const { return id != 0xffffffff; }
};

/// One node. Operands are a, b, c as far as the arity goes. Otherwise:
/// constant: a indexes the table of values; variable: a is the variable; extract: b = high bit, c = low bit.
struct Node {
    Op op = Op::constant;
    Sort sort;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;
    friend bool operator==(const Node&, const Node&) = default;
};

}  // namespace pogo::isa

template <>
struct std::hash<pogo::isa::Term> {
    std::size_t operator()(pogo::isa::Term term) const noexcept { return term.id; }
};

namespace pogo::isa {

/// What stands in place of a term (usually a variable) in a substitution. Ranges over terms of one arena.
using Substitution = std::unordered_map<Term, Term>;

/// An arena of hash-consed terms. Builders check sorts (an assertion, never the user's fault: elaboration has
/// checked widths before) and rewrite locally, so that equal meanings tend to be equal terms. Copying an arena keeps
/// the numbers of its terms.
class Terms {
  public:
    /// `rewrite = false` builds every node as asked, constants included: for tests of the rewriting itself.
    explicit Terms(bool rewrite = true) : rewrite_(rewrite) {}

    [[nodiscard]] Term boolean(bool value);
    [[nodiscard]] Term constant(unsigned width, Word value);
    /// A new variable; names are for people and need not be unique.
    [[nodiscard]] Variable declare(std::string name, Sort sort);
    [[nodiscard]] Term variable(Variable variable);

    [[nodiscard]] Term apply(Op op, Term a);
    [[nodiscard]] Term apply(Op op, Term a, Term b);
    [[nodiscard]] Term apply(Op op, Term a, Term b, Term c);
    [[nodiscard]] Term extract(Term a, unsigned high, unsigned low);
    /// To the given width, which is at least that of `a`.
    [[nodiscard]] Term zero_extend(Term a, unsigned width);
    [[nodiscard]] Term sign_extend(Term a, unsigned width);

    [[nodiscard]] Term not_(Term a) { return apply(Op::not_, a); }
    [[nodiscard]] Term and_(Term a, Term b) { return apply(Op::and_, a, b); }
    [[nodiscard]] Term or_(Term a, Term b) { return apply(Op::or_, a, b); }
    [[nodiscard]] Term implies(Term a, Term b) { return or_(not_(a), b); }
    [[nodiscard]] Term eq(Term a, Term b) { return apply(Op::eq, a, b); }
    [[nodiscard]] Term distinct(Term a, Term b) { return not_(eq(a, b)); }
    [[nodiscard]] Term ite(Term c, Term a, Term b) { return apply(Op::ite, c, a, b); }
    [[nodiscard]] Term select(Term array, Term index) { return apply(Op::select, array, index); }
    [[nodiscard]] Term store(Term array, Term index, Term value) { return apply(Op::store, array, index, value); }
    [[nodiscard]] Term concat(Term high, Term low) { return apply(Op::concat, high, low); }
    /// Conjunction and disjunction of any number of terms.
    [[nodiscard]] Term all(std::span<const Term> terms);
    [[nodiscard]] Term any(std::span<const Term> terms);
    /// Bool ↔ BitVec 1.
    [[nodiscard]] Term to_bits(Term a);
    [[nodiscard]] Term to_bool(Term a);

    [[nodiscard]] const Node& node(Term term) const { return nodes_[term.id]; }
    [[nodiscard]] Sort sort(Term term) const { return nodes_[term.id].sort; }
    [[nodiscard]] bool is_constant(Term term) const { return node(term).op == Op::constant; }
    /// The value of a constant term.
    [[nodiscard]] Word value(Term term) const { return values_[node(term).a]; }
    [[nodiscard]] Word value_at(std::uint32_t index) const { return values_[index]; }
    [[nodiscard]] bool is_true(Term term) const;
    [[nodiscard]] bool is_false(Term term) const;
    [[nodiscard]] const std::string& name(Variable variable) const { return variables_[variable.id].name; }
    [[nodiscard]] Sort sort(Variable variable) const { return variables_[variable.id].sort; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] std::size_t variable_count() const { return variables_.size(); }

    /// The operands that are terms (not the bit numbers of extract), in order.
    [[nodiscard]] std::vector<Term> operands(Term term) const;

    /// `root` with every occurrence of a key replaced by its value, rebuilt and so rewritten again.
    /// `memo` may be kept between calls with the same substitution.
    [[nodiscard]] Term substitute(Term root, const Substitution& substitution, Substitution& memo);
    [[nodiscard]] Term substitute(Term root, const Substitution& substitution);

    /// A formula that means the same: what a conjunct says of a term's value is known in all others.
    [[nodiscard]] Term propagate(Term formula);

    /// The formulas whose conjunction this one is, in ascending order; by De Morgan, too.
    [[nodiscard]] std::vector<Term> conjuncts(Term formula);

    /// The variables that occur in the terms, in ascending order.
    [[nodiscard]] std::vector<Variable> support(std::span<const Term> roots) const;

    /// `root` as an SMT-LIB 2 expression; shared nodes are bound by let. Variables print as |name|, or as
    /// |name/number| when `unique`, so that no two are alike.
    [[nodiscard]] std::string print(Term root, bool unique = false) const;

  private:
    struct VariableInfo {
        std::string name;
        Sort sort;
        std::uint32_t node;
    };
    struct NodeHash {
        std::size_t operator()(const Node& node) const noexcept;
    };
    struct WordHash {
        std::size_t operator()(const Word& word) const noexcept;
    };

    Term intern(Node node);
    Term value_term(Sort sort, Word value);
    /// The rewritten form of a node about to be built, or an invalid term when no rule applies.
    Term simplify(const Node& node);

    bool rewrite_;
    std::vector<Node> nodes_;
    std::vector<Word> values_;
    std::vector<VariableInfo> variables_;
    std::unordered_map<Node, std::uint32_t, NodeHash> index_;
    std::unordered_map<Word, std::uint32_t, WordHash> value_index_;
};

/// Calls `visit` once for every term below the roots, in no particular order.
template <class Visit>
void each_below(const Terms& terms, std::span<const Term> roots, Visit visit) {
    std::unordered_set<Term> seen;
    std::vector<Term> stack(roots.begin(), roots.end());
    while (!stack.empty()) {
        const Term term = stack.back();
        stack.pop_back();
        if (!seen.insert(term).second) continue;
        visit(term);
        for (const Term operand : terms.operands(term)) stack.push_back(operand);
    }
}

}  // namespace pogo::isa
