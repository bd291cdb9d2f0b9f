// The simulator: one SystemC model, elaborated once per process, of whatever Spec is loaded.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/spec.hpp"
#include "model/image.hpp"
#include "model/observer.hpp"

namespace pogo::model {

/// How the kernel is driven; both give the same cycles.
enum class View : std::uint8_t {
    clocked,  ///< one kernel event a cycle: for co-simulation
    batched,  ///< the core runs to the next event of any device at once
};

struct Config {
    View view = View::batched;
    /// Without the spec's devices: all physical addresses are memory. For replaying witnesses.
    bool bare = false;
    /// Memory is allocated as it is touched, at most this many bytes; beyond, accesses are bus errors.
    std::uint64_t memory_limit = std::uint64_t{1} << 30;
    /// An encoding executed this often gets code of its own. Changes speed only.
    unsigned specialise_after = 16;
    /// What the TLB holds stays until a fence drops it, whatever becomes of the page tables. Without, each access is
    /// translated as if by a walk of its own, as the Spec says.
    bool stale_tlb = false;
};

struct StepOptions {
    bool take_traps = true;                    ///< run the entry of a trap; else the state stays as it was
    bool interrupts = false;                   ///< an interrupt may come instead of the instruction
    std::span<const std::uint64_t> choices{};  ///< values of Meaning::choices, within their widths; missing: 0
};

struct StepOutcome {
    enum class Kind : std::uint8_t {
        completed,
        trapped,      ///< `traps` says which; the first is the instruction's own
        interrupted,  ///< `interrupt` was taken, no instruction ran
        waiting,      ///< Spec::waiting holds: nothing ran
        halted,       ///< Spec::halted holds: nothing ran
    };
    Kind kind = Kind::completed;
    isa::FormId form;  ///< invalid when nothing decoded or the fetch faulted
    std::uint64_t pc = 0;
    std::vector<TrapTaken> traps;
    std::uint32_t interrupt = 0;       ///< number in Spec::interrupts
    std::vector<MemoryChange> memory;  ///< units stored, in order, those of trap entries included
    std::uint64_t cycles = 0;          ///< from the start of its fetch until it left the last stage
    bool halted = false;               ///< Spec::halted holds afterwards
    bool double_fault = false;         ///< the entry of a trap's entry's trap trapped; the state is as before
};

struct Limits {
    static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t cycles = none;
    std::uint64_t steps = none;  ///< completed instructions, traps and interrupts together
};

enum class StopReason : std::uint8_t {
    cycles,
    steps,
    halted,
    exit,  ///< by a device, with a code
    waiting_forever,
    double_fault,
    reset,    ///< a device was asked for one
    monitor,  ///< a trap or interrupt went to a monitor outside the machine
};
[[nodiscard]] const char* name(StopReason reason);

struct RunResult {
    StopReason reason = StopReason::cycles;
    std::uint64_t exit_code = 0;  ///< what was stored to the exit device
    std::uint64_t cycles = 0;     ///< of this run
    std::uint64_t steps = 0;      ///< of this run
};

/// There is one SystemC kernel in a process and it is elaborated once, so at most one Simulator exists at a time;
/// making another after it has gone, or loading another spec, reuses the kernel. Time is counted in cycles; a cycle
/// is 10 ns of SystemC time. Addresses of memory are physical and count units.
class Simulator {
  public:
    explicit Simulator(Config config = {});
    ~Simulator();
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;

    /// Takes on another machine: all registers and memory zero, devices as after power-on. The spec must live as long
    /// as it is loaded. An error (as text) says why the platform or timing cannot be built; then nothing is loaded.
    [[nodiscard]] std::optional<std::string> load(const isa::Spec& spec);
    /// Puts an image into memory; the pc is left alone.
    [[nodiscard]] std::optional<LoadError> load(const Image& image);
    /// Lays a host-target interface (model/devices.hpp) over memory at an address that the spec does not declare, such
    /// as that of a program's symbol; until the next load of a spec. Without `fromhost` it answers no system calls. An
    /// error (as text) says why it cannot be there.
    [[nodiscard]] std::optional<std::string> attach_htif(std::uint64_t tohost,
                                                         std::optional<std::uint64_t> fromhost = std::nullopt);
    /// Runs Spec::reset from a state of zeros. Memory stays.
    void reset();

    [[nodiscard]] const isa::Spec& spec() const;
    void set_view(View view);
    /// The architectural state, in place; valid until the next load of a spec.
    [[nodiscard]] std::span<const std::uint64_t> slots() const;
    [[nodiscard]] isa::State state() const;
    /// Replaces the state and empties the pipeline. Bits beyond an element's width are dropped.
    void set_state(const isa::State& state);
    void set_state(std::span<const std::uint64_t> slots);

    /// One unit; zero where there is no memory.
    [[nodiscard]] std::uint64_t peek(std::uint64_t address) const;
    /// False where there is no memory. Bits beyond a unit's width are dropped.
    bool poke(std::uint64_t address, std::uint64_t value);
    /// All of memory to zero, nothing in the caches.
    void clear_memory();

    /// Executes exactly one instruction through an empty pipeline: what was fetched but not yet executed is dropped.
    [[nodiscard]] StepOutcome step(const StepOptions& options = {});
    void step(const StepOptions& options, StepOutcome& outcome);  ///< reuses the vectors of `outcome`
    /// Goes on from where the last run stopped, with the instructions then in flight.
    [[nodiscard]] RunResult run(const Limits& limits = {});

    /// After a run that will not go on: observers see the instructions that have had their effects but are still in the
    /// pipeline retire, in the cycle in which the run has ended.
    void retire_all();

    [[nodiscard]] std::uint64_t cycles() const;      ///< since the spec was loaded
    [[nodiscard]] std::uint64_t bus_errors() const;  ///< accesses outside memory and devices since then
    /// Text written to all UARTs and the host-target interface since the last call.
    [[nodiscard]] std::string take_uart_output();
    /// What the first device that takes input will read.
    void uart_input(std::string_view text);

    /// Observers are not owned and must be detached before they go.
    void attach(Observer& observer);
    void detach(Observer& observer);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pogo::model
