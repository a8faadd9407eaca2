/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "option.h"
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

static int read_option(char **argv, int *i, struct taf_run_args *a)
{
	int done = read_valued(argv, i, a);

	if (done)
		return done == 1 ? 0 : done;
	if (!strcmp(argv[*i], "--strict"))
		a->is_strict = true;
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
	a->command = argv + i;
	return status;
}
