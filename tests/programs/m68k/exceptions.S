| Raises every exception of the 68000 (with -DMODEL=68010: of the 68010) and compares what was stacked with the User's Manual.
| SPDX-License-Identifier: Apache-2.0
|
| Exit code: 0, or the number of the first entry of the log, from 1, that is not as expected.
| An entry: the vector's number, the stacked SR, the stacked PC. Instructions that complete run into TRAP #15 (vector 47).

#ifndef MODEL
#define MODEL 68000
#endif

	.equ	timer,	0xF00100
	.equ	pic,	0xF00200
	.equ	finish,	0xF00300
	.equ	log,	0x8000
	.equ	own_stack,	0x10000
	.equ	user_stack,	0x20000

	| How an address error's frame describes the access, and how far its PC is advanced: the manual permits 2 to 10.
#if MODEL == 68000
	.equ	ERROR_PC, 2
	.equ	READ, 0x10
	.equ	WRITE, 0x00
	.equ	FETCH, 0x10
#else
	.equ	ERROR_PC, 0
	.equ	READ, 0x1100
	.equ	WRITE, 0x0000
	.equ	FETCH, 0x2100
#endif

	.section .vectors, "awx"
	.long	own_stack, reset
	.set	n, 2
	.rept	46
	.long	stray + 4 * n
	.set	n, n + 1
	.endr
	.space	0x400 - 4 * 48

	.section .data
expected:

	.macro	expect vector, status, where
	.pushsection .data
	.word	\vector, \status
	.long	\where
	.popsection
	.endm

	| check VECTOR, STATUS, OFFSET, INSTRUCTION: run it with SR = STATUS; the stacked PC is its address + OFFSET
	.macro	check vector, status, offset, instruction
	lea	after\@, %a5
	move.w	#\status, %sr
at\@:	\instruction
	trap	#15
after\@:
	expect	\vector, \status, at\@ + \offset
	.endm
	| completes SIZE, STATUS, INSTRUCTION: it does not trap
	.macro	completes size, status, instruction
	lea	after\@, %a5
	move.w	#\status, %sr
at\@:	\instruction
	trap	#15
after\@:
	expect	47, \status, at\@ + \size + 2
	.endm

	.text
	.globl	reset
reset:
	lea	log, %a6
	lea	user_stack, %a0
	move.l	%a0, %usp

	| Illegal and unimplemented instructions (UM 6.3.6): their own address, in both modes.
	check	4, 0x2700, 0, "illegal"
	check	4, 0x0000, 0, "illegal"
	check	4, 0x2004, 0, ".short 0x4AFB"
	check	10, 0x0013, 0, ".short 0xA123"
	check	11, 0x2300, 0, ".short 0xF123"

	| Traps (UM 6.3.5): the next instruction.
	moveq	#0, %d0
	moveq	#5, %d1
	check	5, 0x0000, 2, "divu.w %d0, %d1"
	check	5, 0x2000, 4, "divs.w #0, %d1"
	check	6, 0x0000, 4, "chk.w #4, %d1"
	moveq	#-1, %d1
	check	6, 0x0008, 4, "chk.w #4, %d1"
	check	7, 0x0002, 2, "trapv"
	completes 2, 0x0000, "trapv"
	check	35, 0x2700, 2, "trap #3"
	check	32, 0x001F, 2, "trap #0"

	| Privileged instructions (UM 6.3.7): their own address.
	check	8, 0x0000, 0, "andi.w #0xFFFF, %sr"
	check	8, 0x0000, 0, "ori.w #0x2000, %sr"
	check	8, 0x0000, 0, "eori.w #0, %sr"
	check	8, 0x0000, 0, "move.w %d0, %sr"
	check	8, 0x0000, 0, "move.w #0x2700, %sr"
	check	8, 0x0000, 0, "move.l %usp, %a0"
	check	8, 0x0000, 0, "move.l %a0, %usp"
	check	8, 0x0000, 0, "reset"
	check	8, 0x0000, 0, "stop #0x2000"
	check	8, 0x0000, 0, "rte"
	completes 2, 0x2700, "move.l %usp, %a0"
	completes 2, 0x2700, "reset"
	completes 4, 0x2700, "andi.w #0xFFFF, %sr"
	completes 2, 0x2000, "move.w %sr, %d2"
	cmp.w	#0x2000, %d2
	jne	failed

	| The difference between the two: MOVE from SR in user mode.
#if MODEL == 68000
	completes 2, 0x0011, "move.w %sr, %d2"
	cmp.w	#0x0011, %d2
	jne	failed
#else
	check	8, 0x0011, 0, "move.w %sr, %d2"
	check	8, 0x0011, 0, "move.w %sr, (%a0)"
	check	8, 0x0000, 0, "movec %vbr, %d0"
	check	8, 0x0000, 0, "movec %d0, %usp"
	check	8, 0x0000, 0, "moves.l %d0, (%a0)"
	completes 2, 0x0015, "move.w %ccr, %d2"
	cmp.w	#0x0015, %d2
	jne	failed
	check	4, 0x0000, 0, "bkpt #3"
	| A frame of a format that is none (UM 6.4): the RTE's own address, and the frame stays.
	move.w	#0x4000, -(%sp)
	pea	0
	clr.w	-(%sp)
	check	14, 0x2700, 0, "rte"
	| A short frame; and RTD, which drops two words.
	move.w	#0x0084, -(%sp)
	pea	1f
	move.w	#0x2715, -(%sp)
	rte
1:	jcc	failed
	pea	0x12345678
	pea	2f
	rtd	#4
2:	cmp.l	#own_stack, %sp
	jne	failed
	| Vectors elsewhere.
	movec	%vbr, %d0
	jne	failed
	lea	0x40000, %a0
	lea	0, %a1
	move.w	#255, %d0
3:	move.l	(%a1)+, (%a0)+
	dbra	%d0, 3b
	move.l	#moved, 0x40000 + 4 * 34
	move.l	#0x40000, %d0
	movec	%d0, %vbr
	movec	%vbr, %d3
	cmp.l	%d0, %d3
	jne	failed
	moveq	#0, %d4
	trap	#2
	moveq	#0, %d0
	movec	%d0, %vbr
	tst.l	%d4
	jeq	failed
	| Registers of MOVEC and MOVES.
	moveq	#-1, %d0
	movec	%d0, %sfc
	movec	%sfc, %a0
	cmp.l	#7, %a0
	jne	failed
	lea	0x30001, %a0
	move.b	#0x85, (%a0)
	moves.b	(%a0), %a1
	cmp.l	#0xFFFFFF85, %a1
	jne	failed
#endif

#ifndef NO_ADDRESS_ERRORS
	| Address errors (UM 6.3.10): words at odd addresses, and instructions.
	lea	0x30001, %a0
	moveq	#7, %d0
	check	3, 0x0000, ERROR_PC, "move.w (%a0), %d0"
	expect	READ+0x01, 0x3010, 0x30001
	check	3, 0x2700, ERROR_PC, "move.l %d0, 4(%a0)"
	expect	WRITE+0x05, 0x2140, 0x30005
	completes 2, 0x0000, "move.b %d0, (%a0)"
	lea	landed, %a5
	expect	3, 0x2000, 0x30001+ERROR_PC
	expect	FETCH+0x06, 0, 0x30001
	move.w	#0x2000, %sr
	jmp	(%a0)
landed:
#endif

#ifndef NO_DEVICES
	| The timer is on line 5: autovector 29 (UM 6.3.2), and the mask becomes 5. STOP sleeps until it comes.
	move.l	#1 << 5, pic + 8
	move.l	timer, %d0
	add.l	#200, %d0
	move.l	%d0, timer + 8
	move.l	#1, timer + 16
	lea	awake, %a5
	expect	29, 0x2404, asleep+4
asleep:	stop	#0x2404
	illegal
awake:
	move.w	mask, %d0
	cmp.w	#0x2504, %d0
	jne	failed
#endif

	| Compare.
	lea	log, %a0
	lea	expected, %a1
	moveq	#0, %d7
1:	addq.l	#1, %d7
	cmp.l	#expected_end, %a1
	jeq	passed
	cmpm.l	(%a1)+, (%a0)+
	jne	2f
	cmpm.l	(%a1)+, (%a0)+
	jeq	1b
2:	move.l	%d7, finish
	stop	#0x2700
passed:
	move.l	#0, finish
	stop	#0x2700
failed:
	move.l	#255, finish
	stop	#0x2700

#if MODEL == 68010
moved:	moveq	#1, %d4
	rte
#endif

stray:	.rept	48
	bsr.w	entered
	.endr
	nop
entered:
	move.w	%sr, mask
	move.w	#0x2700, %sr
	move.l	(%sp)+, %d6
	sub.l	#stray + 4, %d6
	lsr.l	#2, %d6
	cmp.w	#3, %d6
	jeq	address_error
	move.w	%d6, (%a6)+
	move.w	(%sp), (%a6)+
	move.l	2(%sp), (%a6)+
#if MODEL == 68010
	lsl.w	#2, %d6			| format $0 and the vector's offset
	cmp.w	6(%sp), %d6
	jne	failed
#endif
	lea	own_stack, %sp
	move.l	#-1, timer + 8
	jmp	(%a5)

| Two entries: the second holds the access as the frame describes it, the instruction's first word and the address.
address_error:
	move.w	%d6, (%a6)+
#if MODEL == 68000
	move.w	8(%sp), (%a6)+
	move.l	10(%sp), (%a6)+
	move.w	(%sp), (%a6)+
	move.w	6(%sp), (%a6)+
	move.l	2(%sp), (%a6)+
	lea	14(%sp), %sp
#else
	cmp.w	#0x800C, 6(%sp)
	jne	failed
	move.w	(%sp), (%a6)+
	move.l	2(%sp), (%a6)+
	move.w	8(%sp), (%a6)+
	move.w	24(%sp), (%a6)+
	move.l	10(%sp), (%a6)+
	lea	58(%sp), %sp
#endif
	cmp.l	#own_stack, %sp
	jne	failed
	jmp	(%a5)

	.section .data.end, "aw"
expected_end:
	.long	0
mask:	.word	0
