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

void taf_served_start(struct taf_work *w)
{
	struct table *t = table_of(w);

	t->n = 1;
	t->tokens = t->submits = 0;
	t->at[0] = (struct taf_served){
		.of = w->of, .begin_ns = w->begin_ns, .requests = 1, .prompts = 1, .is_first = true
	};
	taf_rounds_start(&w->rounds);
}

static uint32_t left(const struct taf_served *s)
{
	return s->prompts + s->generating;
}

bool taf_served_is_over(const struct taf_work *w, const struct taf_rounds_change *what)
{
	const struct table *t = table_of(w);
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		n += left(&t->at[i]);
	return what->done + what->gone >= n;
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

/* Each submit counts once, with the request that ends next. */
static void end_one(struct taf_work *w, uint32_t i, uint64_t rounds)
{
	struct table *t = table_of(w);
	struct taf_served s = take(t, i);
	struct taf_ending e = { .of = &s,
				.tokens = s.tokens + rounds * s.generating,
				.submits = w->submits - t->submits };

	t->tokens += e.tokens;
	t->submits += e.submits;
	taf_work_tell_end(w, &e);
	w->of = t->at[0].of;
	w->begin_ns = t->at[0].begin_ns;
}

/* The last one ends with the generation. */
static bool is_last(const struct table *t)
{
	return t->n == 1 && left(&t->at[0]) == 1;
}

/* The oldest request that generates is done; or the oldest prompt goes on no more. */
static bool end_oldest(struct taf_work *w, bool is_prompt, uint64_t rounds)
{
	struct table *t = table_of(w);
	struct taf_served *s = t->at;

	while (s < t->at + t->n && !(is_prompt ? s->prompts : s->generating))
		s++;
	if (s >= t->at + t->n || is_last(t))
		return false;
	if (is_prompt) {
		s->prompts--;
	} else {
		s->generating--;
		s->tokens += rounds;
	}
	if (!left(s))
		end_one(w, (uint32_t)(s - t->at), rounds);
	return true;
}

void taf_served_leave(struct taf_work *w, const struct taf_rounds_change *what)
{
	for (uint32_t n = what->done; n && end_oldest(w, false, what->rounds); n--)
		;
	for (uint32_t n = what->gone; n && end_oldest(w, true, what->rounds); n--)
		;
}

/* A request for which there is no room counts with the youngest. */
static void come_in(struct taf_work *w, const struct taf_call *c)
{
	struct table *t = table_of(w);
	struct taf_served *s = &t->at[t->n];

	if (t->n == TAF_SERVED_MAX) {
		t->at[t->n - 1].requests++;
		t->at[t->n - 1].prompts++;
		return;
	}
	*s = (struct taf_served){ .begin_ns = taf_sys_mono_ns(), .requests = 1, .prompts = 1 };
	s->of = taf_work_tell_begin(w, c);
	t->n++;
}

/* The oldest prompts, so many, begin to generate behind so many rounds. */
static void begin(struct table *t, uint32_t n, uint64_t rounds)
{
	for (uint32_t i = 0; i < t->n && n; i++) {
		struct taf_served *s = &t->at[i];
		uint32_t k = s->prompts < n ? s->prompts : n;

		s->prompts -= k;
		s->generating += k;
		s->tokens -= rounds * k;
		n -= k;
	}
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

	for (uint32_t n = what->came; n; n--)
		come_in(w, c);
	begin(t, what->began, what->rounds);
	for (uint32_t i = 0; i < t->n; i++)
		if (t->at[i].generating && t->at[i].most < what->width)
			t->at[i].most = what->width;
	tell_batch(w);
}

void taf_served_end(struct taf_work *w, struct taf_served *s, struct taf_ending *e)
{
	struct table *t = table_of(w);

	while (t->n > 1)
		end_one(w, 0, taf_rounds_of_all(&w->rounds));
	if (t->n)
		*s = take(t, 0);
	e->tokens = e->tokens > t->tokens ? e->tokens - t->tokens : 0;
	e->submits = e->submits > t->submits ? e->submits - t->submits : 0;
}
