/* SPDX-License-Identifier: MIT */
#include "chunk.h"

#include <stdatomic.h>

#include "../policy/text.h"
#include "trycall.h"

#define USES_MOST (1 << 24) /* references to one array that are still believed */
#define ALIGN 7u

struct array {
	uintptr_t object, counts;
};
_Static_assert(sizeof(struct array) == TAF_CHUNK_ARRAY, "an array of theirs is a shared_ptr");

static const struct array *at(const struct taf_vector *v, size_t i)
{
	return (const void *)(v->begin + i * sizeof(struct array));
}

union counts {
	uintptr_t n;
	_Atomic(int32_t) *ints; /* libstdc++ */
	_Atomic(int64_t) *longs; /* libc++ */
};

static bool is_array(const struct array *a, enum taf_stdlib lib)
{
	union counts c = { .n = a->counts };
	int64_t uses, weak;

	if (!a->object || !a->counts || (a->object & ALIGN) || (a->counts & ALIGN))
		return false;
	if (lib == TAF_LIBSTDCXX) {
		uses = atomic_load_explicit(&c.ints[2], memory_order_relaxed);
		weak = atomic_load_explicit(&c.ints[3], memory_order_relaxed);
	} else {
		uses = atomic_load_explicit(&c.longs[1], memory_order_relaxed) + 1;
		weak = atomic_load_explicit(&c.longs[2], memory_order_relaxed) + 1;
	}
	return uses >= 1 && uses <= USES_MOST && weak >= 1 && weak <= USES_MOST;
}

size_t taf_chunk_count(const struct taf_vector *v, enum taf_stdlib lib)
{
	uintptr_t begin = (uintptr_t)v->begin, end = (uintptr_t)v->end;
	size_t n = (end - begin) / sizeof(struct array);

	if (!begin || end <= begin || (uintptr_t)v->room < end || (begin & ALIGN) ||
	    (end - begin) % sizeof(struct array))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!is_array(at(v, i), lib))
			return 0;
	return n;
}

size_t taf_chunk_next(size_t left, size_t n)
{
	return left > n && left - n >= (n + 1) / 2 ? n : left;
}

static void count(const struct taf_vector *v, enum taf_stdlib lib, int by)
{
	for (const struct array *a = at(v, 0); (const char *)a < v->end; a++) {
		union counts c = { .n = a->counts };

		if (lib == TAF_LIBSTDCXX)
			atomic_fetch_add(&c.ints[2], by);
		else
			atomic_fetch_add(&c.longs[1], by);
	}
}

bool taf_chunk_make(struct taf_vector *piece, const struct taf_vector *v, const size_t part[2],
		    enum taf_stdlib lib)
{
	size_t bytes = part[1] * sizeof(struct array);

	piece->begin = taf_cxx_new(bytes);
	if (!piece->begin)
		return false;
	taf_move(piece->begin, at(v, part[0]), bytes);
	piece->end = piece->room = piece->begin + bytes;
	count(piece, lib, 1);
	return true;
}

/* Never the last reference: the program's own vector has one. */
void taf_chunk_drop(struct taf_vector *piece, enum taf_stdlib lib)
{
	if (!piece->begin)
		return;
	count(piece, lib, -1);
	taf_cxx_delete(piece->begin);
	piece->begin = NULL;
}
