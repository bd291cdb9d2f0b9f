; A guest that minds its own memory: fills it, works, and looks after a while whether all is as it left it.
; SPDX-License-Identifier: Apache-2.0
;
; Its number is at 0x20, put there by whoever starts it; its memory has `size` units. It prints `kept` or `changed`.

.equ uart,    -0x1000
.equ size,    0x1000
.equ first,   0x400

.org 0
        bra start
.org 0x20
number: .word 0

.org 0x40
start:  li r7, size
        lw r4, number(r0)
        lih r5, 0x5EC2          ; what is never anywhere else
        or r4, r4, r5
        li r1, first
fill:   sw r4, 0(r1)
        add r1, r1, #4
        cmp r1, r7
        bne fill
        li r6, 60               ; rounds
round:  li r1, first
look:   lw r2, 0(r1)
        cmp r2, r4
        bne bad
        add r1, r1, #4
        cmp r1, r7
        bne look
        sub r6, r6, #1
        bne round
        li r1, kept
        bra tell
bad:    li r1, changed
tell:   lb r2, 0(r1)
        cmp r2, #0
        beq end
        sw r2, uart(r0)
        add r1, r1, #1
        bra tell
end:    halt
kept:    .asciz "kept\n"
changed: .asciz "changed\n"
