/* SPDX-License-Identifier: MIT */
#include "rest.h"

#include <errno.h>

#include "act.h"

#define FIRST_MS 5u
#define LOOK_MS 50u
#define LATE_MS 100u /* how late it may be at that: its program may have to call again */

static uint64_t until_idle_ns(const struct taf_work *w)
{
	uint64_t idle = taf_work_idle_ns(w), now = taf_sys_mono_ns();

	return idle >= now ? idle - now + 1 : 0;
}

static uint64_t at_most_a_look(uint64_t ns)
{
	return ns < LOOK_MS * 1000000u ? ns : LOOK_MS * 1000000u;
}

/* Whether what is in flight is the next token of a loop, which is soon over. Of anything else
 * nobody knows how long it takes, and what the thread waits for may come long before. */
static bool is_soon_over(const struct taf_work *w)
{
	return w->rounds.order != TAF_ORDER_OPEN && w->rounds.order != TAF_ORDER_OTHER;
}

/* What the end would want, were it now; the rest of that is for the end. */
static void drain_what_is_left(struct taf_work *w)
{
	struct taf_event ev = { .kind = TAF_EXIT, .phase = TAF_BEGIN };
	unsigned drain;
	int rule;

	if (w->is_inferring || w->rested == w->of || !taf_work_claim(w, 0))
		return;
	/* Who leaves has had the claim before, or waits for it now. */
	if (taf_state_now() == TAF_ACTIVE) {
		w->rested = w->of;
		drain = taf_act_drains(&ev, w, &rule);
		if (w->since_sync && is_soon_over(w))
			taf_act_drain(w, drain & TAF_DRAIN_SYNC, rule);
	}
	taf_work_release(w);
}

static uint64_t look(struct taf_work *w)
{
	uint64_t left_ns;

	if (w->is_inferring && (left_ns = until_idle_ns(w)))
		return at_most_a_look(left_ns);
	taf_owner_settle(false);
	drain_what_is_left(w);
	return 0;
}

/* For who leaves, until that is done. */
static uint64_t look_for_leaver(void)
{
	if (atomic_load(&taf_life.is_drained))
		return 0;
	taf_owner_leave();
	return taf_owner_is_due() ? LOOK_MS * 1000000u : 0;
}

/* NULL: nothing is to be done here. A handler may have interrupted the look of its own thread. */
static struct taf_work *resting(void)
{
	struct taf_work *w = taf_owner_mine();

	return w && !taf_is_other_process() && atomic_load(&w->claim) != (uint32_t)taf_tid() ? w
											     : NULL;
}

static uint64_t again_in(struct taf_work *w, uint64_t ns)
{
	atomic_store(&w->looks_ns, ns ? taf_sys_mono_ns() + ns + LATE_MS * 1000000u : 0);
	return ns;
}

uint64_t taf_rest_begin(void)
{
	enum taf_state state = taf_state_now();
	struct taf_work *w = resting();

	if (!w || (state != TAF_ACTIVE && state != TAF_LEAVING))
		return 0;
	return again_in(w, FIRST_MS * 1000000u);
}

/* A cancel is for the wait: in the midst of their function it could end the process. */
uint64_t taf_rest_look(void)
{
	struct taf_work *w = resting();
	enum taf_state state = taf_state_now();
	int saved = errno, cancels;
	uint64_t ns = 0;

	if (!w)
		return 0;
	cancels = taf_sys_bar_cancel();
	w->is_at_rest = true;
	if (state == TAF_LEAVING)
		ns = look_for_leaver();
	else if (state == TAF_ACTIVE)
		ns = look(w);
	w->is_at_rest = false;
	again_in(w, ns);
	taf_sys_let_cancel(cancels);
	errno = saved;
	return ns;
}
