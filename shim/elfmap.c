/* SPDX-License-Identifier: MIT */
#include "elfmap.h"

#include "life.h"

#include "../policy/text.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/auxv.h>

#ifndef __GLIBC_PREREQ
#define __GLIBC_PREREQ(major, minor) 0
#endif

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/* Both live in the dynamic loader. Weak, so that we need libc alone and load
 * where one is missing. */
extern struct r_debug _r_debug __attribute__((weak));
#if __GLIBC_PREREQ(2, 35)
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));
#endif

/* glibc relocates most d_ptr values in place, other loaders do not. */
static uintptr_t at(const struct link_map *map, ElfW(Addr) p)
{
	return p < map->l_addr ? p + map->l_addr : p;
}

static void note_entry(struct taf_elf *e, const ElfW(Dyn) * d, ElfW(Addr) * soname)
{
	uintptr_t p = at(e->map, d->d_un.d_ptr);

	switch (d->d_tag) {
	case DT_SYMTAB: e->symtab = (const void *)p; break;
	case DT_STRTAB: e->strtab = (const void *)p; break;
	case DT_GNU_HASH: e->gnu_hash = (const void *)p; break;
	case DT_HASH: e->sysv_hash = (const void *)p; break;
	case DT_VERSYM: e->versym = (const void *)p; break;
	case DT_VERNEED: e->verneed = (const void *)p; break;
	case DT_VERDEF: e->verdef = (const void *)p; break;
	case DT_JMPREL: e->jmprel = (const void *)p; break;
	case DT_RELA: e->rela = (const void *)p; break;
	case DT_PLTRELSZ: e->n_jmprel = d->d_un.d_val / sizeof(ElfW(Rela)); break;
	case DT_RELASZ: e->n_rela = d->d_un.d_val / sizeof(ElfW(Rela)); break;
	case DT_SONAME: *soname = d->d_un.d_val + 1; break;
	default: break;
	}
}

bool taf_elf_of(struct link_map *map, struct taf_elf *e)
{
	ElfW(Addr) soname = 0;

	taf_zero(e, sizeof(*e));
	if (!map || !map->l_ld)
		return false;
	e->map = map;
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
		note_entry(e, d, &soname);
	if (soname && e->strtab)
		e->soname = e->strtab + soname - 1;
	return e->symtab && e->strtab;
}

static uint32_t gnu_hash_of(const char *s)
{
	uint32_t h = 5381;

	for (; *s; s++)
		h = h * 33 + (unsigned char)*s;
	return h;
}

static const char *version_defined(const struct taf_elf *e, unsigned index)
{
	const ElfW(Verdef) *v = e->verdef;

	while (v) {
		if ((v->vd_ndx & 0x7fffu) == index) {
			const ElfW(Verdaux) *a = (const void *)((const char *)v + v->vd_aux);

			return e->strtab + a->vda_name;
		}
		v = v->vd_next ? (const void *)((const char *)v + v->vd_next) : NULL;
	}
	return NULL;
}

/* Without a wish the default version is meant: the one that is not hidden. */
static bool version_fits(const struct taf_elf *e, uint32_t i, const char *wish)
{
	unsigned v = e->versym ? e->versym[i] : 1;
	const char *have;

	if (!e->versym || !e->verdef)
		return true;
	if (!wish)
		return !(v & 0x8000u);
	have = version_defined(e, v & 0x7fffu);
	return !have || taf_same(have, wish);
}

static void *symbol_address(const struct taf_elf *e, const ElfW(Sym) * s)
{
	union {
		uintptr_t n;
		void *p;
		void *(*pick)(void);
	} u = { .n = e->map->l_addr + s->st_value };

	return ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC ? u.pick() : u.p;
}

/* A set of symbol types. */
#define OF(type) (1u << (type))
#define CALLABLE (OF(STT_FUNC) | OF(STT_GNU_IFUNC) | OF(STT_NOTYPE)) /* assembly has no type */

static bool is_definition(const ElfW(Sym) * s, unsigned types)
{
	return s->st_shndx != SHN_UNDEF && s->st_value && ELF64_ST_BIND(s->st_info) != STB_LOCAL &&
	       OF(ELF64_ST_TYPE(s->st_info)) & types;
}

/* What is looked for: wish is a version or NULL. */
struct wanted {
	const char *name, *wish;
	unsigned types;
};

static const ElfW(Sym) * by_gnu_hash(const struct taf_elf *e, const struct wanted *w)
{
	const uint32_t *g = e->gnu_hash;
	uint32_t n_buckets = g[0], first = g[1], words = g[2], h = gnu_hash_of(w->name);
	const ElfW(Addr) *bloom = (const void *)(g + 4);
	const uint32_t *buckets = (const void *)(bloom + words), *chain = buckets + n_buckets;
	unsigned bits = 8 * sizeof(ElfW(Addr));
	ElfW(Addr) word;

	if (!n_buckets || !words)
		return NULL;
	word = bloom[(h / bits) & (words - 1)];
	if (!((word >> (h % bits)) & (word >> ((h >> g[3]) % bits)) & 1))
		return NULL;
	for (uint32_t i = buckets[h % n_buckets]; i >= first && i; i++) {
		uint32_t c = chain[i - first];
		const ElfW(Sym) *s = &e->symtab[i];

		if ((c | 1) == (h | 1) && taf_same(e->strtab + s->st_name, w->name) &&
		    is_definition(s, w->types) && version_fits(e, i, w->wish))
			return s;
		if (c & 1)
			break;
	}
	return NULL;
}

static const ElfW(Sym) * by_sysv_hash(const struct taf_elf *e, const struct wanted *w)
{
	uint32_t n = e->sysv_hash[1];

	for (uint32_t i = 1; i < n; i++) {
		const ElfW(Sym) *s = &e->symtab[i];

		if (is_definition(s, w->types) && taf_same(e->strtab + s->st_name, w->name) &&
		    version_fits(e, i, w->wish))
			return s;
	}
	return NULL;
}

static const ElfW(Sym) * find(const struct taf_elf *e, const struct wanted *w)
{
	if (e->gnu_hash)
		return by_gnu_hash(e, w);
	return e->sysv_hash ? by_sysv_hash(e, w) : NULL;
}

void *taf_elf_symbol(const struct taf_elf *e, const char *name, const char *version)
{
	struct wanted w = { name, version, CALLABLE };
	const ElfW(Sym) *s = find(e, &w);

	return s ? symbol_address(e, s) : NULL;
}

/* How many symbols there are: the table does not say it of itself. */
static uint32_t count_symbols(const struct taf_elf *e)
{
	const uint32_t *g = e->gnu_hash, *buckets, *chain;
	uint32_t last = 0;

	if (!g)
		return e->sysv_hash ? e->sysv_hash[1] : 0;
	buckets = (const void *)((const ElfW(Addr) *)(const void *)(g + 4) + g[2]);
	chain = buckets + g[0];
	for (uint32_t i = 0; i < g[0]; i++)
		last = buckets[i] > last ? buckets[i] : last;
	if (last < g[1])
		return g[1];
	while (!(chain[last - g[1]] & 1))
		last++;
	return last + 1;
}

void taf_elf_each_function(const struct taf_elf *e, void (*fn)(void *ctx, const char *name),
			   void *ctx)
{
	uint32_t n = count_symbols(e);

	for (uint32_t i = 0; i < n; i++)
		if (is_definition(&e->symtab[i], OF(STT_FUNC)))
			fn(ctx, e->strtab + e->symtab[i].st_name);
}

static const char *version_needed(const struct taf_elf *e, unsigned index)
{
	for (const ElfW(Verneed) *v = e->verneed; v;) {
		const ElfW(Vernaux) *a = (const void *)((const char *)v + v->vn_aux);

		for (unsigned k = 0; k < v->vn_cnt; k++) {
			if ((a->vna_other & 0x7fffu) == index)
				return e->strtab + a->vna_name;
			a = (const void *)((const char *)a + a->vna_next);
		}
		v = v->vn_next ? (const void *)((const char *)v + v->vn_next) : NULL;
	}
	return NULL;
}

const char *taf_elf_wanted_version(const struct taf_elf *e, const char *name)
{
	if (!e->versym || !e->verneed)
		return NULL;
	for (int pass = 0; pass < 2; pass++) {
		const ElfW(Rela) *r = pass ? e->rela : e->jmprel;
		size_t n = r ? (pass ? e->n_rela : e->n_jmprel) : 0;

		for (size_t i = 0; i < n; i++) {
			uint32_t k = (uint32_t)ELF64_R_SYM(r[i].r_info);

			if (!k || e->symtab[k].st_shndx != SHN_UNDEF ||
			    !taf_same(e->strtab + e->symtab[k].st_name, name))
				continue;
			return version_needed(e, e->versym[k] & 0x7fffu);
		}
	}
	return NULL;
}

const struct r_debug *taf_elf_debug(void)
{
	return &_r_debug;
}

struct link_map *taf_elf_first(void)
{
	return &_r_debug ? _r_debug.r_map : NULL;
}

struct link_map *taf_elf_self(void)
{
	static struct link_map *self; /* written once, always the same value */

	for (struct link_map *m = self ? NULL : taf_elf_first(); m; m = m->l_next)
		if (m->l_ld == _DYNAMIC) {
			self = m;
			break;
		}
	return self;
}

void *taf_elf_next(const char *name)
{
	struct link_map *m = taf_elf_self();
	struct taf_elf e;

	for (m = m ? m->l_next : NULL; m; m = m->l_next) {
		void *p = taf_elf_of(m, &e) ? taf_elf_symbol(&e, name, NULL) : NULL;

		if (p)
			return p;
	}
	return NULL;
}

size_t taf_elf_page(void)
{
	static _Atomic(size_t) page; /* 0: not asked yet */
	union {
		void *p;
		unsigned long (*ask)(unsigned long type);
	} u;
	size_t n = atomic_load_explicit(&page, memory_order_relaxed);
	int saved = errno;

	if (n)
		return n;
	u.p = taf_elf_next("getauxval");
	n = u.p ? u.ask(AT_PAGESZ) : 0;
	n = n ? n : TAF_PAGE;
	errno = saved;
	atomic_store_explicit(&page, n, memory_order_relaxed);
	return n;
}

typedef int iterate_fn(int (*visit)(struct dl_phdr_info *, size_t, void *), void *data);

static iterate_fn *iterate; /* dl_iterate_phdr of the C library; written by the constructor */

/* What is to be done under the lock. */
struct locked {
	void (*fn)(void *ctx);
	void *ctx;
};

/* The first visit is enough: the lock is held until it returns. */
static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
	struct locked *l = data;

	(void)info;
	(void)size;
	l->fn(l->ctx);
	return 1;
}

void taf_elf_locked(void (*fn)(void *ctx), void *ctx)
{
	struct locked l = { fn, ctx };

	/* In a fork child a thread that is gone may have the lock for ever, and waiting for
	 * it would take the program down; there the list stands still as it was at the fork. */
	if (iterate && !taf_is_fork_child)
		iterate(visit, &l);
	else
		fn(ctx);
}

/* A place in an object, and what its segment must allow. */
struct place {
	const struct taf_elf *of;
	uintptr_t p;
	unsigned flags;
	size_t left;
};

static int measure(struct dl_phdr_info *info, size_t size, void *data)
{
	struct place *w = data;

	(void)size;
	for (int i = 0; info->dlpi_addr == w->of->map->l_addr && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + h->p_vaddr;

		if (h->p_type == PT_LOAD && (h->p_flags & w->flags) == w->flags && w->p >= from &&
		    w->p - from < h->p_memsz)
			w->left = h->p_memsz - (w->p - from);
	}
	return w->left != 0;
}

size_t taf_elf_left(const struct taf_elf *e, const void *p, unsigned flags)
{
	struct place w = { .of = e, .p = (uintptr_t)p, .flags = flags };

	if (iterate)
		iterate(measure, &w);
	return w.left;
}

bool taf_elf_bytes(const struct taf_elf *e, const char *name, unsigned type,
		   struct taf_elf_bytes *b)
{
	struct wanted w = { name, NULL, OF(type) };
	const ElfW(Sym) *s = find(e, &w);
	union {
		uintptr_t n;
		const unsigned char *p;
	} u = { .n = s ? e->map->l_addr + s->st_value : 0 };
	size_t left = s ? taf_elf_left(e, u.p, type == STT_FUNC ? PF_R | PF_X : PF_R) : 0;

	b->at = u.p;
	b->n = left && s->st_size < left ? s->st_size : left;
	return b->n != 0;
}

static int take_first(struct dl_phdr_info *info, size_t size, void *data)
{
	struct taf_program *p = data;

	(void)size;
	p->bias = info->dlpi_addr;
	p->phdr = info->dlpi_phdr;
	p->n_phdr = info->dlpi_phnum;
	return 1;
}

bool taf_elf_program(struct taf_program *p)
{
	p->n_phdr = 0;
	if (iterate)
		iterate(take_first, p);
	return p->n_phdr != 0;
}

void taf_elf_init(void)
{
	union {
		void *p;
		iterate_fn *f;
	} u = { .p = taf_elf_next("dl_iterate_phdr") };

	iterate = u.f;
}

/* The highest object that starts at or below pc. Good enough where objects do not interleave. */
static struct link_map *nearest_below(const void *pc)
{
	struct link_map *best = NULL;

	for (struct link_map *m = taf_elf_first(); m; m = m->l_next)
		if ((uintptr_t)pc >= m->l_addr && (!best || m->l_addr > best->l_addr))
			best = m;
	return best;
}

struct link_map *taf_elf_at(const void *pc)
{
#if __GLIBC_PREREQ(2, 35)
	struct dl_find_object found;
	union {
		const void *c;
		void *p;
	} u = { .c = pc };

	if (_dl_find_object)
		return _dl_find_object(u.p, &found) ? NULL : found.dlfo_link_map;
#endif
	return nearest_below(pc);
}

bool taf_elf_each_needed(const struct taf_elf *e, bool (*fn)(void *ctx, const char *soname),
			 void *ctx)
{
	for (const ElfW(Dyn) *d = e->map->l_ld; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && fn(ctx, e->strtab + d->d_un.d_val))
			return true;
	return false;
}
