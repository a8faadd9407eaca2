/* SPDX-License-Identifier: MIT */
/* batch.h -- what MLX is asked to evaluate: tokens of how many sequences, a cache of how many, or
 * how probable a token was, or what drafts are worth.
 *
 * mlx_lm and what is built on it begin a token by async_eval of the sampled ones, which come
 * first: whole numbers, one for each sequence, of shape [B] or [B, 1].  A cache comes as keys and
 * values of each layer, [B, heads, tokens, ..], or, where layers keep a state of one size (Mamba and
 * its like), as arrays of which each begins with B; a probability is a number with a fraction,
 * without a shape.  An array is a pointer to what describes it, which begins, mlx 0.29 to 0.32 (array.h,
 * small_vector.h), in 8-byte words:
 *
 *	0	an allocator without members
 *	1 2 3	shape: begin, end, end of room; the ten ints of the room are words 4 to 8
 *	9	an allocator
 *	10 .. 12	strides: the same; ten longs of room are words 13 to 22
 *	23	how many elements
 *	24	type, an int
 *	25	what computes it; 0: it is there
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

union taf_described {
	uintptr_t n;
	const uintptr_t *w;
	const int32_t *ints;
};

/* What describes the i-th array of v, which live; w is NULL: there is none, or it is unknown. */
static inline union taf_described taf_batch_array(const struct taf_vector *v, size_t i)
{
	union taf_described a = { .w = NULL }, none = a;

	if (!v || (uintptr_t)v->end - (uintptr_t)v->begin < (i + 1) * TAF_CHUNK_ARRAY)
		return none;
	a.n = *(const uintptr_t *)(const void *)(v->begin + i * TAF_CHUNK_ARRAY);
	return a.n && !(a.n & 7) && taf_batch_is_known(a.w) ? a : none;
}

static inline size_t taf_batch_dims(union taf_described a)
{
	return (a.w[2] - a.w[1]) / sizeof(int32_t);
}

#define TAF_BATCH_SHAPE 8 /* ints before the shape */

/* v is a vector of arrays that live; 0: unknown. */
static inline uint32_t taf_batch_width(const struct taf_vector *v)
{
	union taf_described a = taf_batch_array(v, 0);
	size_t dims = a.w ? taf_batch_dims(a) : 0;

	if (!dims || !taf_batch_is_whole(a.w[24]) || a.w[23] > TAF_BATCH_MOST ||
	    (dims != 1 && (dims != 2 || a.ints[TAF_BATCH_SHAPE + 1] != 1)))
		return 0;
	return (uint32_t)a.w[23];
}

/* How many proposed tokens v has, behind those that a larger model gives in their places and one
 * more; 0: it is something else. */
static inline uint16_t taf_batch_drafts(const struct taf_vector *v)
{
	uint32_t given = taf_batch_width(v), n;
	struct taf_vector rest;

	if (given < 2)
		return 0;
	rest = *v;
	rest.begin += TAF_CHUNK_ARRAY;
	n = taf_batch_width(&rest);
	return n + 1 == given ? (uint16_t)n : 0; /* TAF_BATCH_MOST at most */
}

static inline int32_t taf_batch_first(union taf_described a)
{
	return a.ints[TAF_BATCH_SHAPE];
}

/* Keys and values of the first layer. */
static inline bool taf_batch_is_pair(union taf_described k, union taf_described a)
{
	for (int i = 0; i < 3; i++)
		if (k.ints[TAF_BATCH_SHAPE + i] != a.ints[TAF_BATCH_SHAPE + i])
			return false;
	return taf_batch_dims(k) == 4 && taf_batch_dims(a) == 4;
}

/* States, and what belongs to them: all begin with as many as the first. */
static inline bool taf_batch_is_states(const struct taf_vector *v, union taf_described first)
{
	size_t n = (size_t)(v->end - v->begin) / TAF_CHUNK_ARRAY;

	if (taf_batch_dims(first) < 3)
		return false;
	for (size_t i = 1; i < n; i++) {
		union taf_described a = taf_batch_array(v, i);

		if (!a.w || !taf_batch_dims(a) || taf_batch_first(a) != taf_batch_first(first))
			return false;
	}
	return true;
}

/* Of how many sequences the cache is that v has the arrays of; 0: unknown, or none. */
static inline uint32_t taf_batch_prompts(const struct taf_vector *v)
{
	union taf_described k = taf_batch_array(v, 0), a = taf_batch_array(v, 1);

	if (!k.w || !a.w || (!taf_batch_is_pair(k, a) && !taf_batch_is_states(v, k)))
		return 0;
	return taf_batch_first(k) > 0 && (uint32_t)taf_batch_first(k) <= TAF_BATCH_MOST
		       ? (uint32_t)taf_batch_first(k)
		       : 0;
}

/* Tokens, and behind them the cache of as many sequences. */
static inline bool taf_batch_is_firsts(const struct taf_vector *v)
{
	uint32_t n = taf_batch_width(v);
	struct taf_vector rest;

	if (!n)
		return false;
	rest = *v;
	rest.begin += TAF_CHUNK_ARRAY;
	return taf_batch_prompts(&rest) == n;
}

/* Whether an array that lives is a number with a fraction that is yet to be computed: float16, 32,
 * 64 or bfloat16. What is there already is looked at for other reasons, as constants are while a
 * function is compiled. */
static inline bool taf_batch_is_answer(const void *array)
{
	union taf_described a = { .n = array ? *(const uintptr_t *)array : 0 };

	return a.n && !(a.n & 7) && taf_batch_is_known(a.w) && a.w[1] == a.w[2] &&
	       (uint32_t)a.w[24] - 9 < 4 && a.w[25];
}

#endif
