/* SPDX-License-Identifier: MIT */
#include "contexts.h"

#include "../policy/text.h"
#include "../shim/act.h"
#include "../shim/error.h"
#include "../shim/learn.h"
#include "../shim/traced.h"
#include "../shim/turn.h"
#include "../shim/work.h"

static void give_back(struct taf_work *w)
{
	taf_tls.held = NULL;
	taf_work_release(w);
}

bool taf_context_enter(struct taf_call *call, void *ctx, int32_t tokens)
{
	struct taf_work *w = call->is_counted ? taf_work_of(ctx) : NULL;

	call->tokens = tokens > 0 ? (uint64_t)tokens : 0;
	if (!w)
		return true;
	/* Whoever holds it longer than any drain may last has left it behind. */
	if (!taf_work_claim(w, taf_rules.drain_deadline_ms))
		taf_work_seize(w);
	taf_tls.held = w;
	call->work = w;
	if (taf_error_may_compute(call, w) && taf_work_submit(w, call))
		return true;
	give_back(w);
	return false;
}

static void trace(const struct taf_call *call, int32_t rc)
{
	struct taf_trace_step step = { .tokens = call->is_prompt || rc ? 0 : call->tokens,
				       .is_prompt = call->is_prompt };

	taf_traced_step(call->work, step, rc);
}

void taf_context_leave(struct taf_call *call, int32_t rc)
{
	struct taf_work *w = call->work;

	if (!w)
		return;
	taf_work_submitted(w, call, rc);
	if (taf_traced_is_on())
		trace(call, rc);
	taf_act_after_submit(w);
	taf_turn_end(w);
	give_back(w);
}

void taf_context_sync(struct taf_call *call, void *ctx, taf_handle_fn *theirs)
{
	struct taf_work *w = call->is_counted ? taf_work_of(ctx) : NULL;
	bool has = w && taf_work_claim(w, taf_rules.drain_deadline_ms);

	if (has)
		taf_tls.held = w;
	theirs(ctx);
	call->work = w;
	if (!has)
		return;
	taf_work_done(w);
	give_back(w);
}

void taf_context_free(struct taf_call *call, void *ctx, taf_handle_fn *theirs)
{
	struct taf_work *w = taf_work_of(ctx);

	/* An estimate's context, or one that a decode does not leave: theirs alone. */
	if (!w || !taf_work_claim(w, taf_rules.drain_deadline_ms)) {
		if (w)
			taf_work_drop(w);
		if (theirs)
			theirs(ctx);
		return;
	}
	call->work = w;
	call->is_context = true;
	taf_work_settle(w, true);
	if (!taf_before(call)) {
		taf_work_release(w);
		return;
	}
	call->model = taf_work_model_name(w);
	call->work = NULL;
	taf_work_drop(w);
	theirs(ctx);
	taf_after(call, 0);
}

/* The entry goes before the memory does: a pointer may come back at once as another model. */
void taf_context_free_model(struct taf_call *call, void *model, taf_handle_fn *theirs)
{
	struct taf_live_model *m = taf_work_model(model);
	char name[TAF_MODEL_NAME];

	if (!m || m->is_dry || !theirs) {
		if (m)
			taf_work_drop_model(m);
		if (theirs)
			theirs(model);
		return;
	}
	taf_copy(name, m->name, sizeof(name));
	call->model = name[0] ? name : NULL;
	call->handle = model;
	call->bytes = m->bytes;
	call->has_bytes = true;
	call->is_dry = taf_learn_is_none(m);
	if (!taf_before(call))
		return;
	taf_work_drop_model(m);
	theirs(model);
	taf_after(call, 0);
}
