// Monitors: building them and their guests, time, the public interface.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "monitor_impl.hpp"

namespace pogo::model {

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
