// The classes of hand-built machines, derived in comments from docs/semantics.md.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "interpreter.hpp"
#include "toy.hpp"

namespace pogo::check {
namespace {

using isa::Term;
using toy::Machine;

const Dependence* dependence(const Row& row, std::string_view element) {
    for (const auto& d : row.depends_on)
        if (d.subject.name == element) return &d;
    return nullptr;
}

const Written* written(const Row& row, std::string_view element) {
    for (const auto& w : row.writes)
        if (w.subject.name == element) return &w;
    return nullptr;
}

const Witness* witness(const Row& row, std::string_view property) {
    for (const auto& w : row.witnesses)
        if (w.property == property) return &w;
    return nullptr;
}

class Zoo : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        machine = new Machine(toy::zoo());
        findings = new Findings(check(machine->spec, {}));
    }
    static void TearDownTestSuite() {
        delete findings;
        delete machine;
    }
    const Row& row(std::string_view name) { return toy::row(machine->spec, *findings, name); }
    const isa::Spec& spec() { return machine->spec; }
    static Machine* machine;
    static Findings* findings;
};
Machine* Zoo::machine = nullptr;
Findings* Zoo::findings = nullptr;

void expect(const Models& models, Verdict strict, Verdict extended) {
    EXPECT_EQ(models.strict, strict);
    EXPECT_EQ(models.extended, extended);
}
constexpr auto no = Verdict::no;
constexpr auto yes = Verdict::yes;

TEST_F(Zoo, NothingIsUnknown) { EXPECT_EQ(toy::text(spec(), *findings).find("unknown"), std::string::npos); }

TEST_F(Zoo, WitnessesAreSound) { toy::expect_sound(spec(), *findings); }

TEST_F(Zoo, NopIsInnocuous) {
    const Row& r = row("nop");
    EXPECT_EQ(r.privileged, Privileged::never);
    expect(r.sensitive, no, no);
    expect(r.critical, no, no);
    EXPECT_TRUE(r.witnesses.empty());
    EXPECT_EQ(r.completes_supervisor, yes);
    EXPECT_EQ(r.completes_user, yes);
}

TEST_F(Zoo, PrivilegedIsAlways) {
    // Traps wherever S = 0. Clears IE: control-sensitive, in supervisor mode alone, and covered by its trap.
    const Row& r = row("cli");
    EXPECT_EQ(r.privileged, Privileged::always);
    EXPECT_EQ(r.completes_user, no);
    expect(r.control, no, yes);
    ASSERT_NE(written(r, "IE"), nullptr);
    EXPECT_EQ(written(r, "IE")->supervisor, yes);
    EXPECT_EQ(written(r, "IE")->user, no);
    expect(r.critical, no, no);
    expect(r.supervisor_sensitive, no, yes);
    expect(r.user_sensitive, no, no);
}

TEST_F(Zoo, SilentReadOfConfiguration) {
    const Row& r = row("smsw");
    EXPECT_EQ(r.privileged, Privileged::never);
    expect(r.behavior, no, yes);
    ASSERT_NE(dependence(r, "IE"), nullptr);
    EXPECT_EQ(dependence(r, "IE")->kind, Kind::configuration);
    EXPECT_EQ(dependence(r, "IE")->supervisor, yes);
    EXPECT_EQ(dependence(r, "IE")->user, yes);
    EXPECT_EQ(r.depends_on.size(), 1U);
    expect(r.critical, no, yes);
}

TEST_F(Zoo, ReadOfTheMode) {
    const Row& r = row("getmode");
    expect(r.behavior, yes, yes);
    ASSERT_NE(dependence(r, "mode"), nullptr);
    expect(r.critical, yes, yes);
    expect(r.user_sensitive, no, no);
    const Witness* w = witness(r, "mode-sensitive");
    ASSERT_NE(w, nullptr);
    ASSERT_EQ(w->sides.size(), 2U);
    const isa::State& one = w->sides[0].state;
    const isa::State& two = w->sides[1].state;
    for (const auto& element : spec().elements)
        for (unsigned i = 0; i < element.slots(); ++i)
            EXPECT_EQ(one.get(element, i) != two.get(element, i), element.name == "S") << element.name;
    // bound = 1 is the least with which pc = 0 can be fetched; everything else is zero.
    EXPECT_EQ(one.get(spec()[machine->bound]), 1U);
    EXPECT_EQ(one.get(spec()[machine->pc]), 0U);
    EXPECT_EQ(w->sides[0].memory, (std::map<std::uint64_t, std::uint64_t>{{0, 3U << 3}}));
    EXPECT_TRUE(w->sides[0].outcome.completes);
    EXPECT_EQ(w->sides[0].outcome.post.get(spec()[machine->r], 0), 1U);
    EXPECT_EQ(w->sides[1].outcome.post.get(spec()[machine->r], 0), 0U);
    EXPECT_EQ(w->sides[1].outcome.post.get(spec()[machine->pc]), 1U);
}

TEST_F(Zoo, SilentSuppressionOfAWrite) {
    // IE follows r0 in one mode and not in the other: the results differ in IE, which is not the mode.
    const Row& r = row("popf");
    expect(r.behavior, yes, yes);
    expect(r.control, no, yes);
    EXPECT_EQ(written(r, "IE")->supervisor, yes);
    EXPECT_EQ(written(r, "IE")->user, no);
    EXPECT_EQ(dependence(r, "IE"), nullptr);  // compared outside IE, which alone can differ
    expect(r.critical, yes, yes);
}

TEST_F(Zoo, PhysicalAddressInARegister) {
    const Row& r = row("lra");
    expect(r.behavior, yes, yes);
    ASSERT_NE(dependence(r, "base"), nullptr);
    EXPECT_EQ(dependence(r, "base")->kind, Kind::location);
    EXPECT_EQ(dependence(r, "bound"), nullptr);
    EXPECT_EQ(dependence(r, "mode"), nullptr);
    expect(r.user_sensitive, yes, yes);
    expect(r.critical, yes, yes);
    // Both states see the instruction at the same virtual address, at different physical ones.
    const Witness* w = witness(r, "location-sensitive");
    ASSERT_NE(w, nullptr);
    EXPECT_EQ(w->sides[0].state.get(spec()[machine->base]), 0U);
    EXPECT_EQ(w->sides[1].state.get(spec()[machine->base]), 1U);
    EXPECT_EQ(w->sides[0].memory.begin()->first, 0U);
    EXPECT_EQ(w->sides[1].memory.begin()->first, 1U);
    EXPECT_EQ(w->sides[0].memory.begin()->second, w->sides[1].memory.begin()->second);
}

TEST_F(Zoo, CallIsVacuousAndInnocuous) {
    const Row& r = row("svc");
    EXPECT_EQ(r.privileged, Privileged::vacuous);
    EXPECT_EQ(r.always, no);
    expect(r.sensitive, no, no);
    EXPECT_EQ(r.completes_supervisor, no);
}

TEST_F(Zoo, DropToUserMode) {
    // PDP-10 JRST 1 (Popek & Goldberg 1974, section 6): supervisor- but not user-sensitive.
    const Row& r = row("jrst");
    expect(r.control, yes, yes);
    EXPECT_EQ(written(r, "mode")->supervisor, yes);
    EXPECT_EQ(written(r, "mode")->user, no);
    expect(r.behavior, no, no);
    expect(r.supervisor_sensitive, yes, yes);
    expect(r.user_sensitive, no, no);
    expect(r.critical, yes, yes);
    const auto& against = findings->theorem3_extended.against;
    EXPECT_EQ(std::count(against.begin(), against.end(), r.instruction), 0);
}

TEST_F(Zoo, ConditionIsFound) {
    const Row& tsd = row("rdtsc_tsd");
    EXPECT_EQ(tsd.privileged, Privileged::conditional);
    ASSERT_TRUE(tsd.privileged_when.has_value());
    EXPECT_EQ(text(spec(), *tsd.privileged_when), "TSD = 1");
    EXPECT_TRUE(tsd.privileged_when->complete);
    expect(tsd.critical, no, yes);  // conditional does not count as privileged
    const Row& iopl = row("in_iopl");
    EXPECT_EQ(text(spec(), *iopl.privileged_when), "IOPL<1> = 0");
}

TEST_F(Zoo, ConditionOnDataIsNoCondition) {
    const Row& r = row("on_data");
    EXPECT_EQ(r.privileged, Privileged::conditional);
    EXPECT_TRUE(r.privileged_when->cubes.empty());
    EXPECT_FALSE(r.privileged_when->complete);
}

TEST_F(Zoo, JointDependence) {
    // The invariant twin0 = twin1 forbids either to differ alone.
    const Row& r = row("twins");
    expect(r.behavior, no, yes);
    ASSERT_EQ(r.depends_on.size(), 1U);
    EXPECT_EQ(r.depends_on[0].kind, Kind::joint);
    EXPECT_EQ(r.depends_on[0].subject.name, "twin0+twin1");
}

TEST_F(Zoo, TimeIsReportedOnItsOwn) {
    const Row& r = row("rdtime");
    EXPECT_EQ(r.time_sensitive, yes);
    expect(r.sensitive, no, no);
    EXPECT_EQ(dependence(r, "timer")->kind, Kind::time);
}

TEST_F(Zoo, InputsAreIo) {
    const Row& r = row("rdline");
    expect(r.behavior, no, yes);
    EXPECT_EQ(dependence(r, "line")->subject.role, isa::Role::io);
}

TEST_F(Zoo, UnpredictableChoiceIsSharedByThePair) {
    expect(row("undefined").sensitive, no, no);
    // In user mode any value may come out, in supervisor mode zero does.
    const Row& r = row("undefined_user");
    expect(r.behavior, yes, yes);
    EXPECT_EQ(witness(r, "mode-sensitive")->choices, (std::vector<std::uint64_t>{1}));
}

TEST_F(Zoo, MemoryIsSeenThroughRelocation) {
    expect(row("load").sensitive, no, no);
    expect(row("store").sensitive, no, no);
    EXPECT_EQ(row("load").privileged, Privileged::never);
}

TEST_F(Zoo, Regions) {
    const Row& read = row("read_cell");
    expect(read.behavior, no, yes);
    EXPECT_EQ(dependence(read, "cells")->kind, Kind::configuration);
    expect(read.control, no, no);
    const Row& write = row("write_cell");
    expect(write.behavior, no, no);
    expect(write.control, no, yes);
    EXPECT_EQ(written(write, "cells")->user, yes);
    // From one cell to another of the same region: nothing outside it differs.
    const Row& copy = row("copy_cells");
    expect(copy.behavior, no, no);
    expect(copy.control, no, yes);
    expect(row("beyond_cells").sensitive, no, no);
}

TEST_F(Zoo, TheFormThatLeaksIsNamed) {
    const Row& r = row("two_forms");
    expect(r.behavior, yes, yes);
    const Witness* w = witness(r, "mode-sensitive");
    ASSERT_NE(w, nullptr);
    EXPECT_EQ(w->form.index, spec()[r.instruction].first_form + 1);
    EXPECT_EQ(w->fields, (std::vector<std::uint64_t>{5}));
}

TEST_F(Zoo, Theorems) {
    EXPECT_EQ(findings->theorem1_strict.holds, no);
    std::vector<std::string> names;
    for (const auto id : findings->theorem1_strict.against) names.push_back(spec()[id].name);
    EXPECT_EQ(names, (std::vector<std::string>{"getmode", "popf", "lra", "jrst", "undefined_user", "two_forms"}));
    names.clear();
    for (const auto id : findings->theorem3_strict.against) names.push_back(spec()[id].name);
    EXPECT_EQ(names, (std::vector<std::string>{"lra"}));
}

TEST_F(Zoo, AConfigurationImpliesTheCondition) {
    Options options;
    options.assumptions = {{spec().find_element("TSD"), 1}};
    const Findings under = check(spec(), options);
    const Row& r = toy::row(spec(), under, "rdtsc_tsd");
    EXPECT_EQ(r.privileged, Privileged::always);
    expect(r.critical, no, no);
    EXPECT_EQ(toy::row(spec(), under, "in_iopl").privileged, Privileged::conditional);
}

TEST_F(Zoo, TheLimitNeverPasses) {
    Options options;
    options.rlimit = 1;
    const Findings limited = check(spec(), options);
    EXPECT_EQ(limited.theorem1_strict.holds, Verdict::unknown);
    for (std::size_t i = 0; i < limited.rows.size(); ++i) {
        const Row& cut = limited.rows[i];
        const Row& full = findings->rows[i];
        EXPECT_TRUE(cut.witnesses.empty());
        for (const auto& [a, b] :
             {std::pair{cut.always, full.always}, std::pair{cut.critical.strict, full.critical.strict},
              std::pair{cut.critical.extended, full.critical.extended},
              std::pair{cut.sensitive.extended, full.sensitive.extended}})
            EXPECT_TRUE(a == Verdict::unknown || a == b) << spec().instructions[i].name;
    }
}

TEST_F(Zoo, ThreadsDoNotShow) {
    Options options;
    options.jobs = 2;
    EXPECT_EQ(toy::text(spec(), *findings), toy::text(spec(), check(spec(), options)));
    EXPECT_EQ(toy::text(spec(), *findings), toy::text(spec(), check(spec(), {})));
}

TEST_F(Zoo, ProgressIsTold) {
    Options options;
    options.jobs = 2;
    options.witnesses = false;
    std::vector<std::size_t> told;
    options.progress = [&](std::size_t done, std::size_t total) {
        EXPECT_EQ(total, spec().instructions.size());
        told.push_back(done);
    };
    EXPECT_EQ(check(spec(), options).theorem1_strict.against, findings->theorem1_strict.against);
    ASSERT_EQ(told.size(), spec().instructions.size());
    for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], i + 1);
}

TEST_F(Zoo, TouchesAndTraps) {
    const Row& r = row("cli");
    const auto touch = [&](const char* element) { return r.touches[spec().find_element(element).index]; };
    EXPECT_TRUE(touch("S").reads);
    EXPECT_FALSE(touch("S").writes);
    EXPECT_TRUE(touch("IE").writes);
    EXPECT_FALSE(touch("IE").reads);
    EXPECT_EQ(r.traps, std::vector{machine->privilege});
    EXPECT_EQ(row("load").traps, std::vector{machine->bounds});
    EXPECT_TRUE(row("nop").traps.empty());
}

TEST_F(Zoo, RewritingDoesNotShow) {
    Options options;
    options.rewrite = false;
    const Findings plain = check(spec(), options);
    ASSERT_GT(plain.statistics.solved, findings->statistics.solved);
    const auto without_statistics = [&](const Findings& f) {
        std::string result = toy::text(spec(), f);
        for (std::size_t at = 0; (at = result.find("  queries")) != std::string::npos;)
            result.erase(at, result.find('\n', at) - at + 1);
        return result;
    };
    EXPECT_EQ(without_statistics(*findings), without_statistics(plain));
}

TEST(Banks, AgreeOnTheActiveMember) {
    Machine m(false);
    const auto usp = m.element("usp", 8, isa::Role::data);
    const auto ssp = m.element("ssp", 8, isa::Role::data);
    m.bank("sp", usp, ssp);
    isa::Terms& t = m.spec.terms;
    const auto sp = [&] { return t.ite(m.is(m.s, 1), m.get(ssp), m.get(usp)); };
    // sp is read, and moved on, under its common name: no mode shows.
    m.instruction("push", [&](Machine::Draft& d) {
        const Term down = t.apply(isa::Op::bvsub, sp(), m.constant(8, 1));
        d.set(usp, t.ite(m.is(m.s, 0), down, m.get(usp)));
        d.set(ssp, t.ite(m.is(m.s, 1), down, m.get(ssp)));
        d.store(down, m.reg(0));
    });
    // usp is r0's source in both modes: the inactive member in one of them.
    m.instruction("move_usp", [&](Machine::Draft& d) { d.set_reg(0, m.get(usp)); });
    // Leaves supervisor mode: afterwards usp is active in both results, and was not in one of the states.
    m.instruction("drop", [&](Machine::Draft& d) { d.set(m.s, m.constant(1, 0)); });
    const Findings f = check(m.spec, {});
    expect(toy::row(m.spec, f, "push").sensitive, no, no);
    EXPECT_EQ(toy::row(m.spec, f, "push").statistics.solved, 1U);  // that it completes
    expect(toy::row(m.spec, f, "move_usp").behavior, yes, yes);
    expect(toy::row(m.spec, f, "drop").behavior, yes, yes);
    toy::expect_sound(m.spec, f);
    const Witness* w = witness(toy::row(m.spec, f, "move_usp"), "mode-sensitive");
    ASSERT_NE(w, nullptr);
    const auto get = [&](int side, isa::ElementId e) {
        return w->sides[static_cast<std::size_t>(side)].state.get(m.spec[e]);
    };
    EXPECT_EQ(get(0, ssp), get(1, usp));
    EXPECT_EQ(get(0, usp), get(1, ssp));
    EXPECT_NE(get(0, usp), get(1, usp));
}

TEST(Banks, SelectorBeyondTheMode) {
    // Which member is active follows a control element: reading sp is then no dependence on it.
    Machine m(false);
    const auto select = m.element("SPSel", 1, isa::Role::control);
    const auto sp0 = m.element("sp0", 8, isa::Role::data);
    const auto sp1 = m.element("sp1", 8, isa::Role::data);
    isa::Terms& t = m.spec.terms;
    m.spec.banks.push_back({"sp", m.get(select), {{0, sp0}, {1, sp1}}, {}});
    m.instruction("read_sp", [&](Machine::Draft& d) { d.set_reg(0, t.ite(m.is(select, 1), m.get(sp1), m.get(sp0))); });
    m.instruction("read_sp0", [&](Machine::Draft& d) { d.set_reg(0, m.get(sp0)); });
    const Findings f = check(m.spec, {});
    expect(toy::row(m.spec, f, "read_sp").sensitive, no, no);
    expect(toy::row(m.spec, f, "read_sp0").behavior, no, yes);
}

TEST(Guests, TheirModeIsData) {
    // A machine with a virtualized bit V: S belongs to the guest when the pair of modes is (real, virtual).
    Machine m(false);
    const auto v = m.element("V", 1, isa::Role::mode);
    isa::Terms& t = m.spec.terms;
    m.spec.modes.push_back({"real", {{v, 0}}, {}});
    m.spec.modes.push_back({"virtual", {{v, 1}}, {}});
    m.spec.contexts.push_back({"vt", {2}, {3}, {m.s}, {}});
    m.instruction("get_s", [&](Machine::Draft& d) { d.set_reg(0, t.zero_extend(m.get(m.s), 8)); });
    m.instruction("set_s", [&](Machine::Draft& d) { d.set(m.s, m.constant(1, 1)); });
    m.instruction("get_v", [&](Machine::Draft& d) { d.set_reg(0, t.zero_extend(m.get(v), 8)); });
    const Findings bare = check(m.spec, {});
    expect(toy::row(m.spec, bare, "get_s").behavior, yes, yes);
    Options options;
    options.context = m.spec.find_context("vt");
    const Findings f = check(m.spec, options);
    EXPECT_EQ(f.context, "vt");
    expect(toy::row(m.spec, f, "get_s").sensitive, no, no);
    expect(toy::row(m.spec, f, "set_s").sensitive, no, no);
    expect(toy::row(m.spec, f, "get_v").critical, yes, yes);
}

TEST(Translation, WitnessMemoryIsPossible) {
    // Through the map a ↦ a<3:0> sixteen addresses share a cell: r0 := cell(r1) ≠ cell(r2) needs two cells.
    Machine m(false);
    isa::Terms& t = m.spec.terms;
    const auto fold = [&](Term a) { return t.zero_extend(t.extract(a, 3, 0), 8); };
    m.spec.translation.physical = fold(t.variable(m.spec.translation.address));
    const auto twist = [&](Machine::Draft& d, Term second) {
        const Term one = d.load(m.reg(1));
        const Term two = d.load(second);
        for (auto& load : d.form.meaning.loads) load.physical = fold(load.address);
        d.set_reg(0, t.ite(t.eq(one, two), m.constant(8, 0), t.zero_extend(m.get(m.s), 8)));
    };
    m.instruction("differ", [&](Machine::Draft& d) { twist(d, m.reg(2)); });
    // Sixteen further on is the same cell: the contents cannot differ, so the mode never shows.
    m.instruction("alias", [&](Machine::Draft& d) { twist(d, t.apply(isa::Op::bvadd, m.reg(1), m.constant(8, 16))); });
    const Findings f = check(m.spec, {});
    expect(toy::row(m.spec, f, "differ").behavior, yes, yes);
    expect(toy::row(m.spec, f, "alias").behavior, no, no);
    toy::expect_sound(m.spec, f);
}

}  // namespace
}  // namespace pogo::check
