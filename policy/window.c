/* SPDX-License-Identifier: MIT */
#include "window.h"

#define SLOW_MS 1000u
#define STUCK_MS 10000u

uint32_t taf_window_next(uint32_t window, uint32_t most, uint64_t took_ms)
{
	if (took_ms >= STUCK_MS || !window)
		return 1;
	if (took_ms >= SLOW_MS)
		return window > 1 ? window / 2 : 1;
	return window > most / 2 ? most : window * 2;
}
