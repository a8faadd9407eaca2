/* SPDX-License-Identifier: MIT */
/* guest_stall.h -- tells a script that the machine stood still under its guest.
 *
 * Where GUEST_QUICK_MS is set, a step may take that long at most, unless it is a pause: what
 * is shorter than the silence that ends a generation ends none.  A guest that was kept longer
 * ends with status 98, and its script starts it again: what it shows is another story. */
#ifndef GUEST_STALL_H
#define GUEST_STALL_H

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Behind each step, and once before the first as behind a pause. */
static inline void guest_quick(int is_pause)
{
	static struct timespec last;
	const char *most = getenv("GUEST_QUICK_MS");
	struct timespec now;

	if (!most)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!is_pause &&
	    (now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000 > atol(most))
		_exit(98);
	last = now;
}

#endif
