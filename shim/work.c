/* SPDX-License-Identifier: MIT */
#include "work.h"

#include "../policy/text.h"
#include "crumb.h"
#include "hot.h"
#include "lockfile.h"
#include "patience.h"
#include "serial.h"
#include "traced.h"

#define LOCK_MS 1000 /* of a busy machine: who has it may be kept from running */
#define SLICE_MS 50
#define CLAIM_LOOK_MS 100 /* how often a waiter checks that the holder lives */

#define SHOW_SHARE 200u /* the mark may take that part of the time */
#define SHOW_PAUSE_NS 1000000000u /* and is written that often all the same */

/* Entries under table_lock, handle read by anyone. */
static struct taf_live_model models[TAF_MODELS_MAX];
struct taf_work taf_works[TAF_WORKS_MAX];
/* 0, or the tid inside: a few stores, never a call of theirs. */
static _Atomic(uint32_t) table_lock;
TAF_HOT _Atomic(uint64_t) taf_work_show_ns;

/* False after LOCK_MS, or where this very thread has it: a handler of theirs that
 * interrupted us. What was to be tracked then is not. */
static bool lock_table(void)
{
	struct taf_slices left = { .left_ns = (uint64_t)LOCK_MS * 1000000 };
	uint32_t me = (uint32_t)taf_tid(), seen = 0;

	while (!atomic_compare_exchange_strong(&table_lock, &seen, me)) {
		if (seen == me || !taf_next_slice(&left, SLICE_MS))
			return false;
		taf_sys_wait(&table_lock, seen, 1);
		seen = 0;
	}
	return true;
}

static void unlock_table(void)
{
	atomic_store(&table_lock, 0);
	taf_sys_wake_all(&table_lock);
}

static void publish_counts(void)
{
	struct taf_ring_head *head = taf_ring_head();

	if (head) {
		atomic_store(&head->models_live, taf_work_models());
		atomic_store(&head->contexts_live, taf_work_contexts());
	}
}

struct taf_live_model *taf_work_model(const void *handle)
{
	for (int i = 0; handle && i < TAF_MODELS_MAX; i++)
		if (atomic_load(&models[i].handle) == handle)
			return &models[i];
	return NULL;
}

struct taf_live_model *taf_work_add_model(const struct taf_maker *by, void *handle,
					  const char *name)
{
	struct taf_live_model *m = NULL;

	if (!lock_table())
		return NULL;
	for (int i = 0; i < TAF_MODELS_MAX && !m; i++)
		if (!atomic_load(&models[i].handle))
			m = &models[i];
	if (m) {
		m->table = by->table;
		m->home = by->home;
		m->bytes = m->fingerprint = 0;
		taf_zero(&m->cache, sizeof(m->cache));
		m->trained = m->rope_turn = 0;
		m->is_dry = m->is_estimate = false;
		atomic_store(&m->is_going, false);
		m->infers = m->load_ns = 0;
		taf_copy(m->name, name ? name : "", sizeof(m->name));
		atomic_store(&m->handle, handle);
	}
	unlock_table();
	publish_counts();
	return m;
}

bool taf_work_set_going(struct taf_live_model *m, bool is_going)
{
	bool was = atomic_exchange(&m->is_going, is_going);

	publish_counts();
	return was != is_going;
}

void taf_work_drop_model(struct taf_live_model *m)
{
	/* An entry that is not cleared of it is only misnamed: dropping never waits. */
	for (int i = 0; i < TAF_WORKS_MAX; i++)
		if (taf_works[i].model == m)
			taf_works[i].model = NULL;
	atomic_store(&m->handle, NULL);
	publish_counts();
}

static void fill_work(struct taf_work *w, const struct taf_maker *by, struct taf_live_model *model)
{
	w->table = by->table;
	w->home = by->home;
	w->model = model;
	w->is_inferring = w->owes_sync = w->has_queue = w->has_failed = false;
	w->is_burst = by->is_burst;
	w->ctx_tokens = w->kv_bytes = w->queue = w->would = w->base = w->launches = w->told = 0;
	w->window = 0;
	w->fault = NULL;
	taf_traced_new(w);
	atomic_store(&w->after, 0);
	atomic_store(&w->said, 0);
	atomic_store(&w->store, NULL);
	atomic_store(&w->adapters, 0);
	w->turn = (struct taf_rope_used){ 0 };
	atomic_store(&w->is_inside, false);
	atomic_store(&w->is_quick, false);
	w->since_sync = 0;
	w->of = w->begin_ns = w->last_ns = w->waited_ns = 0;
	w->drained_ns = taf_sys_mono_ns();
	w->submits = w->tokens = w->peak = w->first_unsynced = w->prefill = 0;
	atomic_store(&w->left_for, 0);
	atomic_store(&w->claim, 0);
}

struct taf_work *taf_work_add(const struct taf_maker *by, void *handle,
			      struct taf_live_model *model)
{
	struct taf_work *w = NULL;

	if (!lock_table())
		return NULL;
	for (int i = 0; i < TAF_WORKS_MAX && !w; i++)
		if (!atomic_load(&taf_works[i].handle))
			w = &taf_works[i];
	if (w) {
		fill_work(w, by, model);
		atomic_store_explicit(&w->handle, handle, memory_order_release);
	}
	unlock_table();
	publish_counts();
	return w;
}

/* Whoever had it has left it behind, and with it the GPU lock. */
static void take_from(struct taf_work *w, uint32_t next)
{
	uint32_t had = atomic_exchange(&w->claim, next);

	if (had && had != (uint32_t)taf_tid())
		taf_lock_drop_thread((int32_t)had);
}

/* ---- the mark in the log (crumb.h): whether a decode is inside ---- */

static bool are_inside(void)
{
	for (int i = 0; i < TAF_WORKS_MAX; i++)
		if (atomic_load(&taf_works[i].handle) && atomic_load(&taf_works[i].is_inside))
			return true;
	return false;
}

void taf_work_show(bool is_first)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (is_first || !taf_crumb_shows(true))
		taf_crumb_show(are_inside, !is_first);
}

void taf_work_unshow(void)
{
	uint64_t began, now, pause;

	atomic_thread_fence(memory_order_seq_cst);
	if (are_inside())
		return;
	began = taf_sys_mono_ns();
	taf_crumb_show(are_inside, false);
	now = taf_sys_mono_ns();
	pause = 2 * SHOW_SHARE * (now - began);
	atomic_store(&taf_work_show_ns, now + (pause < SHOW_PAUSE_NS ? pause : SHOW_PAUSE_NS));
}

void taf_work_drop(struct taf_work *w)
{
	taf_work_pause(w);
	taf_serial_leave(w);
	atomic_store(&w->handle, NULL);
	take_from(w, 0);
	taf_sys_wake_all(&w->claim);
	publish_counts();
}

/* Alive, as far as anybody can tell. */
static bool is_there(const struct taf_live_model *m)
{
	return atomic_load(&m->handle) && !taf_work_is_going(m);
}

uint32_t taf_work_models(void)
{
	uint32_t n = 0;

	for (int i = 0; i < TAF_MODELS_MAX; i++)
		n += is_there(&models[i]) && !models[i].is_dry;
	return n;
}

uint32_t taf_work_contexts(void)
{
	uint32_t n = 0;

	for (int i = 0; i < TAF_WORKS_MAX; i++)
		n += atomic_load(&taf_works[i].handle) != NULL;
	return n;
}

const struct taf_live_model *taf_work_model_at(int i)
{
	return i >= 0 && i < TAF_MODELS_MAX ? &models[i] : NULL;
}

uint64_t taf_work_biggest_model(void)
{
	uint64_t most = 0;

	for (int i = 0; i < TAF_MODELS_MAX; i++)
		if (is_there(&models[i]) && models[i].bytes > most)
			most = models[i].bytes;
	return most;
}

bool taf_work_has_model(const char *name)
{
	for (int i = 0; i < TAF_MODELS_MAX; i++)
		if (is_there(&models[i]) && taf_same(models[i].name, name))
			return true;
	return false;
}

uint64_t taf_work_bytes(void)
{
	uint64_t n = 0;

	for (int i = 0; i < TAF_MODELS_MAX; i++)
		if (is_there(&models[i]))
			n += models[i].bytes;
	return n;
}

uint64_t taf_work_kv_bytes(void)
{
	uint64_t n = 0;

	for (int i = 0; i < TAF_WORKS_MAX; i++)
		if (atomic_load(&taf_works[i].handle))
			n += taf_works[i].kv_bytes;
	return n;
}

const char *taf_work_model_name(const struct taf_work *w)
{
	return w && w->model && w->model->name[0] ? w->model->name : NULL;
}

struct taf_work *taf_work_at(int i)
{
	return i >= 0 && i < TAF_WORKS_MAX ? &taf_works[i] : NULL;
}

struct taf_work *taf_work_next(int *at)
{
	while (*at < 2 * TAF_WORKS_MAX) {
		bool is_burst = *at >= TAF_WORKS_MAX;
		struct taf_work *w = &taf_works[(*at)++ % TAF_WORKS_MAX];

		if (atomic_load(&w->handle) && w->is_burst == is_burst)
			return w;
	}
	return NULL;
}

/* Whoever gives the claim back wakes only who has said here that he waits. */
static void wait_for(struct taf_work *w, uint32_t seen, uint32_t ms)
{
	atomic_fetch_add(&w->waiters, 1);
	taf_sys_wait(&w->claim, seen, ms);
	atomic_fetch_sub(&w->waiters, 1);
}

bool taf_work_claim_slow(struct taf_work *w, uint32_t ms)
{
	struct taf_slices left = { .left_ns = (uint64_t)ms * 1000000 };
	uint32_t me = (uint32_t)taf_tid(), seen = 0, slice_ms;

	for (; !atomic_compare_exchange_strong(&w->claim, &seen, me); seen = 0) {
		if (seen == me)
			return true;
		/* A thread that was cancelled inside the engine gives nothing back. */
		if (taf_has_ended((int32_t)seen))
			atomic_compare_exchange_strong(&w->claim, &seen, 0);
		else if (!(slice_ms = taf_next_slice(&left, CLAIM_LOOK_MS)))
			return false;
		else
			wait_for(w, seen, slice_ms);
	}
	return taf_work_keep(w);
}

void taf_work_seize(struct taf_work *w)
{
	take_from(w, (uint32_t)taf_tid());
}

bool taf_work_is_left_behind(const struct taf_work *w)
{
	uintptr_t tid =
		w->table->by_thread ? (uintptr_t)atomic_load(&w->handle) : atomic_load(&w->claim);

	return taf_has_ended((int32_t)tid);
}

bool taf_work_is_any_mine(void)
{
	uint32_t me = (uint32_t)taf_tid();

	for (int i = 0; i < TAF_WORKS_MAX; i++)
		if (atomic_load(&taf_works[i].claim) == me)
			return true;
	return taf_tls.own && atomic_load(&taf_tls.own->is_quick);
}

void taf_work_forget_all(void)
{
	for (int i = 0; i < TAF_MODELS_MAX; i++)
		atomic_store(&models[i].handle, NULL);
	for (int i = 0; i < TAF_WORKS_MAX; i++)
		atomic_store(&taf_works[i].handle, NULL);
	atomic_store(&table_lock, 0);
}
