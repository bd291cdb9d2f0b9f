; A guest that attacks all it can reach: loads, stores and jumps everywhere, with every base and limit, in both modes.
; SPDX-License-Identifier: Apache-2.0
;
; Other guests fill their memory with words 5EC2xxxx (resident.s); this one tries to see them, and to change what lies
; beyond its own memory of `size` units. It prints three counts: such words seen, stores that stayed, attempts.

.equ uart,    -0x1000
.equ size,    0x1000

.org 0
        bra start
.org 0x80
vectors:
        bra skip
        bra skip                ; illegal
        bra skip                ; privileged
        bra skip                ; bounds
        bra skip                ; alignment
        bra skip
.org vectors + 0x40
        bra back                ; trap 0: to the supervisor

start:  li r15, size
        li r1, vectors
        put vbr, r1
        ; The supervisor: places all over the 32-bit space.
        li r10, 0               ; secrets
        li r11, 0               ; stores that stayed
        li r12, 0               ; attempts
        li r13, 0x0BAD
        li r4, size
super:  call attack
        li r5, 0x78000          ; a kilobyte apart, then ever more, up to the devices, which are its own
        cmp r4, r5
        blo near
        shr r5, r4, #4
        add r4, r4, r5
        blo high                ; a carry: round the end
near:   add r4, r4, #0x400
        blo high
        li r5, -0x10000
        cmp r4, r5
        blo super
high:
        ; Its user program with base and limit anywhere.
        li r7, 0
next:   lw r8, bases(r7)
        put base, r8
        li r9, -1
        put limit, r9
        li r1, user
        sub r1, r1, r8          ; where the program is as its own addresses go
        put epc, r1
        li r1, 0
        put eccr, r1
        rte
back:   add r7, r7, #4
        cmp r7, #40
        bne next
        ; What it has found.
        li r1, 0
        put base, r1
        add r1, r10, #0
        call hex
        add r1, r11, #0
        call hex
        add r1, r12, #0
        call hex
        li r2, '\n'
        sw r2, uart(r0)
        halt

; In user mode: 64 places around its base.
user:   li r4, 0
        li r6, 64
here:   add r5, r4, r8          ; the physical address that is meant
        cmp r5, r15
        bhs out
        bra inside
out:    li r2, -0x10000         ; its own devices
        cmp r5, r2
        bhs inside
        call attack
inside: add r4, r4, #0x400
        sub r6, r6, #1
        bne here
        trap 0

; At r4: is it another's secret, does a store stay?
attack: add r12, r12, #1
        li r2, 0
        lw r2, 0(r4)
        li r5, 0x5EC2
        shr r3, r2, #16
        cmp r3, r5
        bne other
        add r10, r10, #1
other:  sw r13, 0(r4)
        li r2, 0
        lw r2, 0(r4)
        cmp r2, r13
        bne lost
        add r11, r11, #1
lost:   ret

skip:   get r1, epc             ; on with the next instruction
        add r1, r1, #4
        put epc, r1
        rte

hex:    li r3, 28
digit:  shr r2, r1, r3
        and r2, r2, #0xF
        lb r2, digits(r2)
        sw r2, uart(r0)
        sub r3, r3, #4
        bpl digit
        li r2, ' '
        sw r2, uart(r0)
        ret
digits: .ascii "0123456789abcdef"
.align 4
bases:  .word 0
        .word 0x1000
        .word 0x4000
        .word 0x10000
        .word 0x20000
        .word 0x80000000
        .word 0xFFFF0000
        .word -0x1000
        .word -0x4000
        .word -0x10000
bases_end:
