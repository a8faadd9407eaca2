/* SPDX-License-Identifier: MIT */
#include "app.h"

/* Arrays, not pointers: a table of pointers costs the preloaded object a relocation each. */
static const struct {
	char name[20], text[52];
} programs[] = {
	{ "", "" },
#define APP(name, word, text) { word, text },
#include "apps.def"
};

static const struct {
	uint8_t program, sign; /* enum taf_sign */
	char first[28], second[20], engine[8];
} signs[] = {
#define APP_SIGN(name, sign, first, second, engine) \
	{ TAF_APP_##name, TAF_SIGN_##sign, first, second, engine },
#include "apps.def"
};

static const struct {
	uint8_t program;
	uint16_t rule;
	char value[8];
} values[] = {
#define APP_SET(name, field, value) { TAF_APP_##name, TAF_RULE_##field, value },
#include "apps.def"
};

static const char engines[TAF_APP_COUNT][8] = {
#define APP_ENGINE(name, engine) [TAF_APP_##name] = engine,
#include "apps.def"
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

const char *taf_app_name(enum taf_app p)
{
	return p < TAF_APP_COUNT ? programs[p].name : "";
}

const char *taf_app_text(enum taf_app p)
{
	return p < TAF_APP_COUNT ? programs[p].text : "";
}

const char *taf_app_engine(enum taf_app p)
{
	return p < TAF_APP_COUNT ? engines[p] : "";
}

/* The first row that fits, or -1. engine NULL: rows that ask for one fit by their signs. */
static int sign_of(const struct taf_start *s, const char *engine)
{
	struct taf_head h;

	taf_start_head(s, &h);
	for (size_t i = 0; i < COUNT(signs); i++) {
		const char *const text[2] = { signs[i].first, signs[i].second };

		if (engine && signs[i].engine[0] && !taf_same(signs[i].engine, engine))
			continue;
		if (taf_start_bears(s, &h, (enum taf_sign)signs[i].sign, text))
			return (int)i;
	}
	return -1;
}

enum taf_app taf_app_of(const struct taf_start *s, const char *engine)
{
	int i = sign_of(s, engine ? engine : "");

	return i < 0 ? TAF_APP_NONE : (enum taf_app)signs[i].program;
}

enum taf_app taf_app_maybe(const struct taf_start *s, const char **engine)
{
	int i = sign_of(s, NULL);

	*engine = i < 0 ? "" : signs[i].engine;
	return i < 0 ? TAF_APP_NONE : (enum taf_app)signs[i].program;
}

bool taf_app_sets(enum taf_app p, int rule)
{
	for (size_t i = 0; p && i < COUNT(values); i++)
		if (values[i].program == p && values[i].rule == rule)
			return true;
	return false;
}

void taf_app_give(enum taf_app p, struct taf_rules *out, uint8_t *origin)
{
	for (size_t i = 0; p && out->recognize && i < COUNT(values); i++) {
		int rule = values[i].rule;

		if (values[i].program != p || origin[rule] != TAF_FROM_BUILTIN)
			continue;
		if (!taf_rules_set(out, taf_rule_info(rule)->path, values[i].value, NULL))
			origin[rule] = TAF_FROM_APP;
	}
}
