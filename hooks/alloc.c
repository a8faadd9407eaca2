/* SPDX-License-Identifier: MIT */
/* alloc.c -- libtaffrail-alloc.so: large host allocations, counted.
 *
 * A second object, because hooking malloc carries the most risk and is worth
 * it only where the policy asks for memory.host: watch.  Blocks of 1 MiB and
 * more are counted and leave a slot in the ring, through the one door that
 * libtaffrail.so exports; smaller ones cost an indirect jump.  It decides
 * nothing, refuses nothing and never allocates.
 *
 * Their functions are found at the first call by reading the loaded objects
 * (shim/elfmap.h), since a library's constructor may allocate before ours runs.
 * free learns whether a block may be large from a filter of one byte a bucket:
 * a bucket that never saw a large block costs one load. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "../shim/elfmap.h"

#define LARGE ((size_t)1 << 20)
#define FILTER 4096u

#define PUBLIC __attribute__((visibility("default")))

/* Ours when libtaffrail.so is loaded too, else absent. */
extern void taffrail_alloc_door(int is_free, uint64_t bytes, const void *p) __attribute__((weak));

/* Pass 1: types and slots. */
#include "none.h"
#undef OWN
#undef OWNV
#undef CALL
#define OWN(ret, name, params, args, kind, refuse, doc) \
	typedef ret name##_fn params; \
	PUBLIC ret name params;
#define OWNV(name, params, args, kind, doc) \
	typedef void name##_fn params; \
	PUBLIC void name params;
#define CALL(ret, name, params, doc) typedef ret name##_fn params;
#include "alloc.def"

/* Pass 2: one slot a row, each of its row's own type. */
#include "none.h"
#undef OWN
#undef OWNV
#undef CALL
#define OWN(ret, name, params, args, kind, refuse, doc) _Atomic(name##_fn *) name;
#define OWNV(name, params, args, kind, doc) _Atomic(name##_fn *) name;
#define CALL(ret, name, params, doc) _Atomic(name##_fn *) name;
static struct {
#include "alloc.def"
} theirs;

static _Atomic(uint8_t) filter[FILTER]; /* non-zero: a large block may lie in this bucket */

/* Pass 3: finds theirs at the first use; racing threads find the same. */
#include "none.h"
#undef OWN
#undef OWNV
#undef CALL
#define FINDER(name) \
	static name##_fn *real_##name(void) \
	{ \
		name##_fn *fn = atomic_load_explicit(&theirs.name, memory_order_relaxed); \
		union { \
			void *p; \
			name##_fn *f; \
		} u; \
		if (__builtin_expect(fn != NULL, 1)) \
			return fn; \
		u.p = taf_elf_next(#name); \
		atomic_store_explicit(&theirs.name, u.f, memory_order_relaxed); \
		return u.f; \
	}
#define OWN(ret, name, params, args, kind, refuse, doc) FINDER(name)
#define OWNV(name, params, args, kind, doc) FINDER(name)
#define CALL(ret, name, params, doc) FINDER(name)
#include "alloc.def"
#include "none.h"

static unsigned bucket(const void *p)
{
	return (unsigned)((uintptr_t)p >> 12 ^ (uintptr_t)p >> 24) & (FILTER - 1);
}

static void *taken(void *p, size_t n)
{
	if (__builtin_expect(n >= LARGE && p != NULL, 0)) {
		atomic_store_explicit(&filter[bucket(p)], 1, memory_order_relaxed);
		if (taffrail_alloc_door)
			taffrail_alloc_door(0, n, p);
	}
	return p;
}

/* The size of a block if it is a large one, else 0. */
static size_t large_size(void *p)
{
	size_t n;

	if (__builtin_expect(!atomic_load_explicit(&filter[bucket(p)], memory_order_relaxed), 1) ||
	    !p || !real_malloc_usable_size())
		return 0;
	n = real_malloc_usable_size()(p);
	return n >= LARGE ? n : 0;
}

static void given(const void *p, size_t n)
{
	if (n && taffrail_alloc_door)
		taffrail_alloc_door(1, n, p);
}

void *malloc(size_t n)
{
	return taken(real_malloc()(n), n);
}

void *calloc(size_t n, size_t size)
{
	void *p = real_calloc()(n, size);

	/* Theirs has refused a product that overflows. */
	return taken(p, n * size);
}

void *realloc(void *p, size_t n)
{
	size_t had = large_size(p);
	void *q = real_realloc()(p, n);

	if (q || !n)
		given(p, had);
	return taken(q, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	int r = real_posix_memalign()(p, align, n);

	if (!r)
		taken(*p, n);
	return r;
}

void *aligned_alloc(size_t align, size_t n)
{
	return taken(real_aligned_alloc()(align, n), n);
}

void *memalign(size_t align, size_t n)
{
	return taken(real_memalign()(align, n), n);
}

void *valloc(size_t n)
{
	return taken(real_valloc()(n), n);
}

void free(void *p)
{
	given(p, large_size(p));
	real_free()(p);
}
