; A trap-and-emulate monitor for the lecture CPU. It is a program of that machine and nothing more, so it runs under itself.
; SPDX-License-Identifier: Apache-2.0
;
; The guest's address 0 is at `memory`. The guest runs in user mode, its supervisor, too; its control registers are the words v_ccr to v_eva, in
; the order of `get` and `put`, and v_pc. A line with "mutant NAME: TEXT" makes a wrong monitor if TEXT takes its place (monitors_test.cpp).

.equ memory,    0x1000
.equ size_low,  0xEFFC          ; 1 MiB less `memory`, less a word: with a base that is not aligned a word can reach beyond the limit by three
.equ size_high, 0xF             ; bytes. Under a monitor there is less memory, and that monitor cuts the limits which this one sets
.equ devices,   -0x1000
.equ S, 0x80
.equ I, 0x40

.org 0
        bra boot                ; 0: reset
        bra vector_1
        bra vector_2
        bra vector_3
        bra vector_4
        bra vector_5
.org 0x40
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call
        bra vector_call

boot:   li r1, S                ; as after a reset; all else is 0
        sw r1, v_ccr(r0)
        bra allocate

; ---- Dispatcher: r1 is the vector, r2 the guest's pc, r3 its ccr, r4 and up are free -----------------------------------------
vector_1:
        sw r1, regs + 4(r0)
        li r1, 1
        bra enter
vector_2:
        sw r1, regs + 4(r0)
        li r1, 2
        bra enter
vector_3:
        sw r1, regs + 4(r0)
        li r1, 3
        bra enter
vector_4:
        sw r1, regs + 4(r0)
        li r1, 4
        bra enter
vector_5:
        sw r1, regs + 4(r0)
        li r1, 5
        bra enter
vector_call:
        sw r1, regs + 4(r0)
        li r1, 0x10
enter:  sw r2, regs + 8(r0)
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
        get r2, epc
        sw r2, v_pc(r0)
        get r4, eccr
        and r4, r4, #0xF        ; N, Z, V and C are the real ones while it runs
        lw r3, v_ccr(r0)
        and r3, r3, #S + I
        or r3, r3, r4
        sw r3, v_ccr(r0)
        cmp r1, #2
        beq privilege
        cmp r1, #3
        beq bounds
        cmp r1, #4
        beq alignment
        cmp r1, #5
        beq interrupt
        blo reflect             ; an illegal instruction
        lw r4, base_now(r0)     ; a call: its number is in the instruction
        add r4, r4, r2
        lw r4, -4(r4)
        shr r4, r4, #20
        and r4, r4, #0xF
        or r1, r1, r4
        bra reflect

privilege:
        and r4, r3, #S          ; mutant user: li r4, 1
        beq reflect             ; its user program may not do it
        lw r4, base_now(r0)
        add r4, r4, r2
        lw r3, 0(r4)            ; the instruction
        shr r4, r3, #22
        sub r4, r4, #0x1C0      ; its operation is 70 to 75
        shr r5, r3, #18
        and r5, r5, #0x3C       ; which register of `regs`
        shr r6, r3, #14
        and r6, r6, #0x3C       ; which control register
        and r4, r4, #0x1C
        add r4, r4, #routines
        add r2, r2, #4          ; where all but `rte` go on
        sw r2, v_pc(r0)
        jump r4
routines:
        bra emulate_rte
        bra emulate_halt
        bra emulate_cli
        bra emulate_sti
        bra emulate_get
        bra emulate_put

interrupt:
        and r4, r3, #I
        bne reflect             ; mutant masked: bra reflect
        li r4, 1
        sw r4, held(r0)         ; it keeps interrupts out until the guest wants this one
        bra resume

alignment:
        get r4, eva
        sw r4, v_eva(r0)
        bra reflect             ; mutant vector: bra reflect_bounds

; ---- The guest has left the real limit: for its own bounds, for a device, or round 2^32 ------------------------------------------------
bounds: get r4, eva
        add r5, r4, #0          ; as the guest's memory and devices know it
        and r6, r3, #S
        bne physical
        lw r6, v_limit(r0)
        cmp r4, r6
        bhs beyond
        lw r6, v_base(r0)
        add r5, r5, r6
physical:
        cmp r4, r2
        bne data
        li r1, 1                ; an instruction where there is no memory reads as 0, which is none
        bra reflect
data:   lw r6, base_now(r0)
        add r6, r6, r2
        lw r3, 0(r6)            ; the instruction
        shr r6, r3, #24         ; lw 30, lb 31, sw 32, sb 33
        shr r7, r3, #18
        and r7, r7, #0x3C       ; which register of `regs`
        and r8, r6, #1
        bne aligned
        and r8, r4, #3
        beq aligned
        li r1, 4
        bra beyond
aligned:
        add r2, r2, #4
        sw r2, v_pc(r0)
        li r9, 0
        li r8, size_low
        lih r8, size_high
        cmp r5, r8
        bhs outside
        li r8, memory           ; address and base have gone round to the guest's own memory
        add r5, r5, r8
        bra access
outside:
        li r8, devices
        cmp r5, r8
        blo absent
access: lw r9, regs(r7)
        cmp r6, #0x31
        bhi store
        beq load_byte
        lw r9, 0(r5)
        bra loaded
load_byte:
        lb r9, 0(r5)
loaded: sw r9, regs(r7)
        bra resume
store:  cmp r6, #0x33
        beq store_byte
        sw r9, 0(r5)
        bra resume
store_byte:
        sb r9, 0(r5)
        bra resume
absent: cmp r6, #0x31           ; no memory: reads 0, and a store is lost
        bls loaded
        bra resume
beyond: sw r4, v_eva(r0)
        bra reflect

; ---- One routine for each privileged instruction: r3 is the instruction, r5 its register, r6 its control register -----------------
emulate_rte:
        lw r4, v_eccr(r0)
        and r4, r4, #0xCF
        sw r4, v_ccr(r0)
        lw r4, v_epc(r0)
        sw r4, v_pc(r0)
        bra allocate
emulate_halt:                   ; the machine halts with the guest's registers and flags
        lw r4, v_ccr(r0)
        and r4, r4, #0xF
        or r4, r4, #S
        put eccr, r4
        li r4, stop
        put epc, r4
        bra restore
stop:   halt
emulate_cli:
        lw r4, v_ccr(r0)
        and r4, r4, #-65        ; all but I
        sw r4, v_ccr(r0)
        bra resume
emulate_sti:
        lw r4, v_ccr(r0)
        or r4, r4, #I           ; mutant lost: or r4, r4, #0
        sw r4, v_ccr(r0)
        bra resume
emulate_get:
        lw r4, v_ccr(r6)
        sw r4, regs(r5)
        bra resume
emulate_put:
        lw r4, regs(r5)
        lw r7, writable(r6)
        and r4, r4, r7
        sw r4, v_ccr(r6)
        bra allocate

; ---- The guest's own traps and interrupts: what the machine does, to the guest's state. r1 is the vector ---------------------------
reflect_bounds:
        li r1, 3
reflect:
        lw r2, v_pc(r0)
        sw r2, v_epc(r0)
        lw r3, v_ccr(r0)
        sw r3, v_eccr(r0)
        and r3, r3, #0xF
        or r3, r3, #S
        sw r3, v_ccr(r0)
        shl r1, r1, #2
        lw r2, v_vbr(r0)
        add r2, r2, r1
        sw r2, v_pc(r0)

; ---- Allocator: the guest's mode, base or limit may have changed; what it gets is at most its memory ------------------------------
allocate:
        li r1, memory
        li r2, size_low
        lih r2, size_high
        lw r3, v_ccr(r0)
        and r3, r3, #S
        bne allot
        lw r3, v_base(r0)
        lw r4, v_limit(r0)      ; mutant limit: add r4, r2, #0
        cmp r3, r2
        bls inside
        add r3, r2, #0          ; it lies outside, and nothing is left
inside: add r1, r1, r3
        sub r2, r2, r3
        cmp r2, r4
        bls allot
        add r2, r4, #0
allot:  lw r3, base_now(r0)
        cmp r1, r3
        beq same_base
        put base, r1
        sw r1, base_now(r0)
same_base:
        lw r3, limit_now(r0)
        cmp r2, r3
        beq resume
        put limit, r2
        sw r2, limit_now(r0)

; ---- Back to the guest. Interrupts are the monitor's, but for one that the guest does not want yet --------------------------------
resume: lw r1, v_ccr(r0)
        and r2, r1, #0xF
        and r1, r1, #I
        beq masked
        sw r0, held(r0)         ; if the line is still up, it interrupts at once
masked: lw r1, held(r0)
        cmp r1, #0
        bne keep_out
        or r2, r2, #I
keep_out:
        put eccr, r2
        lw r1, v_pc(r0)
        put epc, r1
restore:
        sw r0, regs(r0)
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

.align 4
regs:    .space 64              ; the guest's registers
v_ccr:   .word 0                ; its control registers, in the order of `get` and `put`
v_base:  .word 0
v_limit: .word 0
v_vbr:   .word 0
v_epc:   .word 0
v_eccr:  .word 0
v_eva:   .word 0
writable: .word 0xCF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFF, 0xFFFFFFFF
v_pc:    .word 0
held:    .word 0                ; an interrupt has come that the guest masks
base_now:  .word 0              ; what the real base and limit hold
limit_now: .word 0
