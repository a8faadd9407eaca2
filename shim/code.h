/* SPDX-License-Identifier: MIT */
/* code.h -- writing into the program's own code, while nothing runs it.
 *
 *   taf_code_open    looks whether this system lets changed code run, by a copy of
 *                    the same file; then makes the span writable
 *   taf_code_close   makes it code again; should that fail after all, the file's
 *                    own bytes take its place, unchanged
 *
 * Never writable and executable at once.  Only for a process with one thread,
 * before its main. */
#ifndef TAF_CODE_H
#define TAF_CODE_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

struct taf_code {
	uintptr_t from, to; /* whole pages */
	int fd; /* of the program's file */
	uint64_t at; /* where from lies in it */
};

/* The bytes [from, to) of the segment h of the program that lies at bias; its first
 * segment begins at head. 0, or -errno: nothing has changed. */
int taf_code_open(struct taf_code *c, const ElfW(Phdr) * h, uintptr_t bias,
		  const unsigned char *head);
/* True: what was written is in force. */
bool taf_code_close(struct taf_code *c);

#endif
