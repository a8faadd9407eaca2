/* SPDX-License-Identifier: MIT */
#include "cuda_map.h"

#include "../shim/life.h"
#include "../shim/live.h"

#define MOST 8192u
#define LOCK_MS 100

/* of: the handle; with AFTER, the address by which live.h knows a piece whose handle is
 * released. */
struct mapping {
	uint64_t at, of;
};

#define AFTER (1ull << 63)

static struct mapping maps[MOST]; /* under lock, as used; at is 0 where none is */
static uint32_t used; /* no place from here on was ever taken */
static _Atomic(uint32_t) lock; /* 0, or the tid inside */

/* False after LOCK_MS, or in a handler that interrupted this very thread inside. */
static bool enter(void)
{
	uint64_t until = taf_sys_mono_ns() + (uint64_t)LOCK_MS * 1000000;
	uint32_t me = (uint32_t)taf_tid(), seen = 0;

	while (!atomic_compare_exchange_strong(&lock, &seen, me)) {
		if (seen == me || taf_sys_mono_ns() > until)
			return false;
		taf_sys_wait(&lock, seen, 1);
		seen = 0;
	}
	return true;
}

static void leave(void)
{
	atomic_store(&lock, 0);
	taf_sys_wake_all(&lock);
}

void taf_cuda_mapped(uint64_t at, uint64_t handle)
{
	uint32_t i = 0;

	if (!at || !enter())
		return;
	while (i < used && maps[i].at && maps[i].at != at)
		i++;
	if (i < MOST) {
		maps[i] = (struct mapping){ at, handle };
		used = i < used ? used : i + 1;
	}
	leave();
}

/* All mappings of one piece belong to another name of it now. Returns the first one's
 * address, 0: there is none. */
static uint64_t rename_all(uint64_t of)
{
	uint64_t to = 0;

	for (uint32_t i = 0; i < used; i++) {
		if (!maps[i].at || maps[i].of != of)
			continue;
		to = to ? to : maps[i].at;
		maps[i].of = to | AFTER;
	}
	return to;
}

static void move(uint64_t from, uint64_t to)
{
	struct taf_piece piece;

	if (!taf_live_give(TAF_API_CUDA, from, &piece) || !to)
		return;
	piece.at = to;
	taf_live_take(&piece);
}

uint64_t taf_cuda_released(uint64_t handle)
{
	uint64_t to;

	if (!handle || !enter())
		return handle;
	to = rename_all(handle);
	if (to)
		move(handle, to);
	leave();
	return to ? 0 : handle;
}

void taf_cuda_unmapped(uint64_t at, uint64_t size)
{
	if (!at || !enter())
		return;
	for (uint32_t i = 0; i < used; i++) {
		struct mapping m = maps[i];

		if (!m.at || m.at - at >= size)
			continue;
		maps[i].at = 0;
		if (m.of == (m.at | AFTER))
			move(m.at, rename_all(m.of));
	}
	leave();
}

void taf_cuda_maps_forget(void)
{
	atomic_store(&lock, 0);
	for (uint32_t i = 0; i < used; i++)
		maps[i].at = 0;
	used = 0;
}
