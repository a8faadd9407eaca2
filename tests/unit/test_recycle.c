/* SPDX-License-Identifier: MIT */
/* test_recycle.c -- when a restart is due, and what a load is answered then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../policy/recycle.h"

static struct taf_rules rules;
static struct taf_facts facts;
static struct taf_answer due[TAF_RECYCLE_REASONS];
static struct taf_event load = { .kind = TAF_LOAD, .phase = TAF_BEGIN };
static struct taf_verdict verdict;

static int fresh(void **state)
{
	(void)state;
	taf_rules_default(&rules);
	memset(&facts, 0, sizeof(facts));
	return 0;
}

static int reasons(void)
{
	return taf_recycle_due(&rules, &facts, due);
}

static const struct taf_verdict *ask(void)
{
	struct taf_question q = { &rules, &load, &facts };

	taf_verdict_init(&verdict);
	taf_recycle(&q, &verdict);
	return &verdict;
}

static void set(const char *path, const char *value)
{
	assert_int_equal(taf_rules_set(&rules, path, value, NULL), 0);
}

static void nothing_known_is_never_due(void **state)
{
	(void)state;
	set("recycle.footprint", "50%");
	set("recycle.inferences", "0");
	facts.footprint = UINT64_MAX;
	facts.resources = UINT64_MAX;
	facts.infers = UINT64_MAX;
	facts.uptime_ms = UINT64_MAX;
	assert_int_equal(reasons(), 0);
}

static void each_at_its_edge(void **state)
{
	(void)state;
	facts.resource_limit = 499000;
	facts.resources = 474049;
	assert_int_equal(reasons(), 0);
	facts.resources = 474050; /* 95 % */
	assert_int_equal(reasons(), 1);
	assert_int_equal(due[0].rule, TAF_RULE_recycle_resource_pct);
	assert_int_equal(due[0].have, 474050);
	facts.infers = 3999;
	assert_int_equal(reasons(), 1);
	facts.infers = 4000;
	set("recycle.footprint", "10%");
	facts.memory.total = 1000;
	facts.footprint = 99;
	set("recycle.uptime", "1h");
	facts.uptime_ms = TAF_HOUR_MS - 1;
	assert_int_equal(reasons(), 2);
	facts.footprint = 100;
	facts.uptime_ms = TAF_HOUR_MS;
	assert_int_equal(reasons(), 4);
}

static void only_a_load_after_a_generation_is_answered(void **state)
{
	(void)state;
	set("recycle.on_due", "refuse");
	set("recycle.uptime", "1s");
	facts.uptime_ms = 5000;
	assert_int_equal(ask()->action, TAF_ACT_ALLOW);
	facts.infers = 1;
	assert_int_equal(ask()->action, TAF_ACT_REFUSE);
	load.is_companion = true;
	assert_int_equal(ask()->action, TAF_ACT_ALLOW);
	load.is_companion = false;
	load.kind = TAF_INFER;
	assert_int_equal(ask()->action, TAF_ACT_ALLOW);
	load.kind = TAF_LOAD;
	set("recycle.on_due", "warn");
	assert_int_equal(ask()->action, TAF_ACT_WARN);
}

static void a_wait_has_its_cap(void **state)
{
	(void)state;
	set("recycle.on_due", "wait");
	facts.infers = 4000;
	assert_int_equal(ask()->action, TAF_ACT_WAIT);
	facts.waited_ms = 30000;
	assert_int_equal(ask()->action, TAF_ACT_WARN);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_known_is_never_due),
		TEST(each_at_its_edge),
		TEST(only_a_load_after_a_generation_is_answered),
		TEST(a_wait_has_its_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
