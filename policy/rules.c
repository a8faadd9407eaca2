/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "value.h"

#define PATH_ROOM 96

static const struct taf_rule_info rows[] = {
#define RULE(type, field, path, dflt, min, max, text) \
	{ path, \
	  dflt, \
	  min, \
	  max, \
	  text, \
	  offsetof(struct taf_rules, field), \
	  sizeof(((struct taf_rules *)0)->field), \
	  TAF_TYPE_##type },
#include "rules.def"
};

/* Rows here are those of SET, from TAF_TYPE_FIRST_SET on. */
static const char words[][40] = {
#define WORD(set, name, word) word "|"
#define SET(name, list) list,
#include "rules.def"
#undef WORD
};

_Static_assert(sizeof(struct taf_rules) < UINT16_MAX, "offsets of rows have 16 bits");

const struct taf_rule_info *taf_rule_info(int rule)
{
	return rule >= 0 && rule < TAF_RULE_COUNT ? &rows[rule] : NULL;
}

int taf_rule_of(const char *path)
{
	for (int i = 0; i < TAF_RULE_COUNT; i++)
		if (taf_same(rows[i].path, path))
			return i;
	return -1;
}

static bool is_keyed(int rule)
{
	return rows[rule].type == TAF_TYPE_ENV || rows[rule].type == TAF_TYPE_CLASSES;
}

int taf_rule_within(const char *path, const char **entry)
{
	*entry = NULL;
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		size_t n = taf_len(rows[i].path);

		if (!taf_starts(path, rows[i].path))
			continue;
		if (!path[n])
			return i;
		if (path[n] == '.' && path[n + 1] && is_keyed(i)) {
			*entry = path + n + 1;
			return i;
		}
	}
	return -1;
}

bool taf_rule_is_list(int rule)
{
	return rows[rule].type >= TAF_TYPE_ENV && rows[rule].type <= TAF_TYPE_NAMES;
}

bool taf_rule_is_word(int rule)
{
	return rows[rule].type >= TAF_TYPE_FIRST_SET;
}

static enum taf_list_kind kind_of(int rule)
{
	return (enum taf_list_kind)(rows[rule].type - TAF_TYPE_ENV);
}

const char *taf_rule_words(int rule)
{
	return taf_rule_is_word(rule) ? words[rows[rule].type - TAF_TYPE_FIRST_SET] : "";
}

/* Places of the first and the last word that a row takes. */
static void word_bounds(int rule, uint32_t *first, uint32_t *last)
{
	*first = *last = 0;
	taf_value_word(taf_rule_words(rule), rows[rule].min, first, NULL);
	taf_value_word(taf_rule_words(rule), rows[rule].max, last, NULL);
}

void taf_rule_range(int rule, struct taf_text *out)
{
	uint32_t first, last;

	switch (rows[rule].type) {
	case TAF_TYPE_BOOL: taf_text_put(out, "on or off"); break;
	case TAF_TYPE_AMOUNT: taf_text_put(out, "off, a size, or 0% to 100%"); break;
	case TAF_TYPE_TIERED: taf_text_put(out, "off, tier, a size, or 0% to 100%"); break;
	case TAF_TYPE_LIMIT: taf_text_put(out, "as_asked, a size, or 0% to 100%"); break;
	case TAF_TYPE_WIRED:
		taf_text_put(out, "as_asked, swallow (or off), a size, or 0% to 100%");
		break;
	case TAF_TYPE_TEXT: taf_text_put(out, "an absolute path, or nothing"); break;
	case TAF_TYPE_SIGNALS: taf_text_put(out, "names of signals, or none"); break;
	default:
		if (taf_rule_is_list(rule)) {
			taf_text_put(out, taf_list_form(kind_of(rule)));
			taf_text_put(out, ",... or none");
		} else if (taf_rule_is_word(rule)) {
			word_bounds(rule, &first, &last);
			taf_value_list_words(out, taf_rule_words(rule), first, last);
		} else {
			taf_text_put(out, rows[rule].min);
			taf_text_put(out, " to ");
			taf_text_put(out, rows[rule].max);
		}
	}
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Both are cut to PATH_ROOM. */
uint32_t taf_rule_distance(const char *a, const char *b)
{
	uint32_t row[PATH_ROOM + 1];
	size_t n = taf_len(b);

	if (n > PATH_ROOM)
		n = PATH_ROOM;
	for (size_t j = 0; j <= n; j++)
		row[j] = (uint32_t)j;
	for (size_t i = 0; a[i] && i < PATH_ROOM; i++) {
		uint32_t corner = row[0];

		row[0]++;
		for (size_t j = 1; j <= n; j++) {
			uint32_t change = corner + (a[i] != b[j - 1]);

			corner = row[j];
			row[j] = least(least(row[j], row[j - 1]) + 1, change);
		}
	}
	return row[n];
}

struct nearest {
	uint32_t best;
	size_t n; /* of it, in rows[rule].path */
	int rule;
};

static void consider(struct nearest *near, const char *path, int rule, size_t n)
{
	const char *known = rows[rule].path;
	char part[sizeof(rows[0].path)];
	const char *key = taf_last(known, '.');
	uint32_t d;

	taf_zero(part, sizeof(part));
	taf_move(part, known, n);
	d = taf_rule_distance(path, part);
	/* The right word at the wrong place is as good as one typing error. */
	if (key && !known[n] &&
	    taf_same(taf_last(path, '.') ? taf_last(path, '.') + 1 : path, key + 1))
		d = least(d, 1);
	if (d < near->best)
		*near = (struct nearest){ d, n, rule };
}

bool taf_rule_nearest(const char *path, struct taf_text *out)
{
	uint32_t n = (uint32_t)taf_len(path), limit = least(2 + n / 6, (n + 1) / 3);
	struct nearest near = { limit + 1, 0, -1 };

	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		const char *dot = taf_last(rows[i].path, '.');

		consider(&near, path, i, taf_len(rows[i].path));
		if (dot)
			consider(&near, path, i, (size_t)(dot - rows[i].path));
	}
	if (near.rule < 0)
		return false;
	taf_text_put_n(out, rows[near.rule].path, near.n);
	return true;
}
