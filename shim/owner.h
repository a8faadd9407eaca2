/* SPDX-License-Identifier: MIT */
/* owner.h -- work of engines whose streams belong to threads (MLX).
 *
 * Each thread that computes has one struct taf_work, whose handle is its number.
 * From MLX 0.31.2 on a synchronize by any other thread waits for nothing, so
 * nobody else ever makes one:
 *
 *   boundary of its own thread     drained there (act.h)
 *   another thread leaves          the owner drains at its next call and says so;
 *                                  the leaver waits for that, at most the deadline.
 *                                  Of a thread that stands still and has waited for its
 *                                  work only what outlives a process is given back
 *   the thread is gone             so is what it had in flight
 */
#ifndef TAF_OWNER_H
#define TAF_OWNER_H

#include "error.h"
#include "lazy.h"
#include "work.h"

/* The work of this thread; NULL: none, and taf_owner_work makes one (NULL: no room). */
struct taf_work *taf_owner_mine(void);
struct taf_work *taf_owner_work(const struct taf_call *c);
bool taf_owner_is_me(const struct taf_work *w);
/* Computing or draining at this moment, or a moment ago: its next call will come. */
bool taf_owner_is_busy(const struct taf_work *w);
/* What new generations are named by. */
void taf_owner_set_model(struct taf_live_model *m);

/* A call that computes begins and ends. False: a rule refuses it. */
bool taf_owner_begin(struct taf_call *c, const struct taf_step *step);
void taf_owner_end(struct taf_call *c, const struct taf_step *step, int64_t rc);

/* The program has synchronized. */
void taf_owner_synced(void);
/* The generation of this thread is over if it is idle, or in any case when must is set;
 * what the policy wants after it is done. */
void taf_owner_settle(bool must);
/* Another thread leaves, and this one is about to stand still: it drains its own. */
void taf_owner_leave(void);
/* Who leaves waits until this thread has done so. */
bool taf_owner_is_due(void);
/* Who leaves waits for the thread of w to do so. False: it did not, and a crumb says why. */
bool taf_owner_await(struct taf_work *w, uint64_t ns, int rule);
/* The process leaves, and works of other threads are about to be looked at: whoever does not
 * see that yet is seen inside. */
void taf_owner_seen(void);

/* ---- The quick way -------------------------------------------------------------
 *
 * An evaluation in the middle of a generation, soon after the one before, where no rule has
 * a say in it.  Its thread does not take the claim, whose two locked operations are half of
 * what the long way costs: it says so in is_quick, and only then looks whether anybody has
 * the claim and whether the process is calm.  Only who leaves takes the claim of a work whose
 * thread lives: that is, raises the alert, waits a moment (taf_owner_seen), takes the claim,
 * and gives it back where is_quick is set: a processor keeps a store to itself for far less
 * than that. */

/* So many stamps after the latest evaluation no pause is possible; 0: the long way always. */
extern _Atomic(uint64_t) taf_owner_soon;

TAF_INLINE bool taf_owner_is_free(const struct taf_work *w, const struct taf_step *step)
{
	return w && !taf_tls.busy && w->is_inferring &&
	       !atomic_load_explicit(&taf_lazy_open, memory_order_relaxed) &&
	       taf_rounds_is_usual(&w->rounds, step);
}

/* Behind is_quick. False: it is to be looked at longer, and nothing has been counted. */
TAF_INLINE bool taf_owner_pass(struct taf_call *c, struct taf_door d, struct taf_work *w)
{
	uint64_t soon = atomic_load_explicit(&taf_owner_soon, memory_order_relaxed);

	if (!taf_is_calm() || !taf_tls.lane ||
	    atomic_load_explicit(&w->claim, memory_order_relaxed))
		return false;
	c->real = taf_real_quick(d.table, d.row, c->caller);
	c->stamp = taf_stamp_cheap(&taf_tls);
	if (!c->real || c->stamp - w->stamp >= soon)
		return false;
	taf_quick_open(c, d, 1u << TAF_SUBMIT);
	w->stamp = c->stamp;
	taf_work_go_in(w, false);
	return true;
}

/* False: taf_owner_begin behind the narrow door. */
TAF_INLINE bool taf_owner_quick_in(struct taf_call *c, struct taf_door d,
				   const struct taf_step *step)
{
	struct taf_work *w = taf_tls.own;

	if (!__builtin_expect(taf_owner_is_free(w, step), 1))
		return false;
	atomic_store_explicit(&w->is_quick, true, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (!__builtin_expect(taf_owner_pass(c, d, w), 1)) {
		atomic_store_explicit(&w->is_quick, false, memory_order_release);
		return false;
	}
	taf_rounds_go_on(&w->rounds, step);
	taf_tls.held = w;
	c->work = w;
	return true;
}

/* Whether what a wait is for has to be known. */
TAF_INLINE bool taf_owner_asks(void)
{
	const struct taf_work *w = taf_tls.own;

	return w && w->rounds.order >= TAF_ORDER_ROUND && !w->rounds.is_answered;
}

/* Without a model nothing says that it is tokens. */
TAF_INLINE uint64_t taf_owner_tokens(const struct taf_work *w, const struct taf_step *step)
{
	return w->model ? taf_rounds_tokens(&w->rounds, step) : 0;
}

/* An E is done.  By round it is of what was begun in the round before: what was begun last may be
 * in flight. */
static inline void taf_owner_waited(struct taf_work *w, const struct taf_step *step)
{
	bool is_round = w->rounds.order == TAF_ORDER_APART ? !step->prompts && !step->is_firsts
							   : w->rounds.order == TAF_ORDER_ROUND &&
								     step->n == w->rounds.begun + 1;
	uint32_t left = is_round && w->since_sync >= 2 ? 2 : 0;

	w->since_sync = left;
	w->first_unsynced = w->submits + 1 - left;
}

TAF_INLINE void taf_owner_quick_out(struct taf_call *c, struct taf_door d,
				    const struct taf_step *step, int64_t rc)
{
	struct taf_work *w = c->work;

	if (__builtin_expect(w->fault != NULL, 0))
		taf_error_passed(c, w);
	c->tokens = taf_owner_tokens(w, step);
	taf_work_submitted(w, c, rc);
	if (__builtin_expect(rc && step->kind == TAF_STEP_ASYNC, 0))
		taf_rounds_failed(&w->rounds);
	if (step->kind == TAF_STEP_EVAL && !rc)
		taf_owner_waited(w, step);
	taf_tls.held = NULL;
	atomic_store_explicit(&w->is_quick, false, memory_order_release);
	taf_door_out(c, d, rc);
}

#endif
