/* SPDX-License-Identifier: MIT */
/* sem.c -- waits for a semaphore, cut into looks for as long as a thread has something to look up
 * for (shim/rest.h).
 *
 * The locks and queues of CPython are semaphores (sem_clockwait from 3.9 on, sem_timedwait
 * before).  Its own short locks are as well, and are waited for with its big one held: a look comes
 * only once a wait has lasted.  A signal that comes in the midst of a look ends no wait.  One with
 * a near limit is soon over all the same; else the first thread waits as it always did: signals
 * prefer it, and Ctrl-C ends its wait. */
#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include "../shim/rest.h"
#include "../shim/sys.h"
#include "libc.h"

#define TAF_ROWS "sem.def"
#define TAF_TABLE taf_table_sem
#include "expand.h"

#define SECOND_NS 1000000000L

/* A wait as the program asks for it. */
struct wait {
	sem_t *sem;
	clockid_t clock;
	const struct timespec *until; /* NULL: none */
	const void *caller;
};

/* Where the threads of the C library are an object of their own, it may have come later. */
#define FOUND(name, caller) \
	(REAL(name) ? REAL(name) : (name##_fn *)taf_object_fn(taf_real_in_scope(#name, caller)))

static int wait_plainly(const struct wait *w)
{
	sem_wait_fn *theirs = FOUND(sem_wait, w->caller);

	return theirs ? theirs(w->sem) : -1;
}

static int wait_until(const struct wait *w, const struct timespec *until)
{
	sem_clockwait_fn *by_clock = FOUND(sem_clockwait, w->caller);
	sem_timedwait_fn *by_day;

	if (by_clock)
		return by_clock(w->sem, w->clock, until);
	by_day = FOUND(sem_timedwait, w->caller);
	return by_day ? by_day(w->sem, until) : -1;
}

static int wait_as_asked(const struct wait *w)
{
	return w->until ? wait_until(w, w->until) : wait_plainly(w);
}

/* False: the program's own limit is not later than that, or no time. */
static bool when(const struct wait *w, uint64_t ns, struct timespec *at)
{
	if (clock_gettime(w->clock, at))
		return false;
	at->tv_nsec += (long)(ns % SECOND_NS);
	at->tv_sec += (time_t)(ns / SECOND_NS) + at->tv_nsec / SECOND_NS;
	at->tv_nsec %= SECOND_NS;
	return !w->until || at->tv_sec < w->until->tv_sec ||
	       (at->tv_sec == w->until->tv_sec && at->tv_nsec < w->until->tv_nsec);
}

/* Behind a handler a wait without a limit goes on, unless the handler was installed without
 * SA_RESTART; one with a limit never does.  Which handler it was nothing tells: where one of those
 * without it may come in, the program has to expect this. */
static bool goes_on(const struct wait *w, int err)
{
	return err == ETIMEDOUT || (err == EINTR && !w->until && !taf_sys_may_break());
}

/* Whether the wait is one in which a signal is not to be lost. */
static bool is_for_signals(const struct wait *w)
{
	struct timespec at;

	return taf_sys_pid() == taf_tid() && (!w->until || when(w, SECOND_NS, &at));
}

static int rest(const struct wait *w)
{
	struct timespec at;
	int saved = errno;

	if (is_for_signals(w))
		return wait_as_asked(w);
	for (uint64_t ns = taf_rest_begin(); ns && when(w, ns, &at); ns = taf_rest_look()) {
		int rc = wait_until(w, &at);

		if (rc && !goes_on(w, errno))
			return rc;
		errno = saved;
		if (!rc)
			return 0;
	}
	return wait_as_asked(w);
}

int taf_sem_wait(sem_t *sem)
{
	struct wait w = { .sem = sem, .clock = CLOCK_MONOTONIC, .caller = TAF_CALLER };

	if (!taf_rest_is_due())
		return wait_plainly(&w);
	if (!FOUND(sem_clockwait, w.caller))
		w.clock = CLOCK_REALTIME;
	return rest(&w);
}

int taf_sem_timedwait(sem_t *sem, const struct timespec *until)
{
	struct wait w = {
		.sem = sem, .clock = CLOCK_REALTIME, .until = until, .caller = TAF_CALLER
	};
	sem_timedwait_fn *theirs = FOUND(sem_timedwait, w.caller);

	if (taf_rest_is_due())
		return rest(&w);
	return theirs ? theirs(sem, until) : -1;
}

int taf_sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	struct wait w = { .sem = sem, .clock = clock, .until = until, .caller = TAF_CALLER };

	return taf_rest_is_due() ? rest(&w) : wait_until(&w, until);
}
