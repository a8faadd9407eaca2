/* SPDX-License-Identifier: MIT */
/* still.h -- other threads submit nothing while one gives memory up.
 *
 * A drain before a free or a trim is worth nothing where another thread submits
 * between the two.  So the one that frees has all submits stand still, from before
 * its drain until its own call is over:
 *
 *   a submit                               a free, a trim
 *     taf_still_enter(flight, shared)        has = taf_still_begin()
 *     r = their function                     synchronize
 *     taf_still_leave(flight, shared)        r = their function
 *                                            if (has) taf_still_end()
 *
 * Nobody waits longer than drain.deadline: neither the one that frees for a submit that does not
 * return, and for that one only once, nor a submit for a free.  A thread that ended within its
 * submit or its free is not waited for at all.  Who has others stand still waits for nothing that
 * one of them may have: no claim (work.h), no synchronize of an engine whose own threads submit;
 * beside a clear of an engine others free without waiting for it.  A submit into a capture goes
 * on, since the drain waits for the capture, and so does one in a callback of a runtime, which the
 * queue may wait for.  Where one thread alone submits nobody is waited for; the first time that
 * there is another, submits begin to order their store before their load (is_needed), and whoever
 * gives up then waits a moment for those that have not seen that yet.
 */
#ifndef TAF_STILL_H
#define TAF_STILL_H

#include <stdatomic.h>

#include "flight.h"

struct taf_still {
	_Atomic(uint32_t) holder; /* tid; a futex; 0: nobody gives anything up */
	_Atomic(uint32_t) is_needed; /* 2: and every thread sees it */
	_Atomic(uint32_t) waiters; /* on holder: who ends wakes nobody where nobody sleeps */
};

extern struct taf_still taf_still;

/* Part of every submit. */
#define TAF_STILL_INLINE static inline __attribute__((always_inline))

/* Somebody gives memory up. The thread stands outside meanwhile. */
void taf_still_wait(struct taf_flight *f);

/* True: taf_still_end is due. False as well where all stand still because the process ends. */
bool taf_still_begin(void);
void taf_still_end(void);
/* Whether all others stand still for this thread. */
bool taf_still_is_mine(void);
/* The holder begins, or has ended, a call in which an engine gives memory up: it may want a lock
 * that a thread has which frees, and that one does not wait for it. */
void taf_still_clears(bool does);
/* Whether this thread is in a submit: then a handler of a signal has interrupted it, and whoever
 * has all stand still waits for that to come back. */
bool taf_still_am_inside(void);
/* Whether another thread is in a submit. */
bool taf_still_is_anybody(void);
/* The process ends: who was let in before parks like all others. Over with taf_still_end. */
void taf_still_for_good(void);
void taf_still_forget(void);

TAF_STILL_INLINE void taf_still_enter(struct taf_flight *f, bool is_shared)
{
	if (__builtin_expect(is_shared || atomic_load_explicit(&taf_still.is_needed,
							       memory_order_relaxed),
			     0))
		atomic_fetch_add(&f->inside, 1);
	else
		atomic_store_explicit(&f->inside, 1, memory_order_relaxed);
	if (__builtin_expect(atomic_load(&taf_still.holder) != 0, 0))
		taf_still_wait(f);
}

TAF_STILL_INLINE void taf_still_leave(struct taf_flight *f, bool is_shared)
{
	if (__builtin_expect(is_shared, 0))
		atomic_fetch_sub(&f->inside, 1);
	else
		atomic_store_explicit(&f->inside, 0, memory_order_release);
}

#endif
