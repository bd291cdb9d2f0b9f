// Accesses that cross windows, reach devices or are logged.
// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"

#include <array>

#include "isa/require.hpp"

namespace pogo::model {

namespace {
constexpr unsigned max_bytes = 128 * 8;  // 128 units of one bit, eight bytes each at most
}

std::byte* Memory::host_slowly(std::uint64_t address, unsigned units, bool write) {
    if (address > last_ || last_ - address < units - 1) return nullptr;
    const auto window = bus_.window(address, write);
    if (!window) return nullptr;
    windows_[(address << format_.shift >> 12) % windows_.size()] = *window;
    if (window->last - address < units - 1) return nullptr;
    return window->data + ((address - window->first) << format_.shift);
}

// An access wraps at the end of the physical addresses. Within one window or device it is one transaction, else one
// for each unit.
Word Memory::load_slowly(std::uint64_t address, unsigned units) {
    POGO_REQUIRE(units <= 128);
    alignas(8) std::array<std::byte, max_bytes> bytes{};
    const auto step = std::size_t{1} << format_.shift;
    if (units == 1 || (host(address, 1, false) == nullptr && last_ - address >= units - 1)) {
        if (!bus_.read(address, units, bytes.data())) {
            ++errors_;
            std::memset(bytes.data(), 0, units * step);
        }
    } else {
        for (unsigned i = 0; i < units; ++i) {
            const std::uint64_t at = (address + i) & last_;
            if (const std::byte* unit = host(at, 1, false)) {
                std::memcpy(bytes.data() + i * step, unit, step);
            } else if (!bus_.read(at, 1, bytes.data() + i * step)) {
                ++errors_;
                std::memset(bytes.data() + i * step, 0, step);
            }
        }
    }
    return format_.compose(bytes.data(), units);
}

void Memory::store_slowly(std::uint64_t address, unsigned units, Word value) {
    POGO_REQUIRE(units <= 128);
    alignas(8) std::array<std::byte, max_bytes> bytes{};
    format_.split(bytes.data(), units, value);
    const auto step = std::size_t{1} << format_.shift;
    if (host(address, 1, true) == nullptr && last_ - address >= units - 1) {
        if (!bus_.write(address, units, bytes.data())) ++errors_;
        return;
    }
    for (unsigned i = 0; i < units; ++i) {
        const std::uint64_t at = (address + i) & last_;
        if (std::byte* unit = host(at, 1, true)) {
            if (log_ != nullptr) log_->push_back({at, format_.get(unit), format_.get(bytes.data() + i * step)});
            std::memcpy(unit, bytes.data() + i * step, step);
        } else if (!bus_.write(at, 1, bytes.data() + i * step)) {
            ++errors_;
        }
    }
}

}  // namespace pogo::model
