/* SPDX-License-Identifier: MIT */
/* test_share.c -- the shared state: what others see, what survives, and what
 * happens where it cannot be locked or written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "share_kit.h"

static int flock_says; /* instead of the kernel's answer */

int __real_taf_sys_flock(int fd, int how);
int __wrap_taf_sys_flock(int fd, int how);

int __wrap_taf_sys_flock(int fd, int how)
{
	return flock_says ? flock_says : __real_taf_sys_flock(fd, how);
}

/* ---- what is written is read ---- */

static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(look(), 0);
	assert_int_equal(seen.n_models + seen.n_events, 0);
	assert_false(taf_share_is_stale());
	assert_int_equal(access(path("state"), F_OK), -1);
	assert_string_equal(trouble(), "");
}

static void test_all_comes_back(void **state)
{
	struct taf_moment now = taf_moment_now();
	struct taf_ledger_event e = event("a \"class\"\n");
	struct taf_ledger *l;
	int err;

	(void)state;
	l = taf_share_enter(&err);
	l->ack = l->hold.set = l->breaker.opened = now;
	l->hold.for_ms = HOUR;
	strcpy(l->hold.why, "the \"fan\" is loud");
	l->breaker.for_ms = 2 * HOUR;
	l->breaker.count = 3;
	l->is_blind = true;
	strcpy(l->blind, "/sys/fs/pstore: permission denied");
	taf_ledger_cursor_set(l, "pstore", 12, UINT64_MAX);
	e.is_suspected = true;
	strcpy(e.model, "org/name@12345678");
	strcpy(e.device, "0000:01:00.0");
	taf_ledger_note(l, &e);
	taf_ledger_mark(l, &(struct taf_ledger_stamp){
				   .id = "m", .kind = TAF_UNLOAD, .now = now, .bytes = 77 });
	assert_int_equal(taf_share_leave(TAF_SHARE_DURABLE), 0);
	assert_int_equal(look_afresh(), 0);
	assert_memory_equal(&seen.ack, &now, sizeof(now));
	assert_int_equal(seen.hold.for_ms, HOUR);
	assert_string_equal(seen.hold.why, "the \"fan\" is loud");
	assert_int_equal(seen.breaker.for_ms, 2 * HOUR);
	assert_int_equal(seen.breaker.count, 3);
	assert_true(seen.is_blind);
	assert_string_equal(seen.blind, "/sys/fs/pstore: permission denied");
	assert_true(taf_ledger_cursor_of(&seen, "pstore")->b == UINT64_MAX);
	assert_memory_equal(&seen.model[0].unload, &now, sizeof(now));
	assert_int_equal(seen.model[0].bytes, 77);
	assert_int_equal(seen.n_events, 1);
	assert_memory_equal(&seen.event[0].at, &e.at, sizeof(e.at));
	assert_memory_equal(&seen.event[0].seen, &e.seen, sizeof(e.seen));
	assert_string_equal(seen.event[0].class, e.class);
	assert_string_equal(seen.event[0].model, e.model);
	assert_string_equal(seen.event[0].device, e.device);
	assert_true(seen.event[0].is_suspected);
	assert_int_equal(seen.event[0].pid, 5);
	assert_string_equal(trouble(), "");
	assert_int_equal(count_files("state"), 2); /* and state.lock */
}

static void test_changes_of_others(void **state)
{
	pid_t pid;

	(void)state;
	mark("mine", TAF_LOAD, TAF_SHARE_LAZY);
	assert_false(taf_share_is_stale());
	pid = fork();
	if (!pid)
		_exit(mark("theirs", TAF_LOAD, TAF_SHARE_LAZY));
	assert_int_equal(wait_for(pid), 0);
	assert_true(taf_share_is_stale());
	assert_int_equal(look(), 0);
	assert_non_null(taf_ledger_model_of(&seen, "mine"));
	assert_non_null(taf_ledger_model_of(&seen, "theirs"));
	assert_false(taf_share_is_stale());
}

static void test_told_more_later(void **state)
{
	struct taf_ledger_event e = event("dirty_boot");

	(void)state;
	e.at.boot = 77;
	e.is_suspected = true;
	note(&e);
	e.is_suspected = false;
	strcpy(e.class, "iogpu_prepare_count_underflow");
	note(&e);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 1);
	assert_false(seen.event[0].is_suspected);
	assert_string_equal(seen.event[0].class, "iogpu_prepare_count_underflow");
	assert_false(seen.event[0].is_unsaved);
}

static void test_events_of_another_machine(void **state)
{
	struct taf_ledger_event e = event("panic");

	(void)state;
	note(&e);
	e.machine = 12345;
	e.at.utc_ms += HOUR;
	note(&e);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 2);
	assert_false(seen.event[0].is_elsewhere);
	assert_int_equal(seen.event[1].is_elsewhere, seen.event[0].machine != 0);
}

static void test_long_history(void **state)
{
	struct taf_ledger_event e;
	uint32_t n = 0;

	(void)state;
	while (n < 2000) {
		int err;
		struct taf_ledger *l = taf_share_enter(&err);

		for (uint32_t end = n + 50; n < end; n++) {
			e = event("SIGABRT");
			e.is_abort = n % 1000 != 0;
			e.severity = e.is_abort ? TAF_SEVERITY_PROCESS : TAF_SEVERITY_PANIC;
			e.pid = (int32_t)n + 1;
			e.at.utc_ms += (uint64_t)n * 10000;
			e.seen.utc_ms = e.at.utc_ms;
			taf_ledger_note(l, &e);
		}
		assert_int_equal(taf_share_leave(TAF_SHARE_DURABLE), 0);
	}
	/* Kept, not lost; what counts is at hand: the panics among 2000 crashes. */
	assert_true(count_files("events-") >= 1);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 104 + 2);
	assert_string_equal(trouble(), "");
}

/* As a fault handler would, in the middle of a section. */
static void test_section_inside_a_section(void **state)
{
	int err, inner, fd;
	struct taf_ledger *l = taf_share_enter(&err), *other;

	(void)state;
	for (int levels = 1; levels <= 3; levels++) {
		for (int i = 0; i < levels; i++) {
			other = taf_share_enter(&inner);
			assert_ptr_not_equal(other, l);
			assert_int_equal(inner, -ETIMEDOUT);
		}
		for (int i = 0; i < levels; i++)
			assert_int_equal(taf_share_leave(TAF_SHARE_DURABLE), -ETIMEDOUT);
	}
	fd = open(path("state.lock"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	l->hold.set = taf_moment_now();
	l->hold.for_ms = HOUR;
	assert_int_equal(taf_share_leave(TAF_SHARE_DURABLE), 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
	taf_share_open(dir);
	l = taf_share_enter(&err);
	assert_int_equal(err, 0);
	assert_int_equal(l->hold.for_ms, HOUR);
	assert_int_equal(taf_share_leave(TAF_SHARE_SAME), 0);
}

static void *enter_and_end(void *arg)
{
	taf_share_enter(arg);
	return NULL;
}

static void *enter_and_leave(void *arg)
{
	taf_share_enter(arg);
	taf_share_leave(TAF_SHARE_SAME);
	return NULL;
}

/* The main room is ours all the time, and the spare one was left locked. */
static void test_spare_is_not_waited_for_forever(void **state)
{
	int err, theirs[2] = { 0, 0 };
	pthread_t t;

	(void)state;
	taf_share_enter(&err);
	assert_int_equal(pthread_create(&t, NULL, enter_and_end, &theirs[0]), 0);
	pthread_join(t, NULL);
	assert_int_equal(pthread_create(&t, NULL, enter_and_leave, &theirs[1]), 0);
	pthread_join(t, NULL);
	assert_int_equal(theirs[0], -ETIMEDOUT);
	assert_int_equal(theirs[1], -ETIMEDOUT);
	assert_int_equal(taf_share_leave(TAF_SHARE_SAME), err);
}

/* ---- where it does not work ---- */

static void test_lock_is_not_waited_for_long(void **state)
{
	int fd, err;

	(void)state;
	mark("known", TAF_LOAD, TAF_SHARE_DURABLE);
	fd = open(path("state.lock"), O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	taf_share_open(dir);
	/* Read all the same, and remembered here. */
	assert_non_null(taf_ledger_model_of(taf_share_enter(&err), "known"));
	assert_int_equal(err, -ETIMEDOUT);
	taf_share_leave(TAF_SHARE_SAME);
	assert_int_equal(mark("mine", TAF_LOAD, TAF_SHARE_DURABLE), -ETIMEDOUT);
	assert_int_equal(look(), -ETIMEDOUT);
	assert_non_null(taf_ledger_model_of(&seen, "mine"));
	assert_non_null(strstr(trouble(), "state.lock: another process has held the lock"));
	assert_string_equal(trouble(), "");
	/* Free again: what was kept back is written with the next change. */
	close(fd);
	assert_int_equal(mark("later", TAF_LOAD, TAF_SHARE_DURABLE), 0);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 3);
}

static void test_no_locks_there(void **state)
{
	static const int says[] = { -ENOLCK, -EOPNOTSUPP };

	(void)state;
	for (int i = 0; i < 2; i++) {
		taf_share_open(dir);
		flock_says = says[i];
		assert_int_equal(mark("m", TAF_LOAD, TAF_SHARE_DURABLE), says[i]);
		assert_int_equal(look(), says[i]);
		assert_non_null(taf_ledger_model_of(&seen, "m"));
		assert_non_null(strstr(trouble(), "the file system has no locks"));
		assert_int_equal(access(path("state"), F_OK), -1);
	}
	flock_says = 0;
}

static void test_no_directory(void **state)
{
	(void)state;
	taf_share_open("/nowhere/at/all");
	assert_int_equal(mark("m", TAF_LOAD, TAF_SHARE_DURABLE), -ENOENT);
	assert_int_equal(look(), -ENOENT);
	assert_int_equal(seen.n_models, 1);
	taf_share_open("");
	assert_int_equal(mark("m", TAF_LOAD, TAF_SHARE_DURABLE), -ENOENT);
	assert_int_equal(look(), -ENOENT);
	assert_int_equal(seen.n_models, 1);
	assert_false(taf_share_is_stale());
}

static volatile sig_atomic_t got_signal;

static void on_signal(int signo)
{
	got_signal = signo;
}

static void test_limit_on_file_size(void **state)
{
	struct rlimit was, low;

	(void)state;
	mark("before", TAF_LOAD, TAF_SHARE_DURABLE);
	signal(SIGXFSZ, on_signal);
	getrlimit(RLIMIT_FSIZE, &was);
	low = (struct rlimit){ 64, was.rlim_max };
	setrlimit(RLIMIT_FSIZE, &low);
	assert_int_equal(mark("m", TAF_LOAD, TAF_SHARE_DURABLE), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(got_signal, 0);
	assert_non_null(strstr(trouble(), "file size"));
	assert_int_equal(look(), 0);
	assert_int_equal(seen.n_models, 2);
	/* The old state is whole, and no half of a new one lies about. */
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 1);
	assert_int_equal(access(path("state.new"), F_OK), -1);
	signal(SIGXFSZ, SIG_DFL);
}

/* A small file system of our own, in a namespace of a child. */
static void test_full_and_read_only(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	if (geteuid())
		skip();
	pid = fork();
	if (!pid) {
		char big[64 * 1024] = "";
		int fd, ok = 0;

		if (mount("none", dir, "tmpfs", 0, "size=64k"))
			_exit(77);
		taf_share_open(dir);
		ok += mark("before", TAF_LOAD, TAF_SHARE_DURABLE) == 0;
		fd = open(path("ballast"), O_CREAT | O_WRONLY, 0600);
		while (write(fd, big, 4096) > 0)
			;
		close(fd);
		ok += mark("full", TAF_LOAD, TAF_SHARE_DURABLE) == -ENOSPC;
		ok += strstr(trouble(), "no space left") != NULL;
		ok += look() == 0 && seen.n_models == 2;
		unlink(path("ballast"));
		ok += mount("none", dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0;
		ok += mark("ro", TAF_LOAD, TAF_SHARE_DURABLE) == -EROFS;
		ok += strstr(trouble(), "read-only") != NULL;
		ok += look() == 0 && seen.n_models == 3;
		taf_share_open(dir);
		ok += look() == 0 && seen.n_models == 1;
		umount(dir);
		_exit(ok == 9 ? 0 : ok + 1);
	}
	status = wait_for(pid);
	umount(dir);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void test_strange_files(void **state)
{
	(void)state;
	assert_int_equal(symlink("/etc/passwd", path("state")), 0);
	assert_int_equal(mkfifo(path("events"), 0600), 0);
	assert_true(look() < 0);
	assert_int_equal(seen.n_models + seen.n_events, 0);
	assert_true(trouble()[0]);
}

/* ---- another file, the same from outside ---- */

/* Two states that look alike from outside: the file itself is asked. */
static void test_same_from_outside(void **state)
{
	struct taf_ledger *l;
	struct stat st;
	char text[4096];
	int err;
	pid_t pid;

	(void)state;
	mark("a", TAF_LOAD, TAF_SHARE_DURABLE);
	assert_int_equal(stat(path("state"), &st), 0);
	pid = fork();
	if (!pid) {
		l = taf_share_enter(&err);
		strcpy(l->model[0].id, "b");
		_exit(taf_share_leave(TAF_SHARE_DURABLE));
	}
	assert_int_equal(wait_for(pid), 0);
	/* Into the file that we know, with its time. */
	read_file("state", text, sizeof(text));
	{
		struct timespec t[2] = { st.st_atim, st.st_mtim };

		assert_int_equal(link(path("state"), path("keep")), 0);
		write_file("state", text);
		assert_int_equal(utimensat(AT_FDCWD, path("state"), t, 0), 0);
	}
	assert_int_equal(look(), 0);
	assert_string_equal(seen.model[0].id, "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_empty),
		CASE(test_all_comes_back),
		CASE(test_changes_of_others),
		CASE(test_told_more_later),
		CASE(test_events_of_another_machine),
		CASE(test_long_history),
		CASE(test_section_inside_a_section),
		CASE(test_spare_is_not_waited_for_forever),
		CASE(test_lock_is_not_waited_for_long),
		CASE(test_no_locks_there),
		CASE(test_no_directory),
		CASE(test_limit_on_file_size),
		CASE(test_full_and_read_only),
		CASE(test_strange_files),
		CASE(test_same_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
