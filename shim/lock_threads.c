/* SPDX-License-Identifier: MIT */
#include "lock_threads.h"

#include <errno.h>

#include "life.h"
#include "sys_lock.h"

static struct taf_lock_thread *find(struct taf_lock_threads *all, int32_t tid)
{
	for (int i = 0; i < TAF_LOCK_THREADS; i++)
		if (all->at[i].tid == tid)
			return &all->at[i];
	return NULL;
}

void taf_lock_threads_add(struct taf_lock_threads *all, uint64_t now_ms)
{
	int32_t me = taf_sys_tid();
	struct taf_lock_thread *t = find(all, me);

	if (!t)
		t = find(all, 0);
	if (t)
		*t = (struct taf_lock_thread){ .tid = me,
					       .since_ms = now_ms,
					       .frame = (uintptr_t)taf_tls.outer };
}

void taf_lock_threads_drop(struct taf_lock_threads *all, int32_t tid)
{
	struct taf_lock_thread *t = tid ? find(all, tid) : NULL;

	if (t)
		t->tid = 0;
}

bool taf_lock_threads_has(const struct taf_lock_threads *all, int32_t tid)
{
	for (int i = 0; i < TAF_LOCK_THREADS; i++)
		if (all->at[i].tid == tid)
			return true;
	return false;
}

/* Stacks grow down: while the call lasts, everything of its thread lies below it. What
 * cannot be seen, or lies on another stack, proves nothing. */
static bool has_left(const struct taf_lock_thread *t)
{
	uintptr_t now = t->frame ? taf_sys_stack_of(t->tid) : 0;

	return now > t->frame && now - t->frame <= TAF_SAME_STACK;
}

bool taf_lock_threads_weed(struct taf_lock_threads *all, uint64_t before_ms)
{
	int32_t pid = taf_sys_pid();
	bool is_last = true;

	for (int i = 0; i < TAF_LOCK_THREADS; i++) {
		struct taf_lock_thread *t = &all->at[i];

		if (t->tid && (taf_sys_tgkill(pid, t->tid, 0) == -ESRCH ||
			       (t->since_ms < before_ms && has_left(t))))
			t->tid = 0;
		is_last = is_last && !t->tid;
	}
	return is_last;
}
