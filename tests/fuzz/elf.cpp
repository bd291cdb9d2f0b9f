// Any bytes as an ELF file of a big-endian 32-bit machine, or as a raw image.
// SPDX-License-Identifier: Apache-2.0
#include "model/image.hpp"

#include "support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pogo;
    static const isa::Spec m68k = fuzz::shipped("m68k.isa");
    static const isa::Spec pg74 = fuzz::shipped("pg74.isa");
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
    for (const isa::Spec* spec : {&m68k, &pg74}) {
        const auto image = model::load_elf(bytes, *spec);
        if (const auto* error = std::get_if<model::LoadError>(&image); error != nullptr && error->message.empty())
            std::abort();
        (void)model::load_raw(bytes, size, *spec);
    }
    return 0;
}
