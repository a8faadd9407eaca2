/* SPDX-License-Identifier: MIT */
/* report_text.c -- `taffrail report` for people: a page a run.
 *
 * First the processes of the run, if there are several, then each with its
 * verdict, phases, threads, what never came back, and what to do next.  All
 * text of the log goes through show.h.
 */
#include <inttypes.h>
#include <string.h>

#include "../policy/text.h"
#include "../shim/versions.h"
#include "report.h"
#include "show.h"

#define NAME_MAX_BYTES 300
#define THREADS_SHOWN 12u
#define LABEL_WIDTH 11
#define TREE_DEPTH 16
#define WATCH_SHOWN 8u

static const char *colour_of(enum taf_ended verdict)
{
	int w = taf_ended_weight(verdict);

	return w >= taf_ended_weight(TAF_ENDED_SIGNAL)	 ? "\033[1;31m"
	       : w > taf_ended_weight(TAF_ENDED_RUNNING) ? "\033[1;33m"
							 : "\033[1;32m";
}

static void print_verdict(FILE *out, enum taf_ended verdict, int width)
{
	bool has_colour = taf_show_has_colour(out);

	fprintf(out, "%s%-*s%s", has_colour ? colour_of(verdict) : "", width,
		taf_ended_name(verdict), has_colour ? "\033[0m" : "");
}

void taf_report_label(FILE *out, const char *label)
{
	fprintf(out, "  %-*s", LABEL_WIDTH, label);
}

static void print_line(FILE *out, const char *label, const char *text)
{
	if (!text[0])
		return;
	taf_report_label(out, label);
	taf_show_text(out, text, NAME_MAX_BYTES);
	fputc('\n', out);
}

static void print_command(FILE *out, const struct taf_trail *t)
{
	struct taf_crumb_line head;

	if (!taf_report_head(t, &head))
		fprintf(out, "process %d", t->pid);
	else
		taf_show_command(out, &head);
}

static void print_when(FILE *out, const struct taf_trail *t, const struct taf_story *s)
{
	char from[TAF_TIME_ROOM], took[32];

	taf_report_label(out, "process");
	fprintf(out, "%d", t->pid);
	if (t->first_us)
		fprintf(out, ", since %s", taf_show_time(from, t->first_us));
	if (s->end_ns > t->first_ns && t->first_ns)
		fprintf(out, ", %s%s",
			taf_show_ms(took, sizeof(took), (s->end_ns - t->first_ns) / 1000),
			s->is_alive	  ? " so far"
			: s->end_is_known ? ""
					  : " until its last sign of life");
	fputc('\n', out);
}

static void print_engine(FILE *out, const struct taf_crumb_line *head, const struct taf_story *s)
{
	char text[160];
	const char *comma = "";

	if (!s->engines)
		return;
	taf_report_label(out, "engine");
	for (int e = 1; e < TAF_ENGINE_COUNT; e++)
		if (s->engines & 1u << e) {
			fprintf(out, "%s%s", comma, taf_engine_name((enum taf_engine)e));
			comma = ", ";
		}
	if (taf_crumb_text(head, TAF_KEY_BOUNDARIES, text, sizeof(text))) {
		fputs("; boundaries ", out);
		taf_show_text(out, text, 40);
	}
	for (unsigned i = 0; i < 8 && taf_crumb_item(head, TAF_KEY_ROUTES, i, text, sizeof(text));
	     i++) {
		fputs(i ? ", " : "; routes ", out);
		taf_show_text(out, text, 40);
	}
	fputc('\n', out);
}

/* A member of the object "host", with what is said before and behind it. */
static void print_fact(FILE *out, const struct taf_crumb_line *head, const char *name,
		       const char *before)
{
	char text[120];

	if (!taf_crumb_member(head, TAF_KEY_HOST, name, text, sizeof(text)))
		return;
	fputs(before, out);
	taf_show_text(out, text, 96);
}

static void print_host(FILE *out, const struct taf_crumb_line *head)
{
	char text[32];
	uint64_t v;

	if (!taf_crumb_has(head, TAF_KEY_HOST))
		return;
	taf_report_label(out, "host");
	print_fact(out, head, "kernel", "kernel ");
	print_fact(out, head, "driver", ", driver ");
	if (taf_crumb_member_u64(head, TAF_KEY_HOST, "swap", &v))
		fprintf(out, ", %s", v ? "swap " : "no swap");
	if (v)
		fputs(taf_show_bytes(text, sizeof(text), v), out);
	if (taf_crumb_member_u64(head, TAF_KEY_HOST, "limit", &v))
		fprintf(out, ", memory limit %s", taf_show_bytes(text, sizeof(text), v));
	print_fact(out, head, "unit", ", unit ");
	if (taf_crumb_member_u64(head, TAF_KEY_HOST, "stop_ms", &v))
		fprintf(out, ", killed %s after a stop",
			taf_show_ms(text, sizeof(text), v < UINT64_MAX / 1000 ? v * 1000 : v));
	fputc('\n', out);
}

/* "llama.cpp 0.5.0-dev, ggml 0.25.1" */
static void print_versions(FILE *out, const struct taf_crumb_line *head)
{
	char text[64];
	const char *package;

	if (!taf_crumb_has(head, TAF_KEY_VERSIONS))
		return;
	taf_report_label(out, "versions");
	for (uint32_t i = 0, n = 0; (package = taf_versions_package(i)); i++)
		if (taf_crumb_member(head, TAF_KEY_VERSIONS, package, text, sizeof(text))) {
			fprintf(out, "%s%s ", n++ ? ", " : "", package);
			taf_show_text(out, text, sizeof(text));
		}
	fputc('\n', out);
}

static void print_policy(FILE *out, const struct taf_crumb_line *head)
{
	char path[512], origin[16] = "", text[600];

	if (!taf_crumb_member(head, TAF_KEY_POLICY, "path", path, sizeof(path)))
		return;
	taf_crumb_member(head, TAF_KEY_POLICY, "origin", origin, sizeof(origin));
	snprintf(text, sizeof(text),
		 strcmp(origin, "built-in") ? "%s" : "built-in: %s could not be used", path);
	print_line(out, "policy", text);
}

/* What the program was told to make room for. */
static void print_asked(FILE *out, const struct taf_crumb_line *head)
{
	char context[24] = "", parallel[24] = "", text[96];

	taf_crumb_member(head, TAF_KEY_ASKED, "context", context, sizeof(context));
	taf_crumb_member(head, TAF_KEY_ASKED, "parallel", parallel, sizeof(parallel));
	if (!*context && !*parallel)
		return;
	snprintf(text, sizeof(text), "%s%s%s%s%s", context, *context ? " tokens of context" : "",
		 *context && *parallel ? ", " : "", parallel, *parallel ? " sequences" : "");
	print_line(out, "asks for", text);
}

static void print_head(FILE *out, const struct taf_trail *t, const struct taf_story *s)
{
	struct taf_crumb_line head;
	char text[1024];

	if (!taf_report_head(t, &head))
		memset(&head, 0, sizeof(head));
	print_when(out, t, s);
	if (taf_crumb_text(&head, TAF_KEY_EXE, text, sizeof(text)))
		print_line(out, "program", text);
	if (taf_crumb_text(&head, TAF_KEY_LABEL, text, sizeof(text)))
		print_line(out, "label", text);
	print_host(out, &head);
	if (taf_crumb_text(&head, TAF_KEY_GUESS, text, sizeof(text)))
		print_line(out, "looks like", text);
	if (taf_crumb_text(&head, TAF_KEY_PROFILE, text, sizeof(text)))
		print_line(out, "profile", text);
	print_asked(out, &head);
	print_engine(out, &head, s);
	print_versions(out, &head);
	print_line(out, "model", s->model);
	if (taf_crumb_text(&head, TAF_KEY_MODE, text, sizeof(text)) && strcmp(text, "enforce") != 0)
		print_line(out, "mode", text);
	print_policy(out, &head);
}

static void print_call(FILE *out, int kind, uint8_t engine, const char *call)
{
	char name[TAF_LABEL_ROOM];

	/* A note about a call says no more than the call itself. */
	bool has_kind = kind != TAF_NOTE || !call[0];

	if (has_kind)
		fputs(taf_show_kind(kind, engine), out);
	if (has_kind && call[0])
		fputc(' ', out);
	taf_show_text(out, taf_show_call(name, sizeof(name), call), 80);
}

/* From when ages count. */
static const char *before_what(const struct taf_story *s)
{
	return s->is_alive ? "ago" : s->end_is_known ? "before the end" : "before its last sign";
}

static void print_threads(FILE *out, const struct taf_story *s)
{
	char age[32];

	for (size_t i = 0; i < s->n_last && i < THREADS_SHOWN; i++) {
		const struct taf_last_thing *l = &s->last[i];

		taf_report_label(out, i ? "" : "threads");
		fprintf(out, "%d %s ", l->tid,
			l->is_inside  ? "inside"
			: s->has_ring ? "last did"
				      : "last wrote");
		print_call(out, l->kind, l->engine, l->call);
		taf_show_ms(age, sizeof(age), l->age_ms * 1000);
		if (l->is_inside)
			fprintf(out, ", for %s\n", age);
		else
			fprintf(out, ", %s %s\n", age, before_what(s));
	}
	if (s->n_last > THREADS_SHOWN) {
		taf_report_label(out, "");
		fprintf(out, "and %zu more\n", s->n_last - THREADS_SHOWN);
	}
}

/* A process that did not leave in order has left its ring, unless somebody took it. */
static void print_ring(FILE *out, const struct taf_page *page)
{
	const struct taf_story *s = page->story;

	if (!taf_trail_is_guest(page->trail))
		return; /* it never had one */
	if (!s->has_ring && (s->verdict == TAF_ENDED_RUNNING || s->verdict == TAF_ENDED_KILLED ||
			     s->verdict == TAF_ENDED_MACHINE_DOWN))
		print_line(out, "ring",
			   "gone or damaged: counts and threads are from the log alone");
	else if (!s->has_ring && s->n_last > 1)
		print_line(out, "ring",
			   "removed when it left: of its threads there is what they wrote down");
}

/* What the watch of its run saw and did. */
static void print_watch(FILE *out, const struct taf_page *page)
{
	const struct taf_trail *r = page->runner;
	struct taf_crumb_line line;
	char class[16], text[1024];
	uint64_t pid;
	unsigned n = 0;

	for (size_t i = 0; r && r != page->trail && i < r->n_past && n < WATCH_SHOWN; i++) {
		if (r->past[i].kind != TAF_NOTE || !taf_past_line(&r->past[i], &line) ||
		    !taf_crumb_item_u64(&line, TAF_KEY_PID_OF_GUEST, 0, &pid) ||
		    pid != (uint64_t)page->trail->pid ||
		    !taf_crumb_text(&line, TAF_KEY_CLASS, class, sizeof(class)) ||
		    !taf_crumb_text(&line, TAF_KEY_MSG, text, sizeof(text)))
			continue;
		taf_report_label(out, n++ ? "" : "watch");
		taf_show_text(out, text, sizeof(text));
		fputc('\n', out);
	}
}

static void print_open(FILE *out, const struct taf_story *s)
{
	char age[32], name[TAF_LABEL_ROOM];

	for (size_t i = 0; i < s->n_open; i++) {
		const struct taf_open_begin *o = &s->open[i];

		taf_report_label(out, i ? "" : "open");
		print_call(out, o->kind, o->engine, o->call);
		if (o->model[0]) {
			fputs(" on ", out);
			taf_show_text(out, o->model, 100);
		}
		if (o->msg[0]) {
			fputs(" (", out);
			taf_show_text(out, o->msg, 100);
			fputc(')', out);
		}
		fprintf(out, ", begun %s %s\n", taf_show_ms(age, sizeof(age), o->age_ms * 1000),
			before_what(s));
	}
	if (s->oldest.is_known && s->n_open) {
		taf_report_label(out, "oldest");
		taf_show_text(out, taf_show_call(name, sizeof(name), s->oldest.call), 80);
		fputs(s->oldest.label[0] ? ", " : "", out);
		taf_show_text(out, s->oldest.label, 100);
		fprintf(out, ", begun %s %s; %s\n",
			taf_show_ms(age, sizeof(age), s->oldest.age_ms * 1000), before_what(s),
			taf_oldest_text(&s->oldest));
	}
}

static void print_damage(FILE *out, const struct taf_trail *t)
{
	for (size_t i = 0; i < t->n_files; i++) {
		const struct taf_trail_file *f = &t->files[i];

		if (f->bad) {
			taf_report_label(out, "damage");
			fprintf(out, "%" PRIu64 " line%s of %s skipped%s\n", f->bad,
				f->bad == 1 ? "" : "s", f->name,
				f->is_tail_bad ? "; the last one was perhaps being written" : "");
		}
		if (f->err) {
			taf_report_label(out, "damage");
			fprintf(out, "%s cannot be read: %s\n", f->name, strerror(-f->err));
		}
	}
}

/* The verdict and its sentence; where that begins with the same word, it stands once. */
static void print_sentence(FILE *out, const struct taf_story *s)
{
	size_t n = strlen(taf_ended_name(s->verdict));
	bool has_word = taf_starts(s->text, taf_ended_name(s->verdict));

	fputs("\n  ", out);
	print_verdict(out, s->verdict, has_word ? 0 : LABEL_WIDTH);
	if (!has_word && n >= LABEL_WIDTH)
		fputc(' ', out);
	taf_show_text(out, s->text + (has_word ? n : 0), sizeof(s->text));
	fputs("\n\n", out);
}

static void print_page(FILE *out, const struct taf_page *page)
{
	const struct taf_story *s = page->story;

	print_command(out, page->trail);
	print_sentence(out, s);
	print_head(out, page->trail, s);
	taf_start_wait_text(out, page);
	taf_report_phases(out, page);
	print_watch(out, page);
	print_ring(out, page);
	taf_report_devices(out, page);
	print_threads(out, s);
	print_open(out, s);
	print_damage(out, page->trail);
	taf_report_next(out, page);
}

static bool has_parent_here(const struct taf_run_report *r, size_t i)
{
	for (size_t k = 0; k < r->n; k++)
		if (k != i && r->pages[i].trail->ppid &&
		    r->pages[k].trail->pid == r->pages[i].trail->ppid)
			return true;
	return false;
}

/* One process and those that it started; each is shown once, whatever the log claims. */
static void print_branch(FILE *out, struct taf_run_report *r, size_t i, int depth)
{
	const struct taf_trail *t = r->pages[i].trail;

	r->pages[i].is_listed = true;
	fprintf(out, "  %*s%-*d ", depth * 2, "", LABEL_WIDTH - 2 - (depth < 4 ? depth * 2 : 8),
		t->pid);
	print_verdict(out, r->pages[i].story->verdict, LABEL_WIDTH + 2);
	print_command(out, t);
	fputc('\n', out);
	for (size_t k = 0; k < r->n && depth < TREE_DEPTH; k++)
		if (!r->pages[k].is_listed && r->pages[k].trail->ppid == t->pid)
			print_branch(out, r, k, depth + 1);
}

static void print_tree(FILE *out, struct taf_run_report *r)
{
	for (int is_rest = 0; is_rest < 2; is_rest++)
		for (size_t i = 0; i < r->n; i++)
			if (!r->pages[i].is_listed && (is_rest || !has_parent_here(r, i)))
				print_branch(out, r, i, 0);
}

/* Remarks that `taffrail note` left for this run. */
static void print_notes(FILE *out, const struct taf_run_report *r)
{
	for (size_t i = 0; i < r->trails->n; i++) {
		struct taf_trail *t = &r->trails->list[i];
		struct taf_crumb_line line;
		char text[1024], when[TAF_TIME_ROOM];

		if (strcmp(t->role, "note") != 0 || strcmp(t->run, r->pages[0].trail->run) != 0 ||
		    taf_trail_load(t, t->dir))
			continue;
		for (size_t k = 0; k < t->n_past; k++)
			if (t->past[k].kind == TAF_NOTE && taf_past_line(&t->past[k], &line) &&
			    taf_crumb_text(&line, TAF_KEY_MSG, text, sizeof(text))) {
				fprintf(out, "note %s: ",
					taf_show_time(when,
						      taf_trail_utc_us(t, t->past[k].mono_ns)));
				taf_show_text(out, text, sizeof(text));
				fputc('\n', out);
			}
		taf_trail_unload(t);
	}
}

void taf_report_text(FILE *out, struct taf_run_report *r)
{
	if (!r->n)
		return;
	if (r->n > 1) {
		fputs("run ", out);
		taf_show_text(out, r->pages[0].trail->run, 32);
		fprintf(out, ", %zu processes\n", r->n);
		print_tree(out, r);
		fputc('\n', out);
	}
	taf_run_ending_text(out, &r->ending);
	for (size_t i = 0; i < r->n; i++) {
		if (i)
			fputc('\n', out);
		print_page(out, &r->pages[i]);
	}
	print_notes(out, r);
}
