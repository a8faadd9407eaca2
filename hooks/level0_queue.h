/* SPDX-License-Identifier: MIT */
/* level0_queue.h -- which queues and immediate lists of Level Zero there are, and what
 * waits for them.
 *
 * Level Zero has no call that waits for a whole context, so what a drain waits for is
 * kept here: all queues and immediate lists between their making and their end.  A
 * wait of ours goes in slices; who destroys a queue waits for the end of the slice,
 * however long it takes, so that no handle is used after its end (shim/grip.h).
 *
 * Reading takes no lock.  What finds no room is not known: then a wait for all is
 * never complete, and says so.  A fork child begins with none.
 */
#ifndef TAF_LEVEL0_QUEUE_H
#define TAF_LEVEL0_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../shim/grip.h"

struct taf_ze_queue {
	_Atomic(uintptr_t) handle; /* 0: never used; 1: its queue is gone */
	struct taf_grip grip; /* of a wait of our own */
	_Atomic(uint64_t) submits;
	bool is_list; /* an immediate one */
	bool is_in_order, is_synchronous;
};

/* A queue was made: where it is kept, or NULL. What it is like is the caller's to write. */
struct taf_ze_queue *taf_ze_queue_add(const void *handle, const struct taf_ze_queue *like);
struct taf_ze_queue *taf_ze_queue_of(const void *handle);
/* Before its end: nothing of ours waits for it any more. False: it must not be destroyed. */
bool taf_ze_queue_drop(const void *handle);
/* The i-th place; NULL past the last. */
struct taf_ze_queue *taf_ze_queue_at(uint32_t i);
/* Its handle, held so that the queue stays. 0: there is none; or *err, when another wait
 * was in it till the time until. */
uintptr_t taf_ze_queue_hold(struct taf_ze_queue *q, uint64_t until, int *err);
void taf_ze_queue_let(struct taf_ze_queue *q);
bool taf_ze_queues_missed(void);

#endif
