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

/* Begins come in the order of time, and one with an end has lasted as long as that says. */
static void count_time(struct taf_story *s, const struct taf_trail *t, const struct taf_past *p)
{
	const struct taf_past *end = p->phase == TAF_BEGIN && p->mate && p->mate != TAF_MATE_GONE
					     ? &t->past[p->mate - 1]
					     : NULL;
	struct taf_crumb_line line;
	uint64_t us;

	if (end && taf_past_line(end, &line) && !taf_story_is_empty(end, &line) &&
	    taf_crumb_us(&line, TAF_KEY_MS, &us))
		taf_busy_add(&s->infer_time, p->mono_ns, us);
}

void taf_story_count_infer(struct taf_story *s, const struct taf_trail *t, const struct taf_past *p,
			   const struct taf_crumb_line *line)
{
	uint64_t v;

	s->infers += p->phase != TAF_END;
	count_time(s, t, p);
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
	if (!p->mate && taf_crumb_us(line, TAF_KEY_MS, &v))
		s->infer_time.us += v; /* its begin is lost */
	if (p->phase == TAF_END && taf_crumb_has(line, TAF_KEY_WAITED_MS))
		s->infers_waited++;
	else if (p->phase == TAF_END && taf_crumb_has(line, TAF_KEY_SUBMITS) &&
		 !taf_crumb_has(line, TAF_KEY_TOKENS))
		s->infers_unwaited++;
	s->last_infer_ns = p->mono_ns;
}
