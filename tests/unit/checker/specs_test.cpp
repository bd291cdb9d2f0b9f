// The shipped machines: which instructions spoil virtualization, with and without their known flaws.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "interpreter.hpp"
#include "isa/diagnostic.hpp"
#include "isa/elaborate.hpp"
#include "toy.hpp"
#include "vt/extend.hpp"

namespace pogo::check {
namespace {

isa::Spec load(const std::string& name, const isa::Arguments& arguments = {},
               const std::optional<std::string>& policy = std::nullopt) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const std::string directory = POGO_SPECS "/";
    std::optional<std::string> extension;
    if (policy) extension = directory + *policy;
    auto spec = isa::load_spec_file(sources, directory + name, extension, arguments, diagnostics);
    EXPECT_TRUE(spec.has_value()) << isa::render(diagnostics, sources);
    return std::move(*spec);
}

std::vector<std::string> names(const isa::Spec& spec, const std::vector<isa::InstructionId>& ids) {
    std::vector<std::string> result;
    result.reserve(ids.size());
    for (const auto id : ids) result.push_back(spec[id].identifier);
    return result;
}
using Names = std::vector<std::string>;

TEST(Specs, LectureIsVirtualizable) {
    const isa::Spec spec = load("lecture.isa");
    const Findings findings = check(spec, {});
    EXPECT_EQ(findings.theorem1_strict.holds, Verdict::yes);
    EXPECT_EQ(findings.theorem1_extended.holds, Verdict::yes);
    EXPECT_EQ(findings.theorem3_extended.holds, Verdict::yes);
    for (const Row& row : findings.rows)
        EXPECT_TRUE(row.completes_supervisor == Verdict::yes || row.privileged == Privileged::vacuous);
    EXPECT_EQ(toy::row(spec, findings, "trap").privileged, Privileged::vacuous);
    EXPECT_EQ(toy::row(spec, findings, "rte").privileged, Privileged::always);
    toy::expect_sound(spec, findings);
}

TEST(Specs, LectureWithFlaws) {
    const isa::Spec spec = load("lecture.isa", {{"popf", "true"}, {"read_ccr", "true"}, {"lra", "true"}});
    const Findings findings = check(spec, {});
    const Names all{"pop_flags", "move_from_ccr", "load_real_address"};
    EXPECT_EQ(names(spec, findings.theorem1_strict.against), all);
    EXPECT_EQ(names(spec, findings.theorem1_extended.against), all);
    EXPECT_EQ(names(spec, findings.theorem3_strict.against), Names{"load_real_address"});
    toy::expect_sound(spec, findings);
}

TEST(Specs, Pg74) {
    const isa::Spec plain = load("pg74.isa");
    EXPECT_EQ(check(plain, {}).theorem1_extended.holds, Verdict::yes);
    const isa::Spec spec = load("pg74.isa", {{"lra", "true"}, {"jrst1", "true"}});
    const Findings findings = check(spec, {});
    // Popek & Goldberg 1974, sections 3 and 8: LRA spoils both theorems, JRST 1 only the first.
    EXPECT_EQ(names(spec, findings.theorem1_strict.against), (Names{"load_real_address", "return_to_user"}));
    EXPECT_EQ(names(spec, findings.theorem3_strict.against), Names{"load_real_address"});
    toy::expect_sound(spec, findings);
}

TEST(Specs, VirtualStates) {
    // The 68000, refuted by one instruction, is proved once its policy makes that instruction leave the virtual state.
    for (const auto& [machine, policy] :
         {std::pair{"lecture.isa", "lecture-vt.policy.isa"}, std::pair{"pg74.isa", "pg74-vt.policy.isa"},
          std::pair{"m68k.isa", "m68k-vt.policy.isa"}}) {
        const isa::Spec spec = vt::extend(load(machine, {}, policy));
        Options options;
        options.jobs = 2;
        options.context = spec.find_context("vt");
        const Findings findings = check(spec, options);
        EXPECT_EQ(findings.theorem1_extended.holds, Verdict::yes) << machine;
        EXPECT_EQ(findings.theorem3_extended.holds, Verdict::yes) << machine;
        toy::expect_sound(spec, findings);
    }
}

TEST(Specs, M68k) {
    // One instruction keeps the 68000 from being virtualizable, and the 68010 made it privileged.
    const isa::Spec spec = load("m68k.isa");
    const Findings findings = check(spec, {});
    EXPECT_EQ(names(spec, findings.theorem1_strict.against), Names{"move_from_sr"});
    EXPECT_EQ(names(spec, findings.theorem1_extended.against), Names{"move_from_sr"});
    EXPECT_EQ(findings.theorem3_extended.holds, Verdict::yes);
    toy::expect_sound(spec, findings);
    Options options;
    options.jobs = 2;
    EXPECT_EQ(toy::text(spec, findings), toy::text(spec, check(spec, options)));
}

}  // namespace
}  // namespace pogo::check
