/* SPDX-License-Identifier: MIT */
#include "patch.h"

#include "../policy/text.h"
#include "elfmap.h"
#include "life.h"
#include "real.h"

#define SEEN_MAX 1024

#if defined(__x86_64__)
#define SLOT_JUMP R_X86_64_JUMP_SLOT
#define SLOT_DATA R_X86_64_GLOB_DAT
#define SLOT_ABS R_X86_64_64
#else
#define SLOT_JUMP R_AARCH64_JUMP_SLOT
#define SLOT_DATA R_AARCH64_GLOB_DAT
#define SLOT_ABS R_AARCH64_ABS64
#endif

static _Atomic(uint32_t) pending; /* opens since the last scan */
static _Atomic(bool) looks_past; /* DEEPBIND or dlmopen was used */
static _Atomic(bool) has_namespace;
static _Atomic(uint32_t) scanning; /* one thread at a time, others pass */
static const void *seen[SEEN_MAX]; /* dynamic sections already scanned; under scanning */
static int n_seen;
static _Atomic(bool) is_forgotten; /* what was seen may have gone */
static bool is_base; /* objects of the base namespace are scanned; under scanning */

/* The part of an object that was made read-only after relocation. */
struct relro {
	uintptr_t from, to;
};

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
			r.from = (m->l_addr + p[i].p_vaddr) & ~(uintptr_t)(TAF_PAGE - 1);
			/* The loader seals whole pages only: the rest is the program's data. */
			r.to = (m->l_addr + p[i].p_vaddr + p[i].p_memsz) &
			       ~(uintptr_t)(TAF_PAGE - 1);
		}
	return r;
}

static void store(uintptr_t slot, taf_fn ours, const struct relro *ro)
{
	bool is_sealed = slot >= ro->from && slot < ro->to;
	union {
		uintptr_t n;
		void *p;
		_Atomic(taf_fn) *f;
	} page = { .n = slot & ~(uintptr_t)(TAF_PAGE - 1) }, at = { .n = slot };

	if (is_sealed && taf_sys_protect(page.p, TAF_PAGE, true))
		return;
	atomic_store_explicit(at.f, ours, memory_order_release);
	if (is_sealed)
		taf_sys_protect(page.p, TAF_PAGE, false);
	atomic_fetch_or(&taf_routes, TAF_ROUTE_GOT);
}

/* Our entry for the C library's look-ups, where this slot leads past it, or would when
 * it is bound; NULL: it does not, or an object in front of us has such a function too. */
static taf_fn entry_of(const struct taf_elf *e, const char *name, taf_fn now)
{
	bool is_lookup = taf_same(name, "dlsym") || taf_same(name, "dlvsym");
	union {
		taf_fn f;
		void *p;
	} at = { .f = now }, ours = { .f = NULL };
	struct link_map *m = is_lookup && is_base ? taf_elf_first() : NULL;
	struct taf_elf of;

	if (!m || (now != taf_real_libc(name) && taf_elf_at(at.p) != e->map))
		return NULL;
	for (; m && !ours.p; m = m->l_next) {
		ours.p = taf_elf_of(m, &of) ? taf_elf_symbol(&of, name, NULL) : NULL;
		if (ours.p && m != taf_elf_self())
			return NULL;
	}
	return ours.f;
}

static void patch_slot(const struct taf_elf *e, const ElfW(Rela) * r, const struct relro *ro)
{
	unsigned type = (unsigned)ELF64_R_TYPE(r->r_info);
	const ElfW(Sym) *s = &e->symtab[ELF64_R_SYM(r->r_info)];
	uintptr_t slot = e->map->l_addr + r->r_offset;
	const struct taf_table *t;
	union {
		uintptr_t n;
		_Atomic(taf_fn) *f;
	} at = { .n = slot };
	taf_fn now;
	int row;

	if ((type != SLOT_JUMP && type != SLOT_DATA && type != SLOT_ABS) || r->r_addend ||
	    !s->st_name)
		return;
	now = atomic_load_explicit(at.f, memory_order_acquire);
	t = taf_real_row(e->strtab + s->st_name, &row);
	if (!t) {
		taf_fn entry = now ? entry_of(e, e->strtab + s->st_name, now) : NULL;

		if (entry)
			store(slot, entry, ro);
		return;
	}
	if (!now || now == t->rows[row].ours || !taf_real_find(t, row, e->map->l_ld))
		return;
	store(slot, t->rows[row].ours, ro);
}

static void patch_object(struct link_map *m)
{
	struct taf_elf e;
	struct relro ro;

	for (int i = 0; i < n_seen; i++)
		if (seen[i] == m->l_ld)
			return;
	if (n_seen < SEEN_MAX)
		seen[n_seen++] = m->l_ld;
	if (m == taf_elf_self() || !taf_elf_of(m, &e))
		return;
	ro = relro_of(m);
	for (size_t i = 0; e.jmprel && i < e.n_jmprel; i++)
		patch_slot(&e, &e.jmprel[i], &ro);
	for (size_t i = 0; e.rela && i < e.n_rela; i++)
		patch_slot(&e, &e.rela[i], &ro);
}

void taf_patch_note_open(bool is_deepbind, bool is_namespace)
{
	if (is_deepbind || is_namespace)
		atomic_store(&looks_past, true);
	if (is_namespace)
		atomic_store(&has_namespace, true);
	atomic_fetch_add(&pending, 1);
}

static void scan_locked(void *handle)
{
	is_base = true;
	for (struct link_map *m = taf_elf_first(); m; m = m->l_next)
		patch_object(m);
	is_base = false;
	/* In glibc a handle is a link map: its list is its namespace. */
	if (handle && atomic_load(&has_namespace)) {
		struct link_map *m = handle;

		while (m->l_prev)
			m = m->l_prev;
		for (; m != taf_elf_first() && m; m = m->l_next)
			patch_object(m);
	}
}

void taf_patch_pending(void *handle)
{
	uint32_t none = 0;
	bool is_other = handle && atomic_load(&has_namespace);

	if (!atomic_load_explicit(&looks_past, memory_order_relaxed) ||
	    (!atomic_load(&pending) && !is_other) ||
	    !atomic_compare_exchange_strong(&scanning, &none, 1))
		return;
	atomic_store(&pending, 0);
	if (atomic_exchange(&is_forgotten, false))
		n_seen = 0;
	taf_elf_locked(scan_locked, handle);
	atomic_store(&scanning, 0);
}

void taf_patch_forget(void)
{
	atomic_store(&is_forgotten, true);
	atomic_fetch_add(&pending, 1);
}
