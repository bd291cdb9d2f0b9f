// A trap-and-emulate monitor for RV64: M and U mode in user mode. It is a program of that machine and nothing more, so it runs under itself.
// SPDX-License-Identifier: Apache-2.0
//
// The guest lies where it is linked for, in a naturally aligned window of memory, and begins at START. The real PMP holds what the guest's PMP
// permits within the window, so that whatever else the guest reaches for traps; its devices are the machine's, reached for it by the monitor.
// MUTANT chooses a wrong monitor (monitors_test.cpp).
#include "attempt.h"

#ifndef MUTANT
#define MUTANT 0
#endif
enum { lost = 1, masked, user_mode, vector, open_memory };  // mutants

extern u64 below[32];  // the guest's registers: vmm_entry.S

enum { machine = 3, pmp_entries = 8 };
enum { fetch_fault = 1, illegal = 2, load_fault = 5, store_fault = 7, call = 8 };
enum { R = 1, W = 2, X = 4, napot = 0x18, locked = 0x80 };
static const u64 MIE = 1 << 3, MPIE = 1 << 7, MPP = 3 << 11, MPRV = 1 << 17, interrupt = 1ul << 63;
static const u64 lines = 0x888;  // software, timer and external interrupts of machine mode

struct {
    u64 priv, pc;
    u64 mstatus, mtvec, mepc, mcause, mtval, mscratch, mie, mcounteren, menvcfg;
    u64 cycle_offset, instret_offset;
    unsigned char pmpcfg[pmp_entries];
    u64 pmpaddr[pmp_entries];
    u64 held;  // interrupts that have come and that the guest masks
} vm;

// What the real registers hold. A monitor below has to emulate each write, so that none is made without need.
static struct {
    u64 mie, pmpcfg, pmpaddr[pmp_entries];
} real;
static unsigned entries;  // of the real PMP; the guest has one less

// ---- Allocator: the guest's memory, as its mode and its PMP permit ---------------------------------------------------------------

static u64 granule(u64 address) { return address ^ (address + 1); }  // the bits within a naturally aligned range
static int meet(u64 a, u64 b) { return ((a ^ b) & ~(granule(a) | granule(b))) == 0; }  // one lies in the other
static u64 smaller(u64 a, u64 b) { return granule(a) < granule(b) ? a : b; }
static u64 range(u64 from, u64 size) { return from >> 2 | (size / 8 - 1); }
static u64 read_pmpaddr(unsigned i) { return vm.pmpcfg[i] & 0x10 ? vm.pmpaddr[i] | 0x1ff : vm.pmpaddr[i] & ~0x3fful; }

static u64 data_mode(void) { return vm.mstatus & MPRV ? vm.mstatus >> 11 & 3 : vm.priv; }
// What an entry with this configuration permits now; an unlocked one does not bind machine mode, and the absence of one permits it all.
static unsigned rights(unsigned cfg) {
    const unsigned free = cfg & locked ? 0 : (vm.priv == machine ? X : 0) | (data_mode() == machine ? R | W : 0);
    return free | (cfg & (R | W | X));
}
static unsigned permitted(u64 address) {
    for (unsigned i = 0; i + 1 < entries; ++i)
        if ((vm.pmpcfg[i] & napot) == napot && meet(read_pmpaddr(i), range(address & ~7ul, 8))) return rights(vm.pmpcfg[i]);
    return rights(0);
}

static void write_real_pmpaddr(unsigned i, u64 value) {
    switch (i) {
        case 0: set(pmpaddr0, value); break;
        case 1: set(pmpaddr1, value); break;
        case 2: set(pmpaddr2, value); break;
        case 3: set(pmpaddr3, value); break;
        case 4: set(pmpaddr4, value); break;
        case 5: set(pmpaddr5, value); break;
        case 6: set(pmpaddr6, value); break;
        case 7: set(pmpaddr7, value); break;
    }
}
static void allocate(void) {
    const u64 all = range(WINDOW, WINDOW_SIZE);
    u64 cfg = 0;
    for (unsigned i = 0; i < entries; ++i) {
        const int last = i + 1 == entries;
        if (!last && ((vm.pmpcfg[i] & napot) != napot || !meet(read_pmpaddr(i), all))) continue;
        const u64 part = last ? all : smaller(read_pmpaddr(i), all), grant = rights(last ? 0 : vm.pmpcfg[i]);
        cfg |= (napot | (MUTANT == open_memory ? R | W | X : grant)) << 8 * i;
        if (part != real.pmpaddr[i]) write_real_pmpaddr(i, real.pmpaddr[i] = part);
    }
    if (cfg != real.pmpcfg) set(pmpcfg0, real.pmpcfg = cfg);
}

// ---- The guest's own traps and interrupts: what the machine does, to the guest's state ------------------------------------------------

static void reflect(u64 cause, u64 value) {
    vm.mcause = cause;
    vm.mtval = value;
    vm.mepc = vm.pc;
    vm.mstatus = (vm.mstatus & ~(MIE | MPIE | MPP)) | (vm.mstatus & MIE ? MPIE : 0) | vm.priv << 11;
    vm.priv = machine;
    vm.pc = vm.mtvec & ~3ul;
    if ((vm.mtvec & 1) && ((cause & interrupt) || MUTANT == vector)) vm.pc += 4 * (cause & 63);
    allocate();
}
static int open(void) { return vm.priv != machine || (vm.mstatus & MIE); }
static void take(u64 cause) {
    if (open() || MUTANT == masked) reflect(cause, 0);
    else vm.held |= 1ul << (cause & 63);
}

// ---- Devices: the guest's accesses outside its memory are made for it. Where there is none, the bus reads 0 --------------------------------

static int device(u64 at) {
    return (at >= 0x00100000 && at < 0x00101000) || (at >= 0x02000000 && at < 0x02010000) || (at >= 0x0c000000 && at < 0x0c600000) ||
           (at >= 0x10000000 && at < 0x10000100);
}
static u64 load(u64 at, unsigned kind) {  // kind: as in the instruction, the size's logarithm and 4 for zero extension
    if (!device(at)) return 0;
    switch (kind) {
        case 0: return (u64) * (volatile signed char*)at;
        case 1: return (u64) * (volatile short*)at;
        case 2: return (u64) * (volatile int*)at;
        case 4: return *(volatile unsigned char*)at;
        case 5: return *(volatile unsigned short*)at;
        case 6: return *(volatile u32*)at;
        default: return *(volatile u64*)at;
    }
}
static void store(u64 at, unsigned kind, u64 value) {
    if (!device(at)) return;
    switch (kind) {
        case 0: *(volatile char*)at = (char)value; break;
        case 1: *(volatile short*)at = (short)value; break;
        case 2: *(volatile u32*)at = (u32)value; break;
        default: *(volatile u64*)at = value; break;
    }
}
static void write_x(unsigned r, u64 value) {
    if (r != 0) below[r] = value;
}
static u32 instruction(void) {
    const u32 low = *(unsigned short*)vm.pc;
    return (low & 3) == 3 ? low | (u32) * (unsigned short*)(vm.pc + 2) << 16 : low;
}
static void reach(u64 cause, u64 at) {
    const unsigned right = cause == fetch_fault ? X : cause == load_fault ? R : W;
    if (!(permitted(at) & right) || at >> 56) return reflect(cause, at);
    if (cause == fetch_fault) return reflect(illegal, 0);  // what is no memory reads 0, which is no instruction
    const u32 word = instruction();
    unsigned r, kind = word >> 12 & 7;
    if ((word & 0x5f) == 0x03) r = cause == load_fault ? word >> 7 & 31 : word >> 20 & 31;  // loads and stores
    else if ((word & 3) != 3) {                                                           // C.LW, C.LD, C.SW, C.SD and those of SP
        r = (word & 3) == 0 ? 8 + (word >> 2 & 7) : cause == load_fault ? word >> 7 & 31 : word >> 2 & 31;
        kind = word & 0x2000 ? 3 : 2;
    } else return reflect(cause, at);  // devices have no atomic operations
    if (cause == store_fault) store(at, kind, below[r]);
    else write_x(r, load(at, kind));
    vm.pc += (word & 3) == 3 ? 4 : 2;
}

// ---- Control registers ---------------------------------------------------------------------------------------------------------------------

enum { mstatus_ = 0x300, misa_, mie_ = 0x304, mtvec_, mcounteren_, menvcfg_ = 0x30A, mcountinhibit_ = 0x320, mscratch_ = 0x340, mepc_, mcause_,
       mtval_, mip_, pmpcfg_ = 0x3A0, pmpaddr_ = 0x3B0, mcycle_ = 0xB00, minstret_ = 0xB02, cycle_ = 0xC00, time_, instret_ };

// 1 if there is such a register and the guest's mode may read it.
static int read_csr(unsigned number, u64* value) {
    if (number >= cycle_ && number <= instret_) {
        if (vm.priv != machine && !(vm.mcounteren >> (number & 3) & 1)) return 0;
    } else if (vm.priv != machine && MUTANT != user_mode) return 0;
    *value = 0;
    switch (number) {
        case mstatus_: *value = vm.mstatus | 2ul << 32; return 1;
        case misa_: *value = get(misa) & ~(1ul << 18); return 1;  // no supervisor mode
        case mie_: *value = vm.mie; return 1;
        case mtvec_: *value = vm.mtvec; return 1;
        case mcounteren_: *value = vm.mcounteren; return 1;
        case menvcfg_: *value = vm.menvcfg; return 1;
        case mscratch_: *value = vm.mscratch; return 1;
        case mepc_: *value = vm.mepc; return 1;
        case mcause_: *value = vm.mcause; return 1;
        case mtval_: *value = vm.mtval; return 1;
        case mip_: *value = get(mip) & lines; return 1;
        case cycle_: case mcycle_: *value = get(mcycle) + vm.cycle_offset; return 1;
        case instret_: case minstret_: *value = get(minstret) + vm.instret_offset; return 1;
        case time_: *value = get(time); return 1;
        case pmpcfg_:
            for (unsigned i = 0; i < pmp_entries; ++i) *value |= (u64)vm.pmpcfg[i] << 8 * i;
            return 1;
        case mcountinhibit_: case pmpcfg_ + 2: return 1;  // always 0
    }
    if (number >= pmpaddr_ && number < pmpaddr_ + 16) {
        if (number < pmpaddr_ + pmp_entries) *value = read_pmpaddr(number - pmpaddr_);
        return 1;
    }
    return (number >= 0xF11 && number <= 0xF15) || (number >= 0x7A0 && number <= 0x7A3) ||           // information, triggers: 0
           (number >= 0xB03 && number <= 0xB1F) || (number >= 0xC03 && number <= 0xC1F && vm.priv == machine) ||
           (number >= 0x323 && number <= 0x33F);  // counters of events: 0
}
static void write_csr(unsigned number, u64 value) {
    switch (number) {
        case mstatus_: {
            const u64 legal = MIE | MPIE | MPRV | ((value & MPP) == 0 || (value & MPP) == MPP ? MPP : 0);
            vm.mstatus = (vm.mstatus & ~legal) | (value & legal);
            return allocate();
        }
        case mie_: vm.mie = value & lines; return;
        case mtvec_: vm.mtvec = (value & ~3ul) | ((value & 2 ? vm.mtvec : value) & 1); return;
        case mcounteren_: vm.mcounteren = value & 7; return;
        case menvcfg_: vm.menvcfg = value & 1; return;
        case mscratch_: if (MUTANT != lost) vm.mscratch = value; return;
        case mepc_: vm.mepc = value & ~1ul; return;
        case mcause_: vm.mcause = value; return;
        case mtval_: vm.mtval = value; return;
        case mcycle_: vm.cycle_offset = value - get(mcycle); return;
        case minstret_: vm.instret_offset = value - get(minstret); return;
        case pmpcfg_:
            for (unsigned i = 0; i + 1 < entries; ++i) {
                const unsigned old = vm.pmpcfg[i], wanted = value >> 8 * i & 0x9f, a = wanted & napot;
                if ((old & locked) || (wanted & (R | W)) == W) continue;
                vm.pmpcfg[i] = (wanted & ~napot) | (a == 0 || a == napot ? a : old & napot);  // ranges by their top are not offered
            }
            return allocate();
    }
    if (number >= pmpaddr_ && number < pmpaddr_ + entries - 1 && !(vm.pmpcfg[number - pmpaddr_] & locked)) {
        vm.pmpaddr[number - pmpaddr_] = value & 0x3ffffffffffe00;
        allocate();
    }
}

// ---- One routine for each privileged instruction; 1 if the guest's mode may do it. The guest goes on behind it ------------------------------------

static int mret(void) {
    if (vm.priv != machine && MUTANT != user_mode) return 0;
    vm.priv = vm.mstatus >> 11 & 3;
    vm.mstatus = (vm.mstatus & ~(MIE | MPP | (vm.priv == machine ? 0 : MPRV))) | (vm.mstatus & MPIE ? MIE : 0) | MPIE;
    vm.pc = vm.mepc - 4;
    allocate();
    return 1;
}
static int wfi(void) { return vm.priv == machine || MUTANT == user_mode; }  // may do nothing
static int csr(u32 word) {
    const unsigned number = word >> 20, rd = word >> 7 & 31, rs = word >> 15 & 31, kind = word >> 12 & 3;
    const u64 operand = word & 0x4000 ? rs : below[rs];
    const int writes = kind == 1 || rs != 0;
    u64 old;
    if (!read_csr(number, &old) || (writes && number >> 10 == 3)) return 0;
    if (writes) write_csr(number, kind == 1 ? operand : kind == 2 ? old | operand : old & ~operand);
    write_x(rd, old);
    return 1;
}
static void emulate(void) {
    const u32 word = instruction();
    const int done = word == 0x30200073            ? mret()
                     : word == 0x10500073          ? wfi()
                     : (word & 0x7f) == 0x73 && word & 0x3000 ? csr(word)
                                                   : 0;
    if (done) vm.pc += 4;
    else reflect(illegal, 0);
}

// ---- Dispatcher ----------------------------------------------------------------------------------------------------------------------------------

static void resume(void) {
    if (open()) vm.held = 0;  // if a line is still up, it interrupts at once
    const u64 wanted = vm.mie & ~vm.held;
    if (wanted != real.mie) set(mie, real.mie = wanted);
    set(mepc, vm.pc);
}

void trapped(void) {
    const u64 cause = get(mcause);
    vm.pc = get(mepc);
    if (cause & interrupt) take(cause);
    else if (cause == illegal) emulate();
    else if (cause == call) reflect(call + vm.priv, 0);
    else if (cause == fetch_fault || cause == load_fault || cause == store_fault) reach(cause, get(mtval));
    else reflect(cause, get(mtval));
    resume();
}

void main(void) {
    for (; entries < pmp_entries; ++entries) {
        write_real_pmpaddr(entries, ~0ul);
        real.pmpaddr[entries] = ~0ul;
    }
    entries = 0;
    entries += get(pmpaddr0) != 0, entries += get(pmpaddr1) != 0, entries += get(pmpaddr2) != 0, entries += get(pmpaddr3) != 0;
    entries += get(pmpaddr4) != 0, entries += get(pmpaddr5) != 0, entries += get(pmpaddr6) != 0, entries += get(pmpaddr7) != 0;
    set(mstatus, 0);  // user mode is what lies below
    vm.priv = machine;
    vm.pc = START;
    allocate();
    resume();
}
