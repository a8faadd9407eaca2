/* SPDX-License-Identifier: MIT */
#include "act.h"

#include <errno.h>

#include "../policy/policy.h"
#include "../policy/text.h"
#include "admit.h"
#include "capture.h"
#include "crumb.h"
#include "facts.h"
#include "flight.h"
#include "known.h"
#include "memory.h"
#include "owner.h"
#include "scratch.h"
#include "still.h"
#include "traced.h"

#define REPEATS 16u /* drains before a free that a generation has in the log at once */
#define REPEAT_NS 1000000000u
#define CAPTURE_MS 100 /* a capture takes microseconds: one that lasts is not waited for */

unsigned taf_act_drains(const struct taf_event *ev, const struct taf_work *w, int *rule)
{
	struct taf_facts f;
	struct taf_question q = { &taf_rules, ev, &f };
	struct taf_verdict *v;
	unsigned drain = 0;

	*rule = -1;
	if (!taf_kind_may_drain(ev->kind))
		return 0;
	v = taf_scratch_take(sizeof(*v));
	if (v) {
		taf_facts_cheap(&f, w);
		taf_decide(&q, v);
		drain = v->drain;
		*rule = v->drain_rule;
	}
	taf_scratch_give(v);
	return drain;
}

/* "8 in flight in queue 0x00007f3a1c00": of one that is drained alone. */
static void name_queue(struct taf_text *t, const struct taf_work *w)
{
	enum taf_api api = taf_api_of(w->table->engine);

	taf_text_u64(t, taf_flight_in(taf_flight_key(api, w->queue, taf_tls.device)));
	taf_text_put(t, " in flight in queue 0x");
	taf_text_hex(t, w->queue, 12);
}

/* "submits 41..48 of this generation": a hang is then located to them. At a GPU runtime it
 * is a burst: nobody there knows what it is for. */
static void name_submits(struct taf_text *t, const struct taf_work *w)
{
	if (!w->since_sync)
		return;
	if (w->has_queue) {
		name_queue(t, w);
		return;
	}
	taf_text_put(t, "submits ");
	taf_text_u64(t, w->first_unsynced);
	taf_text_put(t, "..");
	taf_text_u64(t, w->first_unsynced + w->since_sync - 1);
	taf_text_put(t, w->is_inferring ? " of this " : " of the last ");
	taf_text_put(t, w->is_burst ? "burst" : "generation");
}

static void would_drain(struct taf_work *w, const struct taf_rec *like)
{
	struct taf_rec r = *like;

	r.kind = TAF_WOULD;
	r.phase = TAF_MARK;
	r.msg = "would synchronize here";
	w->drained_ns = taf_sys_mono_ns();
	taf_work_done(w);
	taf_crumb(&r);
}

/* What their synchronize gets: the context, the queue of the submit at hand, or the
 * table, which stands for all that a runtime has. */
static void *handle_of(const struct taf_work *w)
{
	union {
		uint64_t n;
		void *p;
	} u = { .n = w->queue };

	return w->has_queue ? u.p : atomic_load(&w->handle);
}

/* What a runtime has done nobody else tells flight.h. */
static int sync_burst(const struct taf_work *w, void *handle)
{
	enum taf_api api = taf_api_of(w->table->engine);
	struct taf_flight_mark mark;
	int err;

	taf_flight_seen(&mark, w->has_queue ? taf_flight_key(api, w->queue, taf_tls.device)
					    : TAF_FLIGHT_EVERY(api));
	err = w->table->ops->sync(handle, w->home);
	if (!err)
		taf_flight_done(&mark);
	return err;
}

static _Atomic(uint32_t) engines; /* that synchronize or clear for us at this moment */

/* One whose work belongs to threads has others that work for these. */
static int call_engine(const struct taf_work *w, int (*op)(void *handle, const void *home))
{
	uint32_t n = w->table->by_thread != NULL;
	int err;

	atomic_fetch_add(&engines, n);
	err = op(handle_of(w), w->home);
	atomic_fetch_sub(&engines, n);
	return err;
}

/* It may take a lock that a thread has which frees: that one must not wait for this. */
static int trim_engine(const struct taf_work *w)
{
	int err;

	taf_still_clears(true);
	err = call_engine(w, w->table->ops->trim);
	taf_still_clears(false);
	return err;
}

void taf_act_forget(void)
{
	atomic_store(&engines, 0);
}

bool taf_act_is_in_engine(void)
{
	return atomic_load(&engines) != 0;
}

/* Their functions may set errno; the program must not see it. */
static int call_sync(const struct taf_work *w, unsigned drain, const char **what)
{
	const struct taf_ops *ops = w->table->ops;
	void *handle = handle_of(w);
	bool trims = (drain & TAF_DRAIN_TRIM) && ops->trim, is_still = false;
	int saved = errno, err;

	if (!taf_capture_shut(CAPTURE_MS)) {
		*what = "not synchronized: a stream is being captured";
		return -EBUSY;
	}
	/* Before an engine's synchronize comes back its own threads may have to submit: there
	 * nobody stands still until it has. */
	if (trims && w->is_burst)
		is_still = taf_still_begin();
	taf_tls.inside++;
	err = w->is_burst ? sync_burst(w, handle) : call_engine(w, ops->sync);
	*what = err == -ENOSPC ? "not drained: unseen streams"
		: err	       ? "not synchronized, so not cleared"
			       : NULL;
	if (!err && trims) {
		if (taf_known_bars_clear(taf_engine_name(w->table->engine))) {
			*what = "not cleared: drain.no_clear names this version";
		} else {
			is_still = is_still || (!w->is_burst && taf_still_begin());
			err = w->is_burst ? ops->trim(handle, w->home) : trim_engine(w);
			*what = err ? "synchronized, but not cleared" : "caches cleared";
		}
	}
	taf_tls.inside--;
	if (is_still)
		taf_still_end();
	taf_capture_free();
	errno = saved;
	return err;
}

static int sync_quietly(const struct taf_work *w)
{
	const char *what;

	if (!w->table->ops || !w->table->ops->sync)
		return -ENOSYS;
	if (taf_tls.in_callback)
		return -EDEADLK;
	if (w->table->by_thread && !taf_owner_is_me(w))
		return -EPERM;
	return call_sync(w, TAF_DRAIN_SYNC, &what);
}

void taf_act_trace(struct taf_work *w)
{
	sync_quietly(w);
}

int taf_act_sync(struct taf_work *w)
{
	int err = sync_quietly(w);

	if (!err)
		taf_work_done(w);
	return err;
}

/* A program that frees while it computes does so again and again. */
static bool is_frequent(const struct taf_work *w, int rule)
{
	return w->is_burst && rule == TAF_RULE_drain_before_unload;
}

/* Whether this drain is in the log. */
static bool is_told(struct taf_work *w, int rule)
{
	struct taf_repeats *r = &w->repeats;
	uint64_t now;

	if (!is_frequent(w, rule))
		return true;
	now = taf_sys_mono_ns();
	if (r->of != w->of)
		*r = (struct taf_repeats){ .of = w->of, .untold = r->untold };
	if (r->told >= REPEATS && now - r->told_ns < REPEAT_NS) {
		r->untold++;
		return false;
	}
	r->told++;
	r->told_ns = now;
	return true;
}

static void name_untold(struct taf_text *t, struct taf_work *w)
{
	if (!w->repeats.untold)
		return;
	taf_text_put(t, t->used ? "; " : "");
	taf_text_u64(t, w->repeats.untold);
	taf_text_put(t, " drains before it are not in the log");
	w->repeats.untold = 0;
}

/* A runtime that the program itself has waited for. What is copied is not counted as
 * in flight, so the last wait of a process is made all the same. */
static bool is_idle(const struct taf_work *w, unsigned drain, int rule)
{
	return w->is_burst && !w->since_sync && !(drain & TAF_DRAIN_TRIM) &&
	       rule != TAF_RULE_drain_at_exit;
}

void taf_act_not_drained(const struct taf_work *w, int rule, const char *why)
{
	struct taf_rec r = { .kind = TAF_DRAIN,
			     .phase = TAF_MARK,
			     .engine = w->table->engine,
			     .model = taf_work_model_name(w),
			     .has = TAF_HAS_RC,
			     .rc = -ETIMEDOUT,
			     .rule = rule >= 0 ? taf_rule_info(rule)->path : NULL,
			     .msg = why };

	taf_crumb(&r);
}

/* What is freed again and again is said once a generation. */
static void not_from_callback(struct taf_work *w, int rule)
{
	if (!is_frequent(w, rule) || w->would != w->of)
		taf_act_not_drained(w, rule, "not drained: this is a callback of the runtime");
	w->would = w->of;
}

/* Fills r with what came of it. */
static void carry_out(struct taf_work *w, unsigned drain, struct taf_rec *r)
{
	struct taf_ring_head *head = taf_ring_head();
	struct taf_trace_span span = { 0 };
	uint64_t begin = taf_sys_mono_ns();

	if (taf_traced_is_on())
		span = taf_traced_open(w);
	r->rc = call_sync(w, drain, &r->msg);
	if (taf_traced_is_on())
		taf_traced_close(w, TAF_PART_DRAIN, &span);
	r->us = (taf_sys_mono_ns() - begin) / 1000;
	r->phase = TAF_END;
	r->has = TAF_HAS_OF | TAF_HAS_RC | TAF_HAS_MS;
	r->keep = TAF_KEEP_LOG;
	if (!r->rc) {
		w->drained_ns = taf_sys_mono_ns();
		taf_work_done(w);
	}
	if (head) {
		atomic_fetch_add(&head->drains, 1);
		atomic_fetch_add(&head->drain_ns, r->us * 1000);
	}
}

/* One that is not in the log, but for the first of a generation that fails. */
static void drain_untold(struct taf_work *w, unsigned drain, struct taf_rec *r, int rule)
{
	carry_out(w, drain, r);
	if (r->rc && w->would != w->of) {
		w->would = w->of;
		taf_act_not_drained(w, rule, r->msg);
	}
}

void taf_act_drain(struct taf_work *w, unsigned drain, int rule)
{
	char buf[160];
	struct taf_text label;
	struct taf_rec r = { .kind = TAF_DRAIN,
			     .phase = TAF_BEGIN,
			     .engine = w->table->engine,
			     .model = taf_work_model_name(w),
			     .rule = rule >= 0 ? taf_rule_info(rule)->path : NULL,
			     .extra = w->is_at_rest ? ",\"at_rest\":true" : NULL };

	if (!drain || !w->table->ops || !w->table->ops->sync || is_idle(w, drain, rule))
		return;
	if (w->table->by_thread && !taf_owner_is_me(w))
		return; /* it would wait for nothing, and look as if it had */
	taf_text_init(&label, buf, sizeof(buf));
	name_submits(&label, w);
	if (taf_rules.mode == TAF_MODE_OBSERVE) {
		r.msg = buf[0] ? buf : NULL;
		if (!is_frequent(w, rule) || w->would != w->of)
			would_drain(w, &r);
		w->would = w->of;
		return;
	}
	if (taf_tls.in_callback) {
		not_from_callback(w, rule);
		return;
	}
	if (!is_told(w, rule)) {
		drain_untold(w, drain, &r, rule);
		return;
	}
	name_untold(&label, w);
	r.msg = buf[0] ? buf : NULL;
	/* In the midst of a generation each flush makes all its requests wait (crumb.c). */
	if (rule != TAF_RULE_drain_every_submits && !is_frequent(w, rule) && !w->is_inferring)
		r.keep = TAF_KEEP_SYNC;
	r.of = taf_crumb(&r);
	carry_out(w, drain, &r);
	taf_crumb(&r);
}

/* After the drain at the exit all is being taken down, and a call into what is half gone takes
 * the process with it: cudart gives MLX's context back when MLX's streams are no more. */
static bool is_torn_down(const struct taf_work *w, const struct taf_live_model *model)
{
	return taf_state_now() == TAF_LEAVING && atomic_load(&taf_life.is_drained) &&
	       (!model || w->table->by_thread || !w->since_sync);
}

int taf_act_drain_all(const struct taf_live_model *model, unsigned drain, int rule)
{
	int missed = 0;
	struct taf_work *w;
	/* Whom a free has stand still waits for this thread, perhaps within its claim; so does a
	 * drain for its capture. */
	bool is_idle_only =
		(drain & TAF_DRAIN_IDLE) || taf_tls.in_callback ||
		(taf_state_now() == TAF_ACTIVE && (taf_still_is_mine() || taf_capture_is_own()));
	uint64_t wait_ms = is_idle_only ? 0 : (uint64_t)taf_rules.drain_deadline_ms;
	uint64_t until = taf_sys_mono_ns() + wait_ms * 1000000;

	for (int at = 0; (w = taf_work_next(&at));) {
		uint64_t now = taf_sys_mono_ns();
		void *handle = atomic_load(&w->handle);

		if (!handle || (model && w->model != model) || is_torn_down(w, model))
			continue;
		if (w->table->by_thread && !taf_owner_is_me(w)) {
			missed += !taf_owner_await(w, now < until ? until - now : 0, rule);
			continue;
		}
		/* Ours already: we interrupted the engine, in a handler or a callback of it. */
		if (atomic_load(&w->claim) == (uint32_t)taf_tid() ||
		    !taf_work_claim(w, now < until ? (uint32_t)((until - now) / 1000000) : 0)) {
			taf_act_not_drained(
				w, rule,
				"not drained: a thread is still in the engine with this context");
			missed++;
			continue;
		}
		/* It may have been freed while it was waited for. */
		if (atomic_load(&w->handle) == handle) {
			taf_work_settle(w, true);
			taf_act_drain(w, drain, rule);
		}
		taf_work_release(w);
	}
	return missed;
}

static void drain_as_decided(struct taf_work *w, enum taf_kind kind, enum taf_phase phase)
{
	struct taf_event ev = { .kind = kind, .phase = phase, .engine = w->table->engine };
	int rule;
	unsigned drain = taf_act_drains(&ev, w, &rule);

	taf_act_drain(w, drain, rule);
}

/* Only few generations concern more than the drains. */
static bool is_to_be_admitted(const struct taf_work *w)
{
	return w->model && !w->model->infers && taf_rules.cadence_families.n;
}

bool taf_act_before_infer(struct taf_work *w)
{
	struct taf_event ev = { .kind = TAF_INFER,
				.phase = TAF_BEGIN,
				.engine = w->table->engine,
				.is_first = w->model && !w->model->infers,
				.model = taf_work_model_name(w) };

	if (is_to_be_admitted(w))
		return taf_admit(&(struct taf_admission){ .event = &ev, .work = w });
	drain_as_decided(w, TAF_INFER, TAF_BEGIN);
	taf_memory_watch(w);
	return true;
}

void taf_act_after_infer(struct taf_work *w)
{
	drain_as_decided(w, TAF_INFER, TAF_END);
}

void taf_act_after_submit(struct taf_work *w)
{
	drain_as_decided(w, TAF_SUBMIT, TAF_END);
}
