/* SPDX-License-Identifier: MIT */
#include "elf_lib.h"

#include "body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "insn.h"

#define VISITS_MAX 4096 /* functions looked into for one answer */

int taf_body_open(struct taf_object *o, struct taf_body *b)
{
	GElf_Phdr p;
	size_t n;

	memset(b, 0, sizeof(*b));
	if (taf_libelf.elf_getphdrnum(o->elf, &n))
		return -ENOEXEC;
	for (size_t i = 0; i < n && i < TAF_ELF_SEGMENTS_MAX; i++) {
		if (!taf_libelf.gelf_getphdr(o->elf, (int)i, &p) || p.p_type != PT_LOAD ||
		    (p.p_flags & (PF_R | PF_X)) != (PF_R | PF_X) || p.p_filesz <= b->n ||
		    p.p_vaddr > UINT64_MAX - p.p_filesz)
			continue;
		b->at = p.p_vaddr;
		b->offset = p.p_offset;
		b->n = (size_t)p.p_filesz;
	}
	return b->n ? 0 : -ENOEXEC;
}

static bool is_inside(const struct taf_body *b, uint64_t at)
{
	return at >= b->at && at - b->at < b->n;
}

int taf_body_add(struct taf_body *b, const struct taf_symbol *s)
{
	struct taf_function *more;
	uint64_t left;

	if (!s->is_function || !s->size || !is_inside(b, s->address))
		return 0;
	if (b->n_functions == b->room) {
		more = realloc(b->functions, (b->room * 2 + 1024) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		b->functions = more;
		b->room = b->room * 2 + 1024;
	}
	left = b->n - (s->address - b->at);
	b->functions[b->n_functions++] =
		(struct taf_function){ s->address, s->size < left ? s->size : left, 1, false };
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct taf_function *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->size > y->size ? -1 : x->size < y->size;
}

/* Names of one function become one; the longest stands for them. */
static void sort(struct taf_body *b)
{
	size_t kept = 0;

	if (b->n_functions)
		qsort(b->functions, b->n_functions, sizeof(*b->functions), by_place);
	for (size_t i = 0; i < b->n_functions; i++)
		if (!kept || b->functions[kept - 1].at != b->functions[i].at)
			b->functions[kept++] = b->functions[i];
		else
			b->functions[kept - 1].names++;
	b->n_functions = kept;
}

int taf_body_read(struct taf_object *o, struct taf_body *b)
{
	Elf_Data *data = taf_elf_chunk(o, b->offset, b->n, ELF_T_BYTE);

	if (!data || !data->d_buf || data->d_size < b->n)
		return -ENOEXEC;
	b->bytes = data->d_buf;
	sort(b);
	return 0;
}

void taf_body_close(struct taf_body *b)
{
	free(b->functions);
	memset(b, 0, sizeof(*b));
}

/* The function that an address lies in, or NULL. */
static struct taf_function *function_of(const struct taf_body *b, uint64_t at)
{
	size_t from = 0, to = b->n_functions;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (b->functions[middle].at <= at)
			from = middle + 1;
		else
			to = middle;
	}
	if (!from || at - b->functions[from - 1].at >= b->functions[from - 1].size)
		return NULL;
	return &b->functions[from - 1];
}

/* The instruction at an address of f; its length, 0 at the end or where it cannot be read. */
static unsigned read_at(const struct taf_body *b, const struct taf_function *f, uint64_t at,
			struct taf_insn *insn)
{
	uint64_t left = at - f->at < f->size ? f->size - (at - f->at) : 0;

	return left ? taf_insn_read(b->bytes + (at - b->at), (size_t)left, at, insn) : 0;
}

bool taf_body_is_opcode(const struct taf_body *b, uint64_t at)
{
	const struct taf_function *f = function_of(b, at);
	struct taf_insn insn;
	unsigned n;

	for (uint64_t now = f ? f->at : 0; f && now <= at; now += n) {
		n = read_at(b, f, now, &insn);
		if (!n)
			return false;
		if (insn.sort == TAF_INSN_BRANCH && now + insn.opcode == at)
			return true;
	}
	return false;
}

unsigned taf_body_names(const struct taf_body *b, uint64_t at)
{
	const struct taf_function *f = function_of(b, at);

	return f && f->at == at ? f->names : 0;
}

bool taf_body_is_part(const struct taf_body *b, uint64_t at, uint64_t function)
{
	const struct taf_function *f = function_of(b, at);

	return f && f->at == function;
}

/* Functions that are still to be looked into. */
struct visits {
	struct taf_function *todo[VISITS_MAX];
	size_t n, done;
};

/* Looks through one function. True: it calls out. */
static bool look_into(struct taf_body *b, const struct taf_function *f, struct visits *v)
{
	struct taf_insn insn;
	unsigned n;

	for (uint64_t now = f->at; (n = read_at(b, f, now, &insn)); now += n) {
		struct taf_function *to;

		if (insn.sort == TAF_INSN_INDIRECT)
			return true;
		if (insn.sort != TAF_INSN_BRANCH)
			continue;
		to = function_of(b, insn.target);
		if (!to && is_inside(b, insn.target))
			return true; /* the table of jumps into other objects has no functions */
		if (to && to->at == insn.target && !to->is_visited && v->n < VISITS_MAX) {
			to->is_visited = true;
			v->todo[v->n++] = to;
		}
	}
	return false;
}

bool taf_body_calls_out(struct taf_body *b, uint64_t at)
{
	struct visits *v = calloc(1, sizeof(*v));
	struct taf_function *f = function_of(b, at);
	bool is_out = false;

	if (v && f && f->at == at) {
		f->is_visited = true;
		v->todo[v->n++] = f;
		while (v->done < v->n && !is_out)
			is_out = look_into(b, v->todo[v->done++], v);
		for (size_t i = 0; i < v->n; i++)
			v->todo[i]->is_visited = false;
	}
	free(v);
	return is_out;
}
