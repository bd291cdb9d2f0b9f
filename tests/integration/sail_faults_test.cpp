// Sail models with mistakes in them: each changes the verdict that it should, and a witness that runs on the model
// shows it. SPDX-License-Identifier: Apache-2.0
//
// PM: RISC-V Privileged Architecture, version 20211203. The toy's modes and what they may do are in toy.ir.
#include <gmock/gmock.h>

#include <vector>

#include "check/vm_map.hpp"
#include "command.hpp"
#include "isa/sail.hpp"
#include "report/confirm.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using check::Verdict;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

/// `times` is how often a file has a text.
struct Edit {
    const char* file;
    std::string from;
    std::string to;
    unsigned times = 1;
};
using Edits = std::vector<Edit>;

/// A model, and the folder of its mapping.
struct Model {
    const char* file;
    const char* folder;
    const char* mapping;
    std::vector<const char*> files;  ///< that the mapping names
    Edits always;                    ///< what tests need of it besides
};
const Model toy = {POGO_TESTS "/unit/isa/sail/toy.ir",
                   POGO_TESTS "/unit/isa/sail",
                   "toy.toml",
                   {"toy.isa", "toy_code.ir"},
                   {// Paths that the model does not follow are other tests' subject.
                    {"model", "zz41 = zsail_assert(zz46, \"the base is below 0xff00\");", "zz41 = ();"},
                    {"toy.isa", "reset {", "assume legal_status = status[1..0] != 3;\nreset {"}}};
// Guests of a monitor in machine mode that run in supervisor mode are what TSR, TW and TVM are for (PM 3.1.6.5).
const Model riscv64 = {
    POGO_SHARED "/data/sail/riscv64.ir",
    POGO_SPECS "/sail",
    "riscv64.toml",
    {"riscv64.isa", "riscv64.ir"},
    {{"riscv64.isa", "context machine_user    {",
      "context machine_supervisor { supervisor machine; user supervisor; }\ncontext machine_user {"}}};

class SailTest : public FolderTest {
  protected:
    [[nodiscard]] isa::Spec imported(const Model& model, const Edits& edits) const {
        const auto copy = [&](const std::string& from, const std::string& name) {
            std::string text = text_of(from);
            for (const Edits& list : {model.always, edits})
                for (const Edit& edit : list)
                    if (edit.file == name) text = replaced(text, edit.from, edit.to, edit.times);
            return file(name, text);
        };
        for (const char* name : model.files) copy(std::string(model.folder) + "/" + name, name);
        const std::string mapping = copy(std::string(model.folder) + "/" + model.mapping, model.mapping);
        isa::SourceManager sources;
        isa::Diagnostics diagnostics;
        auto spec = isa::load_sail_file(sources, copy(model.file, "model"), mapping, {}, diagnostics);
        EXPECT_TRUE(spec.has_value()) << isa::render(diagnostics, sources);
        return std::move(spec.value());
    }
    static isa::Spec row_of(const isa::Spec& spec, const std::string& row) {
        const auto id = spec.find_instruction(row);
        EXPECT_TRUE(id.valid()) << row;
        return only(spec, id);
    }
};

struct Fault {
    const char* name;
    const Model& model;
    Edits mistake;
    std::string row;
    std::string context;
    std::string assumed;  ///< ELEMENT=VALUE or nothing
    std::string before;   ///< the class; with a ! Theorem 1 is refuted in the extended model
    std::string after;
    std::string property;  ///< of a witness that is new; none where the row is not sensitive, so that it has none
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class SailFault : public SailTest, public ::testing::WithParamInterface<Fault> {
  protected:
    void SetUp() override {
        SailTest::SetUp();
        if (!std::filesystem::exists(GetParam().model.file)) GTEST_SKIP() << "the official model is not there";
    }
};

TEST_P(SailFault, ChangesTheVerdictAndIsShown) {
    const Fault& fault = GetParam();
    const auto equals = fault.assumed.find('=');
    const auto decide = [&](const isa::Spec& spec) {
        check::Options options;
        options.context = spec.find_context(fault.context);
        EXPECT_TRUE(options.context->valid());
        if (!fault.assumed.empty())
            options.assumptions = {
                {spec.find_element(fault.assumed.substr(0, equals)), std::stoul(fault.assumed.substr(equals + 1))}};
        const auto findings = check::check(spec, options);
        EXPECT_THAT(findings.rows.at(0).unknowns, IsEmpty());
        model::Simulator simulator({.bare = true});
        const auto confirmed = report::confirm(spec, findings, simulator, {options.assumptions, 1, 64});
        EXPECT_EQ(confirmed.problem, "");
        EXPECT_THAT(confirmed.failures(spec), IsEmpty());
        return findings;
    };
    const auto said = [](const isa::Spec& spec, const check::Findings& found) {
        EXPECT_NE(found.theorem1_extended.holds, Verdict::unknown);
        return class_of(spec, found.rows.at(0)) + (found.theorem1_extended.holds == Verdict::no ? "!" : "");
    };
    const auto shown = [&](const check::Findings& found) -> const check::Witness* {
        for (const auto& witness : found.rows.at(0).witnesses)
            if (witness.property == fault.property) return &witness;
        return nullptr;
    };
    const isa::Spec right = row_of(imported(fault.model, {}), fault.row);
    const auto before = decide(right);
    EXPECT_EQ(said(right, before), fault.before);
    const isa::Spec wrong = row_of(imported(fault.model, fault.mistake), fault.row);
    const auto after = decide(wrong);
    EXPECT_EQ(said(wrong, after), fault.after);
    EXPECT_EQ(before.rows[0].completes_user, fault.before == "always" ? Verdict::no : Verdict::yes);
    EXPECT_EQ(after.rows[0].completes_user, Verdict::yes);
    if (fault.property.empty()) return;
    EXPECT_EQ(shown(before), nullptr);
    const auto* witness = shown(after);
    ASSERT_NE(witness, nullptr);
    // In user mode, under the configuration, it completes: that is what the mistake permits.
    const check::Side& user = witness->sides.back();
    EXPECT_TRUE(user.outcome.completes);
    for (const auto& part : wrong[wrong[wrong.find_context(fault.context)].user].cube)
        EXPECT_EQ(user.state.get(wrong[part.element]), part.value);
    if (!fault.assumed.empty()) {
        EXPECT_EQ(user.state.get(wrong[wrong.find_element(fault.assumed.substr(0, equals))]),
                  std::stoul(fault.assumed.substr(equals + 1)));
    }
}

// The toy lets user mode neither set the base nor return.
INSTANTIATE_TEST_SUITE_P(
    Toy, SailFault,
    ::testing::Values(Fault{"ReturnForAll",
                            toy,
                            {{"model", "jump @eq(zmode, zMachine) goto 93;", "goto 93;"}},
                            "return",
                            "machine_user",
                            "",
                            "always",
                            "never!",
                            "not privileged"},
                      Fault{"SetbaseForAll",
                            toy,
                            {{"model", "jump @not(@eq(zmode, zUser)) goto 70;", "goto 70;"}},
                            "setbase",
                            "machine_user",
                            "",
                            "always",
                            "never!",
                            "not privileged"},
                      // A bit that says where it does not trap.
                      Fault{"SetbaseByABit",
                            toy,
                            {{"model", "jump @not(@eq(zmode, zUser)) goto 70;",
                              "jump @or(@not(@eq(zmode, zUser)), @eq(@slice::<1>(zstatus.zbits, 7), 0b1)) goto 70;"}},
                            "setbase",
                            "machine_user",
                            "status=128",
                            "always",
                            "never!",
                            "not privileged"},
                      Fault{"AddTellsTheMode",
                            toy,
                            {{"model", "zflag = zeq_bits(zz52, 0x0000);", "zflag = @eq(zmode, zUser);"}},
                            "add",
                            "machine_user",
                            "",
                            "never",
                            "never!",
                            "mode-sensitive"}),
    [](const auto& fault) { return std::string(fault.param.name); });

// PM 3.1.6.5, 3.1.11, 2.1.
const Edits no_tsr = {{"model", "z_get_Mstatus_TSR(zmstatus)", "0b0"}};
const Edits no_tw = {{"model", "z_get_Mstatus_TW(zmstatus)", "0b0"}};
const Edits no_tvm_for_satp = {{"model", "z_get_Mstatus_TVM(zmstatus) `28 170:38-170:51", "0b0"}};
const Edits no_tvm_for_fences = {{"model", "z_get_Mstatus_TVM(zmstatus) `38 866:65-866:78", "0b0"}};
const Edits ir_of_scounteren = {{"model", "z_get_Counteren_TM(zscounteren)", "z_get_Counteren_IR(zscounteren)"}};
const Edits ir_of_mcounteren = {
    {"model", "z_get_Counteren_TM(zmcounteren) `28 179:21-179:36", "z_get_Counteren_IR(zmcounteren)"}};
// The model tests the mode twice, by the bits of the number and in its list of registers.
const Edits level_of_any = {{"model", "zprivLevel_to_bits(zp) `28 167:5-167:25", "0b11"}};
const Edits user_sscratch = {level_of_any[0],
                             {"model", "zeq_anythingzIEPrivilegez5zK(zp, zSupervisor) `28 142:45-142:60", "true"}};

INSTANTIATE_TEST_SUITE_P(
    Official, SailFault,
    ::testing::Values(Fault{"SretWithoutTsr", riscv64, no_tsr, "sret", "machine_supervisor", "mstatus.TSR=1", "always",
                            "never!", "not privileged"},
                      // The model's WFI goes on to mtimecmp, which is control.
                      Fault{"WfiWithoutTw", riscv64, no_tw, "wfi", "machine_supervisor", "mstatus.TW=1", "always",
                            "never!", "not privileged"},
                      Fault{"SatpWithoutTvm", riscv64, no_tvm_for_satp, "csrrw satp", "machine_supervisor",
                            "mstatus.TVM=1", "always", "never!", "not privileged"},
                      Fault{"FenceWithoutTvm", riscv64, no_tvm_for_fences, "sfence.vma", "machine_supervisor",
                            "mstatus.TVM=1", "always", "never", ""},
                      Fault{"TimeByAnotherBit", riscv64, ir_of_scounteren, "csrrs time", "supervisor_user",
                            "scounteren.TM=0", "always", "conditional when scounteren.IR = 0", ""},
                      Fault{"SscratchForAll", riscv64, user_sscratch, "csrrs sscratch", "supervisor_user", "", "always",
                            "never!", "not privileged"}),
    [](const auto& fault) { return std::string(fault.param.name); });

class OfficialModel : public SailTest {
  protected:
    void SetUp() override {
        SailTest::SetUp();
        if (!std::filesystem::exists(riscv64.file)) GTEST_SKIP() << "the official model is not there";
    }
    /// Which of these rows break the invariant.
    static std::vector<std::string> broken(const isa::Spec& spec, const std::vector<std::string>& rows,
                                           const std::string& invariant) {
        std::vector<std::string> by;
        for (const auto& row : rows) {
            check::Options options;
            options.witnesses = false;
            for (const auto& kept : check::check(row_of(spec, row), options).invariants)
                if (kept.name == invariant) {
                    EXPECT_NE(kept.holds, Verdict::unknown);
                    by.insert(by.end(), kept.broken_by.begin(), kept.broken_by.end());
                }
        }
        return by;
    }
    /// That of an instruction to supervisor_in_user, where a bit of the real machine is 0 or any is.
    static check::Obligation obligation(const isa::Spec& spec, const std::string& row, const std::string& zero = "") {
        check::Options options;
        options.only = {spec[spec.find_instruction(row)].identifier};
        if (!zero.empty()) options.assumptions = {{spec.find_element(zero), 0}};
        for (const auto& map : spec.vm_maps)
            if (map.name == "supervisor_in_user") return check::check_vm_map(spec, map, options).obligations.at(0);
        ADD_FAILURE() << "no map";
        return {};
    }
    static std::string settings(const isa::Spec& spec, const check::Obligation& obligation) {
        std::string text;
        for (const auto& cube : obligation.settings) text += (text.empty() ? "" : " | ") + check::text(spec, cube);
        return text;
    }
};

// PM 3.1.6.3: MRET and SRET clear MPRV when they leave machine mode, so only machine mode ever runs with it.
TEST_F(OfficialModel, ReturnsClearMprv) {
    const Edit invariant = {"riscv64.isa", "assume legal_mpp",
                            "invariant mprv = cur_privilege == 2 || mstatus.MPRV == 0;\nassume legal_mpp"};
    const std::vector<std::string> returns = {"mret", "sret"};
    EXPECT_THAT(broken(imported(riscv64, {invariant}), returns, "mprv"), IsEmpty());
    const Edit mret = {"model", "z_set_Mstatus_MPRV(&zmstatus, 0b0) `28 472:11-472:26", "()"};
    const Edit sret = {"model", "z_set_Mstatus_MPRV(&zmstatus, 0b0) `28 489:11-489:26", "()"};
    EXPECT_THAT(broken(imported(riscv64, {invariant, mret}), returns, "mprv"), ElementsAre("mret"));
    EXPECT_THAT(broken(imported(riscv64, {invariant, sret}), returns, "mprv"), ElementsAre("sret"));
}

// PM 4.1.11: a write of satp with a MODE that does not exist has no effect.
TEST_F(OfficialModel, SatpHoldsModesThatExist) {
    EXPECT_THAT(broken(imported(riscv64, {}), {"csrrw satp", "csrrs satp"}, "known_satp"), IsEmpty());
    const Edit any = {"model", "zz42 = zo `14 736:18-736:19", "zz42 = z_get_Satp64_bits(zz40)"};
    EXPECT_THAT(broken(imported(riscv64, {any}), {"csrrw satp", "csrrs satp"}, "known_satp"),
                ElementsAre("csrrw satp", "csrrs satp"));
}

// PM 3.1.6.1: MPP holds only modes that exist. The model of 2023 keeps 2: the mistake that riscv64.isa assumes away.
// Immediates do not reach MPP, and sstatus has none.
TEST_F(OfficialModel, KeepsTheReservedMpp) {
    const isa::Spec spec = imported(riscv64, {{"riscv64.isa", "assume legal_mpp", "invariant legal_mpp"}});
    EXPECT_THAT(broken(spec,
                       {"csrrw mstatus", "csrrs mstatus", "csrrc mstatus", "csrrwi mstatus", "csrrsi mstatus",
                        "csrrw sstatus", "mret"},
                       "legal_mpp"),
                ElementsAre("csrrw mstatus", "csrrs mstatus", "csrrc mstatus"));
}

TEST_F(OfficialModel, MapsSeeWhatUserModeMayRead) {
    const isa::Spec right = imported(riscv64, {});
    EXPECT_EQ(obligation(right, "csrrs sscratch").holds, Verdict::yes);
    EXPECT_EQ(settings(right, obligation(right, "csrrs time")), "mcounteren.TM = 0 | scounteren.TM = 0");
    EXPECT_EQ(obligation(right, "csrrs time", "mcounteren.TM").holds, Verdict::yes);
    // One test of the mode suffices: either way nothing is lost.
    EXPECT_EQ(obligation(imported(riscv64, level_of_any), "csrrs sscratch").holds, Verdict::yes);
    const isa::Spec open = imported(riscv64, user_sscratch);
    const auto leaks = obligation(open, "csrrs sscratch");
    EXPECT_EQ(leaks.holds, Verdict::no);
    EXPECT_EQ(settings(open, leaks), "");
    EXPECT_THAT(leaks.witnesses, Not(IsEmpty()));
    const isa::Spec another = imported(riscv64, ir_of_mcounteren);
    EXPECT_EQ(settings(another, obligation(another, "csrrs time")), "mcounteren.IR = 0 | scounteren.TM = 0");
    // The configuration that was right lets the guest read the host's time.
    const auto time = obligation(another, "csrrs time", "mcounteren.TM");
    EXPECT_EQ(time.holds, Verdict::no);
    ASSERT_THAT(time.witnesses, Not(IsEmpty()));
    const check::Side& real = time.witnesses[0].sides.back();
    EXPECT_TRUE(real.outcome.completes);
    EXPECT_EQ(real.state.get(another[another.find_element("mcounteren.TM")]), 0U);
    EXPECT_EQ(real.state.get(another[another.find_element("mcounteren.IR")]), 1U);
}

}  // namespace
}  // namespace pogo::integration
