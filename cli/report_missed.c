/* SPDX-License-Identifier: MIT */
/* report_missed.c -- drains that failed: which rule asked for them, what came of them, and
 * what to change.
 *
 * A record of a drain tells that by its rc and its msg (shim/act.c, shim/owner.c).  One
 * line for each engine and outcome, the latest first.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report.h"
#include "show.h"

#define LINES_MAX 4

/* What is known by msg, or where that says nothing more by rc; NULL and 0: any. */
static const struct outcome {
	const char *msg;
	int64_t rc;
	const char *what, *advice; /* advice NULL: the version's caches can be left alone */
} outcomes[] = {
	{ "its thread is idle", 0,
	  "its thread stands still, and MLX lets no other one wait for what it submitted last",
	  "what was answered is done, and no deadline helps: the program itself would have to "
	  "synchronize on that thread" },
	{ "its thread computes", 0, "its thread computes on, and MLX lets no other one wait for it",
	  "let it end its work before the program leaves, or raise drain.deadline in the policy" },
	{ "unseen streams", 0, "work was left in a stream that was destroyed, or not seen",
	  "this driver cannot be asked for it (CUDA can since 12.5); wait for a stream before it "
	  "is destroyed" },
	{ "is being captured", 0,
	  "memory was freed while a stream was being captured, when nothing may wait",
	  "free it before or after" },
	{ "a callback of the runtime", 0,
	  "it was due within a callback of the runtime, where nothing may wait",
	  "free, or leave, outside of callbacks" },
	{ "still in the engine", 0, "a thread did not come out of the engine",
	  "let it end its work first, or raise drain.deadline in the policy" },
	{ "in the midst of that", 0,
	  "another thread, or a handler of a signal, ended the process meanwhile",
	  "leave in one place, where none is inside of the engine, and not from a handler" },
	{ "but not cleared", 0, "the device was waited for, but the caches could not be cleared",
	  NULL },
	{ NULL, -EIO, "the wait for the device failed, so nothing was cleared",
	  "a computation before it had failed: that is what the rows above and taffrail events "
	  "tell of, and no setting of the guard helps" },
	{ NULL, -ENOSYS, "the engine has no function that the guard could call for it",
	  "this version cannot be drained: taffrail doctor -- COMMAND says what it has" },
	{ NULL, -ETIMEDOUT, "work takes longer than drain.deadline",
	  "raise it in the policy, or wait for the work before memory is freed" },
	{ NULL, 0, "why is not known", "its record may tell: taffrail log --ev drain" },
};

/* Drains that failed alike. */
struct missed {
	const struct outcome *outcome;
	enum taf_engine engine;
	char rules[200]; /* "drain.at_exit, drain.post_clear" */
	uint64_t n;
};

static const struct outcome *outcome_of(const char *msg, int64_t rc)
{
	const struct outcome *o = outcomes;

	while (o->msg ? !strstr(msg, o->msg) : o->rc && o->rc != rc)
		o++;
	return o;
}

static bool read_missed(const struct taf_past *p, struct missed *m)
{
	struct taf_crumb_line line;
	char msg[160];
	int64_t rc;

	if (p->kind != TAF_DRAIN || p->phase == TAF_BEGIN || !taf_past_line(p, &line) ||
	    !taf_crumb_i64(&line, TAF_KEY_RC, &rc) || !rc)
		return false;
	*m = (struct missed){ .engine = (enum taf_engine)p->engine, .n = 1 };
	if (!taf_crumb_text(&line, TAF_KEY_MSG, msg, sizeof(msg)))
		msg[0] = '\0';
	taf_crumb_text(&line, TAF_KEY_RULE, m->rules, sizeof(m->rules));
	m->outcome = outcome_of(msg, rc);
	return true;
}

static bool has_rule(const char *rules, const char *rule)
{
	size_t n = strlen(rule);

	for (const char *p = rules; (p = strstr(p, rule)); p += n)
		if ((p == rules || p[-1] == ' ') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

/* What there is no room for is left out. */
static void add_rule(char *rules, size_t room, const char *rule)
{
	size_t n = strlen(rules);

	if (*rule && !has_rule(rules, rule))
		snprintf(rules + n, room - n, "%s%s", n ? ", " : "", rule);
}

/* The latest kinds of them, with the number of each. */
static size_t find_missed(const struct taf_trail *t, struct missed list[LINES_MAX])
{
	struct missed one;
	size_t n = 0;

	for (size_t i = t->n_past; i > 0; i--) {
		size_t k = 0;

		if (!read_missed(&t->past[i - 1], &one))
			continue;
		while (k < n && (list[k].outcome != one.outcome || list[k].engine != one.engine))
			k++;
		if (k < n) {
			list[k].n++;
			add_rule(list[k].rules, sizeof(list[k].rules), one.rules);
		} else if (n < LINES_MAX) {
			list[n++] = one;
		}
	}
	return n;
}

/* "drain.post_clear asked for 3 drains of mlx that failed: " */
static void print_asked(FILE *out, const struct missed *m)
{
	taf_show_text(out, m->rules, sizeof(m->rules));
	fputs(m->rules[0] ? " asked for " : "", out);
	if (m->n > 1)
		fprintf(out, "%" PRIu64 " drains", m->n);
	else
		fputs("a drain", out);
	if (m->engine != TAF_ENGINE_NONE)
		fprintf(out, " of %s", taf_engine_name(m->engine));
	fputs(" that failed: ", out);
}

/* Its caches can be left alone, where its version is known. */
static void print_no_clear(FILE *out, const struct taf_trail *t, const struct missed *m)
{
	const char *engine = taf_engine_name(m->engine);
	struct taf_crumb_line head;
	char version[64], shown[80];

	if (!taf_report_head(t, &head) ||
	    !taf_crumb_member(&head, TAF_KEY_VERSIONS, engine, version, sizeof(version))) {
		fputs("drain.no_clear in the policy names versions whose caches are left alone",
		      out);
		return;
	}
	taf_show_safe(shown, sizeof(shown), version);
	fprintf(out,
		"drain.no_clear: [{\"engine\": \"%s\", \"versions\": \"==%s\"}] in the policy, or "
		"--set drain.no_clear=%s:==%s, leaves them alone",
		engine, shown, engine, shown);
}

void taf_report_missed(FILE *out, const struct taf_page *page)
{
	struct missed list[LINES_MAX];
	size_t n = page->story->drains_missed ? find_missed(page->trail, list) : 0;

	for (size_t i = 0; i < n; i++) {
		const struct outcome *o = list[i].outcome;

		taf_report_label(out, "next");
		print_asked(out, &list[i]);
		fprintf(out, "%s; ", o->what);
		if (o->advice)
			fputs(o->advice, out);
		else
			print_no_clear(out, page->trail, &list[i]);
		fputc('\n', out);
	}
}
