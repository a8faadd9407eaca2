/* SPDX-License-Identifier: MIT */
#include "seg.h"

#include <errno.h>
#include <signal.h>

#include "../policy/text.h"
#include "sys_file.h"

#define DEFAULT_BYTES (1024u * 1024)
#define SPINS 200
#define GATHER_MS_MAX 4u

/* ---- the lock ---- */

static int grab(struct taf_seg *g, int32_t tid)
{
	uint64_t until = 0, now;

	for (int i = 0; i < SPINS; i++) {
		uint32_t is_free = 0;

		if (atomic_compare_exchange_weak(&g->lock, &is_free, 1))
			goto out;
		if (atomic_load(&g->owner) == tid)
			return -EDEADLK;
	}
	while (atomic_exchange(&g->lock, 2)) {
		now = taf_sys_mono_ns();
		until = until ? until : now + TAF_SEG_WAIT_MS * 1000000ull;
		if (now >= until)
			return -ETIMEDOUT;
		taf_sys_wait(&g->lock, 2, (uint32_t)((until - now) / 1000000 + 1));
	}
out:
	atomic_store(&g->owner, tid);
	return 0;
}

static int come_in(struct taf_seg *g, struct taf_seg_hold *h)
{
	int err;

	h->mask = taf_sys_block_outside();
	err = grab(g, h->tid);
	h->has_lock = !err;
	if (err)
		taf_sys_restore_mask(h->mask);
	return err;
}

static void unlock(struct taf_seg *g)
{
	atomic_store(&g->owner, 0);
	if (atomic_exchange(&g->lock, 0) == 2)
		taf_sys_wake_one(&g->lock);
}

static void go_out(struct taf_seg *g, struct taf_seg_hold *h)
{
	if (!h->has_lock)
		return;
	h->has_lock = false;
	unlock(g);
	taf_sys_restore_mask(h->mask);
}

static void beat(struct taf_seg *g)
{
	atomic_fetch_add(&g->beat, 1);
	taf_sys_wake_all(&g->beat);
}

/* Waits outside for the end of a flush or of a making. */
static int wait_beat(struct taf_seg *g, struct taf_seg_hold *h, uint64_t until_ns)
{
	uint32_t seen = atomic_load(&g->beat);
	uint64_t now = taf_sys_mono_ns();

	if (now >= until_ns)
		return -ETIMEDOUT;
	go_out(g, h);
	taf_sys_wait(&g->beat, seen, (uint32_t)((until_ns - now) / 1000000 + 1));
	return come_in(g, h);
}

static uint64_t deadline(void)
{
	return taf_sys_mono_ns() + TAF_SEG_WAIT_MS * 1000000ull;
}

/* After a failure the disk is left alone for a while. */
static int back_off(struct taf_seg *g, int err)
{
	atomic_store(&g->quiet_until_ns, taf_sys_mono_ns() + TAF_SEG_BACKOFF_NS);
	return err;
}

/* ---- segments ---- */

int taf_seg_open(struct taf_seg *g, const struct taf_session *s)
{
	struct taf_text t;
	int err;

	taf_zero(g, sizeof(*g));
	g->now.fd = g->next.fd = -1;
	g->bytes = s->segment_bytes ? s->segment_bytes : DEFAULT_BYTES;
	if (g->bytes < TAF_SEGMENT_FIRST)
		g->bytes = TAF_SEGMENT_FIRST;
	taf_copy(g->dir, s->dir, sizeof(g->dir));
	taf_text_init(&t, g->stem, sizeof(g->stem));
	taf_text_put(&t, s->dir);
	taf_text_char(&t, '/');
	taf_text_put(&t, s->boot);
	taf_text_char(&t, '-');
	taf_text_i64(&t, s->pid);
	taf_text_char(&t, '-');
	taf_text_u64(&t, s->start);
	taf_text_char(&t, '-');
	if (t.is_cut)
		return -ENAMETOOLONG;
	err = taf_seg_file_begin(&g->now, g, 0, TAF_SEGMENT_FIRST);
	g->is_open = !err;
	return err;
}

int taf_seg_enter(struct taf_seg *g, struct taf_seg_hold *h, int32_t tid)
{
	uint64_t quiet = atomic_load_explicit(&g->quiet_until_ns, memory_order_relaxed);
	int err;

	h->tid = tid;
	h->has_lock = false;
	if (quiet && quiet > taf_sys_mono_ns())
		return -ENOSPC;
	err = come_in(g, h);
	if (err)
		return err;
	h->pending = h->mask ? h->mask & taf_sys_pending() : 0;
	if (g->is_open)
		return 0;
	go_out(g, h);
	return -EBADF;
}

static bool wants_next(const struct taf_seg *g)
{
	return g->is_open && g->now.fd >= 0 && g->next.fd < 0 && !g->is_making &&
	       g->at > g->now.size / 4 * 3 && taf_sys_mono_ns() >= g->make_after_ns;
}

/* Makes the next segment while others go on writing the present one. The lock
 * is free, signals stay blocked. */
static void make_next(struct taf_seg *g, struct taf_seg_hold *h)
{
	static struct taf_seg_file f; /* of the one who set is_making */
	int err = taf_seg_file_make(&f, g, g->now.number + 1, g->bytes);

	if (!grab(g, h->tid)) {
		if (err)
			g->make_after_ns = taf_sys_mono_ns() + TAF_SEG_BACKOFF_NS;
		else if (g->is_open && g->is_making && g->next.fd < 0)
			taf_move(&g->next, &f, sizeof(f));
		else
			taf_seg_file_drop(&f, true);
		g->is_making = false;
		unlock(g);
	}
	beat(g);
}

void taf_seg_leave(struct taf_seg *g, struct taf_seg_hold *h)
{
	if (!h->has_lock)
		return;
	h->has_lock = false;
	if (wants_next(g)) {
		g->is_making = true;
		unlock(g);
		make_next(g, h);
	} else {
		unlock(g);
	}
	taf_sys_restore_mask(h->mask);
}

bool taf_seg_fits(const struct taf_seg *g, size_t n)
{
	uint64_t limit = taf_sys_fsize_limit();

	return g->now.fd >= 0 && g->at + n <= (g->now.size < limit ? g->now.size : limit);
}

/* Lets the flush and the making that are under way end. */
static int wait_idle(struct taf_seg *g, struct taf_seg_hold *h)
{
	uint64_t until = deadline();
	int err = 0;

	while (!err && (g->is_flushing || g->is_making))
		err = wait_beat(g, h, until);
	if (err && h->has_lock)
		g->is_flushing = g->is_making = false;
	return err;
}

int taf_seg_turn(struct taf_seg *g, struct taf_seg_hold *h)
{
	uint32_t number = g->now.number;
	int err = 0;

	if (g->is_flushing || g->is_making) {
		err = wait_idle(g, h);
		if (err || g->now.number != number || !g->is_open)
			return err;
	}
	if (g->next.fd < 0 || taf_seg_file_check(&g->next))
		err = taf_seg_file_make(&g->next, g, number + 1, g->bytes);
	if (err)
		return back_off(g, err);
	if (g->now.fd >= 0 && atomic_load(&g->flushed) < g->put) {
		if (taf_seg_file_sync(&g->now))
			g->refused = g->put;
		else
			atomic_store(&g->flushed, g->put);
	}
	taf_seg_file_drop(&g->now, false);
	taf_move(&g->now, &g->next, sizeof(g->now));
	g->next.fd = -1;
	g->at = 0;
	atomic_store(&g->inside_ns, 0);
	return 0;
}

static int write_at(struct taf_seg *g, struct taf_seg_hold *h, const struct taf_span_at *where,
		    const void *line)
{
	size_t done = 0, n = where->n;
	int err = taf_seg_file_check(&g->now);

	if (err)
		return err;
	while (done < n) {
		int64_t r = taf_sys_pwrite(g->now.fd, (const char *)line + done, n - done,
					   where->at + done);

		if (r == -EFBIG && !(h->pending >> (SIGXFSZ - 1) & 1))
			taf_sys_take_signal(SIGXFSZ);
		/* What was written of it stays; the next record covers it. */
		if (r <= 0)
			return back_off(g, r ? (int)r : -ENOSPC);
		done += (size_t)r;
	}
	g->put++;
	return 0;
}

int taf_seg_put(struct taf_seg *g, struct taf_seg_hold *h, const void *line, size_t n)
{
	struct taf_span_at end = { .at = g->at, .n = n };
	int err = write_at(g, h, &end, line);

	if (!err)
		g->at += n;
	return err;
}

int taf_seg_put_over(struct taf_seg *g, struct taf_seg_hold *h, const struct taf_span_at *at,
		     const void *line)
{
	if (g->now.fd < 0 || at->number != g->now.number || at->at + at->n > g->at)
		return -ENODATA;
	return write_at(g, h, at, line);
}

/* ---- group commit ---- */

/* On a slow disk with several writers a leader waits for the others, who were
 * woken with it, to have their next record in the same flush. */
static void gather(struct taf_seg *g)
{
	uint64_t ms = g->flush_ns / 16000000;

	if (g->crowd < 2 || !ms)
		return;
	unlock(g);
	taf_sys_sleep_ms(ms < GATHER_MS_MAX ? (uint32_t)ms : GATHER_MS_MAX);
}

/* Flushes for all records put so far, with the lock free and signals blocked. */
static int lead(struct taf_seg *g, struct taf_seg_hold *h)
{
	uint64_t upto, began;
	uint32_t flips;
	int fd, err;

	g->is_flushing = true;
	h->has_lock = false;
	gather(g);
	if (atomic_load(&g->owner) != h->tid && grab(g, h->tid))
		goto lost;
	upto = g->put;
	fd = g->now.fd; /* stays the segment's: nobody turns while is_flushing */
	unlock(g);
	began = taf_sys_mono_ns();
	flips = atomic_load(&g->flips);
	err = fd < 0 ? -EBADF : taf_sys_fdatasync(fd);
	if (grab(g, h->tid))
		goto lost;
	h->has_lock = true;
	g->flush_ns = taf_sys_mono_ns() - began;
	/* It was flushed through a number that may have become theirs. */
	if (err == -EBADF || taf_seg_file_check(&g->now) || g->now.fd != fd)
		err = taf_seg_file_sync(&g->now);
	if (err) {
		g->refused = upto > g->refused ? upto : g->refused;
		back_off(g, err);
	} else if (upto > atomic_load(&g->flushed)) {
		g->crowd = upto - atomic_load(&g->flushed);
		atomic_store(&g->flushed, upto);
	}
	/* While it was written the mark may have said both. */
	atomic_store(&g->inside_ns, flips % 2 && flips == atomic_load(&g->flips) ? began : 0);
	g->is_flushing = false;
	beat(g);
	return err;
lost:
	g->is_flushing = false;
	beat(g);
	taf_sys_restore_mask(h->mask);
	return -ETIMEDOUT;
}

int taf_seg_flush(struct taf_seg *g, uint64_t upto, int32_t tid)
{
	struct taf_seg_hold h = { .tid = tid };
	uint64_t until = deadline();
	int err;

	if (atomic_load(&g->flushed) >= upto)
		return 0;
	err = come_in(g, &h);
	while (!err && atomic_load(&g->flushed) < upto) {
		if (g->refused >= upto)
			err = -EIO;
		else if (!g->is_open)
			err = -EBADF;
		else if (!g->is_flushing)
			err = lead(g, &h);
		else
			err = wait_beat(g, &h, until);
		if (err == -ETIMEDOUT && h.has_lock)
			g->is_flushing = false; /* its leader is stuck: another may try */
	}
	go_out(g, &h);
	return err;
}

int taf_seg_settle(struct taf_seg *g, int32_t tid)
{
	int err = taf_seg_flush(g, g->put, tid);

	if (!err)
		err = taf_sys_sync_dir(g->dir);
	if (err)
		g->at = 0;
	return err;
}

void taf_seg_close(struct taf_seg *g, int32_t tid)
{
	struct taf_seg_hold h = { .tid = tid };
	uint64_t end;

	if (!g->is_open || come_in(g, &h))
		return;
	if (!wait_idle(g, &h) && g->is_open && !taf_seg_file_check(&g->now)) {
		if (atomic_load(&g->flushed) < g->put && !taf_seg_file_sync(&g->now))
			atomic_store(&g->flushed, g->put);
		end = g->at;
		taf_sys_ftruncate(g->now.fd, end);
		taf_seg_file_drop(&g->now, end == 0);
	}
	if (h.has_lock) {
		g->is_open = false;
		if (g->next.fd >= 0)
			taf_seg_file_drop(&g->next, true);
		beat(g);
	}
	go_out(g, &h);
}

void taf_seg_abandon(struct taf_seg *g)
{
	if (g->is_open) {
		taf_seg_file_drop(&g->now, false);
		taf_seg_file_drop(&g->next, false);
	}
	taf_zero(g, sizeof(*g));
	g->now.fd = g->next.fd = -1;
}
