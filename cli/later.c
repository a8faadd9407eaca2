/* SPDX-License-Identifier: MIT */
#include "later.h"

#include <stdio.h>
#include <string.h>

#include "../policy/mangled.h"
#include "elf.h"

void taf_later_open(struct taf_later *l)
{
	size_t n;
	const struct taf_catalog_row *rows = taf_catalog(&n);

	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < n && l->n_rows < TAF_LATER_ROWS; i++)
		if (taf_mangled_stem(rows[i].name))
			l->rows[l->n_rows++] = &rows[i];
}

/* The function that it is, with other parameters; NULL: it is none, or is a row itself. */
static const struct taf_catalog_row *meant(const struct taf_later *l, const char *symbol)
{
	size_t stem = taf_mangled_stem(symbol);
	const struct taf_catalog_row *like = NULL;

	for (size_t i = 0; stem && i < l->n_rows; i++) {
		const struct taf_catalog_row *r = l->rows[i];

		if (!strcmp(r->name, symbol))
			return NULL;
		if (strcmp(r->thunk, "call") != 0 && !strncmp(r->name, symbol, stem) &&
		    taf_mangled_stem(r->name) == stem)
			like = r;
	}
	return like;
}

void taf_later_look(struct taf_later *l, const char *symbol, size_t where)
{
	const struct taf_catalog_row *r = meant(l, symbol);
	struct taf_text t;

	if (!r || !strcmp(l->name, symbol))
		return;
	if (!l->n++) {
		l->engine = r->engine;
		l->where = where;
		snprintf(l->name, sizeof(l->name), "%s", symbol);
		taf_text_init(&t, l->plain, sizeof(l->plain));
		taf_mangled_put(&t, symbol);
	}
}

struct reading {
	struct taf_later *l;
	size_t where;
};

static bool look_symbol(void *ctx, const struct taf_symbol *s)
{
	const struct reading *r = ctx;

	taf_later_look(r->l, s->name, r->where);
	return true;
}

void taf_later_read(struct taf_later *l, const char *path, size_t where)
{
	struct reading r = { l, where };
	struct taf_object o;
	const char *lacks;

	if (taf_libelf_open(&lacks) || taf_object_open(path, &o))
		return;
	taf_object_symbols(&o, TAF_SYMS_DYNAMIC, look_symbol, &r);
	taf_object_close(&o);
}
