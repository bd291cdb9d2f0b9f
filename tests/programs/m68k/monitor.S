| A monitor for the 68000 with the policy m68k-vt: runs exceptions.S, linked by guest.ld, in the virtual state.
| SPDX-License-Identifier: Apache-2.0
|
| The guest checks that its exceptions are those of the bare machine. Exit code: the guest's, or 254 after an exit that is not foreseen.
| The number of exits is at 0x400.

	.equ	finish,	0xF00300
	.equ	guest,	0x200000	| the guest's address 0
	.equ	size,	0x080000
	.equ	own_stack,	0x010000

	| Numbers of VMGET's and VMPUT's registers.
	.equ	vm_base,	0
	.equ	vm_limit,	1
	.equ	vm_vector,	2
	.equ	vm_pc,	3
	.equ	vm_sr,	4
	.equ	vm_ssp,	5
	.equ	vm_reason,	6
	.equ	vm_address,	7
	.macro	vmenter
	.short	0xFE00
	.endm
	.macro	vmget	register, n
	.short	0xFE01, \n << 12 + \register
	.endm
	.macro	vmput	n, register
	.short	0xFE02, \n << 12 + \register
	.endm

	.section .vectors, "awx"
	.long	own_stack, reset
	.rept	254
	.long	broken
	.endr
	.globl	exits
exits:	.long	0

	.text
	.globl	reset
reset:
	move.l	#guest, %d0
	vmput	0, vm_base
	move.l	#size, %d0
	vmput	0, vm_limit
	move.l	#left, %d0
	vmput	0, vm_vector
	move.l	guest, %d0		| as a reset would
	vmput	0, vm_ssp
	move.l	guest + 4, %d0
	vmput	0, vm_pc
	move.l	#0x2700, %d0
	vmput	0, vm_sr
	vmenter

left:
	movem.l	%d0-%d7/%a0-%a6, saved
	addq.l	#1, exits
	vmget	vm_pc, 0
	move.l	%d0, %a0
	add.l	#guest, %a0		| the instruction
	vmget	vm_sr, 1
	vmget	vm_reason, 2
	cmp.w	#0xFFFE, %d2
	jeq	fault
	move.w	(%a0), %d3
	cmp.w	#0x46FC, %d3
	jeq	move_to_sr
	cmp.w	#0x027C, %d3
	jeq	andi_to_sr
	cmp.w	#0x4E68, %d3
	jeq	move_from_usp
	cmp.w	#0x4E60, %d3
	jeq	move_to_usp
	cmp.w	#0x4E70, %d3
	jeq	next			| RESET: the guest has no devices
	cmp.w	#0x4E73, %d3
	jeq	return
broken:
	move.l	#254, finish
	stop	#0x2700

move_to_sr:
	move.w	2(%a0), %d1
	addq.l	#2, %d0
	jra	next
andi_to_sr:
	and.w	2(%a0), %d1
	addq.l	#2, %d0
	jra	next
move_from_usp:
	move.l	%usp, %a1
	move.l	%a1, saved + 32		| A0
	jra	next
move_to_usp:
	move.l	saved + 32, %a1
	move.l	%a1, %usp
	jra	next
return:
	vmget	vm_ssp, 4
	move.l	%d4, %a1
	add.l	#guest, %a1
	move.w	(%a1)+, %d1
	move.l	(%a1)+, %d0
	addq.l	#6, %d4
	vmput	4, vm_ssp
	jra	resume
next:	addq.l	#2, %d0
resume:	vmput	0, vm_pc
	vmput	1, vm_sr
	movem.l	saved, %d0-%d7/%a0-%a6
	vmenter

| The guest reaches for a device: MOVE.L #n,address or MOVE.L D7,address. The end is passed on, the timer is not there.
fault:
	vmget	vm_address, 2
	move.l	saved + 28, %d3		| D7
	cmp.w	#0x23C7, (%a0)
	jeq	1f
	cmp.w	#0x23FC, (%a0)
	jne	broken
	move.l	2(%a0), %d3
	addq.l	#4, %d0
1:	addq.l	#4, %d0
	cmp.l	#0xF00108, %d2
	jeq	next
	cmp.l	#finish, %d2
	jne	broken
	move.l	%d3, finish
	stop	#0x2700

	.data
saved:	.space	60
