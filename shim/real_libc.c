/* SPDX-License-Identifier: MIT */
/* real_libc.c -- the C library's own functions, which are the same whoever calls.
 *
 * Each is looked for when it is first asked for: to find all of them before main would
 * cost every process 3 us.  That may be in a signal handler or a child of vfork, so the
 * loader's list is read without its lock, and only as far as nothing ever leaves it. */
#include "real.h"

#include "../policy/text.h"
#include "elfmap.h"

/* The last object that came with the program; written by the constructor. Up to there
 * nothing ever leaves the loader's list, so that it may be read at any time. */
static const struct link_map *last;

/* Behind us, among what came with the program. */
static void *behind(const char *name)
{
	struct link_map *m = taf_elf_self();
	void *p = NULL;
	struct taf_elf e;

	while (!p && m && m != last && (m = m->l_next))
		p = taf_elf_of(m, &e) ? taf_elf_symbol(&e, name, NULL) : NULL;
	return p;
}

taf_fn taf_real_fix(const struct taf_table *t, int row)
{
	taf_fn fn = taf_object_fn(behind(taf_row_name(t, row)));

	atomic_store_explicit(&t->learned[row], fn, memory_order_release);
	return fn;
}

/* The row of that name in the tables of the C library. */
static const struct taf_table *libc_row(const char *name, int *row)
{
	for (int t = 0; t < taf_table_count; t++)
		for (int r = 0;
		     taf_tables[t]->engine == TAF_ENGINE_LIBC && r < taf_tables[t]->n_rows; r++)
			if (taf_same(taf_row_name(taf_tables[t], r), name)) {
				*row = r;
				return taf_tables[t];
			}
	return NULL;
}

taf_fn taf_real_libc(const char *name)
{
	int row;
	const struct taf_table *t = libc_row(name, &row);

	return t ? taf_real_fixed(t, row) : NULL;
}

taf_fn taf_real_door(const char *name)
{
	int row;
	const struct taf_table *t = libc_row(name, &row);

	return t && t->rows[row].kind == TAF_LOOKUP ? t->ours(row) : NULL;
}

/* What e defines of the libc rows that are still without a function. */
static void learn_from(const struct taf_elf *e)
{
	for (int t = 0; t < taf_table_count; t++) {
		const struct taf_table *table = taf_tables[t];

		for (int r = 0; table->engine == TAF_ENGINE_LIBC && r < table->n_rows; r++)
			if (!atomic_load_explicit(&table->learned[r], memory_order_relaxed))
				atomic_store(&table->learned[r],
					     taf_object_fn(taf_elf_symbol(e, taf_row_name(table, r),
									  NULL)));
	}
}

void taf_real_init(void)
{
	struct link_map *m = taf_elf_self();
	struct taf_elf e;

	for (last = m; m; m = m->l_next)
		last = m;
	if (taf_real_libc("exit"))
		return;
	/* Opened by the program, as a layer: libc stands in front of us, and what is behind
	 * may leave. */
	last = taf_elf_self();
	for (m = taf_elf_first(); !taf_real_libc("exit") && m && m != taf_elf_self(); m = m->l_next)
		if (taf_elf_of(m, &e) && taf_elf_symbol(&e, "exit", NULL))
			learn_from(&e);
}
