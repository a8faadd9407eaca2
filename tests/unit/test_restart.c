/* SPDX-License-Identifier: MIT */
/* test_restart.c -- whether and when a guest is started again, with a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "../../policy/restart.h"

#define MINUTE 60000u

static struct taf_restart_rules rules;
static struct taf_restart_past past;
static struct taf_restart_end end;
static struct taf_restart_answer answer;

static int fresh(void **state)
{
	(void)state;
	rules = (struct taf_restart_rules){ .mode = TAF_RESTART_ON_FAILURE,
					    .max = 3,
					    .window_ms = 10 * MINUTE,
					    .delay_ms = 1000,
					    .delay_max_ms = MINUTE,
					    .stable_ms = 5 * MINUTE,
					    .startup_ms = 10000 };
	memset(&past, 0, sizeof(past));
	end = (struct taf_restart_end){
		.now_ms = MINUTE, .ran_ms = 20000, .status = 1, .was_active = true
	};
	return 0;
}

static bool again(void)
{
	taf_restart_decide(&rules, &past, &end, &answer);
	return answer.again;
}

static void ends_that_are_not_failures(void **state)
{
	(void)state;
	end.status = 0;
	assert_false(again());
	rules.mode = TAF_RESTART_ALWAYS;
	assert_false(again());
	end.signal = SIGTERM;
	assert_true(again());
	rules.mode = TAF_RESTART_ON_FAILURE;
	assert_false(again());
	end.signal = SIGKILL;
	assert_true(again());
	end.was_told = true;
	assert_false(again());
	assert_string_equal(answer.why, "");
	end.was_told = false;
	rules.mode = TAF_RESTART_NEVER;
	assert_false(again());
}

static void who_asks_is_restarted_whatever_the_status(void **state)
{
	(void)state;
	end.was_asked = true;
	end.status = 0;
	assert_true(again());
	end.signal = SIGTERM;
	assert_true(again());
	/* But not where `run` was told to end. */
	end.was_told = true;
	assert_false(again());
}

static void what_cannot_start_is_left_alone(void **state)
{
	static const int statuses[] = { 64, 78, 126, 127 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		end.status = statuses[i];
		assert_false(again());
		assert_string_not_equal(answer.why, "");
	}
	end.status = 1;
	end.was_active = false;
	end.ran_ms = 9999;
	assert_false(again());
	end.ran_ms = 10000;
	assert_true(again());
}

static void too_little_memory_is_not_tried_again(void **state)
{
	(void)state;
	end.is_out_of_memory = true;
	end.signal = SIGKILL;
	assert_false(again());
	assert_string_not_equal(answer.why, "");
}

static void the_budget_is_of_a_window(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		end.now_ms += MINUTE;
		assert_true(again());
		assert_int_equal(answer.count, i);
	}
	end.now_ms += MINUTE;
	assert_false(taf_restart_has_room(&rules, &past, end.now_ms));
	assert_false(again());
	/* The first of them leaves the window. */
	end.now_ms = 12 * MINUTE;
	assert_true(again());
	assert_int_equal(answer.count, 3);
	rules.max = 0;
	assert_false(again());
}

static void the_delay_doubles_up_to_its_cap(void **state)
{
	static const uint64_t wanted[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

	(void)state;
	rules.max = TAF_RESTARTS_MAX;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		assert_true(again());
		assert_int_equal(answer.delay_ms, wanted[i]);
	}
	end.ran_ms = 5 * MINUTE;
	assert_true(again());
	assert_int_equal(answer.delay_ms, 1000);
	rules.delay_ms = 0;
	assert_true(again());
	assert_int_equal(answer.delay_ms, 0);
}

static void the_class_of_the_error_speaks(void **state)
{
	(void)state;
	end.is_respawn = true;
	assert_true(again());
	assert_int_equal(answer.delay_ms, 0);
	assert_true(again());
	assert_int_equal(answer.delay_ms, 2000);
	end.is_lockout = true;
	assert_true(again());
	assert_true(answer.waits_for_gate);
}

static void recycling_is_no_failure_but_counts(void **state)
{
	(void)state;
	end.was_asked = true;
	for (int i = 0; i < 3; i++) {
		assert_true(again());
		assert_int_equal(answer.delay_ms, 1000);
	}
	assert_false(again());
}

static void more_than_is_remembered(void **state)
{
	(void)state;
	rules.max = TAF_RESTARTS_MAX;
	rules.window_ms = 1000;
	for (uint32_t i = 0; i < 3 * TAF_RESTARTS_MAX; i++) {
		end.now_ms += 1000;
		assert_true(again());
		assert_int_equal(answer.count, 1);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ends_that_are_not_failures),
		TEST(who_asks_is_restarted_whatever_the_status),
		TEST(what_cannot_start_is_left_alone),
		TEST(too_little_memory_is_not_tried_again),
		TEST(the_budget_is_of_a_window),
		TEST(the_delay_doubles_up_to_its_cap),
		TEST(the_class_of_the_error_speaks),
		TEST(recycling_is_no_failure_but_counts),
		TEST(more_than_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
