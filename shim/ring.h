/* SPDX-License-Identifier: MIT */
/* ring.h -- tier R: the ring that outlives the process.
 *
 * FORMAT (version 5, native byte order, one file a process)
 *
 *   page 0     struct taf_ring_head, the stats page that `taffrail report`
 *              reads while the process lives and after it died
 *   then       head.lanes lanes of head.lane_bytes each:
 *                struct taf_lane (128 bytes), then slots of 32 bytes
 *
 * A thread takes a lane at its first record and keeps it (lane.tid); when all
 * are taken the last one is shared.  head.seq_base + slot numbers are not
 * global: order between lanes comes from the stamps.
 *
 * INVARIANTS
 *  (1) Slot k of a lane holds record n (n >= 1) only if k == (n - 1) % slots,
 *      slot.seq == (uint32_t)n and slot.check == taf_slot_check(slot).
 *  (2) A writer zeroes seq, stores the body, then publishes seq with release:
 *      a process killed at any instruction leaves every completed record whole
 *      and at most one slot a writer that fails (1).
 *  (3) lane.open names the hooked call that the thread is inside; row 0xffff
 *      means none.  It is stored before their function and cleared after it.
 *  (4) No store can raise SIGBUS for lack of space.  The head and the shared lane
 *      have their pages before anybody sees the ring, another lane before a thread
 *      gets it, and till then it reads as zeroes; who cannot get one writes into
 *      the shared lane.  On a disk, and on a kernel that cannot give pages ahead,
 *      the whole file is allocated at once.  It is never truncated while it is
 *      mapped; where somebody cuts it all the same, taf_ring_heal turns it into
 *      memory.
 *
 * stamp is the processor's time-stamp counter where it is invariant
 * (head.stamp_is_tsc), else CLOCK_MONOTONIC ns of the last wide call.  The
 * reader turns it into CLOCK_MONOTONIC by the line through (tsc0, mono0) and
 * (tsc1, mono1), which the wide door renews.
 *
 * Writers: taf_ring_open, taf_lane, taf_ring_put (ring.c, and inline below).
 * Reader: ring_read.c.  Never written by the cli.
 */
#ifndef TAF_RING_H
#define TAF_RING_H

#include <stdatomic.h>

#include "../policy/event.h"
#include "sys.h"

#define TAF_RING_MAGIC 0x315246415431464cull
#define TAF_RING_VERSION 5u
#define TAF_RING_PAGE 4096u
#define TAF_LANES 32u
#define TAF_NO_ROW 0xffffu

#define TAF_RING_DEVICES 12
#define TAF_RING_TALLIES 24
#define TAF_RING_PLACES 4 /* TAF_PLACES of live.h */

struct taf_ring_device {
	_Atomic(uint32_t) id; /* family << 8 | device; 0: free */
	uint32_t pad;
	_Atomic(uint64_t) bytes[TAF_RING_PLACES], pieces[TAF_RING_PLACES]; /* live */
	_Atomic(uint64_t) peak, largest; /* bytes of device and managed memory */
};

/* How often something happened (tally.h). */
struct taf_ring_tally {
	_Atomic(uint64_t) id; /* taf_tally_id; 0: free */
	_Atomic(uint64_t) n;
};

#define TAF_TALLY_RULE 0xff /* as the API: it is a row of rules.def */

/* what: the number that a runtime gave, or the row. */
static inline uint64_t taf_tally_id(enum taf_kind kind, unsigned api, uint32_t what)
{
	return (uint64_t)(kind + 1) << 56 | (uint64_t)(api & 0xff) << 48 | what;
}

static inline enum taf_kind taf_tally_kind(uint64_t id)
{
	return (enum taf_kind)((id >> 56) - 1);
}

static inline unsigned taf_tally_of(uint64_t id)
{
	return id >> 48 & 0xff;
}

struct taf_ring_head {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes; /* of the whole file */
	uint32_t lanes, lane_bytes;
	int32_t pid;
	uint32_t stamp_is_tsc;
	uint64_t start; /* ticks, as in /proc/PID/stat */
	char boot[40];
	char run[24];
	uint64_t tsc0, mono0, utc0_us; /* at taf_ring_open */
	_Atomic(uint64_t) tsc1, mono1; /* at the latest wide call */
	_Atomic(uint64_t) last_activity_ns; /* CLOCK_MONOTONIC of the latest submit that was seen */
	_Atomic(uint32_t) lanes_used;
	_Atomic(uint32_t) models_live, contexts_live;
	_Atomic(uint32_t) is_leaving;
	_Atomic(uint64_t) infers, drains, drain_ns, holds, refuses, dropped;
	_Atomic(uint64_t) submits_closed, allocs_closed, frees_closed; /* of lanes given back */
	char model[128]; /* the model of the latest load */
	char exe[256];
	/* Version 2. For who watches from outside: */
	_Atomic(uint64_t) held_since_ns; /* a thread waits because a rule says so; 0: none does */
	_Atomic(uint64_t) held_until_ns; /* the latest such wait ended then */
	_Atomic(uint32_t) holding; /* threads that do */
	_Atomic(uint32_t)
		wants_restart; /* a restart is due; restart_why is whole before this is 1 */
	_Atomic(uint64_t) resources,
		resource_limit; /* live, and what the system allows; 0: unknown */
	_Atomic(uint64_t) footprint; /* bytes of the process that are its own; 0: unknown */
	char restart_rule[32]; /* path of the setting that asks for it */
	char restart_why[128]; /* "4000 of 4000 inferences" */
	/* Of the latest wait; whole before held_since_ns is set. */
	_Atomic(uint64_t) held_pass_ns; /* when it is over as far as is known; 0: nobody knows */
	char held_rule[32]; /* path of the setting that asks for it */
	char held_why[128]; /* "mlx/other", before it what was compared unless that is a time */
	/* Version 3: what the process holds of each device (live.h). */
	struct taf_ring_device devices[TAF_RING_DEVICES];
	/* Version 4. */
	struct taf_ring_tally tallies[TAF_RING_TALLIES];
	/* Version 5. Of a wait that compares times: what has passed counts from held_from_ns
	 * (it may be below 0), as what is left does to held_pass_ns. */
	_Atomic(int64_t) held_from_ns;
	_Atomic(uint64_t) held_need_ms; /* 0: it compares none */
};

struct taf_slot {
	union {
		struct {
			_Atomic(uint32_t) seq;
			uint32_t check;
		};
		_Atomic(uint64_t) mark; /* both: they are published in one store */
	};
	uint64_t stamp;
	uint64_t arg; /* bytes, tokens or handle, as the kind says */
	union {
		struct {
			uint16_t row;
			uint8_t engine;
			uint8_t kind; /* enum taf_kind | phase << 6 */
			int32_t rc;
		};
		uint64_t who; /* all four */
	};
};

struct taf_open_call {
	_Atomic(uint64_t) since; /* stamp */
	_Atomic(uint32_t) what; /* row | engine << 16 | kind << 24; row TAF_NO_ROW: none */
	uint32_t pad;
};

struct taf_lane {
	_Atomic(int32_t) tid; /* 0: free */
	uint32_t slots;
	_Atomic(uint64_t) next; /* records written so far */
	_Atomic(uint64_t) submits, allocs, frees;
	_Atomic(uint64_t) bytes_taken, bytes_given;
	_Atomic(uint64_t) last_stamp; /* of the latest submit */
	struct taf_open_call open; /* the outermost call this thread is in */
	_Atomic(uint64_t) host_allocs, host_frees; /* of 1 MiB and more, by libtaffrail-alloc.so */
	_Atomic(uint64_t) host_taken, host_given; /* bytes of them */
	uint32_t is_shared; /* the last lane: its writers claim records with a locked add */
	uint8_t pad[4];
	uint64_t lap; /* records before the present lap, a multiple of slots: saves a division */
};

_Static_assert(sizeof(struct taf_slot) == 32, "a slot is half a cache line");
_Static_assert(sizeof(struct taf_lane) == 128, "slots start on a cache line");
_Static_assert(sizeof(struct taf_ring_head) <= TAF_RING_PAGE, "one page");

/* Part of every hooked call of the narrow door. */
#define TAF_RING_INLINE static inline __attribute__((always_inline))

static inline struct taf_slot *taf_lane_slot(struct taf_lane *lane, uint64_t n)
{
	return (struct taf_slot *)(void *)(lane + 1) + (n - 1) % lane->slots;
}

/* Folds the body; multiplication spreads every bit, the fold keeps the top. */
static inline uint32_t taf_slot_fold(uint64_t stamp, uint64_t arg, uint64_t who, uint32_t seq)
{
	uint64_t h = (stamp ^ seq) * 0x9e3779b97f4a7c15ull;

	h = (h ^ (h >> 29) ^ arg) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ (h >> 32) ^ who) * 0x94d049bb133111ebull;
	return (uint32_t)(h >> 32);
}

static inline uint32_t taf_slot_check(const struct taf_slot *s, uint32_t seq)
{
	return taf_slot_fold(s->stamp, s->arg, s->who, seq);
}

static inline uint64_t taf_stamp_tsc(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
#else
	return 0;
#endif
}

struct taf_slot_body {
	uint64_t stamp, arg;
	uint16_t row;
	uint8_t engine, kind; /* kind | phase << 6 */
	int32_t rc;
};

/* The same for the lane's own thread. A signal handler may put records while we
 * are in here: a lap that is behind is brought up, one that is ahead of n (it
 * was n that was read too early) is not believed. */
TAF_RING_INLINE struct taf_slot *taf_lane_own_slot(struct taf_lane *lane, uint64_t n)
{
	uint64_t at = n - 1 - lane->lap;

	if (__builtin_expect(at >= lane->slots, 0)) {
		at = (n - 1) % lane->slots;
		lane->lap = n - 1 - at;
	}
	return (struct taf_slot *)(void *)(lane + 1) + at;
}

TAF_RING_INLINE void taf_slot_fill(struct taf_slot *s, const struct taf_slot_body *b, uint32_t seq)
{
	uint64_t who = (uint64_t)b->row | (uint64_t)b->engine << 16 | (uint64_t)b->kind << 24 |
		       (uint64_t)(uint32_t)b->rc << 32;

	atomic_store_explicit(&s->seq, 0, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	atomic_thread_fence(memory_order_release);
	__atomic_store_n(&s->stamp, b->stamp, __ATOMIC_RELAXED);
	__atomic_store_n(&s->arg, b->arg, __ATOMIC_RELAXED);
	__atomic_store_n(&s->who, who, __ATOMIC_RELAXED);
	atomic_store_explicit(&s->mark,
			      (uint64_t)taf_slot_fold(b->stamp, b->arg, who, seq) << 32 | seq,
			      memory_order_release);
}

/* One record into the calling thread's lane, which is its own. A few ns;
 * async-signal-safe: a handler that comes in between may cost one of the two
 * records, never mix them, because the check is made of what was asked for and
 * not of what lies there. */
TAF_RING_INLINE void taf_ring_put_own(struct taf_lane *lane, const struct taf_slot_body *b)
{
	uint64_t n = atomic_load_explicit(&lane->next, memory_order_relaxed) + 1;

	taf_slot_fill(taf_lane_own_slot(lane, n), b, (uint32_t)n);
	atomic_store_explicit(&lane->next, n, memory_order_release);
}

/* The same into any lane. */
static inline void taf_ring_put(struct taf_lane *lane, const struct taf_slot_body *b)
{
	uint64_t n;

	if (!lane->is_shared) {
		taf_ring_put_own(lane, b);
		return;
	}
	n = atomic_fetch_add_explicit(&lane->next, 1, memory_order_relaxed) + 1;
	taf_slot_fill(taf_lane_slot(lane, n), b, (uint32_t)n);
}

/* Round a wait that a rule asks for: nobody shall take it for a hang. why is the answer
 * that asks for it; NULL: unknown. */
/* since_ns: it waited so long already, perhaps at another door. */
void taf_ring_hold_begin(const struct taf_answer *why, uint64_t since_ns);
/* The rules were asked again during the wait. Of several threads that wait the one that
 * began last is told of. */
void taf_ring_hold_again(const struct taf_answer *why);
void taf_ring_hold_end(void);
/* How many lanes were made ready, from the first. In this process nobody may look at those
 * behind them but the last one: their pages may not be there. */
uint32_t taf_ring_ready(void);
/* Where the ring's file is; "" while there is none. */
const char *taf_ring_path(void);

#endif
