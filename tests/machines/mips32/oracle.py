#!/usr/bin/env python3
# Compares mips32.isa with QEMU (qemu-system-mips -M none -cpu 24Kf), mode by mode: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# A kernel in kseg0 runs each case in a configuration of Status and HWREna and notes the exception that ends it: Cause, EPC, Status,
# BadVAddr, $2, $3, $31, EntryHi. SYSCALL is the end of cases that complete. SYNCI is left out: QEMU's addresses nothing.
# Exit code: 0 agree, 1 differ, 77 no emulator.

import pathlib
import re
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import emulator

SPEC = emulator.SPECS / "mips32.isa"
CODE, CASE, TABLE, LOG = 0x400000, 32, 0x8000, 0x40000
NAMES = ["Cause", "EPC", "Status", "BadVAddr", "$2", "$3", "$31", "EntryHi"]

KERNEL, SUPERVISOR, USER, CU0, CU1 = 0, 8, 16, 1 << 28, 1 << 29
PLAIN = [(KERNEL, 0), (SUPERVISOR, 0), (USER, 0)]
OPENED = [(SUPERVISOR | CU0, 0), (USER | CU0, 0)]

# $2 0x1111, $3 0x2222, $4 a page to read and write, $5 kseg1, $6 0x7FFFFFFF, $7 1, $9 kseg0
PRIVILEGED = [("mfc0 $2,$%s" % n, "mfc0 $2,$%s" % n) for n in ("12,0", "14,0", "13,0", "8,0", "4,0", "10,0", "2,0", "3,0", "6,0", "7,0", "15,1", "0,0", "5,0")]
PRIVILEGED += [("mtc0 $7,$%s" % n, "mtc0 $7,$%s" % n, "mfc0 $2,$%s" % n) for n in ("14,0", "2,0", "3,0", "6,0", "30,0", "7,0")]
PRIVILEGED += [
    ("mtc0 $2,$12,0", "mtc0 $2,$12,0"), ("di", "di $2", "mfc0 $3,$12,0"), ("ei", "ei $2", "mfc0 $3,$12,0"), ("rdpgpr", "rdpgpr $2,$3"),
    ("wrpgpr", "wrpgpr $2,$3"), ("tlbp", "tlbp", "mfc0 $2,$0,0"), ("tlbr", "tlbr", "mfc0 $2,$2,0", "mfc0 $3,$3,0"),
]
CLOSED = [("tlbwi", "tlbwi"), ("tlbwr", "tlbwr"), ("eret", "eret"), ("wait", "wait 0"), ("cache", "cache 0,0($4)")]
HARDWARE = [("rdhwr 0", "rdhwr $2,$0"), ("rdhwr 1", "rdhwr $2,$1"), ("rdhwr 3", "rdhwr $2,$3", "addiu $2,$0,0")]  # CCRes is the implementation's
ANYWHERE = [
    ("syscall", "syscall 5"), ("break", "break 7"), ("teq", "teq $7,$7,0"), ("teq, not equal", "teq $7,$6,0"), ("tlti", "tlti $7,2"),
    ("synci", "synci 0($4)"), ("sync", "sync 0"), ("pref in kseg0", "pref 0,0($9)"), ("mfc1", "mfc1 $2,$f1"),
    ("lw in kseg0", "lw $2,0($9)"), ("lw in kseg1", "lw $2,0($5)"), ("lw in sseg", "lw $2,0($10)"), ("lw in kseg3", "lw $2,0($11)"),
    ("lw not aligned", "lw $2,2($4)"), ("lh not aligned", "lh $2,1($4)"), ("sw not aligned in kseg0", "sw $2,2($9)"), ("sw in kseg3", "sw $2,0($11)"),
    ("lw, no entry", "lw $2,0($12)"), ("sw, no entry", "sw $2,0($12)"), ("lw, not valid", "lw $2,0($13)"), ("sw, not dirty", "sw $2,0x1000($4)"),
    ("lw, not dirty", "lw $2,0x1000($4)"), ("jump to kseg0", "jr $9,0", "addiu $2,$0,7"), ("jump, not aligned", "addiu $8,$4,2", "jr $8,0", "addiu $2,$0,7"),
]
ORDINARY = [
    ("addu", "addu $2,$6,$7"), ("subu", "subu $2,$7,$6"), ("add", "add $2,$6,$7"), ("addi", "addi $2,$6,1"), ("sub", "sub $2,$7,$6"),
    ("and", "and $2,$6,$3"), ("nor", "nor $2,$6,$3"), ("xori", "xori $2,$6,0xff00"), ("addiu", "addiu $2,$7,-5"), ("slti", "slti $2,$7,-5"),
    ("sltiu", "sltiu $2,$7,-5"), ("slt", "slt $2,$9,$7"), ("sltu", "sltu $2,$9,$7"), ("sra", "sra $2,$9,4"), ("srl", "srl $2,$9,4"), ("sllv", "sllv $2,$3,$7"),
    ("srav", "srav $2,$9,$7"), ("rotr", "rotr $2,$3,5"), ("movz", "movz $2,$3,$0"), ("movn", "movn $2,$3,$0"), ("mul", "mul $2,$6,$3"),
    ("mult", "mult $9,$3", "mfhi $2", "mflo $3"), ("multu", "multu $9,$3", "mfhi $2", "mflo $3"), ("div", "div $0,$9,$3", "mfhi $2", "mflo $3"),
    ("divu", "divu $0,$9,$3", "mfhi $2", "mflo $3"), ("seb", "seb $2,$9"), ("wsbh", "wsbh $2,$9"), ("lb", "lb $2,1($4)"), ("lbu", "lbu $2,1($4)"),
    ("lh", "lh $2,2($4)"), ("lhu", "lhu $2,2($4)"), ("sb", "sb $3,1($4)", "lw $2,0($4)"), ("sh", "sh $3,2($4)", "lw $2,0($4)"),
] + [("%s %d" % (n, i), "%s $2,%d($4)" % (n, i)) for n in ("lwl", "lwr") for i in range(4)] + [
    ("ll, sc", "ll $2,0($4)", "sc $3,0($4)", "lw $2,0($4)"), ("sc after an exception", "sc $3,0($4)"),
    ("beq", "beq $7,$7,+3", "addiu $2,$0,7", "addiu $3,$0,7"), ("bne, not taken", "bne $7,$7,+3", "addiu $2,$0,7", "addiu $3,$0,7"),
    ("beql, not taken", "beql $7,$6,+3", "addiu $2,$0,7", "addiu $3,$0,7"), ("beql", "beql $7,$7,+3", "addiu $2,$0,7", "addiu $3,$0,7"),
    ("bgezal", "bgezal $7,+3", "addiu $2,$0,7", "addiu $3,$0,7"), ("jalr", "jalr $2,$14,0", "addiu $3,$0,7"),
    ("break in a slot", "beq $7,$7,+3", "break 0"), ("break in the slot of a branch not taken", "bne $4,$15,+3", "break 0"),
    ("lw in kseg0 in a slot", "blez $0,+3", "lw $2,0($9)"), ("mfc0 in a slot", "bltz $9,+3", "mfc0 $2,$12,0"),
]


def cases():
    for case in PRIVILEGED:
        for configuration in PLAIN + OPENED:
            yield case, configuration
    for case in CLOSED:
        for configuration in PLAIN[1:]:
            yield case, configuration
    yield ("cache", "cache 0,0($4)"), (USER | CU0, 0)
    for case in HARDWARE:
        for configuration in PLAIN + OPENED + [(USER, 0xF), (SUPERVISOR, 0xF)]:
            yield case, configuration
    for case in ANYWHERE:
        for configuration in PLAIN:
            yield case, configuration
    yield ("mfc1", "mfc1 $2,$f1"), (KERNEL | CU1, 0)
    yield ("mtc1, mfc1", "mtc1 $7,$f1", "mfc1 $2,$f1"), (USER | CU1, 0)
    for case in ORDINARY:
        yield case, (USER, 0)


def constant(register, v):
    return ["lui $%d,0x%x" % (register, v >> 16), "ori $%d,$%d,0x%x" % (register, register, v & 0xFFFF)]


def entry(index, va, even, odd):
    return [line for register, v in (("0,0", index), ("10,0", va), ("2,0", even), ("3,0", odd)) for line in constant(8, v) + ["mtc0 $8,$" + register]] + ["tlbwi"]


def program():
    """The kernel, and each case once in a place of its own."""
    handler = ["mfc0 $27,$13,0"] + constant(24, 0xB000007C) + ["and $27,$27,$24", "sw $27,0($26)"]
    for i, register in enumerate(("14,0", "12,0", "8,0")):
        handler += ["mfc0 $27,$" + register, "sw $27,%d($26)" % (4 * i + 4)]
    handler += ["sw $2,16($26)", "sw $3,20($26)", "sw $31,24($26)", "mfc0 $27,$10,0", "sw $27,28($26)", "addiu $26,$26,32", "mtc0 $0,$12,0", "sll $0,$0,3"]
    handler += ["jr $30,0", "sll $0,$0,0"]
    start = constant(8, 0x80000000) + ["mtc0 $8,$15,1", "mtc0 $0,$12,0", "mtc0 $0,$13,0", "mtc0 $0,$6,0"]
    start += entry(0, CODE, 0x10000 >> 6 | 7, 0x11000 >> 6 | 7) + entry(1, 0x402000, 0x12000 >> 6 | 7, 0x13000 >> 6 | 3)
    start += entry(2, 0x404000, 1, 1) + entry(3, 0xC0000000, 0x12000 >> 6 | 7, 0x12000 >> 6 | 7)
    start += constant(26, 0xA0000000 | LOG) + constant(25, 0x80000000 | TABLE)
    loop = 0x1000 + 4 * (len(start) + 2)
    start += constant(30, 0x80000000 | loop)
    start += constant(4, 0x402000) + constant(8, 0x81C2E3F4) + ["sw $8,0($4)", "lw $8,0($25)", "lw $10,4($25)", "mtc0 $10,$7,0", "lw $10,8($25)", "mtc0 $10,$14,0"]
    start += ["addiu $14,$10,16", "addiu $25,$25,12", "beq $10,$0,done", "sll $0,$0,0", "addiu $2,$0,0x1111", "addiu $3,$0,0x2222", "addiu $31,$0,0"]
    start += constant(5, 0xA0012000) + constant(6, 0x7FFFFFFF) + ["addiu $7,$0,1"] + constant(9, 0x80012000) + constant(10, 0xC0000000) + constant(11, 0xE0000000)
    start += constant(12, 0x408000) + constant(13, 0x404000) + constant(15, 0x402000)
    start += ["mtc0 $15,$10,0", "mtc0 $7,$0,0", "mtc0 $0,$4,0", "mtc0 $0,$6,0", "mtc0 $0,$2,0", "mtc0 $0,$3,0", "mtc0 $0,$13,0"]
    start += ["ori $8,$8,2", "mtc0 $8,$12,0", "sll $0,$0,3", "eret"]
    bodies = list({case: None for case, _ in cases()})
    text = [".org 0", "j 0x80", ".org 4", "sll $0,$0,0", ".org 0x180", "j 0x80", "sll $0,$0,0", ".org 0x200"] + handler + [".org 0x1000"] + start
    text += ["done:", "addiu $8,$0,1", "sw $8,0($26)", "self:", "beq $0,$0,self", "sll $0,$0,0"]
    for i, body in enumerate(bodies):
        place = 0x10000 + CASE * i
        text.append(".org 0x%x" % place)
        for k, line in enumerate(body[1:]):
            text.append(re.sub(r"\+(\d)", lambda m: "0x%x" % (place + 4 * k + 4 * int(m[1])), line))
        text += ["syscall 0"]
        if len(body) < 4:
            text += [".org 0x%x" % (place + 16), "syscall 1"]
    assert CASE * len(bodies) <= 0x2000
    return "\n".join(text) + "\n", bodies


def defined(log):
    """What the manual leaves UNPREDICTABLE does not count: Cause.CE of other exceptions, BadVAddr without an address, EntryHi after an address error."""
    log = list(log)
    code = log[0] >> 2 & 31
    if code != 11:
        log[0] &= ~0x30000000
    if code not in (1, 2, 3, 4, 5):
        log[3] = 0
    if code in (4, 5):
        log[7] = 0
    return log


def main():
    pogo, qemu = emulator.find("qemu-system-mips")
    source, bodies = program()
    todo = list(cases())
    table = b"".join(struct.pack(">III", status, hwrena, CODE + CASE * bodies.index(case)) for case, (status, hwrena) in todo) + bytes(12)
    size = 32 * len(todo) + 4
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "modes.s").write_text(source)
        (path / "table").write_bytes(table)
        (path / "image").write_bytes(emulator.image(0x20000, emulator.assemble(pogo, SPEC, path / "modes.s") + [(TABLE, table)]))
        theirs = emulator.run_theirs(qemu, ["-M", "none", "-cpu", "24Kf", *emulator.loader(0x80001000)], folder, LOG, size)
        ours = emulator.run_ours(pogo, SPEC, ["--asm", path / "modes.s", "--raw", "0x%x=%s/table" % (TABLE, folder), "--set", "pc=0x80001000", "--cycles", "200000"], LOG, size)
    if len(theirs) != size or theirs[-1] != 1:
        print("QEMU did not finish")
        return 1
    differ = 0
    for i, (case, (status, hwrena)) in enumerate(todo):
        a, b = (defined(struct.unpack_from(">8I", x, 32 * i)) for x in (ours, theirs))
        wrong = ["%s %x, QEMU %x" % (n, x, y) for n, x, y in zip(NAMES, a, b) if x != y]
        if wrong:
            differ += 1
            print("%s (Status %x, HWREna %x): %s" % (case[0], status, hwrena, "; ".join(wrong)))
    print("%d cases, %d differ" % (len(todo), differ))
    return 1 if differ or ours[-1] != 1 else 0


if __name__ == "__main__":
    sys.exit(main())
