#!/usr/bin/env python3
# Runs the same snippets in rings 0 and 3 on QEMU, Bochs and Pogo's model of ia32.isa, and compares what they leave.
# SPDX-License-Identifier: Apache-2.0
#
# usage: oracle.py POGO [SPEC]      exit code 0: all agree, 1: they differ, 77: no emulator, or no binutils
#
# A snippet ends by INT 80H or by a fault. The handler tells through port E9H: vector, error code, CS, how far EIP is from the snippet's
# beginning, EFLAGS (without RF), EAX, EBX, DS and SS. One program for all three: a Multiboot image, and a boot sector for Bochs.
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

import svm
import vmx

# name, setting, text. Settings: I (IOPL 3), T (CR4.TSD), V (CR4.PVI), X (CR0.TS), B (TSS with an I/O permission bit map that is open),
# L (a local table, with what the first 16 entries of the global one have).
SNIPPETS = [
    ("pushf", "", "pushfl; popl %eax"),
    ("pushf", "I", "pushfl; popl %eax"),
    ("popf", "", "pushl $0x3202; popfl"),
    ("popf", "I", "pushl $0x0202; popfl"),
    ("popf", "I", "pushl $0x143002; popfl"),
    ("cli", "", "cli"), ("cli", "I", "cli"), ("cli", "V", "cli"),
    ("sti", "", "sti; cli"), ("sti", "V", "sti"),
    ("sgdt", "", "movl $buffer,%ebx; sgdtl (%ebx); movl 2(%ebx),%eax"),
    ("sidt", "", "movl $buffer,%ebx; sidtl (%ebx); movl 2(%ebx),%eax"),
    ("sldt", "", "sldt %eax"),
    ("str", "", "str %eax"),
    ("smsw", "", "smsw %eax; shll $28,%eax"), ("smsw", "X", "smsw %eax; shll $28,%eax"),
    ("lgdt", "", "lgdtl gdt_register"),
    ("lidt", "", "lidtl idt_register"),
    ("lldt", "", "movl $0x30,%eax; lldt %ax; sldt %ebx"),
    ("lldt", "", "movl $0x10,%eax; lldt %ax"),
    ("lldt", "", "movl $0x33,%eax; lldt %ax"),
    ("ltr", "", "movl $0x28,%eax; ltr %ax"),
    ("ltr", "", "movl $0x00,%eax; ltr %ax"),
    ("lmsw", "", "movl $0x0,%eax; lmsw %ax; smsw %eax; shll $28,%eax"),
    ("clts", "X", "clts; smsw %eax; shll $28,%eax"),
    ("mov from cr0", "", "movl %cr0,%eax"),
    ("mov to cr0", "", "movl $0x20000011,%eax; movl %eax,%cr0"),
    ("mov from cr2", "", "movl %cr2,%eax"),
    ("mov to cr2", "", "movl $0x1234,%ebx; movl %ebx,%cr2; movl %cr2,%eax"),
    ("mov from cr3", "", "movl %cr3,%eax"),
    ("mov from cr4", "T", "movl %cr4,%eax"),
    ("mov to cr4", "", "movl $0x8,%ebx; movl %ebx,%cr4; movl %cr4,%eax"),
    ("mov from dr", "", "movl %db7,%eax"),
    ("mov to dr", "", "movl $0x12345678,%ebx; movl %ebx,%db0; movl %db0,%eax"),
    ("rdtsc", "", "rdtsc; movl $1,%eax"), ("rdtsc", "T", "rdtsc; movl $1,%eax"),
    ("rdmsr", "", "movl $0x10,%ecx; rdmsr; movl $1,%eax"),
    ("wrmsr", "", "movl $0x10,%ecx; movl $0,%eax; movl $0,%edx; wrmsr"),
    ("invd", "", "invd"), ("wbinvd", "", "wbinvd"), ("invlpg", "", "invlpg buffer"),
    ("in", "", "inb $0xE9,%al; movl $0,%eax"), ("in", "I", "inb $0xE9,%al; movl $0,%eax"), ("in", "B", "inb $0xE9,%al; movl $0,%eax"),
    ("out", "", "movl $0x80,%edx; outb %al,(%dx)"), ("out", "I", "movl $0x80,%edx; outb %al,(%dx)"),
    ("out", "B", "movl $0x80,%edx; outb %al,(%dx)"), ("out", "B", "movl $0x90,%edx; outb %al,(%dx)"),
    ("mov from cs", "", "movl %cs,%eax"), ("mov from ss", "", "movl %ss,%eax"), ("mov from ds", "", "movl %ds,%eax"),
    ("push cs", "", "pushl %cs; popl %eax; movl $0xFFFF,%ecx; andl %ecx,%eax"), ("push ss", "", "pushl %ss; popl %eax; movl $0xFFFF,%ecx; andl %ecx,%eax"), ("push ds", "", "pushl %ds; popl %eax; movl $0xFFFF,%ecx; andl %ecx,%eax"),
    *[("mov to ds", "", f"movl $0x{s:x},%eax; movl %eax,%ds") for s in (0, 3, 0x08, 0x10, 0x13, 0x18, 0x1B, 0x20, 0x23, 0x28, 0x30, 0x40, 0x50, 0x5B, 0x63, 0x7F8)],
    *[("mov to ss", "", f"movl $0x{s:x},%eax; movl %eax,%ss") for s in (0, 0x10, 0x13, 0x20, 0x23, 0x5B, 0x6B, 0x18)],
    ("pop ds", "", "pushl $0x23; popl %ds"), ("pop ss", "", "pushl $0x23; popl %ss"),
    ("lds", "", "movl $pointer,%ebx; ldsl (%ebx),%eax"), ("lss", "", "movl $pointer,%ebx; lssl (%ebx),%eax"),
    ("arpl", "", "movl $0x21,%eax; movl $0x13,%ebx; arpl %bx,%ax"),
    *[("lar", "", f"movl $0x{s:x},%ebx; larl %ebx,%eax; movl $0xF0FF00,%ecx; andl %ecx,%eax") for s in (0, 0x08, 0x10, 0x1B, 0x23, 0x28, 0x30, 0x38, 0x3B, 0x40, 0x7F8)],
    *[("lsl", "", f"movl $0x{s:x},%ebx; lsll %ebx,%eax") for s in (0, 0x08, 0x10, 0x1B, 0x23, 0x28, 0x30, 0x38, 0x40, 0x53)],
    *[("verr", "", f"movl $0x{s:x},%ebx; verr %bx") for s in (0, 0x08, 0x10, 0x1B, 0x23, 0x28, 0x40, 0x43)],
    *[("verw", "", f"movl $0x{s:x},%ebx; verw %bx") for s in (0, 0x08, 0x10, 0x1B, 0x23, 0x5B)],
    ("int n", "", "int $0x81"), ("int n", "", "int $0x90"), ("int n", "", "int $0xFF"), ("int3", "", "int3"), ("into", "", "into"),
    ("call far", "", "lcall $0x08,$landing"), ("call far", "", "lcall $0x1B,$landing"), ("call far", "", "lcall $0x3B,$0"),
    ("call far", "", "lcall $0x43,$landing"), ("call far", "", "lcall $0x10,$0"),
    ("jmp far", "", "ljmp $0x08,$landing"), ("jmp far", "", "ljmp $0x1B,$landing"), ("jmp far", "", "ljmp $0x3B,$0"), ("jmp far", "", "ljmp $0x40,$landing"),
    ("ret far", "", "pushl %cs; pushl $landing; lret"), ("ret far", "", "pushl $0x08; pushl $landing; lret"),
    ("ret far", "", "pushl $0x23; pushl $user_top; pushl $0x1B; pushl $landing; lret"),
    ("iret", "", "pushl $0x3202; pushl %cs; pushl $landing; iret"), ("iret", "I", "pushl $0x2; pushl %cs; pushl $landing; iret"),
    ("iret", "", "pushl $0x23; pushl $user_top; pushl $0x3002; pushl $0x1B; pushl $landing; iret"),
    ("iret", "", "pushl $0x23; pushl $user_top; pushl $0x3002; pushl $0x08; pushl $landing; iret"),
    ("ud2", "", "ud2"), ("fnop", "X", "fnop"), ("div", "", "movl $0,%ebx; divl %ebx"),
    ("limit", "", "movl $0x63,%eax; movl %eax,%ds; movl 0x10000(%ebx),%eax"),
    ("read-only", "", "movl $0x5B,%eax; movl %eax,%ds; movl %eax,4(%ebx)"),
    ("sldt", "L", "sldt %eax"),
    *[("mov to ds", "L", f"movl $0x{s:x},%eax; movl %eax,%ds") for s in (0x04, 0x0C, 0x17, 0x1F, 0x27, 0x2C, 0x5F, 0x67, 0x87, 0x23)],
    *[("mov to ss", "L", f"movl $0x{s:x},%eax; movl %eax,%ss") for s in (0x04, 0x14, 0x17, 0x27, 0x1C, 0x87)],
    *[("lar", "L", f"movl $0x{s:x},%ebx; larl %ebx,%eax; movl $0xF0FF00,%ecx; andl %ecx,%eax") for s in (0x04, 0x0C, 0x27, 0x34, 0x87)],
    *[("lsl", "L", f"movl $0x{s:x},%ebx; lsll %ebx,%eax") for s in (0x14, 0x27, 0x87)],
    *[("verw", "L", f"movl $0x{s:x},%ebx; verw %bx") for s in (0x14, 0x27, 0x5F)],
    ("lldt", "L", "movl $0x34,%eax; lldt %ax"), ("lldt", "L", "movl $0,%eax; lldt %ax; movl $0x27,%ebx; verr %bx"),
    ("ltr", "L", "movl $0x2C,%eax; ltr %ax"),
    ("call far", "L", "lcall $0x0C,$landing"), ("call far", "L", "lcall $0x1F,$landing"), ("jmp far", "L", "ljmp $0x3F,$0"),
    ("ret far", "L", "pushl $0x27; pushl $user_top; pushl $0x1F; pushl $landing; lret"),
    ("iret", "L", "pushl $0x27; pushl $user_top; pushl $0x3002; pushl $0x1F; pushl $landing; iret"),
    ("sysenter", "", "sysenter"), ("sysexit", "", "sysexit"), ("cpuid", "", "cpuid; movl $1,%eax; movl $1,%ebx"),
]
# Switches of tasks. What the new task tells is of the old one's segment, of its link, of busy bits, TR and CR0.TS, and what is on its stack.
def put(**fields):  # into the new task-state segment
    return "".join(f"movl ${value},%ecx; movl %ecx,other + {TSS[field]}; " for field, value in fields.items())
TSS = {"link": 0, "eip": 0x20, "eflags": 0x24, "esp": 0x38, "es": 0x48, "cs": 0x4C, "ss": 0x50, "ds": 0x54, "fs": 0x58, "gs": 0x5C, "ldt": 0x60}
OUTER = put(cs=0x1B, ss=0x23, ds=0x23, es=0x23, fs=0x23, gs=0x23, esp="user_top - 64")
LINKED = "movl $0x%x,%%ecx; movl %%ecx,task; "
BUSY = "movl $0x8B,%ecx; movb %cl,gdt + 0x7D; "
NT = "pushl $0x4002; popfl; "
def through(vector, kind=0xE5, selector=0x78):
    return f"movl $0x{selector << 16:x},%ecx; movl %ecx,idt + {8 * vector}; movl $0x{kind << 8:x},%ecx; movl %ecx,idt + {8 * vector + 4}; "
SWITCHES = [
    *[(f"{name} task", setting, prefix + f"{code} $0x{s:x},$0") for name, code in (("call", "lcall"), ("jmp", "ljmp"))
      for setting, prefix, selectors in (("", "", (0x78, 0x7B, 0x80, 0x83, 0x88, 0x90, 0x98, 0x9B, 0xA0, 0xA3, 0xA8, 0xAB, 0xB0, 0xB8, 0xC0, 0xD0, 0xD8, 0xE0)),
                                         ("", OUTER, (0x80, 0xA0)), ("I", OUTER + put(eflags=0x7202), (0x80,)), ("B", "", (0x80,))) for s in selectors],
    *[(f"{name} task, local table", "L", f"{code} $0x{s:x},$0") for name, code in (("call", "lcall"), ("jmp", "ljmp")) for s in (0x34, 0x7C)],
    *[(f"{name} task, local gate", "", f"{code} $0xC8,$0") for name, code in (("call", "lcall"), ("jmp", "ljmp"))],
    *[("int task", "", through(0x81, kind, selector) + "int $0x81") for kind, selector in ((0xE5, 0x78), (0x85, 0x78), (0x65, 0x78), (0xE5, 0x88), (0xE5, 0x90), (0xE5, 0x98), (0xE5, 0x10), (0xE5, 0))],
    ("int task", "", OUTER + through(0x81) + "int $0x81"), ("int task", "I", through(0x81) + "int $0x81"), ("int task, local gate", "", through(0x81, selector=0x7C) + "int $0x81"),
    *[("exception task", "", outer + through(6) + "ud2") for outer in ("", OUTER)],
    *[("exception task", "", outer + through(13) + "movl $0x7F8,%eax; movl %eax,%ds") for outer in ("", OUTER)],
    ("exception task, busy", "", through(6, selector=0x88) + "ud2"),
    *[("iret task", "", BUSY + LINKED % s + NT + "iret") for s in (0x78, 0x7B, 0x88, 0x90, 0x28, 0x10, 0x00, 0x7F8, 0x7C, 0x98)],
    ("iret task", "", OUTER + BUSY + LINKED % 0x78 + NT + "iret"), ("iret task", "", LINKED % 0x78 + NT + "iret"),
    ("iret task", "", BUSY + LINKED % 0x78 + put(eflags=0x4002) + NT + "iret"),
    ("iret back", "", put(eip="returns") + "movl $0x8B,%ecx; movb %cl,gdt + 0x2D; lcall $0x80,$0; movl $0x5555,%eax"),
    ("iret back", "", OUTER + put(eip="returns") + "movl $0x8B,%ecx; movb %cl,gdt + 0x2D; lcall $0xA0,$0; str %eax"),
    *[(f"new task, {'data' if (field, value) in (('ds', 0), ('ds', 0x43)) else field}", "", OUTER + put(**{field: value}) + "lcall $0x80,$0") for field, value in (
        ("ldt", 0x30), ("ldt", 0x34), ("ldt", 0x10), ("ldt", 0x7F8), ("ldt", 0x90), ("ldt", 0xE8), ("cs", 0x03), ("cs", 0x23), ("cs", 0x0B), ("cs", 0x43), ("cs", 0xF3), ("cs", 0x7FB),
        ("ss", 0), ("ss", 0x10), ("ss", 0x20), ("ss", 0x1B), ("ss", 0x5B), ("ss", 0x6B), ("ss", 0x7FB), ("ds", 0), ("ds", 0x10), ("ds", 0x13), ("ds", 0x43), ("ds", 0x7F8), ("ds", 0x6B), ("ds", 0x78),
        ("es", 0x10), ("fs", 0x10), ("gs", 0x6B))],
    ("new task", "", OUTER + put(ldt=0x30, ds=0x27, ss=0x27, cs=0x1F) + "lcall $0x80,$0"), ("new task, ds", "", OUTER + put(ds=0x27) + "lcall $0x80,$0"),
    ("new task, ds", "", put(ds=0x7F8) + "ljmp $0x80,$0"), ("new task, ss", "", put(cs=0x1B) + "ljmp $0x80,$0"),
]
PREVENTED = [  # settings as above, U: CR4.UMIP
    *[(name, setting, text) for name, text in (
        ("sgdt", "movl $buffer,%ebx; sgdtl (%ebx); movl 2(%ebx),%eax"), ("sidt", "movl $buffer,%ebx; sidtl (%ebx); movl 2(%ebx),%eax"),
        ("sldt", "sldt %eax"), ("str", "str %eax"), ("smsw", "smsw %eax; shll $28,%eax")) for setting in ("", "U")],
    ("pushf", "U", "pushfl; popl %eax"), ("lar", "U", "movl $0x10,%ebx; larl %ebx,%eax; movl $0xF0FF00,%ecx; andl %ecx,%eax"),
    ("mov to cr4", "U", "movl $0x800,%ebx; movl %ebx,%cr4; movl %cr4,%eax"),
]
BITS = {"I": 1, "T": 2, "V": 4, "X": 8, "B": 16, "U": 32, "L": 64}

# Where an emulator does not do what the manual says.
KNOWN = {
    ("QEMU", "cli", "V"): "CR4.PVI does nothing in protected mode (SDM 3B 20.4)",
    ("QEMU", "sti", "V"): "the same",
    ("QEMU", "ltr", ""): "LTR of a null selector does not trap (SDM 2A LTR: #GP(0))",
    ("QEMU", "mov to cr0", ""): "CR0.NW without CD does not trap (SDM 2A MOV: #GP(0))",
    **{("QEMU", f"{name} task, local gate", ""): "a task gate's selector with TI set is #TS (SDM 2A: #GP)" for name in ("call", "jmp", "int")},
    **{("QEMU", f"{name} task, local table", "L"): "so is that of a task-state segment" for name in ("call", "jmp")},
    **{("QEMU", f"new task, {what}", ""): "before SS is loaded its faults are not delivered by its CPL, behind it EIP is not the new task's; a conforming CS is #TS (SDM 3A 7.3)"
       for what in ("ldt", "cs", "ss", "ds", "es", "fs", "gs")},
    ("QEMU", "new task, data", ""): "limits and rights, as above",
    ("Bochs", "exception task, busy", ""): "the EXT bit of error codes, which is left out here",
    ("QEMU", "limit", ""): "segment limits are not checked (SDM 3A 5.3)",
    ("QEMU", "read-only", ""): "nor are the rights of segments at each access (SDM 3A 5.4)",
}

def descriptor(base, limit, kind):  # kind: bits 15 to 8 and 23 to 20 of the upper half
    return f".word 0x{limit & 0xFFFF:x}, ({base}) ; .byte 0x10, 0x{kind & 0xFF:x}, 0x{limit >> 16 & 15 | (kind >> 8 & 15) << 4:x}, 0" if base \
        else f".word 0x{limit & 0xFFFF:x}, 0; .byte 0, 0x{kind & 0xFF:x}, 0x{limit >> 16 & 15 | (kind >> 8 & 15) << 4:x}, 0"

def gate(target, kind, selector=0x08):
    return f".word ({target} - image), 0x{selector:x}, 0x{kind << 8:x}, 0x10"

def program(snippets):
    flat = 0xFFFFF
    gdt = [".quad 0", descriptor("", flat, 0xC9B), descriptor("", flat, 0xC93), descriptor("", flat, 0xCFB), descriptor("", flat, 0xCF3),
           descriptor("task - image", 0x67, 0x089), descriptor("gdt - image", 0x7F, 0x082), gate("landing", 0xEC), descriptor("", flat, 0xC9F),
           descriptor("", flat, 0xCBB), descriptor("", flat, 0xC13), descriptor("", flat, 0xCF1), descriptor("", 0xFFFF, 0x4F3),
           descriptor("", flat, 0xC73), descriptor("mapped_task - image", 0x2067, 0x089),
           *[descriptor("other - image", limit, kind) for limit, kind in ((0x67, 0x089), (0x67, 0x0E9), (0x67, 0x0EB), (0x67, 0x069), (0x66, 0x0E9))],  # 78H to 98H
           *[gate("image", kind, selector) for kind, selector in ((0xE5, 0x78), (0x85, 0x78), (0x65, 0x78), (0xE5, 0x88), (0xE5, 0x90), (0xE5, 0x7C), (0xE5, 0), (0xE5, 0x10))],
           descriptor("other - image", 0x67, 0x0E9), descriptor("gdt - image", 0x7F, 0x002), descriptor("", flat, 0xC7B)]  # E0H to F0H
    coded = (8, 10, 11, 12, 13, 14, 17)
    present = list(range(0x12)) + [0x80, 0x81]
    stubs = [f"stub{v}: {'' if v in coded else 'pushl $big;'} pushl $big + {v}; jmp common" for v in present]
    idt = [gate(f"stub{v}", 0xEE if v in (3, 4, 0x80) else 0x8E) if v in present else ".quad 0" for v in range(0x91)]
    code = [f"snippet{i}: {text}; int $0x80" for i, (_, _, text) in enumerate(snippets)]
    table = [f".long snippet{i}, {ring}, {sum(BITS[c] for c in setting)}" for i, (_, setting, _) in enumerate(snippets) for ring in (0, 3)]
    return "\n".join([r"""
.set big, 0x40000000  # keeps the assembler from forms of 8 bits
.text
.globl image, start
image: jmp start
.p2align 2
.long 0x1BADB002, 0, 0xE4524FFE
start:
  movl $0xFF,%eax; outb %al,$0x21; outb %al,$0xA1  # no interrupts
  movl $stack_top,%esp
  movl $gdt_register,%ebx; lgdtl (%ebx)
  movl $idt_register,%ebx; lidtl (%ebx)
  ljmp $0x08,$there
there:
  movl $table,%ebp
next:
  movl $stack_top,%esp
  movl $0x10,%eax; movl %eax,%ds; movl %eax,%es; movl %eax,%ss; movl %eax,%fs; movl %eax,%gs
  movl $gdt_register,%ebx; lgdtl (%ebx)
  movl $idt_register,%ebx; lidtl (%ebx)
  movl $0,%eax; lldt %ax
  movl %ebp,%edi
  movl $table_end,%ecx
  cmpl %ecx,%edi
  jae done
  movl $task,%ebx
  movl $stack_top,%ecx; movl %ecx,4(%ebx); movl $0x10,%ecx; movl %ecx,8(%ebx); movl $0x89,%eax; movl $gdt + 0x2D,%ebx; movb %al,(%ebx)
  movl $mapped_task,%ebx
  movl $stack_top,%ecx; movl %ecx,4(%ebx); movl $0x10,%ecx; movl %ecx,8(%ebx); movl $gdt + 0x75,%ebx; movb %al,(%ebx)
  movl $0x70,%ecx
  movl 8(%edi),%eax; andl $16,%eax; jne mapped
  movl $0x28,%ecx
mapped: ltr %cx
  movl $0x28,%ecx
  movl $gdt + 0x2D,%ebx; movl $0x89,%eax; movb %al,(%ebx)
  movl 8(%edi),%eax; andl $64,%eax; je no_ldt; movl $0x30,%eax; lldt %ax
no_ldt:
  movl $0x89,%eax; movl $gdt,%ebx; movb %al,0x7D(%ebx); movl $0xE9,%eax; movb %al,0x85(%ebx); movb %al,0xE5(%ebx); movb %al,0x9D(%ebx)
  movl $other,%ebx; movl $fresh,%esi
  movl $26,%ecx
refresh:
  movl (%esi),%eax; movl %eax,(%ebx); movl $4,%eax; addl %eax,%esi; addl %eax,%ebx; decl %ecx; jne refresh
  movl $other,%ebx; movl %edi,0x3C(%ebx); movl %edi,%ebp
  movl $gates,%esi; movl (%esi),%ecx; movl %ecx,idt + 0x30; movl 4(%esi),%ecx; movl %ecx,idt + 0x34
  movl 8(%esi),%ecx; movl %ecx,idt + 0x68; movl 12(%esi),%ecx; movl %ecx,idt + 0x6C
  movl 16(%esi),%ecx; movl %ecx,idt + 0x408; movl 20(%esi),%ecx; movl %ecx,idt + 0x40C
  movl $0,%ecx; movl %ecx,task
  movl $0,%ecx; movl %ecx,%cr4
  movl 8(%edi),%eax; andl $2,%eax; je no_tsd; addl $4,%ecx
no_tsd:
  movl 8(%edi),%eax; andl $4,%eax; je no_pvi; addl $2,%ecx
no_pvi:
  movl 8(%edi),%eax; andl $32,%eax; je no_umip; movl $0x800,%ecx
no_umip:
  movl %ecx,%cr4
  movl $0x11,%ecx
  movl 8(%edi),%eax; andl $8,%eax; je no_ts; addl $8,%ecx
no_ts:
  movl %ecx,%cr0
  movl $2,%ecx
  movl 8(%edi),%eax; andl $1,%eax; je no_iopl; movl $0x3002,%ecx
no_iopl:
  movl (%edi),%edx
  movl 4(%edi),%eax
  cmpl $0,%eax
  je inner
  movl $0x23,%eax; movl %eax,%ds; movl %eax,%es; movl %eax,%fs; movl %eax,%gs
  pushl %eax
  movl $user_top,%eax; pushl %eax
  pushl %ecx
  movl $0x1B,%eax; pushl %eax
  pushl %edx
  jmp begin
inner:
  pushl %ecx
  movl $0x08,%eax; pushl %eax
  pushl %edx
begin:
  movl $0x11111111,%eax; movl $buffer,%ebx; movl $0,%ecx; movl $0,%edx; movl $0,%esi; movl $0,%edi
  iret
landing: int $0x80

arrived:  # in the new task
  movl $0x3E7202,%ecx; andl %ecx,task + 0x24
  movl $0,%ecx; movl %esp,%edi; movl (%edi),%eax
  movl $task,%esi; call mix
  movl $mapped_task,%esi; call mix
  movl other,%ecx; addl %ecx,%eax; call spread
  movl gdt + 0x2C,%ecx; addl %ecx,%eax; call spread
  movl gdt + 0x74,%ecx; addl %ecx,%eax; call spread
  movl gdt + 0x7C,%ecx; addl %ecx,%eax; call spread
  movl gdt + 0x84,%ecx; addl %ecx,%eax; call spread
  str %ebx; smsw %ecx; shll $16,%ecx; addl %ecx,%ebx
  int $0x80
mix:  # a checksum of what is kept in a task-state segment
  movl $26,%ecx
mixed:
  movl (%esi),%edx; addl %edx,%eax; call spread; movl $4,%edx; addl %edx,%esi; decl %ecx; jne mixed
  ret
spread: movl %eax,%edx; shll $5,%eax; addl %edx,%eax; ret
returns: iret

common:  # vector, error code, EIP, CS, EFLAGS are on the stack
  pushl %eax
  pushl %ebx
  movl %ds,%eax
  pushl %eax
  movl $0x10,%eax; movl %eax,%ds; movl %eax,%es
  movl %ebp,%esi
  movl 12(%esp),%eax; movl $big,%ebx; subl %ebx,%eax; call print
  movl 16(%esp),%eax; movl $big,%ebx; cmpl %ebx,%eax; je no_code; call print
no_code:
  movl 24(%esp),%eax; movl $0xFFFF,%ebx; andl %ebx,%eax; call print
  movl 20(%esp),%eax; movl (%esi),%ebx; subl %ebx,%eax; call print
  movl 28(%esp),%eax; movl $0x3E7202,%ebx; andl %ebx,%eax; call print  # ZF is told below, where an instruction defines it
  movl 28(%esp),%eax; andl $0x40,%eax; call print
  movl 8(%esp),%eax; call print
  movl 4(%esp),%eax; call print
  popl %eax; movl $0xFFFF,%ebx; andl %ebx,%eax; call print
  movl $10,%eax; outb %al,$0xE9
  movl $12,%eax; addl %eax,%ebp
  jmp next
print:  # EAX in hexadecimal and a space; EBX, ECX and EDX are lost
  movl $8,%ecx
  movl %eax,%edx
digit:
  movl %edx,%eax; shrl $28,%eax; shll $4,%edx
  addl $0x30,%eax
  movl $0x3A,%ebx; cmpl %ebx,%eax; jb decimal
  addl $7,%eax
decimal:
  outb %al,$0xE9
  decl %ecx
  jne digit
  movl $0x20,%eax; outb %al,$0xE9
  ret
done:
  movl $0x21,%eax; outb %al,$0xE9
  movl $10,%eax; outb %al,$0xE9
  movl $0,%eax; movl $0x501,%edx; outb %al,(%dx)
  cli
  hlt
""", *code, *stubs, ".p2align 3", "gdt:", *gdt, "gdt_end:", "idt:", *idt, "idt_end:", "table:", *table, "table_end:", r"""
gdt_register: .word gdt_end - gdt - 1; .long gdt
.p2align 2
idt_register: .word idt_end - idt - 1; .long idt
.p2align 2
pointer: .long 0x22222222; .word 0x23
.p2align 2
buffer: .fill 64, 1, 0
other: .fill 26, 4, 0
fresh: .long 0, stack_top, 0x10, 0, 0, 0, 0, 0, arrived, 2, 0x22222222, 0x23232323, 0x24242424, 0x25252525, other_top, 0, 0x26262626, 0x27272727
.long 0x10, 0x08, 0x10, 0x10, 0x10, 0x10, 0, 0x680000
gates: GATES
task: .fill 25, 4, 0
.word 0, 0x68  # no I/O permission bit map
mapped_task: .fill 25, 4, 0
.word 0, 0x68
.fill 16, 1, 0
.byte 0, 0, 1, 0  # port 90H is closed
.fill 8166, 1, 0
.p2align 4
.fill 1024, 1, 0
other_top: .fill 16, 1, 0
.fill 4096, 1, 0
user_top: .fill 16, 1, 0
.fill 4096, 1, 0
stack_top: .fill 16, 1, 0
""".replace("GATES", "; ".join(idt[v] for v in (0x06, 0x0D, 0x81)))]) + "\n"

BOOT = r"""
.code16
start:
  cli
  xorw %ax,%ax; movw %ax,%ds; movw %ax,%es; movw %ax,%ss; movw $0x7C00,%sp
  movb %dl,drive
  movw $0x1000,%ax; movw %ax,%es
  movw $1,%si
load:  # one sector after the other, from cylinder, head and sector
  movw %si,%ax; xorw %dx,%dx; movw $18,%bx; divw %bx; movb %dl,%cl; incb %cl
  xorw %dx,%dx; movw $2,%bx; divw %bx; movb %al,%ch; movb %dl,%dh
  movb drive,%dl; xorw %bx,%bx; movw $0x0201,%ax; int $0x13
  movw %es,%ax; addw $0x20,%ax; movw %ax,%es
  incw %si; cmpw $SECTORS + 1,%si; jne load
  inb $0x92,%al; orb $2,%al; outb %al,$0x92
  cli
  lgdtl register
  movl %cr0,%eax; orb $1,%al; movl %eax,%cr0
  ljmpl $0x08,$flat
.code32
flat:
  movl $0x10,%eax; movl %eax,%ds; movl %eax,%es; movl %eax,%ss
  movl $0x10000,%esi; movl $0x100000,%edi; movl $SECTORS * 128,%ecx; cld; rep movsl
  movl $0x100000,%eax; jmp *%eax
drive: .byte 0
.p2align 2
table: .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF
register: .word 23; .long table
.org 510
.word 0xAA55
"""

def run(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

def assemble(folder, name, text, origin, entry):
    with open(f"{folder}/{name}.s", "w") as out: out.write(text)
    for command in (["as", "--32", "-o", f"{name}.o", f"{name}.s"],
                    ["ld", "-m", "elf_i386", "-N", "-Ttext", hex(origin), "-e", entry, "-o", f"{name}.elf", f"{name}.o"],
                    ["objcopy", "-O", "binary", f"{name}.elf", f"{name}.bin"]):
        result = run(command, cwd=folder, timeout=20)
        if result.returncode != 0: sys.exit(f"{command[0]}: {result.stderr.decode()}")

def lines(text):
    out = []
    for line in text.replace("\r", "").split("\n"):
        if line.strip() == "!": return out
        fields = line.split()
        if len(fields) in (8, 9) and all(len(f) == 8 for f in fields): out.append(fields)
    return out

def on_pogo(folder, pogo, spec, umip):
    result = run([pogo, "run", spec, "--param", f"umip={'true' if umip else 'false'}", "--elf", f"{folder}/probe.elf", "--cycles", "3000000"], timeout=60)
    return lines(result.stdout.decode(errors="replace")), result.stderr.decode()

def qemu_says(folder, cpu):
    try: run(["qemu-system-i386", "-cpu", cpu, "-m", "32", "-display", "none", "-nodefaults", "-no-reboot", "-kernel", f"{folder}/probe.elf",
         "-debugcon", f"file:{folder}/qemu.txt", "-device", "isa-debug-exit,iobase=0x501,iosize=1"], timeout=15)
    except subprocess.TimeoutExpired: pass
    with open(f"{folder}/qemu.txt", errors="replace") as text: return text.read()

def bochs_says(folder, cpu):
    with open(f"{folder}/boot.bin", "rb") as boot, open(f"{folder}/probe.bin", "rb") as probe: disk = boot.read() + probe.read()
    with open(f"{folder}/disk", "wb") as out: out.write(disk.ljust(1474560, b"\0"))
    with open(f"{folder}/rc", "w") as rc:
        rc.write("romimage: file=/usr/share/bochs/BIOS-bochs-latest\nvgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest\n"
                 "megs: 32\nfloppya: 1_44=disk, status=inserted\nboot: floppy\nport_e9_hack: enabled=1\ndisplay_library: term\n"
                 f"cpu: model={cpu}, ips=20000000\n"
                 "log: log\npanic: action=fatal\nspeaker: enabled=0\nsound: driver=dummy\n")
    with open(f"{folder}/debug", "w") as out: out.write("c\nq\n")
    screen, terminal = pty.openpty()  # Bochs wants a terminal, and writes there what the port is given
    process = subprocess.Popen(["bochs", "-q", "-f", "rc", "-rc", "debug"], cwd=folder, env={**os.environ, "TERM": "vt100"},
                               stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    found, end = b"", time.monotonic() + 15
    try:
        while time.monotonic() < end and b"\n!" not in found:
            if select.select([screen], [], [], 0.2)[0]: found += os.read(screen, 65536)
    except OSError: pass  # it has ended
    finally:
        process.kill()
        process.wait()
        os.close(screen)
    return re.sub(r"\x1b[()\[][0-9;?]*[A-Za-z]", "", found.decode(errors="replace"))

CPUS = {"QEMU": ("pentium2", "max", "qemu64,+svm"), "Bochs": ("p2_klamath", "corei7_icelake_u", "phenom_8650_toliman")}
NAMES = ["vector", "error", "cs", "eip", "eflags", "zf", "eax", "ebx", "ds"]

def named(fields):
    names = NAMES if len(fields) == 9 else NAMES[:1] + NAMES[2:]
    return dict(zip(names, (int(f, 16) for f in fields)))

def build(folder, text):
    assemble(folder, "probe", text, 0x100000, "start")
    sectors = (os.path.getsize(f"{folder}/probe.bin") + 511) // 512
    assemble(folder, "boot", BOOT.replace("SECTORS", str(sectors)), 0x7C00, "start")

def compare(folder, pogo, spec, peers, snippets, umip):
    build(folder, program(snippets))
    mine, errors = on_pogo(folder, pogo, spec, umip)
    wanted = 2 * len(snippets)
    differ = 0
    if len(mine) != wanted:
        print(f"Pogo: {len(mine)} lines of {wanted}; {errors}")
        differ += 1
    for name, ask in peers:
        theirs = lines(ask(folder, CPUS[name][umip]))
        if len(theirs) != wanted:
            print(f"{name}: {len(theirs)} lines of {wanted}")
            differ += 1
        agreed = known = 0
        for i in range(min(len(mine), len(theirs))):
            what, setting, text = snippets[i // 2]
            a, b = named(mine[i]), named(theirs[i])
            if a == b:
                agreed += 1
            elif (name, what, setting) in KNOWN:
                known += 1
            else:
                differ += 1
                print(f"{what} [{setting}] in ring {3 * (i % 2)}: {text}")
                for key in sorted(set(a) | set(b), key=NAMES.index):
                    if a.get(key) != b.get(key): print(f"  {key}: Pogo {a.get(key, -1):#x}, {name} {b.get(key, -1):#x}")
        print(f"{name}{', UMIP' if umip else ''}: {agreed} of {wanted} agree, {known} differ as known")
    return differ

def main():
    if len(sys.argv) < 2: sys.exit("usage: oracle.py POGO [SPEC]")
    pogo = os.path.abspath(sys.argv[1])
    here = os.path.dirname(os.path.abspath(__file__))
    spec = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else os.path.join(here, "../../../isa-spec/specs/ia32.isa")
    peers = [(name, ask) for name, tool, ask in (("QEMU", "qemu-system-i386", qemu_says), ("Bochs", "bochs", bochs_says)) if shutil.which(tool)]
    if not peers or not all(shutil.which(tool) for tool in ("as", "ld", "objcopy")):
        print("needs qemu-system-i386 or bochs, and binutils")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        differ = compare(folder, pogo, spec, peers, SNIPPETS + SWITCHES, False) + compare(folder, pogo, spec, peers, PREVENTED, True)
        build(folder, svm.program())
        differ += svm.compare(pogo, spec, [(name, lambda name=name, ask=ask: ask(folder, CPUS[name][2])) for name, ask in peers])
        build(folder, vmx.program())
        differ += vmx.compare(pogo, spec, [(name, lambda ask=ask: ask(folder, "corei7_sandy_bridge_2600k")) for name, ask in peers if name == "Bochs"])
    return 1 if differ else 0

sys.exit(main())
