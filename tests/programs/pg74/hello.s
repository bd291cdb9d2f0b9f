; Says hello from supervisor mode, then runs a relocated user program that prints by supervisor calls.
; SPDX-License-Identifier: Apache-2.0

.equ uart,  0xFF00
.equ exit,  0xFF10
.equ bound, 0x100               ; cells of the user program
.equ field, 65536               ; a PSW reads 000M PPPP llll bbbb

.org 0
        .unit 0                                 ; E[0]: the old PSW
        .unit handle * field * field + 0xFFFF   ; E[1]: the new one: supervisor mode, all of memory

; ---- supervisor ----
start:  li r1, welcome
        li r3, 1
        li r0, 0
print:  load r2, 0(r1)          ; one character a cell
        beq r2, r0, enter
        store r2, uart(r0)
        add r1, r1, r3
        jump print(r0)
enter:  lpsw user_psw(r0)

handle: store r1, saved(r0)     ; every trap comes here; r1 is free after this
        store r2, saved + 1(r0)
        load r1, 0(r0)          ; the old PSW: code, number, M, P, R
        shr r1, r1, 52
        li r2, 0x400            ; code 4, number 0: the end
        beq r1, r2, end
        li r2, 0x401            ; code 4, number 1: print a character
        beq r1, r2, write
        li r1, 1                ; anything else
        store r1, exit(r0)
        halt
end:    store r0, exit(r0)
        halt
write:  load r1, saved(r0)
        store r1, uart(r0)
        load r2, saved + 1(r0)
        lpsw 0(r0)              ; back, with P after the call

welcome: .ascii "Hello from supervisor mode.\n"
        .unit 0
saved:  .space 2
user_psw: .unit field * field * field + user * field + bound    ; user mode, P = 0, R = (user, bound)

; ---- user: runs at address 0 of its own ----
.org 0x200
user:   li r4, greeting - user
        li r3, 1
        li r0, 0
next:   load r1, 0(r4)
        beq r1, r0, done - user
        svc 1
        add r4, r4, r3
        jump next - user(r0)
done:   svc 0
greeting: .ascii "Hello from user mode.\n"
        .unit 0
