/* SPDX-License-Identifier: MIT */
#include "doctor_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "joined.h"
#include "role_cli.h"
#include "show.h"

#define TEXT_ROOM 4096

/* What the words say, as a person and as JSON would name it. */
static const struct {
	enum taf_hint hint;
	const char *key, *before, *after;
} asked[] = {
	{ TAF_HINT_MODEL, "model", "model ", "" },
	{ TAF_HINT_FILE, "file", "file ", "" },
	{ TAF_HINT_ALIAS, "alias", "called ", "" },
	{ TAF_HINT_DRAFT, "draft", "draft ", "" },
	{ TAF_HINT_MMPROJ, "mmproj", "projector ", "" },
	{ TAF_HINT_LORA, "lora", "adapter ", "" },
	{ TAF_HINT_CONTEXT, "context", "", " tokens of context" },
	{ TAF_HINT_PARALLEL, "parallel", "", " sequences" },
};

#define ASKED (sizeof(asked) / sizeof(asked[0]))

bool taf_doctor_profile_find(struct taf_doctor_profile *p, const char *file, const char *program,
			     char *const *words)
{
	struct taf_policy_ask ask = { .file = file };

	p->joined = taf_joined(words);
	if (!p->joined)
		return false;
	p->start = taf_start_of_command(program, words);
	p->who = (struct taf_who){ program, p->joined, NULL, &p->start };
	ask.who = p->who;
	if (taf_policy_find(&ask, &p->policy, &p->found))
		return false;
	p->program = taf_app_of(&p->start, NULL);
	p->engine = "";
	if (!p->program)
		p->program = taf_app_maybe(&p->start, &p->engine);
	taf_model_hint_argv(p->start.argc, words, &p->hints);
	taf_model_hint_env(environ, &p->hints);
	return true;
}

void taf_doctor_profile_close(struct taf_doctor_profile *p)
{
	taf_policy_found_free(&p->found);
	free(p->joined);
	p->joined = NULL;
}

/* Whether that profile of the file applies, if its engine is the one that is used. */
static bool applies(const struct taf_doctor_profile *p, const struct taf_profile *f)
{
	static struct taf_profile any;

	any = *f;
	any.engine[0] = '\0';
	return taf_profile_matches(&any, &p->who);
}

/* Of the rows that have their value from there. "" for none. */
static void put_sets(const struct taf_doctor_profile *p, uint8_t origin, struct taf_text *t)
{
	const char *between = ": ";

	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		if (p->found.origin[i] != origin)
			continue;
		taf_text_put(t, between);
		taf_text_put(t, taf_rule_info(i)->path);
		taf_text_char(t, ' ');
		taf_rules_show(&p->found.rules, i, t);
		between = ", ";
	}
}

static void print(const char *name, const struct taf_text *t)
{
	printf("  %-10s ", name);
	taf_show_text(stdout, t->start, TEXT_ROOM);
	putchar('\n');
}

static void say_program(const struct taf_doctor_profile *p, struct taf_text *t)
{
	taf_text_put(t, taf_app_name(p->program));
	taf_text_put(t, ", built in (");
	taf_text_put(t, taf_app_text(p->program));
	taf_text_char(t, ')');
	if (!p->found.rules.recognize) {
		taf_text_put(t, ": not in force, recognize is off");
	} else if (*p->engine) {
		taf_text_put(t, ": applies when the engine is ");
		taf_text_put(t, p->engine);
	} else {
		size_t before = t->used;

		put_sets(p, TAF_FROM_APP, t);
		taf_text_put(t, t->used == before ? ": sets nothing" : "");
	}
}

static void say_profile(const struct taf_doctor_profile *p, uint32_t i, struct taf_text *t)
{
	const struct taf_profile *f = &p->policy.profiles[i];

	taf_text_put(t, f->name);
	taf_text_put(t, ", ");
	taf_text_put(t, p->found.path);
	taf_text_char(t, ':');
	taf_text_u64(t, f->begins);
	if (*f->engine) {
		taf_text_put(t, ": applies when the engine is ");
		taf_text_put(t, f->engine);
	} else {
		put_sets(p, (uint8_t)(TAF_FROM_PROFILE + i), t);
	}
}

static void print_asked(const struct taf_doctor_profile *p)
{
	char buf[TEXT_ROOM];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	for (size_t i = 0; i < ASKED; i++) {
		const char *value = p->hints.text[asked[i].hint];

		if (!*value)
			continue;
		taf_text_put(&t, t.used ? ", " : "");
		if (asked[i].hint == TAF_HINT_CONTEXT && !strcmp(value, "0")) {
			taf_text_put(&t, "the context of the model");
			continue;
		}
		taf_text_put(&t, asked[i].before);
		taf_text_put(&t, value);
		taf_text_put(&t, asked[i].after);
	}
	if (t.used)
		print("asks for", &t);
}

void taf_doctor_profile_print(const struct taf_doctor_profile *p)
{
	const char *name = "profile";
	char buf[TEXT_ROOM];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	for (uint32_t i = 0; i < p->policy.n_profiles; i++) {
		if (!applies(p, &p->policy.profiles[i]))
			continue;
		taf_text_init(&t, buf, sizeof(buf));
		say_profile(p, i, &t);
		print(name, &t);
		name = "";
	}
	taf_text_init(&t, buf, sizeof(buf));
	if (p->program)
		say_program(p, &t);
	else if (*name)
		taf_text_put(&t,
			     "none: the program is not known, and no profile of a policy matches");
	if (t.used)
		print(name, &t);
	print_asked(p);
	if (p->found.n_bad)
		printf("  %-10s the policy has %d mistake%s; see: taffrail check\n", "",
		       p->found.n_bad, p->found.n_bad == 1 ? "" : "s");
}

static void put_profile(struct taf_json *j, const struct taf_doctor_profile *p, uint8_t origin)
{
	const struct taf_profile *f =
		origin < TAF_FROM_PROFILE ? NULL : &p->policy.profiles[origin - TAF_FROM_PROFILE];
	const char *engine = f ? f->engine : p->engine;
	char value[TEXT_ROOM];
	struct taf_text t;

	taf_json_open(j, NULL, '{');
	taf_json_text(j, "name", f ? f->name : taf_app_name(p->program));
	taf_json_bool(j, "built_in", !f);
	if (f)
		taf_json_u64(j, "line", f->begins);
	else
		taf_json_null(j, "line");
	taf_json_text(j, "engine", *engine ? engine : NULL);
	taf_json_open(j, "sets", '{');
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		if (p->found.origin[i] != origin)
			continue;
		taf_text_init(&t, value, sizeof(value));
		taf_rules_show(&p->found.rules, i, &t);
		taf_json_text(j, taf_rule_info(i)->path, value);
	}
	taf_json_close(j);
	taf_json_close(j);
}

void taf_doctor_profile_put(struct taf_json *j, const struct taf_doctor_profile *p)
{
	taf_json_text(j, "policy", *p->found.path ? p->found.path : NULL);
	taf_json_open(j, "profiles", '[');
	for (uint32_t i = 0; i < p->policy.n_profiles; i++)
		if (applies(p, &p->policy.profiles[i]))
			put_profile(j, p, (uint8_t)(TAF_FROM_PROFILE + i));
	if (p->program && p->found.rules.recognize)
		put_profile(j, p, TAF_FROM_APP);
	taf_json_close(j);
	taf_json_open(j, "asks", '{');
	for (size_t i = 0; i < ASKED; i++) {
		const char *value = p->hints.text[asked[i].hint];

		taf_json_text(j, asked[i].key, *value ? value : NULL);
	}
	taf_json_close(j);
}
