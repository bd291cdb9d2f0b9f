// Making the devices of a platform, and what they drive.
// SPDX-License-Identifier: Apache-2.0
#include "platform.hpp"

#include <algorithm>

namespace pogo::model {

std::optional<std::string> misread(const isa::Spec& spec) {
    const auto asked = asked_inputs(spec);
    for (const auto element : spec.translation.reads)
        if (std::find(asked.begin(), asked.end(), element) != asked.end())
            return "the translation of addresses cannot depend on the time or on what the core counts";
    std::vector<isa::Term> conditions{spec.waiting, spec.halted};
    for (const auto& interrupt : spec.interrupts) conditions.push_back(interrupt.condition);
    std::erase_if(conditions, [](isa::Term term) { return !term.valid(); });
    for (const auto variable : spec.terms.support(conditions))
        for (const auto& count : spec.platform.counts)
            if (spec[count.input].variable == variable)
                return "`interrupt`, `wait` and `halt` cannot depend on what the core counts";
    return std::nullopt;
}

namespace {

const isa::Device* controller_of(const isa::Spec& spec) {
    const isa::Device* controller = nullptr;
    for (const auto& device : spec.platform.devices)
        if (device.kind == isa::Device::Kind::interrupt_controller) controller = &device;
    return controller;
}

}  // namespace

Platform::Platform(const isa::Spec& spec, Machine& machine, Host host)
    : spec_(spec),
      machine_(machine),
      host_(std::move(host)),
      lines_(std::make_unique<Lines>([this, controller = controller_of(spec)](unsigned line) {
          if (controller != nullptr) drive(*controller, 0, line);
      })),
      line_inputs_(lines_.get()) {
    for (const auto& device : spec.platform.devices)
        if (device.kind != isa::Device::Kind::ram) add(device);
}

// Drives what the spec says that this output drives; a number too large for its input as the input's largest.
void Platform::drive(const isa::Device& device, unsigned number, std::uint64_t value) {
    for (const auto& drive : device.drives) {
        if (drive.output != number) continue;
        if (device.kind == isa::Device::Kind::clint && number == clint::time) {
            machine_.time_changed();
            continue;
        }
        const auto most = static_cast<std::uint64_t>(isa::ones(spec_[drive.input].width));
        const std::uint64_t level = std::min(value, most);
        const auto known =
            std::find_if(driven_.begin(), driven_.end(), [&](const auto& d) { return d.first == drive.input; });
        const bool changes = known == driven_.end() ? level != 0 : known->second != level;
        if (known == driven_.end())
            driven_.emplace_back(drive.input, level);
        else
            known->second = level;
        machine_.set_input(drive.input, level);
        if (changes && host_.driven) host_.driven();
    }
}

void Platform::drive_again() {
    for (const auto& [input, value] : driven_) machine_.set_input(input, value);
}

void Platform::input(std::string_view text) {
    for (const auto& peripheral : peripherals_)
        if (peripheral->add_input(text)) return;
}

void Platform::add(const isa::Device& device, std::optional<std::uint64_t> fromhost) {
    const std::size_t number = peripherals_.size();
    PeripheralHost host;
    host.line = [this, line = std::max(device.line, 1U)](bool level) { line_inputs_->set(line, level); };
    host.drive = [this, &device](unsigned output, std::uint64_t value) { drive(device, output, value); };
    host.schedule = [this, number](std::uint64_t cycle) { host_.schedule(number, cycle); };
    host.now = host_.now;
    host.print = host_.print;
    host.exit = host_.exit;
    host.restart = host_.restart;
    std::unique_ptr<Peripheral> made;
    switch (device.kind) {
        case isa::Device::Kind::ram:
            return;
        case isa::Device::Kind::uart:
            made = std::make_unique<Uart>(std::move(host));
            break;
        case isa::Device::Kind::timer:
            made = std::make_unique<Timer>(std::move(host));
            break;
        case isa::Device::Kind::interrupt_controller:
            made = std::make_unique<InterruptController>(std::move(host), *lines_);
            break;
        case isa::Device::Kind::exit:
            made = std::make_unique<ExitDevice>(std::move(host));
            break;
        case isa::Device::Kind::ns16550:
            made = std::make_unique<Ns16550>(std::move(host));
            break;
        case isa::Device::Kind::clint: {
            auto clint = std::make_unique<Clint>(std::move(host), std::max(device.timebase, 1U));
            if (time_input(spec_)) machine_.set_clock(clint.get());
            made = std::move(clint);
            break;
        }
        case isa::Device::Kind::plic: {
            auto plic = std::make_unique<Plic>(std::move(host), device.sources);
            line_inputs_ = plic.get();
            made = std::move(plic);
            break;
        }
        case isa::Device::Kind::finisher:
            made = std::make_unique<Finisher>(std::move(host));
            break;
        case isa::Device::Kind::htif:
            made = std::make_unique<Htif>(std::move(host), host_.bytes, device.base + htif::tohost, fromhost);
            break;
    }
    peripherals_.push_back(std::move(made));
}

}  // namespace pogo::model
