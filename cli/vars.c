/* SPDX-License-Identifier: MIT */
#include "vars.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPARE 32
#define SEPARATORS " :"

struct taf_var {
	struct taf_var *next;
	char entry[];
};

int taf_vars_init(struct taf_vars *e, char *const *from)
{
	size_t n = 0;

	memset(e, 0, sizeof(*e));
	while (from && from[n])
		n++;
	e->room = n + SPARE;
	e->list = calloc(e->room, sizeof(*e->list));
	if (!e->list)
		return -ENOMEM;
	if (n)
		memcpy(e->list, from, n * sizeof(*e->list));
	e->n = n;
	return 0;
}

void taf_vars_free(struct taf_vars *e)
{
	struct taf_var *next;

	for (struct taf_var *v = e->made; v; v = next) {
		next = v->next;
		free(v);
	}
	free(e->list);
	memset(e, 0, sizeof(*e));
}

static bool is_named(const char *entry, const char *name, size_t n)
{
	return !strncmp(entry, name, n) && entry[n] == '=';
}

const char *taf_vars_get(const struct taf_vars *e, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < e->n; i++)
		if (is_named(e->list[i], name, n))
			return e->list[i] + n + 1;
	return NULL;
}

void taf_vars_drop(struct taf_vars *e, const char *name)
{
	size_t n = strlen(name), kept = 0;

	for (size_t i = 0; i < e->n; i++)
		if (!is_named(e->list[i], name, n))
			e->list[kept++] = e->list[i];
	e->n = kept;
	e->list[kept] = NULL;
}

static int append(struct taf_vars *e, char *entry)
{
	char **more;

	if (e->n + 2 > e->room) {
		more = realloc(e->list, (e->room * 2 + SPARE) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		e->list = more;
		e->room = e->room * 2 + SPARE;
	}
	e->list[e->n++] = entry;
	e->list[e->n] = NULL;
	return 0;
}

static char *make_entry(struct taf_vars *e, const char *name, const char *value)
{
	size_t room = strlen(name) + strlen(value) + sizeof("=");
	struct taf_var *v = malloc(sizeof(*v) + room);

	if (!v)
		return NULL;
	snprintf(v->entry, room, "%s=%s", name, value);
	v->next = e->made;
	e->made = v;
	return v->entry;
}

int taf_vars_set(struct taf_vars *e, const char *name, const char *value)
{
	size_t n = strlen(name);
	char *entry = make_entry(e, name, value);

	if (!entry)
		return -ENOMEM;
	for (size_t i = 0; i < e->n; i++)
		if (is_named(e->list[i], name, n)) {
			e->list[i] = entry;
			return 0;
		}
	return append(e, entry);
}

int taf_vars_default(struct taf_vars *e, const char *name, const char *value)
{
	return taf_vars_get(e, name) ? 0 : taf_vars_set(e, name, value);
}

/* The file name of the word, without its folders. */
static const char *word_base(const char *word, size_t *n)
{
	for (size_t i = *n; i > 0; i--)
		if (word[i - 1] == '/') {
			*n -= i;
			return word + i;
		}
	return word;
}

static bool is_ours(const char *word, size_t n)
{
	const char *name = word_base(word, &n);

	return (n == 14 && !memcmp(name, "libtaffrail.so", n)) ||
	       (n == 20 && !memcmp(name, "libtaffrail-alloc.so", n));
}

static bool is_sanitizer(const char *word, size_t n)
{
	static const char *const heads[] = { "libasan.", "libtsan.", "liblsan.", "libubsan.",
					     "libclang_rt." };
	const char *name = word_base(word, &n);

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		if (n > strlen(heads[i]) && !memcmp(name, heads[i], strlen(heads[i])))
			return true;
	return false;
}

struct words {
	char *text;
	size_t used;
};

static void add(struct words *w, const char *word, size_t n)
{
	if (w->used)
		w->text[w->used++] = ':';
	memcpy(w->text + w->used, word, n);
	w->used += n;
	w->text[w->used] = '\0';
}

/* Adds the foreign words of value that are, or are not, sanitizers at its head. */
static void add_foreign(struct words *w, const char *value, bool wants_head)
{
	bool is_head = true;
	size_t n;

	for (const char *at = value; *at; at += n) {
		at += strspn(at, SEPARATORS);
		n = strcspn(at, SEPARATORS);
		if (!n || is_ours(at, n))
			continue;
		is_head = is_head && is_sanitizer(at, n);
		if (is_head == wants_head)
			add(w, at, n);
	}
}

int taf_vars_preload(struct taf_vars *e, const char *first, const char *second)
{
	const char *value = taf_vars_get(e, "LD_PRELOAD");
	struct words w = { 0 };
	int err = 0;

	if (!value && !first && !second)
		return 0;
	w.text = calloc(1, (value ? strlen(value) : 0) + (first ? strlen(first) : 0) +
				   (second ? strlen(second) : 0) + 4);
	if (!w.text)
		return -ENOMEM;
	if (value)
		add_foreign(&w, value, true);
	if (first)
		add(&w, first, strlen(first));
	if (second)
		add(&w, second, strlen(second));
	if (value)
		add_foreign(&w, value, false);
	if (w.used)
		err = taf_vars_set(e, "LD_PRELOAD", w.text);
	else
		taf_vars_drop(e, "LD_PRELOAD");
	free(w.text);
	return err;
}

bool taf_vars_can_preload(const char *path)
{
	return *path == '/' && !path[strcspn(path, SEPARATORS)];
}
