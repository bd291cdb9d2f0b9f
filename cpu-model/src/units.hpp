// How units of memory lie in bytes, and how numbers are put together from units.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "isa/spec.hpp"

namespace pogo::model {

using isa::Word;

static_assert(std::endian::native == std::endian::little, "units are kept as little-endian numbers");

/// A unit takes 2^shift bytes, a little-endian number whatever the machine's endianness; that decides only how
/// several units make one number.
struct Units {
    unsigned bits = 8;
    unsigned shift = 0;
    bool big_endian = false;
    std::uint64_t mask = 0xff;

    Units() = default;
    explicit Units(const isa::Spec& spec)
        : bits(spec.unit_bits),
          shift(spec.unit_bits <= 8    ? 0
                : spec.unit_bits <= 16 ? 1
                : spec.unit_bits <= 32 ? 2
                                       : 3),
          big_endian(spec.big_endian),
          mask(static_cast<std::uint64_t>(isa::ones(spec.unit_bits))) {}

    [[nodiscard]] std::uint64_t get(const std::byte* at) const {
        std::uint64_t value = 0;
        std::memcpy(&value, at, std::size_t{1} << shift);
        return value & mask;
    }
    void put(std::byte* at, std::uint64_t value) const { std::memcpy(at, &value, std::size_t{1} << shift); }

    /// The number made of `count` units (together at most 128 bits).
    [[nodiscard]] Word compose(const std::byte* at, unsigned count) const {
        Word value = 0;
        for (unsigned i = 0; i < count; ++i) {
            const Word unit = get(at + (std::size_t{i} << shift));
            value |= unit << (bits * (big_endian ? count - 1 - i : i));
        }
        return value;
    }
    void split(std::byte* at, unsigned count, Word value) const {
        for (unsigned i = 0; i < count; ++i) put(at + (std::size_t{i} << shift), unit(value, count, i));
    }
    /// Unit `i` of a number of `count` units.
    [[nodiscard]] std::uint64_t unit(Word value, unsigned count, unsigned i) const {
        return static_cast<std::uint64_t>(value >> (bits * (big_endian ? count - 1 - i : i))) & mask;
    }
};

}  // namespace pogo::model
