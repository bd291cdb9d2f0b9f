// The counters of RV64: what each instruction that reads one sees (PM 3.1.10, 3.1.12, 3.3.1; UM 10.1).
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "command.hpp"

namespace pogo::integration {
namespace {

class Rv64Counters : public FolderTest {
  protected:
    /// Runs the text in machine mode; x10 to x18 afterwards. A trap goes on behind the instruction.
    std::vector<std::uint64_t> run(const std::string& text) {
        const std::string program =
            file("counters.s",
                 ".org 0x80000000\n addi x6, x0, 1\n slli x6, x6, 31\n addi x6, x6, 0x400\n csrrw x0, mtvec, x6\n" +
                     text + "\n addi x7, x0, 1\n slli x7, x7, 20\n lui x8, 5\n addi x8, x8, 0x555\n sw x8, 0(x7)\n" +
                     ".org 0x80000400\n csrrs x7, mepc, x0\n addi x7, x7, 4\n csrrw x0, mepc, x7\n mret\n");
        std::vector<std::vector<std::uint64_t>> both;
        for (const char* view : {"batched", "clocked"}) {
            const Result done = pogo("run " POGO_SPECS "/rv64.isa --dump --asm " + program + " --view " + view);
            EXPECT_EQ(done.code, 0) << done.out;
            both.emplace_back();
            for (unsigned i = 10; i < 19; ++i) {
                const std::string name = "\"x" + std::to_string(i) + "\":";
                const auto at = done.out.find(name);
                both.back().push_back(at == std::string::npos ? 0 : std::stoull(done.out.substr(at + name.size())));
            }
        }
        EXPECT_EQ(both[0], both[1]);
        return both[0];
    }
};

TEST_F(Rv64Counters, InstructionsAreCountedExactly) {
    const auto x = run(R"(
        csrrwi x0, minstret, 0
        csrrs x10, minstret, x0
        c.addi x0, 0
        mul x5, x5, x5
        csrrs x11, instret, x0
        csrrwi x12, minstret, 9
        csrrs x13, minstret, x0
        ebreak
        csrrs x14, minstret, x0)");
    EXPECT_EQ(x[0], 0U);  // the value written is what the next instruction reads
    EXPECT_EQ(x[1], 3U);
    EXPECT_EQ(x[2], 4U);  // an instruction that writes reads first
    EXPECT_EQ(x[3], 9U);
    EXPECT_EQ(x[4], 14U);  // the handler's four: EBREAK does not retire
}

TEST_F(Rv64Counters, CanBeStopped) {
    const auto x = run(R"(
        csrrwi x0, mcountinhibit, 31
        csrrs x10, mcountinhibit, x0
        csrrwi x0, minstret, 7
        csrrwi x0, mcycle, 5
        csrrs x11, minstret, x0
        csrrs x12, mcycle, x0
        csrrwi x0, mcountinhibit, 1
        csrrs x13, minstret, x0
        csrrs x14, cycle, x0
        csrrwi x0, mcountinhibit, 4
        csrrs x15, minstret, x0
        csrrs x16, mcycle, x0
        csrrs x17, minstret, x0)");
    EXPECT_EQ(x[0], 5U);  // CY and IR
    EXPECT_EQ(x[1], 7U);
    EXPECT_EQ(x[2], 5U);
    EXPECT_EQ(x[3], 8U);  // the instruction that starts it counts
    EXPECT_EQ(x[4], 5U);
    EXPECT_EQ(x[5], 10U);  // the one that stops it does not
    EXPECT_GT(x[6], 5U);
    EXPECT_EQ(x[7], 10U);
}

// Two reads are as far apart as the pipeline says: each CSR instruction holds up the fetch of the next.
TEST_F(Rv64Counters, CyclesAreThoseOfThePipeline) {
    const auto x = run(R"(
        csrrs x10, cycle, x0
        csrrs x11, cycle, x0
        c.addi x0, 0
        c.addi x0, 0
        csrrs x12, cycle, x0
        csrrs x13, cycle, x0
        divu x5, x5, x5
        csrrs x14, cycle, x0)");
    const std::uint64_t apart = x[1] - x[0];
    EXPECT_EQ(x[2] - x[1], apart + 2);
    EXPECT_EQ(x[4] - x[3], apart + 33);  // `div` occupies execute for so long
}

}  // namespace
}  // namespace pogo::integration
