| A supervisor for the 68000 and 68010: serves write and exit, counts timer ticks, and runs the user program at 0x100000.
| SPDX-License-Identifier: Apache-2.0
|
| Exit code: what the program gives to exit(), or 128 + the vector's number after an exception that nothing serves.

	.equ	uart,	0xF00000	| register n is 8 n bytes after the base
	.equ	timer,	0xF00100
	.equ	pic,	0xF00200
	.equ	finish,	0xF00300

	.equ	program,	0x100000
	.equ	user_stack,	0x300000
	.equ	own_stack,	0x010000
	.equ	interval,	5000	| cycles between ticks

	.section .vectors, "awx"
	.long	own_stack, reset
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28
	.long	stray + 2 * (\n)
	.endr
	.long	tick			| 29: autovector of level 5, the timer's line
	.long	stray + 60, stray + 62
	.long	system_call		| 32: TRAP #0
	.irp	n, 33,34,35,36,37,38,39,40,41,42,43,44,45,46,47
	.long	stray + 2 * (\n)
	.endr
	.space	0x400 - 4 * 48
	.globl	ticks
ticks:	.long	0			| at 0x400
calls:	.long	0			| at 0x404: system calls served

	.text
	.globl	reset
reset:
	move.l	#interval, timer + 8	| compare
	move.l	#1, timer + 16		| control: the line follows count >= compare
	move.l	#1 << 5, pic + 8	| enable line 5
	lea	user_stack, %a0
	move.l	%a0, %usp
	clr.w	-(%sp)			| the format word, for a 68010; a 68000 leaves it behind
	move.l	#program, -(%sp)
	clr.w	-(%sp)			| user mode, all levels
	sub.l	%a0, %a0
	rte

tick:
	addq.l	#1, ticks
	move.l	%d0, -(%sp)
	move.l	timer, %d0
	add.l	#interval, %d0
	move.l	%d0, timer + 8
	move.l	(%sp)+, %d0
	rte

system_call:
	addq.l	#1, calls
	cmp.l	#4, %d0
	jeq	write
	cmp.l	#1, %d0
	jeq	exit
	moveq	#-38, %d0		| -ENOSYS
	rte
write:					| d1 file, d2 from, d3 count; gives the count
	movem.l	%d3/%a0, -(%sp)
	move.l	%d2, %a0
	move.l	%d3, %d0
	jra	2f
1:	move.b	(%a0)+, uart
	subq.l	#1, %d3
2:	tst.l	%d3
	jne	1b
	movem.l	(%sp)+, %d3/%a0
	rte
exit:					| d1 code
	move.l	%d1, finish
	stop	#0x2700

| A table of 48 short subroutine calls: the return address tells which vector it was.
stray:
	.rept	48
	bsr.s	1f
	.endr
	nop
1:	move.l	(%sp)+, %d0
	sub.l	#stray + 2, %d0
	lsr.l	#1, %d0
	add.l	#128, %d0
	move.l	%d0, finish
	stop	#0x2700
