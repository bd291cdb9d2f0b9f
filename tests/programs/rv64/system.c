// A supervisor for RV64 with page tables: two user programs in address spaces of their own, memory on demand, time
// slices by stimecmp. It checks itself as it goes; what it prints does not depend on when interrupts come.
// SPDX-License-Identifier: Apache-2.0
//
// Sections are those of the RISC-V Privileged Architecture, 20211203; stimecmp is Sstc's.

typedef unsigned long u64;
typedef unsigned char u8;

enum { READ = 2, WRITE = 4, EXECUTE = 8, USER = 16, ACCESSED = 64, DIRTY = 128, GLOBAL = 32 };
enum { programs = 2, period = 4000, frames = 256 };
#define ALL (1 | READ | WRITE | EXECUTE | ACCESSED | DIRTY)

struct frame {
    u64 pc;
    u64 x[31];
};
struct program {
    struct frame frame;
    u64 root;
    u64 result, faults, attempts;
    int ended;
};

#define get(name)                                           \
    ({                                                      \
        u64 value_;                                         \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)); \
        value_;                                             \
    })
#define set(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((u64)(value)) : "memory")
#define on(name, bits) __asm__ volatile("csrs " #name ", %0" ::"r"((u64)(bits)) : "memory")
#define off(name, bits) __asm__ volatile("csrc " #name ", %0" ::"r"((u64)(bits)) : "memory")
enum { SIE = 1 << 1, SPP = 1 << 8, SPIE = 1 << 5, SUM = 1 << 18, MXR = 1 << 19, STI = 1 << 5 };

extern struct frame kernel_frame;
extern u8 user[];
void resume(struct frame*) __attribute__((noreturn));
u64 try_load(u64), try_fetch(u64);
void try_store(u64, u64);

static u8 memory[frames][4096] __attribute__((aligned(4096)));
static unsigned used;
static struct program program[programs];
static struct program* current;
static volatile u64 ticks, slice, fault, fault_address;
static u64 turns;
static u64 checks, failed;

// ---- Output ---------------------------------------------------------------------------------------------------------

static void put(char c) { *(volatile u8*)0x10000000 = (u8)c; }
static void text(const char* from) {
    while (*from) put(*from++);
}
static void hex(u64 value) {
    for (int shift = 60; shift >= 0; shift -= 4) {
        const u64 digit = value >> shift;
        if (digit || shift == 0) put("0123456789abcdef"[digit & 15]);
    }
}
static void line(const char* what, u64 value) {
    text(what);
    put(' ');
    hex(value);
    put('\n');
}
static void expect(const char* what, u64 is, u64 wanted) {
    ++checks;
    if (is == wanted) return;
    ++failed;
    text("FAILED ");
    line(what, is);
}
static void end(void) {
    line("checks", checks);
    line("failed", failed);
    *(volatile unsigned*)0x100000 = failed ? 0x3333 | 1 << 16 : 0x5555;
    for (;;) __asm__ volatile("wfi");
}

// ---- Page tables (4.3, 4.4) -----------------------------------------------------------------------------------------

static u64 page(void) {
    if (used == frames) {
        text("out of memory\n");
        ++failed;
        end();
    }
    return (u64)memory[used++];
}
static u64* entry_of(u64 root, u64 address) {
    u64* table = (u64*)root;
    for (int level = 2; level > 0; --level) {
        u64* const entry = table + (address >> (12 + 9 * level) & 511);
        if (!*entry) *entry = page() >> 2 | 1;
        table = (u64*)(*entry >> 10 << 12);
    }
    return table + (address >> 12 & 511);
}
static void map(u64 root, u64 address, u64 to, u64 rights) { *entry_of(root, address) = to >> 2 | rights | 1; }
static void fence(void) { __asm__ volatile("sfence.vma" ::: "memory"); }
static u64 space(void) {
    const u64 root = page();
    ((u64*)root)[0] = 0;
    ((u64*)root)[2] = 0x80000000 >> 2 | ALL | GLOBAL;  // the supervisor: a gigabyte
    map(root, 0x10000000, 0x10000000, READ | WRITE | ACCESSED | DIRTY | GLOBAL);
    map(root, 0x100000, 0x100000, READ | WRITE | ACCESSED | DIRTY | GLOBAL);
    return root;
}
static void use(u64 root, u64 number) { set(satp, 8UL << 60 | number << 44 | root >> 12); }

// ---- Traps ----------------------------------------------------------------------------------------------------------

static struct frame* next(void) {
    for (unsigned i = 1; i <= programs; ++i) {
        struct program* const other = program + ((current - program) + i) % programs;
        if (other->ended) continue;
        if (other != current) ++turns;
        current = other;
        use(other->root, (u64)(other - program) + 1);
        off(sstatus, SPP);
        on(sstatus, SPIE);
        return &other->frame;
    }
    for (unsigned i = 0; i < programs; ++i) {
        line("program", i);
        line("  result", program[i].result);
        line("  page faults", program[i].faults);
        line("  attempts", program[i].attempts);
    }
    expect("ticks came", ticks > 4, 1);
    expect("programs took turns", turns > 2, 1);
    end();
    return 0;
}

static struct frame* serve(u64 cause, u64 value) {
    struct program* const p = current;
    switch (cause) {
        case 8:  // a call of a user program (3.3.1)
            p->frame.pc += 4;
            if (p->frame.x[16] == 1) {
                p->result = p->frame.x[9];
                return &p->frame;
            }
            if (p->frame.x[16] == 3) ++failed;
            p->ended = 1;
            return next();
        case 13:
        case 15:
            if (value >= 0x500000 && value < 0x540000) {
                const u64 frame = page();
                ++p->faults;
                map(p->root, value & ~0xfffUL, frame, READ | WRITE | USER | ACCESSED | DIRTY);
                fence();
                return &p->frame;
            }
            expect("where a user program may not store", value == 0 || value == 0x400000, 1);
            expect("it stored", cause, 15);
            ++p->attempts;
            p->frame.pc += 4;
            return &p->frame;
        case 2: {  // csrr time, csrr sstatus, both into t0 (UM 10.1)
            const unsigned short* const at = (const unsigned short*)(user + (p->frame.pc - 0x400000));
            const unsigned bits = at[0] | (unsigned)at[1] << 16;
            ++p->attempts;
            p->frame.x[4] = bits == 0xc01022f3 ? 7 : bits == 0x100022f3 ? 9 : 0;
            expect("the instruction", p->frame.x[4] != 0, 1);
            p->frame.pc += 4;
            return &p->frame;
        }
    }
    line("unexpected", cause);
    ++failed;
    end();
    return 0;
}

struct frame* trapped(struct frame* frame) {
    const u64 cause = get(scause);
    const u64 value = get(stval);
    if (cause == (1UL << 63 | 5)) {  // the supervisor's timer (4.1.3)
        ++ticks;
        set(0x14d, slice ? get(time) + slice : -1UL);
        return frame == &kernel_frame ? frame : next();
    }
    if (frame != &kernel_frame) return serve(cause, value);
    // The supervisor's own: an attempt.
    fault = cause;
    fault_address = value;
    if (cause == 12 || cause == 1)  // back to where the jump came from
        frame->pc = frame->x[0];
    else
        frame->pc += (*(unsigned short*)frame->pc & 3) == 3 ? 4 : 2;
    return frame;
}

// What an attempt comes to: 0 or the cause (3.1.15, table 3.6).
static u64 load(u64 address) {
    fault = 0;
    try_load(address);
    return fault;
}
static u64 store(u64 address) {
    fault = 0;
    try_store(address, 1);
    return fault;
}
static u64 fetch(u64 address) {
    fault = 0;
    try_fetch(address);
    return fault;
}

// ---- The supervisor -------------------------------------------------------------------------------------------------

static void check_tables(void) {
    const u64 root = space();
    const u64 one = page();
    const u64 two = page();
    const u64 at = 0x40000000 + 0x3000;
    *(u64*)one = 111;
    *(u64*)two = 222;
    expect("translation is off", get(satp), 0);
    use(root, 0);
    fence();
    expect("satp", get(satp), 8UL << 60 | root >> 12);
    expect("nothing is mapped: load", load(at), 13);
    expect("its address", fault_address, at);
    expect("store", store(at), 15);
    expect("fetch", fetch(at), 12);
    map(root, at, one, READ | ACCESSED);
    fence();
    expect("read-only: load", load(at), 0);
    expect("value", *(u64*)at, 111);
    expect("store", store(at), 15);
    expect("fetch", fetch(at), 12);
    map(root, at, two, READ | WRITE | ACCESSED | DIRTY);
    fence();
    expect("another page there", *(u64*)at, 222);
    expect("store", store(at), 0);
    expect("it is in memory", *(u64*)two, 1);
    map(root, at, two, READ | WRITE);  // neither A nor D: as good as not mapped (4.3.1)
    fence();
    expect("A is clear: load", load(at), 13);
    map(root, at, two, READ | WRITE | ACCESSED);
    fence();
    expect("D is clear: load", load(at), 0);
    expect("store", store(at), 15);
    map(root, at, one, READ | WRITE | USER | ACCESSED | DIRTY);
    fence();
    expect("the user's page: load", load(at), 13);
    on(sstatus, SUM);
    expect("with SUM: load", load(at), 0);
    expect("store", store(at), 0);
    expect("fetch", fetch(at), 12);
    off(sstatus, SUM);
    expect("without: load", load(at), 13);
    *(unsigned*)two = 0x00008067;  // ret
    __asm__ volatile("fence.i" ::: "memory");
    map(root, at, two, EXECUTE | ACCESSED);
    fence();
    expect("execute-only: fetch", fetch(at), 0);
    expect("load", load(at), 13);
    on(sstatus, MXR);
    expect("with MXR: load", load(at), 0);
    off(sstatus, MXR);
    expect("store", store(at), 15);
    expect("out of Sv39", load(1UL << 40), 13);
    expect("misaligned", load((u64)memory + 1), 4);
    expect("no memory is mapped there", load(0xF0000000000), 13);
    line("page tables", checks);
    u64 other = space();
    map(other, at, one, READ | ACCESSED);
    map(root, at, two, READ | ACCESSED);
    use(other, 1);
    fence();
    expect("another address space", *(u64*)at, *(u64*)one);
    use(root, 0);
    fence();
    expect("and back", *(u64*)at, *(u64*)two);
}

static void check_registers(void) {
    set(sscratch, 0x123456789);
    expect("sscratch", get(sscratch), 0x123456789);
    set(sscratch, 0);
    set(sepc, 0x80001003);
    expect("sepc", get(sepc), 0x80001002);
    const u64 before = get(stvec);
    set(stvec, before + 1);
    expect("stvec", get(stvec), before + 1);
    set(stvec, before);
    set(scause, 5);
    expect("scause", get(scause), 5);
    set(stval, 77);
    expect("stval", get(stval), 77);
    on(sstatus, SPIE | SUM);
    expect("sstatus", get(sstatus) & (SPIE | SUM | SIE), SPIE | SUM);
    off(sstatus, SPIE | SUM);
    expect("sstatus cleared", get(sstatus) & (SPIE | SUM | SIE), 0);
    set(sie, 0x222);
    expect("sie", get(sie), 0x222);
    set(sie, 0);
    fault = 0;
    __asm__ volatile("csrr t0, mstatus" ::: "t0");
    expect("mstatus is not ours", fault, 2);
    fault = 0;
    __asm__ volatile("ebreak");
    expect("ebreak", fault, 3);
    line("registers", checks);
}

static void check_interrupts(void) {
    set(0x14d, -1UL);
    set(sie, STI);
    expect("not due", get(sip) & STI, 0);
    set(0x14d, 0);
    expect("due", get(sip) & STI, STI);
    ticks = 0;
    for (volatile int i = 0; i < 100; ++i) {
    }
    expect("held while the mask says so", ticks, 0);
    on(sstatus, SIE);
    off(sstatus, SIE);
    expect("taken", ticks, 1);
    set(0x14d, get(time) + 50);
    while (!(get(sip) & STI)) __asm__ volatile("wfi");  // wakes up although interrupts are closed (3.3.3)
    expect("still held", ticks, 1);
    on(sstatus, SIE);
    off(sstatus, SIE);
    expect("taken again", ticks, 2);
    line("interrupts", checks);
}

void main(void) {
    text("A supervisor with page tables\n");
    check_registers();
    check_tables();
    check_interrupts();
    ticks = 0;
    slice = period;
    for (unsigned i = 0; i < programs; ++i) {
        struct program* const p = program + i;
        p->root = space();
        map(p->root, 0x400000, (u64)user, READ | EXECUTE | USER | ACCESSED);
        map(p->root, 0x7ff000, page(), READ | WRITE | USER | ACCESSED | DIRTY);
        p->frame.pc = 0x400000;
        p->frame.x[9] = i + 1;
        p->frame.x[1] = 0x800000;
    }
    current = program;
    use(program[0].root, 1);
    fence();
    set(0x14d, get(time) + period);
    off(sstatus, SPP);
    on(sstatus, SPIE);
    resume(&program[0].frame);
}
