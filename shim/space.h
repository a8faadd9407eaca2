/* SPDX-License-Identifier: MIT */
/* space.h -- namespaces of the loader beside the one that we are in (dlmopen).
 *
 * Objects there have a C library of their own, which keeps what dlerror tells them.
 * RTLD_DEFAULT and RTLD_NEXT mean their own namespace, where nobody exports our names.
 * So look-ups of theirs, once their slots lead to us (patch.h), go on to that library.
 *
 * Namespaces that auditors of the loader live in are not known to us and do not call us.
 */
#ifndef TAF_SPACE_H
#define TAF_SPACE_H

#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "table.h"

/* dlmopen is about to be called for another namespace. */
void taf_space_note(void);

extern _Atomic(bool) taf_space_seen;
/* Whether there may be another namespace. */
static inline bool taf_space_is_any(void)
{
	return atomic_load_explicit(&taf_space_seen, memory_order_acquire);
}

/* Whether caller lies in an object of another one. */
bool taf_space_is_other(const void *caller);
taf_fn taf_space_find(taf_fn base, const char *name, const void *caller);
/* base, a function of the C library that we have, as the one that caller has. */
static inline taf_fn taf_space_fn(taf_fn base, const char *name, const void *caller)
{
	return __builtin_expect(taf_space_is_any(), 0) ? taf_space_find(base, name, caller) : base;
}

/* Inside of taf_elf_locked: whether m lies in another one; the head of the list that m is in;
 * the same as above, NULL where its namespace has none; and visit for each object of other
 * namespaces, as far as the loader shows them (glibc 2.35), and for those of the namespace of
 * one, or NULL. */
bool taf_space_has(struct link_map *m);
struct link_map *taf_space_head(struct link_map *m);
taf_fn taf_space_of(taf_fn base, const char *name, struct link_map *m);
void taf_space_each(struct link_map *one, void (*visit)(struct link_map *m));

#endif
