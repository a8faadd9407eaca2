/* SPDX-License-Identifier: MIT */
/* ring.c -- makes the ring of ring.h and deals out its lanes.
 *
 * In memory the file gets its pages lane by lane: a program has few threads that
 * use an engine, and a whole ring would cost each one's first call a third of a
 * millisecond.  Without a place for it the ring is anonymous memory: the process
 * still counts, only nobody reads it after its death.  The mapping is never taken
 * away: a thread may be half way through a record while another one ends the
 * process.  In a fork child the parent's ring is covered by private memory of the
 * same size, so that a lane that somebody still points to is harmless there.
 *
 *   lane   free (tid 0) -- take_own: CAS --> taken
 *          taken by a thread that died  --  take_dead: CAS --> taken
 *          the last one: shared by all who find no other
 */
#include "ring.h"

#include <errno.h>

#include "../policy/policy.h"
#include "../policy/text.h"
#include "crumb.h"
#include "sys_file.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define DEFAULT_BYTES (512u * 1024)
#define LEAST_BYTES (64u * 1024)
#define MOST_BYTES (256u * 1024 * 1024)
#define PASS_MAX_MS (1000ull * 86400 * 366)
#define SHARED_LANE (TAF_LANES - 1)

static struct taf_ring_head *head; /* NULL: closed; written by open, close and abandon alone */
static uint32_t mapped_bytes; /* of head; the file may say otherwise by now */
static char path[TAF_PATH_MAX]; /* likewise */
static bool has_holes; /* lanes that are not ready have no pages yet; likewise */
static _Atomic(uint32_t)
	ready; /* lanes with pages and a head, from the first; the shared one has */
static _Atomic(int32_t) waiter; /* the thread whose wait the head tells of */
static _Atomic(uint32_t) generation; /* goes on with every open, close and abandon */

/* What this thread was dealt; counts while mine.generation is the ring's. */
static _Thread_local struct {
	struct taf_lane *lane;
	uint32_t generation;
} mine __attribute__((tls_model("initial-exec")));

static bool is_tsc_steady(void)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
#elif defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

static struct taf_lane *lane_at(struct taf_ring_head *h, uint32_t i)
{
	return (struct taf_lane *)(void *)((char *)h + TAF_RING_PAGE + (size_t)i * h->lane_bytes);
}

static int make_path(const struct taf_session *s)
{
	struct taf_text t;

	taf_text_init(&t, path, sizeof(path));
	taf_text_put(&t, s->ring_dir);
	taf_text_char(&t, '/');
	taf_text_put(&t, s->boot);
	taf_text_char(&t, '-');
	taf_text_i64(&t, s->pid);
	taf_text_char(&t, '-');
	taf_text_u64(&t, s->start);
	taf_text_put(&t, ".ring");
	return t.is_cut ? -ENAMETOOLONG : 0;
}

/* Creates the file at path. One that is there bears our pid and start time:
 * it is of the program that this process was before its exec. */
static int create(void)
{
	int fd = taf_sys_open(path, TAF_O_RDWR | TAF_O_CREATE);

	if (fd == -EEXIST && !taf_sys_unlink(path))
		fd = taf_sys_open(path, TAF_O_RDWR | TAF_O_CREATE);
	return fd;
}

static uint32_t lane_room(uint32_t bytes)
{
	return (bytes - TAF_RING_PAGE) / TAF_LANES / 64 * 64;
}

static void *map_with_holes(int fd, uint32_t bytes)
{
	uint32_t room = lane_room(bytes);
	char *p = taf_sys_ftruncate(fd, bytes) ? NULL : taf_sys_map_file(fd, bytes, true);

	if (p && !taf_sys_populate(p, TAF_RING_PAGE) &&
	    !taf_sys_populate(p + TAF_RING_PAGE + (size_t)SHARED_LANE * room, room)) {
		has_holes = true;
		return p;
	}
	taf_sys_unmap(p, bytes);
	return NULL;
}

static void *map_file(const struct taf_session *s, uint32_t bytes)
{
	bool is_on_disk = taf_same(s->ring_dir, s->dir);
	void *p = NULL;
	int fd;

	has_holes = false;
	path[0] = '\0';
	/* Over the limit on file sizes, making it would raise SIGXFSZ. */
	if (!s->ring_dir[0] || make_path(s) || taf_sys_fsize_limit() < bytes)
		goto out;
	fd = create();
	if (fd < 0)
		goto out;
	if (!is_on_disk)
		p = map_with_holes(fd, bytes);
	if (!p && !taf_sys_allocate(fd, bytes))
		p = taf_sys_map_file(fd, bytes, true);
	taf_sys_close(fd);
	if (!p)
		taf_sys_unlink(path);
out:
	if (!p)
		path[0] = '\0';
	return p;
}

static uint32_t size_of(uint32_t asked)
{
	uint32_t n = asked ? asked : DEFAULT_BYTES;

	n = n < LEAST_BYTES ? LEAST_BYTES : n > MOST_BYTES ? MOST_BYTES : n;
	return n / TAF_RING_PAGE * TAF_RING_PAGE;
}

/* Two threads may do it at once, and one of them may be far ahead: it has the lane and
 * is in a call. Zero is what none of both words is ever again. */
static void set_up(const struct taf_ring_head *h, struct taf_lane *lane)
{
	uint32_t no_slots = 0, no_call = 0;

	__atomic_compare_exchange_n(&lane->slots, &no_slots,
				    (h->lane_bytes - (uint32_t)sizeof(*lane)) /
					    (uint32_t)sizeof(struct taf_slot),
				    false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	atomic_compare_exchange_strong(&lane->open.what, &no_call, TAF_NO_ROW);
}

static void set_up_first(struct taf_ring_head *h, bool all)
{
	lane_at(h, SHARED_LANE)->is_shared = true;
	set_up(h, lane_at(h, SHARED_LANE));
	for (uint32_t i = 0; i < SHARED_LANE && all; i++)
		set_up(h, lane_at(h, i));
	atomic_store(&ready, all ? SHARED_LANE : 0);
}

static void fill_head(struct taf_ring_head *h, const struct taf_session *s, uint32_t bytes)
{
	h->version = TAF_RING_VERSION;
	h->bytes = bytes;
	h->lanes = TAF_LANES;
	h->lane_bytes = lane_room(bytes);
	h->pid = s->pid;
	h->stamp_is_tsc = is_tsc_steady();
	h->start = s->start;
	taf_copy(h->boot, s->boot, sizeof(h->boot));
	taf_copy(h->run, s->run, sizeof(h->run));
	h->utc0_us = taf_sys_utc_us();
	h->mono0 = taf_sys_mono_ns();
	h->tsc0 = h->stamp_is_tsc ? taf_stamp_tsc() : h->mono0;
	h->tsc1 = h->tsc0;
	h->mono1 = h->mono0;
	set_up_first(h, !has_holes);
	/* Last: a reader that sees the magic number sees the rest. */
	__atomic_store_n(&h->magic, TAF_RING_MAGIC, __ATOMIC_RELEASE);
}

int taf_ring_open(const struct taf_session *s)
{
	uint32_t bytes = size_of(s->ring_bytes);
	struct taf_ring_head *h;

	if (head)
		return -EALREADY;
	h = map_file(s, bytes);
	if (!h)
		h = taf_sys_map(bytes);
	if (!h)
		return -ENOMEM;
	fill_head(h, s, bytes);
	mapped_bytes = bytes;
	atomic_fetch_add(&generation, 1);
	head = h;
	return 0;
}

/* In a handler, after SIGBUS. The file is lost; what is private memory now goes on
 * counting, so that the threads that hold a lane find one. */
bool taf_ring_heal(const void *at)
{
	struct taf_ring_head *h = head;
	const char *from = (const char *)h, *p = at;

	if (!h || p < from || p >= from + mapped_bytes || taf_sys_cover(h, mapped_bytes))
		return false;
	h->bytes = mapped_bytes;
	h->lanes = TAF_LANES;
	h->lane_bytes = lane_room(mapped_bytes);
	set_up_first(h, true);
	return true;
}

struct taf_ring_head *taf_ring_head(void)
{
	return head;
}

/* Two threads may begin to wait at once: then either's text stands, or a mixture.
 * The check does not see that __atomic_store_n writes.
 * NOLINTNEXTLINE(readability-non-const-parameter) */
static void put_text(char *to, const char *from, size_t room)
{
	size_t i = 0;

	for (; from[i] && i + 1 < room; i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
	__atomic_store_n(&to[i], '\0', __ATOMIC_RELAXED);
}

/* What goes on while it is shown is said by moments, and not by a text. */
static void put_why(struct taf_ring_head *h, const struct taf_answer *why)
{
	bool is_time = why->unit == TAF_UNIT_MS && why->need && why->have < PASS_MAX_MS;
	struct taf_answer at_once = *why;
	char text[sizeof(h->held_why)];
	uint64_t pass_ns = 0, now = taf_sys_mono_ns();
	struct taf_text t;

	at_once.pass_ms = TAF_PASS_UNKNOWN;
	at_once.unit = is_time ? TAF_UNIT_NONE : why->unit;
	taf_text_init(&t, text, sizeof(text));
	taf_answer_text(&at_once, &t);
	if (why->pass_ms != TAF_PASS_UNKNOWN && why->pass_ms < PASS_MAX_MS)
		pass_ns = now + why->pass_ms * 1000000;
	put_text(h->held_rule, taf_rule_info(why->rule)->path, sizeof(h->held_rule));
	put_text(h->held_why, text, sizeof(h->held_why));
	if (is_time)
		atomic_store(&h->held_from_ns, (int64_t)(now - why->have * 1000000));
	atomic_store(&h->held_need_ms, is_time ? why->need : 0);
	atomic_store(&h->held_pass_ns, pass_ns);
}

void taf_ring_hold_begin(const struct taf_answer *why, uint64_t since_ns)
{
	struct taf_ring_head *h = head;
	uint64_t none = 0;

	if (!h)
		return;
	atomic_store(&waiter, taf_sys_tid());
	if (why)
		put_why(h, why);
	atomic_fetch_add(&h->holding, 1);
	atomic_compare_exchange_strong(&h->held_since_ns, &none, since_ns);
}

void taf_ring_hold_again(const struct taf_answer *why)
{
	struct taf_ring_head *h = head;

	if (h && why && atomic_load(&waiter) == taf_sys_tid())
		put_why(h, why);
}

void taf_ring_hold_end(void)
{
	struct taf_ring_head *h = head;

	/* A ring that was opened, or healed, inside the wait never counted it. */
	if (!h || !atomic_load(&h->holding))
		return;
	atomic_store(&h->held_until_ns, taf_sys_mono_ns());
	if (atomic_fetch_sub(&h->holding, 1) == 1)
		atomic_store(&h->held_since_ns, 0);
}

const char *taf_ring_path(void)
{
	return path;
}

uint32_t taf_ring_ready(void)
{
	return atomic_load(&ready);
}

/* The i-th of n lanes that are ready, and behind them the shared one. */
static struct taf_lane *ready_at(struct taf_ring_head *h, uint32_t i, uint32_t n)
{
	return lane_at(h, i < n ? i : SHARED_LANE);
}

/* Makes lane i ready if those before it are; false where there is no space for it. */
static bool is_ready(struct taf_ring_head *h, uint32_t i)
{
	uint32_t before = i;

	if (i < atomic_load(&ready))
		return true;
	if (taf_sys_populate(lane_at(h, i), h->lane_bytes))
		return false;
	set_up(h, lane_at(h, i));
	atomic_compare_exchange_strong(&ready, &before, i + 1);
	return true;
}

static struct taf_lane *take_own(struct taf_ring_head *h, int32_t tid)
{
	for (uint32_t i = 0; i < SHARED_LANE && is_ready(h, i); i++) {
		struct taf_lane *lane = lane_at(h, i);
		int32_t free = 0;

		/* Our number on it, but we do not know it: its thread died and
		 * the kernel dealt the number again. */
		if (atomic_load_explicit(&lane->tid, memory_order_relaxed) == tid ||
		    atomic_compare_exchange_strong(&lane->tid, &free, tid))
			return lane;
	}
	return NULL;
}

void taf_ring_bytes(uint64_t *live, uint64_t *given)
{
	struct taf_ring_head *h = head;
	uint32_t n = taf_ring_ready();
	uint64_t taken = 0;

	*given = 0;
	for (uint32_t i = 0; h && i <= n; i++) {
		struct taf_lane *lane = ready_at(h, i, n);

		taken += atomic_load_explicit(&lane->bytes_taken, memory_order_relaxed);
		*given += atomic_load_explicit(&lane->bytes_given, memory_order_relaxed);
	}
	*live = taken > *given ? taken - *given : 0;
}

uint64_t taf_ring_bytes_live(void)
{
	uint64_t live, given;

	taf_ring_bytes(&live, &given);
	return live;
}

uint64_t taf_ring_allocs_live(void)
{
	struct taf_ring_head *h = head;
	uint64_t taken = h ? atomic_load(&h->allocs_closed) : 0;
	uint64_t given = h ? atomic_load(&h->frees_closed) : 0;
	uint32_t n = taf_ring_ready();

	for (uint32_t i = 0; h && i <= n; i++) {
		struct taf_lane *lane = ready_at(h, i, n);

		taken += atomic_load_explicit(&lane->allocs, memory_order_relaxed);
		given += atomic_load_explicit(&lane->frees, memory_order_relaxed);
	}
	return taken > given ? taken - given : 0;
}

/* Adds what a lane counted to the head, once, and clears what it was in. */
static void fold(struct taf_ring_head *h, struct taf_lane *lane)
{
	atomic_fetch_add(&h->submits_closed, atomic_exchange(&lane->submits, 0));
	atomic_fetch_add(&h->allocs_closed, atomic_exchange(&lane->allocs, 0));
	atomic_fetch_add(&h->frees_closed, atomic_exchange(&lane->frees, 0));
	atomic_store(&lane->open.what, TAF_NO_ROW);
}

/* A lane whose thread ended without a word. */
static struct taf_lane *take_dead(struct taf_ring_head *h, int32_t tid)
{
	for (uint32_t i = 0; i < taf_ring_ready(); i++) {
		struct taf_lane *lane = lane_at(h, i);
		int32_t was = atomic_load_explicit(&lane->tid, memory_order_relaxed);

		if (was && taf_sys_tgkill(h->pid, was, 0) != -ESRCH)
			continue;
		if (!atomic_compare_exchange_strong(&lane->tid, &was, tid))
			continue;
		fold(h, lane);
		return lane;
	}
	return NULL;
}

struct taf_lane *taf_ring_take_lane(void)
{
	struct taf_ring_head *h = head;
	uint32_t now = atomic_load_explicit(&generation, memory_order_relaxed);
	int32_t tid, none = 0;

	if (!h)
		return NULL;
	if (mine.lane && mine.generation == now)
		return mine.lane;
	tid = taf_sys_tid();
	mine.lane = take_own(h, tid);
	if (!mine.lane)
		mine.lane = take_dead(h, tid);
	if (!mine.lane) {
		mine.lane = lane_at(h, SHARED_LANE);
		atomic_compare_exchange_strong(&mine.lane->tid, &none, tid);
	}
	mine.generation = now;
	atomic_fetch_add(&h->lanes_used, 1);
	return mine.lane;
}

struct taf_lane *taf_ring_shared_lane(void)
{
	struct taf_ring_head *h = head;
	struct taf_lane *lane = h ? lane_at(h, SHARED_LANE) : NULL;
	int32_t none = 0;

	if (lane)
		atomic_compare_exchange_strong(&lane->tid, &none, taf_sys_tid());
	return lane;
}

void taf_ring_close(bool remove_file)
{
	if (!head)
		return;
	head = NULL;
	atomic_fetch_add(&generation, 1);
	if (remove_file && path[0])
		taf_sys_unlink(path);
	path[0] = '\0';
}

void taf_ring_abandon(void)
{
	struct taf_ring_head *h = head;

	head = NULL;
	path[0] = '\0';
	atomic_fetch_add(&generation, 1);
	if (h)
		taf_sys_cover(h, mapped_bytes);
}
