// RV64's encodings against an independent reading of the manual: GNU objdump and as.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "command.hpp"
#include "isa/assembly.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using namespace isa;

constexpr const char* toolchain = "riscv64-unknown-elf-";

std::string unspaced(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' && c != '\t') out += c;
    return out;
}

// Two texts of the same instruction, whoever wrote them, become equal: no comment, no blanks, numbers in decimal.
std::string normal(std::string text) {
    text.resize(std::min(text.size(), text.find('#')));
    const auto name_end = std::min(text.size(), text.find_first_of(" \t"));
    std::string name = text.substr(0, name_end);
    std::string out;
    const std::string operands = unspaced(std::string_view(text).substr(name_end));
    for (std::size_t at = 0; at < operands.size();) {
        const auto word = [&](std::size_t i) {
            return i < operands.size() && std::isalnum(static_cast<unsigned char>(operands[i])) != 0;
        };
        const bool minus = operands[at] == '-';
        std::size_t end = minus ? at + 1 : at;
        while (word(end)) ++end;
        if (end > at + (minus ? 1 : 0) &&
            std::isdigit(static_cast<unsigned char>(operands[at + (minus ? 1 : 0)])) != 0) {
            const std::string digits = operands.substr(at + (minus ? 1 : 0), end - at - (minus ? 1 : 0));
            auto value = static_cast<std::int64_t>(std::stoull(digits, nullptr, 0));
            if (minus) value = -value;
            if (name == "c.lui") value &= 0xfffff;  // GNU shows the sign in 20 bits
            out += fmt::format("{}", value);
        } else {
            end = std::max(end, at + 1);
            out += operands.substr(at, end - at);
        }
        at = end;
    }
    // Names that objdump prefers, even when told not to use aliases.
    if (name == "pause") return "fence w,unknown";
    if (name == "unimp") return "csrrw x0,cycle,x0";
    return out.empty() ? name : name + " " + out;
}

class Rv64Encoding : public FolderTest {
  protected:
    void SetUp() override {
        FolderTest::SetUp();
        if (!installed(toolchain + std::string("objdump"))) GTEST_SKIP() << "no " << toolchain << "objdump";
    }

    // What objdump says to each of the codes, all of the same length; nothing where it knows none.
    std::vector<std::optional<std::string>> objdump(const std::vector<std::uint32_t>& codes, unsigned bytes) {
        std::string image;
        for (const auto code : codes)
            for (unsigned i = 0; i < bytes; ++i) image += static_cast<char>(code >> 8 * i);
        const auto result = shell(fmt::format("{}objdump -D -z -b binary -m riscv:rv64 -M no-aliases,numeric {}",
                                              toolchain, file("codes.bin", image)));
        EXPECT_EQ(result.code, 0);
        std::vector<std::optional<std::string>> texts;
        std::istringstream lines(result.out);
        for (std::string line; std::getline(lines, line);) {
            const auto colon = line.find(":\t");
            if (colon == std::string::npos) continue;
            EXPECT_EQ(std::stoull(line.substr(0, colon), nullptr, 16), texts.size() * bytes);
            const auto tab = line.find('\t', colon + 2);
            const std::string text = tab == std::string::npos ? "" : line.substr(tab + 1);
            if (text.empty() || text[0] == '.' || text == "c.unimp")
                texts.emplace_back();
            else
                texts.emplace_back(normal(text));
        }
        EXPECT_EQ(texts.size(), codes.size());
        texts.resize(codes.size());
        return texts;
    }

    [[nodiscard]] std::optional<Decoded> decode(std::uint32_t code, unsigned bytes) const {
        std::vector<std::uint64_t> parcels{code & 0xffff};
        if (bytes == 4) parcels.push_back(code >> 16);
        unsigned wanted = 0;
        return decoder_.decode(parcels, wanted);
    }
    [[nodiscard]] std::optional<std::string> ours(std::uint32_t code, unsigned bytes, std::uint64_t address) const {
        const auto decoded = decode(code, bytes);
        if (!decoded) return std::nullopt;
        return normal(disassemble(spec_, *decoded, address));
    }
    static std::uint32_t code_of(const std::vector<std::uint64_t>& parcels) {
        return static_cast<std::uint32_t>(parcels[0] | (parcels.size() > 1 ? parcels[1] << 16 : 0));
    }
    // Values that the encoding has room for and the form permits.
    [[nodiscard]] std::optional<std::vector<std::uint64_t>> fields(const Form& form) {
        for (unsigned tries = 0; tries < 100; ++tries) {
            std::vector<std::uint64_t> values;
            for (const Field& field : form.fields) {
                const auto all = static_cast<std::uint64_t>(ones(field.width));
                const std::uint64_t kind = random_() % 8;
                values.push_back((kind == 0 ? 0 : kind == 1 ? all : random_()) & all);
            }
            const auto decoded = decode(code_of(encode(form, values)), form_bytes(form));  // drops bits without a place
            if (decoded && &spec_[decoded->form] == &form) return decoded->fields;
        }
        return std::nullopt;
    }
    static unsigned form_bytes(const Form& form) { return static_cast<unsigned>(form.encoding.parcels.size()) * 2; }

    Spec spec_ = machine("rv64.isa");
    Decoder decoder_{spec_};
    std::mt19937_64 random_{2019};
};

TEST_F(Rv64Encoding, EveryParcelMeansWhatObjdumpSays) {
    std::vector<std::uint32_t> codes;
    for (std::uint32_t code = 0; code < 0x10000; ++code)
        if ((code & 3) != 3) codes.push_back(code);
    const auto theirs = objdump(codes, 2);
    std::size_t decoded = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
        auto expected = theirs[i];
        if (expected && expected->starts_with("c.f")) expected.reset();    // there is no D (UM 16.3)
        if (expected && *expected == "c.addi16sp x2,0") expected.reset();  // reserved (UM 16.5)
        ASSERT_EQ(ours(codes[i], 2, 2 * i), expected) << fmt::format("{:04x}", codes[i]);
        decoded += expected ? 1 : 0;
    }
    EXPECT_EQ(decoded, 38'551U);
    // And what has 11 at its end is longer than a parcel.
    for (std::uint32_t code = 3; code < 0x10000; code += 4) ASSERT_FALSE(decode(code, 2).has_value());
}

TEST_F(Rv64Encoding, EveryFormMeansWhatObjdumpSays) {
    std::vector<std::uint32_t> codes;
    std::vector<std::string> texts;
    for (const Form& form : spec_.forms) {
        if (form_bytes(form) != 4) continue;
        for (unsigned n = 0; n < 100; ++n) {
            const auto values = fields(form);
            ASSERT_TRUE(values.has_value()) << spec_[form.instruction].name;
            codes.push_back(code_of(encode(form, *values)));
        }
    }
    const auto theirs = objdump(codes, 4);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto text = ours(codes[i], 4, 4 * i);
        ASSERT_TRUE(text.has_value());
        if (text->find(".reserved ") != std::string::npos)
            EXPECT_FALSE(theirs[i].has_value()) << *text;
        else
            ASSERT_EQ(text, theirs[i]) << fmt::format("{:08x}", codes[i]);
    }
}

// Of each major opcode that is used, all minor ones with random other bits.
TEST_F(Rv64Encoding, NothingElseIsAnInstruction) {
    std::set<std::uint32_t> opcodes;
    std::set<std::string> names;
    for (const Form& form : spec_.forms) {
        if (form_bytes(form) == 4) opcodes.insert(form.encoding.parcels[0].value & 0x7f);
        for (const auto& part : form.assembly) {
            names.insert(part.text.substr(0, part.text.find(' ')));
            break;
        }
    }
    EXPECT_EQ(opcodes.size(), 14U);
    std::vector<std::uint32_t> codes;
    for (const std::uint32_t opcode : opcodes)
        for (std::uint32_t minor = 0; minor < 1024; ++minor)
            for (unsigned n = 0; n < 6; ++n) {
                auto code = static_cast<std::uint32_t>(random_());
                if (n == 0) code &= ~(31U << 20);  // rs2, often a further selector
                if (n == 1) code &= ~(31U << 7);
                codes.push_back((code & 0x01ff8f80) | minor >> 3 << 25 | (minor & 7) << 12 | opcode);
            }
    const auto theirs = objdump(codes, 4);
    std::size_t both = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto text = ours(codes[i], 4, 4 * i);
        const bool system = (codes[i] & 0x7f) == 0x73;
        const bool known = theirs[i] && names.contains(theirs[i]->substr(0, theirs[i]->find(' ')));
        if (text && text->find(".reserved ") != std::string::npos) {
            EXPECT_FALSE(theirs[i].has_value()) << *text;
        } else if (text || (known && !system)) {  // objdump knows more control registers than this machine has
            ASSERT_EQ(text, theirs[i]) << fmt::format("{:08x}", codes[i]);
            ++both;
        }
    }
    EXPECT_GT(both, codes.size() / 3);
}

// A target is written as a distance, since as does not know where the text will be.
TEST_F(Rv64Encoding, AsUnderstandsOurText) {
    // What GNU as has no text for.
    const auto unheard = [](const std::string& text) {
        return text.find("unknown") != std::string::npos || text.find(".reserved ") != std::string::npos ||
               (text.starts_with("c.lui ") && text.find('-') != std::string::npos);
    };
    std::string source = ".text\n.option norelax\n";
    std::string expected;
    std::vector<std::string> texts;
    for (const Form& form : spec_.forms) {
        const bool compressed = form_bytes(form) == 2;
        source += compressed ? ".option rvc\n" : ".option norvc\n";
        for (unsigned n = 0, written = 0; n < 100 && written < 20; ++n) {
            const auto values = fields(form);
            ASSERT_TRUE(values.has_value());
            const auto parcels = encode(form, *values);
            const auto decoded = decode(code_of(parcels), form_bytes(form));
            std::string text = disassemble(spec_, *decoded, expected.size());
            if (unheard(text)) continue;
            for (const auto& part : form.assembly) {
                if (part.kind != AssemblyPart::Kind::relative) continue;
                const auto target = text.rfind("0x");
                const auto distance = static_cast<std::int64_t>(std::stoull(text.substr(target), nullptr, 0)) -
                                      static_cast<std::int64_t>(expected.size());
                text = text.substr(0, target) + fmt::format(".+({})", distance);
            }
            source += text + "\n";
            texts.push_back(text);
            for (const auto unit : units_of(spec_, parcels)) expected += static_cast<char>(unit);
            ++written;
        }
    }
    const std::string assembly = file("forms.s", source);
    const std::string object = (folder_ / "forms.o").string();
    const auto result =
        shell(fmt::format("{0}as -march=rv64imac_zicsr_zifencei -o {2} {1} 2>&1 && {0}objcopy -O binary "
                          "-j .text {2} {2}.bin 2>&1",
                          toolchain, assembly, object));
    ASSERT_EQ(result.code, 0) << result.out;
    const std::string got = text_of(object + ".bin");
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t at = 0, n = 0; at < got.size(); ++n) {
        const std::size_t length = (expected[at] & 3) == 3 ? 4 : 2;
        ASSERT_EQ(got.substr(at, length), expected.substr(at, length)) << texts[n];
        at += length;
    }
    EXPECT_GT(texts.size(), 4'000U);
}

// The manual's figures of Zicfiss, Zimop and Zcmop (Volume I), which this GNU as does not know: codes and texts.
TEST(Rv64ShadowEncoding, IsTheManuals) {
    const Spec spec = machine("rv64.isa", {{"zicfiss", "true"}});
    const Decoder decoder(spec);
    const Spec plain = machine("rv64.isa");
    const Decoder without(plain);
    const auto decode = [](const Decoder& by, std::uint32_t code) {
        std::vector<std::uint64_t> parcels{code & 0xffff};
        if ((code & 3) == 3) parcels.push_back(code >> 16);
        unsigned wanted = 0;
        return by.decode(parcels, wanted);
    };
    const std::vector<std::pair<std::uint32_t, std::string>> figures = {
        {0xce10'4073, "sspush x1"},
        {0xce50'4073, "sspush x5"},
        {0x6081, "c.sspush x1"},
        {0x6281, "c.sspopchk x5"},
        {0xcdc0'c073, "sspopchk x1"},
        {0xcdc2'c073, "sspopchk x5"},
        {0xcdc0'40f3, "ssrdp x1"},
        {0xcdc0'4ff3, "ssrdp x31"},
        {0x48a5'a52f, "ssamoswap.w x10, x10, (x11)"},
        {0x48a5'b52f, "ssamoswap.d x10, x10, (x11)"},
        {0x4ea5'b52f, "ssamoswap.d.aqrl x10, x10, (x11)"},
        {0x0110'2573, "csrrs x10, ssp, x0"},
        {0x81c5'c573, "mop.r.0 x10, x11"},
        {0xcdf5'c573, "mop.r.31 x10, x11"},
        {0x82c5'c573, "mop.rr.0 x10, x11, x12"},
        {0xcec5'c573, "mop.rr.7 x10, x11, x12"},
        // What shadow stacks leave of theirs.
        {0xcdc0'4073, "mop.r.28 x0, x0"},
        {0xcdc1'4073, "mop.r.28 x0, x2"},
        {0xcdc0'c0f3, "mop.r.28 x1, x1"},
        {0xce20'4073, "mop.rr.7 x0, x0, x2"},
        {0xce10'40f3, "mop.rr.7 x1, x0, x1"},
        {0xce10'c073, "mop.rr.7 x0, x1, x1"},
        {0x6181, "c.mop.3"},
        {0x6381, "c.mop.7"},
        {0x6481, "c.mop.9"},
        {0x6781, "c.mop.15"}};
    for (const auto& [code, text] : figures) {
        const auto decoded = decode(decoder, code);
        ASSERT_TRUE(decoded.has_value()) << text;
        EXPECT_EQ(normal(disassemble(spec, *decoded, 0)), normal(text));
        const auto parcels = encode(spec[decoded->form], decoded->fields);
        EXPECT_EQ(parcels[0] | (parcels.size() > 1 ? parcels[1] << 16 : 0), code) << text;
        EXPECT_FALSE(decode(without, code).has_value()) << text;
    }
    // The 40 of Zimop, whatever their registers.
    for (std::uint32_t n = 0; n < 40; ++n)
        for (std::uint32_t registers = 0; registers < 1U << 15; registers += 37) {
            const std::uint32_t place = n < 32 ? (n & 16) << 26 | (n & 12) << 24 | (n & 3) << 20 | 0x01c0'0000
                                               : (n & 4) << 28 | (n & 3) << 26 | 0x0200'0000 | (registers >> 10) << 20;
            const std::uint32_t code = 0x8000'4073 | place | (registers >> 5 & 31) << 15 | (registers & 31) << 7;
            ASSERT_TRUE(decode(decoder, code).has_value()) << n << ", " << registers;
        }
}

}  // namespace
}  // namespace pogo::integration
