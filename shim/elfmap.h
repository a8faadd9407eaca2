/* SPDX-License-Identifier: MIT */
/* elfmap.h -- loaded objects read in memory: symbols, needs, slots.
 *
 * Everything is read from the link maps that the loader keeps; no file is
 * opened, and no libc function is called but the one below, so it works before
 * other constructors and in a fork child.  The list and what it leads to are the
 * loader's: another thread may unload an object at this very moment.  So what
 * walks the list runs inside taf_elf_locked, which has the loader hold the lock
 * of its list meanwhile; nothing that enters the loader may be called there.
 * The constructor walks without it: it is alone.
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
/* The address of a defined function called name, in version if that is not NULL
 * (else the default one); NULL when it has none: data of that name is no function.
 * Indirect functions are resolved. */
void *taf_elf_symbol(const struct taf_elf *e, const char *name, const char *version);

/* Bytes of an object that may be read. */
struct taf_elf_bytes {
	const unsigned char *at;
	size_t n;
};

/* The body of what e defines as name, when it is of that type (STT_FUNC or
 * STT_OBJECT) and lies in a segment of e that is mapped for it. Calls nothing of
 * theirs. May run inside taf_elf_locked: the lock of the loader's list counts. */
bool taf_elf_bytes(const struct taf_elf *e, const char *name, unsigned type,
		   struct taf_elf_bytes *b);
/* How many bytes from p on belong to a segment of e with these PF_ flags; 0: p is in none. */
size_t taf_elf_left(const struct taf_elf *e, const void *p, unsigned flags);
/* The version that e's own undefined reference to name asks for; NULL: none. */
const char *taf_elf_wanted_version(const struct taf_elf *e, const char *name);
/* Runs fn(ctx) while no object can be added or removed. */
void taf_elf_locked(void (*fn)(void *ctx), void *ctx);
/* Finds the loader's own function for that; called by the constructor. */
void taf_elf_init(void);
/* The program itself, as the kernel or its loader mapped it. */
struct taf_program {
	uintptr_t bias; /* what is added to the addresses of its file */
	const ElfW(Phdr) * phdr;
	size_t n_phdr;
};

/* False: unknown. */
bool taf_elf_program(struct taf_program *p);
/* What the loader shows to debuggers; NULL: nothing. */
const struct r_debug *taf_elf_debug(void);
/* The head of the base namespace's list. */
struct link_map *taf_elf_first(void);
struct link_map *taf_elf_self(void); /* ours */
/* What the first object behind ours defines under that name: RTLD_NEXT without the
 * loader's lock. */
void *taf_elf_next(const char *name);
/* How much the kernel protects at once. Looked up when it is asked for: a process that needs
 * no such thing does not pay for an import. */
size_t taf_elf_page(void);
/* The object that pc lies in; NULL when unknown. Lock-free on glibc >= 2.35. */
struct link_map *taf_elf_at(const void *pc);
/* Calls fn for each function that e defines for others. */
void taf_elf_each_function(const struct taf_elf *e, void (*fn)(void *ctx, const char *name),
			   void *ctx);
/* Calls fn for each name that e needs; stops when it returns true. */
bool taf_elf_each_needed(const struct taf_elf *e, bool (*fn)(void *ctx, const char *soname),
			 void *ctx);

#endif
