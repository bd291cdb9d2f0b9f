// Numbers, registers and traps as text.
// SPDX-License-Identifier: Apache-2.0
#include "format.hpp"

#include <fmt/format.h>

namespace pogo::report {

std::string hex(std::uint64_t value, unsigned width) { return fmt::format("0x{:0{}x}", value, (width + 3) / 4); }

std::string trap_text(const isa::Spec& spec, isa::CauseId cause, std::span<const std::uint64_t> arguments) {
    std::string result = spec[cause].name;
    const auto& parameters = spec[cause].parameters;
    for (std::size_t i = 0; i < arguments.size(); ++i)
        result += (i == 0 ? "(" : ", ") +
                  hex(arguments[i], i < parameters.size() ? spec.terms.sort(parameters[i]).width : 64);
    return arguments.empty() ? result : result + ")";
}

std::string count(std::size_t number, std::string_view noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string enumeration(std::span<const std::string> words) {
    std::string result;
    for (std::size_t i = 0; i < words.size(); ++i)
        result += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
    return result;
}

std::vector<Value> named_values(const isa::Spec& spec) {
    std::vector<Value> result;
    std::vector<isa::Word> shown(spec.slots, 0);  // bits, by slot
    for (const auto& reg : spec.registers) {
        result.emplace_back(spec, reg);
        for (const auto& piece : reg.pieces)
            shown[spec[piece.element].slot + piece.entry] |= isa::ones(piece.high - piece.low + 1) << piece.from;
    }
    for (const auto& element : spec.elements)
        for (unsigned i = 0; i < element.slots(); ++i) {
            if ((isa::ones(element.width) & ~shown[element.slot + i]) == 0) continue;
            std::string name = element.is_file() ? fmt::format("{}[{}]", element.name, i) : element.name;
            result.emplace_back(spec, std::move(name), element.width, element.slot + i);
        }
    return result;
}

}  // namespace pogo::report
