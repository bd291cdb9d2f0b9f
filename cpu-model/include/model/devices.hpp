// The register maps of the platform's devices, as programs see them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pogo::model {

// Register n of a device begins 8·n bytes after the device's base: 8·n units where a unit is a byte, n units where a
// unit takes 8 bytes (33 to 64 bits), in between accordingly. An access of 1 to 8 units that begins at a register
// reads or writes it, zero-extended, in the machine's endianness; any other access reads zero and writes nothing.
// A device's interrupt is a level on its line (Device::line; lines count from 1, and 0 means line 1).

/// Output and input of characters. `size` 16 bytes.
namespace uart {
inline constexpr unsigned data = 0;    ///< write: a character out (low 8 bits); read: the next one in, or 0
inline constexpr unsigned status = 1;  ///< read: bit 0 input is there, bit 1 output is possible (always);
                                       ///< write: bit 0 raise the line while input is there
}  // namespace uart

/// A counter of cycles and a level interrupt. `size` 24 bytes.
namespace timer {
inline constexpr unsigned count = 0;    ///< cycles; may be written
inline constexpr unsigned compare = 1;  ///< all ones after power-on
inline constexpr unsigned control = 2;  ///< bit 0: the line is high while count ≥ compare
}  // namespace timer

/// Chooses the highest line; its number (1 for an input of one bit) drives Platform::interrupt_input. `size` 32 bytes.
/// Without this device all lines are enabled.
namespace interrupt_controller {
inline constexpr unsigned pending = 0;    ///< read: bit n is the level of line n
inline constexpr unsigned enable = 1;     ///< bit n enables line n; 0 after power-on
inline constexpr unsigned threshold = 2;  ///< only lines above this number count; 0 after power-on
inline constexpr unsigned active = 3;     ///< read: the line that drives the input, 0 for none
}  // namespace interrupt_controller

/// A store to any register ends the run with the value as its exit code. `size` 8 bytes.

/// A platform has at most this many devices that are not RAM.
inline constexpr unsigned max_devices = 16;
/// Lines are numbered 1 to 63.
inline constexpr unsigned max_line = 63;

}  // namespace pogo::model
