// pogo run and pogo step: the cycle-level model from the command line.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "cosim/lockstep.hpp"
#include "model/commit_log.hpp"
#include "model/device_tree.hpp"
#include "model/observers.hpp"
#include "model/simulator.hpp"
#include "programs.hpp"
#include "session.hpp"
#include "states.hpp"

namespace pogo::cli {

using namespace isa;

namespace {

void load_machine(Session& session, model::Simulator& simulator, const Spec& spec) {
    if (const auto problem = simulator.load(spec)) session.fail(bad_input, Code::E0901, {}, *problem);
}

struct RunArguments {
    SpecArguments spec;
    ProgramArguments programs;
    std::string view = "batched";
    std::uint64_t cycles = 100'000'000;
    std::optional<std::string> timing;
    std::string trace;
    std::string vcd;
    std::string commit_log;
    std::string lockstep;        // qemu or the address of a stub
    std::string tlb;             // stale, coherent or empty: as the rest says
    std::string htif;            // address
    std::string dtb;             // register that is to hold the blob's address
    std::string boot_arguments;  // in the device tree
    bool stats = false;
    bool reset = true;
    bool dump = false;
};

// Where a store talks to the host: as told, or where the first program has its symbols. Nothing if it is the
// platform's.
std::optional<std::uint64_t> attach_htif(Session& session, model::Simulator& simulator, const RunArguments& arguments,
                                         std::optional<std::uint64_t> tohost, std::optional<std::uint64_t> fromhost) {
    if (!arguments.htif.empty()) {
        tohost = parse_number(arguments.htif);
        if (!tohost) session.fail(usage, Code::E0901, {}, fmt::format("`{}` is not an address", arguments.htif));
    } else {
        for (const auto& device : simulator.spec().platform.devices)
            if (device.kind == Device::Kind::htif) return std::nullopt;
    }
    if (!tohost) return std::nullopt;
    if (const auto problem = simulator.attach_htif(*tohost, fromhost))
        session.fail(bad_input, Code::E0901, {}, *problem);
    return tohost;
}

// Puts the flattened device tree into RAM and returns where.
cosim::Peer::Range load_device_tree(Session& session, model::Simulator& simulator, const std::string& boot_arguments) {
    const auto blob = model::flatten(device_tree_of(session, simulator.spec(), boot_arguments));
    const auto address = model::device_tree_address(simulator.spec(), blob.size());
    if (!address) session.fail(bad_input, Code::E0902, {}, simulator.spec().name, "it does not fit into the RAM");
    for (std::size_t i = 0; i < blob.size(); ++i)
        if (!simulator.poke(*address + i, std::to_integer<std::uint64_t>(blob[i])))
            session.fail(bad_input, Code::E0902, {}, simulator.spec().name, "there is no memory for it");
    return {*address, blob.size()};
}

// A machine beside the model, in the model's state.
struct Beside {
    std::unique_ptr<cosim::Peer> peer;
    std::unique_ptr<cosim::Lockstep> lockstep;
};

Beside bring_beside(Session& session, model::Simulator& simulator, const RunArguments& arguments,
                    std::span<const cosim::Peer::Range> loaded) {
    const Spec& spec = simulator.spec();
    const auto& target = cosim::target_of(spec);
    Beside beside;
    try {
        const bool qemu = arguments.lockstep == "qemu";
        auto stream = qemu ? cosim::start_qemu(target, spec) : cosim::connect(arguments.lockstep);
        beside.peer = std::make_unique<cosim::Gdb>(std::move(stream), qemu ? "QEMU" : "the stub", spec.big_endian);
        beside.lockstep = std::make_unique<cosim::Lockstep>(
            spec, target, *beside.peer, [&simulator](std::uint64_t address) { return simulator.peek(address); });
        beside.lockstep->start(simulator.state(), loaded);
    } catch (const cosim::PeerError& error) {
        session.fail(bad_input, Code::E0903, {}, arguments.lockstep, error.what());
    }
    return beside;
}

// Stops at the first difference.
model::RunResult run_beside(model::Simulator& simulator, std::uint64_t cycles, const cosim::Lockstep& lockstep) {
    model::RunResult all;
    do {
        const auto part = simulator.run({.cycles = cycles - all.cycles, .steps = 1});
        all.reason = part.reason;
        all.exit_code = part.exit_code;
        all.cycles += part.cycles;
        all.steps += part.steps;
    } while (all.reason == model::StopReason::steps && !lockstep.over());
    return all;
}

// Leaves if the comparison has not gone to the end of the run.
void conclude(Session& session, model::Simulator& simulator, const RunArguments& arguments, cosim::Lockstep& lockstep) {
    simulator.detach(lockstep);
    lockstep.settle();
    if (!lockstep.failure().empty()) session.fail(bad_input, Code::E0903, {}, arguments.lockstep, lockstep.failure());
    if (!lockstep.difference().empty()) {
        fmt::print("{}", lockstep.difference());
        throw Leave{refuted};
    }
    fmt::print(stderr, "pogo: {}\n", lockstep.summary());
}

void run(Session& session, const RunArguments& arguments) {
    const Spec spec = session.load(arguments.spec, arguments.timing);
    // What a peer's TLB still holds nobody can tell: beside one, ours holds nothing stale.
    const bool stale = arguments.tlb.empty() ? arguments.lockstep.empty() : arguments.tlb == "stale";
    model::Simulator simulator(
        {.view = arguments.view == "clocked" ? model::View::clocked : model::View::batched, .stale_tlb = stale});
    load_machine(session, simulator, spec);
    Programs programs = load_programs(session, arguments.programs, spec,
                                      [&](const model::Image& image) { return simulator.load(image); });
    auto& loaded = programs.ranges;
    const auto tohost = attach_htif(session, simulator, arguments, programs.tohost, programs.fromhost);
    if (!arguments.dtb.empty()) loaded.push_back(load_device_tree(session, simulator, arguments.boot_arguments));
    if (arguments.reset) simulator.reset();
    State state = simulator.state();
    const StateFormat format(spec);
    set_registers(session, arguments.programs, spec, format, programs.entry, arguments.reset, state);
    if (!arguments.dtb.empty())
        if (const auto problem = format.set(state, arguments.dtb, loaded.back().address))
            session.fail(usage, Code::E0901, {}, *problem);
    simulator.set_state(state);
    simulator.uart_input(arguments.programs.input);

    std::ofstream trace_file;
    std::ofstream vcd_file;
    std::unique_ptr<model::Trace> trace;
    std::unique_ptr<model::Vcd> vcd;
    model::Counts counts;
    const auto open = [&](std::ofstream& file, const std::string& path) {
        file.open(path, std::ios::binary);
        if (!file) session.fail(bad_input, Code::E0803, {}, path);
    };
    if (!arguments.trace.empty()) {
        std::ostream* out = &std::cout;
        if (arguments.trace != "-") {
            open(trace_file, arguments.trace);
            out = &trace_file;
        }
        trace = std::make_unique<model::Trace>(*out);
        simulator.attach(*trace);
    }
    if (!arguments.vcd.empty()) {
        open(vcd_file, arguments.vcd);
        vcd = std::make_unique<model::Vcd>(vcd_file);
        simulator.attach(*vcd);
    }
    if (arguments.stats) simulator.attach(counts);
    std::ofstream log_file;
    std::unique_ptr<model::CommitLog> log;
    if (!arguments.commit_log.empty()) {
        if (const auto problem = model::CommitLog::unfit(spec))
            session.fail(bad_input, Code::E0904, {}, spec.name, *problem);
        if (arguments.commit_log != "-") open(log_file, arguments.commit_log);
        log =
            std::make_unique<model::CommitLog>(arguments.commit_log == "-" ? std::cout : log_file, simulator.state(),
                                               [&simulator](std::uint64_t address) { return simulator.peek(address); });
        simulator.attach(*log);
    }
    Beside beside;
    if (!arguments.lockstep.empty()) {
        beside = bring_beside(session, simulator, arguments, loaded);
        if (tohost) beside.lockstep->add_device(*tohost, 8);
        simulator.attach(*beside.lockstep);
    }

    const auto result = beside.lockstep ? run_beside(simulator, arguments.cycles, *beside.lockstep)
                                        : simulator.run({.cycles = arguments.cycles});
    if (log || beside.lockstep || arguments.stats) simulator.retire_all();
    const std::string output = simulator.take_uart_output();
    std::fwrite(output.data(), 1, output.size(), stdout);
    std::fflush(stdout);
    if (arguments.dump) {
        std::string text;
        model::StepOutcome none;
        none.cycles = result.cycles;
        format.write(none, simulator.state(), text);
        fmt::print("{}", text);
    }
    if (arguments.stats) fmt::print("{}", counts.print());
    fmt::print(stderr, "pogo: stopped ({}) after {} cycles, {} instructions, traps and interrupts", name(result.reason),
               result.cycles, result.steps);
    if (result.reason == model::StopReason::exit) fmt::print(stderr, ", exit code {}", result.exit_code);
    fmt::print(stderr, "\n");
    if (simulator.bus_errors() > 0)
        fmt::print(stderr, "pogo: {} accesses met neither memory nor a device\n", simulator.bus_errors());
    if (trace) simulator.detach(*trace);
    if (vcd) simulator.detach(*vcd);
    if (arguments.stats) simulator.detach(counts);
    if (log) simulator.detach(*log);
    if (beside.lockstep) conclude(session, simulator, arguments, *beside.lockstep);
    switch (result.reason) {
        case model::StopReason::exit:
            throw Leave{result.exit_code == 0 ? holds : refuted};
        case model::StopReason::halted:
            break;
        case model::StopReason::cycles:
        case model::StopReason::steps:
            throw Leave{unknown};
        case model::StopReason::waiting_forever:
        case model::StopReason::double_fault:
        case model::StopReason::reset:
        case model::StopReason::monitor:
            throw Leave{refuted};
    }
}

struct StepArguments {
    SpecArguments spec;
    std::string states;
    bool interrupts = false;
    bool keep_trap = false;
};

// Why the choices are not those of the instruction that ran.
std::optional<std::string> misfit(const Spec& spec, const model::StepOutcome& outcome,
                                  std::span<const std::uint64_t> choices) {
    const auto wanted =
        outcome.form.valid() ? std::span(spec[outcome.form].meaning.choices) : std::span<const Variable>();
    if (choices.size() > wanted.size())
        return fmt::format("the instruction leaves {} values unpredictable, but {} choices are given", wanted.size(),
                           choices.size());
    for (std::size_t i = 0; i < choices.size(); ++i)
        if (const unsigned width = spec.terms.sort(wanted[i]).width;
            (choices[i] & ~static_cast<std::uint64_t>(ones(width))) != 0)
            return fmt::format("choice {} is {:#x}, but has {} bits", i, choices[i], width);
    return std::nullopt;
}

void step(Session& session, const StepArguments& arguments) {
    const Spec spec = session.load(arguments.spec);
    model::Simulator simulator({.bare = true});
    load_machine(session, simulator, spec);
    const StateFormat format(spec);
    InputState input;
    model::StepOutcome outcome;
    State after(spec);
    std::string out;
    const auto flush = [&] {
        std::fwrite(out.data(), 1, out.size(), stdout);
        std::fflush(stdout);
        out.clear();
    };
    const auto fail = [&](std::string_view line, unsigned number, std::size_t offset, const std::string& message) {
        flush();
        const auto buffer = session.sources.add(arguments.states, std::string(line), number);
        const auto where = static_cast<std::uint32_t>(std::min(offset, line.size()));
        session.fail(bad_input, Code::E0806, SourceRange{buffer, where, where + 1}, message);
    };
    const auto one = [&](std::string_view line, unsigned number) {
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
        if (const auto error = format.read(line, input)) fail(line, number, error->offset, error->message);
        const auto execute = [&](bool take_traps, std::span<const std::uint64_t> choices) {
            simulator.set_state(input.state);
            for (const auto& [address, value] : input.memory)
                if (!simulator.poke(address, value))
                    fail(line, number, 0, fmt::format("there is no memory at {:#x}", address));
            simulator.step({.take_traps = take_traps, .interrupts = arguments.interrupts, .choices = choices}, outcome);
            // Memory goes back to zeros for the next state.
            for (const auto& [address, value] : input.memory) simulator.poke(address, 0);
            for (const auto& change : outcome.memory) simulator.poke(change.address, 0);
        };
        if (!input.choices.empty()) {  // which instruction they are for shows when it has run
            execute(false, {});
            if (const auto problem = misfit(spec, outcome, input.choices)) fail(line, number, 0, *problem);
        }
        execute(!arguments.keep_trap, input.choices);
        const auto slots = simulator.slots();
        after.slots.assign(slots.begin(), slots.end());
        format.write(outcome, after, out);
        if (out.size() > (1U << 20)) flush();
    };
    if (!each_line(arguments.states, line_limit, one, flush, session.diagnostics)) session.leave(bad_input);
}

}  // namespace

void add_simulation(CLI::App& app, Session& session) {
    {
        auto* command = app.add_subcommand("run", "Run programs on the cycle-level model");
        auto arguments = std::make_shared<RunArguments>();
        arguments->spec.add_to(*command);
        arguments->programs.add_to(*command);
        command
            ->add_option("--view", arguments->view, "clocked or batched: how the kernel is driven; cycles are the same")
            ->check(CLI::IsMember({"clocked", "batched"}))
            ->capture_default_str();
        command
            ->add_option("--tlb", arguments->tlb,
                         "stale: mappings stay until a fence drops them (the default, but for --lockstep); coherent: "
                         "each access is translated as the page tables are")
            ->check(CLI::IsMember({"stale", "coherent"}));
        command->add_option("--timing", arguments->timing, "a file with a timing section that replaces the machine's")
            ->type_name("FILE");
        command->add_option("--cycles", arguments->cycles, "stop after this many")->capture_default_str();
        command->add_option("--trace", arguments->trace,
                            "write every retired instruction to a file, - for the terminal");
        command->add_option("--vcd", arguments->vcd, "write waves of pipeline and state to a file");
        command->add_option("--commit-log", arguments->commit_log,
                            "write instructions as riscv-isa-sim's --log-commits does, - for the terminal");
        command
            ->add_option(
                "--lockstep", arguments->lockstep,
                "step another machine beside the model and stop at the first difference: qemu, or the GDB stub "
                "at unix:PATH or tcp:HOST:PORT")
            ->type_name("PEER");
        command
            ->add_option("--htif", arguments->htif,
                         "the host-target interface is at this address (default: where a program's symbols tohost and "
                         "fromhost say)")
            ->type_name("ADDRESS");
        command->add_option("--dtb", arguments->dtb, "put the device tree at the end of RAM and its address here")
            ->type_name("REGISTER");
        command->add_option("--append", arguments->boot_arguments, "boot arguments for the device tree")
            ->type_name("TEXT");
        command->add_flag("--stats", arguments->stats,
                          "print cycles by cause, class and mode, traps, walks and misses");
        command->add_flag("--dump", arguments->dump, "print the last state as JSON");
        command->add_flag("!--no-reset", arguments->reset, "do not run the machine's reset sequence");
        command->footer(
            "Exit codes: 0 halted or exit device with 0, 1 exit device with another value, double fault, waiting for\n"
            "nothing or a reset wanted, 2 out of cycles.");
        command->callback([arguments, &session] { run(session, *arguments); });
    }
    {
        auto* command = app.add_subcommand("step", "Execute one instruction from each of many given states");
        auto arguments = std::make_shared<StepArguments>();
        arguments->spec.add_to(*command);
        command
            ->add_option("--states", arguments->states,
                         "one JSON object a line (docs/states.md); - reads them as they come")
            ->required()
            ->type_name("FILE");
        command->add_flag("--interrupts", arguments->interrupts, "let an interrupt come instead where one is due");
        command->add_flag("--keep", arguments->keep_trap, "on a trap keep the state, do not run the trap's entry");
        command->callback([arguments, &session] { step(session, *arguments); });
    }
}

}  // namespace pogo::cli
