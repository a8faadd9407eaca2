/* SPDX-License-Identifier: MIT */
/* stubs.h -- jumps to our doors that lie near the program's code.
 *
 * A call names its target by a distance that does not reach from a program to a
 * library.  So one mapping is put beside the program, filled while it is
 * writable, then made executable for good.  A jump changes no register but what
 * the linker's own tables may change (x16, x17), so arguments, return address
 * and exceptions are the caller's and the door's alone. */
#ifndef TAF_STUBS_H
#define TAF_STUBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table.h"

#define TAF_STUB_BYTES 16u

struct taf_stubs {
	unsigned char *at; /* NULL: none */
	size_t bytes;
	unsigned n, room;
};

/* What the stubs must lie beside. */
struct taf_span {
	uintptr_t from, to;
};

/* Room for so many, within reach of all of the image. False: there is none. */
bool taf_stubs_map(struct taf_stubs *s, const struct taf_span *image, unsigned room);
/* One more; its address, 0 when there is no room. */
uintptr_t taf_stubs_add(struct taf_stubs *s, taf_fn door);
/* Writable no more. 0 or -errno: this system lets nothing become code. */
int taf_stubs_seal(struct taf_stubs *s);
void taf_stubs_unmap(struct taf_stubs *s);

#endif
