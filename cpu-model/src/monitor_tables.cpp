// Allocator: where guests' memory and translated code lie on the real machine.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "monitor_impl.hpp"

namespace pogo::model {

using isa::Access;

// ---- Translated code ------------------------------------------------------------------------------------------------

bool Monitor::Impl::translates(const Guest& guest, std::size_t mode) const {
    return guest.cache && std::find(guest.cache->modes.begin(), guest.cache->modes.end(), map->modes[mode].first) !=
                              guest.cache->modes.end();
}

// The block that begins at the guest's pc, translated if it is not there or the guest has changed it. Nothing where the
// first instruction is the monitor's.
Guest::Block* Monitor::Impl::block(Guest& guest) const {
    Machine& machine = *guest.machine;
    const std::uint64_t start = machine.pc();
    const auto units_at = [&](std::uint64_t physical, std::size_t count) {
        std::vector<std::uint64_t> units;
        for (std::size_t i = 0; i < count; ++i) units.push_back(machine.memory().load_narrow(physical + i, 1));
        return units;
    };
    Fetched fetched;
    machine.fetch(start, fetched);
    const auto copied = [&] {
        return fetched.operation != nullptr && fetched.contiguous && !fetched.bus_error &&
               fetched.operation->form.valid() && guest.cache->copied[fetched.operation->form.index];
    };
    if (!copied()) return nullptr;
    if (const auto known = guest.blocks.find(start);
        known != guest.blocks.end() && known->second.physical == fetched.physical &&
        units_at(fetched.physical, known->second.units.size()) == known->second.units)
        return &known->second;
    constexpr std::size_t longest = 64;  // instructions
    Guest::Block made;
    made.physical = fetched.physical;
    std::uint64_t pc = start;
    while (made.pcs.size() < longest && copied() && fetched.physical == made.physical + made.units.size()) {
        const auto units = units_at(fetched.physical, fetched.operation->length);
        made.places.push_back(made.units.size());
        made.units.insert(made.units.end(), units.begin(), units.end());
        made.pcs.push_back(pc);
        pc = (pc + fetched.operation->length) & machine.pc_mask();
        machine.fetch(pc, fetched);
    }
    made.pcs.push_back(pc);
    made.places.push_back(made.units.size());
    if (!load_cache(guest, made)) return nullptr;
    ++guest.activity.blocks;
    guest.activity.monitor_cycles += config.routine_cycles * made.pcs.size();
    pass(config.routine_cycles * made.pcs.size());
    return &(guest.blocks[start] = std::move(made));
}

// Puts the block's code and its exit into the cache, empty if it was full. False where it never fits.
bool Monitor::Impl::load_cache(Guest& guest, Guest::Block& block) const {
    const std::uint64_t parcel = spec.parcel_units;
    const std::uint64_t size = (block.units.size() + guest.cache->exit.size() * parcel + parcel - 1) / parcel * parcel;
    if (size > guest.cache->units) return false;
    if (guest.cache_used + size > guest.cache->units) {
        guest.cache_used = 0;
        guest.blocks.clear();
        guest.guest_places.clear();
    }
    std::uint64_t at = guest.cache_real + guest.cache_used;
    for (const auto unit : block.units) memory->store(at++, 1, unit);
    for (const auto bits : guest.cache->exit) {
        memory->store(at, spec.parcel_units, bits);
        at += parcel;
    }
    for (std::size_t i = 0; i < block.places.size(); ++i) {
        block.places[i] += guest.cache->address + guest.cache_used;
        guest.guest_places[block.places[i]] = block.pcs[i];
    }
    guest.cache_used += size;
    core->machine().forget_walks();
    return true;
}

// ---- The monitor's page tables --------------------------------------------------------------------------------------

std::uint64_t Monitor::Impl::table(Guest& guest, std::uint64_t units) {
    std::uint64_t at = 0;
    const auto fits =
        std::find_if(free_tables.begin(), free_tables.end(), [&](const auto& free) { return free.second == units; });
    if (fits != free_tables.end()) {
        at = fits->first;
        free_tables.erase(fits);
    } else {
        at = (next_table + units - 1) / units * units;
        next_table = at + units;
    }
    for (std::uint64_t i = 0; i < units; ++i) memory->store(at + i, 1, 0);
    guest.tables.emplace_back(at, units);
    return at;
}

void Monitor::Impl::drop_tables(Guest& guest) {
    free_tables.insert(free_tables.end(), guest.tables.begin(), guest.tables.end());
    guest.tables.clear();
    guest.shadows.clear();
    core->machine().forget_walks();
}

void Monitor::Impl::set_root(Guest& guest, std::uint64_t at) const {
    for (std::size_t i = 0; i < map->constants.size(); ++i)
        if (map->constants[i] == map->tables->root) guest.constants[i] = at;
}

// Tables of their own for each situation that the guest's translation can be in, as far as they are remembered.
std::uint64_t Monitor::Impl::root(Guest& guest) {
    std::vector<std::uint64_t> situation;
    const auto slots = guest.machine->slots();
    for (const auto element : spec.translation.reads)
        for (unsigned i = 0; i < spec[element].slots(); ++i) situation.push_back(slots[spec[element].slot + i]);
    for (const auto& shadow : guest.shadows)
        if (shadow.situation == situation) return shadow.root;
    constexpr std::size_t most_situations = 64;
    if (guest.shadows.size() == most_situations) drop_tables(guest);
    guest.shadows.push_back({std::move(situation), table(guest, map->tables->units)});
    return guest.shadows.back().root;
}

// Lets the real machine's walk for this access end where the guest's does. False: the fault is the guest's own, or
// what it accesses is not memory.
bool Monitor::Impl::fill(Guest& guest, const Machine::Attempt& attempt) {
    if (attempt.access > static_cast<unsigned>(Access::store)) return false;
    Machine& machine = *guest.machine;
    if (guest.cache && attempt.address - guest.cache->address < guest.cache->units) {
        if (attempt.access != static_cast<unsigned>(Access::fetch)) return false;
        core->machine().forget_walks();
        const std::uint64_t offset = (attempt.address - guest.cache->address) >> spec.translation.page
                                                                                     << spec.translation.page;
        return insert(guest, guest.cache->address + offset, attempt.access, guest.cache_real + offset,
                      {true, false, false});
    }
    const auto target = machine.physical(attempt);
    const unsigned bits = spec.translation.page;
    if (!target) return false;
    const auto to = guest.bus->page(*target, bits);
    if (!to) return false;
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    std::array<bool, 3> rights{};
    for (unsigned access = 0; access < rights.size(); ++access) {
        const auto at = machine.physical({attempt.address & ~mask, access, 1});
        rights[access] = at && *at == (*target & ~mask);
    }
    core->machine().forget_walks();
    return insert(guest, attempt.address & ~mask, attempt.access, *to, rights);
}

bool Monitor::Impl::insert(Guest& guest, std::uint64_t address, unsigned access, std::uint64_t to,
                           std::array<bool, 3> rights) {
    const auto slots = core->machine().slots();
    lay_out(spec, slots, walk_values);
    isa::Concrete<isa::Word, StateLeaves> domain;
    domain.values = walk_values;
    domain.slots = slots;
    struct Step {
        std::uint64_t address;
        unsigned units;
    };
    std::vector<Step> steps;
    for (unsigned round = 0; round <= map->tables->levels + 1; ++round) {
        steps.clear();
        const auto end = walk.run(domain, walk_values, address, access, 1, [&](std::uint64_t physical, unsigned units) {
            steps.push_back({physical, units});
            return memory->load(physical, units);
        });
        if (end && *end == to) return true;
        if (steps.empty() || steps.size() > map->tables->levels) break;
        const bool last = steps.size() == map->tables->levels;
        const std::uint64_t entry = last ? function->page(to, rights[0], rights[1], rights[2])
                                         : function->table(table(guest, std::uint64_t{1} << spec.translation.page));
        memory->store(steps.back().address, steps.back().units, entry);
    }
    guest.broken = fmt::format("the monitor's page tables, as the VM map {} says, do not lead from {:#x} to {:#x}",
                               map->name, address, to);
    guest.stop(StopReason::monitor);
    return false;
}

// All of the guest's memory, with its own translation off: that is how its machine is after a reset.
void Monitor::Impl::map_memory(Guest& guest) {
    const unsigned bits = spec.translation.page;
    set_root(guest, table(guest, map->tables->units));
    std::vector<std::uint64_t> machine(guest.machine->slots().begin(), guest.machine->slots().end());
    for (const auto& part : spec[map->modes.front().first].cube)
        machine[spec[part.element].slot] = static_cast<std::uint64_t>(part.value);
    std::vector<std::uint64_t> real = base;
    function->image(machine, guest.constants, 0, real);
    core->machine().set_state(real);
    for (const auto& device : spec.platform.devices) {
        if (device.kind != isa::Device::Kind::ram) continue;
        for (std::uint64_t offset = 0; offset < device.size; offset += std::uint64_t{1} << bits) {
            if (!function->memory(device.base + offset, guest.constants)) continue;
            const auto to = guest.bus->page(device.base + offset, bits);
            if (to &&
                !insert(guest, device.base + offset, static_cast<unsigned>(Access::load), *to, {true, true, true}))
                return;
        }
    }
    core->machine().forget_walks();
}

}  // namespace pogo::model
