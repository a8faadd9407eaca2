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
#include "park.h"
#include "still.h"
#include "tally.h"

/* Not in stdlib.h without _DEFAULT_SOURCE; glibc gives the status, which atexit does not. */
int on_exit(void (*fn)(int status, void *arg), void *arg);

static _Atomic(uint64_t) exit_seq; /* of the EXIT begin */
static _Atomic(int) exit_status;
static _Atomic(uint32_t) armed; /* kinds whose first call has returned, one bit each */

/* One way of leaving. */
struct way {
	enum taf_kind kind; /* TAF_EXIT or TAF_EXEC */
	const char *route, *msg;
	int status; /* as the program gave it */
	int signo; /* 0, or the signal whose default action follows */
	bool is_last; /* nothing of this process runs after it */
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

static _Atomic(uint32_t) is_done; /* futex: the watchdog may go */
static _Atomic(bool) is_left_again; /* in the midst of the drain */

/* Runs on the watchdog's bare thread, just before the process ends. */
static void last_words(void)
{
	bool is_again = atomic_load(&is_left_again);
	struct taf_rec r = {
		.kind = TAF_EXIT,
		.phase = TAF_END,
		.engine = TAF_ENGINE_LIBC,
		.has = TAF_HAS_RC | TAF_HAS_OF,
		.of = atomic_load(&exit_seq),
		.rule = "exit.deadline",
		.msg = "not drained: the deadline passed, the process was ended with its own status"
	};

	if (is_again)
		taf_sys_sleep_ms((uint32_t)taf_rules.exit_deadline_ms);
	r.rc = atomic_load(&exit_status);
	taf_crumb(&r);
	if (atomic_load(&taf_park.signo))
		taf_sys_die_of(atomic_load(&taf_park.signo));
	if (is_again)
		taf_sys_exit_group((int)r.rc);
}

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

static bool close_with(int status);

static bool begin_leaving(const struct way *w)
{
	uint32_t active = TAF_ACTIVE;

	if (taf_is_other_process() || taf_state_now() != TAF_ACTIVE)
		return false;
	/* Whoever sees the state parks by it; a handler that comes in here must not. */
	atomic_store(&taf_park.until_ns, taf_park_deadline_ns());
	taf_tls.inside++;
	if (!atomic_compare_exchange_strong(&taf_life.state, &active, TAF_LEAVING)) {
		taf_tls.inside--;
		return false;
	}
	/* Before anything is believed of works: what was drained before an exec that has failed
	 * counts no more. */
	atomic_fetch_add(&taf_life.leavings, 1);
	atomic_store(&taf_park.is_exec, w->kind == TAF_EXEC);
	atomic_store(&taf_life.leaver, (uint32_t)taf_tid());
	taf_tls.inside--;
	atomic_fetch_or(&taf_life.alert, TAF_ALERT_LEAVING);
	if (taf_ring_head())
		atomic_store(&taf_ring_head()->is_leaving, 1);
	taf_sys_wake_all(&taf_life.state); /* who waits because a rule says so */
	taf_sys_wake_all(&taf_life.is_drained); /* who stands already drains for this one */
	return true;
}

static void end_lead(void)
{
	atomic_store(&taf_life.is_drained, 1);
	taf_sys_wake_all(&taf_life.is_drained);
}

/* In the midst of the drain a handler of a signal, or what an engine calls, ends the process: the
 * drain is given up. What the program does at its end may want what was interrupted, so it has
 * a deadline of its own. */
static void leave_again(const struct way *w)
{
	if (w->kind != TAF_EXIT || atomic_load(&taf_life.is_drained))
		return;
	atomic_store(&exit_status, status_of(w));
	atomic_store(&is_left_again, true);
	atomic_store(&taf_park.is_exec, false);
	end_lead();
}

/* Another thread is draining, and what comes after us tears the runtime down. Who it is it may
 * not have said yet. If his exec fails others compute again, beside what is left to run here; but
 * a signal is not kept from a process that lives. */
static void wait_for_leaver(const struct way *w)
{
	if (taf_is_other_process())
		return;
	if (atomic_load(&taf_life.leaver) == (uint32_t)taf_tid())
		leave_again(w);
	else if (!taf_park_is_awaited())
		taf_park_to_leave(!w->is_last);
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
	end_lead();
}

static void leave_by(const struct way *w)
{
	int saved = errno;
	bool is_leader;

	taf_wake_await();
	if (!w->signo)
		taf_park_to_be_led();
	/* Once more where the other one has stayed, since its exec failed. */
	do {
		is_leader = begin_leaving(w);
		if (is_leader)
			lead(w);
		else if (taf_state_now() == TAF_LEAVING)
			wait_for_leaver(w);
	} while (!is_leader && taf_state_now() == TAF_ACTIVE && !taf_is_other_process());
	if (!w->signo)
		taf_park_to_die();
	errno = saved;
}

static void leave_for_good(const struct way *w)
{
	/* Once more where another one's exec has failed before the log was closed. */
	do {
		leave_by(w);
		if (taf_is_other_process())
			return;
	} while (w->is_last && !close_with(status_of(w)));
	/* An exit handler may leave again, with another status: the last one counts. */
	if (!w->is_last && taf_state_now() == TAF_LEAVING && !taf_park.sees_end)
		atomic_store(&exit_status, status_of(w));
}

void taf_leave(const char *route, int status, bool is_last)
{
	struct way w = { .kind = TAF_EXIT, .route = route, .status = status, .is_last = is_last };

	leave_for_good(&w);
}

void taf_leave_to_signal(void)
{
	taf_park_to_be_led();
	taf_park_to_die();
}

void taf_leave_exec(const char *call, const char *path)
{
	struct way w = { .kind = TAF_EXEC, .route = call, .msg = path };

	leave_by(&w);
	taf_park_to_exec();
}

void taf_leave_signal(const char *name, int signo)
{
	struct way w = { .kind = TAF_EXIT, .route = name, .signo = signo, .is_last = true };

	atomic_store(&taf_park.signo, signo);
	leave_for_good(&w);
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
	uint32_t me = (uint32_t)taf_tid(), leaving = TAF_LEAVING;

	/* Another thread may be leaving for good. */
	if (taf_is_other_process() || taf_state_now() != TAF_LEAVING ||
	    !atomic_load(&taf_park.is_exec) || atomic_load(&taf_life.leaver) != me)
		return;
	taf_crumb(&r);
	atomic_fetch_and(&taf_life.alert, ~(uint32_t)TAF_ALERT_LEAVING);
	atomic_store(&taf_life.is_drained, 0);
	atomic_store(&taf_life.leaver, 0);
	if (taf_ring_head())
		atomic_store(&taf_ring_head()->is_leaving, 0);
	/* It has closed the log meanwhile, and ends the process: all stand until then. */
	if (!atomic_compare_exchange_strong(&taf_life.state, &leaving, TAF_ACTIVE)) {
		atomic_store(&taf_life.leaver, me);
		return;
	}
	taf_still_end();
	taf_sys_wake_all(&taf_life.is_drained);
	taf_sys_wake_all(&taf_life.state);
}

/* Another thread, which is waited for itself, or a handler of a signal comes here while one
 * drains: what is in flight then the process ends with. */
static void tell_undrained(void)
{
	struct taf_rec r = { .kind = TAF_DRAIN,
			     .phase = TAF_MARK,
			     .has = TAF_HAS_RC,
			     .rc = -ETIMEDOUT,
			     .rule = taf_rule_info(TAF_RULE_drain_at_exit)->path,
			     .msg = "not drained: the process was ended in the midst of that" };

	if (taf_rules.mode == TAF_MODE_ENFORCE && taf_rules.drain_at_exit &&
	    (!atomic_load(&taf_life.is_drained) || atomic_load(&is_left_again)) &&
	    taf_work_contexts())
		taf_crumb(&r);
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
 * again. Others wait for the end of the process. False: this one goes on, since an exec has
 * failed, and is to be left again. */
static bool close_with(int status)
{
	uint32_t me, who = 0, leaving = TAF_LEAVING;

	/* The file must be whole before the last instruction that we see. */
	if (!has_log())
		return taf_state_now() != TAF_ACTIVE || taf_is_other_process();
	me = (uint32_t)taf_tid();
	if (!atomic_compare_exchange_strong(&taf_park.closer, &who, me)) {
		if (who != me)
			taf_park_to_end();
		return atomic_load(&taf_park.closer) != 0;
	}
	atomic_store(&taf_park.end_by_ns, taf_park_deadline_ns());
	if (!atomic_compare_exchange_strong(&taf_life.state, &leaving, TAF_GONE)) {
		atomic_store(&taf_park.end_by_ns, 0);
		atomic_store(&taf_park.closer, 0);
		taf_sys_wake_all(&taf_park.closer);
		return false;
	}
	tell_undrained();
	write_end(status);
	taf_crumb_close();
	return true;
}

void taf_exit_destructor(void)
{
	if (!taf_park.sees_end)
		close_with(atomic_load(&exit_status));
}

/* A thread has woken the guard behind the back of who leaves: all is torn down by now. */
static void leave_undrained(int status)
{
	struct way w = { .kind = TAF_EXIT,
			 .route = "exit handler",
			 .msg = "an engine was first used while the process ended: not drained",
			 .status = status,
			 .is_last = true };

	taf_wake_await();
	if (begin_leaving(&w)) {
		crumb_way(&w);
		end_lead();
	} else if (taf_state_now() == TAF_LEAVING) {
		wait_for_leaver(&w);
	}
}

/* After all handlers and destructors. Where threads leave side by side, whoever closes the log
 * here ends the process, and its status is the one. One that found no handler left meanwhile
 * would end the process under it: so there are two from the start, and each that is taken is
 * put back, until one need not be waited for any more. Who has closed the log runs what is left
 * of them, in vain. */
static void at_end(int status, void *arg)
{
	int saved = errno;

	if (has_log() && atomic_load(&taf_park.closer) != (uint32_t)taf_tid() &&
	    !taf_park_is_overdue())
		on_exit(at_end, arg);
	do {
		leave_undrained(status);
	} while (!close_with(status & 0xff));
	errno = saved;
}

void taf_exit_see_end(void)
{
	if (taf_state_now() == TAF_OFF || taf_park.sees_end)
		return;
	taf_park.sees_end = true;
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
	atomic_store(&taf_park.closer, 0);
	atomic_store(&exit_seq, 0);
	atomic_store(&taf_park.end_by_ns, 0);
	atomic_store(&taf_park.is_exec, false);
	atomic_store(&taf_park.signo, 0);
	atomic_store(&is_left_again, false);
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
