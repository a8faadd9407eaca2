/* SPDX-License-Identifier: MIT */
/* test_host_cli.c -- judging what macOS alone can tell: wired memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../cli/host.h"

#define GIB (1024ull * 1024 * 1024)

static enum taf_sort wired(uint64_t mb, uint64_t memory)
{
	struct taf_findings f = { 0 };
	enum taf_sort sort;

	taf_host_wired(&f, mb, memory);
	assert_int_equal(f.n, 1);
	sort = f.all[0].sort;
	taf_findings_close(&f);
	return sort;
}

static void wired_limit(void **state)
{
	(void)state;
	assert_int_equal(wired(0, 64 * GIB), TAF_SORT_OK);
	assert_int_equal(wired(48 * 1024, 64 * GIB), TAF_SORT_NOTE);
	assert_int_equal(wired(87 * 1024, 100 * GIB), TAF_SORT_PROBLEM);
	assert_int_equal(wired(85 * 1024, 100 * GIB), TAF_SORT_NOTE);
	/* What cannot be read is no reason to complain. */
	assert_int_equal(wired(48 * 1024, 0), TAF_SORT_NOTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wired_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
