; In the virtual state: a tick comes while the guest masks interrupts and is delivered when its popf unmasks them.
; SPDX-License-Identifier: Apache-2.0
; Needs popf=true and the policy lecture-vt. Expected: r2=0 (masked), r3=1 (delivered), r4=2 (the guest's user program trapped
; to the guest, without an exit), r5=5 (the user's own memory was written), `exits` = 9

.equ memory,  0x8000            ; the guest's address 0
.equ size,    0x4000
.equ entry,   0x1000            ; where the guest begins, as it sees it
.equ exit,    -0x0D00
.equ count,   -0x0F00
.equ compare, -0x0EF8
.equ control, -0x0EF0
.equ enable,  -0x0DF8

; ---- monitor ----
.org 0
        bra boot                ; 0: reset; the monitor itself never traps
        bra broken              ; 1: illegal instruction
        bra broken              ; 2: privilege violation
        bra broken              ; 3: bounds
        bra broken              ; 4: alignment
        bra broken              ; 5: interrupt
.org 0x80
boot:   lw r1, count(r0)        ; one tick, in a while
        add r1, r1, #500
        sw r1, compare(r0)
        li r1, 1
        sw r1, control(r0)
        li r1, 2                ; line 1
        sw r1, enable(r0)
        li r1, memory
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
        lw r1, exits(r0)
        add r1, r1, #1
        sw r1, exits(r0)
        vmget r1, vm_reason
        li r2, 0x8000           ; an interrupt
        cmp r1, r2
        beq tick
        add r2, r2, #1          ; the guest's I is 1
        cmp r1, r2
        beq inject
        bhi broken
        vmget r1, vm_pc         ; the instruction that left
        vmget r2, vm_base
        add r2, r2, r1
        lw r3, 0(r2)
        shr r4, r3, #24         ; its first two digits are the operation
        cmp r4, #0x70
        beq e_rte
        cmp r4, #0x75
        beq e_put
        cmp r4, #0x71
        beq e_halt
broken: li r1, 1
        sw r1, exit(r0)
        halt

tick:   sw r0, control(r0)      ; no more
        li r1, 1
        vmput vm_window, r1     ; tell when the guest can take it
        bra resume
inject: vmput vm_window, r0     ; what the machine does for an interrupt
        vmget r1, vm_pc
        put epc, r1
        vmget r1, vm_ccr
        put eccr, r1
        li r1, 0x80
        vmput vm_ccr, r1
        get r1, vbr
        add r1, r1, #20
        vmput vm_pc, r1
        bra resume

e_rte:  get r1, eccr            ; epc, eccr and vbr are the guest's while it runs
        vmput vm_ccr, r1
        get r1, epc
        vmput vm_pc, r1
        bra resume
e_put:  shr r5, r3, #18
        and r5, r5, #0x3C
        lw r6, regs(r5)         ; the value
        shr r5, r3, #16
        and r5, r5, #0xF        ; and where it goes
        cmp r5, #1
        beq p_base
        cmp r5, #2
        beq p_limit
        cmp r5, #4
        beq p_epc
        cmp r5, #5
        bne broken
        put eccr, r6
        bra next
p_epc:  put epc, r6
        bra next
p_base: add r6, r6, r2          ; a shadow: r2 was vm_base + vm_pc
        sub r6, r6, r1
        put base, r6
        bra next
p_limit: put limit, r6          ; a shadow, too; this guest is trusted not to exceed vm_limit
next:   add r1, r1, #4
        vmput vm_pc, r1
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
        vmenter
e_halt: lw r2, regs + 8(r0)
        lw r3, regs + 12(r0)
        lw r4, regs + 16(r0)
        lw r5, regs + 20(r0)
        halt

.align 4
regs:   .space 64
exits:  .word 0

; ---- guest ----
.equ got,   0x700               ; how many interrupts it had
.equ place, 0x2000              ; of its user program

.org memory
        .word 0
        .word 0
        bra violation           ; 2
        .word 0
        .word 0
        bra taken               ; 5
taken:  sw r1, got + 4(r0)
        lw r1, got(r0)
        add r1, r1, #1
        sw r1, got(r0)
        lw r1, got + 4(r0)
        rte                     ; leaves
violation:
        li r4, 2
        lw r5, place + 0x20(r0)
        halt                    ; leaves

.org memory + entry
guest:  li r1, 0
work:   add r1, r1, #1          ; the tick comes here, and leaves
        cmp r1, #500
        bne work
        lw r2, got(r0)
        li r15, 0x800
        li r7, 0xC0             ; S = 1, I = 1
        sw r7, 0(r15)
        popf                    ; innocuous; and the window leaves
        lw r3, got(r0)
        li r1, place
        put base, r1            ; leaves, as the next four do
        li r1, 0x100
        put limit, r1
        put epc, r0
        put eccr, r0
        rte

.org memory + place
        li r5, 5                ; the guest's user program, at its address 0
        sw r5, 0x20(r0)
        sti                     ; a privilege violation of the guest's own
