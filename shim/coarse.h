/* SPDX-License-Identifier: MIT */
/* coarse.h -- the coarse clock, which every call of the narrow door reads.
 *
 * It is the kernel's own function in the page that it maps into each process: the way
 * there through libc costs half as much again.  libc's is used where there is no such page
 * (valgrind), or the loader does not list it.  Before the process becomes active nobody asks. */
#ifndef TAF_COARSE_H
#define TAF_COARSE_H

#include <stdint.h>
#include <time.h>

/* As clock_gettime; NULL until it is written, while WAKING. */
extern int (*taf_coarse_fn)(clockid_t which, struct timespec *t);
void taf_coarse_find(void);

/* CLOCK_MONOTONIC as it was at its latest tick, at most 10 ms ago. */
struct taf_coarse {
	uint64_t ns;
	uint32_t tick; /* tells a tick from those of the next seconds */
};

static inline __attribute__((always_inline)) struct taf_coarse taf_coarse_now(void)
{
	struct timespec t;

	taf_coarse_fn(CLOCK_MONOTONIC_COARSE, &t);
	return (struct taf_coarse){ (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec,
				    (uint32_t)t.tv_nsec ^ (uint32_t)t.tv_sec << 30 };
}

#endif
