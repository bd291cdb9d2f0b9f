// A guest whose kernel is linked for kseg0: a loop with a load and a store. With 0x4000 for 0x8000 it is in kuseg, with 0xc000 in ksseg.
// SPDX-License-Identifier: Apache-2.0
        .org 0x1fc00000
        mtc0 $0,$12,0
        lui $8,0x8000                // the segment; an entry of the TLB maps its first 8 KiB to physical 0
        mtc0 $8,$10,0
        ori $9,$0,0x7
        mtc0 $9,$2,0
        ori $9,$0,0x47
        mtc0 $9,$3,0
        mtc0 $0,$0,0
        tlbwi
        ori $9,$8,0x1000
        jr $9,0
        sll $0,$0,0
        .org 0x1000
        ori $2,$0,2000
loop:   lw $4,0x800($8)
        addu $3,$3,$2
        sw $3,0x800($8)
        addiu $2,$2,-1
        bne $2,$0,loop
        xor $6,$6,$3
        lui $8,0xbfd0
        sw $0,0x300($8)              // the exit device
