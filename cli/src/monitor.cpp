// pogo monitor: guests under a monitor outside the machine, as a VM map of its spec says.
// SPDX-License-Identifier: Apache-2.0
#include "model/monitor.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "monitor.hpp"
#include "programs.hpp"
#include "session.hpp"
#include "states.hpp"

namespace pogo::cli {

using namespace isa;

namespace {

struct MonitorArguments {
    SpecArguments spec;
    ProgramArguments programs;
    std::vector<std::string> map;        // none: the first
    std::vector<std::string> constants;  // NAME=VALUE or NAME=VALUE+STEP
    unsigned guests = 1;
    bool interpret = false;
    model::MonitorConfig config;
    std::uint64_t cycles = 100'000'000;
    std::optional<std::string> timing;
    bool stats = false;
    std::string format = "text";
    std::string output = "-";
    GuestRemedies remedies;

    // What `monitor` and `efficiency` have in common.
    void add_to(CLI::App& command, bool with_registers) {
        spec.add_to(command);
        add_constants_to(command, constants);
        programs.add_to(command, with_registers);
        command
            .add_option("--exit-cycles", config.exit_cycles,
                        "what it costs to leave a guest and to enter it, beside the trap")
            ->capture_default_str();
        command.add_option("--routine-cycles", config.routine_cycles, "what an interpretive routine costs")
            ->capture_default_str();
        command.add_option("--timing", timing, "a file with a timing section that replaces the machine's")
            ->type_name("FILE");
        command.add_option("--cycles", cycles, "stop after this many")->capture_default_str();
    }
};

std::string statistics(const Spec& spec, const model::Activity& activity) {
    std::string text =
        fmt::format("instructions {}: {} directly ({:.2f} %), {} emulated, {} interpreted\n", activity.instructions(),
                    activity.direct, 100 * activity.direct_share(), activity.emulated, activity.interpreted);
    text += fmt::format(
        "exits {} ({:.2f} per thousand instructions), {} for page tables; {} traps reflected, {} interrupts "
        "given; {} taken directly\n",
        activity.exits, activity.exits_per_thousand(), activity.fills, activity.reflected, activity.interrupts,
        activity.kept);
    text += fmt::format("cycles {}: {} directly, {} of traps, {} of the monitor, {} idle\n", activity.cycles(),
                        activity.direct_cycles, activity.trap_cycles, activity.monitor_cycles, activity.idle_cycles);
    for (std::size_t i = 0; i < activity.exits_by_cause.size(); ++i)
        if (activity.exits_by_cause[i] != 0)
            text += fmt::format("  {:>8} {}\n", activity.exits_by_cause[i], spec.causes[i].name);
    for (std::size_t i = 0; i < activity.by_instruction.size(); ++i)
        if (activity.by_instruction[i] != 0)
            text += fmt::format("  {:>8} emulated: {}\n", activity.by_instruction[i], spec.instructions[i].name);
    return text;
}

int exit_of(const model::Monitor& monitor, model::GuestId guest) {
    switch (monitor.reason(guest)) {
        case model::StopReason::exit:
            return monitor.exit_code(guest) == 0 ? holds : refuted;
        case model::StopReason::halted:
            return holds;
        case model::StopReason::cycles:
        case model::StopReason::steps:
            return unknown;
        case model::StopReason::waiting_forever:
        case model::StopReason::double_fault:
        case model::StopReason::reset:
        case model::StopReason::monitor:
            break;
    }
    return refuted;
}

void monitor(Session& session, const MonitorArguments& arguments) {
    const Spec spec = session.load(arguments.spec, arguments.timing);
    const VmMap* const map = arguments.interpret ? nullptr : vm_maps_of(session, spec, arguments.map).front();
    model::Monitor monitor(spec, map, arguments.config);
    for (unsigned guest = 0; guest < arguments.guests; ++guest)
        if (const auto problem = monitor.add_guest(constants_of(session, arguments.constants, guest)))
            session.fail(bad_input, Code::E0901, {}, *problem);
    const auto each = [&](auto&& action) {
        for (model::GuestId guest = 0; guest < monitor.guests(); ++guest) action(guest);
    };
    const Programs programs = load_programs(session, arguments.programs, spec, [&](const model::Image& image) {
        std::optional<model::LoadError> error;
        each([&](auto guest) {
            if (!error) error = monitor.load(guest, image);
        });
        return error;
    });
    const StateFormat format(spec);
    each([&](auto guest) {
        monitor.reset(guest);
        State state = monitor.state(guest);
        set_registers(session, arguments.programs, spec, format, programs.entry, true, state);
        monitor.set_state(guest, state);
        monitor.input(guest, arguments.programs.input);
    });
    monitor.run(arguments.cycles);
    int code = holds;
    each([&](auto guest) {
        const std::string output = monitor.take_output(guest);
        if (monitor.guests() > 1) fmt::print("guest {}:\n", guest);
        std::fwrite(output.data(), 1, output.size(), stdout);
        std::fflush(stdout);
        if (arguments.stats) fmt::print("{}", statistics(spec, monitor.activity(guest)));
        if (!monitor.broken(guest).empty()) fmt::print(stderr, "pogo: {}\n", monitor.broken(guest));
        fmt::print(stderr, "pogo: guest {} stopped ({})", guest, name(monitor.reason(guest)));
        if (monitor.reason(guest) == model::StopReason::exit)
            fmt::print(stderr, ", exit code {}", monitor.exit_code(guest));
        fmt::print(stderr, "\n");
        code = std::max(code, exit_of(monitor, guest));
    });
    fmt::print(stderr, "pogo: {} cycles\n", monitor.cycles());
    if (monitor.bus_errors() > 0)
        fmt::print(stderr, "pogo: {} accesses met neither memory nor a device\n", monitor.bus_errors());
    throw Leave{code};
}

void efficiency(Session& session, const MonitorArguments& arguments) {
    const Spec spec = session.load(arguments.spec, arguments.timing);
    const auto result =
        efficiency_of(session, arguments.programs, spec, constants_of(session, arguments.constants, 0),
                      arguments.config, arguments.cycles, remedies_of(session, spec, arguments.remedies));
    std::string text;
    if (arguments.format == "markdown")
        text = report::to_markdown(result);
    else if (arguments.format == "html")
        text = report::to_html(result);
    else if (arguments.format == "json")
        text = report::to_json(result);
    else
        text = report::to_text(result);
    write_file(session, arguments.output, text);
    throw Leave{result.all_same() ? holds : refuted};
}

}  // namespace

model::Monitor::Constants constants_of(Session& session, const std::vector<std::string>& arguments,
                                       std::uint64_t guest) {
    model::Monitor::Constants result;
    for (const auto& argument : arguments) {
        const auto [name, text] = split(session, argument, "--constant");
        const auto plus = text.find('+');
        const auto first = parse_number(text.substr(0, plus));
        const auto step =
            plus == std::string::npos ? std::optional<std::uint64_t>(0) : parse_number(text.substr(plus + 1));
        if (!first || !step)
            session.fail(usage, Code::E0901, {},
                         fmt::format("--constant takes NAME=VALUE or NAME=VALUE+STEP, not `{}`", argument));
        result.emplace_back(name, *first + *step * guest);
    }
    return result;
}

void add_constants_to(CLI::App& command, std::vector<std::string>& constants) {
    command
        .add_option("--constant", constants,
                    "a constant of the VM map (repeatable); the next guest's is larger by STEP")
        ->type_name("NAME=VALUE[+STEP]")
        ->allow_extra_args(false);
}

std::vector<report::Remedied> remedies_of(Session& session, const Spec& spec, const GuestRemedies& arguments) {
    std::vector<report::Remedied> result;
    if (!arguments.wanted && arguments.cache.empty()) return result;
    const VmMap* const map = vm_maps_of(session, spec, arguments.map).front();
    check::Options options;
    options.witnesses = false;
    const auto findings = check::check_vm_map(spec, *map, options);
    check::RemedyOptions wanted;
    wanted.check = options;
    const auto set = check::trap_set(spec, *map, findings, wanted);
    if (auto list = check::patch_list(spec, *map, findings, set, options);
        list.complete() == check::Verdict::yes && !list.patches.empty())
        result.push_back({map, std::move(list), {}});
    if (arguments.cache.empty()) return result;
    const auto plus = arguments.cache.find('+');
    const auto address = parse_number(arguments.cache.substr(0, plus));
    const auto units = plus == std::string::npos ? std::nullopt : parse_number(arguments.cache.substr(plus + 1));
    if (!address || !units)
        session.fail(usage, Code::E0901, {}, fmt::format("--cache takes ADDRESS+UNITS, not `{}`", arguments.cache));
    auto cache =
        report::code_cache(*map, check::translation_table(spec, *map, findings, set, options), *address, *units);
    if (!cache)
        session.fail(bad_input, Code::E0901, {},
                     fmt::format("code cannot be translated for the VM map {}: `pogo remedy --kind translate` says why",
                                 map->name));
    result.push_back({map, {}, std::move(cache)});
    return result;
}

void GuestRemedies::add_to(CLI::App& command) {
    command.add_option("--vm-map", map, "the VM map for --remedies (default: the spec's first)")
        ->type_name("NAME")
        ->expected(1);
    command.add_flag("--remedies", wanted, "run the guest with hypercalls, too, where the map needs some");
    command
        .add_option("--cache", cache,
                    "run it translated, too: where the code lies in the guest's addresses, and how much room there is")
        ->type_name("ADDRESS+UNITS");
}

report::Efficiency efficiency_of(Session& session, const ProgramArguments& arguments, const Spec& spec,
                                 const model::Monitor::Constants& constants, const model::MonitorConfig& config,
                                 std::uint64_t cycles, std::vector<report::Remedied> remedies) {
    report::EfficiencyRequest request;
    request.remedies = std::move(remedies);
    Programs programs;
    for (Loaded& program : read_programs(session, arguments, spec, programs)) {
        request.guest += (request.guest.empty() ? "" : ", ") + program.path;
        request.images.push_back(std::move(program.image));
    }
    if (request.images.empty()) session.fail(usage, Code::E0901, {}, "there is no program: --asm, --elf or --raw");
    request.input = arguments.input;
    request.constants = constants;
    request.config = config;
    request.cycles = cycles;
    auto result = report::measure(spec, request);
    if (const auto* problem = std::get_if<std::string>(&result)) session.fail(bad_input, Code::E0901, {}, *problem);
    return std::get<report::Efficiency>(std::move(result));
}

void add_monitor(CLI::App& app, Session& session) {
    auto* command = app.add_subcommand("monitor", "Run programs as guests of a monitor outside the machine");
    auto arguments = std::make_shared<MonitorArguments>();
    arguments->add_to(*command, true);
    command->add_option("--vm-map", arguments->map, "the VM map (default: the spec's first)")
        ->type_name("NAME")
        ->expected(1);
    command->add_option("--guests", arguments->guests, "how many, each with the same programs")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_flag("--interpret", arguments->interpret, "without a map: interpret all instructions");
    command->add_option("--quantum", arguments->config.quantum, "cycles until it is the next guest's turn")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->add_flag("--stats", arguments->stats, "print what ran directly, and why the guest was left");
    command->footer(
        "Exit codes: 0 all guests halted or ended with 0, 1 one ended otherwise or the VM map did not hold, 2 out of "
        "cycles.");
    command->callback([arguments, &session] { monitor(session, *arguments); });

    auto* figures = app.add_subcommand("efficiency", "Run a guest in all ways that the machine has, and compare");
    auto wanted = std::make_shared<MonitorArguments>();
    wanted->cycles = 1'000'000'000;
    wanted->add_to(*figures, false);
    wanted->remedies.add_to(*figures);
    figures->add_option("--format", wanted->format, "how the result is written")
        ->check(CLI::IsMember({"text", "markdown", "html", "json"}))
        ->capture_default_str();
    figures->add_option("-o,--output", wanted->output, "where to; - is the terminal")->capture_default_str();
    figures->footer("Exit codes: 0 the guest does the same in all ways, 1 it does not.");
    figures->callback([wanted, &session] { efficiency(session, *wanted); });
}

}  // namespace pogo::cli
