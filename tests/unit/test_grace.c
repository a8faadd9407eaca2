/* SPDX-License-Identifier: MIT */
/* test_grace.c -- the time between TERM and KILL, from the files of three supervisors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/grace.h"

static void spans(void **state)
{
	static const struct {
		const char *text;
		bool needs_unit;
		uint64_t ms; /* UINT64_MAX - 1: refused */
	} table[] = {
		{ "90", false, 90000 },
		{ " 90s ", false, 90000 },
		{ "1min 30s", false, 90000 },
		{ "1min30s", false, 90000 },
		{ "1m30s", true, 90000 },
		{ "2 h", false, 7200000 },
		{ "1.5s", false, 1500 },
		{ "0.25", false, 250 },
		{ "20ms", true, 20 },
		{ "1500us", true, 1 },
		{ "0", false, 0 },
		{ "infinity", false, TAF_GRACE_NEVER },
		{ "1week 2days", false, 777600000 },
		{ "90", true, UINT64_MAX - 1 },
		{ "", false, UINT64_MAX - 1 },
		{ "s", false, UINT64_MAX - 1 },
		{ "-5s", false, UINT64_MAX - 1 },
		{ "5x", false, UINT64_MAX - 1 },
		{ "5s!", false, UINT64_MAX - 1 },
		{ ".5s", false, UINT64_MAX - 1 },
		{ "99999999999999999999s", false, UINT64_MAX - 1 },
		{ "9999999999999y", false, UINT64_MAX - 1 },
		{ "4000000000000 4000000000000 4000000000000", false, UINT64_MAX - 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint64_t ms = 7;
		bool is_good = taf_grace_span(table[i].text, strlen(table[i].text),
					      table[i].needs_unit, &ms);

		if (is_good != (table[i].ms != UINT64_MAX - 1) || (is_good && ms != table[i].ms))
			fail_msg("\"%s\": %d, %llu", table[i].text, is_good,
				 (unsigned long long)ms);
	}
}

static struct taf_grace unit(const char *first, const char *second)
{
	struct taf_grace g;

	taf_grace_unit_init(&g);
	taf_grace_unit(first, strlen(first), &g);
	if (second)
		taf_grace_unit(second, strlen(second), &g);
	return g;
}

static void units(void **state)
{
	struct taf_grace g = unit("[Unit]\nTimeoutStopSec=1\n[Service]\nExecStart=/x\n", NULL);

	(void)state;
	assert_true(g.is_unit);
	assert_int_equal(g.ms, 90000);
	assert_int_equal(g.line, 0);
	g = unit("[Service]\r\n# TimeoutStopSec=1\r\n TimeoutStopSec = 2min \r\n", NULL);
	assert_int_equal(g.ms, 120000);
	assert_int_equal(g.line, 3);
	assert_int_equal(unit("[Service]\nTimeoutSec=5\nTimeoutStopSec=7s", NULL).ms, 7000);
	assert_int_equal(unit("[Service]\nTimeoutStopSec=0", NULL).ms, TAF_GRACE_NEVER);
	assert_int_equal(unit("[Service]\nTimeoutStopSec=7s\nTimeoutStopSec=", NULL).ms, 90000);
	assert_int_equal(unit("[Service]\nSendSIGKILL=no\n", NULL).ms, TAF_GRACE_NEVER);
	/* A drop-in wins, and is read on its own. */
	assert_int_equal(
		unit("[Service]\nTimeoutStopSec=7s\n", "[Service]\nTimeoutStopSec=9s\n").ms, 9000);
	assert_int_equal(unit("[Service]\nTimeoutStopSec=7s\n", "TimeoutStopSec=9s\n").ms, 7000);
	g = unit("[Service]\nTimeoutStopSec=soon\n", NULL);
	assert_true(g.is_bad);
	assert_int_equal(g.ms, 90000);
	assert_false(unit("TimeoutStopSec=7s\n", NULL).is_unit);
	assert_false(unit("", NULL).is_unit);
}

static struct taf_grace plist(const char *inside)
{
	char text[512] = "<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict>\n";
	struct taf_grace g;

	strcat(text, inside);
	strcat(text, "</dict></plist>\n");
	assert_true(taf_grace_plist(text, strlen(text), &g));
	return g;
}

static void plists(void **state)
{
	struct taf_grace g = plist("<key>Label</key><string>x</string>");

	(void)state;
	assert_int_equal(g.ms, 20000);
	assert_int_equal(g.line, 0);
	g = plist("\n<key>ExitTimeOut</key>\n <integer> 45 </integer>");
	assert_int_equal(g.ms, 45000);
	assert_int_equal(g.line, 4);
	assert_int_equal(plist("<key>ExitTimeOut</key><integer>0</integer>").ms, TAF_GRACE_NEVER);
	assert_true(plist("<key>ExitTimeOut</key><integer>5s</integer>").is_bad);
	assert_true(plist("<key>ExitTimeOut</key><integer></integer>").is_bad);
	assert_true(plist("<key>ExitTimeOut</key><string>5</string>").is_bad);
	assert_false(taf_grace_plist("bplist00", 8, &g));
	assert_false(taf_grace_plist("", 0, &g));
}

static void composes(void **state)
{
	static const char text[] = "version: '3'\n"
				   "x-common: &c\n"
				   "  stop_grace_period: 1s\n"
				   "services:\n"
				   "  # the server\n"
				   "  llm:\n"
				   "    image: x\n"
				   "    stop_grace_period: \"1m30s\" # long\n"
				   "  \"other\":\n"
				   "    image: y\n"
				   "  third:\n"
				   "    <<: *c\n"
				   "    stop_grace_period: 90\n"
				   "volumes:\n"
				   "  data:\n"
				   "    stop_grace_period: 5s\n";
	static const char zero[] = "services:\n  a:\n    stop_grace_period: 0";
	struct taf_grace g[4];

	(void)state;
	assert_int_equal(taf_grace_compose(text, sizeof(text) - 1, g, 4), 3);
	assert_string_equal(g[0].name, "llm");
	assert_int_equal(g[0].ms, 90000);
	assert_int_equal(g[0].line, 8);
	assert_string_equal(g[1].name, "other");
	assert_int_equal(g[1].ms, 10000);
	assert_int_equal(g[1].line, 0);
	assert_false(g[1].is_merged);
	assert_true(g[2].is_merged);
	assert_true(g[2].is_bad);
	assert_int_equal(g[2].line, 13);
	/* More than there is room for are counted. */
	assert_int_equal(taf_grace_compose(text, sizeof(text) - 1, g, 1), 3);
	assert_string_equal(g[0].name, "llm");
	assert_int_equal(taf_grace_compose("", 0, g, 4), 0);
	assert_int_equal(taf_grace_compose(zero, sizeof(zero) - 1, g, 4), 1);
	assert_int_equal(g[0].ms, 0);
	assert_false(g[0].is_bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(units),
		cmocka_unit_test(plists),
		cmocka_unit_test(composes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
