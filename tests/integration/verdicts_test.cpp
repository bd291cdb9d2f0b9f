// Verdicts on the shipped machines against what has been published about them.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "support.hpp"

namespace pogo::integration {
namespace {

using check::Privileged;
using check::Verdict;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Names = std::set<std::string>;

check::Findings findings(const isa::Spec& spec) {
    check::Options options;
    options.jobs = 2;
    return check::check(spec, options);
}
Names critical(const isa::Spec& spec, const check::Findings& found) {
    return rows(spec, found, [](const check::Row& row) { return row.critical.strict != Verdict::no; });
}
Names critical_extended(const isa::Spec& spec, const check::Findings& found) {
    return rows(spec, found, [](const check::Row& row) { return row.critical.extended != Verdict::no; });
}
const check::Row& row(const isa::Spec& spec, const check::Findings& found, std::string_view name) {
    return found.rows.at(spec.find_instruction(name).index);
}
std::vector<std::string> dependences(const check::Row& row) {
    std::vector<std::string> names;
    for (const auto& dependence : row.depends_on)
        if (dependence.kind != check::Kind::joint) names.push_back(dependence.subject.name);
    return names;
}

// M68000 Family Programmer's Reference Manual, section 6: MOVE from SR is not privileged on the MC68000 and is on the
// MC68010; MC68010 data sheet: "to support virtual machines". It is the only such instruction.
TEST(M68000, IsRefutedByMoveFromSrAlone) {
    const isa::Spec spec = machine("m68k.isa", {{"model", "68000"}});
    const auto found = findings(spec);
    EXPECT_THAT(critical(spec, found), ElementsAre("MOVE from SR"));
    EXPECT_THAT(critical_extended(spec, found), ElementsAre("MOVE from SR"));
    EXPECT_EQ(found.theorem1_strict.holds, Verdict::no);
    EXPECT_EQ(found.theorem1_extended.holds, Verdict::no);
    // Its results differ between the modes, never between two states of user mode that differ in relocation.
    EXPECT_EQ(found.theorem3_strict.holds, Verdict::yes);
    const auto& move = row(spec, found, "MOVE from SR");
    EXPECT_EQ(move.privileged, Privileged::never);
    EXPECT_EQ(move.control.strict, Verdict::no);
    EXPECT_THAT(dependences(move), ::testing::Contains("mode"));
    EXPECT_FALSE(move.witnesses.empty());
}

// M68000PRM section 6.1, table of privileged instructions of the MC68000.
TEST(M68000, HasThePrivilegedInstructionsOfItsManual) {
    const isa::Spec spec = machine("m68k.isa", {{"model", "68000"}});
    const auto found = findings(spec);
    EXPECT_THAT(rows(spec, found, [](const check::Row& r) { return r.privileged == Privileged::always; }),
                ElementsAre("ANDI to SR", "EORI to SR", "MOVE USP", "MOVE to SR", "ORI to SR", "RESET", "RTE", "STOP"));
}

TEST(M68010, IsProved) {
    const isa::Spec spec = machine("m68k.isa", {{"model", "68010"}});
    const auto found = findings(spec);
    EXPECT_THAT(critical_extended(spec, found), IsEmpty());
    EXPECT_EQ(found.theorem1_strict.holds, Verdict::yes);
    EXPECT_EQ(found.theorem1_extended.holds, Verdict::yes);
    EXPECT_EQ(found.theorem3_strict.holds, Verdict::yes);
}

TEST(M68000, IsProvedWithAVirtualizedBit) {
    const isa::Spec spec = machine("m68k.isa", {{"model", "68000"}}, "m68k-vt.policy.isa");
    const auto found = findings(spec);
    EXPECT_EQ(found.context, "vt");
    EXPECT_THAT(critical_extended(spec, found), IsEmpty());
    EXPECT_EQ(found.theorem1_strict.holds, Verdict::yes);
    EXPECT_EQ(found.theorem1_extended.holds, Verdict::yes);
    // Entering the virtual state is itself privileged: a monitor can run under a monitor.
    EXPECT_EQ(row(spec, found, "VMENTER").privileged, Privileged::always);
}

struct Flaw {
    const char* parameter;  // empty: none
    const char* instruction;
    const char* element;
    bool theorem1;
    bool theorem3;
    bool theorem1_vt;
};
void PrintTo(const Flaw& flaw, std::ostream* out) { *out << flaw.parameter; }
class Lecture : public ::testing::TestWithParam<Flaw> {
  protected:
    static isa::Arguments arguments() {
        if (std::string(GetParam().parameter).empty()) return {};
        return {{GetParam().parameter, "true"}};
    }
};

TEST_P(Lecture, IsRefutedByTheFlawAlone) {
    const isa::Spec spec = machine("lecture.isa", arguments());
    const auto found = findings(spec);
    const Flaw& flaw = GetParam();
    EXPECT_EQ(found.theorem1_strict.holds, flaw.theorem1 ? Verdict::yes : Verdict::no);
    EXPECT_EQ(found.theorem1_extended.holds, flaw.theorem1 ? Verdict::yes : Verdict::no);
    EXPECT_EQ(found.theorem3_strict.holds, flaw.theorem3 ? Verdict::yes : Verdict::no);
    if (flaw.theorem1) {
        EXPECT_THAT(critical_extended(spec, found), IsEmpty());
        return;
    }
    EXPECT_THAT(critical(spec, found), ElementsAre(flaw.instruction));
    EXPECT_THAT(dependences(row(spec, found, flaw.instruction)), ::testing::Contains(flaw.element));
}

TEST_P(Lecture, KeepsUnderTheExtensionOnlyWhatShowsRelocation) {
    const isa::Spec spec = machine("lecture.isa", arguments(), "lecture-vt.policy.isa");
    const auto found = findings(spec);
    EXPECT_EQ(found.theorem1_strict.holds, GetParam().theorem1_vt ? Verdict::yes : Verdict::no);
    EXPECT_EQ(found.theorem1_extended.holds, GetParam().theorem1_vt ? Verdict::yes : Verdict::no);
    if (!GetParam().theorem1_vt) {
        EXPECT_THAT(critical(spec, found), ElementsAre(GetParam().instruction));
    }
}

// Popek & Goldberg 1974, section 3 names the load-real-address flaw; Robin & Irvine 2000 the POPF and PUSHF ones.
INSTANTIATE_TEST_SUITE_P(Flaws, Lecture,
                         ::testing::Values(Flaw{"", "", "", true, true, true},
                                           Flaw{"popf", "popf", "mode", false, true, true},
                                           Flaw{"read_ccr", "rdccr", "mode", false, true, true},
                                           Flaw{"lra", "lra", "base", false, false, false}),
                         [](const auto& flaw) {
                             const std::string name = flaw.param.parameter;
                             return name.empty() ? std::string("none") : name;
                         });

TEST(Lecture, PopfIsAControlSensitiveSilentWrite) {
    const isa::Spec spec = machine("lecture.isa", {{"popf", "true"}});
    const auto found = findings(spec);
    const auto& popf = row(spec, found, "popf");
    EXPECT_EQ(popf.privileged, Privileged::never);
    EXPECT_EQ(popf.control.strict, Verdict::yes);
    std::set<std::string> written;
    for (const auto& write : popf.writes) {
        written.insert(write.subject.name);
        EXPECT_EQ(write.user, Verdict::no) << write.subject.name;  // in user mode it silently does nothing
    }
    EXPECT_THAT(written, ElementsAre("ccr.I", "mode"));
}

// Popek & Goldberg 1974: the third-generation machine satisfies Theorem 1; a load-real-address instruction is
// location-sensitive (section 3); JRST 1 of the PDP-10 defeats Theorem 1 but not the hybrid monitor (section 5).
TEST(Pg74, BehavesAsThePaperSays) {
    const auto verdicts = [](const isa::Arguments& arguments) {
        const auto found = findings(machine("pg74.isa", arguments));
        return std::tuple(found.theorem1_strict.holds, found.theorem1_extended.holds, found.theorem3_strict.holds);
    };
    EXPECT_EQ(verdicts({}), std::tuple(Verdict::yes, Verdict::yes, Verdict::yes));
    EXPECT_EQ(verdicts({{"lra", "true"}}), std::tuple(Verdict::no, Verdict::no, Verdict::no));
    EXPECT_EQ(verdicts({{"jrst1", "true"}}), std::tuple(Verdict::no, Verdict::no, Verdict::yes));
}

// Copied registers are data like others. With two blocks the pointer belongs to the mode, so whatever names a register
// depends on that; but a guest neither changes it nor sees it change, as Theorem 3 and the invariant `block == M` say.
TEST(Switch, KeepsWorldsApart) {
    for (const char* saved : {"1", "5", "64"}) {
        for (const char* hardware : {"false", "true"}) {
            const auto found =
                findings(machine("switch.isa", {{"saved", saved}, {"blocks", "1"}, {"hardware", hardware}}));
            EXPECT_EQ(found.theorem1_extended.holds, Verdict::yes) << saved;
            EXPECT_EQ(found.theorem3_extended.holds, Verdict::yes) << saved;
        }
        const isa::Spec spec = machine("switch.isa", {{"saved", saved}, {"blocks", "2"}});
        const auto found = findings(spec);
        EXPECT_THAT(critical(spec, found), ElementsAre("add", "load", "load immediate", "store")) << saved;
        EXPECT_EQ(found.theorem3_extended.holds, Verdict::yes) << saved;
        for (const auto& invariant : found.invariants) EXPECT_EQ(invariant.holds, Verdict::yes) << saved;
    }
}

// All of the unprivileged instructions are innocuous and complete in either mode, but for the calls, which never do.
TEST(Rv64, HasNothingSensitiveAmongItsUnprivilegedInstructions) {
    const isa::Spec spec = machine("rv64.isa");
    check::Options options;
    options.witnesses = false;
    options.jobs = 2;
    const auto found = check::check(spec, options);
    const auto first = spec.find_instruction("addi");
    for (const auto& each : found.rows) {
        if (each.instruction.index < first.index) continue;
        const std::string& name = spec[each.instruction].name;
        EXPECT_EQ(each.control.extended, Verdict::no) << name;
        EXPECT_EQ(each.behavior.extended, Verdict::no) << name;
        const bool calls = name == "ecall" || name == "ebreak" || name == "c.ebreak";
        EXPECT_EQ(each.privileged, calls ? Privileged::vacuous : Privileged::never) << name;
    }
}

}  // namespace
}  // namespace pogo::integration
