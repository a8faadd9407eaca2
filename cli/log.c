/* SPDX-License-Identifier: MIT */
/* log.c -- `taffrail log`: the crumbs of all processes, merged. */
#include "log.h"

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

struct options {
	struct taf_log_filter filter;
	const char *state, *session, *since;
	bool is_json, is_following;
};

/* "10m" "2h" "1h30m" "90s" "250ms" "2d" in microseconds. */
static bool read_duration(const char *s, uint64_t *us)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = { { "ms", 1000 },	   { "s", 1000000 },	 { "m", 60000000 },
		      { "h", 3600000000 }, { "d", 86400000000 }, { "w", 604800000000 } };
	uint64_t v;

	*us = 0;
	do {
		size_t i = 0, n = sizeof(units) / sizeof(*units);

		if (!taf_read_u64(s, &s, &v) || v > 1000000000)
			return false;
		while (i < n && !taf_starts(s, units[i].name))
			i++;
		if (i == n)
			return false;
		*us += v * units[i].us;
		s += strlen(units[i].name);
	} while (*s);
	return true;
}

static int take_since(struct options *o, const struct taf_world *w)
{
	uint64_t ago;

	if (!o->since)
		return 0;
	if (taf_rfc3339_us(o->since, strlen(o->since), &o->filter.since_us))
		return 0;
	if (!read_duration(o->since, &ago))
		return taf_usage_wrong(
			"log", "--since wants \"10m\", \"2h\" or 2026-11-21T10:00:00Z, not \"%s\"",
			o->since);
	o->filter.since_us = ago < w->utc_us ? w->utc_us - ago : 0;
	return 0;
}

/* "load,infer" */
static int take_kinds(struct options *o, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");
		char name[24];
		int kind;

		if (n >= sizeof(name))
			n = sizeof(name) - 1;
		memcpy(name, list, n);
		name[n] = '\0';
		kind = taf_kind_of(name);
		if (kind < 0)
			return taf_usage_wrong(
				"log",
				"there is no kind \"%s\"; kinds are load, infer, drain, "
				"error, exit and others, see taffrail-crumbs(5)",
				name);
		o->filter.kinds |= 1u << kind;
		list += n;
		list += *list == ',';
	}
	return o->filter.kinds ? 0 : taf_usage_wrong("log", "--ev wants the name of a kind");
}

static int read_options(int argc, char **argv, struct options *o)
{
	const char *value;
	int err = 0;

	memset(o, 0, sizeof(*o));
	for (int i = 1; i < argc && !err; i++) {
		const char *name = argv[i];

		value = NULL;
		if (!strcmp(name, "--json"))
			o->is_json = true;
		else if (!strcmp(name, "-f") || !strcmp(name, "--follow"))
			o->is_following = true;
		else if ((value = taf_option(argv, &i, "--ev")))
			err = take_kinds(o, value);
		else if ((value = taf_option(argv, &i, "--since")))
			o->since = value;
		else if ((value = taf_option(argv, &i, "--run")))
			o->filter.run = value;
		else if ((value = taf_option(argv, &i, "--session")))
			o->session = value;
		else if ((value = taf_option(argv, &i, "--state")))
			o->state = value;
		else if (*name != '-')
			return taf_usage_wrong("log",
					       "\"%s\" is one word too many; "
					       "for one process: --session %s",
					       name, name);
		else
			return taf_usage_wrong("log", "%s \"%s\"", taf_option_wrong(name), name);
		if (!err && value && !*value)
			err = taf_usage_wrong("log", "%s wants a value", name);
	}
	return err;
}

/* Replaces what the user typed by the id of the one session that it means. */
static int take_session(struct options *o, struct taf_trails *trails)
{
	static char id[96];
	struct taf_trail *picked;
	int err = taf_pick_session(trails, "log", o->session, &picked);

	if (err)
		return err;
	taf_copy(id, picked->id, sizeof(id));
	o->filter.session = id;
	return 0;
}

/* The run and the session must be there; who follows may wait for a run. */
static int take_names(struct options *o, const char *dir, const struct taf_world *w)
{
	bool needs_run = o->filter.run && !o->is_following;
	struct taf_trails trails;
	int err;

	if (!o->session && !needs_run)
		return 0;
	err = taf_trails_scan(&trails, dir, w);
	if (err) {
		taf_state_tell_unread("log", dir, err);
		return TAF_EXIT_INTERNAL;
	}
	if (needs_run)
		err = taf_pick_run(&trails, "log", o->filter.run, true);
	if (!err && o->session)
		err = take_session(o, &trails);
	taf_trails_free(&trails);
	return err;
}

static void print_batch(struct taf_log_tail *t, const struct options *o)
{
	for (size_t i = 0; i < t->n_entries; i++) {
		if (o->is_json) {
			taf_show_record(stdout, t->entries[i].text, t->entries[i].n);
			fputc('\n', stdout);
		} else {
			taf_log_print(stdout, t, &t->entries[i]);
		}
	}
}

static void tell_damage(const struct taf_log_tail *t)
{
	for (size_t i = 0; i < t->n_cursors; i++) {
		const struct taf_log_cursor *c = &t->cursors[i];

		if (c->bad)
			taf_tell("log: %llu damaged line%s of %s skipped",
				 (unsigned long long)c->bad, c->bad == 1 ? "" : "s", c->name);
		if (c->err)
			taf_tell("log: %s cannot be read: %s", c->name, strerror(-c->err));
	}
}

static int print_log(struct taf_log_tail *t, const struct options *o)
{
	size_t n = 0;
	int err;

	for (;;) {
		err = taf_log_read(t);
		if (err)
			break;
		print_batch(t, o);
		n += t->n_entries;
		/* Nobody listens any more, or the disk is full. */
		if (fflush(stdout) || ferror(stdout))
			return o->is_following ? TAF_EXIT_OK : TAF_EXIT_INTERNAL;
		if (!o->is_following)
			break;
		taf_log_wait(t);
	}
	if (err) {
		taf_state_tell_unread("log", t->dir, err);
		return TAF_EXIT_INTERNAL;
	}
	tell_damage(t);
	if (n)
		return TAF_EXIT_OK;
	taf_tell("log: no such crumbs in %s", t->dir);
	return TAF_EXIT_FAILED;
}

int taf_verb_log(int argc, char **argv)
{
	struct options o;
	struct taf_log_tail tail = { .filter = &o.filter };
	int err = read_options(argc, argv, &o);

	if (!err && !o.is_following)
		err = taf_state_is_named("log", o.state);
	if (err)
		return err;
	taf_world_now(&tail.world);
	if (taf_crumbs_dir(tail.dir, o.state)) {
		taf_tell(
			"log: no state directory: set HOME or TAFFRAIL_STATE, or give --state DIR");
		return TAF_EXIT_INTERNAL;
	}
	err = take_since(&o, &tail.world);
	if (!err)
		err = take_names(&o, tail.dir, &tail.world);
	if (!err)
		err = print_log(&tail, &o);
	taf_log_free(&tail);
	return err;
}
