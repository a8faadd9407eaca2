/* SPDX-License-Identifier: MIT */
/* elf.h -- one program or library on disk, read by libelf.
 *
 * libelf is opened by name when a verb needs it (taf_libelf_open) and never
 * linked, so the command starts on a machine that lacks it.  The program
 * headers and the dynamic segment are read as the loader reads them; section
 * headers are asked only for symbols and for Go's marks, because a file may
 * lie in them or have none.  Nothing is mapped and nothing is executed: a
 * file that is cut while it is read gives an error, never SIGBUS.  A damaged
 * or hostile file gives fault text or fewer symbols.
 */
#ifndef TAF_CLI_ELF_H
#define TAF_CLI_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAF_INTERP_MAX 256

enum taf_relro { TAF_RELRO_NONE, TAF_RELRO_PARTIAL, TAF_RELRO_FULL };

struct taf_object {
	int bits; /* 32 or 64 */
	bool is_little;
	unsigned machine; /* EM_* */
	unsigned type; /* ET_* */
	char interp[TAF_INTERP_MAX]; /* "": none */
	bool has_dynamic;
	bool is_pie;
	bool is_now; /* binds every symbol at start */
	bool is_symbolic; /* -Bsymbolic: its own calls stay inside */
	bool is_nodeflib; /* never looks in the cache or the default directories */
	bool is_go;
	enum taf_relro relro;
	char *soname, *rpath, *runpath; /* NULL: none */
	char **needed;
	size_t n_needed;
	char fault[128]; /* what is damaged; "": nothing seen */
	void *elf; /* libelf's handle; NULL after taf_object_release */
	int fd;
};

enum taf_symtab { TAF_SYMS_DYNAMIC, TAF_SYMS_STATIC };

struct taf_symbol {
	const char *name; /* lives until the callback returns */
	bool is_defined;
	bool is_weak;
	bool is_function;
	bool is_source; /* not a name of code: the source whose local names follow; may be "" */
	/* Its source kept it for itself, or nothing shows that it was a linker that made it
	 * local: then its compiler may have changed how it is called. */
	bool is_private;
	uint64_t address, size; /* as the file counts */
};

/* Opens libelf once. 0, or -ENOENT with one line for people in *why. */
int taf_libelf_open(const char **why);

/* Reads a regular file. 0; -ENOEXEC when it is not ELF or its headers are unusable (o->fault
 * says why); -ENOSYS without libelf; another
 * -errno when it cannot be opened. On failure nothing is held. */
int taf_object_open(const char *path, struct taf_object *o);
/* Calls fn for each named symbol until it returns false. The number seen, or -errno. */
long taf_object_symbols(struct taf_object *o, enum taf_symtab which,
			bool (*fn)(void *ctx, const struct taf_symbol *s), void *ctx);
/* Closes the file and keeps what was read. */
void taf_object_release(struct taf_object *o);
void taf_object_close(struct taf_object *o);

/* "x86-64", "aarch64", ... or "machine N" in a static buffer. */
const char *taf_machine_name(unsigned machine);
/* The machine that this command, and so the shim beside it, was built for. */
unsigned taf_machine_own(void);

#endif
