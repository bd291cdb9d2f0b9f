#!/usr/bin/env python3
# Compares the encodings of ia64.isa with GNU as for ia64: oracle.py POGO
# SPDX-License-Identifier: Apache-2.0
#
# Each line is assembled by both, in a bundle of its own: 16 bytes that have to be equal. IA64_AS names the assembler, if it is not in the path.
# Exit code: 0 agree, 1 differ, 77 no assembler.

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
    + ["itc.d r9", "itc.i r40", "itr.d dtr[r9]=r40", "itr.i itr[r40]=r9", "ptc.l r9,r40", "ptc.g r9,r40", "ptc.ga r9,r40", "ptc.e r9", "ptr.d r9,r40", "ptr.i r9,r40"]
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


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: oracle.py POGO")
    tool = assembler()
    if not tool:
        print("no ia64-linux-gnu-as")
        return 77
    cases = list(lines())
    names = [line for _, line, _ in cases]
    for branch in BRANCHES:
        names += ["nop.m 0", branch % "back"]
    with tempfile.TemporaryDirectory() as folder:
        a, b = ours(sys.argv[1], folder, cases), theirs(tool, folder, cases)
    differ = 0
    for i, name in enumerate(names):
        x, y = a[16 * i : 16 * i + 16], b[16 * i : 16 * i + 16]
        if x != y:
            differ += 1
            print("%s: %s, GNU as %s" % (name, x[::-1].hex(), y[::-1].hex()))
    print("%d encodings, %d differ" % (len(names), differ))
    return 1 if differ or len(a) != 16 * len(names) else 0


if __name__ == "__main__":
    sys.exit(main())
