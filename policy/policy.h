/* SPDX-License-Identifier: MIT */
/* policy.h -- runs all rules and joins their verdicts.
 *
 * Each rule may only make the verdict stricter: actions and waits take the
 * maximum, drain flags are or-ed, a tie is named by the lowest row of
 * rules.def.  So the order of the rules cannot matter.
 */
#ifndef TAF_POLICY_H
#define TAF_POLICY_H

#include "event.h"
#include "rules.h"

struct taf_question {
	const struct taf_rules *rules;
	const struct taf_event *event;
	const struct taf_facts *facts;
};

typedef void taf_rule_fn(const struct taf_question *q, struct taf_verdict *v);

void taf_decide(const struct taf_question *q, struct taf_verdict *v);
/* Whether any rule asks for a drain at such an event; the others need not be decided for one. */
bool taf_kind_may_drain(enum taf_kind kind);
/* The verdict that asks for nothing. */
void taf_verdict_init(struct taf_verdict *v);
/* Makes v ask for drain as well, in the name of rule. */
void taf_verdict_drain(struct taf_verdict *v, unsigned drain, int rule);
/* Makes v at least as strict as a; waits take the maximum. */
void taf_verdict_say(struct taf_verdict *v, const struct taf_answer *a);
/* The answer that named the verdict, or NULL. */
const struct taf_answer *taf_verdict_why(const struct taf_verdict *v);
/* Of those that are as strict as the verdict, the one that passes last; NULL: none. */
const struct taf_answer *taf_verdict_binding(const struct taf_verdict *v);
/* What a setting on_* asks for, from its word: TAF_ON_WARN... */
enum taf_action taf_action_of(uint32_t on);
/* Sets the wait of a, which passes in a->pass_ms (TAF_PASS_UNKNOWN: nobody knows
 * when). A WAIT that has used up max_ms becomes after. */
void taf_answer_wait(struct taf_answer *a, uint64_t waited_ms, uint64_t max_ms,
		     enum taf_action after);
/* "12.0s of 3m 00s, mlx/other, passes in 2m 48s": what was compared, for people. */
void taf_answer_text(const struct taf_answer *a, struct taf_text *out);

/* Whether the GPU lock is asked for at ev. */
bool taf_lock_concerns(const struct taf_rules *r, const struct taf_event *ev);

/* Each rule, in the file of that name. */
#define TAF_RULE_FNS(R) \
	R(taf_boundary) /* when to synchronize and clear */ \
	R(taf_cadence) /* time between loads */ \
	R(taf_settle) /* pauses */ \
	R(taf_lock) /* whether another run has the GPU */ \
	R(taf_breaker) /* whether panics came too fast */ \
	R(taf_cooldown) /* whether something went wrong lately */ \
	R(taf_recycle) /* when the process has had its time */ \
	R(taf_failed) /* what may follow a failed computation */ \
	R(taf_fit) /* whether a model fits in memory */ \
	R(taf_headroom) /* how memory is used and grows */ \
	R(taf_known) /* models and versions known to make trouble */

#define R(fn) taf_rule_fn fn;
TAF_RULE_FNS(R)
#undef R

/* All rules, for tests that call them in every order. */
extern taf_rule_fn *const taf_rule_list[];
extern const int taf_rule_list_count;

#endif
