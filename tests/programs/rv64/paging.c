// Tries every rule of translation and protection, entry by entry, and prints a line for each access.
// SPDX-License-Identifier: Apache-2.0
//
// The lines are for a comparison of two machines: see rv64_paging_test.cpp. A line begins with its section and what is
// tried, then comes the outcome:
//
//   done rd=… memory=…   all instructions completed: what was loaded, what is in memory if that has changed
//   arrived S            the fetch found the breakpoint at the address, in this mode
//   S13+4 tval           from this mode a trap with cause 13 at the stub's byte 4; `tval` is the address that was
//   tried,
//                        `tval=…` another one, `@` an instruction elsewhere
//   … entry=…            the machine has changed the page-table entry
//
// PM: RISC-V Privileged Architecture, version 20211203.
#include "attempt.h"

enum mode { user = 0, supervisor = 1, machine = 3 };

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };  // of a page-table entry
enum { MPRV = 1 << 17, SUM = 1 << 18, MXR = 1 << 19, SPP = 1 << 8 };   // of mstatus
enum { all = V | R | W | X | A | D };
enum { a3 = 13, a7 = 17, csrrw = 1 };
enum { ebreak = 0x00100073, sfence = 0x12000073, sret = 0x10200073, mret = 0x30200073 };
static const u64 content = 0x0010007300100073;  // two breakpoints, for loads and fetches
static const u64 written = 0x1122334455667788;
static const u64 ram = 0x80000000;
static const u64 region = 0x40000000;  // virtual: the first 1 GiB of RAM, by whatever entries are tried
static const u64 sv39 = 8UL << 60;
static const u64 everything = 0x1f;  // pmpcfg: a naturally aligned power of two, RWX

typedef u64 table[512] __attribute__((aligned(4096)));
static table root, other_root, middle, low;
static table pages[4] __attribute__((aligned(16384)));

static char letter(u64 mode) { return mode == machine ? 'M' : mode == supervisor ? 'S' : 'U'; }

static void fence(void) { __asm__ volatile("sfence.vma" ::: "memory"); }

// ---- Attempts -------------------------------------------------------------------------------------------------------

struct operation {
    const char* name;
    u32 words[2];
};
enum { load, store, amo, lrsc, fetch, operations };
static const struct operation list[operations] = {
    {"load", {0x0008b703}},              // ld a4, 0(a7)
    {"store", {0x00d8b023}},             // sd a3, 0(a7)
    {"amo", {0x00d8b72f}},               // amoadd.d a4, a3, (a7)
    {"lrsc", {0x1008b72f, 0x18d8b72f}},  // lr.d a4, (a7); sc.d a4, a3, (a7)
    {"fetch", {0x00088067}},             // jalr x0, 0(a7)
};

static u32 write_csr(u64 csr, u32 source) { return (u32)csr << 20 | source << 15 | csrrw << 12 | 0x73; }

static u64 entry_for(const void* page, u64 attributes) { return (u64)page >> 12 << 10 | attributes; }
static u64 alias(const void* address) { return (u64)address - ram + region; }
static unsigned index(u64 va, unsigned level) { return va >> (12 + 9 * level) & 511; }

// Translation as it is everywhere but at what is tried: the RAM where it is, for the mode that will run, and tables for
// `region`.
static void defaults(u64 mode) {
    set(mtvec, machine_vectors);
    set(satp, 0);
    set(medeleg, 0);
    set(mie, 0);
    set(pmpaddr0, -1UL);
    set(pmpcfg0, everything);
    set(pmpaddr1, 0);
    set(pmpaddr2, 0);
    for (unsigned i = 0; i < 512; ++i) root[i] = 0;
    for (unsigned p = 0; p < 4; ++p) pages[p][0] = content + ((u64)p << 40);
    root[2] = entry_for((void*)ram, all | (mode == user ? U : 0));
    root[1] = entry_for(middle, V);
    middle[0] = entry_for(low, V);
    for (unsigned p = 0; p < 4; ++p) low[index((u64)pages[p], 0)] = entry_for(pages[p], all);
}

static void run(u64 mode, u64 mstatus, u64 operand, u64 extra) {
    for (unsigned i = words; i < stub_words; ++i) stub[i] = ebreak;
    fence();
    attempt(mode, mstatus, operand, extra);
}
static void outcome(u64 va) {
    const u64 from = left.mstatus >> 11 & 3;
    const u64 offset = left.mepc - (u64)stub;
    character(' ');
    if (left.mcause == 3 && left.mepc == (u64)(stub + words)) {
        text("done");
        if (left.rd != marker) field(" rd=", left.rd);
    } else if (left.mcause == 3 && left.mepc == va) {
        text("arrived ");
        character(letter(from));
    } else {
        character(letter(from));
        decimal(left.mcause);
        if (offset <= 4 * stub_words) {
            field("+", offset);
        } else if (left.mepc == va) {
            text("@");
        } else {
            field("@", left.mepc);
        }
        if (left.mtval == va) {
            text(" tval");
        } else {
            field(" tval=", left.mtval);
        }
    }
}
static void memory(const u64* at, u64 before) {
    if (*(volatile const u64*)at != before) field(" memory=", *at);
}
static void entry(const u64* at, u64 before) {
    if (*(volatile const u64*)at != before) field(" entry=", *at);
}
// One operation at an address that leads to pages[0], if anywhere.
static void try(u64 mode, u64 mstatus, unsigned operation, u64 va) {
    begin();
    if (mode == machine) put(write_csr(0x300, a3));
    const struct operation* op = &list[operation];
    put(op->words[0]);
    if (op->words[1]) put(op->words[1]);
    pages[0][0] = content;
    set(satp, sv39 | (u64)root >> 12);
    run(mode, mode == machine ? 0 : mstatus, mode == machine ? mstatus : written, va);
    set(satp, 0);
    fence();
    text(op->name);
    outcome(va);
    memory(pages[0], content);
}

// ---- Translation (PM 4.3.1, 4.3.2, 4.4.1) ---------------------------------------------------------------------------

static const char* const sums[] = {"", "SUM ", "MXR ", "SUM,MXR "};

// The entry that decides, at each level.
static u64* place_of(unsigned level, u64 va) {
    return level == 2 ? &root[index(va, 2)] : level == 1 ? &middle[index(va, 1)] : &low[index(va, 0)];
}
static u64 leaf_for(unsigned level, u64 attributes) {
    return entry_for(level == 0 ? pages[0] : (void*)ram, attributes);
}

static void leaf(unsigned level, u64 attributes, u64 mode, unsigned bits, unsigned operation) {
    const u64 va = alias(pages[0]);
    defaults(mode);
    u64* const place = place_of(level, va);
    const u64 value = leaf_for(level, attributes);
    *place = value;
    field("leaf ", level);
    field(" ", attributes);
    character(' ');
    character(letter(mode));
    character(' ');
    text(sums[bits]);
    try(mode, (bits & 1 ? SUM : 0) | (bits & 2 ? MXR : 0), operation, va);
    entry(place, value);
    character('\n');
}
// Every combination of V, R, W, X, U, A, D in every mode, at all levels those with A and D.
static void leaves(void) {
    for (unsigned level = 0; level < 3; ++level)
        for (u64 attributes = 0; attributes < 256; ++attributes) {
            if (attributes & G || (level > 0 && (attributes & (A | D)) != (A | D))) continue;
            if (!(attributes & V) && (attributes & ~(A | D)) != (attributes & (R | W | X))) continue;
            for (u64 mode = user; mode <= supervisor; ++mode)
                for (unsigned bits = 0; bits < 4; ++bits)
                    for (unsigned op = 0; op < operations; ++op) leaf(level, attributes, mode, bits, op);
        }
}

// Each bit that is reserved, or not to be looked at, in leaves and in pointers to the next table.
static void other_bits(void) {
    const u64 va = alias(pages[0]);
    for (unsigned level = 0; level < 3; ++level)
        for (unsigned pointer = 0; pointer < (level ? 2 : 1); ++pointer)
            for (unsigned bit = 0; bit < 64; ++bit) {
                // The number of the page decides where the access goes; see `misaligned`.
                if (bit >= 10 && bit < 54) continue;
                for (unsigned op = 0; op < operations; op += op == store ? fetch - store : 1) {
                    defaults(supervisor);
                    u64* const place = place_of(level, va);
                    const u64 good = pointer ? entry_for(level == 2 ? middle : low, V) : leaf_for(level, all);
                    *place = good ^ 1UL << bit;
                    text(pointer ? "pointer " : "bit ");
                    hex(level);
                    character(' ');
                    decimal(bit);
                    character(' ');
                    const u64 value = *place;
                    try(supervisor, 0, op, va);
                    entry(place, value);
                    character('\n');
                }
            }
}

// A superpage begins at a multiple of its size.
static void misaligned(void) {
    const u64 va = alias(pages[0]);
    for (unsigned level = 1; level < 3; ++level)
        for (unsigned bit = 0; bit < 9 * level; ++bit)
            for (unsigned op = 0; op < operations; ++op) {
                defaults(supervisor);
                *place_of(level, va) = leaf_for(level, all) | 1UL << (10 + bit);
                field("misaligned ", level);
                character(' ');
                decimal(bit);
                character(' ');
                try(supervisor, 0, op, va);
                character('\n');
            }
}

// Bits 63 to 39 are those of bit 38.
static void canonical(void) {
    static const u64 bases[] = {
        0,          1UL << 38,  1UL << 39,       1UL << 40,    1UL << 62,    1UL << 63,    -1UL << 39,
        -1UL << 38, -1UL << 40, -1UL << 63 >> 1, ~(1UL << 63), ~(1UL << 38), ~(1UL << 39), 1UL << 38 | 1UL << 63,
    };
    const u64 offset = alias(pages[0]) & 0x3fffffff;
    for (unsigned i = 0; i < sizeof bases / sizeof *bases; ++i)
        for (unsigned op = 0; op < operations; ++op) {
            defaults(supervisor);
            const u64 va = (bases[i] & -1UL << 30) | offset;
            root[0] = leaf_for(2, all);
            root[256] = leaf_for(2, all);
            root[255] = leaf_for(2, all);
            root[511] = leaf_for(2, all);
            field("canonical ", bases[i] & -1UL << 30);
            character(' ');
            try(supervisor, 0, op, va);
            character('\n');
        }
}

// The second parcel of an instruction may lie on another page.
static void crossing(void) {
    for (unsigned wide = 0; wide < 2; ++wide)
        for (unsigned second = 0; second < 3; ++second)
            for (u64 mode = user; mode <= supervisor; ++mode) {
                defaults(mode);
                const u64 va = alias(pages[0]) + 4094;
                const u64 own = all | (mode == user ? U : 0);
                low[index(va, 0)] = entry_for(pages[0], own);
                low[index(va, 0) + 1] = entry_for(pages[3], second == 0 ? 0 : second == 1 ? own : own ^ U);
                pages[0][511] = (wide ? 0x0073UL : 0x9002UL) << 48;
                pages[3][0] = 0x0010;
                field("crossing ", wide);
                field(" ", second);
                character(' ');
                character(letter(mode));
                character(' ');
                try(mode, 0, fetch, va);
                character('\n');
                pages[0][511] = 0;
            }
}

// PM 3.1.6.3: loads and stores in machine mode as in another; fetches never.
static void modified(void) {
    static const u64 modes[] = {user, supervisor, machine};
    enum { AD = A | D };
    static const u64 entries[] = {
        all,           all | U, V | R | AD, V | R | AD | U, V | X | AD, V | X | AD | U, V | R | W | A, V | R | W | AD,
        V | R | W | D, AD,
    };
    for (unsigned m = 0; m < 3; ++m)
        for (unsigned e = 0; e < sizeof entries / sizeof *entries; ++e)
            for (unsigned bits = 0; bits < 8; ++bits)
                for (unsigned op = 0; op < operations; ++op) {
                    const int through = (bits & 4) && modes[m] != machine && op != fetch;
                    defaults(modes[m]);
                    const u64 va = through ? alias(pages[0]) : (u64)pages[0];
                    u64* const place = place_of(0, va);
                    const u64 value = entry_for(pages[0], entries[e]);
                    *place = value;
                    text("MPRV ");
                    character(letter(modes[m]));
                    field(" ", entries[e]);
                    text(bits & 4 ? " on " : " off ");
                    text(sums[bits & 3]);
                    try(machine,
                        modes[m] << 11 | 2UL << 32 | (bits & 4 ? MPRV : 0) | (bits & 1 ? SUM : 0) |
                            (bits & 2 ? MXR : 0),
                        op, va);
                    entry(place, value);
                    character('\n');
                }
}

// PM 3.3.2: into code that is mapped for supervisor or user mode.
static void returns(void) {
    for (u64 from = supervisor; from <= machine; from += 2)
        for (u64 to = user; to <= supervisor; ++to)
            for (unsigned own = 0; own < 2; ++own)
                for (unsigned by = 0; by < (from == machine ? 2 : 1); ++by) {
                    defaults(from);
                    const u64 va = alias(pages[0]);
                    low[index(va, 0)] = entry_for(pages[0], V | X | A | (own == (to == user) ? U : 0));
                    const u64 back = 2UL << 32 | (by ? to << 11 : 0) | (!by && to ? SPP : 0) | SUM | MXR;
                    begin();
                    put(write_csr(by ? 0x341 : 0x141, a7));
                    put(write_csr(from == machine ? 0x300 : 0x100, a3));
                    put(by ? mret : sret);
                    set(satp, sv39 | (u64)root >> 12);
                    run(from, 0, back, va);
                    set(satp, 0);
                    fence();
                    text(by ? "mret " : "sret ");
                    character(letter(from));
                    character(letter(to));
                    field(" ", own);
                    outcome(va);
                    character('\n');
                }
}

// PM 4.1.11, 4.2.1: another root, and entries that are stored to by the code that they map.
static void changes(void) {
    for (unsigned asid = 0; asid < 2; ++asid)
        for (unsigned to = 0; to < 3; ++to) {
            defaults(supervisor);
            const u64 va = alias(pages[0]);
            for (unsigned i = 0; i < 512; ++i) other_root[i] = 0;
            other_root[2] = root[2];
            // The region from elsewhere: pages[0] is another address there.
            other_root[1] = to == 0 ? 0 : to == 1 ? root[1] : leaf_for(2, all ^ W);
            begin();
            put(0x0008b703);  // ld a4, 0(a7)
            put(write_csr(0x180, a3));
            put(sfence);
            put(0x0008b783);  // ld a5, 0(a7)
            put(0x0118b023);  // sd a7, 0(a7)
            set(satp, sv39 | (u64)root >> 12);
            run(supervisor, 0, sv39 | (u64)asid << 44 | (u64)other_root >> 12, va);
            set(satp, 0);
            fence();
            field("root ", asid);
            field(" ", to);
            outcome(va);
            field(" rb=", left.readback);
            memory(pages[0], content);
            character('\n');
        }
    static const u64 entries[] = {all, V | R | A, V | X | A, V, 0, all | U};
    for (unsigned e = 0; e < sizeof entries / sizeof *entries; ++e)
        for (unsigned page = 0; page < 4; ++page) {
            defaults(supervisor);
            // The last page of the table, behind the table itself: its entry is 8 bytes before it.
            const u64 va = region + (511UL << 12);
            low[510] = entry_for(low, all);
            low[511] = entry_for(pages[0], all);
            begin();
            put(0x0008b703);  // ld a4, 0(a7)
            put(0xfed8bc23);  // sd a3, -8(a7)
            put(sfence);
            put(0x0008b783);  // ld a5, 0(a7)
            put(0x0118b023);  // sd a7, 0(a7)
            set(satp, sv39 | (u64)root >> 12);
            run(supervisor, 0, entry_for(pages[page], entries[e]), va);
            set(satp, 0);
            fence();
            field("own ", entries[e]);
            field(" ", page);
            outcome(va);
            field(" rb=", left.readback);
            for (unsigned p = 0; p < 4; ++p) memory(pages[p], content + ((u64)p << 40));
            entry(&low[511], entry_for(pages[page], entries[e]));
            character('\n');
            low[510] = low[511] = 0;
        }
}

// PM 4.1.11: a write with a mode that there is not changes nothing.
static void root_register(void) {
    const u64 others[] = {0, (u64)root >> 12, 1UL << 44 | 1, 0xffffUL << 44 | 0xfffffffffff, 0x5555UL << 44, 0xaaaUL};
    for (u64 mode = 0; mode < 16; ++mode)
        for (unsigned i = 0; i < sizeof others / sizeof *others; ++i)
            for (unsigned from = 0; from < 2; ++from) {
                set(satp, 0);
                set(satp, from ? sv39 | 0x123UL << 44 | 0x456 : 0);
                set(satp, mode << 60 | others[i]);
                const u64 got = get(satp);
                set(satp, 0);
                fence();
                field("satp ", mode);
                field(" ", others[i]);
                field(" ", from);
                field(" is=", got);
                character('\n');
            }
}

// ---- Protection (PM 3.7.1, 3.7.2) -----------------------------------------------------------------------------------

static u64 naturally(const void* page, u64 size) { return (u64)page >> 2 | (size / 8 - 1); }

// A page that the lowest entry gives fewer rights: what is accessed, or a table that leads there. Bare, too.
static void protection(void) {
    const u64* const what[] = {pages[0], low, middle, root, pages[1]};
    static const char* const names[] = {"page", "table0", "table1", "table2", "other"};
    for (unsigned bare = 0; bare < 2; ++bare)
        for (unsigned w = 0; w < 5; ++w)
            for (u64 rights = 0; rights < 8; ++rights) {
                if ((rights & 3) == 2) continue;  // reserved
                for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
                    for (unsigned op = 0; op < operations; ++op) {
                        defaults(mode);
                        if (mode == user) low[index((u64)pages[0], 0)] |= U;
                        set(pmpaddr0, naturally(what[w], 4096));
                        set(pmpaddr1, -1UL);
                        set(pmpcfg0, everything << 8 | 0x18 | rights);
                        const u64 va = bare || mode == machine ? (u64)pages[0] : alias(pages[0]);
                        if (bare) root[2] = entry_for((void*)ram, all | (mode == user ? U : 0));
                        text(bare ? "PMP same " : "PMP mapped ");
                        text(names[w]);
                        field(" ", rights);
                        character(' ');
                        character(letter(mode));
                        character(' ');
                        try(mode, mode == machine ? 3UL << 11 | 2UL << 32 : 0, op, va);
                        character('\n');
                    }
            }
}

// Ranges and sizes, one entry before another, and what matches none.
static void ranges(void) {
    struct range {
        const char* name;
        u64 address[3];
        u64 configuration;
    };
    const struct range ranges[] = {
        {"TOR", {(u64)pages[1] >> 2, (u64)pages[3] >> 2, -1UL}, everything << 16 | 0x09 << 8},
        {"TOR,off-before", {(u64)pages[3] >> 2, (u64)pages[1] >> 2, -1UL}, everything << 16 | 0x09 << 8},
        {"TOR,empty", {(u64)pages[1] >> 2, (u64)pages[1] >> 2, -1UL}, everything << 16 | 0x08 << 8},
        {"TOR,from-0", {(u64)pages[2] >> 2, -1UL, 0}, everything << 8 | 0x0f},
        {"TOR,after-NAPOT", {naturally(pages[0], 4096), (u64)pages[2] >> 2, -1UL}, everything << 16 | 0x08 << 8 | 0x1f},
        {"NAPOT,8K", {naturally(pages[2], 8192), -1UL, 0}, everything << 8 | 0x19},
        {"NAPOT,16K", {naturally(pages[0], 16384), -1UL, 0}, everything << 8 | 0x19},
        {"first", {naturally(pages[1], 4096), naturally(pages[0], 16384), -1UL}, everything << 16 | 0x19 << 8 | 0x1b},
        {"second", {naturally(pages[0], 16384), naturally(pages[1], 4096), -1UL}, everything << 16 | 0x1b << 8 | 0x19},
        {"off", {naturally(pages[0], 4096), -1UL, 0}, everything << 8 | 0x00},
        {"none", {naturally(low, 4096), 0, 0}, everything},
        {"TOR,all-but", {(u64)pages[0] >> 2, naturally(pages[3], 4096), 0}, everything << 8 | 0x0f},
    };
    for (unsigned r = 0; r < sizeof ranges / sizeof *ranges; ++r)
        for (unsigned page = 0; page < 4; ++page)
            for (u64 mode = 0; mode <= 3; mode += mode == 1 ? 2 : 1)
                for (unsigned op = 0; op < 2; ++op) {
                    defaults(mode);
                    set(pmpaddr0, ranges[r].address[0]);
                    set(pmpaddr1, ranges[r].address[1]);
                    set(pmpaddr2, ranges[r].address[2]);
                    set(pmpcfg0, ranges[r].configuration);
                    begin();
                    put(op ? 0x0008b023 : 0x0008b703);  // sd x0, 0(a7) or ld a4, 0(a7)
                    run(mode, 0, 0, (u64)pages[page]);
                    text("range ");
                    text(ranges[r].name);
                    field(" ", page);
                    character(' ');
                    character(letter(mode));
                    text(op ? " store" : " load");
                    outcome((u64)pages[page]);
                    memory(pages[page], content + ((u64)page << 40));
                    character('\n');
                }
}

// The last section: what is locked stays so until the reset, and holds for machine mode.
static void locked(void) {
    static const u64 kinds[] = {1, 3, 4, 7};
    // From entry 7 downwards, a page each.
    for (unsigned number = 7; number > 3; --number) {
        const u64 rights = kinds[7 - number];
        u64* const page = pages[7 - number];
        const u64 address = naturally(page, 4096);
        defaults(machine);
        switch (number) {
            case 7:
                set(pmpaddr7, address);
                break;
            case 6:
                set(pmpaddr6, address);
                break;
            case 5:
                set(pmpaddr5, address);
                break;
            default:
                set(pmpaddr4, address);
        }
        set(pmpcfg0, (0x98 | rights) << 8 * number);
        for (unsigned op = 0; op < operations; ++op) {
            begin();
            put(list[op].words[0]);
            if (list[op].words[1]) put(list[op].words[1]);
            run(machine, 0, content, (u64)page);  // LR and SC leave it as it was
            field("locked ", number);
            field(" ", rights);
            character(' ');
            text(list[op].name);
            outcome((u64)page);
            character('\n');
        }
        const u64 before = get(pmpcfg0);
        set(pmpcfg0, 0);
        set(pmpaddr7, 0);
        field("locked cfg=", before);
        field(" then=", get(pmpcfg0));
        field(" address=", get(pmpaddr7));
        character('\n');
    }
    // The address before a locked range is its lower end.
    set(pmpaddr2, (u64)pages[0] >> 2);
    set(pmpaddr3, (u64)pages[0] >> 2);
    set(pmpcfg0, 0x88 << 24);
    set(pmpaddr2, 0);
    set(pmpaddr3, 0);
    field("locked TOR cfg=", get(pmpcfg0));
    field(" 2=", get(pmpaddr2));
    field(" 3=", get(pmpaddr3));
    set(pmpaddr1, (u64)pages[0] >> 2);
    field(" 1=", get(pmpaddr1));
    character('\n');
}

int main(void) {
    *(volatile u64*)0x02004000 = -1UL;  // the timer
    leaves();
    other_bits();
    misaligned();
    canonical();
    crossing();
    modified();
    returns();
    changes();
    root_register();
    protection();
    ranges();
    locked();
    return 0;
}
