/* SPDX-License-Identifier: MIT */
/* preload.h -- where the objects are that go in front of the guest.
 *
 * libtaffrail.so is looked for beside the command, then in ../lib/taffrail from
 * there, then in TAFFRAIL_LIBDIR.  Its path is absolute, because the guest may
 * change its folder, and is one that the loader can read and map.
 */
#ifndef TAF_PRELOAD_H
#define TAF_PRELOAD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct taf_preload {
	char guard[PATH_MAX];
	char alloc[PATH_MAX]; /* libtaffrail-alloc.so of the same folder; "": not there */
};

/* False: why says what is wrong, as a sentence without a full stop. */
bool taf_preload_find(struct taf_preload *p, char *why, size_t room);

#endif
