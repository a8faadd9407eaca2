/* SPDX-License-Identifier: MIT */
/* test_seg.c -- segment files: made, turned, stolen, removed; many writers and a slow flush. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#include "seg_kit.h"
#include "trap.h"

static void test_file_is_whole_before_its_first_record(void **state)
{
	struct rlimit l;
	struct stat st;
	size_t n;
	char *text;

	(void)state;
	assert_int_equal(open_seg(dir, 0), 0);
	text = slurp(seg.now.path, &n);
	assert_int_equal(n, TAF_SEGMENT_FIRST);
	assert_true(is_all(text, 0, n, '\n'));
	free(text);
	assert_int_equal(stat(seg.now.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_blocks * 512 >= st.st_size);
	getrlimit(RLIMIT_NOFILE, &l);
	assert_true(seg.now.fd >= (int)(l.rlim_cur / 2 < 1000 ? l.rlim_cur / 2 : 1000));
	assert_int_equal(fcntl(seg.now.fd, F_GETFD), FD_CLOEXEC);
	taf_seg_close(&seg, gettid());
	assert_int_equal(access(seg.now.path, F_OK), -1);
}

static void test_records_overwrite_in_place(void **state)
{
	size_t n;
	char *text;

	(void)state;
	open_seg(dir, 0);
	assert_int_equal(put('a', 100), 0);
	assert_int_equal(put('b', 50), 0);
	assert_int_equal(seg.flushed, 0);
	assert_int_equal(taf_seg_flush(&seg, seg.put, gettid()), 0);
	assert_int_equal(seg.flushed, 2);
	text = slurp(seg.now.path, &n);
	assert_int_equal(n, TAF_SEGMENT_FIRST);
	assert_true(is_all(text, 0, 99, 'a') && text[99] == '\n' && is_all(text, 100, 149, 'b'));
	assert_true(is_all(text, 149, n, '\n'));
	free(text);
	taf_seg_close(&seg, gettid());
	text = slurp(seg.now.path, &n);
	assert_int_equal(n, 150);
	free(text);
	assert_int_equal(put('c', 10), -EBADF);
}

static void test_next_segment_is_ready_before_it_is_needed(void **state)
{
	char first[sizeof(seg.now.path)];
	struct stat st;

	(void)state;
	open_seg(dir, 200 * 1024);
	memcpy(first, seg.now.path, sizeof(first));
	while (seg.at <= seg.now.size / 4 * 3) {
		assert_int_equal(seg.next.fd, -1);
		assert_int_equal(put('a', 1000), 0);
	}
	assert_true(seg.next.fd >= 0);
	assert_int_equal(seg.next.number, 1);
	while (!seg.now.number)
		assert_int_equal(put('b', 1000), 0);
	assert_int_equal(seg.at, 1000);
	assert_int_equal(seg.now.size, 200 * 1024);
	assert_int_equal(stat(first, &st), 0);
	assert_int_equal(st.st_size, TAF_SEGMENT_FIRST);
	/* Turning flushed the old one. */
	assert_int_equal(seg.flushed, seg.put - 1);
	taf_seg_close(&seg, gettid());
}

static void test_taken_numbers_are_passed_over(void **state)
{
	char path[sizeof(seg.now.path)];

	(void)state;
	open_seg(dir, 0);
	snprintf(path, sizeof(path), "%s001.jsonl", seg.stem);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	while (!seg.now.number)
		assert_int_equal(put('a', 3000), 0);
	assert_int_equal(seg.now.number, 2);
	taf_seg_close(&seg, gettid());
}

static void test_stolen_descriptor_is_not_written(void **state)
{
	char theirs[128], *text;
	int fd, number;
	size_t n;

	(void)state;
	open_seg(dir, 0);
	assert_int_equal(put('a', 100), 0);
	snprintf(theirs, sizeof(theirs), "%s/theirs", dir);
	fd = open(theirs, O_CREAT | O_RDWR, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	number = seg.now.fd;
	assert_int_equal(dup2(fd, number), number);
	assert_int_equal(put('b', 100), 0);
	assert_int_not_equal(seg.now.fd, number);
	/* Closed for good, and flushed through a stranger's number. */
	close(seg.now.fd);
	assert_int_equal(put('c', 100), 0);
	assert_int_equal(dup2(fd, seg.now.fd), seg.now.fd);
	number = seg.now.fd;
	assert_int_equal(taf_seg_flush(&seg, seg.put, gettid()), 0);
	assert_int_equal(seg.flushed, 3);
	assert_int_not_equal(seg.now.fd, number);
	assert_int_equal(fcntl(number, F_GETFD),
			 0); /* dup2 leaves it open over exec: theirs, and open */
	text = slurp(theirs, &n);
	assert_int_equal(n, 8);
	assert_string_equal(text, "precious");
	free(text);
	text = slurp(seg.now.path, &n);
	assert_true(is_all(text, 0, 99, 'a') && is_all(text, 100, 199, 'b') &&
		    is_all(text, 200, 299, 'c'));
	free(text);
	/* Nor is it closed or cut. */
	assert_int_equal(dup2(fd, seg.now.fd), seg.now.fd);
	number = seg.now.fd;
	taf_seg_close(&seg, gettid());
	assert_int_equal(fcntl(number, F_GETFD), 0);
	text = slurp(theirs, &n);
	assert_int_equal(n, 8);
	free(text);
	text = slurp(seg.now.path, &n);
	assert_int_equal(n, 300);
	free(text);
	close(fd);
}

static void test_removed_file_begins_a_new_segment(void **state)
{
	(void)state;
	open_seg(dir, 0);
	assert_int_equal(put('a', 100), 0);
	assert_int_equal(unlink(seg.now.path), 0);
	assert_int_equal(put('b', 100), 0);
	assert_int_equal(seg.now.number, 1);
	assert_int_equal(seg.at, 100);
	assert_int_equal(access(seg.now.path, F_OK), 0);
	/* A stranger's file under our name is not ours. */
	assert_int_equal(unlink(seg.now.path), 0);
	close(open(seg.now.path, O_CREAT | O_WRONLY, 0600));
	close(seg.now.fd);
	assert_int_equal(put('c', 100), 0);
	assert_int_equal(seg.now.number, 2);
	taf_seg_close(&seg, gettid());
}

static void test_lock_is_refused_to_its_holder(void **state)
{
	struct taf_seg_hold outer, inner;

	(void)state;
	open_seg(dir, 0);
	assert_int_equal(taf_seg_enter(&seg, &outer, gettid()), 0);
	assert_int_equal(taf_seg_enter(&seg, &inner, gettid()), -EDEADLK);
	taf_seg_leave(&seg, &inner);
	taf_seg_leave(&seg, &outer);
	assert_int_equal(taf_seg_enter(&seg, &inner, gettid()), 0);
	taf_seg_leave(&seg, &inner);
	taf_seg_close(&seg, gettid());
}

#define WRITERS 8
#define EACH 12

static _Atomic(unsigned) flushes, overlaps, running;

static long slow_flush(const unsigned long long *a)
{
	struct timespec t = { 0, 20000000 };

	(void)a;
	if (atomic_fetch_add(&running, 1))
		overlaps++;
	nanosleep(&t, NULL);
	running--;
	flushes++;
	return 0;
}

static void *write_and_flush(void *arg)
{
	char line[200];

	memset(line, 'a' + (int)(intptr_t)arg, sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < EACH; i++) {
		struct taf_seg_hold h;
		unsigned before;
		uint64_t mine;

		MUST(!taf_seg_enter(&seg, &h, gettid()));
		MUST(!taf_seg_put(&seg, &h, line, sizeof(line)));
		mine = seg.put;
		before = flushes;
		taf_seg_leave(&seg, &h);
		MUST(!taf_seg_flush(&seg, mine, gettid()));
		MUST(seg.flushed >= mine);
		MUST(flushes > before);
	}
	return NULL;
}

static void commit_together(void)
{
	pthread_t t[WRITERS];
	char *text;
	size_t n, lines = 0;

	MUST(!open_seg(dir, 0));
	if (!trap_calls(SYS_fdatasync, slow_flush))
		_exit(77);
	for (intptr_t i = 0; i < WRITERS; i++)
		MUST(!pthread_create(&t[i], NULL, write_and_flush, (void *)i));
	for (int i = 0; i < WRITERS; i++)
		pthread_join(t[i], NULL);
	MUST(overlaps == 0);
	/* At least four records a flush; one each would be 96. */
	MUST(flushes * 4 <= WRITERS * EACH);
	text = slurp(seg.now.path, &n);
	for (size_t i = 0; i + 200 <= n && text[i] != '\n'; i += 200, lines++)
		MUST(is_all(text, i, i + 199, text[i]) && text[i + 199] == '\n');
	MUST(lines == WRITERS * EACH);
	printf("%d records in %u flushes of 20 ms\n", WRITERS * EACH, flushes);
	fflush(stdout);
	taf_seg_close(&seg, gettid());
}

static void test_group_commit(void **state)
{
	(void)state;
	in_child(commit_together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_whole_before_its_first_record),
		cmocka_unit_test(test_records_overwrite_in_place),
		cmocka_unit_test(test_next_segment_is_ready_before_it_is_needed),
		cmocka_unit_test(test_taken_numbers_are_passed_over),
		cmocka_unit_test(test_stolen_descriptor_is_not_written),
		cmocka_unit_test(test_removed_file_begins_a_new_segment),
		cmocka_unit_test(test_lock_is_refused_to_its_holder),
		cmocka_unit_test(test_group_commit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
