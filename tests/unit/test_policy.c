/* SPDX-License-Identifier: MIT */
/* test_policy.c -- what the rules decide, and that their order cannot matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/policy.h"

enum { SYNC = TAF_DRAIN_SYNC, BOTH = TAF_DRAIN_SYNC | TAF_DRAIN_TRIM };

/* Settings over the built-in policy, what happens, what is known, what must come of it. */
struct line {
	const char *set;
	enum taf_kind kind;
	enum taf_phase phase;
	uint32_t contexts, models, submits;
	unsigned drain;
	const char *rule; /* path of the row that asked; NULL: none */
};

static const struct line table[] = {
	/* The built-in policy: before an unload, between models, at exit. */
	{ "", TAF_UNLOAD, TAF_BEGIN, 1, 1, 3, BOTH, "drain.before_unload" },
	{ "", TAF_UNLOAD, TAF_BEGIN, 0, 1, 0, 0, NULL },
	{ "", TAF_LOAD, TAF_BEGIN, 1, 1, 0, BOTH, "drain.between_models" },
	{ "", TAF_LOAD, TAF_BEGIN, 0, 1, 0, 0, NULL },
	{ "", TAF_LOAD, TAF_BEGIN, 0, 0, 0, 0, NULL },
	{ "", TAF_EXIT, TAF_BEGIN, 2, 1, 0, BOTH, "drain.at_exit" },
	{ "", TAF_EXIT, TAF_BEGIN, 0, 0, 0, 0, NULL },
	/* And nothing at a generation, a submit or anything else. */
	{ "", TAF_INFER, TAF_BEGIN, 1, 1, 9, 0, NULL },
	{ "", TAF_INFER, TAF_END, 1, 1, 9, 0, NULL },
	{ "", TAF_SUBMIT, TAF_END, 1, 1, 1000000, 0, NULL },
	{ "", TAF_ALLOC, TAF_BEGIN, 1, 1, 9, 0, NULL },
	{ "", TAF_NOTE, TAF_BEGIN, 1, 1, 9, 0, NULL },
	{ "", TAF_SYNC, TAF_BEGIN, 1, 1, 9, 0, NULL },
	{ "", TAF_ERROR, TAF_MARK, 1, 1, 9, 0, NULL },
	/* Each has an off key. */
	{ "drain.before_unload=off", TAF_UNLOAD, TAF_BEGIN, 1, 1, 3, 0, NULL },
	{ "drain.between_models=off", TAF_LOAD, TAF_BEGIN, 1, 1, 0, 0, NULL },
	{ "drain.at_exit=off", TAF_EXIT, TAF_BEGIN, 1, 1, 0, 0, NULL },
	{ "drain.at_exit=off", TAF_UNLOAD, TAF_BEGIN, 1, 1, 0, BOTH, "drain.before_unload" },
	/* Round a generation. */
	{ "drain.pre_clear=on", TAF_INFER, TAF_BEGIN, 1, 1, 0, BOTH, "drain.pre_clear" },
	{ "drain.pre_clear=on", TAF_INFER, TAF_END, 1, 1, 0, 0, NULL },
	{ "drain.post_sync=on", TAF_INFER, TAF_END, 1, 1, 0, SYNC, "drain.post_sync" },
	{ "drain.post_sync=on", TAF_INFER, TAF_BEGIN, 1, 1, 0, 0, NULL },
	{ "drain.post_clear=on", TAF_INFER, TAF_END, 1, 1, 0, BOTH, "drain.post_clear" },
	/* Both ask: the flags are joined, the lower row gives the name. */
	{ "drain.post_sync=on;drain.post_clear=on", TAF_INFER, TAF_END, 1, 1, 0, BOTH,
	  "drain.post_sync" },
	/* Every N submits, not one earlier. */
	{ "drain.every_submits=8", TAF_SUBMIT, TAF_END, 1, 1, 7, 0, NULL },
	{ "drain.every_submits=8", TAF_SUBMIT, TAF_END, 1, 1, 8, SYNC, "drain.every_submits" },
	{ "drain.every_submits=8", TAF_SUBMIT, TAF_END, 1, 1, 4000000000u, SYNC,
	  "drain.every_submits" },
	{ "drain.every_submits=1", TAF_SUBMIT, TAF_END, 1, 1, 0, 0, NULL },
	{ "drain.every_submits=0", TAF_SUBMIT, TAF_END, 1, 1, 4000000000u, 0, NULL },
};

static void ask(const struct line *l, struct taf_rules *rules, struct taf_verdict *v)
{
	struct taf_event event = { .kind = l->kind, .phase = l->phase, .engine = TAF_ENGINE_LLAMA };
	struct taf_facts facts = { .contexts_live = l->contexts,
				   .models_live = l->models,
				   .submits_since_sync = l->submits };
	struct taf_question q = { rules, &event, &facts };

	taf_rules_default(rules);
	assert_int_equal(taf_rules_set_many(rules, l->set, NULL, NULL), 0);
	taf_decide(&q, v);
}

static void decides_as_the_table_says(void **state)
{
	static struct taf_rules rules;
	struct taf_verdict v;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *rule;

		ask(&table[i], &rules, &v);
		rule = v.drain_rule >= 0 ? taf_rule_info(v.drain_rule)->path : "none";
		if (v.drain != table[i].drain ||
		    strcmp(rule, table[i].rule ? table[i].rule : "none") != 0)
			fail_msg("line %zu (%s, %s): drain %u by %s", i, table[i].set,
				 taf_kind_name(table[i].kind), v.drain, rule);
		assert_int_equal(v.action, TAF_ACT_ALLOW);
		assert_int_equal(v.wait_ms, 0);
	}
}

/* No kind, no phase and no fact makes the built-in policy refuse or wait. */
static void never_stops_anything_by_itself(void **state)
{
	static struct taf_rules rules;
	struct taf_verdict v;

	(void)state;
	for (int kind = 0; kind < TAF_KIND_COUNT; kind++)
		for (int phase = TAF_MARK; phase <= TAF_END; phase++) {
			struct line l = { .set = "",
					  .kind = (enum taf_kind)kind,
					  .phase = (enum taf_phase)phase,
					  .contexts = 128,
					  .models = 64,
					  .submits = UINT32_MAX };

			ask(&l, &rules, &v);
			assert_int_equal(v.action, TAF_ACT_ALLOW);
			assert_int_equal(v.rule, -1);
		}
}

static void a_verdict_starts_empty(void **state)
{
	struct taf_verdict v;

	(void)state;
	memset(&v, 0x5a, sizeof(v));
	taf_verdict_init(&v);
	assert_int_equal(v.action, TAF_ACT_ALLOW);
	assert_int_equal(v.wait_ms, 0);
	assert_int_equal(v.drain, 0);
	assert_int_equal(v.rule, -1);
	assert_int_equal(v.drain_rule, -1);
}

/* What a rule could ask for; the property below takes them in every order. */
struct wish {
	enum taf_action action;
	uint32_t wait_ms;
	unsigned drain;
	int rule;
};

static const struct wish wishes[] = {
	{ TAF_ACT_WARN, 0, SYNC, 40 },	 { TAF_ACT_WAIT, 500, 0, 30 },
	{ TAF_ACT_REFUSE, 0, BOTH, 55 }, { TAF_ACT_REFUSE, 20, SYNC, 12 },
	{ TAF_ACT_WAIT, 900, BOTH, 3 },	 { TAF_ACT_WAIT, 700, 0, 7 },
};
#define WISHES (sizeof(wishes) / sizeof(*wishes))

static struct taf_verdict joined(const size_t *order, size_t n)
{
	struct taf_verdict v;

	taf_verdict_init(&v);
	for (size_t i = 0; i < n; i++) {
		const struct wish *w = &wishes[order[i]];

		taf_verdict_say(&v, &(struct taf_answer){ .action = w->action,
							  .rule = w->rule,
							  .wait_ms = w->wait_ms });
		if (w->drain)
			taf_verdict_drain(&v, w->drain, w->rule);
	}
	return v;
}

static void assert_same_verdict(const struct taf_verdict *a, const struct taf_verdict *b)
{
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->wait_ms, b->wait_ms);
	assert_int_equal(a->drain, b->drain);
	assert_int_equal(a->rule, b->rule);
	assert_int_equal(a->drain_rule, b->drain_rule);
}

/* All orders of the first n wishes, by swapping (Heap's way). */
static int permute(size_t *order, size_t k, size_t n, const struct taf_verdict *wanted)
{
	struct taf_verdict got;
	int seen = 0;

	if (k == 1) {
		got = joined(order, n);
		assert_same_verdict(wanted, &got);
		return 1;
	}
	for (size_t i = 0; i < k; i++) {
		size_t other = k % 2 ? 0 : i, keep;

		seen += permute(order, k - 1, n, wanted);
		keep = order[other];
		order[other] = order[k - 1];
		order[k - 1] = keep;
	}
	return seen;
}

static void the_order_of_rules_cannot_matter(void **state)
{
	static const int factorial[] = { 1, 1, 2, 6, 24, 120, 720 };

	(void)state;
	for (size_t n = 1; n <= WISHES; n++) {
		size_t order[WISHES] = { 0, 1, 2, 3, 4, 5 };
		struct taf_verdict wanted = joined(order, n);

		assert_int_equal(permute(order, n, n, &wanted), factorial[n]);
	}
}

static void the_strictest_wish_wins(void **state)
{
	size_t order[WISHES] = { 0, 1, 2, 3, 4, 5 };
	struct taf_verdict v = joined(order, WISHES);

	(void)state;
	assert_int_equal(v.action, TAF_ACT_REFUSE);
	assert_int_equal(v.wait_ms, 900);
	assert_int_equal(v.drain, BOTH);
	assert_int_equal(v.rule, 12); /* of the two that refuse */
	assert_int_equal(v.drain_rule, 3); /* of those that drain */
}

/* The real rules, one after the other on one verdict, forwards and backwards. */
static void the_real_rules_join_in_any_order(void **state)
{
	static struct taf_rules rules;

	(void)state;
	assert_true(taf_rule_list_count > 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct taf_event event = { .kind = table[i].kind, .phase = table[i].phase };
		struct taf_facts facts = { .contexts_live = table[i].contexts,
					   .models_live = table[i].models,
					   .submits_since_sync = table[i].submits };
		struct taf_question q = { &rules, &event, &facts };
		struct taf_verdict decided, backwards;

		ask(&table[i], &rules, &decided);
		taf_verdict_init(&backwards);
		for (int k = taf_rule_list_count; k-- > 0;)
			taf_rule_list[k](&q, &backwards);
		assert_same_verdict(&decided, &backwards);
		/* Asked twice, a rule adds nothing. */
		for (int k = 0; k < taf_rule_list_count; k++)
			taf_rule_list[k](&q, &backwards);
		assert_same_verdict(&decided, &backwards);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_as_the_table_says),
		cmocka_unit_test(never_stops_anything_by_itself),
		cmocka_unit_test(a_verdict_starts_empty),
		cmocka_unit_test(the_order_of_rules_cannot_matter),
		cmocka_unit_test(the_strictest_wish_wins),
		cmocka_unit_test(the_real_rules_join_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
