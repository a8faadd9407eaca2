/* SPDX-License-Identifier: MIT */
/* test_sig.c -- a signal that is drained for, on a thread that has what others wait for: its
 * handler comes back, so that the thread goes on.  No deadline helps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/life.h"
#include "../../shim/park.h"
#include "../../shim/real.h"
#include "../../shim/sig.h"
#include "../../shim/still.h"
#include "../../shim/work.h"

#define LONG_MS 600000u
#define PATIENCE_S 60

static const struct taf_row rows[] = { { .name = 0, .kind = TAF_SUBMIT } };
static const struct taf_table engine = {
	.engine = TAF_ENGINE_LLAMA, .rows = rows, .n_rows = 1, .names = "decode"
};
const struct taf_table *const taf_tables[] = { &engine };
const int taf_table_count = 1;

static const struct taf_maker by = { .table = &engine };

/* No table has the C library's own here. */
taf_fn __wrap_taf_real_libc(const char *name);
taf_fn __wrap_taf_real_libc(const char *name)
{
	return strcmp(name, "sigaction") ? NULL : (taf_fn)sigaction;
}

static void *stand(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

static void become_active(void)
{
	pthread_t t;

	alarm(PATIENCE_S);
	taf_life.pid = getpid();
	taf_rules_default(&taf_rules);
	taf_rules.drain_deadline_ms = taf_rules.exit_deadline_ms = LONG_MS;
	taf_rules.exit_signals = 1ull << (SIGTERM - 1);
	atomic_store(&taf_life.state, TAF_ACTIVE);
	taf_tls.flight = taf_flight_lane();
	taf_flight_lane();
	taf_sig_arm();
	if (pthread_create(&t, NULL, stand, NULL))
		_exit(1);
}

/* In a child: takes something, is hit by the signal, gives it back. */
static void comes_back(void (*take)(void), void (*give)(void))
{
	int status = 0, back[2];
	char c = 0;
	pid_t p;

	assert_int_equal(pipe(back), 0);
	p = fork();
	assert_true(p >= 0);
	if (!p) {
		become_active();
		take();
		raise(SIGTERM);
		if (write(back[1], "b", 1) == 1)
			give();
		for (;;)
			pause();
	}
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_int_equal(fcntl(back[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(back[0], &c, 1), 1);
	close(back[0]);
	close(back[1]);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void begin_copy(void)
{
	taf_tls.is_submitting = true;
	taf_still_enter(taf_tls.flight, !taf_tls.flight->tid);
}

static void end_copy(void)
{
	taf_tls.is_submitting = false;
	taf_still_leave(taf_tls.flight, !taf_tls.flight->tid);
}

/* A copy opens nothing. */
static void from_a_submit(void **state)
{
	(void)state;
	comes_back(begin_copy, end_copy);
}

static void begin_query(void)
{
	taf_tls.is_passing = true;
}

static void end_query(void)
{
	taf_tls.is_passing = false;
}

/* A query is not counted at all, and may have the lock of a driver. */
static void from_what_has_no_door(void **state)
{
	(void)state;
	comes_back(begin_query, end_query);
}

static void begin_free(void)
{
	if (!taf_still_begin())
		_exit(1);
}

/* Nor does what unloads code. */
static void from_a_free(void **state)
{
	(void)state;
	comes_back(begin_free, taf_still_end);
}

static void *handle;

static void claim(void)
{
	handle = taf_work_add(&by, &handle, NULL);
	if (!handle || !taf_work_claim(handle, 0))
		_exit(1);
}

static void release(void)
{
	taf_work_release(handle);
}

/* Or what ends a generation. */
static void from_a_claim(void **state)
{
	(void)state;
	comes_back(claim, release);
}

static void close_log(void)
{
	atomic_store(&taf_park.end_by_ns, taf_park_deadline_ns());
	atomic_store(&taf_park.closer, (uint32_t)taf_tid());
	atomic_store(&taf_life.state, TAF_GONE);
}

/* In place of its end, which nobody would see. */
static void go_on(void)
{
	atomic_store(&taf_life.state, TAF_ACTIVE);
	atomic_store(&taf_park.closer, 0);
	taf_sys_wake_all(&taf_park.closer);
}

/* Or what closes the log: the process ends by that. */
static void from_the_end_of_the_log(void **state)
{
	(void)state;
	comes_back(close_log, go_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_a_submit),
		cmocka_unit_test(from_what_has_no_door),
		cmocka_unit_test(from_a_free),
		cmocka_unit_test(from_a_claim),
		cmocka_unit_test(from_the_end_of_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
