/* SPDX-License-Identifier: MIT */
/* child.h -- asks a program of the system something, within a time and a size.
 *
 * The program is named by its path and gets no shell, no input, an environment
 * of its own and default signals.  Its descriptors are closed to it but for the
 * three.  What it says beyond the room ends it.
 */
#ifndef TAF_CHILD_H
#define TAF_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taf_child_said {
	char *out, *err; /* closed by a NUL; to be freed */
	size_t n_out, n_err;
	bool is_cut; /* out was longer than room */
	int status; /* of waitpid; -1: it was killed, since it took too long or said too much */
};

/* Runs argv[0] and waits for it, at most limit_ms. 0, or -errno when it could not be started. */
int taf_child_ask(char *const argv[], size_t room, uint32_t limit_ms, struct taf_child_said *said);
void taf_child_free(struct taf_child_said *said);

#endif
