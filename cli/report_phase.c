/* SPDX-License-Identifier: MIT */
/* report_phase.c -- how long each phase of a session took, for people. */
#include <inttypes.h>
#include <string.h>

#include "../policy/text.h"
#include "report.h"
#include "show.h"

#define LINES_MAX 8
#define NAME_MAX_BYTES 100

/* Totals over the ends of one kind. */
struct total {
	uint64_t n, us, max_us, tokens, submits, peak, requests;
	bool is_least; /* each token may stand for one of several sequences */
};

static void add(struct total *t, const struct taf_crumb_line *line)
{
	uint64_t v;

	t->n++;
	if (taf_crumb_us(line, TAF_KEY_MS, &v)) {
		t->us += v;
		t->max_us = v > t->max_us ? v : t->max_us;
	}
	if (taf_crumb_u64(line, TAF_KEY_TOKENS, &v))
		t->tokens += v;
	if (taf_crumb_u64(line, TAF_KEY_SUBMITS, &v))
		t->submits += v;
	if (taf_crumb_u64(line, TAF_KEY_PEAK, &v) && v > t->peak)
		t->peak = v;
	t->is_least = t->is_least || taf_crumb_has(line, TAF_KEY_STEPS);
	if (taf_crumb_u64(line, TAF_KEY_REQUESTS, &v))
		t->requests += v;
}

static void print_time(FILE *out, const char *before, uint64_t us, const char *after)
{
	char ms[32];

	fprintf(out, "%s%s%s", before, taf_show_ms(ms, sizeof(ms), us), after);
}

static void print_key(FILE *out, const char *before, const struct taf_crumb_line *line,
		      enum taf_key key)
{
	char text[512], name[512];

	if (!taf_crumb_text(line, key, text, sizeof(text)) || !text[0])
		return;
	fputs(before, out);
	taf_show_text(out, key == TAF_KEY_CALL ? taf_show_call(name, sizeof(name), text) : text,
		      NAME_MAX_BYTES);
}

/* One load: model, how long, how big, what it returned. */
static void print_load(FILE *out, const struct taf_trail *t, const struct taf_past *begin)
{
	struct taf_crumb_line line;
	uint64_t us, bytes;
	int64_t rc;
	char size[32];
	bool is_open = !begin->mate || begin->mate == TAF_MATE_GONE;

	taf_report_label(out, "load");
	if (!taf_past_line(is_open ? begin : &t->past[begin->mate - 1], &line)) {
		fputc('\n', out);
		return;
	}
	print_key(out, "", &line, TAF_KEY_MODEL);
	if (taf_crumb_u64(&line, TAF_KEY_BYTES, &bytes) && bytes)
		fprintf(out, ", %s", taf_show_bytes(size, sizeof(size), bytes));
	if (taf_crumb_us(&line, TAF_KEY_MS, &us))
		print_time(out, ", ", us, "");
	if (is_open)
		fputs(taf_past_is_unread(begin) ? ", its weights are not evaluated yet"
						: ", did not come back",
		      out);
	if (taf_crumb_i64(&line, TAF_KEY_RC, &rc) && rc)
		fprintf(out, ", FAILED (%" PRId64 ")", rc);
	print_key(out, " by ", &line, TAF_KEY_CALL);
	fputc('\n', out);
}

static void print_loads(FILE *out, const struct taf_trail *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->n_past; i++)
		if (t->past[i].kind == TAF_LOAD && t->past[i].phase != TAF_END && n++ < LINES_MAX)
			print_load(out, t, &t->past[i]);
	if (n > LINES_MAX) {
		taf_report_label(out, "");
		fprintf(out, "and %u more loads\n", n - LINES_MAX);
	}
}

/* What is seen at a GPU runtime alone ends with the program's wait for it; where there was
 * none, nobody knows when the device was done. */
static void print_infer_time(FILE *out, const struct taf_story *s)
{
	if (!s->infers_ended && !s->infer_time.us)
		return;
	fputs(s->infers_unwaited && !s->infers_waited ? ", submitted in " : ", ", out);
	print_time(out, "", s->infer_time.us, "");
	if (!s->infers_unwaited)
		fputs(s->infers_waited ? " in all with the waits for them" : " in all", out);
	else if (s->infers_waited)
		fprintf(out, " in all, %" PRIu64 " of them not waited for", s->infers_unwaited);
}

/* What came to nothing is no work, and yet it was tried. */
static void print_empty(FILE *out, const struct taf_story *s)
{
	if (!s->infers_empty)
		return;
	taf_report_label(out, s->infers ? "" : "work");
	fprintf(out,
		"%s%" PRIu64 " burst%s of which nothing ran: the submits failed, or were only "
		"captured\n",
		s->infers ? "and " : "", s->infers_empty, s->infers_empty == 1 ? "" : "s");
}

static void print_count(FILE *out, uint64_t n, const char *one)
{
	if (n)
		fprintf(out, ", %" PRIu64 " %s%s", n, one, n == 1 ? "" : "s");
}

/* What is open, or ended by inference, has no record of its tokens: rate and time are those of
 * the others. */
static void print_tokens(FILE *out, const struct taf_story *s, const struct total *t)
{
	print_count(out, t->tokens, "token");
	if (t->is_least)
		fputs(" or more", out);
	if (t->tokens && t->n < s->infers)
		fprintf(out, " in %" PRIu64 " %s", t->n,
			s->infers_inferred ? "whose end is written down" : "that ended");
	if (t->tokens && s->ended_time.us)
		fprintf(out, " (%.1f/s)", (double)t->tokens * 1e6 / (double)s->ended_time.us);
}

static void print_infers(FILE *out, const struct taf_story *s, const struct total *t)
{
	bool is_bare = taf_story_is_bare(s);
	size_t n_open = taf_story_count_open(s, TAF_INFER);

	if (!s->infers && !t->n)
		return;
	taf_report_label(out, is_bare ? "work" : "inference");
	fprintf(out, "%" PRIu64 " %s%s", s->infers, is_bare ? "burst" : "generation",
		s->infers == 1 ? "" : "s");
	print_infer_time(out, s);
	print_tokens(out, s, t);
	print_count(out, s->submits - (s->evals < s->submits ? s->evals : s->submits), "submit");
	print_count(out, s->evals, "evaluation");
	if (t->peak)
		fprintf(out, ", at most %" PRIu64 " token%s in one", t->peak,
			t->peak == 1 ? "" : "s");
	if (t->requests > t->n)
		fprintf(out, "; for %" PRIu64 " requests or more", t->requests);
	if (s->infers_at_once > 1)
		fprintf(out, ", at most %" PRIu64 " at once", s->infers_at_once);
	if (s->infer_time.shared_us)
		print_time(out, ", more than one for ", s->infer_time.shared_us, "");
	if (n_open == 1)
		fputs(s->is_alive ? ", one is under way" : ", one did not end", out);
	else if (n_open)
		fprintf(out, s->is_alive ? ", %zu are under way" : ", %zu did not end", n_open);
	else if (s->infers_inferred > 1)
		fprintf(out, ", the ends of the last %" PRIu64 " are inferred", s->infers_inferred);
	else if (s->infers_inferred)
		fputs(", the end of the last one is inferred", out);
	fputc('\n', out);
}

/* Of those that were missed some had begun, and count among all. */
static void print_drains(FILE *out, const struct taf_story *s)
{
	bool is_open = taf_story_open(s, TAF_DRAIN) != NULL;
	uint64_t undone = s->drains_failed + is_open;

	if (!s->drains && !s->drains_missed)
		return;
	taf_report_label(out, "drains");
	if (s->drains_missed)
		fprintf(out, "%" PRIu64 " done", s->drains > undone ? s->drains - undone : 0);
	else
		fprintf(out, "%" PRIu64, s->drains);
	if (s->drain_us || !is_open)
		print_time(out, ", ", s->drain_us, " in all");
	if (is_open)
		fputs(s->is_alive ? ", one not done yet" : ", one did not come back", out);
	if (s->drains > 1)
		print_time(out, ", at most ", s->drain_max_us, "");
	if (s->drains_missed)
		fprintf(out, ", %" PRIu64 " missed", s->drains_missed);
	fputc('\n', out);
}

static void print_total(FILE *out, const char *label, const struct total *t)
{
	if (!t->n)
		return;
	taf_report_label(out, label);
	fprintf(out, "%" PRIu64, t->n);
	print_time(out, ", ", t->us, " in all\n");
}

/* Whether the device was waited for between the begin of the exit and its end. */
static void print_last_drain(FILE *out, const struct taf_trail *t, size_t begin)
{
	struct taf_crumb_line line;
	unsigned drains = 0, missed = 0, uncleared = 0;
	char msg[TAF_LABEL_ROOM];
	uint64_t handles;
	int64_t rc;

	for (size_t i = begin; i < t->n_past; i++) {
		if (t->past[i].kind != TAF_DRAIN || t->past[i].phase == TAF_BEGIN ||
		    !taf_past_line(&t->past[i], &line))
			continue;
		taf_crumb_i64(&line, TAF_KEY_RC, &rc);
		if (rc && taf_crumb_text(&line, TAF_KEY_MSG, msg, sizeof(msg)) &&
		    strstr(msg, "but not cleared"))
			uncleared++;
		else
			missed += rc != 0;
		drains += !rc;
	}
	if (missed)
		fputs(", NOT drained", out);
	else if (uncleared)
		fputs(", drained, but the caches were not cleared", out);
	else if (drains)
		fputs(", drained", out);
	else if (taf_past_line(&t->past[begin], &line) &&
		 taf_crumb_u64(&line, TAF_KEY_HANDLES, &handles) && !handles)
		fputs(", nothing was left to drain", out);
}

/* Of who leaves by a signal it is that, as a negative number. */
static void print_status(FILE *out, int64_t rc)
{
	char name[32];

	if (rc < 0 && rc > -65)
		fprintf(out, "by %s", taf_show_signal(name, sizeof(name), (int)-rc));
	else
		fprintf(out, "status %" PRId64, rc);
}

bool taf_report_is_cut_off(const struct taf_page *page)
{
	const struct taf_trail *t = page->trail;

	if (page->story->verdict != TAF_ENDED_SIGNAL || !page->story->signal ||
	    page->story->has_exit || !taf_trail_is_guest(t))
		return false;
	for (size_t i = 0; i < t->n_past; i++)
		if (t->past[i].kind == TAF_SIGNAL)
			return false;
	return true;
}

/* A Go program makes the system call itself: it had ended before anybody could wait. */
static void print_no_exit(FILE *out, const struct taf_page *page)
{
	const struct taf_story *s = page->story;
	char name[32];

	if (taf_report_is_cut_off(page)) {
		taf_report_label(out, "exit");
		fprintf(out, "by %s: nothing was drained\n",
			taf_show_signal(name, sizeof(name), s->signal));
	}
	if (s->verdict != TAF_ENDED_CLEAN && s->verdict != TAF_ENDED_NONZERO)
		return;
	taf_report_label(out, "exit");
	fprintf(out, "status %" PRId64 ", by a system call of its own: nothing was drained\n",
		s->rc);
}

/* The way out, and the last words about it. */
static void print_exit(FILE *out, const struct taf_page *page)
{
	const struct taf_trail *t = page->trail;
	struct taf_crumb_line line;
	size_t begin = t->n_past, end = t->n_past;
	int64_t rc = 0, last;

	for (size_t i = 0; i < t->n_past; i++) {
		if (t->past[i].kind == TAF_EXIT && t->past[i].phase == TAF_END)
			end = i;
		else if (t->past[i].kind == TAF_EXIT)
			begin = i;
	}
	if (begin == t->n_past && end == t->n_past) {
		print_no_exit(out, page);
		return;
	}
	taf_report_label(out, "exit");
	if (taf_past_line(&t->past[begin < t->n_past ? begin : end], &line)) {
		bool has_rc = taf_crumb_i64(&line, TAF_KEY_RC, &rc);

		if (has_rc)
			print_status(out, rc);
		if (!has_rc || rc >= 0) /* of a signal the call is its name once more */
			print_key(out, " by ", &line, TAF_KEY_CALL);
	}
	if (begin < t->n_past)
		print_last_drain(out, t, begin);
	if (end < t->n_past && taf_past_line(&t->past[end], &line)) {
		if (begin < end && t->past[end].mono_ns > t->past[begin].mono_ns)
			print_time(out, ", ",
				   (t->past[end].mono_ns - t->past[begin].mono_ns) / 1000,
				   " of leaving");
		if (begin < end && taf_crumb_i64(&line, TAF_KEY_RC, &last) && last != rc) {
			fputs("; in the end ", out);
			print_status(out, last);
		}
		print_key(out, "; ", &line, TAF_KEY_MSG);
	} else if (taf_trail_is_guest(t)) {
		fputs("; the log was not closed", out);
	}
	fputc('\n', out);
}

void taf_report_phases(FILE *out, const struct taf_page *page)
{
	const struct taf_trail *t = page->trail;
	struct total infer = { 0 }, unload = { 0 };
	struct taf_crumb_line line;

	for (size_t i = 0; i < t->n_past; i++) {
		struct total *to = t->past[i].kind == TAF_INFER	   ? &infer
				   : t->past[i].kind == TAF_UNLOAD ? &unload
								   : NULL;

		if (to && t->past[i].phase == TAF_END && taf_past_line(&t->past[i], &line) &&
		    !taf_story_is_empty(&t->past[i], &line))
			add(to, &line);
	}
	print_loads(out, t);
	print_infers(out, page->story, &infer);
	print_empty(out, page->story);
	taf_report_trace(out, page);
	print_drains(out, page->story);
	print_total(out, "unload", &unload);
	taf_report_acts(out, page);
	print_exit(out, page);
}
