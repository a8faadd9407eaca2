/* SPDX-License-Identifier: MIT */
#include "level0_queue.h"

#include <errno.h>

#include "../shim/sys.h"

#define QUEUES 256u
#define GONE 1u
#define LOCK_TRIES 1000 /* of 20 us: whoever has the lock writes a few words */

static struct taf_ze_queue queues[QUEUES]; /* handles are written under lock */
static _Atomic(uint32_t) lock;
static _Atomic(bool) is_missed;
static _Atomic(int32_t) owner; /* the process whose queues they are */

static uint32_t hash_of(uintptr_t n)
{
	return (uint32_t)(((uint64_t)n * 0x9e3779b97f4a7c15ull) >> 40);
}

/* A fork child has no queues, and whoever had the lock is not there. */
static void be_owner(void)
{
	int32_t me = taf_sys_pid(), was = atomic_load(&owner);

	if (was == me)
		return;
	for (uint32_t i = 0; was && i < QUEUES; i++) {
		atomic_store(&queues[i].handle, 0);
		atomic_store(&queues[i].grip.holder, 0);
	}
	if (was) {
		atomic_store(&is_missed, false);
		atomic_store(&lock, 0);
	}
	atomic_store(&owner, me);
}

static bool lock_queues(void)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!atomic_exchange(&lock, 1))
			return true;
		taf_sys_sleep_us(20);
	}
	return false;
}

struct taf_ze_queue *taf_ze_queue_of(const void *handle)
{
	uintptr_t key = (uintptr_t)handle;
	uint32_t at = hash_of(key);

	for (uint32_t i = 0; i < QUEUES && key > GONE; i++) {
		struct taf_ze_queue *q = &queues[(at + i) % QUEUES];
		uintptr_t seen = atomic_load_explicit(&q->handle, memory_order_acquire);

		if (seen == key)
			return q;
		if (!seen)
			break;
	}
	return NULL;
}

static struct taf_ze_queue *free_place(uintptr_t key)
{
	for (uint32_t i = 0; i < QUEUES; i++) {
		struct taf_ze_queue *q = &queues[(hash_of(key) + i) % QUEUES];

		if (atomic_load(&q->handle) <= GONE && !atomic_load(&q->grip.holder))
			return q;
	}
	return NULL;
}

struct taf_ze_queue *taf_ze_queue_add(const void *handle, const struct taf_ze_queue *like)
{
	struct taf_ze_queue *q;

	be_owner();
	q = taf_ze_queue_of(handle);
	if (q || (uintptr_t)handle <= GONE)
		return q;
	if (!lock_queues()) {
		atomic_store(&is_missed, true);
		return NULL;
	}
	/* Two threads may hand work to a queue that was not seen at the same time. */
	q = taf_ze_queue_of(handle);
	if (q) {
		atomic_store(&lock, 0);
		return q;
	}
	q = free_place((uintptr_t)handle);
	if (q) {
		q->is_list = like->is_list;
		q->is_in_order = like->is_in_order;
		q->is_synchronous = like->is_synchronous;
		atomic_store(&q->submits, 0);
		atomic_store_explicit(&q->handle, (uintptr_t)handle, memory_order_release);
	} else {
		atomic_store(&is_missed, true);
	}
	atomic_store(&lock, 0);
	return q;
}

/* Who holds it from now on finds no handle. */
bool taf_ze_queue_drop(const void *handle)
{
	struct taf_ze_queue *q;

	be_owner();
	q = taf_ze_queue_of(handle);
	if (!q)
		return true;
	atomic_store(&q->handle, GONE);
	return taf_grip_is_free(&q->grip);
}

struct taf_ze_queue *taf_ze_queue_at(uint32_t i)
{
	if (!i)
		be_owner();
	return i < QUEUES ? &queues[i] : NULL;
}

uintptr_t taf_ze_queue_hold(struct taf_ze_queue *q, uint64_t until, int *err)
{
	uintptr_t handle = atomic_load(&q->handle);

	if (handle <= GONE)
		return 0;
	if (!taf_grip_take(&q->grip, until)) {
		*err = -ETIMEDOUT;
		return 0;
	}
	handle = atomic_load(&q->handle);
	if (handle > GONE)
		return handle;
	taf_ze_queue_let(q);
	return 0;
}

void taf_ze_queue_let(struct taf_ze_queue *q)
{
	taf_grip_let(&q->grip);
}

bool taf_ze_queues_missed(void)
{
	return atomic_load(&is_missed);
}
