/* SPDX-License-Identifier: MIT */
/* flight_point.h -- a place in a queue, and that the device has passed it.
 *
 *   taf_flight_point(&p, key)       before their query of a queue
 *   taf_flight_passed(&p)           it said that the queue is done
 *
 *   taf_flight_point(&p, key)           before their record of an event
 *   taf_event_recorded(api, event, &p)  it has succeeded
 *   taf_event_record(api, event, key)   the same where nobody else submits to that queue
 *   turn = taf_event_turn(api, event)   before their wait for it, or a query
 *   taf_event_passed(api, event, turn)  it has succeeded
 *   taf_event_reached(api, event)       the same for what is not recorded anew meanwhile
 *   taf_event_forget(api, event)        before it is destroyed
 *
 * A stream that waits for an event on the device (cudaStreamWaitEvent) is not followed:
 * when it is done, what came before the event in the other stream is done as well, and
 * still counts as in flight.  That costs a drain which finds nothing to wait for.  To
 * follow it wrongly, across captures, events that are recorded anew by another thread
 * and streams of other devices, would cost the drain where there is something.
 *
 * A point is how far each thread had come in this queue, and in which place it counted
 * that; what was submitted before it then counts as done (flight.h).  A place goes to
 * another queue when all that was counted there is done, so what an old point says of it
 * is nothing new; a queue that comes back in another place is not the one that was meant.
 * Events are kept in a table without a lock: of
 * two with the same place in it the later one is known, and of two threads at one
 * place the second one goes on without it.  Less is then seen to be done, never more.
 */
#ifndef TAF_FLIGHT_POINT_H
#define TAF_FLIGHT_POINT_H

#include "flight.h"

struct taf_flight_point {
	uint64_t key;
	int lanes; /* 0: nothing was in flight there */
	uint8_t place[TAF_FLIGHT_LANES]; /* + 1; 0: not of this lane */
	uint64_t submits[TAF_FLIGHT_LANES];
};

void taf_flight_point(struct taf_flight_point *p, uint64_t key);
/* True when something was in flight that now counts as done. */
bool taf_flight_passed(const struct taf_flight_point *p);

void taf_event_recorded(enum taf_api api, uint64_t event, const struct taf_flight_point *at);
void taf_event_record(enum taf_api api, uint64_t event, uint64_t key);
/* Which record of it is known now; 0: none. */
uint32_t taf_event_turn(enum taf_api api, uint64_t event);
/* Another thread may have recorded it anew while theirs looked: that is not shown. */
bool taf_event_passed(enum taf_api api, uint64_t event, uint32_t turn);
bool taf_event_reached(enum taf_api api, uint64_t event);
void taf_event_forget(enum taf_api api, uint64_t event);
/* A fork child has none. */
void taf_events_forget(void);

#endif
