/* SPDX-License-Identifier: MIT */
/* test_rules_join.c -- properties of all rules, over thousands of made-up questions.
 *
 *   the order in which the rules are asked changes nothing
 *   no rule makes a verdict laxer than it was
 *   a rule that is asked twice says the same
 *   the built-in policy never waits for, holds or refuses anything
 *
 * The questions come from a generator with a fixed seed; a failure names the
 * question by its number, and TAF_SEED=N begins elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/ledger.h"
#include "../../policy/policy.h"

#define QUESTIONS 3000
#define ORDERS 24 /* a question */
#define RULES_MAX 32

static uint64_t seed;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t below(uint64_t n)
{
	return next_random() % n;
}

struct scene {
	struct taf_rules rules;
	struct taf_ledger ledger;
	struct taf_event event;
	struct taf_facts facts;
	struct taf_question q;
};

static const char *const ids[] = { "mlx-community/gemma-4-31b-it-8bit",
				   "mlx-community/mistral-small", "mlx-community/kimi-k2.5", "tiny",
				   "" };
#define IDS (sizeof(ids) / sizeof(*ids))

/* Values that some row of each type takes; the others keep what they have. */
static const char *const values[] = {
	"off", "on",  "warn", "wait", "refuse", "exit",	 "run",	 "inference", "count", "go",
	"0s",  "1s",  "90s",  "5m",   "2h",	"72h",	 "0",	 "1",	      "2",     "3",
	"100", "10%", "67%",  "100%", "1GiB",	"24GiB", "hold", "host",      "none",  "1MiB",
};

/* One of the words of a row, or a value that it may or may not take. */
static const char *make_value(int row)
{
	static char word[24];
	const char *words = taf_rule_words(row), *at = words;
	size_t n = 0;

	for (const char *p = words; *p; p++)
		n += *p == '|';
	if (!n)
		return values[below(sizeof(values) / sizeof(*values))];
	for (uint64_t skip = below(n); skip; at++)
		skip -= *at == '|';
	for (n = 0; at[n] && at[n] != '|' && n < sizeof(word) - 1; n++)
		word[n] = at[n];
	word[n] = '\0';
	return word;
}

static void make_rules(struct taf_rules *r)
{
	taf_rules_default(r);
	for (int row = 0; row < TAF_RULE_COUNT; row++)
		if (row != TAF_RULE_mode && below(2))
			taf_rules_set(r, taf_rule_info(row)->path, make_value(row), NULL);
	if (below(2))
		assert_int_equal(taf_rules_set(r, "cadence.families", "*gemma-4*:90s:3s", NULL), 0);
	if (below(2))
		assert_int_equal(taf_rules_set(r, "cooldown.classes", "xid_79:2", NULL), 0);
}

/* Sometimes never, sometimes of another boot, sometimes from the future. */
static struct taf_moment make_moment(const struct taf_moment *now)
{
	static const uint64_t ages[] = {
		0, 500, 5000, 90000, 200000, 7200000, 100000000, 400000000
	};
	uint64_t age = ages[below(sizeof(ages) / sizeof(*ages))];
	struct taf_moment m = *now;

	if (!below(4))
		return (struct taf_moment){ .boot = 0 };
	m.boot = below(3) ? now->boot : below(3);
	m.boot_ms = age < m.boot_ms ? m.boot_ms - age : 0;
	m.utc_ms = below(8) ? m.utc_ms - age : m.utc_ms + age;
	return m;
}

static void make_ledger(struct taf_ledger *l, const struct taf_moment *now)
{
	static const char *const classes[] = { "iogpu_prepare_count_underflow", "xid_79", "xid_13",
					       "dirty_boot", "metal_oom" };

	memset(l, 0, sizeof(*l));
	l->n_models = (uint32_t)below(IDS);
	for (uint32_t i = 0; i < l->n_models; i++) {
		strcpy(l->model[i].id, ids[i]);
		l->model[i].load = make_moment(now);
		l->model[i].infer = make_moment(now);
		l->model[i].unload = make_moment(now);
		l->model[i].bytes = below(2) << 35;
	}
	l->n_events = (uint32_t)below(6);
	for (uint32_t i = 0; i < l->n_events; i++) {
		struct taf_ledger_event *e = &l->event[i];

		e->at = make_moment(now);
		e->seen = make_moment(now);
		e->severity = (uint8_t)below(6);
		e->is_suspected = !below(3);
		e->is_abort = !below(3);
		strcpy(e->class, classes[below(5)]);
		strcpy(e->model, ids[below(IDS)]);
	}
	l->is_blind = !below(4);
	l->ack = make_moment(now);
	l->hold.set = make_moment(now);
	l->hold.for_ms = below(2) * 7200000;
	l->breaker.opened = make_moment(now);
	l->breaker.for_ms = below(2) * 3600000;
	l->breaker.count = (uint32_t)below(4);
}

static void make_event(struct taf_event *ev)
{
	ev->kind = below(3) ? TAF_LOAD : (enum taf_kind)below(TAF_KIND_COUNT);
	ev->phase = below(4) ? TAF_BEGIN : TAF_END;
	ev->engine = TAF_ENGINE_LLAMA;
	ev->is_companion = !below(4);
	ev->is_first = !below(2);
	ev->bytes = below(2) << below(40);
	ev->cache_bytes = below(2) << below(36);
	ev->model = below(8) ? ids[below(IDS)] : NULL;
}

static void make_facts(struct taf_facts *f, const struct taf_ledger *l,
		       const struct taf_moment *now)
{
	f->now = *now;
	f->now_ms = now->boot_ms;
	f->ledger = below(8) ? l : NULL;
	f->waited_ms = below(2) * below(4000000);
	f->contexts_live = (uint32_t)below(3);
	f->models_live = (uint32_t)below(3);
	f->submits_since_sync = (uint32_t)below(200);
	f->idle_ms = below(1000000);
	f->is_leaving = !below(8);
	f->fits_anyway = !below(4);
	f->lock = (enum taf_lock_state)below(3);
	f->lock_holder = below(2) ? "llama-server (pid 12)" : NULL;
	f->tier = (enum taf_tier)below(4);
	f->tier_why = below(2) ? "kernel_panic" : NULL;
	f->version_hit = below(2) ? "mlx 0.31.2 (critical)" : NULL;
	f->memory.total = below(4) ? 64ull << 30 : 0;
	f->memory.free = below(65) << 30;
	f->memory.own = below(65) << 30;
	f->memory.growth_per_min = below(8) << 30;
	f->infers = below(8000);
	f->resources = below(600000);
	f->resource_limit = below(2) * 499000;
	f->footprint = below(64) << 30;
	f->uptime_ms = below(100) * TAF_HOUR_MS;
}

static void make_scene(struct scene *s)
{
	struct taf_moment now = { .boot = 7,
				  .boot_ms = below(2) ? 20000 : 900000000,
				  .utc_ms = 2000000000000 };

	memset(&s->event, 0, sizeof(s->event));
	memset(&s->facts, 0, sizeof(s->facts));
	make_rules(&s->rules);
	make_ledger(&s->ledger, &now);
	make_event(&s->event);
	make_facts(&s->facts, &s->ledger, &now);
	s->q = (struct taf_question){ &s->rules, &s->event, &s->facts };
}

static bool has_said(const struct taf_verdict *v, const struct taf_answer *a)
{
	for (uint32_t i = 0; i < v->n_said; i++)
		if (v->said[i].rule == a->rule && v->said[i].action == a->action &&
		    v->said[i].have == a->have && v->said[i].need == a->need &&
		    v->said[i].wait_ms == a->wait_ms && !strcmp(v->said[i].about, a->about))
			return true;
	return false;
}

static bool is_same(const struct taf_verdict *a, const struct taf_verdict *b)
{
	if (a->action != b->action || a->wait_ms != b->wait_ms || a->drain != b->drain ||
	    a->rule != b->rule || a->drain_rule != b->drain_rule || a->n_said != b->n_said)
		return false;
	for (uint32_t i = 0; i < a->n_said; i++)
		if (!has_said(b, &a->said[i]))
			return false;
	return true;
}

static void shuffle(int *order, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int k = (int)below((uint64_t)i + 1), keep = order[i];

		order[i] = order[k];
		order[k] = keep;
	}
}

static void begin(struct scene *s, uint64_t question)
{
	const char *given = getenv("TAF_SEED");

	seed = (given ? strtoull(given, NULL, 10) : 1) * 1000003 + question * 2654435761u + 1;
	for (int i = 0; i < 8; i++)
		next_random();
	make_scene(s);
}

static void the_order_changes_nothing(void **state)
{
	static struct scene s;
	int order[RULES_MAX], n = taf_rule_list_count;
	unsigned strict = 0;

	(void)state;
	assert_true(n > 1 && n <= RULES_MAX);
	for (uint64_t question = 0; question < QUESTIONS; question++) {
		struct taf_verdict wanted, got;

		begin(&s, question);
		taf_decide(&s.q, &wanted);
		strict += wanted.action >= TAF_ACT_WAIT;
		for (int i = 0; i < n; i++)
			order[i] = i;
		for (int turn = 0; turn < ORDERS; turn++) {
			shuffle(order, n);
			taf_verdict_init(&got);
			for (int i = 0; i < n; i++)
				taf_rule_list[order[i]](&s.q, &got);
			if (!is_same(&wanted, &got))
				fail_msg("question %llu: the order changes the verdict",
					 (unsigned long long)question);
			/* Asked twice, they add nothing. */
			for (int i = 0; i < n; i++)
				taf_rule_list[i](&s.q, &got);
			if (!is_same(&wanted, &got))
				fail_msg("question %llu: asked twice, a rule adds something",
					 (unsigned long long)question);
		}
	}
	/* The generator must ask what matters. */
	print_message("%u of %d questions were answered strictly\n", strict, QUESTIONS);
	assert_true(strict > QUESTIONS / 20);
}

static void no_rule_makes_it_laxer(void **state)
{
	static struct scene s;
	int order[RULES_MAX], n = taf_rule_list_count;

	(void)state;
	for (uint64_t question = 0; question < QUESTIONS; question++) {
		struct taf_verdict v, before;

		begin(&s, question);
		for (int i = 0; i < n; i++)
			order[i] = i;
		shuffle(order, n);
		taf_verdict_init(&v);
		for (int i = 0; i < n; i++) {
			before = v;
			taf_rule_list[order[i]](&s.q, &v);
			if (v.action < before.action || v.wait_ms < before.wait_ms ||
			    (v.drain & before.drain) != before.drain || v.n_said < before.n_said)
				fail_msg("question %llu: rule %d makes it laxer",
					 (unsigned long long)question, order[i]);
		}
	}
}

/* Every wait is one that ends, and every answer has a row. */
static void every_answer_is_whole(void **state)
{
	static struct scene s;

	(void)state;
	for (uint64_t question = 0; question < QUESTIONS; question++) {
		struct taf_verdict v;

		begin(&s, question);
		taf_decide(&s.q, &v);
		for (uint32_t i = 0; i < v.n_said; i++) {
			const struct taf_answer *a = &v.said[i];

			assert_in_range(a->rule, 0, TAF_RULE_COUNT - 1);
			assert_true(memchr(a->about, 0, sizeof(a->about)));
			if (a->action == TAF_ACT_WAIT && !a->wait_ms)
				fail_msg("question %llu: %s waits for nothing",
					 (unsigned long long)question,
					 taf_rule_info(a->rule)->path);
		}
		assert_true(!v.n_said || taf_verdict_why(&v));
	}
}

/* What the shim leaves undecided is nothing. */
static void no_other_kind_drains(void **state)
{
	static struct scene s;
	unsigned drains = 0;

	(void)state;
	for (uint64_t question = 0; question < QUESTIONS; question++) {
		struct taf_verdict v;

		begin(&s, question);
		taf_decide(&s.q, &v);
		drains += v.drain != 0;
		if (v.drain && !taf_kind_may_drain(s.q.event->kind))
			fail_msg("question %llu: %s drains", (unsigned long long)question,
				 taf_rule_info(v.drain_rule)->path);
	}
	assert_true(drains > 0);
}

static void the_built_in_policy_only_warns(void **state)
{
	static struct scene s;

	(void)state;
	for (uint64_t question = 0; question < QUESTIONS; question++) {
		struct taf_verdict v;

		begin(&s, question);
		taf_rules_default(&s.rules);
		taf_decide(&s.q, &v);
		if (v.action > TAF_ACT_WARN)
			fail_msg("question %llu: %s does more than warn",
				 (unsigned long long)question, taf_rule_info(v.rule)->path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_changes_nothing),
		cmocka_unit_test(no_rule_makes_it_laxer),
		cmocka_unit_test(every_answer_is_whole),
		cmocka_unit_test(no_other_kind_drains),
		cmocka_unit_test(the_built_in_policy_only_warns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
