#!/usr/bin/env python3
# Compares sparc.isa with QEMU (qemu-system-sparc -M none -cpu LEON3) in user and supervisor mode: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# A program in supervisor mode runs each case in a mode and notes the trap that ends it: TBR, PSR without version, PC, nPC, %r1, %r2.
# With the Reference MMU its fault status and the page of its fault address, too. Trap instruction 1 is the end of cases that complete. Exit code: 0 agree, 1 differ, 77 no emulator.

import pathlib
import re
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import emulator

SPEC = emulator.SPECS / "sparc.isa"
TABLE, TRAPS, CASES, SCRATCH, LOG = 0x4000, 0x8000, 0x20000, 0x30000, 0x40000
NAMES = ["TBR", "PSR", "PC", "nPC", "%r1", "%r2", "FSR", "FAR"]
TABLES, PAGES = 0x50000, 0x60000  # of the MMU: a context table and those below it, and the pages
SUPERVISOR, USER, FLOAT = 0x40, 0, 0x1000  # PS, which RETT makes S

# %r2 is the case's address, %r3 memory, %r4 7
BOTH = [
    ("rdpsr", "rd %psr,%r1", "and %r1,255,%r1"), ("rdwim", "rd %wim,%r1"), ("rdtbr", "rd %tbr,%r1"), ("rdy", "wr %r4,3,%y", "rd %y,%r1"), ("stbar", "stbar"),
    ("wrwim", "wr %r0,128,%wim", "rd %wim,%r1"), ("rett", "rett 0+%r2"), ("lda", "lda [%r3+%r0]11,%r1"), ("sta", "sta %r4,[%r3+%r0]11"),
    ("ldstuba", "ldstuba [%r3+%r0]11,%r1"), ("swapa", "swapa [%r3+%r0]11,%r1"), ("lduba", "lduba [%r3+%r0]11,%r1"), ("unimp", "unimp 0"), ("ta", "ta 5+%r0"),
    ("tn", "tn 5+%r0"), ("save", "save %r0,9,%r1"), ("restore", "restore %r0,9,%r1"), ("ld not aligned", "ld [1+%r3],%r1"), ("lduh not aligned", "lduh [1+%r3],%r1"),
    ("jmpl not aligned", "jmpl 2+%r2,%r0"), ("st of a float", "st %f1,[%r3+%r0]"), ("flush", "flush 0+%r3"), ("udiv by 0", "udiv %r4,%r0,%r1"),
    ("taddcctv", "taddcctv %r4,%r4,%r1"), ("wrpsr", "wr %r0,160,%psr", "sethi 0,%r0", "sethi 0,%r0", "sethi 0,%r0", "rd %psr,%r1", "and %r1,255,%r1"),
]
ORDINARY = [
    ("ldsb", "ldsb [1+%r3],%r1"), ("ldub", "ldub [1+%r3],%r1"), ("ldsh", "ldsh [2+%r3],%r1"), ("lduh", "lduh [2+%r3],%r1"), ("stb", "stb %r4,[1+%r3]", "ld [%r3+%r0],%r1"),
    ("sth", "sth %r4,[2+%r3]", "ld [%r3+%r0],%r1"), ("ldstub", "ldstub [1+%r3],%r1", "ld [%r3+%r0],%r2"), ("swap", "add %r4,0,%r1", "swap [%r3+%r0],%r1"),
    ("addcc", "sub %r0,1,%r1", "addcc %r1,%r4,%r1", "addx %r0,5,%r2"), ("subcc", "subcc %r0,%r4,%r1", "subx %r0,5,%r2"), ("andncc", "andncc %r3,%r4,%r1"),
    ("xnor", "xnor %r3,%r4,%r1"), ("orn", "orn %r3,%r4,%r1"), ("sra", "sub %r0,99,%r1", "sra %r1,%r4,%r1"), ("umul", "sub %r0,9,%r1", "umul %r1,%r4,%r1", "rd %y,%r2"),
    ("smul", "sub %r0,9,%r1", "smul %r1,%r4,%r1", "rd %y,%r2"), ("udiv", "wr %r0,3,%y", "udiv %r3,%r4,%r1"), ("udiv, overflow", "wr %r0,30,%y", "udiv %r3,%r4,%r1"),
    ("taddcctv of fixnums", "add %r4,1,%r1", "taddcctv %r1,%r1,%r1"),
    ("windows", "add %r4,2,%r8", "save %r8,1,%r9", "add %r24,%r9,%r1", "restore %r9,4,%r2"), ("trap in a slot", "be,a +3", "ta 5+%r0", "ba +2", "ta 6+%r0"),
    ("ba,a", "ba,a +2", "ta 5+%r0", "add %r4,1,%r1"), ("bne,a not taken", "subcc %r0,%r0,%r0", "bne,a +3", "ta 5+%r0", "add %r4,1,%r1"),
]



def entry(address, kind, acc=0):
    """Of a table: kind 1 leads to one, 2 to a page, referenced and modified, as QEMU would set these bits."""
    return address >> 4 | (0x60 | acc << 2 if kind == 2 else 0) | kind


def mmu_tables():
    """Region 0 is in place in both contexts; region 1 has pages of each access code, and entries of other types; 4 is one page."""
    words = {0: entry(TABLES + 0x400, 1), 4: entry(TABLES + 0x800, 1)}
    for root in (0x400, 0x800):
        words[root] = entry(TABLES + 0xC00, 1)
    words[0x404] = entry(TABLES + 0xD00, 1)
    words[0x40C] = entry(PAGES, 3)
    words[0x410] = entry(0, 2, 5)
    words[0x804] = entry(0, 2, 6)
    words[0xC00], words[0xC04] = entry(0, 2, 3), entry(0x40000, 2, 3)
    words[0xD00] = entry(TABLES + 0xE00, 1)
    words[0xD04], words[0xD0C] = entry(0x40000, 2, 0), entry(0, 3)
    for acc in range(8):
        words[0xE00 + 4 * acc] = entry(PAGES + 0x1000 * acc, 2, acc)
    words[0xE24], words[0xE28] = entry(PAGES, 3), entry(PAGES, 1)
    content = bytearray(0x1000)
    for at, word in words.items():
        struct.pack_into(">I", content, at, word)
    pages = bytearray(0x8000)
    for page in range(8):
        struct.pack_into(">I", pages, 0x1000 * page, 0x91D02001)  # ta 1
    return [(TABLES, bytes(content)), (PAGES, bytes(pages))]


def mmu_cases():
    places = [0x1000000 + 0x1000 * n for n in range(11)] + [0x1040000, 0x1080000, 0x10C0000, 0x2000000, 0x3000000, 0x4060000]
    for place in places:
        at = ["sethi %d,%%r9" % (place >> 10)]
        for name, line in (("ld", "ld [%r9+%r0],%r1"), ("st", "st %r4,[8+%r9]"), ("fetch", "jmpl 0+%r9,%r0")):
            for status in (USER, SUPERVISOR):
                yield ("%s %x" % (name, place), *at, line, "sethi 0,%r0"), (status, 0)
        for line in ("lda [%r9+%r0]10,%r1", "lda [%r9+%r0]11,%r1", "sta %r4,[%r9+%r4]10", "sta %r4,[%r9+%r4]11", "ldstuba [%r9+%r4]10,%r1", "swapa [%r9+%r0]11,%r4"):
            if line.startswith("sta"):
                line = line.replace("%r9+%r4", "%r9+%r10")
            yield ("%s %x" % (line, place), *at, "add %r0,12,%r10", line), (SUPERVISOR, 0)
        for kind in range(5):
            if (place, kind) in ((0x1040000, 0), (0x4060000, 0), (0x4060000, 1)):
                continue  # AM table H-4: 0 where a page is above the level; QEMU gives its entry
            yield ("probe %d %x" % (kind, place), *at, "add %%r0,%d,%%r10" % (kind << 8), "lda [%r9+%r10]3,%r1"), (SUPERVISOR, 0)
    two = "add %r0,512,%r10"
    yield ("context", two, "add %r0,1,%r1", "sta %r1,[%r10+%r0]4", "sethi 16384,%r9", "ld [%r9+%r0],%r1", "lda [%r10+%r0]4,%r2"), (SUPERVISOR, 0)
    yield ("table pointer", "add %r0,256,%r10", "lda [%r10+%r0]4,%r1"), (SUPERVISOR, 0)
    yield ("control", "lda [%r0+%r0]4,%r1", "and %r1,131,%r1"), (SUPERVISOR, 0)
    yield ("passed", "sethi 384,%r9", "lda [%r9+%r0]32,%r1", "sta %r1,[%r9+%r0]32"), (SUPERVISOR, 0)
    for name, line in (("no fault, ld", "ld [%r9+%r0],%r11"), ("no fault, st", "st %r4,[%r9+%r10]")):
        for place in (0x1000000, 0x1004000):
            yield (name, "sethi %d,%%r9" % (place >> 10), "add %r0,3,%r10", "sta %r10,[%r0+%r0]4", "add %r0,12,%r10", line,
                   "add %r0,1,%r10", "sta %r10,[%r0+%r0]4"), (SUPERVISOR, 0)
    yield ("registers", "lda [%r0+%r0]4,%r1"), (USER, 0)
    yield ("not aligned", "lda [%r4+%r0]4,%r1"), (SUPERVISOR, 0)


def cases():
    for case in BOTH:
        for status in (USER, SUPERVISOR):
            yield case, (status, 0)
    for case in ORDINARY:
        yield case, (USER, 0)
    yield ("st of a float", "st %f1,[%r3+%r0]"), (USER | FLOAT, 0)
    yield ("save", "save %r0,9,%r1"), (USER, 1)
    yield ("save", "save %r0,9,%r1"), (SUPERVISOR, 1)
    yield ("restore", "restore %r0,9,%r1"), (USER, 4)


def constant(register, v):
    return ["sethi %d,%%r%d" % (v >> 10, register), "or %%r%d,%d,%%r%d" % (register, v & 0x3FF, register)]


def program(todo, mmu):
    nop = ["sethi 0,%r0"]
    text = []
    for tt in (1, 2, 3, 4, 5, 6, 7, 9, 10, 0x2A, 0x81, 0x85, 0x86):
        text += [".org 0x%x" % (TRAPS + 16 * tt), "ba 0x%x" % (TRAPS + 0x1000)] + nop
    text += [".org 0x%x" % (TRAPS + 0x1000), "rd %tbr,%r16", "st %r16,[0+%r7]", "rd %psr,%r16"] + constant(19, 0xF01FFF) + ["and %r16,%r19,%r16"]
    text += ["st %r16,[4+%r7]", "st %r17,[8+%r7]", "st %r18,[12+%r7]", "st %r1,[16+%r7]", "st %r2,[20+%r7]", "wr %r0,0,%wim"]
    if mmu:
        text += ["add %r0,768,%r19", "lda [%r19+%r0]4,%r20", "st %r20,[24+%r7]", "add %r0,1024,%r19", "lda [%r19+%r0]4,%r20", "st %r20,[28+%r7]"]
        text += ["add %r0,512,%r19", "sta %r0,[%r19+%r0]4"]
    text += ["add %%r7,%d,%%r7" % (32 if mmu else 24)]
    text += ["wr %r0,160,%psr"] + 3 * nop + ["jmpl 0+%r6,%r0"] + nop
    start = ["wr %r0,160,%psr"] + 3 * nop + constant(1, TRAPS) + ["wr %r1,0,%tbr", "wr %r0,0,%wim"] + constant(7, LOG) + constant(5, TABLE)
    if mmu:
        start += constant(1, TABLES >> 4) + ["add %r0,256,%r10", "sta %r1,[%r10+%r0]4", "add %r0,1,%r1", "sta %r1,[%r0+%r0]4"]
    start += constant(6, 0x1000 + 4 * (len(start) + 2)) + constant(3, SCRATCH) + constant(1, 0x81C2E3F4) + ["st %r1,[0+%r3]", "add %r0,7,%r4", "wr %r0,0,%y"]
    start += ["ld [8+%r5],%r2", "subcc %r2,%r0,%r0", "be done"] + nop + ["ld [0+%r5],%r1", "wr %r1,128,%psr"] + 3 * nop + ["ld [4+%r5],%r1", "wr %r1,0,%wim"] + 3 * nop
    start += ["add %r5,12,%r5", "add %r0,0,%r1", "jmpl 0+%r2,%r0", "rett 4+%r2", "done:", "add %r0,1,%r1", "st %r1,[0+%r7]", "self:", "ba self"] + nop
    text += [".org 0x1000"] + start
    bodies = list({case: None for case, _ in todo})
    for i, body in enumerate(bodies):
        place = CASES + 32 * i
        text.append(".org 0x%x" % place)
        for k, line in enumerate(body[1:]):
            text.append(re.sub(r" \+(\d)$", lambda m: " 0x%x" % (place + 4 * k + 4 * int(m[1])), line))
        text.append("ta 1+%r0")
    return "\n".join(text) + "\n", bodies


def compare(pogo, qemu, todo, mmu):
    """How many differ."""
    source, bodies = program(todo, mmu)
    table = b"".join(struct.pack(">III", status, wim, CASES + 32 * bodies.index(case)) for case, (status, wim) in todo) + bytes(12)
    each = 32 if mmu else 24
    size = each * len(todo) + 4
    data = [(TABLE, table), *(mmu_tables() if mmu else [])]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "modes.s").write_text(source)
        (path / "image").write_bytes(emulator.image(0x70000, emulator.assemble(pogo, SPEC, path / "modes.s") + data))
        raw = []
        for at, content in data:
            (path / ("%x" % at)).write_bytes(content)
            raw += ["--raw", "0x%x=%s/%x" % (at, folder, at)]
        theirs = emulator.run_theirs(qemu, ["-M", "none", "-cpu", "LEON3", *emulator.loader(0x1000)], folder, LOG, size)
        ours = emulator.run_ours(pogo, SPEC, [*(["--param", "mmu=reference"] if mmu else []), "--asm", path / "modes.s", *raw, "--set", "pc=0x1000", "--set", "npc=0x1004",
                                              "--cycles", "500000"], LOG, size)
    if len(theirs) != size or theirs[-1] != 1:
        print("QEMU did not finish: %d results of Pogo's" % sum(any(ours[each * i : each * (i + 1)]) for i in range(len(todo))))
        return 1
    differ = 0
    for i, (case, (status, wim)) in enumerate(todo):
        a, b = (list(struct.unpack_from(">%dI" % (each // 4), found, each * i)) for found in (ours, theirs))
        if mmu:
            a[7] &= ~0xFFF  # QEMU has the page, as AM H.6 permits
            if a[6] >> 2 & 7 in (2, 3):
                a[6] &= ~0x300  # of an entry that denies, QEMU does not give the level
            if case[0].startswith("no fault"):
                b[6] &= ~1  # QEMU translates such an access twice, and sets OW
        wrong = ["%s %x, QEMU %x" % (n, x, y) for n, x, y in zip(NAMES, a, b) if x != y]
        if wrong:
            differ += 1
            print("%s (PSR %x, WIM %x): %s" % (case[0], status, wim, "; ".join(wrong)))
    print("%d cases%s, %d differ" % (len(todo), " with the MMU" if mmu else "", differ))
    return differ if ours[-1] == 1 else differ + 1


def main():
    pogo, qemu = emulator.find("qemu-system-sparc")
    differ = compare(pogo, qemu, list(cases()), False) + compare(pogo, qemu, list(mmu_cases()), True)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
