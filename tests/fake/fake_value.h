/* SPDX-License-Identifier: MIT */
/* fake_value.h -- the struct that fake engines take by value, shared with the guests.
 *
 * Larger than what fits in registers and closed by a mark at its far end: a
 * wrapper that forwards a piece of it only is found out. */
#ifndef FAKE_VALUE_H
#define FAKE_VALUE_H

#include <stdint.h>

#define FAKE_MARK 0x7461666672616b65ull

struct fake_value {
	int32_t n; /* tokens of a batch */
	int32_t pad;
	uint64_t words[38];
	uint64_t mark;
};

static inline struct fake_value fake_value_of(int32_t n)
{
	return (struct fake_value){ .n = n, .mark = FAKE_MARK ^ (uint64_t)(uint32_t)n };
}

static inline int fake_value_is_whole(const struct fake_value *v)
{
	return v->mark == (FAKE_MARK ^ (uint64_t)(uint32_t)v->n);
}

/* The same for a batch, which is smaller and does not grow. */
struct fake_batch {
	int32_t n; /* tokens */
	int32_t pad;
	uint64_t words[9];
	uint64_t mark;
};

static inline struct fake_batch fake_batch_of(int32_t n)
{
	return (struct fake_batch){ .n = n, .mark = FAKE_MARK ^ (uint64_t)(uint32_t)n };
}

static inline int fake_batch_is_whole(const struct fake_batch *b)
{
	return b->mark == (FAKE_MARK ^ (uint64_t)(uint32_t)b->n);
}

#endif
