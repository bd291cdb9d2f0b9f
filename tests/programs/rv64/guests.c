// Tries what else a guest meets: vectored traps, instructions across pages, global entries, four levels of tables.
// SPDX-License-Identifier: Apache-2.0
//
// rv64_hypervisor_test.cpp says what comes of each line, with the manual's section.
#include "guest.h"

enum { PG = 32 };
static u64 guest_top[2048] __attribute__((aligned(16384)));
static table top;

// Where vstvec leads: the slot of supervisor_vectors that runs.
static void vectors(void) {
    for (unsigned vectored = 0; vectored < 2; ++vectored)
        for (unsigned line = 2; line <= 14; line += 4) {
            defaults();
            set(mideleg, 0x222);
            set(hideleg, virtual_lines);
            set(vstvec, (u64)supervisor_vectors + vectored);
            set(vsstatus, XL64 | SIE);
            if (line == 14) {  // no interrupt: a breakpoint
                set(medeleg, 8);
                set(hedeleg, 8);
            } else {
                set(mie, 1UL << line);
                set(hvip, 1UL << line);
            }
            put(nop);
            run(VS, 0, 0, 0);
            field("vector ", vectored);
            field(" ", line);
            field(": slot=", (left.mepc - (u64)supervisor_vectors) / 4);
            field(" cause=", get(vscause) << 1 >> 1);
            end();
            set(hvip, 0);
        }
}

// An instruction of four bytes whose second half is on the page behind: what it tells of that page.
static void across(void) {
    static const char* const faults[] = {"none", "first", "second", "physical"};
    for (unsigned m = 0; m < 2; ++m)
        for (unsigned fault = 0; fault < 4; ++fault)
            for (unsigned to = 0; to < 2; ++to) {
                const u64 mode = m ? VU : VS;
                mapping(mode);
                pages[0][511] = 0x0713000000000000;  // addi a4, x0, 7
                pages[1][0] = 0x90020070;            // c.ebreak
                low[1] = fault == 1 ? 0 : entry_for(gpa + 0x2000, full | (m ? PU : 0));
                guest_low[2] = fault == 2 ? 0 : entry_for((u64)pages[1], full | PU);
                if (fault == 3) {
                    set(pmpaddr0, (u64)pages[1] >> 2 | 0x1ff);
                    set(pmpaddr1, -1UL);
                    set(pmpcfg0, 0x1f18);
                }
                if (to) set(medeleg, 1UL << 20 | 1UL << 12 | 1UL << 1);
                put(0x00088067);
                run(mode, 0, 0, va + 0xffe);
                set(pmpcfg0, 0x1f);
                const u64 handled = left.mcause == 9;
                text("across ");
                text(mode_names[mode]);
                character(' ');
                text(faults[fault]);
                field(" ", to);
                text(handled ? ": HS" : ": M");
                decimal(handled ? left.scause : left.mcause);
                field(" epc=", (handled ? left.sepc : left.mepc) - va);
                field(" tval=", (handled ? left.stval : left.mtval) - va);
                field(" addr=", (handled ? get(htval) : get(mtval2)) << 2);
                field(" gva=", handled ? get(hstatus) >> 6 & 1 : left.mstatus >> 38 & 1);
                if (left.rd != marker) field(" a4=", left.rd);
                end();
            }
}

// The guest's leaf is global, and changes.
static void global(void) {
    static const char* const names[] = {"none", "sfence", "sfence.page", "sfence.other", "sfence.asid"};
    static const u32 fences[] = {nop, sfence, 0x12088073, 0x12068073, 0x12d00073};
    for (unsigned by = 0; by < 5; ++by) {
        mapping(VS);
        low[0] |= PG;
        guest_low[2] = entry_for((u64)pages[2], full | PU);
        set(vsatp, paged | 5UL << 44 | (u64)root >> 12);
        put(ld_a4);
        run(VS, 0, 0, va);
        low[0] = entry_for(gpa + 0x2000, full | PG);
        begin();
        put(fences[by]);
        put(ld_a4);
        go(VS, 0, by == 4 ? 5 : va + 0x1000, va);
        text("global ");
        text(names[by]);
        text(left.rd == content ? ": old" : left.rd == content + (2UL << 40) ? ": new" : ": none");
        end();
    }
}

// Tables of three and four levels at either stage; bits of addresses that only four have.
static void levels(void) {
    static const u32 list[] = {ld_a4, 0x00d8b023, 0x00088067};
    static const char* const names[] = {"load", "store", "fetch"};
    static const u64 wide[] = {0, 1UL << 38, 1UL << 39, 1UL << 46, 1UL << 47, -1UL << 47, 1UL << 48};
    static const u64 physical[] = {gpa, 1UL << 40, 1UL << 41, 1UL << 49, 1UL << 50};
    for (unsigned first = 0; first < 2; ++first)
        for (unsigned second = 0; second < 2; ++second)
            for (unsigned i = 0; i < 7 + 5; ++i)
                for (unsigned op = 0; op < 3; ++op) {
                    mapping(VS);
                    const u64 at = va + (i < 7 ? wide[i] : 0);
                    const u64 to = i < 7 ? gpa : physical[i - 7];
                    for (unsigned n = 0; n < 512; ++n) top[n] = entry_for((u64)root, PV);
                    for (unsigned n = 0; n < 2048; ++n) guest_top[n] = entry_for((u64)guest_root, PV);
                    root[(at >> 30) & 511] = entry_for((u64)middle, PV);
                    guest_root[(to >> 30) & (second ? 511 : 2047)] = entry_for((u64)guest_middle, PV);
                    low[0] = entry_for(to, full);
                    if (first) set(vsatp, 9UL << 60 | (u64)top >> 12);
                    if (second) set(hgatp, 9UL << 60 | (u64)guest_top >> 12);
                    // `guest_low` is where the second stage leads, for any address that it permits.
                    put(list[op]);
                    run(VS, 0, content, at);
                    left.rd = marker;
                    field("levels ", 3 + first);
                    field(" ", 3 + second);
                    text(i < 7 ? " va" : " gpa");
                    field(" ", i < 7 ? wide[i] : to);
                    character(' ');
                    text(names[op]);
                    if (left.mcause == 3) {
                        text(": done");
                    } else {
                        text(": M");
                        decimal(left.mcause);
                        if (left.mtval == at) text(" tval");
                        if (get(mtval2)) field(" addr=", get(mtval2) << 2);
                    }
                    end();
                    root[(at >> 30) & 511] = 0;
                    guest_root[(to >> 30) & (second ? 511 : 2047)] = 0;
                }
}

int main(void) {
    *(volatile u64*)0x02004000 = -1UL;  // the timer
    vectors();
    across();
    global();
    levels();
    text("end\n");
    return 0;
}
