// Binding a Spec to the elaborated kernel, and the calls of the public interface.
// SPDX-License-Identifier: Apache-2.0
#include "model/simulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "isa/require.hpp"
#include "platform.hpp"
#include "world.hpp"

namespace pogo::model {

const char* name(Stall stall) {
    switch (stall) {
        case Stall::none:
            return "none";
        case Stall::fetch:
            return "fetch";
        case Stall::data:
            return "data";
        case Stall::structural:
            return "structural";
        case Stall::memory:
            return "memory";
        case Stall::waiting:
            return "waiting";
    }
    POGO_REQUIRE(false);
}

const char* name(FlushEvent::Reason reason) {
    switch (reason) {
        case FlushEvent::Reason::branch:
            return "branch";
        case FlushEvent::Reason::serialising:
            return "serialising";
        case FlushEvent::Reason::stale:
            return "stale";
        case FlushEvent::Reason::trap:
            return "trap";
        case FlushEvent::Reason::interrupt:
            return "interrupt";
    }
    POGO_REQUIRE(false);
}

const char* name(StopReason reason) {
    switch (reason) {
        case StopReason::cycles:
            return "cycles";
        case StopReason::steps:
            return "steps";
        case StopReason::halted:
            return "halted";
        case StopReason::exit:
            return "exit";
        case StopReason::waiting_forever:
            return "waiting forever";
        case StopReason::double_fault:
            return "double fault";
        case StopReason::reset:
            return "reset";
        case StopReason::monitor:
            return "monitor";
    }
    POGO_REQUIRE(false);
}

namespace {

// Puts a device over RAM. False if another device is there.
bool lay_over(std::vector<Router::Range>& map, Router::Range over) {
    std::vector<Router::Range> result;
    for (const auto& range : map) {
        if (range.last < over.first || range.first > over.last) {
            result.push_back(range);
            continue;
        }
        if (range.port != Router::ram_port) return false;
        if (range.first < over.first) result.push_back({range.first, over.first - 1, range.port});
        if (range.last > over.last) result.push_back({over.last + 1, range.last, range.port});
    }
    over.over_ram = true;
    result.push_back(over);
    std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    map = std::move(result);
    return true;
}

}  // namespace

struct Simulator::Impl {
    World& world;
    Config config;
    const isa::Spec* spec = nullptr;
    Units format;
    std::unique_ptr<Core> core;
    std::unique_ptr<Platform> platform;
    std::size_t used_slots = 0;
    std::optional<isa::Device> attached;
    std::string output;
    std::vector<Observer*> observers;
    std::uint64_t exit_code = 0;

    explicit Impl(Config settings) : world(World::get()), config(settings) {
        POGO_REQUIRE(!world.taken);  // one Simulator at a time
        world.taken = true;
        world.ram.set_limit(config.memory_limit);
    }
    ~Impl() {
        unload();
        world.taken = false;
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    void unload();
    std::optional<std::string> map(const isa::Spec& machine, std::vector<Router::Range>& ranges) const;
    void build_devices();
    void supply_counts();
    void take_slots();
    std::optional<std::string> attach_htif(std::uint64_t tohost, std::optional<std::uint64_t> answers);
    [[nodiscard]] std::byte* memory(std::uint64_t address, bool write) const;
    [[nodiscard]] std::uint64_t load_word(std::uint64_t address) const;
    void store_word(std::uint64_t address, std::uint64_t value) const;
};

void Simulator::Impl::unload() {
    world.driver.bind(nullptr, {});
    for (auto& slot : world.slots) {
        slot.schedule(0);
        slot.device = nullptr;
    }
    world.router.set_map({});
    world.ram.clear();
    platform.reset();
    core.reset();
    used_slots = 0;
    attached.reset();
    output.clear();
    spec = nullptr;
}

// The address map in bytes. Where no RAM is declared, all addresses that no device takes are memory.
std::optional<std::string> Simulator::Impl::map(const isa::Spec& machine, std::vector<Router::Range>& ranges) const {
    const Units units(machine);
    auto last = static_cast<std::uint64_t>(isa::ones(machine.physical_width));
    last = std::min(last, ~std::uint64_t{0} >> units.shift);
    const auto add = [&](std::uint64_t from, std::uint64_t to, std::size_t port) {
        const std::uint64_t unit = (std::uint64_t{1} << units.shift) - 1;
        ranges.push_back({from << units.shift, (to << units.shift) | unit, port});
    };
    bool ram = false;
    std::size_t port = 1;
    std::vector<Router::Range> over;
    if (!config.bare) {
        unsigned most_lines = max_line;
        for (const auto& device : machine.platform.devices)
            if (device.kind == isa::Device::Kind::plic) most_lines = device.sources;
        for (const auto& device : machine.platform.devices) {
            if (device.size == 0 || device.base > last || device.size - 1 > last - device.base)
                return fmt::format("device {} does not lie within the physical addresses", device.name);
            const bool memory = device.kind == isa::Device::Kind::ram;
            if (std::max(device.line, 1U) > most_lines)
                return fmt::format("device {}: lines are numbered 1 to {}", device.name, most_lines);
            ram = ram || memory;
            if (!memory && port > max_devices)
                return fmt::format("a platform has at most {} devices that are not RAM", max_devices);
            add(device.base, device.base + (device.size - 1), memory ? Router::ram_port : port++);
            if (!isa::device_kind(device.kind).over_ram) continue;
            over.push_back(ranges.back());
            ranges.pop_back();
        }
    }
    const auto by_address = [](const Router::Range& a, const Router::Range& b) { return a.first < b.first; };
    std::sort(ranges.begin(), ranges.end(), by_address);
    for (std::size_t i = 1; i < ranges.size(); ++i)
        if (ranges[i].first <= ranges[i - 1].last)
            return fmt::format("devices overlap at address {:#x}", ranges[i].first >> units.shift);
    if (!ram) {
        std::uint64_t next = 0;  // unit
        bool full = false;
        const std::size_t devices = ranges.size();
        for (std::size_t i = 0; i < devices; ++i) {
            const std::uint64_t first = ranges[i].first >> units.shift;
            const std::uint64_t end = ranges[i].last >> units.shift;
            if (first > next) add(next, first - 1, Router::ram_port);
            full = end == last;
            next = end + 1;
        }
        if (!full) add(next, last, Router::ram_port);
        std::sort(ranges.begin(), ranges.end(), by_address);
    }
    for (const auto& range : over)
        if (!lay_over(ranges, range))
            return fmt::format("devices overlap at address {:#x}", range.first >> units.shift);
    return std::nullopt;
}

std::optional<std::string> Simulator::Impl::attach_htif(std::uint64_t tohost, std::optional<std::uint64_t> answers) {
    constexpr unsigned size = 8;
    if (config.bare || spec->unit_bits != 8) return "this machine has no bytes for the host-target interface";
    for (const auto& device : spec->platform.devices)
        if (device.kind == isa::Device::Kind::htif) return "the platform has a host-target interface already";
    if (attached || used_slots == max_devices)
        return fmt::format("a platform has at most {} devices that are not RAM", max_devices);
    auto map = world.router.map();
    if (tohost > ~std::uint64_t{0} - size || memory(tohost, true) == nullptr ||
        memory(tohost + size - 1, true) == nullptr || !lay_over(map, {tohost, tohost + size - 1, 1 + used_slots}))
        return fmt::format("there is no memory for the host-target interface at address {:#x}", tohost);
    attached.emplace();
    attached->kind = isa::Device::Kind::htif;
    attached->base = tohost;
    world.router.set_map(std::move(map));
    platform->add(*attached, answers);
    take_slots();
    core->machine().forget_windows();
    return std::nullopt;
}

void Simulator::Impl::build_devices() {
    if (config.bare) return;
    Platform::Host host;
    host.now = [this] { return core->cycle(); };
    host.schedule = [this](std::size_t number, std::uint64_t cycle) {
        world.slots[number].schedule(cycle);
        core->yield();
    };
    host.print = [this](char character) { output.push_back(character); };
    host.exit = [this](std::uint64_t code) {
        exit_code = code;
        core->stop(StopReason::exit);
    };
    host.restart = [this] { core->stop(StopReason::reset); };
    host.bytes.load = [this](std::uint64_t address) { return load_word(address); };
    host.bytes.store = [this](std::uint64_t address, std::uint64_t value) { store_word(address, value); };
    host.bytes.byte = [this](std::uint64_t address) -> std::optional<char> {
        const std::byte* const at = memory(address, false);
        if (at == nullptr) return std::nullopt;
        return static_cast<char>(*at);
    };
    platform = std::make_unique<Platform>(*spec, core->machine(), std::move(host));
    take_slots();
}

// Each device has a slot of its own.
void Simulator::Impl::take_slots() {
    for (; used_slots < platform->size(); ++used_slots) {
        world.slots[used_slots].format = format;
        world.slots[used_slots].device = &platform->peripheral(used_slots);
    }
}

void Simulator::Impl::supply_counts() {
    if (config.bare) return;
    for (const auto& count : spec->platform.counts) {
        const bool cycles = count.output == isa::Platform::cycles;
        core->machine().supply(count.input, [this, cycles] { return cycles ? core->cycle() : core->retired(); });
    }
}

std::byte* Simulator::Impl::memory(std::uint64_t address, bool write) const {
    if (address > ~std::uint64_t{0} >> format.shift) return nullptr;
    const auto* const range = world.router.find(address << format.shift);
    if (range == nullptr || !range->memory()) return nullptr;
    return world.ram.at(address << format.shift, write);
}

// Eight units of 8 bits, which may lie on two pages.
std::uint64_t Simulator::Impl::load_word(std::uint64_t address) const {
    std::array<std::byte, 8> bytes{};
    for (auto& byte : bytes)
        if (const std::byte* const at = memory(address++, false); at != nullptr) byte = *at;
    return static_cast<std::uint64_t>(format.compose(bytes.data(), bytes.size()));
}

void Simulator::Impl::store_word(std::uint64_t address, std::uint64_t value) const {
    std::array<std::byte, 8> bytes{};
    format.split(bytes.data(), bytes.size(), value);
    for (const auto byte : bytes)
        if (std::byte* const at = memory(address++, true); at != nullptr) *at = byte;
}

Simulator::Simulator(Config config) : impl_(std::make_unique<Impl>(config)) {}
Simulator::~Simulator() = default;

std::optional<std::string> Simulator::load(const isa::Spec& spec) {
    impl_->unload();
    std::vector<Router::Range> ranges;
    if (auto error = Core::unfit(spec.timing)) return error;
    if (auto error = impl_->map(spec, ranges)) return error;
    for (const auto& cause : spec.causes)
        for (const auto parameter : cause.parameters)
            if (spec.terms.sort(parameter).width > 64)
                return fmt::format("trap {}: the model takes parameters of at most 64 bits", cause.name);
    if (!impl_->config.bare)
        if (auto error = misread(spec)) return error;
    impl_->spec = &spec;
    impl_->format = Units(spec);
    impl_->world.router.set_map(std::move(ranges));
    impl_->core = std::make_unique<Core>(spec, impl_->world.driver, impl_->config);
    impl_->world.driver.bind(impl_->core.get(), impl_->format);
    impl_->build_devices();
    impl_->supply_counts();
    impl_->core->empty_pipeline();
    impl_->core->set_observers(impl_->observers);
    for (Observer* const observer : impl_->observers) observer->on_spec(spec);
    return std::nullopt;
}

std::optional<LoadError> Simulator::load(const Image& image) {
    for (const auto& segment : image.segments) {
        std::uint64_t address = segment.address;
        const auto put = [&](std::uint64_t value) { return poke(address++, value); };
        bool fits = true;
        for (const auto unit : segment.units) fits = fits && put(unit);
        for (std::uint64_t i = 0; i < segment.zeros && fits; ++i) fits = put(0);
        if (!fits) return LoadError{fmt::format("there is no memory at address {:#x}", address - 1), segment.offset};
    }
    return std::nullopt;
}

void Simulator::reset() {
    impl_->core->machine().reset();
    if (impl_->platform) impl_->platform->drive_again();
    impl_->core->empty_pipeline();
}

std::optional<std::string> Simulator::attach_htif(std::uint64_t tohost, std::optional<std::uint64_t> fromhost) {
    return impl_->attach_htif(tohost, fromhost);
}

const isa::Spec& Simulator::spec() const {
    POGO_REQUIRE(impl_->spec != nullptr);
    return *impl_->spec;
}
void Simulator::set_view(View view) { impl_->config.view = view; }

std::span<const std::uint64_t> Simulator::slots() const {
    impl_->core->machine().read_clock();
    return impl_->core->machine().slots();
}

isa::State Simulator::state() const {
    isa::State state;
    const auto values = slots();
    state.slots.assign(values.begin(), values.end());
    return state;
}

void Simulator::set_state(const isa::State& state) { set_state(std::span(state.slots)); }

void Simulator::set_state(std::span<const std::uint64_t> slots) {
    impl_->core->machine().set_state(slots);
    impl_->core->empty_pipeline();
}

std::uint64_t Simulator::peek(std::uint64_t address) const {
    const std::byte* const at = impl_->memory(address, false);
    return at == nullptr ? 0 : impl_->format.get(at);
}

bool Simulator::poke(std::uint64_t address, std::uint64_t value) {
    std::byte* const at = impl_->memory(address, true);
    if (at == nullptr) return false;
    impl_->format.put(at, value & impl_->format.mask);
    impl_->core->resynchronise();
    return true;
}

void Simulator::clear_memory() {
    impl_->world.ram.clear();
    impl_->core->machine().empty_caches();
    impl_->core->resynchronise();
}

StepOutcome Simulator::step(const StepOptions& options) {
    StepOutcome outcome;
    step(options, outcome);
    return outcome;
}

void Simulator::step(const StepOptions& options, StepOutcome& outcome) {
    Core& core = *impl_->core;
    if (!core.begin_step(options, outcome)) return;
    impl_->world.driver.run(impl_->config.view, Limits::none);
    core.end_step(outcome);
}

RunResult Simulator::run(const Limits& limits) {
    Core& core = *impl_->core;
    RunResult result;
    const std::uint64_t first_cycle = core.cycle();
    const std::uint64_t first_step = core.steps();
    core.begin_run(limits.steps);
    if (limits.cycles == 0) core.stop(StopReason::cycles);
    if (!core.stopped()) {
        const bool endless = limits.cycles > Limits::none - first_cycle;
        impl_->world.driver.run(impl_->config.view, endless ? Limits::none : first_cycle + limits.cycles);
    }
    result.reason = core.stop_reason();
    result.exit_code = result.reason == StopReason::exit ? impl_->exit_code : 0;
    result.cycles = core.cycle() - first_cycle;
    result.steps = core.steps() - first_step;
    return result;
}

void Simulator::retire_all() { impl_->core->retire_all(); }

std::uint64_t Simulator::cycles() const { return impl_->core->cycle(); }
std::uint64_t Simulator::bus_errors() const { return impl_->core->machine().memory().errors(); }

std::string Simulator::take_uart_output() { return std::exchange(impl_->output, {}); }

void Simulator::uart_input(std::string_view text) {
    if (impl_->platform) impl_->platform->input(text);
}

void Simulator::attach(Observer& observer) {
    impl_->observers.push_back(&observer);
    if (impl_->core == nullptr) return;
    impl_->core->set_observers(impl_->observers);
    observer.on_spec(*impl_->spec);
}

void Simulator::detach(Observer& observer) {
    std::erase(impl_->observers, &observer);
    if (impl_->core != nullptr) impl_->core->set_observers(impl_->observers);
}

}  // namespace pogo::model
