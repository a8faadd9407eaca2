/* SPDX-License-Identifier: MIT */
#include "lookout.h"

#include <string.h>

#include "clock.h"
#include "tell.h"

#define SLOW_MS 5000u
#define QUICK_MS 1000u /* where a restart may be asked for, or a rule may make somebody wait */
#define BUSY_MS 250u /* while something was told to end */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void tell(void *ctx, const struct taf_watch_event *e)
{
	struct taf_lookout *l = ctx;
	struct taf_restarter *r = l->restarter;

	if (e->what != TAF_SEEN_RESTART)
		taf_tell("%s", e->text);
	else if (r->rules->mode == TAF_RESTART_NEVER)
		taf_tell("%s; `taffrail run --restart` would", e->text);
	/* What we end because it hangs shall come back, however it ends. */
	if (e->what == TAF_SEEN_TERMINATED && e->pid == r->guest->pid && !r->asked[0]) {
		taf_copy(r->asked, "it hung", sizeof(r->asked));
		r->asked_rule = e->rule;
	}
}

/* Often enough for the shortest of the limits, and no oftener. */
static uint64_t interval_ms(const struct taf_lookout *l)
{
	const struct taf_rules *r = l->rules;
	uint64_t ms = least(r->watch_orphan_after_ms,
			    least(r->watch_load_after_ms, r->watch_infer_after_ms)) /
		      4;

	if (taf_watcher_is_waiting(&l->watcher) || l->restarter->asked_ms)
		return BUSY_MS;
	if (r->mode == TAF_MODE_ENFORCE || l->restarter->rules->mode != TAF_RESTART_NEVER)
		ms = least(ms, QUICK_MS);
	ms = least(ms, SLOW_MS);
	return ms < BUSY_MS ? BUSY_MS : ms;
}

static void watch(struct taf_lookout *l)
{
	struct taf_watcher *w = &l->watcher;
	struct taf_restarter *r = l->restarter;
	char why[256], text[128];

	if (!w->crumbs || !w->crumbs[0])
		return;
	w->tell = tell;
	w->ctx = l;
	w->own.guest = r->guest->pid;
	taf_watcher_look(w);
	taf_held_show(&l->held, w);
	if (w->is_restart_due && r->rules->mode != TAF_RESTART_NEVER &&
	    l->rules->mode == TAF_MODE_ENFORCE) {
		taf_copy(text, w->restart.reason, sizeof(text));
		snprintf(why, sizeof(why), "%s (%s)", text,
			 w->restart.rule ? w->restart.rule : "recycle");
		taf_restart_ask(r, why, w->restart.rule);
	}
	taf_restart_press(r);
}

static void begin(struct taf_lookout *l)
{
	l->guest = l->restarter->guest->pid;
	l->witness.looks = 0;
	l->witness.suspect = 0;
	l->witness_ms = l->watch_ms = 0;
}

int taf_lookout_look(struct taf_lookout *l)
{
	uint64_t next, now = taf_clock_ms();
	int ms;

	if (l->guest != l->restarter->guest->pid)
		begin(l);
	if (now >= l->witness_ms) {
		ms = taf_witness_look(&l->witness);
		l->witness_ms = ms < 0 ? UINT64_MAX : taf_clock_ms() + (uint64_t)ms;
	}
	if (now >= l->watch_ms) {
		watch(l);
		l->watch_ms = taf_clock_ms() + interval_ms(l);
	}
	now = taf_clock_ms();
	next = least(l->witness_ms, l->watch_ms);
	return next > now ? (int)least(next - now, SLOW_MS) : 0;
}
