/* SPDX-License-Identifier: MIT */
#include "owner.h"

#include <errno.h>

#include "act.h"
#include "burst.h"
#include "hot.h"
#include "served.h"
#include "swap.h"
#include "traced.h"
#include "turn.h"

#define COARSE_MS 50u /* stamps are no finer than 10 ms: a shorter silence needs the clock */

TAF_HOT _Atomic(uint64_t) taf_owner_soon;
static _Atomic(struct taf_live_model *) model_now;

static void *handle_of_thread(int32_t tid)
{
	union {
		uintptr_t n;
		void *p;
	} u = { .n = (uintptr_t)tid };

	return u.p;
}

static int32_t thread_of(const struct taf_work *w)
{
	return (int32_t)(uintptr_t)atomic_load(&w->handle);
}

bool taf_owner_is_me(const struct taf_work *w)
{
	return thread_of(w) == taf_tid();
}

struct taf_work *taf_owner_mine(void)
{
	return taf_work_of(handle_of_thread(taf_tid()));
}

/* Whether it stands for a thread that has ended. */
static bool is_left_over(const struct taf_work *w)
{
	return atomic_load(&w->handle) && w->table->by_thread && taf_has_ended(thread_of(w));
}

/* Takes the claim of a work that is left over, from whoever has ended with it. Two threads
 * may be at this at once, and a third one have the entry by then, which computes without the
 * claim: so what it is is looked at again behind the claim, which is taken away where the
 * entry is filled anew. */
static bool take_left_over(struct taf_work *w)
{
	uint32_t me = (uint32_t)taf_tid(), has = 0;

	if (!atomic_compare_exchange_strong(&w->claim, &has, me) &&
	    (!taf_has_ended((int32_t)has) || !atomic_compare_exchange_strong(&w->claim, &has, me)))
		return false;
	if (is_left_over(w) && atomic_load(&w->claim) == me)
		return true;
	taf_work_release(w);
	return false;
}

/* Threads come and go with requests: their entries are taken back when a new one comes. */
static void drop_gone(void)
{
	struct taf_work *w;

	for (int i = 0; (w = taf_work_at(i)); i++)
		if (is_left_over(w) && take_left_over(w)) {
			w->owes_sync = false;
			taf_work_settle(w, true);
			taf_work_drop(w);
		}
}

void taf_owner_set_model(struct taf_live_model *m)
{
	atomic_store(&model_now, m);
}

static struct taf_live_model *model_of_now(void)
{
	struct taf_live_model *m = atomic_load(&model_now);

	return m && atomic_load(&m->handle) ? m : NULL;
}

struct taf_work *taf_owner_work(const struct taf_call *c)
{
	struct taf_work *w = taf_owner_mine();
	struct taf_maker by = { .table = c->table, .home = c->caller };

	if (w)
		return w;
	drop_gone();
	return taf_work_add(&by, handle_of_thread(taf_tid()), model_of_now());
}

static void give_back(struct taf_work *w)
{
	taf_tls.held = NULL;
	taf_work_release(w);
}

/* Where nothing that is asked of an evaluation depends on the setting, and stamps tell enough. */
static bool is_plain(void)
{
	return taf_rules.drain_idle_ms >= COARSE_MS && !taf_rules.trace &&
	       !taf_rules.drain_every_submits && !taf_rules.eval_chunk && !taf_turn_is_taken();
}

/* Stamps are at hand and the clock is not: it is read only behind a pause. */
static void settle_if_idle(struct taf_work *w, uint64_t stamp)
{
	uint64_t gap = atomic_load_explicit(&taf_burst_gap, memory_order_relaxed);
	bool is_soon = w->is_inferring && taf_rules.drain_idle_ms >= COARSE_MS &&
		       stamp - w->stamp < gap / 2;

	w->stamp = stamp;
	if (is_soon)
		return;
	if (!gap)
		taf_burst_measure(stamp, taf_sys_mono_ns());
	atomic_store(&taf_owner_soon, is_plain() ? atomic_load(&taf_burst_gap) / 2 : 0);
	taf_work_settle(w, false);
}

/* Without a model nothing says that these are sequences. */
static bool take(struct taf_work *w, const struct taf_step *step, struct taf_rounds_change *what)
{
	struct taf_step unknown = { .kind = step->kind,
				    .n = step->kind == TAF_STEP_EVAL ? step->n : 0,
				    .is_answer = step->is_answer };
	uint32_t begun = w->rounds.begun;
	bool is_shown = taf_rounds_take(&w->rounds, w->model ? step : &unknown, what);
	uint32_t none = what->is_beginning ? begun : what->proposed;

	/* They were counted as tokens, or were not. */
	if (w->model)
		w->tokens = (w->tokens > none ? w->tokens - none : 0) + (what->is_late ? begun : 0);
	return is_shown;
}

/* Requests that are done end before the step that shows it, in the order of before. True: all, and
 * another comes. */
static bool leave(struct taf_work *w, const struct taf_rounds *before,
		  const struct taf_rounds_change *what)
{
	struct taf_rounds now = w->rounds;

	if (!what->done && !what->gone)
		return false;
	if (!what->came || !taf_served_is_over(w, what)) {
		taf_served_leave(w, what);
		taf_act_after_infer(w);
		return false;
	}
	w->rounds = *before;
	w->rounds.n = what->rounds;
	w->rounds.is_begun = false;
	taf_work_settle(w, true);
	w->rounds = now;
	return true;
}

/* The next generation has begun, with the first of those that come. */
static void follow(struct taf_work *w, const struct taf_rounds *now, struct taf_rounds_change *what)
{
	w->rounds = *now;
	w->rounds.n -= what->rounds;
	what->rounds = 0;
	what->came--;
}

/* A step that is refused is not made, and the program has to do without it. */
static void break_off(struct taf_work *w, const struct taf_step *step)
{
	if (step->kind == TAF_STEP_ASYNC)
		taf_rounds_failed(&w->rounds);
	taf_work_settle(w, true);
}

/* False: a rule refuses it. */
static bool go_in(struct taf_work *w, struct taf_call *c, const struct taf_step *step)
{
	struct taf_rounds before = w->rounds;
	struct taf_rounds_change what;
	bool is_shown = w->is_inferring && take(w, step, &what),
	     is_next = is_shown && leave(w, &before, &what), is_new = !w->is_inferring;
	struct taf_rounds now = w->rounds;

	if (is_new) {
		taf_swap_look(w);
		w->model = model_of_now();
	}
	if (!taf_work_begin(w, c)) {
		break_off(w, step);
		return false;
	}
	if (is_next)
		follow(w, &now, &what);
	else if (is_new)
		is_shown = take(w, step, &what);
	if (is_shown)
		taf_served_come(w, c, &what);
	return true;
}

bool taf_owner_begin(struct taf_call *c, const struct taf_step *step)
{
	struct taf_work *w = taf_owner_work(c);

	c->work = NULL;
	if (!w)
		return true;
	if (!taf_work_claim(w, taf_rules.drain_deadline_ms)) {
		taf_work_seize(w);
		/* A thread of this number has ended in the midst of an evaluation. */
		atomic_store(&w->is_quick, false);
	}
	taf_tls.held = taf_tls.own = w;
	c->work = w;
	taf_traced_arrive(w);
	settle_if_idle(w, c->stamp);
	if (go_in(w, c, step))
		return true;
	give_back(w);
	return false;
}

static void trace(struct taf_work *w, const struct taf_call *c, const struct taf_step *made,
		  int64_t rc)
{
	bool is_first = w->rounds.is_first && w->prefill == w->submits;
	struct taf_trace_step step = { .tokens = rc ? 0 : c->tokens,
				       .is_prompt = is_first || (!w->prefill && w->submits == 1),
				       .is_sync = made->kind != TAF_STEP_ASYNC };

	if (is_first)
		taf_trace_was_prompt(&w->trace);
	taf_traced_step(w, step, rc);
}

void taf_owner_end(struct taf_call *c, const struct taf_step *step, int64_t rc)
{
	struct taf_work *w = c->work;

	if (!w)
		return;
	if (__builtin_expect(w->fault != NULL, 0))
		taf_error_passed(c, w);
	c->tokens = taf_owner_tokens(w, step);
	taf_work_submitted(w, c, rc);
	if (!w->prefill && w->rounds.is_first)
		w->prefill = w->submits;
	if (rc && step->kind == TAF_STEP_ASYNC)
		taf_rounds_failed(&w->rounds);
	if (taf_traced_is_on())
		trace(w, c, step, rc);
	/* Never behind an async_eval: that would end what it is for. */
	if (step->kind == TAF_STEP_EVAL && !rc)
		taf_owner_waited(w, step);
	else if (step->kind == TAF_STEP_WAIT && taf_rules.drain_every_submits && !rc)
		taf_act_after_submit(w);
	taf_turn_end(w);
	give_back(w);
}

void taf_owner_synced(void)
{
	struct taf_work *w = taf_owner_mine();

	if (!w || !taf_work_claim(w, 0))
		return;
	taf_work_done(w);
	taf_work_release(w);
}

void taf_owner_settle(bool must)
{
	struct taf_work *w = taf_owner_mine();

	if (!w || atomic_load(&w->claim) == (uint32_t)taf_tid() || !taf_work_claim(w, 0))
		return;
	taf_work_settle(w, must);
	taf_work_release(w);
}

/* ---- Another thread leaves ------------------------------------------------------ */

/* A submit that the engine makes of itself, while it loads. */
static bool is_within_engine(void)
{
	return taf_tls.is_submitting && (taf_tls.open & ~(1u << TAF_SUBMIT));
}

static bool is_left_for(const struct taf_work *w, uint32_t leaving)
{
	return atomic_load(&w->left_for) == leaving;
}

static bool is_due(const struct taf_work *w)
{
	return w && w->table->by_thread && !is_left_for(w, atomic_load(&taf_life.leavings));
}

/* For the one who leaves now: that one's exec may fail meanwhile and another one leave, and for
 * him nothing is drained then. */
void taf_owner_leave(void)
{
	struct taf_event ev = { .kind = TAF_EXIT, .phase = TAF_BEGIN };
	uint32_t leaving = atomic_load(&taf_life.leavings);
	struct taf_work *w = taf_owner_mine();
	unsigned drain;
	int rule;

	/* Who leaves may just be writing down how its generation ended. */
	if (!is_due(w) || taf_tls.inside || is_within_engine() ||
	    !taf_work_claim(w, taf_rules.drain_deadline_ms))
		return;
	drain = taf_act_drains(&ev, w, &rule);
	taf_work_settle(w, true);
	taf_act_drain(w, drain, rule);
	atomic_store(&w->left_for, leaving);
	taf_sys_wake_all(&w->left_for);
	taf_work_release(w);
}

bool taf_owner_is_due(void)
{
	return is_due(taf_owner_mine());
}

#define SEEN_MS 1 /* who was calm before the alert has by then been seen to be inside */

static bool is_of_another(const struct taf_work *w)
{
	return atomic_load(&w->handle) && w->table->by_thread && !taf_owner_is_me(w);
}

void taf_owner_seen(void)
{
	static _Atomic(uint32_t) nothing;
	struct taf_work *w;

	for (int i = 0; (w = taf_work_at(i)); i++)
		if (is_of_another(w)) {
			taf_sys_wait(&nothing, 0, SEEN_MS);
			return;
		}
}

bool taf_owner_is_busy(const struct taf_work *w)
{
	uint64_t idle_ns = taf_work_idle_ns(w), looks_ns = atomic_load(&w->looks_ns);

	return atomic_load(&w->is_inside) || atomic_load(&w->claim) == (uint32_t)thread_of(w) ||
	       taf_sys_mono_ns() < (looks_ns > idle_ns ? looks_ns : idle_ns);
}

/* The thread has ended, or the entry is another one's by now. */
static bool is_gone(const struct taf_work *w, int32_t tid)
{
	return thread_of(w) != tid || taf_has_ended(tid);
}

/* True: it has drained its own, or is no more. */
static bool await_owner(struct taf_work *w, int32_t tid, uint64_t ns)
{
	uint64_t until = taf_sys_mono_ns() + ns, now;
	uint32_t leaving = atomic_load(&taf_life.leavings), seen;

	while ((seen = atomic_load(&w->left_for)) != leaving && !is_gone(w, tid) &&
	       (now = taf_sys_mono_ns()) < until && taf_owner_is_busy(w))
		taf_sys_wait(&w->left_for, seen,
			     (uint32_t)((until - now) / 1000000 < 50 ? (until - now) / 1000000 + 1
								     : 50));
	return is_left_for(w, leaving) || is_gone(w, tid);
}

static void let_go(const struct taf_work *w)
{
	int saved = errno;

	if (taf_state_now() != TAF_LEAVING || taf_rules.mode != TAF_MODE_ENFORCE ||
	    !w->table->by_thread->let_go)
		return;
	taf_tls.inside++;
	w->table->by_thread->let_go(w->home);
	taf_tls.inside--;
	errno = saved;
}

bool taf_owner_await(struct taf_work *w, uint64_t ns, int rule)
{
	bool leaves = atomic_load(&taf_life.leaver) == (uint32_t)taf_tid();
	int32_t tid = thread_of(w);

	if (is_gone(w, tid))
		return true;
	/* Nobody else waits, who may be waited for as well, or takes the claim: only who leaves
	 * has seen to it that all know of that (taf_owner_seen). */
	if (leaves && await_owner(w, tid, ns))
		return true;
	/* Its generation has ended: drains of it there are none on this thread. */
	if (leaves && taf_work_claim(w, 0)) {
		taf_work_settle(w, true);
		taf_work_release(w);
	}
	if (taf_owner_is_busy(w)) {
		taf_act_not_drained(w, rule,
				    "not drained: its thread computes, and only that thread may "
				    "synchronize it");
		return false;
	}
	if (!w->since_sync) {
		let_go(w);
		return true;
	}
	taf_act_not_drained(w, rule,
			    "not drained: its thread is idle, and only that thread may "
			    "synchronize what it submitted last");
	return false;
}
