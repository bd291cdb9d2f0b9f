// Page tables, a return to user mode, a privileged instruction there, system calls, probes, and M of an entry; results in r0 to r5 and r9 to r11.
// SPDX-License-Identifier: Apache-2.0
        .org 0x200
        mtpr i^#0x3000,#scbb
        movl i^#0x4000,sp
        mtpr i^#0x4800,#ksp
        mtpr i^#0x5000,#usp
        movl i^#0x420,@#0x3010       // reserved or privileged instruction
        movl i^#0x400,@#0x3040       // CHMK
        movl i^#0x440,@#0x3044       // CHME
        mtpr i^#0x5800,#esp
        mtpr i^#0x6000,#sbr          // 16 pages at 80000000 are at 8000: page 40 and on
        mtpr s^#16,#slr
        movl i^#0x6000,r8
        movl i^#0xa0000040,r7        // valid, every mode may write
        movl s^#16,r6
system: movl r7,(r8)+
        addl2 s^#1,r7
        sobgtr r6,system
        mtpr i^#0x80000000,#p0br     // 63 pages of P0 are where they are
        mtpr s^#63,#p0lr
        movl i^#0x8000,r8
        movl i^#0xa0000000,r7
        movl s^#63,r6
process: movl r7,(r8)+
        addl2 s^#1,r7
        sobgtr r6,process
        movl i^#0x90000030,@#0x80c0  // page 30: the kernel alone may write
        movl s^#1,r1
        mtpr r1,#mapen
        movl i^#0x03c00008,-(sp)
        movl i^#0x300,-(sp)
        rei
        .org 0x300
        movpsl r0
        mtpr s^#0,#ipl
        movl i^#0x6000,r12
        movl s^#4,r13
        prober s^#0,r13,(r12)
        movpsl r4
        movl s^#7,@#0x5400
        chme s^#9
        chmk s^#5
        chmk s^#6
        .org 0x400
        movl (sp)+,r2
        movpsl r3
        cmpl r2,s^#6
        beql done
        rei
done:   movl @#0x800000a8,r11        // the entry of page 2a, where user mode has stored
        halt
        .org 0x420
        movl sp,r10
        addl2 s^#3,(r10)
        addl2 s^#1,r9
        rei
        .org 0x440
        movl (sp)+,r5
        movpsl r1
        rei
