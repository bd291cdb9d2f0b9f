#!/usr/bin/env python3
# Runs the same snippets in rings 0 and 3 on QEMU, Bochs and Pogo's model of ia32.isa, and compares what they leave.
# SPDX-License-Identifier: Apache-2.0
#
# usage: oracle.py POGO [SPEC]      exit code 0: all agree, 1: they differ, 77: no emulator, or no binutils
#
# A snippet ends by INT 80H or by a fault. The handler tells through port E9H: vector, error code, CS, how far EIP is from the snippet's
# beginning, EFLAGS (without RF), EAX, EBX, DS and SS. One program for all three: a Multiboot image, and a boot sector for Bochs.
import os
import shutil
import subprocess
import sys
import tempfile

# name, setting, text. Settings: I (IOPL 3), T (CR4.TSD), V (CR4.PVI), X (CR0.TS), B (TSS with an I/O permission bit map that is open).
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
    ("lldt", "", "movl $0x30,%eax; lldt %eax; sldt %ebx"),
    ("lldt", "", "movl $0x10,%eax; lldt %eax"),
    ("lldt", "", "movl $0x33,%eax; lldt %eax"),
    ("ltr", "", "movl $0x28,%eax; ltr %eax"),
    ("ltr", "", "movl $0x00,%eax; ltr %eax"),
    ("lmsw", "", "movl $0x0,%eax; lmsw %eax; smsw %eax; shll $28,%eax"),
    ("clts", "X", "clts; smsw %eax; shll $28,%eax"),
    ("mov from cr0", "", "movl %cr0,%eax"),
    ("mov to cr0", "", "movl $0x20000011,%eax; movl %eax,%cr0"),
    ("mov to cr0", "", "movl $0x80000010,%eax; movl %eax,%cr0"),
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
    ("hlt", "", "cli; hlt" if False else "hlt"),
    ("invd", "", "invd"), ("wbinvd", "", "wbinvd"), ("invlpg", "", "invlpg buffer"),
    ("in", "", "inb $0xE9,%al; movl $0,%eax"), ("in", "I", "inb $0xE9,%al; movl $0,%eax"), ("in", "B", "inb $0xE9,%al; movl $0,%eax"),
    ("out", "", "movl $0x80,%edx; outb %al,(%dx)"), ("out", "I", "movl $0x80,%edx; outb %al,(%dx)"),
    ("out", "B", "movl $0x80,%edx; outb %al,(%dx)"), ("out", "B", "movl $0x90,%edx; outb %al,(%dx)"),
    ("mov from cs", "", "movl %cs,%eax"), ("mov from ss", "", "movl %ss,%eax"), ("mov from ds", "", "movl %ds,%eax"),
    ("push cs", "", "pushl %cs; popl %eax"), ("push ss", "", "pushl %ss; popl %eax"), ("push ds", "", "pushl %ds; popl %eax"),
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
    ("call far", "", "lcall $0x43,$landing"), ("call far", "", "lcall $0x28,$0"), ("call far", "", "lcall $0x10,$0"),
    ("jmp far", "", "ljmp $0x08,$landing"), ("jmp far", "", "ljmp $0x1B,$landing"), ("jmp far", "", "ljmp $0x3B,$0"), ("jmp far", "", "ljmp $0x40,$landing"),
    ("ret far", "", "pushl %cs; pushl $landing; lret"), ("ret far", "", "pushl $0x08; pushl $landing; lret"),
    ("ret far", "", "pushl $0x23; pushl $user_top; pushl $0x1B; pushl $landing; lret"),
    ("iret", "", "pushl $0x3202; pushl %cs; pushl $landing; iret"), ("iret", "I", "pushl $0x2; pushl %cs; pushl $landing; iret"),
    ("iret", "", "pushl $0x23; pushl $user_top; pushl $0x3002; pushl $0x1B; pushl $landing; iret"),
    ("iret", "", "pushl $0x23; pushl $user_top; pushl $0x3002; pushl $0x08; pushl $landing; iret"),
    ("ud2", "", "ud2"), ("fnop", "X", "fnop"), ("div", "", "movl $0,%ebx; divl %ebx"),
    ("limit", "", "movl $0x63,%eax; movl %eax,%ds; movl 0x10000(%ebx),%eax"),
    ("read-only", "", "movl $0x5B,%eax; movl %eax,%ds; movl %eax,4(%ebx)"),
]
BITS = {"I": 1, "T": 2, "V": 4, "X": 8, "B": 16}

def descriptor(base, limit, kind):  # kind: bits 15 to 8 and 23 to 20 of the upper half
    return f".word 0x{limit & 0xFFFF:x}, ({base}) ; .byte 0x10, 0x{kind & 0xFF:x}, 0x{limit >> 16 & 15 | (kind >> 8 & 15) << 4:x}, 0" if base \
        else f".word 0x{limit & 0xFFFF:x}, 0; .byte 0, 0x{kind & 0xFF:x}, 0x{limit >> 16 & 15 | (kind >> 8 & 15) << 4:x}, 0"

def gate(target, kind, selector=0x08):
    return f".word ({target} - image), 0x{selector:x}, 0x{kind << 8:x}, 0x10"

def program():
    flat = 0xFFFFF
    gdt = [".quad 0", descriptor("", flat, 0xC9B), descriptor("", flat, 0xC93), descriptor("", flat, 0xCFB), descriptor("", flat, 0xCF3),
           descriptor("task - image", 0x67, 0x089), descriptor("gdt - image", 0xF, 0x082), gate("landing", 0xEC), descriptor("", flat, 0xC9F),
           descriptor("", flat, 0xCBB), descriptor("", flat, 0xC13), descriptor("", flat, 0xCF1), descriptor("", 0xFFFF, 0x4F3),
           descriptor("", flat, 0xC73), descriptor("big_task - image", 0x2067, 0x089)]
    coded = (8, 10, 11, 12, 13, 14, 17)
    stubs, idt = [], []
    for v in range(0x90):
        kind = 0x8E if v not in (3, 4, 0x80) else 0xEE
        if v in range(0x12) or v in (0x80, 0x81): stubs.append(f"stub{v}: {'' if v in coded else 'pushl $0;'} pushl ${v}; jmp common")
        idt.append(gate(f"stub{v}", kind) if v in range(0x12) or v in (0x80, 0x81) else ".quad 0")
    code, table = [], []
    for i, (_, setting, text) in enumerate(SNIPPETS):
        code.append(f"snippet{i}: {text}; int $0x80")
        for ring in (0, 3):
            table.append(f".long snippet{i}, {ring}, {sum(BITS[c] for c in setting)}")
    lines = f"""
.text
.globl image
image: .long 0x1BADB002, 0, 0xE4524FFE
.globl start
start:
  movl $0x1000F000,%esp
  movl $stack_top,%esp
  movl $gdt_register,%ebx; lgdtl (%ebx)
  movl $idt_register,%ebx; lidtl (%ebx)
  ljmp $0x08,$there
there:
  movl $0,%ebp
next:
  movl $stack_top,%esp
  movl $0x10,%eax; movl %eax,%ds; movl %eax,%es; movl %eax,%ss; movl %eax,%fs; movl %eax,%gs
  movl $gdt_register,%ebx; lgdtl (%ebx)
  movl $idt_register,%ebx; lidtl (%ebx)
  movl $0,%eax; lldt %eax
  cmpl $table_end - table,%ebp_placeholder
"""
    return gdt, stubs, idt, code, table
