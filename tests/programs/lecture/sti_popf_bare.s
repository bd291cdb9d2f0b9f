; The guest on the bare machine: sti, cli and popf do what they say. Needs popf=true; r1 to r6 are what was read back.
; SPDX-License-Identifier: Apache-2.0
; Expected: r1=80 r2=C0 r3=80 r4=C0 r5=80 r6=C0

.org 0
        bra guest
.org 0x1000
; ---- guest: the same text in sti_popf_bare.s, sti_popf_monitor.s and sti_popf_vt.s; begins with S = 1 and I = 0 ----
guest:  li r15, 0x800
        get r1, ccr             ; I = 0
        sti
        get r2, ccr             ; I = 1
        li r7, 0x80             ; S = 1, I = 0
        sw r7, 0(r15)
        popf
        get r3, ccr             ; I = 0
        li r15, 0x800
        li r7, 0xC0             ; S = 1, I = 1
        sw r7, 0(r15)
        popf
        get r4, ccr             ; I = 1
        cli
        get r5, ccr             ; I = 0
        li r15, 0x800
        sw r7, 0(r15)
        popf
        get r6, ccr             ; I = 1
        halt
; ---- end of guest ----
