/* SPDX-License-Identifier: MIT */
/* crumb.c -- one door to both tiers: what a record is worth decides where it goes.
 *
 *   NONE  nowhere
 *   RING  a slot of the thread's lane
 *   LOG   that, and the segment
 *   SYNC  that, and the flush is waited for
 *
 * A record gets its seq under the segment's lock, where it is also formatted
 * and written, so the order in the file is the order of seq.  What cannot be
 * written is counted in the ring's head, and leaves a hole in seq behind which
 * the next record goes on.
 *
 * Every segment begins with the start record: whoever finds a segment empty
 * writes it first.  A process that is not the session's own (a fork or vfork
 * child that nobody told us of) writes nothing.
 *
 * The mark is the one record that is written over (taf_crumb_show); a new one
 * takes its place when the segment was turned or it lies MARK_BACK behind.
 */
#include "crumb.h"

#include <errno.h>

#include "../policy/text.h"
#include "hot.h"
#include "journal.h"
#include "rec.h"
#include "ring.h"
#include "seg.h"

#define BEGINS_SYNC_MAX 10u /* flushed in a second */
#define SECOND_NS 1000000000ull
#define TURNS_MAX 4 /* segments tried for one record */
#define MARK_ROOM 512u /* a record without texts is shorter */
#define MARK_BACK (16u * 1024) /* readers of the end of a log have to find it */
#define MARK_FLUSH_NS (10 * SECOND_NS) /* well before the kernel writes it by itself */
#define FIXED_ROOM 400u /* what of a start record is not its head */

TAF_HOT _Atomic(bool) taf_crumb_mark; /* as flips says */
static _Atomic(bool) is_open;
static _Atomic(bool) is_over; /* the end of the exit is being written: nothing comes behind it */
static struct taf_seg seg; /* its own lock */
static char line[TAF_RECORD_MAX]; /* under the segment's lock */
static char start_text[TAF_RECORD_MAX]; /* likewise */
static uint64_t seq; /* likewise; survives the session, so that a second one goes on */
static size_t line_used; /* bytes of line that were put last; likewise */
static struct taf_span_at mark; /* likewise */
static char mark_line[2][MARK_ROOM]; /* outside and inside; likewise */
static _Atomic(uint64_t) lost; /* records without a seq so far */
/* Written by taf_crumb_open alone: */
static char head[TAF_RECORD_MAX], boot[TAF_BOOT_ID_LEN + 1], run[17];
static int32_t pid;
static uint64_t start;

static struct {
	_Atomic(uint64_t) second; /* which one of CLOCK_MONOTONIC is counted */
	_Atomic(uint32_t) begins; /* in it */
} infers, drains;

/* At most ten flushes a second for begins of generations, and ten for drains that come
 * every so many submits (those of a boundary say themselves what they are worth); a
 * race lets one more pass. */
static bool is_flood(const struct taf_rec *r, uint64_t mono_ns)
{
	uint64_t now = mono_ns / SECOND_NS;
	bool is_drain = r->kind == TAF_DRAIN;

	if (atomic_exchange(is_drain ? &drains.second : &infers.second, now) != now)
		atomic_store(is_drain ? &drains.begins : &infers.begins, 0);
	return atomic_fetch_add(is_drain ? &drains.begins : &infers.begins, 1) >= BEGINS_SYNC_MAX;
}

static enum taf_durability worth(const struct taf_rec *r, uint64_t mono_ns)
{
	enum taf_durability keep = r->keep ? r->keep : taf_kind_durability(r->kind);

	if ((r->kind == TAF_INFER || r->kind == TAF_DRAIN) && r->phase == TAF_BEGIN && !r->keep &&
	    is_flood(r, mono_ns))
		keep = TAF_KEEP_LOG;
	return keep;
}

static void drop(void)
{
	struct taf_ring_head *h = taf_ring_head();

	atomic_fetch_add(&lost, 1);
	if (h)
		atomic_fetch_add(&h->dropped, 1);
}

/* Pairs the two clocks for the reader; mono_ns is of just now. */
static void renew_clock(uint64_t mono_ns)
{
	struct taf_ring_head *h = taf_ring_head();

	if (!h || !h->stamp_is_tsc)
		return;
	atomic_store_explicit(&h->tsc1, taf_stamp_tsc(), memory_order_relaxed);
	atomic_store_explicit(&h->mono1, mono_ns, memory_order_relaxed);
}

static void put_slot(const struct taf_rec *r)
{
	struct taf_ring_head *h = taf_ring_head();
	struct taf_lane *lane = h ? taf_ring_take_lane() : NULL;
	struct taf_slot_body b = { .stamp = r->mono_ns,
				   .row = TAF_NO_ROW,
				   .engine = (uint8_t)r->engine,
				   .kind = (uint8_t)((unsigned)r->kind | (unsigned)r->phase << 6),
				   .rc = (int32_t)r->rc };

	if (!lane)
		return;
	if (h->stamp_is_tsc)
		b.stamp = taf_stamp_tsc();
	b.arg = r->has & TAF_HAS_BYTES ? r->bytes : r->has & TAF_HAS_TOKENS ? r->tokens : 0;
	taf_ring_put(lane, &b);
}

static size_t format(const struct taf_rec *r, const struct taf_seg_hold *h)
{
	struct taf_rec_who who = { .boot = boot,
				   .run = run,
				   .pid = pid,
				   .tid = h->tid,
				   .start = start,
				   .seq = seq + 1,
				   .mono_ns = r->mono_ns,
				   .utc_us = taf_sys_utc_us(),
				   .seed = taf_crumb_seed(boot, start, seg.now.number) };

	return taf_rec_format(line, &who, r);
}

/* One line into the segment at hand; -ENODATA when it does not fit or the segment is gone. */
static int put_line(const struct taf_rec *r, struct taf_seg_hold *h)
{
	size_t n = format(r, h);
	int err;

	if (!taf_seg_fits(&seg, n))
		return -ENODATA;
	err = taf_seg_put(&seg, h, line, n);
	if (!err) {
		seq++;
		line_used = n;
	}
	return err;
}

static int put_start(struct taf_seg_hold *h, uint64_t mono_ns)
{
	struct taf_rec r = {
		.kind = TAF_START, .phase = TAF_MARK, .extra = start_text, .mono_ns = mono_ns
	};
	struct taf_text t;

	taf_text_init(&t, start_text, TAF_RECORD_MAX - FIXED_ROOM);
	taf_text_put(&t, ",\"seg\":");
	taf_text_u64(&t, seg.now.number);
	if (taf_ring_path()[0]) {
		taf_text_put(&t, ",\"ring\":");
		taf_text_json(&t, taf_ring_path(), SIZE_MAX);
	}
	taf_text_put(&t, head);
	if (t.is_cut) {
		taf_text_init(&t, start_text, sizeof(start_text));
		taf_text_put(&t, ",\"v\":1,\"seg\":");
		taf_text_u64(&t, seg.now.number);
	}
	return put_line(&r, h);
}

/* Writes r into the first segment that takes it. */
static int append(const struct taf_rec *r, struct taf_seg_hold *h, bool *must_flush)
{
	int err = -ENODATA;

	seq += atomic_exchange(&lost, 0);
	for (int i = 0; i < TURNS_MAX && err == -ENODATA; i++) {
		err = 0;
		if (i)
			err = taf_seg_turn(&seg, h);
		if (!err && seg.now.fd >= 0 && !seg.at) {
			err = put_start(h, r->mono_ns);
			*must_flush = true;
		}
		if (!err && r->kind != TAF_START)
			err = put_line(r, h);
	}
	return err;
}

/* ---- the mark ---- */

static bool is_mark_near(void)
{
	return mark.n && mark.number == seg.now.number && seg.now.fd >= 0 &&
	       seg.at - mark.at < MARK_BACK;
}

static int put_new_mark(struct taf_seg_hold *h, bool is_inside, bool *must_flush)
{
	static const char words[][16] = { ",\"inside\":0", ",\"inside\":1" };
	struct taf_rec r = { .kind = TAF_INFER,
			     .phase = TAF_MARK,
			     .extra = words[is_inside],
			     .mono_ns = taf_sys_mono_ns() };
	int err = append(&r, h, must_flush);

	mark.n = 0;
	if (err || line_used > MARK_ROOM)
		return err ? err : -EMSGSIZE;
	mark = (struct taf_span_at){ seg.now.number, seg.at - line_used, line_used };
	for (int i = 0; i < 2; i++) {
		taf_move(mark_line[i], line, mark.n);
		*taf_rec_last(mark_line[i], mark.n) = (char)('0' + i);
		taf_rec_seal(mark_line[i], mark.n, taf_crumb_seed(boot, start, mark.number));
	}
	return 0;
}

/* Under the segment's lock: who comes last says what is true. */
static void set_mark(struct taf_seg_hold *h, bool is_inside, bool *must_flush)
{
	int err = -ENODATA;

	if (is_inside == atomic_load(&seg.flips) % 2 && (!is_inside || is_mark_near()))
		return;
	if (is_mark_near())
		err = taf_seg_put_over(&seg, h, &mark, mark_line[is_inside]);
	if (err == -ENODATA)
		err = put_new_mark(h, is_inside, must_flush);
	if (err)
		mark.n = 0;
	else if (is_inside != atomic_load(&seg.flips) % 2)
		atomic_store(&taf_crumb_mark, (atomic_fetch_add(&seg.flips, 1) + 1) % 2);
}

static bool is_mark_stale(uint64_t now_ns)
{
	uint64_t inside_ns = atomic_load(&seg.inside_ns);

	return !inside_ns || now_ns - inside_ns > MARK_FLUSH_NS;
}

bool taf_crumb_shows(bool is_inside)
{
	return atomic_load(&seg.flips) % 2 == is_inside &&
	       (!is_inside || !is_mark_stale(taf_sys_mono_ns()));
}

void taf_crumb_show(bool (*are_inside)(void), bool may_flush)
{
	struct taf_seg_hold h;
	int32_t tid = taf_sys_tid();
	bool must_flush = false, is_inside;
	uint64_t put;

	if (!atomic_load_explicit(&is_open, memory_order_acquire) || pid != taf_sys_pid() ||
	    taf_seg_enter(&seg, &h, tid))
		return;
	is_inside = are_inside();
	if (!atomic_load(&is_over))
		set_mark(&h, is_inside, &must_flush);
	put = seg.put;
	taf_seg_leave(&seg, &h);
	if (must_flush || (is_inside && may_flush && is_mark_stale(taf_sys_mono_ns())))
		taf_seg_flush(&seg, put, tid);
}

static bool is_last_of(const struct taf_rec *r)
{
	return r->kind == TAF_EXIT && r->phase == TAF_END;
}

static bool is_late(const struct taf_rec *r)
{
	return !is_last_of(r) && atomic_load(&is_over);
}

/* Returns the record's seq, 0 when it is lost. */
static uint64_t write_down(const struct taf_rec *r, bool must_flush)
{
	struct taf_seg_hold h;
	int32_t tid = taf_sys_tid();
	uint64_t mine = 0, put = 0;
	int err = taf_seg_enter(&seg, &h, tid);

	if (err) {
		if (err != -EBADF)
			drop();
		return 0;
	}
	if (is_late(r)) {
		taf_seg_leave(&seg, &h);
		return 0;
	}
	err = append(r, &h, &must_flush);
	if (err) {
		drop();
	} else {
		mine = seq;
		put = seg.put;
	}
	taf_seg_leave(&seg, &h);
	if (must_flush && !err)
		taf_seg_flush(&seg, put, tid);
	return mine;
}

uint64_t taf_crumb(const struct taf_rec *given)
{
	struct taf_rec r = *given;
	enum taf_durability keep;
	uint64_t mine = 0;

	if (!atomic_load_explicit(&is_open, memory_order_acquire))
		return 0;
	if (!r.mono_ns) {
		r.mono_ns = taf_sys_mono_ns();
		renew_clock(r.mono_ns);
	}
	keep = worth(&r, r.mono_ns);
	if (keep == TAF_KEEP_NONE || pid != taf_sys_pid() || is_late(&r) ||
	    (is_last_of(&r) && atomic_exchange(&is_over, true)))
		return 0;
	put_slot(&r);
	if (keep >= TAF_KEEP_LOG)
		mine = write_down(&r, keep == TAF_KEEP_SYNC);
	if (taf_journal_is_open())
		taf_journal_send(&r, run, mine);
	return mine;
}

static void remember(const struct taf_session *s)
{
	taf_copy(boot, s->boot, sizeof(boot));
	taf_copy(run, s->run, sizeof(run));
	taf_copy(head, s->head ? s->head : "", sizeof(head));
	pid = s->pid;
	start = s->start;
}

/* What the journal gets of a start, since the start record itself has no message. */
static void announce(const struct taf_rec *start_record, const struct taf_session *s)
{
	struct taf_rec r = *start_record;
	char buf[320];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	if (s->exe && s->exe[0]) {
		taf_text_put(&t, taf_base(s->exe));
		taf_text_put(&t, ", its log is in ");
	}
	taf_text_put(&t, s->dir);
	r.msg = buf;
	taf_journal_send(&r, run, seq);
}

int taf_crumb_open(const struct taf_session *s)
{
	struct taf_rec r = { .kind = TAF_START, .phase = TAF_MARK, .mono_ns = taf_sys_mono_ns() };
	int err;

	if (is_open)
		return -EALREADY;
	remember(s);
	atomic_store(&is_over, false);
	mark.n = 0;
	atomic_store(&taf_crumb_mark, false);
	err = taf_ring_open(s);
	if (err)
		return err;
	err = taf_seg_open(&seg, s);
	if (!err) {
		/* The program before an exec had our pid and start time: its numbers are taken. */
		if (!seq)
			seq = (uint64_t)seg.now.number << 20;
		put_slot(&r);
		/* Whoever finds the segment empty writes its start record. */
		err = write_down(&r, true) ? taf_seg_settle(&seg, taf_sys_tid()) : -EIO;
	}
	if (err) {
		taf_seg_close(&seg, taf_sys_tid());
		taf_ring_close(true);
		return err;
	}
	atomic_store_explicit(&is_open, true, memory_order_release);
	taf_journal_open(s->journal);
	if (s->journal)
		announce(&r, s);
	return 0;
}

void taf_crumb_abandon(void)
{
	bool was_open = atomic_exchange(&is_open, false);

	taf_journal_open(NULL);
	taf_ring_abandon();
	/* The parent may have been opening it when it forked. */
	if (was_open || seg.is_open)
		taf_seg_abandon(&seg);
	seq = 0;
	mark.n = 0;
	atomic_store(&taf_crumb_mark, false);
	atomic_store(&lost, 0);
}

void taf_crumb_close(void)
{
	if (pid != taf_sys_pid() || !atomic_exchange(&is_open, false))
		return;
	taf_seg_close(&seg, taf_sys_tid());
	taf_ring_close(true);
}

bool taf_crumb_is_open(void)
{
	return atomic_load_explicit(&is_open, memory_order_acquire);
}
