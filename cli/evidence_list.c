/* SPDX-License-Identifier: MIT */
/* evidence_list.c -- the events that one look at the sources has found. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../policy/klog.h"
#include "../policy/text.h"
#include "../shim/sys.h"
#include "evidence_source.h"

/* A driver in trouble says the same again and again. */
#define AGAIN_MS (60 * TAF_SECOND_MS)

bool taf_evidence_is_late(const struct taf_evidence *ev)
{
	return taf_sys_mono_ns() > ev->deadline_ns;
}

void taf_evidence_blind(struct taf_evidence *ev, const char *source, const char *format, ...)
{
	struct taf_blind *b = &ev->blind[ev->n_blind];
	va_list args;

	if (ev->n_blind == TAF_EVIDENCE_BLIND)
		return;
	ev->n_blind++;
	taf_copy(b->source, source, sizeof(b->source));
	va_start(args, format);
	vsnprintf(b->why, sizeof(b->why), format, args);
	va_end(args);
	/* A file name may hold anything; this becomes a line of ours. */
	for (char *p = b->why; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

void taf_evidence_read(struct taf_evidence *ev, uint64_t boot, uint64_t mono_ms)
{
	struct taf_boot_log *b = ev->n_boots ? &ev->boot[ev->n_boots - 1] : NULL;

	if (!boot)
		return;
	if (b && b->boot == boot) {
		b->from_ms = mono_ms < b->from_ms ? mono_ms : b->from_ms;
		return;
	}
	if (ev->n_boots == TAF_EVIDENCE_BOOTS)
		memmove(&ev->boot[0], &ev->boot[1], --ev->n_boots * sizeof(*ev->boot));
	ev->boot[ev->n_boots++] = (struct taf_boot_log){ boot, mono_ms };
}

static bool is_again(const struct taf_ledger_event *old, const struct taf_ledger_event *e)
{
	uint64_t x = old->at.utc_ms, y = e->at.utc_ms;

	if (strcmp(old->class, e->class) != 0 || strcmp(old->device, e->device) != 0 ||
	    strcmp(old->source, e->source) != 0 || old->at.boot != e->at.boot ||
	    (old->pid && e->pid && old->pid != e->pid))
		return false;
	return e->severity <= TAF_SEVERITY_NOTE || (x > y ? x - y : y - x) <= AGAIN_MS;
}

/* The oldest of the least harmful. */
static uint32_t least(const struct taf_evidence *ev)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < ev->n; i++)
		if (ev->event[i].severity < ev->event[at].severity)
			at = i;
	return at;
}

void taf_evidence_add(struct taf_evidence *ev, const struct taf_ledger_event *e)
{
	uint32_t at;

	for (uint32_t i = ev->n; i-- > 0;)
		if (is_again(&ev->event[i], e)) {
			if (e->at.utc_ms > ev->event[i].at.utc_ms)
				ev->event[i].at = e->at;
			return;
		}
	if (ev->n == TAF_EVIDENCE_EVENTS) {
		at = least(ev);
		if (ev->event[at].severity > e->severity)
			return;
		memmove(&ev->event[at], &ev->event[at + 1], (ev->n - at - 1) * sizeof(*ev->event));
		ev->n--;
	}
	ev->event[ev->n] = *e;
	ev->event[ev->n++].seen = ev->now;
}

/* For the events that the ledger has from before. When there is no room the oldest word goes. */
static void keep_word(struct taf_evidence *ev, const struct taf_klog *k,
		      const struct taf_moment *at)
{
	if (ev->n_words == TAF_EVIDENCE_WORDS)
		memmove(&ev->word[0], &ev->word[1], --ev->n_words * sizeof(*ev->word));
	ev->word[ev->n_words].k = *k;
	ev->word[ev->n_words++].at = *at;
}

void taf_evidence_line(struct taf_evidence *ev, const char *source, const char *line, size_t n,
		       const struct taf_moment *at)
{
	struct taf_ledger_event e = { .at = *at };
	struct taf_klog k;

	if (!taf_klog_line(line, n, &k))
		return;
	if (ev->hear)
		ev->hear(ev->hearer, ev, &(struct taf_heard){ &k, source, line, n, at });
	if (k.closes || k.is_verdict) {
		taf_klog_settle(ev->event, ev->n, &k, at);
		keep_word(ev, &k, at);
	}
	/* That something works again is no harm. */
	if (k.closes && k.severity <= TAF_SEVERITY_NOTE)
		return;
	e.severity = k.severity;
	e.pid = k.pid;
	taf_copy(e.class, k.class, sizeof(e.class));
	taf_copy(e.device, k.device, sizeof(e.device));
	taf_copy(e.source, source, sizeof(e.source));
	taf_evidence_add(ev, &e);
}
