/* SPDX-License-Identifier: MIT */
/* serial.h -- drain.serialize: one generation at a time in this process.
 *
 * Its owner has the engine until the generation ends: by the program's own sign, or
 * by drain.idle_ms of silence, which whoever waits finds out.  So two threads that
 * wait for each other go on after that silence.  The wait is bounded by
 * lock.max_wait; then the generation is let in beside the other, and a crumb says so.
 */
#ifndef TAF_SERIAL_H
#define TAF_SERIAL_H

#include "work.h"

/* A generation on w begins: waits for its turn. Under the claim of w. */
void taf_serial_enter(struct taf_work *w);
/* It has ended. */
void taf_serial_leave(const struct taf_work *w);
void taf_serial_forget(void); /* a fork child */

#endif
