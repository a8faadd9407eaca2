/* SPDX-License-Identifier: MIT */
#include "xids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/text.h"
#include "history.h"

void taf_xids_open(struct taf_xids *x, const char *state, const struct taf_world *w)
{
	memset(x, 0, sizeof(*x));
	taf_copy(x->state, state, sizeof(x->state));
	x->boot = taf_boot_key(w->boot);
}

void taf_xids_free(struct taf_xids *x)
{
	free(x->at);
	x->at = NULL;
	x->n = x->room = 0;
}

static void add(struct taf_xids *x, const struct taf_xid *xid)
{
	if (x->n == TAF_XIDS_MAX) {
		x->at[x->oldest] = *xid;
		x->oldest = (x->oldest + 1) % TAF_XIDS_MAX;
		return;
	}
	if (x->n == x->room) {
		size_t room = x->room ? x->room * 2 : 16;
		struct taf_xid *at = realloc(x->at, room * sizeof(*at));

		if (!at)
			return;
		x->at = at;
		x->room = room;
	}
	x->at[x->n++] = *xid;
}

static void hear(void *arg, const struct taf_evidence *ev, const struct taf_heard *h)
{
	struct taf_xid xid = { .boot = h->at->boot, .utc_ms = h->at->utc_ms, .pid = h->k->pid };
	size_t n = h->n < sizeof(xid.line) - 1 ? h->n : sizeof(xid.line) - 1;

	if (!taf_starts(h->k->class, "xid_"))
		return;
	xid.mono_ms = h->at->boot_ms;
	/* The journal gives CLOCK_MONOTONIC; to that of kmsg the time asleep was added. */
	if (!strcmp(h->source, "kmsg"))
		xid.mono_ms -= ev->asleep_ms < xid.mono_ms ? ev->asleep_ms : xid.mono_ms;
	taf_copy(xid.class, h->k->class, sizeof(xid.class));
	taf_copy(xid.device, h->k->device, sizeof(xid.device));
	taf_copy(xid.source, h->source, sizeof(xid.source));
	memcpy(xid.line, h->line, n);
	xid.what = h->k->what;
	xid.advice = h->k->advice;
	add(arg, &xid);
}

/* What the catalog says of that class, by a line that has it. */
static void look_up(struct taf_xid *xid)
{
	char line[64];
	struct taf_klog k;
	int n = snprintf(line, sizeof(line), "NVRM: Xid (?): %.9s,", xid->class + 4);

	if (taf_klog_line(line, (size_t)n, &k)) {
		xid->what = k.what;
		xid->advice = k.advice;
	}
}

static void read_noted(struct taf_xids *x)
{
	struct taf_history h = { .at = NULL };

	if (*x->state)
		taf_history_read(x->state, &h);
	for (size_t i = 0; i < h.n; i++) {
		const struct taf_ledger_event *e = &h.at[i];
		struct taf_xid xid = {
			.boot = e->at.boot, .utc_ms = e->at.utc_ms, .pid = e->pid, .is_noted = true
		};

		if (!taf_starts(e->class, "xid_") || e->is_elsewhere)
			continue;
		taf_copy(xid.class, e->class, sizeof(xid.class));
		taf_copy(xid.device, e->device, sizeof(xid.device));
		taf_copy(xid.source, e->source, sizeof(xid.source));
		look_up(&xid);
		add(x, &xid);
	}
	taf_history_free(&h);
}

static const struct taf_blind *gap(const struct taf_hearing *h, uint64_t boot, uint64_t since_ms)
{
	static const struct taf_blind nameless = {
		"boot", "the boot of that session is not known; look at the kernel's log by hand"
	};
	static const struct taf_blind other = {
		"boot", "only the logs of this boot and the one before are read; look for that of "
			"its boot, on its machine, with journalctl -k"
	};
	static const struct taf_blind late = {
		"boot", "what is left of the kernel's log begins after it; look for the rest with "
			"journalctl -k"
	};

	if (h->blind.why[0])
		return &h->blind;
	for (uint32_t i = 0; boot && i < h->n_boots; i++)
		if (h->boot[i].boot == boot)
			return h->boot[i].from_ms > since_ms ? &late : NULL;
	return boot ? &other : &nameless;
}

const struct taf_blind *taf_xids_load(struct taf_xids *x, uint64_t boot, uint64_t since_ms)
{
	bool is_this = boot == x->boot, *has = is_this ? &x->has_kmsg : &x->has_journal;
	struct taf_hearing *h = is_this ? &x->kmsg : &x->journal;

	if (!x->has_noted)
		read_noted(x);
	x->has_noted = true;
	if (!*has)
		taf_evidence_hear(!is_this, hear, x, h);
	*has = true;
	return gap(h, boot, since_ms);
}
