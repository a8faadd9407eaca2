/* SPDX-License-Identifier: MIT */
/* closure.c -- see closure.h.
 *
 * find_library tries the places in the loader's order; each place ends in
 * try_file, which opens the candidate and takes it if it is a library of the
 * program's machine.  expand replaces $ORIGIN, $LIB and $PLATFORM.
 */
#include "closure.h"

#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "../policy/text.h"

#define PARENTS_MAX 64

#if defined(__aarch64__)
#define MULTIARCH "aarch64-linux-gnu"
#else
#define MULTIARCH "x86_64-linux-gnu"
#endif
#define DEFAULT_DIRS "/lib/" MULTIARCH ":/usr/lib/" MULTIARCH ":/lib64:/usr/lib64:/lib:/usr/lib"

struct walk {
	const struct taf_closure_how *how;
	struct taf_closure *c;
};

/* One search: who asks, for what, and what was found. */
struct search {
	struct walk *w;
	size_t by;
	const char *name;
	char path[PATH_MAX];
	struct taf_object object;
	struct stat st;
	bool is_known; /* path is an object we already have */
};

static bool is_same_sort(const struct taf_object *a, const struct taf_object *b)
{
	return a->bits == b->bits && a->machine == b->machine && a->is_little == b->is_little;
}

static bool is_held(const struct taf_closure *c, const struct stat *st)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->libs[i].dev == (uint64_t)st->st_dev &&
		    c->libs[i].ino == (uint64_t)st->st_ino)
			return true;
	return false;
}

static bool try_file(struct search *s)
{
	if (stat(s->path, &s->st) || !S_ISREG(s->st.st_mode))
		return false;
	if (is_held(s->w->c, &s->st)) {
		s->is_known = true;
		return true;
	}
	if (taf_object_open(s->path, &s->object))
		return false;
	if (s->object.type == ET_DYN && is_same_sort(&s->object, &s->w->c->libs[0].object))
		return true;
	taf_object_close(&s->object);
	return false;
}

struct line {
	char *text;
	size_t used, room;
	bool is_cut;
};

static void put(struct line *l, const char *s, size_t n)
{
	if (l->room - l->used <= n) {
		l->is_cut = true;
		return;
	}
	memcpy(l->text + l->used, s, n);
	l->used += n;
	l->text[l->used] = '\0';
}

/* The length of "$NAME" or "${NAME}" at s, or 0. */
static size_t token(const char *s, size_t left, const char *name)
{
	size_t n = strlen(name);

	if (left > n && !strncmp(s + 1, name, n))
		return n + 1;
	if (left > n + 2 && s[1] == '{' && !strncmp(s + 2, name, n) && s[n + 2] == '}')
		return n + 3;
	return 0;
}

static void put_origin(struct line *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 1;

	put(l, slash ? path : ".", n);
}

static void put_expanded(struct line *l, const char *s, size_t n, const char *origin)
{
	static const char *const names[] = { "ORIGIN", "LIB", "PLATFORM" };

	for (size_t i = 0; i < n;) {
		size_t used = 0, which = 0;

		for (; s[i] == '$' && which < 3 && !used; which++)
			used = token(s + i, n - i, names[which]);
		if (!used) {
			put(l, s + i++, 1);
			continue;
		}
		if (which == 1) {
			put_origin(l, origin);
		} else {
			const char *platform = (const char *)getauxval(AT_PLATFORM);
			const char *value = which == 2 ? "lib/" MULTIARCH
					    : platform ? platform
						       : "";

			put(l, value, strlen(value));
		}
		i += used;
	}
}

/* Tries each directory of a list; an empty element is the working directory. */
static bool try_list(struct search *s, const char *list, const char *separators, const char *origin)
{
	if (!list)
		return false;
	for (;;) {
		size_t n = strcspn(list, separators);
		struct line l = { s->path, 0, sizeof(s->path), false };

		s->path[0] = '\0';
		put_expanded(&l, n ? list : ".", n ? n : 1, origin);
		put(&l, "/", 1);
		put(&l, s->name, strlen(s->name));
		if (!l.is_cut && try_file(s))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

static bool try_rpaths(struct search *s)
{
	struct taf_closure *c = s->w->c;
	size_t i = s->by;

	if (c->libs[i].object.runpath)
		return false;
	for (int depth = 0; depth < PARENTS_MAX; depth++) {
		const struct taf_lib *lib = &c->libs[i];

		if (!lib->object.runpath && try_list(s, lib->object.rpath, ":", lib->path))
			return true;
		if (!i)
			return false;
		i = lib->by;
	}
	return try_list(s, c->libs[0].object.rpath, ":", c->libs[0].path);
}

static bool try_cache(struct search *s)
{
	uint32_t at = 0;
	const char *path;

	while (s->w->how->cache && (path = taf_ldcache_find(s->w->how->cache, s->name, &at))) {
		if (taf_copy(s->path, path, sizeof(s->path)) && try_file(s))
			return true;
	}
	return false;
}

static bool find_library(struct search *s)
{
	const struct taf_closure_how *how = s->w->how;
	const struct taf_lib *by = &s->w->c->libs[s->by];

	if (strchr(s->name, '/')) {
		struct line l = { s->path, 0, sizeof(s->path), false };

		s->path[0] = '\0';
		put_expanded(&l, s->name, strlen(s->name), by->path);
		return !l.is_cut && try_file(s);
	}
	if (try_rpaths(s) ||
	    try_list(s, how->library_path && how->library_path[0] ? how->library_path : NULL, ":;",
		     s->w->c->libs[0].path))
		return true;
	if (try_list(s, by->object.runpath, ":", by->path))
		return true;
	if (by->object.is_nodeflib)
		return false;
	return try_cache(s) ||
	       try_list(s, how->default_dirs ? how->default_dirs : DEFAULT_DIRS, ":", by->path);
}

/* The loader knows an object by every name it was asked for, and by its soname. */
static bool is_asked(const struct taf_closure *c, const char *name)
{
	for (size_t i = 1; i < c->n; i++)
		if (!strcmp(c->libs[i].name, name) ||
		    (c->libs[i].object.soname && !strcmp(c->libs[i].object.soname, name)))
			return true;
	for (size_t i = 0; i < c->n_lost; i++)
		if (!strcmp(c->lost[i].name, name))
			return true;
	return false;
}

static int add_lib(struct walk *w, const struct search *s)
{
	struct taf_closure *c = w->c;
	struct taf_lib *lib = &c->libs[c->n];

	memset(lib, 0, sizeof(*lib));
	lib->object = s->object;
	lib->by = s->by;
	lib->dev = (uint64_t)s->st.st_dev;
	lib->ino = (uint64_t)s->st.st_ino;
	lib->path = strdup(s->path);
	lib->name = strdup(s->name);
	c->n++;
	if (!lib->path || !lib->name)
		return -ENOMEM;
	if (w->how->visit)
		w->how->visit(w->how->ctx, lib, c->n - 1);
	taf_object_release(&lib->object);
	return 0;
}

static int add_lost(struct taf_closure *c, const char *name, size_t by)
{
	if (c->n_lost >= TAF_CLOSURE_MAX) {
		c->is_cut = true;
		return 0;
	}
	c->lost[c->n_lost].name = strdup(name);
	c->lost[c->n_lost].by = by;
	if (!c->lost[c->n_lost].name)
		return -ENOMEM;
	c->n_lost++;
	return 0;
}

static int follow(struct walk *w, size_t by, const char *name)
{
	struct taf_closure *c = w->c;
	struct search *s;
	int err = 0;

	if (is_asked(c, name))
		return 0;
	if (c->n >= TAF_CLOSURE_MAX) {
		c->is_cut = true;
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->w = w;
	s->by = by;
	s->name = name;
	if (!find_library(s))
		err = add_lost(c, name, by);
	else if (!s->is_known)
		err = add_lib(w, s);
	free(s);
	return err;
}

static int add_program(struct walk *w, const char *program)
{
	struct search *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->w = w;
	s->name = program;
	err = taf_copy(s->path, program, sizeof(s->path)) ? 0 : -ENAMETOOLONG;
	if (!err && stat(program, &s->st))
		err = -errno;
	if (!err) {
		err = taf_object_open(program, &s->object);
		if (err)
			w->c->libs[0].object = s->object;
		else
			err = add_lib(w, s);
	}
	free(s);
	return err;
}

int taf_closure_walk(const char *program, const struct taf_closure_how *how, struct taf_closure *c)
{
	struct walk w = { how, c };
	int err;

	memset(c, 0, sizeof(*c));
	c->libs = calloc(TAF_CLOSURE_MAX, sizeof(*c->libs));
	c->lost = calloc(TAF_CLOSURE_MAX, sizeof(*c->lost));
	if (!c->libs || !c->lost)
		return -ENOMEM;
	err = add_program(&w, program);
	for (size_t i = 0; i < c->n && !err; i++)
		for (size_t k = 0; k < c->libs[i].object.n_needed && !err; k++)
			err = follow(&w, i, c->libs[i].object.needed[k]);
	return err;
}

int taf_closure_also(const char *path, const struct taf_closure_how *how, struct taf_closure *c)
{
	struct walk w = { how, c };
	struct search *s = c->n && c->n < TAF_CLOSURE_MAX ? calloc(1, sizeof(*s)) : NULL;
	int err = 0;

	if (!s)
		return c->n && c->n < TAF_CLOSURE_MAX ? -ENOMEM : 0;
	s->w = &w;
	s->name = path;
	if (taf_copy(s->path, path, sizeof(s->path)) && try_file(s) && !s->is_known)
		err = add_lib(&w, s);
	free(s);
	return err;
}

void taf_closure_close(struct taf_closure *c)
{
	for (size_t i = 0; i < c->n; i++) {
		taf_object_close(&c->libs[i].object);
		free(c->libs[i].path);
		free(c->libs[i].name);
	}
	for (size_t i = 0; i < c->n_lost; i++)
		free(c->lost[i].name);
	free(c->libs);
	free(c->lost);
	memset(c, 0, sizeof(*c));
}
