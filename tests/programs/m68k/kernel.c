// A small system for the 68010 that checks what a monitor may get wrong: its output is the same bare and under monitors.
// SPDX-License-Identifier: Apache-2.0
//
// Kernel and user program try privileged and faulty instructions; every exception makes a line: vector, stacked SR, where, D2. An interrupt is held
// back, another one waited for by STOP, and five more come while the user program works. Time shows nowhere: ticks are counted and waited for.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define DEVICE(address) (*(volatile u32*)(address))
#define uart (*(volatile u8*)0xF00000)
#define count DEVICE(0xF00100)
#define compare DEVICE(0xF00108)
#define control DEVICE(0xF00110)
#define pending DEVICE(0xF00200)
#define enable DEVICE(0xF00208)

struct frame {
    u32 d[8], a[7];
    u16 sr, pc_high, pc_low, format;
};
extern u16 words[8];
void try_in_kernel(void);
void try_in_user_mode(void);
u16 set_sr(u16 sr);
void sleep(void);
u32 system_call(u32 number, u32 argument);
void finish(void);

static volatile u32 ticks, remaining;

static void text(const char* s) {
    while (*s) uart = (u8)*s++;
}
static void hex(u32 value, int digits) {
    while (digits-- > 0) uart = (u8)"0123456789abcdef"[value >> 4 * digits & 15];
    uart = ' ';
}
static void line(const char* name, u32 value) {
    text(name);
    hex(value, 8);
    text("\n");
}

static void arm(u32 how_many, u32 cycles) {
    remaining = how_many;
    compare = count + cycles;
    control = 1;
    enable = 1 << 5;
}
static void tick(void) {
    ++ticks;
    if (--remaining == 0) control = 0;
    else compare = count + 1000;
}

static void serve(struct frame* frame) {
    switch (frame->d[0]) {
        case 0: line("end ", frame->d[1]); finish(); break;
        case 1: text((const char*)frame->d[1]); break;
        case 2: frame->d[0] = ticks; break;
        case 3: hex(frame->d[1], 8); text("\n"); break;
    }
}

void exception(struct frame* frame) {
    const u32 vector = (frame->format & 0xFFF) >> 2;
    if (vector == 29) return tick();
    if (vector == 32) return serve(frame);
    const u32 pc = (u32)frame->pc_high << 16 | frame->pc_low;
    hex(vector, 2);
    hex(frame->sr, 4);
    hex(pc, 6);
    hex(frame->d[2], 8);
    if (vector == 3)
        for (int i = 1; i < 9; ++i) hex((&frame->format)[i], 4);
    text("\n");
    frame->pc_high = (u16)(frame->a[5] >> 16);
    frame->pc_low = (u16)frame->a[5];
}

void main(void) {
    text("A kernel of the 68010\n");
    try_in_kernel();

    arm(1, 0);
    while (!(pending & 1 << 5)) {}
    set_sr(0x2500);  // its own level: it waits
    for (volatile int i = 0; i < 50; ++i) {}
    line("masked ", ticks);
    set_sr(0x2400);
    __asm__ volatile("nop\n\tnop");
    set_sr(0x2700);
    line("open ", ticks);
    arm(1, 2000);
    sleep();
    set_sr(0x2700);
    line("awake ", ticks);
    ticks = 0;
    arm(5, 1000);
}

static u8 composite[400];
void user(void) {
    system_call(1, (u32) "Hello from user mode\n");
    try_in_user_mode();
    u32 primes = 0;
    for (u32 i = 2; i < sizeof composite; ++i) {
        if (composite[i]) continue;
        ++primes;
        for (u32 j = 2 * i; j < sizeof composite; j += i) composite[j] = 1;
    }
    system_call(3, primes);
    while (system_call(2, 0) < 5) {}
    system_call(3, system_call(2, 0));
}
