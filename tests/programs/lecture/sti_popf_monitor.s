; The guest under a trap-and-emulate monitor: sti and cli trap, popf says nothing and changes nothing. Needs popf=true.
; SPDX-License-Identifier: Apache-2.0
; Expected: r1=80 r2=C0 r3=C0 (wrong) r4=C0 r5=80 r6=80 (wrong)

.equ memory, 0x8000             ; the guest's address 0
.equ size,   0x4000
.equ entry,  0x1000             ; where the guest begins, as it sees it
.equ exit,   -0x0D00

.org 0
        bra boot                ; 0: reset
        bra broken              ; 1: illegal instruction
        bra emulate             ; 2: privilege violation
        bra broken              ; 3: bounds
        bra broken              ; 4: alignment
        bra broken              ; 5: interrupt

; ---- monitor: the guest's supervisor mode is real user mode; its S and I are in virtual_ccr ----
.org 0x80
boot:   li r1, memory
        put base, r1
        li r1, size
        put limit, r1
        li r1, 0x80             ; virtually S = 1, I = 0
        sw r1, virtual_ccr(r0)
        li r1, 0x40             ; really S = 0, I = 1: interrupts are the monitor's
        put eccr, r1
        li r1, entry
        put epc, r1
        li r1, 0
        rte

emulate:
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
        get r1, epc             ; the instruction that trapped
        get r2, base
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

e_cli:  lw r5, virtual_ccr(r0)
        and r5, r5, #0x80
        sw r5, virtual_ccr(r0)
        bra next
e_sti:  lw r5, virtual_ccr(r0)
        or r5, r5, #0x40
        sw r5, virtual_ccr(r0)
        bra next
e_get:  shr r5, r3, #16
        and r6, r5, #0xF        ; which control register: ccr alone is needed here
        bne broken
        lw r6, virtual_ccr(r0)
        get r7, eccr            ; N, Z, V and C are the real ones
        and r7, r7, #0xF
        or r6, r6, r7
        shr r5, r5, #4
        and r5, r5, #0xF
        shl r5, r5, #2
        sw r6, regs(r5)
next:   get r1, epc
        add r1, r1, #4
        put epc, r1
resume:
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
        rte
e_halt: li r1, stop             ; go on in real supervisor mode, with the guest's registers
        put epc, r1
        li r1, 0x80
        put eccr, r1
        bra resume
stop:   halt

.align 4
regs:   .space 64
virtual_ccr: .word 0

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
