#!/usr/bin/env python3
# Compares single instructions of arm.isa with QEMU (qemu-system-arm -M virt -cpu cortex-a15): oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each case runs in User, System and Supervisor mode: registers are set over QEMU's GDB stub, one instruction is stepped, and registers, status
# and memory are compared with `pogo step`. What is UNPREDICTABLE in User mode is UNDEFINED in QEMU, so Pogo's model is asked with
# unpredictable=undefined; in System mode QEMU goes on, and those cases are left out. So are WFI and WFE, which QEMU does not step like others.
# Exit code: 0 agree, 1 differ, 77 no emulator.

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import emulator

SPEC = emulator.SPECS / "arm.isa"
PARAMETERS = ["--param", "unpredictable=undefined", "--param", "conditional=true"]
CODE, DATA = 0x41000000, 0x41002000
STATUS = 0xF80F03DF  # of the CPSR: J, IT and T are Thumb's
MODES = {"usr": 0x10, "sys": 0x1F, "svc": 0x13}

NO_SPSR = {0xE14F0000, 0xE16FF002, 0xE8D17F00, 0xE8D18001, 0xE8C17F00, 0xE25EF004, 0xE1B0F00E}  # UNPREDICTABLE in System mode

CASES = [  # bits of the result that User mode leaves UNKNOWN come last
    ("mrs r0, cpsr", 0xE10F0000, 0x3DF), ("mrs r0, spsr", 0xE14F0000), ("msr cpsr_fc, r2", 0xE129F002), ("msr cpsr_x, r2", 0xE122F002),
    ("msr cpsr_c, #0xd3", 0xE321F0D3), ("msr spsr_fsxc, r2", 0xE16FF002), ("cpsie aif", 0xF10801C0), ("cpsid if", 0xF10C00C0),
    ("cps #0x1f", 0xF102001F), ("setend be", 0xF1010200), ("rfeia r1", 0xF8910A00), ("srsdb sp!, #0x13", 0xF96D0513),
    ("ldmia r1, {r8-lr}^", 0xE8D17F00), ("ldmia r1, {r0, pc}^", 0xE8D18001), ("stmia r1, {r8-lr}^", 0xE8C17F00),
    ("subs pc, lr, #4", 0xE25EF004), ("movs pc, lr", 0xE1B0F00E), ("ldrt r0, [r1]", 0xE4B10000), ("strt r0, [r1]", 0xE4A10000),
    ("ldrbt r0, [r1]", 0xE4F10000), ("svc #0", 0xEF000000), ("udf", 0xE7F000F0), ("sev", 0xE320F004),
    ("mrc SCTLR", 0xEE110F10), ("mrcne SCTLR", 0x1E110F10), ("mrceq SCTLR", 0x0E110F10), ("mrc MIDR", 0xEE100F10), ("mrc ISR", 0xEE1C0F10),
    ("mrc DFSR", 0xEE150F10), ("mrc IFAR", 0xEE160F50), ("mcr TPIDRPRW", 0xEE0D0F90), ("mrc TPIDRPRW", 0xEE1D0F90), ("mcr TPIDRURO", 0xEE0D0F70),
    ("mrc TPIDRURO", 0xEE1D0F70), ("mcr TPIDRURW", 0xEE0D0F50), ("mrc TPIDRURW", 0xEE1D0F50), ("mcr DACR", 0xEE030F10), ("mrc DACR", 0xEE130F10),
    ("mcr TTBR0", 0xEE020F10), ("mrc TTBR0", 0xEE120F10), ("mcr CONTEXTIDR", 0xEE0D0F30), ("mcr VBAR", 0xEE0C4F10), ("mcr TLBIALL", 0xEE080F17),
    ("mcr ICIALLU", 0xEE070F15), ("mcr CP15ISB", 0xEE070F95), ("mcr CP15DSB", 0xEE070F9A), ("mcr CP15DMB", 0xEE070FBA),
    ("adcs r0, r1, r2", 0xE0B10002), ("rsbs r0, r2, #0xff000000", 0xE27204FF), ("movs r0, r2, ror #3", 0xE1B001E2),
    ("movs r0, r2, rrx", 0xE1B00062), ("bics r0, r2, r3, asr r5", 0xE1D20553), ("cmp pc, r2", 0xE15F0002), ("add pc, pc, #16", 0xE28FF010),
    ("addeq r0, r1, r2", 0x00810002), ("addne r0, r1, r2", 0x10810002), ("umulls r6, r7, r2, r3", 0xE0976392), ("mul r0, r2, r3", 0xE0000392),
    ("clz r0, r5", 0xE16F0F15), ("rev r0, r2", 0xE6BF0F32), ("qadd r0, r2, r2", 0xE1020052), ("uadd8 r0, r2, r3", 0xE6520F93),
    ("sel r0, r2, r3", 0xE6820FB3), ("uxtb r0, r2, ror #8", 0xE6EF0472), ("ldr r0, [r1, #4]!", 0xE5B10004), ("ldr pc, [r1]", 0xE591F000),
    ("str r2, [r1], #-4", 0xE4012004), ("ldrsb r0, [r1, #1]", 0xE1D100D1), ("ldrd r6, [r1]", 0xE1C160D0), ("strh r2, [r1, r5]", 0xE18120B5),
    ("ldmib r1!, {r3, r6, r8}", 0xE9B10148), ("stmdb r1!, {r3, sp, pc}", 0xE921A008), ("bl +8", 0xEB000000), ("blx r3", 0xE12FFF33),
    ("movw r0, #0x1234", 0xE3010234), ("movt r0, #0x1234", 0xE3410234),
]

GENERAL = {0: 0x89ABCDEF, 1: DATA + 16, 2: 0x7F8090F1, 3: 0x41000100, 4: 0, 5: 4, 6: 0x66, 7: 0x77, 8: 8, 9: 9, 10: 10, 11: 11, 12: 12}
STACK = {"usr": (DATA + 0x80, 0x41000200), "svc": (DATA + 0xC0, 0x41000300)}
SPSR = 0x600001D0
MEMORY = b"".join(v.to_bytes(4, "little") for v in [1, 2, 3, 4, 0x41000400, 0x200001DF, 0x83828180, 5, 6, 7, 8, 9, 10, 11, 12, 13]) + bytes(192)
CPSR = 25  # its number in the protocol


def prepare(stub, mode, word):
    stub.set_memory(DATA, MEMORY)
    stub.set_register(CPSR, 0x1D3)  # Supervisor mode, to set its SPSR
    stub.set_register(0, SPSR)
    stub.set_memory(CODE, (0xE16FF000).to_bytes(4, "little"))  # msr spsr_fsxc, r0
    stub.set_register(15, CODE)
    stub.ask("s")
    for bank, number in (("svc", 0x13), ("usr", 0x1F)):
        stub.set_register(CPSR, 0x1C0 | number)
        stub.set_register(13, STACK[bank][0])
        stub.set_register(14, STACK[bank][1])
    for n, value in GENERAL.items():
        stub.set_register(n, value)
    stub.set_memory(CODE, word.to_bytes(4, "little"))
    stub.set_register(CPSR, 0x600001C0 | MODES[mode])
    stub.set_register(15, CODE)


def emulated(stub, mode, word):
    prepare(stub, mode, word)
    stub.ask("s")
    found = {"cpsr": stub.register(CPSR) & STATUS, "pc": stub.register(15)}
    for n in range(15):
        found["r%d" % n] = stub.register(n)
    return found, stub.memory(DATA, len(MEMORY))


def state(mode, word, system):
    registers = {"r%d" % n: v for n, v in GENERAL.items() if n < 8}
    registers |= {"r%d_usr" % n: v for n, v in GENERAL.items() if n >= 8}
    for bank, (sp, lr) in STACK.items():
        registers |= {"sp_" + bank: sp, "lr_" + bank: lr}
    registers |= {"pc": CODE, "cpsr": 0x600001C0 | MODES[mode], "spsr_svc": SPSR, "sctlr": 0x00C50078} | system
    return {"registers": registers, "memory": {hex(CODE): list(word.to_bytes(4, "little")), hex(DATA): list(MEMORY)}}


def active(registers):
    bank = {0x10: "usr", 0x1F: "usr", 0x11: "fiq", 0x12: "irq", 0x13: "svc", 0x17: "abt", 0x1B: "und"}[registers["cpsr"] & 0x1F]
    found = {"cpsr": registers["cpsr"] & STATUS, "pc": registers["pc"]}
    for n in range(8):
        found["r%d" % n] = registers["r%d" % n]
    for n in range(8, 13):
        found["r%d" % n] = registers["r%d_%s" % (n, "fiq" if bank == "fiq" else "usr")]
    found["r13"], found["r14"] = registers["sp_" + bank], registers["lr_" + bank]
    return found


SYSTEM = ["tpidrprw", "tpidruro", "tpidrurw", "dacr", "ttbr0", "contextidr"]  # what cases write lasts


def compare(stub, model):
    differences = 0
    system = {}
    for text, word, *unknown in CASES:
        before = system
        for mode in MODES:
            if mode == "sys" and word in NO_SPSR:
                continue
            qemu, qemu_memory = emulated(stub, mode, word)
            outcome = model.step(state(mode, word, before))
            pogo = active(outcome["registers"])
            if unknown and mode == "usr":
                qemu["r0"] &= ~unknown[0]
                pogo["r0"] &= ~unknown[0]
            wrong = ["%s %#x, QEMU %#x" % (n, pogo[n], qemu[n]) for n in qemu if pogo[n] != qemu[n]]
            if emulator.stored(outcome, DATA, MEMORY) != qemu_memory:
                wrong.append("memory")
            if wrong:
                differences += 1
                print("%s in %s: %s" % (text, mode, "; ".join(wrong)))
            before = {n: outcome["registers"][n] for n in SYSTEM}
        system = before
    print("%d instructions in %d modes, %d differences" % (len(CASES), len(MODES), differences))
    return 1 if differences else 0


def main():
    pogo, qemu = emulator.find("qemu-system-arm")
    with emulator.stepped(qemu, ["-M", "virt", "-cpu", "cortex-a15"], 4, pogo, SPEC, PARAMETERS) as (stub, model):
        return compare(stub, model)


if __name__ == "__main__":
    sys.exit(main())
