// Trace, waves and counts as they are written.
// SPDX-License-Identifier: Apache-2.0
#include "model/observers.hpp"

#include <map>
#include <sstream>

#include "support.hpp"

namespace pogo::model::test {
namespace {

class Observing : public ::testing::Test {
  protected:
    Observing() : spec_(spec_of(toy_text())) {
        EXPECT_EQ(simulator_.load(*spec_), std::nullopt);
        Assembler(simulator_, 0xE).word(0x100);
        Assembler(simulator_, 0x18).word(0x400);
        Assembler(simulator_, 0x100)("li", {1, 0x80})("st_", {1, 1, 2})("bne", {0, 1, 2})("li", {2, 9})("sc", {7});
        Assembler(simulator_, 0x400)("sets", {0x81});
        simulator_.reset();
    }
    void run(Observer& observer) {
        simulator_.attach(observer);
        EXPECT_EQ(simulator_.run({.cycles = 100}).reason, StopReason::halted);
        simulator_.detach(observer);
    }
    std::unique_ptr<isa::Spec> spec_;
    Simulator simulator_{Config{.bare = true}};
};

TEST_F(Observing, Trace) {
    std::ostringstream text;
    Trace trace(text);
    simulator_.attach(trace);
    static_cast<void>(simulator_.run({.cycles = 14}));
    simulator_.detach(trace);
    // The branch at 0x106 goes to 0x10a, in the middle of the second li: 9 is `add r0, r0, 9`.
    EXPECT_EQ(text.str(),
              "       3  0100  li r1, 128                    r[1]=80\n"
              "       4  0104  st r1, 2(r1)                  [82]=80  [83]=0\n"
              "       5  0106  bne r0, r1, 0x10a\n"
              "       8  010a  add r0, r0, 9                 r[0]=9\n"
              "       9  010c  trap call(0x7)                epc=10e  est=80  arg=7\n");
}

TEST_F(Observing, Counts) {
    Counts counts;
    run(counts);
    EXPECT_EQ(counts.traps[spec_->find_cause("call").index], 1U);
    EXPECT_EQ(counts.flushes[static_cast<unsigned>(FlushEvent::Reason::branch)], 1U);
    EXPECT_EQ(counts.flushes[static_cast<unsigned>(FlushEvent::Reason::trap)], 1U);
    EXPECT_EQ(counts.cycles, simulator_.cycles());
    std::uint64_t sum = 0;
    for (const auto stall : counts.stalls) sum += stall;
    EXPECT_EQ(sum, counts.cycles);
    EXPECT_NE(counts.print().find("call "), std::string::npos);
    EXPECT_NE(counts.print().find("instruction"), std::string::npos);
}

// sets    F D X M W                   to user mode; serialises
// sc            F D X M W             a trap
// sets                F D X           to supervisor mode's last cycle: halts
TEST_F(Observing, CountsByModeAsTheyArePrinted) {
    Assembler(simulator_, 0x100)("sets", {0})("sc", {7});
    set(simulator_, "limit", 0x800);
    for (const View view : {View::clocked, View::batched}) {
        simulator_.set_view(view);
        simulator_.reset();
        set(simulator_, "limit", 0x800);
        Counts counts;
        simulator_.attach(counts);
        EXPECT_EQ(simulator_.run({.cycles = 100}).reason, StopReason::halted);
        simulator_.retire_all();
        simulator_.detach(counts);
        const std::string text = counts.print();
        EXPECT_EQ(text.substr(0, text.find("class")),
                  "run\n"
                  "  cycles                                     9\n"
                  "  instructions                               2\n"
                  "  CPI                                    4.500\n"
                  "  thrown away                                3\n"
                  "cycles by what happened at execute\n"
                  "  entered                                    3   33.33 %\n"
                  "  fetch                                      6   66.67 %\n"
                  "  data                                       0    0.00 %\n"
                  "  structural                                 0    0.00 %\n"
                  "  memory                                     0    0.00 %\n"
                  "  waiting                                    0    0.00 %\n"
                  "flushes\n"
                  "  branch                                     0\n"
                  "  serialising                                2\n"
                  "  stale                                      0\n"
                  "  trap                                       1\n"
                  "  interrupt                                  0\n"
                  "cycles by mode\n"
                  "  supervisor                                 6   66.67 %\n"
                  "  user                                       3   33.33 %\n"
                  "traps and interrupts    from                  to                             taken\n"
                  "  call                  user                  supervisor                         1\n");
    }
}

TEST_F(Observing, WavesFollowTheState) {
    std::ostringstream text;
    Vcd vcd(text);
    run(vcd);
    // Read it back: the last value of every variable.
    std::istringstream in(text.str());
    std::map<std::string, std::string> names;
    std::map<std::string, std::uint64_t> values;
    std::uint64_t time = 0;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "$var") {
            std::string kind, width, code, name;
            words >> kind >> width >> code >> name;
            EXPECT_TRUE(names.emplace(code, name).second);
        } else if (word[0] == '#') {
            EXPECT_GE(std::stoull(word.substr(1)), time);
            time = std::stoull(word.substr(1));
        } else if (word[0] == 'b') {
            std::string code;
            words >> code;
            values[names.at(code)] = std::stoull(word.substr(1), nullptr, 2);
        } else if (word[0] == '0' || word[0] == '1') {
            values[names.at(word.substr(1))] = word[0] == '1';
        }
    }
    EXPECT_EQ(values.at("r[1]"), 0x80U);
    EXPECT_EQ(values.at("epc"), 0x10eU);
    EXPECT_EQ(values.at("st.H"), 1U);
    EXPECT_EQ(time % 10, 0U);
    EXPECT_LT(time, simulator_.cycles() * 10);
}

}  // namespace
}  // namespace pogo::model::test
