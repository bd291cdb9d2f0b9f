#!/usr/bin/env python3
# Compares single instructions of vax.isa with SIMH's VAX (MicroVAX 3900): oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each case starts from the same state of both: four modes, page tables with every protection code, five stacks, vectors. One instruction is stepped;
# registers, PSL, PC, processor registers and the memory that either machine wrote are compared. Exit code: 0 agree, 1 differ, 77 no emulator.

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SPEC = pathlib.Path(__file__).resolve().parents[3] / "isa-spec" / "specs" / "vax.isa"
SBR, SLR, SCBB, PCBB = 0x4000, 0x40, 0x6000, 0x7000
P0BR, P0LR = 0x80002000, 32
P1BR, P1LR = 0x80002800 - 4 * 0x1FFFF0, 0x1FFFF0
VALID, MODIFIED = 1 << 31, 1 << 26
CODE, DATA = 0x2800, 0x2A00  # pages 20 and 21 of P0
STACKS = {"ksp": 0x80000F00, "esp": 0x2D00, "ssp": 0x2F00, "usp": 0x3100, "isp": 0x80001100}
HANDLERS = 0x80001800


def protection(code):
    return code << 27


def p0_entry(page):  # pages 0 to 15 have the protection code of their number; every third is not valid
    if page < 16:
        return protection(page) | (0 if page % 3 == 2 else VALID) | (0x80 + page)
    return protection(4) | VALID | (0x80 + page) | (MODIFIED if page % 2 else 0)


def system_entry(page):
    return protection(2 if page in (7, 8) else 4) | VALID | MODIFIED | page


def longs():
    memory = {SBR + 4 * page: system_entry(page) for page in range(SLR)}
    memory |= {0x2000 + 4 * page: p0_entry(page) for page in range(P0LR)}
    memory |= {0x2800 + 4 * page: protection(4) | (VALID if page else 0) | (0xA0 + page) for page in range(16)}
    memory |= {SCBB + at: HANDLERS + at + (at == 0x1C) for at in range(0, 0x100, 4)}
    memory |= {0x1800 + at: 0x0101FE11 for at in range(0, 0x100, 4)}  # BRB to itself
    memory |= {PCBB + 4 * i: 0x11110000 + i for i in range(20)}
    memory |= {PCBB: STACKS["ksp"] - 0x40, PCBB + 80: P0BR, PCBB + 84: P0LR | 3 << 24, PCBB + 88: P1BR, PCBB + 92: P1LR}
    return memory


def physical(va):
    if va >> 31:
        return va & 0x3FFFFFFF
    return (0x80 << 9) + va if va >> 30 == 0 else (0xA0 << 9) + (va - (P1LR << 9 | 1 << 30))


def case(name, code, mode=3, psl=0, previous=None, registers={}, memory={}, mapen=1):
    status = mode << 24 | (mode if previous is None else previous) << 22 | psl
    state = {"r%d" % n: 0x1000 * n + 0x765 for n in range(14)} | STACKS | {"psl": status, "pc": CODE, "mapen": mapen, "astlvl": 4, "sisr": 0}
    state |= {"scbb": SCBB, "pcbb": PCBB, "p0br": P0BR, "p0lr": P0LR, "p1br": P1BR, "p1lr": P1LR, "sbr": SBR, "slr": SLR} | registers
    code = bytes(code) + bytes([1] * 12)
    where = longs() | {physical(CODE) + i: int.from_bytes(code[i : i + 4], "little") for i in range(0, 12, 4)} | memory
    return name, state, where


def cases():
    for mode in range(4):
        yield case("movpsl r0, mode %d" % mode, [0xDC, 0x50], mode, 0x1F0000 if mode == 0 else 0x2F, previous=3)
        for n, name in enumerate(["chmk", "chme", "chms", "chmu"]):
            yield case("%s #-3, mode %d" % (name, mode), [0xBC + n, 0x8F, 0xFD, 0xFF], mode, 0xA)
        for name, code in [("mfpr ipl", [0xDB, 0x12, 0x50]), ("mtpr usp", [0xDA, 0x51, 0x03]), ("ldpctx", [0x06]), ("svpctx", [0x07]),
                           ("bispsw #0x21", [0xB8, 0x8F, 0x21, 0]), ("bispsw #0x121", [0xB8, 0x8F, 0x21, 1]),
                           ("bicpsw #0x3", [0xB9, 0x8F, 3, 0]), ("bicpsw #0x8000", [0xB9, 0x8F, 0, 0x80]), ("bpt", [3]), ("xfc", [0xFC, 1]),
                           ("reserved", [0xFD, 2]), ("nop", [1])]:
            yield case("%s, mode %d" % (name, mode), code, mode, 0x6)
        if mode != 0:
            yield case("halt, mode %d" % mode, [0], mode)
        for page in range(16):
            for previous in {mode, 3}:
                yield case("prober #%d, page %d, previous %d" % (mode, page, previous), [0x0C, mode, 0x50, 0x61], 0, 9, previous,
                           {"r0": 4, "r1": page << 9})
                yield case("probew #%d, page %d, previous %d" % (mode, page, previous), [0x0D, mode, 0x50, 0x61], 0, 9, previous,
                           {"r0": 4, "r1": page << 9})
            yield case("movl (r1),r0, page %d, mode %d" % (page, mode), [0xD0, 0x61, 0x50], mode, 0, 3, {"r1": (page << 9) + 8})
            yield case("movl r0,(r1), page %d, mode %d" % (page, mode), [0xD0, 0x50, 0x61], mode, 0, 3, {"r1": (page << 9) + 8})
    for at, name in [(0x4000, "beyond P0"), (0x40000000, "below P1"), (0x7FFFE000, "P1, not valid"), (0x7FFFFE00, "P1"), (0x80008000, "beyond system"),
                     (0xC0000000, "reserved region")]:
        for n, write in enumerate("rw"):
            yield case("probe%s %s" % (write, name), [0x0C + n, 3, 0x50, 0x61], 1, 0, 3, {"r0": 4, "r1": at})
        yield case("movl (r1),r0 %s" % name, [0xD0, 0x61, 0x50], 3, 0, 3, {"r1": at})
        yield case("movl r0,(r1) %s" % name, [0xD0, 0x50, 0x61], 3, 0, 3, {"r1": at})
    yield case("prober over two pages", [0x0C, 3, 0x50, 0x61], 3, 0, 3, {"r0": 0x200, "r1": 0x1F00})
    yield case("prober, tables not valid", [0x0C, 3, 0x50, 0x61], 0, 0, 3, {"r0": 4, "r1": 0x6000, "p0lr": 0x100}, {SBR + 4 * 0x11: protection(4)})
    yield case("prober, no translation", [0x0C, 3, 0x50, 0x61], 0, 0, 3, {"r0": 4, "r1": 0, "pc": physical(CODE)}, mapen=0)
    stack = {0: "ksp", 1: "esp", 2: "ssp", 3: "usp"}
    for mode in range(4):
        for new in [0x03C00000, 0x03C0000F, 0x02800000, 0x02C00000, 0x01400000, 0x00C00000, 0x00000000, 0x03800000, 0x01000000, 0x03C10000,
                    0x00010000, 0x001F0000, 0x04010000, 0x04000000, 0x07C00000, 0x03E00000, 0x23C00000, 0x13C00000, 0x03C00100, 0x03C000F0,
                    0x0BC00000]:
            for level in ([0, 0x10] if mode == 0 else [0]):
                frame = {physical(STACKS[stack[mode]]): CODE + 4, physical(STACKS[stack[mode]]) + 4: new}
                yield case("rei to %08x, mode %d, level %d" % (new, mode, level), [2], mode, level << 16, 3, {}, frame)
    for new in [0x04010000, 0x04100000, 0x00080000, 0x03C00000, 0x01400000]:
        frame = {physical(STACKS["isp"]): CODE + 4, physical(STACKS["isp"]) + 4: new}
        yield case("rei to %08x on the interrupt stack" % new, [2], 0, 0x04100000, 0, {}, frame)
    yield case("rei with an AST", [2], 0, 0, 3, {"astlvl": 2}, {physical(STACKS["ksp"]): CODE + 4, physical(STACKS["ksp"]) + 4: 0x03C10000 & 0x03C00000})
    for code, name in [([0xDD, 0x50], "pushl r0"), ([0xD0, 0x8F, 1, 2, 3, 4, 0x81], "movl #,(r1)+"), ([0xD0, 0x71, 0x50], "movl -(r1),r0"),
                       ([0xD0, 0xA1, 0xFC, 0xA1, 4], "movl -4(r1),4(r1)"), ([0xC0, 0x61, 0x50], "addl2 (r1),r0"), ([0xC2, 0x50, 0x61], "subl2 r0,(r1)"),
                       ([0xC4, 0x50, 0x51], "mull2 r0,r1"), ([0xC6, 0x50, 0x51], "divl2 r0,r1"), ([0xC6, 0x00, 0x51], "divl2 #0,r1"),
                       ([0xD1, 0x50, 0x51], "cmpl r0,r1"), ([0xD5, 0x61], "tstl (r1)"), ([0x9A, 0x61, 0x50], "movzbl (r1),r0"),
                       ([0xDE, 0x42, 0x61, 0x50], "moval (r1)[r2],r0"), ([0xD0, 0x43, 0x61, 0x50], "movl (r1)[r3],r0"), ([0x16, 0x61], "jsb (r1)"),
                       ([0x10, 0x20], "bsbb"), ([0x12, 0xF0], "bneq"), ([0x13, 0xF0], "beql"), ([0xF5, 0x53, 0x10], "sobgtr"), ([0xE8, 0x50, 0x10], "blbs"),
                       ([0x9C, 5, 0x50, 0x52], "rotl"), ([0x58, 0x50, 0x61], "adawi"), ([0xD4, 0x61], "clrl"), ([0xD0, 0xEF, 0xF9, 1, 0, 0, 0x50], "movl rel,r0"),
                       ([0xD0, 0x9F, 0, 0x2A, 0, 0, 0x50], "movl @#,r0"), ([0xD0, 0x91, 0x50], "movl @(r1)+,r0"), ([0xCA, 0x0F, 0x50], "bicl2")]:
        yield case(name, code, 3, 0x1, 3, {"r1": DATA, "r3": 1},
                   {physical(DATA) - 4: 0x81828384, physical(DATA): DATA + 8, physical(DATA) + 4: 0xFFFFFFFF, physical(DATA) + 8: 0x12345678})


SIMH = {"isp": "IS"}
NAMES = ["psl", "pc", "ksp", "esp", "ssp", "usp", "isp", "scbb", "pcbb", "p0br", "p0lr", "p1br", "p1lr", "sbr", "slr", "sisr", "astlvl", "mapen"]
GENERAL = ["r%d" % n for n in range(14)]


def active(status):
    return "isp" if status >> 26 & 1 else ["ksp", "esp", "ssp", "usp"][status >> 24 & 3]


def emulate(simh, todo, folder):
    lines = []
    written = {}
    for name, state, memory in todo:
        for low, high in AREAS:  # what the case before has stored
            lines.append("dep -l %x-%x 0" % (low, high))
            written.update((at, 0) for at in range(low, high + 4, 4))
        for at, value in memory.items():
            if written.get(at) != value:
                lines.append("dep -l %x %x" % (at, value))
        written |= memory
        for n, v in state.items():
            lines.append("dep %s %x" % (SIMH.get(n, n.upper()), v))
        # A trap is taken when the next instruction would begin.
        lines += ["dep CC %x" % (state["psl"] & 15), "dep SP %x" % state[active(state["psl"])], "reset tlb", "step %d" % (2 if name == "divl2 #0,r1" else 1), "echo =R="]
        lines += ["ex %s" % SIMH.get(n, n.upper()) for n in GENERAL + NAMES] + ["ex SP", "echo =M="]
        lines += ["ex -l %x-%x" % area for area in AREAS] + ["echo =E="]
    script = pathlib.Path(folder) / "cases"
    script.write_text("\n".join(lines) + "\nquit\n")
    out = subprocess.run([simh, str(script)], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL).stdout
    results = []
    for part in out.split("=R=")[1:]:
        registers, rest = part.split("=M=")
        found = {m[1].lower(): int(m[2], 16) for m in re.finditer(r"(?m)^(\w+):\s+([0-9A-F]+)", registers)}
        found["isp"] = found.pop("is")
        found[active(found["psl"])] = found.pop("sp")
        memory = {int(m[1], 16): int(m[2], 16) for m in re.finditer(r"(?m)^([0-9A-F]+):\s+([0-9A-F]+)", rest.split("=E=")[0])}
        results.append((found, memory))
    return results


AREAS = [(0x0E80, 0x0F7C), (0x1080, 0x10FC), (0x2000, 0x207C), (0x2800, 0x283C), (SBR, SBR + 4 * SLR - 4), (PCBB, PCBB + 0x5C), (0x12A00 - 0x10, 0x12A10),
         (0x12C80, 0x12D7C), (0x12E80, 0x12F7C), (0x13080, 0x1317C)] + [((0x80 + page << 9) + 8, (0x80 + page << 9) + 8) for page in range(16)]


def stack_area():
    return {at for low, high in AREAS for at in range(low, high + 4, 4)}


def model(pogo, todo):
    lines = []
    for name, state, memory in todo:
        lines.append(json.dumps({"registers": state, "memory": {hex(at): list(v.to_bytes(4, "little")) for at, v in memory.items()}}))
    out = subprocess.run([pogo, "step", str(SPEC), "--states", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120)
    if out.returncode:
        sys.exit(out.stderr)
    results = []
    for (name, state, memory), line in zip(todo, out.stdout.splitlines()):
        answer = json.loads(line)
        cells = {}
        for at, v in memory.items():
            for i, byte in enumerate(v.to_bytes(4, "little")):
                cells[at + i] = byte
        for at, v in answer["memory"].items():
            for i, byte in enumerate(v if isinstance(v, list) else [v]):
                cells[int(at, 0) + i] = int(byte)
        after = {at: sum(cells.get(at + i, 0) << 8 * i for i in range(4)) for at in stack_area()}
        results.append((answer["registers"], after, answer["outcome"]))
    return results


def program(pogo, simh, folder):
    """A whole program on both, to its HALT."""
    source = str(pathlib.Path(__file__).with_name("modes.s"))
    listing = subprocess.run([pogo, "asm", str(SPEC), source], capture_output=True, text=True, timeout=60, check=True).stdout
    lines = []
    for m in re.finditer(r"(?m)^([0-9a-f]{8})  ([0-9a-f]+)", listing):
        code = bytes.fromhex(m[2])
        lines += ["dep -b %x %x" % (int(m[1], 16) + i, byte) for i, byte in enumerate(code)]
    lines += ["dep PSL 041F0000", "go 200"] + ["ex %s" % SIMH.get(n, n.upper()) for n in GENERAL + NAMES] + ["ex SP", "quit"]
    script = pathlib.Path(folder) / "program"
    script.write_text("\n".join(lines) + "\n")
    out = subprocess.run([simh, str(script)], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL).stdout
    theirs = {m[1].lower(): int(m[2], 16) for m in re.finditer(r"(?m)^(\w+):\s+([0-9A-F]+)", out)}
    theirs["isp"] = theirs.pop("is")
    theirs[active(theirs["psl"])] = theirs.pop("sp")
    run = subprocess.run([pogo, "run", str(SPEC), "--asm", source, "--dump", "--cycles", "20000"], capture_output=True, text=True, timeout=60)
    ours = json.loads(run.stdout.splitlines()[-1])["registers"]
    return ["modes.s: %s %x, SIMH %x" % (n, ours[n], theirs[n]) for n in GENERAL + NAMES if ours[n] != theirs[n]]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: oracle.py POGO")
    simh = shutil.which("vax") or shutil.which("simh-vax")
    if not simh:
        print("no SIMH (vax)")
        return 77
    todo = list(cases())
    with tempfile.TemporaryDirectory() as folder:
        emulated = emulate(simh, todo, folder)
        wrong = program(sys.argv[1], simh, folder)
    modelled = model(sys.argv[1], todo)
    if len(emulated) != len(todo) or len(modelled) != len(todo):
        print("%d cases, %d of SIMH, %d of Pogo" % (len(todo), len(emulated), len(modelled)))
        return 1
    differ = 1 if wrong else 0
    for line in wrong:
        print(line)
    for (name, state, memory), (theirs, cells), (ours, own, outcome) in zip(todo, emulated, modelled):
        wrong = ["%s %x, SIMH %x" % (n, ours[n], theirs[n]) for n in GENERAL + NAMES if ours[n] != theirs[n]]
        defined = ~MODIFIED if name.startswith("probew") else ~0  # SIMH's PROBEW sets M
        wrong += ["[%x] %x, SIMH %x" % (at, own[at], cells.get(at, 0)) for at in sorted(own) if (own[at] ^ cells.get(at, 0)) & defined]
        if wrong:
            differ += 1
            print("%s (%s): %s" % (name, outcome, "; ".join(wrong[:8])))
    print("%d cases and a program, %d differ" % (len(todo), differ))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
