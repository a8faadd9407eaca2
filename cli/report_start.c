/* SPDX-License-Identifier: MIT */
/* report_start.c -- starts that were refused, or that waited for the GPU lock. */
#include <string.h>

#include "report.h"
#include "show.h"

#define WAIT_ROOM 900

/* Of a run that started nothing. */
static void take_refusal(struct taf_refused_start *s, const struct taf_trail *t)
{
	struct taf_crumb_line line;

	for (size_t i = 0; i < t->n_past && !s->is_known; i++) {
		if (t->past[i].kind != TAF_REFUSE || !taf_past_line(&t->past[i], &line))
			continue;
		s->is_known = true;
		s->utc_us = taf_trail_utc_us(t, t->past[i].mono_ns);
		taf_crumb_text(&line, TAF_KEY_RULE, s->rule, sizeof(s->rule));
		taf_crumb_text(&line, TAF_KEY_MSG, s->msg, sizeof(s->msg));
	}
}

static bool take_start(struct taf_refused_start *s, struct taf_trail *t, const char *dir,
		       const struct taf_world *now)
{
	struct taf_crumb_line line;

	if (!t->past && taf_trail_load(t, dir))
		return false;
	take_refusal(s, t);
	if (!s->is_known && taf_lock_wait_read(t, now, &s->wait)) {
		s->is_known = s->is_wait = true;
		s->utc_us = s->wait.utc_us;
	}
	if (s->is_known && taf_report_head(t, &line))
		taf_crumb_text(&line, TAF_KEY_EXE, s->program, sizeof(s->program));
	return s->is_known;
}

void taf_refused_start_find(struct taf_refused_start *s, struct taf_trails *g,
			    const struct taf_trail *newest, const struct taf_world *now)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = g->n; newest && i > 0 && &g->list[i - 1] != newest; i--)
		if (taf_trail_is_run(&g->list[i - 1]) &&
		    strcmp(g->list[i - 1].run, newest->run) != 0 &&
		    take_start(s, &g->list[i - 1], g->dir, now))
			return;
}

void taf_refused_start_text(FILE *out, const struct taf_refused_start *s)
{
	char when[TAF_TIME_ROOM], text[WAIT_ROOM];

	if (!s->is_known)
		return;
	fputs("A later start, of ", out);
	taf_show_text(out, s->program[0] ? s->program : "a program", 200);
	fprintf(out, " at %s, ", taf_show_time(when, s->utc_us));
	if (s->is_wait) {
		taf_lock_wait_text(&s->wait, text, sizeof(text));
		fputs(text, out);
		fputs(s->wait.fate == TAF_LOCK_GOT ? " and has used no engine" : "", out);
	} else {
		fputs("was refused: ", out);
		taf_show_text(out, s->rule, sizeof(s->rule));
		fputs(s->msg[0] ? ": " : "", out);
		taf_show_text(out, s->msg, sizeof(s->msg));
	}
	fputs("\nWhat follows is the run before it.\n\n", out);
}

static void put_refused(struct taf_json *j, const struct taf_refused_start *s)
{
	if (!s->is_known || s->is_wait) {
		taf_json_null(j, "refused_start");
		return;
	}
	taf_json_open(j, "refused_start", '{');
	taf_json_time(j, "time", s->utc_us);
	taf_json_text(j, "exe", s->program[0] ? s->program : NULL);
	taf_json_text(j, "rule", s->rule);
	taf_json_text(j, "msg", s->msg);
	taf_json_close(j);
}

void taf_refused_start_json(struct taf_json *j, const struct taf_refused_start *s)
{
	put_refused(j, s);
	taf_lock_wait_json(j, "held_start", s->is_wait ? &s->wait : NULL);
}

/* Of the run's own record; a program that waits itself tells it among its holds. */
static bool waited(const struct taf_page *page, struct taf_lock_wait *l)
{
	return page->runner && page->runner != page->trail &&
	       taf_lock_wait_read(page->runner, page->world, l);
}

void taf_start_wait_text(FILE *out, const struct taf_page *page)
{
	struct taf_lock_wait l;
	char text[WAIT_ROOM];

	if (!waited(page, &l))
		return;
	taf_lock_wait_text(&l, text, sizeof(text));
	taf_report_label(out, "start");
	fprintf(out, "%s\n", text);
}

void taf_start_wait_json(struct taf_json *j, const struct taf_page *page)
{
	struct taf_lock_wait l;

	taf_lock_wait_json(j, "start_wait", waited(page, &l) ? &l : NULL);
}
