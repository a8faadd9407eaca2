/* SPDX-License-Identifier: MIT */
#include "served.h"

/* The oldest first; those that generate before those that do not yet. */
struct table {
	struct taf_served at[TAF_SERVED_MAX];
	uint32_t n;
	uint64_t tokens, submits; /* told at the ends so far */
};

static struct table tables[TAF_WORKS_MAX];

static struct table *table_of(const struct taf_work *w)
{
	return &tables[w - taf_works];
}

static uint32_t generating(const struct table *t)
{
	uint32_t n = 0;

	while (n < t->n && t->at[n].from != TAF_SERVED_PROMPT)
		n++;
	return n;
}

void taf_served_start(struct taf_work *w)
{
	struct table *t = table_of(w);

	t->n = 1;
	t->tokens = t->submits = 0;
	t->at[0] = (struct taf_served){ .of = w->of,
					.begin_ns = w->begin_ns,
					.from = TAF_SERVED_PROMPT,
					.requests = 1,
					.left = 1,
					.is_first = true };
	taf_rounds_start(&w->rounds);
}

bool taf_served_is_over(const struct taf_work *w, const struct taf_rounds_change *what)
{
	const struct table *t = table_of(w);
	uint32_t left = 0;

	for (uint32_t i = 0; i < t->n; i++)
		left += t->at[i].left;
	return what->done + what->gone >= left;
}

/* Who leaves may have taken all of it from its thread in the midst of this. */
static struct taf_served take(struct table *t, uint32_t i)
{
	struct taf_served s = t->at[i];
	uint32_t n = t->n;

	t->n = n ? n - 1 : 0;
	for (; i + 1 < n; i++)
		t->at[i] = t->at[i + 1];
	return s;
}

/* So many tokens of one of its requests. */
static uint64_t tokens_of(const struct taf_served *s, uint64_t rounds)
{
	return s->from != TAF_SERVED_PROMPT && rounds > s->from ? rounds - s->from : 0;
}

/* Each submit counts once, with the request that ends next. */
static void end_one(struct taf_work *w, uint32_t i, uint64_t rounds)
{
	struct table *t = table_of(w);
	struct taf_served s = take(t, i);
	struct taf_ending e = { .of = &s,
				.tokens = s.tokens + tokens_of(&s, rounds) * s.left,
				.submits = w->submits - t->submits };

	t->tokens += e.tokens;
	t->submits += e.submits;
	taf_work_tell_end(w, &e);
	w->of = t->at[0].of;
	w->begin_ns = t->at[0].begin_ns;
}

/* One request of record i is done: the last of it ends the record. */
static void leave(struct taf_work *w, uint32_t i, uint64_t rounds)
{
	struct taf_served *s = &table_of(w)->at[i];

	if (s->left < 2) {
		end_one(w, i, rounds);
		return;
	}
	s->left--;
	s->tokens += tokens_of(s, rounds);
}

/* The last record ends with the generation. */
static bool is_spare(const struct table *t, uint32_t i)
{
	return t->n > 1 || t->at[i].left > 1;
}

void taf_served_leave(struct taf_work *w, const struct taf_rounds_change *what)
{
	struct table *t = table_of(w);

	for (uint32_t n = what->done; n && is_spare(t, 0) && generating(t); n--)
		leave(w, 0, what->rounds);
	for (uint32_t n = what->gone; n && generating(t) < t->n && is_spare(t, generating(t)); n--)
		leave(w, generating(t), what->rounds);
}

/* A request for which there is no room counts with the youngest. */
static void come_in(struct taf_work *w, const struct taf_call *c)
{
	struct table *t = table_of(w);
	struct taf_served *s = &t->at[t->n];

	if (t->n == TAF_SERVED_MAX) {
		t->at[t->n - 1].requests++;
		t->at[t->n - 1].left++;
		return;
	}
	*s = (struct taf_served){
		.begin_ns = taf_sys_mono_ns(), .from = TAF_SERVED_PROMPT, .requests = 1, .left = 1
	};
	s->of = taf_work_tell_begin(w, c);
	t->n++;
}

/* One thread has one turn. */
static void tell_batch(const struct taf_work *w)
{
	static _Atomic(bool) is_told;

	if (!taf_rules.drain_serialize || w->rounds.width < 2 || atomic_exchange(&is_told, true))
		return;
	taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE,
				     .engine = w->table->engine,
				     .model = taf_work_model_name(w),
				     .rule = "drain.serialize",
				     .msg = "several requests are computed in one batch: only what "
					    "several threads or contexts compute waits" });
}

void taf_served_come(struct taf_work *w, const struct taf_call *c,
		     const struct taf_rounds_change *what)
{
	struct table *t = table_of(w);
	uint32_t from = generating(t);

	for (uint32_t n = what->came; n; n--)
		come_in(w, c);
	for (uint32_t i = from; i < t->n && i - from < what->began; i++)
		t->at[i].from = what->rounds;
	for (uint32_t i = 0, n = generating(t); i < n; i++)
		if (t->at[i].most < w->rounds.width)
			t->at[i].most = w->rounds.width;
	tell_batch(w);
}

void taf_served_end(struct taf_work *w, struct taf_served *s, struct taf_ending *e)
{
	struct table *t = table_of(w);

	while (t->n > 1)
		end_one(w, 0, w->rounds.n);
	if (t->n)
		*s = take(t, 0);
	e->tokens = e->tokens > t->tokens ? e->tokens - t->tokens : 0;
	e->submits = e->submits > t->submits ? e->submits - t->submits : 0;
}
