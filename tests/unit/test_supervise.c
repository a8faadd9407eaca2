/* SPDX-License-Identifier: MIT */
/* test_supervise.c -- how a guest ends, and which signals reach it.
 *
 * Each case runs the supervisor in a child of its own, because it blocks every
 * signal and ends as its guest ended; the test looks at that child alone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../cli/supervise.h"

#define STEP_MS 2

static bool starts_oddly;
static int ready[2]; /* the guest writes a byte when its handlers stand */

static void tell_ready(void)
{
	if (write(ready[1], "r", 1) != 1)
		_exit(99);
}

static void pause_ms(long ms)
{
	struct timespec ts = { 0, ms * 1000000 };

	nanosleep(&ts, NULL);
}

static int exits(void *arg)
{
	return *(int *)arg;
}

static int dies(void *arg)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	/* The test frame has handlers of its own. */
	signal(*(int *)arg, SIG_DFL);
	kill(getpid(), *(int *)arg);
	return 99;
}

static volatile sig_atomic_t got, value;

static void on_signal(int sig, siginfo_t *si, void *context)
{
	(void)context;
	got = sig;
	value = si->si_code == SI_QUEUE ? si->si_value.sival_int : 0;
}

/* Waits for the signal and returns its number, or the value that came along. */
static int catches(void *arg)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	sigset_t one, before;

	sigemptyset(&one);
	sigaddset(&one, *(int *)arg);
	sigprocmask(SIG_BLOCK, &one, &before);
	sigaction(*(int *)arg, &sa, NULL);
	tell_ready();
	while (!got)
		sigsuspend(&before);
	return value ? value : got;
}

/* Sends the signal to its parent, which must not send it back. */
static int bothers(void *arg)
{
	kill(getppid(), *(int *)arg);
	pause_ms(100);
	return 5;
}

static int stops(void *arg)
{
	kill(getpid(), *(int *)arg);
	return 6;
}

static int looks_at_mask(void *arg)
{
	sigset_t mask;
	struct sigaction chld;

	(void)arg;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigaction(SIGCHLD, NULL, &chld);
	return (sigismember(&mask, SIGUSR2) == 1) + 2 * (sigismember(&mask, SIGTERM) == 1) +
	       4 * (chld.sa_handler == SIG_IGN);
}

static int look(void *arg)
{
	(void)arg;
	tell_ready();
	return STEP_MS;
}

static int waits_for_looks(void *arg)
{
	(void)arg;
	pause_ms(300);
	return 0;
}

/* As some shells and services start their programs. */
static void be_odd(void)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	sigprocmask(SIG_BLOCK, &one, NULL);
	signal(SIGCHLD, SIG_IGN);
}

/* Starts a supervisor with that guest; returns its pid. */
static pid_t supervise(int (*start)(void *), int arg)
{
	struct taf_guest guest = { .start = start, .arg = &arg, .look_ms = -1 };
	struct taf_end end;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	if (starts_oddly)
		be_odd();
	taf_signals_save();
	taf_signals_block();
	if (start == waits_for_looks) {
		guest.look = look;
		guest.look_ms = STEP_MS;
	}
	if (taf_supervise(&guest, &end))
		_exit(98);
	taf_end_like(&end);
}

static void await_ready(void)
{
	char byte;

	assert_int_equal(read(ready[0], &byte, 1), 1);
}

static int status_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
	return status;
}

static void ends_as_the_guest(void **state)
{
	static const int codes[] = { 0, 1, 7, 70, 127, 128 + SIGTERM, 255 };
	static const int deaths[] = {
		SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGHUP, SIGPIPE, SIGALRM
	};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		status = status_of(supervise(exits, codes[i]));
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), codes[i]);
	}
	for (size_t i = 0; i < sizeof(deaths) / sizeof(*deaths); i++) {
		status = status_of(supervise(dies, deaths[i]));
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), deaths[i]);
		assert_false(WCOREDUMP(status));
	}
}

static void passes_signals_on(void **state)
{
	static const int signals[] = {
		SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGWINCH, SIGCONT, SIGSEGV
	};
	union sigval v = { .sival_int = 77 };
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		pid = supervise(catches, signals[i]);
		await_ready();
		assert_int_equal(kill(pid, signals[i]), 0);
		assert_int_equal(WEXITSTATUS(status_of(pid)), signals[i]);
	}
	pid = supervise(catches, SIGRTMIN + 1);
	await_ready();
	assert_int_equal(sigqueue(pid, SIGRTMIN + 1, v), 0);
	assert_int_equal(WEXITSTATUS(status_of(pid)), 77);
}

static void sends_nothing_back(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of(supervise(bothers, SIGUSR1))), 5);
	assert_int_equal(WEXITSTATUS(status_of(supervise(bothers, SIGTERM))), 5);
}

static void stops_and_continues(void **state)
{
	pid_t pid = supervise(stops, SIGSTOP);
	int status;

	(void)state;
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SIGSTOP);
	assert_int_equal(kill(pid, SIGCONT), 0);
	status = status_of(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 6);
}

static void gives_mask_and_dispositions(void **state)
{
	(void)state;
	assert_int_equal(WEXITSTATUS(status_of(supervise(looks_at_mask, 0))), 0);
	starts_oddly = true;
	assert_int_equal(WEXITSTATUS(status_of(supervise(looks_at_mask, 0))), 1 + 4);
	starts_oddly = false;
}

static void looks_while_it_waits(void **state)
{
	pid_t pid = supervise(waits_for_looks, 0);

	(void)state;
	for (int i = 0; i < 5; i++)
		await_ready();
	assert_int_equal(WEXITSTATUS(status_of(pid)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_as_the_guest),
		cmocka_unit_test(passes_signals_on),
		cmocka_unit_test(sends_nothing_back),
		cmocka_unit_test(stops_and_continues),
		cmocka_unit_test(gives_mask_and_dispositions),
		cmocka_unit_test(looks_while_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
