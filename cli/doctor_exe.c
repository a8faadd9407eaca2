/* SPDX-License-Identifier: MIT */
/* doctor_exe.c -- reads one program and its libraries from their files.
 *
 * look_object visits each object of the closure while it is open and holds its
 * names against the rows of the hook tables; count_rows sums up by engine.
 */
#include "doctor.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "importable.h"
#include "role_cli.h"
#include "sites_words.h"
#include "tell.h"
#include "verbs.h"
#include "../hooks/catalog.h"

enum seen { SEEN_IMPORT = 1, SEEN_LIBRARY = 2, SEEN_OWN = 4, SEEN_STATIC = 8 };

struct entry {
	const char *name;
	size_t row;
};

struct look {
	struct taf_doctor *d;
	const struct taf_catalog_row *rows;
	size_t n_rows;
	struct entry *sorted; /* by name */
	unsigned char *seen; /* one a row */
	size_t index; /* of the object at hand */
	bool is_libc; /* it is the C library or its loader */
	bool is_static; /* .symtab is read */
	bool is_short; /* memory ran out */
};

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static size_t row_of(const struct look *l, const char *name)
{
	struct entry key = { name, 0 };
	struct entry *e = bsearch(&key, l->sorted, l->n_rows, sizeof(*l->sorted), by_name);

	return e ? e->row : SIZE_MAX;
}

static void first(size_t *where, size_t index)
{
	if (*where == SIZE_MAX)
		*where = index;
}

static void see_row(struct look *l, size_t row, bool is_defined)
{
	const struct taf_catalog_row *r = &l->rows[row];
	struct taf_engine_seen *e = &l->d->engines[r->engine];

	if (l->is_static) {
		if (is_defined && r->engine != TAF_ENGINE_LIBC)
			l->seen[row] |= SEEN_STATIC;
	} else if (!is_defined) {
		l->seen[row] |= SEEN_IMPORT;
		l->d->is_starter |= r->kind == TAF_EXEC;
	} else if (!l->index) {
		l->seen[row] |= SEEN_OWN;
	} else {
		l->seen[row] |= SEEN_LIBRARY;
		first(&e->provider, l->index);
	}
}

static bool look_symbol(void *ctx, const struct taf_symbol *s)
{
	struct look *l = ctx;
	size_t row;

	if (l->is_libc)
		return true;
	if (!s->is_defined && (!strcmp(s->name, "dlopen") || !strcmp(s->name, "dlmopen")))
		first(&l->d->dlopens, l->index);
	if (!s->is_defined && (!strcmp(s->name, "dlsym") || !strcmp(s->name, "dlvsym")))
		first(&l->d->dlsyms, l->index);
	taf_later_look(&l->d->later, s->name, l->index);
	row = row_of(l, s->name);
	if (row != SIZE_MAX && strcmp(l->rows[row].thunk, "call") != 0)
		see_row(l, row, s->is_defined);
	return true;
}

bool taf_doctor_is_libc(const struct taf_object *o)
{
	static const char *const names[] = { "libc.so.", "ld-linux", "libdl.so.",
					     "libpthread.so." };

	for (size_t i = 0; o->soname && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(o->soname, names[i], strlen(names[i])))
			return true;
	return false;
}

static void look_object(void *ctx, struct taf_lib *lib, size_t index)
{
	struct look *l = ctx;

	l->index = index;
	l->is_libc = taf_doctor_is_libc(&lib->object);
	l->is_static = false;
	taf_object_symbols(&lib->object, TAF_SYMS_DYNAMIC, look_symbol, l);
	if (index)
		return;
	l->is_static = true;
	taf_object_symbols(&lib->object, TAF_SYMS_STATIC, look_symbol, l);
	l->is_short |= taf_sites_scan(&lib->object, &l->d->sites) != 0;
	if (!l->d->sites.has_symtab)
		l->d->words = taf_sites_words(&lib->object);
}

static void count_rows(struct look *l)
{
	for (size_t i = 0; i < l->n_rows; i++) {
		struct taf_engine_seen *e = &l->d->engines[l->rows[i].engine];

		if (!strcmp(l->rows[i].thunk, "call"))
			continue;
		e->rows++;
		e->imported += !!(l->seen[i] & SEEN_IMPORT);
		e->defined += !!(l->seen[i] & SEEN_LIBRARY);
		e->own += !!(l->seen[i] & SEEN_OWN);
		e->hidden += (l->seen[i] & (SEEN_OWN | SEEN_STATIC)) == SEEN_STATIC;
		e->loads += l->rows[i].kind == TAF_LOAD;
		e->loads_seen += l->rows[i].kind == TAF_LOAD && l->seen[i];
		e->submits_seen += l->rows[i].kind == TAF_SUBMIT && l->seen[i];
	}
}

static void read_rights(struct taf_doctor *d)
{
	const char *path = d->command.target.program;
	struct stat st;

	if (stat(path, &st))
		return;
	d->is_setuid = !!(st.st_mode & S_ISUID);
	d->is_setgid = (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
	d->has_file_caps = getxattr(path, "security.capability", NULL, 0) > 0;
}

static void learn_program(struct taf_doctor *d)
{
	struct taf_object *o = &d->closure.libs[0].object;

	d->program = o;
	d->is_static = !o->interp[0];
	d->is_musl = strstr(o->interp, "musl") != NULL;
	for (size_t i = 0; i < o->n_needed; i++)
		d->is_cgo |= o->is_go && !strncmp(o->needed[i], "libc.so.", 8);
}

static int failed(struct taf_doctor *d, int err)
{
	const char *path = d->command.target.program;

	if (err == -EACCES || err == -EPERM) {
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "unreadable",
				 "it may be executed but not read: nothing can be said of it");
		d->verdict = TAF_PARTLY;
		return 0;
	}
	if (err == -ENOMEM) {
		taf_tell("doctor: out of memory");
		return TAF_EXIT_INTERNAL;
	}
	taf_tell("%s cannot be executed: %s", path,
		 err == -ENOEXEC ? d->closure.libs[0].object.fault : strerror(-err));
	return TAF_EXIT_NOT_EXECUTABLE;
}

static int check_sort(const struct taf_doctor *d)
{
	unsigned type = d->program->type;

	if (type == ET_EXEC ||
	    (type == ET_DYN && (d->program->interp[0] || d->program->is_pie ||
				!d->program->soname || taf_doctor_is_libc(d->program))))
		return 0;
	taf_tell("%s cannot be executed: it is %s, not a program", d->command.target.program,
		 type == ET_DYN	  ? "a shared library"
		 : type == ET_REL ? "an object file"
				  : "a core file");
	return TAF_EXIT_NOT_EXECUTABLE;
}

/* What a Python would import, as one of its libraries. 0 or -ENOMEM. */
static int look_at_imports(struct taf_doctor *d, const struct taf_closure_how *how)
{
	struct taf_start s = taf_start_of_command(d->command.target.path, d->command.words);

	if ((d->is_start && !taf_importable_is_named(&s)) || !taf_importable_mlx(&s, d->importable))
		return 0;
	return taf_closure_also(d->importable, how, &d->closure);
}

static int look_at(struct look *l)
{
	struct taf_doctor *d = l->d;
	struct taf_ldcache cache;
	struct taf_closure_how how = { getenv("LD_LIBRARY_PATH"), &cache, NULL, look_object, l };
	char *real = realpath(d->command.target.program, NULL);
	int err;

	taf_ldcache_open("/etc/ld.so.cache", &cache);
	err = taf_closure_walk(real ? real : d->command.target.program, &how, &d->closure);
	if (!err)
		err = look_at_imports(d, &how);
	taf_ldcache_close(&cache);
	free(real);
	if (!err && l->is_short)
		err = -ENOMEM;
	if (err)
		return failed(d, err);
	learn_program(d);
	err = check_sort(d);
	if (err)
		return err;
	count_rows(l);
	taf_doctor_judge(d);
	return 0;
}

int taf_doctor_program(struct taf_doctor *d)
{
	struct look l = { .d = d };
	int err = TAF_EXIT_INTERNAL;

	d->dlopens = d->dlsyms = SIZE_MAX;
	taf_later_open(&d->later);
	for (int i = 0; i < TAF_ENGINE_COUNT; i++)
		d->engines[i].provider = SIZE_MAX;
	l.rows = taf_catalog(&l.n_rows);
	l.sorted = calloc(l.n_rows, sizeof(*l.sorted));
	l.seen = calloc(l.n_rows, 1);
	if (l.sorted && l.seen) {
		for (size_t i = 0; i < l.n_rows; i++)
			l.sorted[i] = (struct entry){ l.rows[i].name, i };
		qsort(l.sorted, l.n_rows, sizeof(*l.sorted), by_name);
		read_rights(d);
		err = look_at(&l);
	}
	free(l.sorted);
	free(l.seen);
	return err;
}
