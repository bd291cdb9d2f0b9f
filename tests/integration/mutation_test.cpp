// Mutants of specs: every single privilege check that is dropped or turned around changes the instruction's class.
// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

namespace pogo::integration {
namespace {

using namespace isa;
using check::Verdict;

struct Class {
    check::Privileged privileged;
    Verdict critical_strict;
    Verdict critical_extended;
    friend bool operator==(const Class&, const Class&) = default;
};
Class class_of(const Spec& spec) {
    check::Options options;
    options.witnesses = false;
    const auto found = check::check(spec, options);
    const auto& row = found.rows.at(0);
    return {row.privileged, row.critical.strict, row.critical.extended};
}

enum class Mutation { drop, invert };

// Changes the privilege checks of one form.
void mutate(Spec& spec, Form& form, Mutation mutation) {
    for (Trap& trap : form.meaning.traps) {
        if (spec[trap.cause].kind != TrapKind::privilege) continue;
        trap.guard = mutation == Mutation::drop ? spec.terms.boolean(false) : spec.terms.not_(trap.guard);
    }
}

struct Case {
    const char* name;
    const char* file;
    Arguments arguments;
    std::size_t expected_checks;  // rows with a privilege check, counted in the manual or the spec's text
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
class PrivilegeChecks : public ::testing::TestWithParam<Case> {};

TEST_P(PrivilegeChecks, AreAllNeeded) {
    const Spec spec = machine(GetParam().file, GetParam().arguments);
    std::size_t rows_with_checks = 0;
    for (std::uint32_t i = 0; i < spec.instructions.size(); ++i) {
        const Spec single = only(spec, {i});
        bool checked = false;
        for (const Form& form : single.forms)
            for (const Trap& trap : form.meaning.traps)
                checked = checked || spec[trap.cause].kind == TrapKind::privilege;
        if (!checked) continue;
        ++rows_with_checks;
        const Class before = class_of(single);
        // Each form is a place where the check could have been forgotten.
        for (std::size_t f = 0; f < single.forms.size(); ++f) {
            for (const Mutation mutation : {Mutation::drop, Mutation::invert}) {
                Spec mutant = single;
                mutate(mutant, mutant.forms[f], mutation);
                EXPECT_FALSE(class_of(mutant) == before)
                    << spec.instructions[i].name << " " << single.forms[f].variant
                    << (mutation == Mutation::drop ? " without its privilege check"
                                                   : " with its privilege check inverted");
            }
        }
    }
    EXPECT_EQ(rows_with_checks, GetParam().expected_checks);
}

// M68000PRM section 6: eight privileged instructions on the 68000; the 68010 adds MOVE from SR, MOVEC (two
// directions) and MOVES (two). The lecture CPU: rte, halt, cli, sti, get, put.
INSTANTIATE_TEST_SUITE_P(Machines, PrivilegeChecks,
                         ::testing::Values(Case{"m68000", "m68k.isa", {{"model", "68000"}}, 8},
                                           Case{"m68010", "m68k.isa", {{"model", "68010"}}, 13},
                                           Case{"lecture", "lecture.isa", {}, 6}),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
}  // namespace pogo::integration
