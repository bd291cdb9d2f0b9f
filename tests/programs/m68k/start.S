| The entry of a user program and its system calls: raw Linux ones through TRAP #0.
| SPDX-License-Identifier: Apache-2.0

	.section .text.start, "ax"
	.globl	_start
_start:
	sub.l	%a6, %a6		| the outermost frame
	jsr	main
	move.l	%d0, %d1
	moveq	#1, %d0			| exit(d1)
	trap	#0
	illegal

	.text
	.globl	write_bytes
write_bytes:				| int write_bytes(int fd, const void *from, unsigned count)
	move.l	%d2, -(%sp)
	move.l	%d3, -(%sp)
	move.l	12(%sp), %d1
	move.l	16(%sp), %d2
	move.l	20(%sp), %d3
	moveq	#4, %d0			| write(d1, d2, d3)
	trap	#0
	move.l	(%sp)+, %d3
	move.l	(%sp)+, %d2
	rts
