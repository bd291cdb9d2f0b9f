// Into machine mode and out again: the registers of what runs below go to `below` and come back. For vmm.c and for kernel.c.
// SPDX-License-Identifier: Apache-2.0

	.section .text.start, "ax"
	.globl	start
start:	j	1f
	.balign	16
	.globl	below
below:	.space	256			// x0 to x31, 16 bytes behind the beginning
1:	la	sp, stack
	la	a0, below
	csrw	mscratch, a0
	la	a0, entered
	csrw	mtvec, a0
	call	main
	j	leave

	.align	2
	.globl	entered
entered:
	csrrw	a0, mscratch, a0
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, 8 * \n(a0)
	.endr
	csrrw	a1, mscratch, a0
	sd	a1, 8 * 10(a0)
	la	sp, trap_stack
	call	trapped
leave:	la	a0, below
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld	x\n, 8 * \n(a0)
	.endr
	ld	a0, 8 * 10(a0)
	mret

	.bss
	.align	4
	.globl	stack_low
stack_low: .space 2048
stack:	.space	2048
trap_stack:
