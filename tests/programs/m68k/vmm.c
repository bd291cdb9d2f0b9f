// A trap-and-emulate monitor for the 68010. It is a program of that machine and nothing more, so it runs under itself.
// SPDX-License-Identifier: Apache-2.0
//
// The guest runs in user mode, its supervisor, too. There is nothing to relocate or protect memory by: the guest is linked for the place where
// it lies, reaches its devices itself, and has to leave the monitor's memory alone. What it may not reach is the processor's state: T, S, I, the
// stack pointer that is not active, VBR, SFC and DFC are words of `vm`. MUTANT chooses a wrong monitor (monitors_test.cpp).

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#ifndef MUTANT
#define MUTANT 0
#endif
enum { lost = 1, masked, user, vector, stacks };  // mutants

enum { T = 0x8000, S = 0x2000, I = 0x0700, writable = 0xA71F, conditions = 0x1F };
enum { address_error = 3, illegal = 4, privilege_violation = 8, format_error = 14, autovector = 24 };

struct {
    u32 d[8], a[8];  // first: vmm_entry.S
    u32 other;       // the stack pointer that is not A7 now
    u32 pc, vbr;
    u16 sr;
    u8 sfc, dfc;
    u8 stopped;
    u8 held;  // the level of an interrupt that has come and that the guest masks
} vm;
u32 real_pc;
u16 real_sr;
extern const u16 idle[];
extern const u32 guest[];  // what a reset loads: the stack pointer and where to begin

// ---- The guest's memory: byte by byte, as the monitor must not trap ------------------------------------------------------------

static u32 load(u32 at, unsigned size) {
    u32 value = 0;
    for (; size > 0; --size) value = value << 8 | *(volatile u8*)at++;
    return value;
}
static void store(u32 at, unsigned size, u32 value) {
    while (size-- > 0) {
        *(volatile u8*)(at + size) = (u8)value;
        value >>= 8;
    }
}
static void push(unsigned size, u32 value) { store(vm.a[7] -= size, size, value); }

// ---- Allocator: all that a change of mode moves here is the stack pointer --------------------------------------------------------

static void set_sr(u16 value) {
    value &= writable;
    if (MUTANT != stacks && ((vm.sr ^ value) & S)) {
        const u32 active = vm.a[7];
        vm.a[7] = vm.other;
        vm.other = active;
    }
    vm.sr = value;
}

// ---- The guest's own exceptions: what the machine does, to the guest's state ------------------------------------------------------

static void enter(unsigned number) {
    set_sr((vm.sr | S) & ~T);
    vm.stopped = 0;
    vm.pc = load(vm.vbr + 4 * number, 4);
}
static void double_fault(void) {  // the processor halts: nothing gets it out of here
    for (;;) __asm__ volatile("stop #0x2700");
}
static void reflect(unsigned number) {
    const u16 status = vm.sr;
    const u32 back = vm.pc;
    if (MUTANT == vector && number == illegal) ++number;
    enter(number);
    if (vm.a[7] & 1) double_fault();
    push(2, 4 * number);
    push(4, back);
    push(2, status);
}
// An access to an odd address: the long frame, which describes it.
static void reflect_address_error(u16 access, u32 address, u16 word) {
    const u16 status = vm.sr;
    const u32 back = vm.pc;
    enter(address_error);
    if ((vm.a[7] & 1) || (vm.pc & 1)) double_fault();
    for (int i = 0; i < 8; ++i) push(4, 0);
    push(4, word);
    push(4, 0);
    push(4, 0);
    push(4, address);
    push(2, access | (status & S ? 4 : 0));  // the function code has the mode
    push(2, 0x8000 | 4 * address_error);
    push(4, back);
    push(2, status);
}
static void interrupt(unsigned level) {
    if (MUTANT != masked && level <= (vm.sr & I) >> 8) {
        vm.held = (u8)level;
        return;
    }
    reflect(autovector + level);
    vm.sr = (vm.sr & ~I) | level << 8;
}

// ---- Operands -----------------------------------------------------------------------------------------------------------------------

static u32 next;                               // the next word of the instruction
static u32 word(void) { return load((next += 2) - 2, 2); }
static u32 extended(u32 value) { return (u32)(int)(short)value; }

static u32 address(unsigned mode, unsigned r, unsigned size) {
    const unsigned step = size == 1 && r == 7 ? 2 : size;
    u32 base = next, x;
    if (mode < 7) base = vm.a[r];
    switch (mode << 3 | (mode == 7 ? r : 0)) {
        case 030: return (vm.a[r] += step) - step;
        case 040: return vm.a[r] -= step;
        case 050: case 072: return base + extended(word());
        case 060: case 073:
            x = word();
            r = x >> 12;
            base += (u32)(int)(signed char)x;
            return base + (x & 0x0800 ? (r < 8 ? vm.d[r] : vm.a[r - 8]) : extended(r < 8 ? vm.d[r] : vm.a[r - 8]));
        case 070: return extended(word());
        case 071: x = word() << 16; return x | word();
        default: return base;
    }
}

// Loads or stores the operand that the low bits of the instruction name; 0 if that made an address error of the guest's own.
static int operand(u16 instruction, unsigned size, u32* value, int writes) {
    const unsigned mode = instruction >> 3 & 7, r = instruction & 7;
    if (mode == 0) {
        const u32 part = size == 4 ? ~0u : (1u << 8 * size) - 1;
        if (writes) vm.d[r] = (vm.d[r] & ~part) | (*value & part);
        else *value = vm.d[r] & part;
        return 1;
    }
    if (mode == 7 && r == 4) {
        *value = word();
        return 1;
    }
    const u32 before = vm.a[r], at = address(mode, r, size);
    if (size > 1 && (at & 1)) {
        vm.a[r] = before;
        reflect_address_error(writes ? 0x0001 : 0x1101, at, instruction);
        return 0;
    }
    if (writes) store(at, size, *value);
    else *value = load(at, size);
    return 1;
}
static u32* general(unsigned number) { return number < 8 ? &vm.d[number] : &vm.a[number - 8]; }

// ---- One routine for each privileged instruction; the guest's pc is `next` if nothing else is said -----------------------------------

static int move_from_sr(u16 instruction) {
    u32 value = vm.sr;
    return operand(instruction, 2, &value, 1);
}
static int move_to_sr(u16 instruction) {
    u32 value;
    if (!operand(instruction, 2, &value, 0)) return 0;
    set_sr((u16)value);
    return 1;
}
static int andi_to_sr(u16 instruction) {
    const u16 mask = (u16)word();
    if (MUTANT != lost) set_sr(vm.sr & mask);
    return 1;
}
static int ori_to_sr(u16 instruction) { return set_sr(vm.sr | (u16)word()), 1; }
static int eori_to_sr(u16 instruction) { return set_sr(vm.sr ^ (u16)word()), 1; }
static int move_usp(u16 instruction) {
    u32* a = &vm.a[instruction & 7];
    if (instruction & 8) *a = vm.other;
    else vm.other = *a;
    return 1;
}
static int reset_devices(u16 instruction) {
    __asm__ volatile("reset");
    return 1;
}
static int stop(u16 instruction) {
    set_sr((u16)word());
    vm.stopped = 1;
    return 1;
}
static int rte(u16 instruction) {
    const u32 frame = vm.a[7];
    if (frame & 1) return reflect_address_error(0x1101, frame, instruction), 0;
    const unsigned format = load(frame + 6, 2) >> 12;
    if ((format != 0 && format != 8) || (format == 8 && (load(frame + 26, 2) & 0x3C00))) return reflect(format_error), 0;
    next = load(frame + 2, 4);
    vm.a[7] += format == 8 ? 58 : 8;
    set_sr((u16)load(frame, 2));
    return 1;
}
static int movec(u16 instruction) {
    const u32 extension = word();
    u32* const r = general(extension >> 12);
    const int writes = instruction & 1;
    switch (extension & 0xFFF) {
        case 0x000: if (writes) vm.sfc = *r & 7; else *r = vm.sfc; break;
        case 0x001: if (writes) vm.dfc = *r & 7; else *r = vm.dfc; break;
        case 0x800: if (writes) vm.other = *r; else *r = vm.other; break;
        case 0x801: if (writes) vm.vbr = *r; else *r = vm.vbr; break;
    }
    return 1;
}
static int moves(u16 instruction) {
    const unsigned size = 1u << (instruction >> 6 & 3);
    const u32 extension = word();
    u32* const r = general(extension >> 12);
    u32 value = *r;
    if (!operand(instruction, size, &value, (extension & 0x0800) != 0)) return 0;
    if (extension & 0x0800) return 1;
    if (extension & 0x8000) *r = size == 4 ? value : size == 2 ? extended(value) : (u32)(int)(signed char)value;
    else *r = size == 4 ? value : size == 2 ? (*r & ~0xFFFFu) | value : (*r & ~0xFFu) | value;
    return 1;
}

static const struct {
    u16 mask, bits;
    int (*routine)(u16 instruction);
} routines[] = {
    {0xFFFF, 0x4E73, rte},       {0xFFF0, 0x4E60, move_usp},      {0xFFC0, 0x46C0, move_to_sr}, {0xFFC0, 0x40C0, move_from_sr},
    {0xFFFF, 0x027C, andi_to_sr}, {0xFFFF, 0x007C, ori_to_sr},     {0xFFFF, 0x0A7C, eori_to_sr}, {0xFFFE, 0x4E7A, movec},
    {0xFFFF, 0x4E72, stop},      {0xFFFF, 0x4E70, reset_devices}, {0xFF00, 0x0E00, moves},
};

static void emulate(void) {
    const u16 instruction = (u16)load(vm.pc, 2);
    next = vm.pc + 2;
    for (unsigned i = 0; i < sizeof routines / sizeof routines[0]; ++i)
        if ((instruction & routines[i].mask) == routines[i].bits) {
            if (routines[i].routine(instruction)) vm.pc = next;
            return;
        }
    reflect(privilege_violation);
}

// ---- Dispatcher -------------------------------------------------------------------------------------------------------------------------

static void resume(void) {
    if (vm.held > (vm.sr & I) >> 8) vm.held = 0;  // if the line is still up, it interrupts at once
    real_pc = vm.stopped ? (u32)idle : vm.pc;
    real_sr = (u16)(vm.held << 8 | (vm.sr & conditions));
}

void trapped(const u16* frame) {
    const unsigned number = (frame[3] & 0xFFF) >> 2;
    if (!vm.stopped) vm.pc = (u32)frame[1] << 16 | frame[2];
    vm.sr = (vm.sr & ~conditions) | (frame[0] & conditions);
    if (number == privilege_violation && ((vm.sr & S) || MUTANT == user)) emulate();
    else if (number > autovector && number <= autovector + 7) interrupt(number - autovector);
    else if (number == address_error) reflect_address_error(frame[4], (u32)frame[5] << 16 | frame[6], frame[12]);
    else reflect(number);
    resume();
}

void reset(void) {
    vm.a[7] = guest[0];
    vm.pc = guest[1];
    vm.sr = S | I;
    resume();
}
