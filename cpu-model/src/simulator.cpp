// Binding a Spec to the elaborated kernel, and the calls of the public interface.
// SPDX-License-Identifier: Apache-2.0
#include "model/simulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "isa/require.hpp"
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
    }
    POGO_REQUIRE(false);
}

struct Simulator::Impl {
    World& world;
    Config config;
    const isa::Spec* spec = nullptr;
    Units format;
    std::unique_ptr<Lines> lines;
    std::unique_ptr<Core> core;
    std::vector<Uart*> uarts;
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
    [[nodiscard]] std::byte* memory(std::uint64_t address, bool write) const;
    void drive_input(unsigned line) const;
};

void Simulator::Impl::unload() {
    world.driver.bind(nullptr, {});
    for (auto& slot : world.slots) {
        slot.schedule(0);
        slot.device.reset();
    }
    world.router.set_map({});
    world.ram.clear();
    uarts.clear();
    core.reset();
    lines.reset();
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
    if (!config.bare) {
        for (const auto& device : machine.platform.devices) {
            if (device.size == 0 || device.base > last || device.size - 1 > last - device.base)
                return fmt::format("device {} does not lie within the physical addresses", device.name);
            if (device.line > max_line)
                return fmt::format("device {}: lines are numbered 1 to {}", device.name, max_line);
            const bool memory = device.kind == isa::Device::Kind::ram;
            ram = ram || memory;
            if (!memory && port > max_devices)
                return fmt::format("a platform has at most {} devices that are not RAM", max_devices);
            add(device.base, device.base + (device.size - 1), memory ? Router::ram_port : port++);
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
    return std::nullopt;
}

void Simulator::Impl::drive_input(unsigned line) const {
    const auto& input = spec->platform.interrupt_input;
    if (!input) return;
    const unsigned width = (*spec)[*input].width;
    const auto most = static_cast<std::uint64_t>(isa::ones(width));
    core->machine().set_input(*input, std::min<std::uint64_t>(line, most));
}

void Simulator::Impl::build_devices() {
    if (config.bare) return;
    std::size_t number = 0;
    for (const auto& device : spec->platform.devices) {
        if (device.kind == isa::Device::Kind::ram) continue;
        Slot& slot = world.slots[number++];
        slot.format = format;
        PeripheralHost host;
        host.line = [this, line = std::max(device.line, 1U)](bool level) { lines->set(line, level); };
        host.schedule = [&slot](std::uint64_t cycle) { slot.schedule(cycle); };
        host.exit = [this](std::uint64_t code) {
            exit_code = code;
            core->stop(StopReason::exit);
        };
        switch (device.kind) {
            case isa::Device::Kind::ram:
                break;
            case isa::Device::Kind::uart: {
                auto uart = std::make_unique<Uart>(std::move(host));
                uarts.push_back(uart.get());
                slot.device = std::move(uart);
                break;
            }
            case isa::Device::Kind::timer:
                slot.device = std::make_unique<Timer>(std::move(host));
                break;
            case isa::Device::Kind::interrupt_controller:
                slot.device = std::make_unique<InterruptController>(std::move(host), *lines);
                break;
            case isa::Device::Kind::exit:
                slot.device = std::make_unique<ExitDevice>(std::move(host));
                break;
        }
    }
}

std::byte* Simulator::Impl::memory(std::uint64_t address, bool write) const {
    if (address > ~std::uint64_t{0} >> format.shift) return nullptr;
    const auto* const range = world.router.find(address << format.shift);
    if (range == nullptr || range->port != Router::ram_port) return nullptr;
    return world.ram.at(address << format.shift, write);
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
    impl_->spec = &spec;
    impl_->format = Units(spec);
    impl_->world.router.set_map(std::move(ranges));
    impl_->core = std::make_unique<Core>(spec, impl_->world.driver, impl_->config);
    impl_->world.driver.bind(impl_->core.get(), impl_->format);
    impl_->lines = std::make_unique<Lines>([impl = impl_.get()](unsigned line) { impl->drive_input(line); });
    impl_->build_devices();
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
    impl_->drive_input(impl_->lines->active());
    impl_->core->empty_pipeline();
}

const isa::Spec& Simulator::spec() const {
    POGO_REQUIRE(impl_->spec != nullptr);
    return *impl_->spec;
}
void Simulator::set_view(View view) { impl_->config.view = view; }

std::span<const std::uint64_t> Simulator::slots() const { return impl_->core->machine().slots(); }

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

std::uint64_t Simulator::cycles() const { return impl_->core->cycle(); }
std::uint64_t Simulator::bus_errors() const { return impl_->core->machine().memory().errors(); }

std::string Simulator::take_uart_output() {
    std::string text;
    for (Uart* const uart : impl_->uarts) text += uart->take_output();
    return text;
}

void Simulator::uart_input(std::string_view text) {
    if (!impl_->uarts.empty()) impl_->uarts.front()->add_input(text);
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
