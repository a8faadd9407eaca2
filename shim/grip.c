/* SPDX-License-Identifier: MIT */
#include "grip.h"

#include <errno.h>

#include "crumb.h"
#include "life.h"

#define LOOK_MS 100 /* how often who waits checks that the holder lives */

static const char kept[] = "not destroyed: a wait of ours has not come back from the driver";

static uint32_t self(void)
{
	return (uint32_t)taf_tid();
}

/* A thread that was cancelled in their function gives nothing back. */
static bool is_dead(uint32_t tid)
{
	return taf_sys_tgkill(taf_sys_pid(), (int32_t)tid, 0) == -ESRCH;
}

/* 0 when nobody has it any more; at until, or where it is this thread, who has. */
static uint32_t await(struct taf_grip *g, uint64_t until)
{
	uint32_t holder;

	while ((holder = atomic_load(&g->holder))) {
		if (is_dead(holder))
			atomic_compare_exchange_strong(&g->holder, &holder, 0);
		else if (holder == self() || taf_sys_mono_ns() >= until)
			return holder;
		else
			taf_sys_wait(&g->holder, holder, LOOK_MS);
	}
	return 0;
}

bool taf_grip_take(struct taf_grip *g, uint64_t until)
{
	uint32_t nobody = 0;

	while (!atomic_compare_exchange_strong(&g->holder, &nobody, self())) {
		if (await(g, until))
			return false;
		nobody = 0;
	}
	return true;
}

/* Only one's own: a fork child has emptied it. */
void taf_grip_let(struct taf_grip *g)
{
	uint32_t me = self();

	if (atomic_compare_exchange_strong(&g->holder, &me, 0))
		taf_sys_wake_all(&g->holder);
}

bool taf_grip_is_free(struct taf_grip *g)
{
	uint64_t ms = (uint64_t)taf_rules.drain_deadline_ms + TAF_GRIP_MS;

	if (!atomic_load(&g->holder) || !await(g, taf_sys_mono_ns() + ms * 1000000))
		return true;
	if (taf_state_now() == TAF_ACTIVE || taf_state_now() == TAF_LEAVING)
		taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE, .phase = TAF_MARK, .msg = kept });
	return false;
}
