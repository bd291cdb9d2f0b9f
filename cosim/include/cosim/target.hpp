// What is particular to one architecture under one peer: data, so that the comparison knows no architecture.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cosim/gdb.hpp"
#include "isa/spec.hpp"

namespace pogo::cosim {

/// Bits of a register in which the peer may differ from the model.
struct Exemption {
    enum class Kind : std::uint8_t {
        ignore,  ///< they are not compared
        follow,  ///< the peer is given the model's register, so that the difference has no consequences
    };
    std::string_view reg;
    std::uint64_t bits = 0;
    std::string_view at;  ///< the identifier of the instruction, or the name of the trap, after which; empty: always
    Kind kind = Kind::ignore;
    std::string_view reason;
};

/// A register that the peer calls otherwise.
struct Alias {
    std::string_view ours;
    std::string_view theirs;
};

struct Target {
    unsigned elf_machine = 0;
    std::string_view program;  ///< QEMU for it
    /// Its arguments for the machine's platform; throws PeerError where QEMU has no such platform.
    std::vector<std::string> (*arguments)(const isa::Spec& spec) = nullptr;
    std::span<const Alias> aliases{};
    std::span<const Exemption> exemptions{};
    /// Identifiers of instructions that would wait for an interrupt, which the peer never takes: where the model
    /// completes them, the peer is given the model's state instead.
    std::span<const std::string_view> waits{};
};

/// What is known of peers of the machine; of an unknown one, nothing but equal names.
[[nodiscard]] const Target& target_of(const isa::Spec& spec);

/// Starts QEMU, stopped before its first instruction; it ends with the stream. Throws PeerError.
[[nodiscard]] std::unique_ptr<Stream> start_qemu(const Target& target, const isa::Spec& spec);

}  // namespace pogo::cosim
