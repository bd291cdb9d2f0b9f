// The VT extension as a transformation: which traps it inserts where, what it leaves alone.
// SPDX-License-Identifier: Apache-2.0
#include "vt/extend.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "isa/elaborate.hpp"

namespace pogo::vt {
namespace {

using namespace isa;

Spec declared(const Arguments& arguments = {}) {
    SourceManager sources;
    Diagnostics diagnostics;
    auto spec =
        load_spec_file(sources, POGO_SPECS "/lecture.isa", POGO_SPECS "/lecture-vt.policy.isa", arguments, diagnostics);
    EXPECT_TRUE(spec.has_value()) << render(diagnostics, sources);
    return std::move(*spec);
}

const Form& form(const Spec& spec, std::string_view instruction) {
    return spec.forms[spec[spec.find_instruction(instruction)].first_form];
}

std::vector<TrapKind> kinds(const Spec& spec, std::string_view instruction) {
    std::vector<TrapKind> result;
    for (const Trap& trap : form(spec, instruction).meaning.traps) result.push_back(spec[trap.cause].kind);
    return result;
}

TEST(Extend, PutsExitsRightAfterThePrivilegeTraps) {
    const Spec spec = extend(declared());
    EXPECT_EQ(kinds(spec, "sti"), (std::vector{TrapKind::privilege, TrapKind::exit}));
    EXPECT_EQ(kinds(spec, "vmenter"), (std::vector{TrapKind::privilege, TrapKind::exit}));
    EXPECT_EQ(kinds(spec, "add"), std::vector<TrapKind>{});
}

TEST(Extend, GivesTheRowAsReason) {
    const Spec spec = extend(declared());
    const InstructionId sti = spec.find_instruction("sti");
    const Trap& exit = form(spec, "sti").meaning.traps[1];
    ASSERT_EQ(exit.arguments.size(), 1U);
    EXPECT_EQ(static_cast<std::uint64_t>(spec.terms.value(exit.arguments[0])), sti.index);
}

TEST(Extend, ComposesTheSecondLevelBehindTheFirst) {
    const Spec before = declared();
    const Spec after = extend(before);
    // A load of a word: bounds and alignment of the first level, then the fault of the second.
    const auto causes = [](const Spec& spec) {
        std::vector<std::string> result;
        for (const Trap& trap : form(spec, "load word").meaning.traps) result.push_back(spec[trap.cause].name);
        return result;
    };
    EXPECT_EQ(causes(before), (std::vector<std::string>{"bounds", "alignment"}));
    EXPECT_EQ(causes(after), (std::vector<std::string>{"bounds", "alignment", "vm_fault"}));
    const auto reads = [](const Spec& spec, std::string_view element) {
        const auto& list = spec.translation.reads;
        return std::find(list.begin(), list.end(), spec.find_element(element)) != list.end();
    };
    EXPECT_FALSE(reads(before, "vm_base"));
    EXPECT_TRUE(reads(after, "vm_base"));
}

TEST(Extend, LeavesTheRealStateAsItWas) {
    const Spec before = declared();
    Spec after = extend(before);
    // With `virtualized` fixed at 0 every trap that came in is dead and every address is what it was.
    const Element& flag = after[after.find_element("virtualized")];
    const Substitution real{{after.terms.variable(flag.variable), after.terms.constant(1, 0)}};
    for (std::size_t i = 0; i < before.forms.size(); ++i) {
        const Meaning& old = before.forms[i].meaning;
        const Meaning& now = after.forms[i].meaning;
        std::vector<Trap> alive;
        for (const Trap& trap : now.traps)
            if (!after.terms.is_false(after.terms.substitute(trap.guard, real))) alive.push_back(trap);
        ASSERT_EQ(alive.size(), old.traps.size()) << before[before.forms[i].instruction].name;
        for (std::size_t k = 0; k < now.loads.size(); ++k)
            EXPECT_EQ(after.terms.substitute(now.loads[k].physical, real), old.loads[k].physical);
        for (std::size_t k = 0; k < now.stores.size(); ++k)
            EXPECT_EQ(after.terms.substitute(now.stores[k].physical, real), old.stores[k].physical);
    }
}

TEST(Extend, SplitsInterruptsThatBelongToTheRealState) {
    const Spec spec = extend(declared());
    std::vector<std::string> names;
    for (const auto& interrupt : spec.interrupts) names.push_back(interrupt.name);
    EXPECT_EQ(names, (std::vector<std::string>{"external_exit", "external", "preempt", "window"}));
}

TEST(Extend, IsDoneOnce) {
    const Spec spec = extend(declared());
    EXPECT_FALSE(spec.extension.has_value());
    EXPECT_EQ(spec.name, "lecture+vt");
    EXPECT_EQ(spec.contexts.front().name, "vt");
}

// docs/extension.md, What a policy declares
TEST(Extend, SaysWhatLeavesAsAPermission) {
    const Spec spec = extend(declared());
    ASSERT_EQ(spec.permissions.size(), 2U);
    const Permission& own = spec.permissions[0];
    const Permission& exits = spec.permissions[1];
    EXPECT_EQ(own.name, "privileged");
    EXPECT_EQ(exits.name, "exits on privileged");
    EXPECT_EQ(own.instructions, exits.instructions);
    std::vector<std::string> names;
    for (const InstructionId id : exits.instructions) names.push_back(spec[id].identifier);
    EXPECT_EQ(names,
              (std::vector<std::string>{"rte", "halt_", "cli", "sti", "get", "put", "vmenter", "vmget", "vmput"}));
    std::vector<std::string> lines;
    for (const auto& line : exits.lines)
        lines.push_back(spec[line.mode].name + ": " + (line.cause.valid() ? spec[line.cause].name : "execute") +
                        (line.condition.empty() ? "" : " when " + line.condition));
    EXPECT_EQ(lines, (std::vector<std::string>{"supervisor: vm_exit when virtualized == 1", "supervisor: execute",
                                               "user: execute", "real_state: execute",
                                               "virtual_state: vm_exit when ccr.S == 1", "virtual_state: execute"}));
}

// `when` decides which rules and guest elements there are, as it does for declarations.
TEST(Extend, HasTheRulesAndGuestElementsOfItsParameters) {
    const auto with = [](const char* second) {
        SourceManager sources;
        Diagnostics diagnostics;
        const auto base = sources.add(
            "machine.isa",
            std::string("machine m(second: bool = ") + second +
                ") { unit 8; address 16; } register pc : bits(16) role pc; register s : bits(1) role mode;"
                " register v : bits(1) role mode; register a : bits(8) role control;"
                " register b : bits(8) role control; mode real { v = 0; } mode guest { v = 1; }"
                " trap t kind illegal { pc = 0; } illegal t;"
                " instruction one { encoding 0x00; assembly \"one\"; }"
                " instruction two { encoding 0x01; assembly \"two\"; }");
        const auto policy = sources.add(
            "vt.isa",
            "extension vt of m { trap leave(reason: bits(16)) kind virtual { v = 0; } exit leave;"
            " active v == 1; supervisor s == 1; when second { exits on instruction two; } else when !second"
            " { exits on instruction one; } context vt { supervisor real; user guest;"
            " guest { s; when second { a; b; } else { b; } } } }");
        auto spec = load_spec(sources, base, policy, {}, diagnostics);
        EXPECT_TRUE(spec.has_value()) << render(diagnostics, sources);
        return extend(*spec);
    };
    const auto guest = [](const Spec& spec) {
        std::vector<std::string> names;
        for (const ElementId element : spec[spec.find_context("vt")].guest) names.push_back(spec[element].name);
        return names;
    };
    const Spec one = with("false");
    EXPECT_EQ(kinds(one, "one"), std::vector{TrapKind::exit});
    EXPECT_EQ(kinds(one, "two"), std::vector<TrapKind>{});
    EXPECT_EQ(guest(one), (std::vector<std::string>{"s", "b"}));
    const Spec two = with("true");
    EXPECT_EQ(kinds(two, "one"), std::vector<TrapKind>{});
    EXPECT_EQ(kinds(two, "two"), std::vector{TrapKind::exit});
    EXPECT_EQ(guest(two), (std::vector<std::string>{"s", "a", "b"}));
}

}  // namespace
}  // namespace pogo::vt
