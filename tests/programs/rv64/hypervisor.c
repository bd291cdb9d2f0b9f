// Tries the rules of the hypervisor extension in every mode and prints a line for each attempt.
// SPDX-License-Identifier: Apache-2.0
//
// rv64_hypervisor_test.cpp says what comes of each, with the manual's section. A line is what is tried, `:`, and what
// comes of it:
//
//   done a4=… a5=…     all instructions completed; what they left in these two registers
//   M22+4 from VS …    a trap into machine mode (HS, VS: into those) with this cause at the stub's byte 4, from a mode;
//                      then what the trap says beside that, where it is not 0:
//   gva tval=… addr=… inst=… spvp
//                      xstatus.GVA, xtval, mtval2 or htval, mtinst or htinst, hstatus.SPVP
//
// `va`, `gpa` and `table` stand for the addresses where an access is tried. PM: RISC-V Privileged Architecture,
// 20211203.
#include "guest.h"

// ---- Control and status registers -----------------------------------------------------------------------------------

// PM 2.2, 8.2, 8.6.1: those of guests, of hypervisors, of the levels beside them, and some that there are not.
static const u32 csrs[] = {
    0x200, 0x201, 0x204, 0x205, 0x240, 0x241, 0x242, 0x243, 0x244, 0x24d, 0x280, 0x281, 0x600,
    0x601, 0x602, 0x603, 0x604, 0x605, 0x606, 0x607, 0x60a, 0x641, 0x643, 0x644, 0x645, 0x64a,
    0x680, 0x681, 0xe12, 0xe13, 0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142, 0x143,
    0x144, 0x14d, 0x180, 0x300, 0x302, 0x306, 0x30a, 0x341, 0x34a, 0x34b, 0xf14,
};
static void accesses(void) {
    for (unsigned setting = 0; setting < 3; ++setting)
        for (unsigned i = 0; i < sizeof csrs / sizeof *csrs; ++i)
            for (unsigned m = 0; m < MODES; ++m)
                for (unsigned writes = 0; writes < 2; ++writes) {
                    const u64 mode = modes[m];
                    u64 status = 0;
                    defaults();
                    if (setting == 1) {
                        set(hstatus, XL64 | VTVM);
                        set(henvcfg, 0);
                        status = TVM;
                    }
                    if (setting == 2) {
                        set(mcounteren, 0);
                        set(menvcfg, 0);
                    }
                    put(access(csrs[i], csrrs, 0, a4));
                    if (writes) stub[0] = access(csrs[i], csrrw, a4, a4);
                    if (mode == M && csrs[i] == 0x300) status |= 3UL << 11;
                    // What is read is of other tests.
                    run(mode, status, 0, 0);
                    left.rd = marker;
                    text("csr ");
                    text(setting == 0 ? "open" : setting == 1 ? "closed" : "uncounted");
                    say("", mode);
                    field(" ", csrs[i]);
                    text(writes ? " write" : " read");
                    outcome();
                    end();
                }
}

// A supervisor's names in a guest: its own registers (PM 8.2). What was there is what the last mode left.
#define REDIRECT(name, own, guests, value)                  \
    do {                                                    \
        defaults();                                         \
        const u64 before_own = get(own);                    \
        put(access(own, csrrw, a3, a4));                    \
        put(access(own, csrrs, 0, a5));                     \
        run(VS, 0, value, 0);                               \
        const u64 after = get(own), theirs = get(guests);   \
        text("redirect " name);                             \
        text(after == before_own ? ": kept" : ": changed"); \
        field(" a5=", left.readback);                       \
        field(" vs=", theirs);                              \
        end();                                              \
        set(guests, 0);                                     \
    } while (0)
static void redirections(void) {
    REDIRECT("sstatus", 0x100, vsstatus, XL64 | SPIE | SPP | SUM | MXR);
    REDIRECT("stvec", 0x105, vstvec, 0x81234568);
    REDIRECT("sscratch", 0x140, vsscratch, 0x123456789abcdef1);
    REDIRECT("sepc", 0x141, vsepc, 0x123456789abcdef2);
    REDIRECT("scause", 0x142, vscause, 0xd);
    REDIRECT("stval", 0x143, vstval, 0x123456789abcdef3);
    REDIRECT("stimecmp", 0x14d, vstimecmp, 0x723456789abcdef4);
    REDIRECT("satp", 0x180, vsatp, 0x44000000abc12);
    // PM 8.2: scounteren and senvcfg have no counterpart.
    for (unsigned i = 0; i < 2; ++i) {
        defaults();
        set(senvcfg, 0);
        put(access(i ? 0x10a : 0x106, csrrw, a3, 0));
        run(VS, 0, i ? 1 : 5, 0);
        text(i ? "shared senvcfg: " : "shared scounteren: ");
        hex(i ? get(senvcfg) : get(scounteren));
        end();
    }
}

// What a write of 0, all ones and some patterns leaves, in machine mode.
#define WARL(name, csr, value)         \
    do {                               \
        set(csr, 0);                   \
        set(csr, value);               \
        const u64 got_back = get(csr); \
        set(csr, 0);                   \
        text("warl ");                 \
        text(name);                    \
        field(" ", value);             \
        field(": ", got_back);         \
        end();                         \
    } while (0)
static void warl(void) {
    static const u64 values[] = {0, -1UL, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa};
    for (unsigned i = 0; i < 4; ++i) {
        defaults();
        set(vstimecmp, -1UL);
        WARL("hstatus", hstatus, values[i] & ~(3UL << 32) & ~(0x3fUL << 12));  // no VSXL, VGEIN
        WARL("hedeleg", hedeleg, values[i]);
        WARL("hideleg", hideleg, values[i]);
        WARL("hvip", hvip, values[i]);
        WARL("hip", hip, values[i]);
        set(hvip, 0);
        WARL("hie", hie, values[i]);
        WARL("hcounteren", hcounteren, values[i]);
        WARL("henvcfg", henvcfg, values[i]);
        set(menvcfg, 0);
        WARL("henvcfg,off", henvcfg, values[i]);
        set(menvcfg, STCE);
        WARL("htimedelta", htimedelta, values[i]);
        WARL("htval", htval, values[i]);
        WARL("mtval2", mtval2, values[i]);
        WARL("medeleg", medeleg, values[i]);
        WARL("mideleg", mideleg, values[i]);
        WARL("vsstatus", vsstatus, values[i] & ~(3UL << 32));
        WARL("vstvec", vstvec, values[i] & ~2UL);
        WARL("vsepc", vsepc, values[i]);
        WARL("vsscratch", vsscratch, values[i]);
        WARL("vstval", vstval, values[i]);
        WARL("mstatus", mstatus, (values[i] & (MPV | 1UL << 38)) | XL64 << 2 | XL64);
        for (unsigned d = 0; d < 2; ++d) {
            set(hideleg, d ? virtual_lines : 0);
            WARL(d ? "vsip,delegated" : "vsip", vsip, values[i]);
            set(hvip, 0);
            WARL(d ? "vsie,delegated" : "vsie", vsie, values[i]);
            set(hie, 0);
        }
    }
    // PM 8.2.10, 8.2.18: MODE 0 and 8 are there.
    static const u64 others[] = {0, 1UL << 44 | 0x80004, 0x3fffUL << 44 | 0xfffffffffff};
    for (u64 mode = 0; mode < 16; ++mode)
        for (unsigned i = 0; i < 3; ++i)
            for (unsigned from = 0; from < 2; ++from) {
                const u64 old = from ? paged | 0x123UL << 44 | 0x454 : 0;
                set(hgatp, 0);
                set(vsatp, 0);
                set(hgatp, old);
                set(vsatp, old);
                set(hgatp, mode << 60 | others[i]);
                set(vsatp, mode << 60 | others[i]);
                const u64 second = get(hgatp), first = get(vsatp);
                set(hgatp, 0);
                set(vsatp, 0);
                field("root ", mode);
                field(" ", others[i]);
                field(" ", from);
                field(": hgatp=", second);
                field(" vsatp=", first);
                end();
            }
}

// ---- Who may do what ------------------------------------------------------------------------------------------------

static void privileged(void) {
    static const struct {
        const char* name;
        u32 word;
    } what[] = {
        {"wfi", wfi},
        {"sfence.vma", sfence},
        {"hfence.vvma", hfence_vvma},
        {"hfence.gvma", hfence_gvma},
        {"satp.read", 0x18002773},
        {"satp.write", 0x18001073},
        {"hgatp.read", 0x68002773},
        {"hlv.d", hlv_a4},
        {"hlv.bu", 0x6018c773},
        {"hlvx.wu", 0x6838c773},
        {"hsv.d", 0x6ed8c073},
        {"mret", mret},
        {"sret", sret},
    };
    for (unsigned w = 0; w < sizeof what / sizeof *what; ++w)
        for (unsigned bits = 0; bits < 128; ++bits)
            for (unsigned m = 0; m < MODES; ++m) {
                // TVM TW TSR VTVM VTW VTSR HU, one by one and all.
                if ((bits & (bits - 1)) && bits != 127 && bits != 18 && bits != 36) continue;
                const u64 mode = modes[m];
                if ((what[w].word == mret && mode == M) || (what[w].word == sret && bits != 127 && mode == M)) continue;
                defaults();
                set(hstatus, XL64 | (bits & 8 ? VTVM : 0) | (bits & 16 ? VTW : 0) | (bits & 32 ? VTSR : 0) |
                                 (bits & 64 ? HU : 0));
                set(sepc, stub + 1);
                set(vsepc, stub + 1);
                pages[0][0] = content;
                // WFI is to complete where it may: something is pending and is not taken.
                if (what[w].word == wfi && mode != U && mode != VU) {
                    const u64 line = mode == VS ? 4 : 2;
                    set(mideleg, mode == M ? 0 : 2);
                    set(hideleg, mode == VS ? 4 : 0);
                    set(mie, line);
                    set(mip, line);
                }
                // Returns lead to what follows them, in whatever mode.
                put(what[w].word);
                put(nop);
                run(mode, (bits & 1 ? TVM : 0) | (bits & 2 ? TW : 0) | (bits & 4 ? TSR : 0), content, (u64)pages[0]);
                left.rd = marker;
                set(mip, 0);
                say("may", mode);
                character(' ');
                text(what[w].name);
                field(" ", bits);
                outcome();
                end();
            }
}

static void counters(void) {
    for (unsigned c = 0; c < 3; ++c)
        for (unsigned own = 0; own < 2; ++own)
            for (unsigned bits = 0; bits < 8; ++bits)
                for (unsigned m = 0; m < MODES; ++m) {
                    const u64 set_bits = own ? 1UL << c : 7 & ~(1UL << c);
                    defaults();
                    set(mcounteren, bits & 1 ? set_bits : 7 & ~set_bits);
                    set(hcounteren, bits & 2 ? set_bits : 7 & ~set_bits);
                    set(scounteren, bits & 4 ? set_bits : 7 & ~set_bits);
                    put(access(0xC00 + c, csrrs, 0, a4));
                    run(modes[m], 0, 0, 0);
                    left.rd = marker;
                    say("counter", modes[m]);
                    field(" ", 0xC00 + c);
                    field(" ", own ? bits : 7 & ~bits);
                    outcome();
                    end();
                }
    // PM 8.2.7
    for (unsigned m = 0; m < MODES; ++m) {
        defaults();
        set(htimedelta, 5UL << 60);
        put(access(0xC01, csrrs, 0, a4));
        run(modes[m], 0, 0, 0);
        say("delta", modes[m]);
        field(": ", left.rd >> 60);
        end();
    }
}

// ---- Traps ----------------------------------------------------------------------------------------------------------

// PM 8.6.1, 8.6.2, 8.2.2: to whom.
static void delegation(void) {
    static const struct {
        const char* name;
        u32 word;
        unsigned cause[6];  // by mode
    } what[] = {
        {"ecall", ecall, {8, 9, 0, 11, 8, 10}},      {"illegal", 0, {2, 2, 0, 2, 2, 2}},
        {"hgatp", 0x68002773, {2, 0, 0, 0, 22, 22}}, {"load", ld_a4, {4, 4, 0, 4, 4, 4}},
        {"amo", 0x00d8b72f, {6, 6, 0, 6, 6, 6}},     {"access", ld_a4, {5, 5, 0, 5, 5, 5}},
    };
    for (unsigned w = 0; w < 6; ++w)
        for (unsigned m = 0; m < MODES; ++m)
            for (unsigned to = 0; to < 4; ++to) {
                const unsigned cause = what[w].cause[modes[m]];
                if (cause == 0) continue;
                defaults();
                // ECALL ends every trap that is not machine mode's.
                const u64 bit = 1UL << cause;
                if ((cause == 9 || cause == 10) && (to & 1)) continue;
                set(medeleg, to & 1 ? bit : 0);
                set(hedeleg, to & 2 ? bit : 0);
                put(what[w].word);
                // Bit 60 of an address is beyond the memory.
                run(modes[m], 0, 0, w == 5 ? 1UL << 60 : (u64)pages[0] + w);
                say("trap", modes[m]);
                character(' ');
                text(what[w].name);
                field(" ", to);
                outcome();
                end();
            }
}

// PM 8.6.4: the stub's last instruction leads to the breakpoint behind it, in another mode.
static void returns(void) {
    for (u64 mpp = 0; mpp < 4; mpp += mpp == 1 ? 2 : 1)
        for (unsigned v = 0; v < 2; ++v) {
            defaults();
            put(access(0x341, csrrw, a7, 0));
            put(access(0x300, csrrw, a3, 0));
            put(mret);
            run(M, 0, XL64 | XL64 << 2 | mpp << 11 | (v ? MPV : 0), (u64)(stub + 3));
            text("mret ");
            text(mode_names[mpp]);
            field(" ", v);
            field(": cause=", left.mcause);
            say(" in", origin());
            end();
        }
    for (unsigned from = 0; from < 3; ++from)
        for (unsigned bits = 0; bits < 8; ++bits) {
            const u64 mode = from == 0 ? M : from == 1 ? HS : VS;
            defaults();
            // SPV, sstatus.SPP, vsstatus.SPP
            set(hstatus, XL64 | (bits & 1 ? SPV : 0));
            set(vsstatus, XL64 | (bits & 4 ? SPP : 0) | SPIE);
            set(sepc, stub + 1);
            set(vsepc, stub + 1);
            put(sret);
            run(mode, bits & 2 ? SPP : 0, 0, 0);
            say("sret", mode);
            field(" ", bits);
            field(": cause=", left.mcause);
            say(" in", origin());
            field(" spv=", get(hstatus) >> 7 & 1);
            field(" spp=", left.mstatus >> 8 & 1);
            field(" vspp=", get(vsstatus) >> 8 & 1);
            field(" vsie=", get(vsstatus) >> 1 & 1);
            end();
        }
}

// PM 8.2.3, 8.2.4, 8.4.3
static void interrupts(void) {
    for (unsigned line = 2; line < 12; line += 4)
        for (unsigned m = 0; m < MODES; ++m)
            for (unsigned bits = 0; bits < 8; ++bits) {
                defaults();
                set(hideleg, bits & 1 ? virtual_lines : 0);
                set(hie, virtual_lines);
                set(hvip, 1UL << line);
                set(vsstatus, XL64 | (bits & 2 ? SIE : 0));
                put(0x00000013);
                run(modes[m], bits & 4 ? SIE : 0, 0, 0);
                set(hvip, 0);
                set(hie, 0);
                say("interrupt", modes[m]);
                character(' ');
                decimal(line);
                field(" ", bits);
                outcome();
                end();
            }
    for (unsigned lines = 0; lines < 8; ++lines) {
        defaults();
        set(hideleg, virtual_lines);
        set(hie, virtual_lines);
        set(hvip, (lines & 1 ? 4 : 0) | (lines & 2 ? 0x40 : 0) | (lines & 4 ? 0x400 : 0));
        run(VU, 0, 0, 0);
        set(hvip, 0);
        set(hie, 0);
        field("order ", lines);
        outcome();
        end();
    }
    // How each is seen under the other names.
    for (unsigned d = 0; d < 8; ++d)
        for (unsigned lines = 0; lines < 8; ++lines) {
            const u64 delegated = (d & 1 ? 4 : 0) | (d & 2 ? 0x40 : 0) | (d & 4 ? 0x400 : 0);
            const u64 value = (lines & 1 ? 4 : 0) | (lines & 2 ? 0x40 : 0) | (lines & 4 ? 0x400 : 0);
            defaults();
            set(hideleg, delegated);
            set(hvip, value);
            set(mie, value);
            set(mideleg, 0x222);
            field("seen ", delegated);
            field(" ", value);
            field(": mip=", get(mip));
            field(" hip=", get(hip));
            field(" sip=", get(sip));
            field(" vsip=", get(vsip));
            field(" mie=", get(mie));
            field(" hie=", get(hie));
            field(" sie=", get(sie));
            field(" vsie=", get(vsie));
            // As the guest sees them.
            set(mie, 0);
            put(access(0x144, csrrs, 0, a4));
            set(mideleg, 0x222);
            set(vsie, 0);
            run(VS, 0, 0, 0);
            field(" guest=", left.rd);
            set(hvip, 0);
            // sip and sie in the guest write these bits.
            begin();
            put(access(0x104, csrrs, a3, 0));
            put(access(0x144, csrrs, a3, 0));
            put(access(0x104, csrrs, 0, a5));
            run(VS, 0, 0x222, 0);
            field(" then sie=", left.readback);
            field(" hvip=", get(hvip));
            end();
            set(hie, 0);
            set(mie, 0);
            set(hvip, 0);
        }
    // Writes under each name to hvip (PM 8.2.3, 8.4.3): only VSSIP but in hvip itself.
    for (unsigned by = 0; by < 4; ++by) {
        defaults();
        set(hideleg, virtual_lines);
        if (by == 0) set(hvip, -1UL);
        if (by == 1) set(hip, -1UL);
        if (by == 2) set(vsip, -1UL);
        if (by == 3) set(mip, virtual_lines);
        field("raise ", by);
        field(": hvip=", get(hvip));
        field(" hip=", get(hip));
        set(mip, 0);
        end();
    }
    // Sstc 3: henvcfg.STCE and menvcfg.STCE let vstimecmp raise VSTIP, by the guest's time.
    for (unsigned bits = 0; bits < 16; ++bits) {
        defaults();
        set(htimedelta, bits & 8 ? 5UL << 60 : 0);
        set(vstimecmp, bits & 4 ? 4UL << 60 : 0);
        set(menvcfg, bits & 1 ? STCE : 0);
        set(henvcfg, bits & 2 ? STCE : 0);
        field("timer ", bits);
        field(": hip=", get(hip));
        end();
    }
}

// ---- Translation ----------------------------------------------------------------------------------------------------

enum { load, store, amo, fetch, lr, operations };
static const char* const operation_names[] = {"load", "store", "amo", "fetch", "lr"};
static const u32 operation_words[] = {ld_a4, 0x00d8b023, 0x00d8b72f, 0x00088067, 0x1008b72f};
// The G stage's leaf: all accesses are the user's (PM 8.5.1); MXR is mstatus's, not the guest's.
static void second_stage(void) {
    for (u64 attributes = 0; attributes < 256; ++attributes)
        for (unsigned m = 0; m < 2; ++m)
            for (unsigned bits = 0; bits < 4; ++bits)
                for (unsigned op = 0; op < operations; ++op) {
                    if (attributes & 32) continue;
                    if (!(attributes & PV) && attributes != (full ^ PV)) continue;
                    if (bits && (op == fetch || (attributes & (PA | PD)) != (PA | PD))) continue;
                    const u64 mode = m ? VU : VS;
                    mapping(mode);
                    guest_low[0] = entry_for((u64)pages[0], attributes);
                    set(vsstatus, XL64 | (bits & 2 ? MXR : 0));
                    put(operation_words[op]);
                    run(mode, bits & 1 ? MXR : 0, 1, va);
                    left.rd = marker;
                    say("second", mode);
                    field(" ", attributes);
                    field(" ", bits);
                    character(' ');
                    text(operation_names[op]);
                    tried(va);
                    end();
                }
}
// The guest's own leaf: SUM of vsstatus, MXR of both.
static void first_stage(void) {
    static const u64 entries[] = {
        full,      full | PU, full ^ PW, full ^ PX,         PV | PX | PA | PD, PV | PX | PA | PD | PU,
        full ^ PA, full ^ PD, full ^ PV, PV | PW | PA | PD, full | 1UL << 60};
    for (unsigned e = 0; e < sizeof entries / sizeof *entries; ++e)
        for (unsigned m = 0; m < 2; ++m)
            for (unsigned bits = 0; bits < 16; ++bits)
                for (unsigned op = 0; op < operations; ++op) {
                    const u64 mode = m ? VU : VS;
                    mapping(mode);
                    low[0] = entry_for(gpa, entries[e]);
                    set(vsstatus, XL64 | (bits & 1 ? SUM : 0) | (bits & 2 ? MXR : 0));
                    put(operation_words[op]);
                    run(mode, (bits & 4 ? SUM : 0) | (bits & 8 ? MXR : 0), 1, va);
                    left.rd = marker;
                    say("first", mode);
                    field(" ", entries[e]);
                    field(" ", bits);
                    character(' ');
                    text(operation_names[op]);
                    tried(va);
                    end();
                }
}
// The guest's table where the second stage does not let it be read: a fault of the access that wanted it (PM 8.6.3).
static void implicit(void) {
    static const u64 entries[] = {
        full | PU, 0, full, full ^ PV, PV | PX | PA | PD | PU, PV | PR | PA | PU, PV | PR | PX | PD | PU};
    for (unsigned to = 0; to < 2; ++to)
        for (unsigned e = 0; e < sizeof entries / sizeof *entries; ++e)
            for (unsigned op = 0; op < operations; ++op)
                for (unsigned bits = 0; bits < 2; ++bits) {
                    mapping(VS);
                    if (to) set(medeleg, 0xb00000);
                    guest_low[1] = entry_for((u64)low, entries[e]);
                    put(operation_words[op]);
                    run(VS, bits ? MXR : 0, 1, va);
                    left.rd = marker;
                    field("implicit ", to);
                    field(" ", entries[e]);
                    field(" ", bits);
                    character(' ');
                    text(operation_names[op]);
                    tried(va);
                    end();
                }
}
// Guests' physical addresses have 41 bits (PM 8.5.1).
static void wide(void) {
    for (unsigned bit = 32; bit < 45; ++bit)
        for (unsigned op = 0; op < operations; ++op) {
            mapping(VS);
            low[0] = entry_for(1UL << bit, full);
            if (bit < 41) guest_root[1UL << (bit - 30)] = entry_for((u64)guest_middle, PV);
            put(operation_words[op]);
            run(VS, 0, 1, va);
            left.rd = marker;
            text("wide ");
            decimal(bit);
            character(' ');
            text(operation_names[op]);
            tried(va);
            end();
            if (bit < 41) guest_root[1UL << (bit - 30)] = 0;
        }
}
// HLV, HLVX, HSV, and loads and stores with MPRV (PM 8.3.1, 8.4.1).
static void on_behalf(void) {
    static const u64 entries[] = {full, full | PU, PV | PX | PA | PD, PV | PX | PA | PD | PU, 0};
    static const u64 seconds[] = {full | PU, full, PV | PX | PA | PD | PU, 0};
    static const u32 list[] = {hlv_a4, 0x6838c773, 0x6ed8c073};
    static const char* const names[] = {"hlv.d", "hlvx.wu", "hsv.d"};
    for (unsigned m = 0; m < 3; ++m)
        for (unsigned e = 0; e < 5; ++e)
            for (unsigned s = 0; s < 4; ++s)
                for (unsigned bits = 0; bits < 8; ++bits)
                    for (unsigned op = 0; op < 3; ++op) {
                        mapping(U);
                        low[0] = entry_for(gpa, entries[e]);
                        guest_low[0] = entry_for((u64)pages[0], seconds[s]);
                        set(hstatus, XL64 | HU | (bits & 1 ? SPVP : 0));
                        set(vsstatus, XL64 | (bits & 2 ? SUM : 0) | (bits & 4 ? MXR : 0));
                        put(list[op]);
                        run(modes[m], 0, content + 1, va);
                        say("behalf", modes[m]);
                        field(" ", entries[e]);
                        field(" ", seconds[s]);
                        field(" ", bits);
                        character(' ');
                        text(names[op]);
                        tried(va);
                        end();
                    }
    for (unsigned mpp = 0; mpp < 4; mpp += mpp == 1 ? 2 : 1)
        for (unsigned bits = 0; bits < 8; ++bits)
            for (unsigned op = 0; op < operations; ++op) {
                mapping(mpp == 1 ? VS : VU);
                if (bits & 4) guest_low[0] = 0;
                if (op == fetch) continue;
                put(access(0x300, csrrw, a3, 0));
                put(operation_words[op]);
                put(access(0x300, csrrw, 0, 0));
                // Without a guest `va` is no memory; with one the physical address leads nowhere.
                const u64 at = (bits & 1) && (bits & 2) && mpp != 3 ? va : (u64)pages[0];
                run(M, 0, XL64 | XL64 << 2 | mpp << 11 | (bits & 1 ? MPRV : 0) | (bits & 2 ? MPV : 0), at);
                left.rd = marker;
                field("mprv ", mpp);
                field(" ", bits);
                character(' ');
                text(operation_names[op]);
                tried(at);
                end();
            }
    // An access after another one is made in its own mode again.
    for (unsigned order = 0; order < 2; ++order) {
        mapping(HS);
        own_root[1] = entry_for((u64)ram, full);
        set(satp, paged | (u64)own_root >> 12);
        // The same virtual address: in HS the RAM, by a gibibyte; for the guest pages[0], by that page of its.
        const u64 at = va + ((u64)pages[1] - ram);
        low[(at >> 12) & 511] = entry_for(gpa, full | PU);
        middle[(at >> 21) & 511] = entry_for(table_gpa, PV);
        put(order ? hlv_a4 : ld_a4);
        put(order ? ld_a5 : hlv_a5);
        run(HS, 0, 0, at);
        set(satp, 0);
        fence();
        field("leak ", order);
        outcome();
        end();
    }
}

// ---- Stale entries: for the model, as no other machine says what its TLB keeps
// ---------------------------------------

#define FENCE(word, first, second)                                    \
    do {                                                              \
        register u64 x __asm__("a7") = (first);                       \
        register u64 y __asm__("a3") = (second);                      \
        __asm__ volatile(".word " #word ::"r"(x), "r"(y) : "memory"); \
    } while (0)
static const u64 asid = 5, vmid = 6;
static void stale_one(unsigned change, unsigned by) {
    static const char* const names[] = {
        "none",
        "sfence",
        "vvma",
        "vvma.page",
        "vvma.other-page",
        "vvma.asid",
        "vvma.other-asid",
        "vvma.vmid",
        "gvma",
        "gvma.vmid",
        "gvma.other",
        "guest",
        "guest.page",
        "guest.other-page",
        "guest.asid",
        "guest.other-asid",
    };
    const u64 guest_mode = change == 2 ? HS : VS;
    mapping(guest_mode);
    const u64 second_root = paged | vmid << 44 | (u64)guest_root >> 12;
    set(vsatp, paged | asid << 44 | (u64)root >> 12);
    set(hgatp, second_root);
    if (change == 2) {
        own_root[1] = entry_for((u64)middle, PV);
        middle[0] = entry_for((u64)low, PV);
        low[0] = entry_for((u64)pages[0], full);
        set(satp, paged | asid << 44 | (u64)own_root >> 12);
    }
    put(ld_a4);
    run(guest_mode, 0, 0, va);
    const u64 first = left.rd;
    // Now it is another page.
    if (change == 0) {
        guest_low[2] = entry_for((u64)pages[2], full | PU);
        low[0] = entry_for(gpa + 0x2000, full);
    } else if (change == 1) {
        guest_low[0] = entry_for((u64)pages[2], full | PU);
    } else {
        low[0] = entry_for((u64)pages[2], full);
    }
    switch (by) {
        case 1:
            FENCE(0x12000073, 0, 0);
            break;
        case 2:
            FENCE(0x22000073, 0, 0);
            break;
        case 3:
            FENCE(0x22088073, va, 0);
            break;
        case 4:
            FENCE(0x22088073, va + 0x1000, 0);
            break;
        case 5:
            FENCE(0x22d00073, 0, asid);
            break;
        case 6:
            FENCE(0x22d00073, 0, asid + 1);
            break;
        case 7:
            set(hgatp, paged | (vmid + 1) << 44 | (u64)guest_root >> 12);
            FENCE(0x22000073, 0, 0);
            set(hgatp, second_root);
            break;
        case 8:
            FENCE(0x62000073, 0, 0);
            break;
        case 9:
            FENCE(0x62d00073, 0, vmid);
            break;
        case 10:
            FENCE(0x62d00073, 0, vmid + 1);
            break;
        default:
            break;
    }
    begin();
    u64 x = va, y = 0;
    if (by >= 11) {  // the guest's supervisor mode's own: a7 is `va` for the load behind
        static const u32 fences[] = {0x12000073, 0x12088073, 0x12068073, 0x12d00073, 0x12d00073};
        y = by == 13 ? va + 0x1000 : by == 14 ? asid : asid + 1;
        put(fences[by - 11]);
    }
    put(ld_a4);
    go(guest_mode, 0, y, x);
    text("stale ");
    text(change == 0 ? "first " : change == 1 ? "second " : "own ");
    text(names[by]);
    text(first != content                   ? ": wrong"
         : left.rd == first                 ? ": old"
         : left.rd == content + (2UL << 40) ? ": new"
                                            : ": none");
    end();
    set(satp, 0);
    fence();
}
static void stale(void) {
    text("--\n");
    for (unsigned change = 0; change < 3; ++change)
        for (unsigned by = 0; by < 16; ++by) stale_one(change, by);
}

int main(void) {
    *(volatile u64*)0x02004000 = -1UL;  // the timer
    accesses();
    redirections();
    warl();
    privileged();
    counters();
    delegation();
    returns();
    interrupts();
    second_stage();
    first_stage();
    implicit();
    wide();
    on_behalf();
    stale();
    return 0;
}
