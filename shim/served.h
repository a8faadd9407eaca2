/* SPDX-License-Identifier: MIT */
/* served.h -- the requests that a generation serves, where the order of evaluations tells of them
 * (policy/rounds.h): a record each.
 *
 * The first begins with the generation; others come in beside it, and whichever is done is ended
 * while the rest go on.  As nothing tells which one that is, it is the one that has generated
 * longest: the number of requests that are open is right at any time, and so are the sums; which
 * tokens were whose is not known where several were at work at once, and the end says so by
 * "sequences" above 1.  Prompts come behind all that generate.
 *
 * All under the claim of the work.
 */
#ifndef TAF_SERVED_H
#define TAF_SERVED_H

#include "../policy/rounds.h"
#include "work.h"

#define TAF_SERVED_MAX 64u /* records at once: mlx_lm.server takes 32 and 8 prompts */

struct taf_served {
	uint64_t of, begin_ns;
	/* Rounds before the last token of each of its requests that is done, less those before the
	 * first of each: with none that generates its tokens. */
	uint64_t tokens;
	uint32_t most; /* sequences in one round with it */
	uint32_t requests; /* 1, or more where there was no room */
	uint32_t prompts, generating; /* of them, not done yet */
	bool is_first; /* it began the generation */
};

/* The generation has begun, with the record w->of. */
void taf_served_start(struct taf_work *w);
/* Whether all that are open are done or gone. */
bool taf_served_is_over(const struct taf_work *w, const struct taf_rounds_change *what);
/* Ends what is done or gone, all but one: that is for taf_served_end. */
void taf_served_leave(struct taf_work *w, const struct taf_rounds_change *what);
/* Begins what comes, by c, and notes what begins to generate. */
void taf_served_come(struct taf_work *w, const struct taf_call *c,
		     const struct taf_rounds_change *what);
/* The generation is over: ends all but the last one, which goes into s, and what is left for it
 * of the tokens and submits of e. */
void taf_served_end(struct taf_work *w, struct taf_served *s, struct taf_ending *e);

#endif
