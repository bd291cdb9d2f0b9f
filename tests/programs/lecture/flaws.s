; A guest that uses what the lecture CPU gets wrong: popf, rdccr and lra, in both modes, as programs do.
; SPDX-License-Identifier: Apache-2.0
;
; For `popf=true read_ccr=true lra=true`. Critical sections are made as on machines with such instructions: read the flags,
; close interrupts, work, put the flags back. What it prints is the same however often the timer ticks.

.equ uart,    -0x1000
.equ count,   -0x0F00
.equ compare, -0x0EF8
.equ control, -0x0EF0
.equ enable,  -0x0DF8
.equ period,  2000

.org 0
        bra start
.org 0x80
vectors:
        bra bad
        bra bad
        bra bad
        bra bad
        bra bad
        bra tick
.org vectors + 0x40
        bra end                 ; trap 0
        bra print_user          ; trap 1: r1 in hexadecimal

start:  li r1, vectors
        put vbr, r1
        li r15, stack
        li r1, 2
        sw r1, enable(r0)
        lw r1, count(r0)
        add r1, r1, #period
        sw r1, compare(r0)
        li r1, 1
        sw r1, control(r0)

        ; Interrupts on by popf: S and I are put back as a supervisor may.
        sub r15, r15, #4
        li r1, 0xC0
        sw r1, 0(r15)
        popf
        rdccr r4                ; C0: supervisor, open
        and r1, r4, #0xC0
        call hex
        li r1, 0x300
        lra r1, r1              ; a supervisor's address is the physical one
        call hex

        ; Work in critical sections until three ticks have come.
work:   rdccr r4
        cli
        lw r5, shared(r0)
        add r5, r5, #1
        sw r5, shared(r0)
        sub r15, r15, #4
        sw r4, 0(r15)
        popf                    ; as it was: open
        li r6, 50
spin:   sub r6, r6, #1
        bne spin
        lw r1, ticks(r0)
        cmp r1, #3
        blo work
        sw r0, control(r0)
        rdccr r1
        and r1, r1, #0xC0
        call hex

        ; A user program, relocated, with the same instructions.
        li r1, user
        put base, r1
        li r1, 0x200
        put limit, r1
        li r1, 0
        put epc, r1
        li r1, 0x40             ; user mode, open
        put eccr, r1
        rte

hex:    sub r15, r15, #4
        sw r14, 0(r15)
        li r3, 28
digit:  shr r2, r1, r3
        and r2, r2, #0xF
        lb r2, digits(r2)
        sw r2, uart(r0)
        sub r3, r3, #4
        bpl digit
        li r2, '\n'
        sw r2, uart(r0)
        lw r14, 0(r15)
        add r15, r15, #4
        ret
tick:   sw r1, saved(r0)
        lw r1, ticks(r0)
        add r1, r1, #1
        sw r1, ticks(r0)
        lw r1, count(r0)
        add r1, r1, #period
        sw r1, compare(r0)
        lw r1, saved(r0)
        rte
print_user:
        sw r15, saved(r0)
        li r15, stack
        call hex
        lw r15, saved(r0)
        rte
bad:    get r1, epc
        call hex
        halt
end:    halt

digits: .ascii "0123456789abcdef"
.align 4
saved:  .word 0
ticks:  .word 0
shared: .word 0
        .space 256
stack:

.align 256
user:   li r15, 0x200
        rdccr r1                ; 40: user mode, open
        and r1, r1, #0xC0
        trap 1
        sub r15, r15, #4
        li r1, 0xCF             ; S and I stay, the flags come
        sw r1, 0(r15)
        popf
        rdccr r1
        trap 1
        li r1, 0x10
        lra r1, r1
        trap 1
        li r4, 0                ; some work
        li r5, 2000
sum:    add r4, r4, r5
        sub r5, r5, #1
        bne sum
        add r1, r4, #0
        trap 1
        trap 0
