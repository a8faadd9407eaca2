/* SPDX-License-Identifier: MIT */
/* test_served.c -- the records of requests that one thread computes for: their begins and ends,
 * the drains between, and that tokens and submits add up. */
#include "served_kit.h"

static void requests_one_behind_the_other(void **state)
{
	(void)state;
	taf_rules.drain_post_clear = true;
	expect("M1 A1E1W A1E2Wa A1E2Wa M1 A1E1W A1E2Wa A1E1W A1E2Wa A1E2Wa",
	       "b1 e1:2 s c b4 e4:1 s c b7 e7:2 s c ");
}

static void requests_beside_each_other(void **state)
{
	(void)state;
	taf_rules.drain_post_sync = true;
	/* The second is done first; the third comes in as only one is left. */
	expect("M1 A1E1W A1E2W M1 a A1E2W A1E1W a A2E3W aa A1E2W M1 a A1E2W A1E1W a A2E3W aa",
	       "b1 b2 e1:3 s b5 e2:4 e5:1 s ");
	assert_int_equal(tokens, 3 + 4 + 1);
	assert_int_equal(requests, 3);
	assert_int_equal(most, 2);
}

/* Who comes in beside others is not drained for before. */
static void a_drain_before(void **state)
{
	(void)state;
	taf_rules.drain_pre_clear = true;
	expect("M1 A1E1W A1E2W M1 a A1E2W A1E1W a A2E3W aa A2E3Waa M1 A1E1W A1E2Wa",
	       "s c b3 b4 e3:4 e4:2 s c b7 e7:1 ");
}

/* The long way of drains is not gone through where no rule asks for one. */
static void all_at_once(void **state)
{
	(void)state;
	expect("M3 A3E1W A3E4Waaa A3E4Waaa A1E2Wa", "b1 b2 b3 e1:2 e2:2 e3:3 ");
}

/* By old ones, of which the beginning of a follower shows with its second A. */
static void ahead(void **state)
{
	(void)state;
	expect("M1 A1A1Wa A1Wa A1A1Wa A1Wa", "b1 e1:2 b2 e2:2 ");
}

static void first_tokens_apart(void **state)
{
	(void)state;
	taf_rules.drain_post_clear = true;
	expect("P1 A1F1 A1E1W A1E1W M1 P1 A1F1 A1E1W A1E1W A1E1W", "b1 b2 e1:2 s c e2:3 s c ");
	assert_int_equal(requests, 2);
	assert_int_equal(most, 1);
}

/* What was begun before the first check is taken back. */
static void drafts(void **state)
{
	(void)state;
	taf_rules.drain_post_clear = true;
	expect("M1M1 A1A1A1D3WWa A1A1A1D3WWaaa A1D1aa M1M1 A1A1A1D3WWaa M1 A1E1W A1E2Wa",
	       "b1 e1:6 s c b4 e4:2 s c b7 e7:1 s c ");
	assert_int_equal(requests, 3);
	assert_int_equal(steps, 0);
}

static void drafts_that_nobody_asks_about(void **state)
{
	(void)state;
	expect("M1M1 A1A1A1D3WW A1A1A1D3WW M1M1 A1D1W", "b1 e1:2 b2 e2:1 ");
	assert_int_equal(requests, 0);
	assert_int_equal(steps, 3);
}

static void more_than_there_is_room_for(void **state)
{
	(void)state;
	compute("M70 A70E1W");
	assert_int_equal(begun, TAF_SERVED_MAX);
	for (int i = 0; i < 5; i++)
		compute("A70E71Waa");
	compute("A3E4Waaa A3E4Waaa");
	taf_owner_settle(true);
	assert_int_equal(ended, TAF_SERVED_MAX);
	assert_int_equal(tokens, 70 * 5 + 3 * 2);
	assert_int_equal(requests, 70);
	assert_int_equal(most, 70);
}

/* What no model is known of is one request, whatever it looks like. */
static void without_a_model(void **state)
{
	(void)state;
	taf_owner_set_model(NULL);
	expect("M4 A4E1W A4E5Waaaa A2E3Waa", "b1 e1:0 ");
	assert_int_equal(requests, 0);
}

/* Another thread ends it while this one is at work: nothing is told twice. */
static void ended_in_the_midst(void **state)
{
	struct taf_work *w;

	(void)state;
	compute("M3 A3E1W A3E4Waaa");
	w = taf_owner_mine();
	assert_true(taf_work_claim(w, 0));
	taf_work_settle(w, true);
	taf_work_settle(w, true);
	taf_work_release(w);
	assert_string_equal(told, "b1 b2 b3 e1:1 e2:1 e3:1 ");
	compute("A3E4Waaa");
	taf_owner_settle(true);
	assert_int_equal(begun, ended);
}

/* As many as were in a round with it: not those of before. */
static void sequences_of_each(void **state)
{
	(void)state;
	compute("M4 A4E1W A4E5Waaaa A4E5Waaaa M1 A1E1W A1E2Wa");
	taf_owner_settle(true);
	assert_int_equal(wide[1], 4);
	assert_int_equal(wide[5], 1);
	/* Two of three are done as another one begins. */
	setup(state);
	compute("M3 A3E1W A3E4W M1 aaa A3E4W A1E1W aaa A2E3W aa A2E3W aa");
	taf_owner_settle(true);
	assert_string_equal(told, "b1 b2 b3 b4 e1:2 e2:2 e3:4 e4:2 ");
	assert_int_equal(wide[3], 3);
	assert_int_equal(wide[4], 2);
	/* As many as before, of which each is another. */
	setup(state);
	compute("M2 A2E1W A2E3Waa A2E3Waa M2 A2E1W A2E3Waa");
	taf_owner_settle(true);
	assert_int_equal(wide[3], 2);
	assert_int_equal(wide[4], 2);
}

/* A prompt that was given up has no tokens; what was computed meanwhile were those of others. */
static void evaluations_are_of_what_has_no_tokens(void **state)
{
	(void)state;
	compute("M1 A1E1W A1E2W M2 a A1E2W M1 a A1E2W a A1E2W a");
	taf_owner_settle(true);
	assert_string_equal(told, "b1 b2 b3 e2:0 e3:0 e1:4 ");
	assert_int_equal(evals, 0);
	setup(state);
	compute("MxMxMx");
	taf_owner_settle(true);
	assert_int_equal(evals, 3);
}

/* What ends by the next prompt says the same as what ends by idleness. */
static void the_end_of_another_order(void **state)
{
	(void)state;
	compute("M1 A1A1A1E2WWaa A1A1A1E2WWaa A1A1A1E2WWaa A1A1A1E2WWaa M1 A1E1W A1E2Wa");
	assert_string_equal(told, "b1 e1:11 b2 ");
	assert_int_equal(steps, 0);
	assert_int_equal(requests, 0);
	taf_owner_settle(true);
	assert_int_equal(requests, 1);
}

static bool is_refused(const char *text)
{
	struct taf_call c = { .table = &engine, .is_counted = true };
	struct taf_step step = step_of(&text);
	bool is_let_in;

	is_refusing = true;
	is_let_in = taf_owner_begin(&c, &step);
	is_refusing = false;
	return !is_let_in;
}

/* The program gets an exception: what it was for has ended, without what was refused. */
static void a_step_that_is_refused(void **state)
{
	(void)state;
	taf_rules.lock_hold = TAF_LOCK_HOLD_INFERENCE;
	compute("M1 A1E1W A1E2W");
	assert_true(is_refused("M2"));
	assert_string_equal(told, "b1 e1:1 ");
	assert_int_equal(atomic_load(&taf_owner_mine()->claim), 0);
	compute("M2 A2E1W A2E3Waa A2E3Waa");
	taf_owner_settle(true);
	assert_string_equal(told, "b1 e1:1 b2 b3 e2:2 e3:2 ");
	setup(state);
	taf_rules.lock_hold = TAF_LOCK_HOLD_INFERENCE;
	compute("M3 A3E1W A3E4Waaa");
	assert_true(is_refused("A3"));
	assert_string_equal(told, "b1 b2 b3 e1:1 e2:1 e3:1 ");
}

/* By round an evaluation is of what was begun in the one before: what was begun last it has not
 * waited for. */
static void what_a_drain_waits_for(void **state)
{
	(void)state;
	taf_rules.drain_post_sync = true;
	compute("M1 A1E1W A1E2Wa A1E2Wa M1");
	assert_string_equal(label, "submits 9..12 of the last generation");
	compute("A1A1E1W");
	taf_owner_settle(true);
	assert_string_equal(label, "submits 5..5 of the last generation");
	compute("M1 A1E1W A1E2W M1 A1E2");
	taf_owner_settle(true);
	assert_string_equal(label, "submits 9..10 of the last generation");
}

/* Beyond the records each request counts all the same, with its own tokens. */
static void requests_without_a_record(void **state)
{
	(void)state;
	compute("M64 A64E1W A64E65W aa A64E65W M6 aa A64E65W A6E1W aa A70E71W aa A70E71W aa");
	taf_owner_settle(true);
	assert_int_equal(begun, TAF_SERVED_MAX);
	assert_int_equal(ended, TAF_SERVED_MAX);
	assert_int_equal(requests, 70);
	assert_int_equal(tokens, 3 * 64 + 2 * 70);
	/* Six prompts of which five, and then the last one, are given up. */
	setup(state);
	compute("M64 A64E1W A64E65W M6 aa A64E65W M1 aa A64E65W aa A64E65W aa M1 A1E1W A1E2Wa");
	taf_owner_settle(true);
	assert_int_equal(begun, TAF_SERVED_MAX + 1);
	assert_int_equal(ended, TAF_SERVED_MAX + 1);
	assert_int_equal(tokens, 4 * 64 + 1);
	assert_non_null(strstr(told, "e65:1 "));
}

/* A token that was begun in an order which turns out to be none of these is nobody's twice. */
static void tokens_of_an_order_that_changes(void **state)
{
	(void)state;
	expect("M3 A3E1W A3E4Waaa A1W", "b1 b2 b3 e1:1 e2:1 e3:2 ");
	assert_int_equal(tokens, 3 + 1);
	/* It ends before that is told. */
	setup(state);
	expect("M3 A3E1W A3E4Waaa A1", "b1 b2 b3 e1:1 e2:1 e3:2 ");
	/* It is told, and all others are done. */
	setup(state);
	expect("M3 A3E1W A3E4Waaa A1E1W A1E2Wa", "b1 b2 b3 e1:1 e2:1 e3:1 b4 e4:1 ");
}

/* The host was busy for longer than drain.idle_ms while three were at work: they are begun anew, and
 * who comes in beside them has a record again. */
static void a_pause_in_the_midst(void **state)
{
	(void)state;
	compute("M3 A3E1W A3E4Waaa");
	taf_owner_settle(true);
	compute("A3E4Waaa A3E4W M1 aaa A3E4W A1E1W aaa A4E5Waaaa");
	taf_owner_settle(true);
	assert_string_equal(told, "b1 b2 b3 e1:1 e2:1 e3:1 b4 b5 b6 b7 e4:4 e5:4 e6:4 e7:1 ");
	assert_int_equal(wide[4], 4);
	assert_int_equal(wide[7], 4);
}

/* The program has an exception, and goes on with the next request. */
static void a_step_that_fails(void **state)
{
	static const struct taf_step a = { .kind = TAF_STEP_ASYNC, .n = 1 };
	struct taf_call c = { .table = &engine, .is_counted = true };

	(void)state;
	compute("M1 A1A1E1W A1W");
	assert_true(taf_owner_begin(&c, &a));
	taf_owner_end(&c, &a, -1);
	compute("M1 A1A1E1W A1W");
	taf_owner_settle(true);
	assert_string_equal(told, "b1 e1:2 b2 e2:2 ");
}

/* Whatever comes, fails and is refused: each begin has one end, each submit counts once, and no
 * token twice. Steps by a generator of numbers. */
static void any_order(void **state)
{
	static const char *const words[] = { "M1", "M2", "Mx", "A1", "A2", "A3",  "E1", "E2",
					     "E3", "E4", "W",  "a",  "M5", "A33", "M40" };
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < 300; i++) {
		uint64_t made = 0, most_tokens = 0;

		setup(state);
		taf_rules.lock_hold = i % 2 ? TAF_LOCK_HOLD_INFERENCE : TAF_LOCK_HOLD_RUN;
		for (int k = 0; k < 80; k++) {
			struct taf_call c = { .table = &engine, .is_counted = true };
			const char *word;
			struct taf_step step;

			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			word = words[x % (sizeof(words) / sizeof(words[0]))];
			step = step_of(&word);
			is_refusing = (x >> 32) % 16 == 0;
			if (!taf_owner_begin(&c, &step))
				continue;
			taf_owner_end(&c, &step, (x >> 40) % 16 ? 0 : -1);
			made++;
			most_tokens += step.kind == TAF_STEP_ASYNC ? step.n : 0;
		}
		taf_owner_settle(true);
		assert_int_equal(begun, ended);
		assert_int_equal(submits, made);
		assert_in_range(tokens, 0, most_tokens);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(requests_one_behind_the_other, setup),
		cmocka_unit_test_setup(requests_beside_each_other, setup),
		cmocka_unit_test_setup(a_drain_before, setup),
		cmocka_unit_test_setup(all_at_once, setup),
		cmocka_unit_test_setup(ahead, setup),
		cmocka_unit_test_setup(drafts, setup),
		cmocka_unit_test_setup(first_tokens_apart, setup),
		cmocka_unit_test_setup(drafts_that_nobody_asks_about, setup),
		cmocka_unit_test_setup(more_than_there_is_room_for, setup),
		cmocka_unit_test_setup(without_a_model, setup),
		cmocka_unit_test_setup(ended_in_the_midst, setup),
		cmocka_unit_test_setup(sequences_of_each, setup),
		cmocka_unit_test_setup(evaluations_are_of_what_has_no_tokens, setup),
		cmocka_unit_test_setup(the_end_of_another_order, setup),
		cmocka_unit_test_setup(a_step_that_is_refused, setup),
		cmocka_unit_test_setup(what_a_drain_waits_for, setup),
		cmocka_unit_test_setup(requests_without_a_record, setup),
		cmocka_unit_test_setup(tokens_of_an_order_that_changes, setup),
		cmocka_unit_test_setup(a_pause_in_the_midst, setup),
		cmocka_unit_test_setup(a_step_that_fails, setup),
		cmocka_unit_test(any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
