/* SPDX-License-Identifier: MIT */
/* real.h -- finds their function.
 *
 * The answer depends on who calls: one process may hold two copies of a
 * runtime, and engines that were opened RTLD_LOCAL are invisible to RTLD_NEXT.
 * So the search is made in the caller's own scope:
 *
 *   libc rows    the next object after ours in load order (what RTLD_NEXT gives)
 *   engine rows  of a program with an engine of its own, its own (sites.h);
 *                objects preloaded behind us; then those of the caller: itself
 *                and what it needs, breadth first, in the version it asked
 *                for; then a function learned from dlsym; then the first object
 *                behind us that defines it
 *
 * Answers are cached by (call site, row); dlclose empties the cache.  Nothing
 * here takes a lock, calls the loader or allocates.
 */
#ifndef TAF_REAL_H
#define TAF_REAL_H

#include <stdatomic.h>

#include "table.h"

/* Their function for this row as seen from caller, or NULL. */
taf_fn taf_real_find(const struct taf_table *t, int row, const void *caller);
/* Whether an engine with a load entry of its own is in the process. */
bool taf_real_has_load(void);
/* True when an object that was opened with the caller's, or brought it along, has
 * theirs: what RTLD_DEFAULT finds beyond the global scope. */
bool taf_real_is_near(const char *name, const void *caller);
/* Whether the object that has theirs has the function of that row as well. */
bool taf_real_has_beside(const struct taf_table *t, int row, taf_fn theirs);
/* Remembers what dlsym gave for a row. False: another one was learned before
 * and stays, so this one must be handed out as it is. */
bool taf_real_learn(const struct taf_table *t, int row, taf_fn theirs);
/* Forgets what was cached: an object left the process. */
void taf_real_forget(void);
/* True when fn lies in our own object. */
bool taf_real_is_ours(const void *fn);
/* The row called name in an engine's table (never libc's); NULL when there is none. */
const struct taf_table *taf_real_row(const char *name, int *row);

/* Under seq, as a seqlock: odd while its one writer is at work, and a writer that
 * finds it odd does not write. An answer of an older epoch is no answer, and a slot of
 * zeroes is of no row. */
struct taf_real_slot {
	_Atomic(uint32_t) seq, epoch;
	_Atomic(uintptr_t) caller;
	_Atomic(uintptr_t) row; /* address of the row */
	_Atomic(taf_fn) fn;
};
#define TAF_REAL_SLOTS 512u
extern struct taf_real_slot taf_real_cache[TAF_REAL_SLOTS];
extern _Atomic(uint32_t) taf_real_epoch; /* goes on when an object leaves the process */

static inline unsigned taf_real_index(const void *caller, const struct taf_row *row)
{
	return (unsigned)(((uintptr_t)caller >> 2) ^ ((uintptr_t)row >> 2)) & (TAF_REAL_SLOTS - 1);
}

/* The cached answer, or the long way. */
static inline __attribute__((always_inline)) taf_fn taf_real_quick(const struct taf_table *t,
								   int row, const void *caller)
{
	const struct taf_row *r = &t->rows[row];
	struct taf_real_slot *s = &taf_real_cache[taf_real_index(caller, r)];
	uint32_t seq = atomic_load_explicit(&s->seq, memory_order_acquire);
	uintptr_t wrong =
		(atomic_load_explicit(&s->caller, memory_order_relaxed) ^ (uintptr_t)caller) |
		(atomic_load_explicit(&s->row, memory_order_relaxed) ^ (uintptr_t)r) |
		(atomic_load_explicit(&s->epoch, memory_order_relaxed) ^
		 atomic_load_explicit(&taf_real_epoch, memory_order_relaxed)) |
		(seq & 1);
	taf_fn fn = atomic_load_explicit(&s->fn, memory_order_relaxed);

	atomic_thread_fence(memory_order_acquire);
	wrong |= atomic_load_explicit(&s->seq, memory_order_relaxed) ^ seq;
	if (__builtin_expect(!wrong, 1))
		return fn;
	return taf_real_find(t, row, caller);
}

static inline taf_fn taf_real(const struct taf_table *t, int row, const void *caller)
{
	return taf_real_quick(t, row, caller);
}

/* libc rows do not depend on who calls: one answer a process, kept in learned, found when
 * it is first asked for. The constructor sees how far that may look (real_libc.c). */
void taf_real_init(void);
taf_fn taf_real_fix(const struct taf_table *t, int row);

static inline taf_fn taf_real_fixed(const struct taf_table *t, int row)
{
	taf_fn fn = atomic_load_explicit(&t->learned[row], memory_order_acquire);

	return __builtin_expect(fn != NULL, 1) ? fn : taf_real_fix(t, row);
}

/* The C library's own function of that row name; NULL when no table has it. */
taf_fn taf_real_libc(const char *name);
/* Our function for the row of the C library by which symbols or objects come, called name;
 * NULL: none is. */
taf_fn taf_real_door(const char *name);
/* What caller's object, or one that it needs, has under that name in its own namespace:
 * what RTLD_DEFAULT finds there. */
void *taf_real_in_scope(const char *name, const void *caller);

#endif
