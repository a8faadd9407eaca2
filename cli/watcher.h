/* SPDX-License-Identifier: MIT */
/* watcher.h -- looks after guests from outside: of one run, or all of a state directory.
 *
 * Each look reads the rings of the sessions whose processes live, which costs
 * the guests nothing, and tells what is new:
 *
 *   stalled    a call does not come back (shim/stall.h); by watch.action then
 *     stack        the kernel's view of its threads goes to STATE/stacks/
 *     terminate    and it gets SIGTERM, once
 *     kill         and, when watch.deadline has passed, SIGKILL
 *   moved      a call that was told of has come back
 *   ended      a process that was told to end has
 *   restart    a process asks to be restarted (recycle.*)
 *   pressure   the machine is short of memory (memory.warn, memory.critical); where
 *              watch.action terminates, processes wait for memory and it is critical,
 *              the biggest guest that has nothing in flight gets SIGTERM
 *
 * A signal reaches only the process that was looked at: pidfd and start time.
 * In observe mode nothing but the telling is done.  Each event is a record in
 * a session of our own as well.
 */
#ifndef TAF_WATCHER_H
#define TAF_WATCHER_H

#include <limits.h>

#include "../policy/rules.h"
#include "../shim/stall.h"
#include "own.h"
#include "pressure.h"
#include "proc.h"
#include "sessions.h"

#define TAF_WATCHED_MAX 64
#define TAF_HOLDS_MAX 8

enum taf_seen {
	TAF_SEEN_STALLED,
	TAF_SEEN_MOVED,
	TAF_SEEN_TERMINATED,
	TAF_SEEN_KILLED,
	TAF_SEEN_LIVES, /* on, although it was told to end */
	TAF_SEEN_ENDED,
	TAF_SEEN_RESTART,
	TAF_SEEN_PRESSURE,
	TAF_SEEN_EVIDENCE, /* of the kernel; watch.c */
	TAF_SEEN_WAITS, /* a start, for the GPU lock; watch_lock.c */
	TAF_SEEN_WAITED,
};

const char *taf_seen_name(enum taf_seen what);

struct taf_watch_event {
	enum taf_seen what;
	char session[96]; /* "": of no session */
	char exe[64], call[128], model[128]; /* "": unknown */
	int32_t pid, tid;
	uint64_t start;
	uint64_t still_ms, limit_ms; /* of a stalled call */
	const char *rule; /* path; NULL: none */
	char stack[PATH_MAX]; /* the capture; "": none */
	char reason[128]; /* of a wish to be restarted */
	char text[768]; /* for people */
};

/* One thing that was told of. */
struct taf_watched {
	struct taf_proc proc;
	int32_t tid; /* 0: the process as a whole */
	uint64_t since; /* stamp of the call */
	bool is_there; /* this time as well */
	bool is_told_lives;
	uint64_t term_ms, kill_ms; /* when it was sent; 0: not */
	struct taf_watch_event event;
};

/* A guest that waits because a rule says so. */
struct taf_watch_hold {
	int32_t pid;
	uint64_t start; /* ticks */
	uint64_t since_ns, pass_ns; /* CLOCK_MONOTONIC; pass_ns 0: nobody knows */
	int64_t from_ns; /* likewise, of the time that is compared with need_ms */
	uint64_t need_ms; /* 0: none is */
	char exe[64], rule[32], why[128]; /* rule, why "": unknown */
};

struct taf_watcher {
	const struct taf_rules *rules;
	const char *crumbs; /* folder */
	const char *stacks; /* folder; "": no captures */
	const char *run; /* only this run; NULL: all */
	struct taf_own own; /* the session to write to */
	void (*tell)(void *ctx, const struct taf_watch_event *e);
	void *ctx;
	/* its own */
	struct taf_watched list[TAF_WATCHED_MAX];
	size_t n;
	enum taf_pressure_is pressure;
	uint64_t pressure_term_ms;
	size_t n_live, n_stalled; /* at the latest look */
	/* At the latest look: somebody asks to be restarted, and has nothing in flight. */
	bool is_restart_due;
	struct taf_watch_event restart;
	struct taf_watch_hold holds[TAF_HOLDS_MAX]; /* at the latest look */
	size_t n_holds;
};

/* 0 or -errno: the folder cannot be read. */
int taf_watcher_look(struct taf_watcher *w);
/* Whether something was told to end and has not yet. */
bool taf_watcher_is_waiting(const struct taf_watcher *w);
void taf_watcher_close(struct taf_watcher *w);

#endif
