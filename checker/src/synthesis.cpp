// Synthesis: the settings of all obligations as one configuration.
// SPDX-License-Identifier: Apache-2.0
#include "synthesis.hpp"

#include <map>
#include <optional>

#include "condition.hpp"

namespace pogo::check {

namespace {

/// One setting for all obligations that have some: settings are joined as long as they do not exclude one another, the
/// fewest bits first.
class Joining {
  public:
    Joining(const isa::Spec& spec, const std::vector<Obligation>& obligations) : spec_(spec) {
        for (const Obligation& obligation : obligations)
            if (!obligation.settings.empty()) choices_.push_back(&obligation.settings);
    }
    std::optional<Cube> run() {
        Bits none;
        search(0, none);
        if (!best_) return std::nullopt;
        std::vector<Said> cube;
        for (const auto& [element, bits] : *best_) cube.push_back({{element}, {}, bits.value, bits.said});
        return literals(spec_, cube);
    }

  private:
    struct Value {
        isa::Word said = 0;
        isa::Word value = 0;
    };
    using Bits = std::map<std::uint32_t, Value>;  ///< by element

    static unsigned weight(const Bits& bits) {
        unsigned result = 0;
        for (const auto& [element, value] : bits)
            for (unsigned bit = 0; bit < isa::max_width; ++bit) result += static_cast<unsigned>(value.said >> bit & 1);
        return result;
    }
    static bool join(Bits& bits, const Cube& cube) {
        for (const Literal& literal : cube) {
            const isa::Word mask = isa::ones(literal.high - literal.low + 1) << literal.low;
            Value& value = bits[literal.element.index];
            const isa::Word wanted = literal.value << literal.low;
            if (((value.value ^ wanted) & value.said & mask) != 0) return false;
            value.said |= mask;
            value.value |= wanted;
        }
        return true;
    }
    void search(std::size_t at, const Bits& bits) {
        if (steps_++ > max_steps || (best_ && weight(bits) >= weight(*best_))) return;
        if (at == choices_.size()) {
            best_ = bits;
            return;
        }
        for (const Cube& cube : *choices_[at]) {
            Bits joined = bits;
            if (join(joined, cube)) search(at + 1, joined);
        }
    }

    static constexpr unsigned max_steps = 100'000;
    const isa::Spec& spec_;
    std::vector<const std::vector<Cube>*> choices_;
    std::optional<Bits> best_;
    unsigned steps_ = 0;
};

}  // namespace

Synthesis synthesis_of(const isa::Spec& spec, const std::vector<Obligation>& obligations) {
    Synthesis result;
    for (const Obligation& obligation : obligations)
        if (obligation.holds == Verdict::unknown || obligation.mended == Verdict::unknown)
            result.undecided.push_back(obligation.name);
        else if (obligation.holds == Verdict::no && obligation.settings.empty())
            result.never.push_back(obligation.name);
    if (auto cube = Joining(spec, obligations).run()) {
        result.cube = std::move(*cube);
        result.found = Verdict::yes;
    }
    return result;
}

}  // namespace pogo::check
