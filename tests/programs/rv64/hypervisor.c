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
enum { load, store, amo, fetch, lr, operations };
static const char* const operation_names[] = {"load", "store", "amo", "fetch", "lr"};
static const u32 operation_words[] = {ld_a4, 0x00d8b023, 0x00d8b72f, 0x00088067, 0x1008b72f};
static void tried(u64 at) {
    if (left.mcause == 3 && left.mepc == at) {
        text(": arrived");
        return;
    }
    outcome();
    if (*(volatile u64*)pages[0] != content) text(" stored");
}
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
