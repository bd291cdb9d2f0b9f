// A kernel whose handlers spill and fill windows, and a program that calls itself 20 deep, 200 times. With 4 for 20 it does so within the windows.
// SPDX-License-Identifier: Apache-2.0
        .org 0x20
        ba start
        sethi 0,%r0
        .org 0x1000
start:  wrpr %r0,21,%pstate
        wrpr %r0,0,%tl
        sethi 32,%r1
        wrpr %r1,0,%tba
        wrpr %r0,0,%cwp
        wrpr %r0,6,%cansave
        wrpr %r0,0,%canrestore
        wrpr %r0,0,%otherwin
        wrpr %r0,7,%cleanwin
        wrpr %r0,0,%wstate
        wrpr %r0,1,%tl
        wrpr %r0,0,%tstate
        sethi 16,%r1
        wrpr %r1,0,%tnpc
        done
        .org 0x4000
        sethi 192,%r14
        or %r0,200,%r16
loop:   or %r0,20,%r8
        call f
        sethi 0,%r0
        subcc %r16,1,%r16
        bne loop
        sethi 0,%r0
        sethi 3932160,%r1
        st %r0,[768+%r1]
f:      save %r14,-128,%r14
        subcc %r24,0,%r0
        be leaf
        sub %r24,1,%r8
        call f
        sethi 0,%r0
leaf:   return 8+%r31
        sethi 0,%r0
        .org 0x9000
        stx %r16,[0+%r14]
        stx %r17,[8+%r14]
        stx %r18,[16+%r14]
        stx %r19,[24+%r14]
        stx %r20,[32+%r14]
        stx %r21,[40+%r14]
        stx %r22,[48+%r14]
        stx %r23,[56+%r14]
        stx %r24,[64+%r14]
        stx %r25,[72+%r14]
        stx %r26,[80+%r14]
        stx %r27,[88+%r14]
        stx %r28,[96+%r14]
        stx %r29,[104+%r14]
        stx %r30,[112+%r14]
        stx %r31,[120+%r14]
        saved
        retry
        .org 0x9800
        ldx [0+%r14],%r16
        ldx [8+%r14],%r17
        ldx [16+%r14],%r18
        ldx [24+%r14],%r19
        ldx [32+%r14],%r20
        ldx [40+%r14],%r21
        ldx [48+%r14],%r22
        ldx [56+%r14],%r23
        ldx [64+%r14],%r24
        ldx [72+%r14],%r25
        ldx [80+%r14],%r26
        ldx [88+%r14],%r27
        ldx [96+%r14],%r28
        ldx [104+%r14],%r29
        ldx [112+%r14],%r30
        ldx [120+%r14],%r31
        restored
        retry
