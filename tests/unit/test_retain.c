/* SPDX-License-Identifier: MIT */
/* test_retain.c -- which old sessions go, and which stay whatever the limits say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../shim/retain.h"
#include "../../shim/sys.h"

#define OTHER "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define THIRD "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char dir[] = "/tmp/taf-retain-XXXXXX";
static char boot[TAF_BOOT_ID_LEN + 1];

static const char *name_of(const char *which, int pid, unsigned long long start, const char *tail)
{
	static char path[4][256];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s-%d-%llu%s", dir, which, pid, start, tail);
	return p;
}

/* A file of that age with text in it. */
static void make(const char *path, long minutes_old, const char *text)
{
	struct timespec t[2];
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	clock_gettime(CLOCK_REALTIME, &t[0]);
	t[0].tv_sec -= minutes_old * 60;
	t[1] = t[0];
	futimens(fd, t);
	close(fd);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Dead processes of this boot: numbers that no process has. */
static const char *dead(int i, const char *tail)
{
	return name_of(boot, 0x7f000000 + i, 5, tail);
}

static void test_oldest_go_first(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		make(dead(i, "-000.jsonl"), 100 - i, "x");
		make(dead(i, "-001.jsonl"), 100 - i, "x");
		make(dead(i, ".ring"), 100 - i, "x");
	}
	taf_retain(dir, 4, UINT64_MAX, boot);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(is_there(dead(i, "-000.jsonl")), i >= 6);
		assert_int_equal(is_there(dead(i, "-001.jsonl")), i >= 6);
		assert_int_equal(is_there(dead(i, ".ring")), i >= 6);
	}
	/* Three bytes a session. */
	taf_retain(dir, 100, 7, boot);
	assert_false(is_there(dead(7, "-000.jsonl")));
	assert_true(is_there(dead(8, "-000.jsonl")) && is_there(dead(9, "-001.jsonl")));
	taf_retain(dir, 0, 0, boot);
	assert_false(is_there(dead(9, "-000.jsonl")));
}

static int count_dead(int n)
{
	int left = 0;

	for (int i = 0; i < n; i++)
		left += is_there(dead(i, "-000.jsonl"));
	return left;
}

static void test_a_few_more_cost_no_more_than_their_names(void **state)
{
	(void)state;
	for (int i = 0; i < 34; i++)
		make(dead(i, "-000.jsonl"), 100 - i, "x");
	taf_retain(dir, 32, UINT64_MAX, boot);
	assert_int_equal(count_dead(34), 34);
	make(dead(34, "-000.jsonl"), 66, "x");
	taf_retain(dir, 32, UINT64_MAX, boot);
	assert_int_equal(count_dead(35), 32);
	assert_false(is_there(dead(2, "-000.jsonl")));
	/* What they could have is too much, what they have is not; of what is known to be
	 * there, all counts. */
	taf_retain(dir, 32, 1000, boot);
	assert_int_equal(count_dead(35), 32);
	make(dead(34, "-001.jsonl"), 66, "twenty bytes of a log");
	taf_retain(dir, 32, 32, boot);
	assert_int_equal(count_dead(35), 11);
	taf_retain(dir, 0, 0, boot);
	assert_int_equal(count_dead(35), 0);
}

static void test_a_ring_of_nobody_goes_however_few_there_are(void **state)
{
	char rings[64], path[3][256];

	(void)state;
	snprintf(rings, sizeof(rings), "%s/few", dir);
	mkdir(rings, 0700);
	/* Of a boot that was, or that lasts for more than a week. */
	for (int i = 0; i < 3; i++) {
		snprintf(path[i], sizeof(path[i]), "%s%s", rings,
			 strrchr(name_of(i ? boot : OTHER, 77 + i, ~0ull >> 1, ".ring"), '/'));
		make(path[i], i == 1 ? 6 * 1440 : 8 * 1440, "x");
	}
	make(name_of(OTHER, 77, ~0ull >> 1, "-000.jsonl"), 8 * 1440, "x");
	taf_retain_rings(rings, dir, boot);
	assert_true(is_there(path[0]) && is_there(path[1]));
	assert_false(is_there(path[2]));
	unlink(name_of(OTHER, 77, ~0ull >> 1, "-000.jsonl"));
	taf_retain_rings(rings, dir, boot);
	assert_false(is_there(path[0]));
	assert_true(is_there(path[1]));
}

static void test_the_living_stay(void **state)
{
	unsigned long long start = taf_sys_start_ticks(0);

	(void)state;
	make(name_of(boot, getpid(), start, "-000.jsonl"), 5000, "x");
	make(name_of(boot, getpid(), start + 1, "-000.jsonl"), 10,
	     "x"); /* the number was dealt again */
	taf_retain(dir, 0, 0, boot);
	assert_true(is_there(name_of(boot, getpid(), start, "-000.jsonl")));
	assert_false(is_there(name_of(boot, getpid(), start + 1, "-000.jsonl")));
	unlink(name_of(boot, getpid(), start, "-000.jsonl"));
}

static void test_another_container_may_live(void **state)
{
	static const char text[] = "{\"t\":\"\",\"pid_ns\":1,\"crc\":\"00000000\"}\n";

	(void)state;
	make(dead(1, "-000.jsonl"), 60, text);
	make(dead(2, "-000.jsonl"), 25 * 60, text);
	taf_retain(dir, 0, 0, boot);
	assert_true(is_there(dead(1, "-000.jsonl")));
	assert_false(is_there(dead(2, "-000.jsonl")));
	unlink(dead(1, "-000.jsonl"));
}

static void test_the_suspect_of_each_boot_stays(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		make(name_of(OTHER, 10 + i, 7, "-000.jsonl"), 1000 + 10 * (i != 3), "x");
		make(name_of(THIRD, 20 + i, 7, "-000.jsonl"), 5000 + i, "x");
	}
	make(name_of(OTHER, 13, 7, ".ring"), 1000, "x");
	taf_retain(dir, 0, 0, boot);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(is_there(name_of(OTHER, 10 + i, 7, "-000.jsonl")), i == 3);
		assert_int_equal(is_there(name_of(THIRD, 20 + i, 7, "-000.jsonl")), i == 0);
	}
	assert_true(is_there(name_of(OTHER, 13, 7, ".ring")));
	unlink(name_of(OTHER, 13, 7, "-000.jsonl"));
	unlink(name_of(OTHER, 13, 7, ".ring"));
	unlink(name_of(THIRD, 20, 7, "-000.jsonl"));
}

static void test_other_names_are_not_ours(void **state)
{
	static const char *const tails[] = { "-0.jsonl", "-000.jsonl.bak", ".rings", "-000",
					     "-00a.jsonl" };
	static const char *const wide[] = { "-02130706433-5-000.jsonl", "-2130706433-05-000.jsonl",
					    "-2130706433-5-0001.jsonl", "-2130706433-05.ring" };
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/README", dir);
	make(path, 9999, "x");
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		make(dead(1, tails[i]), 9999, "x");
	make(name_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1, 1, "-000.jsonl"), 9999, "x");
	/* Nor is one with more zeroes in front than we write. */
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++) {
		snprintf(path, sizeof(path), "%s/%s%s", dir, boot, wide[i]);
		make(path, 9999, "x");
	}
	snprintf(path, sizeof(path), "%s/README", dir);
	taf_retain(dir, 0, 0, boot);
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++) {
		char one[128];

		snprintf(one, sizeof(one), "%s/%s%s", dir, boot, wide[i]);
		assert_true(is_there(one));
		unlink(one);
	}
	assert_true(is_there(path));
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		assert_true(is_there(dead(1, tails[i])));
		unlink(dead(1, tails[i]));
	}
	assert_true(is_there(name_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1, 1, "-000.jsonl")));
	taf_retain("/nowhere/at/all", 0, 0, boot);
}

static void test_rings(void **state)
{
	char rings[64], last[256];

	(void)state;
	snprintf(rings, sizeof(rings), "%s/rings", dir);
	mkdir(rings, 0700);
	/* Forty dead ones with a log, one of another state directory, one that is new, and one
	 * that nobody has missed for eight days. */
	for (int i = 0; i < 43; i++) {
		char tail[64];

		snprintf(tail, sizeof(tail), "%s", strrchr(dead(i, ".ring"), '/'));
		snprintf(rings, sizeof(rings), "%s/rings", dir);
		make(strcat(strcpy((char[256]){ 0 }, rings), tail),
		     i == 41   ? 0
		     : i == 42 ? 8 * 86400
			       : 1000 - i,
		     "x");
		if (i < 40)
			make(dead(i, "-000.jsonl"), 1000 - i, "x");
	}
	taf_retain_rings(rings, dir, boot);
	for (int i = 0; i < 43; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s%s", rings, strrchr(dead(i, ".ring"), '/'));
		assert_int_equal(is_there(path), i >= 9 && i <= 41);
	}
	taf_retain(dir, 0, 0, boot);
	taf_retain_rings(rings, dir, boot);
	snprintf(last, sizeof(last), "%s%s", rings, strrchr(dead(39, ".ring"), '/'));
	/* Their logs are gone: they may now be another state directory's evidence. */
	assert_true(is_there(last));
}

static void test_very_many(void **state)
{
	uint64_t began;
	int left = 0;

	(void)state;
	for (int i = 0; i < 3000; i++)
		make(dead(i, "-000.jsonl"), 10000 - i, "x");
	began = taf_sys_mono_ns();
	taf_retain(dir, 200, UINT64_MAX, boot);
	print_message("3000 sessions down to 200 in %u ms\n",
		      (unsigned)((taf_sys_mono_ns() - began) / 1000000));
	for (int i = 0; i < 3000; i++)
		left += is_there(dead(i, "-000.jsonl"));
	assert_int_equal(left, 200);
	assert_true(is_there(dead(2999, "-000.jsonl")) && !is_there(dead(2799, "-000.jsonl")));
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) && !taf_sys_boot_id(boot) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oldest_go_first),
		cmocka_unit_test(test_a_few_more_cost_no_more_than_their_names),
		cmocka_unit_test(test_a_ring_of_nobody_goes_however_few_there_are),
		cmocka_unit_test(test_the_living_stay),
		cmocka_unit_test(test_another_container_may_live),
		cmocka_unit_test(test_the_suspect_of_each_boot_stays),
		cmocka_unit_test(test_other_names_are_not_ours),
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_very_many),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
