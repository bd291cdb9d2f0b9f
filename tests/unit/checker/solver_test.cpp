// The solver façade: answers, smallest models, evaluation, SMT-LIB 2, and a second solver's opinion.
// SPDX-License-Identifier: Apache-2.0
#include "solver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "isa/concrete.hpp"
#include "isa/diagnostic.hpp"
#include "isa/elaborate.hpp"
#include "isa/fold.hpp"
#include "toy.hpp"

namespace pogo::check {
namespace {

using isa::Op;
using isa::Sort;
using isa::Term;
using isa::Terms;

TEST(Solver, ThreeAnswers) {
    Terms t;
    const Term x = t.variable(t.declare("x", Sort::bits(32)));
    const Term y = t.variable(t.declare("y", Sort::bits(32)));
    Solver solver(t, {1'000'000, 0});
    EXPECT_EQ(solver.satisfiable("sat", t.apply(Op::bvult, x, y)), Verdict::yes);
    EXPECT_EQ(solver.satisfiable("unsat", t.and_(t.apply(Op::bvult, x, y), t.apply(Op::bvult, y, x))), Verdict::no);
    EXPECT_EQ(solver.statistics().solved, 2U);
    EXPECT_EQ(solver.satisfiable("folds", t.distinct(x, x)), Verdict::no);
    EXPECT_EQ(solver.satisfiable("again", t.apply(Op::bvult, x, y)), Verdict::yes);
    EXPECT_EQ(solver.statistics().solved, 2U);
    EXPECT_EQ(solver.statistics().queries, 4U);
    EXPECT_EQ(solver.statistics().rewritten, 2U);
    EXPECT_GT(solver.statistics().rlimit, 0U);
    // Factoring the product of two primes exceeds a small limit.
    Solver tight(t, {1000, 0});
    const Term product = t.apply(Op::bvmul, t.zero_extend(x, 64), t.zero_extend(y, 64));
    EXPECT_EQ(tight.satisfiable("hard", t.eq(product, t.constant(64, isa::Word{4294967291} * 4294967279))),
              Verdict::unknown);
}

// A limit that one case keeps and twelve together do not: the squares of no numbers end in 3, 7, 11, ….
TEST(Solver, SplitsWhatIsTooMuchAtOnce) {
    Terms t;
    std::vector<Term> cases;
    for (unsigned i = 0; i < 12; ++i) {
        const Term x = t.variable(t.declare("x" + std::to_string(i), Sort::bits(14)));
        cases.push_back(t.eq(t.apply(Op::bvmul, x, x), t.constant(14, 4 * i + 3)));
    }
    Solver measured(t, {0, 0});
    ASSERT_EQ(measured.satisfiable("one", cases.back()), Verdict::no);
    Solver solver(t, {static_cast<unsigned>(3 * measured.statistics().rlimit), 0});
    const Term formula = t.any(cases);
    EXPECT_EQ(solver.possible("at once", formula), Verdict::unknown);
    EXPECT_EQ(solver.satisfiable("by cases", formula), Verdict::no);
    EXPECT_EQ(solver.satisfiable("again", formula), Verdict::no);
    EXPECT_TRUE(solver.unknowns().empty());
}

TEST(Solver, SmallestModel) {
    Terms t;
    const Term x = t.variable(t.declare("x", Sort::bits(8)));
    const Term y = t.variable(t.declare("y", Sort::bits(8)));
    const Term m = t.variable(t.declare("m", Sort::array(8, 8)));
    const Term at_x = t.select(m, x);
    const Term at_y = t.select(m, y);
    const Term sum = t.apply(Op::bvadd, x, y);
    const Term formula = t.and_(t.eq(sum, t.constant(8, 200)),
                                t.and_(t.apply(Op::bvult, t.constant(8, 100), x), t.distinct(at_x, at_y)));
    Solver solver(t, {0, 0});
    const auto ask = [&](std::vector<Term> wishes, std::vector<Term> order) {
        const auto model = solver.smallest(formula, wishes, order);
        EXPECT_TRUE(model.has_value());
        const std::array<Term, 5> terms{formula, x, y, at_x, at_y};
        std::vector<unsigned> result;
        for (const auto value : solver.evaluate(*model, terms)) result.push_back(static_cast<unsigned>(value));
        return result;
    };
    EXPECT_EQ(ask({}, {}), (std::vector<unsigned>{1, 101, 99, 0, 1}));
    EXPECT_EQ(ask({}, {y}), (std::vector<unsigned>{1, 200, 0, 0, 1}));
    EXPECT_EQ(ask({t.apply(Op::bvult, x, y)}, {}), (std::vector<unsigned>{1, 201, 255, 0, 1}));
    EXPECT_EQ(ask({t.eq(x, y), t.eq(y, t.constant(8, 3))}, {}), (std::vector<unsigned>{1, 197, 3, 0, 1}));
    EXPECT_FALSE(solver.smallest(t.boolean(false), {}, {}).has_value());
}

/// Eight cells of one bit, as the bits of a number.
struct Cells {
    std::array<std::uint64_t, 3> values{};  // by number of the variable
    std::uint64_t variable(isa::Variable variable, Sort) { return values.at(variable.id); }
    std::uint64_t select(std::uint64_t array, std::uint64_t index) { return array >> index & 1; }
};

// Of random formulas, against all models.
TEST(Solver, SmallestModelIsTheSmallest) {
    std::mt19937 random(1);
    const auto pick = [&](std::size_t count) {
        return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
    };
    for (unsigned round = 0; round < 60; ++round) {
        Terms t;
        const Term x = t.variable(t.declare("x", Sort::bits(3)));
        const Term y = t.variable(t.declare("y", Sort::bits(3)));
        const Term m = t.variable(t.declare("m", Sort::array(3, 1)));
        std::vector<Term> words{x, y, t.constant(3, pick(8))};
        std::vector<Term> facts;
        for (unsigned i = 0; i < 12; ++i) {
            constexpr std::array operators{Op::bvadd, Op::bvsub, Op::bvmul, Op::bvxor, Op::bvudiv, Op::bvand};
            const Term a = words[pick(words.size())];
            const Term b = words[pick(words.size())];
            words.push_back(t.apply(operators[pick(operators.size())], a, b));
            if (i % 3 == 0) words.push_back(t.zero_extend(t.select(m, a), 3));
            facts.push_back(i % 2 == 0 ? t.apply(Op::bvult, a, b) : t.distinct(a, words.back()));
        }
        Term formula = t.boolean(true);
        for (unsigned i = 0; i < 4; ++i)
            formula = t.and_(formula, t.or_(facts[pick(facts.size())], t.not_(facts[pick(facts.size())])));
        std::vector<Term> atoms{x, y};
        isa::each_below(t, std::span(&formula, 1), [&](Term term) {
            if (t.node(term).op == Op::select) atoms.push_back(term);
        });
        std::sort(atoms.begin() + 2, atoms.end());
        std::vector<Term> roots = atoms;
        roots.push_back(formula);

        const isa::Program program = isa::compile(t, roots);
        std::optional<std::vector<std::uint64_t>> smallest;
        for (std::uint64_t all = 0; all < 1 << 14; ++all) {
            isa::Concrete<std::uint64_t, Cells> domain;
            domain.values = {all & 7, all >> 3 & 7, all >> 6};
            auto values = isa::fold(program, domain);
            if (values.back() != 0 && (!smallest || values < *smallest)) smallest = std::move(values);
        }
        Solver solver(t, {0, 0});
        const auto model = solver.smallest(formula, {}, std::array{x, y});
        ASSERT_EQ(model.has_value(), smallest.has_value());
        if (!model) continue;
        std::vector<std::uint64_t> found;
        for (const auto value : solver.evaluate(*model, roots)) found.push_back(static_cast<std::uint64_t>(value));
        EXPECT_EQ(found, *smallest) << t.print(formula);
    }
}

// What does more with arrays than read them is for the solver alone.
TEST(Solver, SmallestModelOfStores) {
    Terms t;
    const Term x = t.variable(t.declare("x", Sort::bits(8)));
    const Term m = t.variable(t.declare("m", Sort::array(8, 8)));
    const Term stored = t.apply(Op::store, m, t.constant(8, 3), t.constant(8, 7));
    const Term formula = t.apply(Op::bvult, t.constant(8, 5), t.select(stored, x));
    Solver solver(t, {0, 0});
    EXPECT_EQ(solver.smallest_values(t.and_(formula, t.eq(t.select(m, x), t.constant(8, 0))), std::array{x}),
              std::vector<isa::Word>{3});
}

TEST(Solver, SeedsDoNotShowInModels) {
    toy::Machine zoo = toy::zoo();
    Options options;
    const Findings one = check(zoo.spec, options);
    options.seed = 12345;
    const Findings two = check(zoo.spec, options);
    for (std::size_t i = 0; i < one.rows.size(); ++i) EXPECT_EQ(one.rows[i].witnesses, two.rows[i].witnesses);
}

std::string run(const std::string& command) {
    std::string output;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return output;
    for (std::array<char, 256> buffer{}; std::fgets(buffer.data(), buffer.size(), pipe) != nullptr;)
        output += buffer.data();
    pclose(pipe);
    return output;
}

/// Writes the queries of a check and asks cvc5 about each: how many it was asked.
std::size_t second_opinion(const isa::Spec& spec, bool rewrite) {
    const auto directory =
        std::filesystem::path(::testing::TempDir()) / ("pogo-smt2-" + spec.name + (rewrite ? "" : "-plain"));
    std::filesystem::remove_all(directory);
    Options options;
    options.rewrite = rewrite;
    options.witnesses = false;
    options.smt2 = directory.string();
    const Findings findings = check(spec, options);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        std::ifstream file(entry.path());
        const std::string text(std::istreambuf_iterator<char>(file), {});
        const auto at = text.find(":status ") + 8;
        const std::string expected = text.substr(at, text.find(')', at) - at);
        EXPECT_NE(expected, "unknown") << entry.path();
        EXPECT_EQ(run("cvc5 '" + entry.path().string() + "' 2>&1"), expected + "\n") << entry.path();
        ++files;
    }
    EXPECT_EQ(files, findings.statistics.solved);
    std::filesystem::remove_all(directory);
    return files;
}

class Smt2 : public ::testing::Test {
  protected:
    void SetUp() override {
        if (std::system("cvc5 --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "cvc5 is not installed";
    }
};

TEST_F(Smt2, AnotherSolverAgreesOnTheZoo) {
    const isa::Spec spec = toy::zoo().spec;
    const std::size_t rewritten = second_opinion(spec, true);
    EXPECT_GT(rewritten, 20U);
    EXPECT_GT(second_opinion(spec, false), rewritten);
}

TEST_F(Smt2, AnotherSolverAgreesOnTheShippedMachines) {
    for (const char* name : {"lecture.isa", "pg74.isa", "m68k.isa", "rv64.isa"}) {
        isa::SourceManager sources;
        isa::Diagnostics diagnostics;
        const auto spec =
            isa::load_spec_file(sources, std::string(POGO_SPECS "/") + name, std::nullopt, {}, diagnostics);
        ASSERT_TRUE(spec.has_value());
        EXPECT_GT(second_opinion(*spec, true), 10U);
    }
}

}  // namespace
}  // namespace pogo::check
