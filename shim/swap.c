/* SPDX-License-Identifier: MIT */
#include "swap.h"

#include "../policy/text.h"
#include "crumb.h"
#include "owner.h"

#define UNKNOWN UINT64_MAX

enum fate {
	READ, /* none of its tensors was evaluated */
	EVALUATED,
	KEPT /* a load did not replace it */
};

/* By place; their addresses are the handles. */
static _Atomic(uint32_t) fates[TAF_MODELS_MAX];
static _Atomic(uint32_t) next_place;

/* The latest load that was taken for a swap. */
static struct {
	_Atomic(uint64_t) before; /* held, with the old ones */
	_Atomic(uint64_t) going, unread; /* bytes of the old ones, evaluated and not */
	_Atomic(uint64_t) brought; /* by it, and by its companions */
	_Atomic(uint32_t) looks; /* generations that have begun since */
	_Atomic(bool) has_loaded;
} swap;
static _Atomic(uint32_t) loading; /* loads that have begun and are not over */
static _Atomic(uint64_t) latest; /* held in the latest generation since the latest load */

static uint64_t held_by(const struct taf_table *t, const void *home)
{
	return t->by_thread && t->by_thread->held ? t->by_thread->held(home) : UNKNOWN;
}

/* The i-th oldest place that has a model; NULL: none is at i. */
static struct taf_live_model *model_at(uint32_t i, enum fate *fate)
{
	uint32_t n = (atomic_load(&next_place) + i) % TAF_MODELS_MAX;

	*fate = (enum fate)atomic_load(&fates[n]);
	return taf_work_model(&fates[n]);
}

static void set_fate(const struct taf_live_model *m, enum fate fate)
{
	const void *handle = atomic_load(&m->handle);

	for (int i = 0; i < TAF_MODELS_MAX; i++)
		if (handle == &fates[i])
			atomic_store(&fates[i], (uint32_t)fate);
}

static bool is_any_going(void)
{
	struct taf_live_model *m;
	enum fate fate;

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++)
		if ((m = model_at(i, &fate)) && taf_work_is_going(m))
			return true;
	return false;
}

static bool is_any_kept(void)
{
	enum fate fate;

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++)
		if (model_at(i, &fate) && fate == KEPT)
			return true;
	return false;
}

/* Of those that count and were evaluated. */
static uint64_t bytes_alive(void)
{
	const struct taf_live_model *m;
	enum fate fate;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++)
		if ((m = model_at(i, &fate)) && fate != READ && !taf_work_is_going(m))
			sum += m->bytes;
	return sum;
}

static struct taf_live_model *oldest_alive(void)
{
	struct taf_live_model *m;
	enum fate fate;

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++)
		if ((m = model_at(i, &fate)) && fate != READ && !taf_work_is_going(m))
			return m;
	return NULL;
}

void *taf_swap_handle(void)
{
	uint32_t n = atomic_fetch_add(&next_place, 1) % TAF_MODELS_MAX;
	struct taf_live_model *m = taf_work_model(&fates[n]);

	if (m)
		taf_work_drop_model(m);
	return &fates[n];
}

void taf_swap_loaded(const void *handle, bool is_evaluated)
{
	const struct taf_live_model *m = taf_work_model(handle);

	if (!m)
		return;
	set_fate(m, is_evaluated ? EVALUATED : READ);
	if (!is_evaluated)
		return;
	atomic_fetch_add(&swap.brought, m->bytes);
	atomic_store(&swap.has_loaded, true);
	atomic_store(&latest, 0);
}

/* ---- What is held --------------------------------------------------------------- */

/* With no more than that the old ones, or the new one, are not there. */
static uint64_t bound(void)
{
	uint64_t before = atomic_load(&swap.before), brought = atomic_load(&swap.brought),
		 going = atomic_load(&swap.going);

	if (!going)
		return before + brought + atomic_load(&swap.unread) / 2;
	return before + brought - (going < brought ? going : brought) / 2;
}

static void tell_again(const struct taf_live_model *m, uint64_t held)
{
	char buf[128];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, "it was not replaced and counts again");
	if (held != UNKNOWN) {
		taf_text_put(&t, ": ");
		taf_text_bytes(&t, held);
		taf_text_put(&t, " are held, more than ");
		taf_text_bytes(&t, bound());
	} else {
		taf_text_put(&t, ": the load failed, and it computes");
	}
	taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE,
				     .phase = TAF_MARK,
				     .engine = m->table->engine,
				     .model = m->name,
				     .msg = buf });
}

/* held: by which they stay; UNKNOWN: the load failed, and nothing is known of the next one. */
static void call_back(uint64_t held)
{
	struct taf_live_model *m;
	enum fate fate;

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++)
		if ((m = model_at(i, &fate)) && taf_work_set_going(m, false)) {
			set_fate(m, held == UNKNOWN ? fate : KEPT);
			tell_again(m, held);
		}
}

/* Two threads may be at this: the entry is the next model's as soon as one has dropped it. */
static void drop_going(void)
{
	struct taf_live_model *m;
	enum fate fate;

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++)
		if ((m = model_at(i, &fate)) && taf_work_is_going(m) &&
		    taf_work_set_going(m, false))
			taf_work_drop_model(m);
}

/* What was found to stay is written off by the next load. */
static void doubt(const struct taf_live_model *m)
{
	set_fate(m, EVALUATED);
}

static void doubt_all(void)
{
	struct taf_live_model *m;
	enum fate fate;

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++)
		if ((m = model_at(i, &fate)) && fate == KEPT)
			doubt(m);
}

static void judge(uint64_t held, bool is_last)
{
	if (held == UNKNOWN)
		return;
	if (held <= bound()) {
		drop_going();
		doubt_all();
	} else if (is_last && is_any_going()) {
		call_back(held);
	}
}

static bool is_loading(void)
{
	return atomic_load(&loading) != 0;
}

void taf_swap_look(const struct taf_work *w)
{
	bool has_loaded;

	if ((!is_any_going() && !is_any_kept()) || is_loading())
		return;
	has_loaded = atomic_load(&swap.has_loaded);
	if (is_loading()) /* it may have begun just now, and taken that back */
		return;
	if (!has_loaded)
		call_back(UNKNOWN);
	else
		judge(held_by(w->table, w->home), atomic_fetch_add(&swap.looks, 1) > 0);
}

void taf_swap_note(const struct taf_work *w)
{
	uint64_t held = taf_state_now() == TAF_LEAVING ? UNKNOWN : held_by(w->table, w->home);

	if (held != UNKNOWN)
		atomic_store_explicit(&latest, held, memory_order_relaxed);
}

/* ---- A load begins -------------------------------------------------------------- */

/* c: that load, whose function the door looks for. is_sure: it is gone, else it is going. */
static void unload(const struct taf_call *c, struct taf_live_model *m, bool is_sure)
{
	char name[TAF_MODEL_NAME];
	struct taf_call u = taf_call_of(c->table, c->row, c->caller);

	taf_copy(name, m->name, sizeof(name));
	u.kind = TAF_UNLOAD;
	u.model = name[0] ? name : NULL;
	u.handle = atomic_load(&m->handle);
	u.bytes = m->bytes;
	u.has_bytes = true;
	u.msg = is_sure ? "the engine holds less than half of what its models took"
			: "implied by the next load";
	taf_before(&u);
	if (is_sure)
		taf_work_drop_model(m);
	else
		taf_work_set_going(m, true);
	taf_after(&u, 0);
}

/* Of those that were found to stay, what cannot be there. */
static void doubt_missing(uint64_t held)
{
	struct taf_live_model *m;
	enum fate fate;
	uint64_t sum = bytes_alive();

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++)
		if ((m = model_at(i, &fate)) && fate == KEPT && held < sum - m->bytes / 2)
			doubt(m);
}

void taf_swap_settle(const struct taf_call *c)
{
	struct taf_live_model *m;
	uint64_t held;

	if (!taf_work_models() && !is_any_going())
		return;
	held = held_by(c->table, c->caller);
	if (held == UNKNOWN)
		return;
	if (atomic_load(&swap.has_loaded) && (is_any_going() || is_any_kept()))
		judge(held, true);
	doubt_missing(held);
	while ((m = oldest_alive()) && bytes_alive() && held < bytes_alive() / 2)
		unload(c, m, true);
}

/* Another thread computes on it. */
static bool is_in_use(const struct taf_live_model *m)
{
	const struct taf_work *w;

	for (int i = 0; (w = taf_work_at(i)); i++)
		if (atomic_load(&w->handle) && w->model == m && w->is_inferring &&
		    w->table->by_thread && !taf_owner_is_me(w) && taf_owner_is_busy(w))
			return true;
	return false;
}

/* All that the load may replace. */
static void write_off(const struct taf_call *c)
{
	struct taf_live_model *m;
	enum fate fate;

	for (uint32_t i = 0; i < TAF_MODELS_MAX; i++) {
		m = model_at(i, &fate);
		if (!m || fate == KEPT || is_in_use(m))
			continue;
		if (!taf_work_is_going(m))
			unload(c, m, false);
		atomic_fetch_add(fate == READ ? &swap.unread : &swap.going, m->bytes);
	}
}

void taf_swap_begin(const struct taf_call *c)
{
	uint64_t held = held_by(c->table, c->caller), then = atomic_load(&latest);

	atomic_fetch_add(&loading, 1);
	atomic_store(&swap.has_loaded, false);
	atomic_store(&swap.looks, 0);
	atomic_store(&swap.brought, 0);
	atomic_store(&swap.going, 0);
	atomic_store(&swap.unread, 0);
	atomic_store(&swap.before, held != UNKNOWN && held > then ? held : then);
	write_off(c);
	if (held == UNKNOWN) /* nobody will be able to tell */
		drop_going();
}

/* A fork child may come out of a load that its parent has begun. */
void taf_swap_over(void)
{
	uint32_t n = atomic_load(&loading);

	while (n && !atomic_compare_exchange_weak(&loading, &n, n - 1))
		;
}

void taf_swap_forget(void)
{
	atomic_store(&loading, 0);
	atomic_store(&swap.has_loaded, false);
	atomic_store(&latest, 0);
}
