// Tries what each mode may do under each setting of the control bits, and prints a line for every attempt.
// SPDX-License-Identifier: Apache-2.0
//
// The lines are for a comparison of two machines: see rv64_privileged_test.cpp. A line begins with its section and ends
// with the outcome:
//
//   done rd=… rb=… st=…     all instructions completed: what the first left in rd, what was read back, mstatus in the
//   end M2+4 st=…               trapped to machine mode, cause 2, at the stub's byte 4 (S: to supervisor mode; Mi9: an
//   interrupt; @: elsewhere) … /9                    at entry 9 of the vector … tval=…                where PM 3.1.16
//   says what it is; a value that it forbids is shown as `tval!…`
//
// PM: RISC-V Privileged Architecture, version 20211203. Sstc: version 1.0.0.
#include "attempt.h"

enum mode { user = 0, supervisor = 1, machine = 3 };
enum {
    TVM = 1 << 20,
    TW = 1 << 21,
    TSR = 1 << 22,
    MPRV = 1 << 17,
    SIE = 1 << 1,
    MIE = 1 << 3,
    SPIE = 1 << 5,
    MPIE = 1 << 7,
    SPP = 1 << 8,
    supervisor_lines = 1 << 1 | 1 << 5 | 1 << 9,
};
enum { a3 = 13, a4 = 14, a5 = 15, a6 = 16, a7 = 17 };
enum { csrrw = 1, csrrs = 2, csrrc = 3, csrrwi = 5, csrrsi = 6, csrrci = 7 };
enum { ecall = 0x73, ebreak = 0x00100073, sret = 0x10200073, mret = 0x30200073, wfi = 0x10500073, nop = 0x13 };
static const u64 STCE = 1UL << 63;
static const u64 everything = 0x1f;  // pmpcfg: a naturally aligned power of two, RWX
static const u64 far = 1UL << 60;    // no address of 56 bits

static const unsigned short implemented[] = {
    0xC00, 0xC01, 0xC02, 0x100, 0x104, 0x105, 0x106, 0x10A, 0x140, 0x141, 0x142, 0x143,
    0x144, 0x14D, 0x180, 0xF11, 0xF12, 0xF13, 0xF14, 0xF15, 0x300, 0x301, 0x302, 0x303,
    0x304, 0x305, 0x306, 0x320, 0x340, 0x341, 0x342, 0x343, 0x344, 0x30A, 0xB00, 0xB02,
};
// Of every kind in PM tables 2.2 to 2.5 and of what is custom or reserved.
static const unsigned short others[] = {
    0x000, 0x001, 0x003, 0x008, 0x015, 0x102, 0x103, 0x181, 0x1FF, 0x200, 0x280, 0x30C,
    0x310, 0x34A, 0x3A1, 0x3C0, 0x3EF, 0x5A8, 0x5C0, 0x600, 0x680, 0x747, 0x7B0, 0x7C0,
    0x800, 0x9C0, 0xB01, 0xB80, 0xC80, 0xCC0, 0xDA0, 0xE12, 0xF10, 0xF16, 0xFC0, 0xFFF,
};
// Counters that may be read-only 0 (PM 3.1.10).
static const unsigned short events[] = {0x323, 0x33F, 0xB03, 0xB1F, 0xC03, 0xC1F};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static void mode_letter(u64 mode) { character(mode == machine ? 'M' : mode == supervisor ? 'S' : 'U'); }

static u32 access(u64 csr, u32 funct3, u32 source, u32 rd) {
    return (u32)csr << 20 | source << 15 | funct3 << 12 | rd << 7 | 0x73;
}

static void leave_supervisor_by(u32 word) {
    for (unsigned i = 0; i < 16; ++i) supervisor_vectors[i] = word;
}

// Everything as it was at the beginning, so that an attempt does not depend on the one before.
static void defaults(void) {
    set(mtvec, machine_vectors);
    set(stvec, supervisor_vectors);
    set(mie, 0);
    set(menvcfg, STCE);
    set(0x14D, -1UL);  // stimecmp, which lowers STIP
    set(menvcfg, 0);
    set(mip, 0);
    set(medeleg, 0);
    set(mideleg, 0);
    set(mcounteren, 0xffffffff);
    set(scounteren, 0xffffffff);
    set(satp, 0);
    set(sscratch, 0);
    set(sepc, 0);
    set(scause, 0);
    set(stval, 0);
    set(mscratch, 0);
    set(senvcfg, 0);
    set(mcountinhibit, 0);
    set(mcycle, 0);
    set(minstret, 0);
    // Without an entry that matches nothing is left to supervisor and user mode (PM 3.7.1): this one matches
    // everywhere.
    set(0x3B0, -1UL);
    set(0x3A0, everything);
    set(0x3A2, 0);
}

static void run(u64 mode, u64 mstatus, u64 operand, u64 extra) {
    for (unsigned i = words; i < stub_words; ++i) stub[i] = ebreak;
    attempt(mode, mstatus, operand, extra);
}

static void place(char to, u64 cause, u64 epc) {
    character(to);
    if (cause >> 63) character('i');
    hex(cause & ~(1UL << 63));
    const u64 offset = epc - (u64)stub;
    if (offset <= 4 * stub_words) {
        field("+", offset);
    } else {
        field("@", epc);
    }
}
// PM 3.1.16: 0 is always permitted for an illegal instruction, its bits are, too; for a breakpoint 0 or its address.
static void trap_value(u64 cause, u64 epc, u64 value) {
    if (cause == 2 || cause == 3) {
        const u64 other = cause == 3 ? epc : *(const u32*)epc;
        if (value != 0 && value != other) field(" tval!", value);
    } else if (cause >> 63 || cause == 8 || cause == 9 || cause == 11) {
        if (value != 0) field(" tval!", value);
    } else {
        field(" tval=", value);
    }
}
static void outcome(void) {
    const u64 base = (u64)supervisor_vectors;
    character(' ');
    if (left.mepc - base < sizeof supervisor_vectors) {
        place('S', left.scause, left.sepc);
        if (left.mepc != base) field(" /", (left.mepc - base) / 4);
        trap_value(left.scause, left.sepc, left.stval);
    } else if (left.mcause == 3 && left.mepc == (u64)(stub + words)) {
        text("done");
    } else {
        place('M', left.mcause, left.mepc);
        if (left.slot) field(" /", left.slot);
        trap_value(left.mcause, left.mepc, left.mtval);
    }
}
static void registers(void) {
    if (left.rd != marker) field(" rd=", left.rd);
    if (left.readback != marker) field(" rb=", left.readback);
}
static void end(void) {
    field(" st=", left.mstatus);
    character('\n');
}

// ---- Control and status registers -----------------------------------------------------------------------------------

struct form {
    const char* name;
    u32 funct3, source, rd;
};
static const struct form forms[] = {
    {"csrrw", csrrw, a3, a4},    {"csrrw,x0", csrrw, a3, 0}, {"csrrs", csrrs, a3, a4},    {"csrrs,0", csrrs, 0, a4},
    {"csrrc", csrrc, a3, a4},    {"csrrc,0", csrrc, 0, a4},  {"csrrwi", csrrwi, 21, a4},  {"csrrsi", csrrsi, 13, a4},
    {"csrrsi,0", csrrsi, 0, a4}, {"csrrci", csrrci, 5, a4},  {"csrrci,0", csrrci, 0, a4},
};
// MODE of satp and xtvec is one that every machine has, and UXL says 64 bits; see `warl` for the others.
static const u64 before = 0x5a5a5a5a5a5a5a58;
static const u64 operand = 0x0123456a89abcdec;

static int counts(u64 csr) { return (csr >= 0xC00 && csr < 0xC03) || (csr & ~2UL) == 0xB00; }
// How far a counter has come nobody knows.
static void value(const char* name, u64 csr, u64 got, u64 from) {
    if (got == marker) return;
    text(name);
    if (!counts(csr)) {
        hex(got);
    } else if (got >> 40 == 0) {
        text("counting");
    } else if (got - from < 1UL << 40) {
        text("counting-on");
    } else {
        hex(got);
    }
}

struct setting {
    const char* name;
    u64 mstatus, medeleg, mideleg, counters;
};
static const struct setting open = {"open", 0, 0, supervisor_lines, 0xffffffff};
static const struct setting closed = {"closed", TVM | TSR | TW, 0, 0, 0};
static const struct setting delegated = {"delegated", 0, 1 << 2, 0, 0xffffffff};

static void try_csr(u64 csr, const struct form* form, u64 mode, const struct setting* to) {
    defaults();
    // What an attempt itself writes is set in it. Nothing else but a counter depends on when it is.
    const int own = mode == machine && (csr == 0x100 || csr == 0x300 || csr == 0x305 || (csr >= 0x341 && csr <= 0x343));
    begin();
    if (!own) {
        put(access(csr, csrrw, a3, 0));
        put(access(0x305, csrrw, a6, 0));
        run(machine, 0, counts(csr) ? 0 : before, 0);
        begin();
    } else {
        put(access(csr, csrrw, a7, 0));
    }
    if (csr == 0x14D && to != &closed) set(menvcfg, STCE);
    if (to == &delegated) set(stvec, supervisor_vectors);
    if (csr != 0x302 || mode != machine) set(medeleg, to->medeleg);
    if (csr != 0x303) set(mideleg, to->mideleg);
    if (csr != 0x306) set(mcounteren, to->counters);
    if (csr != 0x106) set(scounteren, to->counters);
    put(access(csr, form->funct3, form->source, form->rd));
    put(access(csr, csrrs, 0, a5));
    if (mode == machine) put(access(0x305, csrrw, a6, 0));
    run(mode, to->mstatus, operand, before);
    text("csr ");
    text(to->name);
    character(' ');
    mode_letter(mode);
    field(" ", csr);
    character(' ');
    text(form->name);
    outcome();
    value(" rd=", csr, left.rd, 0);
    value(" rb=", csr, left.readback, operand);
    end();
}

static void each_form(u64 csr, const struct setting* to) {
    for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
        for (unsigned f = 0; f < COUNT(forms); ++f) try_csr(csr, &forms[f], mode, to);
}
static void read_and_write(u64 csr, const struct setting* to) {
    for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1) {
        try_csr(csr, &forms[0], mode, to);
        try_csr(csr, &forms[3], mode, to);
    }
}
static void csrs(void) {
    for (unsigned i = 0; i < COUNT(implemented); ++i) {
        each_form(implemented[i], &open);
        read_and_write(implemented[i], &closed);
        read_and_write(implemented[i], &delegated);
    }
    for (unsigned i = 0; i < COUNT(others); ++i) {
        read_and_write(others[i], &open);
        try_csr(others[i], &forms[3], supervisor, &delegated);
        try_csr(others[i], &forms[3], user, &delegated);
    }
    for (unsigned i = 0; i < COUNT(events); ++i) {
        read_and_write(events[i], &open);
        read_and_write(events[i], &closed);
    }
}

// PM 3.7.1. Entry 0 lets supervisor and user mode run; what is written here locks nothing, see paging.c for that.
static void protection(void) {
    static const u64 configurations[] = {
        0x0000000000000000, 0x7f7f7f7f7f7f7f7f, 0x0102030405060700, 0x08090a0b0c0d0e0f,
        0x1011121314151617, 0x18191a1b1c1d1e1f, 0x6020406020406020, 0x1f0f17071e0e1606,
    };
    static const u64 addresses[] = {
        0, -1UL, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 0x1ff, 0x200, 0x3ff, 0x400, 1UL << 53, 1UL << 54,
    };
    for (u64 csr = 0x3A0; csr < 0x3C0; ++csr)
        for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
            for (unsigned f = 0; f < COUNT(forms); ++f) {
                defaults();
                begin();
                put(access(csr, forms[f].funct3, forms[f].source, forms[f].rd));
                put(access(csr, csrrs, 0, a5));
                run(mode, 0, csr < 0x3B0 ? everything : operand, 0);
                text("csr open ");
                mode_letter(mode);
                field(" ", csr);
                character(' ');
                text(forms[f].name);
                outcome();
                registers();
                end();
            }
    // From each to each.
    for (unsigned from = 0; from < COUNT(configurations); ++from)
        for (unsigned to = 0; to < COUNT(configurations); ++to)
            for (u64 csr = 0x3A0; csr <= 0x3A2; csr += 2) {
                defaults();
                begin();
                put(access(csr, csrrw, a7, 0));
                put(access(csr, csrrw, a3, a4));
                put(access(csr, csrrs, 0, a5));
                run(machine, 0, configurations[to], configurations[from]);
                field("pmpcfg ", csr);
                field(" ", configurations[to]);
                outcome();
                registers();
                character('\n');
            }
    // What an address reads as depends on its entry's kind (A), and comes back with it.
    for (u64 entry = 0; entry < 16; ++entry)
        for (unsigned kind = 0; kind < 4; ++kind)
            for (unsigned to = 0; to < COUNT(addresses); ++to) {
                const u64 csr = entry < 8 ? 0x3A0 : 0x3A2;
                defaults();
                begin();
                put(access(csr, csrrw, a7, 0));
                put(access(0x3B0 + entry, csrrw, a3, 0));
                put(access(0x3B0 + entry, csrrs, 0, a4));
                put(access(csr, csrrw, 0, 0));
                put(access(0x3B0 + entry, csrrs, 0, a5));
                run(machine, 0, addresses[to], (u64)kind << 3 << 8 * (entry % 8));
                field("pmpaddr ", entry);
                field(" ", kind);
                field(" ", addresses[to]);
                outcome();
                registers();
                character('\n');
            }
    defaults();
}

// What a write leaves of every pattern, whatever was there.
static void warl(void) {
    static const u64 patterns[] = {
        0,
        -1UL,
        0x5555555555555555,
        0xaaaaaaaaaaaaaaaa,
        1,
        2,
        3,
        0x800,
        0x1000,
        0x1800,
        0x1000000000000000,
        0x7000000000000000,
        0xb000000000000001,
    };
    for (u64 mode = supervisor; mode <= machine; mode += 2)
        for (unsigned i = 0; i < COUNT(implemented); ++i) {
            const u64 csr = implemented[i];
            if (csr >> 10 == 3 || (mode == supervisor && csr >> 8 == 3) || (mode == supervisor && csr >> 10 == 2))
                continue;
            for (unsigned from = 0; from < 2; ++from)
                for (unsigned p = 0; p < COUNT(patterns); ++p) {
                    // Modes 8 to 10 of satp would translate. Counters go on.
                    const u64 keep = csr == 0x180 && patterns[p] >> 60 == 10 ? 7UL << 60
                                     : counts(csr)                           ? -1UL << 40
                                                                             : -1UL;
                    defaults();
                    set(mideleg, supervisor_lines);
                    begin();
                    put(access(csr, csrrw, a7, 0));
                    put(access(csr, csrrw, a3, 0));
                    put(access(csr, csrrs, 0, a5));
                    if (mode == machine) put(access(0x305, csrrw, a6, 0));
                    run(mode, 0, patterns[p] & keep, patterns[from]);
                    text("warl ");
                    mode_letter(mode);
                    field(" ", csr);
                    field(" ", patterns[from]);
                    field(" ", patterns[p] & keep);
                    outcome();
                    value(" rb=", csr, left.readback, patterns[p] & keep);
                    character('\n');
                }
        }
}

// PM 3.1.11, 4.1.5: the bit of the counter, the others' bits, and all.
static void counters(void) {
    static const char* const names[] = {"none", "own", "others", "all"};
    for (unsigned n = 0; n < 3; ++n)
        for (unsigned m = 0; m < 4; ++m)
            for (unsigned s = 0; s < 4; ++s)
                for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1) {
                    const u64 bits[] = {0, 1UL << n, 0xffffffff & ~(1UL << n), 0xffffffff};
                    defaults();
                    set(mcounteren, bits[m]);
                    set(scounteren, bits[s]);
                    begin();
                    put(access(0xC00 + n, csrrs, 0, a4));
                    run(mode, 0, 0, 0);
                    field("counter ", 0xC00 + n);
                    text(" mcounteren=");
                    text(names[m]);
                    text(" scounteren=");
                    text(names[s]);
                    character(' ');
                    mode_letter(mode);
                    outcome();
                    value(" rd=", 0xC00, left.rd, 0);
                    character('\n');
                }
}

// PM 3.1.6.5, 3.3.2, 3.3.3, 4.2.1
static void privileged_instructions(void) {
    static const struct {
        const char* name;
        u32 word;
    } list[] = {
        {"satp.read", 0x18002773},
        {"satp.write", 0x18069073},
        {"satp.swap", 0x18069773},
        {"sfence.vma", 0x12000073},
        {"sfence.vma,va", 0x12068073},
        {"sfence.vma,asid", 0x12d00073},
        {"sfence.vma,va,asid", 0x12d68073},
        {"wfi", wfi},
        {"mret", mret},
        {"sret", sret},
        {"uret", 0x00200073},
        {"dret", 0x7b200073},
        {"sfence.vm", 0x10400073},
        {"sinval.vma", 0x16000073},
        {"sfence.w.inval", 0x18000073},
        {"hfence.gvma", 0x62000073},
        {"wfi,rd", wfi | 1 << 7},
        {"sret,rs1", sret | 1 << 15},
        {"sfence.vma,rd", 0x12000073 | 1 << 7},
    };
    for (unsigned i = 0; i < COUNT(list); ++i)
        for (unsigned bits = 0; bits < 8; ++bits)
            for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
                for (unsigned to = 0; to < 2; ++to) {
                    const u64 mstatus = (bits & 1 ? TVM : 0) | (bits & 2 ? TSR : 0) | (bits & 4 ? TW : 0);
                    defaults();
                    set(medeleg, to ? 1 << 2 : 0);
                    // WFI is to complete where it may: something is pending and is not taken.
                    if (list[i].word == wfi && mode != user) {
                        set(mideleg, mode == supervisor ? supervisor_lines : 0);
                        set(mie, supervisor_lines);
                        set(mip, supervisor_lines);
                    }
                    // A return goes to the next instruction.
                    set(sepc, stub + 2);
                    begin();
                    if (list[i].word == mret && mode == machine) {
                        put(access(0x341, csrrw, a7, 0));
                    } else {
                        put(nop);
                    }
                    put(list[i].word);
                    run(mode, mstatus | (mode == machine ? 0 : SPP), 0, (u64)(stub + 2));
                    text("may ");
                    text(list[i].name);
                    field(" TVM=", bits & 1);
                    field(" TSR=", bits >> 1 & 1);
                    field(" TW=", bits >> 2);
                    field(" to=", to);
                    character(' ');
                    mode_letter(mode);
                    outcome();
                    registers();
                    end();
                }
}

// PM 3.1.6.1, 3.1.6.3, 3.3.2: every combination of what a return reads. What is run after it reads sstatus and mstatus
// where it may.
static void returns(void) {
    static const u64 modes[] = {user, supervisor, machine};
    for (unsigned from = 0; from < 3; ++from)
        for (unsigned mpp = 0; mpp < 3; ++mpp)
            for (unsigned bits = 0; bits < 128; ++bits) {
                // From machine mode MRET (0) and SRET (1), from supervisor mode SRET (2).
                const u64 mode = from == 2 ? supervisor : machine;
                if (from == 2 && (mpp != 0 || bits & 7)) continue;  // those are gone when supervisor mode begins
                const u64 mstatus = 2UL << 32 | modes[mpp] << 11 | (bits & 1 ? MPRV : 0) | (bits & 2 ? MIE : 0) |
                                    (bits & 4 ? MPIE : 0) | (bits & 8 ? SIE : 0) | (bits & 16 ? SPIE : 0) |
                                    (bits & 32 ? SPP : 0) | (bits & 64 ? 3 << 18 : 0);
                defaults();
                begin();
                const u64 target = (u64)(stub + 4);
                put(access(from == 0 ? 0x341 : 0x141, csrrw, a7, 0));
                put(access(from == 2 ? 0x100 : 0x300, csrrw, a3, 0));
                put(from == 0 ? mret : sret);
                put(ebreak);
                put(access(0x100, csrrs, 0, a4));
                put(access(0x300, csrrs, 0, a5));
                run(mode, 0, mstatus, target);
                text(from == 0 ? "mret " : "sret ");
                mode_letter(mode);
                field(" ", mstatus);
                outcome();
                registers();
                end();
            }
}

// ---- Traps
// -----------------------------------------------------------------------------------------------------------

// PM 3.1.8, 4.1.1: every exception that can be raised, with its bit of medeleg and with the others.
static void delegation(void) {
    static const struct {
        const char* name;
        unsigned cause;
        u32 word;
    } list[] = {
        {"fetch", 1, 0x00068067},                                                      // jalr x0, 0(a3)
        {"illegal", 2, 0xffffffff}, {"breakpoint", 3, ebreak}, {"lr", 4, 0x1008a72f},  // lr.w a4, (a7)
        {"load", 5, 0x0006b703},                                                       // ld a4, 0(a3)
        {"sc", 6, 0x18d8a72f},                                                         // sc.w a4, a3, (a7)
        {"amo", 6, 0x00d8a72f},                                                        // amoadd.w a4, a3, (a7)
        {"store", 7, 0x00d6b023},                                                      // sd a3, 0(a3)
        {"ecall", 8, ecall},
    };
    for (unsigned i = 0; i < COUNT(list); ++i)
        for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
            for (unsigned which = 0; which < 4; ++which)
                for (unsigned bits = 0; bits < 16; ++bits) {
                    const unsigned cause = list[i].cause == 8 ? 8 + (unsigned)mode : list[i].cause;
                    // By what supervisor mode leaves is not delegated.
                    const unsigned leave = cause == 9 ? 3 : 9;
                    const u64 wanted =
                        (which & 1 ? 1UL << cause : 0) | (which & 2 ? -1UL & ~(1UL << cause) & ~(1UL << leave) : 0);
                    defaults();
                    leave_supervisor_by(leave == 9 ? ecall : ebreak);
                    set(medeleg, wanted);
                    begin();
                    put(nop);
                    put(list[i].word);
                    put(nop);
                    run(mode,
                        (bits & 1 ? SIE : 0) | (bits & 2 ? SPIE : 0) | (bits & 4 ? SPP : 0) | (bits & 8 ? MPIE : 0),
                        far, (u64)&left + 2);
                    text("trap ");
                    text(list[i].name);
                    character(' ');
                    mode_letter(mode);
                    text(which & 1 ? " delegated" : " kept");
                    text(which & 2 ? ",others " : " ");
                    hex(bits);
                    outcome();
                    registers();
                    end();
                }
    leave_supervisor_by(ecall);
}

// PM 3.1.9, 4.1.3: which interrupt is taken, by whom, and where.
static u64 lines(unsigned bits) { return (bits & 1 ? 1 << 1 : 0) | (bits & 2 ? 1 << 5 : 0) | (bits & 4 ? 1 << 9 : 0); }

static void interrupt(u64 mode, unsigned pending, unsigned enabled, unsigned to, unsigned on, unsigned vectored) {
    defaults();
    set(mideleg, lines(to));
    set(mie, lines(enabled));
    set(mip, lines(pending));
    set(mtvec, (u64)machine_vectors | (vectored & 1));
    set(stvec, (u64)supervisor_vectors | vectored >> 1);
    begin();
    put(nop);
    run(mode, (on & 1 ? MPIE : 0) | (on & 2 ? SIE : 0), 0, 0);
    text("interrupt ");
    mode_letter(mode);
    field(" mip=", lines(pending));
    field(" mie=", lines(enabled));
    field(" mideleg=", lines(to));
    field(" MIE=", on & 1);
    field(" SIE=", on >> 1);
    field(" vectored=", vectored);
    outcome();
    end();
}
static void interrupts(void) {
    for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
        for (unsigned on = 0; on < 4; ++on) {
            for (unsigned pending = 0; pending < 8; ++pending)
                for (unsigned to = 0; to < 8; ++to) interrupt(mode, pending, 7, to, on, 3);
            for (unsigned enabled = 0; enabled < 7; ++enabled)
                for (unsigned to = 0; to < 8; to += 7)
                    for (unsigned vectored = 0; vectored < 4; ++vectored) interrupt(mode, 7, enabled, to, on, vectored);
        }
    // Vectors are for interrupts only (PM 3.1.7).
    for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
        for (unsigned to = 0; to < 2; ++to) {
            defaults();
            set(medeleg, to << 2);
            set(mtvec, (u64)machine_vectors | 1);
            set(stvec, (u64)supervisor_vectors | 1);
            begin();
            put(0xffffffff);
            run(mode, 0, 0, 0);
            text("vectored exception ");
            mode_letter(mode);
            field(" ", to);
            outcome();
            end();
        }
    // An instruction that makes an interrupt possible is the last one before it.
    static const struct {
        const char* name;
        u64 mode, mstatus, mip, mie, mideleg;
        u32 word;
    } list[] = {
        {"csrsi mstatus, MIE", machine, 0, 2, 2, 0, 0x30046073},
        {"csrw mie", machine, MPIE, 0x222, 0, 0, 0x30469073},
        {"csrw mip", machine, MPIE, 0, 0x222, 0, 0x34469073},
        {"csrw mideleg", machine, MPIE, 0x222, 0x222, 0x222, 0x30301073},
        {"csrsi sstatus, SIE", supervisor, 0, 2, 2, 2, 0x10016073},
        {"csrw sie", supervisor, SIE, 0x222, 0, 0x222, 0x10469073},
        {"csrsi sip, SSIP", supervisor, SIE, 0, 2, 2, 0x14416073},
        {"csrsi sip, SSIP, SIE off", supervisor, 0, 0, 2, 2, 0x14416073},
        {"csrsi sip, SSIP, not delegated", supervisor, SIE, 0, 2, 0, 0x14416073},
        {"csrw sie, not delegated", supervisor, SIE, 2, 0, 0, 0x10469073},
        {"csrsi mstatus, SIE", machine, 0, 2, 2, 2, 0x30016073},
    };
    for (unsigned i = 0; i < COUNT(list); ++i) {
        defaults();
        set(mideleg, list[i].mideleg);
        set(mie, list[i].mie);
        set(mip, list[i].mip);
        begin();
        put(nop);
        put(list[i].word);
        put(nop);
        run(list[i].mode, list[i].mstatus, 0x222, 0);
        text("enable ");
        text(list[i].name);
        outcome();
        end();
    }
    // A return to a mode where one is possible takes it before the first instruction there.
    for (unsigned to = 0; to < 2; ++to)
        for (unsigned bits = 0; bits < 8; ++bits) {
            defaults();
            set(mideleg, to ? 2 : 0);
            set(mie, 2);
            set(mip, 2);
            set(sepc, stub + 2);
            begin();
            put(access(0x300, csrrw, a3, 0));
            put(sret);
            put(nop);
            run(machine, 0, 2UL << 32 | (bits & 1 ? SPIE : 0) | (bits & 2 ? SPP : 0) | (bits & 4 ? MPIE : 0), 0);
            field("return delegated=", to);
            field(" ", bits);
            outcome();
            end();
        }
}

// PM 3.1.9: the order of all six, with the lines of the platform: software and timer from the CLINT, external from the
// PLIC, where the UART asks for an interrupt because it has nothing to send.
static void word(u64 address, u32 value) { *(volatile u32*)address = value; }
static u32 word_at(u64 address) { return *(volatile u32*)address; }

static void platform(unsigned bits) {
    const u64 plic = 0x0c000000;
    const u32 uart = 1 << 10;
    word(0x02000000, bits & 1);
    *(volatile u64*)0x02004000 = bits & 2 ? 0 : -1UL;
    word(plic + 4 * 10, 1);
    word(plic + 0x2000, bits & 4 ? uart : 0);
    word(plic + 0x2080, bits & 8 ? uart : 0);
    *(volatile char*)0x10000001 = bits & 12 ? 2 : 0;
    if ((bits & 12) == 0) {  // what it has asked for is served
        word(plic + 0x2000, uart);
        const u32 claimed = word_at(plic + 0x200004);
        if (claimed) word(plic + 0x200004, claimed);
        word(plic + 0x2000, 0);
    }
}
static void order(void) {
    for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
        for (unsigned to = 0; to < 2; ++to)
            for (unsigned bits = 0; bits < 64; ++bits) {
                defaults();
                set(mideleg, to ? supervisor_lines : 0);
                platform(bits & 15);
                set(mip, lines(bits >> 4));
                const u64 pending = get(mip);
                set(mie, -1UL);
                begin();
                put(nop);
                run(mode, MPIE | SIE, 0, 0);
                platform(0);
                text("order ");
                mode_letter(mode);
                field(" mideleg=", to ? supervisor_lines : 0);
                field(" mip=", pending);
                outcome();
                end();
            }
}

// PM 4.1.3: what sip and sie show and take of mip and mie.
static void shadows(void) {
    for (unsigned to = 0; to < 8; ++to)
        for (unsigned s = 0; s < 2; ++s)
            for (unsigned from = 0; from < 2; ++from)
                for (unsigned f = 0; f < 3; ++f)
                    for (u64 mode = supervisor; mode <= machine; mode += 2) {
                        const u32 csr = s ? 0x144 : 0x104;
                        defaults();
                        set(mideleg, lines(to));
                        if (s) {
                            set(mip, from ? supervisor_lines : 0);
                        } else {
                            set(mie, from ? -1UL : 0);
                        }
                        begin();
                        put(access(csr, csrrw + f, a3, a4));
                        put(access(csr, csrrs, 0, a5));
                        run(mode, 0, f == 0 && from ? 0 : -1UL, 0);
                        text("shadow ");
                        mode_letter(mode);
                        field(" mideleg=", lines(to));
                        text(s ? " sip" : " sie");
                        field(" from=", from);
                        field(" form=", f);
                        outcome();
                        registers();
                        field(" mip=", s ? get(mip) : 0);
                        // `ended` has cleared mie.
                        character('\n');
                    }
}

// PM 3.1.6.3: loads and stores as in another mode see the same memory where nothing is translated and all is permitted.
// What is otherwise: paging.c.
static void modified(void) {
    static u64 cell;
    static const u64 modes[] = {user, supervisor, machine};
    for (unsigned m = 0; m < 3; ++m)
        for (unsigned bits = 0; bits < 4; ++bits) {
            defaults();
            cell = 0x1234;
            begin();
            put(access(0x300, csrrw, a3, 0));
            put(0x0008b703);  // ld a4, 0(a7)
            put(0x00d8b023);  // sd a3, 0(a7)
            put(0x0008b783);  // ld a5, 0(a7)
            run(machine, 0, 2UL << 32 | modes[m] << 11 | MPRV | (bits & 1 ? 1 << 18 : 0) | (bits & 2 ? 1 << 19 : 0),
                (u64)&cell);
            text("MPRV ");
            mode_letter(modes[m]);
            field(" ", bits);
            outcome();
            registers();
            end();
        }
}

// Sstc, chapter 2: who may access stimecmp, and what STIP is.
static void timer(void) {
    for (unsigned stce = 0; stce < 2; ++stce)
        for (unsigned bits = 0; bits < 4; ++bits)
            for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
                for (unsigned f = 0; f < 2; ++f) {
                    defaults();
                    set(menvcfg, stce ? STCE : 0);
                    set(mcounteren, bits & 1 ? 2 : ~2U);
                    set(scounteren, bits & 2 ? 2 : ~2U);
                    begin();
                    put(access(0x14D, f ? csrrw : csrrs, f ? a3 : 0, a4));
                    run(mode, 0, -2UL, 0);
                    text("stimecmp");
                    text(f ? ".write" : ".read");
                    field(" STCE=", stce);
                    field(" mcounteren.TM=", bits & 1);
                    field(" scounteren.TM=", bits >> 1);
                    character(' ');
                    mode_letter(mode);
                    outcome();
                    registers();
                    character('\n');
                }
    for (unsigned bits = 0; bits < 16; ++bits)
        for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1) {
            defaults();
            set(menvcfg, bits & 1 ? STCE : 0);
            set(mip, bits & 2 ? 1 << 5 : 0);
            if (bits & 1) set(0x14D, bits & 4 ? 0 : -1UL);
            set(mideleg, bits & 8 ? 1 << 5 : 0);
            set(mie, 1 << 5);
            begin();
            put(mode == machine ? access(0x344, csrrs, 0, a4) : nop);
            run(mode, MPIE | SIE, 0, 0);
            field("STIP STCE=", bits & 1);
            field(" written=", bits >> 1 & 1);
            field(" reached=", bits >> 2 & 1);
            field(" delegated=", bits >> 3);
            character(' ');
            mode_letter(mode);
            outcome();
            registers();
            end();
        }
}

// PM 3.1.10: the counters go on by themselves.
static void progress(void) {
    static const char* const names[] = {"cycle", "time", "instret"};
    for (unsigned n = 0; n < 3; ++n) {
        begin();
        put(access(0xC00 + n, csrrs, 0, a4));
        run(machine, 0, 0, 0);
        const u64 first = left.rd;
        for (unsigned i = 0; i < 1000; ++i) __asm__ volatile("");
        run(machine, 0, 0, 0);
        text("progress ");
        text(names[n]);
        text(left.rd > first ? " advances\n" : " stands\n");
    }
}

int main(void) {
    // The timer of QEMU's machine asks for an interrupt from the beginning on.
    *(volatile u64*)0x02004000 = -1UL;
    csrs();
    protection();
    warl();
    counters();
    privileged_instructions();
    returns();
    delegation();
    interrupts();
    order();
    shadows();
    modified();
    timer();
    progress();
    return 0;
}
