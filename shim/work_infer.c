/* SPDX-License-Identifier: MIT */
/* work_infer.c -- the generations on a context: how they begin, go on and end. See work.h. */
#include "work.h"

#include "../policy/text.h"
#include "act.h"
#include "burst.h"
#include "coarse.h"
#include "crumb.h"
#include "learn.h"
#include "load.h"
#include "model.h"
#include "recycle.h"
#include "serial.h"
#include "served.h"
#include "swap.h"
#include "traced.h"
#include "turn.h"

#define SHARE 16u /* of its submits: how many may come without the clock being read */

/* One more: the record of its begin. */
uint64_t taf_work_tell_begin(struct taf_work *w, const struct taf_call *c)
{
	struct taf_rec r = { .kind = TAF_INFER,
			     .phase = TAF_BEGIN,
			     .engine = c->table->engine,
			     .call = taf_row_name(c->table, c->row),
			     .model = taf_work_model_name(w) };
	uint64_t of;

	if (w->ctx_tokens) {
		r.has |= TAF_HAS_CTX;
		r.ctx = w->ctx_tokens;
	}
	if (w->model)
		w->model->infers++;
	of = taf_crumb(&r);
	if (taf_ring_head())
		atomic_fetch_add(&taf_ring_head()->infers, 1);
	taf_recycle_look();
	return of;
}

static bool begin_infer(struct taf_work *w, struct taf_call *c)
{
	taf_model_group_close();
	taf_load_group_close();
	taf_serial_enter(w);
	if (!taf_act_before_infer(w)) {
		taf_serial_leave(w);
		return false;
	}
	w->is_inferring = true;
	/* Until its first submit is over nobody takes it for idle. */
	w->begin_ns = w->last_ns = taf_sys_mono_ns();
	w->waited_ns = 0;
	w->submits = w->tokens = w->peak = w->prefill = w->waited_for = w->look = 0;
	w->requests = (struct taf_requests){ .began = 0 };
	w->first_unsynced = 1;
	if (w->is_burst)
		taf_burst_begin(w);
	taf_work_go_in(w, true);
	w->of = taf_work_tell_begin(w, c);
	if (w->table->by_thread)
		taf_served_start(w);
	return true;
}

bool taf_work_submit(struct taf_work *w, struct taf_call *c)
{
	taf_traced_arrive(w);
	taf_work_settle(w, false);
	return taf_work_begin(w, c);
}

bool taf_work_begin_slow(struct taf_work *w, struct taf_call *c)
{
	taf_traced_begin(w);
	if (!taf_turn_begin(w, c))
		return false;
	if (w->is_inferring) {
		taf_work_go_in(w, false);
	} else if (!begin_infer(w, c)) {
		taf_turn_end(NULL);
		return false;
	}
	taf_traced_submit(w);
	return true;
}

void taf_work_note_time(struct taf_work *w, struct taf_coarse now)
{
	struct taf_ring_head *head = taf_ring_head();

	w->look = w->submits + w->submits / SHARE + 1;
	w->at = now;
	w->last_ns = taf_sys_mono_ns();
	if (w->table->by_thread)
		taf_swap_note(w);
	if (head)
		atomic_store_explicit(&head->last_activity_ns, w->last_ns, memory_order_relaxed);
}

static uint64_t us_of(const struct taf_ending *e, uint64_t until_ns)
{
	return until_ns > e->of->begin_ns ? (until_ns - e->of->begin_ns) / 1000 : 0;
}

/* ,"rate":12.3 in tokens a second, from the first decode to the last. */
static void put_rate(struct taf_text *t, const struct taf_work *w, const struct taf_ending *e)
{
	uint64_t us = us_of(e, w->last_ns), tenths = us ? e->tokens * 10000000 / us : 0;

	if (!us || (w->table->by_thread && !e->tokens))
		return;
	taf_text_put(t, ",\"rate\":");
	taf_text_u64(t, tenths / 10);
	taf_text_char(t, '.');
	taf_text_u64(t, tenths % 10);
}

static void put_number(struct taf_text *t, const char *key, uint64_t n)
{
	taf_text_put(t, key);
	taf_text_u64(t, n);
}

/* Without a token of anybody they were evaluations, of whatever. */
static void put_served(const struct taf_work *w, const struct taf_ending *e, struct taf_text *t)
{
	const struct taf_served *s = e->of;
	bool is_least = taf_rounds_is_least(&w->rounds);

	if (!w->tokens)
		put_number(t, ",\"evals\":", e->submits);
	else if (e->tokens && s->is_first)
		put_number(t, ",\"prefill\":", w->prefill);
	if (e->tokens && is_least)
		put_number(t, ",\"steps\":", e->tokens);
	if (w->rounds.order == TAF_ORDER_DRAFTS)
		put_number(t, ",\"drafts\":", w->rounds.drafts);
	if (!e->tokens || is_least || w->rounds.order == TAF_ORDER_OTHER)
		return;
	put_number(t, ",\"requests\":", s->requests);
	put_number(t, ",\"sequences\":", s->most ? s->most : 1);
}

void taf_work_tell_end(struct taf_work *w, const struct taf_ending *e)
{
	char buf[1024];
	struct taf_text extra;
	struct taf_rec r = { .kind = TAF_INFER,
			     .phase = TAF_END,
			     .engine = w->table->engine,
			     .model = taf_work_model_name(w),
			     .of = e->of->of,
			     .submits = w->is_burst ? w->launches : e->submits,
			     .tokens = e->tokens,
			     .peak = w->peak,
			     .live = taf_work_bytes(),
			     .kv_bytes = taf_work_kv_bytes(),
			     .handles = taf_work_contexts(),
			     .us = us_of(e, taf_work_end_ns(w)),
			     .keep = TAF_KEEP_LOG };

	r.has = TAF_HAS_OF | TAF_HAS_SUBMITS | TAF_HAS_TOKENS | TAF_HAS_PEAK | TAF_HAS_LIVE |
		TAF_HAS_HANDLES | TAF_HAS_MS | TAF_HAS_KV;
	taf_text_init(&extra, buf, sizeof(buf));
	taf_requests_put(&w->requests, &extra);
	put_rate(&extra, w, e);
	if (w->table->by_thread) { /* instead: memory by the engine's own count */
		r.has &= ~(unsigned)(TAF_HAS_PEAK | TAF_HAS_KV);
		put_served(w, e, &extra);
		w->table->by_thread->tell(w->home, &extra);
	}
	if (w->is_burst) {
		taf_text_init(&extra, buf, sizeof(buf));
		taf_burst_tell(w, &r, &extra);
	}
	if (e->is_last)
		taf_traced_end(w, &extra);
	r.extra = extra.is_cut ? NULL : buf;
	taf_crumb(&r);
	taf_learn_inferred(w);
}

static void end_infer(struct taf_work *w)
{
	struct taf_served only = { .of = w->of, .begin_ns = w->begin_ns };
	struct taf_ending last = { .of = &only, .is_last = true };

	/* First of all: who seizes w meanwhile, to leave, must not end it once more. */
	w->is_inferring = false;
	if (w->is_burst)
		taf_burst_end(w);
	last.tokens = w->tokens;
	last.submits = w->submits;
	if (w->table->by_thread)
		taf_served_end(w, &only, &last);
	taf_work_tell_end(w, &last);
	taf_serial_leave(w);
	w->owes_sync = true;
}

static void end_if(struct taf_work *w, bool must)
{
	if (w->is_burst)
		taf_burst_fold(w);
	if (!w->is_inferring || (!must && taf_sys_mono_ns() <= taf_work_idle_ns(w)))
		return;
	end_infer(w);
	if (w->is_burst)
		taf_work_pause(w);
}

void taf_work_end_idle(struct taf_work *w)
{
	end_if(w, false);
}

void taf_work_settle(struct taf_work *w, bool must)
{
	end_if(w, must);
	if (w->owes_sync && !w->is_inferring) {
		w->owes_sync = false;
		taf_act_after_infer(w);
	}
}
