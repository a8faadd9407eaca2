/* SPDX-License-Identifier: MIT */
#include "orphan.h"

#include "text.h"

void taf_orphans_init(struct taf_orphans *o, struct taf_orphan *memory, size_t room)
{
	o->at = memory;
	o->room = room;
	o->n = 0;
	o->n_dropped = 0;
	o->n_lines = 0;
}

static void add(struct taf_orphans *o, const struct taf_orphan *one)
{
	if (o->n < o->room)
		o->at[o->n++] = *one;
	else
		o->n_dropped++;
}

static void take_out(struct taf_orphans *o, size_t i)
{
	for (; i + 1 < o->n; i++)
		o->at[i] = o->at[i + 1];
	o->n--;
}

static bool is_same_key(const struct taf_orphan *a, const struct taf_orphan *b)
{
	return a->at.boot == b->at.boot && a->pid == b->pid && a->start == b->start &&
	       a->seq == b->seq;
}

void taf_orphan_begin(struct taf_orphans *o, const struct taf_orphan *begin)
{
	add(o, begin);
}

/* The newest of that key: a number that comes again is of a later process. */
bool taf_orphan_end(struct taf_orphans *o, const struct taf_orphan *end)
{
	for (size_t i = o->n; i > 0; i--)
		if (!o->at[i - 1].is_text && is_same_key(&o->at[i - 1], end)) {
			take_out(o, i - 1);
			return true;
		}
	return false;
}

/* ---- metal-guard's log ---- */

/* What is left of a line. */
struct rest {
	const char *s;
	size_t n;
};

static bool take_char(struct rest *r, char c)
{
	if (!r->n || *r->s != c)
		return false;
	r->s++;
	r->n--;
	return true;
}

/* Exactly that many digits, within the bounds. */
static bool take_number(struct rest *r, int digits, int64_t least, int64_t most, int64_t *v)
{
	*v = 0;
	for (int i = 0; i < digits; i++, r->s++, r->n--) {
		if (!r->n || *r->s < '0' || *r->s > '9')
			return false;
		*v = *v * 10 + (*r->s - '0');
	}
	return *v >= least && *v <= most;
}

static bool is_leap(int64_t y)
{
	return y % 4 == 0 && (y % 100 || y % 400 == 0);
}

static int64_t days_in(int64_t year, int64_t month)
{
	static const int64_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* From 1970 on; what is older is no log of a GPU. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t days = day - 1;

	for (int64_t y = 1970; y < year; y++)
		days += is_leap(y) ? 366 : 365;
	for (int64_t m = 1; m < month; m++)
		days += days_in(year, m);
	return days;
}

/* "[2033-05-18 03:30:00] " */
static bool take_time(struct rest *r, int64_t *local_s)
{
	int64_t year, month, day, hour, minute, second;

	if (!take_char(r, '[') || !take_number(r, 4, 1970, 9999, &year) || !take_char(r, '-') ||
	    !take_number(r, 2, 1, 12, &month) || !take_char(r, '-') ||
	    !take_number(r, 2, 1, days_in(year, month), &day) || !take_char(r, ' ') ||
	    !take_number(r, 2, 0, 23, &hour) || !take_char(r, ':') ||
	    !take_number(r, 2, 0, 59, &minute) || !take_char(r, ':') ||
	    !take_number(r, 2, 0, 59, &second) || !take_char(r, ']') || !take_char(r, ' '))
		return false;
	*local_s = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
	return true;
}

static bool is_word(const struct rest *r, const char *word)
{
	return r->n == taf_len(word) && taf_same_n(r->s, word, r->n);
}

static struct rest take_tag(struct rest *r)
{
	struct rest tag = { r->s, 0 };

	while (r->n &&
	       ((*r->s >= 'A' && *r->s <= 'Z') || (*r->s >= '0' && *r->s <= '9') || *r->s == '_')) {
		r->s++;
		r->n--;
		tag.n++;
	}
	return tag;
}

static struct rest trimmed(struct rest r)
{
	while (r.n && (r.s[r.n - 1] == ' ' || r.s[r.n - 1] == '\t' || r.s[r.n - 1] == '\r'))
		r.n--;
	while (r.n && *r.s == ' ') {
		r.s++;
		r.n--;
	}
	return r;
}

/* "k=v k2=v2": each word has a '=' behind its first byte. */
static bool is_metadata(struct rest r)
{
	if (!r.n)
		return false;
	while (r.n) {
		size_t equals = 0;

		for (size_t i = 0; r.n && *r.s != ' '; i++, r.s++, r.n--)
			if (*r.s == '=' && i && !equals)
				equals = i;
		if (!equals)
			return false;
		take_char(&r, ' ');
	}
	return true;
}

/* Takes " | k=v" off the end of a payload; a '|' in a name is a part of the name. */
static struct rest without_metadata(struct rest r, struct rest *metadata)
{
	*metadata = (struct rest){ r.s, 0 };
	for (size_t i = r.n; i >= 3; i--) {
		struct rest tail = { r.s + i, r.n - i };

		if (!taf_same_n(r.s + i - 3, " | ", 3))
			continue;
		if (is_metadata(tail)) {
			*metadata = tail;
			r.n = i - 3;
		}
		break;
	}
	return trimmed(r);
}

/* The value of model= there. */
static struct rest model_in(struct rest metadata)
{
	static const char key[] = "model=";
	size_t n = sizeof(key) - 1;

	while (metadata.n) {
		struct rest word = { metadata.s, 0 };

		while (metadata.n && *metadata.s != ' ') {
			metadata.s++;
			metadata.n--;
			word.n++;
		}
		take_char(&metadata, ' ');
		if (word.n > n && taf_same_n(word.s, key, n))
			return (struct rest){ word.s + n, word.n - n };
	}
	return (struct rest){ metadata.s, 0 };
}

/* ": payload", ": payload | k=v" or " | model=name"; a name may follow in either way. */
static bool take_payload(struct rest *r, struct rest *payload)
{
	struct rest metadata;

	*r = trimmed(*r);
	if (take_char(r, ':')) {
		*payload = without_metadata(trimmed(*r), &metadata);
	} else if (take_char(r, '|')) {
		metadata = trimmed(*r);
		payload->n = 0;
	} else {
		return false;
	}
	if (!payload->n)
		*payload = model_in(metadata);
	return true;
}

/* "model ready, pid=12345" */
static bool take_ready(struct rest *payload, int32_t *pid)
{
	static const char word[] = " ready, pid=";
	size_t n = sizeof(word) - 1, at = payload->n;
	int64_t v = 0;

	while (at && payload->s[at - 1] >= '0' && payload->s[at - 1] <= '9')
		at--;
	if (at == payload->n || at <= n || !taf_same_n(payload->s + at - n, word, n))
		return false;
	for (size_t i = at; i < payload->n && v <= INT32_MAX; i++)
		v = v * 10 + (payload->s[i] - '0');
	payload->n = at - n;
	*pid = v > INT32_MAX ? 0 : (int32_t)v;
	return *pid != 0;
}

static bool is_same_model(const struct taf_orphan *a, const struct taf_orphan *b)
{
	return a->model_n == b->model_n && taf_same_n(a->model, b->model, a->model_n);
}

static bool end_oldest(struct taf_orphans *o, const struct taf_orphan *end)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->at[i].is_text && !o->at[i].is_ready && is_same_model(&o->at[i], end)) {
			take_out(o, i);
			return true;
		}
	return false;
}

/* The latest line of a model counts. */
static void note_ready(struct taf_orphans *o, const struct taf_orphan *ready)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->at[i].is_ready && is_same_model(&o->at[i], ready)) {
			o->at[i].pid = ready->pid;
			return;
		}
	add(o, ready);
}

bool taf_orphan_line(struct taf_orphans *o, const char *line, size_t n,
		     const struct taf_orphan_clock *clock)
{
	struct taf_orphan one = { .is_text = true };
	struct rest r = { line, n }, tag, payload;
	int64_t local_s, utc_s;

	if (!take_time(&r, &local_s))
		return false;
	tag = take_tag(&r);
	if (!tag.n || !take_payload(&r, &payload))
		return false;
	o->n_lines++;
	one.is_ready = is_word(&tag, "SUBPROCESS_WORKER");
	if (one.is_ready && !take_ready(&payload, &one.pid))
		return false;
	utc_s = clock->utc_of(clock->ctx, local_s);
	one.at.utc_ms = utc_s > 0 ? (uint64_t)utc_s * 1000 : 0;
	one.model = payload.s;
	one.model_n = payload.n;
	if (!payload.n || !one.at.utc_ms)
		return false;
	if (one.is_ready)
		note_ready(o, &one);
	else if (is_word(&tag, "SUBPROC_PRE"))
		add(o, &one);
	else
		return is_word(&tag, "SUBPROC_POST") && end_oldest(o, &one);
	return true;
}

/* ---- The judge ---- */

static int32_t ready_pid(const struct taf_orphans *o, const struct taf_orphan *one)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->at[i].is_ready && is_same_model(&o->at[i], one))
			return o->at[i].pid;
	return 0;
}

/* A later begin of the same key: the pid was dealt again. */
static bool is_superseded(const struct taf_orphans *o, size_t i)
{
	for (size_t k = i + 1; k < o->n; k++)
		if (!o->at[k].is_text && is_same_key(&o->at[k], &o->at[i]))
			return true;
	return false;
}

static bool is_lost(const struct taf_orphans *o, size_t i, const struct taf_orphan_world *w)
{
	struct taf_orphan *one = &o->at[i];
	uint64_t start;

	if (one->is_text)
		return w->up_since_ms && one->at.utc_ms + TAF_SECOND_MS < w->up_since_ms;
	if (one->at.boot != w->now.boot || is_superseded(o, i))
		return true;
	start = w->start_of(w->ctx, one->pid);
	one->is_sure = start && start == one->start;
	return !start || (one->start && start != one->start);
}

static void judge_one(const struct taf_orphans *o, size_t i, const struct taf_orphan_world *w)
{
	struct taf_orphan *one = &o->at[i];

	one->age_ms = taf_moment_age_ms(&one->at, &w->now);
	one->still_ms = taf_moment_is_set(&one->moved)
				? taf_moment_youngest_ms(&one->moved, &one->at, &w->now)
				: one->age_ms;
	one->is_sure = false;
	if (is_lost(o, i, w))
		one->is = TAF_ORPHAN_LOST;
	else
		one->is = one->still_ms >= w->after_ms ? TAF_ORPHAN_LIVE : TAF_ORPHAN_YOUNG;
	if (one->is_text)
		one->pid = ready_pid(o, one);
}

/* Insertion: what comes in is nearly in order. */
static void sort(struct taf_orphans *o)
{
	for (size_t i = 1; i < o->n; i++) {
		struct taf_orphan one = o->at[i];
		size_t at = i;

		for (; at && o->at[at - 1].age_ms < one.age_ms; at--)
			o->at[at] = o->at[at - 1];
		o->at[at] = one;
	}
}

void taf_orphans_judge(struct taf_orphans *o, const struct taf_orphan_world *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n; i++)
		if (!o->at[i].is_ready)
			judge_one(o, i, w);
	for (size_t i = 0; i < o->n; i++)
		if (!o->at[i].is_ready)
			o->at[kept++] = o->at[i];
	o->n = kept;
	sort(o);
}
