/* SPDX-License-Identifier: MIT */
/* test_crumb_life.c -- a session from open to close or death: rotation,
 * threads, forks, signals, losses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "../../shim/crumb_read.h"
#include "crumb_kit.h"

static void rotate(void)
{
	struct tally t;

	MUST(!open_log(256 * 1024));
	for (unsigned i = 0; i < 100000; i++)
		MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = "one of very many" }));
	taf_crumb_close();
	MUST(examine_all(&t));
	MUST(t.starts > 50 && t.lines == 100000 + t.starts && !t.holes && t.last_seq == t.lines);
}

static void test_rotation(void **state)
{
	(void)state;
	in_clean_child(rotate);
}

#define WRITERS 8
#define EACH 2000

static void *write_many(void *arg)
{
	uint64_t last = 0;

	for (int i = 0; i < EACH; i++) {
		struct taf_rec r = { .kind = TAF_NOTE,
				     .has = TAF_HAS_OF,
				     .of = (uint64_t)(intptr_t)arg * EACH + (unsigned)i,
				     .keep = i % 16 ? TAF_KEEP_LOG : TAF_KEEP_SYNC };
		uint64_t seq = taf_crumb(&r);

		MUST(seq > last);
		last = seq;
	}
	return NULL;
}

static void write_from_threads(void)
{
	pthread_t th[WRITERS];
	pthread_attr_t small;
	struct tally t;

	MUST(!open_log(256 * 1024));
	pthread_attr_init(&small);
	MUST(!pthread_attr_setstacksize(&small, (size_t)PTHREAD_STACK_MIN));
	for (intptr_t i = 0; i < WRITERS; i++)
		MUST(!pthread_create(&th[i], &small, write_many, (void *)i));
	for (int i = 0; i < WRITERS; i++)
		pthread_join(th[i], NULL);
	taf_crumb_close();
	MUST(examine_all(&t));
	MUST(t.lines == WRITERS * EACH + t.starts && !t.holes);
}

static void test_threads_lose_nothing(void **state)
{
	(void)state;
	in_clean_child(write_from_threads);
}

static void fork_and_write(void)
{
	struct tally t;
	int status = -1;
	pid_t pid;

	MUST(!open_log(0));
	MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = "before" }) == 2);
	pid = fork();
	if (!pid) {
		int fd;

		/* Nobody told it that it is a child: it must not write into its parent's log. */
		MUST(!taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = "wrong" }));
		taf_crumb_close();
		MUST(taf_crumb_is_open());
		taf_crumb_abandon();
		MUST(!taf_crumb_is_open());
		MUST(!taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = "wrong" }));
		for (fd = 3; fd < 2000; fd++) {
			int flags = fcntl(fd, F_GETFD);

			MUST(flags < 0 || !(flags & FD_CLOEXEC));
		}
		/* And has a log of its own when it wants one. */
		MUST(!open_log(0));
		MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = "child" }) == 2);
		MUST(examine_all(&t) && t.lines == 2);
		taf_crumb_close();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	MUST(status == 0);
	MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = "after" }) == 3);
	MUST(examine_all(&t) && t.lines == 3 && !t.holes);
	taf_crumb_close();
}

static void test_fork_child(void **state)
{
	(void)state;
	in_clean_child(fork_and_write);
}

static void lose_records(void)
{
	char path[PATH_MAX];
	struct tally t;

	MUST(!open_log(0));
	MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE }) == 2);
	/* The whole directory goes: nowhere to write. */
	snprintf(path, sizeof(path), "%s-gone", dir);
	MUST(!rename(dir, path));
	segment_path(path, sizeof(path), session.pid, 0);
	for (int fd = 3; fd < 2000; fd++)
		close(fd);
	for (int i = 0; i < 5; i++)
		MUST(!taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE }));
	MUST(taf_ring_head()->dropped == 5);
	/* It is back: the log goes on, the hole in seq tells of the loss. */
	snprintf(path, sizeof(path), "%s-gone", dir);
	MUST(!rename(path, dir));
	for (int i = 0;
	     i < 200 && !taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = "again" }); i++)
		taf_sys_sleep_ms(10);
	MUST(taf_ring_head()->dropped > 5);
	MUST(examine_all(&t));
	MUST(t.holes == taf_ring_head()->dropped);
	taf_crumb_close();
}

static void test_losses_are_counted(void **state)
{
	(void)state;
	in_clean_child(lose_records);
}

static volatile unsigned from_handler;

static void on_alarm(int signo)
{
	(void)signo;
	if (taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .msg = "from a handler" }))
		from_handler++;
}

static void write_under_signals(void)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, off = { { 0, 0 }, { 0, 0 } };
	unsigned mine = 0;
	struct tally t;

	MUST(!open_log(64 * 1024));
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	while (from_handler < 1000)
		mine += taf_crumb(&(struct taf_rec){ .kind = mine % 8 ? TAF_NOTE : TAF_DRAIN,
						     .msg = "x" }) != 0;
	setitimer(ITIMER_REAL, &off, NULL);
	taf_crumb_close();
	MUST(examine_all(&t));
	MUST(t.lines == mine + from_handler + t.starts && !t.holes);
}

static void test_signal_handlers_write_too(void **state)
{
	(void)state;
	in_clean_child(write_under_signals);
}

static void open_badly(void)
{
	struct tally t;
	char path[PATH_MAX];
	size_t n = 0;

	MUST(!taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE }));
	taf_crumb_close();
	taf_crumb_abandon();
	dir[0] = '!';
	MUST(open_log(0) < 0);
	MUST(!taf_crumb_is_open() && !taf_ring_head());
	MUST(!taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE }));
	dir[0] = '/';
	MUST(!open_log(0));
	MUST(open_log(0) == -EALREADY);
	snprintf(path, sizeof(path), "%s", taf_ring_path());
	MUST(!access(path, F_OK));
	free(slurp(0, &n));
	MUST(n == TAF_SEGMENT_FIRST);
	taf_crumb_close();
	MUST(access(path, F_OK));
	free(slurp(0, &n));
	MUST(n > 100 && n < 1000);
	/* Once more in the same process: the next segment, and seq goes on. */
	MUST(!open_log(0));
	MUST(taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE }) == 3);
	taf_crumb_close();
	MUST(examine_all(&t) && t.lines == 3 && t.starts == 2 && !t.holes);
}

static void test_open_and_close(void **state)
{
	(void)state;
	in_clean_child(open_badly);
}

static _Atomic(uint64_t) *acknowledged; /* the newest seq that taf_crumb returned to each writer */

static void *write_for_ever(void *arg)
{
	for (uint64_t i = 1; i; i++)
		acknowledged[(intptr_t)arg * 8] = taf_crumb(
			&(struct taf_rec){ .kind = i % 64 ? TAF_NOTE : TAF_DRAIN, .msg = "x" });
	return NULL;
}

static void write_until_killed(void)
{
	pthread_t t;

	MUST(!open_log(128 * 1024));
	MUST(!pthread_create(&t, NULL, write_for_ever, (void *)1));
	write_for_ever(NULL);
}

/* Whatever was acknowledged is there; nothing that is there is false. */
static void examine_corpse(int pid)
{
	uint64_t last = 0, good = 0, bad = 0, want = acknowledged[0];

	if (acknowledged[8] > want)
		want = acknowledged[8];
	session.pid = pid;
	for (unsigned seg = 0;; seg++) {
		struct taf_crumb_reader r;
		struct taf_crumb_line line;
		size_t n = 0;
		char *text = slurp(seg, &n);

		if (!text)
			break;
		taf_crumb_read_init(&r, text, n, taf_crumb_seed(session.boot, session.start, seg));
		while (taf_crumb_read_next(&r, &line)) {
			uint64_t seq = 0;

			assert_true(taf_crumb_u64(&line, TAF_KEY_SEQ, &seq));
			assert_int_equal(seq, last + 1);
			last = seq;
		}
		good += r.good;
		bad += r.bad;
		free(text);
	}
	assert_int_equal(good, last);
	assert_true(last >= want);
	assert_true(bad <= 1);
}

/* A thread that drains may be late: nothing comes behind the end of the exit, in the log or in
 * the ring, and it is written once. */
static void end_once(void)
{
	struct taf_rec drained = { .kind = TAF_DRAIN, .phase = TAF_END },
		       ended = { .kind = TAF_EXIT, .phase = TAF_END };
	struct taf_lane *lane;
	struct tally t;
	uint64_t last, next;

	MUST(!open_log(256 * 1024));
	MUST(taf_crumb(&drained));
	last = taf_crumb(&ended);
	lane = taf_ring_take_lane();
	MUST(last && lane);
	next = lane->next;
	MUST(!taf_crumb(&drained) && !taf_crumb(&ended));
	MUST(lane->next == next);
	taf_crumb_close();
	MUST(examine_all(&t));
	MUST(t.last_seq == last && t.lines == 3);
	MUST(!open_log(256 * 1024));
	MUST(taf_crumb(&drained));
	taf_crumb_close();
}

static void test_nothing_behind_the_end(void **state)
{
	(void)state;
	in_clean_child(end_once);
}

static void test_sigkill_loses_nothing(void **state)
{
	const char *is_long = getenv("TAF_LONG");

	(void)state;
	acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	taf_sys_boot_id(session.boot);
	for (int i = 0; i < (is_long && *is_long ? 500 : 50); i++) {
		pid_t pid = fork();

		if (!pid)
			write_until_killed();
		while (!acknowledged[0] && !waitpid(pid, NULL, WNOHANG))
			taf_sys_sleep_ms(1);
		assert_true(acknowledged[0] > 0);
		taf_sys_sleep_ms((uint32_t)(rand() % 8));
		kill(pid, SIGKILL);
		session.start = taf_sys_start_ticks(pid);
		waitpid(pid, NULL, 0);
		examine_corpse(pid);
		wipe();
		memset((void *)acknowledged, 0, 4096);
	}
	munmap((void *)acknowledged, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_threads_lose_nothing),
		cmocka_unit_test(test_fork_child),
		cmocka_unit_test(test_losses_are_counted),
		cmocka_unit_test(test_signal_handlers_write_too),
		cmocka_unit_test(test_open_and_close),
		cmocka_unit_test(test_nothing_behind_the_end),
		cmocka_unit_test(test_sigkill_loses_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
