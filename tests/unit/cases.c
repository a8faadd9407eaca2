/* SPDX-License-Identifier: MIT */
/* cases.c -- runs files of cases against the real functions: see cases.h.
 *
 *   cases FILE...      each failing case, then "N passed, N failed"; 1 if any failed
 *
 * An area or field that cases.def does not know, a file that cannot be read and
 * a case that expects nothing are failures: what is not checked must not pass.
 */
#include "cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 16

static const struct area {
	const char *name, *input, *expect;
	taf_case_fn *run;
} areas[] = {
#define AREA(name, input, expect) { #name, input, expect, taf_case_##name },
#include "cases.def"
#undef AREA
};

/* One case, and what is wrong with it. */
struct attempt {
	const cJSON *one;
	const char *file;
	char why[512]; /* "": nothing */
};

static unsigned n_passed, n_failed;

static bool wrong(struct attempt *a, const char *what, const char *more)
{
	if (!a->why[0])
		snprintf(a->why, sizeof(a->why), "%s%s", what, more);
	return false;
}

/* ---- Fields --------------------------------------------------------------- */

/* Where a walk through an object is. */
struct place {
	const char *key[DEPTH];
	int depth;
};

/* The n bytes of word are a path; it must begin with the place, or end in '**' on the way. */
static bool leads_to(const char *word, size_t n, const struct place *at)
{
	const char *end = word + n;

	for (int i = 0; i < at->depth; i++) {
		size_t part = 0;

		if (word >= end)
			return false;
		while (word + part < end && word[part] != '.')
			part++;
		if (part == 2 && !strncmp(word, "**", 2))
			return true;
		if (!(part == 1 && *word == '*') &&
		    (strlen(at->key[i]) != part || strncmp(word, at->key[i], part) != 0))
			return false;
		word += part + 1;
	}
	return true;
}

static bool is_field(const char *words, const struct place *at)
{
	while (*words) {
		size_t n = strcspn(words, " ");

		if (leads_to(words, n, at))
			return true;
		words += n + (words[n] == ' ');
	}
	return false;
}

static bool are_fields(struct attempt *a, const cJSON *node, const char *words, struct place *at)
{
	const cJSON *kid;

	if (at->depth == DEPTH)
		return wrong(a, "too deep", "");
	cJSON_ArrayForEach(kid, node)
	{
		at->key[at->depth++] = cJSON_IsArray(node) ? "[]" : kid->string;
		if (!is_field(words, at))
			return wrong(a, "unknown field ", at->key[at->depth - 1]);
		if (!are_fields(a, kid, words, at))
			return false;
		at->depth--;
	}
	return true;
}

/* ---- Comparing ------------------------------------------------------------ */

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b));
}

static bool is_same(const cJSON *want, const cJSON *got);

static bool is_same_list(const cJSON *want, const cJSON *got)
{
	const cJSON *w = want->child, *g = got->child;

	while (w && g && is_same(w, g)) {
		w = w->next;
		g = g->next;
	}
	return !w && !g;
}

static bool is_same_object(const cJSON *want, const cJSON *got)
{
	const cJSON *w;

	cJSON_ArrayForEach(w, want)
	{
		if (!is_same(w, cJSON_GetObjectItemCaseSensitive(got, w->string)))
			return false;
	}
	return true;
}

static bool is_same(const cJSON *want, const cJSON *got)
{
	if (!got || (want->type & 0xff) != (got->type & 0xff))
		return false;
	if (cJSON_IsNumber(want))
		return is_near(want->valuedouble, got->valuedouble);
	if (cJSON_IsString(want))
		return !strcmp(want->valuestring, got->valuestring);
	if (cJSON_IsArray(want))
		return is_same_list(want, got);
	return !cJSON_IsObject(want) || is_same_object(want, got);
}

/* What KEY_min or KEY_max is about, or NULL when key is neither. */
static const cJSON *bounded(const cJSON *got, const char *key)
{
	size_t n = strlen(key);
	char base[64];

	if (n < 5 || n - 4 >= sizeof(base) ||
	    (strcmp(key + n - 4, "_min") != 0 && strcmp(key + n - 4, "_max") != 0))
		return NULL;
	memcpy(base, key, n - 4);
	base[n - 4] = '\0';
	return cJSON_GetObjectItemCaseSensitive(got, base);
}

static bool is_within(const cJSON *bound, const cJSON *n)
{
	double b = bound->valuedouble;

	if (!cJSON_IsNumber(n) || !cJSON_IsNumber(bound))
		return false;
	if (is_near(n->valuedouble, b))
		return true;
	return strstr(bound->string, "_max") ? n->valuedouble < b : n->valuedouble > b;
}

static bool is_met(const cJSON *expect, const cJSON *want, const cJSON *got)
{
	const cJSON *same = cJSON_GetObjectItemCaseSensitive(got, want->string);
	const cJSON *n = bounded(got, want->string);
	bool may_be_null = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(expect, "null_allowed"));

	if (!strcmp(want->string, "null_allowed"))
		return cJSON_IsBool(want);
	if (n && !same)
		return (cJSON_IsNull(n) && may_be_null) || is_within(want, n);
	return is_same(want, same);
}

/* ---- Running -------------------------------------------------------------- */

static void compare(struct attempt *a, const cJSON *expect, const cJSON *got)
{
	const cJSON *want;

	cJSON_ArrayForEach(want, expect)
	{
		if (!is_met(expect, want, got))
			wrong(a, "differs in ", want->string);
	}
}

static const struct area *area_of(const char *name)
{
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (name && !strcmp(areas[i].name, name))
			return &areas[i];
	return NULL;
}

static bool is_well_formed(struct attempt *a, const struct area *area, const cJSON *input,
			   const cJSON *expect)
{
	struct place top = { .depth = 0 };

	if (!area)
		return wrong(a, "unknown area", "");
	if (!cJSON_IsObject(input) || !cJSON_IsObject(expect) || !expect->child)
		return wrong(a, "needs an input, and an expect that is not empty", "");
	if (!are_fields(a, input, area->input, &top))
		return false;
	top.depth = 0;
	return are_fields(a, expect, area->expect, &top);
}

static void tell(const struct attempt *a, const cJSON *expect, const cJSON *got)
{
	const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(a->one, "id"));
	char *want = cJSON_PrintUnformatted(expect), *have = cJSON_PrintUnformatted(got);

	printf("%s: %s: %s; wanted %s, got %s\n", a->file, id ? id : "(without id)", a->why,
	       want ? want : "nothing", have ? have : "nothing");
	free(want);
	free(have);
}

static void run_case(struct attempt *a, const char *area_name)
{
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(a->one, "input");
	const cJSON *expect = cJSON_GetObjectItemCaseSensitive(a->one, "expect");
	const char *own = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(a->one, "area"));
	const struct area *area = area_of(own ? own : area_name);
	cJSON *got = cJSON_CreateObject();

	if (is_well_formed(a, area, input, expect)) {
		area->run(input, got);
		compare(a, expect, got);
	}
	if (a->why[0]) {
		n_failed++;
		tell(a, expect, got);
	} else {
		n_passed++;
	}
	cJSON_Delete(got);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	long n = -1;

	if (f && !fseek(f, 0, SEEK_END) && (n = ftell(f)) >= 0) {
		rewind(f);
		text = calloc(1, (size_t)n + 1);
		if (text && fread(text, 1, (size_t)n, f) != (size_t)n) {
			free(text);
			text = NULL;
		}
	}
	if (f)
		fclose(f);
	return text;
}

static void run_file(const char *path)
{
	char *text = read_file(path);
	cJSON *top = text ? cJSON_Parse(text) : NULL;
	const cJSON *cases = cJSON_GetObjectItemCaseSensitive(top, "cases"), *one;

	if (!cJSON_IsArray(cases) || !cases->child) {
		printf("%s: is no file of cases\n", path);
		n_failed++;
	}
	cJSON_ArrayForEach(one, cases)
	{
		struct attempt a = { one, path, "" };

		run_case(&a, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(top, "area")));
	}
	cJSON_Delete(top);
	free(text);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: cases FILE...\n");
		return 64;
	}
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	printf("%u passed, %u failed\n", n_passed, n_failed);
	return n_failed ? 1 : 0;
}
