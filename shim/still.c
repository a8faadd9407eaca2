/* SPDX-License-Identifier: MIT */
#include "still.h"

#include "capture.h"
#include "hot.h"
#include "life.h"
#include "park.h"
#include "patience.h"

#define SPINS 200
#define LOOK_MS 1
#define SLICE_MS 100
#define SETTLE_MS 1

TAF_HOT struct taf_still taf_still;

static struct taf_slices deadline(void)
{
	return (struct taf_slices){ .left_ns = (uint64_t)taf_rules.drain_deadline_ms * 1000000 };
}

static uint32_t self(void)
{
	return (uint32_t)taf_tid();
}

/* Some 5 us: a free is often over by then, and a thread that sleeps takes longer to wake. */
#define LOOKS 400

static bool is_over_soon(uint32_t holder)
{
	for (int i = 0; i < LOOKS; i++) {
		if (atomic_load_explicit(&taf_still.holder, memory_order_relaxed) != holder)
			return true;
#if defined(__x86_64__)
		__builtin_ia32_pause();
#else
		__asm__ volatile("yield");
#endif
	}
	return false;
}

/* A thread that was cancelled in its free gives nothing up any more. */
static void wait_for(uint32_t holder)
{
	if (is_over_soon(holder))
		return;
	atomic_fetch_add(&taf_still.waiters, 1);
	taf_sys_wait(&taf_still.holder, holder, LOOK_MS);
	atomic_fetch_sub(&taf_still.waiters, 1);
	if (taf_has_ended((int32_t)holder))
		atomic_compare_exchange_strong(&taf_still.holder, &holder, 0);
}

/* Inside of what an engine computes or waits for: who leaves waits until that is over, and the
 * thread parks at the engine's next call. */
static bool is_in_engine(void)
{
	return taf_tls.held || (taf_tls.open & 1u << TAF_SYNC);
}

/* Who leaves is not waited for within an engine, but another one who frees is. */
static bool is_to_be_awaited(uint32_t holder)
{
	return taf_state_now() < TAF_LEAVING ||
	       (is_in_engine() && holder != atomic_load(&taf_life.leaver));
}

/* True: it is inside again. False: the process ends. */
static bool stand(struct taf_flight *f, uint32_t holder, struct taf_slices *left)
{
	while (holder && is_to_be_awaited(holder)) {
		bool is_late = !taf_next_slice(left, SLICE_MS);

		/* A thread that is gone out of its call gives nothing up any more; whoever
		 * comes next is not waited for. */
		if (is_late)
			atomic_compare_exchange_strong(&taf_still.holder, &holder, 0);
		else
			wait_for(holder);
		holder = atomic_load(&taf_still.holder);
		if (holder && !is_late)
			continue;
		/* From here on the next one that gives something up sees it, or is seen. */
		atomic_fetch_add(&f->inside, 1);
		holder = atomic_load(&taf_still.holder);
		if (!holder || is_late)
			return true;
		atomic_fetch_sub(&f->inside, 1);
	}
	return false;
}

void taf_still_wait(struct taf_flight *f)
{
	uint32_t holder = atomic_load(&taf_still.holder);
	struct taf_slices left = deadline();

	if (!holder || holder == self() || taf_captures_open() || taf_tls.inside ||
	    taf_tls.in_callback)
		return;
	do {
		atomic_fetch_sub(&f->inside, 1);
		if (stand(f, holder, &left))
			return;
		/* What was let in before the process began to end waits as at the door. */
		if (!is_in_engine())
			taf_park_to_submit();
		atomic_fetch_add(&f->inside, 1);
		/* After an exec that has failed another one may give something up. */
		holder = atomic_load(&taf_still.holder);
	} while (holder && holder != self() && is_to_be_awaited(holder));
}

/* A thread that has a lane and has not submitted yet may do so at any moment. */
static bool are_others(void)
{
	int lanes = taf_flight_lanes();

	return lanes > 1 || (lanes == 1 && taf_tls.flight != &taf_flights[0]);
}

/* Submits of a lane that a whole deadline was waited for, by how many it had made, + 1. */
static _Atomic(uint64_t) stuck[TAF_FLIGHT_LANES];

static uint64_t made(const struct taf_flight *f)
{
	uint64_t n = 0;

	for (int i = 0; i <= TAF_FLIGHT_QUEUES; i++)
		n += atomic_load_explicit(&f->of[i].submits, memory_order_relaxed);
	return n;
}

/* Of a lane that threads share, what is not this one's. Whether one lives is asked of the
 * kernel. Who leaves by a handler that has interrupted its submit does not come back to it. */
static bool is_inside(int l, bool is_alive)
{
	const struct taf_flight *f = &taf_flights[l];
	uint32_t tid = atomic_load(&f->tid), own = 0;

	if (tid && tid == atomic_load(&taf_life.leaver))
		return false;
	if (f == taf_tls.flight) {
		if (tid)
			return false;
		own = taf_tls.is_submitting;
	}
	return atomic_load(&f->inside) > own && !(is_alive && taf_has_ended((int32_t)tid));
}

bool taf_still_is_anybody(void)
{
	int lanes = taf_flight_lanes();

	for (int l = 0; l < lanes; l++)
		if (is_inside(l, true))
			return true;
	return false;
}

/* One that was waited for in vain and has not come back is not waited for once more. */
static bool is_awaited(bool is_alive)
{
	int lanes = taf_flight_lanes();

	for (int l = 0; l < lanes; l++) {
		uint64_t seen = atomic_load_explicit(&stuck[l], memory_order_relaxed);

		if (!is_inside(l, is_alive)) {
			if (seen)
				atomic_store(&stuck[l], 0);
		} else if (!seen || seen != made(&taf_flights[l]) + 1) {
			return true;
		}
	}
	return false;
}

static void give_up(void)
{
	int lanes = taf_flight_lanes();

	for (int l = 0; l < lanes; l++)
		if (is_inside(l, true))
			atomic_store(&stuck[l], made(&taf_flights[l]) + 1);
}

static void sleep_a_while(uint32_t ms)
{
	static _Atomic(uint32_t) nothing;

	taf_sys_wait(&nothing, 0, ms);
}

/* True: a submit may still go on without its order, and settle is due, under holder. */
static bool begin_order(void)
{
	uint32_t none = 0;

	if (atomic_load(&taf_still.is_needed) == 2)
		return false;
	atomic_compare_exchange_strong(&taf_still.is_needed, &none, 1);
	return true;
}

/* A store of before is seen by then: what a processor keeps back it keeps for a microsecond,
 * and a thread that does not run has none kept back.  membarrier would do it as well, but is a
 * system call that a filter may end the process for, and takes longer the first time. */
static void settle(void)
{
	sleep_a_while(SETTLE_MS);
	atomic_store(&taf_still.is_needed, 2);
}

/* Who leaves has all stand still, and waits for what this thread drains (owner.h). */
static bool is_for_good(void)
{
	uint32_t holder = atomic_load(&taf_still.holder);

	return holder && holder == atomic_load(&taf_life.leaver);
}

static _Atomic(uint32_t) clearer; /* tid of a holder that has an engine clear */

void taf_still_clears(bool does)
{
	atomic_store(&clearer, does && taf_still_is_mine() ? self() : 0);
}

/* Of a lane that threads share it may be another one that is inside. */
bool taf_still_am_inside(void)
{
	return taf_tls.is_submitting && taf_tls.flight && atomic_load(&taf_tls.flight->inside);
}

/* Any holder waits for the submit that a handler, which runs here, has interrupted; but for one
 * of who leaves (is_inside). */
static bool is_waited_for(void)
{
	uint32_t leaver = atomic_load(&taf_life.leaver);

	return taf_still_am_inside() && (!leaver || atomic_load(&taf_tls.flight->tid) != leaver);
}

/* Whoever has it is not to be waited for. */
static bool is_not_awaited(uint32_t holder)
{
	return holder == self() || holder == atomic_load(&clearer) || is_for_good() ||
	       is_waited_for();
}

/* Submits that come from now on stand still; those that were let in are waited for. */
static bool hold(void)
{
	uint32_t nobody = 0;
	struct taf_slices left = deadline();

	while (!atomic_compare_exchange_strong(&taf_still.holder, &nobody, self())) {
		if (is_not_awaited(nobody) || !taf_next_slice(&left, SLICE_MS))
			return false;
		wait_for(nobody);
		nobody = 0;
	}
	/* Who has no lane yet takes one before he submits, and then finds the holder. */
	if (!are_others())
		return true;
	if (begin_order())
		settle();
	for (int i = 0; is_awaited(i > SPINS); i++) {
		if (!taf_next_slice(&left, SLICE_MS)) {
			give_up();
			break;
		}
		if (i > SPINS)
			sleep_a_while(LOOK_MS);
	}
	return true;
}

bool taf_still_begin(void)
{
	return !taf_captures_open() && !taf_tls.in_callback && !is_for_good() && hold();
}

void taf_still_for_good(void)
{
	if (!taf_tls.in_callback)
		hold();
}

bool taf_still_is_mine(void)
{
	return atomic_load(&taf_still.holder) == self();
}

void taf_still_end(void)
{
	uint32_t me = self();

	atomic_compare_exchange_strong(&taf_still.holder, &me, 0);
	if (atomic_load(&taf_still.waiters))
		taf_sys_wake_all(&taf_still.holder);
}

void taf_still_forget(void)
{
	atomic_store(&taf_still.holder, 0);
	atomic_store(&taf_still.waiters, 0);
	atomic_store(&clearer, 0);
	for (int l = 0; l < TAF_FLIGHT_LANES; l++)
		atomic_store(&stuck[l], 0);
}
