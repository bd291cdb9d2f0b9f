// RV64's translation and protection: the model against QEMU, access by access.
// SPDX-License-Identifier: Apache-2.0
//
// tests/programs/rv64/paging.c makes the accesses and explains its lines.
// PM: RISC-V Privileged Architecture, version 20211203.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "command.hpp"
#include "transcript.hpp"

namespace pogo::integration {
namespace {

const std::string program = POGO_BUILT_PROGRAMS "/rv64-paging.elf";
constexpr std::uint64_t accessed = 0x40;  // A and D of a page-table entry
constexpr std::uint64_t dirty = 0x80;

/// A line in three: what is tried, by which operation, and what comes of it.
struct Line {
    std::vector<std::string> what;
    std::string operation;
    std::string outcome;
};
Line parse(const std::string& text) {
    static const std::set<std::string> operations = {"load", "store", "amo", "lrsc", "fetch"};
    Line line;
    for (const std::string& word : words(text)) {
        if (!line.operation.empty())
            line.outcome += (line.outcome.empty() ? "" : " ") + word;
        else if (operations.contains(word))
            line.operation = word;
        else
            line.what.push_back(word);
    }
    return line;
}
bool is_trap(const std::string& outcome) { return matches(outcome, "[MSU]\\d+[+@]"); }

/// What QEMU 7.2 does otherwise, and what it has to be then.
class Differences {
  public:
    explicit Differences(const std::vector<std::string>& ours) {
        for (const auto& text : ours) {
            const Line line = parse(text);
            outcomes_[{line.what, line.operation}] = line.outcome;
        }
    }
    bool explain(const std::string& ours, const std::string& theirs) {
        const Line a = parse(ours);
        const Line b = parse(theirs);
        // PM 4.1.11: which modes there are is the implementation's; QEMU has Sv48 and Sv57, too. Here such a write is
        // without effect.
        if (matches(ours, "satp [9a] ")) {
            ++seen_["satp"];
            return a.what[4] == (a.what[3] == "1" ? "is=8012300000000456" : "is=0");
        }
        if (a.what != b.what || a.operation != b.operation) return false;
        if (a.operation.empty()) return false;
        std::string expected = a.outcome;
        Line whole = a;
        // PM 4.3.1: where A, or D for a store, would have to be set, there is a page fault, or it is set: QEMU's way.
        // So its outcome is ours for the entry with both, but that the entry has changed. Bit 8 is software's.
        if (a.what[0] == "leaf" || a.what[0] == "MPRV" || a.what[0] == "bit") {
            const bool bit = a.what[0] == "bit";
            const std::uint64_t attributes = bit ? 0xcf & ~(1ULL << std::stoul(a.what[2])) : number(a.what[2]);
            if ((attributes & accessed) == 0 || (attributes & dirty) == 0) {
                whole.what[2] = bit ? "8" : hex(attributes | accessed | dirty);
                const auto found = outcomes_.find({whole.what, whole.operation});
                if (found == outcomes_.end()) return false;
                if (found->second != a.outcome) {
                    if (!matches(a.outcome, "[MSU]1[235][+@]")) return false;
                    ++seen_["svade"];
                    expected = found->second;
                }
            }
        }
        // PM 3.1.15, table 3.7: an AMO's exceptions are those of stores. In QEMU they are those of a load where that
        // fails, too.
        if (a.operation == "amo") {
            whole.operation = "load";
            const std::string load = outcomes_.at({whole.what, whole.operation});
            if (is_trap(load) && expected != load) {
                if (!is_trap(expected)) return false;
                ++seen_["amo"];
                expected = load;
            }
        }
        return b.outcome.substr(0, b.outcome.find(" entry=")) == expected;
    }
    [[nodiscard]] const std::map<std::string, unsigned>& seen() const { return seen_; }

  private:
    static std::string hex(std::uint64_t value) {
        std::ostringstream stream;
        stream << std::hex << value;
        return stream.str();
    }
    std::map<std::pair<std::vector<std::string>, std::string>, std::string> outcomes_;
    std::map<std::string, unsigned> seen_;
};

class Rv64Paging : public FolderTest {
  protected:
    void SetUp() override {
        FolderTest::SetUp();
        if (!std::filesystem::exists(program)) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    }
    static std::vector<std::string> model(const std::string& spec, const std::string& options = "") {
        const Result run =
            shell(std::string(POGO_COMMAND) + " run " + spec + " --elf " + program + options + " 2>/dev/null");
        EXPECT_EQ(run.code, 0);
        return lines(run.out);
    }
};

TEST_F(Rv64Paging, EqualsQemu) {
    if (!installed("qemu-system-riscv64")) GTEST_SKIP() << "no qemu-system-riscv64 to compare with";
    const auto ours = model(POGO_SPECS "/rv64.isa");
    ASSERT_GT(ours.size(), 8'000U);
    const auto peer = shell(
        "timeout 60 qemu-system-riscv64 -M virt -bios none -display none -monitor none -serial stdio -cpu "
        "rv64,f=off,d=off,h=off,pmp=on,debug=off,pmu-num=0 -kernel " +
        program + " 2>&1 </dev/null");
    ASSERT_EQ(peer.code, 0);
    const auto theirs = lines(peer.out);
    ASSERT_EQ(theirs.size(), ours.size());
    Differences differences(ours);
    unsigned unexplained = 0;
    for (std::size_t i = 0; i < theirs.size() && unexplained < 20; ++i) {
        EXPECT_EQ(ours[i].find(" entry="), std::string::npos) << ours[i];
        if (ours[i] == theirs[i] || differences.explain(ours[i], theirs[i])) continue;
        ++unexplained;
        ADD_FAILURE() << "model: " << ours[i] << "\nQEMU:  " << theirs[i];
    }
    EXPECT_EQ(differences.seen().size(), 3U);
}

// The program tries each rule: without one, or with another, it prints something else.
TEST_F(Rv64Paging, SeesMistakes) {
    const std::vector<std::pair<std::string, std::string>> mistakes = {
        {"(entry[2] == 0 || entry[1] == 1 || (shadows && shadow_page(entry)))", "true"},
        {" && (!reserved_pte || entry[63..54] == 0);", ";"},
        {"(entry[7..6] == 0 && entry[4] == 0)", "entry[7..6] == 0"},
        {"(entry[7..6] == 0 && entry[4] == 0)", "entry[4] == 0"},
        {"entry[4] == 0 || (sum == 1 && access != Access.fetch)", "entry[4] == 0 || sum == 1"},
        {"entry[4] == 0 || (sum == 1 && access != Access.fetch)", "entry[4] == 0"},
        {"entry[1] == 1 || (mxr == 1 && entry[3] == 1)", "entry[1] == 1"},
        {"&& kind && entry[6] == 1 &&", "&& kind &&"},
        {" && (entry[7] == 1 || !stores(access));", ";"},
        {"(if kind == 9 then sext(va[47..0], 64) else sext(va[38..0], 64))",
         "(if kind == 9 then sext(va[47..0], 64) else zext(va[38..0], 64))"},
        {"trap access_fault(va, access, guest) when !pmp_allows(place, 0b001, 1);", ""},
        {" || !pmp_allows(address[55..0], rights_for(access), mode);", ";"},
        {"if i > 0 { trap page_fault(va, access, guest) when entry[10 + 9 * i - 1 .. 10] != 0; }", ""},
        {"if mstatus.MPRV == 1 && access != Access.fetch then mstatus.MPP else priv", "priv"},
        {"foreach i in 7..0 {\n    if pmp_matches", "foreach i in 0..7 {\n    if pmp_matches"},
        {"(mode == 3 && pmpcfg[i][7] == 0)", "(mode == 3)"},
        {"return (pmpcfg[i][4..3] == 1 && range) ||", "return"},
        {"low <= page && page < pmpaddr", "low < page && page < pmpaddr"},
        {"let allowed = mode == 3;", "let allowed = true;"}};
    const std::string right = text_of(POGO_SPECS "/rv64.isa");
    const auto ours = model(POGO_SPECS "/rv64.isa");
    for (const auto& [from, to] : mistakes) {
        const std::string wrong = replaced(right, from, to);
        const Result run = shell("timeout 20 " + std::string(POGO_COMMAND) + " run " + file("wrong.isa", wrong) +
                                 " --cycles 40000000 --elf " + program + " 2>/dev/null");
        EXPECT_GT(lines(run.out).size(), 100U) << from;
        EXPECT_NE(lines(run.out), ours) << from;
    }
}

}  // namespace
}  // namespace pogo::integration
