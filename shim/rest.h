/* SPDX-License-Identifier: MIT */
/* rest.h -- a thread that computes rests in a wait that has nothing to do with its engine.
 *
 * What a thread has submitted to some engines only that thread may wait for (owner.h), and one
 * that waits for its next request calls none of them.  So in the midst of a wait of the C library
 * it looks up, on the stack of that wait:
 *
 *   the wait is over within FIRST_MS   never: its thread may have a lock that the engine needs
 *   its generation is not over yet     every LOOK_MS; after drain.idle_ms it ends there, with
 *                                      the drains that the policy wants behind it
 *   then a token is in flight          drained at once, as drain.at_exit wants: mlx_lm begins
 *                                      one ahead, and who leaves later could not wait for it
 *   another thread leaves meanwhile    drains its own, and the leaver waits for that
 *   nothing is left                    waits as the program asked for, for as long as that takes
 *
 *     if (taf_rest_is_due())
 *             for (ns = taf_rest_begin(); ns; ns = taf_rest_look())
 *                     wait at most ns, and give back what came of it
 *     wait as the program asked for
 *
 * The program's own time limits, results and errno are as they would be.
 */
#ifndef TAF_REST_H
#define TAF_REST_H

#include "owner.h"

/* Whether this thread has anything to look up for. */
TAF_INLINE bool taf_rest_is_due(void)
{
	const struct taf_work *w = taf_tls.own;

	return __builtin_expect(w != NULL, 0) && !taf_tls.inside && !taf_tls.open &&
	       (w->is_inferring || w->owes_sync || (w->since_sync && w->rested != w->of));
}

/* In so many ns it is to look; 0: not at all. */
uint64_t taf_rest_begin(void);
/* Looks. So many ns later it is to look again; 0: nothing is left, or can be done. */
uint64_t taf_rest_look(void);

#endif
