/* SPDX-License-Identifier: MIT */
/* report.c -- `taffrail report`: which sessions are meant.
 *
 * Runs are loaded, printed and dropped one after the other, so that --all
 * needs no more memory than the biggest run.
 */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/text.h"
#include "option.h"
#include "pick.h"
#include "show.h"
#include "state_cli.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

enum which { WHICH_ANY, WHICH_LAST, WHICH_ALL, WHICH_SESSION, WHICH_RUN };

struct options {
	enum which which; /* ANY: the last */
	const char *name; /* of the session or run */
	const char *state;
	bool is_json;
};

struct report {
	struct options options;
	struct taf_trails trails;
	struct taf_world world;
	struct taf_xids xids;
	bool *is_chosen; /* one a trail */
	struct taf_json json;
	bool has_printed;
};

static int choose(struct options *o, enum which which, const char *name)
{
	if (o->which != WHICH_ANY)
		return taf_usage_wrong("report",
				       "--last, --all, --run and --session exclude each other");
	if (name && !*name)
		return taf_usage_wrong("report", "%s wants a value",
				       which == WHICH_RUN ? "--run" : "--session");
	o->which = which;
	o->name = name;
	return 0;
}

static int read_options(int argc, char **argv, struct options *o)
{
	const char *value;
	int err = 0;

	for (int i = 1; i < argc && !err; i++) {
		if (!strcmp(argv[i], "--json")) {
			o->is_json = true;
		} else if (!strcmp(argv[i], "--last")) {
			err = choose(o, WHICH_LAST, NULL);
		} else if (!strcmp(argv[i], "--all")) {
			err = choose(o, WHICH_ALL, NULL);
		} else if ((value = taf_option(argv, &i, "--session"))) {
			err = choose(o, WHICH_SESSION, value);
		} else if ((value = taf_option(argv, &i, "--run"))) {
			err = choose(o, WHICH_RUN, value);
		} else if ((value = taf_option(argv, &i, "--state"))) {
			if (!*value)
				err = taf_usage_wrong("report", "--state wants a directory");
			o->state = value;
		} else if (argv[i][0] != '-') {
			err = taf_usage_wrong("report",
					      "\"%s\" is one word too many; "
					      "for one process: --session %s",
					      argv[i], argv[i]);
		} else {
			err = taf_usage_wrong("report", "%s \"%s\"", taf_option_wrong(argv[i]),
					      argv[i]);
		}
	}
	return err;
}

bool taf_report_head(const struct taf_trail *trail, struct taf_crumb_line *line)
{
	for (size_t i = 0; i < trail->n_past; i++)
		if (trail->past[i].kind == TAF_START && taf_past_line(&trail->past[i], line))
			return true;
	return false;
}

static bool is_same_run(const struct taf_trail *a, const struct taf_trail *b)
{
	return a == b || (a->run[0] && !strcmp(a->run, b->run));
}

static bool is_wanted(const struct report *r, const struct taf_trail *t,
		      const struct taf_trail *newest)
{
	switch (r->options.which) {
	case WHICH_ALL: return taf_trail_is_guest(t);
	case WHICH_SESSION: return t == newest;
	case WHICH_RUN: return t->run[0] && taf_starts(t->run, r->options.name);
	default: return newest && is_same_run(t, newest);
	}
}

/* What `run` left belongs to the others, and is shown alone only where there are none. */
static void drop_runners(struct report *r)
{
	bool has_guest = false;

	for (size_t i = 0; i < r->trails.n; i++)
		has_guest =
			has_guest || (r->is_chosen[i] && taf_trail_is_guest(&r->trails.list[i]));
	for (size_t i = 0; i < r->trails.n; i++)
		if (!taf_trail_is_guest(&r->trails.list[i]) &&
		    (has_guest || !taf_trail_is_run(&r->trails.list[i])))
			r->is_chosen[i] = false;
}

static int select_trails(struct report *r)
{
	struct taf_trail *newest = taf_trails_newest(&r->trails, false);
	int err = 0;

	r->is_chosen = calloc(r->trails.n + 1, sizeof(*r->is_chosen));
	if (!r->is_chosen)
		return TAF_EXIT_INTERNAL;
	if (!newest)
		newest = taf_trails_newest(&r->trails, true);
	if (r->options.which == WHICH_SESSION)
		err = taf_pick_session(&r->trails, "report", r->options.name, &newest);
	else if (r->options.which == WHICH_RUN)
		err = taf_pick_run(&r->trails, "report", r->options.name, false);
	if (err)
		return err;
	for (size_t i = 0; i < r->trails.n; i++)
		r->is_chosen[i] = is_wanted(r, &r->trails.list[i], newest);
	drop_runners(r);
	return 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct taf_page *x = a, *y = b;
	int wx = taf_ended_weight(x->story->verdict), wy = taf_ended_weight(y->story->verdict);

	if (wx != wy)
		return wx > wy ? -1 : 1;
	if ((x->story->submits != 0) != (y->story->submits != 0))
		return x->story->submits ? -1 : 1;
	return x->trail < y->trail ? -1 : 1;
}

static int load_page(struct report *r, struct taf_trail *t, struct taf_page *page)
{
	struct taf_trail *runner = taf_trails_runner(&r->trails, t->run);
	int err = taf_trail_load(t, r->trails.dir);

	page->trail = t;
	page->trails = &r->trails;
	page->world = &r->world;
	page->xids = &r->xids;
	page->story = malloc(sizeof(*page->story));
	if (!page->story || err)
		return -ENOMEM;
	if (runner && runner != t && !runner->past)
		err = taf_trail_load(runner, r->trails.dir);
	page->runner = runner;
	taf_story_tell(page->story, t, runner, &r->world);
	return err;
}

static void print_run(struct report *r, struct taf_run_report *run)
{
	qsort(run->pages, run->n, sizeof(*run->pages), by_weight);
	if (r->options.is_json) {
		for (size_t i = 0; i < run->n; i++)
			taf_report_json(&r->json, &run->pages[i]);
		return;
	}
	if (r->has_printed)
		fputc('\n', stdout);
	r->has_printed = true;
	taf_report_text(stdout, run);
}

/* Every chosen session of the run that first belongs to. */
static int report_run(struct report *r, size_t first)
{
	struct taf_run_report run = { .trails = &r->trails, .world = &r->world };
	struct taf_trail *list = r->trails.list;
	int err = 0;

	run.pages = calloc(r->trails.n, sizeof(*run.pages));
	if (!run.pages)
		return -ENOMEM;
	for (size_t i = 0; i < r->trails.n && !err; i++) {
		if (!r->is_chosen[i] || !is_same_run(&list[i], &list[first]))
			continue;
		r->is_chosen[i] = false;
		err = load_page(r, &list[i], &run.pages[run.n++]);
	}
	if (!err) {
		taf_run_ending_find(&run, taf_trails_runner(&r->trails, list[first].run));
		print_run(r, &run);
	}
	for (size_t i = 0; i < run.n; i++) {
		taf_trail_unload(run.pages[i].trail);
		free(run.pages[i].story);
	}
	free(run.pages);
	return err;
}

/* No session was chosen: there may be remarks from outside all the same. */
static void print_nothing(const struct report *r)
{
	size_t notes = 0;

	for (size_t i = 0; i < r->trails.n; i++)
		notes += !strcmp(r->trails.list[i].role, "note");
	printf("No run is recorded in %s: what uses no engine and no GPU that is seen leaves "
	       "nothing; see: taffrail doctor -- COMMAND\n",
	       r->trails.dir);
	if (notes)
		printf("There %s %zu note%s from outside; see: taffrail log\n",
		       notes == 1 ? "is" : "are", notes, notes == 1 ? "" : "s");
}

static bool is_last(const struct report *r)
{
	return r->options.which == WHICH_ANY || r->options.which == WHICH_LAST;
}

static int report_all(struct report *r)
{
	struct taf_refused_start refused;
	int err = 0;

	taf_refused_start_find(&refused, &r->trails, taf_trails_newest(&r->trails, false),
			       &r->world);

	if (r->options.is_json) {
		taf_json_init(&r->json, stdout);
		taf_json_open(&r->json, NULL, '{');
		taf_json_open(&r->json, "sessions", '[');
	} else if (is_last(r))
		taf_refused_start_text(stdout, &refused);
	for (size_t i = r->trails.n; i > 0 && !err; i--)
		if (r->is_chosen[i - 1])
			err = report_run(r, i - 1);
	if (r->options.is_json) {
		taf_json_close(&r->json);
		if (is_last(r))
			taf_refused_start_json(&r->json, &refused);
		taf_json_end(&r->json);
	} else if (!r->has_printed && !err)
		print_nothing(r);
	if (fflush(stdout) || ferror(stdout)) {
		taf_tell("report: cannot write the answer: %s", strerror(errno));
		return TAF_EXIT_INTERNAL;
	}
	if (!err)
		return TAF_EXIT_OK;
	taf_tell("report: %s", strerror(-err));
	return TAF_EXIT_INTERNAL;
}

int taf_verb_report(int argc, char **argv)
{
	struct report r = { 0 };
	struct taf_state_dir state;
	char dir[TAF_PATH_MAX];
	int err = read_options(argc, argv, &r.options);

	if (!err)
		err = taf_state_is_named("report", r.options.state);
	if (err)
		return err;
	err = taf_crumbs_dir(dir, r.options.state);
	if (err) {
		taf_tell("report: no state directory: set HOME or TAFFRAIL_STATE, or give --state "
			 "DIR");
		return TAF_EXIT_INTERNAL;
	}
	taf_world_now(&r.world);
	taf_xids_open(&r.xids, taf_state_find(r.options.state, &state) ? "" : state.path, &r.world);
	err = taf_trails_scan(&r.trails, dir, &r.world);
	if (err) {
		taf_state_tell_unread("report", dir, err);
		err = TAF_EXIT_INTERNAL;
	} else {
		err = select_trails(&r);
		if (!err)
			err = report_all(&r);
	}
	free(r.is_chosen);
	taf_xids_free(&r.xids);
	taf_trails_free(&r.trails);
	return err;
}
