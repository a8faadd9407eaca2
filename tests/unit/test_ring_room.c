/* SPDX-License-Identifier: MIT */
/* test_ring_room.c -- which pages of a ring are there, and when; and none too few. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../../policy/text.h"
#include "../../shim/crumb.h"
#include "../../shim/ring.h"
#include "child.h"
#include "trap.h"

#define THREADS 40

static char dir[] = "/tmp/taf-room-XXXXXX";
static struct taf_session session;
static pthread_barrier_t gate;
static struct taf_lane *dealt[THREADS];

static void open_ring(uint32_t bytes)
{
	taf_copy(session.ring_dir, dir, sizeof(session.ring_dir));
	taf_sys_boot_id(session.boot);
	session.pid = taf_sys_pid();
	session.start = taf_sys_start_ticks(0);
	session.ring_bytes = bytes;
	assert_int_equal(taf_ring_open(&session), 0);
}

static struct taf_lane *lane_of(struct taf_ring_head *h, uint32_t i)
{
	return (struct taf_lane *)(void *)((char *)h + TAF_RING_PAGE + (size_t)i * h->lane_bytes);
}

static bool is_backed(int fd, const void *from, const void *to)
{
	const char *ring = (const char *)taf_ring_head();
	off_t at = (const char *)from - ring;

	return lseek(fd, at, SEEK_DATA) == at &&
	       lseek(fd, at, SEEK_HOLE) >= (const char *)to - ring;
}

static void test_a_lane_has_its_pages_before_a_thread_has_it(void **state)
{
	struct taf_ring_head *h;
	struct taf_lane *lane;
	int fd;

	(void)state;
	open_ring(1024 * 1024);
	h = taf_ring_head();
	fd = open(taf_ring_path(), O_RDONLY);
	assert_true(is_backed(fd, h, h + 1));
	for (uint32_t i = 0; i < TAF_LANES; i++) {
		lane = lane_of(h, i);
		assert_int_equal(is_backed(fd, lane, lane + h->lane_bytes / sizeof(*lane)),
				 lane->is_shared);
	}
	lane = taf_ring_take_lane();
	assert_true(is_backed(fd, lane, lane + h->lane_bytes / sizeof(*lane)));
	assert_false(is_backed(fd, lane_of(h, 5), lane_of(h, 6)));
	close(fd);
	taf_ring_close(true);
}

static bool is_whole_file(void)
{
	struct stat st;

	return !stat(taf_ring_path(), &st) && st.st_size == 1024 * 1024 &&
	       st.st_blocks * 512 >= st.st_size;
}

static long no_such_advice(const unsigned long long *a)
{
	(void)a;
	return -EINVAL;
}

static void open_on_an_older_kernel(void)
{
	if (!trap_calls(SYS_madvise, no_such_advice))
		_exit(77);
	open_ring(1024 * 1024);
	if (!is_whole_file() || taf_ring_take_lane()->is_shared)
		_exit(1);
	taf_ring_close(true);
}

static void test_a_whole_file_where_it_has_to_be(void **state)
{
	(void)state;
	in_child(open_on_an_older_kernel);
	/* On the disk, beside the log. */
	taf_copy(session.dir, dir, sizeof(session.dir));
	open_ring(1024 * 1024);
	session.dir[0] = '\0';
	assert_true(is_whole_file());
	taf_ring_close(true);
}

static void *write_where_there_is_room(void *arg)
{
	size_t me = (size_t)arg;
	struct taf_slot_body b = { .stamp = me + 1, .kind = TAF_SUBMIT };

	dealt[me] = taf_ring_take_lane();
	for (int n = 0; n < 2000; n++)
		taf_ring_put(dealt[me], &b);
	pthread_barrier_wait(&gate);
	return NULL;
}

static void write_on_a_full_disk(void)
{
	pthread_t t[THREADS];
	unsigned shared = 0;

	open_ring(1024 * 1024);
	if (!taf_ring_path()[0])
		_exit(2);
	pthread_barrier_init(&gate, NULL, THREADS);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, write_where_there_is_room, (void *)i);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		shared += dealt[i]->is_shared;
	}
	/* A lane has 32 KiB: the head and a few of them fit. */
	if (shared < 25 || shared == THREADS)
		_exit(3);
	taf_ring_close(true);
}

static void test_no_space_for_more_lanes(void **state)
{
	(void)state;
	if (geteuid() || mount("taf", dir, "tmpfs", 0, "size=384k")) {
		print_message("SKIPPED: needs root and mount to show a full file system\n");
		skip();
	}
	in_child(write_on_a_full_disk);
	umount(dir);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	umount(dir);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lane_has_its_pages_before_a_thread_has_it),
		cmocka_unit_test(test_a_whole_file_where_it_has_to_be),
		cmocka_unit_test(test_no_space_for_more_lanes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
