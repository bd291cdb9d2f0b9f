// Clears memory that is not its own, from machine and user mode, and runs it: under a monitor nothing comes of that.
// SPDX-License-Identifier: Apache-2.0

	.equ	finish,	0x00100000
	.equ	others,	0x81000000	// where a monitor lies

	.macro	clear from		// 4 KiB
	li	a0, \from
	li	a1, \from + 0x1000
1:	sd	zero, 0(a0)
	addi	a0, a0, 8
	bltu	a0, a1, 1b
	.endm

	.globl	_start
_start:
	la	t0, trapped
	csrw	mtvec, t0
	li	t0, -1
	csrw	pmpaddr0, t0
	li	t0, 0x1f
	csrw	pmpcfg0, t0
	li	a0, others
	sd	zero, 0x120(a0)
	li	t0, 1 << 17		// MPRV, as user mode
	csrs	mstatus, t0
	sd	zero, 0x128(a0)
	csrc	mstatus, t0
	la	t0, user
	csrw	mepc, t0
	mret
user:
	clear	others
	clear	others + 0x1000000	// and another one
	li	a0, others
	jr	a0
	.balign	4
trapped:
	csrr	t0, mcause
	li	t1, 2			// there is no memory, and what reads 0 is no instruction
	li	t2, 0x13333
	bne	t0, t1, 1f
	li	t2, 0x5555
1:	li	t0, finish
	sw	t2, 0(t0)
2:	j	2b
