/* SPDX-License-Identifier: MIT */
/* sketch.h -- makes ELF files and loader caches for the tests, byte by byte.
 *
 * A made file has one segment that holds a dynamic section, two symbols and
 * their strings, and no section headers at all.  All files lie under one
 * directory, which taf_sketch_begin makes and taf_sketch_end removes.
 */
#ifndef TAF_TEST_SKETCH_H
#define TAF_TEST_SKETCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <gelf.h>

#include "../../cli/closure.h"

#define BASE 0x10000u

/* What a made file says. Lists end with NULL. */
struct sketch {
	const char *needed[6];
	const char *soname, *rpath, *runpath, *interp;
	unsigned machine; /* 0: ours */
	unsigned type; /* 0: ET_DYN */
	uint64_t flags_1;
};

struct image {
	Elf64_Ehdr head;
	Elf64_Phdr segments[3];
	Elf64_Dyn dynamic[24];
	char interp[64];
	Elf64_Sym symbols[3];
	char strings[1024];
};

__attribute__((unused)) static char top[] = "/tmp/taffrail-sketch-XXXXXX";

static inline char *in_top(const char *name)
{
	static char paths[4][512];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static inline uint32_t add_string(struct image *m, uint32_t *used, const char *s)
{
	uint32_t at = *used;

	assert_true(at + strlen(s) + 1 <= sizeof(m->strings));
	strcpy(m->strings + at, s);
	*used += (uint32_t)strlen(s) + 1;
	return at;
}

static inline void fill_dynamic(struct image *m, const struct sketch *k)
{
	uint32_t used = 1;
	size_t n = 0;

	for (size_t i = 0; k->needed[i]; i++)
		m->dynamic[n++] = (Elf64_Dyn){ DT_NEEDED, { add_string(m, &used, k->needed[i]) } };
	if (k->soname)
		m->dynamic[n++] = (Elf64_Dyn){ DT_SONAME, { add_string(m, &used, k->soname) } };
	if (k->rpath)
		m->dynamic[n++] = (Elf64_Dyn){ DT_RPATH, { add_string(m, &used, k->rpath) } };
	if (k->runpath)
		m->dynamic[n++] = (Elf64_Dyn){ DT_RUNPATH, { add_string(m, &used, k->runpath) } };
	if (k->flags_1)
		m->dynamic[n++] = (Elf64_Dyn){ DT_FLAGS_1, { k->flags_1 } };
	m->symbols[1].st_name = add_string(m, &used, "llama_decode");
	m->symbols[2].st_name = add_string(m, &used, "own_name");
	m->symbols[2].st_shndx = 1;
	m->dynamic[n++] = (Elf64_Dyn){ DT_SYMTAB, { BASE + offsetof(struct image, symbols) } };
	m->dynamic[n++] = (Elf64_Dyn){ DT_STRTAB, { BASE + offsetof(struct image, strings) } };
	m->dynamic[n++] = (Elf64_Dyn){ DT_STRSZ, { sizeof(m->strings) } };
}

static inline void fill(struct image *m, const struct sketch *k)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->head.e_ident, ELFMAG, SELFMAG);
	m->head.e_ident[EI_CLASS] = ELFCLASS64;
	m->head.e_ident[EI_DATA] = ELFDATA2LSB;
	m->head.e_ident[EI_VERSION] = EV_CURRENT;
	m->head.e_type = (Elf64_Half)(k->type ? k->type : ET_DYN);
	m->head.e_machine = (Elf64_Half)(k->machine ? k->machine : taf_machine_own());
	m->head.e_version = EV_CURRENT;
	m->head.e_ehsize = sizeof(m->head);
	m->head.e_phoff = offsetof(struct image, segments);
	m->head.e_phentsize = sizeof(m->segments[0]);
	m->head.e_phnum = k->interp ? 3 : 2;
	m->segments[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_vaddr = BASE, .p_filesz = sizeof(*m), .p_memsz = sizeof(*m)
	};
	m->segments[1] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
				       .p_offset = offsetof(struct image, dynamic),
				       .p_vaddr = BASE + offsetof(struct image, dynamic),
				       .p_filesz = sizeof(m->dynamic) };
	if (k->interp) {
		snprintf(m->interp, sizeof(m->interp), "%s", k->interp);
		m->segments[2] = (Elf64_Phdr){ .p_type = PT_INTERP,
					       .p_offset = offsetof(struct image, interp),
					       .p_filesz = strlen(k->interp) + 1 };
	}
	fill_dynamic(m, k);
}

static inline void put_file(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	close(fd);
}

static inline void make(const char *name, const struct sketch *k)
{
	struct image m;

	fill(&m, k);
	put_file(in_top(name), &m, sizeof(m));
}

#define MAKE(name, ...) make(name, &(struct sketch){ __VA_ARGS__ })

/* The directories of a test, empty. */
static inline void fresh(const char *const *dirs)
{
	char command[600];

	snprintf(command, sizeof(command), "rm -rf '%s' && mkdir -p '%s'", top, top);
	assert_int_equal(system(command), 0);
	for (; *dirs; dirs++)
		assert_int_equal(mkdir(in_top(*dirs), 0700), 0);
}

#define FRESH(...) fresh((const char *const[]){ __VA_ARGS__, NULL })

#define CACHE_ROOM 8192

struct cache_file {
	char bytes[CACHE_ROOM];
	size_t used;
};

struct cache_entry {
	const char *name, *path;
	uint32_t flags;
	uint64_t hwcap;
};

#if defined(__aarch64__)
#define FLAGS 0x0a03u
#else
#define FLAGS 0x0303u
#endif

/* A cache as ldconfig writes it, before bytes of an old one when old is set. */
static inline void make_cache(struct cache_file *f, const struct cache_entry *e, uint32_t n,
			      bool old)
{
	size_t head = old ? 16 : 0, text = 48 + 24 * (size_t)n;

	memset(f, 0, sizeof(*f));
	if (old)
		memcpy(f->bytes, "ld.so-1.7.0", 11);
	memcpy(f->bytes + head, "glibc-ld.so.cache1.1", 20);
	memcpy(f->bytes + head + 20, &n, 4);
	for (uint32_t i = 0; i < n; i++) {
		char *at = f->bytes + head + 48 + 24 * (size_t)i;
		uint32_t name = (uint32_t)text, path;

		strcpy(f->bytes + head + text, e[i].name);
		text += strlen(e[i].name) + 1;
		path = (uint32_t)text;
		strcpy(f->bytes + head + text, e[i].path);
		text += strlen(e[i].path) + 1;
		memcpy(at, &e[i].flags, 4);
		memcpy(at + 4, &name, 4);
		memcpy(at + 8, &path, 4);
		memcpy(at + 16, &e[i].hwcap, 8);
	}
	f->used = head + text;
}

static inline int open_cache(const struct cache_file *f, struct taf_ldcache *c)
{
	put_file(in_top("cache"), f->bytes, f->used);
	return taf_ldcache_open(in_top("cache"), c);
}

static inline int taf_sketch_begin(void **state)
{
	(void)state;
	return mkdtemp(top) ? 0 : -1;
}

static inline int taf_sketch_end(void **state)
{
	char command[600];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

#endif
