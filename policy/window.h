/* SPDX-License-Identifier: MIT */
/* window.h -- how many submits may go out before the next synchronize, when
 * drain.window is adaptive.
 *
 * A window of one at first; after a synchronize that took less than a second it
 * doubles, up to drain.every_submits; from one second on it is halved, from ten
 * seconds on it is one again.  The recipe is nvshare's (hook.c of 1a8f211), whose
 * upper bound is 2048. */
#ifndef TAF_WINDOW_H
#define TAF_WINDOW_H

#include <stdint.h>

uint32_t taf_window_next(uint32_t window, uint32_t most, uint64_t took_ms);

#endif
