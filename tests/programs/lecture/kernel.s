; A small system for the lecture CPU that checks what a monitor may get wrong: its output is the same bare and under monitors.
; SPDX-License-Identifier: Apache-2.0
;
; The kernel tells what it sees of its control registers, holds an interrupt back, and runs a relocated user program that breaks every rule while
; the timer ticks. Every exception makes a line: vector, epc, eccr, eva. Time shows nowhere: ticks are counted and waited for.

.equ uart,      -0x1000
.equ count,     -0x0F00
.equ compare,   -0x0EF8
.equ control,   -0x0EF0
.equ pending,   -0x0E00
.equ enable,    -0x0DF8
.equ period,    300
.equ user_size, 0x200

.org 0
        bra start

.org 0x80                       ; vectors, not where a reset leaves vbr
vectors:
        bra bad
        bra fault_1
        bra fault_2
        bra fault_3
        bra fault_4
        bra tick
.org vectors + 0x40
        bra end                 ; trap 0: the program ends
        bra write               ; trap 1: r1 is the user's address of a string
        bra ticked              ; trap 2: r1 becomes the number of ticks
        bra number              ; trap 3: prints r1
        bra widen               ; trap 4: the user's limit is no more
        bra bad
        bra bad
        bra bad
        bra bad
        bra bad
        bra bad
        bra bad
        bra bad
        bra bad
        bra bad
        bra fault_31            ; trap 15

start:  li r1, welcome
        call print
        li r1, vectors
        put vbr, r1
        get r1, vbr
        call hex
        li r1, 0xA              ; N and V
        putf r1
        get r1, ccr
        call hex
        li r1, 0x1234
        put base, r1
        lih r1, 0xFFFF
        put limit, r1
        put eccr, r1
        put eva, r1
        put epc, r1
        get r1, base
        call hex
        get r1, limit
        call hex
        get r1, epc
        call hex
        get r1, eccr
        call hex
        get r1, eva
        call hex
        li r1, 0x35             ; bits 5 and 4 are not there, and S must stay
        or r1, r1, #0x80
        put ccr, r1
        get r1, ccr
        call hex
        sti
        get r1, ccr
        call hex
        cli
        get r1, ccr
        call hex
        call line

        ; An interrupt that is masked waits, and comes when it is not.
        li r1, 1
        sw r1, remaining(r0)
        lw r1, count(r0)
        sw r1, compare(r0)
        li r1, 1
        sw r1, control(r0)
        li r1, 2                ; line 1
        sw r1, enable(r0)
rising: lw r1, pending(r0)
        and r1, r1, #2
        beq rising
        li r2, 50
idle:   sub r2, r2, #1
        bne idle
        lw r1, ticks(r0)
        call hex
        sti
        add r1, r0, #0
        cli
        lw r1, ticks(r0)
        call hex
        call line

        ; A fault of the kernel's own.
        lw r1, 2(r0)
        .word 0x74F70000        ; no control register has this number: illegal

        ; The user program.
        li r1, 5
        sw r1, remaining(r0)
        sw r0, ticks(r0)
        lw r1, count(r0)
        add r1, r1, #period
        sw r1, compare(r0)
        li r1, 1
        sw r1, control(r0)
        li r1, user
        put base, r1
        li r1, user_size
        put limit, r1
        li r1, 0
        put epc, r1
        li r1, 0x40             ; S = 0, I = 1
        put eccr, r1
        li r1, 0
        li r2, 0
        li r3, 0
        rte

; ---- what the kernel prints ------------------------------------------------------------------------------------------------
print:  lb r2, 0(r1)            ; r1: an address of the kernel's; changes r1 and r2
        cmp r2, #0
        beq printed
        sw r2, uart(r0)
        add r1, r1, #1
        bra print
printed: ret
hex:    li r3, 28               ; r1: a number; changes r2 and r3
digit:  shr r2, r1, r3
        and r2, r2, #0xF
        lb r2, digits(r2)
        sw r2, uart(r0)
        sub r3, r3, #4
        bpl digit
        li r2, ' '
        sw r2, uart(r0)
        ret
line:   li r2, '\n'
        sw r2, uart(r0)
        ret

; ---- exceptions: a line, and on with the next instruction; after a fetch that failed, where r14 says --------------------------------------------------------------------
fault_1:
        sw r1, saved + 4(r0)
        li r1, 1
        bra fault
fault_2:
        sw r1, saved + 4(r0)
        li r1, 2
        bra fault
fault_3:
        sw r1, saved + 4(r0)
        li r1, 3
        bra fault
fault_4:
        sw r1, saved + 4(r0)
        li r1, 4
        bra fault
fault_31:
        sw r1, saved + 4(r0)
        li r1, 31
fault:  sw r2, saved + 8(r0)
        sw r3, saved + 12(r0)
        sw r14, saved + 56(r0)
        call hex
        get r1, epc
        call hex
        get r1, eccr
        call hex
        get r1, eva
        call hex
        call line
        get r1, epc
        get r2, eva
        add r3, r1, #4
        cmp r1, r2
        bne next
        lw r3, saved + 56(r0)
next:   put epc, r3
return: lw r14, saved + 56(r0)
        lw r3, saved + 12(r0)
        lw r2, saved + 8(r0)
        lw r1, saved + 4(r0)
        rte

; ---- system calls and the timer -----------------------------------------------------------------------------------------------
write:  sw r1, saved + 4(r0)
        sw r2, saved + 8(r0)
        sw r3, saved + 12(r0)
        sw r14, saved + 56(r0)
        get r2, base
        add r1, r1, r2
        call print
        bra return
number: sw r1, saved + 4(r0)
        sw r2, saved + 8(r0)
        sw r3, saved + 12(r0)
        sw r14, saved + 56(r0)
        call hex
        call line
        bra return
ticked: lw r1, ticks(r0)
        rte
widen:  sw r1, saved + 4(r0)
        li r1, -1
        put limit, r1
        lw r1, saved + 4(r0)
        rte

tick:   sw r1, saved(r0)
        lw r1, ticks(r0)
        add r1, r1, #1
        sw r1, ticks(r0)
        lw r1, remaining(r0)
        sub r1, r1, #1
        sw r1, remaining(r0)
        beq last
        lw r1, count(r0)
        add r1, r1, #period
        sw r1, compare(r0)
        lw r1, saved(r0)
        rte
last:   sw r0, control(r0)
        lw r1, saved(r0)
        rte

bad:    li r1, wrong
        call print
        halt
end:    sw r0, saved(r0)        ; what r1 was at the last tick depends on time
        lw r1, ticks(r0)
        call hex
        li r1, goodbye
        call print
        li r1, 0x600D
        halt

welcome: .asciz "A kernel of the lecture CPU\n"
goodbye: .asciz "ticks\n"
wrong:   .asciz "wrong\n"
digits:  .ascii "0123456789abcdef"
.align 4
saved:     .space 64
ticks:     .word 0
remaining: .word 0

; ---- user: runs at address 0 of its own -----------------------------------------------------------------------------------------
.org 0x1000
user:   li r1, greeting - user
        trap 1
        li r1, 0xD
        putf r1
        cli                     ; what only a supervisor may do
        sti
        get r1, ccr
        put base, r0
        rte
        halt
        getf r4                 ; the flags are as they were
        lw r1, user_size(r0)    ; beyond the limit
        sw r1, user_size + 2(r0)
        sb r1, -0x1000(r0)
        lb r5, user_size - 1(r0) ; the last byte within
        lw r1, 0x11(r0)         ; not aligned
        sw r1, 0x12(r0)
        trap 15
        .word 0                 ; not an instruction
        li r6, 0
        li r7, 1
work:   add r6, r6, #1
        mul r7, r7, #25
        add r7, r7, #17
        cmp r6, #500
        bne work
        add r1, r7, #0
        trap 3
wait:   trap 2                  ; until the fifth tick
        cmp r1, #5
        blo wait
        add r8, r1, #0
        li r9, user_size
        li r14, finish - user
        jump r9                 ; beyond the limit
finish: trap 4
        lw r1, vectors - user(r0) ; the kernel's memory, round 2^32,
        trap 3
        li r1, ticks - user
        lw r1, 0(r1)
        trap 3
        li r2, uart - user      ; and its devices
        li r1, '!'
        sw r1, 0(r2)
        li r1, '\n'
        sb r1, 0(r2)
        li r2, 0
        li r1, 0
        trap 0
greeting: .asciz "Hello from user mode\n"
