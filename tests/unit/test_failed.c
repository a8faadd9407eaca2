/* SPDX-License-Identifier: MIT */
/* test_failed.c -- what the rules let a process do whose computation has failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../policy/policy.h"

static struct taf_rules rules;
static struct taf_facts facts;
static struct taf_event event;
static struct taf_verdict verdict;

static int fresh(void **state)
{
	(void)state;
	taf_rules_default(&rules);
	memset(&facts, 0, sizeof(facts));
	event = (struct taf_event){ .kind = TAF_LOAD, .phase = TAF_BEGIN };
	return 0;
}

static enum taf_action ask(void)
{
	struct taf_question q = { &rules, &event, &facts };

	taf_verdict_init(&verdict);
	taf_failed(&q, &verdict);
	return verdict.action;
}

static void set(const char *word)
{
	assert_int_equal(taf_rules_set(&rules, "on_error", word, NULL), 0);
}

static void only_poison_refuses_and_only_after_a_failure(void **state)
{
	static const char *const others[] = { "note", "reset", "restart" };

	(void)state;
	set("poison");
	assert_int_equal(ask(), TAF_ACT_ALLOW);
	facts.has_failed = true;
	assert_int_equal(ask(), TAF_ACT_REFUSE);
	assert_int_equal(verdict.rule, TAF_RULE_on_error);
	assert_non_null(strstr(verdict.said[0].about, "start the program again"));
	for (size_t i = 0; i < 3; i++) {
		set(others[i]);
		assert_int_equal(ask(), TAF_ACT_ALLOW);
	}
}

static void only_loads_are_refused(void **state)
{
	(void)state;
	set("poison");
	facts.has_failed = true;
	event.phase = TAF_END;
	assert_int_equal(ask(), TAF_ACT_ALLOW);
	event.phase = TAF_BEGIN;
	for (int kind = 0; kind < TAF_KIND_COUNT; kind++) {
		event.kind = (enum taf_kind)kind;
		assert_int_equal(ask(), kind == TAF_LOAD ? TAF_ACT_REFUSE : TAF_ACT_ALLOW);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_poison_refuses_and_only_after_a_failure),
		TEST(only_loads_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
