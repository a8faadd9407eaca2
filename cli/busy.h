/* SPDX-License-Identifier: MIT */
/* busy.h -- the time that generations took, where several may be under way at once. */
#ifndef TAF_BUSY_H
#define TAF_BUSY_H

#include <stdint.h>

struct taf_busy {
	uint64_t until_ns, shared_until_ns; /* until when one was under way, and two */
	uint64_t us, shared_us; /* in which at least one was, and two */
};

/* What of [from, to) lies behind *until, which then is no earlier than to. */
static inline uint64_t taf_busy_behind(uint64_t *until, uint64_t from, uint64_t to)
{
	uint64_t start = *until > from ? *until : from;

	if (to <= start)
		return 0;
	*until = to;
	return to - start;
}

/* One more: they come in the order of their begins. */
static inline void taf_busy_add(struct taf_busy *b, uint64_t from_ns, uint64_t us)
{
	uint64_t to = from_ns + us * 1000, both = to < b->until_ns ? to : b->until_ns;

	b->shared_us += taf_busy_behind(&b->shared_until_ns, from_ns, both) / 1000;
	b->us += taf_busy_behind(&b->until_ns, from_ns, to) / 1000;
}

#endif
