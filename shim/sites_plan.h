/* SPDX-License-Identifier: MIT */
/* sites_plan.h -- TAFFRAIL_SITES held against the program in memory.
 *
 * Reads only.  taf_plan_look finds the program's code and whether the text is about
 * this build; taf_plan_check which rows hold: every site of a row lies in the code
 * and is a call of that very function.  A row that does not hold is left alone, and
 * with it all of its engine where it ends something (an unload, a free): what was
 * made before would be followed, and drained, after it is gone. */
#ifndef TAF_SITES_PLAN_H
#define TAF_SITES_PLAN_H

#include "elfmap.h"
#include "sites_text.h"
#include "stubs.h"
#include "table.h"

struct taf_plan {
	struct taf_program of;
	struct taf_span image; /* from its first segment to its last */
	const ElfW(Phdr) * code; /* its executable segment */
	uint64_t good[(TAF_SITES_ROWS_MAX + 63) / 64]; /* rows of the text that hold, a bit each */
	uint32_t spoiled; /* engines of which nothing is touched, a bit each */
	unsigned rows, sites; /* to be led to us */
	uintptr_t first, last; /* the lowest site and the highest */
	struct taf_sites_row left; /* the first row that does not hold */
	const char *why_left; /* NULL: all do */
};

/* True: the text is about this program. False: it is not, or why is set to the reason
 * for which nothing can be done. */
bool taf_plan_look(struct taf_plan *p, const struct taf_sites_text *t, const char **why);
/* False: the text is not to be trusted, and *why says why. */
bool taf_plan_check(struct taf_plan *p, const struct taf_sites_text *t, const char **why);

/* Whether the i-th row of the text holds. */
bool taf_plan_is_good(const struct taf_plan *p, unsigned i);
/* The row of an engine's table that r names, or NULL. */
const struct taf_table *taf_plan_row(const struct taf_sites_row *r, int *row);

#endif
