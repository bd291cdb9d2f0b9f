; Says hello from supervisor mode, then runs a relocated user program that prints by traps while timer interrupts tick.
; SPDX-License-Identifier: Apache-2.0

.equ uart,      -0x1000         ; devices lie at negative addresses from r0; their registers are 8 apart
.equ count,     -0x0F00
.equ compare,   -0x0EF8
.equ control,   -0x0EF0
.equ enable,    -0x0DF8
.equ exit,      -0x0D00
.equ period,    400             ; cycles between ticks
.equ size,      0x1000          ; of the user program's memory

; ---- vectors: number n is the instruction at vbr + 4n ----
.org 0
        bra start               ; 0: reset
        bra failed              ; 1: illegal instruction
        bra failed              ; 2: privilege violation
        bra failed              ; 3: bounds
        bra failed              ; 4: alignment
        bra tick                ; 5: interrupt
.org 0x40
        bra end                 ; trap 0: the program ends, r1 is its exit code
        bra write               ; trap 1: r1 is the user's address of a string

; ---- supervisor ----
.org 0x80
start:  li r1, welcome
        call print
        lw r1, count(r0)        ; the first tick
        add r1, r1, #period
        sw r1, compare(r0)
        li r1, 1
        sw r1, control(r0)
        li r1, 2                ; line 1
        sw r1, enable(r0)
        li r1, user             ; the user's address 0
        put base, r1
        li r1, size
        put limit, r1
        put epc, r0
        li r1, 0x40             ; S = 0, I = 1
        put eccr, r1
        li r1, 0
        rte

print:  lb r2, 0(r1)            ; r1: a physical address; changes r1 and r2
        cmp r2, #0
        beq printed
        sw r2, uart(r0)
        add r1, r1, #1
        bra print
printed: ret

write:  sw r1, saved + 4(r0)
        sw r2, saved + 8(r0)
        sw r14, saved + 56(r0)
        get r2, base
        add r1, r1, r2
        call print
        lw r14, saved + 56(r0)
        lw r2, saved + 8(r0)
        lw r1, saved + 4(r0)
        rte

tick:   sw r1, saved + 4(r0)
        li r1, '.'
        sw r1, uart(r0)
        lw r1, compare(r0)
        add r1, r1, #period
        sw r1, compare(r0)
        lw r1, ticks(r0)
        add r1, r1, #1
        sw r1, ticks(r0)
        lw r1, saved + 4(r0)
        rte

failed: li r1, 1
end:    sw r1, exit(r0)
        halt

welcome: .asciz "Hello from supervisor mode.\n"
.align 4
saved:  .space 64
ticks:  .word 0

; ---- user: runs at address 0 of its own, wherever it lies ----
.org 0x2000
user:   li r1, greeting - user
        trap 1
        li r3, 0
work:   add r3, r3, #1
        cmp r3, #500
        bne work
        li r1, farewell - user
        trap 1
        li r1, 0
        trap 0
greeting: .asciz "Hello from user mode: "
farewell: .asciz " done.\n"
