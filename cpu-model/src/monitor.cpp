// Dispatcher, allocator and interpretive routines, and guests in turn.
// SPDX-License-Identifier: Apache-2.0
#include "model/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "guest.hpp"
#include "isa/require.hpp"
#include "isa/walk.hpp"
#include "vm_function.hpp"
#include "world.hpp"

namespace pogo::model {

using isa::Access;

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

// ---- Building -------------------------------------------------------------------------------------------------------

std::optional<std::string> Monitor::Impl::set_constants(Guest& guest, const Constants& given) const {
    if (map == nullptr) {
        if (!given.empty()) return fmt::format("there is no VM map, so no constant `{}`", given.front().first);
        return std::nullopt;
    }
    std::string missing;
    std::string names;
    for (const auto constant : map->constants) {
        const std::string name = spec.terms.name(constant).substr(map->name.size() + 1);
        const bool is_root = map->tables && map->tables->root == constant;
        if (!is_root) names += (names.empty() ? "" : ", ") + name;
        const auto found = std::find_if(given.begin(), given.end(), [&](const auto& g) { return g.first == name; });
        const unsigned width = spec.terms.sort(constant).width;
        if (found == given.end()) {
            if (!is_root) missing += (missing.empty() ? "" : ", ") + name;
            guest.constants.push_back(0);
            continue;
        }
        if (is_root) return fmt::format("the monitor chooses `{}` itself", name);
        if ((found->second & ~static_cast<std::uint64_t>(isa::ones(width))) != 0)
            return fmt::format("`{}` has {} bits", name, width);
        guest.constants.push_back(found->second);
    }
    for (const auto& [name, value] : given) {
        const bool known = std::any_of(
            map->constants.begin(), map->constants.end(),
            [&, wanted = &name](auto constant) { return spec.terms.name(constant) == map->name + "." + *wanted; });
        if (!known)
            return fmt::format("the VM map {} has no constant `{}`; it has {}", map->name, name,
                               names.empty() ? "none" : names);
    }
    if (!missing.empty()) return fmt::format("the VM map {} needs a value for: {}", map->name, missing);
    return std::nullopt;
}

void Monitor::Impl::build_real(Bus& bus) {
    Config settings;
    settings.specialise_after = config.specialise_after;
    settings.stale_tlb = true;
    core = std::make_unique<Core>(spec, bus, settings);
    memory = std::make_unique<Memory>(spec, bus);
    world.driver.bind(core.get(), Units(spec));
    Machine& real = core->machine();
    real.reset();
    if (map != nullptr) {
        std::vector<std::vector<isa::Mode::Part>> modes;
        for (const auto& mode : map->modes) modes.push_back(spec[mode.second].cube);
        real.perform(map->monitor);
        real.set_guest_modes(std::move(modes));
        if (const auto time = time_input(spec))
            for (std::size_t i = 0; i < map->map.size(); ++i)
                if (map->map[i].element == *time) time_entry = i;
        if (time_entry) real.set_clock(this);
        for (const auto& device : spec.platform.devices)
            if (device.kind == isa::Device::Kind::clint) timebase = std::max(device.timebase, 1U);
    }
    base.assign(real.slots().begin(), real.slots().end());
}

std::optional<std::string> Monitor::Impl::build(Guest& guest) {
    if (auto error = Core::unfit(spec.timing)) return error;
    if (auto error = misread(spec)) return error;
    if (function)
        if (auto error = function->unfit()) return error;
    for (const auto& device : spec.platform.devices)
        if (isa::device_kind(device.kind).over_ram)
            return fmt::format("device {} lies over memory: a monitor does not see its accesses", device.name);
    if (in_place() && !guests.empty())
        return map == nullptr
                   ? "without a VM map there can be one guest only"
                   : fmt::format("the VM map {} does not say where a guest's memory lies, so there can be one only",
                                 map->name);
    GuestBus::Host host;
    host.real = &world.driver;
    host.now = [this] { return now(); };
    host.memory = [this, &guest](std::uint64_t address) {
        return function ? function->memory(address, guest.constants) : address;
    };
    guest.bus = std::make_unique<GuestBus>(spec, std::move(host));
    if (!in_place())
        if (const auto at = guest.bus->hidden_device())
            return fmt::format("the guest has both memory and a device at address {:#x}", *at);
    if (core == nullptr) {
        const Units units(spec);
        const auto last = static_cast<std::uint64_t>(isa::ones(spec.physical_width));
        const std::uint64_t unit = (std::uint64_t{1} << units.shift) - 1;
        world.router.set_map({{0, std::min(last, ~std::uint64_t{0} >> units.shift) << units.shift | unit}});
        if (in_place())
            build_real(*guest.bus);
        else
            build_real(world.driver);
    }
    guest.machine = std::make_unique<Machine>(spec, *guest.bus, config.specialise_after, true);
    build_platform(guest);
    for (const auto& count : spec.platform.counts) {
        const bool cycles = count.output == isa::Platform::cycles;
        guest.machine->supply(count.input,
                              [this, cycles, &guest] { return cycles ? now() : guest.activity.instructions(); });
    }
    guest.activity.exits_by_cause.resize(spec.causes.size());
    guest.activity.by_instruction.resize(spec.instructions.size());
    guest.machine->reset();
    guest.platform->drive_again();
    if (map != nullptr && map->tables && !map->tables->shadow) map_memory(guest);
    if (!guest.broken.empty()) return guest.broken;
    return std::nullopt;
}

void Monitor::Impl::build_platform(Guest& guest) {
    Platform::Host host;
    // What a device does while its guest runs directly is noticed before the next instruction.
    const auto look = [this, &guest] {
        if (current == &guest) core->stop(StopReason::cycles);
    };
    host.now = [this] { return now(); };
    host.schedule = [&guest, look](std::size_t number, std::uint64_t cycle) {
        if (guest.due.size() <= number) guest.due.resize(number + 1, 0);
        guest.due[number] = cycle;
        look();
    };
    host.print = [&guest](char character) { guest.output.push_back(character); };
    host.exit = [&guest, look](std::uint64_t code) {
        guest.exit_code = code;
        guest.stop(StopReason::exit);
        look();
    };
    host.restart = [&guest, look] {
        guest.stop(StopReason::reset);
        look();
    };
    host.driven = [&guest, look] {
        guest.driven = true;
        look();
    };
    guest.platform = std::make_unique<Platform>(spec, *guest.machine, std::move(host));
    guest.bus->set_platform(guest.platform.get());
}

// ---- Time -----------------------------------------------------------------------------------------------------------

void Monitor::Impl::fire(Guest& guest) const {
    for (std::size_t i = 0; i < guest.due.size(); ++i)
        if (const std::uint64_t cycle = guest.due[i]; cycle != 0 && cycle <= now()) {
            guest.due[i] = 0;
            guest.platform->peripheral(i).due(cycle);
        }
}

std::uint64_t Monitor::Impl::time() {
    if (current == nullptr) return 0;
    current->machine->read_clock();
    return function->mapped(*time_entry, current->machine->slots(), current->constants);
}

// Time passes on the real machine as on the virtual one.
void Monitor::Impl::wake(std::optional<std::uint64_t> wanted) {
    if (current == nullptr || wanted == wake_wanted) return;
    wake_wanted = wanted;
    wake_cycle = ~std::uint64_t{0};
    if (!wanted) return;
    const std::uint64_t ticks = *wanted - time();
    constexpr std::uint64_t never = std::uint64_t{1} << 48;
    if (ticks < never / timebase) wake_cycle = (now() / timebase + ticks) * timebase;
    core->stop(StopReason::cycles);
}

// ---- Running --------------------------------------------------------------------------------------------------------

// The guest's time has come to where a device had something to do, or something on the real machine changes with it.
// Whether it runs on as it was.
bool Monitor::Impl::goes_on(Guest& guest) {
    Guest* const running = std::exchange(current, nullptr);
    guest.driven = false;
    fire(guest);
    guest.machine->reconsider();
    if (!guest.running || guest.driven || guest.machine->halted() ||
        guest.machine->pending_interrupt() != Machine::no_interrupt)
        return false;
    current = running;
    if (now() >= wake_cycle) {
        wake_wanted.reset();
        wake_cycle = ~std::uint64_t{0};
        core->machine().time_changed();
    }
    return true;
}

// One guest, until it waits, has stopped, or its time is over.
void Monitor::Impl::execute(Guest& guest, std::uint64_t end) {
    Machine& machine = *guest.machine;
    while (guest.running && now() < end) {
        fire(guest);
        if (!guest.running) return;
        machine.reconsider();
        if (machine.halted()) return guest.stop(StopReason::halted);
        if (const auto interrupt = machine.pending_interrupt(); interrupt != Machine::no_interrupt) {
            deliver(guest, interrupt);
            continue;
        }
        if (machine.waiting()) return;
        std::optional<std::size_t> mode;
        if (function) {
            machine.read_clock();
            mode = function->runs(machine.slots(), guest.constants);
        }
        const bool code = mode && translates(guest, *mode);
        const Guest::Block* const translated = code ? block(guest) : nullptr;
        if (mode && (!code || translated != nullptr))
            direct(guest, *mode, end, translated);
        else
            interpret(guest, false);
    }
}

void Monitor::Impl::deliver(Guest& guest, std::uint32_t interrupt) const {
    ++guest.activity.interrupts;
    guest.activity.monitor_cycles += config.routine_cycles;
    pass(config.routine_cycles);
    if (guest.machine->interrupt(interrupt) == Machine::Outcome::double_fault) guest.stop(StopReason::double_fault);
}

void Monitor::Impl::direct(Guest& guest, std::size_t mode, std::uint64_t end, const Guest::Block* translated) {
    Machine& machine = *guest.machine;
    Machine& real = core->machine();
    if (map->tables && map->tables->shadow) set_root(guest, root(guest));
    const std::vector<std::uint64_t> before(machine.slots().begin(), machine.slots().end());
    std::vector<std::uint64_t> state = base;
    function->image(before, guest.constants, mode, state);
    const std::uint32_t pc = spec[spec.pc].slot;
    if (translated != nullptr) {
        state[pc] = translated->places.front();
        real.set_state(state);
        const auto there = real.physical({state[pc], static_cast<unsigned>(Access::fetch), spec.parcel_units});
        const bool shadowed = map->tables && map->tables->shadow;
        if (!shadowed && (!there || *there != guest.cache_real + (state[pc] - guest.cache->address)))
            return interpret(guest, false);
    }
    current = &guest;
    wake_wanted.reset();
    wake_cycle = ~std::uint64_t{0};
    real.set_state(state);
    core->empty_pipeline();
    const std::uint64_t first_cycle = now();
    const std::uint64_t first_step = core->steps();
    const std::uint64_t first_retired = core->retired();
    do {
        real.reconsider();  // which says until when, and may stop what has not begun
        core->begin_run(Limits::none);
        const std::uint64_t until = std::min({end, wake_cycle, guest.next_due()});
        if (!core->stopped()) world.driver.run(config.view, std::max(now() + 1, until));
    } while (core->stop_reason() == StopReason::cycles && now() < end && goes_on(guest));
    current = nullptr;
    Activity& activity = guest.activity;
    const bool left = core->stop_reason() == StopReason::monitor;
    const std::uint64_t retired = core->retired() - first_retired;
    activity.direct += retired;
    activity.kept += core->steps() - first_step - retired - (left ? 1 : 0);
    activity.direct_cycles += now() - first_cycle;
    if (retired != 0) guest.fills_in_a_row = 0;

    std::vector<std::uint64_t> end_state(real.slots().begin(), real.slots().end());
    if (translated != nullptr)
        if (const auto place = guest.guest_places.find(end_state[pc]); place != guest.guest_places.end())
            end_state[pc] = place->second;
    std::vector<std::uint64_t> then(machine.slots().begin(), machine.slots().end());
    const auto after = function->back(end_state, mode, then);
    machine.set_state(then);
    machine.forget_walks();
    if (after) {
        // What devices have driven meanwhile is for the next time.
        for (const auto& element : spec.elements)
            if (element.input) std::copy_n(before.begin() + element.slot, element.slots(), then.begin() + element.slot);
        state = base;
        function->image(then, guest.constants, *after, state);
        if (const auto element = function->differs(end_state, state)) {
            const isa::Element& which = spec[*element];
            guest.broken = fmt::format("{} of the real machine is {:#x}, but the VM map {} says {:#x}", which.name,
                                       end_state[which.slot], map->name, state[which.slot]);
        }
    } else {
        guest.broken = "the real machine is in a mode in which the VM map lets no guest run";
    }
    if (!guest.broken.empty()) return guest.stop(StopReason::monitor);
    core->empty_pipeline();
    switch (core->stop_reason()) {
        case StopReason::cycles:
        case StopReason::exit:
        case StopReason::waiting_forever:
            return;
        case StopReason::halted:
            return guest.stop(StopReason::halted);
        case StopReason::double_fault:
            return guest.stop(StopReason::double_fault);
        case StopReason::monitor:
            return leave(guest);
        case StopReason::steps:
        case StopReason::reset:
            POGO_UNREACHABLE("nobody stops the real machine so");
    }
}

// The dispatcher: the real machine is where the guest's instruction would begin.
void Monitor::Impl::leave(Guest& guest) {
    Activity& activity = guest.activity;
    const Machine& real = core->machine();
    const bool trap = !real.traps().empty();
    const std::uint64_t cost = std::max(trap ? spec.timing.trap_cycles : spec.timing.interrupt_cycles, 1U);
    ++activity.exits;
    activity.trap_cycles += cost;
    activity.monitor_cycles += config.exit_cycles;
    pass(cost + config.exit_cycles);
    if (trap) ++activity.exits_by_cause[real.traps().back().cause.index];
    constexpr unsigned most_fills = 16;  // of one instruction; more means that its accesses exclude each other
    if (trap && real.refused() && map->tables && map->tables->shadow && guest.fills_in_a_row < most_fills &&
        fill(guest, *real.refused())) {
        ++guest.fills_in_a_row;
        ++activity.fills;
        activity.monitor_cycles += config.routine_cycles;
        return pass(config.routine_cycles);
    }
    if (!guest.running) return;
    fire(guest);  // time has passed
    guest.machine->reconsider();
    if (!trap && guest.machine->pending_interrupt() != Machine::no_interrupt) return;
    interpret(guest, true);
}

void Monitor::Impl::interpret(Guest& guest, bool after_exit) {
    Machine& machine = *guest.machine;
    guest.activity.monitor_cycles += config.routine_cycles;
    pass(std::max<std::uint64_t>(config.routine_cycles, 1));
    guest.fills_in_a_row = 0;
    auto patched = guest.patched.end();
    if (!guest.patched.empty()) {
        const auto address_mask = static_cast<std::uint64_t>(isa::ones(spec.address_width));
        const auto at =
            machine.physical({machine.pc() & address_mask, static_cast<unsigned>(Access::fetch), spec.parcel_units});
        if (at) patched = guest.patched.find(*at);
    }
    // What stands in the instruction's place and what was there change places.
    const auto exchange = [&] {
        if (patched == guest.patched.end()) return;
        for (std::size_t i = 0; i < patched->second.size(); ++i) {
            const std::uint64_t unit = machine.memory().load_narrow(patched->first + i, 1);
            machine.memory().store(patched->first + i, 1, patched->second[i]);
            patched->second[i] = unit;
        }
    };
    exchange();
    Fetched fetched;
    machine.fetch(machine.pc(), fetched);
    const Machine::Outcome outcome = machine.execute(fetched);
    exchange();
    account(guest, outcome, fetched, after_exit);
    machine.trim();
    if (machine.fenced() != guest.fenced) {
        guest.fenced = machine.fenced();
        if (map != nullptr && map->tables && map->tables->shadow) drop_tables(guest);
    }
}

void Monitor::Impl::account(Guest& guest, Machine::Outcome outcome, const Fetched& fetched, bool after_exit) {
    Activity& activity = guest.activity;
    switch (outcome) {
        case Machine::Outcome::completed:
            ++(after_exit ? activity.emulated : activity.interpreted);
            if (after_exit) ++activity.by_instruction[spec[fetched.operation->form].instruction.index];
            break;
        case Machine::Outcome::trapped:
            ++activity.reflected;
            break;
        case Machine::Outcome::double_fault:
            guest.stop(StopReason::double_fault);
            break;
        case Machine::Outcome::left:
            POGO_UNREACHABLE("the virtual machine keeps its traps");
    }
}

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

// ---- The public interface -------------------------------------------------------------------------------------------

Monitor::Monitor(const isa::Spec& spec, const isa::VmMap* map, MonitorConfig config)
    : impl_(std::make_unique<Impl>(spec, map, config)) {}
Monitor::~Monitor() = default;

std::optional<std::string> Monitor::add_guest(const Constants& constants) {
    auto guest = std::make_unique<Guest>();
    if (auto error = impl_->set_constants(*guest, constants)) return error;
    if (auto error = impl_->build(*guest)) return error;
    impl_->guests.push_back(std::move(guest));
    return std::nullopt;
}

std::size_t Monitor::guests() const { return impl_->guests.size(); }

std::optional<LoadError> Monitor::load(GuestId guest, const Image& image) {
    for (const auto& segment : image.segments) {
        std::uint64_t address = segment.address;
        bool fits = true;
        for (const auto unit : segment.units) fits = fits && poke(guest, address++, unit);
        for (std::uint64_t i = 0; i < segment.zeros && fits; ++i) fits = poke(guest, address++, 0);
        if (!fits)
            return LoadError{fmt::format("the guest has no memory at address {:#x}", address - 1), segment.offset};
    }
    return std::nullopt;
}

void Monitor::reset(GuestId guest) {
    Guest& of = *impl_->guests.at(guest);
    of.machine->reset();
    of.platform->drive_again();
}

isa::State Monitor::state(GuestId guest) const {
    Machine& machine = *impl_->guests.at(guest)->machine;
    machine.read_clock();
    isa::State state;
    state.slots.assign(machine.slots().begin(), machine.slots().end());
    return state;
}

void Monitor::set_state(GuestId guest, const isa::State& state) {
    impl_->guests.at(guest)->machine->set_state(state.slots);
}

std::uint64_t Monitor::peek(GuestId guest, std::uint64_t address) const {
    Memory& memory = impl_->guests.at(guest)->machine->memory();
    return memory.host(address, 1, false) == nullptr ? 0 : memory.load_narrow(address, 1);
}

bool Monitor::poke(GuestId guest, std::uint64_t address, std::uint64_t value) {
    Memory& memory = impl_->guests.at(guest)->machine->memory();
    if (memory.host(address, 1, true) == nullptr) return false;
    memory.store(address, 1, value & memory.format().mask);
    return true;
}

void Monitor::input(GuestId guest, std::string_view text) { impl_->guests.at(guest)->platform->input(text); }
std::string Monitor::take_output(GuestId guest) { return std::exchange(impl_->guests.at(guest)->output, {}); }

bool Monitor::patch(GuestId guest, std::uint64_t address, const std::vector<std::uint64_t>& units) {
    std::vector<std::uint64_t> before;
    for (std::size_t i = 0; i < units.size(); ++i) {
        before.push_back(peek(guest, address + i));
        if (!poke(guest, address + i, units[i])) return false;
    }
    return impl_->guests.at(guest)->patched.emplace(address, std::move(before)).second;
}

void Monitor::translate(GuestId number, CodeCache cache) {
    Guest& guest = *impl_->guests.at(number);
    POGO_REQUIRE(cache.copied.size() == impl_->spec.forms.size() && !cache.exit.empty());
    if (const auto& tables = impl_->map->tables; tables && tables->shadow) {
        const std::uint64_t mask = (std::uint64_t{1} << impl_->spec.translation.page) - 1;
        cache.units = (cache.units + mask) & ~mask;
        guest.cache_real = impl_->table(guest, cache.units);
        guest.tables.pop_back();  // it stays when tables are dropped
    } else {
        guest.cache_real = impl_->function->memory(cache.address, guest.constants).value_or(0);
    }
    guest.cache = std::move(cache);
}

void Monitor::run(std::uint64_t cycles) {
    if (impl_->guests.empty()) return;
    Impl& all = *impl_;
    const std::uint64_t end = cycles > Limits::none - all.now() ? Limits::none : all.now() + cycles;
    while (all.now() < end) {
        const auto running = std::count_if(all.guests.begin(), all.guests.end(), [](auto& g) { return g->running; });
        if (running == 0) return;
        bool any = false;
        for (std::size_t i = 0; i < all.guests.size() && !any; ++i) {
            Guest& guest = *all.guests[(all.turn + i) % all.guests.size()];
            if (!guest.running) continue;
            all.fire(guest);
            guest.machine->reconsider();
            if (guest.machine->waiting() && guest.machine->pending_interrupt() == Machine::no_interrupt) continue;
            any = true;
            all.turn = (all.turn + i + 1) % all.guests.size();
            const bool shared = running > 1 && all.config.quantum < end - all.now();
            all.execute(guest, shared ? all.now() + all.config.quantum : end);
        }
        if (any) continue;
        std::uint64_t next = end;
        bool forever = true;
        for (const auto& guest : all.guests) {
            if (!guest->running || guest->next_due() == ~std::uint64_t{0}) continue;
            next = std::min(next, std::max(guest->next_due(), all.now() + 1));
            forever = false;
        }
        for (const auto& guest : all.guests) {
            if (!guest->running) continue;
            if (forever)
                guest->stop(StopReason::waiting_forever);
            else
                guest->activity.idle_cycles += next - all.now();
        }
        if (!forever) all.pass(next - all.now());
    }
}

StopReason Monitor::reason(GuestId guest) const { return impl_->guests.at(guest)->reason; }
std::uint64_t Monitor::exit_code(GuestId guest) const { return impl_->guests.at(guest)->exit_code; }
const std::string& Monitor::broken(GuestId guest) const { return impl_->guests.at(guest)->broken; }
const Activity& Monitor::activity(GuestId guest) const { return impl_->guests.at(guest)->activity; }
std::uint64_t Monitor::cycles() const { return impl_->core == nullptr ? 0 : impl_->now(); }
std::uint64_t Monitor::bus_errors() const {
    if (impl_->core == nullptr) return 0;
    std::uint64_t errors = impl_->core->machine().memory().errors();
    for (const auto& guest : impl_->guests) errors += guest->machine->memory().errors();
    return errors;
}
std::uint64_t Monitor::peek_real(std::uint64_t address) const {
    return impl_->memory == nullptr ? 0 : impl_->memory->load_narrow(address, 1);
}

}  // namespace pogo::model
