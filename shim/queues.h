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
 *   in wait(q, until), where the runtime has a mark that can be handed to a queue
 *     they submit it; taf_queue_stay(q); they look whether it is reached; taf_queue_go(q)
 *
 * claim: 0, or the tid of the thread that is in the runtime with this queue.  A queue
 * that must not be used by two threads at once (Vulkan) is claimed for each call; one
 * that may (OpenCL) by drains alone.  What is dropped waits for the claim, so a drain
 * never waits for a queue that is gone; and a drain passes over one whose claim it does
 * not get in time, or that its own thread is in.  No wait is longer than drain.deadline:
 * a correct program may have work in a queue that waits for what its own thread does
 * next (a user event, a semaphore that the host signals), and that thread may be here.
 *
 * What is destroyed under a drain takes the process down, so that alone waits longer for it,
 * as a machine under load may ask for (TAF_GRIP_MS).
 *
 * A drain that stays is in the queue without the claim, so that the program may go on
 * submitting what the queue waits for.  A mark that was waited for in vain is kept (late):
 * until it is reached nobody waits for that queue again, but at the exit.
 *
 * Where a runtime lets go of a queue before its work is done (OpenCL), a mark is left in
 * it and takes the queue's place (is_retired).
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
	_Atomic(uint32_t) waiters; /* for the claim: who gives it back wakes nobody else */
	_Atomic(uint32_t) refs; /* the program's, where the runtime counts them */
	uint64_t parent; /* the device that it belongs to */
	const void *home; /* who made it */
	uint32_t device; /* its number */
	bool is_unordered; /* its commands may overtake each other */
	_Atomic(bool) is_used; /* something was submitted to it */
	_Atomic(bool) is_going; /* it is about to be dropped */
	_Atomic(uint32_t) users; /* drains that stay */
	_Atomic(uint64_t) late; /* an event or a fence of ours; 0: none */
	_Atomic(bool) is_retired; /* the program has given it up: handle is a mark of ours in it */
};

struct taf_queues {
	_Atomic(int32_t) pid; /* whose they are */
	_Atomic(int) used; /* no entry from here on was ever filled */
	_Atomic(uint32_t) retired; /* entries whose place a mark has */
	struct taf_queue of[TAF_QUEUES];
};

/* The entry of handle; made from like, with one reference, where there is none. NULL:
 * the table is full. Such a queue is used unclaimed, and no drain waits for it. */
struct taf_queue *taf_queue_add(struct taf_queues *t, uint64_t handle,
				const struct taf_queue *like);
struct taf_queue *taf_queue_of(struct taf_queues *t, uint64_t handle);
/* Before it is dropped: lets no drain stay any more, and waits for those that do. */
void taf_queue_going(struct taf_queue *q);
/* Waits for its claim, then forgets it. */
void taf_queue_drop(struct taf_queues *t, struct taf_queue *q);
/* The program gives it up with work in it: what stands for it from now on is a mark of
 * ours, which shows when that is done. Drains wait for it; who sees it reached drops it. */
void taf_queue_retire(struct taf_queues *t, struct taf_queue *q, uint64_t mark);
/* Whether this process has any. */
bool taf_queue_has_retired(struct taf_queues *t);
/* Runs look(q) on those that were retired and that nobody else waits for. */
void taf_queue_each_retired(struct taf_queues *t, void (*look)(struct taf_queue *q));
/* Those of one parent, or all with 0. */
void taf_queue_drop_all(struct taf_queues *t, uint64_t parent);

/* Claims it for a call of the program, from a drain that lasts too long if it must be.
 * NULL: not known, or this thread is in it already. */
struct taf_queue *taf_queue_enter(struct taf_queues *t, uint64_t handle);
void taf_queue_leave(struct taf_queue *q); /* NULL: nothing to do */
/* The same for all queues of a parent, with 0 of everyone. */
void taf_queue_enter_all(struct taf_queues *t, uint64_t parent);
void taf_queue_leave_all(struct taf_queues *t, uint64_t parent);

/* When a wait that begins now must end. */
uint64_t taf_queue_until(void);
/* Gives the claim back and stays. False: the queue is going. */
bool taf_queue_stay(struct taf_queue *q);
void taf_queue_go(struct taf_queue *q);

/* Runs wait(q, until) on each queue that was used and can be claimed, and gives 0, the last
 * error, or -ETIMEDOUT where one could not be claimed. */
int taf_queue_each(struct taf_queues *t, int (*wait)(struct taf_queue *q, uint64_t until));

#endif
