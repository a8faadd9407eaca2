/* SPDX-License-Identifier: MIT */
/* body.h -- the code of one program as its file has it: bytes and functions.
 *
 * Filled from .symtab by whoever walks it (taf_body_add), then sorted once.  Every
 * question is answered from bytes that lie in the file; a function that reaches
 * out of its segment is cut to it. */
#ifndef TAF_CLI_BODY_H
#define TAF_CLI_BODY_H

#include "elf.h"

struct taf_function {
	uint64_t at, size;
	unsigned names; /* that begin there */
	bool is_visited;
};

struct taf_body {
	const unsigned char *bytes; /* of the largest segment that is executed; libelf's */
	uint64_t at, offset; /* in memory and in the file */
	size_t n;
	struct taf_function *functions;
	size_t n_functions, room;
};

/* Where the code is. 0, or -ENOEXEC: it has none that can be read. */
int taf_body_open(struct taf_object *o, struct taf_body *b);
/* 0 or -ENOMEM. */
int taf_body_add(struct taf_body *b, const struct taf_symbol *s);
/* Its bytes, and its functions in their order. 0 or -ENOEXEC. */
int taf_body_read(struct taf_object *o, struct taf_body *b);
void taf_body_close(struct taf_body *b);

/* Whether an instruction of a known function has its opcode at this address. */
bool taf_body_is_opcode(const struct taf_body *b, uint64_t at);

/* How many functions begin at this address, by their names. */
unsigned taf_body_names(const struct taf_body *b, uint64_t at);

/* Whether it lies in the function that begins at that one. */
bool taf_body_is_part(const struct taf_body *b, uint64_t at, uint64_t function);

/* Whether the function at this address, or one that it calls, calls something that its
 * compiler could not know: another object, or by a pointer. If not, its callers in the
 * same source may rely on registers it happens to leave alone (gcc's -fipa-ra, and
 * likewise the stack's alignment), and nothing else may be called in its place. */
bool taf_body_calls_out(struct taf_body *b, uint64_t at);

#endif
