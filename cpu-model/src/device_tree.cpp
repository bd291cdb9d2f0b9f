// Building, printing and flattening device trees; libfdt is only here.
// SPDX-License-Identifier: Apache-2.0
#include "model/device_tree.hpp"

#include <fmt/format.h>
#include <libfdt.h>

#include <algorithm>

#include "isa/require.hpp"

namespace pogo::model {

namespace {

using Node = DeviceTreeNode;
using Cells = std::vector<std::uint32_t>;
using Strings = std::vector<std::string>;

// Phandles.
constexpr std::uint32_t cpu = 1;
constexpr std::uint32_t cpu_interrupts = 2;
constexpr std::uint32_t plic = 3;
constexpr std::uint32_t finisher = 4;

// Interrupts of a RISC-V hart by number (privileged architecture, mcause).
constexpr std::uint32_t machine_software = 3;
constexpr std::uint32_t machine_timer = 7;
constexpr std::uint32_t supervisor_external = 9;
constexpr std::uint32_t machine_external = 11;

// Of an input clock to the UART that QEMU names; it decides nothing here.
constexpr std::uint32_t uart_clock = 3'686'400;

Cells cells(std::uint64_t wide) { return {static_cast<std::uint32_t>(wide >> 32), static_cast<std::uint32_t>(wide)}; }

Cells range(const isa::Device& device) {
    Cells result = cells(device.base);
    const Cells size = cells(device.size);
    result.insert(result.end(), size.begin(), size.end());
    return result;
}

std::string at(const char* name, const isa::Device& device) { return fmt::format("{}@{:x}", name, device.base); }

Node syscon(const char* name, std::uint32_t value) {
    return {name,
            {{"compatible", Strings{fmt::format("syscon-{}", name)}},
             {"regmap", Cells{finisher}},
             {"offset", Cells{0}},
             {"value", Cells{value}}},
            {}};
}

std::optional<Node> node_of(const isa::Device& device) {
    using Kind = isa::Device::Kind;
    switch (device.kind) {
        case Kind::ns16550:
            return Node{at("serial", device),
                        {{"compatible", Strings{"ns16550a"}},
                         {"reg", range(device)},
                         {"clock-frequency", Cells{uart_clock}},
                         {"interrupt-parent", Cells{plic}},
                         {"interrupts", Cells{std::max(device.line, 1U)}}},
                        {}};
        case Kind::clint:
            return Node{
                at("clint", device),
                {{"compatible", Strings{"sifive,clint0", "riscv,clint0"}},
                 {"reg", range(device)},
                 {"interrupts-extended", Cells{cpu_interrupts, machine_software, cpu_interrupts, machine_timer}}},
                {}};
        case Kind::plic:
            return Node{
                at("plic", device),
                {{"#address-cells", Cells{0}},
                 {"#interrupt-cells", Cells{1}},
                 {"compatible", Strings{"sifive,plic-1.0.0", "riscv,plic0"}},
                 {"interrupt-controller", {}},
                 {"interrupts-extended", Cells{cpu_interrupts, machine_external, cpu_interrupts, supervisor_external}},
                 {"reg", range(device)},
                 {"riscv,ndev", Cells{device.sources}},
                 {"phandle", Cells{plic}}},
                {}};
        case Kind::finisher:
            return Node{at("test", device),
                        {{"compatible", Strings{"sifive,test1", "sifive,test0", "syscon"}},
                         {"reg", range(device)},
                         {"phandle", Cells{finisher}}},
                        {}};
        case Kind::ram:
        case Kind::uart:
        case Kind::timer:
        case Kind::interrupt_controller:
        case Kind::exit:
        case Kind::htif:
            break;
    }
    return std::nullopt;
}

Node processors(const isa::Platform& platform, unsigned timebase) {
    Node core{"cpu@0",
              {{"phandle", Cells{cpu}},
               {"device_type", Strings{"cpu"}},
               {"reg", Cells{0}},
               {"status", Strings{"okay"}},
               {"compatible", Strings{"riscv"}},
               {"riscv,isa", Strings{platform.isa}}},
              {{"interrupt-controller",
                {{"#interrupt-cells", Cells{1}},
                 {"interrupt-controller", {}},
                 {"compatible", Strings{"riscv,cpu-intc"}},
                 {"phandle", Cells{cpu_interrupts}}},
                {}}}};
    if (!platform.mmu.empty()) core.properties.push_back({"mmu-type", Strings{platform.mmu}});
    Node map{"cpu-map", {}, {{"cluster0", {}, {{"core0", {{"cpu", Cells{cpu}}}, {}}}}}};
    return {"cpus",
            {{"#address-cells", Cells{1}},
             {"#size-cells", Cells{0}},
             {"timebase-frequency", Cells{static_cast<std::uint32_t>(cycles_per_second / timebase)}}},
            {std::move(core), std::move(map)}};
}

void print(const Node& node, unsigned depth, std::string& out) {
    const std::string indent(depth, '\t');
    out += fmt::format("{}{} {{\n", indent, node.name.empty() ? "/" : node.name);
    for (const auto& property : node.properties) {
        out += fmt::format("{}\t{}", indent, property.name);
        if (const auto* numbers = std::get_if<Cells>(&property.value)) {
            out += " = <";
            for (std::size_t i = 0; i < numbers->size(); ++i)
                out += fmt::format("{}{:#x}", i > 0 ? " " : "", (*numbers)[i]);
            out += ">";
        } else if (const auto* strings = std::get_if<Strings>(&property.value)) {
            for (std::size_t i = 0; i < strings->size(); ++i) {
                out += i > 0 ? ", \"" : " = \"";
                for (const char c : (*strings)[i])
                    if (c == '"' || c == '\\')
                        out += {'\\', c};
                    else
                        out += c;
                out += "\"";
            }
        }
        out += ";\n";
    }
    for (const Node& child : node.children) {
        out += "\n";
        print(child, depth + 1, out);
    }
    out += indent + "};\n";
}

/// Bytes of a property's value as they lie in the blob.
std::string bytes_of(const Node::Property& property) {
    std::string bytes;
    if (const auto* numbers = std::get_if<Cells>(&property.value)) {
        for (const auto cell : *numbers)
            for (unsigned shift = 32; shift > 0; shift -= 8) bytes.push_back(static_cast<char>(cell >> (shift - 8)));
    } else if (const auto* strings = std::get_if<Strings>(&property.value)) {
        for (const auto& text : *strings) bytes.append(text.c_str(), text.size() + 1);
    }
    return bytes;
}

/// Anything but success is an error code of libfdt.
int write(void* blob, const Node& node) {
    if (const int error = fdt_begin_node(blob, node.name.c_str()); error != 0) return error;
    for (const auto& property : node.properties) {
        const std::string bytes = bytes_of(property);
        const int size = static_cast<int>(bytes.size());
        if (const int error = fdt_property(blob, property.name.c_str(), bytes.data(), size); error != 0) return error;
    }
    for (const Node& child : node.children)
        if (const int error = write(blob, child); error != 0) return error;
    return fdt_end_node(blob);
}

}  // namespace

std::variant<DeviceTreeNode, std::string> device_tree(const isa::Spec& spec, const std::string& boot_arguments) {
    using Kind = isa::Device::Kind;
    const auto& devices = spec.platform.devices;
    const auto find = [&](Kind kind) {
        return std::find_if(devices.begin(), devices.end(), [&](const isa::Device& d) { return d.kind == kind; });
    };
    const auto clint = find(Kind::clint);
    if (clint == devices.end()) return "its platform has no clint";
    if (find(Kind::plic) == devices.end()) return "its platform has no plic";
    if (find(Kind::ram) == devices.end()) return "its platform has no ram";
    if (spec.platform.isa.empty()) return "its platform does not say which `isa` the processor has";

    Node chosen{"chosen", {}, {}};
    if (!boot_arguments.empty()) chosen.properties.push_back({"bootargs", Strings{boot_arguments}});
    if (const auto uart = find(Kind::ns16550); uart != devices.end())
        chosen.properties.push_back({"stdout-path", Strings{"/soc/" + at("serial", *uart)}});
    Node root{"",
              {{"#address-cells", Cells{2}},
               {"#size-cells", Cells{2}},
               {"compatible", Strings{"riscv-virtio"}},
               {"model", Strings{"pogo," + spec.name}}},
              {std::move(chosen)}};
    if (find(Kind::finisher) != devices.end()) {
        root.children.push_back(syscon("poweroff", 0x5555));
        root.children.push_back(syscon("reboot", 0x7777));
    }
    for (const auto& device : devices)
        if (device.kind == Kind::ram)
            root.children.push_back(
                {at("memory", device), {{"device_type", Strings{"memory"}}, {"reg", range(device)}}, {}});
    root.children.push_back(processors(spec.platform, clint->timebase));
    Node soc{"soc",
             {{"#address-cells", Cells{2}},
              {"#size-cells", Cells{2}},
              {"compatible", Strings{"simple-bus"}},
              {"ranges", {}}},
             {}};
    for (const auto& device : devices)
        if (auto node = node_of(device)) soc.children.push_back(std::move(*node));
    root.children.push_back(std::move(soc));
    return root;
}

std::string print(const DeviceTreeNode& root) {
    std::string out = "/dts-v1/;\n\n";
    print(root, 0, out);
    return out;
}

std::vector<std::byte> flatten(const DeviceTreeNode& root) {
    for (std::size_t size = 4096;; size *= 2) {
        std::vector<std::byte> blob(size);
        int error = fdt_create(blob.data(), static_cast<int>(size));
        if (error == 0) error = fdt_finish_reservemap(blob.data());
        if (error == 0) error = write(blob.data(), root);
        if (error == 0) error = fdt_finish(blob.data());
        if (error == -FDT_ERR_NOSPACE) continue;
        POGO_REQUIRE(error == 0);
        blob.resize(fdt_totalsize(blob.data()));
        return blob;
    }
}

std::optional<std::uint64_t> device_tree_address(const isa::Spec& spec, std::uint64_t size) {
    const isa::Device* ram = nullptr;
    for (const auto& device : spec.platform.devices)
        if (device.kind == isa::Device::Kind::ram && (ram == nullptr || device.size > ram->size)) ram = &device;
    if (ram == nullptr || ram->size < size + 8) return std::nullopt;
    const std::uint64_t last = ram->base + (ram->size - size);
    constexpr std::uint64_t boundary = std::uint64_t{2} << 20;
    const std::uint64_t address = last - last % boundary;
    return address > ram->base ? address : last - last % 8;
}

}  // namespace pogo::model
