// pogo check, report, map, remedy, extend and replay: verdicts, confirmed on the model.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <set>
#include <thread>

#include "isa/require.hpp"
#include "monitor.hpp"
#include "replay.hpp"
#include "report/map.hpp"
#include "report/remedy.hpp"
#include "report/report.hpp"
#include "session.hpp"
#include "vt/extend.hpp"

namespace pogo::cli {

using namespace isa;
using report::Decision;
using report::Report;

namespace {

struct CheckArguments {
    SpecArguments spec;
    std::string context;
    std::vector<std::string> assumptions;  // ELEMENT=VALUE
    unsigned rlimit = 5'000'000;
    unsigned seed = 0;
    unsigned jobs = 1;
    unsigned states = 64;
    std::string smt2;
    std::string format = "text";
    std::string output = "-";
    unsigned theorem = 1;
    std::string model = "both";
    bool quiet = false;
    bool witnesses = true;
    bool maps = false;
    ProgramArguments programs;
    std::vector<std::string> constants;  // NAME=VALUE
    GuestRemedies remedies;

    void add_solver(CLI::App& command, bool extension_option = true) {
        spec.add_to(command, extension_option);
        command.add_option("--assume", assumptions, "a configuration: ELEMENT=VALUE in every state (repeatable)")
            ->type_name("ELEMENT=VALUE")
            ->allow_extra_args(false);
        command.add_option("--rlimit", rlimit, "Z3's resource limit for each query")->capture_default_str();
        command.add_option("--seed", seed, "of the solver and of random states")->capture_default_str();
        command.add_option("-j,--jobs", jobs, "threads; the result does not depend on it")
            ->capture_default_str()
            ->check(CLI::Range(1U, 256U));
        command.add_flag("-q,--quiet", quiet, "no progress on the terminal");
    }
    void add_to(CLI::App& command, bool extension_option = true) {
        add_solver(command, extension_option);
        command.add_option("--context", context, "the pair of modes to decide for; default: the spec's first");
        command.add_option("--states", states, "random states on the model for each instruction")
            ->capture_default_str();
        command.add_option("--smt2", smt2, "write every query into this folder as SMT-LIB 2")->type_name("DIR");
        command.add_option("--theorem", theorem, "the exit code is about Theorem 1 or 3")
            ->check(CLI::IsMember({1U, 3U}))
            ->capture_default_str();
        command.add_option("--model", model, "the exit code is about the strict model, the extended one, or both")
            ->check(CLI::IsMember({"strict", "extended", "both"}))
            ->capture_default_str();
        command.add_flag("!--no-witnesses", witnesses,
                         "verdicts alone, in less time: no counterexamples, nothing to replay");
        command.add_flag("--maps", maps, "decide the VM maps of the context, too; `pogo map` says more of them");
    }
    // A guest whose efficiency the report tells.
    void add_guest(CLI::App& command) {
        programs.add_to(command, false);
        add_constants_to(command, constants);
        remedies.add_to(command);
    }
    /// The command's option -o says where the result goes, `to` if it is not given.
    void add_output(CLI::App& command, const std::vector<std::string>& formats, const char* to = "-",
                    const char* help = "where to; - is the terminal") {
        format = formats.front();
        output = to;
        command.add_option("--format", format, "how the result is written")
            ->check(CLI::IsMember(formats))
            ->capture_default_str();
        command.add_option("-o,--output", output, help)->capture_default_str();
    }
};

check::Options options_of(Session& session, const CheckArguments& arguments, const Spec& spec,
                          const char* what = "instructions") {
    check::Options options;
    options.rlimit = arguments.rlimit;
    options.seed = arguments.seed;
    options.jobs = arguments.jobs;
    options.witnesses = arguments.witnesses;
    if (!arguments.smt2.empty()) options.smt2 = arguments.smt2;
    if (!arguments.context.empty()) {
        options.context = spec.find_context(arguments.context);
        if (!options.context->valid()) {
            std::string known;
            for (const auto& context : spec.contexts) known += (known.empty() ? "" : ", ") + context.name;
            session.fail(usage, Code::E0901, {},
                         fmt::format("there is no context `{}`; the spec has {}", arguments.context, known));
        }
    }
    for (const auto& text : arguments.assumptions) {
        const auto equals = text.find('=');
        const auto value = equals == std::string::npos ? std::nullopt : parse_number(text.substr(equals + 1));
        if (!value) session.fail(usage, Code::E0901, {}, fmt::format("--assume takes ELEMENT=NUMBER, not `{}`", text));
        const ElementId id = spec.find_element(text.substr(0, equals));
        if (!id.valid() || spec[id].is_file())
            session.fail(
                usage, Code::E0901, {},
                fmt::format("`{}` is not a scalar element; `pogo show spec` lists them", text.substr(0, equals)));
        if ((*value & ~static_cast<std::uint64_t>(ones(spec[id].width))) != 0)
            session.fail(
                usage, Code::E0901, {},
                fmt::format("{} does not fit in `{}`, which has {} bits", *value, spec[id].name, spec[id].width));
        options.assumptions.push_back({id, *value});
    }
    // Progress goes to a terminal only, so that nothing else ever sees it.
    if (!arguments.quiet && isatty(STDERR_FILENO) != 0) {
        options.progress = [what](std::size_t done, std::size_t total) {
            fmt::print(stderr, "\r{} of {} {}{}", done, total, what, done == total ? "\r\033[K" : "");
            std::fflush(stderr);
        };
    }
    return options;
}

// A proof about no states at all is none.
void need_states(Session& session, const Spec& spec, const check::Options& options) {
    const Context& context = spec[options.context.value_or(ContextId{0})];
    if (const auto empty = check::empty_modes(spec, options); !empty.empty())
        session.fail(bad_input, Code::E0819, context.where, spec[empty.front()].name,
                     fmt::format("in context `{}`", context.name));
}

void need_states(Session& session, const Spec& spec, const VmMap& map, const check::Options& options) {
    if (const auto empty = check::empty_modes(spec, map, options); !empty.empty())
        session.fail(bad_input, Code::E0819, map.range, spec[empty.front()].name,
                     fmt::format("of the virtual machine that VM map `{}` means", map.name));
}

[[noreturn]] void contradicted() {
    fmt::print(stderr, "pogo: the model contradicts the checker. This is a bug in Pogo, not in your input.\n");
    throw Leave{internal};
}

Report report_on(Session& session, const CheckArguments& arguments, const Spec& spec, bool extended,
                 model::Simulator& simulator) {
    report::Request request;
    request.tool_version = POGO_VERSION;
    request.file = arguments.spec.sail.empty() ? arguments.spec.file : arguments.spec.sail;
    if (!arguments.spec.sail.empty()) request.mapping_file = arguments.spec.map;
    if (extended) request.extension_file = arguments.spec.extension;
    for (const auto& text : arguments.spec.parameters) {
        const auto equals = text.find('=');
        request.parameters.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    request.check = options_of(session, arguments, spec);
    request.audit_seed = arguments.seed;
    request.audit_states = arguments.states;
    need_states(session, spec, request.check);
    check::Findings findings;
    try {
        findings = check::check(spec, request.check);
    } catch (const std::filesystem::filesystem_error&) {
        session.fail(bad_input, Code::E0803, {}, arguments.smt2);
    }
    const auto confirmation = report::confirm(spec, findings, simulator,
                                              {.assumptions = request.check.assumptions,
                                               .seed = request.audit_seed,
                                               .states_per_instruction = request.audit_states});
    if (!confirmation.problem.empty()) session.fail(bad_input, Code::E0901, {}, confirmation.problem);
    for (const VmMap& map : spec.vm_maps) {
        if (!arguments.maps || spec[map.context].name != findings.context) continue;
        need_states(session, spec, map, request.check);
        const auto decided = report::confirm_map(spec, check::check_vm_map(spec, map, request.check), simulator);
        if (!decided.confirmed()) contradicted();
        request.maps.push_back(decided.findings);
    }
    Report report = report::make_report(spec, session.sources, findings, confirmation, request);
    if (!confirmation.holds()) {
        for (const auto& failure : confirmation.failures(spec)) fmt::print(stderr, "pogo: {}\n", failure);
        contradicted();
    }
    return report;
}

int exit_code(const Report& report, const CheckArguments& arguments) {
    const auto& decision = arguments.theorem == 1 ? report.theorem1.decision : report.theorem3.decision;
    const bool strict = arguments.model != "extended";
    const bool extended = arguments.model != "strict";
    const auto any = [&](Decision wanted) {
        return (strict && decision.strict == wanted) || (extended && decision.extended == wanted);
    };
    return any(Decision::refuted) ? refuted : any(Decision::unknown) ? unknown : holds;
}

std::string rendered(const Report& report, const std::string& format) {
    if (format == "json") return report::to_json(report);
    if (format == "markdown") return report::to_markdown(report);
    if (format == "html") return report::to_html(report);
    return report::to_text(report);
}

void check_spec(Session& session, const CheckArguments& arguments) {
    const Spec spec = session.load(arguments.spec);
    std::optional<report::Efficiency> efficiency;
    if (arguments.programs.any()) {
        constexpr std::uint64_t cycles = 1'000'000'000;
        const auto constants = constants_of(session, arguments.constants, 0);
        efficiency = efficiency_of(session, arguments.programs, spec, constants, {}, cycles,
                                   remedies_of(session, spec, arguments.remedies));
    }
    model::Simulator simulator({.bare = true});
    Report report = report_on(session, arguments, spec, arguments.spec.extension.has_value(), simulator);
    report.efficiency = std::move(efficiency);
    write_file(session, arguments.output, rendered(report, arguments.format));
    throw Leave{exit_code(report, arguments)};
}

// The verdicts before and after; the exit code is about the extended machine.
void extend(Session& session, const CheckArguments& arguments) {
    const Spec declared = session.load_unapplied(arguments.spec);
    CheckArguments plain = arguments;
    plain.spec.extension.reset();
    plain.context.clear();
    Session before_session;
    const Spec base = before_session.load(plain.spec);
    const Spec extended = vt::extend(declared);
    model::Simulator simulator({.bare = true});
    const Report before = report_on(before_session, plain, base, false, simulator);
    const Report after = report_on(session, arguments, extended, true, simulator);
    write_file(
        session, arguments.output,
        arguments.format == "markdown" ? report::compare_markdown(before, after) : report::compare_text(before, after));
    throw Leave{exit_code(after, arguments)};
}

// Each map of the spec, or the one named; the exit code is the worst of their verdicts.
void check_maps(Session& session, const CheckArguments& arguments, const std::vector<std::string>& names,
                const std::vector<std::string>& obligations, bool all) {
    const Spec spec = session.load(arguments.spec);
    const auto maps = vm_maps_of(session, spec, names);
    std::string out;
    int code = holds;
    check::Options options = options_of(session, arguments, spec, "obligations");
    options.only = obligations;
    model::Simulator simulator({.bare = true});
    std::set<std::string> absent(obligations.begin(), obligations.end());
    for (const VmMap* map : maps) {
        need_states(session, spec, *map, options);
        const auto report = report::confirm_map(spec, check::check_vm_map(spec, *map, options), simulator);
        for (const auto& obligation : report.findings.obligations) absent.erase(obligation.name);
        if (!report.problem.empty()) session.fail(bad_input, Code::E0901, {}, report.problem);
        out += (out.empty() ? "" : "\n");
        out += arguments.format == "json" ? report::to_json(spec, report) : report::to_text(spec, report, all);
        if (!report.confirmed()) {
            fmt::print("{}", out);
            contradicted();
        }
        const auto verdict = report.findings.holds_configured;
        if (verdict == check::Verdict::no) code = refuted;
        if (verdict == check::Verdict::unknown && code == holds) code = unknown;
    }
    if (!absent.empty())
        session.fail(usage, Code::E0901, {}, fmt::format("no map has an obligation `{}`", *absent.begin()));
    write_file(session, arguments.output, out);
    throw Leave{code};
}

struct RemedyArguments {
    CheckArguments check;
    std::string kind;
    std::string map;
    bool whole = false;
};

/// The set for a map or for a context, its refutations replayed.
class Remedy {
  public:
    Remedy(Session& session, const RemedyArguments& arguments) : session_(session), arguments_(arguments) {}

    [[noreturn]] void run() {
        if (arguments_.kind == "trap" && !arguments_.check.spec.sail.empty())
            session_.fail(usage, Code::E0901, {},
                          "--kind trap writes the machine's text anew, and a Sail model is not in Pogo's language; the "
                          "other kinds take one");
        const Spec unapplied = session_.load_unapplied(arguments_.check.spec);
        const Spec spec = unapplied.extension ? vt::extend(unapplied) : unapplied;
        if (!arguments_.check.context.empty() && !arguments_.map.empty())
            session_.fail(usage, Code::E0901, {}, "--vm-map and --context exclude each other: a map has a context");
        const bool by_map = arguments_.check.context.empty() && (!spec.vm_maps.empty() || arguments_.kind != "trap");
        options_.check = options_of(session_, arguments_.check, spec);
        options_.whole = arguments_.whole || unapplied.extension.has_value();
        options_.strict = arguments_.check.model == "strict";
        if (by_map) {
            const std::vector<std::string> named(arguments_.map.empty() ? 0 : 1, arguments_.map);
            map_ = *vm_maps_of(session_, spec, named).front();
        } else if (arguments_.kind != "trap") {
            session_.fail(usage, Code::E0901, {}, "only --kind trap is about a context; the others need a VM map");
        }
        if (unapplied.extension) {
            const ModeId mode =
                map_ ? map_->modes.front().second : spec[options_.check.context.value_or(ContextId{0})].user;
            if (arguments_.kind == "trap" && !is_virtual(unapplied, mode))
                session_.fail(usage, Code::E0901, {},
                              fmt::format("mode {} is the machine's, and an extension's exits are from its virtual "
                                          "state; leave --extension out, or name a map or context of the extension's",
                                          spec[mode].name));
            options_.cause = unapplied.extension->exit;
        }
        if (arguments_.kind == "trap") trap(unapplied, spec);
        const check::MapFindings findings = of_map(spec);
        check::TrapSet set = check::trap_set(spec, *map_, findings, options_);
        if (arguments_.kind == "paravirt") {
            const auto list = check::patch_list(spec, *map_, findings, std::move(set), options_.check);
            write(rendered(spec, list));
            leave(check::both(list.complete(), list.set.minimal()));
        }
        const auto table = check::translation_table(spec, *map_, findings, std::move(set), options_.check);
        write(rendered(spec, table));
        leave(table.complete);
    }

  private:
    /// The extension's virtual state is active in this mode.
    static bool is_virtual(const Spec& unapplied, ModeId mode) {
        Terms terms = unapplied.terms;
        Substitution in_mode;
        for (const auto& part : unapplied[mode].cube)
            in_mode.emplace(terms.variable(unapplied[part.element].variable),
                            terms.constant(unapplied[part.element].width, part.value));
        return terms.is_true(terms.substitute(unapplied.extension->active, in_mode));
    }

    [[noreturn]] void trap(const Spec& unapplied, const Spec& spec) {
        auto remedy = report::trap_remedy(spec,
                                          map_ ? check::trap_set(spec, *map_, of_map(spec), options_)
                                               : check::trap_set(spec, of_context(spec), options_),
                                          unapplied.extension ? &*unapplied.extension : nullptr);
        const std::string text = edited(spec, remedy);
        if (!remedy.statements.empty()) remedy.after = verdict(reloaded(text));
        const std::string& to = arguments_.check.output;
        if (to != "-") fmt::print("{}", rendered(spec, remedy));
        if (remedy.after == check::Verdict::no && remedy.set.exists() == check::Verdict::yes) {
            fmt::print(stderr, "pogo: the new spec's verdict is not as predicted. This is a bug in Pogo.\n");
            throw Leave{internal};
        }
        if (!to.empty()) write_file(session_, to, text);
        leave(check::both(check::both(remedy.set.exists(), remedy.set.minimal()),
                          remedy.after.value_or(check::Verdict::yes)));
    }

    void write(const std::string& out) {
        write_file(session_, arguments_.check.output.empty() ? "-" : arguments_.check.output, out);
    }
    [[noreturn]] static void leave(check::Verdict verdict) {
        throw Leave{verdict == check::Verdict::yes ? holds : verdict == check::Verdict::no ? refuted : unknown};
    }

    template <class T>
    std::string rendered(const Spec& spec, const T& remedy) const {
        return arguments_.check.format == "json" ? report::to_json(spec, remedy) : report::to_text(spec, remedy);
    }

    check::MapFindings of_map(const Spec& spec) {
        need_states(session_, spec, *map_, options_.check);
        auto report = report::confirm_map(spec, check::check_vm_map(spec, *map_, options_.check), simulator_);
        if (!report.problem.empty()) session_.fail(bad_input, Code::E0901, {}, report.problem);
        if (!report.confirmed()) contradicted();
        return std::move(report.findings);
    }

    check::Findings of_context(const Spec& spec) {
        need_states(session_, spec, options_.check);
        check::Findings findings = check::check(spec, options_.check);
        const auto confirmation =
            report::confirm(spec, findings, simulator_,
                            {.assumptions = options_.check.assumptions, .seed = 0, .states_per_instruction = 0});
        if (!confirmation.problem.empty()) session_.fail(bad_input, Code::E0901, {}, confirmation.problem);
        if (!confirmation.holds()) contradicted();
        return findings;
    }

    /// The machine's text with the traps, or its extension's with the exits.
    std::string edited(const Spec& spec, const report::TrapRemedy& remedy) {
        machine_ = session_.read(arguments_.check.spec.file);
        if (arguments_.check.spec.extension) policy_ = session_.read(*arguments_.check.spec.extension);
        auto text = report::edited(spec, remedy, session_.sources, policy_.value_or(machine_));
        POGO_REQUIRE(text.has_value());
        return std::move(*text);
    }

    Spec reloaded(const std::string& text) {
        const std::uint32_t fresh = session_.sources.add("(the new spec)", text);
        Diagnostics diagnostics;
        auto spec =
            policy_
                ? load_spec(session_.sources, machine_, fresh, session_.parameters(arguments_.check.spec), diagnostics)
                : load_spec(session_.sources, fresh, {}, session_.parameters(arguments_.check.spec), diagnostics);
        if (!spec) {
            fmt::print(stderr, "{}pogo: the new spec is wrong. This is a bug in Pogo.\n",
                       render(diagnostics, session_.sources));
            throw Leave{internal};
        }
        return spec->extension ? vt::extend(*spec) : std::move(*spec);
    }

    /// By the ordinary way, as `pogo map` and `pogo check` would give it.
    check::Verdict verdict(const Spec& spec) {
        check::Options options = options_.check;
        options.witnesses = false;
        if (map_)
            return check::check_vm_map(spec, *vm_maps_of(session_, spec, {map_->name}).front(), options)
                .holds_configured;
        const check::Findings findings = check::check(spec, options);
        return options_.strict ? findings.theorem1_strict.holds
                               : check::both(findings.theorem1_strict.holds, findings.theorem1_extended.holds);
    }

    Session& session_;
    const RemedyArguments& arguments_;
    check::RemedyOptions options_;
    std::optional<VmMap> map_;
    std::uint32_t machine_ = 0;
    std::optional<std::uint32_t> policy_;
    model::Simulator simulator_{{.bare = true}};
};

}  // namespace

void add_verification(CLI::App& app, Session& session) {
    {
        auto* command =
            app.add_subcommand("check", "Decide whether a virtual machine monitor can be built for a machine");
        auto arguments = std::make_shared<CheckArguments>();
        arguments->add_to(*command);
        arguments->add_guest(*command);
        arguments->add_output(*command, {"text", "json", "markdown", "html"});
        command->callback([arguments, &session] { check_spec(session, *arguments); });
    }
    {
        auto* command = app.add_subcommand("report", "The same as check, as one HTML page (or another format)");
        auto arguments = std::make_shared<CheckArguments>();
        arguments->add_to(*command);
        arguments->add_guest(*command);
        arguments->add_output(*command, {"html", "markdown", "json", "text"});
        command->callback([arguments, &session] { check_spec(session, *arguments); });
    }
    {
        auto* command = app.add_subcommand(
            "map",
            "Decide the obligations of VM maps: does the guest, where it really runs, do what it would do bare?");
        auto arguments = std::make_shared<CheckArguments>();
        auto names = std::make_shared<std::vector<std::string>>();
        auto all = std::make_shared<bool>(false);
        arguments->add_solver(*command);
        command->add_option("--vm-map", *names, "only this one; may be repeated");
        auto obligations = std::make_shared<std::vector<std::string>>();
        command->add_option("--obligation", *obligations,
                            "only this one: an instruction (its identifier, and where it has rows by operand the "
                            "row's, as csrrw.time), "
                            "a trap, an interrupt, relocation, preemption or where; "
                            "may be repeated");
        command->add_flag("--all", *all, "list the obligations that hold, too");
        arguments->add_output(*command, {"text", "json"});
        command->callback([arguments, names, obligations, all, &session] {
            check_maps(session, *arguments, *names, *obligations, *all);
        });
    }
    {
        auto* command = app.add_subcommand(
            "remedy", "What has to trap, to be patched or to be translated, so that a guest runs as it would bare");
        auto arguments = std::make_shared<RemedyArguments>();
        arguments->check.add_solver(*command);
        command->add_option("--kind", arguments->kind, "a new spec; a list of hypercalls; a table for a translator")
            ->check(CLI::IsMember({"trap", "paravirt", "translate"}))
            ->required();
        command->add_option("--vm-map", arguments->map, "the VM map that is to hold; default: the spec's first");
        command->add_option("--context", arguments->check.context,
                            "instead of a map: the context in which Theorem 1 is to hold (trap)");
        command->add_option("--model", arguments->check.model, "of Theorem 1: the strict model alone, or both")
            ->check(CLI::IsMember({"strict", "both"}))
            ->capture_default_str();
        command->add_flag("--whole", arguments->whole, "whole instructions only, no operand cases or values of fields");
        arguments->check.add_output(
            *command, {"text", "json"}, "",
            "where the new spec (with --extension, the new policy), the list or the table goes; - is the terminal");
        command->callback([arguments, &session] { Remedy(session, *arguments).run(); });
    }
    {
        auto* command = app.add_subcommand("extend", "Apply a VT extension; verdicts before and after, side by side");
        auto arguments = std::make_shared<CheckArguments>();
        auto policy = std::make_shared<std::string>();
        arguments->add_to(*command, false);
        command->add_option("POLICY", *policy, "the extension's policy (required)");
        arguments->add_output(*command, {"text", "markdown"});
        command->callback([arguments, policy, &session] {
            arguments->spec.extension = session.behind(arguments->spec, *policy, "POLICY");
            extend(session, *arguments);
        });
    }
    {
        auto* command =
            app.add_subcommand("replay", "Run the witnesses of a JSON report on the model, without the solver");
        auto arguments = std::make_shared<SpecArguments>();
        auto path = std::make_shared<std::string>();
        arguments->add_to(*command);
        command->add_option("REPORT", *path, "written by pogo check --format json (required)");
        command->callback([arguments, path, &session] {
            const std::string file = session.behind(*arguments, *path, "REPORT");
            const Spec spec = session.load(*arguments);
            const auto buffer = session.read(file);
            model::Simulator simulator({.bare = true});
            if (const auto problem = simulator.load(spec)) session.fail(bad_input, Code::E0901, {}, *problem);
            const ReplayResult result = replay_report(spec, session.sources.text(buffer), simulator);
            if (result.error) {
                const auto at = static_cast<std::uint32_t>(result.error->offset);
                session.fail(bad_input, Code::E0805, SourceRange{buffer, at, at + 1}, result.error->message);
            }
            fmt::print("{}", result.log);
            fmt::print("{} of {} states went as predicted\n", result.confirmed, result.confirmed + result.failed);
            if (result.failed > 0) throw Leave{internal};
        });
    }
}

}  // namespace pogo::cli
