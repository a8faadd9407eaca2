/* SPDX-License-Identifier: MIT */
#include "held.h"

#include <stdio.h>
#include <string.h>

#include "../policy/text.h"
#include "../shim/sys.h"
#include "show.h"
#include "tell.h"

#define HELD_MS 2000u
#define LINE_ROOM 520

static uint64_t ms_since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? (now_ns - then_ns) / 1000000 : 0;
}

static const char *who(char *buf, size_t room, const struct taf_watch_hold *hold)
{
	char safe[64];

	snprintf(buf, room, "%s (pid %d)",
		 hold->exe[0] ? taf_show_safe(safe, sizeof(safe), hold->exe) : "a process",
		 (int)hold->pid);
	return buf;
}

static const char *rule_of(char *buf, size_t room, const struct taf_watch_hold *hold)
{
	return hold->rule[0] ? taf_show_safe(buf, room, hold->rule) : "a rule";
}

/* "17.0s of 3m 00s, tiny": of a time as it is now. */
static void compared(char *buf, size_t room, const struct taf_watch_hold *hold, uint64_t now_ns)
{
	bool has_time = hold->need_ms && (int64_t)now_ns >= hold->from_ns;
	char have[32], need[32], why[160];
	struct taf_text t;

	taf_show_safe(why, sizeof(why), hold->why);
	if (!has_time) {
		snprintf(buf, room, "%s%s", why[0] ? ": " : "", why);
		return;
	}
	taf_text_init(&t, have, sizeof(have));
	taf_text_ms(&t, (uint64_t)((int64_t)now_ns - hold->from_ns) / 1000000);
	taf_show_span(need, sizeof(need), hold->need_ms);
	snprintf(buf, room, ": %s of %s%s%s", have, need, why[0] ? ", " : "", why);
}

/* "node (pid 12) waits because of cadence.same_model: 17.0s of 3m 00s, tiny; 2m 43s left" */
static void word(char *line, const struct taf_watch_hold *hold, uint64_t now_ns)
{
	char name[96], rule[64], why[256], span[32], left[64] = "";
	uint64_t ms = ms_since(hold->since_ns, now_ns);

	if (hold->pass_ns > now_ns)
		snprintf(left, sizeof(left), "; %s left",
			 taf_show_span(span, sizeof(span), ms_since(now_ns, hold->pass_ns)));
	else
		snprintf(left, sizeof(left), "; for %s so far",
			 taf_show_span(span, sizeof(span), ms));
	compared(why, sizeof(why), hold, now_ns);
	snprintf(line, LINE_ROOM, "%s waits because of %s%s%s", who(name, sizeof(name), hold),
		 rule_of(rule, sizeof(rule), hold), why, left);
}

static bool is_same(const struct taf_watch_hold *a, const struct taf_watch_hold *b)
{
	return a->pid == b->pid && a->start == b->start && a->since_ns == b->since_ns;
}

static void take(struct taf_held *h, const struct taf_watch_hold *hold, uint64_t now_ns)
{
	for (size_t i = 0; i < h->n; i++)
		if (is_same(&h->told[i].hold, hold)) {
			h->told[i].hold = *hold;
			h->told[i].is_there = true;
			return;
		}
	if (h->n == TAF_HOLDS_MAX || ms_since(hold->since_ns, now_ns) < HELD_MS)
		return;
	h->told[h->n].hold = *hold;
	h->told[h->n].is_there = true;
	taf_waiting_begin(&h->told[h->n++].waiting);
}

/* Who has died goes nowhere, and that is told by others. */
static void tell_end(struct taf_held *h, size_t i, uint64_t now_ns)
{
	const struct taf_watch_hold *hold = &h->told[i].hold;
	char name[96], rule[64], span[32];

	taf_waiting_clear(&h->told[i].waiting);
	if (taf_sys_start_ticks(hold->pid) != hold->start)
		return;
	taf_tell("%s waits no longer because of %s, after about %s", who(name, sizeof(name), hold),
		 rule_of(rule, sizeof(rule), hold),
		 taf_show_span(span, sizeof(span), ms_since(hold->since_ns, now_ns)));
}

static void drop_ended(struct taf_held *h, uint64_t now_ns)
{
	for (size_t i = 0; i < h->n;) {
		if (h->told[i].is_there) {
			i++;
			continue;
		}
		tell_end(h, i, now_ns);
		memmove(&h->told[i], &h->told[i + 1], (h->n - i - 1) * sizeof(h->told[0]));
		h->n--;
	}
}

void taf_held_show(struct taf_held *h, const struct taf_watcher *w)
{
	uint64_t now_ns = taf_sys_mono_ns();
	char line[LINE_ROOM + 32];

	for (size_t i = 0; i < h->n; i++)
		h->told[i].is_there = false;
	for (size_t i = 0; i < w->n_holds; i++)
		take(h, &w->holds[i], now_ns);
	drop_ended(h, now_ns);
	for (size_t i = 0; i < h->n; i++) {
		bool is_terminal = h->told[i].waiting.is_terminal;

		if (is_terminal && i)
			break;
		word(line, &h->told[i].hold, now_ns);
		if (is_terminal && h->n > 1)
			snprintf(line + strlen(line), 32, ", and %zu more", h->n - 1);
		taf_waiting_show(&h->told[i].waiting, line);
	}
}

void taf_held_clear(struct taf_held *h)
{
	for (size_t i = 0; i < h->n; i++)
		taf_waiting_clear(&h->told[i].waiting);
	h->n = 0;
}
