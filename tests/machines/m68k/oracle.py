#!/usr/bin/env python3
# Compares the 68020, 68030 and 68040 of m68k.isa with QEMU (qemu-system-m68k -M none), instruction by instruction: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# A kernel runs each case in user mode, with the interrupt stack or with the master stack, and notes the exception that ends it: the
# registers, USP, MSP, ISP, the frame and 64 bytes of memory. TRAP #0 is the end of cases that complete. On the 68040 there are cases under
# translation, too: tables with pages of 4K and 8K, transparent translation, what PTEST finds, and the frames of access errors.
# What QEMU 7.2 has otherwise than the manuals, and is left out: docs/machines/m68k.md.
# Exit code: 0 agree, 1 differ, 77 no emulator.

import pathlib
import random
import re
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import emulator

SPEC = emulator.SPECS / "m68k.isa"
KERNEL, SAVED, NOW, TEMPLATE, SCRATCH, ENVIRONMENTS, SEEDS, CODE, SLOT, LOG, TABLES, TABLE = (
    0x1000, 0x1800, 0x1900, 0x1C00, 0x2000, 0x3A00, 0x3C00, 0x10000, 64, 0x80000, 0x200000, 0x220000)
INTERRUPT_STACK, MASTER_STACK, USER_STACK = 0x3000, 0x3400, 0x3800
FRAME, FRAME_WORDS = 19, 15
WORDS = FRAME + FRAME_WORDS + 20
FRAME_SIZE = {0: 8, 1: 8, 2: 12, 3: 12, 7: 60}
USER, INTERRUPT, MASTER = 0x0000, 0x2000, 0x3000
NAMES = ["D%d" % n for n in range(8)] + ["A%d" % n for n in range(8)] + ["USP", "MSP", "ISP"]
N, Z, V, C = 8, 4, 2, 1

# Registers of a case; A0 to A3 lie in the memory that is compared, A4 is a small index.
SETS = [
    [0x00000001, 0x12345678, 0xFFFFFFFF, 0x80000000, 0x00000007, 0x7FFFFFFF, 0x0000FFFE, 0x00A5C3F0] + [SCRATCH + 16, SCRATCH + 32, SCRATCH + 24, SCRATCH + 48, 2, 0, 0],
    [0x00000000, 0xFEDCBA98, 0x00000010, 0x00000003, 0xFFFFFFF9, 0x00008000, 0x55AA55AA, 0x00000013] + [SCRATCH + 24, SCRATCH + 40, SCRATCH + 33, SCRATCH + 17, 4, 0, 0],
]
MEMORY = bytes.fromhex("00000001 00002028 fffffff0 00002024 00002018 00002008 00000004 00002021"
                       "12345678 9abcdef0 00002010 0fffffff 00010203 f0e1d2c3 00002020 80000000")

PRIVILEGED = [
    "move.w %sr,%d0", "move.w %d0,%sr", "move.w #12288,%sr", "move.w #8192,%sr", "andi.w #61439,%sr", "ori.w #4096,%sr", "eori.w #4096,%sr", "andi.w #57343,%sr",
    "move.l %a0,%usp", "move.l %usp,%a1", "reset", "rte", "fsave (%a0)", "frestore (%a2)",
    "moves.l %d1,(%a0)", "moves.b (%a1)+,%a2", "moves.w -(%a1),%d3", "stop #8192",
    "movec %d4,%sfc ! movec %sfc,%d0", "movec %d1,%dfc ! movec %dfc,%d0", "movec %d1,%usp ! movec %usp,%a5", "movec %a0,%vbr ! movec %vbr,%d0 ! moveq #0,%d1 ! movec %d1,%vbr",
    "movec %msp,%d0 ! movec %isp,%d1", "ori.w #4096,%sr ! movea.l %a7,%a0 ! move.l %d0,-(%a7)",
]
FOR_20 = ["movec %d0,%cacr ! movec %cacr,%d1", "movec %a0,%caar ! movec %caar,%d1"]
FOR_40 = ["movec %cacr,%d1", "movec %d3,%cacr ! movec %cacr,%d1", "cinvl %dc,(%a0)", "cinva %bc,(%a0)", "cpushp %ic,(%a1)", "pflusha (%a0)", "pflushn (%a0)", "ptestr (%a0)", "movec %a0,%urp",
          "movec %tc,%d0", "movec %mmusr,%d0", "movec %itt0,%d0"]
FRAMES = [(status, format) for status in (0x2000, 0x3000, 0x0015, 0x1004) for format in (0, 2)]
ANYWHERE = [
    "trap #0", "trap #15", "illegal", "trapv", "ori.b #2,%ccr ! trapv", "chk.w %d0,%d1", "chk.w %d1,%d2", "chk.w (%a0),%d0", "chk.l %d5,%d1", "chk.l (%a0),%d2", "divu.w (%a0),%d1",
    "clr.l %d6 ! divs.w %d6,%d1", "clr.l %d6 ! divul.l %d6,%d1:%d2", "clr.l %d6 ! divs.l %d6,%d1:%d2", "move.w %ccr,%d1", "ori.b #31,%ccr ! move.w %ccr,(%a0)",
    "trapt", "trapf", "trapeq.w #4660", "trapne.w #4660", "trapne.l #305419896", "trapmi.l #1", "pea 6(%pc) ! rtd #8",
]
MODES = ["%d{d}", "(%a{m})", "(%a{m})+", "-(%a{m})", "4(%a{m})", "-2(%a{m},%a4.w)", "8200.w", "0x2010.l", "2(%a{m},%a4.l4)", "(4.l,%a{m},%a4.w2)", "([4.w,%a0],%a4.l,2.w)", "([-4.w,%a0,%a5.l],4.w)"]
CONTROL = [m for m in MODES if "+" not in m and "-(" not in m and "%d" not in m]
MEMORY_MODES = MODES[1:]


def ordinary():
    rnd = random.Random(20)
    found = []

    def some(pattern, modes=MODES, count=6):
        for _ in range(count):
            mode = rnd.choice(modes).format(d=rnd.randrange(8), m=rnd.randrange(4))
            names = {"ea": mode, "o": rnd.choice(["#%d" % rnd.randrange(32), "%%d%d" % rnd.randrange(8)]), "w": rnd.choice(["#%d" % rnd.randrange(32), "%%d%d" % rnd.randrange(8)])}
            names.update({"d%d" % i: "%%d%d" % r for i, r in enumerate(rnd.sample(range(8), 5))})
            names.update({"a%d" % i: "%%a%d" % r for i, r in enumerate(rnd.sample(range(4), 2))})
            found.append(pattern.format(**names))

    for name in ("move.b", "move.w", "move.l", "add.w", "sub.l", "cmp.b", "and.l", "or.w"):
        some(name + " {ea},{d0}", [m for m in MODES if name[-1] != "b" or "%a{m}" != m], 12)
    for name in ("move.l", "add.b", "eor.l", "sub.w"):
        some(name + " {d0},{ea}", MEMORY_MODES, 12)
    for name in ("clr.w", "neg.b", "not.l", "negx.w", "tst.b", "tst.w", "tas", "st", "seq"):
        some(name + " {ea}", MEMORY_MODES, 4)
    some("lea {ea},%a5", CONTROL, 12)
    some("pea {ea}", CONTROL, 8)
    found.extend(["tst.l %a0", "tst.w %a4", "tst.w 4(%pc)", "tst.l #0", "cmpi.w #16,4(%pc)", "cmpi.l #16,(2.l,%pc,%a4.w)", "lea ([4.w,%pc],%a4.w,2.w),%a5", "bra.l .+6", "beq.l .+6", "bsr.l .+6"])
    found.extend("extb.l %%d%d" % n for n in range(8))
    found.extend(["link.l %a0,#-70000", "unlk %a0", "movem.l #0xffff,(%a0)", "movem.l #0xf0f0,-(%a3)", "movem.w (%a0)+,#0x010f", "movem.l #0x0080,-(%a0)"])
    for name in ("muls.l", "mulu.l"):
        some(name + " {ea},{d0}", count=10)
        some(name + " {ea},{d0}:{d1}", count=10)
    for name in ("divs", "divu"):
        some(name + "l.l {ea},{d0}:{d1}", count=12)
        some(name + ".l {ea},{d0}:{d1}", count=12)
        found.append(name + "l.l %d4,%d1:%d1")
    for name in ("bftst", "bfchg", "bfclr", "bfset"):
        some(name + " {ea}[{o}:{w}]", ["%d{d}"], 10)
    for name in ("bfextu", "bfexts", "bfffo"):
        some(name + " {ea}[{o}:{w}],{d0}", ["%d{d}"], 12)
    some("bfins {d0},{ea}[{o}:{w}]", ["%d{d}"], 12)
    small = ["#%d" % n for n in range(0, 32, 5)] + ["%d0", "%d4"]
    for name in ("bftst", "bfchg", "bfclr", "bfset", "bfextu", "bfexts", "bfffo", "bfins"):
        for _ in range(10):
            field = "%s[%s:%s]" % (rnd.choice(CONTROL).format(m=rnd.randrange(4)), rnd.choice(small), rnd.choice(small))
            found.append(name + (" %%d%d," % rnd.randrange(8) if name == "bfins" else " ") + field + (",%%d%d" % rnd.randrange(8) if name[2:] in ("extu", "exts", "ffo") else ""))
    for name in ("cas.b", "cas.w", "cas.l"):
        some(name + " {d0},{d1},{ea}", MEMORY_MODES, 6)
    found.extend(["move.l (%a0),%d1 ! cas.l %d1,%d2,(%a0)", "cas2.l %d0:%d1,%d2:%d3,(%a0):(%a1)", "move.l (%a0),%d0 ! cas2.l %d0:%d1,%d2:%d3,(%a0):(%a1)",
                  "move.l (%a0),%d0 ! move.l (%a1),%d1 ! cas2.l %d0:%d1,%d2:%d3,(%a0):(%a1)", "move.w (%a0),%d0 ! move.w (%a1),%d1 ! cas2.w %d0:%d1,%d2:%d3,(%a0):(%a1)"])
    found.extend(["abcd %d1,%d7", "sbcd %d1,%d7", "addx.l %d1,%d2", "subx.w -(%a0),-(%a1)", "movep.l %d1,1(%a0)", "movep.w 2(%a0),%d3", "exg %d1,%a2", "cmpm.b (%a0)+,(%a1)+"])
    return found


def frame(status, format):
    return "move.w #%d,-(%%a7) ! move.l #.+60,-(%%a7) ! move.w #%d,-(%%a7)" % (((format << 12) + 0x8000) % 0x10000 - 0x8000, status)


def cases(model):
    """A text, the status register, the set of registers, and the environment."""
    for text in PRIVILEGED + (FOR_40 if model == "68040" else FOR_20):
        for status in (USER, INTERRUPT, MASTER):
            if text == "rte" and status or text.startswith(("stop", "reset", "fsave", "frestore", "movec %a0,%caar", "movec %a0,%urp", "ptest")) and status != USER:
                continue
            yield text, status, 0, 0
    yield "movec %a0,%msp ! movec %msp,%d1 ! ori.w #4096,%sr ! movea.l %a7,%a5", INTERRUPT, 0, 0  # of the stack pointer that is not in use
    yield "movec %a1,%isp ! movec %isp,%d2 ! andi.w #61439,%sr ! movea.l %a7,%a5", MASTER, 0, 0
    for status, format in FRAMES:
        yield "%s ! rte" % frame(status, format), INTERRUPT, 0, 0
    for text in ANYWHERE:
        for status in (USER, INTERRUPT, MASTER):
            yield text, status, 0, 0
            yield text, status, 1, 0
    for text in ordinary() + (MOVE16 if model == "68040" else []):
        yield text, USER, 0, 0
        yield text, USER, 1, 0
    if model == "68040":
        yield "lea -52(%%a7),%%a7 ! %s ! rte" % frame(USER, 7), INTERRUPT, 0, 0
        yield from translated()


# ---- Translation: the 68040 ------------------------------------------------------------------------------------------

# TC, ITT0, ITT1, DTT0, DTT1, SFC, DFC. E 8000, S field 0 user, 2000 supervisor, 4000 both. What is transparent lies below 32 MB.
ENVIRONMENT = [
    (0, 0, 0, 0, 0, 0, 0), (0x8000, 0, 0, 0, 0, 1, 1), (0xC000, 0, 0, 0, 0, 5, 5), (0x8000, 0, 0, 0, 0, 2, 2), (0xC000, 0, 0, 0, 0, 6, 6),
    (0x8000, 0, 0, 0x8000, 0, 1, 5), (0x8000, 0, 0, 0, 0x8004, 5, 1), (0x8000, 0x8000, 0, 0, 0, 1, 2), (0x8000, 0, 0xA000, 0x1A000, 0x1C004, 5, 6),
    (0xC000, 0, 0x1C000, 0xA000, 0xFF00C000, 1, 5),
]
TRANSPARENT = 0x8004
RESIDENT, WRITE_PROTECTED, USED, MODIFIED, SUPERVISOR = 1, 4, 8, 16, 128
WINDOW = 0x300000  # an address of its own for each kind of page, 32K apart
PAGES = [
    RESIDENT | MODIFIED, 0, RESIDENT | MODIFIED | SUPERVISOR, RESIDENT | WRITE_PROTECTED, RESIDENT | WRITE_PROTECTED | SUPERVISOR, "indirect", "indirect",
    3 | MODIFIED | 0x760,
]
UPPER = [0x340000, 0x380000, 0x3C0000, 0x02000000, 0x04000000]  # write protected, not resident, the supervisor's alone; write protected, not resident
ADDRESSES = [WINDOW + 0x8000 * n for n in range(len(PAGES))] + UPPER


def tables():
    """Tables that map 4 MB as they are, but for the windows, which are the page of SCRATCH: pages of 4K, and 64 KB further on of 8K."""
    found = {}
    for large in (0, 1):
        base = TABLES + 0x10000 * large
        page = 0x2000 if large else 0x1000
        roots, pointers, leaves = base, base + 0x400, base + 0x1000
        for who in (0, 1):  # the user's root and the supervisor's
            upper = {0: 2, 1: 2 | WRITE_PROTECTED}
            for index, bits in upper.items():
                found[roots + 0x200 * who + 4 * index] = pointers + 0x200 * (2 * who + index) | USED | bits
        for who in (0, 1):
            for region in range(16):
                bits = {0x340000: 2 | WRITE_PROTECTED, 0x380000: 1, 0x3C0000: 3 if who else 0}.get(region << 18, 2)
                found[pointers + 0x400 * who + 4 * region] = leaves + 0x100 * region | USED | bits
            found[pointers + 0x400 * who + 0x200] = leaves + 0x100 * 14 | USED | 2
        for address in range(0, 0x400000, page):
            entry = leaves + 0x100 * (address >> 18) + 4 * (address % 0x40000 // page)
            found[entry] = address | USED | MODIFIED | RESIDENT
            if address >= WINDOW:
                kind = PAGES[(address - WINDOW) // 0x8000 % 8] if address < 0x340000 else PAGES[0]
                frame = (CODE if address % 0x8000 >= 0x4000 else SCRATCH) & -page
                if kind == "indirect":  # behind the tables
                    place = base + 0x8004 + (address - WINDOW >> 10)  # bit 2 is not W
                    found[place] = frame | USED | RESIDENT | (WRITE_PROTECTED if address - WINDOW >= 0x30000 else MODIFIED)
                    found[entry] = place | 2
                else:
                    found[entry] = frame | USED | kind
    return b"".join(struct.pack(">I", found.get(TABLES + at, 0)) for at in range(0, 0x20000, 4))


def translated():
    """Accesses of all kinds to each window, and PTEST."""
    for environment in range(1, len(ENVIRONMENT)):
        for n in range(len(ADDRESSES)):
            for status in (USER, INTERRUPT):
                for text in ("move.l (%a0),%d0", "move.b %d1,4(%a0)", "addq.w #1,2(%a0)", "jmp (%a1)", "movem.l #0x0f0f,(%a0)", "move.w (%a0)+,(%a0)"):
                    yield text, status, 2 + n, environment
            for text in ("ptestr (%a0) ! movec %mmusr,%d0", "ptestw (%a0) ! movec %mmusr,%d0", "moves.l (%a0),%d0", "moves.b %d1,(%a0)+"):
                if not (text.startswith("ptestw") and ADDRESSES[n] in (0x340000, 0x02000000)):  # QEMU ends where an upper descriptor has W
                    yield text, INTERRUPT, 2 + n, environment
            if n in (0, 2, 5, 7, 10):
                yield "lea 64(%a0),%a7 ! trap #0", INTERRUPT, 2 + n, environment
    yield "ptestr (%a0)", USER, 2, 1


MOVE16 = ["move16 (%a0)+,(%a1)+", "move16 (%a3)+,(%a2)+", "move16 (%a0)+,0x2030.l", "move16 0x2031.l,(%a0)+", "move16 (%a0),0x2037.l", "move16 0x2030.l,(%a2)"]


def program(bodies, model):
    """The kernel, and each case in a place of its own."""
    at = "0x%x.l"
    registers = ["itt0", "itt1", "dtt0", "dtt1", "sfc", "dfc", "urp", "srp"] if model == "68040" else []
    off = ["moveq #0,%d1", "movec %d1,%tc", "pflusha (%a0)"] if registers else []
    on = ["movea.l %d4,%a0", "move.l (%a0)+,%d5"]
    for register in registers:
        on += ["move.l (%a0)+,%d1", "movec %%d1,%%%s" % register]
    if registers:
        on += ["movec %d5,%tc", "pflusha (%a0)"]
    lines = [".org 0x%x" % KERNEL, "loop:", "move.w #9984,%sr", *off, "lea %s,%%a0" % (at % SCRATCH), "lea %s,%%a1" % (at % TEMPLATE), "moveq #15,%d1", "fill:", "move.l (%a1)+,(%a0)+", "dbf %d1,fill"]
    lines += ["clr.l 0x%x.l" % (USER_STACK - 4 * i) for i in range(1, 5)]
    lines += ["movea.l %s,%%a6" % (at % NOW), "move.l (%a6)+,%d0", "beq.w done", "move.l (%a6)+,%d2", "move.l (%a6)+,%d3", "move.l (%a6)+,%d4", "move.l %%a6,%s" % (at % NOW)]
    lines += ["movea.l #%d,%%a0" % MASTER_STACK, "movec %a0,%msp", "movea.l #%d,%%a0" % USER_STACK, "move.l %a0,%usp", "movea.l #%d,%%a7" % INTERRUPT_STACK]
    lines += ["clr.w -(%a7)", "move.l %d0,-(%a7)", "move.w %d3,-(%a7)", *on, "movea.l %d2,%a6", "movem.l (%a6),#0x7fff", "rte"]
    lines += ["handler:", "movem.l #0xffff,%s" % (at % SAVED), "movea.l %a7,%a5", "move.w #9984,%sr", "movea.l %s,%%a0" % (at % (NOW + 4)), "lea %s,%%a1" % (at % SAVED), "moveq #15,%d1", "registers:", "move.l (%a1)+,(%a0)+", "dbf %d1,registers"]
    lines += ["move.l %usp,%a1", "move.l %a1,(%a0)+", "movec %msp,%a1", "move.l %a1,(%a0)+", "movec %isp,%a1", "move.l %a1,(%a0)+"]
    lines += ["move.l (%a5)+,(%a0)+"] * FRAME_WORDS
    for place, count in ((SCRATCH, 16), (USER_STACK - 16, 4)):
        lines += ["lea %s,%%a1" % (at % place), "moveq #%d,%%d1" % (count - 1), "copy%d:" % count, "move.l (%a1)+,(%a0)+", "dbf %%d1,copy%d" % count]
    lines += ["move.l %%a0,%s" % (at % (NOW + 4)), "bra.w loop", "done:", "movea.l %s,%%a0" % (at % (NOW + 4)), "move.l #1,(%a0)", "nop", "nop", "nop", "nop", "clr.l 0xf00300.l", "self:", "bra.s self"]
    for i, body in enumerate(bodies):
        place = CODE + SLOT * i
        lines.append(".org 0x%x" % place)
        lines += [re.sub(r"\.\+(\d+)", lambda m: "%d" % (place + int(m[1])), line) for line in body.split(" ! ")] + ["trap #0", ".org 0x%x" % (place + 60), "trap #1"]
    return "\n".join(lines) + "\n"


def undefined(text, ccr, vector):
    """The condition codes that the manual leaves undefined."""
    name = text.split(" ! ")[-1].split(".")[0].split()[0]
    if name in ("abcd", "sbcd", "nbcd"):
        return N | V
    if name == "chk":
        return N | Z | V | C
    if name in ("cmp2", "chk2"):
        return N | V
    if name.startswith("div"):
        return N | Z | V if vector == 20 else N | Z if ccr & V else 0
    return 0


def compare(pogo, qemu, model):
    todo = list(cases(model))
    bodies = list(dict.fromkeys(text for text, _, _, _ in todo))
    size = 4 * (WORDS * len(todo) + 1)
    sets = SETS + [SETS[0][:8] + [address + 16, address + 0x4000, address + 24, address + 48, 2, 0, 0] for address in ADDRESSES]
    environments = [(*e, TABLES + 0x10000 * (e[0] >> 14 & 1), TABLES + 0x10000 * (e[0] >> 14 & 1) + 0x200) for e in ENVIRONMENT]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "cases.s").write_text(program(bodies, model))
        code = emulator.assemble(pogo, SPEC, path / "cases.s", "--param", "model=" + model)
        handler = emulator.image(0x400000, code).index(b"\x48\xf9\xff\xff")
        table = b"".join(struct.pack(">IIII", CODE + SLOT * bodies.index(text), SEEDS + 60 * seeds, status, ENVIRONMENTS + 36 * environment)
                         for text, status, seeds, environment in todo) + bytes(4)
        assert TABLE + len(table) <= WINDOW and CODE + SLOT * len(bodies) <= LOG and LOG + size <= TABLES
        files = (("vectors", 0, struct.pack(">I", handler) * 256), ("now", NOW, struct.pack(">II", TABLE, LOG)), ("template", TEMPLATE, MEMORY),
                 ("seeds", SEEDS, b"".join(struct.pack(">15I", *seeds) for seeds in sets)),
                 ("environments", ENVIRONMENTS, b"".join(struct.pack(">9I", *e) for e in environments)), ("table", TABLE, table), ("tables", TABLES, tables()),
                 ("illegal", WINDOW, b"\x4a\xfc" * 0x80000))
        arguments = ["--param", "model=" + model, "--asm", path / "cases.s"]
        for name, place, content in files:
            (path / name).write_bytes(content)
            arguments += ["--raw", "0x%x=%s" % (place, path / name)]
        (path / "image").write_bytes(emulator.image(0x400000, code + [(place, content) for _, place, content in files]))
        theirs = emulator.run_theirs(qemu, ["-M", "none", "-cpu", "m" + model, *emulator.loader(KERNEL)], folder, LOG, size)
        ours = emulator.run_ours(pogo, SPEC, [*arguments, "--set", "pc=0x%x" % KERNEL, "--set", "sr=0x2700", "--no-reset", "--cycles", "100000000"], LOG, size)
    if len(theirs) != size or theirs[-1] != 1:
        print("QEMU did not finish")
        return 1
    differ = 0
    for i, (text, status, seeds, environment) in enumerate(todo):
        a, b = (list(struct.unpack_from(">%dI" % WORDS, x, 4 * WORDS * i)) for x in (ours, theirs))
        mask = ~(undefined(text, a[FRAME] >> 16, a[FRAME + 1] & 0xFFF) << 16)
        format = a[FRAME + 1] >> 12 & 0xF
        for x in (a, b):
            x[FRAME] &= mask
            for k in range(FRAME + FRAME_SIZE[format] // 4, FRAME + FRAME_WORDS):  # what is above a frame
                x[k] = 0
            if format == 7:  # the effective address of what would be continued, and that of a write-back which there is not
                x[FRAME + 2] = x[FRAME + 6] = 0
                if x[FRAME + 3] >> 16 & 3 == 2:  # the size of a fetch
                    x[FRAME + 3] &= ~0x600000
                if TRANSPARENT & ENVIRONMENT[environment][4] == TRANSPARENT:  # QEMU has no ATC, RW and TM there
                    x[FRAME + 3] &= ~0x5040000
        wrong = ["%s %x, QEMU %x" % (NAMES[k] if k < 19 else "word %d" % (k - FRAME), x, y) for k, (x, y) in enumerate(zip(a, b)) if x != y]
        if wrong:
            differ += 1
            print("%s: %s (SR %04x, registers %d, environment %d): %s" % (model, text, status, seeds, environment, "; ".join(wrong)))
    print("%s: %d cases, %d differ" % (model, len(todo), differ))
    return 1 if differ or ours[-1] != 1 else 0


def main():
    pogo, qemu = emulator.find("qemu-system-m68k")
    return max(compare(pogo, qemu, model) for model in ("68020", "68030", "68040"))


if __name__ == "__main__":
    sys.exit(main())
