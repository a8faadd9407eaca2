/* SPDX-License-Identifier: MIT */
#include "elf_lib.h"

#include "sites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../shim/sites_text.h"
#include "sites_find.h"

/* One scan on its way. */
struct scan {
	struct taf_sites *s;
	struct taf_body body;
	struct taf_targets targets;
	bool is_optimised_whole; /* by a linker that may have moved code between sources */
	bool is_dynamic; /* which table is walked */
	int err;
};

/* Engines whose functions a program can have of its own; runtimes of GPUs are libraries,
 * and names of stable-diffusion.cpp may be any program's. */
bool taf_sites_knows(enum taf_engine e)
{
	return e == TAF_ENGINE_LLAMA || e == TAF_ENGINE_GGML || e == TAF_ENGINE_MLX ||
	       e == TAF_ENGINE_MLXC || e == TAF_ENGINE_WHISPER || e == TAF_ENGINE_DS4;
}

static bool is_watched(const struct taf_sites_fn *f)
{
	return strcmp(f->row->thunk, "call") != 0;
}

/* Its call ends a handle that calls before it have begun. */
static bool is_end(const struct taf_sites_fn *f)
{
	return f->row->kind == TAF_UNLOAD || f->row->kind == TAF_FREE;
}

/* ---- names ------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
	const struct taf_sites_fn *x = a, *y = b;

	return strcmp(x->row->name, y->row->name);
}

static int take_rows(struct taf_sites *s)
{
	size_t n;
	const struct taf_catalog_row *rows = taf_catalog(&n);

	s->fns = calloc(n, sizeof(*s->fns));
	if (!s->fns)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (taf_sites_knows(rows[i].engine))
			s->fns[s->n++].row = &rows[i];
	qsort(s->fns, s->n, sizeof(*s->fns), by_name);
	return 0;
}

/* The row that has the first n bytes as its name. */
static struct taf_sites_fn *row_of(struct taf_sites *s, const char *name, size_t n)
{
	size_t from = 0, to = s->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const char *has = s->fns[middle].row->name;
		int order = strncmp(has, name, n);

		if (!order && !has[n])
			return &s->fns[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

/* What a linker leaves that optimises the whole program: names that it made global, and
 * sources that it made, of which ld of binutils removes the names. */
static bool is_moved(const char *name)
{
	return strstr(name, ".lto_priv.") || strstr(name, ".llvm.");
}

static bool is_optimiser(const char *source)
{
	return !source[0] || !strcmp(source, "<artificial>") || !strcmp(source, "ld-temp.o");
}

static void see_name(struct scan *c, const struct taf_symbol *y)
{
	size_t n = strcspn(y->name, ".@"); /* name@VERSION is the function itself */
	struct taf_sites_fn *f = row_of(c->s, y->name, n);

	if (y->name[n] && is_moved(y->name))
		c->is_optimised_whole = true;
	if (!f)
		return;
	/* The cold part of a function is reached from the function alone. */
	if (y->name[n] == '.') {
		if (strcmp(y->name + n, ".cold") != 0)
			f->fate = TAF_SITES_CLONED;
		return;
	}
	if (f->address)
		f->fate = TAF_SITES_TWICE;
	else if (y->is_private)
		f->fate = TAF_SITES_PRIVATE;
	f->address = y->address;
}

static bool see_symbol(void *ctx, const struct taf_symbol *y)
{
	struct scan *c = ctx;
	struct taf_sites_fn *f;

	if (c->is_dynamic) {
		f = y->is_defined ? row_of(c->s, y->name, strlen(y->name)) : NULL;
		if (f)
			f->is_exported = true;
		return true;
	}
	c->s->has_symtab = true;
	if (y->is_source && is_optimiser(y->name))
		c->is_optimised_whole = true;
	if (!y->is_defined || !y->is_function)
		return true;
	see_name(c, y);
	c->err = taf_body_add(&c->body, y);
	return !c->err;
}

/* Keeps the rows that are in the program. */
static void keep_present(struct taf_sites *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->fns[i].address || s->fns[i].fate != TAF_SITES_FINE)
			s->fns[kept++] = s->fns[i];
	s->n = kept;
}

/* ---- sites ------------------------------------------------------------------------- */

static bool add_site(struct taf_sites_fn *f, uint64_t at)
{
	uint64_t *more = f->sites;

	if (f->n_sites == f->room) {
		more = realloc(f->sites, (f->room * 2 + 16) * sizeof(*more));
		if (!more)
			return false;
		f->room = f->room * 2 + 16;
	}
	f->sites = more;
	f->sites[f->n_sites++] = at;
	return true;
}

static bool see_branch(void *ctx, size_t index, uint64_t at)
{
	struct scan *c = ctx;
	struct taf_sites_fn *f = &c->s->fns[index];

	/* A loop back to its own begin, or itself again: part of a call that is seen. */
	if (f->fate != TAF_SITES_FINE || taf_body_is_part(&c->body, at, f->address))
		return true;
	if (f->n_sites == TAF_SITES_ROW_MAX) {
		f->fate = TAF_SITES_MANY;
		return true;
	}
	if (!taf_body_is_opcode(&c->body, at)) {
		f->fate = TAF_SITES_ODD;
		return true;
	}
	return add_site(f, at);
}

static bool see_pointer(void *ctx, size_t index, uint64_t at)
{
	struct scan *c = ctx;

	(void)at;
	c->s->fns[index].is_pointed = true;
	return true;
}

/* One function with two names: whoever calls it may mean either. */
static void find_shared(struct scan *c)
{
	const struct taf_targets *t = &c->targets;

	for (size_t i = 0; i < t->n; i++) {
		struct taf_sites_fn *f = &c->s->fns[t->all[i].index];

		if (taf_body_names(&c->body, f->address) > 1)
			f->fate = TAF_SITES_SHARED;
	}
}

static int find_sites(struct scan *c, struct taf_object *o)
{
	struct taf_sites *s = c->s;
	int err = taf_targets_make(&c->targets, s->n);

	if (err)
		return err;
	for (size_t i = 0; i < s->n; i++)
		if (s->fns[i].address)
			taf_targets_add(&c->targets, s->fns[i].address, i);
	taf_targets_sort(&c->targets);
	find_shared(c);
	err = taf_find_branches(&c->body, &c->targets, see_branch, c);
	if (!err)
		err = taf_find_pointers(o, &c->body, &c->targets, see_pointer, c);
	for (size_t i = 0; i < s->n && !err; i++)
		if (s->fns[i].fate == TAF_SITES_FINE && s->fns[i].n_sites &&
		    !taf_body_calls_out(&c->body, s->fns[i].address))
			s->fns[i].fate = TAF_SITES_LEAF;
	return err;
}

/* ---- the answer --------------------------------------------------------------------- */

const char *taf_sites_fate_name(const struct taf_sites_fn *f)
{
	switch (f->fate) {
	case TAF_SITES_CLONED: return "is inlined or cloned by the compiler";
	case TAF_SITES_TWICE: return "is the name of two functions";
	case TAF_SITES_PRIVATE:
		return "is local to one source, whose compiler may change its calls";
	case TAF_SITES_SHARED: return "is the same function as another name";
	case TAF_SITES_ODD: return "is called from code that cannot be read";
	case TAF_SITES_LEAF: return "is so small that its callers may rely on how it was compiled";
	case TAF_SITES_MANY: return "is called from too many places";
	case TAF_SITES_FINE: break;
	}
	return f->is_exported  ? "can be called by libraries as well"
	       : f->is_pointed ? "is also called through a pointer"
			       : "";
}

static bool is_lost(const struct taf_sites_fn *f)
{
	return f->fate != TAF_SITES_FINE || f->is_pointed || f->is_exported;
}

/* The first reason stays: that an end would be missed outweighs those that leave out a row. */
static void count_row(struct taf_sites_engine *e, const struct taf_sites_fn *f)
{
	if (f->fate == TAF_SITES_PRIVATE && !e->why) {
		e->lost = f;
		e->why = "calls of others may be inlined";
	}
	if (!is_watched(f))
		return;
	e->present++;
	if (f->fate == TAF_SITES_FINE && f->n_sites) {
		e->rows++;
		e->sites += f->n_sites;
	}
	if (!is_lost(f))
		return;
	e->n_lost++;
	if (!e->lost || (is_end(f) && !e->why))
		e->lost = f;
	if (is_end(f) && !e->why)
		e->why = "the end of what it is used for would be missed";
}

/* An engine is called, and whatever ends its handles nowhere: it is never called, or was
 * inlined wherever it is. */
static bool is_endless(const struct taf_sites *s, enum taf_engine engine)
{
	size_t n;
	const struct taf_catalog_row *rows = taf_catalog(&n);
	bool has_ends = false;

	for (size_t i = 0; i < n; i++)
		has_ends |= rows[i].engine == engine && rows[i].kind == TAF_UNLOAD;
	for (size_t i = 0; i < s->n; i++)
		if (s->fns[i].row->engine == engine && s->fns[i].row->kind == TAF_UNLOAD &&
		    s->fns[i].n_sites)
			return false;
	return has_ends && s->engines[engine].sites;
}

static void judge(struct scan *c)
{
	struct taf_sites *s = c->s;

	for (size_t i = 0; i < s->n; i++)
		count_row(&s->engines[s->fns[i].row->engine], &s->fns[i]);
	for (int i = 0; i < TAF_ENGINE_COUNT; i++) {
		struct taf_sites_engine *e = &s->engines[i];

		if (e->why)
			e->rows = e->sites = 0;
		s->present += e->present;
		s->rows += e->rows;
		s->sites += e->sites;
	}
	if (!s->why && !s->id[0])
		s->why = "it has no build id (link it with --build-id)";
	if (!s->why && c->is_optimised_whole)
		s->why = "it was optimised as a whole (LTO): calls may have been inlined";
	for (int i = 0; i < TAF_ENGINE_COUNT && !s->why; i++)
		if (is_endless(s, (enum taf_engine)i))
			s->why = "nothing calls by name what frees its contexts or models: "
				 "that may be inlined";
	if (!s->why && s->sites > TAF_SITES_MAX)
		s->why = "it has too many call sites";
}

/* ---- the build id --------------------------------------------------------------------- */

static void put_id(struct taf_sites *s, const unsigned char *id, size_t n)
{
	for (size_t i = 0; i < n && i < TAF_SITES_ID_MAX; i++)
		snprintf(s->id + 2 * i, 3, "%02x", id[i]);
}

static void look_for_id(struct taf_sites *s, const unsigned char *p, size_t n)
{
	while (n >= 16) {
		uint32_t size[3];
		uint64_t name, content;

		memcpy(size, p, sizeof(size));
		name = ((uint64_t)size[0] + 3) & ~(uint64_t)3;
		content = ((uint64_t)size[1] + 3) & ~(uint64_t)3;
		if (name > n - 12 || content > n - 12 - name)
			return;
		if (size[2] == NT_GNU_BUILD_ID && size[0] == 4 && !memcmp(p + 12, "GNU", 4) &&
		    size[1] && size[1] <= TAF_SITES_ID_MAX)
			put_id(s, p + 16, size[1]);
		p += 12 + name + content;
		n -= 12 + name + content;
	}
}

static void read_id(struct taf_object *o, struct taf_sites *s)
{
	GElf_Phdr p;
	size_t n;

	if (taf_libelf.elf_getphdrnum(o->elf, &n))
		return;
	for (size_t i = 0; i < n && i < TAF_ELF_SEGMENTS_MAX && !s->id[0]; i++) {
		Elf_Data *data;

		if (!taf_libelf.gelf_getphdr(o->elf, (int)i, &p) || p.p_type != PT_NOTE)
			continue;
		data = taf_elf_chunk(o, p.p_offset, p.p_filesz, ELF_T_BYTE);
		if (data && data->d_buf)
			look_for_id(s, data->d_buf, data->d_size);
	}
}

int taf_sites_scan(struct taf_object *o, struct taf_sites *s)
{
	struct scan c = { .s = s };
	int err;

	memset(s, 0, sizeof(*s));
	if (o->bits != 64 || o->machine != taf_machine_own()) {
		s->has_symtab = true;
		s->why = "it is for another machine";
		return 0;
	}
	err = take_rows(s);
	if (!err && taf_body_open(o, &c.body))
		s->n = 0;
	if (!err && s->n) {
		taf_object_symbols(o, TAF_SYMS_STATIC, see_symbol, &c);
		c.is_dynamic = true;
		taf_object_symbols(o, TAF_SYMS_DYNAMIC, see_symbol, &c);
		err = c.err;
		keep_present(s);
	}
	if (!err && s->n && taf_body_read(o, &c.body))
		s->n = 0; /* cut off, or more than can be taken */
	if (!err && s->n) {
		read_id(o, s);
		err = find_sites(&c, o);
		judge(&c);
	}
	taf_targets_close(&c.targets);
	taf_body_close(&c.body);
	return err;
}

/* ---- the text --------------------------------------------------------------------------- */

static bool is_told(const struct taf_sites *s, const struct taf_sites_fn *f)
{
	return f->address && !s->engines[f->row->engine].why && f->fate != TAF_SITES_TWICE &&
	       f->fate != TAF_SITES_CLONED && f->fate != TAF_SITES_PRIVATE;
}

bool taf_sites_lost(const struct taf_sites *s, int *at, char *why, size_t room)
{
	if (s->why && s->present && !*at) {
		*at = TAF_ENGINE_COUNT;
		snprintf(why, room, "its own engine is not guarded: %s", s->why);
		return true;
	}
	while (!s->why && *at < TAF_ENGINE_COUNT) {
		int engine = (*at)++;
		const struct taf_sites_engine *e = &s->engines[engine];

		if (!e->why)
			continue;
		snprintf(why, room, "%s in it is not guarded: %s %s, and %s",
			 taf_engine_name((enum taf_engine)engine), e->lost->row->name,
			 taf_sites_fate_name(e->lost), e->why);
		return true;
	}
	return false;
}

bool taf_sites_missed(const struct taf_sites *s, char *why, size_t room)
{
	int at = 0;

	if (taf_sites_lost(s, &at, why, room))
		return true;
	if (!s->present || s->rows)
		return false;
	snprintf(why, room, "its own engine is not guarded: nothing in it calls it by name");
	return true;
}

char *taf_sites_text(const struct taf_sites *s)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out;

	if (s->why || !s->sites || !(out = open_memstream(&text, &n)))
		return NULL;
	fprintf(out, "1;%s", s->id);
	for (size_t i = 0; i < s->n; i++) {
		const struct taf_sites_fn *f = &s->fns[i];

		if (!is_told(s, f))
			continue;
		fprintf(out, ";%s=%llx", f->row->name, (unsigned long long)f->address);
		for (unsigned k = 0; f->fate == TAF_SITES_FINE && is_watched(f) && k < f->n_sites;
		     k++)
			fprintf(out, "%c%llx", k ? ',' : ':', (unsigned long long)f->sites[k]);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

void taf_sites_close(struct taf_sites *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->fns[i].sites);
	free(s->fns);
	memset(s, 0, sizeof(*s));
}
