/* SPDX-License-Identifier: MIT */
/* test_breaker.c -- the breaker: when it opens, how long, for what, and what is stored. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gate_kit.h"

static struct taf_breaker_state b;

static void broken(bool is_open, uint32_t count, uint64_t pass_ms)
{
	struct taf_breaker_question ask = { &rules, &l, q.now };

	taf_breaker_judge(&ask, &b);
	assert_int_equal(b.is_open, is_open);
	assert_int_equal(b.count, count);
	assert_true(b.pass_ms == pass_ms);
}

static void test_breaker(void **state)
{
	(void)state;
	broken(false, 0, 0);
	panic(HOUR);
	broken(false, 1, 0);
	panic(1);
	broken(true, 2, HOUR);
	l.event[0].at = ago(HOUR + 1);
	broken(false, 1, 0);
	set("breaker.threshold", "1");
	broken(true, 1, HOUR);
}

static void test_breaker_is_stored(void **state)
{
	(void)state;
	panic(50 * MIN);
	panic(40 * MIN);
	assert_true(taf_breaker_update(&l, &rules, &q.now));
	assert_false(taf_breaker_update(&l, &rules, &q.now));
	/* It stays open though they leave the window. */
	q.now.boot_ms += 30 * MIN;
	q.now.utc_ms += 30 * MIN;
	broken(true, 2, 30 * MIN);
	q.now.boot_ms += 30 * MIN;
	q.now.utc_ms += 30 * MIN;
	broken(false, 0, 0);
	/* A stored time far ahead is one cooldown at most. */
	l.breaker.for_ms = 100 * HOUR;
	l.breaker.opened = q.now;
	broken(true, 2, HOUR);
	/* Closed by hand: what was before counts no more. */
	l.event[1].at = q.now;
	l.event[0].at = q.now;
	l.breaker.for_ms = 0;
	broken(false, 0, 0);
}

static void test_breaker_counts_gpu_panics(void **state)
{
	(void)state;
	set("breaker.threshold", "1");
	add(TAF_SEVERITY_PANIC, MIN, "unknown");
	add(TAF_SEVERITY_PANIC, MIN, "kernel_panic");
	add(TAF_SEVERITY_PANIC, MIN, "iogpu_panic")->is_suspected = true;
	add(TAF_SEVERITY_MACHINE, MIN, "xid_79");
	abort_at(MIN);
	add(TAF_SEVERITY_PANIC, MIN, "iogpu_panic")->at =
		(struct taf_moment){ .utc_ms = NOW + 1000 };
	broken(false, 0, 0);
	set("cooldown.classes", "xid_79:5");
	broken(true, 1, HOUR);
}

static void test_breaker_as_a_rule(void **state)
{
	const struct taf_answer *a;
	struct taf_verdict v;

	(void)state;
	set("cooldown.mode", "off");
	set("breaker.on_open", "refuse");
	panic(MIN);
	panic(2 * MIN);
	a = decide(TAF_LOAD, &v);
	assert_int_equal(v.action, TAF_ACT_REFUSE);
	assert_int_equal(a->rule, TAF_RULE_breaker_threshold);
	assert_true(a->have == 2 && a->need == 2 && a->pass_ms == HOUR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_breaker),
		CASE(test_breaker_is_stored),
		CASE(test_breaker_counts_gpu_panics),
		CASE(test_breaker_as_a_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
