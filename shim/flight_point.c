/* SPDX-License-Identifier: MIT */
#include "flight_point.h"

#include "life.h"

#define EVENTS 256u /* places; a power of two */

struct event {
	_Atomic(uint32_t) is_busy;
	_Atomic(uint64_t) of; /* api and handle; 0: free */
	/* Written under is_busy, as what comes after it. */
	_Atomic(uint32_t) turn; /* records so far at this place, never 0 after the first */
	struct taf_flight_point point;
};

static struct event events[EVENTS];

/* The thread's own default stream is another one in each thread. */
static bool is_of(const struct taf_flight *f, uint64_t key)
{
	return (key & 0xffffffffffffull) != TAF_OWN_QUEUE || f == taf_tls.flight;
}

/* The first place with that key: threads that share a lane count there. */
static int place_in(const struct taf_flight *f, uint64_t key)
{
	for (int i = 0; i < TAF_FLIGHT_QUEUES && is_of(f, key); i++)
		if (atomic_load_explicit(&f->of[i].key, memory_order_relaxed) == key)
			return i;
	return -1;
}

void taf_flight_point(struct taf_flight_point *p, uint64_t key)
{
	p->key = key;
	p->lanes = taf_tls.flight ? taf_flight_lanes() : 0;
	for (int l = 0; l < p->lanes; l++) {
		const struct taf_flight *f = &taf_flights[l];
		int i = place_in(f, key);

		p->place[l] = (uint8_t)(i + 1);
		p->submits[l] = i < 0 ? 0 : taf_flight_shown(f, &f->of[i]);
	}
}

/* Never beyond what was submitted: one that failed may have been seen, and a fork child
 * counts from 0. */
static bool raise(struct taf_flight_queue *q, uint64_t n)
{
	uint64_t seen = atomic_load_explicit(&q->done, memory_order_relaxed);

	while (seen < n && n <= atomic_load(&q->submits))
		if (atomic_compare_exchange_weak(&q->done, &seen, n))
			return true;
	return false;
}

bool taf_flight_passed(const struct taf_flight_point *p)
{
	bool is_more = false;

	for (int l = 0; l < p->lanes; l++) {
		struct taf_flight_queue *q;

		if (!p->place[l])
			continue;
		q = &taf_flights[l].of[p->place[l] - 1];
		if (atomic_load_explicit(&q->key, memory_order_relaxed) == p->key)
			is_more |= raise(q, p->submits[l]);
	}
	return is_more;
}

static uint64_t name_of(enum taf_api api, uint64_t event)
{
	return (uint64_t)api << 56 ^ event;
}

static struct event *place_of(uint64_t of)
{
	return &events[(of * 0x9e3779b97f4a7c15ull >> 40) & (EVENTS - 1)];
}

/* Its place, taken; NULL: another thread is there. */
static struct event *take(uint64_t of)
{
	struct event *e = place_of(of);

	return atomic_exchange_explicit(&e->is_busy, 1, memory_order_acquire) ? NULL : e;
}

static void leave(struct event *e)
{
	atomic_store_explicit(&e->is_busy, 0, memory_order_release);
}

void taf_event_recorded(enum taf_api api, uint64_t event, const struct taf_flight_point *at)
{
	uint64_t of = name_of(api, event);
	struct event *e = event ? take(of) : NULL;
	uint32_t turn;

	if (!e)
		return;
	turn = atomic_load(&e->turn) + 1;
	atomic_store(&e->turn, turn ? turn : 1);
	atomic_store(&e->of, of);
	e->point = *at;
	leave(e);
}

void taf_event_record(enum taf_api api, uint64_t event, uint64_t key)
{
	struct taf_flight_point now;

	taf_flight_point(&now, key);
	taf_event_recorded(api, event, &now);
}

uint32_t taf_event_turn(enum taf_api api, uint64_t event)
{
	uint64_t of = name_of(api, event);
	const struct event *e = event ? place_of(of) : NULL;

	return e && atomic_load(&e->of) == of ? atomic_load(&e->turn) : 0;
}

bool taf_event_passed(enum taf_api api, uint64_t event, uint32_t turn)
{
	uint64_t of = name_of(api, event);
	struct event *e = turn ? take(of) : NULL;
	bool is_more = false;

	if (!e)
		return false;
	if (atomic_load(&e->of) == of && atomic_load(&e->turn) == turn) {
		is_more = taf_flight_passed(&e->point);
		atomic_store(&e->of, 0); /* it stays passed: later queries need not look again */
	}
	leave(e);
	return is_more;
}

bool taf_event_reached(enum taf_api api, uint64_t event)
{
	return taf_event_passed(api, event, taf_event_turn(api, event));
}

/* Also where another thread is at its place: a new event of that handle was never recorded. */
void taf_event_forget(enum taf_api api, uint64_t event)
{
	uint64_t of = name_of(api, event);

	if (event)
		atomic_compare_exchange_strong(&place_of(of)->of, &of, 0);
}

void taf_events_forget(void)
{
	for (unsigned i = 0; i < EVENTS; i++) {
		events[i].of = 0;
		atomic_store(&events[i].is_busy, 0);
	}
}
