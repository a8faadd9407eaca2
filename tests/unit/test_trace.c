/* SPDX-License-Identifier: MIT */
/* test_trace.c -- where the time of a request goes: every moment once, whoever waits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../policy/trace.h"

#define US 1000ull
#define MS 1000000ull

static struct taf_trace t;
static struct taf_trace_sum sum;

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	return 0;
}

static uint64_t parts(void)
{
	uint64_t n = 0;

	taf_trace_end(&t, 0, &sum);
	for (int i = 0; i < TAF_PARTS; i++)
		n += sum.us[i];
	return n;
}

static void a_request_is_the_sum_of_its_parts_and_the_rest(void **state)
{
	struct taf_trace_span s;

	(void)state;
	taf_trace_begin(&t, 100 * MS);
	s = taf_trace_open(&t, 101 * MS);
	taf_trace_close(&t, TAF_PART_PREFILL, &s, 111 * MS);
	taf_trace_step(&t, &(struct taf_trace_step){ .is_prompt = true, .wait_ns = 4 * MS });
	taf_trace_synced(&t, taf_trace_wait(&t, TAF_PART_SYNC, 112 * MS, 115 * MS));
	s = taf_trace_open(&t, 116 * MS);
	taf_trace_close(&t, TAF_PART_DECODE, &s, 118 * MS);
	taf_trace_step(&t, &(struct taf_trace_step){ .tokens = 1, .wait_ns = 1 * MS });
	taf_trace_synced(&t, taf_trace_wait(&t, TAF_PART_SYNC, 118 * MS, 119 * MS));
	assert_int_equal(parts(), 16000);
	taf_trace_end(&t, 118 * MS, &sum);
	assert_int_equal(sum.wall_us, 19000); /* the wait behind the last token is a part of it */
	assert_int_equal(sum.wait_us, 9000);
	assert_int_equal(sum.host_us, 10000);
	assert_int_equal(sum.us[TAF_PART_PREFILL], 10000);
	assert_int_equal(sum.us[TAF_PART_DECODE], 2000);
	assert_int_equal(sum.us[TAF_PART_SYNC], 4000);
	assert_int_equal(t.tokens, 1);
	assert_int_equal(t.submits, 1);
	assert_int_equal(t.syncs, 1);
	assert_int_equal(t.prompt_submits, 1);
	assert_int_equal(t.prompt_syncs, 1);
	taf_trace_end(&t, 130 * MS, &sum);
	assert_int_equal(sum.wall_us, 30000);
}

/* A drain inside a wait that a rule asked for. */
static void what_lies_in_a_span_is_no_part_of_it(void **state)
{
	struct taf_trace_span held, drain;

	(void)state;
	taf_trace_begin(&t, 0);
	held = taf_trace_open(&t, 10 * MS);
	drain = taf_trace_open(&t, 20 * MS);
	taf_trace_close(&t, TAF_PART_DRAIN, &drain, 25 * MS);
	taf_trace_close(&t, TAF_PART_HELD, &held, 60 * MS);
	taf_trace_end(&t, 60 * MS, &sum);
	assert_int_equal(sum.us[TAF_PART_DRAIN], 5000);
	assert_int_equal(sum.us[TAF_PART_HELD], 45000);
	assert_int_equal(sum.wait_us, 5000);
	assert_int_equal(parts(), 50000);
}

/* Two threads in waits that overlap: one inside of the other's, one across its end. */
static void a_moment_counts_once(void **state)
{
	struct taf_trace_span a, b;

	(void)state;
	taf_trace_begin(&t, 0);
	a = taf_trace_open(&t, 0);
	b = taf_trace_open(&t, 3 * MS);
	taf_trace_close(&t, TAF_PART_DECODE, &b, 5 * MS);
	taf_trace_close(&t, TAF_PART_DECODE, &a, 10 * MS);
	assert_int_equal(parts(), 10000);
	a = taf_trace_open(&t, 20 * MS);
	b = taf_trace_open(&t, 25 * MS);
	taf_trace_close(&t, TAF_PART_DECODE, &a, 30 * MS);
	taf_trace_close(&t, TAF_PART_DECODE, &b, 35 * MS);
	assert_int_equal(parts(), 25000);
	assert_int_equal(taf_trace_wait(&t, TAF_PART_SYNC, 21 * MS, 33 * MS), 0);
	assert_int_equal(taf_trace_wait(&t, TAF_PART_SYNC, 34 * MS, 36 * MS), 1 * MS);
}

/* Whatever overlaps, in whatever order: never more than the wall time. */
static void parts_never_exceed_the_wall(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct taf_trace_span open[4];
		bool is_open[4] = { false };
		uint64_t now = 1000 * MS;

		memset(&t, 0, sizeof(t));
		taf_trace_begin(&t, now);
		for (int i = 0; i < 40; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			now += (seed >> 33) % (5 * MS);
			int k = (int)(seed >> 60) % 4;

			if (is_open[k])
				taf_trace_close(&t, (enum taf_part)(k + 1), &open[k], now);
			else if ((seed >> 40) % 5 == 0)
				taf_trace_wait(&t, TAF_PART_SYNC, now - 3 * MS, now);
			else
				open[k] = taf_trace_open(&t, now);
			is_open[k] = !is_open[k] && (seed >> 40) % 5 != 0;
		}
		assert_true(t.counted_ns <= now - 1000 * MS);
		taf_trace_end(&t, now, &sum);
		assert_true(parts() <= sum.wall_us);
		assert_true(sum.wait_us <= sum.wall_us);
		assert_int_equal(sum.wait_us + sum.host_us, sum.wall_us);
	}
}

static void a_drain_that_the_last_one_owed_is_of_the_next(void **state)
{
	struct taf_trace_span s;

	(void)state;
	s = taf_trace_open(&t, 12 * MS);
	taf_trace_close(&t, TAF_PART_DRAIN, &s, 15 * MS);
	taf_trace_begin(&t, 10 * MS);
	taf_trace_end(&t, 20 * MS, &sum);
	assert_int_equal(sum.us[TAF_PART_DRAIN], 3000);
	assert_int_equal(sum.wall_us, 10000);
	assert_int_equal(sum.wait_us, 3000);
}

static void the_load_comes_on_top_of_the_wall(void **state)
{
	(void)state;
	taf_trace_begin(&t, 50 * MS);
	taf_trace_owes(&t, TAF_PART_LOAD, 40 * MS);
	taf_trace_owes(&t, TAF_PART_HELD, 7 * MS);
	taf_trace_owes(&t, TAF_PART_DRAIN, 2 * MS);
	taf_trace_end(&t, 60 * MS, &sum);
	assert_int_equal(sum.us[TAF_PART_LOAD], 40000);
	assert_int_equal(sum.us[TAF_PART_HELD], 7000);
	assert_int_equal(sum.wall_us, 59000);
	assert_int_equal(sum.wait_us, 2000);
	assert_int_equal(sum.host_us, 57000);
}

/* MLX: what was evaluated before the first token was the prompt after all. */
static void tokens_can_turn_out_to_be_the_prompt(void **state)
{
	struct taf_trace_span s;
	struct taf_trace_step eval = { .tokens = 1, .is_sync = true, .wait_ns = 2 * US };

	(void)state;
	taf_trace_begin(&t, 0);
	s = taf_trace_open(&t, 0);
	taf_trace_close(&t, TAF_PART_DECODE, &s, 8 * US);
	taf_trace_step(&t, &eval);
	taf_trace_was_prompt(&t);
	taf_trace_end(&t, 0, &sum);
	assert_int_equal(sum.us[TAF_PART_PREFILL], 8);
	assert_int_equal(sum.us[TAF_PART_DECODE], 0);
	assert_int_equal(t.tokens + t.submits + t.syncs, 0);
	assert_int_equal(t.prompt_submits, 1);
	assert_int_equal(t.prompt_syncs, 1);
	taf_trace_synced(&t, 0);
	assert_int_equal(t.prompt_syncs, 2);
}

static void one_in_four_goes_untraced_and_never_the_first(void **state)
{
	int traced = 0;

	(void)state;
	assert_true(taf_trace_picks(0));
	assert_false(taf_trace_picks(1));
	for (uint64_t n = 0; n < 400; n++)
		traced += taf_trace_picks(n);
	assert_int_equal(traced, 300);
}

static void every_part_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(taf_part_name(TAF_PART_LOAD), "load");
	assert_string_equal(taf_part_name(TAF_PART_HELD), "held");
	for (int i = 0; i < TAF_PARTS; i++)
		assert_true(taf_part_name((enum taf_part)i)[0] != '\0');
	assert_string_equal(taf_part_name(TAF_PARTS), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_request_is_the_sum_of_its_parts_and_the_rest, setup),
		cmocka_unit_test_setup(what_lies_in_a_span_is_no_part_of_it, setup),
		cmocka_unit_test_setup(a_moment_counts_once, setup),
		cmocka_unit_test_setup(parts_never_exceed_the_wall, setup),
		cmocka_unit_test_setup(a_drain_that_the_last_one_owed_is_of_the_next, setup),
		cmocka_unit_test_setup(the_load_comes_on_top_of_the_wall, setup),
		cmocka_unit_test_setup(tokens_can_turn_out_to_be_the_prompt, setup),
		cmocka_unit_test(one_in_four_goes_untraced_and_never_the_first),
		cmocka_unit_test(every_part_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
