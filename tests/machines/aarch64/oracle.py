#!/usr/bin/env python3
# Compares single instructions of aarch64.isa with QEMU (qemu-system-aarch64 -M virt,virtualization=on -cpu cortex-a57): oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each case runs at EL0, EL1 and EL2 under several settings of the control registers: a few instructions at EL2 set them and return to the level,
# one instruction is stepped over QEMU's GDB stub, and registers, level, masks and the program counter (which tells the vector) are compared with
# `pogo step`. WFI is compared where it traps only, WFE not at all: QEMU does not step them like others, nor does it trap WFE. SMC is QEMU's own
# firmware. On entry to an exception QEMU clears N, Z, C, V, which the manual leaves alone. A Cortex-A57 has neither VHE nor FEAT_NV.
# Exit code: 0 agree, 1 differ, 77 no emulator.

import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

SPEC = pathlib.Path(__file__).resolve().parents[3] / "isa-spec" / "specs" / "aarch64.isa"
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


class Stub:
    """The GDB remote protocol, as far as needed."""

    def __init__(self, connection):
        self.connection = connection
        self.rest = b""

    def ask(self, text):
        data = text.encode()
        self.connection.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))
        while True:
            while b"#" not in self.rest or len(self.rest) < self.rest.index(b"#") + 3:
                more = self.connection.recv(4096)
                if not more:
                    raise OSError("the emulator has gone")
                self.rest += more
            end = self.rest.index(b"#")
            packet, self.rest = self.rest[:end], self.rest[end + 3 :]
            self.connection.sendall(b"+")
            return packet[packet.index(b"$") + 1 :].decode()

    def registers(self):
        data = bytes.fromhex(self.ask("g"))
        return [int.from_bytes(data[8 * n : 8 * n + 8], "little") for n in range(33)] + [int.from_bytes(data[264:268], "little")]

    def set_registers(self, general, pc):
        for n, value in enumerate(general):
            assert self.ask("P%x=%s" % (n, value.to_bytes(8, "little").hex())) == "OK"
        assert self.ask("P20=%s" % pc.to_bytes(8, "little").hex()) == "OK"

    def set_memory(self, address, data):
        assert self.ask("M%x,%x:%s" % (address, len(data), data.hex())) == "OK"


def words(*codes):
    return b"".join(c.to_bytes(4, "little") for c in codes)


def settle(stub):
    """Back to EL2, whose code sets all registers."""
    for _ in range(3):
        level = stub.registers()[33] >> 2 & 3
        if level == 2:
            return
        stub.set_registers([], RETURN + (0 if level == 1 else 4))
        stub.ask("s")
    raise OSError("the emulator does not come back to EL2")


def emulated(stub, level, setting, word):
    settle(stub)
    values = SAME | SETTINGS[setting] | {"spsr_el2": FLAGS | LEVELS[level]}
    values["sctlr_el1"] |= SCTLR_RES1
    stub.set_memory(CODE, words(word))
    stub.set_memory(DATA, MEMORY)
    stub.set_registers([values[name] for name in REGISTERS], SETUP)
    stub.ask("c")  # to the breakpoint at CODE
    stub.set_registers(GENERAL, CODE)
    if level == "EL2":
        stub.ask("P1f=" + (DATA + 0x300).to_bytes(8, "little").hex())
    stub.ask("s")
    return stub.registers(), bytes.fromhex(stub.ask("m%x,%x" % (DATA, len(MEMORY))))


def modelled(model, level, setting, word):
    registers = {"x%d" % n: v for n, v in enumerate(GENERAL)}
    registers |= SAME | SETTINGS[setting] | {"spsr_el2": FLAGS | LEVELS[level], "pc": CODE, "pstate": FLAGS | LEVELS[level], "sp_el2": DATA + 0x300}
    registers |= {"vpidr_el2": 0x411FD070, "vmpidr_el2": 0x80000000, "tcr_el1": 0x80190019, "tcr_el2": 0x80190019}
    state = {"registers": registers, "memory": {hex(CODE): list(words(word)), hex(DATA): list(MEMORY)}}
    model.stdin.write(json.dumps(state) + "\n")
    model.stdin.flush()
    outcome = json.loads(model.stdout.readline())
    after = outcome["registers"]
    level = after["pstate"] >> 2 & 3
    sp = "sp_el%d" % (level if after["pstate"] & 1 else 0)
    memory = bytearray(MEMORY)
    for address, units in outcome["memory"].items():
        units = units if isinstance(units, list) else [units]
        at = int(address, 0) - DATA
        memory[at : at + len(units)] = bytes(units)
    return outcome, [after["x%d" % n] for n in range(31)] + [after[sp], after["pc"], after["pstate"]], bytes(memory)


def compare(stub, model):
    stub.ask("qXfer:features:read:target.xml:0,1000")  # after that QEMU lets single registers be written
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


def too_long(_signal, _frame):
    raise TimeoutError("it takes too long")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: oracle.py POGO")
    qemu = shutil.which("qemu-system-aarch64")
    if not qemu:
        print("no qemu-system-aarch64")
        return 77
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(180)
    with tempfile.TemporaryDirectory() as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(folder + "/gdb")
        listener.listen(1)
        listener.settimeout(60)
        arguments = ["-M", "virt,virtualization=on", "-cpu", "cortex-a57", "-m", "64", "-nographic", "-serial", "none", "-monitor", "none",
                     "-nodefaults", "-S"]
        emulator = subprocess.Popen(
            [qemu, *arguments, "-chardev", "socket,id=gdb,path=" + folder + "/gdb", "-gdb", "chardev:gdb"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        model = subprocess.Popen([sys.argv[1], "step", str(SPEC), "--states", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            connection, _ = listener.accept()
            connection.settimeout(60)
            return compare(Stub(connection), model)
        finally:
            emulator.kill()
            model.kill()
            emulator.wait(10)
            model.wait(10)


if __name__ == "__main__":
    sys.exit(main())
