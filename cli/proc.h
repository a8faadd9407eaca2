/* SPDX-License-Identifier: MIT */
/* proc.h -- one process, which cannot be mistaken for the next one with its pid.
 *
 *   taf_proc_open(&p, pid, start)    pins it by a pidfd, then compares its start
 *   taf_proc_signal(&p, SIGTERM)     reaches that process or nobody
 *   taf_proc_close(&p)
 */
#ifndef TAF_PROC_H
#define TAF_PROC_H

#include <stdbool.h>
#include <stdint.h>

struct taf_proc {
	int32_t pid;
	uint64_t start; /* ticks */
	int fd; /* pidfd; -1: none */
};

/* 0; -ESRCH: it is gone, or another process now; -errno: its kernel cannot pin one. */
int taf_proc_open(struct taf_proc *p, int32_t pid, uint64_t start);
int taf_proc_signal(const struct taf_proc *p, int signo); /* 0 or -errno */
bool taf_proc_is_alive(const struct taf_proc *p);
/* Until it has ended, at most ms. False: it lives on. */
bool taf_proc_wait(const struct taf_proc *p, int ms);
void taf_proc_close(struct taf_proc *p);
/* Bytes that only this process has (resident or swapped out); 0: unknown. */
uint64_t taf_proc_own_bytes(int32_t pid);

#endif
