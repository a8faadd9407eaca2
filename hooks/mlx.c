/* SPDX-License-Identifier: MIT */
/* mlx.c -- MLX: loads, generations, limits, and the ways to synchronize.
 *
 * C that C++ calls, and that calls C++.  A vector by value arrives as a pointer to
 * the caller's own, which the callee may empty; what is thrown passes our frames
 * and is seen on the way (shim/trycall.h).  Functions that give back an object are
 * entered in assembly: where the object goes is told by a register. */
#include <errno.h>

#include "../policy/text.h"
#include "../shim/act.h"
#include "../shim/batch.h"
#include "../shim/chunk.h"
#include "../shim/crumb.h"
#include "../shim/thrown.h"
#include "mlx.h"

#define TAF_STREAM struct taf_stream
#define TAF_NO_STREAM ((struct taf_stream){ 0 })

#define TAF_ROWS "mlx.def"
#define TAF_TABLE taf_table_mlx
#define TAF_ENGINE TAF_ENGINE_MLX
#define TAF_OPS &taf_mlx_ops
#define TAF_STATUS(r) TAF_STATUS_OF(r)

#define TAF_BY_THREAD &taf_mlx_threads
#include "expand.h"

/* ---- Evaluations ---------------------------------------------------------------- */

bool taf_mlx_begin(struct taf_mlx_job *j, const struct taf_table *t, int row, const void *caller)
{
	struct taf_call *c = &j->call;

	j->load = atomic_load_explicit(&taf_lazy_open, memory_order_relaxed) && !taf_tls.inside &&
				  !taf_tls.open
			  ? taf_lazy_take()
			  : NULL;
	j->is_seen = true;
	if (j->load) {
		*c = taf_lazy_call(j->load);
		taf_resume(c);
		c->real = taf_real(t, row, caller);
		if (c->real)
			taf_lazy_evaluate(j->load);
		else
			taf_lazy_end(j->load, c, false);
		return c->real != NULL;
	}
	taf_call_narrow(c, t, row);
	c->caller = caller;
	c->kind = TAF_SUBMIT;
	c->model = NULL;
	c->work = NULL;
	if (!taf_before_narrow(c, TAF_SUBMIT))
		return false;
	j->is_seen = c->is_counted;
	if (!c->is_counted)
		return true;
	taf_mlx_prepare(c);
	if (taf_owner_begin(c, &j->step))
		return true;
	taf_turn_away(c);
	return false;
}

void taf_mlx_end(struct taf_mlx_job *j, int64_t rc)
{
	if (j->load) {
		taf_lazy_end(j->load, &j->call, !rc);
		return;
	}
	taf_owner_end(&j->call, &j->step, rc);
	taf_after_narrow(&j->call, TAF_SUBMIT, rc);
}

/* eval.chunk: what is evaluated in pieces, and the piece at hand. */
struct pieces {
	const struct taf_vector *all;
	struct taf_vector piece;
	size_t n;
	enum taf_stdlib lib;
};

/* One evaluation of the program. */
struct evaluation {
	struct taf_mlx_job job;
	struct pieces pieces;
};

static void on_throw(struct taf_try *t)
{
	struct evaluation *e = t->ctx;
	struct taf_mlx_job *j = &e->job;

	taf_chunk_drop(&e->pieces.piece, e->pieces.lib);
	taf_mlx_end(j, -1);
}

static void on_seen(struct taf_try *t)
{
	const struct evaluation *e = t->ctx;

	taf_mlx_failed(&e->job, taf_thrown_text(t->thrown), taf_thrown_type(t->thrown));
}

static _Atomic(bool) is_layout_told, is_split_told;

static bool is_observed(void)
{
	return taf_rules.mode != TAF_MODE_ENFORCE;
}

static size_t pieces_of(size_t left)
{
	size_t n = 0;

	for (; left; n++)
		left -= taf_chunk_next(left, taf_rules.eval_chunk);
	return n;
}

/* Of loads always, else once: a generation may do it for every token. */
static bool is_to_be_told(const struct evaluation *e)
{
	return e->job.load || !atomic_load(&is_split_told);
}

static void tell_pieces(const struct evaluation *e)
{
	char buf[96];
	struct taf_text t;

	if (!e->job.load && atomic_exchange(&is_split_told, true))
		return;
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_u64(&t, e->pieces.n);
	taf_text_put(&t, is_observed() ? " arrays would be" : " arrays are");
	taf_text_put(&t, " evaluated in ");
	taf_text_u64(&t, pieces_of(e->pieces.n));
	taf_text_put(&t, " pieces");
	taf_crumb(&(struct taf_rec){ .kind = is_observed() ? TAF_WOULD : TAF_NOTE,
				     .engine = TAF_ENGINE_MLX,
				     .model = e->job.call.model,
				     .rule = "eval.chunk",
				     .msg = buf });
}

/* Whether arrays are to be evaluated in pieces. */
static bool takes_pieces(struct evaluation *e, int row, const void *arrays)
{
	struct pieces *p = &e->pieces;

	if (!taf_rules.eval_chunk || taf_rules.mode == TAF_MODE_OFF || !arrays ||
	    (is_observed() && !is_to_be_told(e)))
		return false;
	p->all = arrays;
	p->lib = taf_find(taf_row_name(TAF_SELF, row), "NSt3__1") ? TAF_LIBCXX : TAF_LIBSTDCXX;
	p->n = taf_chunk_count(p->all, p->lib);
	if (!p->n && p->all->begin != p->all->end && !atomic_exchange(&is_layout_told, true))
		taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE,
					     .engine = TAF_ENGINE_MLX,
					     .rule = "eval.chunk",
					     .msg = "not split: these arrays do not lie in memory "
						    "as is known of MLX" });
	if (p->n <= taf_chunk_next(p->n, taf_rules.eval_chunk))
		return false;
	tell_pieces(e);
	return !is_observed();
}

static void evaluate_pieces(struct evaluation *e, struct taf_try *t)
{
	struct pieces *p = &e->pieces;
	size_t part[2] = { 0, 0 };

	for (; part[0] < p->n; part[0] += part[1]) {
		union {
			uint64_t n;
			const void *p;
		} arg = { .p = &p->piece };

		part[1] = taf_chunk_next(p->n - part[0], taf_rules.eval_chunk);
		if (!taf_chunk_make(&p->piece, p->all, part, p->lib)) {
			arg.p = p->all; /* the rest as the program asked for it */
			part[1] = p->n - part[0];
		}
		t->arg[0] = arg.n;
		taf_pass_call(t);
		taf_chunk_drop(&p->piece, p->lib);
	}
}

/* What the program asked for, in the registers of a call. What is not read is not cleared:
 * all of it would cost more than the door. */
static inline void prepare(struct taf_try *t, void *arrays)
{
	t->arg[0] = (uint64_t)(uintptr_t)arrays;
	t->arg[1] = t->arg[2] = t->arg[3] = 0;
}

static __attribute__((noinline)) void evaluate_slow(int row, const void *caller, void *arrays,
						    struct taf_step step)
{
	struct evaluation e;
	struct taf_try t;

	prepare(&t, arrays);
	t.undo = on_throw;
	t.seen = on_seen;
	t.ctx = &e;
	e.job.step = step;
	e.pieces.piece.begin = NULL;
	if (!taf_mlx_begin(&e.job, TAF_SELF, row, caller)) {
		/* An evaluation that is not made would leave arrays without a value. */
		if (e.job.call.real && !taf_throw(TAF_MLX_REFUSED))
			((void (*)(void *))e.job.call.real)(arrays);
		return;
	}
	if (taf_mlx_hand_on(&e.job) || !e.job.is_seen) {
		((void (*)(void *))e.job.call.real)(arrays);
		return;
	}
	t.fn = e.job.call.real;
	if (step.kind != TAF_STEP_WAIT && takes_pieces(&e, row, arrays))
		evaluate_pieces(&e, &t);
	else
		taf_pass_call(&t);
	taf_mlx_end(&e.job, 0);
}

/* The same by the quick way. */
struct quick {
	struct taf_call call;
	struct taf_step step;
};

static void on_quick_throw(struct taf_try *t)
{
	struct quick *q = t->ctx;

	taf_owner_quick_out(&q->call, taf_door_of(&q->call, TAF_SUBMIT), &q->step, -1);
}

static void on_quick_seen(struct taf_try *t)
{
	const struct quick *q = t->ctx;
	struct taf_mlx_job j = { .call = q->call };

	j.call.model = NULL;
	taf_mlx_failed(&j, taf_thrown_text(t->thrown), taf_thrown_type(t->thrown));
}

/* The arrays have been looked at: what is evaluated may be taken over. */
static inline void evaluate(int row, const void *caller, void *arrays, struct taf_step step)
{
	struct taf_door d = { TAF_SELF, row, TAF_SUBMIT };
	struct quick q;
	struct taf_try t;

	q.step = step;
	q.call.caller = caller;
	taf_call_narrow(&q.call, TAF_SELF, row);
	if (!taf_owner_quick_in(&q.call, d, &q.step)) {
		evaluate_slow(row, caller, arrays, step);
		return;
	}
	prepare(&t, arrays);
	t.undo = on_quick_throw;
	t.seen = on_quick_seen;
	t.ctx = &q;
	t.fn = q.call.real;
	taf_pass_again(&t);
	taf_owner_quick_out(&q.call, d, &q.step, 0);
}

/* How many there are, by the vector alone. */
static inline struct taf_step eval_of(const struct taf_vector *arrays)
{
	struct taf_step step = { .kind = TAF_STEP_EVAL };

	if (arrays)
		step.n = (uint32_t)(((uintptr_t)arrays->end - (uintptr_t)arrays->begin) /
				    TAF_CHUNK_ARRAY);
	if (__builtin_expect(step.n >= TAF_STEP_MANY, 0))
		step.prompts = taf_batch_prompts(arrays);
	if (step.n == 2)
		step.drafts = taf_batch_drafts(arrays);
	else if (__builtin_expect(step.n > 2, 0))
		step.is_firsts = taf_batch_is_firsts(arrays);
	return step;
}

/* Tokens, or now and then a piece of a prompt. */
static inline struct taf_step async_of(const struct taf_vector *arrays)
{
	struct taf_step step = { .kind = TAF_STEP_ASYNC, .n = taf_batch_width(arrays) };

	if (__builtin_expect(!step.n, 0))
		step.prompts = taf_batch_prompts(arrays);
	return step;
}

#include "none.h"
#define EVALS(name, doc) \
	void taf_##name(void *arrays) \
	{ \
		evaluate(ROW_##name, TAF_CALLER, arrays, eval_of(arrays)); \
	}
#define ASYNCS(name, doc) \
	void taf_##name(void *arrays) \
	{ \
		evaluate(ROW_##name, TAF_CALLER, arrays, async_of(arrays)); \
	}
#include "mlx.def"

void taf__ZN3mlx4core5array4evalEv(void *array)
{
	evaluate(ROW__ZN3mlx4core5array4evalEv, TAF_CALLER, array,
		 (struct taf_step){ .kind = TAF_STEP_WAIT,
				    .is_answer = taf_owner_asks() && taf_batch_is_answer(array) });
}

/* ---- Limits --------------------------------------------------------------------- */

static void on_call_seen(struct taf_try *t)
{
	struct taf_mlx_job j = { .call = *(const struct taf_call *)t->ctx };

	taf_mlx_failed(&j, taf_thrown_text(t->thrown), taf_thrown_type(t->thrown));
}

static void on_call_throw(struct taf_try *t)
{
	taf_after(t->ctx, -1);
}

static uint64_t set_limit(int row, const void *caller, enum taf_limit which, const uint64_t arg[2])
{
	struct taf_call call = taf_call_of(TAF_SELF, row, caller);
	struct taf_mlx_limit l = { .which = which, .set.asked = arg[0] };
	struct taf_try t = {
		.undo = on_call_throw, .seen = on_call_seen, .ctx = &call, .result = 0
	};

	if (!taf_mlx_limit_begin(&call, &l))
		return 0;
	t.fn = call.real;
	t.arg[0] = l.set.granted;
	t.arg[1] = arg[1];
	if (l.set.is_told)
		taf_pass_call(&t);
	return taf_mlx_limit_end(&call, &l, t.result);
}

#include "none.h"
#define LIMITS(name, which, doc) \
	size_t taf_##name(size_t limit) \
	{ \
		return set_limit(ROW_##name, TAF_CALLER, TAF_LIMIT_##which, \
				 (const uint64_t[2]){ limit, 0 }); \
	}
#include "mlx.def"

size_t taf__ZN3mlx4core5metal16set_memory_limitEmb(size_t limit, bool relaxed)
{
	return set_limit(ROW__ZN3mlx4core5metal16set_memory_limitEmb, TAF_CALLER, TAF_LIMIT_MEMORY,
			 (const uint64_t[2]){ limit, relaxed });
}

size_t taf__ZN3mlx4core16get_memory_limitEv(void)
{
	_ZN3mlx4core16get_memory_limitEv_fn *theirs = REAL(_ZN3mlx4core16get_memory_limitEv);

	return theirs ? taf_limit_seen(TAF_LIMIT_MEMORY, theirs()) : 0;
}

static void look_at_idle(void)
{
	if (taf_state_now() == TAF_ACTIVE && !taf_tls.inside && !taf_tls.open)
		taf_owner_settle(false);
}

size_t taf__ZN3mlx4core16get_cache_memoryEv(void)
{
	_ZN3mlx4core16get_cache_memoryEv_fn *theirs = REAL(_ZN3mlx4core16get_cache_memoryEv);

	look_at_idle();
	return theirs ? theirs() : 0;
}

size_t taf__ZN3mlx4core5metal16get_cache_memoryEv(void)
{
	_ZN3mlx4core5metal16get_cache_memoryEv_fn *theirs =
		REAL(_ZN3mlx4core5metal16get_cache_memoryEv);

	look_at_idle();
	return theirs ? theirs() : 0;
}

/* ---- Synchronize, clear, streams -------------------------------------------------- */

static void pass(int row, const void *caller, const uint64_t arg[2])
{
	struct taf_call call = taf_call_of(TAF_SELF, row, caller);
	struct taf_try t = {
		.arg = { arg[0], arg[1] }, .undo = on_call_throw, .seen = on_call_seen, .ctx = &call
	};

	if (!taf_before(&call))
		return;
	taf_mlx_hand_on_call(&call);
	t.fn = call.real;
	taf_pass_call(&t);
	if (call.kind == TAF_SYNC && call.is_counted)
		taf_owner_synced();
	taf_after(&call, 0);
	if (call.kind == TAF_SYNC)
		look_at_idle();
}

#define PASS(name) \
	void taf_##name(void) \
	{ \
		pass(ROW_##name, TAF_CALLER, (const uint64_t[2]){ 0, 0 }); \
	}
#define PASS_STREAM(name) \
	void taf_##name(uint64_t a, uint64_t b) \
	{ \
		pass(ROW_##name, TAF_CALLER, (const uint64_t[2]){ a, b }); \
	}
PASS(_ZN3mlx4core11clear_cacheEv)
PASS(_ZN3mlx4core5metal11clear_cacheEv)
PASS(_ZN3mlx4core11synchronizeEv)
PASS_STREAM(_ZN3mlx4core11synchronizeENS0_6StreamE)
PASS_STREAM(_ZN3mlx4core11synchronizeENS0_17ThreadLocalStreamE)

struct taf_stream taf__ZN3mlx4core10new_streamEv(void)
{
	_ZN3mlx4core10new_streamEv_fn *theirs = REAL(_ZN3mlx4core10new_streamEv);
	struct taf_stream s = TAF_NO_STREAM;

	if (theirs) {
		s = theirs();
		if (!taf_tls.inside)
			taf_mlx_note_stream(TAF_MLX_PLAIN, s);
	}
	return s;
}

#include "none.h"
#define MAKES(name, sort, doc) \
	struct taf_stream taf_##name(uint64_t device) \
	{ \
		name##_fn *theirs = REAL(name); \
		struct taf_stream s = TAF_NO_STREAM; \
		if (theirs) { \
			s = theirs(device); \
			if (!taf_tls.inside) \
				taf_mlx_note_stream(TAF_MLX_##sort, s); \
		} \
		return s; \
	}
#include "mlx.def"
