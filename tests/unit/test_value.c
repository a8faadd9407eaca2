/* SPDX-License-Identifier: MIT */
/* test_value.c -- text to value and back: exact, or refused with the reason. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/value.h"

static char why_buf[512];
static struct taf_text why;

static struct taf_text *fresh(void)
{
	taf_text_init(&why, why_buf, sizeof(why_buf));
	return &why;
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{ "250ms", 250 },   { "90s", 90000 },	{ "2h", 7200000 }, { "1d", 86400000 },
		{ "1.5s", 1500 },   { "0.25m", 15000 }, { "0s", 0 },	   { "0ms", 0 },
		{ "3H", 10800000 }, { "0001s", 1000 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		v = 77;
		assert_int_equal(taf_value_ms(good[i].text, &v, fresh()), 0);
		assert_int_equal(v, good[i].ms);
	}
}

static void bad_durations(void **state)
{
	static const char *const bad[] = { "",	   "s",	    "-1s",   "+1s",	  "1e3s",
					   "nan",  "NaNs",  "infs",  "1 s",	  " 1s",
					   "1s ",  "1y",    "1.s",   ".5s",	  "0x10s",
					   "1,5s", "1h30m", "0.1ms", "1.0000001s" };
	uint64_t v = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(taf_value_ms(bad[i], &v, fresh()), -EINVAL);
		assert_int_equal(v, 77);
		assert_true(why.used > 0);
	}
	assert_int_equal(taf_value_ms("90", &v, fresh()), -EINVAL);
	assert_non_null(strstr(why_buf, "write \"90s\""));
	assert_int_equal(taf_value_ms("99999999999999999d", &v, fresh()), -ERANGE);
	assert_int_equal(taf_value_ms("99999999999999999999999999s", &v, NULL), -EINVAL);
	assert_int_equal(v, 77);
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "8GiB", 8ull << 30 },	 { "512MiB", 512ull << 20 },
		{ "1.5GB", 1500000000 }, { "4096B", 4096 },
		{ "1kB", 1000 },	 { "1KiB", 1024 },
		{ "8gib", 8ull << 30 },	 { "0B", 0 },
		{ "2TiB", 2ull << 40 },	 { "0.5MiB", 512 << 10 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		v = 77;
		assert_int_equal(taf_value_size(good[i].text, &v, fresh()), 0);
		assert_int_equal(v, good[i].bytes);
	}
	v = 77;
	assert_int_equal(taf_value_size("8G", &v, fresh()), -EINVAL);
	assert_int_equal(taf_value_size("8", &v, fresh()), -EINVAL);
	assert_int_equal(taf_value_size("-8GiB", &v, fresh()), -EINVAL);
	assert_int_equal(taf_value_size("17000000TiB", &v, fresh()), -ERANGE);
	assert_int_equal(v, 77);
}

static void small_things(void **state)
{
	uint32_t pct = 7, place = 7;
	int64_t n = 7;
	bool is_on = false;

	(void)state;
	assert_int_equal(taf_value_pct("67%", &pct, NULL), 0);
	assert_int_equal(pct, 67);
	assert_int_equal(taf_value_pct("100", &pct, NULL), 0);
	assert_int_equal(taf_value_pct("101%", &pct, fresh()), -ERANGE);
	assert_int_equal(taf_value_pct("6.5%", &pct, fresh()), -EINVAL);
	assert_int_equal(taf_value_pct("nan%", &pct, fresh()), -EINVAL);
	assert_int_equal(pct, 100);
	assert_int_equal(taf_value_int("-1000", &n, NULL), 0);
	assert_int_equal(n, -1000);
	assert_int_equal(taf_value_int("1e3", &n, fresh()), -EINVAL);
	assert_int_equal(taf_value_int("--1", &n, fresh()), -EINVAL);
	assert_int_equal(taf_value_int("18446744073709551615", &n, fresh()), -ERANGE);
	assert_int_equal(n, -1000);
	assert_int_equal(taf_value_bool("on", &is_on, NULL), 0);
	assert_true(is_on);
	assert_int_equal(taf_value_bool("On", &is_on, fresh()), -EINVAL);
	assert_int_equal(taf_value_bool("", &is_on, fresh()), -EINVAL);
	assert_int_equal(taf_value_word("a|bb|c|", "bb", &place, NULL), 0);
	assert_int_equal(place, 1);
	assert_int_equal(taf_value_word("a|bb|c|", "b", &place, fresh()), -EINVAL);
	assert_string_equal(why_buf, "\"b\" is not one of the words; write a, bb or c");
	assert_int_equal(taf_value_word("a|bb|c|", "a|bb", &place, fresh()), -EINVAL);
}

static void names_of_signals(void **state)
{
	uint64_t mask = 7;

	(void)state;
	assert_int_equal(taf_value_signals("TERM,SIGINT", &mask, NULL), 0);
	assert_int_equal(mask, 1ull << (SIGTERM - 1) | 1ull << (SIGINT - 1));
	assert_int_equal(taf_value_signals("TERM,KILL", &mask, fresh()), -EINVAL);
	assert_non_null(strstr(why_buf, "cannot be caught"));
	assert_int_equal(taf_value_signals("SEGV", &mask, fresh()), -EINVAL);
	assert_int_equal(taf_value_signals("TERM,", &mask, fresh()), -EINVAL);
	assert_int_equal(taf_value_signals("15", &mask, fresh()), -EINVAL);
	assert_int_equal(mask, 1ull << (SIGTERM - 1) | 1ull << (SIGINT - 1));
	assert_int_equal(taf_value_signals("none", &mask, NULL), 0);
	assert_int_equal(mask, 0);
}

/* What is shown reads back as the same value, for any value. */
static void round_trips(void **state)
{
	uint64_t x = 88172645463325252ull, v;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v = 0;
		taf_value_show_ms(fresh(), x >> (i % 60));
		assert_int_equal(taf_value_ms(why_buf, &v, NULL), 0);
		assert_true(v == x >> (i % 60));
		taf_value_show_size(fresh(), x >> (i % 60));
		assert_int_equal(taf_value_size(why_buf, &v, NULL), 0);
		assert_true(v == x >> (i % 60));
	}
}

/* A value that somebody else wrote cannot steer the terminal that shows the complaint. */
static void complaints_are_tame(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_int_equal(taf_value_ms("\033[2J\n\x9b", &v, fresh()), -EINVAL);
	for (const char *p = why_buf; *p; p++)
		assert_true(*p >= ' ' && *p < 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(bad_durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(small_things),
		cmocka_unit_test(names_of_signals),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(complaints_are_tame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
