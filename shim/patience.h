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

#endif
