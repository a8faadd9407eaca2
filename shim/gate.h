/* SPDX-License-Identifier: MIT */
/* gate.h -- the two doors that every hooked call passes.
 *
 *   struct taf_call call = taf_call_of(table, row, kind, caller);
 *   if (!taf_before(&call))  return the row's refuse value;
 *   r = their function, call.real, with the caller's arguments;
 *   taf_after(&call, status of r);
 *
 * The wide door (gate.c) gathers facts, asks the rules, acts, writes the begin
 * crumb, and after the call learns and writes the end.  The narrow door below
 * is for SUBMIT, ALLOC and FREE: per-thread counters and one slot of the
 * thread's ring, no clock and no lock; it takes the long way only while
 * taf_life.alert says that a rule could act.
 *
 * An outermost-call guard counts once: a call made by their function inside a
 * call of the same sort, and every call we make ourselves, passes unseen.
 */
#ifndef TAF_GATE_H
#define TAF_GATE_H

#include "coarse.h"
#include "life.h"
#include "real.h"
#include "ring.h"

struct taf_work;
struct taf_load_size;
struct taf_flight_queue;

struct taf_call {
	const struct taf_table *table;
	const void *caller;
	taf_fn real;
	uint64_t bytes; /* of an allocation or a model */
	uint64_t tokens; /* of a submit */
	uint64_t stamp; /* at begin */
	uint64_t begin_ns; /* 0: not known; the narrow door leaves it unset */
	uint64_t of; /* seq of the begin crumb */
	const char *model, *msg;
	struct taf_work *work; /* the context at hand, or NULL */
	void *handle; /* theirs, for an UNLOAD of a model */
	uint64_t queue; /* of a submit to a GPU runtime: handle */
	struct taf_flight_queue *at; /* where it counts as in flight */
	const struct taf_load_size *size; /* what a load or a context will take; NULL: unknown */
	uint16_t row;
	uint8_t kind;
	bool is_counted; /* not passed unseen */
	bool is_outer; /* names what the thread does */
	bool is_context; /* an UNLOAD, or the making, of a context */
	bool is_companion; /* a LOAD that comes with another */
	bool is_dry; /* a LOAD or UNLOAD of a model that was there for an estimate only */
	bool has_bytes;
	bool is_still; /* other threads submit nothing until it is over */
	bool has_flight; /* this call counts as in flight, not one around it */
	bool is_prompt; /* of a SUBMIT that `trace` looks at */
};

/* A fork child forgets its parent's session before anything of ours is looked at. */
static inline void taf_child_check(void)
{
	if (__builtin_expect(taf_is_inherited, 0) && taf_is_other_process())
		atomic_store(&taf_life.state, TAF_COLD);
	if (__builtin_expect(taf_state_now() == TAF_COLD, 0) && taf_is_booted)
		taf_rearm();
}

static inline struct taf_call taf_call_of(const struct taf_table *t, int row, const void *caller)
{
	taf_child_check();
	return (struct taf_call){ .table = t,
				  .caller = caller,
				  .row = (uint16_t)row,
				  .kind = (uint8_t)t->rows[row].kind };
}

/* The same for the narrow door, which reads and writes these fields alone. */
static inline void taf_call_narrow(struct taf_call *c, const struct taf_table *t, int row)
{
	c->table = t;
	c->row = (uint16_t)row;
	c->tokens = 0;
	c->is_counted = c->is_outer = false;
}

/* The wide door. False: refused, or their function cannot be found. */
bool taf_before(struct taf_call *c);
void taf_after(struct taf_call *c, int64_t rc);
/* The long way of the narrow door. */
bool taf_before_slow(struct taf_call *c);
void taf_after_slow(struct taf_call *c, int64_t rc);
/* A call that has passed the door, and is not made all the same. */
void taf_turn_away(struct taf_call *c);
/* A call that goes on after this entry point has returned, in another one: nothing is
 * open between the two, and each has a frame of its own for the call. */
void taf_suspend(struct taf_call *c);
void taf_resume(struct taf_call *c);

/* Their function in the scope of home, for calls that we make ourselves. */
static inline taf_fn taf_theirs(const struct taf_table *t, int row, const void *home)
{
	return taf_real(t, row, home);
}

/* Open kinds that make a new call of this kind a part of them. */
static inline uint32_t taf_mutes(enum taf_kind kind)
{
	uint32_t own = 1u << kind, submit = 1u << TAF_SUBMIT, sync = 1u << TAF_SYNC;

	switch (kind) {
	/* What an engine computes while it loads, makes a context or frees is no generation. */
	case TAF_SUBMIT: return submit | sync | 1u << TAF_LOAD | 1u << TAF_NOTE | 1u << TAF_UNLOAD;
	case TAF_SYNC: return submit | sync | 1u << TAF_LOAD | 1u << TAF_UNLOAD;
	case TAF_ALLOC:
	case TAF_FREE: return 1u << TAF_ALLOC | 1u << TAF_FREE;
	case TAF_ERROR:
	case TAF_EXIT: return 0;
	default: return own;
	}
}

/* Names the outermost call for readers of the ring; undone by taf_lane_clear. */
static inline void taf_lane_open(struct taf_call *c, struct taf_lane *lane)
{
	/* On the shared lane one thread would name, and clear, another's call. */
	if (lane->is_shared || (atomic_load_explicit(&lane->open.what, memory_order_relaxed) &
				TAF_NO_ROW) != TAF_NO_ROW)
		return;
	c->is_outer = true;
	atomic_store_explicit(&lane->open.since, c->stamp, memory_order_relaxed);
	atomic_store_explicit(&lane->open.what,
			      (uint32_t)c->row | (uint32_t)c->table->engine << 16 |
				      (uint32_t)c->kind << 24,
			      memory_order_release);
}

static inline void taf_lane_clear(struct taf_call *c, struct taf_lane *lane)
{
	if (c->is_outer)
		atomic_store_explicit(&lane->open.what, TAF_NO_ROW, memory_order_release);
}

/* One writer a lane: a plain add, seen whole by readers. The shared lane has many. */
static inline void taf_bump(_Atomic(uint64_t) *n, uint64_t by, bool is_shared)
{
	if (__builtin_expect(is_shared, 0))
		atomic_fetch_add_explicit(n, by, memory_order_relaxed);
	else
		atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + by,
				      memory_order_relaxed);
}

/* Whose call it is: what a generated wrapper says in constants, so that what depends on
 * them is decided by the compiler. */
struct taf_door {
	const struct taf_table *table;
	int row;
	enum taf_kind kind;
};
#define TAF_INLINE static inline __attribute__((always_inline))

TAF_INLINE struct taf_door taf_door_of(const struct taf_call *c, enum taf_kind kind)
{
	return (struct taf_door){ c->table, c->row, kind };
}

/* The time-stamp counter costs twice what the coarse clock does. Calls of a
 * thread that fall into one tick of it (1 to 10 ms) are numbered on from the
 * first of them, whose stamp is exact; a call after a pause always is. */
TAF_INLINE uint64_t taf_stamp_cheap(struct taf_tls *t)
{
	struct taf_coarse now = taf_coarse_now();

	if (__builtin_expect(now.tick == t->tick, 1))
		return ++t->stamp;
	t->tick = now.tick;
	t->stamp = taf_has_tsc ? taf_stamp_tsc() : now.ns;
	return t->stamp;
}

/* Nothing of this thread is open, it has a lane of its own, and nobody asks for the long
 * way. Inside of another call the long way as well: perhaps the thread left it by a jump. */
TAF_INLINE bool taf_is_quick(const struct taf_tls *t)
{
	return __builtin_expect(taf_is_calm() && !t->busy && t->lane, 1);
}

/* Opens the outermost call of its thread, whose stamp is known; the thread is busy with it. */
TAF_INLINE void taf_quick_open(struct taf_call *c, struct taf_door d, uint64_t busy)
{
	struct taf_tls *t = &taf_tls;
	struct taf_open_call *open = &t->lane->open;
	uint32_t what = (uint32_t)d.row | (uint32_t)d.table->engine << 16 | (uint32_t)d.kind << 24;

	c->is_counted = c->is_outer = true;
	t->outer = c;
	t->busy = busy;
	atomic_store_explicit(&open->since, c->stamp, memory_order_relaxed);
	atomic_store_explicit(&open->what, what, memory_order_release);
}

/* The quick way in. */
TAF_INLINE bool taf_quick_begin(struct taf_call *c, struct taf_door d, uint64_t busy)
{
	c->real = taf_real_quick(d.table, d.row, c->caller);
	if (__builtin_expect(!c->real, 0))
		return false;
	c->stamp = taf_stamp_cheap(&taf_tls);
	taf_quick_open(c, d, busy);
	return true;
}

TAF_INLINE bool taf_door_in(struct taf_call *c, struct taf_door d)
{
	return taf_is_quick(&taf_tls) ? taf_quick_begin(c, d, 1u << d.kind) : taf_before_slow(c);
}

TAF_INLINE bool taf_before_narrow(struct taf_call *c, enum taf_kind kind)
{
	return taf_door_in(c, taf_door_of(c, kind));
}

/* The counters of the thread's lane. */
TAF_INLINE void taf_count(const struct taf_call *c, enum taf_kind kind, int64_t rc, bool is_shared)
{
	struct taf_lane *lane = taf_tls.lane;

	if (kind == TAF_SUBMIT) {
		taf_bump(&lane->submits, 1, is_shared);
		atomic_store_explicit(&lane->last_stamp, c->stamp, memory_order_relaxed);
	} else if (kind == TAF_ALLOC) {
		taf_bump(&lane->allocs, rc ? 0 : 1, is_shared);
		taf_bump(&lane->bytes_taken, rc ? 0 : c->bytes, is_shared);
	} else if (kind == TAF_FREE) {
		taf_bump(&lane->frees, 1, is_shared);
		taf_bump(&lane->bytes_given, c->bytes, is_shared);
	}
}

/* Whether a call that went in may leave by the quick way. */
TAF_INLINE bool taf_is_quick_end(const struct taf_call *c)
{
	return __builtin_expect(taf_is_calm() && c->is_outer && taf_tls.lane && !taf_tls.is_shared,
				1);
}

TAF_INLINE void taf_quick_end(struct taf_call *c, struct taf_door d, uint64_t busy, int64_t rc)
{
	struct taf_tls *t = &taf_tls;
	struct taf_lane *lane = t->lane;
	struct taf_slot_body b = { c->stamp,
				   d.kind == TAF_SUBMIT ? c->tokens : c->bytes,
				   (uint16_t)d.row,
				   (uint8_t)d.table->engine,
				   (uint8_t)(d.kind | TAF_END << 6),
				   (int32_t)rc };

	taf_count(c, d.kind, rc, false);
	taf_ring_put_own(lane, &b);
	atomic_store_explicit(&lane->open.what, TAF_NO_ROW, memory_order_release);
	t->busy &= ~busy;
}

TAF_INLINE void taf_door_out(struct taf_call *c, struct taf_door d, int64_t rc)
{
	if (taf_is_quick_end(c)) {
		taf_quick_end(c, d, 1u << d.kind, rc);
	} else if (c->is_counted) {
		c->kind = (uint8_t)d.kind;
		taf_after_slow(c, rc);
	}
}

TAF_INLINE void taf_after_narrow(struct taf_call *c, enum taf_kind kind, int64_t rc)
{
	taf_door_out(c, taf_door_of(c, kind), rc);
}

/* One crumb about a call without a begin and an end: notes, errors. Only while active. */
void taf_mark(enum taf_kind kind, enum taf_engine engine, const char *call, const char *msg);

#endif
