// Sail models as imported: what modes are refused, as the manual has it and as QEMU does; reports, and what models
// cannot be used for. SPDX-License-Identifier: Apache-2.0
//
// PM: RISC-V Privileged Architecture, version 20211203. UM: Volume I, version 20191213.
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "command.hpp"
#include "cosim/target.hpp"
#include "isa/refusals.hpp"
#include "isa/sail.hpp"
#include "model/simulator.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string toy = "--sail " POGO_TESTS "/unit/isa/sail/toy.ir --map " POGO_TESTS "/unit/isa/sail/toy.toml";

class SailCommand : public FolderTest {};

// What the model does not say of a row is unknown, and no proof that the replay could contradict.
TEST_F(SailCommand, ChecksTheToy) {
    const Result text = pogo("check " + toy);
    EXPECT_EQ(text.code, 2) << text.out;
    EXPECT_THAT(text.out, HasSubstr("\"WEIRD\": not modelled: `oracle` has no meaning here"));
    EXPECT_THAT(text.out, HasSubstr("machine  supervisor  user    traps for want of privilege, all others never\n"
                                    "never    never       always  setbase\n"
                                    "never    always      always  return\n"));
    const Result markdown = pogo("check " + toy + " --format markdown");
    EXPECT_THAT(markdown.out, HasSubstr("| instruction | machine | supervisor | user |\n|---|---|---|---|\n"
                                        "| setbase | never | never | always |\n"
                                        "| return | never | always | always |\n"));
}

TEST_F(SailCommand, IsNotRewrittenNorExtended) {
    const Result trap = pogo("remedy " + toy + " --kind trap --context machine_user");
    EXPECT_EQ(trap.code, 64);
    EXPECT_THAT(trap.out,
                HasSubstr("error[E0901]: --kind trap writes the machine's text anew, and a Sail model is not"));
    const Result extended = pogo("extend " + toy + " " POGO_SPECS "/lecture-vt.policy.isa");
    EXPECT_EQ(extended.code, 64);
    EXPECT_THAT(extended.out, HasSubstr("error[E0901]: Sail models are not extended"));
    const Result timed = pogo("run " + toy + " --timing " POGO_SPECS "/lecture.isa");
    EXPECT_EQ(timed.code, 64);
    EXPECT_THAT(timed.out, HasSubstr("error[E0901]: a Sail model's timing stands in the file"));
}

// In place of SPEC stands the model, so what follows SPEC elsewhere is the first argument.
TEST_F(SailCommand, TakesThePlaceOfSpec) {
    EXPECT_THAT(pogo("show dag " + toy + " return").out, HasSubstr("return\n  trap illegal"));
    EXPECT_THAT(pogo("show decode " + toy + " 7000").out, HasSubstr("return"));
    const std::string source = file("a.s", "return\n");
    const std::string image = (folder_ / "a.bin").string();
    EXPECT_EQ(pogo("asm " + toy + " " + source + " -o " + image).code, 0);
    EXPECT_EQ(text_of(image), std::string("\x00\x70", 2));
    EXPECT_THAT(pogo("disasm " + toy + " " + image).out, HasSubstr("7000  "));
    const std::string report = (folder_ / "r.json").string();
    EXPECT_EQ(pogo("check " + toy + " --format json -o " + report).code, 2);
    EXPECT_THAT(pogo("replay " + toy + " " + report).out, HasSubstr(" states went as predicted"));
    const Result none = pogo("replay " + toy);
    EXPECT_EQ(none.code, 64);
    EXPECT_THAT(none.out, HasSubstr("REPORT is required"));
    EXPECT_THAT(pogo("replay " + toy + " " + report + " " + report).out, HasSubstr("--sail takes the place of SPEC"));
}

// ---- the official model, where it is ----

/// The imported model; nothing where the file is not there.
const isa::Spec* official() {
    static const std::optional<isa::Spec> spec = [] {
        std::optional<isa::Spec> loaded;
        if (!std::filesystem::exists(POGO_SHARED "/data/sail/riscv64.ir")) return loaded;
        isa::SourceManager sources;
        isa::Diagnostics diagnostics;
        loaded = isa::load_sail_file(sources, POGO_SHARED "/data/sail/riscv64.ir", POGO_SPECS "/sail/riscv64.toml", {},
                                     diagnostics);
        EXPECT_TRUE(loaded.has_value()) << isa::render(diagnostics, sources);
        return loaded;
    }();
    return spec ? &*spec : nullptr;
}

std::vector<std::string> refused(const std::string& row) {
    static const auto all = isa::refusals(*official());
    return all.at(official()->find_instruction(row).index).when;
}

TEST(OfficialRefusals, AreTheManuals) {
    if (official() == nullptr) GTEST_SKIP() << "the official model is not there";
    // PM 3.3.2, 3.1.6.5, 3.3.3, 4.2.1; machine, supervisor, user mode.
    EXPECT_THAT(refused("mret"), ElementsAre("", "always", "always"));
    EXPECT_THAT(refused("sret"), ElementsAre("", "mstatus.TSR = 1", "always"));
    EXPECT_THAT(refused("wfi"), ElementsAre("", "mstatus.TW = 1", "always"));
    EXPECT_THAT(refused("sfence.vma"), ElementsAre("", "mstatus.TVM = 1", "always"));
    for (const char* form : {"csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"}) {
        const std::string name = form;
        const bool always_writes = name.starts_with("csrrw");
        EXPECT_THAT(refused(name + " satp"), ElementsAre("", "mstatus.TVM = 1", "always")) << name;
        // PM 2.1: bits 9 and 8 of the number are the lowest mode, 11 and 10 say what is read-only.
        for (const char* csr : {" sstatus", " stvec", " sscratch", " sepc", " scause", " stval", " sie", " sip"})
            EXPECT_THAT(refused(name + csr), ElementsAre("", "", "always")) << name << csr;
        for (const char* csr : {" mstatus", " mtvec", " mscratch", " mepc", " mcause", " mtval", " medeleg", " mip"})
            EXPECT_THAT(refused(name + csr), ElementsAre("", "always", "always")) << name << csr;
        const std::string writes = "rs1 != 0";  // UM 9.1: CSRRS and CSRRC with x0, CSRRSI and CSRRCI with 0 do not
        EXPECT_THAT(refused(name + " mhartid"), ElementsAre(always_writes ? "always" : writes, "always", "always"));
        // PM 3.1.11, 4.1.5.
        for (const auto& [csr, bit] : {std::pair(" cycle", "CY"), {" time", "TM"}, {" instret", "IR"}}) {
            const std::string machine = fmt::format("mcounteren.{} = 0", bit);
            if (always_writes)
                EXPECT_THAT(refused(name + csr), ElementsAre("always", "always", "always"));
            else
                EXPECT_THAT(refused(name + csr),
                            ElementsAre(writes, machine + " | " + writes,
                                        machine + " | " + writes + fmt::format(" | scounteren.{} = 0", bit)));
        }
    }
}

// The model of 2021 (RV32), in the dialect of that time, with mistakes that were mended since.
TEST(Official2021, IsRefusedWhatTheManualSaysButForItsMistakes) {
    const std::string file = POGO_SHARED "/data/sail/riscv32.ir";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "the official model of 2021 is not there";
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto spec = isa::load_sail_file(sources, file, POGO_SPECS "/sail/riscv32.toml", {}, diagnostics);
    ASSERT_TRUE(spec.has_value()) << isa::render(diagnostics, sources);
    EXPECT_EQ(isa::render(diagnostics, sources), "");
    const auto all = isa::refusals(*spec);
    const auto of = [&](const char* row) { return all.at(spec->find_instruction(row).index).when; };
    EXPECT_THAT(of("mret"), ElementsAre("", "always", "always"));
    EXPECT_THAT(of("sret"), ElementsAre("", "mstatus.TSR = 1", "always"));
    EXPECT_THAT(of("wfi"), ElementsAre("", "mstatus.TW = 1", "always"));
    EXPECT_THAT(of("sfence.vma"), ElementsAre("", "mstatus.TVM = 1", "always"));
    EXPECT_THAT(of("csrrw satp"), ElementsAre("", "mstatus.TVM = 1", "always"));
    EXPECT_THAT(of("csrrs sscratch"), ElementsAre("", "", "always"));
    // PM 2.1: what user mode may read, machine and supervisor mode may. Here they may not.
    EXPECT_THAT(of("csrrs time"), ElementsAre("always", "always", "mcounteren.TM = 0 | rs1 != 0 | scounteren.TM = 0"));
    // PM 3.1.6.3: returns to a mode below machine mode clear MPRV. In 2021 they do not, in 2023 both do.
    const auto clears = [](const isa::Spec& model, const char* row) {
        const auto& form = model.forms[model[model.find_instruction(row)].first_form];
        const auto mprv = model.find_element("mstatus.MPRV");
        return std::any_of(form.meaning.writes.begin(), form.meaning.writes.end(),
                           [&](const isa::Write& write) { return write.element == mprv; });
    };
    for (const char* row : {"mret", "sret"}) {
        EXPECT_FALSE(clears(*spec, row));
        EXPECT_TRUE(official() == nullptr || clears(*official(), row));
    }
}

// ---- beside QEMU ----

constexpr std::uint64_t code = 0x8000'0000;
constexpr std::uint64_t mtvec = 0x8000'1000;
constexpr std::uint64_t stvec = 0x8000'2000;
constexpr std::uint64_t mepc = 0x8000'3000;
constexpr std::uint64_t sepc = 0x8000'4000;
constexpr std::uint64_t MPRV = 1 << 17, TVM = 1 << 20, TW = 1 << 21, TSR = 1 << 22, SPP = 1 << 8;
// Of mstatus: what both have and RV64IMAC gives a meaning, from TSR down to SIE.
constexpr std::uint64_t compared_status = 0x7e'19aa;

struct Before {
    std::uint32_t word = 0;
    unsigned mode = 0;  ///< as the manual encodes it: 0, 1, 3
    std::uint64_t mstatus = 0;
    std::uint64_t medeleg = 0;
    std::uint64_t mcounteren = 7;
    std::uint64_t scounteren = 7;
    std::uint64_t operand = 0;  ///< x5
};
struct After {
    std::uint64_t pc = 0, mode = 0, mcause = 0, mepc = 0, mtval = 0, scause = 0, sepc = 0, stval = 0, mstatus = 0;
    friend bool operator==(const After&, const After&) = default;
};
std::string text(const After& a) {
    return fmt::format(
        "pc {:#x} mode {} mcause {:#x} mepc {:#x} mtval {:#x} scause {:#x} sepc {:#x} stval {:#x} mstatus {:#x}", a.pc,
        a.mode, a.mcause, a.mepc, a.mtval, a.scause, a.sepc, a.stval, a.mstatus);
}

/// Registers by the names that both sides have, in the order in which they are set.
std::vector<std::pair<std::string, std::uint64_t>> registers_of(const Before& before) {
    return {{"mtvec", mtvec},
            {"stvec", stvec},
            {"mepc", mepc},
            {"sepc", sepc},
            {"mcause", 0x3f},
            {"scause", 0x3f},
            {"mtval", 0x5a},
            {"stval", 0x5a},
            {"satp", 0},
            {"mideleg", 0},
            {"medeleg", before.medeleg},
            {"mcounteren", before.mcounteren},
            {"scounteren", before.scounteren},
            {"mstatus", before.mstatus},
            {"x5", before.operand},
            {"x6", 0}};
}

/// The imported meaning on the cycle-level model.
class Ours {
  public:
    Ours() : simulator_({.bare = true}) { EXPECT_FALSE(simulator_.load(*official()).has_value()); }
    After run(const Before& before, std::string& row) {
        const isa::Spec& spec = *official();
        isa::State state(spec);
        for (const auto& [name, value] : registers_of(before)) set(state, name, value);
        set(state, "PC", code);
        state.set(spec[spec.find_element("cur_privilege")], before.mode == 3 ? 2 : before.mode);
        for (unsigned i = 0; i < 4; ++i) simulator_.poke(code + i, before.word >> 8 * i & 0xff);
        simulator_.set_state(state);
        simulator_.step({}, outcome_);
        row = outcome_.form.valid() ? spec[spec[outcome_.form].instruction].name : "";
        for (const auto& trap : outcome_.traps) EXPECT_NE(spec[trap.cause].kind, isa::TrapKind::unmodelled);
        const isa::State after = simulator_.state();
        const auto get = [&](const char* name) { return after.get(*spec.find_register(name), spec); };
        const std::uint64_t mode = after.get(spec[spec.find_element("cur_privilege")]);
        return {get("PC"),     mode == 2 ? 3 : mode, get("mcause"), get("mepc"),   get("mtval"),
                get("scause"), get("sepc"),          get("stval"),  get("mstatus")};
    }

  private:
    static void set(isa::State& state, const std::string& name, std::uint64_t value) {
        const isa::Spec& spec = *official();
        if (name[0] == 'x')
            state.set(spec[spec.find_element("x")], value, static_cast<unsigned>(std::stoul(name.substr(1))));
        else
            state.set(*spec.find_register(name), spec, value);
    }
    model::Simulator simulator_;
    model::StepOutcome outcome_;
};

/// QEMU's stub. All of memory is open to all modes there: the imported model has no physical memory protection.
class Theirs {
  public:
    Theirs() : machine_(machine("rv64.isa")) {
        const auto& target = cosim::target_of(machine_);
        peer_ = std::make_unique<cosim::Gdb>(cosim::start_qemu(target, machine_), "QEMU", false);
        for (const auto& alias : target.aliases) names_[std::string(alias.ours)] = alias.theirs;
        // Whatever decides, WFI does not wait, and what is behind it is a loop.
        for (const auto& [name, value] :
             {std::pair("pmpaddr0", ~0ULL), {"pmpcfg0", 0x1fULL}, {"mie", 2ULL}, {"mip", 2ULL}})
            set(name, value);
        std::vector<std::size_t> numbers;
        for (const char* name : watched) numbers.push_back(number(name));
        peer_->watch(numbers);
    }
    After run(const Before& before) {
        std::array<std::uint8_t, 8> bytes{};
        for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(before.word >> 8 * i);
        bytes[4] = 0x6f;  // jal x0, 0
        peer_->set_memory(code, bytes);
        for (const auto& [name, value] : registers_of(before)) set(name, value);
        set("pc", code);
        set("priv", before.mode);
        peer_->step();
        const auto& view = peer_->look(true, {}).registers;
        for (std::size_t i = 0; i < watched.size(); ++i) last_[watched[i]] = view[i].value();
        return {last_["pc"],     last_["priv"], last_["mcause"], last_["mepc"],   last_["mtval"],
                last_["scause"], last_["sepc"], last_["stval"],  last_["mstatus"]};
    }

  private:
    // What an instruction here may change; no other register is changed by one.
    static constexpr std::array watched = {"pc",     "priv", "mcause", "mepc",   "mtval",
                                           "scause", "sepc", "stval",  "mstatus"};
    std::size_t number(const std::string& ours) {
        const auto alias = names_.find(ours);
        const std::string& name = alias == names_.end() ? ours : alias->second;
        const auto& registers = peer_->registers();
        for (std::size_t i = 0; i < registers.size(); ++i)
            if (registers[i].name == name) return i;
        throw cosim::PeerError("no register " + name);
    }
    void set(const std::string& name, std::uint64_t value) {
        const auto [last, fresh] = last_.try_emplace(name, value);
        if (!fresh && last->second == value) return;
        peer_->set(number(name), value);
        last->second = value;
    }
    isa::Spec machine_;
    std::unique_ptr<cosim::Peer> peer_;
    std::map<std::string, std::string> names_;
    std::map<std::string, std::uint64_t> last_;  ///< what QEMU has
};

class BesideQemu : public ::testing::Test {
  protected:
    void SetUp() override {
        if (official() == nullptr) GTEST_SKIP() << "the official model is not there";
        if (!installed("qemu-system-riscv64")) GTEST_SKIP() << "no qemu-system-riscv64 to compare with";
        ours_ = std::make_unique<Ours>();
        theirs_ = std::make_unique<Theirs>();
    }
    /// Both, and whether they agree.
    void compare(const Before& before, const std::string& group) {
        std::string row;
        After a = ours_->run(before, row);
        After b = theirs_->run(before);
        a.mstatus &= compared_status;
        b.mstatus &= compared_status;
        // PM 3.1.16, 4.1.9: the instruction's bits or 0, as the implementation chooses.
        if (a.mcause == 2 && a.mtval == 0 && b.mtval == before.word) b.mtval = 0;
        if (a.scause == 2 && a.stval == 0 && b.stval == before.word) b.stval = 0;
        auto& line = lines_[{group, row.empty() ? std::vector<std::string>(3, "always") : refused(row)}];
        ++line.states;
        if (a == b) {
            ++line.agree;
            return;
        }
        if (const char* why = known(before, a, b)) {
            ++differences_[why];
            return;
        }
        if (++unexplained_ < 20)
            ADD_FAILURE() << fmt::format("{:08x} ({}) in mode {}, mstatus {:#x}:\n  model {}\n  QEMU  {}", before.word,
                                         row, before.mode, before.mstatus, text(a), text(b));
    }
    static const char* known(const Before& before, const After& ours, const After& theirs);
    /// Every line is in docs/sail.md as it came out, and so is every difference.
    void expect_documented() const {
        const std::string page = text_of(POGO_EXAMPLES "/../sail.md");
        const auto cell = [](std::string text) {
            for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
            return text.empty() ? "never" : text;
        };
        const auto expect = [&](const std::string& line) { EXPECT_NE(page.find(line), std::string::npos) << line; };
        for (const auto& [what, line] : lines_)
            expect(fmt::format("\n| {} | {} | {} | {} | {} | {} |\n", what.first, cell(what.second[0]),
                               cell(what.second[1]), cell(what.second[2]), line.agree, line.states - line.agree));
        for (const auto& [why, states] : differences_) expect(fmt::format("\n| {} | {} |", why, states));
    }

    struct Line {
        unsigned states = 0;
        unsigned agree = 0;
    };
    std::map<std::pair<std::string, std::vector<std::string>>, Line> lines_;  ///< by group and what is reported of it
    std::map<std::string, unsigned> differences_;
    unsigned unexplained_ = 0;

  private:
    std::unique_ptr<Ours> ours_;
    std::unique_ptr<Theirs> theirs_;
};

constexpr std::array modes = {0U, 1U, 3U};

/// Why one of the two executes a CSR instruction and the other does not; nothing if it is not known.
const char* BesideQemu::known(const Before& before, const After& ours, const After& theirs) {
    const auto executes = [&](const After& after) { return after.pc == code + 4 && after.mode == before.mode; };
    const auto illegal = [](const After& after) { return after.pc == mtvec && after.mcause == 2; };
    const std::uint32_t csr = before.word >> 20;
    if (illegal(ours) && executes(theirs)) {
        if (csr >> 10 == 3 && (before.word >> 15 & 31) != 0) return "read-only, written from a register that holds 0";
        if (csr >= 0x323 && csr <= 0x33F) return "event selectors";
        if (csr == 0x10A || csr == 0x30A || csr == 0xF15) return "senvcfg, menvcfg, mconfigptr";
        if (csr == 0x14D || csr == 0x24D) return "stimecmp, vstimecmp";
    }
    if (executes(ours) && illegal(theirs) && csr == 0x7A0) return "tselect";
    return nullptr;
}

TEST_F(BesideQemu, PrivilegedInstructionsTrapAlike) {
    const std::vector<std::pair<const char*, std::uint32_t>> words = {
        {"mret", 0x30200073}, {"sret", 0x10200073}, {"wfi", 0x10500073}, {"sfence.vma", 0x12000073}};
    for (const auto& [name, word] : words)
        for (const unsigned mode : modes)
            for (unsigned bits = 0; bits < 8; ++bits)
                for (unsigned previous = 0; previous < 6; ++previous)
                    for (const bool delegated : {false, true}) {
                        Before before;
                        before.word = word;
                        before.mode = mode;
                        before.medeleg = delegated ? 1 << 2 : 0;
                        before.mstatus = (bits & 1 ? TVM : 0) | (bits & 2 ? TW : 0) | (bits & 4 ? TSR : 0) |
                                         std::uint64_t{modes[previous % 3]} << 11 | (previous < 3 ? 0 : SPP);
                        compare(before, name);
                    }
    expect_documented();
}

constexpr std::uint32_t csr_access(std::uint32_t csr, std::uint32_t form, std::uint32_t source) {
    return csr << 20 | source << 15 | form << 12 | 6 << 7 | 0x73;
}
constexpr std::uint32_t csrrs = 2;

/// PM 2.1: bits 9 and 8 of the number say whose the register is, 11 and 10 whether it can be written.
std::string group_of(std::uint32_t csr) {
    static const std::map<std::uint32_t, std::string> own = {
        {0x180, "satp"}, {0xC00, "cycle"}, {0xC01, "time"}, {0xC02, "instret"}};
    if (const auto found = own.find(csr); found != own.end()) return found->second;
    return std::array{"user", "supervisor", "reserved", "machine"}[csr >> 8 & 3];
}

TEST_F(BesideQemu, ControlAndStatusRegistersTrapAlike) {
    for (std::uint32_t csr = 0; csr < 0x1000; ++csr)
        for (const unsigned mode : modes)
            for (const std::uint32_t source : {0U, 5U}) {  // x5 is 0: what is written is what was there
                Before before;
                before.word = csr_access(csr, csrrs, source);
                before.mode = mode;
                compare(before, group_of(csr));
                if (csr >> 10 != 3 || source == 0) continue;
                before.operand = 1;
                compare(before, group_of(csr));
            }
    for (std::uint32_t form = 1; form < 8; ++form) {
        if (form == 4) continue;
        for (const unsigned mode : modes)
            for (const std::uint32_t source : {0U, 5U}) {
                if (form >= 5 && source != 0) continue;  // an immediate would be written
                for (const std::uint64_t bits : {std::uint64_t{0}, TVM, TW | TSR})
                    for (const std::uint64_t delegated : {0, 1 << 2}) {
                        Before before;
                        before.word = csr_access(0x180, form, source);
                        before.mode = mode;
                        before.mstatus = bits;
                        before.medeleg = delegated;
                        compare(before, "satp");
                    }
                for (const std::uint32_t csr : {0xC00U, 0xC01U, 0xC02U})
                    for (std::uint64_t bits = 0; bits < 64; ++bits) {
                        Before before;
                        before.word = csr_access(csr, form, source);
                        before.mode = mode;
                        before.mcounteren = bits & 7;
                        before.scounteren = bits >> 3;
                        before.operand = 1;
                        compare(before, group_of(csr));
                    }
            }
    }
    expect_documented();
}

}  // namespace
}  // namespace pogo::integration
