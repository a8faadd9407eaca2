/* SPDX-License-Identifier: MIT */
/* events.c -- `taffrail events`: what went wrong on this machine, as far as it is known. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../policy/classify.h"
#include "../policy/value.h"
#include "gate_view.h"
#include "history.h"
#include "jsonout.h"
#include "option.h"
#include "show.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

#define AGE_MAX_MS (3650ull * TAF_DAY_MS)

static const char *const severity_words[] = {
	[TAF_SEVERITY_NONE] = "none",	    [TAF_SEVERITY_NOTE] = "note",
	[TAF_SEVERITY_PROCESS] = "process", [TAF_SEVERITY_DEVICE] = "device",
	[TAF_SEVERITY_MACHINE] = "machine", [TAF_SEVERITY_PANIC] = "panic",
};

static const char *kind_of(const struct taf_ledger_event *e)
{
	return e->is_abort	 ? "crash"
	       : e->is_suspected ? "suspected panic"
				 : severity_words[e->severity];
}

static void put_json(struct taf_json *j, const struct taf_ledger_event *e,
		     const struct taf_gate_view *v)
{
	char boot[20];

	snprintf(boot, sizeof(boot), "%016llx", (unsigned long long)e->at.boot);
	taf_json_open(j, NULL, '{');
	taf_json_time(j, "t", e->at.utc_ms * 1000);
	taf_json_text(j, "kind", kind_of(e));
	taf_json_text(j, "class", e->class);
	taf_json_u64(j, "severity", e->severity);
	taf_json_u64(j, "severity_in_force", taf_class_severity(&v->rules, e->class, e->severity));
	taf_json_bool(j, "suspected", e->is_suspected);
	taf_json_bool(j, "abort", e->is_abort);
	taf_json_text(j, "source", e->source);
	if (e->pid)
		taf_json_i64(j, "pid", e->pid);
	else
		taf_json_null(j, "pid");
	taf_json_text(j, "device", e->device[0] ? e->device : NULL);
	taf_json_text(j, "model", e->model[0] ? e->model : NULL);
	taf_json_text(j, "boot", e->at.boot ? boot : NULL);
	taf_json_time(j, "noted", e->seen.utc_ms * 1000);
	taf_json_u64(j, "age_ms", taf_ledger_age_ms(e, &v->now));
	taf_json_close(j);
}

/* " on 0000:01:00.0" and its like; nothing for an empty text. */
static void put_part(const char *before, const char *s)
{
	if (!*s)
		return;
	fputs(before, stdout);
	taf_show_text(stdout, s, TAF_LEDGER_ID);
}

static void put_text(const struct taf_ledger_event *e)
{
	char t[TAF_TIME_ROOM];

	printf("%.19sZ  %-15s  ", taf_show_time(t, e->at.utc_ms * 1000), kind_of(e));
	taf_show_text(stdout, e->class[0] ? e->class : "unknown", sizeof(e->class));
	put_part(" on ", e->device);
	put_part(" with ", e->model);
	if (e->pid)
		printf(" (pid %d)", (int)e->pid);
	put_part("; told by ", e->source);
	putchar('\n');
}

static void print(const struct taf_history *h, const struct taf_gate_view *v, uint64_t since_ms,
		  bool is_json)
{
	struct taf_json j;
	size_t n = 0;

	taf_json_init(&j, stdout);
	if (is_json) {
		taf_json_open(&j, NULL, '{');
		taf_json_open(&j, "events", '[');
	}
	for (size_t i = 0; i < h->n; i++) {
		if (taf_ledger_age_ms(&h->at[i], &v->now) > since_ms)
			continue;
		n++;
		if (is_json)
			put_json(&j, &h->at[i], v);
		else
			put_text(&h->at[i]);
	}
	if (!is_json && !n)
		puts("no events");
	if (!is_json)
		return;
	taf_json_close(&j);
	taf_json_open(&j, "blind", '[');
	for (uint32_t i = 0; i < v->evidence.n_blind; i++)
		taf_json_text(&j, NULL, v->evidence.blind[i].source);
	taf_json_close(&j);
	taf_json_u64(&j, "damaged_lines", h->n_bad);
	taf_json_close(&j);
	taf_json_end(&j);
}

/* What makes the list less than all there is. */
static void say_gaps(const struct taf_history *h, const struct taf_gate_view *v, int err)
{
	const struct taf_blind *b = v->evidence.blind;

	if (err)
		taf_tell("events: not all of the history in %s can be read: %s", v->dir.path,
			 strerror(-err));
	if (h->n_bad)
		taf_tell("events: %zu lines of the history in %s are damaged and were skipped",
			 h->n_bad, v->dir.path);
	if (v->evidence.n_blind)
		taf_tell("events: blind: %s: %s%s", b->source, b->why,
			 v->evidence.n_blind > 1 ? " (and more)" : "");
}

/* The ledger stands in where its events are not in the files: where nothing can be written. */
static void add_unsaved(struct taf_history *h, const struct taf_gate_view *v)
{
	static struct taf_ledger_event rest[TAF_LEDGER_EVENTS];
	size_t n = 0;

	if (h->n)
		return;
	for (uint32_t i = 0; i < v->ledger.n_events; i++)
		rest[n++] = v->ledger.event[i];
	h->at = rest;
	h->n = n;
}

static int show(const struct taf_gate_view *v, uint64_t since_ms, bool is_json)
{
	struct taf_history h;
	int err = taf_history_read(v->dir.path, &h);
	struct taf_ledger_event *own = h.at;

	add_unsaved(&h, v);
	print(&h, v, since_ms, is_json);
	say_gaps(&h, v, err);
	h.at = own;
	taf_history_free(&h);
	return err || taf_gate_is_broken(v) ? TAF_EXIT_INTERNAL : TAF_EXIT_OK;
}

int taf_verb_events(int argc, char **argv)
{
	static struct taf_gate_view view;
	struct taf_gate_ask ask = { .verb = "events" };
	uint64_t since_ms = UINT64_MAX;
	const char *value;
	int status;

	for (int i = 1; i < argc; i++) {
		if ((value = taf_option(argv, &i, "--since"))) {
			if (taf_value_ms(value, &since_ms, NULL) || since_ms > AGE_MAX_MS)
				return taf_usage_wrong("events",
						       "--since wants a duration as \"24h\", not "
						       "\"%s\"",
						       value);
			continue;
		}
		status = taf_gate_option(argv, &i, &ask);
		if (!status)
			return taf_usage_wrong("events", "%s \"%s\"", taf_option_wrong(argv[i]),
					       argv[i]);
		if (status > 1)
			return status;
	}
	ask.is_looking = true;
	status = taf_gate_look(&ask, &view);
	return status ? status : show(&view, since_ms, ask.is_json);
}
