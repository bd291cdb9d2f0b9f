#!/usr/bin/env python3
# Compares ia64.isa with GNU as for ia64 (encodings) and with the simulator Ski (meanings): oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each line is assembled by both, in a bundle of its own: 16 bytes that have to be equal. Then Ski and Pogo's model execute it at levels 0, 1 and 3, with and
# without PSR.ic, PSR.si and PSR.sp, and short programs with translation on. IA64_AS and SKI name the assembler and Ski's batch program, if they are not in the
# path. Exit code: 0 agree, 1 differ, 77 no assembler; without Ski the encodings alone are compared.

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SPEC = pathlib.Path(__file__).resolve().parents[3] / "isa-spec" / "specs" / "ia64.isa"

CONTROL = ["dcr", "itm", "iva", "pta", "lid", "tpr", "eoi", "itv", "ipsr", "isr", "iip", "ifa", "itir", "iipa", "ifs", "iim", "iha"]
READ_ONLY = ["ivr", "irr0", "irr1", "irr2", "irr3"]
AR_M = ["k0", "k3", "k7", "rsc", "bspstore", "rnat", "ccv", "unat", "fpsr", "itc"]
AR_I = ["pfs", "lc", "ec"]
M = (
    ["mov cr.%s=r9" % c for c in CONTROL] + ["mov r9=cr.%s" % c for c in CONTROL + READ_ONLY]
    + ["mov.m ar.%s=r33" % a for a in AR_M] + ["mov.m r33=ar.%s" % a for a in AR_M + ["bsp"]]
    + ["mov %s[r17]=r33" % f for f in ("rr", "dbr", "ibr", "pkr", "pmc", "pmd")]
    + ["mov r9=%s[r17]" % f for f in ("rr", "dbr", "ibr", "pkr", "pmc", "pmd", "cpuid")]
    + ["mov r9=psr", "mov psr.l=r9", "mov r9=psr.um", "mov psr.um=r9", "ssm 8192", "ssm 16384", "ssm 8388608", "rsm 2097152", "rsm 24576", "sum 2", "sum 63", "rum 4"]
    + ["itc.d r9", "itc.i r40", "itr.d dtr[r9]=r40", "itr.i itr[r40]=r9", "ptc.l r9,r38", "ptc.g r9,r38", "ptc.ga r9,r38", "ptc.e r9", "ptr.d r9,r38", "ptr.i r9,r38"]
    + ["probe.r r9=r40,2", "probe.w r9=r40,3", "probe.r.fault r40,1", "tpa r9=r40", "tak r9=r40", "thash r9=r40", "ttag r9=r40", "fc r9", "fc.i r9"]
    + ["flushrs", "loadrs", "break.m 0", "break.m 1048576", "break.m 74565", "srlz.d", "srlz.i", "sync.i", "invala", "fwb", "mf", "nop.m 0"]
    + ["(p6) ld8 r9=[r40]", "(p0) ld8.a r9=[r40]", "(p63) ld8.acq r9=[r40]", "(p1) ld8.c.clr r9=[r40]", "(p6) ld1 r9=[r40]", "(p6) st8 [r9]=r40", "(p6) st1 [r9]=r40"]
    + ["(p6) cmpxchg8.acq r9=[r40],r41,ar.ccv", "(p6) add r9=r40,r41", "(p6) sub r9=r40,r41", "(p6) and r9=r40,r41", "(p6) or r9=r40,r41", "(p6) xor r9=r40,r41"]
    + ["(p6) adds r9=8191,r40", "(p6) adds r9=-8192,r40", "(p6) cmp.lt p7,p8=r40,r41", "(p6) cmp.ltu p7,p8=r40,r41", "(p6) cmp.eq p7,p8=r40,r41"]
)
I = (
    ["mov.i ar.%s=r33" % a for a in AR_I] + ["mov.i r33=ar.%s" % a for a in AR_I]
    + ["(p6) tbit.z p7,p8=r40,41", "(p6) mov b3=r40", "(p6) mov r40=b3", "(p6) mov r40=ip", "(p6) mov r40=pr"]
)
X = ["(p6) movl r9=0x123456789abcdef0", "(p0) movl r40=0xfedcba9876543210"]
B = [
    "cover", "clrrrb", "epc", "rfi", "bsw.0", "bsw.1", "vmsw.0", "vmsw.1", "break.b 0", "break.b 1193046",
    "(p6) br.cond.sptk.few b3", "(p6) br.call.sptk.few b5=b3", "(p6) br.ret.sptk.few b3", "(p0) br.ret.sptk.few b0",
]
ALLOC = [("alloc r40=ar.pfs,9,12,0", "alloc r40=ar.pfs,4,5,3,0"), ("alloc r3=ar.pfs,5,9,1", "alloc r3=ar.pfs,5,0,4,8"), ("alloc r9=ar.pfs,60,96,12", "alloc r9=ar.pfs,0,60,36,96")]
BRANCHES = ["(p6) br.cond.sptk.few %s", "(p6) br.call.sptk.few b5=%s"]
BUNDLE = {"M": "{ .mmi; %s;; nop.m 0; nop.i 0;; }", "I": "{ .mii; nop.m 0; %s; nop.i 0;; }", "B": "{ .mib; nop.m 0; nop.i 0; %s;; }", "X": "{ .mlx; nop.m 0; %s;; }"}


def lines():
    for unit, texts in (("M", M), ("I", I), ("X", X), ("B", B)):
        for text in texts:
            yield unit, text, text
    for text, other in ALLOC:  # inputs, locals, outputs, rotating
        yield "M", text, other


def assembler():
    named = os.environ.get("IA64_AS")
    return named if named else shutil.which("ia64-linux-gnu-as")


def theirs(tool, folder, cases):
    source, target, image = (os.path.join(folder, n) for n in ("g.s", "g.o", "g.bin"))
    text = [".explicit", ".text"]
    for unit, _, line in cases:
        text.append(BUNDLE[unit] % line)
    for i, branch in enumerate(BRANCHES):
        text += ["target%d:" % i, BUNDLE["M"] % "nop.m 0", BUNDLE["B"] % (branch % ("target%d" % i))]
    pathlib.Path(source).write_text("\n".join(text) + "\n")
    run = subprocess.run([tool, "-mlp64", source, "-o", target], capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    objcopy = tool[:-2] + "objcopy"
    subprocess.run([objcopy, "-O", "binary", "-j", ".text", target, image], check=True)
    return pathlib.Path(image).read_bytes()


def ours(pogo, folder, cases):
    source = os.path.join(folder, "p.s")
    text = [line for _, line, _ in cases]
    for i, branch in enumerate(BRANCHES):
        text += ["target%d:" % i, "nop.m 0", branch % ("target%d" % i)]
    pathlib.Path(source).write_text("\n".join(text) + "\n")
    run = subprocess.run([pogo, "asm", str(SPEC), "--param", "vm=true", source], capture_output=True, text=True, timeout=60)
    if run.returncode:
        sys.exit(run.stderr)
    return b"".join(bytes.fromhex(m[1]) for m in re.finditer(r"(?m)^[0-9a-f]{16}  ([0-9a-f]{32})", run.stdout))


# ---- Ski ------------------------------------------------------------------------------------------------------------

ADDRESS = (0x800, 0x1000, 0x2000, 0x2800, 0x5000, 0x5300, 0x5A00)  # vectors whose faults have an address; Ski writes IFA at others, too
CODE, DATA, IVA = 0x100000, 0x8000, 0x20000
SLOT = {"M": 0, "I": 1, "X": 1, "B": 2}
STATE = {
    "iva": IVA, "r3": DATA + 8, "r17": 1, "r33": 0x530, "r34": 3, "r35": 0x6000, "r36": 0xFFF, "r38": 0x30, "r40": DATA, "r41": 0x1234, "r42": 0x2000000000004010, "b3": 0x123450,
    "rr0": 0x330, "rr1": 0x530, "pta": 0x800000000000003C, "k3": 0x77, "pmc4": 0x40, "pmd1": 0x11, "pmd4": 0x44, "cpuid1": 0x726F74616C756D69, "pkr1": 0x100, "ccv": 9, "lc": 7,
    "ipsr": 0x2000, "iip": 0x4000, "pfs": 0x4000000000000000, "cfm": 0x60, "dcr": 0, "itir": 0x30, "ifa": 0x2000000000004000, "unat": 5, "k0": 0, "k7": 0, "dbr1": 6, "ibr1": 8,
}
SHOWN = [
    "ip", "psr", "ipsr", "iip", "isr", "ifs", "ifa", "itir", "iim", "r9", "r33", "r40", "b3", "b5", "pfs", "cfm", "rsc", "bspst", "rnat", "k3", "dcr", "itm", "pta", "iva", "tpr",
    "rr0", "rr1", "pkr1", "pmc1", "pmd1", "dbr1", "ibr1", "ccv", "lc", "unat", "fpsr", "p6", "p7", "p8",
]
MORE = [("M", t) for t in ("mov.m ar.rsc=r34", "mov psr.l=r35", "mov psr.l=r36", "mov psr.um=r36", "mov r9=pmd[r37]", "mov r9=cpuid[r36]", "mov r0=psr", "thash r9=r42")] + [("B", "(p0) br.ret.sptk.few b3")]
LEFT_OUT = re.compile(r"vmsw|break|ar\.itc|cr\.itv|cr\.eoi|cr\.ivr|cr\.irr|cr\.lid|cr\.iipa|br\.cond|br\.call.*target|itr\[|mov pkr|ttag|ar\.fpsr")
LEVELS = (0, 1, 3)
TRANSLATED = ["probe.r r9=r42,0", "probe.w r9=r42,3", "probe.r.fault r42,0", "(p0) ld8 r9=[r42]", "(p0) st8 [r42]=r41", "tpa r9=r42", "tak r9=r42", "fc r42"]


def programs():
    """Lists of (unit, line), with the registers that differ from STATE."""
    for unit, line in [(u, t) for u, t, _ in lines()] + MORE:
        if LEFT_OUT.search(line) or line.startswith("alloc"):
            continue
        for level in (0, 3):
            for ic in (0, 0x2000):
                for secured in (0, 0x900000):
                    if "=pmd[r17]" in line and secured and level == 0:
                        continue  # Ski reads 0: see docs/machines/ia64.md
                    yield [(unit, line)], {"psr": level << 32 | ic | secured}
    for ppl in LEVELS:
        for level in LEVELS:
            for lp in (0, 1 << 25):
                yield [("B", "(p0) br.ret.sptk.few b3")], {"psr": level << 32 | 0x2000 | lp, "pfs": ppl << 62 | 0x284}
            yield [("B", "epc")], {"psr": level << 32 | 0x2000, "pfs": ppl << 62}
    # A translation register, then translation on, at a level, and an access there.
    for ar in range(8):
        for pl in LEVELS:
            for bits in (0x61, 0x21, 0x41, 0x60):  # dirty, accessed, present
                for level in LEVELS:
                    for line in TRANSLATED:
                        entry = 0x9000 | ar << 9 | pl << 7 | bits
                        yield ([("M", "itr.d dtr[r0]=r43"), ("B", "rfi"), ("M", line)],
                               {"psr": 0, "r43": entry, "ipsr": level << 32 | 0x22000, "iip": "next"})


def simulated(tool, ski, folder, todo):
    source, target, image = (os.path.join(folder, n) for n in ("k.s", "k.o", "k.elf"))
    bodies = list(dict.fromkeys(line for program, _ in todo for line in program))
    text = [".explicit", ".text", ".global _start", "_start:"] + [BUNDLE[unit] % line for unit, line in bodies]
    pathlib.Path(source).write_text("\n".join(text) + "\n")
    for command in ([tool, "-mlp64", source, "-o", target], [tool[:-2] + "ld", "-Ttext", hex(CODE), target, "-o", image]):
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr)
    place = {body: CODE + 16 * i for i, body in enumerate(bodies)}
    commands = os.path.join(folder, "k.ini")
    groups = []  # CFM cannot be set and translations stay, so that what changes them is a run of its own
    for program, changed in todo:
        state = dict({name: 0 for name in SHOWN if name not in ("cfm", "ip", "bspst")}, **dict(STATE, **changed))
        if state["iip"] == "next":
            state["iip"] = place[program[-1]]
        script = ["=8 0x%x 0x1122334455667788" % DATA, "=8 0x9010 9", "= rsc 0", "= bspst 0"]
        script += ["= %s 0x%x" % (name, v) for name, v in state.items() if name not in ("cfm", "cpuid1")]
        for unit, line in program:
            script += ["= ip 0x%x" % place[(unit, line)], "step %d" % (SLOT[unit] + 1)]
        script += ["eval %s" % name for name in SHOWN]
        alone = len(program) > 1 or re.search(r"cover|br\.|clrrrb|^it|^rfi|rs$|bspstore|ar\.ec", program[0][1])
        if alone or not groups or groups[-1][0]:
            groups.append((alone, []))
        groups[-1][1].extend(script)
    values = []
    for _, script in groups:
        pathlib.Path(commands).write_text("\n".join(["load %s" % image] + script + ["quit"]) + "\n")
        run = subprocess.run([ski, "-noconsole", "-forcesystem", "-i", commands], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, timeout=300)
        values += re.findall(r"(?m)^(\w+) = ([0-9a-f]+)$", run.stdout)
    if len(values) != len(SHOWN) * len(todo):
        sys.exit("Ski ended early: %d of %d values" % (len(values), len(SHOWN) * len(todo)))
    results = []
    for i, (program, _) in enumerate(todo):
        result = {name: int(v, 10 if name == "lc" else 16) for name, v in values[len(SHOWN) * i : len(SHOWN) * (i + 1)]}
        unit, line = program[-1]
        if "br.ret" in line:  # a frame that is not there is loaded, and an interruption says so (ISR.ir)
            result["r33"], result["isr"] = STATE["r33"], result["isr"] & ~(1 << 38)
        if result["ip"] in (place[unit, line] + 4 * (SLOT[unit] + 1), place[unit, line] + 16):
            result["ip"] = place[unit, line] + 16  # what is left of the bundle is nops
        results.append(result)
    return results, place


def pogo_name(name):
    if re.fullmatch(r"r\d+", name):
        n = int(name[1:])
        return "g%d" % n if n < 16 else "h%d" % (n - 16) if n < 32 else "s%d" % (n - 32)
    return {"ip": "pc", "bspst": "bspstore"}.get(name, name)


def modelled(pogo, codes, place, todo):
    states = []
    for program, changed in todo:
        state = dict(STATE, **changed)
        if state["iip"] == "next":
            state["iip"] = place[program[-1]]
        registers = {pogo_name(n): v for n, v in state.items()}
        registers["pr"] = 1
        memory = {"0x%x" % DATA: list((0x1122334455667788).to_bytes(8, "little")), "0x9010": [9]}
        states.append({"registers": registers, "memory": memory})
    longest = max(len(program) for program, _ in todo)
    for k in range(longest):
        at = [i for i, (program, _) in enumerate(todo) if k < len(program)]
        sent = []
        for i in at:
            body = todo[i][0][k]
            states[i]["registers"]["pc"] = place[body]
            states[i]["memory"]["0x%x" % place[body]] = list(codes[body])
            sent.append(json.dumps(states[i]))
        run = subprocess.run([pogo, "step", str(SPEC), "--states", "-"], input="\n".join(sent) + "\n", capture_output=True, text=True, timeout=300)
        if run.returncode:
            sys.exit(run.stderr)
        for i, line in zip(at, run.stdout.splitlines()):
            states[i]["registers"] = json.loads(line)["registers"]
    results = []
    for state in states:
        r = state["registers"]
        results.append({n: r["pr"] >> int(n[1:]) & 1 if re.fullmatch(r"p\d+", n) else r[pogo_name(n)] for n in SHOWN})
    return results


def compare(pogo, tool, ski, folder, codes):
    todo = list(programs())
    b, place = simulated(tool, ski, folder, todo)
    a = modelled(pogo, codes, place, todo)
    differ = 0
    for (program, changed), x, y in zip(todo, a, b):
        wrong = ["%s %x, Ski %x" % (n, x[n], y[n]) for n in SHOWN if x[n] != y[n] and not (n in ("ifa", "itir") and y["ip"] - IVA not in ADDRESS)]
        if wrong:
            differ += 1
            print("%s (%s): %s" % ("; ".join(line for _, line in program), " ".join("%s=%s" % (n, v if v == "next" else hex(v)) for n, v in changed.items()), "; ".join(wrong)))
    print("%d cases, %d differ" % (len(todo), differ))
    return differ


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: oracle.py POGO")
    tool = assembler()
    if not tool:
        print("no ia64-linux-gnu-as")
        return 77
    cases = list(lines())
    ski = os.environ.get("SKI") or shutil.which("bskinc") or shutil.which("bski")
    cases += [(unit, line, line) for unit, line in MORE + [("M", t) for t in TRANSLATED] + [("M", "itr.d dtr[r0]=r43")]]
    names = [line for _, line, _ in cases]
    for branch in BRANCHES:
        names += ["nop.m 0", branch % "back"]
    differ = meanings = 0
    with tempfile.TemporaryDirectory() as folder:
        a, b = ours(sys.argv[1], folder, cases), theirs(tool, folder, cases)
        if ski:
            codes = {(unit, line): a[16 * i : 16 * i + 16] for i, (unit, line, _) in enumerate(cases)}
            meanings = compare(sys.argv[1], tool, ski, folder, codes)
    for i, name in enumerate(names):
        x, y = a[16 * i : 16 * i + 16], b[16 * i : 16 * i + 16]
        if x != y:
            differ += 1
            print("%s: %s, GNU as %s" % (name, x[::-1].hex(), y[::-1].hex()))
    print("%d encodings, %d differ" % (len(names), differ))
    return 1 if differ or meanings or len(a) != 16 * len(names) else 0


if __name__ == "__main__":
    sys.exit(main())
