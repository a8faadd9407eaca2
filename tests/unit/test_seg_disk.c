/* SPDX-License-Identifier: MIT */
/* test_seg_disk.c -- segment files on a bad disk: short writes, no room, limits, broken flushes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>
#include <sys/uio.h>

#include "../../shim/sys_file.h"
#include "seg_kit.h"
#include "trap.h"

static unsigned writes;
static bool is_short, is_broken;

static long half_of_a_write(const unsigned long long *a)
{
	struct iovec v = { (void *)(uintptr_t)a[1], is_short && a[2] > 1 ? a[2] / 2 : a[2] };
	ssize_t r;

	writes++;
	if (is_broken && writes % 2 == 0)
		return -ENOSPC;
	r = pwritev((int)a[0], &v, 1, (off_t)a[3]);
	return r < 0 ? -errno : r;
}

static void write_in_halves(void)
{
	size_t n;
	char *text;

	MUST(!open_seg(dir, 0));
	if (!trap_calls(SYS_pwrite64, half_of_a_write))
		_exit(77);
	is_short = true;
	MUST(!put('a', 1000));
	MUST(writes > 5);
	text = slurp(seg.now.path, &n);
	MUST(is_all(text, 0, 999, 'a') && is_all(text, 999, n, '\n'));
	/* The second half fails: the record is lost, what there is of it stays. */
	writes = 0;
	is_broken = true;
	MUST(put('b', 1000) == -ENOSPC);
	MUST(seg.at == 1000 && seg.put == 1);
	/* The disk is left alone for a second. */
	writes = 0;
	for (int i = 0; i < 1000; i++)
		MUST(put('c', 100) == -ENOSPC);
	MUST(writes == 0);
	/* Then the next record covers it. */
	is_broken = false;
	seg.quiet_until_ns = 0;
	MUST(!put('d', 600) && !put('e', 600));
	text = slurp(seg.now.path, &n);
	MUST(is_all(text, 1000, 1599, 'd') && is_all(text, 1600, 2199, 'e') &&
	     is_all(text, 2199, n, '\n'));
	taf_seg_close(&seg, gettid());
}

static void test_short_writes_and_torn_records(void **state)
{
	(void)state;
	in_child(write_in_halves);
}

static void fill_small_disk(void)
{
	char *text;
	size_t n;
	unsigned good = 0, bad = 0;
	uint64_t put_before;

	MUST(!open_seg(dir, 64 * 1024));
	for (int i = 0; i < 300; i++) {
		if (put('a', 1000)) {
			bad++;
			seg.quiet_until_ns = 0;
		} else {
			good++;
		}
	}
	/* One segment fits twice into 128 KiB at best, the next one never. */
	MUST(good >= 60 && good <= 130 && bad > 100);
	put_before = seg.put;
	text = slurp(seg.now.path, &n);
	MUST(text && text[0] == 'a');
	/* Room again: the log goes on. */
	snprintf(text, n, "%s000.jsonl", seg.stem);
	MUST(seg.now.number == 0 || !unlink(text));
	snprintf(text, n, "%s/ballast", dir);
	unlink(text);
	seg.quiet_until_ns = seg.make_after_ns = 0;
	MUST(!put('z', 1000));
	MUST(seg.put == put_before + 1);
	MUST(!taf_seg_flush(&seg, seg.put, gettid()));
	taf_seg_close(&seg, gettid());
}

static void test_full_file_system(void **state)
{
	char ballast[128];
	int fd;

	(void)state;
	if (geteuid() || mount("taf", dir, "tmpfs", 0, "size=128k")) {
		print_message("SKIPPED: needs root and mount to show a full file system\n");
		skip();
	}
	in_child(fill_small_disk);
	/* No room for a first segment: says so, leaves nothing behind. */
	snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	fd = open(ballast, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_not_equal(posix_fallocate(fd, 0, 80 * 1024), -1);
	close(fd);
	assert_int_equal(open_seg(dir, 0), -ENOSPC);
	assert_int_equal(access(seg.now.path, F_OK), -1);
	assert_int_equal(seg.now.fd, -1);
	umount(dir);
}

static void live_under_a_limit(void)
{
	struct rlimit l = { 40000, RLIM_INFINITY };
	int total = 0;

	MUST(!setrlimit(RLIMIT_FSIZE, &l));
	MUST(!open_seg(dir, 0));
	MUST(seg.now.size == 40000);
	for (int i = 0; i < 100; i++)
		total += !put('a', 1000);
	MUST(total == 100);
	MUST(seg.now.number == 2);
	/* Lowered under our feet, below where we write. */
	l.rlim_cur = 9000;
	MUST(!setrlimit(RLIMIT_FSIZE, &l));
	MUST(!put('b', 1000));
	MUST(seg.now.number == 3);
	MUST(seg.at == 1000);
	l.rlim_cur = 500;
	MUST(!setrlimit(RLIMIT_FSIZE, &l));
	MUST(put('c', 1000) == -EFBIG);
	MUST(put('c', 1000) == -ENOSPC);
	taf_seg_close(&seg, gettid());
	MUST(!(taf_sys_pending() >> (SIGXFSZ - 1) & 1));
}

static void cross_the_limit(void)
{
	struct rlimit l = { 500, RLIM_INFINITY };
	struct taf_seg_hold h;
	sigset_t set;

	/* Past the check, as if the limit fell right behind it. */
	MUST(!open_seg(dir, 0));
	MUST(!put('a', 1000));
	MUST(!setrlimit(RLIMIT_FSIZE, &l));
	MUST(!taf_seg_enter(&seg, &h, gettid()));
	MUST(taf_seg_put(&seg, &h, "b\n", 2) == -EFBIG);
	taf_seg_leave(&seg, &h);
	MUST(!(taf_sys_pending() >> (SIGXFSZ - 1) & 1));
	/* One that waited before is theirs and stays. */
	sigemptyset(&set);
	sigaddset(&set, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGXFSZ);
	seg.quiet_until_ns = 0;
	MUST(!taf_seg_enter(&seg, &h, gettid()));
	MUST(taf_seg_put(&seg, &h, "b\n", 2) == -EFBIG);
	taf_seg_leave(&seg, &h);
	MUST(taf_sys_pending() >> (SIGXFSZ - 1) & 1);
}

static void test_limit_on_file_sizes(void **state)
{
	(void)state;
	in_child(live_under_a_limit);
	in_child(cross_the_limit);
}

static unsigned flush_calls;

static long broken_flush(const unsigned long long *a)
{
	(void)a;
	flush_calls++;
	return -EIO;
}

static void flush_a_broken_disk(void)
{
	MUST(!open_seg(dir, 0));
	if (!trap_calls(SYS_fdatasync, broken_flush))
		_exit(77);
	MUST(!put('a', 100));
	MUST(taf_seg_flush(&seg, seg.put, gettid()) == -EIO);
	MUST(flush_calls == 1);
	MUST(taf_seg_flush(&seg, seg.put, gettid()) == -EIO);
	MUST(flush_calls == 1);
	MUST(put('b', 100) == -ENOSPC);
}

static void test_failing_flush_is_told_once(void **state)
{
	(void)state;
	in_child(flush_a_broken_disk);
}

static char flushes[8]; /* in their order: 'd' of data, 'f' of all */
static bool is_whole_at_first; /* what the first flush would carry */

/* In a handler, so it takes no memory. */
static void note_flush(char which)
{
	static char text[TAF_SEGMENT_FIRST + 1];
	char *end = strchr(flushes, '\0');

	if (end == flushes) {
		int fd = open(seg.now.path, O_RDONLY);
		ssize_t n = read(fd, text, sizeof(text));

		close(fd);
		is_whole_at_first = n == TAF_SEGMENT_FIRST && is_all(text, 0, 99, 's') &&
				    is_all(text, 99, (size_t)n, '\n');
	}
	if (end < flushes + sizeof(flushes) - 1)
		*end = which;
}

static long flush_of_data(const unsigned long long *a)
{
	(void)a;
	note_flush('d');
	return 0;
}

static long flush_of_all(const unsigned long long *a)
{
	struct stat st;

	note_flush(!fstat((int)a[0], &st) && S_ISDIR(st.st_mode) ? 'f' : '?');
	return 0;
}

/* The blocks, the size and the start record by one flush, then the name by one. */
static void settle_the_first(void)
{
	if (!trap_calls(SYS_fdatasync, flush_of_data) || !trap_calls(SYS_fsync, flush_of_all))
		_exit(77);
	MUST(!open_seg(dir, 0));
	MUST(!flushes[0]);
	MUST(!put('s', 100));
	MUST(!taf_seg_settle(&seg, gettid()));
	MUST(!strcmp(flushes, "df"));
	MUST(is_whole_at_first);
	/* From then on one flush of data a record. */
	MUST(!put('a', 100) && !taf_seg_flush(&seg, seg.put, gettid()));
	MUST(!strcmp(flushes, "dfd"));
	taf_seg_close(&seg, gettid());
}

static long no_flush_of_all(const unsigned long long *a)
{
	(void)a;
	return -EIO;
}

/* A segment that did not get there is none. */
static void settle_on_a_broken_disk(unsigned nr, trap_answer answer)
{
	MUST(!open_seg(dir, 0));
	if (!trap_calls(nr, answer))
		_exit(77);
	MUST(!put('s', 100));
	MUST(taf_seg_settle(&seg, gettid()) == -EIO);
	taf_seg_close(&seg, gettid());
	MUST(access(seg.now.path, F_OK) && errno == ENOENT);
	MUST(put('a', 100) == -ENOSPC || put('a', 100) == -EBADF);
}

static void settle_without_the_record(void)
{
	settle_on_a_broken_disk(SYS_fdatasync, broken_flush);
}

static void settle_without_the_name(void)
{
	settle_on_a_broken_disk(SYS_fsync, no_flush_of_all);
}

static void test_first_segment_is_settled(void **state)
{
	(void)state;
	in_child(settle_the_first);
	in_child(settle_without_the_record);
	in_child(settle_without_the_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_writes_and_torn_records),
		cmocka_unit_test(test_full_file_system),
		cmocka_unit_test(test_limit_on_file_sizes),
		cmocka_unit_test(test_failing_flush_is_told_once),
		cmocka_unit_test(test_first_segment_is_settled),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
