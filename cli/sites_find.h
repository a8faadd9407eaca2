/* SPDX-License-Identifier: MIT */
/* sites_find.h -- the bytes of a program, searched for whatever names some functions.
 *
 * taf_targets is the set that is searched for, made for many questions and few
 * hits.  taf_find_branches reports each place whose bytes are a call of a target,
 * instruction or not; taf_find_pointers each place that has, or will have at run
 * time, the address of one: relocations, tables, and code that makes it. */
#ifndef TAF_CLI_SITES_FIND_H
#define TAF_CLI_SITES_FIND_H

#include "body.h"

struct taf_target {
	uint64_t address;
	size_t index; /* the caller's own */
};

struct taf_targets {
	struct taf_target *all; /* by address */
	size_t n;
	uint64_t bloom[256];
};

int taf_targets_make(struct taf_targets *t, size_t room);
void taf_targets_add(struct taf_targets *t, uint64_t address, size_t index);
void taf_targets_sort(struct taf_targets *t);
void taf_targets_close(struct taf_targets *t);

/* fn gets the index of the target and the place; false ends the search with -ENOMEM. */
typedef bool taf_found_fn(void *ctx, size_t index, uint64_t at);

int taf_find_branches(const struct taf_body *b, const struct taf_targets *t, taf_found_fn *fn,
		      void *ctx);
int taf_find_pointers(struct taf_object *o, const struct taf_body *b, const struct taf_targets *t,
		      taf_found_fn *fn, void *ctx);

#endif
