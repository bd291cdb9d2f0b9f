// Walks: a translation that loads, run on machine words by those who are not the model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "isa/fold.hpp"
#include "isa/spec.hpp"

namespace pogo::isa {

/// Spec::translation, its loads included. Of one that does not load it is a plain evaluation.
class Walk {
  public:
    explicit Walk(const Spec& spec) : translation_(&spec.translation) {
        std::vector<Term> roots;  // in the order in which things are decided
        std::size_t fault = 0;
        const auto faults_before = [&](std::size_t loads) {
            for (; fault < translation_->faults.size() && translation_->faults[fault].loads_before <= loads; ++fault)
                roots.push_back(translation_->faults[fault].guard);
        };
        for (std::size_t load = 0; load < translation_->loads.size(); ++load) {
            faults_before(load);
            roots.insert(roots.end(), {translation_->loads[load].guard, translation_->loads[load].physical});
        }
        faults_before(translation_->loads.size());
        roots.push_back(translation_->physical);
        program_ = compile(spec.terms, roots);
        at_.resize(program_.first + program_.steps.size());
    }

    /// The physical address, or nothing where the access faults. `domain` is one of Words and reads variables from
    /// `values` (by variable), where the walk puts those of its own; `load(physical, units)` gives memory as a Word.
    template <Domain D, class Load>
    [[nodiscard]] std::optional<std::uint64_t> run(D& domain, std::span<Word> values, std::uint64_t address,
                                                   unsigned access, unsigned units, Load&& load) {
        values[translation_->address.id] = address;
        values[translation_->access.id] = access;
        values[translation_->units.id] = units;
        std::size_t done = 0;
        const auto run_for = [&](std::size_t roots) {
            std::size_t end = done;
            for (std::size_t r = 0; r < roots; ++r)
                if (const auto position = program_.roots[r]; position >= program_.first)
                    end = std::max<std::size_t>(end, position - program_.first + 1);
            fold(program_, done, end, domain, at_.data());
            done = end;
        };
        std::size_t next = 0;
        std::size_t fault = 0;
        const auto faults_before = [&](std::size_t loads) {
            for (; fault < translation_->faults.size() && translation_->faults[fault].loads_before <= loads; ++fault) {
                run_for(next + 1);
                if (root(next++) != 0) return true;
            }
            return false;
        };
        for (std::size_t i = 0; i < translation_->loads.size(); ++i) {
            if (faults_before(i)) return std::nullopt;
            const auto& from = translation_->loads[i];
            run_for(next + 2);
            const bool happens = root(next) != 0;
            values[from.result.id] = happens ? load(static_cast<std::uint64_t>(root(next + 1)), from.units) : Word{0};
            next += 2;
        }
        if (faults_before(translation_->loads.size())) return std::nullopt;
        run_for(next + 1);
        return static_cast<std::uint64_t>(root(next));
    }

  private:
    [[nodiscard]] Word root(std::size_t number) const { return at_[program_.roots[number]]; }

    const Translation* translation_;
    Program program_;
    std::vector<Word> at_;
};

}  // namespace pogo::isa
