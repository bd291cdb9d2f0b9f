// Tests of the confirmation: true findings hold on the model, false ones are found out.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "support.hpp"

namespace pogo::report {
namespace {

using check::Verdict;

std::string all(const std::vector<std::string>& lines) {
    std::string result;
    for (const auto& line : lines) result += line + "\n";
    return result;
}

class Confirm : public testing::Test {
  protected:
    model::Simulator simulator{bare()};
    Confirmation run(const isa::Spec& spec, const check::Findings& findings, unsigned states = 64,
                     std::uint64_t seed = 7) {
        return confirm(spec, findings, simulator, {{}, seed, states});
    }
    void expect_sound(const isa::Spec& spec) {
        const auto findings = check::check(spec, {});
        const auto confirmation = run(spec, findings);
        EXPECT_EQ(confirmation.problem, "");
        EXPECT_EQ(all(confirmation.failures(spec)), "");
        EXPECT_TRUE(confirmation.holds());
        for (std::size_t i = 0; i < findings.rows.size(); ++i) {
            const std::string& name = spec.instructions[i].name;
            const Audit& audit = confirmation.audits[i];
            EXPECT_GE(audit.wanted, spec.instructions[i].form_count) << name;
            EXPECT_GE(audit.states, audit.wanted / 2) << name;
            EXPECT_GT(audit.pairs, 0U) << name;
            if (findings.rows[i].completes_supervisor == Verdict::yes) {
                EXPECT_GT(audit.completes_supervisor, 0U) << name;
            }
            for (const auto& replay : confirmation.replays[i])
                EXPECT_EQ(replay.status, ReplayStatus::confirmed) << name;
        }
    }
};

TEST_F(Confirm, TheLectureCpuHolds) { expect_sound(Machine("lecture.isa").spec); }
TEST_F(Confirm, TheFlawedLectureCpuHolds) { expect_sound(Machine("lecture.isa", flawed).spec); }
TEST_F(Confirm, TheExtendedLectureCpuHolds) {
    expect_sound(Machine("lecture.isa", flawed, "lecture-vt.policy.isa").spec);
}
TEST_F(Confirm, TheMachineOf1974Holds) { expect_sound(Machine("pg74.isa", {{"lra", "true"}, {"jrst1", "true"}}).spec); }
TEST_F(Confirm, TheExtendedMachineOf1974Holds) {
    expect_sound(Machine("pg74.isa", {{"lra", "true"}, {"jrst1", "true"}}, "pg74-vt.policy.isa").spec);
}
TEST_F(Confirm, TheBankedStackPointersOfThe68000Hold) { expect_sound(Machine("m68k.isa").spec); }
TEST_F(Confirm, The68010Holds) { expect_sound(Machine("m68k.isa", {{"model", "68010"}}).spec); }

// States that chance alone does not meet: what is assumed of many bits and of numbers of 64, and tables of three levels
// that lead to the instruction. Of the Alpha's 86 instructions two in a hundred states were found before any were
// looked for.
TEST_F(Confirm, FindsStatesThatMeetWhatIsAssumed) {
    const Machine alpha("alpha.isa");
    const Machine nested("aarch64.isa", {{"under", "guest_hypervisor"}, {"nesting", "feat_nv"}});
    for (const Machine* machine : {&alpha, &nested}) {
        check::Options options;
        options.witnesses = false;
        options.context = machine == &nested ? machine->spec.find_context("hypervisor_guest") : isa::ContextId{0};
        const auto confirmation = run(machine->spec, check::check(machine->spec, options), 16);
        EXPECT_EQ(all(confirmation.failures(machine->spec)), "");
        unsigned wanted = 0;
        unsigned states = 0;
        unsigned pairs = 0;
        for (const Audit& audit : confirmation.audits) {
            wanted += audit.wanted;
            states += audit.states;
            pairs += audit.pairs;
        }
        EXPECT_GT(states, wanted * 3 / 4);
        EXPECT_GT(pairs, states / 2);
    }
}

// A machine with a table of pages for user mode, one entry for each 256 units. What follows from it, by hand: a store
// goes to memory, which is no one's property; who reads or writes the table's base is location- or control-sensitive,
// whether or not the table is ever looked at.
const Machine::Text paged = {
    "paged.isa",
    "machine paged { endian big; address 16; }\n"
    "register pc : bits(16) role pc; regfile r[4] : bits(16) role data; register s : bits(1) role mode;\n"
    "register base : bits(16) role relocation;\n"
    "mode supervisor { s = 1; } mode user { s = 0; } context paged { supervisor supervisor; user user; }\n"
    "translate (va, access, units) page 8 {\n"
    "  if s == 1 { return va; }\n"
    "  let entry = physical[base + zext(va[15..8], 16), 1];\n"
    "  trap fault(va) when entry == 0;\n"
    "  trap fault(va) when access == Access.store && entry[0] == 0;\n"
    "  return entry @ va[7..0];\n"
    "}\n"
    "trap bad kind illegal { s = 1; pc = 0x10; }\n"
    "trap fault(va: bits(16)) kind memory { s = 1; pc = 0x20; }\n"
    "trap call kind call { s = 1; pc = 0x30; }\n"
    "trap privilege kind privilege { s = 1; pc = 0x40; }\n"
    "illegal bad;\n"
    "instruction add { encoding 0x1 a:2 b:2; assembly \"add r{a}, r{b}\"; r[a] = r[a] + r[b]; }\n"
    "instruction load { encoding 0x2 a:2 b:2; assembly \"load r{a}, r{b}\"; r[a] = mem[r[b], 2]; }\n"
    "instruction store { encoding 0x3 a:2 b:2; assembly \"store r{a}, r{b}\"; mem[r[b], 2] = r[a]; }\n"
    "instruction get_base { encoding 0x4 a:2 0b00; assembly \"get_base r{a}\"; r[a] = base; }\n"
    "instruction set_base { encoding 0x5 a:2 0b00; assembly \"set_base r{a}\"; trap privilege when s == 0; base = "
    "r[a]; }\n"
    "instruction call { encoding 0x60; assembly \"call\"; trap call; }\n"
    "instruction raw { encoding 0x7 a:2 b:2; assembly \"raw r{a}, r{b}\"; r[a] = zext(physical[r[b], 1], 16); }\n"
    "instruction copy { encoding 0x8 a:2 b:2; assembly \"copy r{a}, r{b}\"; let t = mem[r[b], 1]; mem[r[a], 1] = t; }\n"
    "timing { stages fetch, decode, execute, memory, writeback; fetch 1; forwarding on; load 0; store 0; branch 0; "
    "trap 1;\n"
    "  interrupt 1; class alu { occupies 1; latency 1; } }\n"};

TEST_F(Confirm, AMachineWithAPageTableHolds) { expect_sound(Machine(paged).spec); }

TEST_F(Confirm, AccessesThroughAPageTableAreInnocuous) {
    const Machine machine(paged);
    const auto findings = check::check(machine.spec, {});
    const auto confirmation = run(machine.spec, findings, 0);
    const auto row = [&](const char* name) -> const check::Row& {
        return findings.rows[machine.spec.find_instruction(name).index];
    };
    for (const char* name : {"add", "load", "store", "copy"}) {
        EXPECT_EQ(row(name).privileged, check::Privileged::never) << name;
        EXPECT_EQ(row(name).sensitive.extended, Verdict::no) << name;
    }
    EXPECT_EQ(row("call").privileged, check::Privileged::vacuous);
    EXPECT_EQ(row("set_base").privileged, check::Privileged::always);
    EXPECT_EQ(row("set_base").sensitive.strict, Verdict::yes);
    EXPECT_EQ(row("get_base").privileged, check::Privileged::never);
    EXPECT_EQ(row("get_base").sensitive.strict, Verdict::yes);
    EXPECT_EQ(row("get_base").critical.strict, Verdict::yes);
    EXPECT_EQ(row("raw").critical.strict, Verdict::no);  // by physical address: that needs no table
    EXPECT_EQ(findings.theorem1_strict.holds, Verdict::no);
    const auto& replays = confirmation.replays[machine.spec.find_instruction("get_base").index];
    EXPECT_FALSE(replays.empty());
    for (const auto& replay : replays) EXPECT_EQ(replay.status, ReplayStatus::confirmed);
}

// In user mode not a single instruction runs without the table, so a witness of user states has one: as little of it as
// is needed.
TEST_F(Confirm, WitnessesHaveThePageTableThatTheyNeed) {
    const Machine machine(paged);
    const auto findings = check::check(machine.spec, {});
    unsigned in_user_mode = 0;
    for (const auto& row : findings.rows)
        for (const auto& witness : row.witnesses)
            for (const auto& side : witness.sides) {
                if (side.state.get(machine.spec[machine.spec.find_element("s")]) != 0) continue;
                ++in_user_mode;
                const auto base = side.state.get(machine.spec[machine.spec.find_element("base")]);
                const auto pc = side.state.get(machine.spec[machine.spec.pc]);
                const auto entry = (base + (pc >> 8)) & 0xffff;
                const auto cell = side.memory.find(entry);
                EXPECT_TRUE(cell != side.memory.end() && cell->second != 0) << machine.spec[row.instruction].name;
            }
    EXPECT_GT(in_user_mode, 0U);
}

TEST_F(Confirm, IsTheSameTwiceAndInAnyOrder) {
    const Machine machine("lecture.isa", flawed);
    auto findings = check::check(machine.spec, {});
    const auto first = run(machine.spec, findings);
    const auto second = run(machine.spec, findings);
    ASSERT_EQ(first.audits.size(), second.audits.size());
    for (std::size_t i = 0; i < first.audits.size(); ++i) {
        EXPECT_EQ(first.audits[i].pairs, second.audits[i].pairs);
        EXPECT_EQ(first.audits[i].completes_user, second.audits[i].completes_user);
    }
    // A row's states do not depend on other rows: without the last ones the first are the same.
    for (auto& row : findings.rows) row.witnesses.clear();
    const auto third = run(machine.spec, findings);
    for (std::size_t i = 0; i < first.audits.size(); ++i) EXPECT_EQ(first.audits[i].pairs, third.audits[i].pairs);
}

TEST_F(Confirm, NoStatesMeansNoAudit) {
    const Machine machine("pg74.isa");
    const auto confirmation = run(machine.spec, check::check(machine.spec, {}), 0);
    EXPECT_TRUE(confirmation.holds());
    for (const auto& audit : confirmation.audits) EXPECT_EQ(audit.states, 0U);
}

TEST_F(Confirm, TracesFollowThePipeline) {
    const Machine machine("lecture.isa", flawed);
    const auto findings = check::check(machine.spec, {});
    const auto confirmation = run(machine.spec, findings, 0);
    const auto row = machine.spec.find_instruction("rdccr").index;
    ASSERT_FALSE(confirmation.replays[row].empty());
    const Trace& trace = confirmation.replays[row].front().traces.front();
    ASSERT_EQ(trace.stages.size(), machine.spec.timing.stages.size());
    for (std::size_t i = 0; i < trace.stages.size(); ++i) {
        EXPECT_EQ(trace.stages[i].name, machine.spec.timing.stages[i]);
        EXPECT_EQ(trace.stages[i].first, i);
    }
    EXPECT_EQ(trace.cycles, trace.stages.back().last + 1);
    EXPECT_TRUE(trace.traps.empty());
}

/// Findings of the flawed lecture CPU with one lie in them.
class FalseFindings : public Confirm {
  protected:
    Machine machine{"lecture.isa", flawed};
    check::Findings findings = check::check(machine.spec, {});
    check::Row& row(std::string_view name) { return findings.rows[machine.spec.find_instruction(name).index]; }

    void expect_contradiction(const std::string& instruction, const std::string& words) {
        const auto confirmation = run(machine.spec, findings);
        EXPECT_FALSE(confirmation.holds());
        const auto failures = confirmation.failures(machine.spec);
        ASSERT_FALSE(failures.empty());
        for (const auto& failure : failures) EXPECT_EQ(failure.find(instruction), 0U) << failure;
        EXPECT_NE(all(failures).find(words), std::string::npos) << all(failures);
    }
    void expect_failed_replay(const std::string& words) {
        const auto confirmation = run(machine.spec, findings, 0);
        EXPECT_FALSE(confirmation.holds());
        const auto failures = confirmation.failures(machine.spec);
        ASSERT_EQ(failures.size(), 1U);
        EXPECT_NE(failures[0].find(words), std::string::npos) << failures[0];
    }
};

TEST_F(FalseFindings, AnUnprivilegedInstructionIsNotPrivileged) {
    row("add").always = Verdict::yes;
    expect_contradiction("add", "proved: privileged");
}
TEST_F(FalseFindings, APrivilegedInstructionIsNotNeverPrivileged) {
    row("sti").privileged = check::Privileged::never;
    expect_contradiction("sti", "proved: never privileged");
}
TEST_F(FalseFindings, ModeSensitivityIsNotOverlooked) {
    std::erase_if(row("rdccr").depends_on, [](const auto& d) { return d.subject.name == "mode"; });
    expect_contradiction("rdccr", "not mode-sensitive");
}
TEST_F(FalseFindings, LocationSensitivityIsNotOverlooked) {
    std::erase_if(row("lra").depends_on, [](const auto& d) { return d.subject.name == "base"; });
    expect_contradiction("lra", "does not depend on base");
}
TEST_F(FalseFindings, ConfigurationSensitivityIsNotOverlooked) {
    std::erase_if(row("get control").depends_on, [](const auto& d) { return d.subject.name == "eva"; });
    expect_contradiction("get control", "does not depend on eva");
}
TEST_F(FalseFindings, JointSensitivityIsNotOverlooked) {
    row("get control").behavior.extended = Verdict::no;
    expect_contradiction("get control", "does not depend on base+limit+");
}
TEST_F(FalseFindings, ControlSensitivityIsNotOverlooked) {
    row("put control").writes.clear();
    expect_contradiction("put control", "does not write");
}
TEST_F(FalseFindings, VacuityIsNotOverlooked) {
    row("branch").completes_user = Verdict::no;
    expect_contradiction("branch", "completes in no user state");
}
TEST_F(FalseFindings, AWrongRegisterFailsToReplay) {
    check::Side& side = row("rdccr").witnesses.back().sides[0];
    ASSERT_TRUE(side.outcome.completes);
    side.outcome.post.slots[machine.spec[machine.spec.pc].slot] ^= 8;
    expect_failed_replay("state 1: pc: predicted 0x0000000c, observed 0x00000004");
}
TEST_F(FalseFindings, AWrongTrapFailsToReplay) {
    check::Side& side = row("popf").witnesses.front().sides[1];
    side.outcome.completes = false;
    side.outcome.cause = machine.spec.find_cause("privilege_violation");
    expect_failed_replay("state 2: predicted: trap privilege_violation; observed: it completes");
}
TEST_F(FalseFindings, WrongMemoryFailsToReplay) {
    check::Side& side = row("popf").witnesses.front().sides[0];
    side.outcome.memory[0x100] = 1;
    expect_failed_replay("memory 0x00000100: predicted 0x01, observed 0x00");
}
TEST_F(FalseFindings, AnotherInstructionFailsToReplay) {
    for (check::Side& side : row("popf").witnesses.front().sides) side.memory.clear();
    expect_failed_replay("no instruction is decoded");
}

}  // namespace
}  // namespace pogo::report
