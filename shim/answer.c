/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include "elfmap.h"
#include "gate.h"

#define PLACES 1024u /* several times the rows of a table */
#define TRIES 8u

/* An address of theirs and its row. Both may be of an object that is gone, or of two
 * writers at once: they are compared with the object before they are believed. */
struct place {
	_Atomic(uintptr_t) at; /* 0: free */
	_Atomic(const struct taf_row *) row;
};

static struct place places[PLACES];
static _Atomic(uintptr_t) filled; /* which object, in which epoch, was put there last */

/* One question, to be answered while the loader's list stands still. */
struct question {
	const struct taf_table *t;
	void *theirs;
	int row; /* -1: none */
};

/* Look-ups come before the first load as a rule: what was seen then is told at waking. */
static void note_second(const struct taf_table *t, int row)
{
	if (taf_state_now() == TAF_ACTIVE)
		taf_mark(TAF_NOTE, t->engine, taf_row_name(t, row), TAF_SECOND_COPY);
	else
		atomic_store(&taf_second_copy, taf_row_name(t, row));
}

void *taf_answer_row(const struct taf_table *t, int row, void *theirs)
{
	if (!theirs || taf_object_fn(theirs) == t->ours(row))
		return theirs;
	if (!taf_real_learn(t, row, taf_object_fn(theirs))) {
		note_second(t, row);
		return theirs;
	}
	atomic_fetch_or(&taf_routes, TAF_ROUTE_DLSYM);
	return taf_fn_object(t->ours(row));
}

static unsigned home_of(uintptr_t at)
{
	return (unsigned)((at >> 4) * 0x9e3779b1u >> 12);
}

/* Where all places are taken the first one is given up: its address is then unknown,
 * which is what it was before. */
static void put(uintptr_t at, const struct taf_row *row)
{
	struct place *p = &places[home_of(at) % PLACES];

	for (unsigned i = 0; i < TRIES; i++) {
		struct place *q = &places[(home_of(at) + i) % PLACES];
		uintptr_t seen = atomic_load(&q->at);

		if (!seen || seen == at || !taf_elf_at((const void *)seen)) {
			p = q;
			break;
		}
	}
	atomic_store(&p->at, 0);
	atomic_store(&p->row, row);
	atomic_store(&p->at, at);
}

static void fill(const struct taf_table *t, const struct taf_elf *e)
{
	uintptr_t which = ((uintptr_t)e->map ^ (uintptr_t)t) + atomic_load(&taf_real_epoch);

	if (atomic_load(&filled) == which)
		return;
	for (int r = 0; r < t->n_rows; r++) {
		void *p = t->ours(r) ? taf_elf_symbol(e, taf_row_name(t, r), NULL) : NULL;

		if (p)
			put((uintptr_t)p, &t->rows[r]);
	}
	atomic_store(&filled, which);
}

static const struct taf_row *find(uintptr_t at)
{
	for (unsigned i = 0; i < TRIES; i++) {
		struct place *p = &places[(home_of(at) + i) % PLACES];

		if (atomic_load(&p->at) == at)
			return atomic_load(&p->row);
	}
	return NULL;
}

static void match_locked(void *ctx)
{
	struct question *q = ctx;
	struct link_map *m = taf_elf_at(q->theirs);
	const struct taf_row *row;
	struct taf_elf e;

	if (!m || m == taf_elf_self() || !taf_elf_of(m, &e))
		return;
	fill(q->t, &e);
	row = find((uintptr_t)q->theirs);
	if (row && row >= q->t->rows && row < q->t->rows + q->t->n_rows &&
	    taf_elf_symbol(&e, q->t->names + row->name, NULL) == q->theirs)
		q->row = (int)(row - q->t->rows);
}

static void export_locked(void *ctx)
{
	struct question *q = ctx;
	struct taf_elf e;

	if (!taf_elf_of(taf_elf_at(q->theirs), &e) ||
	    taf_elf_symbol(&e, taf_row_name(q->t, q->row), NULL) != q->theirs)
		q->row = -1;
}

bool taf_answer_is_export(const struct taf_table *t, int row, taf_fn theirs)
{
	struct question q = { t, taf_fn_object(theirs), row };

	taf_elf_locked(export_locked, &q);
	return q.row >= 0;
}

void *taf_answer_asked(const struct taf_table *t, void *theirs)
{
	struct question q = { t, theirs, -1 };

	if (!theirs)
		return NULL;
	taf_elf_locked(match_locked, &q);
	return q.row < 0 ? theirs : taf_answer_row(t, q.row, theirs);
}

void taf_answer_given(const struct taf_table *t, void **out)
{
	enum taf_state s = taf_state_now();

	if (out && *out && s != TAF_OFF && s != TAF_GONE)
		*out = taf_answer_asked(t, *out);
}
