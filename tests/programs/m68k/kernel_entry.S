| The kernel's entry, its exceptions, and what it and its user program try: for kernel.c.
| SPDX-License-Identifier: Apache-2.0

	.section .reset, "awx"
	.long	stack, start
	.globl	start
start:
	lea	stack, %sp
	lea	vectors, %a0
	lea	entered, %a1
	move.w	#255, %d0
1:	move.l	%a1, (%a0)+
	dbra	%d0, 1b
	lea	vectors, %a0
	movec	%a0, %vbr
	jsr	main
	lea	user_stack, %a0
	move.l	%a0, %usp
	clr.w	-(%sp)
	pea	user_start
	clr.w	-(%sp)			| user mode, all levels
	rte

| Registers are as they were when an exception is over, but for what it changes in its copy of them.
	.text
entered:
	movem.l	%d0-%d7/%a0-%a6, -(%sp)
	move.l	%sp, -(%sp)
	jsr	exception
	addq.l	#4, %sp
	movem.l	(%sp)+, %d0-%d7/%a0-%a6
	rte

| try INSTRUCTION: exceptions go on at a5; one that completes comes to TRAP #15.
	.macro	try instruction
	lea	1f, %a5
	\instruction
	trap	#15
1:
	.endm

	.globl	try_in_kernel
try_in_kernel:
	movem.l	%d2-%d7/%a2-%a6, -(%sp)
	lea	words + 2, %a2
	moveq	#0, %d2
	try	"move.w %sr, %d2"
	try	"move.w %sr, (%a2)+"
	move.w	-(%a2), %d2
	try	"move.w %sr, -(%a2)"
	move.w	(%a2)+, %d2
	try	"move.w %sr, 4(%a2)"
	move.w	4(%a2), %d2
	moveq	#6, %d3
	try	"move.w %sr, -2(%a2, %d3.w)"
	move.w	4(%a2), %d2
	try	"andi.w #0xF8E0, %sr"
	move.w	%sr, %d2
	try	"ori.w #0x0715, %sr"
	move.w	%sr, %d2
	try	"eori.w #0x000A, %sr"
	move.w	%sr, %d2
	try	"move.w #0xA7FF, %sr"
	move.w	%sr, %d2
	move.w	#0x2700, (%a2)
	try	"move.w (%a2), %sr"
	move.w	%sr, %d2
	lea	0x12344, %a0
	try	"move.l %a0, %usp"
	try	"move.l %usp, %a1"
	move.l	%a1, %d2
	moveq	#-1, %d4
	try	"movec %d4, %sfc"
	try	"movec %sfc, %a3"
	move.l	%a3, %d2
	moveq	#5, %d4
	try	"movec %d4, %dfc"
	try	"movec %dfc, %d2"
	try	"movec %usp, %d2"
	try	"movec %vbr, %a3"
	lea	vectors, %a4
	suba.l	%a4, %a3
	move.l	%a3, %d2
	move.l	#0x89ABCDEF, %d4
	try	"moves.l %d4, (%a2)+"
	try	"moves.b -(%a2), %d2"
	try	"moves.w -1(%a2), %a3"
	move.l	%a3, %d2
	try	"moves.b 1(%a2), %a3"
	move.l	%a3, %d2
	try	"reset"
	lea	words, %a2
	moveq	#0, %d2
	try	"move.w %sr, 1(%a2)"	| odd
	try	"move.w 1(%a2), %sr"
	try	"move.w 1(%a2), %d2"
	try	".short 0x4E7A, 0x0FFF"	| no such control register
	try	"trap #3"
	try	"illegal"
	| A frame of a format that is none stays where it is.
	move.w	#0x4000, -(%sp)
	pea	0
	clr.w	-(%sp)
	try	"rte"
	addq.l	#8, %sp
	movem.l	(%sp)+, %d2-%d7/%a2-%a6
	rts

	.globl	try_in_user_mode
try_in_user_mode:
	movem.l	%d2-%d7/%a2-%a6, -(%sp)
	move.l	%sp, %d2		| a stack of its own
	sub.l	#user_stack, %d2
	try	"nop"
	moveq	#0, %d2
	lea	words, %a2
	try	"move.w %sr, %d2"
	try	"move.w %sr, (%a2)"
	try	"move.w %d2, %sr"
	try	"move.w #0x2700, %sr"
	try	"andi.w #0x2700, %sr"
	try	"ori.w #0x2000, %sr"
	try	"eori.w #0x2000, %sr"
	try	"move.l %usp, %a3"
	try	"move.l %a3, %usp"
	try	"reset"
	try	"stop #0x2000"
	try	"rte"
	try	"movec %vbr, %d2"
	try	"movec %d2, %usp"
	try	"moves.l %d2, (%a2)"
	try	"illegal"
	try	".short 0xA123"
	try	".short 0xF123"
	try	"trapv"
	try	"trap #9"
	moveq	#0, %d3
	try	"divu.w %d3, %d2"
	moveq	#-1, %d3
	try	"chk.w #4, %d3"
	try	"move.l 1(%a2), %d2"
	try	"move.w %d2, 3(%a2)"
	lea	3(%a2), %a3
	try	"jmp (%a3)"
	try	"bkpt #3"
	move.w	#0x15, %d2
	move.w	%d2, %ccr
	try	"move.w %ccr, %d2"
	movem.l	(%sp)+, %d2-%d7/%a2-%a6
	rts

	.globl	set_sr
set_sr:					| returns the old one
	move.w	%sr, %d0
	move.w	6(%sp), %sr
	rts
	.globl	sleep
sleep:	stop	#0x2400
	rts

user_start:
	jsr	user
	moveq	#0, %d0
	trap	#0
	.globl	system_call
system_call:				| u32 system_call(u32 number, u32 argument)
	move.l	4(%sp), %d0
	move.l	8(%sp), %d1
	trap	#0
	rts

	.globl	finish
finish:					| what depends on time lies below the stack pointer
	lea	stack_low, %a0
1:	clr.l	(%a0)+
	cmpa.l	%sp, %a0
	jcs	1b
	moveq	#0, %d0
	lea	stack, %a0
	suba.l	%sp, %a0
	move.l	#0, 0xF00300
	stop	#0x2700

	.bss
	.align	2
	.globl	words
words:	.space	16
	.globl	vectors
vectors: .space	1024
stack_low: .space 2048
stack:
	.space	2048
user_stack:
