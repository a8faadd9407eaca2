/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>

#include "gate.h"
#include "hot.h"
#include "life.h"
#include "patience.h"

#define MOST 64 /* captures whose stream is known; more are only counted */
#define LOOK_MS 5
#define SLICE_MS 20

TAF_HOT _Atomic(uint32_t) taf_captures;
#define DRAIN 0x10000u
#define CAPTURES TAF_CAPTURES_OPEN
#define TAKEN UINT64_MAX

static struct {
	_Atomic(uint64_t) stream; /* + 1; 0: free; TAKEN: about to be filled */
	_Atomic(int32_t) tid;
	_Atomic(uint32_t) device;
} open[MOST];

/* While a drain goes on nothing is captured. One that hangs in the driver would hold
 * the capture there as well; it is not waited for beyond drain.deadline. */
void taf_capture_opening(void)
{
	struct taf_slices left = { .left_ns = (uint64_t)taf_rules.drain_deadline_ms * 1000000 };
	uint32_t seen = atomic_load(&taf_captures);

	/* What an engine captures while it synchronizes for us is a part of that drain. */
	while (!taf_tls.inside) {
		if (seen < DRAIN) {
			if (atomic_compare_exchange_strong(&taf_captures, &seen, seen + 1))
				return;
			continue;
		}
		if (!taf_next_slice(&left, SLICE_MS))
			break;
		taf_sys_wait(&taf_captures, seen, LOOK_MS);
		seen = atomic_load(&taf_captures);
	}
	atomic_fetch_add(&taf_captures, 1);
}

static _Atomic(uint32_t) nameless; /* open, but beyond the table */

static void remember(uint64_t stream)
{
	for (int i = 0; i < MOST; i++) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong(&open[i].stream, &none, TAKEN)) {
			atomic_store(&open[i].tid, taf_tid());
			atomic_store(&open[i].device, taf_tls.device);
			/* Last: whoever sees it takes all of it for this capture's. */
			atomic_store(&open[i].stream, stream + 1);
			return;
		}
	}
	atomic_fetch_add(&nameless, 1);
}

/* A runtime begins its capture by its driver: that is one, seen twice. */
static bool is_known(uint64_t stream)
{
	for (int i = 0; i < MOST; i++)
		if (atomic_load(&open[i].stream) == stream + 1 &&
		    atomic_load(&open[i].tid) == taf_tid())
			return true;
	return false;
}

static void one_less(void)
{
	uint32_t seen = atomic_load(&taf_captures);

	while ((seen & CAPTURES) && !atomic_compare_exchange_weak(&taf_captures, &seen, seen - 1))
		;
	taf_sys_wake_all(&taf_captures);
}

void taf_capture_opened(uint64_t stream, bool is_open)
{
	if (is_open && !is_known(stream))
		remember(stream);
	else
		one_less();
}

/* One of this thread first: a thread's own default stream has one number in all. */
static bool forget(uint64_t stream)
{
	uint32_t more = atomic_load(&nameless);

	for (int i = 0; i < 2 * MOST; i++) {
		uint64_t had = stream + 1;

		if (i < MOST && atomic_load(&open[i].tid) != taf_tid())
			continue;
		if (atomic_compare_exchange_strong(&open[i % MOST].stream, &had, 0))
			return true;
	}
	while (more && !atomic_compare_exchange_weak(&nameless, &more, more - 1))
		;
	return more != 0;
}

/* A stream that was not captured is none of our business. */
void taf_capture_closed(uint64_t stream)
{
	if (forget(stream))
		one_less();
}

bool taf_capture_going(uint64_t stream)
{
	return forget(stream);
}

void taf_capture_gone(uint64_t stream, bool is_gone)
{
	if (is_gone)
		one_less();
	else
		remember(stream);
}

void taf_captures_dropped(uint32_t device)
{
	for (int i = 0; i < MOST; i++) {
		uint64_t had = atomic_load(&open[i].stream);

		if (had && had != TAKEN && atomic_load(&open[i].device) == device &&
		    atomic_compare_exchange_strong(&open[i].stream, &had, 0))
			one_less();
	}
}

bool taf_capture_is_own(void)
{
	for (int i = 0; i < MOST && taf_captures_open(); i++) {
		uint64_t has = atomic_load(&open[i].stream);

		/* One that is about to be filled may still have the number of this thread. */
		if (has && has != TAKEN && atomic_load(&open[i].tid) == taf_tid())
			return true;
	}
	return false;
}

bool taf_capture_records(const struct taf_call *c)
{
	const struct taf_ops *ops = c->table->ops;
	int saved = errno, r;

	if (!taf_capture_is_own() || !ops || !ops->is_captured)
		return false;
	if (is_known(c->queue))
		return true;
	taf_tls.inside++;
	r = ops->is_captured(c->queue, c->caller);
	taf_tls.inside--;
	errno = saved;
	return r != 0;
}

bool taf_capture_shut(uint32_t wait_ms)
{
	struct taf_slices left = { .left_ns = (uint64_t)wait_ms * 1000000 };
	uint32_t seen = atomic_load(&taf_captures);

	for (;;) {
		if (!(seen & CAPTURES)) {
			if (atomic_compare_exchange_strong(&taf_captures, &seen, seen + DRAIN))
				return true;
			continue;
		}
		if (taf_capture_is_own() || !taf_next_slice(&left, SLICE_MS))
			return false;
		taf_sys_wait(&taf_captures, seen, LOOK_MS);
		seen = atomic_load(&taf_captures);
	}
}

void taf_capture_free(void)
{
	atomic_fetch_sub(&taf_captures, DRAIN);
	taf_sys_wake_all(&taf_captures);
}

void taf_capture_forget(void)
{
	for (int i = 0; i < MOST; i++)
		atomic_store(&open[i].stream, 0);
	atomic_store(&nameless, 0);
	atomic_store(&taf_captures, 0);
}
