/* SPDX-License-Identifier: MIT */
#include "breaker.h"

#include "classify.h"
#include "policy.h"

#define AHEAD_MS (5u * TAF_MINUTE_MS) /* a stamp further ahead is no stamp */

/* Panics whose cause nobody knows say nothing about the GPU. */
static bool is_of_gpu(const char *class)
{
	static const char others[][16] = { "", "unknown", "kernel_panic", "dirty_boot" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (taf_same(class, others[i]))
			return false;
	return true;
}

static bool is_ahead(const struct taf_ledger_event *e, const struct taf_moment *now)
{
	uint64_t slack = taf_moment_is_set(&e->seen) ? AHEAD_MS : 0;

	if (e->at.boot && e->at.boot == now->boot)
		return false;
	return e->at.utc_ms > now->utc_ms + slack;
}

static uint32_t count(const struct taf_breaker_question *q)
{
	const struct taf_ledger *l = q->ledger;
	const struct taf_ledger_breaker *b = &l->breaker;
	uint64_t closed = b->for_ms ? UINT64_MAX : taf_moment_age_ms(&b->opened, &q->now);
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n_events; i++) {
		const struct taf_ledger_event *e = &l->event[i];

		if (taf_ledger_is_older(e, &q->now, q->rules->breaker_window_ms) ||
		    taf_ledger_age_ms(e, &q->now) >= closed)
			continue;
		n += !e->is_abort && !e->is_suspected && !e->is_elsewhere &&
		     !is_ahead(e, &q->now) && is_of_gpu(e->class) &&
		     taf_class_severity(q->rules, e->class, e->severity) == TAF_SEVERITY_PANIC;
	}
	return n;
}

void taf_breaker_judge(const struct taf_breaker_question *q, struct taf_breaker_state *out)
{
	const struct taf_ledger_breaker *b = &q->ledger->breaker;
	uint64_t most = q->rules->breaker_cooldown_ms;
	uint64_t lasts = b->for_ms < most ? b->for_ms : most;
	uint64_t age = taf_moment_age_ms(&b->opened, &q->now);

	*out = (struct taf_breaker_state){ .is_open = false };
	if (lasts && age < lasts) {
		*out = (struct taf_breaker_state){ true, true, b->count, lasts - age };
		return;
	}
	out->count = count(q);
	if (out->count >= q->rules->breaker_threshold) {
		out->is_open = true;
		out->pass_ms = most;
	}
}

bool taf_breaker_update(struct taf_ledger *l, const struct taf_rules *r,
			const struct taf_moment *now)
{
	struct taf_breaker_question q = { r, l, *now };
	struct taf_breaker_state b;

	taf_breaker_judge(&q, &b);
	if (!b.is_open || b.is_stored)
		return false;
	l->breaker.opened = *now;
	l->breaker.for_ms = b.pass_ms;
	l->breaker.count = b.count;
	return true;
}

void taf_breaker(const struct taf_question *q, struct taf_verdict *v)
{
	struct taf_breaker_question ask = { q->rules, q->facts->ledger, q->facts->now };
	struct taf_breaker_state b;
	struct taf_answer a;

	if (!ask.ledger || q->event->is_companion || q->event->phase != TAF_BEGIN ||
	    (q->event->kind != TAF_LOAD && q->event->kind != TAF_START))
		return;
	taf_breaker_judge(&ask, &b);
	if (!b.is_open)
		return;
	a = (struct taf_answer){ .action = taf_action_of(q->rules->breaker_on_open),
				 .rule = TAF_RULE_breaker_threshold,
				 .unit = TAF_UNIT_COUNT,
				 .have = b.count,
				 .need = q->rules->breaker_threshold,
				 .pass_ms = b.pass_ms };
	taf_copy(a.about, "GPU panics in a short time", sizeof(a.about));
	taf_answer_wait(&a, q->facts->waited_ms, q->rules->breaker_max_wait_ms, TAF_ACT_REFUSE);
	taf_verdict_say(v, &a);
}
