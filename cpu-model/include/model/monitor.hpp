// A monitor outside the machine: any machine whose Spec has a VM map runs guests under it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isa/spec.hpp"
#include "model/image.hpp"
#include "model/simulator.hpp"

namespace pogo::model {

struct MonitorConfig {
    View view = View::batched;
    std::uint64_t memory_limit = std::uint64_t{1} << 30;  ///< bytes, of the real machine
    unsigned specialise_after = 16;
    std::uint64_t quantum = 10'000;     ///< cycles that a guest runs before it is another's turn
    std::uint64_t exit_cycles = 100;    ///< what it costs to leave the guest and to enter it again, beside the trap
    std::uint64_t routine_cycles = 50;  ///< what an interpretive routine, or interpreting one instruction, costs
};

/// What a guest's run was made of.
struct Activity {
    std::uint64_t direct = 0;                   ///< instructions that the real machine executed
    std::uint64_t emulated = 0;                 ///< that trapped and completed by an interpretive routine
    std::uint64_t interpreted = 0;              ///< in modes that do not run directly
    std::uint64_t kept = 0;                     ///< traps and interrupts that the real machine gave to the guest itself
    std::uint64_t reflected = 0;                ///< traps that the monitor gave to the guest, as its machine would have
    std::uint64_t blocks = 0;                   ///< translated
    std::uint64_t interrupts = 0;               ///< that the monitor gave to the guest
    std::uint64_t fills = 0;                    ///< exits that were the monitor's own: a page of its tables was missing
    std::uint64_t exits = 0;                    ///< from direct execution, by traps and real interrupts
    std::vector<std::uint64_t> exits_by_cause;  ///< as Spec::causes
    std::vector<std::uint64_t> by_instruction;  ///< emulated, as Spec::instructions
    std::uint64_t direct_cycles = 0;
    std::uint64_t trap_cycles = 0;     ///< of the hardware, for exits
    std::uint64_t monitor_cycles = 0;  ///< as MonitorConfig says
    std::uint64_t idle_cycles = 0;     ///< waiting for an interrupt; while several guests share, of all of them

    [[nodiscard]] std::uint64_t instructions() const { return direct + emulated + interpreted; }
    [[nodiscard]] std::uint64_t cycles() const { return direct_cycles + trap_cycles + monitor_cycles + idle_cycles; }
    [[nodiscard]] double direct_share() const { return per_instruction(direct); }
    [[nodiscard]] double exits_per_thousand() const { return 1000 * per_instruction(exits); }

  private:
    [[nodiscard]] double per_instruction(std::uint64_t number) const {
        return instructions() == 0 ? 0 : static_cast<double>(number) / static_cast<double>(instructions());
    }
};

using GuestId = std::size_t;

/// Binary translation: in some modes of the guest's what runs is a copy of its code, block by block, in which only
/// instructions are that mean the same wherever they lie; all others are the monitor's.
struct CodeCache {
    std::vector<bool> copied;         ///< by FormId
    std::vector<std::uint64_t> exit;  ///< parcels that go to the monitor from every state of the guest's
    std::vector<isa::ModeId> modes;   ///< of the virtual machine
    std::uint64_t address = 0;  ///< in the guest's memory, which it has to leave alone; as the guest sees it there
    std::uint64_t units = 0;
};

/// Popek and Goldberg's monitor (section 3 of the paper), with one part for all machines:
///
///   dispatcher              a trap or interrupt that would leave the modes of the map stops the real machine
///   allocator               before the guest goes on, the registers of the real machine are f of the virtual ones
///   interpretive routines   one instruction of the guest's machine as its Spec says, on the virtual state
///
/// What the routine does may complete (the instruction was privileged), or trap: then the trap is the guest's own, and
/// its entry runs on the virtual state. Modes that the map does not name run so altogether (the hybrid monitor of
/// section 7). Where page tables are the monitor's (VmMap::tables), they are made up in the real machine's memory.
///
/// Each guest has the devices of the Spec's platform for itself; where the map says where its memory lies, the real
/// machine has nothing but memory, else its devices, too, are reached directly. Time is the real machine's.
///
/// After each stretch of direct execution the real state is held against f of what the virtual state has become. A
/// difference is a broken obligation: the run stops and `broken` says which.
///
/// Uses the one SystemC kernel, as Simulator does: at most one of either exists at a time.
class Monitor {
  public:
    /// Without a map all instructions are interpreted. Spec and map must outlive it.
    Monitor(const isa::Spec& spec, const isa::VmMap* map, MonitorConfig config = {});
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    /// Values of VmMap::constants by name, but for the root of its tables. An error (as text) says what is wrong with
    /// them, or why the machine cannot be built.
    using Constants = std::vector<std::pair<std::string, std::uint64_t>>;
    [[nodiscard]] std::optional<std::string> add_guest(const Constants& constants);
    [[nodiscard]] std::size_t guests() const;

    // One guest's machine. Addresses of memory are the guest's physical ones and count units.
    [[nodiscard]] std::optional<LoadError> load(GuestId guest, const Image& image);
    /// Spec::reset from a state of zeros; memory stays.
    void reset(GuestId guest);
    [[nodiscard]] isa::State state(GuestId guest) const;
    void set_state(GuestId guest, const isa::State& state);
    [[nodiscard]] std::uint64_t peek(GuestId guest, std::uint64_t address) const;
    /// False where the guest has no memory.
    bool poke(GuestId guest, std::uint64_t address, std::uint64_t value);
    void input(GuestId guest, std::string_view text);
    [[nodiscard]] std::string take_output(GuestId guest);
    /// Puts units into the guest's memory that trap to the monitor, which executes in their place what was there.
    bool patch(GuestId guest, std::uint64_t address, const std::vector<std::uint64_t>& units);
    /// From here on the guest's code is translated. With page tables of the monitor's the cache has a place of its own
    /// behind the address, which only fetches reach; else it lies in the guest's memory, and where the guest's
    /// relocation does not lead there, instructions are interpreted.
    void translate(GuestId number, CodeCache cache);

    /// Runs guests in turn until all have stopped, or for so many cycles.
    void run(std::uint64_t cycles = Limits::none);
    /// Why the guest is not running any more: `cycles` if it still is.
    [[nodiscard]] StopReason reason(GuestId guest) const;
    [[nodiscard]] std::uint64_t exit_code(GuestId guest) const;
    /// What was not as the map says, if so.
    [[nodiscard]] const std::string& broken(GuestId guest) const;
    [[nodiscard]] const Activity& activity(GuestId guest) const;
    [[nodiscard]] std::uint64_t cycles() const;  ///< of the real machine
    /// Accesses outside of memory and devices, of guests directly and by routines.
    [[nodiscard]] std::uint64_t bus_errors() const;
    /// A unit of the real machine's memory.
    [[nodiscard]] std::uint64_t peek_real(std::uint64_t address) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pogo::model
