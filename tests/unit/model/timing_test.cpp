// The timing contract by example: each expectation is counted by hand from docs/timing.md.
// SPDX-License-Identifier: Apache-2.0
//
// In the tables F, D, X, M, W are the stages; the program starts at cycle 0 with an empty pipeline, so the first
// instruction of one parcel is in F in cycle 0, in D in cycle 1 and enters X in cycle 2.
#include "model/observers.hpp"
#include "support.hpp"

namespace pogo::model::test {
namespace {

struct Entered final : Observer {
    std::vector<std::uint64_t> at;
    void on_retire(const RetireEvent& event) override { at.push_back(event.entered); }
    void on_trap(const RetireEvent& event) override { at.push_back(event.entered); }
    void on_interrupt(const RetireEvent& event) override { at.push_back(event.entered); }
};

/// Timings that differ from the plain ones.
struct Options {
    std::string forwarding = "on";
    unsigned fetch = 1, load = 0, store = 0, branch = 0, trap = 1, interrupt = 1;
    std::string caches{};
};

std::string timing(const Options& o) {
    return "stages fetch, decode, execute, memory, writeback; fetch " + std::to_string(o.fetch) + "; forwarding " +
           o.forwarding + "; load " + std::to_string(o.load) + "; store " + std::to_string(o.store) + "; branch " +
           std::to_string(o.branch) + "; trap " + std::to_string(o.trap) + "; interrupt " +
           std::to_string(o.interrupt) + ";" + o.caches + R"(
  class alu { occupies 1; latency 1; }
  class load { occupies 1; latency 2; }
  class mul { occupies 3; latency 4; }
  class system { occupies 1; latency 1; serialises; })";
}

class Timing : public ::testing::Test {
  protected:
    using Cycles = std::vector<std::uint64_t>;
    /// Cycles in which the first instructions enter execute. r1 is 1, the other registers 0.
    Cycles entered(const Options& options, const std::function<void(Assembler&)>& program, bool line = false) {
        spec_ = spec_of(toy_text(timing(options)));
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        Assembler assembler(simulator_, 0x100);
        program(assembler);
        for (unsigned cause = 0; cause < 6; ++cause) Assembler(simulator_, 0x10 + 2 * cause).word(0x400);
        isa::State state(*spec_);
        const auto put = [&](const char* name, std::uint64_t value) {
            state.set((*spec_)[spec_->find_element(name)], value);
        };
        put("st.S", 1);
        put("st.I", 1);
        put("pc", 0x100);
        put("line", line);
        state.set((*spec_)[spec_->find_element("r")], 1, 1);
        simulator_.set_state(state);
        Entered entered;
        Counts counts;
        simulator_.attach(entered);
        simulator_.attach(counts);
        EXPECT_EQ(simulator_.run({.cycles = cycles_}).reason, StopReason::cycles);
        simulator_.detach(counts);
        simulator_.detach(entered);
        counts_ = counts;
        entered.at.resize(count_);
        return entered.at;
    }
    std::unique_ptr<isa::Spec> spec_;
    Simulator simulator_{Config{.bare = true}};
    Counts counts_;
    std::size_t count_ = 3;
    std::uint64_t cycles_ = 30;
};

TEST_F(Timing, OneInstructionACycle) {
    // add  F D X M W
    // add    F D X M W      forwarding: the result of cycle 2 is used in cycle 3
    // add      F D X M W
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("add", {0, 0, 1})("add", {0, 0, 1})("add", {0, 0, 1});
                      }),
              (Cycles{2, 3, 4}));
    EXPECT_EQ(counts_.cycles, 30U);
    EXPECT_EQ(counts_.stalls[static_cast<unsigned>(Stall::fetch)], 2U);  // cycles 0 and 1
}

TEST_F(Timing, FetchTakesAsLongAsThereAreParcels) {
    // li   F F D X
    // add      F D X
    // li         F F D X
    const auto program = [](Assembler& a) { a("li", {0, 1})("add", {2, 2, 1})("li", {0, 1}); };
    EXPECT_EQ(entered({}, program), (Cycles{3, 4, 6}));
    EXPECT_EQ(entered({.fetch = 2}, program), (Cycles{2, 3, 4}));
}

TEST_F(Timing, WithoutForwardingResultsWaitForTheLastStage) {
    // add r0  F D X M W
    // add r0    F D D D X      r0 is there when the first has left W, in cycle 5
    // add r2      F F F D X
    const auto program = [](Assembler& a) { a("add", {0, 0, 1})("add", {0, 0, 1})("add", {2, 2, 1}); };
    EXPECT_EQ(entered({.forwarding = "off"}, program), (Cycles{2, 5, 6}));
    cycles_ = 7;
    static_cast<void>(entered({.forwarding = "off"}, program));
    EXPECT_EQ(counts_.instructions[spec_->find_instruction("add").index].stalls[static_cast<unsigned>(Stall::data)],
              2U);
    EXPECT_EQ(counts_.classes[0].stalls[static_cast<unsigned>(Stall::data)], 2U);
}

TEST_F(Timing, LatencyOfALoad) {
    // ld r0   F D X M W        latency 2: a reader may enter X in cycle 4
    // add r2    F D X M W
    // add r2      F D X
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("ld", {0, 3, 0})("add", {2, 2, 1})("add", {2, 0, 1});
                      }),
              (Cycles{2, 3, 4}));
    // Directly after the load: one cycle of waiting.
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("ld", {0, 3, 0})("add", {2, 0, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 4, 5}));
}

TEST_F(Timing, AccessesStretchTheMemoryStage) {
    // ld r0   F D X M M M W
    // add r2    F D X X X M W      held up in X as long as M is taken
    // add r2      F D D D X M      enters when that has left X, in cycle 6
    EXPECT_EQ(entered({.load = 2},
                      [](Assembler& a) {
                          a("ld", {0, 3, 0})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 3, 6}));
    EXPECT_EQ(counts_.stalls[static_cast<unsigned>(Stall::memory)], 2U);
    // A load whose condition is false takes no time.
    EXPECT_EQ(entered({.load = 2},
                      [](Assembler& a) {
                          a("ldc", {0, 0})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 3, 4}));
    // A reader: latency 2 and the two cycles more, so not before cycle 6.
    EXPECT_EQ(entered({.load = 2},
                      [](Assembler& a) {
                          a("ld", {0, 3, 0})("add", {2, 0, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 6, 7}));
    // The same for a store, which nobody waits for.
    EXPECT_EQ(entered({.store = 2},
                      [](Assembler& a) {
                          a("st_", {0, 3, 0})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 3, 6}));
}

TEST_F(Timing, FetchesThatMiss) {
    // Lines of two parcels.
    // add  F F F F F F D X
    // add              F D X
    // add                F F F F F F D X
    const Options options{.caches = "icache size 32 line 4 ways 2 miss 5;"};
    const auto program = [](Assembler& a) { a("add", {0, 0, 1})("add", {0, 0, 1})("add", {0, 0, 1}); };
    EXPECT_EQ(entered(options, program), (Cycles{7, 8, 14}));
    cycles_ = 8;
    static_cast<void>(entered(options, program));
    EXPECT_EQ(counts_.traffic.icache, (Traffic::Cache{3, 2}));
    EXPECT_EQ(counts_.traffic.dcache, Traffic::Cache{});
    // The li at 0x102 lies in two lines, of which the second is new.
    // add  F F F F F F D X
    // li               F F F F F F F D X
    cycles_ = 30;
    count_ = 2;
    EXPECT_EQ(entered(options, [](Assembler& a) { a("add", {0, 0, 1})("li", {0, 1}); }), (Cycles{7, 14}));
}

TEST_F(Timing, AccessesThatMiss) {
    const Options options{.caches = "dcache size 32 line 4 ways 2 miss 5;"};
    const auto with = [&](const char* name, std::initializer_list<std::uint64_t> fields, const Cycles& expected,
                          Traffic::Cache counts) {
        EXPECT_EQ(entered(options,
                          [&](Assembler& a) {
                              a(name, fields)("add", {2, 2, 1})("add", {2, 2, 1});
                          }),
                  expected);
        EXPECT_EQ(counts_.traffic.dcache, counts);
    };
    // ld r0   F D X M M M M M M W
    // add r2    F D X X X X X X M
    // add r2      F D D D D D D X
    with("ld", {0, 3, 0}, {2, 3, 9}, {1, 1});
    with("st_", {0, 3, 0}, {2, 3, 9}, {1, 1});
    with("ld", {0, 3, 3}, {2, 3, 14}, {2, 2});  // in two lines
    // A reader waits for the latency and the miss: 2 + 2 + 5.
    EXPECT_EQ(entered(options,
                      [](Assembler& a) {
                          a("ld", {0, 3, 0})("add", {2, 0, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 9, 10}));
    // What a store has brought in is there for a load.
    EXPECT_EQ(entered(options,
                      [](Assembler& a) {
                          a("st_", {0, 3, 0})("ld", {2, 3, 2})("add", {0, 0, 1});
                      }),
              (Cycles{2, 3, 9}));
    EXPECT_EQ(counts_.traffic.dcache, (Traffic::Cache{2, 1}));
    EXPECT_EQ(counts_.traffic.icache, Traffic::Cache{});
}

TEST_F(Timing, BeingHeldUpDelaysResults) {
    // ld r0   F D X M M M W
    // ld r2     F D X X X M M M W
    // add         F D D D D D D X     3 + 2 + 2 and two cycles held up in X: cycle 9, after the last M
    EXPECT_EQ(entered({.load = 2},
                      [](Assembler& a) {
                          a("ld", {0, 3, 0})("ld", {2, 3, 2})("add", {0, 2, 1});
                      }),
              (Cycles{2, 3, 9}));
}

TEST_F(Timing, OccupyingExecute) {
    // mul r0  F D X X X M W
    // add r2    F D D D X          X is free in cycle 5
    // add r2      F F F D X
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("mul", {0, 1})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 5, 6}));
    EXPECT_EQ(counts_.stalls[static_cast<unsigned>(Stall::structural)], 2U);
    // Latency 4: a reader enters in cycle 6.
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("mul", {0, 1})("add", {2, 0, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 6, 7}));
}

TEST_F(Timing, WhatEncodingsRuleOutIsNoHazard) {
    // The second reads r3 by its number; r2 is late.
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("mul", {2, 1})("add", {3, 3, 1})("add", {3, 3, 1});
                      }),
              (Cycles{2, 5, 6}));
    // `pick` reads an entry known only when it executes: it waits for every entry.
    EXPECT_EQ(entered({}, [](Assembler& a) { a("mul", {2, 1})("pick", {3, 3})("add", {3, 3, 1}); }), (Cycles{2, 6, 7}));
}

TEST_F(Timing, BranchesFlush) {
    // bne     F D X M W             taken: known at the end of X
    // (next)    F D
    // (after)     F
    // target        F D X           fetched in cycle 3
    const auto taken = [](Assembler& a) { a("bne", {0, 1, 4})("add", {2, 2, 1}); };
    EXPECT_EQ(entered({}, taken)[1], 5U);
    EXPECT_EQ(counts_.flushes[static_cast<unsigned>(FlushEvent::Reason::branch)], 1U);
    EXPECT_EQ(counts_.squashed, 1U);  // the one in D; in cycle 2 nothing has been fetched behind it yet
    EXPECT_EQ(entered({.branch = 2}, taken)[1], 7U);
    // Not taken costs nothing.
    EXPECT_EQ(entered({.branch = 2},
                      [](Assembler& a) {
                          a("bne", {0, 0, 4})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 3, 4}));
}

TEST_F(Timing, SerialisingFetchesAnew) {
    // sets    F D X M W
    // add       F D . F D X
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("sets", {0x80})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 5, 6}));
    EXPECT_EQ(counts_.flushes[static_cast<unsigned>(FlushEvent::Reason::serialising)], 1U);
}

TEST_F(Timing, StaleFetchesAreFetchedAnew) {
    // A store over the next instruction, and a new base: as if serialising.
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("st_", {0, 3, 0x02})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 3, 4}));
    const auto hit = [](Assembler& a) { a("li", {0, 0x103})("stb", {2, 0, 0})("add", {2, 2, 1})("add", {2, 2, 1}); };
    count_ = 4;
    // li   F F D X
    // stb      F D X            0x103 lies in the li itself, which has been executed
    EXPECT_EQ(entered({}, hit), (Cycles{3, 4, 5, 6}));
    const auto ahead = [](Assembler& a) { a("li", {0, 0x107})("stb", {2, 0, 0})("add", {2, 2, 1})("add", {2, 2, 1}); };
    // stb      F D X M W
    // add        F D . F D X    0x106 is the add, in D in cycle 4
    EXPECT_EQ(entered({}, ahead), (Cycles{3, 4, 7, 8}));
    EXPECT_EQ(counts_.flushes[static_cast<unsigned>(FlushEvent::Reason::stale)], 1U);
    count_ = 3;
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("setr", {1, 1})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 5, 6}));
    // The same value again changes nothing.
    EXPECT_EQ(entered({},
                      [](Assembler& a) {
                          a("setr", {0, 0})("add", {2, 2, 1})("add", {2, 2, 1});
                      }),
              (Cycles{2, 3, 4}));
}

TEST_F(Timing, TrapsAndInterrupts) {
    // sc      F D X X X M W
    // handler           F D X     fetched in cycle 5
    count_ = 2;
    EXPECT_EQ(entered({.trap = 3}, [](Assembler& a) { a("sc", {1}); }), (Cycles{2, 7}));
    // The line is high from the start: the entry takes the empty X in cycles 0 to 3.
    EXPECT_EQ(entered(
                  {.interrupt = 4}, [](Assembler&) {}, true),
              (Cycles{0, 6}));
    EXPECT_EQ(counts_.interrupts.at(0), 1U);
}

}  // namespace
}  // namespace pogo::model::test
