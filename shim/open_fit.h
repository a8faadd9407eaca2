/* SPDX-License-Identifier: MIT */
/* open_fit.h -- weights that are opened by an engine without a load entry.
 *
 * Where an engine has a call that loads, that call is judged and opens are not.
 * Without one in the process, a program that has begun to use a device and
 * opens weights for reading is about to load them: the rule about memory is
 * asked there, once a load (open_seen.h), and where it refuses the open finds
 * no memory.  A process that uses no device (a copy, a checksum) is never
 * asked, a file that is written neither.  Inside an open nobody waits: "wait"
 * warns.  The further opens of a set cost one stat.
 */
#ifndef TAF_OPEN_FIT_H
#define TAF_OPEN_FIT_H

#include <stdbool.h>

/* name: the function that opens. False: the open is refused. errno stays. */
bool taf_open_fits(const char *path, const char *name);

#endif
