// A guest of a monitor outside the machine: its virtual machine, its memory and its devices.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "memory.hpp"
#include "model/monitor.hpp"
#include "platform.hpp"

namespace pogo::model {

/// Memory as the guest's machine has it: its RAM lies somewhere in the real machine's, its devices are its own.
class GuestBus final : public Bus {
  public:
    struct Host {
        /// Where a guest's physical address is, if it has memory there.
        std::function<std::optional<std::uint64_t>(std::uint64_t address)> memory;
        Bus* real = nullptr;
        std::function<std::uint64_t()> now;  ///< the cycle
    };
    GuestBus(const isa::Spec& spec, Host host);

    void set_platform(Platform* platform) { platform_ = platform; }
    /// A page of the guest's, aligned, that is memory as a whole and lies in one piece: where it is.
    [[nodiscard]] std::optional<std::uint64_t> page(std::uint64_t address, unsigned bits);
    /// The first unit at which a device lies where the map says that there is memory, if any.
    [[nodiscard]] std::optional<std::uint64_t> hidden_device() const;

    std::optional<Window> window(std::uint64_t address, bool write) override;
    bool read(std::uint64_t address, unsigned count, std::byte* bytes) override;
    bool write(std::uint64_t address, unsigned count, const std::byte* bytes) override;

  private:
    /// Its place among `devices_`, if there is one.
    [[nodiscard]] const isa::Device* const* device_at(std::uint64_t address) const;
    /// The real address of a unit of memory.
    [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t address) const;
    bool transfer_to_device(std::uint64_t address, unsigned count, bool write, std::byte* bytes);
    const isa::Spec& spec_;
    Units format_;
    Host host_;
    std::vector<const isa::Device*> ram_;      ///< none: all that is no device
    std::vector<const isa::Device*> devices_;  ///< as Platform numbers them
    Platform* platform_ = nullptr;
    std::unordered_map<std::uint64_t, Window> windows_;  ///< by address; each around the one it was asked for
};

struct Guest {
    std::vector<std::uint64_t> constants;  ///< as VmMap::constants
    std::unique_ptr<GuestBus> bus;
    std::unique_ptr<Machine> machine;
    std::unique_ptr<Platform> platform;
    std::vector<std::uint64_t> due;  ///< by peripheral: cycle; 0: nothing is
    std::string output;
    Activity activity;
    bool running = true;
    bool driven = false;  ///< a device has changed an input
    StopReason reason = StopReason::cycles;
    std::uint64_t exit_code = 0;
    std::string broken;
    std::map<std::uint64_t, std::vector<std::uint64_t>> patched;  ///< what was there, by guest's physical address
    struct Shadow {
        std::vector<std::uint64_t> situation;  ///< slots that the guest's translation reads
        std::uint64_t root = 0;
    };
    std::vector<Shadow> shadows;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> tables;  ///< real addresses and sizes, units
    std::uint64_t fenced = 0;                                     ///< Machine::fenced() when they were empty
    unsigned fills_in_a_row = 0;

    /// Translated code. A block is found by where it begins, and holds while the guest's memory is as it was read.
    struct Block {
        std::uint64_t physical = 0;         ///< of the guest's first instruction
        std::vector<std::uint64_t> units;   ///< what was there
        std::vector<std::uint64_t> pcs;     ///< the guest's, by instruction; the exit's is the last
        std::vector<std::uint64_t> places;  ///< in the cache, likewise
    };
    std::optional<CodeCache> cache;
    std::uint64_t cache_real = 0;                                   ///< where it is in the real machine's memory
    std::uint64_t cache_used = 0;                                   ///< units
    std::map<std::uint64_t, Block> blocks;                          ///< by the guest's pc
    std::unordered_map<std::uint64_t, std::uint64_t> guest_places;  ///< the guest's pc for an address in the cache

    [[nodiscard]] std::uint64_t next_due() const;
    void stop(StopReason why) {
        if (!running) return;
        running = false;
        reason = why;
    }
};

}  // namespace pogo::model
