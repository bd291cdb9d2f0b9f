#!/usr/bin/env python3
# One instruction at a time on SIMH's PDP-10 and on Pogo's: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# SIMH's `pdp10` is a KS10: asked about what it shares with the KA10, the PC word among it. R. Cornwell's `pdp10-ka`, where it is installed, is
# asked about everything. Exit code 0: all end in the same state; 1: not; 77: neither is there.
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SPEC = Path(__file__).resolve().parents[3] / "isa-spec/specs/pdp10.isa"
START, HANDLER, DATA, END = 0o1000, 0o1400, 0o2000, 0o2040
USER, IN_OUT, BIS = 0o010000, 0o004000, 0o020000
FLAGS = 0o774140  # the KA10's
WORD = (1 << 36) - 1
UNITS = {**dict.fromkeys(range(0o20, 0o40), 0), 0o40: 0, 0o41: 0o264 << 27 | HANDLER, 0o60: 0, 0o61: 0o264 << 27 | HANDLER}


def words():
    """Instructions, and whether the KA10 alone has them so."""
    random.seed(10)

    def word(op, a=None, immediate=False):
        a = random.randrange(16) if a is None else a
        if random.randrange(4) == 0:
            return op << 27 | a << 23 | 1 << 22 | random.randrange(DATA, END)  # indirect
        x = random.choice((0, 0, 14))  # accumulator 16 (octal) has a small number
        return op << 27 | a << 23 | x << 18 | (random.randrange(1 << 18) if immediate else random.choice((random.randrange(16), random.randrange(DATA, END - 8))))

    for op in [*range(0o200, 0o220), *range(0o270, 0o400), *range(0o400, 0o700), *range(0o220, 0o224), 0o250, 0o252, 0o253]:
        for _ in range(2):
            yield word(op), False
    for op in (0o240, 0o241, 0o242):
        for n in [*range(40), *range(-40, 0)]:
            yield op << 27 | random.randrange(14) << 23 | n & 0o777777, False
    for _ in range(12):
        for op in (0o260, 0o261, 0o262, 0o263, 0o264, 0o265, 0o266, 0o267):
            yield word(op, a=13), op == 0o264  # accumulator 15 (octal) is a stack; the KS10's JSR goes elsewhere with odd addresses
        yield word(0o255), False
        yield 0o254 << 27 | HANDLER, False
        yield 0o254 << 27 | 2 << 23 | 14 << 18 | HANDLER, True  # JRSTF by an accumulator
        yield 0o254 << 27 | 1 << 23 | HANDLER, True
        yield 0o254 << 27 | 10 << 23 | 14 << 18 | HANDLER, True
        for code in (0o400000, 0o200000, 0o600000, 0o240000, 0o640000, 0o340000):  # CONO, DATAO, CONI, CONSO of the in-out bus, APR, PI
            yield 0o7 << 33 | (code & 0o77777) << 18 | 0, None
        yield word(0o055), True
        yield word(0o000), True
        for op in (0o250, 0o254, 0o264, 0o265):  # XCT of EXCH, JRST, JSR, JSP
            yield (0o256 << 27 | DATA, word(op, a=0 if op == 0o254 else None)), op == 0o264
        yield (0o256 << 27 | DATA, 0o254 << 27 | 2 << 23 | 14 << 18 | HANDLER), True
        yield (0o256 << 27 | DATA, 0o254 << 27 | 1 << 23 | HANDLER), True



def states(both):
    for word, ka_alone in words():
        if ka_alone is None:
            word = random.choice((0o700140, 0o700240)) << 18 | DATA  # DATAO APR, CONI APR
            ka_alone = True
        if ka_alone and not both:
            continue
        word, executed = word if isinstance(word, tuple) else (word, None)
        mode = random.choice((0, USER, USER | IN_OUT))
        if word >> 23 == 0o254 << 4 | 10 and mode == 0 or word >> 18 == 0o700140:
            mode = random.choice((0, USER))
        flags = mode | random.choice((0, 0o700000)) & FLAGS | random.choice((0, BIS))
        ac = [random.choice((0, 1, WORD, 1 << 35, (1 << 35) - 1, random.randrange(1 << 36))) for _ in range(16)]
        ac[13] = (random.randrange(0o777000, 0o777700) << 18) | random.randrange(DATA + 4, END - 4)
        ac[14] = random.randrange(8) | (random.randrange(1 << 18) & FLAGS & ~0o000740) << 18
        x = word >> 18 & 15
        if not both and word >> 27 in (0o262, 0o266) and word + (ac[x] if x else 0) & 0o777777 == word >> 23 & 15 and not word >> 22 & 1:
            continue  # POP, JSA to their own accumulator: the KA10 writes it first, then what goes to memory
        memory = {a: random.randrange(1 << 18) << 18 & ~(0o37 << 18) | random.randrange(DATA, END) for a in range(DATA, END)}
        if executed is not None:
            memory[DATA] = executed
        yield word, flags, ac, memory


def simh(program, cases, ka):
    text = []
    for word, flags, ac, memory in cases:
        cells = {**UNITS, **dict(enumerate(ac)), **memory, START: word}
        text += [f"dep {a:o} {v:o}" for a, v in cells.items()]
        text += ["dep PL 777777", "dep RL 0", "dep PIH 0", "dep APRIRQ 0", "dep MEMPROT 0"] if ka else ["dep PION 0"]
        text += [f"dep FLAGS {flags >> 5 if ka else flags:o}", f"dep PC {START:o}", "echo CASE", "step 1", "ex PC,FLAGS", "ex 0-17,40-41,60-61", f"ex {DATA:o}-{END - 1:o},{HANDLER:o}"]
        if ka:
            text += ["ex PL,RL,PH,RH,PFLAG"]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.ini"
        script.write_text("\n".join([*text, "exit", ""]))
        out = subprocess.run([program, script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60).stdout
    results = []
    for part in out.replace("\r", "").split("CASE\n")[1:]:
        found = {(int(k, 8) if k.isdigit() else k): int(v.replace(" ", ""), 8) for k, v in re.findall(r"^(\w+):\t([0-7 ]+)$", part, re.M)}
        found["FLAGS"] = (found.get("FLAGS", 0) << (5 if ka else 0)) & FLAGS
        results.append(found)
    return results


def pogo(program, cases):
    lines = []
    for word, flags, ac, memory in cases:
        cells = {**UNITS, **memory, START: word}
        registers = {"flags": flags, "pc": START, "pl": 255, **{f"ac{n}": v for n, v in enumerate(ac)}}
        lines.append(json.dumps({"registers": registers, "memory": {str(a): v for a, v in cells.items()}}))
    run = subprocess.run([program, "step", SPEC, "--states", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60)
    results = []
    for line, (word, flags, ac, memory) in zip(run.stdout.splitlines(), cases):
        after = json.loads(line)
        value = lambda name: int(str(after["registers"][name]), 0)
        result = {"PC": value("pc"), "FLAGS": value("flags"), **{n: value(f"ac{n}") for n in range(16)}, **UNITS, **memory}
        for a, stored in after.get("memory", {}).items():
            for i, v in enumerate(stored if isinstance(stored, list) else [stored]):
                result[int(a, 0) + i] = int(str(v), 0)
        result["pl"] = value("pl"), value("rl")
        results.append(result)
    if len(results) != len(cases):
        sys.exit(f"pogo step: exit code {run.returncode}\n{run.stderr}")
    return results


def compare(emulator, ka):
    cases = list(states(ka))
    different = 0
    for (word, flags, _, _), mine, other in zip(cases, pogo(sys.argv[1], cases), simh(emulator, cases, ka), strict=True):
        if ka:
            mine["PL"], mine["RL"] = mine["pl"][0] << 10 | 0o1777, mine["pl"][1] << 10
        del mine["pl"]
        ignored = 0
        if word >> 27 in range(0o220, 0o224) and mine["FLAGS"] & 0o400000:
            ignored = 1 << 35  # the sign of a product that does not fit
        if word >> 18 == 0o700240:
            ignored = 0o1000  # the clock
        wrong = [f"{k if isinstance(k, str) else oct(k)}: {v:o}, not {other[k]:o}" for k, v in mine.items() if k in other and (v ^ other[k]) & ~ignored]
        if wrong:
            different += 1
            print(f"{word:012o} flags {flags:06o} —", "; ".join(wrong))
    print(f"{Path(emulator).name}: {len(cases)} instructions, {different} different")
    return different


def main():
    there = [(shutil.which(name), ka) for name, ka in (("pdp10", False), ("pdp10-ka", True)) if shutil.which(name)]
    if not there:
        print("neither pdp10 nor pdp10-ka is here")
        return 77
    return 1 if sum([compare(*one) for one in there]) else 0


sys.exit(main())
