// A small system for RV64 in machine mode that checks what a monitor may get wrong: its output is the same bare and under monitors.
// SPDX-License-Identifier: Apache-2.0
//
// Kernel and user program try privileged and faulty instructions; every exception makes a line: mcause, mepc, mtval, what mstatus says of before, a4.
// Timer, software and external interrupts are held back, taken, and waited for. Time shows nowhere: interrupts are counted and waited for.
#include "attempt.h"

#define AT(type, address) (*(volatile type*)(address))
#define msip AT(u32, 0x02000000)
#define mtimecmp AT(u64, 0x02004000)
#define mtime AT(u64, 0x0200bff8)
#define uart(n) AT(unsigned char, 0x10000000 + (n))
#define plic(offset) AT(u32, 0x0c000000 + (offset))
#define IN_USER(part) __attribute__((section(".user." part)))

extern u64 below[32];
extern char user[], vectors[];
void try_in_kernel(void);
void try_in_user_mode(void);
void user_start(void);
u64 system_call(u64 argument, u64 number);
u64 time_goes_on(void);
void finish(void);

enum { software = 3, timer = 7, external = 11, serial = 10 };
static const u64 MIE = 1 << 3;
static volatile u64 ticks, remaining, calls[2];

static void line(const char* name, u64 value) {
    field(name, value);
    character('\n');
}
static void arm(u64 how_many, u64 after) {
    remaining = how_many;
    mtimecmp = mtime + after;
}
static void tick(void) {
    ++ticks;
    mtimecmp = --remaining == 0 ? ~0ul : mtime + 30;
}

static void interrupt(u64 line) {
    if (line == timer) return tick();
    if (line == software) {
        msip = 0;
        ++calls[0];
        return;
    }
    const u32 source = plic(0x200004), reason = uart(2);
    uart(1) = 0;  // as every character makes another one
    plic(0x200004) = source;
    ++calls[1];
    field(" source ", source);
    field(" reason ", reason);
}
static void serve(void) {
    switch (below[17]) {
        case 0:
            line("end ", below[10]);
            finish();
        case 1: text((const char*)below[10]); break;
        case 2: below[10] = ticks; break;
        case 3: line("", below[10]); break;
        case 4:
            set(mcounteren, 7);
            if (get(misa) >> 18 & 1) set(scounteren, 7);  // where there is supervisor mode, that has a say, too
            break;
    }
    set(mepc, get(mepc) + 4);
}

void trapped(void) {
    const u64 cause = get(mcause);
    if (cause >> 63) return interrupt(cause & 63);
    if (cause == 8 && below[17] < 5) return serve();
    hex(cause);
    field(" ", get(mepc));
    field(" ", get(mtval));
    field(" ", get(mstatus) & 0x21888);
    field(" ", below[14]);
    character('\n');
    set(mepc, below[31]);
}

// Something happens, but interrupts are closed; then they are open.
static void held(const char* name, u64 which, volatile u64* counter) {
    set(mie, 1ul << which);
    while (!(get(mip) >> which & 1)) {}
    for (volatile int i = 0; i < 20; ++i) {}
    field(name, get(mip) & 1ul << which);
    field(" closed ", *counter);
    __asm__ volatile("csrsi mstatus, 8\n\tnop\n\tnop\n\tcsrci mstatus, 8");
    line(" open ", *counter);
}

void main(void) {
    text("A kernel of RV64\n");
    set(mtvec, (u64)vectors | 1);
    set(pmpaddr0, (u64)user >> 2 | 0x1ff);  // 4 KiB
    set(pmpcfg0, 0x1f);
    try_in_kernel();

    msip = 1;
    held("software ", software, &calls[0]);
    plic(4 * serial) = 1;
    plic(0x2000) = 1 << serial;
    uart(1) = 2;  // the transmitter is empty
    held("external ", external, &calls[1]);
    arm(1, 0);
    held("timer ", timer, &ticks);
    arm(2, 100);
    __asm__ volatile("csrsi mstatus, 8");
    while (ticks < 3) __asm__ volatile("wfi");
    __asm__ volatile("csrci mstatus, 8");
    line("awake ", ticks);

    ticks = 0;
    set(mcounteren, 0);
    for (int i = 0; i < 32; ++i) below[i] = 0;
    set(mepc, user_start);
    set(mstatus, 1 << 7);  // user mode, and interrupts when machine mode is back
    arm(5, 30);
}

IN_USER("data") static char hello[] = "Hello from user mode\n";
IN_USER("data") static unsigned char composite[400];
IN_USER("text") void user_main(void) {
    system_call((u64)hello, 1);
    try_in_user_mode();
    u64 primes = 0;
    for (u64 i = 2; i < sizeof composite; ++i) {
        if (composite[i]) continue;
        ++primes;
        for (u64 j = 2 * i; j < sizeof composite; j += i) composite[j] = 1;
    }
    system_call(primes, 3);
    system_call(0, 4);
    system_call(time_goes_on(), 3);
    while (system_call(0, 2) < 5) {}
    system_call(system_call(0, 2), 3);
}
