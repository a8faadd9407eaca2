/* SPDX-License-Identifier: MIT */
#include "lock_queue.h"

#include <errno.h>

#include "lock_text.h"
#include "sys.h"

#define MAGIC 0x3152455449415754u /* "TWAITER1" */

static bool is_live(const struct taf_lock_waiter *w, uint64_t now_ms)
{
	return taf_is_ended(w->run, sizeof(w->run)) && taf_lock_is_run(w->run) &&
	       w->seen_ms <= now_ms && now_ms - w->seen_ms < TAF_LOCK_STALE_MS &&
	       w->since_ms <= now_ms && w->ticket < UINT64_MAX / 2 &&
	       taf_lock_is_alive(w->pid, w->start, w->pid_ns);
}

void taf_lock_queue_read(int fd, uint64_t now_ms, struct taf_lock_queue *q)
{
	int64_t n = taf_sys_pread(fd, q, sizeof(*q), 0);

	if (n != (int64_t)sizeof(*q) || q->magic != MAGIC || q->boot != taf_lock_boot()) {
		taf_zero(q, sizeof(*q));
		return;
	}
	for (int i = 0; i < TAF_LOCK_WAITERS; i++)
		if (q->at[i].run[0] && !is_live(&q->at[i], now_ms))
			taf_zero(&q->at[i], sizeof(q->at[i]));
}

int taf_lock_queue_write(int fd, struct taf_lock_queue *q)
{
	bool is_empty = true;
	int64_t n;

	for (int i = 0; i < TAF_LOCK_WAITERS; i++)
		is_empty = is_empty && !q->at[i].run[0];
	if (is_empty)
		return taf_sys_ftruncate(fd, 0);
	q->magic = MAGIC;
	q->boot = taf_lock_boot();
	n = taf_sys_pwrite(fd, q, sizeof(*q), 0);
	return n == (int64_t)sizeof(*q) ? 0 : n < 0 ? (int)n : -ENOSPC;
}

static struct taf_lock_waiter *find(struct taf_lock_queue *q, const char *run)
{
	for (int i = 0; i < TAF_LOCK_WAITERS; i++)
		if (taf_same(q->at[i].run, run))
			return &q->at[i];
	return NULL;
}

bool taf_lock_queue_enter(struct taf_lock_queue *q, const struct taf_lock_waiter *me)
{
	struct taf_lock_waiter *w = find(q, me->run);
	uint64_t last = 0, ticket, since;

	for (int i = 0; i < TAF_LOCK_WAITERS; i++)
		if (q->at[i].run[0] && q->at[i].ticket > last)
			last = q->at[i].ticket;
	ticket = w ? w->ticket : last + 1;
	since = w ? w->since_ms : me->since_ms;
	w = w ? w : find(q, "");
	if (!w)
		return false;
	*w = *me;
	w->ticket = ticket;
	w->since_ms = since;
	return true;
}

void taf_lock_queue_leave(struct taf_lock_queue *q, const char *run)
{
	struct taf_lock_waiter *w = find(q, run);

	if (w)
		taf_zero(w, sizeof(*w));
}

const struct taf_lock_waiter *taf_lock_queue_before(const struct taf_lock_queue *q, const char *run)
{
	const struct taf_lock_waiter *first = NULL;

	for (int i = 0; i < TAF_LOCK_WAITERS; i++) {
		const struct taf_lock_waiter *w = &q->at[i];

		if (w->run[0] && (!first || w->ticket < first->ticket))
			first = w;
	}
	return first && !taf_same(first->run, run) ? first : NULL;
}
