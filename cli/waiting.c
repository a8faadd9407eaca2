/* SPDX-License-Identifier: MIT */
#include "waiting.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "supervise.h"
#include "tell.h"

#define LINE_MS 60000u
#define RENEW_MS 1000u
#define LINE_ROOM 600

void taf_waiting_begin(struct taf_waiting *w)
{
	const char *term = getenv("TERM");

	*w = (struct taf_waiting){ .is_terminal = isatty(STDERR_FILENO) && term &&
						  strcmp(term, "dumb") != 0 };
}

static void renew(const char *line)
{
	struct winsize size = { .ws_col = 0 };
	char out[LINE_ROOM + 32];
	int room = LINE_ROOM;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 20)
		room = size.ws_col - 1 < room ? size.ws_col - 1 : room;
	room = snprintf(out, sizeof(out), "\r%.*s\033[K", room, line);
	if (write(STDERR_FILENO, out, (size_t)room) < 0)
		return; /* nobody looks */
}

bool taf_waiting_is_due(const struct taf_waiting *w)
{
	return !w->has_said || taf_clock_ms() - w->said_ms >= (w->is_terminal ? RENEW_MS : LINE_MS);
}

void taf_waiting_show(struct taf_waiting *w, const char *line)
{
	char whole[LINE_ROOM];

	if (!taf_waiting_is_due(w))
		return;
	w->has_said = true;
	w->said_ms = taf_clock_ms();
	snprintf(whole, sizeof(whole), "taffrail: %s", line);
	if (w->is_terminal)
		renew(whole);
	else
		taf_tell("%s", line);
}

void taf_waiting_clear(struct taf_waiting *w)
{
	if (w->is_terminal && w->has_said)
		renew("");
}

void taf_waiting_signals(struct taf_waiting *w)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t before, after;

	sigpending(&before);
	if (sigisemptyset(&before))
		return;
	taf_waiting_clear(w);
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
