// Shadow stacks of RV64 (Zicfiss): what each attempt comes to in the manual and in the model.
// SPDX-License-Identifier: Apache-2.0
//
// tests/programs/rv64/shadow.c makes the attempts and explains its lines. What is expected of a line is computed here,
// from the manual alone. Unpriv and priv: the sections on shadow stacks of its two volumes (Zicfiss 1.0). PM: RISC-V
// Privileged Architecture, version 20211203; PM 3.1.18, 4.1.10 and 8.2.5 are menvcfg, senvcfg and henvcfg.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <vector>

#include "command.hpp"
#include "transcript.hpp"

namespace pogo::integration {
namespace {

const std::string program = POGO_BUILT_PROGRAMS "/rv64-shadow.elf";

bool is_guest(const std::string& mode) { return mode == "VS" || mode == "VU"; }
bool is_user(const std::string& mode) { return mode == "U" || mode == "VU"; }

/// The fields SSE of menvcfg, henvcfg and senvcfg, as far as they count in a mode.
struct Setting {
    bool m, h, s;
    explicit Setting(std::uint64_t bits) : m(bits & 1), h(bits & 2), s(bits & 4) {}
    /// Priv, shadow-stack-enabled state. PM 3.1.18, 8.2.5: without menvcfg.SSE the others, and for a guest without
    /// henvcfg.SSE senvcfg's, are zero.
    [[nodiscard]] bool active(const std::string& mode) const {
        return mode != "M" && m && (h || !is_guest(mode)) && (s || !is_user(mode));
    }
    /// Priv, ssp CSR access control; unpriv, SSAMOSWAP: the exception, or 0.
    [[nodiscard]] unsigned refused(const std::string& mode) const {
        if (mode == "M" || active(mode)) return 0;
        return m && is_guest(mode) ? 22 : 2;
    }
    /// Priv, memory protection: where R=0, W=1, X=0 is a page.
    [[nodiscard]] bool pages(bool guest) const { return m && (h || !guest); }
};

std::string trap(unsigned cause, unsigned offset, const std::string& mode, const std::string& value = "") {
    return "M" + std::to_string(cause) + "+" + std::to_string(offset) + " from " + mode +
           (is_guest(mode) && !value.empty() ? " gva" : "") + (value.empty() ? "" : " tval=" + value);
}

/// Every instruction in every mode under every setting.
std::optional<std::string> instruction(const std::string& mode, Setting setting, const std::string& name) {
    // Unpriv: reverts to Zimop, which writes 0 to rd, and Zcmop, which writes nothing.
    const bool on = setting.active(mode);
    const unsigned refused = setting.refused(mode);
    if (name.starts_with("mop.rr.7.x2") || name.starts_with("c.mop")) return "done";
    if (name.starts_with("mop.r")) return "done a4=0";
    if (name.starts_with("csr") || name.starts_with("ssamoswap")) {
        if (refused) return trap(refused, 0, mode);
        if (name == "csr.read") return "done a4=40000008";
        if (name == "csr.write") return "done ssp=+ff8";  // unpriv, ssp: bits 2 to 0 are zero
        if (name == "csr.set") return "done";
        if (mode == "M") return trap(7, 0, mode, "va");  // priv: effective privilege mode M
        if (name == "ssamoswap.w") return "done a4=100073 stored";
        if (name == "ssamoswap.w.twice") return "done a4=ffffffff80000001 stored";
        return "done a4=10007300100073 stored";
    }
    if (name == "ssrdp") return on ? "done a4=40000008" : "done a4=0";
    if (!on) return "done";
    if (name == "push.pop.x1") return "done stored";
    if (name.find("push") != std::string::npos) return "done stored ssp=-8";
    // Unpriv: cause 18 with 3, and ssp stays.
    if (name.ends_with(".other"))
        return "M18+" + std::string(name.find("x1") != std::string::npos ? "0" : "4") + " from " + mode + " tval=3";
    return "done ssp=+8";
}

// ---- Accesses
// --------------------------------------------------------------------------------------------------------

enum Bits : unsigned { R = 2, W = 4, X = 8, U = 16, A = 64, D = 128, shadow_page = W | A | D | 1 };
enum class Fault { none, page, access };

bool is_shadow(const std::string& op) { return op == "push" || op == "pop" || op == "swap"; }
bool is_load(const std::string& op) { return op == "load" || op == "lr"; }
/// Does it write? SSPOPCHK does not, a cache-block invalidation does not check D (CMO 2.5.2).
bool writes(const std::string& op) { return !is_load(op) && op != "fetch" && op != "inval" && op != "pop"; }

/// PM 4.3.2 with priv, memory protection, of the first stage's leaf; the order is that of the translation process in
/// the manual that has Zicfiss.
Fault first_stage(unsigned entry, const std::string& op, bool user, bool sum, bool mxr, bool shadow_pages) {
    const unsigned rights = entry & (R | W | X);
    if ((rights & W) && !(rights & R) && !(rights == W && shadow_pages)) return Fault::page;
    if (user ? !(entry & U) : (entry & U) && !(sum && op != "fetch")) return Fault::page;
    if (is_shadow(op)) {
        if (rights != W) return rights == R ? Fault::page : Fault::access;
    } else if (rights == W) {
        if (!is_load(op)) return Fault::access;
    } else if (op == "fetch") {
        if (!(rights & X)) return Fault::page;
    } else if (is_load(op) || op == "inval") {  // CMO 2.5.2
        if (!(rights & R) && !(mxr && (rights & X))) return Fault::page;
    } else if (!(rights & W)) {
        return Fault::page;
    }
    return (entry & A) && ((entry & D) || !writes(op)) ? Fault::none : Fault::page;
}
/// PM 8.5.1 with priv, memory protection: shadow stacks need R and W.
bool second_stage(unsigned entry, const std::string& op) {
    const unsigned rights = entry & (R | W | X);
    if (((rights & W) && !(rights & R)) || !(entry & U) || !(entry & A) || (writes(op) && !(entry & D))) return false;
    if (op == "fetch") return rights & X;
    return is_load(op) || op == "inval" ? rights & R : (rights & R) && (rights & W);
}

std::string done(const std::string& op) {
    if (op == "fetch") return "arrived";
    if (op == "pop") return "done ssp=+8";
    return op == "push" ? "done stored ssp=-8" : writes(op) ? "done stored" : "done";
}
/// The causes of a load, a fetch and a store. Priv: a shadow stack's are always those of a store.
unsigned cause_of(const std::string& op, unsigned load, unsigned fetch, unsigned store) {
    return is_load(op) ? load : op == "fetch" ? fetch : store;
}
/// SSPOPCHK is the stub's second instruction, SC behind LR, too. What is fetched elsewhere faults there.
std::string fault(const std::string& op, unsigned cause, const std::string& mode, const std::string& at) {
    const std::string text = trap(cause, op == "pop" || op == "sc" ? 4 : 0, mode, at);
    return op == "fetch" ? std::regex_replace(text, std::regex("[+]0"), "@" + at) : text;
}
template <class Check>  // Fault or bool, of an operation
std::string access(const std::string& op, const std::string& mode, const std::string& at, Check&& check) {
    if (op == "lrsc") {
        const std::string first = access("lr", mode, at, check);
        return first == "done" ? access("sc", mode, at, check) : first;
    }
    switch (check(op)) {
        case Fault::none:
            return done(op);
        case Fault::page:
            return fault(op, cause_of(op, 13, 12, 15), mode, at);
        case Fault::access:
            return fault(op, cause_of(op, 5, 1, 7), mode, at);
    }
    return "?";
}

std::optional<std::string> expected(const std::vector<std::string>& w) {
    const std::string& kind = w.at(0);
    const auto n = [&](std::size_t i) { return static_cast<unsigned>(number(w.at(i))); };
    if (kind == "all") return instruction(w.at(1), Setting(n(2)), w.at(3));
    if (kind == "shown") {  // PM 3.1.18, 8.2.5: read-only zero
        const bool m = n(1) & 1, h = m && (n(1) & 2);
        const auto bit = [](bool on) { return on ? "1" : "0"; };
        return std::string("m=") + bit(m) + " h=" + bit(h) + " s=" + bit(m) + " guest=" + bit(h) + " then=" + bit(h);
    }
    if (kind == "delegable") return "m=1 h=1";  // PM 3.1.8, table 8.2
    if (kind == "first" || kind == "setting") {
        const std::string& mode = w.at(1);
        const bool first = kind == "first";
        const unsigned entry = first ? n(2) : shadow_page | (is_user(mode) ? U : 0U);
        const bool pages = Setting(first ? 7 : n(2)).pages(is_guest(mode));
        const unsigned bits = first ? n(3) : 0;
        return access(w.back(), mode, "va", [&](const std::string& op) {
            return first_stage(entry, op, is_user(mode), bits & 1, bits & 2, pages);
        });
    }
    if (kind == "super")  // the translation process, step 5, is before the rights
        return access(w.at(2), "HS", "va", [&](const std::string& op) {
            return n(1) ? first_stage(shadow_page, op, false, false, false, true) : Fault::page;
        });
    if (kind == "second") {
        const unsigned entry = n(1);
        if (w.at(2) == "lrsc") {
            if (!second_stage(entry, "lr")) return trap(21, 0, "VS", "va addr=gpa");
            return second_stage(entry, "sc") ? "done stored" : trap(23, 4, "VS", "va addr=gpa");
        }
        if (second_stage(entry, w.at(2))) return done(w.at(2));
        return fault(w.at(2), cause_of(w.at(2), 21, 20, 23), "VS", "va") + " addr=gpa";
    }
    // PM 8.6.3: told as a load of the guest's table, by the cause of what wanted it
    if (kind == "implicit") return fault(w.at(1), 23, "VS", "va") + " addr=table inst=3000";
    if (kind == "bare") {  // priv: satp or vsatp Bare; effective privilege mode M
        if (w.at(1) == "M" && w.at(3) != "swap") return "done";
        return fault(w.at(3), 7, w.at(1), "page+0");
    }
    if (kind == "mprv")  // PM 3.1.6.3: the effective mode is MPP
        return w.at(1) == "M" ? trap(7, 4, "M", "va") : "done stored";
    if (kind == "misaligned") {  // unpriv, SSAMOSWAP: as AMOs, which trap here before anything else
        const std::string at = "4000000" + w.at(2);
        if (n(2) % (n(3) ? 8 : 4)) return trap(6, 0, w.at(1), at);
        return w.at(1) == "M" ? trap(7, 0, "M", at) : "done stored";
    }
    if (kind == "pmp")  // priv: read and write for shadow stacks, whatever they do
        return access(w.at(3), w.at(1), "va", [&](const std::string& op) {
            const unsigned needed = is_load(op) ? 1 : 3;
            return (n(2) & needed) == needed ? Fault::none : Fault::access;
        });
    if (kind == "check") {  // PM 3.1.8, 8.2.2
        const bool guest = w.at(1) == "VS";
        const char* to = !(n(2) & 1) ? "M" : guest && (n(2) & 2) ? "VS" : "HS";
        return to + ("18+4 from " + w.at(1) + " tval=3") + (guest && to == std::string("HS") ? " spvp" : "");
    }
    if (kind == "behalf") {  // PM 8.3.1: HLVX needs X
        const bool stores = w.at(2) == "hsv.d";
        const bool page = Setting(n(1)).pages(true);
        if (page && w.at(2) == "hlv.d") return "done";
        const unsigned cause = page && stores ? 7 : stores ? 15 : 13;
        return "M" + std::to_string(cause) + "+0 from HS gva tval=va";
    }
    if (kind == "unfenced") return trap(13, 0, w.at(1), "va");  // priv: changes take effect immediately
    if (kind == "device") return fault(w.at(2), 7, w.at(1), "40000008");
    return std::nullopt;
}

/// How often the lines are not as the manual has it; the first few are told.
unsigned mistakes(const std::vector<std::string>& lines, bool tell) {
    // Where the superpage's page is does not matter.
    const std::regex within("(=|@)400[0-9a-f]{5}\\b");
    unsigned count = 0;
    for (const std::string& line : lines) {
        auto [what, outcome] = parts(line);
        if (what == "end") break;
        if (what.starts_with("super")) outcome = std::regex_replace(outcome, within, "$1va");
        const auto wanted = expected(words(what));
        if (wanted && *wanted == outcome) continue;
        if (++count <= 20 && tell) ADD_FAILURE() << line << "\nmanual: " << wanted.value_or("?");
    }
    return count;
}

class Rv64Shadow : public FolderTest {
  protected:
    void SetUp() override {
        FolderTest::SetUp();
        if (!std::filesystem::exists(program)) GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    }
    static std::vector<std::string> model(const std::string& options,
                                          const std::string& spec = POGO_SPECS "/rv64.isa") {
        const Result run = shell("timeout 100 " + std::string(POGO_COMMAND) + " run " + spec +
                                 " --param hypervisor=true --param zicfiss=true --param zicbom=true --param "
                                 "zicboz=true --elf " +
                                 program + " " + options + " 2>/dev/null");
        return lines(run.out);
    }
};

TEST_F(Rv64Shadow, IsTheManuals) {
    const auto ours = model("");
    ASSERT_GT(ours.size(), 6'000U);
    EXPECT_EQ(ours.back(), "end");
    EXPECT_EQ(mistakes(ours, true), 0U);
    EXPECT_EQ(model("--view clocked"), ours);
    EXPECT_EQ(model("--tlb stale"), ours);  // SSE needs no fence
}

/// A mistake in the spec that the program has to show.
struct Mistake {
    const char* name;
    const char* from;
    const char* to;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }
class Rv64ShadowFault : public Rv64Shadow, public ::testing::WithParamInterface<Mistake> {};

TEST_P(Rv64ShadowFault, IsSeen) {
    const std::string wrong = replaced(text_of(POGO_SPECS "/rv64.isa"), GetParam().from, GetParam().to);
    const auto ours = model("--cycles 40000000", file("wrong.isa", wrong));
    ASSERT_GT(ours.size(), 100U);  // it is a machine still
    EXPECT_GT(mistakes(ours, false), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Seeded, Rv64ShadowFault,
    ::testing::Values(
        Mistake{"ActiveInMachineMode", "priv != 3 && menvcfg.SSE == 1 && (virtual()", "menvcfg.SSE == 1 && (virtual()"},
        Mistake{"ActiveWithoutSenvcfg", "(priv != 0 || senvcfg.SSE == 1)", "true"},
        Mistake{"SenvcfgForSupervisors", "(priv != 0 || senvcfg.SSE == 1)", "senvcfg.SSE == 1"},
        Mistake{"ActiveWithoutHenvcfg", "(virtual() == 0 || sse_by_hypervisor() == 1)", "true"},
        Mistake{"MayBeOperationKeepsRd", "x[rd] = if active() then ssp else bits(64, 0);",
                "if active() { x[rd] = ssp; }"},
        Mistake{"SwapWhereOff", "require shadow_stack(sse_by_hypervisor() == 1);\n    let old = mem[x[rs1], 8",
                "let old = mem[x[rs1], 8"},
        Mistake{"IllegalForVirtual",
                "virtual_supervisor when menvcfg.SSE == 1                          => virtual_instruction;",
                "virtual_supervisor when menvcfg.SSE == 1 => privileged_instruction;"},
        Mistake{"WritableSsp", "A 63..3 role data; } }  // CFI", "A 63..0 role data; } }  // CFI"},
        Mistake{"CheckWithoutValue", "enter(18, 3, 0)", "enter(18, 0, 0)"},
        Mistake{"StoresToShadowStacks", "|| access == Access.manage || stores(access));",
                "|| access == Access.manage);"},
        Mistake{"ShadowStacksAnywhere", "if shadow(access) then entry[3..1] != 0b010 && entry[3..1] != 0b001",
                "if shadow(access) then false"},
        Mistake{"ReadOnlyIsFatal", "entry[3..1] != 0b010 && entry[3..1] != 0b001", "entry[3..1] != 0b010"},
        Mistake{"PopAsLoad", "|| access == Access.manage || shadow(access) then store",
                "|| access == Access.manage || access == Access.shadow_store then store"},
        Mistake{"PopByReading", "if zicfiss { if shadow(access) { return 0b011; } }", ""},
        Mistake{"PushToCleanPages", " || (zicfiss && access == Access.shadow_store);", ";"},
        Mistake{"PagesWithoutHenvcfg", "menvcfg.SSE == 1 && (guest == 0 || henvcfg.SSE == 1)", "menvcfg.SSE == 1"},
        Mistake{"BareMemory", "when shadow(access) && (kind == 0 || mode == 3)", "when false"},
        Mistake{"RightsBeforeTheUser", "aligned && owned(entry, access, mode, sum) && violates",
                "aligned && violates"}),
    [](const auto& mistake) { return std::string(mistake.param.name); });

}  // namespace
}  // namespace pogo::integration
