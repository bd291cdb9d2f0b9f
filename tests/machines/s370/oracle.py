#!/usr/bin/env python3
# One instruction at a time on Hercules' System/370 and on Pogo's: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each case is a state and an instruction with SVC 255 behind it. A program for Hercules brings up one case after another, and the new PSWs lead to
# a handler that stores registers, low storage, data, tables and storage keys. Then guests under interpretive execution: who gets an instruction?
# Exit code 0: both agree; 1: not; 77: no Hercules.
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

SPEC = Path(__file__).resolve().parents[3] / "isa-spec/specs/s370.isa"
HANDLER, SAVED, STAGED = 0x200, 0x400, 0x600  # in the page of low storage, whichever that is
PREFIXED, CODE, DATA, TABLES, FREE = 0x2000, 0x4000, 0x5000, 0x7000, 0x8000
DRIVER, LITERALS, LOW, PRISTINE, CASES, RESULTS, SIZE = 0x10000, 0x10800, 0x11000, 0x11200, 0x20000, 0x200000, 0x400
KEYS = 0x2000000
UNITS = 512  # of TB
BLOCKS = (0x0000, 0x2000, 0x4000, 0x5000, 0x7000, 0x8000, 0x8800)  # whose storage keys are followed
CONTROL = range(16)
DEFINED = {0: 0x5CF86C40, 5: 0x80FFFFFF, 8: 0xFFFF, 9: 0xF000FFFF, 10: 0xFFFFFF, 11: 0xFFFFFF, 14: 0xFFC80FFF, 15: 0xFFFFF8}
WITHOUT_DAS = {**DEFINED, 0: 0x50F86C40}
EVENT = 0x80000001  # bit 31 of a segment-table designation; Hercules looks at bit 0
STOP = 0x000A000000000000 | 0xDEAD

half = lambda v: struct.pack(">H", v & 0xFFFF)
word = lambda v: struct.pack(">I", v & 0xFFFFFFFF)
double = lambda v: struct.pack(">Q", v & 0xFFFFFFFFFFFFFFFF)
rr = lambda op, a, b: bytes((op, a << 4 | b))
rx = lambda op, a, x, b, d: bytes((op, a << 4 | x)) + half(b << 12 | d)
si = lambda op, i, b, d: bytes((op, i)) + half(b << 12 | d)
s = lambda op, b, d: half(op) + half(b << 12 | d)
ss = lambda op, l, b1, d1, b2, d2: bytes((op, l)) + half(b1 << 12 | d1) + half(b2 << 12 | d2)
rre = lambda op, a, b: half(op) + bytes((0, a << 4 | b))


def tables():
    """From TABLES: a segment table, page tables, ASN tables, a linkage table, an entry table."""
    t = bytearray(0x600)
    put = lambda at, v: t.__setitem__(slice(at, at + len(v)), v)
    for n in range(16):
        put(4 * n, word(1))
        put(0x80 + 4 * n, word(1))
    put(0, word(0xF0000000 | TABLES + 0x100))             # segment 0: the identity
    put(4, word(0xF0000000 | TABLES + 0x140))             # 1: two pages, others that are not valid
    put(8, word(0xF0000000 | TABLES + 0x100 | 4))         # 2: protected
    put(12, word(0xF4000000 | TABLES + 0x100))            # 3: ill-formed
    put(16, word(TABLES + 0x140))                         # 4: a table of one page
    put(0x80, word(0xF0000000 | TABLES + 0x180))          # the secondary space: FREE in place of DATA
    for n in range(16):
        put(0x100 + 2 * n, half(n << 4))
        put(0x180 + 2 * n, half((FREE >> 12 if n == DATA >> 12 else n) << 4))
    put(0x140, half(DATA >> 8) + half(FREE >> 8) + half(0x0008) * 14)
    put(0x200, word(TABLES + 0x240) + word(0x80000000))   # ASN-first table is at TABLES: entry 128 is ASN 2000 and following
    put(0x240, word(TABLES + 0x2C0) + word(0x00010010) + word(TABLES) + word(0x80000000 | TABLES + 0x300))  # ASN 2000
    put(0x250, word(TABLES + 0x2C0) + word(0x00030010) + word(0x00000000 | TABLES + 0x80) + word(0x80000000 | TABLES + 0x300))  # ASN 2001
    put(0x260, word(0x80000000))                          # 2002: not there
    put(0x270, word(TABLES + 0x2C0) + word(0x00030001) + word(0) + word(0))  # 2003: ill-formed
    put(0x280, word(TABLES + 0x2C0) + word(0x00020010) + word(EVENT | TABLES + 0x80) + word(0x80000000 | TABLES + 0x300))  # 2004: space-switch event
    put(0x2C0, bytes((0xE4, 0x1B)))                       # authority: index 0 both, 1 primary, 2 secondary, 3 none; 4 none, 5 secondary, …
    put(0x300, word(TABLES + 0x380 | 1) + word(0x80000000))
    for n, entry in enumerate([(0x80000000, CODE + 0x40), (0x00010000, CODE + 0x41), (0x80002001, CODE + 0x40), (0x80002002, CODE + 0x40), (0x80000000, 0x01000000),
                               (0x80002004, CODE + 0x41)]):
        put(0x380 + 16 * n, word(entry[0]) + word(entry[1]) + word(0x11223344 + n) + word(0x00400000))
    return bytes(t)


def low_page():
    page = bytearray(0x200)
    for new in (0x58, 0x60, 0x68, 0x78):
        page[new:new + 8] = double(0x0008000000000000 | HANDLER)
    return bytes(page)


def handler():
    code = rx(0x90, 0, 15, 0, SAVED) + rx(0xB6, 0, 15, 0, SAVED + 0x40) + s(0xB211, 0, SAVED + 0x80) + s(0xB207, 0, SAVED + 0x88)
    code += rx(0x58, 15, 0, 0, HANDLER + 0x1F0) + rx(0x58, 14, 0, 15, 4) + ss(0xD2, 255, 14, 0, 0, SAVED) + ss(0xD2, 255, 14, 0x100, 0, 0)
    code += rx(0xB7, 0, 0, 15, 0x10) + s(0xB210, 15, 0x10)  # CR0 and prefix 0
    for n, at in enumerate((DATA, FREE, TABLES + 0x100)):
        code += rx(0x41, 13, 0, 0, at >> 12) + rx(0x89, 13, 0, 0, 12) + ss(0xD2, 63, 14, 0x200 + 64 * n, 13, at & 0xFFF)
    for n, at in enumerate(BLOCKS):
        code += rx(0x41, 2, 0, 0, at >> 11) + rx(0x89, 2, 0, 0, 11) + rr(0x17, 1, 1) + rr(0x09, 1, 2) + rx(0x42, 1, 0, 14, 0x300 + n)
    code += rx(0x58, 1, 0, 15, 0) + rx(0x41, 1, 0, 1, SIZE) + rx(0x50, 1, 0, 15, 0)
    code += rx(0x41, 14, 0, 14, SIZE) + rx(0x50, 14, 0, 15, 4) + rx(0x58, 1, 0, 15, 8) + rx(0x41, 2, 0, 0, 1) + rr(0x1B, 1, 2) + rx(0x50, 1, 0, 15, 8)
    code += rr(0x12, 1, 1) + rx(0x58, 15, 0, 15, 0xC) + rr(0x07, 7, 15) + si(0x82, 0, 0, HANDLER + 0x1F8)
    assert len(code) < 0x1F0
    return code.ljust(0x1F0, b"\0") + word(LITERALS) + word(0) + double(STOP)


def driver():
    """At DRIVER; R15 is LITERALS or DRIVER."""
    code = rr(0x05, 15, 0) + rx(0x41, 15, 0, 15, LITERALS - DRIVER - 2) + rx(0x58, 14, 0, 15, 0)
    code += rx(0x41, 13, 0, 15, 0x7FF) + rx(0x41, 13, 0, 13, 1) + ss(0xD2, 255, 0, 0, 13, 0) + ss(0xD2, 255, 0, 0x100, 13, 0x100)
    code += rx(0x41, 12, 0, 0, PREFIXED >> 12) + rx(0x89, 12, 0, 0, 12) + ss(0xD2, 255, 12, 0, 13, 0) + ss(0xD2, 255, 12, 0x100, 13, 0x100)
    code += rx(0x41, 11, 0, 0, TABLES >> 12) + rx(0x89, 11, 0, 0, 12) + b"".join(ss(0xD2, 255, 11, 256 * n, 13, 0x200 + 256 * n) for n in range(6))
    for at, source in ((CODE, 0x100), (DATA, 0x200), (FREE, 0x300)):
        code += rx(0x41, 11, 0, 0, at >> 12) + rx(0x89, 11, 0, 0, 12) + ss(0xD2, 255 if at == CODE else 63, 11, 0, 14, source)
    for n, at in enumerate(BLOCKS):
        code += rx(0x41, 2, 0, 0, at >> 11) + rx(0x89, 2, 0, 0, 11) + rx(0x43, 1, 0, 14, 0x90 + n) + rr(0x08, 1, 2)
        code += rx(0x41, 2, 0, 2, 0x7F8) + rx(0x41, 2, 0, 2, 8) + rr(0x08, 1, 2)  # the other 2K of it
    code += s(0xB210, 14, 0x98) + s(0xB206, 14, 0xA0) + rx(0xB7, 0, 15, 14, 0x40)
    code += ss(0xD2, 7, 0, STAGED, 14, 0x80) + rx(0x98, 0, 15, 14, 0) + si(0x82, 0, 0, STAGED)
    assert len(code) < LITERALS - DRIVER
    return code


def image(cases):
    memory = bytearray(RESULTS)
    put = lambda at, v: memory.__setitem__(slice(at, at + len(v)), v)
    put(LOW, low_page() + tables())
    put(0, low_page())
    put(0, double(0x0008000000000000 | DRIVER))  # restart new PSW
    for page in (0, PREFIXED):
        put(page + HANDLER, handler())
    put(DRIVER, driver())
    put(LITERALS, word(CASES) + word(RESULTS) + word(len(cases)) + word(DRIVER) + word(0))
    for n, case in enumerate(cases):
        at = CASES + SIZE * n
        assert at < RESULTS
        put(at, b"".join(map(word, case["r"])) + b"".join(word(case["cr"].get(n, 0)) for n in range(16)) + double(case["psw"]))
        put(at + 0x90, bytes(case["keys"]))
        put(at + 0x98, word(case["prefix"]))
        put(at + 0xA0, double(case["comparator"]))
        put(at + 0x100, (case["code"] + b"\x0a\xff" * 0x80)[:0x100])
        put(at + 0x200, case["data"][:64])
        put(at + 0x300, case["data"][64:])
    return bytes(memory)


def run_hercules(program, memory, size, mode):
    """What a program leaves from RESULTS on."""
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        Path(path("image")).write_bytes(memory)
        Path(path("conf")).write_text(f"CPUSERIAL 000001\nCPUMODEL 3033\nMAINSIZE 16\nNUMCPU 1\nARCHMODE {mode}\nCNSLPORT 0\n000C 3505\n")
        Path(path("rc")).write_text(f"ostailor null\nloadcore {path('image')} 0\nrestart\npause 3\n"
                                    f"savecore {path('core')} {RESULTS:x} {RESULTS + size:x}\nquit\n")
        run = subprocess.run([program, "-d", "-f", path("conf")], env={**os.environ, "HERCULES_RC": path("rc")}, stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=120)
        if not os.path.exists(path("core")):
            sys.exit(f"hercules: exit code {run.returncode}\n{run.stdout}{run.stderr}")
        return Path(path("core")).read_bytes()


def hercules(cases, program):
    core = run_hercules(program, image(cases), SIZE * len(cases), "S/370")
    results = []
    for n in range(len(cases)):
        got = core[SIZE * n:SIZE * (n + 1)]
        value = {f"r{i}": int.from_bytes(got[4 * i:4 * i + 4], "big") for i in range(16)}
        value.update({f"cr{i}": int.from_bytes(got[0x40 + 4 * i:0x44 + 4 * i], "big") for i in CONTROL})
        value["prefix"] = int.from_bytes(got[0x80:0x84], "big") >> 12
        value["clock_comparator"] = int.from_bytes(got[0x88:0x90], "big")
        value["low"] = got[0x100:0x200]
        value["data"], value["free"], value["pages"] = got[0x200:0x240], got[0x240:0x280], got[0x280:0x2C0]
        value["keys"] = got[0x300:0x300 + len(BLOCKS)]
        results.append(value)
    return results


def state(case):
    registers = {f"r{n}": v for n, v in enumerate(case["r"])}
    registers.update({f"cr{n}": v & DEFINED.get(n, 0xFFFFFFFF) for n, v in case["cr"].items()})
    registers.update(psw=case["psw"], prefix=case["prefix"] >> 12, clock_comparator=case["comparator"])
    memory = {}
    put = lambda at, v: memory.update({at + i: b for i, b in enumerate(v)})
    for page in (0, PREFIXED):
        put(page, low_page() + handler())
    put(TABLES, tables())
    put(CODE, (case["code"] + b"\x0a\xff" * 0x80)[:0x100])
    put(DATA, case["data"][:64])
    put(FREE, case["data"][64:])
    for at, key in zip(BLOCKS, case["keys"]):
        memory[KEYS + (at >> 11)] = memory[KEYS + (at >> 11) + 1] = key & 0xFE
    return {"registers": registers, "memory": memory}


def step(states, program, das):
    lines = [json.dumps({"registers": x["registers"], "memory": {str(a): v for a, v in x["memory"].items()}}) for x in states]
    run = subprocess.run([program, "step", SPEC, "--param", f"das={str(das).lower()}", "--states", "-"], input="\n".join(lines) + "\n",
                         capture_output=True, text=True, timeout=300)
    results = []
    for line, before in zip(run.stdout.splitlines(), states):
        after = json.loads(line)
        memory = dict(before["memory"])
        for a, v in after.get("memory", {}).items():
            for i, b in enumerate(v if isinstance(v, list) else [v]):
                memory[int(a, 0) + i] = int(str(b), 0)
        registers = {name: int(str(v), 0) for name, v in after["registers"].items()}
        results.append({"registers": {**before["registers"], **registers}, "memory": memory})
    if len(results) != len(states):
        sys.exit(f"pogo step: exit code {run.returncode}\n{run.stderr}")
    return results


def pogo(cases, program):
    """Steps to the handler: one, or more where an instruction has units of operation, and that of the SVC."""
    at_handler = lambda x: x["registers"]["psw"] & 0xFFFFFF == HANDLER
    das = cases[0]["das"]
    first = step([state(c) for c in cases], program, das)
    for _ in range(UNITS):
        rest = [n for n, x in enumerate(first) if not at_handler(x)]
        for n, x in zip(rest, step([first[n] for n in rest], program, das) if rest else ()):
            first[n] = x
    results = []
    for x in first:
        value = {name: v for name, v in x["registers"].items() if name[0] == "r" or name[:2] == "cr" or name in ("prefix", "clock_comparator")}
        memory = lambda at, n: bytes(x["memory"].get(at + i, 0) for i in range(n))
        real = lambda at: value["prefix"] << 12 if at == 0 else 0 if at >> 12 == value["prefix"] else at
        value["low"] = memory(real(0), 0x100)
        value["data"], value["free"], value["pages"] = memory(DATA, 64), memory(FREE, 64), memory(TABLES + 0x100, 64)
        value["keys"] = bytes(x["memory"].get(KEYS + (at >> 11), 0) for at in BLOCKS)
        results.append(value)
    return results


def case(name, code, das=False, **given):
    """Registers with the addresses of things; what a case needs otherwise is given by name."""
    r = [random.choice((0, 1, 5, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, random.getrandbits(32))) for _ in range(16)]
    r[5], r[6], r[7], r[8] = DATA, FREE, CODE + 0x40, TABLES
    r[9] = random.getrandbits(32)
    for n, v in given.get("r", {}).items():
        r[n] = v
    cr = {0: 0x00800000 | random.choice((0, 0x04000000)) | random.choice((0, 0x08000000)), 1: TABLES, 2: random.getrandbits(32), 8: random.getrandbits(16),
          3: random.getrandbits(16) << 16 | 0x2001, 4: random.choice((0, 1, 2, 3, 5)) << 16 | 0x2000, 5: 0x80000000 | TABLES + 0x300, 7: TABLES + 0x80,
          14: 0x00080000 | TABLES >> 12}
    for n in (6, 10, 11, 12, 13, 15):
        cr[n] = random.getrandbits(32) & DEFINED.get(n, 0xFFFFFFFF)
    cr[9] = random.getrandbits(16)  # no PER events
    if not das:
        cr[0], cr[3] = cr[0] & ~0x0C000000, 0
    cr.update(given.get("cr", {}))
    problem, dat, key = given.get("problem", random.randrange(2)), given.get("dat", random.randrange(2)), given.get("key", random.choice((0, 0, 2, 9)))
    secondary = given.get("secondary", das and dat and random.randrange(4) == 0)
    psw = 0x0008000000000000 | CODE | problem << 48 | dat << 58 | key << 52 | secondary << 47 | random.randrange(4) << 44 | random.randrange(16) << 40
    keys = [given.get("low_key", 0)] * 2 + [random.choice((0, 0x20, 0x90)) & 0xF0 for _ in BLOCKS[2:]]
    keys = [k | random.choice((0, 8)) if n > 1 else k for n, k in enumerate(keys)]
    if given.get("open", random.randrange(3)):  # the program may do what it wants
        keys = [key << 4] * len(BLOCKS)
    keys = given.get("keys", keys)
    data = bytes(random.getrandbits(8) for _ in range(128))
    data = given.get("data", b"") + data[len(given.get("data", b"")):]
    return {"name": name, "code": code, "das": das, "r": r, "cr": cr, "psw": given.get("psw", psw), "keys": keys, "data": data,
            "prefix": given.get("prefix", random.choice((0, 0, 0, PREFIXED))), "comparator": random.getrandbits(56) << 8, "ignore": given.get("ignore", ())}


def general():
    for op in (0x18, 0x12, 0x13, 0x1A, 0x1B, 0x1E, 0x1F, 0x14, 0x16, 0x17, 0x19, 0x15, 0x1C, 0x1D):
        for _ in range(6):
            yield case("RR", rr(op, random.choice((1, 2, 3, 4, 10)), random.choice((1, 2, 3, 4, 9))))
    for op in (0x58, 0x48, 0x41, 0x43, 0x50, 0x40, 0x42, 0x5A, 0x54, 0x59, 0x5C, 0x5D):
        for _ in range(6):
            yield case("RX", rx(op, random.choice((1, 2, 3, 4, 10)), random.choice((0, 0, 9)) if op == 0x41 else 0, random.choice((5, 6)), random.randrange(32)))
    for op in (0x98, 0x90):
        for _ in range(6):
            yield case("LM STM", rx(op, random.choice((1, 8, 10, 14)), random.choice((1, 2, 8, 15)), 5, 0), r={9: 0})
    for op in (0x89, 0x88, 0x8A):
        for _ in range(5):
            yield case("shift", rx(op, random.randrange(1, 5), 0, random.choice((0, 9)), random.randrange(64)))
    for _ in range(8):
        equal = random.randrange(2)
        data = word(random.getrandbits(32))
        yield case("CS", rx(0xBA, 1, 2, 5, random.choice((0, 0, 0, 2))), data=data, r={1: int.from_bytes(data, "big")} if equal else {})
        yield case("BXLE", rx(0x87, 1, random.choice((2, 3)), 7, 0))
        yield case("ICM", rx(0xBF, 1, random.choice((1, 3, 7, 15)), 5, random.randrange(8)))
    for op in (0x92, 0x91, 0x96, 0x95, 0x93):
        for _ in range(5):
            yield case("SI", si(op, 0 if op == 0x93 else random.choice((0, 255, random.getrandbits(8))), 5, random.randrange(32)))
    for op in (0xD2, 0xD5, 0xD7):
        for _ in range(6):
            yield case("SS", ss(op, random.choice((0, 3, 7)), 5, random.randrange(32), 6, random.randrange(32)))
    for _ in range(6):
        yield case("BCR", rr(0x07, random.randrange(1, 15), random.choice((0, 7))))
        yield case("BC", rx(0x47, random.randrange(16), 0, 7, 0))
        for op in (0x05, 0x0D, 0x06):
            yield case("RR branch", rr(op, random.choice((1, 2)), random.choice((0, 7))))
        for op in (0x45, 0x46):
            yield case("RX branch", rx(op, random.choice((1, 2)), 0, 7, 0))
        yield case("SPM", rr(0x04, random.randrange(1, 5), 0))
        yield case("SVC", bytes((0x0A, random.getrandbits(8))))
        yield case("MC", si(0xAF, random.choice((random.randrange(16), random.randrange(16), 0x10)), 5, random.randrange(64)))
        target = random.choice((rr(0x18, 1, 2), rr(0x18, 0, 3), b"\x0a\x10", rx(0x44, 0, 0, 5, 0)[:2]))
        yield case("EX", rx(0x44, random.choice((0, 1, 2)), 0, 5, random.choice((0, 0, 0, 1))), data=target, open=1)
        yield case("odd branch", rx(0x47, 15, 0, 7, 1))
        yield case("branch to where there is no page", rx(0x47, 15, 0, 1, 0), r={1: random.choice((0x12000, 0x30000, 0x41000, 0x100000))}, dat=1)
    yield case("STCK", s(0xB205, 5, 0), ignore=range(0, 8))


def translation():
    for at in (DATA, 0x10000, 0x11000, 0x12000, 0x25000, 0x30000, 0x40000, 0x41000, 0x50000, 0x100000):
        for op in (0x58, 0x50, 0x92, 0xB1):
            for _ in range(2):
                yield case("DAT", si(op, 1, 1, 8) if op == 0x92 else rx(op, 2, 0, 1, 8), r={1: at}, dat=1, **({"problem": 0} if op == 0xB1 else {}))
        for _ in range(4):
            yield case("TPROT", half(0xE501) + half(0x1008) + half(random.choice((0, 2, 9)) << 4), r={1: at})
    yield case("translation format", rx(0x58, 2, 0, 5, 0), dat=0, cr={0: 0x00800000})
    for lap in (0, 0x10000000):
        for at in (0x1F0, 0x700):
            yield case("low address", rx(0x50, 2, 0, 0, at), cr={0: 0x00800000 | lap}, keys=[0] * len(BLOCKS), key=0, prefix=0)


def control():
    for problem in (0, 1):
        for _ in range(4):
            mask = random.choice((0, 0, 1, 0x40, 0x41, 0x80, 0x20, 0x10, 0x08)) if problem == 0 else random.getrandbits(8)
            new = [0x0008000000000000, 0x0009000000000000, 0x0408000000000000, 0x0428210000000000, 0x0008C00000000000, 0x8008000000000000, 0x0008000100000000]
            for psw in new:
                yield case("LPSW", si(0x82, 0, 5, random.choice((0, 0, 0, 4))), problem=problem, data=double(psw | CODE + 0x40), cr={0: 0x00800000})
            yield case("SSM", si(0x80, 0, 5, 0), problem=problem, data=bytes((mask,)), cr={0: 0x00800000 | random.choice((0, 0x40000000)), 2: 0})
            yield case("STNSM", si(0xAC, mask, 5, 0), problem=problem)
            yield case("STOSM", si(0xAD, mask & 0x41, 5, 0), problem=problem, cr={2: 0})
            yield case("SPKA", s(0xB20A, 9, random.randrange(256)), problem=problem)
            yield case("IPK", s(0xB20B, 0, 0), problem=problem)
            for op in (0x08, 0x09):
                yield case("SSK ISK", rr(op, 1, 2), problem=problem, r={2: random.choice((DATA, FREE, FREE + 8)), 1: random.choice((0x00, 0x28, 0xA5F0))})
            yield case("RRB", s(0xB213, 2, 0), problem=problem, r={2: FREE})
            yield case("PTLB", s(0xB20D, 0, 0), problem=problem)
            for op in (0xB229, 0xB22A, 0xB22B):
                at = random.choice((0x8000, 0x8FFF, 0x8800, 0x80008000, 0x01008000, 0x40000000))
                yield case("ISKE RRBE SSKE", rre(op, 1, 2), problem=problem, r={2: at}, keys=[0] * 5 + [random.getrandbits(8), random.getrandbits(8)], key=0)
            for at in (DATA, FREE + 8, 0):
                yield case("TB", rre(0xB22C, 1, 2), problem=problem, r={0: 0, 2: at}, cr={0: 0x10800000}, prefix=0)
            for n in CONTROL:
                value = random.choice((0x00800000, 0x10800000)) if n == 0 else TABLES if n == 1 else random.getrandbits(32) & DEFINED.get(n, 0xFFFFFFFF)
                yield case("LCTL", rx(0xB7, n, n, 5, random.choice((0, 0, 0, 2))), problem=problem, data=word(value))
                yield case("STCTL", rx(0xB6, n, n, 5, random.choice((0, 0, 4, 2))), problem=problem)
            yield case("IPTE", rre(0xB221, 1, 2), problem=problem, r={1: TABLES + 0x100, 2: FREE})
            yield case("SPX", s(0xB210, 5, random.choice((0, 0, 0, 2))), problem=problem, data=word(random.choice((0, PREFIXED))))
            yield case("STPX", s(0xB211, 5, random.choice((0, 4, 2))), problem=problem)
            yield case("STAP", s(0xB212, 5, random.choice((0, 2, 1))), problem=problem)
            yield case("STIDP", s(0xB202, 5, random.choice((0, 4))), problem=problem, ignore=(0,))  # the version of the model
            yield case("SCKC", s(0xB206, 5, random.choice((0, 8, 4))), problem=problem)
            yield case("STCKC", s(0xB207, 5, random.choice((0, 8, 4))), problem=problem)
            yield case("SPT", s(0xB208, 5, random.choice((0, 8, 4))), problem=problem)
            yield case("STPT", s(0xB209, 5, random.choice((0, 4))), problem=problem, ignore=range(0, 8))
            yield case("SIGP", rx(0xAE, 1, 2, 0, random.choice((1, 2, 3))), problem=problem, r={2: random.choice((1, 7))}, cr={0: 0x00800000})
            for op in (0x9C00, 0x9C01, 0x9D00, 0x9D01, 0x9E00, 0x9E01):
                yield case("IO", s(op, 0, 0x0F0), problem=problem)
            if problem:
                yield case("DIAGNOSE", rx(0x83, 1, 2, 0, 8), problem=1)
                yield case("SCK", s(0xB204, 5, 0), problem=1)


def dual():
    on = {"dat": 1}
    for _ in range(6):
        for op in (0xB226, 0xB227, 0xB224):
            yield case("EPAR ESAR IAC", rre(op, 1, 0), True)
        yield case("IVSK", rre(0xB223, 1, 2), True, r={2: random.choice((DATA, FREE, 0x11000, 0x12000))})
        yield case("SPKA", s(0xB20A, 9, 0), True)
        yield case("IPK", s(0xB20B, 0, 0), True)
        yield case("SAC", s(0xB219, 0, random.choice((0, 0x100))), True)
        yield case("SSAR", rre(0xB225, 1, 0), True, r={1: random.choice((0x2000, 0x2001, 0x2001, 0x2002, 0x2003, 0x2040, 0x2041))}, dat=random.choice((0, 1, 1, 1)),
                   cr={14: random.choice((0, 0x80000, 0x80000)) | TABLES >> 12})
        for op in (0xDA, 0xDB, 0xD9):
            for length in (0, 1):
                yield case("MVCP MVCS MVCK", ss(op, 0x12, 5, 8, 5 if op != 0xD9 else 6, 16), True, r={1: length, 2: random.choice((0, 0x20, 0x90))}, secondary=0,
                           dat=random.choice((0, 1, 1)))
        for number in (0, 1, 2, 3, 4, 5, 5, 8, 0x100, 0x2000):
            yield case("PC", s(0xB218, 2, 0), True, r={2: number}, cr={5: random.choice((0, 0x80000000, 0x80000000)) | TABLES + 0x300, 1: TABLES | random.randrange(2) * EVENT},
                       dat=random.choice((0, 1, 1, 1)))
        for asn in (0x2000, 0x2000, 0x2001, 0x2001, 0x2002, 0x2004):
            yield case("PT", rre(0xB228, 1, 2), True, r={1: random.getrandbits(16) << 16 | asn, 2: CODE + 0x40 + random.randrange(2) | random.choice((0, 0, 0, 0x1000000))},
                       cr={1: TABLES | random.randrange(2) * EVENT}, dat=random.choice((0, 1, 1, 1)))
        for number in range(10):
            asn = lambda: random.choice((0x2000, 0x2001, 0x2001, 0x2001, 0x2002, 0x2003, 0x2004, 0x2040))
            new = half(random.getrandbits(16)) + half(asn()) + half(random.randrange(8)) + half(asn())
            yield case("LASP", half(0xE500) + half(0x5000 | random.choice((0, 0, 0, 0, 4))) + half(random.getrandbits(3)), True, problem=int(number == 0),
                       data=new.ljust(64, b"\0") + new, cr={3: random.getrandbits(16) << 16 | asn(), 1: TABLES | (random.randrange(4) == 0) * EVENT,
                                                            14: random.choice((0, 0x80000, 0x80000, 0x80000)) | TABLES >> 12})
        for at in (0x11000, 0x12000, 0x30000, 0x41000, 0x100000):
            yield case("secondary translation", rx(0x58, 2, 0, 1, 0), True, r={1: at}, dat=1, secondary=1)
            yield case("secondary translation", ss(0xDA, 0x12, 5, 0, 3, 16), True, r={1: 1, 2: 0, 3: at}, dat=1, secondary=0, problem=0)


def compare(cases, ours, theirs):
    different = 0
    for c, mine, other in zip(cases, ours, theirs, strict=True):
        wrong = []
        for name, v in mine.items():
            w = other[name]
            if name[:2] == "cr":
                mask = (DEFINED if c["das"] else WITHOUT_DAS).get(int(name[2:]), 0xFFFFFFFF)
                v, w = v & mask, w & mask
            if name == "low":  # not the interval timer, nor what is stored for PER, nor the rest of a translation-exception address
                open_ = {*range(0x50, 0x54), *range(0x96, 0x9C), *((0x93,) if v[0x8F] in (0x10, 0x11) else ())}
                v, w = (bytes(0 if i in open_ else b for i, b in enumerate(x)) for x in (v, w))
            if name == "keys":  # references and changes are not recorded
                v, w = bytes(b & 0xF8 for b in v), bytes(b & 0xF8 for b in w)
            if name == "clock_comparator":  # Hercules keeps 56 bits
                v, w = v >> 8, w >> 8
            if name == "data":
                v, w = (bytes(0 if i in c["ignore"] else b for i, b in enumerate(x)) for x in (v, w))
            if v != w:
                if name == "low":
                    wrong.append("low " + ", ".join(f"{i:x}: {a:02x}, Hercules {b:02x}" for i, (a, b) in enumerate(zip(v, w)) if a != b))
                else:
                    wrong.append(f"{name}: {v:x}, Hercules {w:x}" if isinstance(v, int) else f"{name}: {v.hex()}, Hercules {w.hex()}")
        if wrong:
            different += 1
            print(c["name"], c["code"].hex(), f"PSW {c['psw']:016x} prefix {c['prefix']:x} keys {bytes(c['keys']).hex()}", "—", "; ".join(wrong))
    return different


# Interpretive execution: the guest is a System/370, the host Hercules' ESA/390; in the end DIAGNOSE leaves to it. What happens to one instruction?
POLICY = SPEC.with_name("s370-sie.policy.isa")
DESCRIPTION, HOST_PAGE = 0xB000, 0xA000


def guests():
    """Code, the byte and bit of the state description that intercepts it, if any."""
    data = lambda op, a=5, d=0: s(op, a, d)
    first = [rx(0x83, 1, 2, 0, 8), data(0xB204)]  # Hercules looks at the state of the guest after that
    mandatory = [rx(0xAE, 1, 2, 0, 1), data(0xB202), data(0xB212), data(0xB210), data(0xB211), s(0x9C00, 0, 0xF0),
                 s(0x9C01, 0, 0xF0), s(0x9D00, 0, 0xF0), s(0x9E00, 0, 0xF0), s(0xB203, 0, 0xF0), rre(0xB22C, 1, 6)]
    controlled = [(si(0x82, 0, 5, 0), 0x49, 0x40), (s(0xB20D, 0, 0), 0x49, 0x20), (si(0x80, 0, 5, 8), 0x49, 0x10), (rx(0xB6, 1, 1, 5, 8), 0x49, 0x04),
                  (si(0xAC, 0xFF, 5, 8), 0x49, 0x02), (si(0xAD, 0, 5, 8), 0x49, 0x01), (data(0xB205), 0x4A, 0x80), (rr(0x09, 1, 6), 0x4A, 0x40),
                  (rr(0x08, 1, 6), 0x4A, 0x20), (s(0xB213, 6, 0), 0x4A, 0x10), (half(0xE501) + half(0x5000) + half(0), 0x4A, 0x02), (data(0xB208), 0x4B, 0x40),
                  (data(0xB209), 0x4B, 0x40), (data(0xB206), 0x4B, 0x20), (data(0xB207), 0x4B, 0x20), (rre(0xB221, 7, 6), 0x48, 0x01),
                  (rre(0xB229, 1, 6), 0x4A, 0x40), (rre(0xB22B, 1, 6), 0x4A, 0x20), (rre(0xB22A, 1, 6), 0x4A, 0x10),
                  (b"\x0a\x10", 0x40, 0x80)] + [(rx(0xB7, n, n, 5, 8), 0x44 + n // 8, 0x80 >> n % 8) for n in CONTROL]
    free = [s(0xB20A, 0, 0), s(0xB20B, 0, 0), rx(0xB1, 1, 0, 5, 0), rr(0x18, 1, 2), rr(0x04, 1, 0), si(0x93, 0, 5, 0), si(0xAF, 1, 5, 0), rr(0x1D, 2, 9)]
    for problem in (0, 1):
        for code in mandatory + free + (first if not problem else []):
            yield problem, code, 0, 0
        for code, at, bit in controlled:
            yield problem, code, at, 0
            yield problem, code, at, bit


def guest_data():
    return (double(0x0008000000000000 | CODE + 4) + word(0x01800000)).ljust(64, b"\0")


def describe(problem, at, bit):
    d = bytearray(256)
    put = lambda where, v: d.__setitem__(slice(where, where + len(v)), v)
    put(0x03, b"\x18")  # a System/370, V=R
    put(0x0A, half(0xFF))
    put(0x18, double(0x0008000000000000 | CODE | problem << 48))
    put(0x28, double(0x7FFFFFFFFFFFFFFF) + double(0xFFFFFFFFFFFFFF00))
    put(0x80, word(0x01800000) + word(TABLES))  # the host's storage keys are of 4K
    put(0xA0, word(0))
    if bit:
        d[at] |= bit
    return bytes(d)


def guest_image(cases):
    low = bytearray(low_page())
    memory = bytearray(RESULTS)
    put = lambda at, v: memory.__setitem__(slice(at, at + len(v)), v)
    far = lambda n, at: rx(0x41, n, 0, 0, at >> 12) + rx(0x89, n, 0, 0, 12)
    code = rr(0x05, 15, 0) + rx(0x41, 15, 0, 15, LITERALS - DRIVER - 2) + s(0xB210, 15, 0x14)
    again = len(code)
    code += rx(0x58, 14, 0, 15, 0) + far(12, HOST_PAGE) + rx(0x58, 13, 0, 15, 0x18) + ss(0xD2, 255, 12, 0, 13, 0) + ss(0xD2, 255, 12, 0x100, 13, 0x100)
    code += far(11, DESCRIPTION) + ss(0xD2, 255, 11, 0, 14, 0x100) + far(11, CODE) + ss(0xD2, 63, 11, 0, 14, 0x200) + far(11, DATA) + ss(0xD2, 63, 11, 0, 14, 0x240)
    code += far(11, TABLES) + b"".join(ss(0xD2, 255, 11, 256 * n, 13, 0x200 + 256 * n) for n in range(2))
    code += rx(0x98, 0, 13, 14, 0) + far(14, DESCRIPTION) + s(0xB214, 14, 0)
    code += rx(0x58, 14, 0, 15, 4) + far(13, DESCRIPTION) + ss(0xD2, 255, 14, 0, 13, 0) + far(12, HOST_PAGE) + ss(0xD2, 255, 14, 0x100, 12, 0)
    code += rx(0x58, 1, 0, 15, 0) + rx(0x41, 1, 0, 1, SIZE) + rx(0x50, 1, 0, 15, 0) + rx(0x41, 14, 0, 14, SIZE) + rx(0x50, 14, 0, 15, 4)
    code += rx(0x58, 1, 0, 15, 8) + rx(0x41, 2, 0, 0, 1) + rr(0x1B, 1, 2) + rx(0x50, 1, 0, 15, 8) + rr(0x12, 1, 1)
    code += rx(0x58, 2, 0, 15, 0xC) + rr(0x07, 7, 2) + si(0x82, 0, 15, 0x20)
    put(0, double(0x0008000080000000 | DRIVER))
    put(DRIVER, code)
    put(LITERALS, word(CASES) + word(RESULTS) + word(len(cases)) + word(0x80000000 | DRIVER + again) + word(0) + word(HOST_PAGE) + word(LOW) + word(0)
        + double(0x000A000080000000 | 0xDEAD))
    put(LOW, bytes(low) + tables())
    put(HANDLER, b"\x83\x22\0\0")
    for n, (problem, code, at, bit) in enumerate(cases):
        put(CASES + SIZE * n, b"".join(map(word, guest_registers())))
        put(CASES + SIZE * n + 0x100, describe(problem, at, bit))
        put(CASES + SIZE * n + 0x200, code + b"\x83\x11\0\0")
        put(CASES + SIZE * n + 0x240, guest_data())
    return bytes(memory)


def guest_registers():
    r = [0] * 16
    r[1], r[2], r[5], r[6], r[7] = 1, 2, DATA, FREE, TABLES + 0x100
    return r


def guests_of_hercules(cases, program):
    core = run_hercules(program, guest_image(cases), SIZE * len(cases), "ESA/390")
    results = []
    for n, (problem, code, _, _) in enumerate(cases):
        d, low = core[SIZE * n:SIZE * n + 0x100], core[SIZE * n + 0x100:SIZE * n + 0x200]
        stopped = int.from_bytes(d[0x56:0x58], "big")
        old = int.from_bytes(low[0x2D:0x30], "big")
        if d[0x50] != 4:
            results.append(f"code {d[0x50]:02x}")
        elif stopped == 0x8311 or stopped == 0x8322 and problem and old == CODE + len(code) + 4:
            results.append("completes")
        else:
            results.append("to the guest" if stopped == 0x8322 else "to the host")
    return results


def guests_of_pogo(cases, program):
    lines = []
    for problem, code, at, bit in cases:
        d = describe(problem, at, bit)
        number = lambda where, n: int.from_bytes(d[where:where + n], "big")
        registers = {f"r{n}": v for n, v in enumerate(guest_registers())}
        registers.update(interpreting=1, psw=number(0x18, 8), mse=0xFF, svc=d[0x40] >> 7, lctl=number(0x44, 2), ic=number(0x48, 4) & 0x0177F260, cr0=0x800000, cr1=TABLES,
                         description=DESCRIPTION, host_psw=0x0008000000000000, host_comparator=1 << 63, clock_comparator=1 << 63)
        memory = {}
        put = lambda where, v: memory.update({where + i: b for i, b in enumerate(v)})
        for where, v in ((0, low_page()), (HANDLER, b"\x83\x22\0\0"), (TABLES, tables()), (CODE, code + b"\x83\x11\0\0"), (DATA, guest_data())):
            put(where, v)
        lines.append(json.dumps({"registers": registers, "memory": {str(a): v for a, v in memory.items()}}))
    run = subprocess.run([program, "step", SPEC, "--extension", POLICY, "--states", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300)
    after = [json.loads(line) for line in run.stdout.splitlines()]
    if len(after) != len(cases):
        sys.exit(f"pogo step: exit code {run.returncode}\n{run.stderr}")
    return ["completes" if x["outcome"] == "completed" else "to the host" if int(str(x["registers"]["interpreting"]), 0) == 0 else "to the guest" for x in after]


def main():
    emulator = shutil.which("hercules")
    if emulator is None:
        print("no Hercules here")
        return 77
    random.seed(370)
    different = total = 0
    for das in (False, True):
        cases = list(dual()) if das else [*general(), *translation(), *control()]
        different += compare(cases, pogo(cases, sys.argv[1]), hercules(cases, emulator))
        total += len(cases)
    cases = list(guests())
    for (problem, code, at, bit), mine, other in zip(cases, guests_of_pogo(cases, sys.argv[1]), guests_of_hercules(cases, emulator), strict=True):
        if mine != other:
            different += 1
            print(f"guest in {'problem' if problem else 'supervisor'} state: {code.hex()} with {at:02x}.{bit:02x}: {mine}, Hercules {other}")
    total += len(cases)
    print(f"{total} instructions, {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
