/* SPDX-License-Identifier: MIT */
#include "whole.h"

#include "../policy/text.h"
#include "../shim/act.h"
#include "../shim/error.h"
#include "../shim/traced.h"
#include "../shim/turn.h"

static void give_back(struct taf_work *w)
{
	taf_tls.held = NULL;
	taf_work_release(w);
}

bool taf_whole_begin(struct taf_call *c, const void *ctx)
{
	struct taf_work *w;

	if (!taf_before_narrow(c, TAF_SUBMIT))
		return false;
	w = c->is_counted ? taf_work_of(ctx) : NULL;
	if (!w)
		return true;
	/* Whoever holds it longer than any drain may last has left it behind. */
	if (!taf_work_claim(w, taf_rules.drain_deadline_ms))
		taf_work_seize(w);
	taf_tls.held = w;
	c->work = w;
	w->has_failed = false;
	if (taf_error_may_compute(c, w) && taf_work_submit(w, c))
		return true;
	give_back(w);
	taf_after_narrow(c, TAF_SUBMIT, -1);
	return false;
}

/* An engine that was told to stop, or got what it cannot use, returns the same as one
 * whose graph has failed; ggml tells them apart. */
static void look_at(const struct taf_call *c, int64_t rc)
{
	struct taf_error e = { .call = c, .work = c->work, .rc = rc };

	if (!rc) {
		taf_error_passed(c, c->work);
		return;
	}
	e.what = c->work && c->work->has_failed ? TAF_FAILED_COMPUTE : TAF_FAILED_REQUEST;
	taf_error_failed(&e);
}

void taf_whole_end(struct taf_call *c, int64_t rc, bool is_over)
{
	struct taf_work *w = c->work;

	look_at(c, rc);
	if (w) {
		taf_work_submitted(w, c, rc);
		if (taf_traced_is_on())
			taf_traced_step(w, (struct taf_trace_step){ .tokens = 0 }, rc);
		if (is_over)
			taf_work_settle(w, true);
		taf_turn_end(w);
		give_back(w);
	}
	taf_after_narrow(c, TAF_SUBMIT, rc);
}

void taf_whole_made(const struct taf_call *c, void *state, const void *ctx)
{
	struct taf_maker by = { .table = c->table, .home = c->caller };

	if (state && c->is_counted)
		taf_work_add(&by, state, taf_work_model(ctx));
}

void *taf_whole_loaded(struct taf_load *l, struct taf_call *c, void *ctx, bool computes)
{
	taf_load_end(l, c, ctx);
	if (computes)
		taf_whole_made(c, ctx, ctx);
	return ctx;
}

/* What is left of a generation on it ends. False: a thread is in it. */
static bool settle(struct taf_work *w)
{
	if (!w)
		return true;
	if (!taf_work_claim(w, taf_rules.drain_deadline_ms))
		return false;
	taf_work_settle(w, true);
	taf_work_release(w);
	return true;
}

/* The entries go before the memory does: a pointer may come back at once. */
static void forget(struct taf_work *w, struct taf_live_model *m)
{
	if (w)
		taf_work_drop(w);
	if (m)
		taf_work_drop_model(m);
}

void taf_whole_free(struct taf_call *c, void *ctx)
{
	struct taf_work *w = taf_work_of(ctx);
	struct taf_live_model *m = taf_work_model(ctx);
	char name[TAF_MODEL_NAME];

	if ((!w && !m) || !settle(w)) {
		forget(w, m);
		c->real = taf_real(c->table, c->row, c->caller);
		if (c->real)
			((void (*)(void *))c->real)(ctx);
		return;
	}
	taf_copy(name, m ? m->name : taf_work_model_name(w) ? w->model->name : "", sizeof(name));
	c->model = name[0] ? name : NULL;
	c->is_context = !m;
	c->handle = m ? ctx : NULL;
	c->bytes = m ? m->bytes : 0;
	c->has_bytes = m != NULL;
	if (!taf_before(c))
		return;
	forget(w, m);
	((void (*)(void *))c->real)(ctx);
	taf_after(c, 0);
}
