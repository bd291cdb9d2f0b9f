// Remedies on the model, which knows nothing of them: hypercalls leave the guest, copies do the same elsewhere.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <random>

#include "check/remedy.hpp"
#include "isa/assembly.hpp"
#include "model/simulator.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using check::Verdict;

struct Machine {
    std::string name;
    std::string spec;
    isa::Arguments arguments;
    std::map<std::string, std::uint64_t> fixed;  ///< elements of a guest's state
    std::uint64_t origin = 0;                    ///< the physical address of its address 0
};

void PrintTo(const Machine& machine, std::ostream* out) { *out << machine.name; }

class OnTheModel : public ::testing::TestWithParam<Machine> {
  protected:
    static constexpr std::uint64_t here = 0x4000;
    static constexpr std::uint64_t elsewhere = 0x5670;

    void SetUp() override {
        ASSERT_FALSE(spec_.vm_maps.empty());
        findings_ = check::check_vm_map(spec_, spec_.vm_maps.front(), {});
        set_ = check::trap_set(spec_, spec_.vm_maps.front(), findings_, {});
        ASSERT_EQ(simulator_.load(spec_), std::nullopt);
    }

    isa::State random_state() {
        isa::State state(spec_);
        for (auto& slot : state.slots) slot = random_() >> (random_() % 64);
        for (const auto& [name, value] : GetParam().fixed) state.set(spec_[spec_.find_element(name)], value);
        return state;
    }

    /// The units lie at both places; those at `pc` are executed.
    model::StepOutcome step(isa::State state, const std::vector<std::uint64_t>& units, std::uint64_t pc) {
        state.set(spec_[spec_.pc], pc);
        simulator_.clear_memory();
        for (const std::uint64_t place : {here, elsewhere})
            for (std::size_t i = 0; i < units.size(); ++i)
                EXPECT_TRUE(simulator_.poke(GetParam().origin + place + i, units[i]));
        simulator_.set_state(state);
        return simulator_.step({.take_traps = false, .interrupts = false, .choices = {}});
    }

    [[nodiscard]] isa::State after() {
        isa::State state = simulator_.state();
        state.set(spec_[spec_.pc], 0);
        return state;
    }

    /// Both do the same, and go on to the next instruction.
    bool alike(const isa::Form& form, const std::vector<std::uint64_t>& fields) {
        const auto units = isa::units_of(spec_, isa::encode(form, fields));
        const isa::State state = random_state();
        const auto one = step(state, units, here);
        const isa::State first = after();
        const std::uint64_t first_pc = simulator_.state().get(spec_[spec_.pc]);
        const auto two = step(state, units, elsewhere);
        EXPECT_EQ(&spec_[one.form], &form);
        const bool completes = one.kind == model::StepOutcome::Kind::completed;
        completed_ += completes ? 1 : 0;
        if (one.kind != two.kind || first != after()) return false;
        if (!completes) return one.traps.at(0).cause == two.traps.at(0).cause;
        if (first_pc != here + units.size() || simulator_.state().get(spec_[spec_.pc]) != elsewhere + units.size() ||
            one.memory.size() != two.memory.size())
            return false;
        for (std::size_t i = 0; i < one.memory.size(); ++i)
            if (one.memory[i].address != two.memory[i].address || one.memory[i].value != two.memory[i].value)
                return false;
        return true;
    }

    std::optional<std::vector<std::uint64_t>> random_fields(const isa::Form& form) {
        for (unsigned tries = 0; tries < 100; ++tries) {
            std::vector<std::uint64_t> fields;
            for (const auto& field : form.fields)
                fields.push_back(random_() & static_cast<std::uint64_t>(isa::ones(field.width)));
            if (permits(spec_, form, fields)) return fields;
        }
        return std::nullopt;
    }

    std::mt19937_64 random_{1};
    const isa::Spec spec_ = machine(GetParam().spec, GetParam().arguments);
    check::MapFindings findings_;
    check::TrapSet set_;
    model::Simulator simulator_{{.bare = true}};
    unsigned completed_ = 0;
};

TEST_P(OnTheModel, HypercallsLeaveTheGuest) {
    const auto list = check::patch_list(spec_, spec_.vm_maps.front(), findings_, set_, {});
    ASSERT_EQ(list.complete(), Verdict::yes);
    ASSERT_FALSE(list.patches.empty());
    for (const check::Patch& patch : list.patches) {
        const isa::Form& form = spec_[patch.form];
        const auto fields = random_fields(form);
        ASSERT_TRUE(fields.has_value());
        auto units = isa::units_of(spec_, isa::encode(form, *fields));
        const auto sites = check::patch(spec_, list, units, here);
        const bool covered = covers(spec_, set_.elements[patch.element], {patch.form, *fields});
        ASSERT_EQ(sites.size(), covered ? 1U : 0U);
        for (unsigned i = 0; i < 100 && covered; ++i) {
            const auto outcome = step(random_state(), units, here);
            ASSERT_EQ(outcome.kind, model::StepOutcome::Kind::trapped);
            EXPECT_EQ(outcome.traps.at(0).cause, spec_.illegal.cause);
        }
    }
}

TEST_P(OnTheModel, CopiesDoTheSameElsewhere) {
    const auto table = check::translation_table(spec_, spec_.vm_maps.front(), findings_, set_, {});
    ASSERT_EQ(table.complete, Verdict::yes);
    unsigned copied = 0;
    unsigned readers = 0;  // of the program counter, of which nothing is seen: what they load is zero everywhere
    unsigned apart = 0;
    for (std::size_t f = 0; f < spec_.forms.size(); ++f) {
        const isa::Form& form = spec_.forms[f];
        const check::Translated::Why why = table.forms[f].why;
        if (why != check::Translated::Why::same && why != check::Translated::Why::reads_pc) continue;
        unsigned differs = 0;
        for (unsigned i = 0; i < 20; ++i) {
            const auto fields = random_fields(form);
            ASSERT_TRUE(fields.has_value());
            differs += alike(form, *fields) ? 0 : 1;
        }
        if (why == check::Translated::Why::same)
            EXPECT_EQ(differs, 0U) << spec_[form.instruction].identifier << " " << form.variant;
        else
            (differs > 0 ? apart : readers) += 1;
        copied += why == check::Translated::Why::same ? 1 : 0;
    }
    EXPECT_GT(copied, 5U);
    EXPECT_GT(completed_, 5 * copied);
    EXPECT_EQ(apart > 0, readers + apart > 0);
}

const std::vector<Machine> machines = {
    {"Lecture",
     "lecture.isa",
     {{"popf", "true"}, {"read_ccr", "true"}, {"lra", "true"}},
     {{"ccr.S", 0}, {"base", 0x1000}, {"limit", 0xFFFFFFFF}, {"halted", 0}},
     0x1000},
    {"ThirdGeneration",
     "pg74.isa",
     {{"jrst1", "true"}, {"lra", "true"}},
     {{"psw.M", 1}, {"psw.l", 0x100}, {"psw.b", 0xFE00}, {"halted", 0}},
     0x100},
    {"Mc68000", "m68k.isa", {{"model", "68000"}}, {{"sr.S", 0}, {"stopped", 0}, {"halted", 0}, {"ssp", 0x8000}}, 0},
};
INSTANTIATE_TEST_SUITE_P(Remedies, OnTheModel, ::testing::ValuesIn(machines),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace pogo::integration
