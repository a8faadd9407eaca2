/* SPDX-License-Identifier: MIT */
#include "list.h"

#include <errno.h>

#include "classify.h"
#include "event.h"
#include "letter.h"
#include "value.h"
#include "version.h"

#define SEVERITY_MAX 5

/* Any entry, read from its text. The members of a kind lie as in list.h. */
union entry {
	char name[128];
	struct taf_env env;
	struct taf_family family;
	struct taf_no_clear no_clear;
	struct taf_class class;
};

static const struct shape {
	uint16_t bytes, room, name_room;
	char form[32];
} shapes[] = {
	[TAF_LIST_ENV] = { sizeof(struct taf_env), TAF_ENV_ROOM, TAF_NAME_ROOM, "NAME=value" },
	[TAF_LIST_FAMILIES] = { sizeof(struct taf_family), 16, TAF_NAME_ROOM,
				"match:floor:settle" },
	[TAF_LIST_NO_CLEAR] = { sizeof(struct taf_no_clear), 8, TAF_NAME_ROOM, "engine:versions" },
	[TAF_LIST_CLASSES] = { sizeof(struct taf_class), 32, TAF_NAME_ROOM, "class:severity" },
	[TAF_LIST_NAMES] = { sizeof(struct taf_name), 8, 128, "name" },
};

const char *taf_list_form(enum taf_list_kind kind)
{
	return shapes[kind].form;
}

static uint32_t *count_of(void *list)
{
	return list;
}

static void *entry_at(void *list, const struct shape *k, uint32_t i)
{
	return (unsigned char *)list + sizeof(uint32_t) + (size_t)i * k->bytes;
}

static int refuse(struct taf_text *why, const char *s, const char *rest)
{
	taf_why_quote(why, s);
	taf_why(why, rest);
	return -EINVAL;
}

static int too_long(struct taf_text *why, const char *s)
{
	refuse(why, s, " is too long for this list; shorten it");
	return -ERANGE;
}

/* Whether s has so many colons behind its first byte. */
static bool has_colons(const char *s, int n)
{
	while (*s && *++s)
		n -= *s == ':';
	return n <= 0;
}

/* Cuts s at its last c and returns what follows, "" when there is none. */
static const char *cut_last(char *s, char c)
{
	char *p = s + taf_len(s);

	while (p > s && p[-1] != c)
		p--;
	if (p == s)
		return "";
	p[-1] = '\0';
	return p;
}

static bool is_letter(char c)
{
	return taf_is_letter(c) || c == '_';
}

static int check_variable(const char *name, struct taf_text *why)
{
	for (const char *p = name; *p; p++)
		if (!is_letter(*p) && (p == name || *p < '0' || *p > '9'))
			return refuse(why, name, " is no variable name; use letters, digits and _");
	if (!*name)
		return refuse(why, name, " is no variable name; write NAME=value");
	if (taf_starts(name, "TAFFRAIL") || taf_same(name, "LD_PRELOAD") ||
	    taf_same(name, "LD_AUDIT"))
		return refuse(why, name, " is how the guard itself is started; leave it out");
	return 0;
}

static int read_env(char *text, union entry *e, struct taf_text *why)
{
	char *p = text;
	int err;

	while (*p && *p != '=')
		p++;
	if (!*p)
		return refuse(why, text, " has no value; write NAME=value");
	*p++ = '\0';
	err = check_variable(text, why);
	if (err)
		return err;
	if (!taf_copy(e->env.name, text, sizeof(e->env.name)))
		return too_long(why, text);
	return taf_copy(e->env.value, p, sizeof(e->env.value)) ? 0 : too_long(why, p);
}

static int read_day(const char *text, uint32_t *ms, struct taf_text *why)
{
	uint64_t v = 0;
	int err = taf_value_ms(*text ? text : "0s", &v, why);

	if (!err && v > 86400000) {
		refuse(why, text, " is more than a day; write 0s to 1d");
		err = -ERANGE;
	}
	if (!err)
		*ms = (uint32_t)v;
	return err;
}

/* From the right, since only the name may hold a colon. */
static int read_family(char *text, union entry *e, struct taf_text *why)
{
	const char *settle, *floor;
	int err;

	if (!has_colons(text, 2))
		return refuse(why, text,
			      " is no family; write match:floor:settle, as in gemma-4*:90s:3s");
	settle = cut_last(text, ':');
	floor = cut_last(text, ':');
	err = read_day(floor, &e->family.floor_ms, why);
	if (!err)
		err = read_day(settle, &e->family.settle_ms, why);
	if (!err && !taf_copy(e->family.name, text, sizeof(e->family.name)))
		err = too_long(why, text);
	return err;
}

static int read_no_clear(char *text, union entry *e, struct taf_text *why)
{
	const char *versions = "";
	char *p = text;

	while (*p && *p != ':')
		p++;
	if (*p) {
		*p = '\0';
		versions = p + 1;
	}
	if (taf_engine_of(text) <= 0)
		return refuse(why, text, " is no engine; `taffrail hooks` lists them");
	if (!*versions)
		return refuse(why, text, " has no versions; write as in mlx:==0.31.2");
	if (!taf_spec_is_valid(versions, why))
		return -EINVAL;
	taf_copy(e->no_clear.name, text, sizeof(e->no_clear.name));
	return taf_copy(e->no_clear.versions, versions, sizeof(e->no_clear.versions))
		       ? 0
		       : too_long(why, versions);
}

static int no_class(struct taf_text *why, const char *name)
{
	char buf[64];
	struct taf_text near;

	taf_text_init(&near, buf, sizeof(buf));
	if (taf_class_is_known(name, &near))
		return 0;
	refuse(why, name, " is no class that is known; ");
	taf_why(why, near.used ? "did you mean " : "taffrail-evidence(7) lists them all");
	taf_why(why, buf);
	taf_why(why, near.used ? "?" : "");
	return -EINVAL;
}

static int read_class(char *text, union entry *e, struct taf_text *why)
{
	const char *severity;

	if (!has_colons(text, 1))
		return refuse(why, text, " has no severity; write class:severity, as in xid_79:5");
	severity = cut_last(text, ':');
	if (severity[0] < '0' || severity[0] > '0' + SEVERITY_MAX || severity[1])
		return refuse(why, severity,
			      " is no severity; write 0 (ignore) to 5 (machine down)");
	e->class.severity = (uint32_t)(severity[0] - '0');
	if (no_class(why, text))
		return -EINVAL;
	return taf_copy(e->class.name, text, sizeof(e->class.name)) ? 0 : too_long(why, text);
}

static int read_name(char *text, union entry *e, struct taf_text *why)
{
	if (!taf_same(text, "metal-guard") && *text != '/')
		return refuse(why, text,
			      " is no lock that is known; write metal-guard or an absolute path");
	return taf_copy(e->name, text, sizeof(e->name)) ? 0 : too_long(why, text);
}

static int read_entry(enum taf_list_kind kind, const char *text, union entry *e,
		      struct taf_text *why)
{
	char buf[TAF_ENTRY_ROOM];

	taf_zero(e, sizeof(*e));
	if (!taf_copy(buf, text, sizeof(buf)))
		return too_long(why, text);
	switch (kind) {
	case TAF_LIST_ENV: return read_env(buf, e, why);
	case TAF_LIST_FAMILIES: return read_family(buf, e, why);
	case TAF_LIST_NO_CLEAR: return read_no_clear(buf, e, why);
	case TAF_LIST_CLASSES: return read_class(buf, e, why);
	default: return read_name(buf, e, why);
	}
}

/* Several versions of one engine stand beside each other: each is what not to do. */
static bool is_for_same(const void *at, const struct shape *k, const union entry *e)
{
	const struct taf_no_clear *no_clear = at;

	return taf_same_n(at, e->name, k->name_room) &&
	       (k != &shapes[TAF_LIST_NO_CLEAR] ||
		taf_same(no_clear->versions, e->no_clear.versions));
}

/* Puts e over the entry for the same, or behind the last one. */
static int put_entry(void *list, const struct shape *k, const union entry *e)
{
	uint32_t i = 0;

	while (i < *count_of(list) && !is_for_same(entry_at(list, k, i), k, e))
		i++;
	if (i == k->room)
		return -ERANGE;
	taf_move(entry_at(list, k, i), e, k->bytes);
	if (i == *count_of(list))
		++*count_of(list);
	return 0;
}

int taf_list_add(void *list, enum taf_list_kind kind, const char *entry, struct taf_text *why)
{
	const struct shape *k = &shapes[kind];
	union entry e;
	int err = read_entry(kind, entry, &e, why);

	if (err)
		return err;
	err = put_entry(list, k, &e);
	if (err && why) {
		taf_text_put(why, "the list is full at ");
		taf_text_u64(why, k->room);
		taf_text_put(why, "; leave entries out");
	}
	return err;
}

/* The next entry of a list's text, without its escapes. False at the end, or
 * when it is longer than room, with *p at its start then. */
static bool next_entry(const char **p, char *buf, size_t room)
{
	const char *s = *p;
	size_t n = 0;

	while (*s == ' ')
		s++;
	if (!*s)
		return false;
	for (; *s && *s != ','; s++) {
		s += *s == '\\' && s[1];
		if (n + 1 >= room)
			return false;
		buf[n++] = *s;
	}
	buf[n] = '\0';
	*p = s + (*s == ',');
	return true;
}

int taf_list_set(void *list, enum taf_list_kind kind, const char *text, struct taf_text *why)
{
	const char *p = taf_same(text, "none") ? "" : text;
	const char *again = p;
	char buf[TAF_ENTRY_ROOM];
	uint32_t n = 0;
	union entry e;
	int err;

	/* Once to see that all of it is good, and once to take it. */
	for (; next_entry(&p, buf, sizeof(buf)); n++) {
		err = read_entry(kind, buf, &e, why);
		if (err)
			return err;
	}
	if (*p)
		return too_long(why, p);
	if (n > shapes[kind].room) {
		refuse(why, text, " has more entries than the list holds; leave some out");
		return -ERANGE;
	}
	taf_zero(list, sizeof(uint32_t) + (size_t)shapes[kind].room * shapes[kind].bytes);
	while (next_entry(&again, buf, sizeof(buf)))
		taf_list_add(list, kind, buf, NULL);
	return 0;
}

static void put_escaped(struct taf_text *out, const char *s)
{
	for (; *s; s++) {
		if (*s == ',' || *s == '\\')
			taf_text_char(out, '\\');
		taf_text_char(out, *s);
	}
}

static void show_entry(const void *at, enum taf_list_kind kind, struct taf_text *out)
{
	const struct taf_family *family = at;
	const struct taf_env *env = at;
	const struct taf_no_clear *no_clear = at;
	const struct taf_class *class = at;

	put_escaped(out, at);
	if (kind == TAF_LIST_ENV) {
		taf_text_char(out, '=');
		put_escaped(out, env->value);
	} else if (kind == TAF_LIST_FAMILIES) {
		taf_text_char(out, ':');
		taf_value_show_ms(out, family->floor_ms);
		taf_text_char(out, ':');
		taf_value_show_ms(out, family->settle_ms);
	} else if (kind == TAF_LIST_NO_CLEAR) {
		taf_text_char(out, ':');
		put_escaped(out, no_clear->versions);
	} else if (kind == TAF_LIST_CLASSES) {
		taf_text_char(out, ':');
		taf_text_u64(out, class->severity);
	}
}

void taf_list_show(const void *list, enum taf_list_kind kind, struct taf_text *out)
{
	const struct shape *k = &shapes[kind];
	const uint32_t *n = list;

	if (!*n)
		taf_text_put(out, "none");
	for (uint32_t i = 0; i < *n && i < k->room; i++) {
		if (i)
			taf_text_char(out, ',');
		show_entry((const unsigned char *)list + sizeof(*n) + (size_t)i * k->bytes, kind,
			   out);
	}
}

void taf_list_merge(void *list, enum taf_list_kind kind, const void *from)
{
	const struct shape *k = &shapes[kind];
	const uint32_t *n = from;
	union entry e;

	for (uint32_t i = 0; i < *n && i < k->room; i++) {
		taf_zero(&e, sizeof(e));
		taf_move(&e, (const unsigned char *)from + sizeof(*n) + (size_t)i * k->bytes,
			 k->bytes);
		put_entry(list, k, &e);
	}
}

static bool is_entry_whole(const unsigned char *at, enum taf_list_kind kind, const struct shape *k)
{
	const char *rest = (const char *)at + k->name_room;
	bool has_text = kind == TAF_LIST_ENV || kind == TAF_LIST_NO_CLEAR;

	if (!taf_is_ended((const char *)at, k->name_room))
		return false;
	if (kind == TAF_LIST_CLASSES)
		return ((const struct taf_class *)(const void *)at)->severity <= SEVERITY_MAX;
	return !has_text || taf_is_ended(rest, (size_t)k->bytes - k->name_room);
}

bool taf_list_is_whole(const void *list, enum taf_list_kind kind)
{
	const struct shape *k = &shapes[kind];
	const uint32_t *n = list;
	bool is_whole = *n <= k->room;

	for (uint32_t i = 0; i < *n && is_whole; i++)
		is_whole = is_entry_whole(
			(const unsigned char *)list + sizeof(*n) + (size_t)i * k->bytes, kind, k);
	return is_whole;
}
