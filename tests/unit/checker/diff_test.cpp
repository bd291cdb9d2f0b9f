// diff: a machine equals itself, edits of it are found at the row they are in, states correspond as files say.
// SPDX-License-Identifier: Apache-2.0
#include "check/diff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../replaced.hpp"
#include "isa/elaborate.hpp"

namespace pogo::check {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// What `pogo diff` does up to the report.
struct Compare {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    std::optional<isa::Spec> a;
    std::optional<isa::Spec> b;
    std::optional<Correspondence> correspondence;
    Comparison comparison;

    Compare(const std::string& text_a, const std::string& text_b, const std::string& states = "",
            const isa::Arguments& of_a = {}, const isa::Arguments& of_b = {}) {
        const auto file = isa::parse_toml(sources, sources.add("states.toml", states), diagnostics);
        if (!file) return;
        const Conditions conditions = conditions_of(*file, diagnostics);
        const auto load = [&](const std::string& text, const isa::Arguments& arguments,
                              std::vector<const isa::Toml*> assumed, const std::vector<const isa::Toml*>& when) {
            assumed.insert(assumed.end(), when.begin(), when.end());
            std::vector<std::uint32_t> buffers;
            for (const auto* condition : assumed)
                buffers.push_back(isa::add_condition(sources, condition->text, condition->where));
            return isa::load_spec(sources, sources.add("machine.isa", text), {}, arguments, diagnostics, {}, buffers);
        };
        a = load(text_a, of_a, conditions.a, conditions.when);
        b = load(text_b, of_b, conditions.b, {});
        if (!a || !b) return;
        correspondence = read_correspondence(*a, *b, &*file, diagnostics);
        if (!correspondence) return;
        EXPECT_EQ(incomparable(*a, *b), "");
        comparison = diff(*a, *b, *correspondence, {});
    }

    [[nodiscard]] std::string said() const { return isa::render(diagnostics, sources); }
    [[nodiscard]] std::vector<std::string> different() const {
        std::vector<std::string> names;
        for (const auto& line : comparison.compared)
            if (line.equal != Verdict::yes && line.expected.empty()) names.push_back(line.name);
        return names;
    }
    [[nodiscard]] const Compared& line(std::string_view name) const {
        for (const auto& compared : comparison.compared)
            if (compared.name == name) return compared;
        ADD_FAILURE() << name;
        return comparison.compared.front();
    }
};

std::string shipped(const std::string& name) {
    isa::Diagnostics diagnostics;
    return isa::read_file(std::string(POGO_SPECS "/") + name, diagnostics).value();
}

class Identity : public ::testing::TestWithParam<const char*> {};

TEST_P(Identity, IsProvedByRewritingNearlyAlone) {
    const std::string text = shipped(GetParam());
    const Compare same(text, text);
    EXPECT_EQ(same.said(), "");
    EXPECT_THAT(same.different(), IsEmpty());
    EXPECT_EQ(same.comparison.equal, Verdict::yes);
    EXPECT_LE(same.comparison.statistics.solved * 5, same.comparison.statistics.queries);
}

INSTANTIATE_TEST_SUITE_P(Diff, Identity,
                         ::testing::Values("lecture.isa", "pg74.isa", "switch.isa", "m68k.isa", "rv64.isa"),
                         [](const auto& file) {
                             return std::string(file.param).substr(0, std::string(file.param).find('.'));
                         });

struct Edit {
    const char* file;
    const char* from;
    const char* to;
    const char* line;  ///< where it is found
};

class Mutant : public ::testing::TestWithParam<Edit> {};

TEST_P(Mutant, IsFoundWhereItIs) {
    const Edit& edit = GetParam();
    const std::string text = shipped(edit.file);
    const Compare compare(text, test::replaced(text, edit.from, edit.to));
    EXPECT_EQ(compare.said(), "");
    EXPECT_THAT(compare.different(), AllOf(Not(IsEmpty()), Each(edit.line)));
    EXPECT_EQ(compare.comparison.equal, Verdict::no);
}

constexpr Edit lecture_edits[] = {
    {"lecture.isa", "set_flags(s, s < x, x[31]", "set_flags(s, s <= x, x[31]", "add"},
    {"lecture.isa", "r[rd] = x - y;", "r[rd] = y - x;", "sub"},
    {"lecture.isa", "set_logic(rd, r[ra] >>s b.read);", "set_logic(rd, r[ra] >> b.read);", "sar"},
    {"lecture.isa", "r[rd] = zext(mem[r[ra] + sext(d, 32), 1], 32);", "r[rd] = sext(mem[r[ra] + sext(d, 32), 1], 32);",
     "load byte"},
    {"lecture.isa", "mem[r[ra] + sext(d, 32), 1] = r[rs][7..0];", "mem[r[ra] + sext(d, 32), 1] = r[rs][15..8];",
     "store byte"},
    {"lecture.isa", "r[14] = next_pc;", "r[14] = pc;", "call"},
    {"lecture.isa", "if c == Condition.lt { return less; }", "if c == Condition.lt { return less || zero; }", "branch"},
    {"lecture.isa", "  pc = epc;\n", "  pc = eva;\n", "return from exception"},
    {"lecture.isa", "{ enter(0x04, pc); eva = va; }", "{ enter(0x04, pc); eva = 0; }", "alignment"},
    {"lecture.isa", "when irq != 0 && ccr.I == 1", "when irq != 0", "external"},
    {"lecture.isa", "halt when halted == 1;", "halt when halted == 0;", "halt"},
};
constexpr Edit pg74_edits[] = {
    {"pg74.isa", "if r[ra] <s r[rb] { psw.P = n; }", "if r[ra] < r[rb] { psw.P = n; }", "branch if less"},
    {"pg74.isa", "r[rd] = zext(next_pc, 64);", "r[rd] = sext(next_pc, 64);", "jump and link"},
    {"pg74.isa", "mem[cell(rx, n), 1] = r[rs];", "mem[cell(0, n), 1] = r[rs];", "store"},
    {"pg74.isa", "  trap call_trap(n);", "  trap call_trap(n + 1);", "supervisor call"},
};
constexpr Edit rv64_edits[] = {
    {"rv64.isa", "encoding 0x10500073;", "encoding 0x10600073;", "wfi"},
    {"rv64.isa", "x[rd] = word(x[rs1][31..0] >>s shamt);", "x[rd] = word(x[rs1][31..0] >> shamt);", "sraiw"},
    {"rv64.isa", "sext(imm, 64);\n  x[rd] = next_pc;\n  pc = target[63..1] @ 0b0;",
     "sext(imm, 64);\n  x[rd] = next_pc;\n  pc = target;", "jalr"},
    {"rv64.isa", "  priv = mstatus.MPP;\n", "  priv = 0b0 @ mstatus.SPP;\n", "mret"},
    {"rv64.isa", "x[rd] = sext(mem[x[rs1] + sext(d, 64), 4], 64);", "x[rd] = zext(mem[x[rs1] + sext(d, 64), 4], 64);",
     "lw"},
    {"rv64.isa", "mem[x[rs1] + sext(d, 64), 8] = x[rs2];", "mem[x[rs1] + sext(d, 64), 8] = x[rs2] | 1;", "sd"},
    {"rv64.isa", "!permits(entry, access, mode, sum, mxr)", "!permits(entry, access, mode, 0, mxr)", "translation"},
    {"rv64.isa", "pc = 0x8000_0000;", "pc = 0x8000_1000;", "reset"},
};

std::string edit_name(const ::testing::TestParamInfo<Edit>& edit) {
    std::string name = edit.param.line;
    for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    return name;
}

INSTANTIATE_TEST_SUITE_P(DiffOfLecture, Mutant, ::testing::ValuesIn(lecture_edits), edit_name);
INSTANTIATE_TEST_SUITE_P(DiffOfPg74, Mutant, ::testing::ValuesIn(pg74_edits), edit_name);
INSTANTIATE_TEST_SUITE_P(DiffOfRv64, Mutant, ::testing::ValuesIn(rv64_edits), edit_name);

// ---- Toy machines ---------------------------------------------------------------------------------------------------

std::string machine(const std::string& state, const std::string& body) {
    return "machine toy { endian big; address 16; }\nregister pc : bits(16) role pc;\n" + state +
           "trap bad kind illegal { pc = 0; }\nillegal bad;\n" + body;
}

// One register in two fields and constant bits, and the same as a whole.
const std::string split_state =
    "register status : bits(8) { S 7 role mode; I 2..1 role control; }\n"
    "regfile r[4] : bits(16) role data;\n"
    "mode upper { status.S = 1; } mode lower { status.S = 0; }\n";
const std::string whole_state =
    "register status : bits(8) role mode;\n"
    "regfile r[4] : bits(16) role data;\n"
    "mode upper { status = 0x80; } mode lower { status = 0; }\n";
const std::string split = machine(split_state,
                                  "instruction raise { encoding 0x01; assembly \"raise\"; status.I = 3; }\n"
                                  "instruction put { encoding 0b0001 0b00 n:2; assembly \"put {n}\";"
                                  " status.S = r[n][7]; status.I = r[n][2..1]; }\n"
                                  "instruction get { encoding 0b0010 0b00 n:2; assembly \"get {n}\";"
                                  " r[n] = zext(status, 16); }\n");

TEST(Diff, OfARegisterInFieldsAndAsAWhole) {
    const Compare compare(split, machine(whole_state,
                                         "instruction raise { encoding 0x01; assembly \"raise\"; status[2..1] = 3; }\n"
                                         "instruction put { encoding 0b0001 0b00 n:2; assembly \"put {n}\";"
                                         " status = zext(r[n][7..0] & 0x86, 8); }\n"
                                         "instruction get { encoding 0b0010 0b00 n:2; assembly \"get {n}\";"
                                         " r[n] = zext(status, 16); }\n"));
    EXPECT_EQ(compare.said(), "");
    EXPECT_THAT(compare.different(), IsEmpty());
}

TEST(Diff, NamesMayDifferInCaseAlone) {
    std::string capitals = split;
    for (std::size_t at = 0; (at = capitals.find("status", at)) != std::string::npos;)
        capitals.replace(at, 6, "Status");
    const Compare compare(split, capitals);
    EXPECT_EQ(compare.said(), "");
    EXPECT_THAT(compare.different(), IsEmpty());
    // But not where two are meant.
    const std::string two = machine(
        "register Status : bits(8) role data; register sTATUS : bits(8) role data; register m : bits(1) role mode;\n"
        "mode upper { m = 1; } mode lower { m = 0; }\n",
        "instruction none { encoding 0x00; assembly \"none\"; }\n");
    EXPECT_THAT(Compare(split, two).said(), HasSubstr("E0815"));
}

TEST(Diff, ConstantBitsHaveToStay) {
    const std::string whole = machine(whole_state,
                                      "instruction raise { encoding 0x01; assembly \"raise\"; status[2..1] = 3; }\n"
                                      "instruction put { encoding 0b0001 0b00 n:2; assembly \"put {n}\";"
                                      " status = r[n][7..0]; }\n"
                                      "instruction get { encoding 0b0010 0b00 n:2; assembly \"get {n}\";"
                                      " r[n] = zext(status, 16); }\n");
    const Compare compare(split, whole);
    EXPECT_THAT(compare.different(), ElementsAre("put"));
    const auto& witnesses = compare.line("put").witnesses;
    ASSERT_EQ(witnesses.size(), 2U);
    // The smallest: one register holds 1.
    const isa::Spec& b = *compare.b;
    EXPECT_EQ(witnesses[1].sides[0].outcome.post.get(b[b.find_element("status")]), 1U);
    EXPECT_EQ(witnesses[1].sides[0].state.get(b[b.find_element("status")]), 0U);
    // The other way round it is the same.
    EXPECT_THAT(Compare(whole, split).different(), ElementsAre("put"));
}

const std::string named_state =
    "register STATUS : bits(3) role mode;\n"
    "register g0 : bits(16) role data; register g1 : bits(16) role data;\n"
    "register g2 : bits(16) role data; register g3 : bits(16) role data;\n"
    "mode super { STATUS = 5; } mode normal { STATUS = 2; }\n";
const std::string named =
    machine(named_state,
            "instruction zero { encoding 0b0001 0b00 n:2; assembly \"zero {n}\";"
            " if n == 0 { g0 = 0; } if n == 1 { g1 = 0; } if n == 2 { g2 = 0; } if n == 3 { g3 = 0; } }\n"
            "instruction drop { encoding 0x20; assembly \"drop\"; trap bad when STATUS != 5; STATUS = 2; }\n");
const std::string filed = machine(
    "register s : bits(1) role mode;\nregfile r[4] : bits(16) role data;\n"
    "mode upper { s = 1; } mode lower { s = 0; }\n",
    "instruction zero { encoding 0b0001 0b00 n:2; assembly \"zero {n}\"; r[n] = 0; }\n"
    "instruction drop { encoding 0x20; assembly \"drop\"; trap bad when s == 0; s = 0; }\n");
const std::string renaming =
    "[registers]\n\"g{0..3}\" = \"r[{0..3}]\"\n[modes]\nsuper = \"upper\"\nnormal = \"lower\"\n";

TEST(Diff, OfAFileAndScalarsWithModesByName) {
    // States begin at 0, which is no mode of B's.
    const Compare compare(filed, named, renaming + "[expected]\nreset = \"B has no mode 0\"\n");
    EXPECT_EQ(compare.said(), "");
    EXPECT_THAT(compare.different(), IsEmpty());
    EXPECT_EQ(compare.comparison.equal, Verdict::yes);
    EXPECT_THAT(compare.comparison.stale, IsEmpty());
    const Compare back(named, filed,
                       "[registers]\n\"r[{0..3}]\" = \"g{0..3}\"\n[modes]\nupper = \"super\"\nlower = \"normal\"\n");
    EXPECT_EQ(back.said(), "");
    EXPECT_THAT(back.different(), ElementsAre("reset"));
}

TEST(Diff, SaysWhichNamesCorrespondToNothing) {
    EXPECT_THAT(Compare(filed, named).said(),
                HasSubstr("error[E0815]: nothing corresponds to s (A), r (A), STATUS (B), g0 (B)"));
    const auto said = [](const std::string& states) { return Compare(filed, named, states).said(); };
    EXPECT_THAT(said("[registers]\ng0 = 'q[1]'\n"),
                HasSubstr("states.toml:2:6: error[E0813]: there is no register `q[1]` in A"));
    EXPECT_THAT(said("[registers]\nh = 's'\n"),
                HasSubstr("states.toml:2:1: error[E0813]: there is no register `h` in B"));
    EXPECT_THAT(said("[registers]\ng0 = 's'\n"),
                HasSubstr("error[E0814]: `s` of A and `g0` of B do not fit: they have 1 and 16 bits"));
    EXPECT_THAT(said("[modes]\nuser = 'upper'\n"), HasSubstr("there is no mode `user` in B"));
    EXPECT_THAT(said("[traps]\nbad = 'worse'\n"), HasSubstr("there is no trap `worse` in A"));
    EXPECT_THAT(said("[ignore]\nz = ''\n"), HasSubstr("there is no register `z` in either machine"));
    EXPECT_THAT(said("[register]\n"), HasSubstr("unknown key `register`"));
    EXPECT_THAT(said("[assume]\nC = []\n"), HasSubstr("unknown key `C`"));
    EXPECT_THAT(said("[assume]\nA = ['t == 0']\n"), HasSubstr("states.toml:2:7: error[E0201]: `t` is not declared"));
    EXPECT_THAT(said("[assume]\nA = ['s == 0; register t : bits(1) role data']\n"), HasSubstr("error[E0110]"));
}

TEST(Diff, IgnoresWhatItIsToldTo) {
    const std::string counting =
        machine(split_state + "register count : bits(8) role data;\n",
                "instruction raise { encoding 0x01; assembly \"raise\"; status.I = 3; count = count + 1; }\n"
                "instruction put { encoding 0b0001 0b00 n:2; assembly \"put {n}\";"
                " status.S = r[n][7]; status.I = r[n][2..1]; }\n"
                "instruction get { encoding 0b0010 0b00 n:2; assembly \"get {n}\";"
                " r[n] = zext(status, 16) + zext(count, 16); }\n");
    EXPECT_THAT(Compare(split, counting, "[ignore]\ncount = 'counts'\n").different(), ElementsAre("get"));
    EXPECT_THAT(Compare(split, counting, "[ignore]\ncount = 'counts'\n[assume]\nB = ['count == 0']\n").different(),
                IsEmpty());
}

TEST(Diff, ExpectedDifferencesHaveToOccur) {
    const std::string two =
        machine(split_state, "instruction raise { encoding 0x01; assembly \"raise\"; status.I = 2; }\n");
    const Compare compare(split, two, "[expected]\nraise = 'two'\nput = { reason = 'not there' }\nget = 'not there'\n");
    EXPECT_THAT(compare.different(), IsEmpty());
    EXPECT_EQ(compare.comparison.equal, Verdict::yes);
    const Compare stale(split, split, "[expected]\nraise = 'two'\nnone = 'x'\n");
    EXPECT_THAT(stale.comparison.stale, ElementsAre(0U));
    EXPECT_THAT(stale.comparison.unheard_of, ElementsAre(1U));
}

TEST(Diff, ExpectedDifferencesUnderAConditionLeaveTheRest) {
    const auto with = [](const std::string& value) {
        return machine(split_state,
                       "instruction raise { encoding 0x01; assembly \"raise\"; status.I = " + value + "; }\n");
    };
    const std::string when = "[expected]\nraise = { reason = 'upper is special', when = 'status.S == 1' }\n";
    const Compare there(with("3"), with("if status.S == 1 then bits(2, 2) else bits(2, 3)"), when);
    EXPECT_EQ(there.said(), "");
    EXPECT_EQ(there.comparison.equal, Verdict::yes);
    EXPECT_THAT(there.comparison.stale, IsEmpty());
    const Compare elsewhere(with("3"), with("2"), when);
    EXPECT_EQ(elsewhere.comparison.equal, Verdict::no);
    EXPECT_THAT(elsewhere.different(), ElementsAre("raise"));
    const Compare nowhere(with("3"), with("3"), when);
    EXPECT_THAT(nowhere.comparison.stale, ElementsAre(0U));
}

TEST(Diff, StatesThatExcludeEachOtherAreNoProof) {
    const Compare compare(split, split, "[assume]\nA = ['status.I == 1']\nB = ['status.I == 2']\n");
    EXPECT_THAT(compare.comparison.compared, IsEmpty());
    EXPECT_EQ(compare.comparison.equal, Verdict::no);
}

TEST(Diff, TrapsOfOtherNamesAreComparedByTheirEntries) {
    const std::string drop =
        "instruction drop { encoding 0x20; assembly \"drop\"; trap bad when status.S == 0; status.S = 0; }\n";
    const std::string bad = machine(split_state, drop);
    std::string worse = test::replaced(bad, "bad", "worse", 3);
    const auto lines = [](const Compare& compare) {
        std::vector<std::string> names;
        for (const auto& line : compare.comparison.compared) names.push_back(line.name);
        return names;
    };
    const Compare by_state(bad, worse);
    EXPECT_THAT(by_state.different(), IsEmpty());
    EXPECT_THAT(lines(by_state), Not(Contains("bad")));
    const Compare by_name(bad, worse, "[traps]\nworse = 'bad'\n");
    EXPECT_THAT(by_name.different(), IsEmpty());
    EXPECT_THAT(lines(by_name), Contains("bad"));
    // Another entry: in the instruction, or in a line of its own.
    worse.replace(worse.find("{ pc = 0; }"), 11, "{ pc = 2; }");
    EXPECT_THAT(Compare(bad, worse).different(), ElementsAre("drop"));
    EXPECT_THAT(Compare(bad, worse, "[traps]\nworse = 'bad'\n").different(), ElementsAre("bad"));
}

TEST(Diff, StoresAreComparedInTheirOrder) {
    const auto with = [](const std::string& stores) {
        return machine(split_state, "instruction two { encoding 0x01; assembly \"two\"; " + stores + " }\n");
    };
    const std::string there = "mem[r[0], 1] = 1; mem[r[1], 1] = 2;";
    EXPECT_THAT(Compare(with(there), with("mem[r[0], 2] = 0x0102; ")).different(), ElementsAre("two"));
    EXPECT_THAT(Compare(with(there), with("mem[r[1], 1] = 2; mem[r[0], 1] = 1;")).different(), ElementsAre("two"));
    EXPECT_THAT(Compare(with(there),
                        with("if r[2] == 0 { mem[r[0], 1] = 1; } else { mem[r[0], 1] = r[2][15..8] ^ r[2][15..8] | 1; }"
                             " mem[r[1], 1] = 2;"))
                    .different(),
                IsEmpty());
}

// What else the line does has to be equal: the counterpart of a difference in all that an instruction does.
TEST(Diff, ExpectedDifferencesOfARegisterLeaveTheOthers) {
    const auto with = [](const std::string& bits, const std::string& value) {
        return machine(split_state, "instruction raise { encoding 0x01; assembly \"raise\"; status.I = " + bits +
                                        "; r[1] = " + value + "; }\n");
    };
    const std::string in = "[expected]\n'ra*' = { reason = 'bits', in = ['status.I'] }\n";
    const Compare bits(with("3", "0"), with("2", "0"), in);
    EXPECT_EQ(bits.said(), "");
    EXPECT_EQ(bits.comparison.equal, Verdict::yes);
    EXPECT_EQ(bits.line("raise").expected, "bits");
    const Compare both(with("3", "0"), with("2", "1"), in);
    EXPECT_EQ(both.comparison.equal, Verdict::no);
    EXPECT_THAT(both.different(), ElementsAre("raise"));
    // Two reasons for one line, one of them under a condition.
    const std::string more = in + "raise = { reason = 'r', in = ['r'], when = 'status.S == 1' }\n";
    const Compare there(with("3", "0"), with("2", "zext(status.S, 16)"), more);
    EXPECT_EQ(there.said(), "");
    EXPECT_EQ(there.comparison.equal, Verdict::yes);
    EXPECT_THAT(Compare(with("3", "0"), with("2", "zext(~status.S, 16)"), more).different(), ElementsAre("raise"));
    EXPECT_THAT(Compare(with("3", "0"), with("3", "0"), in).comparison.stale, ElementsAre(0U));
    EXPECT_THAT(Compare(split, split, "[expected]\nraise = { reason = '', in = ['q'] }\n").said(),
                HasSubstr("there is no register `q` in either machine"));
}

TEST(Diff, OneTrapForTwoOfTheOther) {
    const auto with = [](const std::string& causes, const std::string& drop) {
        return machine(split_state, causes + "instruction drop { encoding 0x20; assembly \"drop\"; " + drop + " }\n");
    };
    const std::string two = with("trap other kind privilege { pc = 0; }\n",
                                 "trap other when status.S == 0; trap bad when r[0] == 0; status.S = 0;");
    const std::string one = with("", "trap bad when status.S == 0 || r[0] == 0; status.S = 0;");
    EXPECT_THAT(Compare(two, one).different(), ElementsAre("drop"));
    const std::string both = "[traps]\nbad = ['bad', 'other']\n";
    const Compare compare(two, one, both);
    EXPECT_EQ(compare.said(), "");
    EXPECT_THAT(compare.different(), IsEmpty());
    EXPECT_EQ(compare.line("other").kind, Compared::Kind::trap);
    EXPECT_THAT(Compare(two, with("", "trap bad when r[0] == 0; status.S = 0;"), both).different(),
                ElementsAre("drop"));
    // Entries are lines of their own.
    std::string far = two;
    far.replace(far.find("privilege { pc = 0; }"), 21, "privilege { pc = 2; }");
    EXPECT_THAT(Compare(far, one, both).different(), ElementsAre("other"));
    EXPECT_THAT(Compare(two, one, "[modes]\nupper = ['upper']\n").said(), HasSubstr("expected a string"));
}

// A table of 256 entries at 0x8000.
std::string walking(const std::string& walk) {
    return "machine toy { endian big; address 16; }\nregister pc : bits(16) role pc;\n"
           "register status : bits(8) { S 7 role mode; ON 0 role relocation; }\n"
           "regfile r[4] : bits(16) role data;\nmode upper { status.S = 1; } mode lower { status.S = 0; }\n"
           "trap bad kind illegal { pc = 0; }\ntrap fault(va: bits(16)) kind memory { pc = 4; r[3] = va; }\nillegal "
           "bad;\n"
           "translate (va, access, units) page 8 { " +
           walk +
           " }\ninstruction get { encoding 0b0010 0b00 n:2; assembly \"get {n}\"; r[n] = zext(mem[r[n], 1], 16); }\n"
           "instruction put { encoding 0b0011 0b00 n:2; assembly \"put {n}\"; mem[r[n], 2] = r[0]; }\n";
}
const std::string one_level =
    "trap fault(va) when (va[7..0] & (units - 1)) != 0; if status.ON == 0 { return va; } "
    "let entry = physical[0x80 @ va[15..8], 1]; trap fault(va) when entry == 0; return entry @ va[7..0];";

TEST(Diff, ComparesPageWalksByTheLoadsThatHappen) {
    // The load on one of two paths.
    const std::string paths =
        "trap fault(va) when (va[7..0] & (units - 1)) != 0; if status.ON == 0 { return va; } let entry = bits(8, 0); "
        "if va[15] == 0 { entry = physical[0x80 @ va[15..8], 1]; } "
        "else { entry = physical[0x80ff & (0x80 @ va[15..8]), 1]; } "
        "trap fault(va) when entry == 0; return entry @ va[7..0];";
    const Compare same(walking(one_level), walking(paths));
    EXPECT_EQ(same.said(), "");
    EXPECT_THAT(same.different(), IsEmpty());
    std::string elsewhere = paths;
    elsewhere.replace(elsewhere.find("0x80ff"), 6, "0x80fe");
    EXPECT_THAT(Compare(walking(one_level), walking(elsewhere)).different(), ElementsAre("translation"));
    std::string lenient = one_level;
    lenient.replace(lenient.find("entry == 0"), 10, "entry == 1");
    EXPECT_THAT(Compare(walking(one_level), walking(lenient)).different(), ElementsAre("translation"));
}

// Alignment is a trap of the instruction, in the translation as written or not.
TEST(Diff, AlignmentIsTheInstructions) {
    std::string in_put = walking(one_level);
    in_put.replace(in_put.find("trap fault(va) when (va[7..0] & (units - 1)) != 0;"), 50, "");
    in_put.replace(in_put.find("mem[r[n], 2] = r[0];"), 20, "trap fault(r[n]) when r[n][0] == 1; mem[r[n], 2] = r[0];");
    const Compare same(walking(one_level), in_put);
    EXPECT_EQ(same.said(), "");
    EXPECT_THAT(same.different(), IsEmpty());
    std::string other = in_put;
    other.replace(other.find("fault(r[n]) when r[n][0] == 1"), 29, "fault(r[n]) when r[n][1] == 1");
    EXPECT_THAT(Compare(walking(one_level), other).different(), ElementsAre("put"));
    in_put.replace(in_put.find("trap fault(r[n]) when r[n][0] == 1; "), 36, "");
    EXPECT_THAT(Compare(walking(one_level), in_put).different(), ElementsAre("put"));
}

}  // namespace
}  // namespace pogo::check
