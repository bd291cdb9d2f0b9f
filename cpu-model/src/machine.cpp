// Executing transitions; fetching and decoding are in fetch.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "machine.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "isa/require.hpp"

namespace pogo::model {

std::uint64_t Machine::Narrow::variable(isa::Variable, isa::Sort) { POGO_UNREACHABLE("every variable has a place"); }
Word Machine::Wide::variable(isa::Variable, isa::Sort) { POGO_UNREACHABLE("every variable has a place"); }

Machine::Machine(const isa::Spec& spec, Bus& bus, unsigned specialise_after, bool stale_tlb)
    : spec_(spec),
      specialise_after_(specialise_after),
      memory_(spec, bus),
      decoder_(spec),
      compiler_(std::make_unique<Compiler>(spec)),
      pc_(spec[spec.pc].slot),
      pc_mask_(static_cast<std::uint64_t>(isa::ones(spec[spec.pc].width))),
      address_mask_(static_cast<std::uint64_t>(isa::ones(spec.address_width))),
      form_codes_(spec.forms.size()),
      form_reads_(spec.forms.size()),
      fetches_(fetch_entries),
      fetch_shift_(static_cast<unsigned>(std::countr_zero(spec.parcel_units))) {
    slot_masks_.resize(spec.slots, 0);
    for (const auto& element : spec.elements)
        for (unsigned i = 0; i < element.slots(); ++i)
            slot_masks_[element.slot + i] = static_cast<std::uint64_t>(isa::ones(element.width));

    if (const auto time = time_input(spec)) time_ = spec[*time].slot;
    stale_tlb_ = stale_tlb && !spec.translation.loads.empty();
    mappings_.resize(spec.timing.tlb_entries);
    tags_.resize(mappings_.size() * spec.translation.tags.size());
    if (spec.timing.icache.size > 0) icache_.emplace(spec.timing.icache);
    if (spec.timing.dcache.size > 0) dcache_.emplace(spec.timing.dcache);
    page_bits_ = spec.translation.page;
    page_mask_ = static_cast<std::uint64_t>(isa::ones(std::max(page_bits_, 1U))) * (page_bits_ > 0 ? 1 : 0);
    compile_conditions();
}

// What depends on the state alone, and the elements that it watches.
void Machine::compile_conditions() {
    translation_ = compiler_->compile(spec_.translation);
    translation_slots_.clear();
    watch_.assign(spec_.slots, 0);
    const auto& late = spec_.translation.stale;
    for (const auto element : spec_.translation.reads) {
        const bool stale = stale_tlb_ && std::find(late.begin(), late.end(), element) != late.end();
        for (unsigned i = 0; i < spec_[element].slots(); ++i) {
            watch_[spec_[element].slot + i] |= stale ? refetch : translation;
            if (!stale) translation_slots_.push_back(spec_[element].slot + i);
        }
    }

    // Address spaces are told apart whatever a translation reads.
    std::vector<isa::Term> tags;
    for (const auto& tag : spec_.translation.tags) tags.push_back(tag.value);
    if (stale_tlb_)
        for (const auto slot : compiler_->slots(tags)) {
            if ((watch_[slot] & translation) != 0) continue;
            watch_[slot] |= translation;
            translation_slots_.push_back(slot);
        }

    std::vector<isa::Term> roots;
    roots.push_back(spec_.waiting);
    roots.push_back(spec_.halted);
    for (const auto& interrupt : spec_.interrupts) roots.push_back(interrupt.condition);
    std::erase_if(roots, [](isa::Term term) { return !term.valid(); });
    thresholds_ = compiler_->thresholds(roots);
    roots.insert(roots.end(), thresholds_.roots.begin(), thresholds_.roots.end());
    conditions_ = compiler_->compile(roots, nullptr, nullptr);
    for (const auto slot : compiler_->slots(roots)) watch_[slot] |= conditions;
    refresh_constants();
}

// Positions may have been added by a compilation.
void Machine::refresh_constants() {
    const std::size_t size = compiler_->size() + 1;
    if (values_.size() < size) values_.resize(size, 0);
    if (wide_.size() < size) wide_.resize(size, 0);
    if (walk_values_.size() < size) walk_values_.resize(size, 0);
    if (written_.size() < compiler_->most_written()) written_.resize(compiler_->most_written());
    const auto& constants = compiler_->constants();
    std::copy(constants.begin(), constants.end(), values_.begin() + compiler_->layout().constants);
    narrow_domain_.at = values_.data();
    wide_domain_.at = values_.data();
}

void Machine::set_state(std::span<const std::uint64_t> slots) {
    POGO_REQUIRE(slots.size() == spec_.slots);
    for (std::size_t i = 0; i < slots.size(); ++i) values_[i] = slots[i] & slot_masks_[i];
    notice(translation | conditions);
}

void Machine::set_input(isa::ElementId element, std::uint64_t value) {
    const auto slot = spec_[element].slot;
    put(slot, value & slot_masks_[slot]);
}

void Machine::set_choices(std::span<const std::uint64_t> choices) {
    const auto& layout = compiler_->layout();
    for (std::uint32_t i = 0; i < layout.constants - layout.choices; ++i)
        values_[layout.choices + i] = i < choices.size() ? choices[i] : 0;
}

void Machine::notice(std::uint8_t watch) {
    attention_ = true;
    if ((watch & conditions) != 0) stale_ = true;
    if ((watch & (translation | refetch)) != 0) translation_changed_ = true;
    if ((watch & translation) != 0) epoch_ = fetch_epoch_ = stale_epoch;
}

void Machine::forget_windows() {
    memory_.forget();
    fetch_epoch_ = stale_epoch;
    ++fences_;
}

void Machine::forget_walks() {
    if (spec_.translation.loads.empty()) return;
    std::fill(walked_.begin(), walked_.end(), false);
    epochs_.clear();
    notice(translation);
}

void Machine::empty_caches() {
    if (icache_) icache_->clear();
    if (dcache_) dcache_->clear();
}

void Machine::enter_epoch() {
    constexpr std::size_t most_epochs = 256;
    situation_.clear();
    for (const auto slot : translation_slots_) situation_.push_back(values_[slot]);
    if (epochs_.size() == most_epochs) epochs_.clear();
    const auto [known, fresh] = epochs_.try_emplace(situation_, last_epoch_ + 1);
    if (fresh) ++last_epoch_;
    epoch_ = known->second;
    fetch_epoch_ = epoch_ | fences_ << 32;
}

void Machine::fence(const Code& code) {
    const auto number = [&](std::uint32_t position) { return value(code.expression, position); };
    const std::size_t count = spec_.translation.tags.size();
    for (const auto& fence : code.fences) {
        if (!holds(code.expression, fence.guard)) continue;
        ++fenced_;
        if (!stale_tlb_) continue;
        for (std::size_t i = 0; i < mappings_.size(); ++i) {
            const bool all = std::all_of(fence.matches.begin(), fence.matches.end(), [&](const auto& match) {
                if (!holds(code.expression, match.when)) return true;
                const auto has = match.tag < count ? tags_[i * count + match.tag] : mappings_[i].page;
                return has == number(match.value);
            });
            if (all) mappings_[i].epoch = 0;
        }
        ++fences_;
        notice(refetch);
        fetch_epoch_ = stale_epoch;
    }
}

void Machine::begin(const Expression& expression) {
    if (expression.wide)
        for (const auto leaf : expression.leaves) wide_[leaf] = values_[leaf];
}

void Machine::compute(const Expression& expression, std::size_t begin, std::size_t end) {
    if (expression.wide)
        isa::fold(expression.program, begin, end, wide_domain_, wide_.data());
    else
        isa::fold(expression.program, begin, end, narrow_domain_, values_.data());
}

void Machine::compute_conditions() {
    stale_ = false;
    if (conditions_.timed) read_clock();
    begin(conditions_);
    compute(conditions_, 0, conditions_.program.steps.size());
    const auto& roots = conditions_.program.roots;
    std::size_t next = 0;
    waiting_ = spec_.waiting.valid() && value(conditions_, roots[next++]) != 0;
    halted_ = spec_.halted.valid() && value(conditions_, roots[next++]) != 0;
    interrupt_ = no_interrupt;
    for (std::uint32_t i = 0; i < spec_.interrupts.size() && interrupt_ == no_interrupt; ++i)
        if (value(conditions_, roots[next + i]) != 0) interrupt_ = i;
    if (conditions_.timed && clock_ != nullptr) wake_up(std::span(roots).subspan(next + spec_.interrupts.size()));
}

// Asks the clock for the next time at which a condition can change.
void Machine::wake_up(std::span<const std::uint32_t> thresholds) {
    const std::uint64_t now = values_[time_];
    std::optional<std::uint64_t> next;
    const auto at = [&](std::uint64_t time) {
        if (time > now) next = std::min(time, next.value_or(time));
    };
    if (thresholds_.always) at(now + 1);
    for (std::size_t i = 0; i < thresholds.size(); ++i)
        at(value(conditions_, thresholds[i]) + (thresholds_.after[i] ? 1 : 0));
    clock_->wake(next);
}

inline void Machine::commit(const Code& code) {
    if (code.expression.wide || code.gather || changes_ != nullptr) [[unlikely]]
        return commit_gathered(code);
    const std::uint64_t* const at = values_.data();
    for (const auto& write : code.writes) {
        if (write.guard != Code::none && at[write.guard] == 0) continue;
        std::uint32_t slot = write.slot;
        if (write.index != Code::none) slot += static_cast<std::uint32_t>(at[write.index]);
        put(slot, at[write.value]);
        note_written(slot, write.file);
    }
}

void Machine::commit_gathered(const Code& code) {
    const Expression& expression = code.expression;
    gathered_.clear();
    for (const auto& write : code.writes) {
        if (!holds(expression, write.guard)) continue;
        std::uint32_t slot = write.slot;
        if (write.index != Code::none) slot += static_cast<std::uint32_t>(value(expression, write.index));
        gathered_.push_back(slot);
        gathered_.push_back(value(expression, write.value));
        note_written(slot, write.file);
    }
    for (std::size_t i = 0; i < gathered_.size(); i += 2) {
        const auto slot = static_cast<std::uint32_t>(gathered_[i]);
        if (changes_ != nullptr) changes_->push_back({slot, values_[slot], gathered_[i + 1]});
        put(slot, gathered_[i + 1]);
    }
}

inline std::uint32_t Machine::run(const Code& code) {
    const Expression& expression = code.expression;
    if (expression.timed) [[unlikely]]
        read_clock();
    if (expression.wide) return run_wide(code);
    std::uint64_t* const at = values_.data();
    std::size_t step = 0;
    std::size_t trap = 0;
    for (std::size_t phase = 0;; ++phase) {
        isa::fold(expression.program, step, code.phases[phase].end, narrow_domain_, at);
        step = code.phases[phase].end;
        for (; trap < code.phases[phase].traps_end; ++trap)
            if (code.traps[trap].guard == Code::none || at[code.traps[trap].guard] != 0) return code.traps[trap].number;
        if (phase == code.loads.size()) break;
        const auto& load = code.loads[phase];
        std::uint64_t result = 0;
        if (load.guard == Code::none || at[load.guard] != 0) {
            if (load.address != Code::none) {
                const auto physical = translate(at[load.address], load.access, load.units);
                if (!physical) [[unlikely]]
                    return walk_fault;
                at[load.physical] = *physical;
            }
            ++loads_done_;
            result = memory_.load_narrow(at[load.physical], load.units);
            if (dcache_) load_misses_ += miss(at[load.physical], load.units);
        }
        at[load.result] = result;
    }
    for (const auto& store : code.stores) {
        if (store.address == Code::none || (store.guard != Code::none && at[store.guard] == 0)) continue;
        const auto physical = translate(at[store.address], store.access, store.units);
        if (!physical) [[unlikely]]
            return walk_fault;
        at[store.physical] = *physical;
    }
    for (const auto& store : code.stores) {
        if (store.guard != Code::none && at[store.guard] == 0) continue;
        stores_.push_back({at[store.physical], store.units});
        memory_.store(at[store.physical], store.units, at[store.data]);
        if (dcache_) store_misses_ += miss(at[store.physical], store.units);
        note_store(at[store.physical]);
    }
    if (!code.fences.empty()) [[unlikely]]
        fence(code);
    commit(code);
    return Code::none;
}

// The same over 128-bit values.
std::uint32_t Machine::run_wide(const Code& code) {
    const Expression& expression = code.expression;
    begin(expression);
    std::size_t step = 0;
    std::size_t trap = 0;
    for (std::size_t phase = 0;; ++phase) {
        compute(expression, step, code.phases[phase].end);
        step = code.phases[phase].end;
        for (; trap < code.phases[phase].traps_end; ++trap)
            if (holds(expression, code.traps[trap].guard)) return code.traps[trap].number;
        if (phase == code.loads.size()) break;
        const auto& load = code.loads[phase];
        Word result = 0;
        if (holds(expression, load.guard)) {
            if (load.address != Code::none) {
                const auto physical = translate(value(expression, load.address), load.access, load.units);
                if (!physical) return walk_fault;
                wide_[load.physical] = *physical;
            }
            ++loads_done_;
            result = memory_.load(value(expression, load.physical), load.units);
            if (dcache_) load_misses_ += miss(value(expression, load.physical), load.units);
        }
        wide_[load.result] = result;
        values_[load.result] = static_cast<std::uint64_t>(result);
    }
    for (const auto& store : code.stores) {
        if (store.address == Code::none || !holds(expression, store.guard)) continue;
        const auto physical = translate(value(expression, store.address), store.access, store.units);
        if (!physical) return walk_fault;
        wide_[store.physical] = *physical;
    }
    for (const auto& store : code.stores) {
        if (!holds(expression, store.guard)) continue;
        stores_.push_back({value(expression, store.physical), store.units});
        memory_.store(value(expression, store.physical), store.units, wide_[store.data]);
        if (dcache_) store_misses_ += miss(value(expression, store.physical), store.units);
        note_store(value(expression, store.physical));
    }
    if (!code.fences.empty()) [[unlikely]]
        fence(code);
    commit(code);
    return Code::none;
}

Machine::Outcome Machine::execute(const Fetched& fetched, bool take_traps) {
    written_count_ = 0;
    begin_accesses();
    const auto& layout = compiler_->layout();
    if (fetched.bus_error) memory_.count_error();
    if (Operation* const operation = fetched.operation; operation != nullptr && operation->code != nullptr) [[likely]] {
        if (operation->own == nullptr) {
            std::copy(operation->fields.begin(), operation->fields.end(), values_.begin() + layout.fields);
            if (++operation->executions > specialise_after_) specialise(*operation);
        }
        const std::uint32_t trap = run(*operation->code);
        if (trap == Code::none) [[likely]] {
            if (operation->code->sequential) {
                const std::uint64_t next = (values_[pc_] + operation->length) & pc_mask_;
                if (changes_ != nullptr) [[unlikely]]
                    changes_->push_back({pc_, values_[pc_], next});
                put(pc_, next);
            }
            return Outcome::completed;
        }
        traps_.clear();
        refused_.reset();
        values_[layout.next_pc] = (values_[pc_] + operation->length) & pc_mask_;
        if (trap == walk_fault) {
            refused_ = attempt_;
            auto taken = evaluate(*fault_, nullptr, nullptr);
            if (!take_traps) return traps_.push_back(std::move(taken)), Outcome::trapped;
            return enter(std::move(taken));
        }
        const auto& form = spec_[operation->form];
        std::copy(operation->fields.begin(), operation->fields.end(), values_.begin() + layout.fields);
        auto taken = evaluate(form.meaning.traps[trap], &form, &form.meaning);
        if (!take_traps) return traps_.push_back(std::move(taken)), Outcome::trapped;
        return enter(std::move(taken));
    }
    traps_.clear();
    refused_.reset();
    values_[layout.next_pc] = (values_[pc_] + spec_.parcel_units) & pc_mask_;
    TrapTaken taken;
    if (fetched.operation != nullptr) {
        values_[layout.opcode] = fetched.operation->opcode;
        taken = evaluate(spec_.illegal, nullptr, nullptr);
    } else {
        values_[layout.next_pc] = values_[pc_];
        // Fetch again for the fault itself: nothing that it reads has changed since.
        std::uint64_t address = pc() & address_mask_;
        bool faults = false;
        again_ = true;
        for (unsigned parcel = 0; parcel < 256 && !faults; ++parcel) {
            faults = !translate(address, static_cast<unsigned>(isa::Access::fetch), spec_.parcel_units);
            address = (address + spec_.parcel_units) & address_mask_;
        }
        again_ = false;
        POGO_REQUIRE(faults);
        refused_ = attempt_;
        taken = evaluate(*fault_, nullptr, nullptr);
    }
    if (!take_traps) return traps_.push_back(std::move(taken)), Outcome::trapped;
    return enter(std::move(taken));
}

Machine::Outcome Machine::interrupt(std::uint32_t number) {
    written_count_ = 0;
    begin_accesses();
    traps_.clear();
    values_[compiler_->layout().next_pc] = pc();
    const auto& meaning = spec_.interrupts[number].entry;
    if (!guest_modes_.empty() && !stays(meaning)) return Outcome::left;
    const std::uint32_t trap = run(entry_code(meaning));
    if (trap == Code::none) return Outcome::completed;
    return enter(evaluate_fired(meaning, trap));
}

TrapTaken Machine::evaluate_fired(const isa::Meaning& entry, std::uint32_t trap) {
    if (trap == walk_fault) return evaluate(*fault_, nullptr, nullptr);
    return evaluate(entry.traps[trap], nullptr, &entry);
}

// An entry that traps gives way to the entry of that trap, from the same state; the third in a row is one too many.
Machine::Outcome Machine::enter(TrapTaken trap) {
    for (;;) {
        const auto& cause = spec_[trap.cause];
        std::uint32_t place = compiler_->layout().parameters;
        for (std::uint32_t i = 0; i < trap.cause.index; ++i)
            place += static_cast<std::uint32_t>(spec_.causes[i].parameters.size());
        std::copy(trap.arguments.begin(), trap.arguments.end(), values_.begin() + place);
        traps_.push_back(std::move(trap));
        if (!guest_modes_.empty() && !stays(cause.entry)) return Outcome::left;
        const std::uint32_t fired = run(entry_code(cause.entry));
        if (fired == Code::none) return Outcome::trapped;
        trap = evaluate_fired(cause.entry, fired);
        if (traps_.size() == 2) {
            traps_.push_back(std::move(trap));
            return Outcome::double_fault;
        }
    }
}

Machine::Destination Machine::destination(const isa::Meaning& entry) {
    Destination result;
    std::vector<isa::Term> roots;
    for (const auto& write : entry.writes) {
        const bool wanted = std::any_of(guest_modes_.begin(), guest_modes_.end(), [&](const auto& mode) {
            return std::any_of(mode.begin(), mode.end(),
                               [&](const auto& part) { return part.element == write.element; });
        });
        if (!wanted) continue;
        result.writes.push_back(
            {write.element, static_cast<std::uint32_t>(roots.size()), static_cast<std::uint32_t>(roots.size() + 1)});
        roots.insert(roots.end(), {write.guard, write.value});
    }
    for (const auto variable : spec_.terms.support(roots))
        for (const auto& load : entry.loads) result.loaded = result.loaded || load.result == variable;
    result.expression = compiler_->compile(roots, nullptr, &entry);
    refresh_constants();
    return result;
}

bool Machine::stays(const isa::Meaning& entry) {
    auto known = destinations_.find(&entry);
    if (known == destinations_.end()) known = destinations_.emplace(&entry, destination(entry)).first;
    const Destination& to = known->second;
    if (to.loaded) return false;
    const Expression& expression = to.expression;
    if (expression.timed) read_clock();
    begin(expression);
    compute(expression, 0, expression.program.steps.size());
    const auto root = [&](std::uint32_t number) { return value(expression, expression.program.roots[number]); };
    return std::any_of(guest_modes_.begin(), guest_modes_.end(), [&](const auto& mode) {
        return std::all_of(mode.begin(), mode.end(), [&](const isa::Mode::Part& part) {
            std::uint64_t then = values_[spec_[part.element].slot];
            for (const auto& write : to.writes)
                if (write.element == part.element && root(write.guard) != 0) then = root(write.value);
            return then == part.value;
        });
    });
}

TrapTaken Machine::evaluate(const isa::Trap& trap, const isa::Form* form, const isa::Meaning* meaning) {
    auto found = trap_arguments_.find(&trap);
    if (found == trap_arguments_.end()) {
        found = trap_arguments_.emplace(&trap, compiler_->compile(trap.arguments, form, meaning)).first;
        refresh_constants();
    }
    const Expression& expression = found->second;
    if (expression.timed) read_clock();
    begin(expression);
    compute(expression, 0, expression.program.steps.size());
    TrapTaken taken{trap.cause, {}};
    for (const auto root : expression.program.roots) taken.arguments.push_back(value(expression, root));
    return taken;
}

const Code& Machine::entry_code(const isa::Meaning& meaning) {
    auto& code = entry_codes_[&meaning];
    if (code == nullptr) {
        code = std::make_unique<Code>(compiler_->compile(meaning));
        refresh_constants();
    }
    return *code;
}

void Machine::reset() {
    const std::vector<std::uint64_t> zeros(spec_.slots, 0);
    set_state(zeros);
    perform(spec_.reset);
    empty_caches();
}

void Machine::perform(const isa::Meaning& meaning) {
    written_count_ = 0;
    begin_accesses();
    POGO_REQUIRE(run(entry_code(meaning)) == Code::none);
    notice(translation | conditions);
}

}  // namespace pogo::model
