#!/usr/bin/env python3
# Compares powerpc.isa with QEMU (qemu-system-ppc -cpu 750) in supervisor and user mode, its assembler with GNU as: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# A program in supervisor mode runs each case under an MSR, with translation off or on, and notes the exception that ends it: vector, SRR0,
# SRR1, DAR, DSISR, %r1, %r2, CR, XER, LR, CTR, and the MSR of the handler. SC is the end of cases that complete. Left out is where QEMU 7.2
# does not follow the manuals: docs/machines/powerpc.md. Exit code: 0 agree, 1 differ, 77 no emulator.

import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import emulator
import partitions

SPEC = emulator.SPECS / "powerpc.isa"
START, TABLE, CASES, DATA, LOG, PAGES = 0x4000, 0x8000, 0x20000, 0x34000, 0x40000, 0x80000
NAMES = ["vector", "SRR0", "SRR1", "DAR", "DSISR", "%r1", "%r2", "CR", "XER", "LR", "CTR", "MSR"]
ME, USER, FLOAT, ON = 0x1000, 0x4000, 0x2000, 0x30
SUPERVISOR, PROBLEM = ME, ME | USER
BOTH = [SUPERVISOR, PROBLEM]
TRANSLATED = [SUPERVISOR | ON, PROBLEM | ON]


def move(n, opcode, register=1):
    """MFSPR (339) or MTSPR (467) of a register that may not be there."""
    return ".word 0x%08x" % (31 << 26 | register << 21 | (n & 31) << 16 | n >> 5 << 11 | opcode << 1)


# %r4 data, %r5 to %r7 blocks of supervisors, of users (read only, guarded), of nobody, %r8 pages, %r9 a direct-store segment, %r10 one
# without execution, %r11 0x7FFFFFFF, %r12 1, %r13 0x81C2E3F4, %r14 the case's address
SPRS = [18, 19, 26, 272, 275, 25, 282, 287, 528, 529, 536, 543, 952, 953, 955, 956, 958, 1010, 1017]
PRIVILEGED = [("mfspr %d" % n, "mfspr %%r1,%d" % n) for n in SPRS]
PRIVILEGED += [("mtspr %d" % n, "mtspr %d,%%r11" % n, "mfspr %%r1,%d" % n) for n in (18, 19, 26, 27, 272, 273, 274, 275, 952, 956, 953, 954, 957, 958, 1010)]
PRIVILEGED += [
    ("mfspr 22", "mfspr %r1,22", "addi %r1,%r0,0"), ("mtspr 22", "mtspr 22,%r11"), ("mtspr 284", "mtspr 284,%r0"), ("mtspr 285", "mtspr 285,%r0"),
    ("mtspr 541", "mtspr 541,%r11", "mfspr %r1,541", "andi. %r1,%r1,3"), ("mfmsr", "mfmsr %r1"), ("mtmsr", "mfmsr %r1", "ori %r1,%r1,0x2002", "mtmsr %r1"),
    ("mtmsr to user mode", "mfmsr %r1", "ori %r1,%r1,0x4000", "mtmsr %r1", "mfmsr %r2"), ("mfsr", "mfsr %r1,5"), ("mfsrin", "mfsrin %r1,%r8"),
    ("mtsr", "mtsr 11,%r11", "mfsr %r1,11"), ("mtsrin", "mtsrin %r12,%r5", "mfsrin %r1,%r5", "mtsr 1,%r0"), ("tlbie", "tlbie %r4"), ("tlbsync", "tlbsync"),
    ("dcbi", "dcbi %r0,%r4"), ("rfi", "addi %r1,%r14,16", "mtspr 26,%r1", "rfi", "addi %r2,%r0,7"),
]
ANYWHERE = [
    ("mfspr 1", "mtspr 1,%r3", "mfspr %r1,1"), ("mfspr 8, 9", "mtspr 8,%r13", "mtspr 9,%r11", "mfspr %r1,8", "mfspr %r2,9"),
    ("mftb", "mftb %r1,268", "mftb %r1,269", "addi %r1,%r0,3"), ("mfspr 268", "mfspr %r1,268", "addi %r1,%r0,3"),
] + [("mfspr %d" % n, "mfspr %%r1,%d" % n) for n in (936, 937, 938, 939, 940, 941, 942)] + [
    ("mtspr 936", move(936, 467)), ("mtspr 937", move(937, 467)), ("mfspr 0", move(0, 339)), ("mfspr 5", move(5, 339)),
    ("tlbia", ".word 0x7c0002e4"), ("illegal", ".word 0"), ("opcode 1", ".word 0x04000000"), ("sc", "addi %r1,%r0,9", "sc"),
    ("tw", "tw 4,%r12,%r12"), ("tw, not", "tw 4,%r12,%r11"), ("twi", "twi 8,%r11,5"), ("twi, unsigned", "twi 1,%r13,5"), ("twi, not", "twi 16,%r11,5"),
    ("lfd without FP", "lfd %f1,0(%r4)"), ("stfd without FP", "stfd %f1,0(%r4)"), ("fmr without FP", "fmr %f1,%f2"), ("dcbz", "dcbz %r0,%r4", "lwz %r1,8(%r4)"),
    ("dcbst", "dcbst %r0,%r4"), ("dcbf", "dcbf %r0,%r4"), ("icbi", "icbi %r0,%r4"), ("dcbt", "dcbt %r0,%r4"), ("dcbtst", "dcbtst %r0,%r4"), ("sync", "sync"),
    ("isync", "isync"), ("eieio", "eieio"), ("lwarx not aligned", "lwarx %r1,%r12,%r4"),
]
ACCESSES = [("lwz", "lwz %r1,0({})"), ("stw", "stw %r12,8({})"), ("lwarx", "lwarx %r1,%r0,{}"), ("dcbz", "dcbz %r0,{}"), ("dcbst", "dcbst %r0,{}"), ("icbi", "icbi %r0,{}")]
JUMP = ("jump", "mtspr 8,{}", "bclr 20,0")


def mapped(places, accesses):
    for access in accesses:
        for where, lines in places:
            yield (access[0] + " " + where, *lines, *(line.format("%r3" if lines else where) for line in access[1:]))


PAGES_OF = [("page %d" % n, ["addi %%r3,%%r8,0x%x" % (0x1000 * n)]) for n in range(6)]
MAPPED = [*mapped([("%r5", []), ("%r6", []), ("%r7", []), ("%r10", [])], ACCESSES), *mapped([("%r5", []), ("%r7", []), ("%r9", []), ("%r10", [])], [JUMP]),
          *mapped(PAGES_OF, ACCESSES[:3]), *mapped(PAGES_OF[:5], [("dcbi", "dcbi %r0,{}")]), *mapped(PAGES_OF[1:], [JUMP])]
ORDINARY = [
    ("addi", "addi %r1,%r0,-5"), ("addis", "addis %r1,%r12,-5"), ("addic.", "addic. %r1,%r13,-1"), ("subfic", "subfic %r1,%r12,5"), ("mulli", "mulli %r1,%r13,-7"),
] + [("%s%s%s" % (n, v, c), "mtspr 1,%r3", "%s%s%s %%r1,%%r11,%%r13" % (n, v, c), "%s%s%s %%r2,%%r12,%%r11" % (n, v, c))
     for n in ("add", "addc", "adde", "subf", "subfc", "subfe") for v, c in (("", ""), ("o", "."))] + [
    ("neg.", "neg. %r1,%r11"), ("mullw.", "mullw. %r1,%r13,%r11"), ("mulhwu", "mulhwu %r1,%r13,%r11"), ("divw", "divw %r1,%r13,%r11", "divw %r2,%r13,%r14"),
    ("divwu", "divwu %r1,%r13,%r11", "divwu %r2,%r13,%r14"),
] + [(n, "%s. %%r1,%%r13,%%r11" % n, "%s %%r2,%%r11,%%r14" % n) for n in ("and", "andc", "or", "orc", "xor", "eqv", "nand", "nor")] + [
    (n, "%s %%r1,%%r13,0x8f3c" % n) for n in ("ori", "oris", "xori", "xoris", "andi.", "andis.")] + [
    (n, "addi %%r2,%%r0,%d" % k, "%s. %%r1,%%r13,%%r2" % n) for n in ("slw", "srw", "sraw") for k in (0, 5, 31, 33)] + [
    ("srawi", "srawi. %r1,%r13,4", "srawi %r2,%r13,0"), ("rlwinm", "rlwinm. %r1,%r13,5,8,23", "rlwinm %r2,%r13,31,28,3"), ("rlwimi", "rlwimi %r1,%r13,5,8,23"),
    ("rlwnm", "rlwnm %r1,%r13,%r12,0,15"), ("cntlzw", "cntlzw %r1,%r12", "cntlzw. %r2,%r0"), ("extsb", "extsb. %r1,%r13", "extsb %r2,%r11"),
    ("extsh", "extsh. %r1,%r13", "extsh %r2,%r11"), ("cmpw", "cmpw %cr2,%r13,%r11", "cmplw %cr7,%r13,%r11"), ("cmpwi", "cmpwi %cr3,%r13,-5", "cmplwi %cr1,%r12,1"),
    ("lbz", "lbz %r1,1(%r4)"), ("lhz", "lhz %r1,2(%r4)"), ("lha", "lha %r1,2(%r4)"), ("lwzu", "addi %r2,%r4,-8", "lwzu %r1,8(%r2)"),
    ("lbzx", "addi %r2,%r0,3", "lbzx %r1,%r4,%r2"), ("lhax", "addi %r2,%r0,2", "lhax %r1,%r2,%r4"), ("lwzux", "addi %r2,%r4,-4", "addi %r3,%r0,4", "lwzux %r1,%r2,%r3"),
    ("stb", "stb %r13,9(%r4)", "lwz %r1,8(%r4)"), ("sthu", "addi %r2,%r4,2", "sthu %r13,8(%r2)", "lwz %r1,8(%r4)"), ("stwx", "addi %r2,%r0,8", "stwx %r13,%r2,%r4", "lwz %r1,8(%r4)"),
    ("stbux", "addi %r2,%r0,8", "stbux %r13,%r2,%r4", "lwz %r1,8(%r4)"), ("lwbrx", "lwbrx %r1,%r0,%r4"), ("stwbrx", "addi %r2,%r0,8", "stwbrx %r13,%r2,%r4", "lwz %r1,8(%r4)"),
    ("lwz not aligned", "lwz %r1,5(%r4)"), ("lmw", "lmw %r30,4(%r4)", "or %r1,%r30,%r31"),
    ("stmw", "addi %r30,%r0,5", "addi %r31,%r0,6", "stmw %r30,8(%r4)", "lwz %r1,8(%r4)", "lwz %r2,12(%r4)"), ("lwarx, stwcx.", "lwarx %r1,%r0,%r4", "stwcx. %r1,%r0,%r4", "mfcr %r2"), ("stwcx. alone", "lwarx %r1,%r0,%r4", "stwcx. %r1,%r0,%r4", "stwcx. %r1,%r0,%r4"),
    ("b", "b +3", "addi %r1,%r0,7", "addi %r2,%r0,7"), ("bl", "bl +2", "addi %r1,%r0,7", "addi %r2,%r0,7"), ("bc", "cmpwi %cr0,%r12,1", "bc 12,2,+3", "addi %r1,%r0,7"),
    ("bc, not", "cmpwi %cr0,%r12,1", "bc 4,2,+3", "addi %r1,%r0,7"), ("bdnz", "mtspr 9,%r12", "bc 16,0,+4", "addi %r1,%r0,7"), ("bdz, and", "mtspr 9,%r12", "cmpwi %cr5,%r12,2", "bcl 10,20,+3", "addi %r1,%r0,7"),
    ("bcctr", "addi %r2,%r14,16", "mtspr 9,%r2", "bcctrl 20,0", "addi %r1,%r0,7"), ("bclrl", "addi %r2,%r14,17", "mtspr 8,%r2", "bclrl 20,0", "addi %r1,%r0,7"),
    ("crand", "mtcrf 255,%r13", "crand 3,0,8", "crnor 5,30,31", "crxor 9,0,1", "crorc 12,1,2"), ("crandc", "mtcrf 255,%r13", "crandc 3,0,8", "cror 5,30,31", "creqv 9,0,1", "crnand 12,1,2"),
    ("mcrf", "mtcrf 255,%r13", "mcrf %cr3,%cr0"), ("mcrxr", "mtspr 1,%r3", "mcrxr %cr4"), ("mtcrf", "mtcrf 0x5a,%r13", "mfcr %r1"),
]
FLOATS = [("lfd, stfd", "lfd %f1,0(%r4)", "fmr %f2,%f1", "stfd %f2,8(%r4)", "lwz %r1,8(%r4)"), ("lfd, a word aligned", "lfd %f1,4(%r4)", "stfd %f1,8(%r4)", "lwz %r1,8(%r4)")]


def cases():
    for case in PRIVILEGED + ANYWHERE:
        for msr in BOTH:
            yield case, msr
    for case in [("rfi alone", "rfi"), ("mfspr 17", move(17, 339)), ("mtspr 17", move(17, 467)), ("mtspr 287", "mtspr 287,%r11")]:
        yield case, PROBLEM
    for case in MAPPED:
        for msr in TRANSLATED:
            yield case, msr
    for case in ORDINARY:
        yield case, PROBLEM
        yield case, PROBLEM | ON
    for case in FLOATS:
        for msr in BOTH:
            yield case, msr | FLOAT


def constant(register, v):
    high = v >> 16
    return ["addis %%r%d,%%r0,%d" % (register, high - 0x10000 if high & 0x8000 else high), "ori %%r%d,%%r%d,0x%x" % (register, register, v & 0xFFFF)]


def program():
    """The monitor, and each case once in a place of its own."""
    text = []
    for vector in (0x300, 0x400, 0x500, 0x600, 0x700, 0x800, 0x900, 0xC00):
        text += [".org 0x%x" % vector, "addi %%r27,%%r0,0x%x" % vector, "b 0x2000"]
    text += [".org 0x2000", "stw %r27,0(%r26)"]
    for i, spr in enumerate((26, 27, 19, 18)):
        text += ["mfspr %%r27,%d" % spr, "stw %%r27,%d(%%r26)" % (4 * i + 4)]
    text += ["stw %r1,20(%r26)", "stw %r2,24(%r26)", "mfcr %r27", "stw %r27,28(%r26)"]
    for i, spr in enumerate((1, 8, 9)):
        text += ["mfspr %%r27,%d" % spr, "stw %%r27,%d(%%r26)" % (4 * i + 32)]
    text += ["mfmsr %r27", "stw %r27,44(%r26)", "addi %r26,%r26,48", "mtspr 8,%r29", "bclr 20,0"]
    start = constant(1, ME) + ["mtmsr %r1", "isync"] + constant(1, 0x4000) + ["mtspr 1008,%r1", "addi %r1,%r0,0", "mtspr 282,%r1"]
    blocks = [(528, 0x00000007, 0x00000002), (530, 0x10000002, 0x00020002), (532, 0x20000001, 0x0002000A), (534, 0x30000003, 0x00020000)]
    blocks += [(536, 0x00000007, 0x00000002), (538, 0x10000002, 0x00020002), (540, 0x20000001, 0x00020001), (542, 0x30000003, 0x00020000)]
    for spr, upper, lower in blocks:
        start += constant(1, upper) + ["mtspr %d,%%r1" % spr] + constant(1, lower) + ["mtspr %d,%%r1" % (spr + 1)]
    start += constant(1, PAGES) + ["mtspr 25,%r1"]
    for n, v in ((4, 0x20000123), (5, 0x80000000), (6, 0x50000456)):
        start += constant(1, v) + ["mtsr %d,%%r1" % n]
    start += ["isync"] + constant(26, LOG) + constant(28, TABLE)
    start += constant(29, START + 4 * (len(start) + 2))
    start += constant(4, DATA) + constant(13, 0x81C2E3F4) + constant(1, 0x44000002) + ["stw %r1,0(%r4)", "stw %r13,4(%r4)", "stw %r13,8(%r4)", "stw %r1,12(%r4)"]
    start += ["lwz %r1,0(%r28)", "mtspr 27,%r1", "lwz %r14,4(%r28)", "mtspr 26,%r14", "addi %r28,%r28,8", "cmpwi %cr0,%r14,0", "bc 12,2,done"]
    start += ["addi %r3,%r0,0", "mtspr 1,%r3", "mtspr 8,%r3", "mtspr 9,%r3", "mtspr 19,%r3", "mtspr 18,%r3", "mtspr 272,%r3", "mtspr 275,%r3"]
    start += ["mtspr %d,%%r3" % n for n in (952, 953, 954, 956, 957, 958, 1010)]
    start += constant(5, 0x10014000) + constant(6, 0x20014000) + constant(7, 0x30014000) + constant(8, 0x40000000) + constant(9, 0x50000000) + constant(10, 0x60000000)
    start += constant(11, 0x7FFFFFFF) + constant(3, 0x20000000) + ["addi %r12,%r0,1", "addi %r1,%r0,0x1111", "addi %r2,%r0,0x2222", "mtcrf 255,%r0", "rfi"]
    start += ["done:", "addi %r1,%r0,1", "stw %r1,0(%r26)", "self:", "b self"]
    text += [".org 0x%x" % START] + start
    bodies = list({case: None for case, _ in cases()})
    for i, body in enumerate(bodies):
        place = CASES + 32 * i
        text.append(".org 0x%x" % place)
        for k, line in enumerate(body[1:]):
            text.append(re.sub(r"([ ,])\+(\d)$", lambda m: m[1] + "0x%x" % (place + 4 * k + 4 * int(m[2])), line))
        text += ["sc"] * (8 - len(body[1:]))
    assert CASES + 32 * len(bodies) < DATA
    return "\n".join(text) + "\n", bodies


def table():
    """The page table: pages 0 to 3 with PP 0 to 3, 4 by the second hash, 5 nowhere; and one of the segment without execution."""
    memory = bytearray(0x10000)
    for page, pp in ((0, 0), (1, 1), (2, 2), (3, 3), (4, 2), (None, 2)):
        vsid, index = (0x456, 0) if page is None else (0x123, page)
        hash_ = (vsid & 0x7FFFF) ^ index
        second = page == 4
        group = (~hash_ if second else hash_) & 0x3FF
        slot = 64 * group + 8 * (3 if page == 2 else 7 if page == 3 else 0)
        struct.pack_into(">II", memory, slot, 0x80000000 | vsid << 7 | second << 6, DATA | pp)
    return bytes(memory)


def assembled(folder, bodies):
    """The cases as GNU as has them, each in 32 bytes, or None without it."""
    if not shutil.which("powerpc-linux-gnu-as"):
        return None
    text = []
    for i, body in enumerate(bodies):
        text.append(".org %d" % (32 * i))
        text += [re.sub(r"([ ,])\+(\d)$", lambda m: "%s. + %d" % (m[1], 4 * int(m[2])), line).replace(".word", ".long") for line in body[1:]]
        text += ["sc"] * (8 - len(body[1:]))
    pathlib.Path(folder, "gnu.s").write_text("\n".join(text) + "\n")
    subprocess.run(["powerpc-linux-gnu-as", "-m603", "-mbig", "-W", "-o", "gnu.o", "gnu.s"], check=True, cwd=folder)
    subprocess.run(["powerpc-linux-gnu-objcopy", "-O", "binary", "-j", ".text", "gnu.o", "gnu"], check=True, cwd=folder)
    return pathlib.Path(folder, "gnu").read_bytes()


def comparable(case, log):
    """QEMU calls a user's SPR number without a register a privileged one (SRR1), the manuals an illegal instruction."""
    log = list(log)
    if case[0] in ("mtspr 936", "mtspr 937", "mfspr 0", "mfspr 5"):
        log[2] = log[2] & ~0xC0000
    return log


def main():
    pogo, qemu = emulator.find("qemu-system-ppc")
    source, bodies = program()
    todo = list(cases())
    todo_table = b"".join(struct.pack(">II", msr, CASES + 32 * bodies.index(case)) for case, msr in todo) + bytes(8)
    size = 48 * len(todo) + 4
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "modes.s").write_text(source)
        code = emulator.assemble(pogo, SPEC, path / "modes.s")
        image = emulator.image(PAGES + 0x10000, code + [(TABLE, todo_table), (PAGES, table())])
        gnu = assembled(folder, bodies)
        differ = 0
        for i, body in enumerate(bodies):
            if gnu and gnu[32 * i : 32 * i + 32] != image[CASES + 32 * i : CASES + 32 * i + 32]:
                differ += 1
                print("%s: %s, GNU as %s" % (body[0], image[CASES + 32 * i : CASES + 32 * i + 32].hex(), gnu[32 * i : 32 * i + 32].hex()))
        for name, content in (("image", image), ("table", todo_table), ("pages", table())):
            (path / name).write_bytes(content)
        options = ["-M", "g3beige", "-cpu", "750", "-nodefaults", "-vga", "none", "-bios", "image", *emulator.loader(START)]
        theirs = emulator.run_theirs(qemu, options, folder, LOG, size)
        ours = emulator.run_ours(pogo, SPEC, ["--asm", path / "modes.s", "--raw", "0x%x=%s/table" % (TABLE, folder), "--raw", "0x%x=%s/pages" % (PAGES, folder),
                                              "--set", "pc=0x%x" % START, "--cycles", "400000"], LOG, size)
    if len(theirs) != size or theirs[-1] != 1:
        print("QEMU did not finish: %d results" % sum(any(theirs[48 * i : 48 * i + 48]) for i in range(len(todo))))
        return 1
    for i, (case, msr) in enumerate(todo):
        a, b = (comparable(case, struct.unpack_from(">12I", x, 48 * i)) for x in (ours, theirs))
        wrong = ["%s %x, QEMU %x" % (n, x, y) for n, x, y in zip(NAMES, a, b) if x != y]
        if wrong:
            differ += 1
            print("%s (MSR %x): %s" % (case[0], msr, "; ".join(wrong)))
    more, wrong = partitions.compare(pogo, SPEC)
    print("%d cases, %d differ" % (len(todo) + more, differ + wrong))
    return 1 if differ or wrong or ours[-1] != 1 else 0


if __name__ == "__main__":
    sys.exit(main())
