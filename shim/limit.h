/* SPDX-License-Identifier: MIT */
/* limit.h -- limits that a program sets in its engine, and what the policy grants.
 *
 * The engine answers each setting with the one before.  With a policy between, the
 * program gets the answer that the engine would have given to it alone: what it
 * asked for last, or the engine's own value where it has asked for nothing yet.
 * So `old = set(n); ...; set(old)` holds whatever was granted.
 *
 *   limits.wired, limits.cache, limits.memory
 *
 *     as_asked   passed on, unless the policy has changed something before
 *     a size     the smaller of the two is passed on; 0 is one
 *     swallow    nothing is (wired alone; engines begin with none)
 *
 * A cache or memory limit holds from the first use on, asked for or not.
 */
#ifndef TAF_LIMIT_H
#define TAF_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "../policy/text.h"

enum taf_limit { TAF_LIMIT_WIRED, TAF_LIMIT_CACHE, TAF_LIMIT_MEMORY, TAF_LIMIT_COUNT };

/* What is to be passed on of asked; false: nothing is. why gets "asked 32.0 GiB, granted
 * 16.0 GiB: limits.wired" where they differ. */
bool taf_limit_grant(enum taf_limit which, uint64_t asked, uint64_t *granted, struct taf_text *why);
struct taf_limit_set {
	uint64_t asked, granted;
	bool is_told; /* granted was passed on */
	bool is_kept; /* the engine would have kept what it was told */
};

/* What the program is answered, after the engine (if it was told) has answered before. */
uint64_t taf_limit_answer(enum taf_limit which, const struct taf_limit_set *set, uint64_t before);
/* What the program reads where the engine says given. */
uint64_t taf_limit_seen(enum taf_limit which, uint64_t given);
/* What it asked for last. */
uint64_t taf_limit_asked(enum taf_limit which);
/* What the policy wants to be set before the program asks, observed or not. False: nothing, or
 * it is. */
bool taf_limit_due(enum taf_limit which, uint64_t *granted);
/* That is done; before came back. */
void taf_limit_own(enum taf_limit which, uint64_t before, uint64_t granted);
/* What was passed on last; 0: nothing. */
uint64_t taf_limit_in_force(enum taf_limit which);
void taf_limit_forget(void); /* a fork child has set nothing */

#endif
