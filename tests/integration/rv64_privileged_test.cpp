// What each mode of RV64 may do: the model against QEMU, attempt by attempt, and both against the table of permissions.
// SPDX-License-Identifier: Apache-2.0
//
// tests/programs/rv64/privileged.c makes the attempts and explains its lines.
// PM: RISC-V Privileged Architecture, version 20211203. UM: Volume I, version 20191213.
#include <gmock/gmock.h>

#include <map>
#include <regex>
#include <set>
#include <vector>

#include "command.hpp"
#include "support.hpp"
#include "transcript.hpp"

namespace pogo::integration {
namespace {

const std::string program = POGO_BUILT_PROGRAMS "/rv64-privileged.elf";

/// The line's numbers in fields of this name, by position; nothing else is looked at.
struct Field {
    std::string name;
    std::uint64_t value;
};
std::optional<Field> field(const std::string& word) {
    for (const char* name : {"rd=", "rb=", "st="})
        if (word.starts_with(name)) {
            const std::string digits = word.substr(3);
            if (digits.find_first_not_of("0123456789abcdef") == std::string::npos) return Field{name, number(digits)};
        }
    return std::nullopt;
}

/// Bits that QEMU 7.2 has otherwise, in the lines of a pattern. The model has `ours` there.
struct Difference {
    const char* lines;
    const char* fields;
    std::uint64_t bits;
    std::optional<std::uint64_t> ours;
    const char* why;
    mutable unsigned seen = 0;
};
constexpr std::uint64_t all = ~0ULL;
const std::vector<Difference> differences = {
    {"(csr \\w+ [SM]|warl [SM]) [13]06 ", "rd= rb=", all << 3, 0,
     "xcounteren has 32 bits (PM 3.1.11, 4.1.5), HPM may be 0; QEMU keeps what was written to the others"},
    {"(csr \\w+ M|warl M) 320 ", "rd= rb=", ~5ULL, 0,
     "mcountinhibit has CY and IR, HPM may be 0 (PM 3.1.12); QEMU keeps what was written to the others"},
    {"csr \\w+ M 3(23|3f) ", "rd= rb=", all, 0, "events may be read-only 0 (PM 3.1.10)"},
    {"(csr \\w+ [SM]|warl [SM]) 10a ", "rd= rb=", 0xf0, 0, "CBIE, CBCFE, CBZE belong to Zicbom and Zicboz (PM 3.1.18)"},
    {"(csr \\w+ M|warl M) 30a ", "rd= rb=", 0x4000'0000'0000'00f0, 0,
     "they and PBMTE belong to Zicbom, Zicboz and Svpbmt (PM 3.1.18)"},
    {"(csr \\w+ [SM]|warl [SM]) [13]41 ", "rd= rb=", 1, 0, "bit 0 of xepc is always 0 (PM 3.1.14, 4.1.7)"},
    {"(csr \\w+ [SM]|warl [SM]) [13]00 ", "rd= rb= st=", 1ULL << 63 | 3ULL << 9, 0,
     "VS may be 0 without vectors, and then SD is (PM 3.1.6.6)"},
    {"(csr \\w+ M|warl M) 300 ", "rd= rb= st=", 3ULL << 38, 0, "GVA and MPV belong to H (PM 8.4.1)"},
    {"warl [SM] [13]00 ", "rb=", 3ULL << 32, 2ULL << 32, "UXL may be read-only (PM 3.1.6.2, 4.1.1.2)"},
    {"(csr \\w+ M 300 csrrc|warl M 300 \\w+ (1000|5\\w*)) ", "rb=", 3ULL << 11, std::nullopt,
     "MPP holds modes only, 2 is none, and keeps what it had (PM 3.1.6.1)"},
    {"(csr \\w+ M|warl M) 302 ", "rd= rb=", 0xf0'0c00, 0,
     "medeleg[11] is read-only zero (PM 3.1.8); 10 and 20 to 23 belong to H (PM 8.4.2)"},
    {"(csr \\w+ M|warl M) 30[34] ", "rd= rb=", 0x2444, 0,
     "2, 6, 10 belong to H (PM 8.4.2, 8.4.3), 13 to Sscofpmf, which QEMU keeps without them"},
    {"(csr \\w+ M|warl M) 344 ", "rd= rb=", 0x2444, 0, "the same"},
    {"[ms]ret M ", "st=", 1 << 17, 0, "a return to a mode below machine mode clears MPRV (PM 3.1.6.3)"},
};

/// What a write of `value` leaves in pmpcfg with our eight entries and a grain of 4 KiB (PM 3.7.1): bits 5 and 6 are 0,
/// L is not written here, NA4 cannot be chosen, and an entry that would be writable but not readable, which is
/// reserved, stays as it was.
std::uint64_t configured(std::uint64_t old, std::uint64_t value) {
    std::uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        const std::uint64_t before = old >> shift & 0xff;
        std::uint64_t now = value >> shift & 0x1f;
        if ((now & 0x18) == 0x10) now = (now & 7) | (before & 0x18);
        if ((now & 3) == 2) now = before;
        result |= now << shift;
    }
    return result;
}
/// How pmpaddr reads in an entry of this kind (A), where all bits were kept: PM 3.7.1 with G = 10 and addresses of 56
/// bits.
std::uint64_t as_read(std::uint64_t kind, std::uint64_t value) {
    value &= (1ULL << 54) - 1;
    return kind >= 2 ? value | 0x1ff : value & ~0x3ffULL;
}

/// The lines where QEMU's outcome is another one altogether: what it is to be there, for our line and where that
/// follows from others of our lines.
class Others {
  public:
    explicit Others(const std::vector<std::string>& ours) {
        for (const auto& line : ours) {
            const auto w = words(line);
            if (w[0] == "trap") trap_[w[1] + w[2] + w[3] + w[4]] = line.substr(line.find(w[3]));
        }
    }
    /// Whether the two are as the manual's section and QEMU's habit say; nothing when the line is none of these.
    std::optional<bool> hold(const std::string& ours, const std::string& theirs) {
        const auto a = words(ours);
        const auto b = words(theirs);
        // PM 3.1.10: machine mode has all the event counters, which may be 0. QEMU was told to have none.
        if (matches(ours, "csr \\w+ M (b03|b1f|c03|c1f) csrr(w|s,0) done")) {
            ++seen_["events"];
            return field(a[6])->value == 0 && b[5] == "M2+0";
        }
        // PM 3.1.7, 4.1.2: modes 2 and 3 are reserved, BASE and MODE are WARL. QEMU ignores the whole write, we MODE.
        if (matches(ours, "warl [SM] [13]05 \\w+ \\w*[2367abef] ")) {
            ++seen_["xtvec"];
            return a[5] == "done" && field(a[6])->value == (number(a[4]) & ~3ULL) && (field(b[6])->value & 3) < 2;
        }
        // UM 8.2: an address that is not aligned raises an exception. QEMU's SC fails first, without a reservation.
        if (matches(ours, "trap sc ")) {
            ++seen_["sc"];
            return matches(a[5], "[MS]6\\+4") && (b[5] == "done" || b[5] == "S3+c") && b[6] == "rd=1";
        }
        // UM 8.4, PM table 3.6: store/AMO address misaligned, 6. QEMU takes 4, so that its outcome is that of a load.
        if (matches(ours, "trap amo ")) {
            ++seen_["amo"];
            const std::string as = a[3].ends_with(",others") ? "delegated,others" : "kept";
            return matches(a[5], "[MS]6\\+4") &&
                   outcome(theirs.substr(theirs.find(b[3]))) == outcome(trap_.at("lr" + a[2] + as + a[4]));
        }
        // PM 3.7.1: how many entries there are and their grain is the implementation's; QEMU has 16 and 4 bytes, and
        // keeps what is reserved.
        if (matches(ours, "(csr open M 3[ab]\\w|pmpcfg|pmpaddr) ") && !matches(ours, "csr open M 3a[13-9a-f] ")) {
            ++seen_["protection"];
            return protection(a, b);
        }
        return std::nullopt;
    }
    [[nodiscard]] const std::map<std::string, unsigned>& seen() const { return seen_; }

  private:
    static std::optional<std::uint64_t> in(const std::vector<std::string>& line, const std::string& name) {
        for (const auto& word : line)
            if (const auto found = field(word); found && found->name == name) return found->value;
        return std::nullopt;
    }
    static bool protection(const std::vector<std::string>& ours, const std::vector<std::string>& theirs) {
        const bool single = ours[0] == "csr";
        const std::uint64_t csr = ours[0] == "pmpaddr" ? 0x3B0 + number(ours[1]) : number(ours[single ? 3 : 1]);
        const auto rd = in(theirs, "rd=");  // before, where the line has it
        const auto rb = in(theirs, "rb=");  // after
        if (ours[single ? 5 : ours[0] == "pmpaddr" ? 4 : 3] != "done" || !rb) return false;
        std::optional<std::uint64_t> before;
        std::uint64_t after = 0;
        const bool present = csr == 0x3A0 || (csr >= 0x3B0 && csr < 0x3B8);
        if (csr == 0x3A0) {
            const std::uint64_t first = 0x1f;
            before = single ? first : configured(first, *rd);
            after = configured(*before, *rb);
        } else if (present) {
            const bool open = csr == 0x3B0;  // that entry is open to all, the others are off
            const std::uint64_t kind = ours[0] != "pmpaddr"   ? (open ? 3 : 0)
                                       : number(ours[2]) == 2 ? (open ? 3 : 0)
                                                              : number(ours[2]);
            before = as_read(kind, rd.value_or(0));
            after = as_read(single ? kind : 0, *rb);
        }
        return in(ours, "rb=") == after &&
               in(ours, "rd=") == (rd ? std::optional(present ? *before : 0) : std::nullopt);
    }
    static std::string outcome(const std::string& rest) {  // without how it was delegated
        return rest.substr(rest.find(' '));
    }
    std::map<std::string, std::string> trap_;
    std::map<std::string, unsigned> seen_;
};

/// Whether two lines are equal but for known differences; counts those.
bool equal(const std::string& ours, const std::string& theirs) {
    if (ours == theirs) return true;
    const auto a = words(ours);
    const auto b = words(theirs);
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i]) continue;
        const auto x = field(a[i]);
        const auto y = field(b[i]);
        if (!x || !y || x->name != y->name) return false;
        std::uint64_t different = x->value ^ y->value;
        for (const Difference& known : differences) {
            if ((different & known.bits) == 0 || !matches(ours, known.lines) ||
                std::string(known.fields).find(x->name) == std::string::npos)
                continue;
            EXPECT_EQ(x->value & known.bits, known.ours.value_or(x->value & known.bits)) << ours << ": " << known.why;
            different &= ~known.bits;
            ++known.seen;
        }
        if (different != 0) return false;
    }
    return true;
}

class Rv64Privileged : public FolderTest {
  protected:
    void SetUp() override {
        FolderTest::SetUp();
        if (!std::filesystem::exists(program)) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
        const Result run =
            shell(std::string(POGO_COMMAND) + " run " POGO_SPECS "/rv64.isa --elf " + program + " 2>/dev/null");
        ASSERT_EQ(run.code, 0);
        ours_ = lines(run.out);
        ASSERT_GT(ours_.size(), 8'000U);
    }
    std::vector<std::string> ours_;
};

TEST_F(Rv64Privileged, EqualsQemu) {
    if (!installed("qemu-system-riscv64")) GTEST_SKIP() << "no qemu-system-riscv64 to compare with";
    // What the spec lacks is off. Without the advanced interrupt architecture QEMU 7.2 takes the interrupt with the
    // lowest number first, which is not the order of PM 3.1.9; with it, it is.
    const auto peer = shell(
        "timeout 60 qemu-system-riscv64 -M virt -bios none -display none -monitor none -serial stdio -cpu "
        "rv64,f=off,d=off,h=off,pmp=on,debug=off,pmu-num=0,mvendorid=0,marchid=0,mimpid=0,x-smaia=on,x-ssaia=on "
        "-kernel " +
        program + " 2>&1 </dev/null");
    ASSERT_EQ(peer.code, 0);
    const auto theirs = lines(peer.out);
    ASSERT_EQ(theirs.size(), ours_.size());
    for (const auto& known : differences) known.seen = 0;
    Others others(ours_);
    unsigned unexplained = 0;
    for (std::size_t i = 0; i < theirs.size() && unexplained < 20; ++i) {
        const std::optional<bool> known = others.hold(ours_[i], theirs[i]);
        if (known ? *known : equal(ours_[i], theirs[i])) continue;
        ++unexplained;
        ADD_FAILURE() << "model: " << ours_[i] << "\nQEMU:  " << theirs[i];
    }
    // Whoever repairs a difference takes it out of the list.
    for (const auto& known : differences) EXPECT_GT(known.seen, 0U) << known.why;
    EXPECT_EQ(others.seen().size(), 5U);
}

// ---- The table of permissions ---------------------------------------------------------------------------------------

/// What `pogo show permissions` prints, and what it says for a mode and control bits.
class Table {
  public:
    explicit Table(const std::string& text) {
        std::string name;
        for (const std::string& line : lines(text)) {
            const auto w = words(line);
            if (line[0] != ' ') {
                name = w[0].substr(0, w[0].size() - 1);
                for (std::size_t i = 1; i < w.size(); ++i) uses_[name].push_back(w[i]);
            } else {
                cells_[name][w[0]] = line.substr(line.find(w[1], line.find(w[0]) + w[0].size()));
            }
        }
    }
    [[nodiscard]] std::size_t size() const { return cells_.size(); }
    /// The permissions that a row of an instruction requires.
    [[nodiscard]] std::vector<std::string> of(const std::string& instruction, const std::string& row = "") const {
        std::vector<std::string> names;
        for (const auto& [name, uses] : uses_)
            for (const std::string& use : uses) {
                const bool one = use == instruction + (row.empty() ? "" : "." + row);
                const bool many = !row.empty() && use.starts_with(instruction + ".{") &&
                                  std::regex_search(use, std::regex("[{,]" + row + "[,}]"));
                if (one || many) names.push_back(name);
            }
        return names;
    }
    using Bits = std::map<std::string, unsigned>;
    [[nodiscard]] bool permits(const std::string& name, char mode, const Bits& bits) const {
        const std::string& cell = cells_.at(name).at(mode == 'M' ? "machine" : mode == 'S' ? "supervisor" : "user");
        std::istringstream stream(cell);
        for (std::string line; std::getline(stream, line, ';');) {
            const auto w = words(line);
            if (w.size() == 1 || holds(line.substr(line.find(" when ") + 6), bits)) return w[0] == "execute";
        }
        ADD_FAILURE() << "no line of " << name << " decides: " << cell;
        return false;
    }

  private:
    // NAME == NUMBER && NAME != NUMBER || …, where && binds closer
    static bool holds(const std::string& condition, const Bits& bits) {
        const auto w = words(condition);
        bool result = false;
        bool both = true;
        for (std::size_t i = 0; i + 2 < w.size(); i += 4) {
            EXPECT_TRUE(w[i + 1] == "==" || w[i + 1] == "!=") << condition;
            EXPECT_TRUE(i == 0 || w[i - 1] == "||" || w[i - 1] == "&&") << condition;
            if (i > 0 && w[i - 1] == "||") {
                result = result || both;
                both = true;
            }
            const bool same = bits.at(w[i]) == static_cast<unsigned>(std::stoul(w[i + 2]));
            both = both && same == (w[i + 1] == "==");
        }
        return result || both;
    }
    std::map<std::string, std::vector<std::string>> uses_;
    std::map<std::string, std::map<std::string, std::string>> cells_;
};

/// Rows of the CSR instructions by number; those that are not here do not exist (PM tables 2.2 to 2.5).
std::string csr_row(std::uint64_t csr) {
    static const std::map<std::uint64_t, std::string> rows = {
        {0xC00, "cycle"},
        {0xC01, "time"},
        {0xC02, "instret"},
        {0x10A, "supervisor_configuration"},
        {0x180, "supervisor_protection"},
        {0x30A, "machine_configuration"},
        {0xB00, "machine_counters"},
        {0xB02, "machine_counters"},
        {0x14D, "supervisor_timer"},
        {0x3A0, "machine_protection"},
        {0x3A2, "machine_protection"},
    };
    if (const auto found = rows.find(csr); found != rows.end()) return found->second;
    const auto within = [&](std::uint64_t low, std::uint64_t high) { return low <= csr && csr <= high; };
    if (within(0xC03, 0xC1F)) return "event_counters";
    if (within(0xB03, 0xB1F)) return "machine_counters";
    if (csr == 0x320 || within(0x323, 0x33F)) return "machine_counter_setup";
    if (csr == 0x100 || within(0x104, 0x106)) return "supervisor_trap_setup";
    if (within(0x140, 0x144)) return "supervisor_trap_handling";
    if (within(0x300, 0x306)) return "machine_trap_setup";
    if (within(0x340, 0x344)) return "machine_trap_handling";
    if (within(0x3B0, 0x3BF)) return "machine_protection";
    if (within(0xF11, 0xF15)) return "machine_information";
    return "";
}

TEST_F(Rv64Privileged, MayWhatTheTableSays) {
    const Result shown = pogo("show permissions " POGO_SPECS "/rv64.isa");
    ASSERT_EQ(shown.code, 0);
    const Table table(shown.out);
    std::map<std::string, std::map<std::string, unsigned>> decided;  // permission, mode and outcome: how often
    // The outcome is `done`, or cause 2 in the mode that it is delegated to.
    const auto expect = [&](const std::string& line, const std::string& outcome, bool may, const std::string& trap) {
        EXPECT_TRUE(may ? !matches(outcome, "[MS]2\\+") : outcome == trap) << line;
    };
    const auto permitted = [&](const std::vector<std::string>& names, char mode, const Table::Bits& bits) {
        bool may = true;
        for (const auto& name : names) {
            const bool here = table.permits(name, mode, bits);
            ++decided[name][std::string(1, mode) + (here ? "+" : "-")];
            may = may && here;
        }
        return may;
    };
    for (const std::string& line : ours_) {
        const auto w = words(line);
        if (w[0] == "csr") {
            const char mode = w[2][0];
            const std::uint64_t csr = number(w[3]);
            const std::string row = csr_row(csr);
            const unsigned closed = w[1] == "closed" ? 1 : 0;
            const Table::Bits bits = {{"level", static_cast<unsigned>(csr >> 8 & 3)},
                                      {"by_machine", row == "event_counters" ? 0 : 1 - closed},
                                      {"by_supervisor", row == "event_counters" ? 0 : 1 - closed},
                                      {"mstatus.TVM", closed},
                                      {"menvcfg.STCE", 1 - closed},
                                      {"mcounteren.TM", 1 - closed}};
            const std::string name = w[4].substr(0, w[4].find(','));
            const auto required = table.of(name, row);
            EXPECT_EQ(required.empty(), row.empty()) << line;
            // PM 2.1: writes to a read-only register are illegal; CSRRS and CSRRC with x0 do not write (UM 9.1).
            const bool writes = !w[4].ends_with(",0");
            const bool exists = !row.empty() && !(writes && csr >> 10 == 3);
            const bool may = permitted(required, mode, bits) && exists;
            expect(line, w[5], may, w[1] == "delegated" && mode != 'M' ? "S2+0" : "M2+0");
        } else if (w[0] == "counter") {
            const auto bit = [&](const std::string& word) {
                return static_cast<unsigned>(word.ends_with("=own") || word.ends_with("=all"));
            };
            const Table::Bits bits = {{"level", 0}, {"by_machine", bit(w[2])}, {"by_supervisor", bit(w[3])}};
            const bool may = permitted(table.of("csrrs", csr_row(number(w[1]))), w[4][0], bits);
            expect(line, w[5], may, "M2+0");
        } else if (w[0] == "may") {
            Table::Bits bits = {{"level", 1}};
            for (std::size_t i = 2; i < 5; ++i)
                bits["mstatus." + w[i].substr(0, w[i].find('='))] = w[i].back() == '1' ? 1 : 0;
            const char mode = w[6][0];
            std::vector<std::string> names;
            if (w[1].starts_with("satp.")) names = table.of(w[1] == "satp.read" ? "csrrs" : "csrrw", csr_row(0x180));
            if (matches(w[1], "sfence.vma(,va)?(,asid)?$")) names = table.of("sfence_vma");
            if (w[1] == "wfi" || w[1] == "mret" || w[1] == "sret") names = table.of(w[1]);
            const bool may = !names.empty() && permitted(names, mode, bits);
            expect(line, w[7], may, w[5] == "to=1" && mode != 'M' ? "S2+4" : "M2+4");
        } else if (w[0].starts_with("stimecmp.")) {
            const auto bit = [&](const std::string& word) { return word.back() == '1' ? 1U : 0U; };
            const Table::Bits bits = {{"level", 1}, {"menvcfg.STCE", bit(w[1])}, {"mcounteren.TM", bit(w[2])}};
            const bool may =
                permitted(table.of(w[0] == "stimecmp.read" ? "csrrs" : "csrrw", csr_row(0x14D)), w[4][0], bits);
            expect(line, w[5], may, "M2+0");
        }
    }
    // Every line of the table was held against runs.
    EXPECT_EQ(decided.size(), table.size());
    for (const auto& [name, outcomes] : decided) {
        std::set<std::string> kinds;
        for (const auto& [kind, count] : outcomes) kinds.insert(kind);
        std::set<std::string> expected = {"M+", "S+", "S-", "U-"};
        if (name == "csr_access" || name == "counter") expected.insert("U+");
        if (name == "machine_return") expected.erase("S+");
        EXPECT_EQ(kinds, expected) << name;
    }
}

}  // namespace
}  // namespace pogo::integration
