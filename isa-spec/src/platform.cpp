// The platform section: the kinds of devices there are, and the elaboration of what a spec says of them.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "elaborator.hpp"

namespace pogo::isa {

namespace {

constexpr unsigned most_lines = 31;  // of an interrupt controller that does not say how many it has
constexpr unsigned most_sources = 1023;

// In the order of Device::Kind.
const std::array<DeviceKind, 10>& kinds() {
    static const std::array<DeviceKind, 10> table = {{
        {.name = "ram"},
        {.name = "uart", .properties = {"line"}},
        {.name = "timer", .properties = {"line"}},
        {.name = "interrupt_controller", .single = "interrupt controller", .outputs = {{"", 0}}},
        {.name = "exit"},
        {.name = "ns16550", .least = 8, .bytes = true, .properties = {"line"}},
        {.name = "clint",
         .least = 0xC000,
         .bytes = true,
         .single = "clint",
         .properties = {"timebase"},
         .outputs = {{"software", 1}, {"timer", 1}, {"time", 64}}},
        {.name = "plic",
         .least = 0x202000,
         .bytes = true,
         .single = "interrupt controller",
         .properties = {"sources"},
         .outputs = {{"machine", 1}, {"supervisor", 1}}},
        {.name = "finisher", .least = 4, .bytes = true},
        {.name = "htif", .least = 8, .bytes = true, .over_ram = true, .single = "htif"},
    }};
    return table;
}

// In the order of Platform::Count.
const DeviceKind& core_kind() {
    static const DeviceKind kind = {.name = "core", .outputs = {{"cycles", 64}, {"retired", 64}}};
    return kind;
}

std::string list(const std::vector<DeviceKind::Output>& outputs) {
    std::string text;
    for (const auto& output : outputs)
        text += (text.empty() ? "" : ", ") + (output.name.empty() ? "one without a name" : std::string(output.name));
    return text.empty() ? "none" : text;
}

bool overlap(const Device& a, const Device& b) {
    return a.base <= b.base + (b.size - 1) && b.base <= a.base + (a.size - 1);
}

}  // namespace

const DeviceKind& device_kind(Device::Kind kind) { return kinds()[static_cast<std::size_t>(kind)]; }

void Elaborator::define_platform(const Ast& ast) {
    Platform& platform = spec_.platform;
    for (const Ast& item : ast.children) {
        if (item.is(Syntax::device)) {
            define_device(item);
        } else if (item.is(Syntax::core_drives)) {
            for (const Ast& child : item.children)
                platform.counts.push_back(drive(child, core_kind(), platform.counts));
        } else if (item.text == "isa" || item.text == "mmu") {
            (item.text == "isa" ? platform.isa : platform.mmu) = item[0].text;
        } else {
            fail(Code::E0516, item.range, item.text);
        }
    }
    unsigned lines = most_lines;
    for (const Device& device : platform.devices)
        if (device.kind == Device::Kind::plic) lines = device.sources;
    for (const Device& device : platform.devices)
        if (device.line > lines)
            fail(Code::E0517, device.where, fmt::format("{}", device.line), device.name, fmt::format("{}", lines));
}

void Elaborator::define_device(const Ast& ast) {
    auto& devices = spec_.platform.devices;
    const auto* const found =
        std::find_if(kinds().begin(), kinds().end(), [&](const DeviceKind& k) { return k.name == ast[0].text; });
    if (found == kinds().end()) fail(Code::E0504, ast.range, ast[0].text);
    const DeviceKind& kind = *found;
    Device device;
    device.kind = static_cast<Device::Kind>(found - kinds().begin());
    device.name = ast.text;
    device.where = ast.range;
    const Number base = number(ast[1]);
    const Number size = number(ast[2]);
    if (base < 0 || size < 1 || static_cast<Word>(base + size - 1) > ones(spec_.physical_width))
        fail(Code::E0505, ast.range, ast.text);
    device.base = static_cast<std::uint64_t>(base);
    device.size = static_cast<std::uint64_t>(size);
    if (kind.bytes && spec_.unit_bits != 8) fail(Code::E0515, ast.range, std::string(kind.name));
    if (device.size < kind.least)
        fail(Code::E0514, ast.range, std::string(kind.name), fmt::format("{:#x}", kind.least));
    for (const Device& other : devices) {
        const DeviceKind& its = device_kind(other.kind);
        if (!kind.single.empty() && kind.single == its.single)
            fail(Code::E0510, ast.range, std::string(kind.single), ast.text);
        const bool memory =
            (kind.over_ram && other.kind == Device::Kind::ram) || (its.over_ram && device.kind == Device::Kind::ram);
        if (!memory && overlap(device, other)) fail(Code::E0506, ast.range, ast.text, other.name);
    }
    for (std::size_t i = 3; i < ast.size(); ++i) {
        const Ast& item = ast[i];
        if (item.is(Syntax::drive)) {
            device.drives.push_back(drive(item, kind, device.drives));
        } else if (std::find(kind.properties.begin(), kind.properties.end(), item.text) == kind.properties.end()) {
            fail(Code::E0509, item.range, std::string(kind.name), item.text);
        } else if (item.text == "line") {
            device.line = positive(item[0], most_sources);
        } else if (item.text == "timebase") {
            device.timebase = positive(item[0], 1'000'000);
        } else {
            device.sources = positive(item[0], most_sources);
        }
    }
    devices.push_back(std::move(device));
}

// `before`: what the same device drives.
Device::Drive Elaborator::drive(const Ast& ast, const DeviceKind& kind, const std::vector<Device::Drive>& before) {
    const auto output = std::find_if(kind.outputs.begin(), kind.outputs.end(),
                                     [&](const DeviceKind::Output& o) { return o.name == ast.text; });
    if (output == kind.outputs.end())
        fail(Code::E0511, ast.range, std::string(kind.name), ast.text, list(kind.outputs));
    const auto elements = whole_elements(ast[0]);
    if (elements.size() != 1 || !spec_[elements[0]].input) fail(Code::E0507, ast.range);
    const Element& input = spec_[elements[0]];
    if (output->width != 0 && output->width != input.width)
        fail(Code::E0512, ast.range, fmt::format("{}", output->width), input.name, fmt::format("{}", input.width));
    const auto driven = [&](const std::vector<Device::Drive>& drives) {
        return std::any_of(drives.begin(), drives.end(),
                           [&](const Device::Drive& d) { return d.input == elements[0]; });
    };
    const auto& devices = spec_.platform.devices;
    if (driven(before) || driven(spec_.platform.counts) ||
        std::any_of(devices.begin(), devices.end(), [&](const Device& other) { return driven(other.drives); }))
        fail(Code::E0513, ast.range, input.name);
    return {static_cast<unsigned>(output - kind.outputs.begin()), elements[0]};
}

}  // namespace pogo::isa
