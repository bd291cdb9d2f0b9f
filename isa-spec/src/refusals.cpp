// Guards of traps as people read them: a disjunction of conjunctions of the comparisons they are made of.
// SPDX-License-Identifier: Apache-2.0
#include "isa/refusals.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace pogo::isa {

namespace {

/// A Boolean term over its comparisons, which count as independent unless they are about few bits: what is said holds
/// wherever the term does and nowhere else, but may be longer than need be.
class Disjunction {
  public:
    Disjunction(Terms& terms, Term condition) : terms_(terms) {
        collect(condition);
        if (atoms_.size() > most) return;
        for (std::size_t world = 0; world < std::size_t{1} << atoms_.size(); ++world) {
            Substitution known;
            for (std::size_t i = 0; i < atoms_.size(); ++i) known[atoms_[i]] = terms_.boolean((world >> i & 1) != 0);
            holds_.push_back(terms_.is_true(terms_.substitute(condition, known)));
        }
        find_possible();
    }

    [[nodiscard]] std::string text() const {
        if (atoms_.size() > most) return "under a condition";
        std::vector<bool> covered(holds_.size(), false);
        std::vector<std::string> parts;
        for (std::size_t world = 0; world < holds_.size(); ++world) {
            if (!holds_[world] || !possible_[world] || covered[world]) continue;
            std::size_t said = holds_.size() - 1;  // atoms, as bits
            for (std::size_t i = 0; i < atoms_.size(); ++i)
                if (implied(said & ~(std::size_t{1} << i), world)) said &= ~(std::size_t{1} << i);
            for (std::size_t other = 0; other < covered.size(); ++other)
                if (((other ^ world) & said) == 0) covered[other] = true;
            std::vector<std::string> conjunction;
            for (std::size_t i = 0; i < atoms_.size(); ++i)
                if ((said >> i & 1) != 0) conjunction.push_back(comparison(atoms_[i], (world >> i & 1) != 0));
            parts.push_back(conjunction.empty() ? "always" : fmt::format("{}", fmt::join(conjunction, " & ")));
        }
        std::sort(parts.begin(), parts.end());
        return fmt::format("{}", fmt::join(parts, " | "));
    }

  private:
    static constexpr std::size_t most = 10;
    static constexpr unsigned few = 8;

    void collect(Term term) {
        switch (terms_.node(term).op) {
            case Op::constant:
                return;
            case Op::not_:
            case Op::and_:
            case Op::or_:
            case Op::xor_:
                for (const Term operand : terms_.operands(term)) collect(operand);
                return;
            case Op::ite:
            case Op::eq:
                if (const auto operands = terms_.operands(term); terms_.sort(operands.back()).is_bool()) {
                    for (const Term operand : operands) collect(operand);
                    return;
                }
                break;
            default:
                break;
        }
        if (std::find(atoms_.begin(), atoms_.end(), term) == atoms_.end()) atoms_.push_back(term);
    }
    /// Tries all values of the variables where they have few bits.
    void find_possible() {
        const auto variables = terms_.support(atoms_);
        unsigned bits = 0;
        for (const Variable variable : variables) {
            const Sort sort = terms_.sort(variable);
            bits += sort.is_array() ? few + 1 : unsigned{sort.width};
        }
        possible_.assign(holds_.size(), bits > few);
        for (unsigned values = 0; bits <= few && values < 1U << bits; ++values) {
            Substitution known;
            unsigned rest = values;
            for (const Variable variable : variables) {
                const Sort sort = terms_.sort(variable);
                known[terms_.variable(variable)] =
                    sort.is_bool() ? terms_.boolean((rest & 1) != 0)
                                   : terms_.constant(sort.width, rest & static_cast<unsigned>(ones(sort.width)));
                rest >>= sort.width;
            }
            std::size_t world = 0;
            for (std::size_t i = 0; i < atoms_.size(); ++i)
                if (terms_.is_true(terms_.substitute(atoms_[i], known))) world |= std::size_t{1} << i;
            possible_[world] = true;
        }
    }
    /// The condition holds wherever these atoms are as in this world.
    [[nodiscard]] bool implied(std::size_t said, std::size_t world) const {
        for (std::size_t other = 0; other < holds_.size(); ++other)
            if (((other ^ world) & said) == 0 && possible_[other] && !holds_[other]) return false;
        return true;
    }
    [[nodiscard]] std::string comparison(Term atom, bool holds) const {
        const Node& node = terms_.node(atom);
        if (node.op != Op::eq) return (holds ? "" : "not ") + plain(atom);
        Term what{node.a};
        Term value{node.b};
        if (terms_.is_constant(what)) std::swap(what, value);
        if (!terms_.is_constant(value)) return fmt::format("{} {} {}", plain(what), holds ? "=" : "!=", plain(value));
        auto number = static_cast<std::uint64_t>(terms_.value(value));
        if (terms_.sort(value).width == 1 && !holds) {
            number ^= 1;
            holds = true;
        }
        return fmt::format("{} {} {}", plain(what),
                           holds ? "=" : "!=", number < 10 ? fmt::format("{}", number) : fmt::format("{:#x}", number));
    }
    [[nodiscard]] std::string plain(Term term) const {
        if (const Node& node = terms_.node(term); node.op == Op::extract && terms_.node({node.a}).op == Op::variable)
            return plain({node.a}) +
                   (node.b == node.c ? fmt::format("<{}>", node.b) : fmt::format("<{}:{}>", node.b, node.c));
        std::string text = terms_.print(term);
        std::erase(text, '|');
        return text;
    }

    Terms& terms_;
    std::vector<Term> atoms_;
    std::vector<bool> holds_;     ///< by world: bit i says whether atom i holds
    std::vector<bool> possible_;  ///< worlds that there may be
};

}  // namespace

bool Refusals::any() const {
    return std::any_of(when.begin(), when.end(), [](const std::string& text) { return !text.empty(); });
}

std::vector<Refusals> refusals(const Spec& spec) {
    Terms terms = spec.terms;
    std::vector<Substitution> modes;
    for (const Mode& mode : spec.modes) {
        Substitution& known = modes.emplace_back();
        for (const auto& part : mode.cube)
            known[terms.variable(spec[part.element].variable)] = terms.constant(spec[part.element].width, part.value);
    }
    std::vector<Refusals> result;
    for (const Instruction& row : spec.instructions) {
        Refusals& refusals = result.emplace_back();
        for (const Substitution& mode : modes) {
            std::set<std::string> texts;
            for (std::uint32_t i = 0; i < row.form_count; ++i) {
                Term refused = terms.boolean(false);
                Term before = terms.boolean(true);  // the first trap that holds is the one that is raised
                for (const Trap& trap : spec.forms[row.first_form + i].meaning.traps) {
                    const Term guard = terms.substitute(trap.guard, mode);
                    if (spec[trap.cause].kind == TrapKind::privilege)
                        refused = terms.or_(refused, terms.and_(before, guard));
                    before = terms.and_(before, terms.not_(guard));
                }
                if (!terms.is_false(refused)) texts.insert(Disjunction(terms, refused).text());
            }
            refusals.when.push_back(fmt::format("{}", fmt::join(texts, ", ")));
        }
    }
    return result;
}

}  // namespace pogo::isa
