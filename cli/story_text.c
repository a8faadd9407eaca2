/* SPDX-License-Identifier: MIT */
/* story_text.c -- a session's end in one sentence of plain words (story->text).
 *
 *   killed 1.2s into a generation by llama_decode on tiny; 14 decodes handed over, 2 of
 *   them since the last wait; nothing was being loaded
 *
 * The sentence names the oldest thing that was not finished, never the thread
 * that waits for it.  It holds names as the log has them: show.h, jsonout.h.
 */
#include <string.h>

#include "../policy/fault.h"
#include "../policy/text.h"
#include "show.h"
#include "story.h"

static void put_age(struct taf_text *t, const struct taf_story *s, uint64_t age_ms)
{
	/* The time of death is known only when somebody saw it. */
	if (!s->end_is_known && !s->is_alive)
		taf_text_put(t, "at least ");
	taf_show_put(t, age_ms);
}

static void put_after(struct taf_text *t, const char *words, const char *name)
{
	char shown[TAF_ERROR_ROOM];

	if (name[0]) {
		taf_text_put(t, words);
		taf_text_put(t, taf_show_call(shown, sizeof(shown), name));
	}
}

static void put_count(struct taf_text *t, uint64_t n, const char *one)
{
	taf_text_u64(t, n);
	taf_text_char(t, ' ');
	taf_text_put(t, one);
	if (n != 1)
		taf_text_char(t, 's');
}

bool taf_engine_waits(uint32_t engines)
{
	return engines & (1u << TAF_ENGINE_MLX | 1u << TAF_ENGINE_MLXC);
}

const char *taf_oldest_text(const struct taf_oldest *o)
{
	if (o->is_inside)
		return "it has not come back";
	return o->engine < TAF_ENGINE_COUNT && taf_engine_waits(1u << o->engine)
		       ? "an evaluation after it may have waited for it"
		       : "nothing that is seen has waited for it since";
}

/* What a submission is called in the engine at hand. */
static const char *unit_of(const struct taf_story *s)
{
	if (taf_engine_waits(s->engines))
		return "evaluation";
	return s->engines & 1u << TAF_ENGINE_LLAMA ? "decode" : "submit";
}

/* What the process was in the middle of: what matters most of all that is open. */
static const struct taf_open_begin *main_open(const struct taf_story *s)
{
	static const enum taf_kind order[] = { TAF_LOAD,   TAF_INFER,  TAF_DRAIN,
					       TAF_UNLOAD, TAF_SUBMIT, TAF_SYNC };

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		const struct taf_open_begin *o = taf_story_open(s, order[i]);

		if (o)
			return o;
	}
	return s->n_open ? &s->open[0] : NULL;
}

/* What a GPU runtime is handed without a pause; only an engine knows what it is for. */
static const char *word_of(const struct taf_open_begin *infer)
{
	return taf_api_of((enum taf_engine)infer->engine) == TAF_API_NONE ? "a generation"
									  : "a burst of work";
}

static void put_open(struct taf_text *t, const struct taf_open_begin *o)
{
	switch (o->kind) {
	case TAF_LOAD:
		taf_text_put(t, "loading ");
		taf_text_put(t, o->model[0] ? o->model : "a model");
		put_after(t, " by ", o->call);
		break;
	case TAF_UNLOAD:
		taf_text_put(t, "unloading ");
		taf_text_put(t, o->model[0] ? o->model : "a model");
		put_after(t, " by ", o->call);
		break;
	case TAF_INFER:
		taf_text_put(t, word_of(o));
		put_after(t, " by ", o->call);
		put_after(t, " on ", o->model);
		break;
	case TAF_DRAIN:
		taf_text_put(t, "a drain");
		put_after(t, " of ", o->msg);
		put_after(t, " on ", o->model);
		break;
	case TAF_SYNC:
		taf_text_put(t, "waiting for the device");
		put_after(t, " in ", o->call);
		break;
	default:
		put_after(t, "",
			  o->call[0]	 ? o->call
			  : o->kind >= 0 ? taf_kind_name((enum taf_kind)o->kind)
					 : "a call");
		put_after(t, " on ", o->model);
		break;
	}
}

bool taf_story_is_bare(const struct taf_story *s)
{
	for (unsigned e = TAF_ENGINE_NONE + 1; e < TAF_ENGINE_COUNT; e++)
		if ((s->engines & 1u << e) && taf_api_of((enum taf_engine)e) == TAF_API_NONE)
			return false;
	return !s->loads && s->engines;
}

/* Idle is the program; the device may have been at work. */
static void put_unwaited(struct taf_text *t, const struct taf_story *s)
{
	if (!taf_story_is_bare(s) || !s->oldest.is_known || s->oldest.is_inside)
		return;
	taf_text_put(t, "; ");
	put_count(t, s->oldest.behind + 1, "submit");
	taf_text_put(t, s->oldest.behind ? " were not waited for" : " was not waited for");
}

static void put_infers(struct taf_text *t, const struct taf_story *s)
{
	bool is_bare = taf_story_is_bare(s);

	put_count(t, s->infers, is_bare ? "burst" : "generation");
	taf_text_put(t, is_bare ? " of work" : "");
}

static void put_inferred(struct taf_text *t, const struct taf_story *s)
{
	if (s->infers_inferred > 1) {
		taf_text_put(t, " (the ends of the last ");
		taf_text_u64(t, s->infers_inferred);
		taf_text_put(t, " are inferred)");
	} else if (s->infers_inferred) {
		taf_text_put(t, " (the end of the last one is inferred)");
	}
}

static void put_idle(struct taf_text *t, const struct taf_story *s)
{
	if (s->infers) {
		taf_text_put(t, "while idle, after ");
		put_infers(t, s);
		put_after(t, " on ", s->last_model[0] ? s->last_model : s->model);
		put_inferred(t, s);
		put_unwaited(t, s);
	} else if (s->loads) {
		put_after(t, "after loading ", s->model[0] ? s->model : "a model");
		taf_text_put(t, ", before any generation");
	} else {
		taf_text_put(t, taf_story_is_bare(s) ? "before anything was handed to the device"
						     : "before any model was loaded");
	}
}

/* What was handed over is not done: how much of it something has waited for since. A
 * wait may have been for another queue, so more is not said. */
static void put_submits(struct taf_text *t, const struct taf_story *s)
{
	const struct taf_oldest *o = &s->oldest;
	uint64_t out = o->is_known && !o->is_inside ? o->behind + 1 : 0;

	taf_text_put(t, "; ");
	put_count(t, s->open_submits, unit_of(s));
	taf_text_put(t, " handed over");
	if (!s->open_submits)
		return;
	if (!o->is_whole || (out && taf_engine_waits(s->engines))) {
		taf_text_put(t, ", how many are done is not known");
	} else if (out >= s->open_submits) {
		taf_text_put(t, s->open_submits == 1 ? ", not waited for"
						     : ", none of them waited for");
	} else if (out) {
		taf_text_put(t, ", ");
		taf_text_u64(t, out);
		taf_text_put(t, " of them since the last wait");
	} else {
		taf_text_put(t, s->open_submits == 1 ? ", and waited for"
						     : ", and all of them waited for");
	}
}

/* The rest of a generation's story: how far it was, and what else was going on. */
static void put_rest(struct taf_text *t, const struct taf_story *s)
{
	const struct taf_open_begin *load = taf_story_open(s, TAF_LOAD);
	const struct taf_open_begin *infer = taf_story_open(s, TAF_INFER);
	const struct taf_open_begin *drain = taf_story_open(s, TAF_DRAIN);

	if (infer && s->open_submits_known)
		put_submits(t, s);
	if (load && infer) {
		taf_text_put(t, "; ");
		taf_text_put(t, word_of(infer));
		taf_text_put(t, " was open as well, for ");
		taf_show_put(t, infer->age_ms);
	} else if (infer && !taf_story_is_bare(s)) {
		taf_text_put(t, s->is_alive ? "; nothing is being loaded"
					    : "; nothing was being loaded");
	}
	if (infer && drain) {
		taf_text_put(t, "; a drain ");
		put_after(t, "of ", drain->msg);
		taf_text_put(t,
			     drain->msg[0] ? " had not come back for " : "had not come back for ");
		taf_show_put(t, drain->age_ms);
	}
}

/* What llama.cpp was handed goes on when its call has come back. */
bool taf_story_may_be_over(const struct taf_story *s)
{
	return s->is_outside && !s->is_alive && !taf_story_is_bare(s) &&
	       taf_story_open(s, TAF_INFER) &&
	       (taf_engine_waits(s->engines) || !s->oldest.is_known);
}

/* Idle for longer than idle_ms it would have ended, which only a ring can tell. */
static void put_over(struct taf_text *t, const struct taf_story *s)
{
	if (taf_story_may_be_over(s))
		taf_text_put(t, s->has_ring ? ", or shortly after it" : ", or after it");
}

/* Rings of the dead are kept for some time only, and without it the log alone cannot
 * tell whether a generation had ended. After a machine went down there is never one. */
static void put_no_ring(struct taf_text *t, const struct taf_story *s)
{
	if (!s->has_ring && !taf_story_may_be_over(s) && s->verdict != TAF_ENDED_MACHINE_DOWN &&
	    s->verdict != TAF_ENDED_UNKNOWN && taf_story_open(s, TAF_INFER) &&
	    !taf_story_open(s, TAF_LOAD))
		taf_text_put(t, "; or idle since: its ring, which would tell, is gone");
}

/* Only when somebody waits for it, or it has been out for long: else it is just the latest. */
static void put_oldest(struct taf_text *t, const struct taf_story *s)
{
	if (!s->oldest.is_known || s->oldest.label[0] == '\0')
		return;
	if (!taf_story_open(s, TAF_SYNC) && !taf_story_open(s, TAF_DRAIN))
		return;
	taf_text_put(t, "; the oldest submission not known to be done is ");
	put_after(t, "", s->oldest.call);
	put_after(t, ", ", s->oldest.label);
	taf_text_put(t, ", begun ");
	taf_show_put(t, s->oldest.age_ms);
	taf_text_put(t, s->is_alive ? " ago" : " before");
}

/* The wait that a rule asked for, where that is all that went on: what its own thread
 * is in the middle of has not begun yet. */
static const struct taf_open_begin *open_wait(const struct taf_story *s)
{
	const struct taf_open_begin *wait = taf_story_open(s, TAF_HOLD);

	if (!wait)
		wait = taf_story_open(s, TAF_SETTLE);
	for (size_t i = 0; wait && i < s->n_open; i++)
		if (s->open[i].tid != wait->tid && s->open[i].kind != TAF_HOLD &&
		    s->open[i].kind != TAF_SETTLE)
			return NULL;
	return wait && wait->rule[0] ? wait : NULL;
}

/* What was compared, as of now: both times count from one moment. */
static void put_compared(struct taf_text *t, const struct taf_open_begin *wait)
{
	char what[TAF_LABEL_ROOM], *rest;
	size_t n;

	taf_copy(what, wait->msg, sizeof(what));
	/* What was left in the beginning is not what is left now. */
	rest = strstr(what, "passes in ");
	if (rest)
		*rest = '\0';
	for (n = strlen(what); n && strchr(", ", what[n - 1]); n--)
		what[n - 1] = '\0';
	if (!wait->need_ms) {
		put_after(t, ": ", what);
		return;
	}
	taf_text_put(t, ": ");
	taf_text_ms(t, wait->have_ms + wait->age_ms);
	taf_text_put(t, " of ");
	taf_text_ms(t, wait->need_ms);
	rest = strstr(what, ", ");
	put_after(t, "", rest ? rest : "");
}

/* "while it waited because of cadence.same_model: 12.9s of 3m 00s, tiny; for 7.9s" */
static void put_wait(struct taf_text *t, const struct taf_story *s,
		     const struct taf_open_begin *wait)
{
	taf_text_put(t, s->is_alive ? "waiting because of " : "while it waited because of ");
	taf_text_put(t, wait->rule);
	put_compared(t, wait);
	taf_text_put(t, "; for ");
	put_age(t, s, wait->age_ms);
}

/* "119ms into a generation by mlx::core::eval on tiny, or 24ms after it" */
static void put_cut(struct taf_text *t, const struct taf_story *s)
{
	bool is_over = s->cut_how == TAF_CUT_OVER;

	taf_show_put(t, is_over ? s->cut_gap_ms : s->cut.age_ms);
	taf_text_put(t, is_over ? " after " : " into ");
	put_open(t, &s->cut);
	if (s->cut_how != TAF_CUT_BETWEEN)
		return;
	taf_text_put(t, ", or ");
	if (s->cut_gap_ms)
		taf_show_put(t, s->cut_gap_ms);
	else
		taf_text_put(t, "just");
	taf_text_put(t, " after it");
}

/* Requests of one batch are open together. */
static void put_beside(struct taf_text *t, const struct taf_story *s)
{
	uint64_t n = taf_story_count_open(s, TAF_INFER);

	if (n < 2)
		return;
	taf_text_put(t, ", with ");
	taf_text_u64(t, n - 1);
	taf_text_put(t, n == 2 ? " other at once" : " others at once");
}

static void put_where(struct taf_text *t, const struct taf_story *s)
{
	const struct taf_open_begin *o = main_open(s), *wait = open_wait(s);

	if (wait) {
		put_wait(t, s, wait);
	} else if (o) {
		put_age(t, s, o->age_ms);
		taf_text_put(t, " into ");
		put_open(t, o);
		if (o->kind == TAF_INFER) {
			put_beside(t, s);
			put_over(t, s);
		}
		put_rest(t, s);
		put_no_ring(t, s);
		put_oldest(t, s);
	} else if (s->cut_how) {
		put_cut(t, s);
	} else {
		put_idle(t, s);
	}
}

static void put_done(struct taf_text *t, const struct taf_story *s)
{
	if (s->infers) {
		taf_text_put(t, " after ");
		put_infers(t, s);
		put_after(t, " on ", s->last_model[0] ? s->last_model : s->model);
	} else if (s->loads) {
		put_after(t, " after loading ", s->model[0] ? s->model : "a model");
		taf_text_put(t, ", without a generation");
	}
	if (s->missed[0])
		put_after(t, "; ", s->missed);
	else if (s->drains_missed > s->drains_uncleared)
		taf_text_put(t, "; before it left one wait for the device had not succeeded");
}

/* "by the watch (watch.infer_after) " */
static void put_watch(struct taf_text *t, const struct taf_story *s)
{
	if (!s->was_terminated)
		return;
	taf_text_put(t, "by the watch (");
	taf_text_put(t, s->watch_rule);
	taf_text_put(t, ") ");
}

/* What was freed under the device is a cause of crashes. */
static void put_missed(struct taf_text *t, const struct taf_story *s)
{
	if (s->drains_missed == s->drains_uncleared || s->verdict != TAF_ENDED_CRASH)
		return;
	taf_text_put(t,
		     "; a drain was missed before: work was still on the device when the program "
		     "went on");
}

static void put_death(struct taf_text *t, const struct taf_story *s)
{
	char name[32];

	if (s->verdict == TAF_ENDED_KILLED) {
		taf_text_put(t, "killed ");
		put_watch(t, s);
	} else if (s->verdict == TAF_ENDED_MACHINE_DOWN) {
		taf_text_put(t, "the machine went down ");
	} else if (s->signal) {
		taf_text_put(t, s->verdict == TAF_ENDED_CRASH ? "crashed by " : "ended by ");
		taf_text_put(t, taf_show_signal(name, sizeof(name), s->signal));
		taf_text_char(t, ' ');
		put_watch(t, s);
	} else {
		taf_text_put(t, s->verdict == TAF_ENDED_CRASH ? "crashed " : "ended by a signal ");
	}
	put_where(t, s);
	if (s->verdict != TAF_ENDED_CRASH && s->has_exit)
		taf_text_put(t, "; it was on its way out");
	put_after(t, "; the last error was: ", s->error);
	put_missed(t, s);
}

static void put_unknown(struct taf_text *t, const struct taf_story *s,
			const struct taf_trail *trail)
{
	if (!trail->n_past) {
		taf_text_put(t, "nothing readable is left of it");
		return;
	}
	taf_text_put(t, "it ran on another machine or in another pid namespace, so how it ended "
			"cannot be told; last seen ");
	put_where(t, s);
}

static void put_running(struct taf_text *t, const struct taf_story *s)
{
	taf_text_put(t, "running");
	if (s->became_other) {
		taf_text_put(t, ", as another program that has not used an engine");
		return;
	}
	taf_text_put(t, s->has_exit || s->is_leaving ? ", on its way out, " : ", ");
	put_where(t, s);
}

void taf_story_word(struct taf_story *s, const struct taf_trail *trail)
{
	struct taf_text t;

	taf_text_init(&t, s->text, sizeof(s->text));
	switch (s->verdict) {
	case TAF_ENDED_RUNNING: put_running(&t, s); break;
	case TAF_ENDED_CLEAN:
		taf_text_put(&t,
			     s->became_other ? "became another program" : "ended with status 0");
		put_done(&t, s);
		if (s->is_error)
			put_after(&t, "; the last error was: ", s->error);
		break;
	case TAF_ENDED_NONZERO:
		taf_text_put(&t, "ended with status ");
		taf_text_i64(&t, s->rc);
		put_done(&t, s);
		put_after(&t, "; the last error was: ", s->error);
		break;
	case TAF_ENDED_HELD:
	case TAF_ENDED_REFUSED:
		taf_text_put(&t, s->verdict == TAF_ENDED_HELD ? "held by " : "refused by ");
		taf_text_put(&t, s->rule[0] ? s->rule : "the policy");
		taf_text_put(&t, ", then ended with status ");
		taf_text_i64(&t, s->rc);
		break;
	case TAF_ENDED_UNKNOWN: put_unknown(&t, s, trail); break;
	default: put_death(&t, s); break;
	}
}
