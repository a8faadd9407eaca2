/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <errno.h>

#include "../policy/classify.h"
#include "../policy/fault.h"
#include "../policy/text.h"
#include "crumb.h"
#include "recycle.h"
#include "state.h"
#include "tally.h"
#include "work.h"

#define SAID_WOULD (1u << 31)

_Atomic(bool) taf_error_is_any;
static _Atomic(bool) is_poisoned; /* or would be, in observe mode: the rules know */

/* Class and hint where nobody knows more. The last sentence of compute_failed is true of
 * ggml-metal, which keeps its error for good (ggml-metal-context.m), and of CUDA. */
static const struct {
	char class[16], hint[128];
} known[] = {
	[TAF_FAILED_REQUEST] = { "bad_batch", "the engine turned the request down: mend it" },
	[TAF_FAILED_UNKNOWN] = { "exception",
				 "the engine reported a failure that tells nothing of the device" },
	[TAF_FAILED_MEMORY] = { "out_of_memory",
				"there was no memory to compute in: a smaller batch or context" },
	[TAF_FAILED_COMPUTE] = { "compute_failed",
				 "what the context holds of it is not to be trusted; a backend may "
				 "go on failing until the program is started again" },
};

static bool is_observed(void)
{
	return taf_rules.mode == TAF_MODE_OBSERVE;
}

/* A crumb about w that on_error is the reason of. */
static void say(enum taf_kind kind, const struct taf_work *w, const char *call, const char *msg)
{
	struct taf_rec r = { .kind = kind,
			     .phase = TAF_MARK,
			     .engine = w ? w->table->engine : TAF_ENGINE_NONE,
			     .call = call,
			     .model = taf_work_model_name(w),
			     .rule = taf_rule_info(TAF_RULE_on_error)->path,
			     .msg = msg };

	taf_crumb(&r);
}

/* ---- the crumb of the failure ---- */

static void describe(const struct taf_error *e, const struct taf_fault *f, struct taf_rec *r,
		     struct taf_text *t)
{
	struct taf_error_class found;

	r->class = known[e->what].class;
	if (e->text && taf_classify(e->text, taf_len(e->text), &found)) {
		r->class = found.name;
		taf_text_put(t, found.advice);
	} else if (f && f->severity) {
		taf_text_put(t, f->name);
		taf_text_put(t, ": ");
		taf_text_put(t, f->hint);
	} else {
		taf_text_put(t, known[e->what].hint);
	}
	if (e->text) {
		taf_text_put(t, ": ");
		taf_text_put(t, e->text);
	}
}

static void write_crumb(const struct taf_error *e, const struct taf_fault *f)
{
	char buf[384];
	struct taf_text t;
	struct taf_rec r = { .kind = TAF_ERROR,
			     .phase = TAF_MARK,
			     .engine = e->call->table->engine,
			     .call = taf_row_name(e->call->table, e->call->row),
			     .model = e->work ? taf_work_model_name(e->work) : e->model,
			     .has = TAF_HAS_RC,
			     .rc = e->rc,
			     .msg = buf };

	/* A program may make exceptions its way of asking: none of them is waited for. */
	if (e->what == TAF_FAILED_UNKNOWN)
		r.keep = TAF_KEEP_LOG;
	taf_text_init(&t, buf, sizeof(buf));
	describe(e, f, &r, &t);
	taf_crumb(&r);
}

/* ---- what on_error does ---- */

static const char *name_of(const struct taf_call *c)
{
	return taf_row_name(c->table, c->row);
}

/* What w holds is kept by the engine, and so can be kept back. */
static bool has_store(const struct taf_work *w)
{
	return w && w->table->store;
}

static bool can_reset(const struct taf_work *w)
{
	return has_store(w) && !w->table->store->reset(NULL, w->home);
}

static void leave(struct taf_work *w, enum taf_after after)
{
	const struct taf_store_ops *ops = w->table->store;

	taf_tls.inside++;
	atomic_store(&w->store, ops ? ops->store(atomic_load(&w->handle), w->home) : NULL);
	taf_tls.inside--;
	atomic_store(&w->after, after);
	atomic_store(&taf_error_is_any, true);
}

static void poison(const struct taf_call *c, struct taf_work *w)
{
	bool was = atomic_exchange(&is_poisoned, true);

	if (!has_store(w)) {
		if (!was)
			say(TAF_NOTE, w, name_of(c),
			    "no context is known that could be poisoned: only loads are refused "
			    "from now on");
		return;
	}
	leave(w, TAF_AFTER_POISON);
	say(TAF_NOTE, w, name_of(c),
	    "poisoned: the context computes, shows and saves nothing until it is freed, and no "
	    "model is loaded until the program is started again");
}

static void plan_reset(const struct taf_call *c, struct taf_work *w)
{
	if (!can_reset(w)) {
		say(TAF_NOTE, w, name_of(c),
		    "the engine has no function that clears this context: it is only noted");
		return;
	}
	leave(w, TAF_AFTER_RESET);
	say(TAF_NOTE, w, name_of(c), "the context will be cleared before it is used again");
}

static void ask_restart(const struct taf_call *c, const struct taf_work *w)
{
	if (taf_recycle_ask(TAF_RULE_on_error, "a computation failed") && !is_observed() &&
	    !taf_env_is_on(taf_env_now, "TAFFRAIL_RESTART"))
		say(TAF_NOTE, w, name_of(c),
		    "nobody will start it again: it does not run under `taffrail run --restart`");
}

static const char *would(const struct taf_work *w)
{
	if (taf_rules.on_error == TAF_ON_ERROR_RESET)
		return can_reset(w) ? "would clear the context" : "would only note it";
	return has_store(w) ? "would poison the context" : "would refuse loads from now on";
}

static void say_would(const struct taf_call *c, struct taf_work *w)
{
	if (taf_rules.on_error == TAF_ON_ERROR_POISON)
		atomic_store(&is_poisoned, true);
	if (!w || !(atomic_fetch_or(&w->said, SAID_WOULD) & SAID_WOULD))
		say(TAF_WOULD, w, name_of(c), would(w));
}

static void react(const struct taf_call *c, struct taf_work *w)
{
	switch (taf_rules.on_error) {
	case TAF_ON_ERROR_RESTART: ask_restart(c, w); break;
	case TAF_ON_ERROR_POISON:
	case TAF_ON_ERROR_RESET:
		if (is_observed())
			say_would(c, w);
		else if (taf_rules.on_error == TAF_ON_ERROR_POISON)
			poison(c, w);
		else
			plan_reset(c, w);
		break;
	default: break;
	}
}

static const struct taf_fault *take_fault(struct taf_work *w)
{
	const struct taf_fault *f = w ? w->fault : NULL;

	if (w)
		w->fault = NULL;
	return f && f->severity ? f : NULL;
}

void taf_error_failed(const struct taf_error *e)
{
	const struct taf_fault *f = take_fault(e->work);

	if (!e->call->is_counted)
		return;
	write_crumb(e, f);
	if ((e->what != TAF_FAILED_REQUEST && e->what != TAF_FAILED_UNKNOWN) || f)
		react(e->call, e->work);
}

void taf_error_passed(const struct taf_call *c, struct taf_work *w)
{
	if (take_fault(w))
		react(c, w);
}

/* The crumb of it is fault.c's own. */
void taf_error_fault(const struct taf_fault *f)
{
	struct taf_work *w = taf_tls.held;

	if (w && (!w->fault || w->fault->severity < f->severity))
		w->fault = f;
}

/* ---- the next use ---- */

static void reset(const char *call, struct taf_work *w)
{
	int saved = errno, err;

	atomic_store(&w->after, TAF_AFTER_NONE);
	taf_tls.inside++;
	err = w->table->store->reset(atomic_load(&w->handle), w->home);
	taf_tls.inside--;
	errno = saved;
	say(TAF_NOTE, w, call,
	    err ? "the context could not be cleared"
		: "the context was cleared after the failed computation");
}

static void say_refused(const char *call, struct taf_work *w, enum taf_use use)
{
	static const char what[][20] = {
		[TAF_USE_COMPUTE] = "computes nothing",	 [TAF_USE_POSITIONS] = "shows no positions",
		[TAF_USE_RESULTS] = "shows no results",	 [TAF_USE_SAVE] = "saves no state",
		[TAF_USE_RESTORE] = "restores no state",
	};
	struct taf_ring_head *head = taf_ring_head();
	char buf[96];
	struct taf_text t;

	if (head)
		atomic_fetch_add(&head->refuses, 1);
	taf_tally_rule(TAF_REFUSE, TAF_RULE_on_error);
	if (atomic_fetch_or(&w->said, 1u << use) & 1u << use)
		return;
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, "a computation on this context failed: it ");
	taf_text_put(&t, what[use]);
	say(TAF_REFUSE, w, call, buf);
}

bool taf_error_may_compute(const struct taf_call *c, struct taf_work *w)
{
	/* The engine was left by an exception, or a jump: nobody has seen it end. */
	if (w->fault)
		taf_error_passed(c, w);
	if (atomic_load(&w->after) == TAF_AFTER_RESET)
		reset(name_of(c), w);
	if (atomic_load(&w->after) != TAF_AFTER_POISON)
		return true;
	say_refused(name_of(c), w, TAF_USE_COMPUTE);
	return false;
}

/* A thread that is in the engine with it clears it itself, at its next computation. */
static void reset_if_free(const char *call, struct taf_work *w)
{
	if (atomic_load(&w->claim) == (uint32_t)taf_tid() || !taf_work_claim(w, 0))
		return;
	if (atomic_load(&w->after) == TAF_AFTER_RESET)
		reset(call, w);
	taf_work_release(w);
}

bool taf_error_may_use(const char *call, struct taf_work *w, enum taf_use use)
{
	enum taf_state s = taf_state_now();

	if (!w || taf_tls.inside || (s != TAF_ACTIVE && s != TAF_LEAVING) || taf_is_other_process())
		return true;
	if (atomic_load(&w->after) == TAF_AFTER_RESET && use != TAF_USE_RESULTS)
		reset_if_free(call, w);
	if (atomic_load(&w->after) != TAF_AFTER_POISON)
		return true;
	say_refused(call, w, use);
	return false;
}

struct taf_work *taf_error_work_of_store(const void *store)
{
	struct taf_work *w;

	for (int i = 0; store && (w = taf_work_at(i)); i++)
		if (atomic_load(&w->handle) && atomic_load(&w->store) == store)
			return w;
	return NULL;
}

bool taf_error_is_poisoned(void)
{
	return atomic_load_explicit(&is_poisoned, memory_order_relaxed);
}

void taf_error_forget(void)
{
	atomic_store(&is_poisoned, false);
	atomic_store(&taf_error_is_any, false);
}
