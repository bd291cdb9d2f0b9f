# What SVM intercepts: one instruction of a guest on QEMU, Bochs and Pogo's model of ia32-svm.policy.isa, and how it ends.
# SPDX-License-Identifier: Apache-2.0
#
# For each case a program fills a VMCB, runs the guest, which executes the instruction and VMMCALL, and tells the exit code through port E9H.
# On Pogo it is one step from the same state. An instruction ends by completing, by an exception's vector, or by leaving.
import json
import os
import subprocess

def bits(vector, *numbers):
    return {vector: sum(1 << n for n in numbers)}

# name, bytes of the instruction, registers, vectors of intercepts. Further registers: cr0, cr4, dr7, eflags.
NONE = {}
WRITE0, READ0, SELECTIVE = bits("cr", 16), bits("cr", 0), bits("first", 5)
CASES = [
    *[("mov to cr0", "0F22C0", {"eax": v}, w) for v in (0x11, 0x19, 0x13, 0x15, 0x31, 0x40000011, 0x60000011) for w in (NONE, SELECTIVE, WRITE0)],
    *[("mov to cr0, NW", "0F22C0", {"eax": 0x20000011}, w) for w in (NONE, SELECTIVE, WRITE0)],
    *[("mov to cr0", "0F22C0", {"eax": v, "cr0": 0x1F}, w) for v in (0x1F, 0x15, 0x19, 0x11) for w in (SELECTIVE, WRITE0)],
    *[("lmsw", "0F01F0", {"eax": v}, w) for v in (0x1, 0x9, 0x5) for w in (NONE, WRITE0)],
    ("lmsw", "0F01F0", {"eax": 0x1}, SELECTIVE), ("lmsw", "0F01F0", {"eax": 0x9}, SELECTIVE), ("lmsw", "0F01F0", {"eax": 0x5}, SELECTIVE),
    *[("clts", "0F06", {"cr0": 0x19}, w) for w in (NONE, SELECTIVE, WRITE0)],
    *[("smsw", "0F01E0", {}, w) for w in (NONE, READ0)],
    *[(f"mov from cr{n}", code, {}, w) for n, code in ((0, "0F20C0"), (2, "0F20D0"), (3, "0F20D8"), (4, "0F20E0")) for w in (NONE, bits("cr", n))],
    *[(f"mov to cr{n}", code, {"eax": 8}, w) for n, code in ((2, "0F22D0"), (3, "0F22D8"), (4, "0F22E0")) for w in (NONE, bits("cr", 16 + n))],
    *[("mov from dr", "0F21F8", {}, w) for w in (NONE, bits("dr", 7), bits("dr", 0))],
    *[("mov to dr", "0F23C0", {"eax": 8}, w) for w in (NONE, bits("dr", 16), bits("dr", 0))],
    *[("mov from dr4", "0F21E0", {"cr4": 8}, w) for w in (NONE, bits("dr", 4))],
    *[("mov from dr, GD", "0F21C0", {"dr7": 0x2400}, w) for w in (NONE, bits("dr", 0))],
    *[(name, code, {}, w) for name, code, n in (("cpuid", "0FA2", 18), ("invd", "0F08", 22), ("rdtsc", "0F31", 14), ("pushf", "9C", 16), ("popf", "9D", 17),
                                                ("sidt", "0F010B", 6), ("sgdt", "0F0103", 7), ("sldt", "0F00C0", 8), ("str", "0F00C8", 9),
                                                ("lldt", "0F00D0", 12), ("invlpg", "0F013B", 25)) for w in (NONE, bits("first", n))],
    ("rdtsc, TSD", "0F31", {"cr4": 4}, bits("first", 14)),
    *[(name, code, {}, bits("first", n)) for name, code, n in (("hlt", "F4", 24), ("int n", "CD81", 21), ("iret", "CF", 20))],
    *[(name, code, {}, w) for name, code, n in (("wbinvd", "0F09", 9), ("stgi", "0F01DC", 4), ("clgi", "0F01DD", 5), ("vmload", "0F01DA", 2), ("vmsave", "0F01DB", 3))
      for w in ((NONE, bits("more", n)) if name in ("wbinvd", "stgi") else (bits("more", n),))],
    *[(name, code, {"edx": port, "eflags": flags}, w) for name, code, port in (("in", "E480", 0), ("in", "E490", 0), ("in dx", "ED", 0x8F), ("in dx", "ED", 0x8E), ("in dx", "ED", 0x90),
                                                                             ("out dx", "EE", 0x80), ("out dx", "EE", 0x90)) for flags in (2, 0x3002) for w in (NONE, bits("first", 27))],
    *[("rdmsr", "0F32", {"ecx": n}, w) for n in (0x10, 0x174, 0x175) for w in (NONE, bits("first", 28))],
    *[("wrmsr", "0F30", {"ecx": n}, w) for n in (0x174, 0x175, 0x176) for w in (NONE, bits("first", 28))],
    ("vmrun", "0F01D8", {}, NONE), ("ud2", "0F0B", {}, NONE), ("int3", "CC", {}, NONE), ("fnop", "D9D0", {"cr0": 0x19}, NONE), ("div", "F7F1", {}, NONE),
]
GUARDED_PORTS = (0x80, 0x92)
GUARDED_MSRS = ((0x10, 0), (0x174, 1), (0x175, 0), (0x176, 1))  # 0: reads, 1: writes
ORDER = ["eip", "ring", "cr", "dr", "first", "more", "eax", "ecx", "edx", "cr0", "cr4", "dr7", "eflags"]
BUFFER = 0x200000

# Where an emulator does not do what the manual says.
KNOWN = {
    ("QEMU", "lmsw"): "the selective intercept looks at the value (APM 2 table 15-7: it does not)",
    ("Bochs", "lmsw"): "the same",
    ("QEMU", "mov to cr0, NW"): "CR0.NW without CD does not trap (SDM 2A MOV: #GP(0))",
    ("QEMU", "mov from dr4"): "the intercept comes before #UD (APM 2 table 15-7: behind all exceptions)",
    ("QEMU", "mov from dr, GD"): "DR7.GD does nothing (SDM 3B 17.2.4)",
    ("QEMU", "invd"): "the intercept is not looked at (APM 2 15.9)",
    ("QEMU", "int3"): "the descriptor table is looked at before the intercept (APM 2 15.7)",
    ("Bochs", "mov from dr4"): "#UD and #DB come before CPL (no manual says which is first)",
    ("Bochs", "mov from dr, GD"): "the same",
}

def filled(case):
    name, code, given, intercepts = case
    return {"eax": 0, "ecx": 0, "edx": 0, "cr0": 0x11, "cr4": 0, "dr7": 0x400, "eflags": 2, "cr": 0, "dr": 0, "first": 0, "more": 0, **given, **intercepts}

def program():
    rows, code = [], []
    for i, case in enumerate(CASES):
        code.append(f"case{i}: " + "; ".join(f".byte 0x{case[1][k:k + 2]}" for k in range(0, len(case[1]), 2)) + "; vmmcall")
        for ring in (0, 3):
            values = {**filled(case), "eip": f"case{i}", "ring": ring}
            rows.append(".long " + ", ".join(str(values[key]) for key in ORDER))
    def segment(at, source, attributes):
        return f"movl {source},%eax; movw %ax,vmcb + {0x400 + at}; movl {attributes},%eax; movw %ax,vmcb + {0x402 + at}; movl $-1,vmcb + {0x404 + at}\n"
    def field(at, key, base="vmcb"):
        return f"movl {4 * ORDER.index(key)}(%ebp),%eax; movl %eax,{base} + {at}\n"
    return r"""
.text
.globl image, start
image: jmp start
.p2align 2
.long 0x1BADB002, 0, 0xE4524FFE
start:
  movb $0xFF,%al; outb %al,$0x21; outb %al,$0xA1
  movl $stack_top,%esp
  lgdt gdt_register
  ljmp $8,$there
there:
  movl $0x10,%eax; movl %eax,%ds; movl %eax,%es; movl %eax,%ss; movl %eax,%fs; movl %eax,%gs
  movl $0xC0000080,%ecx; rdmsr; orl $0x1000,%eax; wrmsr
  movl $0xC0010117,%ecx; movl $save,%eax; xorl %edx,%edx; wrmsr
  movl $task,%eax; movw %ax,gdt + 0x2A; shrl $16,%eax; movb %al,gdt + 0x2C; movl $0x28,%eax; ltr %ax
  movl $table,%ebp
next:
  cmpl $table_end,%ebp; jae done
  movl %ebp,here
  movl $vmcb,%edi; movl $1024,%ecx; xorl %eax,%eax; cld; rep stosl
  movl $2,guest_top
""" + field(0, "cr") + field(4, "dr") + "movl $0xFFFFFFFF,vmcb + 8\n" + field(12, "first") + field(16, "more") + "orl $3,vmcb + 16\n" + r"""
  movl $ports,vmcb + 0x40; movl $msrs,vmcb + 0x48; movl $1,vmcb + 0x58
  movl $0xC93,attributes; movl $0xC9B,code_attributes; movl $0x10,selector; movl $8,code_selector
  cmpl $0,4(%ebp); je inner
  movl $0xCF3,attributes; movl $0xCFB,code_attributes; movl $0x23,selector; movl $0x1B,code_selector
inner:
""" + segment(0, "selector", "attributes") + segment(0x10, "code_selector", "code_attributes") + segment(0x20, "selector", "attributes") + segment(0x30, "selector", "attributes") + r"""
  movl $0xFF,vmcb + 0x464; movl $gdt,vmcb + 0x468
  movl 4(%ebp),%eax; movb %al,vmcb + 0x4CB
  movl $0x1000,vmcb + 0x4D0; movl $0xFFFF0FF0,vmcb + 0x568; movl $guest_top,vmcb + 0x5D8
  movl $0x00070406,vmcb + 0x668; movl $0x00070406,vmcb + 0x66C
""" + field(0x548, "cr4") + field(0x558, "cr0") + field(0x560, "dr7") + field(0x570, "eflags") + field(0x578, "eip") + field(0x5F8, "eax") + f"""
  movl {4 * ORDER.index("ecx")}(%ebp),%ecx; movl {4 * ORDER.index("edx")}(%ebp),%edx; movl $buffer,%ebx
""" + r"""
  movl $vmcb,%eax; vmrun
  movl here,%ebp
  movl vmcb + 0x70,%edx; movl $8,%ecx
digit:
  roll $4,%edx; movl %edx,%eax; andl $15,%eax; addl $0x30,%eax; cmpl $0x3A,%eax; jb decimal; addl $7,%eax
decimal:
  outb %al,$0xE9; loop digit
  movb $10,%al; outb %al,$0xE9
  addl $""" + str(4 * len(ORDER)) + r""",%ebp
  jmp next
done:
  movb $0x21,%al; outb %al,$0xE9; movb $10,%al; outb %al,$0xE9
  movl $0x501,%edx; outb %al,(%dx)
  cli; hlt
""" + "\n".join(code) + r"""
.p2align 3
gdt: .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFFB000000FFFF, 0x00CFF3000000FFFF, 0x0000890000000067
gdt_end:
gdt_register: .word gdt_end - gdt - 1; .long gdt
.p2align 2
here: .long 0
attributes: .long 0
code_attributes: .long 0
selector: .long 0
code_selector: .long 0
task: .fill 25, 4, 0
.word 0, 0x68  # no I/O permission bit map
table:
""" + "\n".join(rows) + """
table_end:
.p2align 12
vmcb: .fill 4096, 1, 0
save: .fill 4096, 1, 0
ports:
""" + "\n".join(f".byte {sum(1 << (p & 7) for p in GUARDED_PORTS if p // 8 == n)}" for n in range(32)) + """
.fill 12288 - 32, 1, 0
msrs:
""" + "\n".join(f".byte {sum(1 << (2 * m + w) % 8 for m, w in GUARDED_MSRS if 2 * m // 8 == n)}" for n in range(128)) + """
.fill 8192 - 128, 1, 0
.fill 4096, 1, 0
stack_top: .fill 4096, 1, 0
guest_top: .fill 64, 1, 0
buffer: .fill 64, 1, 0
"""

def ended(code):
    return "completed" if code == 0x81 else f"exception {code - 0x40}" if 0x40 <= code < 0x60 else "left"

VECTORS = {"divide_error": 0, "debug": 1, "breakpoint": 3, "invalid_opcode": 6, "device_not_available": 7, "general_protection": 13, "privilege_level": 13,
           "privilege_violation": 13, "invalid_operand": 13}

def stepped(pogo, spec, policy, cases):
    """Outcomes of one step from each: ring, values, the instruction's bytes, further registers and memory."""
    states = []
    for ring, v, code, registers, memory in cases:
        flat = {"eip": 0x100, "r0": v["eax"], "r1": v["ecx"], "r2": v["edx"], "r3": BUFFER, "r4": 0x300000, "cs": 0x1B if ring else 0x08,
                "hidden0": 0x00CFFB000000FFFF if ring else 0x00CF9B000000FFFF, "gdtr": 0xFFFF, "dr6": 0xFFFF0FF0, "dr7": v["dr7"], "eflags": v["eflags"]}
        for n, name in enumerate(("ss", "ds", "es"), 1):
            flat[name] = 0x23 if ring else 0x10
            flat[f"hidden{n}"] = 0x00CFF3000000FFFF if ring else 0x00CF93000000FFFF
        states.append(json.dumps({"registers": {**flat, **registers}, "memory": {"0x100": list(bytes.fromhex(code)), "0x300000": [2, 0, 0, 0], **memory}}))
    result = subprocess.run([pogo, "step", spec, "--extension", os.path.join(os.path.dirname(spec), policy), "--param", "local=false", "--keep", "--states", "/dev/stdin"],
                            input="\n".join(states) + "\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr

def outcome_of(outcome, leaves):
    if outcome["outcome"] in ("completed", "halted"): return "completed"
    cause = outcome.get("traps", [{"cause": outcome["outcome"]}])[0]["cause"]
    return "left" if cause == leaves else f"exception {VECTORS[cause]}" if cause in VECTORS else cause

def on_pogo(pogo, spec):
    cases = []
    for case in CASES:
        v = filled(case)
        registers = {"guest_mode": 1, "npt_pages": 0x100000, "cr0": v["cr0"], "cr4": v["cr4"], "intercept_cr": v["cr"], "intercept_dr": v["dr"],
                     "intercept": v["first"], "intercept_more": v["more"],
                     **{f"io_map{p // 16}": sum(1 << q % 16 for q in GUARDED_PORTS if q // 16 == p // 16) for p in GUARDED_PORTS},
                     "msr_map": sum(1 << 2 * (0 if m == 0x10 else m - 0x173) + w for m, w in GUARDED_MSRS)}
        cases += [(ring, v, case[1], registers, {}) for ring in (0, 3)]
    outcomes, errors = stepped(pogo, spec, "ia32-svm.policy.isa", cases)
    return [outcome_of(outcome, "vmexit") for outcome in outcomes], errors

def report(what, cases, mine, theirs, known_ones):
    """How Pogo's outcomes (and errors) differ from those of each emulator."""
    mine, errors = mine
    wanted = 2 * len(cases)
    differ = 0
    for name, outcomes in [("Pogo", mine), *theirs]:
        if len(outcomes) != wanted:
            print(f"{name}, {what}: {len(outcomes)} outcomes of {wanted}; {errors if name == 'Pogo' else ''}")
            differ += 1
    for name, outcomes in theirs:
        agreed = known = 0
        for i, (a, b) in enumerate(zip(mine, outcomes)):
            case, code, given, controls = cases[i // 2]
            if a == b: agreed += 1
            elif (name, case) in known_ones: known += 1
            else:
                differ += 1
                print(f"{case} {code} {given} {controls} in ring {3 * (i % 2)}: Pogo {a}, {name} {b}")
        print(f"{name}, {what}: {agreed} of {wanted} agree, {known} differ as known")
    return differ

def compare(pogo, spec, peers):
    """`peers`: names, and functions that run the program and give the text that it wrote."""
    theirs = [(name, [ended(int(line, 16)) for line in ask().replace("\r", "").split("\n") if len(line.strip()) == 8]) for name, ask in peers]
    return report("SVM", CASES, on_pogo(pogo, spec), theirs, KNOWN)
