/* SPDX-License-Identifier: MIT */
/* test_share.c -- the shared state: what others see, what survives, and what
 * happens where it cannot be locked, read or written. */
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
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/share.h"
#include "../../shim/share_text.h"

#define HOUR 3600000ull

static char dir[64];
static int flock_says; /* instead of the kernel's answer */

int __real_taf_sys_flock(int fd, int how);
int __wrap_taf_sys_flock(int fd, int how);

int __wrap_taf_sys_flock(int fd, int how)
{
	return flock_says ? flock_says : __real_taf_sys_flock(fd, how);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/taf-share-XXXXXX");
	assert_non_null(mkdtemp(dir));
	flock_says = 0;
	taf_share_open(dir);
	return 0;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static const char *path(const char *leaf)
{
	static char p[4][128];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(p[turn], sizeof(p[0]), "%s/%s", dir, leaf);
	return p[turn];
}

static int mark(const char *id, enum taf_kind kind, enum taf_share_change change)
{
	int err;
	struct taf_ledger *l = taf_share_enter(&err);
	struct taf_ledger_stamp s = { .id = id, .kind = kind, .now = taf_moment_now() };

	taf_ledger_mark(l, &s);
	return taf_share_leave(change);
}

static struct taf_ledger_event event(const char *class)
{
	struct taf_ledger_event e = { .severity = TAF_SEVERITY_PANIC, .pid = 5 };

	e.at = taf_moment_now();
	e.at.boot = 0;
	e.seen = taf_moment_now();
	snprintf(e.class, sizeof(e.class), "%s", class);
	strcpy(e.source, "panic_file");
	return e;
}

static int note(const struct taf_ledger_event *e)
{
	int err;

	taf_ledger_note(taf_share_enter(&err), e);
	return taf_share_leave(TAF_SHARE_DURABLE);
}

/* As another process would see it. */
static struct taf_ledger seen;

static int look(void)
{
	int err;

	seen = *taf_share_enter(&err);
	taf_share_leave(TAF_SHARE_SAME);
	return err;
}

static int look_afresh(void)
{
	taf_share_open(dir);
	return look();
}

static const char *trouble(void)
{
	static char buf[600];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	return taf_share_trouble(&t) ? buf : "";
}

static void read_file(const char *leaf, char *buf, size_t room)
{
	int fd = open(path(leaf), O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buf, room - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
}

static void write_file(const char *leaf, const char *text)
{
	FILE *f = fopen(path(leaf), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Files whose names begin so. */
static int count_files(const char *head)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		n += !strncmp(e->d_name, head, strlen(head));
	closedir(d);
	return n;
}

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
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

/* ---- races ---- */

static void run_writer(int writer)
{
	char id[32];

	taf_share_open(dir);
	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "model-%d-%d", writer, i);
		mark(id, TAF_LOAD, TAF_SHARE_LAZY);
	}
	/* A disk that was too slow for the others' patience: kept, and written now. */
	for (int i = 0; i < 500; i++)
		if (!mark(id, TAF_LOAD, TAF_SHARE_LAZY))
			_exit(0);
	_exit(1);
}

static void test_four_writers(void **state)
{
	pid_t pid[4];

	(void)state;
	for (int w = 0; w < 4; w++)
		if (!(pid[w] = fork()))
			run_writer(w);
	for (int w = 0; w < 4; w++)
		assert_int_equal(wait_for(pid[w]), 0);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 240);
	assert_string_equal(trouble(), "");
}

static void test_eight_for_one_stamp(void **state)
{
	int ready[2], passed = 0;
	pid_t pid[8];
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	for (int w = 0; w < 8; w++) {
		pid[w] = fork();
		if (!pid[w]) {
			struct taf_ledger *l;
			int err;
			bool is_first;

			close(ready[1]);
			if (read(ready[0], &c, 1)) /* until the gate opens for all */
				_exit(3);
			l = taf_share_enter(&err);
			is_first = !err && !taf_ledger_model_of(l, "m");
			taf_ledger_mark(l, &(struct taf_ledger_stamp){ .id = "m",
								       .kind = TAF_LOAD,
								       .now = taf_moment_now() });
			taf_share_leave(TAF_SHARE_DURABLE);
			_exit(is_first ? 1 : 0);
		}
	}
	close(ready[0]);
	close(ready[1]);
	for (int w = 0; w < 8; w++)
		passed += WEXITSTATUS(wait_for(pid[w]));
	assert_int_equal(passed, 1);
}

static void *thread_writer(void *arg)
{
	char id[32];

	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "t-%d-%d", *(int *)arg, i);
		if (mark(id, TAF_LOAD, TAF_SHARE_LAZY))
			return arg;
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t thread[4];
	int number[4];
	void *failed;

	(void)state;
	for (int i = 0; i < 4; i++) {
		number[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, thread_writer, &number[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 80);
}

/* The kernel gives the lock back; what was half done is not seen. */
static void test_killed_inside(void **state)
{
	int inside[2], err;
	char c;
	pid_t pid;

	(void)state;
	mark("before", TAF_LOAD, TAF_SHARE_DURABLE);
	assert_int_equal(pipe(inside), 0);
	pid = fork();
	if (!pid) {
		struct taf_ledger *l = taf_share_enter(&err);

		taf_ledger_mark(l, &(struct taf_ledger_stamp){ .id = "half",
							       .kind = TAF_LOAD,
							       .now = taf_moment_now() });
		if (write(inside[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(inside[0], &c, 1), 1);
	kill(pid, SIGKILL);
	wait_for(pid);
	assert_int_equal(mark("after", TAF_LOAD, TAF_SHARE_DURABLE), 0);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 2);
	close(inside[0]);
	close(inside[1]);
}

/* A child that was forked inside the section neither holds nor opens the lock. */
static void test_fork_inside(void **state)
{
	int err, status;
	pid_t pid;

	(void)state;
	taf_share_enter(&err);
	pid = fork();
	if (!pid) {
		struct taf_ledger *l = taf_share_enter(&err);

		(void)l;
		taf_share_leave(TAF_SHARE_SAME);
		_exit(err == -ETIMEDOUT ? 0 : 1);
	}
	status = wait_for(pid);
	taf_share_leave(TAF_SHARE_SAME);
	assert_int_equal(status, 0);
	assert_int_equal(look(), 0);
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

/* ---- damage ---- */

static void test_damaged_state(void **state)
{
	char text[4096], *hit;

	(void)state;
	mark("one", TAF_LOAD, TAF_SHARE_DURABLE);
	mark("two", TAF_LOAD, TAF_SHARE_DURABLE);
	read_file("state", text, sizeof(text));
	hit = strstr(text, "id=\"one\"");
	assert_non_null(hit);
	hit[4] = 'X';
	write_file("state", text);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 1);
	assert_non_null(taf_ledger_model_of(&seen, "two"));
	hit = strcpy(text, trouble());
	assert_non_null(
		strstr(hit, "/state:3: 1 line is damaged and was skipped; the file is kept"));
	assert_int_equal(count_files("state.damaged-"), 1);
	/* Once: what is whole was written again. */
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 1);
	assert_string_equal(trouble(), "");
	assert_int_equal(count_files("state.damaged-"), 1);
}

static void test_cut_state(void **state)
{
	char text[4096], *last;

	(void)state;
	mark("one", TAF_LOAD, TAF_SHARE_DURABLE);
	mark("two", TAF_LOAD, TAF_SHARE_DURABLE);
	read_file("state", text, sizeof(text));
	last = strstr(text, "end lines");
	assert_non_null(last);
	*last = '\0';
	write_file("state", text);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_models, 2);
	assert_non_null(strstr(trouble(), "damaged"));
	write_file("state", "");
	assert_int_equal(look_afresh(), 0);
	write_file("state", "what is this");
	assert_int_equal(look_afresh(), 0);
	assert_non_null(strstr(trouble(), "/state:1: "));
}

static void test_damaged_events(void **state)
{
	struct taf_ledger_event e = event("first");
	char text[8192], *hit;

	(void)state;
	note(&e);
	strcpy(e.class, "second");
	e.at.utc_ms += HOUR;
	note(&e);
	read_file("events", text, sizeof(text));
	hit = strstr(text, "first");
	*hit = 'F';
	write_file("events", text);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(seen.event[0].class, "second");
	assert_non_null(strstr(trouble(), "/events:2: 1 line is damaged"));
	assert_int_equal(count_files("events.damaged-"), 1);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 1);
	assert_string_equal(trouble(), "");
}

/* Its writer was killed: the event was never acknowledged. */
static void test_torn_event(void **state)
{
	struct taf_ledger_event e = event("first");
	FILE *f;

	(void)state;
	note(&e);
	f = fopen(path("events"), "a");
	fputs("panic at=2026-11-", f);
	fclose(f);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 1);
	e.at.utc_ms += HOUR;
	note(&e);
	assert_int_equal(look_afresh(), 0);
	assert_int_equal(seen.n_events, 2);
	assert_string_equal(trouble(), "");
}

static void test_newer_version(void **state)
{
	static const char newer[] = "taffrail state 2\nsomething else\n";
	char text[256];

	(void)state;
	write_file("state", newer);
	assert_int_equal(look_afresh(), -EPROTO);
	assert_int_equal(mark("m", TAF_LOAD, TAF_SHARE_DURABLE), -EPROTO);
	assert_int_equal(mark("m", TAF_INFER, TAF_SHARE_DURABLE), -EPROTO);
	read_file("state", text, sizeof(text));
	assert_string_equal(text, newer);
	assert_non_null(strstr(trouble(), "/state: it was written by a newer taffrail"));
	assert_int_equal(unlink(path("state")), 0);
	write_file("events", "taffrail events 2\n");
	assert_int_equal(look_afresh(), -EPROTO);
	assert_int_equal(mark("m", TAF_LOAD, TAF_SHARE_DURABLE), -EPROTO);
	assert_int_equal(access(path("state"), F_OK), -1);
}

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

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_empty),
		CASE(test_all_comes_back),
		CASE(test_changes_of_others),
		CASE(test_told_more_later),
		CASE(test_events_of_another_machine),
		CASE(test_long_history),
		CASE(test_four_writers),
		CASE(test_eight_for_one_stamp),
		CASE(test_threads),
		CASE(test_killed_inside),
		CASE(test_fork_inside),
		CASE(test_lock_is_not_waited_for_long),
		CASE(test_no_locks_there),
		CASE(test_no_directory),
		CASE(test_limit_on_file_size),
		CASE(test_full_and_read_only),
		CASE(test_strange_files),
		CASE(test_damaged_state),
		CASE(test_cut_state),
		CASE(test_damaged_events),
		CASE(test_torn_event),
		CASE(test_newer_version),
		CASE(test_same_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
