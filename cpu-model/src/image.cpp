// Reading raw images and ELF files; libelf is only here.
// SPDX-License-Identifier: Apache-2.0
#include "model/image.hpp"

#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <memory>

#include "units.hpp"

namespace pogo::model {

namespace {

struct CloseElf {
    void operator()(Elf* elf) const { elf_end(elf); }
};

/// libelf wants to be able to write, so it gets a copy.
struct ElfFile {
    explicit ElfFile(std::span<const std::byte> file) : bytes(file.size()) {
        std::transform(file.begin(), file.end(), bytes.begin(), [](std::byte b) { return static_cast<char>(b); });
        if (bytes.size() >= EI_NIDENT && elf_version(EV_CURRENT) != EV_NONE)
            elf.reset(elf_memory(bytes.data(), bytes.size()));
    }
    std::vector<char> bytes;
    std::unique_ptr<Elf, CloseElf> elf;
};

const char* order(bool big_endian) { return big_endian ? "big-endian" : "little-endian"; }

// A number of `bytes` bytes in the machine's order.
std::uint64_t number(std::span<const std::byte> at, bool big_endian) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < at.size(); ++i)
        value = value << 8 | std::to_integer<std::uint64_t>(at[big_endian ? i : at.size() - 1 - i]);
    return value;
}

}  // namespace

std::variant<Image, LoadError> load_raw(std::span<const std::byte> file, std::uint64_t address, const isa::Spec& spec) {
    const Units units(spec);
    const std::size_t width = std::size_t{1} << units.shift;
    if (file.size() > image_limit) return LoadError{"the image is larger than the limit of 256 MiB", image_limit};
    if (file.size() % width != 0)
        return LoadError{fmt::format("the image's size is not a multiple of {} bytes, a unit of this machine", width),
                         file.size()};
    Image image;
    Image::Segment segment{address, {}, 0, 0, true};
    segment.units.reserve(file.size() / width);
    for (std::size_t at = 0; at < file.size(); at += width) {
        const std::uint64_t value = number(file.subspan(at, width), spec.big_endian);
        if (value > units.mask) return LoadError{fmt::format("a unit has more than {} bits", units.bits), at};
        segment.units.push_back(value);
    }
    const auto last = static_cast<std::uint64_t>(isa::ones(spec.physical_width));
    if (address > last || (!segment.units.empty() && segment.units.size() - 1 > last - address))
        return LoadError{"the image does not fit into the physical addresses", 0};
    if (!segment.units.empty()) image.segments.push_back(std::move(segment));
    return image;
}

std::variant<Image, LoadError> load_elf(std::span<const std::byte> file, const isa::Spec& spec) {
    const auto error = [](std::string message, std::uint64_t offset) { return LoadError{std::move(message), offset}; };
    if (spec.unit_bits != 8)
        return error(fmt::format("ELF files count bytes; this machine's units have {} bits", spec.unit_bits), 0);
    if (file.size() < EI_NIDENT) return error("the file is too short for ELF", 0);
    const ElfFile opened(file);
    const auto& elf = opened.elf;
    if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF) return error("this is not an ELF file", 0);
    GElf_Ehdr header;
    if (gelf_getehdr(elf.get(), &header) == nullptr) return error("the ELF header is damaged", 0);
    const bool big_endian = header.e_ident[EI_DATA] == ELFDATA2MSB;
    if (header.e_ident[EI_DATA] != ELFDATA2LSB && !big_endian)
        return error("the file has no valid byte order", EI_DATA);
    if (big_endian != spec.big_endian)
        return error(fmt::format("the file is {}, the machine is {}", order(big_endian), order(spec.big_endian)),
                     EI_DATA);
    constexpr std::uint64_t machine_offset = 18;
    if (spec.elf_machine && header.e_machine != *spec.elf_machine)
        return error(
            fmt::format("the file is for machine type {}, this machine is {}", header.e_machine, *spec.elf_machine),
            machine_offset);
    constexpr std::uint64_t type_offset = 16;
    if (header.e_type != ET_EXEC && header.e_type != ET_DYN) return error("the file is not an executable", type_offset);

    std::size_t count = 0;
    if (elf_getphdrnum(elf.get(), &count) != 0) return error("the program headers are damaged", header.e_phoff);
    const auto last = static_cast<std::uint64_t>(isa::ones(spec.physical_width));
    Image image;
    image.entry = header.e_entry;
    std::uint64_t total = 0;
    struct Extent {
        std::uint64_t first, last, offset;
    };
    std::vector<Extent> extents;
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr program;
        const std::uint64_t where = header.e_phoff + i * header.e_phentsize;
        if (i > 0xffff || gelf_getphdr(elf.get(), static_cast<int>(i), &program) == nullptr)
            return error(fmt::format("program header {} is damaged", i), where);
        if (program.p_type != PT_LOAD || program.p_memsz == 0) continue;
        if (program.p_filesz > program.p_memsz)
            return error(fmt::format("segment {} is larger in the file than in memory", i), where);
        if (program.p_offset > file.size() || program.p_filesz > file.size() - program.p_offset)
            return error(fmt::format("segment {} reaches beyond the end of the file", i), where);
        if (program.p_memsz > image_limit || total + program.p_memsz > image_limit)
            return error("the segments take more than the limit of 256 MiB", where);
        total += program.p_memsz;
        if (program.p_paddr > last || program.p_memsz - 1 > last - program.p_paddr)
            return error(fmt::format("segment {} does not fit into the physical addresses", i), where);
        extents.push_back({program.p_paddr, program.p_paddr + (program.p_memsz - 1), where});
        Image::Segment segment{
            program.p_paddr, {}, program.p_memsz - program.p_filesz, program.p_offset, (program.p_flags & PF_X) != 0};
        const auto part = file.subspan(program.p_offset, program.p_filesz);
        segment.units.reserve(part.size());
        for (const std::byte b : part) segment.units.push_back(std::to_integer<std::uint64_t>(b));
        image.segments.push_back(std::move(segment));
    }
    if (image.segments.empty()) return error("the file has nothing to load", header.e_phoff);
    std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.first < b.first; });
    for (std::size_t i = 1; i < extents.size(); ++i)
        if (extents[i].first <= extents[i - 1].last) return error("segments overlap", extents[i].offset);
    return image;
}

std::optional<std::uint64_t> find_symbol(std::span<const std::byte> file, std::string_view name) {
    const ElfFile opened(file);
    Elf* const elf = opened.elf.get();
    if (elf == nullptr || elf_kind(elf) != ELF_K_ELF) return std::nullopt;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB || header.sh_entsize == 0)
            continue;
        Elf_Data* const data = elf_getdata(section, nullptr);
        if (data == nullptr) continue;
        GElf_Sym symbol;
        for (int i = 0; gelf_getsym(data, i, &symbol) != nullptr; ++i) {
            if (symbol.st_shndx == SHN_UNDEF) continue;
            const char* const text = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (text != nullptr && name == text) return symbol.st_value;
        }
    }
    return std::nullopt;
}

}  // namespace pogo::model
