/* SPDX-License-Identifier: MIT */
/* elf_lib.h -- libelf's functions, found by name at run time.
 *
 * taf_libelf_open (elf.h) fills the table; only elf.c and elf_symbols.c use it.
 */
#ifndef TAF_CLI_ELF_LIB_H
#define TAF_CLI_ELF_LIB_H

#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "elf.h"

#define TAF_ELF_TAKE_MAX ((size_t)512 << 20) /* bytes of one table */
#define TAF_ELF_SEGMENTS_MAX 4096
#define TAF_ELF_SECTIONS_MAX 65536

/* libelf's functions that we use, by name and type. */
#define TAF_LIBELF(X) \
	X(unsigned int, elf_version, (unsigned int)) \
	X(Elf *, elf_begin, (int, Elf_Cmd, Elf *)) \
	X(int, elf_end, (Elf *)) \
	X(Elf_Kind, elf_kind, (Elf *)) \
	X(int, elf_getphdrnum, (Elf *, size_t *)) \
	X(int, elf_getshdrstrndx, (Elf *, size_t *)) \
	X(Elf_Scn *, elf_nextscn, (Elf *, Elf_Scn *)) \
	X(Elf_Scn *, elf_getscn, (Elf *, size_t)) \
	X(char *, elf_strptr, (Elf *, size_t, size_t)) \
	X(Elf_Data *, elf_getdata, (Elf_Scn *, Elf_Data *)) \
	X(Elf_Data *, elf_getdata_rawchunk, (Elf *, int64_t, size_t, Elf_Type)) \
	X(GElf_Ehdr *, gelf_getehdr, (Elf *, GElf_Ehdr *)) \
	X(GElf_Phdr *, gelf_getphdr, (Elf *, int, GElf_Phdr *)) \
	X(GElf_Shdr *, gelf_getshdr, (Elf_Scn *, GElf_Shdr *)) \
	X(GElf_Dyn *, gelf_getdyn, (Elf_Data *, int, GElf_Dyn *)) \
	X(GElf_Sym *, gelf_getsym, (Elf_Data *, int, GElf_Sym *))

#define TAF_LIBELF_DECLARE(ret, name, params) ret(*name) params;
struct taf_libelf {
	TAF_LIBELF(TAF_LIBELF_DECLARE)
	bool is_open;
};
extern struct taf_libelf taf_libelf;

/* A part of the file; NULL when it is empty, too big or not inside the file. */
Elf_Data *taf_elf_chunk(struct taf_object *o, uint64_t at, uint64_t size, Elf_Type type);
/* The dynamic section, which the loader finds by its segment; NULL when there is none. */
Elf_Data *taf_elf_dynamic(struct taf_object *o);
/* The file offset of a virtual address, and how many bytes of its segment follow it in the
 * file; false: no segment holds it. */
bool taf_elf_at_address(struct taf_object *o, uint64_t address, uint64_t *at, uint64_t *left);

#endif
