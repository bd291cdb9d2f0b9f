// Tests of the confirmation: true findings hold on the model, false ones are found out.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "support.hpp"

namespace pogo::report {
namespace {

std::string all(const std::vector<std::string>& lines) {
    std::string result;
    for (const auto& line : lines) result += line + "\n";
    return result;
}

class Confirm : public testing::Test {
  protected:
    model::Simulator simulator{bare()};
    Confirmation run(const isa::Spec& spec, const check::Findings& findings, unsigned states = 64) {
        return confirm(spec, findings, simulator, {{}, 7, states});
    }
};

void expect_sound(const isa::Spec& spec, const check::Findings& findings, const Confirmation& confirmation) {
    EXPECT_EQ(confirmation.problem, "");
    EXPECT_EQ(all(confirmation.failures(spec)), "");
    EXPECT_TRUE(confirmation.holds());
    for (std::size_t i = 0; i < findings.rows.size(); ++i) {
        const std::string& name = spec.instructions[i].name;
        const Audit& audit = confirmation.audits[i];
        EXPECT_GE(audit.states, audit.wanted / 2) << name;
        if (findings.rows[i].completes_supervisor == check::Verdict::yes) {
            EXPECT_GT(audit.completes_supervisor, 0U) << name;
        }
        for (const auto& replay : confirmation.replays[i]) EXPECT_EQ(replay.status, ReplayStatus::confirmed) << name;
    }
}

TEST_F(Confirm, WitnessesAndProofsOfTheFlawedLectureCpuHold) {
    const Subject lecture("lecture.isa", flawed);
    const auto findings = check::check(lecture.spec, {});
    EXPECT_EQ(findings.theorem1_strict.holds, check::Verdict::no);
    expect_sound(lecture.spec, findings, run(lecture.spec, findings));
}

TEST_F(Confirm, WitnessesAndProofsOfTheMachineOf1974Hold) {
    const Subject pg74("pg74.isa", {{"lra", "true"}, {"jrst1", "true"}});
    const auto findings = check::check(pg74.spec, {});
    expect_sound(pg74.spec, findings, run(pg74.spec, findings));
}

TEST_F(Confirm, WitnessesAndProofsOfAnExtendedMachineHold) {
    const Subject lecture("lecture.isa", flawed, "lecture-vt.policy.isa");
    const auto findings = check::check(lecture.spec, {});
    expect_sound(lecture.spec, findings, run(lecture.spec, findings));
}

}  // namespace
}  // namespace pogo::report
