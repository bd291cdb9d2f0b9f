// RV64's verdicts: each control register and privileged instruction as the manual has it, and what mistakes change.
// SPDX-License-Identifier: Apache-2.0
//
// PM: RISC-V Privileged Architecture, version 20211203.
#include <gmock/gmock.h>

#include <map>
#include <regex>
#include <vector>

#include "check/remedy.hpp"
#include "check/vm_map.hpp"
#include "command.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using check::Verdict;

isa::Spec spec_of(const std::string& text, const isa::Arguments& arguments = {}) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    auto spec = isa::load_spec(sources, sources.add("rv64.isa", text), std::nullopt, arguments, diagnostics);
    EXPECT_TRUE(spec.has_value()) << isa::render(diagnostics, sources);
    return std::move(spec.value());
}

struct MapDecided {
    std::string configuration;
    Verdict holds = Verdict::unknown;
};
MapDecided map_of(const isa::Arguments& arguments, const std::string& name) {
    const isa::Spec spec = machine("rv64.isa", arguments);
    check::Options options;
    options.witnesses = false;
    options.jobs = 2;
    for (const auto& map : spec.vm_maps) {
        if (map.name != name) continue;
        const auto findings = check::check_vm_map(spec, map, options);
        return {check::text(spec, findings.synthesis.value().cube), findings.holds_configured};
    }
    ADD_FAILURE() << "no map " << name;
    return {};
}

check::Findings findings(const isa::Spec& spec, const std::string& context, const Assumed& assumed = {}) {
    check::Options options;
    options.context = spec.find_context(context);
    options.witnesses = false;
    options.jobs = 2;
    options.assumptions = assumptions(spec, assumed);
    EXPECT_TRUE(options.context->valid()) << context;
    return check::check(spec, options);
}

std::map<std::string, std::string> classes(const isa::Spec& spec, const check::Findings& found) {
    std::map<std::string, std::string> result;
    for (const auto& row : found.rows) result[spec[row.instruction].name] = class_of(spec, row);
    return result;
}

/// What the manual says of every row that is or may be privileged. `counter` is where user mode cannot read a counter
/// of which ?? is the bit; machine mode or supervisor mode is the context's supervisor mode.
std::map<std::string, std::string> manual(const std::string& counter, bool machine_mode) {
    std::map<std::string, std::string> expected;
    // What does not complete in the context's supervisor mode either is vacuous.
    const std::string machine_only = machine_mode ? "always" : "vacuous";
    for (const std::string each : {"csrrw", "csrrwi", "csrrs", "csrrc", "csrrsi", "csrrci"}) {
        // PM 2.1: writing a read-only register is illegal in every mode. CSRRW and CSRRWI always write.
        const bool writes = each.starts_with("csrrw");
        for (const auto& [name, bit] : {std::pair("cycle", "CY"), std::pair("time", "TM"), std::pair("instret", "IR")})
            expected[each + " " + name] =
                writes ? "vacuous" : "conditional when " + std::regex_replace(counter, std::regex("[?]{2}"), bit);
        // PM 3.1.11: their bits of mcounteren are 0.
        expected[each + " event_counters"] = writes ? "vacuous" : machine_only;
        // PM 2.1: bits 9 and 8 of the number are the lowest mode.
        for (const char* row : {"trap_setup", "configuration", "trap_handling", "timer", "protection"})
            expected[each + " supervisor_" + row] = "always";
        for (const char* row :
             {"triggers", "trap_setup", "trap_handling", "configuration", "protection", "counters", "counter_setup"})
            expected[each + " machine_" + row] = machine_only;
        expected[each + " machine_information"] = writes ? "vacuous" : machine_only;
    }
    expected["mret"] = machine_only;  // PM 3.3.2
    // PM 3.1.6.5, 3.3.2, 3.3.3, 4.2.1: not for user mode. That TSR, TW and TVM make them trap in supervisor mode, too,
    // leaves fewer states to ask about and changes no answer.
    for (const char* name : {"sret", "wfi", "sfence.vma"}) expected[name] = "always";
    return expected;
}

class Rv64Verdicts : public ::testing::Test {
  protected:
    static void expect(const std::string& context, const std::map<std::string, std::string>& expected) {
        const isa::Spec spec = machine("rv64.isa");
        const auto found = findings(spec, context);
        for (const auto& kept : found.invariants) EXPECT_EQ(kept.holds, Verdict::yes) << kept.name;
        // All others are unprivileged, ECALL and the breakpoints never complete (PM 3.3.1).
        std::map<std::string, std::string> all = expected;
        for (const auto& instruction : spec.instructions) all.emplace(instruction.name, "never");
        for (const char* name : {"ecall", "ebreak", "c.ebreak"}) all[name] = "vacuous";
        EXPECT_EQ(classes(spec, found), all);
    }
};

// PM 3.1.11: a clear bit of mcounteren makes the read trap in supervisor and user mode; PM 4.1.5: of scounteren, in
// user mode. Machine mode reads always: user mode traps where either is clear.
TEST_F(Rv64Verdicts, MachineAndUserMode) {
    expect("machine_user", manual("mcounteren.?? = 0 | scounteren.?? = 0", true));
}

// Supervisor mode completes only where the bit of mcounteren is set, so that scounteren's alone decides.
TEST_F(Rv64Verdicts, SupervisorAndUserMode) { expect("supervisor_user", manual("scounteren.?? = 0", false)); }

// ---- A guest of the hypervisor extension
// -----------------------------------------------------------------------------

/// What the manual says of a row in VS-mode under HS-mode, and whether it is critical in the context.
struct Guest {
    std::string privileged;
    bool critical = false;
};
/// Of CSR instructions. PM 8.6.1: what is a hypervisor's always traps in a guest, and so it is privileged; a
/// supervisor's registers are the guest's own (PM 8.2), so that these rows are not, but where a bit of hstatus,
/// hcounteren or henvcfg takes them away. What acts on HS-mode's register there and on the guest's copy here depends on
/// the mode: critical.
std::map<std::string, Guest> csrs_of_guest(const std::string& each) {
    const bool writes = each.starts_with("csrrw");
    std::map<std::string, Guest> rows;
    // PM 8.2.6. PM 8.2.7: what `time` shows depends on V, by htimedelta.
    for (const auto& [name, bit] : {std::pair("cycle", "CY"), std::pair("time", "TM"), std::pair("instret", "IR")})
        rows[name] = {writes ? "vacuous" : "conditional when hcounteren." + std::string(bit) + " = 0",
                      !writes && std::string(bit) == "TM"};
    rows["event_counters"] = {"vacuous"};
    for (const char* row : {"trap_setup", "trap_handling"}) rows[std::string("supervisor_") + row] = {"never", true};
    rows["supervisor_configuration"] = {"never"};  // senvcfg has no counterpart (PM 8.2)
    // Sstc 3: stimecmp stands for vstimecmp.
    rows["supervisor_timer"] = {"conditional when hcounteren.TM = 0 | henvcfg.STCE = 0", true};
    rows["supervisor_protection"] = {"conditional when hstatus.VTVM = 1", true};  // PM 8.2.1; satp stands for vsatp
    for (const char* row : {"guest_registers", "hypervisor_trap_setup", "hypervisor_trap_handling",
                            "hypervisor_configuration", "hypervisor_protection"})
        rows[row] = {"always"};
    for (const char* row :
         {"information", "trap_setup", "trap_handling", "configuration", "protection", "counters", "counter_setup"})
        rows[std::string("machine_") + row] = {"vacuous"};  // PM 2.1
    std::map<std::string, Guest> result;
    for (const auto& [name, guest] : rows) result[each + " " + name] = guest;
    return result;
}
std::map<std::string, Guest> instructions_of_guest() {
    std::map<std::string, Guest> rows;
    // PM 8.2.1: VTSR, VTW, VTVM. SRET works on vsstatus and vsepc there, on sstatus, sepc and hstatus here (PM 8.6.4).
    rows["sret"] = {"conditional when hstatus.VTSR = 1", true};
    rows["wfi"] = {"conditional when hstatus.VTW = 1"};
    rows["sfence.vma"] = {"conditional when hstatus.VTVM = 1"};
    for (const char* name : {"hfence.vvma", "hfence.gvma", "hlv.b", "hlv.bu", "hlv.h", "hlv.hu", "hlvx.hu", "hlv.w",
                             "hlv.wu", "hlvx.wu", "hlv.d", "hsv.b", "hsv.h", "hsv.w", "hsv.d"})
        rows[name] = {"always"};                                                    // PM 8.3
    for (const char* name : {"mret", "ecall", "ebreak"}) rows[name] = {"vacuous"};  // PM 3.3.2, 3.3.1
    for (const char* name : {"addi", "jalr", "beq", "ld", "sd", "lr.d", "sc.d", "amoadd.d", "fence.i"})
        rows[name] = {"never"};
    return rows;
}

class Rv64Guest : public ::testing::TestWithParam<std::string> {};

/// Row by row: to decide the whole context takes minutes.
TEST_P(Rv64Guest, IsTheManuals) {
    const isa::Spec whole = machine("rv64.isa", {{"hypervisor", "true"}});
    const auto expected = GetParam() == "instructions" ? instructions_of_guest() : csrs_of_guest(GetParam());
    std::size_t seen = 0;
    for (std::uint32_t i = 0; i < whole.instructions.size(); ++i) {
        // An ordering is part of the name of no row.
        const auto row = expected.find(whole.instructions[i].name);
        if (row == expected.end()) continue;
        ++seen;
        const isa::Spec spec = only(whole, {i});
        const auto found = findings(spec, "hypervisor_guest");
        EXPECT_EQ(class_of(spec, found.rows.at(0)), row->second.privileged) << row->first;
        EXPECT_EQ(found.rows.at(0).critical.extended, row->second.critical ? Verdict::yes : Verdict::no) << row->first;
        EXPECT_EQ(found.theorem1_extended.holds, row->second.critical ? Verdict::no : Verdict::yes) << row->first;
        // Of the guest's own control state all it touches is its own: a hybrid monitor can be built.
        EXPECT_EQ(found.theorem3_strict.holds, Verdict::yes) << row->first;
        EXPECT_EQ(found.theorem3_extended.holds, Verdict::yes) << row->first;
        for (const auto& kept : found.invariants) EXPECT_EQ(kept.holds, Verdict::yes) << kept.name;
    }
    EXPECT_EQ(seen, expected.size());
}

INSTANTIATE_TEST_SUITE_P(Rows, Rv64Guest, ::testing::Values("csrrw", "instructions"),
                         [](const auto& row) { return row.param; });
INSTANTIATE_TEST_SUITE_P(Others, Rv64Guest, ::testing::Values("csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"),
                         [](const auto& row) { return row.param; });

// ---- Shadow stacks (Zicfiss)
// ------------------------------------------------------------------------------------------

/// The class of one row; a `!` behind it: critical, in the extended model.
std::string decided(const isa::Spec& whole, const std::string& name, const std::string& context,
                    const Assumed& assumed) {
    const auto row = std::find_if(whole.instructions.begin(), whole.instructions.end(),
                                  [&](const isa::Instruction& each) { return each.name == name; });
    EXPECT_NE(row, whole.instructions.end()) << name;
    const isa::Spec spec = only(whole, {static_cast<std::uint32_t>(row - whole.instructions.begin())});
    const auto found = findings(spec, context, assumed);
    EXPECT_NE(found.theorem1_extended.holds, Verdict::unknown) << name;
    // What they change of the guest's is data: a hybrid monitor can be built.
    EXPECT_EQ(found.theorem3_extended.holds, Verdict::yes) << name;
    return class_of(spec, found.rows.at(0)) + (found.theorem1_extended.holds == Verdict::no ? "!" : "");
}

/// What is in force where, and what it makes of the rows. "Priv" is the manual's section on the privileged part of
/// shadow stacks: machine mode has none, supervisor mode those of menvcfg.SSE, a guest's those of henvcfg.SSE as well,
/// and user mode those of senvcfg.SSE as well (PM 3.1.18, 4.1.10, 8.2.5). Where they are not, nothing traps but
/// SSAMOSWAP and accesses to ssp: the others do nothing, or write 0.
struct Shadow {
    const char* name;
    std::string context;
    Assumed assumed;
    std::map<std::string, std::string> rows;
};
void PrintTo(const Shadow& shadow, std::ostream* out) { *out << shadow.name; }
class Rv64ShadowStack : public ::testing::TestWithParam<Shadow> {};

TEST_P(Rv64ShadowStack, IsTheManuals) {
    const Shadow& shadow = GetParam();
    const isa::Spec whole = machine(
        "rv64.isa", {{"zicfiss", "true"}, {"hypervisor", shadow.context == "hypervisor_guest" ? "true" : "false"}});
    for (const auto& [name, expected] : shadow.rows)
        EXPECT_EQ(decided(whole, name, shadow.context, shadow.assumed), expected) << name;
}

INSTANTIATE_TEST_SUITE_P(
    Contexts, Rv64ShadowStack,
    ::testing::Values(
        // Nothing in machine mode, a push in user mode with both bits. A check that fails is more than a machine mode
        // without checks has: SSPOPCHK traps there for a reason of the data.
        Shadow{"MachineUser",
               "machine_user",
               {},
               {{"sspush", "never!"},
                {"ssrdp", "never!"},
                {"c.sspush", "never!"},
                {"sspopchk", "conditional!"},
                {"mop.r", "never"},
                {"csrrw ssp", "conditional when menvcfg.SSE = 0 | senvcfg.SSE = 0"},
                // Priv: in machine mode it faults unless MPRV lends it another mode, which user mode has not.
                {"ssamoswap.d", "always"}}},
        // A monitor that turns them off for its guest's user mode: machine mode has none anyway.
        Shadow{"MachineUserOff",
               "machine_user",
               {{"senvcfg.SSE", 0}},
               {{"sspush", "never"}, {"sspopchk", "never"}, {"ssrdp", "never"}, {"csrrw ssp", "always"}}},
        Shadow{"SupervisorUser",
               "supervisor_user",
               {},
               {{"sspush", "never!"},
                {"ssrdp", "never!"},
                {"sspopchk", "never!"},
                {"csrrw ssp", "conditional when senvcfg.SSE = 0"},
                // Needs tables, and of no page do both modes fetch instructions (PM 4.3.1): no pair completes.
                {"ssamoswap.d", "always"},
                // What senvcfg shows of its field is menvcfg's to say; user mode sees none of it.
                {"csrrw supervisor_configuration", "always"}}},
        // Off for both, and on for both: the two modes do the same. One without the other they do not, which SSRDP
        // shows. A push where supervisor mode has shadow stacks needs tables, as SSAMOSWAP does.
        Shadow{"SupervisorUserOff",
               "supervisor_user",
               {{"menvcfg.SSE", 0}},
               {{"sspush", "never"}, {"ssrdp", "never"}, {"csrrw ssp", "vacuous"}, {"ssamoswap.d", "vacuous"}}},
        Shadow{"SupervisorUserOn",
               "supervisor_user",
               {{"menvcfg.SSE", 1}, {"senvcfg.SSE", 1}},
               {{"sspush", "always"}, {"ssrdp", "never"}, {"csrrw ssp", "never"}, {"ssamoswap.d", "always"}}},
        Shadow{"SupervisorUserApart",
               "supervisor_user",
               {{"menvcfg.SSE", 1}, {"senvcfg.SSE", 0}},
               {{"sspush", "always"}, {"ssrdp", "never!"}, {"csrrw ssp", "always"}, {"ssamoswap.d", "always"}}},
        Shadow{"Guest",
               "hypervisor_guest",
               {},
               {{"sspush", "never!"},
                {"ssrdp", "never!"},
                {"csrrw ssp", "conditional when henvcfg.SSE = 0"},
                {"ssamoswap.d", "conditional when henvcfg.SSE = 0"},
                // PM 8.2.5: for a guest senvcfg.SSE is zero without henvcfg.SSE.
                {"csrrs supervisor_configuration", "never!"}}},
        Shadow{"GuestOff",
               "hypervisor_guest",
               {{"menvcfg.SSE", 0}},
               {{"sspush", "never"}, {"ssrdp", "never"}, {"csrrs supervisor_configuration", "never"}}},
        Shadow{"GuestOn",
               "hypervisor_guest",
               {{"menvcfg.SSE", 1}, {"henvcfg.SSE", 1}},
               {{"ssrdp", "never"}, {"csrrw ssp", "never"}, {"csrrs supervisor_configuration", "never"}}},
        Shadow{"GuestApart",
               "hypervisor_guest",
               {{"menvcfg.SSE", 1}, {"henvcfg.SSE", 0}},
               {{"sspush", "never!"}, {"ssrdp", "never!"}, {"csrrw ssp", "always"}, {"ssamoswap.d", "always"}}}),
    [](const auto& shadow) { return std::string(shadow.param.name); });

// ---- Mistakes ------------------------------------------------------------------------------------------------------

/// The two modes in which what TVM, TSR and TW are for shows: virtualizing supervisor mode (PM 3.1.6.5).
const std::string machine_supervisor = "context supervisor_user {";
const std::string with_machine_supervisor =
    "context machine_supervisor { supervisor machine; user supervisor; }\ncontext supervisor_user {";

/// A mistake: a part of the spec's text and what stands there instead.
struct Mistake {
    std::string from;
    std::string to;
};
const Mistake no_tvm_for_satp = {"read { require virtual_memory; return own_satp; }", "read { return own_satp; }"};
const Mistake no_tvm = {"supervisor when mstatus.TVM == 0   => execute;", "supervisor => execute;"};
const Mistake no_tsr = {"supervisor when mstatus.TSR == 0   => execute;", "supervisor => execute;"};
const Mistake no_tw = {"supervisor when mstatus.TW == 0  => execute;", "supervisor => execute;"};
const std::string tested = "require counter(mcounteren.TM, by_hypervisor(1), scounteren.TM)";
const Mistake ir_of_mcounteren = {tested, "require counter(mcounteren.IR, by_hypervisor(1), scounteren.TM)"};
const Mistake ir_of_scounteren = {tested, "require counter(mcounteren.TM, by_hypervisor(1), scounteren.IR)"};
const Mistake time_for_all = {tested + ";", ""};
const Mistake supervisor_mret = {"permission machine_return {\n  machine => execute;\n",
                                 "permission machine_return {\n  machine => execute;\n  supervisor => execute;\n"};
// Of one register of its row only: sstatus.
const std::string set_bits =
    "\n  let old = c.read;\n  if rs1 != 0 { c.write((if c.is(mip) then written_pending() else old) | x[rs1]); }";
const Mistake user_sstatus = {"require csr_access(level_of(c.number));" + set_bits,
                              "require csr_access(if c.number == 0x100 then 0b00 else level_of(c.number));" + set_bits};

/// What the checker says of a row, in a context, under a configuration. A `!` behind it: and critical, in the extended
/// model, so that Theorem 1 is refuted. A `?` in a guest of the hypervisor extension: Theorem 3 is, too.
struct Fault {
    const char* name;
    Mistake mistake;
    std::string row;
    std::string where;  ///< the context, and an assumption or none
    std::string before;
    std::string after;
    bool shadow_stacks = false;  ///< with Zicfiss
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class Rv64Fault : public ::testing::TestWithParam<Fault> {};

TEST_P(Rv64Fault, ChangesTheClass) {
    const Fault& fault = GetParam();
    const std::string right = replaced(text_of(POGO_SPECS "/rv64.isa"), machine_supervisor, with_machine_supervisor);
    const auto space = fault.where.find(' ');
    const bool guest = fault.where.starts_with("hypervisor_guest");
    Assumed assumed;
    if (space != std::string::npos) assumed = {{fault.where.substr(space + 1), 1}};
    const auto decide = [&](const std::string& text) {
        isa::Arguments arguments;
        if (guest) arguments.emplace_back("hypervisor", "true");
        if (fault.shadow_stacks) arguments.emplace_back("zicfiss", "true");
        const isa::Spec whole = spec_of(text, arguments);
        const auto row = std::find_if(whole.instructions.begin(), whole.instructions.end(),
                                      [&](const isa::Instruction& each) { return each.name == fault.row; });
        EXPECT_NE(row, whole.instructions.end()) << fault.row;
        const isa::Spec spec = only(whole, {static_cast<std::uint32_t>(row - whole.instructions.begin())});
        const auto found = findings(spec, fault.where.substr(0, space), assumed);
        EXPECT_NE(found.theorem1_extended.holds, Verdict::unknown);
        return class_of(spec, found.rows.at(0)) + (found.theorem1_extended.holds == Verdict::no ? "!" : "") +
               (guest && found.theorem3_extended.holds == Verdict::no ? "?" : "");
    };
    EXPECT_EQ(decide(right), fault.before);
    EXPECT_EQ(decide(replaced(right, fault.mistake.from, fault.mistake.to)), fault.after);
}

// In a guest of the hypervisor extension. What SRET and a bank do shows in the theorems, what traps in the classes.
const Mistake no_vtsr = {"virtual_supervisor when hstatus.VTSR == 0 => execute;", "virtual_supervisor => execute;"};
const Mistake no_vtvm = {"virtual_supervisor when hstatus.VTVM == 0 => execute;", "virtual_supervisor => execute;"};
const Mistake ir_of_hcounteren = {"counter(mcounteren.TM, by_hypervisor(1), scounteren.TM)",
                                  "counter(mcounteren.TM, by_hypervisor(2), scounteren.TM)"};
const Mistake no_hcounteren = {
    "virtual_supervisor when by_machine == 1 && by_hypervisor == 0                      => "
    "virtual_instruction;\n",
    "\n"};
const Mistake guests_hstatus = {"virtual_supervisor when level == 2 => virtual_instruction;",
                                "virtual_supervisor when level == 2 => execute;"};
const Mistake sret_without_v = {"    if v == 0 {\n      v = hstatus.SPV;", "    if true {\n      v = hstatus.SPV;"};
const Mistake hosts_satp = {"1 => vsatp;", "1 => satp;"};
const Mistake hosts_scratch = {"1 => vsscratch;", "1 => sscratch;"};

const Mistake no_senvcfg = {"(priv != 0 || senvcfg.SSE == 1)", "true"};
const Mistake no_henvcfg = {"(virtual() == 0 || sse_by_hypervisor() == 1)", "true"};
const Mistake menvcfg_for_senvcfg = {"user when menvcfg.SSE == 1 && senvcfg.SSE == 1 ", "user when menvcfg.SSE == 1 "};
const Mistake senvcfg_for_henvcfg = {"if zicfiss { if hypervisor { return henvcfg.SSE; } }",
                                     "if zicfiss { if hypervisor { return senvcfg.SSE; } }"};
const Mistake ssp_for_all = {"read { require shadow_stack(sse_by_hypervisor() == 1); return ssp; }",
                             "read { return ssp; }"};

const std::string satp = "csrrw supervisor_protection";
const std::string setup = "csrrs supervisor_trap_setup";
const std::string su = "supervisor_user";
const std::string mu = "machine_user";
const std::string ms = "machine_supervisor";
const std::string hg = "hypervisor_guest";

INSTANTIATE_TEST_SUITE_P(
    Seeded, Rv64Fault,
    ::testing::Values(
        // TVM, TSR and TW are about supervisor mode. User mode traps whatever they are, and states in which supervisor
        // mode traps, too, are not asked about. So neither declared context shows that one of them is not tested. What
        // does is the configuration in which it is set: it makes the row vacuous. And the pair of machine and
        // supervisor mode, for which they are made: with them set the row is privileged there, without the test never.
        Fault{"SatpTvmUnseen", no_tvm_for_satp, satp, su, "always", "always"},
        Fault{"SatpTvmUnseenToo", no_tvm_for_satp, satp, mu, "always", "always"},
        Fault{"SatpTvmSet", no_tvm_for_satp, satp, su + " mstatus.TVM", "vacuous", "always"},
        Fault{"SatpTvm", no_tvm_for_satp, satp, ms, "conditional when mstatus.TVM = 1!", "never!"},
        Fault{"SatpTvmVirtualized", no_tvm_for_satp, satp, ms + " mstatus.TVM", "always", "never!"},
        Fault{"SfenceTvmUnseen", no_tvm, "sfence.vma", su, "always", "always"},
        Fault{"SfenceTvmSet", no_tvm, "sfence.vma", su + " mstatus.TVM", "vacuous", "always"},
        Fault{"TsrUnseen", no_tsr, "sret", su, "always", "always"},
        Fault{"TsrSet", no_tsr, "sret", su + " mstatus.TSR", "vacuous", "always"},
        Fault{"Tsr", no_tsr, "sret", ms, "conditional when mstatus.TSR = 1!", "never!"},
        Fault{"TsrVirtualized", no_tsr, "sret", ms + " mstatus.TSR", "always", "never!"},
        Fault{"TwUnseen", no_tw, "wfi", su, "always", "always"},
        Fault{"TwSet", no_tw, "wfi", su + " mstatus.TW", "vacuous", "always"},
        // WFI does nothing, so that it is innocuous.
        Fault{"Tw", no_tw, "wfi", ms, "conditional when mstatus.TW = 1", "never"},
        // Supervisor mode completes RDTIME only with the tested bit of mcounteren set, whichever it is.
        Fault{"IrForTmUnseen", ir_of_mcounteren, "csrrs time", su, "conditional when scounteren.TM = 0",
              "conditional when scounteren.TM = 0"},
        Fault{"IrForTm", ir_of_mcounteren, "csrrs time", mu, "conditional when mcounteren.TM = 0 | scounteren.TM = 0",
              "conditional when mcounteren.IR = 0 | scounteren.TM = 0"},
        Fault{"IrForTmOfScounteren", ir_of_scounteren, "csrrs time", su, "conditional when scounteren.TM = 0",
              "conditional when scounteren.IR = 0"},
        Fault{"TimeForAll", time_for_all, "csrrs time", su, "conditional when scounteren.TM = 0", "never"},
        Fault{"SupervisorMret", supervisor_mret, "mret", su, "vacuous", "always"},
        Fault{"SupervisorMretUnseen", supervisor_mret, "mret", mu, "always", "always"},  // user mode still traps
        Fault{"SupervisorMretOverMachineMode", supervisor_mret, "mret", ms, "always", "never!"},
        // The row has three other registers, which still trap: it is the number that decides, not the state.
        Fault{"UserSstatus", user_sstatus, setup, su, "always", "conditional!"},
        Fault{"UserSstatusOverMachineMode", user_sstatus, setup, mu, "always", "conditional!"},
        Fault{"Vtsr", no_vtsr, "sret", hg, "conditional when hstatus.VTSR = 1!", "never!"},
        Fault{"Vtvm", no_vtvm, "sfence.vma", hg, "conditional when hstatus.VTVM = 1", "never"},
        Fault{"IrForTmOfHcounteren", ir_of_hcounteren, "csrrs time", hg, "conditional when hcounteren.TM = 0!",
              "conditional when hcounteren.IR = 0!"},
        Fault{"TimeWithoutHcounteren", no_hcounteren, "csrrs time", hg, "conditional when hcounteren.TM = 0!",
              "never!"},
        Fault{"GuestsHstatus", guests_hstatus, "csrrw hypervisor_configuration", hg, "always", "never!?"},
        // HS-mode's own registers are nothing of the guest's: Theorem 3 falls.
        Fault{"SretWithoutV", sret_without_v, "sret", hg, "conditional when hstatus.VTSR = 1!",
              "conditional when hstatus.VTSR = 1!?"},
        Fault{"SatpOfTheHost", hosts_satp, satp, hg, "conditional when hstatus.VTVM = 1!",
              "conditional when hstatus.VTVM = 1!?"},
        Fault{"SscratchOfTheHost", hosts_scratch, "csrrw supervisor_trap_handling", hg, "never!", "never!?"},
        // Shadow stacks: where a test is missing the modes are alike, and the row looks better than it is. senvcfg is
        // the guest's own: no condition of the host's.
        Fault{"ShadowStackWithoutSenvcfg", no_senvcfg, "ssrdp", su + " menvcfg.SSE", "never!", "never", true},
        Fault{"ShadowStackWithoutHenvcfg", no_henvcfg, "ssrdp", hg + " menvcfg.SSE", "never!", "never", true},
        Fault{"SspOfMenvcfg", menvcfg_for_senvcfg, "csrrw ssp", su, "conditional when senvcfg.SSE = 0", "never", true},
        Fault{"SspOfSenvcfg", senvcfg_for_henvcfg, "csrrw ssp", hg, "conditional when henvcfg.SSE = 0", "conditional",
              true},
        Fault{"SspForAll", ssp_for_all, "csrrw ssp", su, "conditional when senvcfg.SSE = 0", "never", true}),
    [](const auto& fault) { return std::string(fault.param.name); });

// What a monitor has to set, found without being told. The counters: PM 3.1.11 says that mcounteren decides for all
// modes below. The rest is what Linux' KVM sets by hand: hcounteren = 2, TM alone (arch/riscv/kvm/main.c); in
// arch/riscv/include/asm/kvm_host.h the guest's software, timer and external interrupts in hideleg, and a hedeleg
// without illegal instructions. Sstc 3 wants STCE in both registers.
TEST(Rv64Maps, NeedTheCountersToTrap) {
    for (const char* map : {"machine_in_user", "supervisor_in_user"}) {
        const MapDecided decided = map_of({}, map);
        EXPECT_EQ(decided.configuration, "mcounteren.CY = 0 & mcounteren.TM = 0 & mcounteren.IR = 0");
        EXPECT_EQ(decided.holds, Verdict::yes);
    }
}

TEST(Rv64Maps, NeedWhatKvmSets) {
    const MapDecided decided = map_of({{"hypervisor", "true"}}, "guest_of_the_hypervisor");
    EXPECT_EQ(decided.configuration,
              "menvcfg.STCE = 1 & hedeleg.illegal = 0 & hideleg.VSSI = 1 & hideleg.VSTI = 1 & hideleg.VSEI = 1 & "
              "hcounteren.CY = 0 & hcounteren.IR = 0 & henvcfg.STCE = 1");
    EXPECT_EQ(decided.holds, Verdict::yes);
}

/// What has to trap for a map, and whether the machine in which it does is proved.
struct RemedyDecided {
    check::TrapSet set;
    std::vector<std::string> statements;
    Verdict after = Verdict::unknown;
};
RemedyDecided remedy_of(const std::string& name, const Assumed& assumed) {
    const isa::Spec spec = machine("rv64.isa", {});
    check::RemedyOptions options;
    options.check.witnesses = false;
    options.check.jobs = 2;
    options.check.assumptions = assumptions(spec, assumed);
    for (const auto& map : spec.vm_maps) {
        if (map.name != name) continue;
        RemedyDecided result{
            check::trap_set(spec, map, check::check_vm_map(spec, map, options.check), options), {}, {}};
        for (const auto& element : result.set.elements)
            result.statements.push_back(check::statement(spec, result.set.cause, element));
        const isa::Spec mended = check::trapping(spec, result.set.cause, result.set.elements);
        if (!result.statements.empty()) result.after = check::check_vm_map(mended, map, options.check).holds_configured;
        return result;
    }
    ADD_FAILURE() << "no map " << name;
    return {};
}

TEST(Rv64Maps, NeedNoTrapMore) {
    const RemedyDecided decided = remedy_of("supervisor_in_user", {});
    EXPECT_EQ(decided.set.already, Verdict::yes);
    EXPECT_THAT(decided.statements, testing::IsEmpty());
}

// PM 3.1.11: a counter that user mode may read shows a guest the machine's time. CSRRS and the like read it, and write
// it unless rs1 or the immediate is 0; it is read-only, so these trap anyway (PM 2.1).
TEST(Rv64Maps, NeedTheTimeToTrapWhereItIsLeftReadable) {
    const RemedyDecided decided = remedy_of("supervisor_in_user", {{"mcounteren.TM", 1}, {"scounteren.TM", 1}});
    const std::string start = "trap privileged_instruction when priv == 0 && c.is(time) && ";
    EXPECT_THAT(decided.statements,
                testing::ElementsAre(start + "rs1 == 0;", start + "rs1 == 0;", start + "n == 0;", start + "n == 0;"));
    EXPECT_EQ(decided.set.exists(), Verdict::yes);
    EXPECT_EQ(decided.set.minimal(), Verdict::yes);
    EXPECT_EQ(decided.after, Verdict::yes);
}

// Zicbom and Zicboz: CMO 2.6 has each enable trap when 0, in any one of the registers that the mode asks. Zicfiss:
// nothing makes SSPUSH, SSPOPCHK and SSRDP trap (CFI priv, SSE state), so each mode has to have the guest's own
// setting.
MapDecided alone(const isa::Arguments& arguments, const std::string& map, const std::string& obligation,
                 const std::vector<std::pair<std::string, std::string>>& edits = {}) {
    std::string text = text_of(POGO_SPECS "/rv64.isa");
    for (const auto& [from, to] : edits)
        for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
            text.replace(at, from.size(), to);
    const isa::Spec spec = spec_of(text, arguments);
    check::Options options;
    options.witnesses = false;
    options.only = {obligation};
    for (const auto& one : spec.vm_maps) {
        if (one.name != map) continue;
        const auto findings = check::check_vm_map(spec, one, options);
        std::string settings;
        for (const auto& cube : findings.obligations.at(0).settings)
            settings += (settings.empty() ? "" : " | ") + check::text(spec, cube);
        return {settings, findings.holds_configured};
    }
    ADD_FAILURE() << "no map " << map;
    return {};
}

const isa::Arguments blocks{{"zicbom", "true"}, {"zicboz", "true"}};
const isa::Arguments shadows{{"zicfiss", "true"}};
const isa::Arguments guest_shadows{{"zicfiss", "true"}, {"hypervisor", "true"}};

TEST(Rv64Maps, NeedTheManagementOfCacheBlocksToTrap) {
    for (const char* map : {"machine_in_user", "supervisor_in_user"}) {
        EXPECT_EQ(alone(blocks, map, "cbo_inval").configuration, "menvcfg.CBIE = 0 | senvcfg.CBIE = 0");
        EXPECT_EQ(alone(blocks, map, "cbo_clean").configuration, "menvcfg.CBCFE = 0 | senvcfg.CBCFE = 0");
        EXPECT_EQ(alone(blocks, map, "cbo_flush").configuration, "menvcfg.CBCFE = 0 | senvcfg.CBCFE = 0");
        EXPECT_EQ(alone(blocks, map, "cbo_zero").configuration, "menvcfg.CBZE = 0 | senvcfg.CBZE = 0");
    }
}

TEST(Rv64Maps, NeedShadowStacksWhereTheGuestHasThem) {
    for (const char* map : {"machine_in_user", "supervisor_in_user"}) {
        EXPECT_EQ(alone(shadows, map, "ssrdp").configuration, "menvcfg.SSE = 1");
        EXPECT_EQ(alone(shadows, map, "sspush").configuration, "menvcfg.SSE = 1");
        EXPECT_EQ(alone(shadows, map, "ssamoswap_d").holds, Verdict::yes);
    }
    EXPECT_EQ(alone(guest_shadows, "guest_of_the_hypervisor", "ssrdp").configuration, "menvcfg.SSE = 1");
    EXPECT_EQ(alone(guest_shadows, "guest_of_the_hypervisor", "sspush").configuration, "menvcfg.SSE = 1");
}

// One and the same setting for all of the guest's modes mends none of them.
TEST(Rv64Maps, SayThatNoFixedSettingMendsShadowStacks) {
    const std::vector<std::pair<std::string, std::string>> fixed{
        {"when zicfiss { map { senvcfg.SSE = bits(1, active()); } }", "when zicfiss { synthesize { senvcfg.SSE; } }"},
        {"henvcfg.SSE = menvcfg.SSE;", ""}};
    for (const char* map : {"machine_in_user", "supervisor_in_user"}) {
        const MapDecided decided = alone(shadows, map, "ssrdp", fixed);
        EXPECT_EQ(decided.configuration, "");
        EXPECT_EQ(decided.holds, Verdict::no);
    }
    EXPECT_EQ(alone(guest_shadows, "guest_of_the_hypervisor", "ssrdp", fixed).configuration, "");
}

}  // namespace
}  // namespace pogo::integration
