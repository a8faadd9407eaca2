/* SPDX-License-Identifier: MIT */
#include "say.h"

#include "../policy/policy.h"
#include "../policy/text.h"
#include "crumb.h"
#include "memory.h"
#include "tally.h"

#define MSG_ROOM 256
#define EXTRA_ROOM 192
#define WARN_EVERY_NS 10000000000ull
#define REFUSE_EVERY_NS 1000000000ull

static _Atomic(uint64_t) said_ns[TAF_RULE_COUNT]; /* at the door of allocations */

/* One crumb about one answer. */
struct saying {
	struct taf_rec r;
	char msg[MSG_ROOM], extra[EXTRA_ROOM];
};

static const char *rule_path(int rule)
{
	return rule >= 0 && rule < TAF_RULE_COUNT ? taf_rule_info(rule)->path : NULL;
}

static const char *unit_name(enum taf_unit unit)
{
	static const char names[][8] = { "", "ms", "bytes", "count", "pct" };

	return (unsigned)unit < sizeof(names) / sizeof(*names) ? names[unit] : "";
}

/* ,"have":12000,"need":180000,"unit":"ms","pass_ms":168000 */
static void put_numbers(struct taf_text *t, const struct taf_answer *answer)
{
	if (answer->unit != TAF_UNIT_NONE) {
		taf_text_put(t, ",\"have\":");
		taf_text_u64(t, answer->have);
		taf_text_put(t, ",\"need\":");
		taf_text_u64(t, answer->need);
		taf_text_put(t, ",\"unit\":\"");
		taf_text_put(t, unit_name(answer->unit));
		taf_text_char(t, '"');
	}
	if (answer->pass_ms != TAF_PASS_UNKNOWN) {
		taf_text_put(t, ",\"pass_ms\":");
		taf_text_u64(t, answer->pass_ms);
	}
}

/* What was asked for, and what there was. */
static void put_asked(struct taf_text *t, struct saying *s, const struct taf_event *ev)
{
	struct taf_memory m;

	s->r.has |= TAF_HAS_BYTES;
	s->r.bytes = ev->bytes;
	taf_memory_quick(&m);
	taf_text_put(t, ",\"free\":");
	taf_text_u64(t, m.free);
}

static void fill(struct saying *s, const struct taf_admission *a, const struct taf_answer *answer,
		 const char *head)
{
	struct taf_text msg, extra;

	s->r = (struct taf_rec){ .phase = TAF_MARK,
				 .engine = a->event->engine,
				 .call = a->call,
				 .model = a->event->model && a->event->model[0] ? a->event->model
										: NULL,
				 .rule = rule_path(answer->rule) };
	taf_text_init(&msg, s->msg, sizeof(s->msg));
	taf_text_put(&msg, head);
	taf_answer_text(answer, &msg);
	taf_text_init(&extra, s->extra, sizeof(s->extra));
	put_numbers(&extra, answer);
	if (a->event->kind == TAF_ALLOC)
		put_asked(&extra, s, a->event);
	s->r.msg = s->msg;
	s->r.extra = s->extra;
}

/* A pause is asked for by a row of its own, and is no objection. */
static bool is_pause(int rule)
{
	return rule == TAF_RULE_drain_settle_after_unload_ms || rule == TAF_RULE_cadence_families;
}

uint64_t taf_say_hold(const struct taf_admission *a, const struct taf_verdict *v)
{
	const struct taf_answer *why = taf_verdict_binding(v);
	struct taf_answer nothing = { .rule = v->rule, .pass_ms = TAF_PASS_UNKNOWN };
	struct saying s;

	fill(&s, a, why ? why : &nothing, "");
	s.r.kind = is_pause(why ? why->rule : v->rule) ? TAF_SETTLE : TAF_HOLD;
	s.r.phase = TAF_BEGIN;
	return taf_crumb(&s.r);
}

void taf_say_held(const struct taf_admission *a, uint64_t of, int rule, uint64_t waited_ms)
{
	struct taf_rec r = { .kind = is_pause(rule) ? TAF_SETTLE : TAF_HOLD,
			     .phase = TAF_END,
			     .engine = a->event->engine,
			     .call = a->call,
			     .model = a->event->model,
			     .has = TAF_HAS_OF | TAF_HAS_MS,
			     .of = of,
			     .us = waited_ms * 1000,
			     .rule = rule_path(rule),
			     .keep = TAF_KEEP_LOG };

	taf_crumb(&r);
}

static void count_refusal(void)
{
	struct taf_ring_head *head = taf_ring_head();

	if (head && taf_rules.mode != TAF_MODE_OBSERVE)
		atomic_fetch_add(&head->refuses, 1);
}

static void say_as(const struct taf_admission *a, const struct taf_answer *answer,
		   enum taf_kind kind, const char *head)
{
	struct saying s;

	fill(&s, a, answer, head);
	s.r.kind = kind;
	taf_crumb(&s.r);
}

static void say_would(const struct taf_admission *a, const struct taf_answer *answer)
{
	static const char would[][16] = { "", "would warn: ", "would wait: ", "would refuse: " };

	say_as(a, answer, TAF_WOULD, would[answer->action & 3]);
}

/* At an end, after a wait perhaps. */
static void say_one(const struct taf_admission *a, const struct taf_answer *answer,
		    const struct taf_answer *binding, uint64_t waited_ms)
{
	if (answer->action == TAF_ACT_REFUSE && answer == binding) {
		say_as(a, answer, TAF_REFUSE, "");
		/* Counted with what a poisoned context is refused (error.c). */
		if (answer->rule == TAF_RULE_on_error)
			taf_tally_rule(TAF_REFUSE, answer->rule);
	} else if (answer->action == TAF_ACT_REFUSE) {
		say_as(a, answer, TAF_NOTE, "refuses it as well: ");
	} else {
		say_as(a, answer, TAF_NOTE, waited_ms ? "let through after the wait: " : "");
	}
}

void taf_say_verdict(const struct taf_admission *a, const struct taf_verdict *v, uint64_t waited_ms)
{
	const struct taf_answer *binding = taf_verdict_binding(v);
	bool is_observed = taf_rules.mode == TAF_MODE_OBSERVE;

	if (v->action == TAF_ACT_REFUSE)
		count_refusal();
	/* What was waited for stands in the hold's own crumbs. */
	for (uint32_t i = 0; i < v->n_said; i++)
		if (is_observed)
			say_would(a, &v->said[i]);
		else if (v->said[i].action != TAF_ACT_WAIT)
			say_one(a, &v->said[i], binding, waited_ms);
	if (v->n_said)
		taf_memory_tell(v);
}

/* Whether rule may speak again at the door of allocations. */
static bool may_say(const struct taf_answer *answer)
{
	uint64_t now = taf_sys_mono_ns(), then = atomic_load(&said_ns[answer->rule]);
	uint64_t every = answer->action == TAF_ACT_REFUSE ? REFUSE_EVERY_NS : WARN_EVERY_NS;

	return (!then || now - then >= every) &&
	       atomic_compare_exchange_strong(&said_ns[answer->rule], &then, now);
}

/* A warning that stands is counted alone. */
static bool is_told(const struct taf_admission *a, const struct taf_answer *answer)
{
	return answer->action == TAF_ACT_WARN && (a->told & taf_memory_told_by(answer->rule));
}

/* Once for each time, whether or not it is written. What is said at the wide door has a
 * record each time. */
static void count_said(const struct taf_verdict *v)
{
	const struct taf_answer *binding = taf_verdict_binding(v);

	for (uint32_t i = 0; i < v->n_said; i++) {
		const struct taf_answer *a = &v->said[i];

		if (taf_rules.mode == TAF_MODE_OBSERVE)
			taf_tally_rule(TAF_WOULD, a->rule);
		else if (a->action == TAF_ACT_REFUSE && a == binding)
			taf_tally_rule(TAF_REFUSE, a->rule);
		else if (a->action != TAF_ACT_WAIT)
			taf_tally_rule(TAF_NOTE, a->rule);
	}
}

void taf_say_alloc(const struct taf_admission *a, const struct taf_verdict *v)
{
	if (v->action == TAF_ACT_REFUSE)
		count_refusal();
	count_said(v);
	for (uint32_t i = 0; i < v->n_said; i++) {
		if (is_told(a, &v->said[i]) || !may_say(&v->said[i]))
			continue;
		if (taf_rules.mode == TAF_MODE_OBSERVE)
			say_would(a, &v->said[i]);
		else
			say_one(a, &v->said[i], taf_verdict_binding(v), 0);
	}
	taf_memory_tell(v);
}

void taf_say_reset(void)
{
	for (int i = 0; i < TAF_RULE_COUNT; i++)
		atomic_store(&said_ns[i], 0);
}
