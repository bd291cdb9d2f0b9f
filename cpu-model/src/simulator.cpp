// Binding a Spec to the elaborated kernel, and the calls of the public interface.
// SPDX-License-Identifier: Apache-2.0
#include "model/simulator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "isa/require.hpp"
#include "virt.hpp"
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
    std::unique_ptr<Lines> lines;  ///< what an interrupt controller chooses from
    LineInputs* line_inputs = nullptr;
    std::vector<std::pair<isa::ElementId, std::uint64_t>> driven;  ///< inputs that are driven and with what
    std::size_t used_slots = 0;
    std::optional<isa::Device> attached;
    std::optional<std::uint64_t> fromhost;
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
    [[nodiscard]] std::optional<std::string> misread(const isa::Spec& machine) const;
    std::optional<std::string> map(const isa::Spec& machine, std::vector<Router::Range>& ranges) const;
    void build_devices();
    void supply_counts();
    void build_device(const isa::Device& device);
    std::optional<std::string> attach_htif(std::uint64_t tohost, std::optional<std::uint64_t> answers);
    [[nodiscard]] std::byte* memory(std::uint64_t address, bool write) const;
    [[nodiscard]] std::uint64_t load_word(std::uint64_t address) const;
    void store_word(std::uint64_t address, std::uint64_t value) const;
    void drive(const isa::Device& device, unsigned number, std::uint64_t value);
};

void Simulator::Impl::unload() {
    world.driver.bind(nullptr, {});
    for (auto& slot : world.slots) {
        slot.schedule(0);
        slot.device.reset();
    }
    world.router.set_map({});
    world.ram.clear();
    core.reset();
    lines.reset();
    line_inputs = nullptr;
    driven.clear();
    used_slots = 0;
    attached.reset();
    fromhost.reset();
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

// What depends on inputs whose value is asked for when something reads them, and must not.
std::optional<std::string> Simulator::Impl::misread(const isa::Spec& machine) const {
    if (config.bare) return std::nullopt;
    const auto asked = asked_inputs(machine);
    for (const auto element : machine.translation.reads)
        if (std::find(asked.begin(), asked.end(), element) != asked.end())
            return "the translation of addresses cannot depend on the time or on what the core counts";
    std::vector<isa::Term> conditions{machine.waiting, machine.halted};
    for (const auto& interrupt : machine.interrupts) conditions.push_back(interrupt.condition);
    std::erase_if(conditions, [](isa::Term term) { return !term.valid(); });
    for (const auto variable : machine.terms.support(conditions))
        for (const auto& count : machine.platform.counts)
            if (machine[count.input].variable == variable)
                return "`interrupt`, `wait` and `halt` cannot depend on what the core counts";
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
    fromhost = answers;
    world.router.set_map(std::move(map));
    build_device(*attached);
    core->machine().forget_windows();
    return std::nullopt;
}

// Drives what the spec says that this output drives; a number too large for its input as the input's largest.
void Simulator::Impl::drive(const isa::Device& device, unsigned number, std::uint64_t value) {
    for (const auto& drive : device.drives) {
        if (drive.output != number) continue;
        if (device.kind == isa::Device::Kind::clint && number == clint::time) {
            core->machine().time_changed();
            continue;
        }
        const auto most = static_cast<std::uint64_t>(isa::ones((*spec)[drive.input].width));
        const std::uint64_t level = std::min(value, most);
        const auto known =
            std::find_if(driven.begin(), driven.end(), [&](const auto& d) { return d.first == drive.input; });
        if (known == driven.end())
            driven.emplace_back(drive.input, level);
        else
            known->second = level;
        core->machine().set_input(drive.input, level);
    }
}

void Simulator::Impl::build_devices() {
    if (config.bare) return;
    const isa::Device* controller = nullptr;
    for (const auto& device : spec->platform.devices)
        if (device.kind == isa::Device::Kind::interrupt_controller) controller = &device;
    lines = std::make_unique<Lines>([this, controller](unsigned line) {
        if (controller != nullptr) drive(*controller, 0, line);
    });
    line_inputs = lines.get();
    for (const auto& device : spec->platform.devices)
        if (device.kind != isa::Device::Kind::ram) build_device(device);
}

void Simulator::Impl::supply_counts() {
    if (config.bare) return;
    for (const auto& count : spec->platform.counts) {
        const bool cycles = count.output == isa::Platform::cycles;
        core->machine().supply(count.input, [this, cycles] { return cycles ? core->cycle() : core->retired(); });
    }
}

void Simulator::Impl::build_device(const isa::Device& device) {
    Slot& slot = world.slots[used_slots++];
    slot.format = format;
    PeripheralHost host;
    host.line = [this, line = std::max(device.line, 1U)](bool level) { line_inputs->set(line, level); };
    host.drive = [this, &device](unsigned number, std::uint64_t value) { drive(device, number, value); };
    host.schedule = [this, &slot](std::uint64_t cycle) {
        slot.schedule(cycle);
        core->yield();
    };
    host.now = [this] { return core->cycle(); };
    host.print = [this](char character) { output.push_back(character); };
    host.exit = [this](std::uint64_t code) {
        exit_code = code;
        core->stop(StopReason::exit);
    };
    host.restart = [this] { core->stop(StopReason::reset); };
    switch (device.kind) {
        case isa::Device::Kind::ram:
            break;
        case isa::Device::Kind::uart:
            slot.device = std::make_unique<Uart>(std::move(host));
            break;
        case isa::Device::Kind::timer:
            slot.device = std::make_unique<Timer>(std::move(host));
            break;
        case isa::Device::Kind::interrupt_controller:
            slot.device = std::make_unique<InterruptController>(std::move(host), *lines);
            break;
        case isa::Device::Kind::exit:
            slot.device = std::make_unique<ExitDevice>(std::move(host));
            break;
        case isa::Device::Kind::ns16550:
            slot.device = std::make_unique<Ns16550>(std::move(host));
            break;
        case isa::Device::Kind::clint: {
            auto made = std::make_unique<Clint>(std::move(host), std::max(device.timebase, 1U));
            if (time_input(*spec)) core->machine().set_clock(made.get());
            slot.device = std::move(made);
            break;
        }
        case isa::Device::Kind::plic: {
            auto made = std::make_unique<Plic>(std::move(host), device.sources);
            line_inputs = made.get();
            slot.device = std::move(made);
            break;
        }
        case isa::Device::Kind::finisher:
            slot.device = std::make_unique<Finisher>(std::move(host));
            break;
        case isa::Device::Kind::htif: {
            Htif::Memory bytes;
            bytes.load = [this](std::uint64_t address) { return load_word(address); };
            bytes.store = [this](std::uint64_t address, std::uint64_t value) { store_word(address, value); };
            bytes.byte = [this](std::uint64_t address) -> std::optional<char> {
                const std::byte* const at = memory(address, false);
                if (at == nullptr) return std::nullopt;
                return static_cast<char>(*at);
            };
            slot.device =
                std::make_unique<Htif>(std::move(host), std::move(bytes), device.base + htif::tohost, fromhost);
            break;
        }
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
    if (auto error = impl_->misread(spec)) return error;
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
    for (const auto& [input, value] : impl_->driven) impl_->core->machine().set_input(input, value);
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
    for (std::size_t i = 0; i < impl_->used_slots; ++i)
        if (impl_->world.slots[i].device->add_input(text)) return;
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
