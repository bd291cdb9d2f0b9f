// The entry of a user program and its system calls: raw Linux ones.
// SPDX-License-Identifier: Apache-2.0

	.section .text.start, "ax"
	.globl	_start
_start:
	li	s0, 0			// the outermost frame
	call	main
	li	a7, 93			// exit(a0)
	ecall

	.text
	.globl	write_bytes
write_bytes:				// int write_bytes(int fd, const void *from, unsigned count)
	li	a7, 64
	ecall
	ret
