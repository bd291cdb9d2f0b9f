| Translation of the 68030 and the 68040 (-DMODEL=68030), compared with their user's manuals: tables, protection, frames, restart, PTEST.
| SPDX-License-Identifier: Apache-2.0
|
| Exit code: 0, or the number of the first comparison that fails, from 1. Every exception goes to (A5).

	.equ	finish,	0xF00300
	.equ	stack,	0x10000
	.equ	root,	0x40000			| tables
	.equ	middle,	0x41000
	.equ	pages,	0x42000
	.equ	frame,	0x60000			| where the windows lead
	.equ	window,	0x80000			| a page for each kind: resident, absent, write protected, of the supervisor alone, indirect
	.equ	leaf,	pages + 4 * (window >> 12)
	.equ	far,	0x04000000

	.section .vectors, "awx"
	.long	stack, reset
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
	cmpi.l	#at\@, 2(%sp)
	is	eq
	.endm
	| INSTRUCTION in user mode; it ends in an exception, by TRAP #0 if by none of its own
	.macro	as_user instruction
	lea	after\@, %a5
	move.w	#0, -(%sp)
	pea	at\@
	move.w	#0, -(%sp)
	rte
at\@:	\instruction
	trap	#0
after\@:
	.endm
	.macro	fill from, count, value, step
	lea	\from, %a0
	move.l	#\count, %d0
	move.l	#\value, %d1
filled\@:
	move.l	%d1, (%a0)+
	addi.l	#\step, %d1
	subq.l	#1, %d0
	jne	filled\@
	.endm
#if MODEL == 68030
	.macro	fault status, address		| format $B (030UM table 8-7)
	word	6(%sp), 0xB008
	word	10(%sp), \status
	long	16(%sp), \address
	.endm
	.macro	set register, value:vararg
	.section .data
	.balign	4
value\@:
	.long	\value
	.text
	pmove	value\@, \register
	.endm
	.macro	test address, status, level=7, instruction=ptestr, space=5
	lea	\address, %a0
	\instruction	#\space, (%a0), #\level, %a1
	pmove	%psr, seen
	.if	\status & 0x0400
	andi.w	#0xD5FF, seen			| S, W and M are undefined
	.endif
	word	seen, \status
	.endm
	.equ	read_error, 0x0145
	.equ	write_error, 0x0105
	.equ	user_read_error, 0x0141
	.equ	leave, 92
#else
	.macro	fault status, address		| format $7 (040UM 8.4.6)
	word	6(%sp), 0x7008
	word	12(%sp), \status
	long	20(%sp), \address
	.endm
	.macro	set register, value
	move.l	#\value, %d0
	movec	%d0, \register
	.endm
	.macro	test address, status, instruction=ptestr, space=5
	set	%dfc, \space
	lea	\address, %a0
	\instruction	(%a0)
	movec	%mmusr, %d0
	long	%d0, \status
	.endm
	.equ	read_error, 0x0505
	.equ	write_error, 0x0405
	.equ	user_read_error, 0x0501
	.equ	leave, 60
#endif

	.text
	.globl	reset
reset:
	suba.l	%a4, %a4
	move.l	#0x12345678, frame
#if MODEL == 68030
	move.l	#pages + 2, root
#else
	move.l	#middle + 2, root
	fill	middle, 16, pages + 2, 0x100
#endif
	fill	pages, 1024, 1, 0x1000		| the first 4 MB as they are
	move.l	#frame + 0x1, leaf
	clr.l	leaf + 4
	move.l	#frame + 0x5, leaf + 8
#if MODEL == 68030
	move.l	#frame + 0x1, leaf + 12
#else
	move.l	#frame + 0x81, leaf + 12
#endif
	move.l	#frame + 1, leaf + 20
	move.l	#leaf + 20 + 2, leaf + 16	| bit 2 is the address's
#if MODEL == 68030
	set	%crp, 0x7FFF0002, root
	set	%tc, 0x80C0AA00			| pages of 4K, two tables of 1024 entries
#else
	set	%urp, root
	set	%srp, root
	set	%tc, 0x8000
#endif

	| The same page through several windows.
	long	window, 0x12345678
	move.l	#0x9ABCDEF0, window + 0x4000
	long	frame, 0x9ABCDEF0
	long	window + 0x2000, 0x9ABCDEF0

	| An absent page: the instruction is done when the page is there.
	lea	absent, %a5
1:	move.l	window + 0x1000, %d2
	long	%d2, 0x9ABCDEF0
	jra	2f
absent:	long	2(%sp), 1b
	fault	read_error, window + 0x1000
	move.l	#frame + 1, leaf + 4
	pflusha
	rte
2:	clr.l	leaf + 4
	pflusha

	| Protection, in either mode.
	long	window + 0x2000, 0x9ABCDEF0
	raises	"move.l %d2, window + 0x2000"
	fault	write_error, window + 0x2000
	lea	leave(%sp), %sp
	as_user	"move.l window + 0x1000, %d2"
	word	(%sp), 0
	fault	user_read_error, window + 0x1000
	lea	leave(%sp), %sp
	as_user	"jmp window + 0x1000"
	long	2(%sp), window + 0x1000
#if MODEL == 68030
	word	10(%sp), 0x5000			| FB, RB
	long	36(%sp), window + 0x1000
#else
	fault	0x0542, window + 0x1000
#endif
	lea	leave(%sp), %sp

#if MODEL == 68030
	| PTEST: MMUSR, and where the last descriptor is (PRM 6).
	test	window, 2
	cmpa.l	#leaf, %a1
	is	eq
	test	window + 0x1000, 0x0402
	test	window + 0x2000, 0x0802
	test	window + 0x4000, 3
	cmpa.l	#leaf + 20, %a1
	is	eq
	test	window + 0x4000, 1, 1
	cmpa.l	#root, %a1
	is	eq
	test	far, 0x0401
	bset	#4, leaf + 3
	test	window, 0x0202			| modified

	| Transparent translation (030UM 9.3): of user data, of reads alone, and in PTEST level 0.
	set	%tt1, 0x00008110
	as_user	"move.l window + 0x1000, %d2"
	word	6(%sp), 0x0080
	long	%d2, 0
	addq.l	#8, %sp
	set	%tt1, 0x00008210
	as_user	"move.l window + 0x1000, %d2"
	word	6(%sp), 0x0080
	addq.l	#8, %sp
	as_user	"move.l %d2, window + 0x1000"
	fault	0x0101, window + 0x1000
	lea	leave(%sp), %sp
	set	%tt0, 0x04008107
	lea	far, %a0
	ptestr	#1, (%a0), #0
	pmove	%psr, seen
	word	seen, 0x0040
	set	%tt0, 0
	set	%tt1, 0

	| Descriptors of 8 bytes, limits, early termination, the supervisor's root and pages; pages of 8K, tables of 16, 256 and 128 entries.
	set	%tc, 0
	move.l	#0x00010001, middle		| contiguous: indices 0 and 1 of the next table, so 2 MB
	clr.l	middle + 4
	move.l	#0x80020102, middle + 8		| from index 2 on, the supervisor's alone: descriptors of 4 bytes
	move.l	#pages, middle + 12
	move.l	#0x00000001, pages + 8		| contiguous: 1 MB
	set	%srp, 0x000F0003, middle
	set	%crp, 0x80010003, middle
	set	%tc, 0x82D04870
	long	frame, 0x9ABCDEF0
	long	0x10200000 + frame, 0x9ABCDEF0
	test	0x10200000 + frame, 2
	cmpa.l	#pages + 8, %a1
	is	eq
	test	0x10200000 + frame, 0x2002, 7, ptestr, 1
	test	0x100000, 1
	test	0x200000, 0x4401		| beyond the limit
	test	0x10100000, 0x4401
	test	frame, 0x4400, 7, ptestr, 1
	raises	"move.l 0x200000, %d2"
	fault	read_error, 0x200000
	lea	leave(%sp), %sp
	| The function code: its table has no limit.
	set	%tc, 0
	move.l	#1, root + 20			| the supervisor's data and program: all of memory
	move.l	#1, root + 24
	clr.l	root + 4
	set	%crp, 0x00000002, root
	set	%tc, 0x81C0AA00
	long	frame, 0x9ABCDEF0
	test	frame, 1
	test	frame, 0x0401, 7, ptestr, 1
	set	%tc, 0
	set	%crp, 0x7FFF0001, 0		| no tables
	set	%tc, 0x80C0AA00
	test	frame, 0
	cmpa.l	#0, %a1
	is	eq

	| An inconsistent TC (030UM 9.7.5.3).
	lea	1f, %a5
	pmove	inconsistent, %tc
	jra	failed
1:	word	6(%sp), 0x20E0
	lea	12(%sp), %sp
	set	%tc, 0
#else
	| PTEST (040UM 3.1.4).
	test	window, 0x00060001
	test	window + 0x1000, 0
	test	window + 0x2000, 0x00060005
	test	window + 0x3000, 0x00060081
	test	window + 0x4000, 0x00060001
	test	far, 0
	bset	#4, leaf + 3
	test	window, 0x00060011
	move.l	#pages + 6 + 0x200, middle + 8		| write protected above
	pflusha
	test	window, 0x00060015
	raises	"move.l %d2, window"
	fault	write_error, window
	lea	leave(%sp), %sp
	move.l	#pages + 2 + 0x200, middle + 8
	pflusha

	| The supervisor's page, and MOVES in its place.
	long	window + 0x3000, 0x9ABCDEF0
	as_user	"move.l window + 0x3000, %d2"
	fault	user_read_error, window + 0x3000
	lea	leave(%sp), %sp
	set	%sfc, 1
	lea	window + 0x3000, %a0
	raises	"moves.l (%a0), %d2"
	fault	user_read_error, window + 0x3000
	lea	leave(%sp), %sp
	set	%sfc, 5
	moves.l	(%a0), %d2
	long	%d2, 0x9ABCDEF0

	| Transparent translation (040UM 3.1.3): of the user's data, and without writes.
	set	%dtt0, 0x00008000
	as_user	"move.l window + 0x1000, %d2"
	word	6(%sp), 0x0080
	long	%d2, 0
	addq.l	#8, %sp
	test	window, 3, ptestr, 1
	set	%dtt0, 0x00008004
	as_user	"move.l %d2, window"
	fault	0x0401, window
	lea	leave(%sp), %sp
	set	%dtt0, 0

	| Pages of 8K.
	set	%tc, 0
	fill	pages, 512, 1, 0x2000
	fill	middle, 16, pages + 2, 0x80
	move.l	#frame + 0x1001, pages + 4 * (window >> 13)
	set	%tc, 0xC000
	long	window, 0x9ABCDEF0
	test	window, 0x00060001
	test	window + 0x1000, 0x00061001
	set	%tc, 0
#endif
	clr.l	finish
	stop	#0x2700

entered:
	jmp	(%a5)
failed:
	move.l	%a4, %d0
#if MODEL == 68030
	pmove	zero, %tc
#else
	moveq	#0, %d1
	movec	%d1, %tc
#endif
	move.l	%d0, finish
	stop	#0x2700

	.section .data
	.balign	4
zero:	.long	0
inconsistent:
	.long	0x80C0AA10
seen:	.word	0
