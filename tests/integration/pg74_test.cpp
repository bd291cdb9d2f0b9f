// The machine of 1974 with a supervisor of its own: bare, under the paper's monitors, and in a virtual state.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <iomanip>

#include "check/vm_map.hpp"
#include "command.hpp"
#include "isa/assembly.hpp"
#include "model/monitor.hpp"
#include "model/simulator.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using namespace isa;
using check::Verdict;
using ::testing::IsEmpty;
using Names = std::set<std::string>;

const std::string policy = "pg74-vt.policy.isa";

std::string program(const std::string& file) { return text_of(POGO_PROGRAMS "/pg74/" + file); }
Image assembled(const Spec& spec, const std::string& text) {
    SourceManager sources;
    Diagnostics diagnostics;
    const auto image = assemble(spec, sources, sources.add("program", text), diagnostics);
    EXPECT_TRUE(image.has_value()) << render(diagnostics, sources);
    return image.value_or(Image{});
}
Image kernel(const Spec& spec) { return assembled(spec, program("kernel.s")); }

const VmMap* find_map(const Spec& spec, const std::string& name) {
    for (const auto& map : spec.vm_maps)
        if (map.name == name) return &map;
    return nullptr;
}

template <class Poke>
void place(const Image& image, std::uint64_t base, Poke&& poke) {
    for (const auto& line : image.lines)
        for (std::size_t i = 0; i < line.units.size(); ++i)
            ASSERT_TRUE(poke(base + line.address + i, line.units[i])) << line.address;
}

// What the kernel prints, by the paper's rules: a trap's old PSW is that of the trapping instruction, for calls that of
// the next one, and docs/machines/pg74.md says what the bits are that the PSW does not use.
std::string expected(const Image& image) {
    constexpr std::uint64_t all = 0xFFFF;
    constexpr std::uint64_t moved = 0x300;
    constexpr std::uint64_t breaker = 0x400;
    constexpr std::uint64_t task = 0x500;
    const auto at = [&](const char* label, std::uint64_t base = 0) { return image.labels.at(label) - base; };
    std::ostringstream text;
    const auto number = [&](std::uint64_t value) {
        text << std::hex << std::setfill('0') << std::setw(16) << value << '\n';
    };
    struct Place {
        std::uint64_t M, l, b;
    };
    const auto psw = [&](std::uint64_t code, std::uint64_t n, const Place& in, std::uint64_t P) {
        number(code << 60 | n << 52 | in.M << 48 | P << 32 | in.l << 16 | in.b);
    };
    const auto illegal = [&](const Place& in, std::uint64_t P) { psw(1, 0, in, P); };
    const auto privileged = [&](const Place& in, std::uint64_t P) { psw(2, 0, in, P); };
    const auto memory = [&](const Place& in, std::uint64_t P) { psw(3, 0, in, P); };
    const auto call = [&](std::uint64_t n, const Place& in, std::uint64_t P) { psw(4, n, in, P + 1); };

    text << "A kernel of the machine of 1974\n";
    const Place supervisor{0, 0, all};
    call(0x77, supervisor, at("k_call"));
    illegal(supervisor, at("k_zero"));
    memory(supervisor, at("k_load"));
    memory(supervisor, all);
    const Place narrow{0, 0, 0x200};
    memory(narrow, at("k_in"));
    memory(narrow, at("k_store"));
    call(0x78, supervisor, at("k_open"));
    const Place further{0, moved, 0x100};
    call(0x79, further, at("m_call", moved));
    memory(further, at("m_load", moved));

    const Place user{1, breaker, 0x80};
    for (const char* label : {"u_lpsw", "u_lr", "u_halt"}) privileged(user, at(label, breaker));
    text << "ABC";  // each task once, then it is the breaker's turn again
    for (const char* label : {"u_zero", "u_ones"}) illegal(user, at(label, breaker));
    for (const char* label : {"u_load", "u_store", "u_far"}) memory(user, at(label, breaker));
    call(0x41, user, at("u_call", breaker));
    memory(user, user.b);
    text << "ABC!\n";
    memory({1, breaker, all}, at("u_end", breaker));  // within the bound, and a + l = q
    number(0x30000003 - 5 + 0x10000000000 + 0xD00D);
    text << "ABCABC";
    for (const std::uint64_t id : {1U, 2U, 3U}) {
        memory({1, 0x600 + (id - 1) * 0x40, 0x1F + id}, at("t_load", task));
        number(4 * id);
    }
    text << "as it should be\n";
    return text.str();
}

TEST(Pg74Kernel, PrintsWhatThePaperSays) {
    const Spec spec = machine("pg74.isa");
    const Image image = kernel(spec);
    for (const auto view : {model::View::batched, model::View::clocked}) {
        model::Simulator simulator({.view = view});
        ASSERT_EQ(simulator.load(spec), std::nullopt);
        place(image, 0, [&](auto address, auto unit) { return simulator.poke(address, unit); });
        simulator.reset();
        const auto result = simulator.run({.cycles = 1'000'000});
        EXPECT_EQ(result.reason, model::StopReason::exit);
        EXPECT_EQ(result.exit_code, 0U);
        EXPECT_EQ(simulator.bus_errors(), 0U);
        EXPECT_EQ(simulator.take_uart_output(), expected(image));
    }
}

// ---- Under monitors -------------------------------------------------------------------------------------------------

struct Ended {
    std::string output;
    model::Activity activity;
};

// Guests in memory of 0x800 cells each, from 0x1000 on.
std::vector<Ended> under(const Spec& spec, const char* map_name, unsigned guests) {
    const VmMap* map = find_map(spec, map_name);
    model::Monitor monitor(spec, map, {.quantum = 1000});
    const Image image = kernel(spec);
    constexpr std::uint64_t size = 0x800;
    for (unsigned guest = 0; guest < guests; ++guest) {
        model::Monitor::Constants constants;
        if (map != nullptr) constants = {{"origin", 0x1000 + guest * size}, {"size", size}};
        EXPECT_EQ(monitor.add_guest(constants), std::nullopt);
        place(image, 0, [&](auto address, auto unit) { return monitor.poke(guest, address, unit); });
        monitor.reset(guest);
    }
    monitor.run(10'000'000);
    std::vector<Ended> runs;
    for (unsigned guest = 0; guest < guests; ++guest) {
        EXPECT_EQ(monitor.reason(guest), model::StopReason::exit) << monitor.broken(guest);
        EXPECT_EQ(monitor.exit_code(guest), 0U);
        runs.push_back({monitor.take_output(guest), monitor.activity(guest)});
    }
    return runs;
}

struct Monitored {
    const char* map;
    bool extended;
    unsigned guests;
};
class Pg74Monitors : public ::testing::TestWithParam<Monitored> {
  protected:
    const Spec spec_ = machine("pg74.isa", {}, GetParam().extended ? std::optional(policy) : std::nullopt);
};

TEST_P(Pg74Monitors, AreNotSeenByTheKernel) {
    const std::string bare = expected(kernel(spec_));
    for (const Ended& run : under(spec_, GetParam().map, GetParam().guests)) EXPECT_EQ(run.output, bare);
}
INSTANTIATE_TEST_SUITE_P(Maps, Pg74Monitors,
                         ::testing::Values(Monitored{"trap_and_emulate", false, 1}, Monitored{"hybrid", false, 1},
                                           Monitored{"interpreted", false, 1}, Monitored{"virtual_machine", true, 1},
                                           Monitored{"trap_and_emulate", false, 3},
                                           Monitored{"virtual_machine", true, 3}),
                         [](const auto& test) {
                             return test.param.map + (test.param.guests > 1 ? "_shared" : std::string());
                         });

// What the virtual state is for: the guest's own traps swap its PSW in its own memory and cost no exit. What leaves is
// privileged there or a device, and the same as what a monitor emulates that has no virtual state.
TEST(Pg74VirtualState, KeepsTheGuestsTraps) {
    const model::Activity plain = under(machine("pg74.isa"), "trap_and_emulate", 1).front().activity;
    const model::Activity virtualized = under(machine("pg74.isa", {}, policy), "virtual_machine", 1).front().activity;
    EXPECT_GT(plain.reflected, 50U);
    EXPECT_EQ(plain.kept, 0U);
    EXPECT_EQ(virtualized.kept, plain.reflected);
    EXPECT_EQ(virtualized.reflected, 0U);
    EXPECT_EQ(virtualized.direct, plain.direct);
    EXPECT_EQ(virtualized.emulated, plain.emulated);
    EXPECT_EQ(virtualized.exits, virtualized.emulated);
    EXPECT_EQ(plain.exits, plain.emulated + plain.reflected);
}

// A monitor that is a program of the machine: it enters the guest, and does what leaves.
TEST(Pg74VirtualState, IsEnteredByAProgram) {
    const Spec spec = machine("pg74.isa", {}, policy);
    model::Simulator simulator;
    ASSERT_EQ(simulator.load(spec), std::nullopt);
    const auto poke = [&](auto address, auto unit) { return simulator.poke(address, unit); };
    const Image image = kernel(spec);
    place(assembled(spec, program("vmm_vt.s")), 0, poke);
    place(image, 0x1000, poke);
    std::vector<std::uint64_t> own;
    for (std::uint64_t cell = 1; cell < 0x1000; ++cell) own.push_back(simulator.peek(cell));
    simulator.reset();
    const auto result = simulator.run({.cycles = 1'000'000});
    EXPECT_EQ(result.reason, model::StopReason::exit);
    EXPECT_EQ(result.exit_code, 0U);
    EXPECT_EQ(simulator.take_uart_output(), expected(image));
    std::size_t changed = 0;  // a PSW and sixteen registers are kept
    for (std::uint64_t cell = 1; cell < 0x1000; ++cell) changed += simulator.peek(cell) != own[cell - 1] ? 1 : 0;
    EXPECT_LE(changed, 17U);
}

// Seeded mistakes of that program: an effect that is lost, a register that is another's, less memory than there is, a
// PSW that is not the one loaded. The guest's output tells of each.
TEST(Pg74VirtualState, TellsOfAMonitorThatIsWrong) {
    const Spec spec = machine("pg74.isa", {}, policy);
    const std::string right = program("vmm_vt.s");
    const Image guest = kernel(spec);
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"do_lr:  load r7, regs(r6)", "do_lr:  add r7, r1, r2\n"},
             {"load r13, regs + 13(r0)", "load r13, regs + 12(r0)"},
             {"li r1, origin * field + size", "li r1, origin * field + 0x400"},
             {"within: load r1, origin(r8)", "within: load r1, origin + 0(r0)"},
             {"vmlr r1", "vmlr r0"}}) {
        model::Simulator simulator;
        ASSERT_EQ(simulator.load(spec), std::nullopt);
        const auto poke = [&](auto address, auto unit) { return simulator.poke(address, unit); };
        place(assembled(spec, replaced(right, from, to)), 0, poke);
        place(guest, 0x1000, poke);
        simulator.reset();
        (void)simulator.run({.cycles = 200'000});
        EXPECT_NE(simulator.take_uart_output(), expected(guest)) << from;
    }
}

// Popek & Goldberg's Theorem 2: that program is itself a guest, of a monitor that has its virtual state in turn.
TEST(Pg74VirtualState, IsVirtualInItsTurn) {
    const Spec spec = machine("pg74.isa", {}, policy);
    model::Monitor monitor(spec, find_map(spec, "virtual_machine"));
    ASSERT_EQ(monitor.add_guest({{"origin", 0x4000}, {"size", 0x1800}}), std::nullopt);
    const auto poke = [&](auto address, auto unit) { return monitor.poke(0, address, unit); };
    const Image image = kernel(spec);
    place(assembled(spec, program("vmm_vt.s")), 0, poke);
    place(image, 0x1000, poke);
    monitor.reset(0);
    monitor.run(10'000'000);
    EXPECT_EQ(monitor.reason(0), model::StopReason::exit) << monitor.broken(0);
    EXPECT_EQ(monitor.take_output(0), expected(image));
    EXPECT_GT(monitor.activity(0).direct, 10'000U);
}

// ---- What is proved -------------------------------------------------------------------------------------------------

const Names leaving{"halt", "load virtual PSW", "load virtual R"};  // what is sensitive in the virtual state

// M and R are the guest's, so that what shows or changes them tells nothing of the monitor: LRA gives addresses of the
// guest's machine, JRST 1 changes its M. Entering the virtual state is privileged, so a monitor runs under a monitor.
TEST(Pg74VirtualState, SatisfiesTheTheoremsWhateverTheFlaws) {
    for (const char* lra : {"false", "true"})
        for (const char* jrst1 : {"false", "true"}) {
            const Spec spec = machine("pg74.isa", {{"lra", lra}, {"jrst1", jrst1}}, policy);
            check::Options options;
            options.context = spec.find_context("vt");
            const auto found = check::check(spec, options);
            EXPECT_EQ(found.theorem1_strict.holds, Verdict::yes) << lra << jrst1;
            EXPECT_EQ(found.theorem1_extended.holds, Verdict::yes) << lra << jrst1;
            EXPECT_EQ(found.theorem3_extended.holds, Verdict::yes) << lra << jrst1;
            const Names sensitive = rows(spec, found, [](const auto& row) {
                return row.control.extended != Verdict::no || row.behavior.extended != Verdict::no;
            });
            EXPECT_EQ(sensitive, leaving);
        }
}

// The policy with a change.
Spec changed(const std::string& from, const std::string& to) {
    SourceManager sources;
    Diagnostics diagnostics;
    const auto machine = sources.add("pg74.isa", text_of(POGO_SPECS "/pg74.isa"));
    const auto extension = sources.add(policy, replaced(text_of(POGO_SPECS "/" + policy), from, to));
    const auto spec = load_spec(sources, machine, extension, {}, diagnostics);
    EXPECT_TRUE(spec.has_value()) << render(diagnostics, sources);
    return vt::extend(spec.value());
}

Names critical(const Spec& spec) {
    check::Options options;
    options.context = spec.find_context("vt");
    Names names;
    for (const auto id : check::check(spec, options).theorem1_extended.against) names.insert(spec[id].name);
    return names;
}

TEST(Pg74VirtualState, NeedsItsRules) {
    // The guest's supervisor would stop the machine, and be its monitor.
    EXPECT_EQ(critical(changed("exits on privileged;", "exits on instruction \"lr\";")), leaving);
}

Names broken(const Spec& spec) {
    Names names;
    for (const auto& obligation : check::check_vm_map(spec, *find_map(spec, "virtual_machine"), {}).obligations)
        if (obligation.holds != Verdict::yes) names.insert(obligation.name);
    return names;
}

TEST(Pg74VirtualState, IsMappedAsTheMapSays) {
    EXPECT_THAT(broken(machine("pg74.isa", {}, policy)), IsEmpty());
    EXPECT_THAT(broken(machine("pg74.isa", {{"lra", "true"}, {"jrst1", "true"}}, policy)), IsEmpty());
    // The entries of the guest's own traps store the old PSW at 0 of its memory: through the second level, too.
    const Names misled{"call_trap", "memory_trap", "privilege_trap", "relocation"};
    EXPECT_EQ(broken(changed(" || pa >= vm.b;", ";")), misled);
    EXPECT_EQ(broken(changed("return pa + vm.l;", "return pa;")), misled);
    EXPECT_EQ(broken(changed("exits on privileged;", "exits on instruction \"lr\";")),
              (Names{"halt_", "vmlpsw", "vmlr"}));
}

}  // namespace
}  // namespace pogo::integration
