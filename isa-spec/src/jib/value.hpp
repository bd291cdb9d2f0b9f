// Values of Jib IR over the term DAG: bits and truth are terms, the rest is built of values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jib/ir.hpp"

namespace pogo::isa::jib {

struct Value;

/// What does not fit into a term.
struct Compound {
    std::vector<Value> members;  ///< of structures and vectors; payloads of a union
    std::vector<Name> names;     ///< of a structure's members; a union's constructors that may be
    std::vector<Term> guards;    ///< Bool each, one holds: the union is of that constructor
    std::string text;            ///< of a string: it begins so
    bool open = false;           ///< a string that goes on in a way that depends on the state
    Name name = 0;               ///< of a reference: the register
};

struct Value {
    enum class Kind : std::uint8_t {
        nothing,  ///< was never set: merged with anything it is that
        torn,     ///< paths met with values that have no common form: cannot be read
        unit,
        boolean,     ///< term: Bool
        bits,        ///< term: BitVec; invalid: of no width
        integer,     ///< term: BitVec, two's complement, wide enough
        enumerator,  ///< term: BitVec, the number in its enumeration
        string,
        structure,
        union_,
        vector,
        reference,
    };
    Kind kind = Kind::nothing;
    Term term;
    std::shared_ptr<const Compound> more;

    static Value torn() { return {Kind::torn, {}, {}}; }
    static Value unit() { return {Kind::unit, {}, {}}; }
    static Value boolean(Term term) { return {Kind::boolean, term, {}}; }
    static Value bits(Term term) { return {Kind::bits, term, {}}; }
    static Value empty_bits() { return {Kind::bits, {}, {}}; }
    static Value integer(Term term) { return {Kind::integer, term, {}}; }
    static Value enumerator(Term term) { return {Kind::enumerator, term, {}}; }
    static Value string(std::string text, bool open = false);
    static Value made(Kind kind, Compound compound) {
        return {kind, {}, std::make_shared<const Compound>(std::move(compound))};
    }
    [[nodiscard]] bool set() const { return kind != Kind::nothing; }
};

// NOLINTNEXTLINE(modernize-use-using): __extension__, which -Wpedantic wants, goes with a typedef only.
__extension__ typedef __int128 Number;

/// Raised where a path cannot be followed: it ends in a stop.
struct Stuck {
    std::string why;
};

/// Builds values. All operators are those of Sail's library (lib/*.sail); what they leave undefined is Stuck.
class Values {
  public:
    explicit Values(Terms& arena) : terms(arena) {}
    Terms& terms;

    /// The narrowest two's complement.
    [[nodiscard]] Value number(Number number);
    [[nodiscard]] std::optional<Number> known(const Value& value) const;
    [[nodiscard]] Number want_number(const Value& value, std::string_view what) const;
    [[nodiscard]] unsigned want_width(const Value& value, std::string_view what) const;
    [[nodiscard]] Term want_bits(const Value& value) const;
    [[nodiscard]] Term want_boolean(const Value& value) const;
    [[nodiscard]] Term want_integer(const Value& value) const;
    [[nodiscard]] unsigned width(const Value& value) const;

    /// Both integers at the wider of their widths and `more` bits.
    [[nodiscard]] std::pair<Term, Term> even(const Value& a, const Value& b, unsigned more = 0);
    /// An integer whose constant is as narrow as can be.
    [[nodiscard]] Value integer(Term term);

    [[nodiscard]] Term equal(const Value& a, const Value& b);
    /// `a` where `condition` holds, else `b`.
    [[nodiscard]] Value merge(Term condition, const Value& a, const Value& b);

    /// Sail's primitive of this name, or nothing if there is none of it.
    [[nodiscard]] std::optional<Value> primitive(std::string_view name, const std::vector<Value>& arguments);

  private:
    [[nodiscard]] Value divide(const Value& a, const Value& b, bool remainder);
    [[nodiscard]] Value shift(Op op, const Value& a, const Value& by);
    [[nodiscard]] Value slice(const Value& a, unsigned high, unsigned low);
    [[nodiscard]] Value join(const Value& high, const Value& low);
    [[nodiscard]] Value replace(const Value& a, unsigned high, unsigned low, const Value& by);
    [[nodiscard]] Value extend(const Value& a, unsigned to, bool sign);
    [[nodiscard]] Value cut(const Value& integer, unsigned to, unsigned from);
    [[nodiscard]] Value both(Op op, const Value& a, const Value& b);
    [[nodiscard]] Value element(const Value& vector, const Value& index);
    [[nodiscard]] Value replaced(const Value& vector, const Value& index, const Value& by);
};

}  // namespace pogo::isa::jib
