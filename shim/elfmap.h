/* SPDX-License-Identifier: MIT */
/* elfmap.h -- loaded objects read in memory: symbols, needs, slots.
 *
 * Everything is read from the link maps that the loader keeps; no file is
 * opened, no loader lock is taken and no libc function is called, so it works
 * before other constructors, in a fork child and under any lock of theirs.
 * The list itself is the loader's: an object that another thread unloads at
 * this very moment is the one hazard, and callers use it only for objects that
 * are in use (the caller's own, and what it needs).
 */
#ifndef TAF_ELFMAP_H
#define TAF_ELFMAP_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parts of one object's dynamic section that we use. */
struct taf_elf {
	struct link_map *map;
	const ElfW(Sym) * symtab;
	const char *strtab;
	const uint32_t *gnu_hash;
	const uint32_t *sysv_hash;
	const ElfW(Half) * versym;
	const ElfW(Verneed) * verneed;
	const ElfW(Verdef) * verdef;
	const ElfW(Rela) * jmprel, *rela;
	size_t n_jmprel, n_rela;
	const char *soname; /* or NULL */
};

/* False when the object has no symbol table we can read. */
bool taf_elf_of(struct link_map *map, struct taf_elf *e);
/* The address of a defined function or object called name, in version if that is
 * not NULL (else the default one); NULL when it has none. Indirect functions are resolved. */
void *taf_elf_symbol(const struct taf_elf *e, const char *name, const char *version);
/* The version that e's own undefined reference to name asks for; NULL: none. */
const char *taf_elf_wanted_version(const struct taf_elf *e, const char *name);
/* The head of the base namespace's list. */
struct link_map *taf_elf_first(void);
struct link_map *taf_elf_self(void); /* ours */
/* What the first object behind ours defines under that name: RTLD_NEXT without the loader's lock. */
void *taf_elf_next(const char *name);
/* The object that pc lies in; NULL when unknown. Lock-free on glibc >= 2.35. */
struct link_map *taf_elf_at(const void *pc);
/* Calls fn for each name that e needs; stops when it returns true. */
bool taf_elf_each_needed(const struct taf_elf *e, bool (*fn)(void *ctx, const char *soname),
			 void *ctx);

#endif
