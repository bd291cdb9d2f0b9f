// Any text as assembly, any bytes as machine code. The first byte chooses the machine.
// SPDX-License-Identifier: Apache-2.0
#include "isa/assembly.hpp"

#include "support.hpp"

using namespace pogo::isa;

// Made before the first input is timed.
static const Spec specs[] = {pogo::fuzz::shipped("lecture.isa"), pogo::fuzz::shipped("pg74.isa"),
                             pogo::fuzz::shipped("m68k.isa"), pogo::fuzz::shipped("rv64.isa")};
static const Decoder decoders[] = {Decoder(specs[0]), Decoder(specs[1]), Decoder(specs[2]), Decoder(specs[3])};

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const unsigned which = data[0] % 4;
    const Spec& spec = specs[which];
    SourceManager sources;
    Diagnostics diagnostics;
    const auto buffer = sources.add("fuzz.s", std::string(reinterpret_cast<const char*>(data + 1), size - 1));
    const auto image = assemble(spec, sources, buffer, diagnostics);
    if (image.has_value() == diagnostics.has_errors()) std::abort();
    (void)render(diagnostics, sources);
    std::vector<std::uint64_t> parcels;
    const std::size_t bytes = spec.parcel_bits() / 8;
    for (std::size_t at = 1; at + bytes <= size && parcels.size() < 8; at += bytes) {
        std::uint64_t parcel = 0;
        for (std::size_t i = 0; i < bytes; ++i) parcel = parcel << 8 | data[at + i];
        parcels.push_back(parcel);
    }
    unsigned wanted = 0;
    if (const auto decoded = decoders[which].decode(parcels, wanted)) (void)disassemble(spec, *decoded, 0);
    return 0;
}
