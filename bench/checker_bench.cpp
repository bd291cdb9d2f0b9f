// Benchmark of the checker: wall time against pure solver time, queries and rlimit by instruction, two threads.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "check/check.hpp"
#include "isa/diagnostic.hpp"
#include "isa/elaborate.hpp"
#include "isa/sail.hpp"

namespace {

using namespace pogo;

double seconds(const isa::Spec& spec, check::Options options, unsigned jobs, check::Findings& findings) {
    options.jobs = jobs;
    const auto start = std::chrono::steady_clock::now();
    findings = check::check(spec, options);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

/// checker_bench SPEC [parameter=value]… [--rows] [--details]
/// checker_bench MODEL.ir MAP.toml [--rows] [--details]
int main(int argc, char** argv) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    isa::Arguments arguments;
    bool rows = false;
    bool details = false;
    for (int i = 2; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--rows") rows = true;
        if (argument == "--details") details = true;
        if (const auto at = argument.find('='); at != std::string::npos)
            arguments.emplace_back(argument.substr(0, at), argument.substr(at + 1));
    }
    if (argc < 2) return 64;
    const auto start = std::chrono::steady_clock::now();
    const std::string file = argv[1];
    const auto spec = file.ends_with(".ir") && argc > 2
                          ? isa::load_sail_file(sources, file, argv[2], arguments, diagnostics)
                          : isa::load_spec_file(sources, file, std::nullopt, arguments, diagnostics);
    if (!spec) {
        fmt::print(stderr, "{}", isa::render(diagnostics, sources));
        return 65;
    }
    const double load = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    check::Findings one;
    check::Findings two;
    const double wall = seconds(*spec, {}, 1, one);
    const double parallel = seconds(*spec, {}, 2, two);
    const check::Statistics& s = one.statistics;
    const auto count = static_cast<double>(one.rows.size());
    fmt::print("{}: {} instructions, {} forms, {} terms, loaded in {:.2f} s\n", spec->name, one.rows.size(),
               spec->forms.size(), spec->terms.size(), load);
    fmt::print("one thread   {:8.3f} s, in Z3 {:.3f} s, ratio {:.2f}; its checks alone {:.3f} s, ratio {:.2f}\n", wall,
               s.solver_seconds, wall / s.solver_seconds, s.check_seconds, wall / s.check_seconds);
    fmt::print("two threads  {:8.3f} s, speed-up {:.2f}\n", parallel, wall / parallel);
    fmt::print("queries      {} ({:.1f} an instruction), by rewriting {}, solved {}, for witnesses {}\n", s.queries,
               static_cast<double>(s.queries) / count, s.rewritten, s.solved, s.refinements);
    fmt::print("rlimit       {} ({:.0f} an instruction)\n", s.rlimit, static_cast<double>(s.rlimit) / count);
    if (!rows && !details) return 0;
    for (const auto& row : one.rows) {
        fmt::print("{:24} {:11} control {}/{} behavior {}/{} critical {}/{}", (*spec)[row.instruction].identifier,
                   name(row.privileged), name(row.control.strict), name(row.control.extended),
                   name(row.behavior.strict), name(row.behavior.extended), name(row.critical.strict),
                   name(row.critical.extended));
        fmt::print("  forms {} queries {} solved {} refine {} rlimit {} solver {:.3f} s\n",
                   (*spec)[row.instruction].form_count, row.statistics.queries, row.statistics.solved,
                   row.statistics.refinements, row.statistics.rlimit, row.statistics.solver_seconds);
        if (!details) continue;
        if (row.privileged_when) fmt::print("    when {}\n", text(*spec, *row.privileged_when));
        for (const auto& w : row.writes)
            fmt::print("    writes {} {}/{}\n", w.subject.name, name(w.supervisor), name(w.user));
        for (const auto& d : row.depends_on)
            fmt::print("    depends on {} ({}) {}/{}\n", d.subject.name, name(d.kind), name(d.supervisor),
                       name(d.user));
        for (const auto& w : row.witnesses) {
            fmt::print("    witness {} {}\n", w.property, w.element);
            for (const auto& side : w.sides) {
                fmt::print("     ");
                for (const auto& element : spec->elements)
                    for (unsigned i = 0; i < element.slots(); ++i)
                        if (side.state.get(element, i) != 0)
                            fmt::print(" {}{}={:#x}", element.name, element.is_file() ? fmt::format("[{}]", i) : "",
                                       side.state.get(element, i));
                fmt::print(" |");
                for (const auto& [at, value] : side.memory) fmt::print(" {:x}:{:x}", at, value);
                fmt::print("\n");
            }
        }
    }
    return 0;
}
