// The solver façade over Z3.
// SPDX-License-Identifier: Apache-2.0
#include "solver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "isa/fold.hpp"
#include "isa/require.hpp"
#include "symbolic.hpp"
#include "trial.hpp"

namespace pogo::check {

using isa::Op;
using isa::Sort;
using isa::Term;
using isa::Terms;
using isa::Variable;
using isa::Word;

namespace {

/// What a model of the terms has to tell: `first`, then their variables other than arrays, by number, then what they
/// read of arrays, operands first (numbers ascend from operands to users). Each once.
std::vector<Term> atoms_below(const Terms& terms, std::span<const Term> first, std::span<const Term> roots) {
    std::vector<Term> variables;
    std::vector<Term> reads;
    isa::each_below(terms, roots, [&](Term term) {
        if (std::find(first.begin(), first.end(), term) != first.end()) return;
        const isa::Node& node = terms.node(term);
        if (node.op == Op::select && terms.node(Term{node.a}).op == Op::variable) reads.push_back(term);
        if (node.op == Op::variable && !node.sort.is_array()) variables.push_back(term);
    });
    std::sort(variables.begin(), variables.end(), [&](Term a, Term b) { return terms.node(a).a < terms.node(b).a; });
    std::sort(reads.begin(), reads.end());
    std::vector<Term> result(first.begin(), first.end());
    result.insert(result.end(), variables.begin(), variables.end());
    result.insert(result.end(), reads.begin(), reads.end());
    return result;
}

/// A term or its negation.
struct Assertion {
    Term term;
    bool positive = true;
};

/// What the literal is a conjunction of, or a disjunction.
std::vector<Assertion> parts_of(const Terms& terms, Assertion whole, Op op) {
    const Op dual = op == Op::and_ ? Op::or_ : Op::and_;
    std::vector<Assertion> result;
    std::vector<Assertion> open{whole};
    while (!open.empty()) {
        const Assertion literal = open.back();
        open.pop_back();
        const isa::Node& node = terms.node(literal.term);
        if (node.op == Op::not_)
            open.push_back({Term{node.a}, !literal.positive});
        else if (node.op == (literal.positive ? op : dual))
            open.insert(open.end(), {{Term{node.b}, literal.positive}, {Term{node.a}, literal.positive}});
        else
            result.push_back(literal);
    }
    return result;
}

/// Of the disjunctions that the formula is a conjunction of, the one with the most parts.
std::vector<Assertion> widest_disjunction(const Terms& terms, Term formula) {
    std::vector<Assertion> widest;
    for (const Assertion& part : parts_of(terms, {formula}, Op::and_)) {
        std::vector<Assertion> cases = parts_of(terms, part, Op::or_);
        if (cases.size() > 1 && cases.size() > widest.size()) widest = std::move(cases);
    }
    return widest;
}

/// Adds the time until it goes out of scope.
class Stopwatch {
  public:
    explicit Stopwatch(double& seconds) : seconds_(&seconds), start_(std::chrono::steady_clock::now()) {}
    ~Stopwatch() { *seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

  private:
    double* seconds_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace

struct Solver::Z3 {
    z3::context context;
    std::unordered_map<std::uint32_t, z3::expr> variables;
    const Terms* terms = nullptr;

    z3::expr variable(Variable variable, Sort sort) {
        if (const auto it = variables.find(variable.id); it != variables.end()) return it->second;
        z3::expr fresh =
            context.constant(context.int_symbol(static_cast<int>(variable.id)), Symbolic::sort(context, sort));
        variables.emplace(variable.id, fresh);
        return fresh;
    }

    std::vector<z3::expr> translate(std::span<const Term> roots) {
        Symbolic symbolic(context, [this](Variable v, Sort s) { return variable(v, s); });
        std::vector<z3::expr> result;
        for (const auto value : isa::fold(isa::compile(*terms, roots), symbolic))
            result.push_back(symbolic.expression(value));
        return result;
    }
    z3::expr translate(Term root) { return translate(std::span(&root, 1))[0]; }

    z3::solver solver(const Settings& settings, Engine engine = Engine::search) {
        z3::solver result = engine == Engine::search ? z3::solver(context, z3::solver::simple())
                                                     : z3::tactic(context, "qfaufbv").mk_solver();
        z3::params params(context);
        if (engine == Engine::search) params.set("random_seed", settings.seed);
        if (settings.rlimit != 0) params.set("rlimit", settings.rlimit);
        result.set(params);
        return result;
    }

    /// All rewritten at once, as arguments of some function: starting Z3's rewriter costs more than what it has to do.
    template <class Rewrite>
    std::vector<z3::expr> together(std::span<const z3::expr> expressions, const Rewrite& rewrite) {
        if (expressions.empty()) return {};
        z3::sort_vector sorts(context);
        z3::expr_vector arguments(context);
        for (const z3::expr& expression : expressions) {
            arguments.push_back(expression);
            sorts.push_back(expression.get_sort());
        }
        const z3::expr all = rewrite(context.function("together", sorts, context.bool_sort())(arguments));
        std::vector<z3::expr> result;
        for (unsigned i = 0; i < arguments.size(); ++i) result.push_back(all.arg(i));
        return result;
    }

    static z3::check_result check(z3::solver& solver, Statistics& statistics) {
        const Stopwatch watch(statistics.check_seconds);
        return solver.check();
    }

    static std::uint64_t spent(z3::solver& solver) {
        const z3::stats stats = solver.statistics();
        for (unsigned i = 0; i < stats.size(); ++i)
            if (stats.key(i) == "rlimit count") return stats.uint_value(i);
        return 0;
    }
    std::uint64_t spent_before = 0;
    void account(z3::solver& solver, Statistics& statistics) {
        const auto now = spent(solver);
        statistics.rlimit += now - spent_before;
        spent_before = now;
    }
};

Solver::Solver(Terms& terms, Settings settings, Observer observer)
    : terms_(&terms), settings_(settings), observer_(std::move(observer)) {
    const Stopwatch watch(statistics_.solver_seconds);
    z3_ = std::make_unique<Z3>();
    z3_->terms = terms_;
}
Solver::~Solver() = default;

Verdict Solver::satisfiable(std::string_view name, Term formula, Engine first) {
    Verdict result = solve(name, formula, first);
    if (result != Verdict::unknown || !split_.insert(formula).second) return result;
    result = by_cases(formula, first);
    known_[formula] = result;
    // Z3 calls its own limit a cancellation; nothing else cancels.
    if (result == Verdict::unknown)
        unknowns_.push_back(fmt::format("{}: {}", name, reason_ == "canceled" ? "resource limit" : reason_));
    return result;
}

Verdict Solver::possible(std::string_view name, Term formula) { return solve(name, formula, Engine::search); }

Verdict Solver::solve(std::string_view name, Term formula, Engine first) {
    ++statistics_.queries;
    if (terms_->is_constant(formula)) {
        ++statistics_.rewritten;
        return terms_->is_true(formula) ? Verdict::yes : Verdict::no;
    }
    if (const auto it = known_.find(formula); it != known_.end()) {
        ++statistics_.rewritten;
        return it->second;
    }
    ++statistics_.solved;
    Verdict verdict = Verdict::unknown;
    {
        const Stopwatch watch(statistics_.solver_seconds);
        const auto ask = [&](Engine engine) {
            z3::solver solver = z3_->solver(settings_, engine);
            solver.add(z3_->translate(terms_->propagate(formula)));
            const auto answer = z3_->check(solver, statistics_);
            z3_->account(solver, statistics_);
            if (answer == z3::unknown && engine == Engine::search) reason_ = solver.reason_unknown();
            return answer == z3::sat ? Verdict::yes : answer == z3::unsat ? Verdict::no : Verdict::unknown;
        };
        verdict = ask(first);
        if (verdict == Verdict::unknown) verdict = ask(first == Engine::search ? Engine::bits : Engine::search);
    }
    known_.emplace(formula, verdict);
    if (observer_) observer_(name, formula, verdict);
    return verdict;
}

// Each case with those before it excluded. The first that is not answered ends it.
Verdict Solver::by_cases(Term formula, Engine engine) {
    const Stopwatch watch(statistics_.solver_seconds);
    const std::vector<Assertion> cases = widest_disjunction(*terms_, formula);
    if (cases.empty()) return Verdict::unknown;
    std::vector<Term> roots{formula};
    for (const Assertion& one : cases) roots.push_back(one.term);
    const std::vector<z3::expr> translated = z3_->translate(roots);
    z3::expr open = translated[0];
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const z3::expr holds = cases[i].positive ? translated[i + 1] : !translated[i + 1];
        z3::solver solver = z3_->solver(settings_, engine);
        solver.add(open && holds);
        const auto answer = z3_->check(solver, statistics_);
        z3_->account(solver, statistics_);
        if (answer != z3::unsat) return answer == z3::sat ? Verdict::yes : Verdict::unknown;
        open = open && !holds;
    }
    return Verdict::no;
}

std::optional<Assignment> Solver::smallest(Term formula, std::span<const Term> wishes, std::span<const Term> order) {
    return minimise(formula, wishes, order, true);
}

std::optional<std::vector<Word>> Solver::smallest_values(Term formula, std::span<const Term> variables) {
    const auto model = minimise(formula, {}, variables, false);
    if (!model) return std::nullopt;
    std::vector<Word> result;
    for (const Term variable : variables) result.push_back(model->values.at(terms_->node(variable).a));
    return result;
}

std::optional<Assignment> Solver::minimise(Term formula, std::span<const Term> wishes, std::span<const Term> order,
                                           bool everything) {
    const Stopwatch watch(statistics_.solver_seconds);
    z3::solver solver = z3_->solver(settings_);
    z3::params params(z3_->context);
    params.set("relevancy", 0U);  // what is asked for here is mostly satisfiable
    solver.set(params);
    std::vector<Term> all{formula};
    all.insert(all.end(), wishes.begin(), wishes.end());
    std::optional<z3::model> model;
    const auto ask = [&] {
        ++statistics_.refinements;
        const auto answer = z3_->check(solver, statistics_);
        if (answer == z3::sat) model = solver.get_model();
        return answer;
    };
    const auto holds = [&] { return ask() == z3::sat; };
    // Adds a conjunct if the rest allows it.
    const auto grant = [&](const z3::expr& wish) {
        solver.push();
        solver.add(wish);
        if (holds()) return true;
        solver.pop();
        return false;
    };

    const auto translated = z3_->translate(all);
    solver.add(translated[0]);
    if (!holds()) {
        z3_->account(solver, statistics_);
        return std::nullopt;
    }
    std::vector<Term> granted{formula};
    for (std::size_t i = 0; i < wishes.size(); ++i) {
        if (terms_->is_constant(wishes[i])) continue;
        if (grant(translated[i + 1])) granted.push_back(wishes[i]);
    }

    const std::vector<Term> atoms = atoms_below(*terms_, order, granted);
    const std::size_t count = everything ? atoms.size() : order.size();
    const auto expressions = z3_->translate(atoms);
    const auto literal = [&](std::size_t i, Word value) {
        return Symbolic::literal(z3_->context, terms_->sort(atoms[i]), value);
    };
    Trial trial(*terms_, granted, atoms);
    // From the last model on, [begin, count) as small as can be had without the solver.
    const auto go_on = [&](std::size_t begin) {
        std::vector<Word> values;
        for (const z3::expr& value :
             z3_->together(expressions, [&](const z3::expr& some) { return model->eval(some); }))
            values.push_back(
                number(value.is_numeral() || value.is_true() || value.is_false() ? value : model->eval(value, true)));
        trial.start(std::move(values));
        trial.descend(begin, count);
    };
    // The solver has to find [begin, end) smaller: the first of them, or else the second, and so on.
    const auto smaller = [&](std::size_t begin, std::size_t end) {
        z3::expr result = z3_->context.bool_val(false);
        for (std::size_t i = end; i-- > begin;) {
            const Word value = trial.best()[i];
            result = expressions[i] == literal(i, value) && result;
            if (value != 0)
                result =
                    (expressions[i].is_bool() ? !expressions[i] : z3::ult(expressions[i], literal(i, value))) || result;
        }
        return result;
    };
    const auto fix = [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) solver.add(expressions[i] == literal(i, trial.best()[i]));
    };
    // One atom, bit by bit: can the bits above stay and this one be zero?
    const auto settle = [&](std::size_t i) {
        const Sort sort = terms_->sort(atoms[i]);
        for (unsigned bit = sort.is_bool() ? 0 : unsigned{sort.width}; bit-- > 0;) {
            const Word value = trial.best()[i];
            if ((value >> bit & 1) == 0) continue;
            if (grant(expressions[i].extract(sort.width - 1, bit) ==
                      Symbolic::literal(z3_->context, Sort::bits(sort.width - bit), (value >> bit) & ~Word{1})))
                go_on(i);
        }
        fix(i, i + 1);
    };
    const std::function<void(std::size_t, std::size_t)> minimise_range = [&](std::size_t begin, std::size_t end) {
        const auto& best = trial.best();
        if (std::all_of(best.begin() + static_cast<std::ptrdiff_t>(begin),
                        best.begin() + static_cast<std::ptrdiff_t>(end), [](Word value) { return value == 0; }))
            return fix(begin, end);
        solver.push();
        solver.add(smaller(begin, end));
        const auto answer = ask();
        solver.pop();
        if (answer == z3::unsat) return fix(begin, end);
        if (answer == z3::sat) go_on(begin);
        if (end - begin == 1) return settle(begin);
        const std::size_t middle = begin + (end - begin) / 2;
        minimise_range(begin, middle);
        minimise_range(middle, end);
    };
    go_on(0);
    minimise_range(0, count);
    // One more answer, so that the model knows all that was added.
    const bool last = holds();
    z3_->account(solver, statistics_);
    if (!last) return std::nullopt;

    Assignment result;
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        const isa::Node& node = terms_->node(atoms[i]);
        const Word value = number(model->eval(expressions[i], true));
        if (node.op == Op::variable) result.values[node.a] = value;
        if (node.op != Op::select) continue;
        const isa::Node& array = terms_->node(Term{node.a});
        POGO_REQUIRE(array.op == Op::variable);
        const auto index = static_cast<std::uint64_t>(number(model->eval(z3_->translate(Term{node.b}), true)));
        result.arrays[array.a][index] = value;
    }
    return result;
}

std::vector<Word> Solver::evaluate(const Assignment& assignment, std::span<const Term> terms) {
    const Stopwatch watch(statistics_.solver_seconds);
    z3::context& context = z3_->context;
    Symbolic ground(context, [&](Variable variable, Sort sort) -> z3::expr {
        if (!sort.is_array()) {
            const auto it = assignment.values.find(variable.id);
            return Symbolic::literal(context, sort, it == assignment.values.end() ? 0 : it->second);
        }
        z3::expr array = z3::const_array(context.bv_sort(sort.index), context.bv_val(0, sort.width));
        if (const auto it = assignment.arrays.find(variable.id); it != assignment.arrays.end())
            for (const auto& [index, value] : it->second)
                array = z3::store(array, Symbolic::literal(context, Sort::bits(sort.index), index),
                                  Symbolic::literal(context, Sort::bits(sort.width), value));
        return array;
    });
    std::vector<z3::expr> expressions;
    for (const auto value : isa::fold(isa::compile(*terms_, terms), ground))
        expressions.push_back(ground.expression(value));
    std::vector<Word> result;
    for (const z3::expr& value : z3_->together(expressions, [](const z3::expr& all) { return all.simplify(); }))
        result.push_back(number(value));
    return result;
}

std::string smt2(const Terms& terms, std::string_view name, Term formula, Verdict satisfiable) {
    const auto sort_text = [](Sort sort) {
        switch (sort.kind) {
            case Sort::Kind::boolean:
                return std::string("Bool");
            case Sort::Kind::bits:
                return fmt::format("(_ BitVec {})", sort.width);
            case Sort::Kind::array:
                return fmt::format("(Array (_ BitVec {}) (_ BitVec {}))", sort.index, sort.width);
        }
        POGO_REQUIRE(false);
    };
    const std::string_view status = satisfiable == Verdict::yes  ? "sat"
                                    : satisfiable == Verdict::no ? "unsat"
                                                                 : "unknown";
    std::string text = fmt::format("; {}\n(set-logic QF_ABV)\n(set-info :status {})\n", name, status);
    for (const Variable variable : terms.support(std::span(&formula, 1)))
        text += fmt::format("(declare-const |{}| {})\n", terms.name(variable), sort_text(terms.sort(variable)));
    text += fmt::format("(assert {})\n(check-sat)\n(exit)\n", terms.print(formula));
    return text;
}

}  // namespace pogo::check
