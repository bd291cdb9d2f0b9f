// A supervisor for RV64 in machine mode: serves write and exit, and runs the user program at 0x80100000 in user mode.
// SPDX-License-Identifier: Apache-2.0
//
// Exit code: what the program gives to exit(), or 128 + mcause after a trap that nothing serves.

	.equ	uart,		0x10000000
	.equ	finish,		0x00100000
	.equ	program,	0x80100000
	.equ	user_stack,	0x80800000

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
	la	t0, saved
	csrw	mscratch, t0
	li	t0, program
	csrw	mepc, t0
	li	t0, 3 << 11		// MPP: user mode
	csrc	mstatus, t0
	li	sp, user_stack
	mret

	.align	2
entered:
	csrrw	t0, mscratch, t0
	sd	t1, 0(t0)
	sd	t2, 8(t0)
	csrr	t1, mcause
	addi	t2, t1, -8		// ECALL from user mode
	bnez	t2, stray
	li	t2, 64
	beq	a7, t2, write
	li	t2, 93
	beq	a7, t2, exit
	li	a0, -38			// -ENOSYS
leave:
	csrr	t1, mepc
	addi	t1, t1, 4
	csrw	mepc, t1
	ld	t1, 0(t0)
	ld	t2, 8(t0)
	csrrw	t0, mscratch, t0
	mret

write:					// a0 file, a1 from, a2 count; gives the count
	sd	a1, 16(t0)
	add	t2, a1, a2
	li	a0, uart
	j	2f
1:	lbu	t1, 0(a1)
	addi	a1, a1, 1
	sb	t1, 0(a0)
2:	bne	a1, t2, 1b
	ld	a1, 16(t0)
	mv	a0, a2
	j	leave

stray:	addi	a0, t1, 128
exit:					// a0 code
	li	t0, finish
	li	t1, 0x5555		// pass
	beqz	a0, 1f
	slli	a0, a0, 16
	li	t1, 0x3333		// fail with a code
	or	t1, t1, a0
1:	sw	t1, 0(t0)
2:	j	2b

	.bss
	.align	3
saved:	.space	24
