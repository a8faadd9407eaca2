/* SPDX-License-Identifier: MIT */
/* story_cut.c -- the generation that a way out came into, or came shortly after.
 *
 * Its end is written down by the drain on the way out.  What had been idle for
 * drain.idle_ms by then had ended, and is only written down so late; of the others
 * the log tells when their last call came back, and not whether more was to come.
 */
#include "story.h"

#define CLOSED_MAX 64 /* generations that one exit closes: what is more is a damaged log */

/* It was in the midst of a wait for something else, perhaps for its next request. */
static bool is_at_rest(const struct taf_past *drain)
{
	struct taf_crumb_line line;

	return taf_past_line(drain, &line) && taf_crumb_has(&line, TAF_KEY_AT_REST);
}

/* A drain waits for a thread of MLX until that comes to its next call, and drains there
 * itself, or until drain.idle_ms have passed without one. */
static enum taf_cut by_drain(const struct taf_trail *t, const struct taf_past *exit,
			     const struct taf_past *begin, uint64_t end_ns)
{
	enum taf_cut how = TAF_CUT_BETWEEN;

	if (!taf_engine_waits(1u << begin->engine) || begin->tid == exit->tid)
		return how;
	for (const struct taf_past *p = exit + 1; p < t->past + t->n_past; p++) {
		struct taf_crumb_line line;
		int64_t rc;

		if (p->kind != TAF_DRAIN)
			continue;
		if (p->tid == begin->tid)
			return is_at_rest(p) ? how : TAF_CUT_INSIDE;
		if (p->phase != TAF_BEGIN && p->mono_ns >= end_ns + t->idle_ns &&
		    taf_past_line(p, &line) && taf_crumb_i64(&line, TAF_KEY_RC, &rc) && rc)
			how = TAF_CUT_OVER;
	}
	return how;
}

static void take(struct taf_story *s, const struct taf_past *exit, const struct taf_past *begin,
		 enum taf_cut how)
{
	struct taf_crumb_line line;

	s->cut_how = how;
	s->cut = (struct taf_open_begin){ .kind = TAF_INFER,
					  .engine = begin->engine,
					  .since_ns = begin->mono_ns };
	s->cut.age_ms = (exit->mono_ns - begin->mono_ns) / 1000000;
	if (!taf_past_line(begin, &line))
		return;
	taf_crumb_text(&line, TAF_KEY_CALL, s->cut.call, sizeof(s->cut.call));
	taf_crumb_text(&line, TAF_KEY_MODEL, s->cut.model, sizeof(s->cut.model));
}

/* Of several it is the one that was farthest from its end. */
static void look(struct taf_story *s, const struct taf_trail *t, const struct taf_past *exit,
		 const struct taf_past *end)
{
	const struct taf_past *begin = &t->past[end->mate - 1];
	struct taf_crumb_line line;
	enum taf_cut how = TAF_CUT_INSIDE;
	uint64_t us, end_ns;

	if (begin->mono_ns > exit->mono_ns || !taf_past_line(end, &line) ||
	    !taf_crumb_us(&line, TAF_KEY_MS, &us))
		return;
	end_ns = begin->mono_ns + us * 1000;
	if (end_ns + t->idle_ns < exit->mono_ns)
		return;
	if (end_ns < exit->mono_ns)
		how = by_drain(t, exit, begin, end_ns);
	if (how <= s->cut_how)
		return;
	take(s, exit, begin, how);
	s->cut_gap_ms = how == TAF_CUT_INSIDE ? 0 : (exit->mono_ns - end_ns) / 1000000;
}

void taf_story_find_cut(struct taf_story *s, const struct taf_trail *t)
{
	const struct taf_past *exit = t->past + t->n_past, *end = exit;
	unsigned n = 0;

	while (exit > t->past && !(exit[-1].kind == TAF_EXIT && exit[-1].phase == TAF_BEGIN))
		exit--;
	if (exit == t->past)
		return;
	for (const struct taf_past *p = exit; p < end && n < CLOSED_MAX; p++)
		if (p->kind == TAF_INFER && p->phase == TAF_END && p->mate) {
			look(s, t, exit - 1, p);
			n++;
		}
}
