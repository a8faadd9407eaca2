/* SPDX-License-Identifier: MIT */
/* log_text.c -- one record of `taffrail log` for people.
 *
 *   +12.345s  4711    infer end    llama llama_decode   of #65, tiny, 14 tokens, 1.2s
 *
 * The number of a generation is the seq of its begin: of a server several are open at once.
 * Times count from the first record printed of the same boot, which a line of
 * its own names; the mark has "latest" in their place.
 */
#include <inttypes.h>
#include <string.h>

#include "../policy/text.h"
#include "../policy/trace.h"
#include "log.h"
#include "show.h"

#define DIM "\033[2m"
#define RED "\033[1;31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"
#define CALL_WIDTH 28
#define TEXT_MAX 400

/* One part of the details: a comma where it is needed. */
struct parts {
	FILE *out;
	const struct taf_crumb_line *line;
	bool has_any;
};

static void begin_part(struct parts *p)
{
	fputs(p->has_any ? ", " : "", p->out);
	p->has_any = true;
}

static void put_text(struct parts *p, enum taf_key key, const char *before)
{
	char text[1024];

	if (!taf_crumb_text(p->line, key, text, sizeof(text)) || !text[0])
		return;
	begin_part(p);
	fputs(before, p->out);
	taf_show_text(p->out, text, TEXT_MAX);
}

static void put_number(struct parts *p, enum taf_key key, const char *unit)
{
	uint64_t v;

	if (!taf_crumb_u64(p->line, key, &v))
		return;
	begin_part(p);
	fprintf(p->out, "%" PRIu64 " %s", v, unit);
}

/* So that what a message tells is not told twice. */
static bool has_word(const struct parts *p, enum taf_key key, const char *word)
{
	char text[1024];

	return taf_crumb_text(p->line, key, text, sizeof(text)) && strstr(text, word);
}

static void put_bytes(struct parts *p, enum taf_key key, const char *after)
{
	char size[32];
	uint64_t v;

	if (!taf_crumb_u64(p->line, key, &v))
		return;
	taf_show_bytes(size, sizeof(size), v);
	if (has_word(p, TAF_KEY_MSG, size))
		return;
	begin_part(p);
	fprintf(p->out, "%s%s", size, after);
}

/* A burst that the program has not waited for: its time is that of the submits alone. */
static bool is_submission(const struct taf_crumb_line *line)
{
	return taf_crumb_kind(line) == TAF_INFER && taf_crumb_has(line, TAF_KEY_SUBMITS) &&
	       !taf_crumb_has(line, TAF_KEY_TOKENS) && !taf_crumb_has(line, TAF_KEY_WAITED_MS);
}

/* What a function returned; of an exit the status, or the signal where nothing else names it. */
static void put_rc(struct parts *p)
{
	int kind = taf_crumb_kind(p->line);
	char name[32];
	int64_t rc;

	if (!taf_crumb_i64(p->line, TAF_KEY_RC, &rc) || kind == TAF_SIGNAL ||
	    (!rc && kind != TAF_EXIT))
		return;
	if (kind == TAF_EXIT && rc < 0 && rc > -65) {
		taf_show_signal(name, sizeof(name), (int)-rc);
		if (has_word(p, TAF_KEY_CALL, name) || has_word(p, TAF_KEY_MSG, name))
			return;
		begin_part(p);
		fprintf(p->out, "by %s", name);
	} else {
		begin_part(p);
		fprintf(p->out, "%s %" PRId64, kind == TAF_EXIT ? "status" : "rc", rc);
	}
}

/* Which generation: ends come in another order than begins where several are open. */
static void put_generation(struct parts *p)
{
	bool is_end = taf_crumb_phase(p->line) == TAF_END;
	uint64_t seq;

	if (taf_crumb_kind(p->line) != TAF_INFER || taf_crumb_phase(p->line) == TAF_MARK ||
	    !taf_crumb_u64(p->line, is_end ? TAF_KEY_OF : TAF_KEY_SEQ, &seq))
		return;
	begin_part(p);
	fprintf(p->out, "%s#%" PRIu64, is_end ? "of " : "", seq);
}

/* Whose the tokens are that stand before: not surely its own alone. */
static void put_batch(struct parts *p)
{
	uint64_t requests = 0, sequences = 0;

	taf_crumb_u64(p->line, TAF_KEY_REQUESTS, &requests);
	taf_crumb_u64(p->line, TAF_KEY_SEQUENCES, &sequences);
	if (requests > 1) {
		begin_part(p);
		fprintf(p->out, "of %" PRIu64 " requests", requests);
	}
	if (sequences > 1) {
		begin_part(p);
		fprintf(p->out, "%s%" PRIu64 " at once", requests > 1 ? "" : "of ", sequences);
	}
}

static void put_rest(struct parts *p)
{
	if (!taf_crumb_has(p->line, TAF_KEY_AT_REST) || taf_crumb_phase(p->line) != TAF_BEGIN)
		return;
	begin_part(p);
	fputs("while its thread waits for something else", p->out);
}

static void put_numbers(struct parts *p)
{
	char ms[32];
	uint64_t us;

	put_bytes(p, TAF_KEY_BYTES, "");
	put_number(p, TAF_KEY_CTX, "tokens of context");
	put_number(p, TAF_KEY_EVALS, "evaluations");
	if (!taf_crumb_has(p->line, TAF_KEY_EVALS)) {
		put_number(p, TAF_KEY_TOKENS,
			   taf_crumb_has(p->line, TAF_KEY_STEPS) ? "tokens or more" : "tokens");
		put_number(p, TAF_KEY_DRAFTS, "drafts");
		put_batch(p);
		put_number(p, TAF_KEY_SUBMITS, "submits");
	}
	put_bytes(p, TAF_KEY_KV_BYTES, " of KV cache");
	if (taf_crumb_us(p->line, TAF_KEY_MS, &us)) {
		begin_part(p);
		fputs(is_submission(p->line) ? "submitted in " : "", p->out);
		fputs(taf_show_ms(ms, sizeof(ms), us), p->out);
	}
	put_rc(p);
}

/* The parts of a traced generation that took time. */
static void put_trace(struct parts *p)
{
	char name[24], ms[32];
	uint64_t us;

	for (int i = 0; i < TAF_PARTS; i++) {
		snprintf(name, sizeof(name), "%s_us", taf_part_name((enum taf_part)i));
		if (!taf_crumb_member_u64(p->line, TAF_KEY_TRACE, name, &us) || !us)
			continue;
		begin_part(p);
		fprintf(p->out, "%s %s", taf_part_name((enum taf_part)i),
			taf_show_ms(ms, sizeof(ms), us));
	}
	if (!taf_crumb_member_u64(p->line, TAF_KEY_TRACE, "wait_us", &us) || !us)
		return;
	begin_part(p);
	fprintf(p->out, "waiting %s", taf_show_ms(ms, sizeof(ms), us));
}

/* Of the mark of crumb.h only the latest one of a session counts. */
static bool is_mark(const struct taf_crumb_line *line)
{
	return taf_crumb_has(line, TAF_KEY_INSIDE);
}

static bool is_latest(const struct taf_log_tail *tail, const struct taf_log_entry *e)
{
	return e->seq == tail->sessions[e->session].mark_seq;
}

/* Some may have ended unseen: the end of the last one is written by what comes next. */
static void put_open(FILE *out, unsigned n)
{
	if (n)
		fprintf(out, "; %u generation%s no end", n, n == 1 ? " has" : "s have");
}

static void put_mark(struct parts *p, const struct taf_log_session *latest_of)
{
	uint64_t is_inside;

	if (!taf_crumb_u64(p->line, TAF_KEY_INSIDE, &is_inside))
		return;
	begin_part(p);
	if (!latest_of) {
		fputs("says nothing any more: the mark further down does", p->out);
		return;
	}
	fprintf(p->out, "last known state: %s",
		is_inside ? "inside a computation" : "between computations, or idle");
	put_open(p->out, is_inside ? 0 : taf_log_count_open(latest_of));
	fputs(" (this line is written over as that changes)", p->out);
}

/* What was held of a device at the end; its live bytes stand before. */
static void put_held(struct parts *p)
{
	uint64_t device;

	if (taf_crumb_kind(p->line) != TAF_NOTE || !taf_crumb_u64(p->line, TAF_KEY_DEVICE, &device))
		return;
	fprintf(p->out, " held of device %" PRIu64 " at the end", device);
	put_bytes(p, TAF_KEY_PEAK_BYTES, " at most");
}

/* How often there was what is written down only now and then. */
static void put_counted(struct parts *p)
{
	char kind[16];
	uint64_t n;

	if (!taf_crumb_u64(p->line, TAF_KEY_TIMES, &n) ||
	    !taf_crumb_text(p->line, TAF_KEY_COUNTS, kind, sizeof(kind)))
		return;
	begin_part(p);
	fprintf(p->out, "%" PRIu64 " times in all: ", n);
	taf_show_text(p->out, kind, sizeof(kind));
}

/* latest_of: the session whose latest mark this is, or NULL. */
static void put_details(FILE *out, const struct taf_crumb_line *line,
			const struct taf_log_session *latest_of)
{
	struct parts p = { out, line, false };

	put_generation(&p);
	put_text(&p, TAF_KEY_MODEL, "");
	if (taf_crumb_kind(line) == TAF_START) {
		put_text(&p, TAF_KEY_ROLE, "");
		begin_part(&p);
		taf_show_command(out, line);
	}
	put_mark(&p, latest_of);
	put_numbers(&p);
	put_held(&p);
	put_counted(&p);
	put_rest(&p);
	put_trace(&p);
	put_text(&p, TAF_KEY_RULE, "by rule ");
	put_text(&p, TAF_KEY_CLASS, "class ");
	put_text(&p, TAF_KEY_MSG, "");
}

static const char *colour_of(int kind)
{
	switch (kind) {
	case TAF_ERROR:
	case TAF_REFUSE:
	case TAF_SIGNAL: return RED;
	case TAF_HOLD:
	case TAF_WOULD:
	case TAF_DRAIN: return YELLOW;
	default: return "";
	}
}

/* A column of text, at least width wide, one blank behind. */
static void put_column(FILE *out, const char *text, size_t width)
{
	size_t n = taf_show_text(out, text, TEXT_MAX);

	fprintf(out, "%*s", n < width ? (int)(width - n) + 1 : 1, "");
}

/* "load begin"; what has no duration has no phase to speak of. */
static void put_event(FILE *out, const struct taf_crumb_line *line)
{
	char ev[24], text[40];
	struct taf_text t;

	taf_crumb_text(line, TAF_KEY_EV, ev, sizeof(ev));
	taf_text_init(&t, text, sizeof(text));
	taf_text_put(&t, ev);
	if (taf_crumb_phase(line) != TAF_MARK || is_mark(line)) {
		taf_crumb_text(line, TAF_KEY_PH, ev, sizeof(ev));
		taf_text_char(&t, ' ');
		taf_text_put(&t, ev);
	}
	put_column(out, text, 12);
}

static void put_boot(FILE *out, struct taf_log_boot *boot, const struct taf_log_entry *e,
		     bool has_colour)
{
	char t[TAF_TIME_ROOM];

	boot->first_ns = e->mono_ns ? e->mono_ns : 1;
	fprintf(out, "%sboot %s, times from %s%s\n", has_colour ? DIM : "", boot->id,
		taf_show_time(t, e->utc_us), has_colour ? PLAIN : "");
}

/* Counted from the first record of its boot; a mark is of no time of its own. */
static void put_time(FILE *out, const struct taf_log_boot *boot, uint64_t mono_ns, bool is_last)
{
	bool has_colour = taf_show_has_colour(out);
	int64_t us = ((int64_t)mono_ns - (int64_t)boot->first_ns) / 1000;
	char text[48] = "latest";

	if (!is_last)
		snprintf(text, sizeof(text), "%s%" PRId64 ".%03" PRId64 "s", us < 0 ? "-" : "+",
			 (us < 0 ? -us : us) / 1000000, (us < 0 ? -us : us) / 1000 % 1000);
	fprintf(out, "%s%10s%s  ", has_colour ? DIM : "", text, has_colour ? PLAIN : "");
}

void taf_log_print(FILE *out, struct taf_log_tail *tail, const struct taf_log_entry *e)
{
	struct taf_log_boot *boot = &tail->boots[e->boot];
	bool has_colour = taf_show_has_colour(out), is_last;
	struct taf_crumb_line line;
	char text[160], name[160];
	const char *colour;

	if (!taf_crumb_parse_again(e->text, e->n, &line))
		return;
	if (!boot->first_ns)
		put_boot(out, boot, e, has_colour);
	is_last = is_mark(&line) && is_latest(tail, e);
	put_time(out, boot, e->mono_ns, is_last);
	fprintf(out, "%-7d ", e->pid);
	colour = has_colour ? colour_of(taf_crumb_kind(&line)) : "";
	fputs(colour, out);
	put_event(out, &line);
	fputs(*colour ? PLAIN : "", out);
	put_column(out, taf_engine_name((enum taf_engine)taf_crumb_engine(&line)), 6);
	taf_crumb_text(&line, TAF_KEY_CALL, text, sizeof(text));
	put_column(out, taf_show_call(name, sizeof(name), text), CALL_WIDTH);
	put_details(out, &line, is_last ? &tail->sessions[e->session] : NULL);
	fputc('\n', out);
}
