/* SPDX-License-Identifier: MIT */
/* report_acts.c -- what failed in a session, and what the rules did or would have done.
 *
 * A warning is a note that names a setting: a rule that let the call through and
 * said why it minds.
 */
#include <string.h>

#include "../policy/rules.h"
#include "../policy/text.h"
#include "report.h"
#include "show.h"

#define RULES_MAX 24
#define NAME_MAX_BYTES 100

/* The records of one kind. */
struct act {
	unsigned n;
	const struct taf_past *latest;
	struct {
		char rule[48]; /* "": none was named */
		unsigned n;
	} by[RULES_MAX];
	size_t n_by;
};

static void add_rule(struct act *a, const struct taf_crumb_line *line)
{
	char rule[48] = "";
	size_t i = 0;

	taf_crumb_text(line, TAF_KEY_RULE, rule, sizeof(rule));
	while (i < a->n_by && strcmp(a->by[i].rule, rule) != 0)
		i++;
	if (i == RULES_MAX)
		return;
	if (i == a->n_by)
		taf_copy(a->by[a->n_by++].rule, rule, sizeof(rule));
	a->by[i].n++;
}

static bool names_a_setting(const struct taf_crumb_line *line)
{
	char rule[48];

	return taf_crumb_text(line, TAF_KEY_RULE, rule, sizeof(rule)) && taf_rule_of(rule) >= 0;
}

static void find(struct act *a, const struct taf_trail *t, enum taf_kind kind)
{
	struct taf_crumb_line line;

	memset(a, 0, sizeof(*a));
	for (size_t i = 0; i < t->n_past; i++) {
		const struct taf_past *p = &t->past[i];

		if (p->kind != (int)kind || p->phase == TAF_END || !taf_past_line(p, &line) ||
		    (kind == TAF_NOTE && !names_a_setting(&line)))
			continue;
		a->latest = p;
		a->n++;
		add_rule(a, &line);
	}
}

static void print_key(FILE *out, const char *before, const struct taf_crumb_line *line,
		      enum taf_key key)
{
	char text[512];

	if (!taf_crumb_text(line, key, text, sizeof(text)) || !text[0])
		return;
	fputs(before, out);
	taf_show_text(out, text, NAME_MAX_BYTES);
}

static void print_latest(FILE *out, const char *label, const struct act *a, bool names_last)
{
	struct taf_crumb_line line;

	if (!a->latest || !taf_past_line(a->latest, &line))
		return;
	taf_report_label(out, label);
	fprintf(out, "%u", a->n);
	if (names_last) {
		print_key(out, a->n > 1 ? ", the last: " : ", ", &line, TAF_KEY_RULE);
		print_key(out, ", ", &line, TAF_KEY_MSG);
	} else {
		print_key(out, ", by rule ", &line, TAF_KEY_RULE);
		print_key(out, a->n > 1 ? ", the last: " : ": ", &line, TAF_KEY_MSG);
	}
	fputc('\n', out);
}

/* "cadence.same_model 2, drain.at_exit 1; the last: would refuse: ..." */
static void print_would(FILE *out, const struct act *a)
{
	struct taf_crumb_line line;

	if (!a->latest || !taf_past_line(a->latest, &line))
		return;
	taf_report_label(out, taf_kind_name(TAF_WOULD));
	for (size_t i = 0; i < a->n_by; i++) {
		fputs(i ? ", " : "", out);
		taf_show_text(out, a->by[i].rule[0] ? a->by[i].rule : "without a rule",
			      NAME_MAX_BYTES);
		fprintf(out, " %u", a->by[i].n);
	}
	print_key(out, "; the last: ", &line, TAF_KEY_MSG);
	fputc('\n', out);
}

void taf_report_acts(FILE *out, const struct taf_trail *t)
{
	static const enum taf_kind kinds[] = { TAF_ERROR, TAF_HOLD, TAF_REFUSE };
	struct act a;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		find(&a, t, kinds[k]);
		print_latest(out, taf_kind_name(kinds[k]), &a, false);
	}
	find(&a, t, TAF_NOTE);
	print_latest(out, "warned", &a, true);
	find(&a, t, TAF_WOULD);
	print_would(out, &a);
}

static void put_rules(struct taf_json *j, const char *key, const struct act *a)
{
	taf_json_open(j, key, '[');
	for (size_t i = 0; i < a->n_by; i++) {
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "rule", a->by[i].rule[0] ? a->by[i].rule : NULL);
		taf_json_u64(j, "count", a->by[i].n);
		taf_json_close(j);
	}
	taf_json_close(j);
}

void taf_report_acts_json(struct taf_json *j, const struct taf_trail *t)
{
	struct act a;

	find(&a, t, TAF_NOTE);
	put_rules(j, "warned", &a);
	find(&a, t, TAF_WOULD);
	put_rules(j, "would", &a);
}
