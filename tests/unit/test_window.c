/* SPDX-License-Identifier: MIT */
/* test_window.c -- how many submits go out before the next synchronize. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../policy/window.h"

static void the_window_follows_the_time_of_a_synchronize(void **state)
{
	(void)state;
	assert_int_equal(taf_window_next(0, 2048, 0), 1);
	assert_int_equal(taf_window_next(1, 2048, 5), 2);
	assert_int_equal(taf_window_next(1024, 2048, 999), 2048);
	assert_int_equal(taf_window_next(2048, 2048, 5), 2048);
	assert_int_equal(taf_window_next(1500, 2048, 5), 2048);
	assert_int_equal(taf_window_next(64, 2048, 1000), 32);
	assert_int_equal(taf_window_next(1, 2048, 1000), 1);
	assert_int_equal(taf_window_next(2048, 2048, 10000), 1);
	assert_int_equal(taf_window_next(1, 1, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_follows_the_time_of_a_synchronize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
