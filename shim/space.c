/* SPDX-License-Identifier: MIT */
#include "space.h"

#include "../policy/text.h"
#include "elfmap.h"

#ifndef __GLIBC_PREREQ
#define __GLIBC_PREREQ(major, minor) 0
#endif

_Atomic(bool) taf_space_seen;

/* One question, to be answered while the loader's list stands still. */
struct question {
	const char *name;
	const void *caller;
	taf_fn fn;
	bool is_other;
};

void taf_space_note(void)
{
	atomic_store(&taf_space_seen, true);
}

struct link_map *taf_space_head(struct link_map *m)
{
	while (m && m->l_prev)
		m = m->l_prev;
	return m;
}

bool taf_space_has(struct link_map *m)
{
	return m && taf_space_head(m) != taf_elf_first();
}

taf_fn taf_space_of(taf_fn base, const char *name, struct link_map *m)
{
	struct taf_elf ours, e;
	void *p = NULL;

	if (!taf_space_has(m))
		return base;
	if (!base || !taf_elf_of(taf_elf_at(taf_fn_object(base)), &ours) || !ours.soname)
		return NULL;
	for (m = taf_space_head(m); m && !p; m = m->l_next)
		if (taf_elf_of(m, &e) && e.soname && taf_same(e.soname, ours.soname))
			p = taf_elf_symbol(&e, name, NULL);
	return taf_object_fn(p);
}

static void find_locked(void *ctx)
{
	struct question *q = ctx;
	taf_fn fn = taf_space_of(q->fn, q->name, taf_elf_at(q->caller));

	q->fn = fn ? fn : q->fn;
}

taf_fn taf_space_find(taf_fn base, const char *name, const void *caller)
{
	struct question q = { .name = name, .caller = caller, .fn = base };

	taf_elf_locked(find_locked, &q);
	return q.fn;
}

static void other_locked(void *ctx)
{
	struct question *q = ctx;

	q->is_other = taf_space_has(taf_elf_at(q->caller));
}

bool taf_space_is_other(const void *caller)
{
	struct question q = { .caller = caller };

	if (taf_space_is_any())
		taf_elf_locked(other_locked, &q);
	return q.is_other;
}

static void visit_all(struct link_map *m, void (*visit)(struct link_map *m))
{
	for (; taf_space_has(m); m = m->l_next)
		visit(m);
}

void taf_space_each(struct link_map *one, void (*visit)(struct link_map *m))
{
	struct link_map *head = taf_space_head(one);
	bool is_done = !head;
#if __GLIBC_PREREQ(2, 35)
	union {
		const struct r_debug *base;
		const struct r_debug_extended *more;
	} u = { .base = taf_elf_debug() };

	/* While objects leave, the head that is shown may be gone; that state is set before the
	 * lock of the list is taken to unlink one. */
	if (u.base && u.base->r_version >= 2)
		for (u.more = u.more->r_next; u.more; u.more = u.more->r_next)
			if (u.base->r_state != RT_DELETE) {
				is_done = is_done || u.base->r_map == head;
				visit_all(u.base->r_map, visit);
			}
#endif
	if (!is_done)
		visit_all(head, visit);
}
