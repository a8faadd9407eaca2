/* SPDX-License-Identifier: MIT */
/* test_share_race.c -- the shared state under several hands: processes, threads, the
 * killed and the forked. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "share_kit.h"

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
		/* On a busy machine patience may end; what was not shared is marked again. */
		for (int tries = 0; mark(id, TAF_LOAD, TAF_SHARE_LAZY); tries++)
			if (tries == 100)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_four_writers),  CASE(test_eight_for_one_stamp), CASE(test_threads),
		CASE(test_killed_inside), CASE(test_fork_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
