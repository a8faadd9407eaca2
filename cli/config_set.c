/* SPDX-License-Identifier: MIT */
/* config_set.c -- one value of the file becomes one setting. */
#include <string.h>

#include "../policy/event.h"
#include "../policy/value.h"
#include "config_load.h"

static struct taf_rules *rules_of(struct taf_load *l)
{
	return l->profile ? &l->profile->rules : &l->out->base;
}

static void mark(struct taf_load *l, const struct taf_node *n, int rule)
{
	uint32_t line = taf_scan_line(&l->scan, taf_node_value(l, n));

	if (l->profile) {
		taf_profile_mark(l->profile, rule);
		l->profile->line[rule] = line;
	} else {
		l->out->origin[rule] = TAF_FROM_FILE;
		l->out->line[rule] = line;
	}
}

/* Complains about the value itself: its kind, and what the row takes. */
static void wrong_kind(struct taf_load *l, const struct taf_node *n, int rule, const char *what)
{
	char why[256];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	taf_text_put(&t, what);
	taf_text_put(&t, "; write ");
	if (taf_rule_info(rule)->type == TAF_TYPE_BOOL)
		taf_text_put(&t, "true or false");
	else
		taf_rule_range(rule, &t);
	taf_load_complain(l, taf_node_value(l, n), taf_rule_info(rule)->path, why);
}

static bool takes_number(int rule)
{
	uint8_t type = taf_rule_info(rule)->type;

	return type == TAF_TYPE_INT || type == TAF_TYPE_SINT || type == TAF_TYPE_PCT;
}

/* A number where a unit is needed: shows it with the likely one. */
static void no_unit(struct taf_load *l, const struct taf_node *n, int rule)
{
	char why[256], number[64];
	struct taf_text t;

	taf_node_number(l, n, number, sizeof(number));
	taf_text_init(&t, why, sizeof(why));
	taf_text_put(&t, "a number alone has no unit; write ");
	taf_rule_amend(rule, number, &t);
	taf_load_complain(l, taf_node_value(l, n), taf_rule_info(rule)->path, why);
}

static bool has_unit(int rule)
{
	uint8_t type = taf_rule_info(rule)->type;

	return type == TAF_TYPE_MS || type == TAF_TYPE_SIZE || type == TAF_TYPE_AMOUNT ||
	       type == TAF_TYPE_TIERED || type == TAF_TYPE_LIMIT || type == TAF_TYPE_WIRED;
}

/* The value of one setting as text, or NULL after a complaint. */
static const char *text_of(struct taf_load *l, const struct taf_node *n, int rule, char number[64])
{
	uint8_t type = taf_rule_info(rule)->type;

	if (cJSON_IsNull(n->json)) {
		wrong_kind(l, n, rule, "null is no value: leave the key out to keep the default");
	} else if (cJSON_IsObject(n->json) || cJSON_IsArray(n->json)) {
		wrong_kind(l, n, rule, "one value belongs here, not several");
	} else if (cJSON_IsBool(n->json)) {
		if (type == TAF_TYPE_BOOL)
			return cJSON_IsTrue(n->json) ? "on" : "off";
		wrong_kind(l, n, rule, "this is no switch");
	} else if (cJSON_IsNumber(n->json)) {
		taf_node_number(l, n, number, 64);
		if (takes_number(rule))
			return number;
		if (has_unit(rule))
			no_unit(l, n, rule);
		else
			wrong_kind(l, n, rule, "a number does not belong here");
	} else if (type == TAF_TYPE_INT || type == TAF_TYPE_SINT) {
		wrong_kind(l, n, rule, "a number belongs here, without quotes");
	} else if (type == TAF_TYPE_BOOL) {
		wrong_kind(l, n, rule, "a switch has no quotes");
	} else {
		return n->json->valuestring;
	}
	return NULL;
}

static void set_one(struct taf_load *l, const struct taf_node *n, int rule)
{
	const char *path = taf_rule_info(rule)->path;
	char number[64], why[256];
	const char *text = text_of(l, n, rule, number);
	struct taf_text t;

	if (!text)
		return;
	taf_text_init(&t, why, sizeof(why));
	if (taf_rules_set(rules_of(l), path, text, &t))
		taf_load_complain(l, taf_node_value(l, n), path, why);
	else
		mark(l, n, rule);
}

/* One entry of a list, as it is being put together. */
struct entry {
	int rule;
	const struct taf_node *node; /* the whole entry */
	char path[TAF_PATH_TEXT];
	struct taf_text text; /* for taf_rules_add */
};

static bool wrong_entry(struct taf_load *l, const struct entry *e, const char *why)
{
	taf_load_complain(l, taf_node_value(l, e->node), e->path, why);
	return false;
}

/* "NAME": "value" and "class": severity. */
static bool read_pair(struct taf_load *l, struct entry *e)
{
	bool is_env = taf_rule_info(e->rule)->type == TAF_TYPE_ENV;
	const cJSON *json = e->node->json;
	char number[64];

	taf_text_put(&e->text, json->string);
	taf_text_char(&e->text, is_env ? '=' : ':');
	if (cJSON_IsNumber(json)) {
		taf_node_number(l, e->node, number, sizeof(number));
		taf_text_put(&e->text, number);
	} else if (is_env && cJSON_IsString(json)) {
		taf_text_put(&e->text, json->valuestring);
	} else {
		return wrong_entry(
			l, e,
			is_env ? "a variable's value is text; write it in quotes"
			       : "a severity is a number; write 0 (ignore) to 5 (machine down)");
	}
	return true;
}

static bool read_word(struct taf_load *l, struct entry *e)
{
	if (!cJSON_IsString(e->node->json))
		return wrong_entry(l, e, "a name belongs here; write it in quotes");
	taf_text_put(&e->text, e->node->json->valuestring);
	return true;
}

/* The parts of an entry that is an object, in the order of its text. */
struct part {
	char key[12];
	bool is_needed;
	enum { ANY, TIME, ENGINE } is;
};

struct parts {
	struct part part[3];
	int n;
	const char *words;
};

static const struct parts family_parts = {
	{ { "match", true, ANY }, { "floor", true, TIME }, { "settle", false, TIME } },
	3,
	"match, floor and settle"
};

static const struct parts no_clear_parts = {
	{ { "engine", true, ENGINE }, { "versions", true, ANY } }, 2, "engine and versions"
};

/* Whether the part's value is good by itself, so that a complaint can point at it. */
static bool is_good_part(const struct part *part, const cJSON *json, struct taf_text *why)
{
	uint64_t ms;

	if (part->is == TIME && cJSON_IsNumber(json)) {
		taf_text_put(why, "a number alone has no unit; write as in \"90s\"");
	} else if (!cJSON_IsString(json)) {
		taf_text_put(why, "this is text; write it in quotes");
	} else if (part->is == TIME) {
		return !taf_value_ms(json->valuestring, &ms, why);
	} else if (part->is == ENGINE && taf_engine_of(json->valuestring) <= 0) {
		taf_why_quote(why, json->valuestring);
		taf_text_put(why, " is no engine; `taffrail hooks` lists them");
	} else {
		return true;
	}
	return false;
}

static bool read_part(struct taf_load *l, struct entry *e, const struct part *part,
		      const struct taf_node *kid)
{
	char why[256];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	if (is_good_part(part, kid->json, &t)) {
		taf_text_put(&e->text, kid->json->valuestring);
		return true;
	}
	taf_load_complain(l, taf_node_value(l, kid), e->path, why);
	return false;
}

/* The member of that key, or a json of NULL. */
static struct taf_node find(const struct taf_load *l, const struct taf_node *n, const char *key)
{
	struct taf_node kid = { 0 };

	while (taf_node_next(l, n, &kid))
		if (!strcmp(kid.json->string, key))
			return kid;
	return (struct taf_node){ 0 };
}

static bool has_only(struct taf_load *l, struct entry *e, const struct parts *parts)
{
	struct taf_node kid = { 0 };
	bool is_good = true;

	while (taf_node_next(l, e->node, &kid)) {
		bool is_known = false;

		for (int i = 0; i < parts->n; i++)
			is_known = is_known || !strcmp(kid.json->string, parts->part[i].key);
		if (!is_known)
			taf_load_no_key(l, &kid, e->path, parts->words);
		else if (!taf_load_is_twice(l, e->node, &kid, e->path))
			continue;
		is_good = false;
	}
	return is_good;
}

static bool read_object(struct taf_load *l, struct entry *e, const struct parts *parts)
{
	char why[96];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	taf_text_put(&t, "an entry is an object; write { } with ");
	taf_text_put(&t, parts->words);
	if (!cJSON_IsObject(e->node->json))
		return wrong_entry(l, e, why);
	if (!has_only(l, e, parts))
		return false;
	for (int i = 0; i < parts->n; i++) {
		struct taf_node kid = find(l, e->node, parts->part[i].key);

		if (i)
			taf_text_char(&e->text, ':');
		if (!kid.json && parts->part[i].is_needed)
			return wrong_entry(l, e, why);
		if (kid.json && !read_part(l, e, &parts->part[i], &kid))
			return false;
	}
	return true;
}

static bool read_entry(struct taf_load *l, struct entry *e)
{
	switch (taf_rule_info(e->rule)->type) {
	case TAF_TYPE_ENV:
	case TAF_TYPE_CLASSES: return read_pair(l, e);
	case TAF_TYPE_FAMILIES: return read_object(l, e, &family_parts);
	case TAF_TYPE_NO_CLEAR: return read_object(l, e, &no_clear_parts);
	default: return read_word(l, e);
	}
}

static bool add_signal(struct taf_load *l, struct entry *e, struct taf_text *why)
{
	uint64_t mask = 0;

	if (taf_value_signals(e->text.start, &mask, why))
		return false;
	rules_of(l)->exit_signals |= mask;
	return true;
}

static bool add_entry(struct taf_load *l, const struct taf_node *kid, int rule)
{
	char text[TAF_ENTRY_ROOM], why[256];
	struct entry e = { .rule = rule, .node = kid };
	struct taf_text t;

	taf_text_init(&t, e.path, sizeof(e.path));
	taf_text_put(&t, taf_rule_info(rule)->path);
	if (kid->json->string) {
		taf_text_char(&t, '.');
		taf_text_put(&t, kid->json->string);
	}
	taf_text_init(&e.text, text, sizeof(text));
	if (!read_entry(l, &e))
		return false;
	taf_text_init(&t, why, sizeof(why));
	if (e.text.is_cut)
		taf_text_put(&t, "this entry is too long; shorten it");
	else if (taf_rule_info(rule)->type == TAF_TYPE_SIGNALS
			 ? add_signal(l, &e, &t)
			 : !taf_rules_add(rules_of(l), rule, text, &t))
		return true;
	return wrong_entry(l, &e, why);
}

static bool add_all(struct taf_load *l, const struct taf_node *n, int rule)
{
	struct taf_node kid = { 0 };
	bool is_good = true;

	while (taf_node_next(l, n, &kid)) {
		if (kid.json->string && taf_load_is_twice(l, n, &kid, taf_rule_info(rule)->path))
			is_good = false;
		else if (!add_entry(l, &kid, rule))
			is_good = false;
	}
	return is_good;
}

static void set_list(struct taf_load *l, const struct taf_node *n, int rule)
{
	uint8_t type = taf_rule_info(rule)->type;
	bool is_object = type == TAF_TYPE_ENV || type == TAF_TYPE_CLASSES;

	if (is_object ? !cJSON_IsObject(n->json) : !cJSON_IsArray(n->json)) {
		taf_load_complain(l, taf_node_value(l, n), taf_rule_info(rule)->path,
				  type == TAF_TYPE_ENV
					  ? "variables belong here; write {\"NAME\": \"value\"}"
				  : type == TAF_TYPE_CLASSES
					  ? "classes belong here; write {\"name\": severity}"
					  : "a list belongs here; write [ ... ]");
		return;
	}
	taf_rules_clear(rules_of(l), rule);
	if (!add_all(l, n, rule)) {
		taf_rules_default_one(rules_of(l), rule);
		l->is_quiet = true;
		add_all(l, n, rule);
		l->is_quiet = false;
	}
	mark(l, n, rule);
}

void taf_load_set(struct taf_load *l, const struct taf_node *n, int rule)
{
	if (l->profile && rule == TAF_RULE_strict)
		taf_load_complain(l, taf_node_key(l, n), "strict",
				  "this counts for the whole file; write it outside the profiles");
	else if (taf_rule_is_list(rule) || taf_rule_info(rule)->type == TAF_TYPE_SIGNALS)
		set_list(l, n, rule);
	else
		set_one(l, n, rule);
}
