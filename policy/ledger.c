/* SPDX-License-Identifier: MIT */
/* ledger.c -- entering stamps and events into the ledger.
 *
 * Events are counted, not the files that tell of them.  Two are one when
 *
 *   both are panics of the kernel in the same known boot: it goes down once    is_one_panic
 *   a panic without a boot fits between the last sign of life of a boot that
 *       ended inside a call and SURMISE_MS later                               is_one_panic
 *   both are crashes of one pid, at most NEAR_MS apart                         is_one_abort
 *   class and device are the same, at most one second apart in a known boot    is_one_error
 *   the boot of one is not known, they are at most NEAR_MS apart, and pid or
 *       class and device are the same                                          is_near
 *
 * What is told twice keeps its place; a surmise that is confirmed takes over
 * what the report says and keeps what only we knew (pid, model).
 */
#include "ledger.h"

#include "text.h"

#define NEAR_MS 5000u
#define SURMISE_MS (10u * TAF_MINUTE_MS)

/* Neither a storm of crashes nor one of errors drives out the panics, and what
 * is kept of each meets every threshold that rules.def allows (at most 100). */
const uint32_t taf_ledger_room[TAF_LEDGER_GROUPS] = {
	[TAF_LEDGER_PANIC] = 104,
	[TAF_LEDGER_ABORT] = 104,
	[TAF_LEDGER_ERROR] = TAF_LEDGER_EVENTS - 2 * 104,
};

/* ---- models ---- */

bool taf_ledger_same(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i] && a[i] != '@')
		i++;
	return (!a[i] || a[i] == '@') && (!b[i] || b[i] == '@');
}

const struct taf_ledger_model *taf_ledger_model_of(const struct taf_ledger *l, const char *id)
{
	for (uint32_t i = 0; id && i < l->n_models; i++)
		if (taf_ledger_same(l->model[i].id, id))
			return &l->model[i];
	return NULL;
}

static uint64_t idle_ms(const struct taf_ledger_model *m, const struct taf_moment *now)
{
	uint64_t used = taf_moment_youngest_ms(&m->load, &m->infer, now);
	uint64_t gone = taf_moment_age_ms(&m->unload, now);

	return used < gone ? used : gone;
}

static void drop_old(struct taf_ledger *l, const struct taf_ledger_stamp *s)
{
	uint64_t keep = s->keep_ms > TAF_LEDGER_KEEP_MS ? s->keep_ms : TAF_LEDGER_KEEP_MS;
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n_models; i++) {
		if (idle_ms(&l->model[i], &s->now) >= keep &&
		    !taf_ledger_same(l->model[i].id, s->id))
			continue;
		if (n != i)
			l->model[n] = l->model[i];
		n++;
	}
	l->n_models = n;
}

static struct taf_ledger_model *place_for(struct taf_ledger *l, const struct taf_ledger_stamp *s)
{
	struct taf_ledger_model *best = &l->model[0];
	uint64_t most = 0;

	for (uint32_t i = 0; i < l->n_models; i++) {
		uint64_t idle = idle_ms(&l->model[i], &s->now);

		if (taf_ledger_same(l->model[i].id, s->id))
			return &l->model[i];
		if (idle > most) {
			most = idle;
			best = &l->model[i];
		}
	}
	if (l->n_models < TAF_LEDGER_MODELS)
		best = &l->model[l->n_models++];
	taf_zero(best, sizeof(*best));
	return best;
}

void taf_ledger_mark(struct taf_ledger *l, const struct taf_ledger_stamp *s)
{
	struct taf_ledger_model *m;

	if (!s->id || !s->id[0])
		return;
	drop_old(l, s);
	m = place_for(l, s);
	taf_copy(m->id, s->id, sizeof(m->id));
	if (s->kind == TAF_LOAD)
		m->load = s->now;
	else if (s->kind == TAF_INFER)
		m->infer = s->now;
	else if (s->kind == TAF_UNLOAD)
		m->unload = s->now;
	if (s->kind == TAF_UNLOAD && s->bytes)
		m->bytes = s->bytes;
}

void taf_ledger_unmark(struct taf_ledger *l, const char *id, const struct taf_moment *is,
		       const struct taf_moment *was)
{
	for (uint32_t i = 0; id && i < l->n_models; i++) {
		struct taf_moment *load = &l->model[i].load;

		if (taf_ledger_same(l->model[i].id, id) && load->boot == is->boot &&
		    load->boot_ms == is->boot_ms && load->utc_ms == is->utc_ms)
			*load = *was;
	}
}

/* ---- events ---- */

/* UTC of an event; one from the future happened when it was noted. */
static uint64_t when(const struct taf_ledger_event *e)
{
	uint64_t at = e->at.utc_ms, seen = e->seen.utc_ms;

	return seen && (!at || seen < at) ? seen : at;
}

static uint64_t apart_ms(const struct taf_ledger_event *a, const struct taf_ledger_event *b)
{
	uint64_t x = a->at.utc_ms, y = b->at.utc_ms;

	if (a->at.boot && a->at.boot == b->at.boot && a->at.boot_ms && b->at.boot_ms) {
		x = a->at.boot_ms;
		y = b->at.boot_ms;
	}
	return x > y ? x - y : y - x;
}

static bool is_panic(const struct taf_ledger_event *e)
{
	return e->severity == TAF_SEVERITY_PANIC && !e->is_abort;
}

static bool is_same_what(const struct taf_ledger_event *a, const struct taf_ledger_event *b)
{
	return taf_same(a->class, b->class) && taf_same(a->device, b->device);
}

/* The boot of one of them is not known. */
static bool is_near(const struct taf_ledger_event *a, const struct taf_ledger_event *b)
{
	return apart_ms(a, b) <= NEAR_MS && ((a->pid && a->pid == b->pid) || is_same_what(a, b));
}

/* s ended inside a call, p is a report that names no boot. */
static bool is_confirmed_by(const struct taf_ledger_event *s, const struct taf_ledger_event *p)
{
	return s->is_suspected && !p->is_suspected && p->at.utc_ms + NEAR_MS >= s->at.utc_ms &&
	       p->at.utc_ms <= s->at.utc_ms + SURMISE_MS;
}

static bool is_one_panic(const struct taf_ledger_event *a, const struct taf_ledger_event *b)
{
	if (a->at.boot && b->at.boot)
		return a->at.boot == b->at.boot;
	return is_near(a, b) || is_confirmed_by(a, b) || is_confirmed_by(b, a);
}

static bool is_one_abort(const struct taf_ledger_event *a, const struct taf_ledger_event *b)
{
	if (a->at.boot && b->at.boot && a->at.boot != b->at.boot)
		return false;
	if (a->pid && b->pid)
		return a->pid == b->pid && apart_ms(a, b) <= NEAR_MS;
	return is_near(a, b);
}

static bool is_one_error(const struct taf_ledger_event *a, const struct taf_ledger_event *b)
{
	if (!a->at.boot || !b->at.boot)
		return is_near(a, b);
	return a->at.boot == b->at.boot && is_same_what(a, b) && apart_ms(a, b) <= TAF_SECOND_MS;
}

bool taf_ledger_is_one(const struct taf_ledger_event *a, const struct taf_ledger_event *b)
{
	if (a->is_abort != b->is_abort || is_panic(a) != is_panic(b))
		return false;
	if (a->machine && b->machine && a->machine != b->machine)
		return false;
	return a->is_abort   ? is_one_abort(a, b)
	       : is_panic(a) ? is_one_panic(a, b)
			     : is_one_error(a, b);
}

/* What old lacks and e knows. True when that is anything. */
static bool fill_in(struct taf_ledger_event *old, const struct taf_ledger_event *e)
{
	bool is_more = (!old->pid && e->pid) || (!old->model[0] && e->model[0]) ||
		       (!old->device[0] && e->device[0]) || (!old->at.boot && e->at.boot);

	if (!old->pid)
		old->pid = e->pid;
	if (!old->model[0])
		taf_copy(old->model, e->model, sizeof(old->model));
	if (!old->device[0])
		taf_copy(old->device, e->device, sizeof(old->device));
	if (!old->at.boot && e->at.boot)
		old->at.boot = e->at.boot;
	return is_more;
}

static enum taf_noted merge(struct taf_ledger_event *old, const struct taf_ledger_event *e)
{
	bool is_confirmed = old->is_suspected && !e->is_suspected;
	struct taf_ledger_event was = *old;

	if (is_confirmed) {
		*old = *e;
		old->seen = was.seen;
		old->is_stored = was.is_stored;
		fill_in(old, &was);
		if (!old->machine)
			old->machine = was.machine;
	} else if (!fill_in(old, e)) {
		return TAF_NOTED_KNOWN;
	}
	old->is_unsaved = true;
	return TAF_NOTED_MERGED;
}

/* ---- room ---- */

enum taf_ledger_group taf_ledger_group_of(const struct taf_ledger_event *e)
{
	return e->is_abort ? TAF_LEDGER_ABORT : is_panic(e) ? TAF_LEDGER_PANIC : TAF_LEDGER_ERROR;
}

/* The oldest of group when that has used up its room, else n_events. */
static uint32_t victim(const struct taf_ledger *l, enum taf_ledger_group group)
{
	uint32_t n = 0, oldest = l->n_events;
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < l->n_events; i++) {
		if (taf_ledger_group_of(&l->event[i]) != group)
			continue;
		n++;
		if (when(&l->event[i]) < least) {
			least = when(&l->event[i]);
			oldest = i;
		}
	}
	return n < taf_ledger_room[group] ? l->n_events : oldest;
}

static void drop_event(struct taf_ledger *l, uint32_t at)
{
	for (uint32_t i = at + 1; i < l->n_events; i++)
		l->event[i - 1] = l->event[i];
	l->n_events--;
}

enum taf_noted taf_ledger_note(struct taf_ledger *l, const struct taf_ledger_event *e)
{
	uint32_t out;

	if (e->severity == TAF_SEVERITY_NONE)
		return TAF_NOTED_KNOWN;
	for (uint32_t i = l->n_events; i-- > 0;)
		if (taf_ledger_is_one(&l->event[i], e))
			return merge(&l->event[i], e);
	out = victim(l, taf_ledger_group_of(e));
	if (out < l->n_events) {
		/* Older than all that is remembered: it would be noted again for ever. */
		if (when(e) <= when(&l->event[out]))
			return TAF_NOTED_KNOWN;
		drop_event(l, out);
	}
	l->event[l->n_events] = *e;
	l->event[l->n_events].is_stored = false;
	l->event[l->n_events++].is_unsaved = true;
	return TAF_NOTED_NEW;
}

void taf_ledger_retell(struct taf_ledger *l, const struct taf_ledger_event *e)
{
	for (uint32_t i = l->n_events; i-- > 0;)
		if (taf_ledger_is_one(&l->event[i], e)) {
			l->event[i] = *e;
			return;
		}
	taf_ledger_note(l, e);
}

/* ---- cursors ---- */

const struct taf_ledger_cursor *taf_ledger_cursor_of(const struct taf_ledger *l, const char *name)
{
	for (int i = 0; i < TAF_LEDGER_CURSORS; i++)
		if (l->cursor[i].name[0] && taf_same(l->cursor[i].name, name))
			return &l->cursor[i];
	return NULL;
}

bool taf_ledger_cursor_set(struct taf_ledger *l, const char *name, uint64_t a, uint64_t b)
{
	struct taf_ledger_cursor *c = NULL;

	for (int i = TAF_LEDGER_CURSORS - 1; i >= 0; i--)
		if (!l->cursor[i].name[0] || taf_same(l->cursor[i].name, name))
			c = c && taf_same(c->name, name) ? c : &l->cursor[i];
	if (!c || taf_len(name) >= sizeof(c->name))
		return false;
	taf_copy(c->name, name, sizeof(c->name));
	c->a = a;
	c->b = b;
	return true;
}
