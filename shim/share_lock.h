/* SPDX-License-Identifier: MIT */
/* share_lock.h -- the two locks round the shared state: threads of this
 * process by a futex, processes by flock on a file that nobody ever replaces.
 * Neither is waited for without an end; nothing here allocates. */
#ifndef TAF_SHARE_LOCK_H
#define TAF_SHARE_LOCK_H

#include "sys.h"

struct taf_threads {
	_Atomic(uint32_t) lock; /* 0 free, 1 taken, 2 and somebody waits */
	_Atomic(int32_t) owner; /* its thread; 0: none */
};

/* False after ms milliseconds, and at once where the thread has it already. */
bool taf_threads_grab(struct taf_threads *t, uint32_t ms);
/* Takes it from a thread that does not come back. */
void taf_threads_seize(struct taf_threads *t);
void taf_threads_release(struct taf_threads *t);
bool taf_threads_is_mine(const struct taf_threads *t);

struct taf_processes {
	struct taf_stat at; /* of the descriptor */
	uint64_t quiet_until_ns; /* after a time-out it is waited for a tenth as long */
	int fd; /* -1: not held */
};

/* Takes the lock on the file at path, which is made when it is missing. 0 or -errno:
 * -ETIMEDOUT after ms milliseconds, -ENOLCK or -EOPNOTSUPP where there are no locks. */
int taf_processes_lock(struct taf_processes *p, const char *path, uint32_t ms);
void taf_processes_unlock(struct taf_processes *p);
/* In a fork child: closes its copy and leaves the parent's lock locked. */
void taf_processes_forget(struct taf_processes *p);

#endif
