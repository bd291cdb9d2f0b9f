// Runs functions of a Jib IR model on symbolic state: all paths at once, merged where they meet.
// SPDX-License-Identifier: Apache-2.0
//
// Blocks run in the order of their labels, one path a label; where two meet, their states become one by `ite`. Calls
// are run in place under the caller's path. No solver is asked: what cannot be followed is a stop, with the condition
// of the path it lies on, and it is for others to show that nothing leads there.
#pragma once

#include <functional>
#include <unordered_set>

#include "jib/value.hpp"

namespace pogo::isa::jib {

/// The state along one path.
struct PathState {
    std::vector<Term> conditions;  ///< Bool each: all hold on this path
    std::vector<Value> globals;    ///< by number in Model::globals
    bool dead = false;             ///< nothing leads here
};

/// A path that ends without an answer.
struct Stop {
    Term guard;
    std::string why;
    SourceRange where;
};

class Executor {
  public:
    /// Calls of `hook`ed functions are its: it gives the result, may change the state and end the path. Nothing: the
    /// call is the model's after all.
    using Hook =
        std::function<std::optional<Value>(const std::vector<Value>& arguments, PathState& state, SourceRange where)>;

    Executor(const Model& model, Terms& terms) : values(terms), model_(model), terms_(terms) {}

    Values values;
    std::vector<Stop> stops;
    std::vector<Variable> choices;  ///< what Sail leaves undefined
    std::unordered_map<Name, Hook> hooks;
    std::unordered_set<Term> facts;  ///< Bool each: known to hold wherever a run goes, and no part of its conditions

    /// The state in which nothing is set but what `let` binds.
    [[nodiscard]] PathState initial();
    /// Runs a function. The state is that after it; it is dead where no path comes back.
    Value call(Name name, const std::vector<Value>& arguments, PathState& state, SourceRange where = {});
    /// A value of the type of which nothing is known; a width must be known of bits.
    [[nodiscard]] Value variable(const Type& type, const std::string& name);
    /// Bool: the path is taken.
    [[nodiscard]] Term guard(const PathState& state) const { return terms_.all(state.conditions); }
    /// Ends the path.
    void stop(PathState& state, std::string why, SourceRange where);
    /// Adds what is known on the path from now on.
    void assume(PathState& state, Term condition) const;
    [[nodiscard]] unsigned width_of(Name enumeration) const;
    /// Instructions run since the start.
    [[nodiscard]] std::size_t steps() const { return steps_; }

    static constexpr std::size_t step_limit = 40'000'000;
    static constexpr unsigned depth_limit = 200;

  private:
    struct Locals;
    struct Path;
    Value run(const Function& function, const std::vector<Value>& arguments, PathState& state);
    void merge(Path& into, Path& other, std::size_t base);
    [[nodiscard]] Value evaluate(const Expression& expression, const Path& path);
    [[nodiscard]] Value read(Name name, const Path& path) const;
    void assign(const Place& place, Value value, Path& path);
    [[nodiscard]] Value member(const Value& value, Name name) const;
    [[nodiscard]] Value construct(Name constructor, Value payload) const;
    /// Whether the condition is known on the path: true, false or open.
    [[nodiscard]] std::optional<bool> decided(const PathState& state, Term condition) const;

    const Model& model_;
    Terms& terms_;
    std::size_t steps_ = 0;
    unsigned depth_ = 0;
};

}  // namespace pogo::isa::jib
