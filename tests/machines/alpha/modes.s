// Kernel mode sets entries, tables and a process, goes to user mode, and sees what comes back; results at physical 400000.
// SPDX-License-Identifier: Apache-2.0
        .org 0x310000
        lda $15,-1($31)
        sll $15,42,$15               // kseg
        ldah $14,0x31($15)           // this code
        ldah $13,0x50($15)           // tables at 500000, 502000, 504000; the control block at 506000
        ldah $15,0x40($15)           // results
        lda $16,0x200($14)
        lda $17,3($31)
        call_pal wrent               // instruction faults
        lda $16,0x280($14)
        lda $17,5($31)
        call_pal wrent               // system calls
        lda $16,0x300($14)
        lda $17,2($31)
        call_pal wrent               // memory management
        lda $16,0x777($31)
        call_pal wrkgp
        lda $16,0x123($31)
        call_pal wrval
        call_pal rdval
        stq $0,0($15)
        lda $16,5($31)
        call_pal swpipl
        lda $16,4($31)
        call_pal swpipl
        stq $0,8($15)
        call_pal rdps
        stq $0,16($15)
        lda $1,0x281($31)            // a table: 281 is page 502000
        sll $1,32,$1
        lda $1,0x1101($1)            // kernel read and write, valid
        stq $1,0($13)
        lda $1,0x282($31)
        sll $1,32,$1
        lda $1,0x1101($1)
        lda $2,0x2000($13)
        stq $1,0($2)
        lda $2,0x4000($13)
        lda $1,0x188($31)            // virtual 0: this page, user read
        sll $1,32,$1
        lda $1,0x301($1)
        stq $1,0($2)
        lda $1,0x200($31)            // virtual 2000: results, user read and write
        sll $1,32,$1
        lda $1,0x3301($1)
        stq $1,8($2)
        lda $1,0x200($31)            // virtual 4000: the same with fault on write
        sll $1,32,$1
        lda $1,0x3305($1)
        stq $1,16($2)
        lda $1,0x3300($31)           // virtual 6000: rights, but not valid
        stq $1,24($2)
        lda $2,0x6000($13)
        lda $1,0x7000($13)
        stq $1,0($2)                 // KSP
        lda $1,0x2f00($31)
        stq $1,8($2)                 // USP
        lda $1,0x280($31)
        stq $1,16($2)                // the first table
        stq $31,24($2)
        lda $1,0x456($31)
        stq $1,32($2)                // unique
        stq $31,40($2)               // floating point is off
        ldah $16,0x50($31)
        lda $16,0x6000($16)
        call_pal swpctx
        lda $30,-48($30)
        lda $1,8($31)
        stq $1,0($30)
        lda $1,0x400($31)
        stq $1,8($30)                // in user mode, at 400
        stq $31,16($30)
        stq $31,24($30)
        stq $31,32($30)
        stq $31,40($30)
        call_pal rti
        .org 0x310200      // instruction faults: kind, status, frame; on behind the instruction
        stq $16,0x100($15)
        call_pal rdps
        stq $0,0x108($15)
        ldq $1,0($30)
        stq $1,0x110($15)
        ldq $1,0x118($15)
        addq $1,1,$1
        stq $1,0x118($15)
        stq $29,0x120($15)
        stq $11,8($30)
        call_pal rti
        .org 0x310280      // system calls: status, frame
        call_pal rdps
        stq $0,0x140($15)
        ldq $1,0($30)
        stq $1,0x148($15)
        ldq $1,8($30)
        stq $1,0x150($15)
        ldq $1,16($30)
        stq $1,0x158($15)
        call_pal rdusp
        stq $0,0x160($15)
        beq $10,done
        call_pal retsys
done:   br $31,last
        .org 0x310300      // memory management: address, reason, access; on behind the instruction
        stq $16,0x180($12)
        stq $17,0x188($12)
        stq $18,0x190($12)
        lda $12,24($12)
        stq $11,8($30)
        call_pal rti
        .org 0x310400      // user mode, virtual 400
        lda $12,0($15)
        lda $9,0x2000($31)
        call_pal rdunique
        stq $0,0x40($9)
        stq $30,0x48($9)
        lda $11,0x41c($31)
        call_pal rdps
        lda $11,0x424($31)
        call_pal swpipl
        lda $11,0($31)
        ldq $1,0x4000($31)
        lda $11,0x434($31)
        stq $1,0x4000($31)           // fault on write
        lda $11,0x43c($31)
        stq $1,0($31)                // no right to write
        lda $11,0x444($31)
        ldq $1,0x6000($31)           // not valid
        lda $11,0x44c($31)
        ldq $1,0($15)                // kseg
        lda $29,0x99($31)
        lda $10,1($31)
        call_pal callsys
        stq $30,0x50($9)
        lda $10,0($31)
        call_pal callsys
        .org 0x310500      // an interrupt of its own making, and PALcode anew
last:   lda $16,0x600($14)
        lda $17,0($31)
        call_pal wrent               // interrupts
        call_pal wrperfmon
        call_pal whami
        bis $0,$31,$16
        call_pal wripir
        lda $16,7($31)
        call_pal swppal              // no such variant
        stq $0,0x1c0($15)
        lda $16,2($31)
        lda $17,0x680($14)
        ldah $18,0x50($31)
        lda $18,0x6000($18)
        lda $19,0($31)
        call_pal swppal
        .org 0x310600      // interrupts: kind, status, frame
        stq $16,0x1a8($15)
        call_pal rdps
        stq $0,0x1b0($15)
        ldq $1,0($30)
        stq $1,0x1b8($15)
        call_pal rti
        .org 0x310680      // begun anew
        stq $26,0x1c8($15)
        stq $30,0x1d0($15)
        call_pal rdusp
        stq $0,0x1d8($15)
        call_pal rdunique
        stq $0,0x1e0($15)
end:    lda $1,1($31)
        stq $1,0x1f8($15)
        br $31,end
