/* SPDX-License-Identifier: MIT */
/* breaker.h -- the circuit breaker: stop when panics of the GPU come too fast.
 *
 * breaker.threshold panics within breaker.window open it for breaker.cooldown.
 * Only what is known to be a panic of a GPU driver counts: no surmise, no panic
 * of unknown cause, nothing from the future, nothing from before it was closed
 * by hand.  Whoever enters events opens it (taf_breaker_update), so that it
 * stays open though the panics leave the window.
 */
#ifndef TAF_BREAKER_H
#define TAF_BREAKER_H

#include "ledger.h"
#include "rules.h"

struct taf_breaker_question {
	const struct taf_rules *rules;
	const struct taf_ledger *ledger;
	struct taf_moment now;
};

struct taf_breaker_state {
	bool is_open;
	bool is_stored; /* opened before; else what is seen now opens it */
	uint32_t count; /* of panics that opened it */
	uint64_t pass_ms; /* until it closes */
};

void taf_breaker_judge(const struct taf_breaker_question *q, struct taf_breaker_state *out);
/* Opens it in *l if it has to be. True when *l was changed. */
bool taf_breaker_update(struct taf_ledger *l, const struct taf_rules *r,
			const struct taf_moment *now);

#endif
