// What the programs that try things share: attempts as privileged.S makes them, lines on the UART, control registers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

typedef unsigned long u64;
typedef unsigned int u32;

// One attempt at a few instructions in a mode, and what its trap leaves.
enum { stub_words = 8 };
struct left {
    u64 rd;        // a4
    u64 readback;  // a5
    u64 mcause, mepc, mtval, mstatus, scause, sepc, stval;
    u64 slot;  // of mtvec's vector
};
extern struct left left;

extern u32 stub[stub_words];                                  // ends with an EBREAK of its own
extern u32 machine_vectors[16];                               // each leads to the end of the attempt
extern u32 supervisor_vectors[16];                            // each is one instruction that is to trap to machine mode
void attempt(u64 mode, u64 mstatus, u64 operand, u64 extra);  // runs the stub: a3 is operand, a7 is extra

static const u64 marker = 0x5ca1ab1e;  // what a4 and a5 hold before

static unsigned words;  // of the stub, its EBREAK not counted
static inline void begin(void) { words = 0; }
static inline void put(u32 word) { stub[words++] = word; }

static inline void character(char c) { *(volatile char*)0x10000000 = c; }
static inline void text(const char* s) {
    while (*s) character(*s++);
}
static inline void hex(u64 value) {
    int shift = 60;
    while (shift > 0 && value >> shift == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) character("0123456789abcdef"[value >> shift & 15]);
}
static inline void field(const char* name, u64 value) {
    text(name);
    hex(value);
}
static inline void decimal(u64 value) {
    if (value > 9) decimal(value / 10);
    character('0' + value % 10);
}

// A control register by its name, or by a macro that stands for its number.
#define set_(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"((u64)(value)) : "memory")
#define get_(csr)                                       \
    ({                                                  \
        u64 got;                                        \
        __asm__ volatile("csrr %0, " #csr : "=r"(got)); \
        got;                                            \
    })
#define set(csr, value) set_(csr, value)
#define get(csr) get_(csr)
