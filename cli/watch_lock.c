/* SPDX-License-Identifier: MIT */
#include "watch_lock.h"

#include <stdio.h>
#include <string.h>

#include "../policy/rules.h"
#include "../policy/text.h"

/* Whether that is news. */
static bool note(struct taf_watch_lock *l, const struct taf_lock_wait *wait)
{
	for (size_t i = 0; i < l->n; i++) {
		/* The moment is inferred anew with each reading. */
		uint64_t a = l->told[i].utc_us, b = wait->utc_us;

		if (l->told[i].pid == wait->pid && (a > b ? a - b : b - a) < 1000000) {
			bool is_news = l->told[i].fate != wait->fate;

			l->told[i].fate = wait->fate;
			return is_news;
		}
	}
	if (l->n == TAF_LOCK_TOLD_MAX)
		memmove(&l->told[0], &l->told[1], --l->n * sizeof(l->told[0]));
	l->told[l->n].pid = wait->pid;
	l->told[l->n].utc_us = wait->utc_us;
	l->told[l->n++].fate = wait->fate;
	return l->has_looked || wait->fate == TAF_LOCK_WAITS;
}

static void tell(const struct taf_watcher *w, const struct taf_lock_wait *wait)
{
	bool waits = wait->fate == TAF_LOCK_WAITS;
	struct taf_watch_event e = { .what = waits ? TAF_SEEN_WAITS : TAF_SEEN_WAITED,
				     .pid = wait->pid,
				     .still_ms = wait->ms,
				     .rule = taf_rule_info(TAF_RULE_lock_on_conflict)->path };
	char text[640];

	taf_copy(e.exe, taf_base(wait->program), sizeof(e.exe));
	taf_lock_wait_text(wait, text, sizeof(text));
	snprintf(e.text, sizeof(e.text), "%s (pid %d) %s", e.exe[0] ? e.exe : "a program",
		 (int)wait->pid, text);
	w->tell(w->ctx, &e);
}

void taf_watch_lock_look(struct taf_watch_lock *l, const struct taf_watcher *w)
{
	static struct taf_lock_past past;

	l->n_waiting = 0;
	taf_lock_past_find(&past, w->crumbs, true);
	for (size_t i = past.n; i > 0; i--) {
		const struct taf_lock_wait *wait = &past.of[i - 1];

		l->n_waiting += wait->fate == TAF_LOCK_WAITS;
		if (note(l, wait))
			tell(w, wait);
	}
	l->has_looked = true;
}
