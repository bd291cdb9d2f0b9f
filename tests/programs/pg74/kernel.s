; A small system for Popek and Goldberg's machine that checks what a monitor may get wrong: its output is the same bare and under monitors.
; SPDX-License-Identifier: Apache-2.0
;
; The kernel breaks rules itself and moves itself by lr, then runs a program that breaks every rule of user mode, and three copies of
; another, each in a relocation of its own, that take turns. Every trap but a system call makes a line: the old PSW, which tells code, M,
; P, l and b. The program goes on behind the instruction, or at r14 where its fetch failed.

.equ uart,  0xFF00
.equ exit,  0xFF10
.equ field, 65536               ; a PSW reads cnnM PPPP llll bbbb
.equ user_mode, field * field * field
.equ breaker, 0x400             ; where programs lie
.equ breaker_bound, 0x80
.equ tasks, 0x600               ; the copies, 0x40 cells apart
.equ apart, 0x40
.equ process, 20                ; cells of a process: PSW, r0 to r15, 1 while it runs
.equ moved, 0x300               ; how far the kernel moves itself

.org 0
        .unit 0                                 ; E[0]: the old PSW
        .unit handle * field * field + 0xFFFF   ; E[1]: the new one: supervisor mode, all of memory

start:  li r0, 0
        li r2, welcome
        jal r15, print

        ; The supervisor's own traps.
k_call: svc 0x77
k_zero: .unit 0                 ; not an instruction
k_load: load r1, 0xFFFF(r0)     ; the bound of all of memory
        li r14, k_back
        jump 0xFFFF(r0)
k_back: lpsw narrow(r0)         ; bits that a PSW has not are set, and must not stay
k_in:   load r1, 0x200(r0)      ; beyond the bound
k_store: store r1, 0x200(r0)
        load r2, 0x1FF(r0)      ; within it
        li r1, 0xFFFF
        lr r1                   ; all of memory again
k_open: svc 0x78

        ; Relocation in supervisor mode: after lr the next instruction is `moved` cells further on, and after another one here again.
        li r1, moved * field + 0x100
        li r2, 0xFFFF
k_move: lr r1
        .org k_move + 6
        load r1, moved + 0xF1(r0)
        li r2, 0xFACE
        beq r1, r2, run
        jump wrong(r0)
run:    jal r15, copy
        li r1, processes
        store r1, current(r0)
        jump resume(r0)

; ---- traps ------------------------------------------------------------------------------------------------------------------
handle: store r1, scratch(r0)
        load r1, current(r0)
        store r0, 1(r1)
        store r2, 3(r1)
        store r3, 4(r1)
        store r4, 5(r1)
        store r5, 6(r1)
        store r6, 7(r1)
        store r7, 8(r1)
        store r8, 9(r1)
        store r9, 10(r1)
        store r10, 11(r1)
        store r11, 12(r1)
        store r12, 13(r1)
        store r13, 14(r1)
        store r14, 15(r1)
        store r15, 16(r1)
        load r2, scratch(r0)
        store r2, 2(r1)
        li r0, 0
        li r10, 1
        load r11, 0(r0)         ; the old PSW
        store r11, 0(r1)
        shr r2, r11, 52
        li r3, 0x400            ; calls: code and number
        beq r2, r3, ended
        add r3, r3, r10
        beq r2, r3, write
        add r3, r3, r10
        beq r2, r3, yield
        add r3, r3, r10
        beq r2, r3, number
        add r3, r3, r10
        beq r2, r3, widen
        add r2, r11, r0         ; anything else makes a line
        jal r15, hex
        jal r15, line
        load r1, current(r0)
        shr r2, r11, 60
        li r3, 4
        beq r2, r3, resume      ; a call that is none: P is behind it
        shr r2, r11, 32
        li r3, 0xFFFF
        and r2, r2, r3          ; P
        and r4, r11, r3         ; b
        blt r2, r4, behind
        load r5, 15(r1)         ; r14
        and r5, r5, r3
        sub r5, r5, r10
        sub r5, r5, r2          ; the new P is r14: behind P by as much
        shl r5, r5, 32
        add r11, r11, r5
behind: shl r2, r10, 32
        add r11, r11, r2
        store r11, 0(r1)
resume: load r1, current(r0)
        load r2, 0(r1)
        store r2, next(r0)
        load r3, 4(r1)
        load r4, 5(r1)
        load r5, 6(r1)
        load r6, 7(r1)
        load r7, 8(r1)
        load r8, 9(r1)
        load r9, 10(r1)
        load r10, 11(r1)
        load r11, 12(r1)
        load r12, 13(r1)
        load r13, 14(r1)
        load r14, 15(r1)
        load r15, 16(r1)
        load r2, 1(r1)
        store r2, scratch(r0)
        load r2, 3(r1)
        load r1, 2(r1)
        load r0, scratch(r0)
        lpsw next(r0)

; ---- system calls -------------------------------------------------------------------------------------------------------------
write:  load r2, 2(r1)          ; 1: the character in r1
        store r2, uart(r0)
        jump resume(r0)
number: load r2, 2(r1)          ; 3: the number in r1
        jal r15, hex
        jal r15, line
        jump resume(r0)
widen:  li r2, 0xFFFF           ; 4: no bound but memory's
        load r3, 0(r1)
        li r4, 0
        sub r4, r4, r10
        sub r4, r4, r2
        and r3, r3, r4
        add r3, r3, r2
        store r3, 0(r1)
        jump resume(r0)
ended:  store r0, 17(r1)        ; 0: the end of the program
yield:  li r3, process          ; 2: whose turn is it?
        li r4, processes_end
        li r6, 5                ; after so many it was one's own
search: sub r6, r6, r10
        beq r6, r0, finish
        add r1, r1, r3
        blt r1, r4, within
        li r1, processes
within: load r5, 17(r1)
        beq r5, r0, search
        store r1, current(r0)
        jump resume(r0)

; ---- the end: the tasks' counts, where they are in all of memory -----------------------------------------------------------------
finish: load r2, tasks + count - task(r0)
        load r3, tasks + apart + count - task(r0)
        load r4, tasks + 2 * apart + count - task(r0)
        add r2, r2, r3
        add r2, r2, r4
        li r3, 24               ; 4 · (1 + 2 + 3)
        beq r2, r3, right
wrong:  li r2, bad
        jal r15, print
        li r1, 1
        store r1, exit(r0)
        halt
right:  li r2, goodbye
        jal r15, print
        store r0, exit(r0)
        halt

; ---- what the kernel needs: r0 is 0, r15 where to go on, r2 to r5 are changed ------------------------------------------------------
print:  li r4, 1                ; r2: a string, a character a cell
        load r3, 0(r2)
        beq r3, r0, done
        store r3, uart(r0)
        add r2, r2, r4
        jump print(r0)
hex:    li r4, 16               ; r2: a number
        li r5, 1
digit:  shr r3, r2, 60
        load r3, digits(r3)
        store r3, uart(r0)
        shl r2, r2, 4
        sub r4, r4, r5
        blt r0, r4, digit
done:   jump 0(r15)
line:   li r3, '\n'
        store r3, uart(r0)
        jump 0(r15)
copy:   li r2, 0                ; the task, three times
        li r3, 1
        li r4, apart
again:  load r5, task(r2)
        store r5, tasks(r2)
        store r5, tasks + apart(r2)
        store r5, tasks + 2 * apart(r2)
        add r2, r2, r3
        blt r2, r4, again
        jump 0(r15)

welcome: .ascii "A kernel of the machine of 1974\n"
        .unit 0
goodbye: .ascii "as it should be\n"
        .unit 0
bad:    .ascii "wrong\n"
        .unit 0
digits: .ascii "0123456789abcdef"
narrow: .unit 0xFFFE * user_mode + k_in * field * field + 0x200
scratch: .unit 0
next:   .unit 0
current: .unit itself           ; the kernel at first
itself: .space process
processes:
        .unit user_mode + breaker * field + breaker_bound
        .space 16
        .unit 1
        .space 2
        .unit user_mode + tasks * field + 0x20
        .space 1
        .unit 1                 ; r1: which one it is
        .space 14
        .unit 1
        .space 2
        .unit user_mode + (tasks + apart) * field + 0x21
        .space 1
        .unit 2
        .space 14
        .unit 1
        .space 2
        .unit user_mode + (tasks + 2 * apart) * field + 0x22
        .space 1
        .unit 3
        .space 14
        .unit 1
        .space 2
processes_end:

; ---- what the kernel runs when it has moved itself: from address k_move + 1 of its own ------------------------------------------------
.org moved + k_move + 1
m_call: svc 0x79
m_load: load r1, 0x100(r0)      ; beyond the bound
        load r1, 0xF0(r0)
        store r1, 0xF1(r0)
        lr r2
.org moved + 0xF0
        .unit 0xFACE, 0

; ---- a program that breaks every rule; its addresses begin at 0 ---------------------------------------------------------------------
.org breaker
        li r3, 0x3000_0003
        li r5, -5
        li r13, 0xD00D
u_lpsw: lpsw 0(r0)
u_lr:   lr r5
u_halt: halt
        svc 2
u_zero: .unit 0
u_ones: .unit 0xFFFF_FFFF_FFFF_FFFF
u_load: load r1, breaker_bound(r0)
u_store: store r1, breaker_bound(r0)
u_far:  load r1, 0xFFFF(r0)
        load r6, breaker_bound - 1(r0) ; within
u_call: svc 0x41
        li r14, u_back - breaker
        jump breaker_bound(r0)
u_back: svc 2
        svc 4                   ; from now on beyond the bound there is what is there,
        li r1, '!'
        store r1, uart - breaker(r0)
        li r1, '\n'
        store r1, uart - breaker(r0)
u_end:  load r1, 0x10000 - breaker(r0) ; as far as there is memory
        add r1, r3, r5          ; no trap has changed a register
        add r1, r1, r6
        add r1, r1, r13
        add r1, r1, r0
        svc 3
        svc 0
.org breaker + breaker_bound - 1
        .unit 0x100_0000_0000

; ---- a program that is thrice in memory; r1 is 1, 2 or 3, its bound 0x20, 0x21 or 0x22 ----------------------------------------------
.org 0x500
task:   add r7, r1, r0
        li r8, 4
        li r9, 1
turn:   load r2, count - task(r0)
        add r2, r2, r7
        store r2, count - task(r0)
        li r1, '@'
        add r1, r1, r7
        svc 1                   ; A, B or C
        svc 2
        sub r8, r8, r9
        blt r0, r8, turn - task
        load r3, 0x1E(r7)       ; within
t_load: load r3, 0x1F(r7)       ; beyond
        load r1, count - task(r0)
        svc 3
        svc 0
count:  .unit 0
