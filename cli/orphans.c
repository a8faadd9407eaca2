/* SPDX-License-Identifier: MIT */
/* orphans.c -- `taffrail orphans`: work that began, did not end and makes no progress. */
#include "orphans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/text.h"
#include "../policy/value.h"
#include "jsonout.h"
#include "option.h"
#include "show.h"
#include "state_cli.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

#define AFTER_MS 90000u

struct options {
	const char *state, *log;
	uint64_t after_ms;
	bool is_json;
};

static int read_option(char **argv, int *i, struct options *o)
{
	const char *value, *name = argv[*i];

	if (!strcmp(name, "--json")) {
		o->is_json = true;
	} else if ((value = taf_option(argv, i, "--after"))) {
		if (taf_value_ms(value, &o->after_ms, NULL) || o->after_ms > TAF_DAY_MS * 365)
			return taf_usage_wrong("orphans",
					       "--after wants a duration as \"90s\", not \"%s\"",
					       value);
	} else if ((value = taf_option(argv, i, "--metal-guard"))) {
		o->log = value;
	} else if ((value = taf_option(argv, i, "--state"))) {
		o->state = value;
	} else {
		return taf_usage_wrong("orphans", "%s \"%s\"", taf_option_wrong(name), name);
	}
	if ((o->log && !*o->log) || (o->state && !*o->state))
		return taf_usage_wrong("orphans", "%s wants a value", name);
	return 0;
}

/* ---- For people ---- */

static void put_text(const char *s)
{
	taf_show_text(stdout, s, 160);
}

static void put_ms(uint64_t ms)
{
	char buf[32];

	fputs(taf_show_span(buf, sizeof(buf), ms), stdout);
}

static void put_model(const struct taf_orphan *o)
{
	char model[256];

	snprintf(model, sizeof(model), "%.*s", (int)o->model_n, o->model_n ? o->model : "");
	put_text(model[0] ? model : "an unknown model");
}

static void put_session(const struct taf_orphan *o)
{
	const struct taf_orphan_about *a = o->about;
	char name[sizeof(a->call)];

	put_text(a->exe[0] ? a->exe : "a process");
	printf(" (pid %d", (int)o->pid);
	printf("%s): ", o->is == TAF_ORPHAN_LOST ? ", gone" : "");
	if (a->kind >= 0)
		fputs(taf_kind_name((enum taf_kind)a->kind), stdout);
	fputc(' ', stdout);
	put_text(taf_show_call(name, sizeof(name), a->call));
	/* What is seen at a GPU runtime alone has none. */
	if (o->model_n) {
		fputs(" on ", stdout);
		put_model(o);
	}
	fputs(", begun ", stdout);
	put_ms(o->age_ms);
	fputs(" ago", stdout);
	if (o->is != TAF_ORPHAN_LOST) {
		fputs(", no progress for ", stdout);
		put_ms(o->still_ms);
	}
	if (o->is_sure)
		printf("; to end it: kill %d", (int)o->pid);
	fputc('\n', stdout);
}

static void put_line(const struct taf_orphan *o)
{
	fputs("metal-guard: ", stdout);
	put_model(o);
	fputs(", begun ", stdout);
	put_ms(o->age_ms);
	fputs(" ago", stdout);
	if (o->is == TAF_ORPHAN_LOST)
		fputs(", before the machine was started", stdout);
	else if (o->pid)
		printf("; its log names pid %d, which may be another process now", (int)o->pid);
	fputc('\n', stdout);
}

static size_t put_all(const struct taf_orphans *set, enum taf_orphan_is is, const char *title)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (set->at[i].is != is)
			continue;
		if (!n++)
			puts(title);
		fputs("  ", stdout);
		if (set->at[i].is_text)
			put_line(&set->at[i]);
		else
			put_session(&set->at[i]);
	}
	return n;
}

/* ---- For programs ---- */

static void json_one(struct taf_json *j, const struct taf_orphan *o)
{
	const struct taf_orphan_about *a = o->about;
	char model[256];

	snprintf(model, sizeof(model), "%.*s", (int)o->model_n, o->model_n ? o->model : "");
	taf_json_open(j, NULL, '{');
	taf_json_text(j, "source", o->is_text ? "metal_guard" : "crumbs");
	taf_json_text(j, "model", model[0] ? model : NULL);
	taf_json_u64(j, "age_ms", o->age_ms);
	taf_json_u64(j, "still_ms", o->still_ms);
	if (o->pid)
		taf_json_i64(j, "pid", o->pid);
	else
		taf_json_null(j, "pid");
	taf_json_u64(j, "start", o->start);
	taf_json_bool(j, "is_sure", o->is_sure);
	taf_json_text(j, "session", a ? a->session : NULL);
	taf_json_text(j, "run", a && a->run[0] ? a->run : NULL);
	taf_json_text(j, "exe", a && a->exe[0] ? a->exe : NULL);
	taf_json_text(j, "kind", a && a->kind >= 0 ? taf_kind_name((enum taf_kind)a->kind) : NULL);
	taf_json_text(j, "call", a && a->call[0] ? a->call : NULL);
	taf_json_i64(j, "tid", a ? a->tid : 0);
	taf_json_close(j);
}

static void json_list(struct taf_json *j, const struct taf_orphans *set, enum taf_orphan_is is,
		      const char *key)
{
	taf_json_open(j, key, '[');
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i].is == is)
			json_one(j, &set->at[i]);
	taf_json_close(j);
}

static void put_json(const struct taf_orphan_hunt *h)
{
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_u64(&j, "after_ms", h->judge.after_ms);
	json_list(&j, &h->set, TAF_ORPHAN_LIVE, "live_orphans");
	json_list(&j, &h->set, TAF_ORPHAN_YOUNG, "young");
	json_list(&j, &h->set, TAF_ORPHAN_LOST, "lost");
	taf_json_u64(&j, "dropped", h->set.n_dropped);
	taf_json_close(&j);
	taf_json_end(&j);
}

/* ---- The verb ---- */

static int find(const struct options *o, struct taf_orphan_hunt *h)
{
	char crumbs[TAF_PATH_MAX], log[TAF_PATH_MAX];
	int err = taf_state_is_named("orphans", o->state);

	if (err)
		return err;
	if (taf_crumbs_dir(crumbs, o->state)) {
		taf_tell("orphans: no state directory: set HOME or TAFFRAIL_STATE, or give "
			 "--state DIR");
		return TAF_EXIT_INTERNAL;
	}
	err = taf_orphans_of_crumbs(h, crumbs);
	if (err) {
		taf_state_tell_unread("orphans", crumbs, err);
		return TAF_EXIT_INTERNAL;
	}
	if (o->log)
		taf_copy(log, o->log, sizeof(log));
	else if (!taf_orphans_log_path(log, sizeof(log)))
		return 0;
	err = taf_orphans_of_log(h, log);
	if (err)
		taf_tell("orphans: %s cannot be read: %s", log, strerror(-err));
	else if (h->log_n && !h->set.n_lines)
		taf_tell("orphans: %s: nothing in it is of metal-guard; its breadcrumb log has "
			 "lines as \"[2026-11-25 10:00:00] SUBPROC_PRE: model\"",
			 log);
	return err && o->log ? TAF_EXIT_INTERNAL : 0;
}

/* What is young is under way as it should be. */
static void print_none(const struct taf_orphan_hunt *h)
{
	size_t n_lost = 0;

	for (size_t i = 0; i < h->set.n; i++)
		n_lost += h->set.at[i].is == TAF_ORPHAN_LOST;
	if (n_lost || !h->set.n) {
		puts(n_lost ? "none of them is still there" : "no orphans");
		return;
	}
	printf("no orphans: %zu under way, none without progress for ", h->set.n);
	put_ms(h->judge.after_ms);
	putchar('\n');
}

static int print(const struct options *o, const struct taf_orphan_hunt *h)
{
	size_t n_live = 0;

	for (size_t i = 0; i < h->set.n; i++)
		n_live += h->set.at[i].is == TAF_ORPHAN_LIVE;
	if (o->is_json) {
		put_json(h);
	} else {
		put_all(&h->set, TAF_ORPHAN_LIVE, "Without progress, and still there:");
		put_all(&h->set, TAF_ORPHAN_LOST, "Never ended, and gone:");
		if (!n_live)
			print_none(h);
	}
	if (h->set.n_dropped)
		taf_tell("orphans: %llu begins more than can be kept were left out",
			 (unsigned long long)h->set.n_dropped);
	if (fflush(stdout) || ferror(stdout))
		return TAF_EXIT_INTERNAL;
	return n_live ? TAF_EXIT_FAILED : TAF_EXIT_OK;
}

int taf_verb_orphans(int argc, char **argv)
{
	struct options o = { .after_ms = AFTER_MS };
	struct taf_orphan_hunt *h;
	int status = 0;

	for (int i = 1; i < argc && !status; i++)
		status = read_option(argv, &i, &o);
	if (status)
		return status;
	h = malloc(sizeof(*h));
	if (!h)
		return TAF_EXIT_INTERNAL;
	taf_orphans_begin(h, o.after_ms);
	status = find(&o, h);
	if (!status) {
		taf_orphans_judge(&h->set, &h->judge);
		status = print(&o, h);
	}
	taf_orphans_end(h);
	free(h);
	return status;
}
