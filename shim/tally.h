/* SPDX-License-Identifier: MIT */
/* tally.h -- how often it happened, of what is written down only now and then.
 *
 * A runtime that is lost gives the same error a thousand times, and a limit refuses in a
 * loop: the log gets one record a second of it, the ring's head the number of times.
 * Who leaves in order has no ring afterwards, so a note of the class "count" says it:
 *
 *   {"ev":"note","class":"count","engine":"cuda","rc":719,"counts":"error","times":10}
 *   {"ev":"note","class":"count","rule":"memory.limit","counts":"refuse","times":7}
 *
 * What happened once has its own record and no note.
 */
#ifndef TAF_TALLY_H
#define TAF_TALLY_H

#include "../policy/fault.h"

/* One more failure of a runtime's function that gave rc. Tables of one API count together. */
void taf_tally_fault(enum taf_kind kind, enum taf_api api, int64_t rc);
/* One more time that a rule refused an allocation, warned of it (NOTE) or would have refused. */
void taf_tally_rule(enum taf_kind kind, int rule);
/* The process leaves. */
void taf_tally_leave(void);
void taf_tally_forget(void); /* a fork child has counted nothing */

#endif
