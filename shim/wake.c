/* SPDX-License-Identifier: MIT */
/* wake.c -- ARMED to ACTIVE: reads the policy, opens the log, puts the late
 * handlers in place.  Runs once in a process, on the thread of the first call
 * that uses an engine; a policy that cannot be read is the built-in one, and a
 * crumb says why. */
#include <errno.h>

#include "../policy/text.h"
#include "act.h"
#include "admit.h"
#include "argv.h"
#include "burst.h"
#include "capture.h"
#include "coarse.h"
#include "crumb.h"
#include "error.h"
#include "device.h"
#include "dirty.h"
#include "elfmap.h"
#include "exit.h"
#include "flight_point.h"
#include "gate.h"
#include "known.h"
#include "live.h"
#include "journal.h"
#include "lazy.h"
#include "life.h"
#include "limit.h"
#include "load_size.h"
#include "lockfile.h"
#include "memory.h"
#include "model.h"
#include "open_seen.h"
#include "patience.h"
#include "policy_load.h"
#include "retain.h"
#include "serial.h"
#include "session.h"
#include "share.h"
#include "sig.h"
#include "sites.h"
#include "state.h"
#include "tally.h"
#include "traced.h"
#include "work.h"

extern char **environ;

bool taf_has_tsc;
bool taf_is_inherited;
_Atomic(const char *) taf_second_copy;

/* How long other threads wait for the one that wakes: while it reads the policy, which asks
 * the loader, whose lock they may have; and while it waits for the disk. */
#define WAKE_MS 1000
#define WAKE_DISK_MS 10000
#define WAKE_LOOK_MS 100

static struct taf_session session; /* written while WAKING */
static char exe[TAF_PATH_MAX]; /* likewise */
static char complaint[512]; /* what was wrong with the policy; likewise */
static _Atomic(bool) is_at_disk; /* who wakes has the policy, and opens the log */
static _Atomic(int32_t) waker; /* the process that wakes: a vfork child has this memory too */
static _Atomic(bool) is_stuck; /* it was waited for in vain: others pass until it is done */

const char *taf_exe(void)
{
	return exe;
}

const char *taf_run_id(void)
{
	const char *run = taf_env_now ? taf_env(taf_env_now, "TAFFRAIL_RUN") : NULL;

	return session.run[0] ? session.run : run ? run : "";
}

const char *taf_state_dir(void)
{
	return session.state;
}

void taf_rearm(void)
{
	uint32_t cold = TAF_COLD;

	taf_is_fork_child = true;
	taf_tls.lane = NULL;
	taf_tls.tid = 0;
	taf_tls.open = 0;
	taf_tls.held = taf_tls.own = NULL;
	taf_tls.flight = NULL;
	taf_tls.is_submitting = taf_tls.is_shared = taf_tls.has_parked = false;
	taf_tls.is_passing = false;
	/* Nobody may wake before what the parent left is forgotten. */
	if (!atomic_compare_exchange_strong(&taf_life.state, &cold, TAF_WAKING))
		return;
	atomic_store(&is_at_disk, false);
	atomic_store(&is_stuck, false);
	taf_crumb_abandon();
	taf_share_forget();
	taf_memory_forget();
	taf_lock_forget();
	taf_work_forget_all();
	taf_traced_forget();
	taf_lazy_forget();
	taf_limit_forget();
	taf_serial_forget();
	taf_error_forget();
	taf_tally_forget();
	taf_model_forget_all();
	taf_open_forget();
	taf_load_hints_forget();
	taf_live_forget();
	taf_devices_forget();
	taf_flight_forget();
	taf_events_forget();
	taf_capture_forget();
	taf_still_forget();
	taf_act_forget();
	taf_burst_reset();
	atomic_store(&taf_life.state, TAF_ARMED);
	taf_sys_wake_all(&taf_life.state);
}

static void set_run_id(void)
{
	const char *given = taf_env(taf_env_now, "TAFFRAIL_RUN");
	uint64_t random = 0;
	struct taf_text t;

	if (session.run[0])
		return;
	taf_text_init(&t, session.run, sizeof(session.run));
	if (given && taf_len(given) == 16) {
		taf_text_put(&t, given);
		return;
	}
	taf_sys_random(&random, sizeof(random));
	taf_text_hex(&t, random, 16);
}

/* Who we are for runs that want the GPU as well. */
static void name_lock(void)
{
	char command[TAF_LOCK_COMMAND];
	struct taf_lock_who who = { .run = session.run,
				    .label = taf_env(taf_env_now, "TAFFRAIL_LABEL"),
				    .command = command,
				    .env = taf_env_now,
				    .theirs = environ };
	struct taf_text t;

	taf_text_init(&t, command, sizeof(command));
	taf_argv_words(taf_argc, taf_argv, &t);
	taf_lock_name(&who);
}

static void load_rules(enum taf_engine engine, struct taf_loaded *loaded)
{
	struct taf_text why;

	taf_text_init(&why, complaint, sizeof(complaint));
	taf_policy_load(engine, &taf_rules, loaded, &why);
	taf_known_load(taf_rules.models_registry, &why);
}

/* The log cannot be opened: rules still act, only nobody will read of it. */
static int open_log(const struct taf_loaded *loaded)
{
	static char head[TAF_RECORD_MAX - 640]; /* room for the nine fixed keys and the crc */
	struct taf_text why, extra;
	char buf[128];
	int err;

	taf_text_init(&why, buf, sizeof(buf));
	err = taf_session_dirs(&taf_rules, &session, &why);
	if (err)
		return err;
	session.pid = taf_sys_pid();
	session.start = taf_sys_start_ticks(0);
	taf_sys_boot_id(session.boot);
	session.ring_bytes = (uint32_t)taf_rules.crumbs_ring_size;
	session.segment_bytes = (uint32_t)taf_rules.crumbs_segment;
	session.journal = taf_journal_path(&taf_rules, taf_env_now);
	taf_text_init(&extra, head, sizeof(head));
	taf_session_head(loaded, &extra);
	if (extra.is_cut)
		taf_copy(head, ",\"v\":1,\"role\":\"guest\"", sizeof(head));
	session.head = head;
	session.exe = taf_exe();
	err = taf_crumb_open(&session);
	if (!err && complaint[0])
		taf_crumb(
			&(struct taf_rec){ .kind = TAF_NOTE, .msg = complaint, .rule = "policy" });
	return err;
}

static void fill_ring_head(void)
{
	struct taf_ring_head *h = taf_ring_head();

	if (!h)
		return;
	taf_copy(h->exe, exe, sizeof(h->exe));
	taf_has_tsc = h->stamp_is_tsc != 0;
}

/* Why the narrow door takes the long way at first. */
static uint32_t alerts(void)
{
	return TAF_ALERT_ARM | (taf_rules.exit_signals ? TAF_ALERT_SIGNALS : 0) |
	       (taf_rules.watch_in_process ? TAF_ALERT_WATCH : 0) | taf_admit_alerts() |
	       taf_burst_alerts();
}

/* What went wrong before is known to the rules from the first load on; and it is
 * looked at before the oldest sessions go. */
static void look_back(void)
{
	struct taf_dirty_ask ask = { .rules = &taf_rules, .crumbs = session.dir };

	if (session.state[0])
		taf_dirty_check(&ask);
}

static void become_active(void)
{
	taf_exit_reset();
	taf_admit_reset();
	taf_burst_reset();
	taf_life.pid = taf_sys_pid();
	atomic_store(&taf_life.is_drained, 0);
	atomic_store(&taf_life.leaver, 0);
	atomic_store(&taf_life.alert, alerts());
	atomic_store(&taf_life.state, TAF_ACTIVE);
	taf_sys_wake_all(&taf_life.state);
}

static bool is_awake_within(uint32_t ms, bool at_disk)
{
	struct taf_slices left = { .left_ns = (uint64_t)ms * 1000000 };
	uint32_t slice_ms;

	while (taf_state_now() == TAF_WAKING && atomic_load(&is_at_disk) == at_disk &&
	       (slice_ms = taf_next_slice(&left, WAKE_LOOK_MS)))
		taf_sys_wait(&taf_life.state, TAF_WAKING, slice_ms);
	return taf_state_now() == TAF_ACTIVE;
}

/* A load that begins while another thread wakes must not be missed. A handler on
 * that very thread has taf_tls.inside set and never comes here. */
static bool is_awake_soon(void)
{
	if (atomic_load(&is_stuck))
		return false;
	if (is_awake_within(WAKE_MS, false) || is_awake_within(WAKE_DISK_MS, true))
		return true;
	atomic_store(&is_stuck, taf_state_now() == TAF_WAKING);
	return taf_state_now() == TAF_ACTIVE;
}

void taf_wake_await(void)
{
	if (taf_state_now() == TAF_WAKING && !taf_tls.inside &&
	    atomic_load(&waker) == taf_sys_pid())
		is_awake_soon();
}

bool taf_wake(enum taf_engine engine)
{
	uint32_t armed = TAF_ARMED;
	struct taf_loaded loaded = { .n_bad = 0 };
	int saved = errno, err;

	/* Before WAKING, so that no child is left in it. */
	if (taf_state_now() == TAF_ARMED)
		taf_is_inherited = taf_sys_wipe_on_fork(&taf_life, sizeof(taf_life)) != 0;
	atomic_store(&waker, taf_sys_pid());
	/* In a fork child it is armed again while others wait. */
	for (; !atomic_compare_exchange_strong(&taf_life.state, &armed, TAF_WAKING);
	     armed = TAF_ARMED)
		if (is_awake_soon() || taf_state_now() != TAF_ARMED)
			return taf_state_now() == TAF_ACTIVE;
	taf_tls.inside++;
	if (taf_sys_readlink("/proc/self/exe", exe, sizeof(exe)) < 0)
		taf_copy(exe, taf_argc > 0 && taf_argv[0] ? taf_argv[0] : "?", sizeof(exe));
	load_rules(engine, &loaded);
	if (taf_rules.mode == TAF_MODE_OFF) {
		atomic_store(&taf_life.state, TAF_OFF);
		taf_sys_wake_all(&taf_life.state);
		taf_tls.inside--;
		errno = saved;
		return false;
	}
	taf_coarse_find();
	set_run_id();
	atomic_store(&is_at_disk, true);
	err = open_log(&loaded);
	taf_share_open(session.state);
	if (!err) {
		fill_ring_head();
		taf_sig_guard_ring();
		look_back();
		taf_retain(session.dir, (uint32_t)taf_rules.crumbs_keep_sessions,
			   taf_rules.crumbs_keep_bytes, session.boot);
		if (session.ring_dir[0])
			taf_retain_rings(session.ring_dir, session.dir, session.boot);
	}
	taf_share_open(session.state);
	name_lock();
	become_active();
	taf_sites_tell(engine);
	if (atomic_load(&taf_second_copy))
		taf_mark(TAF_NOTE, engine, atomic_exchange(&taf_second_copy, NULL),
			 TAF_SECOND_COPY);
	taf_tls.inside--;
	errno = saved;
	return true;
}
