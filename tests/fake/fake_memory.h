/* SPDX-License-Identifier: MIT */
/* fake_memory.h -- a device's memory for fake GPU runtimes: addresses that are never
 * touched, a capacity, and what happens at a place where memory runs short.
 *
 *   FAKE_BYTES=N   capacity of the device; 1 GiB
 *   FAKE_OOM=N     the first N allocations find no room
 */
#ifndef FAKE_MEMORY_H
#define FAKE_MEMORY_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define FAKE_PIECES 8192
#define FAKE_FIRST 0x200000000000ull

struct fake_piece {
	uint64_t at, bytes;
};

static struct fake_piece fake_pieces[FAKE_PIECES];
static uint64_t fake_next = FAKE_FIRST, fake_used;
static long fake_refused;
static _Atomic(int) fake_lock;

static inline void fake_enter(void)
{
	while (atomic_exchange(&fake_lock, 1))
		;
}

static inline void fake_leave(void)
{
	atomic_store(&fake_lock, 0);
}

static inline uint64_t fake_number_of(const char *name, uint64_t standard)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 0) : standard;
}

static inline uint64_t fake_capacity(void)
{
	return fake_number_of("FAKE_BYTES", 1ull << 30);
}

/* An address, or 0: no room. */
static inline uint64_t fake_take(uint64_t bytes)
{
	uint64_t at = 0;

	fake_enter();
	if (fake_refused < (long)fake_number_of("FAKE_OOM", 0)) {
		fake_refused++;
		fake_leave();
		return 0;
	}
	for (int i = 0; i < FAKE_PIECES && !at; i++)
		if (!fake_pieces[i].at && bytes <= fake_capacity() - fake_used) {
			at = fake_next;
			fake_pieces[i] = (struct fake_piece){ at, bytes };
			fake_used += bytes;
			fake_next += (bytes + 0x1ffff) & ~0xffffull;
		}
	fake_leave();
	return at;
}

/* 0: nothing that was taken lies there. */
static inline int fake_give(uint64_t at)
{
	int found = 0;

	fake_enter();
	for (int i = 0; i < FAKE_PIECES && at && !found; i++)
		if (fake_pieces[i].at == at) {
			fake_used -= fake_pieces[i].bytes;
			fake_pieces[i].at = 0;
			found = 1;
		}
	fake_leave();
	return found;
}

static inline uint64_t fake_free_bytes(void)
{
	return fake_capacity() - fake_used;
}

#endif
