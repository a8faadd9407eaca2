/* SPDX-License-Identifier: MIT */
#include "role.h"

#include "pyargs.h"

/* Arrays, not pointers: a table of pointers costs the preloaded object a relocation each. */
static const struct {
	char name[12];
} roles[] = {
	{ "" },
#define ROLE(name, word, text) { word },
#include "roles.def"
};

static const struct {
	uint8_t role;
	uint16_t rule;
	char value[12];
} limits[] = {
#define ROLE_SET(name, field, value) { TAF_ROLE_##name, TAF_RULE_##field, value },
#include "roles.def"
};

enum where { IN_ENV, IN_ANY, IN_HEAD, IN_KIND };

static const struct {
	uint8_t role, where; /* enum where */
	char program[36], next[8];
} signs[] = {
#define ROLE_SIGN(name, where, program, next) { TAF_ROLE_##name, IN_##where, program, next },
#include "roles.def"
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

const char *taf_role_name(enum taf_role role)
{
	return role < TAF_ROLE_COUNT ? roles[role].name : "";
}

int taf_role_of(const char *name)
{
	for (int i = 1; i < TAF_ROLE_COUNT; i++)
		if (taf_same(roles[i].name, name))
			return i;
	return -1;
}

void taf_role_words(struct taf_text *out)
{
	for (int i = 1; i < TAF_ROLE_COUNT; i++) {
		if (i > 1)
			taf_text_put(out, i + 1 < TAF_ROLE_COUNT ? ", " : " or ");
		taf_text_put(out, roles[i].name);
	}
}

/* The role's row in limits, or -1. */
static int limit_of(enum taf_role role, int rule)
{
	for (size_t i = 0; role && i < COUNT(limits); i++)
		if (limits[i].role == role && limits[i].rule == rule)
			return (int)i;
	return -1;
}

bool taf_role_sets(enum taf_role role, int rule)
{
	return limit_of(role, rule) >= 0;
}

bool taf_role_give(enum taf_role role, struct taf_rules *r, int rule)
{
	int i = limit_of(role, rule);

	return i >= 0 && !taf_rules_set(r, taf_rule_info(rule)->path, limits[i].value, NULL);
}

/* What runs, as a person would name it. */
struct head {
	const char *kind; /* name of the file */
	const char *program; /* the same, or what an interpreter runs */
	const char *next; /* the word behind it; "": none */
};

static const char *word_at(const struct taf_start *s, int i)
{
	return i < s->argc && s->argv[i] ? s->argv[i] : "";
}

static bool is_python(const char *name)
{
	return taf_starts(name, "python") || taf_starts(name, "Python") || taf_starts(name, "pypy");
}

static void find_head(const struct taf_start *s, struct head *h)
{
	const char *named = taf_base(word_at(s, 0));
	struct taf_pyargs py;

	h->kind = s->exe && *s->exe ? taf_base(s->exe) : named;
	/* A program that renames itself ("VLLM::Worker") says more than its file does. */
	h->program = *named ? named : h->kind;
	h->next = word_at(s, 1);
	if (!is_python(named))
		return;
	taf_pyargs_read(s->argc, s->argv, &py);
	if (py.module || py.script) {
		h->program = taf_base(py.module ? py.module : py.script);
		h->next = word_at(s, py.next);
	}
}

static bool is_in_env(const struct taf_start *s, const char *name, const char *value)
{
	size_t n = taf_len(name);

	for (const char *const *e = s->env; e && *e; e++)
		if (taf_starts(*e, name) && (*e)[n] == '=')
			return !*value || taf_same(*e + n + 1, value);
	return false;
}

static bool has_word(const struct taf_start *s, const char *glob)
{
	for (int i = 0; i < s->argc && s->argv[i]; i++)
		if (taf_glob(glob, s->argv[i]))
			return true;
	return false;
}

static bool is_seen(const struct taf_start *s, const struct head *h, size_t i)
{
	const char *program = signs[i].program, *next = signs[i].next;

	switch (signs[i].where) {
	case IN_ENV: return is_in_env(s, program, next);
	case IN_ANY: return has_word(s, program);
	case IN_KIND: return taf_glob(program, h->kind);
	default: return taf_glob(program, h->program) && (!*next || taf_glob(next, h->next));
	}
}

enum taf_role taf_role_guess(const struct taf_start *s)
{
	struct head h;

	find_head(s, &h);
	for (size_t i = 0; i < COUNT(signs); i++)
		if (is_seen(s, &h, i))
			return (enum taf_role)signs[i].role;
	return TAF_ROLE_NONE;
}
