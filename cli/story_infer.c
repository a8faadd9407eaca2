/* SPDX-License-Identifier: MIT */
/* story_infer.c -- what the records of generations come to: how many, with what, how long. */
#include "../policy/fault.h"
#include "story.h"

bool taf_story_is_empty(const struct taf_past *p, const struct taf_crumb_line *line)
{
	uint64_t submits;

	return p->kind == TAF_INFER && p->phase == TAF_END &&
	       taf_api_of((enum taf_engine)p->engine) != TAF_API_NONE &&
	       taf_crumb_u64(line, TAF_KEY_SUBMITS, &submits) && !submits;
}

void taf_story_count_infer(struct taf_story *s, const struct taf_past *p,
			   const struct taf_crumb_line *line)
{
	uint64_t v;

	s->infers += p->phase != TAF_END;
	if (p->phase == TAF_BEGIN)
		return;
	if (taf_story_is_empty(p, line)) {
		s->infers -= s->infers != 0;
		s->infers_empty++;
		return;
	}
	if (taf_crumb_u64(line, TAF_KEY_SUBMITS, &v))
		s->submits += v;
	if (taf_crumb_u64(line, TAF_KEY_TOKENS, &v))
		s->tokens += v;
	if (taf_crumb_u64(line, TAF_KEY_EVALS, &v))
		s->evals += v;
	if (taf_crumb_u64(line, TAF_KEY_SEQUENCES, &v) && v > s->infers_at_once)
		s->infers_at_once = v;
	s->infers_ended += p->phase == TAF_END;
	if (p->phase == TAF_END && taf_crumb_has(line, TAF_KEY_WAITED_MS))
		s->infers_waited++;
	else if (p->phase == TAF_END && taf_crumb_has(line, TAF_KEY_SUBMITS) &&
		 !taf_crumb_has(line, TAF_KEY_TOKENS))
		s->infers_unwaited++;
	s->last_infer_ns = p->mono_ns;
}

/* One with an end has lasted as long as that says, though no longer than until it was written. */
static void add_ended(struct taf_story *s, const struct taf_past *begin, const struct taf_past *end)
{
	struct taf_crumb_line line;
	uint64_t us, to_ns;

	if (!taf_past_line(end, &line) || taf_story_is_empty(end, &line) ||
	    !taf_crumb_us(&line, TAF_KEY_MS, &us))
		return;
	if (!begin) { /* it is lost */
		s->infer_time.us += us;
		s->ended_time.us += us;
		return;
	}
	to_ns = begin->mono_ns + us * 1000;
	to_ns = to_ns < end->mono_ns ? to_ns : end->mono_ns;
	taf_busy_add(&s->infer_time, begin->mono_ns, to_ns);
	taf_busy_add(&s->ended_time, begin->mono_ns, to_ns);
}

/* Begins come in the order of time. Of the last image one without an end is open, or, where the
 * ring tells that it was idle, has lasted until the last submit. */
void taf_story_time_infers(struct taf_story *s, const struct taf_trail *t)
{
	uint64_t open_ns = s->infers_inferred ? s->infers_idle_ns : s->end_ns;
	uint64_t most = taf_story_count_open(s, TAF_INFER) + s->infers_inferred;

	for (size_t i = 0; i < t->n_past; i++) {
		const struct taf_past *p = &t->past[i];

		if (p->kind != TAF_INFER)
			continue;
		if (p->phase == TAF_END && !p->mate)
			add_ended(s, NULL, p);
		else if (p->phase == TAF_BEGIN && p->mate && p->mate != TAF_MATE_GONE)
			add_ended(s, p, &t->past[p->mate - 1]);
		else if (p->phase == TAF_BEGIN && !p->mate &&
			 p->image == t->past[t->n_past - 1].image)
			taf_busy_add(&s->infer_time, p->mono_ns,
				     open_ns > p->mono_ns ? open_ns : p->mono_ns);
	}
	most = s->infer_time.most > most ? s->infer_time.most : most;
	s->infers_at_once = most > s->infers_at_once ? most : s->infers_at_once;
}
