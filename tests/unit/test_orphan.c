/* SPDX-License-Identifier: MIT */
/* test_orphan.c -- begins without an end: who is stuck, who is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../cli/local_time.h"
#include "../../policy/orphan.h"

#define ROOM 8
#define NOW_MS 1000000u
#define NOW_UTC 2000000000000ull

static struct taf_orphan memory[ROOM];
static struct taf_orphans set;
static uint64_t start_of_42;

static uint64_t start_of(void *ctx, int32_t pid)
{
	(void)ctx;
	return pid == 42 ? start_of_42 : pid == 43 ? 7 : 0;
}

static int64_t utc_of(void *ctx, int64_t local_s)
{
	(void)ctx;
	return local_s;
}

static struct taf_orphan_world world = { .now = { 1, NOW_MS, NOW_UTC },
					 .after_ms = 90000,
					 .start_of = start_of };
static const struct taf_orphan_clock utc = { utc_of, NULL };

static int fresh(void **state)
{
	(void)state;
	taf_orphans_init(&set, memory, ROOM);
	start_of_42 = 100;
	world.up_since_ms = 0;
	return 0;
}

static struct taf_orphan begun(uint64_t ago_s, uint64_t seq)
{
	struct taf_orphan o = { .at = { 1, NOW_MS - ago_s * 1000, NOW_UTC - ago_s * 1000 },
				.pid = 42,
				.start = 100,
				.seq = seq,
				.model = "m",
				.model_n = 1 };

	return o;
}

static void line(const char *s)
{
	taf_orphan_line(&set, s, strlen(s), &utc);
}

static void the_end_of_another_begin_ends_nothing(void **state)
{
	struct taf_orphan a = begun(500, 1), b = begun(400, 2), other = b;

	(void)state;
	taf_orphan_begin(&set, &a);
	taf_orphan_begin(&set, &b);
	other.start = 99;
	assert_false(taf_orphan_end(&set, &other));
	other = b;
	other.at.boot = 2;
	assert_false(taf_orphan_end(&set, &other));
	assert_true(taf_orphan_end(&set, &b));
	taf_orphans_judge(&set, &world);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.at[0].seq, 1);
	assert_int_equal(set.at[0].is, TAF_ORPHAN_LIVE);
	assert_true(set.at[0].is_sure);
}

static void a_dead_process_or_another_boot_has_lost_it(void **state)
{
	struct taf_orphan gone = begun(10, 1), reused = begun(500, 2), before = begun(500, 3);

	(void)state;
	gone.pid = 9;
	reused.start = 55;
	before.at.boot = 8;
	taf_orphan_begin(&set, &before);
	taf_orphan_begin(&set, &reused);
	taf_orphan_begin(&set, &gone);
	taf_orphans_judge(&set, &world);
	assert_int_equal(set.n, 3);
	for (size_t i = 0; i < set.n; i++) {
		assert_int_equal(set.at[i].is, TAF_ORPHAN_LOST);
		assert_false(set.at[i].is_sure);
	}
}

/* A number that comes again in the same process is of a later one with its pid. */
static void a_key_that_comes_again_is_another_process(void **state)
{
	struct taf_orphan old = begun(900, 1), new = begun(200, 1);

	(void)state;
	old.start = new.start = 0;
	taf_orphan_begin(&set, &old);
	taf_orphan_begin(&set, &new);
	taf_orphans_judge(&set, &world);
	assert_int_equal(set.at[0].is, TAF_ORPHAN_LOST);
	assert_int_equal(set.at[1].is, TAF_ORPHAN_LIVE);
	assert_false(set.at[1].is_sure);
}

static void progress_counts_not_age(void **state)
{
	struct taf_orphan o = begun(500, 1);

	(void)state;
	o.moved = begun(89, 0).at;
	taf_orphan_begin(&set, &o);
	o = begun(500, 2);
	o.moved = begun(90, 0).at;
	taf_orphan_begin(&set, &o);
	taf_orphans_judge(&set, &world);
	assert_int_equal(set.at[0].is, TAF_ORPHAN_YOUNG);
	assert_int_equal(set.at[0].age_ms, 500000);
	assert_int_equal(set.at[1].is, TAF_ORPHAN_LIVE);
	assert_int_equal(set.at[1].still_ms, 90000);
}

static void a_full_table_says_so(void **state)
{
	struct taf_orphan o;

	(void)state;
	for (uint64_t i = 1; i <= ROOM + 3; i++) {
		o = begun(900 - i, i);
		taf_orphan_begin(&set, &o);
	}
	assert_int_equal(set.n, ROOM);
	assert_int_equal(set.n_dropped, 3);
	assert_int_equal(set.at[0].seq, 1);
}

#define HAS(i, name) \
	do { \
		assert_int_equal(set.at[i].model_n, strlen(name)); \
		assert_memory_equal(set.at[i].model, name, strlen(name)); \
	} while (0)

static void both_forms_of_a_line(void **state)
{
	(void)state;
	line("[2033-05-18 03:30:00] SUBPROC_PRE: a | b | ctx=4096 kv_bytes=1");
	line("[2033-05-18 03:30:01] SUBPROC_PRE: a|b");
	line("[2033-05-18 03:30:02] SUBPROC_PRE: a | no metadata");
	line("[2033-05-18 03:30:03] SUBPROC_PRE | ctx=1 model=named");
	line("[2033-05-18 03:30:04] SUBPROC_PRE | ctx=1");
	line("[2033-05-18 03:30:05] SUBPROC_PRE:");
	assert_int_equal(set.n, 4);
	HAS(0, "a | b");
	HAS(1, "a|b");
	HAS(2, "a | no metadata");
	HAS(3, "named");
	line("[2033-05-18 03:30:06] SUBPROC_POST | model=named elapsed_ms=3");
	line("[2033-05-18 03:30:06] SUBPROC_POST: a | b | elapsed_ms=3\r");
	assert_int_equal(set.n, 2);
	HAS(0, "a|b");
}

static void lines_that_are_none(void **state)
{
	static const char *const bad[] = {
		"",
		"[",
		"[2033-05-18 03:30:00]",
		"[2033-05-18 03:30:00] ",
		"[2033-05-18 03:30:00] SUBPROC_PRE",
		"[2033-02-29 03:30:00] SUBPROC_PRE: m",
		"[2033-13-01 03:30:00] SUBPROC_PRE: m",
		"[2033-05-18 24:00:00] SUBPROC_PRE: m",
		"[2033-5-18 03:30:00] SUBPROC_PRE: m",
		"[2033-05-18T03:30:00] SUBPROC_PRE: m",
		"x[2033-05-18 03:30:00] SUBPROC_PRE: m",
		"[2033-05-18 03:30:00] subproc_pre: m",
		"[2033-05-18 03:30:00] SUBPROC_PRE_NOT: m",
		"[2033-05-18 03:30:00] SUBPROCESS_WORKER: m ready, pid=",
		"[2033-05-18 03:30:00] SUBPROCESS_WORKER: m ready, pid=99999999999999999999",
		"[2033-05-18 03:30:00] SUBPROCESS_WORKER: loading m",
		"[0000-05-18 03:30:00] SUBPROC_PRE: m",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		line(bad[i]);
		if (set.n)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

/* The log has no boot: what is older than this one cannot be running. */
static void a_line_before_the_boot_is_lost(void **state)
{
	(void)state;
	line("[2033-05-18 03:00:00] SUBPROC_PRE: old");
	line("[2033-05-18 03:30:00] SUBPROC_PRE: new");
	line("[2033-05-18 03:30:00] SUBPROCESS_WORKER: new ready, pid=42");
	world.up_since_ms = NOW_UTC - 1200000;
	taf_orphans_judge(&set, &world);
	assert_int_equal(set.n, 2);
	assert_int_equal(set.at[0].is, TAF_ORPHAN_LOST);
	assert_int_equal(set.at[1].is, TAF_ORPHAN_LIVE);
	assert_int_equal(set.at[1].pid, 42);
	/* pid 42 lives, but nothing says that it is that worker. */
	assert_false(set.at[1].is_sure);
}

static void local_times(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	/* 2033-05-18 05:33:20 in summer, 2033-01-01 01:00:00 in winter. */
	assert_int_equal(taf_local_to_utc(2000000000 + 7200), 2000000000);
	assert_int_equal(taf_local_to_utc(1988154000 + 3600), 1988154000);
	/* 2033-10-30 02:30:00 comes twice: 00:30 and 01:30 UTC. */
	assert_int_equal(taf_local_to_utc(2014252200), 2014252200 - 7200);
	/* 2033-03-27 02:30:00 never comes. */
	assert_in_range((uintmax_t)taf_local_to_utc(1995503400), 1995503400 - 7200,
			1995503400 - 3600);
	setenv("TZ", "UTC", 1);
	tzset();
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_end_of_another_begin_ends_nothing),
		TEST(a_dead_process_or_another_boot_has_lost_it),
		TEST(a_key_that_comes_again_is_another_process),
		TEST(progress_counts_not_age),
		TEST(a_full_table_says_so),
		TEST(both_forms_of_a_line),
		TEST(lines_that_are_none),
		TEST(a_line_before_the_boot_is_lost),
		TEST(local_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
