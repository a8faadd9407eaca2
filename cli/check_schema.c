/* SPDX-License-Identifier: MIT */
/* check_schema.c -- the JSON schema of a policy file, from rules.def, for editors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/event.h"
#include "check.h"
#include "jsonout.h"

#define TIME "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"
#define SIZE "[0-9]+(\\.[0-9]+)?([kKMGT]i?)?B"

static void put_pattern(struct taf_json *j, const char *pattern)
{
	taf_json_text(j, "type", "string");
	taf_json_text(j, "pattern", pattern);
}

static void put_whole(struct taf_json *j, const struct taf_rule_info *row)
{
	taf_json_text(j, "type", "integer");
	taf_json_i64(j, "minimum", strtoll(row->min, NULL, 10));
	taf_json_i64(j, "maximum", strtoll(row->max, NULL, 10));
}

static void put_words(struct taf_json *j, int rule)
{
	const struct taf_rule_info *row = taf_rule_info(rule);
	char words[64], *rest = words, *word;
	bool is_in = false, is_past = false;

	snprintf(words, sizeof(words), "%s", taf_rule_words(rule));
	taf_json_open(j, "enum", '[');
	while ((word = strsep(&rest, "|")) && *word && !is_past) {
		is_in = is_in || !strcmp(word, row->min);
		is_past = !strcmp(word, row->max);
		if (is_in)
			taf_json_text(j, NULL, word);
	}
	taf_json_close(j);
}

static void put_property(struct taf_json *j, const char *key, const char *pattern)
{
	taf_json_open(j, key, '{');
	if (pattern)
		put_pattern(j, pattern);
	else
		taf_json_text(j, "type", "string");
	taf_json_close(j);
}

/* One of two types, the first of which is text. */
static void put_text_or(struct taf_json *j, const char *other)
{
	taf_json_open(j, "type", '[');
	taf_json_text(j, NULL, "string");
	taf_json_text(j, NULL, other);
	taf_json_close(j);
}

static void put_list(struct taf_json *j, const struct taf_rule_info *row)
{
	if (row->type == TAF_TYPE_ENV || row->type == TAF_TYPE_CLASSES) {
		taf_json_text(j, "type", "object");
		taf_json_open(j, "additionalProperties", '{');
		if (row->type == TAF_TYPE_CLASSES) {
			taf_json_text(j, "type", "integer");
			taf_json_i64(j, "minimum", 0);
			taf_json_i64(j, "maximum", 5);
		} else {
			put_text_or(j, "number");
		}
		taf_json_close(j);
		return;
	}
	taf_json_text(j, "type", "array");
	taf_json_open(j, "items", '{');
	if (row->type == TAF_TYPE_SIGNALS || row->type == TAF_TYPE_NAMES) {
		taf_json_text(j, "type", "string");
	} else {
		taf_json_text(j, "type", "object");
		taf_json_bool(j, "additionalProperties", false);
		taf_json_open(j, "properties", '{');
		put_property(j, row->type == TAF_TYPE_FAMILIES ? "match" : "engine", NULL);
		put_property(j, row->type == TAF_TYPE_FAMILIES ? "floor" : "versions",
			     row->type == TAF_TYPE_FAMILIES ? TIME : NULL);
		if (row->type == TAF_TYPE_FAMILIES)
			put_property(j, "settle", TIME);
		taf_json_close(j);
	}
	taf_json_close(j);
}

static void put_type(struct taf_json *j, int rule)
{
	const struct taf_rule_info *row = taf_rule_info(rule);

	switch (row->type) {
	case TAF_TYPE_BOOL: taf_json_text(j, "type", "boolean"); break;
	case TAF_TYPE_MS: put_pattern(j, TIME); break;
	case TAF_TYPE_SIZE: put_pattern(j, "^" SIZE "$"); break;
	case TAF_TYPE_PCT:
		put_text_or(j, "integer");
		taf_json_text(j, "pattern", "^[0-9]+%?$");
		break;
	case TAF_TYPE_INT:
	case TAF_TYPE_SINT: put_whole(j, row); break;
	case TAF_TYPE_AMOUNT: put_pattern(j, "^(off|[0-9]+%|" SIZE ")$"); break;
	case TAF_TYPE_TIERED: put_pattern(j, "^(off|tier|[0-9]+%|" SIZE ")$"); break;
	case TAF_TYPE_LIMIT: put_pattern(j, "^(as_asked|[0-9]+%|" SIZE ")$"); break;
	case TAF_TYPE_WIRED: put_pattern(j, "^(as_asked|swallow|off|[0-9]+%|" SIZE ")$"); break;
	case TAF_TYPE_TEXT: put_pattern(j, "^(/.*)?$"); break;
	default:
		if (taf_rule_is_word(rule))
			put_words(j, rule);
		else
			put_list(j, row);
	}
}

static void put_row(struct taf_json *j, int rule)
{
	const struct taf_rule_info *row = taf_rule_info(rule);
	const char *key = strrchr(row->path, '.');
	char text[256];

	snprintf(text, sizeof(text), "%s. Default: %s.", row->text,
		 *row->dflt ? row->dflt : "empty");
	taf_json_open(j, key ? key + 1 : row->path, '{');
	taf_json_text(j, "description", text);
	put_type(j, rule);
	taf_json_close(j);
}

static size_t section_of(int rule)
{
	const char *path = rule < TAF_RULE_COUNT ? taf_rule_info(rule)->path : "";
	const char *dot = strchr(path, '.');

	return dot ? (size_t)(dot - path) : 0;
}

/* Rows of one section stand together in rules.def. */
static bool is_same_section(int a, int b)
{
	size_t n = section_of(a);

	return b < TAF_RULE_COUNT && n && n == section_of(b) &&
	       !strncmp(taf_rule_info(a)->path, taf_rule_info(b)->path, n);
}

/* The rows as members of an open object. */
static void put_rows(struct taf_json *j)
{
	for (int i = 0; i < TAF_RULE_COUNT; i++) {
		char section[sizeof(taf_rule_info(0)->path)];

		if (section_of(i) && !(i && is_same_section(i, i - 1))) {
			snprintf(section, sizeof(section), "%.*s", (int)section_of(i),
				 taf_rule_info(i)->path);
			taf_json_open(j, section, '{');
			taf_json_text(j, "type", "object");
			taf_json_bool(j, "additionalProperties", false);
			taf_json_open(j, "properties", '{');
		}
		put_row(j, i);
		if (section_of(i) && !is_same_section(i, i + 1)) {
			taf_json_close(j);
			taf_json_close(j);
		}
	}
}

static void put_profiles(struct taf_json *j)
{
	taf_json_open(j, "profiles", '{');
	taf_json_text(j, "type", "array");
	taf_json_i64(j, "maxItems", TAF_PROFILES);
	taf_json_open(j, "items", '{');
	taf_json_text(j, "type", "object");
	taf_json_bool(j, "additionalProperties", false);
	taf_json_open(j, "required", '[');
	taf_json_text(j, NULL, "match");
	taf_json_close(j);
	taf_json_open(j, "properties", '{');
	put_property(j, "name", NULL);
	taf_json_open(j, "role", '{');
	taf_json_open(j, "enum", '[');
	for (int i = 1; i < TAF_ROLE_COUNT; i++)
		taf_json_text(j, NULL, taf_role_name((enum taf_role)i));
	taf_json_close(j);
	taf_json_close(j);
	taf_json_open(j, "match", '{');
	taf_json_text(j, "type", "object");
	taf_json_bool(j, "additionalProperties", false);
	taf_json_i64(j, "minProperties", 1);
	taf_json_open(j, "properties", '{');
	put_property(j, "exe", NULL);
	put_property(j, "argv", NULL);
	put_property(j, "engine", NULL);
	taf_json_close(j);
	taf_json_close(j);
	taf_json_open(j, "settings", '{');
	taf_json_text(j, "type", "object");
	taf_json_bool(j, "additionalProperties", false);
	taf_json_open(j, "properties", '{');
	put_rows(j);
	for (int i = 0; i < 5; i++)
		taf_json_close(j);
	taf_json_close(j);
}

void taf_check_schema(void)
{
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_text(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	taf_json_text(&j, "title", "taffrail policy");
	taf_json_text(&j, "type", "object");
	taf_json_bool(&j, "additionalProperties", false);
	taf_json_open(&j, "properties", '{');
	put_property(&j, "$schema", NULL);
	put_rows(&j);
	put_profiles(&j);
	taf_json_close(&j);
	taf_json_close(&j);
	taf_json_end(&j);
}
