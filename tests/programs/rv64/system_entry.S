// Firmware that leaves nothing to itself, the entries of a supervisor with page tables, and its user program.
// SPDX-License-Identifier: Apache-2.0

	.section .text.start, "ax"
	.globl	start
start:				// machine mode
	la	t0, unexpected
	csrw	mtvec, t0
	li	t0, -1
	srli	t0, t0, 10
	csrw	pmpaddr0, t0
	li	t0, 0x1f	// all of memory
	csrw	pmpcfg0, t0
	li	t0, 0xb1ff & ~0x200	// all exceptions but the supervisor's own calls
	csrw	medeleg, t0
	li	t0, 0x222
	csrw	mideleg, t0
	li	t0, 1
	slli	t0, t0, 63
	csrw	0x30a, t0	// menvcfg.STCE
	li	t0, 7
	csrw	mcounteren, t0
	csrw	scounteren, zero
	li	t0, 3 << 11
	csrc	mstatus, t0
	li	t0, 1 << 11	// MPP: supervisor mode
	csrs	mstatus, t0
	la	t0, supervisor
	csrw	mepc, t0
	mret

	.balign	4
unexpected:			// nothing should come here
	li	t0, 0x100000
	li	t1, 0x3333 | 99 << 16
	sw	t1, 0(t0)
1:	j	1b

supervisor:
	la	sp, kernel_stack
	li	t0, 16384
	add	sp, sp, t0
	li	s0, 0
	la	t0, entry
	csrw	stvec, t0
	csrw	sscratch, zero	// zero: the supervisor itself runs
	call	main
1:	j	1b

// All registers into the frame of whoever ran; sscratch holds where that is while a user program runs.
	.balign	4
entry:
	csrrw	t6, sscratch, t6
	bnez	t6, 1f
	la	t6, kernel_frame
1:	sd	x1, 8(t6)
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	sd	x\n, 8*\n(t6)
	.endr
	mv	a0, t6
	csrrw	t0, sscratch, zero
	la	t1, kernel_frame
	beq	t6, t1, 2f
	sd	t0, 8*31(t6)	// the user program's t6
	la	sp, kernel_stack
	li	t1, 16384
	add	sp, sp, t1
	j	3f
2:	sd	t0, 8*31(t6)
	addi	sp, sp, -512	// below what the supervisor was at
3:	csrr	t0, sepc
	sd	t0, 0(t6)
	call	trapped		// returns the frame to go on with

	.globl	resume
resume:				// a0: a frame
	mv	t6, a0
	ld	t0, 0(t6)
	csrw	sepc, t0
	la	t1, kernel_frame
	beq	t6, t1, 1f
	csrw	sscratch, t6
1:	ld	x1, 8(t6)
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	ld	x\n, 8*\n(t6)
	.endr
	ld	x31, 8*31(t6)
	sret

// Try an access; where it faults, the trap goes on behind and leaves its cause in `fault`.
	.globl	try_load
try_load:
	ld	a0, 0(a0)
	nop
	ret
	.globl	try_store
try_store:
	sd	a1, 0(a0)
	nop
	ret
	.globl	try_fetch
try_fetch:
	mv	t0, ra
	jalr	a0
	mv	ra, t0
	ret

// The user program, at 0x400000: a0 is its number, its stack ends at 0x800000, and from 0x500000 on there is memory for
// whoever touches it.
	.section .user, "ax"
user_start:
	mv	s0, a0
	li	s1, 0x500000
	li	s2, 64		// pages
	li	s3, 0		// sum
1:	add	t0, s2, s0
	mul	t0, t0, t0
	sd	t0, 0(s1)	// a page fault
	sd	s0, 8(s1)
	li	t1, 4096
	add	s1, s1, t1
	addi	s2, s2, -1
	bnez	s2, 1b
	li	s4, 100		// rounds, which take some ticks
2:	li	s1, 0x500000
	li	s2, 64
3:	ld	t0, 0(s1)
	add	s3, s3, t0
	slli	t1, s3, 3
	xor	s3, s3, t1
	ld	t0, 8(s1)
	bne	t0, s0, 9f	// somebody else's
	li	t1, 4096
	add	s1, s1, t1
	addi	s2, s2, -1
	bnez	s2, 3b
	addi	s4, s4, -1
	bnez	s4, 2b
	csrr	t0, time	// traps: scounteren is 0; the supervisor gives 7
	add	s3, s3, t0
	csrr	t0, sstatus	// traps: gives 9
	add	s3, s3, t0
	sd	zero, 0(zero)	// faults: is passed over
	la	t0, user_start
	sd	zero, 0(t0)	// faults: the program is read-only
	addi	sp, sp, -16
	sd	s3, 0(sp)
	ld	s3, 0(sp)
	li	a7, 1		// report(s3)
	mv	a0, s3
	ecall
	li	a7, 2		// end
	ecall
9:	li	a7, 3		// bad
	ecall
	j	9b
user_end:

	.section .bss
	.balign	16
	.globl	kernel_stack, kernel_frame
kernel_stack:
	.skip	16384
kernel_frame:
	.skip	256
