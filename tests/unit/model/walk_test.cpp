// Translations that load: what each access finds, what a store to the table changes, what a fault tells.
// SPDX-License-Identifier: Apache-2.0
#include "model/observers.hpp"
#include "support.hpp"

namespace pogo::model::test {
namespace {

using Kind = StepOutcome::Kind;

constexpr std::uint64_t table = 0x400;
enum : std::uint64_t { valid = 1, store = 2, fetch = 4, peek = 8 };

// User mode. Page 1 is code, page 2 data, page 4 the table itself; 0x500 and 0x600 hold different data.
class Walk : public ::testing::TestWithParam<View> {
  protected:
    Walk() : spec_(spec_of(paged_text())), simulator_(Config{.view = GetParam(), .bare = true}) {
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        map(1, 1, valid | fetch);
        map(2, 5, valid | store);
        map(4, 4, valid | store);
        word(0x500, 0x1234);
        word(0x600, 0x5678);
        for (unsigned i = 0; i < 8; ++i) word(0x10 + 2 * i, 0x40 + 0x10 * i);  // of causes
        set(simulator_, "st.S", 0);
        set(simulator_, "base", table);
        set(simulator_, "limit", 0x800);
        set(simulator_, "pc", 0x100);
    }
    void word(std::uint64_t at, std::uint64_t value) {
        simulator_.poke(at, value & 0xff);
        simulator_.poke(at + 1, value >> 8);
    }
    [[nodiscard]] std::uint64_t word(std::uint64_t at) const {
        return simulator_.peek(at) | simulator_.peek(at + 1) << 8;
    }
    void map(std::uint64_t page, std::uint64_t to, std::uint64_t rights) { word(table + 2 * page, to << 8 | rights); }
    void r(unsigned number, std::uint64_t value) { set(simulator_, "r", value, number); }
    void run(unsigned steps) { EXPECT_EQ(simulator_.run({.cycles = 1000, .steps = steps}).steps, steps); }
    // The entry of `cause` was taken with this argument, from the instruction at 0x100.
    void expect_trap(std::uint64_t cause, std::uint64_t argument) {
        EXPECT_EQ(get(simulator_, "pc"), 0x40 + 0x10 * cause);
        EXPECT_EQ(get(simulator_, "arg"), argument);
        EXPECT_EQ(get(simulator_, "epc"), 0x100U);
        EXPECT_EQ(get(simulator_, "st.S"), 1U);
    }
    std::unique_ptr<isa::Spec> spec_;
    Simulator simulator_;
};
INSTANTIATE_TEST_SUITE_P(Both, Walk, ::testing::Values(View::batched, View::clocked),
                         [](const auto& view) { return view.param == View::batched ? "batched" : "clocked"; });

TEST_P(Walk, GoesThroughTheTable) {
    Assembler(simulator_, 0x100)("ld", {1, 2, 4})("st_", {1, 2, 8});
    r(2, 0x1FC);
    map(1, 1, valid | fetch | store);
    word(0x500, 0xABCD);
    run(2);
    EXPECT_EQ(get(simulator_, "r", 1), 0xABCDU);
    EXPECT_EQ(word(0x504), 0xABCDU);
}

TEST_P(Walk, SeesAStoreToTheTableInTheNextAccess) {
    Assembler(simulator_, 0x100)("ld", {0, 2, 0})("st_", {1, 3, 4})("ld", {1, 2, 0});
    r(1, 0x600 | valid);
    r(2, 0x200);
    r(3, 0x400);
    run(3);
    EXPECT_EQ(get(simulator_, "r", 0), 0x1234U);
    EXPECT_EQ(get(simulator_, "r", 1), 0x5678U);
}

TEST_P(Walk, SeesAStoreToTheTableInTheNextFetch) {
    // The instruction behind the store lies elsewhere once the store is done.
    Assembler(simulator_, 0x100)("st_", {1, 3, 2})("li", {0, 1});
    Assembler(simulator_, 0x702)("li", {0, 2});
    r(1, 0x700 | valid | fetch);
    r(3, 0x400);
    run(2);
    EXPECT_EQ(get(simulator_, "r", 0), 2U);
}

// Loads from two pages in turn, by a TLB that has room for them and by one where they are in each other's way, and in
// that of the code.
TEST_P(Walk, IsDoneAgainWhereTheTlbIsTooSmall) {
    const auto walks = [&](const std::string& more) {
        spec_ = spec_of(paged_text(std::string(plain_timing) + more));
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        map(1, 1, valid | fetch);
        map(2, 5, valid);
        map(4, 6, valid);
        Assembler(simulator_, 0x100)("ld", {0, 2, 0})("ld", {0, 3, 0})("ld", {0, 2, 0})("ld", {0, 3, 0})("ld",
                                                                                                         {0, 2, 0});
        set(simulator_, "st.S", 0);
        set(simulator_, "base", table);
        set(simulator_, "limit", 0x800);
        set(simulator_, "pc", 0x100);
        r(2, 0x200);
        r(3, 0x400);
        Counts counts;
        simulator_.attach(counts);
        run(5);
        simulator_.detach(counts);
        return counts.traffic;
    };
    const Traffic roomy = walks("");
    EXPECT_EQ(roomy.data, (Traffic::Walks{2, 2}));
    EXPECT_EQ(roomy.fetch, (Traffic::Walks{1, 1}));
    EXPECT_EQ(walks("tlb 4096;"), roomy);
    const Traffic small = walks("tlb 2;");
    EXPECT_EQ(small.data, (Traffic::Walks{5, 5}));
    EXPECT_GT(small.fetch.count, 1U);
    EXPECT_EQ(small.fetch.count, small.fetch.loads);
    // Entries of the table go through the cache: three lines of it, and two of data.
    const Traffic cached = walks("dcache size 1024 line 2 ways 2 miss 3;");
    EXPECT_EQ(cached.dcache, (Traffic::Cache{3 + 5, 3 + 2}));
    EXPECT_EQ(cached.data, roomy.data);
}

TEST_P(Walk, SeesAnotherTable) {
    // A program calls its supervisor, which takes another table.
    const auto load_from_the_other = [&] {
        Assembler(simulator_, 0x100)("ld", {0, 2, 0})("sc", {0})("ld", {3, 2, 0});
        Assembler(simulator_, 0x40 + 4 * 0x10)("setr", {1, 2})("rt");
        word(0x300 + 2, 0x0100 | valid | fetch);
        word(0x300 + 16, 0x0600 | valid);
        map(8, 5, valid);
        set(simulator_, "limit", 0x900);
        r(1, 0x300);
        r(2, 0x800);
        set(simulator_, "pc", 0x100);
        run(1);
        EXPECT_EQ(get(simulator_, "r", 0), 0x1234U);
        set(simulator_, "pc", 0x102);
        run(1);
        r(2, 0x900);  // the limit
        run(2);
        r(2, 0x800);
        run(1);
        return get(simulator_, "r", 3);
    };
    EXPECT_EQ(load_from_the_other(), 0x5678U);
}

TEST_P(Walk, TellsWhichAddressAndWhy) {
    struct Case {
        const char* instruction = "";
        std::initializer_list<std::uint64_t> fields;
        std::uint64_t rights = 0;
        std::uint64_t cause = 0;
        std::uint64_t argument = 0;
    };
    // Causes 2 bounds and 3 odd; arguments are the address and what paged_text() adds for the reason.
    for (const Case& each : {Case{"ld", {0, 2, 4}, store, 2, 0x204}, Case{"st_", {0, 2, 4}, valid | fetch, 2, 0x205},
                             Case{"stb", {0, 2, 7}, valid | fetch, 2, 0x208},
                             Case{"peek", {2, 4}, valid | store, 2, 0x207}, Case{"xchg", {0, 6}, valid, 2, 0x207}}) {
        SCOPED_TRACE(each.instruction);
        const auto before = word(0x504);
        map(2, 5, each.rights);
        Assembler(simulator_, 0x100)(each.instruction, each.fields);
        set(simulator_, "st.S", 0);
        set(simulator_, "pc", 0x100);
        r(0, 0x7777);
        r(2, 0x200);
        r(3, 0x200);
        run(1);
        expect_trap(each.cause, each.argument);
        EXPECT_EQ(get(simulator_, "r", 0), 0x7777U);
        EXPECT_EQ(word(0x504), before);
    }
}

TEST(WalkEntry, KnowsTheFollowingInstruction) {
    std::string text = paged_text();
    const std::string entry = "enter(2, pc)";
    text.replace(text.find(entry), entry.size(), "enter(2, next_pc)");
    const auto spec = spec_of(text);
    Simulator simulator(Config{.bare = true});
    ASSERT_EQ(simulator.load(*spec), std::nullopt);
    simulator.poke(table + 2, valid | fetch);
    simulator.poke(table + 3, 1);
    Assembler(simulator, 0x100)("ld", {1, 2, 4});
    set(simulator, "st.S", 0);
    set(simulator, "base", table);
    set(simulator, "limit", 0x800);
    set(simulator, "r", 0x200, 2);  // not mapped
    set(simulator, "pc", 0x100);
    EXPECT_EQ(simulator.run({.cycles = 1000, .steps = 1}).steps, 1U);
    EXPECT_EQ(get(simulator, "arg"), 0x204U);
    EXPECT_EQ(get(simulator, "epc"), 0x102U);
}

TEST_P(Walk, FaultsWhenItFetches) {
    set(simulator_, "pc", 0x200);
    run(1);
    EXPECT_EQ(get(simulator_, "pc"), 0x40U + 3 * 0x10);
    EXPECT_EQ(get(simulator_, "arg"), 0x202U);
    EXPECT_EQ(get(simulator_, "epc"), 0x200U);
}

TEST_P(Walk, KnowsKindsOfAccessOfTheMachine) {
    map(2, 5, valid | peek);
    Assembler(simulator_, 0x100)("peek", {2, 1});
    r(2, 0x200);
    run(1);
    EXPECT_EQ(get(simulator_, "r", 2), 0x1200U);
}

TEST_P(Walk, StoresNothingIfOneOfTwoStoresFaults) {
    Assembler(simulator_, 0x100)("two", {2, 8});  // at 0x200 and 0x300, of which nothing is mapped
    r(0, 0x1111);
    r(1, 0x2222);
    r(2, 0x200);
    run(1);
    expect_trap(2, 0x300);
    EXPECT_EQ(word(0x500), 0x1234U);
    map(3, 6, valid | store);
    set(simulator_, "st.S", 0);
    set(simulator_, "pc", 0x100);
    run(1);
    EXPECT_EQ(word(0x500), 0x1111U);
    EXPECT_EQ(word(0x600), 0x2222U);
}

}  // namespace
}  // namespace pogo::model::test
