| Where the monitor of vmm.c is entered and left: the guest's registers go to `vm` and come back.
| SPDX-License-Identifier: Apache-2.0
|
| The only privileged instructions are here: MOVEC once, MOVE USP twice and RTE for each trap. They are all that a monitor below has to emulate.

	.section .reset, "awx"
	.long	stack, start
	.globl	start
start:
	lea	stack, %sp
	lea	vectors, %a0
	lea	entered, %a1
	move.w	#255, %d0		| the frame tells which vector it was
1:	move.l	%a1, (%a0)+
	dbra	%d0, 1b
	lea	vectors, %a0
	movec	%a0, %vbr
	jsr	reset
	jra	leave

	.text
entered:
	btst	#5, (%sp)		| S: an interrupt of the monitor, as a trap masks none. It is masked now, and comes again
	jne	own			| when the guest goes on
	movem.l	%d0-%d7/%a0-%a6, vm
	move.l	%usp, %a0		| the guest's A7, whatever mode it is in
	move.l	%a0, vm + 60
	move.l	%sp, -(%sp)
	jsr	trapped
leave:	lea	stack, %sp
	clr.w	-(%sp)			| format 0
	move.l	real_pc, -(%sp)
	move.w	real_sr, -(%sp)
	move.l	vm + 60, %a0
	move.l	%a0, %usp
	movem.l	vm, %d0-%d7/%a0-%a6
	rte

own:	ori.w	#0x0700, (%sp)
	rte

	.globl	idle
idle:	jra	idle			| where a guest waits that has stopped

	.bss
	.align	2
vectors: .space	1024
	.space	2048
stack:
