/* SPDX-License-Identifier: MIT */
/* elf_lib.c -- opens libelf; see elf_lib.h. */
#include "elf_lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

struct taf_libelf taf_libelf;

static const struct {
	const char *name;
	size_t at;
} imports[] = {
#define ENTRY(ret, name, params) { #name, offsetof(struct taf_libelf, name) },
	TAF_LIBELF(ENTRY)
};

int taf_libelf_open(const char **why)
{
	void *so;

	if (taf_libelf.is_open)
		return 0;
	*why = "libelf.so.1 is missing: install the package libelf1 (Debian, Ubuntu), "
	       "elfutils-libelf (Fedora) or libelf (Arch, Alpine)";
	so = dlopen("libelf.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return -ENOENT;
	for (size_t i = 0; i < sizeof(imports) / sizeof(imports[0]); i++) {
		void *fn = dlsym(so, imports[i].name);

		if (!fn) {
			*why = "libelf.so.1 is too old: version 0.130 or later of elfutils is "
			       "needed";
			dlclose(so);
			return -ENOENT;
		}
		memcpy((char *)&taf_libelf + imports[i].at, &fn, sizeof(fn));
	}
	if (taf_libelf.elf_version(EV_CURRENT) == EV_NONE) {
		*why = "libelf.so.1 does not know this version of ELF";
		return -ENOENT;
	}
	taf_libelf.is_open = true;
	return 0;
}
