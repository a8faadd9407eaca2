/* SPDX-License-Identifier: MIT */
/* insn.h -- how long an instruction is, and whether it calls something.
 *
 * A call site is found by its bytes, and bytes that look like a call may lie
 * inside another instruction.  So the function is read from its begin, one
 * instruction after the other, and only what begins where one begins counts.
 * Of x86-64 that takes the length of every instruction (insn.c: prefixes, the
 * opcode maps, VEX, EVEX, XOP; the tables follow the manuals of Intel and AMD); on
 * aarch64 each has four bytes. */
#ifndef TAF_CLI_INSN_H
#define TAF_CLI_INSN_H

#include <stddef.h>
#include <stdint.h>

enum taf_insn_sort {
	TAF_INSN_OTHER,
	TAF_INSN_BRANCH, /* names its target by distance (shim/site.h) */
	TAF_INSN_INDIRECT, /* calls what a register or memory says */
};

struct taf_insn {
	enum taf_insn_sort sort;
	unsigned opcode; /* bytes before the opcode: prefixes */
	uint64_t target; /* of a branch */
};

/* Reads the one instruction at p, which runs at address at. Its length, or 0: it is
 * cut off or none that is known. */
unsigned taf_insn_read(const unsigned char *p, size_t n, uint64_t at, struct taf_insn *insn);

#endif
