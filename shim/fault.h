/* SPDX-License-Identifier: MIT */
/* fault.h -- a runtime's function gave an error: what it means, once a second.
 *
 * policy/faults.def knows the numbers that say something about the device or its
 * memory; all others are answers to the program and nobody else's business.  The
 * crumb names class and call, how much is in flight, and the last calls of this
 * thread by its ring.
 */
#ifndef TAF_FAULT_H
#define TAF_FAULT_H

#include "gate.h"

/* After their function, in the wrapper, with what it returned. */
void taf_fault_seen(const struct taf_call *c, int64_t rc);

#endif
