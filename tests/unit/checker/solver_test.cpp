// The solver façade: answers, smallest models, evaluation, SMT-LIB 2, and a second solver's opinion.
// SPDX-License-Identifier: Apache-2.0
#include "solver.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "isa/diagnostic.hpp"
#include "isa/elaborate.hpp"
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
