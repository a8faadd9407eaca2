/* SPDX-License-Identifier: MIT */
/* holding.h -- what a process has of a GPU runtime, as members of a crumb.
 *
 *   pieces      live allocations of device and managed memory
 *   peak_bytes  most bytes of them at once, of each device, added up
 *   largest     the biggest of them so far, in bytes
 *   managed     live bytes of managed memory
 *   pinned      live bytes on the host that the device can reach
 *   graphs      executable graphs
 *   pool_slack  bytes that the runtime's pools keep and nobody uses
 *   in_flight   submits that are not known to be done
 *   captures    streams that are being captured
 *   waited_ms   from the last submit of the generation to the end of the program's own
 *               wait for it; absent, and not only 0, where it has not waited
 *   missed      allocations that could not be counted: the rest is a lower bound
 *
 * Any other member that is 0 is left out.  The note about one device, of the class "device", has
 * its number as `device` and the live bytes as `bytes`. */
#ifndef TAF_HOLDING_H
#define TAF_HOLDING_H

#include "work.h"

struct taf_text;

/* The process leaves: a note for each device that it had memory of. */
void taf_holding_leave(void);
/* On a thread that may call the runtime. */
void taf_holding_put(const struct taf_work *w, struct taf_text *t);

#endif
