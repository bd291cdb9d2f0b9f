// pogo diff: two machines side by side, every difference confirmed on the model.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "check/diff.hpp"
#include "report/diff.hpp"
#include "session.hpp"

namespace pogo::cli {

using namespace isa;

namespace {

struct DiffArguments {
    SpecArguments a;
    SpecArguments b;
    std::vector<std::string> parameters;  // of both
    std::optional<std::string> states;
    std::vector<std::string> only;
    unsigned rlimit = 5'000'000;
    unsigned seed = 0;
    unsigned jobs = 1;
    bool all = false;
    bool quiet = false;
    std::string format = "text";
    std::string output = "-";
};

void diff(Session& session, const DiffArguments& arguments) {
    std::optional<Toml> file;
    check::Conditions conditions;
    if (arguments.states) {
        file = parse_toml(session.sources, session.read(*arguments.states), session.diagnostics);
        if (!file) session.leave(bad_input);
        conditions = check::conditions_of(*file, session.diagnostics);
        if (session.diagnostics.has_errors()) session.leave(bad_input);
    }
    const auto load = [&](SpecArguments which, const std::vector<std::vector<const Toml*>>& lists) {
        std::vector<std::uint32_t> buffers;
        for (const auto& list : lists)
            for (const Toml* text : list) buffers.push_back(add_condition(session.sources, text->text, text->where));
        which.parameters.insert(which.parameters.begin(), arguments.parameters.begin(), arguments.parameters.end());
        return session.load(which, std::nullopt, buffers);
    };
    // The only file is B's where A is a Sail model.
    DiffArguments given = arguments;
    if (!given.a.sail.empty() && given.b.file.empty()) std::swap(given.a.file, given.b.file);
    Spec a = load(given.a, {conditions.a, conditions.when});
    const Spec b = load(given.b, {conditions.b});
    if (const auto reason = check::incomparable(a, b); !reason.empty())
        session.fail(bad_input, Code::E0817, {}, reason);
    const auto correspondence = check::read_correspondence(a, b, file ? &*file : nullptr, session.diagnostics);
    if (!correspondence) session.leave(bad_input);

    check::Options options;
    options.rlimit = arguments.rlimit;
    options.seed = arguments.seed;
    options.jobs = arguments.jobs;
    options.only = arguments.only;
    if (!arguments.quiet && isatty(STDERR_FILENO) != 0)
        options.progress = [](std::size_t done, std::size_t total) {
            fmt::print(stderr, "\r{} of {} lines{}", done, total, done == total ? "\r\033[K" : "");
            std::fflush(stderr);
        };
    auto comparison = check::diff(a, b, *correspondence, options);
    if (comparison.compared.empty() && comparison.equal == check::Verdict::yes)
        session.fail(bad_input, Code::E0813, {}, "line", fmt::format("{}", fmt::join(arguments.only, ", ")),
                     "the comparison");
    if (comparison.compared.empty()) session.fail(bad_input, Code::E0818, {});
    for (const auto i : comparison.unheard_of)
        session.diagnostics.report(Code::E0813, correspondence->expected[i].where, "line",
                                   correspondence->expected[i].row, "the comparison");
    for (const auto i : comparison.stale)
        session.diagnostics.report(Code::E0816, correspondence->expected[i].where, correspondence->expected[i].row);
    model::Simulator simulator({.bare = true});
    auto report = report::confirm_diff(a, b, std::move(comparison), simulator);
    if (!report.problem.empty()) session.fail(bad_input, Code::E0901, {}, report.problem);
    report.file_a = given.a.sail.empty() ? given.a.file : given.a.sail;
    report.file_b = given.b.sail.empty() ? given.b.file : given.b.sail;
    write_file(session, arguments.output,
               arguments.format == "json" ? report::to_json(a, b, *correspondence, report)
                                          : report::to_text(a, b, *correspondence, report, arguments.all));
    if (!report.confirmed()) {
        fmt::print(stderr, "pogo: the model contradicts the checker. This is a bug in Pogo, not in your input.\n");
        throw Leave{internal};
    }
    if (session.diagnostics.has_errors()) session.leave(bad_input);
    const auto equal = report.comparison.equal;
    throw Leave{equal == check::Verdict::yes ? holds : equal == check::Verdict::no ? refuted : unknown};
}

}  // namespace

void add_diff(CLI::App& app, Session& session) {
    auto* command = app.add_subcommand("diff", "Decide, instruction by instruction, whether two specs mean the same");
    auto arguments = std::make_shared<DiffArguments>();
    command->add_option("A", arguments->a.file, "a machine's .isa file");
    command->add_option("B", arguments->b.file, "another's, or the same with other parameters");
    auto* sail_a = command->add_option("--sail-a", arguments->a.sail, "a Sail model as Jib IR, as A; B is the one file")
                       ->type_name("FILE");
    command->add_option("--map-a", arguments->a.map, "its mapping file")->type_name("FILE")->needs(sail_a);
    auto* sail_b = command->add_option("--sail-b", arguments->b.sail, "the same as B")->type_name("FILE");
    command->add_option("--map-b", arguments->b.map, "its mapping file")->type_name("FILE")->needs(sail_b);
    const auto parameter = [&](const char* option, std::vector<std::string>& list, const char* whose) {
        command->add_option(option, list, fmt::format("a parameter of {}, NAME=VALUE (repeatable)", whose))
            ->type_name("NAME=VALUE")
            ->allow_extra_args(false);
    };
    parameter("--param", arguments->parameters, "both machines");
    parameter("--param-a", arguments->a.parameters, "A");
    parameter("--param-b", arguments->b.parameters, "B");
    command->add_option("--extension-a", arguments->a.extension, "a policy file; A is extended by it")
        ->type_name("FILE");
    command->add_option("--extension-b", arguments->b.extension, "the same for B")->type_name("FILE");
    command->add_option("--states", arguments->states, "which states correspond, as TOML: docs/diff.md")
        ->type_name("FILE");
    command->add_option("--line", arguments->only,
                        "only this one: an instruction's row, interrupts, traps, translation, reset, wait or halt; "
                        "may be repeated");
    command->add_option("--rlimit", arguments->rlimit, "Z3's resource limit for each query")->capture_default_str();
    command->add_option("--seed", arguments->seed, "of the solver")->capture_default_str();
    command->add_option("-j,--jobs", arguments->jobs, "threads; the result does not depend on it")
        ->capture_default_str()
        ->check(CLI::Range(1U, 256U));
    command->add_flag("--all", arguments->all, "list what is equal, too");
    command->add_flag("-q,--quiet", arguments->quiet, "no progress on the terminal");
    command->add_option("--format", arguments->format, "how the result is written")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    command->add_option("-o,--output", arguments->output, "where to; - is the terminal")->capture_default_str();
    command->callback([arguments, &session] { diff(session, *arguments); });
}

}  // namespace pogo::cli
