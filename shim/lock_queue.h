/* SPDX-License-Identifier: MIT */
/* lock_queue.h -- who waits for the GPU lock, first come, first served.
 *
 * One small file, read and written as a whole under the guard; one entry a run.
 * A waiter says at least each second that it is there still.  One that was
 * killed goes at once where its process can be seen, and one that is stopped,
 * or lives in another pid namespace, after TAF_LOCK_STALE_MS.  It is rewritten
 * empty when the last one leaves.  A file that is damaged is an empty one: who
 * waits enters again.
 */
#ifndef TAF_LOCK_QUEUE_H
#define TAF_LOCK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define TAF_LOCK_WAITERS 32
#define TAF_LOCK_STALE_MS 3000u

struct taf_lock_waiter {
	char run[24]; /* "": no entry */
	int32_t pid;
	uint32_t zero;
	uint64_t start, pid_ns;
	uint64_t since_ms, seen_ms; /* CLOCK_BOOTTIME: entered, and said so again */
	uint64_t ticket; /* the lowest is next */
};

struct taf_lock_queue {
	uint64_t magic, boot;
	struct taf_lock_waiter at[TAF_LOCK_WAITERS];
};

/* Reads what fd has, without entries of other boots and of those who are gone. */
void taf_lock_queue_read(int fd, uint64_t now_ms, struct taf_lock_queue *q);
/* 0 or -errno. */
int taf_lock_queue_write(int fd, struct taf_lock_queue *q);
/* Puts me at the end, or notes that me still is there. False: there is no room. */
bool taf_lock_queue_enter(struct taf_lock_queue *q, const struct taf_lock_waiter *me);
void taf_lock_queue_leave(struct taf_lock_queue *q, const char *run);
/* The waiter whose turn is before that of run; NULL: it is run's turn. */
const struct taf_lock_waiter *taf_lock_queue_before(const struct taf_lock_queue *q,
						    const char *run);

#endif
