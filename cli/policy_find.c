/* SPDX-License-Identifier: MIT */
#include "policy_find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "companion.h"
#include "policy_store.h"
#include "registry_find.h"
#include "tell.h"

#define LINE_ROOM (PATH_MAX + 256)

struct search {
	const struct taf_policy_ask *ask;
	struct taf_policy *out;
	struct taf_policy_found *found;
	const char *file; /* as it is named in complaints; NULL: the built-in policy */
};

static void say(const struct search *s, const char *line)
{
	if (s->ask->tell)
		s->ask->tell(s->ask->ctx, line);
}

static void say_bad(const struct search *s, const char *line)
{
	say(s, line);
	s->found->n_bad++;
}

const char *taf_policy_from_name(enum taf_policy_from from)
{
	static const char *const names[] = { "built-in", "--policy", "TAFFRAIL_POLICY",
					     "the user's policy", "the system's policy" };

	return names[from];
}

/* Whether something stands at path; a folder that may not be searched counts as something. */
static bool exists(const char *path)
{
	return !access(path, F_OK) || (errno != ENOENT && errno != ENOTDIR);
}

/* A name the user gave: must lead somewhere. */
static bool take_named(const struct search *s, const char *name, enum taf_policy_from from)
{
	char line[LINE_ROOM];

	if (!name || !*name)
		return false;
	if (from == TAF_POLICY_ENV && *name != '/') {
		snprintf(line, sizeof(line),
			 "TAFFRAIL_POLICY: %s is relative and means another file in "
			 "every folder; write an absolute path",
			 name);
	} else if (strlen(name) >= PATH_MAX) {
		snprintf(line, sizeof(line), "%s: this name is too long; write a shorter one",
			 taf_policy_from_name(from));
	} else if (!exists(name)) {
		snprintf(line, sizeof(line), "%s: there is no such file%s; name one that exists",
			 name, from == TAF_POLICY_ENV ? " (TAFFRAIL_POLICY)" : "");
	} else {
		s->found->from = from;
		return true;
	}
	say_bad(s, line);
	return false;
}

/* A place where a policy may lie or not. */
static bool take_usual(char path[PATH_MAX], const char *dir, const char *rest)
{
	int n = dir && *dir == '/' ? snprintf(path, PATH_MAX, "%s%s", dir, rest) : 0;

	return n > 0 && n < PATH_MAX && exists(path);
}

static bool take_users(char path[PATH_MAX])
{
	const char *xdg = getenv("XDG_CONFIG_HOME");

	if (xdg && *xdg == '/')
		return take_usual(path, xdg, "/taffrail/policy.json");
	return take_usual(path, getenv("HOME"), "/.config/taffrail/policy.json");
}

/* The file, as it is to be named in complaints, or NULL for the built-in policy. */
static const char *search(const struct search *s, char path[PATH_MAX])
{
	const char *given = getenv("TAFFRAIL_POLICY");

	if (take_named(s, s->ask->file, TAF_POLICY_GIVEN))
		return s->ask->file;
	if (take_named(s, given, TAF_POLICY_ENV))
		return given;
	if (take_users(path))
		s->found->from = TAF_POLICY_USER;
	else if (take_usual(path, "/etc", "/taffrail/policy.json"))
		s->found->from = TAF_POLICY_SYSTEM;
	return s->found->from ? path : NULL;
}

static bool make_absolute(const char *name, char path[PATH_MAX])
{
	char here[PATH_MAX];
	int n;

	if (*name == '/')
		n = snprintf(path, PATH_MAX, "%s", name);
	else if (getcwd(here, sizeof(here)))
		n = snprintf(path, PATH_MAX, "%s/%s", strcmp(here, "/") ? here : "", name);
	else
		return false;
	return n > 0 && n < PATH_MAX;
}

/* From the compiled form, if it is there and there is nothing to complain about. */
static bool take_compiled(const struct search *s, const char *file)
{
	char sha256[TAF_SHA256_HEX], path[PATH_MAX];

	return s->ask->state && !s->ask->always_reads && !taf_store_hash(file, sha256) &&
	       taf_store_path(s->ask->state, sha256, path, sizeof(path)) &&
	       taf_store_take(path, sha256, s->out) && !s->out->n_bad;
}

static void read_text(const struct search *s, const char *file)
{
	taf_policy_load_fn *load = taf_companion_open(s->ask->tell, s->ask->ctx);
	int err;

	if (!load) {
		s->found->n_bad++;
		return;
	}
	err = load(file, s->out, sizeof(*s->out), TAF_POLICY_VERSION, s->ask->tell, s->ask->ctx);
	s->found->is_read = !err;
	s->found->n_bad += err == -EPROTO ? 1 : (int)s->out->n_bad;
}

static void keep_compiled(const struct search *s)
{
	char line[LINE_ROOM];
	int err;

	if (!s->ask->state || !s->found->is_read)
		return;
	taf_policy_seal(s->out);
	err = taf_store_put(s->ask->state, s->out);
	if (err) {
		snprintf(line, sizeof(line),
			 "%s: the compiled policy cannot be kept there (%s); the guard "
			 "reads the text instead",
			 s->ask->state, strerror(-err));
		say(s, line);
	} else if (!taf_store_path(s->ask->state, s->out->sha256, s->found->blob,
				   sizeof(s->found->blob))) {
		s->found->blob[0] = '\0';
	}
}

static void read_file(const struct search *s, const char *file)
{
	taf_policy_builtin(s->out);
	if (!make_absolute(file, s->found->path))
		s->found->path[0] = '\0';
	s->found->is_read = take_compiled(s, file);
	if (!s->found->is_read) {
		taf_policy_builtin(s->out);
		read_text(s, file);
	}
	taf_zero(s->out->path, sizeof(s->out->path));
	taf_copy(s->out->path, s->found->path, sizeof(s->out->path));
	taf_policy_seal(s->out);
	keep_compiled(s);
}

/* One text of settings; its mistakes are told with its name before them. */
static void apply(const struct search *s, const char *name, const char *text)
{
	enum taf_origin origin = *name == '-' ? TAF_FROM_ARG : TAF_FROM_ENV;
	uint8_t touched[TAF_RULE_COUNT] = { 0 };
	char why[4096], line[LINE_ROOM];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	s->found->n_bad += taf_rules_set_many(&s->found->rules, text, touched, &t);
	for (char *p = why, *end; *p; p = end) {
		end = p + strcspn(p, "\n");
		snprintf(line, sizeof(line), "%s: %.*s", name, (int)(end - p), p);
		say(s, line);
		end += *end == '\n';
	}
	for (int i = 0; i < TAF_RULE_COUNT; i++)
		if (touched[i])
			s->found->origin[i] = (uint8_t)origin;
}

/* TAFFRAIL_SET and every --set, joined, for the guard in the program. */
static int join_sets(const struct search *s, const char *env)
{
	size_t n = env ? strlen(env) + 2 : 1;
	char *p;

	if (!(env && *env) && !s->ask->n_sets)
		return 0;
	for (size_t i = 0; i < s->ask->n_sets; i++)
		n += strlen(s->ask->sets[i]) + 1;
	s->found->set = p = calloc(n, 1);
	if (!p)
		return -ENOMEM;
	if (env && *env)
		p = stpcpy(p, env);
	for (size_t i = 0; i < s->ask->n_sets; i++) {
		if (p > s->found->set)
			*p++ = ';';
		p = stpcpy(p, s->ask->sets[i]);
	}
	return 0;
}

/* The line of the policy that names the registry; 0: no line of it does. */
static uint32_t registry_line(const struct search *s)
{
	uint8_t origin = s->found->origin[TAF_RULE_models_registry];

	if (origin >= TAF_FROM_PROFILE)
		return s->out->profiles[origin - TAF_FROM_PROFILE].line[TAF_RULE_models_registry];
	return origin == TAF_FROM_FILE ? s->out->line[TAF_RULE_models_registry] : 0;
}

/* What has no line in the registry is a mistake in the line that names it. */
static void say_registry(void *ctx, const char *line)
{
	const struct search *s = ctx;
	size_t n = strlen(s->found->rules.models_registry);
	uint32_t at = registry_line(s);
	char named[LINE_ROOM + PATH_MAX];

	if (strncmp(line, s->found->rules.models_registry, n) != 0 || line[n] != ':' ||
	    (line[n + 1] >= '0' && line[n + 1] <= '9') || !s->ask->tell) {
		say(s, line);
		return;
	}
	if (at)
		snprintf(named, sizeof(named), "%s:%u: models.registry: %s", s->file, at, line);
	else
		snprintf(named, sizeof(named), "%s: models.registry: %s",
			 s->found->origin[TAF_RULE_models_registry] == TAF_FROM_ENV ? "TAFFRAIL_SET"
										    : "--set",
			 line);
	say(s, named);
}

int taf_policy_find(const struct taf_policy_ask *ask, struct taf_policy *out,
		    struct taf_policy_found *found)
{
	const char *set = getenv("TAFFRAIL_SET"), *strict = getenv("TAFFRAIL_STRICT");
	struct search s = { ask, out, found, NULL };
	char path[PATH_MAX];

	memset(found, 0, sizeof(*found));
	s.file = search(&s, path);
	if (s.file)
		read_file(&s, s.file);
	else
		taf_policy_builtin(out);
	taf_policy_for(out, &ask->who, &found->rules, found->origin);
	if (set)
		apply(&s, "TAFFRAIL_SET", set);
	for (size_t i = 0; i < ask->n_sets; i++)
		apply(&s, "--set", ask->sets[i]);
	if (ask->who.start)
		found->program = taf_app_of(ask->who.start, ask->who.engine);
	taf_app_give(found->program, &found->rules, found->origin);
	taf_registry_close(taf_registry_open(&(struct taf_registry_ask){
		.path = found->rules.models_registry,
		.state = ask->state,
		.always_reads = ask->always_reads,
		.tell = say_registry,
		.ctx = &s,
		.n_bad = &found->n_bad,
	}));
	found->is_strict =
		ask->is_strict || (strict && !strcmp(strict, "1")) || found->rules.strict;
	return join_sets(&s, set);
}

void taf_policy_tell_instead(const char *asked, const struct taf_policy_found *found)
{
	const char *env = getenv("TAFFRAIL_POLICY");
	bool is_other = asked ? found->from != TAF_POLICY_GIVEN
			      : env && *env && found->from != TAF_POLICY_ENV;

	if (is_other || (*found->path && !found->is_read))
		taf_tell("%s is in force instead",
			 found->is_read ? found->path : "the built-in policy");
}

void taf_policy_found_free(struct taf_policy_found *found)
{
	free(found->set);
	found->set = NULL;
}
