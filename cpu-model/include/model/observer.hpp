// What can be watched of a running model: cycles, retired instructions, traps, interrupts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "isa/spec.hpp"

namespace pogo::model {

/// One unit of memory that changed. Addresses are physical and count units.
struct MemoryChange {
    std::uint64_t address = 0;
    std::uint64_t before = 0;
    std::uint64_t value = 0;
    friend bool operator==(const MemoryChange&, const MemoryChange&) = default;
};

/// One slot of a State that was written.
struct SlotChange {
    std::uint32_t slot = 0;
    std::uint64_t before = 0;
    std::uint64_t value = 0;
    friend bool operator==(const SlotChange&, const SlotChange&) = default;
};

/// A trap that was taken.
struct TrapTaken {
    isa::CauseId cause;
    std::vector<std::uint64_t> arguments;  ///< values of Cause::parameters
    friend bool operator==(const TrapTaken&, const TrapTaken&) = default;
};

/// What went through the TLB and the caches.
struct Traffic {
    struct Walks {
        std::uint64_t count = 0;  ///< translations that loaded
        std::uint64_t loads = 0;  ///< by them
        friend bool operator==(const Walks&, const Walks&) = default;
    };
    struct Cache {
        std::uint64_t accesses = 0;  ///< one for each line that a fetch, load or store touches
        std::uint64_t misses = 0;
        friend bool operator==(const Cache&, const Cache&) = default;
    };
    Walks fetch;
    Walks data;
    Cache icache;
    Cache dcache;
    friend bool operator==(const Traffic&, const Traffic&) = default;
};

/// Why no instruction entered the execute stage in a cycle; see docs/timing.md.
enum class Stall : std::uint8_t {
    none,        ///< one did
    fetch,       ///< none was there: the pipeline refills after a flush, or fetching takes longer
    data,        ///< an element it reads is not ready
    structural,  ///< the execute stage is occupied by an instruction of several cycles
    memory,      ///< the execute stage is occupied because the memory stage is
    waiting,     ///< Spec::waiting holds
};
inline constexpr unsigned stall_kinds = 6;
[[nodiscard]] const char* name(Stall stall);

/// What a stage holds during a cycle.
struct StageView {
    enum class Content : std::uint8_t { empty, instruction, trapped, interrupt };
    Content content = Content::empty;
    std::uint64_t sequence = 0;  ///< counts fetches
    std::uint64_t pc = 0;
    isa::FormId form;  ///< invalid when nothing decodes or the fetch faults
};

struct CycleEvent {
    std::uint64_t cycle = 0;
    std::span<const StageView> stages;     ///< as in Timing::stages
    std::span<const std::uint64_t> slots;  ///< the architectural state at the end of the cycle
    Stall stall = Stall::none;
    isa::FormId blamed;      ///< data: the instruction that waits; structural, memory: the one that is in the way
    std::uint32_t mode = 0;  ///< number in Spec::modes, or how many there are: in none of them
    const Traffic* traffic = nullptr;  ///< since the spec was loaded
};

/// An instruction, trap entry or interrupt entry leaves the last stage. These events come in program order.
struct RetireEvent {
    std::uint64_t cycle = 0;
    std::uint64_t entered = 0;  ///< cycle in which it entered the execute stage
    std::uint64_t sequence = 0;
    std::uint64_t pc = 0;
    isa::FormId form;  ///< invalid when nothing decodes or the fetch faults
    std::span<const std::uint64_t> fields;
    std::span<const SlotChange> changes;  ///< writes in their order, also those that change nothing
    std::span<const MemoryChange> stores;
    std::span<const TrapTaken> traps;  ///< empty: it completed; more than one: an entry trapped itself
    std::uint32_t interrupt = 0;       ///< number in Spec::interrupts, for on_interrupt
    std::uint32_t from_mode = 0;       ///< of traps and interrupts: the mode before, as CycleEvent::mode
    std::uint32_t to_mode = 0;         ///< and behind the entry
};

struct FlushEvent {
    enum class Reason : std::uint8_t { branch, serialising, stale, trap, interrupt };
    std::uint64_t cycle = 0;
    Reason reason = Reason::branch;
    unsigned squashed = 0;  ///< instructions thrown away
    isa::FormId form;       ///< of the instruction that caused it
};
inline constexpr unsigned flush_reasons = 5;
[[nodiscard]] const char* name(FlushEvent::Reason reason);

/// Attached to a Simulator; costs nothing while none is.
class Observer {
  public:
    virtual ~Observer() = default;
    /// Called when attached and after every load of a spec.
    virtual void on_spec(const isa::Spec&) {}
    virtual void on_cycle(const CycleEvent&) {}
    virtual void on_retire(const RetireEvent&) {}
    virtual void on_trap(const RetireEvent&) {}
    virtual void on_interrupt(const RetireEvent&) {}
    virtual void on_flush(const FlushEvent&) {}
};

}  // namespace pogo::model
