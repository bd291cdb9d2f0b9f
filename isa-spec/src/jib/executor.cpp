// Path merging over Jib IR.
// SPDX-License-Identifier: Apache-2.0
#include "jib/executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <stdexcept>

#include "isa/require.hpp"

namespace pogo::isa::jib {

/// Variables of one activation that have a value, by name.
struct Executor::Locals {
    std::vector<std::pair<Name, Value>> list;
    [[nodiscard]] const Value* find(Name name) const {
        const auto at = place(name);
        return at != list.end() && at->first == name ? &at->second : nullptr;
    }
    Value& operator[](Name name) {
        const auto at = place(name);
        if (at != list.end() && at->first == name) return list[static_cast<std::size_t>(at - list.begin())].second;
        return list.emplace(at, name, Value{})->second;
    }

  private:
    [[nodiscard]] std::vector<std::pair<Name, Value>>::const_iterator place(Name name) const {
        return std::lower_bound(list.begin(), list.end(), name,
                                [](const auto& entry, Name wanted) { return entry.first < wanted; });
    }
};

struct Executor::Path {
    PathState state;
    Locals locals;
};

unsigned Executor::width_of(Name enumeration) const {
    const auto found = model_.enumerations.find(enumeration);
    const std::size_t count = found == model_.enumerations.end() ? 0 : found->second.size();
    return count < 3 ? 1 : static_cast<unsigned>(std::bit_width(count - 1));
}

Value Executor::variable(const Type& type, const std::string& name) {
    const auto fresh = [&](Sort sort) { return terms_.variable(terms_.declare(name, sort)); };
    switch (type.kind) {
        case Type::Kind::unit:
            return Value::unit();
        case Type::Kind::boolean:
            return Value::boolean(fresh(Sort::boolean()));
        case Type::Kind::enumeration:
            return Value::enumerator(fresh(Sort::bits(width_of(type.name))));
        case Type::Kind::bits:
            if (!type.width) throw Stuck{"a value of unknown width is undefined"};
            if (*type.width > max_width) throw Stuck{"a value is wider than 128 bits"};
            return *type.width == 0 ? Value::empty_bits() : Value::bits(fresh(Sort::bits(*type.width)));
        case Type::Kind::structure: {
            const auto found = model_.structures.find(type.name);
            if (found == model_.structures.end()) throw Stuck{"a structure is undeclared"};
            Compound result;
            for (const auto& member : found->second.members) {
                result.names.push_back(member.name);
                result.members.push_back(variable(member.type, name + "." + model_.names.readable(member.name)));
            }
            return Value::made(Value::Kind::structure, std::move(result));
        }
        case Type::Kind::integer:
        case Type::Kind::string:
        case Type::Kind::real:
        case Type::Kind::union_:
        case Type::Kind::vector:
        case Type::Kind::reference:
            break;
    }
    throw Stuck{"a value of a type without bounds is undefined"};
}

PathState Executor::initial() {
    PathState state;
    state.globals.resize(model_.globals.size());
    for (const auto& let : model_.lets) {
        Function function;
        function.body = let.body;
        PathState after = state;
        run(function, {}, after);  // assigns the names, which are globals
        if (!after.dead) state.globals = std::move(after.globals);
    }
    stops.clear();  // a constant that was not made is one that is not set
    return state;
}

void Executor::stop(PathState& state, std::string why, SourceRange where) {
    const Term condition = guard(state);
    if (!terms_.is_false(condition)) stops.push_back({condition, std::move(why), where});
    state.dead = true;
}

void Executor::assume(PathState& state, Term condition) const {
    if (!terms_.is_true(condition)) state.conditions.push_back(condition);
}

std::optional<bool> Executor::decided(const PathState& state, Term condition) const {
    if (terms_.is_true(condition)) return true;
    if (terms_.is_false(condition)) return false;
    const Term opposite = terms_.not_(condition);
    if (facts.contains(condition)) return true;
    if (facts.contains(opposite)) return false;
    for (const Term known : state.conditions) {
        if (known == condition) return true;
        if (known == opposite) return false;
    }
    return std::nullopt;
}

/// Both paths share their first `base` conditions at least, and at most one of them is taken.
void Executor::merge(Path& into, Path& other, std::size_t base) {
    auto& a = into.state.conditions;
    auto& b = other.state.conditions;
    std::size_t common = base;
    while (common < a.size() && common < b.size() && a[common] == b[common]) ++common;
    const auto rest = [&](const std::vector<Term>& conditions) {
        return terms_.all(std::span(conditions).subspan(common));
    };
    const Term to_a = rest(a);
    const Term to_b = rest(b);
    // What tells the two apart is the first condition that differs, where one's is the other's negation.
    const bool opposite = common < a.size() && common < b.size() && terms_.not_(a[common]) == b[common];
    const Term apart = opposite ? a[common] : to_a;
    const Term either = terms_.or_(to_a, to_b);
    a.resize(common);
    assume(into.state, either);

    const auto join = [&](Value& x, const Value& y) {
        if (x.kind == y.kind && x.term == y.term && x.more == y.more) return;
        try {
            x = values.merge(apart, x, y);
        } catch (const Stuck&) {
            x = Value::torn();
        }
    };
    for (std::size_t i = 0; i < into.state.globals.size(); ++i) join(into.state.globals[i], other.state.globals[i]);
    for (const auto& [name, value] : other.locals.list) join(into.locals[name], value);
}

Value Executor::read(Name name, const Path& path) const {
    const Value* value = path.locals.find(name);
    if (value == nullptr) {
        const auto global = model_.global_numbers.find(name);
        if (global != model_.global_numbers.end()) value = &path.state.globals[global->second];
    }
    if (value != nullptr) {
        if (value->kind == Value::Kind::torn) throw Stuck{"a value has no one form on the paths that meet"};
        return *value;
    }
    if (const auto enumerator = model_.enumerators.find(name); enumerator != model_.enumerators.end())
        return Value::enumerator(terms_.constant(width_of(enumerator->second.first), enumerator->second.second));
    return {};
}

Value Executor::member(const Value& value, Name name) const {
    if (value.kind != Value::Kind::structure) throw Stuck{"a field is read of what was never set"};
    for (std::size_t i = 0; i < value.more->names.size(); ++i)
        if (value.more->names[i] == name) return value.more->members[i];
    throw Stuck{fmt::format("a field {} is read that was never set", model_.names.readable(name))};
}

Value Executor::construct(Name constructor, Value payload) const {
    Compound made;
    made.names = {constructor};
    made.members = {std::move(payload)};
    made.guards = {terms_.boolean(true)};
    return Value::made(Value::Kind::union_, std::move(made));
}

Value Executor::evaluate(const Expression& e, const Path& path) {
    using Kind = Expression::Kind;
    switch (e.kind) {
        case Kind::name:
            return read(e.name, path);
        case Kind::boolean:
            return Value::boolean(terms_.boolean(e.value != 0));
        case Kind::unit:
            return Value::unit();
        case Kind::bits:
            return e.width == 0 ? Value::empty_bits() : Value::bits(terms_.constant(e.width, e.value));
        case Kind::integer:
            return values.number(static_cast<Number>(e.value));
        case Kind::string:
            return Value::string(e.text);
        case Kind::reference: {
            Compound to;
            to.name = e.name;
            return Value::made(Value::Kind::reference, std::move(to));
        }
        case Kind::undefined: {
            const auto before = terms_.variable_count();
            Value value = variable(*e.type, "undefined");
            for (auto i = before; i < terms_.variable_count(); ++i) choices.push_back({static_cast<std::uint32_t>(i)});
            return value;
        }
        case Kind::structure: {
            Compound made;
            made.names = e.members;
            for (const auto& operand : e.operands) made.members.push_back(evaluate(operand, path));
            return Value::made(Value::Kind::structure, std::move(made));
        }
        case Kind::is:
        case Kind::as: {
            const Value value = evaluate(e.operands[0], path);
            if (value.kind != Value::Kind::union_) throw Stuck{"a constructor is asked of what was never set"};
            for (std::size_t i = 0; i < value.more->names.size(); ++i)
                if (value.more->names[i] == e.name)
                    return e.kind == Kind::as ? value.more->members[i]
                                              : Value::boolean(terms_.not_(value.more->guards[i]));
            if (e.kind == Kind::as) throw Stuck{"the payload of another constructor is taken"};
            return Value::boolean(terms_.boolean(true));
        }
        case Kind::field:
            return member(evaluate(e.operands[0], path), e.name);
        case Kind::operation: {
            std::vector<Value> operands;
            for (const auto& operand : e.operands) operands.push_back(evaluate(operand, path));
            const std::string_view name = model_.names.text(e.name);
            const auto want = [&](std::size_t count) {
                if (operands.size() != count) throw Stuck{fmt::format("@{} has {} operands", name, operands.size())};
            };
            // Names of the tool chain's optimised operators and the library's of the same meaning.
            static const std::unordered_map<std::string_view, std::string_view> plain{
                {"not", "not"},        {"and", "and_bool"},   {"or", "or_bool"},
                {"eq", "eq_anything"}, {"lt", "lt"},          {"lteq", "lteq"},
                {"gt", "gt"},          {"gteq", "gteq"},      {"iadd", "add_int"},
                {"isub", "sub_int"},   {"bvnot", "not_bits"}, {"bvor", "or_bits"},
                {"bvxor", "xor_bits"}, {"bvand", "and_bits"}, {"bvadd", "add_bits"},
                {"bvsub", "sub_bits"}, {"concat", "append"},  {"bvaccess", "vector_access"},
            };
            if (const auto found = plain.find(name); found != plain.end())
                return *values.primitive(found->second, operands);
            if (name == "neq") {
                want(2);
                return Value::boolean(terms_.not_(values.equal(operands[0], operands[1])));
            }
            if (name == "signed" || name == "unsigned") {
                want(1);
                return *values.primitive(name == "signed" ? "sail_signed" : "sail_unsigned", operands);
            }
            if (name == "zero_extend" || name == "sign_extend") {
                want(1);
                return *values.primitive(name, {operands[0], values.number(static_cast<Number>(e.width))});
            }
            if (name == "slice") {
                want(2);
                return *values.primitive("slice",
                                         {operands[0], operands[1], values.number(static_cast<Number>(e.width))});
            }
            throw Stuck{fmt::format("operator @{} is not known", name)};
        }
    }
    POGO_UNREACHABLE("all kinds of expressions are handled");
}

void Executor::assign(const Place& place, Value value, Path& path) {
    Name name = place.name;
    if (place.referenced) {
        const Value reference = read(name, path);
        if (reference.kind != Value::Kind::reference) throw Stuck{"a register is written that was never named"};
        name = reference.more->name;
    }
    const auto global = model_.global_numbers.find(name);
    const bool local =
        global == model_.global_numbers.end() || (!place.referenced && path.locals.find(name) != nullptr);
    Value* target = local ? &path.locals[name] : &path.state.globals[global->second];
    // Down to the field, then back up with copies of what holds it.
    std::vector<Value> holders;
    for (std::size_t i = 0; i < place.fields.size(); ++i)
        holders.push_back(i == 0 ? *target : member(holders[i - 1], place.fields[i - 1]));
    for (std::size_t i = place.fields.size(); i-- > 0;) {
        Compound changed;
        if (holders[i].kind == Value::Kind::structure) changed = *holders[i].more;
        const auto at = std::find(changed.names.begin(), changed.names.end(), place.fields[i]);
        if (at == changed.names.end()) {
            changed.names.push_back(place.fields[i]);
            changed.members.push_back(std::move(value));
        } else {
            changed.members[static_cast<std::size_t>(at - changed.names.begin())] = std::move(value);
        }
        value = Value::made(Value::Kind::structure, std::move(changed));
    }
    *target = std::move(value);
}

Value Executor::call(Name name, const std::vector<Value>& arguments, PathState& state, SourceRange where) try {
    if (const auto hook = hooks.find(name); hook != hooks.end())
        if (auto result = hook->second(arguments, state, where)) return std::move(*result);
    if (const auto function = model_.functions.find(name); function != model_.functions.end())
        return run(function->second, arguments, state);
    if (model_.constructors.contains(name))
        return construct(name, arguments.size() == 1 ? arguments[0] : Value::unit());
    const auto signature = model_.signatures.find(name);
    const std::string_view primitive = signature != model_.signatures.end() && signature->second.primitive
                                           ? std::string_view(*signature->second.primitive)
                                           : model_.names.text(name);
    if (primitive == "zsail_assert" || primitive == "sail_assert") {
        const Term holds = values.want_boolean(arguments.at(0));
        PathState fails = state;
        assume(fails, terms_.not_(holds));
        const bool said = arguments.size() > 1 && arguments[1].kind == Value::Kind::string;
        stop(fails, said ? fmt::format("assertion: {}", arguments[1].more->text) : "assertion", where);
        if (terms_.is_false(holds)) state.dead = true;
        assume(state, holds);
        return Value::unit();
    }
    if (primitive == "reg_deref") {
        if (arguments.at(0).kind != Value::Kind::reference) throw Stuck{"a register is read that was never named"};
        const auto global = model_.global_numbers.find(arguments[0].more->name);
        if (global == model_.global_numbers.end()) throw Stuck{"a register is read that is not declared"};
        return state.globals[global->second];
    }
    if (primitive.starts_with("undefined_")) {
        Type type;
        if (primitive == "undefined_bitvector") {
            type.kind = Type::Kind::bits;
            type.width = values.want_width(arguments.at(0), "a width");
        } else if (primitive == "undefined_bool") {
            type.kind = Type::Kind::boolean;
        } else if (primitive == "undefined_bit") {
            type.kind = Type::Kind::bits;
            type.width = 1;
        } else if (primitive != "undefined_unit") {
            throw Stuck{fmt::format("{} has no bounds", primitive)};
        }
        Value value = variable(type, "undefined");
        if (value.term.valid()) choices.push_back({terms_.node(value.term).a});
        return value;
    }
    if (auto value = values.primitive(primitive, arguments)) return std::move(*value);
    if (auto value = values.primitive(decode_name(primitive), arguments)) return std::move(*value);
    throw Stuck{fmt::format("`{}` has no meaning here", decode_name(primitive))};
} catch (const std::out_of_range&) {  // what is no function of the model's takes its arguments with `at`
    throw Stuck{fmt::format("`{}` is given too few arguments", model_.names.readable(name))};
}

Value Executor::run(const Function& function, const std::vector<Value>& arguments, PathState& state) {
    if (depth_ >= depth_limit) throw Stuck{fmt::format("calls nest deeper than {}", depth_limit)};
    struct Depth {
        unsigned& depth;
        explicit Depth(unsigned& d) : depth(d) { ++depth; }
        ~Depth() { --depth; }
        Depth(const Depth&) = delete;
        Depth& operator=(const Depth&) = delete;
    } const deeper(depth_);
    if (arguments.size() != function.parameters.size())
        throw Stuck{fmt::format("a function takes {} arguments, not {}", function.parameters.size(), arguments.size())};

    static constexpr std::uint32_t finish = ~std::uint32_t{0};
    const std::size_t base = state.conditions.size();
    std::map<std::uint32_t, Path> waiting;
    const auto arrive = [&](std::uint32_t at, Path&& path) {
        if (const auto there = waiting.find(at); there != waiting.end()) {
            merge(there->second, path, base);
        } else {
            waiting.emplace(at, std::move(path));
        }
    };
    Path start{std::move(state), {}};
    for (std::size_t i = 0; i < arguments.size(); ++i) start.locals[function.parameters[i]] = arguments[i];
    arrive(0, std::move(start));

    while (!waiting.empty() && waiting.begin()->first != finish) {
        auto taken = waiting.extract(waiting.begin());
        std::uint32_t at = taken.key();
        Path path = std::move(taken.mapped());
        for (;;) {
            if (at >= function.body.size()) {  // as bodies of `let` end
                arrive(finish, std::move(path));
                break;
            }
            const Instruction& instruction = function.body[at];
            if (++steps_ > step_limit) {
                stop(path.state, "more instructions than are followed", instruction.where);
                break;
            }
            try {
                ++at;
                switch (instruction.kind) {
                    case Instruction::Kind::declare:
                        path.locals[instruction.place.name] =
                            instruction.value ? evaluate(*instruction.value, path) : Value{};
                        break;
                    case Instruction::Kind::assign:
                        assign(instruction.place, evaluate(*instruction.value, path), path);
                        break;
                    case Instruction::Kind::call: {
                        std::vector<Value> given;
                        given.reserve(instruction.arguments.size());
                        for (const auto& argument : instruction.arguments) given.push_back(evaluate(argument, path));
                        Value result = call(instruction.callee, given, path.state, instruction.where);
                        if (!path.state.dead) assign(instruction.place, std::move(result), path);
                        break;
                    }
                    case Instruction::Kind::jump: {
                        const Term condition = values.want_boolean(evaluate(*instruction.value, path));
                        const auto known = decided(path.state, condition);
                        if (known && *known) at = instruction.target;
                        if (known) break;
                        Path away = path;
                        assume(away.state, condition);
                        assume(path.state, terms_.not_(condition));
                        arrive(instruction.target, std::move(away));
                        break;
                    }
                    case Instruction::Kind::go:
                        at = instruction.target;
                        break;
                    case Instruction::Kind::stop:
                        stop(path.state, instruction.text, instruction.where);
                        break;
                    case Instruction::Kind::end:
                        at = finish;
                        break;
                    case Instruction::Kind::nothing:
                        break;
                }
            } catch (const Stuck& stuck) {
                stop(path.state, stuck.why, instruction.where);
            }
            if (path.state.dead) break;
            if (at == finish || (!waiting.empty() && waiting.begin()->first <= at)) {
                arrive(at, std::move(path));
                break;
            }
        }
    }
    if (waiting.empty()) {
        state = {};
        state.dead = true;
        return {};
    }
    Path& end = waiting.begin()->second;
    const auto result = model_.names.find("return");
    const Value* value = result ? end.locals.find(*result) : nullptr;
    Value returned = value != nullptr ? *value : Value{};
    state = std::move(end.state);
    return returned;
}

}  // namespace pogo::isa::jib
