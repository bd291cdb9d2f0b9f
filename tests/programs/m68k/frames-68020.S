| What QEMU does not know of the 68020, compared with the M68020 User's Manual: bounds, modules, frames, the stack pointer in use, interrupts in master state.
| SPDX-License-Identifier: Apache-2.0
|
| Exit code: 0, or the number of the first comparison that fails, from 1. Every exception goes to (A5).

	.equ	timer,	0xF00100
	.equ	pic,	0xF00200
	.equ	finish,	0xF00300
	.equ	interrupt_stack,	0x10000
	.equ	master_stack,	0x18000

	.section .vectors, "awx"
	.long	interrupt_stack, reset
	.rept	254
	.long	entered
	.endr

	.macro	is condition
	addq.l	#1, %a4
	j\condition	good\@
	jra	failed
good\@:
	.endm
	.macro	long place, value
	cmpi.l	#\value, \place
	is	eq
	.endm
	.macro	word place, value
	cmpi.w	#\value, \place
	is	eq
	.endm
	| raises INSTRUCTION: it ends in an exception, from where the program goes on
	.macro	raises instruction
	lea	after\@, %a5
at\@:	\instruction
	jra	failed
after\@:
	.endm
	| frame FORMAT, TARGET, STATUS
	.macro	frame format, target, status
	move.w	#\format, -(%sp)
	pea	\target
	move.w	#\status, -(%sp)
	.endm

	.text
	.globl	reset
reset:
	suba.l	%a4, %a4
	move.l	#master_stack, %d0
	movec	%d0, %msp

	| CMP2, CHK2 (PRM 4).
	moveq	#3, %d0
	cmp2.w	bounds, %d0
	is	cc
	is	ne
	moveq	#10, %d0
	cmp2.w	bounds, %d0
	is	cc
	is	eq
	moveq	#11, %d0
	cmp2.w	bounds, %d0
	is	cs
	move.l	#0x1FFFB, %d0			| of a data register the low part alone
	cmp2.w	bounds, %d0
	is	eq
	movea.l	%d0, %a0
	cmp2.w	bounds, %a0			| of an address register all of it
	is	cs
	moveq	#11, %d0
	raises	"chk2.w bounds, %d0"
	word	6(%sp), 0x2018
	word	(%sp), 0x2701
	move.l	8(%sp), %d0
	addq.l	#8, %d0
	cmp.l	2(%sp), %d0			| the instruction and the next
	is	eq
	lea	12(%sp), %sp

	| Frames (020UM 6.3, table 6-5).
	frame	0x4000, failed, 0x2700
	raises	"rte"
	word	6(%sp), 0x0038
	lea	16(%sp), %sp
	lea	-24(%sp), %sp
	frame	0xA008, 1f, 0x2700
	rte
1:	lea	-84(%sp), %sp
	move.w	#0x1000, 0x2E(%sp)		| the version, at +$36
	frame	0xB008, failed, 0x2700
	raises	"rte"
	addq.l	#8, %sp
	clr.w	0x36(%sp)
	move.l	#2f, 2(%sp)
	rte
2:	cmpa.l	#interrupt_stack, %sp
	is	eq

	| The stack pointer in use (PRM 1.3.2), and a throwaway frame (020UM figure 6-7).
	move.l	#master_stack + 16, %d0
	ori.w	#0x1000, %sr
	movec	%d0, %msp
	cmp.l	%d0, %sp
	is	eq
	frame	0x2000, 3f, 0x1015
	andi.w	#0xEFFF, %sr
	frame	0x1000, failed, 0x3000
	rte
3:	raises	"trap #1"
	word	(%sp), 0x1015
	movec	%msp, %d0
	long	%d0, master_stack + 12		| 16, less the frame of 8, of which RTE takes 12, less the trap's 8
	movec	%isp, %d0
	long	%d0, interrupt_stack

	| An interrupt in master state (020UM 6.1.9).
	move.l	#master_stack, %d0
	movec	%d0, %msp
	move.l	#1 << 5, pic + 8
	move.l	timer, %d0
	add.l	#300, %d0
	move.l	%d0, timer + 8
	move.l	#1, timer + 16
	lea	awake, %a5
	stop	#0x3404
4:	move.w	%sr, %d0
	word	%d0, 0x3404
	cmpa.l	#master_stack, %sp
	is	eq
	move.w	#0x2700, %sr
	cmpa.l	#interrupt_stack, %sp
	is	eq

	| Modules (020UM 9.7).
	movea.l	#0x1234, %a3
	pea	0x5678
	move.w	#0x2711, %sr
	callm	#4, module
	move.w	%sr, %d0
	word	%d0, 0x2711
	cmpa.l	#0x1234, %a3
	is	eq
	cmpa.l	#interrupt_stack, %sp
	is	eq
	raises	"callm #4, other_module"
	word	6(%sp), 0x0038
	clr.l	finish
	stop	#0x2700

awake:	move.l	#-1, timer + 8
	word	6(%sp), 0x1074
	word	(%sp), 0x3404
	long	2(%sp), 4b
	move.w	%sr, %d0
	word	%d0, 0x2504
	movec	%isp, %d0
	long	%d0, interrupt_stack - 8
	movec	%msp, %a0
	cmpa.l	#master_stack - 8, %a0
	is	eq
	word	6(%a0), 0x0074
	word	(%a0), 0x3404
	rte

entered:
	jmp	(%a5)
failed:
	move.l	%a4, finish
	stop	#0x2700

	.balign	2
	.word	0xB000				| A3
	.equ	entry, . - 2
	cmpa.l	#0x9ABC, %a3
	jne	failed
	move.w	#0, %ccr
	rtm	%a3

	.section .data
bounds:	.word	-5, 10
module:	.long	0, entry, 0x9ABC
other_module:
	.long	0x01000000, entry, 0
