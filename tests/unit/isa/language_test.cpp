// The language: what each construct means, one test a feature of docs/language.md.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <set>

#include "isa/assembly.hpp"
#include "support.hpp"

namespace pogo::isa {
namespace {

using ::testing::HasSubstr;
using testing::load;
using testing::machine;
using testing::must_load;

// The value written to an element by the machine's reset, as SMT-LIB.
std::string written(const Spec& spec, const Meaning& meaning, const std::string& element) {
    for (const auto& write : meaning.writes)
        if (spec[write.element].name == element) return spec.terms.print(write.value);
    return "unchanged";
}
std::string reset_writes(const std::string& declarations, const std::string& element) {
    const Spec spec = must_load(machine(declarations + " instruction nop { encoding 0x00; assembly \"nop\"; }"));
    return written(spec, spec.reset, element);
}
std::string error_of(const std::string& declarations) {
    std::string said;
    EXPECT_FALSE(load(machine(declarations + " instruction nop { encoding 0x00; assembly \"nop\"; }"), &said));
    return said;
}

TEST(Registers, AreReadAndWrittenInPartsAndAsAWhole) {
    const std::string sr = "register sr : bits(16) { T 15 role control; I 10..8 role control; Z 2 role data; }";
    EXPECT_EQ(reset_writes(sr + "reset { sr = 0xFFFF; }", "sr.I"), "#b111");
    EXPECT_EQ(reset_writes(sr + "reset { sr[9..0] = 0x3FF; }", "sr.I"), "(concat ((_ extract 2 2) |sr.I|) #b11)");
    EXPECT_EQ(reset_writes(sr + "reset { sr.I = 2; pc = sr; }", "pc"),
              "(concat |sr.T| ((_ zero_extend 4) (concat #b010 ((_ zero_extend 5) (concat |sr.Z| #b00)))))");
}

TEST(Fields, KeepTheRulesForWritesBySoftware) {
    const std::string r =
        "register r : bits(8) { P 7..6 role mode warl { 0, 1, 3 }; K 5..4 reads 2; O 3 role control ro; W 0 role "
        "control; }";
    EXPECT_EQ(reset_writes(r + "reset { r = 0xFF; pc = zext(r, 16); }", "pc"), "#x00e9");
    EXPECT_EQ(reset_writes(r + "reset { r = legal(r, 0xFF); }", "r.P"), "#b11");
    EXPECT_EQ(reset_writes(r + "reset { r = legal(r, 0x80); }", "r.P"), "unchanged");
    EXPECT_EQ(reset_writes(r + "reset { r = legal(r, 0x48); }", "r.P"), "#b01");
    EXPECT_EQ(reset_writes(r + "reset { r = legal(r, 0x48); }", "r.O"), "unchanged");
    EXPECT_EQ(reset_writes(r + "reset { r = legal(r, 0x01); }", "r.W"), "#b1");
    EXPECT_THAT(error_of("register r : bits(8) role data; reset { r = legal(r, 1); }"), HasSubstr("E0206"));
    EXPECT_THAT(error_of("register r : bits(8) { A 1..0 role data warl { 4 }; }"), HasSubstr("E0205"));
    EXPECT_THAT(error_of("register r : bits(8) { A 1..0; }"), HasSubstr("E0311"));
}

TEST(Registers, CanBeAsWideAsThePc) {
    EXPECT_EQ(reset_writes("register r : bits(width(pc)) role data; reset { r = 0xFFFF; }", "r"), "#xffff");
    EXPECT_THAT(error_of("register r : bits(pc) role data;"), HasSubstr("E0204"));
}

TEST(Views, CanShowSomeFieldsOnly) {
    const std::string r =
        "register r : bits(8) { M 7 role control; S 1 role control; C 3..2 reads 2; U 0 role control; }"
        "view v : bits(8) = r { S; C; }";
    EXPECT_EQ(reset_writes(r + "reset { v = 0xFF; }", "r.M"), "unchanged");
    EXPECT_EQ(reset_writes(r + "reset { v = 0xFF; }", "r.S"), "#b1");
    EXPECT_EQ(reset_writes(r + "reset { v.S = 1; pc = zext(v, 16); }", "pc"), "#x000a");
    EXPECT_EQ(reset_writes(r + "reset { v = legal(v, 2); }", "r.S"), "#b1");
    EXPECT_THAT(error_of(r + "reset { v.M = 1; }"), HasSubstr("E0216"));
    EXPECT_THAT(error_of("register r : bits(8) { M 7 role control; } view v : bits(8) = r { N; }"), HasSubstr("E0216"));
}

// A machine with three modes and a permission; `nop` requires it.
Spec with_permission(const std::string& lines, const std::string& use = "require p;") {
    return must_load(
        "machine m { address 16; } register pc : bits(16) role pc; register l : bits(2) role mode;"
        "register c : bits(1) role control; mode top { l = 3; } mode middle { l = 1; } mode low { l = 0; }"
        "trap bad kind illegal { pc = 0; } trap out(n: bits(4)) kind virtual { pc = 2; } illegal bad;"
        "permission p(n: bits(4)) {" +
        lines + "} instruction nop { encoding 0x00; assembly \"nop\"; " + use + " }");
}

TEST(Permissions, BecomeTrapsByTheFirstLineThatFits) {
    const Spec spec = with_permission("low => bad; middle when c == 1 => out(n); else => execute;", "require p(5);");
    const Meaning& meaning = spec.forms[0].meaning;
    ASSERT_EQ(meaning.traps.size(), 2U);
    EXPECT_EQ(spec[meaning.traps[0].cause].name, "bad");
    EXPECT_EQ(spec.terms.print(meaning.traps[0].guard), "(= |l| #b00)");
    EXPECT_EQ(spec[meaning.traps[1].cause].name, "out");
    EXPECT_EQ(spec.terms.print(meaning.traps[1].arguments[0]), "#x5");
    ASSERT_EQ(spec.permissions.size(), 1U);
    EXPECT_EQ(spec.permissions[0].lines[1].condition, "c == 1");
    EXPECT_EQ(spec.permissions[0].instructions, std::vector<InstructionId>{{0}});
}

TEST(Permissions, AreDecidedInTheOrderOfTheirLines) {
    // Whatever stands above counts first: nothing traps in mode low although a later line says so.
    Spec spec = with_permission("low => execute; low => bad; middle => execute; else => bad;", "require p(0);");
    Substitution low;
    const auto l = spec[spec.find_element("l")].variable;
    low.emplace(spec.terms.variable(l), spec.terms.constant(2, 0));
    ASSERT_FALSE(spec.forms[0].meaning.traps.empty());
    for (const auto& trap : spec.forms[0].meaning.traps)
        EXPECT_TRUE(spec.terms.is_false(spec.terms.substitute(trap.guard, low)));
}

TEST(Permissions, SayWhatHappensInEveryMode) {
    std::string said;
    const auto wrong = [&](const std::string& lines) {
        load(
            "machine m { address 16; } register pc : bits(16) role pc; register l : bits(1) role mode;"
            "register c : bits(1) role control; mode top { l = 1; } mode low { l = 0; }"
            "trap bad kind illegal { pc = 0; } permission p {" +
                lines + "}",
            &said);
        return said;
    };
    EXPECT_THAT(wrong("top => execute;"), HasSubstr("does not say what happens in mode `low`"));
    EXPECT_THAT(wrong("top => execute; low when c == 1 => bad;"), HasSubstr("mode `low`"));
    EXPECT_THAT(wrong("top => execute; low => worse;"), HasSubstr("E0201"));
    EXPECT_THAT(wrong("top => execute; lower => bad;"), HasSubstr("E0317"));
    EXPECT_THAT(wrong("top execute;"), HasSubstr("E0110"));
}

TEST(Fields, HaveZerosWhereTheEncodingHasNoPlace) {
    const Spec spec = must_load(machine(
        "instruction jump { encoding d[3..1] 0b10101; assembly \"jump {d}\"; pc = pc + zext(d, 16); }"
        "instruction skip { encoding d[3..1] 0b10100 where d != 0; assembly \"skip {d}\"; pc = pc + zext(d, 16); }"));
    EXPECT_EQ(written(spec, spec.forms[0].meaning, "pc"),
              "(bvadd |pc| ((_ zero_extend 12) (concat ((_ extract 3 1) |d|) #b0)))");
    EXPECT_FALSE(permits(spec, spec.forms[1], std::vector<std::uint64_t>{1}));
    EXPECT_TRUE(permits(spec, spec.forms[1], std::vector<std::uint64_t>{2}));
}

// Of 32 free bits the conditions read 16, and agree about one value of them.
TEST(Encodings, AreToldApartByEveryValueThatConditionsRead) {
    const auto two = [](const std::string& first, const std::string& second) {
        return "instruction i { encoding 0x01 n:16 m:16 where " + first + "; assembly \"i {n}, {m}\"; }" +
               "instruction j { encoding 0x01 n:16 m:16 where " + second + "; assembly \"j {n}, {m}\"; }";
    };
    EXPECT_THAT(error_of(two("n == 0x1234", "n >= 0x1234")), HasSubstr("for example 01 12 34 00 00"));
    (void)must_load(machine(two("n == 0x1234", "n > 0x1234")));
}

TEST(Cases, CanExcludeValuesOfTheirFields) {
    const Spec spec = must_load(machine(
        "operand csr { piece number 6; case counter { number = 0b00 n:4; where n >= 3; assembly \"counter{n}\"; }"
        " case cycle { number = 0b000000; assembly \"cycle\"; } }"
        "instruction rd { operand c : csr; encoding 0b01 c.number; assembly \"rd {c}\"; }"));
    const Decoder decoder(spec);
    unsigned wanted = 0;
    const auto text = [&](std::uint64_t parcel) {
        const auto decoded = decoder.decode(std::span(&parcel, 1), wanted);
        return decoded ? disassemble(spec, *decoded, 0) : "";
    };
    EXPECT_EQ(text(0x40), "rd cycle");
    EXPECT_EQ(text(0x42), "");
    EXPECT_EQ(text(0x43), "rd counter3");
    EXPECT_THAT(error_of("operand o { piece k 8; case A { k = n:8; where pc == 0; assembly \"{n}\"; } }"
                         "instruction i { operand s : o; encoding s; assembly \"i {s}\"; }"),
                HasSubstr("E0411"));
}

TEST(Rows, FollowTheClassesOfAnOperand) {
    const Spec spec = must_load(
        machine("operand csr { piece n 4; class counters; case cycle { n = 0x0; assembly \"cycle\"; } case time { n = "
                "0x1; assembly \"time\"; }"
                " class setup; case status { n = 0x2; assembly \"status\"; } }"
                "operand other { piece k 4; case A { k = 0x0; assembly \"a\"; } case B { k = 0x1; assembly \"b\"; } }"
                "instruction rd { name \"READ\"; operand o : other; operand c : csr; rows by c; encoding c.n o.k; "
                "assembly \"rd {o}, {c}\"; }"));
    ASSERT_EQ(spec.instructions.size(), 2U);
    EXPECT_EQ(spec.instructions[0].name, "READ counters");
    EXPECT_EQ(spec.instructions[0].identifier, "rd.counters");
    EXPECT_EQ(spec.instructions[0].form_count, 4U);
    EXPECT_EQ(spec.instructions[1].name, "READ setup");
    EXPECT_EQ(spec.instructions[1].first_form, 4U);
    EXPECT_EQ(spec.instructions[1].form_count, 2U);
    for (const auto& form : spec.forms)
        EXPECT_EQ(form.instruction.index, form.variant.find("status") == std::string::npos ? 0U : 1U);
}

TEST(Views, AreOtherNamesForState) {
    EXPECT_EQ(reset_writes("register sr : bits(16) { S 13 role mode; Z 2 role data; } view ccr : bits(8) = sr[7..0];"
                           "reset { ccr = 4; }",
                           "sr.Z"),
              "#b1");
    EXPECT_EQ(reset_writes("register sr : bits(16) { S 13 role mode; Z 2 role data; } view ccr : bits(8) = sr[7..0];"
                           "reset { ccr = 4; }",
                           "sr.S"),
              "unchanged");
}

TEST(Files, HaveConstantEntries) {
    const std::string x = "regfile x[4] : bits(16) role data { 0 reads 0; }";
    EXPECT_EQ(reset_writes(x + "reset { pc = x[0]; }", "pc"), "#x0000");
    EXPECT_EQ(reset_writes(x + "reset { x[0] = 5; x[1] = 7; pc = x[0] + x[1]; }", "pc"), "#x0007");
}

// Whoever reads or writes the entry reads or writes the register, whole or in parts.
TEST(Files, HaveEntriesThatAreRegisters) {
    const std::string x =
        "register lo : bits(16) role control; register hi : bits(16) { A 15..8 role data; B 7..0 role control; } "
        "regfile x[4] : bits(16) role data { 1 is lo; 2 is hi; }";
    EXPECT_EQ(reset_writes(x + "reset { x[1] = 7; }", "lo"), "#x0007");
    EXPECT_EQ(reset_writes(x + "reset { x[1] = 7; }", "x"), "unchanged");
    EXPECT_EQ(reset_writes(x + "reset { x[2] = 0x0102; }", "hi.A"), "#x01");
    EXPECT_EQ(reset_writes(x + "reset { x[2][7..0] = 3; }", "hi.B"), "#x03");
    EXPECT_EQ(reset_writes(x + "reset { lo = 5; pc = x[1]; }", "pc"), "#x0005");
    EXPECT_EQ(reset_writes(x + "reset { x[lo[1..0]] = 9; }", "lo"),
              "(ite (= ((_ extract 1 0) |lo|) #b01) #x0009 |lo|)");
    EXPECT_THAT(error_of("regfile x[4] : bits(16) role data { 1 is nowhere; }"), HasSubstr("E0201"));
    EXPECT_THAT(error_of("register r : bits(8) role data; regfile x[4] : bits(16) role data { 1 is r; }"),
                HasSubstr("E0203"));
    EXPECT_THAT(error_of("regfile y[4] : bits(16) role data; regfile x[4] : bits(16) role data { 1 is y; }"),
                HasSubstr("E0206"));
}

TEST(Banks, StandForTheActiveMember) {
    const std::string bank = "bank sp : bits(16) by s { 0 => usp; 1 => ssp; } role data; ";
    EXPECT_EQ(reset_writes(bank + "reset { pc = sp; }", "pc"), "(ite (= |s| #b1) |ssp| |usp|)");
    EXPECT_EQ(reset_writes(bank + "reset { s = 1; sp = 6; }", "ssp"), "#x0006");
    EXPECT_EQ(reset_writes(bank + "reset { s = 1; sp = 6; }", "usp"), "unchanged");
    EXPECT_EQ(reset_writes(bank + "regfile a[8] : bits(16) role data { 7 is sp; } reset { s = 0; a[7] = 9; }", "usp"),
              "#x0009");
}

// Registers with the same fields: one stands for the active one as a whole and by its fields.
const std::string alike =
    "register a : bits(8) { P 7..6 role control warl { 0, 1 }; K 5..4 reads 2; Q 0 role data; }"
    "register b : bits(8) { P 7..6 role control warl { 0, 1 }; K 5..4 reads 2; Q 0 role data; }";
TEST(Banks, OfRegistersWithFields) {
    const std::string bank = alike + "bank own : bits(8) by s { 0 => a; 1 => b; };";
    EXPECT_EQ(reset_writes(bank + "reset { s = 1; pc = zext(own, 16); }", "pc"),
              "((_ zero_extend 8) (concat |b.P| (concat #b10 ((_ zero_extend 3) |b.Q|))))");
    EXPECT_EQ(reset_writes(bank + "reset { pc = zext(own.P, 16); }", "pc"),
              "((_ zero_extend 14) (ite (= |s| #b1) |b.P| |a.P|))");
    EXPECT_EQ(reset_writes(bank + "reset { s = 1; own = 0xFF; }", "b.P"), "#b11");
    EXPECT_EQ(reset_writes(bank + "reset { s = 1; own = 0xFF; }", "a.P"), "unchanged");
    EXPECT_EQ(reset_writes(bank + "reset { s = 0; own.P = 2; }", "a.P"), "#b10");
    EXPECT_EQ(reset_writes(bank + "reset { s = 0; own.P = 2; }", "a.Q"), "unchanged");
    EXPECT_EQ(reset_writes(bank + "reset { own.Q = 1; }", "a.Q"), "(ite (= |s| #b1) |a.Q| #b1)");
    EXPECT_EQ(reset_writes(bank + "reset { own.Q = 1; }", "b.Q"), "(ite (= |s| #b1) #b1 |b.Q|)");
    // Software's rules are those of the fields.
    EXPECT_EQ(reset_writes(bank + "reset { s = 1; own = legal(own, 0x41); }", "b.P"), "#b01");
    EXPECT_EQ(reset_writes(bank + "reset { s = 1; own = legal(own, 0xC1); }", "b.P"), "unchanged");
    EXPECT_EQ(reset_writes(bank + "reset { s = 1; own = legal(own, 0xC1); }", "b.Q"), "#b1");
    // Each field is a bank for the checker.
    const Spec spec = must_load(machine(bank + "instruction nop { encoding 0x00; assembly \"nop\"; }"));
    ASSERT_EQ(spec.banks.size(), 2U);
    for (const auto& each : spec.banks) EXPECT_EQ(each.members.size(), 2U);
    EXPECT_THAT(error_of(bank + "reset { own.R = 1; }"), HasSubstr("E0216"));
}
TEST(Banks, HaveMembersThatAreAlike) {
    const auto with = [](const std::string& fields) {
        return error_of(alike + "register c : bits(8) {" + fields + "} bank own : bits(8) by s { 0 => a; 1 => c; };");
    };
    EXPECT_THAT(with("P 7..6 role control; K 5..4 reads 2; Q 1 role data;"), HasSubstr("E0320"));
    EXPECT_THAT(with("P 7..6 role control; K 5..4 reads 1; Q 0 role data;"), HasSubstr("E0320"));
    EXPECT_THAT(with("P 7..6 role control; K 5..4 role data; Q 0 role data;"), HasSubstr("E0320"));
    EXPECT_THAT(error_of(alike + "bank own : bits(9) by s { 0 => a; 1 => b; };"), HasSubstr("E0320"));
    EXPECT_THAT(error_of(alike + "bank own : bits(8) by s { 0 => a; 1 => fresh; };"), HasSubstr("E0301"));
}

TEST(Statements, RunInOrder) {
    EXPECT_EQ(reset_writes("register r : bits(16) role data; reset { r = 1; r = r + 2; pc = r; }", "pc"), "#x0003");
    EXPECT_EQ(reset_writes("register r : bits(16) role data; reset { let t = r; r = 4; pc = t; }", "pc"), "|r|");
}

TEST(Statements, JoinBranches) {
    EXPECT_EQ(
        reset_writes("register r : bits(16) role data; reset { if s == 1 { r = 1; } else { r = 2; } pc = r; }", "pc"),
        "(ite (= |s| #b1) #x0001 #x0002)");
    EXPECT_EQ(reset_writes("register r : bits(16) role data; reset { if 1 == 2 { r = 1; } }", "r"), "unchanged");
}

TEST(Statements, ForeachUnrollsBothWays) {
    EXPECT_EQ(reset_writes("reset { let t = bits(16, 0); foreach i in 0..3 { t = (t << 4) + i; } pc = t; }", "pc"),
              "#x0123");
    EXPECT_EQ(reset_writes("reset { let t = bits(16, 0); foreach i in 3..0 { t = (t << 4) + i; } pc = t; }", "pc"),
              "#x3210");
}

TEST(Functions, ReturnEarly) {
    const std::string f =
        "function f(a: bits(4)) -> bits(16) { if a == 1 { return 10; } if a == 2 { return 20; } return 30; }";
    EXPECT_EQ(reset_writes(f + "reset { pc = f(1); }", "pc"), "#x000a");
    EXPECT_EQ(reset_writes(f + "reset { pc = f(2); }", "pc"), "#x0014");
    EXPECT_EQ(reset_writes(f + "reset { pc = f(9); }", "pc"), "#x001e");
}

TEST(Procedures, ChangeStateAndMayReturnAValue) {
    EXPECT_EQ(
        reset_writes("register r : bits(16) role data; procedure bump(n: int) -> bits(16) { r = r + n; return r; }"
                     "reset { r = 5; pc = bump(3); }",
                     "pc"),
        "#x0008");
}

TEST(Expressions, FollowTheManualsArithmetic) {
    const auto value = [](const std::string& e) { return reset_writes("reset { pc = " + e + "; }", "pc"); };
    EXPECT_EQ(value("0x12 @ 0x34"), "#x1234");
    EXPECT_EQ(value("sext(0x80, 16)"), "#xff80");
    EXPECT_EQ(value("zext(0x80, 16) >>s 4"), "#x0008");
    EXPECT_EQ(value("bits(16, 0x8000) >>s 15"), "#xffff");
    EXPECT_EQ(value("bits(16, 1) << 16"), "#x0000");
    EXPECT_EQ(value("if 0x80 <s bits(8, 1) then 1 else 2"), "#x0001");
    EXPECT_EQ(value("if 0x80 < bits(8, 1) then 1 else 2"), "#x0002");
    EXPECT_EQ(value("udiv(bits(16, 7), 0)"), "#xffff");
    EXPECT_EQ(value("-1"), "#xffff");
    EXPECT_EQ(value("~0x000F"), "#xfff0");
    EXPECT_EQ(value("width(0x0F) + 1"), "#x0009");
    EXPECT_EQ(value("zext(0xA5[7..4], 16)"), "#x000a");
}

TEST(Parameters, ChooseDeclarations) {
    const std::string text =
        "machine m(model: {68000, 68010} = 68000, fast: bool = false, n: 1..4 = 2) { address 16; }"
        "register pc : bits(16) role pc; register s : bits(1) role mode; mode a { s = 1; } mode b { s = 0; }"
        "trap t kind illegal { } illegal t; instruction nop { encoding 0x00; assembly \"nop\"; }"
        "when model == 68010 { register vbr : bits(16) role control; } when fast { register f : bits(1) role data; }"
        "else { register slow : bits(n) role data; }";
    const Spec first = must_load(text);
    EXPECT_FALSE(first.find_element("vbr").valid());
    EXPECT_EQ(first[first.find_element("slow")].width, 2U);
    const Spec second = must_load(text, {{"model", "68010"}, {"fast", "true"}});
    EXPECT_TRUE(second.find_element("vbr").valid());
    EXPECT_TRUE(second.find_element("f").valid());
    std::string said;
    EXPECT_FALSE(load(text, &said, {{"model", "68020"}}));
    EXPECT_THAT(said, HasSubstr("choose from: 68000, 68010"));
    EXPECT_FALSE(load(text, &said, {{"modle", "68000"}}));
    EXPECT_THAT(said, HasSubstr("its parameters: model, fast, n"));
}

TEST(Parameters, ChooseParts) {
    const std::string text =
        "machine m(extra: bool = false) { address 16; } register pc : bits(16) role pc; register s : bits(2) role mode;"
        "mode top { s = 1; } when extra { mode middle { s = 2; } } mode low { s = 0; }"
        "trap bad kind illegal { } illegal bad;"
        "register c : bits(8) { A 0 role control; when extra { B 4 role control; C 7 reads 1; } else { D 5 role "
        "control; } }"
        "register k : bits(8) role data; when extra { register l : bits(8) role data; }"
        "bank own : bits(8) by s[1] { 0 => k; when extra { 1 => l; } };"
        "permission p { top => execute; when extra { middle when c.B == 1 => execute; middle => bad; } else => bad; }"
        "operand o { piece n 1; case first { n = 0b0; assembly \"first\"; }"
        "  when extra { class more; case second { n = 0b1; assembly \"second\"; } } }"
        "instruction i { operand x : o; encoding 0b1111000 x; assembly \"i {x}\"; require p; own = 7; }";
    const Spec without = must_load(text);
    EXPECT_FALSE(without.find_element("c.B").valid());
    EXPECT_TRUE(without.find_element("c.D").valid());
    EXPECT_EQ(without.forms.size(), 1U);
    EXPECT_EQ(without.permissions[0].lines.size(), 2U);
    EXPECT_TRUE(without.banks.empty());  // of one member
    EXPECT_EQ(written(without, without.forms[0].meaning, "k"), "(ite (= ((_ extract 1 1) |s|) #b1) |k| #x07)");
    const Spec with = must_load(text, {{"extra", "true"}});
    EXPECT_TRUE(with.find_element("c.B").valid());
    EXPECT_FALSE(with.find_element("c.D").valid());
    EXPECT_EQ(with.forms.size(), 2U);
    EXPECT_EQ(with.permissions[0].lines.size(), 4U);
    ASSERT_EQ(with.banks.size(), 1U);
    EXPECT_EQ(with.banks[0].members.size(), 2U);
    EXPECT_EQ(written(with, with.forms[0].meaning, "l"), "(ite (= #b1 ((_ extract 1 1) |s|)) #x07 |l|)");
    // A mode that is there and not decided is missed, whichever lines are left out.
    std::string said;
    std::string wrong = text;
    wrong.replace(wrong.find("else => bad; }"), 14, "}");
    EXPECT_FALSE(load(wrong, &said));
    EXPECT_THAT(said, HasSubstr("mode `low`"));
}

TEST(Memory, LoadsComeBeforeStores) {
    const Spec spec = must_load(
        machine("instruction move { encoding 0x01; assembly \"move\"; let v = mem[4, 2]; mem[pc, 2] = v; pc = v; }"));
    const Meaning& m = spec.forms[0].meaning;
    ASSERT_EQ(m.loads.size(), 1U);
    ASSERT_EQ(m.stores.size(), 1U);
    EXPECT_EQ(spec.terms.print(m.loads[0].address), "#x0004");
    EXPECT_EQ(spec.terms.print(m.stores[0].data), "|load0|");
    EXPECT_FALSE(m.loads[0].direct);
    EXPECT_THAT(error_of("reset { mem[0, 1] = 0; pc = mem[0, 2]; }"), HasSubstr("E0313"));
}

TEST(Translation, IsAppliedToEveryAccessWithTheStateAtThatPoint) {
    const Spec spec = must_load(machine(
        "register base : bits(16) role relocation;"
        "trap fault(a: bits(16)) kind memory { pc = a; }"
        "translate (va, access, units) { trap fault(va) when access == Access.store && va == 9; return va + base; }"
        "instruction go { encoding 0x01; assembly \"go\"; base = 3; mem[8, 1] = 0; mem[9, 1] = 0; physical[5, 1] = 1; "
        "}"));
    const Meaning& m = spec.forms[0].meaning;
    EXPECT_EQ(spec.terms.print(m.stores[0].physical), "#x000b");
    EXPECT_EQ(spec.terms.print(m.stores[2].physical), "#x0005");
    EXPECT_TRUE(m.stores[2].direct);
    ASSERT_EQ(m.traps.size(), 1U);
    EXPECT_TRUE(spec.terms.is_true(m.traps[0].guard));
    EXPECT_EQ(spec.translation.reads.size(), 1U);
}

// A one-level page table; `page` and kinds of access of the machine's own.
const std::string paged =
    "register base : bits(16) role relocation; register r : bits(8) role data;"
    "enum Access : bits(3) { fetch = 0, load = 1, store = 2, peek = 5 }"
    "trap fault(a: bits(16), kind: bits(3)) kind memory { pc = a; }"
    "translate (va, access, units) page 8 {"
    "  let entry = physical[base + zext(va[15..8], 16), 1];"
    "  trap fault(va, access) when entry == 0 && access != Access.peek;"
    "  return entry @ va[7..0]; }";

TEST(Translation, ThatLoadsStaysApart) {
    const Spec spec = must_load(machine(
        paged +
        "instruction go { encoding 0x01; assembly \"go\"; base = 3; let t = mem[pc, 1]; r = mem[8, 1, Access.peek];"
        " mem[9, 1] = t; mem[10, 1, Access.peek] = 1; physical[5, 1] = r; }"));
    const Translation& translation = spec.translation;
    EXPECT_EQ(translation.page, 8U);
    ASSERT_EQ(translation.loads.size(), 1U);
    EXPECT_EQ(spec.terms.print(translation.loads[0].physical),
              "(bvadd |base| ((_ zero_extend 8) ((_ extract 15 8) |translate.va|)))");
    EXPECT_TRUE(translation.loads[0].direct);
    ASSERT_EQ(translation.faults.size(), 1U);
    EXPECT_EQ(translation.faults[0].loads_before, 1U);
    ASSERT_EQ(translation.reads.size(), 1U);
    EXPECT_EQ(spec[translation.reads[0]].name, "base");
    EXPECT_EQ(spec.terms.sort(translation.access).width, 3U);
    // Nothing of it is in the instruction but names of where its accesses go.
    const Meaning& m = spec.forms[0].meaning;
    EXPECT_TRUE(m.traps.empty());
    ASSERT_EQ(m.loads.size(), 2U);
    ASSERT_EQ(m.stores.size(), 3U);
    std::set<std::uint32_t> places;
    for (const auto& load : m.loads) places.insert(load.translated.id);
    for (std::size_t i = 0; i < 2; ++i) places.insert(m.stores[i].translated.id);
    EXPECT_EQ(places.size(), 4U);
    EXPECT_EQ(spec.terms.print(m.loads[0].physical), "|translated0|");
    EXPECT_FALSE(m.stores[2].translated.valid());
    EXPECT_EQ(m.loads[0].access, 1U);
    EXPECT_EQ(m.loads[1].access, 5U);
    EXPECT_EQ(m.stores[0].access, 2U);
    EXPECT_EQ(m.stores[1].access, 5U);
}

TEST(Translation, IsTheSameOnAllPathsOfAnAccess) {
    // An access that depends on a condition has the guard; the translation knows nothing of it.
    const Spec spec = must_load(machine(
        paged +
        "instruction go { encoding 0x01; assembly \"go\"; if s == 1 { r = mem[8, 1]; } else { mem[9, 1] = 0; } }"));
    const Meaning& m = spec.forms[0].meaning;
    EXPECT_EQ(spec.terms.print(m.loads[0].guard), "(= |s| #b1)");
    EXPECT_EQ(spec.terms.print(m.stores[0].guard), "(not (= |s| #b1))");
}

TEST(Translation, KnowsItsKindsOfAccess) {
    EXPECT_THAT(error_of("enum Access : bits(3) { fetch = 0, load = 1, peek = 2, store = 3 }"), HasSubstr("E0326"));
    EXPECT_THAT(error_of("enum Access : bits(3) { fetch = 0, load = 1 }"), HasSubstr("E0326"));
    EXPECT_THAT(error_of("enum Access : bits(9) { fetch = 0, load = 1, store = 2 }"), HasSubstr("E0302"));
    EXPECT_THAT(error_of("enum Access : bits(2) { fetch = 0, load = 1, store = 2 }"
                         "enum Access : bits(2) { fetch = 0, load = 1, store = 2 }"),
                HasSubstr("E0202"));
    const auto access = [](const std::string& e) {
        return error_of(paged + "instruction go { encoding 0x01; assembly \"go\"; r = " + e + "; }");
    };
    EXPECT_THAT(access("mem[0, 1, r[2..0]]"), HasSubstr("E0327"));
    EXPECT_THAT(access("physical[0, 1, Access.load]"), HasSubstr("E0327"));
    EXPECT_THAT(access("mem[0, 1, Access.poke]"), HasSubstr("poke"));
}

TEST(Translation, HasPagesSmallerThanTheAddresses) {
    const auto with = [](const std::string& page) {
        return machine("translate (va, access, units) " + page +
                       " { return va; } instruction nop { encoding 0x00; assembly \"nop\"; }");
    };
    EXPECT_EQ(must_load(with("")).translation.page, 0U);
    EXPECT_EQ(must_load(with("page 15")).translation.page, 15U);
    EXPECT_EQ(must_load(with("page 4 reads { s; }")).translation.page, 4U);
    std::string said;
    EXPECT_FALSE(load(with("page 16"), &said));
    EXPECT_FALSE(load(with("page s"), &said));
}

// What is said of a machine under an extension with these items.
std::string said_of_extension(const std::string& items) {
    SourceManager sources;
    Diagnostics diagnostics;
    const auto base = sources.add("test.isa", machine("trap out(reason: bits(8)) kind virtual { pc = 0; }"
                                                      "function twice(a: bits(8)) -> bits(8) = a + a;"
                                                      "procedure note(b: bool) { if b { s = 0; } }"
                                                      "instruction nop { encoding 0x00; assembly \"nop\"; }"));
    const auto policy = sources.add("vt.isa",
                                    "extension vt of test { register v : bits(1) role mode; supervisor s == 1;"
                                    "  trap leave(reason: bits(16)) kind virtual { v = 0; pc = 0x100; } exit leave;"
                                    "  mode real { v = 0; } mode guest { v = 1; }"
                                    "  context vt { supervisor real; user guest; guest { s; } } " +
                                        items + "}");
    (void)load_spec(sources, base, policy, {}, diagnostics);
    return render(diagnostics, sources);
}

TEST(Translation, OfAnExtensionDoesNotLoad) {
    EXPECT_EQ(said_of_extension("active v == 1;"), "");
    EXPECT_THAT(said_of_extension("active v == 1; translate (pa, access, units) { return physical[pa, 2]; }"),
                HasSubstr("E0607"));
}

TEST(Extensions, ReplaceOnlyWhatTheMachineHas) {
    const std::string active = "active v == 1; ";
    EXPECT_EQ(said_of_extension(active + "virtual function twice(a: bits(8)) -> bits(8) = twice(a) + 1;"), "");
    EXPECT_EQ(said_of_extension(active + "virtual procedure note(b: bool) { trap leave(1) when b; note(b); }"), "");
    for (const char* wrong : {"virtual function thrice(a: bits(8)) -> bits(8) = a;",  // no such function
                              "virtual procedure twice(a: bits(8)) -> bits(8) { }",   // it is a function
                              "virtual function twice(a: bits(16)) -> bits(8) = 0;",  // of 8 bits
                              "virtual function twice(a: bits(8)) -> bits(16) = 0;",  // it gives 8
                              "virtual function twice(a: bits(8), b: bool) -> bits(8) = a;",
                              "function own() -> bool = true; virtual function own() -> bool = false;"})
        EXPECT_THAT(said_of_extension(active + wrong), HasSubstr("E0608")) << wrong;
    EXPECT_THAT(said_of_extension(active + "virtual procedure note(b: bool) { } virtual procedure note(b: bool) { }"),
                HasSubstr("E0202"));
    EXPECT_THAT(said_of_extension("virtual procedure note(b: bool) { }"), HasSubstr("E0604"));
    EXPECT_THAT(said_of_extension(active + "virtual register r : bits(8) role data;"), HasSubstr("E0110"));
    // Only an instruction has a row that could be the reason.
    EXPECT_THAT(said_of_extension(active + "interrupt i when v == 1 { trap leave; }"), HasSubstr("E0208"));
}

// Only an instruction has a next one, whatever was elaborated before.
TEST(Extensions, AreActiveByTheStateAlone) {
    EXPECT_THAT(said_of_extension("active v == 1 && next_pc == 0;"), HasSubstr("E0201"));
    EXPECT_THAT(said_of_extension("active v == 1; exits on privileged when next_pc == 0;"), HasSubstr("E0201"));
}

TEST(Traps, KeepTheirOrderAndPlaceAmongLoads) {
    const Spec spec = must_load(
        machine("trap privilege kind privilege { } trap zero(n: bits(8)) kind arithmetic { }"
                "instruction div { encoding 0x01; assembly \"div\"; trap privilege when s == 0; let d = mem[0, 1];"
                " if d == 0 { trap zero(d); } pc = zext(d, 16); }"));
    const auto& traps = spec.forms[0].meaning.traps;
    ASSERT_EQ(traps.size(), 2U);
    EXPECT_EQ(spec[traps[0].cause].kind, TrapKind::privilege);
    EXPECT_EQ(traps[0].loads_before, 0U);
    EXPECT_EQ(traps[1].loads_before, 1U);
    EXPECT_EQ(spec.terms.print(traps[1].guard), "(= |load0| #x00)");
}

// Where the paths exclude each other, what the load would bring has no variable that anybody could give a value.
TEST(Loads, ThatNoStateReachesAreNotThere) {
    const Spec spec = must_load(
        machine("register q : bits(8) role data;"
                "instruction odd { encoding 0x01; assembly \"odd\";"
                " if s == 1 { mem[1, 1] = if s == 0 then mem[0, 1] else q; } }"));
    const Meaning& meaning = spec.forms[0].meaning;
    EXPECT_TRUE(meaning.loads.empty());
    ASSERT_EQ(meaning.stores.size(), 1U);
    for (const auto variable : spec.terms.support(std::span(&meaning.stores[0].data, 1)))
        EXPECT_TRUE(spec.find_element(spec.terms.name(variable)).valid()) << spec.terms.name(variable);
}

// The value is what one of the instructions would be in memory, and its fields are taken from there.
TEST(Execute, DoesWhatTheInstructionDoes) {
    const std::string rest =
        "register p : bits(8) role data; register q : bits(8) role data;"
        "operand which { piece k 1; case P { k = 0b0; assembly \"p\"; read { return p; } write(v) { p = v; } }"
        " case Q { k = 0b1; assembly \"q\"; read { return q; } write(v) { q = v; } } }"
        "instruction set { operand w : which; encoding 0x1 w n:3, m:8 where n != 0;"
        " assembly \"set {w}, {n}, {m}\"; w.write(m + zext(n, 8)); }"
        "instruction skip { encoding 0x20; assembly \"skip\"; pc = next_pc + 1; }"
        "instruction twice { encoding 0x40, d:8; assembly \"twice {d}\"; execute mem[zext(d, 16), 2] { set; skip; }"
        " else { trap bad; } }";
    const Spec spec = must_load(machine(rest));
    const Form& form = spec.forms[spec[spec.find_instruction("twice")].first_form];
    ASSERT_EQ(form.meaning.loads.size(), 1U);
    Terms terms = spec.terms;
    const auto with = [&](std::uint64_t word, Term term) {
        const Substitution loaded{{terms.variable(form.meaning.loads[0].result), terms.constant(16, word)}};
        return terms.print(terms.substitute(term, loaded));
    };
    const auto after = [&](std::uint64_t word, const char* element) {
        const ElementId id = spec.find_element(element);
        for (const auto& write : form.meaning.writes)
            if (write.element == id) return with(word, write.value);
        return std::string("as it was");
    };
    // Big endian: the first parcel is the high byte.
    EXPECT_EQ(after(0x1305, "p"), "#x08");
    EXPECT_EQ(after(0x1305, "q"), "|q|");
    EXPECT_EQ(after(0x1B05, "q"), "#x08");
    EXPECT_EQ(after(0x1B05, "pc"), "(bvadd |pc| #x0002)");
    EXPECT_EQ(after(0x2099, "pc"), "(bvadd |pc| #x0003)");  // behind `twice`, which is two parcels long
    ASSERT_EQ(form.meaning.traps.size(), 1U);
    const auto bad = [&](std::uint64_t word) { return with(word, form.meaning.traps[0].guard); };
    EXPECT_EQ(bad(0x1305), "false");
    EXPECT_EQ(bad(0x2099), "false");
    EXPECT_EQ(bad(0x1005), "true");  // set's condition does not hold
    EXPECT_EQ(bad(0x4000), "true");
    std::string said;
    EXPECT_FALSE(load(machine(rest + "instruction self { encoding 0x80; assembly \"self\"; execute mem[0, 1] { self; } }"), &said));
    EXPECT_THAT(said, HasSubstr("E0210"));
    EXPECT_FALSE(load(machine(rest + "instruction none { encoding 0x80; assembly \"none\"; execute mem[0, 1] { nobody; } }"), &said));
    EXPECT_THAT(said, HasSubstr("E0603"));
    EXPECT_FALSE(load(machine(rest + "instruction odd { encoding 0x80; assembly \"odd\"; execute p[6..0] { skip; } }"), &said));
    EXPECT_THAT(said, HasSubstr("E0403"));
}

TEST(Pc, FollowsTheInstructionUnlessAssigned) {
    const Spec spec =
        must_load(machine("instruction two { encoding 0x01, 0x02; assembly \"two\"; }"
                          "instruction self { encoding 0x03; assembly \"self\"; pc = pc; }"
                          "instruction link { encoding 0x04; assembly \"link\"; pc = next_pc + 1; }"));
    EXPECT_EQ(written(spec, spec.forms[0].meaning, "pc"), "(bvadd |pc| #x0002)");
    EXPECT_EQ(written(spec, spec.forms[1].meaning, "pc"), "|pc|");
    EXPECT_EQ(written(spec, spec.forms[2].meaning, "pc"), "(bvadd |pc| #x0002)");
}

const char* const operands =
    "regfile d[4] : bits(16) role data; regfile a[4] : bits(16) role data;"
    "operand size { piece ss 2; case B { ss = 0b00; assembly \".b\"; const bytes = 1; }"
    "               case W { ss = 0b01; assembly \".w\"; const bytes = 2; } }"
    "operand ea(size: int) { piece mode 2; piece reg 2;"
    "  case Dn { mode = 0b00; reg = n:2; assembly \"d{n}\"; read { return d[n][size * 8 - 1 .. 0]; }"
    "            write(v) { d[n][size * 8 - 1 .. 0] = v; } }"
    "  case Inc { mode = 0b01; reg = n:2; assembly \"(a{n})+\"; address { let t = a[n]; a[n] = t + size; return t; } }"
    "  case Disp { mode = 0b10; reg = n:2; ext disp:8; assembly \"{disp:signed}(a{n})\"; address { return a[n] + "
    "sext(disp, 16); } }"
    "  case Imm { mode = 0b11; reg = 0b00; when size == 1 { ext imm:8; } else { ext imm:16; } assembly \"#{imm}\"; "
    "read { return imm; } } }"
    "set alterable of ea = ea - { Imm };";

TEST(Operands, SayTheBitsOfAPiece) {
    const Spec spec =
        must_load(machine("register r : bits(8) role data; operand csr { piece number 8; piece two 4;"
                          " case A { number = 0x12; two = n[1..0] 0b0 n[2]; assembly \"a{n}\"; }"
                          " case B { number = 0b11 n:6; two = 0x4; assembly \"b{n}\"; } }"
                          "instruction i { operand c : csr; encoding 0x1 c.two, c.number; assembly \"i {c}\";"
                          " if c.number[7..6] == 3 { r = c.number; } else { r = 0x0 @ c.two; } }"));
    ASSERT_EQ(spec.forms.size(), 2U);
    EXPECT_EQ(written(spec, spec.forms[0].meaning, "r"),
              "((_ zero_extend 4) (concat (concat ((_ extract 1 0) |c.n|) #b0) ((_ extract 2 2) |c.n|)))");
    EXPECT_EQ(written(spec, spec.forms[1].meaning, "r"), "(concat #b11 |c.n|)");
}

TEST(Operands, MakeOneFormForEachCombination) {
    const Spec spec = must_load(machine(
        std::string(operands) +
        "instruction move { operand sz : size; operand src : ea(sz.bytes); operand dst : ea(sz.bytes) in alterable;"
        " encoding 0b1 sz.ss src.mode src.reg 0b0, 0b0000 dst.mode dst.reg, src.ext, dst.ext;"
        " assembly \"move{sz} {src},{dst}\"; dst.write(src.read); }"));
    EXPECT_EQ(spec.instructions.size(), 1U);
    EXPECT_EQ(spec.forms.size(), 2U * 4U * 3U);
    EXPECT_EQ(spec.forms[0].variant, "B.Dn.Dn");
    const auto form = [&](const std::string& variant) -> const Form& {
        for (const Form& f : spec.forms)
            if (f.variant == variant) return f;
        ADD_FAILURE() << variant;
        return spec.forms[0];
    };
    // Opcode and operand byte, two bytes of immediate, one of displacement.
    EXPECT_EQ(form("W.Imm.Disp").encoding.parcels.size(), 5U);
    EXPECT_EQ(form("B.Imm.Disp").encoding.parcels.size(), 4U);
    // (a1)+ to (a1)+: the source's side effect comes first and is seen by the destination.
    const Form& both = form("W.Inc.Inc");
    ASSERT_EQ(both.meaning.loads.size(), 1U);
    ASSERT_EQ(both.meaning.stores.size(), 1U);
    EXPECT_EQ(spec.terms.print(both.meaning.loads[0].address), "(select |a| |src.n|)");
    EXPECT_EQ(spec.terms.print(both.meaning.stores[0].address),
              "(ite (= |src.n| |dst.n|) (bvadd #x0002 (select |a| |src.n|)) (select |a| |dst.n|))");
}

TEST(Operands, ComputeTheirAddressOnce) {
    const Spec spec = must_load(machine(
        std::string(operands) +
        "instruction inc { operand dst : ea(2) in { Inc }; encoding 0b0000 dst.mode dst.reg; assembly \"inc {dst}\";"
        " dst.write(dst.read + 1); }"));
    const Meaning& m = spec.forms[0].meaning;
    EXPECT_EQ(m.loads[0].address, m.stores[0].address);
    unsigned writes = 0;
    for (const auto& write : m.writes) writes += spec[write.element].name == "a" ? 1 : 0;
    EXPECT_EQ(writes, 1U);
}

TEST(Operands, MustBeUsedOnAllPathsOrNone) {
    EXPECT_THAT(
        error_of(std::string(operands) +
                 "instruction i { operand e : ea(2) in { Inc }; encoding 0b0100 e.mode e.reg; assembly \"i {e}\";"
                 " if s == 1 { pc = e.read; } d[0] = e.read; }"),
        HasSubstr("E0423"));
}

TEST(Operands, AskForTheirCase) {
    const Spec spec = must_load(
        machine(std::string(operands) +
                "instruction i { operand e : ea(2) in { Dn, Inc }; encoding 0b0100 e.mode e.reg; assembly \"i {e}\";"
                " pc = if e.is(Dn) then 1 else 2; }"));
    EXPECT_EQ(written(spec, spec.forms[0].meaning, "pc"), "#x0001");
    EXPECT_EQ(written(spec, spec.forms[1].meaning, "pc"), "#x0002");
}

TEST(Operands, HavePiecesThatCanBeRead) {
    const std::string instruction =
        "instruction i { operand sz : size; operand e : ea(2) in { Dn, Inc }; encoding 0b10 sz.ss e.mode e.reg;"
        " assembly \"i{sz} {e}\"; ";
    const Spec spec =
        must_load(machine(operands + instruction + "pc = zext(sz.ss @ e.mode, 16); if e.mode == 1 { trap bad; } }"));
    ASSERT_EQ(spec.forms.size(), 4U);
    // What is fixed is a number, and decides once and for all.
    const std::array values = {"#x0000", "#x0001", "#x0004", "#x0005"};
    for (std::size_t i = 0; i < 4; ++i) {
        const Meaning& m = spec.forms[i].meaning;
        EXPECT_EQ(written(spec, m, "pc"), values.at(i));
        ASSERT_EQ(m.traps.size(), i % 2);
        for (const auto& trap : m.traps) EXPECT_TRUE(spec.terms.is_true(trap.guard));
    }
    EXPECT_THAT(error_of(operands + instruction + "pc = zext(e.other, 16); }"), HasSubstr("E0424"));
}

TEST(Encodings, ScatterFields) {
    const Spec spec = must_load(machine(
        "instruction b { encoding imm[8] imm[5..3] imm[7..6] imm[2..1]; assembly \"b {imm}\"; pc = zext(imm, 16); }"));
    const Form& form = spec.forms[0];
    EXPECT_EQ(form.fields[0].width, 9U);
    EXPECT_EQ(encode(form, std::vector<std::uint64_t>{0x100}).at(0), 0x80U);
    EXPECT_EQ(encode(form, std::vector<std::uint64_t>{0x0C0}).at(0), 0x0CU);
    EXPECT_EQ(encode(form, std::vector<std::uint64_t>{0x03E}).at(0), 0x73U);
}

TEST(Unpredictable, IsAChoiceOfItsOwn) {
    const Spec spec =
        must_load(machine("register r : bits(8) role data;"
                          "instruction i { encoding 0x01; assembly \"i\"; r = any(8); }"));
    ASSERT_EQ(spec.forms[0].meaning.choices.size(), 1U);
    EXPECT_EQ(written(spec, spec.forms[0].meaning, "r"), "|any0|");
}

TEST(Platforms, SayWhatDevicesDrive) {
    const auto text = [](const std::string& inside) {
        return machine(
            "instruction nop { encoding 0x00; assembly \"nop\"; } input number : bits(3); input software : bits(1); "
            "input time : bits(64) role time; input done : bits(64) role time; platform { " +
                inside + " }",
            "address 32;");
    };
    const Spec spec = must_load(
        text("core drives retired => done; isa \"rv64i\"; mmu \"riscv,sv39\"; interrupt_controller pic at 0 size 32 "
             "drives number; "
             "timer t at 32 size 24 line 31; clint c at 0x10000 size 0x10000 drives time => time, software => software "
             "timebase 10; ram m at 0x80000000 size 0x1000; htif h at 0x80000800 size 8;"));
    const auto& devices = spec.platform.devices;
    ASSERT_EQ(devices.size(), 5U);
    EXPECT_EQ(spec.platform.isa, "rv64i");
    EXPECT_EQ(spec.platform.mmu, "riscv,sv39");
    ASSERT_EQ(devices[0].drives.size(), 1U);
    EXPECT_EQ(spec[devices[0].drives[0].input].name, "number");
    EXPECT_EQ(devices[1].line, 31U);
    EXPECT_EQ(devices[2].timebase, 10U);
    ASSERT_EQ(devices[2].drives.size(), 2U);
    EXPECT_EQ(device_kind(devices[2].kind).outputs[devices[2].drives[0].output].name, "time");
    EXPECT_EQ(spec[devices[2].drives[1].input].name, "software");
    EXPECT_EQ(spec[devices[2].drives[1].input].role, Role::io);
    EXPECT_EQ(spec[devices[2].drives[0].input].role, Role::time);
    EXPECT_EQ(devices[3].drives.size(), 0U);
    ASSERT_EQ(spec.platform.counts.size(), 1U);
    EXPECT_EQ(spec.platform.counts[0].output, Platform::retired);
    EXPECT_EQ(spec[spec.platform.counts[0].input].name, "done");

    const auto said = [&](const std::string& inside) {
        std::string diagnostics;
        load(text(inside), &diagnostics);
        return diagnostics;
    };
    const auto has = [&](const std::string& inside, const std::string& part) {
        const std::string all = said(inside);
        EXPECT_NE(all.find(part), std::string::npos) << inside << "\n" << all;
    };
    has("clint c at 0 size 0x10000 drives software;", "E0511");
    has("core drives done;", "it has cycles, retired");
    has("core drives cycles => number;", "E0512");
    has("core drives cycles => done, retired => done;", "E0513");
    has("core drives cycles => time; clint c at 0 size 0x10000 drives time => time;", "E0513");
    has("clint c at 0 size 0x10000 drives tick => software;", "it has software, timer, time");
    has("interrupt_controller c at 0 size 32 drives machine => number;", "it has one without a name");
    has("ram r at 0 size 8 drives number;", "it has none");
    has("clint c at 0 size 0x10000 drives time => number;", "this output has 64 bits, but input `number` has 3");
    has("clint c at 0 size 0x10000 drives timer => s;", "E0507");
    has("clint c at 0 size 0x10000; clint d at 0x10000 size 0x10000;", "a platform has one clint");
    has("plic p at 0 size 0x400000; interrupt_controller d at 0x400000 size 32;", "one interrupt controller");
    has("timer t at 0 size 24 line 32;", "E0517");
    has("timer t at 0 size 24 line 96; plic p at 0x400000 size 0x400000 sources 95;", "1 to 95");
    has("htif h at 0 size 8; uart u at 0 size 16;", "overlaps");
    // At the device, at the output.
    has("ram r at 0 size 8;\n  clint c at 0x10000 size 0x10000 drives beat => software;", "test.isa:8:");
    EXPECT_EQ(said("timer t at 0 size 24 line 96; plic p at 0x400000 size 0x400000;"), "");
}

TEST(Machines, MayHaveUnitsOfAnySize) {
    const Spec spec = must_load(
        machine("register acc : bits(36) role data;"
                "instruction load { encoding 0b111111111 a:27; assembly \"load {a}\"; acc = mem[a[15..0], 1]; }",
                "endian big; unit 36; address 16; parcel 36;"));
    EXPECT_EQ(spec.terms.sort(spec.forms[0].meaning.loads[0].result), Sort::bits(36));
}

}  // namespace
}  // namespace pogo::isa
