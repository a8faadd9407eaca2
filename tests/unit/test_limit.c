/* SPDX-License-Identifier: MIT */
/* test_limit.c -- what a program is told of its limits, against an engine that is told less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../shim/life.h"
#include "../../shim/limit.h"

#define MIB (1ull << 20)

/* An engine that remembers: each setting gives the one before. */
static uint64_t engine;

static uint64_t theirs(uint64_t n)
{
	uint64_t before = engine;

	engine = n;
	return before;
}

/* One call of the program, as hooks/mlx.c makes it. */
static uint64_t set(enum taf_limit which, uint64_t asked)
{
	char buf[128];
	struct taf_text why;
	struct taf_limit_set s = { .asked = asked, .is_kept = true };
	uint64_t before = 0;

	taf_text_init(&why, buf, sizeof(buf));
	s.is_told = taf_limit_grant(which, asked, &s.granted, &why);
	if (s.is_told)
		before = theirs(s.granted);
	return taf_limit_answer(which, &s, before);
}

static int fresh(void **state)
{
	(void)state;
	memset(&taf_rules, 0, sizeof(taf_rules));
	taf_rules.mode = TAF_MODE_ENFORCE;
	taf_limit_forget();
	engine = 0;
	return 0;
}

static void bytes(struct taf_amount *a, uint64_t n)
{
	a->is = TAF_AMOUNT_BYTES;
	a->bytes = n;
}

/* The sequence of a program and what the engine alone would answer to each call. */
static void answers(enum taf_limit which, uint64_t own)
{
	static const uint64_t asks[] = {
		8 * MIB, 1 * MIB, 64 * MIB, 64 * MIB, 2 * MIB, 0, 9 * MIB
	};
	uint64_t before = own;

	for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
		assert_int_equal(set(which, asks[i]), before);
		before = asks[i];
	}
}

static void as_asked(void **state)
{
	(void)state;
	engine = 5 * MIB;
	answers(TAF_LIMIT_CACHE, 5 * MIB);
	assert_int_equal(engine, 9 * MIB);
}

static void clamps(void **state)
{
	(void)state;
	bytes(&taf_rules.limits_cache, 4 * MIB);
	engine = 5 * MIB;
	answers(TAF_LIMIT_CACHE, 5 * MIB);
	assert_int_equal(engine, 4 * MIB);
	assert_int_equal(taf_limit_seen(TAF_LIMIT_CACHE, engine), 9 * MIB);
	assert_int_equal(taf_limit_in_force(TAF_LIMIT_CACHE), 4 * MIB);
	assert_int_equal(set(TAF_LIMIT_CACHE, 3 * MIB), 9 * MIB);
	assert_int_equal(engine, 3 * MIB);
	assert_int_equal(taf_limit_seen(TAF_LIMIT_CACHE, engine), 3 * MIB);
}

static void swallows(void **state)
{
	(void)state;
	taf_rules.limits_wired.is = TAF_AMOUNT_SWALLOW;
	answers(TAF_LIMIT_WIRED, 0);
	assert_int_equal(engine, 0);
	assert_int_equal(taf_limit_in_force(TAF_LIMIT_WIRED), 0);
}

/* Zero is an amount like any other, for what is wired as well. */
static void grants_nothing(void **state)
{
	static const enum taf_amount_is kinds[] = { TAF_AMOUNT_BYTES, TAF_AMOUNT_PCT };
	uint64_t granted;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		fresh(state);
		taf_rules.limits_wired.is = kinds[i];
		taf_rules.limits_cache.is = kinds[i];
		engine = 5 * MIB;
		assert_false(taf_limit_due(TAF_LIMIT_WIRED, &granted));
		assert_true(taf_limit_due(TAF_LIMIT_CACHE, &granted));
		assert_int_equal(granted, 0);
		answers(TAF_LIMIT_CACHE, 5 * MIB);
		assert_int_equal(engine, 0);
		engine = 0;
		answers(TAF_LIMIT_WIRED, 0);
		assert_int_equal(engine, 0);
	}
}

/* MLX without Metal forgets what is wired: the program must not be told otherwise. */
static void forgets(void **state)
{
	struct taf_limit_set s = { .asked = 8 * MIB, .granted = 4 * MIB, .is_told = true };

	(void)state;
	assert_int_equal(taf_limit_answer(TAF_LIMIT_WIRED, &s, 0), 0);
	assert_int_equal(taf_limit_answer(TAF_LIMIT_WIRED, &s, 0), 0);
	s.is_told = false;
	assert_int_equal(taf_limit_answer(TAF_LIMIT_WIRED, &s, 0), 0);
	s.is_told = true;
	s.granted = 0;
	assert_int_equal(taf_limit_answer(TAF_LIMIT_WIRED, &s, 0), 0);
	assert_int_equal(taf_limit_answer(TAF_LIMIT_WIRED, &s, 0), 0);
}

static void observes(void **state)
{
	(void)state;
	taf_rules.mode = TAF_MODE_OBSERVE;
	bytes(&taf_rules.limits_cache, 4 * MIB);
	engine = 5 * MIB;
	answers(TAF_LIMIT_CACHE, 5 * MIB);
	assert_int_equal(engine, 9 * MIB);
}

/* Set before the program asks: it still finds what the engine had. */
static void imposes(void **state)
{
	uint64_t granted;

	(void)state;
	bytes(&taf_rules.limits_cache, 4 * MIB);
	engine = 32 * MIB;
	assert_false(taf_limit_due(TAF_LIMIT_MEMORY, &granted));
	assert_false(taf_limit_due(TAF_LIMIT_WIRED, &granted));
	assert_true(taf_limit_due(TAF_LIMIT_CACHE, &granted));
	assert_int_equal(granted, 4 * MIB);
	taf_limit_own(TAF_LIMIT_CACHE, theirs(granted), granted);
	assert_false(taf_limit_due(TAF_LIMIT_CACHE, &granted));
	assert_int_equal(taf_limit_seen(TAF_LIMIT_CACHE, engine), 32 * MIB);
	answers(TAF_LIMIT_CACHE, 32 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(as_asked, fresh),
		cmocka_unit_test_setup(clamps, fresh),
		cmocka_unit_test_setup(swallows, fresh),
		cmocka_unit_test_setup(grants_nothing, fresh),
		cmocka_unit_test_setup(forgets, fresh),
		cmocka_unit_test_setup(observes, fresh),
		cmocka_unit_test_setup(imposes, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
