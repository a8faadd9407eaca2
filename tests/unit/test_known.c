/* SPDX-License-Identifier: MIT */
/* test_known.c -- the rule about models and versions known to make trouble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../policy/policy.h"

static struct taf_rules rules;
static struct taf_facts facts;
static struct taf_event event;
static struct taf_verdict verdict;

static const struct taf_answer *ask(void)
{
	struct taf_question q = { &rules, &event, &facts };

	taf_verdict_init(&verdict);
	taf_known(&q, &verdict);
	return taf_verdict_why(&verdict);
}

static int setup(void **state)
{
	(void)state;
	taf_rules_default(&rules);
	facts = (struct taf_facts){ .tier = TAF_TIER_NONE };
	event = (struct taf_event){ .kind = TAF_LOAD, .phase = TAF_BEGIN, .model = "a/b" };
	return 0;
}

static void test_tiers(void **state)
{
	static const int rule[] = { [TAF_TIER_DEGRADATION] = TAF_RULE_models_on_degradation,
				    [TAF_TIER_ABORT] = TAF_RULE_models_on_abort,
				    [TAF_TIER_PANIC] = TAF_RULE_models_on_panic };

	(void)state;
	assert_null(ask());
	for (int tier = TAF_TIER_DEGRADATION; tier <= TAF_TIER_PANIC; tier++) {
		const struct taf_answer *a;

		facts.tier = (enum taf_tier)tier;
		facts.tier_why = "gpu_hang; do not";
		a = ask();
		assert_non_null(a);
		assert_int_equal(a->action, TAF_ACT_WARN);
		assert_int_equal(a->rule, rule[tier]);
		assert_non_null(strstr(a->about, "known to "));
		assert_non_null(strstr(a->about, ": gpu_hang; do not"));
	}
	facts.tier = (enum taf_tier)99;
	assert_null(ask());
}

/* Nothing ends it, so a wait is a refusal; each setting is for its own tier. */
static void test_words(void **state)
{
	(void)state;
	facts.tier = TAF_TIER_ABORT;
	rules.models_on_panic = TAF_ON_REFUSE;
	assert_int_equal(ask()->action, TAF_ACT_WARN);
	rules.models_on_abort = TAF_ON_WAIT;
	assert_int_equal(ask()->action, TAF_ACT_REFUSE);
	assert_int_equal(verdict.wait_ms, 0);
	assert_int_equal(ask()->pass_ms, TAF_PASS_UNKNOWN);
	rules.models_on_abort = TAF_ON_REFUSE;
	assert_int_equal(ask()->action, TAF_ACT_REFUSE);
}

static void test_versions(void **state)
{
	(void)state;
	facts.version_hit = "mlx 0.31.2 (critical): it crashes";
	assert_int_equal(ask()->rule, TAF_RULE_versions_on_hit);
	assert_string_equal(ask()->about, facts.version_hit);
	rules.versions_on_hit = TAF_ON_REFUSE;
	assert_int_equal(ask()->action, TAF_ACT_REFUSE);
	/* both at once: the stricter names it, none is lost */
	facts.tier = TAF_TIER_PANIC;
	assert_int_equal(ask()->rule, TAF_RULE_versions_on_hit);
	assert_int_equal(verdict.n_said, 2);
}

static void test_moments(void **state)
{
	(void)state;
	facts.tier = TAF_TIER_PANIC;
	facts.version_hit = "x";
	event.kind = TAF_START;
	assert_int_equal(ask()->rule, TAF_RULE_versions_on_hit);
	assert_int_equal(verdict.n_said, 1); /* there is no model yet */
	event.kind = TAF_INFER;
	assert_null(ask());
	event.kind = TAF_LOAD;
	event.phase = TAF_END;
	assert_null(ask());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tiers, setup),
		cmocka_unit_test_setup(test_words, setup),
		cmocka_unit_test_setup(test_versions, setup),
		cmocka_unit_test_setup(test_moments, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
