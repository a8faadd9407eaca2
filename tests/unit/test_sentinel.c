/* SPDX-License-Identifier: MIT */
/* test_sentinel.c -- what is a hold of metal-guard, and what is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../cli/sentinel.h"

#define AT "2033-05-18T04:33:20"
#define UTC 2000003600000ull

static void test_holds(void **state)
{
	static const struct {
		const char *text;
		int64_t east_s;
	} cases[] = {
		{ "{\"cooldown_until\":\"" AT "\"}", 0 },
		{ "{\"cooldown_until\":\"" AT ".123456\"}", 0 },
		{ " {\n \"created_at\" : \"x\",\n \"cooldown_until\" : \"" AT "Z\" }\n", 0 },
		{ "{\"cooldown_until\":\"" AT "+01:00\",\"n\":[1,{}]}", 3600 },
		{ "{\"cooldown_until\":\"" AT "-0130\"}", -5400 },
	};
	uint64_t until;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(taf_sentinel_read(cases[i].text, strlen(cases[i].text), &until));
		assert_true((int64_t)until == (int64_t)UTC - cases[i].east_s * 1000);
	}
	/* Without an offset it is local time. */
	setenv("TZ", "TAF-2", 1);
	tzset();
	assert_true(taf_sentinel_read(cases[0].text, strlen(cases[0].text), &until));
	assert_true(until == UTC - 7200000);
}

static void test_no_holds(void **state)
{
	static const char *const cases[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"not valid json {",
		"{\"cooldown_until\":7}",
		"{\"cooldown_until\":\"\"}",
		"{\"cooldown_until\":\"tomorrow\"}",
		"{\"cooldown_until\":\"2033-13-18T04:33:20\"}",
		"{\"cooldown_until\":\"" AT "+25:00\"}",
		"{\"cooldown_until\":\"" AT "x\"}",
		"{\"cooldown_until\":\"" AT "\"} and more",
		"{\"cooldown_until\":\"" AT "\",}",
		"{\"other\":\"" AT "\"}",
	};
	uint64_t until;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_false(taf_sentinel_read(cases[i], strlen(cases[i]), &until));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_no_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
