// Packets of the GDB remote serial protocol: how they are framed, and how a stream of bytes is taken apart.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pogo::cosim {

// GDB manual, appendix E.1 "Overview": $data#checksum, the checksum being the sum of the bytes between as two
// hexadecimal digits; `}` escapes the next byte (xor 0x20); `*` and a byte n repeat the byte before n - 29 times more.

/// `$data#checksum`, with what must be escaped escaped.
[[nodiscard]] std::string frame(std::string_view data);

/// Takes a stream apart, in whatever portions it comes. Bytes between packets mean nothing and are skipped, as are
/// notifications (`%data#checksum`).
class PacketReader {
  public:
    struct Item {
        enum class Kind : std::uint8_t {
            packet,   ///< `data`, with escapes and repetitions undone
            ack,      ///< +
            nack,     ///< -
            damaged,  ///< a packet with a wrong checksum or a malformed or oversized body; `data` says what is wrong
        };
        Kind kind = Kind::packet;
        std::string data;
    };
    /// No body, repetitions undone, is longer than this.
    static constexpr std::size_t limit = std::size_t{1} << 20;

    void feed(std::string_view bytes);
    /// The next item that is complete.
    [[nodiscard]] std::optional<Item> next();

  private:
    [[nodiscard]] Item take(std::string_view body, std::string_view checksum) const;
    std::string bytes_;
    std::size_t begin_ = 0;  ///< what comes before has been given out
};

/// Two digits a byte.
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
/// Nothing unless the text is an even number of hexadecimal digits.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

}  // namespace pogo::cosim
