/* SPDX-License-Identifier: MIT */
/* lock_threads.h -- lock.hold = inference: the threads of this process that compute.
 *
 * The slot is given back when the last of them is done.  One that leaves the
 * engine by an exception or a jump never says so, and goes on living; it is
 * dropped by the first of these that comes:
 *
 *   its next watched call, which comes from an outer frame (gate.c)
 *   somebody takes, or frees, the context that it computed on (work.c)
 *   somebody finds it asleep with its stack above the call that it was in:
 *   that is looked at when others wait, and when it takes longer than a turn
 *
 * Under the door of lockfile.c.
 */
#ifndef TAF_LOCK_THREADS_H
#define TAF_LOCK_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#define TAF_LOCK_THREADS 128 /* as many as there are contexts (work.h) */

struct taf_lock_thread {
	int32_t tid; /* 0: free entry */
	uint64_t since_ms;
	uintptr_t frame; /* of the call that it is in; 0 unknown */
};

struct taf_lock_threads {
	struct taf_lock_thread at[TAF_LOCK_THREADS];
};

/* This thread computes, in the outermost call that it is counted in. */
void taf_lock_threads_add(struct taf_lock_threads *all, uint64_t now_ms);
void taf_lock_threads_drop(struct taf_lock_threads *all, int32_t tid);
bool taf_lock_threads_has(const struct taf_lock_threads *all, int32_t tid);
/* Drops those that ended, and of those that began before before_ms the ones that have
 * left their call. True: nobody computes any more. */
bool taf_lock_threads_weed(struct taf_lock_threads *all, uint64_t before_ms);

#endif
