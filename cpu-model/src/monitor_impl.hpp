// What runs guests in turn: the real machine, its page tables, what time it is there.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "guest.hpp"
#include "isa/require.hpp"
#include "isa/walk.hpp"
#include "model/monitor.hpp"
#include "vm_function.hpp"
#include "world.hpp"

namespace pogo::model {

struct Monitor::Impl final : Clock {
    World& world = World::get();
    const isa::Spec& spec;
    const isa::VmMap* map;
    MonitorConfig config;
    std::optional<VmFunction> function;
    std::unique_ptr<Core> core;       ///< the real machine, made with the first guest
    std::unique_ptr<Memory> memory;   ///< the real machine's
    std::vector<std::uint64_t> base;  ///< its state before any guest runs: the monitor's registers
    std::vector<std::unique_ptr<Guest>> guests;
    std::size_t turn = 0;
    Guest* current = nullptr;  ///< runs on the real machine now

    // The monitor's page tables lie in the upper half of the real machine's memory.
    std::uint64_t next_table;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> free_tables;
    isa::Walk walk;
    std::vector<isa::Word> walk_values;

    // Where the map says what time it is on the real machine.
    std::optional<std::size_t> time_entry;  ///< into VmMap::map
    std::optional<std::uint64_t> wake_wanted;
    std::uint64_t wake_cycle = ~std::uint64_t{0};
    std::uint64_t timebase = 1;

    Impl(const isa::Spec& machine, const isa::VmMap* vm_map, const MonitorConfig& settings)
        : spec(machine),
          map(vm_map),
          config(settings),
          next_table(std::uint64_t{1} << (machine.physical_width - 1)),
          walk(machine),
          walk_values(machine.terms.variable_count(), 0) {
        POGO_REQUIRE(!world.taken);  // one Simulator or Monitor at a time
        world.taken = true;
        world.ram.set_limit(config.memory_limit);
        if (map != nullptr) function.emplace(spec, *map);
    }
    ~Impl() override {
        guests.clear();
        world.driver.bind(nullptr, {});
        world.router.set_map({});
        world.ram.clear();
        world.taken = false;
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    [[nodiscard]] bool in_place() const { return map == nullptr || (!map->memory.valid() && !map->tables); }
    std::optional<std::string> set_constants(Guest& guest, const Constants& given) const;
    std::optional<std::string> build(Guest& guest);
    void build_real(Bus& bus);
    void build_platform(Guest& guest);
    void execute(Guest& guest, std::uint64_t end);
    void direct(Guest& guest, std::size_t mode, std::uint64_t end, const Guest::Block* translated);
    bool goes_on(Guest& guest);
    void leave(Guest& guest);
    void interpret(Guest& guest, bool after_exit);
    void account(Guest& guest, Machine::Outcome outcome, const Fetched& fetched, bool after_exit);
    void deliver(Guest& guest, std::uint32_t interrupt) const;
    void fire(Guest& guest) const;
    void pass(std::uint64_t cycles) const { core->skip_to(core->cycle() + cycles); }
    [[nodiscard]] std::uint64_t now() const { return core->cycle(); }

    void map_memory(Guest& guest);
    std::uint64_t root(Guest& guest);
    bool fill(Guest& guest, const Machine::Attempt& attempt);
    bool insert(Guest& guest, std::uint64_t address, unsigned access, std::uint64_t to, std::array<bool, 3> rights);
    std::uint64_t table(Guest& guest, std::uint64_t units);
    void drop_tables(Guest& guest);
    void set_root(Guest& guest, std::uint64_t at) const;

    [[nodiscard]] bool translates(const Guest& guest, std::size_t mode) const;
    Guest::Block* block(Guest& guest) const;
    bool load_cache(Guest& guest, Guest::Block& block) const;

    std::uint64_t time() override;
    void wake(std::optional<std::uint64_t> wanted) override;
};

}  // namespace pogo::model
