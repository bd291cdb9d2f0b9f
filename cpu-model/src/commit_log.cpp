// Lines of riscv-isa-sim's commit log out of events.
// SPDX-License-Identifier: Apache-2.0
#include "model/commit_log.hpp"

#include <fmt/format.h>

#include <map>
#include <ostream>

namespace pogo::model {

namespace {

constexpr unsigned elf_riscv = 243;
constexpr std::uint64_t csrrw = 0x1073;  // SYSTEM with funct3 = 1; bits 31 to 20 are the number (UM 9.1)
constexpr std::uint64_t csrrw_mask = 0x707f;
constexpr std::uint64_t system = 0x73;
constexpr std::uint64_t system_mask = 0x7f;

isa::ElementId mode_of(const isa::Spec& spec) {
    isa::ElementId mode;
    for (std::uint32_t i = 0; i < spec.elements.size(); ++i) {
        if (spec.elements[i].role != isa::Role::mode) continue;
        if (mode.valid()) return {};
        mode = {i};
    }
    return mode;
}

// Parcels as one number, the first lowest.
std::uint64_t joined(const isa::Spec& spec, std::span<const std::uint64_t> parcels) {
    std::uint64_t bits = 0;
    for (std::size_t i = parcels.size(); i-- > 0;) bits = (bits << spec.parcel_bits()) | parcels[i];
    return bits;
}

}  // namespace

std::optional<std::string> CommitLog::unfit(const isa::Spec& spec) {
    const auto file = spec.find_element("x");
    if (spec.elf_machine != elf_riscv || spec.parcel_bits() != 16) return "it is not a RISC-V machine";
    if (!file.valid() || spec[file].entries != 32) return "it has no register file x of 32 registers";
    if (!mode_of(spec).valid()) return "it has not one element of role mode";
    return std::nullopt;
}

void CommitLog::on_spec(const isa::Spec& spec) {
    spec_ = &spec;
    accesses_ = std::make_unique<Accesses>(spec);
    mode_ = mode_of(spec);
    file_ = spec.find_element("x");
    written_.clear();
    // The first register that has an element is the one that it is a field of; others are views of that.
    std::unordered_map<std::uint32_t, const isa::Register*> owners;
    for (const auto& reg : spec.registers)
        for (const auto& piece : reg.pieces) owners.try_emplace(piece.element.index, &reg);
    std::unordered_map<const isa::Register*, unsigned> numbers;
    for (const auto& form : spec.forms) {
        std::vector<std::uint64_t> values;
        std::vector<std::uint64_t> masks;
        for (const auto& parcel : form.encoding.parcels) {
            values.push_back(parcel.value);
            masks.push_back(parcel.mask);
        }
        const std::uint64_t wanted = csrrw_mask | 0xfff00000;
        if (values.size() != 2 || (joined(spec, masks) & wanted) != wanted) continue;
        if ((joined(spec, values) & csrrw_mask) != csrrw) continue;
        if (const isa::Register* const reg = spec.find_register(form.variant); reg != nullptr)
            numbers[reg] = static_cast<unsigned>(joined(spec, values) >> 20);
    }
    for (std::uint32_t i = 0; i < spec.forms.size(); ++i)
        for (const auto& write : spec.forms[i].meaning.writes) {
            const auto owner = owners.find(write.element.index);
            const auto number = owner == owners.end() ? numbers.end() : numbers.find(owner->second);
            if (number != numbers.end()) written_[i].push_back({number->first, number->second});
        }
}

// UM 9.1: of the instructions on control and status registers, CSRRW and CSRRWI always write; the others do unless the
// field at bits 19 to 15 is 0.
std::span<const CommitLog::Numbered> CommitLog::written(isa::FormId form, std::uint64_t bits) const {
    const bool sets_or_clears = (bits & system_mask) == system && (bits & 0x2000) != 0;
    if (sets_or_clears && (bits & 0xf8000) == 0) return {};
    const auto found = written_.find(form.index);
    return found == written_.end() ? std::span<const Numbered>() : found->second;
}

void CommitLog::follow(const RetireEvent& event) {
    for (const auto& change : event.changes) state_.slots[change.slot] = change.value;
}

void CommitLog::on_retire(const RetireEvent& event) {
    const isa::Spec& spec = *spec_;
    const isa::Form& form = spec[event.form];
    const auto parcels = isa::encode(form, event.fields);
    const unsigned digits = spec[file_].width / 4;
    const std::uint64_t bits = joined(spec, parcels);
    const auto instruction_digits = static_cast<unsigned>(parcels.size() * 4);
    std::string line = fmt::format("core{:4}: {} 0x{:0{}x} (0x{:0{}x})", 0, state_.get(spec[mode_]), event.pc, digits,
                                   bits, instruction_digits);
    const auto memory = [&](std::uint64_t address) {
        for (const auto& store : event.stores)
            if (store.address == address) return store.before;
        return memory_(address);
    };
    const auto& accesses = accesses_->of(event.form, event.fields, state_.slots, memory);
    follow(event);
    std::map<unsigned, std::string> registers;
    const isa::Element& file = spec[file_];
    for (const auto& change : event.changes)
        if (const unsigned number = change.slot - file.slot; number > 0 && number < file.entries)
            registers[number * 16] = fmt::format(" x{:<2} 0x{:0{}x}", number, change.value, digits);
    for (const auto& [reg, number] : written(event.form, bits))
        registers[number * 16 + 4] =
            fmt::format(" c{}_{} 0x{:0{}x}", number, reg->name, state_.get(*reg, spec), digits);
    for (const auto& [order, text] : registers) line += text;
    for (const bool stores : {false, true})
        for (const auto& access : accesses) {
            if (access.store != stores || access.direct || !access.used) continue;
            line += fmt::format(" mem 0x{:0{}x}", access.address, digits);
            if (stores) line += fmt::format(" 0x{:0{}x}", static_cast<std::uint64_t>(access.data), access.units * 2);
        }
    out_ << line << '\n';
}

}  // namespace pogo::model
