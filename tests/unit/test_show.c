/* SPDX-License-Identifier: MIT */
/* test_show.c -- times for people: the nearest of what is shown, in the unit that this has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../cli/show.h"

static void times_are_the_nearest(void **state)
{
	static const struct {
		uint64_t us;
		const char *shown;
	} cases[] = {
		{ 0, "<1ms" },
		{ 99, "<1ms" },
		{ 100, "0.1ms" },
		{ 149, "0.1ms" },
		{ 150, "0.2ms" },
		{ 999, "1.0ms" },
		{ 9949, "9.9ms" },
		{ 9950, "10ms" },
		{ 10499, "10ms" },
		{ 10500, "11ms" },
		{ 999499, "999ms" },
		{ 999500, "1.0s" },
		{ 999950, "1.0s" },
		{ 1049999, "1.0s" },
		{ 1050000, "1.1s" },
		{ 1081700, "1.1s" },
		{ 59949999, "59.9s" },
		{ 59960000, "1m 00s" },
		{ 60499999, "1m 00s" },
		{ 60500000, "1m 01s" },
		{ 3599499999, "59m 59s" },
		{ 3599500000, "1h 00m" },
		{ 3629999999, "1h 00m" },
		{ 3630000000, "1h 01m" },
		{ UINT64_MAX, "5124095576h 01m" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(taf_show_ms(buf, sizeof(buf), cases[i].us), cases[i].shown);
}

static void spans_are_whole_below_a_second(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(taf_show_span(buf, sizeof(buf), 0), "0ms");
	assert_string_equal(taf_show_span(buf, sizeof(buf), 5), "5ms");
	assert_string_equal(taf_show_span(buf, sizeof(buf), 999), "999ms");
	assert_string_equal(taf_show_span(buf, sizeof(buf), 1082), "1.1s");
	assert_string_equal(taf_show_span(buf, sizeof(buf), 59960), "1m 00s");
	assert_string_equal(taf_show_span(buf, sizeof(buf), 3599600), "1h 00m");
	assert_string_equal(taf_show_span(buf, sizeof(buf), UINT64_MAX), "5124095576h 01m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_the_nearest),
		cmocka_unit_test(spans_are_whole_below_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
