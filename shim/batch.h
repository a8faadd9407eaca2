/* SPDX-License-Identifier: MIT */
/* batch.h -- for how many sequences at once MLX is asked for a token.
 *
 * mlx_lm and what is built on it begin a token by async_eval of the sampled ones, which come
 * first: whole numbers, one for each sequence, of shape [B] or [B, 1].  An array is a pointer to
 * what describes it, which begins, mlx 0.29 to 0.32 (array.h, small_vector.h), in 8-byte words:
 *
 *	0	an allocator without members
 *	1 2 3	shape: begin, end, end of room; the ten ints of the room are words 4 to 8
 *	9	an allocator
 *	10 .. 12	strides: the same; ten longs of room are words 13 to 22
 *	23	how many elements
 *	24	type, an int
 *
 * Both vectors point to their own room inside of it: where they do, it is laid out so, and
 * nothing outside is read.  Older ones, and those yet to come, give 0.
 */
#ifndef TAF_BATCH_H
#define TAF_BATCH_H

#include "chunk.h"

#define TAF_BATCH_MOST 4096u /* sequences in one batch that are still believed */

static inline bool taf_batch_is_known(const uintptr_t *w)
{
	uintptr_t at = (uintptr_t)w;

	return w[1] == at + 4 * 8 && w[3] == at + 9 * 8 && w[10] == at + 13 * 8 &&
	       w[12] == at + 23 * 8;
}

/* uint32, uint64, int32, int64 */
static inline bool taf_batch_is_whole(uintptr_t type)
{
	uint32_t n = (uint32_t)type;

	return n == 3 || n == 4 || n == 7 || n == 8;
}

/* v is a vector of arrays that live; 0: unknown. */
static inline uint32_t taf_batch_width(const struct taf_vector *v)
{
	const union {
		uintptr_t n;
		const uintptr_t *w;
		const int32_t *shape;
	} a = { .n = v && v->begin != v->end ? *(const uintptr_t *)(const void *)v->begin : 0 };
	uintptr_t dims;

	if (!a.n || (a.n & 7) || !taf_batch_is_known(a.w))
		return 0;
	dims = (a.w[2] - a.w[1]) / sizeof(int32_t);
	if (!taf_batch_is_whole(a.w[24]) || a.w[23] > TAF_BATCH_MOST ||
	    (dims != 1 && (dims != 2 || a.shape[9] != 1)))
		return 0;
	return (uint32_t)a.w[23];
}

#endif
