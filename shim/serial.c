/* SPDX-License-Identifier: MIT */
#include "serial.h"

#include "crumb.h"
#include "traced.h"

#define SLICE_MS 50u /* how often a waiter looks whether the other is idle */

static _Atomic(struct taf_work *) holder;
static _Atomic(uint32_t) turns; /* futex: goes on with each generation that ends */

/* A generation that ends gives its turn back.  Who has taken it has perhaps not begun yet,
 * as the record of that is written first: so long it is not idle either. */
static bool is_idle(const struct taf_work *w)
{
	uint64_t end = taf_work_end_ns(w), turn = atomic_load(&w->turn_ns);

	return !atomic_load(&w->handle) || taf_work_is_left_behind(w) ||
	       (!atomic_load(&w->is_inside) &&
		taf_sys_mono_ns() >
			(end > turn ? end : turn) + (uint64_t)taf_rules.drain_idle_ms * 1000000);
}

/* True: w has the turn. */
static bool try_enter(struct taf_work *w)
{
	struct taf_work *has = NULL;

	atomic_store(&w->turn_ns, taf_sys_mono_ns());
	if (atomic_compare_exchange_strong(&holder, &has, w) || has == w)
		return true;
	return is_idle(has) && atomic_compare_exchange_strong(&holder, &has, w);
}

static void crumb(const struct taf_work *w, uint64_t *of, uint64_t began, bool is_in)
{
	struct taf_rec r = { .kind = TAF_HOLD,
			     .phase = *of ? TAF_END : TAF_BEGIN,
			     .engine = w->table->engine,
			     .model = taf_work_model_name(w),
			     .rule = "drain.serialize",
			     .msg = "another thread generates",
			     .keep = TAF_KEEP_LOG };

	if (*of) {
		r.has = TAF_HAS_OF | TAF_HAS_MS;
		r.of = *of;
		r.us = (taf_sys_mono_ns() - began) / 1000;
		r.msg = is_in ? NULL
			: taf_state_now() != TAF_ACTIVE
				? "let in beside another generation: the process ends"
				: "let in beside another generation: lock.max_wait passed";
	}
	*of = taf_crumb(&r);
}

void taf_serial_enter(struct taf_work *w)
{
	uint64_t began = taf_sys_mono_ns(), of = 0;
	uint64_t until = began + (uint64_t)taf_rules.lock_max_wait_ms * 1000000;
	struct taf_trace_span span = { 0 };
	bool is_in;

	if (!taf_rules.drain_serialize || taf_rules.mode != TAF_MODE_ENFORCE || w->is_burst)
		return;
	if (taf_traced_is_on())
		span = taf_traced_open(w);
	while (!(is_in = try_enter(w)) && taf_sys_mono_ns() < until &&
	       taf_state_now() == TAF_ACTIVE) {
		uint32_t turn = atomic_load(&turns);

		if (!of)
			crumb(w, &of, began, false);
		if (!try_enter(w))
			taf_sys_wait(&turns, turn, SLICE_MS);
	}
	if (!of)
		return;
	crumb(w, &of, began, is_in);
	if (taf_traced_is_on())
		taf_traced_close(w, TAF_PART_HELD, &span);
}

void taf_serial_leave(const struct taf_work *w)
{
	struct taf_work *has = atomic_load(&holder);

	if (has != w || !atomic_compare_exchange_strong(&holder, &has, NULL))
		return;
	atomic_fetch_add(&turns, 1);
	taf_sys_wake_all(&turns);
}

void taf_serial_forget(void)
{
	atomic_store(&holder, NULL);
}
