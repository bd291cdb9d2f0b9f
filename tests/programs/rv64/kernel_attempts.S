// What the kernel and its user program try, its vectors, and how it ends: for kernel.c.
// SPDX-License-Identifier: Apache-2.0

// Exceptions go on at t6; an instruction that completes comes to the EBREAK. The line shows a4.
	.macro	try instruction
	la	t6, 1f
	\instruction
	ebreak
1:
	.endm

	.equ	MPP, 3 << 11
	.equ	MPRV, 1 << 17

	.text
	.globl	try_in_kernel
try_in_kernel:
	addi	sp, sp, -16
	sd	ra, 8(sp)
	li	a4, 0
	li	t0, 0x123456789
	csrrw	t1, mscratch, t0
	csrrw	a4, mscratch, t1
	try	"nop"
	li	t0, 0x87654321
	csrw	mtval, t0
	try	"csrrs a4, mtval, zero"
	csrw	mcause, t0
	csrrci	a4, mcause, 1
	csrrsi	a4, mcause, 2
	csrr	a4, mcause
	try	"nop"
	csrw	mepc, t0
	csrr	a4, mepc
	try	"nop"
	li	t0, MPP
	csrs	mstatus, t0
	csrr	a4, mstatus
	and	a4, a4, t0
	try	"nop"
	csrw	mcounteren, t0
	csrr	a4, mcounteren
	try	"nop"
	csrw	mie, t0
	csrr	a4, mie
	try	"nop"
	li	t0, 0x12345
	csrw	pmpaddr2, t0
	csrr	a4, pmpaddr2
	try	"nop"
	li	t0, 0x1a0000		// W without R: not written
	csrs	pmpcfg0, t0
	csrr	a4, pmpcfg0
	try	"nop"
	li	t0, 0x190000
	csrs	pmpcfg0, t0
	csrr	a4, pmpcfg0
	try	"nop"
	csrr	a4, pmpaddr2
	try	"nop"
	csrc	pmpcfg0, t0
	csrr	a4, mhartid
	try	"csrw mhartid, t0"	// can only be read
	try	"csrr a4, 0x5c0"		// no such register
	try	"csrr a4, mip"
	try	"wfi"
	try	"ecall"
	try	".word 0"
	la	t1, kernel_data
	try	"lw a4, 2(t1)"
	try	"sd a4, 4(t1)"
	csrr	t0, mcycle
	csrr	t1, mcycle
	sltu	a4, t0, t1
	try	"nop"
	li	t0, 0
	li	t1, 0

	// Loads and stores as user mode makes them: this memory is not its.
	li	t0, MPP
	csrc	mstatus, t0
	li	t1, MPRV
	la	t2, kernel_data
	la	t3, user
	la	t6, 1f
	csrs	mstatus, t1
	ld	a4, 0(t2)
1:	la	t6, 1f
	sd	a4, 0(t2)
1:	ld	a4, 0(t3)
	csrc	mstatus, t1

	// A locked entry binds machine mode, too.
	la	t0, guarded
	srli	t0, t0, 2
	ori	t0, t0, 0x1ff
	csrw	pmpaddr1, t0
	csrr	a4, pmpaddr1
	try	"nop"
	li	t0, 0x9900
	csrs	pmpcfg0, t0
	li	t1, 0x1f00
	csrc	pmpcfg0, t1		// it stays
	csrr	a4, pmpcfg0
	la	t1, guarded
	try	"sd a4, 0(t1)"
	try	"ld a4, 0(t1)"
	try	"jr t1"
	ld	ra, 8(sp)
	addi	sp, sp, 16
	ret

	.globl	finish
finish:					// what depends on time lies below the stack pointer
	la	a0, stack_low
1:	sd	zero, 0(a0)
	addi	a0, a0, 8
	bltu	a0, sp, 1b
	.irp	n, 1,3,4,5,6,7,8,9,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	li	x\n, 0x\n
	.endr
	li	a0, 0x100000
	li	a1, 0x5555
	sw	a1, 0(a0)
1:	j	1b

	.balign	4
	.globl	vectors
	.option	push
	.option	norvc
vectors:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	.if \n == 0 || \n == 3 || \n == 7 || \n == 11
	j	entered
	.else
	j	wrong
	.endif
	.endr
	.option	pop
wrong:	li	a0, 0x100000
	li	a1, 0x13333
	sw	a1, 0(a0)
1:	j	1b

	.data
	.balign	8
kernel_data: .quad 0x1122334455667788, 0
	.balign	4096
guarded: ret
	.balign	4096

	.section .user, "awx"
	.quad	0x7573657273
	.globl	user_start
user_start:
	la	sp, user_stack
	call	user_main
	li	a7, 0
	ecall

	.globl	system_call
system_call:				// u64 system_call(u64 argument, u64 number)
	mv	a7, a1
	ecall
	ret

	.globl	time_goes_on
time_goes_on:
	rdtime	a0
	rdtime	a1
	sltu	a0, a1, a0
	xori	a0, a0, 1
	li	a1, 0
	ret

	.globl	try_in_user_mode
try_in_user_mode:
	addi	sp, sp, -16
	sd	ra, 8(sp)
	li	a4, 0
	li	a7, 99
	try	"csrr a4, mstatus"
	try	"csrw mepc, a4"
	try	"csrrsi a4, mscratch, 1"
	try	"csrr a4, mhartid"
	try	"csrr a4, sstatus"
	try	"csrr a4, pmpcfg0"
	try	"mret"
	try	"sret"
	try	"wfi"
	try	"sfence.vma"
	try	"rdcycle a4"
	try	"rdtime a4"
	try	"rdinstret a4"
	try	"ecall"
	try	".word 0"
	la	t1, kernel_data
	li	t2, 0x10000000
	try	"ld a4, 0(t1)"
	try	"sd a4, 0(t1)"
	try	"jr t1"
	try	"lw a4, 2(t1)"
	try	"sh a4, 1(t1)"
	try	"lbu a4, 0(t2)"
	try	"sb a4, 0(t2)"
	la	t1, user
	try	"ld a4, 0(t1)"
	ld	ra, 8(sp)
	addi	sp, sp, 16
	ret

	.balign	16
	.space	1024
user_stack:
