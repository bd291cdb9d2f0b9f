# What leaves VMX non-root operation: one instruction of a guest on Bochs and Pogo's model of ia32-vtx.policy.isa, and how it ends.
# SPDX-License-Identifier: Apache-2.0
#
# For each case a program fills a VMCS, runs the guest, which executes the instruction and VMCALL, and tells exit reason, vector, EAX and CR0 through
# port E9H. On Pogo it is one step from the same state.
import json

import svm

CR0, CR4, DIRECTORY = 0x80000031, 0x2010, 0x400000  # PG, NE, ET, PE; VMXE (which is masked), PSE; one page directory for all
BASE = {"eax": 0, "ecx": 0, "edx": 0, "cr0": CR0, "cr4": 0, "dr7": 0x400, "eflags": 2, "mask0": 0, "shadow0": 0, "mask4": 0, "shadow4": 0, "first": 0,
        "second": 0, "offset": 0}

def bit(*numbers): return {"first": sum(1 << n for n in numbers)}
def second(number): return {"first": 1 << 31, "second": 1 << number}
def mask(m, s): return {"mask0": m, "shadow0": s}

CASES = [
    *[("mov to cr0", "0F22C0", {"eax": CR0 | v}, mask(m, s)) for m, s in ((0, 0), (8, 0), (8, 8), (0xE, 2)) for v in (0, 8, 2, 6, 0x40000000, 0x20000000)],
    ("mov to cr0", "0F22C0", {"eax": CR0 | 0x20000000}, mask(0x20000000, 0)),
    *[("lmsw", "0F01F0", {"eax": v}, mask(m, s)) for m, s in ((0, 0), (8, 0), (8, 8), (1, 0), (1, 1), (0xE, 2)) for v in (0, 1, 2, 8, 9, 0xF)],
    *[("clts", "0F06", {"cr0": CR0 | 8}, mask(m, s)) for m, s in ((0, 0), (8, 0), (8, 8), (7, 7))],
    *[("mov from cr0", "0F20C0", {"cr0": CR0 | v}, mask(m, s)) for m, s in ((0, 0), (8, 0), (8, 8), (0xFFFFFFFF, 0x12345678)) for v in (0, 8)],
    *[("smsw", "0F01E0", {"cr0": CR0 | v}, mask(m, s)) for m, s in ((0, 0), (8, 0), (8, 8), (0xFFFFFFFF, 0x12345678)) for v in (0, 8)],
    *[("mov to cr4", "0F22E0", {"eax": 0x10 | v}, {"mask4": m, "shadow4": s}) for m, s in ((0, 0), (4, 0), (4, 4)) for v in (0, 4, 8)],
    *[("mov from cr4", "0F20E0", {"cr4": v}, {"mask4": m, "shadow4": s}) for m, s in ((0, 0), (4, 0), (4, 4)) for v in (0, 4)],
    *[("mov to cr3", "0F22D8", {"eax": DIRECTORY}, w) for w in ({}, bit(15))], *[("mov from cr3", "0F20D8", {}, w) for w in ({}, bit(16))],
    *[("mov from dr", "0F21F8", {}, w) for w in ({}, bit(23))], *[("mov to dr", "0F23C0", {"eax": 8}, w) for w in ({}, bit(23))],
    *[("mov from dr4", "0F21E0", {"cr4": 8}, w) for w in ({}, bit(23))], *[("mov from dr, GD", "0F21C0", {"dr7": 0x2400}, w) for w in ({}, bit(23))],
    ("cpuid", "0FA2", {}, {}), ("invd", "0F08", {}, {}), ("hlt", "F4", {}, bit(7)), *[("invlpg", "0F013B", {}, w) for w in ({}, bit(9))],
    *[("rdtsc", "0F31", {"cr4": v}, w) for v in (0, 4) for w in ({}, bit(12))],
    *[(name, code, {}, w) for name, code in (("sgdt", "0F0103"), ("sidt", "0F010B"), ("sldt", "0F00C0"), ("str", "0F00C8"), ("lldt", "0F00D0")) for w in ({}, second(2))],
    *[("wbinvd", "0F09", {}, w) for w in ({}, second(6))],
    *[(name, code, {"edx": port, "eflags": flags}, w) for name, code, port in (("in", "E480", 0), ("in", "E490", 0), ("in dx", "ED", 0x8F), ("in dx", "ED", 0x8E), ("in dx", "ED", 0x90),
                                                                             ("out dx", "EE", 0x80), ("out dx", "EE", 0x90), ("in dx", "ED", 0xFFFE))
      for flags in (2, 0x3002) for w in ({}, bit(24), bit(25), bit(24, 25)) if port != 0xFFFE or w == bit(25)],
    *[("rdmsr", "0F32", {"ecx": n}, w) for n in (0x10, 0x174, 0x175) for w in ({}, bit(28))],
    *[("wrmsr", "0F30", {"ecx": n}, w) for n in (0x174, 0x175, 0x176) for w in ({}, bit(28))],
    ("vmread", "0F78C1", {}, {}), ("vmwrite", "0F79C1", {}, {}), ("vmlaunch", "0F01C2", {}, {}),
    ("ud2", "0F0B", {}, {}), ("int3", "CC", {}, {}), ("fnop", "D9D0", {"cr0": CR0 | 8}, {}), ("div", "F7F1", {}, {}), ("pushf", "9C", {}, {}), ("popf", "9D", {}, {}),
]
ORDER = ["eip", "ring", *BASE]

KNOWN = {
    ("Bochs", "mov from dr4"): "#UD and #DB come before CPL (no manual says which is first)",
    ("Bochs", "mov from dr, GD"): "the same",
}

# Fields (SDM 3D B) and what they get: a number, a symbol, or a key of ORDER.
SEGMENTS = [(0x800 + 2 * n, 0x4800 + 2 * n, 0x4814 + 2 * n, 0x6806 + 2 * n) for n in range(8)]  # ES, CS, SS, DS, FS, GS, LDTR, TR
FIELDS = [
    (0x2000, "$ports"), (0x2002, "$ports + 4096"), (0x2004, "$msrs"), (0x2800, "$-1"), (0x2801, "$-1"), (0x2010, "offset"), (0x2802, "$0"),
    (0x4004, "$-1"), (0x4006, "$0"), (0x4008, "$0"), (0x400A, "$0"), (0x400E, "$0"), (0x4014, "$0"), (0x4016, "$0"), (0x401E, "second"),
    (0x4810, "$0xFF"), (0x4812, "$0"), (0x4824, "$0"), (0x4826, "$0"), (0x482A, "$0"),
    (0x6000, "mask0"), (0x6004, "shadow0"), (0x6006, "shadow4"), (0x6800, "cr0"), (0x6802, f"${DIRECTORY}"), (0x6816, "$gdt"), (0x6818, "$0"), (0x681A, "dr7"),
    (0x681C, "$guest_top"), (0x681E, "eip"), (0x6820, "eflags"), (0x6822, "$0"), (0x6824, "$0"), (0x6826, "$0"),
    *[(0xC00 + 2 * n, "$0x08" if n == 1 else "$0x28" if n == 6 else "$0x10") for n in range(7)],
    (0x4C00, "$0"), (0x6C02, f"${DIRECTORY}"), (0x6C06, "$0"), (0x6C08, "$0"), (0x6C0A, "$task"), (0x6C0C, "$gdt"), (0x6C0E, "$0"), (0x6C10, "$0"), (0x6C12, "$0"),
    (0x6C14, "$stack_top"), (0x6C16, "$left"),
]

def program():
    rows, code = [], []
    for i, case in enumerate(CASES):
        code.append(f"case{i}: " + "; ".join(f".byte 0x{case[1][k:k + 2]}" for k in range(0, len(case[1]), 2)) + "; vmcall")
        for ring in (0, 3):
            values = {**BASE, **case[2], **case[3], "eip": f"case{i}", "ring": ring}
            rows.append(".long " + ", ".join(str(values[key]) for key in ORDER))
    def at(key): return f"{4 * ORDER.index(key)}(%ebp)"
    def put(field, value):  # in EAX
        return value + f"\n  movl ${field},%edx; vmwrite %eax,%edx\n"
    def control(field, msr, wanted):
        return put(field, f"{wanted}; movl %eax,%edi; movl ${msr},%ecx; rdmsr; orl %edi,%eax; andl %edx,%eax")
    text = "".join(put(field, f"movl {at(value) if value in ORDER else value},%eax") for field, value in FIELDS)
    for n, (selector, limit, rights, base) in enumerate(SEGMENTS):
        if n < 6:
            text += put(selector, f"movl ${8 if n == 1 else 16},%eax; cmpl $0,{at('ring')}; je 1f; movl ${0x1B if n == 1 else 0x23},%eax\n1:")
            text += put(rights, f"movl ${0xC09B if n == 1 else 0xC093},%eax; cmpl $0,{at('ring')}; je 1f; movl ${0xC0FB if n == 1 else 0xC0F3},%eax\n1:")
            text += put(limit, "movl $-1,%eax") + put(base, "movl $0,%eax")
        else:
            text += put(selector, f"movl ${0 if n == 6 else 0x28},%eax") + put(rights, f"movl ${0x10000 if n == 6 else 0x8B},%eax")
            text += put(limit, "movl $0x67,%eax") + put(base, f"movl ${0 if n == 6 else 'task'},%eax")
    text += put(0x6002, f"movl {at('mask4')},%eax; orl $0x2000,%eax") + put(0x6804, f"movl {at('cr4')},%eax; orl ${CR4},%eax")
    text += put(0x6C00, "movl %cr0,%eax") + put(0x6C04, "movl %cr4,%eax")
    text += control(0x4000, 0x48D, "movl $0,%eax") + control(0x4002, 0x48E, f"movl {at('first')},%eax")
    text += control(0x400C, 0x48F, "movl $0,%eax") + control(0x4012, 0x490, "movl $4,%eax")  # with DR7
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
  movl $task,%eax; movw %ax,gdt + 0x2A; shrl $16,%eax; movb %al,gdt + 0x2C; movl $0x28,%eax; ltr %ax
""" + f"  movl ${DIRECTORY},%edi; movl $0x87,%eax\n" + r"""
directory: movl %eax,(%edi); addl $4,%edi; addl $0x400000,%eax; jnc directory
""" + f"  movl ${CR4},%eax; movl %eax,%cr4; movl ${DIRECTORY},%eax; movl %eax,%cr3; movl ${CR0},%eax; movl %eax,%cr0" + r"""
  movl $0x3A,%ecx; rdmsr; testl $1,%eax; jne locked; orl $5,%eax; wrmsr
locked:
  movl $0x480,%ecx; rdmsr; andl $0x7FFFFFFF,%eax; movl %eax,root; movl %eax,control
  vmxon root_at
  movl $table,%ebp
next:
  cmpl $table_end,%ebp; jae done
  movl %ebp,here
  movl $2,guest_top
  vmclear control_at; vmptrld control_at
""" + text + f"""
  movl {at("eax")},%eax; movl {at("ecx")},%ecx; movl {at("edx")},%edx; movl $buffer,%ebx
""" + r"""
  vmlaunch
  movl here,%ebp; movl $-1,%eax; call print; movl $0x4400,%eax; vmread %eax,%eax; call print; jmp line
left:
  movl here,%ebp
  movl %eax,shown
  movl $0x4402,%eax; vmread %eax,%eax; call print
  movl $0x4404,%eax; vmread %eax,%eax; andl $0xFF,%eax; call print
  movl shown,%eax; call print
  movl $0x6800,%eax; vmread %eax,%eax; call print
line:
  movb $10,%al; outb %al,$0xE9
""" + f"  addl ${4 * len(ORDER)},%ebp\n" + r"""
  jmp next
print:
  movl %eax,%edx; movl $8,%ecx
digit:
  roll $4,%edx; movl %edx,%eax; andl $15,%eax; addl $0x30,%eax; cmpl $0x3A,%eax; jb decimal; addl $7,%eax
decimal:
  outb %al,$0xE9; loop digit
  movb $0x20,%al; outb %al,$0xE9
  ret
done:
  movb $0x21,%al; outb %al,$0xE9; movb $10,%al; outb %al,$0xE9
  cli; hlt
""" + "\n".join(code) + r"""
.p2align 3
gdt: .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFFB000000FFFF, 0x00CFF3000000FFFF, 0x0000890000000067
gdt_end:
gdt_register: .word gdt_end - gdt - 1; .long gdt
.p2align 3
root_at: .long root, 0
control_at: .long control, 0
here: .long 0
shown: .long 0
task: .fill 25, 4, 0
.word 0, 0x68  # no I/O permission bit map
.p2align 2
table:
""" + "\n".join(rows) + """
table_end:
.p2align 12
root: .fill 4096, 1, 0
control: .fill 4096, 1, 0
ports:
""" + "\n".join(f".byte {sum(1 << (p & 7) for p in svm.GUARDED_PORTS if p // 8 == n)}" for n in range(32)) + """
.fill 8192 - 32, 1, 0
msrs:
""" + "\n".join(f".byte {sum(1 << (m & 7) for m, w in svm.GUARDED_MSRS if w == write and m // 8 == n)}" for write in (0, 1) for n in range(2048)) + """
.fill 4096, 1, 0
stack_top: .fill 4096, 1, 0
guest_top: .fill 64, 1, 0
buffer: .fill 64, 1, 0
"""

def shown(case, eax, cr0):
    """What the guest sees and leaves, where the instruction is about it."""
    if case[0] in ("mov from cr0", "mov from cr4"): return f", EAX {eax & ~(0x2000 if case[0] == 'mov from cr4' else 0):#x}"
    if case[0] == "smsw": return f", AX {eax & 0xFFFF:#x}"
    return f", CR0 {cr0:#x}" if case[0] in ("mov to cr0", "lmsw", "clts") else ""

def ended(case, line):
    fields = [int(field, 16) for field in line.split()]
    if fields[0] == 18: return "completed" + shown(case, fields[2], fields[3])
    return f"exception {fields[1]}" if fields[0] == 0 else "left" if fields[0] < 0x100 else f"failed {fields[:2]}"

def on_pogo(pogo, spec):
    states = []
    for _, code, given, intercept in CASES:
        v = {**BASE, **given, **intercept}
        for ring in (0, 3):
            registers = {"non_root": 1, "ept_pages": 0x100000, "cr3": DIRECTORY, "cr0": v["cr0"], "cr4": v["cr4"] | 0x10, "cr0_mask": v["mask0"], "cr0_shadow": v["shadow0"],
                         "cr4_mask": v["mask4"], "cr4_shadow": v["shadow4"], "controls": v["first"] & 0x7FFFFFFF, "secondary": v["second"]}
            memory = {f"{DIRECTORY:#x}": [0x87, 0, 0, 0, 0x87, 0, 0x40, 0]}
            states.append((ring, v, code, registers, memory))
    for_ports = {f"io_bitmap{p // 16}": sum(1 << q % 16 for q in svm.GUARDED_PORTS if q // 16 == p // 16) for p in svm.GUARDED_PORTS}
    msrs = {"msr_bitmap": sum(1 << 2 * (0 if m == 0x10 else m - 0x173) + w for m, w in svm.GUARDED_MSRS)}
    outcomes, errors = svm.stepped(pogo, spec, "ia32-vtx.policy.isa", [(ring, v, code, {**registers, **for_ports, **msrs}, memory) for ring, v, code, registers, memory in states])
    found = []
    for i, outcome in enumerate(outcomes):
        end = svm.outcome_of(outcome, "vm_exit")
        if end == "completed": end += shown(CASES[i // 2], outcome["registers"]["r0"], outcome["registers"]["cr0"])
        found.append(end)
    return found, errors

def compare(pogo, spec, peers):
    lines = [(name, [line for line in ask().replace("\r", "").split("\n") if line.strip() and all(len(f) == 8 for f in line.split()) and len(line.split()) in (2, 4)])
             for name, ask in peers]
    theirs = [(name, [ended(CASES[i // 2], line) for i, line in enumerate(found)]) for name, found in lines]
    return svm.report("VMX", CASES, on_pogo(pogo, spec), theirs, KNOWN)
