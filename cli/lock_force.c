/* SPDX-License-Identifier: MIT */
/* lock_force.c -- `taffrail lock --take`: asks who holds a slot to end.
 *
 *   may we?  ---->  TERM to the roots of the run  ---->  free?  ---->  settle  ---->  free
 *                          half the wait later:            |
 *                          TERM to the rest                +-- time over: exit 1
 *
 * A root is a holder whose parent is none; `taffrail run` passes the signal on
 * and a server ends its own workers, so nobody gets it twice.  Who is stopped is
 * sent CONT after it.  Nobody is ever killed.  A signal goes through a pidfd that
 * was opened before the process was seen to hold the slot, so never to another
 * one of the same number.
 *
 * From the start we stand at the head of the queue, and hold the slot while
 * the kernel takes the buffers back: runs that wait begin after that.  Two of
 * us at once: the second one sees the first in the slot, and waits for it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../shim/lock_take.h"
#include "../shim/sys_lock.h"
#include "lock_cli.h"
#include "show.h"
#include "tell.h"
#include "verbs.h"

#define STEP_MS 50
#define SAY_MS 1000 /* how often the queue is told that we are there */

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424 /* the same on every architecture */
#endif

struct taking {
	const struct taf_lock_ask *ask;
	struct taf_lock_view *view;
	struct taf_slot_view *slot;
	struct taf_lock_text me;
	uint64_t dev, ino; /* of the slot's file */
	uint64_t began_ms, said_ms, shown_ms;
	bool is_terminal;
	uint32_t n_told;
	struct {
		int32_t pid;
		uint64_t start;
	} told[TAF_LOCK_HOLDERS];
	char victim[400]; /* who held it, for people */
	int fd; /* of the slot, once it is ours */
};

static void name_me(struct taking *t)
{
	uint64_t random = 0;
	struct taf_text run;

	taf_sys_random(&random, sizeof(random));
	taf_text_init(&run, t->me.run, sizeof(t->me.run));
	taf_text_hex(&run, random, 16);
	t->me.pid = getpid();
	t->me.start = taf_sys_start_ticks(0);
	t->me.pid_ns = taf_sys_pid_ns();
	t->me.boot = taf_lock_boot();
	t->me.hold = TAF_HOLD_TAKE;
	snprintf(t->me.command, sizeof(t->me.command), "taffrail lock --take");
}

static void name_victim(struct taking *t)
{
	char raw[240];
	struct taf_text x;

	taf_text_init(&x, raw, sizeof(raw));
	if (t->slot->has_text)
		taf_lock_text_show(&t->slot->text, &x);
	else if (t->slot->n)
		taf_text_put(&x, t->slot->holder[0].name);
	else
		taf_text_put(&x, "a program that says nothing of itself");
	taf_show_safe(t->victim, sizeof(t->victim), raw);
}

/* ---- which slot ---- */

static bool is_taken(const struct taf_slot_view *s)
{
	return s->state == TAF_SLOT_HELD || s->state == TAF_SLOT_SPOKEN_FOR;
}

/* 0, or an exit status after a line; *slot NULL: nothing to take. */
static int choose(const struct taf_lock_ask *ask, struct taf_lock_view *v,
		  struct taf_slot_view **slot)
{
	uint32_t n = 0;

	*slot = NULL;
	if (ask->slot > v->n) {
		taf_tell("lock: there %s %u slot%s, not %u", v->n == 1 ? "is" : "are", v->n,
			 v->n == 1 ? "" : "s", ask->slot);
		return TAF_EXIT_USAGE;
	}
	for (uint32_t i = 0; i < v->n; i++)
		if (is_taken(&v->slot[i]) && (!ask->slot || ask->slot == i + 1)) {
			*slot = &v->slot[i];
			n++;
		}
	if (n < 2)
		return 0;
	taf_tell("lock: %u slots are held; say which one with --slot (taffrail lock shows them)",
		 n);
	return TAF_EXIT_USAGE;
}

/* ---- whom to tell ---- */

static bool is_told(const struct taking *t, const struct taf_lock_holder *h)
{
	for (uint32_t i = 0; i < t->n_told; i++)
		if (t->told[i].pid == h->pid && t->told[i].start == h->start)
			return true;
	return false;
}

static bool has_parent_among(const struct taf_slot_view *s, const struct taf_lock_holder *h)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->holder[i].pid == h->ppid)
			return true;
	return false;
}

/* Sends sig to h if it is the process that was seen and holds the slot. 0 or -errno;
 * -ESRCH: it does not any more. */
static int send_to(const struct taking *t, const struct taf_lock_holder *h, int sig)
{
	int fd = taf_sys_pidfd(h->pid), err = fd < 0 ? fd : 0;

	if (!err && taf_sys_start_ticks(h->pid) != h->start)
		err = -ESRCH;
	/* Where we may not look, the text has named it, start time and all. */
	if (!err && !t->slot->is_by_text && !taf_lock_has_open(h->pid, t->dev, t->ino))
		err = -ESRCH;
	if (!err && syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* It is stopped, and would get what it was sent when somebody lets it go on. */
static void wake(const struct taking *t, const struct taf_lock_holder *h)
{
	char name[64];
	int err = send_to(t, h, SIGCONT);

	taf_show_safe(name, sizeof(name), h->name);
	if (err == -ESRCH)
		return;
	if (err)
		taf_tell("lock: %s (pid %d) is stopped and cannot be sent SIGCONT: %s", name,
			 (int)h->pid, strerror(-err));
	else
		taf_tell("lock: %s (pid %d) was stopped; it was sent SIGCONT as well, or it could "
			 "not end",
			 name, (int)h->pid);
}

static int tell_holders(struct taking *t, bool all)
{
	struct taf_slot_view *s = t->slot;

	for (uint32_t i = 0; i < s->n; i++) {
		struct taf_lock_holder *h = &s->holder[i];

		if (is_told(t, h) || (!all && has_parent_among(s, h)) ||
		    t->n_told == TAF_LOCK_HOLDERS)
			continue;
		if (send_to(t, h, SIGTERM))
			continue;
		t->told[t->n_told].pid = h->pid;
		t->told[t->n_told++].start = h->start;
	}
	for (uint32_t i = 0; i < s->n; i++)
		if (s->holder[i].is_stopped)
			wake(t, &s->holder[i]);
	return 0;
}

static bool is_ancestor(int32_t pid)
{
	struct taf_lock_holder h = { .ppid = getppid() };

	for (int i = 0; i < 64 && h.ppid > 0; i++) {
		if (h.ppid == pid)
			return true;
		if (!taf_lock_look_at(h.ppid, &h))
			return false;
	}
	return false;
}

/* Before anybody is told anything: whether all can be. 0, or an exit status after a line. */
static int may_take(const struct taking *t)
{
	const struct taf_slot_view *s = t->slot;
	char name[64];

	if (!s->n) {
		taf_tell("lock: slot %u is held by %s, whose processes cannot be seen from here; "
			 "try as root, on the host",
			 s->slot, t->victim);
		return TAF_EXIT_FAILED;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		const struct taf_lock_holder *h = &s->holder[i];
		int err = send_to(t, h, 0);

		taf_show_safe(name, sizeof(name), h->name);
		if (is_ancestor(h->pid)) {
			taf_tell("lock: slot %u is held by %s (pid %d), in which this very command "
				 "runs",
				 s->slot, name, (int)h->pid);
			return TAF_EXIT_FAILED;
		}
		if (err && err != -ESRCH) {
			taf_tell("lock: slot %u is held by %s (pid %d), which may not be told to "
				 "end: %s; nobody was told anything",
				 s->slot, name, (int)h->pid, strerror(-err));
			return TAF_EXIT_FAILED;
		}
	}
	return 0;
}

/* ---- waiting for it ---- */

/* Ahead of all who wait, and there still. Under the guard. */
static void stand_first(struct taking *t, bool is_leaving)
{
	int fd = taf_lock_open(&t->view->place, TAF_LOCK_QUEUE, 0, true);
	struct taf_lock_waiter me = { .pid = t->me.pid,
				      .start = t->me.start,
				      .pid_ns = t->me.pid_ns,
				      .since_ms = t->began_ms,
				      .seen_ms = taf_lock_now_ms() };

	if (fd < 0)
		return;
	taf_copy(me.run, t->me.run, sizeof(me.run));
	taf_lock_queue_read(fd, me.seen_ms, &t->view->queue);
	taf_lock_queue_leave(&t->view->queue, me.run);
	if (!is_leaving && taf_lock_queue_enter(&t->view->queue, &me))
		for (int i = 0; i < TAF_LOCK_WAITERS; i++)
			if (!strcmp(t->view->queue.at[i].run, me.run))
				t->view->queue.at[i].ticket = 0;
	taf_lock_queue_write(fd, &t->view->queue);
	close(fd);
	t->said_ms = me.seen_ms;
}

/* One look; true when the slot is ours, LOCK_EX, and says so. */
static bool seize(struct taking *t)
{
	int guard = taf_lock_guard(&t->view->place, true), fd = -1, text;

	if (guard < 0)
		return false;
	if (!t->said_ms || taf_lock_now_ms() - t->said_ms >= SAY_MS)
		stand_first(t, false);
	taf_lock_view_slot(&t->view->place, t->slot, &fd);
	/* A turn that is paused belongs to somebody who lives. */
	if (fd >= 0 && t->slot->state == TAF_SLOT_SPOKEN_FOR &&
	    taf_lock_text_is_alive(&t->slot->text)) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0) {
		t->me.since_ms = taf_lock_now_ms();
		t->me.since_utc_ms = taf_sys_utc_us() / 1000;
		text = taf_lock_open(&t->view->place, TAF_LOCK_HOLDER, t->slot->slot, true);
		if (text >= 0) {
			taf_lock_text_write(text, &t->me);
			close(text);
		}
		stand_first(t, true);
	}
	close(guard);
	t->fd = fd;
	return fd >= 0;
}

static void show_left(struct taking *t, const char *what, uint64_t left_ms)
{
	char left[32];

	if (!t->is_terminal || taf_lock_now_ms() - t->shown_ms < 1000)
		return;
	t->shown_ms = taf_lock_now_ms();
	fprintf(stderr, "\r%s: %s left\033[K", what,
		taf_show_ms(left, sizeof(left), left_ms * 1000));
	fflush(stderr);
}

static void clear(const struct taking *t)
{
	if (t->is_terminal && t->shown_ms)
		fputs("\r\033[K", stderr);
}

static int gave_up(struct taking *t)
{
	char list[400] = "", name[64], waited[32];
	size_t used = 0;
	int guard = taf_lock_guard(&t->view->place, true);

	clear(t);
	if (guard >= 0) {
		stand_first(t, true);
		close(guard);
	}
	taf_lock_find_holders(&t->view->place, t->slot);
	for (uint32_t i = 0; i < t->slot->n && used < sizeof(list) - 100; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s (pid %d)",
					 i ? ", " : "",
					 taf_show_safe(name, sizeof(name), t->slot->holder[i].name),
					 (int)t->slot->holder[i].pid);
	taf_tell("lock: slot %u is still held after %s by %s; nobody is killed: that is for you "
		 "to decide",
		 t->slot->slot, taf_show_ms(waited, sizeof(waited), t->ask->wait_ms * 1000),
		 used ? list : t->victim);
	return TAF_EXIT_FAILED;
}

static int settle(struct taking *t)
{
	uint64_t until = taf_lock_now_ms() + t->ask->settle_ms, now;

	while ((now = taf_lock_now_ms()) < until) {
		show_left(t, "the kernel takes the buffers back", until - now);
		taf_sys_sleep_ms(until - now < STEP_MS ? (uint32_t)(until - now) : STEP_MS);
	}
	clear(t);
	return 0;
}

static uint64_t waited_ms(const struct taking *t)
{
	return taf_lock_now_ms() - t->began_ms;
}

/* Who holds it, and then what is said of it: one of us that was quicker, and is one of those who
 * hold it, has said so when the guard is free. */
static void look(struct taking *t)
{
	int guard;

	taf_lock_find_holders(&t->view->place, t->slot);
	do
		guard = taf_lock_guard(&t->view->place, false);
	while (guard == -ETIMEDOUT && waited_ms(t) < t->ask->wait_ms);
	taf_lock_view_slot(&t->view->place, t->slot, NULL);
	if (guard >= 0)
		close(guard);
}

static bool is_anothers(const struct taking *t)
{
	return t->slot->has_text && t->slot->text.hold == TAF_HOLD_TAKE;
}

static int wait_for_slot(struct taking *t)
{
	uint64_t waited;
	bool is_second = false;

	while (!seize(t)) {
		waited = waited_ms(t);
		if (waited >= t->ask->wait_ms)
			return gave_up(t);
		if (!is_second && waited >= t->ask->wait_ms / 2) {
			is_second = true;
			look(t);
			if (!is_anothers(t))
				tell_holders(t, true);
		}
		show_left(t, "waiting for it to end", t->ask->wait_ms - waited);
		taf_sys_sleep_ms(STEP_MS);
	}
	clear(t);
	return 0;
}

/* Nobody was seen to hold it: perhaps because it changed hands during the look. */
static bool has_ended(struct taking *t)
{
	if (t->slot->n)
		return false;
	if (t->slot->state == TAF_SLOT_HELD)
		look(t);
	return t->slot->state != TAF_SLOT_HELD;
}

int taf_lock_force(const struct taf_lock_ask *ask, struct taf_lock_view *v)
{
	static struct taking t;
	char path[TAF_PATH_MAX], took[32], settled[32];
	bool is_second_taker, has_gone;
	struct stat st;
	int status = choose(ask, v, &t.slot);

	if (status)
		return status;
	if (!t.slot) {
		puts("nothing is held: there is nothing to take");
		return TAF_EXIT_OK;
	}
	t.ask = ask;
	t.view = v;
	t.is_terminal = isatty(STDERR_FILENO);
	t.began_ms = taf_lock_now_ms();
	name_me(&t);
	look(&t);
	name_victim(&t);
	if (!taf_lock_path(&v->place, TAF_LOCK_SLOT, t.slot->slot, path) && !stat(path, &st)) {
		t.dev = st.st_dev;
		t.ino = st.st_ino;
	}
	has_gone = has_ended(&t);
	is_second_taker = is_anothers(&t);
	if (!is_second_taker && !has_gone) {
		status = may_take(&t);
		if (status)
			return status;
		tell_holders(&t, false);
	}
	status = wait_for_slot(&t);
	if (status)
		return status;
	taf_show_ms(took, sizeof(took), (taf_lock_now_ms() - t.began_ms) * 1000);
	if (!is_second_taker)
		settle(&t);
	printf("slot %u was taken from %s in %s; %s for the kernel are over, and it is free\n",
	       t.slot->slot, t.victim, took,
	       taf_show_ms(settled, sizeof(settled), is_second_taker ? 0 : ask->settle_ms * 1000));
	close(t.fd);
	return TAF_EXIT_OK;
}
