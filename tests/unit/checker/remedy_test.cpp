// Remedies: known answers on machines that can be worked out by hand, and every answer asked again without an element.
// SPDX-License-Identifier: Apache-2.0
#include "check/remedy.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <optional>
#include <sstream>

#include "../../replaced.hpp"
#include "isa/assembly.hpp"
#include "isa/diagnostic.hpp"
#include "isa/edit.hpp"
#include "isa/elaborate.hpp"
#include "vt/extend.hpp"

namespace pogo::check {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Names = std::vector<std::string>;
using test::replaced;

std::string text_of(const std::string& name) {
    std::ifstream file(POGO_SPECS "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

isa::Spec loaded(const std::string& text, const isa::Arguments& arguments = {},
                 const std::optional<std::string>& policy = std::nullopt) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto machine = sources.add("machine.isa", text);
    std::optional<std::uint32_t> extension;
    if (policy) extension = sources.add("policy.isa", *policy);
    auto spec = isa::load_spec(sources, machine, extension, arguments, diagnostics);
    EXPECT_TRUE(spec.has_value()) << isa::render(diagnostics, sources);
    return policy ? vt::extend(*spec) : std::move(spec.value());
}

/// A spec, one of its maps, and what is known of them.
struct Case {
    isa::Spec spec;
    isa::VmMap map;
    MapFindings findings;
    TrapSet set;
    RemedyOptions options;
};

Case solved(isa::Spec spec, const std::string& name, const RemedyOptions& options = {}) {
    for (const auto& map : spec.vm_maps) {
        if (map.name != name) continue;
        const isa::VmMap chosen = map;
        MapFindings findings = check_vm_map(spec, chosen, options.check);
        TrapSet set = trap_set(spec, chosen, findings, options);
        return {std::move(spec), chosen, std::move(findings), std::move(set), options};
    }
    throw std::out_of_range(name);
}

Names statements(const Case& c) {
    Names result;
    for (const MustTrap& element : c.set.elements)
        result.push_back(c.spec[element.instruction].identifier + ": " + statement(c.spec, c.set.cause, element));
    return result;
}

/// With the set the map holds; it says itself that it is minimal, and asked again it is.
void expect_minimal(const Case& c) {
    EXPECT_EQ(c.set.exists(), Verdict::yes);
    EXPECT_EQ(c.set.minimal(), Verdict::yes);
    const isa::Spec mended = trapping(c.spec, c.set.cause, c.set.elements);
    EXPECT_EQ(check_vm_map(mended, c.map, c.options.check).holds_configured, Verdict::yes);
    for (std::size_t i = 0; i < c.set.elements.size(); ++i) {
        EXPECT_EQ(needed(c.spec, c.map, c.findings, c.set, i, c.options), Verdict::yes);
        auto others = c.set.elements;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
        const isa::Spec mutant = trapping(c.spec, c.set.cause, others);
        EXPECT_EQ(check_vm_map(mutant, c.map, c.options.check).holds_configured, Verdict::no);
    }
}

// docs/machines/lecture.md. r0 reads 0, so what is written there shows nobody anything.
TEST(TrapSets, OfTheLectureCpu) {
    const std::string text = text_of("lecture.isa");
    EXPECT_EQ(solved(loaded(text), "trap_and_emulate").set.already, Verdict::yes);
    const isa::Arguments flaws{{"popf", "true"}, {"read_ccr", "true"}, {"lra", "true"}};
    const Case all = solved(loaded(text, flaws), "trap_and_emulate");
    EXPECT_THAT(statements(all),
                ElementsAre("pop_flags: require privileged;",
                            "move_from_ccr: trap privilege_violation when ccr.S == 0 && rd != 0;",
                            "load_real_address: trap privilege_violation when ccr.S == 0 && rd != 0;"));
    expect_minimal(all);
    // POPF only escapes a guest's supervisor, which a hybrid monitor interprets.
    const Case hybrid = solved(loaded(text, flaws), "hybrid");
    EXPECT_EQ(hybrid.set.elements.size(), 2U);
    expect_minimal(hybrid);
}

TEST(TrapSets, AreOfWholeInstructionsWhereAskedFor) {
    const Case lra =
        solved(loaded(text_of("lecture.isa"), {{"lra", "true"}}), "trap_and_emulate", {{}, true, false, {}});
    EXPECT_THAT(statements(lra), ElementsAre("load_real_address: require privileged;"));
    expect_minimal(lra);
}

// Popek & Goldberg 1974: what is to be made privileged on the PDP-10 is JRST 1, but for a hybrid monitor.
TEST(TrapSets, OfTheThirdGenerationMachine) {
    const isa::Spec spec = loaded(text_of("pg74.isa"), {{"jrst1", "true"}, {"lra", "true"}});
    const Case whole = solved(spec, "trap_and_emulate");
    EXPECT_THAT(statements(whole),
                ElementsAre("load_real_address: require privileged;", "return_to_user: require privileged;"));
    expect_minimal(whole);
    const Case hybrid = solved(spec, "hybrid");
    EXPECT_THAT(statements(hybrid), ElementsAre("load_real_address: require privileged;"));
    expect_minimal(hybrid);
}

// What Motorola did: the MC68010 differs in that MOVE from SR is privileged, with every operand (M68000UM 6.3.7).
TEST(TrapSets, OfThe68000IsTheDifferenceToThe68010) {
    const std::string text = text_of("m68k.isa");
    const Case m68000 = solved(loaded(text, {{"model", "68000"}}), "trap_and_emulate");
    EXPECT_THAT(statements(m68000), ElementsAre("move_from_sr: require privileged;"));
    expect_minimal(m68000);
    EXPECT_EQ(solved(loaded(text, {{"model", "68010"}}), "trap_and_emulate").set.already, Verdict::yes);
}

TEST(TrapSets, RaiseWhatLeavesAVirtualState) {
    const isa::Spec spec = loaded(text_of("lecture.isa"), {{"lra", "true"}}, text_of("lecture-vt.policy.isa"));
    const Case lra = solved(spec, "virtual_machine");
    ASSERT_TRUE(lra.set.cause.valid());
    EXPECT_EQ(spec[lra.set.cause].name, "vm_exit");  // a privilege violation would go to the guest
    ASSERT_EQ(lra.set.elements.size(), 1U);
    EXPECT_EQ(condition(spec, lra.set.elements[0]), "virtualized == 1 && rd != 0");
    expect_minimal(lra);
}

TEST(TrapSets, OfAContextAreItsCriticalInstructions) {
    const isa::Spec spec = loaded(text_of("lecture.isa"), {{"popf", "true"}, {"read_ccr", "true"}});
    const Findings findings = check(spec, {});
    const TrapSet set = trap_set(spec, findings, {});
    ASSERT_EQ(set.elements.size(), 2U);
    EXPECT_EQ(set.exists(), Verdict::yes);
    EXPECT_EQ(set.minimal(), Verdict::yes);
    EXPECT_EQ(check(trapping(spec, set.cause, set.elements), {}).theorem1_extended.holds, Verdict::yes);
    const Findings mutant = check(trapping(spec, set.cause, std::span(set.elements).first(1)), {});
    EXPECT_THAT(mutant.theorem1_extended.against, ElementsAre(set.elements[1].instruction));
}

// ---- Machines to be worked out by hand ------------------------------------------------------------------------------

std::string toy(const std::string& instructions, const std::string& map = "supervisor => user; user => user;",
                const std::string& entry = "s = 1; pc = 0;") {
    return R"(machine m { address 8; }
register pc : bits(8) role pc;
register r : bits(8) role data;
register s : bits(1) role mode;
register t : bits(1) role mode;
register k : bits(2) role control;
mode supervisor { s = 1; }
mode user { s = 0; t = 0; }
mode other { s = 0; t = 1; }
trap no kind privilege { )" +
           entry + R"( }
illegal no;
context c { supervisor supervisor; user user; }
vmm v { )" +
           map + R"( }
instruction halt { encoding 0xFF; assembly "halt"; trap no when s == 0; k = 0; }
)" + instructions;
}

TEST(TrapSets, SpareValuesOfFields) {
    const Case c = solved(loaded(toy(R"(
instruction shows { encoding 0b1000 n:2 m:2; assembly "shows {n}, {m}"; if n != 2 && m == 1 { r = 0b0000000 @ s; } }
)")),
                          "v");
    EXPECT_THAT(statements(c), ElementsAre("shows: trap no when s == 0 && t == 0 && n != 2 && m == 1;"));
    EXPECT_EQ(c.set.elements[0].rechecks, 9U);
    expect_minimal(c);
    // A superfluous element is seen to be one.
    TrapSet more = c.set;
    MustTrap halt = more.elements[0];
    halt.instruction = c.spec.find_instruction("halt");
    halt.forms = {{c.spec[halt.instruction].first_form}};
    halt.spared.clear();
    more.elements.push_back(halt);
    EXPECT_EQ(needed(c.spec, c.map, c.findings, more, 0, c.options), Verdict::yes);
    EXPECT_EQ(needed(c.spec, c.map, c.findings, more, 1, c.options), Verdict::no);
}

TEST(TrapSets, AreOfTheOperandsThatNeedThem) {
    const Case c = solved(loaded(toy(R"(
operand what { piece number 2;
  case Nothing { number = 0b00; assembly "nothing"; read { return bits(8, 0); } }
  case Mode    { number = 0b01; assembly "mode"; read { return 0b0000000 @ s; } }
  case Other   { number = 0b10; assembly "other"; read { return r; } }
  case Both    { number = 0b11; assembly "both"; read { return 0b000000 @ s @ 0b1; } }
}
instruction shows { operand w : what; encoding 0b100000 w.number; assembly "shows {w}"; r = w.read; }
)")),
                          "v");
    EXPECT_THAT(statements(c), ElementsAre("shows: trap no when s == 0 && t == 0 && (w.is(Mode) || w.is(Both));"));
    EXPECT_EQ(c.set.elements[0].rechecks, 2U);
    expect_minimal(c);
}

TEST(TrapSets, AreOfTheModesThatNeedThem) {
    const Case c = solved(loaded(toy(R"(
instruction shows { encoding 0x01; assembly "shows"; r = 0b0000000 @ s; }
)",
                                     "supervisor => other; user => user;")),
                          "v");
    EXPECT_THAT(statements(c), ElementsAre("shows: trap no when s == 0 && t == 1;"));
    expect_minimal(c);
}

// The virtual machine is the new one as well: what traps in its mode `other` has to trap where that really runs.
TEST(TrapSets, AreOfTheVirtualMachinesModesToo) {
    const Case c = solved(loaded(toy(R"(
instruction shows { encoding 0x01; assembly "shows"; r = 0b0000000 @ s; }
)",
                                     "supervisor => other; user => user; other => user;")),
                          "v");
    EXPECT_THAT(statements(c), ElementsAre("shows: trap no when s == 0 && t == 1 || s == 0 && t == 0;"));
    EXPECT_EQ(c.set.minimal(), Verdict::yes);
    EXPECT_EQ(check_vm_map(trapping(c.spec, c.set.cause, c.set.elements), c.map, {}).holds, Verdict::yes);
}

TEST(TrapSets, TakeAConfigurationFirst) {
    const Case c = solved(loaded(toy(R"(
instruction hides { encoding 0x01; assembly "hides"; trap no when s == 0 && k[1] == 0; r = 0b0000000 @ s; }
instruction shows { encoding 0x02; assembly "shows"; r = 0b0000000 @ s; }
)",
                                     "supervisor => user; user => user; synthesize { k; }")),
                          "v");
    ASSERT_TRUE(c.set.configuration.has_value());
    EXPECT_EQ(text(c.spec, *c.set.configuration), "k<1> = 0");
    EXPECT_THAT(statements(c), ElementsAre("shows: trap no when s == 0 && t == 0;"));
    expect_minimal(c);
}

// The same under an assumption that no setting can keep.
TEST(TrapSets, DoNotSetWhatIsAssumed) {
    const isa::Spec spec = loaded(toy(R"(
instruction hides { encoding 0x01; assembly "hides"; trap no when s == 0 && k[1] == 0; r = 0b0000000 @ s; }
)",
                                      "supervisor => user; user => user; synthesize { k; }"));
    RemedyOptions options;
    options.check.assumptions = {{spec.find_element("k"), 2, 2}};
    const Case c = solved(spec, "v", options);
    EXPECT_THAT(statements(c), ElementsAre("hides: trap no when s == 0 && t == 0;"));
    expect_minimal(c);
}

TEST(TrapSets, SayWhatTheyDoNotMend) {
    // A relocation that forgets where the guest is.
    const std::string text = replaced(text_of("lecture.isa"), "base  = origin + from;", "base  = origin;");
    const Case lost = solved(loaded(text, {{"popf", "true"}}), "trap_and_emulate");
    EXPECT_EQ(lost.set.exists(), Verdict::no);
    EXPECT_THAT(lost.set.beyond, ElementsAre("relocation"));
    EXPECT_EQ(lost.set.elements.size(), 1U);
    // The only trap goes to the guest.
    const Case kept = solved(loaded(toy(R"(
instruction shows { encoding 0x01; assembly "shows"; r = 0b0000000 @ s; }
)",
                                        "supervisor => user; user => user;", "pc = 0;")),
                             "v");
    EXPECT_FALSE(kept.set.cause.valid());
    EXPECT_THAT(kept.set.elements, IsEmpty());
    EXPECT_THAT(kept.set.beyond, Contains("shows"));
    EXPECT_EQ(kept.set.exists(), Verdict::no);
}

Verdict exists_limited(isa::Spec spec) {
    RemedyOptions options;
    options.check.rlimit = 1;
    return solved(std::move(spec), "trap_and_emulate", options).set.exists();
}
TEST(TrapSets, AreUnknownAtAResourceLimit) {
    EXPECT_EQ(exists_limited(loaded(text_of("lecture.isa"), {{"read_ccr", "true"}})), Verdict::unknown);
}
TEST(TrapSetsLong, OfThe68000AreUnknownAtAResourceLimit) {
    EXPECT_EQ(exists_limited(loaded(text_of("m68k.isa"), {{"model", "68000"}})), Verdict::unknown);
}

// ---- Hypercalls -----------------------------------------------------------------------------------------------------

PatchList patches(const Case& c) { return patch_list(c.spec, c.map, c.findings, c.set, c.options.check); }

TEST(PatchLists, PutWhatNothingDecodesInThePlace) {
    const Case c = solved(loaded(text_of("m68k.isa"), {{"model", "68000"}}), "trap_and_emulate");
    const PatchList list = patches(c);
    EXPECT_EQ(list.complete(), Verdict::yes);
    EXPECT_EQ(list.patches.size(), c.spec[c.spec.find_instruction("move_from_sr")].form_count);
    const isa::Decoder decoder(c.spec);
    for (const Patch& patch : list.patches) {
        ASSERT_TRUE(patch.possible());
        const Replacement& replacement = list.replacements[patch.replacement];
        EXPECT_EQ(replacement.parcels.size(), c.spec[patch.form].encoding.parcels.size());
        EXPECT_EQ(replacement.leaves, Verdict::yes);
        unsigned wanted = 0;
        EXPECT_FALSE(decoder.decode(replacement.parcels, wanted).has_value());
    }
}

// Every bit pattern is an instruction; `halt` is privileged, so it leaves, and `ask` does not always.
TEST(PatchLists, ElsePutAnInstructionThatAlwaysLeaves) {
    const std::string dense = R"(
instruction shows { encoding 0b0000001 n:1; assembly "shows {n}"; r = 0b0000000 @ s; }
instruction ask { encoding 0b1 n:7 where n != 127; assembly "ask {n}"; trap no when r == 0; r = r; }
instruction add { encoding 0b0 n:7 where n != 2 && n != 3; assembly "add {n}"; r = r + zext(n, 8); }
)";
    const Case c = solved(loaded(toy(dense)), "v");
    const PatchList list = patches(c);
    ASSERT_EQ(list.replacements.size(), 1U);
    ASSERT_TRUE(list.replacements[0].form.has_value());
    EXPECT_EQ(c.spec[c.spec[*list.replacements[0].form].instruction].identifier, "halt");
    EXPECT_THAT(list.replacements[0].parcels, ElementsAre(0xFF));
    EXPECT_EQ(list.complete(), Verdict::yes);
    // Without it there is none.
    const Case none = solved(loaded(replaced(replaced(toy(dense), "trap no when s == 0; k = 0;", "r = r;"),
                                             "illegal no;", "trap stay kind illegal { pc = 0; }\nillegal stay;")),
                             "v");
    EXPECT_EQ(patches(none).complete(), Verdict::no);
    EXPECT_FALSE(patches(none).patches.at(0).possible());
}

// In the virtual state all that is privileged or undefined goes to the guest's own vector.
TEST(PatchLists, SayThatThereIsNone) {
    const isa::Spec spec = loaded(text_of("lecture.isa"), {{"lra", "true"}}, text_of("lecture-vt.policy.isa"));
    const PatchList list = patches(solved(spec, "virtual_machine"));
    ASSERT_EQ(list.patches.size(), 1U);
    EXPECT_FALSE(list.patches[0].possible());
    EXPECT_EQ(list.complete(), Verdict::no);
}

TEST(PatchLists, FindTheirPlacesByASweep) {
    const Case c = solved(loaded(text_of("lecture.isa"), {{"read_ccr", "true"}, {"popf", "true"}}), "trap_and_emulate");
    const PatchList list = patches(c);
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto program = isa::assemble(
        c.spec, sources, sources.add("p", "add r1, r1, #1\nrdccr r3\n.word 0xffffffff\nrdccr r0\npopf\nret\n"),
        diagnostics);
    ASSERT_TRUE(program.has_value()) << isa::render(diagnostics, sources);
    std::vector<std::uint64_t> units;
    for (const auto& line : program->lines) units.insert(units.end(), line.units.begin(), line.units.end());
    const std::vector<std::uint64_t> before = units;
    const auto sites = patch(c.spec, list, units, 0x100);
    ASSERT_EQ(sites.size(), 2U);  // not `rdccr r0`, which shows nothing
    EXPECT_EQ(sites[0].address, 0x104U);
    EXPECT_EQ(sites[1].address, 0x110U);
    EXPECT_EQ(isa::disassemble(c.spec, sites[0].original, 0x104), "rdccr r3");
    for (const PatchSite& site : sites) {
        const auto at = units.begin() + static_cast<std::ptrdiff_t>(site.address - 0x100);
        EXPECT_TRUE(std::equal(site.after.begin(), site.after.end(), at));
        std::copy(site.before.begin(), site.before.end(), at);
    }
    EXPECT_EQ(units, before);
    EXPECT_THAT(patch(c.spec, list, std::span(units).first(3), 0), IsEmpty());
}

// ---- Translation ----------------------------------------------------------------------------------------------------

Translated::Why why(const Case& c, const TranslationTable& table, const std::string& name,
                    const std::string& form = "") {
    const isa::Instruction& row = c.spec[c.spec.find_instruction(name)];
    for (std::uint32_t i = 0; i < row.form_count; ++i)
        if (c.spec.forms[row.first_form + i].variant == form) return table.forms[row.first_form + i].why;
    throw std::out_of_range(name);
}

TEST(TranslationTables, CopyWhatDoesNotDependOnItsPlace) {
    const Case c = solved(loaded(text_of("m68k.isa"), {{"model", "68000"}}), "trap_and_emulate");
    const TranslationTable table = translation_table(c.spec, c.map, c.findings, c.set, c.options.check);
    EXPECT_EQ(table.complete, Verdict::yes);
    EXPECT_THAT(table.delivered, IsEmpty());
    ASSERT_TRUE(table.exit.has_value());
    EXPECT_EQ(table.exit->parcels.size(), 1U);
    EXPECT_EQ(why(c, table, "nop"), Translated::Why::same);
    EXPECT_EQ(why(c, table, "lea", "Disp"), Translated::Why::same);
    EXPECT_EQ(why(c, table, "lea", "PcDisp"), Translated::Why::reads_pc);
    EXPECT_EQ(why(c, table, "rts"), Translated::Why::jumps);
    EXPECT_EQ(why(c, table, "move_from_sr", "Dn"), Translated::Why::refuted);
    EXPECT_EQ(why(c, table, "rte"), Translated::Why::traps);
}

TEST(TranslationTables, KeepTrapsOfTheGuestsOutOfTheCache) {
    const isa::Spec spec = loaded(text_of("lecture.isa"), {{"lra", "true"}}, text_of("lecture-vt.policy.isa"));
    const Case c = solved(spec, "virtual_machine");
    const TranslationTable table = translation_table(c.spec, c.map, c.findings, c.set, c.options.check);
    EXPECT_EQ(why(c, table, "lw"), Translated::Why::delivers);
    EXPECT_EQ(why(c, table, "li"), Translated::Why::same);
    EXPECT_THAT(table.delivered, ElementsAre("trap bounds", "trap alignment"));
    EXPECT_FALSE(table.exit.has_value());  // all that is illegal or privileged may go to the guest
    EXPECT_EQ(table.complete, Verdict::no);
}

}  // namespace
}  // namespace pogo::check
