// Trials: evaluation of the conjuncts on machine words, and descent by small steps.
// SPDX-License-Identifier: Apache-2.0
#include "trial.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace pogo::check {

using isa::Op;
using isa::Term;
using isa::Word;

namespace {

/// How often addresses may change because what they are computed from was made equal.
constexpr unsigned rounds = 4;

}  // namespace

Trial::Trial(const isa::Terms& terms, std::span<const Term> conjuncts, std::span<const Term> atoms)
    : conjuncts_(conjuncts.size()) {
    std::unordered_map<Term, std::uint32_t> places;
    std::vector<Term> roots(conjuncts.begin(), conjuncts.end());
    for (const Term atom : atoms) {
        const isa::Node& node = terms.node(atom);
        const auto place = static_cast<std::uint32_t>(places.size());
        places.emplace(atom, place);
        widths_.push_back(node.sort.is_bool() ? 1 : node.sort.width);
        if (node.op != Op::select) continue;
        reads_.push_back({terms.node(Term{node.a}).a, place});
        roots.push_back(Term{node.b});
    }
    POGO_REQUIRE(places.size() == atoms.size());
    isa::each_below(terms, conjuncts, [&](Term term) {
        for (const Term operand : terms.operands(term))
            if (terms.sort(operand).is_array())
                possible_ = possible_ && terms.node(term).op == Op::select && terms.node(operand).op == Op::variable;
    });
    if (!possible_) return;
    const auto placed = [&](Term term) -> std::optional<std::uint32_t> {
        const auto place = places.find(term);
        return place == places.end() ? std::nullopt : std::optional(place->second);
    };
    program_ = isa::compile(terms, roots, static_cast<std::uint32_t>(atoms.size()), placed);
    at_.resize(program_.first + program_.steps.size());
}

void Trial::start(std::vector<Word> values) {
    POGO_REQUIRE(values.size() == widths_.size());
    best_ = std::move(values);
}

// What stands at equal addresses becomes what [begin, end) says of it, or else the first of these atoms.
bool Trial::holds(std::vector<Word>& values, std::size_t begin, std::size_t end) {
    for (unsigned round = 0; round < rounds; ++round) {
        std::copy(values.begin(), values.end(), at_.begin());
        isa::fold(program_, 0, program_.steps.size(), domain_, at_.data());
        std::map<std::pair<std::uint32_t, Word>, std::uint32_t> first;  // atom by array and address
        bool equal = true;
        for (const bool moved : {true, false})
            for (std::size_t i = 0; i < reads_.size(); ++i) {
                const auto [array, atom] = reads_[i];
                if ((begin <= atom && atom < end) != moved) continue;
                const auto leader = first.emplace(std::pair{array, at_[program_.roots[conjuncts_ + i]]}, atom).first;
                equal = equal && values[atom] == values[leader->second];
                values[atom] = values[leader->second];
            }
        if (equal)
            return std::all_of(program_.roots.begin(), program_.roots.begin() + static_cast<std::ptrdiff_t>(conjuncts_),
                               [&](std::uint32_t root) { return at_[root] != 0; });
    }
    return false;
}

bool Trial::accept(std::size_t begin, std::size_t end, Word value) {
    std::vector<Word> values = best_;
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, value);
    if (!holds(values, begin, end) || values >= best_) return false;
    best_ = std::move(values);
    return true;
}

void Trial::descend(std::size_t begin, std::size_t end) {
    const auto first = best_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = best_.begin() + static_cast<std::ptrdiff_t>(end);
    if (!possible_ || std::all_of(first, last, [](Word value) { return value == 0; })) return;
    // All zero, or else by halves; one atom to a power of two, or else without some of its bits.
    if (accept(begin, end, 0)) return;
    if (end - begin > 1) {
        const std::size_t middle = begin + (end - begin) / 2;
        descend(begin, middle);
        descend(middle, end);
        return;
    }
    for (unsigned bit = 0; bit < widths_[begin] && Word{1} << bit < best_[begin]; ++bit)
        if (accept(begin, end, Word{1} << bit)) return;
    for (unsigned bit = widths_[begin]; bit-- > 0;)
        if ((best_[begin] >> bit & 1) != 0) accept(begin, end, best_[begin] & ~(Word{1} << bit));
}

}  // namespace pogo::check
