/* SPDX-License-Identifier: MIT */
#include "gate.h"

#include "../policy/policy.h"
#include "act.h"
#include "admit.h"
#include "crumb.h"
#include "exit.h"
#include "flight.h"
#include "learn.h"
#include "load_size.h"
#include "park.h"
#include "sig.h"
#include "still.h"
#include "traced.h"
#include "watch.h"
#include "turn.h"
#include "work.h"

/* The first use of an engine or of a device. Never a query, never a file that is opened. */
static bool is_waking(enum taf_kind kind)
{
	return kind == TAF_LOAD || kind == TAF_SUBMIT || kind == TAF_ALLOC || kind == TAF_INFER;
}

static bool is_awake(const struct taf_call *c)
{
	enum taf_state s = taf_state_now();

	if (s == TAF_COLD && taf_is_booted) {
		taf_rearm();
		s = taf_state_now();
	}
	/* A limit that is set before the first load must find the policy. */
	if ((s == TAF_ARMED || s == TAF_WAKING) &&
	    (is_waking((enum taf_kind)c->kind) || c->kind == TAF_LIMIT))
		return taf_wake(c->table->engine);
	return s == TAF_ACTIVE || s == TAF_LEAVING;
}

static void take_lane(struct taf_tls *t)
{
	t->lane = taf_ring_take_lane();
	t->is_shared = t->lane && t->lane->is_shared;
	t->flight = taf_flight_lane();
}

/* Passes the call on unseen. */
static bool unseen(struct taf_call *c)
{
	c->real = taf_real(c->table, c->row, c->caller);
	c->is_counted = false;
	return c->real != NULL;
}

/* What an exception or a longjmp left open is closed by the next call that comes from
 * the same stack and does not lie below it. */
static void forget_abandoned(const struct taf_call *c)
{
	struct taf_tls *t = &taf_tls;
	uintptr_t now = (uintptr_t)c, outer = (uintptr_t)t->outer;

	if ((!t->open && !t->is_submitting) || now < outer || now - outer > TAF_SAME_STACK)
		return;
	t->open = 0;
	if (t->is_submitting && t->flight)
		taf_still_leave(t->flight, !t->lane || t->lane->is_shared);
	t->is_submitting = false;
	if (t->lane)
		atomic_store_explicit(&t->lane->open.what, TAF_NO_ROW, memory_order_release);
	if (t->held) {
		atomic_store(&t->held->is_quick, false);
		taf_work_release(t->held);
		taf_turn_end(NULL);
	}
	t->held = NULL;
}

static bool enter(struct taf_call *c)
{
	struct taf_tls *t = &taf_tls;

	forget_abandoned(c);
	if (t->inside || (t->open & taf_mutes((enum taf_kind)c->kind)))
		return false;
	if (c->kind == TAF_SUBMIT && !t->in_callback && !taf_still_am_inside())
		taf_park_to_submit();
	if (!is_awake(c))
		return false;
	if (c->kind == TAF_SUBMIT && atomic_load(&taf_life.alert) & TAF_ALERT_SIGNALS)
		taf_sig_arm();
	if (c->kind == TAF_SUBMIT && atomic_load(&taf_life.alert) & TAF_ALERT_WATCH)
		taf_watch_arm();
	if (!t->lane)
		take_lane(t);
	c->is_counted = true;
	c->stamp = taf_stamp_cheap(t);
	if (!t->open)
		t->outer = c;
	t->open |= 1u << c->kind;
	if (t->lane)
		taf_lane_open(c, t->lane);
	return true;
}

static void leave(struct taf_call *c)
{
	struct taf_tls *t = &taf_tls;

	/* What their runtime registered in this call must run after our handler. */
	if ((atomic_load_explicit(&taf_life.alert, memory_order_relaxed) & TAF_ALERT_ARM) &&
	    is_waking((enum taf_kind)c->kind))
		taf_exit_arm((enum taf_kind)c->kind);

	if (t->lane)
		taf_lane_clear(c, t->lane);
	t->open &= ~(1u << c->kind);
}

/* What the rules say to this process and to this allocation. */
static bool is_let_in(const struct taf_call *c)
{
	uint32_t alert = atomic_load_explicit(&taf_life.alert, memory_order_relaxed);

	if ((alert & TAF_ALERT_START) && is_waking((enum taf_kind)c->kind) && !taf_admit_start(c))
		return false;
	return c->kind != TAF_ALLOC || !(alert & TAF_ALERT_ALLOC) || taf_admit_alloc(c);
}

/* A call that was counted at the door and is not made. */
void taf_turn_away(struct taf_call *c)
{
	leave(c);
	c->is_counted = c->is_outer = false;
}

void taf_suspend(struct taf_call *c)
{
	leave(c);
	c->is_outer = false;
}

void taf_resume(struct taf_call *c)
{
	struct taf_tls *t = &taf_tls;

	if (!t->open)
		t->outer = c;
	t->open |= 1u << c->kind;
	if (t->lane)
		taf_lane_open(c, t->lane);
}

static bool turn_away(struct taf_call *c)
{
	taf_turn_away(c);
	return false;
}

bool taf_before_slow(struct taf_call *c)
{
	if (!enter(c))
		return unseen(c);
	c->real = taf_real(c->table, c->row, c->caller);
	if (!c->real || !is_let_in(c))
		return turn_away(c);
	return true;
}

static void put_slot(const struct taf_call *c, int64_t rc)
{
	struct taf_lane *lane = taf_tls.lane;
	struct taf_slot_body b = { c->stamp,
				   c->kind == TAF_SUBMIT ? c->tokens : c->bytes,
				   c->row,
				   (uint8_t)c->table->engine,
				   (uint8_t)(c->kind | TAF_END << 6),
				   (int32_t)rc };

	if (lane) {
		taf_count(c, (enum taf_kind)c->kind, rc, lane->is_shared);
		taf_ring_put(lane, &b);
	}
}

void taf_after_slow(struct taf_call *c, int64_t rc)
{
	put_slot(c, rc);
	leave(c);
}

/* Where the call is at hand: the model it is about. */
static const char *model_of(const struct taf_call *c)
{
	return c->model ? c->model : taf_work_model_name(c->work);
}

static void write_begin(struct taf_call *c)
{
	struct taf_rec r = { .kind = (enum taf_kind)c->kind,
			     .phase = TAF_BEGIN,
			     .engine = c->table->engine,
			     .call = taf_row_name(c->table, c->row),
			     .model = model_of(c),
			     .msg = c->msg,
			     .bytes = c->bytes };

	if (c->has_bytes)
		r.has |= TAF_HAS_BYTES;
	c->of = taf_crumb(&r);
}

static void write_end(const struct taf_call *c, int64_t rc)
{
	struct taf_rec r = { .kind = (enum taf_kind)c->kind,
			     .phase = TAF_END,
			     .engine = c->table->engine,
			     .call = taf_row_name(c->table, c->row),
			     .model = model_of(c),
			     .msg = c->msg,
			     .bytes = c->bytes,
			     .rc = rc,
			     .of = c->of,
			     .live = taf_work_bytes(),
			     .handles = taf_work_contexts(),
			     .us = (taf_sys_mono_ns() - c->begin_ns) / 1000,
			     .keep = TAF_KEEP_LOG };

	r.has = TAF_HAS_OF | TAF_HAS_RC | TAF_HAS_MS;
	if (c->kind == TAF_LOAD || c->kind == TAF_UNLOAD)
		r.has |= TAF_HAS_LIVE | TAF_HAS_HANDLES;
	if (c->has_bytes)
		r.has |= TAF_HAS_BYTES;
	if (c->work && c->work->ctx_tokens) {
		r.has |= TAF_HAS_CTX | TAF_HAS_KV | TAF_HAS_HANDLES;
		r.ctx = c->work->ctx_tokens;
		r.kv_bytes = taf_work_kv_bytes();
	}
	taf_crumb(&r);
}

/* What the rules ask for before this call, on the contexts that it concerns. False:
 * it is refused. */
static bool admit(struct taf_call *c)
{
	struct taf_event ev = { .kind = (enum taf_kind)c->kind,
				.phase = TAF_BEGIN,
				.engine = c->table->engine,
				.is_context = c->is_context,
				.is_companion = c->is_companion,
				.bytes = c->size ? c->size->bytes : c->bytes,
				.cache_bytes = c->size ? c->size->cache_bytes : 0,
				.basis = c->size ? c->size->basis : TAF_BASIS_UNKNOWN,
				.model = model_of(c) };
	struct taf_admission a = { .event = &ev, .call = taf_row_name(c->table, c->row) };
	unsigned drain;
	int rule;

	if (ev.kind == TAF_LOAD || (ev.kind == TAF_NOTE && ev.is_context))
		return taf_admit(&a);
	drain = taf_act_drains(&ev, c->work, &rule);
	if (!drain)
		return true;
	if (c->is_context && c->work)
		taf_act_drain(c->work, drain, rule);
	else
		taf_act_drain_all(c->kind == TAF_UNLOAD ? taf_work_model(c->handle) : NULL, drain,
				  rule);
	return true;
}

bool taf_before(struct taf_call *c)
{
	if (!enter(c))
		return unseen(c);
	c->real = taf_real(c->table, c->row, c->caller);
	if (!c->real)
		return turn_away(c);
	if (!is_let_in(c) || !admit(c))
		return turn_away(c);
	c->begin_ns = taf_sys_mono_ns();
	if (taf_kind_durability((enum taf_kind)c->kind) >= TAF_KEEP_LOG)
		write_begin(c);
	return true;
}

/* What of this call other processes have to know. */
static void learn(const struct taf_call *c)
{
	if (c->kind == TAF_LOAD && c->is_dry)
		taf_learn_undo(c->model);
	else if (c->kind == TAF_LOAD)
		taf_learn_loaded(c->model);
	else if (c->kind == TAF_UNLOAD && !c->is_context && !c->is_dry)
		taf_learn_unloaded(c->model, c->bytes);
}

void taf_after(struct taf_call *c, int64_t rc)
{
	if (!c->is_counted)
		return;
	if (taf_traced_is_on() && c->kind == TAF_SYNC)
		taf_traced_synced(c);
	if (taf_kind_durability((enum taf_kind)c->kind) >= TAF_KEEP_LOG)
		write_end(c, rc);
	else
		put_slot(c, rc);
	if (!rc)
		learn(c);
	leave(c);
}

void taf_mark(enum taf_kind kind, enum taf_engine engine, const char *call, const char *msg)
{
	struct taf_rec r = {
		.kind = kind, .phase = TAF_MARK, .engine = engine, .call = call, .msg = msg
	};

	if (taf_state_now() == TAF_ACTIVE || taf_state_now() == TAF_LEAVING)
		taf_crumb(&r);
}
