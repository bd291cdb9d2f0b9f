// Sail models as Specs: a toy written by hand, its meanings against values worked out by hand, and broken files.
// SPDX-License-Identifier: Apache-2.0
#include "isa/sail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "../../replaced.hpp"
#include "../model/reference_machine.hpp"
#include "jib/executor.hpp"

namespace pogo::isa {
namespace {

using model::test::ReferenceMachine;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text_of(const std::string& name) {
    Diagnostics diagnostics;
    auto text = read_file(std::string(POGO_TESTS "/unit/isa/sail/") + name, diagnostics);
    EXPECT_TRUE(text.has_value()) << name;
    return text.value_or("");
}

struct Imported {
    std::optional<Spec> spec;
    std::string said;
};
Imported import_file(const std::string& model, const std::string& mapping) {
    SourceManager sources;
    Diagnostics diagnostics;
    Imported result;
    result.spec = load_sail_file(sources, model, mapping, {}, diagnostics);
    result.said = render(diagnostics, sources);
    return result;
}
const Spec& toy() {
    static const Imported imported =
        import_file(POGO_TESTS "/unit/isa/sail/toy.ir", POGO_TESTS "/unit/isa/sail/toy.toml");
    EXPECT_TRUE(imported.spec.has_value()) << imported.said;
    EXPECT_EQ(imported.said, "");
    return *imported.spec;
}

/// The toy's files with `from` replaced by `to` in one of them; nothing is replaced where `from` is empty.
class Changed {
  public:
    Changed() : directory_(std::filesystem::path(::testing::TempDir()) / ("pogo-sail-" + std::to_string(getpid()))) {
        std::filesystem::create_directories(directory_);
        for (const char* name : {"toy.ir", "toy.toml", "toy.isa", "toy_code.ir"}) put(name, text_of(name));
    }
    ~Changed() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    Changed(const Changed&) = delete;
    Changed& operator=(const Changed&) = delete;

    void put(const std::string& name, const std::string& text) const {
        std::ofstream(directory_ / name, std::ios::binary) << text;
    }
    Imported change(const std::string& name, const std::string& from, const std::string& to) const {
        put(name, test::replaced(text_of(name), from, to));
        Imported result = load();
        put(name, text_of(name));
        return result;
    }
    [[nodiscard]] Imported load() const {
        return import_file((directory_ / "toy.ir").string(), (directory_ / "toy.toml").string());
    }

  private:
    std::filesystem::path directory_;
};

// ---- what is there ----

TEST(Toy, HasTheRowsOfItsDecoder) {
    std::vector<std::string> rows;
    for (const auto& row : toy().instructions) rows.push_back(row.name + ": " + row.encoding);
    EXPECT_THAT(rows, ElementsAre("add: 0001 rd rs 000000", "sub: 0001 rd rs 010000", "and: 0001 rd rs 100000",
                                  "loadu: 0010 rd rs 000000", "loads: 0010 rd rs 100000", "store: 0011 rs2 rs1 000000",
                                  "jump: 0100 offset", "setbase: 0101000 rs 000000", "syscall exit: 0110000000000000",
                                  "syscall print: 01100000000000 n", "syscall other: 01100000 n",
                                  "return: 0111000000000000", "count: 1000 rd rs 000000", "WEIRD: 1001 rd 000000000",
                                  "pick: 1010 rd rs 000000", "undef: 1011 rd 000000000"));
}

TEST(Toy, DecodesAsTheModelDoes) {
    const Spec& spec = toy();
    const Decoder decoder(spec);
    for (std::uint64_t word = 0; word < 0x10000; ++word) {
        const auto part = [&](unsigned high, unsigned low) { return word >> low & ((1U << (high - low + 1)) - 1); };
        std::string expected;
        switch (part(15, 12)) {
            case 1:
                if (part(3, 0) == 0 && part(5, 4) < 3) expected = std::vector{"add", "sub", "and"}[part(5, 4)];
                break;
            case 2:
                if (part(4, 0) == 0) expected = part(5, 5) != 0 ? "loads" : "loadu";
                break;
            case 3:
                if (part(5, 0) == 0) expected = "store";
                break;
            case 4:
                expected = "jump";
                break;
            case 5:
                if (part(11, 9) == 0 && part(5, 0) == 0) expected = "setbase";
                break;
            case 6:
                if (part(11, 8) == 0)
                    expected = part(7, 0) == 0 ? "syscall exit" : part(7, 0) < 3 ? "syscall print" : "syscall other";
                break;
            case 7:
                if (part(11, 0) == 0) expected = "return";
                break;
            case 8:
                if (part(5, 0) == 0) expected = "count";
                break;
            case 9:
                if (part(8, 0) == 0) expected = "WEIRD";
                break;
            case 10:
                if (part(5, 0) == 0) expected = "pick";
                break;
            case 11:
                if (part(8, 0) == 0) expected = "undef";
                break;
            default:
                break;
        }
        unsigned wanted = 0;
        const auto decoded = decoder.decode(std::span(&word, 1), wanted);
        ASSERT_EQ(decoded ? spec[spec[decoded->form].instruction].name : "", expected) << word;
    }
}

TEST(Toy, HasTheStateThatTheMappingSays) {
    const Spec& spec = toy();
    EXPECT_EQ(spec.name, "toy");
    EXPECT_EQ(spec.modes.size(), 3U);
    const auto role = [&](std::string_view name) {
        const ElementId id = spec.find_element(name);
        return id.valid() ? spec[id].role : Role::memory;
    };
    EXPECT_EQ(role("PC"), Role::pc);
    EXPECT_EQ(role("mode"), Role::mode);
    EXPECT_EQ(role("base"), Role::relocation);
    EXPECT_EQ(role("status"), Role::control);
    EXPECT_EQ(role("flag"), Role::data);
    EXPECT_EQ(role("x"), Role::data);
    EXPECT_EQ(role("ticks"), Role::time);
    EXPECT_EQ(spec[spec.find_element("mode")].width, 2U);
    EXPECT_EQ(spec[spec.find_element("status")].width, 8U);
    EXPECT_EQ(spec[spec.find_element("flag")].width, 1U);
    for (const char* none : {"nextPC", "x1", "feature", "version"}) EXPECT_FALSE(spec.find_element(none).valid());
    EXPECT_TRUE(spec.translation.loads.empty());
    ASSERT_EQ(spec.translation.faults.size(), 1U);
    EXPECT_EQ(spec[spec.translation.faults[0].cause].name, "bounds");
    for (const char* cause : {"illegal", "bounds", "align", "call_user", "call_system", "never"})
        EXPECT_TRUE(spec.find_cause(cause).valid()) << cause;
}

// ---- what instructions do ----

constexpr std::uint64_t add = 0x1000;
constexpr std::uint64_t sub = 0x1010;
constexpr std::uint64_t and_ = 0x1020;
constexpr std::uint64_t loadu = 0x2000;
constexpr std::uint64_t loads = 0x2020;
constexpr std::uint64_t store = 0x3000;
constexpr std::uint64_t jump = 0x4000;
constexpr std::uint64_t setbase = 0x5000;
constexpr std::uint64_t syscall_ = 0x6000;
constexpr std::uint64_t return_ = 0x7000;
constexpr std::uint64_t count = 0x8000;
constexpr std::uint64_t pick = 0xA000;
constexpr std::uint64_t undef = 0xB000;
constexpr std::uint64_t with(std::uint64_t rd, std::uint64_t rs) { return rd << 9 | rs << 6; }
constexpr std::uint64_t user = 0;
constexpr std::uint64_t supervisor = 1;
constexpr std::uint64_t machine = 2;

/// The toy at 0x200 of its virtual memory, which lies at 0x1000.
struct Running : ReferenceMachine {
    const Spec& spec;
    explicit Running(std::uint64_t mode, std::uint64_t word) : ReferenceMachine(toy()), spec(toy()) {
        set("PC", 0x200);
        set("mode", mode);
        set("base", 0x1000);
        set("bound", 0x4000);
        set("handler", 0x0300);
        set("status", 0xab);
        set("epc", 0x1234);
        set("flag", 1);
        memory[0x1200] = word & 0xff;
        memory[0x1201] = word >> 8;
    }
    void set(std::string_view name, std::uint64_t value) { state.set(spec[spec.find_element(name)], value); }
    std::uint64_t get(std::string_view name) { return state.get(spec[spec.find_element(name)]); }
    void x(unsigned number, std::uint64_t value) { state.set(spec[spec.find_element("x")], value, number); }
    std::uint64_t x(unsigned number) { return state.get(spec[spec.find_element("x")], number); }
    void run() { EXPECT_EQ(step(), Result::stepped); }
    void expect_trap(std::uint64_t cause, std::uint64_t info, std::uint64_t from) {
        EXPECT_EQ(get("PC"), 0x300U);
        EXPECT_EQ(get("epc"), 0x200U);
        EXPECT_EQ(get("cause"), cause);
        EXPECT_EQ(get("info"), info);
        EXPECT_EQ(get("mode"), machine);
        EXPECT_EQ(get("status"), 0xa8U | from);
    }
};

TEST(Toy, ComputesAsWorkedOutByHand) {
    struct Case {
        std::uint64_t word;
        std::uint64_t a;
        std::uint64_t b;
        std::uint64_t result;
    };
    for (const Case& c : {Case{add, 0x1234, 0x1111, 0x2345}, Case{add, 0xffff, 1, 0}, Case{sub, 3, 5, 0xfffe},
                          Case{sub, 7, 7, 0}, Case{and_, 0xf0f0, 0xff00, 0xf000}, Case{and_, 0xf0f0, 0x0f0f, 0}}) {
        Running m(user, c.word | with(1, 2));
        m.x(1, c.a);
        m.x(2, c.b);
        m.run();
        EXPECT_EQ(m.x(1), c.result) << c.word;
        EXPECT_EQ(m.x(2), c.b);
        EXPECT_EQ(m.get("flag"), c.result == 0 ? 1U : 0U);
        EXPECT_EQ(m.get("PC"), 0x202U);
        EXPECT_EQ(m.get("epc"), 0x1234U);
    }
}

TEST(Toy, KeepsRegisterZero) {
    Running m(user, add | with(0, 2));
    m.x(2, 5);
    m.run();
    EXPECT_EQ(m.x(0), 0U);
    EXPECT_EQ(m.get("flag"), 0U);
    Running from(user, add | with(3, 0));
    from.x(3, 9);
    from.run();
    EXPECT_EQ(from.x(3), 9U);
}

TEST(Toy, LoadsAndStoresThroughTheTranslation) {
    for (const std::uint64_t word : {loadu, loads}) {
        Running m(user, word | with(4, 5));
        m.x(5, 0x3fff);
        m.memory[0x4fff] = 0x80;
        m.run();
        EXPECT_EQ(m.x(4), word == loads ? 0xff80U : 0x80U);
        Running beyond(user, word | with(4, 5));
        beyond.x(5, 0x4000);
        beyond.x(4, 77);
        beyond.run();
        EXPECT_EQ(beyond.x(4), 77U);
        beyond.expect_trap(2, 0x4000, user);
    }
    Running m(supervisor, store | with(4, 5));
    m.x(4, 0xbeef);
    m.x(5, 0x3ffe);
    m.run();
    EXPECT_EQ(m.memory[0x4ffe], 0xefU);
    EXPECT_EQ(m.memory[0x4fff], 0xbeU);
    Running beyond(supervisor, store | with(4, 5));
    beyond.x(5, 0xfffe);
    beyond.run();
    beyond.expect_trap(2, 0xfffe, supervisor);
    Running odd(supervisor, store | with(4, 5));
    odd.x(5, 0xffff);
    odd.run();
    odd.expect_trap(3, 0xffff, supervisor);
}

TEST(Toy, FetchesThroughTheTranslation) {
    Running m(user, jump);
    m.set("bound", 0x201);
    m.run();
    m.expect_trap(2, 0x200, user);
}

TEST(Toy, Jumps) {
    Running forth(user, jump | 0x7ff);
    forth.run();
    EXPECT_EQ(forth.get("PC"), 0x200U + 0xffe);
    Running back(user, jump | 0xfff);
    back.run();
    EXPECT_EQ(back.get("PC"), 0x1feU);
}

TEST(Toy, PrivilegedInstructionsTrapInUserMode) {
    for (const std::uint64_t mode : {user, supervisor, machine}) {
        Running m(mode, setbase | with(0, 6));
        m.x(6, 0x2000);
        m.run();
        if (mode == user) {
            m.expect_trap(1, 0, user);
            EXPECT_EQ(m.get("base"), 0x1000U);
        } else {
            EXPECT_EQ(m.get("base"), 0x2000U);
            EXPECT_EQ(m.get("bound"), 0x4000U);
            EXPECT_EQ(m.get("mode"), mode);
        }
        Running back(mode, return_);
        back.set("status", 0xa5);
        back.run();
        if (mode == machine) {
            EXPECT_EQ(back.get("PC"), 0x1234U);
            EXPECT_EQ(back.get("mode"), supervisor);
            EXPECT_EQ(back.get("status"), 0xa4U);
        } else {
            EXPECT_EQ(back.get("cause"), 1U);
        }
    }
}

TEST(Toy, SystemCallsSayTheirNumber) {
    for (const std::uint64_t n : {0U, 1U, 2U, 3U, 255U})
        for (const std::uint64_t mode : {user, supervisor, machine}) {
            Running m(mode, syscall_ | n);
            m.run();
            m.expect_trap(mode == user ? 8 : 9, n, mode);
        }
}

TEST(Toy, WhatIsNoInstructionIsIllegal) {
    Running m(supervisor, 0xC123);
    m.run();
    m.expect_trap(1, 0xC123, supervisor);
}

TEST(Toy, LoopsAndVectors) {
    std::mt19937 random(7);
    for (int i = 0; i < 20; ++i) {
        const std::uint64_t value = random() & 0xffff;
        Running m(user, count | with(1, 2));
        m.x(2, value);
        m.run();
        EXPECT_EQ(m.x(1), static_cast<std::uint64_t>(__builtin_popcountll(value)));
        Running p(user, pick | with(1, 2));
        p.x(2, value);
        p.run();
        EXPECT_EQ(p.x(1), std::uint64_t{1} << (value % 4 * 4));
    }
}

const Meaning& meaning(std::string_view row) {
    const Spec& spec = toy();
    return spec.forms[spec[spec.find_instruction(row)].first_form].meaning;
}

TEST(Toy, WhatSailLeavesUndefinedIsAChoice) {
    EXPECT_EQ(meaning("undef").choices.size(), 1U);
    EXPECT_TRUE(meaning("undef").traps.empty());
    EXPECT_TRUE(meaning("add").choices.empty());
    Running m(user, undef | with(1, 0));
    m.run();
    EXPECT_EQ(m.get("PC"), 0x202U);
}

TEST(Toy, WhatCannotBeFollowedIsNotModelled) {
    const Spec& spec = toy();
    const auto& traps = meaning("WEIRD").traps;
    ASSERT_EQ(traps.size(), 1U);
    EXPECT_EQ(spec[traps[0].cause].kind, TrapKind::unmodelled);
    EXPECT_EQ(spec[traps[0].cause].name, "not modelled: `oracle` has no meaning here");
    EXPECT_TRUE(spec.terms.is_true(traps[0].guard));
    std::vector<std::string> names;
    for (const auto& trap : meaning("setbase").traps) names.push_back(spec[trap.cause].name);
    EXPECT_THAT(names, ElementsAre("illegal", "not modelled: assertion: the base is below 0xff00"));
    for (const char* row : {"add", "loadu", "loads", "store", "jump", "count", "pick", "syscall exit"})
        for (const auto& trap : meaning(row).traps)
            EXPECT_NE(spec[trap.cause].kind, TrapKind::unmodelled) << row << spec[trap.cause].name;
}

TEST(Toy, AModeThatDoesNotExistIsNotModelled) {
    const Spec& spec = toy();
    const auto& traps = meaning("return").traps;
    ASSERT_FALSE(traps.empty());
    EXPECT_EQ(spec[traps.back().cause].name, "not modelled: failure");
}

// ---- broken files ----

struct Broken {
    const char* file;
    const char* from;
    const char* to;
    const char* said;
};

TEST(BrokenModels, AreSaidWhereTheyAre) {
    const Changed files;
    EXPECT_EQ(files.load().said, "");
    const std::vector<Broken> cases = {
        {"toy.ir", "is zARITH goto 36;", "is zARITH goto 3600;",
         "toy.ir:488:3: error[E1001]: this goes to instruction 3600"},
        {"toy.toml", "union    = \"ast\"", "union = \"asd\"",
         "toy.toml:7:9: error[E1002]: the model has no union `asd`"},
        {"toy.toml", "\"encdec_backwards\"", "\"encdec\"", "error[E1002]"},
        {"toy.toml", "\"encdec_backwards\"", "\"cause_code\"", "error[E1002]: the model has no function of whole"},
        {"toy.toml", "\"ILLEGAL\"", "\"NONE\"", "error[E1002]: the model has no constructor `NONE`"},
        {"toy.toml", "\"toy_run\"", "\"run\"", "error[E1002]: the model has no function `run`"},
        {"toy.toml", "\"assembly_forwards\"", "\"text\"", "error[E1002]: the model has no function `text`"},
        {"toy.toml", "\"call_name\"", "\"name\"", "error[E1002]: the model has no function `name`"},
        {"toy.toml", "\"trap_handler\"", "\"trap\"", "error[E1002]: the model has no function `trap`"},
        {"toy.toml", "\"CTL_TRAP\"", "\"CTL\"", "error[E1002]: the model has no constructor `CTL`"},
        {"toy.toml", "\"why\"", "\"because\"", "error[E1002]: the model has no field `because`"},
        {"toy.toml", "\"toy_trap\"", "\"trapped\"", "error[E1002]: the model has no function `trapped`"},
        {"toy.toml", "E_Never ", "E_Nothing ", "error[E1002]: the model has no constructor `E_Nothing`"},
        {"toy.toml", "\"toy_translation\"", "\"t\"", "error[E1002]: the model has no function `t`"},
        {"toy.toml", "\"rX\"", "\"rY\"", "error[E1002]: the model has no function `rY`"},
        {"toy.toml", "[files.x]", "[files.y]", "error[E1009]"},
        {"toy.toml", "[files.x]", "[files.PC]\nread = \"rX\"\nwrite = \"wX\"\n[files.x]",
         "error[E1003]: `PC` is no register file"},
        {"toy.isa", "reset {", "register handler : bits(8) role control; reset {",
         "error[E1004]: register `handler` of the model, of 16 bits"},
        {"toy.toml", "feature = true", "feature = 2", "error[E1005]: `an integer` is no value"},
        {"toy.toml", "feature = true", "handler = 0x10000\nfeature = true", "error[E1005]: `an integer` is no value"},
        {"toy.toml", "feature = true", "handler = -32769\nfeature = true", "error[E1005]: `an integer` is no value"},
        {"toy.toml", "feature = true", "handler = \"0x10000\"\nfeature = true", "error[E1005]: `0x10000` is no"},
        {"toy.toml", "version = 3", "version = \"three\"", "error[E1005]: `three` is no value"},
        {"toy.toml", "E_Align       = { name = \"align\", kind = \"memory\" }\n", "",
         "error[E1006]: the model traps for causes that the mapping does not name: E_Align"},
        {"toy_code.ir", "fn ztoy_translation(zva, zaccess, zunits) {\n",
         "fn ztoy_translation(zva, zaccess, zunits) {\n  zbase = 0x0000;\n",
         "error[E1007]: the translation writes `base`"},
        {"toy.toml", "[\"ILLEGAL\"]", "[\"RETURN\"]", "error[E1008]: `RETURN` does not trap"},
        {"toy.toml", "\"t*\"", "\"u*\"", "error[E1009]: these registers of the model have no role: ticks"},
        {"toy.toml", "version = 3\n", "", "error[E1009]: these registers of the model have no role: version"},
        {"toy.ir", "fn zencdec_backwards(zargz3) {", "fn zencdec_backwards(zargz3, zmore) {",
         "error[E1010]: the model cannot be run here: a function takes 2"},
        {"toy.toml", "spec = ", "spek = ", "error[E0812]: `spec` is missing"},
    };
    for (const Broken& b : cases) {
        const auto result = files.change(b.file, b.from, b.to);
        EXPECT_FALSE(result.spec.has_value()) << b.to;
        EXPECT_THAT(result.said, HasSubstr(b.said)) << b.to;
    }
}

/// Where the model does what is not followed, that is a reason, not a failure of the import.
TEST(BrokenModels, OddStepsAreNotModelled) {
    const Changed files;
    struct Odd {
        const char* from;
        const char* to;
        const char* why;
    };
    for (const Odd& odd : std::vector<Odd>{
             {"zpogo_translate(zva, 1)", "zpogo_translate(zva)", "`pogo_translate` is given too few arguments"},
             {"zpogo_load(zphysical, zunits)", "zpogo_load()", "`pogo_load` is given too few arguments"},
             {"zpogo_load(zphysical, zunits)", "zpogo_load(zphysical, 0)", "an access of 0 units"},
             {"zpogo_load(zphysical, zunits)", "zpogo_load(zphysical, 17)", "an access of 17 units"},
             {"zpogo_load(zphysical, zunits)", "zpogo_load(zunits, zphysical)", "wanted where there"},
             {"zpogo_load(zphysical, zunits)", "zsail_assert()", "`sail_assert` is given too few arguments"},
             {"zpogo_load(zphysical, zunits)", "zreg_deref()", "`reg_deref` is given too few arguments"},
             {"zpogo_load(zphysical, zunits)", "zundefined_bits()", "`undefined_bits` is given too few arguments"},
             {"zpogo_load(zphysical, zunits)", "zmem_read(zphysical, zunits)", "calls nest deeper than 200"},
             {"zpogo_load(zphysical, zunits)", "zrX()", "is given too few arguments"},
             {"return = zpogo_load(zphysical, zunits);", "return = @nothing(zunits);",
              "operator @nothing is not known"},
             {"return = zpogo_load(zphysical, zunits);", "return = zunits.zfield;", "a field is read"},
             {"return = zpogo_load(zphysical, zunits);", "return = zunits as zADD;", "a constructor is asked"},
             {"return = zpogo_load(zphysical, zunits);", "zunits* = zphysical;", "a register is written"},
         }) {
        const auto result = files.change("toy_code.ir", odd.from, odd.to);
        ASSERT_TRUE(result.spec.has_value()) << odd.to << result.said;
        EXPECT_EQ(result.said, "");
        const Spec& spec = *result.spec;
        const auto& traps = spec.forms[spec[spec.find_instruction("loadu")].first_form].meaning.traps;
        std::string names;
        for (const auto& trap : traps) names += spec[trap.cause].name + "\n";
        EXPECT_THAT(names, HasSubstr(std::string("not modelled: "))) << odd.to;
        EXPECT_THAT(names, HasSubstr(odd.why)) << odd.to;
    }
}

TEST(BrokenModels, AWriteBeforeATrapIsNotModelled) {
    const Changed files;
    const auto result = files.change("toy.ir", "zz45 = zE_Align(());\n  zz44 = zSomezIbzK(zz42);",
                                     "zz45 = zE_Align(());\n  zflag = true;");
    ASSERT_TRUE(result.spec.has_value()) << result.said;
    const Spec& spec = *result.spec;
    std::vector<std::string> names;
    for (const auto& trap : spec.forms[spec[spec.find_instruction("store")].first_form].meaning.traps)
        names.push_back(spec[trap.cause].name);
    EXPECT_THAT(names, ElementsAre("not modelled: flag is written before a trap", "align"));
    const auto writes = files.change("toy_code.ir", "  zretired = zexecute", "  zflag = true;\n  zretired = zexecute");
    // Even the trap of what is no instruction may not have happened then.
    EXPECT_THAT(writes.said, HasSubstr("error[E1008]"));
    EXPECT_THAT(writes.said, HasSubstr("note: not modelled: flag is written before a trap when (not (= |flag| #b1))"));
}

TEST(BrokenModels, RowsOfTooManyBitsAreNotFound) {
    const Changed files;
    files.put("toy_code.ir",
              text_of("toy_code.ir") +
                  "val zwide : (%bv32) -> %union zast\n"
                  "fn zwide(zw) {\n"
                  "  zs : %bool;\n"
                  "  zs = @eq(@slice::<24>(zw, 8), 0x123456);\n"
                  "  return = zLOAD(struct ztuplez3z5bv3_z5bv3_z5bool {ztuplez3z5bv3_z5bv3_z5bool0 = 0b000, "
                  "ztuplez3z5bv3_z5bv3_z5bool1 = 0b000, ztuplez3z5bv3_z5bv3_z5bool2 = zs});\n"
                  "  end;\n}\n");
    const auto result = files.change("toy.toml", "[\"encdec_backwards\"]", "[\"wide\"]");
    EXPECT_FALSE(result.spec.has_value());
    EXPECT_THAT(result.said, HasSubstr("error[E1011]: the encoding of `LOAD` depends on 24 bits"));
    files.put("toy_code.ir", text_of("toy_code.ir") + "val zwide : (%bv4096) -> %union zast\nfn zwide(zw) { end; }\n");
    const auto wider = files.change("toy.toml", "[\"encdec_backwards\"]", "[\"wide\"]");
    EXPECT_THAT(wider.said, HasSubstr("error[E1002]"));
}

TEST(BrokenModels, AConstantThatTrapsIsNotSet) {
    const Changed files;
    const auto result = files.change("toy.ir", "  zhandler = 0x0100;\n",
                                     "  zr : %union zctl;\n"
                                     "  zr = zCTL_TRAP(struct zexception {zwhy = ze, zinfo = ze});\n"
                                     "  zPC = ztrap_handler(zUser, zr, 0x0000);\n");
    EXPECT_TRUE(result.spec.has_value());
    EXPECT_EQ(result.said, "");
}

// ---- register files ----

/// What importing takes a register file's functions for: the entry that was written is the one that is read.
void expect_register_file(const std::string& file, unsigned entries, unsigned width, bool numbered) {
    using namespace jib;
    SourceManager sources;
    Diagnostics diagnostics;
    const auto buffer = add_file(sources, file, diagnostics);
    ASSERT_TRUE(buffer.has_value());
    jib::Model model;
    jib::parse(sources, *buffer, model, false, diagnostics);
    ASSERT_EQ(render(diagnostics, sources), "");
    Terms terms;
    Executor executor(model, terms);
    const auto read = model.names.find("zrX");
    const auto write = model.names.find("zwX");
    ASSERT_TRUE(read && write);
    const unsigned index = width == 64 ? 5 : 3;
    const auto number = [&](unsigned n) {
        return numbered ? executor.values.number(n) : Value::bits(terms.constant(index, n));
    };
    PathState state = executor.initial();
    std::vector<Term> values;
    for (unsigned i = 0; i < entries; ++i) {
        values.push_back(terms.variable(terms.declare("v", Sort::bits(width))));
        executor.call(*write, {number(i), Value::bits(values.back())}, state);
        ASSERT_FALSE(state.dead);
    }
    values[0] = terms.constant(width, 0);
    for (unsigned i = 0; i < entries; ++i) EXPECT_EQ(executor.call(*read, {number(i)}, state).term, values[i]) << i;
    EXPECT_TRUE(executor.stops.empty());
}

TEST(RegisterFile, OfTheToyIsWhatItsFunctionsSay) {
    expect_register_file(POGO_TESTS "/unit/isa/sail/toy.ir", 8, 16, false);
}

// ---- the official model, where it is ----

const char* const official = POGO_SHARED "/data/sail/riscv64.ir";

TEST(Official, Imports) {
    const std::string file = official;
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "the official model is not there";
    const Imported imported = import_file(file, POGO_SPECS "/sail/riscv64.toml");
    ASSERT_TRUE(imported.spec.has_value()) << imported.said;
    EXPECT_EQ(imported.said, "");
    const Spec& spec = *imported.spec;
    EXPECT_GT(spec.instructions.size(), 400U);
    for (const char* row : {"sret", "mret", "wfi", "sfence.vma", "csrrw satp", "csrrs time"})
        EXPECT_TRUE(spec.find_instruction(row).valid()) << row;
}

TEST(Official, TheFileOf2021IsRead) {
    SourceManager sources;
    Diagnostics diagnostics;
    const std::string file = POGO_SHARED "/data/sail/riscv32.ir";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "the official model of 2021 is not there";
    jib::Model model;
    jib::parse(sources, add_file(sources, file, diagnostics).value(), model, false, diagnostics);
    EXPECT_EQ(render(diagnostics, sources), "");
    EXPECT_EQ(model.functions.size(), 923U);
    // What the mapping of 2023 misses is said, not guessed.
    EXPECT_THAT(import_file(file, POGO_SPECS "/sail/riscv64.toml").said, HasSubstr("error[E1009]"));
}

TEST(Official, RegisterFileIsWhatItsFunctionsSay) {
    if (!std::filesystem::exists(official)) GTEST_SKIP() << "the official model is not there";
    expect_register_file(official, 32, 64, true);
}

}  // namespace
}  // namespace pogo::isa
