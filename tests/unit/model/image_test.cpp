// Loading raw images and ELF files, good and damaged.
// SPDX-License-Identifier: Apache-2.0
#include <elf.h>

#include <array>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "support.hpp"

namespace pogo::model::test {
namespace {

using Bytes = std::vector<std::byte>;

struct Segment {
    std::uint64_t address = 0;
    std::vector<std::uint8_t> data;
    std::uint64_t memory_size = 0;
};

// An ELF file written by hand: header, program headers, data, and where there are symbols their table, their names and
// the headers of these two sections.
struct Builder {
    bool wide = true;
    bool big = false;
    std::uint16_t machine = 243;
    std::uint16_t type = ET_EXEC;
    std::uint64_t entry = 0x120;
    std::vector<Segment> segments{{0x100, {0x11, 0x22, 0x33, 0x44}, 6}};
    std::vector<std::pair<std::string, std::uint64_t>> symbols;

    Bytes bytes;
    void number(std::uint64_t value, unsigned width) {
        for (unsigned i = 0; i < width; ++i)
            bytes.push_back(static_cast<std::byte>(value >> 8 * (big ? width - 1 - i : i)));
    }
    Bytes build() {
        const unsigned word = wide ? 8 : 4;
        const unsigned header = wide ? 64 : 52;
        const unsigned entry_size = wide ? 56 : 32;
        bytes.clear();
        const auto identification = std::to_array<int>(
            {0x7f, 'E', 'L', 'F', wide ? ELFCLASS64 : ELFCLASS32, big ? ELFDATA2MSB : ELFDATA2LSB, EV_CURRENT});
        for (const int b : identification) bytes.push_back(static_cast<std::byte>(b));
        bytes.resize(EI_NIDENT);
        number(type, 2);
        number(machine, 2);
        number(1, 4);
        number(entry, word);
        number(header, word);
        std::uint64_t offset = header + entry_size * segments.size();
        std::uint64_t data_end = offset;
        for (const auto& s : segments) data_end += s.data.size();
        const unsigned symbol_size = wide ? 24 : 16;
        const std::uint64_t symbols_size = symbol_size * (symbols.size() + 1);
        std::string names(1, '\0');
        for (const auto& symbol : symbols) names += symbol.first + '\0';
        number(symbols.empty() ? 0 : data_end + symbols_size + names.size(), word);
        number(0, 4);
        const unsigned sections = symbols.empty() ? 0 : 3;
        for (const unsigned half : {header, entry_size, static_cast<unsigned>(segments.size()), wide ? 64U : 40U,
                                    sections, sections == 0 ? 0U : 2U})
            number(half, 2);
        for (const auto& s : segments) {
            number(PT_LOAD, 4);
            if (wide) number(PF_R, 4);
            number(offset, word);
            number(s.address, word);
            number(s.address, word);
            number(s.data.size(), word);
            number(s.memory_size, word);
            if (!wide) number(PF_R, 4);
            number(1, word);
            offset += s.data.size();
        }
        for (const auto& s : segments)
            for (const auto b : s.data) bytes.push_back(static_cast<std::byte>(b));
        if (symbols.empty()) return bytes;
        bytes.resize(bytes.size() + symbol_size);
        std::uint64_t name = 1;
        for (const auto& [text, value] : symbols) {
            number(name, 4);
            if (!wide) number(value, 4), number(0, 4);
            number(STB_GLOBAL << 4, 1);
            number(0, 1);
            number(text == "undefined" ? SHN_UNDEF : SHN_ABS, 2);
            if (wide) number(value, 8), number(0, 8);
            name += text.size() + 1;
        }
        for (const char c : names) bytes.push_back(static_cast<std::byte>(c));
        const auto section = [&](unsigned kind, std::uint64_t from, std::uint64_t size, unsigned link, unsigned each) {
            number(0, 4);
            number(kind, 4);
            number(0, word);
            number(0, word);
            number(from, word);
            number(size, word);
            number(link, 4);
            number(0, 4);
            number(1, word);
            number(each, word);
        };
        section(SHT_NULL, 0, 0, 0, 0);
        section(SHT_SYMTAB, data_end, symbols_size, 2, symbol_size);
        section(SHT_STRTAB, data_end + symbols_size, names.size(), 0, 0);
        return bytes;
    }
};

class Elf : public ::testing::Test {
  protected:
    std::unique_ptr<isa::Spec> little_ = spec_of(toy_text());
    std::unique_ptr<isa::Spec> big_ = spec_of(toy_text(plain_timing, "", "big"));
    std::string error(const Bytes& file) {
        const auto result = load_elf(file, *little_);
        return std::holds_alternative<LoadError>(result) ? std::get<LoadError>(result).message : "";
    }
};

TEST_F(Elf, LoadsEveryClassAndOrder) {
    for (const bool wide : {false, true})
        for (const bool big : {false, true}) {
            Builder builder;
            builder.wide = wide;
            builder.big = big;
            builder.segments.push_back({0x8000, {9}, 1});
            const auto result = load_elf(builder.build(), big ? *big_ : *little_);
            ASSERT_TRUE(std::holds_alternative<Image>(result)) << std::get<LoadError>(result).message;
            const auto& image = std::get<Image>(result);
            EXPECT_EQ(image.entry, 0x120U);
            ASSERT_EQ(image.segments.size(), 2U);
            EXPECT_EQ(image.segments[0].address, 0x100U);
            EXPECT_EQ(image.segments[0].units, (std::vector<std::uint64_t>{0x11, 0x22, 0x33, 0x44}));
            EXPECT_EQ(image.segments[0].zeros, 2U);
            EXPECT_EQ(image.segments[1].address, 0x8000U);
        }
}

TEST_F(Elf, HasSymbols) {
    for (const bool wide : {false, true})
        for (const bool big : {false, true}) {
            Builder builder;
            builder.wide = wide;
            builder.big = big;
            EXPECT_EQ(find_symbol(builder.build(), "tohost"), std::nullopt);
            builder.symbols = {{"start", 0x100}, {"undefined", 1}, {"tohost", 0x80001000}};
            const Bytes good = builder.build();
            EXPECT_EQ(error(good), big ? error(good) : "");
            EXPECT_EQ(find_symbol(good, "tohost"), 0x80001000U);
            EXPECT_EQ(find_symbol(good, "start"), 0x100U);
            EXPECT_EQ(find_symbol(good, "tohos"), std::nullopt);
            EXPECT_EQ(find_symbol(good, "undefined"), std::nullopt);
            std::mt19937 random(8);
            for (std::size_t length = 0; length < good.size(); ++length)
                static_cast<void>(find_symbol(std::span(good).first(length), "tohost"));
            for (unsigned i = 0; i < 5000; ++i) {
                Bytes bad = good;
                for (unsigned k = 0; k < 1 + i % 4; ++k) bad[random() % bad.size()] = static_cast<std::byte>(random());
                static_cast<void>(find_symbol(bad, "tohost"));
            }
        }
}

TEST_F(Elf, GoesIntoMemory) {
    const auto spec = spec_of(toy_text(plain_timing, toy_platform));
    Simulator simulator;
    ASSERT_EQ(simulator.load(*spec), std::nullopt);
    simulator.poke(0x104, 0x77);
    Builder builder;
    EXPECT_FALSE(simulator.load(std::get<Image>(load_elf(builder.build(), *spec))).has_value());
    EXPECT_EQ(simulator.peek(0x103), 0x44U);
    EXPECT_EQ(simulator.peek(0x104), 0U);
    builder.segments = {{0xEFFE, {1, 2, 3, 4}, 4}};  // the UART is behind the end of memory
    const auto error = simulator.load(std::get<Image>(load_elf(builder.build(), *spec)));
    ASSERT_TRUE(error.has_value());
    EXPECT_NE(error->message.find("0xf000"), std::string::npos);
}

TEST_F(Elf, RefusesWhatDoesNotFit) {
    Builder builder;
    EXPECT_EQ(error(builder.build()), "");
    builder.machine = 4;
    EXPECT_NE(error(builder.build()).find("machine type 4"), std::string::npos);
    builder = {};
    builder.big = true;
    EXPECT_NE(error(builder.build()).find("big-endian"), std::string::npos);
    builder = {};
    builder.type = ET_REL;
    EXPECT_NE(error(builder.build()).find("not an executable"), std::string::npos);
    builder = {};
    builder.segments = {{0xFFFF, {1, 2}, 2}};
    EXPECT_NE(error(builder.build()).find("does not fit"), std::string::npos);
    builder.segments = {{~std::uint64_t{0}, {1, 2}, 2}};
    EXPECT_NE(error(builder.build()).find("does not fit"), std::string::npos);
    builder.segments = {{0x100, {1, 2}, 1}};
    EXPECT_NE(error(builder.build()).find("larger in the file"), std::string::npos);
    builder.segments = {{0x100, {1, 2}, ~std::uint64_t{0}}};
    EXPECT_NE(error(builder.build()).find("256 MiB"), std::string::npos);
    builder.segments = {{0x100, {1, 2}, 2}, {0x101, {1}, 1}};
    EXPECT_NE(error(builder.build()).find("overlap"), std::string::npos);
    builder.segments = {};
    EXPECT_NE(error(builder.build()), "");
    EXPECT_NE(error({}), "");
    EXPECT_NE(error(Bytes(100, std::byte{'x'})), "");
}

TEST_F(Elf, SurvivesDamage) {
    std::mt19937 random(7);
    for (const bool wide : {false, true}) {
        Builder builder;
        builder.wide = wide;
        const Bytes good = builder.build();
        for (std::size_t length = 0; length < good.size(); ++length)
            EXPECT_NE(error(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))), "") << length;
        for (unsigned i = 0; i < 20000; ++i) {
            Bytes bad = good;
            for (unsigned k = 0; k < 1 + i % 4; ++k) bad[random() % bad.size()] = static_cast<std::byte>(random());
            static_cast<void>(error(bad));  // anything but a crash
        }
    }
}

TEST_F(Elf, RawImages) {
    const Bytes file{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    const auto result = load_raw(file, 0x40, *little_);
    EXPECT_EQ(std::get<Image>(result).segments.at(0).units, (std::vector<std::uint64_t>{1, 2, 3, 4}));
    EXPECT_TRUE(std::holds_alternative<LoadError>(load_raw(file, 0xFFFE, *little_)));
    auto words = *big_;
    words.unit_bits = 12;  // two bytes a unit
    EXPECT_EQ(std::get<Image>(load_raw(file, 0, words)).segments.at(0).units,
              (std::vector<std::uint64_t>{0x102, 0x304}));
    words.big_endian = false;
    EXPECT_EQ(std::get<Image>(load_raw(file, 0, words)).segments.at(0).units,
              (std::vector<std::uint64_t>{0x201, 0x403}));
    words.unit_bits = 9;
    EXPECT_TRUE(std::holds_alternative<LoadError>(load_raw(file, 0, words)));
    EXPECT_TRUE(std::holds_alternative<LoadError>(load_raw(std::span(file).first(3), 0, words)));
    EXPECT_TRUE(std::holds_alternative<LoadError>(load_elf(file, words)));
}

}  // namespace
}  // namespace pogo::model::test
