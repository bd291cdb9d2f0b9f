// A machine beside the model: what the comparison needs of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace pogo::cosim {

/// The peer cannot be had, does not answer, or answers with what makes no sense.
struct PeerError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The peer's machine has ended, by itself.
struct PeerEnded : PeerError {
    using PeerError::PeerError;
};

/// A machine that is stopped between two instructions whenever it is asked anything. Every function may throw
/// PeerError.
class Peer {
  public:
    struct Register {
        std::string name;
        unsigned width = 0;     ///< bits, a multiple of 8, at most 64
        bool together = false;  ///< read with others at once, so at little cost
    };
    /// Bytes of physical memory.
    struct Range {
        std::uint64_t address = 0;
        std::size_t size = 0;
    };
    struct View {
        std::vector<std::optional<std::uint64_t>>
            registers;  ///< those watched, in that order; nothing: not read, or it cannot be
        std::vector<std::vector<std::uint8_t>> memory;  ///< of the ranges; empty where nothing is there
    };

    virtual ~Peer() = default;
    /// For people.
    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual const std::vector<Register>& registers() const = 0;
    /// The registers, by number, that look() is about from here on.
    virtual void watch(std::vector<std::size_t> registers) = 0;
    /// Executes one instruction, or enters the trap that it raises; takes no interrupt.
    virtual void step() = 0;
    /// Reads memory and registers: all that are watched, or only those that are read together.
    [[nodiscard]] virtual const View& look(bool everything, std::span<const Range> ranges) = 0;
    virtual void set(std::size_t reg, std::uint64_t value) = 0;
    virtual void set_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) = 0;
};

}  // namespace pogo::cosim
