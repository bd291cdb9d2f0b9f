// What the programs that try guests share: modes, registers by number, tables of both stages, and what an attempt comes
// to. SPDX-License-Identifier: Apache-2.0
#pragma once
#include "attempt.h"

enum mode { U = 0, HS = 1, M = 3, VU = 4, VS = 5 };
static const char* const mode_names[] = {"U", "HS", "", "M", "VU", "VS", "", "VM"};
static const u64 modes[] = {M, HS, U, VS, VU};
enum { MODES = 5 };

#define SIE (1UL << 1)
#define SPIE (1UL << 5)
#define SPP (1UL << 8)
#define MPRV (1UL << 17)
#define SUM (1UL << 18)
#define MXR (1UL << 19)
#define TVM (1UL << 20)
#define TW (1UL << 21)
#define TSR (1UL << 22)
#define MPV (1UL << 39)
#define SPV (1UL << 7)
#define SPVP (1UL << 8)
#define HU (1UL << 9)
#define VTVM (1UL << 20)
#define VTW (1UL << 21)
#define VTSR (1UL << 22)
#define XL64 (2UL << 32)
#define STCE (1UL << 63)
#define virtual_lines 0x444UL

enum { a3 = 13, a4 = 14, a5 = 15, a6 = 16, a7 = 17, csrrw = 1, csrrs = 2, csrrc = 3 };
enum { ebreak = 0x00100073, ecall = 0x73, sret = 0x10200073, mret = 0x30200073, wfi = 0x10500073, nop = 0x13 };
enum { sfence = 0x12000073, hfence_vvma = 0x22000073, hfence_gvma = 0x62000073 };
enum { ld_a4 = 0x0008b703, ld_a5 = 0x0008b783, hlv_a4 = 0x6c08c773, hlv_a5 = 0x6c08c7f3 };  // of (a7)
static const u64 content = 0x0010007300100073;  // two breakpoints, for loads and fetches
static const u64 ram = 0x80000000;
static const u64 paged = 8UL << 60;  // Sv39, Sv39x4

typedef u64 table[512] __attribute__((aligned(4096)));
static table own_root, root, middle, low, guest_middle, guest_low, pages[3];
static u64 guest_root[2048] __attribute__((aligned(16384)));

static void say(const char* name, u64 mode) {
    text(name);
    character(' ');
    text(mode_names[mode]);
}
static void end(void) { character('\n'); }

// By number: not every assembler knows them.
#define stimecmp 0x14d
#define vsstatus 0x200
#define vsie 0x204
#define vstvec 0x205
#define vsscratch 0x240
#define vsepc 0x241
#define vscause 0x242
#define vstval 0x243
#define vsip 0x244
#define vstimecmp 0x24d
#define vsatp 0x280
#define hstatus 0x600
#define hedeleg 0x602
#define hideleg 0x603
#define hie 0x604
#define htimedelta 0x605
#define hcounteren 0x606
#define henvcfg 0x60a
#define htval 0x643
#define hip 0x644
#define hvip 0x645
#define htinst 0x64a
#define hgatp 0x680
#define mtinst 0x34a
#define mtval2 0x34b
#define menvcfg 0x30a
#define senvcfg 0x10a
static void fence(void) { __asm__ volatile(".word 0x12000073; .word 0x62000073; .word 0x22000073" ::: "memory"); }

// ---- Attempts -------------------------------------------------------------------------------------------------------

static u32 access(u64 csr, u32 funct3, u32 source, u32 rd) {
    return (u32)csr << 20 | source << 15 | funct3 << 12 | rd << 7 | 0x73;
}

static void defaults(void) {
    set(mtvec, machine_vectors);
    set(stvec, supervisor_vectors);
    set(vstvec, supervisor_vectors);
    set(satp, 0);
    set(vsatp, 0);
    set(hgatp, 0);
    set(medeleg, 0);
    set(hedeleg, 0);
    set(mideleg, 0);
    set(hideleg, 0);
    set(mie, 0);
    set(mip, 0);
    set(hvip, 0);
    set(mcounteren, 7);
    set(hcounteren, 7);
    set(scounteren, 7);
    set(menvcfg, STCE);
    set(henvcfg, STCE);
    set(htimedelta, 0);
    set(stimecmp, -1UL);
    set(vstimecmp, -1UL);
    set(vsstatus, XL64);
    set(hstatus, XL64);
    set(mtinst, 0);
    set(mtval2, 0);
    set(htinst, 0);
    set(htval, 0);
    set(pmpaddr0, -1UL);
    set(pmpcfg0, 0x1f);
    begin();
}
static void go(u64 mode, u64 status, u64 operand, u64 extra) {
    for (unsigned i = words; i < stub_words; ++i) stub[i] = ebreak;
    attempt(mode & 3, status | (mode & 4 ? MPV : 0), operand, extra);
}
static void run(u64 mode, u64 status, u64 operand, u64 extra) {
    fence();
    go(mode, status, operand, extra);
}

// Addresses with names: those of accesses. Guests' physical ones are not where anything is.
static const u64 va = 0x40000000;
static const u64 gpa = 0x100000000;
static const u64 table_gpa = 0x100001000;  // where the guest's lowest table is
static void address(const char* name, u64 value, unsigned shift) {
    if (value == 0) return;
    text(name);
    if (value == va && shift == 0)
        text("va");
    else if (value == gpa >> shift)
        text("gpa");
    else if (value == table_gpa >> shift)
        text("table");
    else if (value - (u64)pages < 16)
        field("page+", value - (u64)pages);
    else
        hex(value);
}
static void trapped(u64 to, u64 cause, u64 epc, u64 value, u64 from, u64 gva, u64 second, u64 instruction) {
    const u64 offset = epc - (u64)stub;
    text(mode_names[to]);
    if (cause >> 63) {
        character('i');
        decimal(cause << 1 >> 1);
    } else {
        decimal(cause);
        if (offset <= 4 * stub_words)
            field("+", offset);
        else
            address("@", epc, 0);
    }
    say(" from", from);
    if (gva) text(" gva");
    // An illegal or virtual instruction may leave its bits or 0 (PM 3.1.16).
    if (cause != 2 && cause != 22)
        address(" tval=", value, 0);
    else if (value != 0 && offset <= 4 * stub_words && value != stub[offset / 4])
        field(" tval!", value);
    address(" addr=", second, 2);
    if (instruction) field(" inst=", instruction);
}
static u64 origin(void) { return (left.mstatus >> 11 & 3) | (left.mstatus & MPV ? 4 : 0); }
static void outcome(void) {
    const u64 status = get(hstatus);
    text(": ");
    if (left.mepc - (u64)supervisor_vectors < sizeof supervisor_vectors && left.mcause == 9) {
        const u64 from = (left.mstatus & SPP ? 1 : 0) | (status & SPV ? 4 : 0);
        trapped(HS, left.scause, left.sepc, left.stval, from, status >> 6 & 1, get(htval), get(htinst));
        if (status & SPVP) text(" spvp");
    } else if (left.mepc - (u64)supervisor_vectors < sizeof supervisor_vectors && left.mcause == 10) {
        const u64 from = (get(vsstatus) & SPP ? 1 : 0) | 4;
        trapped(VS, get(vscause), get(vsepc), get(vstval), from, 0, 0, 0);
    } else if (left.mcause == 3 && left.mepc == (u64)(stub + words)) {
        text("done");
        if (left.rd != marker) field(" a4=", left.rd);
        if (left.readback != marker) field(" a5=", left.readback);
    } else {
        trapped(M, left.mcause, left.mepc, left.mtval, origin(), left.mstatus >> 38 & 1, get(mtval2), get(mtinst));
    }
}

// ---- Translation ----------------------------------------------------------------------------------------------------

enum { PV = 1, PR = 2, PW = 4, PX = 8, PU = 16, PA = 64, PD = 128 };
enum { full = PV | PR | PW | PX | PA | PD };
static u64 entry_for(u64 place, u64 attributes) { return place >> 12 << 10 | attributes; }

// The code is where it is, at every stage. `va` leads to `gpa` in a guest, and that to pages[0]; in supervisor mode to
// pages[1].
static void mapping(u64 mode) {
    const u64 user = (mode & 3) == 0 ? PU : 0;
    defaults();
    for (unsigned i = 0; i < 3; ++i) pages[i][0] = content + ((u64)i << 40);
    root[2] = entry_for(ram, full | user);
    root[1] = entry_for((u64)middle, PV);
    middle[0] = entry_for(table_gpa, PV);
    low[0] = entry_for(gpa, full | user);
    guest_root[2] = entry_for(ram, full | PU);
    guest_root[4] = entry_for((u64)guest_middle, PV);
    guest_middle[0] = entry_for((u64)guest_low, PV);
    guest_low[0] = entry_for((u64)pages[0], full | PU);
    guest_low[1] = entry_for((u64)low, full | PU);
    own_root[2] = entry_for(ram, full | user);
    own_root[1] = 0;
    set(vsatp, paged | (u64)root >> 12);
    set(hgatp, paged | (u64)guest_root >> 12);
}
static void tried(u64 at) {
    if (left.mcause == 3 && left.mepc == at) {
        text(": arrived");
        return;
    }
    outcome();
    if (*(volatile u64*)pages[0] != content) text(" stored");
}
