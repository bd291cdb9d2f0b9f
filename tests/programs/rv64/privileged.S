// Entry, traps and the attempt of privileged.c: runs a few instructions in a mode and keeps what the trap at their end leaves.
// SPDX-License-Identifier: Apache-2.0

	.equ	marker,	0x5ca1ab1e	// what no instruction has written

	.option	norvc
	.option	norelax
	.text
	.globl	_start
_start:
	la	sp, stack_end
	call	main
	li	t0, 0x00100000
	li	t1, 0x5555		// success for QEMU's device; an exit code here
	sw	t1, 0(t0)
1:	j	1b

// attempt(a0 mode, a1 mstatus but for MPP, a2 operand, a3 extra)
	.text
	.globl	attempt
attempt:
	mv	a7, a3
	mv	a3, a2
	slli	t0, a0, 11
	or	t0, t0, a1
	li	t1, 2 << 32		// UXL, where it can be written
	or	t0, t0, t1
	csrw	mstatus, t0
	la	t0, stub
	csrw	mepc, t0
	li	a4, marker
	li	a5, marker
	csrr	a6, mtvec
	fence.i
	mret

// The end of every attempt. What it ran changes a4 and a5 only, so that ra is attempt's.
ended:
	la	t5, left
	la	t0, machine_vectors
	sub	t6, t6, t0
	srli	t6, t6, 2
	addi	t6, t6, -1
	sd	a4, 0(t5)
	sd	a5, 8(t5)
	csrr	t0, mcause
	sd	t0, 16(t5)
	csrr	t0, mepc
	sd	t0, 24(t5)
	csrr	t0, mtval
	sd	t0, 32(t5)
	csrr	t0, mstatus
	sd	t0, 40(t5)
	csrr	t0, scause
	sd	t0, 48(t5)
	csrr	t0, sepc
	sd	t0, 56(t5)
	csrr	t0, stval
	sd	t0, 64(t5)
	sd	t6, 72(t5)
	csrw	mie, x0
	csrw	mstatus, x0
	ret

	.balign	256
	.globl	machine_vectors
machine_vectors:
	.rept	16
	jal	t6, ended
	.endr
	.balign	256
	.globl	supervisor_vectors
supervisor_vectors:
	.rept	16
	ecall
	.endr
	.globl	stub
	.balign	64
stub:	.rept	8
	ebreak
	.endr
	ebreak

	.data
	.balign	16
	.globl	left
left:	.space	80
	.bss
	.balign	16
	.space	8192
stack_end:
