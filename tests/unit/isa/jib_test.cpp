// Jib IR: names, the reader, and every primitive of Sail's library against a direct computation.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>

#include "isa/concrete.hpp"
#include "isa/fold.hpp"
#include "jib/executor.hpp"

namespace pogo::isa::jib {
namespace {

using ::testing::HasSubstr;

// ---- names ----

TEST(Names, AreDecodedAndEncoded) {
    for (const auto& [encoded, readable] :
         std::vector<std::pair<std::string, std::string>>{{"zmergez3var", "merge#var"},
                                                          {"zz5i64zDzKz5i", "%i64->%i"},
                                                          {"zz5izDzKz5i64", "%i->%i64"},
                                                          {"zcur_privilege", "cur_privilege"},
                                                          {"zzzero_reg", "zero_reg"},
                                                          {"zNonezIRTLB_EntryzK", "None<RTLB_Entry>"},
                                                          {"zSomezIz8bzCbz9zK", "Some<(b,b)>"},
                                                          {"zzz", "z"}}) {
        EXPECT_EQ(decode_name(encoded), readable);
        EXPECT_EQ(encode_name(readable), encoded);
    }
    EXPECT_EQ(decode_name("return"), "return");
    EXPECT_EQ(decode_name(""), "");
}

TEST(Names, RoundTrip) {
    std::string all;
    for (char c = 32; c < 127; ++c) all += c;
    EXPECT_EQ(decode_name(encode_name(all)), all);
    std::mt19937 random(3);
    for (int i = 0; i < 1000; ++i) {
        std::string name;
        for (auto n = random() % 12; n > 0; --n) name += all[random() % all.size()];
        EXPECT_EQ(decode_name(encode_name(name)), name);
    }
}

// ---- reading ----

struct Reading {
    SourceManager sources;
    Diagnostics diagnostics;
    Model model;
    explicit Reading(const std::string& text, bool over = false) {
        parse(sources, sources.add("a.ir", text), model, over, diagnostics);
    }
    [[nodiscard]] std::string said() const { return render(diagnostics, sources); }
};

TEST(Reader, ReadsEveryKindOfInstruction) {
    const Reading reading(
        "fn zf(zx, zy) {\n"
        "  za : %i64 `1 2:3-4:5;\n"
        "  zb : %bv8 = 0xA5;\n"
        "  zb.zc.zd = -5;\n"
        "  zr* = zb;\n"
        "  zc = $zg(za, struct zs {zp = 1, zq = \"a\\\"b\"});\n"
        "  jump @not(zc is zSome) goto 6;\n"
        "  goto 0 `~;\n"
        "  mono zt : %list(%fvec(3, &(%bool)));\n"
        "  exit match;\n"
        "  failure;\n"
        "  arbitrary;\n"
        "  ze = undefined : %struct zs;\n"
        "  ze = @slice::<8>(zc as zSome.zfield, 0:%i64);\n"
        "  ze = UINT64_C(0);\n"
        "  ze = &zPC;\n"
        "  ze = ();\n"
        "  ze = bitone;\n"
        "  end;\n"
        "}\n"
        "files \"a.sail\" \"b.sail\"\n"
        "#pragma anything at all ( { \"\n");
    ASSERT_EQ(reading.said(), "");
    const Model& model = reading.model;
    ASSERT_EQ(model.functions.size(), 1U);
    const Function& f = model.functions.begin()->second;
    EXPECT_EQ(f.parameters.size(), 2U);
    ASSERT_EQ(f.body.size(), 18U);
    using Kind = Instruction::Kind;
    const std::vector<Kind> kinds = {Kind::declare, Kind::declare, Kind::assign,  Kind::assign, Kind::call,
                                     Kind::jump,    Kind::go,      Kind::nothing, Kind::stop,   Kind::stop,
                                     Kind::stop,    Kind::assign,  Kind::assign,  Kind::assign, Kind::assign,
                                     Kind::assign,  Kind::assign,  Kind::end};
    for (std::size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ(f.body[i].kind, kinds[i]) << i;
    EXPECT_EQ(f.body[1].value->width, 8U);
    EXPECT_EQ(f.body[2].place.fields.size(), 2U);
    EXPECT_EQ(static_cast<long long>(f.body[2].value->value), -5);
    EXPECT_TRUE(f.body[3].place.referenced);
    EXPECT_EQ(f.body[4].arguments[1].operands[1].text, "a\"b");
    EXPECT_EQ(f.body[5].target, 6U);
    EXPECT_EQ(f.body[8].text, "exit match");
    EXPECT_EQ(f.body[12].value->width, 8U);
    EXPECT_EQ(f.body[12].value->operands[0].kind, Expression::Kind::field);
    EXPECT_EQ(f.body[13].value->width, 0U);
}

TEST(Reader, LaterTextsTakeThePlaceOfEarlier) {
    SourceManager sources;
    Diagnostics diagnostics;
    Model model;
    parse(sources, sources.add("a.ir", "fn zf() { end; }\nfn zg() { end; }\n"), model, false, diagnostics);
    parse(sources, sources.add("b.ir", "fn zf() { zx = 1; end; }\n"), model, true, diagnostics);
    ASSERT_EQ(render(diagnostics, sources), "");
    EXPECT_EQ(model.functions.at(*model.names.find("zf")).body.size(), 2U);
    EXPECT_EQ(model.functions.at(*model.names.find("zoriginal_f")).body.size(), 1U);
}

struct BrokenText {
    const char* text;
    const char* said;
};

TEST(Reader, SaysWhatIsWrongWhereItIs) {
    std::string deep = "fn zf() { zx = ";
    for (int i = 0; i < 300; ++i) deep += "@not(";
    std::string dots = "fn zf() { zx = zy";
    for (int i = 0; i < 300; ++i) dots += ".zz";
    std::string types = "val zf : ";
    for (int i = 0; i < 300; ++i) types += "(%vec";
    for (const BrokenText& b : std::vector<BrokenText>{
             {"\"no end", "a.ir:1:1: error[E0103]"},
             {"garbage", "a.ir:1:1: error[E0110]: expected a declaration"},
             {"register zx : %bv8\nregister zx : %bv8\n", "a.ir:2:10: error[E0202]: `x` is declared twice"},
             {"enum za { zA }\nenum za { zB }", "a.ir:2:6: error[E0202]"},
             {"enum za { zA }\nenum zb { zA }", "a.ir:2:11: error[E0202]"},
             {"struct za { }\nstruct za { }", "a.ir:2:8: error[E0202]"},
             {"struct za { zx: %struct za }", "a.ir:1:8: error[E0111]"},
             {"struct za { zx: %struct zb }\nstruct zb { zx: %bool, zy: %struct za }", "a.ir:2:8: error[E0111]"},
             {"union za { }\nunion za { }", "a.ir:2:7: error[E0202]"},
             {"union za { zA: %unit }\nunion zb { zA: %unit }", "a.ir:2:7: error[E0202]"},
             {"fn zf() { end; }\nfn zf() { end; }", "a.ir:2:4: error[E0202]"},
             {"register zx : %word", "a.ir:1:16: error[E0215]: `%word` is not a type"},
             {"register zx : %bvx", "a.ir:1:16: error[E0104]"},
             {"register zx : %bv99999999", "a.ir:1:16: error[E0205]"},
             {"register zx : bits", "a.ir:1:15: error[E0110]"},
             {"register zx : %", "error[E0110]: expected a type, found the end of the file"},
             {"val zf = \"a", "a.ir:1:10: error[E0103]"},
             {"val zf = 1", "error[E0110]: expected a text in quotes"},
             {"fn zf() { goto 1; }", "a.ir:1:11: error[E1001]: this goes to instruction 1 of a function that has 1"},
             {"fn zf() { jump true goto 9; end; }", "error[E1001]"},
             {"fn zf() { goto -1; }", "error[E0104]"},
             {"fn zf() { zx = 0b2; }", "error[E0104]"},
             {"fn zf() { zx = 0xg; }", "error[E0104]"},
             {"fn zf() { zx = 12a; }", "error[E0104]"},
             {"fn zf() { zx = 0x1ffffffffffffffffffffffffffffffff; }", "error[E0105]"},
             {"fn zf() { zx = 99999999999999999999999999999999999999999999; }", "error[E0105]"},
             {"fn zf() { zx = zg(1).za; }", "error[E0110]: expected `;`, found `.`"},
             {"fn zf() { zx : %i = zg(1); }", "error[E0110]: expected an expression that is no call"},
             {"fn zf() { zx = ; }", "error[E0110]: expected an expression, found `;`"},
             {"fn zf() { zx }", "error[E0110]: expected `=`, found `}`"},
             {"fn zf() { end }", "error[E0110]: expected `;`"},
             {"fn zf() {", "found the end of the file"},
             {"let () { }", "expected a name"},
             {"fn zf() { zx = zSome<%bv8>(zy); }", "a.ir:1:21: error[E0110]: expected a name for each instance"},
             {"fn zf() { zx = (zy, zz); }", "a.ir:1:19: error[E0110]: expected a structure in place of a tuple"},
             {"fn zf() { (zx, zy) = zg(zz); }",
              "a.ir:1:11: error[E0110]: expected one result, as `sail -ir` (Sail's plug-in of Isla) prints it"},
             {"fn zf zresult(zx) { end; }", "a.ir:1:7: error[E0110]: expected a result in `return`"},
             {"val zf : ((%i, %i)) -> %i", "a.ir:1:11: error[E0110]: expected a type without tuples"},
             {"abstract zxlen : %i", "a.ir:1:18: error[E0110]: expected a function"},
             {deep.c_str(), "error[E0111]"},
             {dots.c_str(), "error[E0111]"},
             {"-", "error[E0110]"},
             {"\xff\xfe", "error[E0110]"},
         }) {
        const Reading reading(b.text);
        EXPECT_TRUE(reading.diagnostics.has_errors()) << b.text;
        EXPECT_THAT(reading.said(), HasSubstr(b.said)) << b.text;
    }
    EXPECT_EQ(Reading("/* no end").said(), "");
    types = "register zx : ";
    for (int i = 0; i < 300; ++i) types += "%vec(";
    EXPECT_THAT(Reading(types).said(), HasSubstr("error[E0111]"));
}

/// What came and went between 2021 and 2025 without a change of meaning.
TEST(Reader, ReadsOlderAndNewerTexts) {
    const Reading reading(
        "/* a comment\n of two lines */\n"
        "#abstract oracle\n"
        "abstract zoracle = \"oracle\" : (%f64, %rounding_mode) ->  %f64\n"
        "val zeq = \"eq_int\" : (%i, %i) -> %bool\n"
        "register zx : %fvec(32, %bv32)\n"
        "register zy : %i {\n  zy = 1;\n}\n"
        "fn zf(zr) {\n"
        "  zgsz31_lz30 : %i ``;\n"
        "  zgsz31_lz30 = zz5i64zDzKz5i(0) `\"a.sail\" 1:2-3:4;\n"
        "  throw_location = \"a.sail 1:2\";\n"
        "  throw zgsz31_lz30;\n"
        "  failure match `1 2:3-4:5;\n"
        "  exit explicit;\n"
        "  /* between */ end;\n"
        "}\n"
        "files \"a.sail\" \"b.sail\"\n");
    EXPECT_EQ(reading.said(), "");
    const auto& body = reading.model.functions.at(*reading.model.names.find("zf")).body;
    std::vector<std::string> stops;
    for (const auto& instruction : body)
        if (instruction.kind == Instruction::Kind::stop) stops.push_back(instruction.text);
    EXPECT_EQ(stops, (std::vector<std::string>{"throw", "failure match", "exit explicit"}));
    EXPECT_EQ(body.back().kind, Instruction::Kind::end);
    const auto& oracle = reading.model.signatures.at(*reading.model.names.find("zoracle"));
    EXPECT_EQ(oracle.primitive, "oracle");
    EXPECT_EQ(oracle.parameters.size(), 2U);
}

TEST(Reader, GoesOnAfterAnError) {
    const Reading reading("register zx : %word\nregister zy : %bv8\nfn zf( { }\nregister zz : %bv8\n");
    EXPECT_EQ(reading.diagnostics.errors(), 2U);
    EXPECT_EQ(reading.model.global_numbers.count(*reading.model.names.find("zy")), 1U);
    EXPECT_EQ(reading.model.global_numbers.count(*reading.model.names.find("zz")), 1U);
}

// ---- primitives ----

constexpr Number least = static_cast<Number>(Word{1} << 127);

Number floor_mod(Number a, Number b) { return ((a % b) + b) % b; }
std::uint64_t low(Number value, unsigned width) {
    return static_cast<std::uint64_t>(static_cast<Word>(value) & ones(width));
}
Number as_signed(std::uint64_t value, unsigned width) {
    return (value >> (width - 1) & 1) != 0 ? static_cast<Number>(value) - (Number{1} << width)
                                           : static_cast<Number>(value);
}

/// Arguments as numbers; how they become values is said by a shape: i integer (of the range −8 … 7), s, S bits of 4 and
/// 8, b truth, k an integer that stays constant. Results are compared as numbers: bits unsigned, truth as 0 and 1.
struct Check {
    const char* name;
    const char* shape;
    std::function<std::optional<Number>(const std::vector<Number>&)> expected;  ///< nothing: not asked for
};

struct Leaves {
    std::vector<Word> values;
    Word variable(Variable variable, Sort) const { return values.at(variable.id); }
    static Word select(Word, Word) { return 0; }
};

Number result_of(Terms& terms, const Value& value, const std::vector<Word>& leaves) {
    if (value.kind == Value::Kind::bits && !value.term.valid()) return 0;
    Concrete<Word, Leaves> domain;
    domain.values = leaves;
    const Word word = fold(compile(terms, std::span(&value.term, 1)), domain)[0];
    if (value.kind != Value::Kind::integer) return static_cast<Number>(word);
    const unsigned up = max_width - terms.sort(value.term).width;
    return static_cast<Number>(word << up) >> up;
}

const std::vector<Check>& checks() {
    using A = const std::vector<Number>&;
    static const std::vector<Check> all = {
        {"eq_int", "ii", [](A a) { return a[0] == a[1]; }},
        {"neq_int", "ii", [](A a) { return a[0] != a[1]; }},
        {"lt", "ii", [](A a) { return a[0] < a[1]; }},
        {"lteq", "ii", [](A a) { return a[0] <= a[1]; }},
        {"gt", "ii", [](A a) { return a[0] > a[1]; }},
        {"gteq", "ii", [](A a) { return a[0] >= a[1]; }},
        {"add_int", "ii", [](A a) { return a[0] + a[1]; }},
        {"sub_int", "ii", [](A a) { return a[0] - a[1]; }},
        {"mult_int", "ii", [](A a) { return a[0] * a[1]; }},
        {"neg_int", "i", [](A a) { return -a[0]; }},
        {"negate", "i", [](A a) { return -a[0]; }},
        {"abs_int", "i", [](A a) { return a[0] < 0 ? -a[0] : a[0]; }},
        {"min_int", "ii", [](A a) { return std::min(a[0], a[1]); }},
        {"max_int", "ii", [](A a) { return std::max(a[0], a[1]); }},
        {"tdiv_int", "ii", [](A a) { return a[1] == 0 ? std::optional<Number>() : a[0] / a[1]; }},
        {"tmod_int", "ii", [](A a) { return a[1] == 0 ? std::optional<Number>() : a[0] % a[1]; }},
        {"tdiv_int", "uu", [](A a) { return a[1] == 0 ? std::optional<Number>() : a[0] / a[1]; }},
        {"tmod_int", "uu", [](A a) { return a[1] == 0 ? std::optional<Number>() : a[0] % a[1]; }},
        {"tdiv_int", "iu", [](A a) { return a[1] == 0 ? std::optional<Number>() : a[0] / a[1]; }},
        {"tmod_int", "ui", [](A a) { return a[1] == 0 ? std::optional<Number>() : a[0] % a[1]; }},
        {"emod_int", "ip", [](A a) { return floor_mod(a[0], a[1]); }},
        {"pow2", "n", [](A a) { return Number{1} << a[0]; }},
        {"shl_int", "in", [](A a) { return a[0] * (Number{1} << a[1]); }},
        {"%i->%i64", "i", [](A a) { return a[0]; }},
        {"%i64->%i", "i", [](A a) { return a[0]; }},
        {"__id", "i", [](A a) { return a[0]; }},
        {"not", "b", [](A a) { return 1 - a[0]; }},
        {"one_if", "b", [](A a) { return a[0]; }},
        {"and_bool", "bb", [](A a) { return a[0] & a[1]; }},
        {"or_bool", "bb", [](A a) { return a[0] | a[1]; }},
        {"eq_bool", "bb", [](A a) { return a[0] == a[1]; }},
        {"eq_anything", "ss", [](A a) { return a[0] == a[1]; }},
        {"eq_bits", "ss", [](A a) { return a[0] == a[1]; }},
        {"neq_bits", "ss", [](A a) { return a[0] != a[1]; }},
        {"eq_bit", "cc", [](A a) { return a[0] == a[1]; }},
        {"length", "s", [](A) { return 4; }},
        {"vector_length", "S", [](A) { return 8; }},
        {"zeros", "n", [](A) { return 0; }},
        {"sail_zeros", "n", [](A) { return 0; }},
        {"ones", "n", [](A a) { return (Number{1} << a[0]) - 1; }},
        {"sail_ones", "n", [](A a) { return (Number{1} << a[0]) - 1; }},
        {"zero_extend", "sN", [](A a) { return a[0]; }},
        {"sign_extend", "sN", [](A a) { return low(as_signed(low(a[0], 4), 4), static_cast<unsigned>(a[1])); }},
        {"truncate", "Sn", [](A a) { return low(a[0], static_cast<unsigned>(a[1])); }},
        {"sail_truncate", "Sn", [](A a) { return low(a[0], static_cast<unsigned>(a[1])); }},
        {"truncateLSB", "Sn", [](A a) { return a[0] >> (8 - a[1]); }},
        {"append", "sS", [](A a) { return a[0] << 8 | a[1]; }},
        {"append_64", "Ss", [](A a) { return a[0] << 4 | a[1]; }},
        {"replicate_bits", "sk",
         [](A a) {
             return std::array<Number, 4>{0, 1, 0x11, 0x111}.at(static_cast<std::size_t>(a[1])) * a[0];
         }},
        {"vector_access", "Sn", [](A a) { return a[0] >> a[1] & 1; }},
        {"vector_access", "Sv", [](A a) { return a[0] >> a[1] & 1; }},
        {"vector_access_inc", "Sv", [](A a) { return a[0] >> a[1] & 1; }},
        {"vector_update", "Snc", [](A a) { return (a[0] & ~(Number{1} << a[1])) | a[2] << a[1]; }},
        {"update_fbits", "Snc", [](A a) { return (a[0] & ~(Number{1} << a[1])) | a[2] << a[1]; }},
        {"vector_subrange", "Sn0", [](A a) { return low(a[0], static_cast<unsigned>(a[1] + 1)); }},
        {"vector_subrange", "S7n", [](A a) { return a[0] >> a[2]; }},
        {"slice", "Sn1", [](A a) { return a[0] >> a[1] & 1; }},
        {"slice", "S0n", [](A a) { return low(a[0], static_cast<unsigned>(a[2])); }},
        {"vector_update_subrange", "S52s", [](A a) { return (a[0] & ~Number{0x3c}) | a[3] << 2; }},
        {"vector_update_subrange", "S30s", [](A a) { return (a[0] & ~Number{0xf}) | a[3]; }},
        {"vector_update_subrange", "S74s", [](A a) { return (a[0] & ~Number{0xf0}) | a[3] << 4; }},
        {"get_slice_int", "nik", [](A a) { return low(a[1] >> a[2], static_cast<unsigned>(a[0])); }},
        {"sail_unsigned", "s", [](A a) { return a[0]; }},
        {"sail_signed", "s", [](A a) { return as_signed(low(a[0], 4), 4); }},
        {"not_bits", "s", [](A a) { return 15 - a[0]; }},
        {"and_bits", "ss", [](A a) { return a[0] & a[1]; }},
        {"or_bits", "ss", [](A a) { return a[0] | a[1]; }},
        {"xor_bits", "ss", [](A a) { return a[0] ^ a[1]; }},
        {"add_bits", "ss", [](A a) { return low(a[0] + a[1], 4); }},
        {"sub_bits", "ss", [](A a) { return low(a[0] - a[1], 4); }},
        {"add_bits_int", "si", [](A a) { return low(a[0] + a[1], 4); }},
        {"sub_bits_int", "si", [](A a) { return low(a[0] - a[1], 4); }},
        {"shiftl", "sv", [](A a) { return low(a[0] << a[1], 4); }},
        {"shiftr", "sv", [](A a) { return a[0] >> a[1]; }},
        {"arith_shiftr", "sv", [](A a) { return low(as_signed(low(a[0], 4), 4) >> a[1], 4); }},
        {"shiftl", "sn", [](A a) { return low(a[0] << a[1], 4); }},
        {"shiftr", "sn", [](A a) { return a[0] >> a[1]; }},
        {"arith_shiftr", "sn", [](A a) { return low(as_signed(low(a[0], 4), 4) >> a[1], 4); }},
        {"shift_bits_left", "sS", [](A a) { return a[1] > 3 ? 0 : low(a[0] << a[1], 4); }},
        {"shift_bits_right", "sS", [](A a) { return a[1] > 3 ? 0 : a[0] >> a[1]; }},
        {"shift_bits_right_arith", "sS",
         [](A a) { return low(as_signed(low(a[0], 4), 4) >> std::min<Number>(a[1], 4), 4); }},
        {"shift_bits_right_arith", "cS", [](A a) { return a[0]; }},
        {"shift_bits_left", "SS", [](A a) { return a[1] > 7 ? 0 : low(a[0] << a[1], 8); }},
    };
    return all;
}

/// What a letter of a shape stands for: the least and the greatest number.
std::pair<Number, Number> range_of(char letter) {
    switch (letter) {
        case 'i':
            return {-8, 7};
        case 'u':
        case 's':
            return {0, 15};
        case 'S':
            return {0, 255};
        case 'b':
        case 'c':
            return {0, 1};
        case 'n':
        case 'v':
            return {0, 7};
        case 'k':
            return {0, 3};
        case 'N':
            return {4, 9};
        case 'p':
            return {1, 8};
        default:
            return {letter - '0', letter - '0'};
    }
}
Value value_of(Values& values, char letter, Number number, bool open) {
    Terms& terms = values.terms;
    const auto bits = [&](unsigned width) {
        return open ? terms.variable(terms.declare("a", Sort::bits(width))) : terms.constant(width, low(number, width));
    };
    switch (letter) {
        case 's':
            return Value::bits(bits(4));
        case 'S':
            return Value::bits(bits(8));
        case 'c':
            return Value::bits(bits(1));
        case 'b':
            return Value::boolean(open ? terms.variable(terms.declare("a", Sort::boolean()))
                                       : terms.boolean(number != 0));
        case 'i':
            return open ? Value::integer(bits(4)) : values.number(number);
        case 'u':
            return open ? Value::integer(terms.zero_extend(bits(4), 5)) : values.number(number);
        case 'v':
            return open ? Value::integer(terms.zero_extend(bits(3), 4)) : values.number(number);
        default:
            return values.number(number);
    }
}
bool symbolic(char letter) { return std::string_view("sScbiuv").find(letter) != std::string_view::npos; }

/// Every choice of arguments where there are few, some of them where there are many.
template <class F>
void every(const Check& check, F f) {
    const std::string_view shape = check.shape;
    std::vector<std::pair<Number, Number>> ranges;
    Number count = 1;
    for (const char letter : shape) {
        ranges.push_back(range_of(letter));
        count *= ranges.back().second - ranges.back().first + 1;
    }
    std::mt19937_64 random(11);
    const Number most = 512;
    for (Number n = 0; n < std::min(count, most); ++n) {
        Number rest = count <= most ? n : static_cast<Number>(random() % static_cast<std::uint64_t>(count));
        std::vector<Number> numbers;
        for (const auto& [from, to] : ranges) {
            numbers.push_back(from + rest % (to - from + 1));
            rest /= to - from + 1;
        }
        f(numbers);
    }
}

TEST(Primitives, FoldConstantsAsComputedDirectly) {
    for (const Check& check : checks()) {
        every(check, [&](const std::vector<Number>& numbers) {
            const auto expected = check.expected(numbers);
            if (!expected) return;
            Terms terms;
            Values values(terms);
            std::vector<Value> arguments;
            std::string said = std::string(check.name) + " " + check.shape;
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                arguments.push_back(value_of(values, check.shape[i], numbers[i], false));
                said += " " + std::to_string(static_cast<long long>(numbers[i]));
            }
            const auto result = values.primitive(check.name, arguments);
            ASSERT_TRUE(result.has_value()) << said;
            EXPECT_TRUE(!result->term.valid() || terms.is_constant(result->term)) << said;
            EXPECT_EQ(static_cast<long long>(result_of(terms, *result, {})), static_cast<long long>(*expected)) << said;
        });
    }
}

TEST(Primitives, SymbolicResultsAreTheSame) {
    for (const Check& check : checks()) {
        every(check, [&](const std::vector<Number>& numbers) {
            const auto expected = check.expected(numbers);
            // A remainder is computed where it is bits of the number.
            const bool remainder = std::string_view(check.name) == "emod_int";
            if (!expected || (remainder && (numbers[1] & (numbers[1] - 1)) != 0)) return;
            Terms terms;
            Values values(terms);
            std::vector<Value> arguments;
            std::vector<Word> leaves;
            std::string said = std::string(check.name) + " " + check.shape;
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                const bool open = symbolic(check.shape[i]);
                arguments.push_back(value_of(values, check.shape[i], numbers[i], open));
                if (open)
                    leaves.push_back(
                        low(numbers[i], terms.sort(Variable{static_cast<std::uint32_t>(leaves.size())}).width));
                said += " " + std::to_string(static_cast<long long>(numbers[i]));
            }
            const auto result = values.primitive(check.name, arguments);
            ASSERT_TRUE(result.has_value()) << said;
            EXPECT_EQ(static_cast<long long>(result_of(terms, *result, leaves)), static_cast<long long>(*expected))
                << said;
        });
    }
}

struct Primitive : ::testing::Test {
    Terms terms;
    Values v{terms};
    Value bits(unsigned width, Word value) { return Value::bits(terms.constant(width, value)); }
    std::string stuck(std::string_view name, const std::vector<Value>& arguments) {
        try {
            (void)v.primitive(name, arguments);
        } catch (const Stuck& why) {
            return why.why;
        }
        return "";
    }
};

TEST_F(Primitive, WhatIsUndefinedIsStuck) {
    const Value open = Value::integer(terms.variable(terms.declare("n", Sort::bits(4))));
    EXPECT_EQ(stuck("tdiv_int", {v.number(1), v.number(0)}), "a division by zero");
    EXPECT_NE(stuck("emod_int", {v.number(1), v.number(-3)}), "");
    EXPECT_NE(stuck("emod_int", {open, v.number(3)}), "");
    EXPECT_NE(stuck("emod_int", {v.number(1), open}), "");
    EXPECT_NE(stuck("shiftl", {bits(4, 1), v.number(-1)}), "");
    EXPECT_NE(stuck("vector_access", {bits(4, 1), v.number(4)}), "");
    EXPECT_NE(stuck("vector_subrange", {bits(4, 1), v.number(4), v.number(0)}), "");
    EXPECT_NE(stuck("vector_subrange", {bits(4, 1), v.number(0), v.number(2)}), "");
    EXPECT_NE(stuck("slice", {bits(4, 1), v.number(2), v.number(3)}), "");
    EXPECT_NE(stuck("truncateLSB", {bits(4, 1), v.number(5)}), "");
    EXPECT_NE(stuck("zeros", {v.number(-1)}), "");
    EXPECT_NE(stuck("zeros", {v.number(129)}), "");
    EXPECT_NE(stuck("zeros", {open}), "");
    EXPECT_NE(stuck("and_bits", {bits(4, 1), bits(5, 1)}), "");
    EXPECT_NE(stuck("append", {bits(100, 1), bits(100, 1)}), "");
    EXPECT_NE(stuck("add_int", {v.number(1)}), "");
    EXPECT_NE(stuck("add_int", {v.number(1), bits(4, 1)}), "");
    EXPECT_NE(stuck("add_int", {v.number(1), Value{}}), "");
    EXPECT_NE(stuck("pow_int", {open, v.number(2)}), "");
    EXPECT_NE(stuck("cons", {v.number(1), v.number(2)}), "");
    EXPECT_NE(stuck("concat_str", {v.number(1), Value::string("a")}), "");
    EXPECT_FALSE(v.primitive("no_such_primitive", {}).has_value());
}

TEST_F(Primitive, WhatDoesNotFitIn128BitsIsStuck) {
    const Value big = v.number(least);
    EXPECT_NE(stuck("add_int", {big, big}), "");
    EXPECT_NE(stuck("tdiv_int", {big, v.number(-1)}), "");
    EXPECT_NE(stuck("neg_int", {big}), "");
    EXPECT_NE(stuck("pow_int", {v.number(3), v.number(100)}), "");
    EXPECT_NE(stuck("pow2", {v.number(127)}), "");
    const Value wide = v.number((Number{1} << 64) - 1);
    EXPECT_NE(stuck("mult_int", {wide, wide}), "");
    EXPECT_EQ(v.known(*v.primitive("pow2", {v.number(126)})), Number{1} << 126);
    EXPECT_EQ(v.known(*v.primitive("pow_int", {v.number(-3), v.number(3)})), Number{-27});
}

TEST_F(Primitive, BitsOfNoWidth) {
    const Value none = Value::empty_bits();
    EXPECT_EQ(v.width(*v.primitive("append", {none, bits(4, 5)})), 4U);
    EXPECT_EQ(v.width(*v.primitive("append", {bits(4, 5), none})), 4U);
    EXPECT_EQ(v.width(*v.primitive("zeros", {v.number(0)})), 0U);
    EXPECT_EQ(v.width(*v.primitive("vector_subrange", {bits(4, 5), v.number(-1), v.number(0)})), 0U);
    EXPECT_EQ(v.width(*v.primitive("not_bits", {none})), 0U);
    EXPECT_EQ(v.width(*v.primitive("xor_bits", {none, none})), 0U);
    EXPECT_EQ(v.known(*v.primitive("sail_unsigned", {none})), Number{0});
    EXPECT_EQ(v.known(*v.primitive("sail_signed", {none})), Number{0});
    EXPECT_TRUE(terms.is_true(v.primitive("eq_bits", {none, none})->term));
    EXPECT_TRUE(terms.is_false(v.primitive("eq_bits", {none, bits(1, 0)})->term));
    EXPECT_EQ(v.width(*v.primitive("zero_extend", {none, v.number(3)})), 3U);
    EXPECT_EQ(v.width(*v.primitive("shiftl", {none, v.number(3)})), 0U);
    EXPECT_EQ(v.width(*v.primitive("replicate_bits", {bits(4, 5), v.number(0)})), 0U);
}

TEST_F(Primitive, Vectors) {
    Value list = *v.primitive("cons", {v.number(1), Value{}});
    list = *v.primitive("cons", {v.number(2), list});
    EXPECT_EQ(v.known(*v.primitive("length", {list})), Number{2});
    EXPECT_EQ(v.known(*v.primitive("vector_access", {list, v.number(0)})), Number{2});
    list = *v.primitive("vector_update", {list, v.number(1), v.number(5)});
    EXPECT_EQ(v.known(*v.primitive("vector_access", {list, v.number(1)})), Number{5});
    EXPECT_NE(stuck("vector_access", {list, v.number(2)}), "");
    EXPECT_NE(stuck("vector_access", {list, v.number(-1)}), "");
    const Variable at = terms.declare("at", Sort::bits(2));
    const Value index = Value::integer(terms.zero_extend(terms.variable(at), 3));
    const Value some = *v.primitive("vector_access", {list, index});
    EXPECT_EQ(result_of(terms, some, {0}), Number{2});
    EXPECT_EQ(result_of(terms, some, {1}), Number{5});
    const Value changed = *v.primitive("internal_vector_update", {list, index, v.number(7)});
    EXPECT_EQ(result_of(terms, changed.more->members[0], {0}), Number{7});
    EXPECT_EQ(result_of(terms, changed.more->members[0], {1}), Number{2});
    EXPECT_EQ(v.known(*v.primitive("vector_length", {*v.primitive("vector_init", {v.number(3), v.number(9)})})),
              Number{3});
    EXPECT_FALSE(v.primitive("internal_vector_init", {v.number(3)})->more->members[0].set());
}

TEST_F(Primitive, Texts) {
    const Value text = *v.primitive("concat_str", {Value::string("a"), *v.primitive("dec_str", {v.number(-12)})});
    EXPECT_EQ(text.more->text, "a-12");
    EXPECT_FALSE(text.more->open);
    const Value open = *v.primitive("concat_str", {text, *v.primitive("hex_str", {v.number(3)})});
    EXPECT_EQ(open.more->text, "a-12");
    EXPECT_TRUE(open.more->open);
    EXPECT_EQ(v.primitive("concat_str", {open, text})->more->text, "a-12");
    EXPECT_TRUE(terms.is_true(v.primitive("eq_string", {text, text})->term));
    EXPECT_NE(stuck("eq_string", {text, open}), "");
    EXPECT_EQ(v.primitive("string_of_int", {v.number(7)})->more->text, "7");
    for (const char* name : {"string_of_bits", "decimal_string_of_bits"})
        EXPECT_TRUE(v.primitive(name, {bits(4, 1)})->more->open);
    for (const char* name : {"print", "prerr", "print_endline", "prerr_endline"})
        EXPECT_EQ(v.primitive(name, {text})->kind, Value::Kind::unit);
    for (const char* name : {"print_string", "print_bits", "prerr_bits", "print_int", "prerr_int"})
        EXPECT_EQ(v.primitive(name, {text, text})->kind, Value::Kind::unit);
    EXPECT_TRUE(terms.is_true(v.primitive("eq_unit", {Value::unit(), Value::unit()})->term));
}

// ---- merging and comparing ----

struct Merging : Primitive {
    Value made(std::vector<Name> names, std::vector<Value> members) {
        Compound compound;
        compound.names = std::move(names);
        compound.members = std::move(members);
        return Value::made(Value::Kind::structure, std::move(compound));
    }
    Value choice(Name name, Value payload) {
        Compound compound;
        compound.names = {name};
        compound.members = {std::move(payload)};
        compound.guards = {terms.boolean(true)};
        return Value::made(Value::Kind::union_, std::move(compound));
    }
};

TEST_F(Merging, FieldsAreToldByTheirNames) {
    const Value a = made({1, 2}, {bits(4, 5), bits(8, 6)});
    const Value b = made({2, 1}, {bits(8, 6), bits(4, 5)});
    EXPECT_TRUE(terms.is_true(v.equal(a, b)));
    const Variable c = terms.declare("c", Sort::boolean());
    const Value both = v.merge(terms.variable(c), a, made({2, 1}, {bits(8, 9), bits(4, 1)}));
    EXPECT_EQ(result_of(terms, both.more->members[0], {1}), Number{5});
    EXPECT_EQ(result_of(terms, both.more->members[0], {0}), Number{1});
    EXPECT_EQ(result_of(terms, both.more->members[1], {0}), Number{9});
}

TEST_F(Merging, UnionsKeepWhatTheyMayBe) {
    const Variable c = terms.declare("c", Sort::boolean());
    const Value both = v.merge(terms.variable(c), choice(1, bits(4, 5)), choice(2, bits(8, 6)));
    ASSERT_EQ(both.more->names.size(), 2U);
    for (const Word value : {Word{0}, Word{1}}) {
        EXPECT_EQ(result_of(terms, Value::boolean(both.more->guards[0]), {value}), static_cast<Number>(value));
        EXPECT_EQ(result_of(terms, Value::boolean(both.more->guards[1]), {value}), static_cast<Number>(1 - value));
        EXPECT_EQ(result_of(terms, Value::boolean(v.equal(both, choice(1, bits(4, 5)))), {value}),
                  static_cast<Number>(value));
    }
}

TEST_F(Merging, WhatHasNoCommonFormIsStuck) {
    const Term c = terms.variable(terms.declare("c", Sort::boolean()));
    const auto stuck_merge = [&](const Value& a, const Value& b) {
        try {
            (void)v.merge(c, a, b);
        } catch (const Stuck&) {
            return true;
        }
        return false;
    };
    EXPECT_TRUE(stuck_merge(bits(4, 1), bits(5, 1)));
    EXPECT_TRUE(stuck_merge(bits(4, 1), v.number(1)));
    EXPECT_TRUE(stuck_merge(Value::enumerator(terms.constant(1, 0)), Value::enumerator(terms.constant(2, 0))));
    EXPECT_FALSE(stuck_merge(v.number(1), v.number(1000)));
    EXPECT_FALSE(stuck_merge(Value{}, v.number(1000)));
    try {
        (void)v.equal(Value::enumerator(terms.constant(1, 0)), Value::enumerator(terms.constant(2, 0)));
        FAIL();
    } catch (const Stuck&) {
    }
}

}  // namespace
}  // namespace pogo::isa::jib
