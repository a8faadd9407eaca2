/* SPDX-License-Identifier: MIT */
/* leave_kit.h -- threads of which one leaves, frees or computes, for tests of who waits for whom:
 * another one that stands, and what others do while this one waits.  No deadline helps: all of
 * them are ten minutes long. */
#ifndef LEAVE_KIT_H
#define LEAVE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "../../shim/act.h"
#include "../../shim/burst.h"
#include "../../shim/capture.h"
#include "../../shim/coarse.h"
#include "../../shim/crumb.h"
#include "../../shim/exit.h"
#include "../../shim/life.h"
#include "../../shim/owner.h"
#include "../../shim/park.h"
#include "../../shim/serial.h"

#define LONG_MS 600000u
#define LONG_NS (LONG_MS * 1000000ull)

static int n_synced, n_trimmed;
static void *synced[8]; /* in their order */
static uint32_t still_in_sync, still_in_trim;

static int synchronize(void *handle, const void *home)
{
	(void)home;
	assert_non_null(handle);
	assert_in_range(n_synced, 0, 7);
	synced[n_synced++] = handle;
	still_in_sync = taf_still.holder;
	return 0;
}

static int trim(void *handle, const void *home)
{
	(void)handle;
	(void)home;
	n_trimmed++;
	still_in_trim = taf_still.holder;
	return 0;
}

static void tell(const void *home, struct taf_text *out)
{
	(void)home;
	(void)out;
}

static const struct taf_ops ops = { .sync = synchronize, .trim = trim };
static const struct taf_by_thread threads = { .tell = tell };
static const struct taf_row rows[] = { { .name = 0, .kind = TAF_SUBMIT } };
static const struct taf_table mlx = { .engine = TAF_ENGINE_MLX,
				      .rows = rows,
				      .n_rows = 1,
				      .names = "eval",
				      .ops = &ops,
				      .by_thread = &threads };
static const struct taf_table llama = {
	.engine = TAF_ENGINE_LLAMA, .rows = rows, .n_rows = 1, .names = "decode", .ops = &ops
};
static _Atomic(taf_fn) learned[1]; /* their functions: none is found */
static const struct taf_table runtime = { .engine = TAF_ENGINE_CUDART,
					  .rows = rows,
					  .n_rows = 1,
					  .names = "launch",
					  .learned = learned,
					  .ops = &ops };
const struct taf_table *const taf_tables[] = { &mlx, &llama, &runtime };
const int taf_table_count = 3;

static void set_all(enum taf_state state, uint32_t leaver)
{
	atomic_store(&taf_life.is_drained, 0);
	atomic_fetch_add(&taf_life.leavings, state == TAF_LEAVING);
	atomic_store(&taf_life.leaver, leaver);
	atomic_store(&taf_life.state, state);
}

static inline bool is_left(struct taf_work *w)
{
	return atomic_load(&w->left_for) == atomic_load(&taf_life.leavings);
}

/* Another thread, which stands until it is sent away. */
static pthread_barrier_t gate;
static int32_t standing;
static pthread_t stander;

static void *stand(void *arg)
{
	(void)arg;
	standing = taf_sys_tid();
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	return NULL;
}

static void send_away(void)
{
	if (!standing)
		return;
	standing = 0;
	pthread_barrier_wait(&gate);
	pthread_join(stander, NULL);
}

/* What others do at a moment of this thread, once: while it waits for word, when it reads the
 * clock, when it writes a record, when it has asked the kernel whether a thread lives. */
static _Atomic(uint32_t) *awaited;
static void (*meanwhile)(void), (*at_clock)(void), (*at_crumb)(void), (*at_look)(void);
static uint64_t clock_ns; /* 0: it goes */

static void others_act(void (**what)(void))
{
	void (*f)(void) = *what;

	*what = NULL;
	if (f)
		f();
}

static inline void at_wait(_Atomic(uint32_t) *word, void (*what)(void))
{
	awaited = word;
	meanwhile = what;
}

int __real_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms);
int __wrap_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms);
int __wrap_taf_sys_wait(_Atomic(uint32_t) *word, uint32_t seen, uint32_t ms)
{
	if (word != awaited)
		return __real_taf_sys_wait(word, seen, ms);
	awaited = NULL;
	others_act(&meanwhile);
	return 0;
}

uint64_t __real_taf_sys_mono_ns(void);
uint64_t __wrap_taf_sys_mono_ns(void);
uint64_t __wrap_taf_sys_mono_ns(void)
{
	others_act(&at_clock);
	return clock_ns ? clock_ns : __real_taf_sys_mono_ns();
}

uint64_t __real_taf_crumb(const struct taf_rec *r);
uint64_t __wrap_taf_crumb(const struct taf_rec *r);
uint64_t __wrap_taf_crumb(const struct taf_rec *r)
{
	others_act(&at_crumb);
	return __real_taf_crumb(r);
}

int __real_taf_sys_tgkill(int32_t pid, int32_t tid, int signo);
int __wrap_taf_sys_tgkill(int32_t pid, int32_t tid, int signo);
int __wrap_taf_sys_tgkill(int32_t pid, int32_t tid, int signo)
{
	int r = __real_taf_sys_tgkill(pid, tid, signo);

	others_act(&at_look);
	return r;
}

static int setup(void **state)
{
	(void)state;
	taf_life.pid = getpid();
	taf_rules_default(&taf_rules);
	taf_rules.drain_deadline_ms = taf_rules.exit_deadline_ms = LONG_MS;
	taf_rules.drain_idle_ms = LONG_MS;
	taf_work_forget_all();
	taf_flight_forget();
	taf_still_forget();
	taf_capture_forget();
	taf_burst_reset();
	taf_coarse_find();
	taf_exit_reset();
	taf_tls.has_parked = taf_tls.is_submitting = false;
	taf_tls.flight = NULL;
	n_synced = n_trimmed = 0;
	still_in_sync = still_in_trim = 0;
	pthread_barrier_init(&gate, NULL, 2);
	assert_int_equal(pthread_create(&stander, NULL, stand, NULL), 0);
	pthread_barrier_wait(&gate);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	send_away();
	awaited = NULL;
	meanwhile = at_clock = at_crumb = at_look = NULL;
	clock_ns = 0;
	set_all(TAF_COLD, 0);
	return 0;
}

static inline struct taf_work *work_of(const struct taf_table *table, int32_t tid)
{
	struct taf_maker by = { .table = table };
	union {
		uintptr_t n;
		void *p;
	} u = { .n = (uintptr_t)tid };

	return taf_work_add(&by, u.p, NULL);
}

/* The whole of what leaver does until its drain begins: it means to become another program. */
static inline void leaves(uint32_t leaver)
{
	set_all(TAF_ACTIVE, 0);
	taf_leave_exec("execve", "/");
	taf_still_forget();
	set_all(TAF_LEAVING, leaver);
	n_synced = 0;
}

/* It means to end. */
static inline void exits(uint32_t leaver)
{
	leaves(leaver);
	atomic_store(&taf_park.is_exec, false);
}

static inline void stay(void)
{
	set_all(TAF_ACTIVE, 0);
}

static struct taf_work *theirs;

static inline void they_drain(void)
{
	atomic_store(&theirs->left_for, atomic_load(&taf_life.leavings));
}

static inline void take_back(void)
{
	taf_work_drop(theirs);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
