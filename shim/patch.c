/* SPDX-License-Identifier: MIT */
#include "patch.h"

#include <dlfcn.h>
#include <errno.h>

#include "../policy/text.h"
#include "elfmap.h"
#include "life.h"
#include "real.h"
#include "space.h"

#define SEEN_MAX 2048u /* a power of two; objects beyond are left alone */
#define FRESH 48 /* objects at once */
#define ROUNDS 32

#if defined(__x86_64__)
#define SLOT_JUMP R_X86_64_JUMP_SLOT
#define SLOT_DATA R_X86_64_GLOB_DAT
#define SLOT_ABS R_X86_64_64
#else
#define SLOT_JUMP R_AARCH64_JUMP_SLOT
#define SLOT_DATA R_AARCH64_GLOB_DAT
#define SLOT_ABS R_AARCH64_ABS64
#endif

static _Atomic(uint32_t) opens, done; /* that were noted; of those, the last one scanned */
static _Atomic(bool) looks_past; /* DEEPBIND or dlmopen was used */
static _Atomic(uint32_t) scanning; /* under the lock of the loader's list, but for a handler */
static const void *seen[SEEN_MAX]; /* dynamic sections already scanned; under scanning */
static _Atomic(bool) is_forgotten; /* what was seen may have gone */

/* Objects that are new: one look at the loader's list finds them, a later one patches. */
struct fresh {
	void *handle; /* of another namespace, or NULL */
	const void *of[FRESH]; /* their dynamic sections */
	int n, patched;
	bool is_busy; /* this is a handler that has interrupted a look */
};
static struct fresh *looking; /* under scanning */

/* The part of an object that was made read-only after relocation. */
struct relro {
	uintptr_t from, to;
};

static uintptr_t page_of(uintptr_t at)
{
	return at & ~(uintptr_t)(taf_elf_page() - 1);
}

static struct relro relro_of(const struct link_map *m)
{
	union {
		uintptr_t n;
		const ElfW(Ehdr) * e;
	} u = { .n = m->l_addr };
	struct relro r = { 0, 0 };
	const ElfW(Phdr) * p;

	if (!m->l_addr || !taf_equal(u.e->e_ident, ELFMAG, SELFMAG))
		return r;
	u.n += u.e->e_phoff;
	p = (const void *)u.e;
	u.n = m->l_addr;
	for (unsigned i = 0; i < u.e->e_phnum; i++)
		if (p[i].p_type == PT_GNU_RELRO) {
			r.from = page_of(m->l_addr + p[i].p_vaddr);
			/* The loader seals whole pages only: the rest is the program's data. */
			r.to = page_of(m->l_addr + p[i].p_vaddr + p[i].p_memsz);
		}
	return r;
}

static void store(const struct link_map *m, uintptr_t slot, taf_fn ours)
{
	struct relro ro = relro_of(m);
	bool is_sealed = slot >= ro.from && slot < ro.to;
	union {
		uintptr_t n;
		void *p;
		_Atomic(taf_fn) *f;
	} page = { .n = page_of(slot) }, at = { .n = slot };

	if (is_sealed && taf_sys_protect(page.p, taf_elf_page(), true))
		return;
	atomic_store_explicit(at.f, ours, memory_order_release);
	if (is_sealed)
		taf_sys_protect(page.p, taf_elf_page(), false);
	atomic_fetch_or(&taf_routes, TAF_ROUTE_GOT);
}

/* The C library's functions by which objects and symbols come are the doors of its tables. */
static taf_fn door_of(const char *name)
{
	return name[0] == 'd' && name[1] == 'l' ? taf_real_door(name) : NULL;
}

/* Whether an object in front of us has such a function too: then that one is meant. */
static bool is_ours_first(const char *name)
{
	struct taf_elf e;
	struct link_map *m = taf_elf_first();

	while (m && m != taf_elf_self() && !(taf_elf_of(m, &e) && taf_elf_symbol(&e, name, NULL)))
		m = m->l_next;
	return m == taf_elf_self();
}

/* Our entry for such a function, where this slot leads past it to the C library that the
 * object has, or would when it is bound; NULL: it does not. */
static taf_fn entry_of(const struct taf_elf *e, const char *name, taf_fn now)
{
	taf_fn door = door_of(name);
	union {
		taf_fn f;
		void *p;
	} at = { .f = now };
	bool is_base;

	if (!door ||
	    (now != taf_space_of(taf_real_libc(name), name, e->map) && taf_elf_at(at.p) != e->map))
		return NULL;
	is_base = taf_space_head(e->map) == taf_elf_first();
	return is_base && !is_ours_first(name) ? NULL : door;
}

/* What a slot is to hold, or NULL: it stays as it is. */
static taf_fn ours_for(const struct taf_elf *e, const char *name, taf_fn now)
{
	int row;
	const struct taf_table *t = taf_real_row(name, &row);

	if (!t)
		return entry_of(e, name, now);
	if (now == t->ours(row) || !taf_real_find(t, row, e->map->l_ld))
		return NULL;
	return t->ours(row);
}

struct slot {
	const char *name;
	uintptr_t at;
	bool is_weak;
	taf_fn now;
};

/* Whether r fills a slot with the address of a function that a row is called like. */
static bool slot_of(const struct taf_elf *e, const ElfW(Rela) * r, struct slot *out)
{
	unsigned type = (unsigned)ELF64_R_TYPE(r->r_info);
	const ElfW(Sym) *s = &e->symtab[ELF64_R_SYM(r->r_info)];
	union {
		uintptr_t n;
		_Atomic(taf_fn) *f;
	} at = { .n = e->map->l_addr + r->r_offset };
	int row;

	if ((type != SLOT_JUMP && type != SLOT_DATA && type != SLOT_ABS) || r->r_addend ||
	    !s->st_name)
		return false;
	out->name = e->strtab + s->st_name;
	if (!taf_real_row(out->name, &row) && !door_of(out->name))
		return false;
	out->at = at.n;
	out->is_weak = ELF64_ST_BIND(s->st_info) == STB_WEAK;
	out->now = atomic_load_explicit(at.f, memory_order_acquire);
	return true;
}

/* Nothing in it yet, or what the file has: the loader will add the object's address. */
static bool is_unfilled(const struct taf_elf *e, const struct slot *s)
{
	union {
		taf_fn f;
		const void *p;
		uintptr_t n;
	} now = { .f = s->now }, moved = now;

	moved.n += e->map->l_addr;
	return s->now ? !taf_elf_at(now.p) && taf_elf_at(moved.p) == e->map : !s->is_weak;
}

/* Runs do_slot on the slots of e that a row is called like, until it returns false. */
static bool each_slot(const struct taf_elf *e,
		      bool (*do_slot)(const struct taf_elf *e, const struct slot *s))
{
	struct slot s;

	for (size_t i = 0; e->jmprel && i < e->n_jmprel; i++)
		if (slot_of(e, &e->jmprel[i], &s) && !do_slot(e, &s))
			return false;
	for (size_t i = 0; e->rela && i < e->n_rela; i++)
		if (slot_of(e, &e->rela[i], &s) && !do_slot(e, &s))
			return false;
	return true;
}

static bool is_filled(const struct taf_elf *e, const struct slot *s)
{
	return !is_unfilled(e, s);
}

static bool patch_slot(const struct taf_elf *e, const struct slot *s)
{
	taf_fn ours = s->now ? ours_for(e, s->name, s->now) : NULL;

	if (ours)
		store(e->map, s->at, ours);
	return true;
}

/* Its place in seen, or a free one; NULL: it has none and there is no room. */
static const void **place_of(const struct link_map *m)
{
	uintptr_t h = ((uintptr_t)m->l_ld >> 4) * 0x9e3779b1u >> 8;

	for (unsigned i = 0; i < SEEN_MAX; i++) {
		const void **p = &seen[(h + i) & (SEEN_MAX - 1)];

		if (!*p || *p == m->l_ld)
			return p;
	}
	return NULL;
}

static bool is_seen(const struct link_map *m)
{
	const void **p = place_of(m);

	return !p || *p;
}

static void note_fresh(struct link_map *m)
{
	if (m->l_ld && looking->n < FRESH && !is_seen(m))
		looking->of[looking->n++] = m->l_ld;
}

/* One that the loader has not filled yet, since it calls us in the midst of that, stays new. */
static void patch_fresh(struct link_map *m)
{
	struct taf_elf e;
	int i = 0;

	while (i < looking->n && looking->of[i] != m->l_ld)
		i++;
	if (i == looking->n || is_seen(m))
		return;
	if (m != taf_elf_self() && taf_elf_of(m, &e)) {
		if (!each_slot(&e, is_filled))
			return;
		each_slot(&e, patch_slot);
	}
	*place_of(m) = m->l_ld;
	looking->patched++;
}

/* Where an object has gone since f was filled, another may lie in its place half loaded. */
static void each_object(struct fresh *f, void (*visit)(struct link_map *m))
{
	uint32_t none = 0;

	f->is_busy = !atomic_compare_exchange_strong(&scanning, &none, 1);
	if (f->is_busy)
		return;
	looking = f;
	if (atomic_exchange(&is_forgotten, false)) {
		taf_zero(seen, sizeof(seen));
		f->n = 0;
	}
	for (struct link_map *m = taf_elf_first(); m; m = m->l_next)
		visit(m);
	/* In glibc a handle is a link map: its list is its namespace. */
	if (taf_space_is_any())
		taf_space_each(f->handle, visit);
	atomic_store(&scanning, 0);
}

static void find_locked(void *ctx)
{
	each_object(ctx, note_fresh);
}

static void patch_locked(void *ctx)
{
	each_object(ctx, patch_fresh);
}

/* What was in the list before is whole afterwards: the loader opens one at a time. Whoever
 * comes here is about to wait for it as well. */
static bool await_loader(void)
{
	union {
		taf_fn f;
		void *(*ask)(void *, const char *);
	} u = { .f = taf_real_libc("dlsym") };
	int saved = errno;
	bool is_over = u.f && u.ask(RTLD_DEFAULT, "dlsym");

	errno = saved;
	return is_over;
}

void taf_patch_note_open(bool is_deepbind, bool is_namespace)
{
	if (is_deepbind || is_namespace)
		atomic_store(&looks_past, true);
	if (is_namespace)
		taf_space_note();
	atomic_fetch_add(&opens, 1);
}

/* False: some are left for later. */
static bool scan(void *handle)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct fresh f = { .handle = handle };
		bool is_full;

		taf_elf_locked(find_locked, &f);
		if (!f.n)
			return !f.is_busy;
		is_full = f.n == FRESH;
		if (!await_loader())
			return false;
		taf_elf_locked(patch_locked, &f);
		if (!is_full || !f.patched)
			return f.patched && f.patched == f.n;
	}
	return false;
}

void taf_patch_pending(void *handle)
{
	bool is_other = handle && taf_space_is_any();
	uint32_t was, last;

	if (!atomic_load_explicit(&looks_past, memory_order_relaxed))
		return;
	was = atomic_load(&opens);
	last = atomic_load(&done);
	if ((was != last || is_other) && scan(handle))
		atomic_compare_exchange_strong(&done, &last, was);
}

void taf_patch_forget(void)
{
	atomic_store(&is_forgotten, true);
	atomic_fetch_add(&opens, 1);
}
