/* SPDX-License-Identifier: MIT */
#include "tallied.h"

#include <string.h>

#include "../policy/fault.h"
#include "../policy/rules.h"

bool taf_tallied_is_note(const struct taf_crumb_line *line)
{
	char class[8];

	return taf_crumb_text(line, TAF_KEY_CLASS, class, sizeof(class)) && !strcmp(class, "count");
}

/* Of a record, as the ring names it; 0: nothing that is counted. */
static uint64_t id_of(const struct taf_crumb_line *line, enum taf_kind kind)
{
	char rule[48];
	int64_t rc;
	int row = -1, engine = taf_crumb_engine(line);

	if (taf_crumb_text(line, TAF_KEY_RULE, rule, sizeof(rule)))
		row = taf_rule_of(rule);
	if (row >= 0)
		return taf_tally_id(kind, TAF_TALLY_RULE, (uint32_t)row);
	if (engine < 0 || !taf_crumb_i64(line, TAF_KEY_RC, &rc))
		return 0;
	return taf_tally_id(kind, taf_api_of((enum taf_engine)engine), (uint32_t)rc);
}

static int kind_counted(const struct taf_crumb_line *line)
{
	char name[16];

	taf_crumb_text(line, TAF_KEY_COUNTS, name, sizeof(name));
	for (int k = 0; k < TAF_KIND_COUNT; k++)
		if (!strcmp(taf_kind_name((enum taf_kind)k), name))
			return k;
	return -1;
}

/* An exec that failed has left notes as well: the later one counts. */
static bool renews(struct taf_story *s)
{
	const struct taf_tally_seen *seen = &s->tallies[s->n_tallies];

	for (size_t i = 0; i < s->n_tallies; i++)
		if (s->tallies[i].id == seen->id) {
			s->tallies[i].n = seen->n;
			return true;
		}
	return false;
}

void taf_tallied_find(struct taf_story *s, const struct taf_trail *t)
{
	struct taf_crumb_line line;
	int kind;

	for (size_t i = 0; i < t->n_past && s->n_tallies < TAF_RING_TALLIES; i++) {
		struct taf_tally_seen *seen = &s->tallies[s->n_tallies];

		if (t->past[i].kind != TAF_NOTE || !taf_past_line(&t->past[i], &line) ||
		    !taf_tallied_is_note(&line))
			continue;
		kind = kind_counted(&line);
		seen->id = kind >= 0 ? id_of(&line, (enum taf_kind)kind) : 0;
		if (seen->id && taf_crumb_u64(&line, TAF_KEY_TIMES, &seen->n) && !renews(s))
			s->n_tallies++;
	}
}

static uint64_t more_of(const struct taf_tally_seen *seen, const struct taf_trail *t)
{
	enum taf_kind kind = taf_tally_kind(seen->id);
	struct taf_crumb_line line;
	uint64_t n = 0;

	for (size_t i = 0; i < t->n_past; i++) {
		const struct taf_past *p = &t->past[i];

		n += p->kind == (int)kind && p->phase != TAF_END && taf_past_line(p, &line) &&
		     !taf_tallied_is_note(&line) && id_of(&line, kind) == seen->id;
	}
	return seen->n > n ? seen->n - n : 0;
}

uint64_t taf_tallied_more(const struct taf_story *s, const struct taf_trail *t, enum taf_kind kind,
			  const char *rule)
{
	int row = rule ? taf_rule_of(rule) : -1;
	uint64_t more = 0;

	for (size_t i = 0; i < s->n_tallies; i++) {
		const struct taf_tally_seen *seen = &s->tallies[i];
		bool is_rule = taf_tally_of(seen->id) == TAF_TALLY_RULE;

		if (taf_tally_kind(seen->id) == kind &&
		    (!rule || (is_rule && row >= 0 && (uint32_t)seen->id == (uint32_t)row)))
			more += more_of(seen, t);
	}
	return more;
}

uint64_t taf_tallied_more_of(const struct taf_story *s, const struct taf_trail *t,
			     const struct taf_past *p)
{
	struct taf_crumb_line line;
	uint64_t id = taf_past_line(p, &line) ? id_of(&line, (enum taf_kind)p->kind) : 0;

	for (size_t i = 0; id && i < s->n_tallies; i++)
		if (s->tallies[i].id == id)
			return more_of(&s->tallies[i], t);
	return 0;
}
