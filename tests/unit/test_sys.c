/* SPDX-License-Identifier: MIT */
/* test_sys.c -- the system calls of shim/sys.h: answers, errno, identity, the bare thread. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/sys.h"
#include "../../shim/sys_file.h"
#include "child.h"

static char dir[] = "/tmp/taf-sys-XXXXXX";

static const char *in_dir(const char *leaf)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, leaf);
	return path;
}

static void test_open_refuses_links_and_what_is_there(void **state)
{
	int fd = taf_sys_open(in_dir("a"), TAF_O_RDWR | TAF_O_CREATE);
	struct taf_stat st;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(taf_sys_fstat(fd, &st), 0);
	assert_int_equal(st.mode & 07777, 0600);
	assert_int_equal(taf_sys_close(fd), 0);
	assert_int_equal(taf_sys_open(in_dir("a"), TAF_O_WRITE | TAF_O_CREATE), -EEXIST);
	assert_int_equal(symlink("a", in_dir("link")), 0);
	assert_int_equal(taf_sys_open(in_dir("link"), TAF_O_READ), -ELOOP);
	assert_int_equal(taf_sys_open(in_dir("a"), TAF_O_READ | TAF_O_DIR), -ENOTDIR);
	fd = taf_sys_open_any(in_dir("link"));
	assert_true(fd >= 0);
	taf_sys_close(fd);
	assert_int_equal(taf_sys_stat(in_dir("link"), &st), 0);
	assert_true(S_ISLNK(st.mode));
}

static void test_open_does_not_wait_for_a_fifo(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(taf_sys_open(in_dir("fifo"), TAF_O_WRITE), -ENXIO);
}

static void test_errno_is_left_alone(void **state)
{
	struct taf_stat st;
	char buf[8];

	(void)state;
	errno = 4711;
	assert_int_equal(taf_sys_open("/nowhere/at/all", TAF_O_READ), -ENOENT);
	assert_int_equal(taf_sys_read(-1, buf, 1), -EBADF);
	assert_int_equal(taf_sys_write(-1, "x", 1), -EBADF);
	assert_int_equal(taf_sys_fstat(-1, &st), -EBADF);
	assert_int_equal(taf_sys_mkdir("/nowhere/at/all"), -ENOENT);
	assert_null(taf_sys_map_file(-1, 4096, false));
	taf_sys_mono_ns();
	assert_int_equal(errno, 4711);
}

static void test_file_round_trip(void **state)
{
	int fd = taf_sys_open(in_dir("data"), TAF_O_RDWR | TAF_O_CREATE);
	char buf[16] = "";
	struct taf_stat st;
	struct stat want;
	char *map;

	(void)state;
	assert_int_equal(taf_sys_allocate(fd, 8192), 0);
	assert_int_equal(taf_sys_pwrite(fd, "hello", 5, 4096), 5);
	assert_int_equal(taf_sys_pread(fd, buf, 5, 4096), 5);
	assert_string_equal(buf, "hello");
	map = taf_sys_map_file(fd, 8192, true);
	assert_non_null(map);
	assert_memory_equal(map + 4096, "hello", 5);
	map[0] = 'x';
	assert_int_equal(taf_sys_pread(fd, buf, 1, 0), 1);
	assert_int_equal(buf[0], 'x');
	taf_sys_cover(map, 8192);
	assert_int_equal(map[0], 0);
	map[0] = 'y';
	assert_int_equal(taf_sys_pread(fd, buf, 1, 0), 1);
	assert_int_equal(buf[0], 'x');
	taf_sys_unmap(map, 8192);
	assert_int_equal(taf_sys_ftruncate(fd, 100), 0);
	assert_int_equal(taf_sys_fdatasync(fd), 0);
	assert_int_equal(taf_sys_fsync(fd), 0);
	assert_int_equal(taf_sys_fstat(fd, &st), 0);
	assert_int_equal(fstat(fd, &want), 0);
	assert_int_equal(st.size, 100);
	assert_int_equal(st.ino, want.st_ino);
	assert_int_equal(st.dev, want.st_dev);
	assert_int_equal(st.mtime_ns, want.st_mtim.tv_sec * 1000000000l + want.st_mtim.tv_nsec);
	assert_int_equal(st.uid, geteuid());
	assert_int_equal(taf_sys_unlink(in_dir("data")), 0);
	assert_int_equal(taf_sys_fstat(fd, &st), 0);
	assert_int_equal(st.nlink, 0);
	taf_sys_close(fd);
}

static void test_directory_rows(void **state)
{
	char buf[4096];
	int fd = taf_sys_open(dir, TAF_O_READ | TAF_O_DIR), found = 0;
	int64_t got = taf_sys_getdents(fd, buf, sizeof(buf));

	(void)state;
	for (int64_t at = 0; at < got;) {
		struct dirent64 *d = (struct dirent64 *)(void *)(buf + at);

		found += !strcmp(d->d_name, "link");
		at += d->d_reclen;
	}
	assert_int_equal(found, 1);
	taf_sys_close(fd);
	assert_int_equal(taf_sys_readlink(in_dir("link"), buf, sizeof(buf)), 1);
	assert_string_equal(buf, "a");
	assert_int_equal(taf_sys_readlink(in_dir("a"), buf, sizeof(buf)), -EINVAL);
	assert_string_equal(buf, "");
	assert_int_equal(taf_sys_sync_dir(dir), 0);
}

static void test_high_descriptor(void **state)
{
	int fd = taf_sys_open_any("/dev/null"), high = taf_sys_move_fd(fd, 200);

	(void)state;
	assert_true(high >= 200);
	assert_int_equal(fcntl(high, F_GETFD), FD_CLOEXEC);
	assert_int_equal(taf_sys_close(fd), -EBADF);
	/* No such number may exist: the old one stays. */
	assert_int_equal(taf_sys_move_fd(high, INT32_MAX), high);
	assert_int_equal(taf_sys_close(high), 0);
}

static void test_clocks(void **state)
{
	uint64_t a = taf_sys_mono_ns(), b = taf_sys_boot_ns(), utc = taf_sys_utc_us();
	struct timespec t;

	(void)state;
	taf_sys_sleep_ms(5);
	assert_true(taf_sys_mono_ns() - a >= 5000000);
	assert_true(b + 1000000000 > a);
	clock_gettime(CLOCK_REALTIME, &t);
	assert_true((uint64_t)t.tv_sec - utc / 1000000 <= 600);
}

static void test_identity(void **state)
{
	char id[TAF_BOOT_ID_LEN + 1], want[64] = "", plain[64];
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
	size_t n = 0;

	(void)state;
	assert_int_equal(taf_sys_pid(), getpid());
	assert_int_equal(taf_sys_tid(), gettid());
	assert_int_equal(taf_sys_uid(), geteuid());
	assert_non_null(fgets(want, sizeof(want), f));
	fclose(f);
	for (char *p = want; *p && *p != '\n'; p++)
		if (*p != '-')
			plain[n++] = *p;
	plain[n] = '\0';
	assert_int_equal(taf_sys_boot_id(id), 0);
	assert_string_equal(id, plain);
	assert_true(taf_sys_pid_ns() != 0);
	assert_int_equal(taf_sys_start_ticks(0), taf_sys_start_ticks(getpid()));
	assert_int_equal(taf_sys_start_ticks(0x7ffffff0), 0);
}

/* A name that would fool a reader who counts fields from the left. */
static void rename_and_look(void)
{
	uint64_t before = taf_sys_start_ticks(0);

	prctl(PR_SET_NAME, ") S 1 2 (3 4");
	if (!before || taf_sys_start_ticks(0) != before)
		_exit(1);
}

static void test_start_time_of_a_hostile_name(void **state)
{
	(void)state;
	assert_int_equal(child_status(rename_and_look), 0);
}

static void test_random_and_limits(void **state)
{
	uint64_t a = 0, b = 0;
	struct rlimit l;

	(void)state;
	assert_int_equal(taf_sys_random(&a, sizeof(a)), 0);
	assert_int_equal(taf_sys_random(&b, sizeof(b)), 0);
	assert_true(a != b);
	getrlimit(RLIMIT_NOFILE, &l);
	assert_int_equal(taf_sys_fd_limit(), l.rlim_cur);
	getrlimit(RLIMIT_FSIZE, &l);
	assert_true(taf_sys_fsize_limit() ==
		    (l.rlim_cur == RLIM_INFINITY ? UINT64_MAX : l.rlim_cur));
}

static void test_masks(void **state)
{
	uint64_t mask = taf_sys_block_signal(SIGUSR1);
	sigset_t now;

	(void)state;
	raise(SIGUSR1);
	assert_true(taf_sys_pending() >> (SIGUSR1 - 1) & 1);
	taf_sys_take_signal(SIGUSR1);
	assert_false(taf_sys_pending() >> (SIGUSR1 - 1) & 1);
	taf_sys_restore_mask(mask);
	mask = taf_sys_block_outside();
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	assert_true(sigismember(&now, SIGTERM) && sigismember(&now, SIGXFSZ));
	assert_false(sigismember(&now, SIGSEGV) || sigismember(&now, SIGSYS));
	taf_sys_restore_mask(mask);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	assert_false(sigismember(&now, SIGTERM));
}

static void ignore_and_die(void)
{
	signal(SIGTERM, SIG_IGN);
	taf_sys_block_all();
	taf_sys_die_of(SIGTERM);
}

static void test_dies_of_what_was_ignored(void **state)
{
	int status = child_status(ignore_and_die);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void *wiped;

static void look_at_wiped(void)
{
	if (*(volatile int *)wiped)
		_exit(1);
}

static void test_wipe_on_fork(void **state)
{
	(void)state;
	wiped = taf_sys_map(4096);
	*(int *)wiped = 5;
	assert_int_equal(taf_sys_wipe_on_fork(wiped, 4096), 0);
	assert_int_equal(child_status(look_at_wiped), 0);
	assert_int_equal(*(int *)wiped, 5);
	assert_int_equal(taf_sys_protect(wiped, 4096, false), 0);
	assert_int_equal(taf_sys_protect(wiped, 4096, true), 0);
	taf_sys_unmap(wiped, 4096);
}

static _Atomic(uint32_t) word;

static void *wake(void *arg)
{
	(void)arg;
	atomic_store(&word, 2);
	taf_sys_wake_all(&word);
	return NULL;
}

static void test_wait(void **state)
{
	pthread_t t;

	(void)state;
	atomic_store(&word, 1);
	assert_int_equal(taf_sys_wait(&word, 0, 1000), -EAGAIN);
	assert_int_equal(taf_sys_wait(&word, 1, 10), -ETIMEDOUT);
	pthread_create(&t, NULL, wake, NULL);
	while (atomic_load(&word) == 1)
		taf_sys_wait(&word, 1, UINT32_MAX);
	pthread_join(t, NULL);
	assert_int_equal(atomic_load(&word), 2);
}

static _Atomic(uint32_t) is_done;

static void say_bye(void)
{
	taf_sys_write(2, "bye", 3);
}

/* Stuck for good with every signal blocked, as in a driver that hangs. */
static void hang_under_watch(void)
{
	int pipe_fds[2];

	if (pipe(pipe_fds))
		_exit(1);
	dup2(open(in_dir("words"), O_CREAT | O_WRONLY, 0600), 2);
	if (taf_sys_watchdog(30, &is_done, 42, say_bye))
		_exit(1);
	taf_sys_block_all();
	for (char c;;)
		if (read(pipe_fds[0], &c, 1) > 0)
			_exit(2);
}

static void test_watchdog_ends_a_hung_process(void **state)
{
	int status = child_status(hang_under_watch);
	char buf[8] = "";
	int fd = open(in_dir("words"), O_RDONLY);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_int_equal(read(fd, buf, 4), 3);
	assert_string_equal(buf, "bye");
	close(fd);
}

static int threads_of_me(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void finish_in_time(void)
{
	int before = threads_of_me(); /* a sanitizer may have one of its own */

	atomic_store(&is_done, 0);
	for (int i = 0; i < 50; i++) {
		if (taf_sys_watchdog(60000, &is_done, 42, NULL))
			_exit(1);
	}
	if (threads_of_me() <= before)
		_exit(2);
	atomic_store(&is_done, 1);
	taf_sys_wake_all(&is_done);
	/* They vanish by themselves; nothing tells us, so look. */
	for (int i = 0; i < 5000 && threads_of_me() > before; i++)
		taf_sys_sleep_ms(1);
	_exit(threads_of_me() <= before ? 0 : 3);
}

static void test_watchdog_is_called_off(void **state)
{
	(void)state;
	assert_int_equal(child_status(finish_in_time), 0);
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
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_refuses_links_and_what_is_there),
		cmocka_unit_test(test_open_does_not_wait_for_a_fifo),
		cmocka_unit_test(test_errno_is_left_alone),
		cmocka_unit_test(test_file_round_trip),
		cmocka_unit_test(test_directory_rows),
		cmocka_unit_test(test_high_descriptor),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_start_time_of_a_hostile_name),
		cmocka_unit_test(test_random_and_limits),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_dies_of_what_was_ignored),
		cmocka_unit_test(test_wipe_on_fork),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_watchdog_ends_a_hung_process),
		cmocka_unit_test(test_watchdog_is_called_off),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
