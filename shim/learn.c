/* SPDX-License-Identifier: MIT */
#include "learn.h"

#include "../policy/ledger.h"
#include "share.h"

#define LEARN_EVERY_MS 5000

/* One thing that a model did. */
struct deed {
	const char *model;
	enum taf_kind kind;
	uint64_t ago_ms, bytes;
};

/* The latest mark of a load, and the one that it replaced. Under the shared section. */
static struct {
	char id[TAF_LEDGER_ID];
	struct taf_moment is, was;
} latest;

/* How long a stamp can matter: entries that no interval reaches may go. */
static uint64_t longest_interval(void)
{
	const struct taf_rules *r = &taf_rules;
	uint64_t ms = r->cadence_same_model_ms;

	if (r->cadence_cross_model_ms > ms)
		ms = r->cadence_cross_model_ms;
	for (uint32_t i = 0; i < r->cadence_families.n; i++)
		if (r->cadence_families.at[i].floor_ms > ms)
			ms = r->cadence_families.at[i].floor_ms;
	return ms;
}

void taf_learn_mark(struct taf_ledger *l, const struct taf_event *ev, const struct taf_moment *now)
{
	struct taf_ledger_stamp s = { .id = ev->model, .kind = TAF_LOAD, .now = *now };
	const struct taf_ledger_model *m = taf_ledger_model_of(l, ev->model);

	taf_zero(&latest, sizeof(latest));
	if (m)
		latest.was = m->load;
	latest.is = *now;
	taf_copy(latest.id, ev->model, sizeof(latest.id));
	s.keep_ms = longest_interval();
	taf_ledger_mark(l, &s);
}

void taf_learn_undo(const char *model)
{
	struct taf_ledger *l;
	int err;

	if (taf_rules.mode == TAF_MODE_OFF)
		return;
	l = taf_share_enter(&err);
	if (taf_same(latest.id, model))
		taf_ledger_unmark(l, model, &latest.is, &latest.was);
	taf_share_leave(TAF_SHARE_LAZY);
}

static void write_deed(const struct deed *d)
{
	struct taf_ledger_stamp s = { .id = d->model, .kind = d->kind, .bytes = d->bytes };
	struct taf_ledger *l;
	int err;

	if (!d->model || !d->model[0] || taf_rules.mode == TAF_MODE_OFF)
		return;
	s.keep_ms = longest_interval();
	l = taf_share_enter(&err);
	s.now = taf_moment_now();
	s.now.boot_ms -= d->ago_ms < s.now.boot_ms ? d->ago_ms : s.now.boot_ms;
	s.now.utc_ms -= d->ago_ms < s.now.utc_ms ? d->ago_ms : s.now.utc_ms;
	taf_ledger_mark(l, &s);
	taf_share_leave(TAF_SHARE_LAZY);
}

void taf_learn_loaded(const char *model)
{
	write_deed(&(struct deed){ .model = model, .kind = TAF_LOAD });
}

void taf_learn_unloaded(const char *model, uint64_t bytes)
{
	write_deed(&(struct deed){ .model = model, .kind = TAF_UNLOAD, .bytes = bytes });
}

void taf_learn_inferred(const struct taf_work *w)
{
	static _Atomic(uint64_t) written_ns;
	uint64_t now = taf_sys_mono_ns(), then = atomic_load(&written_ns);

	if ((then && now - then < (uint64_t)LEARN_EVERY_MS * 1000000) ||
	    !atomic_compare_exchange_strong(&written_ns, &then, now))
		return;
	write_deed(&(struct deed){ .model = taf_work_model_name(w),
				   .kind = TAF_INFER,
				   .ago_ms = (now - w->last_ns) / 1000000 });
}

bool taf_learn_is_none(const struct taf_live_model *m)
{
	return m->is_estimate && !m->infers;
}

void taf_learn_leaving(void)
{
	const struct taf_live_model *m;

	for (int i = 0; (m = taf_work_model_at(i)); i++)
		if (atomic_load(&m->handle) && !m->is_dry && !taf_work_is_going(m) &&
		    !taf_learn_is_none(m))
			taf_learn_unloaded(m->name, m->bytes);
}
