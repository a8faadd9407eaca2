/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../policy/stamp.h"
#include "../policy/value.h"
#include "option.h"
#include "restart.h"
#include "run.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

/* An option that takes a value. 1: it was one, 0: it was not, else an exit status. */
static int read_valued(char **argv, int *i, struct taf_run_args *a)
{
	const char *value, *name = argv[*i];

	if ((value = taf_option(argv, i, "--policy")))
		a->policy = value;
	else if ((value = taf_option(argv, i, "--state")))
		a->state = value;
	else if ((value = taf_option(argv, i, "--label")))
		a->label = value;
	else if ((value = taf_option(argv, i, "--set")))
		a->sets[a->n_sets++] = value;
	else
		return 0;
	if (!*value)
		return taf_usage_wrong("run", "%.*s wants a value", (int)strcspn(name, "="), name);
	return 1;
}

static int check_set(const char *set)
{
	const char *equals = set ? strchr(set, '=') : NULL;

	if (!equals || equals == set)
		return taf_usage_wrong("run", "--set wants KEY=VALUE, not \"%s\"", set);
	if (strchr(set, ';'))
		return taf_usage_wrong("run", "--set takes one setting, not \"%s\"; give it twice",
				       set);
	return 0;
}

static int read_restart(const char *word, struct taf_run_args *a)
{
	static const char name[] = "--restart";
	const char *mode = word + sizeof(name) - 1;

	if (!*mode || !strcmp(mode, "=on-failure"))
		a->restart.mode = TAF_RESTART_ON_FAILURE;
	else if (!strcmp(mode, "=always"))
		a->restart.mode = TAF_RESTART_ALWAYS;
	else
		return taf_usage_wrong("run", "--restart is always or on-failure, not \"%s\"",
				       mode + 1);
	return 0;
}

/* 1: it was one of the options of a restart, 0: it was not, else an exit status. */
static int read_restart_option(char **argv, int *i, struct taf_run_args *a)
{
	const char *value;
	int status = 0;

	if (!strcmp(argv[*i], "--restart") || !strncmp(argv[*i], "--restart=", 10))
		status = read_restart(argv[*i], a);
	else if ((value = taf_option(argv, i, "--restart-max"))) {
		if (taf_restart_budget(value, &a->restart))
			status = taf_usage_wrong(
				"run",
				"--restart-max wants N/TIME, as \"5/10m\", with N up to "
				"%u, not \"%s\"",
				TAF_RESTARTS_MAX, value);
	} else if ((value = taf_option(argv, i, "--restart-delay"))) {
		if (taf_value_ms(value, &a->restart.delay_ms, NULL) ||
		    a->restart.delay_ms > TAF_DAY_MS)
			status = taf_usage_wrong("run",
						 "--restart-delay wants a time up to 1d, as "
						 "\"1s\", not \"%s\"",
						 value);
		if (a->restart.delay_max_ms < a->restart.delay_ms)
			a->restart.delay_max_ms = a->restart.delay_ms;
	} else {
		return 0;
	}
	return status ? status : 1;
}

static int read_option(char **argv, int *i, struct taf_run_args *a)
{
	int done = read_valued(argv, i, a);

	if (!done)
		done = read_restart_option(argv, i, a);
	if (done)
		return done == 1 ? 0 : done;
	if (!strcmp(argv[*i], "--strict"))
		a->is_strict = true;
	else if (!strcmp(argv[*i], "--verbose") || !strcmp(argv[*i], "-v"))
		a->is_verbose = true;
	else if (!strcmp(argv[*i], "--exec"))
		a->becomes_guest = true;
	else if (!strcmp(argv[*i], "--fit-anyway"))
		a->fits_anyway = true;
	else
		return taf_usage_wrong("run",
				       "there is no option \"%s\"; a command that begins with "
				       "'-' goes after --",
				       argv[*i]);
	return 0;
}

int taf_run_args_read(int argc, char **argv, struct taf_run_args *a)
{
	int i = 1, status = 0;

	memset(a, 0, sizeof(*a));
	taf_restart_defaults(&a->restart);
	a->sets = calloc((size_t)argc + 1, sizeof(*a->sets));
	if (!a->sets)
		return TAF_EXIT_INTERNAL;
	for (; i < argc && argv[i][0] == '-' && !status; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		status = read_option(argv, &i, a);
	}
	for (size_t k = 0; k < a->n_sets && !status; k++)
		status = check_set(a->sets[k]);
	if (!status && i >= argc)
		status = taf_usage_wrong("run", "a COMMAND is missing");
	if (!status && a->becomes_guest && a->restart.mode != TAF_RESTART_NEVER)
		status = taf_usage_wrong("run", "--exec leaves nobody behind who could restart");
	a->command = argv + i;
	return status;
}
