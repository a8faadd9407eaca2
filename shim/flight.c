/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include "crumb.h"
#include "life.h"
#include "ring.h"

struct taf_flight taf_flights[TAF_FLIGHT_LANES];

#define OTHERS TAF_FLIGHT_QUEUES /* the place for queues beyond */
#define OTHERS_KEY 0xfffffffffffeull
#define GONE_KEY 0xfffffffffffdull /* of a queue that was destroyed with work in flight */
#define LOST_KEY 0xfffffffffffcull /* ... which nothing but the whole device waits for */
#define LEGACY 1 /* the device's default stream by a name of its own; 0 is it as well */
#define MIXED UINT32_MAX /* queues of several devices are counted together */
#define EVERY (1ull << 55)
#define DEVICE (1ull << 54)
#define LOW 0xffffffffffffull

static _Atomic(int) lanes_used; /* no lane from here on was ever used */

static enum taf_api api_of(uint64_t key)
{
	return (enum taf_api)(key >> 56);
}

int taf_flight_lanes(void)
{
	return atomic_load_explicit(&lanes_used, memory_order_relaxed);
}

/* By the lane of the ring; threads without one share the last. */
struct taf_flight *taf_flight_lane(void)
{
	struct taf_ring_head *h = taf_ring_head();
	const struct taf_lane *lane = taf_tls.lane;
	int i = TAF_FLIGHT_LANES - 1, seen = atomic_load(&lanes_used);

	if (h && lane)
		i = (int)(((const char *)lane - (const char *)h - TAF_RING_PAGE) / h->lane_bytes);
	while (seen <= i && !atomic_compare_exchange_weak(&lanes_used, &seen, i + 1))
		;
	/* Who had it before may have ended within a submit. */
	if (lane && !lane->is_shared) {
		atomic_store(&taf_flights[i].inside, 0);
		atomic_store(&taf_flights[i].tid, (uint32_t)taf_tid());
	}
	return &taf_flights[i];
}

static uint64_t submits_of(const struct taf_flight_queue *q)
{
	return atomic_load_explicit(&q->submits, memory_order_relaxed);
}

static bool is_idle(const struct taf_flight_queue *q)
{
	return atomic_load_explicit(&q->done, memory_order_relaxed) >= submits_of(q);
}

static struct taf_flight_queue *settle(struct taf_flight_queue *q)
{
	atomic_store(&q->device, taf_tls.device);
	return q;
}

/* A place of this lane that is free, or whose queue has nothing in flight: what was seen
 * there before shows nothing of the next one. What was counted there stays, so it goes on
 * to a queue of the same API alone. */
static struct taf_flight_queue *take_place(struct taf_flight *f, uint64_t key)
{
	for (int i = 0; i < TAF_FLIGHT_QUEUES; i++) {
		struct taf_flight_queue *q = &f->of[i];
		uint64_t seen = atomic_load(&q->key);

		/* Threads may share a lane: who is first has the place. */
		if (is_idle(q) && (!seen || api_of(seen) == api_of(key)) &&
		    atomic_compare_exchange_strong(&q->key, &seen, key))
			return settle(q);
	}
	return NULL;
}

/* The API that came here first stands for all of them. */
static struct taf_flight_queue *the_rest(struct taf_flight *f, uint64_t key)
{
	struct taf_flight_queue *q = &f->of[OTHERS];
	uint64_t none = 0;
	uint32_t nobody = 0;

	atomic_compare_exchange_strong(&q->key, &none, (uint64_t)api_of(key) << 56 | OTHERS_KEY);
	if (!atomic_compare_exchange_strong(&q->device, &nobody, taf_tls.device + 1) &&
	    nobody != taf_tls.device + 1)
		atomic_store(&q->device, MIXED);
	return q;
}

struct taf_flight_queue *taf_flight_find(struct taf_flight *f, uint64_t key)
{
	struct taf_flight_queue *q;

	for (int i = 0; i < TAF_FLIGHT_QUEUES; i++)
		if (atomic_load(&f->of[i].key) == key)
			return &f->of[i];
	q = take_place(f, key);
	return q ? q : the_rest(f, key);
}

/* What somebody has seen to be done meanwhile stays so. */
bool taf_flight_undo(struct taf_flight_queue *q)
{
	uint64_t n = submits_of(q);

	while (n > atomic_load(&q->done))
		if (atomic_compare_exchange_weak(&q->submits, &n, n - 1)) {
			atomic_fetch_add(&q->undone, 1);
			return true;
		}
	return false;
}

/* One writer. Who reads run_to sees the run_from that belongs to it, or a later one. */
void taf_flight_copied(struct taf_flight_queue *q)
{
	uint64_t n = submits_of(q);

	if (atomic_load_explicit(&q->run_to, memory_order_relaxed) != n - 1)
		atomic_store(&q->run_from, n - 1);
	atomic_store(&q->run_to, n);
}

/* Of n submits more than done are: whether only copies are left, behind all launches. */
static bool is_resting(const struct taf_flight_queue *q, uint64_t n, uint64_t done)
{
	return atomic_load(&q->run_to) == n && done >= atomic_load(&q->run_from);
}

void taf_flight_seen(struct taf_flight_mark *m, uint64_t key)
{
	m->key = key;
	m->lanes = atomic_load(&lanes_used);
	for (int l = 0; l < m->lanes; l++)
		for (int i = 0; i <= OTHERS; i++)
			m->submits[l][i] =
				(uint32_t)taf_flight_shown(&taf_flights[l], &taf_flights[l].of[i]);
}

static bool is_of_device(const struct taf_flight_queue *q, uint32_t device)
{
	uint64_t has = atomic_load_explicit(&q->key, memory_order_relaxed);
	uint32_t of = atomic_load_explicit(&q->device, memory_order_relaxed);

	return ((has & LOW) == OTHERS_KEY ? of - 1 : of) == device;
}

/* It may be of any device then. */
static bool is_mixed(const struct taf_flight_queue *q)
{
	return (atomic_load_explicit(&q->key, memory_order_relaxed) & LOW) == OTHERS_KEY &&
	       atomic_load_explicit(&q->device, memory_order_relaxed) == MIXED;
}

/* Whether a wait for key is one for q, which belongs to lane f. */
static bool is_meant(const struct taf_flight_queue *q, uint64_t key, bool is_own)
{
	uint64_t has = atomic_load_explicit(&q->key, memory_order_relaxed);

	if (key & (EVERY | DEVICE))
		return has && api_of(has) == api_of(key) &&
		       ((key & EVERY) || is_of_device(q, (uint32_t)(key >> 48 & 0x3f)));
	return has == key && (is_own || (key & LOW) != TAF_OWN_QUEUE);
}

static void raise(_Atomic(uint64_t) *done, uint64_t n)
{
	uint64_t seen = atomic_load_explicit(done, memory_order_relaxed);

	while (seen < n && !atomic_compare_exchange_weak(done, &seen, n))
		;
}

/* A mark that is ahead of its queue, by a submit that failed or in a fork child, shows
 * nothing. */
void taf_flight_done(const struct taf_flight_mark *m)
{
	for (int l = 0; l < m->lanes; l++)
		for (int i = 0; i <= OTHERS; i++) {
			struct taf_flight_queue *q = &taf_flights[l].of[i];
			uint64_t now = submits_of(q);
			uint32_t since = (uint32_t)now - m->submits[l][i];

			if (since <= INT32_MAX && since <= now &&
			    is_meant(q, m->key, taf_tls.flight == &taf_flights[l]))
				raise(&q->done, now - since);
		}
}

void taf_flight_sum(enum taf_api api, struct taf_flight_sum *out)
{
	int lanes = atomic_load(&lanes_used);

	*out = (struct taf_flight_sum){ .submits = 0 };
	for (int l = 0; l < lanes; l++)
		for (int i = 0; i <= OTHERS; i++) {
			const struct taf_flight_queue *q = &taf_flights[l].of[i];
			uint64_t key = atomic_load_explicit(&q->key, memory_order_relaxed);
			uint64_t done = atomic_load_explicit(&q->done, memory_order_relaxed);
			uint64_t copies = atomic_load_explicit(&q->copies, memory_order_relaxed);
			uint64_t n = submits_of(q);

			if (!key || (api != TAF_API_NONE && api_of(key) != api))
				continue;
			out->submits += n;
			out->launches += n > copies ? n - copies : 0;
			out->in_flight += n > done ? n - done : 0;
			out->is_working |= n > done && !is_resting(q, n, done);
			if (n > done && !out->oldest) {
				out->oldest = done + 1;
				out->queue = key & LOW;
			}
		}
}

/* What is counted together may be of any queue. */
uint64_t taf_flight_in(uint64_t key)
{
	int lanes = atomic_load(&lanes_used);
	uint64_t in = 0;

	for (int l = 0; l < lanes; l++)
		for (int i = 0; i <= OTHERS; i++) {
			const struct taf_flight_queue *q = &taf_flights[l].of[i];
			uint64_t has = atomic_load_explicit(&q->key, memory_order_relaxed);
			uint64_t done = atomic_load_explicit(&q->done, memory_order_relaxed);
			uint64_t n = submits_of(q);

			if (n > done &&
			    (has == key || (i == OTHERS && has && api_of(has) == api_of(key))))
				in += n - done;
		}
	return in;
}

bool taf_flight_is_idle(uint64_t key)
{
	return !taf_flight_in(key);
}

/* Of a device or an API. */
static void finish(uint64_t key)
{
	int lanes = atomic_load(&lanes_used);

	for (int l = 0; l < lanes; l++)
		for (int i = 0; i <= OTHERS; i++) {
			struct taf_flight_queue *q = &taf_flights[l].of[i];

			if (is_meant(q, key, true))
				raise(&q->done, submits_of(q));
		}
}

void taf_flight_drop(uint64_t key)
{
	struct taf_flight_going g;

	if (key & (EVERY | DEVICE))
		finish(key);
	else
		taf_flight_going(key, true, &g);
}

_Static_assert(TAF_FLIGHT_QUEUES <= 8, "a bit for each place of a lane");

void taf_flight_going(uint64_t key, bool is_behind, struct taf_flight_going *out)
{
	int lanes = atomic_load(&lanes_used);

	*out = (struct taf_flight_going){
		.key = (uint64_t)api_of(key) << 56 | (is_behind ? GONE_KEY : LOST_KEY),
		.was = key,
	};
	for (int l = 0; l < lanes; l++)
		for (int i = 0; i < TAF_FLIGHT_QUEUES; i++)
			if (atomic_compare_exchange_strong(&taf_flights[l].of[i].key,
							   &(uint64_t){ key }, out->key))
				out->places[l] |= (uint8_t)(1u << i);
}

void taf_flight_stays(const struct taf_flight_going *g)
{
	for (int l = 0; l < TAF_FLIGHT_LANES; l++)
		for (int i = 0; g->places[l] >> i; i++)
			if (g->places[l] >> i & 1)
				atomic_compare_exchange_strong(&taf_flights[l].of[i].key,
							       &(uint64_t){ g->key }, g->was);
}

bool taf_flight_is_on(enum taf_api api, uint32_t device)
{
	int lanes = atomic_load(&lanes_used);

	for (int l = 0; l < lanes; l++)
		for (int i = 0; i <= OTHERS; i++) {
			const struct taf_flight_queue *q = &taf_flights[l].of[i];
			uint64_t key = atomic_load_explicit(&q->key, memory_order_relaxed);

			if (key && api_of(key) == api && !is_idle(q) &&
			    (is_of_device(q, device) || is_mixed(q)))
				return true;
		}
	return false;
}

static void see_rest(const struct taf_flight *f, uint64_t low, bool (*is_known)(uint64_t low),
		     struct taf_flight_rest *out)
{
	if (low == TAF_OWN_QUEUE && f == taf_tls.flight)
		out->is_own = true;
	else if (low == TAF_OWN_QUEUE || low == GONE_KEY)
		out->is_behind = true;
	else if (low > LEGACY && !is_known(low))
		out->is_unseen = true;
}

void taf_flight_rest(enum taf_api api, bool (*is_known)(uint64_t low), struct taf_flight_rest *out)
{
	int lanes = atomic_load(&lanes_used);

	*out = (struct taf_flight_rest){ false, false, false };
	for (int l = 0; l < lanes; l++)
		for (int i = 0; i <= OTHERS; i++) {
			const struct taf_flight_queue *q = &taf_flights[l].of[i];
			uint64_t key = atomic_load_explicit(&q->key, memory_order_relaxed);

			if (key && api_of(key) == api && !is_idle(q))
				see_rest(&taf_flights[l], key & LOW, is_known, out);
		}
}

void taf_flight_forget(void)
{
	for (int l = 0; l < TAF_FLIGHT_LANES; l++) {
		atomic_store(&taf_flights[l].inside, 0);
		atomic_store(&taf_flights[l].tid, 0);
		for (int i = 0; i <= OTHERS; i++) {
			atomic_store(&taf_flights[l].of[i].key, 0);
			atomic_store(&taf_flights[l].of[i].submits, 0);
			atomic_store(&taf_flights[l].of[i].done, 0);
			atomic_store(&taf_flights[l].of[i].copies, 0);
			atomic_store(&taf_flights[l].of[i].run_from, 0);
			atomic_store(&taf_flights[l].of[i].run_to, 0);
			atomic_store(&taf_flights[l].of[i].device, 0);
			atomic_store(&taf_flights[l].of[i].undone, 0);
		}
	}
	atomic_store(&lanes_used, 0);
}
