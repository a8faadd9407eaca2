/* SPDX-License-Identifier: MIT */
/* witness.h -- looks, twice, whether the guard is where it should be.
 *
 * About 1 s and 10 s after the start the maps of the guest's process tree are
 * read.  Two things are worth one line on stderr, the first that is seen:
 *
 *   an engine or GPU runtime is mapped and libtaffrail.so is not
 *   a model file is mapped, the guard is there, and no session of that process
 *   begins within another second
 *
 * One thing is worth a line beside these, once:
 *
 *   a library of MLX is mapped, the guard is there, and a function of it is
 *   spelled as no row knows it (later.h)
 *
 * A guest that uses neither is left alone and hears nothing.
 */
#ifndef TAF_WITNESS_H
#define TAF_WITNESS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "later.h"

#define TAF_WITNESS_FIRST_MS 1000

struct taf_witness {
	const int32_t *guest; /* filled when it has been started */
	char crumbs[PATH_MAX]; /* "": no crumbs are expected */
	int looks;
	int32_t suspect; /* has a model mapped and no session yet; 0: none */
	bool has_spoken;
	struct taf_later later; /* of the libraries that were read */
	unsigned reads;
	dev_t dev; /* of the last of them */
	ino_t ino;
};

/* For struct taf_guest: returns the ms until the next look, -1 for none. */
int taf_witness_look(struct taf_witness *w);

#endif
