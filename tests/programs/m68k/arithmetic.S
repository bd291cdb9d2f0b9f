| What gcc calls for 32-bit multiplication and division, which the 68000 lacks.
| SPDX-License-Identifier: Apache-2.0

	.text
	.globl	__mulsi3
__mulsi3:				| low 32 bits of a * b, from 16-bit products
	move.w	4(%sp), %d0		| high a * low b
	mulu.w	10(%sp), %d0
	move.w	6(%sp), %d1		| low a * high b
	mulu.w	8(%sp), %d1
	add.w	%d1, %d0
	swap	%d0
	clr.w	%d0
	move.w	6(%sp), %d1
	mulu.w	10(%sp), %d1
	add.l	%d1, %d0
	rts

| d0 / d1: quotient in d0, remainder in d1. One bit a step; a small divisor takes two DIVU instead.
divide:
	cmp.l	#0x10000, %d1
	jcc	1f
	move.l	%d2, -(%sp)
	move.l	%d0, %d2
	clr.w	%d0
	swap	%d0
	divu.w	%d1, %d0		| high half: quotient below, remainder above
	swap	%d0
	move.w	%d0, -(%sp)
	swap	%d0
	move.w	%d0, -(%sp)
	move.w	2(%sp), %d0
	swap	%d0
	move.w	%d2, %d0
	divu.w	%d1, %d0
	moveq	#0, %d1
	swap	%d0
	move.w	%d0, %d1
	move.w	(%sp)+, %d0
	swap	%d0
	addq.l	#2, %sp
	move.l	(%sp)+, %d2
	rts
1:	movem.l	%d2-%d4, -(%sp)
	moveq	#0, %d2			| remainder
	moveq	#31, %d3
2:	add.l	%d0, %d0
	addx.l	%d2, %d2
	move.l	%d2, %d4
	sub.l	%d1, %d4
	jcs	3f
	move.l	%d4, %d2
	addq.l	#1, %d0
3:	dbra	%d3, 2b
	move.l	%d2, %d1
	movem.l	(%sp)+, %d2-%d4
	rts

	.globl	__udivsi3
__udivsi3:
	move.l	4(%sp), %d0
	move.l	8(%sp), %d1
	jra	divide

	.globl	__umodsi3
__umodsi3:
	move.l	4(%sp), %d0
	move.l	8(%sp), %d1
	bsr	divide
	move.l	%d1, %d0
	rts

| Signed: divide the magnitudes, then the quotient is negative where the signs differ, the remainder where the dividend is.
magnitudes:
	move.l	8(%sp), %d0
	jpl	1f
	neg.l	%d0
1:	move.l	12(%sp), %d1
	jpl	2f
	neg.l	%d1
2:	rts

	.globl	__divsi3
__divsi3:
	bsr	magnitudes
	bsr	divide
	move.b	4(%sp), %d1
	move.l	%d2, -(%sp)
	move.b	12(%sp), %d2
	eor.b	%d2, %d1
	jpl	1f
	neg.l	%d0
1:	move.l	(%sp)+, %d2
	rts

	.globl	__modsi3
__modsi3:
	bsr	magnitudes
	bsr	divide
	move.l	%d1, %d0
	tst.b	4(%sp)
	jpl	1f
	neg.l	%d0
1:	rts
