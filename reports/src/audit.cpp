// Random states against classes.
// SPDX-License-Identifier: Apache-2.0
#include "audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "format.hpp"
#include "isa/assembly.hpp"

namespace pogo::report {

using check::Verdict;
using isa::Role;
using isa::State;

namespace {

/// FNV-1a: the same on every platform, unlike std::hash.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hash;
}

/// Finaliser of SplitMix64.
std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t bits() { return engine_(); }
    /// Below a bound; the bias does not matter here.
    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
    /// Numbers of which zeros, small ones and those at the ends are frequent.
    std::uint64_t value(unsigned width) {
        const auto mask = static_cast<std::uint64_t>(isa::ones(width));
        switch (below(8)) {
            case 0:
                return 0;
            case 1:
                return below(256) & mask;
            case 2:
                return (below(64) * 4) & mask;
            case 3:
                return mask - (below(16) & mask);
            case 4:
                return (std::uint64_t{1} << below(64)) & mask;
            default:
                return bits() & mask;
        }
    }

  private:
    std::mt19937_64 engine_;
};

/// Contents of memory by address: a function, so that nothing need be stored.
struct Contents {
    std::uint64_t key = 0;
    std::uint64_t mask = 0;
    [[nodiscard]] std::uint64_t at(std::uint64_t address) const {
        const std::uint64_t word = mix(key ^ mix(address / 8 + 1));  // a word of eight units is of one kind
        const std::uint64_t unit = mix(key + address);
        if (word % 4 == 0) return 0;
        if (word % 4 == 1) return address % 4 == 3 || mask > 0xff ? unit % 64 & mask : 0;
        return unit & mask;
    }
};

/// What the model did from one state.
struct Result {
    bool completes = false;
    bool decoded = false;
    std::optional<isa::CauseId> cause;
    State before;
    State after;
    Footprint footprint;
    std::map<std::uint64_t, std::uint64_t> view;    ///< units stored, as the program sees their addresses
    std::map<std::uint64_t, std::uint64_t> direct;  ///< units stored by physical address
};

/// The audit of one row.
class RowAudit {
  public:
    RowAudit(const isa::Spec& spec, const isa::Context& context, model::Simulator& simulator,
             const ConfirmOptions& options, const std::vector<Column>& columns, Probe& probe, const State& reset,
             const check::Row& row)
        : spec_(spec),
          context_(context),
          simulator_(simulator),
          columns_(columns),
          assumptions_(options.assumptions),
          probe_(probe),
          reset_(reset),
          row_(row),
          random_(mix(options.seed ^ hash_of(spec[row.instruction].identifier))) {
        audit_.wanted = std::max(options.states_per_instruction, spec[row.instruction].form_count);
    }

    Audit run() {
        plan();
        const unsigned tries = audit_.wanted * 16;
        for (unsigned i = 0; i < tries && audit_.states < audit_.wanted && audit_.contradictions.size() < 4; ++i)
            sample();
        simulator_.clear_memory();
        return std::move(audit_);
    }

  private:
    void plan() {
        const auto depends = [&](const Column& column) {
            return std::any_of(row_.depends_on.begin(), row_.depends_on.end(),
                               [&](const auto& d) { return d.subject.name == column.subject.name; });
        };
        for (const Column& column : columns_) {
            if (column.kind == check::Kind::mode)
                mode_ = &column;
            else if (!depends(column))
                variations_.push_back({&column});
        }
        shows_mode_ = mode_ != nullptr && depends(*mode_);
        std::vector<const Column*> strict;
        std::vector<const Column*> extended;
        for (const Column& column : columns_) {
            if (column.kind == check::Kind::mode || column.kind == check::Kind::time) continue;
            extended.push_back(&column);
            if (column.strict()) strict.push_back(&column);
        }
        if (row_.behavior.strict == Verdict::no && strict.size() > 1) variations_.push_back(strict);
        if (row_.behavior.extended == Verdict::no && extended.size() > 1) variations_.push_back(extended);
    }

    void set_mode(State& state, const isa::Mode& mode, bool all) {
        for (const auto& part : mode.cube)
            if (all || role_in(spec_, context_, part.element) == Role::mode)
                state.set(spec_[part.element], static_cast<std::uint64_t>(part.value));
    }

    /// One of those that say in which mode the state is.
    [[nodiscard]] bool of_modes(isa::ElementId element) const {
        const auto in = [&](isa::ModeId mode) {
            return std::any_of(spec_[mode].cube.begin(), spec_[mode].cube.end(),
                               [&](const auto& part) { return part.element == element; });
        };
        return in(context_.supervisor) || in(context_.user);
    }

    void assume(State& state) {
        for (const auto& [element, value, bits] : assumptions_) {
            const std::uint64_t old = state.get(spec_[element]);
            const auto meant = static_cast<std::uint64_t>(bits & isa::ones(spec_[element].width));
            state.set(spec_[element], (old & ~meant) | (static_cast<std::uint64_t>(value) & meant));
        }
    }

    /// Gives what is spoken of by conditions that do not hold other values, at random, as long as no more are broken.
    void settle(State& state) {
        auto broken = probe_.broken(state);
        for (unsigned tries = 0; tries < 64 && !broken.empty(); ++tries) {
            const auto& [elements, constants] = probe_.subject(broken[random_.below(broken.size())]);
            if (elements.empty()) return;
            const isa::ElementId element = elements[random_.below(elements.size())];
            const isa::Element& changed = spec_[element];
            if (of_modes(element)) continue;
            std::uint64_t value = random_.value(changed.width);
            if (const std::uint64_t given = random_.below(elements.size() + constants.size() + 1);
                given < elements.size())
                value = state.get(spec_[elements[given]]);
            else if (given - elements.size() < constants.size())
                value = constants[given - elements.size()];
            State next = state;
            next.set(changed, value & static_cast<std::uint64_t>(isa::ones(changed.width)));
            auto still = probe_.broken(next);
            if (still.size() > broken.size()) continue;
            state = std::move(next);
            broken = std::move(still);
        }
    }

    /// A supervisor state; sometimes close to that at reset, or to zeros.
    State random_state() {
        State state = random_.below(2) == 0 ? reset_ : State(spec_);
        const std::uint64_t keep = random_.below(3);  // of four
        for (const isa::Element& element : spec_.elements) {
            for (unsigned entry = 0; entry < element.entries; ++entry)
                if (element.is_file() || random_.below(4) >= keep)
                    state.set(element, random_.value(element.width), entry);
        }
        if (random_.below(8) != 0) {
            const std::uint64_t pc = state.get(spec_[spec_.pc]);
            state.set(spec_[spec_.pc], pc - pc % spec_.parcel_units);
        }
        // Of a guest's element about which the modes disagree neither counts.
        const State free = state;
        set_mode(state, spec_[context_.supervisor], true);
        for (const auto& part : spec_[context_.supervisor].cube)
            for (const auto& other : spec_[context_.user].cube)
                if (other.element == part.element && other.value != part.value &&
                    role_in(spec_, context_, part.element) != Role::mode)
                    state.set(spec_[part.element], free.get(spec_[part.element]));
        settle(state);
        assume(state);
        return state;
    }

    /// The state in user mode.
    State in_user_mode(const State& first) {
        State second = first;
        set_mode(second, spec_[context_.user], false);
        return with_banks(first, std::move(second), {});
    }

    /// `second` differs from `first` in its mode and in the columns; it is made to agree on the active members of
    /// banks, except where a member differs on purpose.
    State with_banks(const State& first, State second, const std::vector<const Column*>& columns) {
        const State swapped = probe_.swap_banks(first, first, second);
        for (const auto& bank : spec_.banks)
            for (const auto& member : bank.members) {
                const bool on_purpose = std::any_of(columns.begin(), columns.end(), [&](const Column* column) {
                    return std::find(column->elements.begin(), column->elements.end(), member.element) !=
                           column->elements.end();
                });
                if (!on_purpose) second.set(spec_[member.element], swapped.get(spec_[member.element]));
            }
        return second;
    }

    std::optional<Instance> random_instance() {
        const isa::Instruction& instruction = spec_[row_.instruction];
        Instance instance;
        instance.form = {instruction.first_form + next_form_++ % instruction.form_count};
        const isa::Form& form = spec_[instance.form];
        for (const auto& field : form.fields)
            instance.fields.push_back(random_.bits() & static_cast<std::uint64_t>(isa::ones(field.width)));
        if (!isa::permits(spec_, form, instance.fields)) return std::nullopt;
        for (const auto choice : form.meaning.choices)
            instance.choices.push_back(random_.value(std::min(64U, unsigned{spec_.terms.sort(choice).width})));
        instance.units = isa::units_of(spec_, isa::encode(form, instance.fields));
        return instance;
    }

    /// Nothing where the state is impossible or the instruction cannot be fetched.
    std::optional<Result> step(const State& state, const Instance& instance, const SharedMemory& memory) {
        if (!probe_.broken(state).empty()) return std::nullopt;
        auto footprint = probe_.footprint(state, instance, memory);
        if (!footprint) return std::nullopt;
        for (const auto& [address, value] : footprint->memory)
            if (!simulator_.poke(address, value)) return std::nullopt;
        simulator_.set_state(state);
        model::StepOptions options;
        options.take_traps = false;
        options.choices = instance.choices;
        simulator_.step(options, outcome_);

        Result result;
        result.before = state;
        result.footprint = std::move(*footprint);
        result.decoded = outcome_.form == instance.form;
        result.completes = outcome_.kind == model::StepOutcome::Kind::completed;
        if (outcome_.kind == model::StepOutcome::Kind::trapped && !outcome_.traps.empty())
            result.cause = outcome_.traps.front().cause;
        if (result.completes) {
            result.after = simulator_.state();
            for (const auto& change : outcome_.memory) {
                const auto target = result.footprint.stores.find(change.address);
                if (target == result.footprint.stores.end())
                    contradiction(fmt::format("the model stores at {}, which the meaning does not",
                                              hex(change.address, spec_.physical_width)),
                                  instance, {&result});
                else
                    (target->second.direct ? result.direct : result.view)[target->second.address] = change.value;
            }
        }
        for (const auto& [address, value] : result.footprint.memory) simulator_.poke(address, 0);
        if (!result.decoded || (!result.completes && !result.cause))
            contradiction("the model does not execute the instruction", instance, {&result});
        return result;
    }

    /// Tables by which as many of the two states as can soon be found come to the instruction.
    void lead_to(const State& first, const State& second, std::size_t units, Contents& physical) {
        if (spec_.translation.loads.empty()) return;
        int most = 0;
        for (unsigned tries = 0; tries < 32 && most < 2; ++tries) {
            const Contents tables{random_.bits(), physical.mask};
            const auto read = [&](std::uint64_t address) { return tables.at(address); };
            const auto comes = [&](const State& state) { return probe_.fetched(state, units, read).has_value(); };
            const int come = int{comes(first)} + int{comes(second)};
            if (come <= most) continue;
            most = come;
            physical = tables;
        }
    }

    void sample() {
        const auto instance = random_instance();
        if (!instance) return;
        const State first = random_state();
        const State second = in_user_mode(first);
        const auto unit_mask = static_cast<std::uint64_t>(isa::ones(spec_.unit_bits));
        const Contents view{random_.bits(), unit_mask};
        Contents physical{random_.bits(), unit_mask};
        lead_to(first, second, instance->units.size(), physical);
        const std::uint64_t pc = probe_.address_at(first, 0);
        const auto address_mask = static_cast<std::uint64_t>(isa::ones(spec_.address_width));
        const SharedMemory memory{[&](std::uint64_t address) {
                                      const std::uint64_t offset = (address - pc) & address_mask;
                                      return offset < instance->units.size() ? instance->units[offset]
                                                                             : view.at(address);
                                  },
                                  [&](std::uint64_t address) { return physical.at(address); }};

        const auto s = step(first, *instance, memory);
        if (!s) return;
        ++audit_.states;
        audit_.completes_supervisor += s->completes;
        one_state(*s, *instance, true);
        const auto u = step(second, *instance, memory);
        if (u) {
            ++audit_.pairs;
            audit_.completes_user += u->completes;
            one_state(*u, *instance, false);
            privileged(*s, *u, *instance);
            if (mode_ != nullptr && !shows_mode_ && s->completes && u->completes)
                agree(*s, *u, {mode_}, memory, *instance, "not mode-sensitive");
        }
        for (const bool user : {false, true}) {
            if (variations_.empty() || (user && !u)) continue;
            const auto& columns = variations_[next_variation_++ % variations_.size()];
            vary(user ? *u : *s, columns, memory, *instance);
        }
        if (row_.behavior.extended == Verdict::no && !variations_.empty()) across(*s, memory, *instance);
    }

    /// Another value for the columns.
    State varied(const State& first, State second, const std::vector<const Column*>& columns) {
        for (const Column* column : columns)
            for (const auto e : column->elements)
                for (unsigned entry = 0; entry < spec_[e].entries && column->kind != check::Kind::mode; ++entry)
                    second.set(spec_[e], random_.value(spec_[e].width), entry);
        assume(second);
        return with_banks(first, std::move(second), columns);
    }

    /// Physical memory with other contents in the columns' regions.
    SharedMemory other_regions(const SharedMemory& memory, const std::vector<const Column*>& columns,
                               const Contents& other) {
        return {memory.view, [&memory, columns, other, this](std::uint64_t address) {
                    return inside(columns, address) ? other.at(address) : memory.direct(address);
                }};
    }

    [[nodiscard]] bool inside(const std::vector<const Column*>& columns, std::uint64_t address) const {
        return std::any_of(columns.begin(), columns.end(), [&](const Column* column) {
            if (!column->region) return false;
            const isa::Region& region = spec_.regions[*column->region];
            return region.first <= address && address <= region.last;
        });
    }

    void vary(const Result& first, const std::vector<const Column*>& columns, const SharedMemory& memory,
              const Instance& instance) {
        const State second = varied(first.before, first.before, columns);
        const Contents other{random_.bits(), static_cast<std::uint64_t>(isa::ones(spec_.unit_bits))};
        const auto two = step(second, instance, other_regions(memory, columns, other));
        if (!two) return;
        ++audit_.pairs;
        if (!first.completes || !two->completes) return;
        std::string name;
        for (const Column* column : columns) name += (name.empty() ? "" : "+") + column->subject.name;
        agree(first, *two, columns, memory, instance, "does not depend on " + name);
    }

    /// Mode and everything else at once.
    void across(const Result& first, const SharedMemory& memory, const Instance& instance) {
        std::vector<const Column*> columns = variations_.back();
        State user = first.before;
        set_mode(user, spec_[context_.user], false);
        if (mode_ != nullptr) columns.push_back(mode_);
        const State second = varied(first.before, user, columns);
        const Contents other{random_.bits(), static_cast<std::uint64_t>(isa::ones(spec_.unit_bits))};
        const auto two = step(second, instance, other_regions(memory, columns, other));
        if (!two) return;
        ++audit_.pairs;
        if (first.completes && two->completes) agree(first, *two, columns, memory, instance, "not behavior-sensitive");
    }

    void one_state(const Result& result, const Instance& instance, bool supervisor) {
        const Verdict may = supervisor ? row_.completes_supervisor : row_.completes_user;
        if (!result.completes) return;
        if (may == Verdict::no)
            contradiction(fmt::format("completes in no {} state", supervisor ? "supervisor" : "user"), instance,
                          {&result});
        for (const Column& column : columns_) {
            if (column.kind == check::Kind::time) continue;
            const auto written = std::find_if(row_.writes.begin(), row_.writes.end(),
                                              [&](const auto& w) { return w.subject.name == column.subject.name; });
            if (written != row_.writes.end() && (supervisor ? written->supervisor : written->user) != Verdict::no)
                continue;
            bool changed = false;
            for (const auto e : column.elements)
                for (unsigned i = 0; i < spec_[e].slots(); ++i)
                    changed = changed || result.before.get(spec_[e], i) != result.after.get(spec_[e], i);
            for (const auto& [address, value] : result.direct)
                changed = changed || (inside({&column}, address) && result.footprint.memory.at(address) != value);
            if (changed) contradiction("does not write " + column.subject.name, instance, {&result});
        }
    }

    void privileged(const Result& s, const Result& u, const Instance& instance) {
        const bool memory = s.cause && spec_[*s.cause].kind == isa::TrapKind::memory;
        if (row_.always == Verdict::yes && u.completes && !memory) contradiction("privileged", instance, {&s, &u});
        if (row_.privileged == check::Privileged::never && s.completes && u.cause &&
            spec_[*u.cause].kind != isa::TrapKind::memory)
            contradiction("never privileged", instance, {&s, &u});
    }

    /// Two completing runs have the same results outside the columns.
    void agree(const Result& one, const Result& two, const std::vector<const Column*>& except,
               const SharedMemory& memory, const Instance& instance, const std::string& proved) {
        const State seen = probe_.swap_banks(two.after, one.after, two.after);
        std::vector<bool> compared(spec_.elements.size(), true);
        for (const Column* column : except)
            for (const auto e : column->elements) compared[e.index] = false;
        probe_.leave_out_banked(compared, one.after, two.after);
        bool equal = true;
        for (std::uint32_t i = 0; i < spec_.elements.size(); ++i)
            for (unsigned entry = 0; entry < spec_.elements[i].slots() && compared[i]; ++entry)
                equal = equal && one.after.get(spec_.elements[i], entry) == seen.get(spec_.elements[i], entry);
        const auto same = [&](const auto& first, const auto& second, const auto& before, bool direct) {
            const auto get = [&](const auto& stored, std::uint64_t address) {
                const auto it = stored.find(address);
                return it == stored.end() ? before(address) : it->second;
            };
            for (const auto* stored : {&first, &second})
                for (const auto& [address, value] : *stored)
                    if (!(direct && inside(except, address)))
                        equal = equal && get(first, address) == get(second, address);
        };
        same(one.view, two.view, memory.view, false);
        same(one.direct, two.direct, memory.direct, true);
        if (!equal) contradiction(proved, instance, {&one, &two});
    }

    void contradiction(const std::string& proved, const Instance& instance, const std::vector<const Result*>& sides) {
        std::string text = fmt::format(
            "proved: {}; the model disagrees on `{}`", proved,
            isa::disassemble(spec_, {instance.form, instance.fields}, sides[0]->before.get(spec_[spec_.pc])));
        for (const Result* side : sides) {
            text += "; from";
            for (const Value& value : named_values(spec_))
                if (const auto v = value.of(side->before); v != 0)
                    text += fmt::format(" {}={}", value.name(), hex(v, value.width()));
            text += side->completes ? " it completes" : side->cause ? " it traps: " + spec_[*side->cause].name : "";
        }
        audit_.contradictions.push_back(std::move(text));
    }

    const isa::Spec& spec_;
    const isa::Context& context_;
    model::Simulator& simulator_;
    const std::vector<Column>& columns_;
    const std::vector<check::Assumption>& assumptions_;
    Probe& probe_;
    const State& reset_;
    const check::Row& row_;
    Random random_;
    const Column* mode_ = nullptr;
    bool shows_mode_ = false;
    std::vector<std::vector<const Column*>> variations_;  ///< sets that were proved not to matter
    std::size_t next_variation_ = 0;
    std::uint32_t next_form_ = 0;
    model::StepOutcome outcome_;
    Audit audit_;
};

}  // namespace

Auditor::Auditor(const isa::Spec& spec, const isa::Context& context, model::Simulator& simulator,
                 const ConfirmOptions& options)
    : spec_(spec),
      context_(context),
      simulator_(simulator),
      options_(options),
      columns_(columns_of(spec, context)),
      probe_(spec),
      reset_(spec) {
    simulator_.clear_memory();
    simulator_.reset();
    reset_ = simulator_.state();
}

Audit Auditor::audit(const check::Row& row) {
    return RowAudit(spec_, context_, simulator_, options_, columns_, probe_, reset_, row).run();
}

}  // namespace pogo::report
