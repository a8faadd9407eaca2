/* SPDX-License-Identifier: MIT */
/* rules_set.c -- changes and shows settings: text in, text out. */
#include <errno.h>

#include "rules.h"
#include "value.h"

#define PATH_ROOM 128
#define VALUE_ROOM 1024
#define SCALAR_ROOM 320 /* of any value but a list, as text */

/* One setting of one policy. */
struct slot {
	const struct taf_rule_info *row;
	int rule;
	void *at; /* the member */
};

/* Holds any setting but a list. */
union scalar {
	taf_in_TEXT text;
	struct taf_amount amount;
	uint64_t number;
};

static struct slot slot_of(struct taf_rules *r, int rule)
{
	const struct taf_rule_info *row = taf_rule_info(rule);

	return (struct slot){ row, rule, (unsigned char *)r + row->offset };
}

static enum taf_list_kind kind_of(const struct slot *s)
{
	return (enum taf_list_kind)(s->row->type - TAF_TYPE_ENV);
}

/* The quoted value, what is wrong with it, and the range when is_listed. */
static void complain(const struct slot *s, const char *value, const char *what,
		     struct taf_text *why)
{
	if (!why)
		return;
	taf_why_quote(why, value);
	taf_text_put(why, what);
	taf_text_put(why, "; write ");
	taf_rule_range(s->rule, why);
}

static int out_of_range(const struct slot *s, const char *value, struct taf_text *why)
{
	complain(s, value, " is out of range", why);
	return -ERANGE;
}

/* MS, SIZE, PCT and INT as one number. */
static int read_number(const struct slot *s, const char *value, uint64_t *v, struct taf_text *why)
{
	uint32_t pct = 0;
	int64_t n = 0;
	int err;

	switch (s->row->type) {
	case TAF_TYPE_MS: return taf_value_ms(value, v, why);
	case TAF_TYPE_SIZE: return taf_value_size(value, v, why);
	case TAF_TYPE_PCT:
		err = taf_value_pct(value, &pct, NULL);
		*v = pct;
		return err == -ERANGE ? out_of_range(s, value, why)
				      : taf_value_pct(value, &pct, why);
	default:
		err = taf_value_int(value, &n, why);
		if (!err && n < 0)
			return out_of_range(s, value, why);
		*v = (uint64_t)n;
		return err;
	}
}

static int set_number(const struct slot *s, const char *value, struct taf_text *why)
{
	uint64_t v = 0, min = 0, max = 0;
	int err = read_number(s, value, &v, why);

	if (err)
		return err;
	read_number(s, s->row->min, &min, NULL);
	read_number(s, s->row->max, &max, NULL);
	if (v < min || v > max)
		return out_of_range(s, value, why);
	if (s->row->type == TAF_TYPE_SIZE)
		*(uint64_t *)s->at = v;
	else
		*(uint32_t *)s->at = (uint32_t)v;
	return 0;
}

static int set_signed(const struct slot *s, const char *value, struct taf_text *why)
{
	int64_t v = 0, min = 0, max = 0;
	int err = taf_value_int(value, &v, why);

	if (err)
		return err;
	taf_value_int(s->row->min, &min, NULL);
	taf_value_int(s->row->max, &max, NULL);
	if (v < min || v > max)
		return out_of_range(s, value, why);
	*(int32_t *)s->at = (int32_t)v;
	return 0;
}

static int set_word(const struct slot *s, const char *value, struct taf_text *why)
{
	const char *words = taf_rule_words(s->rule);
	uint32_t first = 0, last = 0, v = UINT32_MAX;

	taf_value_word(words, s->row->min, &first, NULL);
	taf_value_word(words, s->row->max, &last, NULL);
	if (taf_value_word(words, value, &v, NULL) < 0 || v < first || v > last) {
		complain(s, value, " is not one of its words", why);
		return -EINVAL;
	}
	*(uint32_t *)s->at = v;
	return 0;
}

/* The word of an amount that is none. */
static const char *none_of(uint8_t type)
{
	return type == TAF_TYPE_AMOUNT || type == TAF_TYPE_TIERED ? "off" : "as_asked";
}

static int set_amount(const struct slot *s, const char *value, struct taf_text *why)
{
	const char *none = none_of(s->row->type);
	struct taf_amount a = { .is = TAF_AMOUNT_NONE };
	int err = 0;

	if (s->row->type == TAF_TYPE_WIRED &&
	    (taf_same(value, "swallow") || taf_same(value, "off"))) {
		a.is = TAF_AMOUNT_SWALLOW;
	} else if (s->row->type == TAF_TYPE_TIERED && taf_same(value, "tier")) {
		a.is = TAF_AMOUNT_TIER;
	} else if (taf_ends(value, "%")) {
		a.is = TAF_AMOUNT_PCT;
		err = taf_value_pct(value, &a.pct, why);
	} else if (*value >= '0' && *value <= '9') {
		a.is = TAF_AMOUNT_BYTES;
		err = taf_value_size(value, &a.bytes, why);
	} else if (!taf_same(value, none)) {
		complain(s, value, " is no amount", why);
		return -EINVAL;
	}
	if (!err)
		*(struct taf_amount *)s->at = a;
	return err;
}

static int set_text(const struct slot *s, const char *value, struct taf_text *why)
{
	if (*value && *value != '/') {
		complain(s, value, " is relative, and nobody knows to which folder", why);
		return -EINVAL;
	}
	if (taf_len(value) >= s->row->bytes) {
		complain(s, value, " is longer than 255 bytes", why);
		return -ERANGE;
	}
	taf_zero(s->at, s->row->bytes);
	taf_copy(s->at, value, s->row->bytes);
	return 0;
}

static int set_slot(const struct slot *s, const char *value, struct taf_text *why)
{
	switch (s->row->type) {
	case TAF_TYPE_BOOL: return taf_value_bool(value, s->at, why);
	case TAF_TYPE_MS:
	case TAF_TYPE_SIZE:
	case TAF_TYPE_PCT:
	case TAF_TYPE_INT: return set_number(s, value, why);
	case TAF_TYPE_SINT: return set_signed(s, value, why);
	case TAF_TYPE_AMOUNT:
	case TAF_TYPE_TIERED:
	case TAF_TYPE_LIMIT:
	case TAF_TYPE_WIRED: return set_amount(s, value, why);
	case TAF_TYPE_TEXT: return set_text(s, value, why);
	case TAF_TYPE_SIGNALS: return taf_value_signals(value, s->at, why);
	default:
		if (taf_rule_is_list(s->rule))
			return taf_list_set(s->at, kind_of(s), value, why);
		return set_word(s, value, why);
	}
}

/* One entry of a keyed list: "NAME=value" or "class:severity". */
static int set_entry(const struct slot *s, const char *name, const char *value,
		     struct taf_text *why)
{
	char buf[TAF_ENTRY_ROOM];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, name);
	taf_text_char(&t, s->row->type == TAF_TYPE_ENV ? '=' : ':');
	taf_text_put(&t, value);
	if (t.is_cut) {
		taf_why_quote(why, value);
		taf_why(why, " is too long for this list; shorten it");
		return -ERANGE;
	}
	return taf_list_add(s->at, kind_of(s), buf, why);
}

static int unknown(const char *path, struct taf_text *why)
{
	char near[PATH_ROOM];
	struct taf_text t;

	taf_text_init(&t, near, sizeof(near));
	taf_why(why, "there is no setting ");
	taf_why_quote(why, path);
	if (taf_rule_nearest(path, &t)) {
		taf_why(why, "; did you mean ");
		taf_why(why, near);
		taf_why(why, "?");
	} else {
		taf_why(why, "; `taffrail check --effective` lists them all");
	}
	return -ENOENT;
}

void taf_rule_amend(int rule, const char *number, struct taf_text *out)
{
	const struct taf_rule_info *row = taf_rule_info(rule);
	bool is_time = row->type == TAF_TYPE_MS;
	char text[SCALAR_ROOM];
	union scalar any;
	struct slot s = { row, rule, &any };
	struct taf_text t;

	taf_text_init(&t, text, sizeof(text));
	taf_text_put(&t, number);
	taf_text_put(&t, !is_time ? "B" : taf_ends(row->path, "_ms") ? "ms" : "s");
	if (t.is_cut || set_slot(&s, text, NULL)) {
		taf_rule_range(rule, out);
		return;
	}
	taf_text_char(out, '"');
	taf_text_put(out, text);
	taf_text_put(out, is_time ? "\"" : "\", or as in \"8GiB\"");
}

/* A number that would be a duration, had it a unit. */
static bool lacks_unit(const char *value)
{
	char text[VALUE_ROOM];
	struct taf_text t;
	uint64_t ms;

	taf_text_init(&t, text, sizeof(text));
	taf_text_put(&t, value);
	taf_text_char(&t, 's');
	return !t.is_cut && taf_value_ms(value, &ms, NULL) && !taf_value_ms(text, &ms, NULL);
}

/* taf_value_ms knows no row: neither in which unit it is likely meant, nor what it takes. */
static int refuse_bare(const struct slot *s, const char *value, struct taf_text *why)
{
	taf_why_quote(why, value);
	taf_text_put(why, " has no unit and none is assumed; write ");
	taf_rule_amend(s->rule, value, why);
	return -EINVAL;
}

int taf_rules_set(struct taf_rules *r, const char *path, const char *value, struct taf_text *why)
{
	const char *entry;
	int rule = taf_rule_within(path, &entry);
	struct slot s;

	if (rule < 0)
		return unknown(path, why);
	s = slot_of(r, rule);
	if (why && s.row->type == TAF_TYPE_MS && lacks_unit(value))
		return refuse_bare(&s, value, why);
	return entry ? set_entry(&s, entry, value, why) : set_slot(&s, value, why);
}

int taf_rules_add(struct taf_rules *r, int rule, const char *entry, struct taf_text *why)
{
	struct slot s = slot_of(r, rule);

	return taf_list_add(s.at, kind_of(&s), entry, why);
}

void taf_rules_clear(struct taf_rules *r, int rule)
{
	struct slot s = slot_of(r, rule);

	taf_zero(s.at, s.row->bytes);
}

void taf_rules_take(struct taf_rules *r, const struct taf_rules *from, int rule)
{
	struct slot s = slot_of(r, rule);
	const void *theirs = (const unsigned char *)from + s.row->offset;

	if (s.row->type == TAF_TYPE_ENV)
		taf_list_merge(s.at, TAF_LIST_ENV, theirs);
	else
		taf_move(s.at, theirs, s.row->bytes);
}

void taf_rules_default_one(struct taf_rules *r, int rule)
{
	struct slot s = slot_of(r, rule);

	taf_zero(s.at, s.row->bytes);
	set_slot(&s, s.row->dflt, NULL);
}

void taf_rules_default(struct taf_rules *r)
{
	taf_zero(r, sizeof(*r));
	for (int i = 0; i < TAF_RULE_COUNT; i++)
		taf_rules_default_one(r, i);
}

/* Copies from..end without blanks at its ends. False when it does not fit. */
static bool cut_out(const char *from, const char *end, char *to, size_t room)
{
	while (from < end && *from == ' ')
		from++;
	while (end > from && end[-1] == ' ')
		end--;
	if ((size_t)(end - from) >= room)
		return false;
	taf_move(to, from, (size_t)(end - from));
	to[end - from] = '\0';
	return true;
}

/* One "key=value" of from..end. */
static int set_pair(struct taf_rules *r, const char *from, const char *end, struct taf_text *why)
{
	char path[PATH_ROOM], value[VALUE_ROOM];
	const char *entry, *p = from;
	int rule;

	while (p < end && *p != '=')
		p++;
	if (!cut_out(from, p, path, sizeof(path)) ||
	    !cut_out(p + (p < end), end, value, sizeof(value))) {
		taf_why(why, "a pair of more than 1000 bytes; shorten it");
		return -ERANGE;
	}
	if (p == end) {
		taf_why_quote(why, path);
		taf_why(why, " has no value; write key=value");
		return -EINVAL;
	}
	rule = taf_rule_within(path, &entry);
	if (rule >= 0) {
		taf_why(why, path);
		taf_why(why, ": ");
	}
	rule = taf_rules_set(r, path, value, why) ? -EINVAL : rule;
	return rule;
}

int taf_rules_set_many(struct taf_rules *r, const char *text, uint8_t *origin, struct taf_text *why)
{
	char line[512];
	struct taf_text t;
	int bad = 0;

	while (*text) {
		const char *end = text;
		bool is_blank = true;
		int rule;

		for (; *end && *end != ';'; end++)
			is_blank = is_blank && *end == ' ';
		taf_text_init(&t, line, sizeof(line));
		rule = is_blank ? 0 : set_pair(r, text, end, &t);
		if (rule < 0) {
			taf_why(why, bad ? "\n" : "");
			taf_why(why, line);
			bad++;
		} else if (origin && !is_blank) {
			origin[rule] = TAF_FROM_ENV;
		}
		text = end + (*end == ';');
	}
	return bad;
}

static void show_amount(const struct taf_amount *a, uint8_t type, struct taf_text *out)
{
	if (a->is == TAF_AMOUNT_BYTES) {
		taf_value_show_size(out, a->bytes);
	} else if (a->is == TAF_AMOUNT_PCT) {
		taf_text_u64(out, a->pct);
		taf_text_char(out, '%');
	} else if (a->is == TAF_AMOUNT_SWALLOW) {
		taf_text_put(out, "swallow");
	} else if (a->is == TAF_AMOUNT_TIER) {
		taf_text_put(out, "tier");
	} else {
		taf_text_put(out, none_of(type));
	}
}

static void show_number(const void *at, uint8_t type, struct taf_text *out)
{
	if (type == TAF_TYPE_MS)
		taf_value_show_ms(out, *(const uint32_t *)at);
	else if (type == TAF_TYPE_SIZE)
		taf_value_show_size(out, *(const uint64_t *)at);
	else if (type == TAF_TYPE_SINT)
		taf_text_i64(out, *(const int32_t *)at);
	else
		taf_text_u64(out, *(const uint32_t *)at);
	if (type == TAF_TYPE_PCT)
		taf_text_char(out, '%');
}

void taf_rules_show(const struct taf_rules *r, int rule, struct taf_text *out)
{
	const struct taf_rule_info *row = taf_rule_info(rule);
	const void *at = (const unsigned char *)r + row->offset;

	switch (row->type) {
	case TAF_TYPE_BOOL: taf_text_put(out, *(const bool *)at ? "on" : "off"); break;
	case TAF_TYPE_AMOUNT:
	case TAF_TYPE_TIERED:
	case TAF_TYPE_LIMIT:
	case TAF_TYPE_WIRED: show_amount(at, row->type, out); break;
	case TAF_TYPE_TEXT: taf_text_put(out, at); break;
	case TAF_TYPE_SIGNALS: taf_value_show_signals(out, *(const uint64_t *)at); break;
	default:
		if (taf_rule_is_list(rule))
			taf_list_show(at, (enum taf_list_kind)(row->type - TAF_TYPE_ENV), out);
		else if (taf_rule_is_word(rule))
			taf_value_show_word(out, taf_rule_words(rule), *(const uint32_t *)at);
		else
			show_number(at, row->type, out);
	}
}

/* Showing and reading again is the inverse of itself for all that was once read:
 * what comes back otherwise is out of range, no word, or no such kind of amount. */
static bool comes_back(const struct taf_rules *r, int rule)
{
	const struct taf_rule_info *row = taf_rule_info(rule);
	char text[SCALAR_ROOM];
	union scalar again;
	struct slot s = { row, rule, &again };
	struct taf_text t;

	taf_zero(&again, sizeof(again));
	taf_text_init(&t, text, sizeof(text));
	taf_rules_show(r, rule, &t);
	return !t.is_cut && !set_slot(&s, text, NULL) &&
	       taf_equal(&again, (const unsigned char *)r + row->offset, row->bytes);
}

bool taf_rules_is_whole(const struct taf_rules *r, int rule)
{
	const struct taf_rule_info *row = taf_rule_info(rule);
	const void *at = (const unsigned char *)r + row->offset;

	if (taf_rule_is_list(rule))
		return taf_list_is_whole(at, (enum taf_list_kind)(row->type - TAF_TYPE_ENV));
	if (row->type == TAF_TYPE_TEXT && !taf_is_ended(at, row->bytes))
		return false;
	if (row->type == TAF_TYPE_BOOL && *(const unsigned char *)at > 1)
		return false;
	return comes_back(r, rule);
}
