/* SPDX-License-Identifier: MIT */
#include "traced.h"

#include "../policy/text.h"
#include "act.h"
#include "burst.h"
#include "owner.h"

#define CLAIM_MS 1u /* a look at the work of a burst takes far less */

/* What no generation has taken over yet. */
static _Atomic(uint64_t) pending[TAF_PARTS];

void taf_traced_begin(struct taf_work *w)
{
	uint64_t n = w->model ? w->model->infers : w->infers;

	if (!taf_traced_is_on() || w->is_inferring)
		return;
	taf_trace_begin(&w->trace, w->arrived_ns);
	w->trace.is_on = taf_trace_picks(n);
	w->trace.is_first = !n;
	w->trace.has_tokens = w->is_burst; /* a runtime knows no prompt */
}

/* At the first computation: a generation that was refused has taken nothing over. */
static void take_over(struct taf_work *w)
{
	for (int i = 0; i < TAF_PARTS; i++)
		taf_trace_owes(&w->trace, (enum taf_part)i, atomic_exchange(&pending[i], 0));
	if (!w->model)
		return;
	taf_trace_owes(&w->trace, TAF_PART_LOAD, w->model->load_ns);
	w->model->load_ns = 0;
}

void taf_traced_submit(struct taf_work *w)
{
	struct taf_trace *t = &w->trace;

	if (!taf_traced_is_on() || !t->is_on)
		return;
	w->tid = taf_tid();
	if (!t->submits && !t->prompt_submits)
		take_over(w);
	w->span = taf_trace_open(t, taf_sys_mono_ns());
}

/* What their call began it may not have finished: that is waited for here. Not of MLX,
 * which tells whoever waits first what failed: that is for the program to hear. */
void taf_traced_step(struct taf_work *w, struct taf_trace_step step, int64_t rc)
{
	struct taf_trace *t = &w->trace;
	uint64_t from = w->span.from_ns, now;

	if (!t->is_on)
		return;
	if (!step.is_sync) {
		from = taf_sys_mono_ns();
		if (!rc && !w->table->by_thread && taf_rules.mode == TAF_MODE_ENFORCE)
			taf_act_trace(w);
	}
	now = taf_sys_mono_ns();
	step.wait_ns = now - from;
	taf_trace_close(t, step.is_prompt ? TAF_PART_PREFILL : TAF_PART_DECODE, &w->span, now);
	taf_trace_step(t, &step);
}

/* The generation that this thread computed on last, of engines whose synchronize names no
 * context; else the one that anybody did. */
static struct taf_work *latest(void)
{
	struct taf_work *w, *best = NULL;
	int32_t me = taf_tid();

	for (int i = 0; (w = taf_work_at(i)); i++) {
		if (!atomic_load(&w->handle) || w->is_burst || w->table->by_thread ||
		    !w->is_inferring)
			continue;
		if (!best || (w->tid == me) > (best->tid == me) ||
		    ((w->tid == me) == (best->tid == me) && w->last_ns > best->last_ns))
			best = w;
	}
	return best;
}

static struct taf_work *work_of(const struct taf_call *c)
{
	if (c->work)
		return c->work;
	if (c->table->by_thread)
		return taf_owner_mine();
	if (taf_api_of(c->table->engine) != TAF_API_NONE)
		return taf_burst_work(taf_api_of(c->table->engine));
	return latest();
}

/* A wait long after the last computation is of nothing that this generation did. */
static bool is_part(const struct taf_work *w, uint64_t from_ns)
{
	return w->trace.is_on && w->is_inferring && from_ns <= taf_work_idle_ns(w);
}

void taf_traced_synced(const struct taf_call *c)
{
	struct taf_work *w = work_of(c);

	if (!w || atomic_load(&w->claim) == (uint32_t)taf_tid() || !taf_work_claim(w, CLAIM_MS))
		return;
	if (w->is_burst && w->trace.is_on)
		taf_burst_fold(w);
	if (is_part(w, c->begin_ns))
		taf_trace_synced(&w->trace, taf_trace_wait(&w->trace, TAF_PART_SYNC, c->begin_ns,
							   taf_sys_mono_ns()));
	taf_work_release(w);
}

static uint64_t pending_ns(void)
{
	uint64_t n = 0;

	for (int i = 0; i < TAF_PARTS; i++)
		n += atomic_load(&pending[i]);
	return n;
}

/* What a load drains is of other works, whose generations are over. */
static bool is_pending(const struct taf_work *w)
{
	return !w || (taf_tls.open & 1u << TAF_LOAD);
}

struct taf_trace_span taf_traced_open(const struct taf_work *w)
{
	uint64_t now = taf_sys_mono_ns();

	return is_pending(w) ? (struct taf_trace_span){ now, pending_ns() }
			     : taf_trace_open(&w->trace, now);
}

void taf_traced_close(struct taf_work *w, enum taf_part part, const struct taf_trace_span *s)
{
	uint64_t now = taf_sys_mono_ns(), whole = now - s->from_ns, within;

	if (!is_pending(w)) {
		taf_trace_close(&w->trace, part, s, now);
		return;
	}
	within = pending_ns() - s->counted_ns;
	atomic_fetch_add(&pending[part], within < whole ? whole - within : 0);
}

void taf_traced_loaded(struct taf_live_model *m, const struct taf_call *c)
{
	uint64_t ns = taf_sys_mono_ns() - c->begin_ns;

	if (m && !c->is_companion)
		m->load_ns = ns;
	else
		atomic_fetch_add(&pending[TAF_PART_LOAD], ns);
}

static void put(struct taf_text *t, const char *key, const char *unit, uint64_t n)
{
	taf_text_put(t, ",\"");
	taf_text_put(t, key);
	taf_text_put(t, unit);
	taf_text_put(t, "\":");
	taf_text_u64(t, n);
}

void taf_traced_end(struct taf_work *w, struct taf_text *out)
{
	struct taf_trace *t = &w->trace;
	struct taf_trace_sum sum;

	if (!taf_traced_is_on())
		return;
	w->infers++;
	if (t->is_on) {
		taf_trace_end(t, taf_work_end_ns(w), &sum);
		if (w->is_burst)
			t->submits = w->submits;
		taf_text_put(out,
			     t->is_first ? ",\"trace\":{\"first\":1" : ",\"trace\":{\"first\":0");
		put(out, "wall", "_us", sum.wall_us);
		put(out, "host", "_us", sum.host_us);
		put(out, "wait", "_us", sum.wait_us);
		for (int i = 0; i < TAF_PARTS; i++)
			put(out, taf_part_name((enum taf_part)i), "_us", sum.us[i]);
		put(out, "tokens", "", t->tokens);
		put(out, "submits", "", t->submits);
		put(out, "syncs", "", t->syncs);
		put(out, "prompt_submits", "", t->prompt_submits);
		put(out, "prompt_syncs", "", t->prompt_syncs);
		taf_text_char(out, '}');
	}
	*t = (struct taf_trace){ .arrived_ns = 0 };
}

void taf_traced_forget(void)
{
	for (int i = 0; i < TAF_PARTS; i++)
		atomic_store(&pending[i], 0);
}
