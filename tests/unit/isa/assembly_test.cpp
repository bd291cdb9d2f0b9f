// Two-way encodings: decoder, disassembler and assembler agree on every form of every shipped spec.
// SPDX-License-Identifier: Apache-2.0
#include "isa/assembly.hpp"

#include <fmt/format.h>

#include <random>
#include <vector>

#include "support.hpp"

namespace pogo::isa {
namespace {

using testing::must_load;
using testing::shipped;

struct Assembled {
    std::optional<Image> image;
    std::string said;
};

Assembled assemble_text(const Spec& spec, const std::string& text) {
    SourceManager sources;
    Diagnostics diagnostics;
    const auto buffer = sources.add("test.s", text);
    Assembled result;
    result.image = assemble(spec, sources, buffer, diagnostics);
    result.said = render(diagnostics, sources);
    return result;
}

std::optional<Decoded> decode_all(const Decoder& decoder, const std::vector<std::uint64_t>& parcels) {
    unsigned wanted = 0;
    return decoder.decode(parcels, wanted);
}

class ShippedSpec : public ::testing::TestWithParam<std::string> {};

TEST_P(ShippedSpec, DecodesWhatItEncodes) {
    const Spec spec = shipped(GetParam());
    const Decoder decoder(spec);
    std::mt19937_64 random(5);
    for (std::uint32_t number = 0; number < spec.forms.size(); ++number) {
        const Form& form = spec.forms[number];
        for (unsigned n = 0; n < 8; ++n) {
            std::vector<std::uint64_t> fields;
            for (const Field& field : form.fields)
                fields.push_back(random() & static_cast<std::uint64_t>(ones(field.width)));
            if (!permits(spec, form, fields)) continue;
            const auto parcels = encode(form, fields);
            const auto decoded = decode_all(decoder, parcels);
            ASSERT_TRUE(decoded.has_value()) << form.variant;
            ASSERT_EQ(decoded->form.index, number) << spec[form.instruction].name << " " << form.variant;
            ASSERT_EQ(encode(spec[decoded->form], decoded->fields), parcels);
            // One parcel is never enough where more follow, and none is wanted that is not the instruction's.
            if (parcels.size() > 1) {
                unsigned wanted = 0;
                EXPECT_FALSE(decoder.decode(std::span(parcels).first(1), wanted).has_value());
                EXPECT_GT(wanted, 1U);
                EXPECT_LE(wanted, parcels.size());
            }
        }
    }
}

TEST_P(ShippedSpec, AssemblesWhatItDisassembles) {
    const Spec spec = shipped(GetParam());
    const Decoder decoder(spec);
    std::mt19937_64 random(6);
    constexpr std::uint64_t origin = 0x40;
    // One program with an example of every form, each at a place of its own, so that the assembler runs once.
    std::string program;
    std::vector<std::string> texts;
    std::vector<std::uint64_t> addresses;
    std::uint64_t address = origin;
    for (const Form& form : spec.forms) {
        std::vector<std::uint64_t> fields;
        for (int tries = 0; tries < 50; ++tries) {
            fields.clear();
            for (const Field& field : form.fields)
                fields.push_back(random() & static_cast<std::uint64_t>(ones(field.width)));
            if (permits(spec, form, fields)) break;
        }
        if (!permits(spec, form, fields)) continue;
        const auto decoded = decode_all(decoder, encode(form, fields));
        ASSERT_TRUE(decoded.has_value());
        texts.push_back(disassemble(spec, *decoded, address));
        addresses.push_back(address);
        program += fmt::format(".org {}\n  {}\n", address, texts.back());
        address += 16;  // longer than any instruction, and all have room where addresses have 16 bits
    }
    const auto assembled = assemble_text(spec, program);
    ASSERT_TRUE(assembled.image.has_value()) << assembled.said;
    ASSERT_EQ(assembled.image->lines.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        // The bytes may be those of a shorter form with the same text; the text must come back.
        const auto& units = assembled.image->lines[i].units;
        std::vector<std::uint64_t> parcels;
        for (std::size_t at = 0; at < units.size(); at += spec.parcel_units)
            parcels.push_back(parcel_of(spec, &units[at]));
        const auto decoded = decode_all(decoder, parcels);
        ASSERT_TRUE(decoded.has_value()) << texts[i];
        EXPECT_EQ(disassemble(spec, *decoded, addresses[i]), texts[i]);
    }
}

std::vector<std::string> machines() {
    std::vector<std::string> names;
    for (const auto& path : testing::shipped_files())
        if (path.stem().extension() != ".policy") names.push_back(path.filename().string());
    return names;
}
INSTANTIATE_TEST_SUITE_P(Specs, ShippedSpec, ::testing::ValuesIn(machines()),
                         [](const auto& spec) { return spec.param.substr(0, spec.param.find('.')); });

Spec toy(const std::string& properties = "endian big; address 16;") {
    return must_load(testing::machine(
        "instruction jump { encoding 0x1 d:4; assembly \"jump {d:relative(1)}\"; pc = pc + sext(d, 16) + 1; }\n"
        "instruction far { encoding 0x20, d:16; assembly \"jump {d}\"; pc = d; }\n"
        "instruction load { encoding 0x3 n:4; assembly \"load #{n:signed}\"; }\n"
        "instruction nop { encoding 0x00; assembly \"nop\"; }\n",
        properties));
}

// A number in the upper half of the address space is a negative displacement only in a field that cannot hold it.
TEST(Assembler, WrapsAddressesIntoSignedFields) {
    const Spec spec =
        must_load(testing::machine("instruction narrow { encoding 0x1 n:12; assembly \"narrow {n:signed}\"; }\n"
                                   "instruction same { encoding 0x20, n:16; assembly \"same {n:signed}\"; }\n"
                                   "instruction wide { encoding 0x30, n:32; assembly \"wide {n:signed}\"; }\n",
                                   "endian big; address 16;"));
    const auto r = assemble_text(spec, "narrow 0xFFFF\nsame 0xFFFE\nwide 0xFFFD\nwide -1\n");
    ASSERT_TRUE(r.image.has_value()) << r.said;
    std::vector<std::vector<std::uint64_t>> units;
    for (const auto& line : r.image->lines) units.push_back(line.units);
    const std::vector<std::vector<std::uint64_t>> expected{
        {0x1F, 0xFF}, {0x20, 0xFF, 0xFE}, {0x30, 0x00, 0x00, 0xFF, 0xFD}, {0x30, 0xFF, 0xFF, 0xFF, 0xFF}};
    EXPECT_EQ(units, expected);
}

TEST(Assembler, KnowsLabelsDirectivesAndExpressions) {
    const Spec spec = toy();
    const auto r = assemble_text(spec,
                                 ".equ three, 1 + 2\n"
                                 "start: load #-three + 1   ; two less\n"
                                 "  .half start + 0x102, 'A'\n"
                                 "  .align 4\n"
                                 "text: .asciz \"a;\\n\" // not a comment inside\n"
                                 "  .space 2\n"
                                 "  .byte -1, 255\n");
    ASSERT_TRUE(r.image.has_value()) << r.said;
    const auto& lines = r.image->lines;
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_EQ(lines[0].units, (std::vector<std::uint64_t>{0x3E}));
    EXPECT_EQ(lines[1].units, (std::vector<std::uint64_t>{0x01, 0x02, 0x00, 0x41}));
    EXPECT_EQ(lines[3].address, 8U);
    EXPECT_EQ(lines[3].units, (std::vector<std::uint64_t>{'a', ';', '\n', 0}));
    EXPECT_EQ(lines[5].units, (std::vector<std::uint64_t>{255, 255}));
    EXPECT_EQ(r.image->labels.at("text"), 8U);
}

TEST(Assembler, StoresNumbersInTheMachinesEndianness) {
    const Spec spec = toy("endian little; address 16;");
    const auto r = assemble_text(spec, ".half 0x102\n.word 0x1020304\njump 0x1234\n");
    ASSERT_TRUE(r.image.has_value()) << r.said;
    EXPECT_EQ(r.image->lines[0].units, (std::vector<std::uint64_t>{2, 1}));
    EXPECT_EQ(r.image->lines[1].units, (std::vector<std::uint64_t>{4, 3, 2, 1}));
    EXPECT_EQ(r.image->lines[2].units, (std::vector<std::uint64_t>{0x20, 0x34, 0x12}));
}

TEST(Assembler, GrowsBranchesThatDoNotReach) {
    const Spec spec = toy();
    const auto near = assemble_text(spec, "jump end\nnop\nend: nop\n");
    ASSERT_TRUE(near.image.has_value()) << near.said;
    EXPECT_EQ(near.image->lines[0].units, (std::vector<std::uint64_t>{0x11}));
    const auto away = assemble_text(spec, "jump end\n.space 20\nend: nop\n");
    ASSERT_TRUE(away.image.has_value()) << away.said;
    EXPECT_EQ(away.image->lines[0].units, (std::vector<std::uint64_t>{0x20, 0x00, 0x17}));
    EXPECT_EQ(away.image->labels.at("end"), 23U);
}

TEST(Assembler, SaysWhereAndWhatIsWrong) {
    const Spec spec = toy();
    const std::vector<std::pair<const char*, const char*>> cases = {
        {"  lod #1\n", "test.s:1:3: error[E0701]"},
        {"  load #8\n", "test.s:1:9: error[E0702]"},
        {"  jump nowhere\n", "test.s:1:8: error[E0703]"},
        {"a: nop\na: nop\n", "test.s:2:1: error[E0704]"},
        {"  .bite 1\n", "test.s:1:3: error[E0705]"},
        {"  .half 1 +\n", "error[E0706]"},
        {"  .org 0x10000\n", "error[E0702]"},
        {"  .space 100000000\n", "error[E0702]"},
        {"  .ascii \"open\n", "error[E0103]"},
        {"  .byte 256\n", "error[E0702]"},
    };
    for (const auto& [text, expected] : cases) {
        const auto r = assemble_text(spec, text);
        EXPECT_FALSE(r.image.has_value()) << text;
        EXPECT_NE(r.said.find(expected), std::string::npos) << text << r.said;
    }
}

TEST(Overlap, IsAnError) {
    std::string said;
    EXPECT_FALSE(testing::load(testing::machine("instruction a { encoding 0b0000 n:4; assembly \"a {n}\"; }"
                                                "instruction b { encoding 0x07; assembly \"b\"; }"),
                               &said));
    EXPECT_NE(said.find("for example 07"), std::string::npos) << said;
    // A condition tells them apart.
    EXPECT_TRUE(testing::load(testing::machine("instruction a { encoding 0b0000 n:4 where n != 7; assembly \"a {n}\"; }"
                                               "instruction b { encoding 0x07; assembly \"b\"; }"),
                              &said))
        << said;
}

}  // namespace
}  // namespace pogo::isa
