/* SPDX-License-Identifier: MIT */
/* clock.h -- the clock by which the command waits: milliseconds of CLOCK_MONOTONIC. */
#ifndef TAF_CLOCK_H
#define TAF_CLOCK_H

#include "../shim/sys.h"

static inline uint64_t taf_clock_ms(void)
{
	return taf_sys_mono_ns() / 1000000;
}

#endif
