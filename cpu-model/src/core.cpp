// step_cycle(): stages from the last to the first, then the fetch.
// SPDX-License-Identifier: Apache-2.0
#include "core.hpp"

#include <algorithm>

#include "isa/require.hpp"
#include "state_leaves.hpp"

namespace pogo::model {

Core::Core(const isa::Spec& spec, Bus& bus, const Config& config)
    : timing_(spec.timing),
      last_(static_cast<unsigned>(spec.timing.stages.size()) - 1),
      execute_(spec.timing.execute_stage),
      memory_(spec.timing.memory_stage),
      machine_(spec, bus, config.specialise_after, config.stale_tlb),
      ready_(spec.slots + spec.elements.size(), 0),
      writers_(spec.slots + spec.elements.size(), 0) {
    for (auto& flight : pool_) release(&flight);
}

std::optional<std::string> Core::unfit(const isa::Timing& timing) {
    if (timing.stages.size() > max_stages) return "the model builds pipelines of at most 32 stages";
    if (timing.execute_stage < 1) return "the execute stage must come after the first stage";
    if (timing.execute_stage >= timing.stages.size()) return "the pipeline has no execute stage";
    if (timing.memory_stage < timing.execute_stage || timing.memory_stage >= timing.stages.size())
        return "the memory stage must not come before the execute stage";
    return std::nullopt;
}

template <bool watched>
inline void Core::advance() {
    const std::uint64_t now = cycle_;
    if constexpr (watched) {
        stall_ = Stall::none;
        blamed_ = {};
    }
    if (Flight* const flight = stage_[last_]; flight != nullptr && flight->leave <= now) {
        stage_[last_] = nullptr;
        if (last_ == execute_) leave_execute(flight);
        retire<watched>(flight);
    }
    for (unsigned s = last_; s-- > execute_;) {
        Flight* const flight = stage_[s];
        if (flight == nullptr || flight->leave > now || stage_[s + 1] != nullptr) continue;
        if (s == execute_) leave_execute(flight);
        stage_[s] = nullptr;
        stage_[s + 1] = flight;
        flight->leave = now + (s + 1 == memory_ ? flight->memory_cycles : 1);
    }
    if (stage_[execute_] == nullptr) {
        enter_execute<watched>();
    } else if constexpr (watched) {
        stall_ = stage_[execute_]->leave <= now ? Stall::memory : Stall::structural;
        blamed_ = stage_[execute_]->form();
    }
    for (unsigned s = execute_ - 1; s-- > 0;) {
        Flight* const flight = stage_[s];
        if (flight == nullptr || flight->leave > now || stage_[s + 1] != nullptr) continue;
        stage_[s] = nullptr;
        stage_[s + 1] = flight;
        flight->leave = now + 1;
    }
    if (stage_[0] == nullptr && !fetch_hold_ && fetch_from_ <= now) fetch();
    if constexpr (watched) {
        machine_.read_clock();
        report_cycle();
    }
    ++cycle_;
}

inline void Core::fetch() {
    Flight* const flight = allocate();
    machine_.fetch(fetch_pc_, flight->fetched);
    flight->content = Content::instruction;
    flight->pc = fetch_pc_;
    flight->sequence = sequence_++;
    const Operation* const operation = flight->fetched.operation;
    if (operation != nullptr) [[likely]] {
        flight->leave = cycle_ + operation->fetch_cycles + flight->fetched.wait;
        fetch_pc_ = (fetch_pc_ + operation->length) & machine_.pc_mask();
        fetch_hold_ = single_ || operation->code == nullptr;
    } else {
        flight->leave = cycle_ + 1;
        fetch_hold_ = true;
    }
    stage_[0] = flight;
}

template <bool watched>
inline void Core::enter_execute() {
    const auto stall = [&](Stall why, const Flight* flight) {
        if constexpr (watched) {
            stall_ = why;
            if (flight != nullptr) blamed_ = flight->form();
        }
    };
    if (machine_.attention()) [[unlikely]] {
        machine_.reconsider();
        const std::uint32_t interrupt = machine_.pending_interrupt();
        if (interrupt != Machine::no_interrupt && interrupts_) return take_interrupt<watched>(interrupt);
        if (machine_.waiting()) return stall(Stall::waiting, nullptr);
        // A translation that changed under the fetched instructions from outside (an input element).
        if (machine_.take_translation_change()) {
            flush<watched>(FlushEvent::Reason::stale, cycle_, {});
            fetch_hold_ = false;
            return stall(Stall::fetch, nullptr);
        }
    }
    Flight* const flight = stage_[execute_ - 1];
    if (flight == nullptr || flight->leave > cycle_) return stall(Stall::fetch, nullptr);
    if (const Operation* const operation = flight->fetched.operation; horizon_ > cycle_ && operation != nullptr)
        for (const auto hazard : operation->reads)
            if (ready_[hazard] > cycle_) return stall(Stall::data, flight);
    stage_[execute_ - 1] = nullptr;
    stage_[execute_] = flight;
    execute<watched>(flight);
}

template <bool watched>
inline void Core::execute(Flight* flight) {
    const std::uint64_t now = cycle_;
    POGO_REQUIRE(flight->pc == machine_.pc());
    flight->entered = now;
    flight->memory_cycles = 1;
    if constexpr (watched) {
        flight->changes.clear();
        flight->stores.clear();
        flight->traps.clear();
        flight->from_mode = mode();
        machine_.set_change_log(&flight->changes);
        machine_.memory().set_log(&flight->stores);
    }
    const Machine::Outcome outcome = machine_.execute(flight->fetched, take_traps_);
    if constexpr (watched) {
        machine_.set_change_log(nullptr);
        machine_.memory().set_log(step_log_);
        if (step_log_ != nullptr) step_log_->insert(step_log_->end(), flight->stores.begin(), flight->stores.end());
    }
    count_step();
    if (outcome == Machine::Outcome::completed) [[likely]] {
        const Operation& operation = *flight->fetched.operation;
        flight->leave = now + operation.occupies;
        flight->ready = now + operation.latency;
        const unsigned loads = machine_.loads_done();
        const auto stores = static_cast<unsigned>(machine_.stores().size());
        if (loads + stores != 0) {
            const unsigned load_cycles = loads * timing_.load_latency + machine_.load_wait();
            const unsigned extra = load_cycles + stores * timing_.store_latency + machine_.store_wait();
            if (memory_ == execute_)
                flight->leave += extra;
            else
                flight->memory_cycles += extra;
            flight->ready += load_cycles;
        }
        if (timing_.forwarding) [[likely]] {
            // What is ready in the next cycle need not be said, unless something said otherwise before.
            if (flight->ready > now + 1 || horizon_ > now + 1) publish(flight->ready);
        } else {
            flight->written.assign(machine_.written().begin(), machine_.written().end());
            for (const auto hazard : flight->written) {
                ++writers_[hazard];
                ready_[hazard] = never;
            }
            horizon_ = never;
        }
        const bool stale = machine_.take_translation_change();
        const std::uint64_t done = now + operation.occupies;
        if (machine_.pc() != ((flight->pc + operation.length) & machine_.pc_mask()))
            flush<watched>(FlushEvent::Reason::branch, done + timing_.branch_penalty, operation.form);
        else if (operation.serialises)
            flush<watched>(FlushEvent::Reason::serialising, done, operation.form);
        else if (stale || (stores != 0 && hits_fetched()))
            flush<watched>(FlushEvent::Reason::stale, done, operation.form);
        if (machine_.attention() && machine_.halted()) [[unlikely]]
            stop(StopReason::halted);
        return;
    }
    ++entries_;
    flight->content = Content::trapped;
    if constexpr (watched) {
        flight->traps = machine_.traps();
        flight->to_mode = mode();
    }
    static_cast<void>(machine_.take_translation_change());
    flight->leave = now + std::max(timing_.trap_cycles, 1U);
    flush<watched>(FlushEvent::Reason::trap, flight->leave, flight->form());
    double_fault_ = outcome == Machine::Outcome::double_fault;
    if (double_fault_) stop(StopReason::double_fault);
    if (outcome == Machine::Outcome::left) stop(StopReason::monitor);
    if (machine_.halted()) stop(StopReason::halted);
}

template <bool watched>
void Core::take_interrupt(std::uint32_t number) {
    Flight* const flight = allocate();
    flight->fetched = {};
    flight->content = Content::interrupt;
    flight->pc = machine_.pc();
    flight->sequence = sequence_++;
    flight->entered = cycle_;
    flight->memory_cycles = 1;
    flight->interrupt = number;
    if constexpr (watched) {
        flight->changes.clear();
        flight->stores.clear();
        flight->from_mode = mode();
        machine_.set_change_log(&flight->changes);
        machine_.memory().set_log(&flight->stores);
    }
    const Machine::Outcome outcome = machine_.interrupt(number);
    if constexpr (watched) {
        machine_.set_change_log(nullptr);
        machine_.memory().set_log(step_log_);
        flight->traps = machine_.traps();
        flight->to_mode = mode();
    }
    count_step();
    ++entries_;
    static_cast<void>(machine_.take_translation_change());
    flight->leave = cycle_ + std::max(timing_.interrupt_cycles, 1U);
    stage_[execute_] = flight;
    flush<watched>(FlushEvent::Reason::interrupt, flight->leave, {});
    double_fault_ = outcome == Machine::Outcome::double_fault;
    if (double_fault_) stop(StopReason::double_fault);
    if (outcome == Machine::Outcome::left) stop(StopReason::monitor);
    if (machine_.halted()) stop(StopReason::halted);
}

// Results come later by as many cycles as an instruction was held up in the execute stage.
inline void Core::leave_execute(Flight* flight) {
    const std::uint64_t held = cycle_ - flight->leave;
    if (held != 0 && timing_.forwarding && flight->content == Content::instruction) [[unlikely]]
        publish(flight->ready + held);
}

inline void Core::publish(std::uint64_t ready) {
    const std::uint32_t slots = machine_.spec().slots;
    horizon_ = std::max(horizon_, ready);
    for (const auto hazard : machine_.written())
        ready_[hazard] = hazard < slots ? ready : std::max(ready_[hazard], ready);
}

template <bool watched>
inline void Core::retire(Flight* flight) {
    if (!timing_.forwarding && flight->content == Content::instruction) [[unlikely]]
        for (const auto hazard : flight->written)
            if (--writers_[hazard] == 0) ready_[hazard] = cycle_;
    if (single_) [[unlikely]] {
        step_content_ = flight->content;
        step_interrupt_ = flight->interrupt;
        step_form_ = flight->form();
        stopped_ = true;
    }
    if constexpr (watched) {
        const Operation* const operation = flight->fetched.operation;
        RetireEvent event;
        event.cycle = cycle_;
        event.entered = flight->entered;
        event.sequence = flight->sequence;
        event.pc = flight->pc;
        event.form = flight->form();
        if (operation != nullptr) event.fields = operation->fields;
        event.changes = flight->changes;
        event.stores = flight->stores;
        event.traps = flight->traps;
        event.interrupt = flight->interrupt;
        event.from_mode = flight->from_mode;
        event.to_mode = flight->to_mode;
        for (Observer* const observer : observers_) {
            switch (flight->content) {
                case Content::empty:
                    break;
                case Content::instruction:
                    observer->on_retire(event);
                    break;
                case Content::trapped:
                    observer->on_trap(event);
                    break;
                case Content::interrupt:
                    observer->on_interrupt(event);
                    break;
            }
        }
    }
    release(flight);
}

template <bool watched>
void Core::flush(FlushEvent::Reason reason, std::uint64_t fetch_from, isa::FormId form) {
    unsigned squashed = 0;
    for (unsigned s = 0; s < execute_; ++s) {
        if (stage_[s] == nullptr) continue;
        release(stage_[s]);
        stage_[s] = nullptr;
        ++squashed;
    }
    fetch_pc_ = machine_.pc();
    fetch_from_ = fetch_from;
    fetch_hold_ = single_;
    if constexpr (watched)
        for (Observer* const observer : observers_) observer->on_flush({cycle_, reason, squashed, form});
}

// Whether one of the last stores touched what a fetch has looked at. Yes, when in doubt.
bool Core::hits_fetched() const {
    const std::uint64_t end = machine_.memory().last();
    for (unsigned s = 0; s < execute_; ++s) {
        if (stage_[s] == nullptr) continue;
        const Fetched& fetched = stage_[s]->fetched;
        const std::uint64_t first = fetched.physical;
        if (fetched.operation == nullptr || !fetched.contiguous || end - first < fetched.units) return true;
        for (const auto& store : machine_.stores())
            if (store.address - first < fetched.units || first - store.address < store.units ||
                end - store.address < store.units)
                return true;
    }
    return false;
}

void Core::run_until(std::uint64_t end) {
    yield_ = false;
    if (observed()) {
        while (cycle_ < end && !stopped_ && !yield_) {
            advance<true>();
            if (machine_.attention() && idle()) return;
        }
    } else {
        while (cycle_ < end && !stopped_ && !yield_) {
            advance<false>();
            if (machine_.attention() && idle()) [[unlikely]]
                return;
        }
    }
}

bool Core::idle() {
    if (!machine_.waiting() || stopped_) return false;
    if (machine_.pending_interrupt() != Machine::no_interrupt && interrupts_) return false;
    for (unsigned s = execute_; s <= last_; ++s)
        if (stage_[s] != nullptr) return false;
    for (unsigned s = 0; s < execute_; ++s) {
        if (stage_[s] == nullptr && (s > 0 ? stage_[s - 1] != nullptr : !fetch_hold_)) return false;
        if (stage_[s] != nullptr && stage_[s]->leave > cycle_) return false;
    }
    return true;
}

void Core::empty_pipeline() {
    for (auto& flight : stage_) {
        if (flight != nullptr) release(flight);
        flight = nullptr;
    }
    std::fill(ready_.begin(), ready_.end(), 0);
    std::fill(writers_.begin(), writers_.end(), 0);
    horizon_ = 0;
    static_cast<void>(machine_.take_translation_change());
    fetch_pc_ = machine_.pc();
    fetch_from_ = cycle_;
    fetch_hold_ = false;
}

// Fetched instructions may be stale; they are fetched anew from the next cycle on. Nothing else changes.
void Core::resynchronise() {
    machine_.forget_walks();
    for (unsigned s = 0; s < execute_; ++s) {
        if (stage_[s] != nullptr) release(stage_[s]);
        stage_[s] = nullptr;
    }
    fetch_pc_ = machine_.pc();
    fetch_from_ = std::max(fetch_from_, cycle_);
    fetch_hold_ = false;
}

void Core::begin_run(std::uint64_t step_limit) {
    stopped_ = false;
    single_ = false;
    interrupts_ = true;
    take_traps_ = true;
    step_limit_ = step_limit > never - steps_ ? never : steps_ + step_limit;
    if (std::all_of(stage_.begin(), stage_.end(), [](const Flight* flight) { return flight == nullptr; }))
        machine_.trim();
    if (machine_.halted()) stop(StopReason::halted);
    if (step_limit == 0) stop(StopReason::steps);
}

void Core::retire_all() {
    for (unsigned s = last_ + 1; s-- > execute_;)
        if (Flight* const flight = std::exchange(stage_[s], nullptr); flight != nullptr) retire<true>(flight);
}

bool Core::begin_step(const StepOptions& options, StepOutcome& outcome) {
    empty_pipeline();
    machine_.trim();
    outcome.form = {};
    outcome.pc = machine_.pc();
    outcome.traps.clear();
    outcome.memory.clear();
    outcome.cycles = 0;
    outcome.double_fault = false;
    outcome.halted = machine_.halted();
    const bool interrupted = options.interrupts && machine_.pending_interrupt() != Machine::no_interrupt;
    if (outcome.halted || (machine_.waiting() && !interrupted)) {
        outcome.kind = outcome.halted ? StepOutcome::Kind::halted : StepOutcome::Kind::waiting;
        return false;
    }
    if (!options.choices.empty()) machine_.set_choices(options.choices);
    stopped_ = false;
    double_fault_ = false;
    step_limit_ = never;
    single_ = true;
    interrupts_ = options.interrupts;
    take_traps_ = options.take_traps;
    step_start_ = cycle_;
    step_log_ = &outcome.memory;
    machine_.memory().set_log(step_log_);
    return true;
}

void Core::end_step(StepOutcome& outcome) {
    step_log_ = nullptr;
    machine_.memory().set_log(nullptr);
    static constexpr std::array<std::uint64_t, 0> no_choices{};
    machine_.set_choices(no_choices);
    outcome.cycles = cycle_ - 1 - step_start_;
    outcome.halted = machine_.halted();
    outcome.double_fault = double_fault_;
    switch (step_content_) {
        case Content::empty:
            POGO_UNREACHABLE("a step ends with a retirement");
            break;
        case Content::instruction:
            outcome.kind = StepOutcome::Kind::completed;
            break;
        case Content::trapped:
            outcome.kind = StepOutcome::Kind::trapped;
            outcome.traps = machine_.traps();
            break;
        case Content::interrupt:
            outcome.kind = StepOutcome::Kind::interrupted;
            outcome.interrupt = step_interrupt_;
            outcome.traps = machine_.traps();
            break;
    }
    outcome.form = step_form_;
    empty_pipeline();
    single_ = false;
}

// The first mode whose cube the state is in.
std::uint32_t Core::mode() {
    const auto& modes = machine_.spec().modes;
    std::uint32_t number = 0;
    while (number < modes.size() && !is_in(machine_.spec(), machine_.slots(), modes[number])) ++number;
    return number;
}

void Core::report_cycle() {
    std::array<StageView, max_stages> views;
    for (unsigned s = 0; s <= last_; ++s)
        if (const Flight* const flight = stage_[s]; flight != nullptr)
            views[s] = {flight->content, flight->sequence, flight->pc, flight->form()};
    const CycleEvent event{cycle_, {views.data(), last_ + 1}, machine_.slots(), stall_, blamed_,
                           mode(), &machine_.traffic()};
    for (Observer* const observer : observers_) observer->on_cycle(event);
}

}  // namespace pogo::model
