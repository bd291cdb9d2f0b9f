// The hypervisor extension of RV64: what each attempt comes to in the manual, in the model and in QEMU.
// SPDX-License-Identifier: Apache-2.0
//
// tests/programs/rv64/hypervisor.c makes the attempts and explains its lines. What is expected of a line is computed
// here, from the manual alone: PM: RISC-V Privileged Architecture, version 20211203. Sstc: version 1.0.0.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <vector>

#include "command.hpp"
#include "transcript.hpp"

namespace pogo::integration {
namespace {

const std::string program = POGO_BUILT_PROGRAMS "/rv64-hypervisor.elf";

std::string hex(std::uint64_t value) {
    std::ostringstream stream;
    stream << std::hex << value;
    return stream.str();
}
bool is_virtual(const std::string& mode) { return mode == "VS" || mode == "VU"; }
std::string trap(unsigned cause, const std::string& from) { return "M" + std::to_string(cause) + "+0 from " + from; }
std::string may(bool allowed, const std::string& from, unsigned cause) { return allowed ? "done" : trap(cause, from); }

/// PM 8.6.1, and 2.1 for what is no guest's: what comes of an access to a CSR.
std::string csr(const std::string& setting, const std::string& mode, std::uint64_t number, bool write) {
    static const std::set<std::uint64_t> absent = {0x201, 0x281, 0x601, 0x641, 0x681, 0xe13};
    const bool closed = setting == "closed";  // TVM, VTVM, and no STCE in henvcfg
    const std::uint64_t level = number >> 8 & 3;
    const bool timer = number == 0x14d || number == 0x24d;
    // Whether HS-mode may, if TVM is 0. Sstc 2.1: both timers need menvcfg.STCE and mcounteren.TM outside M-mode.
    const bool exists = !absent.contains(number) && !(write && number >> 10 == 3);
    const bool supervisor = exists && level != 3 && !(timer && setting == "uncounted");
    if (mode == "M") return may(exists, mode, 2);
    if (!supervisor || mode == "U") return trap(2, mode);
    // PM 3.1.6.5, 8.2.1
    if (mode == "HS") return may(!closed || (number != 0x180 && number != 0x680), mode, 2);
    // Sstc 3: stimecmp in a guest without henvcfg.STCE
    if (mode == "VS") return may(level == 1 && !(closed && (number == 0x180 || number == 0x14d)), mode, 22);
    return trap(22, mode);
}

/// PM 8.6.1, 8.2.1, 8.3, 3.1.6.5: instructions.
std::string instruction(const std::string& mode, const std::string& what, std::uint64_t bits) {
    const bool tvm = bits & 1, tw = bits & 2, tsr = bits & 4, vtvm = bits & 8, vtw = bits & 16, vtsr = bits & 32,
               hu = bits & 64;
    const bool hypervisor = what.starts_with("h");
    if (mode == "M") return "done";
    if (what == "mret") return trap(2, mode);  // PM 3.3.2
    if (what == "wfi") {
        if (mode == "U" || tw) return trap(2, mode);  // PM 3.3.3
        return may(mode == "HS" || (mode == "VS" && !vtw), mode, 22);
    }
    if (mode == "U") return may(hu && (what.starts_with("hlv") || what.starts_with("hsv")), mode, 2);  // PM 8.3.1
    if (mode == "VU" || (mode == "VS" && hypervisor)) return trap(22, mode);
    if (mode == "VS") return may(what == "sret" ? !vtsr : !vtvm, mode, 22);
    if (what == "sret") return may(!tsr, mode, 2);
    const bool guarded =
        what == "sfence.vma" || what.starts_with("satp") || what == "hfence.gvma" || what == "hgatp.read";
    return may(!guarded || !tvm, mode, 2);
}

/// PM 3.1.11, 4.1.5, 8.2.6
std::string counter(const std::string& mode, std::uint64_t bits) {
    const bool m = bits & 1, h = bits & 2, s = bits & 4;
    if (mode == "M") return "done";
    if (!m || (mode == "U" && !s)) return trap(2, mode);
    return may(!is_virtual(mode) || (h && (mode == "VS" || s)), mode, 22);
}

/// PM 8.6.1, 8.6.2, 8.2.2, 8.6.3: who handles an exception, and what it finds.
std::string exception(const std::string& mode, const std::string& what, std::uint64_t to) {
    static const std::map<std::string, unsigned> calls = {{"U", 8}, {"VU", 8}, {"HS", 9}, {"VS", 10}, {"M", 11}};
    const bool guest = is_virtual(mode);
    unsigned cause = 0;
    std::string value;
    if (what == "ecall") cause = calls.at(mode);
    if (what == "illegal") cause = 2;
    if (what == "hgatp") cause = guest ? 22 : 2;
    if (what == "load") cause = 4, value = " tval=page+3";
    if (what == "amo") cause = 6, value = " tval=page+4";
    if (what == "access") cause = 5, value = " tval=1000000000000000";
    const std::string gva = guest && !value.empty() ? " gva" : "";
    const std::string where = std::to_string(cause) + "+0 from " + mode;
    if (mode == "M" || (to & 1) == 0) return "M" + where + gva + value;
    // hedeleg has no bits for the calls of supervisors and for virtual instructions.
    if (guest && (to & 2) && cause != 22) return "VS" + where + value;
    return "HS" + where + gva + value + (mode == "VS" ? " spvp" : "");
}

/// PM 8.6.4: the mode that a return leads to.
std::string mode_of(bool supervisor, bool guest) {
    return guest ? (supervisor ? "VS" : "VU") : (supervisor ? "HS" : "U");
}
std::string sret(const std::string& mode, std::uint64_t bits) {
    const bool spv = bits & 1, spp = bits & 2, guests = bits & 4;
    const auto text = [](const std::string& to, bool v, bool p, bool vp, bool vie) {
        const auto bit = [](bool on) { return on ? "1" : "0"; };
        return "cause=3 in " + to + " spv=" + bit(v) + " spp=" + bit(p) + " vspp=" + bit(vp) + " vsie=" + bit(vie);
    };
    // VS-mode's works on vsstatus alone, the others' on hstatus and mstatus.
    if (mode == "VS") return text(mode_of(guests, true), spv, spp, false, true);
    return text(mode_of(spp, spv), false, false, guests, false);
}

/// PM 8.2.2, 8.2.3, 3.1.9, 8.6.1: hvip raises a line, hideleg gives it to the guest, with a supervisor's number.
std::string interrupt(const std::string& mode, unsigned line, std::uint64_t bits) {
    const bool delegated = bits & 1, guests = bits & 2, own = bits & 4;
    if (mode == "M") return "done";  // mideleg's bits are 1 (PM 8.4.2)
    if (delegated) {
        if (!(mode == "VU" || (mode == "VS" && guests))) return "done";
        return "VSi" + std::to_string(line - 1) + " from " + mode;
    }
    if (mode == "HS" && !own) return "done";
    return "HSi" + std::to_string(line) + " from " + mode + (mode == "VS" ? " spvp" : "");
}

/// What a register keeps of a value, written in machine mode.
std::optional<std::uint64_t> kept(const std::string& name, std::uint64_t value) {
    const std::uint64_t xl64 = 2ULL << 32;
    static const std::map<std::string, std::uint64_t> masks = {
        {"hedeleg", 0xb1ff},                 // PM table 8.2
        {"hideleg", 0x444},                  // PM 8.2.2; no guest external interrupts
        {"hvip", 0x444},                     // PM 8.2.3
        {"hip", 0x4},                        // the same: VSSIP alone is writable
        {"hie", 0x444},                      // PM 8.2.3, 8.2.4: without them SGEIE is 0
        {"hcounteren", 7},                   // PM 8.2.6; counters that are 0 may have none
        {"henvcfg", 0x8000'0000'0000'0001},  // PM 8.2.5, Sstc 2.1
        {"henvcfg,off", 1},                  // Sstc 2.1: without menvcfg.STCE
        {"htimedelta", ~0ULL},               // PM 8.2.7
        {"htval", ~0ULL},                    // PM 8.2.8
        {"mtval2", ~0ULL},                   // PM 8.4.4
        {"medeleg", 0xf0'b7ff},              // PM 3.1.8, 8.4.2
        {"vsepc", ~1ULL},                    // PM 8.2.14, 4.1.7
        {"vstvec", ~2ULL},                   // PM 8.2.12; the program writes no reserved mode
        {"vsscratch", ~0ULL},
        {"vstval", ~0ULL},   // PM 8.2.13, 8.2.16
        {"mstatus", ~0ULL},  // PM 8.4.1; only MPV and GVA are written
        {"vsip", 0},
        {"vsie", 0},  // PM 8.2.12: nothing without hideleg,
        {"vsip,delegated", 2},
        {"vsie,delegated", 0x222},  // else SSIP, and all enables
    };
    if (name == "hstatus") return (value & 0x70'03c0) | xl64;  // PM 8.2.1
    if (name == "vsstatus") return (value & 0xc'0122) | xl64;  // PM 8.2.11
    if (name == "mideleg") return (value & 0x222) | 0x1444;    // PM 8.4.2
    const auto mask = masks.find(name);
    return mask == masks.end() ? std::nullopt : std::optional(value & mask->second);
}
std::string root(std::uint64_t mode, std::uint64_t others, bool from) {
    const bool there = mode == 0 || mode == 8;  // Bare and Sv39 (Sv39x4)
    const std::uint64_t old = from ? 8ULL << 60 | 0x123ULL << 44 | 0x454 : 0;
    // PM 8.2.10: fields of hgatp are WARL one by one; VMID has 14 bits, the root four pages. PM 8.2.18: vsatp may
    // ignore the whole write, as satp does.
    const std::uint64_t second = ((there ? mode : old >> 60) << 60) | (others & 0x03ff'ffff'ffff'fffc);
    return "hgatp=" + hex(second) + " vsatp=" + hex(there ? mode << 60 | others : old);
}

enum : std::uint64_t { valid = 1, readable = 2, writable = 4, executable = 8, user = 16, accessed = 64, dirty = 128 };
/// PM 4.3.1, 4.3.2: whether a leaf lets an access through; who owns it is left to the caller. A and D are not set.
bool leaf(std::uint64_t entry, const std::string& what, bool mxr) {
    const bool stores = what == "store" || what == "amo" || what == "hsv.d";
    const bool executes = what == "fetch" || what == "hlvx.wu";
    if (!(entry & valid) || (entry & (readable | writable)) == writable || entry >> 54 != 0 || !(entry & accessed))
        return false;
    if (stores) return (entry & writable) && (entry & dirty);
    if (executes) return (entry & executable) != 0;
    return (entry & readable) || (mxr && (entry & executable));
}
/// What comes of an access that is let through.
std::string through(const std::string& what) {
    if (what == "fetch") return "arrived";
    if (what == "hlv.d") return "done a4=10007300100073";
    if (what == "hlvx.wu") return "done a4=100073";
    return what == "store" || what == "amo" || what == "hsv.d" ? "done stored" : "done";
}
/// PM table 3.6, 8.6.1: of fetches, of stores and AMOs, of loads (HLVX's among them).
unsigned cause_of(const std::string& what, unsigned fetch) {
    if (what == "fetch") return fetch;
    return fetch + (what == "store" || what == "amo" || what == "hsv.d" ? 3 : 1);
}
std::string fault(unsigned cause, const std::string& what, const std::string& mode, const std::string& rest) {
    return std::to_string(cause) + (what == "fetch" ? "@va" : "+0") + " from " + mode + " gva tval=va" + rest;
}
std::string page_fault(const std::string& what, const std::string& mode) {
    return "M" + fault(cause_of(what, 12), what, mode, "");
}
std::string guest_fault(const std::string& what, const std::string& mode, const std::string& rest = " addr=gpa") {
    return "M" + fault(cause_of(what, 20), what, mode, rest);  // PM 8.6.3
}

/// What comes of a line's attempt, or nothing where the manual leaves it open. The words are those before the colon.
std::optional<std::string> expected(const std::vector<std::string>& w) {
    const std::string& kind = w[0];
    const auto n = [&](std::size_t i) { return number(w.at(i)); };
    if (kind == "csr") return csr(w[1], w[2], n(3), w[4] == "write");
    if (kind == "may") return instruction(w[1], w[2], n(3));
    if (kind == "counter") return counter(w[1], n(3));
    if (kind == "delta") return is_virtual(w[1]) ? "5" : "0";  // PM 8.2.7
    if (kind == "trap") return exception(w[1], w[2], n(3));
    if (kind == "mret")  // PM 8.6.4: MPV counts below machine mode
        return "cause=3 in " + (w[1] == "M" ? "M" : mode_of(w[1] == "HS", w[2] == "1"));
    if (kind == "sret") return sret(w[1], n(2));
    if (kind == "interrupt") return interrupt(w[1], static_cast<unsigned>(std::stoul(w[2])), n(3));
    if (kind == "order") {  // PM 8.2.3, 3.1.9: external, software, timer
        const auto lines = n(1);
        if (lines == 0) return "done";
        return std::string("VSi") + (lines & 4 ? "9" : lines & 1 ? "1" : "5") + " from VU";
    }
    if (kind == "seen") {
        // PM 8.4.3, 8.2.3, 8.2.12: mip and hip, mie and hie hold the same bits, sip and sie none of them; in vsip and
        // vsie those of hideleg are, one place lower, as in a guest's sip and sie. There SSIP alone can be set.
        const std::string all = hex(n(2));
        const std::string guests = hex((n(1) & n(2)) >> 1);
        return "mip=" + all + " hip=" + all + " sip=0 vsip=" + guests + " mie=" + all + " hie=" + all +
               " sie=0 vsie=" + guests + " guest=" + guests + " then sie=" + hex(n(1) >> 1) + " hvip=" + hex(n(1) & 4);
    }
    if (kind == "raise") return w[1] == "0" ? "hvip=444 hip=444" : "hvip=4 hip=4";  // PM 8.2.3, 8.4.3
    if (kind == "timer") {  // Sstc 3: VSTIP when time + htimedelta >= vstimecmp, with both STCE
        const bool due = !(n(1) & 4) || (n(1) & 8);
        return (n(1) & 3) == 3 && due ? "hip=40" : "hip=0";
    }
    if (kind == "warl") {
        const auto value = kept(w[1], n(2));
        return value ? hex(*value) : "?";
    }
    if (kind == "root") return root(n(1), n(2), w[3] == "1");
    if (kind == "redirect") {  // PM 8.2: VS-mode's names stand for the VS CSRs
        static const std::map<std::string, std::string> values = {
            {"sstatus", "2000c0120"},         {"stvec", "81234568"},     {"sscratch", "123456789abcdef1"},
            {"sepc", "123456789abcdef2"},     {"scause", "d"},           {"stval", "123456789abcdef3"},
            {"stimecmp", "723456789abcdef4"}, {"satp", "44000000abc12"},
        };
        return "kept a5=" + values.at(w[1]) + " vs=" + values.at(w[1]);
    }
    if (kind == "shared") return w[1] == "senvcfg" ? "1" : "5";  // PM 8.2: these have no VS counterpart
    if (kind == "second") {
        // PM 8.5.1: all accesses are made as the user's; of the two MXR it is mstatus's that counts.
        const bool ok = leaf(n(2), w[4], n(3) & 1) && (n(2) & user);
        return ok ? through(w[4]) : guest_fault(w[4], w[1]);
    }
    if (kind == "first") {
        // PM 8.2.11, 8.5.1: SUM is vsstatus's; MXR is either.
        const auto entry = n(2);
        const bool owner = w[1] == "VU" ? (entry & user) != 0 : !(entry & user) || ((n(3) & 1) && w[4] != "fetch");
        return owner && leaf(entry, w[4], n(3) & 10) ? through(w[4]) : page_fault(w[4], w[1]);
    }
    if (kind == "implicit") {
        // PM 8.5.1, 8.6.3: a table is read as if by a load of the user's, MXR or not; the fault is that of the access
        // that wanted it, at the entry's address; xtinst is the pseudo-instruction of a read of 64 bits.
        if (leaf(n(2), "load", false) && (n(2) & user)) return through(w[4]);
        const std::string rest = " addr=table inst=3000";
        if (w[1] == "0") return guest_fault(w[4], "VS", rest);
        return "HS" + fault(cause_of(w[4], 20), w[4], "VS", rest + " spvp");
    }
    if (kind == "wide") {  // PM 8.5.1: Sv39x4 has 41 bits
        const auto bit = std::stoul(w[1]);
        if (bit < 41) return through(w[2]);
        return guest_fault(w[2], "VS", " addr=" + hex(1ULL << (bit - 2)));
    }
    if (kind == "behalf") {
        // PM 8.3.1: as VS or VU by SPVP, with vsstatus's SUM and MXR; HLVX needs X instead of R, and its faults are
        // loads'.
        const auto first = n(2);
        const auto second = n(3);
        const bool owner = n(4) & 1 ? !(first & user) || (n(4) & 2) : (first & user) != 0;
        if (!owner || !leaf(first, w[5], n(4) & 4)) return page_fault(w[5], w[1]);
        return leaf(second, w[5], false) && (second & user) ? through(w[5]) : guest_fault(w[5], w[1]);
    }
    if (kind == "mprv") {
        // PM 8.4.1: MPRV with MPV makes the access a guest's, unless MPP is machine mode.
        const bool guest = (n(2) & 3) == 3 && w[1] != "3";
        if (!guest || !(n(2) & 4)) return through(w[3]);
        return "M" + std::to_string(cause_of(w[3], 20)) + "+4 from M gva tval=va addr=gpa";
    }
    if (kind == "leak") {  // PM 8.3.1: the override is that of one access
        const std::string own = "10017300100073";
        const std::string guests = "10007300100073";
        return w[1] == "0" ? "done a4=" + own + " a5=" + guests : "done a4=" + guests + " a5=" + own;
    }
    return "?";
}

/// PM 8.3.2, 4.2.1, 8.5.3: which fence makes the second access see a change that was made after the first; without it
/// the TLB keeps what it has. Nothing where the fence need not, but may.
std::optional<std::string> expected_stale(const std::string& change, const std::string& fence) {
    static const std::map<std::string, std::set<std::string>> fences = {
        {"first", {"vvma", "vvma.page", "vvma.asid", "guest", "guest.page", "guest.asid"}},
        {"second", {"gvma", "gvma.vmid"}},
        {"own", {"sfence", "guest", "guest.page", "guest.asid"}},  // there "guest" is HS-mode itself
    };
    static const std::set<std::string> matching = {"vvma",      "vvma.page", "vvma.asid",  "gvma",
                                                   "gvma.vmid", "guest",     "guest.page", "guest.asid"};
    if (fences.at(change).contains(fence)) return "new";
    if (change != "own" && matching.contains(fence)) return std::nullopt;
    return "old";
}

/// How often the lines are not as the manual has it, before the stale entries; the first few are told.
unsigned mistakes(const std::vector<std::string>& lines, bool tell) {
    unsigned count = 0;
    for (const std::string& line : lines) {
        if (line == "--") break;
        const auto [what, outcome] = parts(line);
        const auto wanted = expected(words(what));
        if (!wanted || *wanted == outcome) continue;
        if (++count <= 20 && tell) ADD_FAILURE() << line << "\nmanual: " << *wanted;
    }
    return count;
}

class Rv64Hypervisor : public FolderTest {
  protected:
    void SetUp() override {
        FolderTest::SetUp();
        if (!std::filesystem::exists(program)) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    }
    static std::vector<std::string> model(const std::string& options,
                                          const std::string& spec = POGO_SPECS "/rv64.isa") {
        const Result run = shell("timeout 100 " + std::string(POGO_COMMAND) + " run " + spec +
                                 " --param hypervisor=true --elf " + program + " " + options + " 2>/dev/null");
        return lines(run.out);
    }
};

TEST_F(Rv64Hypervisor, IsTheManuals) {
    const auto ours = model("");
    ASSERT_GT(ours.size(), 7'000U);
    EXPECT_EQ(ours.back().substr(0, 6), "stale ");  // to the end
    EXPECT_EQ(mistakes(ours, true), 0U);
    EXPECT_EQ(model("--view clocked"), ours);
}

TEST_F(Rv64Hypervisor, KeepsStaleEntriesUntilTheRightFence) {
    for (const std::string tlb : {"stale", "coherent"}) {
        const auto ours = model("--tlb " + tlb);
        const auto begin = std::find(ours.begin(), ours.end(), "--");
        ASSERT_EQ(ours.end() - begin, 1 + 3 * 16);
        for (auto line = begin + 1; line != ours.end(); ++line) {
            const auto [what, outcome] = parts(*line);
            const auto w = words(what);
            const auto wanted = tlb == "stale" ? expected_stale(w[1], w[2]) : "new";
            EXPECT_EQ(outcome, wanted.value_or(outcome)) << what << ", " << tlb;
        }
    }
}

/// What QEMU 7.2 does otherwise: lines as "tried: ours | theirs", and why ours is the manual's or both are.
struct Difference {
    const char* pattern;
    const char* why;
};
const std::vector<Difference> differences = {
    {"(csr \\w+|may) V[SU] .*: M22(.*) \\| M2\\2",
     "PM 8.6.1: a virtual instruction where HS-mode would be allowed, whatever TVM and TSR"},
    {"may VU wfi .*: M2(.*) \\| M22\\1", "PM 8.6.1: illegal with mstatus.TW"},
    {"(csr closed HS 680|may HS hgatp[.]read).*: M2.* \\| done", "PM 3.1.6.5, 8.2.10: TVM guards hgatp"},
    {"may VS (sfence[.]vma|satp[.]\\w+|sret) \\w+: done \\| M2.*", "PM 3.1.6.5: TVM and TSR are not about VS-mode"},
    {"may VS satp[.]\\w+ 8: M22.* \\| done", "PM 8.2.1: VTVM"},
    {"trap \\w+ load .: \\w+4.* \\| done.*", "UM 2.6: misaligned loads may complete"},
    {"trap \\w+ amo .: \\w+6.* \\| M4.*", "PM table 3.6: an AMO's exceptions are a store's"},
    {"trap V. illegal 3: VS2(.*) \\| VS1\\1", "PM 8.6.1: only numbers of interrupts are another in a guest"},
    {"(first|second|implicit|wide|mprv) .*amo: \\w+(15|23)[+].* \\| \\w+(13|21)[+].*",
     "PM table 3.6: the same for AMOs"},
    {"implicit .*: (M|HS)(20|23).* \\| (M|HS)21.*inst=3000.*",
     "PM 8.6.3: the fault is that of the access, not of the read"},
    {"first [^:]* (4f|8f) .*: M1[235].* \\| (done|arrived).*", "PM 4.3.1: A and D may be set by the machine"},
    {"second [^:]* [159]?[13579bdf] .*: M2[013].* \\| (done|arrived).*", "the same"},
    {"implicit . 9b .*: \\w+2[013].* \\| (done|arrived).*", "the same"},
    {"(first|second) .*: done \\| M(13|21).*", "PM 8.5.1: MXR of mstatus is for both stages"},
    {"second V. d9 2 (load|lr): M21.* \\| done", "PM 8.5.1: MXR of vsstatus is for the first stage only"},
    {"behalf .*: (M\\d\\d|done).* \\| (M\\d+[+]0 from \\w+ tval=va.*|done.*)",
     "PM 8.3.1, 8.6.1: SPVP, SUM, HLVX, GVA and the causes"},
    {"mprv . 7 .*: M2[13].* \\| M1[35].*", "PM 8.6.1: a guest-page fault"},
    {"mret M 1: cause=3 in M \\| cause=3 in VM", "PM 8.6.4: MPV does not count with MPP machine mode"},
    {"(interrupt \\w+ 6 .|order 2): .*i[56] .* \\| done", "PM 8.2.3: hvip.VSTIP raises VSTIP beside vstimecmp"},
    {"seen \\w+ 4?4[04]: mip=4?4[04] .* \\| mip=[04]+ .*", "the same"},
    {"seen 4[04]+ 40[04]: mip=(40[04]) .* \\| mip=\\1 .*", "PM 8.2.12: with hideleg, VSEIP shows in vsip"},
    {"raise 0: hvip=444 .*", "the same"},
    {"warl hvip .*: 444 \\| 404", "the same"},
    {"timer .: hip=0 \\| hip=40", "Sstc 3: VSTIP is the comparison's outcome, and only with both STCE"},
    {"raise 3: hvip=4 hip=4 \\| hvip=404 hip=404", "PM 8.4.3, 8.2.3: VSEIP is read-only in mip"},
    {"warl (hstatus|vsstatus|hcounteren|henvcfg|henvcfg,off|mideleg|medeleg|hie) .*",
     "fields that are absent or may be read-only 0: PM 8.2, 8.4.2, Sstc 2.1"},
    {"warl vsepc \\w+: \\w+[e4] \\| \\w+[f5]", "PM 8.2.14: bit 0 is 0"},
    {"warl vsi[ep],delegated 5+: 0 \\| (2|222)", "PM 8.2.12: bits of vsip and vsie are one place lower"},
    {"root .*", "PM 8.2.10: which modes there are is the implementation's; reserved ones are not kept; PPN[1:0] is 0"},
    {"wide 40 .*: (done|arrived).* \\| M2[013].*", "PM 8.5.1: Sv39x4 has 41 bits"},
};

TEST_F(Rv64Hypervisor, DiffersFromQemuWhereKnown) {
    if (!installed("qemu-system-riscv64")) GTEST_SKIP() << "no qemu-system-riscv64 to compare with";
    const auto ours = model("");
    const auto peer = shell(
        "timeout 60 qemu-system-riscv64 -M virt -bios none -display none -monitor none -serial stdio -cpu "
        "rv64,f=off,d=off,h=on,pmp=on,debug=off,pmu-num=0,x-smaia=on,x-ssaia=on -kernel " +
        program + " 2>&1 </dev/null");
    ASSERT_EQ(peer.code, 0);
    const auto theirs = lines(peer.out);
    ASSERT_EQ(theirs.size(), ours.size());
    std::vector<std::regex> patterns;
    patterns.reserve(differences.size());
    for (const auto& known : differences) patterns.emplace_back(known.pattern, std::regex::optimize);
    std::vector<unsigned> seen(differences.size());
    const std::regex instruction_trap("(M|HS)(2|22)[+].*");
    // PM 8.2.1, 8.4.1: GVA is about xtval, which an illegal or virtual instruction does not fill with an address.
    const std::regex filled("( gva)?( tval!\\w+)?$");
    unsigned unexplained = 0;
    for (std::size_t i = 0; i < ours.size() && ours[i] != "--" && unexplained < 20; ++i) {
        const auto [what, outcome] = parts(ours[i]);
        auto [same, other] = parts(theirs[i]);
        ASSERT_EQ(what, same);
        if (std::regex_match(outcome, instruction_trap))
            other = std::regex_replace(other, filled, "", std::regex_constants::format_first_only);
        if (outcome == other) continue;
        const std::string line = what + ": " + outcome + " | " + other;
        const auto known = std::find_if(patterns.begin(), patterns.end(),
                                        [&](const std::regex& each) { return std::regex_match(line, each); });
        if (known != patterns.end()) {
            ++seen[static_cast<std::size_t>(known - patterns.begin())];
        } else {
            ++unexplained;
            ADD_FAILURE() << line;
        }
    }
    // Whoever repairs a difference takes it out of the list.
    for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_GT(seen[i], 0U) << differences[i].pattern;
}

// ---- What else a guest meets ----------------------------------------------------------------------------------------

/// Of tests/programs/rv64/guests.c. Nothing where the manual leaves it open.
std::optional<std::string> expected_of_guest(const std::vector<std::string>& w, bool coherent) {
    const std::string& kind = w.at(0);
    if (kind ==
        "vector") {  // PM 8.2.12, 4.1.2: interrupts at their number, which is the supervisor's; exceptions at BASE
        const auto line = number(w.at(2));
        const auto cause = line == 14 ? 3 : line - 1;
        return "slot=" + hex(w.at(1) == "1" && line != 14 ? cause : 0) + " cause=" + hex(cause);
    }
    if (kind == "across") {  // PM 3.1.16: xtval is the part that faulted; 8.2.8, 8.4.4: of it, too; 8.2.1: GVA
        const std::string to = w.at(3) == "1" ? "HS" : "M";
        if (w.at(2) == "none") return "M3 epc=1002 tval=1002 addr=0 gva=1 a4=7";
        const bool second = w.at(2) == "second";
        return to +
               (second               ? "20"
                : w.at(2) == "first" ? "12"
                                     : "1") +
               " epc=ffe tval=1000 addr=" + (second ? "100002000" : "0") + " gva=1";
    }
    if (kind ==
        "global") {  // PM 4.2.1, 4.3.1: by address or all; one for an address space need not drop a global entry
        if (w.at(1) == "sfence.asid") return coherent ? std::optional("new") : std::nullopt;
        return coherent || w.at(1) == "sfence" || w.at(1) == "sfence.page" ? "new" : "old";
    }
    if (kind != "levels") return std::nullopt;
    // PM 4.4.1, 4.5.1: the upper bits are those of bit 38 or 47; PM 8.5.1: 41 or 50 bits of a guest's physical address.
    const unsigned op = w.at(5) == "load" ? 1 : w.at(5) == "store" ? 3 : 0;
    const auto cause = [&](unsigned fetch) { return "M" + std::to_string(fetch + op); };
    const auto bits = static_cast<std::int64_t>(number(w.at(4)));
    if (w.at(3) == "va") {
        const unsigned top = w.at(1) == "4" ? 47 : 38;
        const auto va = bits + 0x4000'0000;
        return va >> top == 0 || va >> top == -1 ? "done" : cause(12) + " tval";
    }
    return bits >> (w.at(2) == "4" ? 50 : 41) == 0 ? "done" : cause(20) + " tval addr=" + w.at(4);
}

TEST_F(Rv64Hypervisor, GuestsMeetWhatTheManualSays) {
    for (const std::string tlb : {"stale", "coherent"}) {
        const Result run = shell("timeout 100 " + std::string(POGO_COMMAND) +
                                 " run " POGO_SPECS "/rv64.isa --param hypervisor=true --param sv48=true --tlb " + tlb +
                                 " --elf " + POGO_BUILT_PROGRAMS "/rv64-guests.elf 2>/dev/null");
        const auto ours = lines(run.out);
        ASSERT_EQ(ours.size(), 8U + 16U + 5U + 4U * 12U * 3U + 1U);
        EXPECT_EQ(ours.back(), "end");
        for (std::size_t i = 0; i + 1 < ours.size(); ++i) {
            const auto [what, outcome] = parts(ours[i]);
            const auto wanted = expected_of_guest(words(what), tlb == "coherent");
            EXPECT_EQ(outcome, wanted.value_or(outcome)) << what << ", " << tlb;
        }
    }
}

// ---- Mistakes -------------------------------------------------------------------------------------------------------

/// A mistake in the spec that the program has to show: bugs of other implementations.
struct Mistake {
    const char* name;
    const char* from;
    const char* to;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }
class Rv64HypervisorFault : public Rv64Hypervisor, public ::testing::WithParamInterface<Mistake> {};

TEST_P(Rv64HypervisorFault, IsSeen) {
    const std::string wrong = replaced(text_of(POGO_SPECS "/rv64.isa"), GetParam().from, GetParam().to);
    const auto ours = model("--cycles 40000000", file("wrong.isa", wrong));
    ASSERT_GT(ours.size(), 100U);  // it is a machine still
    unsigned stale = 0;
    for (auto line = std::find(ours.begin(), ours.end(), "--"); line != ours.end(); ++line) {
        const auto [what, outcome] = parts(*line);
        const auto w = words(what);
        if (w.size() == 3 && outcome != expected_stale(w[1], w[2]).value_or(outcome)) ++stale;
    }
    EXPECT_GT(mistakes(ours, false) + stale, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Seeded, Rv64HypervisorFault,
    ::testing::Values(
        Mistake{"SretWithoutV", "    if v == 0 {\n      v = hstatus.SPV;", "    if true {\n      v = hstatus.SPV;"},
        Mistake{"MretWithoutMpv", "v = if mstatus.MPP == 3 then 0 else mstatus.MPV;", "v = 0;"},
        Mistake{"MretIntoVirtualMachineMode", "v = if mstatus.MPP == 3 then 0 else mstatus.MPV;", "v = mstatus.MPV;"},
        Mistake{"SstatusOfTheHost", "1 => vsstatus;", "1 => sstatus;"},
        Mistake{"SatpOfTheHost", "1 => vsatp;", "1 => satp;"},
        Mistake{"IllegalForVirtual", "virtual_supervisor when level == 2 => virtual_instruction;",
                "virtual_supervisor when level == 2 => privileged_instruction;"},
        Mistake{"VirtualForIllegal",
                "virtual_user when mstatus.TW == 0                           => virtual_instruction;",
                "virtual_user => virtual_instruction;"},
        Mistake{"VstimecmpWithoutStce", "(number == 0x14D || number == 0x24D)", "number == 0x14D"},
        Mistake{"OtherCounterEnable", "counter(mcounteren.TM, by_hypervisor(1), scounteren.TM)",
                "counter(mcounteren.TM, by_hypervisor(2), scounteren.TM)"},
        Mistake{"HgatpAsSatp", "hgatp = legal(hgatp, v); if !table_levels(v[63..60]) { hgatp.MODE = mode; }",
                "if table_levels(v[63..60]) { hgatp = legal(hgatp, v); }"},
        Mistake{"WithoutHedeleg", "if v == 1 && hedeleg[cause] == 1 {", "if v == 1 {"},
        Mistake{"WithoutHideleg", "read { return (pending() & hideleg & virtual_lines) >> 1; }",
                "read { return (pending() & virtual_lines) >> 1; }"},
        Mistake{"WithoutGva", "enter_at(of_access(access, 20, 21, 23), va, 1,",
                "enter_at(of_access(access, 20, 21, 23), va, 0,"},
        Mistake{"OtherPseudoinstruction", "then 0x0000_0000_0000_3000", "then 0x0000_0000_0000_2000"},
        Mistake{"ImplicitAsExplicit", "trap guest_page_fault(va, access, gpa, implicit) when !good(entry, false)",
                "trap guest_page_fault(va, access, gpa, 0) when !good(entry, false)"},
        Mistake{"AmoAsLoad", "enter_at(of_access(access, 20, 21, 23), va, 1,",
                "enter_at(of_access(access, 20, 21, 21), va, 1,"},
        Mistake{"GuestsMxrAtTheSecondStage", "then bits(1, 0) else mstatus.MXR;", "then bits(1, 0) else vsstatus.MXR;"},
        Mistake{"SecondStageAsSupervisor", "!permits(entry, kind, 0, 0, mxr)", "!permits(entry, kind, 1, 0, mxr)"},
        Mistake{"OverrideLeaks", "if made_for_guest(access) { return 1; }",
                "if made_for_guest(access) || (access == 1 && priv == 1) { return 1; }"},
        Mistake{"OverrideWithoutSpvp", "if made_for_guest(access) { return 0b0 @ hstatus.SPVP; }", ""},
        Mistake{"FenceWithoutVmid", "fence { guest == 1; vmid == x[rs2][13..0] when rs2 != 0; }",
                "fence { guest == 1; }"},
        Mistake{"FenceOfTheHostOnly", "fence { guest == 1; vmid == x[rs2][13..0] when rs2 != 0; }",
                "fence { guest == 0; vmid == x[rs2][13..0] when rs2 != 0; }"},
        Mistake{"FenceOfOtherGuests", "fence { guest == 1; vmid == hgatp.VMID; page", "fence { guest == 1; page"},
        Mistake{"FenceOfBoth", "fence { guest == v; vmid == hgatp.VMID when v == 1;", "fence { "}),
    [](const auto& mistake) { return std::string(mistake.param.name); });

}  // namespace
}  // namespace pogo::integration
