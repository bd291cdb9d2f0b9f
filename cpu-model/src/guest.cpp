// Where a guest's accesses lead.
// SPDX-License-Identifier: Apache-2.0
#include "guest.hpp"

#include <algorithm>

namespace pogo::model {

std::uint64_t Guest::next_due() const {
    std::uint64_t next = ~std::uint64_t{0};
    for (const auto cycle : due)
        if (cycle != 0) next = std::min(next, cycle);
    return next;
}

GuestBus::GuestBus(const isa::Spec& spec, Host host) : spec_(spec), format_(spec), host_(std::move(host)) {
    for (const auto& device : spec.platform.devices)
        (device.kind == isa::Device::Kind::ram ? ram_ : devices_).push_back(&device);
}

const isa::Device* const* GuestBus::device_at(std::uint64_t address) const {
    const auto found = std::find_if(devices_.begin(), devices_.end(),
                                    [&](const isa::Device* device) { return address - device->base < device->size; });
    return found == devices_.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> GuestBus::place(std::uint64_t address) const {
    const bool ram = ram_.empty() || std::any_of(ram_.begin(), ram_.end(), [&](const isa::Device* device) {
                         return address - device->base < device->size;
                     });
    if (!ram || device_at(address) != nullptr) return std::nullopt;
    return host_.memory(address);
}

std::optional<std::uint64_t> GuestBus::hidden_device() const {
    for (const auto* device : devices_)
        for (const std::uint64_t at : {device->base, device->base + device->size - 1})
            if (host_.memory(at)) return at;
    return std::nullopt;
}

std::optional<std::uint64_t> GuestBus::page(std::uint64_t address, unsigned bits) {
    const std::uint64_t size = std::uint64_t{1} << bits;
    const std::uint64_t first = address & ~(size - 1);
    std::uint64_t at = first;
    std::optional<std::uint64_t> real;
    while (at - first < size) {
        const auto piece = window(at, true);
        const auto to = place(at);
        if (!piece || !to || (real && *to != *real + (at - first))) return std::nullopt;
        if (!real) real = to;
        if (piece->last - first >= size - 1) return real;
        at = piece->last + 1;
    }
    return real;
}

// The longest stretch around the address within one page of host memory that lies in one piece. Pages are allocated
// at once, so that they stay where they are.
std::optional<Bus::Window> GuestBus::window(std::uint64_t address, bool) {
    const std::uint64_t number = address << format_.shift >> 12;
    if (const auto known = windows_.find(number);
        known != windows_.end() && address >= known->second.first && address <= known->second.last)
        return known->second;
    const auto real = place(address);
    if (!real) return std::nullopt;
    const auto host = host_.real->window(*real, true);
    if (!host) return std::nullopt;
    const auto last_unit = static_cast<std::uint64_t>(isa::ones(spec_.physical_width));
    std::uint64_t down = std::min({*real - host->first, address, std::uint64_t{4095}});
    std::uint64_t up = std::min({host->last - *real, last_unit - address, std::uint64_t{4095}});
    const auto lies = [&](std::uint64_t at, std::uint64_t where) {
        const auto to = place(at);
        return to && *to == where;
    };
    std::uint64_t below = 0;
    while (below < down && lies(address - below - 1, *real - below - 1)) ++below;
    std::uint64_t above = 0;
    while (above < up && lies(address + above + 1, *real + above + 1)) ++above;
    const Window window{address - below, address + above, host->data + ((*real - below - host->first) << format_.shift),
                        true};
    windows_[number] = window;
    return window;
}

bool GuestBus::transfer_to_device(std::uint64_t address, unsigned count, bool write, std::byte* bytes) {
    const isa::Device* const* const device = device_at(address);
    if (device == nullptr || platform_ == nullptr) return false;
    const std::uint64_t offset = address - (*device)->base;
    if ((*device)->size - offset < count) return false;
    const auto number = static_cast<std::size_t>(device - devices_.data());
    transfer(platform_->peripheral(number), format_, write, offset << format_.shift, count, bytes, host_.now());
    return true;
}

bool GuestBus::read(std::uint64_t address, unsigned count, std::byte* bytes) {
    return transfer_to_device(address, count, false, bytes);
}

bool GuestBus::write(std::uint64_t address, unsigned count, const std::byte* bytes) {
    // Not written through on a write.
    return transfer_to_device(address, count, true, const_cast<std::byte*>(bytes));
}

}  // namespace pogo::model
