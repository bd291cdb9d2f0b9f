// The architectural machine: state, translation, instructions, trap and interrupt entries, without time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "code.hpp"
#include "isa/concrete.hpp"
#include "memory.hpp"
#include "model/cache.hpp"

namespace pogo::model {

/// A decoded instruction: a form with values of its fields, or bits that nothing decodes.
struct Operation {
    isa::FormId form;  ///< invalid: nothing decodes
    std::vector<std::uint64_t> fields;
    std::vector<std::uint32_t> reads;  ///< hazard numbers, see Reads
    const Code* code = nullptr;        ///< of the form, or of this encoding alone
    std::unique_ptr<Code> own;
    unsigned executions = 0;
    unsigned parcels = 1;
    unsigned length = 0;  ///< units
    unsigned fetch_cycles = 1;
    unsigned occupies = 1;
    unsigned latency = 1;
    bool serialises = false;
    std::uint64_t opcode = 0;  ///< the first parcel
};

/// What a fetch found.
struct Fetched {
    Operation* operation = nullptr;  ///< nothing: the fetch faults
    std::uint64_t physical = 0;      ///< of the first parcel
    unsigned units = 0;              ///< looked at
    bool contiguous = true;          ///< physical addresses of all parcels follow one another
    bool bus_error = false;          ///< some parcel lies outside memory and was read as zero
    std::uint64_t wait = 0;  ///< cycles beyond those of its parcels: for page tables and for what misses the cache
};

/// Where the time comes from: an input that changes by itself, so its value is asked for when something reads it.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual std::uint64_t time() = 0;
    /// Call Machine::time_changed() when the time has come to this, if it does; replaces what was asked for before.
    virtual void wake(std::optional<std::uint64_t> time) = 0;
};

class Machine {
  public:
    Machine(const isa::Spec& spec, Bus& bus, unsigned specialise_after, bool stale_tlb);

    [[nodiscard]] const isa::Spec& spec() const { return spec_; }
    [[nodiscard]] std::span<std::uint64_t> slots() { return {values_.data(), spec_.slots}; }
    [[nodiscard]] Memory& memory() { return memory_; }
    [[nodiscard]] const Memory& memory() const { return memory_; }
    [[nodiscard]] std::uint64_t pc() const { return values_[pc_]; }
    [[nodiscard]] std::uint64_t pc_mask() const { return pc_mask_; }
    void set_state(std::span<const std::uint64_t> slots);
    /// Drives an input element.
    void set_input(isa::ElementId element, std::uint64_t value);
    void reset();
    /// Runs a transition that is neither an instruction's nor an entry's, and cannot trap.
    void perform(const isa::Meaning& meaning);
    /// How many fences have been executed.
    [[nodiscard]] std::uint64_t fenced() const { return fenced_; }
    /// Drives the input that carries the time from here on. The clock must outlive the machine.
    void set_clock(Clock* clock) {
        clock_ = clock;
        supplies_.emplace_back(time_, [clock] { return clock->time(); });
    }
    /// Drives an input that no condition reads from here on: its value is asked for when something else reads it.
    void supply(isa::ElementId input, std::function<std::uint64_t()> value) {
        supplies_.emplace_back(spec_[input].slot, std::move(value));
    }
    /// Sets those inputs. What reads them in here does so by itself.
    void read_clock() {
        for (const auto& [slot, value] : supplies_) values_[slot] = value();
    }
    /// Conditions may have changed because the time has.
    void time_changed() { notice(conditions); }

    /// Fetches and decodes at an address, without effects on the state.
    void fetch(std::uint64_t pc, Fetched& fetched);

    /// The result of one transition. `written`, `stores`, … below describe it until the next.
    enum class Outcome : std::uint8_t { completed, trapped, double_fault, left };
    /// Executes a fetched instruction at the pc. When it traps and `take_traps`, runs the entry.
    Outcome execute(const Fetched& fetched, bool take_traps = true);
    Outcome interrupt(std::uint32_t number);
    /// From here on an entry that would lead out of these modes is not run: control goes to a monitor outside the
    /// machine (Outcome::left), the state stays as it was. A mode that an entry loads from memory counts as outside.
    void set_guest_modes(std::vector<std::vector<isa::Mode::Part>> modes) { guest_modes_ = std::move(modes); }
    /// An access as it is given to the translation.
    struct Attempt {
        std::uint64_t address = 0;
        unsigned access = 0;
        unsigned units = 0;
    };
    /// The access that the translation refused: valid after an execute() in which that was the trap.
    [[nodiscard]] const std::optional<Attempt>& refused() const { return refused_; }
    /// Where an access goes in this state, if it does not fault.
    std::optional<std::uint64_t> physical(const Attempt& attempt) {
        return translate(attempt.address, attempt.access, attempt.units);
    }

    [[nodiscard]] std::span<const std::uint32_t> written() const {
        return {written_.data(), written_count_};
    }  ///< hazard numbers
    [[nodiscard]] const std::vector<StoreRange>& stores() const { return stores_; }
    [[nodiscard]] unsigned loads_done() const { return loads_done_; }
    /// Cycles for what the loads and stores done have missed in the cache.
    [[nodiscard]] unsigned load_wait() const { return load_misses_ * spec_.timing.dcache.miss; }
    [[nodiscard]] unsigned store_wait() const { return store_misses_ * spec_.timing.dcache.miss; }
    [[nodiscard]] const Traffic& traffic() const { return traffic_; }
    /// Nothing is in the caches any more.
    void empty_caches();
    [[nodiscard]] const std::vector<TrapTaken>& traps() const { return traps_; }
    /// Changes of slots are put down there, if anywhere.
    void set_change_log(std::vector<SlotChange>* log) { changes_ = log; }
    void set_choices(std::span<const std::uint64_t> choices);

    // Conditions over the state, computed anew when an element they read has changed.
    [[nodiscard]] bool waiting() { return refresh(), waiting_; }
    [[nodiscard]] bool halted() { return refresh(), halted_; }
    /// The first interrupt whose condition holds, or none.
    static constexpr std::uint32_t no_interrupt = 0xffffffff;
    [[nodiscard]] std::uint32_t pending_interrupt() { return refresh(), interrupt_; }
    /// An element that the translation of fetches reads has changed since the last call.
    [[nodiscard]] bool take_translation_change() { return std::exchange(translation_changed_, false); }
    /// Whether any of the above may hold. The one question of the common case.
    [[nodiscard]] bool attention() const { return attention_; }
    void reconsider() {
        refresh();
        attention_ = waiting_ || halted_ || interrupt_ != no_interrupt || translation_changed_;
    }

    /// Drops compiled encodings if there are too many. No Operation may be in use.
    void trim();
    /// Memory's windows have moved.
    void forget_windows();
    /// Memory has changed otherwise than by the core's stores.
    void forget_walks();

  private:
    struct Narrow {
        const std::uint64_t* at = nullptr;
        std::uint64_t variable(isa::Variable, isa::Sort);
        std::uint64_t select(std::uint64_t array, std::uint64_t index) const { return at[array + index]; }
    };
    struct Wide {
        const std::uint64_t* at = nullptr;
        Word variable(isa::Variable, isa::Sort);
        Word select(Word array, Word index) const { return at[static_cast<std::uint64_t>(array + index)]; }
    };
    enum Watch : std::uint8_t { translation = 1, conditions = 2, refetch = 4 };
    /// A page that a translation has mapped, and for which accesses.
    struct Mapping {
        std::uint64_t epoch = 0;
        std::uint64_t page = 0;
        std::uint64_t physical = 0;
        unsigned access = 0;
    };
    struct FetchEntry {
        std::uint64_t epoch = 0;
        std::uint64_t pc = 0;
        std::uint64_t bits = 0;
        const std::byte* host = nullptr;
        Operation* operation = nullptr;
        std::uint64_t physical = 0;
        unsigned bytes = 0;
        unsigned units = 0;
    };
    struct HashParcels {
        std::size_t operator()(const std::vector<std::uint64_t>& parcels) const noexcept;
    };
    struct Decoding {
        unsigned wanted = 0;  ///< parcels needed to decide; zero: decided
        Operation operation;
    };

    void begin(const Expression& expression);
    void compute(const Expression& expression, std::size_t begin, std::size_t end);
    [[nodiscard]] std::uint64_t value(const Expression& expression, std::uint32_t position) const {
        return expression.wide ? static_cast<std::uint64_t>(wide_[position]) : values_[position];
    }
    [[nodiscard]] bool holds(const Expression& expression, std::uint32_t guard) const {
        return guard == Code::none || value(expression, guard) != 0;
    }
    /// Does the transition, or returns the number of the trap that fired, or `walk_fault`: then `fault_` did.
    static constexpr std::uint32_t walk_fault = 0xfffffffe;
    inline std::uint32_t run(const Code& code);
    std::uint32_t run_wide(const Code& code);
    inline void commit(const Code& code);
    void commit_gathered(const Code& code);
    void note_written(std::uint32_t slot, std::uint32_t file) {
        written_[written_count_++] = slot;
        if (file != Code::none) written_[written_count_++] = file;
    }
    void put(std::uint32_t slot, std::uint64_t value) {
        if (values_[slot] != value) {
            values_[slot] = value;
            if (watch_[slot] != 0) [[unlikely]]
                notice(watch_[slot]);
        }
    }
    void notice(std::uint8_t watch);
    void refresh() {
        if (stale_) [[unlikely]]
            compute_conditions();
    }
    void compile_conditions();
    void compute_conditions();
    void wake_up(std::span<const std::uint32_t> thresholds);
    void refresh_constants();
    TrapTaken evaluate(const isa::Trap& trap, const isa::Form* form, const isa::Meaning* meaning);
    /// The trap of an entry that `run` has returned.
    TrapTaken evaluate_fired(const isa::Meaning& entry, std::uint32_t trap);
    Outcome enter(TrapTaken trap);
    /// The modes that an entry's state will be in, as far as its writes tell.
    struct Destination {
        struct Write {
            isa::ElementId element;
            std::uint32_t guard = 0;  ///< root
            std::uint32_t value = 0;  ///< root
        };
        Expression expression;
        std::vector<Write> writes;
        bool loaded = false;
    };
    [[nodiscard]] bool stays(const isa::Meaning& entry);
    Destination destination(const isa::Meaning& entry);
    const Code& entry_code(const isa::Meaning& meaning);

    /// Translates an address; nothing when it faults, then `fault_` says how.
    std::optional<std::uint64_t> translate(std::uint64_t address, unsigned access, unsigned units) {
        if (epoch_ == stale_epoch) [[unlikely]]
            enter_epoch();
        const auto& entry = mappings_[mapping_number(address, access)];
        if (entry.epoch == epoch_ && entry.page == address >> page_bits_ && entry.access == access &&
            (address & (units - 1)) == 0) [[likely]]
            return entry.physical | (address & page_mask_);
        return walk(address, access, units);
    }
    [[nodiscard]] std::size_t mapping_number(std::uint64_t address, unsigned access) const {
        return ((address >> page_bits_) * 3 + access) & (mappings_.size() - 1);
    }
    std::optional<std::uint64_t> walk(std::uint64_t address, unsigned access, unsigned units);
    void enter_epoch();
    /// A store may have changed what a translation has loaded.
    void note_store(std::uint64_t physical) {
        if (!walked_[walked_number(physical)]) [[likely]]
            return;
        if (stale_tlb_)
            notice(refetch);
        else
            forget_walks();
    }
    /// An access through the data cache; devices are not cached. The lines that were not there.
    unsigned miss(std::uint64_t physical, unsigned units) {
        if (memory_.host(physical, 1, false) == nullptr) return 0;
        return dcache_->access(physical, units, memory_.last(), traffic_.dcache);
    }
    void begin_accesses() {
        stores_.clear();
        loads_done_ = load_misses_ = store_misses_ = 0;
    }
    [[nodiscard]] std::uint64_t walk_wait() const {
        return std::uint64_t{loads_done_} * spec_.timing.load_latency + load_wait();
    }
    unsigned fetch_lines();
    /// Drops mappings as the code's fences say.
    void fence(const Code& code);
    [[nodiscard]] std::size_t walked_number(std::uint64_t physical) const {
        return (physical << memory_.format().shift >> 12) % walked_.size();
    }
    void fetch_slowly(std::uint64_t pc, Fetched& fetched);
    Decoding& decode(const std::vector<std::uint64_t>& parcels);
    void specialise(Operation& operation);

    const isa::Spec& spec_;
    unsigned specialise_after_;
    Memory memory_;
    isa::Decoder decoder_;
    std::unique_ptr<Compiler> compiler_;
    std::vector<std::uint64_t> values_;  ///< laid out as Layout says
    std::vector<Word> wide_;
    isa::Concrete<std::uint64_t, Narrow> narrow_domain_;
    isa::Concrete<Word, Wide> wide_domain_;
    std::uint32_t pc_ = 0;
    std::uint64_t pc_mask_ = 0;
    std::uint64_t address_mask_ = 0;
    std::vector<std::uint64_t> slot_masks_;
    std::vector<std::uint8_t> watch_;  ///< by slot

    std::vector<std::unique_ptr<Code>> form_codes_;
    std::vector<std::unique_ptr<Reads>> form_reads_;
    std::unordered_map<const isa::Meaning*, std::unique_ptr<Code>> entry_codes_;
    std::unordered_map<const isa::Trap*, Expression> trap_arguments_;
    std::vector<std::vector<isa::Mode::Part>> guest_modes_;  ///< none: all traps run their entries
    std::unordered_map<const isa::Meaning*, Destination> destinations_;
    Attempt attempt_;
    std::optional<Attempt> refused_;
    Code translation_;
    const isa::Trap* fault_ = nullptr;
    std::vector<Word> walk_values_;  ///< as `wide_`, for translations
    Expression conditions_;          ///< waiting, halted, conditions of the interrupts, then thresholds_.roots
    Thresholds thresholds_;
    Clock* clock_ = nullptr;
    std::uint32_t time_ = 0;                                                          ///< slot
    std::vector<std::pair<std::uint32_t, std::function<std::uint64_t()>>> supplies_;  ///< by slot
    std::unordered_map<std::vector<std::uint64_t>, Decoding, HashParcels> decodings_;
    static constexpr std::size_t fetch_entries = 4096;
    std::vector<FetchEntry> fetches_;
    unsigned fetch_shift_ = 0;
    // What fetches_ and mappings_ know holds while the elements that translations read and the memory that they load
    // from are as they were. An epoch numbers such a situation; one that comes back has its old number.
    static constexpr std::uint64_t stale_epoch = ~std::uint64_t{0};
    std::uint64_t epoch_ = stale_epoch;
    std::uint64_t fetch_epoch_ = stale_epoch;  ///< of fetches_: the epoch and how many fences there were
    std::uint64_t fences_ = 0;
    std::uint64_t fenced_ = 0;
    bool stale_tlb_ = false;
    std::vector<std::uint64_t> tags_;  ///< of mappings_, as many for each as the translation has
    std::uint64_t last_epoch_ = 0;
    std::unordered_map<std::vector<std::uint64_t>, std::uint64_t, HashParcels> epochs_;
    std::vector<std::uint32_t> translation_slots_;
    std::vector<std::uint64_t> situation_;
    std::vector<Mapping> mappings_;  ///< a power of two
    unsigned page_bits_ = 0;
    std::uint64_t page_mask_ = 0;
    std::vector<bool> walked_ = std::vector<bool>(4096, false);  ///< by hash of a physical page
    std::vector<std::uint64_t> parcels_;
    std::vector<std::uint64_t> places_;  ///< physical, of the parcels that come from memory

    std::optional<Cache> icache_;
    std::optional<Cache> dcache_;
    Traffic traffic_;
    bool again_ = false;  ///< a walk is gone through again for its fault: it takes no time and is not counted

    bool attention_ = true;
    bool stale_ = true;
    bool waiting_ = false;
    bool halted_ = false;
    bool translation_changed_ = false;
    std::uint32_t interrupt_ = no_interrupt;

    std::vector<std::uint32_t> written_;  ///< room for the writes of any code
    std::size_t written_count_ = 0;
    std::vector<StoreRange> stores_;
    unsigned loads_done_ = 0;
    unsigned load_misses_ = 0;
    unsigned store_misses_ = 0;
    std::vector<TrapTaken> traps_;
    std::vector<SlotChange>* changes_ = nullptr;
    std::vector<std::uint64_t> gathered_;
};

}  // namespace pogo::model
