/* SPDX-License-Identifier: MIT */
/* patience.h -- asks again until it is time to give up.
 *
 *   struct taf_patience p = { taf_sys_mono_ns(), until };
 *   while (not done)
 *           if (!taf_has_time(&p))
 *                   return -ETIMEDOUT;
 *
 * Most waits are over at once, so it asks without a pause at first; then with naps that
 * grow with what was waited for already. */
#ifndef TAF_PATIENCE_H
#define TAF_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

#define TAF_SPIN_NS 100000u
#define TAF_NAP_LEAST_US 50u
#define TAF_NAP_MOST_US 1000u

struct taf_patience {
	uint64_t began, until; /* taf_sys_mono_ns */
};

/* False: it is time to give up. */
static inline bool taf_has_time(const struct taf_patience *p)
{
	uint64_t now = taf_sys_mono_ns(), us = (now - p->began) / 8000;

	if (now >= p->until)
		return false;
	if (now - p->began > TAF_SPIN_NS)
		taf_sys_sleep_us(us < TAF_NAP_LEAST_US	? TAF_NAP_LEAST_US
				 : us > TAF_NAP_MOST_US ? TAF_NAP_MOST_US
							: (uint32_t)us);
	return true;
}

/* The same where another thread of this process is waited for, in waits for something to
 * happen.  Of each no more counts than it was meant to last: a machine or a process that stood
 * still did so for both threads, and the other one gets the time that is left.
 *
 *   struct taf_slices s = { .left_ns = ms * 1000000 };
 *   while (not done)
 *           if (!(slice_ms = taf_next_slice(&s, most_ms)))
 *                   return -ETIMEDOUT;
 *           else
 *                   taf_sys_wait(word, seen, slice_ms); */
struct taf_slices {
	uint64_t left_ns;
	uint64_t at_ns, slice_ns; /* when the latest one began, and what it was meant to last */
};

/* How long the next wait lasts at most; 0: it is time to give up. */
static inline uint32_t taf_next_slice(struct taf_slices *s, uint32_t most_ms)
{
	uint64_t now = taf_sys_mono_ns(), most_ns = (uint64_t)most_ms * 1000000;
	uint64_t took = now - s->at_ns < s->slice_ns ? now - s->at_ns : s->slice_ns;

	s->left_ns -= took;
	s->at_ns = now;
	s->slice_ns = s->left_ns < most_ns ? s->left_ns : most_ns;
	return (uint32_t)((s->slice_ns + 999999) / 1000000);
}

#endif
