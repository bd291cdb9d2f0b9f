#!/usr/bin/env python3
# One instruction at a time on SIMH's PDP-11/45 and on Pogo's: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each case is a state and an instruction. SIMH executes it and then the BR to itself that fills the memory around and is the handler of every
# trap, so that it stops after the entry. Exit code 0: all end in the same state; 1: not; 77: no SIMH.
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SPEC = Path(__file__).resolve().parents[3] / "isa-spec/specs/pdp11.isa"
START, TARGET, HANDLER = 0o1000, 0o1440, 0o2000
DATA, STACKS, END = 0o2200, (0o2400, 0o2440, 0, 0o2500), 0o2520
FILL = 0o777  # BR .
VECTORS = (0o4, 0o10, 0o14, 0o20, 0o30, 0o34, 0o250)
BANKS = [f"R{bank}{n}" for bank in "01" for n in range(6)]


def cases():
    random.seed(11)
    near = lambda: random.randrange(DATA + 0o40, DATA + 0o100, 2)

    def operand(at, size=2, modes=range(13)):
        """Mode and register, and the word behind them where there is one; `at` is that word's address."""
        case, n = random.choice(list(modes)), random.randrange(2, 6)
        if case < 8:
            n = random.randrange(0, 6) if case == 0 else n
            return case << 3 | n, [random.randrange(-8, 8, 2) & 0xFFFF] if case > 5 else []
        if case == 8:
            return 0o06, []
        return [(0o27, [random.randrange(0x10000)]), (0o37, [near()]), (0o67, [near() - at - 2 & 0xFFFF]), (0o77, [near() - at - 2 & 0xFFFF])][case - 9]

    double = [b << 15 | n << 12 for n in range(1, 6) for b in (0, 1)] + [0o060000, 0o160000]
    single = [b << 15 | n << 6 for n in range(0o50, 0o64) for b in (0, 1)] + [0o000300, 0o006700]
    store = [mode for mode in range(13) if mode != 9]
    for code in double * 12:
        src, words = operand(START + 2)
        reads = code & 0o070000 in (0o020000, 0o030000)
        dst, more = operand(START + 2 + 2 * len(words), modes=range(13) if reads else store)
        yield [code | src << 6 | dst, *words, *more]
    for code in single * 6:
        dst, words = operand(START + 2, modes=store)
        yield [code | dst, *words]
    for code in (0o070000, 0o071000, 0o072000, 0o073000) * 12:
        src, words = operand(START + 2)
        yield [code | random.choice((0, 2, 4)) << 6 | src, *words]
    for n in range(6):
        yield [0o074000 | n << 6 | 0o12]
        yield [0o077000 | n << 6 | 5]
    for c in [*range(1, 8), *range(0x80, 0x88)] * 4:
        yield [c << 8 | random.randrange(0x30)]
    for code in [*range(0o240, 0o300)]:
        yield [code]
    for dst in ([0o37, TARGET], [0o67, TARGET - START - 4]):
        yield [0o000100 | dst[0], dst[1]]
        yield [0o004000 | random.randrange(6) << 6 | dst[0], dst[1]]
        yield [0o004700 | dst[0], dst[1]]
    yield from ([code] for code in (0o000207, 0o104001, 0o104401, 3, 4, 0o000010, 0o000101, 0o004001, 0o007000, 0o106400))
    # What is the kernel's.
    for _ in range(12):
        yield from ([code] for code in (2, 6, 5))
        yield [0o230 | random.randrange(8)]
        for code in (0o006500, 0o006600, 0o106500, 0o106600):
            yield [code | random.choice((0o06, 0o06, 0o01, 0o12, 0o14))]
        yield [0]


def state(words, relocated):
    mode = random.choice((0, 1, 3))
    if words == [0]:
        mode = random.choice((1, 3))  # HALT of the kernel's stops SIMH
    psw = mode << 14 | random.choice((0, 1, 3)) << 12 | random.randrange(2) << 11 | random.randrange(8) << 5 | random.randrange(16)
    registers = {name: random.randrange(DATA + 0o40, DATA + 0o100, 2) for name in BANKS}
    for name in BANKS:
        if name[2] in "01" or words[0] >> 12 == 7 and words[0] & 0o70 == 0:
            registers[name] = random.choice((0, 1, 0x7FFF, 0x8000, 0xFFFF, random.randrange(0x10000)))
        if words[0] >> 9 == 0o71 and words[0] & 0o70 == 0 and name[2] in "024":
            registers[name] = random.choice((0, 0xFFFF, random.randrange(16)))
    registers.update(PSW=psw, PC=START, KSP=STACKS[0], SSP=STACKS[1], USP=STACKS[3])
    memory = {a: random.randrange(DATA + 0o40, DATA + 0o100, 2) for a in range(DATA, END, 2)}
    for top in STACKS:  # what RTI and RTS take
        memory[top], memory[top + 2] = TARGET, random.randrange(0x10000) & 0o174357
        if memory[top + 2] >> 14 == 2 or memory[top + 2] >> 12 & 3 == 2:
            memory[top + 2] &= 0o007777
    return registers, memory, relocated


def simh(runs, program):
    """The states at the end, as names and addresses with values."""
    text = ["set cpu 11/45", *(f"dep {v:o} {HANDLER:o}\ndep {v + 2:o} 340" for v in VECTORS)]
    for words, (registers, memory, relocated) in runs:
        text += [f"dep {START - 0o100:o}-{HANDLER + 0o20:o} {FILL:o}", "dep TRAPS 0", "dep MMR0 0", "dep MMR3 0", "dep STKLIM 0", "dep WAIT 0"]
        text += [f"dep {name} {value:o}" for name, value in registers.items()]
        text += [f"dep {a:o} {v:o}" for a, v in [*memory.items(), *((START + 2 * i, w) for i, w in enumerate(words))]]
        if relocated:
            text += [f"dep {m}{s}PDR0 77406" for m in "KSU" for s in "ID"] + ["dep MMR3 5", "dep MMR0 1"]
            text += [f"dep {m}{s}PAR0 0" for m in "KSU" for s in "ID"]
        text += ["echo CASE", "step 2", f"ex PC,PSW,KSP,SSP,USP,{','.join(BANKS)},MMR0", f"ex {DATA:o}-{END - 2:o}"]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.ini"
        script.write_text("\n".join([*text, "exit", ""]))
        out = subprocess.run([program, script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60).stdout
    results = []
    for part in out.split("CASE\n")[1:]:
        pairs = re.findall(r"^(\w+):\t([0-7]+)$", part, re.M)
        results.append({(int(k, 8) if k.isdigit() else k): int(v, 8) for k, v in pairs})
    return results


def pogo(runs, program):
    lines = []
    for words, (registers, memory, relocated) in runs:
        rs = registers["PSW"] >> 11 & 1
        regs = {"psw": registers["PSW"], "pc": START, "ksp": registers["KSP"], "ssp": registers["SSP"], "usp": registers["USP"]}
        for n in range(6):
            regs[f"r{n}"], regs[f"other{n}"] = registers[f"R{rs}{n}"], registers[f"R{1 - rs}{n}"]
        if relocated:
            regs.update({name: 0o77406 for name in ("kpdr0", "kpdr8", "spdr0", "spdr8", "updr0", "updr8")}, mmr0=1, mmr3=5)
        cells = {a: v for a, v in memory.items()}
        cells.update({v: HANDLER for v in VECTORS})
        cells.update({v + 2: 0o340 for v in VECTORS})
        cells.update({START + 2 * i: w for i, w in enumerate(words)})
        lines.append(json.dumps({"registers": regs, "memory": {str(a): [v & 255, v >> 8] for a, v in cells.items()}}))
    run = subprocess.run([program, "step", SPEC, "--states", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60)
    results = []
    for line, (words, (registers, memory, relocated)) in zip(run.stdout.splitlines(), runs):
        after = json.loads(line)
        value = lambda name: int(str(after["registers"][name]), 0)
        psw = value("psw")
        result = {"PC": value("pc"), "PSW": psw, "KSP": value("ksp"), "SSP": value("ssp"), "USP": value("usp")}
        for n in range(6):
            result[f"R{psw >> 11 & 1}{n}"], result[f"R{1 - (psw >> 11 & 1)}{n}"] = value(f"r{n}"), value(f"other{n}")
        units = {a + i: v >> 8 * i & 255 for a, v in memory.items() for i in (0, 1)}
        for a, stored in after.get("memory", {}).items():
            stored = stored if isinstance(stored, list) else [stored]
            units.update({int(a, 0) + i: int(str(v), 0) for i, v in enumerate(stored)})
        result.update({a: units[a] | units[a + 1] << 8 for a in range(DATA, END, 2)})
        results.append(result)
    if len(results) != len(runs):
        sys.exit(f"pogo step: exit code {run.returncode}\n{run.stderr}")
    return results


def main():
    emulator = shutil.which("pdp11")
    if emulator is None:
        print("no SIMH pdp11 here")
        return 77
    runs = [(words, state(words, relocated)) for relocated in (False, True) for words in cases()]
    ours, theirs = pogo(runs, sys.argv[1]), simh(runs, emulator)
    different = 0
    for (words, (registers, _, relocated)), mine, other in zip(runs, ours, theirs, strict=True):
        if words[0] >> 9 == 0o71 and other["PSW"] & 2:  # DIV that fails leaves N and Z unpredictable
            mine["PSW"], other["PSW"] = mine["PSW"] & ~0o14, other["PSW"] & ~0o14
        wrong = [f"{k if isinstance(k, str) else oct(k)}: {v:o}, SIMH {other.get(k, 0):o}" for k, v in mine.items() if v != other.get(k)]
        if wrong:
            different += 1
            print(" ".join(f"{w:06o}" for w in words), f"PSW {registers['PSW']:06o}", "relocated" if relocated else "", "—", "; ".join(wrong))
    print(f"{len(runs)} instructions, {different} different")
    return 1 if different else 0


sys.exit(main())
