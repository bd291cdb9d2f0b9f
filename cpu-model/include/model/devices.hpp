// The register maps of the platform's devices, as programs see them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pogo::model {

// The first group is Pogo's own. Register n of a device begins 8·n bytes after the device's base: 8·n units where a
// unit is a byte, n units where a unit takes 8 bytes (33 to 64 bits), in between accordingly. An access of 1 to 8 units
// that begins at a register reads or writes it, zero-extended, in the machine's endianness; any other access reads zero
// and writes nothing. A device's interrupt is a level on its line (Device::line; lines count from 1, and 0 means line
// 1).

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

/// Chooses the highest line; its number (1 for an input of one bit) is its one output. `size` 32 bytes.
/// Without this device all lines are enabled.
namespace interrupt_controller {
inline constexpr unsigned pending = 0;    ///< read: bit n is the level of line n
inline constexpr unsigned enable = 1;     ///< bit n enables line n; 0 after power-on
inline constexpr unsigned threshold = 2;  ///< only lines above this number count; 0 after power-on
inline constexpr unsigned active = 3;     ///< read: the line that drives the input, 0 for none
}  // namespace interrupt_controller

/// A store to any register ends the run with the value as its exit code. `size` 8 bytes.

// The second group is that of QEMU's RISC-V `virt` machine (docs/system/riscv/virt.rst and hw/riscv/virt.c of QEMU
// 7.2), for programs built for it. Offsets are in bytes. A register is read and written whole, by an access of its own
// size (where no size is given, 4 bytes); any other access reads zero and writes nothing. Values are in the machine's
// endianness. All registers are 0 after power-on unless something else is said.

/// National Semiconductor PC16550D data sheet (June 1995), section 8; registers of one byte. A character takes no time:
/// the transmitter is always empty, and what the other end has typed waits there, so nothing is ever overrun and a
/// reset of the receiver's FIFO loses nothing (but for characters sent in loopback, which do arrive in the FIFO). Hence
/// the timeout of table IV comes at once: characters below the trigger level show as a timeout (0xC).
/// Divisor, character format and break are only kept. As QEMU's serial.c does it, and unlike a PC, OUT2 does not gate
/// the interrupt. `size` 8 bytes; virt has 0x100, of which the others read 0.
namespace ns16550 {
inline constexpr unsigned rbr_thr = 0;  ///< read: the next character in, or 0; write: a character out. DLL if LCR[7]
inline constexpr unsigned ier = 1;      ///< 0 received data, 1 transmitter empty, 2 line status, 3 modem. DLM if LCR[7]
inline constexpr unsigned iir_fcr = 2;  ///< read: 0xC0 if FIFOs are on, with 1 nothing, 6 line status, 4 received data,
                                        ///< 0xC timeout, 2 transmitter empty (cleared by this read), 0 modem status;
                                        ///< write: 0 FIFOs on, 1 clear the receiver's, 7..6 trigger at 1, 4, 8, 14
inline constexpr unsigned lcr = 3;      ///< 7 the divisor's latches are at 0 and 1
inline constexpr unsigned mcr = 4;      ///< 0 DTR, 1 RTS, 2 OUT1, 3 OUT2, 4 loopback
inline constexpr unsigned lsr = 5;      ///< read: 0x60 transmitter empty, 0 data, 1 overrun (loopback; cleared by this)
inline constexpr unsigned msr = 6;      ///< read: 7..4 DCD RI DSR CTS (0xB0, in loopback OUT2 OUT1 DTR RTS), 3..0 what
                                        ///< of DCD DSR CTS has changed and RI ended (cleared by this read)
inline constexpr unsigned scr = 7;      ///< holds what is written
inline constexpr unsigned fifo = 16;    ///< characters
}  // namespace ns16550

/// SiFive FU540-C000 manual v1p3, chapter "Core-Local Interruptor (CLINT)"; in the RISC-V ACLINT specification (a
/// draft, 1.0-rc4) the devices MSWI and MTIMER; hart 0 only. Each half of a 64-bit register can be accessed by 4 bytes,
/// too. The timer counts one for every Device::timebase cycles since power-on; writing it moves it, not the moment of
/// its next tick. Sources disagree on mtimecmp after power-on: the manual does not reset it, ACLINT leaves it unknown,
/// QEMU has 0 yet keeps the interrupt low until a write. Here it is all ones. Outputs: software = msip, timer = mtime ≥
/// mtimecmp, time = mtime. `size` at least 0xC000, 0x10000 in virt.
namespace clint {
inline constexpr std::uint64_t msip = 0x0000;      ///< bit 0
inline constexpr std::uint64_t mtimecmp = 0x4000;  ///< 8 bytes
inline constexpr std::uint64_t mtime = 0xBFF8;     ///< 8 bytes
enum Output : unsigned { software, timer, time };
}  // namespace clint

/// RISC-V Platform-Level Interrupt Controller specification 1.0.0, chapters "Memory Map" to "Interrupt Completion",
/// with the addresses of the SiFive FU540-C000 manual v1p3, chapter of that name; sources 1 to Device::sources,
/// priorities and thresholds of 3 bits (WARL), context 0 is M mode of hart 0 and context 1 its S mode. Inputs are
/// levels. Outputs: machine and supervisor, high while a source that is pending and enabled in the context has a
/// priority above its threshold. Where QEMU 7.2 disagrees with the specification, the specification is followed: a
/// request stays pending when its line falls before the claim (QEMU withdraws it); a claim looks at no threshold
/// (QEMU's does); completing a source that is not enabled in the context does nothing (QEMU completes it); bit 0 of the
/// first word of enables is 0 (QEMU keeps it). `size` at least 0x202000, 0x600000 in virt.
namespace plic {
inline constexpr std::uint64_t priority = 0x000000;   ///< + 4·source
inline constexpr std::uint64_t pending = 0x001000;    ///< + 4·word; read only
inline constexpr std::uint64_t enable = 0x002000;     ///< + 0x80·context + 4·word
inline constexpr std::uint64_t threshold = 0x200000;  ///< + 0x1000·context
inline constexpr std::uint64_t claim = 0x200004;      ///< + 0x1000·context; read: claim, write: complete
inline constexpr std::uint64_t enable_stride = 0x80;
inline constexpr std::uint64_t context_stride = 0x1000;
inline constexpr unsigned contexts = 2;
inline constexpr unsigned priority_mask = 7;
enum Output : unsigned { machine, supervisor };
}  // namespace plic

/// QEMU's hw/misc/sifive_test.c, in the device tree "sifive,test1". One register at 0, written by 2 bytes (as OpenSBI
/// does) or 4; reads 0. Any other value does nothing. `size` at least 4 bytes, 0x1000 in virt.
namespace finisher {
inline constexpr unsigned fail = 0x3333;   ///< ends the run with bits 31..16 as exit code (1 if they are 0; QEMU: 0)
inline constexpr unsigned pass = 0x5555;   ///< ends the run with exit code 0
inline constexpr unsigned reset = 0x7777;  ///< ends the run as a reset that was asked for
}  // namespace finisher

/// The Berkeley host-target interface, as fesvr/htif.cc and fesvr/device.cc of riscv-isa-sim serve it. It has no
/// documentation of its own. Its first 8 bytes, `tohost`, are memory, over RAM if there is any; each store to them is
/// looked at: bits 63..56 name a device, 55..48 a command, the rest is the payload. Device 0 with payload bit 0 set
/// ends the run with the exit code payload >> 1. Device 1, command 1 prints the payload's low 8 bits, and `tohost`
/// becomes 0 again, for which programs wait before the next command. Device 0 with bit 0 clear is a system call: at the
/// physical address that is the payload are its number and arguments, in 8 bytes each. `write` (64) of standard output
/// or error prints; its result takes the number's place, `tohost` becomes 0 and `fromhost`, a word elsewhere in
/// memory, 1. Everything else (other system calls, all of them where no `fromhost` is known, reading from device 1)
/// stays unanswered. riscv-isa-sim looks at `tohost` now and then and clears it at an exit, too; here every store
/// counts, and what has ended the run can still be read.
namespace htif {
inline constexpr std::uint64_t tohost = 0;
inline constexpr std::uint64_t sys_write = 64;          ///< a file's number, an address and how many bytes
inline constexpr std::uint64_t bad_file = -9;           ///< EBADF
inline constexpr std::uint64_t most_written = 1 << 20;  ///< by one call: `write` may do less than it was asked for
}  // namespace htif

/// A platform has at most this many devices that are not RAM.
inline constexpr unsigned max_devices = 16;
/// Lines of an interrupt_controller are numbered 1 to 63.
inline constexpr unsigned max_line = 63;

}  // namespace pogo::model
