// pogo asm and pogo disasm.
// SPDX-License-Identifier: Apache-2.0
#include "isa/assembly.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <memory>

#include "session.hpp"

namespace pogo::cli {

using namespace isa;

namespace {

int digits(unsigned bits) { return static_cast<int>((bits + 3) / 4); }

std::string listing(const Spec& spec, const SourceManager& sources, const Image& image) {
    std::string out;
    for (const auto& line : image.lines) {
        std::string units;
        for (std::size_t i = 0; i < line.units.size() && i < 16; ++i)
            units += fmt::format("{:0{}x}", line.units[i], digits(spec.unit_bits));
        if (line.units.size() > 16) units += "…";
        out += fmt::format("{:0{}x}  {:<20}  {}\n", line.address, digits(spec.address_width), units,
                           sources.text(line.where));
    }
    return out;
}

unsigned bytes_per_unit(const Spec& spec) { return std::bit_ceil((spec.unit_bits + 7) / 8); }

// One stretch of memory from the lowest to the highest address, gaps zero.
std::optional<std::string> flat(const Spec& spec, const Image& image) {
    std::uint64_t low = ~std::uint64_t{0};
    std::uint64_t high = 0;
    for (const auto& line : image.lines) {
        if (line.units.empty()) continue;
        low = std::min(low, line.address);
        high = std::max(high, line.address + line.units.size());
    }
    if (low >= high) return "";
    const unsigned bytes = bytes_per_unit(spec);
    if (high - low > (std::uint64_t{1} << 26) / bytes) return std::nullopt;
    std::string out((high - low) * bytes, '\0');
    for (const auto& line : image.lines) {
        for (std::size_t i = 0; i < line.units.size(); ++i) {
            for (unsigned b = 0; b < bytes; ++b) {
                const unsigned shift = 8 * (spec.big_endian ? bytes - 1 - b : b);
                out[(line.address - low + i) * bytes + b] = static_cast<char>(line.units[i] >> shift);
            }
        }
    }
    return out;
}

void disassemble_all(const Spec& spec, const std::string& bytes, std::uint64_t base) {
    const Decoder decoder(spec);
    const unsigned per_unit = bytes_per_unit(spec);
    std::vector<std::uint64_t> units;
    for (std::size_t at = 0; at + per_unit <= bytes.size(); at += per_unit) {
        std::uint64_t unit = 0;
        for (unsigned b = 0; b < per_unit; ++b)
            unit |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + b]))
                    << 8 * (spec.big_endian ? per_unit - 1 - b : b);
        units.push_back(unit);
    }
    std::size_t at = 0;
    while (at + spec.parcel_units <= units.size()) {
        std::vector<std::uint64_t> parcels{parcel_of(spec, &units[at])};
        unsigned wanted = 0;
        auto decoded = decoder.decode(parcels, wanted);
        while (!decoded && wanted > parcels.size() && at + (parcels.size() + 1) * spec.parcel_units <= units.size()) {
            parcels.push_back(parcel_of(spec, &units[at + parcels.size() * spec.parcel_units]));
            decoded = decoder.decode(parcels, wanted);
        }
        if (!decoded) parcels.resize(1);
        std::string shown;
        for (const auto parcel : parcels) shown += fmt::format("{:0{}x} ", parcel, digits(spec.parcel_bits()));
        fmt::print("{:0{}x}  {:<20} {}\n", base + at, digits(spec.address_width), shown,
                   decoded ? disassemble(spec, *decoded, base + at) : ".unit");
        at += parcels.size() * spec.parcel_units;
    }
}

}  // namespace

void add_assembly(CLI::App& app, Session& session) {
    {
        auto* command = app.add_subcommand("asm", "Assemble a program for a machine");
        auto arguments = std::make_shared<SpecArguments>();
        auto source = std::make_shared<std::string>();
        auto output = std::make_shared<std::string>();
        arguments->add_to(*command);
        command->add_option("SOURCE", *source, "assembly text (required)");
        command->add_option("-o,--output", *output, "write a raw image; without it a listing is printed");
        command->callback([=, &session] {
            const std::string file = session.behind(*arguments, *source, "SOURCE");
            const Spec spec = session.load(*arguments);
            const auto image = assemble(spec, session.sources, session.read(file), session.diagnostics);
            if (!image) session.leave(bad_input);
            if (output->empty()) {
                fmt::print("{}", listing(spec, session.sources, *image));
                return;
            }
            const auto bytes = flat(spec, *image);
            if (!bytes) session.fail(bad_input, Code::E0708, {}, "67108864 bytes as one image of");
            write_file(session, *output, *bytes);
        });
    }
    {
        auto* command = app.add_subcommand("disasm", "Disassemble a raw image");
        auto arguments = std::make_shared<SpecArguments>();
        auto image = std::make_shared<std::string>();
        auto base = std::make_shared<std::string>("0");
        arguments->add_to(*command);
        command->add_option("IMAGE", *image, "raw bytes (required)");
        command->add_option("--base", *base, "address of the first byte")->capture_default_str();
        command->callback([=, &session] {
            const std::string file = session.behind(*arguments, *image, "IMAGE");
            const Spec spec = session.load(*arguments);
            const auto address = parse_number(*base);
            if (!address) session.fail(usage, Code::E0901, {}, fmt::format("`{}` is not an address", *base));
            const auto bytes = read_file(file, session.diagnostics);
            if (!bytes) session.leave(bad_input);
            disassemble_all(spec, *bytes, *address);
        });
    }
}

}  // namespace pogo::cli
