// Raises every exception of RV64IMAC in machine and user mode and compares what the trap leaves with the manual.
// SPDX-License-Identifier: Apache-2.0
//
// Exit code: 0, or the number of the first check that is not as expected, from 1. -DQEMU leaves
// out what QEMU 7.2 does otherwise: it does misaligned loads and stores, takes an AMO's exception for a load's, and keeps what
// mepc and MPP cannot hold; -DNO_SUPERVISOR what needs supervisor mode.
//
// UM: The RISC-V Instruction Set Manual, Volume I, version 20191213. PM: Volume II, version 20211203.

	.equ	finish,	0x00100000
	.equ	user,	0
	.equ	machine, 3
	.equ	break,	0x00100073	// EBREAK
	.equ	far,	1 << 60		// no physical address (56 bits)

	.option	norvc
	.option	norelax
	.text
	.globl	_start
_start:
	la	t0, 1f			// where there is physical memory protection, everything is open
	csrw	mtvec, t0
	li	t0, -1
	csrw	0x3b0, t0		// pmpaddr0
	li	t0, 0x1f
	csrw	0x3a0, t0		// pmpcfg0
	.balign	4
1:	la	t0, entered
	csrw	mtvec, t0
	li	s11, 0

	// at MODE, CAUSE, PC, VALUE, INSTRUCTION: run it in the mode and be trapped. VALUE is what mtval may hold other than 0.
	.macro	at	mode, cause, where, value, instruction:vararg
	.pushsection .data
3:	.8byte	\where, \value
	.popsection
	ld	s8, 3b
	ld	s7, 3b + 8
	li	s9, \cause
	li	s6, \mode
	la	s5, 1f
	la	t0, 2f
	jal	run
2:	\instruction
	.4byte	break
1:
	.endm
	// Fetches fail elsewhere.
	.macro	nowhere	mode, cause, where
	li	s8, \where
	li	s7, \where
	li	s9, \cause
	li	s6, \mode
	la	s5, 1f
	li	t0, \where
	jal	run
1:
	.endm
	.macro	traps	cause, value, instruction:vararg
	at	machine, \cause, 2f, \value, \instruction
	at	user, \cause, 2f, \value, \instruction
	.endm
	// It completes, and the EBREAK after its SIZE bytes traps.
	.macro	completes size, instruction:vararg
	at	machine, 3, 2f + \size, 2f + \size, \instruction
	at	user, 3, 2f + \size, 2f + \size, \instruction
	.endm
	.macro	illegal	size, code
	traps	2, \code, .\size\()byte \code
	.endm

	// Calls and breakpoints (UM 2.8; PM table 3.6)
	at	machine, 11, 2f, 0, ecall
#ifndef NO_SUPERVISOR
	at	1, 9, 2f, 0, ecall
#endif
	at	user, 8, 2f, 0, ecall
	traps	3, 2f, .4byte break
	traps	3, 2f, .2byte 0x9002	// C.EBREAK (UM 16.5)

	// Privileged instructions (PM 2.1, 3.3.2)
	at	user, 2, 2f, 0x30200073, mret
#ifndef NO_SUPERVISOR
	at	1, 2, 2f, 0x30200073, mret
#endif
	at	user, 2, 2f, 0x300022f3, csrrs t0, mstatus, x0
	at	user, 2, 2f, 0x34029073, csrrw x0, mscratch, t0
	at	user, 2, 2f, 0x3412f073, csrrci x0, mepc, 5

	// Compressed encodings that are reserved (UM tables 16.5 to 16.7) or of the missing D
	illegal	2, 0x0000		// defined to be illegal
	illegal	2, 0x0004		// C.ADDI4SPN with 0
	illegal	2, 0x8000		// quadrant 0, funct3 100
	illegal	2, 0x9ffc
	illegal	2, 0x2001		// C.ADDIW to x0
	illegal	2, 0x207d
	illegal	2, 0x6101		// C.ADDI16SP with 0
	illegal	2, 0x6081		// C.LUI with 0
	illegal	2, 0x9c41		// quadrant 1, funct6 100111, funct2 10
	illegal	2, 0x9c61		// and 11
	illegal	2, 0x4002		// C.LWSP to x0
	illegal	2, 0x507e
	illegal	2, 0x6002		// C.LDSP to x0
	illegal	2, 0x8002		// C.JR by x0
	illegal	2, 0x2000		// C.FLD
	illegal	2, 0xa000		// C.FSD
	illegal	2, 0x2002		// C.FLDSP
	illegal	2, 0xa002		// C.FSDSP

	// Encodings of 32 bits (UM chapter 24)
	illegal	4, 0xffffffff
	illegal	4, 0x0000000b		// custom-0
	illegal	4, 0x00002007		// FLW
	illegal	4, 0x00007003		// LOAD, funct3 111
	illegal	4, 0x00004023		// STORE, funct3 100
	illegal	4, 0x00002063		// BRANCH, funct3 010
	illegal	4, 0x00003063		// and 011
	illegal	4, 0x00001067		// JALR, funct3 001
	illegal	4, 0x04001013		// SLLI by 64
	illegal	4, 0x04005013		// SRLI by 64
	illegal	4, 0x44005013		// SRAI by 64
	illegal	4, 0x80005013		// SRLI, funct6 100000
	illegal	4, 0x0200101b		// SLLIW by 32 (UM 5.2)
	illegal	4, 0x0200501b		// SRLIW by 32
	illegal	4, 0x4200501b		// SRAIW by 32
	illegal	4, 0x0000201b		// OP-IMM-32, funct3 010
	illegal	4, 0x04000033		// OP, funct7 0000010
	illegal	4, 0x40001033		// SLL with SUB's funct7
	illegal	4, 0x0000203b		// OP-32, funct3 010
	illegal	4, 0x0200103b		// there is no MULHW
	illegal	4, 0x0000002f		// AMO, funct3 000
	illegal	4, 0x2800202f		// AMO, funct5 00101
	illegal	4, 0x1010202f		// LR with rs2
	illegal	4, 0x0000700f		// MISC-MEM, funct3 111
	illegal	4, 0x000000f3		// ECALL with rd
	illegal	4, 0x00108073		// EBREAK with rs1
	illegal	4, 0x30208073		// MRET with rs1
	illegal	4, 0x00004073		// SYSTEM, funct3 100
	illegal	4, 0x12301073		// a control register that is none

	// What implementations shall ignore (UM 2.7, 3), and HINTs (UM 2.9, 16.7)
	completes 4, .4byte 0x8330000f	// FENCE.TSO
	completes 4, .4byte 0x7ff0000f	// FENCE, fm 0111
	completes 4, .4byte 0x8ff0000f	// FENCE.TSO with other sets
	completes 4, .4byte 0x0ff2858f	// FENCE with rs1 and rd
	completes 4, .4byte 0xabc2958f	// FENCE.I with all fields
	completes 4, .4byte 0x00103013	// SLTIU x0
	completes 2, .2byte 0x0041	// C.NOP with an immediate
	completes 2, .2byte 0x6015	// C.LUI x0
	completes 2, .2byte 0x8001	// C.SRLI64

	// Addresses that do not exist
	li	a0, far
	traps	5, far + 8, lw a1, 8(a0)
	traps	5, far, lbu a1, 0(a0)
	traps	7, far - 8, sd a1, -8(a0)
	traps	7, far, sb a1, 0(a0)
	nowhere	machine, 1, far
	nowhere	user, 1, far

	// AMO and LR at addresses that are not aligned (UM 8.2, 8.4). Rd and memory stay as they are.
	la	a0, data
	li	a1, 77
	addi	a2, a0, 2
	addi	a3, a0, 4
	traps	4, data + 2, lr.w a1, (a2)
	traps	4, data + 4, lr.d a1, (a3)
#ifndef QEMU
	traps	6, data + 2, amoadd.w a1, a0, (a2)
	traps	6, data + 4, amoswap.d a1, a0, (a3)
	traps	6, data + 4, amomaxu.d.aqrl a1, a0, (a3)
	traps	6, data + 2, sc.w a1, a0, (a2)
	traps	6, data + 4, sc.d a1, a0, (a3)

	// Loads and stores (UM 2.6: trapping is permitted; PM table 3.6)
	addi	a4, a0, 1
	traps	4, data + 1, lh a1, 0(a4)
	traps	4, data + 3, lhu a1, 2(a4)
	traps	4, data + 1, lw a1, 0(a4)
	traps	4, data + 2, lw a1, 0(a2)
	traps	4, data + 2, lwu a1, 0(a2)
	traps	4, data + 4, ld a1, 0(a3)
	traps	4, data + 1, ld a1, 0(a4)
	traps	6, data + 1, sh a1, 0(a4)
	traps	6, data + 2, sw a1, 0(a2)
	traps	6, data + 3, sw a1, 1(a2)
	traps	6, data + 4, sd a1, 0(a3)
	traps	6, data - 1, sd a1, -2(a4)
	.option	rvc
	traps	4, data + 6, c.lw a1, 4(a2)
	traps	4, data + 4, c.ld a1, 0(a3)
	traps	6, data + 6, c.sw a1, 4(a2)
	traps	6, data + 12, c.sd a1, 8(a3)
	.option	norvc
#endif
	completes 4, lw a4, 0(a3)
	completes 4, lbu a4, 1(a2)
	completes 4, lh a4, 0(a2)
	addi	s11, s11, 1
	li	t0, 77
	bne	a1, t0, failed
	ld	t0, 0(a0)
	ld	t1, value
	bne	t0, t1, failed

	// Control registers (UM 9.1)
	addi	s11, s11, 1
	li	a0, 0x123456789abcdef0
	csrw	mscratch, a0
	csrrwi	a1, mscratch, 21
	bne	a0, a1, failed
	csrrsi	a1, mscratch, 10
	addi	a1, a1, -21
	bnez	a1, failed
	csrrci	a1, mscratch, 7
	addi	a1, a1, -31
	bnez	a1, failed
	csrrs	a1, mscratch, a0
	addi	a1, a1, -24
	bnez	a1, failed
	csrrc	a1, mscratch, a0
	ori	a2, a0, 24
	bne	a1, a2, failed
	csrrw	a1, mscratch, a1
	addi	a1, a1, -8
	bnez	a1, failed
	csrr	a1, mscratch
	bne	a1, a2, failed

#ifndef QEMU
	addi	s11, s11, 1		// PM 3.1.14: bit 0 of mepc is always 0
	li	a0, -1
	csrw	mepc, a0
	csrr	a0, mepc
	addi	a0, a0, 2
	bnez	a0, failed
	addi	s11, s11, 1		// PM 3.1.6: MPP holds modes only
	li	a0, 3 << 11
	csrs	mstatus, a0
	li	a0, 1 << 11
	csrc	mstatus, a0
	csrr	a0, mstatus
	srli	a0, a0, 11
	andi	a0, a0, 3
	addi	a0, a0, -3
	bnez	a0, failed
#endif
	li	s11, 0
failed:
	li	t0, finish
	li	t1, 0x5555		// pass
	beqz	s11, 1f
	slli	s11, s11, 16
	li	t1, 0x3333		// fail with a code
	or	t1, t1, s11
1:	sw	t1, 0(t0)
2:	j	2b

// To t0 in the mode s6, with interrupts enabled there.
run:
	addi	s11, s11, 1
	csrw	mepc, t0
	li	t1, 3 << 11
	csrc	mstatus, t1
	slli	t1, s6, 11
	ori	t1, t1, 0x80		// MPIE
	csrs	mstatus, t1
	mret

	.balign	4
entered:
	csrr	t5, mcause
	bne	t5, s9, failed
	csrr	t5, mepc
	bne	t5, s8, failed
	csrr	t5, mtval
	beqz	t5, 1f			// PM 3.1.16: for breakpoints and illegal instructions it may be 0
	bne	t5, s7, failed
	j	2f
1:	li	t6, 3
	bgtu	s9, t6, 3f
	li	t6, 2
	bgeu	s9, t6, 2f
3:	bnez	s7, failed
2:	csrr	t5, mstatus		// PM 3.1.6.1
	srli	t6, t5, 11
	andi	t6, t6, 3
	bne	t6, s6, failed
	andi	t5, t5, 0x88
	li	t6, 0x80
	bne	t5, t6, failed
	jr	s5

	.data
	.balign	16
	.8byte	0
data:	.8byte	0x8877665544332211
	.8byte	0x00ffeeddccbbaa99
value:	.8byte	0x8877665544332211
