/* SPDX-License-Identifier: MIT */
/* doctor.c -- `taffrail doctor [--json] [--strict] [--host...] [-- COMMAND ARG...]`.
 *
 * Without COMMAND it looks at this machine, with COMMAND at that program.
 * libelf is opened here, when it is needed; without it only the machine can
 * be looked at.
 */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "option.h"
#include "role_cli.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

#define UNITS_MAX 32

struct options {
	bool is_json, is_strict, is_host;
	const char *root, *policy; /* NULL: not given */
	const char *units[UNITS_MAX];
	size_t n_units;
	int first; /* the command's first word; argc: none */
};

void taf_findings_add(struct taf_findings *f, enum taf_sort sort, const char *id, const char *form,
		      ...)
{
	struct taf_finding *more = realloc(f->all, (f->n + 1) * sizeof(*more));
	char *text = NULL;
	va_list ap;
	int n;

	if (more)
		f->all = more;
	va_start(ap, form);
	n = vasprintf(&text, form, ap);
	va_end(ap);
	if (!more || n < 0) {
		if (n >= 0)
			free(text);
		f->is_short = true;
		return;
	}
	more[f->n++] = (struct taf_finding){ sort, id, text };
}

void taf_findings_close(struct taf_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->all[i].text);
	free(f->all);
	memset(f, 0, sizeof(*f));
}

unsigned taf_findings_count(const struct taf_findings *f, enum taf_sort sort)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->all[i].sort == sort;
	return n;
}

const char *taf_sort_name(enum taf_sort sort)
{
	static const char *const names[TAF_SORT_COUNT] = {
		[TAF_SORT_OK] = "ok",	    [TAF_SORT_NOTE] = "note",
		[TAF_SORT_WARN] = "warn",   [TAF_SORT_BAD] = "bad",
		[TAF_SORT_ROUTE] = "route", [TAF_SORT_HIDDEN] = "hidden",
		[TAF_SORT_BLOCK] = "block", [TAF_SORT_PROBLEM] = "problem",
	};

	return names[sort];
}

/* An option of --host with a value. 1: it was one, 0: it was not, else an exit status. */
static int read_valued(char **argv, int *i, struct options *o)
{
	const char *value, *name = argv[*i];

	if ((value = taf_option(argv, i, "--root")))
		o->root = value;
	else if ((value = taf_option(argv, i, "--policy")))
		o->policy = value;
	else if (!(value = taf_option(argv, i, "--unit")))
		return 0;
	else if (o->n_units < UNITS_MAX)
		o->units[o->n_units++] = value;
	else
		return taf_usage_wrong("doctor", "%d files of --unit at most", UNITS_MAX);
	if (!*value)
		return taf_usage_wrong("doctor", "%.*s wants a value", (int)strcspn(name, "="),
				       name);
	return 1;
}

/* 0, or an exit status. */
static int read_option(char **argv, int *i, struct options *o)
{
	int done;

	if (!strcmp(argv[*i], "--json"))
		o->is_json = true;
	else if (!strcmp(argv[*i], "--strict"))
		o->is_strict = true;
	else if (!strcmp(argv[*i], "--host"))
		o->is_host = true;
	else if (!(done = read_valued(argv, i, o)))
		return taf_usage_wrong("doctor", "there is no option \"%s\"", argv[*i]);
	else if (done != 1)
		return done;
	return 0;
}

static int read_options(int argc, char **argv, struct options *o)
{
	const char *strict = getenv("TAFFRAIL_STRICT");
	int status = 0;

	memset(o, 0, sizeof(*o));
	o->is_strict = strict && !strcmp(strict, "1");
	for (o->first = 1; o->first < argc && argv[o->first][0] == '-' && !status; o->first++) {
		if (strcmp(argv[o->first], "--") != 0)
			status = read_option(argv, &o->first, o);
		else if (++o->first == argc)
			return taf_usage_wrong("doctor", "no command behind \"--\"");
		else
			break;
	}
	if (!status && o->is_host && o->first < argc)
		return taf_usage_wrong("doctor", "--host looks at this machine, not at %s",
				       argv[o->first]);
	if (!status && !o->is_host && (o->root || o->n_units))
		return taf_usage_wrong("doctor", "--root and --unit belong to --host");
	if (!status && !o->is_host && o->policy && o->first == argc)
		return taf_usage_wrong("doctor", "--policy wants --host or a command");
	return status;
}

static int look_at_machine(const struct options *o)
{
	struct taf_host_look *l = calloc(1, sizeof(*l));
	int status;

	if (!l) {
		taf_tell("doctor: out of memory");
		return TAF_EXIT_INTERNAL;
	}
	l->root = o->root ? o->root : "";
	l->policy = o->policy;
	l->units = o->units;
	l->n_units = o->n_units;
	l->is_json = o->is_json;
	status = taf_host_doctor(l);
	free(l);
	return status;
}

static int look_at_host(const struct options *o)
{
	struct taf_findings f = { 0 };
	int status;

	taf_doctor_host(&f);
	if (o->is_json)
		taf_host_print_json(&f);
	else
		taf_host_print(&f);
	status = o->is_strict && taf_findings_count(&f, TAF_SORT_BAD) ? TAF_EXIT_UNGUARDED : 0;
	status = f.is_short ? TAF_EXIT_INTERNAL : status;
	taf_findings_close(&f);
	return status;
}

/* By the words as they were typed; where these tell nothing, by those of what runs. */
static enum taf_role role_of(const struct taf_doctor *d, int argc, char **argv)
{
	enum taf_role role = taf_role_of_command(NULL, argv, (size_t)argc);

	if (role != TAF_ROLE_EMBEDDED)
		return role;
	return taf_role_of_command(d->command.target.program, d->command.words, d->command.n);
}

static void close_doctor(struct taf_doctor *d)
{
	taf_words_close(&d->command);
	taf_closure_close(&d->closure);
	taf_sites_close(&d->sites);
	taf_findings_close(&d->findings);
	taf_doctor_profile_close(&d->profile);
	free(d);
}

bool taf_doctor_would_miss(char **command, char *why, size_t room)
{
	struct taf_doctor *d = calloc(1, sizeof(*d));
	const char *lacks;
	int argc = 0;
	bool is_missed;

	if (!d)
		return false;
	d->is_start = true;
	while (command[argc])
		argc++;
	is_missed = !taf_libelf_open(&lacks) && !taf_words_follow(&d->command, argc, command) &&
		    !taf_doctor_program(d) && taf_doctor_misses(d, why, room);
	close_doctor(d);
	return is_missed;
}

static int look_at_command(const struct options *o, int argc, char **argv)
{
	struct taf_doctor *d = calloc(1, sizeof(*d));
	int status = TAF_EXIT_INTERNAL;
	char why[320];

	if (!d) {
		taf_tell("doctor: out of memory");
		return status;
	}
	status = taf_words_follow(&d->command, argc, argv);
	if (!status)
		status = taf_doctor_program(d);
	if (!status) {
		d->role = role_of(d, argc, argv);
		d->findings.is_short |= !taf_doctor_profile_find(
			&d->profile, o->policy, d->command.target.program, d->command.words);
		if (o->is_json)
			taf_doctor_print_json(d, argc, argv);
		else
			taf_doctor_print(d);
		if (o->is_strict &&
		    (d->verdict == TAF_UNGUARDED || taf_doctor_misses(d, why, sizeof(why))))
			status = TAF_EXIT_UNGUARDED;
		if (d->findings.is_short)
			status = TAF_EXIT_INTERNAL;
	}
	close_doctor(d);
	return status;
}

int taf_verb_doctor(int argc, char **argv)
{
	struct options o;
	const char *why = NULL;
	int err = read_options(argc, argv, &o);

	if (err)
		return err;
	if (o.is_host)
		return look_at_machine(&o);
	err = taf_libelf_open(&why);
	if (o.first == argc)
		return look_at_host(&o);
	if (err) {
		taf_tell("doctor: %s", why);
		return TAF_EXIT_UNGUARDED;
	}
	return look_at_command(&o, argc - o.first, argv + o.first);
}
