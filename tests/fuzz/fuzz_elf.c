/* SPDX-License-Identifier: MIT */
/* fuzz_elf.c -- what doctor reads of a file: ELF objects and the loader's cache.
 *
 * The bytes become a file in memory and are read as a program, with its symbols
 * and its libraries, and as a cache.  Nothing outside that file is opened but
 * what the program's names lead to below /nowhere.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../cli/closure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long bytes_seen;

static bool read_name(void *ctx, const struct taf_symbol *s)
{
	(void)ctx;
	for (const char *p = s->name; *p; p++)
		bytes_seen += (unsigned char)*p;
	return true;
}

static void read_names(void *ctx, struct taf_lib *lib, size_t index)
{
	(void)index;
	taf_object_symbols(&lib->object, TAF_SYMS_DYNAMIC, read_name, ctx);
	taf_object_symbols(&lib->object, TAF_SYMS_STATIC, read_name, ctx);
}

static void read_cache(const char *path)
{
	struct taf_ldcache cache;
	uint32_t at = 0;

	if (!taf_ldcache_open(path, &cache))
		while (taf_ldcache_find(&cache, "libc.so.6", &at))
			;
	taf_ldcache_close(&cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct taf_closure_how how = { .default_dirs = "/nowhere", .visit = read_names };
	struct taf_closure c;
	const char *why;
	char path[40];
	int fd;

	if (taf_libelf_open(&why)) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	taf_closure_walk(path, &how, &c);
	taf_closure_close(&c);
	read_cache(path);
	close(fd);
	return 0;
}
