// The pipeline: a machine's transitions laid out in time, one step_cycle() at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "machine.hpp"
#include "model/simulator.hpp"

namespace pogo::model {

/// Law: the sequence of transitions is that of single steps, whatever the timing. Each transition is done at once
/// when its instruction enters the execute stage, in program order; stages before it only look ahead, and what they
/// saw is thrown away when the transition shows it to be stale. docs/timing.md says what takes how long.
class Core {
  public:
    Core(const isa::Spec& spec, Bus& bus, const Config& config);

    /// Why this timing cannot be built, if so.
    [[nodiscard]] static std::optional<std::string> unfit(const isa::Timing& timing);

    [[nodiscard]] Machine& machine() { return machine_; }
    [[nodiscard]] std::uint64_t cycle() const { return cycle_; }
    [[nodiscard]] std::uint64_t steps() const { return steps_; }
    /// Instructions that have completed.
    [[nodiscard]] std::uint64_t retired() const { return steps_ - entries_; }

    void step_cycle() {
        if (observers_.empty()) [[likely]]
            advance<false>();
        else
            advance<true>();
    }
    /// Many cycles: until `end`, a stop, idling or a call of yield().
    void run_until(std::uint64_t end);
    void yield() { yield_ = true; }
    /// Waiting, and nothing moves any more.
    [[nodiscard]] bool idle();
    /// Passes idle cycles at once. Not while observed.
    void skip_to(std::uint64_t cycle) { cycle_ = cycle; }

    [[nodiscard]] bool stopped() const { return stopped_; }
    [[nodiscard]] StopReason stop_reason() const { return stop_reason_; }
    /// At the end of this cycle. A single step ends with its retirement, whatever happens meanwhile.
    void stop(StopReason reason) {
        if (stopped_ || single_) return;
        stop_reason_ = reason;
        stopped_ = true;
    }

    /// Throws away all that is in flight; what has entered execute has had its effects.
    void empty_pipeline();
    /// Before run(): a limit on steps from here.
    void begin_run(std::uint64_t step_limit);
    /// Retires what has entered execute at once, for observers, in a run that has ended.
    void retire_all();
    /// Before the cycles of one step: false if nothing can run, and `outcome` says why.
    bool begin_step(const StepOptions& options, StepOutcome& outcome);
    void end_step(StepOutcome& outcome);
    /// An input element or memory has changed from outside.
    void resynchronise();

    void set_observers(std::vector<Observer*> observers) { observers_ = std::move(observers); }
    [[nodiscard]] bool observed() const { return !observers_.empty(); }

  private:
    using Content = StageView::Content;
    struct Flight {
        Fetched fetched;
        Content content = Content::empty;
        std::uint64_t pc = 0;
        std::uint64_t sequence = 0;
        std::uint64_t leave = 0;  ///< the first cycle in which it may be in the next stage
        std::uint64_t ready = 0;  ///< of its results
        std::uint64_t entered = 0;
        unsigned memory_cycles = 1;
        std::vector<std::uint32_t> written;  ///< hazard numbers; without forwarding
        // For observers:
        std::vector<SlotChange> changes;
        std::vector<MemoryChange> stores;
        std::vector<TrapTaken> traps;
        std::uint32_t interrupt = 0;
        std::uint32_t from_mode = 0;
        std::uint32_t to_mode = 0;
        [[nodiscard]] isa::FormId form() const {
            return fetched.operation == nullptr ? isa::FormId{} : fetched.operation->form;
        }
    };
    static constexpr unsigned max_stages = 32;
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    template <bool watched>
    void advance();
    template <bool watched>
    void enter_execute();
    template <bool watched>
    void execute(Flight* flight);
    template <bool watched>
    void take_interrupt(std::uint32_t number);
    template <bool watched>
    void retire(Flight* flight);
    void fetch();
    void leave_execute(Flight* flight);
    void publish(std::uint64_t ready);
    template <bool watched>
    void flush(FlushEvent::Reason reason, std::uint64_t fetch_from, isa::FormId form);
    [[nodiscard]] bool hits_fetched() const;
    void count_step() {
        ++steps_;
        if (steps_ == step_limit_) stop(StopReason::steps);
        if (single_) interrupts_ = false;
    }
    void report_cycle();
    [[nodiscard]] std::uint32_t mode();
    Flight* allocate() {
        Flight* const flight = free_[--free_count_];
        return flight;
    }
    void release(Flight* flight) { free_[free_count_++] = flight; }

    const isa::Timing& timing_;
    unsigned last_;  ///< stage
    unsigned execute_;
    unsigned memory_;
    Machine machine_;
    std::uint64_t cycle_ = 0;  ///< the cycle that the next advance() is about
    std::uint64_t steps_ = 0;
    std::uint64_t entries_ = 0;  ///< of these, traps and interrupts
    std::uint64_t step_limit_ = never;

    std::array<Flight*, max_stages> stage_{};
    std::array<Flight, max_stages + 1> pool_;
    std::array<Flight*, max_stages + 1> free_{};
    unsigned free_count_ = 0;
    std::vector<std::uint64_t> ready_;    ///< by hazard number: the first cycle in which a reader may enter execute
    std::uint64_t horizon_ = 0;           ///< no register becomes ready later
    std::vector<std::uint32_t> writers_;  ///< by hazard number: in flight; without forwarding

    std::uint64_t fetch_pc_ = 0;
    std::uint64_t fetch_from_ = 0;  ///< cycle
    bool fetch_hold_ = false;       ///< nothing more to fetch until a flush
    std::uint64_t sequence_ = 0;

    bool stopped_ = false;
    StopReason stop_reason_ = StopReason::cycles;
    bool yield_ = false;

    // One step:
    bool single_ = false;
    bool interrupts_ = true;
    bool take_traps_ = true;
    std::uint64_t step_start_ = 0;
    bool double_fault_ = false;
    Content step_content_ = Content::empty;
    std::uint32_t step_interrupt_ = 0;
    isa::FormId step_form_;
    std::vector<MemoryChange>* step_log_ = nullptr;

    std::vector<Observer*> observers_;
    Stall stall_ = Stall::none;
    isa::FormId blamed_;
};

}  // namespace pogo::model
