/* SPDX-License-Identifier: MIT */
#include "role.h"

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

static const struct {
	uint8_t role, sign; /* enum taf_sign */
	char first[36], second[20];
} signs[] = {
#define ROLE_SIGN(name, sign, first, second) { TAF_ROLE_##name, TAF_SIGN_##sign, first, second },
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

enum taf_role taf_role_guess(const struct taf_start *s)
{
	struct taf_head h;

	taf_start_head(s, &h);
	for (size_t i = 0; i < COUNT(signs); i++) {
		const char *const text[2] = { signs[i].first, signs[i].second };

		if (taf_start_bears(s, &h, (enum taf_sign)signs[i].sign, text))
			return (enum taf_role)signs[i].role;
	}
	return TAF_ROLE_NONE;
}
