#!/usr/bin/env python3
# Compares single instructions of alpha.isa in user mode with QEMU (qemu-alpha -cpu ev56): oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each case is a program of its own for Linux: it loads registers, executes one instruction, stores registers and tells them. A signal counts as a trap.
# Exit code: 0 agree, 1 differ, 77 no emulator.

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import emulator

SPEC = emulator.SPECS / "alpha.isa"
BASE, CODE, SCRATCH = 0x120000000, 0x120000400, 0x120001000
MEMORY = bytes((7 * i + 0x81) % 256 for i in range(64))
GENERAL = [n for n in range(28)]
VALUES = {1: 0x7FFFFFFFFFFFFFF0, 2: 0x80FF7F0012345678, 3: SCRATCH + 16, 4: 9, 5: 0xFFFFFFFFFFFFFFFB, 6: 0, 16: 3, 17: 0x40}


def memory_format(op, ra, rb, d):
    return op << 26 | ra << 21 | rb << 16 | d & 0xFFFF


def operate(op, func, ra, rb, rc):
    return op << 26 | ra << 21 | rb << 16 | func << 5 | rc


def literal(op, func, ra, n, rc):
    return op << 26 | ra << 21 | n << 13 | 1 << 12 | func << 5 | rc


def cases():
    for name, op in [("lda", 8), ("ldah", 9), ("ldl", 0x28), ("ldq", 0x29), ("ldq_u", 0x0B), ("ldbu", 0x0A), ("ldwu", 0x0C), ("stl", 0x2C), ("stq", 0x2D),
                     ("stb", 0x0E), ("stw", 0x0D), ("ldl_l", 0x2A), ("ldq_l", 0x2B)]:
        for d in (0, -8, 8):
            yield name, memory_format(op, 2, 3, d), []
    for name, op in [("stl_c", 0x2E), ("stq_c", 0x2F)]:
        yield name, memory_format(op, 2, 3, 0), []
        yield name + " after its load", memory_format(op, 2, 3, 0), [memory_format(op - 4, 7, 3, 0)]
    for name, op, func in [("addl", 0x10, 0), ("addq", 0x10, 0x20), ("subq", 0x10, 0x29), ("s8addq", 0x10, 0x32), ("cmpeq", 0x10, 0x2D), ("cmplt", 0x10, 0x4D),
                           ("cmpult", 0x10, 0x1D), ("mulq", 0x13, 0x20), ("and", 0x11, 0), ("bic", 0x11, 8), ("bis", 0x11, 0x20), ("xor", 0x11, 0x40),
                           ("cmoveq", 0x11, 0x24), ("sll", 0x12, 0x39), ("srl", 0x12, 0x34), ("sra", 0x12, 0x3C), ("extbl", 0x12, 6)]:
        for ra, rb in [(1, 2), (2, 4), (5, 1), (6, 2), (2, 2), (31, 5)]:
            yield "%s r%d,r%d" % (name, ra, rb), operate(op, func, ra, rb, 8), []
        yield name + " literal", literal(op, func, 2, 0xA5, 8), []
    yield "addq/v", operate(0x10, 0x60, 4, 5, 8), []
    yield "addq/v, overflow", operate(0x10, 0x60, 1, 1, 8), []
    for op in range(0x38, 0x40):
        for ra in (1, 2, 6, 4):
            yield "branch %x r%d" % (op, ra), op << 26 | ra << 21 | 1, []
    yield "br", 0x30 << 26 | 7 << 21 | 1, []
    yield "bsr", 0x34 << 26 | 7 << 21 | 1, []
    yield "amask", operate(0x11, 0x61, 31, 2, 8), []
    yield "implver", literal(0x11, 0x6C, 31, 1, 8), []
    for name, code in [("trapb", 0), ("excb", 0x400), ("mb", 0x4000), ("wmb", 0x4400), ("fetch", 0x8000), ("fetch_m", 0xA000), ("ecb", 0xE800)]:
        yield name, memory_format(0x18, 31 if code & 0x8000 else 0, 3 if code & 0x8000 else 0, code), []
    yield "rc after rs", memory_format(0x18, 8, 0, 0xE000), [memory_format(0x18, 7, 0, 0xF000)]
    yield "rs after rc", memory_format(0x18, 8, 0, 0xF000), [memory_format(0x18, 7, 0, 0xE000)]
    for op in (0x19, 0x1B, 0x1D, 0x1E, 0x1F):
        yield "pal%x" % op, memory_format(op, 1, 2, 0), []
    for n in (0, 1, 2, 0x10, 0x11, 0x2B, 0x2D, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x3A, 0x3C, 0x3D, 0x3E, 0x3F, 0x80, 0x81, 0x86, 0xAA):
        yield "call_pal %x" % n, n, []
    yield "rdunique after wrunique", 0x9E, [0x9F]


def program(word, before):
    code = []
    code.append(0x30 << 26 | 28 << 21)  # br r28, +0: its value is CODE + 4
    base = CODE + 4
    table = BASE + 0x200

    def register(op, n, address, pointer=28, origin=base):
        return memory_format(op, n, pointer, address - origin)

    for n in GENERAL:
        code.append(register(0x29, n, table + 8 * n))
    code += before
    place = CODE + 4 * len(code)
    code.append(word)
    code.append(0x47FF041F)  # nop; taken branches leave it out
    result = SCRATCH + 0x100
    for n in GENERAL:
        code.append(register(0x2D, n, result + 8 * n))
    code += [register(0x08, 17, SCRATCH), literal(0x11, 0x20, 31, 1, 16), memory_format(0x08, 18, 31, 0x100 + 8 * len(GENERAL)), literal(0x11, 0x20, 31, 4, 0), 0x83]
    code += [literal(0x11, 0x20, 31, 0, 16), literal(0x11, 0x20, 31, 1, 0), 0x83]
    image = bytearray(0x2000)
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 0x9026, 1, CODE, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    header += struct.pack("<IIQQQQQQ", 1, 7, 0, BASE, BASE, 0x2000, 0x2000, 0x2000)
    image[: len(header)] = header
    for n in GENERAL:
        struct.pack_into("<Q", image, 0x200 + 8 * n, VALUES.get(n, n))
    for i, w in enumerate(code):
        struct.pack_into("<I", image, 0x400 + 4 * i, w)
    image[0x1000 : 0x1000 + len(MEMORY)] = MEMORY
    return bytes(image), place


def emulate(qemu, image, folder):
    path = os.path.join(folder, "case")
    with open(path, "wb") as file:
        file.write(image)
    os.chmod(path, 0o700)
    run = subprocess.run([qemu, "-cpu", "ev56", path], capture_output=True, timeout=20, stdin=subprocess.DEVNULL, cwd=folder)
    if run.returncode:
        return None
    return [struct.unpack_from("<Q", run.stdout, 0x100 + 8 * n)[0] for n in GENERAL], run.stdout[: len(MEMORY)]


def start(words, place, image):
    """Page tables in pages 1 to 3 map the program's page to page 4."""
    memory = {0x2000: 2 << 32 | 1, 0x4000 + 8 * (BASE >> 23 & 0x3FF): 3 << 32 | 1, 0x6000: 4 << 32 | 0x3301}
    cells = {hex(at): list(v.to_bytes(8, "little")) for at, v in memory.items()}
    cells[hex(0x8000)] = list(image)
    registers = {"r%d" % n: VALUES.get(n, n) for n in GENERAL} | {"ps": 8, "ptbr": 1, "fen": 1, "pc": place, "r28": CODE + 4}
    return registers, cells


RESULTS = 0x400000


def system(pogo, folder):
    """modes.s as a kernel of QEMU's, with QEMU's PALcode, and on the model: what it leaves at RESULTS."""
    qemu = shutil.which("qemu-system-alpha")
    if not qemu:
        return []
    source = str(pathlib.Path(__file__).with_name("modes.s"))
    image = emulator.image(0x1000, emulator.assemble(pogo, SPEC, source), 0x310000)
    entry = 0xFFFFFC0000310000
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 0x9026, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    header += struct.pack("<IIQQQQQQ", 1, 7, 0x2000, entry, entry, len(image), len(image), 0x2000)
    kernel = os.path.join(folder, "kernel")
    with open(kernel, "wb") as file:
        file.write(header + bytes(0x2000 - len(header)) + image)
    theirs = emulator.run_theirs(qemu, ["-kernel", kernel, "-nodefaults"], folder, RESULTS, 0x200, last=0x1F8)
    ours = emulator.run_ours(pogo, SPEC, ["--asm", source, "--set", "pc=0x%x" % entry, "--cycles", "2000"], RESULTS, 0x200)
    if len(theirs) != 0x200:
        return ["no memory of QEMU's"]
    return ["modes.s at %x: %x, QEMU %x" % (at, a, b) for at in range(0, 0x200, 8)
            for a, b in [(struct.unpack_from("<Q", ours, at)[0], struct.unpack_from("<Q", theirs, at)[0])] if a != b]


def main():
    pogo, qemu = emulator.find("qemu-alpha")
    todo = list(cases())
    found = []
    states = []
    with tempfile.TemporaryDirectory() as folder:
        for name, word, before in todo:
            image, place = program(word, before)
            found.append(emulate(qemu, image, folder))
            registers, cells = start([], place - 4 * len(before), image)
            states.append([registers, cells, len(before)])
        wrong = system(pogo, folder)

    def step(indices):
        text = "".join(json.dumps({"registers": states[i][0], "memory": states[i][1]}) + "\n" for i in indices)
        run = subprocess.run([pogo, "step", str(SPEC), "--states", "-", "--keep"], input=text, capture_output=True, text=True, timeout=120)
        if run.returncode:
            sys.exit(run.stderr)
        return [json.loads(line) for line in run.stdout.splitlines()]

    early = [i for i in range(len(todo)) if states[i][2]]
    for i, answer in zip(early, step(early)):
        states[i][0] = answer["registers"]
    answers = step(range(len(todo)))
    for line in wrong:
        print(line)
    differ = 1 if wrong else 0
    for (name, word, before), theirs, answer, (registers, cells, _) in zip(todo, found, answers, states):
        if answer["outcome"] == "trapped" or theirs is None:
            if theirs is not None or answer["outcome"] != "trapped":
                differ += 1
                print("%s: %s, QEMU %s" % (name, answer["outcome"], "a signal" if theirs is None else "completes"))
            continue
        content = emulator.stored(answer, 0x8000, cells[hex(0x8000)])
        wrong = ["r%d %x, QEMU %x" % (n, answer["registers"]["r%d" % n], theirs[0][n]) for n in GENERAL if answer["registers"]["r%d" % n] != theirs[0][n]]
        if content[0x1000 : 0x1000 + len(MEMORY)] != theirs[1]:
            wrong.append("memory")
        if wrong:
            differ += 1
            print("%s: %s" % (name, "; ".join(wrong)))
    print("%d cases and a kernel, %d differ" % (len(todo), differ))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
