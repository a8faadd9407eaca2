/* SPDX-License-Identifier: MIT */
/* queues.h -- the command queues of a runtime that are alive, and who is in each.
 *
 *   the program                          a drain, on any thread
 *     taf_queue_add      it got one
 *     q = taf_queue_enter(...)             taf_queue_each(..., wait, ...)
 *     r = their function                     claims one, waits for it, gives it back
 *     taf_queue_leave(q)
 *     taf_queue_drop     before it goes
 *
 * claim: 0, or the tid of the thread that is in the runtime with this queue.  A queue
 * that must not be used by two threads at once (Vulkan) is claimed for each call; one
 * that may (OpenCL) by drains alone.  What is dropped waits for the claim, so a drain
 * never waits for a queue that is gone; and a drain passes over one whose claim it does
 * not get in time, or that its own thread is in.  No wait is longer than drain.deadline.
 *
 * A fork child has none: the first look at the table by another process empties it.
 */
#ifndef TAF_QUEUES_H
#define TAF_QUEUES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TAF_QUEUES 64

struct taf_queue {
	_Atomic(uint64_t) handle; /* 0: free entry */
	_Atomic(uint32_t) claim;
	_Atomic(uint32_t) refs; /* the program's, where the runtime counts them */
	uint64_t parent; /* the device that it belongs to */
	const void *home; /* who made it */
	uint32_t device; /* its number */
	bool is_unordered; /* its commands may overtake each other */
	_Atomic(bool) is_used; /* something was submitted to it */
};

struct taf_queues {
	_Atomic(int32_t) pid; /* whose they are */
	_Atomic(int) used; /* no entry from here on was ever filled */
	struct taf_queue of[TAF_QUEUES];
};

/* The entry of handle; made from like, with one reference, where there is none. NULL:
 * the table is full. Such a queue is used unclaimed, and no drain waits for it. */
struct taf_queue *taf_queue_add(struct taf_queues *t, uint64_t handle,
				const struct taf_queue *like);
struct taf_queue *taf_queue_of(struct taf_queues *t, uint64_t handle);
/* Waits for its claim, then forgets it. */
void taf_queue_drop(struct taf_queue *q);
/* Those of one parent, or all with 0. */
void taf_queue_drop_all(struct taf_queues *t, uint64_t parent);

/* Claims it for a call of the program, from a drain that lasts too long if it must be.
 * NULL: not known, or this thread is in it already. */
struct taf_queue *taf_queue_enter(struct taf_queues *t, uint64_t handle);
void taf_queue_leave(struct taf_queue *q); /* NULL: nothing to do */
/* The same for all queues of a parent, with 0 of everyone. */
void taf_queue_enter_all(struct taf_queues *t, uint64_t parent);
void taf_queue_leave_all(struct taf_queues *t, uint64_t parent);

/* Runs wait(q) on each queue that was used and can be claimed, and gives 0, the last
 * error, or -ETIMEDOUT where one could not be claimed. */
int taf_queue_each(struct taf_queues *t, int (*wait)(struct taf_queue *q));

#endif
