/* SPDX-License-Identifier: MIT */
/* elf_symbols.c -- the names that a file defines and asks for; see elf.h.
 *
 * The section headers say where they are; a file without any still has the
 * dynamic symbols, since the loader needs them (from_dynamic).
 */
#include "elf_lib.h"

#include <errno.h>
#include <string.h>

/* A table of symbols and the strings it points into. */
struct names {
	Elf_Data *syms;
	size_t n;
	size_t strings_section; /* 0: strings below */
	const char *strings;
	size_t strings_size;
};

/* The table as the section headers describe it. */
static bool from_sections(struct taf_object *o, unsigned type, struct names *t)
{
	Elf_Scn *s = NULL;
	size_t n = 0, one = o->bits == 64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	GElf_Shdr h;

	while ((s = taf_libelf.elf_nextscn(o->elf, s)) && n++ < TAF_ELF_SECTIONS_MAX) {
		if (!taf_libelf.gelf_getshdr(s, &h) || h.sh_type != type ||
		    h.sh_size > TAF_ELF_TAKE_MAX)
			continue;
		t->syms = taf_libelf.elf_getdata(s, NULL);
		if (!t->syms || !t->syms->d_buf)
			continue;
		t->n = t->syms->d_size / one;
		t->strings_section = h.sh_link;
		return true;
	}
	return false;
}

/* From where on local names are globals that ld hid; 0: nothing says so.
 *
 * Names of hidden visibility become local in a program.  gold and lld leave the
 * visibility beside them; ld of binutils removes it, but lists such names last,
 * behind a source without a name (bfd/elflink.c, elf_link_output_extsym, where two
 * sources or more are named).  A source without a name elsewhere is the output of
 * an optimiser of the whole program. */
static size_t hidden_from(const struct names *t)
{
	size_t sources = 0, last = 0;
	GElf_Sym y;

	for (size_t i = 1; i < t->n && i < INT32_MAX; i++) {
		if (!taf_libelf.gelf_getsym(t->syms, (int)i, &y) ||
		    GELF_ST_BIND(y.st_info) != STB_LOCAL)
			break;
		if (GELF_ST_VISIBILITY(y.st_other) != STV_DEFAULT)
			return 0;
		if (GELF_ST_TYPE(y.st_info) != STT_FILE)
			continue;
		if (last)
			return 0;
		if (y.st_name)
			sources++;
		else
			last = i;
	}
	return sources >= 2 ? last : 0;
}

static bool is_private(const GElf_Sym *y, size_t index, size_t hidden)
{
	return GELF_ST_BIND(y->st_info) == STB_LOCAL &&
	       GELF_ST_VISIBILITY(y->st_other) == STV_DEFAULT && (!hidden || index < hidden);
}

/* Without section headers: linkers put the strings right behind the symbols. */
static bool from_dynamic(struct taf_object *o, struct names *t)
{
	uint64_t sym = 0, str = 0, size = 0, at, left;
	size_t one = o->bits == 64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	Elf_Data *data = taf_elf_dynamic(o);
	GElf_Dyn y;

	for (int i = 0; data && taf_libelf.gelf_getdyn(data, i, &y) && y.d_tag != DT_NULL; i++) {
		sym = y.d_tag == DT_SYMTAB ? y.d_un.d_ptr : sym;
		str = y.d_tag == DT_STRTAB ? y.d_un.d_ptr : str;
		size = y.d_tag == DT_STRSZ ? y.d_un.d_val : size;
	}
	if (sym >= str || !taf_elf_at_address(o, sym, &at, &left) || str - sym > left)
		return false;
	t->syms = taf_elf_chunk(o, at, str - sym - (str - sym) % one, ELF_T_SYM);
	t->n = t->syms ? t->syms->d_size / one : 0;
	if (!taf_elf_at_address(o, str, &at, &left) || size > left ||
	    !(data = taf_elf_chunk(o, at, size, ELF_T_BYTE)))
		return false;
	t->strings = data->d_buf;
	t->strings_size = data->d_size;
	return t->syms && t->syms->d_buf && t->strings;
}

static const char *symbol_name(struct taf_object *o, const struct names *t, uint64_t at)
{
	if (t->strings_section)
		return taf_libelf.elf_strptr(o->elf, t->strings_section, (size_t)at);
	if (at >= t->strings_size || !memchr(t->strings + at, '\0', t->strings_size - (size_t)at))
		return NULL;
	return t->strings + at;
}

long taf_object_symbols(struct taf_object *o, enum taf_symtab which,
			bool (*fn)(void *ctx, const struct taf_symbol *s), void *ctx)
{
	struct names t = { 0 };
	GElf_Sym y;
	size_t hidden;
	long seen = 0;

	if (!o->elf)
		return -EBADF;
	if (!from_sections(o, which == TAF_SYMS_DYNAMIC ? SHT_DYNSYM : SHT_SYMTAB, &t) &&
	    (which != TAF_SYMS_DYNAMIC || !from_dynamic(o, &t)))
		return 0;
	hidden = which == TAF_SYMS_STATIC ? hidden_from(&t) : 0;
	for (size_t i = 1; i < t.n && i < INT32_MAX; i++) {
		struct taf_symbol s;

		if (!taf_libelf.gelf_getsym(t.syms, (int)i, &y))
			break;
		s.is_source = GELF_ST_TYPE(y.st_info) == STT_FILE;
		s.name = y.st_name ? symbol_name(o, &t, y.st_name) : s.is_source ? "" : NULL;
		if (!s.name || (!s.name[0] && !s.is_source) || (hidden && i == hidden))
			continue;
		s.is_defined = y.st_shndx != SHN_UNDEF;
		s.is_weak = GELF_ST_BIND(y.st_info) == STB_WEAK;
		s.is_function = GELF_ST_TYPE(y.st_info) == STT_FUNC;
		s.is_private = is_private(&y, i, hidden);
		s.address = y.st_value;
		s.size = y.st_size;
		seen++;
		if (!fn(ctx, &s))
			break;
	}
	return seen;
}
