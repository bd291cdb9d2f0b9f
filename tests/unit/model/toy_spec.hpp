// A tiny machine for tests of the model: four registers, a mode bit among others, base and limit, two-parcel
// instructions, everything that can upset a pipeline.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "isa/elaborate.hpp"

namespace pogo::model::test {

/// The text of a timing section's inside that has five stages and no surprises.
inline constexpr const char* plain_timing = R"(
  stages fetch, decode, execute, memory, writeback;
  fetch 1; forwarding on; load 0; store 0; branch 0; trap 1; interrupt 1;
  class alu { occupies 1; latency 1; }
  class load { occupies 1; latency 2; }
  class mul { occupies 3; latency 4; }
  class system { occupies 1; latency 1; serialises; }
)";

inline constexpr const char* toy_platform = R"(platform {
  ram memory at 0x0000 size 0xF000;
  uart console at 0xF000 size 16;
  timer clock at 0xF100 size 24 line 2;
  interrupt_controller pic at 0xF200 size 32 drives line;
  exit finish at 0xF300 size 8;
})";

/// Parcel layouts: op:4 a:2 b:2 n:8. Traps go to physical address 0x10 + 2·cause, where a vector lies.
inline std::string toy_text(const std::string& timing = plain_timing, const std::string& platform = "",
                            const std::string& endian = "little") {
    return "machine toy { title \"Toy\"; endian " + endian + R"isa(; unit 8; address 16; parcel 16; elf 243; }
register pc : bits(16) role pc;
regfile r[4] : bits(16) role data;
regfile w[2] : bits(64) role data;
register st : bits(8) { S 7 role mode; I 6 role control; W 1 role control; H 0 role control; }
register base : bits(16) role relocation;
register limit : bits(16) role relocation;
register epc : bits(16) role control;
register est : bits(8) role control;
register arg : bits(16) role control;
register nest : bits(16) role control;   // entries trap: 1 all but bounds, 3 bounds as well
input line : bits(3);
mode supervisor { st.S = 1; }
mode user { st.S = 0; }
context deprivileged { supervisor supervisor; user user; }
reset { st = 0x80; pc = physical[0xE, 2]; }
translate (va, access, units) {
  trap bounds(va) when st.S == 0 && va >= limit;
  trap odd(va) when access == Access.fetch && va[0] == 1;
  return if st.S == 1 then va else va + base;
}
procedure enter(cause: bits(16), back: bits(16)) {
  trap bounds(0xBAD0) when nest[0] == 1 && cause != 2;
  trap odd(0xBAD1) when nest[1] == 1 && cause == 2;
  epc = back;
  est = st & 0xFD;
  st.S = 1;
  st.I = 0;
  st.W = 0;
  pc = physical[0x0010 + (cause << 1), 2];
}
trap illegal_op(op: bits(16)) kind illegal { enter(0, pc); arg = op; }
trap privilege kind privilege { enter(1, pc); }
trap bounds(va: bits(16)) kind memory { enter(2, pc); arg = va; }
trap odd(va: bits(16)) kind memory { enter(3, pc); arg = va; }
trap call(n: bits(8)) kind call { enter(4, next_pc); arg = zext(n, 16); }
illegal illegal_op(opcode);
interrupt external when line != 0 && st.I == 1 { enter(5, pc); arg = zext(line, 16); }
wait when st.W == 1;
halt when st.H == 1;

instruction add { encoding 0x0 a:2 b:2 n:8; assembly "add r{a}, r{b}, {n:signed}"; r[a] = r[a] + r[b] + sext(n, 16); }
instruction li { encoding 0x1 a:2 0b00 0x00, n:16; assembly "li r{a}, {n}"; r[a] = n; }
instruction ld { encoding 0x2 a:2 b:2 n:8; assembly "ld r{a}, {n}(r{b})"; cycles load; r[a] = mem[r[b] + zext(n, 16), 2]; }
instruction st_ { encoding 0x3 a:2 b:2 n:8; assembly "st r{a}, {n}(r{b})"; mem[r[b] + zext(n, 16), 2] = r[a]; }
instruction stb { encoding 0x4 a:2 b:2 n:8; assembly "stb r{a}, {n}(r{b})"; mem[r[b] + zext(n, 16), 1] = r[a][7..0]; }
instruction bne { encoding 0x5 a:2 b:2 n:8; assembly "bne r{a}, r{b}, {n:relative(0, 1)}";
  if r[a] != r[b] { pc = pc + (sext(n, 16) << 1); } }
instruction jr { encoding 0x6 a:2 0b00 0x00; assembly "jr r{a}"; pc = r[a]; }
instruction sc { encoding 0x7 0x0 n:8; assembly "sc {n}"; trap call(n); }
instruction ldc { encoding 0x7 0b01 a:2 n:8; assembly "ldc r{a}, {n}"; cycles load;
  if r[3][0] == 1 { r[a] = mem[zext(n, 16), 2]; } }
instruction mul { encoding 0x8 a:2 b:2 0x00; assembly "mul r{a}, r{b}"; cycles mul; r[a] = r[a] * r[b]; }
instruction swap { encoding 0x9 a:2 b:2 0x00 where a != b; assembly "swap r{a}, r{b}"; let t = r[a]; r[a] = r[b]; r[b] = t; }
instruction pick { encoding 0xA a:2 b:2 0x00; assembly "pick r{a}, r{b}"; r[a] = r[r[b][1..0]]; }
instruction wide { encoding 0xB a:1 b:1 0b00 0x00; assembly "wide w{a}, w{b}";
  let p = zext(w[a], 128) * zext(w[b] + 3, 128) + zext(r[0], 128); w[a] = p[127..64] ^ p[63..0]; r[1] = p[79..64]; }
instruction toss { encoding 0xC a:2 0b00 0x00; assembly "toss r{a}"; r[a] = any(16); }
instruction setr { encoding 0xD a:2 b:2 0x00; assembly "setr r{a}, r{b}";
  trap privilege when st.S == 0; base = r[a]; limit = r[b]; }
instruction sets { encoding 0xE 0x0 n:8; assembly "sets {n}"; cycles system; trap privilege when st.S == 0; st = n; }
instruction rt { encoding 0xF 0x000; assembly "rt"; cycles system; trap privilege when st.S == 0; st = est; pc = epc; }
)isa" + "timing {" +
           timing + "}\n" + platform;
}

/// The same machine with pages instead of base and limit: user addresses go through a table of parcels at `base`, one
/// for each page of 256 units below `limit`. An entry is the number of the page, then four bits that nobody looks at,
/// then may peek, fetch, store, valid. Instructions more: a kind of access of its own, two stores, a load and a store.
inline std::string paged_text(const std::string& timing = plain_timing, const std::string& platform = "") {
    std::string text = toy_text(timing, platform);
    const auto replace = [&](const std::string& from, const std::string& to, const std::string& with) {
        const auto begin = text.find(from);
        const auto end = text.find(to, begin);
        text.replace(begin, end - begin, with);
    };
    replace("translate (", "procedure enter", R"isa(enum Access : bits(2) { fetch = 0, load = 1, store = 2, peek = 3 }
translate (va, access, units) page 8 {
  trap odd(va) when access == Access.fetch && va[0] == 1;
  if st.S == 1 { return va; }
  trap bounds(va) when va[15..8] >= limit[15..8];
  let entry = physical[base + (zext(va[15..8], 16) << 1), 2];
  trap bounds(va) when entry[0] == 0;
  trap bounds(va + 1) when access == Access.store && entry[1] == 0;
  trap odd(va + 2) when access == Access.fetch && entry[2] == 0;
  trap bounds(va + 3) when access == Access.peek && entry[3] == 0;
  return entry[15..8] @ va[7..0];
}
)isa");
    replace("instruction ldc", "instruction ldc", R"isa(
instruction peek { encoding 0x7 0b10 a:2 0b0 n:7; assembly "peek r{a}, {n}"; cycles load; r[a] = mem[r[a] + zext(n, 16), 1, Access.peek]
  @ 0x00; }
instruction two { encoding 0x7 0b10 a:2 0b1 n:7; assembly "two r{a}, {n}";
  mem[r[a], 2] = r[0]; mem[r[a] + (zext(n, 16) << 5), 2] = r[1]; }
instruction xchg { encoding 0x7 0b11 a:2 n:8; assembly "xchg r{a}, {n}"; cycles load;
  let old = mem[r[3] + zext(n, 16), 2, Access.store]; mem[r[3] + zext(n, 16), 2] = r[a]; r[a] = old; }
)isa");
    return text;
}

/// The Spec of a text. Ends the process with the diagnostics when there are any.
inline std::unique_ptr<isa::Spec> spec_of(const std::string& text) {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    const auto buffer = sources.add("test.isa", text);
    auto spec = isa::load_spec(sources, buffer, std::nullopt, {}, diagnostics);
    if (!spec || diagnostics.has_errors()) {
        std::fputs(isa::render(diagnostics, sources).c_str(), stderr);
        std::abort();
    }
    return std::make_unique<isa::Spec>(std::move(*spec));
}

}  // namespace pogo::model::test
