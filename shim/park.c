/* SPDX-License-Identifier: MIT */
#include "park.h"

#include "act.h"
#include "capture.h"
#include "owner.h"
#include "patience.h"
#include "still.h"

#define LOOK_MS 100
#define LEAVINGS 8 /* one after the other, for which a thread stands */
#define GRACE_MS 200 /* that a thread with new work stands still after the drain */

struct taf_park taf_park;

static uint32_t self(void)
{
	return (uint32_t)taf_tid();
}

static struct taf_slices time_until(const _Atomic(uint64_t) *then_ns)
{
	uint64_t until = atomic_load(then_ns), now = taf_sys_mono_ns();

	return (struct taf_slices){ .left_ns = until > now ? until - now : 0 };
}

static struct taf_slices whole_deadline(void)
{
	return (struct taf_slices){ .left_ns = (uint64_t)taf_rules.exit_deadline_ms * 1000000 };
}

/* A thread without work of its own may be one that an engine has made: what an engine waits for
 * that synchronizes for us is perhaps what it submits here. */
static bool is_perhaps_awaited(void)
{
	return !taf_owner_mine() && taf_act_is_in_engine();
}

/* Not behind the drain: from there on the engine is being taken down. */
static void leave_what_is_mine(void)
{
	if (taf_state_now() == TAF_LEAVING && !atomic_load(&taf_life.is_drained))
		taf_owner_leave();
}

static bool is_anothers_exec(void)
{
	return taf_state_now() == TAF_LEAVING && atomic_load(&taf_park.is_exec) &&
	       atomic_load(&taf_life.leaver) != self();
}

/* The leaver waits for what is this thread's own. Where his exec has failed, and one leaves again
 * before that is seen here, it is for that one from then on. */
void taf_park_to_leave(bool by_exec)
{
	uint32_t slice_ms, leaving = atomic_load(&taf_life.leavings), more = 0;
	struct taf_slices left = time_until(&taf_park.until_ns);

	for (bool is_first = !taf_tls.has_parked;; is_first = false) {
		bool is_execing = by_exec && is_anothers_exec(), is_drained;

		leave_what_is_mine();
		if (leaving != atomic_load(&taf_life.leavings) && more++ < LEAVINGS) {
			leaving = atomic_load(&taf_life.leavings);
			left = time_until(&taf_park.until_ns);
		}
		/* Last: it is that of the one whose exec that was, or of a later one. */
		is_drained = atomic_load(&taf_life.is_drained);
		if (taf_state_now() != TAF_LEAVING || (is_drained && !is_execing) ||
		    (!is_first && is_perhaps_awaited()) ||
		    !(slice_ms = taf_next_slice(&left, LOOK_MS)))
			return;
		if (is_drained)
			taf_sys_wait(&taf_life.state, TAF_LEAVING, slice_ms);
		else
			taf_sys_wait(&taf_life.is_drained, 0, slice_ms);
	}
}

bool taf_park_is_awaited(void)
{
	return taf_tls.inside || taf_tls.open || taf_tls.in_callback || taf_still_am_inside();
}

/* A fork child has the word of its parent, and none of the parent's threads. */
static bool is_doomed(void)
{
	return atomic_load(&taf_park.signo) && taf_life.pid == taf_sys_pid() &&
	       !taf_park_is_awaited();
}

void taf_park_to_be_led(void)
{
	struct taf_slices left = whole_deadline();
	uint32_t slice_ms;

	while (is_doomed() && taf_state_now() == TAF_ACTIVE &&
	       (slice_ms = taf_next_slice(&left, LOOK_MS)))
		taf_sys_wait(&taf_life.state, TAF_ACTIVE, slice_ms);
}

void taf_park_to_die(void)
{
	struct taf_slices left = whole_deadline();
	uint32_t slice_ms;

	while (is_doomed() && (slice_ms = taf_next_slice(&left, LOOK_MS)))
		taf_sys_wait(&taf_park.closer, atomic_load(&taf_park.closer), slice_ms);
}

bool taf_park_is_overdue(void)
{
	uint64_t end = atomic_load(&taf_park.end_by_ns);

	return end && taf_sys_mono_ns() >= end;
}

/* Without a time it is about to be said, or to be taken back. */
void taf_park_to_end(void)
{
	struct taf_slices left = atomic_load(&taf_park.end_by_ns) ? time_until(&taf_park.end_by_ns)
								  : whole_deadline();
	uint32_t slice_ms, closer;

	while ((closer = atomic_load(&taf_park.closer)) &&
	       (slice_ms = taf_next_slice(&left, LOOK_MS)))
		taf_sys_wait(&taf_park.closer, closer, slice_ms);
}

/* The log is closed, and whoever has closed it ends the process: what is submitted now is in
 * flight then. Where nobody sees the end, it may wait for this thread. */
static bool is_end_near(void)
{
	return taf_state_now() == TAF_GONE && taf_park.sees_end && !taf_is_other_process();
}

/* Who leaves may not synchronize before that is over, and it hands nothing to the device. */
static bool is_capturing(void)
{
	return !atomic_load(&taf_life.is_drained) && taf_capture_is_own();
}

/* An engine frees with locks of its own taken: no call of it may be made here, and who leaves
 * must not want them meanwhile. */
void taf_park_to_free(void)
{
	struct taf_slices left = time_until(&taf_park.until_ns);
	uint32_t slice_ms;

	while (is_anothers_exec() && !taf_tls.held && !taf_owner_is_due() &&
	       !taf_act_is_in_engine() && !is_capturing() && !taf_still_am_inside() &&
	       (slice_ms = taf_next_slice(&left, LOOK_MS)))
		taf_sys_wait(&taf_life.state, TAF_LEAVING, slice_ms);
}

/* Who leaves does not stand for himself; once the log is closed that is who has closed it. */
static bool is_led_by_me(void)
{
	const _Atomic(uint32_t) *leads =
		taf_state_now() == TAF_GONE ? &taf_park.closer : &taf_life.leaver;

	return atomic_load(leads) == self();
}

void taf_park_to_exec(void)
{
	if (is_end_near() && !is_led_by_me())
		taf_park_to_end();
}

void taf_park_to_submit(void)
{
	if ((taf_state_now() != TAF_LEAVING && !is_end_near()) || is_led_by_me() || is_capturing())
		return;
	/* Nor does anybody stand for who stands here himself. */
	taf_still_end();
	taf_park_to_leave(true);
	/* The process ends now, unless what ends it waits for this thread: then one
	 * pause is enough, however much the thread has left to do. */
	if (taf_state_now() == TAF_LEAVING && !taf_tls.has_parked && !is_perhaps_awaited())
		taf_sys_sleep_ms(GRACE_MS);
	if (is_end_near())
		taf_park_to_end();
	/* After an exec that has failed the next end is the first one. */
	taf_tls.has_parked = taf_state_now() != TAF_ACTIVE;
}
