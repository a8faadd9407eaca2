/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "sys.h"

#define DESK_BYTES ((size_t)12 << 10)
#define DESKS 16u

/* Untouched, it costs address space alone. */
static _Alignas(64) unsigned char desks[DESKS][DESK_BYTES];
static _Atomic(uint32_t) taken; /* a bit a desk */

/* In front of what lies in a mapping. */
struct head {
	_Alignas(64) size_t bytes;
};

static void *map(size_t n)
{
	struct head *h = taf_sys_map(sizeof(*h) + n);

	if (!h)
		return NULL;
	h->bytes = sizeof(*h) + n;
	return h + 1;
}

void *taf_scratch_take(size_t n)
{
	uint32_t seen = atomic_load_explicit(&taken, memory_order_relaxed);

	while (n <= DESK_BYTES) {
		uint32_t i = (uint32_t)__builtin_ctz(~seen);

		if (i >= DESKS)
			break;
		if (atomic_compare_exchange_weak_explicit(&taken, &seen, seen | 1u << i,
							  memory_order_acquire,
							  memory_order_relaxed))
			return desks[i];
	}
	return map(n);
}

void taf_scratch_give(void *p)
{
	size_t at = (size_t)((uintptr_t)p - (uintptr_t)desks);

	if (!p)
		return;
	if (at < sizeof(desks))
		atomic_fetch_and_explicit(&taken, ~(1u << at / DESK_BYTES), memory_order_release);
	else
		taf_sys_unmap((struct head *)p - 1, ((struct head *)p)[-1].bytes);
}
