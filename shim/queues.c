/* SPDX-License-Identifier: MIT */
#include "queues.h"

#include <errno.h>

#include "grip.h"
#include "life.h"
#include "patience.h"

#define LOOK_MS 100 /* how often a waiter checks that the holder lives */
#define ADD_MS 200
#define SLICE_MS 50

static _Atomic(uint32_t) adding; /* 0, or the tid that fills an entry: a few stores */

/* What a fork child inherits belongs to no device of its own. */
static void own(struct taf_queues *t)
{
	int32_t me = taf_sys_pid(), was = atomic_load(&t->pid);

	if (was == me || !atomic_compare_exchange_strong(&t->pid, &was, me) || !was)
		return;
	for (int i = 0; i < TAF_QUEUES; i++) {
		atomic_store(&t->of[i].handle, 0);
		atomic_store(&t->of[i].claim, 0);
		atomic_store(&t->of[i].users, 0);
	}
	atomic_store(&t->retired, 0);
	atomic_store(&adding, 0);
}

struct taf_queue *taf_queue_of(struct taf_queues *t, uint64_t handle)
{
	int n = atomic_load_explicit(&t->used, memory_order_acquire);

	for (int i = 0; handle && i < n; i++)
		if (atomic_load_explicit(&t->of[i].handle, memory_order_acquire) == handle)
			return &t->of[i];
	return NULL;
}

static void fill(struct taf_queue *q, uint64_t handle, const struct taf_queue *like)
{
	q->parent = like->parent;
	q->home = like->home;
	q->device = like->device;
	q->is_unordered = like->is_unordered;
	atomic_store(&q->is_used, false);
	atomic_store(&q->is_going, false);
	atomic_store(&q->is_retired, false);
	atomic_store(&q->late, 0);
	atomic_store(&q->refs, 1);
	atomic_store_explicit(&q->handle, handle, memory_order_release);
}

/* False after ADD_MS, or where a handler of theirs interrupted this very thread inside. */
static bool begin_adding(void)
{
	struct taf_slices left = { .left_ns = (uint64_t)ADD_MS * 1000000 };
	uint32_t me = (uint32_t)taf_tid(), seen = 0;

	while (!atomic_compare_exchange_strong(&adding, &seen, me)) {
		if (seen == me || !taf_next_slice(&left, SLICE_MS))
			return false;
		taf_sys_wait(&adding, seen, 1);
		seen = 0;
	}
	return true;
}

static void wait_for(struct taf_queue *q, uint32_t holder)
{
	atomic_fetch_add(&q->waiters, 1);
	taf_sys_wait(&q->claim, holder, LOOK_MS);
	atomic_fetch_sub(&q->waiters, 1);
}

/* Takes it for this thread, waiting at most ms. False: another has it. */
static bool claim(struct taf_queue *q, uint64_t ms)
{
	uint32_t me = (uint32_t)taf_tid(), seen = 0;
	struct taf_slices left = { .left_ns = ms * 1000000 };

	while (!atomic_compare_exchange_strong(&q->claim, &seen, me)) {
		/* A thread that was cancelled inside gives nothing back. */
		if (taf_sys_tgkill(taf_sys_pid(), (int32_t)seen, 0) == -ESRCH)
			atomic_compare_exchange_strong(&q->claim, &seen, 0);
		else if (!taf_next_slice(&left, SLICE_MS))
			return false;
		else
			wait_for(q, seen);
		seen = 0;
	}
	return true;
}

static bool is_mine(const struct taf_queue *q)
{
	return atomic_load_explicit(&q->claim, memory_order_relaxed) == (uint32_t)taf_tid();
}

/* Whoever holds it longer than any drain may last has left it behind. */
static void take(struct taf_queue *q, uint64_t ms)
{
	if (!claim(q, ms))
		atomic_store(&q->claim, (uint32_t)taf_tid());
}

/* Only one's own: it may have been taken meanwhile. */
void taf_queue_leave(struct taf_queue *q)
{
	uint32_t me;

	if (!q)
		return;
	me = (uint32_t)taf_tid();
	if (atomic_compare_exchange_strong(&q->claim, &me, 0) && atomic_load(&q->waiters))
		taf_sys_wake_all(&q->claim);
}

static bool is_free(const struct taf_queue *q)
{
	return !atomic_load(&q->handle) && !atomic_load(&q->users);
}

/* Under its claim: a drain may still be about to look at what the entry was. */
struct taf_queue *taf_queue_add(struct taf_queues *t, uint64_t handle, const struct taf_queue *like)
{
	struct taf_queue *q;

	own(t);
	if (!handle || !begin_adding())
		return NULL;
	q = taf_queue_of(t, handle);
	for (int i = 0; i < TAF_QUEUES && !q; i++)
		if (is_free(&t->of[i]) && claim(&t->of[i], 0)) {
			q = is_free(&t->of[i]) ? &t->of[i] : NULL;
			if (q)
				fill(q, handle, like);
			if (atomic_load(&t->used) <= i)
				atomic_store(&t->used, i + 1);
			taf_queue_leave(&t->of[i]);
		}
	atomic_store(&adding, 0);
	taf_sys_wake_all(&adding);
	return q;
}

struct taf_queue *taf_queue_enter(struct taf_queues *t, uint64_t handle)
{
	struct taf_queue *q = taf_queue_of(t, handle);
	uint32_t none = 0;

	if (!q || is_mine(q))
		return NULL;
	if (!atomic_compare_exchange_strong(&q->claim, &none, (uint32_t)taf_tid()))
		take(q, taf_rules.drain_deadline_ms);
	return q;
}

uint64_t taf_queue_until(void)
{
	return taf_sys_mono_ns() + (uint64_t)taf_rules.drain_deadline_ms * 1000000;
}

bool taf_queue_stay(struct taf_queue *q)
{
	atomic_fetch_add(&q->users, 1);
	taf_queue_leave(q);
	if (!atomic_load(&q->is_going))
		return true;
	taf_queue_go(q);
	return false;
}

void taf_queue_go(struct taf_queue *q)
{
	atomic_fetch_sub(&q->users, 1);
	taf_sys_wake_all(&q->users);
}

/* A drain that is in a queue ends in time, but for a machine that does not let it run. */
static uint64_t patience_ms(void)
{
	return (uint64_t)taf_rules.drain_deadline_ms + TAF_GRIP_MS;
}

void taf_queue_going(struct taf_queue *q)
{
	uint64_t until = taf_sys_mono_ns() + patience_ms() * 1000000;
	uint32_t users;

	atomic_store(&q->is_going, true);
	while ((users = atomic_load(&q->users)) && taf_sys_mono_ns() < until)
		taf_sys_wait(&q->users, users, LOOK_MS);
}

void taf_queue_drop(struct taf_queues *t, struct taf_queue *q)
{
	taf_queue_going(q);
	if (!is_mine(q))
		take(q, patience_ms());
	if (atomic_exchange(&q->is_retired, false))
		atomic_fetch_sub(&t->retired, 1);
	atomic_store(&q->handle, 0);
	taf_queue_leave(q);
}

void taf_queue_retire(struct taf_queues *t, struct taf_queue *q, uint64_t mark)
{
	taf_queue_going(q);
	if (!is_mine(q))
		take(q, taf_rules.drain_deadline_ms);
	atomic_store(&q->late, 0);
	atomic_store(&q->is_used, true);
	if (!atomic_exchange(&q->is_retired, true))
		atomic_fetch_add(&t->retired, 1);
	atomic_store(&q->handle, mark);
	taf_queue_leave(q);
}

bool taf_queue_has_retired(struct taf_queues *t)
{
	if (!atomic_load_explicit(&t->retired, memory_order_relaxed))
		return false;
	own(t);
	return atomic_load(&t->retired) != 0;
}

void taf_queue_each_retired(struct taf_queues *t, void (*look)(struct taf_queue *q))
{
	own(t);
	for (int i = 0; i < TAF_QUEUES; i++) {
		struct taf_queue *q = &t->of[i];
		uint32_t none = 0;

		if (!atomic_load(&q->handle) || !atomic_load(&q->is_retired) ||
		    !atomic_compare_exchange_strong(&q->claim, &none, (uint32_t)taf_tid()))
			continue;
		if (atomic_load(&q->handle) && atomic_load(&q->is_retired))
			look(q);
		taf_queue_leave(q);
	}
}

static bool is_of(const struct taf_queue *q, uint64_t parent)
{
	return atomic_load(&q->handle) && (!parent || q->parent == parent);
}

void taf_queue_drop_all(struct taf_queues *t, uint64_t parent)
{
	for (int i = 0; i < TAF_QUEUES; i++)
		if (is_of(&t->of[i], parent))
			taf_queue_drop(t, &t->of[i]);
}

void taf_queue_enter_all(struct taf_queues *t, uint64_t parent)
{
	for (int i = 0; i < TAF_QUEUES; i++)
		if (is_of(&t->of[i], parent) && !is_mine(&t->of[i]))
			take(&t->of[i], taf_rules.drain_deadline_ms);
}

void taf_queue_leave_all(struct taf_queues *t, uint64_t parent)
{
	for (int i = 0; i < TAF_QUEUES; i++)
		if (is_of(&t->of[i], parent))
			taf_queue_leave(&t->of[i]);
}

int taf_queue_each(struct taf_queues *t, int (*wait)(struct taf_queue *q, uint64_t until))
{
	uint64_t until = taf_queue_until();
	int err = 0;

	own(t);
	for (int i = 0; i < TAF_QUEUES; i++) {
		struct taf_queue *q = &t->of[i];
		uint64_t now = taf_sys_mono_ns();
		int one;

		if (!atomic_load(&q->handle) || !atomic_load(&q->is_used))
			continue;
		/* Ours already: this is a handler that interrupted the runtime. */
		if (is_mine(q) || !claim(q, now < until ? (until - now) / 1000000 : 0)) {
			err = -ETIMEDOUT;
			continue;
		}
		/* It may have gone while this thread waited, and another have its entry. */
		one = atomic_load(&q->handle) && atomic_load(&q->is_used) ? wait(q, until) : 0;
		err = one ? one : err;
		taf_queue_leave(q);
	}
	return err;
}
