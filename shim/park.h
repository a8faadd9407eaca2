/* SPDX-License-Identifier: MIT */
/* park.h -- threads stand while another one leaves (exit.h).
 *
 * Whoever is about to hand more work to a device stands before that:
 *
 *   until the leaver has drained            first draining what is its own (owner.h)
 *   a moment longer                         the process ends now; once, it may be waited for
 *   beside an exec                          until that has failed or not
 *   once another thread closes the log      until the process has ended
 *   once a signal was taken                 who leaves otherwise, for that
 *
 * None stands longer than exit.deadline for each of these, nor for more than a few that leave
 * one after the other.  Nobody stands for whom the leaver waits as it is: within a capture,
 * before whose end nothing may be synchronized, in a callback, in a handler of a signal that
 * has interrupted a submit, and longer than one look where an engine synchronizes that may need
 * this thread.
 */
#ifndef TAF_PARK_H
#define TAF_PARK_H

#include "life.h"

/* What exit.c says of who leaves. */
struct taf_park {
	_Atomic(uint64_t) until_ns; /* for him; before the state is TAF_LEAVING */
	_Atomic(uint64_t) end_by_ns; /* when who closes the log has ended the process; or 0 */
	_Atomic(uint32_t) closer; /* tid of who closes the log and ends the process; or 0 */
	_Atomic(bool) is_exec; /* the leaver means to become another program */
	_Atomic(int) signo; /* taken from the program, and will end it; 0: none */
	bool sees_end; /* the last handler is ours; written before main */
};
extern struct taf_park taf_park;

/* What begins now is given one exit.deadline. */
static inline uint64_t taf_park_deadline_ns(void)
{
	return taf_sys_mono_ns() + (uint64_t)taf_rules.exit_deadline_ms * 1000000;
}

/* Another thread leaves: this one stops before it hands more work to the device, until the
 * drain is done and a moment longer. */
void taf_park_to_submit(void);
/* A free while another thread means to become another program: waits until this process is no
 * more, or goes on; not where that thread waits for this one. */
void taf_park_to_free(void);
/* This one is about to become another program, and has drained: where the log is closed, until
 * who has closed it has ended the process. */
void taf_park_to_exec(void);
/* This one leaves as well: until the other one has drained; by_exec: and, where he means to
 * become another program, until that has failed or not. */
void taf_park_to_leave(bool by_exec);
/* Whether others wait for what this thread is in: a call of ours or of the engine, a callback, a
 * submit that the handler which runs here has interrupted. */
bool taf_park_is_awaited(void);
/* Without us the program would be dead by taf_park.signo, and this thread is about to end it
 * otherwise: until who acts on signals leaves, and then until he has ended the process. */
void taf_park_to_be_led(void);
void taf_park_to_die(void);
/* Another thread closes the log, and ends the process with the status that it has written: in
 * all it is given one exit.deadline for that. Comes back earlier where that one has found that
 * the process goes on. */
void taf_park_to_end(void);
/* That time is over. */
bool taf_park_is_overdue(void);

#endif
