// A tiny 64-bit machine on the platform of QEMU's virt: accesses of all sizes, the time, interrupts of every kind.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace pogo::model::test {

inline constexpr std::uint64_t finisher_base = 0x100000;
inline constexpr std::uint64_t clint_base = 0x2000000;
inline constexpr std::uint64_t plic_base = 0xC000000;
inline constexpr std::uint64_t serial = 0x10000000;   ///< line 10
inline constexpr std::uint64_t serial2 = 0x10000100;  ///< line 12
inline constexpr std::uint64_t ram = 0x80000000;
inline constexpr std::uint64_t tohost = 0x80001000;

/// Programs begin at the RAM's first address. Interrupts go to ram + 0x400; bits of `enable` and values of `cause`: 0
/// msip, 1 mtip, 2 meip, 3 seip, 4 mtime ≥ stimecmp. `bcause c, t` goes to ram + 0x500 + 64·t if the cause is c.
inline std::string virt_text(unsigned timebase, const std::string& more = "") {
    return R"isa(machine virtoy { title "Toy on virt"; unit 8; address 32; parcel 32; elf 243; }
register pc : bits(32) role pc;
regfile r[16] : bits(64) role data;
register st : bits(8) { S 7 role mode; I 6 role control; W 1 role control; H 0 role control; }
register stimecmp : bits(64) role control;
register enabled : bits(5) role control;
register cause : bits(3) role control;
register epc : bits(32) role control;
input msip : bits(1);
input mtip : bits(1);
input meip : bits(1);
input seip : bits(1);
input mtime : bits(64) role time;
input cycle_count : bits(64) role time;
input retired_count : bits(64) role time;
mode supervisor { st.S = 1; }
mode user { st.S = 0; }
context deprivileged { supervisor supervisor; user user; }
reset { st = 0x80; pc = 0x80000000; stimecmp = 0xFFFF_FFFF_FFFF_FFFF; }
procedure enter(number: bits(3)) {
  epc = pc;
  cause = number;
  st.S = 1;
  st.I = 0;
  st.W = 0;
  pc = 0x80000400;
}
trap illegal_op kind illegal { enter(7); }
illegal illegal_op;
interrupt software when msip == 1 && enabled[0] == 1 && st.I == 1 { enter(0); }
interrupt timer when mtip == 1 && enabled[1] == 1 && st.I == 1 { enter(1); }
interrupt machine_external when meip == 1 && enabled[2] == 1 && st.I == 1 { enter(2); }
interrupt supervisor_external when seip == 1 && enabled[3] == 1 && st.I == 1 { enter(3); }
interrupt compare when mtime >= stimecmp && enabled[4] == 1 && st.I == 1 { enter(4); }
wait when st.W == 1;
halt when st.H == 1;

instruction li { encoding 0x01 a:4 0x00000, n:32; assembly "li r{a}, {n}"; r[a] = zext(n, 64); }
instruction lb { encoding 0x02 a:4 b:4 0x0000; assembly "lb r{a}, (r{b})"; cycles load; r[a] = zext(mem[r[b][31..0], 1], 64); }
instruction lh { encoding 0x03 a:4 b:4 0x0000; assembly "lh r{a}, (r{b})"; cycles load; r[a] = zext(mem[r[b][31..0], 2], 64); }
instruction lw { encoding 0x04 a:4 b:4 0x0000; assembly "lw r{a}, (r{b})"; cycles load; r[a] = zext(mem[r[b][31..0], 4], 64); }
instruction ld { encoding 0x05 a:4 b:4 0x0000; assembly "ld r{a}, (r{b})"; cycles load; r[a] = mem[r[b][31..0], 8]; }
instruction sb { encoding 0x06 a:4 b:4 0x0000; assembly "sb r{a}, (r{b})"; mem[r[b][31..0], 1] = r[a][7..0]; }
instruction sh { encoding 0x07 a:4 b:4 0x0000; assembly "sh r{a}, (r{b})"; mem[r[b][31..0], 2] = r[a][15..0]; }
instruction sw { encoding 0x08 a:4 b:4 0x0000; assembly "sw r{a}, (r{b})"; mem[r[b][31..0], 4] = r[a][31..0]; }
instruction sd { encoding 0x09 a:4 b:4 0x0000; assembly "sd r{a}, (r{b})"; mem[r[b][31..0], 8] = r[a]; }
instruction rdtime { encoding 0x0A a:4 0x00000; assembly "rdtime r{a}"; r[a] = mtime; }
instruction rdcycle { encoding 0x15 a:4 0x00000; assembly "rdcycle r{a}"; r[a] = cycle_count; }
instruction rdret { encoding 0x16 a:4 0x00000; assembly "rdret r{a}"; r[a] = retired_count; }
instruction cmp { encoding 0x0B a:4 0x00000; assembly "cmp r{a}"; stimecmp = r[a]; }
instruction enable { encoding 0x0C n:5 0b000 0x0000; assembly "enable {n}"; enabled = n; }
instruction ctl { encoding 0x0D n:8 0x0000; assembly "ctl {n}"; cycles system; st = n; }
instruction ret { encoding 0x0E 0x000000; assembly "ret"; cycles system; pc = epc; st.I = 1; }
instruction mul { encoding 0x0F a:4 b:4 0x0000; assembly "mul r{a}, r{b}"; cycles mul; r[a] = r[a] * r[b]; }
instruction add { encoding 0x10 a:4 b:4 0x0000; assembly "add r{a}, r{b}"; r[a] = r[a] + r[b]; }
instruction or { encoding 0x11 a:4 b:4 0x0000; assembly "or r{a}, r{b}"; r[a] = r[a] | r[b]; }
instruction shl { encoding 0x12 a:4 b:4 n:8 0x00; assembly "shl r{a}, r{b}, {n}"; r[a] = r[b] << n; }
instruction jump { encoding 0x13 0x000000, n:32; assembly "jump {n}"; pc = n; }
instruction bcause { encoding 0x14 c:3 0b0 t:8 0x000; assembly "bcause {c}, {t}"; if cause == c { pc = 0x80000500 + (zext(t, 32) << 6); } }
timing {
  stages fetch, decode, execute, memory, writeback;
  fetch 2; forwarding on; load 0; store 0; branch 0; trap 1; interrupt 1;
  class alu { occupies 1; latency 1; }
  class load { occupies 1; latency 2; }
  class mul { occupies 3; latency 4; }
  class system { occupies 1; latency 1; serialises; }
}
platform {
  isa "rv64i_zicsr";
  mmu "riscv,none";
  core drives cycles => cycle_count, retired => retired_count;
  finisher finish at 0x100000 size 0x1000;
  clint clint at 0x2000000 size 0x10000 timebase )isa" +
           std::to_string(timebase) +
           R"isa( drives software => msip, timer => mtip, time => mtime;
  plic plic at 0xC000000 size 0x600000 sources 96 drives machine => meip, supervisor => seip;
  ns16550 serial at 0x10000000 size 0x100 line 10;
  ns16550 other at 0x10000100 size 8 line 12;
  ram memory at 0x80000000 size 0x100000;
  htif host at 0x80001000 size 16;
}
)isa" + more;
}

}  // namespace pogo::model::test
