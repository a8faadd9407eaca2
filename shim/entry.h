/* SPDX-License-Identifier: MIT */
/* entry.h -- entry points in assembly that end in a tail jump.
 *
 * dlopen, dlsym and the open family must see their true caller (RUNPATH,
 * RTLD_NEXT), and variadic functions cannot be forwarded from C.  TAF_ENTRY
 * makes the exported function NAME: it saves every register that can carry an
 * argument, calls taf_note_NAME, restores them, and jumps to the address that
 * came back.  taf_note_NAME may instead answer by itself: it sets is_done and
 * result, and the entry returns result to the caller.  taf_entry_NAME is the same place,
 * by a name that is ours wherever it is asked for.
 *
 *   taf_fn taf_note_NAME(struct taf_regs *r);
 */
#ifndef TAF_ENTRY_H
#define TAF_ENTRY_H

#include <stdint.h>

#include "table.h"

#if defined(__x86_64__)

struct taf_regs {
	uint64_t arg[6]; /* rdi rsi rdx rcx r8 r9 */
	uint64_t vectors; /* rax: number of vector registers in use by a variadic call */
	uint64_t is_done, result;
	uint64_t pad;
	uint8_t xmm[8][16];
	uint64_t frame; /* rbp */
	void *caller;
	uint64_t stack[]; /* further arguments */
};

/* clang-format off */
#define TAF_ENTRY(name) \
	__asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ",@function\n" #name ":\n" \
		".globl taf_entry_" #name "\n.hidden taf_entry_" #name "\ntaf_entry_" #name ":\n" \
		".cfi_startproc\n endbr64\n" \
		" push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset 6,-16\n" \
		" mov %rsp,%rbp\n.cfi_def_cfa_register 6\n" \
		" sub $208,%rsp\n" \
		" mov %rdi,0(%rsp)\n mov %rsi,8(%rsp)\n mov %rdx,16(%rsp)\n mov %rcx,24(%rsp)\n" \
		" mov %r8,32(%rsp)\n mov %r9,40(%rsp)\n mov %rax,48(%rsp)\n movq $0,56(%rsp)\n" \
		" movups %xmm0,80(%rsp)\n movups %xmm1,96(%rsp)\n movups %xmm2,112(%rsp)\n" \
		" movups %xmm3,128(%rsp)\n movups %xmm4,144(%rsp)\n movups %xmm5,160(%rsp)\n" \
		" movups %xmm6,176(%rsp)\n movups %xmm7,192(%rsp)\n" \
		" mov %rsp,%rdi\n call taf_note_" #name "\n mov %rax,%r11\n" \
		" movups 80(%rsp),%xmm0\n movups 96(%rsp),%xmm1\n movups 112(%rsp),%xmm2\n" \
		" movups 128(%rsp),%xmm3\n movups 144(%rsp),%xmm4\n movups 160(%rsp),%xmm5\n" \
		" movups 176(%rsp),%xmm6\n movups 192(%rsp),%xmm7\n" \
		" mov 0(%rsp),%rdi\n mov 8(%rsp),%rsi\n mov 16(%rsp),%rdx\n mov 24(%rsp),%rcx\n" \
		" mov 32(%rsp),%r8\n mov 40(%rsp),%r9\n mov 48(%rsp),%rax\n" \
		" cmpq $0,56(%rsp)\n jne 1f\n" \
		" mov %rbp,%rsp\n pop %rbp\n.cfi_remember_state\n.cfi_def_cfa 7,8\n jmp *%r11\n" \
		"1:\n.cfi_restore_state\n mov 64(%rsp),%rax\n mov %rbp,%rsp\n pop %rbp\n" \
		".cfi_def_cfa 7,8\n ret\n.cfi_endproc\n.size " #name ",.-" #name "\n");
/* clang-format on */

#elif defined(__aarch64__)

struct taf_regs {
	uint64_t arg[8]; /* x0..x7 */
	uint64_t vectors; /* x8: address for a returned struct */
	uint64_t is_done, result;
	uint64_t pad;
	uint8_t xmm[8][16]; /* q0..q7 */
	uint64_t frame; /* x29 */
	void *caller; /* x30 */
	uint64_t stack[];
};

/* clang-format off */
#define TAF_ENTRY(name) \
	__asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ",%function\n" #name ":\n" \
		".globl taf_entry_" #name "\n.hidden taf_entry_" #name "\ntaf_entry_" #name ":\n" \
		".cfi_startproc\n hint #34\n" \
		" stp x29,x30,[sp,#-16]!\n.cfi_def_cfa_offset 16\n.cfi_offset 29,-16\n" \
		".cfi_offset 30,-8\n mov x29,sp\n.cfi_def_cfa_register 29\n sub sp,sp,#224\n" \
		" stp x0,x1,[sp,#0]\n stp x2,x3,[sp,#16]\n" \
		" stp x4,x5,[sp,#32]\n stp x6,x7,[sp,#48]\n" \
		" stp x8,xzr,[sp,#64]\n" \
		" stp q0,q1,[sp,#96]\n stp q2,q3,[sp,#128]\n" \
		" stp q4,q5,[sp,#160]\n stp q6,q7,[sp,#192]\n" \
		" mov x0,sp\n bl taf_note_" #name "\n mov x16,x0\n" \
		" ldp q0,q1,[sp,#96]\n ldp q2,q3,[sp,#128]\n" \
		" ldp q4,q5,[sp,#160]\n ldp q6,q7,[sp,#192]\n" \
		" ldp x8,x9,[sp,#64]\n ldr x10,[sp,#80]\n" \
		" ldp x0,x1,[sp,#0]\n ldp x2,x3,[sp,#16]\n" \
		" ldp x4,x5,[sp,#32]\n ldp x6,x7,[sp,#48]\n" \
		" mov sp,x29\n ldp x29,x30,[sp],#16\n.cfi_def_cfa 31,0\n.cfi_restore 29\n" \
		".cfi_restore 30\n cbnz x9,1f\n br x16\n1: mov x0,x10\n ret\n.cfi_endproc\n" \
		".size " #name ",.-" #name "\n");
/* clang-format on */

#else
#error "taffrail has entry points for x86-64 and aarch64"
#endif

/* Where the entry jumps to. Where there is nothing, the caller gets result:
 * what a function that cannot do its work would have answered. */
static inline taf_fn taf_regs_onward(struct taf_regs *r, taf_fn next, uint64_t result)
{
	if (!next) {
		r->is_done = 1;
		r->result = result;
	}
	return next;
}

/* The n-th integer argument of a variadic call, counted from 0. */
static inline uint64_t taf_regs_arg(const struct taf_regs *r, unsigned n)
{
	unsigned in_registers = (unsigned)(sizeof(r->arg) / sizeof(*r->arg));

	return n < in_registers ? r->arg[n] : r->stack[n - in_registers];
}

#endif
