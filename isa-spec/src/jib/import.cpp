// The importer: runs the model's own functions on a Spec's state and reads meanings off what they did.
// SPDX-License-Identifier: Apache-2.0
#include "jib/import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "isa/require.hpp"
#include "jib/encodings.hpp"
#include "jib/parts.hpp"
#include "jib/registers.hpp"

namespace pogo::isa::jib {

namespace {

struct Refused {};  // unwinds after an error was reported

class Importer {
  public:
    Importer(const Model& model, const Mapping& mapping, Spec& spec, Diagnostics& diagnostics)
        : model_(model),
          mapping_(mapping),
          spec_(spec),
          terms_(spec.terms),
          diagnostics_(diagnostics),
          executor_(model, spec.terms),
          parts_(model, executor_) {}

    void run() {
        bind_builtins();
        bind_trap();
        bind_files();
        start_ = executor_.initial();
        bind_registers();
        first_cause_ = static_cast<std::uint32_t>(spec_.causes.size());
        for (const auto& cause : mapping_.causes)
            spec_.causes.push_back({cause.name, cause.kind, {}, {}, cause.constructor.where});
        translation();
        instructions();
        illegal();
        causes();
        interrupts();
        if (!orphans_.empty())
            diagnostics_.report(Code::E1006, mapping_.trap.where, fmt::format("{}", fmt::join(orphans_, ", ")));
    }

  private:
    // ---- what happens while the model runs, in order ----
    struct RaisedTrap {
        std::size_t cause = 0;  ///< in mapping_.causes
        Term guard;
        std::vector<Term> arguments;  ///< all parts, those that are always the same included
        unsigned loads_before = 0;
        SourceRange where;
    };
    struct FileWrite {
        std::size_t file = 0;
        Term guard;
        Term index;
        Term value;
    };
    /// What one run of the model left.
    struct Run {
        std::vector<RaisedTrap> traps;
        std::vector<std::pair<Trap, std::size_t>> unmodelled;  ///< and the number of traps before it
        Meaning meaning;                                       ///< without traps
    };

    template <class... Args>
    [[noreturn]] void refuse(Code code, SourceRange where, Args&&... arguments) {
        diagnostics_.report(code, where, std::forward<Args>(arguments)...);
        throw Refused{};
    }
    std::optional<Name> find(std::string_view readable) const { return model_.names.find(encode_name(readable)); }
    Name function(const Mention& mention) {
        const auto name = find(mention.text);
        if (!name || !model_.functions.contains(*name)) refuse(Code::E1002, mention.where, "function", mention.text);
        return *name;
    }

    // ---- functions that the importer itself is ----
    void bind(std::string_view name, Executor::Hook hook) {
        if (const auto number = model_.names.find(name)) executor_.hooks[*number] = std::move(hook);
    }
    void bind_builtins() {
        auto& v = executor_.values;
        bind("zpogo_translating",
             [this](const auto&, PathState&, SourceRange) { return Value::boolean(terms_.boolean(translating_)); });
        bind("zpogo_length", [this](const auto&, PathState&, SourceRange) { return executor_.values.number(length_); });
        bind("zpogo_fence", [this](const auto&, PathState& state, SourceRange) {
            run_.meaning.fences.push_back({executor_.guard(state), {}});
            return Value::unit();
        });
        // The physical address: nothing is known of it but that it lies in its page as the virtual one does.
        bind("zpogo_translate", [this, &v](const auto& arguments, PathState&, SourceRange) {
            const Term address = v.want_bits(arguments.at(0));
            const Number access = v.want_number(arguments.at(1), "the kind of an access");
            const unsigned width = terms_.sort(address).width;
            Term placeholder = terms_.variable(terms_.declare("physical", Sort::bits(width)));
            if (mapping_.page > 0 && mapping_.page < width)
                placeholder = terms_.concat(terms_.extract(placeholder, width - 1, mapping_.page),
                                            terms_.extract(address, mapping_.page - 1, 0));
            translated_[placeholder] = {address, static_cast<unsigned>(access)};
            return Value::bits(placeholder);
        });
        bind("zpogo_virtual", [this, &v](const auto& arguments, PathState&, SourceRange) {
            const auto found = translated_.find(v.want_bits(arguments.at(0)));
            return Value::bits(found == translated_.end() ? arguments[0].term : found->second.first);
        });
        bind("zpogo_load", [this, &v](const auto& arguments, PathState& state, SourceRange where) {
            return load(v.want_bits(arguments.at(0)), v.want_width(arguments.at(1), "a size"), state, where);
        });
        bind("zpogo_store", [this, &v](const auto& arguments, PathState& state, SourceRange where) {
            store(v.want_bits(arguments.at(0)), v.want_width(arguments.at(1), "a size"), arguments.at(2), state, where);
            return Value::unit();
        });
        for (const auto& [name, signature] : model_.signatures) {
            if (!signature.primitive) continue;
            if (*signature.primitive == "platform_read_mem")
                executor_.hooks[name] = [this, &v](const auto& arguments, PathState& state, SourceRange where) {
                    return load(v.want_bits(arguments.at(2)), v.want_width(arguments.at(3), "a size"), state, where);
                };
            if (*signature.primitive == "platform_write_mem")
                executor_.hooks[name] = [this, &v](const auto& arguments, PathState& state, SourceRange where) {
                    store(v.want_bits(arguments.at(2)), v.want_width(arguments.at(3), "a size"), arguments.at(4), state,
                          where);
                    return Value::boolean(terms_.boolean(true));
                };
            // Hints for simulators of weak memory, of no effect here.
            if (*signature.primitive == "platform_write_mem_ea" || *signature.primitive == "platform_barrier" ||
                signature.primitive->ends_with("_announce"))
                executor_.hooks[name] = [](const auto&, PathState&, SourceRange) { return Value::unit(); };
        }
    }

    Term fit(Term term, unsigned width) {
        const unsigned has = terms_.sort(term).width;
        return has >= width ? terms_.extract(term, width - 1, 0) : terms_.zero_extend(term, width);
    }
    [[nodiscard]] unsigned check_size(unsigned units) const {
        if (units == 0 || units * spec_.unit_bits > max_width) throw Stuck{fmt::format("an access of {} units", units)};
        return units;
    }
    Value load(Term address, unsigned units, PathState& state, SourceRange where) {
        Load made;
        made.guard = executor_.guard(state);
        made.units = check_size(units);
        made.where = where;
        made.result = terms_.declare("loaded", Sort::bits(units * spec_.unit_bits));
        aim(made, address, 1);
        run_.meaning.loads.push_back(made);
        return Value::bits(terms_.variable(made.result));
    }
    void store(Term address, unsigned units, const Value& data, PathState& state, SourceRange where) {
        Store made;
        made.guard = executor_.guard(state);
        made.units = check_size(units);
        made.where = where;
        made.data = fit(executor_.values.want_bits(data), units * spec_.unit_bits);
        aim(made, address, 2);
        run_.meaning.stores.push_back(made);
    }
    template <class Access>
    void aim(Access& made, Term address, unsigned otherwise) {
        const auto found = translated_.find(address);
        made.direct = found == translated_.end();
        made.access = made.direct ? otherwise : found->second.second;
        if (made.direct) {
            made.physical = fit(address, spec_.physical_width);
            made.address = fit(address, spec_.address_width);
        } else {
            made.address = fit(found->second.first, spec_.address_width);
            made.translated = terms_.declare("translated", Sort::bits(spec_.physical_width));
            made.physical = terms_.variable(made.translated);
        }
    }

    // ---- traps ----
    void bind_trap() {
        const Name name = function(mapping_.trap);
        const auto constructor = find(mapping_.trap_constructor.text);
        if (!constructor || !model_.constructors.contains(*constructor))
            refuse(Code::E1002, mapping_.trap_constructor.where, "constructor", mapping_.trap_constructor.text);
        const auto [owner, number] = model_.constructors.at(*constructor);
        const Type& payload = model_.unions.at(owner).members[number].type;
        const auto field = find(mapping_.trap_cause.text);
        const auto structure = model_.structures.find(payload.name);
        const auto at = field && structure != model_.structures.end() ? structure->second.find(*field) : std::nullopt;
        if (!at) refuse(Code::E1002, mapping_.trap_cause.where, "field", mapping_.trap_cause.text);
        trap_payload_ = &structure->second;
        trap_cause_ = *at;
        for (const auto& cause : mapping_.causes) {
            const auto found = find(cause.constructor.text);
            if (!found || !model_.constructors.contains(*found))
                refuse(Code::E1002, cause.constructor.where, "constructor", cause.constructor.text);
            cause_names_.push_back(*found);
        }
        used_.resize(mapping_.causes.size());
        executor_.hooks[name] = [this, constructor](const std::vector<Value>& arguments, PathState& state,
                                                    SourceRange where) -> std::optional<Value> {
            if (entering_ || start_.globals.empty()) return std::nullopt;
            for (const Value& argument : arguments)
                if (argument.kind == Value::Kind::union_ && argument.more->names.size() == 1 &&
                    argument.more->names[0] == *constructor) {
                    raise(argument.more->members[0], state, where);
                    return Value{};
                }
            return std::nullopt;
        };
    }

    void raise(const Value& payload, PathState& state, SourceRange where) {
        const auto part = [&](std::size_t i) -> const Value* {
            for (std::size_t k = 0; k < payload.more->names.size(); ++k)
                if (payload.more->names[k] == trap_payload_->members[i].name) return &payload.more->members[k];
            return nullptr;
        };
        if (payload.kind != Value::Kind::structure) throw Stuck{"a trap without a cause"};
        const Value* why = part(trap_cause_);
        if (why == nullptr || why->kind != Value::Kind::union_) throw Stuck{"a trap without a cause"};
        // What a trap undoes it cannot have done: writes before it are lost, so there must be none.
        for (std::size_t i = 0; i < state.globals.size(); ++i)
            if (kept_[i] && state.globals[i].set()) {
                const Term same = executor_.values.equal(state.globals[i], start_.globals[i]);
                if (terms_.is_true(same)) continue;
                PathState changed = state;
                executor_.assume(changed, terms_.not_(same));
                const Term lost = executor_.guard(changed);
                if (terms_.is_false(lost)) continue;
                const std::string name = model_.names.readable(model_.globals[i].name);
                run_.unmodelled.emplace_back(Trap{unmodelled(fmt::format("{} is written before a trap", name)),
                                                  lost,
                                                  {},
                                                  static_cast<unsigned>(run_.meaning.loads.size()),
                                                  where},
                                             run_.traps.size());
            }
        std::vector<Term> arguments;
        for (std::size_t i = 0; i < trap_payload_->members.size(); ++i)
            if (i != trap_cause_) parts_.take(trap_payload_->members[i].type, part(i), arguments);
        const Term guard = executor_.guard(state);
        for (std::size_t i = 0; i < why->more->names.size(); ++i) {
            const Term here = terms_.and_(guard, why->more->guards[i]);
            if (terms_.is_false(here)) continue;
            const auto cause = std::find(cause_names_.begin(), cause_names_.end(), why->more->names[i]);
            if (cause == cause_names_.end()) {
                orphans_.insert(model_.names.readable(why->more->names[i]));
                continue;
            }
            run_.traps.push_back({static_cast<std::size_t>(cause - cause_names_.begin()), here, arguments,
                                  static_cast<unsigned>(run_.meaning.loads.size()), where});
        }
        state.dead = true;
    }

    // ---- register files ----
    void bind_files() {
        for (std::size_t i = 0; i < mapping_.files.size(); ++i) {
            const auto& file = mapping_.files[i];
            const ElementId id = spec_.find_element(file.name);
            if (!id.valid() || !spec_[id].is_file()) refuse(Code::E1003, file.read.where, file.name);
            files_.push_back(id);
            executor_.hooks[function(file.read)] = [this, i](const auto& arguments, PathState&, SourceRange) {
                const Element& element = spec_[files_[i]];
                const Term index = file_index(i, arguments.at(0));
                Term value = terms_.select(terms_.variable(element.variable), index);
                if (const auto zero = mapping_.files[i].zero)
                    value = terms_.ite(terms_.eq(index, terms_.constant(element.index_width, *zero)),
                                       terms_.constant(element.width, 0), value);
                for (const auto& write : file_writes_)
                    if (write.file == i)
                        value = terms_.ite(terms_.and_(write.guard, terms_.eq(write.index, index)), write.value, value);
                return Value::bits(value);
            };
            executor_.hooks[function(file.write)] = [this, i](const auto& arguments, PathState& state, SourceRange) {
                const Element& element = spec_[files_[i]];
                FileWrite write{i, executor_.guard(state), file_index(i, arguments.at(0)),
                                fit(executor_.values.want_bits(arguments.at(1)), element.width)};
                if (const auto zero = mapping_.files[i].zero)
                    write.guard = terms_.and_(
                        write.guard, terms_.not_(terms_.eq(write.index, terms_.constant(element.index_width, *zero))));
                if (!terms_.is_false(write.guard)) file_writes_.push_back(write);
                return Value::unit();
            };
        }
    }
    Term file_index(std::size_t file, const Value& number) {
        const unsigned width = spec_[files_[file]].index_width;
        if (number.kind == Value::Kind::bits) return fit(number.term, width);
        const Term index = executor_.values.want_integer(number);
        return terms_.sort(index).width >= width ? terms_.extract(index, width - 1, 0)
                                                 : terms_.sign_extend(index, width);
    }

    // ---- registers ----
    Term whole(const Register& reg) {
        Term value;
        const auto append = [&](Term part) { value = value.valid() ? terms_.concat(part, value) : part; };
        unsigned at = 0;
        const auto fill = [&](unsigned until) {
            if (until > at) append(terms_.constant(until - at, Word{reg.constant >> at} & ones(until - at)));
            at = until;
        };
        for (const auto& piece : reg.pieces) {  // the lowest first, as elaboration makes them
            fill(piece.low);
            const unsigned width = piece.high - piece.low + 1;
            append(terms_.extract(terms_.variable(spec_[piece.element].variable), piece.from + width - 1, piece.from));
            at = piece.high + 1;
        }
        fill(reg.width);
        return value;
    }

    Value held_value(const Type& type, const std::string& name, std::vector<const Register*>& into) {
        if (type.kind == Type::Kind::structure) {
            Compound made;
            const Composite& structure = model_.structures.at(type.name);
            for (const auto& member : structure.members) {
                made.names.push_back(member.name);
                made.members.push_back(held_value(member.type, part_name(model_, name, structure, member), into));
            }
            return Value::made(Value::Kind::structure, std::move(made));
        }
        std::vector<Leaf> leaf;
        leaves(model_, executor_, type, name, leaf);
        const Register* reg = spec_.find_register(name);
        const bool suits = reg != nullptr && leaf.size() == 1 && reg->width == leaf[0].width;
        if (!suits)
            refuse(Code::E1004, mapping_.spec.where, name, leaf.empty() ? "?" : fmt::format("{}", leaf[0].width));
        into.push_back(reg);
        const Term value = whole(*reg);
        if (type.kind == Type::Kind::boolean) return Value::boolean(terms_.to_bool(value));
        return type.kind == Type::Kind::enumeration ? Value::enumerator(value) : Value::bits(value);
    }

    Value constant(const Type& type, const Toml& value) {
        if (type.kind == Type::Kind::boolean && value.kind == Toml::Kind::boolean)
            return Value::boolean(terms_.boolean(value.boolean));
        if (type.kind == Type::Kind::integer && value.kind == Toml::Kind::integer)
            return executor_.values.number(value.integer);
        const bool bits = type.kind == Type::Kind::bits && type.width && *type.width > 0 && *type.width <= max_width;
        const auto fits_in = [&](Number number) {
            return number >> *type.width == 0 || number >> (*type.width - 1) == -1;
        };
        if (bits && value.kind == Toml::Kind::integer && (*type.width >= 64 || fits_in(value.integer)))
            return Value::bits(terms_.constant(
                *type.width, static_cast<Word>(static_cast<Number>(value.integer)) & ones(*type.width)));
        if (type.kind == Type::Kind::structure) {
            const auto found = model_.structures.find(type.name);
            if (found != model_.structures.end() && found->second.members.size() == 1) {
                Compound made;
                made.names = {found->second.members[0].name};
                made.members = {constant(found->second.members[0].type, value)};
                return Value::made(Value::Kind::structure, std::move(made));
            }
        }
        if (bits && value.kind == Toml::Kind::string && value.text.size() > 2 && value.text.size() <= 18 &&
            value.text.starts_with("0x") &&
            value.text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos &&  // beyond TOML's integers
            (*type.width >= 64 || std::stoull(value.text, nullptr, 16) >> *type.width == 0))
            return Value::bits(terms_.constant(*type.width, std::stoull(value.text, nullptr, 16)));
        if (value.kind == Toml::Kind::string) {
            const auto name = find(value.text);
            if (type.kind == Type::Kind::enumeration && name)
                if (const auto found = model_.enumerators.find(*name);
                    found != model_.enumerators.end() && found->second.first == type.name)
                    return Value::enumerator(terms_.constant(executor_.width_of(type.name), found->second.second));
            if (type.kind == Type::Kind::union_ && name)
                if (const auto found = model_.constructors.find(*name);
                    found != model_.constructors.end() && found->second.first == type.name) {
                    Compound made;
                    made.names = {*name};
                    made.guards = {terms_.boolean(true)};
                    made.members = {Value::unit()};
                    return Value::made(Value::Kind::union_, std::move(made));
                }
        }
        refuse(Code::E1005, value.where, value.kind == Toml::Kind::string ? value.text : std::string(name(value.kind)));
    }

    void bind_registers() {
        kept_.resize(model_.globals.size());
        registers_.resize(model_.globals.size());
        for (std::size_t i = 0; i < model_.globals.size(); ++i) {
            const Global& global = model_.globals[i];
            if (!global.is_register) continue;
            const std::string name = model_.names.readable(global.name);
            const Holder by = holder(mapping_, name);
            if (by.held == Held::scratch) continue;
            if (by.held == Held::constant) {
                for (const auto& [key, value] : mapping_.constants)
                    if (key == name) start_.globals[i] = constant(global.type, *value);
                kept_[i] = true;
                continue;
            }
            if (in_file(name)) {
                start_.globals[i] = Value::torn();
                continue;
            }
            start_.globals[i] = held_value(global.type, name, registers_[i]);
            kept_[i] = true;
        }
        const auto exception = model_.names.find("have_exception");
        POGO_REQUIRE(exception.has_value());
        exception_ = model_.global_numbers.at(*exception);
        start_.globals[exception_] = Value::boolean(terms_.boolean(false));
    }
    [[nodiscard]] bool in_file(const std::string& name) const {
        for (std::size_t i = 0; i < files_.size(); ++i)
            if (const auto entry = entry_number(mapping_.files[i].name, name))
                if (*entry < spec_[files_[i]].entries) return true;
        return false;
    }

    // ---- runs ----
    /// Runs `steps` from the start and gathers what they did.
    template <class F>
    Run follow(F&& steps) {
        run_ = {};
        file_writes_.clear();
        translated_.clear();
        executor_.stops.clear();
        executor_.choices.clear();
        PathState state = start_;
        try {
            steps(state);
        } catch (const Stuck& stuck) {
            executor_.stop(state, stuck.why, {});
        }
        if (!state.dead) finish(state);
        for (const auto& stop : executor_.stops)
            run_.unmodelled.emplace_back(
                Trap{
                    unmodelled(stop.why), stop.guard, {}, static_cast<unsigned>(run_.meaning.loads.size()), stop.where},
                run_.traps.size());
        run_.meaning.choices = executor_.choices;
        return std::move(run_);
    }

    void finish(PathState& state) {
        // An exception of Sail's is no behavior of the machine.
        const Value& thrown = state.globals[exception_];
        if (thrown.kind == Value::Kind::boolean && !terms_.is_false(thrown.term)) {
            PathState throws = state;
            executor_.assume(throws, thrown.term);
            executor_.stop(throws, "an exception of Sail's", {});
        }
        for (std::size_t i = 0; i < state.globals.size(); ++i) {
            if (!kept_[i]) continue;
            if (registers_[i].empty()) {  // a constant
                stop_unless(state, state.globals[i], start_.globals[i], i);
                continue;
            }
            std::size_t at = 0;
            write_back(state, state.globals[i], i, at);
        }
        for (const auto& write : file_writes_)
            run_.meaning.writes.push_back({files_[write.file], write.index, write.value, write.guard, {}});
        const bool moves = std::any_of(run_.meaning.writes.begin(), run_.meaning.writes.end(),
                                       [&](const Write& write) { return write.element == spec_.pc; });
        if (!moves)
            run_.meaning.writes.push_back(
                {spec_.pc, {}, terms_.variable(spec_[spec_.pc].variable), terms_.boolean(true), {}});
    }
    void stop_unless(const PathState& state, const Value& is, const Value& should, std::size_t global) {
        if (is.kind == Value::Kind::torn || !is.set()) return;
        const Term same = executor_.values.equal(is, should);
        if (terms_.is_true(same)) return;
        PathState changed = state;
        executor_.assume(changed, terms_.not_(same));
        executor_.stop(changed, fmt::format("{} changes", model_.names.readable(model_.globals[global].name)), {});
    }
    void write_back(const PathState& state, const Value& value, std::size_t global, std::size_t& at) {
        if (value.kind == Value::Kind::structure) {
            for (const auto& member : value.more->members) write_back(state, member, global, at);
            return;
        }
        const Register& reg = *registers_[global][at++];
        if (!value.term.valid()) {
            PathState lost = state;
            executor_.stop(lost, fmt::format("{} has no value", reg.name), {});
            return;
        }
        const Term term = value.kind == Value::Kind::boolean ? terms_.to_bits(value.term) : value.term;
        std::vector<Term> kept;  // bits that are constant stay so
        unsigned next = 0;
        const auto constant_bits = [&](unsigned until) {
            if (until > next)
                kept.push_back(
                    terms_.eq(terms_.extract(term, until - 1, next),
                              terms_.constant(until - next, Word{reg.constant >> next} & ones(until - next))));
        };
        for (const auto& piece : reg.pieces) {  // the lowest first, as elaboration makes them
            constant_bits(piece.low);
            next = piece.high + 1;
            const Term part = terms_.extract(term, piece.high, piece.low);
            const Term before = terms_.variable(spec_[piece.element].variable);
            if (part != before) run_.meaning.writes.push_back({piece.element, {}, part, terms_.boolean(true), {}});
        }
        constant_bits(reg.width);
        const Term same = terms_.all(kept);
        if (terms_.is_true(same)) return;
        PathState changed = state;
        executor_.assume(changed, terms_.not_(same));
        executor_.stop(changed, fmt::format("constant bits of {} change", reg.name), {});
    }

    /// A run's meaning, its traps kept aside until it is known which parts of them differ.
    Meaning keep(Run&& run) {
        Meaning meaning = std::move(run.meaning);
        auto stop = run.unmodelled.begin();
        const auto stops_until = [&](std::size_t number) {
            for (; stop != run.unmodelled.end() && stop->second <= number; ++stop) meaning.traps.push_back(stop->first);
        };
        for (std::size_t i = 0; i < run.traps.size(); ++i) {
            stops_until(i);
            auto& raised = run.traps[i];
            auto& used = used_[raised.cause];
            if (used.empty()) {
                for (const Term argument : raised.arguments) used.push_back({argument, false});
            } else {
                for (std::size_t k = 0; k < used.size(); ++k)
                    used[k].second = used[k].second || used[k].first != raised.arguments[k];
            }
            // All arguments for now: `causes` drops those that are always one constant.
            meaning.traps.push_back({{first_cause_ + static_cast<std::uint32_t>(raised.cause)},
                                     raised.guard,
                                     raised.arguments,
                                     raised.loads_before,
                                     raised.where});
        }
        stops_until(~std::size_t{0});
        return meaning;
    }
    /// A cause for every reason.
    CauseId unmodelled(const std::string& why) {
        const auto [there, fresh] =
            unmodelled_.try_emplace(why, CauseId{static_cast<std::uint32_t>(spec_.causes.size())});
        if (fresh) {
            Meaning stay;
            stay.writes.push_back({spec_.pc, {}, terms_.variable(spec_[spec_.pc].variable), terms_.boolean(true), {}});
            spec_.causes.push_back({"not modelled: " + why, TrapKind::unmodelled, {}, std::move(stay), {}});
        }
        return there->second;
    }

    void know(Term condition) {
        const Node node = terms_.node(condition);
        if (node.op == Op::and_) {
            know({node.a});
            know({node.b});
        } else {
            executor_.facts.insert(condition);
        }
    }
    /// A meaning speaks of the state, of what it loads and of fields. Of others nothing is known: a physical address
    /// that was computed with, say. Then nothing is said of it all.
    void close(Meaning& meaning, const std::vector<Variable>& fields) {
        std::set<Variable> known(fields.begin(), fields.end());
        for (const auto& element : spec_.elements) known.insert(element.variable);
        known.insert(meaning.choices.begin(), meaning.choices.end());
        std::vector<Term> roots;
        for (const auto& load : meaning.loads) {
            known.insert(load.result);
            if (load.translated.valid()) known.insert(load.translated);
            roots.insert(roots.end(), {load.guard, load.address});
        }
        for (const auto& store : meaning.stores) {
            if (store.translated.valid()) known.insert(store.translated);
            roots.insert(roots.end(), {store.guard, store.address, store.data});
        }
        for (const auto& write : meaning.writes) {
            roots.insert(roots.end(), {write.guard, write.value});
            if (write.index.valid()) roots.push_back(write.index);
        }
        for (const auto& trap : meaning.traps) {
            roots.push_back(trap.guard);
            roots.insert(roots.end(), trap.arguments.begin(), trap.arguments.end());
        }
        for (const Variable variable : terms_.support(roots)) {
            if (known.contains(variable)) continue;
            Meaning nothing;
            nothing.writes.push_back(
                {spec_.pc, {}, terms_.variable(spec_[spec_.pc].variable), terms_.boolean(true), {}});
            nothing.traps.push_back({unmodelled(fmt::format("a result depends on `{}`", terms_.name(variable))),
                                     terms_.boolean(true),
                                     {},
                                     0,
                                     {}});
            meaning = std::move(nothing);
            return;
        }
    }

    // ---- the parts of the Spec ----
    void translation() {
        Translation& t = spec_.translation;
        t.address = terms_.declare("translate.va", Sort::bits(spec_.address_width));
        t.access = terms_.declare("translate.access", Sort::bits(2));
        t.units = terms_.declare("translate.units", Sort::bits(8));
        t.page = mapping_.page;
        translating_ = true;
        Value physical;
        const Name name = function(mapping_.translation);
        Run run = follow([&](PathState& state) {
            physical = executor_.call(name,
                                      {Value::bits(terms_.variable(t.address)), Value::bits(terms_.variable(t.access)),
                                       Value::integer(terms_.zero_extend(terms_.variable(t.units), 9))},
                                      state);
        });
        translating_ = false;
        t.physical = physical.kind == Value::Kind::bits
                         ? fit(executor_.values.want_bits(physical), spec_.physical_width)
                         : terms_.constant(spec_.physical_width, 0);
        for (const auto& write : run.meaning.writes)
            if (write.element != spec_.pc) refuse(Code::E1007, mapping_.translation.where, spec_[write.element].name);
        Meaning meaning = keep(std::move(run));
        if (!meaning.stores.empty()) refuse(Code::E1007, mapping_.translation.where, "memory");
        t.loads = std::move(meaning.loads);
        t.faults = std::move(meaning.traps);
        std::vector<Term> roots{t.physical};
        for (const auto& load : t.loads) roots.insert(roots.end(), {load.guard, load.physical});
        for (const auto& fault : t.faults) roots.push_back(fault.guard);
        std::set<Variable> used;
        for (const Variable variable : terms_.support(roots)) used.insert(variable);
        for (std::uint32_t i = 0; i < spec_.elements.size(); ++i)
            if (used.contains(spec_.elements[i].variable)) t.reads.push_back({i});
    }

    void instructions() {
        for (auto& row : find_rows(model_, mapping_, executor_, spec_, start_, diagnostics_)) {
            isa::Instruction instruction;
            instruction.name = row.name;
            instruction.identifier = row.identifier;
            instruction.assembly = row.assembly;
            instruction.encoding = row.encoding;
            instruction.first_form = static_cast<std::uint32_t>(spec_.forms.size());
            instruction.form_count = static_cast<unsigned>(row.forms.size());
            const InstructionId id{static_cast<std::uint32_t>(spec_.instructions.size())};
            for (auto& found : row.forms) {
                length_ = Number{found.form.encoding.parcels.size()} * spec_.parcel_units;
                found.form.instruction = id;
                executor_.facts.clear();
                know(found.form.encoding.where);
                found.form.meaning = keep(follow([&](PathState& state) {
                    const Value decoded = executor_.call(found.decode, {Value::bits(found.bits)}, state);
                    if (!state.dead) executor_.call(function(mapping_.run), {decoded}, state);
                }));
                std::vector<Variable> fields;
                for (const auto& field : found.form.fields) fields.push_back(field.variable);
                close(found.form.meaning, fields);
                spec_.forms.push_back(std::move(found.form));
            }
            spec_.instructions.push_back(std::move(instruction));
        }
    }

    void illegal() {
        executor_.facts.clear();
        if (mapping_.illegal.empty()) refuse(Code::E0812, mapping_.instructions.where, "illegal");
        const Mention& mention = mapping_.illegal[0];
        const auto constructor = find(mention.text);
        if (!constructor || !model_.constructors.contains(*constructor))
            refuse(Code::E1002, mention.where, "constructor", mention.text);
        length_ = spec_.parcel_units;
        Run run = follow([&](PathState& state) {
            const auto [owner, number] = model_.constructors.at(*constructor);
            std::vector<Leaf> parts;
            leaves(model_, executor_, model_.unions.at(owner).members[number].type, "", parts);
            std::vector<Value> payload;
            if (parts.size() == 1) payload.push_back(Value::bits(fit(terms_.variable(spec_.opcode), parts[0].width)));
            const Value value = executor_.call(*constructor, payload, state);
            executor_.call(function(mapping_.run), {value}, state);
        });
        Meaning meaning = keep(std::move(run));
        if (meaning.traps.size() != 1 || !terms_.is_true(meaning.traps[0].guard) ||
            spec_[meaning.traps[0].cause].kind == TrapKind::unmodelled) {
            auto& diagnostic = diagnostics_.report(Code::E1008, mention.where, mention.text);
            for (const auto& trap : meaning.traps)
                diagnostic.notes.push_back(
                    {trap.where, fmt::format("{} when {}", spec_[trap.cause].name, terms_.print(trap.guard))});
            throw Refused{};
        }
        spec_.illegal = meaning.traps[0];
    }

    void causes() {
        entering_ = true;
        const Name entry = function(mapping_.trap_entry);
        for (std::size_t i = 0; i < mapping_.causes.size(); ++i) {
            const auto& from = mapping_.causes[i];
            const CauseId id{first_cause_ + static_cast<std::uint32_t>(i)};
            std::vector<Variable> parameters;
            std::vector<Term> parts;
            for (auto& [term, differs] : used_[i]) {
                differs = differs || !terms_.is_constant(term);
                if (!differs) {
                    parts.push_back(term);
                    continue;
                }
                parameters.push_back(
                    terms_.declare(fmt::format("{}.{}", from.name, parameters.size()), terms_.sort(term)));
                parts.push_back(terms_.variable(parameters.back()));
            }
            if (used_[i].empty())  // what nothing raises
                for (const auto& member : trap_payload_->members)
                    if (&member != &trap_payload_->members[trap_cause_]) parts_.take(member.type, nullptr, parts);
            std::size_t at = 0;
            std::vector<Value> arguments;
            Compound why;
            why.names = {cause_names_[i]};
            why.guards = {terms_.boolean(true)};
            why.members = {Value::unit()};
            arguments.push_back(Value::made(Value::Kind::union_, std::move(why)));
            for (std::size_t k = 0; k < trap_payload_->members.size(); ++k)
                if (k != trap_cause_) arguments.push_back(parts_.put(trap_payload_->members[k].type, parts, at));
            Meaning meaning = keep(follow([&](PathState& state) { executor_.call(entry, arguments, state); }));
            close(meaning, parameters);
            spec_.causes[id.index].parameters = std::move(parameters);
            spec_.causes[id.index].entry = std::move(meaning);
        }
        entering_ = false;
        for (auto& form : spec_.forms)
            for (auto& trap : form.meaning.traps) drop_constants(trap);
        for (auto& trap : spec_.translation.faults) drop_constants(trap);
        drop_constants(spec_.illegal);
    }
    void interrupts() {
        if (!mapping_.due || !mapping_.enter) return;
        const Name due = function(*mapping_.due);
        const Name enter = function(*mapping_.enter);
        entering_ = true;
        for (const auto& [mention, name] : mapping_.interrupts) {
            const auto enumerator = find(mention.text);
            const auto found = enumerator ? model_.enumerators.find(*enumerator) : model_.enumerators.end();
            if (found == model_.enumerators.end()) refuse(Code::E1002, mention.where, "enumerator", mention.text);
            const Value which =
                Value::enumerator(terms_.constant(executor_.width_of(found->second.first), found->second.second));
            Term taken = terms_.boolean(false);
            Meaning asked = keep(follow([&](PathState& state) {
                const Value answer = executor_.call(due, {which}, state);
                if (!state.dead) taken = executor_.values.want_boolean(answer);
            }));
            Meaning entry = keep(follow([&](PathState& state) { executor_.call(enter, {which}, state); }));
            // Where it cannot be told whether it is taken, nothing is said of what happens if it is.
            entry.traps.insert(entry.traps.end(), asked.traps.begin(), asked.traps.end());
            close(entry, {});
            spec_.interrupts.push_back({name, taken, std::move(entry), mention.where});
        }
        entering_ = false;
    }
    void drop_constants(Trap& trap) {
        if (spec_[trap.cause].kind == TrapKind::unmodelled) return;
        const auto& used = used_[trap.cause.index - first_cause_];
        std::vector<Term> left;
        for (std::size_t i = 0; i < trap.arguments.size(); ++i)
            if (used[i].second) left.push_back(trap.arguments[i]);
        trap.arguments = std::move(left);
    }

    const Model& model_;
    const Mapping& mapping_;
    Spec& spec_;
    Terms& terms_;
    Diagnostics& diagnostics_;
    Executor executor_;
    Parts parts_;
    PathState start_;
    std::vector<bool> kept_;                               ///< globals that are state or constants
    std::vector<std::vector<const Register*>> registers_;  ///< that hold a global, leaf by leaf
    std::size_t exception_ = 0;
    std::vector<ElementId> files_;
    std::vector<FileWrite> file_writes_;
    std::unordered_map<Term, std::pair<Term, unsigned>> translated_;  ///< physical → virtual address, kind of access
    Run run_;
    bool translating_ = false;
    bool entering_ = false;
    Number length_ = 0;  ///< of the instruction that runs, in units
    std::uint32_t first_cause_ = 0;
    std::map<std::string, CauseId> unmodelled_;
    const Composite* trap_payload_ = nullptr;
    std::size_t trap_cause_ = 0;
    std::vector<Name> cause_names_;
    std::vector<std::vector<std::pair<Term, bool>>> used_;  ///< of every cause: arguments, and whether they differ
    std::set<std::string> orphans_;
};

}  // namespace

void import(const Model& model, const Mapping& mapping, Spec& spec, Diagnostics& diagnostics) {
    try {
        Importer(model, mapping, spec, diagnostics).run();
    } catch (const Refused&) {
    } catch (const Stuck& stuck) {
        diagnostics.report(Code::E1010, mapping.text.where, stuck.why);
    }
}

}  // namespace pogo::isa::jib
