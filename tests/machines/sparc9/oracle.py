#!/usr/bin/env python3
# Compares sparc.isa, version 9, with QEMU (qemu-system-sparc64 -M sun4u) in user and supervisor mode: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# A program in supervisor mode runs each case in a mode and notes the trap that ends it: what is in NAMES. Trap instruction 1 is
# the end of cases that complete. Exit code: 0 agree, 1 differ, 77 no emulator.

import pathlib
import re
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import emulator

SPEC = emulator.SPECS / "sparc.isa"
TABLE, TRAPS, COMMON, CASES, SCRATCH, LOG = 0x4000, 0x8000, 0x10000, 0x20000, 0x30000, 0x40000
NAMES = ["TT", "TSTATE", "TPC", "TNPC", "TL", "PSTATE", "CWP", "CANSAVE", "CANRESTORE", "CLEANWIN", "OTHERWIN", "%r1", "%r2"]
ENTRY, RESULT = 24, 8 * len(NAMES)
PRIV, PEF, AM, AG = 4, 16, 8, 1
USER, SUPERVISOR = PEF, PEF | PRIV
PLAIN = (3, 3, 0, 7, 0, 4, 0)  # CANSAVE, CANRESTORE, OTHERWIN, CLEANWIN, WSTATE, FPRS, TICK.NPT
REGISTERS = ["tick", "tba", "pstate", "tl", "pil", "cwp", "cansave", "canrestore", "cleanwin", "otherwin", "wstate", "ver"]

# %r2 is the case's address, %r3 memory, %r4 7
BOTH = [("rdpr " + r, "rdpr %%%s,%%r1" % r) + (("srlx %r1,63,%r1",) if r == "tick" else ("and %r1,31,%r1",) if r == "ver" else ()) for r in REGISTERS]
BOTH += [("wrpr " + r, "wrpr %%r0,%d,%%%s" % (v, r), "rdpr %%%s,%%r1" % r) for r, v in
         (("pstate", 22), ("pil", 9), ("cwp", 4), ("cansave", 2), ("canrestore", 5), ("cleanwin", 6), ("otherwin", 1), ("wstate", 0o25), ("tl", 2))]
BOTH += [("wrpr " + r, "wrpr %r0,1,%tl", "sub %r0,4,%r1", "wrpr %%r1,0,%%%s" % r, "rdpr %%%s,%%r1" % r) for r in ("tpc", "tnpc")]
BOTH += [("wrpr tt", "wrpr %r0,1,%tl", "wrpr %r0,300,%tt", "rdpr %tt,%r1"), ("wrpr tl, level used", "wrpr %r0,2,%tl", "ta %icc,5+%r0"),
         ("wrpr tstate", "wrpr %r0,1,%tl", "wrpr %r4,0,%tstate", "rdpr %tstate,%r1")]
BOTH += [
    ("rd tick", "rd %tick,%r1", "srlx %r1,63,%r1"), ("rd pc", "rd %pc,%r1"), ("rd ccr", "subcc %r0,1,%r0", "rd %ccr,%r1"), ("rd asi", "wr %r0,16,%asi", "rd %asi,%r1"),
    ("rd fprs", "wr %r0,4,%fprs", "rd %fprs,%r1"), ("rd y", "wr %r4,3,%y", "rd %y,%r1"), ("wr ccr", "wr %r4,3,%ccr"), ("wr asi", "wr %r4,128,%asi"),
    ("saved", "saved"), ("restored", "restored"), ("flushw", "flushw"),
    ("done", "wrpr %r0,1,%tl", "wrpr %r2,28,%tnpc", "wrpr %r0,0,%tstate", "done", "ta %icc,5+%r0", "sethi 0,%r0", "sethi 0,%r0", "rd %ccr,%r1"),
    ("retry", "wrpr %r0,1,%tl", "wrpr %r2,24,%tpc", "wrpr %r2,28,%tnpc", "wrpr %r0,0,%tstate", "retry", "ta %icc,5+%r0", "rd %ccr,%r1"),
    ("rdpr reserved", "rdpr %pr17,%r1"), ("wrpr reserved", "wrpr %r0,0,%pr20"), ("wrpr ver", "wrpr %r0,0,%ver"), ("saved, reserved", "saved5"),
    ("illtrap", "illtrap 0"), ("ta", "ta %icc,5+%r0"), ("tn", "tn %icc,5+%r0"), ("tcc, sum", "ta %xcc,1+%r4"), ("membar", "membar 64"), ("stbar", "stbar"), ("flush", "flush 0+%r3"),
    ("prefetch", "prefetch [0+%r3],2"), ("lda, primary", "lda [%r3+%r0]128,%r1"), ("lda, as if user", "lda [%r3+%r0]16,%r1"), ("lda, nucleus", "lda [%r3+%r0]4,%r1"),
    ("lda, little", "lda [%r3+%r0]136,%r1"), ("ldxa, asi", "wr %r0,128,%asi", "ldxa [0+%r3]%asi,%r1"), ("ldxa, restricted asi", "wr %r0,16,%asi", "ldxa [0+%r3]%asi,%r1"),
    ("lduba", "lduba [%r3+%r0]16,%r1"), ("sta", "sta %r4,[%r3+%r0]16"), ("stxa", "stxa %r4,[%r3+%r0]128", "ldx [%r3+%r0],%r1"), ("stxa, little", "stxa %r4,[%r3+%r0]136", "ldx [%r3+%r0],%r1"),
    ("ldstuba", "ldstuba [%r3+%r0]16,%r1"), ("swapa", "swapa [%r3+%r0]16,%r1"), ("casa", "casa [%r3]128,%r0,%r1"), ("casa, restricted", "casa [%r3]16,%r0,%r1"),
    ("casxa", "ldx [%r3+%r0],%r2", "or %r0,9,%r1", "casxa [%r3]128,%r2,%r1", "ldx [%r3+%r0],%r2"), ("prefetcha", "prefetcha [%r3+%r0]16,0"),
    ("save", "save %r0,9,%r1"), ("restore", "restore %r0,9,%r1"), ("return", "return 4+%r2", "sethi 0,%r0"),
    ("ld not aligned", "ld [1+%r3],%r1"), ("ldx not aligned", "ldx [4+%r3],%r1"), ("jmpl not aligned", "jmpl 2+%r2,%r0"), ("ld of a float", "ld [%r3+%r0],%f1", "rd %fprs,%r1"),
    ("udivx by 0", "udivx %r4,%r0,%r1"), ("udiv by 0", "udiv %r4,%r0,%r1"), ("taddcctv", "taddcctv %r4,%r4,%r1"),
]
ORDINARY = [
    ("ldsb", "ldsb [1+%r3],%r1"), ("ldub", "ldub [1+%r3],%r1"), ("ldsh", "ldsh [2+%r3],%r1"), ("lduh", "lduh [2+%r3],%r1"), ("ld", "ld [%r3+%r0],%r1"), ("ldsw", "ldsw [%r3+%r0],%r1"),
    ("ldd", "ldd [%r3+%r0],%r2", "or %r3,0,%r1"), ("stb", "stb %r4,[1+%r3]", "ldx [%r3+%r0],%r1"), ("sth", "sth %r4,[2+%r3]", "ldx [%r3+%r0],%r1"),
    ("std", "sub %r0,2,%r8", "sub %r0,9,%r9", "std %r8,[%r3+%r0]", "ldx [%r3+%r0],%r1"), ("stx", "sub %r0,3,%r1", "stx %r1,[%r3+%r0]", "lduh [%r3+%r0],%r1"),
    ("ldstub", "ldstub [1+%r3],%r1", "ldx [%r3+%r0],%r2"), ("swap", "sub %r4,9,%r1", "swap [%r3+%r0],%r1", "ldx [%r3+%r0],%r2"),
    ("addcc", "sub %r0,1,%r1", "addcc %r1,%r4,%r1", "addx %r0,5,%r2"), ("addcc of 32 bits", "sub %r0,1,%r1", "srl %r1,0,%r1", "addcc %r1,%r4,%r1", "addx %r0,5,%r2"),
    ("subcc", "subcc %r0,%r4,%r1", "subx %r0,5,%r2"), ("andncc", "andncc %r3,%r4,%r1"), ("xnorcc", "xnorcc %r3,%r4,%r1"), ("orn", "orn %r3,%r4,%r1"), ("sethi", "sethi 4194303,%r1"),
    ("sll", "sub %r0,99,%r1", "sll %r1,%r4,%r1"), ("srl", "sub %r0,99,%r1", "srl %r1,%r4,%r1"), ("sra", "sub %r0,99,%r1", "srl %r1,1,%r2", "sra %r1,%r4,%r1"),
    ("sllx", "sllx %r4,61,%r1"), ("srlx", "sub %r0,99,%r1", "srlx %r1,%r4,%r1"), ("srax", "sub %r0,99,%r1", "srax %r1,40,%r1"), ("mulx", "sub %r0,9,%r1", "mulx %r1,%r4,%r1"),
    ("udivx", "sub %r0,9,%r1", "udivx %r1,%r4,%r1"), ("sdivx", "sub %r0,90,%r1", "sdivx %r1,%r4,%r1"), ("umul", "sub %r0,9,%r1", "umul %r1,%r4,%r1", "rd %y,%r2"),
    ("smul", "sub %r0,9,%r1", "smul %r1,%r4,%r1", "rd %y,%r2"), ("udiv", "wr %r0,3,%y", "udiv %r3,%r4,%r1"), ("udiv, overflow", "wr %r0,30,%y", "udiv %r3,%r4,%r1"),
    ("taddcctv of fixnums", "add %r4,1,%r1", "taddcctv %r1,%r1,%r1"), ("movcc", "subcc %r0,1,%r0", "movl %xcc,9,%r1", "movge %icc,%r4,%r2"), ("movr", "movrnz %r4,9,%r1", "movrlez %r4,3,%r2"),
    ("windows", "add %r4,2,%r8", "save %r8,1,%r9", "add %r24,%r9,%r1", "restore %r9,4,%r2"), ("trap in a slot", "be,a +3", "ta %icc,5+%r0", "ba +2", "ta %icc,6+%r0"),
    ("ba,a", "ba,a +2", "ta %icc,5+%r0", "add %r4,1,%r1"), ("bpcc", "subcc %r0,1,%r0", "bl,pt %xcc, +3", "add %r4,1,%r1", "ta %icc,5+%r0", "add %r4,2,%r2"),
    ("bpcc annulled", "bne,a,pn %icc, +3", "ta %icc,5+%r0", "add %r4,1,%r1"), ("brnz", "brnz,pt %r4, +3", "add %r4,1,%r1", "ta %icc,5+%r0", "add %r4,2,%r2"),
    ("brgez,a not taken", "sub %r0,1,%r1", "brgez,a,pn %r1, +2", "add %r4,1,%r1"), ("call", "call +2", "or %r15,0,%r1"), ("jmpl", "jmpl 8+%r2,%r1", "add %r4,2,%r2"),
]
# In supervisor mode QEMU 7.2 lets these go on at level 0, and SIR do nothing.
IN_USER_MODE = [("rdpr " + r, "rdpr %%%s,%%r1" % r) for r in ("tpc", "tnpc", "tstate", "tt")] + [("done", "done"), ("retry", "retry"), ("sir", "sir 5")]
SAVE, RESTORE, FLUSHW = ("save", "save %r0,9,%r1"), ("restore", "restore %r0,9,%r1"), ("flushw", "flushw")
FAR = ("ld beyond 32 bits", "sllx %r4,40,%r1", "or %r1,%r3,%r1", "ld [%r1+%r0],%r1")
TICK, FLOAT, PC = ("rd tick", "rd %tick,%r1", "srlx %r1,63,%r1"), ("ld of a float", "ld [%r3+%r0],%f1", "rd %fprs,%r1"), ("rd pc", "rd %pc,%r1")


def cases():
    for case in BOTH:
        for mode in (USER, SUPERVISOR):
            yield case, mode, PLAIN
    for case in IN_USER_MODE + ORDINARY:
        yield case, USER, PLAIN
    yield ("done, reserved", "done7"), SUPERVISOR, PLAIN  # in user mode QEMU 7.2 raises illegal_instruction
    for mode in (USER, SUPERVISOR):
        yield SAVE, mode, (0, 3, 0, 7, 0o12, 4, 0)      # spill, normal
        yield SAVE, mode, (0, 3, 3, 7, 0o52, 4, 0)      # spill, other
        yield SAVE, mode, (3, 3, 0, 3, 0, 4, 0)         # clean window
        yield RESTORE, mode, (6, 0, 0, 7, 0o12, 4, 0)   # fill, normal
        yield RESTORE, mode, (3, 0, 3, 7, 0o52, 4, 0)   # fill, other
        yield FLUSHW, mode, (6, 0, 0, 7, 0, 4, 0)
        yield FLUSHW, mode, (2, 1, 3, 7, 0o52, 4, 0)
        yield ("return", "return 4+%r2", "sethi 0,%r0"), mode, (6, 0, 0, 7, 0o12, 4, 0)
        yield ("saved", "saved"), mode, (2, 1, 3, 7, 0, 4, 0)
        yield ("restored", "restored"), mode, (2, 1, 3, 5, 0, 4, 0)
        yield TICK, mode, PLAIN[:6] + (1,)
        yield FLOAT, mode, PLAIN[:5] + (0, 0)
        yield FLOAT, mode & ~PEF, PLAIN
        yield PC, mode | AM, PLAIN
        yield FAR, mode | AM, PLAIN


def constant(register, v):
    return ["sethi %d,%%r%d" % (v >> 10, register), "or %%r%d,%d,%%r%d" % (register, v & 0x3FF, register)]


def program():
    nop = ["sethi 0,%r0"]
    text = []
    vectors = [0x10, 0x11, 0x20, 0x23, 0x24, 0x28, 0x30, 0x34, 0x37, 0x101, 0x105, 0x106, 0x108] + list(range(0x80, 0x100, 4))
    for place in sorted(TRAPS + 32 * tt + level for tt in vectors for level in (0, 0x4000)):
        text += [".org 0x%x" % place, "ba 0x%x" % COMMON] + nop
    # The alternate globals are the program's: %r5 the table, %r6 the loop, %r7 the log.
    text += [".org 0x%x" % COMMON]
    for i, name in enumerate(["tt", "tstate", "tpc", "tnpc", "tl", "pstate", "cwp", "cansave", "canrestore", "cleanwin", "otherwin"]):
        text += ["rdpr %%%s,%%r1" % name, "stx %%r1,[%d+%%r7]" % (8 * i)]
    text += ["or %r7,0,%r16", "wrpr %%r0,%d,%%pstate" % SUPERVISOR, "stx %r1,[88+%r16]", "stx %r2,[96+%r16]", "wrpr %%r0,%d,%%pstate" % (SUPERVISOR | AG)]
    text += ["add %%r7,%d,%%r7" % RESULT, "jmpl 0+%r6,%r0"] + nop
    start = ["wrpr %%r0,%d,%%pstate" % (SUPERVISOR | AG), "wrpr %r0,0,%tl"] + constant(1, TRAPS) + ["wrpr %r1,0,%tba", "wrpr %r0,0,%pil"] + constant(7, LOG) + constant(5, TABLE)
    start += constant(6, 0x1000 + 4 * (len(start) + 2))
    loop = ["wrpr %r0,0,%tl", "wrpr %r0,0,%cwp", "wr %r0,0,%y", "wr %r0,128,%asi"] + constant(1, SCRATCH >> 10 << 10) + constant(2, 0x81C2E3F4) + ["sllx %r2,32,%r3", "or %r2,%r3,%r2"]
    loop += ["stx %r2,[0+%r1]", "ldx [8+%r5],%r2", "brz,pn %r2, done"] + nop
    for i, name in enumerate(["cansave", "canrestore", "otherwin", "cleanwin", "wstate"]):
        loop += ["ldub [%d+%%r5],%%r1" % (16 + i), "wrpr %%r1,0,%%%s" % name]
    loop += ["ldub [21+%r5],%r1", "wr %r1,0,%fprs", "ldub [22+%r5],%r1", "sllx %r1,63,%r1", "wrpr %r1,0,%tick", "or %r2,0,%r16"]
    loop += ["wrpr %%r0,%d,%%pstate" % SUPERVISOR, "or %r0,0,%r1", "or %r16,0,%r2"] + constant(3, SCRATCH) + ["or %r0,7,%r4", "wrpr %%r0,%d,%%pstate" % (SUPERVISOR | AG)]
    loop += ["wrpr %r0,1,%tl", "ldx [0+%r5],%r1", "wrpr %r1,0,%tstate", "wrpr %r2,0,%tnpc", "add %%r5,%d,%%r5" % ENTRY, "done"]
    loop += ["done:", "or %r0,1,%r1", "stx %r1,[0+%r7]", "self:", "ba self"] + nop
    text += [".org 0x1000"] + start + loop
    bodies = list({case: None for case, *_ in cases()})
    for i, body in enumerate(bodies):
        place = CASES + 48 * i
        text.append(".org 0x%x" % place)
        for k, line in enumerate(body[1:]):
            text.append(re.sub(r" \+(\d)$", lambda m: " 0x%x" % (place + 4 * k + 4 * int(m[1])), line))
        text.append("ta %icc,1+%r0")
    return "\n".join(text) + "\n", bodies


# Out of reset: one page of 4 MiB at its own address and the data MMU on, which RDTICK and alternate spaces need; then to 0x1000.
BIOS = "82102030 c0f04b00 84102007 8528b03d 8410a043 c4f00b80 84102008 c4f008a0 03000004 81c04000 01000000"


def main():
    pogo, qemu = emulator.find("qemu-system-sparc64")
    source, bodies = program()
    todo = list(cases())
    state = lambda mode: 128 << 24 | mode << 8  # TSTATE: ASI, PSTATE
    table = b"".join(struct.pack(">QQ7Bx", state(mode), CASES + 48 * bodies.index(case), *windows) for case, mode, windows in todo) + bytes(ENTRY)
    size = RESULT * len(todo) + 8
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "modes.s").write_text(source)
        (path / "table").write_bytes(table)
        (path / "bios").write_bytes(bytes(32) + bytes.fromhex(BIOS))
        code = emulator.assemble(pogo, SPEC, path / "modes.s", "--param", "version=9")
        (path / "image").write_bytes(emulator.image(0x30000, code + [(TABLE, table)]))
        options = ["-M", "sun4u", "-cpu", "TI UltraSparc IIi", "-bios", "bios", *emulator.loader(), "-nodefaults", "-vga", "none"]
        theirs = emulator.run_theirs(qemu, options, folder, LOG, size)
        ours = emulator.run_ours(pogo, SPEC, ["--param", "version=9", "--asm", path / "modes.s", "--raw", "0x%x=%s/table" % (TABLE, folder), "--set", "pc=0x1000", "--set",
                                              "npc=0x1004", "--cycles", "200000"], LOG, size)
    if len(theirs) != size or theirs[-1] != 1:
        print("QEMU did not finish: %d results of Pogo's" % sum(any(ours[RESULT * i : RESULT * (i + 1)]) for i in range(len(todo))))
        return 1
    differ = 0
    for i, (case, mode, windows) in enumerate(todo):
        a, b = (struct.unpack_from(">%dQ" % len(NAMES), x, RESULT * i) for x in (ours, theirs))
        known = {"TT"} if case == TICK else {}  # QEMU 7.2 raises privileged_opcode, V9 privileged_action
        wrong = ["%s %x, QEMU %x" % (n, x, y) for n, x, y in zip(NAMES, a, b) if x != y and n not in known]
        if wrong:
            differ += 1
            print("%s (PSTATE %x, windows %s): %s" % (case[0], mode, windows, "; ".join(wrong)))
    print("%d cases, %d differ" % (len(todo), differ))
    return 1 if differ or ours[-1] != 1 else 0


if __name__ == "__main__":
    sys.exit(main())
