/* SPDX-License-Identifier: MIT */
#include "admit.h"

#include <errno.h>

#include "../policy/fit.h"
#include "../policy/policy.h"
#include "../policy/text.h"
#include "act.h"
#include "crumb.h"
#include "exit.h"
#include "facts.h"
#include "known.h"
#include "learn.h"
#include "lockfile.h"
#include "memory.h"
#include "park.h"
#include "say.h"
#include "scratch.h"
#include "share.h"
#include "traced.h"

#define SLICE_MS 200 /* how often a waiter looks whether it may go on */
#define ASK_MS 1000 /* how often the rules are asked again during a wait */
#define HELD_AGAIN_MS 1000 /* how often a process that was refused at its start asks again */
#define EXIT_HELD 75 /* EX_TEMPFAIL: the exit status of on_hold "exit" */

static _Atomic(uint64_t) held_until_ns; /* refused at the start; asked again then */
static _Atomic(bool) has_begun; /* something of this process was let in by all rules */
static _Atomic(bool) is_share_trouble_said;

struct round {
	const struct taf_admission *a;
	struct taf_verdict v;
	uint64_t began_ns, waited_ms;
	/* The record of the wait that is open: since when, by which rule, its begin's seq. */
	uint64_t noted_ns, hold_of;
	struct taf_trace_span span; /* of the whole wait */
	int hold_rule;
	bool is_drained;
	bool is_size_unknown; /* nobody can say whether it fits */
	int share_err;
};

static bool is_observed(void)
{
	return taf_rules.mode == TAF_MODE_OBSERVE;
}

/* Whether the call begins now by what was decided. */
static bool passes(const struct round *r)
{
	if (r->v.drain && !r->is_drained)
		return false;
	return is_observed() || r->v.action <= TAF_ACT_WARN;
}

/* The lock is tried before the rules are asked. Who is kept back by another rule, or
 * only observes, does not keep it from others. */
static void settle_lock(const struct round *r, const struct taf_facts *f)
{
	bool lets_in = !is_observed() && passes(r);

	if (lets_in && (r->a->event->kind == TAF_LOAD || r->a->event->kind == TAF_START))
		atomic_store(&has_begun, true);
	if (f->lock == TAF_LOCK_OURS && !lets_in && !atomic_load(&has_begun) &&
	    (is_observed() || r->v.action >= TAF_ACT_WAIT))
		taf_lock_drop();
}

/* One look at the world, and the mark of it when the call begins. */
static void ask(struct round *r)
{
	const struct taf_event *ev = r->a->event;
	char holder[TAF_ABOUT_ROOM] = "";
	struct taf_text holder_text;
	struct taf_facts f;
	struct taf_question q = { &taf_rules, ev, &f };
	struct taf_ledger *ledger;
	bool is_marked = false;
	int err = 0;

	taf_text_init(&holder_text, holder, sizeof(holder));
	taf_facts_cheap(&f, r->a->work);
	taf_facts_world(&f, ev, &holder_text);
	f.waited_ms = r->waited_ms;
	ledger = taf_share_enter(&err);
	f.ledger = ledger;
	f.now = taf_moment_now();
	taf_decide(&q, &r->v);
	r->is_size_unknown = taf_fit_is_unknown(&q);
	if (ev->kind == TAF_LOAD && passes(r) && ev->model && ev->model[0]) {
		taf_learn_mark(ledger, ev, &f.now);
		is_marked = true;
	}
	settle_lock(r, &f);
	r->share_err = taf_share_leave(is_marked ? TAF_SHARE_DURABLE : TAF_SHARE_SAME);
	r->share_err = err ? err : r->share_err;
}

/* Once a process that nothing is shared, and each time what was damaged. */
static void say_share_trouble(int err)
{
	char line[512];
	struct taf_text t;
	bool has_line;

	taf_text_init(&t, line, sizeof(line));
	has_line = taf_share_trouble(&t);
	if ((!has_line && !err) || (err && atomic_exchange(&is_share_trouble_said, true)))
		return;
	if (!has_line)
		taf_text_put(&t, "nothing is shared: the rules hold inside this process only");
	taf_mark(TAF_NOTE, TAF_ENGINE_NONE, NULL, line);
}

static void drain(struct round *r)
{
	if (r->a->work)
		taf_act_drain(r->a->work, r->v.drain, r->v.drain_rule);
	else
		taf_act_drain_all(NULL, r->v.drain, r->v.drain_rule);
	r->is_drained = true;
	taf_memory_stale();
}

static void begin_hold(struct round *r)
{
	struct taf_ring_head *head = taf_ring_head();

	r->began_ns = taf_sys_mono_ns() - r->a->waited_ms * 1000000;
	if (taf_traced_is_on())
		r->span = taf_traced_open(r->a->work);
	taf_ring_hold_begin(taf_verdict_binding(&r->v), r->began_ns);
	if (head)
		atomic_fetch_add(&head->holds, 1);
}

static void close_note(const struct round *r)
{
	if (r->noted_ns)
		taf_say_held(r->a, r->hold_of, r->hold_rule,
			     (taf_sys_mono_ns() - r->noted_ns) / 1000000);
}

/* The record names the rule that passes last, which may become another one. */
static void note_hold(struct round *r)
{
	const struct taf_answer *why = taf_verdict_binding(&r->v);
	int rule = why ? why->rule : r->v.rule;

	if (r->noted_ns && rule == r->hold_rule)
		return;
	close_note(r);
	r->hold_rule = rule;
	r->hold_of = taf_say_hold(r->a, &r->v);
	r->noted_ns = r->noted_ns ? taf_sys_mono_ns() : r->began_ns;
}

static bool waits_for_lock(const struct round *r)
{
	for (uint32_t i = 0; i < r->v.n_said; i++)
		if (r->v.said[i].rule == TAF_RULE_lock_on_conflict &&
		    r->v.said[i].action == TAF_ACT_WAIT)
			return true;
	return false;
}

/* Sleeps at most ms. True: the rules may think otherwise now. */
static bool pause_for(const struct round *r, uint32_t ms)
{
	if (waits_for_lock(r)) {
		taf_lock_wait(ms);
		return taf_lock_try(&taf_rules, NULL) != TAF_LOCK_BUSY;
	}
	taf_sys_wait(&taf_life.state, TAF_ACTIVE, ms);
	return taf_share_is_stale();
}

/* Until the rules may think otherwise: somebody changed the state, or time passed. */
static void hold(struct round *r)
{
	uint64_t now = taf_sys_mono_ns(), until;
	uint32_t ms = r->v.wait_ms < ASK_MS ? r->v.wait_ms : ASK_MS;

	if (r->began_ns)
		taf_ring_hold_again(taf_verdict_binding(&r->v));
	else
		begin_hold(r);
	note_hold(r);
	until = now + (uint64_t)ms * 1000000;
	while ((now = taf_sys_mono_ns()) < until && taf_state_now() == TAF_ACTIVE) {
		uint64_t left = (until - now) / 1000000 + 1;

		if (pause_for(r, left < SLICE_MS ? (uint32_t)left : SLICE_MS))
			break;
	}
	r->waited_ms = (taf_sys_mono_ns() - r->began_ns) / 1000000;
	r->is_drained = false; /* other threads went on meanwhile */
}

static void end_hold(const struct round *r)
{
	if (!r->began_ns)
		return;
	if (taf_traced_is_on())
		taf_traced_close(r->a->work, TAF_PART_HELD, &r->span);
	taf_ring_hold_end();
	close_note(r);
}

static bool is_of_gate(const struct taf_answer *a)
{
	const char *path = taf_rule_info(a->rule)->path;

	return a->action == TAF_ACT_REFUSE &&
	       (taf_starts(path, "cooldown.") || taf_starts(path, "aborts."));
}

/* on_hold "exit" is the one setting that may end the program, and it ends none that
 * is ending by itself. */
static void exit_if_asked(const struct round *r)
{
	bool is_held = false;

	for (uint32_t i = 0; i < r->v.n_said; i++)
		is_held = is_held || is_of_gate(&r->v.said[i]);
	if (!is_held || taf_rules.cooldown_on_hold != TAF_ON_EXIT || taf_state_now() != TAF_ACTIVE)
		return;
	taf_leave("policy", EXIT_HELD, true);
	taf_sys_exit_group(EXIT_HELD);
}

/* The process ends: whoever drains it must be able to claim what this thread has. */
static void park(const struct taf_admission *a)
{
	if (a->work)
		taf_work_release(a->work);
	taf_park_to_submit();
	if (a->work && !taf_work_claim(a->work, (uint32_t)taf_rules.drain_deadline_ms))
		taf_work_seize(a->work);
}

/* Before the first wait, and before the call itself; not at every look between. */
static bool is_to_be_drained(const struct round *r)
{
	return r->v.drain && !r->is_drained && (!r->began_ns || r->v.action != TAF_ACT_WAIT);
}

/* No memory even for the question: in doubt the call goes through, and that is said. */
static bool pass_unasked(const struct taf_admission *a)
{
	taf_mark(TAF_NOTE, a->event->engine, a->call,
		 "no memory is left to ask the rules: it is let through");
	return true;
}

/* Asks, drains and waits until the rules have said their last word. */
static void settle(struct round *r)
{
	for (;;) {
		ask(r);
		if (is_to_be_drained(r))
			drain(r);
		else if (is_observed() || r->v.action != TAF_ACT_WAIT)
			break;
		else if (taf_state_now() == TAF_ACTIVE)
			hold(r);
		else
			break;
	}
	end_hold(r);
}

static void tell(const struct round *r)
{
	const struct taf_admission *a = r->a;

	say_share_trouble(r->share_err);
	taf_say_verdict(a, &r->v, r->began_ns ? r->waited_ms : 0);
	if (r->is_size_unknown && a->event->kind == TAF_LOAD && r->v.action != TAF_ACT_REFUSE)
		taf_mark(TAF_NOTE, a->event->engine, a->call,
			 "nobody can say whether it fits in memory: it is let through");
	if (r->v.n_said && (a->event->kind == TAF_LOAD || a->event->kind == TAF_START))
		taf_known_told(a->event->model);
}

bool taf_admit(const struct taf_admission *a)
{
	struct round *r = taf_scratch_take(sizeof(*r));
	bool is_refused;

	if (!r)
		return pass_unasked(a);
	taf_zero(r, sizeof(*r));
	r->a = a;
	r->waited_ms = a->waited_ms;
	settle(r);
	tell(r);
	if (taf_state_now() == TAF_LEAVING)
		park(a);
	is_refused = !is_observed() && r->v.action == TAF_ACT_REFUSE;
	if (is_refused) {
		/* Who gives up keeps nobody behind him, and who may not compute no turn. */
		taf_lock_release();
		exit_if_asked(r);
	} else if (a->event->kind == TAF_LOAD || a->event->kind == TAF_START) {
		atomic_fetch_and(&taf_life.alert, ~(uint32_t)TAF_ALERT_START);
	}
	taf_scratch_give(r);
	return !is_refused;
}

bool taf_admit_alloc(const struct taf_call *c)
{
	struct taf_event ev = {
		.kind = TAF_ALLOC, .phase = TAF_BEGIN, .engine = c->table->engine, .bytes = c->bytes
	};
	struct taf_admission a = { .event = &ev, .call = taf_row_name(c->table, c->row) };
	struct taf_verdict *v = taf_scratch_take(sizeof(*v));
	struct taf_facts f;
	struct taf_question q = { &taf_rules, &ev, &f };
	bool is_refused;

	if (!v)
		return pass_unasked(&a);
	taf_facts_cheap(&f, NULL);
	taf_facts_memory(&f);
	/* What is warned of again is counted, and not written again. */
	a.told = f.memory.told & TAF_TOLD_ALLOC;
	f.memory.told &= ~(uint32_t)TAF_TOLD_ALLOC;
	taf_decide(&q, v);
	if (v->n_said)
		taf_say_alloc(&a, v);
	is_refused = !is_observed() && v->action == TAF_ACT_REFUSE;
	taf_scratch_give(v);
	return !is_refused;
}

/* Each thread asks for itself until one was let in: nobody slips past another's wait. */
bool taf_admit_start(const struct taf_call *c)
{
	struct taf_event ev = { .kind = TAF_START, .phase = TAF_BEGIN, .engine = c->table->engine };
	struct taf_admission a = { .event = &ev, .call = taf_row_name(c->table, c->row) };

	/* A load asks everything that a start would. */
	if (c->kind == TAF_LOAD)
		return true;
	if (taf_sys_mono_ns() < atomic_load(&held_until_ns))
		return false;
	if (taf_admit(&a))
		return true;
	atomic_store(&held_until_ns, taf_sys_mono_ns() + (uint64_t)HELD_AGAIN_MS * 1000000);
	return false;
}

void taf_admit_reset(void)
{
	atomic_store(&held_until_ns, 0);
	atomic_store(&has_begun, false);
	atomic_store(&is_share_trouble_said, false);
	taf_say_reset();
}

uint32_t taf_admit_alerts(void)
{
	const struct taf_rules *r = &taf_rules;
	bool has_limit =
		r->memory_limit.is || r->memory_max_single_alloc.is || r->memory_growth_per_min.is;

	return TAF_ALERT_START | (has_limit ? TAF_ALERT_ALLOC : 0);
}
