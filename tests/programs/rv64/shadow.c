// Tries the rules of shadow stacks (Zicfiss) in every mode and prints a line for each attempt.
// SPDX-License-Identifier: Apache-2.0
//
// rv64_shadow_test.cpp says what comes of each, with the manual's section. Lines are as hypervisor.c's; behind the
// outcome come `stored`, where the page has changed, and `ssp=` with the stack pointer's change, where it has one.
#include "guest.h"

#define ssp 0x011
#define SSE (1UL << 3)
#define CBO 0xd0UL  // CBIE, CBCFE, CBZE
enum { shadow_page = PV | PW | PA | PD };
enum { mv_x5 = 0x00068293, sspush_x5 = 0xce504073, sspopchk_x5 = 0xcdc2c073, swap_d = 0x48d8b72f };  // x5 = a3

struct operation {
    const char* name;
    u32 words[2];
    u64 operand;
};

// Which of xenvcfg have SSE: 1 menvcfg, 2 henvcfg, 4 senvcfg.
static void environment(u64 bits) {
    set(menvcfg, STCE | CBO | SSE);
    set(henvcfg, STCE | CBO | (bits & 2 ? SSE : 0));
    set(senvcfg, CBO | (bits & 4 ? SSE : 0));
    set(menvcfg, STCE | CBO | (bits & 1 ? SSE : 0));
}
// `va` leads to pages[0] by a first stage's leaf with these attributes.
static void leaf(u64 mode, u64 attributes) {
    mapping(mode);
    pages[0][1] = content;
    environment(7);
    if (mode & 4) {
        low[0] = entry_for(gpa, attributes);
    } else {
        own_root[1] = entry_for((u64)middle, PV);
        middle[0] = entry_for((u64)low, PV);
        low[0] = entry_for((u64)pages[0], attributes);
        set(satp, paged | (u64)own_root >> 12);
    }
}
static u64 own(u64 mode) { return shadow_page | ((mode & 3) == 0 ? PU : 0); }
static void put_operation(const struct operation* op) {
    for (unsigned i = 0; i < 2 && op->words[i]; ++i) put(op->words[i]);
}
static void result(u64 pointer, u64 at) {
    const u64 now = get(ssp);
    if (left.mcause == 3 && left.mepc == at)
        text(": arrived");
    else
        outcome();
    if (*(volatile u64*)pages[0] != content) text(" stored");
    if (now > pointer) field(" ssp=+", now - pointer);
    if (now < pointer) field(" ssp=-", pointer - now);
    end();
}

// ---- Every instruction under every setting --------------------------------------------------------------------------

static const struct operation all[] = {
    {"sspush.x1", {0xce104073}, 0},
    {"sspush.x5", {mv_x5, sspush_x5}, 1},
    {"push.pop.x1", {0xce104073, 0xcdc0c073}, 0},
    {"sspopchk.x5", {mv_x5, sspopchk_x5}, content},
    {"sspopchk.x5.other", {mv_x5, sspopchk_x5}, content + 1},
    {"sspopchk.x1.other", {0xcdc0c073}, 0},
    {"c.sspush.x1", {0x00016081}, 0},
    {"c.sspopchk.x5", {mv_x5, 0x00016281}, content},
    {"c.sspopchk.x5.other", {mv_x5, 0x00016281}, content + 1},
    {"ssrdp", {0xcdc04773}, 0},
    {"ssamoswap.w", {0x48d8a72f}, 1},
    {"ssamoswap.w.twice", {0x48d8a72f, 0x48d8a72f}, 0x80000001},
    {"ssamoswap.d", {swap_d}, 1},
    {"csr.read", {0x01102773}, 0},
    {"csr.write", {0x01169073}, va + 0x1007},
    {"csr.set", {0x0116e073}, va},  // csrrsi 13
    {"mop.r.0", {0x81c6c773}, 1},
    {"mop.r.28.x13", {0xcdc6c773}, 1},
    {"mop.r.28.x5", {0xcdc2c773}, 1},
    {"mop.rr.0", {0x82d6c773}, 1},
    {"mop.rr.7", {0xce504773}, 1},
    {"mop.rr.7.x2", {0xce204073}, 1},
    {"c.mop.3", {0x00016181}, 1},
    {"c.mop.15", {0x00016781}, 1},
};
static void instructions(void) {
    for (unsigned m = 0; m < MODES; ++m)
        for (u64 bits = 0; bits < 8; ++bits)
            for (unsigned i = 0; i < sizeof all / sizeof *all; ++i) {
                leaf(modes[m], own(modes[m]));
                environment(bits);
                set(ssp, va + 8);
                put_operation(&all[i]);
                run(modes[m], 0, all[i].operand, va);
                say("all", modes[m]);
                field(" ", bits);
                character(' ');
                text(all[i].name);
                result(va + 8, 0);
            }
    // What the registers show of the field, written by machine mode and by the mode itself.
    for (u64 bits = 0; bits < 4; ++bits) {
        leaf(VS, own(VS));
        set(menvcfg, bits & 1 ? -1UL : 0);
        set(henvcfg, bits & 2 ? -1UL : 0);
        set(senvcfg, -1UL);
        field("shown ", bits);
        field(": m=", get(menvcfg) >> 3 & 1);
        field(" h=", get(henvcfg) >> 3 & 1);
        field(" s=", get(senvcfg) >> 3 & 1);
        put(access(senvcfg, csrrs, 0, a4));
        put(access(senvcfg, csrrs, a3, 0));
        put(access(senvcfg, csrrs, 0, a5));
        run(VS, 0, SSE, 0);
        field(" guest=", left.rd >> 3 & 1);
        field(" then=", left.readback >> 3 & 1);
        end();
    }
    set(medeleg, -1UL);
    set(hedeleg, -1UL);
    field("delegable: m=", get(medeleg) >> 18 & 1);
    field(" h=", get(hedeleg) >> 18 & 1);
    end();
}

// ---- Pages ----------------------------------------------------------------------------------------------------------

static const struct operation list[] = {
    {"load", {ld_a4}, 0},
    {"store", {0x00d8b023}, 1},
    {"amo", {0x00d8b72f}, 1},
    {"fetch", {0x00088067}, 0},
    {"lr", {0x1008b72f}, 0},
    {"lrsc", {0x1008b72f, 0x18d8b72f}, 1},
    {"inval", {0x0008a00f}, 0},
    {"zero", {0x0048a00f}, 0},
    {"push", {sspush_x5}, 0},  // x5 is `attempt`'s own
    {"pop", {mv_x5, sspopchk_x5}, content},
    {"swap", {swap_d}, 1},
};
enum { load, store, amo, fetch, lr, lrsc, inval, zero, push, pop, swap, operations };
static void try(unsigned op, u64 mode, u64 status, u64 at) {
    begin();
    const u64 pointer = op == push ? at + 8 : at;
    set(ssp, pointer);
    put_operation(&list[op]);
    run(mode, status, list[op].operand, at);
    left.rd = marker;
    character(' ');
    text(list[op].name);
    result(pointer, at);
}
static void first_stage(void) {
    for (u64 attributes = PV; attributes < 256; attributes += 2)
        for (unsigned m = 1; m < MODES; ++m)
            for (unsigned bits = 0; bits < 4; ++bits)
                for (unsigned op = 0; op < operations; ++op) {
                    if (attributes & 32) continue;
                    if ((attributes & 14) == 0) continue;  // leads to another table
                    if (bits && (attributes & (PA | PD)) != (PA | PD)) continue;
                    const u64 status = (bits & 1 ? SUM : 0) | (bits & 2 ? MXR : 0);
                    leaf(modes[m], attributes);
                    set(vsstatus, XL64 | status);
                    say("first", modes[m]);
                    field(" ", attributes);
                    field(" ", bits);
                    try(op, modes[m], modes[m] & 4 ? 0 : status, va);
                }
    // Which SSE the pages depend on.
    for (unsigned m = 1; m < MODES; ++m)
        for (u64 bits = 0; bits < 8; ++bits)
            for (unsigned op = 0; op < push; ++op) {
                leaf(modes[m], own(modes[m]));
                environment(bits);
                say("setting", modes[m]);
                field(" ", bits);
                try(op, modes[m], 0, va);
            }
    // Superpages: one that begins elsewhere is a page fault, whatever else is wrong.
    for (unsigned aligned = 0; aligned < 2; ++aligned)
        for (unsigned op = 0; op < operations; ++op) {
            leaf(HS, 0);
            const u64 at = (va & -1UL << 21) + ((u64)pages[0] & ((1UL << 21) - 1));
            middle[0] = entry_for(((u64)pages[0] & -1UL << 21) + (aligned ? 0 : 0x1000), shadow_page);
            field("super ", aligned);
            try(op, HS, 0, at);
        }
}
static void second_stage(void) {
    for (u64 attributes = PV; attributes < 256; attributes += 2)
        for (unsigned op = 0; op < operations; ++op) {
            if (attributes & 32 || (attributes & 14) == 0) continue;
            leaf(VS, op < push ? full : shadow_page);
            guest_low[0] = entry_for((u64)pages[0], attributes);
            field("second ", attributes);
            try(op, VS, 0, va);
        }
    for (unsigned op = push; op < operations; ++op) {
        leaf(VS, shadow_page);
        guest_low[1] = 0;
        text("implicit");
        try(op, VS, 0, va);
    }
}
// No translation, or none of the first stage.
static void bare(void) {
    for (unsigned m = 0; m < MODES; ++m)
        for (unsigned guest = 0; guest < 2; ++guest)
            for (unsigned op = push; op < operations; ++op) {
                leaf(modes[m], own(modes[m]));
                set(satp, 0);
                set(vsatp, 0);
                if (!guest) set(hgatp, 0);
                say("bare", modes[m]);
                field(" ", guest);
                try(op, modes[m], 0, (u64)pages[0]);
            }
    // As if in another mode (PM 3.1.6.3): whose number is that of `mode`.
    for (unsigned bits = 0; bits < 6; ++bits) {
        if (bits == 2) continue;
        const u64 mode = bits;
        leaf(mode, own(mode));
        put(access(0x300, csrrw, a3, 0));
        put(swap_d);
        put(access(0x300, csrrw, 0, 0));
        run(M, 0, XL64 | XL64 << 2 | (mode & 3) << 11 | MPRV | (mode & 4 ? MPV : 0), va);
        left.rd = marker;
        say("mprv", mode);
        set(ssp, 0);
        result(0, 0);
    }
}
static void others(void) {
    // Misaligned.
    for (unsigned m = 0; m < MODES; ++m)
        for (unsigned offset = 1; offset < 8; ++offset)
            for (unsigned wide = 0; wide < 2; ++wide) {
                leaf(modes[m], own(modes[m]));
                set(ssp, va);
                put(wide ? swap_d : 0x48d8a72f);
                run(modes[m], 0, 1, va + offset);
                left.rd = marker;
                say("misaligned", modes[m]);
                field(" ", offset);
                field(" ", wide);
                result(va, 0);
            }
    // Physical memory protection of the page.
    for (unsigned m = 1; m < MODES; m += 2)
        for (unsigned rights = 0; rights < 8; ++rights)
            for (unsigned op = 0; op < operations; ++op) {
                if ((rights & 3) == 2 || op == fetch || op == inval || op == zero) continue;
                leaf(modes[m], op < push ? full : shadow_page);
                set(pmpaddr0, (u64)pages[0] >> 2 | 0x1ff);
                set(pmpaddr1, -1UL);
                set(pmpcfg0, 0x1f18 | rights);
                say("pmp", modes[m]);
                field(" ", rights);
                try(op, modes[m], 0, va);
                set(pmpcfg0, 0x1f);
            }
    // Who handles a software check: 1 medeleg, 2 hedeleg.
    for (unsigned m = 1; m < MODES; m += 2)
        for (unsigned to = 0; to < 4; ++to) {
            leaf(modes[m], shadow_page);
            set(ssp, va);
            set(medeleg, to & 1 ? 1UL << 18 : 0);
            set(hedeleg, to & 2 ? 1UL << 18 : 0);
            put(mv_x5);
            put(sspopchk_x5);
            run(modes[m], 0, 0, va);
            say("check", modes[m]);
            field(" ", to);
            result(va, 0);
        }
    // On behalf of a guest.
    for (u64 bits = 0; bits < 8; ++bits)
        for (unsigned op = 0; op < 3; ++op) {
            static const u32 words_of[] = {hlv_a4, 0x6838c773, 0x6ed8c073};
            static const char* const names[] = {"hlv.d", "hlvx.wu", "hsv.d"};
            leaf(VS, shadow_page);
            environment(bits);
            set(hstatus, XL64 | SPVP);
            set(ssp, va);
            put(words_of[op]);
            run(HS, 0, 1, va);
            left.rd = marker;
            field("behalf ", bits);
            character(' ');
            text(names[op]);
            result(va, 0);
        }
    // A change of SSE is seen without a fence.
    for (unsigned m = 1; m < MODES; m += 2) {
        leaf(modes[m], shadow_page);
        set(ssp, va);
        put(ld_a4);
        run(modes[m], 0, 0, va);
        environment(m == 1 ? 6 : 5);
        begin();
        put(ld_a4);
        go(modes[m], 0, 0, va);
        left.rd = marker;
        say("unfenced", modes[m]);
        result(va, 0);
    }
}
// Devices are not idempotent.
static void devices(void) {
    for (unsigned m = 1; m < MODES; m += 2)
        for (unsigned op = push; op < operations; ++op) {
            leaf(modes[m], shadow_page);
            if (modes[m] & 4)
                guest_low[0] = entry_for(0x02000000, full | PU);
            else
                low[0] = entry_for(0x02000000, shadow_page);
            say("device", modes[m]);
            try(op, modes[m], 0, va + 8);
        }
}

int main(void) {
    *(volatile u64*)0x02004000 = -1UL;  // the timer
    instructions();
    first_stage();
    second_stage();
    bare();
    others();
    devices();
    text("end\n");
    return 0;
}
