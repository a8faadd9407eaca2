/* SPDX-License-Identifier: MIT */
#include "elf_lib.h"

#include "sites_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../shim/site.h"

#ifndef DT_RELRSZ
#define DT_RELRSZ 35
#endif

/* One search on its way. */
struct finder {
	const struct taf_body *b;
	const struct taf_targets *t;
	taf_found_fn *fn;
	void *ctx;
	int err;
};

int taf_targets_make(struct taf_targets *t, size_t room)
{
	memset(t, 0, sizeof(*t));
	t->all = calloc(room ? room : 1, sizeof(*t->all));
	return t->all ? 0 : -ENOMEM;
}

static unsigned bloom_bit(uint64_t address)
{
	return (unsigned)((address * 0x9e3779b97f4a7c15u) >> 50); /* 14 bits */
}

void taf_targets_add(struct taf_targets *t, uint64_t address, size_t index)
{
	unsigned bit = bloom_bit(address);

	t->all[t->n++] = (struct taf_target){ address, index };
	t->bloom[bit / 64] |= (uint64_t)1 << bit % 64;
}

static int by_address(const void *a, const void *b)
{
	const struct taf_target *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

void taf_targets_sort(struct taf_targets *t)
{
	qsort(t->all, t->n, sizeof(*t->all), by_address);
}

void taf_targets_close(struct taf_targets *t)
{
	free(t->all);
	memset(t, 0, sizeof(*t));
}

static const struct taf_target *find(const struct taf_targets *t, uint64_t address)
{
	struct taf_target key = { address, 0 };
	unsigned bit = bloom_bit(address);

	if (!(t->bloom[bit / 64] >> bit % 64 & 1))
		return NULL;
	return bsearch(&key, t->all, t->n, sizeof(*t->all), by_address);
}

static void hit(struct finder *f, uint64_t address, uint64_t at)
{
	const struct taf_target *found = find(f->t, address);

	if (found && !f->err && !f->fn(f->ctx, found->index, at))
		f->err = -ENOMEM;
}

int taf_find_branches(const struct taf_body *b, const struct taf_targets *t, taf_found_fn *fn,
		      void *ctx)
{
	struct finder f = { b, t, fn, ctx, 0 };
	uint64_t target;

	for (size_t i = 0; i < b->n && !f.err; i++)
		if (taf_site_read(b->bytes + i, b->n - i, b->at + i, &target))
			hit(&f, target, b->at + i);
	return f.err;
}

#if defined(__x86_64__)

/* lea with the distance from the next instruction; and any 4 bytes that are an address
 * where addresses are that short, which is how a program that is not PIE names one. */
static void find_in_code(struct finder *f, bool is_fixed)
{
	const unsigned char *p = f->b->bytes;
	int32_t distance;
	uint32_t word;

	for (size_t i = 0; i + 6 <= f->b->n && !f->err; i++) {
		if (p[i] == 0x8d && (p[i + 1] & 0xc7) == 0x05) {
			memcpy(&distance, p + i + 2, 4);
			hit(f, f->b->at + i + 6 + (uint64_t)(int64_t)distance, f->b->at + i);
		}
		memcpy(&word, p + i, 4);
		if (is_fixed && word)
			hit(f, word, f->b->at + i);
	}
}

#else

/* adrp makes the page, an add soon after the rest; a page alone may be for anything. */
#define SOON 16 /* instructions */

static void find_in_code(struct finder *f, bool is_fixed)
{
	const unsigned char *p = f->b->bytes;
	uint32_t adrp, add;

	(void)is_fixed;
	for (size_t i = 0; i + 4 <= f->b->n && !f->err; i += 4) {
		uint64_t page;

		memcpy(&adrp, p + i, 4);
		if ((adrp & 0x9f000000u) != 0x90000000u)
			continue;
		page = ((uint64_t)(adrp & 0x00ffffe0u) << 40 >> 43 << 2) | (adrp >> 29 & 3);
		page = (uint64_t)((int64_t)(page << 43) >> 31);
		page += (f->b->at + i) & ~(uint64_t)4095;
		for (size_t k = i + 4; k < i + 4 * SOON && k + 4 <= f->b->n; k += 4) {
			memcpy(&add, p + k, 4);
			if ((add & 0xffc00000u) == 0x91000000u && (add >> 5 & 31) == (adrp & 31))
				hit(f, page + (add >> 10 & 0xfff), f->b->at + i);
		}
	}
}

#endif

/* Addresses in the file's data, where the loader adds nothing, or adds to what lies there. */
static void find_in_data(struct finder *f, struct taf_object *o)
{
	GElf_Phdr p;
	size_t n;

	if (taf_libelf.elf_getphdrnum(o->elf, &n))
		return;
	for (size_t i = 0; i < n && i < TAF_ELF_SEGMENTS_MAX; i++) {
		Elf_Data *data;
		uint64_t word;

		if (!taf_libelf.gelf_getphdr(o->elf, (int)i, &p) || p.p_type != PT_LOAD ||
		    p.p_flags & PF_X)
			continue;
		data = taf_elf_chunk(o, p.p_offset, p.p_filesz, ELF_T_BYTE);
		for (size_t at = (0 - p.p_vaddr) & 7; data && data->d_buf && at + 8 <= data->d_size;
		     at += 8) {
			memcpy(&word, (const char *)data->d_buf + at, 8);
			hit(f, word, p.p_vaddr + at);
		}
	}
}

/* What the loader will write, by the table of relocations. */
static void find_in_relocations(struct finder *f, struct taf_object *o, uint64_t at, uint64_t size)
{
	Elf_Data *data;
	uint64_t from, left;

	if (!taf_elf_at_address(o, at, &from, &left) || size > left)
		return;
	data = taf_elf_chunk(o, from, size, ELF_T_BYTE);
	for (size_t i = 0; data && data->d_buf && i + sizeof(Elf64_Rela) <= data->d_size;
	     i += sizeof(Elf64_Rela)) {
		Elf64_Rela r;

		memcpy(&r, (const char *)data->d_buf + i, sizeof(r));
		hit(f, (uint64_t)r.r_addend, r.r_offset);
	}
}

int taf_find_pointers(struct taf_object *o, const struct taf_body *b, const struct taf_targets *t,
		      taf_found_fn *fn, void *ctx)
{
	struct finder f = { b, t, fn, ctx, 0 };
	uint64_t rela = 0, rela_size = 0, relr_size = 0;
	Elf_Data *data = taf_elf_dynamic(o);
	GElf_Dyn y;

	for (int i = 0; data && taf_libelf.gelf_getdyn(data, i, &y) && y.d_tag != DT_NULL; i++) {
		rela = y.d_tag == DT_RELA ? y.d_un.d_ptr : rela;
		rela_size = y.d_tag == DT_RELASZ ? y.d_un.d_val : rela_size;
		relr_size = y.d_tag == DT_RELRSZ ? y.d_un.d_val : relr_size;
	}
	find_in_code(&f, o->type == ET_EXEC);
	find_in_relocations(&f, o, rela, rela_size);
	/* Packed relocations leave the address where it is to be. */
	if (o->type == ET_EXEC || relr_size)
		find_in_data(&f, o);
	return f.err;
}
