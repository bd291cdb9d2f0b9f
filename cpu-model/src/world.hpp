// The SystemC side: the modules of the one elaborated kernel, and what binds them to the machine that is loaded.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <tlm>
#include <unordered_map>
#include <vector>

#include "core.hpp"
#include "peripherals.hpp"

namespace pogo::model {

// TLM addresses count bytes: a unit takes 2^shift of them, see Units.

/// All of the machine's memory, allocated page by page as it is touched.
class Ram : public sc_core::sc_module {
  public:
    static constexpr unsigned page_bits = 12;

    tlm_utils::simple_target_socket<Ram> socket{"socket"};
    explicit Ram(const sc_core::sc_module_name& name);

    void set_limit(std::uint64_t bytes) { limit_ = bytes; }
    /// Everything zero, nothing allocated.
    void clear();
    /// Host memory at a byte address, up to the end of its page. Reading untouched memory shows a page of zeros;
    /// writing allocates, and returns nothing beyond the limit.
    [[nodiscard]] std::byte* at(std::uint64_t address, bool write);

  private:
    static constexpr std::uint64_t page_size = std::uint64_t{1} << page_bits;
    using Page = std::array<std::byte, page_size>;

    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);

    std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
    std::vector<std::unique_ptr<Page>> free_;
    std::unique_ptr<Page> zeros_;
    std::uint64_t limit_ = 0;
};

/// A place for one device other than RAM.
class Slot : public sc_core::sc_module {
  public:
    tlm_utils::simple_target_socket<Slot> socket{"socket"};
    SC_HAS_PROCESS(Slot);
    explicit Slot(const sc_core::sc_module_name& name);

    Peripheral* device = nullptr;  ///< not owned
    Units format;

    void schedule(std::uint64_t cycle);

  private:
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    void due();
    sc_core::sc_event event_{"event"};
    std::uint64_t due_cycle_ = 0;
};

/// Passes transactions on by address.
class Router : public sc_core::sc_module {
  public:
    static constexpr std::size_t ram_port = 0;  ///< port 1 + i leads to slot i

    tlm_utils::simple_target_socket<Router> socket{"socket"};
    sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<Router>> ports{"ports", 1 + max_devices};
    explicit Router(const sc_core::sc_module_name& name);

    /// A range of byte addresses. RAM sees addresses as they are, devices relative to their base.
    struct Range {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::size_t port = 0;
        bool over_ram = false;  ///< RAM serves the access, then the device sees it if it is a write
        [[nodiscard]] bool memory() const { return port == ram_port || over_ram; }
    };
    /// Sorted, without overlaps.
    void set_map(std::vector<Range> map) { map_ = std::move(map); }
    [[nodiscard]] const std::vector<Range>& map() const { return map_; }
    [[nodiscard]] const Range* find(std::uint64_t address) const;

  private:
    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
    void invalidate_direct_mem_ptr(int port, sc_dt::uint64 first, sc_dt::uint64 last);
    std::vector<Range> map_;
};

/// Gives the loaded core its cycles, in either view, and its bus.
class Driver : public sc_core::sc_module, public Bus {
  public:
    tlm_utils::simple_initiator_socket<Driver> socket{"socket"};
    SC_HAS_PROCESS(Driver);
    explicit Driver(const sc_core::sc_module_name& name);

    /// The core starts at cycle 0 now.
    void bind(Core* core, const Units& format);
    /// Runs the core until it stops or has reached the cycle.
    void run(View view, std::uint64_t limit);

    /// The core's cycle at the present moment of simulated time, a device's local delay included.
    [[nodiscard]] std::uint64_t cycle(const sc_core::sc_time& delay) const;
    [[nodiscard]] const sc_core::sc_time& period() const { return period_; }
    /// Simulated time at which that cycle begins.
    [[nodiscard]] sc_core::sc_time time_of(std::uint64_t cycle) const;

    std::optional<Window> window(std::uint64_t address, bool write) override;
    bool read(std::uint64_t address, unsigned count, std::byte* bytes) override;
    bool write(std::uint64_t address, unsigned count, const std::byte* bytes) override;

  private:
    void batch();
    [[nodiscard]] std::uint64_t deadline() const;
    void tick();
    bool transport(tlm::tlm_command command, std::uint64_t address, unsigned count, std::byte* bytes);
    void invalidate_direct_mem_ptr(sc_dt::uint64 first, sc_dt::uint64 last);

    const sc_core::sc_time period_{10, sc_core::SC_NS};
    sc_core::sc_time start_;  ///< of cycle 0
    Core* core_ = nullptr;
    Units format_;
    std::uint64_t limit_ = 0;
    sc_core::sc_event batch_{"batch_event"};
    sc_core::sc_event tick_{"tick_event"};
    tlm::tlm_generic_payload payload_;
};

/// Everything the kernel knows. Elaborated at first use.
struct World {
    static World& get();

    Driver driver{"core"};
    Router router{"router"};
    Ram ram{"ram"};
    sc_core::sc_vector<Slot> slots{"device", max_devices};
    bool taken = false;  ///< by a Simulator

  private:
    World();
};

}  // namespace pogo::model
