/* SPDX-License-Identifier: MIT */
/* explain.c -- `taffrail explain`: what would happen now to a model, and why.
 *
 * Asks the rules what the guard in a program would ask them, without a program.
 * Nothing is written, started or loaded, and no GPU is touched. */
#include "explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/value.h"
#include "../shim/crumb_read.h"
#include "../shim/share.h"
#include "joined.h"
#include "option.h"
#include "role_cli.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

static int read_context(const char *value, uint64_t *context)
{
	const char *end;

	if (taf_read_u64(value, &end, context) && !*end && *context &&
	    *context <= TAF_PLAN_CONTEXT_MAX)
		return 1;
	return taf_usage_wrong("explain", "--ctx wants a number of tokens, 1 to %u, not \"%s\"",
			       TAF_PLAN_CONTEXT_MAX, value);
}

/* An option with a value. 1: it was one, 0: it was not, else an exit status. */
static int read_valued(char **argv, int *i, struct taf_explain *x)
{
	const char *value, *name = argv[*i];

	if ((value = taf_option(argv, i, "--model")))
		x->model = value;
	else if ((value = taf_option(argv, i, "--policy")))
		x->file = value;
	else if ((value = taf_option(argv, i, "--state")))
		x->state = value;
	else if ((value = taf_option(argv, i, "--at")))
		x->at = value;
	else if ((value = taf_option(argv, i, "--set")))
		x->sets[x->n_sets++] = value;
	else if ((value = taf_option(argv, i, "--ctx")))
		return *value ? read_context(value, &x->context)
			      : taf_usage_wrong("explain", "--ctx wants a value");
	else
		return 0;
	if (!*value)
		return taf_usage_wrong("explain", "%.*s wants a value", (int)strcspn(name, "="),
				       name);
	return 1;
}

static int read_word(char **argv, int *i, struct taf_explain *x)
{
	int done = argv[*i][0] == '-' ? read_valued(argv, i, x) : 0;

	if (done)
		return done == 1 ? 0 : done;
	if (!strcmp(argv[*i], "--json"))
		x->is_json = true;
	else if (argv[*i][0] == '-')
		return taf_usage_wrong("explain", "there is no option \"%s\"", argv[*i]);
	else if (x->model)
		return taf_usage_wrong("explain", "one model at a time, not %s and %s", x->model,
				       argv[*i]);
	else
		x->model = argv[*i];
	return 0;
}

static int read_args(int argc, char **argv, struct taf_explain *x)
{
	int status = 0;

	for (int i = 1; i < argc && !status; i++) {
		if (strcmp(argv[i], "--")) {
			status = read_word(argv, &i, x);
			continue;
		}
		if (i + 1 == argc)
			return taf_usage_wrong("explain", "a command belongs behind --");
		x->command = argv + i + 1;
		break;
	}
	if (!status && !x->model)
		status = taf_usage_wrong("explain", "which model? Say --model NAME or a file");
	return status;
}

/* "+2h", or RFC 3339. 0 or an exit status. */
static int read_time(struct taf_explain *x)
{
	uint64_t us, ms;

	x->now = taf_moment_now();
	if (!x->at)
		return 0;
	if (x->at[0] == '+' && !taf_value_ms(x->at + 1, &ms, NULL) && ms <= INT64_MAX / 2)
		x->ahead_ms = (int64_t)ms;
	else if (taf_rfc3339_us(x->at, strlen(x->at), &us))
		x->ahead_ms = (int64_t)(us / 1000) - (int64_t)x->now.utc_ms;
	else
		return taf_usage_wrong(
			"explain", "--at wants \"+2h\" or 2026-11-21T10:00:00Z, not \"%s\"", x->at);
	if (x->ahead_ms < 0)
		return taf_usage_wrong("explain", "--at %s is over: it wants a time to come",
				       x->at);
	x->now.boot_ms += (uint64_t)x->ahead_ms;
	x->now.utc_ms += (uint64_t)x->ahead_ms;
	return 0;
}

static void say_mistake(void *ctx, const char *line)
{
	(void)ctx;
	taf_tell("%s", line);
}

/* The policy that would be in force. 0 or an exit status. */
static int find_policy(struct taf_explain *x)
{
	static struct taf_policy file;
	char *words = x->command ? taf_joined(x->command) : NULL;
	struct taf_start start =
		taf_start_of_command(x->command ? x->command[0] : NULL, x->command);
	struct taf_policy_ask ask = {
		.file = x->file,
		.sets = x->sets,
		.n_sets = x->n_sets,
		.always_reads = true,
		.tell = say_mistake,
		.who = { .exe = start.exe, .argv = words, .start = x->command ? &start : NULL },
	};
	int err = taf_policy_find(&ask, &file, &x->found);

	free(words);
	if (err) {
		taf_tell("out of memory");
		return TAF_EXIT_INTERNAL;
	}
	/* Another policy must not answer for the one that was named. */
	if (x->file && (x->found.from != TAF_POLICY_GIVEN || !x->found.is_read))
		return TAF_EXIT_POLICY;
	return x->found.n_bad && x->found.is_strict ? TAF_EXIT_POLICY : 0;
}

static int explain(struct taf_explain *x)
{
	int status = taf_state_is_named("explain", x->state);

	if (!status)
		status = read_time(x);
	if (!status)
		status = find_policy(x);
	if (!status)
		status = taf_explain_ask(x);
	if (status)
		return status;
	if (x->is_json)
		taf_explain_json(x);
	else
		taf_explain_show(x);
	if (x->wreck)
		return TAF_EXIT_FAILED;
	return x->joint[taf_explain_worst(x)].action <= TAF_ACT_WARN ||
			       x->found.rules.mode != TAF_MODE_ENFORCE
		       ? TAF_EXIT_OK
		       : TAF_EXIT_FAILED;
}

int taf_verb_explain(int argc, char **argv)
{
	struct taf_explain *x = calloc(1, sizeof(*x));
	int status = TAF_EXIT_INTERNAL;

	if (x)
		x->sets = calloc((size_t)argc + 1, sizeof(*x->sets));
	if (!x || !x->sets) {
		taf_tell("out of memory");
		goto out;
	}
	status = read_args(argc, argv, x);
	if (!status)
		status = explain(x);
	taf_policy_found_free(&x->found);
out:
	if (x)
		free(x->sets);
	free(x);
	return status;
}
