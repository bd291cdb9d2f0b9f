// Packets of the remote protocol, sound and damaged.
// SPDX-License-Identifier: Apache-2.0
#include "cosim/packets.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace pogo::cosim {
namespace {

using Kind = PacketReader::Item::Kind;

std::string with_sum(std::string_view body) {
    const unsigned sum = std::accumulate(
        body.begin(), body.end(), 0U, [](unsigned all, char byte) { return all + static_cast<unsigned char>(byte); });
    constexpr const char* digits = "0123456789abcdef";
    return "$" + std::string(body) + "#" + digits[sum / 16 % 16] + digits[sum % 16];
}

std::vector<std::pair<Kind, std::string>> read(std::string_view bytes) {
    PacketReader reader;
    reader.feed(bytes);
    std::vector<std::pair<Kind, std::string>> items;
    while (auto item = reader.next()) items.emplace_back(item->kind, item->data);
    return items;
}
using Items = std::vector<std::pair<Kind, std::string>>;

TEST(Packets, AreFramed) {
    EXPECT_EQ(frame("g"), "$g#67");
    EXPECT_EQ(frame(""), "$#00");
    EXPECT_EQ(frame("a}b$c#d*"),
              "$a}]b}\x04"
              "c}\x03"
              "d}\n#ec");
}

TEST(Packets, AreReadBetweenAcksAndNoise) {
    EXPECT_EQ(read("+$OK#9a-garbage\n$#00"),
              (Items{{Kind::ack, ""}, {Kind::packet, "OK"}, {Kind::nack, ""}, {Kind::packet, ""}}));
    EXPECT_EQ(read("%Stop:T05#30$OK#9A"), (Items{{Kind::packet, "OK"}})) << "notifications mean nothing here";
}

TEST(Packets, UndoRepetitionsAndEscapes) {
    EXPECT_EQ(read(with_sum("0* ")), (Items{{Kind::packet, "0000"}})) << "the manual's example";
    EXPECT_EQ(read(with_sum("ab*!c")), (Items{{Kind::packet, "abbbbbc"}}));
    EXPECT_EQ(read(with_sum("}]*\"")), (Items{{Kind::packet, "}}}}}}"}}));
    EXPECT_EQ(read(with_sum(std::string("}\x03}\x04}\x0a", 6))), (Items{{Kind::packet, "#$*"}}));
}

TEST(Packets, AreDamagedByWrongChecksums) {
    for (const char* bytes : {"$OK#9b", "$OK#zz", "$OK#9", "$Ok#9a"}) {
        const auto items = read(std::string(bytes) + " ");
        ASSERT_EQ(items.size(), 1U) << bytes;
        EXPECT_EQ(items[0].first, Kind::damaged) << bytes;
    }
}

TEST(Packets, AreDamagedByMalformedBodies) {
    for (const std::string body : {"*!", "a*", "a*\x1f", "}", "a}"}) {
        const auto items = read(with_sum(body));
        ASSERT_EQ(items.size(), 1U) << body;
        EXPECT_EQ(items[0].first, Kind::damaged) << body;
    }
}

TEST(Packets, ThatLackTheirEndAreWaitedForOrGivenUp) {
    EXPECT_EQ(read("$OK"), Items{});
    EXPECT_EQ(read("$OK#9"), Items{});
    EXPECT_EQ(read("$lost$OK#9a"), (Items{{Kind::damaged, "a packet begins within another"}, {Kind::packet, "OK"}}));
    EXPECT_EQ(read("$" + std::string(PacketReader::limit + 1, 'x')), (Items{{Kind::damaged, "a packet has no end"}}));
    std::string bomb = "x";
    while (bomb.size() < 2 * PacketReader::limit / 97 * 2) bomb += "*~";
    EXPECT_EQ(read(with_sum(bomb)), (Items{{Kind::damaged, "a packet is too long"}}));
}

TEST(Packets, ComeBackHoweverTheStreamIsCut) {
    std::mt19937 random(1);
    for (unsigned round = 0; round < 200; ++round) {
        std::string data(random() % 50, ' ');
        for (auto& byte : data) byte = static_cast<char>(random());
        const std::string bytes = frame(data) + frame("end");
        PacketReader reader;
        std::vector<std::string> packets;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t count = 1 + random() % 7;
            reader.feed(std::string_view(bytes).substr(at, count));
            at += count;
            while (const auto item = reader.next()) {
                EXPECT_EQ(item->kind, Kind::packet);
                packets.push_back(item->data);
            }
        }
        EXPECT_EQ(packets, (std::vector<std::string>{data, "end"}));
    }
}

TEST(Packets, NeverTripOverNoise) {
    std::mt19937 random(2);
    for (unsigned round = 0; round < 2000; ++round) {
        std::string bytes(random() % 60, ' ');
        for (auto& byte : bytes) byte = "$#%*}+-09af\x1d~"[random() % 13];
        static_cast<void>(read(bytes));
    }
}

TEST(Hex, IsPairsOfDigits) {
    EXPECT_EQ(to_hex(std::vector<std::uint8_t>{0, 0xaf, 0x10}), "00af10");
    EXPECT_EQ(from_hex("00aF10"), (std::vector<std::uint8_t>{0, 0xaf, 0x10}));
    EXPECT_EQ(from_hex(""), std::vector<std::uint8_t>{});
    for (const char* text : {"0", "0g", "xx", "E14"}) EXPECT_EQ(from_hex(text), std::nullopt) << text;
}

}  // namespace
}  // namespace pogo::cosim
