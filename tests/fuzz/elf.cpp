// Any bytes as an ELF file of machines of either byte order, 16, 32 and 64 bits, or as a raw image.
// SPDX-License-Identifier: Apache-2.0
#include "model/image.hpp"

#include "support.hpp"

// Made before the first input is timed.
static const pogo::isa::Spec m68k = pogo::fuzz::shipped("m68k.isa");
static const pogo::isa::Spec pg74 = pogo::fuzz::shipped("pg74.isa");
static const pogo::isa::Spec rv64 = pogo::fuzz::shipped("rv64.isa");

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo;
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
    for (const isa::Spec* spec : {&m68k, &pg74, &rv64}) {
        const auto image = model::load_elf(bytes, *spec);
        if (const auto* error = std::get_if<model::LoadError>(&image); error != nullptr && error->message.empty())
            std::abort();
        (void)model::load_raw(bytes, size, *spec);
    }
    (void)model::find_symbol(bytes, "tohost");
    return 0;
}
