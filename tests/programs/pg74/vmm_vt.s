; A monitor for Popek and Goldberg's machine with a virtual state. Its guest lies at `origin` and does not know of it.
; SPDX-License-Identifier: Apache-2.0
;
; What the guest's supervisor does that is privileged (lpsw, lr, halt) leaves and is done here; so does a store to a device, which is
; beyond the guest's memory. All other traps of the guest's swap its own PSW, and the monitor never sees them.

.equ uart,   0xFF00
.equ exit,   0xFF10
.equ field,  65536
.equ origin, 0x1000             ; the guest's memory
.equ size,   0x800

.org 0
        .unit 0                                 ; E[0]: the guest's PSW when it has left
        .unit handle * field * field + 0xFFFF   ; E[1]
start:  li r1, origin * field + size
        vmlr r1
        li r1, 0
        vmlpsw guest(r0)

; ---- the dispatcher: r1 the PSW, r2 0xFFFF, r4 l, r5 the instruction, r6 its index or register, r8 where it goes, physically ----------
handle: store r0, regs + 0(r0)
        store r1, regs + 1(r0)
        store r2, regs + 2(r0)
        store r3, regs + 3(r0)
        store r4, regs + 4(r0)
        store r5, regs + 5(r0)
        store r6, regs + 6(r0)
        store r7, regs + 7(r0)
        store r8, regs + 8(r0)
        store r9, regs + 9(r0)
        store r10, regs + 10(r0)
        store r11, regs + 11(r0)
        store r12, regs + 12(r0)
        store r13, regs + 13(r0)
        store r14, regs + 14(r0)
        store r15, regs + 15(r0)
        load r1, 0(r0)
        li r2, 0xFFFF
        shr r3, r1, 32
        and r3, r3, r2          ; P
        shr r4, r1, 16
        and r4, r4, r2
        add r5, r3, r4
        load r5, origin(r5)
        shr r6, r5, 48
        li r7, 0xF
        and r6, r6, r7
        li r8, 0
        beq r6, r8, direct      ; no index
        load r8, regs(r6)
direct: add r8, r8, r5
        and r8, r8, r2
        add r8, r8, r4
        shr r9, r5, 56
        shr r10, r1, 60
        li r11, 5
        beq r10, r11, privileged
        li r11, 6
        beq r10, r11, device
        jump bad(r0)

; ---- interpretive routines ----------------------------------------------------------------------------------------------------------
privileged:
        li r11, 0x80
        beq r9, r11, do_lpsw
        li r11, 0x81
        beq r9, r11, do_lr
        li r11, 0x82
        beq r9, r11, do_halt
bad:    li r1, 2                ; more is not needed for guests that keep to their memory and its devices
        store r1, exit(r0)
do_halt: halt
do_lpsw: li r11, size
        blt r8, r11, within
        jump bad(r0)
within: load r1, origin(r8)
        store r1, guest(r0)
        jump enter(r0)
do_lr:  load r7, regs(r6)
        shl r7, r7, 32
        shr r7, r7, 32
        shr r1, r1, 32
        shl r1, r1, 32
        add r1, r1, r7
        jump next(r0)
device: li r11, 0x12
        beq r9, r11, stores
        jump bad(r0)
stores: shr r6, r5, 52
        li r7, 0xF
        and r6, r6, r7
        load r7, regs(r6)
        li r11, uart
        beq r8, r11, prints
        li r11, exit
        beq r8, r11, ends
        jump bad(r0)
prints: store r7, uart(r0)
        jump next(r0)
ends:   store r7, exit(r0)
next:   li r7, 1                ; behind the instruction
        shl r7, r7, 32
        add r1, r1, r7
        store r1, guest(r0)
enter:  load r15, regs + 15(r0)
        load r14, regs + 14(r0)
        load r13, regs + 13(r0)
        load r12, regs + 12(r0)
        load r11, regs + 11(r0)
        load r10, regs + 10(r0)
        load r9, regs + 9(r0)
        load r8, regs + 8(r0)
        load r7, regs + 7(r0)
        load r6, regs + 6(r0)
        load r5, regs + 5(r0)
        load r4, regs + 4(r0)
        load r3, regs + 3(r0)
        load r2, regs + 2(r0)
        load r1, regs + 1(r0)
        load r0, regs + 0(r0)
        vmlpsw guest(r0)

guest:  .unit 2 * field * field + 0xFFFF        ; as after a reset
regs:   .space 16
