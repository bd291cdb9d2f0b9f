// Programs as bytes of files: raw images and ELF.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "isa/spec.hpp"

namespace pogo::model {

/// The user's file cannot be loaded.
struct LoadError {
    std::string message;
    std::uint64_t offset = 0;  ///< byte of the file that is to blame, as far as known
};

/// Contents of memory. Addresses are physical and count units.
struct Image {
    struct Segment {
        std::uint64_t address = 0;
        std::vector<std::uint64_t> units;  ///< values of consecutive units
        std::uint64_t zeros = 0;           ///< units of zeros that follow
        std::uint64_t offset = 0;          ///< in the file, bytes
        bool code = true;                  ///< may hold instructions, as far as is known
    };
    std::vector<Segment> segments;
    std::optional<std::uint64_t> entry;  ///< address as programs see it
};

/// No image asks for more memory than this (bytes).
inline constexpr std::uint64_t image_limit = std::uint64_t{256} << 20;

/// A raw image at an address (units). Each unit takes as many bytes as hold its bits, rounded up to a power of two,
/// in the machine's endianness.
[[nodiscard]] std::variant<Image, LoadError> load_raw(std::span<const std::byte> file, std::uint64_t address,
                                                      const isa::Spec& spec);

/// An ELF executable, 32 or 64 bit, for a machine with units of 8 bits: its loadable segments at their physical
/// addresses. Machine type and endianness must be those of the spec. Never throws on a malformed file.
[[nodiscard]] std::variant<Image, LoadError> load_elf(std::span<const std::byte> file, const isa::Spec& spec);

/// The value of a symbol of an ELF file: an address as programs see it. Never throws on a malformed file.
[[nodiscard]] std::optional<std::uint64_t> find_symbol(std::span<const std::byte> file, std::string_view name);

}  // namespace pogo::model
