// Machine mode without traps: runs main and ends the run, on the model, on QEMU's virt and on Spike.
// SPDX-License-Identifier: Apache-2.0
    .section .text.start, "ax"
    .globl _start
_start:
    la t0, stay
    csrw mtvec, t0
    la sp, stack_end
    csrwi minstret, 0
    call main
    bnez a0, fail
    li t0, 1                // HTIF: exit code 0
    li t1, 0x5555           // test finisher
    j finish
fail:
    li t0, 3
    li t1, 0x13333
finish:
    la t2, tohost
    sd t0, (t2)
    li t2, 0x100000
    sw t1, (t2)
    .align 2
stay:
    j stay

    .section .data
    .align 6
    .globl tohost, fromhost
tohost:
    .dword 0
    .align 6
fromhost:
    .dword 0

    .section .bss
    .align 4
    .skip 16384
stack_end:
