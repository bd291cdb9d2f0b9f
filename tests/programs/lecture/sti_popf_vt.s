; The guest in the virtual state: S and I are its own, sti and cli leave to the monitor, popf is right. Needs popf=true.
; SPDX-License-Identifier: Apache-2.0
; Expected: r1=80 r2=C0 r3=80 r4=C0 r5=80 r6=C0

.equ memory, 0x8000             ; the guest's address 0
.equ size,   0x4000
.equ entry,  0x1000             ; where the guest begins, as it sees it
.equ exit,   -0x0D00

.org 0
        bra boot                ; 0: reset; the monitor itself never traps
        bra broken              ; 1: illegal instruction
        bra broken              ; 2: privilege violation
        bra broken              ; 3: bounds
        bra broken              ; 4: alignment
        bra broken              ; 5: interrupt

; ---- monitor: runs in the real state; the guest's S and I are in vm_ccr while it does ----
.org 0x80
boot:   li r1, memory
        vmput vm_base, r1
        put base, r1            ; the shadow of the guest's base 0 (and its limit is 0, so that of limit is)
        li r1, size
        vmput vm_limit, r1
        li r1, left
        vmput vm_vector, r1
        li r1, 0x80             ; S = 1, I = 0
        vmput vm_ccr, r1
        li r1, entry
        vmput vm_pc, r1
        li r1, 0
        vmenter

left:
        sw r1, regs + 4(r0)
        sw r2, regs + 8(r0)
        sw r3, regs + 12(r0)
        sw r4, regs + 16(r0)
        sw r5, regs + 20(r0)
        sw r6, regs + 24(r0)
        sw r7, regs + 28(r0)
        sw r8, regs + 32(r0)
        sw r9, regs + 36(r0)
        sw r10, regs + 40(r0)
        sw r11, regs + 44(r0)
        sw r12, regs + 48(r0)
        sw r13, regs + 52(r0)
        sw r14, regs + 56(r0)
        sw r15, regs + 60(r0)
        vmget r1, vm_pc         ; the instruction that left
        vmget r2, vm_base
        add r2, r2, r1
        lw r3, 0(r2)
        shr r4, r3, #24         ; its first two digits are the operation
        cmp r4, #0x72
        beq e_cli
        cmp r4, #0x73
        beq e_sti
        cmp r4, #0x74
        beq e_get
        cmp r4, #0x71
        beq e_halt
broken: li r1, 1
        sw r1, exit(r0)
        halt

e_cli:  vmget r5, vm_ccr
        and r5, r5, #-65        ; all but I
        vmput vm_ccr, r5
        bra next
e_sti:  vmget r5, vm_ccr
        or r5, r5, #0x40
        vmput vm_ccr, r5
        bra next
e_get:  shr r5, r3, #16
        and r6, r5, #0xF        ; which control register: ccr alone is needed here
        bne broken
        vmget r6, vm_ccr
        shr r5, r5, #4
        and r5, r5, #0xF
        shl r5, r5, #2
        sw r6, regs(r5)
next:   vmget r1, vm_pc
        add r1, r1, #4
        vmput vm_pc, r1
        lw r1, regs + 4(r0)
        lw r2, regs + 8(r0)
        lw r3, regs + 12(r0)
        lw r4, regs + 16(r0)
        lw r5, regs + 20(r0)
        lw r6, regs + 24(r0)
        lw r7, regs + 28(r0)
        lw r8, regs + 32(r0)
        lw r9, regs + 36(r0)
        lw r10, regs + 40(r0)
        lw r11, regs + 44(r0)
        lw r12, regs + 48(r0)
        lw r13, regs + 52(r0)
        lw r14, regs + 56(r0)
        lw r15, regs + 60(r0)
        vmenter
e_halt: lw r1, regs + 4(r0)
        lw r2, regs + 8(r0)
        lw r3, regs + 12(r0)
        lw r4, regs + 16(r0)
        lw r5, regs + 20(r0)
        lw r6, regs + 24(r0)
        halt

.align 4
regs:   .space 64

.org memory + entry
; ---- guest: the same text in sti_popf_bare.s, sti_popf_monitor.s and sti_popf_vt.s; begins with S = 1 and I = 0 ----
guest:  li r15, 0x800
        get r1, ccr             ; I = 0
        sti
        get r2, ccr             ; I = 1
        li r7, 0x80             ; S = 1, I = 0
        sw r7, 0(r15)
        popf
        get r3, ccr             ; I = 0
        li r15, 0x800
        li r7, 0xC0             ; S = 1, I = 1
        sw r7, 0(r15)
        popf
        get r4, ccr             ; I = 1
        cli
        get r5, ccr             ; I = 0
        li r15, 0x800
        sw r7, 0(r15)
        popf
        get r6, ccr             ; I = 1
        halt
; ---- end of guest ----
