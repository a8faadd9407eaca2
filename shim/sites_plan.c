/* SPDX-License-Identifier: MIT */
#include "sites_plan.h"

#include "../policy/text.h"
#include "site.h"

#define NOTE_BYTES 12 /* its head: sizes of name and content, type */

static const unsigned char *bytes_at(uintptr_t n)
{
	union {
		uintptr_t n;
		const unsigned char *p;
	} u = { .n = n };

	return u.p;
}

/* ---- whose text it is ------------------------------------------------------------- */

/* Whether one segment of notes says that it is this build. */
static bool has_note(const unsigned char *at, size_t n, const struct taf_sites_text *t)
{
	while (n >= NOTE_BYTES + 4) {
		uint32_t size[3]; /* name, content, type */
		uint64_t name, content;

		taf_move(size, at, sizeof(size));
		name = ((uint64_t)size[0] + 3) & ~(uint64_t)3;
		content = ((uint64_t)size[1] + 3) & ~(uint64_t)3;
		if (name > n - NOTE_BYTES || content > n - NOTE_BYTES - name)
			return false;
		if (size[2] == NT_GNU_BUILD_ID && size[0] == 4 && size[1] == t->n_id &&
		    taf_equal(at + NOTE_BYTES, "GNU", 4) &&
		    taf_equal(at + NOTE_BYTES + 4, t->id, t->n_id))
			return true;
		at += NOTE_BYTES + name + content;
		n -= NOTE_BYTES + name + content;
	}
	return false;
}

/* Whether all of h is in memory and may be read. */
static bool is_mapped(const struct taf_program *of, const ElfW(Phdr) * h)
{
	for (size_t i = 0; i < of->n_phdr; i++) {
		const ElfW(Phdr) *l = &of->phdr[i];

		if (l->p_type == PT_LOAD && l->p_flags & PF_R && h->p_vaddr >= l->p_vaddr &&
		    h->p_vaddr - l->p_vaddr <= l->p_filesz &&
		    h->p_memsz <= l->p_filesz - (h->p_vaddr - l->p_vaddr))
			return true;
	}
	return false;
}

static bool is_this_build(const struct taf_program *of, const struct taf_sites_text *t)
{
	for (size_t i = 0; i < of->n_phdr; i++)
		if (of->phdr[i].p_type == PT_NOTE && is_mapped(of, &of->phdr[i]) &&
		    has_note(bytes_at(of->bias + of->phdr[i].p_vaddr), of->phdr[i].p_memsz, t))
			return true;
	return false;
}

static bool find_code(struct taf_plan *p)
{
	uintptr_t from = UINTPTR_MAX, to = 0;

	for (size_t i = 0; i < p->of.n_phdr; i++) {
		const ElfW(Phdr) *h = &p->of.phdr[i];

		if (h->p_type != PT_LOAD)
			continue;
		if (p->of.bias + h->p_vaddr < from)
			from = p->of.bias + h->p_vaddr;
		if (p->of.bias + h->p_vaddr + h->p_memsz > to)
			to = p->of.bias + h->p_vaddr + h->p_memsz;
		if ((h->p_flags & (PF_R | PF_X)) == (PF_R | PF_X) &&
		    (!p->code || h->p_memsz > p->code->p_memsz))
			p->code = h;
	}
	p->image = (struct taf_span){ from, to };
	return p->code && to > from;
}

/* ---- whether it holds --------------------------------------------------------------- */

static bool is_called(const char *name, const struct taf_sites_row *r)
{
	return taf_same_n(name, r->name, r->n_name) && !name[r->n_name];
}

/* The row of an engine's table that the text names; libc is not the program's own. */
const struct taf_table *taf_plan_row(const struct taf_sites_row *r, int *row)
{
	for (int t = 0; t < taf_table_count; t++)
		for (*row = 0;
		     taf_tables[t]->engine != TAF_ENGINE_LIBC && *row < taf_tables[t]->n_rows;
		     (*row)++)
			if (is_called(taf_row_name(taf_tables[t], *row), r))
				return taf_tables[t];
	return NULL;
}

/* Whose call ends a handle: what was made before would be followed for ever. */
static bool is_end(const struct taf_row *row)
{
	return row->kind == TAF_UNLOAD || row->kind == TAF_FREE;
}

bool taf_plan_is_good(const struct taf_plan *p, unsigned i)
{
	return p->good[i / 64] >> i % 64 & 1;
}

/* Bytes of code from the file's address a on; 0: it is outside. */
static size_t left_at(const struct taf_plan *p, uint64_t a)
{
	return a >= p->code->p_vaddr && a - p->code->p_vaddr < p->code->p_filesz
		       ? p->code->p_filesz - (a - p->code->p_vaddr)
		       : 0;
}

static const char *doubt_sites(struct taf_plan *p, struct taf_sites_row r)
{
	uintptr_t bias = p->of.bias;
	uint64_t site, target;

	while (taf_sites_site(&r, &site)) {
		if (!left_at(p, site))
			return "one lies outside the code";
		if (!taf_site_read(bytes_at(bias + site), left_at(p, site), bias + site, &target) ||
		    target != bias + r.address)
			return "the bytes there are no call of it";
	}
	return NULL;
}

/* NULL: the row can be taken over as the text says. */
static const char *doubt(struct taf_plan *p, const struct taf_sites_row *r)
{
	const struct taf_table *t;
	int row;

	t = taf_plan_row(r, &row);
	if (!t)
		return "no table has it";
	if (!left_at(p, r->address))
		return "it lies outside the code";
	if (r->n_sites && !t->ours(row))
		return "it is not watched";
	return doubt_sites(p, *r);
}

/* Which rows hold, each by itself. */
static void hold_against(struct taf_plan *p, struct taf_sites_text *t)
{
	struct taf_sites_row r;
	int row;

	for (unsigned i = 0; taf_sites_row(t, &r); i++) {
		const char *why = doubt(p, &r);
		const struct taf_table *of = why ? taf_plan_row(&r, &row) : NULL;

		if (!why) {
			p->good[i / 64] |= (uint64_t)1 << i % 64;
			continue;
		}
		if (!p->why_left) {
			p->left = r;
			p->why_left = why;
		}
		if (of && is_end(&of->rows[row]))
			p->spoiled |= 1u << of->engine;
	}
}

/* Counts what is to be done, and where. */
static void measure(struct taf_plan *p, struct taf_sites_text t)
{
	struct taf_sites_row r;
	uint64_t site;
	int row;

	p->first = UINTPTR_MAX;
	for (unsigned i = 0; taf_sites_row(&t, &r); i++) {
		const struct taf_table *of = taf_plan_is_good(p, i) ? taf_plan_row(&r, &row) : NULL;

		if (of && p->spoiled >> of->engine & 1)
			p->good[i / 64] &= ~((uint64_t)1 << i % 64);
		if (!of || !taf_plan_is_good(p, i))
			continue;
		p->rows += r.n_sites != 0;
		while (taf_sites_site(&r, &site)) {
			uintptr_t at = p->of.bias + site;

			p->sites++;
			p->first = at < p->first ? at : p->first;
			p->last = at > p->last ? at : p->last;
		}
	}
}

bool taf_plan_look(struct taf_plan *p, const struct taf_sites_text *t, const char **why)
{
	taf_zero(p, sizeof(*p));
	*why = NULL;
	if (!taf_elf_program(&p->of))
		*why = "the program's headers are not known";
	else if (!is_this_build(&p->of, t))
		return false;
	else if (!find_code(p))
		*why = "its code cannot be read";
	return !*why;
}

bool taf_plan_check(struct taf_plan *p, const struct taf_sites_text *t, const char **why)
{
	struct taf_sites_text copy = *t;

	hold_against(p, &copy);
	*why = copy.fault;
	if (!copy.fault)
		measure(p, *t);
	return !copy.fault;
}
