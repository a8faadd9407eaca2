/* SPDX-License-Identifier: MIT */
/* flight.h -- submissions in flight: handed to a queue and not seen to be done.
 *
 * One up at a submit, down to what had been submitted before when a wait, a query
 * or an event of the program shows that it is done.  A queue is a stream, a
 * command queue, a VkQueue; handles are compared, never used.  Each thread counts
 * what it submitted itself, so that two threads share no cache line; who waits
 * writes to the counts of all.
 *
 *   queue 0, 1, 2    the device's default streams: with the number of the device;
 *                    2, the thread's own, in this thread alone
 *
 * A thread that has work in flight in more than TAF_FLIGHT_QUEUES queues counts the
 * rest together: only a wait for the whole device shows that they are done.  So it is
 * with what was in a queue that is destroyed.
 */
#ifndef TAF_FLIGHT_H
#define TAF_FLIGHT_H

#include <stdatomic.h>

#include "life.h"
#include "live.h"

#define TAF_FLIGHT_QUEUES 7
#define TAF_FLIGHT_LANES 33 /* as many as the ring has, and one for threads without */

struct taf_flight_queue {
	_Atomic(uint64_t) key; /* 0: free */
	_Atomic(uint64_t) submits; /* by the thread that has the lane */
	_Atomic(uint64_t) done; /* of those, by whoever saw it */
	_Atomic(uint64_t) copies; /* of those: no work of their own */
	_Atomic(uint64_t) run_from,
		run_to; /* the latest row of them: what follows from, up to to */
	_Atomic(uint32_t)
		device; /* current when the place was taken; the last place: + 1, or MIXED */
	_Atomic(uint32_t) undone; /* submits that failed and gave their number back */
};

struct taf_flight {
	/* Two threads share no cache line. */
	_Alignas(64) _Atomic(uint32_t) inside; /* submits that are in their function: still.h */
	_Atomic(uint32_t) tid; /* whose lane it is; 0: of several */
	struct taf_flight_queue of[TAF_FLIGHT_QUEUES + 1]; /* the last one: all others */
};

extern struct taf_flight taf_flights[TAF_FLIGHT_LANES];

/* In rows: a wait for all queues. */
#define TAF_EVERY_QUEUE UINT64_MAX

static inline uint64_t taf_flight_low(uint64_t queue)
{
	return (queue ^ queue >> 48) & 0xffffffffffffull;
}

/* api in the top byte, device in the next, and the handle's lower 48 bits: user
 * addresses have no more on x86-64 and aarch64, and other handles are folded. */
static inline uint64_t taf_flight_key(enum taf_api api, uint64_t queue, uint32_t device)
{
	uint64_t low = taf_flight_low(queue);

	return (uint64_t)api << 56 | (queue <= 2 ? (uint64_t)(device & 0x3f) << 48 : 0) | low;
}

/* The handle of a thread's own default stream. */
#define TAF_OWN_QUEUE 2

/* How many lanes were used so far: the first ones. */
int taf_flight_lanes(void);
/* The thread's lane, and the long way: the first submit of a thread to this queue. */
struct taf_flight *taf_flight_lane(void);
struct taf_flight_queue *taf_flight_find(struct taf_flight *f, uint64_t key);

/* One writer a lane, but for the last one, which threads beyond share. */
static inline __attribute__((always_inline)) struct taf_flight_queue *
taf_flight_submit(struct taf_flight *f, uint64_t key, bool is_shared)
{
	struct taf_flight_queue *q = &f->of[0];

	if (__builtin_expect(atomic_load_explicit(&q->key, memory_order_relaxed) != key, 0))
		q = taf_flight_find(f, key);
	if (__builtin_expect(is_shared, 0))
		atomic_fetch_add_explicit(&q->submits, 1, memory_order_release);
	else
		atomic_store_explicit(&q->submits,
				      atomic_load_explicit(&q->submits, memory_order_relaxed) + 1,
				      memory_order_release);
	return q;
}

/* What a wait that begins now may show of that queue to be done: of a thread that is
 * within a submit, the latest one may still be to reach the device. One that failed
 * between the two looks is inside no more, and its number is the next one's. */
static inline uint64_t taf_flight_shown(const struct taf_flight *f,
					const struct taf_flight_queue *q)
{
	uint32_t undone = atomic_load_explicit(&q->undone, memory_order_acquire);
	uint64_t n = atomic_load_explicit(&q->submits, memory_order_acquire);
	uint32_t inside = atomic_load_explicit(&f->inside, memory_order_acquire);

	if (inside && f == taf_tls.flight && taf_tls.is_submitting)
		inside--;
	inside += atomic_load_explicit(&q->undone, memory_order_relaxed) - undone;
	return n > inside ? n - inside : 0;
}

/* That submit has failed. Before taf_still_leave: what a wait may show it never shows.
 * False: it counts all the same, since it was seen to be done. */
bool taf_flight_undo(struct taf_flight_queue *q);
/* This thread's latest submit there was a copy and has succeeded. Not in a lane that threads
 * share: what is the latest one there nobody can say. */
void taf_flight_copied(struct taf_flight_queue *q);

/* Before a wait: how far each queue had come, to be given to taf_flight_done when the
 * wait has succeeded.  The lower halves: nothing is 2 billion submits behind. */
struct taf_flight_mark {
	uint64_t key;
	int lanes;
	uint32_t submits[TAF_FLIGHT_LANES][TAF_FLIGHT_QUEUES + 1];
};
void taf_flight_seen(struct taf_flight_mark *m, uint64_t key);
void taf_flight_done(const struct taf_flight_mark *m);
/* Keys of waits: for every queue of the API, and for those of one device. */
#define TAF_FLIGHT_EVERY(api) ((uint64_t)(api) << 56 | 1ull << 55)
#define TAF_FLIGHT_DEVICE(api, device) \
	((uint64_t)(api) << 56 | 1ull << 54 | (uint64_t)((device)&0x3f) << 48)

/* What an api has in flight; TAF_API_NONE: all. */
struct taf_flight_sum {
	uint64_t submits, in_flight; /* so far; of those not seen to be done */
	uint64_t launches; /* so far: submits that are no copies */
	uint64_t oldest; /* number, in its thread and queue, of the first one not done; 0: none */
	uint64_t queue; /* of that, as far as the key keeps it */
	bool is_working; /* a launch is in flight, or may be: not only copies that came after */
};
void taf_flight_sum(enum taf_api api, struct taf_flight_sum *out);
/* How much was submitted to this queue, or may have been, that is not known to be done. */
uint64_t taf_flight_in(uint64_t key);
/* Whether all that was submitted to this queue is known to be done. */
bool taf_flight_is_idle(uint64_t key);
/* A queue is destroyed: its handle may come back as another one's, and what is in
 * flight there is done when the whole device is.  With the key of every queue, or of
 * a device: it was reset, and nothing is in flight any more. */
void taf_flight_drop(uint64_t key);
/* The same for a queue that may yet be refused to go: then it stays what it was.  is_behind:
 * the device's default stream waits for it. */
struct taf_flight_going {
	uint64_t key, was; /* of what is left of it, and its own */
	uint8_t places[TAF_FLIGHT_LANES]; /* a bit each */
};
void taf_flight_going(uint64_t key, bool is_behind, struct taf_flight_going *out);
void taf_flight_stays(const struct taf_flight_going *g);

/* Whether a has work in flight that was submitted while that device was current. */
bool taf_flight_is_on(enum taf_api a, uint32_t device);

/* Where an API has work in flight other than in the queues that is_known knows; low: of
 * a handle, as keys keep it. */
struct taf_flight_rest {
	bool is_own; /* in this thread's own default stream */
	bool is_behind; /* in what the device's default stream waits for: other threads' own
			   ones, and queues that were dropped */
	bool is_unseen; /* anywhere else */
};
void taf_flight_rest(enum taf_api api, bool (*is_known)(uint64_t low), struct taf_flight_rest *out);
void taf_flight_forget(void);

#endif
