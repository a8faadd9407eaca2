/* SPDX-License-Identifier: MIT */
/* test_patience.c -- a wait in slices: of each no more counts than it was meant to last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../shim/patience.h"

#define MS 1000000ull

/* As if the machine had stood still since the latest slice began. */
static uint32_t next_after_a_stop(struct taf_slices *s)
{
	s->at_ns -= 3600000 * MS;
	return taf_next_slice(s, 40);
}

static void a_stop_counts_as_one_slice(void **state)
{
	struct taf_slices s = { .left_ns = 100 * MS };

	(void)state;
	assert_int_equal(taf_next_slice(&s, 40), 40);
	assert_int_equal(next_after_a_stop(&s), 40);
	assert_int_equal(next_after_a_stop(&s), 20);
	assert_int_equal(next_after_a_stop(&s), 0);
	assert_int_equal(next_after_a_stop(&s), 0);
}

/* What ended early, because something happened, counts by the clock. */
static void it_ends_whatever_happens(void **state)
{
	struct taf_slices s = { .left_ns = 20 * MS };
	uint64_t began = taf_sys_mono_ns();

	(void)state;
	while (taf_next_slice(&s, 5))
		;
	assert_true(taf_sys_mono_ns() - began >= 20 * MS);
}

static void nothing_is_no_time(void **state)
{
	struct taf_slices s = { .left_ns = 0 }, short_one = { .left_ns = 1 };

	(void)state;
	assert_int_equal(taf_next_slice(&s, 40), 0);
	assert_int_equal(taf_next_slice(&short_one, 40), 1);
	assert_int_equal(next_after_a_stop(&short_one), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_counts_as_one_slice),
		cmocka_unit_test(it_ends_whatever_happens),
		cmocka_unit_test(nothing_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
