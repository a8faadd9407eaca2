/* SPDX-License-Identifier: MIT */
/* test_fit.c -- whether a model fits, and what is said about memory that fills up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/fit.h"

#define GB 1000000000ull
#define GIB (1ull << 30)
#define MIB (1ull << 20)

static struct taf_rules rules;
static struct taf_event event;
static struct taf_facts facts;
static struct taf_verdict verdict;

/* A load of weights into total with free left, under settings. */
static void world(const char *set, uint64_t weights, uint64_t total, uint64_t is_free)
{
	taf_rules_default(&rules);
	assert_int_equal(taf_rules_set_many(&rules, set, NULL, NULL), 0);
	event = (struct taf_event){
		.kind = TAF_LOAD, .phase = TAF_BEGIN, .bytes = weights, .basis = TAF_BASIS_HEADERS
	};
	facts = (struct taf_facts){ .memory = { .total = total, .free = is_free } };
}

static const struct taf_answer *decide(void)
{
	taf_decide(&(struct taf_question){ &rules, &event, &facts }, &verdict);
	return taf_verdict_why(&verdict);
}

static const char *rule(void)
{
	return verdict.rule < 0 ? "none" : taf_rule_info(verdict.rule)->path;
}

static bool is_unknown(void)
{
	return taf_fit_is_unknown(&(struct taf_question){ &rules, &event, &facts });
}

struct line {
	const char *set;
	uint64_t weights, cache, overhead, total, free, own;
	enum taf_action action;
	const char *rule;
};

static const struct line table[] = {
	/* The built-in policy warns, and an equal room fits. */
	{ "", 3 * GIB, 0, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_ALLOW, "none" },
	{ "", 4 * GIB, 0, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_ALLOW, "none" },
	{ "", 4 * GIB + 1, 0, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_WARN, "memory.on_misfit" },
	/* The cache counts, and what is needed beside, but not more than a quarter. */
	{ "", 3 * GIB, GIB, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_ALLOW, "none" },
	{ "", 3 * GIB, GIB + 1, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_WARN, "memory.on_misfit" },
	{ "", 4 * GIB, 0, GIB, 8 * GIB, 5 * GIB, 0, TAF_ACT_ALLOW, "none" },
	{ "", 4 * GIB, 0, GIB, 8 * GIB, 5 * GIB - 1, 0, TAF_ACT_WARN, "memory.on_misfit" },
	{ "", 100 * MIB, 0, 2 * GIB, 8 * GIB, 125 * MIB, 0, TAF_ACT_ALLOW, "none" },
	/* What must stay free, by size and by share. */
	{ "memory.headroom=1GiB", 3 * GIB, 0, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_ALLOW, "none" },
	{ "memory.headroom=1GiB", 3 * GIB + 1, 0, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_WARN,
	  "memory.headroom" },
	{ "memory.headroom=25%", 3 * GIB, 0, 0, 8 * GIB, 5 * GIB, 0, TAF_ACT_ALLOW, "none" },
	{ "memory.headroom=25%;memory.on_misfit=refuse", 3 * GIB, 0, 0, 8 * GIB, 5 * GIB - 1, 0,
	  TAF_ACT_REFUSE, "memory.headroom" },
	/* The process's own limit, though there is room enough. */
	{ "memory.limit=2GiB;memory.on_misfit=refuse", 3 * GIB, 0, 0, 64 * GIB, 60 * GIB, 0,
	  TAF_ACT_REFUSE, "memory.limit" },
	{ "memory.limit=4GiB;memory.on_misfit=refuse", 3 * GIB, 0, 0, 64 * GIB, 60 * GIB, GIB,
	  TAF_ACT_ALLOW, "none" },
	{ "memory.limit=4GiB;memory.on_misfit=refuse", 3 * GIB, 0, 0, 64 * GIB, 60 * GIB, GIB + 1,
	  TAF_ACT_REFUSE, "memory.limit" },
	{ "memory.limit=50%;memory.on_misfit=refuse", 4 * GIB + 1, 0, 0, 8 * GIB, 8 * GIB, 0,
	  TAF_ACT_REFUSE, "memory.limit" },
	/* A limit in bytes holds where nothing is known of the device, a share cannot. */
	{ "memory.limit=2GiB;memory.on_misfit=refuse", 3 * GIB, 0, 0, 0, 0, 0, TAF_ACT_REFUSE,
	  "memory.limit" },
	{ "memory.limit=10%;memory.on_misfit=refuse", 3 * GIB, 0, 0, 0, 0, 0, TAF_ACT_ALLOW,
	  "none" },
	/* A wait, while a release could help. */
	{ "memory.on_misfit=wait", 5 * GIB, 0, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_WAIT,
	  "memory.on_misfit" },
	{ "memory.on_misfit=wait", 9 * GIB, 0, 0, 8 * GIB, 4 * GIB, 0, TAF_ACT_WARN,
	  "memory.on_misfit" },
	{ "memory.on_misfit=wait;memory.limit=2GiB", 3 * GIB, 0, 0, 8 * GIB, 8 * GIB, 0,
	  TAF_ACT_WARN, "memory.limit" },
	/* Nothing is known. */
	{ "memory.on_misfit=refuse", 0, 0, 0, 8 * GIB, 0, 0, TAF_ACT_ALLOW, "none" },
	{ "memory.on_misfit=refuse", 9 * GIB, 0, 0, 0, 0, 0, TAF_ACT_ALLOW, "none" },
	/* Sizes that overflow are too large, never small. */
	{ "memory.on_misfit=refuse", UINT64_MAX, UINT64_MAX, GIB, 8 * GIB, 8 * GIB, 0,
	  TAF_ACT_REFUSE, "memory.on_misfit" },
};

static void decides_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct line *l = &table[i];

		/* The marks for a device that fills up are another test. */
		world("memory.warn=100%;memory.critical=100%", l->weights, l->total, l->free);
		assert_int_equal(taf_rules_set_many(&rules, l->set, NULL, NULL), 0);
		event.cache_bytes = l->cache;
		facts.memory.overhead = l->overhead;
		facts.memory.own = l->own;
		decide();
		if (verdict.action != l->action || strcmp(rule(), l->rule) != 0)
			fail_msg("line %zu (%s): action %d by %s", i, l->set, (int)verdict.action,
				 rule());
	}
}

static void a_refusal_says_its_numbers(void **state)
{
	const struct taf_answer *a;
	char buf[256];
	struct taf_text t;

	(void)state;
	world("memory.on_misfit=refuse;memory.limit=2GiB", 3 * GIB, 64 * GIB, 60 * GIB);
	event.cache_bytes = 64 * MIB;
	a = decide();
	assert_non_null(a);
	assert_int_equal(a->need, 3 * GIB + 64 * MIB);
	assert_int_equal(a->have, 2 * GIB);
	assert_true(a->pass_ms == TAF_PASS_UNKNOWN);
	taf_text_init(&t, buf, sizeof(buf));
	taf_answer_text(a, &t);
	assert_string_equal(buf, "needs 3.0 GiB, has 2.0 GiB, weights 3.0 GiB + cache 64.0 MiB");
	event.basis = TAF_BASIS_NAME;
	a = decide();
	assert_non_null(strstr(a->about, "guessed from the name"));
}

static const char *words_of(const struct taf_answer *a)
{
	static char buf[256];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_answer_text(a, &t);
	return buf;
}

static void says_what_is_used_and_grown(void **state)
{
	(void)state;
	world("memory.growth_per_min=1GiB", 0, 8 * GIB, GIB);
	event.kind = TAF_INFER;
	facts.memory.growth_per_min = 3 * GIB;
	decide();
	assert_int_equal(verdict.n_said, 2);
	assert_string_equal(words_of(&verdict.said[0]), "7.0 GiB of 8.0 GiB, memory in use");
	assert_string_equal(words_of(&verdict.said[1]),
			    "grown by 3.0 GiB a minute, more than 1.0 GiB");
}

static void drains_before_it_judges(void **state)
{
	(void)state;
	world("memory.on_misfit=refuse", 5 * GIB, 8 * GIB, 4 * GIB);
	facts.contexts_live = 1;
	decide();
	assert_int_equal(verdict.drain, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM);
	assert_int_equal(verdict.drain_rule, TAF_RULE_memory_on_misfit);
	/* Nothing to wait for, or room enough: no drain. */
	facts.contexts_live = 0;
	decide();
	assert_int_equal(verdict.drain, 0);
	facts.contexts_live = 1;
	facts.memory.free = 6 * GIB;
	decide();
	assert_int_equal(verdict.drain, 0);
}

static void a_wait_ends_with_a_warning(void **state)
{
	const struct taf_answer *a;

	(void)state;
	world("memory.on_misfit=wait;memory.max_wait=10s", 5 * GIB, 8 * GIB, 4 * GIB);
	a = decide();
	assert_int_equal(a->action, TAF_ACT_WAIT);
	assert_in_range(verdict.wait_ms, 1, 10000);
	facts.waited_ms = 9999;
	assert_int_equal(decide()->action, TAF_ACT_WAIT);
	facts.waited_ms = 10000;
	assert_int_equal(decide()->action, TAF_ACT_WARN);
}

static void the_user_may_say_that_it_fits(void **state)
{
	(void)state;
	world("memory.on_misfit=refuse;memory.limit=1GiB;models.max_loaded=1", 5 * GIB, 8 * GIB,
	      4 * GIB);
	facts.models_live = 1;
	assert_int_equal(decide()->action, TAF_ACT_REFUSE);
	facts.fits_anyway = true;
	assert_int_equal(decide()->action, TAF_ACT_WARN);
	assert_non_null(strstr(decide()->about, "--fit-anyway"));
	assert_int_equal(verdict.drain, 0);
}

static void counts_models(void **state)
{
	(void)state;
	world("models.max_loaded=2;memory.on_misfit=refuse", GIB, 8 * GIB, 8 * GIB);
	facts.models_live = 1;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	facts.models_live = 2;
	assert_int_equal(decide()->action, TAF_ACT_REFUSE);
	assert_string_equal(rule(), "models.max_loaded");
	assert_int_equal(decide()->have, 2);
	assert_int_equal(decide()->need, 3);
	assert_string_equal(words_of(decide()), "3 models with this one, at most 2");
	facts.fits_anyway = true;
	assert_string_equal(words_of(decide()),
			    "3 models with this one, at most 2, let through by --fit-anyway");
	facts.fits_anyway = false;
	event.is_companion = true;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	/* Also where the size is not known. */
	event.is_companion = false;
	event.bytes = 0;
	assert_int_equal(decide()->action, TAF_ACT_REFUSE);
}

/* The weights are there already: what a context takes is its cache. */
static void judges_a_context(void **state)
{
	(void)state;
	world("memory.on_misfit=refuse", 0, 8 * GIB, GIB);
	event.kind = TAF_NOTE;
	event.cache_bytes = GIB + 1;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	event.is_context = true;
	assert_int_equal(decide()->action, TAF_ACT_REFUSE);
	assert_false(is_unknown());
	event.cache_bytes = 0;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	assert_true(is_unknown());
}

static void knows_what_it_does_not_know(void **state)
{
	(void)state;
	world("", 0, 8 * GIB, GIB);
	assert_true(is_unknown());
	event.bytes = GIB;
	assert_false(is_unknown());
	facts.memory.total = 0;
	assert_true(is_unknown());
	taf_rules_set_many(&rules, "memory.limit=1GiB", NULL, NULL);
	assert_false(is_unknown());
	event.kind = TAF_UNLOAD;
	assert_false(is_unknown());
}

static void take(uint64_t bytes)
{
	event = (struct taf_event){ .kind = TAF_ALLOC, .phase = TAF_BEGIN, .bytes = bytes };
}

static void judges_an_allocation(void **state)
{
	(void)state;
	world("memory.max_single_alloc=1GiB", 0, 8 * GIB, 8 * GIB);
	take(GIB);
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	take(GIB + 1);
	assert_int_equal(decide()->action, TAF_ACT_WARN);
	assert_string_equal(rule(), "memory.max_single_alloc");
	/* Said once; a refusal is said each time. */
	facts.memory.told = TAF_TOLD_SINGLE;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	taf_rules_set_many(&rules, "memory.on_misfit=refuse", NULL, NULL);
	assert_int_equal(decide()->action, TAF_ACT_REFUSE);
	/* Inside an allocation nobody waits: it fails at once. */
	taf_rules_set_many(&rules, "memory.on_misfit=wait", NULL, NULL);
	facts.memory.told = 0;
	assert_int_equal(decide()->action, TAF_ACT_REFUSE);

	world("memory.limit=4GiB;memory.on_misfit=refuse", 0, 8 * GIB, 8 * GIB);
	take(GIB);
	facts.memory.own = 3 * GIB;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	facts.memory.own++;
	assert_int_equal(decide()->action, TAF_ACT_REFUSE);
	assert_string_equal(rule(), "memory.limit");
	facts.fits_anyway = true;
	assert_int_equal(decide()->action, TAF_ACT_WARN);
}

static void warns_of_a_device_that_fills_up(void **state)
{
	static const enum taf_kind kinds[] = { TAF_LOAD, TAF_INFER, TAF_ALLOC };

	(void)state;
	for (int i = 0; i < 3; i++) {
		world("memory.on_misfit=refuse", 0, 100 * GB, 33 * GB);
		event.kind = kinds[i];
		decide();
		assert_int_equal(verdict.action, TAF_ACT_ALLOW);
		facts.memory.free--;
		assert_int_equal(decide()->action, TAF_ACT_WARN);
		assert_string_equal(rule(), "memory.warn");
		facts.memory.told = TAF_TOLD_WARN;
		decide();
		assert_int_equal(verdict.action, TAF_ACT_ALLOW);
		facts.memory.free = 18 * GB - 1;
		assert_int_equal(decide()->action, TAF_ACT_WARN);
		assert_string_equal(rule(), "memory.critical");
		facts.memory.told |= TAF_TOLD_CRITICAL;
		decide();
		assert_int_equal(verdict.action, TAF_ACT_ALLOW);
		event.phase = TAF_END;
		facts.memory.told = 0;
		decide();
		assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	}
}

static void warns_of_growth(void **state)
{
	(void)state;
	world("memory.growth_per_min=1GiB;memory.growth_per_infer=1MiB;memory.on_misfit=refuse", 0,
	      64 * GIB, 64 * GIB);
	event.kind = TAF_INFER;
	facts.memory.growth_per_min = GIB;
	facts.memory.growth_per_infer = MIB;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	facts.memory.growth_per_min++;
	assert_int_equal(decide()->action, TAF_ACT_WARN);
	assert_string_equal(rule(), "memory.growth_per_min");
	facts.memory.told = TAF_TOLD_MIN;
	facts.memory.growth_per_infer++;
	assert_int_equal(decide()->action, TAF_ACT_WARN);
	assert_string_equal(rule(), "memory.growth_per_infer");
	facts.memory.told |= TAF_TOLD_INFER;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	/* Off means off. */
	world("", 0, 64 * GIB, 64 * GIB);
	event.kind = TAF_INFER;
	facts.memory.growth_per_min = facts.memory.growth_per_infer = 60 * GIB;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
}

static void a_limit_of_0_is_one_like_any_other(void **state)
{
	static const char *const limits[] = { "memory.limit", "memory.max_single_alloc" };
	static const char *const values[] = { "0MiB", "0B", "0%" };
	char sets[96];

	(void)state;
	for (int i = 0; i < 6; i++) {
		snprintf(sets, sizeof(sets), "%s=%s;memory.on_misfit=refuse", limits[i / 3],
			 values[i % 3]);
		world(sets, 1, 64 * GIB, 64 * GIB);
		event.kind = TAF_ALLOC;
		assert_int_equal(decide()->action, TAF_ACT_REFUSE);
		assert_string_equal(rule(), limits[i / 3]);
		event.kind = TAF_LOAD;
		decide();
		assert_string_equal(rule(), i < 3 ? limits[0] : "none");
		/* A share of what nobody knows is none. */
		world(sets, 1, 0, 0);
		event.kind = TAF_ALLOC;
		decide();
		assert_int_equal(verdict.action == TAF_ACT_REFUSE, i % 3 != 2);
	}
	world("memory.growth_per_min=0B;memory.growth_per_infer=0B", 0, 64 * GIB, 64 * GIB);
	event.kind = TAF_INFER;
	decide();
	assert_int_equal(verdict.action, TAF_ACT_ALLOW);
	facts.memory.growth_per_min = 1;
	assert_int_equal(decide()->action, TAF_ACT_WARN);
	assert_string_equal(rule(), "memory.growth_per_min");
	facts.memory.growth_per_min = 0;
	facts.memory.growth_per_infer = 1;
	assert_int_equal(decide()->action, TAF_ACT_WARN);
	assert_string_equal(rule(), "memory.growth_per_infer");
	assert_string_equal(verdict.said[0].about, "a generation");
	event.engine = TAF_ENGINE_CUDA; /* which has none */
	decide();
	assert_string_equal(verdict.said[0].about, "a burst");
}

static void a_size_of_machine_stands_for_numbers(void **state)
{
	(void)state;
	world("memory.headroom=tier;memory.growth_per_min=tier;memory.on_misfit=refuse", GB, 8 * GB,
	      3 * GB);
	taf_fit_tier(&facts.memory, (const struct taf_registry *)taf_registry_builtin);
	facts.memory.overhead = 0;
	decide(); /* 2 GB stay free on a small one */
	assert_string_equal(rule(), "none");
	facts.memory.free--;
	assert_int_equal(decide()->action, TAF_ACT_REFUSE);
	assert_string_equal(rule(), "memory.headroom");
	facts.memory.free = 8 * GB;
	facts.memory.growth_per_min = GB / 2 + 1;
	assert_int_equal(decide()->action, TAF_ACT_WARN);
	assert_string_equal(rule(), "memory.growth_per_min");
}

static void a_big_machine_needs_no_more(void **state)
{
	struct taf_memory m = { .total = 8 * GB };

	(void)state;
	taf_fit_tier(&m, (const struct taf_registry *)taf_registry_builtin);
	assert_int_equal(m.overhead, 3 * GB);
	m.total = 48 * GB;
	taf_fit_tier(&m, (const struct taf_registry *)taf_registry_builtin);
	assert_int_equal(m.overhead, 2 * GB);
	m.total = 0;
	taf_fit_tier(&m, (const struct taf_registry *)taf_registry_builtin);
	assert_int_equal(m.overhead, 0);
}

static void amounts_are_exact(void **state)
{
	struct taf_amount half = { .is = TAF_AMOUNT_PCT, .pct = 50 },
			  all = { .is = TAF_AMOUNT_PCT, .pct = 100 },
			  size = { .is = TAF_AMOUNT_BYTES, .bytes = 7 },
			  none = { .is = TAF_AMOUNT_NONE, .bytes = 9 };

	(void)state;
	assert_int_equal(taf_amount_bytes(&half, 99), 49);
	assert_true(taf_amount_bytes(&all, UINT64_MAX) == UINT64_MAX);
	assert_int_equal(taf_amount_bytes(&size, 3), 7);
	assert_int_equal(taf_amount_bytes(&none, 3), 0);
	assert_true(taf_plus(UINT64_MAX, 1) == UINT64_MAX);
	assert_int_equal(taf_less(1, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_as_the_table_says),
		cmocka_unit_test(a_limit_of_0_is_one_like_any_other),
		cmocka_unit_test(a_refusal_says_its_numbers),
		cmocka_unit_test(says_what_is_used_and_grown),
		cmocka_unit_test(drains_before_it_judges),
		cmocka_unit_test(a_wait_ends_with_a_warning),
		cmocka_unit_test(the_user_may_say_that_it_fits),
		cmocka_unit_test(counts_models),
		cmocka_unit_test(judges_a_context),
		cmocka_unit_test(knows_what_it_does_not_know),
		cmocka_unit_test(judges_an_allocation),
		cmocka_unit_test(warns_of_a_device_that_fills_up),
		cmocka_unit_test(warns_of_growth),
		cmocka_unit_test(a_size_of_machine_stands_for_numbers),
		cmocka_unit_test(a_big_machine_needs_no_more),
		cmocka_unit_test(amounts_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
