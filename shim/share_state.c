/* SPDX-License-Identifier: MIT */
/* share_state.c -- STATE/state as text: stamps, hold, ack, breaker, cursors. */
#include "share_line.h"

/* ---- writing ---- */

static void put_model(struct taf_text *t, const struct taf_ledger_model *m)
{
	size_t from = t->used;

	taf_line_put_text(t, "model id=", m->id);
	taf_line_put_moment(t, " load=", &m->load);
	taf_line_put_moment(t, " infer=", &m->infer);
	taf_line_put_moment(t, " unload=", &m->unload);
	taf_line_put_number(t, " bytes=", m->bytes);
	taf_line_end(t, from, TAF_SHARE_STATE);
}

static uint32_t put_by_hand(struct taf_text *t, const struct taf_ledger *l)
{
	uint32_t n = 0;
	size_t from = t->used;

	if (taf_moment_is_set(&l->ack)) {
		taf_line_put_moment(t, "ack ", &l->ack);
		taf_line_end(t, from, TAF_SHARE_STATE);
		n++;
	}
	from = t->used;
	if (taf_moment_is_set(&l->hold.set)) {
		taf_line_put_moment(t, "hold ", &l->hold.set);
		taf_line_put_number(t, " for=", l->hold.for_ms);
		taf_line_put_text(t, " why=", l->hold.why);
		taf_line_end(t, from, TAF_SHARE_STATE);
		n++;
	}
	from = t->used;
	if (taf_moment_is_set(&l->breaker.opened)) {
		taf_line_put_moment(t, "breaker ", &l->breaker.opened);
		taf_line_put_number(t, " for=", l->breaker.for_ms);
		taf_line_put_number(t, " count=", l->breaker.count);
		taf_line_end(t, from, TAF_SHARE_STATE);
		n++;
	}
	return n;
}

static uint32_t put_sources(struct taf_text *t, const struct taf_ledger *l)
{
	uint32_t n = 0;
	size_t from = t->used;

	if (l->is_blind) {
		taf_line_put_text(t, "blind what=", l->blind);
		taf_line_end(t, from, TAF_SHARE_STATE);
		n++;
	}
	from = t->used;
	if (l->lost[0]) {
		taf_line_put_text(t, "lost file=", l->lost);
		taf_line_end(t, from, TAF_SHARE_STATE);
		n++;
	}
	for (int i = 0; i < TAF_LEDGER_CURSORS; i++) {
		if (!l->cursor[i].name[0])
			continue;
		from = t->used;
		taf_line_put_text(t, "cursor name=", l->cursor[i].name);
		taf_line_put_number(t, " a=", l->cursor[i].a);
		taf_line_put_number(t, " b=", l->cursor[i].b);
		taf_line_end(t, from, TAF_SHARE_STATE);
		n++;
	}
	return n;
}

void taf_share_put_state(struct taf_text *t, const struct taf_ledger *l, uint64_t turn)
{
	uint32_t n = 1;
	size_t from;

	taf_share_put_head(t, TAF_SHARE_STATE);
	from = t->used;
	taf_line_put_number(t, "turn n=", turn);
	taf_line_end(t, from, TAF_SHARE_STATE);
	n += put_by_hand(t, l);
	n += put_sources(t, l);
	for (uint32_t i = 0; i < l->n_models; i++)
		put_model(t, &l->model[i]);
	from = t->used;
	taf_line_put_number(t, "end lines=", n + l->n_models);
	taf_line_end(t, from, TAF_SHARE_STATE);
}

/* ---- reading ---- */

static bool is_later(const struct taf_moment *a, const struct taf_moment *b)
{
	if (a->boot && a->boot == b->boot)
		return a->boot_ms > b->boot_ms;
	return a->utc_ms > b->utc_ms || !taf_moment_is_set(b);
}

static void keep_later(struct taf_moment *to, const struct taf_moment *m)
{
	if (is_later(m, to))
		*to = *m;
}

/* What a line of STATE/state is joined with. */
struct taking {
	struct taf_ledger *l;
	uint64_t lines, said; /* taken; by the last line */
	uint64_t turn;
	bool is_fresh; /* no model was there before, so none can be there twice */
};

static bool take_ack(struct taking *t, struct taf_cursor *c)
{
	struct taf_moment at;

	if (!taf_line_moment(c, " ", &at) || c->p != c->end)
		return false;
	keep_later(&t->l->ack, &at);
	return true;
}

static bool take_hold(struct taking *t, struct taf_cursor *c)
{
	struct taf_ledger_hold h;

	taf_zero(&h, sizeof(h));
	if (!taf_line_moment(c, " ", &h.set) || !taf_line_number(c, " for=", &h.for_ms) ||
	    !taf_line_text(c, " why=", h.why, sizeof(h.why)) || c->p != c->end)
		return false;
	if (is_later(&h.set, &t->l->hold.set))
		t->l->hold = h;
	return true;
}

static bool take_breaker(struct taking *t, struct taf_cursor *c)
{
	struct taf_ledger_breaker b;
	uint64_t count;

	taf_zero(&b, sizeof(b));
	if (!taf_line_moment(c, " ", &b.opened) || !taf_line_number(c, " for=", &b.for_ms) ||
	    !taf_line_number(c, " count=", &count) || c->p != c->end)
		return false;
	b.count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
	if (is_later(&b.opened, &t->l->breaker.opened))
		t->l->breaker = b;
	return true;
}

static bool take_blind(struct taking *t, struct taf_cursor *c)
{
	char what[sizeof(t->l->blind)];

	if (!taf_line_text(c, " what=", what, sizeof(what)) || c->p != c->end)
		return false;
	t->l->is_blind = true;
	taf_copy(t->l->blind, what, sizeof(t->l->blind));
	return true;
}

static bool take_lost(struct taking *t, struct taf_cursor *c)
{
	return taf_line_text(c, " file=", t->l->lost, sizeof(t->l->lost)) && c->p == c->end;
}

static bool take_cursor(struct taking *t, struct taf_cursor *c)
{
	struct taf_ledger_cursor k;

	if (!taf_line_text(c, " name=", k.name, sizeof(k.name)) ||
	    !taf_line_number(c, " a=", &k.a) || !taf_line_number(c, " b=", &k.b) ||
	    c->p != c->end || !k.name[0])
		return false;
	taf_ledger_cursor_set(t->l, k.name, k.a, k.b);
	return true;
}

static struct taf_ledger_model *same_model(struct taking *t, const char *id)
{
	struct taf_ledger *l = t->l;

	for (uint32_t i = 0; !t->is_fresh && i < l->n_models; i++)
		if (taf_same(l->model[i].id, id))
			return &l->model[i];
	if (l->n_models == TAF_LEDGER_MODELS)
		return NULL;
	taf_zero(&l->model[l->n_models], sizeof(l->model[0]));
	return &l->model[l->n_models++];
}

static bool take_model(struct taking *t, struct taf_cursor *c)
{
	struct taf_ledger_model m, *to;

	if (!taf_line_text(c, " id=", m.id, sizeof(m.id)) ||
	    !taf_line_moment(c, " load=", &m.load) || !taf_line_moment(c, " infer=", &m.infer) ||
	    !taf_line_moment(c, " unload=", &m.unload) ||
	    !taf_line_number(c, " bytes=", &m.bytes) || c->p != c->end || !m.id[0])
		return false;
	to = same_model(t, m.id);
	if (!to)
		return true;
	taf_copy(to->id, m.id, sizeof(to->id));
	if (is_later(&m.unload, &to->unload))
		to->bytes = m.bytes;
	keep_later(&to->load, &m.load);
	keep_later(&to->infer, &m.infer);
	keep_later(&to->unload, &m.unload);
	return true;
}

static bool take_turn(struct taking *t, struct taf_cursor *c)
{
	return taf_line_number(c, " n=", &t->turn) && c->p == c->end;
}

static bool take_end(struct taking *t, struct taf_cursor *c)
{
	return taf_line_number(c, " lines=", &t->said) && c->p == c->end;
}

static const struct {
	char word[8];
	bool (*take)(struct taking *t, struct taf_cursor *c);
} words[] = {
	{ "model", take_model },     { "ack", take_ack },     { "hold", take_hold },
	{ "breaker", take_breaker }, { "blind", take_blind }, { "cursor", take_cursor },
	{ "turn", take_turn },	     { "end", take_end },     { "lost", take_lost },
};

static bool take_line(struct taking *t, const char *line, size_t n)
{
	struct taf_cursor c;

	if (!taf_line_is_whole(line, n, TAF_SHARE_STATE, &c))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (taf_line_eat(&c, words[i].word))
			return words[i].take(t, &c);
	return false;
}

static void add_flaw(struct taf_share_flaw *flaw, uint32_t line)
{
	if (!flaw->n++)
		flaw->line = line;
}

/* What a damaged line still says that it was: nothing that a person said. */
static bool is_harmless(const char *line, size_t n)
{
	static const char harmless[][16] = { "model id=", "cursor name=", "blind what=" };
	struct taf_cursor c = { line, line + n };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (taf_line_eat(&c, harmless[i]))
			return true;
	return false;
}

static size_t line_end(const char *text, size_t n, size_t at)
{
	while (at < n && text[at] != '\n')
		at++;
	return at;
}

void taf_share_take_state(struct taf_ledger *l, const char *text, size_t n,
			  struct taf_share_flaw *flaw)
{
	struct taking t = { .l = l, .said = UINT64_MAX, .is_fresh = !l->n_models };
	uint32_t line = 1;
	size_t at = 0, end;

	taf_zero(flaw, sizeof(*flaw));
	if (!taf_share_is_head(text, n, TAF_SHARE_STATE, flaw) && !flaw->is_newer)
		add_flaw(flaw, 1);
	if (flaw->is_newer)
		return;
	for (at = flaw->n ? 0 : line_end(text, n, 0) + 1; at < n; at = end + 1) {
		end = line_end(text, n, at);
		line++;
		if (!take_line(&t, text + at, end - at)) {
			add_flaw(flaw, line);
			flaw->may_hide = flaw->may_hide || !is_harmless(text + at, end - at);
		} else if (t.said == UINT64_MAX) {
			t.lines++;
		}
	}
	flaw->turn = t.turn;
	/* A line that swallowed another one leaves the count short. */
	flaw->may_hide = flaw->may_hide || t.said != t.lines + flaw->n;
	/* A whole last line counts the others: a file that lost some says so. */
	if (t.said != t.lines && !flaw->n)
		add_flaw(flaw, line);
}

uint64_t taf_share_turn_of(const char *text, size_t n)
{
	struct taking t = { .turn = 0 };
	struct taf_share_flaw flaw = { 0 };
	struct taf_cursor c;
	size_t at, end;

	if (!taf_share_is_head(text, n, TAF_SHARE_STATE, &flaw))
		return 0;
	at = line_end(text, n, 0) + 1;
	end = at < n ? line_end(text, n, at) : n;
	if (end >= n || !taf_line_is_whole(text + at, end - at, TAF_SHARE_STATE, &c) ||
	    !taf_line_eat(&c, "turn") || !take_turn(&t, &c))
		return 0;
	return t.turn;
}
