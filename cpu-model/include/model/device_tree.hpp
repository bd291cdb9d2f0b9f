// The device tree of a platform: what firmware is told about the machine it runs on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "isa/spec.hpp"

namespace pogo::model {

/// A node as in the Devicetree Specification v0.3, section 2.2.
struct DeviceTreeNode {
    struct Property {
        /// No value, cells of 32 bits, or strings.
        using Value = std::variant<std::monostate, std::vector<std::uint32_t>, std::vector<std::string>>;
        std::string name;
        Value value;
    };
    std::string name;  ///< empty for the root
    std::vector<Property> properties;
    std::vector<DeviceTreeNode> children;
};

/// Cycles of one second: a cycle is 10 ns.
inline constexpr std::uint64_t cycles_per_second = 100'000'000;

/// The tree of a platform with a clint, a plic and a processor that Platform::isa describes, shaped as QEMU's for its
/// `virt` machine. A text says why there is none.
[[nodiscard]] std::variant<DeviceTreeNode, std::string> device_tree(const isa::Spec& spec,
                                                                    const std::string& boot_arguments = "");

/// As source text (format version 1).
[[nodiscard]] std::string print(const DeviceTreeNode& root);

/// Flattened, as section 5 of the specification lays it out (version 17).
[[nodiscard]] std::vector<std::byte> flatten(const DeviceTreeNode& root);

/// Where QEMU would put a blob of this size: at the end of the largest RAM, at a multiple of 2 MiB (of 8 bytes where
/// the RAM is too small for that). Nothing if it does not fit.
[[nodiscard]] std::optional<std::uint64_t> device_tree_address(const isa::Spec& spec, std::uint64_t size);

}  // namespace pogo::model
