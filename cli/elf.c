/* SPDX-License-Identifier: MIT */
/* elf.c -- see elf.h.
 *
 * taf_object_open: header, program headers (read_segments), dynamic segment
 * (read_dynamic, through addresses turned into offsets by taf_elf_at_address), notes.
 * Every offset and size goes through elf_getdata_rawchunk, which refuses what
 * lies outside the file; what it would have to copy is limited to TAF_ELF_TAKE_MAX.
 */
#include "elf_lib.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEEDED_MAX 1024

__attribute__((format(printf, 2, 3))) static int damaged(struct taf_object *o, const char *form,
							 ...)
{
	va_list ap;

	va_start(ap, form);
	vsnprintf(o->fault, sizeof(o->fault), form, ap);
	va_end(ap);
	return -ENOEXEC;
}

Elf_Data *taf_elf_chunk(struct taf_object *o, uint64_t at, uint64_t size, Elf_Type type)
{
	if (!size || size > TAF_ELF_TAKE_MAX || at > INT64_MAX - size)
		return NULL;
	return taf_libelf.elf_getdata_rawchunk(o->elf, (int64_t)at, (size_t)size, type);
}

Elf_Data *taf_elf_dynamic(struct taf_object *o)
{
	GElf_Phdr p;
	size_t n;

	if (taf_libelf.elf_getphdrnum(o->elf, &n))
		return NULL;
	for (size_t i = 0; i < n && i < TAF_ELF_SEGMENTS_MAX; i++)
		if (taf_libelf.gelf_getphdr(o->elf, (int)i, &p) && p.p_type == PT_DYNAMIC)
			return taf_elf_chunk(o, p.p_offset, p.p_filesz, ELF_T_DYN);
	return NULL;
}

bool taf_elf_at_address(struct taf_object *o, uint64_t address, uint64_t *at, uint64_t *left)
{
	size_t n;
	GElf_Phdr p;

	if (taf_libelf.elf_getphdrnum(o->elf, &n))
		return false;
	for (size_t i = 0; i < n && i < TAF_ELF_SEGMENTS_MAX; i++) {
		if (!taf_libelf.gelf_getphdr(o->elf, (int)i, &p) || p.p_type != PT_LOAD)
			continue;
		if (address < p.p_vaddr || address - p.p_vaddr >= p.p_filesz)
			continue;
		*left = p.p_filesz - (address - p.p_vaddr);
		*at = p.p_offset + (address - p.p_vaddr);
		return *at >= p.p_offset;
	}
	return false;
}

/* A copy of the string at offset in a table of size bytes; NULL when it does not end in it. */
static char *copy_string(const char *table, size_t size, uint64_t offset)
{
	if (!table || offset >= size || !memchr(table + offset, '\0', size - (size_t)offset))
		return NULL;
	return strdup(table + offset);
}

struct dynamic {
	uint64_t strtab, strsz, symtab;
	uint64_t soname, rpath, runpath; /* offset + 1; 0: none */
	uint64_t needed[NEEDED_MAX];
	size_t n_needed;
};

static void take_entry(struct taf_object *o, struct dynamic *d, const GElf_Dyn *y)
{
	uint64_t v = y->d_un.d_val;

	switch (y->d_tag) {
	case DT_STRTAB: d->strtab = v; break;
	case DT_STRSZ: d->strsz = v; break;
	case DT_SYMTAB: d->symtab = v; break;
	case DT_SONAME: d->soname = v + 1; break;
	case DT_RPATH: d->rpath = v + 1; break;
	case DT_RUNPATH: d->runpath = v + 1; break;
	case DT_SYMBOLIC: o->is_symbolic = true; break;
	case DT_BIND_NOW: o->is_now = true; break;
	case DT_FLAGS:
		o->is_now |= !!(v & DF_BIND_NOW);
		o->is_symbolic |= !!(v & DF_SYMBOLIC);
		break;
	case DT_FLAGS_1:
		o->is_now |= !!(v & DF_1_NOW);
		o->is_pie |= !!(v & DF_1_PIE);
		o->is_nodeflib |= !!(v & DF_1_NODEFLIB);
		break;
	case DT_NEEDED:
		if (d->n_needed < NEEDED_MAX)
			d->needed[d->n_needed++] = v;
		break;
	default: break;
	}
}

static int take_strings(struct taf_object *o, const struct dynamic *d)
{
	uint64_t at = 0, left = 0;
	Elf_Data *data;
	const char *table;

	if (!d->n_needed && !d->soname && !d->rpath && !d->runpath)
		return 0;
	if (!taf_elf_at_address(o, d->strtab, &at, &left) || d->strsz > left)
		return damaged(o, "its dynamic string table lies outside its segments");
	data = taf_elf_chunk(o, at, d->strsz, ELF_T_BYTE);
	if (!data || !data->d_buf)
		return damaged(o, "its dynamic string table lies outside the file");
	table = data->d_buf;
	o->soname = d->soname ? copy_string(table, data->d_size, d->soname - 1) : NULL;
	o->rpath = d->rpath ? copy_string(table, data->d_size, d->rpath - 1) : NULL;
	o->runpath = d->runpath ? copy_string(table, data->d_size, d->runpath - 1) : NULL;
	o->needed = calloc(d->n_needed ? d->n_needed : 1, sizeof(*o->needed));
	if (!o->needed)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_needed; i++) {
		o->needed[o->n_needed] = copy_string(table, data->d_size, d->needed[i]);
		if (!o->needed[o->n_needed])
			return damaged(
				o, "the name of a needed library lies outside its string table");
		o->n_needed++;
	}
	return 0;
}

static int read_dynamic(struct taf_object *o, const GElf_Phdr *p)
{
	struct dynamic *d = calloc(1, sizeof(*d));
	Elf_Data *data = taf_elf_chunk(o, p->p_offset, p->p_filesz, ELF_T_DYN);
	size_t one = o->bits == 64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	GElf_Dyn y;
	int err;

	o->has_dynamic = true;
	if (!d)
		return -ENOMEM;
	if (!data || !data->d_buf) {
		free(d);
		return damaged(o, "its dynamic segment lies outside the file");
	}
	for (size_t i = 0; i < data->d_size / one && i < INT32_MAX; i++) {
		if (!taf_libelf.gelf_getdyn(data, (int)i, &y) || y.d_tag == DT_NULL)
			break;
		take_entry(o, d, &y);
	}
	err = take_strings(o, d);
	free(d);
	return err;
}

static int read_interp(struct taf_object *o, const GElf_Phdr *p)
{
	Elf_Data *data;

	if (p->p_filesz < 2 || p->p_filesz > TAF_INTERP_MAX)
		return damaged(o, "the name of its loader is %llu bytes long",
			       (unsigned long long)p->p_filesz);
	data = taf_elf_chunk(o, p->p_offset, p->p_filesz, ELF_T_BYTE);
	if (!data || !data->d_buf || data->d_size < p->p_filesz)
		return damaged(o, "the name of its loader lies outside the file");
	memcpy(o->interp, data->d_buf, (size_t)p->p_filesz);
	if (o->interp[p->p_filesz - 1])
		return damaged(o, "the name of its loader does not end");
	return 0;
}

/* A segment that the file does not hold whole cannot be loaded whole. */
static int check_load(struct taf_object *o, const GElf_Phdr *p, int i)
{
	struct stat st;

	if (fstat(o->fd, &st))
		return -errno;
	if (p->p_offset > (uint64_t)st.st_size || p->p_filesz > (uint64_t)st.st_size - p->p_offset)
		return damaged(o, "segment %d reaches past the end of the file (truncated?)", i);
	if (p->p_filesz > p->p_memsz)
		return damaged(o, "segment %d is bigger in the file than in memory", i);
	return 0;
}

static int read_segments(struct taf_object *o)
{
	size_t n = 0;
	bool has_relro = false;
	GElf_Phdr p;
	int err = 0;

	if (taf_libelf.elf_getphdrnum(o->elf, &n) || n > TAF_ELF_SEGMENTS_MAX)
		return damaged(o, "its program headers lie outside the file or are too many");
	for (size_t i = 0; i < n && !err; i++) {
		if (!taf_libelf.gelf_getphdr(o->elf, (int)i, &p))
			return damaged(o, "program header %zu lies outside the file (truncated?)",
				       i);
		if (p.p_type == PT_LOAD)
			err = check_load(o, &p, (int)i);
		else if (p.p_type == PT_INTERP)
			err = read_interp(o, &p);
		else if (p.p_type == PT_DYNAMIC && !o->has_dynamic)
			err = read_dynamic(o, &p);
		else if (p.p_type == PT_GNU_RELRO)
			has_relro = true;
	}
	o->relro = !has_relro ? TAF_RELRO_NONE : o->is_now ? TAF_RELRO_FULL : TAF_RELRO_PARTIAL;
	return err;
}

/* Go leaves its build id and its build info in sections of their own. */
static void read_marks(struct taf_object *o)
{
	size_t names, n = 0;
	Elf_Scn *s = NULL;
	GElf_Shdr h;

	if (taf_libelf.elf_getshdrstrndx(o->elf, &names))
		return;
	while ((s = taf_libelf.elf_nextscn(o->elf, s)) && n++ < TAF_ELF_SECTIONS_MAX) {
		const char *name = taf_libelf.gelf_getshdr(s, &h)
					   ? taf_libelf.elf_strptr(o->elf, names, h.sh_name)
					   : NULL;

		if (name && (!strcmp(name, ".note.go.buildid") || !strcmp(name, ".go.buildinfo"))) {
			o->is_go = true;
			return;
		}
	}
}

static int read_object(struct taf_object *o)
{
	GElf_Ehdr h;
	int err;

	o->elf = taf_libelf.elf_begin(o->fd, ELF_C_READ, NULL);
	if (!o->elf || taf_libelf.elf_kind(o->elf) != ELF_K_ELF ||
	    !taf_libelf.gelf_getehdr(o->elf, &h))
		return damaged(o, "not an ELF file, or its header is damaged");
	if (h.e_ident[EI_CLASS] != ELFCLASS64 && h.e_ident[EI_CLASS] != ELFCLASS32)
		return damaged(o, "its header names an unknown class");
	o->bits = h.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
	o->is_little = h.e_ident[EI_DATA] == ELFDATA2LSB;
	o->machine = h.e_machine;
	o->type = h.e_type;
	err = read_segments(o);
	if (!err)
		read_marks(o);
	return err;
}

int taf_object_open(const char *path, struct taf_object *o)
{
	struct stat st;
	int err;

	memset(o, 0, sizeof(*o));
	o->fd = -1;
	if (!taf_libelf.is_open)
		return -ENOSYS;
	o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (o->fd < 0)
		return -errno;
	if (fstat(o->fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : damaged(o, "not a regular file");
	else
		err = read_object(o);
	if (err) {
		char fault[sizeof(o->fault)];

		memcpy(fault, o->fault, sizeof(fault));
		taf_object_close(o);
		memcpy(o->fault, fault, sizeof(fault));
	}
	return err;
}

void taf_object_release(struct taf_object *o)
{
	if (o->elf)
		taf_libelf.elf_end(o->elf);
	if (o->fd >= 0)
		close(o->fd);
	o->elf = NULL;
	o->fd = -1;
}

void taf_object_close(struct taf_object *o)
{
	taf_object_release(o);
	for (size_t i = 0; i < o->n_needed; i++)
		free(o->needed[i]);
	free(o->needed);
	free(o->soname);
	free(o->rpath);
	free(o->runpath);
	memset(o, 0, sizeof(*o));
	o->fd = -1;
}

const char *taf_machine_name(unsigned machine)
{
	static char other[32];

	switch (machine) {
	case EM_X86_64: return "x86-64";
	case EM_AARCH64: return "aarch64";
	case EM_386: return "i386";
	case EM_ARM: return "arm";
	case EM_RISCV: return "riscv";
	case EM_PPC64: return "ppc64";
	case EM_S390: return "s390";
	default: break;
	}
	snprintf(other, sizeof(other), "machine %u", machine);
	return other;
}

unsigned taf_machine_own(void)
{
#if defined(__x86_64__)
	return EM_X86_64;
#elif defined(__aarch64__)
	return EM_AARCH64;
#else
	return EM_NONE;
#endif
}
