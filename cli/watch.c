/* SPDX-License-Identifier: MIT */
/* watch.c -- `taffrail watch`: looks after all guests of a state directory.
 *
 * Needs nothing of the guests and may come and go; what it does stands in
 * watcher.h.  SIGTERM and SIGINT end it between two looks.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../policy/text.h"
#include "../policy/value.h"
#include "../shim/journal.h"
#include "../shim/share.h"
#include "clock.h"
#include "evidence.h"
#include "jsonout.h"
#include "option.h"
#include "policy_find.h"
#include "show.h"
#include "state_cli.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"
#include "watch_lock.h"

extern char **environ;

#define INTERVAL_MS 5000u
#define ONCE_MS 100u /* until what was told to end has */
#define LEAST_MS 100u
#define REFRESH_MS 60000u /* between two readings of the kernel's evidence */

struct options {
	const char *state, *policy;
	const char **sets;
	size_t n_sets;
	uint64_t interval_ms;
	bool is_once, is_json;
};

static int take_interval(const char *value, struct options *o)
{
	char why[160];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	if (!taf_value_ms(value, &o->interval_ms, &t) && o->interval_ms >= LEAST_MS &&
	    o->interval_ms <= TAF_DAY_MS)
		return 0;
	return taf_usage_wrong("watch", "--interval wants 100ms to 1d, as \"5s\", not \"%s\"",
			       value);
}

static int read_option(char **argv, int *i, struct options *o)
{
	const char *value, *name = argv[*i];

	if (!strcmp(name, "--once"))
		o->is_once = true;
	else if (!strcmp(name, "--json"))
		o->is_json = true;
	else if ((value = taf_option(argv, i, "--interval")))
		return take_interval(value, o);
	else if ((value = taf_option(argv, i, "--state")))
		o->state = value;
	else if ((value = taf_option(argv, i, "--policy")))
		o->policy = value;
	else if ((value = taf_option(argv, i, "--set")))
		o->sets[o->n_sets++] = value;
	else
		return taf_usage_wrong("watch", "%s \"%s\"", taf_option_wrong(name), name);
	if (argv[*i] != name && !argv[*i][0])
		return taf_usage_wrong("watch", "%s wants a value", name);
	return 0;
}

static int read_options(int argc, char **argv, struct options *o)
{
	int err = 0;

	o->interval_ms = INTERVAL_MS;
	o->sets = calloc((size_t)argc + 1, sizeof(*o->sets));
	if (!o->sets)
		return TAF_EXIT_INTERNAL;
	for (int i = 1; i < argc && !err; i++)
		err = read_option(argv, &i, o);
	for (size_t i = 0; i < o->n_sets && !err; i++)
		if (!strchr(o->sets[i], '=') || strchr(o->sets[i], ';'))
			err = taf_usage_wrong("watch", "--set wants KEY=VALUE, not \"%s\"",
					      o->sets[i]);
	return err;
}

/* ---- Telling ---- */

static void put_json(const struct taf_watch_event *e)
{
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_time(&j, "t", taf_sys_utc_us());
	taf_json_text(&j, "event", taf_seen_name(e->what));
	taf_json_text(&j, "session", e->session[0] ? e->session : NULL);
	taf_json_i64(&j, "pid", e->pid);
	taf_json_u64(&j, "start", e->start);
	taf_json_i64(&j, "tid", e->tid);
	taf_json_text(&j, "exe", e->exe[0] ? e->exe : NULL);
	taf_json_text(&j, "call", e->call[0] ? e->call : NULL);
	taf_json_text(&j, "model", e->model[0] ? e->model : NULL);
	taf_json_u64(&j, "still_ms", e->still_ms);
	taf_json_u64(&j, "limit_ms", e->limit_ms);
	taf_json_text(&j, "rule", e->rule);
	taf_json_text(&j, "stack", e->stack[0] ? e->stack : NULL);
	taf_json_text(&j, "text", e->text);
	taf_json_close(&j);
	taf_json_end(&j);
}

static void put(void *ctx, const struct taf_watch_event *e)
{
	const struct options *o = ctx;
	char t[TAF_TIME_ROOM];

	if (o->is_json) {
		put_json(e);
	} else {
		fputs(taf_show_time(t, taf_sys_utc_us()), stdout);
		fputc(' ', stdout);
		taf_show_text(stdout, e->text, SIZE_MAX);
		fputc('\n', stdout);
	}
	fflush(stdout);
}

/* ---- The policy and the places ---- */

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

static int read_policy(const struct options *o, const struct taf_state_dir *state,
		       struct taf_policy_found *found)
{
	static struct taf_policy file;
	struct taf_policy_ask ask = { .file = o->policy,
				      .sets = o->sets,
				      .n_sets = o->n_sets,
				      .state = taf_state_is_there(state) ? state->path : NULL,
				      .who.exe = "",
				      .who.argv = "",
				      .tell = say_mistake };

	if (taf_policy_find(&ask, &file, found)) {
		taf_tell("there is no memory left to read the policy");
		return TAF_EXIT_INTERNAL;
	}
	return found->n_bad && found->is_strict ? TAF_EXIT_POLICY : 0;
}

struct places {
	struct taf_state_dir state;
	char crumbs[PATH_MAX], stacks[PATH_MAX];
};

static int find_places(const struct options *o, struct places *p)
{
	int err = o->is_once ? taf_state_is_named("watch", o->state) : 0;

	if (err)
		return err;
	if (taf_state_find(o->state, &p->state)) {
		taf_tell("watch: no state directory: set HOME or TAFFRAIL_STATE, or give --state "
			 "DIR");
		return TAF_EXIT_INTERNAL;
	}
	/* Its first guest may be yet to come. */
	if (o->state && !taf_state_is_there(&p->state))
		taf_tell("watch: %s is not there yet", p->state.path);
	taf_state_sub(&p->state, "crumbs", p->crumbs, sizeof(p->crumbs));
	taf_state_sub(&p->state, "stacks", p->stacks, sizeof(p->stacks));
	return 0;
}

/* ---- Looking ---- */

/* What the kernel has written down meanwhile goes into the ledger, for all gates. */
static void refresh(const struct options *o, const struct places *p)
{
	static struct taf_evidence_report report;
	static bool is_blind_told;
	struct taf_watch_event e = { .what = TAF_SEEN_EVIDENCE };

	if (o->is_once || access(p->state.path, W_OK))
		return;
	taf_share_open(p->state.path);
	taf_evidence_refresh(p->state.path, &report);
	for (uint32_t i = 0; i < report.n_blind && !is_blind_told; i++)
		taf_tell("watch: cannot read %s: %s", report.blind[i].source, report.blind[i].why);
	is_blind_told = true;
	snprintf(e.text, sizeof(e.text), "kernel: %u new event%s; see: taffrail events",
		 report.n_new, report.n_new == 1 ? "" : "s");
	if (report.n_new)
		put((void *)(uintptr_t)o, &e);
}

/* True when a signal asks us to end. */
static bool pause_ms(uint64_t ms, const sigset_t *ending)
{
	struct timespec ts = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	return sigtimedwait(ending, NULL, &ts) > 0;
}

static int watch(const struct options *o, const struct places *p, struct taf_watcher *w)
{
	static struct taf_watch_lock lock;
	uint64_t refreshed_ms = 0, now;
	bool is_ending = false;
	size_t n_stalled = 0;
	sigset_t ending;
	int err;

	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	do {
		now = taf_clock_ms();
		if (!refreshed_ms || now - refreshed_ms >= REFRESH_MS) {
			refresh(o, p);
			refreshed_ms = now;
		}
		err = taf_watcher_look(w);
		if (!err)
			taf_watch_lock_look(&lock, w);
		if (w->n_stalled > n_stalled)
			n_stalled = w->n_stalled;
		if (err || ferror(stdout) || (o->is_once && !taf_watcher_is_waiting(w)))
			break;
		is_ending = pause_ms(o->is_once ? ONCE_MS : o->interval_ms, &ending);
	} while (!is_ending);
	if (err)
		taf_state_tell_unread("watch", w->crumbs, err);
	if (o->is_once && !o->is_json && !err && !n_stalled)
		printf("%zu guest%s, nothing stalled\n", w->n_live, w->n_live == 1 ? "" : "s");
	taf_watcher_close(w);
	if (err || fflush(stdout) || ferror(stdout))
		return TAF_EXIT_INTERNAL;
	return o->is_once && n_stalled ? TAF_EXIT_FAILED : TAF_EXIT_OK;
}

int taf_verb_watch(int argc, char **argv)
{
	static struct taf_policy_found found;
	static struct taf_watcher watcher;
	static struct places places;
	struct options o = { 0 };
	int status = read_options(argc, argv, &o);

	if (!status)
		status = find_places(&o, &places);
	if (!status)
		status = read_policy(&o, &places.state, &found);
	if (!status && found.rules.mode == TAF_MODE_OFF) {
		taf_tell("watch: the mode of the policy is off");
		status = TAF_EXIT_FAILED;
	}
	if (!status) {
		watcher.rules = &found.rules;
		watcher.crumbs =
			found.rules.crumbs_dir[0] == '/' ? found.rules.crumbs_dir : places.crumbs;
		watcher.stacks = places.stacks;
		watcher.own =
			(struct taf_own){ .crumbs = watcher.crumbs,
					  .run = "",
					  .role = "watch",
					  .journal = taf_journal_path(&found.rules, environ) };
		watcher.tell = put;
		watcher.ctx = &o;
		status = watch(&o, &places, &watcher);
	}
	taf_policy_found_free(&found);
	free(o.sets);
	return status;
}
