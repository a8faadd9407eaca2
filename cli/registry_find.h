/* SPDX-License-Identifier: MIT */
/* registry_find.h -- the registry in force: the one that models.registry names, else
 * the one that comes along.
 *
 * As with policies, what was read is kept compiled as STATE/registry/<sha256>.bin,
 * which is taken as long as the text is the same, so that the guard in the
 * program needs no JSON reader.
 */
#ifndef TAF_REGISTRY_FIND_H
#define TAF_REGISTRY_FIND_H

#include "../policy/registry.h"
#include "config.h"

struct taf_registry_ask {
	const char *path; /* models.registry; "": the one that comes along */
	const char *state; /* state directory; NULL: keep nothing compiled */
	bool always_reads; /* the text, even when it is there compiled */
	taf_tell_fn *tell; /* one line a mistake; NULL: say nothing */
	void *ctx;
	int *n_bad; /* one more for each mistake */
};

/* Never NULL: after mistakes the one that comes along. */
const struct taf_registry *taf_registry_open(const struct taf_registry_ask *ask);
/* Gives back what taf_registry_open gave. */
void taf_registry_close(const struct taf_registry *r);

#endif
