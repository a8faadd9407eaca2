/* SPDX-License-Identifier: MIT */
#include "run_lock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../policy/text.h"
#include "../shim/argv.h"
#include "../shim/lockfile.h"
#include "../shim/sys.h"
#include "show.h"
#include "supervise.h"
#include "tell.h"
#include "verbs.h"

#define SLICE_MS 100 /* how soon a signal acts */
#define LINE_MS 60000 /* between two lines where there is no terminal */
#define RENEW_MS 1000
#define HOLDER_ROOM 400
#define NEVER INT64_MIN

struct waiting {
	const struct taf_run_lock *l;
	bool is_terminal;
	int64_t said_at; /* ms */
	char holder[HOLDER_ROOM];
};

static int64_t now_ms(void)
{
	return (int64_t)(taf_sys_mono_ns() / 1000000);
}

static bool is_asked_for(const struct taf_rules *r)
{
	return r->mode == TAF_MODE_ENFORCE && r->lock_hold == TAF_LOCK_HOLD_RUN &&
	       (r->lock_on_conflict == TAF_ON_WAIT || r->lock_on_conflict == TAF_ON_REFUSE);
}

static void name_run(const struct taf_run_lock *l)
{
	static char command[TAF_LOCK_COMMAND];
	struct taf_lock_who who = { .run = l->run,
				    .label = l->label,
				    .command = command,
				    .env = l->env,
				    .theirs = l->env };
	struct taf_text t;
	int n = 0;

	while (l->command[n])
		n++;
	taf_text_init(&t, command, sizeof(command));
	taf_argv_words(n, l->command, &t);
	taf_lock_name(&who);
}

static void ask_holder(struct waiting *w)
{
	char raw[HOLDER_ROOM / 2];
	struct taf_text t;

	taf_text_init(&t, raw, sizeof(raw));
	taf_lock_holder(&t);
	taf_show_safe(w->holder, sizeof(w->holder), raw);
}

static void write_line(const char *line)
{
	struct winsize size = { .ws_col = 0 };
	char out[1024];
	int room = sizeof(out) - 1;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 20)
		room = size.ws_col - 1 < room ? size.ws_col - 1 : room;
	room = snprintf(out, sizeof(out), "\r%.*s\033[K", room, line);
	if (write(STDERR_FILENO, out, (size_t)room) < 0)
		return; /* nobody looks */
}

static void show(struct waiting *w, uint64_t left_ms)
{
	int64_t now = now_ms(), every = w->is_terminal ? RENEW_MS : LINE_MS;
	char line[HOLDER_ROOM + 100], left[32];

	if (w->said_at != NEVER && now - w->said_at < every)
		return;
	w->said_at = now;
	ask_holder(w);
	taf_show_ms(left, sizeof(left), left_ms * 1000);
	snprintf(line, sizeof(line), "waiting for the GPU lock, held by %s; %s left", w->holder,
		 left);
	if (w->is_terminal) {
		char whole[sizeof(line) + 16];

		snprintf(whole, sizeof(whole), "taffrail: %s", line);
		write_line(whole);
	} else {
		taf_tell("%s", line);
	}
}

static void clear(const struct waiting *w)
{
	if (w->is_terminal && w->said_at != NEVER)
		write_line("");
}

/* Lets signals that came do what they would do to a program that has no handlers. */
static void let_signals_act(const struct waiting *w)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t before, after;

	sigpending(&before);
	if (sigisemptyset(&before))
		return;
	clear(w);
	taf_signals_restore();
	taf_signals_block();
	sigpending(&after);
	/* The first process of a container is spared by the kernel. */
	for (size_t i = 0; getpid() == 1 && i < sizeof(ends) / sizeof(*ends); i++) {
		struct sigaction now;

		if (sigismember(&before, ends[i]) == 1 && sigismember(&after, ends[i]) == 0 &&
		    !sigaction(ends[i], NULL, &now) && now.sa_handler == SIG_DFL)
			_exit(128 + ends[i]);
	}
}

static int refused(struct waiting *w, uint64_t waited_ms)
{
	char waited[32];

	clear(w);
	ask_holder(w);
	if (w->l->rules->lock_on_conflict == TAF_ON_REFUSE)
		taf_tell("%s is not started, because lock.on_conflict is refuse and the GPU lock "
			 "is held by %s; see: taffrail lock",
			 w->l->command[0], w->holder);
	else
		taf_tell("%s is not started, because the GPU lock is held by %s and lock.max_wait "
			 "is over after %s; see: taffrail lock",
			 w->l->command[0], w->holder,
			 taf_show_ms(waited, sizeof(waited), waited_ms * 1000));
	taf_lock_release();
	return TAF_EXIT_HELD;
}

static int wait_for_it(struct waiting *w)
{
	const struct taf_rules *r = w->l->rules;
	uint64_t max = r->lock_on_conflict == TAF_ON_WAIT ? r->lock_max_wait_ms : 0;
	uint64_t waited, left;
	int64_t began = now_ms();

	for (;;) {
		waited = (uint64_t)(now_ms() - began);
		if (waited >= max)
			return refused(w, waited);
		left = max - waited;
		show(w, left);
		taf_lock_wait(left < SLICE_MS ? (uint32_t)left : SLICE_MS);
		if (taf_lock_try(r, NULL) != TAF_LOCK_BUSY) {
			clear(w);
			return 0;
		}
		let_signals_act(w);
	}
}

int taf_run_lock(const struct taf_run_lock *l)
{
	const char *term = getenv("TERM");
	struct waiting w = { .l = l, .said_at = NEVER };
	char why[512];
	struct taf_text t;
	enum taf_lock_state s;

	if (!l->run[0] || !is_asked_for(l->rules))
		return 0;
	w.is_terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
	name_run(l);
	taf_text_init(&t, why, sizeof(why));
	s = taf_lock_try(l->rules, &t);
	if (t.used)
		taf_tell("%s", why);
	return s == TAF_LOCK_BUSY ? wait_for_it(&w) : 0;
}
