#!/usr/bin/env python3
# Compares single instructions of aarch64.isa with QEMU (qemu-system-aarch64 -M virt,virtualization=on -cpu cortex-a57): oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each case runs at EL0, EL1 and EL2 under several settings of the control registers: a few instructions at EL2 set them and return to the level,
# one instruction is stepped over QEMU's GDB stub, and registers, level, masks and the program counter (which tells the vector) are compared with
# `pogo step`. WFI is compared where it traps only, WFE not at all: QEMU does not step them like others, nor does it trap WFE. SMC is QEMU's own
# firmware. On entry to an exception QEMU clears N, Z, C, V, which the manual leaves alone. A Cortex-A57 has neither VHE nor FEAT_NV.
# Exit code: 0 agree, 1 differ, 77 no emulator.

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import emulator

SPEC = emulator.SPECS / "aarch64.isa"
SETUP, RETURN, CODE, DATA, TARGET = 0x40000000, 0x40000800, 0x40010000, 0x40020000, 0x40030000
VBAR_EL1, VBAR_EL2 = 0x40080000, 0x40090000
ALL = (1 << 64) - 1
RW = 1 << 31

# What is set: the register's name here, its encoding for MSR (op1, CRn, CRm, op2), the value.
REGISTERS = {
    "hcr_el2": (4, 1, 1, 0), "sctlr_el1": (0, 1, 0, 0), "cntkctl_el1": (0, 14, 1, 0), "cnthctl_el2": (4, 14, 1, 0), "vbar_el1": (0, 12, 0, 0),
    "vbar_el2": (4, 12, 0, 0), "spsr_el1": (0, 4, 0, 0), "elr_el1": (0, 4, 0, 1), "sp_el0": (0, 4, 1, 0), "sp_el1": (4, 4, 1, 0),
    "tpidr_el0": (3, 13, 0, 2), "tpidrro_el0": (3, 13, 0, 3), "tpidr_el1": (0, 13, 0, 4), "tpidr_el2": (4, 13, 0, 2), "contextidr_el1": (0, 13, 0, 1),
    "spsr_el2": (4, 4, 0, 0), "elr_el2": (4, 4, 0, 1),
}
SAME = {"vbar_el1": VBAR_EL1, "vbar_el2": VBAR_EL2, "elr_el1": TARGET, "sp_el0": DATA + 0x100, "sp_el1": DATA + 0x200, "tpidr_el0": 10,
        "tpidrro_el0": 11, "tpidr_el1": 12, "tpidr_el2": 13, "contextidr_el1": 14, "elr_el2": CODE}
TRAPS = 1 << 13 | 1 << 14 | 7 << 16 | 3 << 23 | 1 << 25 | 1 << 26 | 1 << 28 | 1 << 30
USER = 1 << 9 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 26
SETTINGS = {
    "closed": {"hcr_el2": RW, "sctlr_el1": 0, "cntkctl_el1": 0, "cnthctl_el2": 3, "spsr_el1": 0x600003C0},
    "open": {"hcr_el2": RW, "sctlr_el1": USER, "cntkctl_el1": 0x303, "cnthctl_el2": 3, "spsr_el1": 0x600003C5},
    "trapped": {"hcr_el2": RW | TRAPS, "sctlr_el1": USER, "cntkctl_el1": 0x303, "cnthctl_el2": 0, "spsr_el1": 0x600003C9},  # to EL2: illegal
    "closed and trapped": {"hcr_el2": RW | TRAPS, "sctlr_el1": 0, "cntkctl_el1": 0, "cnthctl_el2": 0, "spsr_el1": 0x600003C1},  # EL0 with SP_EL0's bit
}
SCTLR_RES1 = 0x30D00800
LEVELS = {"EL0": 0x0, "EL1": 0x5, "EL2": 0x9}
FLAGS = 0x600003C0


def move(op1, n, m, op2, read, t=0):
    return 0xD5180000 | read << 21 | op1 << 16 | n << 12 | m << 8 | op2 << 5 | t


def mrs(name, op1, n, m, op2, compared=ALL):
    return ("mrs " + name, move(op1, n, m, op2, 1), compared)


def msr(name, op1, n, m, op2):
    return ("msr " + name, move(op1, n, m, op2, 0), ALL)


CASES = [
    mrs("NZCV", 3, 4, 2, 0), msr("NZCV", 3, 4, 2, 0), mrs("DAIF", 3, 4, 2, 1), msr("DAIF", 3, 4, 2, 1), mrs("CTR_EL0", 3, 0, 0, 1),
    mrs("DCZID_EL0", 3, 0, 0, 7), mrs("CNTFRQ_EL0", 3, 14, 0, 0), mrs("CNTVCT_EL0", 3, 14, 0, 2, 0), mrs("CNTPCT_EL0", 3, 14, 0, 1, 0),
    mrs("CNTV_CTL_EL0", 3, 14, 3, 1, 3), mrs("CNTP_CTL_EL0", 3, 14, 2, 1, 3), mrs("CNTV_CVAL_EL0", 3, 14, 3, 2, 0), mrs("CurrentEL", 0, 4, 2, 2),
    mrs("SPSel", 0, 4, 2, 0), mrs("SP_EL0", 0, 4, 1, 0), mrs("MIDR_EL1", 0, 0, 0, 0), mrs("MPIDR_EL1", 0, 0, 0, 5), mrs("REVIDR_EL1", 0, 0, 0, 6, 0),
    mrs("CLIDR_EL1", 1, 0, 0, 1, 0), mrs("ID_AA64PFR0_EL1", 0, 0, 4, 0, 0), mrs("ID_AA64MMFR0_EL1", 0, 0, 7, 0, 0),
    mrs("SCTLR_EL1", 0, 1, 0, 0, USER), mrs("TTBR0_EL1", 0, 2, 0, 0, 0), mrs("TCR_EL1", 0, 2, 0, 2, 0), mrs("ESR_EL1", 0, 5, 2, 0, 0),
    mrs("CONTEXTIDR_EL1", 0, 13, 0, 1), msr("CONTEXTIDR_EL1", 0, 13, 0, 1), msr("TTBR1_EL1", 0, 2, 0, 1), msr("FAR_EL1", 0, 6, 0, 0),
    mrs("ELR_EL1", 0, 4, 0, 1), mrs("SPSR_EL1", 0, 4, 0, 0), mrs("VBAR_EL1", 0, 12, 0, 0), msr("TPIDR_EL0", 3, 13, 0, 2), mrs("TPIDR_EL0", 3, 13, 0, 2),
    mrs("TPIDRRO_EL0", 3, 13, 0, 3), msr("TPIDRRO_EL0", 3, 13, 0, 3), mrs("TPIDR_EL1", 0, 13, 0, 4), mrs("PAR_EL1", 0, 7, 4, 0, 0),
    mrs("CNTKCTL_EL1", 0, 14, 1, 0), mrs("ISR_EL1", 0, 12, 1, 0), mrs("HCR_EL2", 4, 1, 1, 0), mrs("VTTBR_EL2", 4, 2, 1, 0, 0),
    mrs("TPIDR_EL2", 4, 13, 0, 2), mrs("SP_EL1", 4, 4, 1, 0), mrs("ELR_EL2", 4, 4, 0, 1), mrs("VBAR_EL2", 4, 12, 0, 0), mrs("SCTLR_EL2", 4, 1, 0, 0, 0),
    msr("TPIDR_EL2", 4, 13, 0, 2), msr("FAR_EL2", 4, 6, 0, 0), mrs("CNTHCTL_EL2", 4, 14, 1, 0, 3), msr("MAIR_EL2", 4, 10, 2, 0),
    ("msr daifset, #2", 0xD50342DF, ALL), ("msr daifclr, #15", 0xD5034FFF, ALL), ("msr spsel, #0", 0xD50040BF, ALL),
    ("msr spsel, #1", 0xD50041BF, ALL), ("ic iallu", 0xD508751F, ALL), ("dc ivac", 0xD5087621, ALL), ("ic ivau", 0xD50B7521, ALL),
    ("dc cvac", 0xD50B7A21, ALL), ("dc civac", 0xD50B7E21, ALL), ("dc zva", 0xD50B7421, ALL), ("tlbi vmalle1", 0xD508871F, ALL),
    ("tlbi vae1", 0xD5088720, ALL), ("tlbi alle2", 0xD50C871F, ALL), ("tlbi alle1", 0xD50C879F, ALL), ("at s1e1r", 0xD5087801, ALL),
    ("at s12e1r", 0xD50C7881, ALL), ("svc #0", 0xD4000001, ALL), ("hvc #0", 0xD4000002, ALL), ("brk #0", 0xD4200000, ALL),
    ("eret", 0xD69F03E0, ALL), ("wfi", 0xD503207F, ALL), ("sev", 0xD503209F, ALL), ("dsb", 0xD5033F9F, ALL),
    ("udf", 0x00000000, ALL), ("adc x0, x1, x2", 0x9A020020, ALL), ("subs x0, x1, x2, lsl #3", 0xEB020C20, ALL), ("add sp, sp, #16", 0x910043FF, ALL),
    ("udiv x0, x2, x3", 0x9AC30840, ALL), ("csel x0, x1, x2, hi", 0x9A828020, ALL), ("ldr x0, [x1]", 0xF9400020, ALL),
    ("ldp x4, x5, [x1], #16", 0xA8C11424, ALL), ("stp x2, x3, [x1, #-16]!", 0xA9BF0C22, ALL), ("ldtr x0, [x1, #8]", 0xF8408820, ALL),
    ("sttr x2, [x1, #8]", 0xF8008822, ALL), ("ldrsw x0, [x1, x4]", 0xB8A46820, ALL), ("madd x0, x2, x3, x1", 0x9B030440, ALL),
    ("bl +8", 0x94000002, ALL), ("ret x6", 0xD65F00C0, ALL), ("b.eq +16", 0x54000080, ALL), ("adr x0, -4", 0x10FFFFE0, ALL),
]
GENERAL = [0x280, DATA + 64, 0x123456789ABCDEF0, 7, 4, 5, TARGET] + [100 + n for n in range(7, 31)]
MEMORY = bytes(range(1, 161))
SP, PC = 31, 32  # their numbers in the protocol


def registers(stub):
    """X0 to X30, SP, PC, PSTATE."""
    data = bytes.fromhex(stub.ask("g"))
    return [int.from_bytes(data[8 * n : 8 * n + 8], "little") for n in range(33)] + [int.from_bytes(data[264:268], "little")]


def set_registers(stub, general, pc):
    for n, value in enumerate(general):
        stub.set_register(n, value)
    stub.set_register(PC, pc)


def words(*codes):
    return b"".join(c.to_bytes(4, "little") for c in codes)


def settle(stub):
    """Back to EL2, whose code sets all registers."""
    for _ in range(3):
        level = registers(stub)[33] >> 2 & 3
        if level == 2:
            return
        set_registers(stub, [], RETURN + (0 if level == 1 else 4))
        stub.ask("s")
    raise OSError("the emulator does not come back to EL2")


def emulated(stub, level, setting, word):
    settle(stub)
    values = SAME | SETTINGS[setting] | {"spsr_el2": FLAGS | LEVELS[level]}
    values["sctlr_el1"] |= SCTLR_RES1
    stub.set_memory(CODE, words(word))
    stub.set_memory(DATA, MEMORY)
    set_registers(stub, [values[name] for name in REGISTERS], SETUP)
    stub.ask("c")  # to the breakpoint at CODE
    set_registers(stub, GENERAL, CODE)
    if level == "EL2":
        stub.set_register(SP, DATA + 0x300)
    stub.ask("s")
    return registers(stub), stub.memory(DATA, len(MEMORY))


def modelled(model, level, setting, word):
    before = {"x%d" % n: v for n, v in enumerate(GENERAL)}
    before |= SAME | SETTINGS[setting] | {"spsr_el2": FLAGS | LEVELS[level], "pc": CODE, "pstate": FLAGS | LEVELS[level], "sp_el2": DATA + 0x300}
    before |= {"vpidr_el2": 0x411FD070, "vmpidr_el2": 0x80000000, "tcr_el1": 0x80190019, "tcr_el2": 0x80190019}
    outcome = model.step({"registers": before, "memory": {hex(CODE): list(words(word)), hex(DATA): list(MEMORY)}})
    after = outcome["registers"]
    level = after["pstate"] >> 2 & 3
    sp = "sp_el%d" % (level if after["pstate"] & 1 else 0)
    return outcome, [after["x%d" % n] for n in range(31)] + [after[sp], after["pc"], after["pstate"]], emulator.stored(outcome, DATA, MEMORY)


def compare(stub, model):
    setup = [move(*key, 0, t) for t, key in enumerate(REGISTERS.values())]
    stub.set_memory(SETUP, words(0xD50041BF, *setup, 0xD69F03E0))  # msr spsel, #1; …; eret
    stub.set_memory(RETURN, words(0xD4000002, 0xD4000001))  # hvc, svc
    assert stub.ask("Z0,%x,4" % CODE) == "OK"
    runs = differences = 0
    for text, word, compared in CASES:
        for setting in SETTINGS:
            for level in LEVELS:
                outcome, pogo, memory = modelled(model, level, setting, word)
                if text == "wfi" and outcome["outcome"] == "completed":
                    continue
                qemu, qemu_memory = emulated(stub, level, setting, word)
                runs += 1
                wrong = []
                for n, (a, b) in enumerate(zip(pogo, qemu)):
                    status = 0x001003CD if outcome["outcome"] == "trapped" else 0xF01003CD
                    mask = compared if n == 0 else status if n == 33 else ALL
                    if (a ^ b) & mask:
                        wrong.append("%s %#x, QEMU %#x" % (["x%d" % n, "sp", "pc", "pstate"][0 if n < 31 else n - 30], a, b))
                if memory != qemu_memory:
                    wrong.append("memory")
                if wrong:
                    differences += 1
                    print("%s at %s, %s: %s" % (text, level, setting, "; ".join(wrong)))
    print("%d instructions, %d runs, %d differences" % (len(CASES), runs, differences))
    return 1 if differences else 0


def main():
    pogo, qemu = emulator.find("qemu-system-aarch64")
    with emulator.stepped(qemu, ["-M", "virt,virtualization=on", "-cpu", "cortex-a57"], 8, pogo, SPEC) as (stub, model):
        return compare(stub, model)


if __name__ == "__main__":
    sys.exit(main())
