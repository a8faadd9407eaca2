/* SPDX-License-Identifier: MIT */
/* life.h -- in which state this process is, and what each thread is doing.
 *
 *   COLD ---- taf_init ----> ARMED ---- taf_wake ----> WAKING ---> ACTIVE
 *                              |                          |           |
 *                  TAFFRAIL=off|        policy mode "off" |           | taf_leave
 *                              v                          v           v
 *                             OFF <-----------------------+         LEAVING ---> GONE
 *
 *   COLD     nothing is known yet; every call passes through
 *   ARMED    names are watched; nothing is written, opened or started
 *   WAKING   one thread reads the policy and opens the log; loads of others wait for it
 *   ACTIVE   every counted call takes the full path
 *   LEAVING  the process ends: one thread drains, other threads park at their next hook
 *   GONE     the log is closed; every call passes through
 *
 * The state lies on a page that the kernel zeroes in a fork child, so a child
 * reads COLD with taf_is_booted set, and is armed again by taf_rearm at its
 * next wide call.  A vfork child shares the page; exec and exit hooks compare
 * process ids instead (taf_is_other_process).
 */
#ifndef TAF_LIFE_H
#define TAF_LIFE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../policy/event.h"
#include "../policy/rules.h"
#include "sys.h"

enum taf_state { TAF_COLD, TAF_ARMED, TAF_WAKING, TAF_ACTIVE, TAF_LEAVING, TAF_GONE, TAF_OFF };

#define TAF_PAGE 4096

/* What the kernel can wipe is a page of its own size, which is up to 64 KiB on aarch64. */
#if defined(__aarch64__)
#define TAF_LIFE_BYTES 65536
#else
#define TAF_LIFE_BYTES TAF_PAGE
#endif

struct taf_life {
	union {
		struct {
			_Atomic(uint32_t) state;
			/* Non-zero: the narrow door takes the long way. */
			_Atomic(uint32_t) alert;
		};
		_Atomic(uint64_t) door; /* both: TAF_ACTIVE while nothing is to be looked at */
	};
	_Atomic(uint32_t) leaver; /* tid of the thread that drains */
	_Atomic(uint32_t) is_drained; /* futex: the leaver is done */
	_Atomic(uint32_t) leavings; /* begun so far: an exec may fail, and another one follow */
	int32_t pid;
	uint8_t pad[TAF_LIFE_BYTES - 24];
};

enum taf_alert {
	TAF_ALERT_LEAVING = 1,
	TAF_ALERT_SIGNALS = 2, /* exit.signals is still to be looked at */
	TAF_ALERT_ARM = 4, /* the late exit handler is still to be registered */
	TAF_ALERT_START = 8, /* the rules have not yet let this process begin */
	TAF_ALERT_ALLOC = 16, /* a rule limits memory */
	TAF_ALERT_WATCH = 64, /* watch.in_process is still to be looked at */
	TAF_ALERT_COUNT = 128, /* drain.every_submits: submits of GPU runtimes are counted */
};

#define TAF_BUSY_SUBMITTING (1ull << 48) /* is_submitting */

struct taf_work;

/* An exception or a longjmp out of their function leaves a call whose frame is gone:
 * a thread whose stack now ends above it proves that. Stacks grow down; what is
 * further away than this is another stack. */
#define TAF_SAME_STACK ((uintptr_t)1 << 20)

struct taf_tls {
	struct taf_lane *lane;
	union {
		struct {
			uint32_t open; /* kinds of calls this thread is in, one bit each */
			uint16_t inside; /* our own calls into their code */
			bool is_submitting; /* to a GPU runtime: what that submits is the same */
			bool is_shared; /* its lane is the one that threads beyond share */
		};
		/* All of that: 0 where the narrow door may take the quick way, which writes
		 * it whole: a load of what was stored in parts would wait for them. */
		uint64_t busy;
	};
	int32_t tid;
	uint32_t tick; /* coarse clock of the latest narrow call */
	uint64_t stamp; /* its stamp */
	const void *outer; /* the outermost counted call, which lies in its wrapper's frame */
	struct taf_work *held; /* the context that this thread's submit has claimed */
	struct taf_work *own; /* of an engine whose work belongs to threads (owner.h); or NULL */
	struct taf_flight *flight; /* its counts of submits in flight; NULL: not active yet */
	uint32_t bursts; /* taf_burst_rests when a submit of it was looked at last */
	uint32_t device; /* current one of the GPU runtime that it uses */
	/* Callbacks of a runtime that it is in: a queue may stand still until they return, so
	 * that nothing which waits for a queue is waited for here. */
	uint32_t in_callback;
	bool has_parked; /* it stood still for a leaver already */
	bool is_passing; /* in a function of a GPU runtime that has no door; it may have its locks */
};

extern struct taf_life taf_life;
extern bool taf_is_booted;
/* The process began as a fork of one that was armed; written while nobody else runs. */
extern bool taf_is_fork_child;
/* The kernel does not wipe taf_life in a fork child: process ids are compared. */
extern bool taf_is_inherited;
extern bool taf_has_tsc; /* stamps are of the time-stamp counter; else ns; written while WAKING */
extern _Thread_local struct taf_tls taf_tls __attribute__((tls_model("initial-exec")));
/* In force in this process; written while WAKING, read-only after. */
extern struct taf_rules taf_rules;
/* As the constructor got them. */
extern char **taf_env_now;
extern int taf_argc;
extern char **taf_argv;
/* Which routes caught a call, or-ed by whoever saw it. */
enum taf_route { /* exported names always work */
		 TAF_ROUTE_DLSYM = 1,
		 TAF_ROUTE_GOT = 2,
		 TAF_ROUTE_SITES = 4
};
extern _Atomic(uint32_t) taf_routes;

/* A row of which a second copy was handed out before there was a log; NULL: none. */
extern _Atomic(const char *) taf_second_copy;
#define TAF_SECOND_COPY \
	"a second copy of this function was asked for by name: it is handed out unwatched"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the state is the lower half of door");

/* Who sees it active sees the rules and the log that were made ready while it woke. */
static inline enum taf_state taf_state_now(void)
{
	return (enum taf_state)atomic_load_explicit(&taf_life.state, memory_order_acquire);
}

/* The process is active, and no alert asks for the long way. */
static inline bool taf_is_calm(void)
{
	return atomic_load_explicit(&taf_life.door, memory_order_relaxed) == TAF_ACTIVE;
}

static inline int32_t taf_tid(void)
{
	if (!taf_tls.tid)
		taf_tls.tid = taf_sys_tid();
	return taf_tls.tid;
}

/* A thread of this process that has that number is no more. 0 is none, which has not ended. */
bool taf_has_ended(int32_t tid);

/* True in a vfork or raw clone child that still shares our memory. */
bool taf_is_other_process(void);
/* A fork child forgets its parent's session. Called at its first wide call. */
void taf_rearm(void);
/* ARMED -> ACTIVE because engine is used. True when the process is active afterwards. */
bool taf_wake(enum taf_engine engine);
/* Waits, as long as a load would, for another thread of this process that wakes it. */
void taf_wake_await(void);
/* The file of this program, and the id of this run ("" before waking). */
const char *taf_exe(void);
const char *taf_run_id(void);
/* Where the state is, absolute; "": there is none. */
const char *taf_state_dir(void);

#endif
