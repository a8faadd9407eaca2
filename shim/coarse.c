/* SPDX-License-Identifier: MIT */
#include "coarse.h"

#include "../policy/text.h"
#include "elfmap.h"
#include "hot.h"

#define PAGE "linux-vdso.so.1"
#if defined(__x86_64__)
#define NAME "__vdso_clock_gettime"
#else
#define NAME "__kernel_clock_gettime"
#endif

TAF_HOT int (*taf_coarse_fn)(clockid_t which, struct timespec *t);

static void find_locked(void *ctx)
{
	void **fn = ctx;
	struct taf_elf e;

	for (struct link_map *m = taf_elf_first(); m && !*fn; m = m->l_next)
		if (taf_elf_of(m, &e) && e.soname && taf_same(e.soname, PAGE))
			*fn = taf_elf_symbol(&e, NAME, NULL);
}

void taf_coarse_find(void)
{
	union {
		void *p;
		int (*fn)(clockid_t which, struct timespec *t);
	} u = { .p = NULL };
	struct timespec t;

	taf_elf_locked(find_locked, &u.p);
	taf_coarse_fn = u.p && !u.fn(CLOCK_MONOTONIC_COARSE, &t) ? u.fn : clock_gettime;
}
