/* SPDX-License-Identifier: MIT */
/* burst.h -- generations of programs that are seen at the GPU runtime alone.
 *
 * Submits that follow each other with less than drain.idle_ms between them are one
 * generation.  No thread waits for its end: whoever submits next, unloads or leaves
 * finds it over by the time of the last submit, writes its end and does what
 * post_* asks for before that submit goes on.  One work (work.h) an API stands for
 * it, since CUDA's runtime and driver are one device's; its handle is the table that
 * was used first, so that a runtime's sync(handle) with handle == table waits for all
 * that the process has submitted there.
 *
 *   taf_submit_before(&call)      the narrow door, and a look at the clock
 *   r = their function
 *   taf_submit_after(&call, rc)
 *
 *   taf_wait_before(&call, &mark)    a wait, a query: what it would show to be done
 *   r = their function
 *   taf_wait_after(&call, &mark)     it has succeeded
 *
 * Submits inside of an engine's own decode or load are its affair; they count as in
 * flight all the same.
 */
#ifndef TAF_BURST_H
#define TAF_BURST_H

#include "capture.h"
#include "flight.h"
#include "gate.h"
#include "still.h"
#include "work.h"

struct taf_rec;
struct taf_text;

/* Stamps that make up drain.idle_ms; 0: not measured yet, each submit is looked at. */
extern _Atomic(uint64_t) taf_burst_gap;
/* How often all bursts came to rest: after each the next submit of a thread is looked at. */
extern _Atomic(uint32_t) taf_burst_rests;

/* The first submit of this thread after a pause. False: a rule refuses it. */
bool taf_burst_look(struct taf_call *c);
/* drain.every_submits: one more; synchronizes c->queue when its window is full. */
void taf_burst_count(struct taf_call *c);
/* What stands for c's runtime is there before its first submit: memory may run short earlier. */
void taf_burst_ready(const struct taf_call *c);
/* What stands for a runtime; NULL: nothing was submitted to it yet. */
struct taf_work *taf_burst_work(enum taf_api api);
/* Takes up what the threads counted. Under the claim of w, whose is_burst is set. */
void taf_burst_fold(struct taf_work *w);
/* A generation of w begins. Under its claim. */
void taf_burst_begin(struct taf_work *w);
/* It has ended: what other threads submit from now on belongs to the next. */
void taf_burst_end(struct taf_work *w);
/* Then its end is told: what it was, and what the process holds of the device. */
void taf_burst_tell(const struct taf_work *w, struct taf_rec *r, struct taf_text *extra);
/* Before memory, code or a context is given up, or a cache is trimmed: with work in
 * flight that is what drain.before_unload is about. Submits of other threads stand
 * still until taf_burst_unloaded. */
void taf_burst_unload(struct taf_call *c);
/* The same before the queue in c->queue is given up: with work in flight there, that queue
 * alone is waited for. Nobody stands still: none but its own owner may submit to it now. */
void taf_burst_unload_queue(struct taf_call *c);
/* Their function has given it up, or was not called: others may submit again. */
static inline void taf_burst_unloaded(const struct taf_call *c)
{
	if (__builtin_expect(c->is_still, 0))
		taf_still_end();
}
/* After a wait of the program that has succeeded. */
void taf_burst_waited(const struct taf_call *c);
/* How many stamps of the ring drain.idle_ms has, in taf_burst_gap: once it can be told. */
void taf_burst_measure(uint64_t stamp, uint64_t now_ns);
/* A process became active, or a fork child begins anew. */
void taf_burst_reset(void);
/* Reasons of burst.c for the narrow door to take the long way. */
uint32_t taf_burst_alerts(void);

/* The device matters for the default streams alone. */
TAF_INLINE uint64_t taf_call_key(const struct taf_call *c)
{
	enum taf_api api = taf_api_of(c->table->engine);

	if (c->queue == TAF_EVERY_QUEUE)
		return TAF_FLIGHT_DEVICE(api, taf_tls.device);
	return taf_flight_key(api, c->queue, taf_tls.device);
}

/* Round the destruction of the stream in c->queue. What is in flight there goes on, and
 * its handle may be another one's as soon as theirs returns: all is forgotten before, and
 * put back where theirs refused.  The default streams cannot be destroyed.
 * is_behind: the device's default stream waits for it. */
struct taf_stream_going {
	bool is_any, was_captured;
	struct taf_flight_going flight;
};

static inline void taf_stream_going(const struct taf_call *c, bool is_behind,
				    struct taf_stream_going *g)
{
	g->is_any = c->queue > TAF_OWN_QUEUE;
	if (!g->is_any)
		return;
	taf_flight_going(taf_call_key(c), is_behind, &g->flight);
	g->was_captured = taf_capture_going(c->queue);
}

static inline void taf_stream_gone(const struct taf_call *c, const struct taf_stream_going *g,
				   bool is_gone)
{
	if (!g->is_any)
		return;
	if (!is_gone)
		taf_flight_stays(&g->flight);
	if (g->was_captured)
		taf_capture_gone(c->queue, is_gone);
}

/* Counts one more in flight, but for what is only recorded by a capture. The thread is
 * submitting already: what a handler of a signal submits from here on is the same. */
TAF_INLINE void taf_flight_begin(struct taf_call *c, uint64_t key, bool is_shared)
{
	struct taf_tls *t = &taf_tls;

	if (__builtin_expect(taf_captures_open() != 0, 0) && taf_capture_records(c)) {
		t->is_submitting = false;
		return;
	}
	c->has_flight = true;
	taf_still_enter(t->flight, is_shared);
	c->at = taf_flight_submit(t->flight, key, is_shared);
}

TAF_INLINE void taf_flight_end(const struct taf_call *c, int64_t rc, bool is_shared)
{
	if (__builtin_expect(rc != 0, 0))
		taf_flight_undo(c->at);
	taf_still_leave(taf_tls.flight, is_shared);
}

/* The long ways of both. A thread without a lane of its own counts together with others. */
void taf_flight_begin_slow(struct taf_call *c, uint64_t key);
void taf_flight_end_slow(struct taf_call *c, int64_t rc);

/* Whether this submit comes after a pause, of the thread or of all bursts. */
TAF_INLINE bool taf_burst_is_due(const struct taf_call *c)
{
	const struct taf_tls *t = &taf_tls;
	uint64_t last = atomic_load_explicit(&t->lane->last_stamp, memory_order_relaxed);
	uint64_t gap = atomic_load_explicit(&taf_burst_gap, memory_order_relaxed);
	uint32_t rests = atomic_load_explicit(&taf_burst_rests, memory_order_relaxed);

	return __builtin_expect(t->bursts != rests, 0) ||
	       __builtin_expect(c->stamp - last >= gap, 0);
}

/* The long ways of the two below. */
bool taf_submit_before_slow(struct taf_call *c, uint64_t key);
void taf_submit_after_slow(struct taf_call *c, int64_t rc);

/* A submit inside of another one of its thread, which has counted it, as CUDA's runtime makes
 * them of its driver: whose frame lies above, else the outer one was left by a jump. */
TAF_INLINE bool taf_is_within(const struct taf_call *c)
{
	const struct taf_tls *t = &taf_tls;

	return taf_is_calm() && t->busy == (TAF_BUSY_SUBMITTING | 1u << TAF_SUBMIT) &&
	       (uintptr_t)t->outer - (uintptr_t)c - 1 < TAF_SAME_STACK;
}

/* key: taf_flight_key of the queue, with an API that the compiler knows. */
TAF_INLINE bool taf_submit_in(struct taf_call *c, struct taf_door d, uint64_t key)
{
	c->has_flight = false;
	if (!taf_is_quick(&taf_tls)) {
		if (!taf_is_within(c))
			return taf_submit_before_slow(c, key);
		c->real = taf_real_quick(d.table, d.row, c->caller);
		return c->real;
	}
	if (!taf_quick_begin(c, d, TAF_BUSY_SUBMITTING | 1u << TAF_SUBMIT))
		return false;
	if (__builtin_expect(taf_burst_is_due(c), 0) && !taf_burst_look(c)) {
		taf_tls.is_submitting = false;
		taf_turn_away(c);
		return false;
	}
	taf_flight_begin(c, key, false);
	return true;
}

TAF_INLINE void taf_submit_out(struct taf_call *c, struct taf_door d, int64_t rc)
{
	uint64_t busy = 1u << TAF_SUBMIT;

	if (!taf_is_quick_end(c)) {
		if (c->is_counted || c->has_flight)
			taf_submit_after_slow(c, rc);
		return;
	}
	busy |= c->has_flight ? TAF_BUSY_SUBMITTING : 0;
	if (__builtin_expect(c->has_flight, 1))
		taf_flight_end(c, rc, false);
	taf_quick_end(c, d, busy, rc);
}

/* The same for wrappers written by hand. */
TAF_INLINE bool taf_submit_before(struct taf_call *c, uint64_t key)
{
	return taf_submit_in(c, taf_door_of(c, TAF_SUBMIT), key);
}

TAF_INLINE void taf_submit_after(struct taf_call *c, int64_t rc)
{
	taf_submit_out(c, taf_door_of(c, TAF_SUBMIT), rc);
}

/* While the process ends: a copy of the program's own stands still as a submit does. */
void taf_copy_late(void);

/* The same for what is no work of its own: copies. */
static inline void taf_copy_before(struct taf_call *c, uint64_t key)
{
	struct taf_tls *t = &taf_tls;

	c->has_flight = false;
	if (t->inside || t->is_submitting)
		return;
	if (__builtin_expect(taf_state_now() != TAF_ACTIVE, 0)) {
		taf_copy_late();
		/* Again after an exec that has failed. */
		if (taf_state_now() != TAF_ACTIVE)
			return;
	}
	if (!t->flight)
		t->flight = taf_flight_lane();
	/* It opens nothing: by this the next call sees that one was left by a jump. */
	if (!t->open)
		t->outer = c;
	taf_flight_begin_slow(c, key);
	if (c->has_flight)
		atomic_fetch_add_explicit(&c->at->copies, 1, memory_order_relaxed);
}

static inline void taf_copy_after(struct taf_call *c, int64_t rc)
{
	if (!c->has_flight)
		return;
	if (rc && taf_flight_undo(c->at))
		atomic_fetch_sub_explicit(&c->at->copies, 1, memory_order_relaxed);
	else if (!rc && taf_tls.lane && !taf_tls.is_shared)
		taf_flight_copied(c->at);
	taf_flight_end_slow(c, 0);
}

/* Nothing is known to be done while our own calls run. */
static inline void taf_wait_before(const struct taf_call *c, struct taf_flight_mark *m)
{
	m->lanes = 0;
	if (taf_tls.flight)
		taf_flight_seen(m, taf_call_key(c));
}

static inline void taf_wait_after(const struct taf_call *c, const struct taf_flight_mark *m)
{
	if (!m->lanes)
		return;
	taf_flight_done(m);
	if (c->is_counted)
		taf_burst_waited(c);
}

#endif
