// check: rows on threads, theorems from rows, queries to files.
// SPDX-License-Identifier: Apache-2.0
#include "check/check.hpp"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <fstream>

#include "invariants.hpp"
#include "isa/require.hpp"
#include "parallel.hpp"
#include "row.hpp"

namespace pogo::check {

namespace {

void write_query(const std::filesystem::path& directory, const std::string& row, unsigned number,
                 const isa::Terms& terms, std::string_view name, isa::Term formula, Verdict satisfiable) {
    std::string plain = fmt::format("{}.{:03}.{}.smt2", row, number, name);
    for (char& c : plain)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
    const auto path = directory / plain;
    std::ofstream file(path, std::ios::binary);
    file << smt2(terms, fmt::format("{}: {}", row, name), formula, satisfiable);
    file.close();
    if (!file)
        throw std::filesystem::filesystem_error("cannot write a query", path,
                                                std::make_error_code(std::errc::io_error));
}

void conclude(Theorem& theorem, const Row& row, Verdict against) {
    if (against == Verdict::yes) theorem.against.push_back(row.instruction);
    if (against == Verdict::unknown) theorem.undecided.push_back(row.instruction);
}

const isa::Context& context_of(const isa::Spec& spec, const Options& options) {
    POGO_REQUIRE(!spec.contexts.empty());
    return spec[options.context.value_or(isa::ContextId{0})];
}

}  // namespace

std::vector<isa::ModeId> empty_modes(const isa::Spec& spec, const Options& options) {
    const isa::Context& context = context_of(spec, options);
    const Roles roles(spec, context);
    World world(spec, options, context, roles);
    Solver solver(world.terms, {options.rlimit, options.seed});
    std::vector<const Item*> all;
    for (const Item& item : roles.items) all.push_back(&item);
    const Before supervisor = world.supervisor();
    const Before user = world.vary(supervisor, true, all);
    std::vector<isa::ModeId> empty;
    if (solver.possible("supervisor", supervisor.holds) == Verdict::no) empty.push_back(context.supervisor);
    if (solver.possible("user", user.holds) == Verdict::no) empty.push_back(context.user);
    return empty;
}

Findings check(const isa::Spec& spec, const Options& options) {
    const isa::Context& context = context_of(spec, options);
    const Roles roles(spec, context);
    if (options.smt2) std::filesystem::create_directories(*options.smt2);

    Findings findings;
    findings.context = context.name;
    findings.invariants = decide_invariants(spec, options);
    Verdict kept = Verdict::yes;
    for (const Kept& invariant : findings.invariants) kept = both(kept, invariant.holds);
    const std::size_t total = spec.instructions.size();
    findings.rows.resize(total);

    in_parallel(total, options.jobs, options.progress, [&](std::size_t i) {
        const isa::InstructionId id{static_cast<std::uint32_t>(i)};
        unsigned number = 0;
        RowObserver observer;
        if (options.smt2)
            observer = [&](const isa::Terms& terms, std::string_view name, isa::Term formula, Verdict answer) {
                write_query(*options.smt2, spec[id].identifier, number++, terms, name, formula, answer);
            };
        findings.rows[i] = check_row(spec, options, context, roles, id, observer);
    });

    for (const Row& row : findings.rows) {
        const Verdict leaks = opposite(row.always);
        conclude(findings.theorem1_strict, row, row.critical.strict);
        conclude(findings.theorem1_extended, row, row.critical.extended);
        conclude(findings.theorem3_strict, row, both(row.user_sensitive.strict, leaks));
        conclude(findings.theorem3_extended, row, both(row.user_sensitive.extended, leaks));
        findings.statistics += row.statistics;
    }
    for (Theorem* theorem : {&findings.theorem1_strict, &findings.theorem1_extended, &findings.theorem3_strict,
                             &findings.theorem3_extended})
        theorem->holds = !theorem->against.empty()     ? Verdict::no
                         : !theorem->undecided.empty() ? Verdict::unknown
                         : kept != Verdict::yes        ? Verdict::unknown  // the proof rests on what is not so
                                                       : Verdict::yes;
    return findings;
}

}  // namespace pogo::check
