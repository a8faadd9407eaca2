/* SPDX-License-Identifier: MIT */
/* share_events.c -- STATE/events as text: one event a line, the newest last. */
#include "share_line.h"

#define TAKEN_MAX (2 * TAF_LEDGER_EVENTS)

static const char group_words[TAF_LEDGER_GROUPS][8] = {
	[TAF_LEDGER_PANIC] = "panic",
	[TAF_LEDGER_ABORT] = "abort",
	[TAF_LEDGER_ERROR] = "error",
};

void taf_share_put_event(struct taf_text *t, const struct taf_ledger_event *e,
			 enum taf_share_mark mark)
{
	size_t from = t->used;

	taf_text_put(t, group_words[taf_ledger_group_of(e)]);
	if (mark != TAF_SHARE_NEW)
		taf_text_char(t, (char)mark);
	taf_line_put_moment(t, " at=", &e->at);
	taf_line_put_moment(t, " seen=", &e->seen);
	taf_text_put(t, " machine=");
	taf_text_hex(t, e->machine, 16);
	taf_line_put_number(t, " severity=", e->severity);
	taf_text_put(t, e->is_suspected ? " is=suspected" : " is=told");
	taf_line_put_number(t, " pid=", e->pid > 0 ? (uint64_t)e->pid : 0);
	taf_line_put_text(t, " class=", e->class);
	taf_line_put_text(t, " source=", e->source);
	taf_line_put_text(t, " device=", e->device);
	taf_line_put_text(t, " model=", e->model);
	taf_line_end(t, from, TAF_SHARE_EVENTS);
}

static bool take_is(struct taf_cursor *c, bool *is_suspected)
{
	*is_suspected = taf_line_eat(c, " is=suspected");
	return *is_suspected || taf_line_eat(c, " is=told");
}

static int take_word(struct taf_cursor *c, enum taf_share_mark *mark)
{
	for (int g = 0; g < TAF_LEDGER_GROUPS; g++)
		if (taf_line_eat(c, group_words[g])) {
			*mark = taf_line_eat(c, "+")   ? TAF_SHARE_MORE
				: taf_line_eat(c, "=") ? TAF_SHARE_CARRIED
						       : TAF_SHARE_NEW;
			return g;
		}
	return -1;
}

bool taf_share_take_event(const char *line, size_t n, struct taf_ledger_event *e,
			  enum taf_share_mark *mark)
{
	uint64_t severity, pid;
	struct taf_cursor c;
	int group;

	taf_zero(e, sizeof(*e));
	if (!taf_line_is_whole(line, n, TAF_SHARE_EVENTS, &c))
		return false;
	group = take_word(&c, mark);
	if (group < 0 || !taf_line_moment(&c, " at=", &e->at) ||
	    !taf_line_moment(&c, " seen=", &e->seen) || !taf_line_eat(&c, " machine=") ||
	    !taf_line_hex(&c, &e->machine) || !taf_line_number(&c, " severity=", &severity) ||
	    !take_is(&c, &e->is_suspected) || !taf_line_number(&c, " pid=", &pid) ||
	    !taf_line_text(&c, " class=", e->class, sizeof(e->class)) ||
	    !taf_line_text(&c, " source=", e->source, sizeof(e->source)) ||
	    !taf_line_text(&c, " device=", e->device, sizeof(e->device)) ||
	    !taf_line_text(&c, " model=", e->model, sizeof(e->model)) || c.p != c.end)
		return false;
	if (!severity || severity > TAF_SEVERITY_PANIC || pid > INT32_MAX)
		return false;
	e->severity = (uint8_t)severity;
	e->pid = (int32_t)pid;
	e->is_abort = group == TAF_LEDGER_ABORT;
	return taf_ledger_group_of(e) == (enum taf_ledger_group)group;
}

/* The lines worth taking, the newest first. */
struct picked {
	uint32_t n, room[TAF_LEDGER_GROUPS];
	uint32_t at[TAKEN_MAX], len[TAKEN_MAX];
};

/* True when the line is whole; it is picked where there is room for it. */
static bool pick(struct picked *p, const char *text, size_t at, size_t n)
{
	enum taf_share_mark mark = TAF_SHARE_NEW;
	struct taf_cursor c;
	int group;

	if (!taf_line_is_whole(text + at, n, TAF_SHARE_EVENTS, &c))
		return false;
	group = take_word(&c, &mark);
	if (group < 0)
		return false;
	if (p->n == TAKEN_MAX || (mark != TAF_SHARE_MORE && !p->room[group]))
		return true;
	if (mark != TAF_SHARE_MORE)
		p->room[group]--;
	p->at[p->n] = (uint32_t)at;
	p->len[p->n++] = (uint32_t)n;
	return true;
}

/* From the end to the beginning; head is where the first line begins. */
static void pick_all(struct picked *p, const char *text, size_t n, struct taf_share_flaw *flaw)
{
	uint32_t lines = 1, line;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	line = lines;
	while (n) {
		size_t end = n - (text[n - 1] == '\n'), at = end;

		line -= text[n - 1] == '\n';
		while (at && text[at - 1] != '\n')
			at--;
		/* The first line is the head, or the rest of one. What no newline ends was
		 * being written when its writer died. */
		if (at && end < n && !pick(p, text, at, end - at)) {
			flaw->n++;
			flaw->line = line;
		}
		n = at;
	}
}

static void mark_stored(struct taf_ledger_event *e)
{
	e->is_unsaved = false;
	e->is_stored = true;
}

static void take_picked(struct taf_ledger *l, const struct picked *p, const char *text,
			bool is_fresh)
{
	struct taf_ledger_event e;
	enum taf_share_mark mark;

	for (uint32_t i = p->n; i-- > 0;) {
		if (!taf_share_take_event(text + p->at[i], p->len[i], &e, &mark))
			continue;
		if (is_fresh && mark == TAF_SHARE_MORE)
			taf_ledger_retell(l, &e);
		else if (is_fresh && l->n_events < TAF_LEDGER_EVENTS)
			l->event[l->n_events++] = e;
		else if (taf_ledger_note(l, &e) == TAF_NOTED_NEW)
			mark_stored(&l->event[l->n_events - 1]);
	}
	/* Nothing in it was ours alone. */
	for (uint32_t i = 0; is_fresh && i < l->n_events; i++)
		mark_stored(&l->event[i]);
}

void taf_share_take_events(struct taf_ledger *l, const char *text, size_t n,
			   struct taf_share_flaw *flaw)
{
	static struct picked p; /* under the lock, as the text is */
	bool is_fresh = true;

	p.n = 0;
	taf_zero(flaw, sizeof(*flaw));
	for (uint32_t i = 0; i < l->n_events; i++)
		is_fresh = is_fresh && !l->event[i].is_unsaved;
	if (is_fresh)
		l->n_events = 0;
	for (int g = 0; g < TAF_LEDGER_GROUPS; g++)
		p.room[g] = taf_ledger_room[g];
	pick_all(&p, text, n, flaw);
	take_picked(l, &p, text, is_fresh);
}
