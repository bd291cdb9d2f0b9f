// What verdicts on the shipped machines say beyond the known answers of tests/machines/*.toml.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "support.hpp"

namespace pogo::integration {
namespace {

using check::Privileged;
using check::Verdict;
using ::testing::ElementsAre;
using Names = std::set<std::string>;

check::Findings findings(const isa::Spec& spec) {
    check::Options options;
    options.jobs = 2;
    return check::check(spec, options);
}
Names critical(const isa::Spec& spec, const check::Findings& found) {
    return rows(spec, found, [](const check::Row& row) { return row.critical.strict != Verdict::no; });
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

// M68000 Family Programmer's Reference Manual, section 6: what MOVE from SR shows is the mode.
TEST(M68000, ShowsItsModeByMoveFromSr) {
    const isa::Spec spec = machine("m68k.isa", {{"model", "68000"}});
    const auto found = findings(spec);
    const auto& move = row(spec, found, "MOVE from SR");
    EXPECT_THAT(dependences(move), ::testing::Contains("mode"));
    EXPECT_FALSE(move.witnesses.empty());
}

TEST(M68000, IsAskedAboutItsVirtualStateByDefaultWhereItHasOne) {
    EXPECT_EQ(findings(machine("m68k.isa", {}, "m68k-vt.policy.isa")).context, "vt");
}

// Popek & Goldberg 1974, section 3 names the load-real-address flaw; Robin & Irvine 2000 the POPF and PUSHF ones.
TEST(Lecture, ShowsByEachFlawWhatItIsAbout) {
    const auto shown = [](const char* flaw, const char* instruction) {
        const isa::Spec spec = machine("lecture.isa", {{flaw, "true"}});
        return dependences(row(spec, findings(spec), instruction));
    };
    EXPECT_THAT(shown("popf", "popf"), ::testing::Contains("mode"));
    EXPECT_THAT(shown("read_ccr", "rdccr"), ::testing::Contains("mode"));
    EXPECT_THAT(shown("lra", "lra"), ::testing::Contains("base"));
}

TEST(Lecture, PopfIsAControlSensitiveSilentWrite) {
    const isa::Spec spec = machine("lecture.isa", {{"popf", "true"}});
    const auto found = findings(spec);
    const auto& popf = row(spec, found, "popf");
    std::set<std::string> written;
    for (const auto& write : popf.writes) {
        written.insert(write.subject.name);
        EXPECT_EQ(write.user, Verdict::no) << write.subject.name;  // in user mode it silently does nothing
    }
    EXPECT_THAT(written, ElementsAre("ccr.I", "mode"));
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
