// Assembler and disassembler of any Spec, driven by the same patterns as its decoder.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "isa/diagnostic.hpp"
#include "isa/spec.hpp"

namespace pogo::isa {

/// What an assembled program puts where. Addresses and units are those of the Spec.
struct Image {
    struct Line {
        std::uint64_t address = 0;
        std::vector<std::uint64_t> units;  ///< contents from the address on
        SourceRange where;
        bool code = false;
    };
    std::vector<Line> lines;  ///< in the order of the text
    std::map<std::string, std::uint64_t> labels;
    std::uint64_t entry = 0;  ///< label `start` or `_start`, else the first line's address
};

/// Assembles a text registered with `sources`. Nothing when there were errors. At most 2^26 units.
///
/// Lines hold `label:`, an instruction or directive, and a comment after `;` or `//`. Directives: .org e, .align e,
/// .space e, .byte/.half/.word/.quad e, … (8, 16, 32, 64 bits in the machine's endianness), .unit e, …,
/// .ascii "…", .asciz "…" (one character a unit), .equ name, e. Expressions: numbers, 'c', labels, `.`, + - * ( ).
/// Where several forms fit, the shortest is taken, and of these the one declared first.
[[nodiscard]] std::optional<Image> assemble(const Spec& spec, const SourceManager& sources, std::uint32_t buffer,
                                            Diagnostics& diagnostics);

/// One instruction as text. `address` is where it stands, in units.
[[nodiscard]] std::string disassemble(const Spec& spec, const Decoded& decoded, std::uint64_t address);

/// The units of parcels in memory order.
[[nodiscard]] std::vector<std::uint64_t> units_of(const Spec& spec, const std::vector<std::uint64_t>& parcels);
/// A number of `bits` bits as units in the machine's endianness; `bits` is a multiple of the unit.
[[nodiscard]] std::vector<std::uint64_t> units_of(const Spec& spec, std::uint64_t value, unsigned bits);
/// The parcel that begins at `units`, which holds Spec::parcel_units of them.
[[nodiscard]] std::uint64_t parcel_of(const Spec& spec, const std::uint64_t* units);

}  // namespace pogo::isa
