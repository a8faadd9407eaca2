/* SPDX-License-Identifier: MIT */
#include "exit.h"

#include <errno.h>

#include "act.h"
#include "crumb.h"
#include "holding.h"
#include "lazy.h"
#include "learn.h"
#include "life.h"
#include "owner.h"
#include "patience.h"
#include "still.h"
#include "tally.h"

/* Not in stdlib.h without _DEFAULT_SOURCE; glibc gives the status, which atexit does not. */
int on_exit(void (*fn)(int status, void *arg), void *arg);

#define LOOK_MS 100
#define PARK_GRACE_MS 200 /* that a thread with new work stands still after the drain */

static _Atomic(uint64_t) exit_seq; /* of the EXIT begin */
static _Atomic(int) exit_status;
static _Atomic(uint64_t) park_until_ns;
static _Atomic(uint64_t) end_by_ns; /* when who closes the log has ended the process; or 0 */
static _Atomic(uint32_t) closer; /* tid of who closes the log and ends the process; or 0 */
static bool sees_end; /* at_end will run; written before main */
static _Atomic(bool) is_exec; /* the leaver means to become another program */
static _Atomic(uint32_t) armed; /* kinds whose first call has returned, one bit each */

/* One way of leaving. */
struct way {
	enum taf_kind kind; /* TAF_EXIT or TAF_EXEC */
	const char *route, *msg;
	int status; /* as the program gave it */
	int signo; /* 0, or the signal whose default action follows */
};

/* What the parent will see. */
static int status_of(const struct way *w)
{
	return w->signo ? -w->signo : w->status & 0xff;
}

static void crumb_way(const struct way *w)
{
	struct taf_rec r = { .kind = w->kind,
			     .phase = TAF_BEGIN,
			     .engine = TAF_ENGINE_LIBC,
			     .call = w->route,
			     .msg = w->msg,
			     .has = TAF_HAS_LIVE | TAF_HAS_HANDLES,
			     .rc = status_of(w),
			     .live = taf_work_bytes(),
			     .handles = taf_work_contexts(),
			     .keep = TAF_KEEP_SYNC };

	if (w->kind == TAF_EXIT)
		r.has |= TAF_HAS_RC;
	atomic_store(&exit_status, status_of(w));
	atomic_store(&exit_seq, taf_crumb(&r));
}

static _Atomic(int) deadly_signal; /* 0: the process ends with a status */

/* Runs on the watchdog's bare thread, just before the process ends. */
static void last_words(void)
{
	struct taf_rec r = {
		.kind = TAF_EXIT,
		.phase = TAF_END,
		.engine = TAF_ENGINE_LIBC,
		.has = TAF_HAS_RC | TAF_HAS_OF,
		.rc = atomic_load(&exit_status),
		.of = atomic_load(&exit_seq),
		.rule = "exit.deadline",
		.msg = "not drained: the deadline passed, the process was ended with its own status"
	};

	taf_crumb(&r);
	if (atomic_load(&deadly_signal))
		taf_sys_die_of(atomic_load(&deadly_signal));
}

static _Atomic(uint32_t) is_done; /* futex: the watchdog may go */

/* From here on the deadline runs, whatever the engine does. */
static void start_deadline(const struct way *w)
{
	atomic_store(&is_done, 0);
	if (taf_rules.mode == TAF_MODE_ENFORCE && w->kind == TAF_EXIT && taf_work_contexts())
		taf_sys_watchdog((uint32_t)taf_rules.exit_deadline_ms, &is_done,
				 w->signo ? 128 + w->signo : w->status & 0xff, last_words);
}

static void stop_deadline(void)
{
	atomic_store(&is_done, 1);
	taf_sys_wake_all(&is_done);
}

static void drain_all(void)
{
	struct taf_event ev = { .kind = TAF_EXIT, .phase = TAF_BEGIN };
	int rule;
	unsigned drain = taf_act_drains(&ev, NULL, &rule);

	if (drain)
		taf_act_drain_all(NULL, drain, rule);
}

/* Generations that are open have ended, whether or not a rule drains them. */
static void settle_all(void)
{
	struct taf_work *w;

	for (int at = 0; (w = taf_work_next(&at));)
		if (atomic_load(&w->claim) != (uint32_t)taf_tid() && taf_work_claim(w, 0)) {
			taf_work_settle(w, true);
			taf_work_release(w);
		}
}

static void close_with(int status);

static uint64_t deadline_from_now(void)
{
	return taf_sys_mono_ns() + (uint64_t)taf_rules.exit_deadline_ms * 1000000;
}

static bool begin_leaving(const struct way *w)
{
	uint32_t active = TAF_ACTIVE;

	if (taf_is_other_process() || taf_state_now() != TAF_ACTIVE)
		return false;
	/* Whoever sees the state parks by it; a handler that comes in here must not. */
	atomic_store(&park_until_ns, deadline_from_now());
	taf_tls.inside++;
	if (!atomic_compare_exchange_strong(&taf_life.state, &active, TAF_LEAVING)) {
		taf_tls.inside--;
		return false;
	}
	atomic_store(&is_exec, w->kind == TAF_EXEC);
	atomic_store(&taf_life.leaver, (uint32_t)taf_tid());
	taf_tls.inside--;
	atomic_fetch_or(&taf_life.alert, TAF_ALERT_LEAVING);
	if (taf_ring_head())
		atomic_store(&taf_ring_head()->is_leaving, 1);
	taf_sys_wake_all(&taf_life.state); /* who waits because a rule says so */
	return true;
}

static struct taf_slices time_until(const _Atomic(uint64_t) *then_ns)
{
	uint64_t until = atomic_load(then_ns), now = taf_sys_mono_ns();

	return (struct taf_slices){ .left_ns = until > now ? until - now : 0 };
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

/* As long as the leaver's own deadline allows, which waits for what is this thread's own: for
 * that once more where its exec has failed and it leaves again meanwhile. */
static void stand_until_drained(void)
{
	struct taf_slices left = time_until(&park_until_ns);
	uint32_t slice_ms;

	for (int i = 0;; i++) {
		leave_what_is_mine();
		if (taf_state_now() != TAF_LEAVING || atomic_load(&taf_life.is_drained) ||
		    ((i || taf_tls.has_parked) && is_perhaps_awaited()) ||
		    !(slice_ms = taf_next_slice(&left, LOOK_MS)))
			return;
		taf_sys_wait(&taf_life.is_drained, 0, slice_ms);
	}
}

/* Another thread is draining, and what comes after us tears the runtime down. Who it is it may
 * not have said yet. */
static void wait_for_leaver(void)
{
	if (!taf_is_other_process() && atomic_load(&taf_life.leaver) != (uint32_t)taf_tid() &&
	    !taf_tls.inside && !taf_tls.open)
		stand_until_drained();
}

static void lead(const struct way *w)
{
	taf_tls.inside++;
	crumb_way(w);
	start_deadline(w);
	if (taf_rules.mode == TAF_MODE_ENFORCE && taf_rules.drain_at_exit)
		taf_still_for_good();
	taf_owner_seen();
	settle_all();
	taf_lazy_leave();
	drain_all();
	taf_holding_leave();
	taf_tally_leave();
	taf_learn_leaving();
	stop_deadline();
	taf_tls.inside--;
	atomic_store(&taf_life.is_drained, 1);
	taf_sys_wake_all(&taf_life.is_drained);
}

static void leave_by(const struct way *w)
{
	int saved = errno;
	bool is_leader;

	taf_wake_await();
	/* Once more where the other one has stayed, since its exec failed. */
	do {
		is_leader = begin_leaving(w);
		if (is_leader)
			lead(w);
		else if (taf_state_now() == TAF_LEAVING)
			wait_for_leaver();
	} while (!is_leader && taf_state_now() == TAF_ACTIVE && !taf_is_other_process());
	errno = saved;
}

static void leave_for_good(const struct way *w, bool is_last)
{
	leave_by(w);
	if (taf_is_other_process())
		return;
	if (is_last)
		close_with(status_of(w));
	/* An exit handler may leave again, with another status: the last one counts. */
	else if (taf_state_now() == TAF_LEAVING && !sees_end)
		atomic_store(&exit_status, status_of(w));
}

void taf_leave(const char *route, int status, bool is_last)
{
	struct way w = { .kind = TAF_EXIT, .route = route, .status = status };

	leave_for_good(&w, is_last);
}

void taf_leave_exec(const char *call, const char *path)
{
	struct way w = { .kind = TAF_EXEC, .route = call, .msg = path };

	leave_by(&w);
}

void taf_leave_signal(const char *name, int signo)
{
	struct way w = { .kind = TAF_EXIT, .route = name, .signo = signo };

	atomic_store(&deadly_signal, signo);
	leave_for_good(&w, true);
}

void taf_stay(int rc)
{
	struct taf_rec r = { .kind = TAF_EXEC,
			     .phase = TAF_END,
			     .engine = TAF_ENGINE_LIBC,
			     .has = TAF_HAS_RC | TAF_HAS_OF,
			     .rc = rc,
			     .of = atomic_load(&exit_seq),
			     .msg = "not started: the process goes on" };

	/* Another thread may be leaving for good. */
	if (taf_is_other_process() || taf_state_now() != TAF_LEAVING || !atomic_load(&is_exec) ||
	    atomic_load(&taf_life.leaver) != (uint32_t)taf_tid())
		return;
	taf_crumb(&r);
	atomic_fetch_and(&taf_life.alert, ~(uint32_t)TAF_ALERT_LEAVING);
	atomic_store(&taf_life.is_drained, 0);
	atomic_store(&taf_life.leaver, 0);
	if (taf_ring_head())
		atomic_store(&taf_ring_head()->is_leaving, 0);
	atomic_store(&taf_life.state, TAF_ACTIVE);
	taf_owner_stay();
	taf_still_end();
	taf_sys_wake_all(&taf_life.is_drained);
	taf_sys_wake_all(&taf_life.state);
}

/* Another thread closes the log, and ends the process with the status that it has written: in
 * all it is given one exit.deadline for that. */
static void wait_for_end(void)
{
	static _Atomic(uint32_t) nothing;
	struct taf_slices left = time_until(&end_by_ns);
	uint32_t slice_ms;

	while ((slice_ms = taf_next_slice(&left, LOOK_MS)))
		taf_sys_wait(&nothing, 0, slice_ms);
}

/* The log is closed, and whoever has closed it ends the process: what is submitted now is in
 * flight then. Where nobody sees the end, it may wait for this thread. */
static bool is_end_near(void)
{
	return taf_state_now() == TAF_GONE && sees_end && !taf_is_other_process();
}

static bool is_anothers_exec(void)
{
	return taf_state_now() == TAF_LEAVING && atomic_load(&is_exec) &&
	       atomic_load(&taf_life.leaver) != (uint32_t)taf_tid();
}

/* One look's time of standing beside another thread's exec. False: it is over, or the time is. */
static bool stand_for_exec(struct taf_slices *left)
{
	uint32_t slice_ms;

	if (!is_anothers_exec() || !(slice_ms = taf_next_slice(left, LOOK_MS)))
		return false;
	taf_sys_wait(&taf_life.state, TAF_LEAVING, slice_ms);
	return true;
}

static void await_exec(void)
{
	struct taf_slices left = time_until(&park_until_ns);

	while (!is_perhaps_awaited() && stand_for_exec(&left))
		leave_what_is_mine(); /* as above: the next one may have begun unseen */
}

/* An engine frees with locks of its own taken: no call of it may be made here, and who leaves
 * must not want them meanwhile. */
void taf_exit_await_exec(void)
{
	struct taf_slices left = time_until(&park_until_ns);

	while (!taf_owner_is_due() && !taf_act_is_in_engine() && stand_for_exec(&left))
		;
}

void taf_exit_park(void)
{
	if ((taf_state_now() != TAF_LEAVING && !is_end_near()) ||
	    atomic_load(&taf_life.leaver) == (uint32_t)taf_tid())
		return;
	/* Nor does anybody stand for who stands here himself. */
	taf_still_end();
	stand_until_drained();
	await_exec();
	/* The process ends now, unless what ends it waits for this thread: then one
	 * pause is enough, however much the thread has left to do. */
	if (taf_state_now() == TAF_LEAVING && !taf_tls.has_parked && !is_perhaps_awaited())
		taf_sys_sleep_ms(PARK_GRACE_MS);
	if (is_end_near())
		wait_for_end();
	/* After an exec that has failed the next end is the first one. */
	taf_tls.has_parked = taf_state_now() != TAF_ACTIVE;
}

static void write_end(int status)
{
	struct taf_rec r = { .kind = TAF_EXIT,
			     .phase = TAF_END,
			     .engine = TAF_ENGINE_LIBC,
			     .has = TAF_HAS_RC | TAF_HAS_OF,
			     .rc = status,
			     .of = atomic_load(&exit_seq) };

	taf_crumb(&r);
}

/* This process leaves, or has left, a log. */
static bool has_log(void)
{
	enum taf_state s = taf_state_now();

	return (s == TAF_LEAVING || s == TAF_GONE) && !taf_is_other_process();
}

/* The log is closed, by the first thread that comes here and with its status; it may come
 * again. Others wait for the end of the process. */
static void close_with(int status)
{
	uint32_t me, who = 0;

	/* The file must be whole before the last instruction that we see. */
	if (!has_log())
		return;
	me = (uint32_t)taf_tid();
	if (!atomic_load(&end_by_ns))
		atomic_store(&end_by_ns, deadline_from_now());
	if (!atomic_compare_exchange_strong(&closer, &who, me)) {
		if (who != me)
			wait_for_end();
		return;
	}
	atomic_store(&taf_life.state, TAF_GONE);
	write_end(status);
	taf_crumb_close();
}

void taf_exit_destructor(void)
{
	if (!sees_end)
		close_with(atomic_load(&exit_status));
}

/* A thread has woken the guard behind the back of who leaves: all is torn down by now. */
static void leave_undrained(int status)
{
	struct way w = { .kind = TAF_EXIT,
			 .route = "exit handler",
			 .msg = "an engine was first used while the process ended: not drained",
			 .status = status };

	taf_wake_await();
	if (begin_leaving(&w)) {
		crumb_way(&w);
		atomic_store(&taf_life.is_drained, 1);
		taf_sys_wake_all(&taf_life.is_drained);
	}
}

/* After all handlers and destructors. Where threads leave side by side, whoever closes the log
 * here ends the process, and its status is the one. One that found no handler left meanwhile
 * would end the process under it: so there are two from the start, and each that is taken is
 * put back. Who has closed the log runs what is left of them, in vain. */
static void at_end(int status, void *arg)
{
	int saved = errno;

	if (has_log() && atomic_load(&closer) != (uint32_t)taf_tid())
		on_exit(at_end, arg);
	leave_undrained(status);
	close_with(status & 0xff);
	errno = saved;
}

void taf_exit_see_end(void)
{
	if (taf_state_now() == TAF_OFF || sees_end)
		return;
	sees_end = true;
	on_exit(at_end, NULL);
	on_exit(at_end, NULL);
}

static void late(int status, void *arg)
{
	(void)arg;
	taf_leave("exit handler", status, false);
}

void taf_exit_reset(void)
{
	atomic_store(&closer, 0);
	atomic_store(&exit_seq, 0);
	atomic_store(&end_by_ns, 0);
	atomic_store(&is_exec, false);
	atomic_store(&deadly_signal, 0);
}

void taf_exit_arm(enum taf_kind kind)
{
	uint32_t bit = 1u << kind;

	if (kind == TAF_SUBMIT)
		atomic_fetch_and(&taf_life.alert, ~(uint32_t)TAF_ALERT_ARM);
	/* A fork child has inherited the handlers. */
	if (!(atomic_fetch_or(&armed, bit) & bit))
		on_exit(late, NULL);
}
