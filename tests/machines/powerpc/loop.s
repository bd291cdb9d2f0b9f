// A kernel that maps its memory by a BAT, runs a loop with a load and a store as a user, and ends at its system call.
// SPDX-License-Identifier: Apache-2.0
        .org 0xc00
        addis %r8,%r0,-32768         // the exit device
        stw %r3,0x300(%r8)
        .org 0x100
        addi %r1,%r0,0
        mtmsr %r1                    // vectors at 0
        addi %r1,%r0,0x1f            // 1 MiB at 0, for both modes
        mtspr 528,%r1
        mtspr 536,%r1
        addi %r1,%r0,2
        mtspr 529,%r1
        mtspr 537,%r1
        addi %r1,%r0,0x2000
        mtspr 26,%r1
        addi %r1,%r0,0x4030
        mtspr 27,%r1
        rfi
        .org 0x2000
        addi %r2,%r0,2000
        mtspr 9,%r2
        addi %r8,%r0,0x3000
loop:   lwz %r4,0(%r8)
        add %r3,%r3,%r4
        addi %r3,%r3,1
        stw %r3,0(%r8)
        bc 16,0,loop
        sc
