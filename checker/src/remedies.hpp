// What remedies have in common: obligations under the configuration that is used.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "check/remedy.hpp"
#include "isa/require.hpp"

namespace pogo::check {

inline unsigned field_number(const isa::Form& form, std::string_view name) {
    for (unsigned i = 0; i < form.fields.size(); ++i)
        if (form.fields[i].name == name) return i;
    POGO_REQUIRE(false);
}

/// The modes of the real machine in which the guest runs, each once.
inline std::vector<isa::ModeId> real_modes(const isa::VmMap& map) {
    std::vector<isa::ModeId> result;
    for (const auto& [machine, real] : map.modes)
        if (std::find(result.begin(), result.end(), real) == result.end()) result.push_back(real);
    return result;
}

/// The obligations of a map under the configuration that is used.
class Under {
  public:
    Under(const isa::Spec& spec, isa::VmMap map, const MapFindings& findings, Options options)
        : spec_(spec), map_(std::move(map)), findings_(findings), options_(std::move(options)) {
        options_.witnesses = false;
        options_.progress = {};
        map_.synthesized.clear();
        if (!findings.synthesis || findings.synthesis->found != Verdict::yes) return;
        configuration_ = findings.synthesis->cube;
        for (const Literal& literal : *configuration_)
            options_.assumptions.push_back({literal.element, literal.value << literal.low,
                                            isa::ones(literal.high - literal.low + 1) << literal.low});
    }

    [[nodiscard]] const std::optional<Cube>& configuration() const { return configuration_; }

    [[nodiscard]] Verdict holds(const Obligation& obligation) const {
        if (!configuration_ || obligation.holds != Verdict::no) return obligation.holds;
        return obligation.mended;
    }
    [[nodiscard]] Verdict again(const isa::Spec& spec, const Obligation& obligation) const {
        return check_obligation(spec, map_, obligation, options_).holds;
    }
    [[nodiscard]] std::vector<Verdict> by_value(const isa::Spec& spec, isa::FormId form, unsigned field) const {
        return check_values(spec, map_, form, field, options_);
    }
    /// Obligation::direct: of a trap or an interrupt, that the real machine takes it and goes on with the guest.
    [[nodiscard]] Verdict direct(const Obligation& obligation) const {
        if (obligation.direct == Verdict::no || !configuration_ || configuration_->empty()) return obligation.direct;
        return check_obligation(spec_, map_, obligation, options_).direct;
    }
    [[nodiscard]] Verdict stays(isa::CauseId cause) const {
        for (const Obligation& obligation : findings_.obligations)
            if (obligation.kind == Obligation::Kind::trap && obligation.name == spec_[cause].name)
                return direct(obligation);
        POGO_REQUIRE(false);
    }
    [[nodiscard]] Verdict leaves(isa::FormId form) const { return always_leaves(spec_, map_, form, options_); }

  private:
    const isa::Spec& spec_;
    isa::VmMap map_;
    const MapFindings& findings_;
    Options options_;
    std::optional<Cube> configuration_;
};

/// What is no instruction, if that leaves; else an instruction that does. Filled up to so many parcels.
[[nodiscard]] std::optional<Replacement> replacement(const isa::Spec& spec, const Under& under, const TrapSet& set,
                                                     std::size_t parcels);

}  // namespace pogo::check
