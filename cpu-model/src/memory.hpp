// The core's way to memory: windows of host memory where there are any, else transactions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "model/observer.hpp"
#include "units.hpp"

namespace pogo::model {

/// What is behind the core's socket. Addresses are physical and count units.
class Bus {
  public:
    virtual ~Bus() = default;
    /// Host memory of the units [first, last], which may be read, and written if `writable`.
    struct Window {
        std::uint64_t first = 1;
        std::uint64_t last = 0;
        std::byte* data = nullptr;
        bool writable = false;
    };
    /// The window around an address, or nothing where access takes a transaction.
    virtual std::optional<Window> window(std::uint64_t address, bool write) = 0;
    /// Transactions on consecutive units; false: a bus error.
    virtual bool read(std::uint64_t address, unsigned count, std::byte* bytes) = 0;
    virtual bool write(std::uint64_t address, unsigned count, const std::byte* bytes) = 0;
};

/// A store that was done, for those who must know.
struct StoreRange {
    std::uint64_t address = 0;
    unsigned units = 0;
};

class Memory {
  public:
    Memory(const isa::Spec& spec, Bus& bus)
        : format_(spec), last_(static_cast<std::uint64_t>(isa::ones(spec.physical_width))), bus_(bus) {}

    [[nodiscard]] Word load(std::uint64_t address, unsigned units) {
        if (const std::byte* at = host(address, units, false)) return format_.compose(at, units);
        return load_slowly(address, units);
    }

    /// The same where the number has at most 64 bits.
    [[nodiscard]] std::uint64_t load_narrow(std::uint64_t address, unsigned units) {
        if (const std::byte* at = host(address, units, false); at != nullptr && format_.bits == 8) [[likely]]
            return load_bytes(at, units);
        return static_cast<std::uint64_t>(load(address, units));
    }

    void store(std::uint64_t address, unsigned units, Word value) {
        if (log_ == nullptr) {
            if (std::byte* at = host(address, units, true)) {
                if (format_.bits == 8) return store_bytes(at, units, value);
                return format_.split(at, units, value);
            }
        }
        store_slowly(address, units, value);
    }

    /// Host memory that holds these units, or nothing. Valid until forget().
    [[nodiscard]] std::byte* host(std::uint64_t address, unsigned units, bool write) {
        Bus::Window& window = windows_[(address << format_.shift >> 12) % windows_.size()];
        if (address >= window.first && address <= window.last && window.last - address >= units - 1 &&
            (window.writable || !write)) [[likely]]
            return window.data + ((address - window.first) << format_.shift);
        return host_slowly(address, units, write);
    }

    void forget() { windows_.fill({}); }
    /// Each unit stored is put down there, if anywhere.
    void set_log(std::vector<MemoryChange>* log) { log_ = log; }
    [[nodiscard]] const Units& format() const { return format_; }
    [[nodiscard]] std::uint64_t last() const { return last_; }
    [[nodiscard]] std::uint64_t errors() const { return errors_; }
    void count_error() { ++errors_; }

  private:
    [[nodiscard]] std::uint64_t load_bytes(const std::byte* at, unsigned units) const {
        std::uint64_t value = 0;
        switch (units) {
            case 1:
                return std::to_integer<std::uint64_t>(*at);
            case 2: {
                std::uint16_t half = 0;
                std::memcpy(&half, at, 2);
                return format_.big_endian ? __builtin_bswap16(half) : half;
            }
            case 4: {
                std::uint32_t word = 0;
                std::memcpy(&word, at, 4);
                return format_.big_endian ? __builtin_bswap32(word) : word;
            }
            case 8:
                std::memcpy(&value, at, 8);
                return format_.big_endian ? __builtin_bswap64(value) : value;
            default:
                return static_cast<std::uint64_t>(format_.compose(at, units));
        }
    }
    void store_bytes(std::byte* at, unsigned units, Word wide) const {
        const auto value = static_cast<std::uint64_t>(wide);
        switch (units) {
            case 1:
                *at = static_cast<std::byte>(value);
                return;
            case 2: {
                const auto half = static_cast<std::uint16_t>(value);
                const std::uint16_t ordered = format_.big_endian ? __builtin_bswap16(half) : half;
                std::memcpy(at, &ordered, 2);
                return;
            }
            case 4: {
                const auto word = static_cast<std::uint32_t>(value);
                const std::uint32_t ordered = format_.big_endian ? __builtin_bswap32(word) : word;
                std::memcpy(at, &ordered, 4);
                return;
            }
            case 8: {
                const std::uint64_t ordered = format_.big_endian ? __builtin_bswap64(value) : value;
                std::memcpy(at, &ordered, 8);
                return;
            }
            default:
                format_.split(at, units, wide);
                return;
        }
    }
    std::byte* host_slowly(std::uint64_t address, unsigned units, bool write);
    Word load_slowly(std::uint64_t address, unsigned units);
    void store_slowly(std::uint64_t address, unsigned units, Word value);

    Units format_;
    std::uint64_t last_;  ///< address
    Bus& bus_;
    std::array<Bus::Window, 32> windows_{};
    std::vector<MemoryChange>* log_ = nullptr;
    std::uint64_t errors_ = 0;
};

}  // namespace pogo::model
