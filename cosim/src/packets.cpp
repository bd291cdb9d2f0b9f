// Framing, escapes, run lengths and checksums.
// SPDX-License-Identifier: Apache-2.0
#include "cosim/packets.hpp"

#include <fmt/format.h>

#include <numeric>

namespace pogo::cosim {

namespace {

std::uint8_t checksum_of(std::string_view body) {
    return std::accumulate(body.begin(), body.end(), std::uint8_t{0}, [](std::uint8_t sum, char byte) {
        return static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(byte));
    });
}

std::optional<std::uint8_t> digit(char text) {
    if (text >= '0' && text <= '9') return static_cast<std::uint8_t>(text - '0');
    if (text >= 'a' && text <= 'f') return static_cast<std::uint8_t>(text - 'a' + 10);
    if (text >= 'A' && text <= 'F') return static_cast<std::uint8_t>(text - 'A' + 10);
    return std::nullopt;
}

}  // namespace

std::string frame(std::string_view data) {
    std::string body;
    for (const char byte : data) {
        if (byte == '$' || byte == '#' || byte == '}' || byte == '*') {
            body += '}';
            body += static_cast<char>(byte ^ 0x20);
        } else {
            body += byte;
        }
    }
    return fmt::format("${}#{:02x}", body, checksum_of(body));
}

void PacketReader::feed(std::string_view bytes) {
    bytes_.erase(0, begin_);
    begin_ = 0;
    bytes_ += bytes;
}

std::optional<PacketReader::Item> PacketReader::next() {
    using Kind = Item::Kind;
    while (begin_ < bytes_.size()) {
        const char first = bytes_[begin_];
        if (first != '$' && first != '%') {
            ++begin_;
            if (first == '+') return Item{Kind::ack, {}};
            if (first == '-') return Item{Kind::nack, {}};
            continue;
        }
        const std::size_t end = bytes_.find_first_of("#$", begin_ + 1);
        if (end == std::string::npos) {
            if (bytes_.size() - begin_ <= limit) return std::nullopt;
            begin_ = bytes_.size();
            return Item{Kind::damaged, "a packet has no end"};
        }
        if (bytes_[end] == '$') {  // the rest of this packet has been lost
            begin_ = end;
            return Item{Kind::damaged, "a packet begins within another"};
        }
        if (bytes_.size() - end < 3) return std::nullopt;
        const std::string_view all = bytes_;
        const Item item = take(all.substr(begin_ + 1, end - begin_ - 1), all.substr(end + 1, 2));
        begin_ = end + 3;
        if (first == '$') return item;
    }
    return std::nullopt;
}

PacketReader::Item PacketReader::take(std::string_view body, std::string_view checksum) const {
    using Kind = Item::Kind;
    const auto sum = from_hex(checksum);
    if (!sum || sum->front() != checksum_of(body)) return {Kind::damaged, "a checksum is wrong"};
    std::string data;
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] == '}') {
            if (++i == body.size()) return {Kind::damaged, "a packet ends within an escape"};
            data += static_cast<char>(body[i] ^ 0x20);
        } else if (body[i] == '*') {
            if (++i == body.size() || data.empty() || body[i] < ' ' || body[i] > '~')
                return {Kind::damaged, "a repetition is malformed"};
            data.append(static_cast<std::size_t>(body[i] - 29), data.back());
        } else {
            data += body[i];
        }
        if (data.size() > limit) return {Kind::damaged, "a packet is too long"};
    }
    return {Kind::packet, std::move(data)};
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const auto byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::vector<std::uint8_t> bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto high = digit(text[2 * i]);
        const auto low = digit(text[2 * i + 1]);
        if (!high || !low) return std::nullopt;
        bytes[i] = static_cast<std::uint8_t>((*high << 4) | *low);
    }
    return bytes;
}

}  // namespace pogo::cosim
