// The tables: QEMU 7.2's RISC-V.
// SPDX-License-Identifier: Apache-2.0
#include "cosim/target.hpp"

#include <fmt/format.h>

#include <array>

namespace pogo::cosim {

namespace {

constexpr auto all = ~std::uint64_t{0};
using enum Exemption::Kind;

// GDB's names are those of the ABI (RISC-V ABIs specification 1.0, table 1); x8 is fp there.
constexpr auto riscv_aliases = std::to_array<Alias>({
    {"x1", "ra"},  {"x2", "sp"},  {"x3", "gp"},  {"x4", "tp"},  {"x5", "t0"},   {"x6", "t1"},   {"x7", "t2"},
    {"x8", "fp"},  {"x9", "s1"},  {"x10", "a0"}, {"x11", "a1"}, {"x12", "a2"},  {"x13", "a3"},  {"x14", "a4"},
    {"x15", "a5"}, {"x16", "a6"}, {"x17", "a7"}, {"x18", "s2"}, {"x19", "s3"},  {"x20", "s4"},  {"x21", "s5"},
    {"x22", "s6"}, {"x23", "s7"}, {"x24", "s8"}, {"x25", "s9"}, {"x26", "s10"}, {"x27", "s11"}, {"x28", "t3"},
    {"x29", "t4"}, {"x30", "t5"}, {"x31", "t6"},
});

constexpr std::string_view pmp = "eight entries of 4 KiB here, sixteen of 4 bytes there";

// docs/machines/rv64.md says where manual, file and QEMU part, and with whom the manual is.
constexpr auto riscv_exemptions = std::to_array<Exemption>({
    {"mip", ~std::uint64_t{2}, {}, ignore, "lines of devices and comparisons with the time; SSIP is compared"},
    {"mtval", all, "illegal_instruction", follow, "0 here, the instruction's bits there: PM 3.1.16 permits both"},
    {"stval", all, "illegal_instruction", follow, "0 here, the instruction's bits there: PM 3.1.16 permits both"},
    {"mtval", all, "privileged_instruction", follow, "0 here, the instruction's bits there: PM 3.1.16 permits both"},
    {"stval", all, "privileged_instruction", follow, "0 here, the instruction's bits there: PM 3.1.16 permits both"},
    {"mtval", all, "breakpoint", follow, "the address here, 0 there: PM 3.1.16 permits both"},
    {"stval", all, "breakpoint", follow, "the address here, 0 there: PM 3.1.16 permits both"},
    {"mcause", 2, "address_misaligned", follow, "a misaligned AMO raises 6 here, 4 there"},
    {"scause", 2, "address_misaligned", follow, "a misaligned AMO raises 6 here, 4 there"},
    {"mstatus", 0x8000'0003'0000'0600, {}, follow, "SD, UXL and VS can be written there"},
    {"mstatus", 0x0000'00c0'0000'0000, {}, follow, "GVA and MPV exist there without H"},
    {"mstatus", 0x2'0000, "mret", follow, "MPRV is left set there"},
    {"mstatus", 0x2'0000, "sret", follow, "MPRV is left set there"},
    {"mepc", 1, {}, follow, "bit 0 can be written there"},
    {"sepc", 1, {}, follow, "bit 0 can be written there"},
    {"mcounteren", 0xffff'ffff'0000'0000, {}, follow, "64 bits there"},
    {"scounteren", 0xffff'ffff'0000'0000, {}, follow, "64 bits there"},
    {"menvcfg", 0x4000'0000'0000'00f0, {}, follow, "fields of absent extensions can be written there"},
    {"senvcfg", 0xf0, {}, follow, "fields of absent extensions can be written there"},
    {"medeleg", 0xf0'0c00, {}, follow, "10, 11 and 20 to 23 can be written there"},
    {"mideleg", 0x1444, {}, follow, "bits of H can be written there"},
    {"mie", 0x1444, {}, follow, "bits of H can be written there"},
    {"pmpcfg0", all, {}, ignore, pmp},
    {"pmpcfg1", all, {}, ignore, pmp},
    {"pmpcfg2", all, {}, ignore, pmp},
    {"pmpcfg3", all, {}, ignore, pmp},
    {"pmpaddr0", all, {}, ignore, pmp},
    {"pmpaddr1", all, {}, ignore, pmp},
    {"pmpaddr2", all, {}, ignore, pmp},
    {"pmpaddr3", all, {}, ignore, pmp},
    {"pmpaddr4", all, {}, ignore, pmp},
    {"pmpaddr5", all, {}, ignore, pmp},
    {"pmpaddr6", all, {}, ignore, pmp},
    {"pmpaddr7", all, {}, ignore, pmp},
});

constexpr auto riscv_waits = std::to_array<std::string_view>({"wfi"});

// The extensions that QEMU's rv64 has unless it is told otherwise, as in the device tree's riscv,isa.
constexpr auto letters = std::to_array<char>({'f', 'd', 'h', 'v'});
constexpr auto words = std::to_array<std::string_view>({"zba", "zbb", "zbc", "zbs"});

std::vector<std::string> riscv_arguments(const isa::Spec& spec) {
    constexpr std::uint64_t ram = 0x8000'0000;
    const isa::Device* memory = nullptr;
    for (const auto& device : spec.platform.devices)
        if (device.kind == isa::Device::Kind::ram && device.base == ram) memory = &device;
    if (memory == nullptr)
        throw PeerError(fmt::format("QEMU's virt has its RAM at {:#x}, this machine has none there", ram));
    const std::string& isa = spec.platform.isa;
    if (!isa.starts_with("rv64")) throw PeerError("the platform does not say isa \"rv64…\"");
    const std::string single = isa.substr(4, isa.find('_') - 4);
    std::string cpu = "rv64,debug=off,pmu-num=0,mvendorid=0,marchid=0,mimpid=0";
    for (const char letter : letters)
        cpu += fmt::format(",{}={}", letter, single.find(letter) == std::string::npos ? "off" : "on");
    for (const auto word : words)
        if (isa.find(fmt::format("_{}", word)) == std::string::npos) cpu += fmt::format(",{}=off", word);
    if (spec.platform.mmu == "riscv,none") cpu += ",mmu=off";
    return {"-machine", "virt", "-cpu", cpu, "-smp", "1", "-m", fmt::format("{}k", memory->size >> 10),
            "-bios",    "none"};
}

constexpr auto targets = std::to_array<Target>({
    {243, "qemu-system-riscv64", riscv_arguments, riscv_aliases, riscv_exemptions, riscv_waits},
});

}  // namespace

const Target& target_of(const isa::Spec& spec) {
    static constexpr Target unknown;
    for (const auto& target : targets)
        if (spec.elf_machine == target.elf_machine) return target;
    return unknown;
}

}  // namespace pogo::cosim
