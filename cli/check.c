/* SPDX-License-Identifier: MIT */
/* check.c -- `taffrail check`: reads the policy and says what is wrong with it.
 *
 * Mistakes go to stderr, each as file:line:col: path: what; what to write.
 * Everything else goes to stdout.  Nothing is written but with --compile.
 */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "joined.h"
#include "launch.h"
#include "option.h"
#include "role_cli.h"
#include "state_cli.h"
#include "tell.h"
#include "usage.h"
#include "verbs.h"

void taf_lines_add(struct taf_lines *lines, const char *format, ...)
{
	char **all = realloc(lines->all, (lines->n + 1) * sizeof(*all));
	va_list args;

	if (!all)
		return;
	lines->all = all;
	va_start(args, format);
	if (vasprintf(&all[lines->n], format, args) >= 0)
		lines->n++;
	va_end(args);
}

static void lines_free(struct taf_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->all[i]);
	free(lines->all);
}

static void take_mistake(void *ctx, const char *line)
{
	struct taf_check *c = ctx;

	taf_lines_add(&c->mistakes, "%s", line);
}

/* An option with a value. 1: it was one, 0: it was not, else an exit status. */
static int read_valued(char **argv, int *i, struct taf_check *c)
{
	const char *value, *name = argv[*i];

	if ((value = taf_option(argv, i, "--policy")))
		c->file = value;
	else if ((value = taf_option(argv, i, "--state")))
		c->state = value;
	else if ((value = taf_option(argv, i, "--set")))
		c->sets[c->n_sets++] = value;
	else
		return 0;
	if (!*value)
		return taf_usage_wrong("check", "%.*s wants a value", (int)strcspn(name, "="),
				       name);
	return 1;
}

/* 0, or an exit status. */
static int read_word(char **argv, int *i, struct taf_check *c)
{
	const char *word = argv[*i];
	int done = *word == '-' ? read_valued(argv, i, c) : 0;

	if (done)
		return done == 1 ? 0 : done;
	if (!strcmp(word, "--effective"))
		c->shows_effective = true;
	else if (!strcmp(word, "--compile"))
		c->compiles = true;
	else if (!strcmp(word, "--json"))
		c->is_json = true;
	else if (!strcmp(word, "--schema"))
		c->shows_schema = true;
	else if (*word == '-')
		return taf_usage_wrong("check", "%s \"%s\"", taf_option_wrong(word), word);
	else if (c->file)
		return taf_usage_wrong("check", "one file at a time, not %s and %s", c->file, word);
	else
		c->file = word;
	return 0;
}

static int read_args(int argc, char **argv, struct taf_check *c)
{
	int status = 0;

	for (int i = 1; i < argc && !status; i++) {
		if (strcmp(argv[i], "--")) {
			status = read_word(argv, &i, c);
			continue;
		}
		if (i + 1 == argc)
			return taf_usage_wrong("check", "a command belongs behind --");
		c->command = argv + i + 1;
		break;
	}
	if (!status && c->command && !c->shows_effective)
		return taf_usage_wrong("check", "a command only matters with --effective");
	return status;
}

static void find(struct taf_check *c, const char *state)
{
	struct taf_policy_ask ask = {
		.file = c->file,
		.sets = c->sets,
		.n_sets = c->n_sets,
		.state = state,
		.always_reads = true,
		.tell = take_mistake,
		.ctx = c,
	};

	if (c->command) {
		c->target_err = taf_launch_find(c->command[0], &c->target);
		c->joined = taf_joined(c->command);
		ask.who.exe = c->target_err ? c->command[0] : c->target.program;
		ask.who.argv = c->joined;
		c->start = taf_start_of_command(ask.who.exe, c->command);
		ask.who.start = &c->start;
	}
	if (taf_policy_find(&ask, &c->policy, &c->found))
		taf_tell("out of memory");
}

/* `check FILE` is about that file: another one must not answer for it. */
static bool is_file_missing(const struct taf_check *c)
{
	return c->file && c->found.from != TAF_POLICY_GIVEN;
}

static int look(struct taf_check *c)
{
	struct taf_state_dir state;
	bool has_state = c->compiles && !taf_state_find(c->state, &state);

	find(c, has_state ? state.path : NULL);
	if (c->compiles && !has_state)
		taf_lines_add(&c->mistakes,
			      "--compile: there is no place for it; set TAFFRAIL_STATE");
	if (is_file_missing(c)) {
		if (c->is_json)
			taf_check_print_json(c);
		else
			fprintf(stderr, "%s\n", c->mistakes.n ? c->mistakes.all[0] : c->file);
		return TAF_EXIT_POLICY;
	}
	taf_check_warn(c);
	if (c->is_json)
		taf_check_print_json(c);
	else
		taf_check_print(c);
	if (c->found.n_bad)
		return TAF_EXIT_POLICY;
	return c->compiles && *c->found.path && !*c->found.blob ? TAF_EXIT_INTERNAL : TAF_EXIT_OK;
}

int taf_verb_check(int argc, char **argv)
{
	struct taf_check *c = calloc(1, sizeof(*c));
	int status = TAF_EXIT_INTERNAL;

	if (c)
		c->sets = calloc((size_t)argc + 1, sizeof(*c->sets));
	if (!c || !c->sets) {
		taf_tell("out of memory");
		goto out;
	}
	status = read_args(argc, argv, c);
	if (status)
		goto out;
	if (c->shows_schema)
		taf_check_schema();
	else
		status = look(c);
out:
	if (c) {
		lines_free(&c->mistakes);
		lines_free(&c->warnings);
		taf_policy_found_free(&c->found);
		free(c->joined);
		free(c->sets);
	}
	free(c);
	return status;
}
