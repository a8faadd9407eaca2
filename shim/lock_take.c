/* SPDX-License-Identifier: MIT */
#include "lock_take.h"

#include <errno.h>
#include <sys/file.h>

#include "lock_also.h"
#include "sys_file.h"
#include "sys_lock.h"

#define TURN_MAX_MS 10000u
#define LOOK_RUN_MS 250u /* it ends when a process ends, which its pidfd tells */
#define LOOK_TURN_MS 5u

/* One look at the slots. */
struct look {
	struct taf_lock_desk *d;
	const struct taf_rules *rules;
	struct taf_text *why;
	uint64_t now_ms;
	int queue; /* descriptor */
	uint32_t slot; /* at hand, from 1 */
	int fd; /* its descriptor */
	struct taf_lock_text text; /* of the slot at hand */
	bool has_text;
	bool is_found; /* somebody who stands in the way is on the desk */
	int err; /* of the slots that could not be asked */
};

static const char *reason(int err)
{
	switch (-err) {
	case EACCES:
	case EPERM: return "permission denied";
	case EROFS: return "the file system is read-only";
	case ENOSPC:
	case EDQUOT: return "no space is left";
	case ENOENT: return "there is no such folder";
	case ENOTSUP:
	case ELOOP:
	case EISDIR:
	case EMLINK: return "it is no plain file of one name";
	case EMFILE:
	case ENFILE: return "too many open files";
	default: return "the file system does not lock files";
	}
}

static enum taf_lock_state unknown(const struct look *l, int err)
{
	const struct taf_lock_place *p = &l->d->place;

	if (l->why && !l->why->used && !l->d->is_trouble_said) {
		l->d->is_trouble_said = true;
		taf_text_put(l->why, "the GPU lock cannot be used (");
		taf_text_put(l->why, p->is_path ? p->stem : p->dir);
		taf_text_put(l->why, ": ");
		taf_text_put(l->why, reason(err));
		taf_text_put(l->why, "): other runs are not seen");
	}
	return TAF_LOCK_UNKNOWN;
}

int taf_lock_guard(const struct taf_lock_place *place, bool makes)
{
	uint64_t until = taf_sys_mono_ns() + (uint64_t)TAF_LOCK_GUARD_MS * 1000000;
	int fd = taf_lock_open(place, TAF_LOCK_GUARD, 0, makes), err;

	if (fd < 0)
		return fd;
	while ((err = taf_sys_flock(fd, LOCK_EX | LOCK_NB)) == -EWOULDBLOCK &&
	       taf_sys_mono_ns() < until)
		taf_sys_sleep_ms(1);
	if (!err)
		return fd;
	taf_sys_close(fd);
	return err == -EWOULDBLOCK ? -ETIMEDOUT : err;
}

/* ---- who stands in the way: the first that is met ---- */

static void blame(struct look *l, const char *words, uint32_t look_ms)
{
	if (l->is_found)
		return;
	l->is_found = true;
	l->d->other.run[0] = '\0';
	taf_copy(l->d->words, words, sizeof(l->d->words));
	l->d->look_ms = look_ms;
}

static void blame_holder(struct look *l)
{
	bool takes_turns = l->text.hold == TAF_HOLD_INFERENCE;

	blame(l, "another program", LOOK_RUN_MS);
	if (!l->has_text)
		return;
	l->d->other = l->text;
	l->d->look_ms = takes_turns ? LOOK_TURN_MS : LOOK_RUN_MS;
}

static void blame_waiter(struct look *l, const struct taf_lock_waiter *w)
{
	char words[80];
	struct taf_text t;

	taf_text_init(&t, words, sizeof(words));
	taf_text_put(&t, "a run that waits longer (pid ");
	taf_text_i64(&t, w->pid);
	taf_text_char(&t, ')');
	blame(l, words, LOOK_TURN_MS);
}

/* ---- turns ---- */

static bool is_my_turn(const struct look *l)
{
	return l->has_text && l->text.hold == TAF_HOLD_INFERENCE &&
	       taf_same(l->text.run, l->d->me.run) && l->text.boot == l->d->me.boot;
}

static bool is_within_turn(const struct look *l)
{
	uint64_t turn = l->text.turn_ms < TURN_MAX_MS ? l->text.turn_ms : TURN_MAX_MS;

	return l->text.since_ms <= l->now_ms && l->now_ms - l->text.since_ms < turn;
}

/* Who we are need not be looked up. */
static bool is_alive(const struct look *l)
{
	return (l->text.pid == l->d->me.pid && l->text.start == l->d->me.start) ||
	       taf_lock_text_is_alive(&l->text);
}

/* Free, but somebody only takes breath. */
static bool is_spoken_for(const struct look *l)
{
	return l->has_text && l->text.hold == TAF_HOLD_INFERENCE && !is_my_turn(l) &&
	       is_within_turn(l) && taf_lock_text_is_alive(&l->text);
}

/* Whether somebody else is next. */
static bool is_behind(struct look *l)
{
	const struct taf_lock_waiter *w = taf_lock_queue_before(&l->d->queue, l->d->me.run);

	if (!w || (is_my_turn(l) && is_within_turn(l)))
		return false;
	blame_waiter(l, w);
	return true;
}

/* ---- taking and joining ---- */

/* A lock of somebody else's, if one is held. */
static bool is_other_locked(struct look *l)
{
	struct taf_lock_also who = { l->d->me.run, l->d->env };
	const struct taf_name_list *also = &l->rules->lock_also;
	struct taf_lock_foreign f;

	for (uint32_t i = 0; i < also->n && i < TAF_LOCK_ALSO; i++) {
		taf_lock_also_look(&who, also->at[i].name, &f);
		if (f.is_held) {
			blame(l, f.holder, LOOK_RUN_MS);
			return true;
		}
		if (f.note[0] && !l->d->is_note_said[i] && l->why && !l->why->used) {
			l->d->is_note_said[i] = true;
			taf_text_put(l->why, f.note);
		}
	}
	return false;
}

static int write_text(struct look *l, const struct taf_lock_text *text)
{
	int fd = taf_lock_open(&l->d->place, TAF_LOCK_HOLDER, l->slot, true), err;

	if (fd < 0)
		return fd;
	err = taf_lock_text_write(fd, text);
	taf_sys_close(fd);
	if (!err)
		l->text = *text;
	return err;
}

static int write_mine(struct look *l)
{
	struct taf_lock_text *me = &l->d->me;
	bool takes_turns = l->rules->lock_hold == TAF_LOCK_HOLD_INFERENCE;

	me->since_ms = l->now_ms;
	me->since_utc_ms = taf_sys_utc_us() / 1000;
	me->hold = takes_turns ? TAF_HOLD_INFERENCE : TAF_HOLD_RUN;
	me->turn_ms = takes_turns ? l->rules->drain_idle_ms : 0;
	return write_text(l, me);
}

/* The slot at hand is locked LOCK_EX. True when it is ours now. */
static bool take(struct look *l)
{
	bool goes_on =
		is_my_turn(l) && is_alive(l) && l->rules->lock_hold == TAF_LOCK_HOLD_INFERENCE;
	int err = 0;

	/* A turn that goes on is one turn, unless it was over and begins again. */
	if (!goes_on || l->d->is_waiting)
		err = write_mine(l);
	if (!err)
		err = taf_sys_flock(l->fd, LOCK_SH | LOCK_NB);
	/* Somebody who does not know the guard was quicker... */
	if (err == -EWOULDBLOCK)
		blame_holder(l);
	/* ... or nobody could tell whose it is: members would stand in their own way. */
	else if (err)
		l->err = err;
	return !err;
}

/* The slot at hand is held by somebody. True when that is our run, and we with it now. */
static bool join(struct look *l)
{
	struct taf_lock_text text;

	if (!l->has_text || !taf_same(l->text.run, l->d->me.run) || l->text.hold == TAF_HOLD_TAKE) {
		blame_holder(l);
		return false;
	}
	/* Turns end although members relieve each other without a pause. */
	if (l->text.hold == TAF_HOLD_INFERENCE && is_behind(l))
		return false;
	if (taf_sys_flock(l->fd, LOCK_SH | LOCK_NB)) {
		blame(l, "another program", LOOK_RUN_MS);
		return false;
	}
	if (is_alive(l))
		return true;
	/* Who took it is gone: waiters need somebody to look at. */
	text = l->text;
	text.pid = l->d->me.pid;
	text.start = l->d->me.start;
	text.pid_ns = l->d->me.pid_ns;
	taf_copy(text.command, l->d->me.command, sizeof(text.command));
	write_text(l, &text);
	return true;
}

static void read_text(struct look *l)
{
	int fd = taf_lock_open(&l->d->place, TAF_LOCK_HOLDER, l->slot, false);

	l->has_text = fd >= 0 && taf_lock_text_read(fd, &l->text);
	if (fd >= 0)
		taf_sys_close(fd);
}

static void quit(struct look *l)
{
	if (!l->d->is_waiting)
		return;
	taf_lock_queue_leave(&l->d->queue, l->d->me.run);
	taf_lock_queue_write(l->queue, &l->d->queue);
	l->d->is_waiting = false;
}

enum how { JOIN = 1, TAKE = 2 };

static bool is_ours_now(struct look *l, unsigned how, bool is_free)
{
	if (!is_free)
		return (how & JOIN) && join(l);
	if (!(how & TAKE))
		return false;
	if (is_spoken_for(l)) {
		blame_holder(l);
		return false;
	}
	return !is_behind(l) && !is_other_locked(l) && take(l);
}

/* Asks one slot, for joining, for taking or for both. True when it is ours. */
static bool ask_slot(struct look *l, unsigned how)
{
	int err;

	l->fd = taf_lock_open(&l->d->place, TAF_LOCK_SLOT, l->slot, how & TAKE);
	if (l->fd < 0) {
		l->err = l->fd == -ENOENT ? l->err : l->fd;
		return false;
	}
	err = taf_sys_flock(l->fd, LOCK_EX | LOCK_NB);
	read_text(l);
	if (err && err != -EWOULDBLOCK) {
		l->err = err;
	} else if (is_ours_now(l, how, !err)) {
		l->d->fd = l->fd;
		l->d->since_ms = l->text.since_ms;
		l->d->turn_ms = l->text.turn_ms < TURN_MAX_MS ? l->text.turn_ms : TURN_MAX_MS;
		quit(l);
		return true;
	}
	taf_sys_close(l->fd);
	return false;
}

static bool is_there(const struct look *l, uint32_t slot)
{
	char path[TAF_PATH_MAX];
	struct taf_stat st;

	return !taf_lock_path(&l->d->place, TAF_LOCK_SLOT, slot, path) && !taf_sys_stat(path, &st);
}

/* Slots beyond lock.slots are joined: a member with another policy may have taken one. */
static enum taf_lock_state ask_slots(struct look *l)
{
	uint32_t n = l->rules->lock_slots < TAF_LOCK_SLOTS ? l->rules->lock_slots : TAF_LOCK_SLOTS;

	/* Where one slot is all there is, one look tells all. */
	l->slot = 1;
	if (n == 1 && !is_there(l, 2)) {
		if (ask_slot(l, JOIN | TAKE))
			return TAF_LOCK_OURS;
		n = 0;
	}
	for (; n && l->slot <= TAF_LOCK_SLOTS && !l->err; l->slot++) {
		if (ask_slot(l, JOIN))
			return TAF_LOCK_OURS;
		if (l->slot >= n && l->fd == -ENOENT)
			break;
	}
	for (l->slot = 1; l->slot <= n && !l->err; l->slot++)
		if (ask_slot(l, TAKE))
			return TAF_LOCK_OURS;
	return l->is_found ? TAF_LOCK_BUSY : unknown(l, l->err ? l->err : -ENOLCK);
}

enum taf_lock_state taf_lock_take(struct taf_lock_desk *d, const struct taf_rules *rules,
				  struct taf_text *why)
{
	struct look l = { .d = d, .rules = rules, .why = why, .now_ms = taf_lock_now_ms() };
	enum taf_lock_state s;
	int guard = taf_lock_guard(&d->place, true);

	if (guard == -ETIMEDOUT) {
		blame(&l, "a program that keeps the guard of the lock", LOOK_TURN_MS);
		return TAF_LOCK_BUSY;
	}
	if (guard < 0)
		return unknown(&l, guard);
	l.queue = taf_lock_open(&d->place, TAF_LOCK_QUEUE, 0, true);
	if (l.queue < 0) {
		s = unknown(&l, l.queue);
	} else {
		taf_lock_queue_read(l.queue, l.now_ms, &d->queue);
		s = ask_slots(&l);
		taf_sys_close(l.queue);
	}
	taf_sys_close(guard);
	return s;
}

/* ---- the queue by itself ---- */

/* Opens guard and queue, and reads it. A negative descriptor: it cannot be done. */
static int open_queue(struct taf_lock_desk *d, int *queue)
{
	int guard = taf_lock_guard(&d->place, true);

	if (guard < 0)
		return guard;
	*queue = taf_lock_open(&d->place, TAF_LOCK_QUEUE, 0, true);
	if (*queue < 0) {
		taf_sys_close(guard);
		return *queue;
	}
	taf_lock_queue_read(*queue, taf_lock_now_ms(), &d->queue);
	return guard;
}

void taf_lock_queue_up(struct taf_lock_desk *d)
{
	struct taf_lock_waiter me = { .pid = d->me.pid,
				      .start = d->me.start,
				      .pid_ns = d->me.pid_ns,
				      .since_ms = taf_lock_now_ms(),
				      .seen_ms = taf_lock_now_ms() };
	int queue, guard = open_queue(d, &queue);

	if (guard < 0)
		return;
	taf_copy(me.run, d->me.run, sizeof(me.run));
	if (taf_lock_queue_enter(&d->queue, &me) && !taf_lock_queue_write(queue, &d->queue)) {
		d->is_waiting = true;
		d->said_ms = me.seen_ms;
	}
	taf_sys_close(queue);
	taf_sys_close(guard);
}

void taf_lock_queue_quit(struct taf_lock_desk *d)
{
	struct look l = { .d = d };
	int guard = open_queue(d, &l.queue);

	if (guard < 0)
		return;
	quit(&l);
	taf_sys_close(l.queue);
	taf_sys_close(guard);
}
