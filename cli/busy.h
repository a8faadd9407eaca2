/* SPDX-License-Identifier: MIT */
/* busy.h -- the time that generations took, where several may be under way at once, and how many
 * were. */
#ifndef TAF_BUSY_H
#define TAF_BUSY_H

#include <stddef.h>
#include <stdint.h>

#define TAF_BUSY_MAX 256 /* beyond it most is a least */

struct taf_busy {
	uint64_t until_ns, shared_until_ns; /* until when one was under way, and two */
	uint64_t us, shared_us; /* in which at least one was, and two */
	uint64_t ends_ns[TAF_BUSY_MAX]; /* of those under way at the latest begin */
	size_t n, most; /* how many that are, and the most that were */
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

/* One that ends as the next begins is not beside it. */
static inline void taf_busy_count(struct taf_busy *b, uint64_t from_ns, uint64_t to_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->ends_ns[i] > from_ns)
			b->ends_ns[kept++] = b->ends_ns[i];
	if (kept < TAF_BUSY_MAX)
		b->ends_ns[kept++] = to_ns;
	b->n = kept;
	b->most = kept > b->most ? kept : b->most;
}

/* One more: they come in the order of their begins. */
static inline void taf_busy_add(struct taf_busy *b, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t both = to_ns < b->until_ns ? to_ns : b->until_ns;

	taf_busy_count(b, from_ns, to_ns);
	b->shared_us += taf_busy_behind(&b->shared_until_ns, from_ns, both) / 1000;
	b->us += taf_busy_behind(&b->until_ns, from_ns, to_ns) / 1000;
}

#endif
