# Compares powerpc.isa with hv=traps with QEMU's POWER8, which has a hypervisor state: what the hypervisor and a partition's system may do, and
# where it goes. For oracle.py, which has the users.
# SPDX-License-Identifier: Apache-2.0
#
# The hypervisor enters each case by RFID, or by HRFID where the case is about RFID, and the first exception is noted: vector, SRR0, whether
# it is one for privilege, HV and ME of the handler. SC is the end of cases that complete. What RFID, HRFID and MTMSR load wants HV turned round
# and ME cleared, so that it shows what they leave alone.
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile

import emulator

TABLE, CASES, LANDING, LOG = 0x8000, 0x20000, 0x1F000, 0x40000
HV, SF, ME = 1 << 60, 1 << 63, 0x1000
OUR_HV = 1 << 24
STATES = {"hypervisor": HV, "system": 0}
NAMES = ["vector", "SRR0", "privilege", "HV", "ME"]
PARAMETERS = ["--param", "hv=traps", "--param", "pages=false"]


def move(n, opcode):
    return 31 << 26 | 11 << 21 | (n & 31) << 16 | n >> 5 << 11 | opcode << 1


# The words of the 32-bit machine, and of the 64-bit one where it has others
CASES_OF = [("mfspr %d" % n, move(n, 339)) for n in (22, 25, 26, 27, 268, 272, 287, 304, 312, 313, 314, 315, 318, 1008)]
CASES_OF += [("mtspr %d" % n, move(n, 467)) for n in (8, 22, 25, 26, 27, 272, 284, 285, 304, 312, 313, 314, 315, 318, 1008)]
CASES_OF += [("mfmsr", 0x7D6000A6), ("mtmsr", 0x7D600124, 0x7D600164), ("rfi", 0x4C000064, 0x4C000024), ("hrfid", 0x4C000224), ("sc", 0x44000002),
             ("sc 1", 0x44000022), ("tlbie", 0x7C005A64), ("tlbsync", 0x7C00046C)]
# ISA has TBL and TBU written by the hypervisor alone, which QEMU 7.2 lets everybody do that is privileged; and ME loaded by its RFID alone.
QEMU_DOES_OTHERWISE = [("mtspr 284", "system"), ("mtspr 285", "system"), ("rfi", "system")]
TODO = [(case, state) for case in CASES_OF for state in STATES if (case[0], state) not in QEMU_DOES_OTHERWISE]


def entered(case, state):
    """SRR0, SRR1, HSRR0, HSRR1, %r11 and whether it is by HRFID."""
    here = (CASES + 8 * CASES_OF.index(case), SF | ME | STATES[state])
    there = (LANDING, SF | STATES[state] ^ HV)
    by_hrfid = case[0] == "rfi"
    value = 0 if case[0] != "mtmsr" else there[1]
    return (*(there if by_hrfid else here), *(here if by_hrfid else there), value, by_hrfid)


def program():
    """The hypervisor, for GNU as."""
    text = [".org 0x10", "b start"]
    for vector in (0x300, 0x400, 0x600, 0x700, 0x800, 0xC00, 0xE40, 0xF60, 0xF80):
        text += [".org 0x%x" % vector, "li 27,0x%x" % vector, "b common"]
    text += [".org 0x2000", "common:", "cmpwi 25,0", "beq loop", "li 25,0", "std 27,0(26)", "mfspr 27,26", "std 27,8(26)"]
    text += ["mfspr 27,27", "std 27,16(26)", "mfmsr 27", "std 27,24(26)", "addi 26,26,32", "sc 1"]
    text += ["start:", "lis 26,%d" % (LOG >> 16), "li 28,0", "ori 28,28,0x%x" % TABLE]
    text += ["loop:", "li 3,0", "mtspr 318,3", "mtspr 313,3", "mtspr 312,3", "li 25,1"]
    text += ["ld %d,%d(28)" % (register, 8 * i) for i, register in enumerate((3, 4, 5, 6, 11, 7))]
    text += ["addi 28,28,48", "cmpldi 3,0", "beq done", "mtspr 26,3", "mtspr 27,4", "mtspr 314,5", "mtspr 315,6", "cmpwi 7,0", "bne 1f", "rfid", "1: hrfid"]
    text += ["done:", "li 3,1", "stw 3,0(26)", "self:", "b self"]
    return "\n".join(text) + "\n"


def theirs(qemu, folder):
    path = pathlib.Path(folder)
    (path / "hypervisor.s").write_text(program())
    subprocess.run(["powerpc-linux-gnu-as", "-a64", "-mpower8", "-mbig", "-o", "hypervisor.o", "hypervisor.s"], check=True, cwd=folder)
    subprocess.run(["powerpc-linux-gnu-objcopy", "-O", "binary", "-j", ".text", "hypervisor.o", "hypervisor"], check=True, cwd=folder)
    words = b"".join(struct.pack(">II", case[-1], 0x44000002) for case in CASES_OF)
    table = b"".join(struct.pack(">6Q", *entered(case, state)) for case, state in TODO) + bytes(8)
    pieces = [(0, (path / "hypervisor").read_bytes()), (TABLE, table), (CASES, words), (LANDING, struct.pack(">I", 0x44000002))]
    (path / "image").write_bytes(emulator.image(0x100000, pieces))
    size = 32 * len(TODO) + 4
    found = emulator.run_theirs(qemu, ["-M", "powernv8", "-nodefaults", "-vga", "none", "-bios", "image"], folder, LOG, size)
    if len(found) != size or found[-1] != 1:
        return None
    return [struct.unpack_from(">4Q", found, 32 * i) for i in range(len(TODO))]


def ours(pogo, spec):
    states = []
    for case, state in TODO:
        srr0, srr1, hsrr0, hsrr1, value, by_hrfid = entered(case, state)
        # to the 32-bit machine's MSR
        srr1, hsrr1, value = (v & 0xFFFF | (OUR_HV if v & HV else 0) for v in (srr1, hsrr1, value))
        registers = {"pc": hsrr0 if by_hrfid else srr0, "msr": hsrr1 if by_hrfid else srr1, "srr0": srr0, "srr1": srr1, "hsrr0": hsrr0, "hsrr1": hsrr1, "r11": value,
                     "lpcr": 0x4 | 8 << 26}  # LPES1, which POWER8 does not have: exceptions leave HV alone
        states.append(json.dumps({"registers": registers, "memory": {str(registers["pc"]): list(struct.pack(">I", case[1]))}}))
    run = subprocess.run([pogo, "step", str(spec), *PARAMETERS, "--states", "-"], input="\n".join(states) + "\n", capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in run.stdout.splitlines()]


def compare(pogo, spec):
    """Cases, and how many differ; (0, 0) without the emulator or the assembler."""
    qemu = shutil.which("qemu-system-ppc64")
    if not qemu or not shutil.which("powerpc-linux-gnu-as"):
        print("no qemu-system-ppc64 or no powerpc-linux-gnu-as: nothing about partitions")
        return 0, 0
    with tempfile.TemporaryDirectory() as folder:
        found = theirs(qemu, folder)
    if found is None:
        print("QEMU did not finish the cases of partitions")
        return len(TODO), len(TODO)
    differ = 0
    for (case, state), (vector, srr0, srr1, msr), outcome in zip(TODO, found, ours(pogo, spec), strict=True):
        after = outcome["registers"]
        trapped = outcome["outcome"] == "trapped"
        mine = [after["pc"] & 0xFFFF if trapped else 0xC00, after["srr0"] if trapped else after["pc"] + 4, trapped and after["srr1"] >> 18 & 1, after["msr"] >> 24 & 1, after["msr"] >> 12 & 1]
        their = [vector, srr0, vector == 0x700 and srr1 >> 18 & 1, msr >> 60 & 1, msr >> 12 & 1]
        wrong = ["%s %x, QEMU %x" % (name, a, b) for name, a, b in zip(NAMES, mine, their) if a != b]
        if wrong:
            differ += 1
            print("%s (%s): %s" % (case[0], state, "; ".join(wrong)))
    return len(TODO), differ
