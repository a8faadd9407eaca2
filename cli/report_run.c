/* SPDX-License-Identifier: MIT */
/* report_run.c -- how the program of a `run` ended, as `run` itself has recorded it. */
#include <inttypes.h>
#include <string.h>

#include "../policy/text.h"
#include "report.h"
#include "show.h"

/* A session that is reported says itself how it ended. */
static bool has_page(const struct taf_run_report *r, uint64_t pid)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->pages[i].trail->pid == (int64_t)pid)
			return true;
	return false;
}

static void take(struct taf_run_report *r, const struct taf_past *p)
{
	struct taf_run_ending *e = &r->ending;
	struct taf_crumb_line line;
	char call[16] = "";
	uint64_t pid;
	int64_t rc;

	if (p->kind != TAF_EXIT || !taf_past_line(p, &line) ||
	    !taf_crumb_text(&line, TAF_KEY_CALL, call, sizeof(call)) || strcmp(call, "run") != 0 ||
	    !taf_crumb_item_u64(&line, TAF_KEY_PID_OF_GUEST, 0, &pid) || has_page(r, pid) ||
	    !taf_crumb_i64(&line, TAF_KEY_RC, &rc))
		return;
	e->is_known = true;
	e->rc = rc;
	e->pid = (int32_t)pid;
	e->starts++;
}

void taf_run_ending_find(struct taf_run_report *r, const struct taf_trail *runner)
{
	struct taf_crumb_line line;

	memset(&r->ending, 0, sizeof(r->ending));
	for (size_t i = 0; runner && i < runner->n_past; i++)
		take(r, &runner->past[i]);
	if (r->ending.is_known && taf_report_head(runner, &line))
		taf_crumb_text(&line, TAF_KEY_EXE, r->ending.program, sizeof(r->ending.program));
	for (size_t i = 0; i < r->n; i++)
		r->pages[i].run = &r->ending;
}

void taf_run_ending_text(FILE *out, const struct taf_run_ending *e)
{
	char name[32];

	if (!e->is_known)
		return;
	fputs("the run: ", out);
	taf_show_text(out, e->program[0] ? taf_base(e->program) : "its program", 100);
	fprintf(out, " (pid %d), which used no engine itself, ", e->pid);
	if (e->rc < 0)
		fprintf(out, "was killed by %s", taf_show_signal(name, sizeof(name), (int)-e->rc));
	else
		fprintf(out, "ended with status %" PRId64, e->rc);
	if (e->starts > 1)
		fprintf(out, "; it was the last of %u", e->starts);
	fputs("\n\n", out);
}

void taf_run_ending_json(struct taf_json *j, const struct taf_run_ending *e)
{
	char name[32];

	if (!e->is_known) {
		taf_json_null(j, "run_end");
		return;
	}
	taf_json_open(j, "run_end", '{');
	taf_json_text(j, "program", e->program[0] ? e->program : NULL);
	taf_json_i64(j, "pid", e->pid);
	taf_json_i64(j, "rc", e->rc);
	taf_json_text(j, "signal",
		      e->rc < 0 ? taf_show_signal(name, sizeof(name), (int)-e->rc) : NULL);
	taf_json_u64(j, "starts", e->starts);
	taf_json_close(j);
}
