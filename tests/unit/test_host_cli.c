/* SPDX-License-Identifier: MIT */
/* test_host_cli.c -- judging wired memory, and asking another program for a limited time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../cli/child.h"
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

static int ask(const char *script, int ms, char *buf, size_t room)
{
	char sh[] = "sh", c[] = "-c", text[128];
	char *argv[] = { sh, c, text, NULL };

	strcpy(text, script);
	return taf_child_read(argv, ms, buf, room);
}

static void a_child(void **state)
{
	char name[] = "no-such-program-here", *argv[] = { name, NULL };
	char buf[8];

	(void)state;
	assert_int_equal(ask("echo hello; exit 3", 60000, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "hello\n");
	assert_int_equal(ask("echo hello, world", 60000, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "hello, ");
	assert_int_equal(ask("read x; echo \"$x.\"; echo y >&2", 60000, buf, sizeof(buf)), 0);
	assert_string_equal(buf, ".\n");
	assert_int_equal(ask("kill -9 $$", 60000, buf, sizeof(buf)), -EIO);
	assert_int_equal(taf_child_read(argv, 60000, buf, sizeof(buf)), -ENOENT);
}

/* One that says nothing, one that never stops, one that closes its output and stays. */
static void never_for_long(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(ask("exec sleep 600", 50, buf, sizeof(buf)), -ETIMEDOUT);
	assert_int_equal(ask("exec yes", 50, buf, sizeof(buf)), -ETIMEDOUT);
	assert_string_equal(buf, "y\ny\ny\ny");
	assert_int_equal(ask("exec >&-; exec sleep 600", 50, buf, sizeof(buf)), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wired_limit),
		cmocka_unit_test(a_child),
		cmocka_unit_test(never_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
