/* SPDX-License-Identifier: MIT */
/* oom.h -- an allocation of theirs failed for lack of memory: make room, let it be tried again.
 *
 *   r = their function;
 *   for (n = 0; it is out of memory && taf_oom_again(&call, n); n++)
 *           r = their function, with the same arguments;
 *
 * memory.oom_retries times at most.  Room is made by a drain: contexts whose
 * thread is in the engine, this one included, are left alone, so what computes
 * now is never waited for.  What the program gets in the end is what their
 * function gave last, with the error that it left; a runtime that keeps the
 * error of an attempt that was made good must take it back in its own wrapper.
 */
#ifndef TAF_OOM_H
#define TAF_OOM_H

#include "gate.h"

/* tries: how often it was tried again so far. False: that was all. */
bool taf_oom_again(const struct taf_call *c, uint32_t tries);

#endif
