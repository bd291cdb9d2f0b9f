// Guests under a monitor outside the machine: the same as bare on every machine, a hundred at a time, and none sees
// another.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <regex>

#include "command.hpp"
#include "isa/assembly.hpp"
#include "model/monitor.hpp"
#include "model/simulator.hpp"
#include "report/efficiency.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using namespace isa;

/// A program, wherever it is loaded: built, or assembled for the machine.
model::Image image_of(const Spec& spec, const std::string& file) {
    if (file.ends_with(".elf")) {
        const std::string bytes = text_of(std::string(POGO_BUILT_PROGRAMS "/") + file);
        auto image = model::load_elf(std::as_bytes(std::span(bytes)), spec);
        EXPECT_TRUE(std::holds_alternative<model::Image>(image)) << file;
        return std::get<model::Image>(image);
    }
    SourceManager sources;
    Diagnostics diagnostics;
    const auto program =
        assemble(spec, sources, sources.add(file, text_of(std::string(POGO_PROGRAMS "/") + file)), diagnostics);
    EXPECT_TRUE(program.has_value()) << render(diagnostics, sources);
    model::Image image;
    image.entry = program->entry;
    for (const auto& line : program->lines) image.segments.push_back({line.address, line.units, 0, 0, line.code});
    return image;
}

struct Ended {
    model::StopReason reason{};
    std::uint64_t exit_code = 0;
    std::string output;
    State state;
    std::vector<std::uint64_t> memory;
};

struct Machine {
    const char* name;
    const char* file;
    Arguments arguments;
    const char* program;
    std::uint64_t memory;  ///< first address of what is compared: memory of a guest that leaves no times in it
    std::uint64_t units;   ///< 0: such a guest there is not
};

Ended bare(const Spec& spec, const Machine& machine) {
    model::Simulator simulator({.stale_tlb = true});
    EXPECT_EQ(simulator.load(spec), std::nullopt);
    EXPECT_FALSE(simulator.load(image_of(spec, machine.program)).has_value());
    simulator.reset();
    const auto result = simulator.run({.cycles = 200'000'000});
    Ended ended{result.reason, result.exit_code, simulator.take_uart_output(), simulator.state(), {}};
    for (std::uint64_t i = 0; i < machine.units; ++i) ended.memory.push_back(simulator.peek(machine.memory + i));
    return ended;
}

Ended guest(const Spec& spec, const VmMap* map, const Machine& machine, const model::Monitor::Constants& constants,
            model::Activity* activity = nullptr) {
    model::Monitor monitor(spec, map);
    EXPECT_EQ(monitor.add_guest(constants), std::nullopt);
    EXPECT_FALSE(monitor.load(0, image_of(spec, machine.program)).has_value());
    monitor.reset(0);
    monitor.run(200'000'000);
    Ended ended{monitor.reason(0), monitor.exit_code(0), monitor.take_output(0), monitor.state(0), {}};
    for (std::uint64_t i = 0; i < machine.units; ++i) ended.memory.push_back(monitor.peek(0, machine.memory + i));
    if (activity != nullptr) *activity = monitor.activity(0);
    EXPECT_EQ(monitor.broken(0), "");
    return ended;
}

const VmMap* map_of(const Spec& spec, const std::string& name) {
    const auto map =
        std::find_if(spec.vm_maps.begin(), spec.vm_maps.end(), [&](const VmMap& m) { return m.name == name; });
    EXPECT_NE(map, spec.vm_maps.end()) << name;
    return &*map;
}

// What a program can look at; not what time it is, nor, where a device ends the run, how far the pipeline has got.
void expect_the_same(const Spec& spec, const Machine& machine, const Ended& run, const Ended& before) {
    EXPECT_EQ(run.output, before.output);
    EXPECT_EQ(run.reason, before.reason);
    EXPECT_EQ(run.exit_code, before.exit_code);
    EXPECT_TRUE(run.memory == before.memory);
    if (machine.units == 0) return;
    for (const auto& element : spec.elements) {
        if (element.input || element.role == Role::time) continue;
        if (element.role == Role::pc && run.reason == model::StopReason::exit) continue;
        for (unsigned i = 0; i < element.slots(); ++i)
            EXPECT_EQ(run.state.get(element, i), before.state.get(element, i)) << element.name << " " << i;
    }
}

const Machine lecture{"Lecture", "lecture.isa", {}, "lecture/kernel.s", 0, 0x1000};
const Machine frames_68000{"Frames68000", "m68k.isa", {{"model", "68000"}}, "exceptions-68000.elf", 0, 0};
const Machine frames_68010{"Frames68010", "m68k.isa", {{"model", "68010"}}, "exceptions-68010.elf", 0, 0};
const Machine m68010{"M68010", "m68k.isa", {{"model", "68010"}}, "kernel.elf", 0, 0};
const Machine m68030{"M68030", "m68k.isa", {{"model", "68030"}}, "paging-68030.elf", 0, 0};
const Machine m68040{"M68040", "m68k.isa", {{"model", "68040"}}, "paging-68040.elf", 0, 0};
const Machine rv64_machine{"Rv64Machine", "rv64.isa", {}, "rv64-kernel.elf", 0x80000000, 0};
const Machine rv64_system{"Rv64System", "rv64.isa", {}, "rv64-system.elf", 0x80000000, 0};
const Machine rv64_hypervisor{"Rv64Hypervisor", "rv64.isa", {{"hypervisor", "true"}}, "rv64-system.elf", 0x80000000, 0};

// ---- The same as bare -----------------------------------------------------------------------------------------------

struct Case {
    const char* name;
    const Machine& machine;
    std::optional<std::string> policy;
    const char* map;  ///< nothing: all instructions are interpreted
    model::Monitor::Constants constants;
    double direct;  ///< share of instructions that the real machine executes, at least
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const model::Monitor::Constants small{{"origin", 0x10000}, {"size", 0x8000}};
const model::Monitor::Constants medium{{"origin", 0x10000}, {"size", 0x200000}};
const model::Monitor::Constants lower{{"origin", 0x10000}, {"size", 0x1F0000}};
const model::Monitor::Constants whole{{"origin", 0}, {"size", 0x400000}};
const model::Monitor::Constants large{{"origin", 0x1000000}, {"size", 0x400000}};
const model::Monitor::Constants shifted{{"origin", 0x1000000}, {"size", 0x400000}, {"shift", 0x1000}};

class Guests : public ::testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        const std::string program = GetParam().machine.program;
        if (program.ends_with(".elf") && !std::filesystem::exists(POGO_BUILT_PROGRAMS "/" + program))
            GTEST_SKIP() << "no cross compiler";
    }
};

TEST_P(Guests, AreAsOnTheBareMachine) {
    const Case& c = GetParam();
    const Ended before = bare(machine(c.machine.file, c.machine.arguments), c.machine);
    EXPECT_THAT(before.reason, ::testing::AnyOf(model::StopReason::halted, model::StopReason::exit));
    EXPECT_EQ(before.exit_code, 0U);
    const Spec spec = machine(c.machine.file, c.machine.arguments, c.policy);
    model::Activity activity;
    const Ended run = guest(spec, c.map == nullptr ? nullptr : map_of(spec, c.map), c.machine, c.constants, &activity);
    if (c.policy)  // its state has more in it
        EXPECT_EQ(run.output, before.output);
    else
        expect_the_same(spec, c.machine, run, before);
    const double direct = static_cast<double>(activity.direct) / static_cast<double>(activity.instructions());
    EXPECT_GE(direct, c.direct);
    EXPECT_EQ(activity.direct == 0, c.map == nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Machines, Guests,
    ::testing::Values(Case{"Lecture", lecture, {}, "trap_and_emulate", small, 0.8},
                      Case{"LectureHybrid", lecture, {}, "hybrid", small, 0.3},
                      Case{"LectureInterpreted", lecture, {}, nullptr, {}, 0},
                      Case{"LectureVirtual", lecture, "lecture-vt.policy.isa", "virtual_machine", small, 0.7},
                      Case{"M68010", m68010, {}, "trap_and_emulate", {}, 0.9},
                      Case{"M68010Hybrid", m68010, {}, "hybrid", {}, 0.2},
                      Case{"M68010Interpreted", m68010, {}, nullptr, {}, 0},
                      Case{"M68000Virtual", frames_68000, "m68k-vt.policy.isa", "virtual_machine", medium, 0.8},
                      Case{"M68010Virtual", frames_68010, "m68k-vt.policy.isa", "virtual_machine", medium, 0.8},
                      Case{"M68030", m68030, {}, "trap_and_emulate", lower, 0.9},
                      Case{"M68030Interpreted", m68030, {}, nullptr, {}, 0},
                      Case{"M68030Virtual", m68030, "m68k-vt.policy.isa", "virtual_machine", whole, 0.9},
                      Case{"M68040", m68040, {}, "trap_and_emulate", lower, 0.9},
                      Case{"M68040Hybrid", m68040, {}, "hybrid", lower, 0},
                      Case{"M68040Virtual", m68040, "m68k-vt.policy.isa", "virtual_machine", whole, 0.9},
                      Case{"Rv64Machine", rv64_machine, {}, "machine_in_user", large, 0.9},
                      Case{"Rv64SystemInMachine", rv64_system, {}, "machine_in_user", large, 0.9},
                      Case{"Rv64SystemInSupervisor", rv64_system, {}, "supervisor_in_user", large, 0.9},
                      Case{"Rv64SystemVirtual", rv64_hypervisor, {}, "guest_of_the_hypervisor", shifted, 0.99},
                      Case{"Rv64SystemInterpreted", rv64_system, {}, nullptr, {}, 0}),
    [](const auto& test) { return std::string(test.param.name); });

// ---- Where the theorem's condition fails ----------------------------------------------------------------------------

// Programs that use the flawed instructions: bare and under the monitor they do different things, as the classes say.
TEST(CriticalInstructions, ShowThatThereIsAMonitor) {
    struct Flaw {
        const char* parameter;
        const char* text;  ///< ends with what tells the difference in r1
    };
    for (const Flaw& flaw : {Flaw{"popf", "li r15, word\n popf\n get r1, ccr\n halt\nword: .word 0xC0\n"},
                             Flaw{"read_ccr", "rdccr r1\n and r1, r1, #0x80\n halt\n"},
                             Flaw{"lra", "li r2, 0x100\n lra r1, r2\n halt\n"}}) {
        const Spec spec = machine("lecture.isa", {{flaw.parameter, "true"}});
        SourceManager sources;
        Diagnostics diagnostics;
        const auto program = assemble(spec, sources, sources.add("program", flaw.text), diagnostics);
        ASSERT_TRUE(program.has_value()) << render(diagnostics, sources);
        const auto r1 = [&](const VmMap* map, const model::Monitor::Constants& constants) {
            model::Monitor monitor(spec, map);
            EXPECT_EQ(monitor.add_guest(constants), std::nullopt);
            for (const auto& line : program->lines)
                for (std::size_t i = 0; i < line.units.size(); ++i)
                    EXPECT_TRUE(monitor.poke(0, line.address + i, line.units[i]));
            monitor.reset(0);
            monitor.run(100'000);
            EXPECT_EQ(monitor.reason(0), model::StopReason::halted);
            EXPECT_EQ(monitor.broken(0), "");
            return monitor.state(0).get(*spec.find_register("r1"), spec);
        };
        const auto alone = r1(nullptr, {});
        EXPECT_NE(r1(map_of(spec, "trap_and_emulate"), small), alone) << flaw.parameter;
        // All of these are the supervisor's: the hybrid monitor interprets them.
        EXPECT_EQ(r1(map_of(spec, "hybrid"), small), alone) << flaw.parameter;
    }
}

// ---- Remedies -------------------------------------------------------------------------------------------------------

report::Efficiency measured(const Spec& spec, const std::string& map, const std::string& program,
                            const model::Monitor::Constants& constants, std::optional<std::uint64_t> cache) {
    const VmMap* const chosen = map_of(spec, map);
    check::RemedyOptions options;
    options.check.witnesses = false;
    const auto findings = check::check_vm_map(spec, *chosen, options.check);
    const auto set = check::trap_set(spec, *chosen, findings, options);
    report::EfficiencyRequest request;
    request.images = {image_of(spec, program)};
    request.constants = constants;
    request.cycles = 5'000'000;
    auto list = check::patch_list(spec, *chosen, findings, set, options.check);
    EXPECT_EQ(list.complete(), check::Verdict::yes);
    request.remedies.push_back({chosen, std::move(list), {}});
    if (cache) {
        auto code = report::code_cache(*chosen, check::translation_table(spec, *chosen, findings, set, options.check),
                                       *cache, 0x1000);
        EXPECT_TRUE(code.has_value());
        request.remedies.push_back({chosen, {}, std::move(code)});
    }
    auto result = report::measure(spec, request);
    if (const auto* problem = std::get_if<std::string>(&result)) {
        ADD_FAILURE() << *problem;
        return {};
    }
    return std::get<report::Efficiency>(std::move(result));
}

const report::EfficiencyRow& row(const report::Efficiency& efficiency, const std::string& way) {
    const auto found = std::find_if(efficiency.rows.begin(), efficiency.rows.end(),
                                    [&](const report::EfficiencyRow& one) { return one.way == way; });
    EXPECT_NE(found, efficiency.rows.end()) << way;
    return *found;
}

// A guest that uses all three flaws, as programs do, ends as bare with hypercalls in their place, and when its code is
// translated; without, neither under trap-and-emulate nor under the hybrid monitor (rdccr and lra are its users', too).
TEST(Remedies, LetAGuestWithCriticalInstructionsRun) {
    const Spec spec = machine("lecture.isa", {{"popf", "true"}, {"read_ccr", "true"}, {"lra", "true"}});
    const auto efficiency = measured(spec, "trap_and_emulate", "lecture/flaws.s", small, 0x7000);
    EXPECT_FALSE(row(efficiency, "trap_and_emulate").same);
    EXPECT_FALSE(row(efficiency, "hybrid").same);
    EXPECT_TRUE(row(efficiency, "paravirtual").same) << row(efficiency, "paravirtual").problem;
    EXPECT_TRUE(row(efficiency, "translation").same) << row(efficiency, "translation").problem;
    EXPECT_TRUE(row(efficiency, "interpretation").same);
    EXPECT_GT(row(efficiency, "paravirtual").activity.direct_share(), 0.9);
    EXPECT_GT(row(efficiency, "translation").activity.blocks, 5U);
    EXPECT_GT(row(efficiency, "translation").activity.direct, 100U);
}

// The litmus of the 68000: exceptions.S compares each frame with the manual. A user program that reads SR sees the
// monitor's interrupt mask; with a hypercall there it does not.
TEST(Remedies, LetThe68000CompareItsFrames) {
    if (!std::filesystem::exists(POGO_BUILT_PROGRAMS "/exceptions-68000.elf")) GTEST_SKIP() << "no cross compiler";
    const Spec spec = machine("m68k.isa", {{"model", "68000"}});
    const auto efficiency = measured(spec, "trap_and_emulate", "exceptions-68000.elf", {}, std::nullopt);
    EXPECT_FALSE(row(efficiency, "trap_and_emulate").same);
    EXPECT_TRUE(row(efficiency, "paravirtual").same) << row(efficiency, "paravirtual").problem;
}

// A kernel without flaws, translated: the cache changes nothing, and it is used.
TEST(Remedies, TranslateAKernel) {
    const Spec spec = machine("lecture.isa");
    const auto efficiency = measured(spec, "trap_and_emulate", "lecture/kernel.s", small, 0x7000);
    EXPECT_TRUE(efficiency.all_same());
    EXPECT_GT(row(efficiency, "translation").activity.direct_share(), 0.3);
    EXPECT_LT(row(efficiency, "translation").activity.blocks, row(efficiency, "translation").activity.exits / 2);
}

// ---- Mutants --------------------------------------------------------------------------------------------------------

void start(model::Monitor& monitor, const Spec& spec, model::GuestId number, const std::string& program) {
    EXPECT_FALSE(monitor.load(number, image_of(spec, program)).has_value());
    monitor.reset(number);
}

// A wrong map is a wrong monitor: each of these kills one obligation, and the guest's output or the monitor's own
// comparison tells.
TEST(MutantMonitors, AreFoundOut) {
    const std::string text = text_of(POGO_SPECS "/lecture.isa");
    const Machine& kernel = lecture;
    const std::string expected = bare(machine("lecture.isa"), kernel).output;
    const auto at = text.find("vmm trap_and_emulate");
    const auto end = text.find("vmm hybrid");
    const std::string map = text.substr(at, end - at);
    const auto outcome = [&](const std::string& changed) {
        SourceManager sources;
        Diagnostics diagnostics;
        const auto buffer = sources.add("lecture.isa", text.substr(0, at) + changed + text.substr(end));
        const auto spec = load_spec(sources, buffer, std::nullopt, {}, diagnostics);
        EXPECT_TRUE(spec.has_value()) << render(diagnostics, sources);
        // Another guest's program is where the machine's memory begins.
        model::Monitor monitor(*spec, map_of(*spec, "trap_and_emulate"));
        EXPECT_EQ(monitor.add_guest({{"origin", 0}, {"size", 0x8000}}), std::nullopt);
        EXPECT_EQ(monitor.add_guest(small), std::nullopt);
        start(monitor, *spec, 0, "lecture/resident.s");
        start(monitor, *spec, 1, kernel.program);
        monitor.run(20'000'000);
        return std::pair(monitor.take_output(1), monitor.broken(1));
    };
    EXPECT_EQ(outcome(map), std::pair(expected, std::string()));
    const std::vector<std::pair<const char*, const char*>> mutants{
        {"base  = origin + from;", "base  = from;"},                                      // relocation is not composed
        {"limit = if wanted < room then wanted else room;", "limit = size;"},             // the guest's limit is lost
        {"from   = if ccr.S == 1 then 0 else base;", "from   = base;"},                   // the supervisor is relocated
        {"wanted = if ccr.S == 1 then size else limit;", "wanted = size;"},               // its user is not bounded
        {"supervisor => user;", "supervisor => supervisor;"},                             // it runs as what it believes
        {"limit = if wanted < room then wanted else room;", "limit = wanted + 0x2000;"},  // devices become memory
    };
    for (const auto& [from, to] : mutants) {
        const auto [output, broken] = outcome(replaced(map, from, to));
        EXPECT_TRUE(output != expected || !broken.empty()) << to;
    }
}

// ---- Many
// ------------------------------------------------------------------------------------------------------------

// What cannot be a guest is told at once, with what there is.
TEST(Monitor, RefusesWhatItCannotRun) {
    const Spec lecture_spec = machine("lecture.isa");
    const auto told = [](const Spec& spec, const char* map, const model::Monitor::Constants& constants,
                         std::size_t guests = 1) {
        model::Monitor monitor(spec, map == nullptr ? nullptr : map_of(spec, map));
        std::string text;
        for (std::size_t i = 0; i < guests; ++i) text = monitor.add_guest(constants).value_or("");
        return text;
    };
    EXPECT_EQ(told(lecture_spec, "hybrid", {}), "the VM map hybrid needs a value for: origin, size");
    EXPECT_EQ(told(lecture_spec, "hybrid", {{"origin", 0}, {"size", 9}, {"more", 1}}),
              "the VM map hybrid has no constant `more`; it has origin, size");
    EXPECT_EQ(told(lecture_spec, "hybrid", {{"origin", std::uint64_t{1} << 32}, {"size", 9}}), "`origin` has 32 bits");
    EXPECT_EQ(told(lecture_spec, "hybrid", {{"origin", 0}, {"size", 0xFFFFFFFF}}),
              "the guest has both memory and a device at address 0xfffff000");
    EXPECT_EQ(told(lecture_spec, nullptr, {}, 2), "without a VM map there can be one guest only");
    EXPECT_EQ(told(lecture_spec, nullptr, {{"size", 1}}), "there is no VM map, so no constant `size`");
    const Spec m68k_spec = machine("m68k.isa");
    EXPECT_EQ(told(m68k_spec, "hybrid", {}, 2),
              "the VM map hybrid does not say where a guest's memory lies, so there can be one only");
}

// One hundred guests share the machine; one of them attacks all it can reach.
TEST(OneHundredGuests, AreKeptApart) {
    const Spec spec = machine("lecture.isa");
    constexpr std::uint64_t first = 0x10000;
    constexpr std::uint64_t size = 0x1000;
    constexpr model::GuestId hostile = 41;
    model::Monitor monitor(spec, map_of(spec, "trap_and_emulate"), {.quantum = 500});
    for (model::GuestId i = 0; i < 100; ++i) {
        ASSERT_EQ(monitor.add_guest({{"origin", first + size * i}, {"size", size}}), std::nullopt);
        start(monitor, spec, i, i == hostile ? "lecture/hostile.s" : "lecture/resident.s");
        if (i != hostile) monitor.poke(i, 0x23, i);
    }
    monitor.run();
    std::uint64_t total = 0;
    for (model::GuestId i = 0; i < 100; ++i) {
        EXPECT_EQ(monitor.reason(i), model::StopReason::halted) << i;
        EXPECT_EQ(monitor.broken(i), "") << i;
        // As alone: it has seen no secret, no store beyond its memory has stayed, and it has tried.
        EXPECT_EQ(monitor.take_output(i), i == hostile ? "00000000 00000000 00000452 \n" : "kept\n") << i;
        EXPECT_GT(monitor.activity(i).exits, i == hostile ? 1000U : 4U);
        total +=
            monitor.activity(i).direct_cycles + monitor.activity(i).trap_cycles + monitor.activity(i).monitor_cycles;
    }
    EXPECT_EQ(total, monitor.cycles());  // one machine, one after the other
    // The real machine's memory beside theirs is as it was.
    for (std::uint64_t at = 0; at < first; at += 4) EXPECT_EQ(monitor.peek_real(at), 0U) << at;
    for (std::uint64_t at = first + 100 * size; at < first + 200 * size; at += 4) EXPECT_EQ(monitor.peek_real(at), 0U);
}

// On the bare machine the same program does see and change what is beyond: the attack is one.
TEST(OneHundredGuests, WouldNotBeKeptApartByThemselves) {
    const Spec spec = machine("lecture.isa");
    model::Simulator simulator;
    ASSERT_EQ(simulator.load(spec), std::nullopt);
    ASSERT_FALSE(simulator.load(image_of(spec, "lecture/hostile.s")).has_value());
    for (const std::uint64_t at : {0x1000, 0x5000}) {
        simulator.poke(at, 0x5E);
        simulator.poke(at + 1, 0xC2);
    }
    simulator.reset();
    EXPECT_EQ(simulator.run({.cycles = 1'000'000}).reason, model::StopReason::halted);
    const std::string output = simulator.take_uart_output();
    EXPECT_EQ(output.substr(0, 9), "00000002 ");
    EXPECT_NE(output.substr(9, 9), "00000000 ");
}

// A map whose guests are not confined: the attack comes through.
TEST(OneHundredGuests, AreNotKeptApartByAWrongMap) {
    const std::string text = text_of(POGO_SPECS "/lecture.isa");
    const auto at = text.find("    limit = if wanted < room then wanted else room;");
    ASSERT_NE(at, std::string::npos);  // the first map's
    const std::string wrong = text.substr(0, at) + "    limit = wanted;" + text.substr(text.find('\n', at));
    SourceManager sources;
    Diagnostics diagnostics;
    const auto spec = load_spec(sources, sources.add("lecture.isa", wrong), std::nullopt, {}, diagnostics);
    ASSERT_TRUE(spec.has_value()) << render(diagnostics, sources);
    model::Monitor monitor(*spec, map_of(*spec, "trap_and_emulate"), {.quantum = 500});
    for (model::GuestId i = 0; i < 3; ++i) {
        ASSERT_EQ(monitor.add_guest({{"origin", 0x10000 + 0x1000 * i}, {"size", 0x1000}}), std::nullopt);
        start(monitor, *spec, i, i == 1 ? "lecture/hostile.s" : "lecture/resident.s");
    }
    monitor.run(50'000'000);
    EXPECT_NE(monitor.take_output(1).substr(9, 8), "00000000");
}

// Entries of a register file are mapped one by one: relocation that lies in one is moved as relocation in two registers
// is.
TEST(Entries, OfARegisterFileAreMapped) {
    std::string text = text_of(POGO_SPECS "/lecture.isa");
    for (const char* const declaration : {"register base ", "register limit "}) {
        const auto at = text.find(declaration);
        ASSERT_NE(at, std::string::npos);
        text.erase(at, text.find('\n', at) - at);
    }
    text = std::regex_replace(text, std::regex(R"(([^"])\bbase\b)"), "$1window[0]");
    text = std::regex_replace(text, std::regex(R"(([^"])\blimit\b)"), "$1window[1]");
    text.insert(text.find("register pc"), "regfile window[2] : bits(32) role relocation;\n");
    SourceManager sources;
    Diagnostics diagnostics;
    const auto spec = load_spec(sources, sources.add("lecture.isa", text), std::nullopt, {}, diagnostics);
    ASSERT_TRUE(spec.has_value()) << render(diagnostics, sources);
    const VmMap* const map = map_of(*spec, "trap_and_emulate");
    EXPECT_EQ(std::count_if(map->map.begin(), map->map.end(), [](const Write& write) { return write.index.valid(); }),
              2);
    const Ended before = bare(*spec, lecture);
    EXPECT_EQ(before.exit_code, 0U);
    expect_the_same(*spec, lecture, guest(*spec, map, lecture, small), before);
}

// Supervisors with page tables, memory on demand and time slices of their own, in turn.
TEST(OneHundredGuests, WithPageTables) {
    if (!std::filesystem::exists(POGO_BUILT_PROGRAMS "/rv64-system.elf")) GTEST_SKIP() << "no cross compiler";
    const Spec spec = machine("rv64.isa");
    const std::string expected = bare(spec, rv64_system).output;
    model::Monitor monitor(spec, map_of(spec, "supervisor_in_user"));
    for (model::GuestId i = 0; i < 100; ++i) {
        ASSERT_EQ(monitor.add_guest({{"origin", 0x1000000 + 0x400000 * i}, {"size", 0x400000}}), std::nullopt);
        start(monitor, spec, i, "rv64-system.elf");
    }
    monitor.run();
    for (model::GuestId i = 0; i < 100; ++i) {
        EXPECT_EQ(monitor.broken(i), "") << i;
        EXPECT_EQ(monitor.take_output(i), expected) << i;
    }
}

}  // namespace
}  // namespace pogo::integration
