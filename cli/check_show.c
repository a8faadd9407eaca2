/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonout.h"
#include "role_cli.h"
#include "show.h"

#define VALUE_ROOM 8192
#define ORIGIN_ROOM (PATH_MAX + 128)

bool taf_check_is_given(const struct taf_check *c, int rule)
{
	return c->found.origin[rule] != TAF_FROM_BUILTIN && c->found.origin[rule] != TAF_FROM_APP;
}

static const struct taf_profile *profile_of(const struct taf_check *c, int rule)
{
	uint8_t origin = c->found.origin[rule];

	return origin >= TAF_FROM_PROFILE ? &c->policy.profiles[origin - TAF_FROM_PROFILE] : NULL;
}

/* The line of the file that gives the row its value, 0: no line does. */
static uint32_t line_of(const struct taf_check *c, int rule)
{
	const struct taf_profile *f = profile_of(c, rule);

	if (f)
		return taf_profile_sets(f, rule) ? f->line[rule] : f->role_line;
	return c->found.origin[rule] == TAF_FROM_FILE ? c->policy.line[rule] : 0;
}

void taf_check_origin(const struct taf_check *c, int rule, char *buf, size_t room)
{
	const struct taf_profile *f = profile_of(c, rule);

	if (f && taf_profile_sets(f, rule))
		snprintf(buf, room, "%s:%u: profile %s", c->found.path, f->line[rule], f->name);
	else if (f)
		snprintf(buf, room, "%s:%u: profile %s, role %s", c->found.path, f->role_line,
			 f->name, taf_role_name((enum taf_role)f->role));
	else if (c->found.origin[rule] == TAF_FROM_FILE)
		snprintf(buf, room, "%s:%u", c->found.path, c->policy.line[rule]);
	else if (c->found.origin[rule] == TAF_FROM_ENV)
		snprintf(buf, room, "TAFFRAIL_SET");
	else if (c->found.origin[rule] == TAF_FROM_APP)
		snprintf(buf, room, "built-in profile %s", taf_app_name(c->found.program));
	else
		snprintf(buf, room, c->found.origin[rule] == TAF_FROM_ARG ? "--set" : "built-in");
}

static const char *value_of(const struct taf_check *c, int rule, char *buf, size_t room)
{
	struct taf_text t;

	taf_text_init(&t, buf, room);
	taf_rules_show(&c->found.rules, rule, &t);
	return buf;
}

static void print_line(FILE *out, const char *head, const char *line)
{
	fputs(head, out);
	taf_show_text(out, line, SIZE_MAX);
	fputc('\n', out);
}

static void print_setting(const struct taf_check *c, int rule)
{
	const struct taf_rule_info *row = taf_rule_info(rule);
	char value[VALUE_ROOM], origin[ORIGIN_ROOM];

	value_of(c, rule, value, sizeof(value));
	taf_check_origin(c, rule, origin, sizeof(origin));
	printf("  %-28s ", row->path);
	if (strlen(value) < 14)
		printf("%-14s", *value ? value : "\"\"");
	else
		taf_show_text(stdout, value, SIZE_MAX);
	print_line(stdout, "  ", origin);
}

static void print_profiles(const struct taf_check *c)
{
	struct taf_who who = { c->target_err ? c->command[0] : c->target.program, c->joined, NULL,
			       &c->start };

	for (uint32_t i = 0; i < c->policy.n_profiles; i++) {
		const struct taf_profile *f = &c->policy.profiles[i];
		struct taf_profile any = *f;

		any.engine[0] = '\0';
		fputs("profile ", stdout);
		taf_show_text(stdout, f->name, SIZE_MAX);
		if (f->role)
			printf(", role %s,", taf_role_name((enum taf_role)f->role));
		if (!taf_profile_matches(&any, &who))
			puts(" does not match this command");
		else if (*f->engine)
			printf(" applies when the engine is %s\n", f->engine);
		else
			puts(" applies");
	}
}

/* The profile that is built in for a known program. */
static void print_program(const struct taf_check *c)
{
	enum taf_app p = c->found.program;
	const char *engine = "";

	if (!p)
		p = taf_app_maybe(&c->start, &engine);
	if (!p)
		return;
	printf("built-in profile %s (%s)", taf_app_name(p), taf_app_text(p));
	if (!c->found.rules.recognize)
		puts(" does not apply: recognize is off");
	else if (*engine)
		printf(" applies when the engine is %s\n", engine);
	else
		puts(" applies where nothing else gives a value");
}

/* Of what cannot be started nothing is guessed. */
static enum taf_role guess(const struct taf_check *c)
{
	size_t n = 0;

	if (c->target_err)
		return TAF_ROLE_NONE;
	while (c->command[n])
		n++;
	return taf_role_of_command(c->target.program, c->command, n);
}

static enum taf_role given_role(const struct taf_check *c)
{
	struct taf_who who = { c->target_err ? c->command[0] : c->target.program, c->joined, NULL,
			       &c->start };

	return taf_policy_role(&c->policy, &who);
}

static void print_role(const struct taf_check *c)
{
	enum taf_role given = given_role(c);

	if (c->target_err) {
		fputs("role: unknown, since there is no program ", stdout);
		taf_show_text(stdout, c->command[0], SIZE_MAX);
		printf(" that could be started (%s); ", strerror(-c->target_err));
	} else {
		printf("role: %s by its command, ", taf_role_guess_text(guess(c)));
	}
	if (given)
		printf("%s by its profile, whose limits are in force\n", taf_role_name(given));
	else
		puts("none by a profile, so no role's limits are in force");
}

static void print_effective(const struct taf_check *c)
{
	if (c->command) {
		print_profiles(c);
		print_program(c);
		print_role(c);
	}
	puts("in force:");
	for (int i = 0; i < TAF_RULE_COUNT; i++)
		print_setting(c, i);
}

/* By the file and its profiles. */
static unsigned count_given(const struct taf_check *c)
{
	unsigned n = 0;

	for (int i = 0; i < TAF_RULE_COUNT; i++)
		n += c->policy.line[i] != 0;
	for (uint32_t k = 0; k < c->policy.n_profiles; k++)
		for (int i = 0; i < TAF_RULE_COUNT; i++)
			n += taf_profile_sets(&c->policy.profiles[k], i);
	return n;
}

/* Whose value comes from there. */
static unsigned count_from(const struct taf_check *c, uint8_t origin)
{
	unsigned n = 0;

	for (int i = 0; i < TAF_RULE_COUNT; i++)
		n += c->found.origin[i] == origin;
	return n;
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static void print_verdict(const struct taf_check *c)
{
	unsigned bad = (unsigned)c->found.n_bad, n = count_given(c);
	unsigned set = count_from(c, TAF_FROM_ENV) + count_from(c, TAF_FROM_ARG);

	if (*c->found.path)
		print_line(stdout, "policy: ", c->found.path);
	else
		puts("policy: built-in");
	if (*c->found.blob)
		print_line(stdout, "compiled: ", c->found.blob);
	if (*c->found.path && !c->found.is_read)
		puts("it cannot be used: the built-in policy takes its place");
	else if (bad)
		printf("%u mistake%s: what is wrong has no effect: a setting of the file keeps its "
		       "default, one of TAFFRAIL_SET or --set what it was\n",
		       bad, plural(bad));
	else if (*c->found.path)
		printf("no mistake: %u setting%s, %u profile%s\n", n, plural(n),
		       c->policy.n_profiles, plural(c->policy.n_profiles));
	else if (set)
		printf("no mistake: there is no file; TAFFRAIL_SET and --set give %u setting%s, "
		       "the "
		       "others have their defaults\n",
		       set, plural(set));
	else
		puts("no mistake: there is no file, so every setting has its default");
}

void taf_check_print(const struct taf_check *c)
{
	for (size_t i = 0; i < c->mistakes.n; i++)
		print_line(stderr, "", c->mistakes.all[i]);
	print_verdict(c);
	if (c->shows_effective)
		print_effective(c);
	for (size_t i = 0; i < c->warnings.n; i++)
		print_line(stdout, "warning: ", c->warnings.all[i]);
}

/* Whether line tells of a place in the file of that name; then its parts are put. */
static bool put_place(struct taf_json *j, const char *named, const char *line)
{
	size_t n = strlen(named);
	unsigned at = 0, column = 0;
	int used = 0;

	if (!n || strncmp(line, named, n) != 0)
		return false;
	/* The setting that names another file knows its line alone. */
	if (sscanf(line + n, ":%u:%u: %n", &at, &column, &used) != 2 || !used) {
		column = 0;
		if (sscanf(line + n, ":%u: %n", &at, &used) != 1 || !used)
			return false;
	}
	taf_json_text(j, "file", named);
	taf_json_u64(j, "line", at);
	if (column)
		taf_json_u64(j, "col", column);
	else
		taf_json_null(j, "col");
	taf_json_text(j, "text", line + n + used);
	return true;
}

/* A mistake in parts: {"file", "line", "col", "text"}; null what it has not. It may be
 * one of the registry. */
static void put_mistake(struct taf_json *j, const struct taf_check *c, const char *line)
{
	taf_json_open(j, NULL, '{');
	if (!put_place(j, c->file ? c->file : c->found.path, line) &&
	    !put_place(j, c->found.rules.models_registry, line)) {
		taf_json_null(j, "file");
		taf_json_null(j, "line");
		taf_json_null(j, "col");
		taf_json_text(j, "text", line);
	}
	taf_json_close(j);
}

static void put_lines(struct taf_json *j, const char *key, const struct taf_lines *lines)
{
	taf_json_open(j, key, '[');
	for (size_t i = 0; i < lines->n; i++)
		taf_json_text(j, NULL, lines->all[i]);
	taf_json_close(j);
}

static const char *origin_word(const struct taf_check *c, int rule)
{
	static const char *const words[] = { "built-in",	 "file",   "TAFFRAIL_SET", "--set",
					     "built-in profile", "profile" };
	uint8_t origin = c->found.origin[rule];

	return words[origin < TAF_FROM_PROFILE ? origin : TAF_FROM_PROFILE];
}

static void put_setting(struct taf_json *j, const struct taf_check *c, int rule)
{
	const struct taf_rule_info *row = taf_rule_info(rule);
	const struct taf_profile *f = profile_of(c, rule);
	uint32_t line = line_of(c, rule);
	char value[VALUE_ROOM];

	taf_json_open(j, NULL, '{');
	taf_json_text(j, "path", row->path);
	taf_json_text(j, "value", value_of(c, rule, value, sizeof(value)));
	taf_json_text(j, "default", row->dflt);
	taf_json_text(j, "origin", origin_word(c, rule));
	taf_json_text(j, "profile", f ? f->name : NULL);
	taf_json_text(j, "builtin_profile",
		      c->found.origin[rule] == TAF_FROM_APP ? taf_app_name(c->found.program)
							    : NULL);
	taf_json_text(j, "role",
		      f && !taf_profile_sets(f, rule) ? taf_role_name((enum taf_role)f->role)
						      : NULL);
	if (line)
		taf_json_u64(j, "line", line);
	else
		taf_json_null(j, "line");
	taf_json_close(j);
}

void taf_check_print_json(const struct taf_check *c)
{
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_text(&j, "policy", *c->found.path ? c->found.path : NULL);
	taf_json_text(&j, "from", taf_policy_from_name(c->found.from));
	taf_json_text(&j, "sha256", *c->policy.sha256 ? c->policy.sha256 : NULL);
	taf_json_text(&j, "compiled", *c->found.blob ? c->found.blob : NULL);
	taf_json_bool(&j, "valid", !c->found.n_bad);
	taf_json_u64(&j, "settings_given", count_given(c));
	taf_json_u64(&j, "settings_env", count_from(c, TAF_FROM_ENV));
	taf_json_u64(&j, "settings_argv", count_from(c, TAF_FROM_ARG));
	taf_json_open(&j, "mistakes", '[');
	for (size_t i = 0; i < c->mistakes.n; i++)
		put_mistake(&j, c, c->mistakes.all[i]);
	taf_json_close(&j);
	put_lines(&j, "warnings", &c->warnings);
	if (c->command) {
		taf_json_text(&j, "program",
			      c->found.program ? taf_app_name(c->found.program) : NULL);
		taf_json_text(&j, "role_by_command", taf_role_guess_name(guess(c)));
		taf_json_text(&j, "role", given_role(c) ? taf_role_name(given_role(c)) : NULL);
	}
	if (c->shows_effective) {
		taf_json_open(&j, "settings", '[');
		for (int i = 0; i < TAF_RULE_COUNT; i++)
			put_setting(&j, c, i);
		taf_json_close(&j);
	}
	taf_json_close(&j);
	taf_json_end(&j);
}
