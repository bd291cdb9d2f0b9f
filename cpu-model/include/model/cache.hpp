// A cache as far as time goes: which lines it holds. What they contain is always what memory contains.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "isa/spec.hpp"
#include "model/observer.hpp"

namespace pogo::model {

/// Set-associative, with the least recently used line of a set replaced. Loads and stores are alike: what misses is
/// brought in.
class Cache {
  public:
    explicit Cache(const isa::Timing::Cache& shape)
        : line_bits_(static_cast<unsigned>(std::countr_zero(shape.line))),
          ways_(shape.ways),
          set_mask_(shape.sets() - 1),
          lines_(shape.sets() * shape.ways, none) {}

    /// Whether the unit's line is there. Now it is.
    bool access(std::uint64_t address) {
        const std::uint64_t line = address >> line_bits_;
        std::uint64_t* const set = lines_.data() + (line & set_mask_) * ways_;
        return set[0] == line || search(set, line);
    }
    /// How many of the lines of these units were not there. Addresses wrap behind `end`.
    unsigned access(std::uint64_t first, unsigned units, std::uint64_t end, Traffic::Cache& counts) {
        const std::uint64_t last = (first + (units - 1)) & end;
        const std::uint64_t lines = end >> line_bits_;
        unsigned misses = 0;
        for (std::uint64_t line = first >> line_bits_;; line = (line + 1) & lines) {
            ++counts.accesses;
            if (!access(line << line_bits_)) [[unlikely]] {
                ++counts.misses;
                ++misses;
            }
            if (line == last >> line_bits_) return misses;
        }
    }
    void clear() { std::fill(lines_.begin(), lines_.end(), none); }

  private:
    static constexpr std::uint64_t none = ~std::uint64_t{0};  // lines have two units at least
    bool search(std::uint64_t* set, std::uint64_t line) const {
        unsigned way = 1;
        while (way < ways_ && set[way] != line) ++way;
        const bool found = way < ways_;
        if (!found) way = ways_ - 1;
        for (; way > 0; --way) set[way] = set[way - 1];
        set[0] = line;
        return found;
    }

    unsigned line_bits_;
    unsigned ways_;
    std::uint64_t set_mask_;
    std::vector<std::uint64_t> lines_;  ///< by set; in each the last used first
};

}  // namespace pogo::model
