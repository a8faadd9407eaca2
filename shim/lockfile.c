/* SPDX-License-Identifier: MIT */
#include "lockfile.h"

#include <errno.h>
#include <sys/file.h>

#include "lock_take.h"
#include "lock_threads.h"
#include "patience.h"
#include "sys_file.h"
#include "sys_lock.h"

#define DOOR_MS (TAF_LOCK_GUARD_MS + 50) /* who is inside may wait for the guard */
#define SLICE_MS 50
#define SAY_AGAIN_MS 1000 /* how often a waiter says that it is there still */

static struct {
	_Atomic(uint32_t) door; /* 0, or the tid of the thread inside */
	_Atomic(bool) is_held;
	/* the rest under the door; slot and its file change only while is_held is false */
	int slot; /* descriptor */
	uint64_t dev, ino; /* of its file: the program may have closed the number */
	int32_t pid; /* who holds it */
	bool takes_turns; /* it is held for a turn */
	struct taf_lock_threads threads; /* that compute */
	const struct taf_rules *rules; /* of the last try */
	bool is_placed, is_device_said;
	char device[TAF_LOCK_DEVICE];
	struct taf_lock_desk desk;
} lock;

/* ---- the door of this process ---- */

static bool enter(uint64_t *mask)
{
	struct taf_slices left = { .left_ns = (uint64_t)DOOR_MS * 1000000 };
	uint32_t me = (uint32_t)taf_sys_tid(), seen = 0;

	/* A handler that left by a jump would leave guard and door locked. */
	*mask = taf_sys_block_outside();
	while (!atomic_compare_exchange_strong(&lock.door, &seen, me)) {
		if (seen == me || !taf_next_slice(&left, SLICE_MS)) {
			taf_sys_restore_mask(*mask);
			return false;
		}
		taf_sys_wait(&lock.door, seen, 1);
		seen = 0;
	}
	return true;
}

static void leave(uint64_t mask)
{
	atomic_store(&lock.door, 0);
	taf_sys_wake_all(&lock.door);
	taf_sys_restore_mask(mask);
}

/* ---- the slot that is held ---- */

/* A program that closes every descriptor closes this one, and may have opened
 * another file under its number. */
static bool is_whole(void)
{
	struct taf_stat st;

	return !taf_sys_fstat(lock.slot, &st) && st.dev == lock.dev && st.ino == lock.ino;
}

static bool is_held(void)
{
	if (!atomic_load(&lock.is_held) || lock.pid != taf_sys_pid())
		return false;
	if (is_whole())
		return true;
	atomic_store(&lock.is_held, false);
	return false;
}

static void keep(int fd, bool takes_turns)
{
	struct taf_stat st;

	/* Not worth it for the time of a computation. */
	lock.slot = takes_turns ? fd : taf_sys_move_high(fd);
	taf_zero(&st, sizeof(st));
	taf_sys_fstat(lock.slot, &st);
	lock.dev = st.dev;
	lock.ino = st.ino;
	lock.pid = taf_sys_pid();
	lock.takes_turns = takes_turns;
	atomic_store(&lock.is_held, true);
}

static void give_back(void)
{
	if (is_held()) {
		/* Fork children share the lock with us; it ends for all of them. */
		taf_sys_flock(lock.slot, LOCK_UN);
		taf_sys_close(lock.slot);
	}
	atomic_store(&lock.is_held, false);
}

/* A thread that computes for longer than a turn is looked at. */
static void give_back_if_last(void)
{
	uint64_t now = taf_lock_now_ms(), turn = lock.desk.turn_ms;

	if (taf_lock_threads_weed(&lock.threads, now > turn ? now - turn : 0))
		give_back();
}

/* ---- trying ---- */

/* False: the answer is UNKNOWN, and why says why. */
static bool is_ready(const struct taf_rules *rules, struct taf_text *why)
{
	static const char no_device[] = "no variable names one device for this program: its GPU "
					"lock is the whole host's";
	struct taf_lock_desk *d = &lock.desk;

	if (!d->me.run[0] || d->me.pid != taf_sys_pid()) {
		if (why)
			taf_text_put(why, "the run has no name, so it cannot hold the GPU lock");
		return false;
	}
	if (!lock.is_placed && taf_lock_place(rules, d->env, lock.device, &d->place, why))
		return false;
	lock.is_placed = true;
	if (rules->lock_scope == TAF_SCOPE_DEVICE && !d->place.is_device && !lock.is_device_said &&
	    why) {
		lock.is_device_said = true;
		taf_text_put(why, no_device);
	}
	return true;
}

static bool is_turn_over(void)
{
	return lock.takes_turns && !taf_lock_threads_has(&lock.threads, taf_sys_tid()) &&
	       taf_lock_now_ms() - lock.desk.since_ms >= lock.desk.turn_ms;
}

static enum taf_lock_state attempt(const struct taf_rules *rules, struct taf_text *why)
{
	enum taf_lock_state s = TAF_LOCK_OURS;
	bool is_mine = is_held();

	lock.rules = rules;
	if (!is_mine || is_turn_over()) {
		if (!is_ready(rules, why))
			return TAF_LOCK_UNKNOWN;
		s = taf_lock_take(&lock.desk, rules, why);
		/* A thread that joins others of its process needs no second lock. */
		if (s == TAF_LOCK_OURS && is_mine)
			taf_sys_close(lock.desk.fd);
		else if (s == TAF_LOCK_OURS)
			keep(lock.desk.fd, rules->lock_hold == TAF_LOCK_HOLD_INFERENCE);
		/* Others wait for what perhaps only a thread keeps that left its decode. */
		else if (s == TAF_LOCK_BUSY && is_mine &&
			 taf_lock_threads_weed(&lock.threads, UINT64_MAX))
			give_back();
	}
	if (s == TAF_LOCK_OURS && lock.takes_turns)
		taf_lock_threads_add(&lock.threads, taf_lock_now_ms());
	return s;
}

enum taf_lock_state taf_lock_try(const struct taf_rules *rules, struct taf_text *why)
{
	enum taf_lock_state s;
	uint64_t mask;

	/* A fork child that did not forget has what it inherited. */
	if (rules->lock_hold == TAF_LOCK_HOLD_RUN && atomic_load(&lock.is_held) && is_whole())
		return TAF_LOCK_OURS;
	if (!enter(&mask))
		return TAF_LOCK_BUSY;
	s = attempt(rules, why);
	leave(mask);
	return s;
}

void taf_lock_holder(struct taf_text *out)
{
	uint64_t mask;

	if (!enter(&mask)) {
		taf_text_put(out, "another thread");
		return;
	}
	if (lock.desk.other.run[0])
		taf_lock_text_show(&lock.desk.other, out);
	else
		taf_text_put(out, lock.desk.words[0] ? lock.desk.words : "another program");
	leave(mask);
}

/* ---- waiting ---- */

/* A descriptor that can be read when who stands in the way has ended, or -1. */
static int holder_fd(void)
{
	const struct taf_lock_text *other = &lock.desk.other;
	int fd;

	if (!other->run[0] || other->hold == TAF_HOLD_INFERENCE ||
	    other->pid_ns != lock.desk.me.pid_ns || !taf_lock_text_is_alive(other))
		return -1;
	fd = taf_sys_pidfd(other->pid);
	/* The number may have changed hands before the descriptor stood for it. */
	if (fd >= 0 && taf_sys_start_ticks(other->pid) != other->start) {
		taf_sys_close(fd);
		return -1;
	}
	return fd;
}

static void sleep_a_while(uint32_t left_ms)
{
	struct taf_lock_desk *d = &lock.desk;
	uint32_t ms = 1;
	uint64_t mask;
	int fd = -1;

	if (enter(&mask)) {
		if (!d->is_waiting || taf_lock_now_ms() - d->said_ms >= SAY_AGAIN_MS)
			taf_lock_queue_up(d);
		fd = holder_fd();
		ms = d->look_ms;
		leave(mask);
	}
	ms = ms < left_ms ? ms : left_ms;
	if (fd < 0 || taf_sys_await(fd, ms) < 0)
		taf_sys_sleep_ms(ms);
	if (fd >= 0)
		taf_sys_close(fd);
}

void taf_lock_wait(uint32_t ms)
{
	uint64_t until = taf_sys_mono_ns() + (uint64_t)ms * 1000000, now;
	const struct taf_rules *rules = lock.rules;

	while (rules && (now = taf_sys_mono_ns()) < until) {
		sleep_a_while((uint32_t)((until - now) / 1000000) + 1);
		if (taf_lock_try(rules, NULL) != TAF_LOCK_BUSY)
			return;
	}
}

void taf_lock_release(void)
{
	uint64_t mask;

	if (!enter(&mask))
		return;
	if (lock.takes_turns && atomic_load(&lock.is_held)) {
		taf_lock_threads_drop(&lock.threads, taf_sys_tid());
		give_back_if_last();
	}
	if (lock.desk.is_waiting && !atomic_load(&lock.is_held))
		taf_lock_queue_quit(&lock.desk);
	leave(mask);
}

void taf_lock_release_all(void)
{
	uint64_t mask;

	if (!enter(&mask))
		return;
	if (lock.takes_turns && atomic_load(&lock.is_held)) {
		taf_zero(&lock.threads, sizeof(lock.threads));
		give_back_if_last();
	}
	leave(mask);
}

void taf_lock_drop(void)
{
	uint64_t mask;

	if (!atomic_load(&lock.is_held) || !enter(&mask))
		return;
	if (!lock.takes_turns)
		give_back();
	leave(mask);
}

void taf_lock_drop_thread(int32_t tid)
{
	uint64_t mask;

	if (!lock.takes_turns || !enter(&mask))
		return;
	if (atomic_load(&lock.is_held) && taf_lock_threads_has(&lock.threads, tid)) {
		taf_lock_threads_drop(&lock.threads, tid);
		give_back_if_last();
	}
	leave(mask);
}

/* ---- who we are ---- */

void taf_lock_name(const struct taf_lock_who *who)
{
	struct taf_lock_text *me = &lock.desk.me;

	taf_lock_forget();
	lock.is_placed = lock.is_device_said = lock.desk.is_trouble_said = false;
	taf_zero(lock.desk.is_note_said, sizeof(lock.desk.is_note_said));
	taf_zero(me, sizeof(*me));
	if (who->run && taf_lock_is_run(who->run))
		taf_copy(me->run, who->run, sizeof(me->run));
	taf_copy(me->label, who->label ? who->label : "", sizeof(me->label));
	taf_copy(me->command, who->command ? who->command : "", sizeof(me->command));
	me->pid = taf_sys_pid();
	me->start = taf_sys_start_ticks(0);
	me->pid_ns = taf_sys_pid_ns();
	me->boot = taf_lock_boot();
	lock.desk.env = who->env;
	taf_lock_device(who->theirs, lock.device);
}

void taf_lock_forget(void)
{
	atomic_store(&lock.is_held, false);
	lock.takes_turns = lock.desk.is_waiting = false;
	taf_zero(&lock.threads, sizeof(lock.threads));
	atomic_store(&lock.door, 0);
}
