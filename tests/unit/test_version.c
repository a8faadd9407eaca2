/* SPDX-License-Identifier: MIT */
/* test_version.c -- versions in their order, and specifiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../policy/version.h"

/* Each is above the one before it. */
static const char *const rising[] = {
	"0.9",	   "1.0.dev0",	     "1.0.dev456", "1.0a1.dev1", "1.0a1",     "1.0a1.post1",
	"1.0b2",   "1.0rc1",	     "1.0",	   "1.0+abc",	 "1.0+abc.2", "1.0+5",
	"1.0+5.1", "1.0.post1.dev2", "1.0.post1",  "1.0.1",	 "1.0.10",    "1.1.dev1",
	"1.10",	   "1!0.1",
};

static const char *const same[][2] = {
	{ "1.0", "1.0.0" },	      { "v1.0", "1.0" },	   { "1.0-alpha.1", "1.0a1" },
	{ "1.0c1", "1.0rc1" },	      { "1.0PREVIEW1", "1.0rc1" }, { "1.0-1", "1.0.post1" },
	{ "1.0_rev_2", "1.0.post2" }, { "1.0dev", "1.0.dev0" },	   { " 1.0 ", "1.0" },
	{ "1.0+ABC-1", "1.0+abc.1" }, { "b0100", "b100" },
};

static const char *const none[] = {
	"",
	"x",
	"1.",
	"1..0",
	"1.0x",
	"1.0+",
	"1.0+a..b",
	"1.0 1",
	"b",
	"b12x",
	"b1234.1",
	"1!",
	"-1",
	"99999999999999999999999",
	"1.2.3.4.5.6.7.8.9",
};

static void test_order(void **state)
{
	size_t n = sizeof(rising) / sizeof(rising[0]);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			if (taf_version_compare(rising[i], rising[k]) != (i > k) - (i < k))
				fail_msg("%s and %s", rising[i], rising[k]);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (taf_version_compare(same[i][0], same[i][1]))
			fail_msg("%s and %s", same[i][0], same[i][1]);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (taf_version_is_valid(none[i]) || taf_version_compare(none[i], "1") != 2)
			fail_msg("'%s' is a version", none[i]);
}

static const struct {
	const char *version, *spec;
	bool is_match;
} rows[] = {
	{ "0.31.2", "==0.31.2", true },
	{ "0.31.2+abc", "==0.31.2", true },
	{ "0.31.2", "==0.31.2+abc", false },
	{ "0.31.2.post1", "==0.31.2", false },
	{ "0.31.2", "!=0.31.2", false },
	{ "0.31.2.1", "==0.31.2.*", true },
	{ "0.31.2rc1", "==0.31.*", true },
	{ "0.32", "!=0.31.*", true },
	{ "0.31.10", "<0.31.2", false },
	/* a build on the way to a version is none of those below it */
	{ "0.31.2.dev20260427+abc", "<0.31.2", false },
	{ "0.31.2.dev20260427+abc", "<=0.31.2", true },
	{ "0.31.2.dev20260427+abc", "<0.31.2.dev20260428", true },
	{ "0.31.2.dev20260427+abc", "==0.31.2", false },
	{ "0.31.2.dev20260427+abc", ">0.31.1,<0.32", true },
	{ "1.0.post1", ">1.0", false },
	{ "1.0.post1", ">1.0.post0", true },
	{ "1.0+local", ">1.0", false },
	{ "2.5", "~=2.2", true },
	{ "3.0", "~=2.2", false },
	{ "2.2.9", "~=2.2.3", true },
	{ "2.3", "~=2.2.3", false },
	{ "0.31.1", ">=0.31.0,<=0.31.2", true },
	{ "0.31.3", " >= 0.31.0 , <= 0.31.2 ", false },
	{ "Foo-1", "===foo-1", true },
	{ "foo", "==1", false },
	{ "foo", "!=1", false },
	/* builds of llama.cpp */
	{ "b5999", "<b6000", true },
	{ "b10000", "<b6000", false },
	{ "b6000", ">=b5000,<=b6000", true },
	{ "b6000", ">1.0", false },
	{ "1.0", "<b6000", false },
	{ "1.0", "!=b6000", false },
};

static void test_specs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!taf_spec_is_valid(rows[i].spec, NULL))
			fail_msg("%s is no specifier", rows[i].spec);
		if (taf_version_matches(rows[i].version, rows[i].spec) != rows[i].is_match)
			fail_msg("%s against %s", rows[i].version, rows[i].spec);
	}
}

static void test_bad_specs(void **state)
{
	static const char *const bad[] = { "",		 "0.31.2",    "=1.0",  "==",	 ",==1",
					   "<1.0.*",	 "~=1",	      "~=b12", "==b1.*", ">=1+abc",
					   "==1.0rc1.*", "==1.0.0.x", "== 1 2" };
	char buf[160];
	struct taf_text why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		taf_text_init(&why, buf, sizeof(buf));
		if (taf_spec_is_valid(bad[i], &why) || !why.used)
			fail_msg("'%s' is a specifier", bad[i]);
		assert_false(taf_version_matches("1.0", bad[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_specs),
		cmocka_unit_test(test_bad_specs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
