/* SPDX-License-Identifier: MIT */
/* report_acts.c -- what failed in a session, and what the rules did or would have done.
 *
 * A warning is a note that names a setting: a rule that let the call through and
 * said why it minds.
 */
#include <inttypes.h>
#include <string.h>

#include "../policy/rules.h"
#include "../policy/text.h"
#include "granted.h"
#include "report.h"
#include "show.h"
#include "tallied.h"

#define RULES_MAX 24
#define NAME_MAX_BYTES 100
#define TEXT_MAX_BYTES 600

/* The records of one kind, and what was only counted. */
struct act {
	uint64_t n;
	const struct taf_past *latest;
	struct {
		char name[48]; /* of the rule or the class; "": none was named */
		uint64_t n;
		const struct taf_past *latest;
	} by[RULES_MAX];
	size_t n_by;
};

/* What is looked for. */
enum what {
	ERRORS, /* what failed */
	FAULTS, /* what a runtime answered that is no failure of the device */
	HOLDS,
	REFUSALS,
	WARNINGS,
	LIMITS, /* that were granted less than was asked for */
	SPLITS, /* evaluations in pieces */
	WOULD,
};

static const enum taf_kind kind_of[] = {
	[ERRORS] = TAF_ERROR,  [FAULTS] = TAF_NOTE,  [HOLDS] = TAF_HOLD,  [REFUSALS] = TAF_REFUSE,
	[WARNINGS] = TAF_NOTE, [LIMITS] = TAF_LIMIT, [SPLITS] = TAF_NOTE, [WOULD] = TAF_WOULD,
};

static bool is_by_class(enum what what)
{
	return what == ERRORS || what == FAULTS;
}

static void add(struct act *a, const struct taf_past *p, const char *name)
{
	size_t i = 0;

	a->latest = p;
	a->n++;
	while (i < a->n_by && strcmp(a->by[i].name, name) != 0)
		i++;
	if (i == RULES_MAX)
		return;
	if (i == a->n_by)
		taf_copy(a->by[a->n_by++].name, name, sizeof(a->by[i].name));
	a->by[i].n++;
	a->by[i].latest = p;
}

static int rule_of(const struct taf_crumb_line *line)
{
	char rule[48];

	return taf_crumb_text(line, TAF_KEY_RULE, rule, sizeof(rule)) ? taf_rule_of(rule) : -1;
}

/* Of eval.chunk: or why there are no pieces (hooks/mlx.c). */
static bool is_split(const struct taf_crumb_line *line)
{
	char msg[16];

	return !taf_crumb_text(line, TAF_KEY_MSG, msg, sizeof(msg)) ||
	       !taf_starts(msg, "not split");
}

static bool is_warning(const struct taf_crumb_line *line)
{
	switch (rule_of(line)) {
	case TAF_RULE_eval_chunk: return !is_split(line);
	case TAF_RULE_crumbs_journal: return false; /* a word about itself */
	default: return rule_of(line) >= 0;
	}
}

static bool is_fault(const struct taf_crumb_line *line)
{
	return taf_crumb_has(line, TAF_KEY_CLASS) && taf_crumb_has(line, TAF_KEY_RC) &&
	       !taf_crumb_has(line, TAF_KEY_RULE);
}

static bool is_meant(enum what what, const struct taf_past *p, const struct taf_crumb_line *line)
{
	if (p->kind != (int)kind_of[what] || p->phase == TAF_END || taf_tallied_is_note(line))
		return false;
	switch (what) {
	case WARNINGS: return is_warning(line);
	case SPLITS: return rule_of(line) == TAF_RULE_eval_chunk && is_split(line);
	case FAULTS: return is_fault(line);
	default: return true;
	}
}

/* Under which name it counts; false: it does not. */
static bool find_name(enum what what, const struct taf_past *p, char *name, size_t room)
{
	enum taf_key key = is_by_class(what) ? TAF_KEY_CLASS : TAF_KEY_RULE;
	struct taf_granted granted;
	struct taf_crumb_line line;

	if (p->kind == TAF_LIMIT) {
		if (!taf_granted_read(p, &granted) || what != (granted.is_would ? WOULD : LIMITS))
			return false;
		taf_copy(name, granted.rule, room);
		return true;
	}
	if (!taf_past_line(p, &line) || !is_meant(what, p, &line))
		return false;
	if (!taf_crumb_text(&line, key, name, room))
		name[0] = '\0';
	return true;
}

static void add_tallied(struct act *a, enum what what, const struct taf_page *page)
{
	for (size_t i = 0; i < a->n_by; i++) {
		uint64_t more = is_by_class(what) ? taf_tallied_more_of(page->story, page->trail,
									a->by[i].latest)
						  : taf_tallied_more(page->story, page->trail,
								     kind_of[what], a->by[i].name);

		a->by[i].n += more;
		a->n += more;
	}
}

static void find(struct act *a, const struct taf_page *page, enum what what)
{
	const struct taf_trail *t = page->trail;
	char name[48];

	memset(a, 0, sizeof(*a));
	for (size_t i = 0; i < t->n_past; i++)
		if (find_name(what, &t->past[i], name, sizeof(name)))
			add(a, &t->past[i], name);
	add_tallied(a, what, page);
}

static void print_key(FILE *out, const char *before, const struct taf_crumb_line *line,
		      enum taf_key key)
{
	char text[1024], name[NAME_MAX_BYTES + 4];

	if (!taf_crumb_text(line, key, text, sizeof(text)) || !text[0])
		return;
	fputs(before, out);
	taf_show_text(out, key == TAF_KEY_CALL ? taf_show_call(name, sizeof(name), text) : text,
		      key == TAF_KEY_MSG ? TEXT_MAX_BYTES : NAME_MAX_BYTES);
}

static void print_latest(FILE *out, const char *label, const struct act *a, bool names_last)
{
	struct taf_crumb_line line;

	if (!a->latest || !taf_past_line(a->latest, &line))
		return;
	taf_report_label(out, label);
	fprintf(out, "%" PRIu64, a->n);
	if (names_last) {
		print_key(out, a->n > 1 ? ", the last: " : ", ", &line, TAF_KEY_RULE);
		print_key(out, ": ", &line, TAF_KEY_MSG);
	} else {
		print_key(out, ", by rule ", &line, TAF_KEY_RULE);
		print_key(out, a->n > 1 ? ", the last: " : ": ", &line, TAF_KEY_MSG);
	}
	fputc('\n', out);
}

/* "cadence.same_model 2, drain.at_exit 1" */
static void print_names(FILE *out, const struct act *a)
{
	for (size_t i = 0; i < a->n_by; i++) {
		fputs(i ? ", " : "", out);
		taf_show_text(out, a->by[i].name[0] ? a->by[i].name : "without a rule",
			      NAME_MAX_BYTES);
		fprintf(out, " %" PRIu64, a->by[i].n);
	}
}

/* "cadence.same_model 2, drain.at_exit 1; the last: would refuse: ..." */
static void print_by_rule(FILE *out, const char *label, const struct act *a)
{
	struct taf_crumb_line line;

	if (!a->latest || !taf_past_line(a->latest, &line))
		return;
	taf_report_label(out, label);
	print_names(out, a);
	print_key(out, "; the last: ", &line, TAF_KEY_MSG);
	fputc('\n', out);
}

static void print_bytes(FILE *out, const char *before, const struct taf_crumb_line *line,
			enum taf_key key, const char *after)
{
	char text[32];
	uint64_t n;

	if (taf_crumb_u64(line, key, &n))
		fprintf(out, "%s%s%s", before, taf_show_bytes(text, sizeof(text), n), after);
}

/* "out_of_memory 4; the last by cudaMalloc: 19.5 GiB asked for, 8.0 GiB of 8.0 GiB free;
 * CUDA_ERROR_OUT_OF_MEMORY: ..." */
static void print_faults(FILE *out, const struct act *a)
{
	struct taf_crumb_line line;

	if (!a->latest || !taf_past_line(a->latest, &line))
		return;
	taf_report_label(out, "faults");
	print_names(out, a);
	print_key(out, a->n > 1 ? "; the last by " : " by ", &line, TAF_KEY_CALL);
	print_bytes(out, ": ", &line, TAF_KEY_BYTES, " asked for");
	print_bytes(out, ", ", &line, TAF_KEY_FREE, "");
	print_bytes(out, " of ", &line, TAF_KEY_TOTAL, " free");
	print_key(out, "; ", &line, TAF_KEY_MSG);
	fputc('\n', out);
}

/* What the kernel's log says beside each class of error, or why it says nothing. */
static void print_xids(FILE *out, const struct taf_page *page, const struct act *a)
{
	const struct taf_blind *blind = NULL;

	for (size_t i = 0; i < a->n_by; i++) {
		const struct taf_blind *b = taf_report_xid(out, page, a->by[i].name);

		blind = b ? b : blind;
	}
	if (!blind)
		return;
	taf_report_label(out, "xid");
	fputs("not known: ", out);
	taf_show_text(out, blind->why, TEXT_MAX_BYTES);
	fputc('\n', out);
}

void taf_report_acts(FILE *out, const struct taf_page *page)
{
	static const enum what plain[] = { HOLDS, REFUSALS };
	struct act a;

	find(&a, page, FAULTS);
	print_faults(out, &a);
	find(&a, page, ERRORS);
	print_latest(out, taf_kind_name(TAF_ERROR), &a, false);
	print_xids(out, page, &a);
	for (size_t k = 0; k < sizeof(plain) / sizeof(*plain); k++) {
		find(&a, page, plain[k]);
		print_latest(out, taf_kind_name(kind_of[plain[k]]), &a, false);
	}
	find(&a, page, WARNINGS);
	print_latest(out, "warned", &a, true);
	find(&a, page, LIMITS);
	print_by_rule(out, "limited", &a);
	find(&a, page, SPLITS);
	print_latest(out, "split", &a, false);
	find(&a, page, WOULD);
	print_by_rule(out, taf_kind_name(TAF_WOULD), &a);
}

/* Each rule with the latest word of it. */
static void put_rules(struct taf_json *j, const char *key, const struct act *a)
{
	struct taf_crumb_line line;
	char text[1024];

	taf_json_open(j, key, '[');
	for (size_t i = 0; i < a->n_by; i++) {
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "rule", a->by[i].name[0] ? a->by[i].name : NULL);
		taf_json_u64(j, "count", a->by[i].n);
		if (taf_past_line(a->by[i].latest, &line) &&
		    taf_crumb_text(&line, TAF_KEY_MSG, text, sizeof(text)))
			taf_json_text(j, "msg", text);
		taf_json_close(j);
	}
	taf_json_close(j);
}

static void put_number(struct taf_json *j, const char *name, const struct taf_crumb_line *line,
		       enum taf_key key)
{
	uint64_t n;

	if (taf_crumb_u64(line, key, &n))
		taf_json_u64(j, name, n);
}

/* Each class with the latest of it; with a page also with what is beside it. */
static void put_failed(struct taf_json *j, const char *key, const struct act *a,
		       const struct taf_page *page)
{
	struct taf_crumb_line line;
	char text[1024];
	int64_t rc;

	taf_json_open(j, key, '[');
	for (size_t i = 0; i < a->n_by; i++) {
		if (!taf_past_line(a->by[i].latest, &line))
			continue;
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "class", a->by[i].name[0] ? a->by[i].name : NULL);
		taf_json_u64(j, "count", a->by[i].n);
		if (taf_crumb_text(&line, TAF_KEY_CALL, text, sizeof(text)))
			taf_report_call_json(j, text);
		if (taf_crumb_i64(&line, TAF_KEY_RC, &rc))
			taf_json_i64(j, "rc", rc);
		put_number(j, "bytes", &line, TAF_KEY_BYTES);
		put_number(j, "free", &line, TAF_KEY_FREE);
		put_number(j, "total", &line, TAF_KEY_TOTAL);
		if (taf_crumb_text(&line, TAF_KEY_MSG, text, sizeof(text)))
			taf_json_text(j, "msg", text);
		if (page)
			taf_report_xid_json(j, page, a->by[i].name);
		taf_json_close(j);
	}
	taf_json_close(j);
}

void taf_report_acts_json(struct taf_json *j, const struct taf_page *page)
{
	struct act a;

	find(&a, page, ERRORS);
	put_failed(j, "errors", &a, page);
	find(&a, page, FAULTS);
	put_failed(j, "faults", &a, NULL);
	find(&a, page, REFUSALS);
	put_rules(j, "refused", &a);
	find(&a, page, WARNINGS);
	put_rules(j, "warned", &a);
	find(&a, page, LIMITS);
	put_rules(j, "limited", &a);
	find(&a, page, SPLITS);
	put_rules(j, "split", &a);
	find(&a, page, WOULD);
	put_rules(j, "would", &a);
}
